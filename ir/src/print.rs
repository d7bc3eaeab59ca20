//! The text form of a module, which is also its stored form: everything in the module is in it, equal modules give equal
//! text, and `parse` gives the module back with every number as it was.
//!
//! It relies on what the verifier checks about numbering (instructions and blocks are numbered as they stand); types,
//! values and stops carry their numbers. The order is: files, classes, types past the fixed ones, constants, host
//! functions, functions.

use crate::entity::{Block, Inst, TypeId, Value};
use crate::enums::MemberValue;
use crate::limits::TYPE_DEPTH_MAX;
use crate::module::{Case, Constant, Func, FuncKind, Imm, InstData, Module, Param, Purity, Span, Target};
use crate::types::{Type, Types};
use std::fmt::{self, Display, Formatter};

/// The first word of the text form.
pub const MAGIC: &str = "deepslate-ir";
/// The version of the text form that this build writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// Constants up to this many bytes are written out where they are used; longer ones by number.
const INLINE_CONST_MAX: usize = 48;

impl Display for Module {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC} {VERSION}")?;
        for (i, file) in self.files.iter().enumerate() {
            writeln!(f, "file {i} {} {} {}", Quoted(&file.path), file.first_line, Quoted(&file.text))?;
        }
        for (i, class) in self.types.classes().iter().enumerate() {
            write!(f, "class {i} {}", Name(&class.name))?;
            if class.frozen {
                f.write_str(" frozen")?;
            }
            let fields = class.fields.iter().map(|field| (field.name.as_str(), field.ty));
            write!(f, " {{{}}}", Typed { types: &self.types, list: &fields.collect::<Vec<_>>() })?;
            if let Some(e) = self.types.enumeration(crate::entity::ClassId::from_index(i)) {
                write!(f, " enum {} {{", if e.shows_value { "value" } else { "name" })?;
                for (at, member) in e.members.iter().enumerate() {
                    write!(f, "{}{} ", if at > 0 { ", " } else { "" }, Quoted(&member.name))?;
                    match &member.value {
                        MemberValue::Int(value) => write!(f, "{value}")?,
                        MemberValue::Str(text) => write!(f, "{}", Quoted(text))?,
                    }
                }
                f.write_str("}")?;
            }
            writeln!(f)?;
        }
        for ty in self.types.ids().skip(Types::new().ids().count()) {
            writeln!(f, "type {} {}", ty.0, TypeName(&self.types, ty))?;
        }
        for (i, constant) in self.consts.iter().enumerate() {
            writeln!(f, "const {i} {}", Literal(constant))?;
        }
        for (i, host) in self.hosts.iter().enumerate() {
            let purity = match host.purity {
                Purity::Pure => "pure",
                Purity::Impure => "impure",
            };
            write!(f, "host {i} {purity} {}", Name(&host.name))?;
            writeln!(f, "{}", Signature { types: &self.types, params: &host.params, ret: host.ret })?;
        }
        for func in &self.funcs {
            writeln!(f)?;
            write!(f, "{}", FuncText { module: self, func })?;
        }
        Ok(())
    }
}

/// Prints one function, as it stands in the text of its module.
#[derive(Clone, Copy, Debug)]
pub struct FuncText<'a> {
    /// The module that it is of.
    pub module: &'a Module,
    /// The function.
    pub func: &'a Func,
}

impl Display for FuncText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (module, func) = (self.module, self.func);
        let kind = match func.kind {
            FuncKind::Flow => "flow",
            FuncKind::Plain => "func",
        };
        write!(f, "{kind} {}", Name(&func.name))?;
        write!(f, "{}", Signature { types: &module.types, params: &func.params, ret: func.ret })?;
        writeln!(f, " {} {{", SpanText(func.span))?;
        let mut span = func.span;
        for (i, block) in func.blocks.iter().enumerate() {
            write!(f, "{}", Block::from_index(i))?;
            if !block.params.is_empty() {
                let params = list(&block.params, |v, f| write!(f, "{v}: {}", TypeName(&module.types, func.ty(*v))));
                write!(f, "({params})")?;
            }
            writeln!(f, ":")?;
            for inst in &block.insts {
                write!(f, "  {}", InstText { module, func, inst: *inst })?;
                let at = func.inst(*inst).span;
                if at != span {
                    span = at;
                    write!(f, " {}", SpanText(at))?;
                }
                writeln!(f)?;
            }
        }
        writeln!(f, "}}")
    }
}

/// Prints one instruction, as it stands in the text of its function but without its place in the source.
#[derive(Clone, Copy, Debug)]
pub struct InstText<'a> {
    /// The module that it is of.
    pub module: &'a Module,
    /// The function that it is of.
    pub func: &'a Func,
    /// The instruction.
    pub inst: Inst,
}

impl Display for InstText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let inst = self.func.inst(self.inst);
        if let Some(result) = inst.result {
            write!(f, "{result}: {} = ", TypeName(&self.module.types, self.func.ty(result)))?;
        }
        write!(f, "{}", inst.op)?;
        self.operands(inst, f)?;
        if let Some(id) = inst.stop {
            let values = &self.func.stop(id).values;
            let values = list(values, |l, f| match &l.name {
                Some(name) => write!(f, "{} = {}", Name(name), l.value),
                None => write!(f, "{}", l.value),
            });
            write!(f, " !{} [{values}]", id.0)?;
        }
        Ok(())
    }
}

impl InstText<'_> {
    fn operands(&self, inst: &InstData, f: &mut Formatter<'_>) -> fmt::Result {
        let args = list(&inst.args, |v, f| write!(f, "{v}"));
        match &inst.imm {
            Imm::No => {}
            Imm::Int(v) => write!(f, " {v}")?,
            Imm::Float(v) => write!(f, " {}", FloatText(*v))?,
            Imm::Bool(v) => write!(f, " {v}")?,
            Imm::Const(id) => match self.module.constant(*id) {
                short if constant_bytes(short) <= INLINE_CONST_MAX => write!(f, " {}", Literal(short))?,
                _ => write!(f, " {id}")?,
            },
            Imm::Func(id) => return write!(f, " {}({args})", Name(&self.module.func(*id).name)),
            Imm::Host(id) => return write!(f, " {}({args})", Name(&self.module.host(*id).name)),
            Imm::Builtin(builtin) => return write!(f, " {builtin}({args})"),
            Imm::Slot(index) => write!(f, " .{index}")?,
            Imm::Trap(kind) => write!(f, " {kind}")?,
            Imm::Cases(cases) => return self.cases(cases, inst, f),
            Imm::Type(ty) => write!(f, " {}", TypeName(&self.module.types, *ty))?,
        }
        let mut separator = " ";
        for arg in &inst.args {
            write!(f, "{separator}{arg}")?;
            separator = ", ";
        }
        for target in &inst.targets {
            write!(f, "{separator}{}", TargetText(target))?;
            separator = ", ";
        }
        Ok(())
    }

    fn cases(&self, cases: &[Case], inst: &InstData, f: &mut Formatter<'_>) -> fmt::Result {
        let mut args = inst.args.iter();
        // A malformed select prints what it has; the verifier speaks about it.
        let mut next = || args.next().copied().unwrap_or(Value(u32::MAX));
        f.write_str(" [")?;
        for (i, (case, target)) in cases.iter().zip(&inst.targets).enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            match case {
                Case::Get => write!(f, "get {}", next())?,
                Case::Put => write!(f, "put {}, {}", next(), next())?,
                Case::Default => f.write_str("default")?,
                Case::Receive => write!(f, "receive {}", next())?,
            }
            write!(f, " -> {}", TargetText(target))?;
        }
        f.write_str("]")
    }
}

fn constant_bytes(constant: &Constant) -> usize {
    match constant {
        Constant::Str(text) => text.len(),
        Constant::Bytes(bytes) => bytes.len(),
    }
}

/// Prints `items` with commas between.
fn list<'a, T>(items: &'a [T], print: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result + 'a) -> impl Display + 'a {
    fmt::from_fn(move |f| {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            print(item, f)?;
        }
        Ok(())
    })
}

struct TargetText<'a>(&'a Target);

impl Display for TargetText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.block)?;
        if self.0.args.is_empty() { Ok(()) } else { write!(f, "({})", list(&self.0.args, |v, f| write!(f, "{v}"))) }
    }
}

struct SpanText(Span);

impl Display for SpanText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "@{}:{}:{}", self.0.file, self.0.line, self.0.column)
    }
}

struct Typed<'a> {
    types: &'a Types,
    list: &'a [(&'a str, TypeId)],
}

impl Display for Typed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", list(self.list, |(name, ty), f| write!(f, "{}: {}", Name(name), TypeName(self.types, *ty))))
    }
}

struct Signature<'a> {
    types: &'a Types,
    params: &'a [Param],
    ret: TypeId,
}

impl Display for Signature<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let params = list(self.params, |p, f| {
            write!(f, "{}: {}", Name(&p.name), TypeName(self.types, p.ty))?;
            match &p.default {
                Some(default) => write!(f, " = {}", Quoted(default)),
                None => Ok(()),
            }
        });
        write!(f, "({params}) -> {}", TypeName(self.types, self.ret))
    }
}

/// A type as the text form has it: as in the source, with a class quoted whose name could be taken for another type.
struct TypeName<'a>(&'a Types, TypeId);

impl Display for TypeName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, self.1, 0)
    }
}

impl TypeName<'_> {
    fn write(&self, f: &mut Formatter<'_>, ty: TypeId, depth: u32) -> fmt::Result {
        if depth > TYPE_DEPTH_MAX || !self.0.contains(ty) {
            // The verifier refuses such a type; until then it has some name.
            return write!(f, "{ty}");
        }
        let parts: &[TypeId] = match self.0.get(ty) {
            Type::Class(id) => {
                let name = &self.0.class(*id).name;
                return if is_type_word(name) { write!(f, "{}", Quoted(name)) } else { write!(f, "{}", Name(name)) };
            }
            Type::List(e) => {
                f.write_str("list")?;
                &[*e]
            }
            Type::Dict(k, v) => {
                f.write_str("dict")?;
                &[*k, *v]
            }
            Type::Queue(e) => {
                f.write_str("Queue")?;
                &[*e]
            }
            Type::Tuple(parts) => {
                f.write_str("tuple")?;
                parts
            }
            Type::TupleOf(e) => {
                f.write_str("tuple_of")?;
                &[*e]
            }
            Type::Set(e) => {
                f.write_str("set")?;
                &[*e]
            }
            Type::FrozenSet(e) => {
                f.write_str("frozenset")?;
                &[*e]
            }
            Type::Union(members) => {
                for (i, member) in members.iter().enumerate() {
                    f.write_str(if i > 0 { " | " } else { "" })?;
                    self.write(f, *member, depth + 1)?;
                }
                return Ok(());
            }
            Type::None | Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => {
                return f.write_str(&self.0.name(ty));
            }
            Type::Lock | Type::WaitGroup => return f.write_str(&self.0.name(ty)),
        };
        f.write_str("[")?;
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            self.write(f, *part, depth + 1)?;
        }
        f.write_str("]")
    }
}

/// Whether a word in the place of a type means something else than a class.
pub(crate) fn is_type_word(word: &str) -> bool {
    Types::fixed_named(word).is_some()
        || matches!(word, "list" | "dict" | "tuple" | "Queue" | "tuple_of" | "set" | "frozenset")
}

/// Whether a name can stand without quotes.
fn is_plain(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit() || c == '.')
}

/// A name, quoted if need be.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) { f.write_str(self.0) } else { write!(f, "{}", Quoted(self.0)) }
    }
}

/// A double, exactly: the shortest decimal that reads back the same, `inf`, `nan`, or a NaN of other bits by its bits.
struct FloatText(f64);

impl Display for FloatText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() && self.0.to_bits() != f64::NAN.to_bits() {
            write!(f, "nan({})", self.0.to_bits())
        } else if self.0.is_nan() {
            f.write_str("nan")
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

/// A constant as a literal.
pub(crate) struct Literal<'a>(pub(crate) &'a Constant);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Constant::Str(text) => write!(f, "{}", Quoted(text)),
            Constant::Bytes(bytes) => {
                f.write_str("b\"")?;
                for byte in bytes {
                    match byte {
                        b'"' => f.write_str("\\\"")?,
                        b'\\' => f.write_str("\\\\")?,
                        b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                        _ => write!(f, "\\x{byte:02x}")?,
                    }
                }
                f.write_str("\"")
            }
        }
    }
}

/// Text in quotes. What could not be seen, or would move what stands around it, is escaped.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                // Controls, zero-width and bidirectional marks. The list is fixed here, so that the text of a program
                // does not change with a newer Unicode.
                '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' => {
                    write!(f, "\\u{{{:x}}}", u32::from(c))?;
                }
                '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                    write!(f, "\\u{{{:x}}}", u32::from(c))?;
                }
                _ => f.write_char(c)?,
            }
        }
        f.write_str("\"")
    }
}

//! Calls of builtins, which come from the tables of the IR: by name, then by the first signature that fits, as the arguments
//! are or after the conversions that nobody writes. No builtin is known here by itself, but those that need more than a
//! signature: `print`, `bool`, `any` and `all`, `len` of a tuple, and the empty `list()` and `dict()`.

use super::body::Checker;
use super::expr::{int, op, seq, typed};
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::builtins::{Builtin, Spelling};
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::{Effect, Op, Operands, Produces, SYNC};
use deepslate_ir::pattern::{Bindings, Pattern};
use deepslate_ir::types::{self, Type, Types};

/// What Python spells as a call but the IR has as an instruction. Looked at before the builtins.
const INSTRUCTIONS: &[(Spelling, Op)] = &[
    (Spelling::Function("len"), Op::ListLen),
    (Spelling::Function("len"), Op::DictLen),
    (Spelling::Function("len"), Op::QueueLen),
    (Spelling::Function("float"), Op::IntToFloat),
    (Spelling::Function("int"), Op::FloatToInt),
    (Spelling::Function("int"), Op::BoolToInt),
    (Spelling::Method("append"), Op::ListPush),
    (Spelling::Method("get"), Op::QueueGet),
    (Spelling::Method("put"), Op::QueuePut),
    (Spelling::Method("qsize"), Op::QueueLen),
    (Spelling::Method("full"), Op::QueueFull),
    (Spelling::Method("close"), Op::QueueClose),
    (Spelling::Method("closed"), Op::QueueClosed),
    (Spelling::Method("acquire"), Op::LockAcquire),
    (Spelling::Method("release"), Op::LockRelease),
    (Spelling::Method("add"), Op::WaitGroupAdd),
    (Spelling::Method("wait"), Op::WaitGroupWait),
];

/// Whether Python takes a parameter by name only: of a method (which has a receiver) or of a function.
pub(super) fn by_name_only(name: &str, method: bool) -> bool {
    match name {
        "reverse" | "signed" | "rel_tol" | "abs_tol" => true,
        "default" => !method,
        _ => false,
    }
}

/// One way to read a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Candidate {
    Op(Op),
    Builtin(Builtin),
}

impl Candidate {
    pub fn params(self) -> &'static [(&'static str, Pattern)] {
        match self {
            Candidate::Op(code) => match code.operands() {
                Operands::Fixed(params) => params,
                _ => &[],
            },
            Candidate::Builtin(b) => b.params(),
        }
    }

    pub fn ret(self) -> Pattern {
        match self {
            Candidate::Op(code) => match code.produces() {
                Produces::One(pattern) => pattern,
                _ => deepslate_ir::pattern::NONE,
            },
            Candidate::Builtin(b) => b.ret(),
        }
    }

    pub fn effect(self) -> Effect {
        match self {
            Candidate::Op(code) => code.effect(),
            Candidate::Builtin(b) => b.effect(),
        }
    }

    /// Whether the task may wait in it.
    fn waits(self) -> bool {
        matches!(self, Candidate::Op(code) if code.stops())
    }
}

fn candidates(spelling: Spelling) -> Vec<Candidate> {
    let ops = INSTRUCTIONS.iter().filter(|(s, _)| *s == spelling).map(|(_, code)| Candidate::Op(*code));
    let builtins = Builtin::ALL.iter().filter(|b| b.python() == spelling).map(|b| Candidate::Builtin(*b));
    ops.chain(builtins).collect()
}

/// Whether Python code can call this name without importing it.
pub(super) fn is_builtin(name: &str) -> bool {
    functions().any(|f| f == name)
}

pub(super) fn functions() -> impl Iterator<Item = &'static str> {
    let of = |s: Spelling| match s {
        Spelling::Function(name) => Some(name),
        Spelling::Method(_) | Spelling::Syntax => None,
    };
    INSTRUCTIONS.iter().filter_map(move |(s, _)| of(*s)).chain(Builtin::ALL.iter().filter_map(move |b| of(b.python())))
}

/// The methods of values of a type.
pub(super) fn methods_of(types: &Types, ty: TypeId) -> Vec<&'static str> {
    let fits = |params: &[(&str, Pattern)]| {
        params.first().is_some_and(|(_, p)| p.matches(types, ty, &mut Bindings::default()))
    };
    let of = |s: Spelling| match s {
        Spelling::Method(name) => Some(name),
        Spelling::Function(_) | Spelling::Syntax => None,
    };
    let ops = INSTRUCTIONS.iter().filter(|(_, code)| fits(Candidate::Op(*code).params())).filter_map(|(s, _)| of(*s));
    let builtins = Builtin::ALL.iter().filter(|b| fits(b.params())).filter_map(|b| of(b.python()));
    let mut all: Vec<&'static str> = ops.chain(builtins).collect();
    if ty == types::WAIT_GROUP {
        all.push("done");
    }
    if matches!(types.get(ty), Type::Queue(_)) {
        all.extend(["empty", "receive"]);
    }
    all
}

impl Checker<'_, '_> {
    /// Calls a function that Python has without an import.
    pub fn call_builtin(
        &mut self,
        name: &str,
        of: &ast::Expr,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        if let Some(folded) = self.folded(name, arguments, want, span) {
            self.no_await(awaited, name, span);
            return folded;
        }
        if let Some(collection) = self.collection_call(name, arguments, want, span) {
            self.no_await(awaited, name, span);
            return collection;
        }
        match (name, arguments) {
            ("print", _) => {
                self.no_await(awaited, name, span);
                return self.print(arguments, span);
            }
            ("list" | "dict", []) => {
                let empty = if name == "list" { A::List(Vec::new()) } else { A::Dict(Vec::new()) };
                return self.expr(&ast::Expr { span, kind: empty }, want);
            }
            ("str", []) => return Some(typed(types::STR, span, ExprKind::Str(String::new()))),
            ("int", []) => return Some(int(0, span)),
            ("float", []) => return Some(typed(types::FLOAT, span, ExprKind::Float(0.0))),
            ("bool", [Argument { name: None, value }]) => {
                self.no_await(awaited, name, span);
                return self.condition(value);
            }
            ("any" | "all", [Argument { name: None, value: ast::Expr { kind: A::Comprehension(c), .. } }])
                if c.makes == ast::Makes::Generator =>
            {
                return self.any_or_all(c, name == "any", span);
            }
            ("len", [Argument { name: None, value }]) => {
                // The length of a tuple is known; every other one is asked of the value.
                let checked = self.expr(value, None)?;
                if let Type::Tuple(parts) = self.program.types.get(checked.ty) {
                    let count = int(parts.len() as i64, span);
                    let effect = crate::tree::Stmt { span, kind: crate::tree::StmtKind::Do(checked) };
                    return Some(seq(vec![effect], count));
                }
                self.no_await(awaited, name, span);
                if let Some(length) = self.own_call(&checked, "__len__", Vec::new(), span) {
                    return length;
                }
                return self.chosen(name, &candidates(Spelling::Function("len")), vec![checked], span);
            }
            ("str" | "repr", [Argument { name: None, value }]) => {
                self.no_await(awaited, name, span);
                let checked = self.expr(value, None)?;
                return if name == "str" { self.text_of(checked) } else { self.repr_of(checked) };
            }
            ("abs", [Argument { name: None, value }]) => {
                self.no_await(awaited, name, span);
                let checked = self.expr(value, None)?;
                if let Some(result) = self.own_call(&checked, "__abs__", Vec::new(), span) {
                    return result;
                }
                return self.chosen(name, &candidates(Spelling::Function("abs")), vec![checked], span);
            }
            _ => {}
        }
        let with_key = arguments.iter().any(|a| a.name.as_ref().is_some_and(|n| n.text == "key"));
        if with_key && ["sorted", "min", "max"].contains(&name) {
            self.no_await(awaited, name, span);
            return self.keyed(name, arguments, span);
        }
        let found = candidates_named(name);
        if !found.is_empty() {
            self.no_await(awaited, name, span);
            return self.overloaded(name, &found, None, arguments, span);
        }
        if name == "isinstance" {
            if let Some(known) = self.is_of_class(arguments, span) {
                return Some(known);
            }
            return self.isinstance(arguments, span);
        }
        if name != "map" && name != "filter" {
            arguments.iter().for_each(|a| {
                self.expr(&a.value, None);
            });
        }
        let later = [
            "isinstance",
            "iter",
            "next",
            "type",
            "hash",
            "id",
            "input",
            "open",
            "super",
            "getattr",
            "setattr",
            "hasattr",
            "object",
            "slice",
            "bytearray",
            "eval",
            "exec",
            "globals",
            "locals",
            "vars",
            "dir",
            "callable",
            "format_map",
        ];
        let report = match name {
            "input" | "open" => {
                let message = format!("`{name}` reaches outside of the flow");
                Diagnostic::error(Code::NotInFlows, of.span, message).help("use it in a function marked @impure")
            }
            "map" | "filter" => {
                let message = format!("a `{name}` can't be kept, since it would be used up by its first use");
                Diagnostic::error(Code::Unsupported, of.span, message).help(format!("make a list: list({name}(…))"))
            }
            _ if later.contains(&name) => {
                let message = format!("flows have no `{name}`");
                Diagnostic::error(Code::Unsupported, of.span, message)
                    .help("use it in a function marked @pure or @impure, and call that from the flow")
            }
            _ => {
                let known: Vec<&str> = functions().filter(|f| !f.contains('.')).collect();
                let report = self.program.unknown(name, of.span, known);
                match report.help.is_empty() {
                    true => report.help("define or import it at the top level of the file"),
                    false => report,
                }
            }
        };
        self.report(report);
        None
    }

    fn print(&mut self, arguments: &[Argument], span: Span) -> Option<Expr> {
        let starred = arguments.iter().any(|a| matches!(a.value.kind, A::Starred(_)));
        let mut separator = typed(types::STR, span, ExprKind::Str(" ".to_owned()));
        let mut stmts = Vec::new();
        let mut parts = Vec::new();
        for argument in arguments {
            // What is written before an option has its value before it.
            let constant = matches!(argument.value.kind, A::Str(_) | A::None | A::Bool(_));
            if argument.name.is_some() && !constant {
                let before = std::mem::take(&mut parts).into_iter();
                parts = before.map(|part: Option<Expr>| part.map(|part| self.keep(part, &mut stmts))).collect();
            }
            match &argument.name {
                None if starred => {}
                None => parts.push(self.expr(&argument.value, None).and_then(|v| self.text_of(v))),
                Some(name) if name.text == "sep" => {
                    let value = self.expr(&argument.value, Some(types::STR))?;
                    if value.ty == types::NONE {
                        continue;
                    }
                    let value = self.needed(value, types::STR, "argument `sep` of `print`")?;
                    separator = self.keep(value, &mut stmts);
                }
                // The log has lines, which are there at once.
                Some(name) if name.text == "flush" => {
                    let value = self.expr(&argument.value, Some(types::BOOL))?;
                    stmts.push(crate::tree::Stmt { span, kind: crate::tree::StmtKind::Do(value) });
                }
                Some(name)
                    if name.text == "end" && matches!(&argument.value.kind, A::Str(text) if text == "\n")
                        || matches!(argument.value.kind, A::None) && matches!(&*name.text, "end" | "file") => {}
                Some(name) => {
                    let message = format!("`print` of flows has no `{}`: it writes a line to the log", name.text);
                    return self.fail(Code::ArgumentName, name.span, message);
                }
            }
        }
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        let text = match starred {
            true => self.print_all(arguments, separator, span)?,
            false => match &separator.kind {
                ExprKind::Str(separator) => self.joined(parts, separator, span)?,
                _ => {
                    let list = self.program.types.intern(Type::List(types::STR));
                    let parts = op(Op::ListNew, parts, list, span);
                    self.syntax("str_join", vec![separator, parts], span)?
                }
            },
        };
        let printed = self.chosen("print", &candidates(Spelling::Function("print")), vec![text], span)?;
        Some(seq(stmts, printed))
    }

    /// The text that `str(value)` makes.
    pub fn text_of(&mut self, value: Expr) -> Option<Expr> {
        if value.ty == types::STR {
            return Some(value);
        }
        if let Some(text) = self.own_text(&value, false) {
            return text;
        }
        let span = value.span;
        self.chosen("str", &candidates(Spelling::Function("str")), vec![value], span)
    }

    /// A builtin function on checked arguments.
    pub fn called(&mut self, name: &'static str, args: Vec<Expr>, span: Span) -> Option<Expr> {
        self.chosen(name, &candidates(Spelling::Function(name)), args, span)
    }

    /// The length that `len(value)` gives.
    pub fn length_of(&mut self, value: Expr) -> Option<Expr> {
        let span = value.span;
        self.chosen("len", &candidates(Spelling::Function("len")), vec![value], span)
    }

    pub fn call_method(
        &mut self,
        of: &ast::Expr,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        if name.text == "format" && matches!(of.kind, A::Str(_)) {
            self.no_await(awaited, "format", span);
            return self.format_method(of, arguments, span);
        }
        let Some(receiver) = self.expr(of, None) else {
            arguments.iter().for_each(|a| {
                self.expr(&a.value, None);
            });
            return None;
        };
        self.call_method_on(of, receiver, name, arguments, span, awaited)
    }

    /// A method of a value; of a union's, where all members have it.
    fn call_method_on(
        &mut self,
        of: &ast::Expr,
        receiver: Expr,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        if self.is_union(receiver.ty) {
            let what = format!("`.{}(…)`", name.text);
            return self.for_each_member(receiver, span, &what, |c, receiver| {
                c.call_method_on(of, receiver, name, arguments, span, awaited)
            });
        }
        if let Some(found) = self.optional_get(&receiver, name, arguments, span) {
            self.no_await(awaited, "get", span);
            return found;
        }
        if let Some(class) = self.program.class_of(receiver.ty) {
            if let Some(method) = self.program.classes[class].method(&name.text).cloned() {
                if method.kind == super::classes::MethodKind::Property {
                    let message = format!("`{}` is a property, and not called", name.text);
                    return self.fail(Code::NotCallable, name.span, message);
                }
                return self.call_method_of(&method, receiver, arguments, span, awaited);
            }
            if self.program.classes[class].members.is_some() {
                let value = self.unmixed(receiver.clone());
                if value.ty != receiver.ty {
                    let found = self.methods(&value, name)?;
                    return self.overloaded(&name.text, &found, Some(value), arguments, span);
                }
            }
            if name.text == "_replace" && self.program.classes[class].kind == super::classes::ClassKind::Named {
                return self.replaced(receiver, arguments, span);
            }
        }
        if name.text == "sort"
            && matches!(self.program.types.get(receiver.ty), Type::List(_))
            && arguments.iter().any(|a| a.name.as_ref().is_some_and(|n| n.text == "key"))
        {
            self.no_await(awaited, "sort", span);
            return self.sort_by(receiver, arguments, span);
        }
        if name.text == "empty" && matches!(self.program.types.get(receiver.ty), Type::Queue(_)) {
            self.acts("empty", SYNC, span);
            self.no_await(awaited, "empty", span);
            self.arguments("empty", &[], arguments, span)?;
            let length = op(Op::QueueLen, vec![receiver], types::INT, span);
            return Some(op(Op::Ieq, vec![length, int(0, span)], types::BOOL, span));
        }
        if let ("receive", Type::Queue(element)) = (name.text.as_str(), self.program.types.get(receiver.ty)) {
            let element = *element;
            self.must_be_awaited(&name.text, awaited, span);
            return self.receive(receiver, element, arguments, span);
        }
        if let (types::STR, "format") = (receiver.ty, name.text.as_str()) {
            return self.format_method(of, arguments, span);
        }
        // `count` and `index` look at the parts of a tuple one by one, whatever its length.
        let receiver = match self.program.types.get(receiver.ty) {
            Type::Tuple(parts) if matches!(name.text.as_str(), "count" | "index") => {
                let parts = parts.clone();
                self.any_length(receiver, &parts)?
            }
            _ => receiver,
        };
        let receiver = match self.special_method(receiver, name, arguments, span) {
            Ok(made) => return made,
            Err(receiver) => receiver,
        };
        let found = self.methods(&receiver, name)?;
        if name.text == "done" && receiver.ty == types::WAIT_GROUP {
            self.acts("done", SYNC, span);
            self.arguments("done", &[], arguments, span)?;
            return Some(op(Op::WaitGroupAdd, vec![receiver, int(-1, span)], types::NONE, span));
        }
        if found.iter().any(|c| c.waits()) {
            self.must_be_awaited(&name.text, awaited, span);
        } else if !found.iter().all(|c| c.effect().has(SYNC)) {
            self.no_await(awaited, &name.text, span);
        }
        if found.iter().all(|c| c.effect().has(SYNC)) {
            self.acts(&name.text, SYNC, span);
        }
        self.overloaded(&name.text, &found, Some(receiver), arguments, span)
    }

    fn must_be_awaited(&mut self, name: &str, awaited: bool, span: Span) {
        if !awaited {
            let message = format!("`{name}` waits, and must be awaited");
            let report = Diagnostic::error(Code::MissingAwait, span, message);
            let text: String = self.program.sources.text(span).lines().next().unwrap_or("").chars().take(80).collect();
            self.report(report.help(format!("await {text}")));
        }
    }

    /// A method of a checked value on checked arguments.
    pub fn method(&mut self, receiver: Expr, name: &ast::Name, arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        let found = self.methods(&receiver, name)?;
        let args = std::iter::once(receiver).chain(arguments).collect();
        self.chosen(&name.text, &found, args, span)
    }

    pub fn methods(&mut self, receiver: &Expr, name: &ast::Name) -> Option<Vec<Candidate>> {
        let all = candidates_method(&name.text);
        let types = &self.program.types;
        let found: Vec<Candidate> = all
            .into_iter()
            .filter(|c| {
                c.params().first().is_some_and(|(_, p)| p.matches(types, receiver.ty, &mut Bindings::default()))
            })
            .collect();
        if !found.is_empty() || (name.text == "done" && receiver.ty == types::WAIT_GROUP) {
            return Some(found);
        }
        let of = self.name(receiver.ty);
        if let Type::Class(_) = self.program.types.get(receiver.ty) {
            let known = self.members_of(receiver.ty);
            let message = format!("`{of}` has no method `{}`", name.text);
            let report = Diagnostic::error(Code::UnknownMember, name.span, message);
            let near = nearest(&name.text, known.iter().map(String::as_str)).map(str::to_owned);
            self.report(match near {
                Some(near) => report.help(format!("did you mean `{near}`?")),
                None => report,
            });
            return None;
        }
        let report = Diagnostic::error(Code::UnknownMember, name.span, format!("{of} has no method `{}`", name.text));
        let near = nearest(&name.text, methods_of(&self.program.types, receiver.ty));
        self.report(match near {
            Some(near) => report.help(format!("did you mean `{near}`?")),
            None => report,
        });
        None
    }

    /// A builtin that Python spells by an operator or other syntax.
    pub fn syntax(&mut self, text: &str, args: Vec<Expr>, span: Span) -> Option<Expr> {
        match Builtin::from_text(text) {
            Some(builtin) => self.chosen(text, &[Candidate::Builtin(builtin)], args, span),
            None => self.fail(Code::Internal, span, format!("the builtin `{text}` is missing")),
        }
    }
}

pub(super) fn candidates_named(name: &str) -> Vec<Candidate> {
    match functions().find(|f| *f == name) {
        Some(name) => candidates(Spelling::Function(name)),
        None => Vec::new(),
    }
}

pub(super) fn candidates_method(name: &str) -> Vec<Candidate> {
    let ops = INSTRUCTIONS.iter().filter(|(s, _)| matches!(s, Spelling::Method(n) if *n == name));
    let builtins = Builtin::ALL.iter().filter(|b| matches!(b.python(), Spelling::Method(n) if n == name));
    ops.map(|(_, code)| Candidate::Op(*code)).chain(builtins.map(|b| Candidate::Builtin(*b))).collect()
}

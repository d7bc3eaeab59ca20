//! Reads the text form back. Hand-written and forgiving in form (spaces, comments after `;`, types and constants that are
//! used before any line lists them), so that people can write it too; strict in substance: whatever it accepts is a
//! module with every number as the text says, for the verifier to judge.
//!
//! It never panics and needs time and memory in proportion to the text, which may be hostile.

pub(crate) mod lex;

use crate::builtins::Builtin;
use crate::entity::{Block, ClassId, ConstId, FuncId, HostId, Inst, StopId, TypeId, Value};
use crate::enums::{Enum, Member, MemberValue};
use crate::limits::{IMAGE_BYTES_MAX, TYPE_DEPTH_MAX};
use crate::module::{
    BlockData, Case, Constant, Func, FuncKind, Host, Imm, InstData, Listed, Module, Param, Purity, SourceFile, Span,
    Stop, Target,
};
use crate::ops::{ImmKind, Op};
use crate::print::{MAGIC, VERSION, is_type_word};
use crate::trap::TrapKind;
use crate::types::{Class, Field, Type, Types};
use lex::{Lexer, Place, Token};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt;

/// Why a text is no module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// The version of the text form that a text says it has; `None` where it is no such text at all.
pub fn version(text: &str) -> Option<u32> {
    let mut lexer = Lexer::new(text);
    match (lexer.next().ok()?.0, lexer.next().ok()?.0) {
        (Token::Word(MAGIC_START), Token::Sign('-')) => match (lexer.next().ok()?.0, lexer.next().ok()?.0) {
            (Token::Word(MAGIC_END), Token::Number(number)) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

// A dash is no part of a word of the text form but for its first one.
const MAGIC_START: &str = "deepslate";
const MAGIC_END: &str = "ir";

/// Reads a module. It is not verified.
pub fn parse(text: &str) -> Result<Module, ParseError> {
    let mut lexer = Lexer::new(text);
    if text.len() > IMAGE_BYTES_MAX {
        let (_, place) = lexer.next()?;
        return Err(lexer.error(place, format!("{} bytes are more than {IMAGE_BYTES_MAX}", text.len())));
    }
    let first = lexer.next()?;
    let mut parser = Parser {
        lexer,
        token: first.0,
        place: first.1,
        last_line: 0,
        module: Module::default(),
        class_names: HashMap::new(),
        host_names: HashMap::new(),
        calls: Vec::new(),
    };
    parser.module()?;
    Ok(parser.module)
}

/// A call of a function by name, whose number is known only at the end.
struct NamedCall {
    func: usize,
    inst: Inst,
    name: String,
    place: Place,
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token<'a>,
    place: Place,
    /// The line of the word before `token`: an instruction's operands stand on its line.
    last_line: u32,
    module: Module,
    class_names: HashMap<String, ClassId>,
    host_names: HashMap<String, HostId>,
    calls: Vec<NamedCall>,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    fn error<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(self.lexer.error(self.place, message))
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        self.error(format!("expected {what}, found {}", self.token.describe()))
    }

    fn advance(&mut self) -> Parsed<Token<'a>> {
        let (token, place) = self.lexer.next()?;
        self.last_line = self.place.line;
        self.place = place;
        Ok(std::mem::replace(&mut self.token, token))
    }

    /// Whether the next word stands on the line of the last one.
    fn same_line(&self) -> bool {
        self.place.line == self.last_line
    }

    fn is_sign(&self, sign: char) -> bool {
        self.token == Token::Sign(sign)
    }

    fn is_word(&self, word: &str) -> bool {
        self.token == Token::Word(word)
    }

    fn take_sign(&mut self, sign: char) -> Parsed<bool> {
        let is = self.is_sign(sign);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn take_word(&mut self, word: &str) -> Parsed<bool> {
        let is = self.is_word(word);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn sign(&mut self, sign: char) -> Parsed<()> {
        if self.take_sign(sign)? { Ok(()) } else { self.expected(&format!("`{sign}`")) }
    }

    fn word(&mut self, what: &str) -> Parsed<&'a str> {
        match self.token {
            Token::Word(word) => {
                self.advance()?;
                Ok(word)
            }
            _ => self.expected(what),
        }
    }

    /// A name, in quotes or not.
    fn name(&mut self, what: &str) -> Parsed<String> {
        match &self.token {
            Token::Word(word) => {
                let name = (*word).to_owned();
                self.advance()?;
                Ok(name)
            }
            Token::Text(_) => self.text(what),
            _ => self.expected(what),
        }
    }

    fn text(&mut self, what: &str) -> Parsed<String> {
        match &self.token {
            Token::Text(text) => {
                let text = text.clone().into_owned();
                self.advance()?;
                Ok(text)
            }
            _ => self.expected(what),
        }
    }

    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Parsed<T> {
        let number = match self.token {
            Token::Number(number) => number.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => {
                self.advance()?;
                Ok(number)
            }
            None => self.expected(what),
        }
    }

    /// The number of a line of a table, which counts up.
    fn next_number(&mut self, wanted: usize) -> Parsed<()> {
        let place = self.place;
        let number: usize = self.number("a number")?;
        if number == wanted {
            Ok(())
        } else {
            Err(self.lexer.error(place, format!("this is number {wanted}, not {number}")))
        }
    }

    /// `prefix` and a number in one word, such as `v3`.
    fn numbered(word: &str, prefix: &str) -> Option<u32> {
        let digits = word.strip_prefix(prefix)?;
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_| plain && (digits == "0" || !digits.starts_with('0')))
    }

    fn value(&mut self) -> Parsed<Value> {
        match self.token {
            Token::Word(word) => match Self::numbered(word, "v") {
                Some(number) => {
                    self.advance()?;
                    Ok(Value(number))
                }
                None => self.expected("a value"),
            },
            _ => self.expected("a value"),
        }
    }

    /// `open item, item, … close`, an empty list too.
    fn list<T>(&mut self, open: char, close: char, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.sign(open)?;
        let mut items = Vec::new();
        while !self.take_sign(close)? {
            if !items.is_empty() {
                self.sign(',')?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn module(&mut self) -> Parsed<()> {
        let header = self.place;
        if !(self.take_word(MAGIC_START)? && self.take_sign('-')? && self.take_word(MAGIC_END)?) {
            return Err(self.lexer.error(header, format!("a program begins with `{MAGIC} {VERSION}`")));
        }
        let place = self.place;
        let version: u32 = self.number("the version of the form")?;
        if version == 0 || version > VERSION {
            let message = format!("this build reads the form up to version {VERSION}, this is version {version}");
            return Err(self.lexer.error(place, message));
        }
        // Classes name types and types name classes: the fields are read once all classes are there.
        let mut fields: Vec<Lexer<'a>> = Vec::new();
        loop {
            match self.token {
                Token::Word("file") => self.file()?,
                Token::Word("class") => fields.push(self.class_head()?),
                _ => break,
            }
        }
        loop {
            match self.token {
                Token::Word("type") => self.type_line()?,
                Token::Word("const") => self.const_line()?,
                Token::Word("host") => self.host_line()?,
                Token::Word("flow" | "func") => self.func()?,
                Token::End => break,
                _ => return self.expected("`type`, `const`, `host`, `flow`, `func` or the end"),
            }
        }
        for (index, lexer) in fields.into_iter().enumerate() {
            self.lexer = lexer;
            self.token = Token::Sign('{');
            let fields = self.list('{', '}', |p| p.typed())?;
            let class = self.module.types.class_mut(ClassId::from_index(index));
            class.fields = fields.into_iter().map(|(name, ty)| Field { name, ty }).collect();
        }
        self.resolve_calls()
    }

    fn file(&mut self) -> Parsed<()> {
        self.advance()?;
        self.next_number(self.module.files.len())?;
        let path = self.text("the file's path in quotes")?;
        let first_line = self.number("the number of its first line")?;
        let text = self.text("its text in quotes")?;
        self.module.files.push(SourceFile { path, first_line, text });
        Ok(())
    }

    /// A class but for its fields; gives the place where they begin.
    fn class_head(&mut self) -> Parsed<Lexer<'a>> {
        self.advance()?;
        self.next_number(self.module.types.classes().len())?;
        let place = self.place;
        let name = self.name("the class's name")?;
        let frozen = self.take_word("frozen")?;
        if !self.is_sign('{') {
            return self.expected("`{`");
        }
        let fields = self.lexer;
        while !self.is_sign('}') {
            if self.token == Token::End {
                return self.expected("`}`");
            }
            self.advance()?;
        }
        self.advance()?;
        let id = self.module.types.add_class(Class { name: name.clone(), fields: Vec::new(), frozen });
        if self.class_names.insert(name.clone(), id).is_some() {
            return Err(self.lexer.error(place, format!("class {name} is defined twice")));
        }
        if self.take_word("enum")? {
            let shows_value = match self.word("`name` or `value`")? {
                "value" => true,
                "name" => false,
                _ => return self.expected("`name` or `value`"),
            };
            let members = self.list('{', '}', |p| {
                let name = p.text("the member's name in quotes")?;
                let value = match p.token {
                    Token::Text(_) => MemberValue::Str(p.text("the member's value")?),
                    _ => MemberValue::Int(p.number("the member's value")?),
                };
                Ok(Member { name, value })
            })?;
            self.module.types.set_enumeration(id, Enum { shows_value, members });
        }
        Ok(fields)
    }

    fn type_line(&mut self) -> Parsed<()> {
        self.advance()?;
        let place = self.place;
        let number: usize = self.number("a number")?;
        let ty = self.ty()?;
        if ty.index() == number {
            Ok(())
        } else {
            Err(self.lexer.error(place, format!("this is type {}, not {number}", ty.0)))
        }
    }

    fn const_line(&mut self) -> Parsed<()> {
        self.advance()?;
        self.next_number(self.module.consts.len())?;
        let place = self.place;
        let count = self.module.consts.len();
        self.literal()?;
        if self.module.consts.len() == count {
            return Err(self.lexer.error(place, "this constant is there already"));
        }
        Ok(())
    }

    fn literal(&mut self) -> Parsed<ConstId> {
        let constant = match self.advance()? {
            Token::Text(text) => Constant::Str(text.into_owned()),
            Token::Bytes(bytes) => Constant::Bytes(bytes),
            other => return self.error(format!("expected text or bytes in quotes, found {}", other.describe())),
        };
        Ok(self.module.intern(constant))
    }

    fn host_line(&mut self) -> Parsed<()> {
        self.advance()?;
        self.next_number(self.module.hosts.len())?;
        let purity = match self.word("`pure` or `impure`")? {
            "pure" => Purity::Pure,
            "impure" => Purity::Impure,
            _ => return self.error("a host function is `pure` or `impure`"),
        };
        let name = self.name("the host function's name")?;
        let (params, ret) = self.signature()?;
        self.host_names.entry(name.clone()).or_insert(HostId::from_index(self.module.hosts.len()));
        self.module.hosts.push(Host { name, params, ret, purity });
        Ok(())
    }

    fn typed(&mut self) -> Parsed<(String, TypeId)> {
        let name = self.name("a name")?;
        self.sign(':')?;
        Ok((name, self.ty()?))
    }

    fn signature(&mut self) -> Parsed<(Vec<Param>, TypeId)> {
        let params = self.list('(', ')', |p| {
            let (name, ty) = p.typed()?;
            let default = if p.take_sign('=')? { Some(p.text("the default as JSON in quotes")?) } else { None };
            Ok(Param { name, ty, default })
        })?;
        if self.token != Token::Arrow {
            return self.expected("`->`");
        }
        self.advance()?;
        Ok((params, self.ty()?))
    }

    fn ty(&mut self) -> Parsed<TypeId> {
        self.ty_within(1)
    }

    /// A type, or several as a union.
    fn ty_within(&mut self, depth: u32) -> Parsed<TypeId> {
        let first = self.member_within(depth)?;
        if !self.is_sign('|') {
            return Ok(first);
        }
        let mut members = vec![first];
        while self.take_sign('|')? {
            members.push(self.member_within(depth)?);
        }
        Ok(self.module.types.union(&members))
    }

    fn member_within(&mut self, depth: u32) -> Parsed<TypeId> {
        if depth > TYPE_DEPTH_MAX {
            return self.error(format!("types nest at most {TYPE_DEPTH_MAX} deep"));
        }
        let place = self.place;
        let quoted = matches!(self.token, Token::Text(_));
        let name = self.name("a type")?;
        if quoted || !is_type_word(&name) {
            return match self.class_names.get(&name) {
                Some(id) => Ok(self.module.types.intern(Type::Class(*id))),
                None => Err(self.lexer.error(place, format!("no class {name}"))),
            };
        }
        if let Some(fixed) = Types::fixed_named(&name) {
            return Ok(fixed);
        }
        let parts = self.list('[', ']', |p| p.ty_within(depth + 1))?;
        let ty = match (name.as_str(), &parts[..]) {
            ("list", [e]) => Type::List(*e),
            ("dict", [k, v]) => Type::Dict(*k, *v),
            ("Queue", [e]) => Type::Queue(*e),
            ("tuple", _) => Type::Tuple(parts),
            ("tuple_of", [e]) => Type::TupleOf(*e),
            ("set", [e]) => Type::Set(*e),
            ("frozenset", [e]) => Type::FrozenSet(*e),
            _ => return Err(self.lexer.error(place, format!("{name} does not take {} types", parts.len()))),
        };
        Ok(self.module.types.intern(ty))
    }

    fn span(&mut self, before: Span) -> Parsed<Span> {
        if !self.take_sign('@')? {
            return Ok(before);
        }
        let file = self.number("the file's number")?;
        self.sign(':')?;
        let line = self.number("a line")?;
        self.sign(':')?;
        let column = self.number("a column")?;
        Ok(Span { file, line, column })
    }

    fn func(&mut self) -> Parsed<()> {
        let kind = if self.is_word("flow") { FuncKind::Flow } else { FuncKind::Plain };
        self.advance()?;
        let name = self.name("the function's name")?;
        let (params, ret) = self.signature()?;
        let span = self.span(Span::NOWHERE)?;
        let mut body = Body {
            func: Func {
                name,
                kind,
                params,
                ret,
                blocks: Vec::new(),
                insts: Vec::new(),
                values: Vec::new(),
                stops: Vec::new(),
                span,
            },
            defined: Vec::new(),
            stops: Vec::new(),
        };
        let open = self.place;
        self.sign('{')?;
        let mut span = span;
        while !self.is_sign('}') {
            match self.token {
                Token::Word(word) if Self::numbered(word, "block").is_some() => self.block_head(&mut body)?,
                Token::End => return self.expected("`}`"),
                _ if body.func.blocks.is_empty() => return self.expected("`block0`"),
                _ => self.inst(&mut body, &mut span)?,
            }
        }
        self.advance()?;
        let func = body.finish().map_err(|m| self.lexer.error(open, m))?;
        self.module.funcs.push(func);
        Ok(())
    }

    fn block_head(&mut self, body: &mut Body) -> Parsed<()> {
        let wanted = Block::from_index(body.func.blocks.len());
        if !self.is_word(&wanted.to_string()) {
            return self.expected(&format!("`{wanted}`"));
        }
        self.advance()?;
        let mut block = BlockData::default();
        if self.is_sign('(') {
            block.params = self.list('(', ')', |p| {
                let value = p.value()?;
                p.sign(':')?;
                body.defined.push((value, p.ty()?));
                Ok(value)
            })?;
        }
        self.sign(':')?;
        body.func.blocks.push(block);
        Ok(())
    }

    fn inst(&mut self, body: &mut Body, span: &mut Span) -> Parsed<()> {
        let mut result = None;
        if let Token::Word(word) = self.token
            && Self::numbered(word, "v").is_some()
        {
            let value = self.value()?;
            self.sign(':')?;
            body.defined.push((value, self.ty()?));
            self.sign('=')?;
            result = Some(value);
        }
        let place = self.place;
        let name = self.word("an instruction")?;
        let Some(op) = Op::from_text(name) else {
            return Err(self.lexer.error(place, format!("this build does not know the instruction `{name}`")));
        };
        let id = Inst::from_index(body.func.insts.len());
        let mut inst = InstData {
            op,
            args: SmallVec::new(),
            imm: Imm::No,
            targets: Vec::new(),
            result,
            stop: None,
            span: Span::NOWHERE,
        };
        self.operands(&mut inst, id)?;
        if self.take_sign('!')? {
            let number: u32 = self.number("the stop's number")?;
            let values = self.list('[', ']', |p| p.listed())?;
            body.stops.push((number, Stop { inst: id, values }));
            inst.stop = Some(StopId(number));
        }
        *span = self.span(*span)?;
        inst.span = *span;
        body.func.insts.push(inst);
        if let Some(block) = body.func.blocks.last_mut() {
            block.insts.push(id);
        }
        Ok(())
    }

    fn listed(&mut self) -> Parsed<Listed> {
        if let Token::Word(word) = self.token
            && let Some(number) = Self::numbered(word, "v")
        {
            self.advance()?;
            if !self.take_sign('=')? {
                return Ok(Listed { value: Value(number), name: None });
            }
            return Ok(Listed { value: self.value()?, name: Some(word.to_owned()) });
        }
        let name = self.name("a value or a variable's name")?;
        self.sign('=')?;
        Ok(Listed { value: self.value()?, name: Some(name) })
    }

    fn operands(&mut self, inst: &mut InstData, id: Inst) -> Parsed<()> {
        let place = self.place;
        match inst.op.imm() {
            ImmKind::No => {}
            ImmKind::Int => inst.imm = Imm::Int(self.number("an integer of 64 bits")?),
            ImmKind::Float => inst.imm = Imm::Float(self.float()?),
            ImmKind::Bool => {
                inst.imm = Imm::Bool(match self.word("`true` or `false`")? {
                    "true" => true,
                    "false" => false,
                    word => return Err(self.lexer.error(place, format!("expected `true` or `false`, found `{word}`"))),
                });
            }
            ImmKind::Const => inst.imm = Imm::Const(self.constant()?),
            ImmKind::Func => {
                let name = self.name("a function's name")?;
                self.calls.push(NamedCall { func: self.module.funcs.len(), inst: id, name, place });
            }
            ImmKind::Host => {
                let name = self.name("a host function's name")?;
                match self.host_names.get(&name) {
                    Some(host) => inst.imm = Imm::Host(*host),
                    None => return Err(self.lexer.error(place, format!("no host function {name}"))),
                }
            }
            ImmKind::Builtin => {
                let name = self.word("a builtin's name")?;
                match Builtin::from_text(name) {
                    Some(builtin) => inst.imm = Imm::Builtin(builtin),
                    None => {
                        return Err(self.lexer.error(place, format!("this build does not know the builtin `{name}`")));
                    }
                }
            }
            ImmKind::Slot => {
                self.sign('.')?;
                inst.imm = Imm::Slot(self.number("the number of a slot")?);
            }
            ImmKind::Trap => match TrapKind::from_name(self.word("a kind of trap")?) {
                Some(kind) => inst.imm = Imm::Trap(kind),
                None => return Err(self.lexer.error(place, "no such kind of trap")),
            },
            ImmKind::Cases => return self.cases(inst),
            ImmKind::Type => inst.imm = Imm::Type(self.ty()?),
        }
        if matches!(inst.op.imm(), ImmKind::Func | ImmKind::Host | ImmKind::Builtin) {
            inst.args = self.list('(', ')', Self::value)?.into();
            return Ok(());
        }
        let starts = |word: &str| Self::numbered(word, "v").is_some() || Self::numbered(word, "block").is_some();
        let mut more = self.same_line() && matches!(self.token, Token::Word(word) if starts(word));
        while more {
            match self.token {
                Token::Word(word) if Self::numbered(word, "block").is_some() => {
                    let target = self.target()?;
                    inst.targets.push(target);
                }
                _ if inst.targets.is_empty() => inst.args.push(self.value()?),
                _ => return self.expected("a block"),
            }
            more = self.take_sign(',')?;
        }
        Ok(())
    }

    fn target(&mut self) -> Parsed<Target> {
        let block = match self.token {
            Token::Word(word) => Self::numbered(word, "block"),
            _ => None,
        };
        let Some(block) = block else { return self.expected("a block") };
        self.advance()?;
        let args = if self.is_sign('(') { self.list('(', ')', Self::value)? } else { Vec::new() };
        Ok(Target { block: Block(block), args })
    }

    fn cases(&mut self, inst: &mut InstData) -> Parsed<()> {
        let cases = self.list('[', ']', |p| {
            let place = p.place;
            let case = match p.word("`get`, `receive`, `put` or `default`")? {
                "get" => {
                    inst.args.push(p.value()?);
                    Case::Get
                }
                "put" => {
                    inst.args.push(p.value()?);
                    p.sign(',')?;
                    inst.args.push(p.value()?);
                    Case::Put
                }
                "default" => Case::Default,
                "receive" => {
                    inst.args.push(p.value()?);
                    Case::Receive
                }
                _ => return Err(p.lexer.error(place, "a case is `get`, `receive`, `put` or `default`")),
            };
            if p.token != Token::Arrow {
                return p.expected("`->`");
            }
            p.advance()?;
            inst.targets.push(p.target()?);
            Ok(case)
        })?;
        inst.imm = Imm::Cases(cases);
        Ok(())
    }

    fn constant(&mut self) -> Parsed<ConstId> {
        if let Token::Word(word) = self.token
            && let Some(number) = Self::numbered(word, "const")
        {
            if number as usize >= self.module.consts.len() {
                return self.error(format!("no constant {number}"));
            }
            self.advance()?;
            return Ok(ConstId(number));
        }
        match self.token {
            Token::Text(_) | Token::Bytes(_) => self.literal(),
            _ => self.expected("a constant"),
        }
    }

    fn float(&mut self) -> Parsed<f64> {
        let negative = self.take_sign('-')?;
        let magnitude = match self.token {
            Token::Number(number) if !negative => number.parse().ok(),
            Token::Word("inf") => Some(f64::INFINITY),
            Token::Word("nan") if !negative => {
                self.advance()?;
                if !self.take_sign('(')? {
                    return Ok(f64::NAN);
                }
                let place = self.place;
                let value = f64::from_bits(self.number("the bits of a NaN")?);
                self.sign(')')?;
                return if value.is_nan() { Ok(value) } else { Err(self.lexer.error(place, "not the bits of a NaN")) };
            }
            _ => None,
        };
        match magnitude {
            Some(value) => {
                self.advance()?;
                Ok(if negative { -value } else { value })
            }
            None => self.expected("a float"),
        }
    }

    fn resolve_calls(&mut self) -> Parsed<()> {
        let mut names = HashMap::new();
        for (index, func) in self.module.funcs.iter().enumerate() {
            names.entry(func.name.clone()).or_insert(FuncId::from_index(index));
        }
        for call in std::mem::take(&mut self.calls) {
            match names.get(&call.name) {
                Some(id) => self.module.funcs[call.func].insts[call.inst.index()].imm = Imm::Func(*id),
                None => return Err(self.lexer.error(call.place, format!("no function {}", call.name))),
            }
        }
        Ok(())
    }
}

/// A function under way.
struct Body {
    func: Func,
    /// Values as the text defines them, in any order.
    defined: Vec<(Value, TypeId)>,
    /// Stops as they stand, in any order.
    stops: Vec<(u32, Stop)>,
}

impl Body {
    /// Puts values and stops under their numbers, which must leave no gap: so no number can cost more than its text.
    fn finish(mut self) -> Result<Func, String> {
        let mut values = vec![None; self.defined.len()];
        for (value, ty) in &self.defined {
            match values.get_mut(value.index()) {
                Some(slot @ None) => *slot = Some(*ty),
                Some(Some(_)) => return Err(format!("{}: {value} is defined twice", self.func.name)),
                None => return Err(format!("{}: {value} is numbered too high", self.func.name)),
            }
        }
        self.func.values = values.into_iter().flatten().collect();
        let mut stops: Vec<Option<Stop>> = self.stops.iter().map(|_| None).collect();
        for (number, stop) in self.stops {
            match stops.get_mut(number as usize) {
                Some(slot @ None) => *slot = Some(stop),
                Some(Some(_)) => return Err(format!("{}: stop {number} is there twice", self.func.name)),
                None => return Err(format!("{}: stop {number} is numbered too high", self.func.name)),
            }
        }
        self.func.stops = stops.into_iter().flatten().collect();
        Ok(self.func)
    }
}

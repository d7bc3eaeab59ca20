//! Tests in files: IR text with comments that say what must come of it. The evaluator here, the VM and the JIT run the same
//! files, so that reading them is in one place.
//!
//! ```text
//! ; run: @f(1, [2.5]) == 3
//! ; run: @f(0) traps division
//! ; run: @g() traps value "the exact message"
//! ; run: @h("x") == None logs "one line", "another"
//! ; host: price("apple") == 3
//! ; host: price("pear") traps host "sold out"
//! ```
//!
//! Values are written as in Python, objects as `Point(1, 2)`. A `host` line answers every call of that host function with
//! those arguments, pure or impure. Stops may be left out of the text: each is then made with what lives on after it.

use crate::datum::Datum;
use crate::entity::{Inst, StopId};
use crate::liveness;
use crate::module::{Func, Host, Module, Stop};
use crate::parse::lex::{Lexer, Token};
use crate::parse::{ParseError, parse};
use crate::trap::{Fault, TrapKind};
use std::fmt;

/// What must come of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// This value.
    Value(Datum),
    /// A trap of this kind, and with this message if one is given.
    Trap(TrapKind, Option<String>),
}

/// A `run` line.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLine {
    /// Its line in the file, from 1.
    pub line: u32,
    /// The function.
    pub func: String,
    /// Its arguments.
    pub args: Vec<Datum>,
    /// What must come of it.
    pub expected: Expected,
    /// The lines that it must log, if the test says.
    pub log: Option<Vec<String>>,
}

/// A `host` line.
#[derive(Clone, Debug, PartialEq)]
pub struct HostLine {
    /// The host function.
    pub name: String,
    /// The arguments that it answers to.
    pub args: Vec<Datum>,
    /// The answer.
    pub answer: Result<Datum, Fault>,
}

/// A file of `ir/filetests/run`.
#[derive(Clone, Debug)]
pub struct RunFile {
    /// The program, with all its stops; not verified.
    pub module: Module,
    /// What to run.
    pub runs: Vec<RunLine>,
    /// What host functions answer.
    pub hosts: Vec<HostLine>,
}

/// A mistake in a test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError(pub ParseError);

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for FileError {}

impl RunFile {
    /// Reads a file.
    pub fn read(text: &str) -> Result<RunFile, FileError> {
        let mut module = parse(text).map_err(FileError)?;
        module.funcs.iter_mut().for_each(complete_stops);
        let mut file = RunFile { module, runs: Vec::new(), hosts: Vec::new() };
        for (number, line, rest) in directives(text) {
            let mut reader = Reader::new(number, rest)?;
            match line {
                "run" => file.runs.push(reader.run_line()?),
                "host" => file.hosts.push(reader.host_line()?),
                _ => {}
            }
        }
        Ok(file)
    }

    /// What a host function answers.
    pub fn answer(&self, host: &Host, args: &[Datum]) -> Result<Datum, Fault> {
        let fits = |l: &&HostLine| l.name == host.name && l.args.len() == args.len();
        let same_args = |l: &&HostLine| l.args.iter().zip(args).all(|(a, b)| same(a, b));
        match self.hosts.iter().filter(fits).find(same_args) {
            Some(line) => line.answer.clone(),
            None => Err(Fault::new(TrapKind::Host, format!("no `host` line answers {}{args:?}", host.name))),
        }
    }
}

/// The directives of a file: line number, word before the colon, and what follows it.
pub fn directives(text: &str) -> impl Iterator<Item = (u32, &str, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let (word, rest) = line.strip_prefix(';')?.split_once(':')?;
        Some((number, word.trim(), rest.trim()))
    })
}

/// Whether two values are the same, whether they say their member of a union or not, a NaN the same as another and zeros of two signs not.
pub fn same(a: &Datum, b: &Datum) -> bool {
    let all = |a: &[Datum], b: &[Datum]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    match (a.unwrapped(), b.unwrapped()) {
        (Datum::Float(a), Datum::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (Datum::List(a), Datum::List(b)) | (Datum::Tuple(a), Datum::Tuple(b)) => all(a, b),
        (Datum::Object(a), Datum::Object(b)) | (Datum::Set(a), Datum::Set(b)) => all(a, b),
        (Datum::Dict(a), Datum::Dict(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
        }
        (a, b) => a == b,
    }
}

/// Gives each instruction that can stop and has no stop one, and completes all lists.
fn complete_stops(func: &mut Func) {
    for index in 0..func.insts.len() {
        if func.insts[index].op.stops() && func.insts[index].stop.is_none() {
            func.insts[index].stop = Some(StopId::from_index(func.stops.len()));
            func.stops.push(Stop { inst: Inst::from_index(index), values: Vec::new() });
        }
    }
    // Text that numbers something too high is left as it is, for the verifier.
    let in_range = |v: &crate::entity::Value| v.index() < func.values.len();
    let used = func.insts.iter().flat_map(|i| i.args.iter().chain(i.targets.iter().flat_map(|t| &t.args)));
    let listed = func.stops.iter().flat_map(|s| s.values.iter().map(|l| &l.value));
    let targets = func.insts.iter().flat_map(|i| &i.targets);
    if used.chain(listed).all(in_range) && targets.clone().all(|t| t.block.index() < func.blocks.len()) {
        liveness::complete_stops(func);
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    token: Token<'a>,
    number: u32,
    depth: u32,
}

type Read<T> = Result<T, FileError>;

impl<'a> Reader<'a> {
    fn new(number: u32, text: &'a str) -> Read<Reader<'a>> {
        let mut reader = Reader { lexer: Lexer::new(text), token: Token::End, number, depth: 0 };
        reader.advance()?;
        Ok(reader)
    }

    fn error<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(FileError(ParseError { line: self.number, column: 1, message: message.into() }))
    }

    fn advance(&mut self) -> Read<Token<'a>> {
        match self.lexer.next() {
            Ok((token, _)) => Ok(std::mem::replace(&mut self.token, token)),
            Err(error) => self.error(error.message),
        }
    }

    fn expected<T>(&self, what: &str) -> Read<T> {
        self.error(format!("expected {what}, found {}", self.token.describe()))
    }

    fn take(&mut self, token: &Token<'_>) -> Read<bool> {
        let is = self.token == *token;
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn sign(&mut self, sign: char) -> Read<()> {
        if self.take(&Token::Sign(sign))? { Ok(()) } else { self.expected(&format!("`{sign}`")) }
    }

    fn name(&mut self) -> Read<String> {
        match self.advance()? {
            Token::Word(word) => Ok(word.to_owned()),
            Token::Text(text) => Ok(text.into_owned()),
            other => self.error(format!("expected a name, found {}", other.describe())),
        }
    }

    fn text(&mut self) -> Read<String> {
        match self.advance()? {
            Token::Text(text) => Ok(text.into_owned()),
            other => self.error(format!("expected text in quotes, found {}", other.describe())),
        }
    }

    fn end(&self) -> Read<()> {
        if self.token == Token::End { Ok(()) } else { self.expected("the end of the line") }
    }

    fn run_line(&mut self) -> Read<RunLine> {
        self.sign('@')?;
        let func = self.name()?;
        let args = self.list('(', ')')?;
        let expected = self.outcome()?;
        let mut log = None;
        if self.take(&Token::Word("logs"))? {
            let mut lines = Vec::new();
            while self.token != Token::End {
                if !lines.is_empty() {
                    self.sign(',')?;
                }
                lines.push(self.text()?);
            }
            log = Some(lines);
        }
        self.end()?;
        Ok(RunLine { line: self.number, func, args, expected, log })
    }

    fn host_line(&mut self) -> Read<HostLine> {
        let name = self.name()?;
        let args = self.list('(', ')')?;
        let answer = match self.outcome()? {
            Expected::Value(value) => Ok(value),
            Expected::Trap(kind, message) => Err(Fault::new(kind, message.unwrap_or_default())),
        };
        self.end()?;
        Ok(HostLine { name, args, answer })
    }

    fn outcome(&mut self) -> Read<Expected> {
        if self.take(&Token::Word("traps"))? {
            let name = self.name()?;
            let Some(kind) = TrapKind::from_name(&name) else { return self.error(format!("no kind of trap `{name}`")) };
            let message = if matches!(self.token, Token::Text(_)) { Some(self.text()?) } else { None };
            return Ok(Expected::Trap(kind, message));
        }
        self.sign('=')?;
        self.sign('=')?;
        Ok(Expected::Value(self.datum()?))
    }

    fn list(&mut self, open: char, close: char) -> Read<Vec<Datum>> {
        self.sign(open)?;
        let mut items = Vec::new();
        while !self.take(&Token::Sign(close))? {
            if !items.is_empty() {
                self.sign(',')?;
                if self.take(&Token::Sign(close))? {
                    break;
                }
            }
            items.push(self.datum()?);
        }
        Ok(items)
    }

    fn datum(&mut self) -> Read<Datum> {
        if self.depth == 64 {
            return self.error("values nest at most 64 deep here");
        }
        self.depth += 1;
        let datum = self.datum_within();
        self.depth -= 1;
        datum
    }

    fn datum_within(&mut self) -> Read<Datum> {
        match &self.token {
            Token::Sign('[') => return Ok(Datum::List(self.list('[', ']')?)),
            Token::Sign('(') => return Ok(Datum::Tuple(self.list('(', ')')?)),
            Token::Sign('{') => return self.dict(),
            _ => {}
        }
        Ok(match self.advance()? {
            Token::Word("None") => Datum::None,
            Token::Word("True") => Datum::Bool(true),
            Token::Word("False") => Datum::Bool(false),
            Token::Word("nan") => Datum::Float(f64::NAN),
            Token::Word("inf") => Datum::Float(f64::INFINITY),
            Token::Sign('-') if self.take(&Token::Word("inf"))? => Datum::Float(f64::NEG_INFINITY),
            Token::Word(_) if self.token == Token::Sign('(') => Datum::Object(self.list('(', ')')?),
            Token::Text(text) => Datum::Str(text.into_owned()),
            Token::Bytes(bytes) => Datum::Bytes(bytes),
            Token::Number(number) => match (number.parse(), number.parse()) {
                (Ok(int), _) => Datum::Int(int),
                (_, Ok(float)) => Datum::Float(float),
                _ => return self.error(format!("`{number}` fits no number")),
            },
            other => return self.error(format!("expected a value, found {}", other.describe())),
        })
    }

    fn dict(&mut self) -> Read<Datum> {
        self.sign('{')?;
        let (mut entries, mut elements) = (Vec::new(), Vec::new());
        while !self.take(&Token::Sign('}'))? {
            if !entries.is_empty() || !elements.is_empty() {
                self.sign(',')?;
            }
            let key = self.datum()?;
            // A set has elements only. An empty one can't be told from an empty dict, and is not written here.
            if !entries.is_empty() || self.token == Token::Sign(':') {
                self.sign(':')?;
                entries.push((key, self.datum()?));
            } else {
                elements.push(key);
            }
        }
        Ok(if elements.is_empty() { Datum::Dict(entries) } else { Datum::Set(elements) })
    }
}

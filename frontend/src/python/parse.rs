//! The one file that calls rustpython-parser: text in, our tree out (by `tree`), or where and why not. It refuses what is
//! nested too deeply before it parses, since a tree is walked and dropped recursively, and it words the parser's errors.

use super::tree::Converter;
use crate::ast::{Expr, Stmt, StmtKind, Unreadable};
use crate::diag::Code;
use crate::source::Span;
use rustpython_parser::lexer::LexicalErrorType;
use rustpython_parser::{Mode, ParseErrorType, Tok, ast as py, lexer};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How deeply the parts of one expression may be nested, operators that chain counted as nesting.
const MAX_EXPRESSION_DEPTH: usize = 250;
/// How deeply statements may be nested.
const MAX_STATEMENT_DEPTH: usize = 60;
/// How many `elif` may follow one `if`.
const MAX_BRANCHES: usize = 250;

/// Makes a statement that is indented as a whole a body, so that the parser takes it.
const WRAPPER: &str = "if 1:\n";

/// Reads `text[start..end]`, one or more statements.
pub(super) fn statements(text: &str, file: u32, start: usize, end: usize) -> Result<Vec<Stmt>, Unreadable> {
    let part = &text[start..end];
    let place = Place { text, file, base: start as i64 };
    if part.starts_with([' ', '\t']) {
        let wrapped = format!("{WRAPPER}{part}");
        let place = Place { base: start as i64 - WRAPPER.len() as i64, ..place };
        let stmts = read(&wrapped, &place)?;
        return match stmts.into_iter().next().map(|s| s.kind) {
            Some(StmtKind::If(_, body, _)) => Ok(body),
            _ => Ok(Vec::new()),
        };
    }
    read(part, &place)
}

/// Reads the header of a function, `text[start..end]`, whose body can't be read.
pub(super) fn header(text: &str, file: u32, start: usize, end: usize, why: &Unreadable) -> Option<Vec<Stmt>> {
    let whole = format!("{} pass\n", &text[..end]);
    let mut stmts = statements(&whole, file, start, whole.len()).ok()?;
    for stmt in &mut stmts {
        match &mut stmt.kind {
            StmtKind::Function(f) => f.body = Err(why.clone()),
            _ => return None,
        }
    }
    Some(stmts)
}

/// Reads one expression; all its spans are `span`.
pub(super) fn expression(text: &str, span: Span) -> Option<Expr> {
    too_deep(text)?.is_none().then_some(())?;
    let parsed = catch_unwind(AssertUnwindSafe(|| rustpython_parser::parse(text.trim(), Mode::Expression, "")));
    match parsed {
        Ok(Ok(py::Mod::Expression(e))) => {
            Some(Converter { text, file: span.file, base: 0, fixed: Some(span) }.expr(&e.body))
        }
        _ => None,
    }
}

/// Where the text that is parsed stands in its file.
struct Place<'a> {
    text: &'a str,
    file: u32,
    base: i64,
}

impl Place<'_> {
    fn span(&self, from: usize, to: usize) -> Span {
        let len = self.text.len() as i64;
        let clip = |at: usize| u32::try_from((at as i64 + self.base).clamp(0, len)).unwrap_or(u32::MAX);
        Span { file: self.file, start: clip(from), end: clip(to) }
    }
}

fn read(part: &str, place: &Place<'_>) -> Result<Vec<Stmt>, Unreadable> {
    if let Some(Some((at, message))) = too_deep(part) {
        let help = "split it: give parts of it names of their own".to_owned();
        return Err(Unreadable { span: place.span(at, at), message, help: Some(help), code: Code::TooDeep });
    }
    // The parser is third-party code on arbitrary text: a panic in it must not be one of ours.
    match catch_unwind(AssertUnwindSafe(|| rustpython_parser::parse(part, Mode::Module, ""))) {
        Ok(Ok(py::Mod::Module(module))) => {
            let converter = Converter { text: part, file: place.file, base: place.base, fixed: None };
            Ok(converter.body(&module.body))
        }
        Ok(Err(error)) => Err(worded(part, place, &error.error, u32::from(error.offset) as usize)),
        Ok(Ok(_)) | Err(_) => {
            let message = "the Python parser can't read this".to_owned();
            Err(Unreadable { span: place.span(0, 0), message, help: None, code: Code::Syntax })
        }
    }
}

/// Where the text is nested too deeply, if it is. The outer `None` means that it has no tokens to judge by; the parser
/// says why.
#[allow(clippy::option_option)]
fn too_deep(text: &str) -> Option<Option<(usize, String)>> {
    let mut levels = vec![0usize];
    let mut depth = 0usize;
    let mut indents = 0usize;
    let mut branches: Vec<usize> = vec![0];
    let tokens = catch_unwind(AssertUnwindSafe(|| {
        lexer::lex(text, Mode::Module).take_while(Result::is_ok).flatten().collect::<Vec<_>>()
    }));
    for (token, range) in tokens.ok()? {
        let at = u32::from(range.start()) as usize;
        let last = levels.len() - 1;
        match token {
            Tok::Lpar | Tok::Lsqb | Tok::Lbrace => {
                levels[last] += 1;
                levels.push(0);
                depth += 1;
            }
            Tok::Rpar | Tok::Rsqb | Tok::Rbrace => {
                if last > 0 {
                    depth -= levels.pop().unwrap_or(0);
                }
            }
            Tok::Comma | Tok::Newline | Tok::Semi => depth -= std::mem::take(&mut levels[last]),
            Tok::Indent => {
                indents += 1;
                branches.push(0);
                if indents > MAX_STATEMENT_DEPTH {
                    return Some(Some((at, format!("statements are nested more than {MAX_STATEMENT_DEPTH} deep"))));
                }
            }
            Tok::Dedent => {
                indents = indents.saturating_sub(1);
                if branches.len() > 1 {
                    branches.pop();
                }
            }
            Tok::If if depth == 0 => {
                if let Some(count) = branches.last_mut() {
                    *count = 0;
                }
                levels[last] += 1;
                depth += 1;
            }
            Tok::Elif => {
                if let Some(count) = branches.last_mut() {
                    *count += 1;
                    if *count > MAX_BRANCHES {
                        return Some(Some((at, format!("an if has more than {MAX_BRANCHES} elif"))));
                    }
                }
            }
            Tok::Name { .. } | Tok::Int { .. } | Tok::Float { .. } | Tok::Complex { .. } | Tok::String { .. } => {}
            Tok::True | Tok::False | Tok::None | Tok::Colon => {}
            _ => {
                levels[last] += 1;
                depth += 1;
            }
        }
        if depth > MAX_EXPRESSION_DEPTH {
            let message = format!("this expression has more than {MAX_EXPRESSION_DEPTH} nested or chained operators");
            return Some(Some((at, message)));
        }
    }
    Some(None)
}

/// The parser's error in our words.
fn worded(part: &str, place: &Place<'_>, error: &ParseErrorType, at: usize) -> Unreadable {
    let mut from = at.min(part.len());
    while !part.is_char_boundary(from) {
        from -= 1;
    }
    let make = |from: usize, to: usize, message: String, help: Option<&str>, code: Code| Unreadable {
        span: place.span(from, to),
        message,
        help: help.map(str::to_owned),
        code,
    };
    if let Some((start, end)) = split_fstring(part, from) {
        let message = "an f-string has its own kind of quotes inside its braces".to_owned();
        let help = "use the other kind of quotes inside: f\"{d['a']}\"";
        return make(start, end, message, Some(help), Code::NestedQuotes);
    }
    // A bracket that is never closed is noticed lines later, where a statement can't stand inside it.
    let starts_line = part[..from].trim_end_matches([' ', '\t']).ends_with('\n');
    if starts_line && let Some(open) = open_bracket(&part[..from]) {
        let bracket = &part[open..=open];
        return make(open, open + 1, format!("this `{bracket}` is never closed"), None, Code::Syntax);
    }
    let word_end = part[from..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(part.len(), |n| from + n);
    let next = part[from..].chars().next().map_or(from, |c| from + c.len_utf8());
    let to = word_end.max(next);
    let syntax = |message: String, help: Option<&str>| make(from, to, message, help, Code::Syntax);
    match error {
        ParseErrorType::Lexical(LexicalErrorType::StringError) => open_quote(part, from, &make),
        ParseErrorType::Lexical(LexicalErrorType::OtherError(m)) if m.starts_with("EOL while scanning") => {
            open_quote(part, from, &make)
        }
        ParseErrorType::Eof | ParseErrorType::Lexical(LexicalErrorType::Eof) => match open_bracket(part) {
            Some(open) => {
                let bracket = &part[open..=open];
                let message = format!("this `{bracket}` is never closed");
                make(open, open + 1, message, None, Code::Syntax)
            }
            None => syntax("the text ends in the middle of a statement".to_owned(), None),
        },
        ParseErrorType::Lexical(LexicalErrorType::IndentationError) => syntax(
            "the indentation fits no line above".to_owned(),
            Some("indent it as the statement that it belongs to"),
        ),
        ParseErrorType::Lexical(LexicalErrorType::TabError | LexicalErrorType::TabsAfterSpaces) => {
            syntax("tabs and spaces are mixed in the indentation".to_owned(), Some("indent with spaces only"))
        }
        ParseErrorType::Lexical(LexicalErrorType::UnrecognizedToken { tok }) => {
            syntax(format!("`{tok}` is no part of Python"), None)
        }
        ParseErrorType::Lexical(other) => syntax(other.to_string(), None),
        ParseErrorType::UnrecognizedToken(Tok::Newline | Tok::EndOfFile, _) => {
            let line = part[..from].trim_end();
            let start = line.rfind('\n').map_or(0, |n| n + 1);
            let words = ["if ", "elif ", "else", "while ", "for ", "def ", "async ", "class ", "match ", "case "];
            let head = line[start..].trim_start();
            let (message, help) = if words.iter().any(|w| head.starts_with(w)) && !head.ends_with(':') {
                ("a `:` is missing at the end of this line", Some("end the line with `:`"))
            } else {
                ("the line ends in the middle of a statement", None)
            };
            make(line.len().saturating_sub(1), line.len(), message.to_owned(), help, Code::Syntax)
        }
        ParseErrorType::UnrecognizedToken(Tok::Indent, _) => {
            syntax("this line is indented without a reason".to_owned(), Some("indent it as the line above"))
        }
        ParseErrorType::UnrecognizedToken(_, Some(expected)) if expected == "Indent" => {
            syntax("an indented block is missing here".to_owned(), Some("indent the body, or write `pass` as its body"))
        }
        ParseErrorType::UnrecognizedToken(Tok::Equal, _) => {
            syntax("`=` does not fit here".to_owned(), Some("to compare, write `==`"))
        }
        ParseErrorType::UnrecognizedToken(Tok::Dedent, _) => {
            syntax("an indented block is missing before this line".to_owned(), None)
        }
        ParseErrorType::UnrecognizedToken(..) | ParseErrorType::ExtraToken(_) | ParseErrorType::InvalidToken => {
            let word = part[from..to].trim();
            let word = if word.is_empty() { "this" } else { word };
            syntax(format!("`{word}` does not fit here"), None)
        }
    }
}

type Make<'a> = dyn Fn(usize, usize, String, Option<&str>, Code) -> Unreadable + 'a;

/// The parser reports a string that is never closed after its line: say where it begins.
fn open_quote(part: &str, at: usize, make: &Make<'_>) -> Unreadable {
    let before = part[..at].trim_end_matches(['\n', '\r']);
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    let mut open: Option<(usize, char)> = None;
    let mut chars = before[start..].char_indices();
    while let Some((i, c)) = chars.next() {
        match (c, open) {
            ('\\', Some(_)) => {
                chars.next();
            }
            ('"' | '\'', None) => open = Some((start + i, c)),
            (_, Some((_, quote))) if c == quote => open = None,
            ('#', None) => break,
            _ => {}
        }
    }
    let from = open.map_or(start, |(at, _)| at);
    let message = "this string is never closed".to_owned();
    make(from, before.len().max(from), message, Some("close it with the quote that opens it"), Code::Syntax)
}

/// The innermost bracket that is never closed.
fn open_bracket(part: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (token, range) in lexer::lex(part, Mode::Module).take_while(Result::is_ok).flatten() {
        match token {
            Tok::Lpar | Tok::Lsqb | Tok::Lbrace => open.push(u32::from(range.start()) as usize),
            Tok::Rpar | Tok::Rsqb | Tok::Rbrace => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop().filter(|at| part.is_char_boundary(*at) && part.is_char_boundary(at + 1))
}

/// An f-string in the line of the error that ends while a brace of it is open: its quotes stand inside it.
fn split_fstring(part: &str, at: usize) -> Option<(usize, usize)> {
    let start = part[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = part[at..].find('\n').map_or(part.len(), |n| at + n);
    let line = &part[start..end];
    let bytes = line.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let quote = bytes[i];
        if quote == b'#' {
            return None;
        }
        if quote != b'"' && quote != b'\'' {
            i += 1;
            continue;
        }
        let prefix = line[..i].bytes().rev().take_while(u8::is_ascii_alphabetic).collect::<Vec<_>>();
        let formatted = prefix.len() <= 2 && prefix.iter().any(|b| matches!(b, b'f' | b'F'));
        if bytes[i..].starts_with(&[quote; 3]) {
            return None;
        }
        let mut open = 0usize;
        let mut j = i + 1;
        while j < bytes.len() && bytes[j] != quote {
            match bytes[j] {
                b'\\' => j += 1,
                b'{' if open == 0 && bytes.get(j + 1) == Some(&b'{') => j += 1,
                b'{' => open += 1,
                b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            j += 1;
        }
        if formatted && open > 0 {
            let from = start + i - prefix.len();
            let to = (start + j + 1).min(end);
            return part.is_char_boundary(to).then_some((from, to));
        }
        i = j + 1;
    }
    None
}

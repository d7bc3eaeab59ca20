//! Reads Python. `cut` finds the top-level statements of a text, `parse` reads one of them; nothing else in the crate
//! knows a Python parser.

mod cut;
mod parse;
mod tree;

use crate::ast::{Expr, Stmt, Unreadable};
use crate::diag::Code;
use crate::source::{Sources, Span};

/// A top-level statement of a source.
#[derive(Debug)]
pub(crate) struct Item {
    /// The whole of it.
    pub span: Span,
    /// What it is, or why it can't be read and which name it would probably define.
    pub content: Result<Vec<Stmt>, Broken>,
}

/// A top-level statement that can't be read.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Why.
    pub why: Unreadable,
    /// The name that it seems to define.
    pub defines: Option<String>,
}

/// The largest text that is looked at, in bytes.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// The top-level statements of all sources, in order.
pub(crate) fn items(sources: &Sources) -> Vec<Item> {
    let mut out = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        let text = &source.text;
        if text.len() > MAX_TEXT {
            let why = Unreadable {
                span: Span { file, start: 0, end: 0 },
                message: format!("{} has more than {} MiB", source.path, MAX_TEXT >> 20),
                help: Some("move the flows into a file of their own".to_owned()),
                code: Code::TooLarge,
            };
            out.push(Item { span: why.span, content: Err(Broken { why, defines: None }) });
            continue;
        }
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut work: Vec<cut::Piece> = cut::pieces(text, start, text.len());
        work.reverse();
        while let Some(piece) = work.pop() {
            let span = |p: cut::Piece| Span { file, start: p.start as u32, end: p.end as u32 };
            match parse::statements(text, file, piece.start, piece.end) {
                Ok(stmts) => out.push(Item { span: span(piece), content: Ok(stmts) }),
                Err(why) => {
                    let mut broken = piece;
                    if let Some(at) = cut::resume(text, piece) {
                        broken.end = at;
                        let mut rest = cut::pieces(text, at, piece.end);
                        rest.reverse();
                        work.extend(rest);
                    }
                    // The error may have been in what was cut off.
                    let again = parse::statements(text, file, broken.start, broken.end);
                    let content = again.or_else(|again| {
                        let why = if broken.end == piece.end { &why } else { &again };
                        definition_without_body(text, file, broken, why)
                    });
                    out.push(Item { span: span(broken), content });
                }
            }
        }
    }
    out
}

/// Reads one expression that stands alone in a text, as an annotation in quotes does. Its spans are all `span`.
pub(crate) fn expression(text: &str, span: Span) -> Option<Expr> {
    parse::expression(text, span)
}

/// A function whose body can't be read still has its header: an impure function needs no more.
fn definition_without_body(text: &str, file: u32, piece: cut::Piece, why: &Unreadable) -> Result<Vec<Stmt>, Broken> {
    if let Some(end) = cut::header(text, piece)
        && (why.span.start as usize) >= end
        && let Some(stmts) = parse::header(text, file, piece.start, end, why)
    {
        return Ok(stmts);
    }
    Err(Broken { why: why.clone(), defines: defined_name(&text[piece.start..piece.end]) })
}

/// The name that a statement seems to define, by its first words.
fn defined_name(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with(['@', '#']))?;
    let rest = line.strip_prefix("async ").unwrap_or(line).trim_start();
    let rest = rest.strip_prefix("def ").or_else(|| rest.strip_prefix("class ")).unwrap_or(rest).trim_start();
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0 && !rest.starts_with(|c: char| c.is_numeric())).then(|| rest[..end].to_owned())
}

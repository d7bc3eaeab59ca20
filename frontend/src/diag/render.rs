//! Diagnostics for people (with source excerpts, by ariadne), for editors (one line each) and for machines (JSON).

use super::{Diagnostic, Severity};
use crate::source::{Sources, Span};
use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};
use serde_json::{Value, json};
use std::fmt;

/// Renders with excerpts. `color` adds terminal colours.
pub fn render(sources: &Sources, diagnostics: &[Diagnostic], color: bool) -> String {
    let mut texts = Excerpts::of(sources);
    let mut out = Vec::new();
    for diagnostic in diagnostics {
        // Writing to memory can't fail; what can't be rendered still has its line.
        if report(&mut texts, sources, diagnostic, color, &mut out).is_err() {
            out.extend(line(sources, diagnostic).bytes());
            out.push(b'\n');
        }
    }
    String::from_utf8_lossy(&out).lines().map(|l| format!("{}\n", l.trim_end())).collect()
}

/// One line for each: `path:line:column: error[E0103]: message`.
pub fn lines(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| format!("{}\n", line(sources, d))).collect()
}

/// An array with one object for each: code, severity, message, path, line, column, end, note, labels, help.
pub fn json(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    let place = |span: Span| {
        let (from, to) = (sources.position(span.file, span.start), sources.position(span.file, span.end));
        json!({
            "path": path(sources, span), "line": from.line, "column": from.column,
            "end_line": to.line, "end_column": to.column,
        })
    };
    let one = |d: &Diagnostic| {
        let labels = d.labels.iter().map(|l| json!({"message": l.message, "place": place(l.span)}));
        json!({
            "code": d.code.text(), "severity": d.severity.name(), "message": d.message, "place": place(d.span),
            "note": d.note, "labels": labels.collect::<Vec<_>>(), "help": d.help,
        })
    };
    Value::Array(diagnostics.iter().map(one).collect())
}

fn line(sources: &Sources, d: &Diagnostic) -> String {
    let at = sources.position(d.span.file, d.span.start);
    let (path, severity) = (path(sources, d.span), d.severity.name());
    format!("{path}:{}:{}: {severity}[{}]: {}", at.line, at.column, d.code, d.message)
}

fn path(sources: &Sources, span: Span) -> &str {
    sources.get(span.file).map_or("", |s| &s.path)
}

fn report(
    texts: &mut Excerpts,
    sources: &Sources,
    d: &Diagnostic,
    color: bool,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let (kind, mark) = match d.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    let config = Config::new().with_color(color).with_index_type(IndexType::Byte).with_cross_gap(false);
    let place = |span| excerpt(sources, span);
    let mut report = Report::build(kind, place(d.span)).with_config(config).with_code(d.code).with_message(&d.message);
    // Where labels point at parts of the place, it need not be marked as a whole. Without a message ariadne marks nothing.
    let parts =
        d.labels.iter().any(|l| l.span.file == d.span.file && l.span.start < d.span.end && d.span.start < l.span.end);
    let own = (d.note.is_some() || !parts).then(|| (d.span, d.note.as_deref().unwrap_or("here"), mark));
    let others = d.labels.iter().map(|l| (l.span, l.message.as_str(), Color::Cyan));
    let mut labels: Vec<_> = own.into_iter().chain(others).collect();
    labels.sort_by_key(|(span, ..)| *span);
    for (span, message, color) in labels {
        report = report.with_label(Label::new(place(span)).with_color(color).with_message(message));
    }
    for help in &d.help {
        report = report.with_help(help);
    }
    report.finish().write(texts, out)
}

/// The part of a span that is shown: what of it stands in its first line, as bytes within the text.
fn excerpt(sources: &Sources, span: Span) -> (u32, std::ops::Range<usize>) {
    let text = sources.get(span.file).map_or("", |s| &s.text);
    let start = (span.start as usize).min(text.len());
    let mut end = (span.end as usize).clamp(start, text.len());
    if let Some(stop) = text.get(start..end).and_then(|t| t.find('\n')) {
        end = start + stop;
    }
    // The renderer counts lines from 1: what stands before the text in its file is made up by empty lines.
    let before = empty_lines(sources.get(span.file).map_or(1, |s| s.first_line));
    (span.file, start + before..end + before)
}

/// How many empty lines stand for those before a text in its file. Beyond a million the number shown is wrong, not more.
fn empty_lines(first_line: u32) -> usize {
    first_line.saturating_sub(1).min(1_000_000) as usize
}

/// The texts as the renderer wants them.
struct Excerpts {
    texts: Vec<ariadne::Source<String>>,
    paths: Vec<String>,
}

impl Excerpts {
    fn of(sources: &Sources) -> Excerpts {
        let text =
            |s: &crate::Source| ariadne::Source::from(format!("{}{}", "\n".repeat(empty_lines(s.first_line)), s.text));
        Excerpts { texts: sources.iter().map(text).collect(), paths: sources.iter().map(|s| s.path.clone()).collect() }
    }
}

impl ariadne::Cache<u32> for &mut Excerpts {
    type Storage = String;

    fn fetch(&mut self, id: &u32) -> Result<&ariadne::Source<String>, impl fmt::Debug> {
        self.texts.get(*id as usize).ok_or("no such source")
    }

    fn display<'a>(&self, id: &'a u32) -> Option<impl fmt::Display + 'a> {
        self.paths.get(*id as usize).cloned()
    }
}

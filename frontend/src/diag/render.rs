//! Diagnostics for people (with source excerpts, by ariadne), for editors (one line each) and for machines (JSON).

use super::excerpt::Excerpts;
use super::{Diagnostic, Severity};
use crate::source::{Sources, Span};
use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};
use serde_json::{Value, json};

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
    whole: &mut Excerpts,
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
    let spans: Vec<_> = [d.span].into_iter().chain(d.labels.iter().map(|label| label.span)).collect();
    let mut cut = Excerpts::cut(sources, &spans);
    let is_cut = cut.as_ref().is_some_and(|texts| spans.iter().any(|span| texts.is_cut(*span)));
    let texts = cut.as_mut().unwrap_or(whole);
    let place = |texts: &Excerpts, span| texts.place(sources, span);
    let mut report =
        Report::build(kind, place(texts, d.span)).with_config(config).with_code(d.code).with_message(&d.message);
    // Where labels point at parts of the place, it need not be marked as a whole. Without a message ariadne marks nothing.
    let parts =
        d.labels.iter().any(|l| l.span.file == d.span.file && l.span.start < d.span.end && d.span.start < l.span.end);
    let own = (d.note.is_some() || !parts).then(|| (d.span, d.note.as_deref().unwrap_or("here"), mark));
    let others = d.labels.iter().map(|l| (l.span, l.message.as_str(), Color::Cyan));
    let mut labels: Vec<_> = own.into_iter().chain(others).collect();
    labels.sort_by_key(|(span, ..)| *span);
    for (span, message, color) in labels {
        report = report.with_label(Label::new(place(texts, span)).with_color(color).with_message(message));
    }
    for help in &d.help {
        report = report.with_help(help);
    }
    if !is_cut {
        return report.finish().write(texts, out);
    }
    let mut text = Vec::new();
    report.finish().write(texts, &mut text)?;
    let text = String::from_utf8_lossy(&text);
    out.extend(true_columns(sources, &spans, &text).bytes());
    Ok(())
}

/// Puts the columns that places really have where the renderer counted those of a line that was cut.
fn true_columns(sources: &Sources, spans: &[Span], text: &str) -> String {
    let mut text = text.to_owned();
    let mut files = Vec::new();
    for span in spans {
        // Of each file its first place is in the headline above the excerpt.
        if files.contains(&span.file) {
            continue;
        }
        files.push(span.file);
        let at = sources.position(span.file, span.start);
        let head = format!(" {}:{}:", path(sources, *span), at.line);
        let Some(from) = text.find(&head).map(|found| found + head.len()) else { continue };
        let digits = text[from..].bytes().take_while(u8::is_ascii_digit).count();
        text.replace_range(from..from + digits, &at.column.to_string());
    }
    text
}

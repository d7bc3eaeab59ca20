//! The texts as the renderer wants them: lines numbered as in their files, and no line longer than a terminal can show. Of a
//! longer one, as generated sources have them, a window around what is pointed at is left.

use crate::source::{Sources, Span};
use std::fmt;
use std::ops::Range;

/// Longer lines, in bytes, are cut.
const LINE_MAX: usize = 240;
/// How much of a cut line is shown, in bytes.
const WINDOW: usize = 160;

/// A line that was cut.
#[derive(Debug)]
struct Cut {
    /// What of the source's text is left of it.
    kept: Range<usize>,
    /// Where that stands in the new text.
    at: usize,
}

/// One text.
#[derive(Debug)]
struct Text {
    source: ariadne::Source<String>,
    path: String,
    /// Empty lines before it, as bytes: the renderer counts lines from 1, so they stand for what is before it in its file.
    before: usize,
    /// The lines that were cut, in their order; what is between them has moved with the one before.
    cuts: Vec<Cut>,
}

/// The texts of one compilation.
#[derive(Debug)]
pub(super) struct Excerpts {
    texts: Vec<Text>,
}

impl Excerpts {
    /// The texts as they are.
    pub(super) fn of(sources: &Sources) -> Excerpts {
        Excerpts { texts: (0..sources.len() as u32).filter_map(|file| Text::new(sources, file, &[])).collect() }
    }

    /// The same for one report that points at these places, if any text has a line that must be cut.
    pub(super) fn cut(sources: &Sources, spans: &[Span]) -> Option<Excerpts> {
        let is_long = |span: &Span| sources.get(span.file).is_some_and(|s| s.text.lines().any(|l| l.len() > LINE_MAX));
        if !spans.iter().any(is_long) {
            return None;
        }
        let text = |file| {
            let here: Vec<_> = spans.iter().filter(|span| span.file == file).copied().collect();
            Text::new(sources, file, &here)
        };
        Some(Excerpts { texts: (0..sources.len() as u32).filter_map(text).collect() })
    }

    /// The part of a span that is shown: what of it stands in its first line, as bytes within the text.
    pub(super) fn place(&self, sources: &Sources, span: Span) -> (u32, Range<usize>) {
        let (start, end) = first_line(sources, span);
        match self.texts.get(span.file as usize) {
            Some(text) => (span.file, text.at(start)..text.at(end)),
            None => (span.file, start..end),
        }
    }

    /// Whether this place is in a line that was cut, whose columns the renderer can't know.
    pub(super) fn is_cut(&self, span: Span) -> bool {
        let Some(text) = self.texts.get(span.file as usize) else { return false };
        // What begins before the window is moved to its edge.
        text.cuts.iter().any(|cut| cut.kept.start <= span.start as usize && span.start as usize <= cut.kept.end)
    }
}

/// The bytes of a span that stand in its first line.
fn first_line(sources: &Sources, span: Span) -> (usize, usize) {
    let text = sources.get(span.file).map_or("", |s| &s.text);
    let start = (span.start as usize).min(text.len());
    let end = (span.end as usize).clamp(start, text.len());
    match text.get(start..end).and_then(|t| t.find('\n')) {
        Some(stop) => (start, start + stop),
        None => (start, end),
    }
}

/// How many empty lines stand for those before a text in its file. Beyond a million the number shown is wrong, not more.
fn empty_lines(first_line: u32) -> usize {
    first_line.saturating_sub(1).min(1_000_000) as usize
}

impl Text {
    /// With `spans` given, long lines are cut around them.
    fn new(sources: &Sources, file: u32, spans: &[Span]) -> Option<Text> {
        let source = sources.get(file)?;
        let before = empty_lines(source.first_line);
        let mut out = "\n".repeat(before);
        let mut cuts = Vec::new();
        if spans.is_empty() {
            out.push_str(&source.text);
        } else {
            let mut from = 0;
            for line in source.text.split_inclusive('\n') {
                let whole = from..from + line.trim_end_matches(['\n', '\r']).len();
                from += line.len();
                if whole.len() <= LINE_MAX {
                    out.push_str(line);
                    continue;
                }
                let kept = window(&source.text, &whole, sources, spans);
                out.push_str(if kept.start > whole.start { "…" } else { "" });
                cuts.push(Cut { kept: kept.clone(), at: out.len() });
                out.push_str(&source.text[kept.clone()]);
                out.push_str(if kept.end < whole.end { "…" } else { "" });
                out.push_str(&line[whole.len()..]);
                // What follows has moved as if it were the rest of this line.
                cuts.push(Cut { kept: from..from, at: out.len() });
            }
        }
        Some(Text { source: ariadne::Source::from(out), path: source.path.clone(), before, cuts })
    }

    /// Where a byte of the source's text is in this one; the nearest that is shown if it is not.
    fn at(&self, byte: usize) -> usize {
        let next = self.cuts.partition_point(|cut| cut.kept.start <= byte);
        match (next.checked_sub(1).map(|at| &self.cuts[at]), self.cuts.get(next)) {
            (None, None) => byte + self.before,
            // Before the first cut line, or in it but left of what is shown of it.
            (None, Some(first)) => (byte + self.before).min(first.at),
            (Some(cut), _) if !cut.kept.is_empty() => cut.at + (byte - cut.kept.start).min(cut.kept.len()),
            (Some(cut), after) => (cut.at + (byte - cut.kept.start)).min(after.map_or(usize::MAX, |after| after.at)),
        }
    }
}

/// What is shown of a long line: around the first place in it and as far as there is room, its beginning if there is none.
fn window(text: &str, line: &Range<usize>, sources: &Sources, spans: &[Span]) -> Range<usize> {
    let mut places: Vec<_> = spans.iter().map(|span| first_line(sources, *span)).collect();
    places.retain(|(start, _)| line.contains(start) || *start == line.end);
    // The first one is what the report is about.
    let Some(&(start, end)) = places.first() else {
        return line.start..boundary(text, line.start + WINDOW.min(line.len()));
    };
    let (mut from, mut to) = (start, end.clamp(start, start + WINDOW));
    for &(start, end) in &places[1..] {
        if to.max(end) - from.min(start) <= WINDOW {
            (from, to) = (from.min(start), to.max(end));
        }
    }
    let room = WINDOW.saturating_sub(to - from) / 2;
    let from = from.saturating_sub(room).max(line.start);
    let to = (to + room).max(from + WINDOW).min(line.end);
    boundary(text, from)..boundary(text, to)
}

/// The boundary of a character at or before a byte.
fn boundary(text: &str, mut byte: usize) -> usize {
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

impl ariadne::Cache<u32> for &mut Excerpts {
    type Storage = String;

    fn fetch(&mut self, id: &u32) -> Result<&ariadne::Source<String>, impl fmt::Debug> {
        self.texts.get(*id as usize).map(|text| &text.source).ok_or("no such source")
    }

    fn display<'a>(&self, id: &'a u32) -> Option<impl fmt::Display + 'a> {
        self.texts.get(*id as usize).map(|text| text.path.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::diag::{Code, Diagnostic, render};
    use crate::source::{Source, Sources, Span};

    fn shown(text: &str, spans: &[(usize, usize)]) -> String {
        let sources = Sources::new(&[Source { path: "a.py".into(), text: text.into(), first_line: 5 }]);
        let span = |(start, end): (usize, usize)| Span { file: 0, start: start as u32, end: end as u32 };
        let mut one = Diagnostic::error(Code::Syntax, span(spans[0]), "wrong".to_owned());
        for other in &spans[1..] {
            one = one.label(span(*other), "and this");
        }
        render(&sources, &[one], false)
    }

    #[test]
    fn of_a_long_line_a_window_is_shown() {
        let long = format!("a = 1\nx = [{}]\nb = 2\n", "1234567, ".repeat(25_000));
        for at in [7, 1_000, 100_000, long.len() - 9] {
            let text = shown(&long, &[(at, at + 3)]);
            assert!(text.len() < 2_000, "{} bytes of {text}", text.len());
            assert!(text.contains(&format!("a.py:6:{} ", at - 6 + 1)), "{at}: {text}");
            assert!(text.contains('…') && text.contains("here"), "{text}");
        }
        // What stands after it is where it was.
        let after = long.find("b = 2").unwrap();
        let text = shown(&long, &[(after, after + 1)]);
        assert!(text.contains("a.py:7:1 ") && text.contains("7 │ b = 2"), "{text}");
        // Both ends of a line that is too long to be shown with both.
        let text = shown(&long, &[(10, 13), (200_000, 200_003), (after, after + 1)]);
        assert!(text.len() < 2_000 && text.contains("a.py:6:5 ") && text.contains("b = 2"), "{text}");
        // Characters of several bytes, and a place at the end of the text.
        let wide = "é".repeat(3_000);
        for at in [0, 1_000, 5_998, 6_000] {
            let text = shown(&wide, &[(at, (at + 2).min(wide.len()))]);
            assert!(text.contains(&format!("a.py:5:{} ", at / 2 + 1)), "{at}: {text}");
        }
    }
}

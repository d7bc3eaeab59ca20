//! The texts that are compiled, and places in them. A span is a range of bytes of one text, which is small and exact; lines
//! and columns (from 1, columns in characters) are worked out only where somebody looks at them.

use deepslate_ir::module;

/// A text to compile: a file, or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The file as the user named it.
    pub path: String,
    /// The text. It may be indented as a whole, as the source of a nested function is.
    pub text: String,
    /// The line number of its first line in the file, from 1.
    pub first_line: u32,
}

impl Source {
    /// A whole file.
    pub fn file(path: impl Into<String>, text: impl Into<String>) -> Source {
        Source { path: path.into(), text: text.into(), first_line: 1 }
    }
}

/// A range of bytes of one source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The index of the source.
    pub file: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// A place in no source, where what the language itself declares stands.
    pub const NOWHERE: Span = Span { file: u32::MAX, start: 0, end: 0 };

    /// From the start of this to the end of the other, which is in the same source.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start, end: other.end.max(self.start) }
    }

    /// The empty range at its start.
    pub fn at_start(self) -> Span {
        Span { end: self.start, ..self }
    }
}

/// Where something stands, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// The sources of one compilation, with the starts of their lines.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    list: Vec<(Source, Vec<u32>)>,
}

impl Sources {
    /// Indexes the lines of these sources.
    pub fn new(list: &[Source]) -> Sources {
        let starts = |text: &str| {
            let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
            let after = breaks.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX));
            std::iter::once(0).chain(after).collect::<Vec<u32>>()
        };
        Sources { list: list.iter().map(|s| (s.clone(), starts(&s.text))).collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The source with this index.
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.list.get(file as usize).map(|(s, _)| s)
    }

    /// All sources.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter().map(|(s, _)| s)
    }

    /// The text of a span; empty if the span is of no source here.
    pub fn text(&self, span: Span) -> &str {
        let text = self.get(span.file).map_or("", |s| &s.text);
        text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The line and column of a byte.
    pub fn position(&self, file: u32, byte: u32) -> Position {
        let Some((source, starts)) = self.list.get(file as usize) else { return Position { line: 0, column: 0 } };
        let index = starts.partition_point(|s| *s <= byte).saturating_sub(1);
        let mut to = (byte as usize).min(source.text.len());
        while !source.text.is_char_boundary(to) {
            to -= 1;
        }
        let line = source.text.get(starts[index] as usize..to).unwrap_or("");
        let column = u32::try_from(line.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        Position { line: source.first_line.max(1).saturating_add(number), column }
    }

    /// The start of a span as the IR has places.
    pub(crate) fn place(&self, span: Span) -> module::Span {
        let at = self.position(span.file, span.start);
        module::Span { file: span.file, line: at.line, column: at.column }
    }
}

//! Words of the text form. It never looks more than one word ahead and never fails but with a place and a reason.

use super::ParseError;
use std::borrow::Cow;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// A name or keyword.
    Word(&'a str),
    /// Text in quotes.
    Text(Cow<'a, str>),
    /// Bytes in quotes.
    Bytes(Vec<u8>),
    /// A number as it is written.
    Number(&'a str),
    /// `->`.
    Arrow,
    /// Any other sign.
    Sign(char),
    /// The end of the text.
    End,
}

impl Token<'_> {
    /// How an error message calls it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Token::Word(word) => format!("`{word}`"),
            Token::Text(_) => "text in quotes".to_owned(),
            Token::Bytes(_) => "bytes in quotes".to_owned(),
            Token::Number(number) => format!("`{number}`"),
            Token::Arrow => "`->`".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end of the text".to_owned(),
        }
    }
}

/// A place in the text, in bytes and for people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) offset: usize,
    pub(crate) line: u32,
    pub(crate) line_start: usize,
}

/// Reads words one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: Place,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: Place { offset: 0, line: 1, line_start: 0 } }
    }

    /// The error at a place; the column counts characters from 1.
    pub(crate) fn error(&self, place: Place, message: impl Into<String>) -> ParseError {
        let column = self.text.get(place.line_start..place.offset).map_or(0, |s| s.chars().count());
        let column = u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1);
        ParseError { line: place.line, column, message: message.into() }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at.offset..).unwrap_or("")
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest().as_bytes();
            match rest.first() {
                Some(b'\n') => {
                    self.at.offset += 1;
                    self.at.line = self.at.line.saturating_add(1);
                    self.at.line_start = self.at.offset;
                }
                Some(b' ' | b'\t' | b'\r') => self.at.offset += 1,
                Some(b';') => self.at.offset += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
                _ => return,
            }
        }
    }

    /// The next word and where it begins.
    pub(crate) fn next(&mut self) -> Result<(Token<'a>, Place), ParseError> {
        self.skip_space();
        let place = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, place)) };
        let token = match first {
            '"' => {
                self.at.offset += 1;
                Token::Text(self.quoted_text(place)?)
            }
            'b' if rest.as_bytes().get(1) == Some(&b'"') => {
                self.at.offset += 2;
                Token::Bytes(self.quoted_bytes(place)?)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                Token::Word(self.take(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'))
            }
            '0'..='9' => Token::Number(self.number()),
            '-' => match rest.as_bytes().get(1) {
                Some(b'0'..=b'9') => Token::Number(self.number()),
                Some(b'>') => {
                    self.at.offset += 2;
                    Token::Arrow
                }
                _ => {
                    self.at.offset += 1;
                    Token::Sign('-')
                }
            },
            sign => {
                self.at.offset += sign.len_utf8();
                Token::Sign(sign)
            }
        };
        Ok((token, place))
    }

    /// Takes bytes while they fit; all that fit are ASCII, so that the place stays between characters.
    fn take(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|b| !fits(b)).unwrap_or(rest.len());
        self.at.offset += length;
        &rest[..length]
    }

    /// An integer or a decimal with point and exponent, with its minus.
    fn number(&mut self) -> &'a str {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let mut end = digits(usize::from(bytes.first() == Some(&b'-')));
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
                end = digits(end + 1 + sign);
            }
        }
        self.at.offset += end;
        &rest[..end]
    }

    fn quoted_text(&mut self, start: Place) -> Result<Cow<'a, str>, ParseError> {
        let plain = self.take_plain();
        let mut out = Cow::Borrowed(plain);
        loop {
            let place = self.at;
            match self.rest().chars().next() {
                Some('"') => {
                    self.at.offset += 1;
                    return Ok(out);
                }
                Some('\\') => {
                    self.at.offset += 1;
                    let c = match self.escape(place)? {
                        Escape::Char(c) => c,
                        Escape::Byte(_) => return Err(self.error(place, "`\\x` is for bytes")),
                    };
                    out.to_mut().push(c);
                    out.to_mut().push_str(self.take_plain());
                }
                _ => return Err(self.error(start, "this text does not end on its line")),
            }
        }
    }

    /// What stands before the next quote, backslash or end of line.
    fn take_plain(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|b| matches!(b, b'"' | b'\\' | b'\n')).unwrap_or(rest.len());
        self.at.offset += end;
        &rest[..end]
    }

    fn quoted_bytes(&mut self, start: Place) -> Result<Vec<u8>, ParseError> {
        let mut out = Vec::new();
        loop {
            let place = self.at;
            match self.rest().bytes().next() {
                Some(b'"') => {
                    self.at.offset += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at.offset += 1;
                    match self.escape(place)? {
                        Escape::Byte(byte) => out.push(byte),
                        Escape::Char(c) if c.is_ascii() => out.push(c as u8),
                        Escape::Char(_) => return Err(self.error(place, "bytes are written `\\xNN`")),
                    }
                }
                Some(byte @ b' '..=b'~') => {
                    self.at.offset += 1;
                    out.push(byte);
                }
                None | Some(b'\n') => return Err(self.error(start, "these bytes do not end on their line")),
                Some(_) => return Err(self.error(place, "bytes are written `\\xNN`")),
            }
        }
    }

    fn escape(&mut self, place: Place) -> Result<Escape, ParseError> {
        let bad = |lexer: &Self| {
            lexer.error(place, "no such escape: write `\\n`, `\\t`, `\\r`, `\\\\`, `\\\"`, `\\xNN` or `\\u{N}`")
        };
        let Some(kind) = self.rest().bytes().next() else { return Err(bad(self)) };
        let simple = match kind {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'\\' => '\\',
            b'"' => '"',
            b'x' => {
                let byte = self.rest().get(1..3).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
                let byte = byte.and_then(|h| u8::from_str_radix(h, 16).ok()).ok_or_else(|| bad(self))?;
                self.at.offset += 3;
                return Ok(Escape::Byte(byte));
            }
            b'u' => {
                let rest = self.rest();
                let end = rest.bytes().take(12).position(|b| b == b'}').ok_or_else(|| bad(self))?;
                let digits = rest.get(1..end).and_then(|d| d.strip_prefix('{')).ok_or_else(|| bad(self))?;
                let number = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
                let c = number.and_then(char::from_u32).ok_or_else(|| bad(self))?;
                self.at.offset += end + 1;
                return Ok(Escape::Char(c));
            }
            _ => return Err(bad(self)),
        };
        self.at.offset += 1;
        Ok(Escape::Char(simple))
    }
}

enum Escape {
    Char(char),
    Byte(u8),
}

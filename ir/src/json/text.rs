//! A JSON text as a tree that loses nothing: numbers stay as they are written, so that an int of 64 bits is exact, and Python's
//! NaN and infinities are numbers too. It recurses no deeper than `NESTING_MAX`.

use std::fmt;

/// Enough for a value of `datum::DEPTH` levels in the widest form, that of a dict with other keys than strings.
const NESTING_MAX: usize = 4 * crate::datum::DEPTH;

/// Parsed JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The same from a value that serde_json has parsed, which bounds its depth.
    pub fn of(value: &serde_json::Value) -> Json {
        match value {
            serde_json::Value::Null => Json::Null,
            serde_json::Value::Bool(value) => Json::Bool(*value),
            serde_json::Value::Number(number) => Json::Number(number.to_string()),
            serde_json::Value::String(text) => Json::String(text.clone()),
            serde_json::Value::Array(elements) => Json::Array(elements.iter().map(Json::of).collect()),
            serde_json::Value::Object(entries) => {
                Json::Object(entries.iter().map(|(name, entry)| (name.clone(), Json::of(entry))).collect())
            }
        }
    }
}

/// What stands there, in a few words.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(text) => f.write_str(text.get(..40).unwrap_or(text)),
            Json::String(text) => {
                let mut shown: String = text.chars().take(40).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                write!(f, "{}", serde_json::Value::from(shown))
            }
            Json::Array(_) => f.write_str("an array"),
            Json::Object(_) => f.write_str("an object"),
        }
    }
}

/// What was expected, and what was found where.
type Mistake = (String, String);

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Json, Mistake> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let json = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.mistake("the end of the JSON text"));
    }
    Ok(json)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn mistake(&self, expected: &str) -> Mistake {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let found = match self.text[self.at..].chars().next() {
            Some(c) => format!("{c:?}"),
            None => "the end of the text".to_owned(),
        };
        (expected.to_owned(), format!("{found} (line {line}, column {column} of the JSON text)"))
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Json, Mistake> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Parser::object),
            Some(b'[') => self.nested(Parser::array),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') if self.word("null") => Ok(Json::Null),
            Some(b't') if self.word("true") => Ok(Json::Bool(true)),
            Some(b'f') if self.word("false") => Ok(Json::Bool(false)),
            Some(b'N') if self.word("NaN") => Ok(Json::Number("NaN".to_owned())),
            Some(b'I') if self.word("Infinity") => Ok(Json::Number("Infinity".to_owned())),
            _ => Err(self.mistake("a JSON value")),
        }
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Json, Mistake>) -> Result<Json, Mistake> {
        if self.depth == NESTING_MAX {
            return Err((format!("at most {NESTING_MAX} levels of nesting"), "more".to_owned()));
        }
        self.depth += 1;
        self.at += 1;
        let json = inner(self);
        self.depth -= 1;
        json
    }

    fn array(&mut self) -> Result<Json, Mistake> {
        let mut elements = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            self.space();
            if self.take(b']') {
                return Ok(Json::Array(elements));
            }
            if !self.take(b',') {
                return Err(self.mistake("`,` or `]`"));
            }
        }
    }

    fn object(&mut self) -> Result<Json, Mistake> {
        let mut entries = Vec::new();
        self.space();
        if self.take(b'}') {
            return Ok(Json::Object(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.mistake("a name in double quotes"));
            }
            let name = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(self.mistake("`:`"));
            }
            entries.push((name, self.value()?));
            self.space();
            if self.take(b'}') {
                return Ok(Json::Object(entries));
            }
            if !self.take(b',') {
                return Err(self.mistake("`,` or `}`"));
            }
        }
    }

    /// The text from here to the closing quote, which serde_json then reads with its escapes.
    fn string(&mut self) -> Result<String, Mistake> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.mistake("`\"` at the end of a string")),
                Some(b'"') => break,
                // Whatever is escaped is ASCII, or wrong, and then serde_json says so.
                Some(b'\\') if self.text.as_bytes().get(self.at + 1).is_some_and(u8::is_ascii) => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let text = &self.text[start..self.at];
        serde_json::from_str(text).map_err(|e| {
            self.at = start;
            let (_, found) = self.mistake("");
            ("a string".to_owned(), format!("{found}: {e}"))
        })
    }

    fn number(&mut self) -> Result<Json, Mistake> {
        let start = self.at;
        self.take(b'-');
        if self.at > start && self.word("Infinity") {
            return Ok(Json::Number("-Infinity".to_owned()));
        }
        let digits = |parser: &mut Self| {
            let from = parser.at;
            while matches!(parser.peek(), Some(b'0'..=b'9')) {
                parser.at += 1;
            }
            if parser.at > from { Ok(()) } else { Err(parser.mistake("a digit")) }
        };
        if !self.take(b'0') {
            digits(self)?;
        }
        if self.take(b'.') {
            digits(self)?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if !self.take(b'+') {
                self.take(b'-');
            }
            digits(self)?;
        }
        Ok(Json::Number(self.text[start..self.at].to_owned()))
    }
}

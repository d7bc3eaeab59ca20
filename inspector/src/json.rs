//! Writing JSON by hand and taking an object apart, because the JSON form of values has NaN and Infinity, 64-bit integers and
//! floats that keep their point, which a generic tree would refuse or change. Values are written and read by `ir::json`; here
//! they are text that is put in or cut out as it is.

use std::fmt::{Display, Write};

/// A text as a JSON string.
pub fn string(text: &str) -> String {
    serde_json::to_string(text).expect("a string always has a JSON form")
}

/// Writes an object.
pub fn object(build: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    Object::write(&mut out, build);
    out
}

/// An object under construction.
pub struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl Object<'_> {
    fn write(out: &mut String, build: impl FnOnce(&mut Object<'_>)) {
        out.push('{');
        build(&mut Object { out, empty: true });
        out.push('}');
    }

    fn key(&mut self, key: &str) -> &mut String {
        if !self.empty {
            self.out.push_str(", ");
        }
        self.empty = false;
        self.out.push_str(&string(key));
        self.out.push_str(": ");
        self.out
    }

    /// A member that is text.
    pub fn text(&mut self, key: &str, value: &str) {
        let text = string(value);
        self.key(key).push_str(&text);
    }

    /// A member that is a whole number.
    pub fn number(&mut self, key: &str, value: impl Display) {
        let _ = write!(self.key(key), "{value}");
    }

    /// A member that is a whole number, if there is one.
    pub fn number_if(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.number(key, value);
        }
    }

    /// A member that is true or false.
    pub fn flag(&mut self, key: &str, value: bool) {
        self.key(key).push_str(if value { "true" } else { "false" });
    }

    /// A member that is JSON text already.
    pub fn raw(&mut self, key: &str, json: &str) {
        self.key(key).push_str(json);
    }

    /// A member that is null.
    pub fn null(&mut self, key: &str) {
        self.raw(key, "null");
    }

    /// A member that is an object.
    pub fn object(&mut self, key: &str, build: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.key(key), build);
    }

    /// A member that is a list of objects.
    pub fn objects<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(T, &mut Object<'_>),
    ) {
        let out = self.key(key);
        out.push('[');
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            Object::write(out, |object| each(item, object));
        }
        out.push(']');
    }

    /// A member that is a list of texts.
    pub fn texts<T: AsRef<str>>(&mut self, key: &str, items: impl IntoIterator<Item = T>) {
        let out = self.key(key);
        out.push('[');
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            out.push_str(&string(item.as_ref()));
        }
        out.push(']');
    }
}

/// The text of one member of a JSON object, as it is.
pub fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    members(text).ok()?.into_iter().find(|(found, _)| found == key).map(|(_, value)| value)
}

/// The texts of the elements of a JSON array, each as it is.
pub fn elements(text: &str) -> Option<Vec<&str>> {
    let (bytes, mut at) = (text.as_bytes(), space(text.as_bytes(), 0));
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    at = space(bytes, at + 1);
    let mut found = Vec::new();
    if bytes.get(at) == Some(&b']') {
        at += 1;
    } else {
        loop {
            let end = value_end(bytes, at)?;
            found.push(text[at..end].trim_end());
            at = space(bytes, end + 1);
            match bytes.get(end) {
                Some(b',') => {}
                Some(b']') => break,
                _ => return None,
            }
        }
    }
    (space(bytes, at) == bytes.len()).then_some(found)
}

/// The members of a JSON object, each with its value's own text, which is not looked into beyond its brackets and strings. The
/// error says what is wrong and at which byte.
pub fn members(text: &str) -> Result<Vec<(String, &str)>, String> {
    let bytes = text.as_bytes();
    let mut at = space(bytes, 0);
    let wrong = |at: usize, what: &str| format!("{what} expected at byte {at} of the JSON text");
    if bytes.get(at) != Some(&b'{') {
        return Err(wrong(at, "an object"));
    }
    at = space(bytes, at + 1);
    let mut found = Vec::new();
    if bytes.get(at) == Some(&b'}') {
        at += 1;
    } else {
        loop {
            let end = string_end(bytes, at).ok_or_else(|| wrong(at, "a key in quotes"))?;
            let key: String = serde_json::from_str(&text[at..end]).map_err(|_| wrong(at, "a key in quotes"))?;
            at = space(bytes, end);
            if bytes.get(at) != Some(&b':') {
                return Err(wrong(at, "a colon"));
            }
            at = space(bytes, at + 1);
            let end = value_end(bytes, at).ok_or_else(|| wrong(at, "a value"))?;
            found.push((key, text[at..end].trim_end()));
            match bytes.get(end) {
                Some(b',') => at = space(bytes, end + 1),
                Some(b'}') => {
                    at = end + 1;
                    break;
                }
                _ => return Err(wrong(end, "a comma or the end of the object")),
            }
        }
    }
    at = space(bytes, at);
    if at < bytes.len() {
        return Err(wrong(at, "the end"));
    }
    Ok(found)
}

/// The value of a JSON text in which NaN, Infinity and -Infinity may stand for numbers.
pub fn lenient(text: &str) -> serde_json::Result<serde_json::Value> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) if !text.contains("NaN") && !text.contains("Infinity") => Err(error),
        Err(_) => serde_json::from_str(&quoted(text)),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            let end = text_end(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
        let piece = word.map_or(&rest[..c.len_utf8()], |word| &rest[..word.len()]);
        if word.is_some() {
            out.push_str(&format!("\"{piece}\""));
        } else {
            out.push_str(piece);
        }
        rest = &rest[piece.len()..];
    }
    out
}

/// Where the string at the beginning of a text ends.
fn text_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Where the string that begins at `at` ends.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    loop {
        at += 1;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 1,
            _ => {}
        }
    }
}

/// Where the value that begins at `at` ends: at the comma or bracket that is not its own.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' | b',' if depth == 0 => return (at > start).then_some(at),
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{elements, lenient, members, object};
    use serde_json::json;

    #[test]
    fn objects_are_written_with_values_as_they_are() {
        let text = object(|o| {
            o.text("name", "a\"b\u{7}");
            o.number("step", 9_223_372_036_854_775_807_i64);
            o.number_if("none", None::<u8>);
            o.raw("value", "[NaN, 1.0]");
            o.objects("list", [1, 2], |n, o| o.number("n", n));
            o.texts("words", ["x", "y"]);
            o.object("empty", |_| {});
        });
        assert_eq!(
            text,
            r#"{"name": "a\"b\u0007", "step": 9223372036854775807, "value": [NaN, 1.0], "list": [{"n": 1}, {"n": 2}], "words": ["x", "y"], "empty": {}}"#
        );
    }

    #[test]
    fn arrays_are_taken_apart_into_the_texts_of_their_elements() {
        assert_eq!(elements(" [1, [2, \"]\"] , {\"a\": [NaN]}]\n"), Some(vec!["1", "[2, \"]\"]", "{\"a\": [NaN]}"]));
        assert_eq!(elements("[]"), Some(vec![]));
        for wrong in ["", "1", "[", "[1", "[1,]", "[1] 2", "[1}", "[,]"] {
            assert_eq!(elements(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn objects_are_taken_apart_into_the_texts_of_their_members() {
        let text = r#" { "name" : "a,\"}" , "args":{"x":[1,{"y":NaN}], "z":"]"} ,"n": -1.0 } "#;
        let found = members(text).unwrap();
        let expected = [("name", r#""a,\"}""#), ("args", r#"{"x":[1,{"y":NaN}], "z":"]"}"#), ("n", "-1.0")];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v)));
        assert_eq!(members("{}").unwrap(), []);
        for wrong in [
            "",
            "[]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1} x",
            "{\"a\":\"",
            "{\"a\\",
        ] {
            assert!(members(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_that_json_has_not_are_text() {
        assert_eq!(
            lenient(r#"{"NaN": [NaN, -Infinity, Infinity, 1.0], "s": "\"NaN"}"#).unwrap(),
            json!({"NaN": ["NaN", "-Infinity", "Infinity", 1.0], "s": "\"NaN"})
        );
        assert_eq!(lenient("9223372036854775807").unwrap(), json!(i64::MAX));
        assert!(lenient("{NaN").is_err());
        assert!(lenient("\"NaN").is_err());
    }
}

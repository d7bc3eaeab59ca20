//! Spoils things: source text by lines and tokens, bytes by bits, values and words.

use crate::choices::Choices;

/// A piece of a line: a word, a number, a run of spaces, or one other character.
pub fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        ' ' => 1,
        _ => 2,
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut before: Option<u8> = None;
    for (at, c) in text.char_indices() {
        let now = class(c);
        if before.is_some_and(|b| b != now || now == 2) {
            out.push(&text[start..at]);
            start = at;
        }
        before = Some(now);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// What is put where something else stood.
const FOREIGN: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "=",
    "==",
    "\"",
    "'",
    "\"\"\"",
    "f\"{",
    "\\",
    "#",
    "\t",
    "\n",
    "\r",
    "    ",
    "if",
    "for",
    "else",
    "match",
    "await",
    "async",
    "def",
    "return",
    "lambda",
    "None",
    "-",
    "**",
    "0",
    "99999999999999999999999999",
    "1e999",
    "0x",
    "é",
    "\u{feff}",
    "\0",
    "😀",
];

/// A source text with one to a few mistakes: lines or tokens deleted, doubled, swapped or replaced.
pub fn source(text: &str, choices: &mut Choices) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + choices.below(3) {
        text = if choices.chance(40) { lines(&text, choices) } else { one_token(&text, choices) };
    }
    text
}

fn lines(text: &str, choices: &mut Choices) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let (a, b) = (choices.below(lines.len()), choices.below(lines.len()));
    let indented;
    match choices.below(5) {
        0 => {
            lines.remove(a);
        }
        1 => lines.insert(b, lines[a]),
        2 => lines.swap(a, b),
        3 => {
            indented = format!("    {}", lines[a]);
            lines[a] = &indented;
        }
        _ => lines[a] = lines[a].strip_prefix("    ").unwrap_or(""),
    }
    lines.join("\n")
}

fn one_token(text: &str, choices: &mut Choices) -> String {
    let mut list = tokens(text);
    if list.is_empty() {
        return text.to_owned();
    }
    let (a, b) = (choices.below(list.len()), choices.below(list.len()));
    match choices.below(5) {
        0 => {
            list.remove(a);
        }
        1 => list.insert(a, list[a]),
        2 => list.swap(a, b),
        3 => list[a] = list[b],
        _ => list[a] = choices.text(&FOREIGN),
    }
    list.concat()
}

/// Bytes with some of them changed, but as many as before.
pub fn bytes(bytes: &mut [u8], choices: &mut Choices) {
    let len = bytes.len();
    if len < 16 {
        return;
    }
    for _ in 0..1 + choices.below(3) {
        let at = choices.below(len);
        match choices.below(6) {
            0 => bytes[at] = choices.below(256) as u8,
            1 => bytes[at] = bytes[at].wrapping_add(1),
            2 => bytes[at] = bytes[at].wrapping_sub(1),
            3 => bytes[at] ^= 1 << choices.below(8),
            4 => {
                // One word over another: both mean something.
                let (from, to) = (choices.below(len / 4 - 1) * 4, choices.below(len / 4 - 1) * 4);
                bytes.copy_within(from..from + 4, to);
            }
            _ => {
                let to = choices.below(len / 8) * 8;
                let value = *choices.pick(&[0, 1, u64::MAX, i64::MAX as u64, 1 << 31, 1 << 32]).unwrap_or(&0);
                bytes[to..to + 8].copy_from_slice(&value.to_le_bytes());
            }
        }
    }
}

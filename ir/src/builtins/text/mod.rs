//! Bodies of the builtins on text: building, indexing, slicing and asking about it. Positions are code points; where a text is
//! ASCII they are bytes, and nothing is counted.

mod case;
mod layout;
mod search;
mod split;
mod template;
mod translate;

pub(super) use case::*;
pub(super) use layout::*;
pub(super) use search::*;
pub(super) use split::*;
pub(super) use template::fields as template_fields;
pub(super) use translate::*;

use super::args::{Slice, fits, index_in, int, times, value_error};
use super::machine::{Call, Machine};
use super::unicode;
use crate::structural::str_repr;
use crate::trap::Fault;

type Result64 = Result<u64, Fault>;

pub(super) fn len(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(m.str_len(a[0]) as u64)
}

pub(super) fn concat(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = [m.str(a[0]), m.str(a[1])].concat();
    m.new_str(&text)
}

pub(super) fn of_int(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    m.new_str(&int(a[0]).to_string())
}

pub(super) fn repeat(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let count = times(int(a[1]));
    fits(m, m.str(a[0]).len(), count)?;
    let text = if m.str(a[0]).is_empty() { String::new() } else { m.str(a[0]).repeat(count) };
    m.new_str(&text)
}

/// The byte at which the code point with this index (at most the length) begins.
fn byte_of(text: &str, is_ascii: bool, index: usize) -> usize {
    if is_ascii { index } else { text.char_indices().nth(index).map_or(text.len(), |(at, _)| at) }
}

/// The index of the code point that begins at this byte.
fn index_of_byte(text: &str, is_ascii: bool, byte: usize) -> usize {
    if is_ascii { byte } else { text[..byte].chars().count() }
}

pub(super) fn index(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let at = index_in(m.str_len(a[0]), int(a[1]), "string")?;
    let text = m.str(a[0]);
    let at = byte_of(text, m.str_is_ascii(a[0]), at);
    let c = text[at..].chars().next().expect("the index is inside the text");
    m.new_str(c.encode_utf8(&mut [0; 4]))
}

pub(super) fn slice(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let slice = Slice::of(m.str_len(a[0]), int(a[1]), int(a[2]), int(a[3]))?;
    let (text, is_ascii) = (m.str(a[0]), m.str_is_ascii(a[0]));
    let part: String = if slice.count == 0 {
        String::new()
    } else if slice.step == 1 {
        let start = byte_of(text, is_ascii, slice.first);
        let rest = &text[start..];
        rest[..byte_of(rest, is_ascii, slice.count)].to_owned()
    } else if is_ascii {
        slice.indices().map(|at| char::from(text.as_bytes()[at])).collect()
    } else {
        let chars: Vec<char> = text.chars().collect();
        slice.indices().map(|at| chars[at]).collect()
    };
    m.new_str(&part)
}

/// `list(text)`: its characters.
pub(super) fn chars(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    // Each character is an object of its own.
    fits(m, 32, m.str_len(a[0]))?;
    let chars: Vec<char> = m.str(a[0]).chars().collect();
    let slots = chars.iter().map(|c| m.new_str(c.encode_utf8(&mut [0; 4]))).collect::<Result<Vec<_>, _>>()?;
    m.new_list(c.ret, &slots)
}

pub(super) fn join(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let len = m.list_len(a[1]);
    let separators = m.str(a[0]).len().saturating_mul(len.saturating_sub(1));
    let parts = (0..len).map(|at| m.str(m.list_get(a[1], at)).len());
    let bytes = parts.fold(separators, usize::saturating_add);
    fits(m, bytes, 1)?;
    let mut out = String::with_capacity(bytes);
    for at in 0..len {
        if at > 0 {
            out.push_str(m.str(a[0]));
        }
        out.push_str(m.str(m.list_get(a[1], at)));
    }
    m.new_str(&out)
}

fn all(m: &dyn Machine, text: u64, holds: fn(char) -> bool) -> Result64 {
    let text = m.str(text);
    Ok(u64::from(!text.is_empty() && text.chars().all(holds)))
}

pub(super) fn is_digit(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all(m, a[0], unicode::is_digit)
}

pub(super) fn is_printable(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.str(a[0]).chars().all(unicode::is_printable)))
}

pub(super) fn is_decimal(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all(m, a[0], |c| unicode::decimal(c).is_some())
}

pub(super) fn is_alpha(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all(m, a[0], unicode::is_letter)
}

pub(super) fn is_alnum(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all(m, a[0], unicode::is_alphanumeric)
}

pub(super) fn is_space(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all(m, a[0], unicode::is_space)
}

pub(super) fn is_ascii(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.str_is_ascii(a[0])))
}

/// What an encoding's name stands for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Encoding {
    Utf8,
    Ascii,
    Latin1,
}

/// The encoding with this name, written as Python allows.
pub(super) fn encoding(name: &str) -> Result<Encoding, Fault> {
    match name.to_ascii_lowercase().replace(['_', ' '], "-").as_str() {
        "utf-8" | "utf8" | "u8" => Ok(Encoding::Utf8),
        "ascii" | "us-ascii" => Ok(Encoding::Ascii),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => Ok(Encoding::Latin1),
        _ => Err(value_error(format!("unknown encoding: {} (known are utf-8, ascii, latin-1)", str_repr(name)))),
    }
}

pub(super) fn encode(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.str(a[0]).as_bytes().to_vec();
    m.new_bytes(&bytes)
}

pub(super) fn encode_errors(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let last = match encoding(m.str(a[1]))? {
        // It has all characters.
        Encoding::Utf8 => return encode(m, c, a),
        Encoding::Ascii => 0x7f,
        Encoding::Latin1 => 0xff,
    };
    let all = m.str(a[0]).chars().all(|c| u8::try_from(u32::from(c)).is_ok_and(|byte| byte <= last));
    let errors = m.str(a[2]).to_owned();
    if all || errors == "strict" {
        return encode_as(m, c, a);
    }
    let mut bytes = Vec::with_capacity(m.str(a[0]).len());
    for c in m.str(a[0]).chars() {
        let code = u32::from(c);
        match (u8::try_from(code), errors.as_str()) {
            (Ok(byte), _) if byte <= last => bytes.push(byte),
            (_, "ignore") => {}
            (_, "replace") => bytes.push(b'?'),
            (_, "backslashreplace") => bytes.extend(escaped(code).bytes()),
            (_, "xmlcharrefreplace") => bytes.extend(format!("&#{code};").bytes()),
            _ => return Err(value_error(format!("unknown error handler name '{errors}'"))),
        }
    }
    m.new_bytes(&bytes)
}

/// A code point as an escape of a text literal.
fn escaped(code: u32) -> String {
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

pub(super) fn is_numeric(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = m.str(a[0]);
    Ok(u64::from(!text.is_empty() && text.chars().all(unicode::is_numeric)))
}

pub(super) fn is_identifier(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let mut chars = m.str(a[0]).chars();
    let begins = chars.next().is_some_and(unicode::begins_name);
    Ok(u64::from(begins && chars.all(unicode::continues_name)))
}

pub(super) fn encode_as(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (name, last) = match encoding(m.str(a[1]))? {
        Encoding::Utf8 => return encode(m, c, a),
        Encoding::Ascii => ("ascii", 0x7f),
        Encoding::Latin1 => ("latin-1", 0xff),
    };
    let mut bytes = Vec::with_capacity(m.str(a[0]).len());
    let has = |c: char| u8::try_from(u32::from(c)).ok().filter(|byte| *byte <= last);
    for (at, c) in m.str(a[0]).chars().enumerate() {
        let Some(byte) = has(c) else {
            let lacking = m.str(a[0]).chars().skip(at).take_while(|c| has(*c).is_none()).count();
            let which = match lacking {
                1 => format!("character '{}' in position {at}", escaped(u32::from(c))),
                _ => format!("characters in position {at}-{}", at + lacking - 1),
            };
            let limit = u32::from(last) + 1;
            let message = format!("'{name}' codec can't encode {which}: ordinal not in range({limit})");
            return Err(value_error(message));
        };
        bytes.push(byte);
    }
    m.new_bytes(&bytes)
}

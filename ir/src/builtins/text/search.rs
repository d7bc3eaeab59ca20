//! Finding, counting and replacing parts of a text.

use super::{Result64, byte_of, index_of_byte};
use crate::builtins::args::{clamp, fits, int, value_error};
use crate::builtins::machine::{Call, Machine};

pub(in crate::builtins) fn contains(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.str(a[0]).contains(m.str(a[1]))))
}

/// The part that arguments 2 and 3 (start and end, where given) select: its first byte and its text; nothing where the start
/// is past the end.
fn window<'m>(m: &'m dyn Machine, a: &[u64]) -> Option<(usize, &'m str)> {
    let text = m.str(a[0]);
    if a.len() == 2 {
        return Some((0, text));
    }
    let len = m.str_len(a[0]);
    let start = int(a[2]);
    let start = if start < 0 { clamp(len, start) } else { usize::try_from(start).ok().filter(|at| *at <= len)? };
    let end = a.get(3).map_or(len, |end| clamp(len, int(*end)));
    if start > end {
        return None;
    }
    let is_ascii = m.str_is_ascii(a[0]);
    let first = byte_of(text, is_ascii, start);
    let last = first + byte_of(&text[first..], is_ascii, end - start);
    Some((first, &text[first..last]))
}

fn position(m: &dyn Machine, a: &[u64], search: fn(&str, &str) -> Option<usize>) -> Option<u64> {
    let (first, text) = window(m, a)?;
    let byte = first + search(text, m.str(a[1]))?;
    Some(index_of_byte(m.str(a[0]), m.str_is_ascii(a[0]), byte) as u64)
}

fn forwards(text: &str, part: &str) -> Option<usize> {
    text.find(part)
}

fn backwards(text: &str, part: &str) -> Option<usize> {
    text.rfind(part)
}

const NOWHERE: u64 = -1i64 as u64;

pub(in crate::builtins) fn find(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(position(m, a, forwards).unwrap_or(NOWHERE))
}

pub(in crate::builtins) fn rfind(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(position(m, a, backwards).unwrap_or(NOWHERE))
}

pub(in crate::builtins) fn find_or_fail(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    position(m, a, forwards).ok_or_else(|| value_error("substring not found"))
}

pub(in crate::builtins) fn rfind_or_fail(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    position(m, a, backwards).ok_or_else(|| value_error("substring not found"))
}

/// How often the part stands in the text without overlap; an empty one stands before each character and at the end.
pub(in crate::builtins) fn count(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(window(m, a).map_or(0, |(_, text)| text.matches(m.str(a[1])).count() as u64))
}

pub(in crate::builtins) fn starts_with(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(window(m, a).is_some_and(|(_, text)| text.starts_with(m.str(a[1])))))
}

pub(in crate::builtins) fn ends_with(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(window(m, a).is_some_and(|(_, text)| text.ends_with(m.str(a[1])))))
}

pub(in crate::builtins) fn replace(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (text, old, new) = (m.str(a[0]), m.str(a[1]), m.str(a[2]));
    let most = a.get(3).map_or(usize::MAX, |count| usize::try_from(int(*count)).unwrap_or(usize::MAX));
    let found = text.matches(old).take(most).count();
    if found == 0 {
        return Ok(a[0]);
    }
    fits(m, new.len(), found)?;
    let text = text.replacen(old, new, most);
    m.new_str(&text)
}

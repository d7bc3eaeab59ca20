//! Cutting a text into parts.

use super::Result64;
use crate::builtins::args::{fits, int, value_error};
use crate::builtins::machine::{Call, Machine};
use crate::builtins::unicode;
use crate::trap::Fault;

/// A list of these parts of the text `of`, each as a new text.
fn list(m: &mut dyn Machine, c: &Call<'_>, parts: Vec<String>) -> Result64 {
    fits(m, 40, parts.len())?;
    let slots = parts.iter().map(|part| m.new_str(part)).collect::<Result<Vec<_>, _>>()?;
    m.new_list(c.ret, &slots)
}

/// `maxsplit`, the third argument: negative or absent for no limit.
fn max_split(a: &[u64]) -> usize {
    a.get(2).map_or(usize::MAX, |max| usize::try_from(int(*max)).unwrap_or(usize::MAX))
}

fn separator<'m>(m: &'m dyn Machine, a: &[u64]) -> Result<&'m str, Fault> {
    let separator = m.str(a[1]);
    if separator.is_empty() { Err(value_error("empty separator")) } else { Ok(separator) }
}

/// At runs of white space, without empty parts.
pub(in crate::builtins) fn split_space(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (mut parts, mut left) = (Vec::new(), max_split(a));
    let mut rest = m.str(a[0]).trim_start_matches(unicode::is_space);
    while !rest.is_empty() {
        let end = if left == 0 { None } else { rest.find(unicode::is_space) };
        left = left.saturating_sub(1);
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        parts.push(part.to_owned());
        rest = after.trim_start_matches(unicode::is_space);
    }
    list(m, c, parts)
}

/// As `split_space`, cutting from the end.
pub(in crate::builtins) fn rsplit_space(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (mut parts, mut left) = (Vec::new(), max_split(a));
    let mut rest = m.str(a[0]).trim_end_matches(unicode::is_space);
    while !rest.is_empty() {
        let before = if left == 0 { "" } else { rest.trim_end_matches(|c| !unicode::is_space(c)) };
        left = left.saturating_sub(1);
        parts.push(rest[before.len()..].to_owned());
        rest = before.trim_end_matches(unicode::is_space);
    }
    parts.reverse();
    list(m, c, parts)
}

pub(in crate::builtins) fn split(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let separator = separator(m, a)?;
    let parts = m.str(a[0]).splitn(max_split(a).saturating_add(1), separator).map(str::to_owned).collect();
    list(m, c, parts)
}

pub(in crate::builtins) fn rsplit(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let separator = separator(m, a)?;
    let mut parts: Vec<_> = m.str(a[0]).rsplitn(max_split(a).saturating_add(1), separator).map(str::to_owned).collect();
    parts.reverse();
    list(m, c, parts)
}

pub(in crate::builtins) fn splitlines(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let keep_ends = a.get(1).is_some_and(|keep| *keep != 0);
    let (mut parts, mut rest) = (Vec::new(), m.str(a[0]));
    while !rest.is_empty() {
        let end = rest.find(unicode::ends_line).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let mark = if after.starts_with("\r\n") { 2 } else { after.chars().next().map_or(0, char::len_utf8) };
        parts.push(if keep_ends { rest[..end + mark].to_owned() } else { line.to_owned() });
        rest = &after[mark..];
    }
    list(m, c, parts)
}

fn triple(m: &mut dyn Machine, c: &Call<'_>, parts: [String; 3]) -> Result64 {
    let slots = parts.iter().map(|part| m.new_str(part)).collect::<Result<Vec<_>, _>>()?;
    m.new_object(c.ret, &slots)
}

pub(in crate::builtins) fn partition(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (separator, text) = (separator(m, a)?, m.str(a[0]));
    let (before, found, after) = match text.split_once(separator) {
        Some((before, after)) => (before, separator, after),
        None => (text, "", ""),
    };
    let parts = [before, found, after].map(str::to_owned);
    triple(m, c, parts)
}

pub(in crate::builtins) fn rpartition(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (separator, text) = (separator(m, a)?, m.str(a[0]));
    let (before, found, after) = match text.rsplit_once(separator) {
        Some((before, after)) => (before, separator, after),
        None => ("", "", text),
    };
    let parts = [before, found, after].map(str::to_owned);
    triple(m, c, parts)
}

//! Character for character: `maketrans` and `translate`, and tabs.

use super::Result64;
use crate::builtins::args::{fits, int, value_error};
use crate::builtins::machine::{Call, Machine};
use std::collections::HashMap;

/// Puts `code: text` into a table for `translate`.
fn put(m: &mut dyn Machine, table: u64, c: char, text: &str) -> Result<(), crate::trap::Fault> {
    let text = m.new_str(text)?;
    m.dict_set(table, u64::from(u32::from(c)), text)
}

/// `str.maketrans(x, y[, z])`: the characters of x become those of y, those of z nothing.
pub(in crate::builtins) fn make_trans(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (from, to): (Vec<char>, Vec<char>) = (m.str(a[0]).chars().collect(), m.str(a[1]).chars().collect());
    if from.len() != to.len() {
        return Err(value_error("the first two maketrans arguments must have equal length"));
    }
    let gone: Vec<char> = a.get(2).map_or(Vec::new(), |z| m.str(*z).chars().collect());
    let table = m.new_dict(c.ret)?;
    for (from, to) in from.into_iter().zip(to) {
        put(m, table, from, to.encode_utf8(&mut [0; 4]))?;
    }
    for c in gone {
        put(m, table, c, "")?;
    }
    Ok(table)
}

/// `str.maketrans(dict)`.
pub(in crate::builtins) fn make_trans_dict(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let table = m.new_dict(c.ret)?;
    let mut position = 0;
    while let Some(at) = m.dict_next(a[0], position) {
        let (key, value) = m.dict_entry(a[0], at);
        let mut chars = m.str(key).chars();
        let (Some(c), None) = (chars.next(), chars.next()) else {
            return Err(value_error("string keys in translate table must be of length 1"));
        };
        m.dict_set(table, u64::from(u32::from(c)), value)?;
        position = at + 1;
    }
    Ok(table)
}

pub(in crate::builtins) fn translate(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    // The table is asked once for each character that the text has.
    let mut known: HashMap<char, Option<u64>> = HashMap::new();
    let (mut out, room) = (String::new(), m.room());
    for c in m.str(a[0]).chars() {
        let found = *known.entry(c).or_insert_with(|| {
            let at = m.dict_find(a[1], u64::from(u32::from(c)))?;
            Some(m.dict_entry(a[1], at).1)
        });
        match found {
            Some(text) => out.push_str(m.str(text)),
            None => out.push(c),
        }
        if out.len() > room {
            fits(m, out.len(), 1)?;
        }
    }
    m.new_str(&out)
}

/// Tabs as spaces up to the next column that is a multiple of the size, 8 if none is given.
pub(in crate::builtins) fn expandtabs(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let size = a.get(1).map_or(8, |size| usize::try_from(int(*size)).unwrap_or(0));
    let tabs = m.str(a[0]).matches('\t').count();
    fits(m, size, tabs)?;
    let (mut out, mut column) = (String::with_capacity(m.str(a[0]).len()), 0);
    for c in m.str(a[0]).chars() {
        match c {
            '\t' => {
                let spaces = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    m.new_str(&out)
}

//! Bodies of the builtins on dicts.

use super::args::{element, entry, fits};
use super::machine::{Call, Machine};
use crate::structural;
use crate::trap::{Fault, TrapKind};

type Result64 = Result<u64, Fault>;

pub(super) fn len(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(m.dict_len(a[0]) as u64)
}

fn lookup(m: &dyn Machine, dict: u64, key: u64) -> Option<u64> {
    m.dict_find(dict, key).map(|at| m.dict_entry(dict, at).1)
}

/// The fault of a missing key, which shows the key.
fn missing(m: &dyn Machine, c: &Call<'_>, dict_key: u64) -> Result<Fault, Fault> {
    let (key, _) = entry(m, c.args[0]);
    let mut shown = structural::repr(m, key, dict_key)?;
    if let Some((end, _)) = shown.char_indices().nth(200) {
        shown.truncate(end);
        shown.push('…');
    }
    Ok(Fault::new(TrapKind::Key, shown))
}

pub(super) fn get_or(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(lookup(m, a[0], a[1]).unwrap_or(a[2]))
}

pub(super) fn pop(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    match m.dict_remove(a[0], a[1]) {
        Some(value) => Ok(value),
        None => Err(missing(m, c, a[1])?),
    }
}

pub(super) fn pop_or(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(m.dict_remove(a[0], a[1]).unwrap_or(a[2]))
}

pub(super) fn delete(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    pop(m, c, a)?;
    Ok(0)
}

pub(super) fn set_default(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    if let Some(value) = lookup(m, a[0], a[1]) {
        return Ok(value);
    }
    m.dict_set(a[0], a[1], a[2])?;
    Ok(a[2])
}

/// All entries, in order.
fn entries(m: &dyn Machine, dict: u64) -> Vec<(u64, u64)> {
    let (mut all, mut position) = (Vec::with_capacity(m.dict_len(dict)), 0);
    while let Some(at) = m.dict_next(dict, position) {
        all.push(m.dict_entry(dict, at));
        position = at + 1;
    }
    all
}

pub(super) fn keys(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 16, m.dict_len(a[0]))?;
    let slots: Vec<u64> = entries(m, a[0]).into_iter().map(|(key, _)| key).collect();
    m.new_list(c.ret, &slots)
}

pub(super) fn values(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 16, m.dict_len(a[0]))?;
    let slots: Vec<u64> = entries(m, a[0]).into_iter().map(|(_, value)| value).collect();
    m.new_list(c.ret, &slots)
}

pub(super) fn items(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 48, m.dict_len(a[0]))?;
    let pair = element(m, c.ret);
    let pairs = entries(m, a[0]).into_iter().map(|(key, value)| m.new_object(pair, &[key, value]));
    let slots = pairs.collect::<Result<Vec<_>, _>>()?;
    m.new_list(c.ret, &slots)
}

pub(super) fn clear(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    m.dict_clear(a[0]);
    Ok(0)
}

pub(super) fn update(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 16, m.dict_len(a[1]))?;
    for (key, value) in entries(m, a[1]) {
        m.dict_set(a[0], key, value)?;
    }
    Ok(0)
}

pub(super) fn copy(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 16, m.dict_len(a[0]))?;
    let dict = m.new_dict(c.ret)?;
    for (key, value) in entries(m, a[0]) {
        m.dict_set(dict, key, value)?;
    }
    Ok(dict)
}

/// A new dict of both, the second winning.
pub(super) fn merge(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let dict = copy(m, c, a)?;
    update(m, c, &[dict, a[1]])?;
    Ok(dict)
}

/// `dict(pairs)`.
pub(super) fn of_pairs(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let dict = m.new_dict(c.ret)?;
    for at in 0..m.list_len(a[0]) {
        let pair = m.list_get(a[0], at);
        let (key, value) = (m.slot(pair, 0), m.slot(pair, 1));
        m.dict_set(dict, key, value)?;
    }
    Ok(dict)
}

/// Removes the last entry and gives it as a pair.
pub(super) fn pop_item(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let Some((key, value)) = last(m, a[0]) else {
        return Err(Fault::new(TrapKind::Key, "popitem(): dictionary is empty"));
    };
    if m.dict_remove(a[0], key).is_none() {
        return Err(Fault::new(TrapKind::Value, "popitem(): the key is a NaN, which is not equal to itself"));
    }
    m.new_object(c.ret, &[key, value])
}

fn last(m: &dyn Machine, dict: u64) -> Option<(u64, u64)> {
    let position = m.dict_last(dict)?;
    Some(m.dict_entry(dict, position))
}

//! Bodies of the builtins on sets, frozen or not. A set is a dict without values: its elements are the keys.
//!
//! Where CPython leaves an order open there is one here: elements stay in the order in which they came in, what an operator
//! makes has those of its left side first, and `pop` takes the oldest.

use super::args::{element, fits};
use super::machine::{Call, Machine};
use crate::entity::TypeId;
use crate::structural::{self, includes};
use crate::trap::{Fault, TrapKind};

type Result64 = Result<u64, Fault>;

/// About what an element takes in memory.
const ENTRY: usize = 32;

pub(super) fn len(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(m.dict_len(a[0]) as u64)
}

/// All elements, in order.
fn elements(m: &dyn Machine, set: u64) -> Vec<u64> {
    let (mut all, mut position) = (Vec::with_capacity(m.dict_len(set)), 0);
    while let Some(at) = m.dict_next(set, position) {
        all.push(m.dict_entry(set, at).0);
        position = at + 1;
    }
    all
}

fn has(m: &dyn Machine, set: u64, element: u64) -> bool {
    m.dict_find(set, element).is_some()
}

/// A new set of this type.
fn made(m: &mut dyn Machine, ty: TypeId, of: impl IntoIterator<Item = u64>) -> Result64 {
    let set = m.new_dict(ty)?;
    for element in of {
        put(m, set, element)?;
    }
    Ok(set)
}

/// Adds an element that may be there, which then changes nothing: not even what the next commit writes.
fn put(m: &mut dyn Machine, set: u64, element: u64) -> Result<(), Fault> {
    if has(m, set, element) { Ok(()) } else { m.dict_set(set, element, 0) }
}

/// `set(list)` and `frozenset(list)`.
pub(super) fn of_list(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let slots = m.list_slots(a[0]);
    made(m, c.ret, slots)
}

/// A new set of either kind with the elements of another one.
pub(super) fn copy(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, ENTRY, m.dict_len(a[0]))?;
    let all = elements(m, a[0]);
    made(m, c.ret, all)
}

/// `list(set)`.
pub(super) fn to_list(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 8, m.dict_len(a[0]))?;
    let all = elements(m, a[0]);
    m.new_list(c.ret, &all)
}

pub(super) fn contains(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(has(m, a[0], a[1])))
}

pub(super) fn add(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    put(m, a[0], a[1])?;
    Ok(0)
}

pub(super) fn discard(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    m.dict_remove(a[0], a[1]);
    Ok(0)
}

pub(super) fn remove(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    if m.dict_remove(a[0], a[1]).is_some() {
        return Ok(0);
    }
    Err(Fault::missing_key(structural::repr(m, element(m, c.args[0]), a[1])?))
}

/// Takes the element that has been in it longest.
pub(super) fn pop(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let Some(first) = m.dict_next(a[0], 0) else {
        return Err(Fault::new(TrapKind::Key, "'pop from an empty set'"));
    };
    let (element, _) = m.dict_entry(a[0], first);
    if m.dict_remove(a[0], element).is_none() {
        return Err(Fault::new(TrapKind::Value, "pop(): the element is a NaN, which is not equal to itself"));
    }
    Ok(element)
}

pub(super) fn clear(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    m.dict_clear(a[0]);
    Ok(0)
}

pub(super) fn update(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, ENTRY, m.dict_len(a[1]))?;
    for element in elements(m, a[1]) {
        put(m, a[0], element)?;
    }
    Ok(0)
}

pub(super) fn union(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let set = copy(m, c, a)?;
    update(m, c, &[set, a[1]])?;
    Ok(set)
}

/// The elements of a set that are (or are not) in another one.
fn kept(m: &dyn Machine, set: u64, other: u64, inside: bool) -> Vec<u64> {
    let mut all = elements(m, set);
    all.retain(|element| has(m, other, *element) == inside);
    all
}

/// Leaves these elements only, of those that are in it.
fn shrink(m: &mut dyn Machine, set: u64, gone: &[u64]) -> Result64 {
    for element in gone {
        m.dict_remove(set, *element);
    }
    Ok(0)
}

pub(super) fn intersection(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let all = kept(m, a[0], a[1], true);
    made(m, c.ret, all)
}

pub(super) fn intersection_update(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let gone = kept(m, a[0], a[1], false);
    shrink(m, a[0], &gone)
}

pub(super) fn difference(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let all = kept(m, a[0], a[1], false);
    made(m, c.ret, all)
}

pub(super) fn difference_update(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let gone = elements(m, a[1]);
    shrink(m, a[0], &gone)
}

pub(super) fn symmetric_difference(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let mut all = kept(m, a[0], a[1], false);
    all.extend(kept(m, a[1], a[0], false));
    made(m, c.ret, all)
}

pub(super) fn symmetric_difference_update(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    for element in elements(m, a[1]) {
        if m.dict_remove(a[0], element).is_none() {
            m.dict_set(a[0], element, 0)?;
        }
    }
    Ok(0)
}

pub(super) fn is_subset(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.dict_len(a[0]) <= m.dict_len(a[1]) && includes(m, a[1], a[0])))
}

pub(super) fn is_superset(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    is_subset(m, c, &[a[1], a[0]])
}

/// `a < b`.
pub(super) fn is_proper_subset(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.dict_len(a[0]) < m.dict_len(a[1]) && includes(m, a[1], a[0])))
}

/// `a == b`, of either kind.
pub(super) fn equal(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.dict_len(a[0]) == m.dict_len(a[1]) && includes(m, a[1], a[0])))
}

pub(super) fn is_disjoint(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(!elements(m, a[0]).into_iter().any(|element| has(m, a[1], element))))
}

/// The position of the first element at or after a position, or -1.
pub(super) fn next(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let found = usize::try_from(a[1] as i64).ok().and_then(|position| m.dict_next(a[0], position));
    Ok(found.map_or(-1, |at| at as i64) as u64)
}

/// The element at a position that `next` gave.
pub(super) fn at(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let position = a[1] as i64;
    let here = usize::try_from(position).ok().filter(|at| m.dict_next(a[0], *at) == Some(*at));
    here.map(|at| m.dict_entry(a[0], at).0).ok_or_else(|| Fault::missing_entry(position))
}

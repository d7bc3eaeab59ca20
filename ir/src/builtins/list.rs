//! Bodies of the builtins on lists.

use super::args::{Slice, clamp, element, fits, index_in, int, overflow, times, value_error};
use super::machine::{Call, Machine};
use crate::entity::TypeId;
use crate::structural;
use crate::trap::{Fault, TrapKind};
use crate::types::Type;
use std::cmp::Ordering;

type Result64 = Result<u64, Fault>;

const SLOT: usize = 8;

pub(super) fn len(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(m.list_len(a[0]) as u64)
}

fn remove_at(m: &mut dyn Machine, list: u64, at: usize) -> Result64 {
    let element = m.list_get(list, at);
    m.list_splice(list, at..at + 1, &[])?;
    Ok(element)
}

pub(super) fn pop(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    match m.list_len(a[0]) {
        0 => Err(Fault::new(TrapKind::Index, "pop from empty list")),
        len => remove_at(m, a[0], len - 1),
    }
}

pub(super) fn pop_at(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let len = m.list_len(a[0]);
    if len == 0 {
        return pop(m, c, a);
    }
    let at = index_in(len, int(a[1]), "pop")?;
    remove_at(m, a[0], at)
}

pub(super) fn delete(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let at = index_in(m.list_len(a[0]), int(a[1]), "list assignment")?;
    m.list_splice(a[0], at..at + 1, &[])?;
    Ok(0)
}

pub(super) fn append(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let len = m.list_len(a[0]);
    m.list_splice(a[0], len..len, &a[1..2])?;
    Ok(0)
}

pub(super) fn insert(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let at = clamp(m.list_len(a[0]), int(a[1]));
    m.list_splice(a[0], at..at, &a[2..3])?;
    Ok(0)
}

pub(super) fn extend(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (len, more) = (m.list_len(a[0]), m.list_len(a[1]));
    fits(m, SLOT, more)?;
    let slots = m.list_slots(a[1]);
    m.list_splice(a[0], len..len, &slots)?;
    Ok(0)
}

/// The first index in `range` of an element that equals the value.
fn position(
    m: &dyn Machine,
    ty: TypeId,
    list: u64,
    value: u64,
    from: usize,
    to: usize,
) -> Result<Option<usize>, Fault> {
    for at in from..to {
        if structural::eq(m, ty, m.list_get(list, at), value)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

pub(super) fn contains(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let found = position(m, c.args[1], a[0], a[1], 0, m.list_len(a[0]))?;
    Ok(u64::from(found.is_some()))
}

pub(super) fn index(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let len = m.list_len(a[0]);
    let from = a.get(2).map_or(0, |start| clamp(len, int(*start)));
    let to = a.get(3).map_or(len, |end| clamp(len, int(*end)));
    match position(m, c.args[1], a[0], a[1], from, to)? {
        Some(at) => Ok(at as u64),
        None => Err(value_error(format!("{} is not in list", brief(m, c.args[1], a[1])?))),
    }
}

/// `tuple.index`.
pub(super) fn tuple_index(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    match position(m, c.args[1], a[0], a[1], 0, m.list_len(a[0]))? {
        Some(at) => Ok(at as u64),
        None => Err(value_error(format!("tuple.index(x): x not in tuple: {}", brief(m, c.args[1], a[1])?))),
    }
}

/// The element of a tuple of any length at an index.
pub(super) fn tuple_get(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let at = index_in(m.list_len(a[0]), int(a[1]), "tuple")?;
    Ok(m.list_get(a[0], at))
}

/// The `repr` of a value for a message, cut where it is long.
fn brief(m: &dyn Machine, ty: TypeId, value: u64) -> Result<String, Fault> {
    let text = structural::repr(m, ty, value)?;
    match text.char_indices().nth(100) {
        Some((end, _)) => Ok(format!("{}…", &text[..end])),
        None => Ok(text),
    }
}

pub(super) fn remove(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    match position(m, c.args[1], a[0], a[1], 0, m.list_len(a[0]))? {
        Some(at) => {
            m.list_splice(a[0], at..at + 1, &[])?;
            Ok(0)
        }
        None => Err(value_error(format!("list.remove(x): x not in list: {}", brief(m, c.args[1], a[1])?))),
    }
}

pub(super) fn count(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let mut count = 0;
    for at in 0..m.list_len(a[0]) {
        count += u64::from(structural::eq(m, c.args[1], m.list_get(a[0], at), a[1])?);
    }
    Ok(count)
}

/// Puts the same number of elements into a list.
fn replace_all(m: &mut dyn Machine, list: u64, slots: &[u64]) -> Result64 {
    let len = m.list_len(list);
    m.list_splice(list, 0..len, slots)?;
    Ok(0)
}

pub(super) fn reverse(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let mut slots = m.list_slots(a[0]);
    slots.reverse();
    replace_all(m, a[0], &slots)
}

pub(super) fn clear(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    replace_all(m, a[0], &[])
}

pub(super) fn copy(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, SLOT, m.list_len(a[0]))?;
    let slots = m.list_slots(a[0]);
    m.new_list(c.ret, &slots)
}

pub(super) fn reversed(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, SLOT, m.list_len(a[0]))?;
    let mut slots = m.list_slots(a[0]);
    slots.reverse();
    m.new_list(c.ret, &slots)
}

pub(super) fn concat(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, SLOT, m.list_len(a[0]).saturating_add(m.list_len(a[1])))?;
    let mut slots = m.list_slots(a[0]);
    slots.extend(m.list_slots(a[1]));
    m.new_list(c.ret, &slots)
}

pub(super) fn repeat(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let count = times(int(a[1]));
    fits(m, SLOT.saturating_mul(m.list_len(a[0])), count)?;
    let slots = m.list_slots(a[0]);
    let slots = if slots.is_empty() { slots } else { slots.repeat(count) };
    m.new_list(c.ret, &slots)
}

/// `list *= count`.
pub(super) fn repeat_in_place(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let count = times(int(a[1]));
    fits(m, SLOT.saturating_mul(m.list_len(a[0])), count)?;
    let slots = m.list_slots(a[0]);
    let slots = if slots.is_empty() { slots } else { slots.repeat(count) };
    replace_all(m, a[0], &slots)
}

pub(super) fn slice(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let slice = Slice::of(m.list_len(a[0]), int(a[1]), int(a[2]), int(a[3]))?;
    fits(m, SLOT, slice.count)?;
    let slots: Vec<u64> = slice.indices().map(|at| m.list_get(a[0], at)).collect();
    m.new_list(c.ret, &slots)
}

/// `del list[start:stop:step]`.
pub(super) fn slice_delete(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let slice = Slice::of(m.list_len(a[0]), int(a[1]), int(a[2]), int(a[3]))?;
    if slice.count == 0 {
        return Ok(0);
    }
    if slice.step == 1 {
        m.list_splice(a[0], slice.first..slice.first + slice.count, &[])?;
        return Ok(0);
    }
    let mut slots = m.list_slots(a[0]);
    let mut gone = vec![false; slots.len()];
    slice.indices().for_each(|at| gone[at] = true);
    let mut gone = gone.into_iter();
    slots.retain(|_| !gone.next().unwrap_or(false));
    replace_all(m, a[0], &slots)
}

/// `list[start:stop:step] = with`.
pub(super) fn slice_set(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let slice = Slice::of(m.list_len(a[0]), int(a[1]), int(a[2]), int(a[3]))?;
    let with = m.list_slots(a[4]);
    if slice.step == 1 {
        // An empty slice stands at its start, wherever its end is.
        m.list_splice(a[0], slice.first..slice.first + slice.count, &with)?;
        return Ok(0);
    }
    if with.len() != slice.count {
        let message =
            format!("attempt to assign sequence of size {} to extended slice of size {}", with.len(), slice.count);
        return Err(value_error(message));
    }
    for (at, element) in slice.indices().zip(with) {
        m.list_set(a[0], at, element);
    }
    Ok(0)
}

/// Sorts by `structural::order`, stable; in reverse equal elements keep their order too, as in Python.
fn sorted_slots(m: &dyn Machine, ty: TypeId, list: u64, reverse: bool) -> Result<Vec<u64>, Fault> {
    fits(m, 2 * SLOT, m.list_len(list))?;
    let mut slots = m.list_slots(list);
    let direct = |ordering: Ordering| if reverse { ordering.reverse() } else { ordering };
    match m.types().get(ty) {
        Type::Int | Type::Bool => slots.sort_by(|x, y| direct(int(*x).cmp(&int(*y)))),
        Type::Str => slots.sort_by(|x, y| direct(m.str(*x).cmp(m.str(*y)))),
        _ => {
            let mut failed = None;
            slots.sort_by(|x, y| match structural::order(m, ty, *x, *y) {
                Ok(ordering) => direct(ordering),
                Err(fault) => {
                    failed.get_or_insert(fault);
                    Ordering::Equal
                }
            });
            if let Some(fault) = failed {
                return Err(fault);
            }
        }
    }
    Ok(slots)
}

pub(super) fn sort(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let reverse = a.get(1).is_some_and(|r| *r != 0);
    let slots = sorted_slots(m, element(m, c.args[0]), a[0], reverse)?;
    replace_all(m, a[0], &slots)
}

pub(super) fn sorted(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let reverse = a.get(1).is_some_and(|r| *r != 0);
    let slots = sorted_slots(m, element(m, c.args[0]), a[0], reverse)?;
    m.new_list(c.ret, &slots)
}

/// Fails where a list and the list of its keys are not of one length.
fn keys_fit(m: &dyn Machine, list: u64, keys: u64) -> Result<usize, Fault> {
    let len = m.list_len(list);
    if len != m.list_len(keys) {
        return Err(value_error("list modified during sort"));
    }
    Ok(len)
}

pub(super) fn sorted_by(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let len = keys_fit(m, a[0], a[1])?;
    fits(m, 4 * SLOT, len)?;
    let reverse = a[2] != 0;
    let ty = element(m, c.args[1]);
    let (slots, keys) = (m.list_slots(a[0]), m.list_slots(a[1]));
    let mut places: Vec<usize> = (0..len).collect();
    let mut failed = None;
    places.sort_by(|x, y| {
        let ordering = match m.types().get(ty) {
            Type::Int | Type::Bool => Ok(int(keys[*x]).cmp(&int(keys[*y]))),
            _ => structural::order(m, ty, keys[*x], keys[*y]),
        };
        match ordering {
            Ok(ordering) if reverse => ordering.reverse(),
            Ok(ordering) => ordering,
            Err(fault) => {
                failed.get_or_insert(fault);
                Ordering::Equal
            }
        }
    });
    if let Some(fault) = failed {
        return Err(fault);
    }
    let sorted: Vec<u64> = places.into_iter().map(|place| slots[place]).collect();
    m.new_list(c.ret, &sorted)
}

fn extreme_by(m: &dyn Machine, c: &Call<'_>, a: &[u64], wanted: Ordering, name: &str) -> Result64 {
    let len = keys_fit(m, a[0], a[1])?;
    if len == 0 {
        return Err(value_error(format!("{name}() arg is an empty sequence")));
    }
    let ty = element(m, c.args[1]);
    let mut best = 0;
    for at in 1..len {
        if super::any::precedes(m, ty, m.list_get(a[1], at), m.list_get(a[1], best), wanted)? {
            best = at;
        }
    }
    Ok(m.list_get(a[0], best))
}

pub(super) fn min_by(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    extreme_by(m, c, a, Ordering::Less, "min")
}

pub(super) fn max_by(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    extreme_by(m, c, a, Ordering::Greater, "max")
}

/// `range` with one, two or three arguments, as a list.
pub(super) fn range(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (start, stop) = if a.len() == 1 { (0, int(a[0])) } else { (int(a[0]), int(a[1])) };
    let step = a.get(2).map_or(1, |step| int(*step));
    if step == 0 {
        return Err(value_error("range() arg 3 must not be zero"));
    }
    let distance = if step > 0 { i128::from(stop) - i128::from(start) } else { i128::from(start) - i128::from(stop) };
    let count = if distance <= 0 { 0 } else { (distance as u128).div_ceil(u128::from(step.unsigned_abs())) };
    let count = usize::try_from(count).map_err(|_| overflow("a range of 2^64 elements does not fit the memory"))?;
    fits(m, SLOT, count)?;
    // Each product is within the range's bounds, which are ints.
    let slots: Vec<u64> = (0..count).map(|n| start.wrapping_add(step.wrapping_mul(n as i64)) as u64).collect();
    m.new_list(c.ret, &slots)
}

pub(super) fn any(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from((0..m.list_len(a[0])).any(|at| m.list_get(a[0], at) != 0)))
}

pub(super) fn all(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from((0..m.list_len(a[0])).all(|at| m.list_get(a[0], at) != 0)))
}

/// A list of pairs, as long as the shorter list.
pub(super) fn zip(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let len = m.list_len(a[0]).min(m.list_len(a[1]));
    fits(m, 40, len)?;
    let pair = element(m, c.ret);
    let mut slots = Vec::with_capacity(len);
    for at in 0..len {
        let parts = [m.list_get(a[0], at), m.list_get(a[1], at)];
        slots.push(m.new_object(pair, &parts)?);
    }
    m.new_list(c.ret, &slots)
}

/// A list of pairs of position and element, counting from the second argument or 0.
pub(super) fn enumerate(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let len = m.list_len(a[0]);
    fits(m, 40, len)?;
    let start = a.get(1).map_or(0, |start| int(*start));
    if start.checked_add_unsigned(len as u64).is_none() {
        return Err(overflow(format!("enumerate(…, {start}) counts past 64 bits")));
    }
    let pair = element(m, c.ret);
    let mut slots = Vec::with_capacity(len);
    for at in 0..len {
        let parts = [(start + at as i64) as u64, m.list_get(a[0], at)];
        slots.push(m.new_object(pair, &parts)?);
    }
    m.new_list(c.ret, &slots)
}

//! What many bodies need to read their arguments: Python's rules for indices and slices, types of elements, faults in CPython's
//! words, and the check that a result fits the memory before it is built.

use super::machine::Machine;
use crate::entity::TypeId;
use crate::trap::{Fault, TrapKind};
use crate::types::Type;

/// Stands for an absent start, stop or step of a slice. Python itself would treat it as an index far outside, which only a
/// program that computes it can tell.
pub const ABSENT: i64 = i64::MIN;

pub(super) fn int(slot: u64) -> i64 {
    slot as i64
}

pub(super) fn float(slot: u64) -> f64 {
    f64::from_bits(slot)
}

pub(super) fn value_error(message: impl Into<String>) -> Fault {
    Fault::new(TrapKind::Value, message)
}

pub(super) fn overflow(message: impl Into<String>) -> Fault {
    Fault::new(TrapKind::Overflow, message)
}

/// The element type of a list, set or tuple of any length.
pub(super) fn element(m: &dyn Machine, list: TypeId) -> TypeId {
    m.types().element(list).unwrap_or_else(|| unreachable!("the signature has a list or set here"))
}

/// Key and value type of a dict type.
pub(super) fn entry(m: &dyn Machine, dict: TypeId) -> (TypeId, TypeId) {
    match m.types().get(dict) {
        Type::Dict(key, value) => (*key, *value),
        Type::Set(element) | Type::FrozenSet(element) => (*element, crate::types::NONE),
        _ => unreachable!("the signature has a dict here"),
    }
}

/// Fails where `parts` times `bytes` don't fit the memory that is left.
pub(super) fn fits(m: &dyn Machine, bytes: usize, parts: usize) -> Result<(), Fault> {
    let room = m.room();
    match bytes.checked_mul(parts) {
        Some(all) if all <= room => Ok(()),
        all => {
            let all = all.map_or_else(|| "more than 2^64".to_owned(), |all| all.to_string());
            Err(Fault::new(
                TrapKind::Memory,
                format!("a value of {all} bytes does not fit the memory ({room} bytes are left)"),
            ))
        }
    }
}

/// A count of repetitions: a negative one is none.
pub(super) fn times(count: i64) -> usize {
    usize::try_from(count.max(0)).unwrap_or(usize::MAX)
}

/// An index into `len` elements, a negative one counting from the end; `what` begins the message as in CPython.
pub(super) fn index_in(len: usize, index: i64, what: &str) -> Result<usize, Fault> {
    let from_start = if index < 0 { index.checked_add_unsigned(len as u64) } else { Some(index) };
    from_start
        .and_then(|at| usize::try_from(at).ok())
        .filter(|at| *at < len)
        .ok_or_else(|| Fault::new(TrapKind::Index, format!("{what} index out of range: index {index}, length {len}")))
}

/// A start or end as `find` and `insert` read them: negative from the end, then cut to `0..=len`.
pub(super) fn clamp(len: usize, index: i64) -> usize {
    let from_start = if index < 0 { index.saturating_add_unsigned(len as u64) } else { index };
    usize::try_from(from_start.max(0)).unwrap_or(usize::MAX).min(len)
}

/// A slice of a sequence: the index of its first element, the distance to the next, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub first: usize,
    pub step: i64,
    pub count: usize,
}

impl Slice {
    /// What `start:stop:step` takes of `len` elements, `ABSENT` standing for what is not written.
    pub fn of(len: usize, start: i64, stop: i64, step: i64) -> Result<Slice, Fault> {
        let step = if step == ABSENT { 1 } else { step };
        if step == 0 {
            return Err(value_error("slice step cannot be zero"));
        }
        // No object has 2^63 elements.
        let len = len as i64;
        let cut = |index: i64| {
            let from_start = if index < 0 { index.saturating_add(len) } else { index };
            if step > 0 { from_start.clamp(0, len) } else { from_start.clamp(-1, len - 1) }
        };
        let (first, last) = if step > 0 { (0, len) } else { (len - 1, -1) };
        let start = if start == ABSENT { first } else { cut(start) };
        let stop = if stop == ABSENT { last } else { cut(stop) };
        let distance = if step > 0 { stop - start } else { start - stop };
        let count = if distance <= 0 { 0 } else { (distance - 1) as u64 / step.unsigned_abs() + 1 };
        Ok(Slice { first: start.max(0) as usize, step, count: count as usize })
    }

    /// The indices.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |n| (self.first as i64).wrapping_add(self.step.wrapping_mul(n as i64)) as usize)
    }
}

//! What `==`, `<`, hashing and `repr` mean for a value of any type, all the way down, over whatever machine holds it: the
//! evaluator and the VM both call these, so that they can't differ.
//!
//! Nothing here recurses on the host's stack: nesting is followed on a stack of its own, to at most `DEPTH` levels, past
//! which there is a fault as in CPython. Two known differences from CPython: NaN is never equal to anything, not even where the
//! same NaN stands in two lists (CPython's comparison of sequences starts with `is`); and in `order` a NaN stands after all
//! other numbers, so that sorting always has one result.

use crate::builtins::Machine;
use crate::entity::TypeId;
use crate::trap::{Fault, TrapKind};
use crate::types::{Type, Types};
use std::cmp::Ordering;
use std::collections::HashSet;

mod repr;
#[cfg(test)]
mod tests;

pub use repr::{float_repr, repr, str_repr, to_str, write_bytes_repr, write_float_repr, write_str_repr};

/// How deeply values may be nested where they are compared or printed: CPython's own limit.
pub const DEPTH: usize = 1_000;

/// How many steps a comparison takes before it starts to remember what it has found equal. Few take as many; one over a
/// structure that shares its parts heavily would otherwise take exponential time.
const STEPS_BEFORE_MEMORY: u64 = 100_000;
const REMEMBERED_MAX: usize = 65_536;

/// The type of the slot with this index of a class or tuple type. The index must be in range.
pub(crate) fn slot_type(types: &Types, ty: TypeId, index: usize) -> TypeId {
    match types.get(ty) {
        Type::Class(c) => types.class(*c).fields[index].ty,
        Type::Tuple(parts) => parts[index],
        _ => unreachable!("only classes and tuples have slots"),
    }
}

/// Whether values of this type have an order: numbers, text, bytes, and lists and tuples of those.
pub fn is_orderable(types: &Types, ty: TypeId) -> bool {
    let (mut work, mut seen) = (vec![ty], HashSet::new());
    while let Some(ty) = work.pop() {
        if !seen.insert(ty) {
            continue;
        }
        match types.get(ty) {
            Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => {}
            Type::List(element) | Type::TupleOf(element) => work.push(*element),
            Type::Tuple(parts) => work.extend(parts),
            Type::None | Type::Dict(..) | Type::Class(_) | Type::Queue(_) | Type::Lock | Type::WaitGroup => {
                return false;
            }
            // Their `<` is inclusion.
            Type::Set(_) | Type::FrozenSet(_) => return false,
        }
    }
    true
}

/// Whether two values of one type are equal by content. Sync objects are equal only to themselves.
///
/// Fails where values are nested more than `DEPTH` deep, as those that contain themselves are.
pub fn eq(m: &dyn Machine, ty: TypeId, a: u64, b: u64) -> Result<bool, Fault> {
    Ok(compare(m, ty, a, b, Mode::Equality)? == Ordering::Equal)
}

/// The order of two values of one type: text by code point, bytes by byte, lists and tuples by their first elements that
/// differ, and a NaN after all other numbers.
///
/// Fails where values are nested too deeply, and where values that have no order (see `is_orderable`) differ.
pub fn order(m: &dyn Machine, ty: TypeId, a: u64, b: u64) -> Result<Ordering, Fault> {
    compare(m, ty, a, b, Mode::Order)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// Any answer but `Equal` means that they differ.
    Equality,
    Order,
}

/// A pair of objects that is being compared, and how far.
struct Open {
    ty: TypeId,
    a: u64,
    b: u64,
    next: usize,
}

fn compare(m: &dyn Machine, ty: TypeId, a: u64, b: u64, mode: Mode) -> Result<Ordering, Fault> {
    if let Some(answer) = compare_flat(m, ty, a, b, mode)? {
        return Ok(answer);
    }
    let types = m.types();
    let mut stack = vec![Open { ty, a, b, next: 0 }];
    let mut steps = 0u64;
    let mut remembered = HashSet::new();
    while let Some(top) = stack.last_mut() {
        let (ty, a, b, at) = (top.ty, top.a, top.b, top.next);
        let (part, x, y) = match types.get(ty) {
            Type::List(element) | Type::TupleOf(element) => {
                let (la, lb) = (m.list_len(a), m.list_len(b));
                if at == la.min(lb) {
                    if la != lb {
                        return Ok(la.cmp(&lb));
                    }
                    stack.pop();
                    continue;
                }
                top.next += 1;
                (*element, m.list_get(a, at), m.list_get(b, at))
            }
            Type::Dict(_, value) => {
                let Some(position) = m.dict_next(a, at) else {
                    stack.pop();
                    continue;
                };
                top.next = position + 1;
                let (key, x) = m.dict_entry(a, position);
                let Some(other) = m.dict_find(b, key) else {
                    return Ok(Ordering::Less);
                };
                (*value, x, m.dict_entry(b, other).1)
            }
            Type::Class(_) | Type::Tuple(_) => {
                let count = match types.get(ty) {
                    Type::Class(c) => types.class(*c).fields.len(),
                    Type::Tuple(parts) => parts.len(),
                    _ => 0,
                };
                if at == count {
                    stack.pop();
                    continue;
                }
                top.next += 1;
                (slot_type(types, ty, at), m.slot(a, at), m.slot(b, at))
            }
            _ => unreachable!("only compound values are opened"),
        };
        match compare_flat(m, part, x, y, mode)? {
            Some(Ordering::Equal) => {}
            Some(differ) => return Ok(differ),
            None => {
                steps += 1;
                if steps > STEPS_BEFORE_MEMORY {
                    if remembered.len() == REMEMBERED_MAX {
                        remembered.clear();
                    }
                    // Whatever was opened before is equal, or this would have ended, or is still open, and then it decides.
                    if !remembered.insert((part, x, y)) {
                        continue;
                    }
                }
                if stack.len() == DEPTH {
                    return Err(too_deep("in comparison"));
                }
                stack.push(Open { ty: part, a: x, b: y, next: 0 });
            }
        }
    }
    Ok(Ordering::Equal)
}

/// The answer where it needs no look at parts.
fn compare_flat(m: &dyn Machine, ty: TypeId, a: u64, b: u64, mode: Mode) -> Result<Option<Ordering>, Fault> {
    let types = m.types();
    let answer = match types.get(ty) {
        Type::None => Ordering::Equal,
        Type::Bool | Type::Int => (a as i64).cmp(&(b as i64)),
        Type::Float => {
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            match (x.partial_cmp(&y), mode) {
                (Some(answer), _) => answer,
                (None, Mode::Equality) => Ordering::Less,
                (None, Mode::Order) => x.is_nan().cmp(&y.is_nan()),
            }
        }
        // The order of UTF-8 bytes is the order of code points.
        Type::Str if a != b => m.str(a).cmp(m.str(b)),
        Type::Bytes if a != b => m.bytes(a).cmp(m.bytes(b)),
        Type::Queue(_) | Type::Lock | Type::WaitGroup => a.cmp(&b),
        _ if a == b => Ordering::Equal,
        Type::List(_) | Type::TupleOf(_) if mode == Mode::Equality && m.list_len(a) != m.list_len(b) => Ordering::Less,
        Type::Dict(..) | Type::Set(_) | Type::FrozenSet(_) if m.dict_len(a) != m.dict_len(b) => Ordering::Less,
        Type::Set(_) | Type::FrozenSet(_) if includes(m, b, a) => Ordering::Equal,
        Type::Set(_) | Type::FrozenSet(_) => Ordering::Less,
        Type::Class(_) | Type::Dict(..) if mode == Mode::Order => compare(m, ty, a, b, Mode::Equality)?,
        Type::List(_) | Type::Dict(..) | Type::Class(_) | Type::Tuple(_) | Type::TupleOf(_) => return Ok(None),
        Type::Str | Type::Bytes => Ordering::Equal,
    };
    let ordered = !matches!(
        types.get(ty),
        Type::Dict(..)
            | Type::Class(_)
            | Type::Queue(_)
            | Type::Lock
            | Type::WaitGroup
            | Type::Set(_)
            | Type::FrozenSet(_)
    );
    if answer != Ordering::Equal && mode == Mode::Order && !ordered {
        let name = types.name(ty);
        let message = format!("'<' not supported between instances of '{name}' and '{name}'");
        return Err(Fault::new(TrapKind::Value, message));
    }
    Ok(Some(answer))
}

/// Whether the first set (of either kind) has every element of the second.
pub(crate) fn includes(m: &dyn Machine, set: u64, of: u64) -> bool {
    let mut position = 0;
    while let Some(at) = m.dict_next(of, position) {
        if m.dict_find(set, m.dict_entry(of, at).0).is_none() {
            return false;
        }
        position = at + 1;
    }
    true
}

pub(crate) fn too_deep(what: &str) -> Fault {
    Fault::new(
        TrapKind::Depth,
        format!("maximum recursion depth exceeded {what} (values nested more than {DEPTH} deep)"),
    )
}

/// The hash of a value whose type is hashable (see `Types::is_hashable`). Equal keys have equal hashes, ints, bools and
/// floats among each other too. It is the same in every process and is not stored anywhere.
///
/// Fails on a value that is not hashable, which the verifier rules out for keys of dicts.
pub fn hash(m: &dyn Machine, ty: TypeId, slot: u64) -> Result<u64, Fault> {
    fn walk(m: &dyn Machine, ty: TypeId, slot: u64, depth: u32) -> Result<u64, Fault> {
        let types = m.types();
        // Types bound the depth: a hashable type can't contain itself.
        if depth > 64 {
            return Err(too_deep("while hashing"));
        }
        let parts = match types.get(ty) {
            Type::None => return Ok(mix(0x6e6f_6e65)),
            Type::Bool | Type::Int => return Ok(hash_int(slot as i64)),
            Type::Float => return Ok(hash_float(f64::from_bits(slot))),
            Type::Str => return Ok(hash_bytes(m.str(slot).as_bytes())),
            Type::Bytes => return Ok(hash_bytes(m.bytes(slot))),
            Type::Tuple(parts) => parts.len(),
            Type::Class(c) if types.class(*c).frozen => types.class(*c).fields.len(),
            Type::TupleOf(element) => {
                let count = m.list_len(slot);
                let mut all = mix(count as u64 + 0x7475);
                for index in 0..count {
                    let part = walk(m, *element, m.list_get(slot, index), depth + 1)?;
                    all = mix(all.rotate_left(23) ^ part);
                }
                return Ok(all);
            }
            Type::FrozenSet(element) => {
                // A sum, since equal sets may have been filled in another order.
                let (mut all, mut position) = (m.dict_len(slot) as u64, 0);
                while let Some(at) = m.dict_next(slot, position) {
                    let part = walk(m, *element, m.dict_entry(slot, at).0, depth + 1)?;
                    all = all.wrapping_add(mix(part));
                    position = at + 1;
                }
                return Ok(mix(all));
            }
            Type::List(_)
            | Type::Dict(..)
            | Type::Set(_)
            | Type::Class(_)
            | Type::Queue(_)
            | Type::Lock
            | Type::WaitGroup => {
                return Err(Fault::new(TrapKind::Value, format!("unhashable type: '{}'", types.name(ty))));
            }
        };
        let mut all = mix(parts as u64 + 0x7475);
        for index in 0..parts {
            let part = walk(m, slot_type(types, ty, index), m.slot(slot, index), depth + 1)?;
            all = mix(all.rotate_left(23) ^ part);
        }
        Ok(all)
    }
    walk(m, ty, slot, 0)
}

/// The hash of an int or bool.
pub fn hash_int(value: i64) -> u64 {
    mix(value as u64)
}

/// The hash of a float; that of the int with the same value where there is one.
pub fn hash_float(value: f64) -> u64 {
    let int = value as i64;
    // 2^63 as a float casts to the largest int, which is not equal to it.
    if int as f64 == value && int != i64::MAX { hash_int(int) } else { mix(value.to_bits() ^ 0x5bd1_e995) }
}

/// The hash of text (its UTF-8) and bytes.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut all = mix(bytes.len() as u64 ^ 0x7374_7200);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().expect("a chunk has 8 bytes"));
        all = mix(all ^ word);
    }
    let mut last = [0u8; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(all ^ u64::from_le_bytes(last))
}

/// Spreads a word over all bits: the two halves of a wide product, folded.
fn mix(word: u64) -> u64 {
    let wide = u128::from(word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93_u128;
    (wide as u64) ^ ((wide >> 64) as u64)
}

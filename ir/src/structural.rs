//! What `==`, `<`, hashing and `repr` mean for a value of any type, all the way down, over whatever machine holds it: the
//! evaluator and the VM both call these, so that they can't differ.
//!
//! Nothing here recurses on the host's stack: nesting is followed on a stack of its own, to at most `DEPTH` levels, past
//! which there is a fault as in CPython. Two known differences from CPython: NaN is never equal to anything, not even where the
//! same NaN stands in two lists (CPython's comparison of sequences starts with `is`); and in `order` a NaN stands after all
//! other numbers, so that sorting always has one result.

use crate::builtins::{Machine, unwrapped};
use crate::entity::TypeId;
use crate::trap::{Fault, TrapKind};
use crate::types::{Type, Types};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

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

fn is_number(types: &Types, ty: TypeId) -> bool {
    matches!(types.get(ty), Type::Bool | Type::Int | Type::Float)
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
            // Numbers of different types have an order among each other; nothing else has.
            Type::Union(members) if members.iter().all(|m| is_number(types, *m)) => {}
            Type::Union(_)
            | Type::None
            | Type::Dict(..)
            | Type::Class(_)
            | Type::Queue(_)
            | Type::Lock
            | Type::WaitGroup => {
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
    Ok(compare(m, (ty, a), (ty, b), Mode::Equality)? == Ordering::Equal)
}

/// The order of two values of one type: text by code point, bytes by byte, lists and tuples by their first elements that
/// differ, and a NaN after all other numbers.
///
/// Fails where values are nested too deeply, and where values that have no order (see `is_orderable`) differ.
pub fn order(m: &dyn Machine, ty: TypeId, a: u64, b: u64) -> Result<Ordering, Fault> {
    compare(m, (ty, a), (ty, b), Mode::Order)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// Any answer but `Equal` means that they differ.
    Equality,
    Order,
}

/// A value with its type.
type Typed = (TypeId, u64);

/// A pair of objects that is being compared, and how far. They are of different types only inside of unions.
struct Open {
    a: Typed,
    b: Typed,
    next: usize,
    /// For dicts with keys of different types, where the second one's keys are.
    keys: Option<Positions>,
}

/// The positions of a dict's or set's entries by the hashes of their keys: how one looks for a key of another type.
type Positions = HashMap<u64, Vec<usize>>;

fn compare(m: &dyn Machine, a: Typed, b: Typed, mode: Mode) -> Result<Ordering, Fault> {
    let mut stack = match begin(m, a, b, mode)? {
        Begun::Answer(answer) => return Ok(answer),
        Begun::Open(open) => vec![open],
    };
    let types = m.types();
    let mut steps = 0u64;
    let mut remembered = HashSet::new();
    while let Some(top) = stack.last_mut() {
        let (a, b, at) = (top.a, top.b, top.next);
        let (x, y) = if let (Type::Dict(ka, va), Type::Dict(kb, vb)) = (types.get(a.0), types.get(b.0)) {
            let Some(position) = m.dict_next(a.1, at) else {
                stack.pop();
                continue;
            };
            top.next = position + 1;
            let (key, x) = m.dict_entry(a.1, position);
            let found = match &top.keys {
                None => m.dict_find(b.1, key),
                Some(keys) => find_by_hash(m, keys, (*ka, key), *kb, b.1)?,
            };
            let Some(other) = found else {
                return Ok(Ordering::Less);
            };
            ((*va, x), (*vb, m.dict_entry(b.1, other).1))
        } else {
            let (la, lb) = (part_count(m, a), part_count(m, b));
            if at == la.min(lb) {
                if la != lb {
                    return Ok(la.cmp(&lb));
                }
                stack.pop();
                continue;
            }
            top.next += 1;
            (part(m, a, at), part(m, b, at))
        };
        match begin(m, x, y, mode)? {
            Begun::Answer(Ordering::Equal) => {}
            Begun::Answer(differ) => return Ok(differ),
            Begun::Open(open) => {
                steps += 1;
                if steps > STEPS_BEFORE_MEMORY {
                    if remembered.len() == REMEMBERED_MAX {
                        remembered.clear();
                    }
                    // Whatever was opened before is equal, or this would have ended, or is still open, and then it decides.
                    if !remembered.insert((x, y)) {
                        continue;
                    }
                }
                if stack.len() == DEPTH {
                    return Err(too_deep("in comparison"));
                }
                stack.push(open);
            }
        }
    }
    Ok(Ordering::Equal)
}

/// How many elements a list or tuple, or slots an object, has.
fn part_count(m: &dyn Machine, (ty, slot): Typed) -> usize {
    match m.types().get(ty) {
        Type::Class(c) => m.types().class(*c).fields.len(),
        Type::Tuple(parts) => parts.len(),
        _ => m.list_len(slot),
    }
}

/// One of them, at an index that is in range.
fn part(m: &dyn Machine, (ty, slot): Typed, at: usize) -> Typed {
    match m.types().get(ty) {
        Type::List(element) | Type::TupleOf(element) => (*element, m.list_get(slot, at)),
        _ => (slot_type(m.types(), ty, at), m.slot(slot, at)),
    }
}

fn positions(m: &dyn Machine, key: TypeId, dict: u64) -> Result<Positions, Fault> {
    let mut keys = Positions::new();
    let mut from = 0;
    while let Some(at) = m.dict_next(dict, from) {
        keys.entry(hash(m, key, m.dict_entry(dict, at).0)?).or_default().push(at);
        from = at + 1;
    }
    Ok(keys)
}

/// The position of a key in a dict or set whose own keys are of type `of`.
fn find_by_hash(m: &dyn Machine, keys: &Positions, key: Typed, of: TypeId, dict: u64) -> Result<Option<usize>, Fault> {
    for at in keys.get(&hash(m, key.0, key.1)?).into_iter().flatten() {
        if compare(m, key, (of, m.dict_entry(dict, *at).0), Mode::Equality)? == Ordering::Equal {
            return Ok(Some(*at));
        }
    }
    Ok(None)
}

/// Whether a set has every element of another one, whose elements may be of another type.
fn has_all(m: &dyn Machine, (element, set): Typed, of: Typed) -> Result<bool, Fault> {
    if element == of.0 {
        return Ok(includes(m, set, of.1));
    }
    let (keys, mut from) = (positions(m, element, set)?, 0);
    while let Some(at) = m.dict_next(of.1, from) {
        if find_by_hash(m, &keys, (of.0, m.dict_entry(of.1, at).0), element, set)?.is_none() {
            return Ok(false);
        }
        from = at + 1;
    }
    Ok(true)
}

enum Begun {
    /// It needed no look at parts.
    Answer(Ordering),
    Open(Open),
}

/// Begins to compare two values.
fn begin(m: &dyn Machine, a: Typed, b: Typed, mode: Mode) -> Result<Begun, Fault> {
    use Type::{
        Bool, Bytes, Class, Dict, Float, FrozenSet, Int, List, Lock, None as Nothing, Queue, Set, Str, Tuple, TupleOf,
        WaitGroup,
    };
    let types = m.types();
    let ((ta, a), (tb, b)) = (unwrapped(m, a.0, a.1), unwrapped(m, b.0, b.1));
    let open = |keys| Ok(Begun::Open(Open { a: (ta, a), b: (tb, b), next: 0, keys }));
    let answer = match (types.get(ta), types.get(tb)) {
        (Nothing, Nothing) => Ordering::Equal,
        (Bool | Int, Bool | Int) => (a as i64).cmp(&(b as i64)),
        (Float, Float) => order_floats(f64::from_bits(a), f64::from_bits(b), mode),
        (Bool | Int, Float) => order_int_float(a as i64, f64::from_bits(b), mode),
        (Float, Bool | Int) => {
            // With a NaN the answer in the mode of equality has no direction.
            let answer = order_int_float(b as i64, f64::from_bits(a), mode);
            if mode == Mode::Equality { answer } else { answer.reverse() }
        }
        // The order of UTF-8 bytes is the order of code points.
        (Str, Str) if a != b => m.str(a).cmp(m.str(b)),
        (Bytes, Bytes) if a != b => m.bytes(a).cmp(m.bytes(b)),
        (Queue(_), Queue(_)) | (Lock, Lock) | (WaitGroup, WaitGroup) => m.identity(a).cmp(&m.identity(b)),
        // The same object. A scalar's slot says nothing, but those have been dealt with.
        _ if ta == tb && m.identity(a) == m.identity(b) => Ordering::Equal,
        (List(_), List(_)) | (TupleOf(_), TupleOf(_)) if mode == Mode::Equality && m.list_len(a) != m.list_len(b) => {
            Ordering::Less
        }
        (Set(x) | FrozenSet(x), Set(y) | FrozenSet(y)) => {
            let equal = m.dict_len(a) == m.dict_len(b) && has_all(m, (*y, b), (*x, a))?;
            if equal { Ordering::Equal } else { Ordering::Less }
        }
        (Dict(..), Dict(..)) if m.dict_len(a) != m.dict_len(b) => Ordering::Less,
        (Class(_), Class(_)) if ta != tb => Ordering::Less,
        (Class(_), Class(_)) | (Dict(..), Dict(..)) if mode == Mode::Order => {
            compare(m, (ta, a), (tb, b), Mode::Equality)?
        }
        (Dict(ka, _), Dict(kb, _)) if ka != kb => return open(Some(positions(m, *kb, b)?)),
        (List(_), List(_)) | (Dict(..), Dict(..)) | (Class(_), Class(_)) => return open(None),
        (Tuple(_) | TupleOf(_), Tuple(_) | TupleOf(_)) => return open(None),
        _ => Ordering::Less,
    };
    if answer != Ordering::Equal && mode == Mode::Order && !have_order(types, ta, tb) {
        let message = format!("'<' not supported between instances of '{}' and '{}'", types.name(ta), types.name(tb));
        return Err(Fault::new(TrapKind::Value, message));
    }
    Ok(Begun::Answer(answer))
}

/// Whether values of these two types that differ come one before the other, their parts aside.
fn have_order(types: &Types, a: TypeId, b: TypeId) -> bool {
    match (types.get(a), types.get(b)) {
        (Type::Str, Type::Str) | (Type::Bytes, Type::Bytes) | (Type::List(_), Type::List(_)) => true,
        (Type::Tuple(_) | Type::TupleOf(_), Type::Tuple(_) | Type::TupleOf(_)) => true,
        _ => is_number(types, a) && is_number(types, b),
    }
}

fn order_floats(x: f64, y: f64, mode: Mode) -> Ordering {
    match (x.partial_cmp(&y), mode) {
        (Some(answer), _) => answer,
        (None, Mode::Equality) => Ordering::Less,
        (None, Mode::Order) => x.is_nan().cmp(&y.is_nan()),
    }
}

/// The order of an int and a float by their exact values.
fn order_int_float(x: i64, y: f64, mode: Mode) -> Ordering {
    if y.is_nan() {
        return order_floats(0.0, y, mode);
    }
    // The bounds of 64 bits are doubles; between them the whole part of a float is an int.
    if y >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    if y < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    let whole = y.floor();
    x.cmp(&(whole as i64)).then(if y > whole { Ordering::Less } else { Ordering::Equal })
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
/// floats among each other and the members of unions too. It is the same in every process and is not stored anywhere.
///
/// Fails on a value that is not hashable, which the verifier rules out for keys of dicts.
pub fn hash(m: &dyn Machine, ty: TypeId, slot: u64) -> Result<u64, Fault> {
    fn walk(m: &dyn Machine, ty: TypeId, slot: u64, depth: u32) -> Result<u64, Fault> {
        let types = m.types();
        // Types bound the depth: a hashable type can't contain itself.
        if depth > 64 {
            return Err(too_deep("while hashing"));
        }
        let (ty, slot) = unwrapped(m, ty, slot);
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
            Type::Union(_) => unreachable!("no member is a union"),
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

/// Whether a dict with this many positions, of which this many have an entry, closes its gaps before an entry is put at its end. By what
/// is stored only: a restored dict closes them where this one would.
pub const fn closes_gaps_to_grow(positions: usize, live: usize) -> bool {
    positions >= 8 && positions - live > positions / 4
}

/// The same after one was removed.
pub const fn closes_gaps_to_shrink(positions: usize, live: usize) -> bool {
    positions > 64 && positions / 4 > live
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

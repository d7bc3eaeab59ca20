//! Bodies of the builtins that take a value of any type.

use super::args::{element, float, int};
use super::machine::{Call, Machine, unwrapped};
use crate::structural;
use crate::trap::Fault;
use crate::types::{self, Type};
use std::cmp::Ordering;

pub(super) fn to_str(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    if matches!(m.types().get(c.args[0]), Type::Str) {
        return Ok(a[0]);
    }
    let text = structural::to_str(m, c.args[0], a[0])?;
    m.new_str(&text)
}

pub(super) fn repr(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let text = structural::repr(m, c.args[0], a[0])?;
    m.new_str(&text)
}

/// `repr` with what is not ASCII escaped.
pub(super) fn ascii(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let text = structural::repr(m, c.args[0], a[0])?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            0..0x80 => out.push(c),
            code @ 0x80..0x100 => out.push_str(&format!("\\x{code:02x}")),
            code @ 0x100..0x1_0000 => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    m.new_str(&out)
}

/// Whether a value counts as true, as `bool(…)`, `if` and `not` have it.
pub(super) fn truth(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let (ty, slot) = unwrapped(m, c.args[0], a[0]);
    let truth = match m.types().get(ty) {
        Type::None => false,
        Type::Bool | Type::Int => int(slot) != 0,
        Type::Float => float(slot) != 0.0,
        Type::Str => !m.str(slot).is_empty(),
        Type::Bytes => !m.bytes(slot).is_empty(),
        Type::List(_) | Type::TupleOf(_) => m.list_len(slot) != 0,
        Type::Dict(..) | Type::Set(_) | Type::FrozenSet(_) => m.dict_len(slot) != 0,
        Type::Tuple(parts) => !parts.is_empty(),
        Type::Class(_) | Type::Queue(_) | Type::Lock | Type::WaitGroup => true,
        Type::Union(_) => unreachable!("no member is a union"),
    };
    Ok(u64::from(truth))
}

pub(super) fn print(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let line = m.str(a[0]).to_owned();
    m.log(&line);
    Ok(0)
}

/// The first argument that no other is less than.
pub(super) fn min(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    extreme(m, c, a, Ordering::Less)
}

/// The first argument that no other is greater than.
pub(super) fn max(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    extreme(m, c, a, Ordering::Greater)
}

fn extreme(m: &dyn Machine, c: &Call<'_>, values: &[u64], wanted: Ordering) -> Result<u64, Fault> {
    let mut best = values[0];
    for value in &values[1..] {
        if precedes(m, c.args[0], *value, best, wanted)? {
            best = *value;
        }
    }
    Ok(best)
}

/// Whether one value is before (or, as wanted, after) the other. Floats compare as in `<`, so that nothing precedes a NaN.
pub(super) fn precedes(
    m: &dyn Machine,
    ty: crate::entity::TypeId,
    a: u64,
    b: u64,
    wanted: Ordering,
) -> Result<bool, Fault> {
    match m.types().get(ty) {
        Type::Int | Type::Bool => Ok(int(a).cmp(&int(b)) == wanted),
        Type::Float => Ok(float(a).partial_cmp(&float(b)) == Some(wanted)),
        Type::Union(_) => {
            let ((ta, xa), (tb, xb)) = (unwrapped(m, ty, a), unwrapped(m, ty, b));
            let is_nan = |ty, slot| ty == types::FLOAT && float(slot).is_nan();
            Ok(!is_nan(ta, xa) && !is_nan(tb, xb) && structural::order(m, ty, a, b)? == wanted)
        }
        _ => Ok(structural::order(m, ty, a, b)? == wanted),
    }
}

pub(super) fn min_list(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    extreme_of_list(m, c, (a[0], a.get(1).copied()), Ordering::Less, "min")
}

pub(super) fn max_list(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    extreme_of_list(m, c, (a[0], a.get(1).copied()), Ordering::Greater, "max")
}

/// The first element of a list that no other precedes; the default, where there is one, of an empty list.
fn extreme_of_list(
    m: &dyn Machine,
    c: &Call<'_>,
    (list, default): (u64, Option<u64>),
    wanted: Ordering,
    name: &str,
) -> Result<u64, Fault> {
    let len = m.list_len(list);
    if let (0, Some(default)) = (len, default) {
        return Ok(default);
    }
    if len == 0 {
        return Err(super::args::value_error(format!("{name}() arg is an empty sequence")));
    }
    let ty = element(m, c.args[0]);
    let mut best = m.list_get(list, 0);
    for at in 1..len {
        let value = m.list_get(list, at);
        if precedes(m, ty, value, best, wanted)? {
            best = value;
        }
    }
    Ok(best)
}

//! Lists, dicts, objects and tuples, text constants, equality and order, and the builtins.
//!
//! Each instruction that allocates passes a safe point first, where a collection may run; nothing collects inside one.

use super::cursor::Cursor;
use super::{Exec, Leave, Step, fault};
use crate::heap::{Heap, Ref};
use crate::ops::Word;
use deepslate_ir::builtins::Call;
use deepslate_ir::entity::{ConstId, TypeId};
use deepslate_ir::structural;
use deepslate_ir::trap::Fault;
use deepslate_ir::types::Type;
use std::cmp::Ordering;

#[inline(always)]
fn reference(cur: Cursor, reg: u16) -> Ref {
    // H1: by V4 and V5 the register holds a reference to an object of the instruction's operand type.
    Ref::from_slot(cur.read(reg))
}

#[inline(always)]
pub(super) fn constant(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let object = exec.core.heap.constant(ConstId(w.wide())).map_err(fault)?;
    cur.write(w.a(), object.slot());
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn eq(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let ty = TypeId(cur.extra(1) as u32);
    let equal = structural::eq(&exec.core.heap, ty, cur.read(w.b()), cur.read(w.c())).map_err(fault)?;
    if exec.core.heap.has_unopened() {
        exec.opening(|_| ())?;
    }
    cur.set_bool(w.a(), equal);
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn order(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let ty = TypeId(cur.extra(1) as u32);
    let order = structural::order(&exec.core.heap, ty, cur.read(w.b()), cur.read(w.c())).map_err(fault)?;
    if exec.core.heap.has_unopened() {
        exec.opening(|_| ())?;
    }
    let number = match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    };
    cur.set_int(w.a(), number);
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn list_new(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let ty = TypeId(cur.extra(1) as u32);
    let list = exec.core.heap.new_list(ty, &cur.list_values()).map_err(fault)?;
    cur.write(w.a(), list.slot());
    Ok(after_list(cur, w))
}

#[inline(always)]
pub(super) fn list_len(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.set_int(w.a(), exec.core.heap.list_len(reference(cur, w.b())) as i64);
    Ok(cur.next())
}

/// The index counted from the start.
#[inline(always)]
fn from_start(index: i64, len: usize) -> usize {
    // Out of range either way stays out of range: a list is shorter than 2^63.
    (if index < 0 { index.wrapping_add(len as i64) } else { index }) as usize
}

#[inline(always)]
pub(super) fn list_get(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let list = reference(cur, w.b());
    let items = exec.core.heap.list_items(list);
    let index = cur.int(w.c());
    let at = from_start(index, items.len());
    let Some(element) = items.get(at).copied() else { return Err(bad_index(index, items.len())) };
    let element =
        if exec.core.heap.has_unopened() { exec.opening(|heap| heap.opened_element(list, at))? } else { element };
    cur.write(w.a(), element);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn list_set(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let list = reference(cur, w.a());
    let (len, index) = (exec.core.heap.list_len(list), cur.int(w.b()));
    if exec.core.heap.list_set(list, from_start(index, len), cur.read(w.c())) {
        Ok(cur.next())
    } else {
        Err(bad_index(index, len))
    }
}

#[inline(always)]
pub(super) fn list_push(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    exec.core.heap.list_push(reference(cur, w.a()), cur.read(w.b())).map_err(fault)?;
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn dict_new(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let dict = exec.core.heap.new_dict(TypeId(cur.extra(1) as u32)).map_err(fault)?;
    for pair in cur.list_values().chunks_exact(2) {
        exec.core.heap.dict_set(dict, pair[0], pair[1]).map_err(fault)?;
    }
    cur.write(w.a(), dict.slot());
    Ok(after_list(cur, w))
}

#[inline(always)]
pub(super) fn dict_len(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.set_int(w.a(), exec.core.heap.dict_len(reference(cur, w.b())) as i64);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn dict_get(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (dict, key) = (reference(cur, w.b()), cur.read(w.c()));
    match exec.core.heap.dict_get(dict, key) {
        Some(value) if exec.core.heap.has_unopened() => {
            cur.write(w.a(), exec.opening(|heap| heap.opened_inside(dict, value))?)
        }
        Some(value) => cur.write(w.a(), value),
        None => return Err(no_key(&exec.core.heap, dict, key)),
    }
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn dict_set(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    exec.core.heap.dict_set(reference(cur, w.a()), cur.read(w.b()), cur.read(w.c())).map_err(fault)?;
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn dict_has(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let found = exec.core.heap.dict_find(reference(cur, w.b()), cur.read(w.c()));
    cur.set_bool(w.a(), found.is_some());
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn dict_next(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let from = cur.int(w.c()).max(0) as usize;
    let next = exec.core.heap.dict_next(reference(cur, w.b()), from);
    cur.set_int(w.a(), next.map_or(-1, |at| at as i64));
    Ok(cur.next())
}

#[inline(always)]
fn dict_entry(exec: &Exec<'_>, cur: Cursor, w: Word) -> Result<(u64, u64), Leave> {
    let position = cur.int(w.c());
    let at = usize::try_from(position).ok();
    at.and_then(|at| exec.core.heap.dict_entry(reference(cur, w.b()), at)).ok_or_else(|| no_entry(position))
}

#[inline(always)]
pub(super) fn dict_key_at(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (key, _) = dict_entry(exec, cur, w)?;
    cur.write(w.a(), key);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn dict_value_at(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (_, value) = dict_entry(exec, cur, w)?;
    let dict = reference(cur, w.b());
    let value =
        if exec.core.heap.has_unopened() { exec.opening(|heap| heap.opened_inside(dict, value))? } else { value };
    cur.write(w.a(), value);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn new(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let ty = TypeId(cur.extra(1) as u32);
    let mut slots = [0; 8];
    let count = usize::from(w.b());
    let made = if count <= slots.len() {
        slots.iter_mut().enumerate().take(count).for_each(|(i, s)| *s = cur.list(i));
        exec.core.heap.new_object(ty, &slots[..count])
    } else {
        exec.core.heap.new_object(ty, &cur.list_values())
    };
    cur.write(w.a(), made.map_err(fault)?.slot());
    Ok(after_list(cur, w))
}

#[inline(always)]
pub(super) fn slot_get(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (object, index) = (reference(cur, w.b()), usize::from(w.c()));
    let slot = if exec.core.heap.has_unopened() {
        exec.opening(|heap| heap.opened_slot(object, index))?
    } else {
        exec.core.heap.slot(object, index)
    };
    cur.write(w.a(), slot);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn slot_set(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.core.heap.set_slot(reference(cur, w.a()), usize::from(w.c()), cur.read(w.b()));
    Ok(cur.next())
}

/// The types of an instruction on a union: that of its immediate or result, and that of its operand.
#[inline(always)]
fn union_types(cur: Cursor) -> (TypeId, TypeId) {
    let word = cur.extra(1);
    (TypeId(word as u32), TypeId((word >> 32) as u32))
}

#[inline(always)]
pub(super) fn union_widen(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.write(w.a(), cur.read(w.b()));
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn union_box(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let (_, ty) = union_types(cur);
    let object = exec.core.heap.new_box(ty, cur.read(w.b())).map_err(fault)?;
    cur.write(w.a(), object.slot());
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn union_is(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (wanted, _) = union_types(cur);
    let member = exec.core.heap.ty(reference(cur, w.b()));
    cur.set_bool(w.a(), member == wanted || exec.core.heap.module().types.includes(wanted, member));
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn union_narrow(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (wanted, _) = union_types(cur);
    let object = reference(cur, w.b());
    let member = exec.core.heap.ty(object);
    if member != wanted && !exec.core.heap.module().types.includes(wanted, member) {
        return Err(narrowed(&exec.core.heap, wanted, member));
    }
    cur.write(w.a(), object.slot());
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn union_unbox(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (wanted, _) = union_types(cur);
    let object = reference(cur, w.b());
    let member = exec.core.heap.ty(object);
    if member != wanted {
        return Err(narrowed(&exec.core.heap, wanted, member));
    }
    // H1: what is of a scalar type is a box, which has one slot.
    cur.write(w.a(), exec.core.heap.slot(object, 0));
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn call_builtin(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let site = &exec.program.sites()[cur.extra(1) as usize];
    let call = Call { args: &site.args, ret: site.ret };
    let mut args = [0; 8];
    let count = usize::from(w.b());
    let body = site.builtin.body();
    let result = if count <= args.len() {
        args.iter_mut().enumerate().take(count).for_each(|(i, a)| *a = cur.list(i));
        body(&mut exec.core.heap, &call, &args[..count])
    } else {
        body(&mut exec.core.heap, &call, &cur.list_values())
    };
    let result = result.map_err(fault)?;
    let result =
        if exec.core.heap.has_unopened() { exec.opening(|heap| heap.opened(site.ret, result))? } else { result };
    cur.write(w.a(), result);
    Ok(after_list(cur, w))
}

/// After an instruction with a list.
#[inline(always)]
pub(super) fn after_list(cur: Cursor, w: Word) -> Cursor {
    cur.skip(2 + usize::from(w.b()).div_ceil(4))
}

#[cold]
fn bad_index(index: i64, len: usize) -> Leave {
    fault(Fault::list_index(index, len))
}

#[cold]
fn narrowed(heap: &Heap, wanted: TypeId, member: TypeId) -> Leave {
    fault(Fault::narrowed(&heap.module().types, wanted, member))
}

#[cold]
fn no_key(heap: &Heap, dict: Ref, key: u64) -> Leave {
    let repr = match heap.module().types.get(heap.ty(dict)) {
        Type::Dict(ty, _) => structural::repr(heap, *ty, key),
        _ => unreachable!("H1: the object is a dict"),
    };
    fault(repr.map_or_else(|fault| fault, Fault::missing_key))
}

#[cold]
fn no_entry(position: i64) -> Leave {
    fault(Fault::missing_entry(position))
}

//! Calls, returns, host functions and durable calls: how a task moves from frame to frame, and what it asks of the outside.
//!
//! A call moves the frame's base along one register stack; nothing of the interpreter's own is on the host's stack.

use super::cursor::Cursor;
use super::{Exec, Leave, Step, fault};
use crate::ops::Word;
use crate::program::Entry;
use crate::stop::{Call, Request};
use crate::task::{Frame, State, Wait};
use deepslate_ir::datum::{Datum, to_datum};
use deepslate_ir::entity::HostId;
use deepslate_ir::eval;
use deepslate_ir::trap::{Fault, TrapKind};
use std::sync::atomic::Ordering;

#[inline(always)]
pub(super) fn call(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let func = cur.extra(1) as u32;
    // V7: the function is in range.
    let entry = exec.program.entries()[func as usize];
    exec.save(cur);
    let task = &mut *exec.task;
    if task.frames.len() >= exec.core.limits.call_depth as usize {
        return Err(too_deep(exec));
    }
    let caller = task.frames.last().expect("a running task has a frame");
    let base = caller.base as usize + usize::from(w.c());
    let mut cur = cur;
    if base + usize::from(entry.count) > task.regs.len() {
        cur = grow(exec, cur, w, base, entry)?;
    }
    // SAFETY: C1: the stack has room for the callee's frame behind this one, whose size is c (V6), as was just seen to.
    let regs = unsafe { cur.regs().add(usize::from(w.c())) };
    for reg in 0..usize::from(entry.refs) {
        // SAFETY: inside the new frame.
        unsafe { *regs.add(reg) = 0 };
    }
    // SAFETY: C1 for the callee: its entry is an instruction (V1), and `regs` is its frame.
    let callee = unsafe { Cursor::new(exec.place(entry.pc), regs, entry.count) };
    pass(cur, callee, w.b());
    exec.task.frames.push(Frame { func, pc: entry.pc, base: base as u32, mark: exec.interval });
    Ok(callee)
}

/// The same: only an overflow looks at which of both it was.
#[inline(always)]
pub(super) fn call_or_host(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    call(exec, cur, w)
}

/// Copies the arguments of a call or a new task into the callee's parameters.
#[inline(always)]
pub(super) fn pass(from: Cursor, to: Cursor, count: u16) {
    for index in 0..usize::from(count) {
        let pair = from.extra(2 + index / 2) >> (index % 2 * 32);
        // V6: the second register of a pair is a parameter of the callee, inside its frame.
        to.write((pair >> 16) as u16, from.read(pair as u16));
    }
}

#[cold]
#[inline(never)]
fn too_deep(exec: &Exec<'_>) -> Leave {
    fault(Fault::call_depth(exec.core.limits.call_depth as usize))
}

/// Makes room for a frame at `base`; gives the cursor into the stack where it now is.
#[cold]
#[inline(never)]
fn grow(exec: &mut Exec<'_>, cur: Cursor, w: Word, base: usize, entry: Entry) -> Result<Cursor, Leave> {
    let (len, needed) = (exec.task.regs.len(), base + usize::from(entry.count));
    // Twice as large, so that growing is rare; just enough where that is over the limit.
    let more = needed.max(len * 2) - len;
    let more = if exec.core.charge_stack(more).is_ok() {
        more
    } else {
        exec.core.charge_stack(needed - len).map_err(fault)?;
        needed - len
    };
    if u32::try_from(len + more).is_err() {
        return Err(fault(Fault::new(TrapKind::Memory, "out of memory: the frames of one task are over 32 GiB")));
    }
    exec.task.regs.resize(len + more, 0);
    // SAFETY: C1: the caller's frame lies right below `base`, as before, in the stack's new place.
    Ok(unsafe { Cursor::new(cur.pc(), exec.task.regs.as_mut_ptr().add(base - usize::from(w.c())), w.c()) })
}

#[inline(always)]
pub(super) fn ret(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let value = cur.read(w.a());
    let frames = &mut exec.task.frames;
    if frames.len() == 1 {
        return Err(Leave::Ended(value));
    }
    frames.pop();
    let caller = frames.last_mut().expect("there were at least two");
    caller.mark = exec.interval;
    let (pc, base) = (caller.pc, caller.base as usize);
    // SAFETY: C1: the frame below is the caller's, and its `pc` is the call that it stands at; c of that is the frame's size.
    let cur = unsafe {
        let place = exec.place(pc);
        Cursor::new(place, exec.task.regs.as_mut_ptr().add(base), Word(*place).c())
    };
    let call = cur.word();
    cur.write(call.a(), value);
    Ok(cur.skip(2 + usize::from(call.b()).div_ceil(2)))
}

#[inline(always)]
pub(super) fn poll(exec: &mut Exec<'_>, cur: Cursor, _: Word) -> Step {
    if exec.interrupt.load(Ordering::Relaxed) { Err(Leave::Interrupted) } else { Ok(cur.next()) }
}

#[cold]
pub(super) fn fail(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let kind = TrapKind::from_number(w.b() as u8).expect("V7: the kind of a trap");
    let message = deepslate_ir::builtins::Machine::str(&exec.core.heap, cur.read(w.a())).to_owned();
    Err(fault(Fault::new(kind, message)))
}

/// Copies of a host function's arguments.
fn host_args(exec: &Exec<'_>, cur: Cursor, host: HostId) -> Result<Vec<Datum>, Fault> {
    let params = &exec.program.module().host(host).params;
    let mut left = exec.core.limits.message_bytes;
    let mut args = Vec::with_capacity(params.len());
    for (index, param) in params.iter().enumerate() {
        args.push(to_datum(&exec.core.heap, param.ty, cur.list(index), left)?);
        left = left.saturating_sub(16);
    }
    Ok(args)
}

pub(super) fn call_pure(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let host = HostId(cur.extra(1) as u32);
    let args = host_args(exec, cur, host).map_err(fault)?;
    let answer = exec.host.call_pure(host, &args);
    let value = exec.core.accept(host, answer).map_err(fault)?;
    cur.write(w.a(), value);
    Ok(super::objects::after_list(cur, w))
}

pub(super) fn now(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.write(w.a(), eval::now(exec.host.now_ms()).to_bits());
    Ok(cur.next())
}

pub(super) fn random(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.write(w.a(), eval::random(exec.host.chance()).to_bits());
    Ok(cur.next())
}

pub(super) fn uuid(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let text = eval::uuid(exec.host.chance(), exec.host.chance());
    let made = deepslate_ir::builtins::Machine::new_str(&mut exec.core.heap, &text).map_err(fault)?;
    cur.write(w.a(), made);
    Ok(cur.next())
}

pub(super) fn call_impure(exec: &mut Exec<'_>, cur: Cursor, _: Word) -> Step {
    let host = HostId(cur.extra(1) as u32);
    let args = host_args(exec, cur, host).map_err(fault)?;
    Err(durable(exec, Request::Host { host, args }))
}

pub(super) fn sleep(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let seconds = cur.float(w.b());
    if seconds.is_nan() || seconds < 0.0 {
        return Err(fault(Fault::bad_sleep(seconds)));
    }
    Err(durable(exec, Request::Sleep { seconds }))
}

/// Makes a durable call for which the task waits where it stands.
fn durable(exec: &mut Exec<'_>, request: Request) -> Leave {
    let step = exec.core.table.next_step;
    exec.core.table.next_step += 1;
    exec.core.table.calls.push(Call { step, task: exec.task.id, request });
    exec.task.state = State::Waiting(Wait::Durable(step));
    Leave::Blocked
}

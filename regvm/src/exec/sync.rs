//! Tasks and sync objects. Who goes first is the heap's queues' and locks' business; here tasks block and are woken.
//!
//! The rules are those of `ir::interp`: a task that is woken goes to the end of the ready queue, and the one that wakes it
//! goes on.

use super::call::pass;
use super::cursor::Cursor;
use super::{Exec, Leave, Step, fault};
use crate::heap::{Got, Put, Ref, Waiter};
use crate::isolate::Given;
use crate::ops::{Word, case};
use crate::stop::TaskId;
use crate::task::{Frame, Resume, State, Task, Wait};
use deepslate_ir::builtins::Machine;
use deepslate_ir::entity::TypeId;
use deepslate_ir::interp::due_ms;
use deepslate_ir::trap::{Fault, is_queue_name};

pub(super) fn create_task(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    // The running task is not in the table.
    if exec.core.table.tasks.len() + 1 >= exec.core.limits.tasks as usize {
        return Err(fault(Fault::too_many_tasks(exec.core.limits.tasks as usize)));
    }
    let func = cur.extra(1) as u32;
    let entry = exec.program.entries()[func as usize];
    exec.core.charge_stack(entry.count.into()).map_err(fault)?;
    let mut regs = vec![0; usize::from(entry.count)];
    // SAFETY: C1: the entry is an instruction of the function (V1), and `regs` is as large as its frame.
    pass(cur, unsafe { Cursor::new(exec.place(entry.pc), regs.as_mut_ptr(), entry.count) }, w.b());
    let id = exec.core.table.next_task;
    exec.core.table.next_task += 1;
    exec.core.table.ready.push_back(id);
    let task = Task {
        id: TaskId(id),
        regs,
        frames: vec![Frame { func, pc: entry.pc, base: 0, mark: exec.interval }],
        state: State::Ready(Resume::Start),
        mark: exec.interval,
        last_case: None,
    };
    exec.core.table.tasks.insert(id, task);
    Ok(cur.skip(2 + usize::from(w.b()).div_ceil(2)))
}

pub(super) fn queue_new(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let ty = TypeId(cur.extra(1) as u32);
    let queue = exec.core.heap.new_queue(ty, cur.int(w.b())).map_err(fault)?;
    cur.write(w.a(), queue.slot());
    Ok(cur.skip(2))
}

/// The task waits where it stands.
fn block(exec: &mut Exec<'_>, wait: Wait) -> Leave {
    exec.task.state = State::Waiting(wait);
    Leave::Blocked
}

fn this(exec: &Exec<'_>, case: Option<u32>) -> Waiter {
    Waiter { task: exec.task.id.0, case }
}

/// Puts if that needs no waiting; tells whether it did.
fn put(exec: &mut Exec<'_>, queue: Ref, element: u64) -> Result<bool, Leave> {
    match exec.core.heap.queue_put(queue, element).map_err(fault)? {
        Put::Stored => Ok(true),
        Put::Handed(getter) => {
            exec.core.wake(getter, Given::Element(element));
            Ok(true)
        }
        Put::Full => Ok(false),
    }
}

/// What can be had from a queue without waiting.
enum Taken {
    Element(u64),
    /// It is closed and empty.
    End,
    Nothing,
}

/// Takes if that needs no waiting.
fn get(exec: &mut Exec<'_>, queue: Ref) -> Result<Taken, Leave> {
    settle(exec, queue);
    match exec.core.heap.queue_get(queue).map_err(fault)? {
        Got::Element(element, putter) => {
            if let Some(putter) = putter {
                exec.core.wake(putter, Given::Nothing);
            }
            let element = if exec.core.heap.has_unopened() {
                exec.opening(|heap| heap.opened_inside(queue, element))?
            } else {
                element
            };
            Ok(Taken::Element(element))
        }
        Got::Empty => Ok(Taken::Nothing),
        Got::Ended => Ok(Taken::End),
    }
}

/// Looks at the clock for a queue of `after`.
fn settle(exec: &mut Exec<'_>, queue: Ref) {
    if exec.core.heap.queue_due_ms(queue).is_some() {
        let now_ms = exec.host.now_ms();
        exec.core.settle_timer(queue, now_ms);
    }
}

/// What a receive gives: a list of the element, or an empty one at the end.
fn received(exec: &mut Exec<'_>, list: u32, element: Option<u64>) -> Result<u64, Leave> {
    exec.core.heap.new_list(TypeId(list), element.as_slice()).map(Ref::slot).map_err(fault)
}

pub(super) fn queue_put(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let (queue, element) = (Ref::from_slot(cur.read(w.b())), cur.read(w.c()));
    if put(exec, queue, element)? {
        cur.write(w.a(), 0);
        return Ok(cur.skip(2));
    }
    let waiter = this(exec, None);
    exec.core.heap.queue_wait_put(queue, waiter, element).map_err(fault)?;
    Err(block(exec, Wait::Put(queue.slot())))
}

pub(super) fn queue_get(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let queue = Ref::from_slot(cur.read(w.b()));
    match get(exec, queue)? {
        Taken::Element(element) => {
            cur.write(w.a(), element);
            return Ok(cur.skip(2));
        }
        Taken::End => return Err(fault(Fault::get_from_closed())),
        Taken::Nothing => {}
    }
    let waiter = this(exec, None);
    exec.core.heap.queue_wait_get(queue, waiter).map_err(fault)?;
    Err(block(exec, Wait::Get(queue.slot())))
}

pub(super) fn queue_receive(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let queue = Ref::from_slot(cur.read(w.b()));
    let element = match get(exec, queue)? {
        Taken::Element(element) => Some(element),
        Taken::End => None,
        Taken::Nothing => {
            let waiter = this(exec, None);
            exec.core.heap.queue_wait_get(queue, waiter).map_err(fault)?;
            return Err(block(exec, Wait::Get(queue.slot())));
        }
    };
    let list = received(exec, (cur.extra(1) >> 32) as u32, element)?;
    cur.write(w.a(), list);
    Ok(cur.skip(2))
}

pub(super) fn queue_close(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let queue = Ref::from_slot(cur.read(w.a()));
    let (getters, putters) = exec.core.heap.queue_close(queue).map_err(fault)?;
    for (waiters, given) in [(getters, Given::End), (putters, Given::Refusal)] {
        for waiter in waiters {
            // A select may stand in line more than once, and goes on from the first of its places.
            let waits = |task: &Task| matches!(task.state, State::Waiting(_));
            if exec.core.table.tasks.get(&waiter.task).is_some_and(waits) {
                exec.core.wake(waiter, given);
            }
        }
    }
    Ok(cur.next())
}

pub(super) fn queue_closed(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.set_bool(w.a(), exec.core.heap.queue_closed(Ref::from_slot(cur.read(w.b()))));
    Ok(cur.next())
}

pub(super) fn queue_full(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.set_bool(w.a(), !exec.core.heap.queue_can_put(Ref::from_slot(cur.read(w.b()))));
    Ok(cur.next())
}

pub(super) fn after(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let seconds = cur.float(w.b());
    if seconds.is_nan() || seconds < 0.0 {
        return Err(fault(Fault::bad_after(seconds)));
    }
    let due_ms = due_ms(exec.host.now_ms(), seconds);
    let queue = exec.core.heap.new_timer(TypeId(cur.extra(1) as u32), due_ms).map_err(fault)?;
    cur.write(w.a(), queue.slot());
    Ok(cur.skip(2))
}

pub(super) fn queue_named(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let (ty, capacity) = (TypeId(cur.extra(1) as u32), cur.int(w.c()));
    let name: Box<str> = Machine::str(&exec.core.heap, cur.read(w.b())).into();
    let slot = match exec.core.table.named.get(&name) {
        Some((had, slot)) => {
            let has = exec.core.heap.queue_capacity(Ref::from_slot(*slot));
            if *had != ty || has.max(-1) != capacity.max(-1) {
                let had = exec.program.module().types.name(*had);
                return Err(fault(Fault::queue_name_taken(&name, &had, has)));
            }
            *slot
        }
        None if is_queue_name(&name) => {
            let queue = exec.core.heap.new_named_queue(ty, capacity, &name).map_err(fault)?;
            exec.core.table.named.insert(name, (ty, queue.slot()));
            queue.slot()
        }
        None => return Err(fault(Fault::bad_queue_name(&name))),
    };
    cur.write(w.a(), slot);
    Ok(cur.skip(2))
}

pub(super) fn queue_len(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    settle(exec, Ref::from_slot(cur.read(w.b())));
    cur.set_int(w.a(), exec.core.heap.queue_len(Ref::from_slot(cur.read(w.b()))) as i64);
    Ok(cur.next())
}

pub(super) fn lock_new(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let lock = exec.core.heap.new_lock().map_err(fault)?;
    cur.write(w.a(), lock.slot());
    Ok(cur.next())
}

pub(super) fn lock_acquire(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let lock = Ref::from_slot(cur.read(w.b()));
    if exec.core.heap.lock_try(lock) {
        cur.write(w.a(), 0);
        return Ok(cur.skip(2));
    }
    exec.core.heap.lock_wait(lock, exec.task.id.0).map_err(fault)?;
    Err(block(exec, Wait::Lock(lock.slot())))
}

pub(super) fn lock_release(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let next = exec.core.heap.lock_release(Ref::from_slot(cur.read(w.a()))).map_err(fault)?;
    if let Some(task) = next {
        exec.core.wake(Waiter { task, case: None }, Given::Nothing);
    }
    Ok(cur.next())
}

pub(super) fn wait_group_new(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let group = exec.core.heap.new_wait_group().map_err(fault)?;
    cur.write(w.a(), group.slot());
    Ok(cur.next())
}

pub(super) fn wait_group_add(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let group = Ref::from_slot(cur.read(w.a()));
    for task in exec.core.heap.wait_group_add(group, cur.int(w.b())).map_err(fault)? {
        exec.core.wake(Waiter { task, case: None }, Given::Nothing);
    }
    Ok(cur.next())
}

pub(super) fn wait_group_wait(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let group = Ref::from_slot(cur.read(w.b()));
    if exec.core.heap.wait_group_count(group) == 0 {
        cur.write(w.a(), 0);
        return Ok(cur.skip(2));
    }
    exec.core.heap.wait_group_wait(group, exec.task.id.0).map_err(fault)?;
    Err(block(exec, Wait::Group(group.slot())))
}

/// A case of the select under the cursor: its kind, its queue, and the register that it reads or sets.
fn case_of(cur: Cursor, index: usize) -> (u16, u16, u16) {
    let word = cur.extra(2 + 2 * index);
    (word as u16, (word >> 16) as u16, (word >> 32) as u16)
}

/// Goes on at a case's target, with the element that a get took.
pub(super) fn take_case(cur: Cursor, index: usize, element: u64) -> Cursor {
    let (kind, _, reg) = case_of(cur, index);
    if matches!(kind, case::GET | case::RECEIVE) {
        cur.write(reg, element);
    }
    cur.jump((cur.extra(3 + 2 * index) >> 32) as u32 as i32 as isize)
}

pub(super) fn select(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    exec.safe_point()?;
    let cases = usize::from(w.b());
    let has_default = case_of(cur, cases - 1).0 == case::DEFAULT;
    let count = cases - usize::from(has_default);
    let queue_of = |index: usize| Ref::from_slot(cur.read(case_of(cur, index).1));
    let start = exec.task.last_case.map_or(0, |last| last as usize + 1);
    for offset in 0..count {
        let index = (start + offset) % count;
        let (kind, _, reg) = case_of(cur, index);
        let taken = match kind {
            case::PUT => put(exec, queue_of(index), cur.read(reg))?.then_some(0),
            _ => match (get(exec, queue_of(index))?, kind) {
                (Taken::Nothing, _) => None,
                (Taken::Element(element), case::GET) => Some(element),
                (Taken::End, case::GET) => return Err(fault(Fault::get_from_closed())),
                (taken, _) => {
                    let element = if let Taken::Element(element) = taken { Some(element) } else { None };
                    Some(received(exec, cur.extra(3 + 2 * index) as u32, element)?)
                }
            },
        };
        if let Some(element) = taken {
            exec.task.last_case = Some(index as u32);
            return Ok(take_case(cur, index, element));
        }
    }
    if has_default {
        return Ok(take_case(cur, cases - 1, 0));
    }
    let mut queues = Vec::with_capacity(count);
    for index in 0..count {
        let (kind, _, reg) = case_of(cur, index);
        let (queue, waiter) = (queue_of(index), this(exec, Some(index as u32)));
        if matches!(kind, case::GET | case::RECEIVE) {
            exec.core.heap.queue_wait_get(queue, waiter).map_err(fault)?;
        } else {
            exec.core.heap.queue_wait_put(queue, waiter, cur.read(reg)).map_err(fault)?;
        }
        queues.push(queue.slot());
    }
    Err(block(exec, Wait::Select(queues)))
}

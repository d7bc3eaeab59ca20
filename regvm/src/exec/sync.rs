//! Tasks and sync objects. Who goes first is the heap's queues' and locks' business; here tasks block and are woken.
//!
//! The rules are those of `ir::interp`: a task that is woken goes to the end of the ready queue, and the one that wakes it
//! goes on.

use super::call::pass;
use super::cursor::Cursor;
use super::{Exec, Leave, Step, fault};
use crate::heap::{Got, Put, Ref, Waiter};
use crate::ops::{Word, case};
use crate::stop::TaskId;
use crate::task::{Frame, Resume, State, Task, Wait};
use deepslate_ir::entity::TypeId;
use deepslate_ir::trap::Fault;

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
            exec.core.wake(getter, element);
            Ok(true)
        }
        Put::Full => Ok(false),
    }
}

/// Takes if that needs no waiting.
fn get(exec: &mut Exec<'_>, queue: Ref) -> Result<Option<u64>, Leave> {
    match exec.core.heap.queue_get(queue).map_err(fault)? {
        Got::Element(element, putter) => {
            if let Some(putter) = putter {
                exec.core.wake(putter, 0);
            }
            Ok(Some(element))
        }
        Got::Empty => Ok(None),
    }
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
    if let Some(element) = get(exec, queue)? {
        cur.write(w.a(), element);
        return Ok(cur.skip(2));
    }
    let waiter = this(exec, None);
    exec.core.heap.queue_wait_get(queue, waiter).map_err(fault)?;
    Err(block(exec, Wait::Get(queue.slot())))
}

pub(super) fn queue_len(exec: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
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
        exec.core.wake(Waiter { task, case: None }, 0);
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
        exec.core.wake(Waiter { task, case: None }, 0);
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
    if kind == case::GET {
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
        let taken = if kind == case::GET {
            get(exec, queue_of(index))?
        } else {
            put(exec, queue_of(index), cur.read(reg))?.then_some(0)
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
        if kind == case::GET {
            exec.core.heap.queue_wait_get(queue, waiter).map_err(fault)?;
        } else {
            exec.core.heap.queue_wait_put(queue, waiter, cur.read(reg)).map_err(fault)?;
        }
        queues.push(queue.slot());
    }
    Err(block(exec, Wait::Select(queues)))
}

//! The interpreter: runs one task from where it stands until it blocks, ends, traps or is interrupted.
//!
//! Each form has one body, a small function from a cursor to the next one, in the files beside this one. `run_task` joins
//! them in a loop with a match, its state in locals; another dispatch can be made of the same bodies, since the table of
//! forms names them. A body that can't go on gives the reason, and only then is the cursor written back to the frame.
//!
//! Unsafe code is in this folder's `cursor`, here, and where cursors are made; the facts are V1 to V8 of `crate::verify`, C1
//! of `cursor` and H1 to H4 of `crate::heap`. The bodies keep H1 and H2: slots come from registers, and collections run at
//! safe points only, with every frame's reference registers as roots.

mod call;
mod cursor;
mod objects;
mod scalar;
mod sync;

use crate::heap::Heap;
use crate::isolate::{Core, Host};
use crate::ops::{Form, Word, for_each_form};
use crate::program::Program;
use crate::snapshot::SnapshotError;
use crate::stop::Interrupt;
use crate::task::{Resume, State, Task};
use cursor::Cursor;
use deepslate_ir::trap::Fault;
use std::sync::atomic::AtomicBool;

/// Why a task stopped running.
pub(crate) enum Leave {
    /// It waits; its state says for what.
    Blocked,
    /// The interrupt was set.
    Interrupted,
    /// Its first function returned this.
    Ended(u64),
    /// It trapped.
    Fault(Box<Fault>),
    /// It reached a stored object that is damaged.
    Damaged(Box<SnapshotError>),
}

/// Where to go on, or why not.
type Step = Result<Cursor, Leave>;

#[cold]
#[inline(never)]
fn fault(fault: Fault) -> Leave {
    Leave::Fault(Box::new(fault))
}

/// What the bodies work on.
struct Exec<'a> {
    core: &'a mut Core,
    /// The running task; it is not in the core's table meanwhile.
    task: &'a mut Task,
    program: &'a Program,
    host: &'a mut dyn Host,
    interrupt: &'a AtomicBool,
    /// The interval that frames which run now are marked with.
    interval: u64,
}

impl Exec<'_> {
    /// An instruction's address. The place must be an instruction of the program.
    #[inline(always)]
    fn place(&self, pc: u32) -> *const u64 {
        let words = self.program.words();
        debug_assert!((pc as usize) < words.len());
        // SAFETY: inside the words, as asked for.
        unsafe { words.as_ptr().add(pc as usize) }
    }

    /// Writes back where the innermost frame stands.
    #[inline(always)]
    fn save(&mut self, cur: Cursor) {
        // SAFETY: C1: the cursor points into the program's words.
        let pc = unsafe { cur.pc().offset_from(self.program.words().as_ptr()) };
        self.task.frames.last_mut().expect("a running task has a frame").pc = pc as u32;
    }

    /// The place where a collection may run: before an instruction that allocates.
    #[inline(always)]
    fn safe_point(&mut self) -> Result<(), Leave> {
        if self.core.heap.should_collect() { self.collect() } else { Ok(()) }
    }

    /// Has the heap, which has stored objects, open what is asked for; goes on only if nothing that was opened is damaged.
    #[cold]
    #[inline(never)]
    fn opening<R>(&mut self, open: impl FnOnce(&mut Heap) -> R) -> Result<R, Leave> {
        let opened = open(&mut self.core.heap);
        self.core.heap.absorb();
        match self.core.heap.damage() {
            Some(error) => Err(Leave::Damaged(Box::new(error))),
            None => Ok(opened),
        }
    }

    #[cold]
    #[inline(never)]
    fn collect(&mut self) -> Result<(), Leave> {
        let Core { heap, table, .. } = &mut *self.core;
        let (program, task) = (self.program, &*self.task);
        let collected = heap.collect(|roots| {
            table.roots(program, roots);
            task.roots(program, roots);
        });
        collected.map_err(fault)
    }
}

/// Runs a ready task that was taken out of the core's table.
pub(crate) fn run_task(
    core: &mut Core,
    task: &mut Task,
    program: &Program,
    host: &mut dyn Host,
    interrupt: &Interrupt,
) -> Leave {
    let interval = core.heap.interval();
    task.mark = interval;
    let resume = match std::mem::replace(&mut task.state, State::Ready(Resume::Start)) {
        State::Ready(resume) => resume,
        State::Waiting(wait) => unreachable!("a task in the ready queue waits: {wait:?}"),
    };
    let frame = task.frames.last_mut().expect("a live task has a frame");
    frame.mark = interval;
    let (pc, base, count) = (frame.pc, frame.base as usize, program.entries()[frame.func as usize].count);
    let mut exec = Exec { core, task, program, host, interrupt: interrupt.flag(), interval };
    // SAFETY: C1: a frame's `pc` is an instruction of its function, and its registers are inside the task's stack.
    let cur = unsafe { Cursor::new(exec.place(pc), exec.task.regs.as_mut_ptr().add(base), count) };
    let cur = match resume {
        Resume::Start => cur,
        Resume::Deliver(value) => deliver(cur, value),
        Resume::Case(case, element) => {
            exec.task.last_case = Some(case);
            sync::take_case(cur, case as usize, element)
        }
        Resume::Fault(fault) => return Leave::Fault(fault),
    };
    dispatch(&mut exec, cur)
}

/// Goes on after an instruction that stops, with its result.
fn deliver(cur: Cursor, value: u64) -> Cursor {
    let word = cur.word();
    let form = Form::from_number(word.number()).expect("V1: a known form");
    if form.op().has_result() {
        cur.write(word.a(), value);
    }
    cur.skip(form.length(word.b()))
}

macro_rules! match_loop {
    ($exec:ident $cur:ident $($form:ident $name:ident)*) => {{
        // Each arm goes on by itself: a step that is joined after the match would have to pass through memory.
        let leave = loop {
            let word: Word = $cur.word();
            // SAFETY: V1: the number is that of a form, and `Form` is `repr(u16)` with the numbers of the table.
            let form = unsafe { std::mem::transmute::<u16, Form>(word.number()) };
            match form {
                $(Form::$form => match bodies::$name($exec, $cur, word) {
                    Ok(next) => {
                        $cur = next;
                        continue;
                    }
                    Err(leave) => break leave,
                },)*
            }
        };
        $exec.save($cur);
        leave
    }};
}

/// All bodies under the names of the table of forms.
mod bodies {
    pub(super) use super::call::*;
    pub(super) use super::objects::*;
    pub(super) use super::scalar::*;
    pub(super) use super::sync::*;
}

fn dispatch(exec: &mut Exec<'_>, mut cur: Cursor) -> Leave {
    for_each_form!(match_loop exec cur)
}

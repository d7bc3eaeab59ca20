//! Tasks as they are written down and come back: function, stop and the listed values of each frame, nothing of registers or
//! bytecode, so that a snapshot outlives both.

use crate::heap::{Heap, Ref, Roots};
use crate::program::{Home, Program};
use crate::snapshot::{SavedFrame, SavedHead, SavedState, SavedTask, SnapshotError, Tasks};
use crate::stop::{Call, TaskId};
use crate::task::{Frame, Resume, State, Table, Task, Wait};
use deepslate_ir::entity::FuncId;
use deepslate_ir::planted::{Plant, is_planted};
use std::collections::BTreeMap;

/// The table of tasks as a commit asks for it.
pub(crate) struct Saving<'a> {
    pub table: &'a mut Table,
    pub program: &'a Program,
}

impl Tasks for Saving<'_> {
    fn head(&self) -> SavedHead {
        SavedHead {
            flow: self.table.flow,
            next_task: self.table.next_task,
            next_step: self.table.next_step,
            ready: self.table.ready.iter().copied().collect(),
            result: self.table.result,
            named: self.table.named.values().copied().collect(),
        }
    }

    fn changed(&self, since: u64) -> Vec<SavedTask> {
        let changed = self.table.tasks.values().filter(|t| t.mark > since);
        changed.map(|task| self.task(task, since)).collect()
    }

    fn take_ended(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.table.ended)
    }

    fn roots(&self, roots: &mut Roots<'_>) {
        self.table.roots(self.program, roots);
    }
}

impl Saving<'_> {
    fn task(&self, task: &Task, since: u64) -> SavedTask {
        let saved = |state, depth, frames| SavedTask {
            id: task.id.0,
            state,
            last_case: task.last_case.filter(|_| !is_planted(Plant::SnapshotLastCase)),
            depth,
            frames,
            mark: task.mark,
        };
        if task.state == State::Ready(Resume::Start) {
            let frame = task.frames.first().expect("a live task has a frame");
            let params = &self.program.code(FuncId(frame.func)).params;
            let args = params.iter().map(|reg| task.regs[usize::from(*reg)]).collect();
            return saved(SavedState::Start(FuncId(frame.func), args), 0, Vec::new());
        }
        let state = match &task.state {
            State::Ready(Resume::Start) => unreachable!("handled above"),
            State::Ready(Resume::Deliver(value)) => SavedState::Deliver(*value),
            State::Ready(Resume::Case(case, element)) => SavedState::Case(*case, *element),
            State::Ready(Resume::Fault(fault)) => SavedState::Fault((**fault).clone()),
            State::Waiting(Wait::Durable(step)) => {
                let at = self.table.calls.binary_search_by_key(step, |c| c.step);
                let call = &self.table.calls[at.expect("the call that a task waits for is pending")];
                SavedState::Call(*step, call.request.clone())
            }
            State::Waiting(Wait::Put(queue)) => SavedState::Put(*queue),
            State::Waiting(Wait::Get(queue)) => SavedState::Get(*queue),
            State::Waiting(Wait::Lock(lock)) => SavedState::Lock(*lock),
            State::Waiting(Wait::Group(group)) => SavedState::Group(*group),
            State::Waiting(Wait::Select(queues)) => SavedState::Select(queues.clone()),
        };
        // Marks only rise towards the inside, so the frames that ran are the last ones.
        // The encoder wants the innermost in any case: it says what a delivered result is.
        let first = task.frames.partition_point(|f| f.mark <= since).min(task.frames.len() - 1);
        let frames = task.frames[first..].iter().map(|f| self.frame(task, f)).collect();
        saved(state, u32::try_from(task.frames.len()).expect("the depth limit is 32 bits"), frames)
    }

    fn frame(&self, task: &Task, frame: &Frame) -> SavedFrame {
        let func = FuncId(frame.func);
        let stop = self.program.stop_at(frame.pc).expect("a frame that does not run stands at a stop");
        let regs = &task.regs[frame.base as usize..];
        // V8: that is where the values of the stop's list are.
        let values = self.program.code(func).stops[stop.index()].values.iter().map(|home| home.value(regs)).collect();
        SavedFrame { func, stop, values, mark: frame.mark }
    }
}

/// The table that was saved. The snapshot has checked every number, type and reference in it against the program.
///
/// Fails where the register stacks alone would be larger than the heap may be, so that a few bytes can't ask for gigabytes.
pub(crate) fn restore(
    program: &Program,
    head: SavedHead,
    saved: Vec<SavedTask>,
    heap: &Heap,
    heap_bytes: u64,
) -> Result<Table, SnapshotError> {
    let mut calls = Vec::new();
    let mut tasks = BTreeMap::new();
    let mut room = heap_bytes / 8;
    for task in saved {
        let id = task.id;
        let entries = program.entries();
        let begins = match &task.state {
            SavedState::Start(func, _) => Some(func),
            _ => None,
        };
        for func in task.frames.iter().map(|f| &f.func).chain(begins) {
            let count = u64::from(entries[func.index()].count);
            room = room.checked_sub(count).ok_or_else(|| SnapshotError {
                part: None,
                message: format!("its frames alone are over the limit of {heap_bytes} bytes for an isolate"),
            })?;
        }
        let (mut regs, mut frames) = (Vec::new(), Vec::new());
        for frame in &task.frames {
            let code = program.code(frame.func);
            let stop = &code.stops[frame.stop.index()];
            let base = push_frame(&mut regs, code.count);
            for (home, value) in stop.values.iter().zip(&frame.values) {
                // A constant is in the code: what it was when it was saved, it still is.
                if let Home::Register(reg) = home {
                    regs[base + usize::from(*reg)] = *value;
                }
            }
            frames.push(Frame { func: frame.func.0, pc: stop.pc, base: base as u32, mark: frame.mark });
        }
        let state = match task.state {
            SavedState::Start(func, args) => {
                let code = program.code(func);
                let base = push_frame(&mut regs, code.count);
                for (reg, arg) in code.params.iter().zip(args) {
                    regs[base + usize::from(*reg)] = arg;
                }
                frames.push(Frame { func: func.0, pc: code.entry, base: base as u32, mark: task.mark });
                State::Ready(Resume::Start)
            }
            SavedState::Deliver(value) => State::Ready(Resume::Deliver(value)),
            SavedState::Case(case, element) => State::Ready(Resume::Case(case, element)),
            SavedState::Fault(fault) => State::Ready(Resume::Fault(Box::new(fault))),
            SavedState::Call(step, request) => {
                calls.push(Call { step, task: TaskId(id), request });
                State::Waiting(Wait::Durable(step))
            }
            SavedState::Put(queue) => State::Waiting(Wait::Put(queue)),
            SavedState::Get(queue) => State::Waiting(Wait::Get(queue)),
            SavedState::Lock(lock) => State::Waiting(Wait::Lock(lock)),
            SavedState::Group(group) => State::Waiting(Wait::Group(group)),
            SavedState::Select(queues) => State::Waiting(Wait::Select(queues)),
        };
        tasks.insert(id, Task { id: TaskId(id), regs, frames, state, mark: task.mark, last_case: task.last_case });
    }
    calls.sort_by_key(|c| c.step);
    let name_of = |queue: u64| heap.queue_name(Ref::from_slot(queue)).expect("the snapshot found it to have a name");
    let named = head.named.iter().map(|(ty, queue)| (name_of(*queue).into(), (*ty, *queue))).collect();
    Ok(Table {
        tasks,
        ready: head.ready.into(),
        next_task: head.next_task,
        next_step: head.next_step,
        calls,
        flow: head.flow,
        result: head.result,
        ended: Vec::new(),
        named,
        stack_words: heap_bytes / 8 - room,
    })
}

/// Makes room for a frame, all registers zero; gives its base.
fn push_frame(regs: &mut Vec<u64>, count: u16) -> usize {
    let base = regs.len();
    regs.resize(base + usize::from(count), 0);
    base
}

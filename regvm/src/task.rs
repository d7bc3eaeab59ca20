//! Tasks as they lie in memory: a register stack, the frames on it, and what the task waits for; and the table of an
//! isolate's tasks. It knows nothing of what instructions do; `exec` moves tasks along and `save` writes them down.

use crate::heap::Roots;
use crate::ops::{Form, Word, case};
use crate::program::Program;
use crate::stop::{Call, TaskId};
use deepslate_ir::entity::{FuncId, TypeId};
use deepslate_ir::trap::Fault;
use std::collections::{BTreeMap, VecDeque};

/// One frame of a task. The frame's registers begin at `base` in the task's register stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// The function's index in the module.
    pub func: u32,
    /// The instruction where the frame stands, as an index into the program's words: the stop for every frame but the
    /// one that runs, and the entry for a task that has not run yet.
    pub pc: u32,
    /// The first register.
    pub base: u32,
    /// The interval (last commit + 1) in which it last ran; never less than that of the frame that called it.
    pub mark: u64,
}

/// One task.
#[derive(Debug)]
pub(crate) struct Task {
    /// Its number.
    pub id: TaskId,
    /// The registers of its frames, outermost first; words past the last frame's end are unused.
    pub regs: Vec<u64>,
    /// Outermost first; never empty while the task lives.
    pub frames: Vec<Frame>,
    /// Whether it can run, and if not what it waits for.
    pub state: State,
    /// The interval in which anything of it last changed.
    pub mark: u64,
    /// The index of the case that its last `select` took.
    pub last_case: Option<u32>,
}

/// Whether a task can run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// It is in the ready queue, or running.
    Ready(Resume),
    /// It waits.
    Waiting(Wait),
}

/// What happens first when a ready task runs on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Resume {
    /// It begins at its function's entry.
    Start,
    /// The durable call where it stands has failed: it traps.
    Fault(Box<Fault>),
    /// It goes on after the stop where it stands; a result, if the stop has one, is this slot.
    Deliver(u64),
    /// It goes on at the target of this case of the select where it stands; the slot is the element of a get.
    Case(u32, u64),
}

/// What a task waits for. Slots are references to sync objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wait {
    /// The result of the durable call with this step.
    Durable(u64),
    /// To put into this queue, which is full.
    Put(u64),
    /// To get from this queue, which is empty.
    Get(u64),
    /// This lock.
    Lock(u64),
    /// This wait group's zero.
    Group(u64),
    /// One of these queues, by case.
    Select(Vec<u64>),
}

impl Task {
    /// Every reference that the task holds: the reference registers of its frames, what is delivered to it, and what it
    /// waits for.
    pub fn roots(&self, program: &Program, roots: &mut Roots<'_>) {
        for frame in &self.frames {
            let base = frame.base as usize;
            let refs = usize::from(program.entries()[frame.func as usize].refs);
            roots.add_all(&self.regs[base..base + refs]);
        }
        match &self.state {
            State::Ready(Resume::Deliver(value)) => {
                if self.delivers_reference(program, None) {
                    roots.add(*value);
                }
            }
            State::Ready(Resume::Case(case, element)) => {
                if self.delivers_reference(program, Some(*case)) {
                    roots.add(*element);
                }
            }
            State::Ready(Resume::Start | Resume::Fault(_)) | State::Waiting(Wait::Durable(_)) => {}
            State::Waiting(Wait::Put(object) | Wait::Get(object) | Wait::Lock(object) | Wait::Group(object)) => {
                roots.add(*object);
            }
            State::Waiting(Wait::Select(queues)) => roots.add_all(queues),
        }
    }

    /// The type of list that the task is given where it stands, if it receives there.
    pub fn receives(&self, program: &Program, case: Option<u32>) -> Option<TypeId> {
        let frame = self.frames.last().expect("a live task has a frame");
        let words = &program.words()[frame.pc as usize..];
        let ty = match case {
            None if Word(words[0]).number() == Form::QueueReceive as u16 => (words[1] >> 32) as u32,
            Some(case) if words[2 + 2 * case as usize] as u16 == case::RECEIVE => words[3 + 2 * case as usize] as u32,
            _ => return None,
        };
        Some(TypeId(ty))
    }

    /// Whether what the instruction where the task stands (or this case of it) is given goes to a reference register.
    fn delivers_reference(&self, program: &Program, case: Option<u32>) -> bool {
        let frame = self.frames.last().expect("a live task has a frame");
        let refs = program.entries()[frame.func as usize].refs;
        let at = frame.pc as usize;
        let word = Word(program.words()[at]);
        let form = Form::from_number(word.number()).expect("V1: a known form");
        match case {
            None => form.op().has_result() && word.a() < refs,
            Some(case) => {
                let case = program.words()[at + 2 + 2 * case as usize];
                matches!(case as u16, case::GET | case::RECEIVE) && ((case >> 32) as u16) < refs
            }
        }
    }
}

/// The tasks of an isolate and what goes with them.
#[derive(Debug)]
pub(crate) struct Table {
    /// The live tasks by number, but for the one that runs.
    pub tasks: BTreeMap<u64, Task>,
    /// The tasks that can run, first to last.
    pub ready: VecDeque<u64>,
    /// The number that the next task gets.
    pub next_task: u64,
    /// The number that the next durable call gets.
    pub next_step: u64,
    /// The durable calls without a result, in the order of their steps.
    pub calls: Vec<Call>,
    /// The function of the first task.
    pub flow: FuncId,
    /// A copy of what the first task returned, once it has.
    pub result: Option<u64>,
    /// The tasks that have ended since a commit last asked.
    pub ended: Vec<u64>,
    /// The queues with a name: they live as long as the isolate.
    pub named: BTreeMap<Box<str>, (TypeId, u64)>,
    /// How many words the register stacks of all tasks have, the running one's among them.
    pub stack_words: u64,
}

impl Table {
    /// Every reference that the tasks in the table and the result hold.
    pub fn roots(&self, program: &Program, roots: &mut Roots<'_>) {
        self.tasks.values().for_each(|t| t.roots(program, roots));
        self.named.values().for_each(|(_, queue)| roots.add(*queue));
        let module = program.module();
        if let Some(slot) = self.result
            && module.types.is_ref(module.func(self.flow).ret)
        {
            roots.add(slot);
        }
    }
}

//! Tasks as they lie in memory: a register stack, the frames on it, and what the task waits for. It knows nothing of what
//! instructions do; `exec` moves tasks along and `snapshot` writes them down in the form of `snapshot::SavedTask`.

use crate::stop::TaskId;

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
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Resume {
    /// It begins at its function's entry.
    Start,
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

//! What a person looks at: the tasks of an isolate, where each stands and what its variables hold. Plain values with every
//! size bounded, so that looking never costs more than a few pages, however large the isolate is.

use crate::stop::{TaskId, TraceLine};

/// An isolate as a person sees it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct View {
    /// Its live tasks, oldest first.
    pub tasks: Vec<TaskView>,
}

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    /// Its number.
    pub id: TaskId,
    /// What it is doing, in one word.
    pub status: TaskStatus,
    /// What it waits for, in words; empty if it can run.
    pub waits_for: String,
    /// Its frames, innermost first.
    pub frames: Vec<FrameView>,
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// It can run.
    Running,
    /// It waits for a timer.
    Sleeping,
    /// It waits for something else.
    Waiting,
}

impl TaskStatus {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            TaskStatus::Running => "running",
            TaskStatus::Sleeping => "sleeping",
            TaskStatus::Waiting => "waiting",
        }
    }
}

/// A frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameView {
    /// Where it stands.
    pub place: TraceLine,
    /// Its named variables that have a value, in the order of their stop's list.
    pub variables: Vec<Variable>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name in the source.
    pub name: String,
    /// Its type as the source writes it.
    pub ty: String,
    /// Its value as `repr` shows it, cut to `Variable::PREVIEW` characters.
    pub value: String,
    /// Whether the value was cut.
    pub cut: bool,
}

impl Variable {
    /// The most characters that a preview has.
    pub const PREVIEW: usize = 400;
}

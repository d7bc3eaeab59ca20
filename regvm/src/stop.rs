//! Why a run came to its end, and what a trap says. Nothing here knows how the machine works: these are the types that the
//! engine, the inspector and the command line read.

use crate::snapshot::SnapshotError;
use crate::trace::{self, TraceLine};
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::HostId;
use deepslate_ir::trap::TrapKind;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A task of one isolate: numbered from 0 in the order of creation, never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct TaskId(pub u64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.0)
    }
}

/// Why `Isolate::run` returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Exit {
    /// Every task is blocked, and at least one of them waits for a durable call.
    Blocked,
    /// The interrupt was set; `run` goes on where it was.
    Interrupted,
    /// Every task has ended; this is the first one's value.
    Done(Datum),
    /// A task trapped; the isolate can't go on.
    Failed(Trap),
    /// A stored object that it reached is damaged. What it did since its last commit must be dropped with it.
    Damaged(SnapshotError),
}

/// What a flow did wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    /// What kind of mistake.
    pub kind: TrapKind,
    /// In words, with the values that matter.
    pub message: String,
    /// The task that made it.
    pub task: TaskId,
    /// Where it was, innermost function first.
    pub trace: Vec<TraceLine>,
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        let (trace, repeats) = trace::fold(self.trace.clone());
        trace::write(f, &trace, &repeats, "  ")
    }
}

impl std::error::Error for Trap {}

/// A durable call that waits for its result.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Its number in its isolate, from 0; with the isolate's id its idempotency key.
    pub step: u64,
    /// The task that waits for it.
    pub task: TaskId,
    /// What is asked for.
    pub request: Request,
}

/// What a durable call asks the engine for.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// To wait; its result is `None`.
    Sleep {
        /// For at least this long; finite or infinite, never negative or NaN.
        seconds: f64,
    },
    /// To call a host function.
    Host {
        /// Which one of the module's.
        host: HostId,
        /// One for each of its parameters, as copies.
        args: Vec<Datum>,
    },
}

/// A flag that anybody may set to make a run return at its next poll.
#[derive(Clone, Default, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag that is not set.
    pub fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Sets the flag.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Takes the flag back.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether the flag is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }
}

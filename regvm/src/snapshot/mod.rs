//! Snapshots of an isolate: `commit` writes what changed since an earlier commit as one part, `restore` makes the isolate of
//! the parts that the store keeps. The isolate's tasks come and go in the neutral form of this file.
//!
//! A part with number n that was encoded since commit b holds what changed in the intervals b+1 to n, and takes the place of
//! all parts after b. Parts hold persistent ids and stop numbers, never addresses, registers or hashes of keys.
//! Stored bytes are hostile: `restore` believes nothing that it has not checked against the program.

mod datum;
mod encode;
mod index;
mod ledger;
mod open;
mod policy;
mod records;
mod restore;
mod stands;
mod tasks;
#[cfg(test)]
mod tests;
mod unopened;
mod v1;

pub use ledger::Ledger;
pub(crate) use open::Opened;
pub use policy::Urgency;
pub(crate) use unopened::Unopened;
pub(crate) use v1::{PartWriter, reseal};

use crate::heap::{Heap, Roots};
use crate::stop::Request;
use bytes::Bytes;
use deepslate_ir::entity::{FuncId, StopId, TypeId};
use deepslate_ir::module::Module;
use deepslate_ir::trap::Fault;
use std::fmt;
use std::sync::Arc;

/// What a commit gives the store: it drops every part numbered `drop_from` or higher and keeps this one under `number`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The number of the commit, from 1.
    pub number: u64,
    /// The first number that this part takes the place of; `number` where it is only added.
    pub drop_from: u64,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Why a snapshot can't be restored. The bytes are left as they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotError {
    /// The number of the part where the damage shows; `None` where it shows only in all of them together.
    pub part: Option<u64>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(part) => write!(f, "snapshot part {part}: {}", self.message),
            None => write!(f, "snapshot: {}", self.message),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// What is saved of an isolate beside its tasks and objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedHead {
    /// The flow that it runs.
    pub flow: FuncId,
    /// The number that the next task gets.
    pub next_task: u64,
    /// The number that the next durable call gets.
    pub next_step: u64,
    /// The tasks that can run, first to last. Each is in a state that can run.
    pub ready: Vec<u64>,
    /// The slot that the first task returned, once it has; of the type that the flow returns.
    pub result: Option<u64>,
    /// The queues with a name, each with its type.
    pub named: Vec<(TypeId, u64)>,
}

/// A frame: where it stands, and the slots of the values that the stop lists, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedFrame {
    /// Its function.
    pub func: FuncId,
    /// Its stop.
    pub stop: StopId,
    /// One slot for each listed value.
    pub values: Vec<u64>,
    /// The interval in which it last ran. Only `restore` gives it; `commit` does not look at it.
    pub mark: u64,
}

/// A task.
#[derive(Clone, PartialEq, Debug)]
pub struct SavedTask {
    /// Its number.
    pub id: u64,
    /// Whether it can run, or what it waits for.
    pub state: SavedState,
    /// The index of the case that its last `select` took.
    pub last_case: Option<u32>,
    /// How many frames it has; 0 exactly if it has not begun.
    pub depth: u32,
    /// Its frames from the outermost that changed to the innermost, which is always given; all of them when restored.
    pub frames: Vec<SavedFrame>,
    /// The interval in which anything of it last changed. Only `restore` gives it; `commit` does not look at it.
    pub mark: u64,
}

/// What a task does next. Slots that are references are those of live objects.
#[derive(Clone, PartialEq, Debug)]
pub enum SavedState {
    /// Ready: it begins at the entry of this function with these arguments, and has no frame yet.
    Start(FuncId, Vec<u64>),
    /// Ready: it goes on after the stop where it stands, with this result if the stop's instruction has one (0 otherwise).
    Deliver(u64),
    /// Ready: it goes on at the target of this case of the select where it stands, with the element that a get took (0 otherwise).
    Case(u32, u64),
    /// Ready: the durable call where it stands has failed, and the task traps.
    Fault(Fault),
    /// It waits for the result of this durable call.
    Call(u64, Request),
    /// It waits to put into this queue; the element is in the queue's line.
    Put(u64),
    /// It waits to get from this queue.
    Get(u64),
    /// It waits for this lock.
    Lock(u64),
    /// It waits for this wait group.
    Group(u64),
    /// It waits for one of the cases of the select where it stands; the queue of each, in order.
    Select(Vec<u64>),
}

/// What `commit` asks the table of tasks.
pub trait Tasks {
    /// The state beside the tasks.
    fn head(&self) -> SavedHead;
    /// Every task that lives and in which anything changed in an interval after `since`, in the order of their numbers, with
    /// those of its frames that ran after `since` (a frame that ran has all frames inside it with it) and in any case the innermost.
    fn changed(&self, since: u64) -> Vec<SavedTask>;
    /// The tasks that have ended since the last call of this method.
    fn take_ended(&mut self) -> Vec<u64>;
    /// Every reference of every task, for a collection.
    fn roots(&self, roots: &mut Roots<'_>);
}

/// An isolate as it was at its last commit.
pub struct Restored {
    /// Its heap.
    pub heap: Heap,
    /// Its parts.
    pub ledger: Ledger,
    /// Its state beside the tasks.
    pub head: SavedHead,
    /// Its tasks, in the order of their numbers, complete. Slots of reference type are live objects of `heap` or, nowhere else, of nothing.
    pub tasks: Vec<SavedTask>,
}

/// Writes down what changed since the last commit, as the part of the next one, and begins the next interval. `tasks` are
/// those of the isolate whose heap and ledger these are.
///
/// Fails where a stored object turned out to be damaged since the isolate was restored: then it may have gone on with
/// something else in its place, and all that it did since its last commit is to be dropped with it.
pub fn commit(
    heap: &mut Heap,
    ledger: &mut Ledger,
    tasks: &mut dyn Tasks,
    urgency: Urgency,
) -> Result<Part, SnapshotError> {
    let number = heap.interval();
    if heap.should_collect_at_commit() {
        // Whether what lives is over the limit is for the next operation that allocates to say.
        let _ = heap.collect(|roots| tasks.roots(roots));
    }
    ledger.adopt(heap.take_opened());
    ledger.forget_objects(heap.take_freed());
    ledger.end_tasks(tasks.take_ended(), number);
    let worn = ledger.next_id > u32::MAX / 2;
    let whole = ledger.parts.is_empty() || worn || ledger.live_bytes() < policy::WHOLE_BELOW;
    if whole {
        open_all(heap, ledger, tasks)?;
    }
    let mut encoded = encode::encode(heap, ledger, tasks, number, if whole { 0 } else { number - 1 }, 0);
    ledger.account(&encoded, number);
    if !whole {
        let parts: Vec<_> = ledger.parts.iter().map(|p| policy::Sized { bytes: p.bytes, level: p.level }).collect();
        let (keep, level) = policy::parts_to_keep(&parts, encoded.bytes.len() as u64, ledger.live_bytes(), urgency);
        if keep < parts.len() {
            let since = if keep == 0 { 0 } else { ledger.parts[keep - 1].number };
            if keep == 0 {
                open_all(heap, ledger, tasks)?;
            }
            encoded = encode::encode(heap, ledger, tasks, number, since, level);
            ledger.account(&encoded, number);
        }
    }
    let part = Part { number, drop_from: encoded.since + 1, bytes: std::mem::take(&mut encoded.bytes) };
    ledger.replace_parts(encoded, part.bytes.len() as u64, number);
    heap.begin_interval(number + 1);
    heap.damage().map_or(Ok(part), Err)
}

/// A new base numbers all objects anew, so it needs all of them.
fn open_all(heap: &mut Heap, ledger: &mut Ledger, tasks: &dyn Tasks) -> Result<(), SnapshotError> {
    heap.open_all(&|roots: &mut Roots<'_>| tasks.roots(roots))?;
    ledger.adopt(heap.take_opened());
    Ok(())
}

/// Makes the isolate of its parts, in the order of their numbers, as it was at the commit of the last one. Of a large one only
/// what its tasks refer to is opened at once; that an object is damaged which is reached later, `Heap::damage` says then.
///
/// `module` is the verified program that it runs, `limit_bytes` the most that its heap may hold from now on.
///
/// A snapshot of fewer bytes than `whole_below` is opened whole.
pub fn restore(
    module: &Arc<Module>,
    parts: &[(u64, Bytes)],
    limit_bytes: u64,
    whole_below: u64,
) -> Result<Restored, SnapshotError> {
    restore::restore(module, parts, limit_bytes, whole_below)
}

/// Below this many bytes a snapshot is opened whole: keeping it at hand would cost more.
pub const WHOLE_BELOW: u64 = 64 << 10;

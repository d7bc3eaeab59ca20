//! What the engine shows of its isolates: plain values for the faces, taken from stored heads and from live isolates.

use std::sync::Arc;

use deepslate_ir::entity::{FuncId, TypeId};
use deepslate_ir::json;
use deepslate_ir::module::Module;
use deepslate_ir::types::{NONE, Types};
use deepslate_regvm::Isolate;
use deepslate_regvm::view::View;
use deepslate_storage::{Head, IsolateId, ListCursor, ProgramHash, Seq, Status};

use crate::http::route::Route;
use crate::programs::Loaded;
use crate::record::{Ending, Record};

/// The isolate that has the name after a spawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spawned {
    /// Its id.
    pub id: IsolateId,
    /// Whether it was there before: the first spawn of a name wins, the others get its id.
    pub exists: bool,
    /// The flow that it runs: another one than was asked for where that took the name first.
    pub flow: String,
    /// Its arguments as JSON, cut.
    pub args: String,
    /// What of it is not as this spawn asked for; never anything of a new one.
    pub differs: Differs,
}

impl Spawned {
    /// What to tell who spawned it: that the name was taken by something else, which is usually a mistake. None where nothing differs.
    pub fn note(&self, name: &str) -> Option<String> {
        let Spawned { flow, args, .. } = self;
        match self.differs {
            Differs::Nothing => None,
            Differs::Arguments => Some(format!(
                "`{name}` was spawned before with other arguments and keeps them: {args}; nothing new was spawned"
            )),
            Differs::Flow => Some(format!(
                "the name `{name}` belongs to an isolate of another flow, `{flow}`, with the arguments {args}; nothing new was spawned: choose another name"
            )),
        }
    }
}

/// How an isolate that had its name before differs from what a spawn asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Differs {
    /// It is the same flow with the same arguments.
    #[default]
    Nothing,
    /// It has other arguments.
    Arguments,
    /// It runs another flow.
    Flow,
}

/// What an isolate's machine says of itself beside its tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// How many durable calls it has made: the number that the next one gets.
    pub step: u64,
    /// Bytes of heap in use, garbage that no collection has found yet included.
    pub heap_bytes: u64,
    /// Bytes of its snapshot in the store.
    pub stored_bytes: u64,
}

impl Vitals {
    pub(crate) fn of(vm: &Isolate) -> Vitals {
        Vitals { step: vm.next_step(), heap_bytes: vm.heap_bytes(), stored_bytes: vm.stored_bytes().0 }
    }
}

/// An isolate that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its id.
    pub id: IsolateId,
    /// Its name.
    pub name: String,
    /// The flow it ran.
    pub flow: String,
    /// How it ended.
    pub ending: Ending,
    pub(crate) module: Option<Arc<Module>>,
    pub(crate) ret: TypeId,
}

impl Finished {
    /// The value of one that is done, as JSON by the flow's declared type.
    pub fn json(&self) -> Option<String> {
        let Ending::Done(value) = &self.ending else { return None };
        Some(match &self.module {
            Some(module) => json::to_json(&module.types, self.ret, value),
            // Its program can't be read any more: the value by its own shape.
            None => json::to_json(&Types::new(), NONE, value),
        })
    }

    /// The program, in whose types the value is, and the flow's declared result; none if it can't be read any more.
    pub fn declared(&self) -> Option<(&Module, TypeId)> {
        self.module.as_deref().map(|module| (module, self.ret))
    }
}

/// An isolate in a listing.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its id.
    pub id: IsolateId,
    /// Its name.
    pub name: String,
    /// The flow it runs.
    pub flow: String,
    /// The program it runs.
    pub program: ProgramHash,
    /// What it is doing.
    pub status: Status,
    /// The number of its last commit.
    pub seq: Seq,
    /// When it was spawned, in unix milliseconds of the store's clock, as are all times.
    pub created_ms: i64,
    /// When it was last committed.
    pub updated_ms: i64,
    /// When its next timer is due.
    pub wake_at_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Its arguments as JSON, cut.
    pub args: String,
    /// Why it is parked.
    pub parked: Option<String>,
    /// How it ended.
    pub ending: Option<Ending>,
}

impl Summary {
    /// Why it has not ended yet and what to do about it, where waiting alone may not help.
    pub(crate) fn waits(&self) -> String {
        match (self.status, &self.parked) {
            (Status::Parked, reason) => {
                let reason = reason.as_deref().unwrap_or("its last commit does not say why");
                format!(
                    "it is parked and can't go on: {reason}. Mend that and resume it (a start of the engine does so too), or cancel it"
                )
            }
            (Status::Paused, _) => "it is paused by an operator: resume it to let it go on".to_owned(),
            _ => "it goes on".to_owned(),
        }
    }

    /// What a head says; `parked` is what this engine knows and could not write down.
    pub(crate) fn of(head: Head, parked: Option<&String>) -> Summary {
        let (record, damage) = match Record::decode(&head.state) {
            Ok(record) => (record, None),
            Err(damage) => (Record::default(), Some(damage.to_string())),
        };
        let reason = parked.cloned().or(record.parked).or(damage);
        let is_parked = reason.is_some() && !head.status.is_finished();
        Summary {
            id: head.id,
            name: head.name,
            flow: head.flow,
            program: head.program,
            status: if is_parked { Status::Parked } else { head.status },
            seq: head.seq,
            created_ms: head.created_ms,
            updated_ms: head.updated_ms,
            wake_at_ms: head.wake_at_ms,
            ended_ms: head.ended_ms,
            args: record.args,
            parked: reason.filter(|_| is_parked),
            ending: record.ending,
        }
    }
}

/// A page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// In the order of names.
    pub isolates: Vec<Summary>,
    /// What could not be read, each with the isolate's name or id.
    pub damaged: Vec<String>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<ListCursor>,
}

/// A route that an isolate listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteShown {
    /// Method and path.
    pub route: Route,
    /// How many acknowledged requests wait there.
    pub queued: usize,
}

/// The open routes of an isolate, by its stored state and the flow that it runs, if its program can be read.
pub(crate) fn routes(state: &[u8], loaded: Option<(&Loaded, FuncId)>) -> Vec<RouteShown> {
    let Ok(record) = Record::decode(state) else { return Vec::new() };
    if record.ending.is_some() {
        return Vec::new();
    }
    let mut open = record.mail.routes.clone();
    if let Some((loaded, func)) = loaded {
        open.extend(loaded.routes(func).iter().cloned());
    }
    let counts = record.mail.counts();
    let shown =
        open.iter().map(|route| RouteShown { route: route.clone(), queued: counts.get(route).copied().unwrap_or(0) });
    shown.collect()
}

/// An isolate with everything that there is to see of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What a listing says of it.
    pub summary: Summary,
    /// Where it listens, as of its last commit.
    pub routes: Vec<RouteShown>,
    /// Its tasks with their stacks and variables; none once it is done, or when its snapshot can't be read.
    pub view: Option<View>,
    /// Its step, heap and stored size; there where the view is.
    pub vitals: Option<Vitals>,
    /// Why there is no view, where there should be one.
    pub view_error: Option<String>,
    /// Whether the view is of the running isolate; otherwise it is of its last commit.
    pub live: bool,
}

/// A flow that can be spawned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowShown {
    /// Its name.
    pub name: String,
    /// Its parameters: name and type as the source writes it.
    pub params: Vec<(String, String)>,
    /// What it returns.
    pub ret: String,
    /// The program that it is of.
    pub program: ProgramHash,
    /// The host functions that it may call and that are not registered here.
    pub missing: Vec<String>,
}

/// Numbers about the engine since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Commits that were sent.
    pub commits: u64,
    /// The batches that they travelled in.
    pub batches: u64,
    /// Isolates in memory.
    pub resident: usize,
    /// Isolates that wait for a worker.
    pub queued: usize,
    /// Host calls under way.
    pub host_calls: usize,
    /// Timers in memory.
    pub timers: usize,
    /// Isolates that were restored from a snapshot.
    pub restores: u64,
    /// Bytes that those snapshots had.
    pub restored_bytes: u64,
    /// Objects that were made of them.
    pub restored_objects: u64,
}

//! An isolate's life, one turn at a time: what comes in, a slice of running, a commit, and what a durable commit allows.
//!
//! The rule is *commit, then act*. What a turn wants done outside (timers, host calls, answers) is gathered beside the state
//! that wants it, travels with that state's commit, and is done when the store has said that it is durable. One commit is
//! under way at most; what happens meanwhile goes into the next one. A refused commit ends this life of the isolate in
//! memory: the truth is in the store, and whoever holds the shard reads it from there.

mod commit;
mod http;
mod retry;
mod send;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deepslate_ir::datum::Datum;
use deepslate_ir::durable::Durable;
use deepslate_ir::entity::{FuncId, HostId};
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_regvm::{Call, Exit, Host, Isolate, Request, SnapshotError};
use deepslate_storage::{self as storage, Delete, Head, Snapshot, Status};

use crate::cell::{Answer, Cell, Command, Event, Read, Reply, TakenReply};
use crate::clock::due_ms;
use crate::committer::Write;
use crate::error::{Error, Kind, Result};
use crate::host::{CallContext, HostCall};
use crate::limits::MESSAGE_BYTES_MAX;
use crate::node::{Node, key};
use crate::programs::Loaded;
use crate::record::event::{Event as Happened, EventKind};
use crate::record::{Ending, Record, cut};
use crate::rng;
use crate::seen::Vitals;

/// Where it is in its life here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its snapshot is being read; everything else waits.
    Loading,
    /// It has a VM.
    Live,
    /// It has none and needs none: ended, or parked.
    Still,
    /// Nothing more happens here.
    Gone,
}

/// What waits for a commit to be durable.
#[derive(Default)]
struct Wanted {
    /// Something must be committed.
    commit: bool,
    calls: Vec<Call>,
    sleeps: Vec<(i64, u64)>,
    replies: Vec<(Reply, bool)>,
    /// Of requests. One that is dropped means: look again.
    taken: Vec<TakenReply>,
    events: Vec<Happened>,
}

/// The write under way.
struct Flight {
    wanted: Wanted,
    /// What it makes of the head; none for a delete.
    head: Option<Head>,
}

pub(crate) struct Body {
    stage: Stage,
    /// The last durable head; before the first commit what it begins from.
    head: Head,
    name: Arc<str>,
    flow: Arc<str>,
    func: Option<FuncId>,
    loaded: Option<Arc<Loaded>>,
    vm: Option<Box<Isolate>>,
    record: Record,
    /// Sleeps that are durable: these may end.
    armed: BTreeSet<(i64, u64)>,
    /// Calls that are durable and wait for the lease to be back.
    deferred: Vec<Call>,
    wanted: Wanted,
    flight: Option<Flight>,
    /// Events that came before it was read, and elements for queues that a running flow may be about to make.
    early: Vec<Event>,
    /// It had ended when it was read: who found it in the registry meanwhile was not told of its end.
    ended_before: bool,
    last_commit: Duration,
}

/// What the worker does with the cell after a turn.
pub(crate) enum Next {
    /// Into the run queue again.
    Again,
    /// Nothing until something comes in; the flag says that it may leave memory, and how large it is.
    Idle { rests: Option<u64> },
    /// It is gone: remove it.
    Gone,
}

/// Who takes a turn.
pub(crate) struct Turn<'a> {
    pub(crate) node: &'a Arc<Node>,
    pub(crate) cell: &'a Arc<Cell>,
    pub(crate) worker: usize,
}

fn empty_head() -> Head {
    Head {
        id: storage::IsolateId::default(),
        shard: storage::Shard::default(),
        namespace: String::new(),
        name: String::new(),
        flow: String::new(),
        program: storage::ProgramHash::default(),
        epoch: storage::Epoch::default(),
        seq: storage::Seq::NONE,
        status: Status::Running,
        runnable: true,
        wake_at_ms: None,
        created_ms: 0,
        updated_ms: 0,
        ended_ms: None,
        next_event: 0,
        state: Bytes::new(),
    }
}

impl Body {
    /// One that is being read from the store.
    pub(crate) fn loading() -> Body {
        Body {
            stage: Stage::Loading,
            head: empty_head(),
            name: Arc::from(""),
            flow: Arc::from(""),
            func: None,
            loaded: None,
            vm: None,
            record: Record::default(),
            armed: BTreeSet::new(),
            deferred: Vec::new(),
            wanted: Wanted::default(),
            flight: None,
            early: Vec::new(),
            ended_before: false,
            last_commit: Duration::ZERO,
        }
    }

    /// A new one. `head` has everything but what a commit sets; its VM is made by the event `Create`.
    pub(crate) fn creating(head: Head, loaded: Arc<Loaded>, func: FuncId, args: String) -> Body {
        let (name, flow) = (Arc::from(head.name.as_str()), Arc::from(head.flow.as_str()));
        let record = Record { args, ..Record::default() };
        Body { stage: Stage::Live, head, name, flow, func: Some(func), loaded: Some(loaded), record, ..Body::loading() }
    }

    /// One turn with what has come in.
    pub(crate) fn turn(&mut self, turn: &Turn<'_>, events: Vec<Event>) -> Next {
        for event in events {
            self.take(turn, event);
        }
        self.run(turn);
        self.send_again(turn);
        self.settle(turn);
        self.next(turn)
    }

    fn next(&mut self, turn: &Turn<'_>) -> Next {
        match self.stage {
            Stage::Gone => {
                self.bounce_early(turn);
                Next::Gone
            }
            Stage::Still if self.flight.is_none() && !self.wanted.commit => {
                self.stage = Stage::Gone;
                if self.ended_before {
                    // Out of the registry first, so that whoever looks again reads the store.
                    self.early.extend(turn.node.registry.remove(turn.cell));
                    turn.node.watch.moved(turn.cell.id);
                }
                self.bounce_early(turn);
                Next::Gone
            }
            Stage::Live if self.can_run(turn) => Next::Again,
            Stage::Live if self.flight.is_none() && !self.wanted.commit && self.deferred.is_empty() => {
                Next::Idle { rests: Some(self.vm.as_ref().map_or(0, |vm| vm.heap_bytes())) }
            }
            _ => Next::Idle { rests: None },
        }
    }

    fn bounce_early(&mut self, turn: &Turn<'_>) {
        for event in std::mem::take(&mut self.early) {
            turn.node.bounce(event);
        }
    }

    fn has_ready_task(&self) -> bool {
        self.vm.as_ref().is_some_and(|vm| vm.can_run())
    }

    fn can_run(&self, turn: &Turn<'_>) -> bool {
        self.has_ready_task() && !self.record.paused && self.record.ending.is_none() && !turn.node.is_draining()
    }

    // ---- what comes in ----

    fn take(&mut self, turn: &Turn<'_>, event: Event) {
        if self.stage == Stage::Gone {
            turn.node.bounce(event);
            return;
        }
        match event {
            Event::Read(read) => self.read(turn, read),
            Event::Fenced => self.fenced(turn),
            event if self.stage == Stage::Loading => self.early.push(event),
            Event::Create { args, reply } => self.create(turn, &args, reply),
            Event::Exists(reply) => match &mut self.flight {
                // The creation is what is under way, or is about to be.
                _ if self.head.seq != storage::Seq::NONE => answer(reply, self.head.status, false),
                Some(flight) => flight.wanted.replies.push((reply, false)),
                None => self.wanted.replies.push((reply, false)),
            },
            Event::Written(outcome) => self.written(turn, outcome),
            Event::Result { step, result } => self.result(turn, step, result),
            Event::Retry { step, attempt, pause, why } => self.retry(turn, step, attempt, pause, &why),
            Event::Wake => self.wake(turn),
            Event::Command(command, message, reply) => self.command(turn, command, message, reply),
            Event::Request(incoming) => self.request(turn, *incoming),
            Event::Send(message, reply) => self.send(turn, message, reply),
            Event::View(reply) => {
                // Nobody may be waiting any more.
                let _ = reply.send(self.vm.as_ref().map(|vm| (vm.view(), Vitals::of(vm))));
            }
            Event::Poke => {
                let deferred = std::mem::take(&mut self.deferred);
                self.start(turn, deferred);
            }
        }
    }

    fn create(&mut self, turn: &Turn<'_>, args: &[Datum], reply: Reply) {
        let (Some(loaded), Some(func)) = (&self.loaded, self.func) else { return };
        match Isolate::new(&loaded.program, func, args, turn.node.options.isolate) {
            Ok(vm) => {
                self.vm = Some(Box::new(vm));
                self.wanted.commit = true;
                self.wanted.replies.push((reply, true));
                self.happened(turn, EventKind::Spawned, "");
            }
            Err(fault) => {
                let what = format!("flow `{}` can't begin with these arguments: {}", self.flow, fault.message);
                // Nobody may be waiting any more.
                let _ = reply.send(Err(Error::new(Kind::BadArguments, "spawn", what)));
                self.stage = Stage::Gone;
            }
        }
    }

    fn result(&mut self, turn: &Turn<'_>, step: u64, result: Result<Datum, Fault>) {
        turn.node.calls.finished(self.head.id, step);
        let Some(vm) = &mut self.vm else { return };
        if self.record.ending.is_none() && vm.complete(step, result) {
            self.record.attempts.remove(&step);
            self.wanted.commit = true;
        }
    }

    fn wake(&mut self, turn: &Turn<'_>) {
        if self.vm.is_none() || self.record.paused || self.record.ending.is_some() || turn.node.is_draining() {
            return;
        }
        let now_ms = turn.node.time.now_ms();
        while let Some(&(due_ms, step)) = self.armed.first()
            && due_ms <= now_ms
        {
            self.armed.pop_first();
            self.record.sleeps.remove(&(due_ms, step));
            if self.pause_is_over(step) {
                continue;
            }
            let answer = self.overdue(step);
            if self.vm.as_mut().is_some_and(|vm| vm.complete(step, Ok(answer))) {
                self.wanted.commit = true;
            }
        }
        let Some(vm) = &mut self.vm else { return };
        self.wanted.commit |= vm.fire_timers(now_ms);
        // A timer of `after` is nothing outside: it need not be durable before it is waited for.
        let sleep = self.armed.first().map(|(due_ms, _)| *due_ms);
        if let Some(due_ms) = sleep.into_iter().chain(vm.next_timer_ms()).min() {
            turn.node.timers.arm(self.head.id, due_ms);
        }
    }

    fn command(&mut self, turn: &Turn<'_>, command: Command, message: u128, reply: Reply) {
        let ended = self.record.ending.is_some();
        if command == Command::Delete {
            return self.delete(turn, reply);
        }
        if ended || self.record.applied.contains(&message) {
            return self.answer_after(reply, false);
        }
        let changes = match command {
            Command::Cancel => true,
            Command::Pause => self.stage == Stage::Live && !self.record.paused,
            Command::Resume => {
                if let (Stage::Still, Some(reason)) = (self.stage, &self.record.parked) {
                    let what = format!("`{}` still can't go on: {reason}", self.name);
                    // Nobody may be waiting any more.
                    let _ = reply.send(Err(Error::new(Kind::Corrupt, "resume", what)));
                    return;
                }
                self.record.paused
            }
            Command::Delete => false,
        };
        if !changes {
            return self.answer_after(reply, false);
        }
        self.record.apply(message);
        self.wanted.commit = true;
        match command {
            Command::Cancel => self.end(turn, Ending::Cancelled),
            Command::Pause => {
                self.record.paused = true;
                self.deferred.clear();
                self.happened(turn, EventKind::Paused, "");
            }
            Command::Resume => {
                self.record.paused = false;
                self.happened(turn, EventKind::Resumed, "");
                self.repeat(turn);
                self.wake(turn);
            }
            Command::Delete => {}
        }
        self.wanted.replies.push((reply, true));
    }

    /// Answers at once if everything so far is durable, otherwise when it is.
    fn answer_after(&mut self, reply: Reply, changed: bool) {
        match &mut self.flight {
            _ if self.wanted.commit => self.wanted.replies.push((reply, changed)),
            Some(flight) => flight.wanted.replies.push((reply, changed)),
            None => answer(reply, self.head.status, changed),
        }
    }

    fn delete(&mut self, turn: &Turn<'_>, reply: Reply) {
        let still = self.stage == Stage::Still && self.flight.is_none() && !self.wanted.commit;
        if !still {
            let what = match self.record.ending {
                Some(_) => format!("`{}` is just ending; try again", self.name),
                None => format!("`{}` has not ended; cancel it first", self.name),
            };
            // Nobody may be waiting any more.
            let _ = reply.send(Err(Error::new(Kind::NotFinished, "delete", what)));
            return;
        }
        let head = &self.head;
        let Some(epoch) = turn.node.lease.epoch(head.shard) else {
            self.wanted.replies.push((reply, true));
            return self.fenced(turn);
        };
        let delete = Delete { shard: head.shard, epoch, id: head.id, expected: head.seq };
        let wanted = Wanted { replies: vec![(reply, true)], ..Wanted::default() };
        self.flight = Some(Flight { wanted, head: None });
        turn.node.committer.submit(Arc::clone(turn.cell), Write::Delete(delete));
    }

    // ---- what was read ----

    fn read(&mut self, turn: &Turn<'_>, read: Read) {
        if self.stage != Stage::Loading {
            return;
        }
        self.stage = Stage::Still;
        self.ended_before = matches!(read, Read::Ended(_));
        match read {
            Read::Nothing => {
                self.refuse_early(|| Error::new(Kind::NotFound, "read", "there is no such isolate any more"))
            }
            Read::NotOurs => self.refuse_early(|| Error::new(Kind::NotOwner, "read", "its shard is not held here now")),
            Read::Lost(error) => {
                turn.node.park(turn.cell.id, &error.to_string());
                self.refuse_early(|| error.clone());
            }
            Read::Ended(head) => {
                self.adopt(turn, *head);
            }
            Read::Damaged(head, reason) => {
                if self.adopt(turn, *head) && self.record.ending.is_none() {
                    self.parked(turn, &reason);
                }
            }
            Read::Whole(snapshot, loaded) => self.restore(turn, *snapshot, loaded),
        }
        for event in std::mem::take(&mut self.early) {
            self.take(turn, event);
        }
    }

    fn refuse_early(&mut self, error: impl Fn() -> Error) {
        self.stage = Stage::Gone;
        for event in std::mem::take(&mut self.early) {
            match event {
                Event::Command(_, _, reply) | Event::Send(_, reply) | Event::Exists(reply) => {
                    // Nobody may be waiting any more.
                    let _ = reply.send(Err(error()));
                }
                Event::View(reply) => drop(reply),
                _ => {}
            }
        }
    }

    /// Takes a stored head over. False if it can't be written again, for what it holds can't be read.
    fn adopt(&mut self, turn: &Turn<'_>, head: Head) -> bool {
        self.name = Arc::from(head.name.as_str());
        self.flow = Arc::from(head.flow.as_str());
        self.head = head;
        turn.node.registry.name(turn.cell, &key(&self.head.namespace, &self.head.name));
        match Record::decode(&self.head.state) {
            Ok(record) => {
                self.record = record;
                true
            }
            Err(damage) => {
                // Committing a parked state would write over the damaged one: it is parked in memory only.
                let reason = format!("isolate {} (`{}`) can't be restored: {damage}", self.head.id, self.name);
                turn.node.park(self.head.id, &reason);
                self.record.parked = Some(reason);
                if self.head.status.is_finished() {
                    self.record.ending = Some(Ending::Cancelled);
                }
                false
            }
        }
    }

    fn restore(&mut self, turn: &Turn<'_>, snapshot: Snapshot, loaded: Arc<Loaded>) {
        if !self.adopt(turn, snapshot.head) || self.record.ending.is_some() {
            return;
        }
        let numbered = snapshot.parts.into_iter().enumerate();
        let parts: Vec<_> = numbered
            .filter(|(at, part)| usize::try_from(part.number) == Ok(*at))
            .zip(&self.record.parts)
            .map(|((_, part), number)| (*number, part.bytes))
            .collect();
        if parts.len() != self.record.parts.len() {
            let (found, wanted) = (parts.len(), self.record.parts.len());
            return self.parked(turn, &format!("of the {wanted} parts of its snapshot {found} are there"));
        }
        let Some(func) = loaded.module().flow(&self.flow) else {
            return self.parked(turn, &format!("its program {} has no flow `{}`", loaded.hash, self.flow));
        };
        let missing = loaded.missing(func, &turn.node.hosts);
        if !missing.is_empty() {
            let what = format!("host function `{}` is not registered here", missing.join("`, `"));
            return self.parked(turn, &what);
        }
        let vm = match Isolate::restore(&loaded.program, &parts, turn.node.options.isolate) {
            Ok(vm) => vm,
            Err(error) => {
                let id = self.head.id;
                let what = format!(
                    "isolate {id} (`{}`) can't be restored: {error} (its bytes are left as they are; a cancel gives it up)",
                    self.name
                );
                return self.parked(turn, &what);
            }
        };
        turn.node.restores.add(vm.restored());
        self.vm = Some(Box::new(vm));
        self.loaded = Some(loaded);
        self.func = Some(func);
        self.stage = Stage::Live;
        self.last_commit = turn.node.clock.monotonic();
        self.armed.clone_from(&self.record.sleeps);
        if self.record.parked.take().is_some() {
            self.wanted.commit = true;
        }
        turn.node.unpark(self.head.id);
        if !self.record.paused {
            self.repeat(turn);
            self.wake(turn);
        }
    }

    /// Wants all host calls that are not under way again: their attempts are counted in a commit first.
    fn repeat(&mut self, turn: &Turn<'_>) {
        let Some(vm) = &self.vm else { return };
        let is_lost = |call: &&Call| {
            let under_way = || turn.node.calls.is_under_way(self.head.id, call.step);
            self.acts(&call.request) && !self.pauses(call.step) && !under_way()
        };
        let calls: Vec<_> = vm.pending().iter().filter(is_lost).cloned().collect();
        if calls.is_empty() {
            return;
        }
        for call in &calls {
            let attempts = self.record.attempts.entry(call.step).or_insert(1);
            *attempts = attempts.saturating_add(1);
        }
        let text = format!("{} host calls", calls.len());
        self.happened(turn, EventKind::Repeated, &text);
        self.wanted.calls.extend(calls);
        self.wanted.commit = true;
    }

    // ---- running ----

    fn run(&mut self, turn: &Turn<'_>) {
        if !self.can_run(turn) || self.stage != Stage::Live {
            return;
        }
        let (Some(vm), Some(loaded)) = (&mut self.vm, &self.loaded) else { return };
        let mut host = PureCalls {
            node: turn.node,
            loaded,
            context: CallContext {
                isolate: self.head.id,
                name: Arc::clone(&self.name),
                flow: Arc::clone(&self.flow),
                step: None,
                attempt: 1,
            },
        };
        let interrupt = &turn.cell.interrupt;
        let exit = turn
            .node
            .scheduler
            .sliced(turn.worker, interrupt, || catch_unwind(AssertUnwindSafe(|| vm.run(&mut host, interrupt))));
        let now_ms = turn.node.time.now_ms();
        let Ok(exit) = exit else {
            return self.bug(turn, "the machine panicked while it ran; this is a bug of Deepslate");
        };
        let log = vm.take_log();
        let calls = vm.take_new_calls();
        let changed = vm.changed();
        self.wanted.events.extend(log.into_iter().map(|line| Happened::new(EventKind::Log, now_ms, line)));
        self.wanted.commit |= !calls.is_empty();
        for call in calls {
            match call.request {
                Request::Sleep { seconds } => {
                    let due = (due_ms(now_ms, seconds), call.step);
                    self.record.sleeps.insert(due);
                    self.wanted.sleeps.push(due);
                }
                Request::Host { .. } if self.acts(&call.request) => self.wanted.calls.push(call),
                Request::Host { .. } => self.listen(turn, &call),
            }
        }
        match exit {
            Exit::Blocked => self.wanted.commit |= changed,
            Exit::Interrupted => {}
            Exit::Done(value) => self.end(turn, Ending::Done(value)),
            Exit::Failed(trap) => self.end(turn, Ending::Failed(trap.into())),
            Exit::Damaged(error) => self.damaged(turn, &error),
        }
    }

    fn end(&mut self, turn: &Turn<'_>, ending: Ending) {
        let text = match &ending {
            Ending::Done(_) => "done".to_owned(),
            Ending::Failed(failure) => format!("failed: {}: {}", failure.kind, failure.message),
            Ending::Cancelled => "cancelled".to_owned(),
        };
        self.happened(turn, EventKind::Ended, &text);
        self.record.ending = Some(ending);
        self.record.paused = false;
        self.record.parked = None;
        self.record.sleeps.clear();
        self.record.attempts.clear();
        // What came in stays known: who sends it again, for the answer was lost, is told that it did.
        self.record.mail.routes.clear();
        self.record.mail.queue.clear();
        self.wanted.calls.clear();
        self.wanted.sleeps.clear();
        self.wanted.commit = true;
        self.armed.clear();
        self.deferred.clear();
        self.vm = None;
        self.stage = Stage::Still;
        turn.node.timers.disarm(self.head.id);
        turn.node.unpark(self.head.id);
    }

    /// It can't go on until something outside changes.
    fn parked(&mut self, turn: &Turn<'_>, reason: &str) {
        let reason = cut(reason.to_owned(), MESSAGE_BYTES_MAX);
        tracing::error!(isolate = %self.head.id, name = &*self.name, "parked: {reason}");
        self.vm = None;
        self.stage = Stage::Still;
        self.wanted.calls.clear();
        self.wanted.sleeps.clear();
        if self.record.parked.as_ref() != Some(&reason) {
            self.happened(turn, EventKind::Parked, &reason);
            self.wanted.commit = true;
        }
        self.record.parked = Some(reason);
        turn.node.timers.disarm(self.head.id);
    }

    /// It can't go on and its state here can't be trusted: what is in the store stays, and what waits here is turned away.
    fn bug(&mut self, turn: &Turn<'_>, what: &str) {
        tracing::error!(isolate = %self.head.id, name = &*self.name, "set aside: {what}");
        turn.node.park(self.head.id, what);
        self.turn_away(&Error::new(Kind::Corrupt, "run", format!("`{}` was set aside: {what}", self.name)));
        self.vm = None;
        self.stage = Stage::Gone;
    }

    /// A stored object turned out to be damaged when it was reached: what it did since its last commit goes with it.
    fn damaged(&mut self, turn: &Turn<'_>, error: &SnapshotError) {
        self.bug(
            turn,
            &format!("its snapshot is damaged: {error} (its bytes are left as they are; a cancel gives it up)"),
        );
    }

    fn happened(&mut self, turn: &Turn<'_>, kind: EventKind, text: &str) {
        self.wanted.events.push(Happened::new(kind, turn.node.time.now_ms(), text));
    }

    // ---- acting ----

    /// Starts host calls that are durable.
    fn start(&mut self, turn: &Turn<'_>, calls: Vec<Call>) {
        for call in calls {
            if turn.node.is_draining() {
                // They are in the store and start with the next life.
                return;
            }
            if !turn.node.lease.is_live(&turn.node.time) {
                self.deferred.push(call);
                turn.node.lease.doubt.notify_one();
                continue;
            }
            let Request::Host { host, args } = call.request else { continue };
            let (Some(loaded), Some(vm)) = (&self.loaded, &self.vm) else { return };
            if vm.pending().binary_search_by_key(&call.step, |pending| pending.step).is_err() {
                continue;
            }
            if loaded.durable(host) == Some(Durable::HttpRequest) {
                turn.node.send_request(self.head.id, call.step, args);
                continue;
            }
            let name = &loaded.module().host(host).name;
            let Some(callable) = turn.node.hosts.callable(name) else {
                return self.parked(turn, &format!("host function `{name}` is not registered here"));
            };
            let context = CallContext {
                isolate: self.head.id,
                name: Arc::clone(&self.name),
                flow: Arc::clone(&self.flow),
                step: Some(call.step),
                attempt: self.record.attempts.get(&call.step).copied().unwrap_or(1),
            };
            let call = HostCall { args, context, program: Arc::clone(&loaded.program), host };
            turn.node.call_host(callable, call);
        }
    }
}

fn answer(reply: Reply, status: Status, changed: bool) {
    // Nobody may be waiting any more.
    let _ = reply.send(Ok(Answer { status, changed }));
}

/// Pure host functions, called by a running flow on its worker thread.
struct PureCalls<'a> {
    node: &'a Node,
    loaded: &'a Arc<Loaded>,
    context: CallContext,
}

impl Host for PureCalls<'_> {
    fn call_pure(&mut self, host: HostId, args: &[Datum]) -> std::result::Result<Datum, Fault> {
        let name = &self.loaded.module().host(host).name;
        let Some(function) = self.node.hosts.get(name) else {
            return Err(Fault::new(TrapKind::Host, format!("host function `{name}` is not registered here")));
        };
        let (program, context) = (Arc::clone(&self.loaded.program), self.context.clone());
        let call = HostCall { args: args.to_vec(), context, program, host };
        match catch_unwind(AssertUnwindSafe(|| function.call_now(&self.node.runtime, call))) {
            Ok(result) => result.map_err(|error| error.into_fault(name)),
            Err(_) => Err(Fault::new(TrapKind::Host, format!("{name}: the host function panicked"))),
        }
    }

    fn now_ms(&mut self) -> i64 {
        self.node.time.now_ms()
    }

    fn chance(&mut self) -> u64 {
        rng::word(&*self.node.rng)
    }
}

//! Commits in an isolate's life: when one is wanted, what goes into it, and what its answer allows.

use std::sync::Arc;

use bytes::Bytes;
use deepslate_ir::trap::TrapKind;
use deepslate_regvm::{Request, Urgency};
use deepslate_storage::{self as storage, Commit, Head, Outcome, Part, Status};

use super::{Body, Flight, Stage, Turn, Wanted, answer};
use crate::cell::Taken;
use crate::committer::Write;
use crate::error::{Error, Kind};
use crate::record::{Ending, Failure, Record};

impl Body {
    pub(super) fn settle(&mut self, turn: &Turn<'_>) {
        if self.flight.is_some() || matches!(self.stage, Stage::Loading | Stage::Gone) {
            return;
        }
        if !self.wanted.commit
            && self.record.ending.is_none()
            && let Some(vm) = &self.vm
        {
            let overdue =
                || turn.node.clock.monotonic().saturating_sub(self.last_commit) >= turn.node.options.checkpoint;
            let later = vm.changed() && (turn.node.is_draining() || overdue());
            // Nobody waits now: a large base that was put off is written while it sleeps or waits.
            self.wanted.commit = later || (vm.base_is_due() && !vm.can_run() && !turn.node.is_draining());
        }
        if self.wanted.commit {
            self.commit(turn);
        }
    }

    pub(super) fn status(&self) -> Status {
        match &self.record.ending {
            Some(Ending::Done(_)) => return Status::Done,
            Some(Ending::Failed(_)) => return Status::Failed,
            Some(Ending::Cancelled) => return Status::Cancelled,
            None => {}
        }
        if self.record.parked.is_some() {
            return Status::Parked;
        }
        if self.record.paused {
            return Status::Paused;
        }
        let Some(vm) = &self.vm else { return Status::Parked };
        if vm.can_run() {
            return Status::Running;
        }
        let mut pending = vm.pending().iter();
        let all_sleep = pending.all(|call| matches!(call.request, Request::Sleep { .. }));
        if all_sleep && vm.pending().len() == vm.task_count() { Status::Sleeping } else { Status::Waiting }
    }

    /// When the first of its sleeps, and of the timers that its tasks wait for, is due.
    pub(super) fn next_wake_ms(&self) -> Option<i64> {
        let sleep = self.record.sleeps.first().map(|(due_ms, _)| *due_ms);
        let timer = self.vm.as_ref().and_then(|vm| vm.next_timer_ms());
        sleep.into_iter().chain(timer).min()
    }

    pub(super) fn commit(&mut self, turn: &Turn<'_>) {
        let node = turn.node;
        let Some(epoch) = node.lease.epoch(self.head.shard) else { return self.fenced(turn) };
        let part = match &mut self.vm {
            Some(vm) if vm.changed() || vm.base_is_due() => {
                let urgency = if vm.changed() { Urgency::Awaited } else { Urgency::Quiet };
                match vm.commit_with(urgency) {
                    Ok(part) => Some(part),
                    Err(error) => return self.damaged(turn, &error),
                }
            }
            _ => None,
        };
        let mut wanted = std::mem::take(&mut self.wanted);
        let (now_ms, status) = (node.time.now_ms(), self.status());
        let (mut drop_parts_from, mut put_part) = (None, None);
        if let Some(part) = part {
            // In the store a part has its place in the list as its number, which stays small however often it commits.
            while self.record.parts.last().is_some_and(|number| *number >= part.drop_from) {
                self.record.parts.pop();
            }
            let place = u32::try_from(self.record.parts.len()).expect("a snapshot has few parts");
            self.record.parts.push(part.number);
            drop_parts_from = Some(place);
            put_part = Some(Part { number: place, bytes: part.bytes.into() });
        }
        if status == Status::Done {
            // What failed or was cancelled keeps its last snapshot for whoever wants to look.
            self.record.parts.clear();
            drop_parts_from = Some(0);
        }
        let events: Vec<Bytes> = wanted.events.drain(..).map(|event| event.encode().into()).collect();
        let has_calls = || {
            let mut pending = self.vm.iter().flat_map(|vm| vm.pending());
            pending.any(|call| self.acts(&call.request) && !self.pauses(call.step))
        };
        let is_held = matches!(status, Status::Paused) || status.is_finished();
        let head = Head {
            epoch,
            seq: self.head.seq.next(),
            status,
            // A parked one is tried again by the next life.
            runnable: !is_held && (status == Status::Parked || self.has_ready_task() || has_calls()),
            wake_at_ms: if is_held || status == Status::Parked { None } else { self.next_wake_ms() },
            updated_ms: now_ms,
            ended_ms: status.is_finished().then_some(now_ms),
            next_event: self.head.next_event + events.len() as u64,
            state: self.record.encode().into(),
            ..self.head.clone()
        };
        let commit = Commit {
            expected: self.head.seq,
            head: head.clone(),
            drop_parts_from,
            put_part,
            events,
            keep_events: node.options.keep_events,
        };
        self.last_commit = node.clock.monotonic();
        self.flight = Some(Flight { wanted, head: Some(head) });
        node.committer.submit(Arc::clone(turn.cell), Write::Commit(Box::new(commit)));
    }

    pub(super) fn written(&mut self, turn: &Turn<'_>, outcome: Outcome) {
        let Some(Flight { wanted, head }) = self.flight.take() else { return };
        match outcome {
            Outcome::Applied | Outcome::AlreadyApplied => self.durable(turn, wanted, head),
            Outcome::Fenced => {
                self.wanted.replies.extend(wanted.replies);
                turn.node.doubted(self.head.id, head.is_some_and(|head| head.seq.0 > 1));
                self.fenced(turn);
            }
            Outcome::Failed(error) => self.refused(turn, wanted, head, &error),
        }
    }

    /// It is durable: now act.
    pub(super) fn durable(&mut self, turn: &Turn<'_>, wanted: Wanted, head: Option<Head>) {
        let node = turn.node;
        let Some(head) = head else {
            node.tell_removed(&self.head, &self.name);
            node.listeners.remove(self.head.id);
            wanted.replies.into_iter().for_each(|(reply, changed)| answer(reply, self.head.status, changed));
            self.stage = Stage::Gone;
            return;
        };
        self.head = head;
        let status = self.head.status;
        if status.is_finished() {
            // Out of the registry first: who finds it there may rely on being told of its end.
            self.early.extend(node.registry.remove(turn.cell));
        }
        self.announce(turn);
        node.tell(&self.head, &self.name, self.record.ending.as_ref().filter(|_| status.is_finished()));
        wanted.replies.into_iter().for_each(|(reply, changed)| answer(reply, status, changed));
        wanted.taken.into_iter().for_each(|reply| reply.say(Taken::Yes));
        if self.stage != Stage::Live {
            return;
        }
        self.armed.extend(wanted.sleeps.into_iter().filter(|sleep| self.record.sleeps.contains(sleep)));
        if !self.record.paused {
            self.start(turn, wanted.calls);
        }
        self.wake(turn);
    }

    /// It can't be committed, for a reason of its own.
    pub(super) fn refused(&mut self, turn: &Turn<'_>, wanted: Wanted, head: Option<Head>, error: &storage::Error) {
        let ends = head.as_ref().is_none_or(|head| head.status.is_finished() || head.status == Status::Parked);
        if error.kind() == storage::Kind::Refused && !ends && self.record.ending.is_none() {
            let message = format!("its state can't be committed: {error}");
            self.wanted.replies.extend(wanted.replies);
            let failure = Failure { kind: TrapKind::Size, message, task: 0, trace: Vec::new(), repeats: Vec::new() };
            // The parts in the store stay as the last commit left them.
            self.record.parts = Record::decode(&self.head.state).map(|record| record.parts).unwrap_or_default();
            return self.end(turn, Ending::Failed(failure));
        }
        let reason = format!("isolate {} (`{}`) can't be committed: {error}", self.head.id, self.name);
        tracing::error!("{reason}");
        turn.node.park(self.head.id, &reason);
        self.wanted.replies.extend(wanted.replies);
        self.turn_away(&Error::from(error.clone()));
        self.vm = None;
        self.stage = Stage::Gone;
    }

    /// The shard is lost, or somebody else has written this isolate: what is here is void.
    pub(super) fn fenced(&mut self, turn: &Turn<'_>) {
        if let Some(flight) = self.flight.take() {
            self.wanted.replies.extend(flight.wanted.replies);
        }
        self.turn_away(&Error::new(Kind::NotOwner, "commit", "its shard is not held here any more"));
        turn.node.calls.forget(turn.cell.id);
        turn.node.listeners.remove(turn.cell.id);
        self.vm = None;
        self.stage = Stage::Gone;
    }

    /// The engine has stopped: nobody is answered any more, and who waits is told so.
    pub(crate) fn abandon(&mut self, error: &Error) {
        if let Some(flight) = self.flight.take() {
            self.wanted.replies.extend(flight.wanted.replies);
        }
        self.turn_away(error);
        self.early.clear();
        self.vm = None;
        self.stage = Stage::Gone;
    }

    pub(super) fn turn_away(&mut self, error: &Error) {
        // Who sent a request looks again.
        for (reply, _) in std::mem::take(&mut self.wanted).replies {
            // Nobody may be waiting any more.
            let _ = reply.send(Err(error.clone()));
        }
    }
}

//! The memory backend: the reference that the others are compared with, and the store of tests.
//!
//! One mutex over ordered maps; the scans walk the heads, so it is simple rather than fast where it holds very many isolates. Nothing
//! survives the process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Opening, Settings, number};
use crate::batch::{check_commit, check_commits, check_deletes, check_program, check_session};
use crate::lease::Leases;
use crate::limits::{PAGE_MAX, SHARD_COUNT_DEFAULT, SHARD_COUNT_MAX};
use crate::{
    Claim, Clock, Commit, Counts, Delete, Due, Ended, Epoch, Error, Filter, Head, IsolateId, Kind, Limits, ListCursor,
    Opened, Outcome, Page, Part, ProgramHash, Result, Seq, Session, SessionId, Shard, ShardLease, Snapshot, Store,
    system_clock,
};

/// The settings of this backend.
pub const SETTINGS: &[(&str, &str)] = &[("shards", "number of shards; default 64")];

/// Opens it with settings out of a config.
pub(super) fn open_configured(settings: &Settings) -> Opening {
    let store = number(settings, "shards", SHARD_COUNT_DEFAULT).and_then(|shards| Memory::with(shards, system_clock()));
    Box::pin(async move { Ok(Arc::new(store?) as Arc<dyn Store>) })
}

/// A store in the memory of this process.
pub struct Memory {
    clock: Clock,
    shard_count: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    isolates: BTreeMap<IsolateId, Isolate>,
    names: BTreeMap<(String, String), IsolateId>,
    programs: BTreeMap<ProgramHash, Bytes>,
    leases: Leases,
    // Ordered by shard first; kept beside the isolates because a flow that loops for ever asks these at each turn.
    due: BTreeSet<(Shard, Due)>,
    runnable: BTreeSet<(Shard, IsolateId)>,
    ended: BTreeSet<(Shard, i64, IsolateId)>,
}

struct Isolate {
    head: Head,
    parts: BTreeMap<u32, Bytes>,
    events: BTreeMap<u64, Bytes>,
}

impl Memory {
    /// An empty store with the default number of shards and the machine's clock.
    pub fn new() -> Memory {
        Memory::with(SHARD_COUNT_DEFAULT, system_clock()).expect("the default number of shards is allowed")
    }

    /// An empty store with so many shards (1 to 4,096) and this clock.
    pub fn with(shard_count: u32, clock: Clock) -> Result<Memory> {
        if shard_count == 0 || shard_count > SHARD_COUNT_MAX {
            return Err(Error::new(
                Kind::Refused,
                "open",
                format!("{shard_count} shards asked for; a store has 1 to {SHARD_COUNT_MAX}"),
            ));
        }
        let state = State { leases: Leases::new(shard_count), ..State::default() };
        Ok(Memory { clock, shard_count, state: Mutex::new(state) })
    }

    // Every change below is made whole before the lock is let go, so a poisoned lock guards a sound state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} shards)", self.shard_count)
    }
}

impl State {
    fn commit(&mut self, commit: Commit, shard_count: u32) -> Outcome {
        if let Err(error) = check_commit(&commit, &Limits::DEFAULT, shard_count) {
            return Outcome::Failed(error);
        }
        let head = commit.head;
        let name = (head.namespace.clone(), head.name.clone());
        let present = self.isolates.get(&head.id).map(|isolate| &isolate.head);
        if present.is_some_and(|present| present.seq == head.seq && present.epoch == head.epoch) {
            return Outcome::AlreadyApplied;
        }
        let expected = match present {
            None => commit.expected == Seq::NONE && !self.names.contains_key(&name),
            Some(present) => present.seq == commit.expected && self.names.get(&name) == Some(&head.id),
        };
        if !expected || !self.leases.allows(head.shard, head.epoch) {
            return Outcome::Fenced;
        }
        let id = head.id;
        self.names.insert(name, id);
        self.unlist(id);
        self.list(&head);
        let isolate = self.isolates.entry(id).or_insert_with(|| Isolate {
            head: head.clone(),
            parts: BTreeMap::new(),
            events: BTreeMap::new(),
        });
        if let Some(from) = commit.drop_parts_from {
            isolate.parts.retain(|&number, _| number < from);
        }
        if let Some(part) = commit.put_part {
            isolate.parts.insert(part.number, part.bytes);
        }
        let first = head.next_event - commit.events.len() as u64;
        isolate.events.extend((first..).zip(commit.events));
        let keep_from = head.next_event.saturating_sub(u64::from(commit.keep_events));
        isolate.events = isolate.events.split_off(&keep_from);
        isolate.head = head;
        Outcome::Applied
    }

    fn delete(&mut self, delete: Delete) -> Outcome {
        let Some(isolate) = self.isolates.get(&delete.id) else {
            return Outcome::AlreadyApplied;
        };
        let head = &isolate.head;
        if head.seq != delete.expected || head.shard != delete.shard || !self.leases.allows(delete.shard, delete.epoch)
        {
            return Outcome::Fenced;
        }
        let name = (head.namespace.clone(), head.name.clone());
        self.unlist(delete.id);
        self.names.remove(&name);
        self.isolates.remove(&delete.id);
        Outcome::Applied
    }

    fn list(&mut self, head: &Head) {
        if let Some(wake_at_ms) = head.wake_at_ms {
            self.due.insert((head.shard, Due { wake_at_ms, id: head.id }));
        }
        if head.runnable {
            self.runnable.insert((head.shard, head.id));
        }
        if let Some(ended_ms) = head.ended_ms {
            self.ended.insert((head.shard, ended_ms, head.id));
        }
    }

    fn unlist(&mut self, id: IsolateId) {
        if let Some(Isolate { head, .. }) = self.isolates.get(&id) {
            if let Some(wake_at_ms) = head.wake_at_ms {
                self.due.remove(&(head.shard, Due { wake_at_ms, id }));
            }
            self.runnable.remove(&(head.shard, id));
            if let Some(ended_ms) = head.ended_ms {
                self.ended.remove(&(head.shard, ended_ms, id));
            }
        }
    }
}

#[async_trait]
impl Store for Memory {
    fn limits(&self) -> Limits {
        Limits::DEFAULT
    }

    fn shard_count(&self) -> u32 {
        self.shard_count
    }

    async fn now_ms(&self) -> Result<i64> {
        Ok((self.clock)())
    }

    async fn commit(&self, batch: Vec<Commit>) -> Result<Vec<Outcome>> {
        check_commits(&batch, &Limits::DEFAULT)?;
        let mut state = self.state();
        Ok(batch.into_iter().map(|commit| state.commit(commit, self.shard_count)).collect())
    }

    async fn delete(&self, batch: Vec<Delete>) -> Result<Vec<Outcome>> {
        check_deletes(&batch, &Limits::DEFAULT)?;
        let mut state = self.state();
        Ok(batch.into_iter().map(|delete| state.delete(delete)).collect())
    }

    async fn head(&self, id: IsolateId) -> Result<Option<Head>> {
        Ok(self.state().isolates.get(&id).map(|isolate| isolate.head.clone()))
    }

    async fn head_by_name(&self, namespace: &str, name: &str) -> Result<Option<Head>> {
        let state = self.state();
        let id = state.names.get(&(namespace.to_owned(), name.to_owned()));
        Ok(id.and_then(|id| state.isolates.get(id)).map(|isolate| isolate.head.clone()))
    }

    async fn snapshot(&self, id: IsolateId) -> Result<Option<Snapshot>> {
        Ok(self.state().isolates.get(&id).map(|isolate| Snapshot {
            head: isolate.head.clone(),
            parts: isolate.parts.iter().map(|(&number, bytes)| Part { number, bytes: bytes.clone() }).collect(),
        }))
    }

    async fn events(&self, id: IsolateId, from: u64, limit: usize) -> Result<Vec<(u64, Bytes)>> {
        let state = self.state();
        let Some(isolate) = state.isolates.get(&id) else { return Ok(Vec::new()) };
        let events = isolate.events.range(from..).take(limit.min(PAGE_MAX));
        Ok(events.map(|(&number, bytes)| (number, bytes.clone())).collect())
    }

    async fn due(&self, shard: Shard, after: Option<Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>> {
        let state = self.state();
        let first = (shard, Due { wake_at_ms: i64::MIN, id: IsolateId([0; 16]) });
        let start = after.map_or(Bound::Included(first), |after| Bound::Excluded((shard, after)));
        let all = state.due.range((start, Bound::Unbounded));
        let due = all.take_while(|entry| entry.0 == shard && entry.1.wake_at_ms <= until_ms);
        Ok(due.map(|entry| entry.1).take(limit.min(PAGE_MAX)).collect())
    }

    async fn runnable(&self, shard: Shard, after: Option<IsolateId>, limit: usize) -> Result<Vec<IsolateId>> {
        let state = self.state();
        let first = (shard, IsolateId([0; 16]));
        let start = after.map_or(Bound::Included(first), |after| Bound::Excluded((shard, after)));
        let all = state.runnable.range((start, Bound::Unbounded));
        let runnable = all.take_while(|entry| entry.0 == shard);
        Ok(runnable.map(|entry| entry.1).take(limit.min(PAGE_MAX)).collect())
    }

    async fn ended(&self, shard: Shard, after: Option<Ended>, until_ms: i64, limit: usize) -> Result<Vec<Ended>> {
        let state = self.state();
        let first = (shard, i64::MIN, IsolateId([0; 16]));
        let start = after.map_or(Bound::Included(first), |after| Bound::Excluded((shard, after.ended_ms, after.id)));
        let all = state.ended.range((start, Bound::Unbounded));
        let ended = all.take_while(|entry| entry.0 == shard && entry.1 <= until_ms);
        let ended = ended.filter_map(|&(_, ended_ms, id)| {
            state.isolates.get(&id).map(|isolate| Ended { ended_ms, id, seq: isolate.head.seq })
        });
        Ok(ended.take(limit.min(PAGE_MAX)).collect())
    }

    async fn list(&self, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Result<Page> {
        let limit = limit.min(PAGE_MAX);
        let state = self.state();
        let place = after.as_ref().map(|after| (after.namespace.clone(), after.name.clone()));
        let heads = state.names.iter().filter(|(name, _)| place.as_ref().is_none_or(|place| *name > place));
        let heads = heads.filter_map(|(_, id)| state.isolates.get(id)).map(|isolate| &isolate.head);
        let mut heads = heads.filter(|head| {
            filter.namespace.as_ref().is_none_or(|namespace| *namespace == head.namespace)
                && head.name.starts_with(&filter.name_prefix)
                && filter.status.is_none_or(|status| status == head.status)
                && filter.flow.as_ref().is_none_or(|flow| *flow == head.flow)
        });
        let page: Vec<Head> = heads.by_ref().take(limit).cloned().collect();
        let next = heads.next().and_then(|_| {
            let last =
                page.last().map(|head| ListCursor { namespace: head.namespace.clone(), name: head.name.clone() });
            last.or(after)
        });
        Ok(Page { heads: page, damaged: Vec::new(), next })
    }

    async fn counts(&self, namespace: Option<&str>) -> Result<Counts> {
        let mut counts = Counts::default();
        for Isolate { head, .. } in self.state().isolates.values() {
            if namespace.is_none_or(|namespace| namespace == head.namespace) {
                counts.add(head.status, 1);
            }
        }
        Ok(counts)
    }

    async fn put_program(&self, hash: ProgramHash, bytes: Bytes) -> Result<()> {
        check_program(hash, bytes.len(), &Limits::DEFAULT)?;
        self.state().programs.entry(hash).or_insert(bytes);
        Ok(())
    }

    async fn program(&self, hash: ProgramHash) -> Result<Option<Bytes>> {
        Ok(self.state().programs.get(&hash).cloned())
    }

    async fn programs(&self) -> Result<Vec<ProgramHash>> {
        Ok(self.state().programs.keys().copied().collect())
    }

    async fn open_session(&self, id: SessionId, address: &str, ttl_ms: u32) -> Result<Opened> {
        check_session(address, ttl_ms)?;
        Ok(self.state().leases.open(id, address, ttl_ms, (self.clock)()))
    }

    async fn renew(&self, id: SessionId) -> Result<i64> {
        self.state().leases.renew(id, (self.clock)())
    }

    async fn close_session(&self, id: SessionId) -> Result<()> {
        self.state().leases.remove(id);
        Ok(())
    }

    async fn sessions(&self) -> Result<Vec<Session>> {
        Ok(self.state().leases.sessions())
    }

    async fn claim(&self, id: SessionId, shard: Shard) -> Result<Claim> {
        self.state().leases.claim(id, shard, (self.clock)())
    }

    async fn release(&self, id: SessionId, shard: Shard, epoch: Epoch) -> Result<()> {
        self.state().leases.release(id, shard, epoch);
        Ok(())
    }

    async fn shards(&self) -> Result<Vec<ShardLease>> {
        Ok(self.state().leases.shards())
    }
}

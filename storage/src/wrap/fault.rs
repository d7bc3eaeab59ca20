//! Faults on purpose, for the tests of everything above a store.
//!
//! Each call asks the plan first. A fault *before* leaves the store untouched; a fault *after* lets the call happen and loses its answer,
//! which is what a broken connection does. It adds nothing of its own: with an empty plan it is the store beneath.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Claim, Commit, Counts, Delete, Due, Ended, Epoch, Error, Filter, Head, IsolateId, Kind, Limits, ListCursor, Opened,
    Outcome, Page, ProgramHash, Result, Session, SessionId, Shard, ShardLease, Snapshot, Store,
};

/// One call, as the plan sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method's name.
    pub operation: &'static str,
    /// How many calls of any method came before it.
    pub number: u64,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum Injection {
    /// Nothing.
    Pass,
    /// It fails with this and does not reach the store.
    Before(Error),
    /// It reaches the store, whose answer is lost; the caller sees this.
    After(Error),
    /// It waits this long, then passes.
    Delay(Duration),
}

impl Injection {
    /// The disk is full: nothing is applied.
    pub fn full() -> Injection {
        Injection::Before(Error::new(Kind::Full, "fault", "no space is left (injected)"))
    }

    /// The call never arrives.
    pub fn unreachable() -> Injection {
        Injection::Before(Error::new(Kind::Retry, "fault", "the store could not be reached (injected)"))
    }

    /// The call arrives and its answer does not.
    pub fn lost_reply() -> Injection {
        Injection::After(Error::new(Kind::Retry, "fault", "the answer was lost (injected)"))
    }
}

type Plan = Box<dyn Fn(Call) -> Injection + Send + Sync>;

/// A store that fails as planned.
pub struct Fault {
    inner: Arc<dyn Store>,
    plan: Plan,
    queue: Mutex<VecDeque<(&'static str, Injection)>>,
    calls: AtomicU64,
}

impl Fault {
    /// Asks `plan` at each call.
    pub fn planned(inner: Arc<dyn Store>, plan: impl Fn(Call) -> Injection + Send + Sync + 'static) -> Fault {
        Fault { inner, plan: Box::new(plan), queue: Mutex::default(), calls: AtomicU64::new(0) }
    }

    /// Fails only as told by [`Fault::next`].
    pub fn scripted(inner: Arc<dyn Store>) -> Fault {
        Fault::planned(inner, |_| Injection::Pass)
    }

    /// The next call of this method meets this; several wait for one call each, in order, before the plan is asked.
    pub fn next(&self, operation: &'static str, injection: Injection) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back((operation, injection));
    }

    fn injection(&self, operation: &'static str) -> Injection {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queued = queue.iter().position(|(of, _)| *of == operation).and_then(|at| queue.remove(at));
        match queued {
            Some((_, injection)) => injection,
            None => (self.plan)(Call { operation, number }),
        }
    }

    async fn run<T>(&self, operation: &'static str, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        match self.injection(operation) {
            Injection::Pass => call.await,
            Injection::Before(error) => Err(error),
            Injection::After(error) => {
                call.await?;
                Err(error)
            }
            Injection::Delay(time) => {
                tokio::time::sleep(time).await;
                call.await
            }
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault over {:?}", self.inner)
    }
}

#[async_trait]
impl Store for Fault {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn shard_count(&self) -> u32 {
        self.inner.shard_count()
    }

    async fn now_ms(&self) -> Result<i64> {
        self.run("now_ms", self.inner.now_ms()).await
    }

    async fn commit(&self, batch: Vec<Commit>) -> Result<Vec<Outcome>> {
        self.run("commit", self.inner.commit(batch)).await
    }

    async fn delete(&self, batch: Vec<Delete>) -> Result<Vec<Outcome>> {
        self.run("delete", self.inner.delete(batch)).await
    }

    async fn head(&self, id: IsolateId) -> Result<Option<Head>> {
        self.run("head", self.inner.head(id)).await
    }

    async fn head_by_name(&self, namespace: &str, name: &str) -> Result<Option<Head>> {
        self.run("head_by_name", self.inner.head_by_name(namespace, name)).await
    }

    async fn snapshot(&self, id: IsolateId) -> Result<Option<Snapshot>> {
        self.run("snapshot", self.inner.snapshot(id)).await
    }

    async fn events(&self, id: IsolateId, from: u64, limit: usize) -> Result<Vec<(u64, Bytes)>> {
        self.run("events", self.inner.events(id, from, limit)).await
    }

    async fn due(&self, shard: Shard, after: Option<Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>> {
        self.run("due", self.inner.due(shard, after, until_ms, limit)).await
    }

    async fn runnable(&self, shard: Shard, after: Option<IsolateId>, limit: usize) -> Result<Vec<IsolateId>> {
        self.run("runnable", self.inner.runnable(shard, after, limit)).await
    }

    async fn ended(&self, shard: Shard, after: Option<Ended>, until_ms: i64, limit: usize) -> Result<Vec<Ended>> {
        self.run("ended", self.inner.ended(shard, after, until_ms, limit)).await
    }

    async fn list(&self, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Result<Page> {
        self.run("list", self.inner.list(filter, after, limit)).await
    }

    async fn counts(&self, namespace: Option<&str>) -> Result<Counts> {
        self.run("counts", self.inner.counts(namespace)).await
    }

    async fn put_program(&self, hash: ProgramHash, bytes: Bytes) -> Result<()> {
        self.run("put_program", self.inner.put_program(hash, bytes)).await
    }

    async fn program(&self, hash: ProgramHash) -> Result<Option<Bytes>> {
        self.run("program", self.inner.program(hash)).await
    }

    async fn programs(&self) -> Result<Vec<ProgramHash>> {
        self.run("programs", self.inner.programs()).await
    }

    async fn open_session(&self, id: SessionId, address: &str, ttl_ms: u32) -> Result<Opened> {
        self.run("open_session", self.inner.open_session(id, address, ttl_ms)).await
    }

    async fn renew(&self, id: SessionId) -> Result<i64> {
        self.run("renew", self.inner.renew(id)).await
    }

    async fn close_session(&self, id: SessionId) -> Result<()> {
        self.run("close_session", self.inner.close_session(id)).await
    }

    async fn sessions(&self) -> Result<Vec<Session>> {
        self.run("sessions", self.inner.sessions()).await
    }

    async fn claim(&self, id: SessionId, shard: Shard) -> Result<Claim> {
        self.run("claim", self.inner.claim(id, shard)).await
    }

    async fn release(&self, id: SessionId, shard: Shard, epoch: Epoch) -> Result<()> {
        self.run("release", self.inner.release(id, shard, epoch)).await
    }

    async fn shards(&self) -> Result<Vec<ShardLease>> {
        self.run("shards", self.inner.shards()).await
    }
}

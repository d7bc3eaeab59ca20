//! One life of a node: what all parts of the engine share, and the tasks that run beside the workers.
//!
//! Isolates live in cells; this file moves events to them, reads them from the store when somebody needs them, starts host
//! calls, and keeps lease, timers and retention going. What an isolate does with an event is `body`'s business.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deepslate_ir::datum::Datum;
use deepslate_storage::{self as storage, Delete, Head, IsolateId, Outcome, Shard, Store};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::body::{Body, Next, Turn};
use crate::cell::{Cell, Event, Read, Sent};
use crate::clock::{Clock, StoreClock};
use crate::committer::Committer;
use crate::error::{Error, Kind};
use crate::health::Health;
use crate::host::{Callable, HostCall, HostFns};
use crate::http::client::{Client, Outgoing};
use crate::http::listeners::Listeners;
use crate::http::{Trouble, bytes_or};
use crate::lease::Lease;
use crate::limits::{SCAN_PAGE, STORE_BACKOFF_MS, TIMER_HORIZON_MS};
use crate::options::Options;
use crate::programs::Programs;
use crate::record::Ending;
use crate::registry::Registry;
use crate::retry::{PAUSE_IN_MEMORY, Then};
use crate::rng::{self, Rng};
use crate::scheduler::Scheduler;
use crate::timers::Timers;
use crate::watch::{Change, Watch};

const RUNNING: u8 = 0;
const DRAINING: u8 = 1;
const STOPPED: u8 = 2;

pub(crate) struct Node {
    pub(crate) options: Options,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) time: StoreClock,
    pub(crate) runtime: Handle,
    pub(crate) hosts: HostFns,
    pub(crate) programs: Programs,
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) committer: Committer,
    pub(crate) lease: Lease,
    pub(crate) timers: Timers,
    pub(crate) registry: Registry,
    pub(crate) watch: Arc<Watch>,
    pub(crate) calls: UnderWay,
    pub(crate) listeners: Listeners,
    client: Client,
    /// True from the moment that it shuts down.
    pub(crate) draining: watch::Sender<bool>,
    pub(crate) health: Health,
    /// Isolates that can't go on and could not be told so in the store, with the reason.
    parked: Mutex<HashMap<IsolateId, String>>,
    phase: AtomicU8,
    /// Isolates being read.
    loading: AtomicUsize,
    loads: Semaphore,
    host_places: Semaphore,
    /// The shards have been looked through since they became ours.
    scanned: AtomicBool,
    /// Worker threads that have not returned.
    pub(crate) threads: AtomicUsize,
    pub(crate) restores: Restores,
}

/// What was restored since the start.
#[derive(Debug, Default)]
pub(crate) struct Restores {
    pub(crate) count: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) objects: AtomicU64,
}

impl Restores {
    pub(crate) fn add(&self, read: deepslate_regvm::Restored) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(read.bytes, Ordering::Relaxed);
        self.objects.fetch_add(read.objects, Ordering::Relaxed);
    }
}

/// The key of an isolate in the registry; names have no slash.
pub(crate) fn key(namespace: &str, name: &str) -> Arc<str> {
    Arc::from(format!("{namespace}/{name}"))
}

/// Host calls under way, so that an isolate that left memory meanwhile does not start them again.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<HashSet<(IsolateId, u64)>>);

impl UnderWay {
    fn inner(&self) -> MutexGuard<'_, HashSet<(IsolateId, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: IsolateId, step: u64) -> bool {
        self.inner().insert((id, step))
    }

    pub(crate) fn finished(&self, id: IsolateId, step: u64) {
        self.inner().remove(&(id, step));
    }

    pub(crate) fn is_under_way(&self, id: IsolateId, step: u64) -> bool {
        self.inner().contains(&(id, step))
    }

    /// What is under way for this isolate is no longer waited for.
    pub(crate) fn forget(&self, id: IsolateId) {
        self.inner().retain(|(of, _)| *of != id);
    }

    pub(crate) fn len(&self) -> usize {
        self.inner().len()
    }
}

/// What a node is made of, beside what it makes itself.
pub(crate) struct Made {
    pub(crate) options: Options,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) runtime: Handle,
    pub(crate) hosts: HostFns,
}

impl Node {
    pub(crate) fn new(made: Made) -> Node {
        let Made { options, store, clock, rng, runtime, hosts } = made;
        Node {
            time: StoreClock::new(Arc::clone(&clock)),
            programs: Programs::new(options.vm),
            scheduler: Arc::new(Scheduler::new(options.workers, options.slice)),
            committer: Committer::default(),
            lease: Lease::new(options.node_id, options.address.clone(), options.lease, store.shard_count()),
            timers: Timers::default(),
            registry: Registry::new(options.warm_isolates, options.warm_bytes, options.warm_for),
            watch: Arc::new(Watch::new()),
            calls: UnderWay::default(),
            listeners: Listeners::default(),
            client: Client::new(&options.http),
            draining: watch::Sender::new(false),
            health: Health::default(),
            parked: Mutex::default(),
            phase: AtomicU8::new(RUNNING),
            loading: AtomicUsize::new(0),
            loads: Semaphore::new(options.loads),
            host_places: Semaphore::new(options.host_calls),
            scanned: AtomicBool::new(false),
            threads: AtomicUsize::new(0),
            restores: Restores::default(),
            options,
            store,
            clock,
            rng,
            runtime,
            hosts,
        }
    }

    // ---- phases ----

    /// Whether it is shutting down: nothing new begins.
    pub(crate) fn is_draining(&self) -> bool {
        self.phase.load(Ordering::SeqCst) >= DRAINING
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.phase.load(Ordering::SeqCst) == STOPPED
    }

    /// Begins to shut down. False if it had begun before.
    pub(crate) fn drain(&self) -> bool {
        let first = self.phase.compare_exchange(RUNNING, DRAINING, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if first {
            // Calls that wait for a place don't start any more.
            self.host_places.close();
            self.client.places.close();
            self.draining.send_replace(true);
            self.scheduler.interrupt_all();
            for cell in self.registry.all() {
                self.send(&cell, Event::Poke);
            }
        }
        first
    }

    /// Stops everything at once; what is not committed is as if it had not happened.
    pub(crate) fn stop(&self) {
        self.phase.store(STOPPED, Ordering::SeqCst);
        self.host_places.close();
        self.client.places.close();
        self.draining.send_replace(true);
        self.loads.close();
        self.scheduler.stop();
        self.watch.moved_all();
        self.lease.doubt.notify_one();
    }

    /// After it has stopped: tells who still waits, and lets go of what is in memory.
    pub(crate) fn abandon(&self) {
        for cell in self.registry.all() {
            for event in self.registry.remove(&cell) {
                self.bounce(event);
            }
            if let Some(mut body) = cell.try_body() {
                body.abandon(&Error::stopping("command"));
            }
        }
    }

    /// True when nothing is queued, running, being read or being written.
    pub(crate) fn is_quiet(&self) -> bool {
        let quiet = || self.committer.is_idle() && self.loading.load(Ordering::SeqCst) == 0 && self.scheduler.is_idle();
        // Work moves from one to the other; it can't have passed both looks.
        quiet() && quiet()
    }

    /// Whether it holds its lease and all shards and has looked through them; otherwise what is in the way.
    pub(crate) fn not_ready(&self) -> Option<String> {
        if self.is_draining() {
            return Some("shutting down".into());
        }
        if let Some(trouble) = self.health.troubles().into_iter().next() {
            return Some(trouble);
        }
        if !self.lease.is_live(&self.time) {
            return Some("the lease has ended and is not renewed yet".into());
        }
        // With nodes that share the shards this will be those that are this node's share.
        let (held, all) = (self.lease.held().len(), self.lease.shard_count());
        if held < all as usize {
            return Some(format!("{held} of {all} shards are held here; the others are still another session's"));
        }
        if !self.scanned.load(Ordering::SeqCst) {
            return Some("looking for isolates that must go on".into());
        }
        None
    }

    // ---- cells ----

    /// Puts an event into a cell, and the cell into the run queue if it was idle. Gives the event back when the cell is gone.
    fn try_send(&self, cell: &Arc<Cell>, event: Event) -> Result<(), Event> {
        if cell.send(event)? == Sent::Schedule {
            self.scheduler.push(Arc::clone(cell));
        }
        Ok(())
    }

    /// The same for an event that a cell that is gone need not see.
    pub(crate) fn send(&self, cell: &Arc<Cell>, event: Event) {
        if let Err(event) = self.try_send(cell, event) {
            self.bounce(event);
        }
    }

    /// Gives an event to an isolate, which is read from the store if it is not in memory.
    pub(crate) fn deliver(self: &Arc<Self>, id: IsolateId, event: Event) {
        let mut event = event;
        while !self.is_stopped() {
            let (cell, is_new) = self.registry.get_or_make(id, || Arc::new(Cell::new(id, None, Body::loading())));
            if is_new {
                self.load(Arc::clone(&cell));
            }
            match self.try_send(&cell, event) {
                Ok(()) => return,
                // It was gone between the two lines above; it is out of the registry by now.
                Err(back) => event = back,
            }
        }
        self.bounce(event);
    }

    /// An event that its isolate did not take: who waits for an answer is told to look again; the rest is made up for by the
    /// next one who reads the isolate.
    pub(crate) fn bounce(&self, event: Event) {
        match event {
            Event::Create { reply, .. }
            | Event::Exists(reply)
            | Event::Command(_, _, reply)
            | Event::Send(_, reply) => {
                let error = if self.is_stopped() {
                    Error::stopping("command")
                } else {
                    Error::new(Kind::NotOwner, "command", "the isolate has just left; look it up again")
                };
                // Nobody may be waiting any more.
                let _ = reply.send(Err(error));
            }
            Event::View(reply) => drop(reply),
            // Whoever sent it looks again.
            Event::Request(incoming) => drop(incoming),
            Event::Read(_) | Event::Written(_) | Event::Result { .. } | Event::Retry { .. } => {}
            Event::Wake | Event::Poke | Event::Fenced => {}
        }
    }

    /// A timer is due, or somebody thinks that the isolate can go on.
    pub(crate) fn wake(self: &Arc<Self>, id: IsolateId) {
        let is_parked = self.parked_here().contains_key(&id);
        if !is_parked && !self.is_draining() {
            self.deliver(id, Event::Wake);
        }
    }

    /// The same for one of many: a million that are due at once are read a few at a time.
    async fn wake_in_turn(self: &Arc<Self>, id: IsolateId) {
        while self.loading.load(Ordering::SeqCst) > SCAN_PAGE && !self.is_stopped() {
            self.clock.sleep(Duration::from_millis(1)).await;
        }
        self.wake(id);
    }

    /// One worker's life.
    pub(crate) fn work(self: &Arc<Self>, worker: usize) {
        while let Some(cell) = self.scheduler.pop() {
            let events = cell.begin();
            let turn = Turn { node: self, cell: &cell, worker };
            let next = cell.body().turn(&turn, events);
            match next {
                Next::Gone => {
                    for event in self.registry.remove(&cell) {
                        self.bounce(event);
                    }
                }
                Next::Again => {
                    if cell.end(true, false) {
                        self.scheduler.push(Arc::clone(&cell));
                    }
                }
                Next::Idle { rests } => {
                    if cell.end(false, rests.is_some()) {
                        self.scheduler.push(Arc::clone(&cell));
                    } else if let Some(bytes) = rests {
                        self.registry.rest(&cell, bytes, self.clock.monotonic());
                    }
                }
            }
            self.scheduler.done();
        }
        self.threads.fetch_sub(1, Ordering::SeqCst);
    }

    // ---- reading ----

    fn load(self: &Arc<Self>, cell: Arc<Cell>) {
        self.loading.fetch_add(1, Ordering::SeqCst);
        let node = Arc::clone(self);
        self.runtime.spawn(async move {
            let read = match node.loads.acquire().await {
                Ok(_place) => node.read(cell.id).await,
                Err(_) => Read::NotOurs,
            };
            node.send(&cell, Event::Read(read));
            node.loading.fetch_sub(1, Ordering::SeqCst);
        });
    }

    async fn read(&self, id: IsolateId) -> Read {
        let mut pause_ms = STORE_BACKOFF_MS.0;
        while !self.is_stopped() {
            match self.try_read(id).await {
                Ok(read) => return read,
                Err(error) => self.health.trouble("reads", &*self.clock, &format!("reads wait: {error}")),
            }
            self.clock.sleep(Duration::from_millis(pause_ms)).await;
            pause_ms = (pause_ms * 2).min(STORE_BACKOFF_MS.1);
        }
        Read::NotOurs
    }

    /// An error is one that trying again may cure.
    async fn try_read(&self, id: IsolateId) -> storage::Result<Read> {
        let damaged = |head: Head, reason: String| {
            let head = Box::new(head);
            if head.status.is_finished() { Read::Ended(head) } else { Read::Damaged(head, reason) }
        };
        let is_damage = |error: &storage::Error| matches!(error.kind(), storage::Kind::Corrupt | storage::Kind::Newer);
        let read = match self.store.snapshot(id).await {
            Ok(None) => Read::Nothing,
            Ok(Some(snapshot)) if self.lease.epoch(snapshot.head.shard).is_none() => Read::NotOurs,
            Ok(Some(snapshot)) if snapshot.head.status.is_finished() => Read::Ended(Box::new(snapshot.head)),
            Ok(Some(snapshot)) => match self.programs.load(&*self.store, snapshot.head.program).await? {
                Ok(loaded) => Read::Whole(Box::new(snapshot), loaded),
                Err(reason) => damaged(snapshot.head, reason),
            },
            Err(error) if is_damage(&error) => match self.store.head(id).await {
                Ok(None) => Read::Nothing,
                Ok(Some(head)) => damaged(head, error.to_string()),
                Err(error) if is_damage(&error) => Read::Lost(error.into()),
                Err(error) => return Err(error),
            },
            Err(error) => return Err(error),
        };
        self.health.cleared("reads");
        Ok(read)
    }

    // ---- what can't go on and could not be told so ----

    fn parked_here(&self) -> MutexGuard<'_, HashMap<IsolateId, String>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn park(&self, id: IsolateId, reason: &str) {
        tracing::error!(isolate = %id, "{reason}");
        self.parked_here().insert(id, reason.to_owned());
    }

    pub(crate) fn unpark(&self, id: IsolateId) {
        let mut parked = self.parked_here();
        if !parked.is_empty() {
            parked.remove(&id);
        }
    }

    pub(crate) fn parked(&self) -> HashMap<IsolateId, String> {
        self.parked_here().clone()
    }

    // ---- acting ----

    /// Starts a host call, once, and after a short pause again where its rules say so. A longer pause is the isolate's to keep.
    pub(crate) fn call_host(self: &Arc<Self>, callable: Callable, mut call: HostCall) {
        let (id, Some(step)) = (call.context.isolate, call.context.step) else { return };
        if !self.calls.begin(id, step) {
            return;
        }
        let node = Arc::clone(self);
        self.runtime.spawn(async move {
            loop {
                // The function's own place first: who waits for one must not hold up other functions.
                let own = callable.place().await;
                let Some(place) = node.place(&node.host_places, id, step).await else { return };
                let chance = deepslate_ir::eval::random(rng::word(&*node.rng));
                let then = callable.attempt(call.clone(), &*node.clock, chance).await;
                drop((own, place));
                if !node.calls.is_under_way(id, step) {
                    return;
                }
                let (pause, why) = match then {
                    Then::Give(result) => return node.deliver(id, Event::Result { step, result }),
                    Then::Again(pause, why) => (pause, why),
                };
                let (name, attempt) = (&call.signature().name, call.context.attempt);
                tracing::debug!(isolate = %id, step, attempt, "{name} failed and is called again in {pause:?}: {why}");
                if pause > PAUSE_IN_MEMORY {
                    let why = format!("{name}, after attempt {attempt}: {why}");
                    return node.deliver(id, Event::Retry { step, attempt, pause, why });
                }
                node.clock.sleep(pause).await;
                if !node.calls.is_under_way(id, step) {
                    return;
                }
                call.context.attempt = attempt.saturating_add(1);
            }
        });
    }

    /// Waits for a place and for the lease. None when the call is not to be made any more.
    async fn place<'a>(&self, places: &'a Semaphore, id: IsolateId, step: u64) -> Option<SemaphorePermit<'a>> {
        let Ok(place) = places.acquire().await else {
            self.calls.finished(id, step);
            return None;
        };
        // It may have waited long for its place.
        while !self.lease.is_live(&self.time) {
            if self.is_draining() || !self.calls.is_under_way(id, step) {
                self.calls.finished(id, step);
                return None;
            }
            self.clock.sleep(Duration::from_millis(STORE_BACKOFF_MS.0)).await;
        }
        Some(place)
    }

    /// Sends a request of a flow, once.
    pub(crate) fn send_request(self: &Arc<Self>, id: IsolateId, step: u64, args: Vec<Datum>) {
        if !self.calls.begin(id, step) {
            return;
        }
        let node = Arc::clone(self);
        self.runtime.spawn(async move {
            let result = match Outgoing::of(&args, &format!("{id}-{step}")) {
                Ok(request) => {
                    let Some(_place) = node.place(&node.client.places, id, step).await else { return };
                    node.client.send(request).await
                }
                Err(what) => Err(Trouble::new("network", what)),
            };
            if node.calls.is_under_way(id, step) {
                node.deliver(id, Event::Result { step, result: Ok(bytes_or(result)) });
            }
        });
    }

    /// Tells who waits of a durable change.
    pub(crate) fn tell(&self, head: &Head, name: &Arc<str>, ending: Option<&Ending>) {
        let change = Change { id: head.id, name: Arc::clone(name), seq: head.seq, status: head.status, removed: false };
        self.watch.tell(change, ending.map(|ending| (ending, head.program)));
    }

    /// Tells who waits that an isolate is gone for good.
    pub(crate) fn tell_removed(&self, head: &Head, name: &Arc<str>) {
        let change = Change { id: head.id, name: Arc::clone(name), seq: head.seq, status: head.status, removed: true };
        self.watch.tell(change, None);
    }

    // ---- the lease ----

    /// A commit was fenced: look whether the lease is still ours. If it is, the isolate is read again.
    pub(crate) fn doubted(self: &Arc<Self>, id: IsolateId, reload: bool) {
        self.watch.moved(id);
        if !reload {
            return;
        }
        tracing::warn!(isolate = %id, "a commit was fenced; its state here is dropped");
        self.lease.doubt.notify_one();
        let node = Arc::clone(self);
        self.runtime.spawn(async move {
            node.clock.sleep(node.lease.period()).await;
            node.wake(id);
        });
    }

    /// Opens the first session, claims what it can and reads the store's clock.
    pub(crate) async fn open(&self) -> crate::Result<Vec<Shard>> {
        let asked_ms = self.time.monotonic_ms();
        self.time.set(self.store.now_ms().await?, asked_ms);
        self.lease.open(&*self.store, &*self.clock, &self.time, &*self.rng, false).await?;
        Ok(self.lease.claim(&*self.store).await?)
    }

    /// Renews the lease for ever, claims what has become free, and begins anew when it is lost.
    pub(crate) async fn keep_lease(self: Arc<Self>) {
        while !self.is_stopped() {
            tokio::select! {
                () = self.clock.sleep(self.lease.period()) => {}
                () = self.lease.doubt.notified() => {}
            }
            if self.is_stopped() {
                return;
            }
            let was_live = self.lease.is_live(&self.time);
            match self.renew().await {
                Ok(granted) => {
                    self.health.cleared("lease");
                    if !was_live {
                        for cell in self.registry.all() {
                            self.send(&cell, Event::Poke);
                        }
                    }
                    self.scan(granted).await;
                }
                Err(error) if error.kind() == storage::Kind::LeaseLost => self.lose(&error).await,
                Err(error) => {
                    self.health.trouble("lease", &*self.clock, &format!("the lease can't be renewed: {error}"));
                    self.clock.sleep(Duration::from_millis(STORE_BACKOFF_MS.0)).await;
                }
            }
        }
    }

    async fn renew(&self) -> storage::Result<Vec<Shard>> {
        self.lease.renew(&*self.store, &self.time).await?;
        let asked_ms = self.time.monotonic_ms();
        self.time.set(self.store.now_ms().await?, asked_ms);
        if self.is_draining() { Ok(Vec::new()) } else { self.lease.claim(&*self.store).await }
    }

    /// The lease is lost: everything in memory is void. Opens a new session and reads what it gets.
    async fn lose(self: &Arc<Self>, error: &storage::Error) {
        self.lease.lost();
        self.scanned.store(false, Ordering::SeqCst);
        self.health.trouble("lease", &*self.clock, &format!("the lease is lost: {error}"));
        self.timers.clear();
        self.listeners.clear();
        let void = self.registry.all();
        for cell in &void {
            self.send(cell, Event::Fenced);
        }
        // Until they are gone: what is claimed again must not be woken in a cell that is about to go.
        for cell in void {
            while !self.is_stopped() && self.registry.get(cell.id).is_some_and(|there| Arc::ptr_eq(&there, &cell)) {
                self.clock.sleep(Duration::from_millis(2)).await;
            }
        }
        self.parked_here().clear();
        self.watch.moved_all();
        while !self.is_draining() {
            match self.lease.open(&*self.store, &*self.clock, &self.time, &*self.rng, true).await {
                Ok(()) => break,
                Err(error) => {
                    self.health.trouble("lease", &*self.clock, &format!("no new session: {error}"));
                    self.clock.sleep(self.lease.period()).await;
                }
            }
        }
        self.lease.doubt.notify_one();
    }

    // ---- scans ----

    /// Looks for what must go on in shards that have become ours.
    pub(crate) async fn scan(self: &Arc<Self>, shards: Vec<Shard>) {
        if self.is_draining() {
            return;
        }
        let until_ms = self.timers.until_ms();
        for shard in shards {
            let mut pause_ms = STORE_BACKOFF_MS.0;
            while let Err(error) = self.scan_shard(shard, until_ms).await {
                if self.is_stopped() || error.kind() == storage::Kind::LeaseLost {
                    return;
                }
                let what = format!("shard {} can't be looked through: {error}", shard.0);
                self.health.trouble("scan", &*self.clock, &what);
                self.clock.sleep(Duration::from_millis(pause_ms)).await;
                pause_ms = (pause_ms * 2).min(STORE_BACKOFF_MS.1);
            }
        }
        self.health.cleared("scan");
        if !self.lease.held().is_empty() {
            self.scanned.store(true, Ordering::SeqCst);
        }
    }

    async fn scan_shard(self: &Arc<Self>, shard: Shard, until_ms: i64) -> storage::Result<()> {
        let mut after = None;
        loop {
            let ids = self.store.runnable(shard, after, SCAN_PAGE).await?;
            for id in &ids {
                self.wake_in_turn(*id).await;
            }
            match ids.last() {
                Some(last) if ids.len() >= SCAN_PAGE => after = Some(*last),
                _ => break,
            }
        }
        self.scan_timers(shard, until_ms).await.map(drop)
    }

    /// Puts the timers of a shard up to then into memory. False when there was no room for all.
    async fn scan_timers(&self, shard: Shard, until_ms: i64) -> storage::Result<bool> {
        let mut after = None;
        loop {
            let page = self.store.due(shard, after, until_ms, SCAN_PAGE).await?;
            if !page.iter().all(|due| self.timers.found(due.id, due.wake_at_ms)) {
                return Ok(false);
            }
            match page.last() {
                Some(last) if page.len() >= SCAN_PAGE => after = Some(*last),
                _ => return Ok(true),
            }
        }
    }

    /// Wakes what is due, and reads the timers of the near future before they are.
    pub(crate) async fn keep_timers(self: Arc<Self>) {
        let mut next_scan_ms = i64::MIN;
        while !self.is_stopped() {
            let now_ms = self.time.now_ms();
            if now_ms >= next_scan_ms {
                let until_ms = now_ms.saturating_add(TIMER_HORIZON_MS);
                self.timers.set_until(until_ms);
                next_scan_ms = now_ms + TIMER_HORIZON_MS / 2;
                for shard in self.lease.held() {
                    match self.scan_timers(shard, until_ms).await {
                        Ok(true) => {}
                        Ok(false) => next_scan_ms = now_ms + 1_000,
                        Err(error) => {
                            next_scan_ms = now_ms + 1_000;
                            tracing::warn!("timers can't be read: {error}; trying again");
                        }
                    }
                }
            }
            let (due, next_ms) = self.timers.take_due(self.time.now_ms());
            for id in due {
                self.wake_in_turn(id).await;
            }
            // The store's clock may be set: look again once a second at the latest.
            let wait_ms =
                next_ms.unwrap_or(i64::MAX).min(next_scan_ms).saturating_sub(self.time.now_ms()).clamp(0, 1_000);
            tokio::select! {
                () = self.clock.sleep(Duration::from_millis(wait_ms.unsigned_abs())) => {}
                () = self.timers.changed() => {}
            }
        }
    }

    /// Lets idle isolates leave memory and removes those that ended long ago.
    pub(crate) async fn keep_house(self: Arc<Self>) {
        let mut turns = 0u64;
        while !self.is_stopped() {
            self.registry.cool(self.clock.monotonic());
            if turns.is_multiple_of(60) && !self.is_draining() {
                match self.sweep().await {
                    Ok(0) => {}
                    Ok(count) => tracing::info!(count, "finished isolates swept"),
                    Err(error) => tracing::warn!("finished isolates can't be swept now: {error}"),
                }
            }
            turns += 1;
            self.clock.sleep(Duration::from_secs(1)).await;
        }
    }

    /// Removes isolates that ended longer ago than they are kept. Says how many.
    pub(crate) async fn sweep(&self) -> storage::Result<usize> {
        let keep_ms = i64::try_from(self.options.keep_finished.as_millis()).unwrap_or(i64::MAX);
        let until_ms = self.time.now_ms().saturating_sub(keep_ms);
        let page = SCAN_PAGE.min(self.store.limits().batch_max.max(1));
        let mut swept = 0;
        for shard in self.lease.held() {
            let mut after = None;
            while let Some(epoch) = self.lease.epoch(shard) {
                let ended = self.store.ended(shard, after, until_ms, page).await?;
                // One that somebody is just about to delete is left to them.
                let free = ended.iter().filter(|ended| self.registry.get(ended.id).is_none());
                let batch: Vec<_> =
                    free.map(|ended| Delete { shard, epoch, id: ended.id, expected: ended.seq }).collect();
                if !batch.is_empty() {
                    let outcomes = self.store.delete(batch).await?;
                    swept += outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Applied)).count();
                }
                match ended.last() {
                    Some(last) if ended.len() >= page => after = Some(*last),
                    _ => break,
                }
            }
        }
        Ok(swept)
    }
}

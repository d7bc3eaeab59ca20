//! What users ask of an engine. Every call may be made from any thread and any runtime.
//!
//! An isolate that has just left memory, or whose shard is just moving, answers "look again": these calls do, until the caller's
//! time is over, so that a caller never sees a hand-over. What is acknowledged is durable.

use std::sync::Arc;
use std::time::Duration;

use deepslate_ir::datum::Datum;
use deepslate_ir::entity::FuncId;
use deepslate_ir::image::{self, Image};
use deepslate_storage::{
    self as storage, Counts, Filter, Head, IsolateId, ListCursor, ProgramHash, Seq, Status, shard_of,
};
use serde_json::Value;
use tokio::sync::{broadcast, oneshot};

use crate::args;
use crate::body::Body;
use crate::cell::{Answer, Cell, Command, Element, Event, Message, Reply};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::host::HostFns;
use crate::message;
use crate::name::check_name;
use crate::node::{Node, key};
use crate::observer::{at_rest, ended, make_finished, routes_shown};
use crate::programs::Deployed;
use crate::record::Ending;
use crate::record::event::Event as Happened;
use crate::rng;
use crate::seen::{Differs, Finished, FlowShown, Listing, Numbers, Shown, Spawned, Summary};
use crate::watch::{Change, Watching};

/// How long a command looks for its isolate while shards move.
const LOOK_FOR: Duration = Duration::from_secs(30);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Which isolates to list. The default is all of the namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Only names that begin so.
    pub name_prefix: String,
    /// Only this status.
    pub status: Option<Status>,
    /// Only this flow.
    pub flow: Option<String>,
}

/// News of one isolate.
#[derive(Debug)]
pub struct Subscription {
    watching: Watching,
}

impl Subscription {
    /// The next durable change; a slow listener misses some in between, never the last. None when the isolate was removed, the shard
    /// moved away or the engine stopped: look it up again.
    pub async fn next(&mut self) -> Option<Change> {
        let news = self.watching.next().await;
        news.change.filter(|change| !news.moved || change.removed)
    }
}

impl Engine {
    // ---- programs ----

    /// Deploys a program: stores it under its hash, once, and makes its flows the ones to spawn. Isolates that run go on with theirs.
    ///
    /// # Errors
    /// `Program` for one that this engine can't run, and what the store says.
    pub async fn deploy(&self, image: Image) -> Result<ProgramHash> {
        let node = Arc::clone(self.node());
        self.on_runtime("deploy", async move { node.programs.deploy(&*node.store, &image).await }).await
    }

    /// The flows that can be spawned, by name.
    pub fn flows(&self) -> Vec<FlowShown> {
        let node = self.node();
        let shown = |(name, deployed): (String, Deployed)| {
            let module = deployed.loaded.module();
            let func = module.func(deployed.flow);
            let params = func.params.iter().map(|param| (param.name.clone(), param.type_shown(&module.types)));
            FlowShown {
                name,
                params: params.collect(),
                ret: module.types.name(func.ret),
                program: deployed.loaded.hash,
                missing: deployed.loaded.missing(deployed.flow, &node.hosts),
            }
        };
        node.programs.flows().into_iter().map(shown).collect()
    }

    /// The flow that a spawn under this name takes: its program and its function there.
    pub fn flow(&self, name: &str) -> Option<(Image, FuncId)> {
        let deployed = self.node().programs.flow(name)?;
        Some((deployed.loaded.program.image().clone(), deployed.flow))
    }

    /// A program by its hash, with its source.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, and what the store says.
    pub async fn program(&self, hash: ProgramHash) -> Result<Image> {
        if let Some(loaded) = self.node().programs.get(hash) {
            return Ok(loaded.program.image().clone());
        }
        let node = Arc::clone(self.node());
        let read = async move {
            let bytes = node.store.program(hash).await?;
            let bytes =
                bytes.ok_or_else(|| Error::new(Kind::NotFound, "program", format!("there is no program {hash}")))?;
            Image::open_as(bytes.to_vec(), image::ProgramHash(hash.0))
                .map_err(|error| Error::new(Kind::Corrupt, "program", format!("program {hash}: {error}")))
        };
        self.on_runtime("program", read).await
    }

    /// The host functions that flows call.
    pub fn hosts(&self) -> &HostFns {
        &self.node().hosts
    }

    // ---- one isolate ----

    /// Spawns a flow under a name, with arguments by position. The first spawn of a name wins, the others get its id.
    /// Acknowledged when it is durable.
    ///
    /// # Errors
    /// `BadName`, `UnknownFlow`, `BadArguments`, `MissingHost`; `Stopping` while shutting down.
    pub async fn spawn(&self, name: &str, flow: &str, args: Vec<Datum>) -> Result<Spawned> {
        let deployed = self.deployed(name, flow)?;
        let args = args::check(deployed.loaded.module(), deployed.flow, args)?;
        self.spawn_checked(name, deployed, args).await
    }

    /// The same with arguments as JSON: an object by name, or an array by position.
    ///
    /// # Errors
    /// As `spawn`.
    pub async fn spawn_json(&self, name: &str, flow: &str, args: &Value) -> Result<Spawned> {
        let deployed = self.deployed(name, flow)?;
        let args = args::from_json(deployed.loaded.module(), deployed.flow, args)?;
        self.spawn_checked(name, deployed, args).await
    }

    fn deployed(&self, name: &str, flow: &str) -> Result<Deployed> {
        let node = self.node();
        check_name(name)?;
        if node.is_draining() {
            return Err(Error::stopping("spawn"));
        }
        let Some(deployed) = node.programs.flow(flow) else {
            let flows = node.programs.flows();
            let names: Vec<_> = flows.iter().map(|(name, _)| name.as_str()).collect();
            let near = deepslate_ir::json::nearest(flow, names.iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let known = if names.is_empty() { "none".into() } else { names.join(", ") };
            let what = format!("there is no flow `{flow}` here{near} (deployed: {known})");
            return Err(Error::new(Kind::UnknownFlow, "spawn", what));
        };
        let missing = deployed.loaded.missing(deployed.flow, &node.hosts);
        if !missing.is_empty() {
            let what = format!(
                "flow `{flow}` calls `{}`, not registered here: give the engine this host function",
                missing.join("`, `")
            );
            return Err(Error::new(Kind::MissingHost, "spawn", what));
        }
        Ok(deployed)
    }

    async fn spawn_checked(&self, name: &str, deployed: Deployed, args: Vec<Datum>) -> Result<Spawned> {
        let limit_bytes = self.node().options.isolate.message_bytes;
        args::check_size(deployed.loaded.module(), deployed.flow, &args, limit_bytes)?;
        let (node, name) = (Arc::clone(self.node()), name.to_owned());
        self.on_runtime("spawn", async move { spawn(&node, &name, &deployed, args).await }).await
    }

    /// Waits until an isolate has ended, and says how.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name, `Timeout` when the time is over before it ends.
    pub async fn result(&self, name: &str, timeout: Option<Duration>) -> Result<Finished> {
        let (node, name) = (Arc::clone(self.node()), name.to_owned());
        let wait = async move {
            let Some(timeout) = timeout else { return finished(&node, &name).await };
            tokio::select! {
                finished = finished(&node, &name) => finished,
                () = node.clock.sleep(timeout) => {
                    // What it waits for can't always be cured by waiting longer.
                    let now = match head(&node, "result", &name).await {
                        Ok(head) => {
                            let parked = node.parked().get(&head.id).cloned();
                            Summary::of(head, parked.as_ref()).waits()
                        }
                        Err(error) if error.kind() == Kind::NotFound => return Err(error),
                        Err(error) => format!("how it stands can't be read: {error}"),
                    };
                    Err(Error::new(Kind::Timeout, "result", format!("`{name}` has not ended within {timeout:?}; {now}")))
                }
            }
        };
        self.on_runtime("result", wait).await
    }

    /// Ends an isolate at its next stop and drops results still under way. Nothing changes if it has ended.
    ///
    /// # Errors
    /// `NotFound`; `Stopping` while shutting down.
    pub async fn cancel(&self, name: &str) -> Result<Answer> {
        self.command("cancel", name, Command::Cancel).await
    }

    /// Holds an isolate where it is. Results of calls under way are kept; timers wait.
    ///
    /// # Errors
    /// `NotFound`; `Stopping` while shutting down.
    pub async fn pause(&self, name: &str) -> Result<Answer> {
        self.command("pause", name, Command::Pause).await
    }

    /// Lets a paused isolate go on, or tries a parked one again.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` if what parked it is still so; `Stopping` while shutting down.
    pub async fn resume(&self, name: &str) -> Result<Answer> {
        self.command("resume", name, Command::Resume).await
    }

    /// Removes an isolate that has ended or is parked. Its name may be used again.
    ///
    /// # Errors
    /// `NotFound`; `NotFinished`; `Stopping` while shutting down.
    pub async fn delete(&self, name: &str) -> Result<Answer> {
        self.command("delete", name, Command::Delete).await
    }

    /// Puts an element into the queue of an isolate that its flow made with this name. Acknowledged when the element is part of the
    /// isolate's durable state; the answer's `changed` is false where a message with this id was applied before.
    ///
    /// With an `id` of the caller's, the same message may be sent again and again: it is applied once. An isolate remembers the
    /// last 1,000 of them.
    ///
    /// # Errors
    /// `NotFound`; `UnknownQueue`; `BadArguments` for a value of another type; `Ended`; `QueueFull`; `Stopping` while shutting down.
    pub async fn send(&self, name: &str, queue: &str, value: Datum, id: Option<&str>) -> Result<Answer> {
        self.message(name, queue, Element::Value(value), id).await
    }

    /// The same with the element as JSON text.
    ///
    /// # Errors
    /// As `send`.
    pub async fn send_json(&self, name: &str, queue: &str, json: &str, id: Option<&str>) -> Result<Answer> {
        self.message(name, queue, Element::Json(json.to_owned()), id).await
    }

    async fn message(&self, name: &str, queue: &str, element: Element, id: Option<&str>) -> Result<Answer> {
        let id = message::id("send", id, &*self.node().rng)?;
        let message = Message { id, queue: queue.to_owned(), element };
        self.ask("send", name, move |reply| Event::Send(Box::new(message.clone()), reply)).await
    }

    async fn command(&self, operation: &'static str, name: &str, command: Command) -> Result<Answer> {
        let id = message::id(operation, None, &*self.node().rng)?;
        self.ask(operation, name, move |reply| Event::Command(command, id, reply)).await
    }

    /// Gives an isolate a message, again until somebody who owns it has answered; each time it is the same message.
    async fn ask(
        &self,
        operation: &'static str,
        name: &str,
        message: impl Fn(Reply) -> Event + Send + 'static,
    ) -> Result<Answer> {
        let (node, name) = (Arc::clone(self.node()), name.to_owned());
        let ask = async move {
            let from = node.clock.monotonic();
            loop {
                if node.is_draining() {
                    return Err(Error::stopping(operation));
                }
                let id = match node.registry.named(&key(&node.options.namespace, &name)) {
                    Some(cell) => cell.id,
                    None => head(&node, operation, &name).await?.id,
                };
                let (reply, answer) = oneshot::channel();
                node.deliver(id, message(reply));
                match answer.await {
                    Ok(Err(error)) if error.kind() == Kind::NotOwner => {}
                    Ok(answer) => return answer,
                    Err(_) => {}
                }
                if node.clock.monotonic().saturating_sub(from) > LOOK_FOR {
                    let what =
                        format!("the shard of `{name}` is not held here; ask the node that holds it, or try again");
                    return Err(Error::new(Kind::NotOwner, operation, what));
                }
                node.clock.sleep(LOOK_AGAIN).await;
            }
        };
        self.on_runtime(operation, ask).await
    }

    /// Everything that there is to see of an isolate: live if it is in memory, else as its last commit left it.
    ///
    /// # Errors
    /// `NotFound`, and what the store says. A snapshot that can't be read is no error; the answer says so.
    pub async fn show(&self, name: &str) -> Result<Shown> {
        let (node, name) = (Arc::clone(self.node()), name.to_owned());
        self.on_runtime("show", async move { show(&node, &name).await }).await
    }

    /// Events of an isolate with their numbers: log lines and what was done to it, from number `from` on, at most `limit`.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub async fn events(&self, name: &str, from: u64, limit: usize) -> Result<Vec<(u64, Happened)>> {
        let (node, name) = (Arc::clone(self.node()), name.to_owned());
        let read = async move {
            let head = head(&node, "events", &name).await?;
            let events = node.store.events(head.id, from, limit).await?;
            // One that can't be read is no reason to keep the others back.
            Ok(events
                .into_iter()
                .filter_map(|(n, bytes)| Happened::decode(&bytes).ok().map(|event| (n, event)))
                .collect())
        };
        self.on_runtime("events", read).await
    }

    /// Follows an isolate from now on.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub async fn subscribe(&self, name: &str) -> Result<Subscription> {
        let (node, name) = (Arc::clone(self.node()), name.to_owned());
        let read = async move {
            let id = match node.registry.named(&key(&node.options.namespace, &name)) {
                Some(cell) => cell.id,
                None => head(&node, "subscribe", &name).await?.id,
            };
            Ok(Subscription { watching: node.watch.subscribe(id) })
        };
        self.on_runtime("subscribe", read).await
    }

    /// Follows all isolates that this engine runs, from now on. Who is too slow misses some and is told so.
    pub fn subscribe_all(&self) -> broadcast::Receiver<Change> {
        self.node().watch.subscribe_all()
    }

    // ---- all isolates ----

    /// A page of the isolates of the namespace, in the order of names.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, which: Which, after: Option<ListCursor>, limit: usize) -> Result<Listing> {
        let node = Arc::clone(self.node());
        let read = async move {
            let Which { name_prefix, status, flow } = which;
            let filter = Filter { namespace: Some(node.options.namespace.clone()), name_prefix, status, flow };
            let page = node.store.list(&filter, after, limit).await?;
            let parked = node.parked();
            Ok(Listing {
                isolates: page
                    .heads
                    .into_iter()
                    .map(|head| {
                        let reason = parked.get(&head.id);
                        Summary::of(head, reason)
                    })
                    .collect(),
                damaged: page.damaged.iter().map(ToString::to_string).collect(),
                next: page.next,
            })
        };
        self.on_runtime("list", read).await
    }

    /// How many isolates of the namespace there are of each status.
    ///
    /// # Errors
    /// What the store says.
    pub async fn counts(&self) -> Result<Counts> {
        let node = Arc::clone(self.node());
        self.on_runtime("counts", async move { Ok(node.store.counts(Some(&node.options.namespace)).await?) }).await
    }

    /// Removes now what ended longer ago than it is kept, which also happens by itself. Says how many.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sweep(&self) -> Result<usize> {
        let node = Arc::clone(self.node());
        self.on_runtime("sweep", async move { Ok(node.sweep().await?) }).await
    }

    // ---- the engine ----

    /// What keeps it from its work; none when it is ready. For a health check.
    pub fn not_ready(&self) -> Option<String> {
        self.node().not_ready()
    }

    /// Isolates that can't go on and could not be told so in the store, with the reason.
    pub fn set_aside(&self) -> Vec<(IsolateId, String)> {
        let mut parked: Vec<_> = self.node().parked().into_iter().collect();
        parked.sort();
        parked
    }

    /// Numbers for metrics and for tests.
    pub fn numbers(&self) -> Numbers {
        use std::sync::atomic::Ordering::Relaxed;
        let node = self.node();
        Numbers {
            commits: node.committer.commits.load(Relaxed),
            batches: node.committer.batches.load(Relaxed),
            resident: node.registry.len(),
            queued: node.scheduler.queued(),
            host_calls: node.calls.len(),
            timers: node.timers.len(),
            restores: node.restores.count.load(Relaxed),
            restored_bytes: node.restores.bytes.load(Relaxed),
            restored_objects: node.restores.objects.load(Relaxed),
        }
    }

    /// Whether it has been shut down: nothing can be asked of it any more.
    pub fn is_stopped(&self) -> bool {
        self.node().is_stopped()
    }

    /// Unix milliseconds of the store's clock.
    pub fn now_ms(&self) -> i64 {
        self.node().time.now_ms()
    }

    /// The namespace whose names it sees.
    pub fn namespace(&self) -> &str {
        &self.node().options.namespace
    }
}

/// The head of the isolate of this name.
async fn head(node: &Node, operation: &'static str, name: &str) -> Result<Head> {
    check_name(name)?;
    let head = node.store.head_by_name(&node.options.namespace, name).await?;
    head.ok_or_else(|| Error::new(Kind::NotFound, operation, format!("there is no isolate `{name}`")))
}

async fn spawn(node: &Arc<Node>, name: &str, deployed: &Deployed, args: Vec<Datum>) -> Result<Spawned> {
    let namespace = &node.options.namespace;
    let key = key(namespace, name);
    let shard = shard_of(namespace, name, node.lease.shard_count());
    let flow = deployed.loaded.module().func(deployed.flow).name.as_str();
    let from = node.clock.monotonic();
    loop {
        if node.is_draining() {
            return Err(Error::stopping("spawn"));
        }
        let (reply, answer) = oneshot::channel();
        let (cell, is_new) = node.registry.make_named(&key, || {
            let now_ms = node.time.now_ms();
            let id = rng::isolate_id(&*node.rng, now_ms);
            let shown = args::shown(deployed.loaded.module(), deployed.flow, &args);
            let head = Head {
                id,
                shard,
                namespace: namespace.clone(),
                name: name.to_owned(),
                flow: flow.to_owned(),
                program: deployed.loaded.hash,
                epoch: storage::Epoch::default(),
                seq: Seq::NONE,
                status: Status::Running,
                runnable: true,
                wake_at_ms: None,
                created_ms: now_ms,
                updated_ms: now_ms,
                ended_ms: None,
                next_event: 0,
                state: bytes::Bytes::new(),
            };
            let body = Body::creating(head, Arc::clone(&deployed.loaded), deployed.flow, shown);
            Arc::new(Cell::new(id, Some(Arc::clone(&key)), body))
        });
        let event = if is_new { Event::Create { args: args.clone(), reply } } else { Event::Exists(reply) };
        node.send(&cell, event);
        match answer.await {
            Ok(Ok(answer)) if answer.changed => {
                let args = args::shown(deployed.loaded.module(), deployed.flow, &args);
                let differs = Differs::Nothing;
                return Ok(Spawned { id: cell.id, exists: false, flow: flow.to_owned(), args, differs });
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.kind() != Kind::NotOwner => return Err(error),
            _ => {}
        }
        // The name belongs to an isolate that was there before, in memory or not; what it is, its durable head says.
        if let Some(head) = node.store.head_by_name(namespace, name).await? {
            let asked = args::shown(deployed.loaded.module(), deployed.flow, &args);
            return Ok(taken(head, flow, &asked));
        }
        if node.clock.monotonic().saturating_sub(from) > LOOK_FOR {
            let what = format!("the shard of `{name}` is not held here; ask the node that holds it, or try again");
            return Err(Error::new(Kind::NotOwner, "spawn", what));
        }
        node.clock.sleep(LOOK_AGAIN).await;
    }
}

/// What a spawn answers whose name was taken before.
fn taken(head: Head, flow: &str, args: &str) -> Spawned {
    let summary = Summary::of(head, None);
    let differs = if summary.flow != flow {
        Differs::Flow
    } else if summary.args != args && !summary.args.is_empty() {
        Differs::Arguments
    } else {
        Differs::Nothing
    };
    let spawned = Spawned { id: summary.id, exists: true, flow: summary.flow, args: summary.args, differs };
    if let Some(note) = spawned.note(&summary.name) {
        tracing::warn!(isolate = %spawned.id, "{note}");
    }
    spawned
}

async fn finished(node: &Arc<Node>, name: &str) -> Result<Finished> {
    check_name(name)?;
    let key = key(&node.options.namespace, name);
    loop {
        if node.is_stopped() {
            return Err(Error::stopping("result"));
        }
        let known = node.registry.named(&key).map(|cell| cell.id);
        let id = match known {
            Some(id) => id,
            None => {
                let head = head(node, "result", name).await?;
                if head.status.is_finished() {
                    return ended(&*node.store, &node.programs, head).await;
                }
                head.id
            }
        };
        let mut watching = node.watch.subscribe(id);
        // It may have ended between the look and the subscription: then it is out of the registry by now.
        let still_here = node.registry.named(&key).is_some_and(|cell| cell.id == id);
        if !still_here {
            match node.store.head(id).await? {
                Some(head) if head.status.is_finished() => return ended(&*node.store, &node.programs, head).await,
                // It was never created, or is removed: who has the name now is looked up again.
                None => {
                    node.clock.sleep(LOOK_AGAIN).await;
                    continue;
                }
                Some(_) => {}
            }
        }
        loop {
            let news = watching.next().await;
            if let Some((ending, program)) = news.ending {
                let flow = match node.store.head(id).await? {
                    Some(head) => head.flow,
                    None => String::new(),
                };
                return Ok(make_finished(
                    &*node.store,
                    &node.programs,
                    id,
                    name,
                    flow,
                    Ending::clone(&ending),
                    program,
                )
                .await);
            }
            if news.moved {
                node.clock.sleep(LOOK_AGAIN).await;
                break;
            }
        }
    }
}

async fn show(node: &Arc<Node>, name: &str) -> Result<Shown> {
    let head = head(node, "show", name).await?;
    let (id, hash, status) = (head.id, head.program, head.status);
    let routes = routes_shown(&*node.store, &node.programs, &head).await;
    let summary = Summary::of(head, node.parked().get(&id));
    let mut shown = Shown { summary, routes, view: None, vitals: None, view_error: None, live: false };
    if status == Status::Done {
        return Ok(shown);
    }
    if let Some(cell) = node.registry.get(id) {
        let (reply, view) = oneshot::channel();
        node.send(&cell, Event::View(reply));
        if let Ok(Some((view, vitals))) = view.await {
            (shown.view, shown.vitals) = (Some(view), Some(vitals));
            shown.live = true;
            return Ok(shown);
        }
    }
    match at_rest(&*node.store, &node.programs, node.options.isolate, id, hash).await {
        Ok(seen) => (shown.view, shown.vitals) = seen.unzip(),
        Err(error) => shown.view_error = Some(error.to_string()),
    }
    Ok(shown)
}

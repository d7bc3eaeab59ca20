//! The engine from its start to its end, and the handle that users hold.
//!
//! A start opens a session, claims the shards, then looks for what must go on. A shutdown lets nothing new begin, commits what runs, waits for
//! calls under way, and gives the lease back. Dropping the last handle stops everything at once, as a kill would: what is
//! committed goes on with the next start.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use deepslate_ir::durable::Durable;
use deepslate_ir::image::Image;
use deepslate_ir::module::Module;
use deepslate_storage::Store;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Kind, Result};
use crate::host::HostFns;
use crate::http::server;
use crate::node::{Made, Node};
use crate::options::Options;
use crate::rng::{Rng, SystemRng};

/// How long a shutdown waits for the store to take what was running, beyond the time for host calls.
const SETTLE: Duration = Duration::from_secs(10);
/// How long it waits for threads that a host function may hold up.
const JOIN: Duration = Duration::from_secs(2);
/// Stack of a worker: values that cross the border are walked recursively.
const WORKER_STACK_BYTES: usize = 4 << 20;

/// What an engine is made of.
pub struct Builder {
    options: Options,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    hosts: HostFns,
    images: Vec<Image>,
    runtime: Option<Handle>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("options", &self.options).field("store", &self.store).finish_non_exhaustive()
    }
}

impl Builder {
    /// Settings other than the defaults.
    #[must_use]
    pub fn options(mut self, options: Options) -> Builder {
        self.options = options;
        self
    }

    /// The host functions that flows call; more can be registered later.
    #[must_use]
    pub fn hosts(mut self, hosts: HostFns) -> Builder {
        self.hosts = hosts;
        self
    }

    /// A program to deploy before anything runs.
    #[must_use]
    pub fn deploy(mut self, image: Image) -> Builder {
        self.images.push(image);
        self
    }

    /// Another clock, for a simulation.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Builder {
        self.clock = clock;
        self
    }

    /// Other chance, for a simulation.
    #[must_use]
    pub fn rng(mut self, rng: Arc<dyn Rng>) -> Builder {
        self.rng = rng;
        self
    }

    /// A runtime of the caller for I/O and async host functions, in place of one that the engine makes. It must have its
    /// timers and I/O on and outlive the engine.
    #[must_use]
    pub fn runtime(mut self, runtime: Handle) -> Builder {
        self.runtime = Some(runtime);
        self
    }

    /// Starts it. Returns when it holds its shards; isolates that must go on do so from then on.
    ///
    /// # Errors
    /// `Held` when this node is alive elsewhere, `Program` for a program that can't be run, and what the store says.
    pub async fn start(mut self) -> Result<Engine> {
        let (own, runtime) = self.take_runtime()?;
        self.start_on(own, runtime).await
    }

    /// The same for callers that are not async. Not to be called from an async task.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_blocking(mut self) -> Result<Engine> {
        let (own, runtime) = self.take_runtime()?;
        let handle = runtime.clone();
        handle.block_on(self.start_on(own, runtime))
    }

    fn take_runtime(&mut self) -> Result<(Option<Runtime>, Handle)> {
        self.options.check()?;
        if let Some(handle) = self.runtime.take() {
            return Ok((None, handle));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.options.io_threads)
            .thread_name("deepslate-io")
            .enable_all()
            .build()
            .map_err(|error| refused("the I/O runtime", error))?;
        let handle = runtime.handle().clone();
        Ok((Some(runtime), handle))
    }

    async fn start_on(self, own: Option<Runtime>, runtime: Handle) -> Result<Engine> {
        let node = Arc::new(Node::new(Made {
            options: self.options,
            store: self.store,
            clock: self.clock,
            rng: self.rng,
            runtime: runtime.clone(),
            hosts: self.hosts,
        }));
        // From here on a failure is undone by dropping this.
        let owner =
            Owner { node: Arc::clone(&node), runtime: Mutex::new(own), tasks: Mutex::default(), http: OnceLock::new() };
        let engine = Engine { owner: Arc::new(owner) };
        let images = self.images;
        // Before anything is changed: an address that is taken is a mistake to be put right first.
        let listening = match node.options.http.address.clone() {
            Some(address) => {
                let bound = runtime.spawn(async move { server::bind(&address).await }).await;
                match bound.map_err(|error| Error::new(Kind::System, "start", error.to_string()))? {
                    Ok((listener, address)) => {
                        let _ = engine.owner.http.set(address);
                        Some(listener)
                    }
                    Err(error) if images.iter().any(|image| listens(image.module())) => return Err(error),
                    Err(error) => {
                        tracing::warn!("{error}; no flow that is deployed here listens, so this goes on without");
                        None
                    }
                }
            }
            None => None,
        };
        let opening = Arc::clone(&node);
        let opened = runtime.spawn(async move {
            for image in &images {
                opening.programs.deploy(&*opening.store, image).await?;
            }
            opening.open().await
        });
        let granted = opened.await.map_err(|error| Error::new(Kind::System, "start", error.to_string()))??;
        node.scheduler.start_ticker().map_err(|error| refused("a thread", error))?;
        for worker in 0..node.options.workers {
            let node = Arc::clone(&node);
            node.threads.fetch_add(1, Ordering::SeqCst);
            let name = format!("deepslate-{worker}");
            let builder = thread::Builder::new().name(name).stack_size(WORKER_STACK_BYTES);
            let working = Arc::clone(&node);
            if let Err(error) = builder.spawn(move || working.work(worker)) {
                node.threads.fetch_sub(1, Ordering::SeqCst);
                return Err(refused("a thread", error));
            }
        }
        let committing = Arc::clone(&node);
        let serving = Arc::clone(&node);
        let mut tasks = vec![
            runtime.spawn(async move {
                let node = &*committing;
                node.committer
                    .run(&*node.store, &*node.clock, &node.health, |cell, event| node.send(cell, event))
                    .await;
            }),
            runtime.spawn(Arc::clone(&node).keep_lease()),
            runtime.spawn(Arc::clone(&node).keep_timers()),
            runtime.spawn(Arc::clone(&node).keep_house()),
            runtime.spawn(async move { node.scan(granted).await }),
        ];
        if let Some(listener) = listening {
            tasks.push(runtime.spawn(server::serve(serving, listener)));
        }
        *engine.owner.tasks() = tasks;
        Ok(engine)
    }
}

/// Whether a flow of a program may listen.
fn listens(module: &Module) -> bool {
    module.hosts.iter().any(|host| host.name == Durable::HttpListen.name())
}

fn refused(what: &str, error: std::io::Error) -> Error {
    Error::new(Kind::System, "start", format!("{what} can't be made: {error}")).caused_by(error)
}

/// A running engine. Cheap to clone; it stops when the last clone is dropped, or drained by [`Engine::shutdown`].
#[derive(Clone)]
pub struct Engine {
    owner: Arc<Owner>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine(session {} on {:?})", self.node().lease.session(), self.node().store)
    }
}

struct Owner {
    node: Arc<Node>,
    runtime: Mutex<Option<Runtime>>,
    /// What runs beside the workers.
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// Where flows listen.
    http: OnceLock<SocketAddr>,
}

impl Owner {
    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.node.stop();
        self.tasks().iter().for_each(JoinHandle::abort);
        self.node.abandon();
        if let Some(runtime) = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // Works in async code too, where a runtime can't be waited for.
            runtime.shutdown_background();
        }
    }
}

impl Engine {
    /// What to start an engine from: a store, and the defaults for the rest.
    pub fn builder(store: Arc<dyn Store>) -> Builder {
        Builder {
            options: Options::default(),
            store,
            clock: Arc::new(SystemClock::new()),
            rng: Arc::new(SystemRng),
            hosts: HostFns::new(),
            images: Vec::new(),
            runtime: None,
        }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.owner.node
    }

    /// Where flows listen, if anywhere.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.owner.http.get().copied()
    }

    /// The runtime that its I/O and its host functions run on.
    pub fn runtime(&self) -> &Handle {
        &self.node().runtime
    }

    /// Waits for a future on the calling thread, with the engine's runtime around it. Not to be called from an async task.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    /// Runs a call of the handle on the engine's runtime, so that callers need none.
    pub(crate) async fn on_runtime<T, F>(&self, operation: &'static str, future: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        if self.node().is_stopped() {
            return Err(Error::stopping(operation));
        }
        match self.runtime().spawn(future).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::stopping(operation)),
        }
    }

    /// Shuts down: nothing new begins, what runs is interrupted and committed, host calls under way are waited for as long as
    /// `Options::drain` says, the lease is given back, the threads end. May be called again, which waits for nothing.
    pub async fn shutdown(&self) {
        let node = Arc::clone(self.node());
        if !node.drain() {
            return;
        }
        // The runtime may be the caller's, but the timers that are waited on here need one around them.
        let draining = self.runtime().spawn(async move {
            if !wait(&*node.clock, node.options.drain, || node.calls.len() == 0).await {
                tracing::warn!(
                    calls = node.calls.len(),
                    "host calls still under way; they are repeated by the next life"
                );
            }
            if !wait(&*node.clock, SETTLE, || node.is_quiet()).await {
                tracing::warn!(
                    "the store did not take everything in time; the next life goes on from the last commits"
                );
            }
            node.stop();
            if let Err(error) = node.store.close_session(node.lease.session()).await {
                tracing::warn!("the lease could not be given back and ends by itself: {error}");
            }
            if !wait(&*node.clock, JOIN, || node.threads.load(Ordering::SeqCst) == 0).await {
                tracing::warn!("a pure host function holds a worker thread up");
            }
        });
        // A runtime that was torn down meanwhile has nothing left to drain.
        let _ = draining.await;
        self.node().abandon();
        let tasks = std::mem::take(&mut *self.owner.tasks());
        for task in tasks {
            task.abort();
            // It was aborted, or had ended.
            let _ = task.await;
        }
        let runtime = self.owner.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            // So that nothing holds the store any more when the last handle is dropped. Blocks, so not in this task.
            let (ended, end) = oneshot::channel();
            let ending = thread::Builder::new().name("deepslate-end".into()).spawn(move || {
                runtime.shutdown_timeout(JOIN);
                // Nobody may be waiting any more.
                let _ = ended.send(());
            });
            if ending.is_ok() {
                let _ = end.await;
            }
        }
    }
}

/// Waits until something holds, or so long. False when it does not.
async fn wait(clock: &dyn Clock, limit: Duration, done: impl Fn() -> bool + Send) -> bool {
    let from = clock.monotonic();
    while !done() {
        if clock.monotonic().saturating_sub(from) > limit {
            return false;
        }
        clock.sleep(Duration::from_millis(2)).await;
    }
    true
}

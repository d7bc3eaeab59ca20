//! What the proofs start from: programs from source text, engines over real stores, and a host function that hands each of its
//! calls to the test, which answers when it wants to.

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::ir::image::Image;
use deepslate_engine::storage::backends::embedded::{self, Embedded};
use deepslate_engine::storage::{IsolateId, Kind, Status, Store};
use deepslate_engine::{Ending, Engine, HostCall, HostError, HostFn, HostFns, Options, host};
use deepslate_frontend::{Options as FrontendOptions, Source, compile};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The program of this source.
pub fn image(source: &str) -> Image {
    let compiled = compile(&[Source::file("main.py", source)], &FrontendOptions::default());
    assert!(!compiled.has_errors(), "{}", compiled.render(false));
    Image::of(compiled.module.expect("a program without errors")).expect("the front end makes images")
}

/// A call of a host function that waits for the test.
pub struct Asked {
    pub name: Arc<str>,
    pub isolate: IsolateId,
    pub step: u64,
    pub attempt: u32,
    pub args: Vec<Datum>,
    reply: oneshot::Sender<Result<Datum, HostError>>,
}

impl Asked {
    pub fn answer(self, value: Datum) {
        // The engine that asked may be gone.
        let _ = self.reply.send(Ok(value));
    }
}

/// A host function whose calls come out of the other end.
pub fn asking() -> (Arc<dyn HostFn>, mpsc::UnboundedReceiver<Asked>) {
    let (calls, asked) = mpsc::unbounded_channel();
    let function = host::asynchronous(move |call: HostCall| {
        let (reply, answer) = oneshot::channel();
        let context = call.context;
        // A test that no longer listens leaves the call unanswered.
        let _ = calls.send(Asked {
            name: context.name,
            isolate: context.isolate,
            step: context.step.expect("an impure call has a step"),
            attempt: context.attempt,
            args: call.args,
            reply,
        });
        async move {
            match answer.await {
                Ok(answer) => answer,
                Err(_) => std::future::pending().await,
            }
        }
    });
    (function, asked)
}

/// The next call, or a failure of the test.
pub async fn next(asked: &mut mpsc::UnboundedReceiver<Asked>) -> Asked {
    let next = tokio::time::timeout(LIMIT, asked.recv()).await;
    next.expect("a host function is called in time").expect("the engine lives")
}

pub fn hosts(functions: &[(&str, Arc<dyn HostFn>)]) -> HostFns {
    let hosts = HostFns::new();
    functions.iter().for_each(|(name, function)| hosts.register(*name, Arc::clone(function)));
    hosts
}

/// How long anything may take before a test fails.
pub const LIMIT: Duration = Duration::from_secs(120);

pub fn options() -> Options {
    // What is dropped in the middle is not waited for.
    Options { workers: 2, io_threads: 2, drain: Duration::ZERO, ..Options::default() }
}

/// An engine that was dropped lets go of its directory a moment later.
pub async fn embedded(directory: &Path) -> Arc<Embedded> {
    let from = std::time::Instant::now();
    loop {
        match Embedded::open(embedded::Options::new(directory)).await {
            Ok(store) => return Arc::new(store),
            Err(error) if error.kind() == Kind::Locked && from.elapsed() < LIMIT => {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

pub async fn start(store: Arc<dyn Store>, options: Options, hosts: HostFns, images: &[&Image]) -> Engine {
    said();
    let builder = Engine::builder(store).options(options).hosts(hosts);
    let builder = images.iter().fold(builder, |builder, image| builder.deploy(Image::clone(image)));
    builder.start().await.unwrap_or_else(|error| panic!("{error}"))
}

/// The value of an isolate that ends well.
pub async fn value(engine: &Engine, name: &str) -> Datum {
    match engine.result(name, Some(LIMIT)).await.unwrap_or_else(|error| panic!("{name}: {error}")).ending {
        Ending::Done(value) => value,
        other => panic!("{name} ended otherwise: {other:?}"),
    }
}

/// Waits until something holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let watch = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, watch).await.is_ok(), "never: {what}");
}

pub async fn status(engine: &Engine, name: &str) -> Status {
    engine.show(name).await.unwrap_or_else(|error| panic!("{error}")).summary.status
}

/// The variable of the innermost frame of the first task, as a person sees it.
pub async fn variable(engine: &Engine, name: &str, variable: &str) -> Option<String> {
    let shown = engine.show(name).await.unwrap_or_else(|error| panic!("{error}"));
    let view = shown.view.unwrap_or_else(|| panic!("{name} has no view: {:?}", shown.view_error));
    let variables = &view.tasks.first()?.frames.first()?.variables;
    variables.iter().find(|v| v.name == variable).map(|v| v.value.clone())
}

/// Everything that was logged for the operator in this process so far.
pub fn said() -> String {
    static LINES: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&lines);
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
            .with_ansi(false)
            .with_writer(move || Lines(Arc::clone(&writer)))
            .init();
        lines
    });
    String::from_utf8_lossy(&lines.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

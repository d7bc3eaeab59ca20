//! What the tests start from: the program of `flows.ir`, host functions that remember their calls, and short ways to ask.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::ir::filetest::RunFile;
use deepslate_engine::ir::image::Image;
use deepslate_engine::storage::backends::memory::Memory;
use deepslate_engine::storage::{Store, backends};
use deepslate_engine::{Ending, Engine, HostCall, HostError, HostFns, Options, host};

pub fn image() -> Image {
    let file = RunFile::read(include_str!("flows.ir")).expect("flows.ir can be read");
    Image::of(file.module).expect("flows.ir is a program")
}

/// Host calls by isolate name and step, with how often each was made.
pub type Seen = Arc<Mutex<BTreeMap<(String, u64), u32>>>;

pub fn hosts() -> (HostFns, Seen) {
    let seen = Seen::default();
    let hosts = HostFns::new();
    let calls = Arc::clone(&seen);
    let append = move |call: HostCall| {
        let calls = Arc::clone(&calls);
        async move {
            let step = call.context.step.expect("an impure call has a step");
            *calls.lock().unwrap().entry((call.context.name.to_string(), step)).or_insert(0) += 1;
            Ok(call.args[0].clone())
        }
    };
    hosts.register("append", host::asynchronous(append));
    let double = |call: HostCall| match call.args[0] {
        Datum::Int(n) if n < 0 => Err(HostError::new("negative")),
        Datum::Int(n) => Ok(Datum::Int(n * 2)),
        _ => Err(HostError::new("not an int")),
    };
    hosts.register("double", host::blocking(double));
    hosts.register("fetch", host::asynchronous(|_| async { Ok(Datum::Str("fetched".into())) }));
    (hosts, seen)
}

pub fn options() -> Options {
    Options { workers: 2, io_threads: 2, lease: Duration::from_millis(600), ..Options::default() }
}

pub fn memory() -> Arc<dyn Store> {
    Arc::new(Memory::new())
}

pub async fn embedded(directory: &Path) -> Arc<dyn Store> {
    let settings = [("path".to_owned(), directory.display().to_string())].into();
    backends::open("embedded", &settings).await.expect("the directory can be opened")
}

pub async fn start_with(store: Arc<dyn Store>, options: Options, hosts: HostFns) -> Engine {
    log();
    Engine::builder(store).options(options).hosts(hosts).deploy(image()).start().await.expect("the engine starts")
}

pub async fn start(store: Arc<dyn Store>) -> Engine {
    start_with(store, options(), hosts().0).await
}

/// `RUST_LOG=debug` shows what the engine says.
pub fn log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    // Another test of this process may have been first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
}

pub const LONG: Option<Duration> = Some(Duration::from_secs(60));

pub fn int(n: i64) -> Vec<Datum> {
    vec![Datum::Int(n)]
}

/// The value of an isolate that ends well.
pub async fn value(engine: &Engine, name: &str) -> Datum {
    match engine.result(name, LONG).await.expect("it ends").ending {
        Ending::Done(value) => value,
        other => panic!("{name} ended otherwise: {other:?}"),
    }
}

/// Waits until something holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..6_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

/// Runs a test of this file's own as a process, again and again, and kills it after a time drawn from `lifetime_ms`, until it was
/// killed so often; the last one ends by itself, and well. Gives how often it was killed.
pub fn through_kills(
    child: &str,
    variable: &str,
    directory: &Path,
    lifetime_ms: std::ops::Range<u64>,
    kills_max: u32,
) -> u32 {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    println!("seed {seed}");
    let mut chance = u64::from(seed) | 1;
    let mut kills = 0u32;
    loop {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", child, "--nocapture"])
            .env(variable, directory)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let lifetime = lifetime_ms.start + (chance >> 33) % (lifetime_ms.end - lifetime_ms.start);
        let until = Instant::now() + Duration::from_millis(lifetime);
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if kills < kills_max && Instant::now() > until {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        match ended {
            Some(status) => {
                assert!(status.success(), "the child failed by itself");
                break;
            }
            None => kills += 1,
        }
    }
    println!("{kills} kills");
    assert!(directory.join("finished").exists());
    kills
}

//! A snapshot holds stops and values, nothing of registers: what was written by one lowering of a program goes on in another.
//! Every program of the specification and every function of the front end's own tests is stopped in the middle, with register
//! allocation and fusion on, goes on with both off, and the other way round.

use crate::support::{LIMIT, embedded, until};
use async_trait::async_trait;
use deepslate_conformance::markdown::{self, Case, Outcome};
use deepslate_conformance::matrix;
use deepslate_engine::clock::Clock;
use deepslate_engine::ir::entity::FuncId;
use deepslate_engine::ir::image::Image;
use deepslate_engine::ir::interp::{self, NoWorld};
use deepslate_engine::regvm::testing::{Driver, Stops};
use deepslate_engine::regvm::{Limits, Options as VmOptions, Program};
use deepslate_engine::storage::backends::embedded::{Embedded, Options as Opening};
use deepslate_engine::{Ending, Engine, Options};
use deepslate_frontend::{Options as FrontendOptions, Source, compile};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PLAIN: VmOptions = VmOptions { allocate_registers: false, fuse: false };

fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// Every case that compiles.
fn cases() -> Vec<(Case, Image)> {
    let cases = markdown::all(&folder("spec")).expect("the cases can be read");
    let compiled = cases.into_iter().filter_map(|case| {
        let compiled = compile(&[Source::file("main.py", case.program.as_str())], &FrontendOptions::default());
        let image = Image::of(compiled.module?).expect("the front end makes images");
        Some((case, image))
    });
    compiled.collect()
}

/// Every function without parameters of the front end's tests.
fn functions() -> Vec<(String, FuncId, Image)> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder("../frontend/tests/run")).expect("the folder is there");
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.extension().is_none_or(|e| e != "py") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a test file");
        let options = FrontendOptions { all_functions: true, ..FrontendOptions::default() };
        let compiled = compile(&[Source::file(name.as_str(), text)], &options);
        let image = Image::of(compiled.module.expect("it compiles")).expect("the front end makes images");
        for (index, func) in image.module().funcs.iter().enumerate() {
            if func.name.starts_with("test_") && func.params.is_empty() {
                found.push((format!("{name}: {}", func.name), FuncId(index as u32), image.clone()));
            }
        }
    }
    found
}

/// Stops a function at places between its first stop and its last, in both directions; gives how many there were.
fn both_ways(name: &str, image: &Image, func: FuncId) -> u64 {
    let wanted = interp::run(image.module(), func, &[], interp::Limits::default(), &mut NoWorld);
    let lowered = |options| Program::new(image.clone(), options).expect("it is lowered");
    let (fast, plain) = (lowered(VmOptions::default()), lowered(PLAIN));
    let driver = |programs, stops| Driver { programs, limits: Limits::default(), stops, runs_max: 10_000_000 };
    let through = driver(vec![Arc::clone(&fast)], Stops::Interrupt).run(func, &[], &mut NoWorld);
    let stops = through.expect("nothing is restored").steps;
    let mut places = vec![stops / 4, stops / 2, stops * 3 / 4, stops];
    places.retain(|place| *place > 0);
    places.dedup();
    for place in &places {
        for (programs, way) in [([&fast, &plain], "fast to plain"), ([&plain, &fast], "plain to fast")] {
            let programs = programs.into_iter().map(Arc::clone).collect();
            // Everything up to there is committed; then it goes on in the other one.
            let every = u32::try_from(*place).expect("they run for a short while");
            let run = driver(programs, Stops::Restore { every }).run(func, &[], &mut NoWorld);
            let run = run.unwrap_or_else(|error| panic!("{name}, {way} at {place} of {stops}: {error}"));
            assert!(matrix::same(&run, &wanted), "{name}, {way} at stop {place} of {stops}:\n{wanted:#?}\n{run:#?}");
        }
    }
    places.len() as u64
}

#[test]
fn the_machine_goes_on_in_another_lowering() {
    let mut all: Vec<_> = functions();
    all.extend(cases().into_iter().map(|(case, image)| {
        let main = image.module().flow("main").expect("a case has a flow `main`");
        (case.name, main, image)
    }));
    assert!(all.len() >= 60, "only {} programs", all.len());
    let places: u64 = all.iter().map(|(name, func, image)| both_ways(name, image, *func)).sum();
    println!("{} programs, stopped at {places} places, both ways", all.len());
}

/// A clock on which time goes thirty times as fast, so that nobody waits for the sleeps of the cases.
#[derive(Debug)]
struct Hasty(Instant);

const HASTE: u32 = 30;

impl Hasty {
    fn since(&self) -> Duration {
        self.0.elapsed() * HASTE
    }
}

#[async_trait]
impl Clock for Hasty {
    fn monotonic(&self) -> Duration {
        self.since()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / HASTE).await;
    }
}

/// The same through engines: each life is killed in the middle, and the next one lowers everything the other way.
#[tokio::test(flavor = "multi_thread")]
async fn the_engine_goes_on_in_another_lowering() {
    let mut cases = cases();
    cases.retain(|(case, _)| !case.needs_virtual_clock && case.answers.is_empty());
    let directory = tempfile::tempdir().expect("a directory");
    let begin = Instant::now();
    let open = async |life: u32| -> Engine {
        // The directory is free when the last life has let go of it.
        drop(embedded(directory.path()).await);
        let clock = Arc::new(Hasty(begin));
        let store_clock = Arc::clone(&clock);
        let opening = Opening {
            clock: Arc::new(move || 1_700_000_000_000 + store_clock.since().as_millis() as i64),
            ..Opening::new(directory.path())
        };
        let store = Arc::new(Embedded::open(opening).await.expect("it opens"));
        let options = Options {
            vm: if life.is_multiple_of(2) { VmOptions::default() } else { PLAIN },
            lease: Duration::from_secs(600),
            drain: Duration::ZERO,
            workers: 2,
            io_threads: 2,
            ..Options::default()
        };
        crate::support::said();
        let builder = Engine::builder(store).options(options).clock(clock);
        builder.start().await.unwrap_or_else(|error| panic!("{error}"))
    };
    let mut engine = open(0).await;
    for (index, (_, image)) in cases.iter().enumerate() {
        engine.deploy(image.clone()).await.expect("it is deployed");
        engine.spawn(&format!("case-{index}"), "main", vec![]).await.expect("it is spawned");
    }
    let mut life = 0;
    loop {
        let commits = engine.numbers().commits;
        let counts = engine.counts().await.expect("counts");
        let ended = |counts: deepslate_engine::storage::Counts| {
            use deepslate_engine::storage::Status::{Done, Failed};
            counts.get(Done) + counts.get(Failed)
        };
        if ended(counts) == cases.len() as u64 {
            break;
        }
        // A few commits on, it is killed: some of them in each case.
        let few = 5 + cases.len() as u64 / 16;
        let begin = Instant::now();
        until("it goes on", async || {
            if begin.elapsed() > LIMIT / 2 {
                for (index, (case, _)) in cases.iter().enumerate() {
                    let status = crate::support::status(&engine, &format!("case-{index}")).await;
                    assert!(["done", "failed"].contains(&status.name()), "{} does not go on: {status:?}", case.name);
                }
            }
            engine.numbers().commits >= commits + few
                || ended(engine.counts().await.expect("counts")) == cases.len() as u64
        })
        .await;
        drop(engine);
        life += 1;
        engine = open(life).await;
    }
    println!("{} cases in {} lives", cases.len(), life + 1);
    assert!(life >= 1, "they end before the first kill");
    for (index, (case, _)) in cases.iter().enumerate() {
        let (name, wanted) = (&case.name, &case.outcome);
        let isolate = format!("case-{index}");
        let finished = engine.result(&isolate, Some(LIMIT * HASTE)).await.expect("it has ended");
        let events = engine.events(&isolate, 0, 1_000).await.expect("reads");
        let log = events.into_iter().filter(|(_, event)| event.kind.name() == "log").map(|(_, event)| event.text);
        let mut found = Outcome { log: log.collect(), ..Outcome::default() };
        match &finished.ending {
            Ending::Done(_) => found.result = finished.json(),
            Ending::Failed(failure) => {
                let line = failure.trace.first().map_or(0, |line| line.line);
                found.trap = Some((failure.kind.name().to_owned(), line));
            }
            Ending::Cancelled => panic!("{name} was cancelled"),
        }
        assert!(wanted.agrees(&found), "{name}: found {found:#?}\nwanted {wanted:#?}");
    }
    engine.shutdown().await;
}

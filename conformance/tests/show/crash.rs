//! SIGKILL at random instants: every result is right, every step is done, and none that was committed is done again.
//!
//! The killed process is this test binary. Its host function appends isolate and step to a file and syncs it; each flow logs a step
//! once it has the result, so that the log, which travels in the same commit, says which results are committed.

use crate::support::{embedded, hosts, image, options, start};
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::storage::backends::embedded::Embedded;
use deepslate_engine::storage::{Filter, IsolateId, Store};
use deepslate_engine::{Ending, HostCall, HostError, host};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

const DIRECTORY: &str = "DEEPSLATE_SHOW_CRASH";
const ISOLATES: i64 = 50;
const STEPS: i64 = 40;
const KILLS: u32 = 15;

const FLOWS: &str = r#"
from deepslate import flow, impure

@impure
async def note(number: int) -> int: ...

@flow
async def steps(count: int) -> int:
    seen: list[int] = []
    total: int = 0
    for number in range(count):
        total = total + await note(number)
        seen.append(number)
        print("done", number)
    assert len(seen) == count
    return total
"#;

fn name(index: i64) -> String {
    format!("isolate-{index}")
}

/// Not a test by itself: what the killed process does. It says when something was acknowledged or noted.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let tell = |line: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent listens");
    };
    let notes = File::options().create(true).append(true).open(directory.join("notes")).expect("it opens");
    let notes = Arc::new(Mutex::new(notes));
    let note = host::blocking(move |call: HostCall| {
        let Datum::Int(number) = call.args[0] else { return Err(HostError::new("not a number")) };
        let line = format!("{} {}\n", call.context.isolate, call.context.step.expect("an impure call has a step"));
        let mut notes = notes.lock().map_err(|_| HostError::new("poisoned"))?;
        notes.write_all(line.as_bytes()).map_err(|error| HostError::new(error.to_string()))?;
        let file = notes.try_clone().map_err(|error| HostError::new(error.to_string()))?;
        drop(notes);
        file.sync_data().map_err(|error| HostError::new(error.to_string()))?;
        tell("noted".to_owned());
        Ok(Datum::Int(number * 2))
    });
    let store = embedded(&directory.join("store")).await;
    let engine = start(store, options(), hosts(&[("note", note)]), &[&image(FLOWS)]).await;
    for index in 0..ISOLATES {
        let spawned = engine.spawn(&name(index), "steps", vec![Datum::Int(STEPS)]).await.expect("it is spawned");
        println!("spawned {index} {}", spawned.id);
    }
    for index in 0..ISOLATES {
        match engine.result(&name(index), None).await.expect("it ends").ending {
            Ending::Done(Datum::Int(total)) => println!("result {index} {total}"),
            other => println!("wrong {index} {other:?}"),
        }
    }
    engine.shutdown().await;
}

fn begin(directory: &Path) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().expect("this test has a file"))
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts");
    let lines = BufReader::new(child.stdout.take().expect("it has an output")).lines().map_while(Result::ok);
    (child, lines)
}

/// The steps whose results are committed, by isolate, as the logs in the store at rest say.
async fn committed(directory: &Path) -> HashMap<IsolateId, HashSet<i64>> {
    let Ok(store) = Embedded::open_read_only(directory.join("store")).await else { return HashMap::new() };
    let mut found = HashMap::new();
    for head in store.list(&Filter::default(), None, 1_000).await.expect("lists").heads {
        let events = store.events(head.id, 0, 1_000).await.expect("reads");
        let done = events.iter().filter_map(|(_, event)| {
            let text = String::from_utf8_lossy(event);
            text.rsplit_once("done ").and_then(|(_, number)| number.parse().ok())
        });
        found.insert(head.id, done.collect());
    }
    found
}

/// Isolate and step of every note, in order.
fn notes(directory: &Path) -> Vec<(IsolateId, i64)> {
    let text = std::fs::read_to_string(directory.join("notes")).unwrap_or_default();
    let line = |line: &str| {
        let (id, step) = line.split_once(' ').expect("a whole line");
        (id.parse().expect("an id"), step.parse().expect("a step"))
    };
    text.lines().map(line).collect()
}

/// Chance, told by its seed: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[tokio::test]
async fn fifteen_kills_lose_nothing_and_repeat_nothing_that_was_committed() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let seed = std::env::var("SEED").map_or(now.as_nanos() as u64 | 1, |seed| seed.parse().expect("a number"));
    println!("SEED={seed}");
    let mut chance = Chance(seed);
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    let mut known: HashMap<i64, IsolateId> = HashMap::new();
    let spawned = |line: &str, known: &mut HashMap<i64, IsolateId>| {
        // The test runner writes on the same line at first.
        let Some((index, id)) = line.split("spawned ").nth(1).and_then(|rest| rest.split_once(' ')) else { return };
        let id = id.parse().expect("an id");
        let before = *known.entry(index.parse().expect("a number")).or_insert(id);
        assert_eq!(before, id, "an acknowledged spawn is lost: {index} has another id");
    };
    let mut safe: HashMap<IsolateId, HashSet<i64>> = HashMap::new();
    let (mut seen, mut repeated) = (0, 0);
    for kill in 0..=KILLS {
        let (mut child, lines) = begin(directory);
        // In the first lives while they are spawned, then anywhere; the last is not killed.
        let after = match kill {
            KILLS => u64::MAX,
            0 => 1 + chance.below(10),
            _ => 1 + chance.below((ISOLATES * STEPS) as u64 / u64::from(KILLS + 3)),
        };
        let (mut noted, mut results) = (0, 0);
        for line in lines {
            spawned(&line, &mut known);
            assert!(!line.starts_with("wrong"), "{line}");
            if let Some((_, total)) = line.strip_prefix("result ").and_then(|rest| rest.split_once(' ')) {
                assert_eq!(total, (STEPS * (STEPS - 1)).to_string(), "{line}");
                results += 1;
            }
            noted += u64::from(line.ends_with("noted"));
            if noted >= after {
                // Not always at the same place between a note and the commit of its result.
                for _ in 0..chance.below(400_000) {
                    std::hint::spin_loop();
                }
                child.kill().expect("SIGKILL");
                break;
            }
        }
        let ended = child.wait().expect("it is gone");
        if kill == KILLS {
            assert!(ended.success() && results == ISOLATES, "{results} results");
        } else {
            assert!(!ended.success(), "life {kill} ended before it was killed");
        }
        let all = notes(directory);
        for (id, step) in &all[seen..] {
            assert!(!safe.get(id).is_some_and(|steps| steps.contains(step)), "step {step} of {id} was done again");
        }
        repeated += all[seen..].iter().filter(|note| all[..seen].contains(note)).count();
        seen = all.len();
        safe = committed(directory).await;
        // A result that is committed was given by a call.
        for (id, steps) in &safe {
            assert!(steps.iter().all(|step| all.contains(&(*id, *step))), "a result from nowhere: {id}");
        }
    }
    assert_eq!(known.len() as i64, ISOLATES);
    let all = notes(directory);
    let distinct: HashSet<_> = all.iter().copied().collect();
    for id in known.values() {
        for step in 0..STEPS {
            assert!(distinct.contains(&(*id, step)), "step {step} of {id} was never done");
        }
    }
    assert_eq!(distinct.len() as i64, ISOLATES * STEPS);
    println!("{} steps, {} calls, {repeated} of them again after a kill", distinct.len(), all.len());
    assert!(all.len() - distinct.len() <= (u32::try_from(ISOLATES).expect("small") * KILLS) as usize);
}

//! SIGKILL at random instants: a child process runs the engine over an embedded store, is killed, and another one goes on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use deepslate_engine::HostCall;
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::storage::Status;
use deepslate_engine::{HostError, host};

use crate::world::*;

const DIRECTORY: &str = "DEEPSLATE_TEST_KILLED";

/// The child. Does nothing when it is run as an ordinary test.
#[tokio::test(flavor = "multi_thread")]
async fn child_of_the_kill_tests() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let (hosts, _) = hosts();
    let lines = directory.join("lines");
    // Each call is one line, written before it is answered.
    let append = move |call: HostCall| {
        let step = call.context.step.expect("an impure call has a step");
        let line = format!("{} {step}\n", call.context.name);
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&lines);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|error| HostError::new(error.to_string()))?;
        Ok(call.args[0].clone())
    };
    hosts.register("append", host::blocking(append));
    let engine = start_with(embedded(&directory.join("store")).await, options(), hosts).await;
    engine.spawn("counter", "counter", int(4_000)).await.unwrap();
    for n in 0..10 {
        engine.spawn(&format!("steps{n}"), "steps", int(60)).await.unwrap();
    }
    value(&engine, "counter").await;
    for n in 0..10 {
        value(&engine, &format!("steps{n}")).await;
    }
    engine.shutdown().await;
    std::fs::write(directory.join("finished"), "").unwrap();
}

/// What is committed of each isolate: how many steps have a result.
fn committed(directory: &Path) -> BTreeMap<String, usize> {
    let lines = std::fs::read_to_string(directory.join("lines")).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in lines.lines() {
        *counts.entry(line.to_owned()).or_insert(0) += 1;
    }
    counts
}

#[test]
fn killed_at_random_instants_it_ends_with_the_right_results() {
    let directory = tempfile::tempdir().unwrap();
    let kills = through_kills("kill::child_of_the_kill_tests", DIRECTORY, directory.path(), 30..200, 20);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = start(embedded(&directory.path().join("store")).await).await;
        assert_eq!(value(&engine, "counter").await, Datum::Int(4_000));
        for n in 0..10 {
            assert_eq!(value(&engine, &format!("steps{n}")).await, Datum::Int(59 * 60 / 2));
        }
        assert_eq!(engine.counts().await.unwrap().get(Status::Done), 11);
    });
    // Each step at least once; one whose result was committed never again, so at most one a kill is repeated of each isolate.
    let counts = committed(directory.path());
    assert_eq!(counts.len(), 600);
    for n in 0..10 {
        let of_it = counts.iter().filter(|(line, _)| line.starts_with(&format!("steps{n} ")));
        let repeats: usize = of_it.map(|(_, count)| count - 1).sum();
        assert!(repeats <= kills as usize, "steps{n} was repeated {repeats} times in {kills} kills");
    }
}

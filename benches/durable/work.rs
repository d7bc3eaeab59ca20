//! The pieces of work in Rust, each run in a process of its own: what `flows.py` does in Python.

use anyhow::{Context, Result, bail};
use deepslate::Engine;
use deepslate::storage::backends::embedded::{Embedded, Options};
use deepslate::storage::{Filter, Store};
use std::path::Path;
use std::time::Instant;

/// The names of the pieces, as `flows.py` knows them too.
pub const NAMES: [&str; 4] = ["sequential", "many", "single", "recover"];

const FLOWS: &str = r#"
from deepslate import flow, impure

@impure
async def note(number: int) -> int: ...

@flow
async def steps(count: int) -> int:
    total: int = 0
    for number in range(count):
        total = total + await note(number)
    return total
"#;

/// Rounds of `many`; the first ones warm up.
const ROUNDS: u64 = 12;

/// Runs one and prints what it took.
pub fn run(name: &str, directory: &Path, numbers: &[u64]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match (name, numbers) {
            ("sequential", [steps]) => sequential(directory, *steps).await,
            ("many", [flows, steps]) => many(directory, *flows, *steps).await,
            ("single", [times]) => single(directory, *times).await,
            ("recover", [past]) => recover(directory, *past).await,
            _ => bail!("{name} with {numbers:?}"),
        }
    })
}

async fn engine(directory: &Path, stay_at: i64) -> Result<Engine> {
    let note = move |number: i64| async move {
        if number == stay_at {
            println!("step {number}");
            std::future::pending::<()>().await;
        }
        Ok::<i64, std::io::Error>(number)
    };
    let builder = Engine::builder().embedded(directory).flows_from_source("flows.py", FLOWS).host_fn("note", note);
    Ok(builder.start().await?)
}

/// One flow from its spawn to its result.
async fn whole(engine: &Engine, name: &str, steps: u64) -> Result<()> {
    engine.spawn(name, "steps", (steps,)).await?;
    let total: u64 = engine.result_within(name, crate::LIMIT).await?;
    anyhow::ensure!(total == steps * steps.saturating_sub(1) / 2, "{name} gives {total}");
    Ok(())
}

fn tell(seconds: &[f64]) {
    println!("{}", serde_json::json!({ "seconds": seconds }));
}

async fn sequential(directory: &Path, steps: u64) -> Result<()> {
    let engine = engine(directory, -1).await?;
    whole(&engine, "warm-up", 100).await?;
    let from = Instant::now();
    whole(&engine, "long", steps).await?;
    tell(&[from.elapsed().as_secs_f64()]);
    engine.shutdown().await;
    Ok(())
}

async fn many(directory: &Path, flows: u64, steps: u64) -> Result<()> {
    let engine = engine(directory, -1).await?;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let from = Instant::now();
        let all: Vec<_> = (0..flows)
            .map(|n| {
                let engine = engine.clone();
                tokio::spawn(async move { whole(&engine, &format!("round-{round}-{n}"), steps).await })
            })
            .collect();
        for one in all {
            one.await??;
        }
        times.push(from.elapsed().as_secs_f64());
    }
    tell(&times[2..]);
    engine.shutdown().await;
    Ok(())
}

async fn single(directory: &Path, times: u64) -> Result<()> {
    let engine = engine(directory, -1).await?;
    whole(&engine, "warm-up", 100).await?;
    let mut seconds = Vec::new();
    for n in 0..times {
        let from = Instant::now();
        whole(&engine, &format!("single-{n}"), 1).await?;
        seconds.push(from.elapsed().as_secs_f64());
    }
    tell(&seconds);
    engine.shutdown().await;
    Ok(())
}

/// Stays in one step for ever; its caller kills it there.
async fn recover(directory: &Path, past: u64) -> Result<()> {
    let engine = engine(directory, i64::try_from(past)?).await?;
    engine.spawn("old", "steps", (past + 1_000_000,)).await?;
    std::future::pending().await
}

/// Opens and closes the store, so that its log is copied back and gone.
pub fn settle(directory: &Path) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async { Embedded::open(Options::new(directory)).await.map(drop) })?;
    Ok(())
}

/// Bytes of the snapshot of the only isolate.
pub fn snapshot_bytes(directory: &Path) -> Result<u64> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let store = Embedded::open_read_only(directory).await?;
        let head = store.list(&Filter::default(), None, 10).await?.heads.pop().context("there is an isolate")?;
        let snapshot = store.snapshot(head.id).await?.context("it is there")?;
        Ok(snapshot.parts.iter().map(|part| part.bytes.len() as u64).sum())
    })
}

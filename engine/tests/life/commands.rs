//! Cancel, pause, resume, delete, shutdown; isolates that leave memory.

use std::time::Duration;

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::storage::Status;
use deepslate_engine::{Ending, Engine, Kind, Options, host};

use crate::world::*;

async fn status(engine: &Engine, name: &str) -> Status {
    engine.show(name).await.unwrap().summary.status
}

async fn is_cancelled(engine: &Engine, name: &str) {
    let answer = engine.cancel(name).await.unwrap();
    assert!(answer.changed && answer.status == Status::Cancelled, "{answer:?}");
    assert_eq!(engine.result(name, LONG).await.unwrap().ending, Ending::Cancelled);
    let again = engine.cancel(name).await.unwrap();
    assert!(!again.changed && again.status == Status::Cancelled, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sleeps_waits_or_runs_is_cancelled() {
    let (hosts, _) = hosts();
    hosts.register("fetch", host::asynchronous(|_| std::future::pending()));
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("sleeping", "nap", vec![Datum::Float(1e6)]).await.unwrap();
    engine.spawn("waiting", "fetched", vec![]).await.unwrap();
    engine.spawn("running", "spin", vec![]).await.unwrap();
    engine.spawn("counting", "counter", int(i64::MAX)).await.unwrap();
    until("all are on their way", async || {
        status(&engine, "sleeping").await == Status::Sleeping && status(&engine, "waiting").await == Status::Waiting
    })
    .await;
    assert_eq!(status(&engine, "running").await, Status::Running);
    for name in ["sleeping", "waiting", "running", "counting"] {
        is_cancelled(&engine, name).await;
    }
    let counts = engine.counts().await.unwrap();
    assert_eq!((counts.total(), counts.get(Status::Cancelled)), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_computations_starve_nobody() {
    let one_worker = Options { workers: 1, ..options() };
    let engine = start_with(memory(), one_worker, hosts().0).await;
    for n in 0..3 {
        engine.spawn(&format!("spin{n}"), "spin", vec![]).await.unwrap();
    }
    engine.spawn("c", "counter", int(20)).await.unwrap();
    assert_eq!(value(&engine, "c").await, Datum::Int(20));
    engine.spawn("s", "steps", int(5)).await.unwrap();
    assert_eq!(value(&engine, "s").await, Datum::Int(10));
    let shown = engine.show("spin0").await.unwrap();
    assert!(shown.live && !shown.view.unwrap().tasks[0].frames.is_empty());
    for n in 0..3 {
        is_cancelled(&engine, &format!("spin{n}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_players_for_ever_let_the_result_in_and_can_be_cancelled() {
    let (hosts, _) = hosts();
    let (let_go, wait) = tokio::sync::watch::channel(false);
    let fetch = move |_| {
        let mut wait = wait.clone();
        async move {
            wait.wait_for(|go| *go).await.map_err(|error| deepslate_engine::HostError::new(error.to_string()))?;
            Ok(Datum::Str("now".into()))
        }
    };
    hosts.register("fetch", host::asynchronous(fetch));
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("game", "game", vec![]).await.unwrap();
    engine.spawn("other", "game", vec![]).await.unwrap();
    let answer = engine.cancel("other").await.unwrap();
    assert!(answer.changed);
    // The state with the call is committed although two tasks never stop running.
    assert!(engine.show("game").await.unwrap().summary.seq.0 >= 1);
    assert_eq!(engine.pause("game").await.unwrap().status, Status::Paused);
    assert!(engine.resume("game").await.unwrap().changed);
    let_go.send(true).unwrap();
    let Ending::Failed(failure) = engine.result("game", LONG).await.unwrap().ending else { panic!("it divides by 0") };
    assert_eq!(failure.trace[0].func, "game");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_isolate_holds_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let engine = start(embedded(directory.path()).await).await;
    engine.spawn("c", "counter", int(3_000)).await.unwrap();
    until("it counts", async || engine.show("c").await.unwrap().summary.seq.0 > 10).await;
    let answer = engine.pause("c").await.unwrap();
    assert_eq!((answer.status, answer.changed), (Status::Paused, true));
    assert!(!engine.pause("c").await.unwrap().changed);
    let seq = engine.show("c").await.unwrap().summary.seq;
    engine.spawn("n", "nap", vec![Datum::Float(0.05)]).await.unwrap();
    engine.pause("n").await.unwrap();
    // Also over a restart.
    engine.shutdown().await;
    drop(engine);
    let engine = start(embedded(directory.path()).await).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(engine.show("c").await.unwrap().summary.seq, seq);
    assert_eq!(status(&engine, "n").await, Status::Paused);
    let answer = engine.resume("c").await.unwrap();
    assert!(answer.changed, "{answer:?}");
    engine.resume("n").await.unwrap();
    assert_eq!(value(&engine, "c").await, Datum::Int(3_000));
    assert_eq!(value(&engine, "n").await, Datum::Str("slept".into()));
    let again = engine.resume("c").await.unwrap();
    assert_eq!((again.status, again.changed), (Status::Done, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_comes_while_paused_is_kept() {
    let (hosts, seen) = hosts();
    let (let_go, wait) = tokio::sync::watch::channel(false);
    let calls = seen.clone();
    let append = move |call: deepslate_engine::HostCall| {
        let (mut wait, calls) = (wait.clone(), calls.clone());
        async move {
            *calls.lock().unwrap().entry(("p".into(), call.context.step.unwrap())).or_insert(0) += 1;
            wait.wait_for(|go| *go).await.map_err(|error| deepslate_engine::HostError::new(error.to_string()))?;
            Ok(call.args[0].clone())
        }
    };
    hosts.register("append", host::asynchronous(append));
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("p", "steps", int(1)).await.unwrap();
    until("it is called", async || !seen.lock().unwrap().is_empty()).await;
    engine.pause("p").await.unwrap();
    let seq = engine.show("p").await.unwrap().summary.seq;
    let_go.send(true).unwrap();
    until("the result is committed", async || engine.show("p").await.unwrap().summary.seq > seq).await;
    assert_eq!(status(&engine, "p").await, Status::Paused);
    engine.resume("p").await.unwrap();
    assert_eq!(value(&engine, "p").await, Datum::Int(0));
    assert_eq!(*seen.lock().unwrap(), [(("p".to_owned(), 0), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_name_can_be_used_again() {
    let engine = start(memory()).await;
    let first = engine.spawn("x", "nap", vec![Datum::Float(1e6)]).await.unwrap();
    assert_eq!(engine.delete("x").await.unwrap_err().kind(), Kind::NotFinished);
    engine.cancel("x").await.unwrap();
    assert!(engine.delete("x").await.unwrap().changed);
    assert_eq!(engine.delete("x").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(engine.result("x", LONG).await.unwrap_err().kind(), Kind::NotFound);
    let second = engine.spawn("x", "counter", int(3)).await.unwrap();
    assert!(!second.exists && second.id != first.id);
    assert_eq!(value(&engine, "x").await, Datum::Int(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_isolates_are_swept_in_time() {
    let keep = Options { keep_finished: Duration::from_millis(300), ..options() };
    let engine = start_with(memory(), keep, hosts().0).await;
    engine.spawn("gone", "counter", int(1)).await.unwrap();
    engine.spawn("stays", "nap", vec![Datum::Float(1e6)]).await.unwrap();
    value(&engine, "gone").await;
    until("it is swept", async || {
        engine.sweep().await.unwrap();
        engine.counts().await.unwrap().total() == 1
    })
    .await;
    assert_eq!(engine.result("gone", LONG).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(status(&engine, "stays").await, Status::Sleeping);
}

#[tokio::test(flavor = "multi_thread")]
async fn sleeping_isolates_leave_memory_and_wake_on_time() {
    let small = Options { warm_isolates: 5, ..options() };
    let engine = start_with(memory(), small, hosts().0).await;
    for n in 0..50 {
        engine.spawn(&format!("h{n}"), "holder", vec![Datum::Int(1_000), Datum::Float(0.6)]).await.unwrap();
    }
    until("they have left", async || engine.numbers().resident <= 5).await;
    assert_eq!(engine.numbers().timers, 50);
    let shown = engine.show("h0").await.unwrap();
    assert!(!shown.live);
    assert_eq!(shown.summary.status, Status::Sleeping);
    assert_eq!(shown.view.unwrap().tasks[0].frames[0].place.func, "holder");
    for n in 0..50 {
        assert_eq!(value(&engine, &format!("h{n}")).await, Datum::Int(1_000));
    }
    assert_eq!(engine.numbers().timers, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_by_bytes_and_by_time_too() {
    let few_bytes = Options { warm_bytes: 100_000, ..options() };
    let engine = start_with(memory(), few_bytes, hosts().0).await;
    for n in 0..20 {
        engine.spawn(&format!("h{n}"), "holder", vec![Datum::Int(5_000), Datum::Float(1e6)]).await.unwrap();
    }
    until("most have left", async || engine.numbers().resident <= 2).await;
    drop(engine);
    let short = Options { warm_for: Duration::from_millis(50), ..options() };
    let engine = start_with(memory(), short, hosts().0).await;
    engine.spawn("h", "holder", vec![Datum::Int(5), Datum::Float(1e6)]).await.unwrap();
    until("it has left", async || engine.numbers().resident == 0).await;
    // A command finds it all the same.
    is_cancelled(&engine, "h").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_drains() {
    let directory = tempfile::tempdir().unwrap();
    let (hosts, seen) = hosts();
    let calls = seen.clone();
    let begun = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let begins = begun.clone();
    let slow = move |call: deepslate_engine::HostCall| {
        let (calls, begins) = (calls.clone(), begins.clone());
        async move {
            begins.store(true, std::sync::atomic::Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(200)).await;
            *calls.lock().unwrap().entry(("slow".into(), call.context.step.unwrap())).or_insert(0) += 1;
            Ok(call.args[0].clone())
        }
    };
    hosts.register("append", host::asynchronous(slow));
    let engine = start_with(embedded(directory.path()).await, options(), hosts.clone()).await;
    engine.spawn("work", "work", int(2_000_000)).await.unwrap();
    engine.spawn("spin", "spin", vec![]).await.unwrap();
    engine.spawn("slow", "steps", int(2)).await.unwrap();
    // One that is counted may still wait for its place, and is not begun any more then.
    until("it is called", async || begun.load(std::sync::atomic::Ordering::SeqCst)).await;
    engine.shutdown().await;
    assert!(engine.is_stopped());
    assert_eq!(engine.spawn("late", "spin", vec![]).await.unwrap_err().kind(), Kind::Stopping);
    assert_eq!(engine.result("spin", LONG).await.unwrap_err().kind(), Kind::Stopping);
    drop(engine);
    // The call under way was waited for and its result committed; the next one was not begun.
    assert_eq!(*seen.lock().unwrap(), [(("slow".to_owned(), 0), 1)].into());
    let engine = start_with(embedded(directory.path()).await, options(), hosts).await;
    // What ran was committed where it was: it does not begin at 0 again.
    let variable = |shown: deepslate_engine::Shown| shown.summary.seq.0;
    assert!(variable(engine.show("work").await.unwrap()) >= 2);
    assert_eq!(value(&engine, "work").await, Datum::Int(2_000_000));
    assert_eq!(value(&engine, "slow").await, Datum::Int(1));
    assert_eq!(seen.lock().unwrap().values().sum::<u32>(), 2);
    is_cancelled(&engine, "spin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told() {
    let engine = start(memory()).await;
    let mut all = engine.subscribe_all();
    engine.spawn("n", "nap", vec![Datum::Float(0.2)]).await.unwrap();
    let mut one = engine.subscribe("n").await.unwrap();
    let change = one.next().await.unwrap();
    assert_eq!((change.status, &*change.name), (Status::Done, "n"));
    let first = all.recv().await.unwrap();
    assert_eq!((first.status, first.seq.0), (Status::Sleeping, 1));
    engine.delete("n").await.unwrap();
    assert!(one.next().await.unwrap().removed);
    assert_eq!(engine.subscribe("n").await.unwrap_err().kind(), Kind::NotFound);
}

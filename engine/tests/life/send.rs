//! Elements sent to queues with a name: typed, acknowledged when durable, applied once.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::storage::Status;
use deepslate_engine::{Ending, Kind, host};

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_comes_out_of_the_queue() {
    let engine = start(memory()).await;
    engine.spawn("c", "collect", int(-1)).await.unwrap();
    // It has just been spawned: whether it has run already must not matter.
    let answer = engine.send("c", "numbers", Datum::Int(1), None).await.unwrap();
    assert!(answer.changed);
    engine.send_json("c", "numbers", "2", None).await.unwrap();
    engine.send("c", "numbers", Datum::Int(-1), None).await.unwrap();
    let all = [1, 2, -1].map(Datum::Int).to_vec();
    assert_eq!(value(&engine, "c").await, Datum::List(all));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_t_be_sent_is_told_so() {
    let (hosts, _) = hosts();
    hosts.register("fetch", host::asynchronous(|_| std::future::pending()));
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("c", "collect", int(-1)).await.unwrap();
    let send = async |name: &str, queue: &str, value: Datum| {
        let error = engine.send(name, queue, value, None).await.unwrap_err();
        (error.kind(), error.context().to_owned())
    };
    assert_eq!(send("x", "numbers", Datum::Int(1)).await.0, Kind::NotFound);
    let (kind, text) = send("c", "number", Datum::Int(1)).await;
    assert_eq!(kind, Kind::UnknownQueue);
    assert_eq!(text, "`c` has no queue `number` now; did you mean `numbers`? (it has `numbers`)");
    let (kind, text) = send("c", "numbers", Datum::Str("one".into())).await;
    assert_eq!((kind, &*text), (Kind::BadArguments, "queue `numbers` of `c` takes int: expected int, found str"));
    let error = engine.send_json("c", "numbers", "[1", None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadArguments);
    engine.spawn("none", "fetched", vec![]).await.unwrap();
    let (kind, text) = send("none", "numbers", Datum::Int(1)).await;
    assert_eq!((kind, &*text), (Kind::UnknownQueue, "`none` has no queue `numbers` now (it has none with a name)"));
    // Full: it holds two, and is paused so that nobody takes them.
    engine.spawn("f", "collect", int(2)).await.unwrap();
    until("it waits", async || engine.show("f").await.unwrap().summary.status == Status::Waiting).await;
    engine.pause("f").await.unwrap();
    // The first goes to the task that waits.
    for n in 0..3 {
        engine.send("f", "numbers", Datum::Int(n), None).await.unwrap();
    }
    let (kind, text) = send("f", "numbers", Datum::Int(3)).await;
    assert_eq!((kind, &*text), (Kind::QueueFull, "queue `numbers` of `f` is full: it holds 2"));
    engine.resume("f").await.unwrap();
    until("it has taken them", async || engine.send("f", "numbers", Datum::Int(-1), None).await.is_ok()).await;
    assert_eq!(value(&engine, "f").await, Datum::List([0, 1, 2, -1].map(Datum::Int).to_vec()));
    let (kind, text) = send("f", "numbers", Datum::Int(1)).await;
    assert_eq!((kind, &*text), (Kind::Ended, "`f` has ended; nothing can be sent to it any more"));
    engine.cancel("c").await.unwrap();
    assert_eq!(send("c", "numbers", Datum::Int(1)).await.0, Kind::Ended);
    let id = "x".repeat(2_000);
    assert_eq!(engine.send("f", "numbers", Datum::Int(1), Some(&id)).await.unwrap_err().kind(), Kind::BadArguments);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_an_id_is_applied_once() {
    let directory = tempfile::tempdir().unwrap();
    let engine = start(embedded(directory.path()).await).await;
    engine.spawn("c", "collect", int(-1)).await.unwrap();
    for _ in 0..3 {
        engine.send("c", "numbers", Datum::Int(1), Some("first")).await.unwrap();
    }
    let both = tokio::join!(
        engine.send("c", "numbers", Datum::Int(2), Some("second")),
        engine.send("c", "numbers", Datum::Int(2), Some("second"))
    );
    assert_ne!(both.0.unwrap().changed, both.1.unwrap().changed);
    engine.shutdown().await;
    drop(engine);
    let engine = start(embedded(directory.path()).await).await;
    assert!(!engine.send("c", "numbers", Datum::Int(1), Some("first")).await.unwrap().changed);
    engine.send("c", "numbers", Datum::Int(-1), None).await.unwrap();
    assert_eq!(value(&engine, "c").await, Datum::List([1, 2, -1].map(Datum::Int).to_vec()));
    // Also when it has ended: what was applied was applied.
    assert!(!engine.send("c", "numbers", Datum::Int(1), Some("first")).await.unwrap().changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_of_after_survive_a_restart_and_wake_what_left_memory() {
    let directory = tempfile::tempdir().unwrap();
    let cool = || deepslate_engine::Options { warm_isolates: 0, ..options() };
    let engine = start_with(embedded(directory.path()).await, cool(), hosts().0).await;
    engine.spawn("soon", "patient", vec![Datum::Float(0.4)]).await.unwrap();
    engine.spawn("late", "patient", vec![Datum::Float(1e6)]).await.unwrap();
    until("they wait", async || engine.show("soon").await.unwrap().summary.status == Status::Waiting).await;
    engine.shutdown().await;
    drop(engine);
    let engine = start_with(embedded(directory.path()).await, cool(), hosts().0).await;
    assert_eq!(value(&engine, "soon").await, Datum::Str("nothing came".into()));
    engine.send("late", "numbers", Datum::Int(7), None).await.unwrap();
    assert_eq!(value(&engine, "late").await, Datum::Str("7".into()));
}

const DIRECTORY: &str = "DEEPSLATE_TEST_SENT";
const MESSAGES: i64 = 400;

/// The child: sends numbers, each under its own id, from the first that is not known to be acknowledged. Does nothing when it
/// is run as an ordinary test.
#[tokio::test(flavor = "multi_thread")]
async fn child_of_the_send_test() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let engine = start(embedded(&directory.join("store")).await).await;
    engine.spawn("c", "collect", int(-1)).await.unwrap();
    let known = acknowledged(&directory);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("acknowledged"));
    let mut file = file.unwrap();
    for n in (0..MESSAGES).filter(|n| !known.contains(n)) {
        engine.send("c", "numbers", Datum::Int(n), Some(&format!("message {n}"))).await.unwrap();
        file.write_all(format!("{n}\n").as_bytes()).unwrap();
    }
    engine.shutdown().await;
    std::fs::write(directory.join("finished"), "").unwrap();
}

fn acknowledged(directory: &Path) -> BTreeSet<i64> {
    let lines = std::fs::read_to_string(directory.join("acknowledged")).unwrap_or_default();
    // The last line may be cut by the kill: then its message is sent again.
    lines.split_inclusive('\n').filter(|l| l.ends_with('\n')).filter_map(|l| l.trim().parse().ok()).collect()
}

/// Killed between the commit of a message and its acknowledgement, or anywhere else: nothing that was acknowledged is lost, and
/// nothing is applied twice.
#[test]
fn through_kills_every_message_is_applied_once() {
    let directory = tempfile::tempdir().unwrap();
    through_kills("send::child_of_the_send_test", DIRECTORY, directory.path(), 700..950, 8);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = start(embedded(&directory.path().join("store")).await).await;
        engine.send("c", "numbers", Datum::Int(-1), None).await.unwrap();
        let Ending::Done(Datum::List(all)) = engine.result("c", LONG).await.unwrap().ending else { panic!("no list") };
        let wanted: Vec<Datum> = (0..MESSAGES).chain([-1]).map(Datum::Int).collect();
        assert_eq!(all, wanted);
    });
}

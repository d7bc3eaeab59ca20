//! Spawning, results, commands and looking, with nothing going wrong.

use std::time::Duration;

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::ir::trap::TrapKind;
use deepslate_engine::storage::Status;
use deepslate_engine::{Ending, Kind};

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_counts_on_memory() {
    let engine = start(memory()).await;
    let spawned = engine.spawn("c", "counter", int(1000)).await.unwrap();
    assert!(!spawned.exists);
    assert_eq!(value(&engine, "c").await, Datum::Int(1000));
    let finished = engine.result("c", None).await.unwrap();
    assert_eq!((finished.id, finished.flow.as_str()), (spawned.id, "counter"));
    assert_eq!(finished.json().as_deref(), Some("1000"));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_counts_on_embedded_and_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = embedded(directory.path()).await;
    let engine = start(store).await;
    engine.spawn("c", "counter", int(2_000)).await.unwrap();
    until("it has counted", async || engine.show("c").await.unwrap().summary.seq.0 > 50).await;
    engine.shutdown().await;
    drop(engine);
    let engine = start(embedded(directory.path()).await).await;
    let shown = engine.show("c").await.unwrap();
    assert!(shown.summary.seq.0 > 50);
    assert_eq!(value(&engine, "c").await, Datum::Int(2_000));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_functions_are_called() {
    let (hosts, seen) = hosts();
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("s", "steps", int(20)).await.unwrap();
    engine.spawn("d", "doubled", int(21)).await.unwrap();
    engine.spawn("e", "doubled", int(-1)).await.unwrap();
    assert_eq!(value(&engine, "s").await, Datum::Int(190));
    assert_eq!(value(&engine, "d").await, Datum::Int(42));
    let Ending::Failed(failure) = engine.result("e", LONG).await.unwrap().ending else { panic!("it fails") };
    assert_eq!((failure.kind, failure.message.as_str()), (TrapKind::Host, "double: negative"));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 20);
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_fails_the_isolate() {
    let engine = start(memory()).await;
    engine.spawn("d", "divide", vec![Datum::Int(1), Datum::Int(0)]).await.unwrap();
    let Ending::Failed(failure) = engine.result("d", LONG).await.unwrap().ending else { panic!("it fails") };
    assert_eq!(failure.kind, TrapKind::Division);
    assert_eq!(failure.trace[0].func, "divide");
    assert_eq!(engine.counts().await.unwrap().get(Status::Failed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spawn_is_idempotent_also_at_the_same_time() {
    let directory = tempfile::tempdir().unwrap();
    let engine = start(embedded(directory.path()).await).await;
    let spawns = (0..50).map(|n| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.spawn("same", "nap", vec![Datum::Float(f64::from(n % 3))]).await.unwrap() })
    });
    let mut first = 0;
    let mut ids = std::collections::HashSet::new();
    for spawn in spawns.collect::<Vec<_>>() {
        let spawned = spawn.await.unwrap();
        first += u32::from(!spawned.exists);
        ids.insert(spawned.id);
    }
    assert_eq!((first, ids.len()), (1, 1));
    value(&engine, "same").await;
    // Also when it has ended, and with other arguments.
    let again = engine.spawn("same", "counter", int(3)).await.unwrap();
    assert!(again.exists && ids.contains(&again.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_isolates_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (hosts, seen) = hosts();
    let engine = start_with(embedded(directory.path()).await, options(), hosts).await;
    let names: Vec<_> = (0..200).map(|n| format!("i{n}")).collect();
    for name in &names {
        engine.spawn(name, "steps", int(10)).await.unwrap();
    }
    for name in &names {
        assert_eq!(value(&engine, name).await, Datum::Int(45), "{name}");
    }
    assert_eq!(seen.lock().unwrap().len(), 2_000);
    assert_eq!(engine.counts().await.unwrap().get(Status::Done), 200);
    let numbers = engine.numbers();
    assert!(numbers.batches < numbers.commits, "commits travel together: {numbers:?}");
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_is_refused_with_a_reason() {
    let engine = start(memory()).await;
    let error = engine.spawn("a b", "counter", int(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadName);
    let error = engine.spawn("a", "countr", int(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownFlow);
    assert!(error.to_string().contains("did you mean `counter`?"), "{error}");
    let error = engine.spawn("a", "counter", vec![Datum::Str("x".into())]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadArguments);
    assert!(error.to_string().contains("counter(limit: int) -> int"), "{error}");
    let error = engine.spawn_json("a", "counter", &serde_json::json!({"limt": 3})).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `limit`?"), "{error}");
    for result in [engine.cancel("nobody").await, engine.pause("nobody").await, engine.delete("nobody").await] {
        assert_eq!(result.unwrap_err().kind(), Kind::NotFound);
    }
    assert_eq!(engine.result("nobody", LONG).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(engine.counts().await.unwrap().total(), 0);
    engine.spawn_json("ok", "counter", &serde_json::json!({"limit": 3})).await.unwrap();
    assert_eq!(value(&engine, "ok").await, Datum::Int(3));
    assert_eq!(engine.show("ok").await.unwrap().summary.args, "{\"limit\": 3}");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_with_a_default_may_be_left_out() {
    let engine = start(memory()).await;
    engine.spawn("short", "divide", vec![Datum::Int(9)]).await.unwrap();
    engine.spawn("whole", "divide", vec![Datum::Int(9), Datum::Int(3)]).await.unwrap();
    engine.spawn_json("named", "divide", &serde_json::json!({"a": 8})).await.unwrap();
    engine.spawn_json("listed", "divide", &serde_json::json!([6])).await.unwrap();
    for (name, wanted) in [("short", 4), ("whole", 3), ("named", 4), ("listed", 3)] {
        assert_eq!(value(&engine, name).await, Datum::Int(wanted), "{name}");
    }
    assert_eq!(engine.show("named").await.unwrap().summary.args, "{\"a\": 8, \"b\": 2}");
    let error = engine.spawn_json("none", "divide", &serde_json::json!({"b": 1})).await.unwrap_err();
    assert!(error.to_string().contains("argument `a` is missing; the flow is divide(a: int, b: int = 2)"), "{error}");
    let error = engine.spawn("many", "divide", vec![Datum::Int(1); 3]).await.unwrap_err();
    assert!(error.to_string().contains("3 arguments given, 2 wanted"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_waited_for_and_times_out() {
    let engine = start(memory()).await;
    engine.spawn("n", "nap", vec![Datum::Float(0.3)]).await.unwrap();
    let error = engine.result("n", Some(Duration::from_millis(20))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert_eq!(value(&engine, "n").await, Datum::Str("slept".into()));
    let events = engine.events("n", 0, 100).await.unwrap();
    let events: Vec<_> = events.iter().map(|(_, event)| (event.kind.name(), event.text.as_str())).collect();
    assert_eq!(events, [("spawned", ""), ("log", "slept"), ("ended", "done")]);
}

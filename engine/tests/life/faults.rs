//! Stores that lose answers, are full, lose the lease or hold damaged bytes: nothing acknowledged is lost, nothing is done
//! twice, and who is not concerned goes on.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::storage::backends::memory::Memory;
use deepslate_engine::storage::wrap::{Fault, Injection};
use deepslate_engine::storage::{self, Claim, Commit, IsolateId, Part, SessionId, Shard, Status, Store};
use deepslate_engine::{Kind, Options, host};

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_neither_lose_nor_repeat() {
    let lost = AtomicU64::new(0);
    let plan = move |call: storage::wrap::Call| match (call.operation, call.number % 3) {
        ("commit", 0) => {
            lost.fetch_add(1, Ordering::Relaxed);
            Injection::lost_reply()
        }
        ("commit", 1) if call.number.is_multiple_of(7) => Injection::unreachable(),
        _ => Injection::Pass,
    };
    let store = Arc::new(Fault::planned(memory(), plan));
    let (hosts, seen) = hosts();
    let engine = start_with(store, options(), hosts).await;
    let names: Vec<_> = (0..20).map(|n| format!("i{n}")).collect();
    for name in &names {
        assert!(!engine.spawn(name, "steps", int(20)).await.unwrap().exists);
    }
    for name in &names {
        assert_eq!(value(&engine, name).await, Datum::Int(190));
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 400);
    assert!(seen.values().all(|count| *count == 1), "a step was called twice: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_holds_everything_until_space_is_freed() {
    let full = Arc::new(AtomicBool::new(false));
    let is_full = full.clone();
    let plan = move |call: storage::wrap::Call| match call.operation {
        "commit" if is_full.load(Ordering::SeqCst) => Injection::full(),
        _ => Injection::Pass,
    };
    let engine = start(Arc::new(Fault::planned(memory(), plan))).await;
    for n in 0..10 {
        engine.spawn(&format!("c{n}"), "counter", int(300)).await.unwrap();
    }
    full.store(true, Ordering::SeqCst);
    until("it says that it can't work", async || engine.not_ready().is_some_and(|why| why.contains("no space"))).await;
    let late = engine.clone();
    let late = tokio::spawn(async move { late.spawn("late", "counter", int(3)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!late.is_finished(), "a spawn was acknowledged that is not durable");
    full.store(false, Ordering::SeqCst);
    assert!(!late.await.unwrap().unwrap().exists);
    for n in 0..10 {
        assert_eq!(value(&engine, &format!("c{n}")).await, Datum::Int(300));
    }
    assert_eq!(value(&engine, "late").await, Datum::Int(3));
    until("it says that it works", async || engine.not_ready().is_none()).await;
}

/// A store whose clock is turned by hand.
fn by_hand() -> (Arc<Memory>, Arc<AtomicI64>) {
    let now_ms = Arc::new(AtomicI64::new(1_700_000_000_000));
    let clock = now_ms.clone();
    (Arc::new(Memory::with(4, Arc::new(move || clock.load(Ordering::SeqCst))).unwrap()), now_ms)
}

/// Takes all shards for another node, as one does that sees the lease run out.
async fn steal(store: &Memory, now_ms: &AtomicI64) -> SessionId {
    let thief = SessionId { node_id: 99, life: 7 };
    now_ms.fetch_add(3_600_000, Ordering::SeqCst);
    store.open_session(thief, "", 1_000_000).await.unwrap();
    for shard in 0..4 {
        assert!(matches!(store.claim(thief, Shard(shard)).await.unwrap(), Claim::Granted(_)));
    }
    thief
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_lease_writes_nothing_and_takes_up_again_later() {
    let (store, now_ms) = by_hand();
    let (hosts, seen) = hosts();
    // The lease is renewed rarely, so that the loss is met by a commit.
    let rarely = Options { lease: Duration::from_secs(2), ..options() };
    let engine = start_with(store.clone(), rarely, hosts).await;
    engine.spawn("c", "counter", int(200_000)).await.unwrap();
    engine.spawn("s", "nap", vec![Datum::Float(1e9)]).await.unwrap();
    let id = engine.show("c").await.unwrap().summary.id;
    let thief = steal(&store, &now_ms).await;
    let at_theft = store.head(id).await.unwrap().unwrap();
    let pending = engine.clone();
    let pending = tokio::spawn(async move { pending.result("c", LONG).await });
    let late = engine.clone();
    let late = tokio::spawn(async move { late.spawn("late", "steps", int(3)).await });
    until("it has noticed", async || engine.not_ready().is_some()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Not one write of it since.
    assert_eq!(store.head(id).await.unwrap().unwrap(), at_theft);
    assert!(store.head_by_name("default", "late").await.unwrap().is_none());
    assert!(!late.is_finished() && !pending.is_finished());
    assert!(seen.lock().unwrap().is_empty());
    // The spawn that looks again and again is in memory for a moment each time.
    until("nothing is in memory", async || engine.numbers().resident == 0).await;
    // The other one lets go; this one goes on, and the callers never saw it.
    store.close_session(thief).await.unwrap();
    assert!(!late.await.unwrap().unwrap().exists);
    assert_eq!(value(&engine, "late").await, Datum::Int(3));
    assert!(engine.cancel("c").await.unwrap().changed);
    assert_eq!(pending.await.unwrap().unwrap().ending, deepslate_engine::Ending::Cancelled);
    assert!(store.head(id).await.unwrap().unwrap().epoch > at_theft.epoch);
    assert_eq!(engine.show("s").await.unwrap().summary.status, Status::Sleeping);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sleeps_is_woken_in_time_though_the_lease_was_lost_and_won_meanwhile() {
    let store = memory();
    let engine = start(store.clone()).await;
    engine.spawn("s", "nap", vec![Datum::Float(1.5)]).await.unwrap();
    let status = async || engine.show("s").await.unwrap().summary.status;
    until("it sleeps", async || status().await == Status::Sleeping).await;
    // As a store does whose server was replaced by another one.
    let session = store.sessions().await.unwrap()[0].id;
    store.close_session(session).await.unwrap();
    // The timers of all shards are read every 30 s; a shard that is claimed does not wait for that.
    let slept = tokio::time::timeout(Duration::from_secs(15), value(&engine, "s")).await;
    assert_eq!(slept.expect("not so late"), Datum::Str("slept".into()));
    assert_ne!(store.sessions().await.unwrap()[0].id, session);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_alive_elsewhere_is_not_started_twice() {
    let store = memory();
    let engine = start(store.clone()).await;
    let second = deepslate_engine::Engine::builder(store.clone()).options(options()).start().await;
    assert_eq!(second.unwrap_err().kind(), Kind::Held);
    engine.spawn("c", "counter", int(10)).await.unwrap();
    assert_eq!(value(&engine, "c").await, Datum::Int(10));
    // One that died is waited for: its lease runs out.
    drop(engine);
    let engine = start(store).await;
    assert_eq!(engine.result("c", LONG).await.unwrap().json().as_deref(), Some("10"));
}

/// Writes over a stored isolate, as damage would, under a session of its own.
async fn tamper(store: &dyn Store, id: IsolateId, change: impl Fn(&mut Commit, Vec<Part>)) {
    let session = SessionId { node_id: 50, life: 1 };
    store.open_session(session, "", 60_000).await.unwrap();
    let snapshot = store.snapshot(id).await.unwrap().unwrap();
    let Claim::Granted(epoch) = store.claim(session, snapshot.head.shard).await.unwrap() else { panic!("free") };
    let expected = snapshot.head.seq;
    let mut head = snapshot.head;
    head.epoch = epoch;
    head.seq = head.seq.next();
    let mut commit =
        Commit { expected, head, drop_parts_from: None, put_part: None, events: Vec::new(), keep_events: 1_000 };
    change(&mut commit, snapshot.parts);
    let outcomes = store.commit(vec![commit]).await.unwrap();
    assert!(outcomes[0].is_durable(), "{outcomes:?}");
    store.close_session(session).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_isolate_parks_alone_and_its_bytes_stay() {
    let store = memory();
    let engine = start(store.clone()).await;
    let mut ids = Vec::new();
    for name in ["part", "state", "program"] {
        ids.push(engine.spawn(name, "nap", vec![Datum::Float(0.8)]).await.unwrap().id);
    }
    for n in 0..10 {
        engine.spawn(&format!("good{n}"), "nap", vec![Datum::Float(0.8)]).await.unwrap();
    }
    engine.shutdown().await;
    drop(engine);
    tamper(&*store, ids[0], |commit, parts| {
        let mut bytes = parts[0].bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        commit.put_part = Some(Part { number: parts[0].number, bytes: bytes.into() });
    })
    .await;
    tamper(&*store, ids[1], |commit, _| commit.head.state = Bytes::from_static(b"\x01\xff\xff")).await;
    tamper(&*store, ids[2], |commit, _| commit.head.program = storage::ProgramHash([7; 32])).await;
    let parts = store.snapshot(ids[0]).await.unwrap().unwrap().parts;

    let engine = start(store.clone()).await;
    for n in 0..10 {
        assert_eq!(value(&engine, &format!("good{n}")).await, Datum::Str("slept".into()));
    }
    let parked = async |name: &str| {
        let summary = engine.show(name).await.unwrap().summary;
        (summary.status == Status::Parked).then_some(summary.parked).flatten()
    };
    for (name, why) in [("part", "part"), ("state", "record"), ("program", "is not in the store")] {
        until("it is parked", async || parked(name).await.is_some()).await;
        let reason = parked(name).await.unwrap();
        assert!(reason.contains(why), "{name}: {reason}");
    }
    assert_eq!(store.snapshot(ids[0]).await.unwrap().unwrap().parts, parts, "the damaged bytes stay as they are");
    let error = engine.resume("part").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    // They can be removed, or ended.
    engine.delete("part").await.unwrap();
    engine.cancel("state").await.unwrap();
    assert_eq!(engine.result("state", LONG).await.unwrap().ending, deepslate_engine::Ending::Cancelled);
    assert_eq!(engine.show("part").await.unwrap_err().kind(), Kind::NotFound);
    assert!(engine.not_ready().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolate_without_its_host_function_parks_until_it_is_back() {
    let store = memory();
    let (hosts, seen) = hosts();
    hosts.register("append", host::asynchronous(|_| std::future::pending()));
    let engine = start_with(store.clone(), options(), hosts).await;
    engine.spawn("s", "steps", int(2)).await.unwrap();
    until("it waits", async || engine.numbers().host_calls == 1).await;
    drop(engine);

    let none = deepslate_engine::HostFns::new();
    let engine = start_with(store.clone(), options(), none).await;
    until("it is parked", async || engine.show("s").await.unwrap().summary.status == Status::Parked).await;
    let reason = engine.show("s").await.unwrap().summary.parked.unwrap();
    assert!(reason.contains("`append`"), "{reason}");
    assert_eq!(engine.spawn("t", "steps", int(2)).await.unwrap_err().kind(), Kind::MissingHost);
    engine.spawn("c", "counter", int(2)).await.unwrap();
    assert_eq!(value(&engine, "c").await, Datum::Int(2));
    drop(engine);

    let (whole, again) = crate::world::hosts();
    let engine = start_with(store, options(), whole).await;
    assert_eq!(value(&engine, "s").await, Datum::Int(1));
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(again.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_has_the_same_key_and_a_higher_attempt() {
    let store = memory();
    let keys: Arc<Mutex<Vec<(String, u32)>>> = Arc::default();
    for life in 1..=3 {
        let (hosts, _) = hosts();
        let keys = keys.clone();
        let append = move |call: deepslate_engine::HostCall| {
            let keys = keys.clone();
            async move {
                keys.lock().unwrap().push((call.context.idempotency_key().unwrap(), call.context.attempt));
                if life < 3 {
                    std::future::pending::<()>().await;
                }
                Ok(Datum::Int(5))
            }
        };
        hosts.register("append", host::asynchronous(append));
        let engine = start_with(store.clone(), options(), hosts).await;
        engine.spawn("s", "steps", int(1)).await.unwrap();
        if life == 3 {
            assert_eq!(value(&engine, "s").await, Datum::Int(5));
        } else {
            until("it is called", async || engine.numbers().host_calls == 1).await;
            // The call itself is on its way to the runtime.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(engine);
    }
    let keys = keys.lock().unwrap();
    let attempts: Vec<_> = keys.iter().map(|(_, attempt)| *attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    assert!(keys.iter().all(|(key, _)| *key == keys[0].0 && key.ends_with("/0")), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_function_that_panics_fails_its_isolate_only() {
    let (hosts, _) = hosts();
    hosts.register("append", host::asynchronous(|_| async { panic!("on purpose") }));
    hosts.register("double", host::blocking(|_| panic!("on purpose")));
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("a", "steps", int(1)).await.unwrap();
    engine.spawn("d", "doubled", int(1)).await.unwrap();
    engine.spawn("c", "counter", int(50)).await.unwrap();
    for name in ["a", "d"] {
        let ending = engine.result(name, LONG).await.unwrap().ending;
        let deepslate_engine::Ending::Failed(failure) = ending else { panic!("{name} fails: {ending:?}") };
        assert!(failure.message.contains("panicked"), "{failure}");
    }
    assert_eq!(value(&engine, "c").await, Datum::Int(50));
}

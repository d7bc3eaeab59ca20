//! What a spawn and a wait tell: whose a name is, what is too large, and what waiting alone won't cure.

use std::time::Duration;

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::regvm::Limits;
use deepslate_engine::{Differs, HostFns, Kind, Observer, Options, host};

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_name_says_whose_it_is() {
    let engine = start(memory()).await;
    let first = engine.spawn("n", "nap", vec![Datum::Float(1e6)]).await.unwrap();
    assert_eq!((first.exists, first.flow.as_str(), first.differs), (false, "nap", Differs::Nothing));
    assert_eq!(first.note("n"), None);
    // An int where a float is declared is the same argument.
    let same = engine.spawn("n", "nap", vec![Datum::Int(1_000_000)]).await.unwrap();
    assert_eq!((same.exists, same.id, same.differs, same.note("n")), (true, first.id, Differs::Nothing, None));
    let other = engine.spawn("n", "nap", vec![Datum::Float(0.5)]).await.unwrap();
    assert_eq!((other.exists, other.id, other.differs), (true, first.id, Differs::Arguments));
    let note = other.note("n").unwrap();
    assert!(note.contains("{\"seconds\": 1e+06}") || note.contains("{\"seconds\": 1000000.0}"), "{note}");
    for ended in [false, true] {
        let other = engine.spawn("n", "counter", int(3)).await.unwrap();
        assert_eq!(
            (other.exists, other.id, other.differs, other.flow.as_str()),
            (true, first.id, Differs::Flow, "nap")
        );
        assert!(other.note("n").unwrap().contains("`nap`"), "{:?}", other.note("n"));
        if !ended {
            engine.cancel("n").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_over_the_limit_is_refused_before_anything_is_kept() {
    let (hosts, _) = hosts();
    let grown = |call: deepslate_engine::HostCall| async move {
        let _ = call;
        Ok(Datum::Str("x".repeat(5_000)))
    };
    hosts.register("fetch", host::asynchronous(grown));
    let small = Options { isolate: Limits { message_bytes: 4_096, ..Limits::default() }, ..options() };
    let engine = start_with(memory(), small, hosts).await;
    let text = |length: usize| vec![Datum::Str("x".repeat(length))];
    let error = engine.spawn("t", "told", text(4_081)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadArguments);
    for part in ["`text` has 4097 bytes", "the 4096 that `message_bytes` of [limits]", "told(text: str)"] {
        assert!(error.context().contains(part), "{part}: {error}");
    }
    let named = format!("{{\"text\": \"{}\"}}", "x".repeat(5_000));
    let error = engine.spawn_json("t", "told", &serde_json::from_str(&named).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadArguments);
    assert_eq!(engine.show("t").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(engine.counts().await.unwrap().total(), 0);
    assert!(!engine.spawn("t", "told", text(4_080)).await.unwrap().exists);
    assert_eq!(value(&engine, "t").await, Datum::Int(4_080));
    // What a host function returns crosses the same border.
    engine.spawn("f", "fetched", vec![]).await.unwrap();
    let failed = engine.result("f", LONG).await.unwrap().ending;
    assert!(format!("{failed:?}").contains("fetch returned 5016 bytes, more than the limit of 4096"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_parked_or_paused_one_is_told_so() {
    let store = memory();
    let (hosts, _) = hosts();
    hosts.register("fetch", host::asynchronous(|_| std::future::pending()));
    let hasty = Options { drain: Duration::from_millis(50), ..options() };
    let engine = start_with(store.clone(), hasty, hosts).await;
    engine.spawn("f", "fetched", vec![]).await.unwrap();
    engine.spawn("n", "nap", vec![Datum::Float(1e6)]).await.unwrap();
    engine.pause("n").await.unwrap();
    engine.shutdown().await;
    drop(engine);
    let engine = start_with(store.clone(), options(), HostFns::new()).await;
    let soon = Some(Duration::from_millis(20));
    until("it is parked", async || engine.show("f").await.unwrap().summary.parked.is_some()).await;
    let error = engine.result("f", soon).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    for part in ["it is parked and can't go on: host function `fetch` is not registered here", "resume", "cancel"] {
        assert!(error.context().contains(part), "{part}: {error}");
    }
    let error = engine.result("n", soon).await.unwrap_err().to_string();
    assert!(error.contains("it is paused by an operator: resume it"), "{error}");
    engine.resume("n").await.unwrap();
    let error = engine.result("n", soon).await.unwrap_err().to_string();
    assert!(error.ends_with("it goes on"), "{error}");
    let observer = Observer::new(store, &options());
    let error = observer.result("f").await.unwrap_err().to_string();
    assert!(error.contains("it is parked and can't go on: host function `fetch`"), "{error}");
    let shown = engine.show("n").await.unwrap();
    let vitals = shown.vitals.unwrap();
    assert_eq!(vitals.step, 1);
    assert!(vitals.stored_bytes > 0, "{vitals:?}");
}

//! Host functions that fail, take too long, or are called by many at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::ir::filetest::RunFile;
use deepslate_engine::ir::image::Image;
use deepslate_engine::{CallOptions, Ending, Engine, EventKind, HostCall, HostError, HostFns, host};

use crate::world::*;

/// Attempt and idempotency key of each call.
type Calls = Arc<Mutex<Vec<(u32, String)>>>;

/// Host functions of which `append` fails so often before it succeeds.
fn failing(times: usize, options: CallOptions) -> (HostFns, Calls) {
    let (hosts, _) = hosts();
    let calls = Calls::default();
    let seen = Arc::clone(&calls);
    let append = move |call: HostCall| {
        let mut seen = seen.lock().unwrap();
        seen.push((call.context.attempt, call.context.idempotency_key().expect("an impure call has one")));
        let fails = seen.len() <= times;
        async move {
            if fails {
                let types = vec!["net.Reset".into(), "OSError".into()];
                return Err(HostError { type_name: "Reset".into(), types, ..HostError::new("the line is gone") });
            }
            Ok(call.args[0].clone())
        }
    };
    hosts.register("append", host::asynchronous(append));
    hosts.configure("append", options).expect("they make sense");
    (hosts, calls)
}

fn quick(retries: u32) -> CallOptions {
    CallOptions { retries, backoff: Duration::from_millis(5), ..CallOptions::default() }
}

async fn failure(engine: &Engine, name: &str) -> String {
    match engine.result(name, LONG).await.unwrap().ending {
        Ending::Failed(failure) => failure.message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_is_made_again_with_the_same_key() {
    let (hosts, calls) = failing(2, quick(3));
    let engine = start_with(memory(), options(), hosts).await;
    let id = engine.spawn("s", "steps", int(2)).await.unwrap().id;
    value(&engine, "s").await;
    let wanted = [(1, 0), (2, 0), (3, 0), (1, 1)].map(|(attempt, step)| (attempt, format!("{id}/{step}")));
    assert_eq!(*calls.lock().unwrap(), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_come_to_an_end() {
    let (hosts, calls) = failing(usize::MAX, quick(2));
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("s", "steps", int(1)).await.unwrap();
    assert_eq!(failure(&engine, "s").await, "append: Reset: the line is gone (attempt 3)");
    assert_eq!(calls.lock().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_errors_are_worth_another_try() {
    let other = CallOptions { retry_on: vec!["ValueError".into()], ..quick(5) };
    let (hosts, calls) = failing(usize::MAX, other);
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("s", "steps", int(1)).await.unwrap();
    assert_eq!(failure(&engine, "s").await, "append: Reset: the line is gone");
    assert_eq!(calls.lock().unwrap().len(), 1);
    // A more general type counts, too.
    let general = CallOptions { retry_on: vec!["OSError".into()], ..quick(5) };
    let (hosts, calls) = failing(1, general);
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("s", "steps", int(1)).await.unwrap();
    value(&engine, "s").await;
    assert_eq!(calls.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_has_failed() {
    let (hosts, _) = hosts();
    hosts.register("append", host::asynchronous(|_| std::future::pending()));
    let timeout = Some(Duration::from_millis(50));
    hosts.configure("append", CallOptions { timeout, ..quick(1) }).expect("they make sense");
    let engine = start_with(memory(), options(), hosts).await;
    engine.spawn("s", "steps", int(1)).await.unwrap();
    assert_eq!(failure(&engine, "s").await, "append: no answer within 50ms (attempt 2)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_called_by_so_many_at_a_time_and_holds_up_no_other() {
    let (hosts, _) = hosts();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let append = move |call: HostCall| {
        let (inside, peak) = (Arc::clone(&inside), Arc::clone(&peak));
        async move {
            peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok(call.args[0].clone())
        }
    };
    hosts.register("append", host::asynchronous(append));
    let three = CallOptions { concurrency: Some(3), ..CallOptions::default() };
    hosts.configure("append", three).expect("they make sense");
    // Fewer places for all calls together than isolates that wait for this function.
    let few = deepslate_engine::Options { host_calls: 4, ..options() };
    let engine = start_with(memory(), few, hosts).await;
    for n in 0..12 {
        engine.spawn(&format!("s{n}"), "steps", int(2)).await.unwrap();
    }
    engine.spawn("other", "fetched", vec![]).await.unwrap();
    let finished = engine.result("other", LONG).await.unwrap();
    assert!(matches!(finished.ending, Ending::Done(_) | Ending::Failed(_)));
    for n in 0..12 {
        assert_eq!(value(&engine, &format!("s{n}")).await, Datum::Int(1));
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

/// A pause of more than a second is committed: the next life waits for what is left of it, and goes on counting.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_pause_survives_a_kill() {
    let store = memory();
    let slow = CallOptions { retries: 5, backoff: Duration::from_secs(4), ..CallOptions::default() };
    let (hosts, first) = failing(usize::MAX, slow.clone());
    let engine = start_with(Arc::clone(&store), options(), hosts).await;
    let id = engine.spawn("s", "steps", int(1)).await.unwrap().id;
    let retried = async || {
        let events = engine.events("s", 0, 100).await.unwrap();
        events.into_iter().find(|(_, event)| event.kind == EventKind::Retried).map(|(_, event)| event.text)
    };
    until("it is to be made again", async || retried().await.is_some()).await;
    assert_eq!(retried().await.unwrap(), "append, after attempt 1: Reset: the line is gone");
    // All at once, as a kill: nothing is brought to an end.
    drop(engine);
    let (hosts, second) = failing(0, slow);
    let began = std::time::Instant::now();
    let engine = start_with(Arc::clone(&store), options(), hosts).await;
    value(&engine, "s").await;
    assert!(began.elapsed() > Duration::from_millis(500), "the pause is 2 to 4 seconds");
    assert_eq!(*first.lock().unwrap(), [(1, format!("{id}/0"))]);
    assert_eq!(*second.lock().unwrap(), [(2, format!("{id}/0"))]);
}

const DECLARED: &str = "deepslate-ir 1

class 0 DSError frozen {kind: str, message: str, status: int, body: bytes, type: str, traceback: str}

host 0 impure ask(n: int) -> int | DSError

flow asks(n: int) -> int | DSError {
block0(v0: int):
  v1: int | DSError = call_impure ask(v0)
  return v1
}
";

/// The value of `asks` with a function and its options, and how often it was called.
async fn asked(
    options_of_it: CallOptions,
    answer: impl Fn(u32) -> Result<Datum, HostError> + Send + Sync + 'static,
) -> (Datum, usize) {
    log();
    let image = Image::of(RunFile::read(DECLARED).expect("it can be read").module).expect("it is a program");
    let (hosts, calls) = (HostFns::new(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&calls);
    let ask = move |call: HostCall| {
        count.fetch_add(1, Ordering::SeqCst);
        let answered = answer(call.context.attempt);
        async move {
            if answered == Ok(Datum::None) {
                std::future::pending::<()>().await;
            }
            answered
        }
    };
    hosts.register("ask", host::asynchronous(ask));
    hosts.configure("ask", options_of_it).expect("they make sense");
    let builder = Engine::builder(memory()).options(options()).hosts(hosts).deploy(image);
    let engine = builder.start().await.expect("it starts");
    engine.spawn("a", "asks", int(1)).await.unwrap();
    let value = value(&engine, "a").await;
    engine.shutdown().await;
    let Datum::Member(_, value) = value else { panic!("{value:?} is of no union") };
    (*value, calls.load(Ordering::SeqCst))
}

fn error(kind: &str, message: &str, type_name: &str) -> Datum {
    let text = |text: &str| Datum::Str(text.into());
    Datum::Object(vec![text(kind), text(message), Datum::Int(0), Datum::Bytes(Vec::new()), text(type_name), text("")])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_at_the_end_is_a_value_where_that_is_declared() {
    let fails = |_| Err(HostError { type_name: "Reset".into(), ..HostError::new("gone") });
    assert_eq!(asked(quick(2), fails).await, (error("exception", "gone (attempt 3)", "Reset"), 3));
    let timeout = Some(Duration::from_millis(30));
    let late = asked(CallOptions { timeout, ..quick(1) }, |_| Ok(Datum::None)).await;
    assert_eq!(late, (error("timeout", "no answer within 30ms (attempt 2)", ""), 2));
    let once =
        asked(CallOptions { timeout, retry_on: vec!["exception".into()], ..quick(9) }, |_| Ok(Datum::None)).await;
    assert_eq!(once, (error("timeout", "no answer within 30ms", ""), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_it_returns_is_a_value_unless_its_kind_is_named() {
    let busy = |attempt: u32| {
        let of_union = |index, value| Ok(Datum::Member(index, Box::new(value)));
        if attempt < 3 { of_union(1, error("network", "busy", "")) } else { of_union(0, Datum::Int(7)) }
    };
    assert_eq!(asked(quick(5), busy).await, (error("network", "busy", ""), 1));
    let named = |kind: &str| CallOptions { retry_on: vec![kind.to_owned()], ..quick(5) };
    assert_eq!(asked(named("network"), busy).await, (Datum::Int(7), 3));
    assert_eq!(asked(named("status"), busy).await, (error("network", "busy", ""), 1));
}

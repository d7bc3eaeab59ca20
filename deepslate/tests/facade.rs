//! The facade as a Rust user meets it: flows as text, closures as host functions, own types in and out, over a restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deepslate::engine::Kind;
use deepslate::{CallContext, CallOptions, Engine, Error};
use serde::{Deserialize, Serialize};

const FLOWS: &str = r#"
from dataclasses import dataclass
from deepslate import flow, impure, pure, sleep


@dataclass
class Item:
    name: str
    cents: int


@impure
def charge(item: Item, key: str) -> int: ...


@pure
def label(item: Item) -> str: ...


@flow
async def order(items: list[Item], pause: float) -> dict[str, int]:
    paid: dict[str, int] = {}
    for item in items:
        paid[label(item)] = charge(item, "k")
        sleep(pause)
    return paid


@flow
async def divide(a: int, b: int) -> int:
    return a // b
"#;

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Item {
    name: String,
    cents: i64,
}

#[derive(Serialize)]
struct Args {
    pause: f64,
    items: Vec<Item>,
}

fn args(pause: f64) -> Args {
    let item = |name: &str, cents| Item { name: name.into(), cents };
    Args { pause, items: vec![item("apple", 250), item("pear", 300)] }
}

async fn engine(directory: &std::path::Path, charged: &Arc<AtomicU32>) -> Engine {
    let charged = Arc::clone(charged);
    Engine::builder()
        .embedded(directory)
        .flows_from_source("order.py", FLOWS)
        .host_fn_in_context("charge", move |context: CallContext, item: Item, _key: String| {
            let charged = Arc::clone(&charged);
            async move {
                charged.fetch_add(1, Ordering::SeqCst);
                match context.idempotency_key() {
                    Some(_) if item.cents >= 0 => Ok(item.cents),
                    _ => Err(std::io::Error::other("negative")),
                }
            }
        })
        .host_fn("label", |item: Item| async move { Ok::<_, String>(format!("{}!", item.name)) })
        .start()
        .await
        .expect("it starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn own_types_go_in_and_come_out_also_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let charged = Arc::new(AtomicU32::new(0));
    let first = engine(directory.path(), &charged).await;
    let spawned = first.spawn("o1", "order", args(0.3)).await.unwrap();
    assert!(!spawned.exists);
    let timeout = first.result_within::<()>("o1", Duration::from_millis(10)).await.unwrap_err();
    assert!(matches!(timeout, Error::Engine(error) if error.kind() == Kind::Timeout));
    first.shutdown().await;
    drop(first);

    let second = engine(directory.path(), &charged).await;
    assert!(second.spawn("o1", "order", args(0.3)).await.unwrap().exists);
    let paid: BTreeMap<String, i64> = second.result("o1").await.unwrap();
    assert_eq!(paid, BTreeMap::from([("apple!".to_owned(), 250), ("pear!".to_owned(), 300)]));
    assert_eq!(charged.load(Ordering::SeqCst), 2);
    let wrong = second.result::<i64>("o1").await.unwrap_err();
    assert!(matches!(&wrong, Error::Value(_)), "{wrong}");
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path(), &Arc::default()).await;
    engine.spawn("d", "divide", (1, 0)).await.unwrap();
    let failed = engine.result::<i64>("d").await.unwrap_err();
    let Error::Failed(failure) = &failed else { panic!("it fails: {failed}") };
    assert_eq!((failure.trace[0].file.as_str(), failure.trace[0].func.as_str()), ("order.py", "divide"));
    let wrong = engine.spawn("e", "divide", ("x", 0)).await.unwrap_err();
    assert!(wrong.to_string().contains("argument `a`: expected int, found str"), "{wrong}");
    let unknown = engine.spawn("e", "devide", (1, 0)).await.unwrap_err();
    assert!(matches!(&unknown, Error::Engine(error) if error.kind() == Kind::UnknownFlow), "{unknown}");
    let mut bad = args(0.0);
    bad.items[0].cents = -1;
    engine.spawn("n", "order", bad).await.unwrap();
    let failed = engine.result::<()>("n").await.unwrap_err();
    assert!(failed.to_string().contains("negative"), "{failed}");
    engine.spawn("c", "order", args(1e6)).await.unwrap();
    engine.cancel("c").await.unwrap();
    assert!(matches!(engine.result::<()>("c").await, Err(Error::Cancelled)));
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_that_do_not_compile_are_refused_with_all_that_is_wrong() {
    let source = "from deepslate import flow\n\n@flow\nasync def f(a: int) -> int:\n    b: str = a\n    return c\n";
    let error = Engine::builder().memory().flows_from_source("f.py", source).start().await.unwrap_err();
    let Error::Flows(diagnostics) = &error else { panic!("{error}") };
    assert!(diagnostics.contains("f.py:5") && diagnostics.contains("f.py:6"), "{diagnostics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_function_is_called_by_its_options() {
    const FLOW: &str = "from deepslate import flow, impure

@impure
def charge(cents: int) -> int: ...

@flow
async def pay(cents: int) -> int:
    return charge(cents)
";
    let attempts = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&attempts);
    let charge = move |context: CallContext, cents: i64| {
        seen.fetch_add(1, Ordering::SeqCst);
        async move { if context.attempt < 3 { Err(std::io::Error::other("busy")) } else { Ok(cents) } }
    };
    let retried = CallOptions {
        retries: 4,
        backoff: Duration::from_millis(5),
        retry_on: vec![std::any::type_name::<std::io::Error>().to_owned()],
        ..CallOptions::default()
    };
    let builder = || Engine::builder().memory().flows_from_source("pay.py", FLOW);
    let engine = builder().host_fn_in_context("charge", charge).host_options("charge", retried).start().await.unwrap();
    engine.spawn("p", "pay", (5,)).await.unwrap();
    assert_eq!(engine.result::<i64>("p").await.unwrap(), 5);
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    engine.shutdown().await;

    let nonsense = CallOptions { concurrency: Some(0), ..CallOptions::default() };
    let error = builder().host_options("charge", nonsense).start().await.unwrap_err().to_string();
    assert!(error.contains("host function `charge`: concurrency: "), "{error}");
}

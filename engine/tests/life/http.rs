//! Flows that listen: acknowledged means durable, delivered once, refused with the reason, and nobody waits for the slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::ir::filetest::RunFile;
use deepslate_engine::ir::image::Image;
use deepslate_engine::storage::wrap::{Fault, Injection};
use deepslate_engine::storage::{Status, Store};
use deepslate_engine::{Ending, Engine, HttpOptions, Options};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::web::{Answer, answer, ask};
use crate::world::{LONG, embedded, int, memory, options, until};

/// The program of `http.ir`.
pub fn program() -> Image {
    let text = include_str!("http.ir").replace("ANSWER", "bytes | DSError");
    Image::of(RunFile::read(&text).expect("http.ir can be read").module).expect("http.ir is a program")
}

fn listening() -> HttpOptions {
    HttpOptions { address: Some("127.0.0.1:0".into()), ..HttpOptions::default() }
}

pub async fn start_with(store: Arc<dyn Store>, options: Options) -> Engine {
    crate::world::log();
    Engine::builder(store).options(options).deploy(program()).start().await.expect("the engine starts")
}

async fn start(store: Arc<dyn Store>) -> (Engine, SocketAddr) {
    let engine = start_with(store, Options { http: listening(), ..options() }).await;
    let address = engine.http_address().expect("it listens");
    (engine, address)
}

pub fn text(text: &str) -> Datum {
    Datum::Str(text.into())
}

/// What an HTTP call gave: a body, or kind, message, status and body of a DSError.
pub fn got(value: &Datum) -> Result<String, (String, String, i64, String)> {
    let utf8 = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    match value.unwrapped() {
        Datum::Bytes(body) => Ok(utf8(body)),
        Datum::Object(fields) => match &fields[..] {
            [Datum::Str(kind), Datum::Str(message), Datum::Int(status), Datum::Bytes(body), ..] => {
                Err((kind.clone(), message.clone(), *status, utf8(body)))
            }
            _ => panic!("no DSError: {fields:?}"),
        },
        other => panic!("neither bytes nor DSError: {other:?}"),
    }
}

/// How an isolate ended.
pub async fn ending(engine: &Engine, name: &str) -> Ending {
    engine.result(name, LONG).await.expect("it ends").ending
}

pub async fn result(engine: &Engine, name: &str) -> Result<String, (String, String, i64, String)> {
    match ending(engine, name).await {
        Ending::Done(value) => got(&value),
        other => panic!("{name} ended otherwise: {other:?}"),
    }
}

async fn results(engine: &Engine, name: &str) -> Vec<String> {
    match ending(engine, name).await {
        Ending::Done(Datum::List(values)) => values.iter().map(|value| got(value).unwrap()).collect(),
        other => panic!("{name} ended otherwise: {other:?}"),
    }
}

async fn waits(engine: &Engine, name: &str) {
    let is_waiting = async || engine.show(name).await.is_ok_and(|shown| shown.summary.status == Status::Waiting);
    until("it waits", is_waiting).await;
}

async fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    ask(address, "POST", path, "", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_acknowledged_and_delivered() {
    let (engine, address) = start(memory()).await;
    let id = engine.spawn("order-7", "hear", vec![]).await.unwrap().id;
    let answer = post(address, "/order-7/numbers?a=b", "[1, 2]").await;
    assert_eq!((answer.status, answer.header("content-type")), (202, Some("application/json")), "{answer:?}");
    assert_eq!(answer.body, format!("{{\"name\":\"order-7\",\"id\":\"{id}\"}}"));
    assert_eq!(result(&engine, "order-7").await, Ok("[1, 2]".into()));
    let answer = post(address, "/order-7/numbers", "[3]").await;
    assert_eq!(answer.status, 404, "{answer:?}");
    assert!(answer.body.contains("`order-7` has ended"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said() {
    let (engine, address) = start(memory()).await;
    engine.spawn("a", "hear", vec![]).await.unwrap();
    let answer = post(address, "/b/numbers", "").await;
    assert_eq!((answer.status, answer.body.contains("no isolate listens on /b/numbers")), (404, true), "{answer:?}");
    let answer = post(address, "/a/letters", "").await;
    assert_eq!((answer.status, answer.body.contains("`a` does not listen on /letters")), (404, true), "{answer:?}");
    for path in ["/a/numbers", "/numbers"] {
        let answer = ask(address, "GET", path, "", "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{answer:?}");
    }
    let answer = post(address, "/a/%ff", "").await;
    assert_eq!((answer.status, answer.body.contains("bad_request")), (400, true), "{answer:?}");
    assert_eq!(post(address, "/%61/num%62ers", "x").await.status, 202);
    assert_eq!(result(&engine, "a").await, Ok("x".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_literal_route_is_open_from_the_spawn_and_requests_wait_in_order() {
    let (engine, address) = start(memory()).await;
    engine.spawn("early", "later", vec![Datum::Float(0.3)]).await.unwrap();
    assert_eq!(post(address, "/early/numbers", "first").await.status, 202);
    assert_eq!(post(address, "/early/numbers", "second").await.status, 202);
    let shown = engine.show("early").await.unwrap();
    assert_eq!(
        shown.routes.iter().map(|r| (r.route.to_string(), r.queued)).collect::<Vec<_>>(),
        [("POST /numbers".into(), 2)]
    );
    assert_eq!(result(&engine, "early").await, Ok("first".into()));
    engine.spawn("many", "many", int(5)).await.unwrap();
    for n in 0..5 {
        assert_eq!(post(address, "/many/numbers", &n.to_string()).await.status, 202);
    }
    assert_eq!(results(&engine, "many").await, ["0", "1", "2", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computed_route_is_open_from_the_first_listen() {
    let store = memory();
    let (engine, address) = start(store.clone()).await;
    let args = vec![text("PUT"), text("/é/1"), Datum::Float(f64::INFINITY)];
    engine.spawn("c", "hear_on", args).await.unwrap();
    waits(&engine, "c").await;
    let shown = engine.show("c").await.unwrap();
    assert_eq!(shown.routes[0].route.to_string(), "PUT /é/1");
    let tasks = shown.view.unwrap().tasks;
    assert!(tasks[0].waits_for.contains("a request PUT /é/1"), "{}", tasks[0].waits_for);
    drop(engine);
    // A new life knows it too.
    let (engine, address) = (start(store).await, address).0;
    let answer = ask(address, "PUT", "/c/%C3%A9/1", "", "x").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(result(&engine, "c").await, Ok("x".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_is_none_is_a_trap() {
    let (engine, _) = start(memory()).await;
    for (n, (method, route, timeout, part)) in
        [("post", "/a", 1.0, "capital"), ("POST", "a", 1.0, "slash"), ("POST", "/a", -1.0, "negative")]
            .into_iter()
            .enumerate()
    {
        let name = format!("i{n}");
        engine.spawn(&name, "hear_on", vec![text(method), text(route), Datum::Float(timeout)]).await.unwrap();
        let Ending::Failed(failure) = ending(&engine, &name).await else { panic!("{name} did not fail") };
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listen_times_out() {
    let (engine, address) = start(memory()).await;
    engine.spawn("t", "hear_on", vec![text("POST"), text("/a"), Datum::Float(0.05)]).await.unwrap();
    let (kind, message, ..) = result(&engine, "t").await.unwrap_err();
    assert_eq!((kind.as_str(), message.as_str()), ("timeout", "no request to POST /a within 0.05 seconds"));
    // One that comes in time stops the clock, and the timer of a listen outlives its engine.
    let store = memory();
    let (first, _) = start(store.clone()).await;
    first.spawn("u", "hear_on", vec![text("POST"), text("/a"), Datum::Float(0.3)]).await.unwrap();
    waits(&first, "u").await;
    drop(first);
    let (second, _) = start(store).await;
    assert_eq!(result(&second, "u").await.unwrap_err().0, "timeout");
    engine.spawn("v", "hear_on", vec![text("POST"), text("/a"), Datum::Float(30.0)]).await.unwrap();
    waits(&engine, "v").await;
    assert_eq!(post(address, "/v/a", "in time").await.status, 202);
    assert_eq!(result(&engine, "v").await, Ok("in time".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_that_is_not_durable() {
    let lost = Arc::new(AtomicBool::new(false));
    let is_lost = lost.clone();
    let plan = move |call: deepslate_engine::storage::wrap::Call| match call.operation {
        "commit" if is_lost.load(Ordering::SeqCst) => Injection::unreachable(),
        _ => Injection::Pass,
    };
    let inner = memory();
    let store = Arc::new(Fault::planned(inner.clone(), plan));
    let (engine, address) = start(store).await;
    engine.spawn("a", "many", int(2)).await.unwrap();
    waits(&engine, "a").await;
    assert_eq!(post(address, "/a/numbers", "kept").await.status, 202);
    waits(&engine, "a").await;
    lost.store(true, Ordering::SeqCst);
    let asked = tokio::spawn(async move { post(address, "/a/numbers", "not kept").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!asked.is_finished(), "acknowledged without a commit");
    // Killed in between: the next life has heard of the first only, and its client sends the second again.
    asked.abort();
    drop(engine);
    let (engine, address) = start(inner).await;
    assert_eq!(post(address, "/a/numbers", "again").await.status, 202);
    assert_eq!(results(&engine, "a").await, ["kept", "again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_delivered_once_whatever_happens() {
    let directory = tempfile::tempdir().unwrap();
    let (engine, address) = start(embedded(directory.path()).await).await;
    engine.spawn("a", "many", int(3)).await.unwrap();
    let keyed = |address, key: &str, body: &str| {
        let (headers, body) = (format!("idempotency-key: {key}\r\n"), body.to_owned());
        async move { ask(address, "POST", "/a/numbers", &headers, &body).await }
    };
    let first = keyed(address, "k1", "1").await;
    assert_eq!(first.status, 202);
    let again = keyed(address, "k1", "1").await;
    assert_eq!((again.status, &again.body), (202, &first.body));
    engine.shutdown().await;
    drop(engine);
    let (engine, address) = start(embedded(directory.path()).await).await;
    assert_eq!(keyed(address, "k1", "1").await.status, 202);
    // Many at once with one key are one.
    let burst = futures::future::join_all((0..20).map(|_| keyed(address, "k2", "2"))).await;
    assert!(burst.iter().all(|answer| answer.status == 202), "{burst:?}");
    assert_eq!(keyed(address, "k3", "3").await.status, 202);
    assert_eq!(results(&engine, "a").await, ["1", "2", "3"]);
    // It has ended: what it took is still known, what is new is not taken.
    assert_eq!(keyed(address, "k3", "3").await.status, 202);
    assert_eq!(keyed(address, "k4", "4").await.status, 404);
    let twice = ask(address, "POST", "/a/numbers", "idempotency-key: a\r\nidempotency-key: b\r\n", "").await;
    assert_eq!(twice.status, 400, "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_bounded() {
    let (engine, address) = start(memory()).await;
    engine.spawn("a", "later", vec![Datum::Float(1e9)]).await.unwrap();
    // A client that keeps its connection.
    let mut socket = TcpStream::connect(address).await.unwrap();
    for n in 0..1_001 {
        let text = format!("POST /a/numbers HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{:02}", n % 100);
        socket.write_all(text.as_bytes()).await.unwrap();
        let answer = answer(&mut socket).await.unwrap();
        assert_eq!(answer.status, if n < 1_000 { 202 } else { 429 }, "{n}: {answer:?}");
        if n == 1_000 {
            assert!(answer.body.contains("1000 requests wait") && answer.header("retry-after").is_some(), "{answer:?}");
        }
    }
    assert_eq!(engine.show("a").await.unwrap().routes[0].queued, 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_route_picks_the_oldest_that_waits() {
    let store = memory();
    let (engine, address) = start(store.clone()).await;
    for name in ["one", "two", "three"] {
        engine.spawn(name, "hear", vec![]).await.unwrap();
        waits(&engine, name).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = ask(address, "POST", "/numbers", "idempotency-key: k\r\n", "x").await;
    assert_eq!((answer.status, answer.body.contains("/{isolate name}/numbers")), (400, true), "{answer:?}");
    let answer = post(address, "/numbers", "a").await;
    assert_eq!((answer.status, answer.body.contains("\"one\"")), (202, true), "{answer:?}");
    drop(engine);
    // A new life looks who there is.
    let (engine, address) = start(store).await;
    let answer = post(address, "/numbers", "b").await;
    assert_eq!((answer.status, answer.body.contains("\"two\"")), (202, true), "{answer:?}");
    let answer = post(address, "/numbers", "c").await;
    assert_eq!((answer.status, answer.body.contains("\"three\"")), (202, true), "{answer:?}");
    for (name, body) in [("one", "a"), ("two", "b"), ("three", "c")] {
        assert_eq!(result(&engine, name).await, Ok(body.into()));
    }
    assert_eq!(post(address, "/numbers", "d").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_limit() {
    let http = HttpOptions { body_bytes: 1_000, ..listening() };
    let engine = start_with(memory(), Options { http, ..options() }).await;
    let address = engine.http_address().unwrap();
    engine.spawn("a", "hear", vec![]).await.unwrap();
    let answer = post(address, "/a/numbers", &"x".repeat(1_001)).await;
    assert_eq!((answer.status, answer.body.contains("1000 bytes")), (413, true), "{answer:?}");
    // One that does not say how long it is.
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = "POST /a/numbers HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write_all(format!("{head}400\r\n{}\r\n", "x".repeat(1_024)).as_bytes()).await.unwrap();
    assert_eq!(crate::web::answer(&mut socket).await.unwrap().status, 413);
    assert_eq!(post(address, "/a/numbers", &"y".repeat(1_000)).await.status, 202);
    assert_eq!(result(&engine, "a").await, Ok("y".repeat(1_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_closed_and_delay_nobody() {
    let http =
        HttpOptions { head_timeout: Duration::from_secs(2), body_timeout: Duration::from_secs(2), ..listening() };
    let engine = start_with(memory(), Options { http, ..options() }).await;
    let address = engine.http_address().unwrap();
    engine.spawn("a", "many", int(100)).await.unwrap();
    let begun = Instant::now();
    // Half of them are slow with the head, half with the body; each sends a byte a second.
    let slow = |n: usize| async move {
        let mut socket = TcpStream::connect(address).await.unwrap();
        if n.is_multiple_of(2) {
            socket.write_all(b"POST /a/numbers HTTP/1.1\r\ncontent-length: 9\r\n\r\n").await.unwrap();
        }
        let (mut read, mut write) = socket.into_split();
        let writing = tokio::spawn(async move {
            while write.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let mut bytes = Vec::new();
        // The server closes it, in whatever way.
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut read, &mut bytes).await;
        writing.abort();
        String::from_utf8(bytes).unwrap()
    };
    let mut clients = Vec::new();
    for n in 0..1_000 {
        clients.push(tokio::spawn(slow(n)));
        // The system takes only so many at one instant.
        if n % 50 == 49 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let mut longest = Duration::ZERO;
    for n in 0..100 {
        let from = Instant::now();
        assert_eq!(post(address, "/a/numbers", &n.to_string()).await.status, 202);
        longest = longest.max(from.elapsed());
    }
    // They are served while the slow ones are still at it.
    assert!(longest < Duration::from_secs(1), "one request took {longest:?}");
    assert_eq!(results(&engine, "a").await.len(), 100);
    for (n, slow) in clients.into_iter().enumerate() {
        let said = slow.await.unwrap();
        assert!(said.starts_with("HTTP/1.1 408"), "{said:?} of {n}");
        assert!(said.to_lowercase().contains("connection: close"), "{said:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_commit_in_time_it_is_503() {
    let full = Arc::new(AtomicBool::new(false));
    let is_full = full.clone();
    let plan = move |call: deepslate_engine::storage::wrap::Call| match call.operation {
        "commit" if is_full.load(Ordering::SeqCst) => Injection::full(),
        _ => Injection::Pass,
    };
    let http = HttpOptions { deadline: Duration::from_millis(200), ..listening() };
    let store = Arc::new(Fault::planned(memory(), plan));
    let engine = start_with(store, Options { http, ..options() }).await;
    let address = engine.http_address().unwrap();
    engine.spawn("a", "hear", vec![]).await.unwrap();
    waits(&engine, "a").await;
    full.store(true, Ordering::SeqCst);
    let key = "idempotency-key: k\r\n";
    let answer = ask(address, "POST", "/a/numbers", key, "x").await;
    assert_eq!((answer.status, answer.body.contains("may still be taken")), (503, true), "{answer:?}");
    full.store(false, Ordering::SeqCst);
    // Sent again with its key it is the same request.
    until("it is acknowledged", async || ask(address, "POST", "/a/numbers", key, "x").await.status == 202).await;
    assert_eq!(result(&engine, "a").await, Ok("x".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_leaves_memory_and_comes_back_for_a_request() {
    let cold = Options { warm_isolates: 0, http: listening(), ..options() };
    let engine = start_with(memory(), cold).await;
    let address = engine.http_address().unwrap();
    for n in 0..50 {
        engine.spawn(&format!("i{n}"), "many", int(2)).await.unwrap();
    }
    until("all have left memory", async || engine.numbers().resident == 0).await;
    for n in 0..50 {
        assert_eq!(post(address, &format!("/i{n}/numbers"), "a").await.status, 202);
    }
    until("all have left memory again", async || engine.numbers().resident == 0).await;
    for n in 0..50 {
        assert_eq!(post(address, &format!("/i{n}/numbers"), "b").await.status, 202);
        assert_eq!(results(&engine, &format!("i{n}")).await, ["a", "b"]);
    }
    assert!(engine.numbers().restores >= 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_one_is_given_its_requests_when_it_goes_on() {
    let (engine, address) = start(memory()).await;
    engine.spawn("a", "hear", vec![]).await.unwrap();
    waits(&engine, "a").await;
    engine.pause("a").await.unwrap();
    assert_eq!(post(address, "/a/numbers", "x").await.status, 202);
    assert_eq!(engine.show("a").await.unwrap().summary.status, Status::Paused);
    engine.resume("a").await.unwrap();
    assert_eq!(result(&engine, "a").await, Ok("x".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_said_at_the_start() {
    let (_engine, address) = start(memory()).await;
    let http = HttpOptions { address: Some(address.to_string()), ..HttpOptions::default() };
    let builder = || Engine::builder(memory()).options(Options { http: http.clone(), ..options() });
    // Who has no flow that listens can do without.
    assert_eq!(builder().start().await.expect("it starts").http_address(), None);
    let error = builder().deploy(program()).start().await.expect_err("the address is taken");
    assert!(error.to_string().contains("another program listens there"), "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

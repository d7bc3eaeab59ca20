//! Requests that flows send: after the commit, with one key whatever happens, and every way they can go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::storage::wrap::{Fault, Injection};
use deepslate_engine::{Engine, HttpOptions, Options};
use tokio::net::TcpListener;

use crate::http::{result, start_with, text};
use crate::web::{Server, response};
use crate::world::{memory, options, until};

fn args(method: &str, url: &str, headers: &[(&str, &str)], body: &str, timeout: f64) -> Vec<Datum> {
    let headers = headers.iter().map(|(name, value)| (text(name), text(value))).collect();
    vec![text(method), text(url), Datum::Dict(headers), Datum::Bytes(body.into()), Datum::Float(timeout)]
}

/// Asks and gives what came of it.
async fn asked(engine: &Engine, name: &str, method: &str, url: &str) -> Result<String, (String, String, i64, String)> {
    engine.spawn(name, "ask", args(method, url, &[], "", 10.0)).await.unwrap();
    result(engine, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_gives_the_body_of_its_response() {
    let server = Server::start(|_| response("200 OK", "", "pong")).await;
    let engine = start_with(memory(), options()).await;
    let id = engine
        .spawn("a", "ask", args("POST", &server.url("/ping?q=1"), &[("X-Mine", "1")], "ping", 10.0))
        .await
        .unwrap()
        .id;
    assert_eq!(result(&engine, "a").await, Ok("pong".into()));
    let (first, head, body) = server.got.lock().unwrap()[0].clone();
    assert_eq!((first.as_str(), body.as_str()), ("POST /ping?q=1 HTTP/1.1", "ping"));
    assert!(head.contains("x-mine: 1") && head.contains("user-agent: deepslate/"), "{head}");
    assert_eq!(server.headers("idempotency-key"), [format!("{id}-0")]);
    engine.spawn("b", "ask", args("GET", &server.url("/"), &[("Idempotency-Key", "own")], "", 10.0)).await.unwrap();
    assert_eq!(result(&engine, "b").await, Ok("pong".into()));
    assert_eq!(server.headers("idempotency-key")[1], "own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_success_is_an_error_with_status_and_body() {
    let server = Server::start(|_| response("409 Conflict", "", "taken")).await;
    let engine = start_with(memory(), options()).await;
    let (kind, message, status, body) = asked(&engine, "a", "PUT", &server.url("/x?secret=1")).await.unwrap_err();
    assert_eq!((kind.as_str(), status, body.as_str()), ("status", 409, "taken"));
    assert_eq!(message, format!("PUT {}: the server answered 409 Conflict", server.url("/x")));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_network_are_errors() {
    let engine = start_with(memory(), options()).await;
    // A port that nobody listens on.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let (kind, message, status, _) = asked(&engine, "refused", "GET", &url).await.unwrap_err();
    assert_eq!((kind.as_str(), status, message.contains("refused")), ("network", 0, true), "{message}");
    let hangs_up = Server::start(|_| String::new()).await;
    let (kind, message, ..) = asked(&engine, "hung-up", "GET", &hangs_up.url("/")).await.unwrap_err();
    assert_eq!(kind, "network", "{message}");
    let short =
        Server::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\nshort".into()).await;
    let short_url = short.url("/");
    engine.spawn("short", "ask", args("GET", &short_url, &[], "", 0.5)).await.unwrap();
    assert!(result(&engine, "short").await.is_err());
    let (kind, message, ..) = asked(&engine, "nowhere", "GET", "http://nowhere.invalid/").await.unwrap_err();
    assert_eq!(kind, "network", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_a_timeout() {
    let server = Server::start(|_| "wait".into()).await;
    let engine = start_with(memory(), options()).await;
    engine.spawn("a", "ask", args("GET", &server.url("/"), &[], "", 0.1)).await.unwrap();
    let (kind, message, ..) = result(&engine, "a").await.unwrap_err();
    assert_eq!(
        (kind.as_str(), message),
        ("timeout", format!("GET {}: no response within 0.1 seconds", server.url("/")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_sent_is_said_and_not_sent() {
    let server = Server::start(|_| response("200 OK", "", "")).await;
    let engine = start_with(memory(), options()).await;
    for (n, (method, url, part)) in [
        ("GET", "ftp://localhost/", "only http and https"),
        ("G T", &server.url("/"), "no method"),
        ("GET", "/x", "no URL"),
    ]
    .into_iter()
    .enumerate()
    {
        let (kind, message, ..) = asked(&engine, &format!("i{n}"), method, url).await.unwrap_err();
        assert_eq!((kind.as_str(), message.contains(part)), ("network", true), "{message}");
    }
    assert!(server.got.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_followed_up_to_a_limit() {
    let server = Server::start(|first| match first.split(' ').nth(1) {
        Some("/a") => response("302 Found", "location: /b\r\n", ""),
        Some("/b") => response("200 OK", "", "there"),
        _ => response("307 Temporary Redirect", "location: /loop\r\n", ""),
    })
    .await;
    let engine = start_with(memory(), options()).await;
    assert_eq!(asked(&engine, "a", "GET", &server.url("/a")).await, Ok("there".into()));
    // The same key on the way.
    let keys = server.headers("idempotency-key");
    assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
    let (kind, message, ..) = asked(&engine, "b", "GET", &server.url("/loop")).await.unwrap_err();
    assert_eq!((kind.as_str(), message.contains("redirect")), ("network", true), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_has_a_limit() {
    let server = Server::start(|first| {
        let status = if first.contains("/bad") { "500 Internal Server Error" } else { "200 OK" };
        response(status, "", &"x".repeat(1_001))
    })
    .await;
    let http = HttpOptions { response_bytes: 1_000, ..HttpOptions::default() };
    let engine = start_with(memory(), Options { http, ..options() }).await;
    let (kind, message, ..) = asked(&engine, "a", "GET", &server.url("/")).await.unwrap_err();
    assert_eq!((kind.as_str(), message.contains("over the limit of 1000 bytes")), ("network", true), "{message}");
    let (kind, message, status, body) = asked(&engine, "b", "GET", &server.url("/bad")).await.unwrap_err();
    assert_eq!((kind.as_str(), status, body.len()), ("status", 500, 1_000), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept() {
    let server = Server::start(|_| response("200 OK", "", "x")).await;
    let engine = start_with(memory(), options()).await;
    for n in 0..5 {
        assert_eq!(asked(&engine, &format!("i{n}"), "GET", &server.url("/")).await, Ok("x".into()));
    }
    assert_eq!(*server.connections.lock().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_before_the_commit_and_the_key_is_the_same_after_a_crash() {
    let full = Arc::new(AtomicBool::new(true));
    let is_full = full.clone();
    let plan = move |call: deepslate_engine::storage::wrap::Call| match call.operation {
        "commit" if is_full.load(Ordering::SeqCst) => Injection::full(),
        _ => Injection::Pass,
    };
    let waits = Arc::new(AtomicBool::new(true));
    let still = waits.clone();
    let server = Server::start(move |_| match still.load(Ordering::SeqCst) {
        true => "wait".into(),
        false => response("200 OK", "", "done"),
    })
    .await;
    let inner = memory();
    let engine = start_with(Arc::new(Fault::planned(inner.clone(), plan)), options()).await;
    let spawning = engine.clone();
    let call = args("POST", &server.url("/pay"), &[], "10", 60.0);
    let id = tokio::spawn(async move { spawning.spawn("a", "ask", call).await.unwrap().id });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(server.got.lock().unwrap().is_empty(), "sent before the commit");
    full.store(false, Ordering::SeqCst);
    let id = id.await.unwrap();
    until("it is sent", async || !server.got.lock().unwrap().is_empty()).await;
    // A crash while it waits for the response; the next life sends it again.
    drop(engine);
    waits.store(false, Ordering::SeqCst);
    let engine = start_with(inner, options()).await;
    assert_eq!(result(&engine, "a").await, Ok("done".into()));
    assert_eq!(server.headers("idempotency-key"), [format!("{id}-0"), format!("{id}-0")]);
}

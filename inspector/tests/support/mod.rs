//! An engine on the memory store with an inspector beside it, and a client that reads its JSON and its events.
#![allow(dead_code)] // each test file uses a part of it

use bytes::Bytes;
use deepslate_engine::storage::backends::memory::Memory;
use deepslate_engine::{Engine, Options};
use deepslate_frontend::{Source, compile};
use deepslate_inspector::{Config, Handle, serve};
use deepslate_ir::image::Image;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// Flows to look at.
pub const FLOWS: &str = r#"from deepslate import flow, sleep, dpslio


@flow
async def counter(limit: int) -> int:
    count: int = 0
    label: str = "<b>&amp;</b>"
    rates: list[float] = [1.0, 2.5]
    while count < limit:
        sleep(0.02)
        count = count + 1
    return count


@flow
async def nap(seconds: float) -> str:
    sleep(seconds)
    return "slept"


def inner(items: list[int], at: int) -> int:
    return items[at]


@flow
async def fails(at: int) -> int:
    sleep(0)
    return inner([1, 2, 3], at)


# Below the others, whose lines the tests know.
from dataclasses import dataclass
from enum import Enum


@dataclass
class Item:
    name: str
    price: float


class Colour(Enum):
    RED = "red"


@flow
async def values() -> int:
    item: Item = Item("lamp", 40.0)
    named: dict[str, int] = {"a": 1}
    numbered: dict[int, bool] = {7: True}
    seal: bytes = b"\x00\xff"
    odd: list[float] = [float("nan"), float("inf")]
    some: set[int] = {3}
    pair: tuple[int, None] = (1, None)
    colour: Colour = Colour.RED
    box: dpslio.Queue[int] = dpslio.Queue[int]()
    await box.put(5)
    long: list[int] = [1000] * 1000
    sleep(600)
    return len(long) + some.pop() + pair[0] + len(odd) + len(seal) + numbered[7] + named["a"] + len(item.name) + len(colour.value) + await box.get()
"#;

pub struct Bench {
    pub engine: Engine,
    pub handle: Handle,
}

/// An answer: status, headers, JSON (null if it is none).
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Bench {
    pub async fn new() -> Bench {
        let compiled = compile(&[Source::file("flows.py", FLOWS)], &deepslate_frontend::Options::default());
        let module = compiled.module.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let image = Image::of(module).expect("the front end verifies what it makes");
        let options = Options { workers: 2, ..Options::default() };
        let engine = Engine::builder(Arc::new(Memory::new())).options(options).deploy(image).start().await.unwrap();
        let config = Config { address: "127.0.0.1:0".into(), hosts: vec!["inspector.example".into()] };
        let handle = serve(engine.clone(), config).await.unwrap();
        Bench { engine, handle }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{}", self.handle.url().trim_end_matches('/'), path)
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let stream = TcpStream::connect(self.handle.address()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.handle.address().to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.send(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await;
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, text, json }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &[("content-type", "application/json")], &body.to_string()).await
    }

    pub async fn spawn(&self, name: &str, flow: &str, args: Value) -> Answer {
        self.post("/api/isolates", json!({"name": name, "flow": flow, "args": args})).await
    }

    /// Follows a stream of events.
    pub async fn follow(&self, path: &str) -> Events {
        let request = Request::builder().uri(path).header("host", self.handle.address().to_string());
        let response = self.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { body: response.into_body(), read: String::new() }
    }

    /// Asks until an answer fits.
    pub async fn until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1_000 {
            let answer = self.get(path).await;
            if fits(&answer.json) {
                return answer.json;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} does not come to that: {}", self.get(path).await.text);
    }
}

pub struct Events {
    body: Incoming,
    read: String,
}

impl Events {
    /// The next event: its name and its JSON. None at the end of the stream.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(|v| v.trim().to_owned());
                let found = (field("event:"), field("data:"));
                self.read = rest.to_owned();
                if let (Some(name), Some(data)) = found {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let frame =
                tokio::time::timeout(Duration::from_secs(30), self.body.frame()).await.expect("an event in 30 s");
            let bytes = frame?.unwrap().into_data().unwrap();
            self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

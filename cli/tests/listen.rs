//! Flows that hear and ask by HTTP, through the real command: one that listens costs storage only, and each request is delivered once,
//! through a kill too.
#![cfg(target_os = "linux")] // the memory of a process is read as Linux tells it

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use support::{Place, Serving, eventually};

const FLOWS: &str = "\
from deepslate import DSError, flow, http_listen, http_request


@flow
async def hear() -> str:
    data: bytes | DSError
    data = http_listen(\"POST\", \"/numbers\")
    if not isinstance(data, bytes):
        return data.kind
    more: bytes | DSError
    more = http_listen(\"POST\", \"/numbers\", timeout=0.0)
    if isinstance(more, bytes):
        return \"twice\"
    return data.decode()


@flow
async def ask(url: str) -> str:
    resp: bytes | DSError
    resp = http_request(\"GET\", url, {}, b\"\")
    if not isinstance(resp, bytes):
        return f\"{resp.kind} {resp.status} {resp.body.decode()}\"
    return resp.decode()
";

/// A connection that is kept.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: &str) -> std::io::Result<Connection> {
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Connection(BufReader::new(socket)))
    }

    /// Sends a request and gives status and body of the answer.
    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<(u16, String)> {
        let length = body.len();
        let text =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        self.0.get_mut().write_all(text.as_bytes())?;
        let broken = || std::io::Error::other("no answer");
        let (mut line, mut status, mut size) = (String::new(), None, 0);
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err(broken());
            }
            let text = line.trim().to_ascii_lowercase();
            match status {
                None => status = text.split(' ').nth(1).and_then(|status| status.parse().ok()),
                Some(_) if text.is_empty() => break,
                Some(_) => {
                    if let Some(length) = text.strip_prefix("content-length:") {
                        size = length.trim().parse().map_err(|_| broken())?;
                    }
                }
            }
        }
        let mut body = vec![0; size];
        self.0.read_exact(&mut body)?;
        Ok((status.ok_or_else(broken)?, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// Does something for each number below `count`, on many connections at once, until one says false.
fn each(count: usize, address: &str, act: impl Fn(&mut Connection, usize) -> bool + Send + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let Ok(mut connection) = Connection::open(address) else { return };
                while let n = next.fetch_add(1, Ordering::Relaxed)
                    && n < count
                    && act(&mut connection, n)
                {}
            });
        }
    });
}

fn json_of(address: &str, path: &str) -> Value {
    let (status, body) = Connection::open(address).unwrap().ask("GET", path, "", "").unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// Bytes of a process in memory.
fn resident(serving: &Serving) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", serving.started.id())).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

fn all_have_left(serving: &Serving) {
    eventually("all have left memory", || {
        (json_of(&serving.address, "/api/health")["resident"] == json!(0)).then_some(())
    });
}

#[test]
fn ten_thousand_listen_outside_memory_and_each_request_is_delivered_once_through_a_kill() {
    const COUNT: usize = 10_000;
    let place = Place::new();
    place.write("flows.py", FLOWS);
    place.write("deepslate.toml", "[engine]\nwarm_seconds = 1.0\nwarm_isolates = 1000\n");
    let serving = place.serve(&["flows.py"]);
    let spawn = |connection: &mut Connection, name: &str| {
        let body = format!("{{\"name\": \"{name}\", \"flow\": \"hear\"}}");
        let (status, body) =
            connection.ask("POST", "/api/isolates", "content-type: application/json\r\n", &body).unwrap();
        assert_eq!(status, 201, "{body}");
        true
    };
    // What the first ones need, all others share.
    each(100, &serving.address, |connection, n| spawn(connection, &format!("first{n}")));
    all_have_left(&serving);
    let before = resident(&serving);
    let from = Instant::now();
    each(COUNT, &serving.address, |connection, n| spawn(connection, &format!("i{n}")));
    println!("{COUNT} spawned in {:?}", from.elapsed());
    all_have_left(&serving);
    let after = resident(&serving);
    let grown = after.saturating_sub(before) >> 20;
    println!("resident: {} MiB before, {} MiB after", before >> 20, after >> 20);
    assert!(grown < 100, "{COUNT} listening isolates take {grown} MiB");

    // One request to each; in the midst of it the engine is killed.
    let acknowledged = Arc::new((0..COUNT).map(|_| Mutex::new(false)).collect::<Vec<_>>());
    let done = AtomicUsize::new(0);
    let send = |connection: &mut Connection, n: usize| {
        let mut known = acknowledged[n].lock().unwrap();
        if *known {
            return true;
        }
        let headers = format!("idempotency-key: request-{n}\r\n");
        let Ok((status, body)) = connection.ask("POST", &format!("/i{n}/numbers"), &headers, &n.to_string()) else {
            return false;
        };
        assert_eq!(status, 202, "i{n}: {body}");
        *known = true;
        done.fetch_add(1, Ordering::Relaxed);
        true
    };
    let (from, http) = (Instant::now(), serving.http().to_owned());
    let killed = thread::scope(|scope| {
        scope.spawn(|| each(COUNT, &http, send));
        while done.load(Ordering::Relaxed) < COUNT / 2 {
            thread::sleep(Duration::from_millis(1));
        }
        serving.started.kill()
    });
    assert!(killed);
    let before = done.load(Ordering::Relaxed);
    println!("killed after {before} acknowledged requests in {:?}", from.elapsed());
    assert!(before < COUNT, "all were acknowledged before the kill");
    let serving = place.serve(&["flows.py"]);
    let from = Instant::now();
    each(COUNT, serving.http(), send);
    assert_eq!(done.load(Ordering::Relaxed), COUNT);
    println!("the others acknowledged in {:?}", from.elapsed());
    // Also those whose acknowledgement the kill took are one request with what is sent again.
    eventually("all are done", || {
        (json_of(&serving.address, "/api/counts")["counts"]["done"] == json!(COUNT)).then_some(())
    });
    each(COUNT, &serving.address, |connection, n| {
        let (status, body) = connection.ask("GET", &format!("/api/isolates/i{n}/result?timeout=30"), "", "").unwrap();
        assert_eq!(status, 200, "i{n}: {body}");
        let result: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(result["result"], json!(n.to_string()), "i{n}");
        true
    });
}

#[test]
fn a_flow_asks_another_one_by_the_public_address() {
    let place = Place::new();
    place.write("flows.py", FLOWS);
    let serving = place.serve(&["flows.py"]);
    let at = ["--address", serving.address.as_str()];
    let ask = |args: &[&str]| place.run(&[args, &at].concat());
    ask(&["spawn", "h", "hear"]).ok();
    let shown = eventually("h listens", || {
        let shown = ask(&["show", "h", "--json"]).json();
        (shown["tasks"][0]["waits_for"].as_str().unwrap_or_default().contains("a request POST /numbers"))
            .then_some(shown)
    });
    assert_eq!(shown["routes"], json!([{"method": "POST", "path": "/numbers", "queued": 0}]));
    // A GET there is refused, and the flow sees how.
    let url = format!("url=http://{}/h/numbers", serving.http());
    ask(&["spawn", "a", "ask", "--arg", &url]).ok();
    let said = ask(&["result", "a", "--timeout", "30"]).ok();
    assert!(said.contains("status 405") && said.contains("bad_method"), "{said}");
    let answer = Connection::open(serving.http()).unwrap().ask("POST", "/h/numbers", "", "7").unwrap();
    assert_eq!(answer.0, 202, "{}", answer.1);
    assert_eq!(ask(&["result", "h", "--timeout", "30"]).ok(), "\"7\"\n");
}

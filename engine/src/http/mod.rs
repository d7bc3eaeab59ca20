//! HTTP both ways: the public address on which flows listen, and the requests that flows send.
//!
//! A request from outside is a message like any other: applied in a fenced commit of its isolate, acknowledged after it. What the record keeps
//! of requests is in [`mail`], what an isolate does with one in `body`; here are the sockets.

pub(crate) mod client;
pub(crate) mod listeners;
pub(crate) mod mail;
mod receive;
pub(crate) mod route;
pub(crate) mod server;

use std::path::PathBuf;
use std::time::Duration;

use deepslate_ir::datum::Datum;

use crate::limits::BODY_BYTES_MAX;

/// Settings of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// Where flows listen, `host:port`; port 0 takes a free one. None: nothing listens.
    pub address: Option<String>,
    /// Largest body of a request that comes in, in bytes; at most 8 MiB.
    pub body_bytes: usize,
    /// How long a client may take to send the head of a request.
    pub head_timeout: Duration,
    /// How long it may take to send the body.
    pub body_timeout: Duration,
    /// How long a request waits for its acknowledgement; at most 30 seconds.
    pub deadline: Duration,
    /// Most connections at once.
    pub connections: usize,
    /// Largest body of a response to a flow's request, in bytes.
    pub response_bytes: usize,
    /// Most requests of flows under way at once.
    pub requests: usize,
    /// How long the making of a connection may take for a flow's request.
    pub connect_timeout: Duration,
    /// A file with the certificates (PEM) of authorities that a flow's request trusts besides those that the machine trusts.
    pub certificates: Option<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            address: None,
            body_bytes: 1 << 20,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(30),
            connections: 10_000,
            response_bytes: 4 << 20,
            requests: 1_000,
            connect_timeout: Duration::from_secs(10),
            certificates: None,
        }
    }
}

impl HttpOptions {
    /// What can't work, with the name of the setting.
    pub(crate) fn wrong(&self) -> Option<String> {
        if self.body_bytes > BODY_BYTES_MAX {
            return Some(format!("`body_bytes` of [http] must be at most {BODY_BYTES_MAX}"));
        }
        let times = [
            ("head_timeout", self.head_timeout),
            ("body_timeout", self.body_timeout),
            ("deadline", self.deadline),
            ("connect_timeout", self.connect_timeout),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| time.is_zero()) {
            return Some(format!("`{name}` of [http] must be longer than 0"));
        }
        if self.deadline > Duration::from_secs(30) {
            return Some("`deadline` of [http] must be at most 30 seconds".into());
        }
        let counts = [("connections", self.connections), ("requests", self.requests)];
        if let Some((name, _)) = counts.iter().find(|(_, count)| !(1..=1_000_000).contains(count)) {
            return Some(format!("`{name}` of [http] must be 1 to 1000000"));
        }
        // Said at the start, and not by the first request.
        let wrong = client::authorities(self.certificates.as_deref()).err()?;
        Some(format!("`certificates` of [http]: {wrong}"))
    }
}

/// What a flow's HTTP call gives when it does not give a body: the fields of `DSError` that it sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Trouble {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Trouble {
        Trouble { kind, message: message.into(), status: 0, body: Vec::new() }
    }
}

/// The value of an HTTP call in a flow: `bytes | DSError`.
pub(crate) fn bytes_or(result: Result<Vec<u8>, Trouble>) -> Datum {
    match result {
        Ok(body) => Datum::Bytes(body),
        // The fields of DSError in their order: kind, message, status, body, type, traceback.
        Err(Trouble { kind, message, status, body }) => Datum::Object(vec![
            Datum::Str(kind.into()),
            Datum::Str(message),
            Datum::Int(status.into()),
            Datum::Bytes(body),
            Datum::Str(String::new()),
            Datum::Str(String::new()),
        ]),
    }
}

/// The same for one whose time is over.
pub(crate) fn timed_out(message: String) -> Datum {
    bytes_or(Err(Trouble::new("timeout", message)))
}

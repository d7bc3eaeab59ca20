//! Asking a running engine, by the inspector's JSON API. One request on one connection; nothing is retried here, since whoever
//! calls knows whether that is safe.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;

use crate::exit::{Exit, Outcome, Stopped};
use deepslate_inspector::json::lenient;

/// How long an engine may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// An engine at an address.
#[derive(Clone, Debug)]
pub struct Control {
    address: String,
}

impl Control {
    /// The engine at `host:port`, or at `http://host:port`.
    pub fn new(address: &str) -> Control {
        let address = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
        Control { address: address.to_owned() }
    }

    fn unreachable(&self, why: impl std::fmt::Display) -> Stopped {
        Stopped::new(
            Exit::Unreachable,
            format!(
                "no engine answers at {} ({why}): start one with `deepslate serve FILE`, or name the address of its inspector \
                 with --address",
                self.address
            ),
        )
    }

    /// Sends a request and gives the JSON text of the answer. A refusal becomes the exit status that fits its kind.
    pub async fn ask(&self, method: Method, path: &str, body: Option<String>) -> Outcome<String> {
        let connect = tokio::time::timeout(CONNECT, TcpStream::connect(&self.address));
        let stream = connect.await.map_err(|_| self.unreachable("it does not accept a connection"))?;
        let stream = stream.map_err(|error| self.unreachable(error))?;
        let lost = |error: hyper::Error| self.unreachable(error);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.address)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| Stopped::new(Exit::Usage, format!("{} can't be asked: {error}", self.address)))?;
        let response = sender.send_request(request).await.map_err(lost)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(lost)?.to_bytes();
        connection.abort();
        let strange = || self.unreachable(format!("what answers there is no Deepslate engine: status {status}"));
        let text = String::from_utf8(body.to_vec()).map_err(|_| strange())?;
        let parsed = lenient(&text).map_err(|_| strange())?;
        if status.is_success() {
            return Ok(text);
        }
        let error = parsed.get("error").ok_or_else(strange)?;
        let word = |key: &str| error.get(key).and_then(Value::as_str);
        let message = word("message").ok_or_else(strange)?;
        Err(Stopped::new(exit_of(word("kind").unwrap_or_default(), status), message))
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> Outcome<String> {
        self.ask(Method::GET, path, None).await
    }
}

/// The exit status for a refusal: by what the caller does next.
fn exit_of(kind: &str, status: StatusCode) -> Exit {
    use deepslate_inspector::Refusal;
    match Refusal::from_name(kind) {
        Some(Refusal::NotFound | Refusal::UnknownFlow | Refusal::UnknownQueue | Refusal::NoRoute) => Exit::Unknown,
        Some(
            Refusal::BadRequest
            | Refusal::BadName
            | Refusal::BadArguments
            | Refusal::BadMethod
            | Refusal::NotJson
            | Refusal::TooLarge
            | Refusal::Forbidden,
        ) => Exit::Usage,
        Some(Refusal::Timeout) => Exit::Timeout,
        Some(Refusal::Stopping | Refusal::NotOwner) => Exit::Unreachable,
        Some(
            Refusal::NotFinished
            | Refusal::MissingHost
            | Refusal::Held
            | Refusal::Program
            | Refusal::Corrupt
            | Refusal::System
            | Refusal::Store
            | Refusal::TooMany
            | Refusal::Ended
            | Refusal::QueueFull
            | Refusal::Full,
        ) => Exit::Refused,
        None if status == StatusCode::NOT_FOUND => Exit::Unknown,
        None => Exit::Refused,
    }
}

/// A text as one segment of a path, or a value of a query: everything but letters, digits and `-._~` as %XX.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Control, escape};
    use crate::exit::Exit;

    #[test]
    fn texts_are_escaped_for_paths() {
        assert_eq!(escape("a-b_c.d~9"), "a-b_c.d~9");
        assert_eq!(escape("a b/ä?"), "a%20b%2F%C3%A4%3F");
    }

    #[tokio::test]
    async fn an_address_where_nothing_listens_is_an_error_that_says_what_to_do() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = Control::new(&format!("http://{address}/")).get("/api/health").await.unwrap_err();
        assert_eq!(error.exit, Exit::Unreachable);
        assert!(error.message.contains(&address) && error.message.contains("deepslate serve"), "{error}");
    }
}

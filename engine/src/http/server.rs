//! The public address: connections, heads and bodies with limits of size and time, and the answers.
//!
//! Every answer is JSON: `{"name", "id"}` with 202, else `{"error": {"kind", "message"}}`.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::receive::{self, Answer, receive, refused};
use super::route::decoded;
use crate::error::{Error, Kind, Result};
use crate::limits::{HEAD_BYTES_MAX, KEY_BYTES_MAX};
use crate::node::Node;

/// How long a client that is turned away may take to read why.
const LINGER: Duration = Duration::from_secs(2);
/// Connections that the system holds until they are taken: many may come at once.
const BACKLOG: u32 = 4_096;
/// The pause after a connection could not be taken, for want of files for instance.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// What the service of a connection gives.
type Answered = std::result::Result<Response<Full<Bytes>>, Infallible>;

/// Takes the address.
pub(crate) async fn bind(address: &str) -> Result<(TcpListener, SocketAddr)> {
    let refused = |error: std::io::Error| {
        let taken = error.kind() == std::io::ErrorKind::AddrInUse;
        let advice = if taken { "another program listens there; " } else { "" };
        let what = format!(
            "flows can't listen at {address}: {advice}set `address` of [http] or DEEPSLATE_HTTP_ADDRESS, or leave it empty to \
             listen nowhere ({error})"
        );
        Error::new(Kind::System, "start", what).caused_by(error)
    };
    let listener = listen(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// Listens at the first address of a name that can be had.
async fn listen(address: &str) -> std::io::Result<TcpListener> {
    let mut failed = None;
    for address in tokio::net::lookup_host(address).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Otherwise a restart waits for the connections of the last life.
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| std::io::Error::other("the name has no address")))
}

/// Serves until the engine drains, then until it is dropped.
pub(crate) async fn serve(node: Arc<Node>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(node.options.http.connections));
    let mut connections = JoinSet::new();
    let mut draining = node.draining.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
            () = drains(&mut draining) => break,
        };
        match accepted {
            Ok((socket, place)) => {
                let node = Arc::clone(&node);
                connections.spawn(async move {
                    connection(node, socket).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection can't be taken");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Ends when the engine begins to drain, or is gone.
async fn drains(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await.is_ok();
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (socket, _) = listener.accept().await?;
    // It only makes small answers faster.
    let _ = socket.set_nodelay(true);
    Ok((socket, place))
}

/// A socket that tells whether part of a head has come in.
struct Watched {
    socket: TcpStream,
    partial: Arc<AtomicBool>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.partial.store(true, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

async fn connection(node: Arc<Node>, socket: TcpStream) {
    let partial = Arc::new(AtomicBool::new(true));
    let io = TokioIo::new(Watched { socket, partial: Arc::clone(&partial) });
    let head_timeout = node.options.http.head_timeout;
    let mut draining = node.draining.subscribe();
    let begun = Arc::clone(&partial);
    let service = service_fn(move |request| {
        let (node, partial) = (Arc::clone(&node), Arc::clone(&begun));
        let answered: Pin<Box<dyn Future<Output = Answered> + Send>> = Box::pin(async move {
            let response = respond(&node, request).await;
            partial.store(false, Ordering::Relaxed);
            Ok(response)
        });
        answered
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(io, service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        () = drains(&mut draining) => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    if let Err(error) = &ended {
        tracing::debug!(%error, "a connection ended");
    }
    let mut socket = connection.into_parts().io.into_inner().socket;
    let late = matches!(&ended, Err(error) if error.is_timeout());
    let farewell = async {
        // One that is idle between two requests is closed without a word.
        if late && partial.load(Ordering::Relaxed) {
            let body = error_body("timeout", &format!("the head of the request did not come within {head_timeout:?}"));
            let head = format!(
                "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&body).await?;
        }
        socket.shutdown().await?;
        // A client that still sends would be told of that, and not hear what was said to it.
        let mut rest = [0; 1_024];
        while socket.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // The client may be gone, or not read: then there is nobody to tell.
    let _ = tokio::time::timeout(LINGER, farewell).await;
}

async fn respond(node: &Arc<Node>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let options = &node.options.http;
    let (head, body) = request.into_parts();
    let Some(path) = decoded(head.uri.path()) else {
        return refusal(StatusCode::BAD_REQUEST, "bad_request", "the path is not percent-encoded UTF-8");
    };
    let mut keys = head.headers.get_all("idempotency-key").iter();
    let key = match (keys.next(), keys.next()) {
        (None, _) => None,
        (Some(key), None) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Some(key.as_bytes().to_vec()),
        _ => {
            let what = format!("a request has one Idempotency-Key of 1 to {KEY_BYTES_MAX} bytes");
            return refusal(StatusCode::BAD_REQUEST, "bad_request", &what);
        }
    };
    let limit = options.body_bytes;
    let too_large = || {
        let what = format!("the body is over the limit of {limit} bytes");
        closing(refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &what))
    };
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return too_large();
    }
    let body = match tokio::time::timeout(options.body_timeout, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return too_large(),
        Ok(Err(error)) => {
            let what = format!("the body can't be read: {error}");
            return closing(refusal(StatusCode::BAD_REQUEST, "bad_request", &what));
        }
        Err(_) => {
            let what = format!("the body did not come within {:?}", options.body_timeout);
            return closing(refusal(StatusCode::REQUEST_TIMEOUT, "timeout", &what));
        }
    };
    let request = receive::Request { method: head.method.as_str().to_owned(), path, key, body };
    let answer = tokio::select! {
        answer = receive(node, request) => answer.unwrap_or_else(|error| refused(&error)),
        () = node.clock.sleep(options.deadline) => Answer::Later(format!(
            "not acknowledged within {:?}; it may still be taken: send it again with the same Idempotency-Key",
            options.deadline
        )),
    };
    match answer {
        Answer::Accepted(name, id) => {
            json_response(StatusCode::ACCEPTED, json!({ "name": name, "id": id.to_string() }).to_string())
        }
        Answer::NotThere(what) => refusal(StatusCode::NOT_FOUND, "not_found", &what),
        Answer::Bad(what) => refusal(StatusCode::BAD_REQUEST, "bad_request", &what),
        Answer::Methods(what, methods) => {
            let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "bad_method", &what);
            if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
                response.headers_mut().insert(ALLOW, allow);
            }
            response
        }
        Answer::Full(what) => soon(refusal(StatusCode::TOO_MANY_REQUESTS, "too_many", &what)),
        Answer::Later(what) => soon(refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &what)),
    }
}

fn error_body(kind: &str, message: &str) -> Bytes {
    json!({ "error": { "kind": kind, "message": message } }).to_string().into()
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    json_response(status, error_body(kind, message))
}

fn json_response(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The rest of the request is not read.
fn closing(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn soon(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

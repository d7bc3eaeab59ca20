//! Requests that flows send. Each is sent only after the commit that holds it, at least once, always with the same idempotency key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deepslate_ir::datum::Datum;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::Semaphore;

use super::{HttpOptions, Trouble};
use crate::limits::REDIRECTS_MAX;

/// How long a connection that nobody uses is kept.
const POOL_IDLE: Duration = Duration::from_secs(90);
/// Most such connections to one host.
const POOL_MAX: usize = 64;
/// The header that tells a repeated request from a new one.
const KEY: &str = "idempotency-key";
/// Headers that say how the message itself is framed, which is the client's business.
const FRAMING: [&str; 7] = ["connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"];

/// The client of a node.
#[derive(Debug)]
pub(crate) struct Client {
    connect_timeout: Duration,
    response_bytes: usize,
    certificates: Option<PathBuf>,
    pub(crate) places: Semaphore,
    /// Made at the first request: who sends none need not read the machine's certificates.
    inner: OnceLock<Result<reqwest::Client, String>>,
}

/// A request as a flow makes it.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    timeout: Option<Duration>,
}

impl Outgoing {
    /// Of the arguments of an `http_request`, or what is wrong with them.
    pub(crate) fn of(args: &[Datum], key: &str) -> Result<Outgoing, String> {
        let [Datum::Str(method), Datum::Str(url), Datum::Dict(headers), Datum::Bytes(body), Datum::Float(timeout)] =
            args
        else {
            return Err("http_request: this engine knows another form of it".into());
        };
        let wrong = |what: String| format!("http_request({method:?}, {url:?}): {what}; nothing was sent");
        let method_of = Method::from_bytes(method.as_bytes()).map_err(|_| wrong("that is no method".into()))?;
        if method_of == Method::CONNECT {
            return Err(wrong("CONNECT is not for requests".into()));
        }
        let url_of = Url::parse(url).map_err(|error| wrong(format!("that is no URL ({error})")))?;
        if !matches!(url_of.scheme(), "http" | "https") {
            return Err(wrong(format!("only http and https are spoken, not `{}`", url_of.scheme())));
        }
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let (Datum::Str(name), Datum::Str(value)) = (name, value) else {
                return Err("http_request: this engine knows another form of it".into());
            };
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| wrong(format!("{name:?} is no name of a header")))?;
            if FRAMING.contains(&header.as_str()) {
                return Err(wrong(format!("the header {name:?} is set by the client itself")));
            }
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| wrong(format!("the header {name:?} has a value with a sign that no header may have")))?;
            map.append(header, value);
        }
        if !map.contains_key(KEY) {
            let key = HeaderValue::from_str(key).map_err(|error| wrong(error.to_string()))?;
            map.insert(KEY, key);
        }
        if timeout.is_nan() || *timeout < 0.0 {
            return Err(wrong(format!("the timeout is {timeout} seconds; it must not be negative or NaN")));
        }
        // One too long to be written down is none.
        let timeout = Duration::try_from_secs_f64(*timeout).ok();
        Ok(Outgoing { method: method_of, url: url_of, headers: map, body: body.clone(), timeout })
    }

    fn named(&self) -> String {
        format!("{} {}", self.method, shown(&self.url))
    }
}

/// A URL as messages show it: without a password, and without the query, which may hold secrets too.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Neither fails for a URL that has a host.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

impl Client {
    pub(crate) fn new(options: &HttpOptions) -> Client {
        Client {
            connect_timeout: options.connect_timeout,
            response_bytes: options.response_bytes,
            certificates: options.certificates.clone(),
            places: Semaphore::new(options.requests),
            inner: OnceLock::new(),
        }
    }

    fn inner(&self) -> Result<&reqwest::Client, Trouble> {
        let made = self.inner.get_or_init(|| {
            let tls = tls(self.certificates.as_deref())?;
            let builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .redirect(Policy::limited(REDIRECTS_MAX))
                .connect_timeout(self.connect_timeout)
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(POOL_MAX)
                .referer(false)
                .user_agent(concat!("deepslate/", env!("CARGO_PKG_VERSION")));
            builder.build().map_err(|error| spelled(&error))
        });
        made.as_ref().map_err(|error| Trouble::new("network", format!("the HTTP client can't be made: {error}")))
    }

    /// Sends a request and gives the body of the response, or what came in its place.
    pub(crate) async fn send(&self, request: Outgoing) -> Result<Vec<u8>, Trouble> {
        let (named, timeout) = (request.named(), request.timeout);
        let exchange = self.exchange(request, &named);
        match timeout {
            None => exchange.await,
            Some(timeout) => tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| {
                let seconds = timeout.as_secs_f64();
                Err(Trouble::new("timeout", format!("{named}: no response within {seconds} seconds")))
            }),
        }
    }

    async fn exchange(&self, request: Outgoing, named: &str) -> Result<Vec<u8>, Trouble> {
        let fault = |error: reqwest::Error| {
            let kind = if error.is_timeout() { "timeout" } else { "network" };
            Trouble::new(kind, format!("{named}: {}", spelled(&error.without_url())))
        };
        let Outgoing { method, url, headers, body, .. } = request;
        let sent = self.inner()?.request(method, url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(fault)?;
        let (status, limit) = (response.status(), self.response_bytes);
        let mut received = Vec::new();
        let mut over = false;
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            let room = limit - received.len();
            received.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                over = true;
                break;
            }
        }
        let cut = if over { format!(" (the body is cut to {limit} bytes)") } else { String::new() };
        if !status.is_success() {
            let message = format!("{named}: the server answered {status}{cut}");
            return Err(Trouble { kind: "status", message, status: status.as_u16(), body: received });
        }
        if over {
            let message = format!("{named}: the response is over the limit of {limit} bytes");
            return Err(Trouble::new("network", message));
        }
        Ok(received)
    }
}

/// The certificates of the authorities in a file, or why they can't be had.
pub(super) fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, String> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let wrong = |error: rustls::pki_types::pem::Error| format!("{}: {error}", file.display());
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(wrong)?.collect();
    let found = found.map_err(wrong)?;
    if found.is_empty() {
        return Err(format!("{} has no certificate in PEM form", file.display()));
    }
    let mut roots = rustls::RootCertStore::empty();
    for certificate in &found {
        let why = |error| format!("{} has a certificate that can't be used: {error}", file.display());
        roots.add(certificate.clone()).map_err(why)?;
    }
    Ok(found)
}

/// TLS by ring, trusting whom the machine trusts and the authorities of this file.
fn tls(certificates: Option<&Path>) -> Result<rustls::ClientConfig, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    let (_, _) = roots.add_parsable_certificates(found.certs);
    let (_, _) = roots.add_parsable_certificates(authorities(certificates)?);
    if roots.is_empty() {
        let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        tracing::warn!("this machine has no certificates to trust; requests to https fail: {}", errors.join("; "));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// An error with its causes, each once.
fn spelled(error: &dyn std::error::Error) -> String {
    let (mut seen, mut words, mut next) = (BTreeSet::new(), Vec::new(), Some(error));
    while let Some(error) = next {
        let text = error.to_string();
        if seen.insert(text.clone()) {
            words.push(text);
        }
        next = error.source();
    }
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(method: &str, url: &str, headers: &[(&str, &str)], timeout: f64) -> Vec<Datum> {
        let text = |text: &str| Datum::Str(text.into());
        let headers = headers.iter().map(|(name, value)| (text(name), text(value))).collect();
        vec![text(method), text(url), Datum::Dict(headers), Datum::Bytes(b"x".to_vec()), Datum::Float(timeout)]
    }

    #[test]
    fn what_can_not_be_sent_is_said_before_anything_is() {
        for (method, url, headers, timeout, part) in [
            ("GET", "nowhere", &[][..], 1.0, "no URL"),
            ("GET", "", &[], 1.0, "no URL"),
            ("GET", "http://", &[], 1.0, "no URL"),
            ("GET", "ftp://a/b", &[], 1.0, "only http and https"),
            ("GET", "file:///etc/passwd", &[], 1.0, "only http and https"),
            ("G T", "http://a", &[], 1.0, "no method"),
            ("CONNECT", "http://a", &[], 1.0, "CONNECT"),
            ("GET", "http://a", &[("a b", "c")], 1.0, "no name of a header"),
            ("GET", "http://a", &[("a", "b\r\nc: d")], 1.0, "a sign"),
            ("GET", "http://a", &[("Content-Length", "3")], 1.0, "by the client itself"),
            ("GET", "http://a", &[], -1.0, "-1 seconds"),
            ("GET", "http://a", &[], f64::NAN, "NaN"),
        ] {
            let wrong = Outgoing::of(&args(method, url, headers, timeout), "k").unwrap_err();
            assert!(wrong.contains(part) && wrong.contains("nothing was sent"), "{wrong}");
        }
        assert!(Outgoing::of(&[], "k").is_err());
    }

    #[test]
    fn the_key_is_sent_unless_the_flow_sets_one() {
        let own = Outgoing::of(&args("PATCH", "http://a/b", &[("IDEMPOTENCY-key", "mine")], 1.0), "k").unwrap();
        assert_eq!(own.headers[KEY], "mine");
        let given = Outgoing::of(&args("GET", "https://u:p@a/b?token=1", &[], f64::INFINITY), "k").unwrap();
        assert_eq!(given.headers[KEY], "k");
        assert_eq!(given.timeout, None);
        assert_eq!(given.named(), "GET https://a/b");
    }
}

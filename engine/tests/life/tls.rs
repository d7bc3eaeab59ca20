//! Requests of flows to https: trust by a certificate file, names, kept connections, redirects, servers that say nothing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::{Engine, HttpOptions, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::http::{result, start_with, text};
use crate::web::{Server, response};
use crate::world::{memory, options};

/// A file of the folder `tls`, whose `make.sh` says how they were made.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/life/tls").join(name)
}

/// A server on localhost that speaks TLS with the certificate of the tests and answers every request with its path.
struct Secure {
    port: u16,
    /// How many connections were made, whatever came of them.
    connections: Arc<Mutex<usize>>,
}

impl Secure {
    async fn start() -> Secure {
        let chain = CertificateDer::pem_file_iter(file("localhost.pem")).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(file("localhost.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<Mutex<usize>>::default();
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not trust it goes away.
                    let Ok(mut socket) = acceptor.accept(socket).await else { return };
                    let mut bytes = Vec::new();
                    while socket.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                        let head = String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
                        let path = head.split(' ').nth(1).unwrap_or_default();
                        let answer = response("200 OK", "", &format!("secure {path}"));
                        if socket.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Secure { port, connections }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.port)
    }
}

async fn engine(http: HttpOptions) -> Engine {
    start_with(memory(), Options { http, ..options() }).await
}

fn trusting() -> HttpOptions {
    HttpOptions { certificates: Some(file("authority.pem")), ..HttpOptions::default() }
}

/// Gets a URL, with what came of it.
async fn get(engine: &Engine, name: &str, url: &str) -> Result<String, (String, String, i64, String)> {
    let args = vec![text("GET"), text(url), Datum::Dict(Vec::new()), Datum::Bytes(Vec::new()), Datum::Float(20.0)];
    engine.spawn(name, "ask", args).await.unwrap();
    result(engine, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_the_config_is_trusted_and_connections_are_kept() {
    let server = Secure::start().await;
    let engine = engine(trusting()).await;
    for n in 0..5 {
        let path = format!("/{n}");
        let answer = get(&engine, &format!("i{n}"), &server.url("localhost", &path)).await;
        assert_eq!(answer, Ok(format!("secure {path}")));
    }
    assert_eq!(*server.connections.lock().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_trusted_is_not_asked() {
    let server = Secure::start().await;
    // By nobody that the machine trusts.
    let stranger = engine(HttpOptions::default()).await;
    let (kind, message, status, _) = get(&stranger, "a", &server.url("localhost", "/?secret=1")).await.unwrap_err();
    assert_eq!((kind.as_str(), status), ("network", 0), "{message}");
    assert!(message.contains("UnknownIssuer") && !message.contains("secret"), "{message}");
    // A good certificate of another name.
    let trusting = engine(trusting()).await;
    let (kind, message, ..) = get(&trusting, "b", &server.url("127.0.0.1", "/")).await.unwrap_err();
    assert_eq!((kind.as_str(), message.contains("not valid for name")), ("network", true), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_to_https() {
    let server = Secure::start().await;
    let target = server.url("localhost", "/moved");
    let plain = Server::start(move |_| response("301 Moved Permanently", &format!("location: {target}\r\n"), "")).await;
    let engine = engine(trusting()).await;
    assert_eq!(get(&engine, "a", &plain.url("/")).await, Ok("secure /moved".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_shakes_hands_is_a_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", silent.local_addr().unwrap().port());
    let engine = engine(HttpOptions { connect_timeout: Duration::from_millis(200), ..trusting() }).await;
    let (kind, message, ..) = get(&engine, "a", &url).await.unwrap_err();
    assert_eq!(kind, "timeout", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_no_certificates_is_said_at_the_start() {
    let broken = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(broken.path(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    for (path, part) in [
        (file("nowhere.pem"), "nowhere.pem"),
        (file("make.sh"), "no certificate in PEM form"),
        (broken.path().to_owned(), "can't be used"),
    ] {
        let http = HttpOptions { certificates: Some(path), ..HttpOptions::default() };
        let started = Engine::builder(memory()).options(Options { http, ..options() }).start().await;
        let error = started.expect_err("it can't be read").to_string();
        assert!(error.contains("`certificates` of [http]") && error.contains(part), "{error}");
    }
}

//! Redis servers of a test's own, a look at one beside the store, and a proxy that loses replies on purpose.

use std::net::TcpListener as Listener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisResult};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A connection, once the server answers; it may be starting.
pub async fn connect(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("an address");
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match try_ask::<String>(&client, &["PING"]).await {
            Ok(_) => return client.get_multiplexed_async_connection().await.expect("it answered"),
            Err(error) => assert!(Instant::now() < end, "no answer: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn try_ask<T: FromRedisValue>(client: &redis::Client, words: &[&str]) -> RedisResult<T> {
    let mut conn = client.get_multiplexed_async_connection().await?;
    let mut cmd = redis::Cmd::new();
    words.iter().for_each(|word| _ = cmd.arg(word));
    cmd.query_async(&mut conn).await
}

/// What a command answers.
pub async fn ask<T: FromRedisValue>(url: &str, words: &[&str]) -> T {
    let mut conn = connect(url).await;
    conn.set_response_timeout(Duration::from_secs(60));
    let mut cmd = redis::Cmd::new();
    words.iter().for_each(|word| _ = cmd.arg(word));
    cmd.query_async(&mut conn).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// Removes all keys of a prefix.
pub async fn clear(url: &str, prefix: &str) {
    let mut conn = connect(url).await;
    let mut at = "0".to_owned();
    loop {
        let pattern = format!("{{{prefix}[:}}]*");
        let mut scan = redis::cmd("SCAN");
        scan.arg(&at).arg("MATCH").arg(pattern).arg("COUNT").arg(1000);
        let (next, keys): (String, Vec<Vec<u8>>) = scan.query_async(&mut conn).await.expect("scans");
        if !keys.is_empty() {
            let _: i64 = redis::cmd("UNLINK").arg(keys).query_async(&mut conn).await.expect("removes");
        }
        if next == "0" {
            return;
        }
        at = next;
    }
}

/// What makes a server keep what it acknowledges.
pub const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

pub fn free_port() -> u16 {
    Listener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// A server of a test's own, with a directory that is thrown away.
pub struct Server {
    program: String,
    directory: tempfile::TempDir,
    settings: Vec<String>,
    pub port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts the program on a free port with these settings.
    pub async fn start(program: &str, settings: &[&str]) -> Server {
        let port = free_port();
        let mut server = Server {
            program: program.to_owned(),
            directory: tempfile::tempdir().expect("a directory"),
            settings: settings.iter().map(|word| (*word).to_owned()).collect(),
            port,
            child: None,
        };
        server.up().await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it again, and waits until it has read its data.
    pub async fn up(&mut self) {
        let log: PathBuf = self.directory.path().join("log");
        let log = std::fs::File::options().create(true).append(true).open(log).expect("a log");
        let port = self.port.to_string();
        let mut command = Command::new(&self.program);
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "yes", "--dir"]);
        command.arg(self.directory.path()).args(&self.settings);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.child = Some(command.spawn().expect("the server starts"));
        connect(&self.url()).await;
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is ended");
            child.wait().expect("it has ended");
        }
    }

    /// Ends it as its operator does.
    pub async fn stop(&mut self) {
        let client = redis::Client::open(self.url()).expect("an address");
        // It closes the connection instead of an answer.
        let _: RedisResult<String> = try_ask(&client, &["SHUTDOWN", "NOSAVE"]).await;
        if let Some(mut child) = self.child.take() {
            child.wait().expect("it has ended");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A proxy before a Redis server. It ends with the test's runtime.
pub struct Proxy {
    pub port: u16,
    server: Arc<Mutex<String>>,
    calls: Arc<AtomicU64>,
    lose_every: Arc<AtomicU64>,
}

impl Proxy {
    pub async fn start(server: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let server = Arc::new(Mutex::new(server.to_owned()));
        let proxy = Proxy { port, server, calls: Arc::default(), lose_every: Arc::default() };
        let (server, calls, lose_every) = (proxy.server.clone(), proxy.calls.clone(), proxy.lose_every.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let place = server.lock().expect("nobody panics with it").clone();
                let Ok(server) = TcpStream::connect(place).await else { continue };
                tokio::spawn(pass(client, server, calls.clone(), lose_every.clone()));
            }
        });
        proxy
    }

    /// New connections go there from now on.
    pub fn lead_to(&self, server: &str) {
        *self.server.lock().expect("nobody panics with it") = server.to_owned();
    }

    /// How often a client has sent scripts and waited for the answer, however many scripts there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// From now on the answer to each call whose number this divides is lost, with its connection; 0 loses none.
    pub fn lose_every(&self, number: u64) {
        self.lose_every.store(number, Ordering::SeqCst);
    }
}

/// One connection. The store sends no second request on one before the first is answered, so a call begins when the client
/// speaks after the server did.
async fn pass(mut client: TcpStream, mut server: TcpStream, calls: Arc<AtomicU64>, lose_every: Arc<AtomicU64>) {
    let (mut asked, mut told) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let lose = AtomicBool::new(false);
    let mut answered = true;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                let words = &asked[..read];
                if answered && words.windows(4).any(|word| word == b"EVAL") {
                    answered = false;
                    let number = calls.fetch_add(1, Ordering::SeqCst) + 1;
                    let every = lose_every.load(Ordering::SeqCst);
                    lose.store(every > 0 && number.is_multiple_of(every), Ordering::SeqCst);
                }
                if server.write_all(words).await.is_err() { return }
            }
            read = server.read(&mut told) => {
                let Ok(read @ 1..) = read else { return };
                answered = true;
                if lose.load(Ordering::SeqCst) { return }
                if client.write_all(&told[..read]).await.is_err() { return }
            }
        }
    }
}

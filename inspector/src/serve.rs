//! The listener: where it listens, how it ends. It ends with the engine, or when it is told to; streams and long polls end then too,
//! and what has not ended two seconds later is cut off.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use deepslate_engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::guard::Guard;
use crate::routes;

/// How long open requests may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// How soon the end of the engine is noticed.
const LOOK: Duration = Duration::from_millis(200);

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `host:port`; port 0 takes a free one.
    pub address: String,
    /// Names besides `localhost` and IP addresses by which browsers may ask, for a proxy in front.
    pub hosts: Vec<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config { address: "127.0.0.1:8080".into(), hosts: Vec::new() }
    }
}

/// Why the inspector can't listen: its address with the system's reason.
#[derive(Debug)]
pub struct ServeError {
    address: String,
    cause: io::Error,
}

impl ServeError {
    /// Whether something else listens there already.
    pub fn is_taken(&self) -> bool {
        self.cause.kind() == io::ErrorKind::AddrInUse
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = if self.is_taken() { "another program listens there; " } else { "" };
        write!(
            f,
            "the inspector can't listen at {}: {advice}set `address` of [inspector] or DEEPSLATE_INSPECTOR_ADDRESS ({})",
            self.address, self.cause
        )
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// A running inspector. Dropping it does not stop it: it ends with the engine.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to type into a browser.
    pub fn url(&self) -> String {
        let reachable = match self.address.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        format!("http://{}/", SocketAddr::new(reachable, self.address.port()))
    }

    /// Stops it and waits until it has let go of its address.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A panic there is no reason for one here.
        let _ = self.task.await;
    }
}

/// Serves the page and the API of an engine, on the current tokio runtime, until the engine stops.
///
/// There is no access control beyond what keeps other web pages out: whoever can connect may do everything, so an address that other
/// machines can reach is logged as a warning.
pub async fn serve(engine: Engine, config: Config) -> Result<Handle, ServeError> {
    let refused = |cause| ServeError { address: config.address.clone(), cause };
    let listener = TcpListener::bind(&config.address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "the inspector can be reached from other machines, and asks for no password");
    }
    let stop = watch::Sender::new(false);
    let routes = routes::of(engine.clone(), Guard::new(&config.hosts), stop.subscribe());
    let task = tokio::spawn(run(listener, routes, engine, stop.clone()));
    Ok(Handle { address, stop, task })
}

async fn run(listener: TcpListener, routes: axum::Router, engine: Engine, stop: watch::Sender<bool>) {
    let mut told = stop.subscribe();
    let ended = async move {
        tokio::select! {
            _ = told.wait_for(|stop| *stop) => {}
            () = stopped(&engine) => {
                stop.send_replace(true);
            }
        }
    };
    let (all_said, all_over) = tokio::sync::oneshot::channel();
    let shutdown = async move {
        ended.await;
        // The receiver is gone only when serving is over already.
        let _ = all_said.send(());
    };
    let cut = async move {
        if all_over.await.is_ok() {
            tokio::time::sleep(GRACE).await;
        }
    };
    tokio::select! {
        served = axum::serve(listener, routes).with_graceful_shutdown(shutdown) => {
            if let Err(error) = served {
                tracing::error!(%error, "the inspector stopped");
            }
        }
        () = cut => {}
    }
}

/// Ends when the engine has stopped.
async fn stopped(engine: &Engine) {
    while !engine.is_stopped() {
        tokio::time::sleep(LOOK).await;
    }
}

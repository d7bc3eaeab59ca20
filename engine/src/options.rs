//! What an operator may set about the engine, with the defaults. The config file of the facade fills this in; here are plain
//! values.

use std::time::Duration;

use deepslate_regvm as regvm;

use crate::error::{Error, Kind, Result};
use crate::http::HttpOptions;
use crate::limits::NAMESPACE_BYTES_MAX;

/// Settings of an engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Where names are unique: several applications may share a store.
    pub namespace: String,
    /// The number of this node, the same in all its lives; 0 to `i64::MAX`.
    pub node_id: u64,
    /// Where other nodes reach this one.
    pub address: String,
    /// Threads that run flows; at least 1.
    pub workers: usize,
    /// Threads of the I/O runtime, when the engine makes its own; at least 1.
    pub io_threads: usize,
    /// How long an isolate runs while others wait, or while it holds what must be committed.
    pub slice: Duration,
    /// How long the lease is good after each renewal; it is renewed three times in that time. At least 100 ms.
    pub lease: Duration,
    /// How long a computation runs at most before its state is committed although nothing asks for it.
    pub checkpoint: Duration,
    /// Most idle isolates that are kept in memory.
    pub warm_isolates: usize,
    /// Most bytes of heap of idle isolates that are kept in memory.
    pub warm_bytes: u64,
    /// How long an idle isolate is kept in memory.
    pub warm_for: Duration,
    /// Most isolates that are being read from the store at once; at least 1.
    pub loads: usize,
    /// Most host calls under way at once; at least 1.
    pub host_calls: usize,
    /// How long a shutdown waits for host calls under way.
    pub drain: Duration,
    /// How long finished isolates are kept.
    pub keep_finished: Duration,
    /// How many events of each isolate are kept: log lines and what was done to it.
    pub keep_events: u32,
    /// What each isolate may use.
    pub isolate: regvm::Limits,
    /// What flows hear and ask by HTTP.
    pub http: HttpOptions,
    /// How programs are made ready; results never depend on it.
    pub vm: regvm::Options,
}

impl Default for Options {
    fn default() -> Options {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Options {
            namespace: "default".into(),
            node_id: 1,
            address: String::new(),
            workers: cores,
            io_threads: cores.clamp(1, 4),
            slice: Duration::from_millis(10),
            lease: Duration::from_secs(5),
            checkpoint: Duration::from_secs(5),
            warm_isolates: 10_000,
            warm_bytes: 256 << 20,
            warm_for: Duration::from_secs(10),
            loads: 64,
            host_calls: 1_000,
            drain: Duration::from_secs(10),
            keep_finished: Duration::from_secs(30 * 24 * 3600),
            keep_events: 1_000,
            isolate: regvm::Limits::default(),
            http: HttpOptions::default(),
            vm: regvm::Options::default(),
        }
    }
}

impl Options {
    /// Refuses what can't work, with the name of the setting.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(Kind::System, "start", what));
        if self.namespace.is_empty() || self.namespace.len() > NAMESPACE_BYTES_MAX {
            return refuse(format!("`namespace` must have 1 to {NAMESPACE_BYTES_MAX} bytes"));
        }
        if self.node_id > i64::MAX as u64 {
            return refuse(format!("`node_id` must be at most {}", i64::MAX));
        }
        let counts = [
            ("workers", self.workers),
            ("io_threads", self.io_threads),
            ("loads", self.loads),
            ("host_calls", self.host_calls),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| !(1..=100_000).contains(count)) {
            return refuse(format!("`{name}` must be 1 to 100000"));
        }
        if self.lease < Duration::from_millis(100) || self.lease > Duration::from_secs(3600) {
            return refuse("`lease` must be 100 ms to one hour".into());
        }
        if let Some(what) = self.http.wrong() {
            return refuse(what);
        }
        if self.slice.is_zero() {
            return refuse("`slice` must be longer than 0".into());
        }
        Ok(())
    }
}

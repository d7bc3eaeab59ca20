//! The Redis backend: many nodes on one Redis (7.0 or later, or Valkey) or Redis cluster, which is the distributed engine.
//!
//! Writes are scripts in the server (`lua/`, called by `writes`): one for each shard of a batch, fence included, all in one pipeline.
//! Queries are in `reads`; sessions, leases and epochs in `leases`; connections and the slots of a cluster in `servers`. Times are the
//! server's. What a server must be set to is in `durability`: one that would lose what it acknowledges is refused. A
//! fail-over keeps everything only with `replicas` (decision 10 says why).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::io::tcp::TcpSettings;
use redis::{ConnectionAddr, ConnectionInfo, ProtocolVersion};

use super::{Opening, Settings, number};
use crate::batch::{check_commit, check_commits, check_deletes, check_program, check_session};
use crate::limits::{PAGE_MAX, SHARD_COUNT_DEFAULT, SHARD_COUNT_MAX};
use crate::{
    Claim, Commit, Counts, Delete, Due, Ended, Epoch, Error, Filter, Head, IsolateId, Kind, Limits, ListCursor, Opened,
    Outcome, Page, ProgramHash, Result, Session, SessionId, Shard, ShardLease, Snapshot, Store,
};
use durability::Demand;
use failure::Fail;
use keys::{Keys, Place};
use scripts::{CREATE, Request};
use servers::{Servers, items, strange};

pub use durability::Durability;

mod durability;
mod failure;
mod keys;
mod leases;
mod reads;
mod record;
mod scripts;
mod servers;
mod writes;

/// Redis takes values of up to 512 MiB.
const LIMITS: Limits = Limits { part_bytes_max: 256 << 20, ..Limits::DEFAULT };
const CONNECTIONS_DEFAULT: usize = 16;
const TIMEOUT_MS_DEFAULT: u64 = 30_000;
const PREFIX_DEFAULT: &str = "deepslate";
const PREFIX_BYTES_MAX: usize = 64;
const FORMAT: i64 = 1;
/// Isolates whose shard is remembered: between half of this and all of it.
const REMEMBERED_MAX: usize = 1 << 17;

/// The settings of this backend.
pub const SETTINGS: &[(&str, &str)] = &[
    ("url", "redis://user:password@host:6379/0, or rediss:// for TLS; of a cluster any server; needed, secret"),
    ("prefix", "what the names of all keys begin with; default deepslate"),
    ("shards", "number of shards of a new store; default 64"),
    ("max_connections", "connections at most; default 16"),
    ("max_batch", "isolates in one batch at most; default 4096"),
    ("timeout_ms", "how long one call may take before it counts as lost; default 30000"),
    (
        "durability",
        "fsync to refuse a server that may lose what it acknowledged, unchecked to take it as it is; default fsync",
    ),
    (
        "replicas",
        "replicas that must have a write on disk before it is acknowledged, with Redis 7.2 or later; default 0",
    ),
];

/// Opens it with settings out of a config.
pub(super) fn open_configured(settings: &Settings) -> Opening {
    let options = configured(settings);
    Box::pin(async move { Ok(Arc::new(Redis::open(options?).await?) as Arc<dyn Store>) })
}

fn configured(settings: &Settings) -> Result<Options> {
    let url = settings.get("url").ok_or_else(|| {
        refuse("backend `redis` needs the setting `url`, as redis://user:password@host:6379/0".into())
    })?;
    let default = Options::new(url.as_str());
    let durability = match settings.get("durability").map(String::as_str) {
        None | Some("fsync") => Durability::Fsync,
        Some("unchecked") => Durability::Unchecked,
        Some(other) => return Err(refuse(format!("setting `durability` is `{other}`; it must be fsync or unchecked"))),
    };
    Ok(Options {
        prefix: settings.get("prefix").cloned().unwrap_or(default.prefix),
        shard_count: number(settings, "shards", default.shard_count)?,
        max_connections: number(settings, "max_connections", default.max_connections)?,
        max_batch: number(settings, "max_batch", default.max_batch)?,
        timeout: Duration::from_millis(number(settings, "timeout_ms", TIMEOUT_MS_DEFAULT)?),
        durability,
        replicas: number(settings, "replicas", default.replicas)?,
        url: default.url,
    })
}

fn refuse(what: String) -> Error {
    Error::new(Kind::Refused, "open", what)
}

/// How to open a store in a Redis.
#[derive(Clone)]
pub struct Options {
    /// Where it is. It may hold a password, so it is never printed.
    pub url: String,
    /// What the names of all keys begin with: letters, digits, `_`, `-`, `.`, 1 to 64 of them. Stores with different ones share a Redis.
    pub prefix: String,
    /// Number of shards (1 to 4,096) if the store is new; one that exists keeps its own.
    pub shard_count: u32,
    /// Connections at most, 1 or more.
    pub max_connections: usize,
    /// Isolates in one batch at most, 1 to the default.
    pub max_batch: usize,
    /// How long one call may take before its connection is given up, so that the caller can retry.
    pub timeout: Duration,
    /// What must hold before a write is acknowledged.
    pub durability: Durability,
    /// Replicas that must have a write on their disk before it is acknowledged. More than 0 needs Redis 7.2 or later; while fewer are
    /// there, every write answers `Retry`.
    pub replicas: u32,
}

impl Options {
    /// An address and the defaults.
    pub fn new(url: impl Into<String>) -> Options {
        Options {
            url: url.into(),
            prefix: PREFIX_DEFAULT.to_owned(),
            shard_count: SHARD_COUNT_DEFAULT,
            max_connections: CONNECTIONS_DEFAULT,
            max_batch: LIMITS.batch_max,
            timeout: Duration::from_millis(TIMEOUT_MS_DEFAULT),
            durability: Durability::Fsync,
            replicas: 0,
        }
    }
}

/// A store in a Redis, under one prefix.
pub struct Redis {
    servers: Servers,
    limits: Limits,
    shard_count: u32,
    /// Host, port and prefix, for errors.
    place: String,
    remembered: Mutex<Remembered>,
}

/// Which shard an isolate lies in: a caller that has an id has mostly got it from here. The older half goes when both are full.
#[derive(Default)]
struct Remembered {
    young: HashMap<IsolateId, Shard>,
    old: HashMap<IsolateId, Shard>,
}

impl Redis {
    /// Connects, and makes the store if it is not there. Many may have it open at once.
    ///
    /// `Retry` while the server can't be reached, `Refused` for what will not cure itself (user, password, permission, a setting, a
    /// server that is not durable enough), `Newer` for a store of a later version.
    pub async fn open(options: Options) -> Result<Redis> {
        let Options { url, prefix, shard_count, max_connections, max_batch, timeout, durability, replicas } = options;
        if !is_prefix(&prefix) {
            let rule = "use letters, digits, `_`, `-` and `.`, 1 to 64 of them";
            return Err(refuse(format!("`{prefix}` can't be the prefix: {rule}")));
        }
        for (setting, value) in [("max_connections", max_connections), ("max_batch", max_batch)] {
            if value == 0 {
                return Err(refuse(format!("setting `{setting}` is 0; it must be at least 1")));
            }
        }
        if shard_count == 0 || shard_count > SHARD_COUNT_MAX {
            return Err(refuse(format!("{shard_count} shards asked for; a store has 1 to {SHARD_COUNT_MAX}")));
        }
        let limits = Limits { batch_max: max_batch.min(LIMITS.batch_max), ..LIMITS };
        let info = address(&url)?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => format!("{host}:{port}"),
            other => other.to_string(),
        };
        let place = format!("{place} prefix {prefix}");
        let demand = Demand { durability, replicas };
        let servers = Servers::open(info, Keys::new(prefix), demand, timeout, max_connections).await;
        let servers = servers.map_err(|fail| fail.into_error("open", &place))?;
        let mut store = Redis { servers, limits, shard_count, place, remembered: Mutex::default() };
        store.shard_count = store.prepare(shard_count).await.map_err(|fail| fail.into_error("open", &store.place))?;
        Ok(store)
    }

    /// Makes the store, or reads how many shards it has.
    async fn prepare(&self, shard_count: u32) -> std::result::Result<u32, Fail> {
        let args = vec![FORMAT.to_string().into_bytes().into(), shard_count.to_string().into_bytes().into()];
        let create = Request::script(Place::Store, &CREATE, vec![self.servers.keys.store()], args);
        let values = self.servers.send(&[create], true).await?;
        let made = items(values.into_iter().next().ok_or_else(|| strange("an answer"))?)?;
        let made = made.into_iter().map(servers::number).collect::<std::result::Result<Vec<_>, _>>()?;
        let [format, shards] = made[..] else { return Err(strange("the answer of a script")) };
        if format > FORMAT {
            let what = format!(
                "the store has format {format}, this version of Deepslate reads formats up to {FORMAT}; use the newer version that wrote it"
            );
            return Err(Fail::Settled(Error::new(Kind::Newer, "open", what)));
        }
        u32::try_from(shards).ok().filter(|shards| (1..=SHARD_COUNT_MAX).contains(shards)).ok_or_else(|| {
            let what = format!("the store says that it has {shards} shards; restore a backup of Redis");
            Fail::Settled(Error::new(Kind::Corrupt, "open", what))
        })
    }

    fn settle<T>(&self, operation: &'static str, done: std::result::Result<T, Fail>) -> Result<T> {
        done.map_err(|fail| fail.into_error(operation, &self.place))
    }

    fn remembering(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, id: IsolateId, shard: Shard) {
        let mut remembered = self.remembering();
        if remembered.young.len() >= REMEMBERED_MAX / 2 {
            remembered.old = std::mem::take(&mut remembered.young);
        }
        remembered.young.insert(id, shard);
    }

    fn remembered(&self, id: IsolateId) -> Option<Shard> {
        let remembered = self.remembering();
        remembered.young.get(&id).or_else(|| remembered.old.get(&id)).copied()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis({}, {} shards)", self.place, self.shard_count)
    }
}

fn is_prefix(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=PREFIX_BYTES_MAX).contains(&name.len()) && name.chars().all(fits)
}

/// Reads the URL. No error repeats it, since it may hold a password.
fn address(url: &str) -> Result<ConnectionInfo> {
    let no_url = || refuse("setting `url` is no address of a Redis: redis://user:password@host:6379/0".into());
    if !["redis://", "rediss://", "redis+unix://", "unix://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(no_url());
    }
    let info = redis::Client::open(url).map_err(|_| no_url())?.get_connection_info().clone();
    let settings =
        info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2).set_lib_name("deepslate", VERSION);
    Ok(info.set_redis_settings(settings).set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[async_trait]
impl Store for Redis {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn shard_count(&self) -> u32 {
        self.shard_count
    }

    async fn now_ms(&self) -> Result<i64> {
        self.settle("now_ms", self.read_time().await)
    }

    async fn commit(&self, batch: Vec<Commit>) -> Result<Vec<Outcome>> {
        check_commits(&batch, &self.limits)?;
        let judged: Vec<Result<()>> =
            batch.iter().map(|commit| check_commit(commit, &self.limits, self.shard_count)).collect();
        let sound: Vec<&Commit> =
            batch.iter().zip(&judged).filter(|(_, judged)| judged.is_ok()).map(|both| both.0).collect();
        let mut outcomes = self.settle("commit", self.commit_checked(&sound).await)?.into_iter();
        let answer = |judged: Result<()>| match judged {
            Ok(()) => outcomes.next().unwrap_or(Outcome::Fenced),
            Err(error) => Outcome::Failed(error),
        };
        Ok(judged.into_iter().map(answer).collect())
    }

    async fn delete(&self, batch: Vec<Delete>) -> Result<Vec<Outcome>> {
        check_deletes(&batch, &self.limits)?;
        self.settle("delete", self.delete_all(&batch).await)
    }

    async fn head(&self, id: IsolateId) -> Result<Option<Head>> {
        self.settle("head", self.read_head(id).await)
    }

    async fn head_by_name(&self, namespace: &str, name: &str) -> Result<Option<Head>> {
        self.settle("head_by_name", self.read_by_name(namespace, name).await)
    }

    async fn snapshot(&self, id: IsolateId) -> Result<Option<Snapshot>> {
        self.settle("snapshot", self.read_snapshot(id).await)
    }

    async fn events(&self, id: IsolateId, from: u64, limit: usize) -> Result<Vec<(u64, Bytes)>> {
        self.settle("events", self.read_events(id, from, limit.min(PAGE_MAX)).await)
    }

    async fn due(&self, shard: Shard, after: Option<Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>> {
        self.settle("due", self.read_due(shard, after, until_ms, limit.min(PAGE_MAX)).await)
    }

    async fn runnable(&self, shard: Shard, after: Option<IsolateId>, limit: usize) -> Result<Vec<IsolateId>> {
        self.settle("runnable", self.read_runnable(shard, after, limit.min(PAGE_MAX)).await)
    }

    async fn ended(&self, shard: Shard, after: Option<Ended>, until_ms: i64, limit: usize) -> Result<Vec<Ended>> {
        self.settle("ended", self.read_ended(shard, after, until_ms, limit.min(PAGE_MAX)).await)
    }

    async fn list(&self, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Result<Page> {
        self.settle("list", self.read_list(filter, after, limit.min(PAGE_MAX)).await)
    }

    async fn counts(&self, namespace: Option<&str>) -> Result<Counts> {
        self.settle("counts", self.read_counts(namespace).await)
    }

    async fn put_program(&self, hash: ProgramHash, bytes: Bytes) -> Result<()> {
        check_program(hash, bytes.len(), &self.limits)?;
        self.settle("put_program", self.keep_program(hash, &bytes).await)
    }

    async fn program(&self, hash: ProgramHash) -> Result<Option<Bytes>> {
        self.settle("program", self.read_program(hash).await)
    }

    async fn programs(&self) -> Result<Vec<ProgramHash>> {
        self.settle("programs", self.read_programs().await)
    }

    async fn open_session(&self, id: SessionId, address: &str, ttl_ms: u32) -> Result<Opened> {
        check_session(address, ttl_ms)?;
        let opened = self.change_leases(|leases, now_ms| Ok(leases.open(id, address, ttl_ms, now_ms))).await;
        self.settle("open_session", opened)
    }

    async fn renew(&self, id: SessionId) -> Result<i64> {
        self.settle("renew", self.renew_session(id).await)
    }

    async fn close_session(&self, id: SessionId) -> Result<()> {
        self.settle("close_session", self.release_shards(|_| true, |leases| leases.remove(id)).await)
    }

    async fn sessions(&self) -> Result<Vec<Session>> {
        Ok(self.settle("sessions", self.read_leases().await)?.sessions())
    }

    async fn claim(&self, id: SessionId, shard: Shard) -> Result<Claim> {
        self.settle("claim", self.claim_shard(id, shard).await)
    }

    async fn release(&self, id: SessionId, shard: Shard, epoch: Epoch) -> Result<()> {
        let of = |lease: &ShardLease| lease.shard == shard;
        self.settle("release", self.release_shards(of, |leases| leases.release(id, shard, epoch)).await)
    }

    async fn shards(&self) -> Result<Vec<ShardLease>> {
        Ok(self.settle("shards", self.read_leases().await)?.shards())
    }
}

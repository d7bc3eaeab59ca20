//! The Postgres backend: many nodes on one PostgreSQL (13 or later), which is the distributed engine.
//!
//! A batch is one statement (`schema::COMMIT`, sent by `writes`), fence included; queries are in `reads`, the tables in `schema`. Times are the
//! server's. It relies on `synchronous_commit` (which it asks for on its connections) and on the server's fsync telling the truth;
//! after a failover to a standby that lacked acknowledged commits they are lost, so replicate synchronously where that matters.
//!
//! Connections are few and kept by this file, not by a pool that asks the server for a sign of life before or after each use: one that
//! fails is closed, with all that idle beside it, and the caller's `Retry` gets a new one.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;

use super::{Opening, Settings, number};
use crate::batch::{check_commit, check_commits, check_deletes, check_program, check_session};
use crate::lease::Leases;
use crate::limits::{PAGE_MAX, SHARD_COUNT_DEFAULT};
use crate::{
    Claim, Commit, Counts, Delete, Due, Ended, Epoch, Error, Filter, Head, IsolateId, Kind, Limits, ListCursor, Opened,
    Outcome, Page, ProgramHash, Result, Session, SessionId, Shard, ShardLease, Snapshot, Store,
};
use failure::Fail;
use schema::Statements;
use writes::Outcomes;

mod failure;
mod reads;
mod schema;
mod writes;

/// Runs one operation on a connection of its own, within the store's timeout.
macro_rules! on_connection {
    ($store:expr, $operation:expr, |$conn:ident| $work:expr) => {{
        let mut held = $store.take($operation).await?;
        let $conn = &mut held.conn;
        let done = tokio::time::timeout($store.timeout, $work).await;
        $store.settle($operation, held, done)
    }};
}

/// PostgreSQL takes messages of up to 1 GiB; a batch whose parts pass this many bytes is sent in pieces.
const STATEMENT_BYTES_MAX: usize = 64 << 20;
const LIMITS: Limits = Limits { part_bytes_max: 256 << 20, ..Limits::DEFAULT };
const CONNECTIONS_DEFAULT: usize = 16;
const TIMEOUT_MS_DEFAULT: u64 = 30_000;
const SCHEMA_DEFAULT: &str = "deepslate";

/// The settings of this backend.
pub const SETTINGS: &[(&str, &str)] = &[
    ("dsn", "connection string: postgres://user:password@host:port/database?sslmode=…; needed, secret"),
    ("schema", "the schema that holds the tables, made if it is not there; default deepslate"),
    ("shards", "number of shards of a new store; default 64"),
    ("max_connections", "connections at most; default 16"),
    ("max_batch", "isolates in one statement at most; default 4096"),
    ("timeout_ms", "how long one statement may take before it counts as lost; default 30000"),
    ("prepare", "true to keep prepared statements, false behind a proxy that can't; default true"),
];

/// Opens it with settings out of a config.
pub(super) fn open_configured(settings: &Settings) -> Opening {
    let options = configured(settings);
    Box::pin(async move { Ok(Arc::new(Postgres::open(options?).await?) as Arc<dyn Store>) })
}

fn configured(settings: &Settings) -> Result<Options> {
    let refuse = |what: String| Error::new(Kind::Refused, "open", what);
    let dsn = settings.get("dsn").ok_or_else(|| {
        refuse("backend `postgres` needs the setting `dsn`, as postgres://user:password@host:5432/database".into())
    })?;
    let default = Options::new(dsn.as_str());
    let prepare = match settings.get("prepare").map(String::as_str) {
        None | Some("true") => true,
        Some("false") => false,
        Some(other) => return Err(refuse(format!("setting `prepare` is `{other}`; it must be true or false"))),
    };
    Ok(Options {
        schema: settings.get("schema").cloned().unwrap_or(default.schema),
        shard_count: number(settings, "shards", default.shard_count)?,
        max_connections: number(settings, "max_connections", default.max_connections)?,
        max_batch: number(settings, "max_batch", default.max_batch)?,
        timeout: Duration::from_millis(number(settings, "timeout_ms", TIMEOUT_MS_DEFAULT)?),
        prepare,
        ..default
    })
}

/// How to open a store in a PostgreSQL database.
#[derive(Clone)]
pub struct Options {
    /// The connection string. It may hold a password, so it is never printed.
    pub dsn: String,
    /// The schema that holds the tables: lower-case letters, digits and `_`, at most 63. Made if it is not there.
    pub schema: String,
    /// Number of shards (1 to 4,096) if the store is new; one that exists keeps its own.
    pub shard_count: u32,
    /// Connections at most, 1 or more.
    pub max_connections: usize,
    /// Isolates in one statement at most, 1 to the default.
    pub max_batch: usize,
    /// How long one operation may take before its connection is given up, so that the caller can retry.
    pub timeout: Duration,
    /// Whether statements stay prepared on their connection. Not behind a proxy that gives each transaction another one and
    /// does not follow them (PgBouncer before 1.21).
    pub prepare: bool,
}

impl Options {
    /// A connection string and the defaults.
    pub fn new(dsn: impl Into<String>) -> Options {
        Options {
            dsn: dsn.into(),
            schema: SCHEMA_DEFAULT.to_owned(),
            shard_count: SHARD_COUNT_DEFAULT,
            max_connections: CONNECTIONS_DEFAULT,
            max_batch: LIMITS.batch_max,
            timeout: Duration::from_millis(TIMEOUT_MS_DEFAULT),
            prepare: true,
        }
    }
}

/// A store in one schema of a PostgreSQL database.
pub struct Postgres {
    connections: Arc<Connections>,
    sql: Statements,
    limits: Limits,
    shard_count: u32,
    /// Host, database and schema, for errors.
    place: String,
    timeout: Duration,
}

struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<PgConnection>>,
    permits: Arc<Semaphore>,
}

/// A connection that is in use. Unless it is kept, it is closed.
struct Held {
    conn: PgConnection,
    home: Arc<Connections>,
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(self: &Arc<Self>) -> Result<Held, Fail> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => self.connect().await?,
        };
        Ok(Held { conn, home: self.clone(), _permit: permit })
    }

    async fn connect(&self) -> Result<PgConnection, Fail> {
        let mut conn = PgConnection::connect_with(&self.options).await?;
        // A database or role may be set to less; what is acknowledged must be on disk.
        sqlx::query(
            "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)",
        )
        .persistent(false)
        .execute(&mut conn)
        .await?;
        Ok(conn)
    }
}

impl Held {
    fn keep(self) {
        self.home.idle().push(self.conn);
    }
}

impl Postgres {
    /// Connects, and makes the tables if there are none. Many may have it open at once.
    ///
    /// `Retry` while the server can't be reached, `Refused` for what will not cure itself (user, password, privilege, a setting),
    /// `Newer` for tables of a later version.
    pub async fn open(options: Options) -> Result<Postgres> {
        let refuse = |what: String| Error::new(Kind::Refused, "open", what);
        let Options { dsn, schema, shard_count, max_connections, max_batch, timeout, prepare } = options;
        if !is_schema_name(&schema) {
            let rule = "use lower-case letters, digits and _, at most 63, no digit first, and not `pg_` before it";
            return Err(refuse(format!("`{schema}` can't be the schema: {rule}")));
        }
        for (setting, value) in [("max_connections", max_connections), ("max_batch", max_batch)] {
            if value == 0 {
                return Err(refuse(format!("setting `{setting}` is 0; it must be at least 1")));
            }
        }
        let limits = Limits { batch_max: max_batch.min(LIMITS.batch_max), ..LIMITS };
        let no_dsn =
            || refuse("setting `dsn` is no connection string: postgres://user:password@host:5432/database".into());
        if !dsn.starts_with("postgres://") && !dsn.starts_with("postgresql://") {
            return Err(no_dsn());
        }
        let options = PgConnectOptions::from_str(&dsn)
            .map_err(|_| no_dsn())?
            .application_name("deepslate")
            .disable_statement_logging();
        let place = format!(
            "{}:{}/{} schema {schema}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let permits = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
        let connections = Arc::new(Connections { options, idle: Mutex::default(), permits });
        let sql = Statements::of(&schema, prepare);
        let mut store = Postgres { connections, sql, limits, shard_count, place, timeout };
        store.shard_count = on_connection!(store, "open", |conn| schema::prepare(conn, &schema, shard_count))?;
        Ok(store)
    }

    async fn take(&self, operation: &'static str) -> Result<Held> {
        let taken = tokio::time::timeout(self.timeout, self.connections.take()).await;
        let taken = taken.map_err(|_| self.late(operation))?;
        taken.map_err(|fail| fail.into_error(operation, &self.place))
    }

    /// Ends an operation: its connection is kept where all went well.
    fn settle<T>(
        &self,
        operation: &'static str,
        held: Held,
        done: std::result::Result<std::result::Result<T, Fail>, Elapsed>,
    ) -> Result<T> {
        match done {
            Ok(Ok(answer)) => {
                held.keep();
                Ok(answer)
            }
            Ok(Err(fail)) => {
                let error = fail.into_error(operation, &self.place);
                if error.kind() == Kind::Retry {
                    // Whatever broke this one has most likely broken those beside it.
                    self.connections.idle().clear();
                }
                Err(error)
            }
            Err(_) => {
                self.connections.idle().clear();
                Err(self.late(operation))
            }
        }
    }

    fn late(&self, operation: &'static str) -> Error {
        let what = format!("{}: no answer within {} ms", self.place, self.timeout.as_millis());
        Error::new(Kind::Retry, operation, what)
    }

    async fn commit_checked(&self, sorted: &[&Commit]) -> Result<Outcomes> {
        let mut outcomes = Outcomes::with_capacity(sorted.len());
        let size = |commit: &Commit| {
            let events: usize = commit.events.iter().map(Bytes::len).sum();
            commit.put_part.as_ref().map_or(0, |part| part.bytes.len()) + commit.head.state.len() + events
        };
        let mut rest = sorted;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|commit| {
                bytes += size(commit);
                bytes <= STATEMENT_BYTES_MAX
            });
            let (piece, others) = rest.split_at(fits.count().max(1));
            on_connection!(self, "commit", |conn| writes::commit(conn, &self.sql, piece, &mut outcomes))?;
            rest = others;
        }
        Ok(outcomes)
    }

    async fn change_leases<T>(
        &self,
        operation: &'static str,
        change: impl FnOnce(&mut Leases, i64) -> Result<T>,
    ) -> Result<T> {
        on_connection!(self, operation, |conn| writes::change_leases(conn, &self.sql, change))
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({}, {} shards)", self.place, self.shard_count)
    }
}

/// A name that needs no quotes. Those with `pg_` before them are PostgreSQL's own.
fn is_schema_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let first_fits = name.starts_with(|c: char| word(c) && !c.is_ascii_digit()) && !name.starts_with("pg_");
    name.len() <= 63 && first_fits && name.chars().all(word)
}

/// What PostgreSQL's `text` can't hold.
fn check_text(commit: &Commit) -> Result<()> {
    let head = &commit.head;
    for (what, text) in [("namespace", &head.namespace), ("name", &head.name), ("flow", &head.flow)] {
        if text.contains('\0') {
            let context = format!("isolate {}: its {what} has a zero byte, which PostgreSQL does not take", head.id);
            return Err(Error::new(Kind::Refused, "commit", context));
        }
    }
    Ok(())
}

#[async_trait]
impl Store for Postgres {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn shard_count(&self) -> u32 {
        self.shard_count
    }

    async fn now_ms(&self) -> Result<i64> {
        on_connection!(self, "now_ms", |conn| writes::now_ms(conn))
    }

    async fn commit(&self, batch: Vec<Commit>) -> Result<Vec<Outcome>> {
        check_commits(&batch, &self.limits)?;
        let mut refused = Outcomes::new();
        let mut sorted = Vec::with_capacity(batch.len());
        for commit in &batch {
            match check_commit(commit, &self.limits, self.shard_count).and_then(|()| check_text(commit)) {
                Ok(()) => sorted.push(commit),
                Err(error) => {
                    refused.insert(commit.head.id, Outcome::Failed(error));
                }
            }
        }
        // In one order everywhere, so that two batches never wait for each other.
        sorted.sort_unstable_by_key(|commit| commit.head.id);
        let mut outcomes = self.commit_checked(&sorted).await?;
        outcomes.extend(refused);
        Ok(batch.iter().map(|commit| outcomes.remove(&commit.head.id).unwrap_or(Outcome::Fenced)).collect())
    }

    async fn delete(&self, batch: Vec<Delete>) -> Result<Vec<Outcome>> {
        check_deletes(&batch, &self.limits)?;
        let mut outcomes = Outcomes::with_capacity(batch.len());
        if !batch.is_empty() {
            let mut sorted: Vec<&Delete> = batch.iter().collect();
            sorted.sort_unstable_by_key(|delete| delete.id);
            on_connection!(self, "delete", |conn| writes::delete(conn, &self.sql, &sorted, &mut outcomes))?;
        }
        Ok(batch.iter().map(|delete| outcomes.remove(&delete.id).unwrap_or(Outcome::Fenced)).collect())
    }

    async fn head(&self, id: IsolateId) -> Result<Option<Head>> {
        on_connection!(self, "head", |conn| reads::head(conn, &self.sql, id))
    }

    async fn head_by_name(&self, namespace: &str, name: &str) -> Result<Option<Head>> {
        on_connection!(self, "head_by_name", |conn| reads::head_by_name(conn, &self.sql, namespace, name))
    }

    async fn snapshot(&self, id: IsolateId) -> Result<Option<Snapshot>> {
        on_connection!(self, "snapshot", |conn| reads::snapshot(conn, &self.sql, id))
    }

    async fn events(&self, id: IsolateId, from: u64, limit: usize) -> Result<Vec<(u64, Bytes)>> {
        let limit = limit.min(PAGE_MAX);
        on_connection!(self, "events", |conn| reads::events(conn, &self.sql, id, from, limit))
    }

    async fn due(&self, shard: Shard, after: Option<Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>> {
        let limit = limit.min(PAGE_MAX);
        on_connection!(self, "due", |conn| reads::due(conn, &self.sql, shard, after, until_ms, limit))
    }

    async fn runnable(&self, shard: Shard, after: Option<IsolateId>, limit: usize) -> Result<Vec<IsolateId>> {
        let limit = limit.min(PAGE_MAX);
        on_connection!(self, "runnable", |conn| reads::runnable(conn, &self.sql, shard, after, limit))
    }

    async fn ended(&self, shard: Shard, after: Option<Ended>, until_ms: i64, limit: usize) -> Result<Vec<Ended>> {
        let limit = limit.min(PAGE_MAX);
        on_connection!(self, "ended", |conn| reads::ended(conn, &self.sql, shard, after, until_ms, limit))
    }

    async fn list(&self, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Result<Page> {
        let limit = limit.min(PAGE_MAX);
        on_connection!(self, "list", |conn| reads::list(conn, &self.sql, filter, after, limit))
    }

    async fn counts(&self, namespace: Option<&str>) -> Result<Counts> {
        on_connection!(self, "counts", |conn| reads::counts(conn, &self.sql, namespace))
    }

    async fn put_program(&self, hash: ProgramHash, bytes: Bytes) -> Result<()> {
        check_program(hash, bytes.len(), &self.limits)?;
        on_connection!(self, "put_program", |conn| writes::put_program(conn, &self.sql, hash, &bytes))
    }

    async fn program(&self, hash: ProgramHash) -> Result<Option<Bytes>> {
        on_connection!(self, "program", |conn| reads::program(conn, &self.sql, hash))
    }

    async fn programs(&self) -> Result<Vec<ProgramHash>> {
        on_connection!(self, "programs", |conn| reads::programs(conn, &self.sql))
    }

    async fn open_session(&self, id: SessionId, address: &str, ttl_ms: u32) -> Result<Opened> {
        check_session(address, ttl_ms)?;
        self.change_leases("open_session", |leases, now_ms| Ok(leases.open(id, address, ttl_ms, now_ms))).await
    }

    async fn renew(&self, id: SessionId) -> Result<i64> {
        self.change_leases("renew", |leases, now_ms| leases.renew(id, now_ms)).await
    }

    async fn close_session(&self, id: SessionId) -> Result<()> {
        self.change_leases("close_session", |leases, _| {
            leases.remove(id);
            Ok(())
        })
        .await
    }

    async fn sessions(&self) -> Result<Vec<Session>> {
        let leases = on_connection!(self, "sessions", |conn| writes::load_leases(conn, &self.sql))?;
        Ok(leases.sessions())
    }

    async fn claim(&self, id: SessionId, shard: Shard) -> Result<Claim> {
        self.change_leases("claim", |leases, now_ms| leases.claim(id, shard, now_ms)).await
    }

    async fn release(&self, id: SessionId, shard: Shard, epoch: Epoch) -> Result<()> {
        self.change_leases("release", |leases, _| {
            leases.release(id, shard, epoch);
            Ok(())
        })
        .await
    }

    async fn shards(&self) -> Result<Vec<ShardLease>> {
        let leases = on_connection!(self, "shards", |conn| writes::load_leases(conn, &self.sql))?;
        Ok(leases.shards())
    }
}

//! The embedded backend: one directory with one SQLite file, and the default.
//!
//! One thread writes (`writer`), connections of their own read (`reads`), the file's shape is in `schema`. A lock on a file of
//! the directory, which the system lets go when the process ends however it ends, keeps a second engine out; whoever only
//! reads needs no lock and may do so while the engine runs. It relies on SQLite's WAL and on fsync telling the truth. It does not guard against
//! other programs that write the file.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::{Opening, Settings, number};
use crate::batch::{check_commits, check_deletes, check_program, check_session};
use crate::limits::{PAGE_MAX, SHARD_COUNT_DEFAULT};
use crate::{
    Claim, Clock, Commit, Counts, Delete, Due, Ended, Epoch, Error, Filter, Head, IsolateId, Kind, Limits, ListCursor,
    Opened, Outcome, Page, ProgramHash, Result, Session, SessionId, Shard, ShardLease, Snapshot, Store, system_clock,
};
use failure::Fail;
use writer::{Answer, Ask, Job, Writer};

mod failure;
mod reads;
mod schema;
mod writer;

/// The name of the SQLite file in the store's directory.
pub const FILE: &str = "deepslate.db";
/// The name of the file whose lock says that an engine uses the directory; its text is that engine's process id.
pub const LOCK: &str = "deepslate.lock";

/// Calls that wait for the commit thread at most; more wait before they are sent.
const WAITING_MAX: usize = 4096;
/// Reads at a time.
const READERS_MAX: usize = 8;

/// The settings of this backend.
pub const SETTINGS: &[(&str, &str)] = &[
    ("path", "the store's directory, made if it is not there; default .deepslate"),
    ("shards", "number of shards of a new store; default 64"),
];

/// Opens it with settings out of a config.
pub(super) fn open_configured(settings: &Settings) -> Opening {
    let path = settings.get("path").map_or(".deepslate", String::as_str);
    let options = number(settings, "shards", SHARD_COUNT_DEFAULT)
        .map(|shard_count| Options { shard_count, ..Options::new(path) });
    Box::pin(async move {
        let options = options?;
        Ok(Arc::new(Embedded::open(options).await?) as Arc<dyn Store>)
    })
}

/// How to open an embedded store.
#[derive(Clone)]
pub struct Options {
    /// The store's directory, made if it is not there.
    pub directory: PathBuf,
    /// Number of shards (1 to 4,096) if the store is new; one that exists keeps its own.
    pub shard_count: u32,
    /// What time it is.
    pub clock: Clock,
}

impl Options {
    /// A directory, the default number of shards and the machine's clock.
    pub fn new(directory: impl Into<PathBuf>) -> Options {
        Options { directory: directory.into(), shard_count: SHARD_COUNT_DEFAULT, clock: system_clock() }
    }
}

/// A store in one directory.
pub struct Embedded {
    file: PathBuf,
    clock: Clock,
    shard_count: u32,
    limits: Limits,
    readers: Arc<Readers>,
    /// None when opened for reading only.
    writer: Option<WriterHandle>,
}

struct WriterHandle {
    /// None only while it is dropped.
    jobs: Option<Sender<Job>>,
    waiting: Arc<Semaphore>,
    repairs: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
    /// Dropped last: nobody else may open the directory before the thread has ended.
    _lock: File,
}

struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Embedded {
    /// Opens a directory for an engine, and creates the store if there is none. All earlier sessions are sealed, since the lock proves
    /// that no other engine lives.
    ///
    /// `Locked` while another engine uses it; `Newer` for a format of a later version; `Corrupt` for a damaged file; `Refused`
    /// without the permission to write.
    pub async fn open(options: Options) -> Result<Embedded> {
        blocking("open", move || Embedded::open_blocking(options)).await
    }

    /// Opens a directory for reading only, also while an engine uses it. Every write is `Refused`.
    pub async fn open_read_only(directory: impl Into<PathBuf>) -> Result<Embedded> {
        let file = directory.into().join(FILE);
        blocking("open", move || {
            if !file.exists() {
                let context = format!("{}: there is no store; start an engine on this directory first", file.display());
                return Err(Error::new(Kind::Refused, "open", context));
            }
            let conn = schema::open_for_reading(&file)?;
            let shard_count = schema::read_shard_count(&conn, &file)?;
            let readers = Readers::new(&file, Some(conn));
            Ok(Embedded { file, clock: system_clock(), shard_count, limits: LIMITS, readers, writer: None })
        })
        .await
    }

    fn open_blocking(options: Options) -> Result<Embedded> {
        let Options { directory, shard_count, clock } = options;
        let lock = lock(&directory)?;
        let file = directory.join(FILE);
        let mut conn = schema::open_for_writing(&file)?;
        let shard_count = schema::prepare(&mut conn, &file, shard_count)?;
        let repairs = Arc::new(AtomicU64::new(0));
        let mut writer = Writer::new(conn, file.clone(), LIMITS, shard_count, clock.clone(), repairs.clone())
            .map_err(|error| failure::sql_error(error, "open", &file))?;
        writer.look_for_damage();
        let (jobs, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("deepslate-commit".into())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| {
            let context = format!("{}: no thread could be started for it", file.display());
            Error::new(Kind::Refused, "open", context).caused_by(error)
        })?;
        let writer = WriterHandle {
            jobs: Some(jobs),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            repairs,
            thread: Some(thread),
            _lock: lock,
        };
        let readers = Readers::new(&file, None);
        Ok(Embedded { file, clock, shard_count, limits: LIMITS, readers, writer: Some(writer) })
    }

    /// Bounds the size of the SQLite file, without its WAL, from now on. Over it, writes are `Full`; it can be raised while they are.
    /// A bound below the present size only stops it from growing.
    pub async fn limit_bytes(&self, bytes: u64) -> Result<()> {
        self.ask("limit_bytes", Ask::LimitBytes(bytes)).await.map(|_| ())
    }

    async fn ask(&self, operation: &'static str, ask: Ask) -> Result<Answer> {
        let Some(writer) = &self.writer else {
            let context = format!("{} is open for reading only", self.file.display());
            return Err(Error::new(Kind::Refused, operation, context));
        };
        let closed = || writer::closed(operation, &self.file);
        let permit = writer.waiting.clone().acquire_owned().await.map_err(|_| closed())?;
        let (reply, answer) = oneshot::channel();
        let jobs = writer.jobs.as_ref().ok_or_else(closed)?;
        jobs.send(Job { ask, reply, _permit: permit }).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Runs a query on a connection of its own. Where an index turns out to be damaged it is made again and the query repeated once.
    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        query: impl Fn(&mut Connection) -> Result<T, Fail> + Send + Sync + 'static,
    ) -> Result<T> {
        let query = Arc::new(query);
        let mut again = true;
        loop {
            let seen = self.writer.as_ref().map_or(0, |writer| writer.repairs.load(Ordering::Acquire));
            let fail = match Readers::run(&self.readers, operation, query.clone()).await? {
                Ok(value) => return Ok(value),
                Err(fail) => fail,
            };
            if again
                && fail.is_damage()
                && self.writer.is_some()
                && let Answer::Repaired(true) = self.ask(operation, Ask::Repair(seen)).await?
            {
                again = false;
                continue;
            }
            return Err(fail.into_error(operation, &self.file));
        }
    }
}

/// A part must fit SQLite's bound of 1,000,000,000 bytes a record with room to spare.
const LIMITS: Limits = Limits::DEFAULT;
const _: () = assert!(LIMITS.part_bytes_max < 1_000_000_000 && LIMITS.program_bytes_max < 1_000_000_000);

async fn blocking<T: Send + 'static>(
    operation: &'static str,
    run: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(run).await.unwrap_or_else(|error| {
        Err(Error::new(Kind::Retry, operation, "the runtime is shutting down").caused_by(error))
    })
}

impl Readers {
    fn new(file: &Path, first: Option<Connection>) -> Arc<Readers> {
        Arc::new(Readers {
            file: file.to_owned(),
            idle: Mutex::new(first.into_iter().collect()),
            permits: Semaphore::new(READERS_MAX),
        })
    }

    async fn run<T: Send + 'static>(
        readers: &Arc<Readers>,
        operation: &'static str,
        query: Arc<impl Fn(&mut Connection) -> Result<T, Fail> + Send + Sync + 'static>,
    ) -> Result<Result<T, Fail>> {
        let permit = readers.permits.acquire().await;
        let owned = readers.clone();
        let result = blocking(operation, move || {
            let idle = owned.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut conn = match idle {
                Some(conn) => conn,
                None => schema::open_for_reading(&owned.file)?,
            };
            let result = query(&mut conn);
            // A connection that met an error starts afresh: its pages may be the reason.
            if result.is_ok() {
                owned.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            }
            Ok(result)
        })
        .await;
        drop(permit);
        result
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // The last connection to close copies the WAL back: let that be the writer's.
        self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(writer) = &mut self.writer {
            writer.jobs = None;
            if let Some(thread) = writer.thread.take()
                && thread.join().is_err()
            {
                tracing::error!(file = %self.file.display(), "the commit thread of the embedded store panicked");
            }
        }
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedded({})", self.file.display())
    }
}

/// Makes the directory and takes its lock.
fn lock(directory: &Path) -> Result<File> {
    let place = directory.display();
    let unwritable = |error: std::io::Error| {
        Error::new(
            Kind::Refused,
            "open",
            format!("directory {place} can't be written; give this user the permission, or choose another directory"),
        )
        .caused_by(error)
    };
    let missing: Vec<_> = directory.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    std::fs::create_dir_all(directory).map_err(unwritable)?;
    for made in missing {
        // A new directory is durable when its parent is. Where directories can't be opened (Windows) the system sees to it.
        if let Some(Ok(parent)) = made.parent().filter(|parent| *parent != Path::new("")).map(File::open) {
            parent.sync_all().map_err(unwritable)?;
        }
    }
    let path = directory.join(LOCK);
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            let holder = match pid.trim() {
                "" => "another engine".to_owned(),
                pid => format!("another engine (process {pid})"),
            };
            return Err(Error::new(
                Kind::Locked,
                "open",
                format!("directory {place} is in use by {holder}; stop that one, or choose another directory"),
            ));
        }
        Err(TryLockError::Error(error)) => {
            let context = format!("directory {place} can't be locked; its file system must support locks");
            return Err(Error::new(Kind::Refused, "open", context).caused_by(error));
        }
    }
    // The id is for the message above only; without space for it the lock holds all the same.
    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

/// An answer of the commit thread that does not fit its question: a bug, made an error of this call alone.
fn misfit(operation: &'static str, answer: &Answer) -> Error {
    Error::new(Kind::Refused, operation, format!("the commit thread answered {answer:?}; this is a bug of Deepslate"))
}

#[async_trait]
impl Store for Embedded {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn shard_count(&self) -> u32 {
        self.shard_count
    }

    async fn now_ms(&self) -> Result<i64> {
        Ok((self.clock)())
    }

    async fn commit(&self, batch: Vec<Commit>) -> Result<Vec<Outcome>> {
        check_commits(&batch, &self.limits)?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        match self.ask("commit", Ask::Commit(batch)).await? {
            Answer::Outcomes(outcomes) => Ok(outcomes),
            other => Err(misfit("commit", &other)),
        }
    }

    async fn delete(&self, batch: Vec<Delete>) -> Result<Vec<Outcome>> {
        check_deletes(&batch, &self.limits)?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        match self.ask("delete", Ask::Delete(batch)).await? {
            Answer::Outcomes(outcomes) => Ok(outcomes),
            other => Err(misfit("delete", &other)),
        }
    }

    async fn head(&self, id: IsolateId) -> Result<Option<Head>> {
        self.read("head", move |conn| reads::head(conn, id)).await
    }

    async fn head_by_name(&self, namespace: &str, name: &str) -> Result<Option<Head>> {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.read("head_by_name", move |conn| reads::head_by_name(conn, &namespace, &name)).await
    }

    async fn snapshot(&self, id: IsolateId) -> Result<Option<Snapshot>> {
        self.read("snapshot", move |conn| reads::snapshot(conn, id)).await
    }

    async fn events(&self, id: IsolateId, from: u64, limit: usize) -> Result<Vec<(u64, Bytes)>> {
        self.read("events", move |conn| reads::events(conn, id, from, limit.min(PAGE_MAX))).await
    }

    async fn due(&self, shard: Shard, after: Option<Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>> {
        self.read("due", move |conn| reads::due(conn, shard, after, until_ms, limit.min(PAGE_MAX))).await
    }

    async fn runnable(&self, shard: Shard, after: Option<IsolateId>, limit: usize) -> Result<Vec<IsolateId>> {
        self.read("runnable", move |conn| reads::runnable(conn, shard, after, limit.min(PAGE_MAX))).await
    }

    async fn ended(&self, shard: Shard, after: Option<Ended>, until_ms: i64, limit: usize) -> Result<Vec<Ended>> {
        self.read("ended", move |conn| reads::ended(conn, shard, after, until_ms, limit.min(PAGE_MAX))).await
    }

    async fn list(&self, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Result<Page> {
        let filter = filter.clone();
        self.read("list", move |conn| reads::list(conn, &filter, after.clone(), limit.min(PAGE_MAX))).await
    }

    async fn counts(&self, namespace: Option<&str>) -> Result<Counts> {
        let namespace = namespace.map(str::to_owned);
        self.read("counts", move |conn| reads::counts(conn, namespace.as_deref())).await
    }

    async fn put_program(&self, hash: ProgramHash, bytes: Bytes) -> Result<()> {
        check_program(hash, bytes.len(), &self.limits)?;
        self.ask("put_program", Ask::PutProgram(hash, bytes)).await.map(|_| ())
    }

    async fn program(&self, hash: ProgramHash) -> Result<Option<Bytes>> {
        self.read("program", move |conn| reads::program(conn, hash)).await
    }

    async fn programs(&self) -> Result<Vec<ProgramHash>> {
        self.read("programs", reads::programs).await
    }

    async fn open_session(&self, id: SessionId, address: &str, ttl_ms: u32) -> Result<Opened> {
        check_session(address, ttl_ms)?;
        match self.ask("open_session", Ask::OpenSession(id, address.to_owned(), ttl_ms)).await? {
            Answer::Opened(opened) => Ok(opened),
            other => Err(misfit("open_session", &other)),
        }
    }

    async fn renew(&self, id: SessionId) -> Result<i64> {
        match self.ask("renew", Ask::Renew(id)).await? {
            Answer::Until(until_ms) => Ok(until_ms),
            other => Err(misfit("renew", &other)),
        }
    }

    async fn close_session(&self, id: SessionId) -> Result<()> {
        self.ask("close_session", Ask::CloseSession(id)).await.map(|_| ())
    }

    async fn sessions(&self) -> Result<Vec<Session>> {
        self.read("sessions", |conn| Ok(schema::load_leases(conn)?.sessions())).await
    }

    async fn claim(&self, id: SessionId, shard: Shard) -> Result<Claim> {
        match self.ask("claim", Ask::Claim(id, shard)).await? {
            Answer::Claim(claim) => Ok(claim),
            other => Err(misfit("claim", &other)),
        }
    }

    async fn release(&self, id: SessionId, shard: Shard, epoch: Epoch) -> Result<()> {
        self.ask("release", Ask::Release(id, shard, epoch)).await.map(|_| ())
    }

    async fn shards(&self) -> Result<Vec<ShardLease>> {
        self.read("shards", |conn| Ok(schema::load_leases(conn)?.shards())).await
    }
}

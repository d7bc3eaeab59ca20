//! The tables of the SQLite file, their version, and how a connection is set up.
//!
//! Format 1. Isolates have an integer key `n` that rises with their creation; parts lie at `n << 20 | number`, so that those of
//! one isolate are neighbours and small ones fill their page. Every index but the two by id and by name is partial: an isolate is
//! in it only while it has a timer, can run or has ended. Indices hold nothing that the records don't, and can be made again from them.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::failure::{REMEDY, sql_error, unwritable};
use crate::lease::Leases;
use crate::limits::SHARD_COUNT_MAX;
use crate::{Epoch, Error, Kind, Result, Session, SessionId};

/// `DSLT`: how a file says that it is ours.
const APPLICATION_ID: i32 = 0x4453_4c54;
/// The format that this build writes.
pub(super) const FORMAT: i32 = 1;

const CACHE_KIB: i32 = 64 << 10;
/// Pages in the WAL after which a commit copies them back: 40 MiB.
const CHECKPOINT_PAGES: i32 = 10_000;
const WAL_BYTES_KEPT: i64 = 64 << 20;
const BUSY_MS: u64 = 5_000;
/// Isolates up to which opening a store looks at all of them.
const ISOLATES_LOOKED_AT: i64 = 10_000;
const STATEMENTS_CACHED: usize = 64;

const TABLES: &str = "
CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE isolate (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    shard INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    flow TEXT NOT NULL,
    program BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    status INTEGER NOT NULL,
    runnable INTEGER NOT NULL,
    wake_at_ms INTEGER,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    next_event INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    state BLOB NOT NULL
);
CREATE TABLE part (place INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE event (
    n INTEGER NOT NULL,
    number INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (n, number)
) WITHOUT ROWID;
CREATE TABLE tally (
    namespace TEXT NOT NULL,
    status INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (namespace, status)
) WITHOUT ROWID;
CREATE TABLE program (hash BLOB PRIMARY KEY, checksum INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE session (
    node_id INTEGER PRIMARY KEY,
    life INTEGER NOT NULL,
    address TEXT NOT NULL,
    ttl_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
);
CREATE TABLE lease (
    shard INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    node_id INTEGER,
    life INTEGER
);
";

/// The tables, by name.
const TABLE_NAMES: [&str; 8] = ["setting", "isolate", "part", "event", "tally", "program", "session", "lease"];

/// The indices, by name; each can be dropped and made again.
const INDICES: &[(&str, &str)] = &[
    ("isolate_id", "CREATE UNIQUE INDEX isolate_id ON isolate (id)"),
    ("isolate_name", "CREATE UNIQUE INDEX isolate_name ON isolate (namespace, name)"),
    ("isolate_due", "CREATE INDEX isolate_due ON isolate (shard, wake_at_ms, id) WHERE wake_at_ms IS NOT NULL"),
    ("isolate_runnable", "CREATE INDEX isolate_runnable ON isolate (shard, id) WHERE runnable = 1"),
    ("isolate_ended", "CREATE INDEX isolate_ended ON isolate (shard, ended_ms, id) WHERE ended_ms IS NOT NULL"),
];

/// The connection of the commit thread.
pub(super) fn open_for_writing(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |error| opening_error(error, file);
    let conn = Connection::open_with_flags(file, flags).map_err(fail)?;
    // SQLite opens a file that may not be written all the same, and says so at the first write only.
    if conn.is_readonly(rusqlite::MAIN_DB).map_err(fail)? {
        return Err(Error::new(Kind::Refused, "open", unwritable(file)));
    }
    set_up(&conn).map_err(fail)?;
    check_format(&conn, file, true)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fail)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(Error::new(
            Kind::Refused,
            "open",
            format!(
                "{}: its file system can't share memory between processes (SQLite's WAL); use a local disk",
                file.display()
            ),
        ));
    }
    conn.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
    ))
    .map_err(fail)?;
    conn.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT).map_err(fail)?;
    Ok(conn)
}

/// A connection that only reads. It works beside a running engine, and on a store at rest.
pub(super) fn open_for_reading(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |error| opening_error(error, file);
    let open = |path: &Path, flags| -> rusqlite::Result<Connection> {
        let conn = Connection::open_with_flags(path, flags)?;
        set_up(&conn)?;
        // The first read is what finds out whether the WAL's shared memory can be used.
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(conn)
    };
    let conn = match open(file, flags) {
        Ok(conn) => conn,
        // At rest in a directory that may not be written there is no WAL and none can be made: then nobody changes the file.
        Err(error) if is_unwritable(&error) && !beside(file, "-wal").exists() => {
            let immutable = format!("file:{}?immutable=1", percent_encoded(file));
            open(Path::new(&immutable), flags | OpenFlags::SQLITE_OPEN_URI).map_err(fail)?
        }
        Err(error) => return Err(fail(error)),
    };
    check_format(&conn, file, false)?;
    Ok(conn)
}

fn is_unwritable(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::ErrorCode::{CannotOpen, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly))
}

fn beside(file: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn percent_encoded(file: &Path) -> String {
    let mut text = String::new();
    for byte in file.to_string_lossy().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => text.push(byte as char),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_millis(BUSY_MS))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    conn.execute_batch(&format!("PRAGMA cache_size = -{CACHE_KIB}; PRAGMA cell_size_check = ON;"))
}

/// While opening, a missing permission is not going to cure itself.
fn opening_error(error: rusqlite::Error, file: &Path) -> Error {
    match sql_error(error, "open", file) {
        error if error.kind() == Kind::Retry => Error::new(Kind::Refused, "open", error.context()).caused_by(error),
        error => error,
    }
}

/// Checks that the file is ours and not newer than this build. An empty one is ours to create, if `may_create`.
fn check_format(conn: &Connection, file: &Path, may_create: bool) -> Result<()> {
    let fail = |error| opening_error(error, file);
    let pragma =
        |name: &str| -> rusqlite::Result<i32> { conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)) };
    let application_id = pragma("application_id").map_err(fail)?;
    let format = pragma("user_version").map_err(fail)?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    let file = file.display();
    if application_id == 0 && format == 0 && tables == 0 {
        if may_create {
            return Ok(());
        }
        return Err(Error::new(
            Kind::Refused,
            "open",
            format!("{file}: there is no store in it yet; start an engine on it first"),
        ));
    }
    if application_id != APPLICATION_ID {
        return Err(Error::new(
            Kind::Refused,
            "open",
            format!("{file} is an SQLite file of another program; choose another directory"),
        ));
    }
    if format > FORMAT {
        return Err(Error::new(
            Kind::Newer,
            "open",
            format!(
                "{file} has format {format}, this version of Deepslate reads formats up to {FORMAT}; use the newer version that wrote it"
            ),
        ));
    }
    if format < 1 {
        return Err(Error::new(
            Kind::Corrupt,
            "open",
            format!("{file}: format {format} was never written; restore a backup of the directory"),
        ));
    }
    Ok(())
}

/// Makes the tables if there are none, and seals all earlier sessions: whoever holds the directory's lock is alone.
/// Answers the number of shards, which `shard_count` decides only for a new store.
pub(super) fn prepare(conn: &mut Connection, file: &Path, shard_count: u32) -> Result<u32> {
    let fail = |error| opening_error(error, file);
    if shard_count == 0 || shard_count > SHARD_COUNT_MAX {
        return Err(Error::new(
            Kind::Refused,
            "open",
            format!("{shard_count} shards asked for; a store has 1 to {SHARD_COUNT_MAX}"),
        ));
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    if tables == 0 {
        create(&tx, shard_count).map_err(fail)?;
    } else {
        check_tables(&tx, file)?;
    }
    let shard_count = read_shard_count(&tx, file)?;
    let before = load_leases(&tx).map_err(fail)?;
    let mut leases = before.clone();
    leases.remove_all();
    store_leases(&tx, &before, &leases).map_err(fail)?;
    tx.commit().map_err(fail)?;
    Ok(shard_count)
}

/// The names of all tables or all indices that somebody made.
fn names(conn: &Connection, kind: &str) -> rusqlite::Result<Vec<String>> {
    let ask = "SELECT name FROM sqlite_schema WHERE type = ?1 AND sql IS NOT NULL ORDER BY name";
    conn.prepare(ask)?.query_map([kind], |row| row.get(0))?.collect()
}

/// A statement that asks for a table that is not there would only say so.
fn check_tables(conn: &Connection, file: &Path) -> Result<()> {
    let there = names(conn, "table").map_err(|error| opening_error(error, file))?;
    match TABLE_NAMES.iter().find(|name| !there.iter().any(|there| there == *name)) {
        None => Ok(()),
        Some(name) => {
            let what = format!("{} is damaged: its table {name} is missing; {REMEDY}", file.display());
            Err(Error::new(Kind::Corrupt, "open", what))
        }
    }
}

/// Whether exactly the indices are there that should be.
fn has_all_indices(conn: &Connection) -> rusqlite::Result<bool> {
    let mut wanted: Vec<&str> = INDICES.iter().map(|(name, _)| *name).collect();
    wanted.sort_unstable();
    Ok(names(conn, "index")? == wanted)
}

fn create(tx: &Transaction<'_>, shard_count: u32) -> rusqlite::Result<()> {
    tx.execute_batch(TABLES)?;
    for (_, sql) in INDICES {
        tx.execute_batch(sql)?;
    }
    tx.execute("INSERT INTO setting (name, value) VALUES ('shard_count', ?1)", [shard_count])?;
    for shard in 0..shard_count {
        tx.execute("INSERT INTO lease (shard, epoch) VALUES (?1, 0)", [shard])?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", FORMAT)
}

/// The number of shards that was fixed when the store was made.
pub(super) fn read_shard_count(conn: &Connection, file: &Path) -> Result<u32> {
    let fail = |error| opening_error(error, file);
    let count = "SELECT value FROM setting WHERE name = 'shard_count'";
    let count: Option<i64> = conn.query_row(count, [], |row| row.get(0)).optional().map_err(fail)?;
    let count =
        count.and_then(|count| u32::try_from(count).ok()).filter(|&count| count > 0 && count <= SHARD_COUNT_MAX);
    let leases: i64 = conn.query_row("SELECT count(*) FROM lease", [], |row| row.get(0)).map_err(fail)?;
    count.filter(|&count| i64::from(count) == leases).ok_or_else(|| {
        Error::new(
            Kind::Corrupt,
            "open",
            format!("{}: its number of shards is damaged; restore a backup of the directory", file.display()),
        )
    })
}

/// Sessions and leases as they are stored.
pub(super) fn load_leases(conn: &Connection) -> rusqlite::Result<Leases> {
    let mut sessions = conn.prepare_cached("SELECT node_id, life, address, ttl_ms, until_ms FROM session")?;
    let sessions = sessions.query_map([], |row| {
        Ok(Session {
            id: SessionId { node_id: row.get::<_, i64>(0)? as u64, life: row.get::<_, i64>(1)? as u64 },
            address: row.get(2)?,
            ttl_ms: row.get(3)?,
            until_ms: row.get(4)?,
        })
    })?;
    let sessions = sessions.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut leases = conn.prepare_cached("SELECT epoch, node_id, life FROM lease ORDER BY shard")?;
    let leases = leases.query_map([], |row| {
        let (node_id, life): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
        let holder = node_id.zip(life).map(|(node_id, life)| SessionId { node_id: node_id as u64, life: life as u64 });
        Ok((Epoch(row.get::<_, i64>(0)? as u64), holder))
    })?;
    Ok(Leases::of(sessions, leases.collect::<rusqlite::Result<Vec<_>>>()?))
}

/// Writes what changed from one state to the other.
pub(super) fn store_leases(conn: &Connection, before: &Leases, after: &Leases) -> rusqlite::Result<()> {
    let kept = after.sessions();
    for session in before.sessions() {
        if !kept.iter().any(|other| other.id.node_id == session.id.node_id) {
            conn.prepare_cached("DELETE FROM session WHERE node_id = ?1")?.execute([session.id.node_id as i64])?;
        }
    }
    let known = before.sessions();
    for session in kept.iter().filter(|session| !known.contains(session)) {
        let put =
            "INSERT OR REPLACE INTO session (node_id, life, address, ttl_ms, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
        conn.prepare_cached(put)?.execute(params![
            session.id.node_id as i64,
            session.id.life as i64,
            session.address,
            session.ttl_ms,
            session.until_ms
        ])?;
    }
    for (old, new) in before.shards().into_iter().zip(after.shards()) {
        if old != new {
            let put = "UPDATE lease SET epoch = ?2, node_id = ?3, life = ?4 WHERE shard = ?1";
            conn.prepare_cached(put)?.execute(params![
                new.shard.0,
                new.epoch.0 as i64,
                new.holder.map(|holder| holder.node_id as i64),
                new.holder.map(|holder| holder.life as i64)
            ])?;
        }
    }
    Ok(())
}

/// True when the indices are known to agree with the records: looked at only in a store of moderate size, where it costs
/// milliseconds. In a larger one each scan compares what it reads.
pub(super) fn indices_are_sound(conn: &Connection) -> rusqlite::Result<bool> {
    if !has_all_indices(conn)? {
        return Ok(false);
    }
    let span = "SELECT coalesce(max(n), 0) - coalesce(min(n), 0) FROM isolate NOT INDEXED";
    if conn.query_row(span, [], |row| row.get::<_, i64>(0))? > ISOLATES_LOOKED_AT {
        return Ok(true);
    }
    let first: String = conn.query_row("PRAGMA integrity_check(isolate)", [], |row| row.get(0))?;
    Ok(first == "ok")
}

/// Makes every index again from the records. Where SQLite can't even clear the old one, its pages are given up: the file is
/// larger by them from then on, and nothing else.
pub(super) fn rebuild_indices(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.flush_prepared_statement_cache();
    if has_all_indices(conn).unwrap_or(false) && conn.execute_batch("REINDEX").is_ok() {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch("PRAGMA writable_schema = ON")?;
    let rebuilt = rebuild_by_hand(&tx);
    let done = rebuilt.and_then(|()| tx.commit());
    conn.execute_batch("PRAGMA writable_schema = RESET; PRAGMA writable_schema = OFF")?;
    done
}

fn rebuild_by_hand(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL", [])?;
    tx.execute_batch("PRAGMA writable_schema = RESET; PRAGMA writable_schema = ON")?;
    for (_, sql) in INDICES {
        tx.execute_batch(sql)?;
    }
    Ok(())
}

//! What the tests of the embedded backend share: an engine's few moves, and damage from outside.
#![allow(dead_code)]

#[cfg(any(feature = "postgres", feature = "redis"))]
pub mod load;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "postgres")]
pub mod proxy;
#[cfg(feature = "redis")]
pub mod redis;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use deepslate_storage::backends::embedded::{Embedded, FILE, Options};
use deepslate_storage::{
    Claim, Commit, Epoch, Head, IsolateId, Opened, Outcome, Part, ProgramHash, Seq, SessionId, Shard, Status, Store,
    shard_of,
};

pub const SESSION: SessionId = SessionId { node_id: 1, life: 1 };

pub fn id(number: u64) -> IsolateId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    IsolateId(bytes)
}

/// Isolate `number` from `seq - 1` to `seq`; it is in every index. One epoch for each shard.
pub fn step(epochs: &[Epoch], number: u64, seq: u64) -> Commit {
    let name = format!("isolate-{number}");
    let shard = shard_of("tests", &name, epochs.len() as u32);
    Commit {
        expected: Seq(seq - 1),
        head: Head {
            id: id(number),
            shard,
            namespace: "tests".into(),
            name,
            flow: "counter".into(),
            program: ProgramHash([7; 32]),
            epoch: epochs[shard.0 as usize],
            seq: Seq(seq),
            status: Status::Running,
            runnable: true,
            wake_at_ms: Some(1_000_000 + (number * 1000 + seq) as i64),
            created_ms: 1,
            updated_ms: 2,
            ended_ms: Some(2_000_000 + (number * 1000 + seq) as i64),
            next_event: seq,
            state: Bytes::from(format!("state-of-{number}-at-{seq}")),
        },
        drop_parts_from: Some(0),
        put_part: Some(Part { number: 0, bytes: Bytes::from(format!("part-of-{number}-at-{seq}")) }),
        events: vec![Bytes::from(format!("event-of-{number}-at-{seq}"))],
        keep_events: 10,
    }
}

/// An open store whose shards are all held.
pub struct Room<S: Store = Embedded> {
    pub store: S,
    pub epochs: Vec<Epoch>,
}

pub async fn open(directory: &Path) -> Room {
    let options = Options { shard_count: 4, ..Options::new(directory) };
    Room::claimed(Embedded::open(options).await.expect("the directory opens")).await
}

impl<S: Store> Room<S> {
    pub async fn claimed(store: S) -> Room<S> {
        let opened = store.open_session(SESSION, "localhost:1", 60_000).await.expect("a session opens");
        assert!(matches!(opened, Opened::Open { .. }), "{opened:?}");
        let mut epochs = Vec::new();
        for shard in 0..store.shard_count() {
            match store.claim(SESSION, Shard(shard)).await.expect("a claim is answered") {
                Claim::Granted(epoch) => epochs.push(epoch),
                held => panic!("{held:?}"),
            }
        }
        Room { store, epochs }
    }

    /// Isolate `number` from `seq - 1` to `seq`; it is in every index.
    pub fn step(&self, number: u64, seq: u64) -> Commit {
        step(&self.epochs, number, seq)
    }

    pub async fn apply(&self, commit: Commit) {
        let outcomes = self.store.commit(vec![commit]).await.expect("a batch is answered");
        assert!(matches!(outcomes[..], [Outcome::Applied]), "{outcomes:?}");
    }
}

pub fn file(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Changes one byte of the file where this text stands, `places` times from the front.
pub fn flip_text(directory: &Path, text: &str) {
    let path = file(directory);
    let mut bytes = std::fs::read(&path).expect("the file reads");
    let at: Vec<usize> = (0..bytes.len().saturating_sub(text.len()))
        .filter(|&at| &bytes[at..at + text.len()] == text.as_bytes())
        .collect();
    assert!(!at.is_empty(), "`{text}` is in the file");
    for at in at {
        bytes[at + text.len() / 2] ^= 0x10;
    }
    std::fs::write(&path, bytes).expect("the file writes");
}

pub fn flip_byte(directory: &Path, at: usize) {
    let path = file(directory);
    let mut bytes = std::fs::read(&path).expect("the file reads");
    bytes[at] ^= 0x04;
    std::fs::write(&path, bytes).expect("the file writes");
}

/// Where the first page of a table or index begins in the file, and the size of a page.
pub fn page_of(directory: &Path, name: &str) -> (usize, usize) {
    let conn = rusqlite::Connection::open(file(directory)).expect("SQLite opens it");
    let page: i64 = conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
        .expect("it is in the schema");
    let size: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0)).expect("a page has a size");
    ((page as usize - 1) * size as usize, size as usize)
}

/// Where the server of a backend is, as the environment says. Without it the test is skipped with a word; in CI it fails.
pub fn server(variable: &str) -> Option<String> {
    let place = std::env::var(variable).ok().filter(|place| !place.is_empty());
    if place.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{variable} is not set: CI tests every backend");
        eprintln!("skipped: {variable} names no server; `cargo xtask services` starts one");
    }
    place
}

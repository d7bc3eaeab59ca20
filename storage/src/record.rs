//! What a store holds and what it is asked: ids, heads, parts, commits, sessions.
//!
//! Plain values without behaviour of their own. The numbers of [`Status`] and the function [`shard_of`] are stored and are the
//! same for ever. Times are unix milliseconds of the store's clock. Nothing here knows what `state`, a part or an event means.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use crate::Error;

/// A fixed slice of all isolates, 0 to the store's shard count less one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u32);

/// The fencing token of a shard. It rises whenever the shard's holder changes; a commit under any other one is fenced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// How often an isolate was committed: 0 before its creation, then rising with each commit. At most `i64::MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// The sequence number of an isolate that is not there yet.
    pub const NONE: Seq = Seq(0);

    /// The one after this.
    #[must_use]
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

/// The id of one incarnation of a name: a version 7 UUID made by the engine. Ordered by time of creation, as its bytes are.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsolateId(pub [u8; 16]);

impl fmt::Display for IsolateId {
    /// The usual form with hyphens: `018f3b2c-7d1e-7abc-8def-0123456789ab`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for IsolateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IsolateId({self})")
    }
}

impl FromStr for IsolateId {
    type Err = ParseIdError;

    /// Reads the form that `Display` writes, in either case, and nothing else.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let text = text.as_bytes();
        if text.len() != 36 || [8, 13, 18, 23].iter().any(|&i| text[i] != b'-') {
            return Err(ParseIdError);
        }
        let mut id = [0; 16];
        read_hex(
            text.iter().copied().enumerate().filter(|(i, _)| !matches!(i, 8 | 13 | 18 | 23)).map(|(_, c)| c),
            &mut id,
        )?;
        Ok(IsolateId(id))
    }
}

/// The hash of a program's content.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramHash(pub [u8; 32]);

impl fmt::Display for ProgramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ProgramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProgramHash({self})")
    }
}

impl FromStr for ProgramHash {
    type Err = ParseIdError;

    /// Reads 64 hexadecimal digits, in either case.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let mut hash = [0; 32];
        if text.len() != 64 {
            return Err(ParseIdError);
        }
        read_hex(text.bytes(), &mut hash)?;
        Ok(ProgramHash(hash))
    }
}

/// A text that is no id: of the wrong length, or with a character that is no hexadecimal digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected hexadecimal digits as Deepslate prints them")
    }
}

impl std::error::Error for ParseIdError {}

fn read_hex(digits: impl Iterator<Item = u8>, into: &mut [u8]) -> Result<(), ParseIdError> {
    let mut digits = digits.map(|c| (c as char).to_digit(16).map(|digit| digit as u8).ok_or(ParseIdError));
    for byte in into {
        let high = digits.next().ok_or(ParseIdError)??;
        let low = digits.next().ok_or(ParseIdError)??;
        *byte = high << 4 | low;
    }
    Ok(())
}

/// The shard of an isolate: the first eight bytes, little endian, of the blake3 hash of
/// `"deepslate shard\0"`, the namespace's length in bytes as a little-endian u64, the namespace and the name; modulo the
/// number of shards. The same for ever, since it decides where a name is looked up. `shard_count` must not be 0.
pub fn shard_of(namespace: &str, name: &str, shard_count: u32) -> Shard {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"deepslate shard\0");
    hasher.update(&(namespace.len() as u64).to_le_bytes());
    hasher.update(namespace.as_bytes());
    hasher.update(name.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    Shard((u64::from_le_bytes(first) % u64::from(shard_count)) as u32)
}

/// One life of a node. Both numbers are chosen by the engine: `life` is random and new with each start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// The node, the same in all its lives.
    pub node_id: u64,
    /// This life of it.
    pub life: u64,
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:016x}", self.node_id, self.life)
    }
}

/// What an isolate is doing. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// A task can run.
    Running = 0,
    /// All tasks wait for timers.
    Sleeping = 1,
    /// Otherwise blocked.
    Waiting = 2,
    /// Stopped by an operator.
    Paused = 3,
    /// Can't go on until something outside changes.
    Parked = 4,
    /// Ended with a result.
    Done = 5,
    /// Ended by a trap.
    Failed = 6,
    /// Ended by a cancel.
    Cancelled = 7,
}

impl Status {
    /// All of them, in the order of their numbers.
    pub const ALL: [Status; 8] = [
        Status::Running,
        Status::Sleeping,
        Status::Waiting,
        Status::Paused,
        Status::Parked,
        Status::Done,
        Status::Failed,
        Status::Cancelled,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Sleeping => "sleeping",
            Status::Waiting => "waiting",
            Status::Paused => "paused",
            Status::Parked => "parked",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    /// The status of a stored number.
    pub fn from_number(number: u8) -> Option<Status> {
        Status::ALL.get(usize::from(number)).copied()
    }

    /// True when the isolate has ended and will never change again.
    pub fn is_finished(self) -> bool {
        matches!(self, Status::Done | Status::Failed | Status::Cancelled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Status::ALL.into_iter().find(|status| status.name() == text).ok_or(UnknownStatus)
    }
}

/// A word that is no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownStatus;

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a status: expected one of running, sleeping, waiting, paused, parked, done, failed, cancelled")
    }
}

impl std::error::Error for UnknownStatus {}

/// Everything about an isolate that is not its snapshot; each commit replaces it whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The isolate. Fixed at creation.
    pub id: IsolateId,
    /// `shard_of(namespace, name, shard count)`. Fixed at creation.
    pub shard: Shard,
    /// Where its name is unique. Fixed at creation; at most 512 bytes.
    pub namespace: String,
    /// Its name. Fixed at creation; at most 512 bytes, not empty.
    pub name: String,
    /// The flow it runs; at most 512 bytes.
    pub flow: String,
    /// The program it runs.
    pub program: ProgramHash,
    /// The epoch it was last written under.
    pub epoch: Epoch,
    /// The number of the last commit.
    pub seq: Seq,
    /// What it is doing. The store counts and filters by it and draws no other conclusion.
    pub status: Status,
    /// Whoever takes the shard over must load it at once: a task can run, or an action was under way when this was
    /// committed and must be repeated. This, not the status, is what [`Store::runnable`](crate::Store::runnable) lists.
    pub runnable: bool,
    /// When its next timer is due, if it has one.
    pub wake_at_ms: Option<i64>,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last committed.
    pub updated_ms: i64,
    /// When it ended, if it has.
    pub ended_ms: Option<i64>,
    /// The number that its next event will get: events are numbered from 0 for each isolate, and those of a commit
    /// get the numbers just below this one. So the caller adds their count to it in the same commit.
    pub next_event: u64,
    /// The engine's own record of it: pending calls, attempts, applied messages, result. Small.
    pub state: Bytes,
}

/// One piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place in the order, 0 to `limits::PART_NUMBER_MAX`. Gaps are allowed.
    pub number: u32,
    /// Opaque.
    pub bytes: Bytes,
}

/// A head and the parts that belong to exactly that head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The head.
    pub head: Head,
    /// The parts in the order of their numbers.
    pub parts: Vec<Part>,
}

/// One atomic, fenced write of one isolate. The head says which isolate and shard, under which epoch, and the new sequence
/// number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The sequence number that the isolate must have now; [`Seq::NONE`] creates it. Lower than `head.seq`.
    pub expected: Seq,
    /// The new head.
    pub head: Head,
    /// First, all parts with this number or a higher one are dropped.
    pub drop_parts_from: Option<u32>,
    /// Then this one is put, in place of one with the same number.
    pub put_part: Option<Part>,
    /// Then these are appended, ending just below `head.next_event`.
    pub events: Vec<Bytes>,
    /// Last, all events but the newest `keep_events` are dropped.
    pub keep_events: u32,
}

/// One atomic, fenced removal of one isolate: head, parts and events; its name is free again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete {
    /// The isolate's shard.
    pub shard: Shard,
    /// The epoch under which the caller holds it.
    pub epoch: Epoch,
    /// The isolate.
    pub id: IsolateId,
    /// The sequence number that it must have now.
    pub expected: Seq,
}

/// The answer for one isolate of a batch.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is durable.
    Applied,
    /// It was durable already: this is a repetition of something whose answer was lost.
    AlreadyApplied,
    /// It was not applied and never will be: the shard has another epoch, the isolate another sequence number, or the name
    /// belongs to another isolate. Drop what is in memory and read again.
    Fenced,
    /// It was not applied, for a reason of its own that repeating won't cure: over a limit, or damaged bytes in its place.
    Failed(Error),
}

impl Outcome {
    /// True when the write is durable, now or since before.
    pub fn is_durable(&self) -> bool {
        matches!(self, Outcome::Applied | Outcome::AlreadyApplied)
    }
}

/// An isolate with a timer. Ordered by time, then by id; the last one of a page is the cursor of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// When it is due.
    pub wake_at_ms: i64,
    /// The isolate.
    pub id: IsolateId,
}

/// An isolate that has ended. Ordered by time, then by id; the last one of a page is the cursor of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ended {
    /// When it ended.
    pub ended_ms: i64,
    /// The isolate.
    pub id: IsolateId,
    /// Its sequence number, as a [`Delete`] wants it.
    pub seq: Seq,
}

/// Which isolates to list. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only names that begin so; empty for all.
    pub name_prefix: String,
    /// Only this status.
    pub status: Option<Status>,
    /// Only this flow.
    pub flow: Option<String>,
}

/// The place after which a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListCursor {
    /// Namespace of the last isolate seen.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Heads in the order of namespace, then name, both by bytes.
    pub heads: Vec<Head>,
    /// An error for each isolate that belongs here and is damaged; each names its isolate.
    pub damaged: Vec<Error>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<ListCursor>,
}

/// How many isolates there are of each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; 8]);

impl Counts {
    /// How many have this status.
    pub fn get(&self, status: Status) -> u64 {
        self.0[status as usize]
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds some of a status. For backends.
    pub fn add(&mut self, status: Status, count: u64) {
        self.0[status as usize] += count;
    }
}

/// A session as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Where other nodes reach it; at most 1,024 bytes.
    pub address: String,
    /// The length of its lease, from each renewal on.
    pub ttl_ms: u32,
    /// When its lease ends unless it is renewed.
    pub until_ms: i64,
}

/// The answer to [`Store::open_session`](crate::Store::open_session).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The session is open.
    Open {
        /// When its lease ends unless it is renewed.
        until_ms: i64,
    },
    /// Another life of the same node holds a lease that has not ended: wait until it has and ask again.
    Held {
        /// Which.
        by: SessionId,
        /// When that lease ends unless it is renewed.
        until_ms: i64,
    },
}

/// The answer to [`Store::claim`](crate::Store::claim).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The shard is the session's, under this epoch.
    Granted(Epoch),
    /// Another session holds it under a lease that has not ended.
    Held {
        /// Which.
        by: SessionId,
        /// When that lease ends unless it is renewed.
        until_ms: i64,
    },
}

/// Who holds a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardLease {
    /// The shard.
    pub shard: Shard,
    /// Its present epoch.
    pub epoch: Epoch,
    /// The session that holds it, whether or not its lease has ended.
    pub holder: Option<SessionId>,
}

//! The commit thread: the only place that writes the file.
//!
//! It takes everything that waits, runs it in one transaction and answers each caller after that is durable; meanwhile the next
//! callers gather, so no timer is needed to fill a batch. A record that fails for a reason of its own is set aside and the
//! transaction done again without it. (Not by savepoints: once SQLite has met a damaged page, a transaction that was rolled back
//! to a savepoint fails in every later statement; seen in 3.40 and in the bundled version.) What fails the transaction (disk full,
//! I/O) fails all of it and nothing is applied. It does not retry that: the caller knows whether it still wants to.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::failure::Fail;
use super::schema;
use crate::batch::check_commit;
use crate::lease::Leases;
use crate::{
    Claim, Clock, Commit, Delete, Epoch, Error, Head, IsolateId, Kind, Limits, Opened, Outcome, ProgramHash, Result,
    Seq, SessionId, Shard, checksum,
};

/// Commits gathered into one transaction at most, so that the first caller does not wait for ever on the last.
const GATHER_MAX: usize = 8192;
/// The same in bytes of parts.
const GATHER_BYTES_MAX: usize = 64 << 20;
/// Pause after which the WAL is copied back and cut to nothing.
const IDLE: Duration = Duration::from_millis(500);
/// Transactions between two looks at the size of the WAL.
const WAL_LOOK_EVERY: u32 = 256;
/// A WAL of this size is cut even if that means waiting for readers.
const WAL_BYTES_MAX: u64 = 256 << 20;

/// What the commit thread is asked.
#[derive(Debug)]
pub(super) enum Ask {
    Commit(Vec<Commit>),
    Delete(Vec<Delete>),
    PutProgram(ProgramHash, Bytes),
    OpenSession(SessionId, String, u32),
    Renew(SessionId),
    CloseSession(SessionId),
    Claim(SessionId, Shard),
    Release(SessionId, Shard, Epoch),
    /// Bounds the file to so many bytes.
    LimitBytes(u64),
    /// A reader met a damaged index; it had seen so many repairs before.
    Repair(u64),
}

/// What it answers.
#[derive(Debug)]
pub(super) enum Answer {
    Outcomes(Vec<Outcome>),
    Opened(Opened),
    Until(i64),
    Claim(Claim),
    Done,
    /// True when it is worth reading again.
    Repaired(bool),
}

pub(super) struct Job {
    pub(super) ask: Ask,
    pub(super) reply: oneshot::Sender<Result<Answer>>,
    /// Held until the job is answered: bounds how many wait.
    pub(super) _permit: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) file: PathBuf,
    pub(super) limits: Limits,
    pub(super) shard_count: u32,
    pub(super) clock: Clock,
    pub(super) repairs: Arc<AtomicU64>,
    leases: Leases,
    /// A repair was tried; damage from now on belongs to the record that meets it.
    repair_tried: bool,
    /// Records of the batch at hand that can't be written, by place in the batch and in its caller's, and why.
    set_aside: HashMap<(usize, usize), Error>,
    /// The record that the last transaction failed for, if it was for one alone, and what was asked.
    own_failure: Option<((usize, usize), &'static str)>,
    transactions: u32,
}

type Tallies = HashMap<(String, u8), i64>;

impl Writer {
    pub(super) fn new(
        conn: Connection,
        file: PathBuf,
        limits: Limits,
        shard_count: u32,
        clock: Clock,
        repairs: Arc<AtomicU64>,
    ) -> rusqlite::Result<Writer> {
        let leases = schema::load_leases(&conn)?;
        Ok(Writer {
            conn,
            file,
            limits,
            shard_count,
            clock,
            repairs,
            leases,
            repair_tried: false,
            set_aside: HashMap::new(),
            own_failure: None,
            transactions: 0,
        })
    }

    /// Runs until the last sender is gone, and answers everything sent before that.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut idle = true;
        loop {
            let first =
                if idle { jobs.recv().map_err(|_| RecvTimeoutError::Disconnected) } else { jobs.recv_timeout(IDLE) };
            match first {
                Ok(first) => {
                    let gathered = gather(first, jobs);
                    self.serve(gathered);
                    idle = false;
                    self.bound_wal();
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.truncate_wal();
                    idle = true;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn serve(&mut self, jobs: Vec<Job>) {
        let asks: Vec<&Ask> = jobs.iter().map(|job| &job.ask).collect();
        self.set_aside.clear();
        // Each turn either ends, uses up the one repair, or sets one more record aside.
        let result = loop {
            self.own_failure = None;
            let fail = match self.transact(&asks) {
                Ok(answers) => break Ok(answers),
                Err(fail) => fail,
            };
            if fail.is_damage() && !self.repair_tried {
                self.repair();
            } else if let Some((record, operation)) = self.own_failure {
                self.set_aside.insert(record, fail.into_error(operation, &self.file));
            } else {
                break Err(fail);
            }
        };
        match result {
            Ok(answers) => {
                for (job, answer) in jobs.into_iter().zip(answers) {
                    // A caller who no longer waits has lost its answer, which it must expect.
                    let _ = job.reply.send(answer);
                }
            }
            Err(fail) => {
                let error = fail.into_error("commit", &self.file);
                tracing::warn!(%error, waiting = jobs.len(), "a transaction of the embedded store failed");
                for job in jobs {
                    let _ = job.reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// Runs everything in one transaction. An error means that nothing of it is applied, except that a failed COMMIT may
    /// yet turn out to be durable; its kind is `Retry` then.
    fn transact(&mut self, asks: &[&Ask]) -> std::result::Result<Vec<Result<Answer>>, Fail> {
        // These two are not part of a transaction.
        let mut early = Vec::with_capacity(asks.len());
        for ask in asks {
            early.push(match ask {
                Ask::LimitBytes(bytes) => Some(self.limit_bytes(*bytes)),
                Ask::Repair(seen) => Some(Ok(Answer::Repaired(self.repair_seen(*seen)))),
                _ => None,
            });
        }
        if early.iter().all(Option::is_some) {
            return Ok(early.into_iter().flatten().collect());
        }
        let leases = self.leases.clone();
        let result = self.transact_leased(asks, early);
        if result.is_err() {
            self.leases = leases;
            if !self.conn.is_autocommit()
                && let Err(error) = self.conn.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, file = %self.file.display(), "a failed transaction could not be rolled back");
            }
        }
        result
    }

    fn transact_leased(
        &mut self,
        asks: &[&Ask],
        early: Vec<Option<Result<Answer>>>,
    ) -> std::result::Result<Vec<Result<Answer>>, Fail> {
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut tallies = Tallies::new();
        let mut answers = Vec::with_capacity(asks.len());
        for (place, (ask, early)) in asks.iter().zip(early).enumerate() {
            answers.push(match early {
                Some(answer) => answer,
                None => self.answer(place, ask, &mut tallies)?,
            });
        }
        for ((namespace, status), change) in tallies.iter().filter(|(_, change)| **change != 0) {
            let add = "INSERT INTO tally (namespace, status, count) VALUES (?1, ?2, ?3)
                       ON CONFLICT (namespace, status) DO UPDATE SET count = count + excluded.count";
            self.conn.prepare_cached(add)?.execute(params![namespace, status, change])?;
        }
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(answers)
    }

    /// The outer error ends the transaction, the inner one is this caller's.
    fn answer(&mut self, place: usize, ask: &Ask, tallies: &mut Tallies) -> std::result::Result<Result<Answer>, Fail> {
        Ok(match ask {
            Ask::Commit(batch) => {
                let mut outcomes = Vec::with_capacity(batch.len());
                for (n, commit) in batch.iter().enumerate() {
                    outcomes.push(self.commit((place, n), commit, tallies)?);
                }
                Ok(Answer::Outcomes(outcomes))
            }
            Ask::Delete(batch) => {
                let mut outcomes = Vec::with_capacity(batch.len());
                for (n, delete) in batch.iter().enumerate() {
                    let done = self.alone((place, n), "delete", |writer| writer.apply_delete(delete))?;
                    outcomes.push(match done {
                        Ok((outcome, changes)) => {
                            tally(tallies, changes);
                            outcome
                        }
                        Err(error) => Outcome::Failed(error),
                    });
                }
                Ok(Answer::Outcomes(outcomes))
            }
            Ask::PutProgram(hash, bytes) => self
                .alone((place, 0), "put_program", |writer| writer.apply_program(*hash, bytes))?
                .map(|()| Answer::Done),
            Ask::OpenSession(id, address, ttl_ms) => self.change_leases(place, "open_session", |leases, now_ms| {
                Ok(Answer::Opened(leases.open(*id, address, *ttl_ms, now_ms)))
            })?,
            Ask::Renew(id) => {
                self.change_leases(place, "renew", |leases, now_ms| leases.renew(*id, now_ms).map(Answer::Until))?
            }
            Ask::CloseSession(id) => self.change_leases(place, "close_session", |leases, _| {
                leases.remove(*id);
                Ok(Answer::Done)
            })?,
            Ask::Claim(id, shard) => self
                .change_leases(place, "claim", |leases, now_ms| leases.claim(*id, *shard, now_ms).map(Answer::Claim))?,
            Ask::Release(id, shard, epoch) => self.change_leases(place, "release", |leases, _| {
                leases.release(*id, *shard, *epoch);
                Ok(Answer::Done)
            })?,
            // Answered before the transaction began.
            Ask::LimitBytes(_) | Ask::Repair(_) => Ok(Answer::Done),
        })
    }

    fn commit(
        &mut self,
        record: (usize, usize),
        commit: &Commit,
        tallies: &mut Tallies,
    ) -> std::result::Result<Outcome, Fail> {
        if let Err(error) = check_commit(commit, &self.limits, self.shard_count) {
            return Ok(Outcome::Failed(error));
        }
        Ok(match self.alone(record, "commit", |writer| writer.apply_commit(commit))? {
            Ok((outcome, changes)) => {
                tally(tallies, changes);
                outcome
            }
            Err(error) => {
                let context = format!("isolate {} ({}): {}", commit.head.id, commit.head.name, error.context());
                Outcome::Failed(Error::new(error.kind(), "commit", context).caused_by(error))
            }
        })
    }

    /// Runs one record, unless it was set aside. The inner error is why it was; the outer one ends the transaction.
    fn alone<T>(
        &mut self,
        record: (usize, usize),
        operation: &'static str,
        run: impl FnOnce(&mut Writer) -> std::result::Result<T, Fail>,
    ) -> std::result::Result<Result<T>, Fail> {
        if let Some(error) = self.set_aside.get(&record) {
            return Ok(Err(error.clone()));
        }
        let result = run(self);
        if result.as_ref().is_err_and(Fail::is_own) {
            self.own_failure = Some((record, operation));
        }
        result.map(Ok)
    }

    fn change_leases(
        &mut self,
        place: usize,
        operation: &'static str,
        change: impl FnOnce(&mut Leases, i64) -> Result<Answer>,
    ) -> std::result::Result<Result<Answer>, Fail> {
        let mut leases = self.leases.clone();
        let answer = match change(&mut leases, (self.clock)()) {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        let stored = self
            .alone((place, 0), operation, |writer| Ok(schema::store_leases(&writer.conn, &writer.leases, &leases)?))?;
        Ok(stored.map(|()| {
            self.leases = leases;
            answer
        }))
    }

    fn apply_commit(&mut self, commit: &Commit) -> std::result::Result<(Outcome, [Change; 2]), Fail> {
        let head = &commit.head;
        let unchanged = |outcome| Ok((outcome, [Change::NONE, Change::NONE]));
        let Some(present) = self.find(head.id)? else {
            if commit.expected != Seq::NONE {
                return match self.id_of_name(&head.namespace, &head.name)? {
                    Some(id) if id == head.id.0 => Err(Fail::Index("isolate_id")),
                    _ => unchanged(Outcome::Fenced),
                };
            }
            if !self.leases.allows(head.shard, head.epoch) || self.id_of_name(&head.namespace, &head.name)?.is_some() {
                return unchanged(Outcome::Fenced);
            }
            let n = self.insert_head(head)?;
            self.apply_rest(n, commit)?;
            return Ok((Outcome::Applied, [Change::of(head, 1), Change::NONE]));
        };
        if present.seq == head.seq.0 as i64 && present.epoch == head.epoch.0 as i64 {
            return unchanged(Outcome::AlreadyApplied);
        }
        if present.seq != commit.expected.0 as i64
            || present.namespace != head.namespace
            || present.name != head.name
            || !self.leases.allows(head.shard, head.epoch)
        {
            return unchanged(Outcome::Fenced);
        }
        self.update_head(present.n, head)?;
        self.apply_rest(present.n, commit)?;
        let before = Change { namespace: present.namespace, status: present.status, change: -1 };
        Ok((Outcome::Applied, [before, Change::of(head, 1)]))
    }

    fn find(&self, id: IsolateId) -> std::result::Result<Option<Present>, Fail> {
        let find = "SELECT n, seq, epoch, status, shard, namespace, name FROM isolate WHERE id = ?1";
        let present = self.conn.prepare_cached(find)?.query_row([&id.0[..]], |row| {
            Ok(Present {
                n: row.get(0)?,
                seq: row.get(1)?,
                epoch: row.get(2)?,
                status: row.get(3)?,
                shard: row.get(4)?,
                namespace: row.get(5)?,
                name: row.get(6)?,
            })
        });
        Ok(present.optional()?)
    }

    fn id_of_name(&self, namespace: &str, name: &str) -> std::result::Result<Option<Vec<u8>>, Fail> {
        let find = "SELECT id FROM isolate WHERE namespace = ?1 AND name = ?2";
        Ok(self.conn.prepare_cached(find)?.query_row([namespace, name], |row| row.get(0)).optional()?)
    }

    fn insert_head(&self, head: &Head) -> std::result::Result<i64, Fail> {
        let put =
            "INSERT INTO isolate (id, shard, namespace, name, flow, program, epoch, seq, status, runnable, wake_at_ms,
                   created_ms, updated_ms, ended_ms, next_event, checksum, state)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
        self.conn.prepare_cached(put)?.execute(params![
            &head.id.0[..],
            head.shard.0,
            head.namespace,
            head.name,
            head.flow,
            &head.program.0[..],
            head.epoch.0 as i64,
            head.seq.0 as i64,
            head.status as u8,
            head.runnable,
            head.wake_at_ms,
            head.created_ms,
            head.updated_ms,
            head.ended_ms,
            head.next_event as i64,
            checksum::of_head(head),
            &head.state[..],
        ])?;
        Ok(self.conn.last_insert_rowid())
    }

    fn update_head(&self, n: i64, head: &Head) -> std::result::Result<(), Fail> {
        // Id, shard, namespace and name are fixed, so their indices are not touched.
        let put = "UPDATE isolate SET flow = ?2, program = ?3, epoch = ?4, seq = ?5, status = ?6, runnable = ?7, wake_at_ms = ?8,
                   created_ms = ?9, updated_ms = ?10, ended_ms = ?11, next_event = ?12, checksum = ?13, state = ?14 WHERE n = ?1";
        self.conn.prepare_cached(put)?.execute(params![
            n,
            head.flow,
            &head.program.0[..],
            head.epoch.0 as i64,
            head.seq.0 as i64,
            head.status as u8,
            head.runnable,
            head.wake_at_ms,
            head.created_ms,
            head.updated_ms,
            head.ended_ms,
            head.next_event as i64,
            checksum::of_head(head),
            &head.state[..],
        ])?;
        Ok(())
    }

    fn apply_rest(&self, n: i64, commit: &Commit) -> std::result::Result<(), Fail> {
        let head = &commit.head;
        // The part that is put is not dropped first: one of the same size is then written over where it lies.
        let put = commit.put_part.as_ref().map_or(-1, |part| place(n, part.number));
        if let Some(from) = commit.drop_parts_from {
            let drop = "DELETE FROM part WHERE place >= ?1 AND place < ?2 AND place <> ?3";
            self.conn.prepare_cached(drop)?.execute([place(n, from), place(n + 1, 0), put])?;
        }
        if let Some(part) = &commit.put_part {
            let sql = "INSERT INTO part (place, checksum, bytes) VALUES (?1, ?2, ?3)
                       ON CONFLICT (place) DO UPDATE SET checksum = excluded.checksum, bytes = excluded.bytes";
            let checksum = checksum::of_part(head.id, part.number, &part.bytes);
            self.conn.prepare_cached(sql)?.execute(params![put, checksum, &part.bytes[..]])?;
        }
        let first = head.next_event - commit.events.len() as u64;
        for (number, event) in (first..).zip(&commit.events) {
            let put = "INSERT OR REPLACE INTO event (n, number, checksum, bytes) VALUES (?1, ?2, ?3, ?4)";
            let checksum = checksum::of_event(head.id, number, event);
            self.conn.prepare_cached(put)?.execute(params![n, number as i64, checksum, &event[..]])?;
        }
        let keep_from = head.next_event.saturating_sub(u64::from(commit.keep_events));
        let trim = "DELETE FROM event WHERE n = ?1 AND number < ?2";
        self.conn.prepare_cached(trim)?.execute([n, keep_from as i64])?;
        Ok(())
    }

    fn apply_delete(&mut self, delete: &Delete) -> std::result::Result<(Outcome, [Change; 2]), Fail> {
        let none = [Change::NONE, Change::NONE];
        let Some(present) = self.find(delete.id)? else {
            return Ok((Outcome::AlreadyApplied, none));
        };
        if present.seq != delete.expected.0 as i64
            || present.shard != delete.shard.0
            || !self.leases.allows(delete.shard, delete.epoch)
        {
            return Ok((Outcome::Fenced, none));
        }
        let drop = "DELETE FROM part WHERE place >= ?1 AND place < ?2";
        self.conn.prepare_cached(drop)?.execute([place(present.n, 0), place(present.n + 1, 0)])?;
        self.conn.prepare_cached("DELETE FROM event WHERE n = ?1")?.execute([present.n])?;
        self.conn.prepare_cached("DELETE FROM isolate WHERE n = ?1")?.execute([present.n])?;
        let before = Change { namespace: present.namespace, status: present.status, change: -1 };
        Ok((Outcome::Applied, [before, Change::NONE]))
    }

    fn apply_program(&mut self, hash: ProgramHash, bytes: &Bytes) -> std::result::Result<(), Fail> {
        let find = "SELECT checksum, bytes FROM program WHERE hash = ?1";
        let sound = self.conn.prepare_cached(find)?.query_row([&hash.0[..]], |row| {
            let (checksum, bytes): (u32, Vec<u8>) = (row.get(0)?, row.get(1)?);
            Ok(checksum == checksum::of_program(hash, &bytes))
        });
        if sound.optional()? == Some(true) {
            return Ok(());
        }
        let put = "INSERT OR REPLACE INTO program (hash, checksum, bytes) VALUES (?1, ?2, ?3)";
        let checksum = checksum::of_program(hash, bytes);
        self.conn.prepare_cached(put)?.execute(params![&hash.0[..], checksum, &bytes[..]])?;
        Ok(())
    }

    fn limit_bytes(&mut self, bytes: u64) -> Result<Answer> {
        let set = || -> rusqlite::Result<()> {
            let page: u32 = self.conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            let pages = (bytes / u64::from(page)).clamp(1, u64::from(u32::MAX - 1));
            self.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        };
        set().map(|()| Answer::Done).map_err(|error| Fail::Sql(error).into_error("limit_bytes", &self.file))
    }

    fn repair_seen(&mut self, seen: u64) -> bool {
        if self.repairs.load(Ordering::Acquire) > seen {
            return true;
        }
        !self.repair_tried && self.repair()
    }

    /// Looks for damage that no statement would notice.
    pub(super) fn look_for_damage(&mut self) {
        // An error here is damage too, or will come back from the statement that it concerns.
        if !matches!(schema::indices_are_sound(&self.conn), Ok(true)) {
            self.repair();
        }
    }

    /// Makes the indices again from the records, once in the life of this thread, and says so.
    fn repair(&mut self) -> bool {
        self.repair_tried = true;
        let result = schema::rebuild_indices(&mut self.conn);
        let file = self.file.display();
        match &result {
            Ok(()) => tracing::error!(
                %file,
                "an index of the store was damaged and was made again from the records; check the disk, and keep a backup"
            ),
            Err(error) => {
                tracing::error!(%file, %error, "the store is damaged and its indices could not be made again")
            }
        }
        if result.is_ok() {
            self.repairs.fetch_add(1, Ordering::Release);
        }
        result.is_ok()
    }

    fn bound_wal(&mut self) {
        self.transactions += 1;
        if self.transactions < WAL_LOOK_EVERY {
            return;
        }
        self.transactions = 0;
        let mut wal = self.file.clone().into_os_string();
        wal.push("-wal");
        if std::fs::metadata(wal).is_ok_and(|wal| wal.len() > WAL_BYTES_MAX) {
            self.truncate_wal();
        }
    }

    fn truncate_wal(&self) {
        if let Err(error) = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            // Nothing is lost: it is tried again after the next pause.
            tracing::debug!(%error, file = %self.file.display(), "the WAL could not be cut");
        }
    }
}

struct Present {
    n: i64,
    seq: i64,
    epoch: i64,
    status: u8,
    shard: u32,
    namespace: String,
    name: String,
}

/// What a record does to the counts.
struct Change {
    namespace: String,
    status: u8,
    change: i64,
}

impl Change {
    const NONE: Change = Change { namespace: String::new(), status: 0, change: 0 };

    fn of(head: &Head, change: i64) -> Change {
        Change { namespace: head.namespace.clone(), status: head.status as u8, change }
    }
}

fn tally(tallies: &mut Tallies, changes: [Change; 2]) {
    for change in changes.into_iter().filter(|change| change.change != 0) {
        *tallies.entry((change.namespace, change.status)).or_default() += change.change;
    }
}

/// The key of a part: parts of one isolate are neighbours, in the order of their numbers.
pub(super) fn place(n: i64, number: u32) -> i64 {
    n << 20 | i64::from(number)
}

fn gather(first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
    let (mut commits, mut bytes) = weight(&first.ask);
    let mut gathered = vec![first];
    while commits < GATHER_MAX && bytes < GATHER_BYTES_MAX {
        let Ok(job) = jobs.try_recv() else { break };
        let (more_commits, more_bytes) = weight(&job.ask);
        commits += more_commits;
        bytes += more_bytes;
        gathered.push(job);
    }
    gathered
}

fn weight(ask: &Ask) -> (usize, usize) {
    match ask {
        Ask::Commit(batch) => {
            let part = |commit: &Commit| commit.put_part.as_ref().map_or(0, |part| part.bytes.len());
            (batch.len(), batch.iter().map(part).sum())
        }
        Ask::Delete(batch) => (batch.len(), 0),
        Ask::PutProgram(_, bytes) => (1, bytes.len()),
        _ => (1, 0),
    }
}

/// The error of a caller whose answer will not come.
pub(super) fn closed(operation: &'static str, file: &std::path::Path) -> Error {
    Error::new(Kind::Refused, operation, format!("{}: the store is closed", file.display()))
}

//! The [`Store`] trait and its guarantees.
//!
//! Sized to the weakest backend: a write is atomic for one isolate, a batch only carries many; there is no transaction over two
//! isolates and no write by a session that does not own the shard. Every method is mandatory. The sentences marked with a dash
//! are guarantees; each is a case of the behaviour suite. What to do after an error is its [`Kind`](crate::Kind).

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Claim, Commit, Counts, Delete, Due, Ended, Epoch, Filter, Head, IsolateId, Limits, ListCursor, Opened, Outcome,
    Page, ProgramHash, Result, Session, SessionId, Shard, ShardLease, Snapshot,
};

/// Where isolates live. Used as `Arc<dyn Store>` by many tasks at once.
///
/// A read sees every write that was acknowledged before it began. Reads are open to anybody; writes of isolates are fenced by the epoch of their
/// shard. A method that is dropped before it answers may or may not have happened.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// What this store can take. Fixed while it is open.
    fn limits(&self) -> Limits;

    /// How many shards it has. Fixed for ever when the store is created.
    fn shard_count(&self) -> u32;

    /// The store's clock, in unix milliseconds: leases and due times are meant by it.
    async fn now_ms(&self) -> Result<i64>;

    /// Writes a batch, each commit applied or refused on its own; the answers come in the order of the batch.
    ///
    /// A commit is applied when its shard has the epoch `head.epoch` and the isolate the sequence number `expected` (for
    /// [`Seq::NONE`](crate::Seq::NONE): neither id nor name are there). It is already applied when the stored head has exactly its
    /// `seq` and `epoch`, whatever the shard's epoch is by now.
    ///
    /// - A commit is applied whole or not at all, and is durable when the call returns.
    /// - A batch may be repeated blindly: what was applied before answers already applied, even after the shard was lost.
    /// - A stale epoch or an unexpected sequence number is fenced and writes nothing.
    /// - A shard that nobody has claimed takes no commit.
    /// - A name that another isolate has is fenced.
    /// - A refused commit does not affect the others of its batch.
    /// - A commit over a limit, or of a shard that is not its name's, fails alone.
    /// - Parts are dropped from a number on before the new part is put.
    /// - Events are numbered for each isolate and the oldest are trimmed in the same commit.
    ///
    /// An error means the whole batch: for `Retry` it may have been applied, for every other kind it was not. The same isolate twice in one batch,
    /// or more than `batch_max`, is `Refused`.
    async fn commit(&self, batch: Vec<Commit>) -> Result<Vec<Outcome>>;

    /// Removes isolates, each on its own, fenced as commits are. Not to be sent while a commit of the same isolate is under way.
    ///
    /// - Delete removes head, parts and events and frees the name.
    /// - Delete of an isolate that is not there answers already applied.
    /// - Delete with a stale epoch or an unexpected sequence number is fenced and removes nothing.
    async fn delete(&self, batch: Vec<Delete>) -> Result<Vec<Outcome>>;

    /// The head of an isolate, if it is there. `Corrupt` if it is damaged.
    async fn head(&self, id: IsolateId) -> Result<Option<Head>>;

    /// The head of the isolate that has this name now.
    async fn head_by_name(&self, namespace: &str, name: &str) -> Result<Option<Head>>;

    /// An isolate's head and parts, if it is there.
    ///
    /// - A snapshot is of one instant: its parts belong to its head.
    /// - A damaged part is an error that names isolate and part, and stops nothing else.
    async fn snapshot(&self, id: IsolateId) -> Result<Option<Snapshot>>;

    /// Events of an isolate with their numbers, from number `from` on, in order, at most `limit`. Empty if it is not there.
    async fn events(&self, id: IsolateId, from: u64, limit: usize) -> Result<Vec<(u64, Bytes)>>;

    /// Isolates of a shard with a timer due at `until_ms` or before, at most `limit`, after the cursor.
    ///
    /// - Due isolates come in the order of time, then id, and pages join without gap or repetition.
    async fn due(&self, shard: Shard, after: Option<Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>>;

    /// Isolates of a shard whose head says `runnable`, at most `limit`, after the cursor.
    ///
    /// - Runnable isolates come in the order of id, whatever their status is.
    async fn runnable(&self, shard: Shard, after: Option<IsolateId>, limit: usize) -> Result<Vec<IsolateId>>;

    /// Isolates of a shard that ended at `until_ms` or before, at most `limit`, after the cursor.
    ///
    /// - Ended isolates come in the order of time, then id.
    async fn ended(&self, shard: Shard, after: Option<Ended>, until_ms: i64, limit: usize) -> Result<Vec<Ended>>;

    /// Heads of all shards that pass the filter, at most `limit`, after the cursor.
    ///
    /// - A listing is ordered by namespace and name, filtered, and paged without gap or repetition.
    async fn list(&self, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Result<Page>;

    /// How many isolates there are of each status, in one namespace or in all.
    ///
    /// - Counts follow every commit and delete.
    async fn counts(&self, namespace: Option<&str>) -> Result<Counts>;

    /// Keeps a program under its hash. Durable when it returns; may be repeated blindly.
    ///
    /// - A program that is there already is left as it is, unless it is damaged: then it is replaced.
    async fn put_program(&self, hash: ProgramHash, bytes: Bytes) -> Result<()>;

    /// The program of a hash, if it is there.
    ///
    /// - A damaged program is an error that names it.
    async fn program(&self, hash: ProgramHash) -> Result<Option<Bytes>>;

    /// The hashes of all programs, in order.
    async fn programs(&self) -> Result<Vec<ProgramHash>>;

    /// Opens a session with a lease of `ttl_ms` (1 or more) from now, reachable by other nodes at `address`.
    ///
    /// - Another session of the same node is held off until the first one's lease has ended, and is told when that is.
    /// - Opening the same session again renews it.
    async fn open_session(&self, id: SessionId, address: &str, ttl_ms: u32) -> Result<Opened>;

    /// Renews a session's lease from now and says when it ends. `LeaseLost` if the session is not there: it was closed or sealed.
    ///
    /// - A lease that has ended can be renewed until it is sealed.
    /// - A session is sealed when, after its lease has ended, one of its shards is claimed or its node opens another session;
    ///   then it has lost all its shards.
    async fn renew(&self, id: SessionId) -> Result<i64>;

    /// Closes a session and releases all its shards. May be repeated blindly.
    ///
    /// - A closed session holds nothing and can't be renewed.
    async fn close_session(&self, id: SessionId) -> Result<()>;

    /// All sessions that are neither closed nor sealed, in order, also those whose lease has ended.
    async fn sessions(&self) -> Result<Vec<Session>>;

    /// Takes a shard for a session. `LeaseLost` if the session is not there. May be repeated blindly.
    ///
    /// - A claim of a free shard raises its epoch; commits under an earlier one are fenced.
    /// - A shard under a live lease is not granted to another session.
    /// - A claim of a shard that the session holds already answers the same epoch.
    async fn claim(&self, id: SessionId, shard: Shard) -> Result<Claim>;

    /// Gives a shard back, if the session holds it under this epoch; otherwise does nothing. May be repeated blindly.
    ///
    /// - After a release commits under the old epoch are fenced.
    async fn release(&self, id: SessionId, shard: Shard, epoch: Epoch) -> Result<()>;

    /// Every shard with its epoch and holder, in order.
    async fn shards(&self) -> Result<Vec<ShardLease>>;
}

//! Everything that writes: batches in one statement and one round trip, leases in a transaction that others wait for.

use std::collections::{BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};

use super::failure::Fail;
use super::schema::Statements;
use crate::lease::Leases;
use crate::{Commit, Delete, Epoch, IsolateId, Outcome, ProgramHash, Session, SessionId, Shard, checksum};

/// What a commit of the batch came to, by id.
pub(super) type Outcomes = HashMap<IsolateId, Outcome>;

/// One column of the input for each field, one entry for each commit.
#[derive(Default)]
struct Columns<'a> {
    id: Vec<&'a [u8]>,
    shard: Vec<i32>,
    namespace: Vec<&'a str>,
    name: Vec<&'a str>,
    flow: Vec<&'a str>,
    program: Vec<&'a [u8]>,
    epoch: Vec<i64>,
    expected: Vec<i64>,
    seq: Vec<i64>,
    status: Vec<i16>,
    runnable: Vec<bool>,
    wake_at_ms: Vec<Option<i64>>,
    created_ms: Vec<i64>,
    updated_ms: Vec<i64>,
    ended_ms: Vec<Option<i64>>,
    next_event: Vec<i64>,
    checksum: Vec<i64>,
    state: Vec<&'a [u8]>,
    drop_from: Vec<Option<i32>>,
    put_number: Vec<Option<i32>>,
    keep_from: Vec<i64>,
    parts: Rows<'a, i32>,
    events: Rows<'a, i64>,
}

/// Rows of a table of numbered bytes.
struct Rows<'a, N> {
    id: Vec<&'a [u8]>,
    number: Vec<N>,
    checksum: Vec<i64>,
    bytes: Vec<&'a [u8]>,
}

impl<N> Default for Rows<'_, N> {
    fn default() -> Self {
        Rows { id: Vec::new(), number: Vec::new(), checksum: Vec::new(), bytes: Vec::new() }
    }
}

impl<'a, N> Rows<'a, N> {
    fn push(&mut self, id: &'a IsolateId, number: N, checksum: u32, bytes: &'a Bytes) {
        self.id.push(&id.0);
        self.number.push(number);
        self.checksum.push(i64::from(checksum));
        self.bytes.push(bytes);
    }
}

impl<'a> Columns<'a> {
    fn push(&mut self, commit: &'a Commit) {
        // Every number was checked against its bound (`check_commit`), so none of the conversions below loses anything.
        let head = &commit.head;
        self.id.push(&head.id.0);
        self.shard.push(head.shard.0 as i32);
        self.namespace.push(&head.namespace);
        self.name.push(&head.name);
        self.flow.push(&head.flow);
        self.program.push(&head.program.0);
        self.epoch.push(head.epoch.0 as i64);
        self.expected.push(commit.expected.0 as i64);
        self.seq.push(head.seq.0 as i64);
        self.status.push(i16::from(head.status as u8));
        self.runnable.push(head.runnable);
        self.wake_at_ms.push(head.wake_at_ms);
        self.created_ms.push(head.created_ms);
        self.updated_ms.push(head.updated_ms);
        self.ended_ms.push(head.ended_ms);
        self.next_event.push(head.next_event as i64);
        self.checksum.push(i64::from(checksum::of_head(head)));
        self.state.push(&head.state);
        self.drop_from.push(commit.drop_parts_from.map(|number| number as i32));
        self.put_number.push(commit.put_part.as_ref().map(|part| part.number as i32));
        let keep_from = head.next_event.saturating_sub(u64::from(commit.keep_events));
        self.keep_from.push(keep_from as i64);
        if let Some(part) = &commit.put_part {
            let sum = checksum::of_part(head.id, part.number, &part.bytes);
            self.parts.push(&head.id, part.number as i32, sum, &part.bytes);
        }
        let first = head.next_event - commit.events.len() as u64;
        for (number, event) in (first..).zip(&commit.events) {
            // The trim of the same statement does not see what the statement writes.
            if number >= keep_from {
                self.events.push(&head.id, number as i64, checksum::of_event(head.id, number, event), event);
            }
        }
    }
}

/// Writes checked commits, sorted by id. One round trip, and a second where not all were applied: those were already, or are fenced.
pub(super) async fn commit(
    conn: &mut PgConnection,
    sql: &Statements,
    batch: &[&Commit],
    out: &mut Outcomes,
) -> Result<(), Fail> {
    let mut columns = Columns::default();
    batch.iter().for_each(|commit| columns.push(commit));
    let shards = distinct(&columns.shard);
    let c = columns;
    let query = sql.query(&sql.commit);
    let query = query.bind(c.id).bind(c.shard).bind(c.namespace).bind(c.name).bind(c.flow).bind(c.program);
    let query = query.bind(c.epoch).bind(c.expected).bind(c.seq).bind(c.status).bind(c.runnable).bind(c.wake_at_ms);
    let query = query.bind(c.created_ms).bind(c.updated_ms).bind(c.ended_ms).bind(c.next_event).bind(c.checksum);
    let query = query.bind(c.state).bind(c.drop_from).bind(c.put_number).bind(c.keep_from).bind(shards);
    let query = query.bind(c.parts.id).bind(c.parts.number).bind(c.parts.checksum).bind(c.parts.bytes);
    let query = query.bind(c.events.id).bind(c.events.number).bind(c.events.checksum).bind(c.events.bytes);
    let applied = ids(&query.fetch_all(&mut *conn).await?)?;
    let rest: Vec<&&Commit> = batch.iter().filter(|commit| !applied.contains(&commit.head.id)).collect();
    let standing = standing(conn, sql, rest.iter().map(|commit| commit.head.id)).await?;
    for commit in batch {
        let head = &commit.head;
        let outcome = if applied.contains(&head.id) {
            Outcome::Applied
        } else if standing.get(&head.id) == Some(&(head.seq.0 as i64, head.epoch.0 as i64)) {
            Outcome::AlreadyApplied
        } else {
            Outcome::Fenced
        };
        out.insert(head.id, outcome);
    }
    Ok(())
}

pub(super) async fn delete(
    conn: &mut PgConnection,
    sql: &Statements,
    batch: &[&Delete],
    out: &mut Outcomes,
) -> Result<(), Fail> {
    let shard: Vec<i32> = batch.iter().map(|delete| delete.shard.0 as i32).collect();
    let shards = distinct(&shard);
    let id: Vec<&[u8]> = batch.iter().map(|delete| &delete.id.0[..]).collect();
    // Numbers that no store has are fenced like any other wrong one.
    let number = |n: u64| i64::try_from(n).unwrap_or(-1);
    let epoch: Vec<i64> = batch.iter().map(|delete| number(delete.epoch.0)).collect();
    let expected: Vec<i64> = batch.iter().map(|delete| number(delete.expected.0)).collect();
    let query = sql.query(&sql.delete);
    let rows = query.bind(id).bind(shard).bind(epoch).bind(expected).bind(shards).fetch_all(&mut *conn).await?;
    let gone = ids(&rows)?;
    let rest = batch.iter().map(|delete| delete.id).filter(|id| !gone.contains(id));
    let standing = standing(conn, sql, rest).await?;
    for delete in batch {
        let outcome = match (gone.contains(&delete.id), standing.contains_key(&delete.id)) {
            (true, _) => Outcome::Applied,
            (false, false) => Outcome::AlreadyApplied,
            (false, true) => Outcome::Fenced,
        };
        out.insert(delete.id, outcome);
    }
    Ok(())
}

/// Sequence number and epoch of these isolates, where they are there. Read after a statement that did not apply something: by
/// then whatever it had to wait for (the same batch, sent before over a connection that broke) has ended.
async fn standing(
    conn: &mut PgConnection,
    sql: &Statements,
    ids: impl Iterator<Item = IsolateId>,
) -> Result<HashMap<IsolateId, (i64, i64)>, Fail> {
    let ids: Vec<Vec<u8>> = ids.map(|id| id.0.to_vec()).collect();
    let mut standing = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(standing);
    }
    for row in sql.query(&sql.standing).bind(ids).fetch_all(conn).await? {
        if let Ok(id) = row.try_get::<&[u8], _>(0)?.try_into() {
            standing.insert(IsolateId(id), (row.try_get(1)?, row.try_get(2)?));
        }
    }
    Ok(standing)
}

fn ids(rows: &[PgRow]) -> Result<HashSet<IsolateId>, Fail> {
    let mut out = HashSet::with_capacity(rows.len());
    for row in rows {
        if let Ok(id) = row.try_get::<&[u8], _>(0)?.try_into() {
            out.insert(IsolateId(id));
        }
    }
    Ok(out)
}

fn distinct(shards: &[i32]) -> Vec<i32> {
    shards.iter().copied().collect::<BTreeSet<i32>>().into_iter().collect()
}

pub(super) async fn put_program(
    conn: &mut PgConnection,
    sql: &Statements,
    hash: ProgramHash,
    bytes: &Bytes,
) -> Result<(), Fail> {
    let sum = i64::from(checksum::of_program(hash, bytes));
    let put = sql.query(&sql.put_program).bind(&hash.0[..]).bind(sum).bind(&bytes[..]);
    if put.execute(&mut *conn).await?.rows_affected() > 0 {
        return Ok(());
    }
    match super::reads::program(conn, sql, hash).await {
        Ok(_) => Ok(()),
        Err(Fail::Settled(_)) => {
            let mend = sql.query(&sql.mend_program).bind(&hash.0[..]).bind(sum);
            mend.bind(&bytes[..]).execute(conn).await?;
            Ok(())
        }
        Err(fail) => Err(fail),
    }
}

/// Sessions, leases and the server's time. Loaded with the lock held, nobody changes them meanwhile.
pub(super) async fn load_leases(conn: &mut PgConnection, sql: &Statements) -> Result<Leases, Fail> {
    let mut sessions = Vec::new();
    for row in sql.query(&sql.sessions).fetch_all(&mut *conn).await? {
        sessions.push(Session {
            id: session_id(row.try_get(0)?, row.try_get(1)?),
            address: row.try_get(2)?,
            ttl_ms: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(u32::MAX),
            until_ms: row.try_get(4)?,
        });
    }
    let mut shards = Vec::new();
    for row in sql.query(&sql.leases).fetch_all(conn).await? {
        let (node_id, life): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
        let holder = node_id.zip(life).map(|(node_id, life)| session_id(node_id, life));
        shards.push((Epoch(row.try_get::<i64, _>(0)? as u64), holder));
    }
    Ok(Leases::of(sessions, shards))
}

/// Both numbers are stored by their bits.
fn session_id(node_id: i64, life: i64) -> SessionId {
    SessionId { node_id: node_id as u64, life: life as u64 }
}

/// Changes sessions and leases by the rules in `crate::lease`. One at a time over all nodes, since each takes the lock first; a
/// shard that changes hands waits for the commits under its old epoch that are under way, by the lock that their fence holds.
pub(super) async fn change_leases<T>(
    conn: &mut PgConnection,
    sql: &Statements,
    change: impl FnOnce(&mut Leases, i64) -> crate::Result<T>,
) -> Result<T, Fail> {
    let mut tx = conn.begin().await?;
    sql.query(&sql.lock_leases).execute(&mut *tx).await?;
    let before = load_leases(&mut tx, sql).await?;
    let now_ms = now_ms(&mut tx).await?;
    let mut after = before.clone();
    let answer = change(&mut after, now_ms).map_err(Fail::Settled)?;
    if after != before {
        store_leases(&mut tx, sql, &before, &after).await?;
    }
    tx.commit().await?;
    Ok(answer)
}

/// The server's clock, not that of the transaction's start.
pub(super) async fn now_ms(conn: &mut PgConnection) -> Result<i64, Fail> {
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8";
    Ok(sqlx::query(now).persistent(false).fetch_one(conn).await?.try_get(0)?)
}

async fn store_leases(conn: &mut PgConnection, sql: &Statements, before: &Leases, after: &Leases) -> Result<(), Fail> {
    let (known, kept) = (before.sessions(), after.sessions());
    for session in known.iter().filter(|old| !kept.iter().any(|new| new.id.node_id == old.id.node_id)) {
        let drop = sql.query(&sql.drop_session).bind(session.id.node_id as i64);
        drop.execute(&mut *conn).await?;
    }
    for session in kept.iter().filter(|session| !known.contains(session)) {
        let put = sql.query(&sql.put_session).bind(session.id.node_id as i64);
        let put = put.bind(session.id.life as i64).bind(&session.address);
        put.bind(i64::from(session.ttl_ms)).bind(session.until_ms).execute(&mut *conn).await?;
    }
    let (mut shard, mut epoch, mut node_id, mut life) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (_, new) in before.shards().into_iter().zip(after.shards()).filter(|(old, new)| old != new) {
        let Shard(number) = new.shard;
        shard.push(number as i32);
        epoch.push(new.epoch.0 as i64);
        node_id.push(new.holder.map(|holder| holder.node_id as i64));
        life.push(new.holder.map(|holder| holder.life as i64));
    }
    if !shard.is_empty() {
        let put = sql.query(&sql.put_lease).bind(shard).bind(epoch);
        put.bind(node_id).bind(life).execute(conn).await?;
    }
    Ok(())
}

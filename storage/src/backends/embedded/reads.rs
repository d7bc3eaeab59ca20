//! The queries.
//!
//! Every record is checked against its checksum before anybody sees it. A scan over an index joins each entry with the record
//! it points at and compares the two, since a changed byte in an index is not always one that SQLite notices by itself.

use bytes::Bytes;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::failure::Fail;
use super::writer::place;
use crate::{
    Counts, Due, Ended, Epoch, Error, Filter, Head, IsolateId, Kind, ListCursor, Page, Part, ProgramHash, Seq, Shard,
    Snapshot, Status, checksum,
};

type Answer<T> = Result<T, Fail>;

const COLUMNS: &str =
    "t.id, t.shard, t.namespace, t.name, t.flow, t.program, t.epoch, t.seq, t.status, t.runnable, t.wake_at_ms,
    t.created_ms, t.updated_ms, t.ended_ms, t.next_event, t.checksum, t.state, t.n";
const CHECKSUM: usize = 15;
const N: usize = 17;
/// The columns after those of the head: what the index says.
const INDEXED: usize = 18;

fn corrupt(operation: &'static str, what: String) -> Fail {
    Fail::Settled(Error::new(
        Kind::Corrupt,
        operation,
        format!(
            "{what} is damaged; its bytes are left as they are, restore a backup of the store or delete this isolate"
        ),
    ))
}

/// Reads a head and verifies it. The inner error says which isolate is damaged.
fn read_head(row: &Row<'_>, operation: &'static str) -> Answer<Head> {
    let damaged = || {
        let id = match row.get_ref(0) {
            Ok(ValueRef::Blob(id)) => id.try_into().map(|id| IsolateId(id).to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        let name = match row.get_ref(3) {
            Ok(ValueRef::Text(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        };
        corrupt(operation, format!("the head of isolate {id} ({name})"))
    };
    let read = || -> rusqlite::Result<Option<Head>> {
        let Some(status) = Status::from_number(row.get(8)?) else { return Ok(None) };
        let head = Head {
            id: IsolateId(row.get(0)?),
            shard: Shard(row.get(1)?),
            namespace: row.get(2)?,
            name: row.get(3)?,
            flow: row.get(4)?,
            program: ProgramHash(row.get(5)?),
            epoch: Epoch(row.get::<_, i64>(6)? as u64),
            seq: Seq(row.get::<_, i64>(7)? as u64),
            status,
            runnable: row.get(9)?,
            wake_at_ms: row.get(10)?,
            created_ms: row.get(11)?,
            updated_ms: row.get(12)?,
            ended_ms: row.get(13)?,
            next_event: row.get::<_, i64>(14)? as u64,
            state: Bytes::from(row.get::<_, Vec<u8>>(16)?),
        };
        let checksum: u32 = row.get(CHECKSUM)?;
        Ok((checksum == checksum::of_head(&head)).then_some(head))
    };
    match read() {
        Ok(Some(head)) => Ok(head),
        Ok(None) => Err(damaged()),
        Err(error) if error.sqlite_error().is_some() => Err(Fail::Sql(error)),
        Err(_) => Err(damaged()),
    }
}

/// The record an index entry points at must be there and say what the entry says.
fn agree(row: &Row<'_>, agrees: usize, index: &'static str) -> Answer<()> {
    match row.get_ref(agrees)? {
        ValueRef::Integer(1) => Ok(()),
        _ => Err(Fail::Index(index)),
    }
}

fn head_and_n(conn: &Connection, id: IsolateId, operation: &'static str) -> Answer<Option<(Head, i64)>> {
    let sql = format!(
        "SELECT {COLUMNS}, i.id IS t.id FROM isolate i INDEXED BY isolate_id LEFT JOIN isolate t NOT INDEXED ON t.n = i.n
         WHERE i.id = ?1"
    );
    let mut query = conn.prepare_cached(&sql)?;
    let mut rows = query.query([&id.0[..]])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    agree(row, INDEXED, "isolate_id")?;
    let n = row.get(N)?;
    Ok(Some((read_head(row, operation)?, n)))
}

pub(super) fn head(conn: &mut Connection, id: IsolateId) -> Answer<Option<Head>> {
    Ok(head_and_n(conn, id, "head")?.map(|(head, _)| head))
}

pub(super) fn head_by_name(conn: &mut Connection, namespace: &str, name: &str) -> Answer<Option<Head>> {
    let sql = format!(
        "SELECT {COLUMNS}, i.namespace IS t.namespace AND i.name IS t.name
         FROM isolate i INDEXED BY isolate_name LEFT JOIN isolate t NOT INDEXED ON t.n = i.n
         WHERE i.namespace = ?1 AND i.name = ?2"
    );
    let mut query = conn.prepare_cached(&sql)?;
    let mut rows = query.query([namespace, name])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    agree(row, INDEXED, "isolate_name")?;
    read_head(row, "head_by_name").map(Some)
}

pub(super) fn snapshot(conn: &mut Connection, id: IsolateId) -> Answer<Option<Snapshot>> {
    // One read transaction, so that head and parts are of one instant.
    let tx = conn.transaction()?;
    let Some((head, n)) = head_and_n(&tx, id, "snapshot")? else { return Ok(None) };
    let select = "SELECT place, checksum, bytes FROM part WHERE place >= ?1 AND place < ?2 ORDER BY place";
    let mut parts = Vec::new();
    let mut query = tx.prepare_cached(select)?;
    let mut rows = query.query([place(n, 0), place(n + 1, 0)])?;
    while let Some(row) = rows.next()? {
        let number = (row.get::<_, i64>(0)? & i64::from(crate::limits::PART_NUMBER_MAX)) as u32;
        let (checksum, bytes): (u32, Vec<u8>) = match row.get(1).and_then(|sum| Ok((sum, row.get(2)?))) {
            Ok(part) => part,
            Err(error) if error.sqlite_error().is_some() => return Err(Fail::Sql(error)),
            Err(_) => return Err(damaged_part(&head, number)),
        };
        if checksum != checksum::of_part(id, number, &bytes) {
            return Err(damaged_part(&head, number));
        }
        parts.push(Part { number, bytes: Bytes::from(bytes) });
    }
    drop(rows);
    drop(query);
    tx.finish()?;
    Ok(Some(Snapshot { head, parts }))
}

fn damaged_part(head: &Head, number: u32) -> Fail {
    corrupt("snapshot", format!("part {number} of the snapshot of isolate {} ({})", head.id, head.name))
}

pub(super) fn events(conn: &mut Connection, id: IsolateId, from: u64, limit: usize) -> Answer<Vec<(u64, Bytes)>> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let find = "SELECT n FROM isolate WHERE id = ?1";
    let n: Option<i64> = conn.prepare_cached(find)?.query_row([&id.0[..]], |row| row.get(0)).optional()?;
    let Some(n) = n else { return Ok(Vec::new()) };
    let select = "SELECT number, checksum, bytes FROM event WHERE n = ?1 AND number >= ?2 ORDER BY number LIMIT ?3";
    let mut query = conn.prepare_cached(select)?;
    let mut rows = query.query(params![n, from, limit as i64])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, checksum, bytes): (i64, u32, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if checksum != checksum::of_event(id, number as u64, &bytes) {
            return Err(corrupt("events", format!("event {number} of isolate {id}")));
        }
        events.push((number as u64, Bytes::from(bytes)));
    }
    Ok(events)
}

pub(super) fn due(
    conn: &mut Connection,
    shard: Shard,
    after: Option<Due>,
    until_ms: i64,
    limit: usize,
) -> Answer<Vec<Due>> {
    let (at, id) = after.map_or((i64::MIN, [0; 16]), |after| (after.wake_at_ms, after.id.0));
    let select = "SELECT i.wake_at_ms, i.id, i.wake_at_ms IS t.wake_at_ms AND i.id IS t.id AND i.shard IS t.shard
        FROM isolate i INDEXED BY isolate_due LEFT JOIN isolate t NOT INDEXED ON t.n = i.n
        WHERE i.shard = ?1 AND i.wake_at_ms IS NOT NULL AND i.wake_at_ms <= ?2 AND (i.wake_at_ms, i.id) > (?3, ?4)
        ORDER BY i.wake_at_ms, i.id LIMIT ?5";
    let mut query = conn.prepare_cached(select)?;
    let mut rows = query.query(params![shard.0, until_ms, at, id_after(after.is_none(), &id), limit as i64])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        agree(row, 2, "isolate_due")?;
        due.push(Due { wake_at_ms: row.get(0)?, id: IsolateId(row.get(1)?) });
    }
    Ok(due)
}

/// Before the first page the id must sort before every other one, the zero id included.
fn id_after(first_page: bool, id: &[u8; 16]) -> &[u8] {
    if first_page { &[] } else { id }
}

pub(super) fn runnable(
    conn: &mut Connection,
    shard: Shard,
    after: Option<IsolateId>,
    limit: usize,
) -> Answer<Vec<IsolateId>> {
    let id = after.map_or([0; 16], |after| after.0);
    let select = "SELECT i.id, t.runnable = 1 AND i.id IS t.id AND i.shard IS t.shard
        FROM isolate i INDEXED BY isolate_runnable LEFT JOIN isolate t NOT INDEXED ON t.n = i.n
        WHERE i.shard = ?1 AND i.runnable = 1 AND i.id > ?2 ORDER BY i.id LIMIT ?3";
    let mut query = conn.prepare_cached(select)?;
    let mut rows = query.query(params![shard.0, id_after(after.is_none(), &id), limit as i64])?;
    let mut runnable = Vec::new();
    while let Some(row) = rows.next()? {
        agree(row, 1, "isolate_runnable")?;
        runnable.push(IsolateId(row.get(0)?));
    }
    Ok(runnable)
}

pub(super) fn ended(
    conn: &mut Connection,
    shard: Shard,
    after: Option<Ended>,
    until_ms: i64,
    limit: usize,
) -> Answer<Vec<Ended>> {
    let (at, id) = after.map_or((i64::MIN, [0; 16]), |after| (after.ended_ms, after.id.0));
    let select = "SELECT i.ended_ms, i.id, i.ended_ms IS t.ended_ms AND i.id IS t.id AND i.shard IS t.shard, t.seq
        FROM isolate i INDEXED BY isolate_ended LEFT JOIN isolate t NOT INDEXED ON t.n = i.n
        WHERE i.shard = ?1 AND i.ended_ms IS NOT NULL AND i.ended_ms <= ?2 AND (i.ended_ms, i.id) > (?3, ?4)
        ORDER BY i.ended_ms, i.id LIMIT ?5";
    let mut query = conn.prepare_cached(select)?;
    let mut rows = query.query(params![shard.0, until_ms, at, id_after(after.is_none(), &id), limit as i64])?;
    let mut ended = Vec::new();
    while let Some(row) = rows.next()? {
        agree(row, 2, "isolate_ended")?;
        let seq = Seq(row.get::<_, i64>(3)? as u64);
        ended.push(Ended { ended_ms: row.get(0)?, id: IsolateId(row.get(1)?), seq });
    }
    Ok(ended)
}

pub(super) fn list(conn: &mut Connection, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Answer<Page> {
    let mut sql = format!(
        "SELECT {COLUMNS}, i.namespace IS t.namespace AND i.name IS t.name
         FROM isolate i INDEXED BY isolate_name LEFT JOIN isolate t NOT INDEXED ON t.n = i.n WHERE 1"
    );
    let mut values: Vec<&dyn rusqlite::ToSql> = Vec::new();
    let status = filter.status.map(|status| status as u8);
    if let Some(namespace) = &filter.namespace {
        // Without a namespace names are not in one order, and the prefix is left to the loop below.
        sql.push_str(" AND i.namespace = ? AND i.name >= ?");
        values.extend([namespace as &dyn rusqlite::ToSql, &filter.name_prefix]);
    }
    if let Some(after) = &after {
        sql.push_str(" AND (i.namespace, i.name) > (?, ?)");
        values.extend([&after.namespace as &dyn rusqlite::ToSql, &after.name]);
    }
    if let Some(status) = &status {
        sql.push_str(" AND t.status = ?");
        values.push(status);
    }
    if let Some(flow) = &filter.flow {
        sql.push_str(" AND t.flow = ?");
        values.push(flow);
    }
    sql.push_str(" ORDER BY i.namespace, i.name");
    let mut query = conn.prepare_cached(&sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut page = Page::default();
    let mut last = None;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        agree(row, INDEXED, "isolate_name")?;
        // A name that is no longer text is damage, and can't be a cursor: it does not count against the limit.
        let place = (row.get::<_, String>(2), row.get::<_, String>(3));
        if let (_, Ok(name)) = &place
            && !name.starts_with(&filter.name_prefix)
        {
            if filter.namespace.is_some() {
                break;
            }
            continue;
        }
        if seen == limit {
            page.next = last.or(after);
            return Ok(page);
        }
        match read_head(row, "list") {
            Ok(head) => page.heads.push(head),
            Err(Fail::Settled(error)) => page.damaged.push(error),
            Err(fail) => return Err(fail),
        }
        if let (Ok(namespace), Ok(name)) = place {
            last = Some(ListCursor { namespace, name });
            seen += 1;
        }
    }
    Ok(page)
}

pub(super) fn counts(conn: &mut Connection, namespace: Option<&str>) -> Answer<Counts> {
    let select = "SELECT status, sum(count) FROM tally WHERE ?1 IS NULL OR namespace = ?1 GROUP BY status";
    let mut query = conn.prepare_cached(select)?;
    let mut rows = query.query([namespace])?;
    let mut counts = Counts::default();
    while let Some(row) = rows.next()? {
        if let Some(status) = Status::from_number(row.get(0)?) {
            counts.add(status, row.get::<_, i64>(1)?.max(0) as u64);
        }
    }
    Ok(counts)
}

pub(super) fn program(conn: &mut Connection, hash: ProgramHash) -> Answer<Option<Bytes>> {
    let select = "SELECT checksum, bytes FROM program WHERE hash = ?1";
    let found = conn.prepare_cached(select)?.query_row([&hash.0[..]], |row| {
        Ok((row.get::<_, i64>(0)?, row.get_ref(1)?.as_blob().map(<[u8]>::to_vec).unwrap_or_default()))
    });
    let Some((checksum, bytes)) = found.optional()? else { return Ok(None) };
    if checksum != i64::from(checksum::of_program(hash, &bytes)) {
        return Err(Fail::Settled(Error::new(
            Kind::Corrupt,
            "program",
            format!("program {hash} is damaged; deploy the same source again, or restore a backup of the store"),
        )));
    }
    Ok(Some(Bytes::from(bytes)))
}

pub(super) fn programs(conn: &mut Connection) -> Answer<Vec<ProgramHash>> {
    let mut query = conn.prepare_cached("SELECT hash FROM program ORDER BY hash")?;
    let hashes = query.query_map([], |row| Ok(ProgramHash(row.get(0)?)))?;
    Ok(hashes.collect::<rusqlite::Result<_>>()?)
}

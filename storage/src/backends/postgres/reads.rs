//! The queries. Every record is checked against its checksum before anybody sees it.

use bytes::Bytes;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use super::failure::Fail;
use super::schema::Statements;
use crate::{
    Counts, Due, Ended, Epoch, Error, Filter, Head, IsolateId, Kind, ListCursor, Page, Part, ProgramHash, Seq, Shard,
    Snapshot, Status, checksum,
};

type Answer<T> = Result<T, Fail>;

const STATE: usize = 16;
const PART: usize = 17;

fn corrupt(operation: &'static str, what: String) -> Fail {
    Fail::Settled(Error::new(
        Kind::Corrupt,
        operation,
        format!(
            "{what} is damaged; its bytes are left as they are, restore a backup of the database or delete this isolate"
        ),
    ))
}

fn isolate_id(row: &PgRow, column: usize) -> Answer<IsolateId> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map(IsolateId).map_err(|_| corrupt("read", format!("the id {bytes:02x?}")))
}

/// Reads a head and verifies it.
fn read_head(row: &PgRow, operation: &'static str) -> Answer<Head> {
    let id = isolate_id(row, 0)?;
    let name: String = row.try_get(3)?;
    let damaged = || corrupt(operation, format!("the head of isolate {id} ({name})"));
    let number =
        |column: usize| -> Answer<u64> { u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| damaged()) };
    let shard = u32::try_from(row.try_get::<i32, _>(1)?).map_err(|_| damaged())?;
    let program: &[u8] = row.try_get(5)?;
    let status = u8::try_from(row.try_get::<i16, _>(8)?).ok().and_then(Status::from_number).ok_or_else(damaged)?;
    let head = Head {
        id,
        shard: Shard(shard),
        namespace: row.try_get(2)?,
        name: name.clone(),
        flow: row.try_get(4)?,
        program: program.try_into().map(ProgramHash).map_err(|_| damaged())?,
        epoch: Epoch(number(6)?),
        seq: Seq(number(7)?),
        status,
        runnable: row.try_get(9)?,
        wake_at_ms: row.try_get(10)?,
        created_ms: row.try_get(11)?,
        updated_ms: row.try_get(12)?,
        ended_ms: row.try_get(13)?,
        next_event: number(14)?,
        state: Bytes::from(row.try_get::<Vec<u8>, _>(STATE)?),
    };
    if row.try_get::<i64, _>(15)? != i64::from(checksum::of_head(&head)) {
        return Err(damaged());
    }
    Ok(head)
}

pub(super) async fn head(conn: &mut PgConnection, sql: &Statements, id: IsolateId) -> Answer<Option<Head>> {
    let row = sql.query(&sql.head).bind(&id.0[..]).fetch_optional(conn).await?;
    row.map(|row| read_head(&row, "head")).transpose()
}

pub(super) async fn head_by_name(
    conn: &mut PgConnection,
    sql: &Statements,
    namespace: &str,
    name: &str,
) -> Answer<Option<Head>> {
    if namespace.contains('\0') || name.contains('\0') {
        return Ok(None);
    }
    let query = sql.query(&sql.head_by_name).bind(namespace).bind(name);
    query.fetch_optional(conn).await?.map(|row| read_head(&row, "head_by_name")).transpose()
}

pub(super) async fn snapshot(conn: &mut PgConnection, sql: &Statements, id: IsolateId) -> Answer<Option<Snapshot>> {
    let rows = sql.query(&sql.snapshot).bind(&id.0[..]).fetch_all(conn).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let head = read_head(first, "snapshot")?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in &rows {
        // An isolate without parts is one row without a part.
        let Some(stored) = row.try_get::<Option<i32>, _>(PART)? else { continue };
        let damaged = || corrupt("snapshot", format!("part {stored} of the snapshot of isolate {id} ({})", head.name));
        let number = u32::try_from(stored).map_err(|_| damaged())?;
        let (sum, bytes): (i64, Vec<u8>) = (row.try_get(PART + 1)?, row.try_get(PART + 2)?);
        if sum != i64::from(checksum::of_part(id, number, &bytes)) {
            return Err(damaged());
        }
        parts.push(Part { number, bytes: Bytes::from(bytes) });
    }
    Ok(Some(Snapshot { head, parts }))
}

pub(super) async fn events(
    conn: &mut PgConnection,
    sql: &Statements,
    id: IsolateId,
    from: u64,
    limit: usize,
) -> Answer<Vec<(u64, Bytes)>> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let query = sql.query(&sql.events).bind(&id.0[..]).bind(from).bind(limit as i64);
    let mut events = Vec::new();
    for row in query.fetch_all(conn).await? {
        let (number, sum, bytes): (i64, i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if sum != i64::from(checksum::of_event(id, number as u64, &bytes)) {
            return Err(corrupt("events", format!("event {number} of isolate {id}")));
        }
        events.push((number as u64, Bytes::from(bytes)));
    }
    Ok(events)
}

/// Before the first page the id must sort before every other one, the zero id included.
fn after_id(after: Option<&IsolateId>) -> &[u8] {
    after.map_or(&[], |id| &id.0)
}

pub(super) async fn due(
    conn: &mut PgConnection,
    sql: &Statements,
    shard: Shard,
    after: Option<Due>,
    until_ms: i64,
    limit: usize,
) -> Answer<Vec<Due>> {
    let at = after.map_or(i64::MIN, |after| after.wake_at_ms);
    let query = sql.query(&sql.due).bind(shard.0 as i32).bind(until_ms).bind(at);
    let rows = query.bind(after_id(after.as_ref().map(|after| &after.id))).bind(limit as i64).fetch_all(conn).await?;
    rows.iter().map(|row| Ok(Due { wake_at_ms: row.try_get(0)?, id: isolate_id(row, 1)? })).collect()
}

pub(super) async fn runnable(
    conn: &mut PgConnection,
    sql: &Statements,
    shard: Shard,
    after: Option<IsolateId>,
    limit: usize,
) -> Answer<Vec<IsolateId>> {
    let query = sql.query(&sql.runnable).bind(shard.0 as i32);
    let rows = query.bind(after_id(after.as_ref())).bind(limit as i64).fetch_all(conn).await?;
    rows.iter().map(|row| isolate_id(row, 0)).collect()
}

pub(super) async fn ended(
    conn: &mut PgConnection,
    sql: &Statements,
    shard: Shard,
    after: Option<Ended>,
    until_ms: i64,
    limit: usize,
) -> Answer<Vec<Ended>> {
    let at = after.map_or(i64::MIN, |after| after.ended_ms);
    let query = sql.query(&sql.ended).bind(shard.0 as i32).bind(until_ms).bind(at);
    let rows = query.bind(after_id(after.as_ref().map(|after| &after.id))).bind(limit as i64).fetch_all(conn).await?;
    let read = |row: &PgRow| {
        let seq = Seq(row.try_get::<i64, _>(2)? as u64);
        Ok(Ended { ended_ms: row.try_get(0)?, id: isolate_id(row, 1)?, seq })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn list(
    conn: &mut PgConnection,
    sql: &Statements,
    filter: &Filter,
    after: Option<ListCursor>,
    limit: usize,
) -> Answer<Page> {
    let texts = [Some(filter.name_prefix.as_str()), filter.namespace.as_deref(), filter.flow.as_deref()];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Ok(Page::default());
    }
    let query = sql.query(&sql.list).bind(&filter.namespace).bind(&filter.name_prefix);
    let query = query.bind(after.as_ref().map(|after| &after.namespace)).bind(after.as_ref().map(|after| &after.name));
    let query = query.bind(filter.status.map(|status| i16::from(status as u8))).bind(&filter.flow);
    let rows = query.bind(limit as i64 + 1).fetch_all(conn).await?;
    let mut page = Page::default();
    for row in rows.iter().take(limit) {
        match read_head(row, "list") {
            Ok(head) => page.heads.push(head),
            Err(Fail::Settled(error)) => page.damaged.push(error),
            Err(fail) => return Err(fail),
        }
    }
    if rows.len() > limit {
        page.next = match limit.checked_sub(1) {
            Some(last) => Some(ListCursor { namespace: rows[last].try_get(2)?, name: rows[last].try_get(3)? }),
            None => after,
        };
    }
    Ok(page)
}

pub(super) async fn counts(conn: &mut PgConnection, sql: &Statements, namespace: Option<&str>) -> Answer<Counts> {
    let mut counts = Counts::default();
    if namespace.is_some_and(|namespace| namespace.contains('\0')) {
        return Ok(counts);
    }
    for row in sql.query(&sql.counts).bind(namespace).fetch_all(conn).await? {
        let status = u8::try_from(row.try_get::<i16, _>(0)?).ok().and_then(Status::from_number);
        if let Some(status) = status {
            counts.add(status, row.try_get::<i64, _>(1)?.max(0) as u64);
        }
    }
    Ok(counts)
}

pub(super) async fn program(conn: &mut PgConnection, sql: &Statements, hash: ProgramHash) -> Answer<Option<Bytes>> {
    let query = sql.query(&sql.program).bind(&hash.0[..]);
    let Some(row) = query.fetch_optional(conn).await? else { return Ok(None) };
    let (sum, bytes): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    if sum != i64::from(checksum::of_program(hash, &bytes)) {
        let what =
            format!("program {hash} is damaged; deploy the same source again, or restore a backup of the database");
        return Err(Fail::Settled(Error::new(Kind::Corrupt, "program", what)));
    }
    Ok(Some(Bytes::from(bytes)))
}

pub(super) async fn programs(conn: &mut PgConnection, sql: &Statements) -> Answer<Vec<ProgramHash>> {
    let mut hashes = Vec::new();
    for row in sql.query(&sql.programs).fetch_all(conn).await? {
        let hash: &[u8] = row.try_get(0)?;
        hashes
            .push(hash.try_into().map(ProgramHash).map_err(|_| corrupt("programs", format!("the hash {hash:02x?}")))?);
    }
    Ok(hashes)
}

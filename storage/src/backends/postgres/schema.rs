//! The tables, their version, and the statements with the schema's name filled in.
//!
//! Format 1. No column of `isolate` but its keys has an index, so that a commit rewrites its row in place (HOT); what the scans
//! ask (timers, runnable, ended) stands in `agenda`, which is written only when it changes. The view `isolates` is for people.
//! Text is compared by bytes (collation C), as the trait wants its order.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::sync::Arc;

use super::failure::Fail;
use crate::limits::SHARD_COUNT_MAX;
use crate::{Error, Kind};

/// The format that this build writes.
const FORMAT: i64 = 1;
/// The advisory lock under which tables are made: `DSLT` and a number of this use.
const LOCK: i64 = 0x4453_4c54_0001;

/// What brings a store from the format before to the one of its index plus 1.
const MIGRATIONS: &[&str] = &["
CREATE TABLE {s}.isolate (
    id bytea PRIMARY KEY,
    shard int4 NOT NULL,
    namespace text COLLATE \"C\" NOT NULL,
    name text COLLATE \"C\" NOT NULL,
    flow text COLLATE \"C\" NOT NULL,
    program bytea NOT NULL,
    epoch int8 NOT NULL,
    seq int8 NOT NULL,
    status int2 NOT NULL,
    runnable bool NOT NULL,
    wake_at_ms int8,
    created_ms int8 NOT NULL,
    updated_ms int8 NOT NULL,
    ended_ms int8,
    next_event int8 NOT NULL,
    checksum int8 NOT NULL,
    state bytea NOT NULL,
    UNIQUE (namespace, name)
) WITH (fillfactor = 50);
CREATE TABLE {s}.agenda (
    id bytea PRIMARY KEY,
    shard int4 NOT NULL,
    runnable bool NOT NULL,
    wake_at_ms int8,
    ended_ms int8
) WITH (fillfactor = 70);
CREATE INDEX agenda_due ON {s}.agenda (shard, wake_at_ms, id) WHERE wake_at_ms IS NOT NULL;
CREATE INDEX agenda_runnable ON {s}.agenda (shard, id) WHERE runnable;
CREATE INDEX agenda_ended ON {s}.agenda (shard, ended_ms, id) WHERE ended_ms IS NOT NULL;
CREATE TABLE {s}.part (
    id bytea NOT NULL,
    number int4 NOT NULL,
    checksum int8 NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (id, number)
) WITH (fillfactor = 50);
ALTER TABLE {s}.part ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE {s}.event (
    id bytea NOT NULL,
    number int8 NOT NULL,
    checksum int8 NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (id, number)
);
CREATE TABLE {s}.program (hash bytea PRIMARY KEY, checksum int8 NOT NULL, bytes bytea NOT NULL);
CREATE TABLE {s}.session (
    node_id int8 PRIMARY KEY,
    life int8 NOT NULL,
    address text NOT NULL,
    ttl_ms int8 NOT NULL,
    until_ms int8 NOT NULL
);
CREATE TABLE {s}.lease (shard int4 PRIMARY KEY, epoch int8 NOT NULL, node_id int8, life int8);
CREATE VIEW {s}.isolates AS
    SELECT namespace, name, flow,
        (ARRAY['running', 'sleeping', 'waiting', 'paused', 'parked', 'done', 'failed', 'cancelled'])[status + 1] AS status,
        to_timestamp(wake_at_ms / 1000.0) AS wakes,
        to_timestamp(updated_ms / 1000.0) AS updated,
        to_timestamp(created_ms / 1000.0) AS created,
        to_timestamp(ended_ms / 1000.0) AS ended,
        seq AS commits, shard, encode(id, 'hex')::uuid AS id
    FROM {s}.isolate;
"];

/// A statement with the schema's name in it.
pub(super) type Sql = Arc<str>;

/// The statements of one store.
pub(super) struct Statements {
    /// Whether they stay prepared on a connection.
    pub prepare: bool,
    pub commit: Sql,
    pub standing: Sql,
    pub delete: Sql,
    pub head: Sql,
    pub head_by_name: Sql,
    pub snapshot: Sql,
    pub events: Sql,
    pub due: Sql,
    pub runnable: Sql,
    pub ended: Sql,
    pub list: Sql,
    pub counts: Sql,
    pub put_program: Sql,
    pub mend_program: Sql,
    pub program: Sql,
    pub programs: Sql,
    pub lock_leases: Sql,
    pub sessions: Sql,
    pub leases: Sql,
    pub put_session: Sql,
    pub drop_session: Sql,
    pub put_lease: Sql,
}

/// The columns of a head, in the order in which `reads` takes them.
const HEAD: &str = "i.id, i.shard, i.namespace, i.name, i.flow, i.program, i.epoch, i.seq, i.status, i.runnable,
    i.wake_at_ms, i.created_ms, i.updated_ms, i.ended_ms, i.next_event, i.checksum";

/// One statement writes a batch: the fence first, under a lock that a claim of the same shard waits for; then heads, and of those
/// that were applied everything else. Parts that are dropped and the part that is put are never the same row, since the order of
/// the pieces of one statement is not defined. What it answers are the isolates that were applied.
const COMMIT: &str = "
WITH input AS (
    SELECT * FROM unnest($1::bytea[], $2::int4[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::int8[], $8::int8[],
        $9::int8[], $10::int2[], $11::bool[], $12::int8[], $13::int8[], $14::int8[], $15::int8[], $16::int8[], $17::int8[],
        $18::bytea[], $19::int4[], $20::int4[], $21::int8[])
    AS i (id, shard, namespace, name, flow, program, epoch, expected, seq, status, runnable, wake_at_ms, created_ms,
        updated_ms, ended_ms, next_event, checksum, state, drop_from, put_number, keep_from)
), fence AS MATERIALIZED (
    SELECT shard, epoch FROM {s}.lease WHERE shard = ANY($22::int4[]) AND node_id IS NOT NULL ORDER BY shard FOR SHARE
), allowed AS MATERIALIZED (
    SELECT i.* FROM input i JOIN fence f ON f.shard = i.shard AND f.epoch = i.epoch
), created AS (
    INSERT INTO {s}.isolate (id, shard, namespace, name, flow, program, epoch, seq, status, runnable, wake_at_ms, created_ms,
        updated_ms, ended_ms, next_event, checksum, state)
    SELECT id, shard, namespace, name, flow, program, epoch, seq, status, runnable, wake_at_ms, created_ms, updated_ms,
        ended_ms, next_event, checksum, state
    FROM allowed WHERE expected = 0 ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id
), changed AS (
    UPDATE {s}.isolate t SET flow = i.flow, program = i.program, epoch = i.epoch, seq = i.seq, status = i.status,
        runnable = i.runnable, wake_at_ms = i.wake_at_ms, created_ms = i.created_ms, updated_ms = i.updated_ms,
        ended_ms = i.ended_ms, next_event = i.next_event, checksum = i.checksum, state = i.state
    FROM allowed i
    WHERE i.expected <> 0 AND t.id = i.id AND t.seq = i.expected AND t.namespace = i.namespace AND t.name = i.name
    RETURNING t.id
), applied AS MATERIALIZED (
    SELECT i.* FROM input i JOIN (SELECT id FROM created UNION ALL SELECT id FROM changed) w ON w.id = i.id
), planned AS (
    INSERT INTO {s}.agenda AS a (id, shard, runnable, wake_at_ms, ended_ms)
    SELECT id, shard, runnable, wake_at_ms, ended_ms FROM applied
    ON CONFLICT (id) DO UPDATE
    SET runnable = excluded.runnable, wake_at_ms = excluded.wake_at_ms, ended_ms = excluded.ended_ms
    WHERE (a.runnable, a.wake_at_ms, a.ended_ms)
        IS DISTINCT FROM (excluded.runnable, excluded.wake_at_ms, excluded.ended_ms)
), dropped AS (
    DELETE FROM {s}.part p USING applied a
    WHERE p.id = a.id AND p.number >= a.drop_from AND p.number IS DISTINCT FROM a.put_number
), put AS (
    INSERT INTO {s}.part (id, number, checksum, bytes)
    SELECT n.id, n.number, n.checksum, n.bytes
    FROM unnest($23::bytea[], $24::int4[], $25::int8[], $26::bytea[]) AS n (id, number, checksum, bytes)
    JOIN applied a ON a.id = n.id
    ON CONFLICT (id, number) DO UPDATE SET checksum = excluded.checksum, bytes = excluded.bytes
), logged AS (
    INSERT INTO {s}.event (id, number, checksum, bytes)
    SELECT n.id, n.number, n.checksum, n.bytes
    FROM unnest($27::bytea[], $28::int8[], $29::int8[], $30::bytea[]) AS n (id, number, checksum, bytes)
    JOIN applied a ON a.id = n.id
    ON CONFLICT (id, number) DO UPDATE SET checksum = excluded.checksum, bytes = excluded.bytes
), trimmed AS (
    DELETE FROM {s}.event e USING applied a WHERE a.keep_from > 0 AND e.id = a.id AND e.number < a.keep_from
)
SELECT id FROM applied";

const DELETE: &str = "
WITH input AS (
    SELECT * FROM unnest($1::bytea[], $2::int4[], $3::int8[], $4::int8[]) AS i (id, shard, epoch, expected)
), fence AS MATERIALIZED (
    SELECT shard, epoch FROM {s}.lease WHERE shard = ANY($5::int4[]) AND node_id IS NOT NULL ORDER BY shard FOR SHARE
), gone AS (
    DELETE FROM {s}.isolate t USING input i JOIN fence f ON f.shard = i.shard AND f.epoch = i.epoch
    WHERE t.id = i.id AND t.shard = i.shard AND t.seq = i.expected
    RETURNING t.id
), agenda AS (
    DELETE FROM {s}.agenda a USING gone WHERE a.id = gone.id
), parts AS (
    DELETE FROM {s}.part p USING gone WHERE p.id = gone.id
), events AS (
    DELETE FROM {s}.event e USING gone WHERE e.id = gone.id
)
SELECT id FROM gone";

impl Statements {
    /// One of these statements, to be sent.
    pub fn query(&self, sql: &Sql) -> Query {
        sqlx::query(AssertSqlSafe(sql.clone())).persistent(self.prepare)
    }

    pub fn of(schema: &str, prepare: bool) -> Statements {
        let sql = |text: &str| Sql::from(text.replace("{s}", schema).replace("{head}", HEAD));
        Statements {
            prepare,
            commit: sql(COMMIT),
            standing: sql("SELECT id, seq, epoch FROM {s}.isolate WHERE id = ANY($1)"),
            delete: sql(DELETE),
            head: sql("SELECT {head}, i.state FROM {s}.isolate i WHERE i.id = $1"),
            head_by_name: sql("SELECT {head}, i.state FROM {s}.isolate i WHERE i.namespace = $1 AND i.name = $2"),
            // One statement, so that head and parts are of one instant; the state comes with the first part only.
            snapshot: sql("SELECT {head}, CASE WHEN p.number IS NOT DISTINCT FROM f.number THEN i.state END,
                    p.number, p.checksum, p.bytes
                FROM {s}.isolate i
                CROSS JOIN LATERAL (SELECT min(number) AS number FROM {s}.part WHERE id = i.id) f
                LEFT JOIN {s}.part p ON p.id = i.id
                WHERE i.id = $1 ORDER BY p.number"),
            events: sql(
                "SELECT number, checksum, bytes FROM {s}.event WHERE id = $1 AND number >= $2 ORDER BY number LIMIT $3",
            ),
            due: sql("SELECT wake_at_ms, id FROM {s}.agenda
                WHERE shard = $1 AND wake_at_ms IS NOT NULL AND wake_at_ms <= $2 AND (wake_at_ms, id) > ($3, $4)
                ORDER BY wake_at_ms, id LIMIT $5"),
            runnable: sql("SELECT id FROM {s}.agenda WHERE shard = $1 AND runnable AND id > $2 ORDER BY id LIMIT $3"),
            ended: sql("SELECT a.ended_ms, a.id, i.seq FROM {s}.agenda a JOIN {s}.isolate i ON i.id = a.id
                WHERE a.shard = $1 AND a.ended_ms IS NOT NULL AND a.ended_ms <= $2 AND (a.ended_ms, a.id) > ($3, $4)
                ORDER BY a.ended_ms, a.id LIMIT $5"),
            list: sql("SELECT {head}, i.state FROM {s}.isolate i
                WHERE ($1::text IS NULL OR (i.namespace = $1 AND i.name >= $2)) AND starts_with(i.name, $2)
                    AND ($3::text IS NULL OR (i.namespace, i.name) > ($3, $4))
                    AND ($5::int2 IS NULL OR i.status = $5) AND ($6::text IS NULL OR i.flow = $6)
                ORDER BY i.namespace, i.name LIMIT $7"),
            counts: sql(
                "SELECT status, count(*) FROM {s}.isolate WHERE $1::text IS NULL OR namespace = $1 GROUP BY status",
            ),
            put_program: sql(
                "INSERT INTO {s}.program (hash, checksum, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            ),
            mend_program: sql("UPDATE {s}.program SET checksum = $2, bytes = $3 WHERE hash = $1"),
            program: sql("SELECT checksum, bytes FROM {s}.program WHERE hash = $1"),
            programs: sql("SELECT hash FROM {s}.program ORDER BY hash"),
            lock_leases: sql("SELECT value FROM {s}.setting WHERE name = 'shard_count' FOR UPDATE"),
            sessions: sql("SELECT node_id, life, address, ttl_ms, until_ms FROM {s}.session"),
            leases: sql("SELECT epoch, node_id, life FROM {s}.lease ORDER BY shard"),
            put_session: sql(
                "INSERT INTO {s}.session (node_id, life, address, ttl_ms, until_ms) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (node_id) DO UPDATE SET life = excluded.life, address = excluded.address,
                    ttl_ms = excluded.ttl_ms, until_ms = excluded.until_ms",
            ),
            drop_session: sql("DELETE FROM {s}.session WHERE node_id = $1"),
            put_lease: sql("UPDATE {s}.lease l SET epoch = n.epoch, node_id = n.node_id, life = n.life
                FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::int8[]) AS n (shard, epoch, node_id, life)
                WHERE l.shard = n.shard"),
        }
    }
}

/// A statement with its arguments to come.
type Query = sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// Makes or brings up to date the tables, and answers the number of shards, which `shard_count` decides only for a new store.
/// A role without the right to make tables can open a store that is up to date.
pub(super) async fn prepare(conn: &mut PgConnection, schema: &str, shard_count: u32) -> Result<u32, Fail> {
    if shard_count == 0 || shard_count > SHARD_COUNT_MAX {
        let what = format!("{shard_count} shards asked for; a store has 1 to {SHARD_COUNT_MAX}");
        return Err(Fail::Settled(Error::new(Kind::Refused, "open", what)));
    }
    if format(conn, schema).await? != Some(FORMAT) {
        migrate(conn, schema, shard_count).await?;
    }
    let count =
        format!("SELECT value, (SELECT count(*) FROM {schema}.lease) FROM {schema}.setting WHERE name = 'shard_count'");
    let row = sqlx::query(AssertSqlSafe(count)).persistent(false).fetch_optional(conn).await?;
    let counts = match &row {
        Some(row) => Some((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?)),
        None => None,
    };
    let found = counts.filter(|(count, leases)| count == leases).and_then(|(count, _)| u32::try_from(count).ok());
    found.filter(|count| (1..=SHARD_COUNT_MAX).contains(count)).ok_or_else(|| {
        let what = format!("schema {schema}: its number of shards is damaged; restore a backup of the database");
        Fail::Settled(Error::new(Kind::Corrupt, "open", what))
    })
}

/// The format of the store in this schema, `None` where there is no store. `Newer` for one that this build can't read.
async fn format(conn: &mut PgConnection, schema: &str) -> Result<Option<i64>, Fail> {
    // Not by `to_regclass`, which may remember what was not there before another session made it.
    let there =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = 'setting')";
    let row = sqlx::query(there).persistent(false).bind(schema).fetch_one(&mut *conn).await?;
    if !row.try_get::<bool, _>(0)? {
        return Ok(None);
    }
    let value = format!("SELECT value FROM {schema}.setting WHERE name = 'format'");
    let row = sqlx::query(AssertSqlSafe(value)).persistent(false).fetch_optional(conn).await?;
    let format = match row {
        Some(row) => row.try_get::<i64, _>(0)?,
        None => 0,
    };
    if format > FORMAT {
        let what = format!(
            "schema {schema} has format {format}, this version of Deepslate reads formats up to {FORMAT}; use the newer version that wrote it"
        );
        return Err(Fail::Settled(Error::new(Kind::Newer, "open", what)));
    }
    Ok(Some(format))
}

/// Two nodes that start at once make the tables one after the other; the second finds them made.
async fn migrate(conn: &mut PgConnection, schema: &str, shard_count: u32) -> Result<(), Fail> {
    let mut tx = conn.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").persistent(false).bind(LOCK).execute(&mut *tx).await?;
    let from = match format(&mut tx, schema).await? {
        Some(format) => format,
        None => {
            let create = format!(
                "CREATE SCHEMA IF NOT EXISTS {schema};
                CREATE TABLE {schema}.setting (name text PRIMARY KEY, value int8 NOT NULL);"
            );
            sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *tx).await?;
            0
        }
    };
    for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        sqlx::raw_sql(AssertSqlSafe(migration.replace("{s}", schema))).execute(&mut *tx).await?;
    }
    if from == 0 {
        let fill = format!(
            "INSERT INTO {schema}.setting (name, value) VALUES ('shard_count', {shard_count});
            INSERT INTO {schema}.lease (shard, epoch) SELECT n, 0 FROM generate_series(0, {shard_count} - 1) n;"
        );
        sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut *tx).await?;
    }
    let stamp = format!(
        "INSERT INTO {schema}.setting (name, value) VALUES ('format', {FORMAT})
        ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    );
    sqlx::raw_sql(AssertSqlSafe(stamp)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

const _: () = assert!(MIGRATIONS.len() as i64 == FORMAT);

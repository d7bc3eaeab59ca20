//! What only a real PostgreSQL can show: round trips, lost replies and connections, what an operator sees, damage, rights.
#![cfg(feature = "postgres")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use deepslate_storage::backends::postgres::{Options, Postgres};
use deepslate_storage::{Kind, Outcome, Store};
use support::postgres::{Server, execute, number};
use support::proxy::Proxy;
use support::{Room, id, load};

static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A schema of its own for each test, dropped at its end.
struct Ground {
    dsn: String,
    schema: String,
}

impl Ground {
    fn new() -> Option<Ground> {
        let dsn = support::server("DEEPSLATE_TEST_POSTGRES")?;
        let schema = format!("real_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::SeqCst));
        Some(Ground { dsn, schema })
    }

    fn options(&self) -> Options {
        Options { shard_count: 4, schema: self.schema.clone(), max_connections: 4, ..Options::new(&self.dsn) }
    }

    async fn room(&self) -> Room<Postgres> {
        Room::claimed(Postgres::open(self.options()).await.expect("the server answers")).await
    }

    /// The same store behind a proxy.
    async fn behind(&self) -> (Proxy, Options) {
        let place =
            self.dsn.split_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("user@host:port/database");
        let proxy = Proxy::start(place.0).await;
        let dsn = self.dsn.replace(place.0, &format!("127.0.0.1:{}", proxy.port));
        (proxy, Options { dsn, ..self.options() })
    }

    async fn end(self) {
        execute(&self.dsn, &format!("DROP SCHEMA {} CASCADE", self.schema)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_make_the_tables_once() {
    let Some(ground) = Ground::new() else { return };
    let starts = (0..6).map(|_| tokio::spawn(Postgres::open(ground.options())));
    for start in starts.collect::<Vec<_>>() {
        let store = start.await.expect("no panic").expect("each of them opens it");
        assert_eq!(store.shard_count(), 4);
    }
    assert_eq!(number(&ground.dsn, &format!("SELECT count(*) FROM {}.lease", ground.schema)).await, 4);
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_one_round_trip_whatever_its_size() {
    let Some(ground) = Ground::new() else { return };
    let (proxy, options) = ground.behind().await;
    let room = Room::claimed(Postgres::open(options).await.expect("opens")).await;
    // Once to have the statement prepared.
    room.apply(room.step(0, 1)).await;
    for size in [1u64, 10, 200] {
        let seq = if size == 1 { 2 } else { 1 };
        let batch = (0..size).map(|n| room.step(if size == 1 { 0 } else { size * 1000 + n }, seq)).collect();
        let before = proxy.round_trips();
        let outcomes = room.store.commit(batch).await.expect("answers");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
        assert_eq!(proxy.round_trips() - before, 1, "a batch of {size}");
    }
    drop(room);
    ground.end().await;
}

/// What is sent again after its reply was lost is answered as already applied and never as fenced, wherever the loss is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_replies_lose_no_state_and_look_like_no_fence() {
    let Some(ground) = Ground::new() else { return };
    let (proxy, options) = ground.behind().await;
    let room = Room::claimed(Postgres::open(options).await.expect("opens")).await;
    let mut seq = 0;
    let mut lost = 0;
    for every in 1..=50 {
        // The first commits arrive; when every reply is lost, the second attempt's reply must be let through.
        seq += 1;
        let batch: Vec<_> = (0..3).map(|n| room.step(n, seq)).collect();
        proxy.lose_every(every);
        for _ in 0..every.min(3) {
            match room.store.commit(batch.clone()).await {
                Ok(outcomes) => assert!(outcomes.iter().all(Outcome::is_durable), "{every}: {outcomes:?}"),
                Err(error) => {
                    assert_eq!(error.kind(), Kind::Retry, "{error}");
                    lost += 1;
                }
            }
        }
        proxy.lose_every(0);
        let outcomes = room.store.commit(batch).await.expect("this one arrives");
        assert!(outcomes.iter().all(Outcome::is_durable), "{every}: {outcomes:?}");
        let head = room.store.head(id(1)).await.expect("reads").expect("is there");
        assert_eq!(head.seq.0, seq);
    }
    assert!(lost >= 10, "only {lost} replies were lost");
    drop(room);
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_are_replaced() {
    let Some(ground) = Ground::new() else { return };
    let room = Arc::new(ground.room().await);
    let writer = room.clone();
    let load = tokio::spawn(async move {
        let mut retries = 0;
        for seq in 1..=100 {
            let batch: Vec<_> = (0..4).map(|n| writer.step(n, seq)).collect();
            loop {
                match writer.store.commit(batch.clone()).await {
                    Ok(outcomes) => {
                        assert!(outcomes.iter().all(Outcome::is_durable), "{seq}: {outcomes:?}");
                        break;
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::Retry, "{error}");
                        retries += 1;
                    }
                }
            }
        }
        retries
    });
    // Whatever writes the tables of this schema, again and again.
    let kill = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = 'deepslate' AND query LIKE '%{}.%' AND pid <> pg_backend_pid()",
        ground.schema
    );
    let mut killed = 0;
    while !load.is_finished() {
        killed += number(&ground.dsn, &kill).await;
    }
    let retries = load.await.expect("the load ends well");
    assert!(killed > 0 && retries > 0, "{killed} killed, {retries} retries");
    // One that idled was ended too; the first use says so, and none is used again after that.
    if let Err(error) = room.store.snapshot(id(0)).await {
        assert_eq!(error.kind(), Kind::Retry, "{error}");
    }
    for n in 0..4 {
        let snapshot = room.store.snapshot(id(n)).await.expect("reads").expect("is there");
        assert_eq!(snapshot.head.seq.0, 100);
        assert_eq!(snapshot.parts[0].bytes, format!("part-of-{n}-at-100"));
    }
    drop(room);
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_rewrite_their_rows_in_place() {
    let Some(ground) = Ground::new() else { return };
    let room = ground.room().await;
    for seq in 1..=400 {
        let mut commit = room.step(0, seq);
        // A flow that calls one function after the other: its timers don't change.
        (commit.head.runnable, commit.head.wake_at_ms, commit.head.ended_ms) = (true, None, None);
        room.apply(commit).await;
    }
    // Its connections report what they did when they end.
    drop(room);
    let stat = |column: &str, table: &str| {
        format!(
            "SELECT coalesce(max({column}), 0) FROM pg_stat_user_tables WHERE schemaname = '{}' AND relname = '{table}'",
            ground.schema
        )
    };
    for table in ["isolate", "part"] {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let mut updates = 0;
        while updates < 399 && std::time::Instant::now() < end {
            updates = number(&ground.dsn, &stat("n_tup_upd", table)).await;
        }
        let hot = number(&ground.dsn, &stat("n_tup_hot_upd", table)).await;
        assert!(updates >= 399 && hot * 10 >= updates * 9, "{table}: {hot} of {updates} updates were in place");
    }
    let updates = number(&ground.dsn, &stat("n_tup_upd", "agenda")).await;
    assert_eq!(updates, 0, "the agenda is written only when it changes");
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_reads_a_table() {
    let Some(ground) = Ground::new() else { return };
    let room = ground.room().await;
    room.apply(room.step(7, 1)).await;
    let seen = format!(
        "SELECT count(*) FROM {}.isolates WHERE name = 'isolate-7' AND flow = 'counter' AND status = 'running'
            AND commits = 1 AND updated IS NOT NULL AND id::text LIKE '%-000000000007'",
        ground.schema
    );
    assert_eq!(number(&ground.dsn, &seen).await, 1);
    drop(room);
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_named_and_stops_nothing_else() {
    let Some(ground) = Ground::new() else { return };
    let room = ground.room().await;
    for n in 0..3 {
        room.apply(room.step(n, 1)).await;
    }
    let flip = |table: &str, column: &str, n: u64| {
        format!(
            "UPDATE {}.{table} SET {column} = set_byte({column}, 0, get_byte({column}, 0) # 1) WHERE id = '\\x{n:032x}'",
            ground.schema
        )
    };
    execute(&ground.dsn, &flip("part", "bytes", 0)).await;
    execute(&ground.dsn, &flip("isolate", "state", 1)).await;
    let part = room.store.snapshot(id(0)).await.expect_err("damaged");
    assert_eq!(part.kind(), Kind::Corrupt);
    assert!(part.to_string().contains("part 0") && part.to_string().contains("isolate-0"), "{part}");
    let head = room.store.head(id(1)).await.expect_err("damaged");
    assert!(head.to_string().contains("isolate-1"), "{head}");
    let page = room.store.list(&Default::default(), None, 10).await.expect("lists");
    assert_eq!((page.heads.len(), page.damaged.len()), (2, 1));
    assert!(room.store.snapshot(id(2)).await.expect("reads").is_some());
    room.apply(room.step(2, 2)).await;
    drop(room);
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_needs_no_more_than_the_rows() {
    let Some(ground) = Ground::new() else { return };
    drop(ground.room().await);
    let (schema, role) = (&ground.schema, format!("{}_app", ground.schema));
    execute(&ground.dsn, &format!("CREATE ROLE {role} LOGIN")).await;
    let dsn = ground.dsn.replace("postgres@", &format!("{role}@"));
    let options = Options { dsn, ..ground.options() };
    let error = Postgres::open(options.clone()).await.expect_err("it may not even look");
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    assert!(error.to_string().contains("privilege"), "{error}");
    let grant = format!(
        "GRANT USAGE ON SCHEMA {schema} TO {role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
    );
    execute(&ground.dsn, &grant).await;
    let store = Postgres::open(options).await.expect("opens");
    assert_eq!(store.sessions().await.expect("lists").len(), 1, "that of the other node");
    drop(store);
    execute(&ground.dsn, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_says_why_and_no_secret() {
    let Some(ground) = Ground::new() else { return };
    drop(ground.room().await);
    execute(&ground.dsn, &format!("UPDATE {}.setting SET value = 99 WHERE name = 'format'", ground.schema)).await;
    let newer = Postgres::open(ground.options()).await.expect_err("newer");
    assert_eq!(newer.kind(), Kind::Newer, "{newer}");
    let nobody = Options::new("postgres://ada:hunter2@127.0.0.1:1/x");
    let error = Postgres::open(nobody).await.expect_err("nobody listens");
    assert_eq!(error.kind(), Kind::Retry, "{error}");
    assert!(error.to_string().contains("127.0.0.1:1") && !error.to_string().contains("hunter2"), "{error}");
    let odd = Options { dsn: "ada:hunter2".into(), ..ground.options() };
    let error = Postgres::open(odd).await.expect_err("no connection string");
    assert!(error.kind() == Kind::Refused && !error.to_string().contains("hunter2"), "{error}");
    for name in ["a\"; DROP TABLE x", "pg_mine", "9lives", ""] {
        let error = Postgres::open(Options { schema: name.into(), ..ground.options() }).await.expect_err("no name");
        assert!(error.kind() == Kind::Refused && error.to_string().contains(&format!("`{name}`")), "{error}");
    }
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_without_prepared_statements() {
    let Some(ground) = Ground::new() else { return };
    let (proxy, options) = ground.behind().await;
    let room = Room::claimed(Postgres::open(Options { prepare: false, ..options }).await.expect("opens")).await;
    for seq in 1..=3 {
        room.apply(room.step(0, seq)).await;
    }
    assert_eq!(room.store.head(id(0)).await.expect("reads").expect("is there").seq.0, 3);
    assert_eq!(proxy.named_statements(), 0, "nothing is left prepared on a connection");
    drop(room);
    ground.end().await;
}

/// What was acknowledged stays, in order and through crashes; leases and epochs stay with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_under_load_loses_nothing() {
    let Some(programs) = support::server("DEEPSLATE_TEST_POSTGRES_PROGRAMS") else { return };
    let server = Server::start(&programs);
    let options = Options { shard_count: 4, max_connections: 4, ..Options::new(server.dsn()) };
    let store = Arc::new(Postgres::open(options).await.expect("opens"));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load::run(store, stop.clone()));
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        server.stop(if round % 2 == 0 { "immediate" } else { "fast" });
        server.up();
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    stop.store(true, Ordering::SeqCst);
    let report = load.await.expect("the load ends well");
    assert!(report.acknowledged > 100 && report.retries > 0, "{report:?}");
    assert_eq!(report.fenced, 0, "the leases have outlived it: {report:?}");
}

//! What only a real Redis can show: round trips, lost replies and connections, restarts, forgotten scripts, damage, a full server,
//! servers that are not durable enough. Clusters and replicas are in `redis_many.rs`.
#![cfg(feature = "redis")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use deepslate_storage::backends::redis::{Durability, Options, Redis};
use deepslate_storage::{Epoch, Kind, Outcome, ProgramHash, SessionId, Store};
use support::redis::{DURABLE, Proxy, Server, ask, clear, connect};
use support::{Room, SESSION, id, load};

static PREFIXES: AtomicU32 = AtomicU32::new(0);

/// A prefix of its own for each test, cleared at its end.
struct Ground {
    url: String,
    prefix: String,
}

impl Ground {
    fn new() -> Option<Ground> {
        let url = support::server("DEEPSLATE_TEST_REDIS")?;
        let prefix = format!("real_{}_{}", std::process::id(), PREFIXES.fetch_add(1, Ordering::SeqCst));
        Some(Ground { url, prefix })
    }

    fn options(&self) -> Options {
        Options { shard_count: 4, prefix: self.prefix.clone(), max_connections: 4, ..Options::new(&self.url) }
    }

    async fn room(&self) -> Room<Redis> {
        Room::claimed(Redis::open(self.options()).await.expect("the server answers")).await
    }

    /// The same store behind a proxy.
    async fn behind(&self) -> (Proxy, Options) {
        let place = self.url.trim_start_matches("redis://").trim_end_matches('/');
        let proxy = Proxy::start(place).await;
        let url = format!("redis://127.0.0.1:{}/", proxy.port);
        (proxy, Options { url, ..self.options() })
    }

    async fn end(self) {
        clear(&self.url, &self.prefix).await;
    }
}

/// A server of the test's own, of Debian's version, and how to open a store on it.
async fn own(settings: &[&str]) -> Option<(Server, Options)> {
    let program = support::server("DEEPSLATE_TEST_REDIS_SERVER")?;
    let server = Server::start(&program, settings).await;
    let options = Options { shard_count: 4, max_connections: 4, ..Options::new(server.url()) };
    Some((server, options))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_make_the_store_once() {
    let Some(ground) = Ground::new() else { return };
    let starts = (2..8).map(|shard_count| tokio::spawn(Redis::open(Options { shard_count, ..ground.options() })));
    let mut counts = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        counts.push(start.await.expect("no panic").expect("each of them opens it").shard_count());
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_one_round_trip_whatever_its_size() {
    let Some(ground) = Ground::new() else { return };
    let (proxy, options) = ground.behind().await;
    let room = Room::claimed(Redis::open(options).await.expect("opens")).await;
    // Once so that the server knows the script.
    room.apply(room.step(0, 1)).await;
    for size in [1u64, 10, 1000] {
        let batch = (0..size).map(|n| room.step(size * 1000 + n, 1)).collect();
        let before = proxy.calls();
        let outcomes = room.store.commit(batch).await.expect("answers");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
        assert_eq!(proxy.calls() - before, 1, "a batch of {size}");
    }
    drop(room);
    ground.end().await;
}

/// What is sent again after its reply was lost is answered as already applied and never as fenced, wherever the loss is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_replies_lose_no_state_and_look_like_no_fence() {
    let Some(ground) = Ground::new() else { return };
    let (proxy, options) = ground.behind().await;
    let room = Room::claimed(Redis::open(options).await.expect("opens")).await;
    let mut seq = 0;
    let mut lost = 0;
    for every in 1..=50 {
        proxy.lose_every(every);
        // So many commits that one of them at least loses its reply.
        for _ in 0..every {
            seq += 1;
            let batch: Vec<_> = (0..3).map(|n| room.step(n, seq)).collect();
            let mut tries = 0;
            let outcomes = loop {
                match room.store.commit(batch.clone()).await {
                    Ok(outcomes) => break outcomes,
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::Retry, "{error}");
                        lost += 1;
                        tries += 1;
                    }
                }
                if every == 1 {
                    proxy.lose_every(0);
                }
            };
            let wanted = |outcome: &Outcome| match tries {
                0 => matches!(outcome, Outcome::Applied),
                _ => matches!(outcome, Outcome::AlreadyApplied),
            };
            assert!(outcomes.iter().all(wanted), "{every}: {outcomes:?} after {tries} lost replies");
        }
        proxy.lose_every(0);
        for n in 0..3 {
            let snapshot = room.store.snapshot(id(n)).await.expect("reads").expect("is there");
            assert_eq!((snapshot.head.seq.0, snapshot.parts.len()), (seq, 1));
        }
    }
    assert!(lost >= 50, "only {lost} replies were lost");
    drop(room);
    ground.end().await;
}

/// Does something to the server again and again while a load runs, and looks at what has become of it.
async fn under_load(ground: &Ground, what: &[&str]) -> load::Report {
    let store = Arc::new(Redis::open(ground.options()).await.expect("opens"));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load::run(store, stop.clone()));
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut conn = connect(&ground.url).await;
        let mut cmd = redis::Cmd::new();
        what.iter().for_each(|word| _ = cmd.arg(word));
        let _: redis::Value = cmd.query_async(&mut conn).await.expect("the server does it");
    }
    stop.store(true, Ordering::SeqCst);
    load.await.expect("the load ends well")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_the_server_has_forgotten_are_sent_again() {
    // A server of its own: others count on theirs being known.
    let Some((server, options)) = own(DURABLE).await else { return };
    let ground = Ground { url: server.url(), prefix: options.prefix };
    let report = under_load(&ground, &["SCRIPT", "FLUSH", "SYNC"]).await;
    assert!(report.acknowledged > 100, "{report:?}");
    assert_eq!((report.retries, report.fenced), (0, 0), "the caller sees nothing of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_are_replaced() {
    // A server of its own: all connections are ended, whosever they are.
    let Some((server, options)) = own(DURABLE).await else { return };
    let ground = Ground { url: server.url(), prefix: options.prefix };
    let report = under_load(&ground, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    assert!(report.acknowledged > 20 && report.retries > 0, "{report:?}");
    assert_eq!(report.fenced, 0, "a lost connection is no lost lease");
}

/// A restart changes the replication id, so the node claims afresh; what was acknowledged stays, also through crashes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_under_load_loses_nothing() {
    let Some((mut server, options)) = own(DURABLE).await else { return };
    let store = Arc::new(Redis::open(options).await.expect("opens"));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load::run(store, stop.clone()));
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        match round % 2 {
            0 => server.kill(),
            _ => server.stop().await,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.up().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::SeqCst);
    let report = load.await.expect("the load ends well");
    assert!(report.acknowledged > 100 && report.retries > 0 && report.fenced > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_replication_id_makes_every_node_claim_afresh() {
    let Some((server, options)) = own(DURABLE).await else { return };
    let room = Room::claimed(Redis::open(options.clone()).await.expect("opens")).await;
    room.apply(room.step(0, 1)).await;
    let _: String = ask(&server.url(), &["DEBUG", "CHANGE-REPL-ID"]).await;
    let fenced = room.store.commit(vec![room.step(0, 2), room.step(1, 1)]).await.expect("is answered");
    assert!(matches!(fenced[..], [Outcome::Fenced, Outcome::Fenced]), "{fenced:?}");
    let again = room.store.commit(vec![room.step(0, 1)]).await.expect("is answered");
    assert!(matches!(again[..], [Outcome::AlreadyApplied]), "it is durable, whoever serves it: {again:?}");
    let lost = room.store.renew(SESSION).await.expect_err("the server is another one");
    assert_eq!(lost.kind(), Kind::LeaseLost, "{lost}");
    assert!(room.store.sessions().await.expect("lists").is_empty(), "it may open another one at once");
    let next = Room::claimed(Redis::open(options).await.expect("opens")).await;
    assert!(room.epochs.iter().zip(&next.epochs).all(|(old, new)| old < new));
    next.apply(next.step(0, 2)).await;
    // A node that has not noticed: its own claim mends it.
    let _: String = ask(&server.url(), &["DEBUG", "CHANGE-REPL-ID"]).await;
    let again = Room::claimed(next.store).await;
    assert!(next.epochs.iter().zip(&again.epochs).all(|(old, new)| old < new));
    again.apply(again.step(0, 3)).await;
}

/// A fail-over may bring back an older state of sessions and leases. No epoch is granted twice all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_that_were_lost_with_a_server_grant_no_epoch_twice() {
    let Some((server, options)) = own(DURABLE).await else { return };
    let url = server.url();
    let room = Room::claimed(Redis::open(options.clone()).await.expect("opens")).await;
    room.apply(room.step(0, 1)).await;
    let _: i64 = ask(&url, &["DEL", "{deepslate}:leases"]).await;
    let other = Redis::open(options).await.expect("opens");
    let stranger = SessionId { node_id: 9, life: 9 };
    other.open_session(stranger, "localhost:9", 60_000).await.expect("opens");
    for (shard, old) in (0..).zip(&room.epochs) {
        let claim = other.claim(stranger, deepslate_storage::Shard(shard)).await.expect("is answered");
        let deepslate_storage::Claim::Granted(Epoch(new)) = claim else { panic!("{claim:?}") };
        assert!(new > old.0, "shard {shard}: {new} after {}", old.0);
    }
    let fenced = room.store.commit(vec![room.step(0, 2)]).await.expect("is answered");
    assert!(matches!(fenced[..], [Outcome::Fenced]), "{fenced:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_named_and_stops_nothing_else() {
    let Some(ground) = Ground::new() else { return };
    let room = ground.room().await;
    for n in 0..4 {
        room.apply(room.step(n, 1)).await;
    }
    room.store.put_program(ProgramHash([5; 32]), Bytes::from_static(b"image")).await.expect("puts");
    let key = |what: &str, n: u64| {
        let shard = room.step(n, 1).head.shard.0;
        format!("{{{}:{shard}}}:{what}:{}", ground.prefix, id(n))
    };
    let mut conn = connect(&ground.url).await;
    for (n, field) in [(0, "p0"), (1, "h")] {
        let mut bytes: Vec<u8> =
            redis::cmd("HGET").arg(key("isolate", n)).arg(field).query_async(&mut conn).await.expect("reads");
        *bytes.last_mut().expect("not empty") ^= 1;
        let _: i64 = redis::cmd("HSET")
            .arg(key("isolate", n))
            .arg(field)
            .arg(bytes)
            .query_async(&mut conn)
            .await
            .expect("writes");
    }
    let _: i64 =
        redis::cmd("HSET").arg(key("isolate", 3)).arg("h").arg("rubbish").query_async(&mut conn).await.expect("writes");
    let program = format!("{{{}}}:program:{}", ground.prefix, ProgramHash([5; 32]));
    let _: i64 = redis::cmd("SETRANGE").arg(&program).arg(4).arg("I").query_async(&mut conn).await.expect("writes");

    let part = room.store.snapshot(id(0)).await.expect_err("damaged");
    assert_eq!(part.kind(), Kind::Corrupt);
    assert!(part.to_string().contains("part 0") && part.to_string().contains("isolate-0"), "{part}");
    let head = room.store.head(id(1)).await.expect_err("damaged");
    assert!(head.kind() == Kind::Corrupt && head.to_string().contains("isolate-1"), "{head}");
    let page = room.store.list(&Default::default(), None, 10).await.expect("lists");
    assert_eq!((page.heads.len(), page.damaged.len()), (2, 2));
    assert!(room.store.snapshot(id(2)).await.expect("reads").is_some());
    let outcomes = room.store.commit(vec![room.step(2, 2), room.step(3, 2)]).await.expect("is answered");
    assert!(
        matches!(&outcomes[..], [Outcome::Applied, Outcome::Failed(error)] if error.kind() == Kind::Corrupt),
        "{outcomes:?}"
    );
    let image = room.store.program(ProgramHash([5; 32])).await.expect_err("damaged");
    assert!(image.kind() == Kind::Corrupt && image.to_string().contains("deploy"), "{image}");
    room.store.put_program(ProgramHash([5; 32]), Bytes::from_static(b"image")).await.expect("puts it again");
    assert_eq!(room.store.program(ProgramHash([5; 32])).await.expect("reads"), Some(Bytes::from_static(b"image")));
    // A key that Deepslate never writes in the place of one of its own.
    let _: String = redis::cmd("SET").arg(key("isolate", 77)).arg("x").query_async(&mut conn).await.expect("writes");
    let outcomes = room.store.commit(vec![room.step(77, 1), room.step(78, 1)]).await.expect("is answered");
    assert!(matches!(&outcomes[..], [Outcome::Failed(error), Outcome::Applied] if error.kind() == Kind::Corrupt));
    assert_eq!(room.store.head(id(77)).await.expect_err("a key of another type").kind(), Kind::Corrupt);
    drop(room);
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_memory_is_full_takes_nothing_and_says_so() {
    let Some((server, options)) = own(DURABLE).await else { return };
    let room = Room::claimed(Redis::open(options).await.expect("opens")).await;
    room.apply(room.step(0, 1)).await;
    let _: String = ask(&server.url(), &["CONFIG", "SET", "maxmemory", "1"]).await;
    let batch: Vec<_> = (0..20).map(|n| room.step(n, if n == 0 { 2 } else { 1 })).collect();
    let full = room.store.commit(batch.clone()).await.expect_err("full");
    assert_eq!(full.kind(), Kind::Full, "{full}");
    assert_eq!(room.store.head(id(0)).await.expect("reads").expect("is there").seq.0, 1);
    assert_eq!(room.store.counts(None).await.expect("counts").total(), 1);
    let _: String = ask(&server.url(), &["CONFIG", "SET", "maxmemory", "0"]).await;
    let outcomes = room.store.commit(batch).await.expect("there is room again");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_would_lose_what_it_acknowledged_is_refused() {
    for (settings, line) in [
        (&["--appendonly", "no"][..], "`appendonly yes`"),
        (&["--appendonly", "yes", "--appendfsync", "everysec"], "`appendfsync always`"),
        (
            &["--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "yes"],
            "`no-appendfsync-on-rewrite no`",
        ),
        (
            &["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "allkeys-lru"],
            "`maxmemory-policy noeviction`",
        ),
    ] {
        let Some((_server, options)) = own(settings).await else { return };
        let error = Redis::open(options.clone()).await.expect_err("it is weak");
        assert!(error.kind() == Kind::Refused && error.to_string().contains(line), "{error}");
        let unchecked = Options { durability: Durability::Unchecked, ..options };
        let room = Room::claimed(Redis::open(unchecked).await.expect("nobody looks")).await;
        room.apply(room.step(0, 1)).await;
    }
    let Some((server, options)) = own(DURABLE).await else { return };
    let error = Redis::open(Options { replicas: 1, ..options.clone() }).await.expect_err("7.0 has no WAITAOF");
    assert!(error.kind() == Kind::Refused && error.to_string().contains("WAITAOF"), "{error}");
    // One that becomes weak later is noticed when it is connected to anew.
    let room = Room::claimed(Redis::open(options).await.expect("it is sound")).await;
    let _: String = ask(&server.url(), &["CONFIG", "SET", "appendfsync", "everysec"]).await;
    let _: i64 = ask(&server.url(), &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    let lost = room.store.commit(vec![room.step(0, 1)]).await.expect_err("the connection was ended");
    assert_eq!(lost.kind(), Kind::Retry, "{lost}");
    let weak = room.store.commit(vec![room.step(0, 1)]).await.expect_err("it is weak now");
    assert!(weak.kind() == Kind::Refused && weak.to_string().contains("`appendfsync always`"), "{weak}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_needs_no_more_than_its_keys_and_a_server_that_keeps_silent_is_refused() {
    let Some((server, options)) = own(DURABLE).await else { return };
    let url = server.url();
    let rights = [
        "~{deepslate*",
        "+@read",
        "+@write",
        "+@scripting",
        "+info",
        "+time",
        "+ping",
        "+cluster|slots",
        "+hello",
        "+select",
    ];
    let user = [&["ACL", "SETUSER", "app", "on", ">secret"][..], &rights[..]].concat();
    let _: String = ask(&url, &user).await;
    let app = Options { url: url.replace("redis://", "redis://app:secret@"), ..options.clone() };
    let silent = Redis::open(app.clone()).await.expect_err("it does not tell");
    assert!(silent.kind() == Kind::Refused && silent.to_string().contains("unchecked"), "{silent}");
    let _: String = ask(&url, &["ACL", "SETUSER", "app", "+config|get"]).await;
    let room = Room::claimed(Redis::open(app).await.expect("opens")).await;
    room.apply(room.step(0, 1)).await;
    assert_eq!(room.store.list(&Default::default(), None, 10).await.expect("lists").heads.len(), 1);
    let wrong = Options { url: url.replace("redis://", "redis://app:wrong@"), ..options };
    let error = Redis::open(wrong).await.expect_err("a wrong password");
    assert!(error.kind() == Kind::Refused && !error.to_string().contains("wrong@"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_says_why_and_no_secret() {
    let Some(ground) = Ground::new() else { return };
    drop(ground.room().await);
    let store = format!("{{{}}}:store", ground.prefix);
    let _: i64 = ask(&ground.url, &["HSET", &store, "format", "99"]).await;
    let newer = Redis::open(ground.options()).await.expect_err("newer");
    assert_eq!(newer.kind(), Kind::Newer, "{newer}");
    let _: i64 = ask(&ground.url, &["HSET", &store, "format", "1", "shards", "0"]).await;
    let corrupt = Redis::open(ground.options()).await.expect_err("no shards");
    assert_eq!(corrupt.kind(), Kind::Corrupt, "{corrupt}");
    let nobody = Options::new("redis://ada:hunter2@127.0.0.1:1/");
    let error = Redis::open(nobody).await.expect_err("nobody listens");
    assert_eq!(error.kind(), Kind::Retry, "{error}");
    assert!(error.to_string().contains("127.0.0.1:1") && !error.to_string().contains("hunter2"), "{error}");
    let far = Options { url: format!("{}4000", ground.url), ..ground.options() };
    assert_eq!(Redis::open(far).await.expect_err("no such database").kind(), Kind::Refused);
    for url in ["ada:hunter2", "redis://ada:hunter2@host:port:x/", "http://ada:hunter2@127.0.0.1"] {
        let error = Redis::open(Options { url: url.into(), ..ground.options() }).await.expect_err("no address");
        assert!(error.kind() == Kind::Refused && !error.to_string().contains("hunter2"), "{error}");
    }
    for prefix in ["", "{a}", "a b", "ä"] {
        let error = Redis::open(Options { prefix: prefix.into(), ..ground.options() }).await.expect_err("no prefix");
        assert!(error.kind() == Kind::Refused && error.to_string().contains(&format!("`{prefix}`")), "{error}");
    }
    ground.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_batch_and_large_parts_go_in_pieces() {
    let Some(ground) = Ground::new() else { return };
    let room = ground.room().await;
    let mut batch: Vec<_> = (0..2000).map(|n| room.step(n, 1)).collect();
    for commit in batch.iter_mut().step_by(500) {
        let bytes = vec![commit.head.id.0[15]; 40 << 20];
        commit.put_part = Some(deepslate_storage::Part { number: 0, bytes: bytes.into() });
    }
    let outcomes = room.store.commit(batch).await.expect("answers");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)));
    let large = room.store.snapshot(id(500)).await.expect("reads").expect("is there");
    assert!(large.parts[0].bytes.len() == 40 << 20 && large.parts[0].bytes.iter().all(|byte| *byte == 244));
    assert_eq!(room.store.counts(Some("tests")).await.expect("counts").total(), 2000);
    let mut heads = Vec::new();
    let mut after = None;
    loop {
        let page = room.store.list(&Default::default(), after, 333).await.expect("lists");
        heads.extend(page.heads.into_iter().map(|head| head.name));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert!(heads.len() == 2000 && heads.is_sorted(), "{}", heads.len());
    drop(room);
    ground.end().await;
}

//! Several Redis servers: a cluster, on which the whole behaviour suite runs and whose slots move; replicas, and a fail-over to one.
#![cfg(feature = "redis")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use deepslate_storage::backends::redis::{Options, Redis};
use deepslate_storage::suite::{CASES, Subject, run};
use deepslate_storage::{Kind, Outcome, Store};
use support::redis::{DURABLE, Proxy, Server, ask, free_port};
use support::{Room, id, load};

/// Three servers that share the slots.
async fn cluster() -> Option<Vec<Server>> {
    let program = support::server("DEEPSLATE_TEST_REDIS_SERVER")?;
    let mut servers = Vec::new();
    for _ in 0..3 {
        let bus = free_port().to_string();
        let own = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &bus];
        servers.push((Server::start(&program, &[DURABLE, &own].concat()).await, bus));
    }
    for (n, slots) in [("0", "5460"), ("5461", "10922"), ("10923", "16383")].iter().enumerate() {
        let url = servers[n].0.url();
        let _: String = ask(&url, &["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]).await;
        let _: String = ask(&url, &["CLUSTER", "ADDSLOTSRANGE", slots.0, slots.1]).await;
        let (first, bus) = &servers[0];
        if n > 0 {
            let _: String = ask(&url, &["CLUSTER", "MEET", "127.0.0.1", &first.port.to_string(), bus]).await;
        }
    }
    let servers: Vec<Server> = servers.into_iter().map(|server| server.0).collect();
    for server in &servers {
        until(async || {
            let info: String = ask(&server.url(), &["CLUSTER", "INFO"]).await;
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
        .await;
    }
    Some(servers)
}

async fn until(mut done: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done().await {
        assert!(Instant::now() < end, "it did not come about");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct OnCluster {
    url: String,
    prefix: String,
}

#[async_trait]
impl Subject for OnCluster {
    async fn open(&self) -> Arc<dyn Store> {
        let options =
            Options { shard_count: 8, prefix: self.prefix.clone(), max_connections: 4, ..Options::new(&self.url) };
        Arc::new(Redis::open(options).await.expect("the cluster answers"))
    }

    async fn pass(&self, ms: u32) {
        tokio::time::sleep(Duration::from_millis(u64::from(ms) + 50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_suite_passes_on_a_cluster() {
    let Some(servers) = cluster().await else { return };
    let here = tokio::task::LocalSet::new();
    here.run_until(suite_on(&servers)).await;
    let mut with_keys = 0;
    for server in &servers {
        let count: i64 = ask(&server.url(), &["DBSIZE"]).await;
        with_keys += i32::from(count > 0);
    }
    assert_eq!(with_keys, 3, "each has its share");
}

/// Several cases at once, since some wait.
async fn suite_on(servers: &[Server]) {
    for cases in CASES.chunks(12) {
        let running: Vec<_> = cases
            .iter()
            .map(|case| {
                let subject = OnCluster { url: servers[1].url(), prefix: case[..case.len().min(60)].to_owned() };
                (case, tokio::task::spawn_local(async move { run(case, &subject).await }))
            })
            .collect();
        for (case, task) in running {
            task.await.unwrap_or_else(|error| panic!("{case}: {error}"));
        }
    }
}

/// Moves a slot and all that is in it, key by key, as `redis-cli --cluster reshard` does.
async fn move_slot(servers: &[Server], slot: &str, from: usize, to: usize) {
    let mut names = Vec::new();
    for server in servers {
        names.push(ask::<String>(&server.url(), &["CLUSTER", "MYID"]).await);
    }
    let (source, target) = (servers[from].url(), servers[to].url());
    let _: String = ask(&target, &["CLUSTER", "SETSLOT", slot, "IMPORTING", &names[from]]).await;
    let _: String = ask(&source, &["CLUSTER", "SETSLOT", slot, "MIGRATING", &names[to]]).await;
    loop {
        let keys: Vec<String> = ask(&source, &["CLUSTER", "GETKEYSINSLOT", slot, "10"]).await;
        if keys.is_empty() {
            break;
        }
        let port = servers[to].port.to_string();
        let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        words.extend(keys.iter().map(String::as_str));
        let _: String = ask(&source, &words).await;
    }
    for at in [to, from].into_iter().chain((0..servers.len()).filter(|at| ![to, from].contains(at))) {
        let _: String = ask(&servers[at].url(), &["CLUSTER", "SETSLOT", slot, "NODE", &names[to]]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_that_move_to_other_servers_of_a_cluster_lose_nothing() {
    let Some(servers) = cluster().await else { return };
    let options = Options { shard_count: 4, max_connections: 4, ..Options::new(servers[0].url()) };
    let store = Arc::new(Redis::open(options).await.expect("opens"));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load::run(store, stop.clone()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut moved = 0;
    for place in ["{deepslate}:", "{deepslate:0}:", "{deepslate:1}:", "{deepslate:2}:", "{deepslate:3}:"] {
        let slot: u16 = ask(&servers[0].url(), &["CLUSTER", "KEYSLOT", place]).await;
        let from = usize::from(slot > 5460) + usize::from(slot > 10922);
        move_slot(&servers, &slot.to_string(), from, (from + 1) % 3).await;
        moved += 1;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    stop.store(true, Ordering::SeqCst);
    let report = load.await.expect("the load ends well");
    assert!(moved == 5 && report.acknowledged > 100 && report.fenced > 0, "{report:?}");
}

/// A primary with a replica, of the version that has WAITAOF. Both write their files once a second.
async fn pair() -> Option<(Server, Server)> {
    let program = support::server("DEEPSLATE_TEST_VALKEY_SERVER")?;
    let settings = ["--appendonly", "yes", "--repl-diskless-sync-delay", "0"];
    let primary = Server::start(&program, &settings).await;
    let replica = replica_of(&primary, &program).await;
    Some((primary, replica))
}

async fn replica_of(primary: &Server, program: &str) -> Server {
    let port = primary.port.to_string();
    let settings =
        ["--appendonly", "yes", "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1", port.as_str()];
    let replica = Server::start(program, &settings).await;
    until(async || ask::<String>(&replica.url(), &["INFO", "replication"]).await.contains("master_link_status:up"))
        .await;
    replica
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_acknowledged_when_enough_replicas_have_it_on_disk() {
    let Some((primary, mut replica)) = pair().await else { return };
    let options =
        Options { shard_count: 2, replicas: 1, timeout: Duration::from_secs(10), ..Options::new(primary.url()) };
    let room = Room::claimed(Redis::open(options.clone()).await.expect("everysec is enough with WAITAOF")).await;
    room.apply(room.step(0, 1)).await;
    let offset = |info: &str, name: &str| -> u64 {
        let line = info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{name} is not in {info}"))
    };
    let info: String = ask(&replica.url(), &["INFO", "replication"]).await;
    assert!(offset(&info, "slave_repl_offset") > 0, "{info}");
    replica.kill();
    // It is written, and says so as often as it is asked; but it may be lost yet.
    for _ in 0..2 {
        let error = room.store.commit(vec![room.step(0, 2)]).await.expect_err("no replica has it");
        assert!(error.kind() == Kind::Retry && error.to_string().contains("0 of 1 replicas"), "{error}");
    }
    assert_eq!(room.store.renew(support::SESSION).await.expect_err("no replica has it").kind(), Kind::Retry);
    replica.up().await;
    let outcomes = loop {
        match room.store.commit(vec![room.step(0, 2)]).await {
            Ok(outcomes) => break outcomes,
            Err(error) => assert_eq!(error.kind(), Kind::Retry, "{error}"),
        }
    };
    // A first replica gives the primary a new replication id, at which an old commit is still known.
    assert!(matches!(outcomes[..], [Outcome::AlreadyApplied]), "{outcomes:?}");
    let two = Redis::open(Options { replicas: 2, ..options }).await.expect_err("there is one");
    assert!(two.kind() == Kind::Retry && two.to_string().contains("1 of 2 replicas"), "{two}");
}

/// The address of the primary leads to the replica after it: what was acknowledged is there, and every node has claimed afresh.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_keeps_what_was_acknowledged() {
    let Some((mut primary, replica)) = pair().await else { return };
    let program = support::server("DEEPSLATE_TEST_VALKEY_SERVER").expect("the pair has it");
    let proxy = Proxy::start(&primary.place()).await;
    let options = Options {
        shard_count: 2,
        replicas: 1,
        timeout: Duration::from_secs(10),
        ..Options::new(format!("redis://127.0.0.1:{}/", proxy.port))
    };
    let store = Arc::new(Redis::open(options).await.expect("opens"));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load::run(store.clone(), stop.clone()));
    until(async || store.head(id(0)).await.ok().flatten().is_some_and(|head| head.seq.0 >= 3)).await;
    primary.kill();
    let _: String = ask(&replica.url(), &["REPLICAOF", "NO", "ONE"]).await;
    let _next = replica_of(&replica, &program).await;
    proxy.lead_to(&replica.place());
    let at = store.head(id(0)).await.ok().flatten().map_or(0, |head| head.seq.0);
    until(async || store.head(id(0)).await.ok().flatten().is_some_and(|head| head.seq.0 >= at.max(3) + 3)).await;
    stop.store(true, Ordering::SeqCst);
    let report = load.await.expect("the load ends well");
    assert!(report.acknowledged > 20 && report.fenced > 0, "{report:?}");
}

//! The whole behaviour suite on every backend, one test for each case.
//!
//! Backends with a server are tested where an environment variable names one (`cargo xtask services` starts them); without it their
//! tests say that they were skipped, and with `CI=true` they fail.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use deepslate_storage::backends::embedded::{Embedded, Options};
use deepslate_storage::backends::memory::Memory;
use deepslate_storage::suite::{Subject, run};
use deepslate_storage::wrap::Fault;
use deepslate_storage::{Clock, Store};

const START_MS: i64 = 1_700_000_000_000;

/// A clock that is turned by hand.
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn new() -> Hands {
        Hands(Arc::new(AtomicI64::new(START_MS)))
    }

    fn clock(&self) -> Clock {
        let hands = self.0.clone();
        Arc::new(move || hands.load(Ordering::SeqCst))
    }

    fn pass(&self, ms: u32) {
        self.0.fetch_add(i64::from(ms), Ordering::SeqCst);
    }
}

struct OnMemory(Hands, Arc<Memory>);

#[async_trait]
impl Subject for OnMemory {
    async fn open(&self) -> Arc<dyn Store> {
        self.1.clone()
    }

    async fn pass(&self, ms: u32) {
        self.0.pass(ms);
    }
}

struct OnEmbedded(Hands, tempfile::TempDir, bool);

#[async_trait]
impl Subject for OnEmbedded {
    async fn open(&self) -> Arc<dyn Store> {
        let options = Options { shard_count: 8, clock: self.0.clock(), ..Options::new(self.1.path()) };
        let store = Arc::new(Embedded::open(options).await.expect("the directory opens"));
        if self.2 { Arc::new(Fault::scripted(store)) } else { store }
    }

    async fn pass(&self, ms: u32) {
        self.0.pass(ms);
    }
}

fn on_memory() -> OnMemory {
    let hands = Hands::new();
    let store = Memory::with(8, hands.clock()).expect("8 shards are allowed");
    OnMemory(hands, Arc::new(store))
}

fn on_embedded() -> OnEmbedded {
    OnEmbedded(Hands::new(), tempfile::tempdir().expect("a directory"), false)
}

/// A wrapper with nothing to do must be the store beneath.
fn on_wrapped() -> OnEmbedded {
    OnEmbedded(Hands::new(), tempfile::tempdir().expect("a directory"), true)
}

/// A schema of its own on a real server, whose clock can't be turned: time passes by waiting.
#[cfg(feature = "postgres")]
struct OnPostgres {
    dsn: String,
    schema: String,
}

#[cfg(feature = "postgres")]
#[async_trait]
impl Subject for OnPostgres {
    async fn open(&self) -> Arc<dyn Store> {
        use deepslate_storage::backends::postgres::{Options, Postgres};
        let options =
            Options { shard_count: 8, schema: self.schema.clone(), max_connections: 4, ..Options::new(&self.dsn) };
        Arc::new(Postgres::open(options).await.expect("the server answers"))
    }

    async fn pass(&self, ms: u32) {
        tokio::time::sleep(std::time::Duration::from_millis(u64::from(ms) + 50)).await;
    }
}

#[cfg(feature = "postgres")]
async fn run_on_postgres(case: &str) {
    let Some(dsn) = support::server("DEEPSLATE_TEST_POSTGRES") else { return };
    let number = deepslate_storage::suite::CASES.iter().position(|name| *name == case).expect("a case of the suite");
    let subject = OnPostgres { schema: format!("suite_{}_{number}", std::process::id()), dsn };
    run(case, &subject).await;
    support::postgres::execute(&subject.dsn, &format!("DROP SCHEMA {} CASCADE", subject.schema)).await;
}

/// Keys with a prefix of their own on a real server.
#[cfg(feature = "redis")]
struct OnRedis {
    url: String,
    prefix: String,
}

#[cfg(feature = "redis")]
#[async_trait]
impl Subject for OnRedis {
    async fn open(&self) -> Arc<dyn Store> {
        use deepslate_storage::backends::redis::{Options, Redis};
        let options =
            Options { shard_count: 8, prefix: self.prefix.clone(), max_connections: 4, ..Options::new(&self.url) };
        Arc::new(Redis::open(options).await.expect("the server answers"))
    }

    async fn pass(&self, ms: u32) {
        tokio::time::sleep(std::time::Duration::from_millis(u64::from(ms) + 50)).await;
    }
}

#[cfg(feature = "redis")]
async fn run_on_redis(case: &str) {
    let Some(url) = support::server("DEEPSLATE_TEST_REDIS") else { return };
    let number = deepslate_storage::suite::CASES.iter().position(|name| *name == case).expect("a case of the suite");
    let subject = OnRedis { prefix: format!("suite_{}_{number}", std::process::id()), url };
    run(case, &subject).await;
    support::redis::clear(&subject.url, &subject.prefix).await;
}

macro_rules! tests {
    ($($case:ident)*) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::run(stringify!($case), &super::on_memory()).await;
            })*
        }
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::run(stringify!($case), &super::on_embedded()).await;
            })*
        }
        mod wrapped {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::run(stringify!($case), &super::on_wrapped()).await;
            })*
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::run_on_postgres(stringify!($case)).await;
            })*
        }
        #[cfg(feature = "redis")]
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::run_on_redis(stringify!($case)).await;
            })*
        }
    };
}

deepslate_storage::for_each_case!(tests);

//! The whole behaviour suite on every backend that needs no server, one test for each case.

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
    };
}

deepslate_storage::for_each_case!(tests);

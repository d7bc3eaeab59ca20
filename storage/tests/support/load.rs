//! Load on a store whose server goes down and comes up, and a judge of what is left of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deepslate_storage::{Claim, Epoch, Error, Kind, Opened, Outcome, Seq, SessionId, Shard, Store};
use tokio::sync::RwLock;

use super::{id, step};

const TASKS: u64 = 4;
const ISOLATES: u64 = 3;

/// What the load came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Commits that were acknowledged.
    pub acknowledged: u64,
    /// Calls that were to be repeated.
    pub retries: u64,
    /// Commits that were refused because the session or its epochs were gone.
    pub fenced: u64,
}

/// A node's life: its session and what it holds.
struct Node<S: Store> {
    store: Arc<S>,
    epochs: Vec<Epoch>,
    session: SessionId,
}

/// Calls until the answer is not `Retry`.
async fn again<T, F: Future<Output = Result<T, Error>>>(mut call: impl FnMut() -> F) -> Result<T, Error> {
    loop {
        match call().await {
            Err(error) if error.kind() == Kind::Retry => tokio::time::sleep(Duration::from_millis(5)).await,
            other => return other,
        }
    }
}

impl<S: Store> Node<S> {
    async fn claim_all(store: &S, session: SessionId) -> Vec<Epoch> {
        let opened = again(|| store.open_session(session, "localhost:1", 60_000)).await.expect("a session opens");
        assert!(matches!(opened, Opened::Open { .. }), "{opened:?}");
        let mut epochs = Vec::new();
        for shard in 0..store.shard_count() {
            match again(|| store.claim(session, Shard(shard))).await.expect("a claim is answered") {
                Claim::Granted(epoch) => epochs.push(epoch),
                held => panic!("{held:?}"),
            }
        }
        epochs
    }
}

/// Commits without a pause until it is told to stop. Every answer is held against what the store has afterwards: what was
/// acknowledged is there, what was fenced is not.
pub async fn run<S: Store>(store: Arc<S>, stop: Arc<AtomicBool>) -> Report {
    let session = SessionId { node_id: 1, life: 1 };
    let epochs = Node::claim_all(&*store, session).await;
    let node = Arc::new(RwLock::new(Node { store: store.clone(), epochs, session }));
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(write(node.clone(), task, stop.clone()))).collect();
    let mut sum = Report::default();
    for task in tasks {
        let report = task.await.expect("the task ends well");
        sum.acknowledged += report.acknowledged;
        sum.retries += report.retries;
        sum.fenced += report.fenced;
    }
    sum
}

async fn write<S: Store>(node: Arc<RwLock<Node<S>>>, task: u64, stop: Arc<AtomicBool>) -> Report {
    let store = node.read().await.store.clone();
    let mut report = Report::default();
    let mut acknowledged = [0; ISOLATES as usize];
    while !stop.load(Ordering::SeqCst) {
        let (batch, life) = {
            let node = node.read().await;
            let isolates = (0..ISOLATES).map(|n| step(&node.epochs, task * ISOLATES + n, acknowledged[n as usize] + 1));
            (isolates.collect::<Vec<_>>(), node.session.life)
        };
        let outcomes = again(|| {
            report.retries += 1;
            store.commit(batch.clone())
        })
        .await;
        report.retries -= 1;
        let mut lost = false;
        for (n, outcome) in outcomes.expect("a batch is answered").into_iter().enumerate() {
            match outcome {
                Outcome::Applied | Outcome::AlreadyApplied => {
                    acknowledged[n] += 1;
                    report.acknowledged += 1;
                }
                Outcome::Fenced => {
                    report.fenced += 1;
                    lost = true;
                }
                Outcome::Failed(error) => panic!("{error}"),
            }
        }
        if lost {
            begin_anew(&node, life).await;
        }
        for (n, &seq) in (0..).zip(&acknowledged) {
            let head = again(|| store.head(id(task * ISOLATES + n))).await.expect("reads");
            assert_eq!(head.map_or(Seq::NONE, |head| head.seq), Seq(seq), "isolate {}", task * ISOLATES + n);
        }
    }
    for (n, &seq) in (0..).zip(&acknowledged) {
        let number = task * ISOLATES + n;
        let snapshot = again(|| store.snapshot(id(number))).await.expect("reads").expect("is there");
        assert_eq!((snapshot.head.seq, snapshot.parts.len()), (Seq(seq), 1));
        assert_eq!(snapshot.parts[0].bytes, format!("part-of-{number}-at-{seq}"));
        let events = again(|| store.events(id(number), 0, 100)).await.expect("reads");
        assert_eq!(events.last().map(|event| event.0 + 1), Some(seq));
    }
    report
}

/// As an engine does: it asks whether its lease is lost, and opens a new session then.
async fn begin_anew<S: Store>(node: &RwLock<Node<S>>, life: u64) {
    let mut node = node.write().await;
    if node.session.life != life {
        return;
    }
    let store = node.store.clone();
    let session = node.session;
    let lost = again(|| store.renew(session)).await.expect_err("a commit of this session was fenced");
    assert_eq!(lost.kind(), Kind::LeaseLost, "{lost}");
    let next = SessionId { life: life + 1, ..session };
    let before = std::mem::take(&mut node.epochs);
    node.epochs = Node::claim_all(&*store, next).await;
    assert!(before.iter().zip(&node.epochs).all(|(old, new)| old < new), "epochs rise");
    node.session = next;
}

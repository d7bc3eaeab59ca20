//! The session of this life, its lease, and the epochs of the shards it holds.
//!
//! The lease is counted on the monotonic clock from before its renewal was sent, so that it ends here no later than in the
//! store. It narrows when actions start; what guards the stored state is the fence in the store itself.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deepslate_storage::{self as storage, Claim, Epoch, Opened, SessionId, Shard, Store};
use futures::future::join_all;
use tokio::sync::Notify;

use crate::clock::{Clock, StoreClock};
use crate::error::{Error, Kind, Result};
use crate::limits::STORE_BACKOFF_MS;
use crate::rng::{self, Rng};

#[derive(Debug)]
pub(crate) struct Lease {
    node_id: u64,
    address: String,
    ttl_ms: u32,
    session: Mutex<SessionId>,
    /// Milliseconds of the monotonic clock.
    until_ms: AtomicI64,
    /// By shard; 0 for one that is not ours.
    epochs: Vec<AtomicU64>,
    /// Somebody has reason to doubt the lease: look at once.
    pub(crate) doubt: Notify,
}

impl Lease {
    pub(crate) fn new(node_id: u64, address: String, ttl: Duration, shard_count: u32) -> Lease {
        Lease {
            node_id,
            address,
            ttl_ms: u32::try_from(ttl.as_millis()).unwrap_or(u32::MAX),
            session: Mutex::new(SessionId { node_id, life: 0 }),
            until_ms: AtomicI64::new(i64::MIN),
            epochs: (0..shard_count).map(|_| AtomicU64::new(0)).collect(),
            doubt: Notify::new(),
        }
    }

    pub(crate) fn session(&self) -> SessionId {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often it is renewed.
    pub(crate) fn period(&self) -> Duration {
        Duration::from_millis(u64::from(self.ttl_ms / 3).max(1))
    }

    /// Whether an action may start now.
    pub(crate) fn is_live(&self, time: &StoreClock) -> bool {
        time.monotonic_ms() < self.until_ms.load(Ordering::SeqCst)
    }

    /// The epoch under which a shard is ours.
    pub(crate) fn epoch(&self, shard: Shard) -> Option<Epoch> {
        let epoch = self.epochs.get(shard.0 as usize)?.load(Ordering::SeqCst);
        (epoch != 0).then_some(Epoch(epoch))
    }

    /// The shards that are ours.
    pub(crate) fn held(&self) -> Vec<Shard> {
        (0..).map(Shard).take(self.epochs.len()).filter(|shard| self.epoch(*shard).is_some()).collect()
    }

    /// How many there are.
    pub(crate) fn shard_count(&self) -> u32 {
        u32::try_from(self.epochs.len()).unwrap_or(u32::MAX)
    }

    /// Opens a session for a new life. Waits for another life of this node whose lease runs out; fails if that one renews it and
    /// `insist` is false.
    pub(crate) async fn open(
        &self,
        store: &dyn Store,
        clock: &dyn Clock,
        time: &StoreClock,
        rng: &dyn Rng,
        insist: bool,
    ) -> Result<()> {
        let id = SessionId { node_id: self.node_id, life: rng::life(rng) };
        let mut held: Option<(SessionId, i64)> = None;
        let mut pause_ms = STORE_BACKOFF_MS.0;
        loop {
            let asked_ms = time.monotonic_ms();
            match store.open_session(id, &self.address, self.ttl_ms).await {
                Ok(Opened::Open { .. }) => {
                    *self.session.lock().unwrap_or_else(PoisonError::into_inner) = id;
                    self.until_ms.store(asked_ms + i64::from(self.ttl_ms), Ordering::SeqCst);
                    return Ok(());
                }
                Ok(Opened::Held { by, until_ms }) => {
                    if !insist && held.is_some_and(|(other, until)| other == by && until_ms > until) {
                        let what = format!(
                            "node {} is alive elsewhere (session {by} goes on renewing its lease): stop that one, or give this \
                             node another `node_id`",
                            self.node_id
                        );
                        return Err(Error::new(Kind::Held, "start", what));
                    }
                    if held.is_none() {
                        tracing::info!(%by, "waiting for the lease of this node's former life to end");
                    }
                    held = Some((by, until_ms));
                    let wait_ms = until_ms.saturating_sub(store.now_ms().await.unwrap_or(until_ms)).clamp(10, 60_000);
                    clock.sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
                }
                Err(error) if error.kind() == storage::Kind::Retry => {
                    tracing::warn!("opening a session: {error}; trying again");
                    clock.sleep(Duration::from_millis(pause_ms)).await;
                    pause_ms = (pause_ms * 2).min(STORE_BACKOFF_MS.1);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Renews the lease.
    pub(crate) async fn renew(&self, store: &dyn Store, time: &StoreClock) -> storage::Result<()> {
        let asked_ms = time.monotonic_ms();
        store.renew(self.session()).await?;
        self.until_ms.store(asked_ms + i64::from(self.ttl_ms), Ordering::SeqCst);
        Ok(())
    }

    /// Claims the shards that are not ours. Gives those that are so now.
    pub(crate) async fn claim(&self, store: &dyn Store) -> storage::Result<Vec<Shard>> {
        let session = self.session();
        let missing: Vec<_> =
            (0..).map(Shard).take(self.epochs.len()).filter(|shard| self.epoch(*shard).is_none()).collect();
        let claims = join_all(missing.iter().map(|shard| store.claim(session, *shard))).await;
        let (mut granted, mut failed) = (Vec::new(), None);
        for (shard, claim) in missing.into_iter().zip(claims) {
            match claim {
                Ok(Claim::Granted(epoch)) => {
                    self.epochs[shard.0 as usize].store(epoch.0, Ordering::SeqCst);
                    granted.push(shard);
                }
                Ok(Claim::Held { .. }) => {}
                Err(error) => failed = Some(error),
            }
        }
        // What was granted must be looked through; the rest is asked for again with the next renewal.
        match failed {
            Some(error) if granted.is_empty() => Err(error),
            _ => Ok(granted),
        }
    }

    /// It is lost: nothing is ours.
    pub(crate) fn lost(&self) {
        self.until_ms.store(i64::MIN, Ordering::SeqCst);
        self.epochs.iter().for_each(|epoch| epoch.store(0, Ordering::SeqCst));
    }
}

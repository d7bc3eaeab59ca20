//! Group commit: one task that sends everything that waits as one batch, while the next batch gathers.
//!
//! No timer fills a batch. A batch whose answer is lost, or for which there is no space, is sent again byte for byte until the
//! store answers; nothing that waits on it is acknowledged or acted on meanwhile. What the answers mean for an isolate is
//! the isolate's business.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deepslate_storage::{Commit, Delete, Error, Kind, Outcome, Result, Store};
use tokio::sync::Notify;

use crate::cell::{Cell, Event};
use crate::clock::Clock;
use crate::health::Health;
use crate::limits::STORE_BACKOFF_MS;

/// One write of one isolate.
#[derive(Debug)]
pub(crate) enum Write {
    /// A new state.
    Commit(Box<Commit>),
    /// Its removal.
    Delete(Delete),
}

#[derive(Debug)]
struct Waiting {
    cell: Arc<Cell>,
    write: Write,
}

#[derive(Debug, Default)]
pub(crate) struct Committer {
    waiting: Mutex<Vec<Waiting>>,
    notify: Notify,
    /// Writes that were taken in and not yet answered.
    open: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) commits: AtomicU64,
}

impl Committer {
    /// Takes a write in; the answer comes as an event. At most one of an isolate at a time.
    pub(crate) fn submit(&self, cell: Arc<Cell>, write: Write) {
        self.open.fetch_add(1, Ordering::SeqCst);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(Waiting { cell, write });
        let is_first = waiting.len() == 1;
        drop(waiting);
        if is_first {
            self.notify.notify_one();
        }
    }

    /// True when everything that was taken in has been answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.load(Ordering::SeqCst) == 0
    }

    /// Sends batches for ever. `deliver` hands an answer to its cell.
    pub(crate) async fn run(
        &self,
        store: &dyn Store,
        clock: &dyn Clock,
        health: &Health,
        deliver: impl Fn(&Arc<Cell>, Event),
    ) {
        let batch_max = store.limits().batch_max.max(1);
        loop {
            let mut batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            if batch.is_empty() {
                self.notify.notified().await;
                continue;
            }
            while !batch.is_empty() {
                let rest = batch.split_off(batch.len().min(batch_max));
                let (mut commits, mut deletes) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
                for Waiting { cell, write } in std::mem::replace(&mut batch, rest) {
                    match write {
                        Write::Commit(commit) => {
                            commits.0.push(cell);
                            commits.1.push(*commit);
                        }
                        Write::Delete(delete) => {
                            deletes.0.push(cell);
                            deletes.1.push(delete);
                        }
                    }
                }
                if !commits.0.is_empty() {
                    self.batches.fetch_add(1, Ordering::Relaxed);
                    self.commits.fetch_add(commits.0.len() as u64, Ordering::Relaxed);
                    let outcomes = send(clock, health, commits.1, |batch| store.commit(batch)).await;
                    self.answer(&commits.0, outcomes, &deliver);
                }
                if !deletes.0.is_empty() {
                    let outcomes = send(clock, health, deletes.1, |batch| store.delete(batch)).await;
                    self.answer(&deletes.0, outcomes, &deliver);
                }
            }
        }
    }

    fn answer(&self, cells: &[Arc<Cell>], outcomes: Vec<Outcome>, deliver: &impl Fn(&Arc<Cell>, Event)) {
        for (cell, outcome) in cells.iter().zip(outcomes) {
            // Counted down after the event is in: who finds nothing open here finds the cell busy.
            deliver(cell, Event::Written(outcome));
            self.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Sends a batch until the store has answered for each of its items.
async fn send<T: Clone, F: Future<Output = Result<Vec<Outcome>>>>(
    clock: &dyn Clock,
    health: &Health,
    batch: Vec<T>,
    call: impl Fn(Vec<T>) -> F,
) -> Vec<Outcome> {
    match send_whole(clock, health, &batch, &call).await {
        Ok(outcomes) => outcomes,
        // Something in it is damaged and the store could not say what: one after the other, the sound ones get through.
        Err(_) if batch.len() > 1 => {
            let mut outcomes = Vec::with_capacity(batch.len());
            for item in batch {
                outcomes.push(match send_whole(clock, health, std::slice::from_ref(&item), &call).await {
                    Ok(mut one) => one.pop().expect("one answer for one item"),
                    Err(error) => Outcome::Failed(error),
                });
            }
            outcomes
        }
        Err(error) => batch.iter().map(|_| Outcome::Failed(error.clone())).collect(),
    }
}

/// The same for a batch that stays together; an error is one that repeating won't cure.
async fn send_whole<T: Clone, F: Future<Output = Result<Vec<Outcome>>>>(
    clock: &dyn Clock,
    health: &Health,
    batch: &[T],
    call: &impl Fn(Vec<T>) -> F,
) -> Result<Vec<Outcome>> {
    let mut pause_ms = STORE_BACKOFF_MS.0;
    loop {
        let error = match call(batch.to_vec()).await {
            Ok(outcomes) if outcomes.len() == batch.len() => {
                health.cleared("store");
                return Ok(outcomes);
            }
            Ok(outcomes) => {
                let what = format!("{} answers for {} writes, a bug of the backend", outcomes.len(), batch.len());
                Error::new(Kind::Retry, "commit", what)
            }
            Err(error) => error,
        };
        match error.kind() {
            Kind::LeaseLost => return Ok(batch.iter().map(|_| Outcome::Fenced).collect()),
            Kind::Corrupt | Kind::Newer => return Err(error),
            Kind::Retry | Kind::Full | Kind::Locked | Kind::Refused => {
                // One lost answer is nothing to tell anybody.
                if pause_ms > STORE_BACKOFF_MS.0 || error.kind() != Kind::Retry {
                    health.trouble("store", clock, &format!("commits wait: {error}"));
                }
                clock.sleep(Duration::from_millis(pause_ms)).await;
                pause_ms = (pause_ms * 2).min(STORE_BACKOFF_MS.1);
            }
        }
    }
}

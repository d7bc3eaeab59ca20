//! Who waits for news of an isolate, in memory or not: long polls of `result`, and pages that follow along.
//!
//! News is sent only after what it tells is durable. A slow listener misses states in between, never the last one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deepslate_storage::{IsolateId, ProgramHash, Seq, Status};
use tokio::sync::{broadcast, watch};

use crate::record::Ending;

/// How many changes a follower of everything may be behind.
const BEHIND_MAX: usize = 1_024;

/// A durable change of an isolate.
#[derive(Clone, Debug)]
pub struct Change {
    /// The isolate.
    pub id: IsolateId,
    /// Its name; empty if that is not known.
    pub name: Arc<str>,
    /// The number of its last commit.
    pub seq: Seq,
    /// What it is doing.
    pub status: Status,
    /// Whether it was removed.
    pub removed: bool,
}

/// What a waiter for the end sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    pub(crate) change: Option<Change>,
    pub(crate) ending: Option<(Arc<Ending>, ProgramHash)>,
    /// Its shard was lost or it was removed: look it up again.
    pub(crate) moved: bool,
}

#[derive(Debug)]
pub(crate) struct Watch {
    count: AtomicUsize,
    watched: Mutex<HashMap<IsolateId, watch::Sender<News>>>,
    all: broadcast::Sender<Change>,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch { count: AtomicUsize::new(0), watched: Mutex::default(), all: broadcast::channel(BEHIND_MAX).0 }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<IsolateId, watch::Sender<News>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows one isolate from now on.
    pub(crate) fn subscribe(self: &Arc<Self>, id: IsolateId) -> Watching {
        let mut watched = self.watched();
        let receiver = watched.entry(id).or_insert_with(|| watch::channel(News::default()).0).subscribe();
        self.count.store(watched.len(), Ordering::SeqCst);
        Watching { id, receiver: Some(receiver), watch: Arc::clone(self) }
    }

    /// Follows all isolates of this engine from now on.
    pub(crate) fn subscribe_all(&self) -> broadcast::Receiver<Change> {
        self.all.subscribe()
    }

    /// Tells who waits.
    pub(crate) fn tell(&self, change: Change, ending: Option<(&Ending, ProgramHash)>) {
        if self.count.load(Ordering::SeqCst) > 0
            && let Some(sender) = self.watched().get(&change.id)
        {
            let ending = ending.map(|(ending, program)| (Arc::new(ending.clone()), program));
            sender.send_replace(News { moved: change.removed, ending, change: Some(change.clone()) });
        }
        if self.all.receiver_count() > 0 {
            // Nobody listening any more is no error.
            let _ = self.all.send(change);
        }
    }

    /// Makes who waits for this isolate look it up again.
    pub(crate) fn moved(&self, id: IsolateId) {
        if let Some(sender) = self.watched().get(&id) {
            sender.send_modify(|news| news.moved = true);
        }
    }

    /// Makes everybody look again, as when the engine stops.
    pub(crate) fn moved_all(&self) {
        for sender in self.watched().values() {
            sender.send_modify(|news| news.moved = true);
        }
    }
}

/// A subscription to one isolate.
#[derive(Debug)]
pub(crate) struct Watching {
    id: IsolateId,
    receiver: Option<watch::Receiver<News>>,
    watch: Arc<Watch>,
}

impl Watching {
    /// Waits for news since the last that was seen.
    pub(crate) async fn next(&mut self) -> News {
        let Some(receiver) = &mut self.receiver else { return News::default() };
        match receiver.changed().await {
            Ok(()) => receiver.borrow_and_update().clone(),
            Err(_) => News { moved: true, ..News::default() },
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.receiver = None;
        let mut watched = self.watch.watched();
        if watched.get(&self.id).is_some_and(|sender| sender.receiver_count() == 0) {
            watched.remove(&self.id);
        }
        self.watch.count.store(watched.len(), Ordering::SeqCst);
    }
}

//! Timers in memory: which isolate is to be woken when. Only those of the near future; the store holds all of them.
//!
//! The rule that makes this complete: everything due before `until_ms` is here. A timer that is armed goes in when it is
//! due before that and is otherwise left to a later scan of the store, which reads what is due up to a new `until_ms` that was
//! set before the scan began. An isolate has one timer here, its earliest; a stale one wakes it for nothing, which it bears.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use deepslate_storage::IsolateId;
use tokio::sync::Notify;

use crate::limits::NEAR_TIMERS_MAX;

#[derive(Debug, Default)]
pub(crate) struct Timers {
    inner: Mutex<Inner>,
    /// The earliest has changed.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    until_ms: i64,
    heap: BinaryHeap<Reverse<(i64, IsolateId)>>,
    /// The entry of the heap that counts, for each isolate.
    due: HashMap<IsolateId, i64>,
}

impl Timers {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes an isolate then, if that is near; it must be in the store already. Replaces its timer.
    pub(crate) fn arm(&self, id: IsolateId, due_ms: i64) {
        let mut inner = self.inner();
        if due_ms >= inner.until_ms {
            inner.due.remove(&id);
            return;
        }
        if inner.due.insert(id, due_ms) == Some(due_ms) {
            return;
        }
        let is_first = inner.heap.peek().is_none_or(|Reverse((first, _))| due_ms < *first);
        inner.heap.push(Reverse((due_ms, id)));
        inner.tidy();
        if is_first {
            self.changed.notify_one();
        }
    }

    /// Takes an isolate's timer away.
    pub(crate) fn disarm(&self, id: IsolateId) {
        self.inner().due.remove(&id);
    }

    /// Puts in what a scan has found, unless the isolate has a timer already, which is newer. False when there is no room: then
    /// the timers from this one's time on are left to the next scan.
    pub(crate) fn found(&self, id: IsolateId, due_ms: i64) -> bool {
        let mut inner = self.inner();
        if inner.due.len() >= NEAR_TIMERS_MAX {
            inner.until_ms = inner.until_ms.min(due_ms);
            return false;
        }
        if let std::collections::hash_map::Entry::Vacant(entry) = inner.due.entry(id) {
            entry.insert(due_ms);
            inner.heap.push(Reverse((due_ms, id)));
            self.changed.notify_one();
        }
        true
    }

    /// Up to when timers are held from now on. To be set before the scan that fills them in.
    pub(crate) fn set_until(&self, until_ms: i64) {
        self.inner().until_ms = until_ms;
    }

    /// Up to when timers are held.
    pub(crate) fn until_ms(&self) -> i64 {
        self.inner().until_ms
    }

    /// Takes what is due by `now_ms`, and says when the next one is.
    pub(crate) fn take_due(&self, now_ms: i64) -> (Vec<IsolateId>, Option<i64>) {
        let mut inner = self.inner();
        let mut due = Vec::new();
        while let Some(&Reverse((due_ms, id))) = inner.heap.peek() {
            let is_current = inner.due.get(&id) == Some(&due_ms);
            if due_ms > now_ms && is_current {
                return (due, Some(due_ms));
            }
            inner.heap.pop();
            if is_current {
                inner.due.remove(&id);
                due.push(id);
            }
        }
        (due, None)
    }

    /// Forgets all timers: the shards are lost. Those that are claimed again are scanned up to the same `until_ms`, so that what is
    /// due soon does not wait for the next scan of all.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner();
        inner.heap.clear();
        inner.due.clear();
    }

    /// Returns when the earliest timer may have changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How many isolates have a timer here.
    pub(crate) fn len(&self) -> usize {
        self.inner().due.len()
    }
}

impl Inner {
    /// An isolate that sleeps and wakes leaves old entries behind; rebuilt when they are the most.
    fn tidy(&mut self) {
        if self.heap.len() > 2 * self.due.len() + 64 {
            self.heap = self.due.iter().map(|(id, due_ms)| Reverse((*due_ms, *id))).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> IsolateId {
        IsolateId([n; 16])
    }

    #[test]
    fn timers_come_in_order_and_once() {
        let timers = Timers::default();
        timers.set_until(1_000);
        timers.arm(id(1), 30);
        timers.arm(id(2), 10);
        timers.arm(id(3), 20);
        assert_eq!(timers.take_due(5), (vec![], Some(10)));
        assert_eq!(timers.take_due(20), (vec![id(2), id(3)], Some(30)));
        assert_eq!(timers.take_due(100), (vec![id(1)], None));
        assert_eq!(timers.len(), 0);
    }

    #[test]
    fn a_new_timer_replaces_the_old_one() {
        let timers = Timers::default();
        timers.set_until(1_000);
        timers.arm(id(1), 30);
        timers.arm(id(1), 50);
        assert_eq!(timers.take_due(40), (vec![], Some(50)));
        timers.disarm(id(1));
        assert_eq!(timers.take_due(100), (vec![], None));
    }

    #[test]
    fn far_timers_are_left_to_the_scan() {
        let timers = Timers::default();
        timers.set_until(100);
        timers.arm(id(1), 100);
        assert_eq!(timers.len(), 0);
        timers.set_until(200);
        assert!(timers.found(id(1), 100));
        // What was armed since is newer than what the scan has read.
        timers.arm(id(2), 150);
        assert!(timers.found(id(2), 120));
        assert_eq!(timers.take_due(130), (vec![id(1)], Some(150)));
    }

    #[test]
    fn a_timer_armed_ten_thousand_times_takes_no_more_room() {
        let timers = Timers::default();
        timers.set_until(i64::MAX);
        for due_ms in 0..10_000 {
            timers.arm(id(1), 1_000_000 - due_ms);
        }
        assert!(timers.inner().heap.len() < 200);
        assert_eq!(timers.take_due(i64::MAX - 1), (vec![id(1)], None));
    }
}

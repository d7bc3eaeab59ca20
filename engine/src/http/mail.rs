//! What an isolate's record holds of requests: routes that are open beyond the literal ones, requests that were acknowledged and
//! not taken yet, and which ones came in already.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::route::Route;
use crate::limits::{HEARD_MS, KEYS_MAX, KEYS_MS, MAIL_BYTES_MAX, MAIL_MAX};

/// The fingerprint of an idempotency key and the route that it was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) u128);

impl Fingerprint {
    /// Of a key as a client sent it.
    pub(crate) fn of(route: &Route, key: &[u8]) -> Fingerprint {
        let mut hash = blake3::Hasher::new();
        for part in [route.method.as_bytes(), route.path.as_bytes(), key] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        Fingerprint(u128::from_le_bytes(first))
    }
}

/// Things that came in, each until a time, oldest first.
pub(crate) type Memory = VecDeque<(i64, u128)>;

/// The part of the record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mail {
    /// Routes that no listen of the program names literally and that were listened on.
    pub(crate) routes: BTreeSet<Route>,
    /// Acknowledged and not taken yet, oldest first.
    pub(crate) queue: VecDeque<(Route, Vec<u8>)>,
    /// Fingerprints of idempotency keys, with the time when each is forgotten.
    pub(crate) keys: Memory,
    /// The engine's own ids of requests: who asks again after a hand-over must not deliver twice.
    pub(crate) heard: Memory,
}

impl Mail {
    pub(crate) fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.queue.is_empty() && self.keys.is_empty() && self.heard.is_empty()
    }

    /// Whether this request is in already, by its own id or by its key.
    pub(crate) fn knows(&self, message: u128, key: Option<Fingerprint>, now_ms: i64) -> bool {
        self.heard.iter().any(|(_, heard)| *heard == message)
            || key.is_some_and(|key| self.keys.iter().any(|(until, known)| *known == key.0 && *until > now_ms))
    }

    /// Remembers a request. What is remembered for long enough is forgotten.
    pub(crate) fn remember(&mut self, message: u128, key: Option<Fingerprint>, now_ms: i64) {
        let add = |memory: &mut Memory, until_ms: i64, what: u128| {
            while memory.len() >= KEYS_MAX || memory.front().is_some_and(|(until, _)| *until <= now_ms) {
                memory.pop_front();
            }
            memory.push_back((until_ms, what));
        };
        add(&mut self.heard, now_ms.saturating_add(HEARD_MS), message);
        if let Some(key) = key {
            add(&mut self.keys, now_ms.saturating_add(KEYS_MS), key.0);
        }
    }

    /// Why no more can be queued with a body of this size, if so.
    pub(crate) fn full(&self, bytes: usize) -> Option<String> {
        if self.queue.len() >= MAIL_MAX {
            return Some(format!("{MAIL_MAX} requests wait for it already"));
        }
        let queued: usize = self.queue.iter().map(|(_, body)| body.len()).sum();
        if !self.queue.is_empty() && queued + bytes > MAIL_BYTES_MAX {
            return Some(format!("{queued} bytes of requests wait for it already"));
        }
        None
    }

    /// The oldest request of a route.
    pub(crate) fn take(&mut self, route: &Route) -> Option<Vec<u8>> {
        let at = self.queue.iter().position(|(of, _)| of == route)?;
        self.queue.remove(at).map(|(_, body)| body)
    }

    /// How many requests wait, by route.
    pub(crate) fn counts(&self) -> BTreeMap<&Route, usize> {
        let mut counts = BTreeMap::new();
        for (route, _) in &self.queue {
            *counts.entry(route).or_insert(0) += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Route {
        Route::named("POST", "/a").unwrap()
    }

    #[test]
    fn keys_are_of_their_route_and_forgotten_after_a_day_or_a_thousand() {
        let other = Route::named("POST", "/b").unwrap();
        let key = Fingerprint::of(&route(), b"k");
        assert_ne!(key, Fingerprint::of(&other, b"k"));
        assert_ne!(key, Fingerprint::of(&route(), b"l"));
        let mut mail = Mail::default();
        mail.remember(1, Some(key), 0);
        assert!(mail.knows(9, Some(key), KEYS_MS - 1));
        assert!(!mail.knows(9, Some(key), KEYS_MS));
        assert!(mail.knows(1, None, 0));
        for n in 0..KEYS_MAX {
            assert!(mail.knows(u128::MAX, Some(key), 1), "{n}");
            mail.remember(n as u128 + 2, Some(Fingerprint(n as u128)), 1);
        }
        assert!(!mail.knows(u128::MAX, Some(key), 1));
        assert_eq!((mail.keys.len(), mail.heard.len()), (KEYS_MAX, KEYS_MAX));
        // Ids of one's own are remembered for a minute only.
        mail.remember(u128::MAX, None, HEARD_MS + 10);
        assert_eq!(mail.heard.len(), 1);
    }

    #[test]
    fn the_queue_is_first_in_first_out_for_each_route_and_bounded() {
        let other = Route::named("GET", "/a").unwrap();
        let mut mail = Mail::default();
        for n in 0..3u8 {
            mail.queue.push_back((route(), vec![n]));
            mail.queue.push_back((other.clone(), vec![n + 10]));
        }
        assert_eq!(mail.counts()[&route()], 3);
        assert_eq!(mail.take(&route()), Some(vec![0]));
        assert_eq!(mail.take(&other), Some(vec![10]));
        assert_eq!(mail.take(&route()), Some(vec![1]));
        assert!(mail.full(10).is_none());
        assert!(mail.full(MAIL_BYTES_MAX).is_some());
        let mut mail = Mail::default();
        // A large one alone is taken.
        assert!(mail.full(MAIL_BYTES_MAX * 2).is_none());
        mail.queue.extend((0..MAIL_MAX).map(|_| (route(), Vec::new())));
        assert!(mail.full(0).unwrap().contains("1000 requests"));
    }
}

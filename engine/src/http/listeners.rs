//! Who listens on which route, for requests that name no isolate. What this node knows: isolates that committed here, and after one
//! look through the store all others of the namespace.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use deepslate_storage::IsolateId;

use super::route::Route;

/// By age: when it was spawned, then its id.
type Listener = (i64, IsolateId);

#[derive(Debug, Default)]
struct Line {
    /// Those that wait in a listen with no request queued.
    waiting: BTreeSet<Listener>,
    /// All for which the route is open.
    open: BTreeSet<Listener>,
}

/// The index.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    inner: Mutex<Inner>,
    /// The store has been looked through.
    pub(crate) complete: AtomicBool,
    /// One look at a time.
    pub(crate) looking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: BTreeMap<Route, Line>,
    of: HashMap<IsolateId, (i64, Vec<Route>)>,
}

impl Inner {
    fn remove(&mut self, id: IsolateId) {
        let Some((created_ms, routes)) = self.of.remove(&id) else { return };
        for route in routes {
            if let Some(line) = self.lines.get_mut(&route) {
                line.waiting.remove(&(created_ms, id));
                line.open.remove(&(created_ms, id));
                if line.open.is_empty() {
                    self.lines.remove(&route);
                }
            }
        }
    }
}

impl Listeners {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The routes of an isolate, each with whether it waits there.
    pub(crate) fn set(&self, id: IsolateId, created_ms: i64, routes: Vec<(Route, bool)>) {
        let mut inner = self.inner();
        inner.remove(id);
        if routes.is_empty() {
            return;
        }
        for (route, waits) in &routes {
            let line = inner.lines.entry(route.clone()).or_default();
            line.open.insert((created_ms, id));
            if *waits {
                line.waiting.insert((created_ms, id));
            }
        }
        inner.of.insert(id, (created_ms, routes.into_iter().map(|(route, _)| route).collect()));
    }

    /// The same unless it is known, which is newer.
    pub(crate) fn found(&self, id: IsolateId, created_ms: i64, routes: Vec<(Route, bool)>) {
        if !self.inner().of.contains_key(&id) {
            self.set(id, created_ms, routes);
        }
    }

    /// It has ended or is somebody else's.
    pub(crate) fn remove(&self, id: IsolateId) {
        self.inner().remove(id);
    }

    /// The shards are lost.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner();
        inner.lines.clear();
        inner.of.clear();
        self.complete.store(false, Ordering::SeqCst);
    }

    /// The oldest one that waits for a request of this route, which no longer counts as waiting, else the oldest for which it is
    /// open.
    pub(crate) fn pick(&self, route: &Route) -> Option<IsolateId> {
        let mut inner = self.inner();
        let line = inner.lines.get_mut(route)?;
        line.waiting.pop_first().or_else(|| line.open.first().copied()).map(|(_, id)| id)
    }

    /// The methods that somebody takes on this path.
    pub(crate) fn methods(&self, path: &str) -> Vec<String> {
        let inner = self.inner();
        let from = Route { path: path.to_owned(), method: String::new() };
        inner
            .lines
            .range(from..)
            .map(|(route, _)| route)
            .take_while(|route| route.path == path)
            .map(|route| route.method.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_waits_is_picked_once_then_the_oldest_of_all() {
        let (listeners, route) = (Listeners::default(), Route::named("POST", "/a").unwrap());
        let id = |n| IsolateId([n; 16]);
        listeners.set(id(1), 10, vec![(route.clone(), false)]);
        listeners.set(id(2), 30, vec![(route.clone(), true)]);
        listeners.set(id(3), 20, vec![(route.clone(), true), (Route::named("GET", "/a").unwrap(), true)]);
        // What is known is newer than what the store said.
        listeners.found(id(2), 30, vec![]);
        assert_eq!(listeners.methods("/a"), ["GET", "POST"]);
        assert_eq!(listeners.pick(&route), Some(id(3)));
        assert_eq!(listeners.pick(&route), Some(id(2)));
        assert_eq!(listeners.pick(&route), Some(id(1)));
        listeners.set(id(2), 30, vec![(route.clone(), true)]);
        assert_eq!(listeners.pick(&route), Some(id(2)));
        listeners.remove(id(1));
        listeners.remove(id(3));
        assert_eq!(listeners.pick(&route), Some(id(2)));
        listeners.set(id(2), 30, vec![]);
        assert_eq!(listeners.pick(&route), None);
        assert_eq!(listeners.methods("/a"), Vec::<String>::new());
        assert!(listeners.inner().lines.is_empty());
    }
}

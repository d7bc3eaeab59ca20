//! Whether the engine can do its work, and if not why: for the health check of the faces, and one clear log line when it changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::limits::TROUBLE_LOG_MS;

/// What keeps the engine from its work, by what has the trouble.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<BTreeMap<&'static str, Trouble>>);

#[derive(Debug)]
struct Trouble {
    what: String,
    logged: Duration,
}

impl Health {
    fn inner(&self) -> MutexGuard<'_, BTreeMap<&'static str, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is trouble with something. Logged when it is new, and from time to time while it lasts.
    pub(crate) fn trouble(&self, part: &'static str, clock: &dyn Clock, what: &str) {
        let now = clock.monotonic();
        let mut inner = self.inner();
        let is_due = |old: &Trouble| now.saturating_sub(old.logged) >= Duration::from_millis(TROUBLE_LOG_MS);
        match inner.get_mut(part) {
            Some(old) if old.what == what && !is_due(old) => return,
            Some(old) => *old = Trouble { what: what.to_owned(), logged: now },
            None => {
                inner.insert(part, Trouble { what: what.to_owned(), logged: now });
            }
        }
        drop(inner);
        tracing::error!(part, "{what}");
    }

    /// It is over.
    pub(crate) fn cleared(&self, part: &'static str) {
        let mut inner = self.inner();
        if inner.is_empty() || inner.remove(part).is_none() {
            return;
        }
        drop(inner);
        tracing::info!(part, "back to work");
    }

    /// What troubles there are.
    pub(crate) fn troubles(&self) -> Vec<String> {
        self.inner().values().map(|trouble| trouble.what.clone()).collect()
    }
}

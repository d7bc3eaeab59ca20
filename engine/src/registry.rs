//! The isolates in memory, by id and by name, and which of the idle ones leave it first.
//!
//! An idle isolate is kept warm for a while, within bounds of number, bytes and time; the one that rested longest leaves first. Leaving costs
//! nothing: everything of it is in the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deepslate_storage::IsolateId;

use crate::cell::{Cell, Event};

#[derive(Debug)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
    warm_isolates: usize,
    warm_bytes: u64,
    warm_for: Duration,
}

#[derive(Debug, Default)]
struct Inner {
    cells: HashMap<IsolateId, Arc<Cell>>,
    names: HashMap<Arc<str>, IsolateId>,
    /// Cells that rested, oldest first. One that has woken since stays here until it rests again or is found busy.
    warm: BTreeMap<u64, Warm>,
    stamps: HashMap<IsolateId, u64>,
    bytes: u64,
    next: u64,
}

#[derive(Debug)]
struct Warm {
    cell: Arc<Cell>,
    bytes: u64,
    since: Duration,
}

impl Inner {
    fn forget_warm(&mut self, id: IsolateId) {
        if let Some(stamp) = self.stamps.remove(&id)
            && let Some(warm) = self.warm.remove(&stamp)
        {
            self.bytes -= warm.bytes;
        }
    }

    fn remove(&mut self, cell: &Cell) {
        self.forget_warm(cell.id);
        self.cells.remove(&cell.id);
        if let Some(name) = cell.name.get()
            && self.names.get(name) == Some(&cell.id)
        {
            self.names.remove(name);
        }
    }
}

impl Registry {
    pub(crate) fn new(warm_isolates: usize, warm_bytes: u64, warm_for: Duration) -> Registry {
        Registry { inner: Mutex::default(), warm_isolates, warm_bytes, warm_for }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, id: IsolateId) -> Option<Arc<Cell>> {
        self.inner().cells.get(&id).cloned()
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<Cell>> {
        let inner = self.inner();
        inner.names.get(name).and_then(|id| inner.cells.get(id)).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.inner().cells.len()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.inner().cells.values().cloned().collect()
    }

    /// The cell of an isolate; the flag says that it was made just now.
    pub(crate) fn get_or_make(&self, id: IsolateId, make: impl FnOnce() -> Arc<Cell>) -> (Arc<Cell>, bool) {
        let mut inner = self.inner();
        if let Some(cell) = inner.cells.get(&id) {
            return (Arc::clone(cell), false);
        }
        let cell = make();
        inner.cells.insert(id, Arc::clone(&cell));
        (cell, true)
    }

    /// Puts a new isolate in under its name, or gives the one that has the name.
    pub(crate) fn make_named(&self, name: &Arc<str>, make: impl FnOnce() -> Arc<Cell>) -> (Arc<Cell>, bool) {
        let mut inner = self.inner();
        if let Some(cell) = inner.names.get(name).and_then(|id| inner.cells.get(id)) {
            return (Arc::clone(cell), false);
        }
        let cell = make();
        inner.names.insert(Arc::clone(name), cell.id);
        inner.cells.insert(cell.id, Arc::clone(&cell));
        (cell, true)
    }

    /// A restored isolate's name has become known.
    pub(crate) fn name(&self, cell: &Cell, name: &Arc<str>) {
        let _ = cell.name.set(Arc::clone(name));
        let mut inner = self.inner();
        // Another cell may be trying to be created under it; that one will find the name taken and look again.
        inner.names.entry(Arc::clone(name)).or_insert(cell.id);
    }

    /// Removes a cell for good and gives back the events that nobody looked at.
    pub(crate) fn remove(&self, cell: &Cell) -> Vec<Event> {
        let mut inner = self.inner();
        inner.remove(cell);
        cell.close()
    }

    /// A cell rests: nothing of it is uncommitted and nothing under way. Makes room by letting others leave.
    pub(crate) fn rest(&self, cell: &Arc<Cell>, bytes: u64, now: Duration) {
        let mut inner = self.inner();
        inner.forget_warm(cell.id);
        let stamp = inner.next;
        inner.next += 1;
        inner.stamps.insert(cell.id, stamp);
        inner.warm.insert(stamp, Warm { cell: Arc::clone(cell), bytes, since: now });
        inner.bytes += bytes;
        while inner.warm.len() > self.warm_isolates || inner.bytes > self.warm_bytes {
            self.drop_oldest(&mut inner);
        }
    }

    /// Lets those leave that have rested for long.
    pub(crate) fn cool(&self, now: Duration) {
        let mut inner = self.inner();
        while inner.warm.first_key_value().is_some_and(|(_, warm)| now.saturating_sub(warm.since) >= self.warm_for) {
            self.drop_oldest(&mut inner);
        }
    }

    fn drop_oldest(&self, inner: &mut Inner) {
        let Some((_, warm)) = inner.warm.pop_first() else { return };
        inner.bytes -= warm.bytes;
        inner.stamps.remove(&warm.cell.id);
        if warm.cell.close_if_resting() {
            inner.remove(&warm.cell);
        }
    }
}

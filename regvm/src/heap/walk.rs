//! What snapshots need of the heap: a look at each object as it is, its persistent id, its marks, and objects made of what
//! was read back, whose references are names of stored objects (H6) until something reads them or `patch` replaces them.

use super::Heap;
use super::dict::Entry;
use super::list::List;
use super::object::{Kind, Ref};
use super::plan::Plan;
use super::sync::{Lock, Queue, WaitGroup};
use std::sync::Arc;

/// How many slots of a list or queue are stored together.
pub(crate) const CHUNK_SLOTS: usize = 512;
/// How many entries of a dict are stored together.
pub(crate) const CHUNK_ENTRIES: usize = 256;
/// How many bytes of a text or bytes are stored together.
pub(crate) const CHUNK_BYTES: usize = 4096;

/// An object as it is.
pub(crate) enum Raw<'a> {
    Slots(&'a [u64]),
    Blob(&'a [u8]),
    List { items: &'a [u64], marks: &'a [u64] },
    Dict { entries: &'a [Entry], live: usize, marks: &'a [u64] },
    Queue(&'a Queue),
    Lock(&'a Lock),
    WaitGroup(&'a WaitGroup),
}

impl Heap {
    /// An object as it is.
    pub(crate) fn raw(&self, object: Ref) -> Raw<'_> {
        match self.kind(object) {
            Kind::Slots => Raw::Slots(self.slots(object)),
            Kind::Str | Kind::Bytes => Raw::Blob(self.blob(object)),
            Kind::List => {
                let List { items, marks, .. } = self.list(object);
                Raw::List { items: items.as_slice(), marks }
            }
            Kind::Dict => {
                let dict = self.dict(object);
                Raw::Dict { entries: &dict.entries, live: dict.live, marks: &dict.marks }
            }
            Kind::Queue => Raw::Queue(self.queue(object)),
            Kind::Lock => Raw::Lock(self.lock(object)),
            Kind::WaitGroup => Raw::WaitGroup(self.wait_group(object)),
        }
    }

    /// What objects of each type look like, by type.
    pub(crate) fn plans(&self) -> Arc<[Plan]> {
        Arc::clone(&self.plans)
    }

    /// Begins a walk: no object has been met. With `renumber` all objects lose their persistent ids.
    pub(crate) fn begin_visit(&mut self, renumber: bool) {
        let wrapped = self.visit == u16::MAX;
        self.visit = if wrapped { 1 } else { self.visit + 1 };
        if wrapped || renumber {
            for at in &self.objects {
                // SAFETY: H3: the list holds live objects, and the heap is borrowed uniquely (H4).
                let header = unsafe { &mut **at };
                if wrapped {
                    header.visit = 0;
                }
                if renumber {
                    header.id = 0;
                }
            }
        }
    }

    /// Meets an object; false if this walk has met it before.
    pub(crate) fn visit(&mut self, object: Ref) -> bool {
        debug_assert!(!object.is_null());
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        let header = unsafe { &mut *self.at(object) };
        std::mem::replace(&mut header.visit, self.visit) != self.visit
    }

    /// Takes the persistent ids of the program's constants that were written after commit `since` and that this walk has not
    /// met, and gives them: their records go with the parts that are replaced. Whatever else is not met is never met again,
    /// but these are kept by the heap itself.
    pub(crate) fn forget_constants(&mut self, since: u64) -> Vec<u32> {
        let mut forgotten = Vec::new();
        for at in 0..self.constants.len() {
            let constant = self.constants[at];
            if !constant.is_null() && self.id(constant) != 0 && self.mark(constant) > since && self.visit(constant) {
                forgotten.push(self.id(constant));
                self.set_id(constant, 0);
            }
        }
        forgotten
    }

    /// The persistent id of an object, 0 if it has none.
    pub(crate) fn id(&self, object: Ref) -> u32 {
        self.head(object).id
    }

    /// Gives an object a persistent id.
    pub(crate) fn set_id(&mut self, object: Ref, id: u32) {
        let interval = self.interval;
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        unsafe {
            (*self.at(object)).id = id;
            // What gets an id is written now, and a merge of the part it is in must write it again.
            if id != 0 {
                (*self.at(object)).mark = interval;
            }
        }
    }

    /// The interval in which an object last changed.
    pub(crate) fn mark(&self, object: Ref) -> u64 {
        self.head(object).mark
    }

    /// Stored objects that changed since the last commit.
    pub(crate) fn dirty(&self) -> &[u32] {
        &self.dirty
    }

    /// Stored objects that were freed since the last call.
    pub(crate) fn take_freed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.freed)
    }

    /// Begins the interval with this number: nothing has changed in it.
    pub(crate) fn begin_interval(&mut self, number: u64) {
        self.interval = number;
        self.dirty.clear();
    }

    /// Sets the limit, once everything is restored.
    pub(crate) fn set_limit(&mut self, limit_bytes: u64) {
        self.limit = limit_bytes;
        self.collect_at =
            self.bytes.saturating_mul(2).max(super::COLLECT_BYTES_MIN).min(limit_bytes.max(self.bytes + 1));
    }

    /// Says when a restored object last changed, and under which id it is stored.
    pub(crate) fn revive_head(&mut self, object: Ref, id: u32, mark: u64) {
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        let header = unsafe { &mut *self.at(object) };
        (header.id, header.mark) = (id, mark);
    }

    /// Says when each chunk of a restored list last changed.
    pub(crate) fn revive_list_marks(&mut self, list: Ref, marks: Vec<u64>) {
        self.list_mut(list).marks = marks;
    }

    /// Fills a restored dict; false where the machine has no memory left.
    pub(crate) fn revive_dict(
        &mut self,
        dict: Ref,
        entries: impl ExactSizeIterator<Item = Option<(u64, u64)>>,
        marks: Vec<u64>,
    ) -> bool {
        self.dict_mut(dict).marks = marks;
        self.dict_fill(dict, entries)
    }

    /// How many positions a dict has, gaps among them.
    pub(crate) fn dict_positions(&self, dict: Ref) -> usize {
        self.dict(dict).entries.len()
    }

    /// Puts the open key in the place of its name, at a position of a restored dict that has an entry.
    pub(crate) fn revive_key(&mut self, dict: Ref, position: usize, key: Ref) {
        self.dict_mut(dict).entries[position].key = key.slot();
    }

    /// Puts an open object in the place of its name, in a restored object or list.
    pub(crate) fn revive_reference(&mut self, object: Ref, index: usize, to: Ref) {
        match self.kind(object) {
            Kind::Slots => self.slots_mut(object)[index] = to.slot(),
            Kind::List => self.list_mut(object).items.as_mut_slice()[index] = to.slot(),
            kind => unreachable!("{kind:?} has no references by index"),
        }
    }

    /// Makes the index of a restored dict, once its keys are open.
    pub(crate) fn revive_index(&mut self, dict: Ref) -> Result<(), &'static str> {
        self.dict_build_index(dict)
    }

    /// Changes a restored queue as a whole.
    pub(crate) fn revive_queue(&mut self, queue: Ref, fill: impl FnOnce(&mut Queue)) {
        let object = self.queue_mut(queue);
        let before = object.size();
        fill(object);
        let after = object.size();
        self.recharge(before, after);
    }

    /// Changes a restored lock as a whole.
    pub(crate) fn revive_lock(&mut self, lock: Ref, fill: impl FnOnce(&mut Lock)) {
        let object = self.lock_mut(lock);
        let before = object.size();
        fill(object);
        let after = object.size();
        self.recharge(before, after);
    }

    /// Changes a restored wait group as a whole.
    pub(crate) fn revive_wait_group(&mut self, group: Ref, fill: impl FnOnce(&mut WaitGroup)) {
        let object = self.wait_group_mut(group);
        let before = object.size();
        fill(object);
        let after = object.size();
        self.recharge(before, after);
    }

    /// Replaces each reference of an object by what `place` makes of it. Gaps of dicts and places that a task has left in a
    /// line hold 0, which stays.
    pub(crate) fn patch(&mut self, object: Ref, place: &mut dyn FnMut(u64) -> u64) {
        let ty = self.ty(object);
        let mut put = |slot: &mut u64| {
            if *slot != 0 {
                *slot = place(*slot);
            }
        };
        match self.kind(object) {
            Kind::Str | Kind::Bytes | Kind::Lock | Kind::WaitGroup => {}
            Kind::Slots => {
                let refs: Vec<u32> = match self.plan(ty) {
                    Plan::Slots { refs, .. } => refs.to_vec(),
                    _ => Vec::new(),
                };
                let slots = self.slots_mut(object);
                refs.iter().for_each(|i| put(&mut slots[*i as usize]));
            }
            Kind::List => {
                if matches!(self.plan(ty), Plan::List { refs: true, .. }) {
                    self.list_mut(object).items.as_mut_slice().iter_mut().for_each(put);
                }
            }
            Kind::Dict => {
                let (keys, values) = match self.plan(ty) {
                    Plan::Dict { key_refs, value_refs, .. } => (*key_refs, *value_refs),
                    _ => (false, false),
                };
                for entry in &mut self.dict_mut(object).entries {
                    if keys {
                        put(&mut entry.key);
                    }
                    if values {
                        put(&mut entry.value);
                    }
                }
            }
            Kind::Queue => {
                if matches!(self.plan(ty), Plan::Queue { refs: true, .. }) {
                    let queue = self.queue_mut(object);
                    queue.elements.slots.iter_mut().for_each(&mut put);
                    queue.putters.window.slots.iter_mut().skip(2).step_by(3).for_each(put);
                }
            }
        }
    }
}

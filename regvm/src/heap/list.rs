//! Lists: elements in a buffer of their own. One of more than a chunk also knows for each chunk when it last changed.

use super::buffer::Buffer;
use super::object::{Header, Kind, Ref};
use super::walk::CHUNK_SLOTS;
use super::{Heap, box_size};
use deepslate_ir::entity::TypeId;
use deepslate_ir::trap::Fault;
use std::ops::Range;

/// A list.
#[repr(C)]
pub(crate) struct List {
    pub header: Header,
    pub items: Buffer,
    /// For each chunk of `CHUNK_SLOTS` elements the interval in which it last changed; empty while there is one chunk at most.
    pub marks: Vec<u64>,
}

impl List {
    pub fn size(&self) -> u64 {
        box_size::<List>() + self.items.capacity() as u64 * 8
    }
}

impl Heap {
    /// A new list of this list type with these elements.
    pub fn new_list(&mut self, ty: TypeId, elements: &[u64]) -> Result<Ref, Fault> {
        self.charge(box_size::<List>())?;
        let header = self.header(ty, Kind::List);
        let list = self.adopt_box(List { header, items: Buffer::new(), marks: Vec::new() });
        self.list_splice(list, 0..0, elements)?;
        Ok(list)
    }

    /// How many elements a list has.
    #[inline]
    pub fn list_len(&self, list: Ref) -> usize {
        self.list(list).items.len()
    }

    /// The elements of a list.
    #[inline]
    pub fn list_items(&self, list: Ref) -> &[u64] {
        self.list(list).items.as_slice()
    }

    /// The element at an index, if it is in range.
    #[inline]
    pub fn list_get(&self, list: Ref, index: usize) -> Option<u64> {
        self.list(list).items.as_slice().get(index).copied()
    }

    /// Replaces the element at an index; false if it is out of range.
    #[inline]
    #[must_use]
    pub fn list_set(&mut self, list: Ref, index: usize, element: u64) -> bool {
        self.touch(list);
        let interval = self.interval;
        let list = self.list_mut(list);
        let Some(place) = list.items.as_mut_slice().get_mut(index) else { return false };
        *place = element;
        if let Some(mark) = list.marks.get_mut(index / CHUNK_SLOTS) {
            *mark = interval;
        }
        true
    }

    /// Appends an element.
    #[inline]
    pub fn list_push(&mut self, list: Ref, element: u64) -> Result<(), Fault> {
        let items = &self.list(list).items;
        if items.len() == items.capacity() {
            self.list_reserve(list, 1)?;
        }
        self.touch(list);
        let interval = self.interval;
        let list = self.list_mut(list);
        let at = list.items.len();
        list.items.push(element);
        if at >= CHUNK_SLOTS {
            mark_chunks(&mut list.marks, at, at + 1, CHUNK_SLOTS, interval);
        }
        Ok(())
    }

    /// Replaces `range` (in bounds) by these elements, as `Vec::splice` does.
    pub fn list_splice(&mut self, list: Ref, range: Range<usize>, with: &[u64]) -> Result<(), Fault> {
        self.list_reserve(list, with.len().saturating_sub(range.len()))?;
        self.touch(list);
        let interval = self.interval;
        let object = self.list_mut(list);
        let same_len = with.len() == range.len();
        let (start, end) = (range.start, range.end);
        object.items.splice(range, with);
        let len = object.items.len();
        let changed_to = if same_len { end } else { len };
        mark_chunks(&mut object.marks, start, changed_to, CHUNK_SLOTS, interval);
        cut_marks(&mut object.marks, len, CHUNK_SLOTS);
        // A list that has shrunk to a quarter gives memory back.
        let capacity = object.items.capacity();
        if capacity > 64 && len < capacity / 4 {
            let shrunk = object.items.resize_capacity(len * 2);
            let after = object.items.capacity();
            if shrunk {
                self.recharge(capacity as u64 * 8, after as u64 * 8);
            }
        }
        Ok(())
    }

    /// Makes room for this many more elements.
    fn list_reserve(&mut self, list: Ref, more: usize) -> Result<(), Fault> {
        let (len, capacity) = (self.list(list).items.len(), self.list(list).items.capacity());
        let Some(needed) = len.checked_add(more) else { return Err(self.too_much(u64::MAX)) };
        if needed <= capacity {
            return Ok(());
        }
        // The first allocation is exact, so that literals waste nothing.
        let new = if capacity == 0 { needed } else { needed.max(capacity + capacity / 2).max(8) };
        let grown = ((new - capacity) as u64).checked_mul(8).ok_or_else(|| self.too_much(u64::MAX))?;
        self.charge(grown)?;
        if !self.list_mut(list).items.resize_capacity(new) {
            return Err(self.refused(grown));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn list(&self, list: Ref) -> &List {
        self.check(list, Kind::List);
        // SAFETY: H1, H3, H4.
        unsafe { &*self.at(list).cast::<List>() }
    }

    #[inline]
    pub(super) fn list_mut(&mut self, list: Ref) -> &mut List {
        self.check(list, Kind::List);
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        unsafe { &mut *self.at(list).cast::<List>() }
    }
}

/// Notes that elements `from..to` changed. A run that gets its second chunk gets marks for all, since it was stored in another form.
pub(super) fn mark_chunks(marks: &mut Vec<u64>, from: usize, to: usize, chunk: usize, interval: u64) {
    let chunks = to.div_ceil(chunk);
    if marks.is_empty() {
        if chunks > 1 {
            marks.resize(chunks, interval);
        }
        return;
    }
    if marks.len() < chunks {
        marks.resize(chunks, interval);
    }
    for mark in marks.iter_mut().take(chunks).skip(from / chunk) {
        *mark = interval;
    }
}

/// Drops the marks of chunks past the end, and all marks of a run that is down to one chunk.
pub(super) fn cut_marks(marks: &mut Vec<u64>, len: usize, chunk: usize) {
    let chunks = len.div_ceil(chunk);
    if chunks <= 1 {
        *marks = Vec::new();
    } else {
        marks.truncate(chunks);
    }
}

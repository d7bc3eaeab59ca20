//! A growable run of 64-bit slots with a fixed layout in memory, so that compiled code can read a list without a call.
//!
//! It is `Vec<u64>` with three words in a known order, and with growth that reports instead of aborting.

use std::alloc::{Layout, alloc, dealloc, realloc};

/// A run of slots. B1: `data` points to `capacity` slots of which the first `len` are initialised; with capacity 0 it dangles.
#[repr(C)]
pub(crate) struct Buffer {
    data: *mut u64,
    len: usize,
    capacity: usize,
}

impl Buffer {
    /// An empty run.
    pub const fn new() -> Buffer {
        Buffer { data: std::ptr::dangling_mut(), len: 0, capacity: 0 }
    }

    /// How many slots it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many slots it has room for.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The slots.
    #[inline]
    pub fn as_slice(&self) -> &[u64] {
        // SAFETY: B1.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }

    /// The slots, to change them.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [u64] {
        // SAFETY: B1, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.len) }
    }

    /// Makes room for exactly this many slots, at least as many as there are; false where the machine has no memory left.
    #[must_use]
    pub fn resize_capacity(&mut self, capacity: usize) -> bool {
        assert!(capacity >= self.len, "a run is never cut by a change of capacity");
        if capacity == self.capacity {
            return true;
        }
        let Ok(new) = Layout::array::<u64>(capacity) else { return false };
        let old = Layout::array::<u64>(self.capacity).expect("the same size was allocated");
        if capacity == 0 {
            // SAFETY: B1: the capacity was not 0, so there is an allocation of this layout.
            unsafe { dealloc(self.data.cast(), old) };
            // Not by assigning a new run, which would drop this one and free the same place again.
            self.data = std::ptr::dangling_mut();
            self.capacity = 0;
            return true;
        }
        let data = if self.capacity == 0 {
            // SAFETY: the size is not 0.
            unsafe { alloc(new) }
        } else {
            // SAFETY: B1: `data` was allocated with `old`; the new size is not 0 and fits a layout.
            unsafe { realloc(self.data.cast(), old, new.size()) }
        };
        if data.is_null() {
            return false;
        }
        self.data = data.cast();
        self.capacity = capacity;
        true
    }

    /// Appends a slot; there must be room.
    #[inline]
    pub fn push(&mut self, slot: u64) {
        assert!(self.len < self.capacity, "room is made before a push");
        // SAFETY: B1 and the line above: the place is inside the allocation.
        unsafe { self.data.add(self.len).write(slot) };
        self.len += 1;
    }

    /// Replaces `range` by these slots. There must be room.
    pub fn splice(&mut self, range: std::ops::Range<usize>, with: &[u64]) {
        assert!(range.start <= range.end && range.end <= self.len, "the range is in bounds");
        let new_len = self.len - range.len() + with.len();
        assert!(new_len <= self.capacity, "room is made before a splice");
        // SAFETY: B1: both places and the moved tail lie inside the allocation by the two asserts; `with` is borrowed from
        // elsewhere, since this run is borrowed uniquely.
        unsafe {
            let tail = self.data.add(range.end);
            std::ptr::copy(tail, self.data.add(range.start + with.len()), self.len - range.end);
            std::ptr::copy_nonoverlapping(with.as_ptr(), self.data.add(range.start), with.len());
        }
        self.len = new_len;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.len = 0;
        let freed = self.resize_capacity(0);
        debug_assert!(freed, "giving memory back can't fail");
    }
}

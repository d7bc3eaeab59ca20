//! Collection: marks what the roots reach, by the types of the program and with a work list of its own, then frees the rest.
//!
//! Nothing moves, and nothing is freed outside `collect` and the heap's drop (H2). When to collect is asked by
//! `should_collect`; who calls it knows the roots.

use super::dict::Dict;
use super::list::List;
use super::object::{Blob, Header, Kind, Ref, Slots, release};
use super::plan::Plan;
use super::sync::{Lock, Queue, WaitGroup};
use super::{COLLECT_BYTES_MIN, Heap, box_size};
use deepslate_ir::trap::{Fault, TrapKind};
use std::sync::Arc;

/// How much work of collections a commit pays for, in references looked at: a small heap is collected at each commit, so
/// that what is stored follows what lives; a large one as often as costs this little.
const WORK_PER_COMMIT: u64 = 256;

/// The references that a collection starts from.
pub struct Roots<'a> {
    heap: &'a mut Heap,
    plans: Arc<[Plan]>,
    work: Vec<Ref>,
    looked_at: u64,
    /// Whether roots are only gathered, in `work`.
    gather: bool,
}

impl Roots<'_> {
    /// One register of reference type. Null is allowed.
    #[inline]
    pub fn add(&mut self, slot: u64) {
        if !self.gather {
            self.mark(slot);
        } else if slot != 0 {
            self.work.push(Ref(slot));
        }
    }

    #[inline]
    fn mark(&mut self, slot: u64) {
        self.looked_at += 1;
        let object = Ref(slot);
        // What is stored and not open is not here to be freed; what was opened under another name of it is a root.
        if slot == 0 || !object.is_open() {
            return;
        }
        let colour = self.heap.colour;
        // SAFETY: H1, H3; the heap is borrowed uniquely.
        let header = unsafe { &mut *object.header() };
        if header.colour != colour {
            header.colour = colour;
            // Text and bytes have nothing inside.
            if !matches!(header.kind, Kind::Str | Kind::Bytes) {
                self.work.push(object);
            }
        }
    }

    /// Registers of reference type. Nulls are allowed.
    #[inline]
    pub fn add_all(&mut self, slots: &[u64]) {
        slots.iter().for_each(|s| self.add(*s));
    }

    fn mark_all(&mut self, slots: &[u64]) {
        slots.iter().for_each(|s| self.mark(*s));
    }

    fn follow(&mut self) {
        while let Some(object) = self.work.pop() {
            // SAFETY: H1, H3; only headers of other objects change while the content of this one is read.
            let kind = unsafe { (*object.header()).kind };
            match kind {
                Kind::Str | Kind::Bytes => {}
                Kind::Slots => {
                    // SAFETY: H1, H3: the kind is the struct's. Marking changes headers only, never slots.
                    let slots = unsafe {
                        let at = object.header().cast::<Slots>();
                        std::slice::from_raw_parts(Slots::start(at).cast_const(), (*at).header.count as usize)
                    };
                    let plans = Arc::clone(&self.plans);
                    if let Plan::Slots { refs, .. } = &plans[self.heap.ty(object).index()] {
                        for index in refs {
                            self.mark(slots[*index as usize]);
                        }
                    }
                }
                Kind::List => {
                    if matches!(self.heap.plan(self.heap.ty(object)), Plan::List { refs: true, .. }) {
                        let items: *const [u64] = self.heap.list(object).items.as_slice();
                        // SAFETY: H1, H3; the elements lie outside all headers, so marking does not change them.
                        let items = unsafe { &*items };
                        self.mark_all(items);
                    }
                }
                Kind::Dict => {
                    let (keys, values) = match self.heap.plan(self.heap.ty(object)) {
                        Plan::Dict { key_refs, value_refs, .. } => (*key_refs, *value_refs),
                        _ => (false, false),
                    };
                    if keys || values {
                        // Gaps hold zeros, so they need no test.
                        for at in 0..self.heap.dict(object).entries.len() {
                            let entry = self.heap.dict(object).entries[at];
                            if keys {
                                self.mark(entry.key);
                            }
                            if values {
                                self.mark(entry.value);
                            }
                        }
                    }
                }
                Kind::Queue => {
                    if matches!(self.heap.plan(self.heap.ty(object)), Plan::Queue { refs: true, .. }) {
                        for at in 0..self.heap.queue(object).elements.slots.len() {
                            self.mark(self.heap.queue(object).elements.slots[at]);
                        }
                        let puts: Vec<u64> = self.heap.queue(object).putters.waiters().map(|(_, e)| e).collect();
                        self.mark_all(&puts);
                    }
                }
                Kind::Lock | Kind::WaitGroup => {}
            }
        }
    }
}

impl Heap {
    /// Whether it is time to collect. Asked before each operation that allocates, it keeps the heap near its limit at most.
    #[inline]
    pub fn should_collect(&self) -> bool {
        self.bytes >= self.collect_at
    }

    /// Whether this commit should collect first, so that what is stored follows what lives. Each call counts as one commit.
    pub fn should_collect_at_commit(&mut self) -> bool {
        self.absorb();
        self.work_earned = self.work_earned.saturating_add(WORK_PER_COMMIT);
        self.work_earned >= self.collect_work.max(self.objects.len() as u64)
    }

    /// Frees every object that the roots don't reach. `roots` gives every register of reference type of every frame of every
    /// task, and whatever else holds a reference (H2). Fails if what lives is over the limit; the heap is sound all the same.
    pub fn collect(&mut self, roots: impl Fn(&mut Roots<'_>)) -> Result<(), Fault> {
        self.mark_and_sweep(&roots);
        // What was opened is kept though it may be garbage; under need everything is opened, and then it need not be. Damage
        // that this finds is remembered for whoever asks before anything is committed.
        if self.bytes > self.limit && self.has_unopened() && self.open_all(&roots).is_ok() {
            self.mark_and_sweep(&roots);
        }
        self.work_earned = 0;
        self.collect_at = if self.bytes <= self.limit / 2 {
            (self.bytes * 2).max(COLLECT_BYTES_MIN.min(self.limit))
        } else {
            // Near the limit a collection must still have something to find, or each operation would ask for one.
            self.limit.max(self.bytes + self.limit / 16)
        };
        if self.bytes > self.limit {
            let message =
                format!("out of memory: {} bytes are in use, and the limit is {} bytes", self.bytes, self.limit);
            return Err(Fault::new(TrapKind::Memory, message));
        }
        Ok(())
    }

    fn mark_and_sweep(&mut self, roots: &dyn Fn(&mut Roots<'_>)) {
        self.absorb();
        self.colour = self.colour.wrapping_add(1);
        let (constants, kept) = (self.constants.clone(), self.kept());
        let plans = Arc::clone(&self.plans);
        let mut marker = Roots { heap: self, plans, work: Vec::new(), looked_at: 0, gather: false };
        constants.iter().chain(&kept).for_each(|c| marker.mark(c.0));
        roots(&mut marker);
        marker.follow();
        let looked_at = marker.looked_at;
        self.sweep();
        self.collect_work = looked_at + self.objects.len() as u64;
    }

    /// The references that `roots` gives.
    pub(super) fn gather(&mut self, roots: &dyn Fn(&mut Roots<'_>)) -> Vec<Ref> {
        let plans = Arc::clone(&self.plans);
        let mut gathered = Roots { heap: self, plans, work: Vec::new(), looked_at: 0, gather: true };
        roots(&mut gathered);
        gathered.work
    }

    fn sweep(&mut self) {
        let mut objects = std::mem::take(&mut self.objects);
        objects.retain(|at| {
            // SAFETY: H3: the list holds every object once, and a freed one leaves it here.
            let header = unsafe { &**at };
            if header.colour == self.colour {
                return true;
            }
            if header.id != 0 {
                self.freed.push(header.id);
            }
            // SAFETY: nothing refers to the object any more (H2).
            let size = unsafe { free(*at) };
            self.discharge(size);
            false
        });
        if objects.capacity() > 1024 && objects.len() < objects.capacity() / 4 {
            objects.shrink_to(objects.len() * 2);
        }
        self.objects = objects;
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        for at in std::mem::take(&mut self.objects) {
            // SAFETY: H3: the list holds every object once; the heap and all borrows of it end here.
            let size = unsafe { free(at) };
            self.bytes -= size;
        }
        debug_assert_eq!(self.bytes, 0, "every byte taken into account is given back");
    }
}

/// Frees an object and what it owns; gives the bytes that it took.
///
/// # Safety
/// `at` is the address of a live object (H3) that nothing uses any more.
unsafe fn free(at: *mut Header) -> u64 {
    // SAFETY: the kind says which struct it is and how it was allocated (H3).
    unsafe {
        match (*at).kind {
            Kind::Slots => {
                let size = Slots::size((*at).count as usize).expect("it was counted at birth");
                release(at.cast(), size);
                size as u64
            }
            Kind::Str | Kind::Bytes => {
                let size = Blob::size((*at.cast::<Blob>()).len).expect("it was counted at birth");
                release(at.cast(), size);
                size as u64
            }
            Kind::List => Box::from_raw(at.cast::<List>()).size(),
            Kind::Dict => Box::from_raw(at.cast::<Dict>()).size(),
            Kind::Queue => Box::from_raw(at.cast::<Queue>()).size(),
            Kind::Lock => Box::from_raw(at.cast::<Lock>()).size(),
            Kind::WaitGroup => Box::from_raw(at.cast::<WaitGroup>()).size(),
        }
    }
}

const _: () = assert!(box_size::<Header>() == 24);

//! The heap of one isolate: objects of known type that never move, with precise collection by the program's types and a
//! write barrier that knows what changed since the last commit.
//!
//! All `unsafe` of the crate is in the files of this folder. It rests on these facts, which each SAFETY note cites:
//!
//! - H1: a `Ref` given to an accessor is the address of a live object of this heap whose kind is the one in the accessor's
//!   name. The IR's verifier (I3, I4) guarantees it for registers, `snapshot::restore` for what it reads, and slots and
//!   elements of reference type are only ever written from such registers. Assertions check the kind in debug builds.
//! - H2: an object is freed only by `collect`, which frees what its roots don't reach, and by the heap's own drop. The
//!   caller gives every reference that it still has as a root; no other method collects.
//! - H3: each kind's struct is `repr(C)`, begins with the `Header`, and was allocated as that struct (boxed, or by
//!   `object::allocate` with its content behind it); kind, type and count in the header never change.
//! - H4: an isolate is run by one thread at a time, a slice that an accessor gives borrows the heap, and methods that change
//!   an object borrow it uniquely. No method keeps a Rust reference into an object while it makes one into another that may
//!   be the same.
//! - H6: after a restore a slot, element or value of reference type may hold the name of a stored object that is not open
//!   (`Ref::stored`); registers never do. `at`, through which every accessor goes, opens it, which makes new objects and
//!   moves, changes or frees none but an open one's own slots, which then hold an address for the same object's name. No
//!   borrowed run of slots is held across an opening. What is opened keeps its place until nothing stored is left to
//!   open, since a stored object that is not open may refer to it.
//!
//! It does not know tasks or frames (they come as roots), nor bytes of snapshots; `snapshot` reads it through `walk`, and
//! opens what is stored through `stored`.

mod blob;
mod buffer;
mod collect;
mod dict;
mod list;
mod object;
mod plan;
mod stored;
mod sync;
#[cfg(test)]
mod tests;
mod walk;

pub use collect::Roots;
pub(crate) use dict::Entry;
pub use object::{Kind, Ref};
pub(crate) use plan::Plan;
pub use sync::{Got, Put, Timer, Waiter};
pub(crate) use sync::{LEFT, Line, Queue, Window};
pub(crate) use walk::{CHUNK_BYTES, CHUNK_ENTRIES, CHUNK_SLOTS, Raw};

use crate::snapshot::{Opened, Unopened};
use deepslate_ir::entity::{ConstId, TypeId};
use deepslate_ir::module::{Constant, Module};
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_ir::types;
use object::{Blob, Header, Slots, allocate};
use std::cell::RefCell;
use std::sync::Arc;

/// A heap is collected no sooner than this many bytes are in it.
const COLLECT_BYTES_MIN: u64 = 256 << 10;

/// The heap of one isolate. Methods that take a `Ref` require H1 of this module's doc.
pub struct Heap {
    module: Arc<Module>,
    plans: Arc<[Plan]>,
    /// Every object.
    objects: Vec<*mut Header>,
    /// One object for each constant of the module, made at its first use; then the boxes of `None`, `False` and `True`.
    constants: Vec<Ref>,
    limit: u64,
    bytes: u64,
    /// `bytes` from which a collection is due.
    collect_at: u64,
    /// How many references the last collection looked at.
    collect_work: u64,
    /// How much of such work commits have earned since.
    work_earned: u64,
    colour: u8,
    /// The number of the last walk of the snapshot's encoder.
    visit: u16,
    /// The number of the commit that comes next: what changes now is in it.
    interval: u64,
    /// Stored objects that changed in this interval, by persistent id.
    dirty: Vec<u32>,
    /// Stored objects that were freed since the snapshot asked, by persistent id.
    freed: Vec<u32>,
    /// What opens stored objects, while some may not be open.
    source: Option<RefCell<Box<Unopened>>>,
    /// What it opened and nobody has asked for yet, once it is gone.
    opened_last: Vec<Opened>,
    log: Vec<String>,
}

// SAFETY: the heap owns all that its pointers point to, and hands out no reference that outlives a borrow of it (H4).
unsafe impl Send for Heap {}

impl Heap {
    /// An empty heap for values of this program that holds at most `limit_bytes`.
    pub fn new(module: Arc<Module>, limit_bytes: u64) -> Heap {
        let plans = module.types.ids().map(|ty| Plan::of(&module.types, ty)).collect();
        let constants = vec![Ref::NULL; module.consts.len() + SHARED_BOXES];
        Heap {
            module,
            plans,
            objects: Vec::new(),
            constants,
            limit: limit_bytes,
            bytes: 0,
            collect_at: COLLECT_BYTES_MIN.min(limit_bytes),
            collect_work: 0,
            work_earned: 0,
            colour: 0,
            visit: 0,
            interval: 1,
            dirty: Vec::new(),
            freed: Vec::new(),
            source: None,
            opened_last: Vec::new(),
            log: Vec::new(),
        }
    }

    /// The program.
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// How many bytes all objects take, garbage included. Stored ones that are not open take none.
    pub fn bytes(&self) -> u64 {
        self.bytes + self.source.as_ref().map_or(0, |source| source.borrow().made_bytes())
    }

    /// How many more bytes one operation may ask for.
    pub fn room(&self) -> u64 {
        self.limit.saturating_mul(2).saturating_sub(self.bytes).min(self.limit)
    }

    /// How many objects there are, garbage included.
    pub fn object_count(&self) -> usize {
        self.objects.len()
    }

    /// The number of the commit that will hold what changes now.
    pub fn interval(&self) -> u64 {
        self.interval
    }

    /// What flows have logged since the last call.
    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    pub(crate) fn push_log(&mut self, line: String) {
        self.log.push(line);
    }

    /// The object of a constant of the module, made once in an isolate's life in memory.
    pub fn constant(&mut self, id: ConstId) -> Result<Ref, Fault> {
        let known = self.constants[id.index()];
        if !known.is_null() {
            return Ok(known);
        }
        let module = Arc::clone(&self.module);
        let made = match module.constant(id) {
            Constant::Str(text) => self.new_str(text)?,
            Constant::Bytes(bytes) => self.new_bytes(bytes)?,
        };
        self.constants[id.index()] = made;
        Ok(made)
    }

    /// A new class instance or tuple of this type.
    pub fn new_object(&mut self, ty: TypeId, slots: &[u64]) -> Result<Ref, Fault> {
        debug_assert_eq!(self.plan(ty).slot_count(), Some(slots.len()), "{}", self.module.types.name(ty));
        let size = Slots::size(slots.len()).ok_or_else(|| self.too_much(u64::MAX))?;
        self.charge(size as u64)?;
        let at = allocate(size).cast::<Slots>();
        if at.is_null() {
            return Err(self.refused(size as u64));
        }
        let count = u32::try_from(slots.len()).expect("a type has fewer than 2^32 slots");
        let header = Header { count, ..self.header(ty, Kind::Slots) };
        // SAFETY: `at` is fresh memory of a size for the struct and its slots.
        unsafe {
            at.write(Slots { header });
            Slots::start(at).copy_from_nonoverlapping(slots.as_ptr(), slots.len());
        }
        Ok(self.adopt(at.cast()))
    }

    /// The box of a scalar, for a union. Those of `None` and of truth values are shared.
    #[inline]
    pub fn new_box(&mut self, ty: TypeId, slot: u64) -> Result<Ref, Fault> {
        let Some(shared) = self.shared_box(ty, slot) else { return self.new_object(ty, &[slot]) };
        if self.constants[shared].is_null() {
            self.constants[shared] = self.new_object(ty, &[slot])?;
        }
        Ok(self.constants[shared])
    }

    /// The place among the constants of the box of this scalar, if it is shared.
    #[inline]
    pub(super) fn shared_box(&self, ty: TypeId, slot: u64) -> Option<usize> {
        let first = self.constants.len() - SHARED_BOXES;
        match ty {
            types::NONE => Some(first),
            types::BOOL => Some(first + 1 + usize::from(slot != 0)),
            _ => None,
        }
    }

    /// What a value of a union holds: the type of the member, and the member's own slot.
    #[inline]
    pub fn member(&self, value: Ref) -> (TypeId, u64) {
        let ty = self.ty(value);
        match self.plan(ty) {
            Plan::Scalar => (ty, self.slot(value, 0)),
            _ => (ty, value.slot()),
        }
    }

    /// A slot of an object or tuple.
    #[inline]
    pub fn slot(&self, object: Ref, index: usize) -> u64 {
        self.slots(object)[index]
    }

    /// All slots of an object or tuple.
    #[inline]
    pub fn slots(&self, object: Ref) -> &[u64] {
        self.check(object, Kind::Slots);
        let at = self.at(object).cast::<Slots>();
        // SAFETY: H1, H3 (the count is that of the allocation), H4.
        unsafe { std::slice::from_raw_parts(Slots::start(at), (*at).header.count as usize) }
    }

    /// Replaces a slot of an object.
    #[inline]
    pub fn set_slot(&mut self, object: Ref, index: usize, value: u64) {
        self.touch(object);
        self.slots_mut(object)[index] = value;
    }

    #[inline]
    fn slots_mut(&mut self, object: Ref) -> &mut [u64] {
        self.check(object, Kind::Slots);
        let at = self.at(object).cast::<Slots>();
        // SAFETY: as in `slots`, and the heap is borrowed uniquely (H4).
        unsafe { std::slice::from_raw_parts_mut(Slots::start(at), (*at).header.count as usize) }
    }

    /// What kind an object is. It must be live.
    pub fn kind(&self, object: Ref) -> Kind {
        self.head(object).kind
    }

    /// The type of an object. It must be live.
    pub fn ty(&self, object: Ref) -> TypeId {
        self.head(object).ty
    }

    #[inline]
    pub(crate) fn head(&self, object: Ref) -> &Header {
        debug_assert!(!object.is_null(), "a reference is used before it has a value");
        // SAFETY: H1, H3, H4.
        unsafe { &*self.at(object) }
    }

    /// Notes that an object changes in this interval.
    #[inline]
    pub(super) fn touch(&mut self, object: Ref) {
        debug_assert!(!object.is_null(), "a reference is used before it has a value");
        // SAFETY: H1, H3; the unique borrow of the heap covers its objects (H4).
        let header = unsafe { &mut *self.at(object) };
        if header.mark != self.interval {
            header.mark = self.interval;
            if header.id != 0 {
                self.dirty.push(header.id);
            }
        }
    }

    /// The address of an object, which is opened if it is stored and not open (H6).
    #[inline]
    pub(super) fn at(&self, object: Ref) -> *mut Header {
        if object.is_open() { object.header() } else { self.open(object).header() }
    }

    #[inline]
    fn check(&self, object: Ref, kind: Kind) {
        debug_assert_eq!(self.kind(object), kind);
    }

    fn plan(&self, ty: TypeId) -> &Plan {
        &self.plans[ty.index()]
    }

    fn header(&self, ty: TypeId, kind: Kind) -> Header {
        debug_assert_eq!(self.plan(ty).kind(), Some(kind), "{}", self.module.types.name(ty));
        Header { mark: self.interval, id: 0, ty, count: 0, kind, colour: self.colour, visit: 0 }
    }

    fn adopt(&mut self, at: *mut Header) -> Ref {
        self.objects.push(at);
        Ref(at as u64)
    }

    fn adopt_box<T>(&mut self, object: T) -> Ref {
        self.adopt(Box::into_raw(Box::new(object)).cast())
    }

    /// Takes this many bytes into account, before they are allocated. Fails on what no collection could make room for; what
    /// a collection may make room for passes, and `collect` fails if it did not.
    #[inline]
    fn charge(&mut self, size: u64) -> Result<(), Fault> {
        if size > self.collect_at.saturating_sub(self.bytes) {
            self.charge_over(size)?;
        }
        self.bytes += size;
        Ok(())
    }

    #[cold]
    fn charge_over(&self, size: u64) -> Result<(), Fault> {
        // Before each operation the bytes are under the point of collection, hence under about the limit; one operation
        // may therefore ask for up to the limit again.
        let fits = self.bytes.checked_add(size).is_some_and(|all| all <= self.limit.saturating_mul(2));
        if size <= self.limit && fits { Ok(()) } else { Err(self.too_much(size)) }
    }

    fn discharge(&mut self, size: u64) {
        debug_assert!(self.bytes >= size, "more bytes are given back than were taken");
        self.bytes -= size;
    }

    /// Takes the growth of a part of an object into account: called with the capacity it had and has, in bytes.
    fn recharge(&mut self, before: u64, after: u64) {
        self.bytes = self.bytes + after - before;
    }

    fn too_much(&self, size: u64) -> Fault {
        let message = format!(
            "out of memory: {} bytes are in use, {size} more are asked for, and the limit is {} bytes",
            self.bytes, self.limit
        );
        Fault::new(TrapKind::Memory, message)
    }

    /// The machine itself has no memory for what was charged.
    fn refused(&mut self, size: u64) -> Fault {
        self.discharge(size);
        Fault::new(TrapKind::Memory, format!("out of memory: the machine could not give {size} bytes"))
    }
}

/// How many boxes the heap shares: of `None`, `False` and `True`.
const SHARED_BOXES: usize = 3;

/// The bytes that a struct of fixed size takes.
const fn box_size<T>() -> u64 {
    size_of::<T>() as u64
}

/// The bytes that an object with inline content takes.
fn blob_size(len: usize) -> Option<u64> {
    Blob::size(len).map(|size| size as u64)
}

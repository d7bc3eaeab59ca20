//! What an object looks like in memory: the header that all share, and the structs of the kinds of fixed size.
//!
//! Nothing here knows types of the program beyond their numbers; what a slot means is the caller's business.

use deepslate_ir::entity::TypeId;
use std::alloc::{Layout, alloc, dealloc};
use std::mem::size_of;

/// A reference: the address of an object of the isolate's heap, or null. It is what a register, slot or element of
/// reference type holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Ref(pub(super) u64);

impl Ref {
    /// No object: what a register holds before its first value.
    pub const NULL: Ref = Ref(0);

    /// The reference that a register or slot of reference type holds. The caller vouches for H1.
    #[inline]
    pub fn from_slot(slot: u64) -> Ref {
        Ref(slot)
    }

    /// What a register or slot holds.
    #[inline]
    pub fn slot(self) -> u64 {
        self.0
    }

    /// Whether there is no object.
    #[inline]
    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// A reference to a stored object that is not open: the type that the reference has, and the persistent id, not 0.
    /// Addresses are multiples of eight; this is an odd number.
    pub(crate) fn stored(ty: TypeId, id: u32) -> Ref {
        debug_assert!(ty.0 < 1 << 31, "a program has fewer than 2^31 types");
        Ref(u64::from(id) << 32 | u64::from(ty.0) << 1 | 1)
    }

    /// Whether it is an address, or null.
    #[inline]
    pub(crate) fn is_open(self) -> bool {
        self.0 & 1 == 0
    }

    /// Type and persistent id of a reference that is not open.
    pub(crate) fn stored_as(self) -> (TypeId, u32) {
        debug_assert!(!self.is_open());
        (TypeId(self.0 as u32 >> 1), (self.0 >> 32) as u32)
    }

    /// The address of an open one. The heap's `at` opens first.
    #[inline]
    pub(super) fn header(self) -> *mut Header {
        debug_assert!(self.is_open(), "H6: the object is stored and not open");
        self.0 as *mut Header
    }
}

/// What kind of struct an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A class instance, a tuple, or the box of a scalar.
    Slots,
    /// A text.
    Str,
    /// Bytes.
    Bytes,
    /// A list.
    List,
    /// A dict.
    Dict,
    /// A queue.
    Queue,
    /// A lock.
    Lock,
    /// A wait group.
    WaitGroup,
}

/// The start of every object.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Header {
    /// The number of the interval in which the object last changed.
    pub mark: u64,
    /// The name of the object in the parts of its snapshot; 0 while it is in none.
    pub id: u32,
    /// Its type.
    pub ty: TypeId,
    /// How many slots follow, where slots follow.
    pub count: u32,
    /// The struct that it is the header of.
    pub kind: Kind,
    /// The collector's mark: the number, modulo 256, of the last collection that reached it or, if it is newer, of the last one.
    pub colour: u8,
    /// The number of the last walk of the snapshot's encoder that met it; 0 if none did.
    pub visit: u16,
}

/// A class instance, tuple or box: its slots follow.
#[repr(C)]
pub(super) struct Slots {
    pub header: Header,
}

/// A `str` or `bytes`: its bytes follow.
#[repr(C)]
pub(super) struct Blob {
    pub header: Header,
    /// How many bytes follow.
    pub len: usize,
    /// How many code points a text has; the same as `len` if it is ASCII.
    pub chars: usize,
}

impl Slots {
    /// The bytes that an object of this many slots takes, if they can be counted.
    pub fn size(count: usize) -> Option<usize> {
        count.checked_mul(8)?.checked_add(size_of::<Slots>())
    }

    /// Where its slots begin.
    ///
    /// # Safety
    /// `this` is the address of a live `Slots` object (H1).
    #[inline]
    pub unsafe fn start(this: *mut Slots) -> *mut u64 {
        // SAFETY: an object of this kind is allocated with its slots right behind the struct, whose size is a multiple of 8 (H3).
        unsafe { this.add(1).cast() }
    }
}

impl Blob {
    /// The bytes that an object of this many content bytes takes, if they can be counted.
    pub fn size(len: usize) -> Option<usize> {
        len.checked_add(size_of::<Blob>())
    }

    /// Where its content begins.
    ///
    /// # Safety
    /// `this` is the address of a live `Blob` object (H1).
    #[inline]
    pub unsafe fn start(this: *mut Blob) -> *mut u8 {
        // SAFETY: an object of this kind is allocated with its content right behind the struct (H3).
        unsafe { this.add(1).cast() }
    }
}

/// Memory for an object with inline content, or null where the machine has none left. The content is not initialised.
pub(super) fn allocate(size: usize) -> *mut u8 {
    match Layout::from_size_align(size, 8) {
        // SAFETY: the size is not 0, since every object has a header.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

/// Gives back what `allocate` gave.
///
/// # Safety
/// `at` came from `allocate` with this size, and nothing uses it any more.
pub(super) unsafe fn release(at: *mut u8, size: usize) {
    let layout = Layout::from_size_align(size, 8).expect("the same size was allocated");
    // SAFETY: the caller's promise.
    unsafe { dealloc(at, layout) }
}

const _: () = {
    assert!(size_of::<Slots>().is_multiple_of(8));
    assert!(size_of::<Blob>().is_multiple_of(8));
};

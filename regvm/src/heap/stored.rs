//! Objects that are stored and not open yet: how the heap has them opened, one by one or all, and what it holds on to meanwhile.
//!
//! An isolate that wakes with a large heap and looks at little of it pays for what it looks at. While `source` is there, each slot
//! that is read may name an object that is not open, and each object opened so far is a root of collections.

use super::Heap;
use super::collect::Roots;
use super::object::Ref;
use super::plan::Plan;
use crate::snapshot::{Opened, PartWriter, SnapshotError, Unopened};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types;
use std::cell::RefCell;

impl Heap {
    /// Gives the heap what opens its stored objects.
    pub(crate) fn set_source(&mut self, source: Unopened) {
        self.source = Some(RefCell::new(Box::new(source)));
    }

    /// Whether a slot that is read may hold a reference that is not open.
    #[inline]
    pub(crate) fn has_unopened(&self) -> bool {
        self.source.is_some()
    }

    /// What was found damaged when it was opened. Nothing that the isolate did since its last commit may be kept then.
    pub(crate) fn damage(&self) -> Option<SnapshotError> {
        self.source.as_ref().and_then(|source| source.borrow().damage().cloned())
    }

    /// The address of a stored object.
    #[cold]
    #[inline(never)]
    pub(super) fn open(&self, object: Ref) -> Ref {
        let source =
            self.source.as_ref().expect("H6: only a heap with stored objects has references that are not open");
        source.borrow_mut().open(object)
    }

    /// The same object by its address.
    pub(crate) fn opened_ref(&self, object: Ref) -> Ref {
        if object.is_open() { object } else { self.open(object) }
    }

    /// The same object by its address, where that is known without opening anything.
    pub(crate) fn known(&self, object: Ref) -> Option<Ref> {
        if object.is_open() {
            return Some(object);
        }
        self.source.as_ref().and_then(|source| source.borrow().known(object.stored_as().1))
    }

    /// What a register gets for a slot of this type: if it is a reference, one to an open object.
    pub(crate) fn opened(&mut self, ty: TypeId, slot: u64) -> u64 {
        if !self.module.types.is_ref(ty) || Ref(slot).is_open() {
            return slot;
        }
        self.open(Ref(slot)).slot()
    }

    /// A slot of an object, as a register gets it.
    pub(crate) fn opened_slot(&mut self, object: Ref, index: usize) -> u64 {
        let slot = self.slot(object, index);
        let ty = match self.plan(self.ty(object)) {
            Plan::Slots { types, .. } => types[index],
            _ => return slot,
        };
        let opened = self.opened(ty, slot);
        if opened != slot {
            // The same object: nothing has changed that a commit would write.
            self.slots_mut(object)[index] = opened;
        }
        opened
    }

    /// An element of a list, as a register gets it. The index is in range.
    pub(crate) fn opened_element(&mut self, list: Ref, index: usize) -> u64 {
        let slot = self.list_items(list)[index];
        let ty = match self.plan(self.ty(list)) {
            Plan::List { element, .. } => *element,
            _ => return slot,
        };
        let opened = self.opened(ty, slot);
        if opened != slot {
            self.list_mut(list).items.as_mut_slice()[index] = opened;
        }
        opened
    }

    /// A value that was read of a dict, or an element that was taken from a queue, as a register gets it. Keys are open.
    pub(crate) fn opened_inside(&mut self, container: Ref, slot: u64) -> u64 {
        let ty = match self.plan(self.ty(container)) {
            Plan::Dict { value, .. } => *value,
            Plan::Queue { element, .. } => *element,
            _ => return slot,
        };
        self.opened(ty, slot)
    }

    /// Takes what was opened since the last call into the heap's own books.
    pub(crate) fn absorb(&mut self) {
        let Some(source) = &mut self.source else { return };
        let made = source.get_mut().made();
        let objects = std::mem::take(&mut made.objects);
        self.bytes += std::mem::take(&mut made.bytes);
        for at in &objects {
            // SAFETY: H3: the list holds live objects, which this heap owns from here on; it is borrowed uniquely (H4).
            let header = unsafe { &mut **at };
            (header.colour, header.visit) = (self.colour, 0);
            // A box that the heap shares serves from now on, if it is the first of its kind.
            if matches!(header.ty, types::NONE | types::BOOL) {
                let object = Ref(*at as u64);
                if let Some(shared) = self.shared_box(self.ty(object), self.slot(object, 0))
                    && self.constants[shared].is_null()
                {
                    self.constants[shared] = object;
                }
            }
        }
        self.objects.extend(objects);
    }

    /// The stored objects that were opened since the last call, and whether all that lives is open by now.
    pub(crate) fn take_opened(&mut self) -> (Vec<Opened>, bool) {
        self.absorb();
        let mut opened = std::mem::take(&mut self.opened_last);
        if let Some(source) = &mut self.source {
            opened.extend(source.get_mut().take_opened());
        }
        (opened, self.source.is_none())
    }

    /// Opens everything that the roots reach, puts addresses in the place of names everywhere, and lets the stored form go.
    /// Fails on damage; the isolate can't go on then.
    pub(crate) fn open_all(&mut self, roots: &dyn Fn(&mut Roots<'_>)) -> Result<(), SnapshotError> {
        if self.source.is_none() {
            return Ok(());
        }
        self.absorb();
        self.begin_visit(false);
        let mut work = self.gather(roots);
        work.extend(self.constants.iter().copied().filter(|constant| !constant.is_null()));
        let Some(mut source) = self.source.take() else { return Ok(()) };
        while let Some(object) = work.pop() {
            if self.visit(object) {
                self.patch(object, &mut |slot| {
                    let slot = Ref(slot);
                    let open = if slot.is_open() { slot } else { source.get_mut().open(slot) };
                    work.push(open);
                    open.slot()
                });
            }
        }
        let damage = source.get_mut().damage().cloned();
        self.source = Some(source);
        self.absorb();
        if let Some(damage) = damage {
            return Err(damage);
        }
        let source = self.source.take();
        self.opened_last.extend(source.into_iter().flat_map(|mut source| source.get_mut().take_opened()));
        Ok(())
    }

    /// See `Unopened::pass_on`.
    pub(crate) fn pass_on(&mut self, since: u64, number: u64, out: &mut PartWriter) {
        if let Some(source) = &mut self.source {
            source.get_mut().pass_on(since, number, out);
        }
    }

    /// How many bytes the stored form takes in memory that is kept for what is not open.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.source.as_ref().map_or(0, |source| source.borrow().stored_bytes())
    }

    /// Every object that was opened and must keep its place.
    pub(super) fn kept(&self) -> Vec<Ref> {
        self.source.as_ref().map_or_else(Vec::new, |source| source.borrow().all_opened().collect())
    }
}

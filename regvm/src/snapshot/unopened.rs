//! The stored objects of an isolate in memory of which not all are open: they are opened one by one as the isolate reaches them, and
//! passed on as they are where a part that holds them is replaced.

use super::index::Index;
use super::open::{Maker, Opened};
use super::v1::PartWriter;
use super::{SnapshotError, open};
use crate::heap::{Heap, Ref};

/// What opens the stored objects of one isolate.
pub(crate) struct Unopened {
    index: Index,
    maker: Maker,
    damage: Option<SnapshotError>,
}

impl Unopened {
    pub(super) fn new(index: Index, maker: Maker) -> Unopened {
        Unopened { index, maker, damage: None }
    }

    /// The object that a reference names. One that is damaged is remembered as such, and a blank one stands in for it.
    pub(crate) fn open(&mut self, object: Ref) -> Ref {
        let (ty, id) = object.stored_as();
        if id == open::BLANK {
            return self.maker.blank(ty);
        }
        match self.maker.open(&self.index, ty, id) {
            Ok(object) => object,
            Err(error) => {
                self.damage.get_or_insert(error);
                self.maker.blank(ty)
            }
        }
    }

    /// Where the object with this persistent id is, if it is open.
    pub(crate) fn known(&self, id: u32) -> Option<Ref> {
        self.maker.places.get(&id).copied()
    }

    /// The first damage that was found.
    pub(crate) fn damage(&self) -> Option<&SnapshotError> {
        self.damage.as_ref()
    }

    /// Every object that was opened.
    pub(crate) fn all_opened(&self) -> impl Iterator<Item = Ref> + '_ {
        self.maker.places.values().copied()
    }

    /// What was opened since the last call.
    pub(crate) fn take_opened(&mut self) -> Vec<Opened> {
        std::mem::take(&mut self.maker.opened)
    }

    /// The heap in which objects are made, to be taken out of it.
    pub(crate) fn made(&mut self) -> &mut Heap {
        &mut self.maker.heap
    }

    /// How many bytes the objects take that were not taken out yet.
    pub(crate) fn made_bytes(&self) -> u64 {
        self.maker.heap.bytes()
    }

    /// How many bytes the stored form takes.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.index.headers().map(|(_, bytes)| bytes).sum()
    }

    /// Copies what is not open, of all parts after commit `since`, to the part with this number, which takes their place.
    pub(crate) fn pass_on(&mut self, since: u64, number: u64, out: &mut PartWriter) {
        let places = &self.maker.places;
        if let Err(error) = self.index.pass_on(since, number, &|id| places.contains_key(&id), out) {
            self.damage.get_or_insert(error);
        }
    }
}

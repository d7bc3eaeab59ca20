//! What a builtin's body may do with the machine that runs it: the evaluator (checked, slow) or the VM (its heap).
//!
//! Values are slots of 64 bits: an int as it is, a float by its bits, a bool as 0 or 1, `None` as 0, everything else as the
//! machine's own reference, which only the machine can follow. No collection runs inside a body, so references stay good
//! until it returns.

use crate::entity::TypeId;
use crate::trap::Fault;
use crate::types::Types;

/// The types at one call of a builtin.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The type of each argument.
    pub args: &'a [TypeId],
    /// The type of the result.
    pub ret: TypeId,
}

/// A machine that can run builtins. Every method that takes a reference requires one to an object of the kind in the
/// method's name; the verifier's types guarantee it. Methods that make or grow an object fail over the memory limit.
pub trait Machine {
    /// The types of the running program.
    fn types(&self) -> &Types;

    /// How many more bytes may be allocated before the memory limit strikes, about. Bodies ask before they build something
    /// big on the host's side.
    fn room(&self) -> usize {
        256 << 20
    }

    /// The text of a `str`.
    fn str(&self, text: u64) -> &str;
    /// How many code points a `str` has. A machine that stores it should say it without a look at the text.
    fn str_len(&self, text: u64) -> usize {
        self.str(text).chars().count()
    }
    /// Whether a `str` is ASCII only, so that code points are bytes. As for `str_len`.
    fn str_is_ascii(&self, text: u64) -> bool {
        self.str(text).is_ascii()
    }
    /// A new `str`.
    fn new_str(&mut self, text: &str) -> Result<u64, Fault>;
    /// The content of a `bytes`.
    fn bytes(&self, bytes: u64) -> &[u8];
    /// A new `bytes`.
    fn new_bytes(&mut self, bytes: &[u8]) -> Result<u64, Fault>;

    /// A new list of this list type with these elements.
    fn new_list(&mut self, ty: TypeId, elements: &[u64]) -> Result<u64, Fault>;
    /// How many elements.
    fn list_len(&self, list: u64) -> usize;
    /// The element at an index that is in range.
    fn list_get(&self, list: u64, index: usize) -> u64;
    /// A copy of the elements. A machine whose lists are arrays of slots should copy them in one go.
    fn list_slots(&self, list: u64) -> Vec<u64> {
        (0..self.list_len(list)).map(|index| self.list_get(list, index)).collect()
    }
    /// Replaces the element at an index that is in range.
    fn list_set(&mut self, list: u64, index: usize, element: u64);
    /// Replaces `range` (in bounds) by these elements, as `Vec::splice` does.
    fn list_splice(&mut self, list: u64, range: std::ops::Range<usize>, with: &[u64]) -> Result<(), Fault>;

    // A loop over a dict stands at a position, so that where entries stand after others went and came can be seen in its body. It is
    // the same in all machines: an entry is put at the end and keeps its position until gaps are closed, which happens where
    // `structural::closes_gaps_to_grow` and `closes_gaps_to_shrink` say so; gaps at the end go at once.

    /// A new empty dict of this dict type.
    fn new_dict(&mut self, ty: TypeId) -> Result<u64, Fault>;
    /// How many entries.
    fn dict_len(&self, dict: u64) -> usize;
    /// The position of the entry with this key.
    fn dict_find(&self, dict: u64, key: u64) -> Option<usize>;
    /// The position of the first entry at or after this position, in order of insertion.
    fn dict_next(&self, dict: u64, position: usize) -> Option<usize>;
    /// The position of the last entry. A machine that can tell it without a walk should.
    fn dict_last(&self, dict: u64) -> Option<usize> {
        let (mut last, mut from) = (None, 0);
        while let Some(position) = self.dict_next(dict, from) {
            (last, from) = (Some(position), position + 1);
        }
        last
    }
    /// Key and value of the entry at a position that has one.
    fn dict_entry(&self, dict: u64, position: usize) -> (u64, u64);
    /// Puts a value under a key.
    fn dict_set(&mut self, dict: u64, key: u64, value: u64) -> Result<(), Fault>;
    /// Removes the entry with this key and gives its value.
    fn dict_remove(&mut self, dict: u64, key: u64) -> Option<u64>;
    /// Removes all entries.
    fn dict_clear(&mut self, dict: u64);

    /// A new object or tuple of this type with these slots.
    fn new_object(&mut self, ty: TypeId, slots: &[u64]) -> Result<u64, Fault>;
    /// A slot of an object or tuple.
    fn slot(&self, object: u64, index: usize) -> u64;
    /// The box of a scalar: what a union that holds it refers to.
    fn new_box(&mut self, ty: TypeId, slot: u64) -> Result<u64, Fault>;
    /// What a value of a union type holds: the type of the member, and the member's own slot.
    fn member(&self, value: u64) -> (TypeId, u64);
    /// What is the same for two references exactly where they are to the same object: the slot itself, but on a machine that
    /// has more than one name for an object.
    fn identity(&self, reference: u64) -> u64 {
        reference
    }
    /// How many elements a queue holds.
    fn queue_len(&self, queue: u64) -> usize;

    /// Appends a line to the isolate's log.
    fn log(&mut self, line: &str);
}

/// A value as its own type has it: of a union, the member that it holds.
pub fn unwrapped(m: &dyn Machine, ty: TypeId, slot: u64) -> (TypeId, u64) {
    match m.types().members(ty) {
        Some(_) => m.member(slot),
        None => (ty, slot),
    }
}

/// A value of type `ty` as a value of a union that includes it.
pub fn widened(m: &mut dyn Machine, ty: TypeId, slot: u64) -> Result<u64, Fault> {
    if m.types().is_ref(ty) { Ok(slot) } else { m.new_box(ty, slot) }
}

//! The heap as the machine that builtins, comparisons and values from outside work on.
//!
//! The references that they pass are those that the heap gave them, or that the program's registers hold (H1 of the heap).

use crate::heap::{Heap, Ref};
use deepslate_ir::builtins::Machine;
use deepslate_ir::entity::TypeId;
use deepslate_ir::trap::Fault;
use deepslate_ir::types::Types;
use std::ops::Range;

impl Machine for Heap {
    fn types(&self) -> &Types {
        &self.module().types
    }

    fn room(&self) -> usize {
        usize::try_from(Heap::room(self)).unwrap_or(usize::MAX)
    }

    fn str(&self, text: u64) -> &str {
        Heap::str(self, Ref::from_slot(text))
    }

    fn str_len(&self, text: u64) -> usize {
        Heap::str_len(self, Ref::from_slot(text))
    }

    fn str_is_ascii(&self, text: u64) -> bool {
        Heap::str_is_ascii(self, Ref::from_slot(text))
    }

    fn new_str(&mut self, text: &str) -> Result<u64, Fault> {
        Heap::new_str(self, text).map(Ref::slot)
    }

    fn bytes(&self, bytes: u64) -> &[u8] {
        self.bytes_of(Ref::from_slot(bytes))
    }

    fn new_bytes(&mut self, bytes: &[u8]) -> Result<u64, Fault> {
        Heap::new_bytes(self, bytes).map(Ref::slot)
    }

    fn new_list(&mut self, ty: TypeId, elements: &[u64]) -> Result<u64, Fault> {
        Heap::new_list(self, ty, elements).map(Ref::slot)
    }

    fn list_len(&self, list: u64) -> usize {
        Heap::list_len(self, Ref::from_slot(list))
    }

    fn list_get(&self, list: u64, index: usize) -> u64 {
        Heap::list_get(self, Ref::from_slot(list), index).expect("the index is in range, as the trait asks")
    }

    fn list_slots(&self, list: u64) -> Vec<u64> {
        self.list_items(Ref::from_slot(list)).to_vec()
    }

    fn list_set(&mut self, list: u64, index: usize, element: u64) {
        let set = Heap::list_set(self, Ref::from_slot(list), index, element);
        assert!(set, "the index is in range, as the trait asks");
    }

    fn list_splice(&mut self, list: u64, range: Range<usize>, with: &[u64]) -> Result<(), Fault> {
        Heap::list_splice(self, Ref::from_slot(list), range, with)
    }

    fn new_dict(&mut self, ty: TypeId) -> Result<u64, Fault> {
        Heap::new_dict(self, ty).map(Ref::slot)
    }

    fn dict_len(&self, dict: u64) -> usize {
        Heap::dict_len(self, Ref::from_slot(dict))
    }

    fn dict_find(&self, dict: u64, key: u64) -> Option<usize> {
        Heap::dict_find(self, Ref::from_slot(dict), key)
    }

    fn dict_next(&self, dict: u64, position: usize) -> Option<usize> {
        Heap::dict_next(self, Ref::from_slot(dict), position)
    }

    fn dict_last(&self, dict: u64) -> Option<usize> {
        Heap::dict_last(self, Ref::from_slot(dict))
    }

    fn dict_entry(&self, dict: u64, position: usize) -> (u64, u64) {
        Heap::dict_entry(self, Ref::from_slot(dict), position).expect("an entry is there, as the trait asks")
    }

    fn dict_set(&mut self, dict: u64, key: u64, value: u64) -> Result<(), Fault> {
        Heap::dict_set(self, Ref::from_slot(dict), key, value)
    }

    fn dict_remove(&mut self, dict: u64, key: u64) -> Option<u64> {
        Heap::dict_remove(self, Ref::from_slot(dict), key)
    }

    fn dict_clear(&mut self, dict: u64) {
        Heap::dict_clear(self, Ref::from_slot(dict));
    }

    fn new_object(&mut self, ty: TypeId, slots: &[u64]) -> Result<u64, Fault> {
        Heap::new_object(self, ty, slots).map(Ref::slot)
    }

    fn slot(&self, object: u64, index: usize) -> u64 {
        Heap::slot(self, Ref::from_slot(object), index)
    }

    fn new_box(&mut self, ty: TypeId, slot: u64) -> Result<u64, Fault> {
        Heap::new_box(self, ty, slot).map(Ref::slot)
    }

    fn member(&self, value: u64) -> (TypeId, u64) {
        Heap::member(self, Ref::from_slot(value))
    }

    fn identity(&self, reference: u64) -> u64 {
        self.opened_ref(Ref::from_slot(reference)).slot()
    }

    fn queue_len(&self, queue: u64) -> usize {
        Heap::queue_len(self, Ref::from_slot(queue))
    }

    fn log(&mut self, line: &str) {
        self.push_log(line.to_owned());
    }
}

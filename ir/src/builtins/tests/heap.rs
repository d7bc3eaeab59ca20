//! A heap for tests: plain vectors, nothing freed.

use crate::builtins::Machine;
use crate::entity::TypeId;
use crate::structural;
use crate::trap::Fault;
use crate::types::{Type, Types};
use std::ops::Range;

#[derive(Debug)]
enum Object {
    Str(String),
    Bytes(Vec<u8>),
    Slots(Vec<u64>),
    Dict(TypeId, Vec<Option<(u64, u64)>>),
}

/// References are indices plus one.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    pub(crate) types: Types,
    objects: Vec<Object>,
    pub(crate) lines: Vec<String>,
}

impl Heap {
    fn add(&mut self, object: Object) -> Result<u64, Fault> {
        self.objects.push(object);
        Ok(self.objects.len() as u64)
    }

    pub(crate) fn object_count(&self) -> usize {
        self.objects.len()
    }

    fn slots(&self, reference: u64) -> &Vec<u64> {
        match &self.objects[reference as usize - 1] {
            Object::Slots(slots) => slots,
            other => panic!("{other:?} has no slots"),
        }
    }

    fn slots_mut(&mut self, reference: u64) -> &mut Vec<u64> {
        match &mut self.objects[reference as usize - 1] {
            Object::Slots(slots) => slots,
            other => panic!("{other:?} has no slots"),
        }
    }

    fn entries(&self, dict: u64) -> &Vec<Option<(u64, u64)>> {
        match &self.objects[dict as usize - 1] {
            Object::Dict(_, entries) => entries,
            other => panic!("{other:?} is no dict"),
        }
    }

    fn entries_mut(&mut self, dict: u64) -> &mut Vec<Option<(u64, u64)>> {
        match &mut self.objects[dict as usize - 1] {
            Object::Dict(_, entries) => entries,
            other => panic!("{other:?} is no dict"),
        }
    }
}

impl Machine for Heap {
    fn types(&self) -> &Types {
        &self.types
    }

    fn room(&self) -> usize {
        1 << 20
    }

    fn str(&self, text: u64) -> &str {
        match &self.objects[text as usize - 1] {
            Object::Str(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    fn new_str(&mut self, text: &str) -> Result<u64, Fault> {
        self.add(Object::Str(text.to_owned()))
    }

    fn bytes(&self, bytes: u64) -> &[u8] {
        match &self.objects[bytes as usize - 1] {
            Object::Bytes(bytes) => bytes,
            other => panic!("{other:?} is no bytes"),
        }
    }

    fn new_bytes(&mut self, bytes: &[u8]) -> Result<u64, Fault> {
        self.add(Object::Bytes(bytes.to_vec()))
    }

    fn new_list(&mut self, ty: TypeId, elements: &[u64]) -> Result<u64, Fault> {
        assert!(matches!(self.types.get(ty), Type::List(_) | Type::TupleOf(_)));
        self.add(Object::Slots(elements.to_vec()))
    }

    fn list_len(&self, list: u64) -> usize {
        self.slots(list).len()
    }

    fn list_get(&self, list: u64, index: usize) -> u64 {
        self.slots(list)[index]
    }

    fn list_set(&mut self, list: u64, index: usize, element: u64) {
        self.slots_mut(list)[index] = element;
    }

    fn list_splice(&mut self, list: u64, range: Range<usize>, with: &[u64]) -> Result<(), Fault> {
        self.slots_mut(list).splice(range, with.iter().copied());
        Ok(())
    }

    fn new_dict(&mut self, ty: TypeId) -> Result<u64, Fault> {
        assert!(matches!(self.types.get(ty), Type::Dict(..) | Type::Set(_) | Type::FrozenSet(_)));
        self.add(Object::Dict(ty, Vec::new()))
    }

    fn dict_len(&self, dict: u64) -> usize {
        self.entries(dict).iter().flatten().count()
    }

    fn dict_find(&self, dict: u64, key: u64) -> Option<usize> {
        let Object::Dict(ty, entries) = &self.objects[dict as usize - 1] else { panic!("no dict") };
        let (Type::Dict(key_ty, _) | Type::Set(key_ty) | Type::FrozenSet(key_ty)) = self.types.get(*ty) else {
            panic!("no dict type")
        };
        entries.iter().position(|entry| {
            let Some((other, _)) = entry else { return false };
            let equal = structural::eq(self, *key_ty, *other, key).expect("keys can be compared");
            if equal {
                let hashes = [*other, key].map(|k| structural::hash(self, *key_ty, k).expect("keys can be hashed"));
                assert_eq!(hashes[0], hashes[1], "equal keys have equal hashes");
            }
            equal
        })
    }

    fn dict_next(&self, dict: u64, position: usize) -> Option<usize> {
        (position..self.entries(dict).len()).find(|at| self.entries(dict)[*at].is_some())
    }

    fn dict_entry(&self, dict: u64, position: usize) -> (u64, u64) {
        self.entries(dict)[position].expect("a position with an entry")
    }

    fn dict_set(&mut self, dict: u64, key: u64, value: u64) -> Result<(), Fault> {
        match self.dict_find(dict, key) {
            Some(at) => {
                let (old, _) = self.dict_entry(dict, at);
                self.entries_mut(dict)[at] = Some((old, value));
            }
            None => self.entries_mut(dict).push(Some((key, value))),
        }
        Ok(())
    }

    fn dict_remove(&mut self, dict: u64, key: u64) -> Option<u64> {
        let at = self.dict_find(dict, key)?;
        self.entries_mut(dict)[at].take().map(|(_, value)| value)
    }

    fn dict_clear(&mut self, dict: u64) {
        self.entries_mut(dict).clear();
    }

    fn new_object(&mut self, ty: TypeId, slots: &[u64]) -> Result<u64, Fault> {
        assert_eq!(self.types.slots(ty).map(|s| s.len()), Some(slots.len()));
        self.add(Object::Slots(slots.to_vec()))
    }

    fn slot(&self, object: u64, index: usize) -> u64 {
        self.slots(object)[index]
    }

    fn new_box(&mut self, ty: TypeId, slot: u64) -> Result<u64, Fault> {
        self.new_object(ty, &[slot])
    }

    fn member(&self, _: u64) -> (TypeId, u64) {
        unreachable!("no case has a union")
    }

    fn queue_len(&self, _: u64) -> usize {
        panic!("tests here have no queues")
    }

    fn log(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }
}

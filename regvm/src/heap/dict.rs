//! Dicts: entries in the order of insertion, and an index from hash to position that is never stored. A removed entry
//! leaves a gap, so that positions stay while a loop stands at one; gaps are closed when a key is added or removed.

use super::list::{cut_marks, mark_chunks};
use super::object::{Header, Kind, Ref};
use super::walk::CHUNK_ENTRIES;
use super::{Heap, box_size};
use deepslate_ir::entity::TypeId;
use deepslate_ir::structural;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_ir::types::{self, Type};
use hashbrown::HashTable;

/// The hash of each entry has this bit, so that 0 stands for a gap.
const LIVE: u64 = 1 << 63;

/// An entry, or a gap.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Entry {
    hash: u64,
    pub key: u64,
    pub value: u64,
}

impl Entry {
    pub fn is_live(&self) -> bool {
        self.hash != 0
    }
}

/// A dict.
#[repr(C)]
pub(crate) struct Dict {
    pub header: Header,
    pub entries: Vec<Entry>,
    /// How many entries are not gaps.
    pub live: usize,
    /// Every entry before this position is a gap.
    first: usize,
    index: HashTable<u32>,
    /// For each chunk of `CHUNK_ENTRIES` positions the interval in which it last changed; empty while there is one at most.
    pub marks: Vec<u64>,
}

impl Dict {
    pub fn size(&self) -> u64 {
        box_size::<Dict>() + (self.entries.capacity() * size_of::<Entry>() + self.index.allocation_size()) as u64
    }
}

impl Heap {
    /// A new empty dict of this dict type.
    pub fn new_dict(&mut self, ty: TypeId) -> Result<Ref, Fault> {
        self.charge(box_size::<Dict>())?;
        let header = self.header(ty, Kind::Dict);
        let (entries, index, marks) = (Vec::new(), HashTable::new(), Vec::new());
        Ok(self.adopt_box(Dict { header, entries, live: 0, first: 0, index, marks }))
    }

    /// How many entries a dict has.
    #[inline]
    pub fn dict_len(&self, dict: Ref) -> usize {
        self.dict(dict).live
    }

    /// The position of the entry with this key.
    pub fn dict_find(&self, dict: Ref, key: u64) -> Option<usize> {
        let object = self.dict(dict);
        if object.live == 0 {
            return None;
        }
        let ty = self.dict_key_type(dict);
        self.dict_find_hashed(dict, ty, key, self.key_hash(ty, key))
    }

    /// The value under this key.
    pub fn dict_get(&self, dict: Ref, key: u64) -> Option<u64> {
        self.dict_find(dict, key).map(|at| self.dict(dict).entries[at].value)
    }

    /// The position of the first entry at or after this position, in the order of insertion.
    pub fn dict_next(&self, dict: Ref, position: usize) -> Option<usize> {
        let object = self.dict(dict);
        let from = position.max(object.first);
        let rest = object.entries.get(from..)?;
        rest.iter().position(Entry::is_live).map(|skipped| from + skipped)
    }

    /// The position of the last entry.
    pub fn dict_last(&self, dict: Ref) -> Option<usize> {
        // Gaps at the end are closed at once, so this is no walk.
        self.dict(dict).entries.iter().rposition(Entry::is_live)
    }

    /// Key and value of the entry at a position, if one is there.
    pub fn dict_entry(&self, dict: Ref, position: usize) -> Option<(u64, u64)> {
        let entry = self.dict(dict).entries.get(position)?;
        entry.is_live().then_some((entry.key, entry.value))
    }

    /// Puts a value under a key. An entry that is there keeps its position and its key.
    pub fn dict_set(&mut self, dict: Ref, key: u64, value: u64) -> Result<(), Fault> {
        let ty = self.dict_key_type(dict);
        let hash = self.key_hash(ty, key);
        if let Some(at) = self.dict_find_hashed(dict, ty, key, hash) {
            self.dict_set_value(dict, at, value);
            return Ok(());
        }
        self.dict_reserve(dict)?;
        self.touch(dict);
        let interval = self.interval;
        let object = self.dict_mut(dict);
        let at = object.entries.len();
        object.entries.push(Entry { hash, key, value });
        object.live += 1;
        let position = u32::try_from(at).expect("room for a dict is given up to 2^32 entries");
        let entries = &object.entries;
        object.index.insert_unique(hash, position, |p| entries[*p as usize].hash);
        if at >= CHUNK_ENTRIES {
            mark_chunks(&mut object.marks, at, at + 1, CHUNK_ENTRIES, interval);
        }
        Ok(())
    }

    /// Replaces the value of the entry at a position that has one.
    pub fn dict_set_value(&mut self, dict: Ref, position: usize, value: u64) {
        self.touch(dict);
        let interval = self.interval;
        let object = self.dict_mut(dict);
        debug_assert!(object.entries[position].is_live());
        object.entries[position].value = value;
        if let Some(mark) = object.marks.get_mut(position / CHUNK_ENTRIES) {
            *mark = interval;
        }
    }

    /// Removes the entry with this key and gives its value.
    pub fn dict_remove(&mut self, dict: Ref, key: u64) -> Option<u64> {
        let at = self.dict_find(dict, key)?;
        self.touch(dict);
        let interval = self.interval;
        let object = self.dict_mut(dict);
        let entry = std::mem::take(&mut object.entries[at]);
        let position = u32::try_from(at).expect("positions of a dict are under 2^32");
        if let Ok(found) = object.index.find_entry(entry.hash, |p| *p == position) {
            found.remove();
        }
        object.live -= 1;
        if let Some(mark) = object.marks.get_mut(at / CHUNK_ENTRIES) {
            *mark = interval;
        }
        if at == object.first {
            object.first += 1;
        }
        // Gaps at the end go at once, so that a dict used as a stack has none.
        while object.entries.last().is_some_and(|e| !e.is_live()) {
            object.entries.pop();
        }
        object.first = object.first.min(object.entries.len());
        let len = object.entries.len();
        cut_marks(&mut object.marks, len, CHUNK_ENTRIES);
        if let Some(last) = object.marks.last_mut().filter(|_| len <= at) {
            // It has become shorter.
            *last = interval;
        }
        if structural::closes_gaps_to_shrink(len, object.live) {
            self.dict_close_gaps(dict);
        }
        Some(entry.value)
    }

    /// Removes all entries.
    pub fn dict_clear(&mut self, dict: Ref) {
        self.touch(dict);
        let object = self.dict_mut(dict);
        let before = object.size();
        object.entries = Vec::new();
        object.index = HashTable::new();
        object.marks = Vec::new();
        (object.live, object.first) = (0, 0);
        let after = object.size();
        self.recharge(before, after);
    }

    /// Makes room for one more entry: by closing gaps where there are many, else by growing.
    fn dict_reserve(&mut self, dict: Ref) -> Result<(), Fault> {
        let object = self.dict(dict);
        let len = object.entries.len();
        // By what is stored only, never by capacity.
        if structural::closes_gaps_to_grow(len, object.live) {
            self.dict_close_gaps(dict);
        }
        let object = self.dict(dict);
        let (len, capacity) = (object.entries.len(), object.entries.capacity());
        let index_full = object.index.len() == object.index.capacity();
        if len < capacity && !index_full {
            return Ok(());
        }
        if len >= u32::MAX as usize {
            return Err(Fault::new(TrapKind::Memory, "out of memory: a dict holds fewer than 2^32 entries"));
        }
        let new = if len < capacity { capacity } else { (capacity + capacity / 2).max(4) };
        // The index takes 5 bytes for each of up to 16/7 times as many places; what it really took is put right below.
        let guess = (new - capacity) * size_of::<Entry>() + if index_full { (new + 1) * 5 * 16 / 7 } else { 0 };
        self.charge(guess as u64)?;
        let object = self.dict_mut(dict);
        let before = object.size();
        let entries = &object.entries;
        let hashed = object.index.try_reserve(new - object.index.len(), |p| entries[*p as usize].hash).is_ok();
        let grown = hashed && object.entries.try_reserve_exact(new - len).is_ok();
        let after = object.size();
        self.discharge(guess as u64);
        self.recharge(before, after);
        if grown {
            Ok(())
        } else {
            Err(Fault::new(TrapKind::Memory, "out of memory: the machine could not grow a dict"))
        }
    }

    /// Moves entries into the gaps before them.
    fn dict_close_gaps(&mut self, dict: Ref) {
        let interval = self.interval;
        self.touch(dict);
        let object = self.dict_mut(dict);
        let before = object.size();
        let first_gap = object.entries.iter().position(|e| !e.is_live()).unwrap_or(object.entries.len());
        object.entries.retain(Entry::is_live);
        object.entries.shrink_to(object.entries.len() * 2);
        object.first = 0;
        object.index.clear();
        let entries = &object.entries;
        object.index.shrink_to(entries.len() * 2, |p| entries[*p as usize].hash);
        for (at, entry) in object.entries.iter().enumerate() {
            let position = u32::try_from(at).expect("positions of a dict are under 2^32");
            object.index.insert_unique(entry.hash, position, |p| entries[*p as usize].hash);
        }
        let len = object.entries.len();
        mark_chunks(&mut object.marks, first_gap.min(len), len, CHUNK_ENTRIES, interval);
        cut_marks(&mut object.marks, len, CHUNK_ENTRIES);
        let after = object.size();
        self.recharge(before, after);
    }

    /// Makes the index of a dict whose entries were put in place one by one with `dict_push_raw`. Fails on equal keys.
    pub(super) fn dict_build_index(&mut self, dict: Ref) -> Result<(), &'static str> {
        let ty = self.dict_key_type(dict);
        let len = self.dict(dict).entries.len();
        let before = self.dict(dict).size();
        if self.dict_mut(dict).index.try_reserve(len, |_| 0).is_err() {
            return Err("is too large for this machine's memory");
        }
        let after = self.dict(dict).size();
        self.recharge(before, after);
        for at in 0..len {
            let entry = self.dict(dict).entries[at];
            if !entry.is_live() {
                continue;
            }
            let hash = self.key_hash(ty, entry.key);
            if self.dict_find_hashed(dict, ty, entry.key, hash).is_some() {
                return Err("has the same key twice");
            }
            let position = u32::try_from(at).map_err(|_| "has too many entries")?;
            let object = self.dict_mut(dict);
            object.entries[at].hash = hash;
            let entries = &object.entries;
            object.index.insert_unique(hash, position, |p| entries[*p as usize].hash);
        }
        Ok(())
    }

    /// Puts entries (or gaps) in place without an index; `dict_build_index` completes it.
    pub(super) fn dict_fill(&mut self, dict: Ref, entries: impl ExactSizeIterator<Item = Option<(u64, u64)>>) -> bool {
        let object = self.dict_mut(dict);
        let before = object.size();
        if object.entries.try_reserve_exact(entries.len()).is_err() {
            return false;
        }
        for entry in entries {
            object.live += usize::from(entry.is_some());
            object.entries.push(match entry {
                Some((key, value)) => Entry { hash: LIVE, key, value },
                None => Entry::default(),
            });
        }
        let after = object.size();
        self.recharge(before, after);
        true
    }

    fn dict_find_hashed(&self, dict: Ref, ty: TypeId, key: u64, hash: u64) -> Option<usize> {
        let object = self.dict(dict);
        let found = object.index.find(hash, |p| {
            let entry = &object.entries[*p as usize];
            entry.hash == hash && self.keys_equal(ty, entry.key, key)
        });
        found.map(|p| *p as usize)
    }

    fn dict_key_type(&self, dict: Ref) -> TypeId {
        match self.plan(self.ty(dict)) {
            super::plan::Plan::Dict { key, .. } => *key,
            _ => unreachable!("H1: the object is a dict"),
        }
    }

    fn key_hash(&self, ty: TypeId, key: u64) -> u64 {
        let hash = match ty {
            types::INT | types::BOOL => structural::hash_int(key as i64),
            types::STR => structural::hash_bytes(self.str(Ref(key)).as_bytes()),
            types::BYTES => structural::hash_bytes(self.bytes_of(Ref(key))),
            _ => structural::hash(self, ty, key).expect("keys of dicts are hashable (I8)"),
        };
        hash | LIVE
    }

    fn keys_equal(&self, ty: TypeId, a: u64, b: u64) -> bool {
        match self.module.types.get(ty) {
            Type::Int | Type::Bool | Type::None => a == b,
            Type::Str => a == b || self.str(Ref(a)) == self.str(Ref(b)),
            Type::Bytes => a == b || self.bytes_of(Ref(a)) == self.bytes_of(Ref(b)),
            _ => structural::eq(self, ty, a, b).expect("types of keys bound their nesting (I8)"),
        }
    }

    #[inline]
    pub(super) fn dict(&self, dict: Ref) -> &Dict {
        self.check(dict, Kind::Dict);
        // SAFETY: H1, H3, H4.
        unsafe { &*self.at(dict).cast::<Dict>() }
    }

    #[inline]
    pub(super) fn dict_mut(&mut self, dict: Ref) -> &mut Dict {
        self.check(dict, Kind::Dict);
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        unsafe { &mut *self.at(dict).cast::<Dict>() }
    }
}

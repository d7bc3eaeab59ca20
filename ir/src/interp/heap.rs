//! The evaluator's objects: a table that only grows, each object with its type. A reference is an index into the table plus
//! one, so that 0 is never one. Nothing is collected: runs are bounded by their budget of steps.

use crate::builtins::Machine;
use crate::entity::TypeId;
use crate::module::Module;
use crate::structural;
use crate::trap::{Fault, TrapKind};
use crate::types::{self, Type, Types};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// An object with its type.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) ty: TypeId,
    pub(super) content: Content,
}

/// A task in a line, and the case of its select that stands there, if it waits in one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waiter {
    pub(super) task: usize,
    pub(super) case: Option<usize>,
}

/// What an object holds.
#[derive(Debug)]
pub(super) enum Content {
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<u64>),
    Dict(Dict),
    Slots(Vec<u64>),
    Queue(Queue),
    Lock { held: bool, line: VecDeque<usize> },
    Group { count: i64, line: Vec<usize> },
}

/// Entries in order of insertion. A removed one leaves a hole, so that positions stay until holes are closed.
#[derive(Debug, Default)]
pub(super) struct Dict {
    entries: Vec<Option<(u64, u64)>>,
    index: HashMap<u64, Vec<usize>>,
    count: usize,
}

impl Dict {
    /// Moves entries into the holes before them.
    fn close_holes(&mut self) {
        let mut positions = vec![0; self.entries.len()];
        let mut next = 0;
        for (at, entry) in self.entries.iter().enumerate() {
            positions[at] = next;
            next += usize::from(entry.is_some());
        }
        self.entries.retain(Option::is_some);
        for at in self.index.values_mut().flatten() {
            *at = positions[*at];
        }
    }
}

/// Elements, oldest first, and who waits, first come first served; who waits to put with the element.
#[derive(Debug)]
pub(super) struct Queue {
    /// Any number if negative.
    pub(super) capacity: i64,
    pub(super) closed: bool,
    /// When the time puts its element in; only of a queue of `after` that has not fired.
    pub(super) due_ms: Option<i64>,
    /// Whether it is a queue of `after`.
    pub(super) timer: bool,
    pub(super) elements: VecDeque<u64>,
    pub(super) getters: VecDeque<Waiter>,
    pub(super) putters: VecDeque<(Waiter, u64)>,
}

impl Queue {
    pub(super) fn new(capacity: i64) -> Queue {
        let (elements, getters, putters) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Queue { capacity, closed: false, due_ms: None, timer: false, elements, getters, putters }
    }

    pub(super) fn has_room(&self) -> bool {
        u64::try_from(self.capacity).map_or(true, |c| (self.elements.len() as u64) < c)
    }
}

#[derive(Debug)]
pub(super) struct Heap {
    module: Arc<Module>,
    objects: Vec<Object>,
    bytes: usize,
    bytes_max: usize,
    pub(super) log: Vec<String>,
}

impl Heap {
    pub(super) fn new(module: Arc<Module>, bytes_max: usize) -> Heap {
        Heap { module, objects: Vec::new(), bytes: 0, bytes_max, log: Vec::new() }
    }

    /// Counts bytes towards the limit. They are counted for good: this is a bound of runs, not the VM's limit.
    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bytes_max {
            let limit = self.bytes_max;
            return Err(Fault::new(TrapKind::Memory, format!("the run took more than {limit} bytes of memory")));
        }
        Ok(())
    }

    pub(super) fn add(&mut self, ty: TypeId, content: Content) -> Result<u64, Fault> {
        let inside = match &content {
            Content::Str(text) => text.len(),
            Content::Bytes(bytes) => bytes.len(),
            Content::List(slots) | Content::Slots(slots) => slots.len() * 8,
            Content::Dict(_) | Content::Queue(_) | Content::Lock { .. } | Content::Group { .. } => 64,
        };
        self.spend(32 + inside)?;
        self.objects.push(Object { ty, content });
        Ok(self.objects.len() as u64)
    }

    /// The object that a reference names, if it names one.
    pub(super) fn find(&self, reference: u64) -> Option<&Object> {
        let index = usize::try_from(reference).ok()?.checked_sub(1)?;
        self.objects.get(index)
    }

    /// The object of a reference that has been checked: each operand's type is compared with its object's before its use.
    fn object(&self, reference: u64) -> &Object {
        self.find(reference).expect("a checked reference names an object")
    }

    fn content_mut(&mut self, reference: u64) -> &mut Content {
        let index = usize::try_from(reference).ok().and_then(|r| r.checked_sub(1));
        let object = index.and_then(|i| self.objects.get_mut(i)).expect("a checked reference names an object");
        &mut object.content
    }

    fn list(&self, list: u64) -> &Vec<u64> {
        match &self.object(list).content {
            Content::List(elements) => elements,
            other => panic!("a checked list is a list, not {other:?}"),
        }
    }

    fn list_mut(&mut self, list: u64) -> &mut Vec<u64> {
        match self.content_mut(list) {
            Content::List(elements) => elements,
            other => panic!("a checked list is a list, not {other:?}"),
        }
    }

    fn dict(&self, dict: u64) -> &Dict {
        match &self.object(dict).content {
            Content::Dict(dict) => dict,
            other => panic!("a checked dict is a dict, not {other:?}"),
        }
    }

    fn dict_mut(&mut self, dict: u64) -> &mut Dict {
        match self.content_mut(dict) {
            Content::Dict(dict) => dict,
            other => panic!("a checked dict is a dict, not {other:?}"),
        }
    }

    fn slots(&self, object: u64) -> &Vec<u64> {
        match &self.object(object).content {
            Content::Slots(slots) => slots,
            other => panic!("a checked object has slots, not {other:?}"),
        }
    }

    pub(super) fn set_slot(&mut self, object: u64, index: usize, value: u64) {
        match self.content_mut(object) {
            Content::Slots(slots) => slots[index] = value,
            other => panic!("a checked object has slots, not {other:?}"),
        }
    }

    pub(super) fn queue(&self, queue: u64) -> &Queue {
        match &self.object(queue).content {
            Content::Queue(queue) => queue,
            other => panic!("a checked queue is a queue, not {other:?}"),
        }
    }

    pub(super) fn queue_mut(&mut self, queue: u64) -> &mut Queue {
        match self.content_mut(queue) {
            Content::Queue(queue) => queue,
            other => panic!("a checked queue is a queue, not {other:?}"),
        }
    }

    /// Whether the lock is held, and who waits for it.
    pub(super) fn lock_mut(&mut self, lock: u64) -> (&mut bool, &mut VecDeque<usize>) {
        match self.content_mut(lock) {
            Content::Lock { held, line } => (held, line),
            other => panic!("a checked lock is a lock, not {other:?}"),
        }
    }

    /// The count, and who waits for zero.
    pub(super) fn group_mut(&mut self, group: u64) -> (&mut i64, &mut Vec<usize>) {
        match self.content_mut(group) {
            Content::Group { count, line } => (count, line),
            other => panic!("a checked wait group is one, not {other:?}"),
        }
    }

    pub(super) fn dict_get(&self, dict: u64, key: u64) -> Option<u64> {
        self.dict_find(dict, key).map(|at| self.dict_entry(dict, at).1)
    }

    /// Whether there is an entry at this position.
    pub(super) fn has_entry(&self, dict: u64, position: usize) -> bool {
        matches!(self.dict(dict).entries.get(position), Some(Some(_)))
    }

    fn key_type(&self, dict: u64) -> TypeId {
        match self.module.types.get(self.object(dict).ty) {
            Type::Dict(key, _) | Type::Set(key) | Type::FrozenSet(key) => *key,
            other => panic!("a checked dict has a dict type, not {other:?}"),
        }
    }

    fn hash(&self, dict: u64, key: u64) -> u64 {
        structural::hash(self, self.key_type(dict), key).expect("keys of dicts are hashable (I8)")
    }
}

impl Machine for Heap {
    fn types(&self) -> &Types {
        &self.module.types
    }

    fn room(&self) -> usize {
        self.bytes_max.saturating_sub(self.bytes)
    }

    fn str(&self, text: u64) -> &str {
        match &self.object(text).content {
            Content::Str(text) => text,
            other => panic!("a checked str is a str, not {other:?}"),
        }
    }

    fn new_str(&mut self, text: &str) -> Result<u64, Fault> {
        self.add(types::STR, Content::Str(text.to_owned()))
    }

    fn bytes(&self, bytes: u64) -> &[u8] {
        match &self.object(bytes).content {
            Content::Bytes(bytes) => bytes,
            other => panic!("checked bytes are bytes, not {other:?}"),
        }
    }

    fn new_bytes(&mut self, bytes: &[u8]) -> Result<u64, Fault> {
        self.add(types::BYTES, Content::Bytes(bytes.to_vec()))
    }

    fn new_list(&mut self, ty: TypeId, elements: &[u64]) -> Result<u64, Fault> {
        self.add(ty, Content::List(elements.to_vec()))
    }

    fn list_len(&self, list: u64) -> usize {
        self.list(list).len()
    }

    fn list_get(&self, list: u64, index: usize) -> u64 {
        self.list(list)[index]
    }

    fn list_set(&mut self, list: u64, index: usize, element: u64) {
        self.list_mut(list)[index] = element;
    }

    fn list_splice(&mut self, list: u64, range: Range<usize>, with: &[u64]) -> Result<(), Fault> {
        self.spend(with.len().saturating_sub(range.len()) * 8)?;
        self.list_mut(list).splice(range, with.iter().copied());
        Ok(())
    }

    fn new_dict(&mut self, ty: TypeId) -> Result<u64, Fault> {
        self.add(ty, Content::Dict(Dict::default()))
    }

    fn dict_len(&self, dict: u64) -> usize {
        self.dict(dict).count
    }

    fn dict_find(&self, dict: u64, key: u64) -> Option<usize> {
        let ty = self.key_type(dict);
        let content = self.dict(dict);
        let same = |at: &&usize| {
            let (other, _) = content.entries[**at].expect("the index names entries only");
            structural::eq(self, ty, other, key).expect("types of keys bound their nesting (I8)")
        };
        content.index.get(&self.hash(dict, key))?.iter().find(same).copied()
    }

    fn dict_next(&self, dict: u64, position: usize) -> Option<usize> {
        let entries = self.dict(dict).entries.get(position..)?;
        entries.iter().position(Option::is_some).map(|at| position + at)
    }

    fn dict_entry(&self, dict: u64, position: usize) -> (u64, u64) {
        self.dict(dict).entries[position].expect("the position has an entry")
    }

    fn dict_set(&mut self, dict: u64, key: u64, value: u64) -> Result<(), Fault> {
        if let Some(at) = self.dict_find(dict, key) {
            let (old, _) = self.dict_entry(dict, at);
            self.dict_mut(dict).entries[at] = Some((old, value));
            return Ok(());
        }
        self.spend(32)?;
        let hash = self.hash(dict, key);
        let content = self.dict_mut(dict);
        if structural::closes_gaps_to_grow(content.entries.len(), content.count) {
            content.close_holes();
        }
        content.index.entry(hash).or_default().push(content.entries.len());
        content.entries.push(Some((key, value)));
        content.count += 1;
        Ok(())
    }

    fn dict_remove(&mut self, dict: u64, key: u64) -> Option<u64> {
        let at = self.dict_find(dict, key)?;
        let hash = self.hash(dict, key);
        let content = self.dict_mut(dict);
        let (_, value) = content.entries[at].take()?;
        content.index.entry(hash).or_default().retain(|other| *other != at);
        content.count -= 1;
        while content.entries.last().is_some_and(Option::is_none) {
            content.entries.pop();
        }
        if structural::closes_gaps_to_shrink(content.entries.len(), content.count) {
            content.close_holes();
        }
        Some(value)
    }

    fn dict_clear(&mut self, dict: u64) {
        *self.dict_mut(dict) = Dict::default();
    }

    fn new_object(&mut self, ty: TypeId, slots: &[u64]) -> Result<u64, Fault> {
        self.add(ty, Content::Slots(slots.to_vec()))
    }

    fn slot(&self, object: u64, index: usize) -> u64 {
        self.slots(object)[index]
    }

    fn new_box(&mut self, ty: TypeId, slot: u64) -> Result<u64, Fault> {
        self.add(ty, Content::Slots(vec![slot]))
    }

    fn member(&self, value: u64) -> (TypeId, u64) {
        let object = self.object(value);
        if self.module.types.is_ref(object.ty) { (object.ty, value) } else { (object.ty, self.slots(value)[0]) }
    }

    fn queue_len(&self, queue: u64) -> usize {
        self.queue(queue).elements.len()
    }

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }
}

//! Making one object of its records: each is checked against the type that the reference to it has in the program before anything
//! of it is believed, and its own references become names of stored objects (`Ref::stored`), which are opened when they are
//! reached.
//!
//! Nothing is allocated for a length that the bytes only claim. What recurses is bounded by the program's types: keys of dicts.

use super::SnapshotError;
use super::index::{Content, Index, ObjectPlace};
use super::records;
use super::v1::ChunkKey;
use crate::heap::{CHUNK_BYTES, CHUNK_ENTRIES, CHUNK_SLOTS, Heap, LEFT, Line, Plan, Ref, Timer, Window};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Module;
use deepslate_ir::trap::{Fault, QUEUE_NAME_MAX, is_queue_name};
use deepslate_ir::types::{self, Type};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// In the place of a persistent id: that of no object, in whose place a blank one stands.
pub(super) const BLANK: u32 = 0;

/// A stored object that was opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    /// Its persistent id.
    pub id: u32,
    /// Where it is.
    pub at: Ref,
    /// The bytes of its newest records.
    pub bytes: u64,
    /// The part that has its newest record.
    pub part: u64,
}

/// Makes objects in a heap of its own, whose objects the isolate's heap takes over.
pub(super) struct Maker {
    module: Arc<Module>,
    pub heap: Heap,
    /// Every object that was opened, by persistent id.
    pub places: HashMap<u32, Ref>,
    /// Those that nobody has asked for yet.
    pub opened: Vec<Opened>,
    /// Whether the tasks and what they wait for are restored: what is opened from then on has nobody in its line.
    pub settled: bool,
}

/// An object that is made but not yet registered, and the bytes of its newest records beside the head's.
type Made = Result<(Ref, u64), String>;

impl Maker {
    pub fn new(module: Arc<Module>) -> Maker {
        // The limit is for what the flow asks for later; what is stored is bounded by its own bytes.
        let heap = Heap::new(Arc::clone(&module), u64::MAX);
        Maker { module, heap, places: HashMap::new(), opened: Vec::new(), settled: false }
    }

    /// The stored object with this id, for a reference of this type.
    pub fn open(&mut self, index: &Index, ty: TypeId, id: u32) -> Result<Ref, SnapshotError> {
        if let Some(known) = self.places.get(&id) {
            // It must be of the type that this reference has, too.
            if !self.module.types.includes(ty, self.heap.ty(*known)) {
                let message = format!("object {id} {}", self.mistaken(self.heap.ty(*known).0, ty));
                return Err(SnapshotError { part: index.object(id)?.map(|o| o.place.part), message });
            }
            return Ok(*known);
        }
        let Some(stored) = index.object(id)? else {
            return Err(SnapshotError { part: None, message: format!("object {id} is missing") });
        };
        let part = stored.place.part;
        let at = |message| SnapshotError { part: Some(part), message };
        // A reference of a union's type is to an object of one of its members'.
        let said = TypeId(index.object_type(stored));
        let own = if self.module.types.members(ty).is_some_and(|m| m.contains(&said)) { said } else { ty };
        let made = self.object(index, id, own, stored);
        let (object, bytes) = made.map_err(|message| at(format!("object {id} {message}")))?;
        self.heap.revive_head(object, id, part);
        self.places.insert(id, object);
        if let Plan::Dict { key, key_refs, .. } = self.heap.plans()[own.index()] {
            let keys = if key_refs { self.open_keys(index, key, object) } else { Ok(()) };
            let bad = |message| at(format!("object {id} {message}"));
            if let Err(error) = keys.and_then(|()| self.heap.revive_index(object).map_err(bad)) {
                self.places.remove(&id);
                return Err(error);
            }
        }
        self.opened.push(Opened { id, at: object, bytes, part });
        Ok(object)
    }

    /// Opens the keys of a dict, and whatever is inside them: the index needs their hashes.
    fn open_keys(&mut self, index: &Index, key: TypeId, dict: Ref) -> Result<(), SnapshotError> {
        for at in 0..self.heap.dict_positions(dict) {
            if let Some((slot, _)) = self.heap.dict_entry(dict, at) {
                let open = self.open_deep(index, key, slot)?;
                self.heap.revive_key(dict, at, open);
            }
        }
        Ok(())
    }

    /// Opens a key and everything inside it. Types of keys bound their nesting (I8), and so this.
    fn open_deep(&mut self, index: &Index, ty: TypeId, slot: u64) -> Result<Ref, SnapshotError> {
        let slot = Ref::from_slot(slot);
        let object = if slot.is_open() { slot } else { self.open(index, ty, slot.stored_as().1)? };
        let (plans, own) = (self.heap.plans(), self.heap.ty(object));
        let inside: Vec<(usize, TypeId, u64)> = match &plans[own.index()] {
            Plan::Slots { types, refs } => {
                let slots = self.heap.slots(object);
                refs.iter().map(|at| (*at as usize, types[*at as usize], slots[*at as usize])).collect()
            }
            Plan::List { element, refs: true } => {
                let items = self.heap.list_items(object);
                items.iter().enumerate().map(|(at, slot)| (at, *element, *slot)).collect()
            }
            // The elements of a frozen set are keys, open as soon as it is.
            _ => return Ok(object),
        };
        for (at, ty, slot) in inside {
            let part = self.open_deep(index, ty, slot)?;
            self.heap.revive_reference(object, at, part);
        }
        Ok(object)
    }

    /// An object of this type in the place of one that is damaged, so that every reference has one until the isolate stops,
    /// which it does before anything is committed. What it refers to is made the same way, when it is reached.
    pub fn blank(&mut self, ty: TypeId) -> Ref {
        let plans = self.heap.plans();
        let made = match &plans[ty.index()] {
            Plan::Union => {
                let member = self.module.types.members(ty).and_then(|members| members.first().copied());
                return self.blank(member.expect("a union has members"));
            }
            Plan::Scalar => self.heap.new_object(ty, &[0]),
            Plan::Str => self.heap.new_str(""),
            Plan::Bytes => self.heap.new_bytes(b""),
            Plan::Slots { types, .. } => {
                let blank =
                    |ty: &TypeId| if self.module.types.is_ref(*ty) { Ref::stored(*ty, BLANK).slot() } else { 0 };
                let slots: Vec<u64> = types.iter().map(blank).collect();
                self.heap.new_object(ty, &slots)
            }
            Plan::List { .. } => self.heap.new_list(ty, &[]),
            Plan::Dict { .. } => self.heap.new_dict(ty),
            Plan::Queue { .. } => self.heap.new_queue(ty, -1),
            Plan::Lock => self.heap.new_lock(),
            Plan::WaitGroup => self.heap.new_wait_group(),
        };
        made.expect("the heap has no limit, and a machine without a hundred bytes stops in the allocator")
    }

    /// Checks the stored form of a slot of this type, and makes of a persistent id what a slot in memory holds.
    pub fn slot(&self, ty: TypeId, word: &mut u64) -> Result<(), String> {
        let valid = match ty {
            types::INT | types::FLOAT => true,
            types::BOOL => *word <= 1,
            types::NONE => *word == 0,
            _ => match u32::try_from(*word) {
                Ok(id) if id != 0 => {
                    *word = Ref::stored(ty, id).slot();
                    true
                }
                _ => false,
            },
        };
        if valid { Ok(()) } else { Err(format!("{word} is no value of type {}", self.module.types.name(ty))) }
    }

    fn slots(&self, ty: TypeId, words: &mut [u64]) -> Result<(), String> {
        if matches!(ty, types::INT | types::FLOAT) {
            return Ok(());
        }
        words.iter_mut().try_for_each(|word| self.slot(ty, word))
    }

    /// Makes an object of its records.
    fn object(&mut self, index: &Index, id: u32, ty: TypeId, stored: ObjectPlace) -> Made {
        let said = index.object_type(stored);
        if said != ty.0 {
            return Err(self.mistaken(said, ty));
        }
        let content = index.content_of(stored);
        let big = stored.big;
        let plans = self.heap.plans();
        match &plans[ty.index()] {
            Plan::Union => Err(format!("is {}, which no object is", self.module.types.name(ty))),
            Plan::Scalar => {
                let [mut slot] = content.words[..] else { return Err(malformed()) };
                if big || !content.bytes.is_empty() {
                    return Err(malformed());
                }
                self.slot(ty, &mut slot)?;
                Ok((self.heap.new_object(ty, &[slot]).map_err(no_memory)?, size_of_whole(&content)))
            }
            Plan::Str | Plan::Bytes => self.blob(index, id, ty, content, big),
            Plan::Slots { types, .. } => {
                if big || content.words.len() != types.len() || !content.bytes.is_empty() {
                    return Err(format!("has {} slots, not {}", content.words.len(), types.len()));
                }
                let mut slots = content.words.to_vec();
                for (ty, word) in types.iter().zip(&mut slots) {
                    self.slot(*ty, word)?;
                }
                let object = self.heap.new_object(ty, &slots).map_err(no_memory)?;
                Ok((object, size_of_whole(&content)))
            }
            Plan::List { element, .. } => self.list(index, id, ty, *element, content, big),
            Plan::Dict { key, value, set, .. } => {
                self.dict(index, id, ty, (*key, if *set { None } else { Some(*value) }), content, big)
            }
            Plan::Queue { element, .. } => self.queue(index, id, ty, *element, content, big),
            Plan::Lock => self.lock(index, id, content, big),
            Plan::WaitGroup => self.wait_group(index, id, content, big),
        }
    }

    /// Says that an object is of another type than a reference to it has.
    fn mistaken(&self, said: u32, wanted: TypeId) -> String {
        let types = &self.module.types;
        let said = Some(TypeId(said)).filter(|ty| types.contains(*ty));
        let said = said.map_or("of no type of the program".to_owned(), |ty| types.name(ty));
        format!("is {said}, but is referred to as {}", types.name(wanted))
    }

    fn blob(&mut self, index: &Index, id: u32, ty: TypeId, content: Content<'_>, big: bool) -> Made {
        let mut joined = Vec::new();
        let (bytes, size) = if big {
            let [len] = content.words[..] else { return Err(malformed()) };
            require_big(len, CHUNK_BYTES)?;
            let mut size = size_of_big(&content);
            for number in 0..len.div_ceil(CHUNK_BYTES as u64) {
                let (piece, _) = chunk(index, id, 0, number)?;
                if piece.bytes.len() as u64 != piece_len(len, number, CHUNK_BYTES) || !piece.words.is_empty() {
                    return Err(format!("has a chunk {number} of the wrong size"));
                }
                size += size_of_chunk(&piece);
                joined.extend_from_slice(piece.bytes);
            }
            (&joined[..], size)
        } else {
            require_whole(content.bytes.len(), CHUNK_BYTES)?;
            if !content.words.is_empty() {
                return Err(malformed());
            }
            (content.bytes, size_of_whole(&content))
        };
        let object = if matches!(self.module.types.get(ty), Type::Str) {
            let text = std::str::from_utf8(bytes).map_err(|_| "is a text that is not UTF-8".to_owned())?;
            self.heap.new_str(text)
        } else {
            self.heap.new_bytes(bytes)
        };
        Ok((object.map_err(no_memory)?, size))
    }

    fn list(&mut self, index: &Index, id: u32, ty: TypeId, element: TypeId, content: Content<'_>, big: bool) -> Made {
        if !content.bytes.is_empty() {
            return Err(malformed());
        }
        if !big {
            require_whole(content.words.len(), CHUNK_SLOTS)?;
            let mut items = content.words.to_vec();
            self.slots(element, &mut items)?;
            let list = self.heap.new_list(ty, &items).map_err(no_memory)?;
            return Ok((list, size_of_whole(&content)));
        }
        let [len] = content.words[..] else { return Err(malformed()) };
        require_big(len, CHUNK_SLOTS)?;
        let (mut items, mut marks, mut size) = (Vec::new(), Vec::new(), size_of_big(&content));
        for number in 0..len.div_ceil(CHUNK_SLOTS as u64) {
            let (piece, part) = chunk(index, id, 0, number)?;
            if piece.words.len() as u64 != piece_len(len, number, CHUNK_SLOTS) || !piece.bytes.is_empty() {
                return Err(format!("has a chunk {number} of the wrong size"));
            }
            size += size_of_chunk(&piece);
            items.extend_from_slice(piece.words);
            marks.push(part);
        }
        self.slots(element, &mut items)?;
        let list = self.heap.new_list(ty, &items).map_err(no_memory)?;
        self.heap.revive_list_marks(list, marks);
        Ok((list, size))
    }

    /// A dict with its types of key and value, or a set, which has no values.
    fn dict(
        &mut self,
        index: &Index,
        id: u32,
        ty: TypeId,
        of: (TypeId, Option<TypeId>),
        content: Content<'_>,
        big: bool,
    ) -> Made {
        let (mut entries, mut marks) = (Vec::new(), Vec::new());
        let mut size = size_of_whole(&content);
        if big {
            let [positions] = content.words[..] else { return Err(malformed()) };
            require_big(positions, CHUNK_ENTRIES)?;
            size = size_of_big(&content);
            for number in 0..positions.div_ceil(CHUNK_ENTRIES as u64) {
                let (piece, part) = chunk(index, id, 0, number)?;
                let positions = piece_len(positions, number, CHUNK_ENTRIES);
                self.entries(of, positions as usize, piece.words, piece.bytes, &mut entries)?;
                size += size_of_chunk(&piece);
                marks.push(part);
            }
        } else {
            let (positions, bits) = match content.bytes.split_first_chunk::<4>() {
                Some((positions, bits)) => (u32::from_le_bytes(*positions) as usize, bits),
                None if content.bytes.is_empty() => (content.words.len() / if of.1.is_some() { 2 } else { 1 }, &[][..]),
                None => return Err(malformed()),
            };
            require_whole(positions, CHUNK_ENTRIES)?;
            self.entries(of, positions, content.words, bits, &mut entries)?;
        }
        let dict = self.heap.new_dict(ty).map_err(no_memory)?;
        if self.heap.revive_dict(dict, entries.into_iter(), marks) {
            Ok((dict, size))
        } else {
            Err("is larger than this machine's memory".to_owned())
        }
    }

    /// The entries and gaps of one run of positions.
    fn entries(
        &self,
        (key, value): (TypeId, Option<TypeId>),
        positions: usize,
        words: &[u64],
        bits: &[u8],
        out: &mut Vec<Option<(u64, u64)>>,
    ) -> Result<(), String> {
        let width = if value.is_some() { 2 } else { 1 };
        if !words.len().is_multiple_of(width) {
            return Err(malformed());
        }
        let count = words.len() / width;
        let mut pairs = words.chunks_exact(width).map(|entry| (entry[0], entry.get(1).copied().unwrap_or(0)));
        let entry = |(mut k, mut v): (u64, u64)| {
            self.slot(key, &mut k)?;
            if let Some(value) = value {
                self.slot(value, &mut v)?;
            }
            Ok::<_, String>((k, v))
        };
        if bits.is_empty() {
            for pair in pairs.by_ref().take(positions) {
                out.push(Some(entry(pair)?));
            }
            if count != positions {
                return Err("has not as many entries as positions".to_owned());
            }
            return Ok(());
        }
        let set: u32 = bits.iter().map(|b| b.count_ones()).sum();
        if bits.len() != positions.div_ceil(8) || set as usize != count {
            return Err("has not as many entries as its bits say".to_owned());
        }
        for at in 0..positions {
            let live = bits[at / 8] & (1 << (at % 8)) != 0;
            let pair = if live { pairs.next() } else { None };
            out.push(pair.map(entry).transpose()?);
        }
        // Bits past the end would leave an entry over.
        if pairs.next().is_some() { Err(malformed()) } else { Ok(()) }
    }

    fn queue(&mut self, index: &Index, id: u32, ty: TypeId, element: TypeId, content: Content<'_>, big: bool) -> Made {
        let Some((capacity, rest)) = content.words.split_first() else { return Err(malformed()) };
        let (windows, size, more) = windows(index, id, &content, rest, 3, big)?;
        let [mut elements, getters, putters]: [Window; 3] = windows.try_into().map_err(|_| malformed())?;
        for word in &mut elements.slots {
            self.slot(element, word)?;
        }
        let getters = line(getters, 2)?;
        let mut putters = line(putters, 3)?;
        for at in (0..putters.window.slots.len()).step_by(3) {
            if putters.window.slots[at] != LEFT {
                self.slot(element, &mut putters.window.slots[at + 2])?;
            }
        }
        self.no_one_waits([&getters, &putters])?;
        let More { closed, timer, name } = more_of(&more)?;
        if self.settled && name.is_some() {
            return Err("is a queue with a name that the isolate does not list".to_owned());
        }
        let waited = !getters.window.slots.is_empty() || !putters.window.slots.is_empty();
        if closed && (waited || timer != Timer::No) {
            return Err("is a queue that is closed, and something is still to come of it".to_owned());
        }
        let whole = elements.slots.len() + usize::from(matches!(timer, Timer::Due(_)));
        let is_timers = self.module.types.get(ty) == &Type::Queue(types::FLOAT) && whole <= 1;
        if timer != Timer::No && (!is_timers || !putters.window.slots.is_empty()) {
            return Err("is a queue of `after`, and holds something else".to_owned());
        }
        let capacity = *capacity as i64;
        let queue = self.heap.new_queue(ty, capacity).map_err(no_memory)?;
        self.heap.revive_queue(queue, |q| {
            (q.elements, q.getters, q.putters, q.big) = (elements, getters, putters, big);
            (q.closed, q.timer, q.name) = (closed, timer, name);
        });
        Ok((queue, size))
    }

    fn lock(&mut self, index: &Index, id: u32, content: Content<'_>, big: bool) -> Made {
        let Some((held, rest)) = content.words.split_first() else { return Err(malformed()) };
        let (windows, size, more) = windows(index, id, &content, rest, 1, big)?;
        if !more.is_empty() {
            return Err(malformed());
        }
        let [window]: [Window; 1] = windows.try_into().map_err(|_| malformed())?;
        let line = line(window, 1)?;
        self.no_one_waits([&line])?;
        if *held > 1 || (*held == 0 && !line.window.slots.is_empty()) {
            return Err("is a lock that is free while tasks wait for it".to_owned());
        }
        let held = *held == 1;
        let lock = self.heap.new_lock().map_err(no_memory)?;
        self.heap.revive_lock(lock, |l| (l.held, l.line, l.big) = (held, line, big));
        Ok((lock, size))
    }

    fn wait_group(&mut self, index: &Index, id: u32, content: Content<'_>, big: bool) -> Made {
        let Some((count, rest)) = content.words.split_first() else { return Err(malformed()) };
        let (windows, size, more) = windows(index, id, &content, rest, 1, big)?;
        if !more.is_empty() {
            return Err(malformed());
        }
        let [window]: [Window; 1] = windows.try_into().map_err(|_| malformed())?;
        let line = line(window, 1)?;
        self.no_one_waits([&line])?;
        let count = *count as i64;
        if count < 0 || (count == 0 && !line.window.slots.is_empty()) {
            return Err(format!("is a wait group at {count} with tasks that wait for it"));
        }
        let group = self.heap.new_wait_group().map_err(no_memory)?;
        self.heap.revive_wait_group(group, |g| (g.count, g.line, g.big) = (count, line, big));
        Ok((group, size))
    }

    /// Whoever waits for something has it open as soon as it is restored.
    fn no_one_waits<const N: usize>(&self, lines: [&Line; N]) -> Result<(), String> {
        match lines.iter().flat_map(|line| line.waiters()).next() {
            Some((waiter, _)) if self.settled => {
                Err(format!("has task {} in its line, which waits for something else", waiter.task))
            }
            _ => Ok(()),
        }
    }
}

/// The windows of an object, and the words after them: `rest` is the words after those before the windows.
fn windows(
    index: &Index,
    id: u32,
    content: &Content<'_>,
    rest: &[u64],
    count: usize,
    big: bool,
) -> Result<(Vec<Window>, u64, Vec<u64>), String> {
    let Some((bounds, mut slots)) = rest.split_at_checked(count * 2) else { return Err(malformed()) };
    if !content.bytes.is_empty() {
        return Err(malformed());
    }
    let (bounds, _) = bounds.as_chunks::<2>();
    let mut total = 0u64;
    for [first, len] in bounds {
        let end = first.checked_add(*len).filter(|end| *end < 1 << 62);
        total = total.saturating_add(*len);
        end.ok_or_else(|| format!("claims a window of {len} slots from {first}"))?;
    }
    if big {
        require_big(total, CHUNK_SLOTS)?;
    } else {
        require_whole(total as usize, CHUNK_SLOTS)?;
    }
    let (mut out, mut size) = (Vec::new(), if big { size_of_big(content) } else { size_of_whole(content) });
    for (window, [first, len]) in bounds.iter().enumerate() {
        let mut made = Window { slots: VecDeque::new(), first: *first, marks: VecDeque::new() };
        if big {
            let (end, slots_each) = (first + len, CHUNK_SLOTS as u64);
            let numbers = if *len == 0 { 0..0 } else { first / slots_each..end.div_ceil(slots_each) };
            for number in numbers {
                let (piece, part) = chunk(index, id, window as u32, number)?;
                // It was cut at the end, and may begin before what is the front by now.
                let (from, to) = ((*first).max(number * slots_each), end.min((number + 1) * slots_each));
                let stored = piece.words.len() as u64;
                if stored < to - from || stored > to - number * slots_each || !piece.bytes.is_empty() {
                    return Err(format!("has a chunk {number} of the wrong size"));
                }
                made.slots.extend(&piece.words[(stored - (to - from)) as usize..]);
                made.marks.push_back(part);
                size += size_of_chunk(&piece);
            }
        } else {
            let Some((own, others)) = slots.split_at_checked(*len as usize) else { return Err(malformed()) };
            made.slots.extend(own);
            slots = others;
            made.marks.resize((made.chunks().end - made.chunks().start) as usize, 0);
        }
        out.push(made);
    }
    Ok((out, size, slots.to_vec()))
}

fn chunk(index: &Index, id: u32, window: u32, number: u64) -> Result<(Content<'_>, u64), String> {
    match index.chunk(ChunkKey { id, window, number }).map_err(|error| error.message)? {
        Some(place) => Ok((index.content_of_chunk(place), place.part)),
        None => Err(format!("lacks its chunk {number}")),
    }
}

/// What few queues have.
struct More {
    closed: bool,
    timer: Timer,
    name: Option<Box<str>>,
}

/// Reads the words after the windows of a queue.
fn more_of(words: &[u64]) -> Result<More, String> {
    let Some((flags, mut rest)) = words.split_first() else {
        return Ok(More { closed: false, timer: Timer::No, name: None });
    };
    let next = |rest: &mut &[u64]| {
        let (first, others) = rest.split_first().ok_or_else(malformed)?;
        *rest = others;
        Ok::<u64, String>(*first)
    };
    let timer = match flags & (records::DUE | records::FIRED) {
        0 => Timer::No,
        records::DUE => Timer::Due(next(&mut rest)? as i64),
        records::FIRED => Timer::Fired,
        _ => return Err(malformed()),
    };
    let mut name = None;
    if flags & records::NAMED != 0 {
        let len = usize::try_from(next(&mut rest)?).ok().filter(|len| *len <= QUEUE_NAME_MAX).ok_or_else(malformed)?;
        let mut bytes = Vec::with_capacity(len + 8);
        for _ in 0..len.div_ceil(8) {
            bytes.extend(next(&mut rest)?.to_le_bytes());
        }
        bytes.truncate(len);
        let text = String::from_utf8(bytes).ok().filter(|text| is_queue_name(text));
        name = Some(text.ok_or_else(|| "is a queue whose name can't be one".to_owned())?.into());
    }
    let known = records::CLOSED | records::DUE | records::FIRED | records::NAMED;
    if *flags == 0 || flags & !known != 0 || !rest.is_empty() || (timer != Timer::No && name.is_some()) {
        return Err(malformed());
    }
    Ok(More { closed: flags & records::CLOSED != 0, timer, name })
}

/// A line of waiters of this many slots each, the front one of which has not left.
fn line(window: Window, width: usize) -> Result<Line, String> {
    let whole = window.slots.len().is_multiple_of(width);
    // Whoever has left has taken its element along.
    let left = |i: &usize| window.slots[*i] == LEFT && width > 2 && window.slots[*i + 2] != 0;
    if !whole || window.slots.front() == Some(&LEFT) || (0..window.slots.len()).step_by(width).any(|i| left(&i)) {
        return Err("has a line of waiting tasks that is cut".to_owned());
    }
    let left = (0..window.slots.len()).step_by(width).filter(|i| window.slots[*i] == LEFT).count();
    Ok(Line { window, width, left })
}

/// How long a chunk of something of this length is.
fn piece_len(len: u64, number: u64, chunk: usize) -> u64 {
    (len - number * chunk as u64).min(chunk as u64)
}

fn require_big(len: u64, chunk: usize) -> Result<(), String> {
    if len > chunk as u64 { Ok(()) } else { Err(format!("is stored in chunks, but has only {len} places")) }
}

fn require_whole(len: usize, chunk: usize) -> Result<(), String> {
    if len <= chunk { Ok(()) } else { Err(format!("is stored in one piece, but has {len} places")) }
}

fn size_of_whole(content: &Content<'_>) -> u64 {
    records::OBJECT_BYTES + content.size()
}

fn size_of_big(content: &Content<'_>) -> u64 {
    records::BIG_BYTES + content.size()
}

fn size_of_chunk(content: &Content<'_>) -> u64 {
    records::CHUNK_BYTES + content.size()
}

fn malformed() -> String {
    "has a malformed record".to_owned()
}

fn no_memory(fault: Fault) -> String {
    format!("can't be loaded: {}", fault.message)
}

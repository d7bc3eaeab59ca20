//! Reading a snapshot back. What the head, the tasks and their frames refer to is loaded, object by object, each checked
//! against the type that the reference to it has in the program; only then are the ids in slots replaced by addresses.
//!
//! Nothing is allocated for a length that the bytes only claim, and nothing recurses.

use super::index::{Content, Index, ObjectPlace, open_parts};
use super::ledger::{EndedTask, Ledger, ObjectEntry, PartEntry, TaskEntry};
use super::tasks;
use super::{Restored, SnapshotError, v1};
use crate::heap::{CHUNK_BYTES, CHUNK_ENTRIES, CHUNK_SLOTS, Heap, Kind, LEFT, Line, Plan, Ref, Timer, Window};
use bytes::Bytes;
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Module;
use deepslate_ir::trap::{Fault, QUEUE_NAME_MAX, is_queue_name};
use deepslate_ir::types::{self, Type};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// See `snapshot::restore`.
pub(super) fn restore(
    module: &Arc<Module>,
    parts: &[(u64, Bytes)],
    limit_bytes: u64,
) -> Result<Restored, SnapshotError> {
    let parts = open_parts(parts)?;
    let index = Index::of(&parts)?;
    let mut loader = Loader::new(Arc::clone(module), &index);
    let mut state = tasks::read(module, &index)?;
    state.each_slot(module, &mut |ty, word, part| loader.slot(ty, *word).map_err(|message| at(part, message)))?;
    loader.load()?;
    loader.patch()?;
    state.each_slot(module, &mut |ty, word, _| {
        *word = loader.address(ty, *word);
        Ok(())
    })?;
    let objects = || loader.loaded.iter().map(|l| l.object);
    tasks::check_lines(&state, module, &loader.heap, objects())?;
    tasks::check_names(&state, &loader.heap, objects())?;

    let Loader { mut heap, loaded, .. } = loader;
    let mut ledger = Ledger::new();
    ledger.objects.reserve(loaded.len());
    for object in &loaded {
        ledger.live += object.bytes;
        ledger.objects.insert(object.id, ObjectEntry { at: object.object, bytes: object.bytes });
    }
    for (id, bytes, frames) in state.sizes {
        let first = index.task_first.get(&id).copied().unwrap_or(0);
        let entry = TaskEntry { first, bytes, frames };
        ledger.live += entry.size();
        ledger.tasks.insert(id, entry);
    }
    let mut ended: Vec<_> = index.ended.iter().map(|(id, part)| (*id, *part)).collect();
    ended.sort_unstable();
    for (id, ended) in ended {
        // One that no part names any more needs no word of its end.
        if let Some(first) = index.task_first.get(&id) {
            ledger.ended.push(EndedTask { id, first: *first, ended });
        }
    }
    let mut last = 0;
    for (part, ids) in parts.iter().zip(index.ids) {
        let ids = if last == 0 { Vec::new() } else { ids };
        let v1::PartHeader { number, next_id, level, .. } = part.header;
        ledger.parts.push(PartEntry { number, bytes: part.bytes, next_id, level, ids });
        (last, ledger.next_id) = (number, next_id);
    }
    heap.begin_interval(last + 1);
    heap.set_limit(limit_bytes);
    Ok(Restored { heap, ledger, head: state.head, tasks: state.tasks })
}

fn at(part: u64, message: impl Into<String>) -> SnapshotError {
    SnapshotError { part: Some(part), message: message.into() }
}

/// An object that is loaded.
struct Loaded {
    id: u32,
    object: Ref,
    /// The bytes of its newest records.
    bytes: u64,
    part: u64,
}

/// Objects on their way into memory.
struct Loader<'a> {
    module: Arc<Module>,
    index: &'a Index<'a>,
    heap: Heap,
    places: HashMap<u32, Ref>,
    loaded: Vec<Loaded>,
    /// References that were met: the id, and the type that the object must have.
    work: Vec<(u32, TypeId)>,
}

/// An object that is made but not yet registered, and the bytes of its newest records beside the head's.
type Made = Result<(Ref, u64), String>;

impl<'a> Loader<'a> {
    fn new(module: Arc<Module>, index: &'a Index<'a>) -> Loader<'a> {
        // The limit is for what the flow asks for later; what is stored is bounded by its own bytes.
        let heap = Heap::new(Arc::clone(&module), u64::MAX);
        let places = HashMap::with_capacity(index.objects.len());
        Loader { module, index, heap, places, loaded: Vec::new(), work: Vec::new() }
    }

    /// Checks the stored form of a slot of this type; a reference will be loaded.
    fn slot(&mut self, ty: TypeId, word: u64) -> Result<(), String> {
        let valid = match ty {
            types::INT | types::FLOAT => true,
            types::BOOL => word <= 1,
            types::NONE => word == 0,
            _ => {
                let id = u32::try_from(word).ok().filter(|id| *id != 0);
                self.work.extend(id.map(|id| (id, ty)));
                id.is_some()
            }
        };
        if valid { Ok(()) } else { Err(format!("{word} is no value of type {}", self.module.types.name(ty))) }
    }

    fn slots(&mut self, ty: TypeId, words: &[u64]) -> Result<(), String> {
        if matches!(ty, types::INT | types::FLOAT) {
            return Ok(());
        }
        words.iter().try_for_each(|word| self.slot(ty, *word))
    }

    /// What a checked slot holds in memory, once everything is loaded.
    fn address(&self, ty: TypeId, word: u64) -> u64 {
        if self.module.types.is_ref(ty) { address(&self.places, word) } else { word }
    }

    /// Loads everything that was met.
    fn load(&mut self) -> Result<(), SnapshotError> {
        while let Some((id, ty)) = self.work.pop() {
            if let Some(known) = self.places.get(&id) {
                // Loaded before; it must be of the type that this reference has, too.
                if !self.module.types.includes(ty, self.heap.ty(*known)) {
                    let message = format!("object {id} {}", self.mistaken(self.heap.ty(*known).0, ty));
                    let part = self.index.objects.get(&id).map(|o| o.place.part);
                    return Err(SnapshotError { part, message });
                }
                continue;
            }
            let Some(stored) = self.index.objects.get(&id).copied() else {
                return Err(SnapshotError { part: None, message: format!("object {id} is missing") });
            };
            let part = stored.place.part;
            // A reference of a union's type is to an object of one of its members'.
            let said = TypeId(self.index.object_type(stored));
            let own = if self.module.types.members(ty).is_some_and(|m| m.contains(&said)) { said } else { ty };
            let (object, bytes) =
                self.object(id, own, stored).map_err(|message| at(part, format!("object {id} {message}")))?;
            self.heap.revive_head(object, id, part);
            self.places.insert(id, object);
            self.loaded.push(Loaded { id, object, bytes, part });
        }
        Ok(())
    }

    /// Puts addresses in the place of ids, and then makes the indexes of dicts.
    fn patch(&mut self) -> Result<(), SnapshotError> {
        let Loader { heap, places, loaded, .. } = self;
        for object in &*loaded {
            heap.patch(object.object, &mut |word| address(places, word));
        }
        for object in &*loaded {
            if heap.kind(object.object) == Kind::Dict {
                let bad = |message| at(object.part, format!("object {} {message}", object.id));
                heap.revive_index(object.object).map_err(bad)?;
            }
        }
        Ok(())
    }

    /// Makes an object of its records, references still as ids.
    fn object(&mut self, id: u32, ty: TypeId, stored: ObjectPlace) -> Made {
        let said = self.index.object_type(stored);
        if said != ty.0 {
            return Err(self.mistaken(said, ty));
        }
        let content = self.index.object(stored);
        let big = stored.big;
        let plans = self.heap.plans();
        match &plans[ty.index()] {
            Plan::Union => Err(format!("is {}, which no object is", self.module.types.name(ty))),
            Plan::Scalar => {
                let [slot] = content.words[..] else { return Err(malformed()) };
                if big || !content.bytes.is_empty() {
                    return Err(malformed());
                }
                self.slot(ty, slot)?;
                Ok((self.heap.revive_box(ty, slot).map_err(no_memory)?, size_of_whole(&content)))
            }
            Plan::Str | Plan::Bytes => self.blob(id, ty, content, big),
            Plan::Slots { types, .. } => {
                if big || content.words.len() != types.len() || !content.bytes.is_empty() {
                    return Err(format!("has {} slots, not {}", content.words.len(), types.len()));
                }
                for (ty, word) in types.iter().zip(&content.words) {
                    self.slot(*ty, *word)?;
                }
                let object = self.heap.new_object(ty, &content.words).map_err(no_memory)?;
                Ok((object, size_of_whole(&content)))
            }
            Plan::List { element, .. } => self.list(id, ty, *element, content, big),
            Plan::Dict { key, value, set, .. } => {
                self.dict(id, ty, (*key, if *set { None } else { Some(*value) }), content, big)
            }
            Plan::Queue { element, .. } => self.queue(id, ty, *element, content, big),
            Plan::Lock => self.lock(id, content, big),
            Plan::WaitGroup => self.wait_group(id, content, big),
        }
    }

    /// Says that an object is of another type than a reference to it has.
    fn mistaken(&self, said: u32, wanted: TypeId) -> String {
        let types = &self.module.types;
        let said = Some(TypeId(said)).filter(|ty| types.contains(*ty));
        let said = said.map_or("of no type of the program".to_owned(), |ty| types.name(ty));
        format!("is {said}, but is referred to as {}", types.name(wanted))
    }

    fn blob(&mut self, id: u32, ty: TypeId, content: Content<'_>, big: bool) -> Made {
        let mut joined = Vec::new();
        let (bytes, size) = if big {
            let [len] = content.words[..] else { return Err(malformed()) };
            require_big(len, CHUNK_BYTES)?;
            let mut size = size_of_big(&content);
            for number in 0..len.div_ceil(CHUNK_BYTES as u64) {
                let (piece, _) = self.chunk(id, 0, number)?;
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

    fn list(&mut self, id: u32, ty: TypeId, element: TypeId, content: Content<'_>, big: bool) -> Made {
        if !content.bytes.is_empty() {
            return Err(malformed());
        }
        if !big {
            require_whole(content.words.len(), CHUNK_SLOTS)?;
            self.slots(element, &content.words)?;
            let list = self.heap.new_list(ty, &content.words).map_err(no_memory)?;
            return Ok((list, size_of_whole(&content)));
        }
        let [len] = content.words[..] else { return Err(malformed()) };
        require_big(len, CHUNK_SLOTS)?;
        let (mut items, mut marks, mut size) = (Vec::new(), Vec::new(), size_of_big(&content));
        for number in 0..len.div_ceil(CHUNK_SLOTS as u64) {
            let (piece, part) = self.chunk(id, 0, number)?;
            if piece.words.len() as u64 != piece_len(len, number, CHUNK_SLOTS) || !piece.bytes.is_empty() {
                return Err(format!("has a chunk {number} of the wrong size"));
            }
            size += size_of_chunk(&piece);
            self.slots(element, &piece.words)?;
            items.extend_from_slice(&piece.words);
            marks.push(part);
        }
        let list = self.heap.new_list(ty, &items).map_err(no_memory)?;
        self.heap.revive_list_marks(list, marks);
        Ok((list, size))
    }

    /// A dict with its types of key and value, or a set, which has no values.
    fn dict(&mut self, id: u32, ty: TypeId, of: (TypeId, Option<TypeId>), content: Content<'_>, big: bool) -> Made {
        let (mut entries, mut marks) = (Vec::new(), Vec::new());
        let mut size = size_of_whole(&content);
        if big {
            let [positions] = content.words[..] else { return Err(malformed()) };
            require_big(positions, CHUNK_ENTRIES)?;
            size = size_of_big(&content);
            for number in 0..positions.div_ceil(CHUNK_ENTRIES as u64) {
                let (piece, part) = self.chunk(id, 0, number)?;
                let positions = piece_len(positions, number, CHUNK_ENTRIES);
                self.entries(of, positions as usize, &piece.words, piece.bytes, &mut entries)?;
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
            self.entries(of, positions, &content.words, bits, &mut entries)?;
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
        &mut self,
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
        for (k, v) in pairs.clone() {
            self.slot(key, k)?;
            if let Some(value) = value {
                self.slot(value, v)?;
            }
        }
        if bits.is_empty() {
            out.extend(pairs.by_ref().take(positions).map(Some));
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
            out.push(if live { pairs.next() } else { None });
        }
        // Bits past the end would leave an entry over.
        if pairs.next().is_some() { Err(malformed()) } else { Ok(()) }
    }

    fn queue(&mut self, id: u32, ty: TypeId, element: TypeId, content: Content<'_>, big: bool) -> Made {
        let Some((capacity, rest)) = content.words.split_first() else { return Err(malformed()) };
        let (windows, size, more) = self.windows(id, &content, rest, 3, big)?;
        let [elements, getters, putters]: [Window; 3] = windows.try_into().map_err(|_| malformed())?;
        for word in &elements.slots {
            self.slot(element, *word)?;
        }
        let getters = line(getters, 2)?;
        let putters = line(putters, 3)?;
        for (_, word) in putters.waiters() {
            self.slot(element, word)?;
        }
        let More { closed, timer, name } = more_of(&more)?;
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

    fn lock(&mut self, id: u32, content: Content<'_>, big: bool) -> Made {
        let Some((held, rest)) = content.words.split_first() else { return Err(malformed()) };
        let (windows, size, more) = self.windows(id, &content, rest, 1, big)?;
        if !more.is_empty() {
            return Err(malformed());
        }
        let [window]: [Window; 1] = windows.try_into().map_err(|_| malformed())?;
        let line = line(window, 1)?;
        if *held > 1 || (*held == 0 && !line.window.slots.is_empty()) {
            return Err("is a lock that is free while tasks wait for it".to_owned());
        }
        let held = *held == 1;
        let lock = self.heap.new_lock().map_err(no_memory)?;
        self.heap.revive_lock(lock, |l| (l.held, l.line, l.big) = (held, line, big));
        Ok((lock, size))
    }

    fn wait_group(&mut self, id: u32, content: Content<'_>, big: bool) -> Made {
        let Some((count, rest)) = content.words.split_first() else { return Err(malformed()) };
        let (windows, size, more) = self.windows(id, &content, rest, 1, big)?;
        if !more.is_empty() {
            return Err(malformed());
        }
        let [window]: [Window; 1] = windows.try_into().map_err(|_| malformed())?;
        let line = line(window, 1)?;
        let count = *count as i64;
        if count < 0 || (count == 0 && !line.window.slots.is_empty()) {
            return Err(format!("is a wait group at {count} with tasks that wait for it"));
        }
        let group = self.heap.new_wait_group().map_err(no_memory)?;
        self.heap.revive_wait_group(group, |g| (g.count, g.line, g.big) = (count, line, big));
        Ok((group, size))
    }

    /// The windows of an object, and the words after them: `rest` is the words after those before the windows.
    fn windows(
        &mut self,
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
                let (end, chunk) = (first + len, CHUNK_SLOTS as u64);
                let numbers = if *len == 0 { 0..0 } else { first / chunk..end.div_ceil(chunk) };
                for number in numbers {
                    let (piece, part) = self.chunk(id, window as u32, number)?;
                    // It was cut at the end, and may begin before what is the front by now.
                    let (from, to) = ((*first).max(number * chunk), end.min((number + 1) * chunk));
                    let stored = piece.words.len() as u64;
                    if stored < to - from || stored > to - number * chunk || !piece.bytes.is_empty() {
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

    fn chunk(&self, id: u32, window: u32, number: u64) -> Result<(Content<'a>, u64), String> {
        match self.index.chunks.get(&(id, window, number)) {
            Some(place) => Ok((self.index.chunk(*place), place.part)),
            None => Err(format!("lacks its chunk {number}")),
        }
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
    let timer = match flags & (v1::DUE | v1::FIRED) {
        0 => Timer::No,
        v1::DUE => Timer::Due(next(&mut rest)? as i64),
        v1::FIRED => Timer::Fired,
        _ => return Err(malformed()),
    };
    let mut name = None;
    if flags & v1::NAMED != 0 {
        let len = usize::try_from(next(&mut rest)?).ok().filter(|len| *len <= QUEUE_NAME_MAX).ok_or_else(malformed)?;
        let mut bytes = Vec::with_capacity(len + 8);
        for _ in 0..len.div_ceil(8) {
            bytes.extend(next(&mut rest)?.to_le_bytes());
        }
        bytes.truncate(len);
        let text = String::from_utf8(bytes).ok().filter(|text| is_queue_name(text));
        name = Some(text.ok_or_else(|| "is a queue whose name can't be one".to_owned())?.into());
    }
    let known = v1::CLOSED | v1::DUE | v1::FIRED | v1::NAMED;
    if *flags == 0 || flags & !known != 0 || !rest.is_empty() || (timer != Timer::No && name.is_some()) {
        return Err(malformed());
    }
    Ok(More { closed: flags & v1::CLOSED != 0, timer, name })
}

fn address(places: &HashMap<u32, Ref>, word: u64) -> u64 {
    let id = u32::try_from(word).expect("the slot was checked to be an id");
    places.get(&id).expect("whatever was met is loaded").slot()
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
    v1::OBJECT_BYTES + content.size()
}

fn size_of_big(content: &Content<'_>) -> u64 {
    v1::BIG_BYTES + content.size()
}

fn size_of_chunk(content: &Content<'_>) -> u64 {
    v1::CHUNK_BYTES + content.size()
}

fn malformed() -> String {
    "has a malformed record".to_owned()
}

fn no_memory(fault: Fault) -> String {
    format!("can't be loaded: {}", fault.message)
}

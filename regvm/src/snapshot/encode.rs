//! Writing a part: a small collection of its own, which goes from what changed after a commit through what else changed, and writes
//! what it meets. What was made after that commit and is no longer reached is not met, and so not written.
//!
//! Why that finds all: an object that did not change since then refers only to what was there then, and so is stored. Hence
//! whatever changed is reached from a changed frame, from a changed object that was stored then, or through other changed objects.

use super::ledger::{Ledger, first_frame};
use super::records;
use super::stands::Stand;
use super::v1::PartWriter;
use super::{SavedHead, SavedState, SavedTask, Tasks, datum};
use crate::heap::{CHUNK_BYTES, CHUNK_ENTRIES, CHUNK_SLOTS, Entry, Heap, Line, Plan, Queue, Raw, Ref, Timer, Window};
use crate::stop::Request;
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Module;
use deepslate_ir::planted::{Plant, is_planted};
use std::sync::Arc;

/// A part, and what the ledger has to know of it.
pub(super) struct Encoded {
    pub since: u64,
    pub level: u32,
    pub bytes: Vec<u8>,
    pub next_id: u32,
    /// The objects that were written: where, id, bytes of all their newest records.
    pub objects: Vec<(Ref, u32, u64)>,
    /// The ids of constants that are in no part any more.
    pub forgotten: Vec<u32>,
    pub tasks: Vec<EncodedTask>,
}

/// A task that was written.
pub(super) struct EncodedTask {
    pub id: u64,
    pub bytes: u64,
    pub first_frame: usize,
    pub frames: Vec<u64>,
}

/// Encodes what changed after commit `since`; everything if it is 0, and then all objects are numbered anew.
pub(super) fn encode(
    heap: &mut Heap,
    ledger: &Ledger,
    tasks: &dyn Tasks,
    number: u64,
    since: u64,
    level: u32,
) -> Encoded {
    let module = Arc::clone(heap.module());
    let next_id = if since == 0 { 1 } else { ledger.next_id };
    heap.begin_visit(since == 0);
    let out = PartWriter::new(number, since);
    let mut encoder = Encoder { heap, out, since, next_id, work: Vec::new(), objects: Vec::new() };
    if since > 0 && !is_planted(Plant::SnapshotDirty) {
        // What is stored and not open may refer to anything that was stored when it was restored.
        let known = if encoder.heap.has_unopened() { u32::MAX } else { ledger.next_id_at(since) };
        let dirty = encoder.heap.dirty().to_vec();
        for id in ledger.written_since(since).chain(dirty).filter(|id| *id < known) {
            if let Some(entry) = ledger.objects.get(&id) {
                encoder.reach(entry.at);
            }
        }
    }
    encoder.head(&module, &tasks.head());
    let tasks = tasks.changed(since).iter().map(|task| encoder.task(&module, task)).collect();
    encoder.follow();
    encoder.heap.pass_on(since, number, &mut encoder.out);
    for id in ledger.ended_since(since) {
        encoder.out.push_ended(id);
    }
    let Encoder { heap, out, next_id, objects, .. } = encoder;
    let forgotten = heap.forget_constants(since);
    Encoded { since, level, bytes: out.finish(next_id, level), next_id, objects, forgotten, tasks }
}

struct Encoder<'a> {
    heap: &'a mut Heap,
    out: PartWriter,
    since: u64,
    next_id: u32,
    /// Objects that are met and not written yet.
    work: Vec<Ref>,
    objects: Vec<(Ref, u32, u64)>,
}

impl Encoder<'_> {
    /// Meets an object: it will be written if it changed.
    fn reach(&mut self, object: Ref) {
        // What has no id was never written, whatever its mark says.
        let changed = self.heap.mark(object) > self.since || self.heap.id(object) == 0;
        if changed && self.heap.visit(object) {
            if self.heap.id(object) == 0 {
                self.heap.set_id(object, self.next_id);
                self.next_id += 1;
            }
            self.work.push(object);
        }
    }

    /// The stored form of a slot of reference type.
    fn reference(&mut self, slot: u64) -> u64 {
        if slot == 0 {
            return 0;
        }
        let object = Ref::from_slot(slot);
        match self.heap.known(object) {
            Some(open) => {
                self.reach(open);
                u64::from(self.heap.id(open))
            }
            // Its records stay as they are.
            None => u64::from(object.stored_as().1),
        }
    }

    /// The stored form of a slot of this type.
    fn slot(&mut self, module: &Module, ty: TypeId, slot: u64) -> u64 {
        if module.types.is_ref(ty) { self.reference(slot) } else { slot }
    }

    fn follow(&mut self) {
        while let Some(object) = self.work.pop() {
            let bytes = self.object(object);
            let id = self.heap.id(object);
            self.objects.push((object, id, bytes));
        }
    }

    fn head(&mut self, module: &Module, head: &SavedHead) {
        let ret = module.func(head.flow).ret;
        let result = head.result.map(|slot| self.slot(module, ret, slot));
        let mut words: Vec<u64> = result.into_iter().collect();
        if !head.named.is_empty() {
            words.push(head.named.len() as u64);
            for (ty, queue) in &head.named {
                words.extend([self.reference(*queue), u64::from(ty.0)]);
            }
        }
        words.extend(&head.ready);
        let has_result = if result.is_some() { records::HAS_RESULT } else { 0 };
        let has_named = if head.named.is_empty() { 0 } else { records::HAS_NAMED };
        let record = records::Head {
            next_task: head.next_task,
            next_step: head.next_step,
            flow: head.flow.0,
            has_result: has_result | has_named,
            words: 0,
        };
        self.out.push_head(record, &words);
    }

    fn task(&mut self, module: &Module, task: &SavedTask) -> EncodedTask {
        let first = first_frame(task);
        let mut frames = Vec::with_capacity(task.frames.len());
        for (index, frame) in task.frames.iter().enumerate() {
            let stop = module.func(frame.func).stop(frame.stop);
            debug_assert_eq!(stop.values.len(), frame.values.len(), "a frame has what its stop lists");
            let func = module.func(frame.func);
            let listed = stop.values.iter().zip(&frame.values);
            let words: Vec<u64> = listed.map(|(l, slot)| self.slot(module, func.ty(l.value), *slot)).collect();
            let depth = u32::try_from(first + index).expect("the depth of calls is limited");
            frames.push(self.out.push_frame(task.id, depth, frame.func.0, frame.stop.0, &words));
        }
        let mut bytes = Vec::new();
        let (state, words) = self.state(module, task, &mut bytes);
        let last_case = task.last_case.unwrap_or(u32::MAX);
        let record = records::Task { id: task.id, depth: task.depth, state, last_case, words: 0, bytes: 0 };
        let bytes = self.out.push_task(record, &words, &bytes);
        EncodedTask { id: task.id, bytes, first_frame: first, frames }
    }

    /// The number of a task's state, and its words; its bytes go to `bytes`.
    fn state(&mut self, module: &Module, task: &SavedTask, bytes: &mut Vec<u8>) -> (u32, Vec<u64>) {
        let stand = task.frames.last().map(|f| Stand { module, func: f.func, stop: f.stop });
        let stand = || stand.as_ref().expect("a task that has begun gives its innermost frame");
        match &task.state {
            SavedState::Start(func, args) => {
                let params = &module.func(*func).params;
                let args = params.iter().zip(args).map(|(p, slot)| self.slot(module, p.ty, *slot));
                (records::START, std::iter::once(u64::from(func.0)).chain(args).collect())
            }
            SavedState::Deliver(slot) => {
                let word = stand().result().map_or(0, |ty| self.slot(module, ty, *slot));
                (records::DELIVER, vec![word])
            }
            SavedState::Case(case, slot) => {
                let word = stand().element(*case).map_or(0, |ty| self.slot(module, ty, *slot));
                (records::CASE, vec![u64::from(*case), word])
            }
            SavedState::Fault(fault) => {
                bytes.extend_from_slice(fault.message.as_bytes());
                (records::FAULT, vec![fault.kind as u64])
            }
            SavedState::Call(step, Request::Sleep { seconds }) => (records::SLEEP, vec![*step, seconds.to_bits()]),
            SavedState::Call(step, Request::Host { host, args }) => {
                args.iter().for_each(|arg| datum::write(arg, bytes));
                (records::HOST, vec![*step, u64::from(host.0)])
            }
            SavedState::Put(slot) => (records::PUT, vec![self.reference(*slot)]),
            SavedState::Get(slot) => (records::GET, vec![self.reference(*slot)]),
            SavedState::Lock(slot) => (records::LOCK, vec![self.reference(*slot)]),
            SavedState::Group(slot) => (records::GROUP, vec![self.reference(*slot)]),
            SavedState::Select(queues) => (records::SELECT, queues.iter().map(|q| self.reference(*q)).collect()),
        }
    }

    /// Writes an object as far as it changed; gives the bytes of all its newest records.
    fn object(&mut self, object: Ref) -> u64 {
        let plans = self.heap.plans();
        let plan = &plans[self.heap.ty(object).index()];
        let (id, ty) = (self.heap.id(object), self.heap.ty(object).0);
        let mut words = Vec::new();
        match self.heap.raw(object) {
            Raw::Blob(content) if content.len() <= CHUNK_BYTES => self.out.push_object(id, ty, &[], content),
            Raw::Blob(content) => {
                let mut size = self.out.push_big(id, ty, &[content.len() as u64]);
                for (number, piece) in content.chunks(CHUNK_BYTES).enumerate() {
                    size += self.out.push_chunk(id, 0, number as u64, &[], piece);
                }
                size
            }
            Raw::Slots(slots) => {
                words.extend_from_slice(slots);
                if let Plan::Slots { refs, .. } = plan {
                    refs.iter().for_each(|i| words[*i as usize] = self.reference(words[*i as usize]));
                }
                self.out.push_object(id, ty, &words, &[])
            }
            Raw::List { items, marks: [] } => {
                words.extend_from_slice(items);
                self.convert(plan, &mut words);
                self.out.push_object(id, ty, &words, &[])
            }
            Raw::List { items, marks } => {
                let (len, chunks) = (items.len(), marks.len());
                let changed: Vec<usize> = (0..chunks).filter(|c| marks[*c] > self.since).collect();
                for number in changed {
                    let Raw::List { items, .. } = self.heap.raw(object) else { unreachable!("the object is a list") };
                    words.clear();
                    words.extend_from_slice(&items[number * CHUNK_SLOTS..len.min((number + 1) * CHUNK_SLOTS)]);
                    self.convert(plan, &mut words);
                    self.out.push_chunk(id, 0, number as u64, &words, &[]);
                }
                self.out.push_big(id, ty, &[len as u64]) + chunks as u64 * records::CHUNK_BYTES + len as u64 * 8
            }
            Raw::Dict { entries, marks: [], .. } => {
                let (len, gaps) = (entries.len(), gaps(entries));
                stored(plan, entries, &mut words);
                self.convert(plan, &mut words);
                let positions = (len as u32).to_le_bytes();
                let bytes = gaps.map_or(Vec::new(), |bits| [&positions[..], &bits].concat());
                self.out.push_object(id, ty, &words, &bytes)
            }
            Raw::Dict { entries, live, marks } => {
                let (len, chunks) = (entries.len(), marks.len());
                let changed: Vec<usize> = (0..chunks).filter(|c| marks[*c] > self.since).collect();
                for number in changed {
                    let Raw::Dict { entries, .. } = self.heap.raw(object) else { unreachable!("the object is a dict") };
                    let piece = &entries[number * CHUNK_ENTRIES..len.min((number + 1) * CHUNK_ENTRIES)];
                    let bits = gaps(piece).unwrap_or_default();
                    words.clear();
                    stored(plan, piece, &mut words);
                    self.convert(plan, &mut words);
                    self.out.push_chunk(id, 0, number as u64, &words, &bits);
                }
                let bits = if live < len { len.div_ceil(8) as u64 } else { 0 };
                let each = if matches!(plan, Plan::Dict { set: true, .. }) { 8 } else { 16 };
                let content = chunks as u64 * records::CHUNK_BYTES + live as u64 * each + bits;
                self.out.push_big(id, ty, &[len as u64]) + content
            }
            Raw::Queue(queue) => {
                let windows = [&queue.elements, &queue.getters.window, &queue.putters.window];
                words.push(queue.capacity as u64);
                let (big, more) = (queue.big, more_of(queue));
                self.windows(object, words, &windows.map(clone_changed(big, self.since)), big, plan, &more)
            }
            Raw::Lock(lock) => {
                words.push(u64::from(lock.held));
                let (Line { window, .. }, big) = (&lock.line, lock.big);
                self.windows(object, words, &[clone_changed(big, self.since)(window)], big, plan, &[])
            }
            Raw::WaitGroup(group) => {
                words.push(group.count as u64);
                let (Line { window, .. }, big) = (&group.line, group.big);
                self.windows(object, words, &[clone_changed(big, self.since)(window)], big, plan, &[])
            }
        }
    }

    /// Writes an object that is made of windows: `words` has what stands before them, `more` what stands after them.
    fn windows(
        &mut self,
        object: Ref,
        mut words: Vec<u64>,
        windows: &[Pieces],
        big: bool,
        plan: &Plan,
        more: &[u64],
    ) -> u64 {
        let (id, ty) = (self.heap.id(object), self.heap.ty(object).0);
        for window in windows {
            words.extend_from_slice(&[window.first, window.len]);
        }
        let refs = matches!(plan, Plan::Queue { refs: true, .. });
        let mut size = 0;
        for (index, window) in windows.iter().enumerate() {
            for (number, from, slots) in &window.pieces {
                let mut slots = slots.clone();
                for (at, slot) in slots.iter_mut().enumerate() {
                    // Elements, and of those who wait to put every third slot.
                    let element = index == 0 || (index == 2 && (from + at as u64 - window.first) % 3 == 2);
                    if refs && element {
                        *slot = self.reference(*slot);
                    }
                }
                if big {
                    self.out.push_chunk(id, index as u32, *number, &slots, &[]);
                } else {
                    words.extend_from_slice(&slots);
                }
            }
            size += if big { window.chunks * records::CHUNK_BYTES + window.len * 8 } else { 0 };
        }
        words.extend_from_slice(more);
        if big {
            return size + self.out.push_big(id, ty, &words);
        }
        self.out.push_object(id, ty, &words, &[])
    }

    /// Puts ids in the place of references in the elements of a list, or the keys and values of a dict.
    fn convert(&mut self, plan: &Plan, words: &mut [u64]) {
        let (even, odd) = match plan {
            Plan::List { refs, .. } => (*refs, *refs),
            Plan::Dict { key_refs, set: true, .. } => (*key_refs, *key_refs),
            Plan::Dict { key_refs, value_refs, .. } => (*key_refs, *value_refs),
            _ => (false, false),
        };
        if even || odd {
            for (at, word) in words.iter_mut().enumerate() {
                if if at % 2 == 0 { even } else { odd } {
                    *word = self.reference(*word);
                }
            }
        }
    }
}

/// What few queues have, as words: nothing where there is none of it.
fn more_of(queue: &Queue) -> Vec<u64> {
    let closed = if queue.closed { records::CLOSED } else { 0 };
    let (timer, due) = match queue.timer {
        Timer::No => (0, None),
        Timer::Due(due_ms) => (records::DUE, Some(due_ms as u64)),
        Timer::Fired => (records::FIRED, None),
    };
    let named = if queue.name.is_some() { records::NAMED } else { 0 };
    let flags = closed | timer | named;
    if flags == 0 {
        return Vec::new();
    }
    let mut words = vec![flags];
    words.extend(due);
    if let Some(name) = &queue.name {
        words.push(name.len() as u64);
        for piece in name.as_bytes().chunks(8) {
            let mut eight = [0; 8];
            eight[..piece.len()].copy_from_slice(piece);
            words.push(u64::from_le_bytes(eight));
        }
    }
    words
}

/// The slots of a window that are to be written, piece by piece.
struct Pieces {
    first: u64,
    len: u64,
    chunks: u64,
    /// The number of the chunk, the position of its first slot, its slots.
    pieces: Vec<(u64, u64, Vec<u64>)>,
}

/// Copies the chunks of a window that changed, or all of it as one piece if it is written whole.
fn clone_changed(big: bool, since: u64) -> impl Fn(&Window) -> Pieces {
    move |window| {
        let (first, len) = (window.first, window.slots.len() as u64);
        let chunks = window.chunks();
        let total = chunks.end - chunks.start;
        let pieces = if big {
            let changed = chunks.clone().filter(|c| window.marks[(c - chunks.start) as usize] > since);
            let piece = |number: u64| {
                let size = CHUNK_SLOTS as u64;
                let from = first.max(number * size);
                let to = window.end().min((number + 1) * size);
                let range = (from - first) as usize..(to - first) as usize;
                (number, from, window.slots.range(range).copied().collect())
            };
            changed.map(piece).collect()
        } else {
            vec![(0, first, window.slots.iter().copied().collect())]
        };
        Pieces { first, len, chunks: total, pieces }
    }
}

/// A bit for each position, set where an entry is; nothing if there are no gaps.
fn gaps(entries: &[Entry]) -> Option<Vec<u8>> {
    if entries.iter().all(Entry::is_live) {
        return None;
    }
    let mut bits = vec![0u8; entries.len().div_ceil(8)];
    for (at, _) in entries.iter().enumerate().filter(|(_, e)| e.is_live()) {
        bits[at / 8] |= 1 << (at % 8);
    }
    Some(bits)
}

/// The words of entries: key and value of each of a dict, each element of a set.
fn stored(plan: &Plan, entries: &[Entry], words: &mut Vec<u64>) {
    let set = matches!(plan, Plan::Dict { set: true, .. });
    for entry in entries.iter().filter(|e| e.is_live()) {
        words.extend_from_slice(&[entry.key, entry.value][..if set { 1 } else { 2 }]);
    }
}

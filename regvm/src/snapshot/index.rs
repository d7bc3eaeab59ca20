//! Where the newest record of everything is in the parts of a snapshot. Frames, tasks and the head are read at once; which block
//! an object is in the parts' directories say, and the block is read when the object is wanted.

use super::SnapshotError;
use super::records::{Frame, Head, Task};
use super::v1::{self, ChunkKey, OpenBlock, PartHeader, PartWriter, Start, StoredBlock, StoredPart};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// Where a record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// Which of the parts that were read, from the oldest.
    read: usize,
    block: usize,
    record: usize,
    /// The number of the part that holds it now.
    pub part: u64,
}

/// An object's record: in one piece, or the head of one in chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ObjectPlace {
    pub place: Place,
    pub big: bool,
}

/// The content of a record.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    pub words: &'a [u64],
    pub bytes: &'a [u8],
}

impl Content<'_> {
    /// The bytes that it takes, those of its record aside.
    pub fn size(&self) -> u64 {
        (self.words.len() * 8 + self.bytes.len()) as u64
    }
}

/// The newest records.
pub(super) struct Index {
    parts: Vec<ReadPart>,
    /// By task and depth.
    pub frames: HashMap<(u64, u32), Place>,
    pub tasks: BTreeMap<u64, Place>,
    /// The first part that names each task.
    pub task_first: HashMap<u64, u64>,
    /// The part that says that a task has ended.
    pub ended: HashMap<u64, u64>,
    /// The newest head.
    pub head: Option<Place>,
}

/// A part as it was read.
struct ReadPart {
    header: PartHeader,
    bytes: u64,
    blocks: Vec<StoredBlock>,
    /// The blocks that have objects in one piece, objects in chunks, and chunks; what is in them rises from block to block.
    with_objects: Vec<usize>,
    with_bigs: Vec<usize>,
    with_chunks: Vec<usize>,
    /// The number of the part that holds by now what was in this one and is still the newest.
    number: u64,
}

impl ReadPart {
    fn new(part: StoredPart) -> Result<ReadPart, String> {
        let StoredPart { header, bytes, blocks } = part;
        let with = |has: fn(&StoredBlock) -> bool| -> Vec<usize> {
            blocks.iter().enumerate().filter(|(_, block)| has(block)).map(|(at, _)| at).collect()
        };
        let (with_objects, with_bigs) = (with(|b| b.entry.objects[0] > 0), with(|b| b.entry.bigs[0] > 0));
        let with_chunks = with(|b| b.entry.chunks[0].id > 0);
        let rises = with_objects.is_sorted_by(|a, b| blocks[*a].entry.objects[1] < blocks[*b].entry.objects[0])
            && with_bigs.is_sorted_by(|a, b| blocks[*a].entry.bigs[1] < blocks[*b].entry.bigs[0])
            && with_chunks.is_sorted_by(|a, b| blocks[*a].entry.chunks[1] < blocks[*b].entry.chunks[0]);
        if !rises {
            return Err("its directory is not in order".to_owned());
        }
        Ok(ReadPart { header, bytes, blocks, with_objects, with_bigs, with_chunks, number: header.number })
    }

    fn open(&self, block: usize) -> Result<&OpenBlock, SnapshotError> {
        let open = self.blocks[block].open(self.header.next_id);
        open.map_err(|message| SnapshotError { part: Some(self.number), message })
    }

    /// The block, which was read when the place was found.
    fn opened(&self, block: usize) -> &OpenBlock {
        self.blocks[block]
            .open(self.header.next_id)
            .unwrap_or_else(|_| unreachable!("a place is in a block that was read"))
    }
}

impl Index {
    /// Takes the parts apart, checks that they belong together, and reads what is not objects.
    pub fn of(parts: &[(u64, bytes::Bytes)]) -> Result<Index, SnapshotError> {
        if parts.is_empty() {
            return Err(SnapshotError { part: None, message: "it has no parts".to_owned() });
        }
        let mut index = Index {
            parts: Vec::with_capacity(parts.len()),
            frames: HashMap::new(),
            tasks: BTreeMap::new(),
            task_first: HashMap::new(),
            ended: HashMap::new(),
            head: None,
        };
        let mut before = 0;
        for (number, bytes) in parts {
            let bad = |message| SnapshotError { part: Some(*number), message };
            let part = v1::open_part(bytes).map_err(bad)?;
            let header = part.header;
            if header.number != *number {
                return Err(bad(format!("it says that it is part {}", header.number)));
            }
            if header.since != before || header.number <= before {
                let message = format!("it goes on from commit {}, but the part before it is {before}", header.since);
                return Err(bad(if before == 0 { format!("{message} (0 is none)") } else { message }));
            }
            if header.number == u64::MAX {
                return Err(bad("its number is the highest there is".to_owned()));
            }
            before = header.number;
            index.parts.push(ReadPart::new(part).map_err(bad)?);
            index.read_state()?;
            if index.head.is_none_or(|head| head.part != *number) {
                return Err(bad("it has no head".to_owned()));
            }
        }
        Ok(index)
    }

    /// Reads frames, tasks and head of the part that came last.
    fn read_state(&mut self) -> Result<(), SnapshotError> {
        let read = self.parts.len() - 1;
        let ReadPart { number: part, .. } = self.parts[read];
        for block in 0..self.parts[read].blocks.len() {
            if !self.parts[read].blocks[block].entry.state {
                continue;
            }
            let bad = |message| SnapshotError { part: Some(part), message };
            let open = self.parts[read].open(block)?;
            let at = |record| Place { read, block, record, part };
            for (record, frame) in open.block.frames.iter().enumerate() {
                let old = self.frames.insert((frame.task, frame.depth), at(record));
                newest(old, part, || format!("frame {} of task {}", frame.depth, frame.task)).map_err(bad)?;
            }
            for (record, task) in open.block.tasks.iter().enumerate() {
                newest(self.tasks.insert(task.id, at(record)), part, || format!("task {}", task.id)).map_err(bad)?;
                self.task_first.entry(task.id).or_insert(part);
            }
            self.ended.extend(open.block.ended.iter().map(|task| (*task, part)));
            for record in 0..open.block.heads.len() {
                newest(self.head.replace(at(record)), part, || "the head".to_owned()).map_err(bad)?;
            }
        }
        Ok(())
    }

    /// Header and size in bytes of each part, oldest first.
    pub fn headers(&self) -> impl Iterator<Item = (PartHeader, u64)> + '_ {
        self.parts.iter().map(|part| (part.header, part.bytes))
    }

    /// The newest record of an object, if it has one.
    pub fn object(&self, id: u32) -> Result<Option<ObjectPlace>, SnapshotError> {
        for (read, part) in self.parts.iter().enumerate().rev() {
            let at = |block, record| Place { read, block, record, part: part.number };
            let blocks = &part.with_objects;
            let near = blocks.partition_point(|block| part.blocks[*block].entry.objects[1] < id);
            if let Some(block) = blocks.get(near).filter(|block| part.blocks[**block].entry.objects[0] <= id)
                && let Ok(record) = part.open(*block)?.block.objects.binary_search_by_key(&id, |object| object.id)
            {
                return Ok(Some(ObjectPlace { place: at(*block, record), big: false }));
            }
            let blocks = &part.with_bigs;
            let near = blocks.partition_point(|block| part.blocks[*block].entry.bigs[1] < id);
            if let Some(block) = blocks.get(near).filter(|block| part.blocks[**block].entry.bigs[0] <= id)
                && let Ok(record) = part.open(*block)?.block.bigs.binary_search_by_key(&id, |big| big.id)
            {
                return Ok(Some(ObjectPlace { place: at(*block, record), big: true }));
            }
        }
        Ok(None)
    }

    /// The newest record of a chunk, if it has one.
    pub fn chunk(&self, key: ChunkKey) -> Result<Option<Place>, SnapshotError> {
        for (read, part) in self.parts.iter().enumerate().rev() {
            let blocks = &part.with_chunks;
            let near = blocks.partition_point(|block| part.blocks[*block].entry.chunks[1] < key);
            if let Some(block) = blocks.get(near).filter(|block| part.blocks[**block].entry.chunks[0] <= key)
                && let Ok(record) = part.open(*block)?.block.chunks.binary_search_by_key(&key, |chunk| chunk.key())
            {
                return Ok(Some(Place { read, block: *block, record, part: part.number }));
            }
        }
        Ok(None)
    }

    /// The type of an object, as its record says.
    pub fn object_type(&self, at: ObjectPlace) -> u32 {
        let block = &self.opened(at.place).block;
        if at.big { block.bigs[at.place.record].ty } else { block.objects[at.place.record].ty }
    }

    /// The content of an object's record.
    pub fn content_of(&self, at: ObjectPlace) -> Content<'_> {
        let (open, record) = (self.opened(at.place), at.place.record);
        if at.big {
            content(open, open.bigs[record], open.block.bigs[record].words, 0)
        } else {
            let object = &open.block.objects[record];
            content(open, open.objects[record], object.words, object.bytes)
        }
    }

    /// The content of a chunk.
    pub fn content_of_chunk(&self, at: Place) -> Content<'_> {
        let open = self.opened(at);
        let chunk = &open.block.chunks[at.record];
        content(open, open.chunks[at.record], chunk.words, chunk.bytes)
    }

    /// A frame.
    pub fn frame(&self, at: Place) -> (&Frame, Content<'_>) {
        let open = self.opened(at);
        let frame = &open.block.frames[at.record];
        (frame, content(open, open.frames[at.record], frame.words, 0))
    }

    /// A task.
    pub fn task(&self, at: Place) -> (&Task, Content<'_>) {
        let open = self.opened(at);
        let task = &open.block.tasks[at.record];
        (task, content(open, open.tasks[at.record], task.words, task.bytes))
    }

    /// A head.
    pub fn head(&self, at: Place) -> (&Head, Content<'_>) {
        let open = self.opened(at);
        let head = &open.block.heads[at.record];
        (head, content(open, open.heads[at.record], head.words, 0))
    }

    /// Copies, of all parts after commit `since`, the newest records of objects that are not `open` to the part that takes their
    /// place, which has this number.
    pub fn pass_on(
        &mut self,
        since: u64,
        number: u64,
        is_open: &dyn Fn(u32) -> bool,
        out: &mut PartWriter,
    ) -> Result<(), SnapshotError> {
        for (read, part) in self.parts.iter().enumerate().filter(|(_, part)| part.number > since) {
            for block in 0..part.blocks.len() {
                let open = part.open(block)?;
                let at = |record| Place { read, block, record, part: part.number };
                for (record, object) in open.block.objects.iter().enumerate() {
                    let here = ObjectPlace { place: at(record), big: false };
                    if !is_open(object.id) && self.object(object.id)? == Some(here) {
                        let Content { words, bytes } = self.content_of(here);
                        out.push_object(object.id, object.ty, words, bytes);
                    }
                }
                for (record, big) in open.block.bigs.iter().enumerate() {
                    let here = ObjectPlace { place: at(record), big: true };
                    if !is_open(big.id) && self.object(big.id)? == Some(here) {
                        out.push_big(big.id, big.ty, self.content_of(here).words);
                    }
                }
                for (record, chunk) in open.block.chunks.iter().enumerate() {
                    if !is_open(chunk.id) && self.chunk(chunk.key())? == Some(at(record)) {
                        let Content { words, bytes } = self.content_of_chunk(at(record));
                        out.push_chunk(chunk.id, chunk.window, chunk.number, words, bytes);
                    }
                }
            }
        }
        for part in self.parts.iter_mut().filter(|part| part.number > since) {
            part.number = number;
        }
        Ok(())
    }

    fn opened(&self, at: Place) -> &OpenBlock {
        self.parts[at.read].opened(at.block)
    }
}

/// The cursor that found where records begin has checked the bounds.
fn content(open: &OpenBlock, start: Start, words: u32, bytes: u32) -> Content<'_> {
    Content {
        words: &open.block.words[start.words..start.words + words as usize],
        bytes: &open.block.bytes[start.bytes..start.bytes + bytes as usize],
    }
}

/// Fails where one part has two records of one thing.
fn newest(old: Option<Place>, part: u64, what: impl Fn() -> String) -> Result<(), String> {
    match old {
        Some(old) if old.part == part => Err(format!("it has {} twice", what())),
        _ => Ok(()),
    }
}

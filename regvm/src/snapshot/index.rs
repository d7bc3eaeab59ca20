//! Where the newest record of everything is in the parts of a snapshot. Nothing is believed yet but checksums and the archive's own
//! structure; records are read when something refers to them.

use super::SnapshotError;
use super::v1::{self, ArchivedBlock, ArchivedFrame, ArchivedHead, ArchivedTask};
use hashbrown::HashMap;
use rkyv::util::AlignedVec;
use std::collections::BTreeMap;

/// A part whose blocks are copied out of it.
pub(super) struct OpenPart {
    pub header: v1::PartHeader,
    /// How many bytes the part has.
    pub bytes: u64,
    pub blocks: Vec<AlignedVec>,
}

/// Where a record is, and where its words and bytes begin.
#[derive(Clone, Copy)]
pub(super) struct Place {
    block: u32,
    record: u32,
    words: u32,
    bytes: u32,
    /// The number of its part.
    pub part: u64,
}

/// An object's record: in one piece, or the head of one in chunks.
#[derive(Clone, Copy)]
pub(super) struct ObjectPlace {
    pub place: Place,
    pub big: bool,
}

/// The content of a record.
pub(super) struct Content<'a> {
    pub words: Vec<u64>,
    pub bytes: &'a [u8],
}

impl Content<'_> {
    /// The bytes that it takes, those of its record aside.
    pub fn size(&self) -> u64 {
        (self.words.len() * 8 + self.bytes.len()) as u64
    }
}

/// The newest records.
pub(super) struct Index<'a> {
    blocks: Vec<&'a ArchivedBlock>,
    pub objects: HashMap<u32, ObjectPlace>,
    /// By object, window and number.
    pub chunks: HashMap<(u32, u32, u64), Place>,
    /// By task and depth.
    pub frames: HashMap<(u64, u32), Place>,
    pub tasks: BTreeMap<u64, Place>,
    /// The first part that names each task.
    pub task_first: HashMap<u64, u64>,
    /// The part that says that a task has ended.
    pub ended: HashMap<u64, u64>,
    /// The newest head.
    pub head: Option<Place>,
    /// The ids of the objects in each part, oldest part first.
    pub ids: Vec<Vec<u32>>,
}

/// Takes the parts apart and checks that they belong together.
pub(super) fn open_parts(parts: &[(u64, bytes::Bytes)]) -> Result<Vec<OpenPart>, SnapshotError> {
    if parts.is_empty() {
        return Err(SnapshotError { part: None, message: "it has no parts".to_owned() });
    }
    let mut before = 0;
    let mut out = Vec::with_capacity(parts.len());
    for (number, bytes) in parts {
        let bad = |message| SnapshotError { part: Some(*number), message };
        let (header, blocks) = v1::open_part(bytes).map_err(bad)?;
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
        out.push(OpenPart { header, bytes: bytes.len() as u64, blocks });
    }
    Ok(out)
}

impl<'a> Index<'a> {
    /// Reads where records are.
    pub fn of(parts: &'a [OpenPart]) -> Result<Index<'a>, SnapshotError> {
        let mut index = Index {
            blocks: Vec::new(),
            objects: HashMap::new(),
            chunks: HashMap::new(),
            frames: HashMap::new(),
            tasks: BTreeMap::new(),
            task_first: HashMap::new(),
            ended: HashMap::new(),
            head: None,
            ids: Vec::new(),
        };
        for part in parts {
            let number = part.header.number;
            let bad = |message| SnapshotError { part: Some(number), message };
            let open = |archive| v1::open_block(archive).map_err(bad);
            let blocks: Vec<&ArchivedBlock> = part.blocks.iter().map(open).collect::<Result<_, _>>()?;
            // Growing step by step costs more than all the rest where there are many.
            let objects = blocks.iter().map(|b| b.objects.len() + b.bigs.len()).sum();
            index.objects.reserve(objects);
            index.chunks.reserve(blocks.iter().map(|b| b.chunks.len()).sum());
            index.ids.push(Vec::with_capacity(objects));
            for block in blocks {
                index.add(block, &part.header).map_err(bad)?;
            }
            if index.head.is_none_or(|head| head.part != number) {
                return Err(bad("it has no head".to_owned()));
            }
        }
        Ok(index)
    }

    fn add(&mut self, block: &'a ArchivedBlock, header: &v1::PartHeader) -> Result<(), String> {
        let number = u32::try_from(self.blocks.len()).map_err(|_| "too many blocks".to_owned())?;
        self.blocks.push(block);
        let mut cursor = Cursor { block, number, part: header.number, words: 0, bytes: 0 };
        let part = header.number;
        for (record, object) in block.objects.iter().enumerate() {
            let place = cursor.take(record, object.words.to_native(), object.bytes.to_native())?;
            self.add_object(object.id.to_native(), ObjectPlace { place, big: false }, header)?;
        }
        for (record, big) in block.bigs.iter().enumerate() {
            let place = cursor.take(record, big.words.to_native(), 0)?;
            self.add_object(big.id.to_native(), ObjectPlace { place, big: true }, header)?;
        }
        for (record, chunk) in block.chunks.iter().enumerate() {
            let place = cursor.take(record, chunk.words.to_native(), chunk.bytes.to_native())?;
            let key = (chunk.id.to_native(), chunk.window.to_native(), chunk.number.to_native());
            newest(self.chunks.insert(key, place), part, || format!("chunk {} of object {}", key.2, key.0))?;
        }
        for (record, frame) in block.frames.iter().enumerate() {
            let place = cursor.take(record, frame.words.to_native(), 0)?;
            let key = (frame.task.to_native(), frame.depth.to_native());
            newest(self.frames.insert(key, place), part, || format!("frame {} of task {}", key.1, key.0))?;
        }
        for (record, task) in block.tasks.iter().enumerate() {
            let place = cursor.take(record, task.words.to_native(), task.bytes.to_native())?;
            let id = task.id.to_native();
            newest(self.tasks.insert(id, place), part, || format!("task {id}"))?;
            self.task_first.entry(id).or_insert(part);
        }
        for task in block.ended.iter() {
            self.ended.insert(task.to_native(), part);
        }
        for (record, head) in block.heads.iter().enumerate() {
            let place = cursor.take(record, head.words.to_native(), 0)?;
            newest(self.head.replace(place), part, || "the head".to_owned())?;
        }
        cursor.finish()
    }

    fn add_object(&mut self, id: u32, place: ObjectPlace, header: &v1::PartHeader) -> Result<(), String> {
        if id == 0 || id >= header.next_id {
            return Err(format!("it has an object with the id {id}, which was not given"));
        }
        if let Some(ids) = self.ids.last_mut() {
            ids.push(id);
        }
        newest(self.objects.insert(id, place).map(|o| o.place), header.number, || format!("object {id}"))
    }

    /// The type of an object, as its record says.
    pub fn object_type(&self, at: ObjectPlace) -> u32 {
        let (block, record) = self.record(at.place);
        if at.big { block.bigs[record].ty.to_native() } else { block.objects[record].ty.to_native() }
    }

    /// The content of an object's record.
    pub fn object(&self, at: ObjectPlace) -> Content<'a> {
        let (block, record) = self.record(at.place);
        let (words, bytes) = match at.big {
            true => (block.bigs[record].words.to_native(), 0),
            false => (block.objects[record].words.to_native(), block.objects[record].bytes.to_native()),
        };
        self.content(at.place, words, bytes)
    }

    /// The content of a chunk.
    pub fn chunk(&self, at: Place) -> Content<'a> {
        let (block, record) = self.record(at);
        self.content(at, block.chunks[record].words.to_native(), block.chunks[record].bytes.to_native())
    }

    /// A frame.
    pub fn frame(&self, at: Place) -> (&'a ArchivedFrame, Content<'a>) {
        let (block, record) = self.record(at);
        (&block.frames[record], self.content(at, block.frames[record].words.to_native(), 0))
    }

    /// A task.
    pub fn task(&self, at: Place) -> (&'a ArchivedTask, Content<'a>) {
        let (block, record) = self.record(at);
        let task = &block.tasks[record];
        (task, self.content(at, task.words.to_native(), task.bytes.to_native()))
    }

    /// A head.
    pub fn head(&self, at: Place) -> (&'a ArchivedHead, Content<'a>) {
        let (block, record) = self.record(at);
        (&block.heads[record], self.content(at, block.heads[record].words.to_native(), 0))
    }

    fn record(&self, at: Place) -> (&'a ArchivedBlock, usize) {
        (self.blocks[at.block as usize], at.record as usize)
    }

    /// Places are made by a cursor, which has checked the bounds.
    fn content(&self, at: Place, words: u32, bytes: u32) -> Content<'a> {
        let block = self.blocks[at.block as usize];
        let (from, to) = (at.words as usize, at.words as usize + words as usize);
        let words = block.words[from..to].iter().map(|w| w.to_native()).collect();
        let bytes = &block.bytes[at.bytes as usize..at.bytes as usize + bytes as usize];
        Content { words, bytes }
    }
}

/// Fails where one part has two records of one thing.
fn newest(old: Option<Place>, part: u64, what: impl Fn() -> String) -> Result<(), String> {
    match old {
        Some(old) if old.part == part => Err(format!("it has {} twice", what())),
        _ => Ok(()),
    }
}

/// Goes through the runs of a block, record by record.
struct Cursor<'a> {
    block: &'a ArchivedBlock,
    number: u32,
    part: u64,
    words: u32,
    bytes: u32,
}

impl Cursor<'_> {
    fn take(&mut self, record: usize, words: u32, bytes: u32) -> Result<Place, String> {
        let end = |from: u32, len: u32, all: usize| from.checked_add(len).filter(|end| *end as usize <= all);
        let next_words = end(self.words, words, self.block.words.len());
        let next_bytes = end(self.bytes, bytes, self.block.bytes.len());
        let (Some(next_words), Some(next_bytes)) = (next_words, next_bytes) else {
            return Err("a record is longer than its block".to_owned());
        };
        let record = u32::try_from(record).map_err(|_| "too many records".to_owned())?;
        let place = Place { block: self.number, record, words: self.words, bytes: self.bytes, part: self.part };
        (self.words, self.bytes) = (next_words, next_bytes);
        Ok(place)
    }

    fn finish(&self) -> Result<(), String> {
        if self.words as usize == self.block.words.len() && self.bytes as usize == self.block.bytes.len() {
            Ok(())
        } else {
            Err("a block has content that belongs to no record".to_owned())
        }
    }
}

//! Format 1 of a part: how records are framed. Every field has a fixed meaning, and nothing may change any more once it is released.
//!
//! A part is magic, format, form, a checksum and its content in one of two forms:
//!
//! - *compact*, for a small one: header and one block as postcard writes them. The checksum covers all.
//! - *blocks*: the length of the directory, the directory as rkyv archives it (the header, and of each block its length, its checksum, whether it
//!   has anything but objects, and which objects and chunks are in it), then the blocks, each a `Block` as rkyv archives it, of
//!   bounded size. The checksum covers everything before the blocks.
//!
//! Objects, big objects and chunks are in order throughout a part, so that one is found by its id without reading blocks that it
//! is not in; whatever must be read at once, frames, tasks and the head, is together in the last blocks.

use super::records::*;
use bytes::Bytes;
use rkyv::rancor::Error;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};
use std::cell::OnceCell;

const MAGIC: [u8; 8] = *b"DSLTPART";
/// The format's number.
pub(super) const FORMAT: u32 = 1;
const COMPACT: u8 = 0;
const BLOCKS: u8 = 1;
/// Magic, format, form, checksum.
const PREFIX_BYTES: usize = 17;
/// The prefix and the length of the directory.
const DIRECTORY_AT: usize = PREFIX_BYTES + 4;

/// A block is closed once it holds this many bytes; a single record may make it larger.
pub(super) const BLOCK_BYTES: usize = 64 << 10;
/// A part with fewer bytes in its records has the compact form.
const COMPACT_BELOW: usize = 4 << 10;

/// The header of a part.
#[derive(Archive, Serialize, Deserialize, serde::Serialize, serde::Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PartHeader {
    /// The commit's number.
    pub number: u64,
    /// The part holds what changed after this commit.
    pub since: u64,
    /// Every persistent id in this part and those before it is lower.
    pub next_id: u32,
    /// How often what is in it was merged before.
    pub level: u32,
}

#[derive(Archive, Serialize, Deserialize)]
struct Directory {
    header: PartHeader,
    blocks: Vec<Entry>,
}

/// What is told of a block without reading it. No id is 0, which stands for a kind of which it has none.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Entry {
    len: u32,
    checksum: u32,
    /// Whether it has frames, tasks, ended tasks or the head.
    pub state: bool,
    /// The first and the last object in one piece.
    pub objects: [u32; 2],
    /// The first and the last object in chunks.
    pub bigs: [u32; 2],
    /// The first and the last chunk.
    pub chunks: [ChunkKey; 2],
}

/// What a chunk is found by.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct ChunkKey {
    pub id: u32,
    pub window: u32,
    pub number: u64,
}

impl Chunk {
    pub(super) fn key(&self) -> ChunkKey {
        ChunkKey { id: self.id, window: self.window, number: self.number }
    }
}

/// Where the content of a record is, in words and bytes of the part while it is written, of its block once it is read.
#[derive(Clone, Copy, Default)]
pub(super) struct Start {
    pub words: usize,
    pub bytes: usize,
}

/// Gathers records, and makes a part of them.
pub(crate) struct PartWriter {
    header: PartHeader,
    words: Vec<u64>,
    bytes: Vec<u8>,
    objects: Vec<(Object, Start)>,
    bigs: Vec<(Big, Start)>,
    chunks: Vec<(Chunk, Start)>,
    frames: Vec<(Frame, Start)>,
    tasks: Vec<(Task, Start)>,
    ended: Vec<u64>,
    heads: Vec<(Head, Start)>,
    filled: usize,
}

impl PartWriter {
    /// A part with no record yet.
    pub fn new(number: u64, since: u64) -> PartWriter {
        PartWriter {
            header: PartHeader { number, since, next_id: 0, level: 0 },
            words: Vec::new(),
            bytes: Vec::new(),
            objects: Vec::new(),
            bigs: Vec::new(),
            chunks: Vec::new(),
            frames: Vec::new(),
            tasks: Vec::new(),
            ended: Vec::new(),
            heads: Vec::new(),
            filled: 0,
        }
    }

    /// An object in one piece; gives the bytes that it takes, as all these methods do.
    pub fn push_object(&mut self, id: u32, ty: u32, words: &[u64], bytes: &[u8]) -> u64 {
        let (start, size) = self.fill(OBJECT_BYTES, words, bytes);
        self.objects.push((Object { id, ty, words: count(words.len()), bytes: count(bytes.len()) }, start));
        size
    }

    /// The head of an object in chunks.
    pub fn push_big(&mut self, id: u32, ty: u32, words: &[u64]) -> u64 {
        let (start, size) = self.fill(BIG_BYTES, words, &[]);
        self.bigs.push((Big { id, ty, words: count(words.len()) }, start));
        size
    }

    /// A chunk.
    pub fn push_chunk(&mut self, id: u32, window: u32, number: u64, words: &[u64], bytes: &[u8]) -> u64 {
        let (start, size) = self.fill(CHUNK_BYTES, words, bytes);
        let chunk = Chunk { number, id, window, words: count(words.len()), bytes: count(bytes.len()) };
        self.chunks.push((chunk, start));
        size
    }

    /// A frame.
    pub fn push_frame(&mut self, task: u64, depth: u32, func: u32, stop: u32, words: &[u64]) -> u64 {
        let (start, size) = self.fill(FRAME_BYTES, words, &[]);
        self.frames.push((Frame { task, depth, func, stop, words: count(words.len()) }, start));
        size
    }

    /// A task; `words` and `bytes` of the record are those given.
    pub fn push_task(&mut self, task: Task, words: &[u64], bytes: &[u8]) -> u64 {
        let (start, size) = self.fill(TASK_BYTES, words, bytes);
        self.tasks.push((Task { words: count(words.len()), bytes: count(bytes.len()), ..task }, start));
        size
    }

    /// A task that has ended.
    pub fn push_ended(&mut self, task: u64) {
        self.ended.push(task);
    }

    /// The head; its `words` are those given.
    pub fn push_head(&mut self, head: Head, words: &[u64]) -> u64 {
        let (start, size) = self.fill(HEAD_BYTES, words, &[]);
        self.heads.push((Head { words: count(words.len()), ..head }, start));
        size
    }

    fn fill(&mut self, record: u64, words: &[u64], bytes: &[u8]) -> (Start, u64) {
        let start = Start { words: self.words.len(), bytes: self.bytes.len() };
        self.words.extend_from_slice(words);
        self.bytes.extend_from_slice(bytes);
        let size = record as usize + words.len() * 8 + bytes.len();
        self.filled += size;
        (start, size as u64)
    }

    /// The bytes of the part.
    pub fn finish(mut self, next_id: u32, level: u32) -> Vec<u8> {
        (self.header.next_id, self.header.level) = (next_id, level);
        self.objects.sort_unstable_by_key(|(object, _)| object.id);
        self.bigs.sort_unstable_by_key(|(big, _)| big.id);
        self.chunks.sort_unstable_by_key(|(chunk, _)| chunk.key());
        let compact = self.filled < COMPACT_BELOW;
        let mut packer = Packer { from: &self, block: Block::default(), filled: 0, blocks: Vec::new() };
        packer.pack(if compact { usize::MAX } else { BLOCK_BYTES });
        let mut out = Vec::with_capacity(self.filled + 512);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.push(if compact { COMPACT } else { BLOCKS });
        out.extend_from_slice(&[0; 4]);
        if compact {
            let block = packer.blocks.pop().expect("a part has a block");
            let written = postcard::to_extend(&(self.header, block), out);
            out = written.expect("numbers and runs of them are written to memory");
        } else {
            packer.write(&mut out);
        }
        seal(&mut out);
        out
    }
}

/// Puts the records of a part into blocks.
struct Packer<'a> {
    from: &'a PartWriter,
    block: Block,
    filled: usize,
    blocks: Vec<Block>,
}

impl Packer<'_> {
    fn pack(&mut self, block_bytes: usize) {
        let from = self.from;
        for (object, start) in &from.objects {
            self.take(*start, object.words, object.bytes, OBJECT_BYTES, block_bytes);
            self.block.objects.push(*object);
        }
        for (big, start) in &from.bigs {
            self.take(*start, big.words, 0, BIG_BYTES, block_bytes);
            self.block.bigs.push(*big);
        }
        for (chunk, start) in &from.chunks {
            self.take(*start, chunk.words, chunk.bytes, CHUNK_BYTES, block_bytes);
            self.block.chunks.push(*chunk);
        }
        // What is read at once is not mixed with what may never be.
        if self.filled > 0 && block_bytes < usize::MAX {
            self.close();
        }
        for (frame, start) in &from.frames {
            self.take(*start, frame.words, 0, FRAME_BYTES, block_bytes);
            self.block.frames.push(*frame);
        }
        for (task, start) in &from.tasks {
            self.take(*start, task.words, task.bytes, TASK_BYTES, block_bytes);
            self.block.tasks.push(*task);
        }
        self.block.ended.extend_from_slice(&from.ended);
        for (head, start) in &from.heads {
            self.take(*start, head.words, 0, HEAD_BYTES, block_bytes);
            self.block.heads.push(*head);
        }
        self.close();
    }

    fn take(&mut self, start: Start, words: u32, bytes: u32, record: u64, block_bytes: usize) {
        if self.filled >= block_bytes {
            self.close();
        }
        self.block.words.extend_from_slice(&self.from.words[start.words..start.words + words as usize]);
        self.block.bytes.extend_from_slice(&self.from.bytes[start.bytes..start.bytes + bytes as usize]);
        self.filled += record as usize + words as usize * 8 + bytes as usize;
    }

    fn close(&mut self) {
        self.filled = 0;
        self.blocks.push(std::mem::take(&mut self.block));
    }

    /// The directory and the blocks.
    fn write(&self, out: &mut Vec<u8>) {
        let mut directory = Directory { header: self.from.header, blocks: Vec::with_capacity(self.blocks.len()) };
        let mut content = Vec::with_capacity(self.from.filled + 512);
        for block in &self.blocks {
            let archive = rkyv::to_bytes::<Error>(block).expect("a block of bounded size is archived into memory");
            let (len, checksum) = (count(archive.len()), crc32fast::hash(&archive));
            directory.blocks.push(Entry { len, checksum, ..entry(block) });
            content.extend_from_slice(&archive);
        }
        let archive = rkyv::to_bytes::<Error>(&directory).expect("a directory is archived into memory");
        out.extend_from_slice(&count(archive.len()).to_le_bytes());
        out.extend_from_slice(&archive);
        out.extend_from_slice(&content);
    }
}

/// What the directory tells of a block, but for how it is stored.
fn entry(block: &Block) -> Entry {
    fn ends<T, K: Copy + Default>(records: &[T], key: impl Fn(&T) -> K) -> [K; 2] {
        [records.first().map_or_else(K::default, &key), records.last().map_or_else(K::default, &key)]
    }
    let Block { objects, bigs, chunks, frames, tasks, ended, heads, .. } = block;
    Entry {
        len: 0,
        checksum: 0,
        state: !(frames.is_empty() && tasks.is_empty() && ended.is_empty() && heads.is_empty()),
        objects: ends(objects, |object| object.id),
        bigs: ends(bigs, |big| big.id),
        chunks: ends(chunks, Chunk::key),
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("records are bounded by chunks and by the limits of programs and messages")
}

/// A part that was taken apart. Its directory is checked, its blocks match their checksums.
pub(super) struct StoredPart {
    pub header: PartHeader,
    /// How many bytes the part has.
    pub bytes: u64,
    pub blocks: Vec<StoredBlock>,
}

/// A block that is read when something in it is wanted.
pub(super) struct StoredBlock {
    pub entry: Entry,
    content: Bytes,
    open: OnceCell<OpenBlock>,
}

/// A block that was read and checked, and where the content of each of its records begins.
pub(super) struct OpenBlock {
    pub block: Block,
    pub objects: Vec<Start>,
    pub bigs: Vec<Start>,
    pub chunks: Vec<Start>,
    pub frames: Vec<Start>,
    pub tasks: Vec<Start>,
    pub heads: Vec<Start>,
}

impl StoredBlock {
    /// The block, read and checked at the first call. Every id in it is lower than `next_id`.
    pub fn open(&self, next_id: u32) -> Result<&OpenBlock, String> {
        if let Some(open) = self.open.get() {
            return Ok(open);
        }
        let mut aligned: AlignedVec = AlignedVec::with_capacity(self.content.len());
        aligned.extend_from_slice(&self.content);
        let block = rkyv::from_bytes::<Block, Error>(&aligned);
        let block = block.map_err(|error| format!("a block is malformed: {error}"))?;
        if entry(&block) != (Entry { len: 0, checksum: 0, ..self.entry }) {
            return Err("a block holds something else than the directory says".to_owned());
        }
        let open = open_block(block, next_id)?;
        Ok(self.open.get_or_init(|| open))
    }
}

/// Finds where the content of each record is, and checks that everything is in order.
fn open_block(block: Block, next_id: u32) -> Result<OpenBlock, String> {
    let ids = block.objects.iter().map(|o| o.id).chain(block.bigs.iter().map(|b| b.id));
    for id in ids.chain(block.chunks.iter().map(|c| c.id)) {
        if id == 0 || id >= next_id {
            return Err(format!("it has an object with the id {id}, which was not given"));
        }
    }
    let in_order = block.objects.is_sorted_by(|a, b| a.id < b.id)
        && block.bigs.is_sorted_by(|a, b| a.id < b.id)
        && block.chunks.is_sorted_by(|a, b| a.key() < b.key());
    if !in_order {
        return Err("a block has something twice, or not in order".to_owned());
    }
    let mut cursor = Cursor { words: (0, block.words.len()), bytes: (0, block.bytes.len()) };
    let open = OpenBlock {
        objects: cursor.take_all(block.objects.iter().map(|r| (r.words, r.bytes)))?,
        bigs: cursor.take_all(block.bigs.iter().map(|r| (r.words, 0)))?,
        chunks: cursor.take_all(block.chunks.iter().map(|r| (r.words, r.bytes)))?,
        frames: cursor.take_all(block.frames.iter().map(|r| (r.words, 0)))?,
        tasks: cursor.take_all(block.tasks.iter().map(|r| (r.words, r.bytes)))?,
        heads: cursor.take_all(block.heads.iter().map(|r| (r.words, 0)))?,
        block,
    };
    let Cursor { words: (words, all_words), bytes: (bytes, all_bytes) } = cursor;
    if words == all_words && bytes == all_bytes {
        Ok(open)
    } else {
        Err("a block has content that belongs to no record".to_owned())
    }
}

/// Goes through the runs of a block, record by record: how far it is, and how long they are.
struct Cursor {
    words: (usize, usize),
    bytes: (usize, usize),
}

impl Cursor {
    fn take_all(&mut self, records: impl ExactSizeIterator<Item = (u32, u32)>) -> Result<Vec<Start>, String> {
        let mut starts = Vec::with_capacity(records.len());
        for (words, bytes) in records {
            starts.push(Start { words: self.words.0, bytes: self.bytes.0 });
            self.words.0 += words as usize;
            self.bytes.0 += bytes as usize;
            if self.words.0 > self.words.1 || self.bytes.0 > self.bytes.1 {
                return Err("a record is longer than its block".to_owned());
            }
        }
        Ok(starts)
    }
}

/// Takes a part apart. All checksums are looked at; blocks are not read yet.
pub(super) fn open_part(part: &Bytes) -> Result<StoredPart, String> {
    if part.len() < PREFIX_BYTES {
        return Err(format!("it has {} bytes, which is shorter than its header", part.len()));
    }
    if part[..8] != MAGIC {
        return Err("it does not begin as a part of a snapshot does".to_owned());
    }
    let format = u32_at(part, 8);
    if format != FORMAT {
        return Err(format!("it has format {format}, and this engine reads format {FORMAT} only; use a newer engine"));
    }
    let Some(end) = covered(part) else {
        return Err("it ends inside its directory".to_owned());
    };
    if u32_at(part, 13) != checksum(part, end) {
        return Err("its header does not match its checksum".to_owned());
    }
    let bytes = part.len() as u64;
    match part[12] {
        COMPACT => {
            let read = postcard::take_from_bytes::<(PartHeader, Block)>(&part[PREFIX_BYTES..]);
            let ((header, block), rest) = read.map_err(|error| format!("it is malformed: {error}"))?;
            if !rest.is_empty() {
                return Err(format!("{} bytes follow its content", rest.len()));
            }
            let entry = entry(&block);
            let open = open_block(block, header.next_id)?;
            let block = StoredBlock { entry, content: Bytes::new(), open: OnceCell::from(open) };
            Ok(StoredPart { header, bytes, blocks: vec![block] })
        }
        BLOCKS => {
            let mut aligned: AlignedVec = AlignedVec::with_capacity(end - DIRECTORY_AT);
            aligned.extend_from_slice(&part[DIRECTORY_AT..end]);
            let read = rkyv::from_bytes::<Directory, Error>(&aligned);
            let Directory { header, blocks } = read.map_err(|error| format!("its directory is malformed: {error}"))?;
            let mut out = Vec::with_capacity(blocks.len());
            let mut at = end;
            for (index, entry) in blocks.iter().enumerate() {
                let next = at + entry.len as usize;
                if next > part.len() {
                    return Err(format!("it ends inside block {index} of {}", blocks.len()));
                }
                let content = part.slice(at..next);
                if crc32fast::hash(&content) != entry.checksum {
                    return Err(format!("block {index} does not match its checksum"));
                }
                out.push(StoredBlock { entry: *entry, content, open: OnceCell::new() });
                at = next;
            }
            if at < part.len() {
                return Err(format!("{} bytes follow its last block", part.len() - at));
            }
            Ok(StoredPart { header, bytes, blocks: out })
        }
        form => Err(format!("it has an unknown form {form}")),
    }
}

/// Where what the part's checksum covers ends, if the part is that long.
fn covered(part: &[u8]) -> Option<usize> {
    if part[12] != BLOCKS {
        return Some(part.len());
    }
    let len = part.get(PREFIX_BYTES..DIRECTORY_AT)?;
    let end = DIRECTORY_AT + u32_at(len, 0) as usize;
    (end <= part.len()).then_some(end)
}

/// Over everything up to `end` but the checksum itself.
fn checksum(part: &[u8], end: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&part[..13]);
    hasher.update(&part[PREFIX_BYTES..end]);
    hasher.finalize()
}

/// Fills in the checksum of a part that is otherwise complete.
fn seal(part: &mut [u8]) {
    if let Some(end) = covered(part) {
        let sum = checksum(part, end);
        part[13..PREFIX_BYTES].copy_from_slice(&sum.to_le_bytes());
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

/// Puts a part's checksums right after a test has damaged it, as far as it can still be taken apart.
pub(crate) fn reseal(part: &mut [u8]) {
    if part.len() < PREFIX_BYTES {
        return;
    }
    if part[12] == BLOCKS
        && let Some(end) = covered(part)
    {
        reseal_blocks(part, end);
    }
    seal(part);
}

/// Puts the checksums of blocks in the directory right, where that can be read.
fn reseal_blocks(part: &mut [u8], end: usize) {
    let mut aligned: AlignedVec = AlignedVec::with_capacity(end - DIRECTORY_AT);
    aligned.extend_from_slice(&part[DIRECTORY_AT..end]);
    let Ok(mut directory) = rkyv::from_bytes::<Directory, Error>(&aligned) else { return };
    let mut at = end;
    for entry in &mut directory.blocks {
        let Some(content) = part.get(at..at.saturating_add(entry.len as usize)) else { return };
        entry.checksum = crc32fast::hash(content);
        at += entry.len as usize;
    }
    if let Ok(archive) = rkyv::to_bytes::<Error>(&directory)
        && archive.len() == end - DIRECTORY_AT
    {
        part[DIRECTORY_AT..end].copy_from_slice(&archive);
    }
}

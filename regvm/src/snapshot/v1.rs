//! Format 1 of a part: what its bytes mean, and nothing else. Types here are not those in memory; every field has a fixed
//! width and is little-endian, and nothing may change any more once it is released.
//!
//! A part is a header (magic, format, commit number, the commit since which it was encoded, the lowest persistent id that is not yet
//! given, how often it was merged, the number of blocks, checksum) and then blocks of bounded size: length, checksum, and a `Block` as rkyv archives it. A block's
//! checksum covers the header's and its own index too, so that blocks can't change places.
//!
//! Records take their words and bytes from the two runs of their block, one after the other: all objects, then all big
//! objects, chunks, frames, tasks and the head.

use rkyv::rancor::Error;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Serialize};

const MAGIC: [u8; 8] = *b"DSLTPART";
/// The format's number.
pub(super) const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 44;
const BLOCK_HEADER_BYTES: usize = 8;

/// A block is closed once it holds this many bytes; a single record may make it larger.
pub(super) const BLOCK_BYTES: usize = 64 << 10;

/// The header of a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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

/// Some records and their content.
#[derive(Archive, Serialize, Default)]
pub(super) struct Block {
    pub objects: Vec<Object>,
    pub bigs: Vec<Big>,
    pub chunks: Vec<Chunk>,
    pub frames: Vec<Frame>,
    pub tasks: Vec<Task>,
    /// Tasks that have ended.
    pub ended: Vec<u64>,
    pub heads: Vec<Head>,
    pub words: Vec<u64>,
    pub bytes: Vec<u8>,
}

/// An object in one piece. Class and tuple: a word for each slot. The box of a scalar in a union, which has the scalar's type: its slot. List: a word for each element. Dict: key and value of
/// each entry, set: each element; if it has gaps, in bytes the number of positions as u32 and a bit for each that is set where an entry is. `str` and `bytes`: their bytes.
/// Queue: capacity, then position of the front and number of slots of elements, getters (task, case) and putters (task, case,
/// element), then these slots; then, where any is set, flags (`CLOSED`, `DUE`, `FIRED`, `NAMED`), the unix millisecond if `DUE`, and
/// if `NAMED` the length of the name in bytes and its bytes, eight to a word. Lock: held, then the same of its line (task). Wait group: count, then likewise.
/// A reference is a persistent id; one of a union's type is that of an object of one of its members' types. A task of all ones is a place that its task has left, a case of all ones is none.
#[derive(Archive, Serialize)]
pub(super) struct Object {
    pub id: u32,
    pub ty: u32,
    pub words: u32,
    pub bytes: u32,
}

/// An object whose content is in chunks: the words before the content; for a list its length, for a dict its number of positions, for
/// `str` and `bytes` their length.
#[derive(Archive, Serialize)]
pub(super) struct Big {
    pub id: u32,
    pub ty: u32,
    pub words: u32,
}

/// A piece of a big object: 512 slots of a list, 256 positions of a dict (bytes: a bit for each position, none if all are entries),
/// 4096 bytes, or 512 slots of a window, counted from the first ever, cut at the window's end when it was written.
#[derive(Archive, Serialize)]
pub(super) struct Chunk {
    pub number: u64,
    pub id: u32,
    /// Of a queue: 0 elements, 1 getters, 2 putters; otherwise 0.
    pub window: u32,
    pub words: u32,
    pub bytes: u32,
}

/// A frame: a word for each value that its stop lists.
#[derive(Archive, Serialize)]
pub(super) struct Frame {
    pub task: u64,
    /// 0 is the outermost.
    pub depth: u32,
    pub func: u32,
    pub stop: u32,
    pub words: u32,
}

/// A task without its frames; words and bytes as its state says.
#[derive(Archive, Serialize)]
pub(super) struct Task {
    pub id: u64,
    /// How many frames it has.
    pub depth: u32,
    pub state: u32,
    /// All ones if none.
    pub last_case: u32,
    pub words: u32,
    pub bytes: u32,
}

/// Words: function, arguments.
pub(super) const START: u32 = 0;
/// Words: the result.
pub(super) const DELIVER: u32 = 1;
/// Words: case, element.
pub(super) const CASE: u32 = 2;
/// Words: kind of trap. Bytes: message.
pub(super) const FAULT: u32 = 3;
/// Words: step, bits of the seconds.
pub(super) const SLEEP: u32 = 4;
/// Words: step, host function. Bytes: arguments as `datum` writes them.
pub(super) const HOST: u32 = 5;
/// Words: the queue.
pub(super) const PUT: u32 = 6;
/// Words: the queue.
pub(super) const GET: u32 = 7;
/// Words: the lock.
pub(super) const LOCK: u32 = 8;
/// Words: the wait group.
pub(super) const GROUP: u32 = 9;
/// Words: the queue of each case.
pub(super) const SELECT: u32 = 10;

/// Nothing can be put into the queue any more.
pub(super) const CLOSED: u64 = 1;
/// A queue of `after` that has not fired.
pub(super) const DUE: u64 = 2;
/// A queue of `after` that has.
pub(super) const FIRED: u64 = 4;
/// A queue with a name.
pub(super) const NAMED: u64 = 8;

/// The bit of `Head::has_result` that says that there is one.
pub(super) const HAS_RESULT: u32 = 1;
/// The bit of `Head::has_result` that says that queues with a name are listed.
pub(super) const HAS_NAMED: u32 = 2;

/// The rest of the isolate's state, once in each part. Words: the result if there is one; if queues with a name are listed their
/// number, and of each its id and its type; then the ready tasks in order.
#[derive(Archive, Serialize)]
pub(super) struct Head {
    pub next_task: u64,
    pub next_step: u64,
    pub flow: u32,
    pub has_result: u32,
    pub words: u32,
}

pub(super) const OBJECT_BYTES: u64 = 16;
pub(super) const BIG_BYTES: u64 = 12;
/// The bytes that the record of a chunk takes beside its content.
pub(super) const CHUNK_BYTES: u64 = 24;
pub(super) const FRAME_BYTES: u64 = 24;
pub(super) const TASK_BYTES: u64 = 32;
const HEAD_BYTES: u64 = 32;

/// Gathers records into blocks and blocks into a part.
pub(super) struct PartWriter {
    out: Vec<u8>,
    block: Block,
    /// The words and bytes of the records of each kind, in the order in which the block has them.
    runs: [Run; 6],
    /// The bytes of the block so far.
    filled: usize,
    blocks: u32,
}

#[derive(Default)]
struct Run {
    words: Vec<u64>,
    bytes: Vec<u8>,
}

impl PartWriter {
    /// A part with no block yet; the header is completed at the end.
    pub fn new(number: u64, since: u64) -> PartWriter {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&number.to_le_bytes());
        out.extend_from_slice(&since.to_le_bytes());
        out.resize(HEADER_BYTES, 0);
        PartWriter { out, block: Block::default(), runs: Default::default(), filled: 0, blocks: 0 }
    }

    /// An object in one piece; gives the bytes that it takes, as all these methods do.
    pub fn push_object(&mut self, id: u32, ty: u32, words: &[u64], bytes: &[u8]) -> u64 {
        let size = self.fill(0, OBJECT_BYTES, words, bytes);
        self.block.objects.push(Object { id, ty, words: count(words.len()), bytes: count(bytes.len()) });
        size
    }

    /// The head of an object in chunks.
    pub fn push_big(&mut self, id: u32, ty: u32, words: &[u64]) -> u64 {
        let size = self.fill(1, BIG_BYTES, words, &[]);
        self.block.bigs.push(Big { id, ty, words: count(words.len()) });
        size
    }

    /// A chunk.
    pub fn push_chunk(&mut self, id: u32, window: u32, number: u64, words: &[u64], bytes: &[u8]) -> u64 {
        let size = self.fill(2, CHUNK_BYTES, words, bytes);
        self.block.chunks.push(Chunk { number, id, window, words: count(words.len()), bytes: count(bytes.len()) });
        size
    }

    /// A frame.
    pub fn push_frame(&mut self, task: u64, depth: u32, func: u32, stop: u32, words: &[u64]) -> u64 {
        let size = self.fill(3, FRAME_BYTES, words, &[]);
        self.block.frames.push(Frame { task, depth, func, stop, words: count(words.len()) });
        size
    }

    /// A task; `words` and `bytes` of the record are those given.
    pub fn push_task(&mut self, task: Task, words: &[u64], bytes: &[u8]) -> u64 {
        let size = self.fill(4, TASK_BYTES, words, bytes);
        self.block.tasks.push(Task { words: count(words.len()), bytes: count(bytes.len()), ..task });
        size
    }

    /// A task that has ended.
    pub fn push_ended(&mut self, task: u64) {
        self.block.ended.push(task);
    }

    /// The head; its `words` are those given.
    pub fn push_head(&mut self, head: Head, words: &[u64]) -> u64 {
        let size = self.fill(5, HEAD_BYTES, words, &[]);
        self.block.heads.push(Head { words: count(words.len()), ..head });
        size
    }

    /// Makes room for a record of this kind, and puts its content in its run.
    fn fill(&mut self, kind: usize, record: u64, words: &[u64], bytes: &[u8]) -> u64 {
        if self.filled >= BLOCK_BYTES {
            self.close_block();
        }
        self.runs[kind].words.extend_from_slice(words);
        self.runs[kind].bytes.extend_from_slice(bytes);
        let size = record as usize + words.len() * 8 + bytes.len();
        self.filled += size;
        size as u64
    }

    fn close_block(&mut self) {
        let mut block = std::mem::take(&mut self.block);
        for run in std::mem::take(&mut self.runs) {
            block.words.extend_from_slice(&run.words);
            block.bytes.extend_from_slice(&run.bytes);
        }
        let archive = rkyv::to_bytes::<Error>(&block).expect("a block of bounded size is archived into memory");
        // The checksum needs the header's, which is known at the end; its place is filled then.
        self.out.extend_from_slice(&count(archive.len()).to_le_bytes());
        self.out.extend_from_slice(&[0; 4]);
        self.out.extend_from_slice(&archive);
        self.blocks += 1;
        self.filled = 0;
    }

    /// The bytes of the part.
    pub fn finish(mut self, next_id: u32, level: u32) -> Vec<u8> {
        self.close_block();
        let mut out = self.out;
        out[28..32].copy_from_slice(&next_id.to_le_bytes());
        out[32..36].copy_from_slice(&level.to_le_bytes());
        out[36..40].copy_from_slice(&self.blocks.to_le_bytes());
        seal(&mut out);
        out
    }
}

/// Fills in all checksums of a part that is otherwise complete; stops where the blocks don't fit the bytes.
fn seal(part: &mut [u8]) {
    let header = crc32fast::hash(&part[..40]);
    part[40..44].copy_from_slice(&header.to_le_bytes());
    let (mut at, mut index) = (HEADER_BYTES, 0);
    while part.len() - at >= BLOCK_HEADER_BYTES {
        let len = u32_at(part, at) as usize;
        let from = at + BLOCK_HEADER_BYTES;
        let Some(content) = part.get(from..from.saturating_add(len)) else { return };
        let sum = block_checksum(header, index, content);
        part[at + 4..from].copy_from_slice(&sum.to_le_bytes());
        (at, index) = (from + len, index + 1);
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("records are bounded by chunks and by the limits of programs and messages")
}

fn block_checksum(header: u32, index: u32, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header.to_le_bytes());
    hasher.update(&index.to_le_bytes());
    // The length too, which stands outside of the content.
    hasher.update(&(content.len() as u64).to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// Takes a part apart: its header, and its blocks as archives that are not validated yet.
pub(super) fn open_part(bytes: &[u8]) -> Result<(PartHeader, Vec<AlignedVec>), String> {
    if bytes.len() < HEADER_BYTES {
        return Err(format!("it has {} bytes, which is shorter than its header", bytes.len()));
    }
    if bytes[..8] != MAGIC {
        return Err("it does not begin as a part of a snapshot does".to_owned());
    }
    let format = u32_at(bytes, 8);
    if format != FORMAT {
        return Err(format!("it has format {format}, and this engine reads format {FORMAT} only; use a newer engine"));
    }
    let sum = u32_at(bytes, 40);
    if sum != crc32fast::hash(&bytes[..40]) {
        return Err("its header does not match its checksum".to_owned());
    }
    let header = PartHeader {
        number: u64_at(bytes, 12),
        since: u64_at(bytes, 20),
        next_id: u32_at(bytes, 28),
        level: u32_at(bytes, 32),
    };
    let count = u32_at(bytes, 36);
    let mut blocks = Vec::new();
    let mut rest = &bytes[HEADER_BYTES..];
    for index in 0..count {
        if rest.len() < BLOCK_HEADER_BYTES {
            return Err(format!("it ends before block {index} of {count}"));
        }
        let (len, block_sum) = (u32_at(rest, 0) as usize, u32_at(rest, 4));
        rest = &rest[BLOCK_HEADER_BYTES..];
        let Some(content) = rest.get(..len) else {
            return Err(format!("it ends inside block {index} of {count}"));
        };
        if block_sum != block_checksum(sum, index, content) {
            return Err(format!("block {index} does not match its checksum"));
        }
        let mut aligned = AlignedVec::with_capacity(len);
        aligned.extend_from_slice(content);
        blocks.push(aligned);
        rest = &rest[len..];
    }
    if !rest.is_empty() {
        return Err(format!("{} bytes follow its last block", rest.len()));
    }
    Ok((header, blocks))
}

/// The block in an archive, validated: every pointer in bounds, every length true.
pub(super) fn open_block(archive: &AlignedVec) -> Result<&ArchivedBlock, String> {
    rkyv::access::<ArchivedBlock, Error>(archive).map_err(|error| format!("a block is malformed: {error}"))
}

/// Puts a part's checksums right after a test has damaged it.
pub(crate) fn reseal(part: &mut [u8]) {
    if part.len() >= HEADER_BYTES {
        seal(part);
    }
}

//! The records that a part is made of: what is stored of each object, frame and task, and nothing of how it is framed. Types
//! here are not those in memory; nothing may change any more once it is released.

use rkyv::Archive;

/// Some records and their content. The records of each kind are in order, and take their words and bytes from the two runs one after
/// the other: all objects, then all big objects, chunks, frames, tasks and the head.
#[derive(Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize, serde::Deserialize, Default)]
pub struct Block {
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
#[derive(Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize, serde::Deserialize, Clone, Copy)]
pub struct Object {
    pub id: u32,
    pub ty: u32,
    pub words: u32,
    pub bytes: u32,
}

/// An object whose content is in chunks: the words before the content; for a list its length, for a dict its number of positions, for
/// `str` and `bytes` their length.
#[derive(Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize, serde::Deserialize, Clone, Copy)]
pub struct Big {
    pub id: u32,
    pub ty: u32,
    pub words: u32,
}

/// A piece of a big object: 512 slots of a list, 256 positions of a dict (bytes: a bit for each position, none if all are entries),
/// 4096 bytes, or 512 slots of a window, counted from the first ever, cut at the window's end when it was written.
#[derive(Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize, serde::Deserialize, Clone, Copy)]
pub struct Chunk {
    pub number: u64,
    pub id: u32,
    /// Of a queue: 0 elements, 1 getters, 2 putters; otherwise 0.
    pub window: u32,
    pub words: u32,
    pub bytes: u32,
}

/// A frame: a word for each value that its stop lists.
#[derive(Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize, serde::Deserialize, Clone, Copy)]
pub struct Frame {
    pub task: u64,
    /// 0 is the outermost.
    pub depth: u32,
    pub func: u32,
    pub stop: u32,
    pub words: u32,
}

/// A task without its frames; words and bytes as its state says.
#[derive(Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize, serde::Deserialize, Clone, Copy)]
pub struct Task {
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
pub const START: u32 = 0;
/// Words: the result.
pub const DELIVER: u32 = 1;
/// Words: case, element.
pub const CASE: u32 = 2;
/// Words: kind of trap. Bytes: message.
pub const FAULT: u32 = 3;
/// Words: step, bits of the seconds.
pub const SLEEP: u32 = 4;
/// Words: step, host function. Bytes: arguments as `datum` writes them.
pub const HOST: u32 = 5;
/// Words: the queue.
pub const PUT: u32 = 6;
/// Words: the queue.
pub const GET: u32 = 7;
/// Words: the lock.
pub const LOCK: u32 = 8;
/// Words: the wait group.
pub const GROUP: u32 = 9;
/// Words: the queue of each case.
pub const SELECT: u32 = 10;

/// Nothing can be put into the queue any more.
pub const CLOSED: u64 = 1;
/// A queue of `after` that has not fired.
pub const DUE: u64 = 2;
/// A queue of `after` that has.
pub const FIRED: u64 = 4;
/// A queue with a name.
pub const NAMED: u64 = 8;

/// The bit of `Head::has_result` that says that there is one.
pub const HAS_RESULT: u32 = 1;
/// The bit of `Head::has_result` that says that queues with a name are listed.
pub const HAS_NAMED: u32 = 2;

/// The rest of the isolate's state, once in each part. Words: the result if there is one; if queues with a name are listed their
/// number, and of each its id and its type; then the ready tasks in order.
#[derive(Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize, serde::Deserialize, Clone, Copy)]
pub struct Head {
    pub next_task: u64,
    pub next_step: u64,
    pub flow: u32,
    pub has_result: u32,
    pub words: u32,
}

pub const OBJECT_BYTES: u64 = 16;
pub const BIG_BYTES: u64 = 12;
/// The bytes that the record of a chunk takes beside its content.
pub const CHUNK_BYTES: u64 = 24;
pub const FRAME_BYTES: u64 = 24;
pub const TASK_BYTES: u64 = 32;
pub const HEAD_BYTES: u64 = 32;

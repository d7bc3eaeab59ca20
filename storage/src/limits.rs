//! Every bound of a record, in one place.
//!
//! The constants are bounds of the format and hold for all backends; [`Limits`] is what a backend may set lower. Over a bound
//! is an answer for that one isolate, never a failure of the batch it travels in.

/// Highest part number; numbers start at 0.
pub const PART_NUMBER_MAX: u32 = (1 << 20) - 1;
/// Longest namespace, isolate name and flow name, in bytes.
pub const NAME_BYTES_MAX: usize = 512;
/// Longest advertised address, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 1024;
/// Most shards of a store.
pub const SHARD_COUNT_MAX: u32 = 4096;
/// Shards of a new store for which none were asked.
pub const SHARD_COUNT_DEFAULT: u32 = 64;
/// Most items that a scan returns at once; a larger `limit` is cut to it.
pub const PAGE_MAX: usize = 10_000;

const _: () = assert!(SHARD_COUNT_DEFAULT <= SHARD_COUNT_MAX);

/// What a backend can take. The engine reads it once and keeps below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest part, in bytes.
    pub part_bytes_max: usize,
    /// Largest `state` of a head, in bytes.
    pub state_bytes_max: usize,
    /// Largest single event, in bytes.
    pub event_bytes_max: usize,
    /// Largest program image, in bytes.
    pub program_bytes_max: usize,
    /// Most commits in one batch.
    pub batch_max: usize,
}

impl Limits {
    /// The bounds of a backend that has none of its own.
    pub const DEFAULT: Limits = Limits {
        part_bytes_max: 512 << 20,
        state_bytes_max: 16 << 20,
        event_bytes_max: 1 << 20,
        program_bytes_max: 256 << 20,
        batch_max: 4096,
    };
}

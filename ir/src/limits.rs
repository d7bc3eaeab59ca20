//! The bounds of a program, in one place. They are far above what a front end makes and keep hostile text from costing
//! more than it should.

/// The longest program image, in bytes.
pub const IMAGE_BYTES_MAX: usize = 64 << 20;
/// How deeply types may nest: `list[list[int]]` is 3 deep.
pub const TYPE_DEPTH_MAX: u32 = 32;
/// How many types a type may be made of, counted at each use: `tuple[int, int]` is 3.
pub const TYPE_PARTS_MAX: u32 = 1024;
/// The most that blocks times values of one function may be: liveness keeps a bit for each pair.
pub const BLOCKS_TIMES_VALUES_MAX: usize = 1 << 30;

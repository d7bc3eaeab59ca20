//! Bugs that are planted on purpose, so that the fuzzer can be seen to find them (`fuzz/tests/planted.rs`).
//!
//! They are there only where debug assertions are: elsewhere `is_planted` is `false` and the compiler drops what hangs on it.
//! Nothing but that test plants any.

/// A bug, named by the stage that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Plant {
    /// Lowering of source to IR: `break` goes on with the next turn.
    LoweringBreak = 1,
    /// Lowering of IR to bytecode: values that change places on an edge are moved one after the other.
    LoweringSwap,
    /// Register allocation: what lives around a loop is taken for dead where the loop goes back.
    RegistersBackEdge,
    /// Snapshot: an object that has changed is forgotten where only what has not changed refers to it.
    SnapshotDirty,
    /// Snapshot: a task forgets which case its last select took.
    SnapshotLastCase,
}

impl Plant {
    /// All of them.
    pub const ALL: [Plant; 5] = [
        Plant::LoweringBreak,
        Plant::LoweringSwap,
        Plant::RegistersBackEdge,
        Plant::SnapshotDirty,
        Plant::SnapshotLastCase,
    ];
}

#[cfg(debug_assertions)]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants a bug in this process, or with `None` takes it out again.
#[cfg(debug_assertions)]
pub fn plant(plant: Option<Plant>) {
    PLANTED.store(plant.map_or(0, |p| p as u8), std::sync::atomic::Ordering::SeqCst);
}

/// Whether this bug is planted in this process.
#[inline]
pub fn is_planted(plant: Plant) -> bool {
    #[cfg(debug_assertions)]
    return PLANTED.load(std::sync::atomic::Ordering::Relaxed) == plant as u8;
    #[cfg(not(debug_assertions))]
    {
        let _ = plant;
        false
    }
}

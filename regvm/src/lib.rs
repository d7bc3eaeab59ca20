//! The register machine: it lowers a checked program to bytecode, runs the tasks of an isolate over a heap, and writes the
//! whole state of the isolate down at any stop.
//!
//! It relies on the IR's verifier and knows no clock, no chance, no network and no storage: what leaves an isolate is a
//! request that the engine answers, and snapshots are bytes that it hands out and takes back.

pub mod heap;
mod machine;
pub mod snapshot;

pub mod disas;
mod exec;
pub mod isolate;
mod lower;
pub mod ops;
pub mod program;
mod save;
pub mod stop;
mod task;
pub mod testing;
pub mod trace;
mod verify;
pub mod view;

pub use isolate::{Host, Isolate, Limits, NoHost, Restored, SendError};
pub use program::{Options, Program, ProgramError};
pub use snapshot::{Part, SnapshotError, Urgency};
pub use stop::{Call, Exit, Interrupt, Request, TaskId, Trap};
pub use trace::TraceLine;

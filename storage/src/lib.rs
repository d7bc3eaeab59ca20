//! Where isolates live: the [`Store`] trait, its backends and the behaviour suite that every backend passes.
//!
//! This crate sees bytes and ids, never a typed value: what a part, a `state` or an event means is the engine's
//! and the VM's business. It relies on nothing else of ours. A backend is one file in `backends/`, a cargo feature and a row
//! of the table there. Retry, fault injection and measuring are wrappers in `wrap/`, never code inside a backend.
#![forbid(unsafe_code)]

pub mod backends;
mod batch;
#[cfg_attr(not(feature = "embedded"), allow(dead_code))] // memory alone has nothing that could be damaged
mod checksum;
mod clock;
mod error;
mod lease;
pub mod limits;
mod record;
mod store;
pub mod suite;
pub mod wrap;

pub use clock::{Clock, system_clock};
pub use error::{Error, Kind, Result};
pub use limits::Limits;
pub use record::{
    Claim, Commit, Counts, Delete, Due, Ended, Epoch, Filter, Head, IsolateId, ListCursor, Opened, Outcome, Page,
    ParseIdError, Part, ProgramHash, Seq, Session, SessionId, Shard, ShardLease, Snapshot, Status, UnknownStatus,
    shard_of,
};
pub use store::Store;

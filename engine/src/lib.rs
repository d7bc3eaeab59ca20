//! An isolate's life: workers, commits, timers, HTTP, host calls, leases and retention, over any store.
//!
//! The one rule is *commit, then act*: an isolate runs until it is blocked, its state is committed, and only when that is
//! durable are timers armed, host functions called and callers answered. Nothing is ever replayed; a crash repeats at most the actions
//! whose results were not committed, with the same idempotency key.
//!
//! It relies on `regvm` to run and write down isolates and on `storage` to keep bytes; it knows neither source languages nor tables.
//! [`clock`] and [`rng`] are the only places that ask for time and chance.
#![forbid(unsafe_code)]

mod api;
mod args;
mod body;
mod cell;
pub mod clock;
mod committer;
mod engine;
mod error;
mod health;
pub mod host;
mod http;
mod lease;
pub mod limits;
mod message;
mod name;
mod node;
mod observer;
mod options;
mod programs;
mod record;
mod registry;
mod retry;
pub mod rng;
mod scheduler;
mod seen;
mod timers;
mod watch;

pub use api::{Subscription, Which};
pub use args::shown as shown_args;
pub use cell::Answer;
pub use engine::{Builder, Engine};
pub use error::{Again, Error, Kind, Result};
pub use host::{CallContext, HostCall, HostError, HostFn, HostFns};
pub use http::HttpOptions;
pub use http::route::Route;
pub use name::check_name;
pub use observer::Observer;
pub use options::Options;
pub use record::event::{Event, EventKind};
pub use record::{Ending, Failure};
pub use retry::CallOptions;
pub use seen::{Differs, Finished, FlowShown, Listing, Numbers, RouteShown, Shown, Spawned, Summary, Vitals};
pub use watch::Change;

pub use tokio::runtime::Handle;

pub use deepslate_ir as ir;
pub use deepslate_regvm as regvm;
pub use deepslate_storage as storage;

//! Durable flows from Rust: an engine without event replay.
//!
//! A flow is a typed function in a subset of Python. It is compiled, run by a virtual machine, and its whole state is committed at
//! every durable call, so that it goes on at the exact instruction after a crash, however long it has run. Host functions are
//! async Rust closures; there is no Python in the process.
//!
//! ```
//! use deepslate::Engine;
//!
//! const FLOWS: &str = "
//! from deepslate import flow, impure, sleep
//!
//! @impure
//! def charge(customer: str, cents: int) -> int: ...
//!
//! @flow
//! async def order(customer: str, count: int) -> int:
//!     total: int = 0
//!     for i in range(count):
//!         total = total + charge(customer, 250)
//!         sleep(0.01)
//!     return total
//! ";
//!
//! # async fn example() -> Result<(), deepslate::Error> {
//! let engine = Engine::builder()
//!     .memory() // or .embedded("a/directory"), which survives the process
//!     .flows_from_source("order.py", FLOWS)
//!     .host_fn("charge", |customer: String, cents: i64| async move {
//!         println!("{customer} pays {cents} cents");
//!         Ok::<_, std::io::Error>(cents)
//!     })
//!     .start()
//!     .await?;
//!
//! engine.spawn("order-7", "order", ("Ada", 3)).await?;
//! let total: i64 = engine.result("order-7").await?;
//! assert_eq!(total, 750);
//! engine.shutdown().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
#![forbid(unsafe_code)]

pub mod config;
mod error;
mod face;
mod flows;
pub mod host;
pub mod value;

pub use config::{Config, ConfigError};
pub use error::{Error, Result};
pub use face::{Builder, Engine, open_store};
pub use flows::Flows;
pub use value::ValueError;

pub use deepslate_engine::{
    Answer, CallContext, CallOptions, Change, Ending, Failure, Finished, HostError, HostFn, HostFns, Listing, Options,
    Shown, Spawned, Summary, Which,
};

pub use deepslate_engine as engine;
pub use deepslate_frontend as frontend;
pub use deepslate_ir as ir;
pub use deepslate_storage as storage;

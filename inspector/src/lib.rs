//! The page on which isolates are looked at, and the JSON API under it, which is also the control API of the command line.
//!
//! It acts only through the engine's public handle, holds no state of its own, and is the only crate that knows HTML. The page
//! is plain HTML, CSS and ES modules in `assets/`, in the binary; it loads nothing from outside and takes no markup from anywhere.
//! There are no users and no passwords: it listens on the loopback address unless it is told otherwise, and `guard.rs` keeps other web
//! pages out.
#![forbid(unsafe_code)]

mod assets;
mod error;
mod events;
mod guard;
mod images;
pub mod json;
mod routes;
mod serve;
pub mod view;

pub use error::{ApiError, Refusal};
pub use serve::{Config, Handle, ServeError, serve};

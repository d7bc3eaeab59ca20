//! Wrappers: stores over a store. What is the same for every backend is here and never inside one.

mod fault;

pub use fault::{Call, Fault, Injection};

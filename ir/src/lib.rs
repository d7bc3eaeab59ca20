//! The typed SSA form of a program, and everything that says what a program means: the instruction table, the builtin
//! table, the verifier, the text form, the passes and the evaluator that judges the VM.
//!
//! It performs no I/O and knows neither source languages nor registers nor snapshots' bytes.
#![forbid(unsafe_code)]

pub mod builder;
pub mod builtins;
pub mod datum;
pub mod dserror;
pub mod durable;
pub mod entity;
pub mod enums;
pub mod eval;
pub mod filetest;
pub mod generate;
pub mod image;
pub mod interp;
pub mod json;
pub mod limits;
pub mod liveness;
pub mod module;
pub mod ops;
pub mod opt;
pub mod parse;
pub mod pattern;
pub mod planted;
pub mod print;
pub mod structural;
pub mod trap;
pub mod types;
pub mod verify;

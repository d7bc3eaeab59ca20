//! Random programs of the Python subset, and oracles: what must be true of each of them, whatever it says.
//!
//! `generate` writes a well-typed program from a seed or from bytes; `mutate` spoils source text and parts of snapshots;
//! `oracle` runs a program in every way there is and says what disagrees; `shrink` makes a failing program small. Tests and
//! fuzz targets are only glue around these.
#![forbid(unsafe_code)]

pub mod choices;
pub mod generate;
pub mod mutate;
pub mod oracle;
pub mod shrink;

//! What the language and the house promise. The programs under `spec/` decide what is supported; every one of them runs in
//! each way of the matrix, and all ways must agree.
#![forbid(unsafe_code)]

pub mod cpython;
pub mod markdown;
pub mod matrix;
pub mod script;

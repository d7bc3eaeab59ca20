//! The heap by itself.

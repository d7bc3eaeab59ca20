//! What the language and the house promise. The programs here decide what is supported; the tests run them on every tier.
#![forbid(unsafe_code)]

//! Tests against what CPython 3.11 prints.

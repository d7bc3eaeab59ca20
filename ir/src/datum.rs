//! A value that crosses an isolate's border: arguments, results, what a host function takes and gives. A tree of its own,
//! typed by the signature that it crosses, with no identity and no cycles.

/// A value outside the heap.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Datum>),
    /// A dict, in the order of insertion.
    Dict(Vec<(Datum, Datum)>),
    /// A tuple.
    Tuple(Vec<Datum>),
    /// An object: the slots of its class in order.
    Object(Vec<Datum>),
}

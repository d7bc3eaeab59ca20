//! Indices of the things a module holds. Each is a new-type over `u32`, so that one kind is never taken for another,
//! and prints as it does in the text form (`block0`, `v3`, `fn2`).

use std::fmt;

macro_rules! entity {
    ($($(#[doc = $doc:literal])* $name:ident = $prefix:literal;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as an array index.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The entity with this array index. Panics past `u32::MAX`, which no module reaches (see `limits`).
            pub fn from_index(index: usize) -> Self {
                $name(u32::try_from(index).expect("a module holds fewer than 2^32 of anything"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

entity! {
    /// A basic block of one function.
    Block = "block";
    /// An SSA value of one function: a block parameter or the result of one instruction.
    Value = "v";
    /// An instruction of one function.
    Inst = "inst";
    /// A function of a module.
    FuncId = "fn";
    /// A host function that a module calls.
    HostId = "host";
    /// A text or bytes constant of a module.
    ConstId = "const";
    /// A class of a module.
    ClassId = "class";
    /// An interned type of a module.
    TypeId = "type";
    /// A numbered place of one function where its state can be written down.
    StopId = "stop";
    /// A source file of a module.
    FileId = "file";
}

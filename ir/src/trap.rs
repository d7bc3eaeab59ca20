//! What a flow can do wrong. The numbers are stored and never change; the names are what users read.

use std::fmt;

macro_rules! traps {
    ($($(#[doc = $doc:literal])+ $kind:ident = $number:literal $name:literal;)*) => {
        /// The kind of a trap.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum TrapKind {
            $($(#[doc = $doc])+ $kind = $number,)*
        }

        impl TrapKind {
            /// Every kind.
            pub const ALL: &'static [TrapKind] = &[$(TrapKind::$kind),*];

            /// Its name in messages, the text form and JSON.
            pub const fn name(self) -> &'static str {
                match self { $(TrapKind::$kind => $name,)* }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<TrapKind> {
                match name { $($name => Some(TrapKind::$kind),)* _ => None }
            }

            /// The kind with this stored number.
            pub fn from_number(number: u8) -> Option<TrapKind> {
                match number { $($number => Some(TrapKind::$kind),)* _ => None }
            }
        }
    };
}

traps! {
    /// An integer result does not fit 64 bits, or a float result is out of range.
    Overflow = 1 "overflow";
    /// Division or modulo by zero.
    Division = 2 "division";
    /// An index outside a sequence.
    Index = 3 "index";
    /// A key that a dict does not have.
    Key = 4 "key";
    /// A value that an operation can't take, such as `int("x")` or a negative shift.
    Value = 5 "value";
    /// `assert` did not hold.
    Assertion = 6 "assertion";
    /// `raise` in a flow.
    Raised = 7 "raised";
    /// A host function raised, or returned what its signature does not allow.
    Host = 8 "host";
    /// Calls nested too deeply.
    Depth = 9 "depth";
    /// The isolate's heap is over its limit.
    Memory = 10 "memory";
    /// The isolate has too many tasks.
    Tasks = 11 "tasks";
    /// Every task waits for another one.
    Deadlock = 12 "deadlock";
    /// A sync object used against its contract, such as releasing a free lock.
    Sync = 13 "sync";
    /// A collection changed its size while it was iterated over.
    Changed = 14 "changed";
    /// A value too large to cross the isolate's border.
    Size = 15 "size";
}

impl fmt::Display for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A trap as an operation raises it: what went wrong, without the place, which whoever runs the operation knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What kind of mistake.
    pub kind: TrapKind,
    /// In words, with the values that matter.
    pub message: String,
}

impl Fault {
    /// A fault of this kind with this message.
    pub fn new(kind: TrapKind, message: impl Into<String>) -> Fault {
        Fault { kind, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Fault {}

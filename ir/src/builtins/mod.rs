//! The builtin table: each builtin of the languages is defined by one row, with its names, typed signature, effect, doc line
//! and body. The checkers of both front ends read the signatures; evaluator, VM and JIT run the bodies.
//!
//! A body is a function over the `Machine` that runs it, so it is written once for all of them. Rows are append-only and
//! their meaning is frozen: a stored program names builtins by their text names. What decides control flow is not a
//! builtin but syntax.

mod any;
mod args;
mod bytes;
mod dict;
mod format;
mod json;
mod list;
mod machine;
mod math;
mod number;
mod set;
mod text;
pub(crate) mod unicode;

pub use args::ABSENT;
pub use machine::{Call, Machine, unwrapped, widened};
pub use table::Builtin;

use crate::ops::{ALLOCATES, Effect, PURE, READS, TRAPS, WRITES};
use crate::pattern::*;
use crate::trap::Fault;
use std::fmt;

/// How a front end spells a builtin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `name(…)`.
    Function(&'static str),
    /// `x.name(…)`, where x is the first parameter.
    Method(&'static str),
    /// By an operator or another construct of the language, which the lowering maps.
    Syntax,
}

/// The body of a builtin: arguments as slots, types in the call.
pub type Body = fn(&mut dyn Machine, &Call<'_>, &[u64]) -> Result<u64, Fault>;

const fn or(a: Effect, b: Effect) -> Effect {
    Effect(a.0 | b.0)
}

macro_rules! builtins {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal $spelling:ident $(($py:literal))? ($($arg:ident: $p:expr),*) => $ret:expr, [$($flag:ident)*], $body:path;)*) => {
        /// A builtin of the language; the table in this file says what each does.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Builtin {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Builtin {
            /// Every builtin, in the order of the table; of several with one spelling the first whose signature fits is meant.
            pub const ALL: &'static [Builtin] = &[$(Builtin::$name),*];

            /// Its name in the text form.
            pub const fn text(self) -> &'static str {
                match self { $(Builtin::$name => $text,)* }
            }

            /// The builtin with this text name.
            pub fn from_text(text: &str) -> Option<Builtin> {
                match text { $($text => Some(Builtin::$name),)* _ => None }
            }

            /// What it does.
            pub const fn doc(self) -> &'static str {
                match self { $(Builtin::$name => concat!($($doc),+),)* }
            }

            /// How Python spells it.
            pub const fn python(self) -> Spelling {
                match self { $(Builtin::$name => Spelling::$spelling $(($py))?,)* }
            }

            /// Its parameters.
            pub const fn params(self) -> &'static [(&'static str, Pattern)] {
                match self { $(Builtin::$name => &[$((stringify!($arg), $p)),*],)* }
            }

            /// What it returns.
            pub const fn ret(self) -> Pattern {
                match self { $(Builtin::$name => $ret,)* }
            }

            /// What it may do.
            pub const fn effect(self) -> Effect {
                match self { $(Builtin::$name => { let e = PURE; $(let e = or(e, $flag);)* e },)* }
            }

            /// The function that does it.
            pub const fn body(self) -> Body {
                match self { $(Builtin::$name => $body,)* }
            }
        }
    };
}

// After the macro that it uses.
mod table;

impl fmt::Display for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! What a flow can do wrong. The numbers are stored and never change; the names are what users read.

use crate::entity::TypeId;
use crate::types::Types;
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
    /// A field, element or captured variable of a union type that no longer holds what it was narrowed to.
    Type = 16 "type";
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

/// How long the name of a queue may be.
pub const QUEUE_NAME_MAX: usize = 200;

/// Whether this can be the name of a queue: it stands in addresses, as the names of isolates do.
pub fn is_queue_name(name: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'~' | b'-');
    (1..=QUEUE_NAME_MAX).contains(&name.len()) && name.bytes().all(fits)
}

/// What a task waits for where nothing outside its isolate can help it, in the words of a deadlock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// An element of a queue.
    Get,
    /// Room in a queue.
    Put,
    /// A held lock.
    Lock,
    /// A wait group's zero.
    Group,
    /// One of a select's cases.
    Select,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Waiting::Get => "to get from a queue",
            Waiting::Put => "to put into a queue",
            Waiting::Lock => "for a lock",
            Waiting::Group => "for a wait group",
            Waiting::Select => "for a case of a select",
        })
    }
}

/// The faults of operations that every machine implements itself, in the same words for all of them.
impl Fault {
    /// An index outside a list.
    pub fn list_index(index: i64, len: usize) -> Fault {
        Fault::new(TrapKind::Index, format!("list index out of range: index {index}, length {len}"))
    }

    /// A key that a dict does not have; takes its `repr`, of which it shows the beginning.
    pub fn missing_key(mut repr: String) -> Fault {
        if let Some((end, _)) = repr.char_indices().nth(200) {
            repr.truncate(end);
            repr.push('…');
        }
        Fault::new(TrapKind::Key, repr)
    }

    /// A position of a dict that has no entry.
    pub fn missing_entry(position: i64) -> Fault {
        Fault::new(TrapKind::Changed, format!("the dict changed while it was iterated over: no entry at {position}"))
    }

    /// A value of a union that is of another member than was established.
    pub fn narrowed(types: &Types, wanted: TypeId, found: TypeId) -> Fault {
        let (wanted, found) = (types.name(wanted), types.name(found));
        let message = format!("expected {wanted}, found {found}: the value has changed since its type was tested");
        Fault::new(TrapKind::Type, message)
    }

    /// More calls inside each other than the limit.
    pub fn call_depth(limit: usize) -> Fault {
        Fault::new(TrapKind::Depth, format!("calls are nested more than {limit} deep"))
    }

    /// More tasks at a time than the limit.
    pub fn too_many_tasks(limit: usize) -> Fault {
        Fault::new(TrapKind::Tasks, format!("more than {limit} tasks at a time"))
    }

    /// A sleep that has no meaning.
    pub fn bad_sleep(seconds: f64) -> Fault {
        let seconds = crate::structural::float_repr(seconds);
        Fault::new(TrapKind::Value, format!("sleep({seconds}): the time must not be negative or NaN"))
    }

    /// The release of a lock that is not held.
    pub fn free_lock() -> Fault {
        Fault::new(TrapKind::Sync, "release of a lock that is not held")
    }

    /// A get from a queue that will never have an element again.
    pub fn get_from_closed() -> Fault {
        Fault::new(TrapKind::Sync, "get from a queue that is closed and empty; `receive` tells the end of a queue")
    }

    /// A put into a queue that is closed, or was closed while the put waited.
    pub fn put_into_closed() -> Fault {
        Fault::new(TrapKind::Sync, "put into a queue that is closed")
    }

    /// A put into a queue that only the clock puts into.
    pub fn put_into_timer() -> Fault {
        Fault::new(TrapKind::Sync, "put into a queue of `after`, which only the time puts into")
    }

    /// The second close of a queue.
    pub fn close_of_closed() -> Fault {
        Fault::new(TrapKind::Sync, "close of a queue that is closed")
    }

    /// The close of a queue that only the clock puts into.
    pub fn close_of_timer() -> Fault {
        Fault::new(TrapKind::Sync, "close of a queue of `after`, which only the time puts into")
    }

    /// A time to wait that has no meaning.
    pub fn bad_after(seconds: f64) -> Fault {
        let seconds = crate::structural::float_repr(seconds);
        Fault::new(TrapKind::Value, format!("after({seconds}): the time must not be negative or NaN"))
    }

    /// What can't be the name of a queue; shows the beginning of its `repr`.
    pub fn bad_queue_name(name: &str) -> Fault {
        let shown: String = name.chars().take(40).collect();
        let repr = crate::structural::str_repr(&shown);
        let message =
            format!("a queue can't be named {repr}: a name is 1 to {QUEUE_NAME_MAX} letters, digits and ._~-");
        Fault::new(TrapKind::Value, message)
    }

    /// A name under which there is a queue of another type or capacity.
    pub fn queue_name_taken(name: &str, ty: &str, capacity: i64) -> Fault {
        let capacity = if capacity < 0 { String::new() } else { format!(" of capacity {capacity}") };
        Fault::new(TrapKind::Sync, format!("this isolate has a queue `{name}` already, which is a {ty}{capacity}"))
    }

    /// A wait group's counter below zero.
    pub fn wait_group_below_zero(count: i64) -> Fault {
        Fault::new(TrapKind::Sync, format!("the counter of a wait group fell to {count}"))
    }

    /// A wait group's counter past 64 bits.
    pub fn wait_group_overflow(count: i64, delta: i64) -> Fault {
        Fault::new(TrapKind::Overflow, format!("wait group: {count} + {delta} does not fit 64 bits"))
    }

    /// All tasks wait for each other: each task's number, what it waits for, and the file and line where it stands.
    pub fn deadlock<'a>(waits: impl Iterator<Item = (u64, Waiting, Option<(&'a str, u32)>)>) -> Fault {
        /// How many tasks the message names.
        const NAMED_MAX: usize = 10;
        let mut message = "every task waits for another one".to_owned();
        let mut count = 0;
        for (task, waiting, place) in waits {
            count += 1;
            if count > NAMED_MAX {
                continue;
            }
            message.push_str(if count == 1 { ": " } else { "; " });
            message.push_str(&format!("task {task} {waiting}"));
            if let Some((file, line)) = place {
                message.push_str(&format!(" at {file}:{line}"));
            }
        }
        if count > NAMED_MAX {
            message.push_str(&format!("; and {} more", count - NAMED_MAX));
        }
        Fault::new(TrapKind::Deadlock, message)
    }
}

//! The instruction table: each instruction is defined by one row, and everything that must know all of them comes from it:
//! the enum, names, operand and result types (verifier), immediates (printer and parser) and effects (passes, safe points).
//!
//! Rows are append-only and their meaning is frozen: a stored program names instructions by their text names. Lowerings
//! match on `Op` without a wildcard arm, so that a forgotten instruction does not compile.

use crate::pattern::*;
use std::fmt;
use std::ops::BitOr;

/// What an instruction may do beyond computing its result. Passes and safe points ask these flags and never list ops.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effect(pub u16);

impl Effect {
    /// Whether all flags of `other` are set.
    pub const fn has(self, other: Effect) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any flag of `other` is set.
    pub const fn any(self, other: Effect) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Effect {
    type Output = Effect;

    fn bitor(self, rhs: Effect) -> Effect {
        Effect(self.0 | rhs.0)
    }
}

const fn or(a: Effect, b: Effect) -> Effect {
    Effect(a.0 | b.0)
}

/// No effect: same operands, same result; may be moved, merged and dropped.
pub const PURE: Effect = Effect(0);
/// May end the isolate as failed.
pub const TRAPS: Effect = Effect(1);
/// Its result depends on mutable heap state.
pub const READS: Effect = Effect(2);
/// Changes heap state.
pub const WRITES: Effect = Effect(4);
/// Makes a heap object, so that a collection or the memory limit may strike.
pub const ALLOCATES: Effect = Effect(8);
/// Asks the host inline (clock, chance, a pure host function).
pub const HOST: Effect = Effect(16);
/// Acts on tasks and sync objects of its own isolate.
pub const SYNC: Effect = Effect(32);
/// Leaves the isolate: committed before it acts.
pub const DURABLE: Effect = Effect(64);
/// Is the last instruction of its block.
pub const ENDS_BLOCK: Effect = Effect(128);
/// Carries a stop: state can be written down here, and the task may be resumed here by another process.
pub const STOPS: Effect = Effect(256);

/// How many operands an instruction has, and of what types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operands {
    /// Exactly these.
    Fixed(&'static [(&'static str, Pattern)]),
    /// Any number of one type.
    Each(Pattern),
    /// Key, value, key, value, …
    Pairs(Pattern, Pattern),
    /// The parameters of the function, host function or builtin that the immediate names.
    Callee,
    /// The fields of the class, or the parts of the tuple, that is the result type.
    Slots,
    /// One value of the type that the function returns.
    Return,
    /// For each select case a queue, and for a put also the value.
    Cases,
}

/// What type an instruction's result has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Produces {
    /// No result.
    Nothing,
    /// One value of this type, whose variables the operands (or the result type as written) bind.
    One(Pattern),
    /// What the function, host function or builtin that the immediate names returns.
    Callee,
    /// The type of the field that the immediate names.
    Slot,
    /// Text or bytes, as the constant that the immediate names is.
    Constant,
}

/// What immediate an instruction carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImmKind {
    /// None.
    No,
    /// A 64-bit integer.
    Int,
    /// A double.
    Float,
    /// A truth value.
    Bool,
    /// A constant of the module.
    Const,
    /// A function of the module.
    Func,
    /// A host function of the module.
    Host,
    /// A builtin of the language.
    Builtin,
    /// The index of a field of a class or of a part of a tuple.
    Slot,
    /// The kind of trap.
    Trap,
    /// The cases of a select.
    Cases,
    /// A type of the module.
    Type,
}

macro_rules! operands {
    (Fixed($($n:ident: $p:expr),*)) => { Operands::Fixed(&[$((stringify!($n), $p)),*]) };
    (Each($n:ident: $p:expr)) => { Operands::Each($p) };
    (Pairs($k:ident: $kp:expr, $v:ident: $vp:expr)) => { Operands::Pairs($kp, $vp) };
    ($form:ident()) => { Operands::$form };
}

macro_rules! produces {
    ($form:ident($p:expr)) => {
        Produces::$form($p)
    };
    ($form:ident) => {
        Produces::$form
    };
}

macro_rules! ops {
    ($($(#[doc = $doc:literal])+ $op:ident $text:literal $form:ident($($args:tt)*) => $res:ident $(($rp:expr))?, $imm:ident, [$($flag:ident)*];)*) => {
        /// An instruction of the IR; the table in this file says what each does.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op {
            $($(#[doc = $doc])+ $op,)*
        }

        impl Op {
            /// Every instruction, in the order of the table.
            pub const ALL: &'static [Op] = &[$(Op::$op),*];

            /// Its name in the text form.
            pub const fn text(self) -> &'static str {
                match self { $(Op::$op => $text,)* }
            }

            /// What it does, in a sentence or two.
            pub const fn doc(self) -> &'static str {
                match self { $(Op::$op => concat!($($doc),+),)* }
            }

            /// Its operands.
            pub const fn operands(self) -> Operands {
                match self { $(Op::$op => operands!($form($($args)*)),)* }
            }

            /// Its result.
            pub const fn produces(self) -> Produces {
                match self { $(Op::$op => produces!($res $(($rp))?),)* }
            }

            /// Its immediate.
            pub const fn imm(self) -> ImmKind {
                match self { $(Op::$op => ImmKind::$imm,)* }
            }

            /// Its effects. Those of `call_builtin` are its builtin's on top (see `Module::effect`).
            pub const fn effect(self) -> Effect {
                match self { $(Op::$op => { let e = PURE; $(let e = or(e, $flag);)* e },)* }
            }

            /// The instruction with this text name.
            pub fn from_text(text: &str) -> Option<Op> {
                match text { $($text => Some(Op::$op),)* _ => None }
            }
        }
    };
}

ops! {
    // Constants.
    /// The integer given.
    Iconst "iconst" Fixed() => One(INT), Int, [];
    /// The double given.
    Fconst "fconst" Fixed() => One(FLOAT), Float, [];
    /// The truth value given.
    Bconst "bconst" Fixed() => One(BOOL), Bool, [];
    /// `None`.
    None "none" Fixed() => One(NONE), No, [];
    /// The text or bytes given.
    Const "const" Fixed() => Constant, Const, [];

    // Integers, 64 bits signed; what does not fit traps.
    /// Sum; traps on overflow.
    Iadd "iadd" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Difference; traps on overflow.
    Isub "isub" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Product; traps on overflow.
    Imul "imul" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Negation; traps on overflow.
    Ineg "ineg" Fixed(a: INT) => One(INT), No, [TRAPS];
    /// Quotient rounded towards minus infinity; traps on division by zero and overflow.
    Ifloordiv "ifloordiv" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Remainder with the sign of the divisor; traps on division by zero.
    Imod "imod" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Power; traps on overflow and on a negative exponent.
    Ipow "ipow" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Quotient as a float, correctly rounded; traps on division by zero.
    Itruediv "itruediv" Fixed(a: INT, b: INT) => One(FLOAT), No, [TRAPS];
    /// Bitwise and.
    Iand "iand" Fixed(a: INT, b: INT) => One(INT), No, [];
    /// Bitwise or.
    Ior "ior" Fixed(a: INT, b: INT) => One(INT), No, [];
    /// Bitwise exclusive or.
    Ixor "ixor" Fixed(a: INT, b: INT) => One(INT), No, [];
    /// Bitwise complement.
    Inot "inot" Fixed(a: INT) => One(INT), No, [];
    /// Shift to the left; traps on overflow and on a negative count.
    Ishl "ishl" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Arithmetic shift to the right; traps on a negative count.
    Ishr "ishr" Fixed(a: INT, b: INT) => One(INT), No, [TRAPS];
    /// Whether equal.
    Ieq "ieq" Fixed(a: INT, b: INT) => One(BOOL), No, [];
    /// Whether not equal.
    Ine "ine" Fixed(a: INT, b: INT) => One(BOOL), No, [];
    /// Whether less.
    Ilt "ilt" Fixed(a: INT, b: INT) => One(BOOL), No, [];
    /// Whether less or equal.
    Ile "ile" Fixed(a: INT, b: INT) => One(BOOL), No, [];
    /// Whether greater.
    Igt "igt" Fixed(a: INT, b: INT) => One(BOOL), No, [];
    /// Whether greater or equal.
    Ige "ige" Fixed(a: INT, b: INT) => One(BOOL), No, [];
    /// The nearest double, ties to even.
    IntToFloat "int_to_float" Fixed(a: INT) => One(FLOAT), No, [];

    // Floats.
    /// Sum.
    Fadd "fadd" Fixed(a: FLOAT, b: FLOAT) => One(FLOAT), No, [];
    /// Difference.
    Fsub "fsub" Fixed(a: FLOAT, b: FLOAT) => One(FLOAT), No, [];
    /// Product.
    Fmul "fmul" Fixed(a: FLOAT, b: FLOAT) => One(FLOAT), No, [];
    /// Quotient; traps on division by zero.
    Fdiv "fdiv" Fixed(a: FLOAT, b: FLOAT) => One(FLOAT), No, [TRAPS];
    /// Quotient rounded towards minus infinity; traps on division by zero.
    Ffloordiv "ffloordiv" Fixed(a: FLOAT, b: FLOAT) => One(FLOAT), No, [TRAPS];
    /// Remainder with the sign of the divisor; traps on division by zero.
    Fmod "fmod" Fixed(a: FLOAT, b: FLOAT) => One(FLOAT), No, [TRAPS];
    /// Power; traps on zero to a negative power, on a negative base with a fractional exponent, and on overflow.
    Fpow "fpow" Fixed(a: FLOAT, b: FLOAT) => One(FLOAT), No, [TRAPS];
    /// Negation.
    Fneg "fneg" Fixed(a: FLOAT) => One(FLOAT), No, [];
    /// Whether equal; false with a NaN.
    Feq "feq" Fixed(a: FLOAT, b: FLOAT) => One(BOOL), No, [];
    /// Whether not equal; true with a NaN.
    Fne "fne" Fixed(a: FLOAT, b: FLOAT) => One(BOOL), No, [];
    /// Whether less; false with a NaN.
    Flt "flt" Fixed(a: FLOAT, b: FLOAT) => One(BOOL), No, [];
    /// Whether less or equal; false with a NaN.
    Fle "fle" Fixed(a: FLOAT, b: FLOAT) => One(BOOL), No, [];
    /// Whether greater; false with a NaN.
    Fgt "fgt" Fixed(a: FLOAT, b: FLOAT) => One(BOOL), No, [];
    /// Whether greater or equal; false with a NaN.
    Fge "fge" Fixed(a: FLOAT, b: FLOAT) => One(BOOL), No, [];
    /// Truncated towards zero; traps on NaN and on what does not fit 64 bits.
    FloatToInt "float_to_int" Fixed(a: FLOAT) => One(INT), No, [TRAPS];

    // Truth values.
    /// The other truth value.
    Bnot "bnot" Fixed(a: BOOL) => One(BOOL), No, [];
    /// 0 or 1.
    BoolToInt "bool_to_int" Fixed(a: BOOL) => One(INT), No, [];

    // Any type.
    /// Whether equal by content, all the way down, as the source language's `==` has it.
    Eq "eq" Fixed(a: T, b: T) => One(BOOL), No, [TRAPS READS];
    /// -1, 0 or 1 as the first is less than, equal to or greater than the second: text by code point, bytes by byte, sequences by element.
    Order "order" Fixed(a: T, b: T) => One(INT), No, [TRAPS READS];

    // Lists.
    /// A new list of these elements.
    ListNew "list_new" Each(element: T) => One(LIST_T), No, [TRAPS ALLOCATES];
    /// How many elements it has.
    ListLen "list_len" Fixed(list: LIST_T) => One(INT), No, [READS];
    /// The element at this index, a negative one counting from the end; traps outside.
    ListGet "list_get" Fixed(list: LIST_T, index: INT) => One(T), No, [TRAPS READS];
    /// Replaces the element at this index, a negative one counting from the end; traps outside.
    ListSet "list_set" Fixed(list: LIST_T, index: INT, element: T) => Nothing, No, [TRAPS WRITES];
    /// Appends.
    ListPush "list_push" Fixed(list: LIST_T, element: T) => Nothing, No, [TRAPS WRITES ALLOCATES];

    // Dicts.
    /// A new dict of these entries, the later of two equal keys winning.
    DictNew "dict_new" Pairs(key: K, value: V) => One(DICT_KV), No, [TRAPS ALLOCATES];
    /// How many entries it has.
    DictLen "dict_len" Fixed(dict: DICT_KV) => One(INT), No, [READS];
    /// The value under this key; traps where there is none.
    DictGet "dict_get" Fixed(dict: DICT_KV, key: K) => One(V), No, [TRAPS READS];
    /// Puts this value under this key.
    DictSet "dict_set" Fixed(dict: DICT_KV, key: K, value: V) => Nothing, No, [TRAPS WRITES ALLOCATES];
    /// Whether it has this key.
    DictHas "dict_has" Fixed(dict: DICT_KV, key: K) => One(BOOL), No, [READS];
    /// The position of the first entry at or after this position in the order of insertion, or -1. Positions stay as they are until a key is added or removed.
    DictNext "dict_next" Fixed(dict: DICT_KV, position: INT) => One(INT), No, [READS];
    /// The key of the entry at this position; traps where there is no entry.
    DictKeyAt "dict_key_at" Fixed(dict: DICT_KV, position: INT) => One(K), No, [TRAPS READS];
    /// The value of the entry at this position; traps where there is no entry.
    DictValueAt "dict_value_at" Fixed(dict: DICT_KV, position: INT) => One(V), No, [TRAPS READS];

    // Objects of a class, and tuples.
    /// A new object (or tuple) of the result type with these slots.
    New "new" Slots() => One(T), No, [TRAPS ALLOCATES];
    /// The slot with this index of an object or tuple.
    SlotGet "slot_get" Fixed(object: T) => Slot, Slot, [READS];
    /// Replaces the slot with this index of an object.
    SlotSet "slot_set" Fixed(object: T, value: U) => Nothing, Slot, [WRITES];

    // Control.
    /// Goes on at the target.
    Jump "jump" Fixed() => Nothing, No, [ENDS_BLOCK];
    /// Goes on at the first target if true, else at the second.
    Branch "branch" Fixed(condition: BOOL) => Nothing, No, [ENDS_BLOCK];
    /// Leaves the function with this value.
    Return "return" Return() => Nothing, No, [ENDS_BLOCK];
    /// Fails the isolate with this message.
    Fail "fail" Fixed(message: STR) => Nothing, Trap, [TRAPS ENDS_BLOCK];
    /// Lets the engine interrupt: stands at each loop's head and at the entry of each function that can recurse.
    Poll "poll" Fixed() => Nothing, No, [STOPS];

    // Calls.
    /// Calls a function of the program; its stop lists what lives on after the call.
    Call "call" Callee() => Callee, Func, [TRAPS READS WRITES ALLOCATES HOST SYNC DURABLE STOPS];
    /// Calls a builtin of the language.
    CallBuiltin "call_builtin" Callee() => Callee, Builtin, [];
    /// Calls a pure host function inline, arguments as copies.
    CallPure "call_pure" Callee() => Callee, Host, [TRAPS READS ALLOCATES HOST];
    /// Calls an impure host function: committed first, then called at least once with the same idempotency key.
    CallImpure "call_impure" Callee() => Callee, Host, [TRAPS READS ALLOCATES DURABLE STOPS];
    /// Waits for this many seconds of the store's clock; traps on a negative number or NaN.
    Sleep "sleep" Fixed(seconds: FLOAT) => One(NONE), No, [TRAPS DURABLE STOPS];

    // Tasks and sync objects.
    /// Starts a task that runs this function; goes on at once. Traps over the limit of tasks.
    CreateTask "create_task" Callee() => Nothing, Func, [TRAPS WRITES ALLOCATES SYNC];
    /// A new channel that holds up to this many elements before a put waits; any number if negative.
    QueueNew "queue_new" Fixed(capacity: INT) => One(QUEUE_T), No, [TRAPS ALLOCATES SYNC];
    /// Puts an element, waiting while the channel is full.
    QueuePut "queue_put" Fixed(queue: QUEUE_T, element: T) => One(NONE), No, [TRAPS READS WRITES ALLOCATES SYNC STOPS];
    /// Takes the oldest element, waiting while there is none.
    QueueGet "queue_get" Fixed(queue: QUEUE_T) => One(T), No, [TRAPS READS WRITES SYNC STOPS];
    /// How many elements it holds.
    QueueLen "queue_len" Fixed(queue: QUEUE_T) => One(INT), No, [READS SYNC];
    /// A new mutex, free.
    LockNew "lock_new" Fixed() => One(LOCK), No, [TRAPS ALLOCATES SYNC];
    /// Takes the mutex, waiting in line while it is held.
    LockAcquire "lock_acquire" Fixed(lock: LOCK) => One(NONE), No, [READS WRITES SYNC STOPS];
    /// Gives the mutex to the first in line; traps if it is free.
    LockRelease "lock_release" Fixed(lock: LOCK) => Nothing, No, [TRAPS READS WRITES SYNC];
    /// A new counter at zero.
    WaitGroupNew "wait_group_new" Fixed() => One(WAIT_GROUP), No, [TRAPS ALLOCATES SYNC];
    /// Adds to the counter; at zero all waiting tasks go on; traps below zero.
    WaitGroupAdd "wait_group_add" Fixed(group: WAIT_GROUP, delta: INT) => Nothing, No, [TRAPS READS WRITES SYNC];
    /// Waits until the counter is zero.
    WaitGroupWait "wait_group_wait" Fixed(group: WAIT_GROUP) => One(NONE), No, [READS WRITES SYNC STOPS];
    /// Goes on at the target of the first case that is ready, starting after the one it took last; waits while none is, unless there is a default. The target of a get takes the element as its first parameter.
    Select "select" Cases() => Nothing, Cases, [TRAPS READS WRITES ALLOCATES SYNC STOPS ENDS_BLOCK];

    // Time and chance, asked of the host inline: nothing is replayed, so nothing has to be recorded.
    /// The host's clock: seconds since the beginning of 1970.
    Now "now" Fixed() => One(FLOAT), No, [HOST];
    /// A random number, at least 0 and less than 1.
    Random "random" Fixed() => One(FLOAT), No, [HOST];
    /// A new random id, as the text of a version 4 UUID.
    Uuid "uuid" Fixed() => One(STR), No, [TRAPS ALLOCATES HOST];

    // Unions.
    /// The value as one of the union that is the result type: of a member, or of a union of some of its members.
    UnionWiden "union_widen" Fixed(value: T) => One(U), No, [TRAPS ALLOCATES];
    /// Whether a union's value is of the type given: a member, or a union of some members.
    UnionIs "union_is" Fixed(value: T) => One(BOOL), Type, [READS];
    /// A union's value as one of the result type: a member, or a union of some members. Traps where it is of another one.
    UnionNarrow "union_narrow" Fixed(value: T) => One(U), No, [TRAPS READS];

    // More of channels.
    /// Closes a channel: nothing can be put any more, and what is in it can still be taken. Traps if it is closed, or one of `after`.
    QueueClose "queue_close" Fixed(queue: QUEUE_T) => Nothing, No, [TRAPS READS WRITES SYNC];
    /// Whether it is closed.
    QueueClosed "queue_closed" Fixed(queue: QUEUE_T) => One(BOOL), No, [READS SYNC];
    /// Whether a put would wait.
    QueueFull "queue_full" Fixed(queue: QUEUE_T) => One(BOOL), No, [READS SYNC];
    /// Takes the oldest element, waiting while there is none: a list of it, or an empty one where the channel is closed and empty.
    QueueReceive "queue_receive" Fixed(queue: QUEUE_T) => One(LIST_T), No, [TRAPS READS WRITES ALLOCATES SYNC STOPS];
    /// A channel that gets one element, the time, this many seconds from now; traps on a negative number or NaN. Nothing but the channel keeps the time: where nobody can take from it any more, nothing is left of it.
    After "after" Fixed(seconds: FLOAT) => One(QUEUE_FLOAT), No, [TRAPS ALLOCATES HOST SYNC];
    /// The channel of this isolate with this name, made if there is none, into which `send` brings elements from outside. Traps where there is one of another type or capacity, and on what is no name.
    QueueNamed "queue_named" Fixed(name: STR, capacity: INT) => One(QUEUE_T), No, [TRAPS READS WRITES ALLOCATES SYNC];

    // More of calls.
    /// Calls a pure function of the program. Where an integer overflows in it, or in what it calls, the pure host function of the same name is called with the same arguments, and its result is that of the call; where that has none, it is the overflow. Its stop lists its arguments and what lives on after the call.
    CallOrHost "call_or_host" Callee() => Callee, Func, [TRAPS READS WRITES ALLOCATES HOST SYNC DURABLE STOPS];
}

impl Op {
    /// Whether it is the last instruction of its block.
    pub const fn ends_block(self) -> bool {
        self.effect().has(ENDS_BLOCK)
    }

    /// Whether it calls a function of the program, in a frame of its own.
    pub const fn calls(self) -> bool {
        matches!(self, Op::Call | Op::CallOrHost)
    }

    /// Whether it carries a stop.
    pub const fn stops(self) -> bool {
        self.effect().has(STOPS)
    }

    /// Whether it has a result.
    pub fn has_result(self) -> bool {
        !matches!(self.produces(), Produces::Nothing)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

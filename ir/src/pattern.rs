//! Type patterns: how the instruction table and the builtin table write the types of operands and results. A pattern with
//! variables (`list[T]`) stands for all types that fit; matching binds the variables, so that a result can be derived.

use crate::entity::TypeId;
use crate::structural::is_orderable;
use crate::types::{self, Type, Types};

/// A type with variables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    /// Exactly this scalar or fixed type.
    Is(TypeId),
    /// Whatever the variable with this index is bound to; the first match binds it.
    Var(u8),
    /// `list[…]`.
    List(&'static Pattern),
    /// `dict[…, …]`.
    Dict(&'static Pattern, &'static Pattern),
    /// `Queue[…]`.
    Queue(&'static Pattern),
    /// `tuple[…, …]` of two parts.
    Pair(&'static Pattern, &'static Pattern),
    /// `tuple[…, …, …]` of three parts.
    Triple(&'static Pattern, &'static Pattern, &'static Pattern),
    /// `tuple[…, ...]`.
    TupleOf(&'static Pattern),
    /// `set[…]`.
    Set(&'static Pattern),
    /// `frozenset[…]`.
    FrozenSet(&'static Pattern),
    /// `set[…]` or `frozenset[…]`, as the variable with this index is bound to.
    AnySet(u8, &'static Pattern),
    /// As `Var`, for types whose values can be keys (see `Types::is_hashable`).
    Hashable(u8),
    /// As `Var`, for types whose values have an order (see `structural::is_orderable`).
    Ordered(u8),
}

/// `None`.
pub const NONE: Pattern = Pattern::Is(types::NONE);
/// `bool`.
pub const BOOL: Pattern = Pattern::Is(types::BOOL);
/// `int`.
pub const INT: Pattern = Pattern::Is(types::INT);
/// `float`.
pub const FLOAT: Pattern = Pattern::Is(types::FLOAT);
/// `str`.
pub const STR: Pattern = Pattern::Is(types::STR);
/// `bytes`.
pub const BYTES: Pattern = Pattern::Is(types::BYTES);
/// `Lock`.
pub const LOCK: Pattern = Pattern::Is(types::LOCK);
/// `WaitGroup`.
pub const WAIT_GROUP: Pattern = Pattern::Is(types::WAIT_GROUP);
/// A type variable.
pub const T: Pattern = Pattern::Var(0);
/// A second type variable.
pub const U: Pattern = Pattern::Var(1);
/// The type variable of a dict's key.
pub const K: Pattern = Pattern::Var(2);
/// The type variable of a dict's value.
pub const V: Pattern = Pattern::Var(3);
/// A type variable for types that have an order.
pub const ORDERED_T: Pattern = Pattern::Ordered(0);
/// `list[T]` of a type that has an order.
pub const LIST_ORDERED_T: Pattern = Pattern::List(&ORDERED_T);
/// `list[U]` of a type that has an order.
pub const LIST_ORDERED_U: Pattern = Pattern::List(&Pattern::Ordered(1));
/// `list[T]`.
pub const LIST_T: Pattern = Pattern::List(&T);
/// `list[str]`.
pub const LIST_STR: Pattern = Pattern::List(&STR);
/// `list[int]`.
pub const LIST_INT: Pattern = Pattern::List(&INT);
/// `list[float]`.
pub const LIST_FLOAT: Pattern = Pattern::List(&FLOAT);
/// `list[bool]`.
pub const LIST_BOOL: Pattern = Pattern::List(&BOOL);
/// `list[bytes]`.
pub const LIST_BYTES: Pattern = Pattern::List(&BYTES);
/// `list[U]`.
pub const LIST_U: Pattern = Pattern::List(&U);
/// `list[tuple[T, U]]`.
pub const LIST_PAIR_TU: Pattern = Pattern::List(&Pattern::Pair(&T, &U));
/// `list[tuple[int, T]]`.
pub const LIST_PAIR_INT_T: Pattern = Pattern::List(&Pattern::Pair(&INT, &T));
/// `tuple[K, V]`.
pub const PAIR_KV: Pattern = Pattern::Pair(&K, &V);
/// `list[tuple[K, V]]`.
pub const LIST_PAIR_KV: Pattern = Pattern::List(&PAIR_KV);
/// `tuple[int, int]`.
pub const PAIR_INT: Pattern = Pattern::Pair(&INT, &INT);
/// `tuple[float, float]`.
pub const PAIR_FLOAT: Pattern = Pattern::Pair(&FLOAT, &FLOAT);
/// `tuple[bytes, str]`.
pub const PAIR_BYTES_STR: Pattern = Pattern::Pair(&BYTES, &STR);
/// `tuple[str, str, str]`.
pub const TRIPLE_STR: Pattern = Pattern::Triple(&STR, &STR, &STR);
/// `tuple[bytes, bytes, bytes]`.
pub const TRIPLE_BYTES: Pattern = Pattern::Triple(&BYTES, &BYTES, &BYTES);
/// `dict[int, str]`.
pub const DICT_INT_STR: Pattern = Pattern::Dict(&INT, &STR);
/// `dict[str, str]`.
pub const DICT_STR_STR: Pattern = Pattern::Dict(&STR, &STR);
/// `list[K]`.
pub const LIST_K: Pattern = Pattern::List(&K);
/// `list[V]`.
pub const LIST_V: Pattern = Pattern::List(&V);
/// `dict[K, V]`.
pub const DICT_KV: Pattern = Pattern::Dict(&K, &V);
/// A type variable for types that can be keys.
pub const HASHABLE_T: Pattern = Pattern::Hashable(0);
/// `list[T]` of a type that can be a key.
pub const LIST_HASHABLE_T: Pattern = Pattern::List(&HASHABLE_T);
/// `tuple[T, ...]`.
pub const TUPLE_OF_T: Pattern = Pattern::TupleOf(&T);
/// `set[T]`.
pub const SET_T: Pattern = Pattern::Set(&T);
/// `frozenset[T]`.
pub const FROZEN_SET_T: Pattern = Pattern::FrozenSet(&T);
/// A set of either kind with elements T.
pub const ANY_SET_T: Pattern = Pattern::AnySet(1, &T);
/// A second set of either kind with the same elements.
pub const OTHER_SET_T: Pattern = Pattern::AnySet(3, &T);
/// `Queue[T]`.
pub const QUEUE_T: Pattern = Pattern::Queue(&T);
/// `Queue[float]`.
pub const QUEUE_FLOAT: Pattern = Pattern::Queue(&FLOAT);

/// What the variables of a pattern are bound to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bindings([Option<TypeId>; 4]);

impl Pattern {
    /// Whether the type fits the pattern under the bindings so far; binds the variables that it meets first. After a
    /// `false` the bindings are of no use.
    pub fn matches(&self, types: &Types, ty: TypeId, bound: &mut Bindings) -> bool {
        match (self, types.get(ty)) {
            (Pattern::Is(id), _) => *id == ty,
            (Pattern::Var(i), _) => *bound.0[usize::from(*i)].get_or_insert(ty) == ty,
            (Pattern::List(e), Type::List(te)) => e.matches(types, *te, bound),
            (Pattern::Dict(k, v), Type::Dict(tk, tv)) => k.matches(types, *tk, bound) && v.matches(types, *tv, bound),
            (Pattern::Queue(e), Type::Queue(te)) => e.matches(types, *te, bound),
            (Pattern::Pair(a, b), Type::Tuple(parts)) if parts.len() == 2 => {
                a.matches(types, parts[0], bound) && b.matches(types, parts[1], bound)
            }
            (Pattern::Triple(a, b, c), Type::Tuple(parts)) if parts.len() == 3 => {
                let fits = [a, b, c].into_iter().zip(parts);
                fits.into_iter().all(|(part, ty)| part.matches(types, *ty, bound))
            }
            (Pattern::Ordered(i), _) => is_orderable(types, ty) && *bound.0[usize::from(*i)].get_or_insert(ty) == ty,
            (Pattern::TupleOf(e), Type::TupleOf(te)) => e.matches(types, *te, bound),
            (Pattern::Set(e), Type::Set(te)) => e.matches(types, *te, bound),
            (Pattern::FrozenSet(e), Type::FrozenSet(te)) => e.matches(types, *te, bound),
            (Pattern::AnySet(i, e), Type::Set(te) | Type::FrozenSet(te)) => {
                *bound.0[usize::from(*i)].get_or_insert(ty) == ty && e.matches(types, *te, bound)
            }
            (Pattern::Hashable(i), _) => types.is_hashable(ty) && *bound.0[usize::from(*i)].get_or_insert(ty) == ty,
            (Pattern::List(_) | Pattern::Dict(..) | Pattern::Queue(_) | Pattern::Pair(..) | Pattern::Triple(..), _) => {
                false
            }
            (Pattern::TupleOf(_) | Pattern::Set(_) | Pattern::FrozenSet(_) | Pattern::AnySet(..), _) => false,
        }
    }

    /// The type that the pattern stands for under these bindings, interned; `None` where a variable is unbound.
    pub fn resolve(&self, types: &mut Types, bound: &Bindings) -> Option<TypeId> {
        let ty = match self {
            Pattern::Is(id) => return Some(*id),
            Pattern::Var(i) | Pattern::Ordered(i) | Pattern::Hashable(i) => return bound.0[usize::from(*i)],
            Pattern::AnySet(i, _) => return bound.0[usize::from(*i)],
            Pattern::TupleOf(e) => Type::TupleOf(e.resolve(types, bound)?),
            Pattern::Set(e) => Type::Set(e.resolve(types, bound)?),
            Pattern::FrozenSet(e) => Type::FrozenSet(e.resolve(types, bound)?),
            Pattern::List(e) => Type::List(e.resolve(types, bound)?),
            Pattern::Dict(k, v) => Type::Dict(k.resolve(types, bound)?, v.resolve(types, bound)?),
            Pattern::Queue(e) => Type::Queue(e.resolve(types, bound)?),
            Pattern::Pair(a, b) => Type::Tuple(vec![a.resolve(types, bound)?, b.resolve(types, bound)?]),
            Pattern::Triple(a, b, c) => {
                Type::Tuple(vec![a.resolve(types, bound)?, b.resolve(types, bound)?, c.resolve(types, bound)?])
            }
        };
        Some(types.intern(ty))
    }
}

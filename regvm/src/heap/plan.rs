//! For each type of the program, where its objects hold references: worked out once, so that the collector and the snapshot
//! never look at type names.

use super::object::Kind;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self, Type, Types};

/// What an object of one type looks like.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Values of the type are scalars; an object is a box of one slot, which a union that holds one refers to.
    Scalar,
    /// Values of the type refer to objects of the members' types; none is of the union's own.
    Union,
    /// `str`.
    Str,
    /// `bytes`.
    Bytes,
    /// A class or tuple: the type of each slot, and which slots are references.
    Slots { types: Box<[TypeId]>, refs: Box<[u32]> },
    /// A list: its element.
    List { element: TypeId, refs: bool },
    /// A dict: key and value. A set is one with `None` as its values, of which a snapshot writes nothing.
    Dict { key: TypeId, value: TypeId, key_refs: bool, value_refs: bool, set: bool },
    /// A queue: its element.
    Queue { element: TypeId, refs: bool },
    /// A lock.
    Lock,
    /// A wait group.
    WaitGroup,
}

impl Plan {
    pub fn of(types: &Types, ty: TypeId) -> Plan {
        match types.get(ty) {
            Type::None | Type::Bool | Type::Int | Type::Float => Plan::Scalar,
            Type::Str => Plan::Str,
            Type::Bytes => Plan::Bytes,
            Type::List(e) | Type::TupleOf(e) => Plan::List { element: *e, refs: types.is_ref(*e) },
            Type::Dict(k, v) => {
                Plan::Dict { key: *k, value: *v, key_refs: types.is_ref(*k), value_refs: types.is_ref(*v), set: false }
            }
            Type::Set(e) | Type::FrozenSet(e) => {
                Plan::Dict { key: *e, value: types::NONE, key_refs: types.is_ref(*e), value_refs: false, set: true }
            }
            Type::Tuple(_) | Type::Class(_) => {
                let slots = types.slots(ty).expect("classes and tuples have slots");
                let index = |i: usize| u32::try_from(i).expect("a type has fewer than 2^32 slots");
                let refs = slots.iter().enumerate().filter(|(_, t)| types.is_ref(**t)).map(|(i, _)| index(i)).collect();
                Plan::Slots { types: slots.into(), refs }
            }
            Type::Queue(e) => Plan::Queue { element: *e, refs: types.is_ref(*e) },
            Type::Lock => Plan::Lock,
            Type::WaitGroup => Plan::WaitGroup,
            Type::Union(_) => Plan::Union,
        }
    }

    /// The kind of the objects, if there are any.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Plan::Union => None,
            Plan::Scalar => Some(Kind::Slots),
            Plan::Str => Some(Kind::Str),
            Plan::Bytes => Some(Kind::Bytes),
            Plan::Slots { .. } => Some(Kind::Slots),
            Plan::List { .. } => Some(Kind::List),
            Plan::Dict { .. } => Some(Kind::Dict),
            Plan::Queue { .. } => Some(Kind::Queue),
            Plan::Lock => Some(Kind::Lock),
            Plan::WaitGroup => Some(Kind::WaitGroup),
        }
    }

    /// How many slots an object has, if it is a class, tuple or box.
    pub fn slot_count(&self) -> Option<usize> {
        match self {
            Plan::Scalar => Some(1),
            Plan::Slots { types, .. } => Some(types.len()),
            _ => None,
        }
    }
}

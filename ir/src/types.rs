//! The types of a program, interned: equal types have equal ids, so that comparing ids compares types.
//!
//! A scalar lives in one untagged 64-bit slot; everything else is a reference to a heap object of known type. Ids of the
//! scalar types are constants, since every module has them.

use crate::entity::{ClassId, TypeId};
use crate::limits::TYPE_DEPTH_MAX;
use indexmap::IndexSet;
use std::collections::HashSet;
use std::fmt::Write;

/// One type. Compound types name their parts by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// The type with the one value `None`; its slot is 0.
    None,
    /// Slot 0 or 1.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// An IEEE double, by its bits.
    Float,
    /// Immutable Unicode text, indexed by code point.
    Str,
    /// Immutable bytes.
    Bytes,
    /// A mutable sequence of one element type.
    List(TypeId),
    /// A mutable mapping that keeps the order of insertion.
    Dict(TypeId, TypeId),
    /// An immutable sequence of a fixed number of elements, each of its own type.
    Tuple(Vec<TypeId>),
    /// An immutable sequence of any number of elements of one type.
    TupleOf(TypeId),
    /// A mutable collection of distinct elements that keeps the order of insertion.
    Set(TypeId),
    /// A set that can't change.
    FrozenSet(TypeId),
    /// An instance of a class of the module.
    Class(ClassId),
    /// A durable channel of one element type.
    Queue(TypeId),
    /// A durable mutex.
    Lock,
    /// A counter that tasks can wait on.
    WaitGroup,
}

/// `None`.
pub const NONE: TypeId = TypeId(0);
/// `bool`.
pub const BOOL: TypeId = TypeId(1);
/// `int`.
pub const INT: TypeId = TypeId(2);
/// `float`.
pub const FLOAT: TypeId = TypeId(3);
/// `str`.
pub const STR: TypeId = TypeId(4);
/// `bytes`.
pub const BYTES: TypeId = TypeId(5);
/// `Lock`.
pub const LOCK: TypeId = TypeId(6);
/// `WaitGroup`.
pub const WAIT_GROUP: TypeId = TypeId(7);

const FIXED: [(Type, &str); 8] = [
    (Type::None, "None"),
    (Type::Bool, "bool"),
    (Type::Int, "int"),
    (Type::Float, "float"),
    (Type::Str, "str"),
    (Type::Bytes, "bytes"),
    (Type::Lock, "Lock"),
    (Type::WaitGroup, "WaitGroup"),
];

/// A field of a class.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name in the source.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
}

/// A dataclass (or Go struct).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// Unique in its module; an identifier, dotted where the source nests it.
    pub name: String,
    /// In the order of declaration, which is the order of their slots.
    pub fields: Vec<Field>,
    /// Whether its fields can't be assigned after construction, which also makes it a possible dict key.
    pub frozen: bool,
}

impl Class {
    /// The index of the field with this name.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }
}

/// The interned types and the classes of one module.
#[derive(Clone, Debug)]
pub struct Types {
    interned: IndexSet<Type>,
    classes: Vec<Class>,
}

impl Default for Types {
    fn default() -> Self {
        Types::new()
    }
}

impl Types {
    /// A table with the scalar types only.
    pub fn new() -> Types {
        Types { interned: FIXED.iter().map(|(ty, _)| ty.clone()).collect(), classes: Vec::new() }
    }

    /// The id of this type, made if need be.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        TypeId::from_index(self.interned.insert_full(ty).0)
    }

    /// The id of this type if the module has it.
    pub fn find(&self, ty: &Type) -> Option<TypeId> {
        self.interned.get_index_of(ty).map(TypeId::from_index)
    }

    /// The type with this id. Panics if the id is of another table: `contains` tells.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.interned[id.index()]
    }

    /// Whether this table has the id.
    pub fn contains(&self, id: TypeId) -> bool {
        id.index() < self.interned.len()
    }

    /// All ids, in the order of interning.
    pub fn ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (0..self.interned.len()).map(TypeId::from_index)
    }

    /// Adds a class; its fields may be given later by `class_mut`, so that classes can name each other.
    pub fn add_class(&mut self, class: Class) -> ClassId {
        self.classes.push(class);
        ClassId::from_index(self.classes.len() - 1)
    }

    /// The class with this id.
    pub fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    /// The class with this id, to complete it.
    pub fn class_mut(&mut self, id: ClassId) -> &mut Class {
        &mut self.classes[id.index()]
    }

    /// All classes.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The class with this name.
    pub fn class_named(&self, name: &str) -> Option<ClassId> {
        self.classes.iter().position(|c| c.name == name).map(ClassId::from_index)
    }

    /// Whether a value of this type is a reference to a heap object (otherwise it is a scalar slot).
    pub fn is_ref(&self, id: TypeId) -> bool {
        !matches!(self.get(id), Type::None | Type::Bool | Type::Int | Type::Float)
    }

    /// The types of the slots of an object of this type, where it has a fixed number of them (classes and tuples).
    pub fn slots(&self, id: TypeId) -> Option<Vec<TypeId>> {
        match self.get(id) {
            Type::Class(c) => Some(self.class(*c).fields.iter().map(|f| f.ty).collect()),
            Type::Tuple(parts) => Some(parts.clone()),
            _ => None,
        }
    }

    /// Whether values of this type can be keys of a dict and elements of a set: scalars, text, bytes, and tuples, frozen
    /// sets and frozen classes of those.
    pub fn is_hashable(&self, id: TypeId) -> bool {
        // What was found good is not looked at again: a type may name another many times over.
        fn walk(types: &Types, id: TypeId, depth: u32, good: &mut HashSet<TypeId>) -> bool {
            if depth > TYPE_DEPTH_MAX {
                return false;
            }
            let fits = good.contains(&id)
                || match types.get(id) {
                    Type::None | Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => true,
                    Type::Tuple(parts) => parts.iter().all(|p| walk(types, *p, depth + 1, good)),
                    Type::TupleOf(e) | Type::FrozenSet(e) => walk(types, *e, depth + 1, good),
                    Type::Class(c) => {
                        let class = types.class(*c);
                        class.frozen && class.fields.iter().all(|f| walk(types, f.ty, depth + 1, good))
                    }
                    Type::List(_) | Type::Dict(..) | Type::Set(_) => false,
                    Type::Queue(_) | Type::Lock | Type::WaitGroup => false,
                };
            if fits {
                good.insert(id);
            }
            fits
        }
        walk(self, id, 0, &mut HashSet::new())
    }

    /// The element type of a list, of a tuple of any length, or of a set.
    pub fn element(&self, id: TypeId) -> Option<TypeId> {
        match self.get(id) {
            Type::List(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) => Some(*e),
            _ => None,
        }
    }

    /// Whether `==` compares values of this type by their content all the way down (no sync objects inside).
    pub fn is_comparable(&self, id: TypeId) -> bool {
        !matches!(self.get(id), Type::Queue(_) | Type::Lock | Type::WaitGroup)
    }

    /// The type as it is written in the source and in the text form.
    pub fn name(&self, id: TypeId) -> String {
        let mut out = String::new();
        self.write_name(id, &mut out);
        out
    }

    fn write_name(&self, id: TypeId, out: &mut String) {
        if let Some((_, name)) = FIXED.get(id.index()) {
            out.push_str(name);
            return;
        }
        match self.get(id) {
            Type::List(e) => {
                out.push_str("list[");
                self.write_name(*e, out);
                out.push(']');
            }
            Type::Dict(k, v) => {
                out.push_str("dict[");
                self.write_name(*k, out);
                out.push_str(", ");
                self.write_name(*v, out);
                out.push(']');
            }
            Type::Tuple(parts) => {
                out.push_str("tuple[");
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    self.write_name(*part, out);
                }
                out.push(']');
            }
            Type::TupleOf(e) => {
                out.push_str("tuple[");
                self.write_name(*e, out);
                out.push_str(", ...]");
            }
            Type::Set(e) | Type::FrozenSet(e) => {
                out.push_str(if matches!(self.get(id), Type::Set(_)) { "set[" } else { "frozenset[" });
                self.write_name(*e, out);
                out.push(']');
            }
            Type::Class(c) => {
                let _ = write!(out, "{}", self.class(*c).name);
            }
            Type::Queue(e) => {
                out.push_str("Queue[");
                self.write_name(*e, out);
                out.push(']');
            }
            Type::None
            | Type::Bool
            | Type::Int
            | Type::Float
            | Type::Str
            | Type::Bytes
            | Type::Lock
            | Type::WaitGroup => {
                unreachable!("scalar types have fixed ids")
            }
        }
    }

    /// The fixed type with this name (`int`, `str`, `Lock`, …).
    pub fn fixed_named(name: &str) -> Option<TypeId> {
        FIXED.iter().position(|(_, n)| *n == name).map(TypeId::from_index)
    }
}

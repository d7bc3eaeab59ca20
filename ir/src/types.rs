//! The types of a program, interned: equal types have equal ids, so that comparing ids compares types.
//!
//! A scalar lives in one untagged 64-bit slot; everything else is a reference to a heap object of known type. Ids of the
//! scalar types are constants, since every module has them.

use crate::entity::{ClassId, TypeId};
use crate::enums::Enum;
use crate::limits::TYPE_DEPTH_MAX;
use indexmap::IndexSet;
use std::collections::{HashMap, HashSet};
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
    /// A value of one of these types: at least two, none of them a union, in the order that `Types::union` gives them. Its slot
    /// is a reference to an object whose own type says which member it is; a scalar member is in a box of one slot.
    Union(Vec<TypeId>),
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
    enums: HashMap<ClassId, Enum>,
}

impl Default for Types {
    fn default() -> Self {
        Types::new()
    }
}

impl Types {
    /// A table with the scalar types only.
    pub fn new() -> Types {
        Types { interned: FIXED.iter().map(|(ty, _)| ty.clone()).collect(), classes: Vec::new(), enums: HashMap::new() }
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

    /// What makes the class an enumeration, if it is one.
    pub fn enumeration(&self, id: ClassId) -> Option<&Enum> {
        self.enums.get(&id)
    }

    /// Makes the class an enumeration; its fields are the name and the value of a member.
    pub fn set_enumeration(&mut self, id: ClassId, enumeration: Enum) {
        self.enums.insert(id, enumeration);
    }

    /// All classes.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The class with this name.
    pub fn class_named(&self, name: &str) -> Option<ClassId> {
        self.classes.iter().position(|c| c.name == name).map(ClassId::from_index)
    }

    /// The type of a value of any of these types: unions among them give their members, each member is taken once, and the
    /// order depends on nothing but the members: scalars, then text, bytes and containers, then classes by name, and `None`
    /// last. Of one type it is that type, of none `None`.
    pub fn union(&mut self, parts: &[TypeId]) -> TypeId {
        let mut members = Vec::with_capacity(parts.len());
        for part in parts {
            match self.get(*part) {
                Type::Union(inner) => members.extend_from_slice(inner),
                _ => members.push(*part),
            }
        }
        // Few unions have more than three members, so that a name made twice costs little.
        members.sort_by_cached_key(|id| self.member_rank(*id));
        members.dedup();
        match members[..] {
            [] => NONE,
            [one] => one,
            _ => self.intern(Type::Union(members)),
        }
    }

    /// What members of a union are ordered by.
    fn member_rank(&self, id: TypeId) -> (u8, String, TypeId) {
        let rank = match self.get(id) {
            Type::Bool => 0,
            Type::Int => 1,
            Type::Float => 2,
            Type::Str => 3,
            Type::Bytes => 4,
            Type::List(_) => 5,
            Type::Dict(..) => 6,
            Type::Tuple(_) | Type::TupleOf(_) | Type::Set(_) | Type::FrozenSet(_) => 7,
            Type::Class(_) => 8,
            Type::Queue(_) | Type::Lock | Type::WaitGroup => 9,
            Type::Union(_) => 10,
            Type::None => 11,
        };
        // Beyond this length the name decides no more: a type of a type that stands in it twice, and so on, has a name
        // that doubles each time.
        let mut name = String::new();
        self.write_name(id, &mut name, 4096);
        (rank, name, id)
    }

    /// Whether these are the members of a union as `union` makes it. They must be sound types.
    pub(crate) fn is_union(&self, members: &[TypeId]) -> bool {
        let flat = members.iter().all(|m| !matches!(self.get(*m), Type::Union(_)));
        let ranks: Vec<_> = members.iter().map(|m| self.member_rank(*m)).collect();
        flat && members.len() > 1 && ranks.windows(2).all(|pair| pair[0] < pair[1])
    }

    /// The members of a union; nothing for any other type.
    pub fn members(&self, id: TypeId) -> Option<&[TypeId]> {
        match self.get(id) {
            Type::Union(members) => Some(members),
            _ => None,
        }
    }

    /// Whether each value of `part` is one of `whole`, which is the same type or a union with all that `part` can be.
    pub fn includes(&self, whole: TypeId, part: TypeId) -> bool {
        if whole == part {
            return true;
        }
        match (self.members(whole), self.members(part)) {
            (Some(members), None) => members.contains(&part),
            (Some(members), Some(parts)) => parts.iter().all(|p| members.contains(p)),
            (None, _) => false,
        }
    }

    /// The union without what `part` can be; nothing if that is all of it.
    pub fn without(&mut self, whole: TypeId, part: TypeId) -> Option<TypeId> {
        let all = self.members(whole).map_or_else(|| vec![whole], <[TypeId]>::to_vec);
        let left: Vec<TypeId> = all.into_iter().filter(|m| !self.includes(part, *m)).collect();
        if left.is_empty() { None } else { Some(self.union(&left)) }
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
    /// sets, frozen classes and unions of those.
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
                    Type::Union(members) => members.iter().all(|m| walk(types, *m, depth + 1, good)),
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
        match self.get(id) {
            Type::Queue(_) | Type::Lock | Type::WaitGroup => false,
            // No member is a union.
            Type::Union(members) => {
                !members.iter().any(|m| matches!(self.get(*m), Type::Queue(_) | Type::Lock | Type::WaitGroup))
            }
            _ => true,
        }
    }

    /// The type as it is written in the source and in the text form.
    pub fn name(&self, id: TypeId) -> String {
        let mut out = String::new();
        self.write_name(id, &mut out, usize::MAX);
        out
    }

    /// Appends the name of a type, or no more than a part of it where `out` has become this long.
    fn write_name(&self, id: TypeId, out: &mut String, limit: usize) {
        if out.len() >= limit {
            return;
        }
        if let Some((_, name)) = FIXED.get(id.index()) {
            out.push_str(name);
            return;
        }
        match self.get(id) {
            Type::List(e) => {
                out.push_str("list[");
                self.write_name(*e, out, limit);
                out.push(']');
            }
            Type::Dict(k, v) => {
                out.push_str("dict[");
                self.write_name(*k, out, limit);
                out.push_str(", ");
                self.write_name(*v, out, limit);
                out.push(']');
            }
            Type::Tuple(parts) => {
                out.push_str("tuple[");
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    self.write_name(*part, out, limit);
                }
                out.push(']');
            }
            Type::TupleOf(e) => {
                out.push_str("tuple[");
                self.write_name(*e, out, limit);
                out.push_str(", ...]");
            }
            Type::Set(e) | Type::FrozenSet(e) => {
                out.push_str(if matches!(self.get(id), Type::Set(_)) { "set[" } else { "frozenset[" });
                self.write_name(*e, out, limit);
                out.push(']');
            }
            Type::Class(c) => {
                let _ = write!(out, "{}", self.class(*c).name);
            }
            Type::Queue(e) => {
                out.push_str("Queue[");
                self.write_name(*e, out, limit);
                out.push(']');
            }
            Type::Union(members) => {
                for (i, member) in members.iter().enumerate() {
                    if i > 0 {
                        out.push_str(" | ");
                    }
                    self.write_name(*member, out, limit);
                }
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

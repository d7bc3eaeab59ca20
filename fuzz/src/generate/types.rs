//! Which types a program uses: a palette from which most choices are made, so that values meet others of their type.

use super::{Generator, Kind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Type, Types};

/// A type as the source writes it.
pub(super) fn spelled(types: &Types, id: TypeId) -> String {
    match types.get(id) {
        Type::List(e) => format!("list[{}]", spelled(types, *e)),
        Type::Dict(k, v) => format!("dict[{}, {}]", spelled(types, *k), spelled(types, *v)),
        Type::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(|p| spelled(types, *p)).collect();
            format!("tuple[{}]", parts.join(", "))
        }
        Type::TupleOf(_) | Type::Set(_) | Type::FrozenSet(_) => types.name(id),
        Type::Queue(e) => format!("dpslio.Queue[{}]", spelled(types, *e)),
        Type::Union(members) => {
            let members: Vec<String> = members.iter().map(|m| spelled(types, *m)).collect();
            members.join(" | ")
        }
        Type::Lock => "dpslio.Lock".to_owned(),
        Type::WaitGroup => "dpslio.WaitGroup".to_owned(),
        Type::Class(_) | Type::None | Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => types.name(id),
    }
}

/// Whether a type satisfies a test anywhere inside it.
pub(super) fn any_part(types: &Types, id: TypeId, test: fn(&Type) -> bool) -> bool {
    fn walk(types: &Types, id: TypeId, test: fn(&Type) -> bool, depth: u32) -> bool {
        if test(types.get(id)) {
            return true;
        }
        if depth == 0 {
            return false;
        }
        match types.get(id) {
            Type::List(e) | Type::Queue(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) => {
                walk(types, *e, test, depth - 1)
            }
            Type::Dict(k, v) => walk(types, *k, test, depth - 1) || walk(types, *v, test, depth - 1),
            Type::Tuple(parts) | Type::Union(parts) => parts.iter().any(|p| walk(types, *p, test, depth - 1)),
            Type::Class(c) => types.class(*c).fields.iter().any(|f| walk(types, f.ty, test, depth - 1)),
            _ => false,
        }
    }
    walk(types, id, test, 6)
}

pub(super) fn has_sync(types: &Types, id: TypeId) -> bool {
    any_part(types, id, |t| matches!(t, Type::Queue(_) | Type::Lock | Type::WaitGroup))
}

/// Whether a value of the type may be of one of several types, itself or in a part of it: then an expression may have a
/// narrower type than the one that is wanted.
pub(super) fn is_vague(types: &Types, id: TypeId) -> bool {
    any_part(types, id, |t| matches!(t, Type::Union(_)))
}

impl Generator<'_> {
    pub fn choose_palette(&mut self) {
        self.palette = vec![ty::INT];
        for _ in 0..6 {
            let ty = self.made_type(3);
            self.palette.push(ty);
        }
        self.palette.extend(self.classes.iter().copied());
    }

    /// A type of values, mostly one that the program uses already.
    pub fn some_type(&mut self) -> TypeId {
        if self.body.kind == Kind::Pure {
            return self.scalar_type();
        }
        if self.c.chance(20) {
            return self.made_type(2);
        }
        let palette = std::mem::take(&mut self.palette);
        let ty = self.c.pick(&palette).copied().unwrap_or(ty::INT);
        self.palette = palette;
        ty
    }

    pub fn scalar_type(&mut self) -> TypeId {
        match self.c.below(10) {
            0..=3 => ty::INT,
            4..=5 => ty::FLOAT,
            6 => ty::BOOL,
            7..=8 => ty::STR,
            _ => ty::BYTES,
        }
    }

    /// A type made for the occasion, so deep at most.
    pub fn made_type(&mut self, depth: usize) -> TypeId {
        if depth == 0 || self.c.chance(45) {
            return self.scalar_type();
        }
        if self.c.chance(10) {
            return self.union_type(depth - 1);
        }
        if self.c.chance(10) {
            let element = self.key_type(depth - 1);
            let set = if self.c.chance(70) { Type::Set(element) } else { Type::FrozenSet(element) };
            return self.types.intern(set);
        }
        if self.c.chance(8) {
            let element = self.made_type(depth - 1);
            return self.types.intern(Type::TupleOf(element));
        }
        match self.c.below(10) {
            0..=4 => {
                let element = self.made_type(depth - 1);
                self.types.intern(Type::List(element))
            }
            5..=6 => {
                let key = self.key_type(1);
                let value = self.made_type(depth - 1);
                self.types.intern(Type::Dict(key, value))
            }
            7..=8 => {
                let parts = (0..2 + self.c.below(2)).map(|_| self.made_type(depth - 1)).collect();
                self.types.intern(Type::Tuple(parts))
            }
            _ => match self.classes.len() {
                0 => self.scalar_type(),
                count => self.classes[self.c.below(count)],
            },
        }
    }

    /// A type that can be a key.
    pub fn key_type(&mut self, depth: usize) -> TypeId {
        match self.c.below(12) {
            0..=3 => ty::INT,
            4..=7 => ty::STR,
            8 => ty::BYTES,
            9 => ty::BOOL,
            // A NaN is never found again here, and CPython finds it if it is the same object.
            10 if !(self.profile.python && self.profile.wild_floats) => ty::FLOAT,
            _ if depth > 0 => {
                let frozen: Vec<TypeId> = self.classes.iter().copied().filter(|c| self.types.is_hashable(*c)).collect();
                if let (true, Some(class)) = (self.c.chance(40), self.c.pick(&frozen)) {
                    return *class;
                }
                if self.c.chance(25) {
                    let element = self.key_type(depth - 1);
                    let many = self.c.chance(50);
                    return self.types.intern(if many { Type::FrozenSet(element) } else { Type::TupleOf(element) });
                }
                let parts = vec![self.key_type(depth - 1), self.key_type(depth - 1)];
                self.types.intern(Type::Tuple(parts))
            }
            _ => ty::INT,
        }
    }

    /// A union of two or three types that `isinstance` tells apart.
    fn union_type(&mut self, depth: usize) -> TypeId {
        let mut members = Vec::new();
        if self.c.chance(50) {
            members.push(ty::NONE);
        }
        // A bool is an int, and an int becomes a float where one is possible.
        members.push(match self.c.below(6) {
            0 => ty::FLOAT,
            1 => ty::BOOL,
            _ => ty::INT,
        });
        if members.len() == 1 || self.c.chance(40) {
            members.push(match self.c.below(6) {
                0 | 1 => ty::STR,
                2 => ty::BYTES,
                3 if depth > 0 => {
                    let element = self.scalar_type();
                    self.types.intern(Type::List(element))
                }
                // An `IntEnum` is an int.
                _ => self.c.pick(&self.classes).copied().filter(|c| !self.is_int_enum(*c)).unwrap_or(ty::STR),
            });
        }
        self.types.union(&members)
    }

    fn is_int_enum(&self, id: TypeId) -> bool {
        let Type::Class(class) = *self.types.get(id) else { return false };
        self.types.enumeration(class).is_some_and(|e| e.shows_value)
    }

    /// Whether a value can be shown: sync objects have no text, and sets of CPython have another order than ours.
    pub fn can_show(&self, id: TypeId) -> bool {
        let has_set = |id| any_part(&self.types, id, |t| matches!(t, Type::Set(_) | Type::FrozenSet(_)));
        !(has_sync(&self.types, id) || self.profile.python && has_set(id))
    }

    /// Whether `==` means the same as in CPython, which takes one and the same NaN in two lists as equal.
    pub fn equality_agrees(&self, ty: TypeId) -> bool {
        let nan = self.profile.python && self.profile.wild_floats;
        !(has_sync(&self.types, ty) || nan && ty != ty::FLOAT && any_part(&self.types, ty, |t| *t == Type::Float))
    }

    /// Whether values of the type can be put in order, and CPython does it alike.
    pub fn order_agrees(&self, ty: TypeId) -> bool {
        deepslate_ir::structural::is_orderable(&self.types, ty) && self.equality_agrees(ty)
    }
}

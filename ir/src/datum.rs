//! A value that crosses an isolate's border: arguments, results, what a host function takes and gives. A tree of its own,
//! typed by the signature that it crosses, with no identity and no cycles.
//!
//! Trees are at most `DEPTH` levels deep, so that functions over them may recurse.

use crate::builtins::{Machine, widened};
use crate::entity::TypeId;
use crate::enums;
use crate::structural::{self, slot_type};
use crate::trap::{Fault, TrapKind};
use crate::types::{Type, Types};
use std::fmt::{self, Write};

/// How deeply a value that crosses the border may be nested.
pub const DEPTH: usize = 128;

/// A value outside the heap.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Datum>),
    /// A dict, in the order of insertion.
    Dict(Vec<(Datum, Datum)>),
    /// A tuple.
    Tuple(Vec<Datum>),
    /// A set or frozen set, in the order of insertion.
    Set(Vec<Datum>),
    /// An object: the slots of its class in order.
    Object(Vec<Datum>),
    /// A value of a union: the index of its member among the type's, and the value as the member's, which is no union's.
    Member(u32, Box<Datum>),
}

impl Datum {
    /// The kind of value, in the words of Python.
    pub fn kind(&self) -> &'static str {
        match self {
            Datum::None => "None",
            Datum::Bool(_) => "bool",
            Datum::Int(_) => "int",
            Datum::Float(_) => "float",
            Datum::Str(_) => "str",
            Datum::Bytes(_) => "bytes",
            Datum::List(_) => "list",
            Datum::Dict(_) => "dict",
            Datum::Tuple(_) => "tuple",
            Datum::Set(_) => "set",
            Datum::Object(_) => "object",
            Datum::Member(_, value) => value.kind(),
        }
    }

    /// The value itself where it is one of a union.
    pub fn unwrapped(&self) -> &Datum {
        match self {
            Datum::Member(_, value) => value,
            other => other,
        }
    }
}

/// The member of a union that a value outside is of, and the value as that member's. One that does not say its member is of
/// the first whose kind it is; failing that, of the first that its kind is converted to.
pub fn member_of<'a>(types: &Types, union: TypeId, datum: &'a Datum) -> Option<(TypeId, &'a Datum)> {
    let members = types.members(union)?;
    if let Datum::Member(index, value) = datum {
        let member = members.get(*index as usize)?;
        return if matches!(**value, Datum::Member(..)) { None } else { Some((*member, value)) };
    }
    let fits = |ty: &&TypeId, converted: bool| match (types.get(**ty), datum) {
        (Type::None, Datum::None)
        | (Type::Bool, Datum::Bool(_))
        | (Type::Int, Datum::Int(_))
        | (Type::Float, Datum::Float(_))
        | (Type::Str, Datum::Str(_))
        | (Type::Bytes, Datum::Bytes(_))
        | (Type::List(_), Datum::List(_))
        | (Type::Set(_) | Type::FrozenSet(_), Datum::Set(_))
        | (Type::TupleOf(_), Datum::Tuple(_))
        | (Type::Dict(..), Datum::Dict(_)) => true,
        (Type::Tuple(parts), Datum::Tuple(values)) => parts.len() == values.len(),
        (Type::Class(class), value) if types.enumeration(*class).is_some() => {
            types.enumeration(*class).is_some_and(|e| e.member(value).is_some())
        }
        (Type::Class(class), Datum::Object(slots)) => types.class(*class).fields.len() == slots.len(),
        (Type::Int, Datum::Bool(_)) | (Type::Float, Datum::Int(_) | Datum::Bool(_)) => converted,
        _ => false,
    };
    let member = members.iter().find(|ty| fits(ty, false)).or_else(|| members.iter().find(|ty| fits(ty, true)))?;
    Some((*member, datum))
}

/// A value of one member of a union as one of the union.
pub fn as_member(types: &Types, union: TypeId, member: TypeId, value: Datum) -> Datum {
    let index = types.members(union).and_then(|all| all.iter().position(|m| *m == member));
    match index.and_then(|index| u32::try_from(index).ok()) {
        Some(index) => Datum::Member(index, Box::new(value)),
        None => value,
    }
}

/// Where in a value something is: the way from the outside to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Part>);

/// One step of a way into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Into the field with this name.
    Field(String),
    /// Into the element of a list or tuple with this index.
    Index(usize),
    /// Into the value under the key with this `repr`, or into the key itself.
    Key(String),
}

impl Path {
    /// Whether it is the whole value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps, from the outside.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    pub(crate) fn push(&mut self, part: Part) {
        self.0.push(part);
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// The path as the beginning of a message: "in field `items`[3]: ", or nothing for the whole value.
    pub fn prefix(&self) -> String {
        match self.0.first() {
            None => String::new(),
            Some(Part::Field(_)) => format!("in field {self}: "),
            Some(Part::Index(_) | Part::Key(_)) => format!("at {self}: "),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            match part {
                Part::Field(name) if at == 0 => write!(f, "`{name}`")?,
                Part::Field(name) => write!(f, ".`{name}`")?,
                Part::Index(index) => write!(f, "[{index}]")?,
                Part::Key(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

/// What a value counts against a limit of message bytes: 16 for each value in it, and the length of texts and bytes.
pub fn size(datum: &Datum) -> u64 {
    let all = |parts: &[Datum]| parts.iter().map(size).fold(0, u64::saturating_add);
    let inside = match datum {
        Datum::Member(_, value) => return size(value),
        Datum::None | Datum::Bool(_) | Datum::Int(_) | Datum::Float(_) => 0,
        Datum::Str(text) => text.len() as u64,
        Datum::Bytes(bytes) => bytes.len() as u64,
        Datum::List(parts) | Datum::Tuple(parts) | Datum::Set(parts) | Datum::Object(parts) => all(parts),
        Datum::Dict(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).fold(0, u64::saturating_add),
    };
    16 + inside
}

/// Refuses what a host function returned where it is larger than a message may be, with kind `Size`.
pub fn check_size(host: &str, answer: &Datum, limit_bytes: u64) -> Result<(), Fault> {
    match size(answer) {
        fits if fits <= limit_bytes => Ok(()),
        bytes => {
            let what = format!(
                "{host} returned {bytes} bytes, more than the limit of {limit_bytes} for what enters an isolate at once"
            );
            Err(Fault::new(TrapKind::Size, what))
        }
    }
}

/// Why a value in the heap can't be a tree outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is larger than the limit.
    TooLarge(String),
    /// It contains itself, or is nested more than `DEPTH` deep.
    Shape(String),
    /// It holds a sync object, which can't leave its isolate.
    Sync(String),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        match refusal {
            Refusal::TooLarge(message) | Refusal::Shape(message) => Fault::new(TrapKind::Size, message),
            Refusal::Sync(message) => Fault::new(TrapKind::Value, message),
        }
    }
}

/// The value in a slot as a tree. What is shared in the heap is copied, `limit_bytes` bounds the sum (counting 16 bytes for
/// each value besides the length of texts and bytes).
///
/// Fails with kind `Size` where the value is larger than that, contains itself or is nested more than `DEPTH` deep, and with
/// kind `Value` where it holds a sync object.
pub fn to_datum(m: &dyn Machine, ty: TypeId, slot: u64, limit_bytes: u64) -> Result<Datum, Fault> {
    Ok(tree(m, ty, slot, limit_bytes)?)
}

/// As `to_datum`, for whoever does not trap where the value can't be a tree.
pub fn tree(m: &dyn Machine, ty: TypeId, slot: u64, limit_bytes: u64) -> Result<Datum, Refusal> {
    Reader { m, whole: ty, left: limit_bytes, limit: limit_bytes, open: Vec::new() }.read(ty, slot)
}

struct Reader<'a> {
    m: &'a dyn Machine,
    whole: TypeId,
    left: u64,
    limit: u64,
    open: Vec<(TypeId, u64)>,
}

impl Reader<'_> {
    fn read(&mut self, ty: TypeId, slot: u64) -> Result<Datum, Refusal> {
        let (m, types) = (self.m, self.m.types());
        if types.members(ty).is_some() {
            let (member, slot) = m.member(slot);
            let value = self.read(member, slot)?;
            return Ok(as_member(types, ty, member, value));
        }
        self.spend(16)?;
        match types.get(ty) {
            Type::None => return Ok(Datum::None),
            Type::Bool => return Ok(Datum::Bool(slot != 0)),
            Type::Int => return Ok(Datum::Int(slot as i64)),
            Type::Float => return Ok(Datum::Float(f64::from_bits(slot))),
            Type::Str => {
                self.spend(m.str(slot).len())?;
                return Ok(Datum::Str(m.str(slot).to_owned()));
            }
            Type::Bytes => {
                self.spend(m.bytes(slot).len())?;
                return Ok(Datum::Bytes(m.bytes(slot).to_vec()));
            }
            Type::Queue(_) | Type::Lock | Type::WaitGroup => {
                return Err(Refusal::Sync(format!("a {} can't leave its isolate", types.name(ty))));
            }
            Type::Class(class) if types.enumeration(*class).is_some() => {
                return self.read(slot_type(types, ty, 1), m.slot(slot, 1));
            }
            Type::List(_) | Type::Dict(..) | Type::Tuple(_) | Type::Class(_) => {}
            Type::TupleOf(_) | Type::Set(_) | Type::FrozenSet(_) => {}
            Type::Union(_) => unreachable!("no member is a union"),
        }
        let slot = self.m.identity(slot);
        if self.open.contains(&(ty, slot)) {
            return Err(Refusal::Shape(self.refuse("contains itself")));
        }
        if self.open.len() == DEPTH {
            return Err(Refusal::Shape(self.refuse(&format!("is nested more than {DEPTH} deep"))));
        }
        self.open.push((ty, slot));
        let datum = match types.get(ty) {
            Type::List(element) | Type::TupleOf(element) => {
                // Each element takes 16 bytes of the limit: refuse before reserving.
                let len = m.list_len(slot);
                if len as u64 > self.left / 16 {
                    return Err(self.too_large());
                }
                let each = (0..len).map(|at| self.read(*element, m.list_get(slot, at)));
                let all = each.collect::<Result<_, _>>()?;
                if matches!(types.get(ty), Type::List(_)) { Datum::List(all) } else { Datum::Tuple(all) }
            }
            Type::Set(element) | Type::FrozenSet(element) => {
                let (mut all, mut position) = (Vec::new(), 0);
                while let Some(at) = m.dict_next(slot, position) {
                    all.push(self.read(*element, m.dict_entry(slot, at).0)?);
                    position = at + 1;
                }
                Datum::Set(all)
            }
            Type::Dict(key, value) => {
                let (mut entries, mut position) = (Vec::new(), 0);
                while let Some(at) = m.dict_next(slot, position) {
                    let (k, v) = m.dict_entry(slot, at);
                    entries.push((self.read(*key, k)?, self.read(*value, v)?));
                    position = at + 1;
                }
                Datum::Dict(entries)
            }
            Type::Tuple(parts) => {
                let each = parts.iter().enumerate().map(|(at, part)| self.read(*part, m.slot(slot, at)));
                Datum::Tuple(each.collect::<Result<_, _>>()?)
            }
            Type::Class(class) => {
                let fields = &types.class(*class).fields;
                let each = fields.iter().enumerate().map(|(at, field)| self.read(field.ty, m.slot(slot, at)));
                Datum::Object(each.collect::<Result<_, _>>()?)
            }
            _ => unreachable!("scalars have returned"),
        };
        self.open.pop();
        Ok(datum)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Refusal> {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.too_large()),
        }
    }

    fn too_large(&self) -> Refusal {
        let what = format!("is larger than the limit of {} bytes for what leaves an isolate at once", self.limit);
        Refusal::TooLarge(self.refuse(&what))
    }

    fn refuse(&self, what: &str) -> String {
        format!("a {} {what}", self.m.types().name(self.whole))
    }
}

/// Checks that a value from outside has this type; says where it first differs: "in field `items`[3]: expected int, found
/// str". An int or bool fits where a float is declared and a bool where an int is (`from_datum` converts them).
pub fn check(types: &Types, ty: TypeId, datum: &Datum) -> Result<(), String> {
    check_at(types, ty, datum, &mut Path::default())
}

fn check_at(types: &Types, ty: TypeId, datum: &Datum, path: &mut Path) -> Result<(), String> {
    if types.members(ty).is_some() {
        return match member_of(types, ty, datum) {
            Some((member, value)) => check_at(types, member, value, path),
            None => Err(format!("{}expected {}, found {}", path.prefix(), types.name(ty), datum.kind())),
        };
    }
    let holds_others =
        matches!(datum, Datum::List(_) | Datum::Dict(_) | Datum::Tuple(_) | Datum::Set(_) | Datum::Object(_));
    if holds_others && path.0.len() >= DEPTH {
        return Err(format!("a value nested more than {DEPTH} deep can't enter an isolate"));
    }
    let found = match (types.get(ty), datum) {
        (Type::None, Datum::None)
        | (Type::Bool, Datum::Bool(_))
        | (Type::Int, Datum::Int(_) | Datum::Bool(_))
        | (Type::Float, Datum::Float(_) | Datum::Int(_) | Datum::Bool(_))
        | (Type::Str, Datum::Str(_))
        | (Type::Bytes, Datum::Bytes(_)) => return Ok(()),
        (Type::List(element), Datum::List(elements))
        | (Type::TupleOf(element), Datum::Tuple(elements))
        | (Type::Set(element) | Type::FrozenSet(element), Datum::Set(elements)) => {
            return elements
                .iter()
                .enumerate()
                .try_for_each(|(at, e)| check_part(types, *element, e, Part::Index(at), path));
        }
        (Type::Dict(key, value), Datum::Dict(entries)) => {
            return entries.iter().try_for_each(|(k, v)| {
                check_part(types, *key, k, Part::Key(brief(k)), path)?;
                check_part(types, *value, v, Part::Key(brief(k)), path)
            });
        }
        (Type::Tuple(parts), Datum::Tuple(elements)) if parts.len() == elements.len() => {
            let each = parts.iter().zip(elements).enumerate();
            return each.into_iter().try_for_each(|(at, (ty, e))| check_part(types, *ty, e, Part::Index(at), path));
        }
        (Type::Class(class), value) if types.enumeration(*class).is_some() => {
            let Some(e) = types.enumeration(*class) else { return Ok(()) };
            if e.member(value).is_some() {
                return Ok(());
            }
            let expected = format!("a value of {} ({})", types.class(*class).name, e.values());
            return Err(format!("{}expected {expected}, found {}", path.prefix(), brief(value)));
        }
        (Type::Class(class), Datum::Object(slots)) => {
            let class = types.class(*class);
            if class.fields.len() == slots.len() {
                let each = class.fields.iter().zip(slots);
                return each
                    .into_iter()
                    .try_for_each(|(f, e)| check_part(types, f.ty, e, Part::Field(f.name.clone()), path));
            }
            format!("an object with {} fields", slots.len())
        }
        (Type::Tuple(_), Datum::Tuple(elements)) => format!("a tuple of {}", elements.len()),
        (Type::Queue(_) | Type::Lock | Type::WaitGroup, _) => {
            return Err(format!("{}a {} can't enter an isolate", path.prefix(), types.name(ty)));
        }
        (_, other) => other.kind().to_owned(),
    };
    Err(format!("{}expected {}, found {found}", path.prefix(), types.name(ty)))
}

fn check_part(types: &Types, ty: TypeId, datum: &Datum, part: Part, path: &mut Path) -> Result<(), String> {
    // Long lists of scalars shouldn't pay for a path that nobody reads.
    if let (Type::Int, Datum::Int(_)) | (Type::Float, Datum::Float(_)) | (Type::Str, Datum::Str(_)) =
        (types.get(ty), datum)
    {
        return Ok(());
    }
    path.push(part);
    check_at(types, ty, datum, path)?;
    path.pop();
    Ok(())
}

/// A key as a path shows it.
fn brief(key: &Datum) -> String {
    let mut out = String::new();
    match key {
        Datum::Str(text) if text.chars().count() > 40 => {
            structural::write_str_repr(&text.chars().take(40).collect::<String>(), &mut out);
            out.push('…');
        }
        Datum::Str(text) => structural::write_str_repr(text, &mut out),
        Datum::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Datum::Float(value) => structural::write_float_repr(*value, &mut out),
        Datum::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Datum::Member(_, value) => return brief(value),
        other => out.push_str(other.kind()),
    }
    out
}

/// Makes the value in the heap and gives its slot. An int or bool becomes the float that is declared, a bool the int. Of equal
/// keys the later one wins.
///
/// Fails with kind `Value` where the value is not of this type (as `check` tells), and over the memory limit.
pub fn from_datum(m: &mut dyn Machine, ty: TypeId, datum: &Datum) -> Result<u64, Fault> {
    check(m.types(), ty, datum).map_err(|message| Fault::new(TrapKind::Value, message))?;
    write(m, ty, datum)
}

fn write(m: &mut dyn Machine, ty: TypeId, datum: &Datum) -> Result<u64, Fault> {
    if m.types().members(ty).is_some() {
        let (member, value) = member_of(m.types(), ty, datum).expect("checked before");
        let slot = write(m, member, value)?;
        return widened(m, member, slot);
    }
    if let Some((_, e, _)) = enums::of(m.types(), ty) {
        let member = e.member(datum).cloned();
        return match member {
            Some(member) => enums::make(m, ty, &member),
            None => unreachable!("checked before"),
        };
    }
    Ok(match datum {
        Datum::Member(..) => unreachable!("checked before"),
        Datum::None => 0,
        Datum::Bool(value) => match m.types().get(ty) {
            Type::Float => f64::from(u8::from(*value)).to_bits(),
            _ => u64::from(*value),
        },
        Datum::Int(value) => match m.types().get(ty) {
            Type::Float => (*value as f64).to_bits(),
            _ => *value as u64,
        },
        Datum::Float(value) => value.to_bits(),
        Datum::Str(text) => m.new_str(text)?,
        Datum::Bytes(bytes) => m.new_bytes(bytes)?,
        Datum::List(elements) => {
            let element = match m.types().get(ty) {
                Type::List(element) => *element,
                _ => unreachable!("checked before"),
            };
            let slots = elements.iter().map(|e| write(m, element, e)).collect::<Result<Vec<_>, _>>()?;
            m.new_list(ty, &slots)?
        }
        Datum::Set(elements) => {
            let element = m.types().element(ty).unwrap_or_else(|| unreachable!("checked before"));
            let set = m.new_dict(ty)?;
            for e in elements {
                let e = write(m, element, e)?;
                m.dict_set(set, e, 0)?;
            }
            set
        }
        Datum::Tuple(elements) if matches!(m.types().get(ty), Type::TupleOf(_)) => {
            let element = m.types().element(ty).unwrap_or_else(|| unreachable!("just asked"));
            let slots = elements.iter().map(|e| write(m, element, e)).collect::<Result<Vec<_>, _>>()?;
            m.new_list(ty, &slots)?
        }
        Datum::Dict(entries) => {
            let (key, value) = match m.types().get(ty) {
                Type::Dict(key, value) => (*key, *value),
                _ => unreachable!("checked before"),
            };
            let dict = m.new_dict(ty)?;
            for (k, v) in entries {
                let (k, v) = (write(m, key, k)?, write(m, value, v)?);
                m.dict_set(dict, k, v)?;
            }
            dict
        }
        Datum::Tuple(parts) | Datum::Object(parts) => {
            let mut slots = Vec::with_capacity(parts.len());
            for (index, part) in parts.iter().enumerate() {
                let part_ty = slot_type(m.types(), ty, index);
                slots.push(write(m, part_ty, part)?);
            }
            m.new_object(ty, &slots)?
        }
    })
}

#[cfg(test)]
mod tests;

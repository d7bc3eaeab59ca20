//! From serde to a datum, led by the declared type where the Rust type leaves something open: which fields in which order,
//! list or tuple or bytes. Whether it fits in the end is checked by who calls.

use deepslate_ir::datum::{Datum, as_member};
use deepslate_ir::entity::TypeId;
use deepslate_ir::json::nearest;
use deepslate_ir::module::Param;
use deepslate_ir::types::{Type, Types};
use serde::ser::{self, Serialize};

use super::ValueError;

/// What is wanted.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    /// A value of this type.
    Type(TypeId),
    /// Arguments for these parameters, as an object.
    Params(&'a [Param]),
    /// Nothing in particular: what comes of it does not fit anyway, and the check says so.
    Any,
}

#[derive(Clone, Copy)]
pub(super) struct Serializer<'a> {
    types: &'a Types,
    shape: Shape<'a>,
    /// The union whose member the shape was taken from. Scalars need no such choice: their kind says it.
    union: Option<TypeId>,
}

type Out = Result<Datum, ValueError>;

impl<'a> Serializer<'a> {
    pub(super) fn new(types: &'a Types, shape: Shape<'a>) -> Serializer<'a> {
        Serializer { types, shape, union: None }
    }

    fn of(self, shape: Shape<'a>) -> Serializer<'a> {
        Serializer { shape, union: None, ..self }
    }

    /// For a union, the first member that `fits`, those that come first in `kinds` before others.
    fn member(self, kinds: &[fn(&Type) -> bool]) -> Serializer<'a> {
        let Shape::Type(union) = self.shape else { return self };
        let Some(members) = self.types.members(union) else { return self };
        let chosen = kinds.iter().find_map(|fits| members.iter().find(|m| fits(self.types.get(**m))));
        match chosen {
            Some(member) => Serializer { shape: Shape::Type(*member), union: Some(union), ..self },
            None => self,
        }
    }

    /// What was made of a member as a value of the union.
    fn wrap(self, datum: Datum) -> Datum {
        match (self.union, self.shape) {
            (Some(union), Shape::Type(member)) => as_member(self.types, union, member, datum),
            _ => datum,
        }
    }

    fn ty(&self) -> Option<&'a Type> {
        match self.shape {
            Shape::Type(ty) => Some(self.types.get(ty)),
            _ => None,
        }
    }

    /// The shape of the element at an index of a sequence.
    fn element(&self, index: usize) -> Shape<'a> {
        match (self.shape, self.ty()) {
            (Shape::Params(params), _) => params.get(index).map_or(Shape::Any, |param| Shape::Type(param.ty)),
            (_, Some(Type::List(element) | Type::TupleOf(element))) => Shape::Type(*element),
            (_, Some(Type::Set(element) | Type::FrozenSet(element))) => Shape::Type(*element),
            (_, Some(Type::Tuple(parts))) => parts.get(index).map_or(Shape::Any, |part| Shape::Type(*part)),
            _ => Shape::Any,
        }
    }

    /// Names and types of fields, where some are wanted.
    fn fields(&self) -> Option<Vec<(&'a str, TypeId)>> {
        match (self.shape, self.ty()) {
            (Shape::Params(params), _) => Some(params.iter().map(|param| (param.name.as_str(), param.ty)).collect()),
            (_, Some(Type::Class(class))) => {
                let fields = &self.types.class(*class).fields;
                Some(fields.iter().map(|field| (field.name.as_str(), field.ty)).collect())
            }
            _ => None,
        }
    }

    fn keyed(self, name: Option<&str>) -> Keyed<'a> {
        let named = match (self.shape, name) {
            (Shape::Type(union), Some(name)) => self.types.members(union).and_then(|members| {
                let is_it = |ty: &Type| matches!(ty, Type::Class(class) if self.types.class(*class).name == name);
                members.iter().copied().find(|m| is_it(self.types.get(*m))).map(|member| (union, member))
            }),
            _ => None,
        };
        let object: &[fn(&Type) -> bool] = &[|ty| matches!(ty, Type::Class(_)), |ty| matches!(ty, Type::Dict(..))];
        let map: &[fn(&Type) -> bool] = &[|ty| matches!(ty, Type::Dict(..)), |ty| matches!(ty, Type::Class(_))];
        let this = match named {
            Some((union, member)) => Serializer { shape: Shape::Type(member), union: Some(union), ..self },
            None => self.member(if name.is_some() { object } else { map }),
        };
        this.keyed_as()
    }

    fn keyed_as(self) -> Keyed<'a> {
        let fields = self.fields();
        let slots = vec![None; fields.as_ref().map_or(0, Vec::len)];
        Keyed { from: self, fields, slots, entries: Vec::new(), key: None }
    }

    fn sequence(self) -> Sequence<'a> {
        let from = self.member(&[
            |ty| matches!(ty, Type::List(_)),
            |ty| matches!(ty, Type::Tuple(_) | Type::TupleOf(_)),
            |ty| matches!(ty, Type::Set(_) | Type::FrozenSet(_)),
            |ty| matches!(ty, Type::Bytes),
        ]);
        Sequence { from, elements: Vec::new() }
    }
}

impl<'a> ser::Serializer for Serializer<'a> {
    type Ok = Datum;
    type Error = ValueError;
    type SerializeSeq = Sequence<'a>;
    type SerializeTuple = Sequence<'a>;
    type SerializeTupleStruct = Sequence<'a>;
    type SerializeTupleVariant = ser::Impossible<Datum, ValueError>;
    type SerializeMap = Keyed<'a>;
    type SerializeStruct = Keyed<'a>;
    type SerializeStructVariant = ser::Impossible<Datum, ValueError>;

    fn serialize_bool(self, v: bool) -> Out {
        Ok(Datum::Bool(v))
    }

    fn serialize_i8(self, v: i8) -> Out {
        Ok(Datum::Int(v.into()))
    }

    fn serialize_i16(self, v: i16) -> Out {
        Ok(Datum::Int(v.into()))
    }

    fn serialize_i32(self, v: i32) -> Out {
        Ok(Datum::Int(v.into()))
    }

    fn serialize_i64(self, v: i64) -> Out {
        Ok(Datum::Int(v))
    }

    fn serialize_u8(self, v: u8) -> Out {
        Ok(Datum::Int(v.into()))
    }

    fn serialize_u16(self, v: u16) -> Out {
        Ok(Datum::Int(v.into()))
    }

    fn serialize_u32(self, v: u32) -> Out {
        Ok(Datum::Int(v.into()))
    }

    fn serialize_u64(self, v: u64) -> Out {
        i64::try_from(v)
            .map(Datum::Int)
            .map_err(|_| ValueError(format!("{v} is larger than an int, which has 64 bits")))
    }

    fn serialize_f32(self, v: f32) -> Out {
        Ok(Datum::Float(v.into()))
    }

    fn serialize_f64(self, v: f64) -> Out {
        Ok(Datum::Float(v))
    }

    fn serialize_char(self, v: char) -> Out {
        Ok(Datum::Str(v.into()))
    }

    fn serialize_str(self, v: &str) -> Out {
        Ok(Datum::Str(v.into()))
    }

    fn serialize_bytes(self, v: &[u8]) -> Out {
        Ok(Datum::Bytes(v.into()))
    }

    fn serialize_none(self) -> Out {
        Ok(Datum::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Out {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Out {
        Ok(Datum::None)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Out {
        Ok(Datum::None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Out {
        Ok(Datum::Str(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Out {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Out {
        Err(no_variants(name, variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Sequence<'a>, ValueError> {
        Ok(self.sequence())
    }

    fn serialize_tuple(self, _: usize) -> Result<Sequence<'a>, ValueError> {
        Ok(self.sequence())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Sequence<'a>, ValueError> {
        Ok(self.sequence())
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, ValueError> {
        Err(no_variants(name, variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Keyed<'a>, ValueError> {
        Ok(self.keyed(None))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Keyed<'a>, ValueError> {
        Ok(self.keyed(Some(name)))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, ValueError> {
        Err(no_variants(name, variant))
    }
}

fn no_variants(name: &str, variant: &str) -> ValueError {
    ValueError(format!("`{name}::{variant}` holds values; flows have no such enums"))
}

pub(super) struct Sequence<'a> {
    from: Serializer<'a>,
    elements: Vec<Datum>,
}

impl Sequence<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let shape = self.from.element(self.elements.len());
        self.elements.push(value.serialize(self.from.of(shape))?);
        Ok(())
    }

    fn finish(self) -> Out {
        let byte = |datum: &Datum| match datum {
            Datum::Int(value) => u8::try_from(*value).ok(),
            _ => None,
        };
        let made = match (self.from.shape, self.from.ty()) {
            (Shape::Params(_), _) => Datum::Object(self.elements),
            (_, Some(Type::Tuple(_) | Type::TupleOf(_))) => Datum::Tuple(self.elements),
            (_, Some(Type::Set(_) | Type::FrozenSet(_))) => Datum::Set(self.elements),
            // `Vec<u8>` is a sequence to serde.
            (_, Some(Type::Bytes)) => match self.elements.iter().map(byte).collect() {
                Some(bytes) => Datum::Bytes(bytes),
                None => Datum::List(self.elements),
            },
            _ => Datum::List(self.elements),
        };
        Ok(self.from.wrap(made))
    }
}

impl ser::SerializeSeq for Sequence<'_> {
    type Ok = Datum;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Out {
        self.finish()
    }
}

impl ser::SerializeTuple for Sequence<'_> {
    type Ok = Datum;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Out {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Sequence<'_> {
    type Ok = Datum;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Out {
        self.finish()
    }
}

pub(super) struct Keyed<'a> {
    from: Serializer<'a>,
    /// Those that are wanted, and what was given for each.
    fields: Option<Vec<(&'a str, TypeId)>>,
    slots: Vec<Option<Datum>>,
    /// Where no fields are wanted: the entries of a dict.
    entries: Vec<(Datum, Datum)>,
    key: Option<Datum>,
}

impl Keyed<'_> {
    fn put<T: Serialize + ?Sized>(&mut self, key: Datum, value: &T) -> Result<(), ValueError> {
        let Some(fields) = &self.fields else {
            let shape = match self.from.ty() {
                Some(Type::Dict(_, value)) => Shape::Type(*value),
                _ => Shape::Any,
            };
            let value = value.serialize(self.from.of(shape))?;
            self.entries.push((key, value));
            return Ok(());
        };
        let what = if matches!(self.from.shape, Shape::Params(_)) { "parameter" } else { "field" };
        let Datum::Str(name) = key else { return Err(ValueError(format!("the name of a {what} is a text"))) };
        let Some(index) = fields.iter().position(|(field, _)| *field == name) else {
            let near = nearest(&name, fields.iter().map(|(field, _)| *field));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(ValueError(format!("there is no {what} `{name}`{near}")));
        };
        self.slots[index] = Some(value.serialize(self.from.of(Shape::Type(fields[index].1)))?);
        Ok(())
    }

    fn finish(self) -> Out {
        let Some(fields) = self.fields else { return Ok(self.from.wrap(Datum::Dict(self.entries))) };
        let what = if matches!(self.from.shape, Shape::Params(_)) { "argument" } else { "field" };
        let whole = fields
            .iter()
            .zip(self.slots)
            .map(|((name, _), slot)| slot.ok_or_else(|| ValueError(format!("{what} `{name}` is missing"))));
        let made = Datum::Object(whole.collect::<Result<_, _>>()?);
        Ok(self.from.wrap(made))
    }
}

impl ser::SerializeMap for Keyed<'_> {
    type Ok = Datum;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        let shape = match self.from.ty() {
            Some(Type::Dict(key, _)) => Shape::Type(*key),
            _ => Shape::Any,
        };
        self.key = Some(key.serialize(self.from.of(shape))?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let key = self.key.take().ok_or_else(|| ValueError("a map's value came before its key".into()))?;
        self.put(key, value)
    }

    fn end(self) -> Out {
        self.finish()
    }
}

impl ser::SerializeStruct for Keyed<'_> {
    type Ok = Datum;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ValueError> {
        self.put(Datum::Str(key.into()), value)
    }

    fn end(self) -> Out {
        self.finish()
    }
}

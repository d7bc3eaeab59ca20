//! From a datum to serde: a dataclass is a map by its fields, a dict a map by its keys, the rest is what it looks like.

use deepslate_ir::datum::{Datum, member_of};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Param;
use deepslate_ir::types::{NONE, Type, Types};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::ValueError;

#[derive(Clone, Copy)]
pub(super) struct Deserializer<'a> {
    pub(super) types: &'a Types,
    pub(super) ty: TypeId,
    pub(super) datum: &'a Datum,
}

impl<'a> Deserializer<'a> {
    fn of(self, ty: TypeId, datum: &'a Datum) -> Deserializer<'a> {
        Deserializer { ty, datum, ..self }
    }

    /// The type of the element at an index of a sequence or object.
    fn element(self, index: usize) -> TypeId {
        match self.types.get(self.ty) {
            Type::List(element) | Type::TupleOf(element) | Type::Set(element) | Type::FrozenSet(element) => *element,
            Type::Tuple(parts) => parts.get(index).copied().unwrap_or(NONE),
            Type::Class(class) => self.types.class(*class).fields.get(index).map_or(NONE, |field| field.ty),
            _ => NONE,
        }
    }

    /// The value of a union as its member's.
    fn unwrapped(self) -> Deserializer<'a> {
        match member_of(self.types, self.ty, self.datum) {
            Some((member, value)) => self.of(member, value),
            None => self,
        }
    }

    fn elements(self, data: &'a [Datum]) -> impl Iterator<Item = Deserializer<'a>> {
        data.iter().enumerate().map(move |(index, datum)| self.of(self.element(index), datum))
    }
}

impl<'de, 'a> IntoDeserializer<'de, ValueError> for Deserializer<'a>
where
    'a: 'de,
{
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de, 'a: 'de> de::Deserializer<'de> for Deserializer<'a> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.unwrapped();
        match this.datum {
            Datum::Member(_, value) => Err(ValueError(format!("a {} of no member of its union", value.kind()))),
            Datum::None => visitor.visit_unit(),
            Datum::Bool(value) => visitor.visit_bool(*value),
            Datum::Int(value) => visitor.visit_i64(*value),
            Datum::Float(value) => visitor.visit_f64(*value),
            Datum::Str(text) => visitor.visit_borrowed_str(text),
            Datum::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Datum::List(data) | Datum::Tuple(data) | Datum::Set(data) => {
                let mut sequence = SeqDeserializer::new(this.elements(data));
                let value = visitor.visit_seq(&mut sequence)?;
                sequence.end()?;
                Ok(value)
            }
            Datum::Dict(entries) => {
                let (key, value) = match this.types.get(this.ty) {
                    Type::Dict(key, value) => (*key, *value),
                    _ => (NONE, NONE),
                };
                let mut map =
                    MapDeserializer::new(entries.iter().map(move |(k, v)| (this.of(key, k), this.of(value, v))));
                let value = visitor.visit_map(&mut map)?;
                map.end()?;
                Ok(value)
            }
            Datum::Object(slots) => match this.types.get(this.ty) {
                Type::Class(class) => {
                    let fields = &this.types.class(*class).fields;
                    let named = fields.iter().zip(slots);
                    let mut map = MapDeserializer::new(
                        named.map(move |(field, slot)| (field.name.as_str(), this.of(field.ty, slot))),
                    );
                    let value = visitor.visit_map(&mut map)?;
                    map.end()?;
                    Ok(value)
                }
                _ => visitor.visit_seq(SeqDeserializer::new(this.elements(slots))),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.datum.unwrapped() {
            Datum::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let this = self.unwrapped();
        match this.datum {
            // `Vec<u8>` is a sequence to serde.
            Datum::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            Datum::Object(slots) => visitor.visit_seq(SeqDeserializer::new(this.elements(slots))),
            _ => this.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.datum.unwrapped() {
            Datum::Str(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            other => Err(ValueError(format!("an enum is read from a str, not from {}", other.kind()))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct map struct
        identifier ignored_any
    }
}

/// Arguments by position.
pub(super) struct Arguments<'a> {
    pub(super) types: &'a Types,
    pub(super) params: &'a [Param],
    pub(super) args: &'a [Datum],
}

impl<'de, 'a: 'de> de::Deserializer<'de> for Arguments<'a> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let Arguments { types, params, args } = self;
        let each = params.iter().zip(args).map(move |(param, datum)| Deserializer { types, ty: param.ty, datum });
        let mut sequence = SeqDeserializer::new(each);
        let value = visitor.visit_seq(&mut sequence)?;
        sequence.end()?;
        Ok(value)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

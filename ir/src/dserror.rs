//! `DSError`: what a durable call gives that did not succeed. It is an ordinary frozen class of the modules that have it, known by
//! its name and its fields; the verifier, the VM and snapshots know nothing of it.
//!
//! Modules and snapshots hold it: fields are never changed, only added at the end, with a default.

use crate::datum::{Datum, as_member, member_of};
use crate::entity::TypeId;
use crate::types::{BYTES, Class, Field, INT, STR, Type, Types};

/// The name of the class.
pub const NAME: &str = "DSError";

/// The fields in the order of their slots: name, type, and the value where none is given.
pub fn fields() -> [(&'static str, TypeId, Option<Datum>); 6] {
    let text = || Some(Datum::Str(String::new()));
    [
        ("kind", STR, None),
        ("message", STR, None),
        ("status", INT, Some(Datum::Int(0))),
        ("body", BYTES, Some(Datum::Bytes(Vec::new()))),
        ("type", STR, text()),
        ("traceback", STR, text()),
    ]
}

/// The class, to be added to a module's types.
pub fn class() -> Class {
    let fields = fields().into_iter().map(|(name, ty, _)| Field { name: name.to_owned(), ty });
    Class { name: NAME.to_owned(), fields: fields.collect(), frozen: true }
}

/// The type `DSError` among those that a value of this type can be of.
pub fn among(types: &Types, ty: TypeId) -> Option<TypeId> {
    let is_it = |ty: &TypeId| matches!(types.get(*ty), Type::Class(id) if *types.class(*id) == class());
    types.members(ty).unwrap_or(&[ty]).iter().copied().find(is_it)
}

/// The kind of an error that a value of this type is; nothing of any other value.
pub fn kind_of<'a>(types: &Types, ty: TypeId, value: &'a Datum) -> Option<&'a str> {
    let error = among(types, ty)?;
    let (member, value) = if types.members(ty).is_some() { member_of(types, ty, value)? } else { (ty, value) };
    if member != error {
        return None;
    }
    match value {
        Datum::Object(slots) => match slots.first() {
            Some(Datum::Str(kind)) => Some(kind),
            _ => None,
        },
        _ => None,
    }
}

/// A value of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DSError {
    /// What kind of trouble: `timeout`, `network`, `status`, `decode`, `exception`, `closed`, `cancelled`, `user`.
    pub kind: String,
    /// What went wrong, for people.
    pub message: String,
    /// The status of the response, else 0.
    pub status: i64,
    /// The body of the response, else nothing.
    pub body: Vec<u8>,
    /// The type of the exception, else nothing.
    pub type_name: String,
    /// Where the exception was raised, else nothing.
    pub traceback: String,
}

impl DSError {
    /// One with a kind and a message only.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> DSError {
        DSError { kind: kind.into(), message: message.into(), ..DSError::default() }
    }

    /// As a value of this type, if that can be of type `DSError`.
    pub fn into_datum(self, types: &Types, ty: TypeId) -> Option<Datum> {
        let member = among(types, ty)?;
        let DSError { kind, message, status, body, type_name, traceback } = self;
        let (kind, message) = (Datum::Str(kind), Datum::Str(message));
        let (type_name, traceback) = (Datum::Str(type_name), Datum::Str(traceback));
        let object = Datum::Object(vec![kind, message, Datum::Int(status), Datum::Bytes(body), type_name, traceback]);
        Some(as_member(types, ty, member, object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_value_of_the_types_that_have_it_only() {
        let mut types = Types::new();
        // A class of the same name with other fields is another one.
        let other = types.add_class(Class { name: NAME.to_owned(), fields: Vec::new(), frozen: true });
        let other = types.intern(Type::Class(other));
        let mut own = Types::new();
        let error = own.add_class(class());
        let error = own.intern(Type::Class(error));
        let union = own.union(&[INT, error]);
        assert_eq!(among(&types, other), None);
        assert_eq!((among(&own, error), among(&own, union), among(&own, INT)), (Some(error), Some(error), None));

        let value = DSError { status: 404, ..DSError::new("status", "not here") };
        assert_eq!(value.clone().into_datum(&own, STR), None);
        assert_eq!(kind_of(&own, INT, &Datum::Int(1)), None);
        let there = value.clone().into_datum(&own, union).expect("it is a member");
        assert_eq!((kind_of(&own, union, &there), kind_of(&own, STR, &there)), (Some("status"), None));
        assert_eq!(kind_of(&own, union, &Datum::Member(0, Box::new(Datum::Int(1)))), None);
        let Some(Datum::Member(1, inner)) = value.clone().into_datum(&own, union) else { panic!("no member") };
        assert_eq!(value.into_datum(&own, error), Some(*inner.clone()));
        let Datum::Object(slots) = *inner else { panic!("no object") };
        assert_eq!(slots.len(), fields().len());
        for (slot, (name, _, default)) in slots.iter().zip(fields()).skip(3) {
            assert_eq!(Some(slot), default.as_ref(), "{name}");
        }
    }
}

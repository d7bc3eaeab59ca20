//! Enumerations: classes whose objects are the members, each with its name in slot 0 and its value in slot 1. Inside a
//! program a member is an object as any other; outside it is its value.

use crate::builtins::Machine;
use crate::datum::Datum;
use crate::entity::{ClassId, TypeId};
use crate::structural;
use crate::trap::Fault;
use crate::types::{Type, Types};

/// What makes a class an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// Whether `str` of a member is its value, as of an `IntEnum`, and not its name.
    pub shows_value: bool,
    /// Its members, in the order of definition.
    pub members: Vec<Member>,
}

/// A member of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its value, which no other member has.
    pub value: MemberValue,
}

/// The value of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberValue {
    /// An integer.
    Int(i64),
    /// Text.
    Str(String),
}

impl MemberValue {
    /// As a value outside of a program.
    pub fn datum(&self) -> Datum {
        match self {
            MemberValue::Int(value) => Datum::Int(*value),
            MemberValue::Str(text) => Datum::Str(text.clone()),
        }
    }
}

impl Enum {
    /// The member with this value.
    pub fn member(&self, value: &Datum) -> Option<&Member> {
        self.members.iter().find(|m| match (&m.value, value) {
            (MemberValue::Int(a), Datum::Int(b)) => a == b,
            (MemberValue::Str(a), Datum::Str(b)) => a == b,
            _ => false,
        })
    }

    /// The values of its members, for messages.
    pub fn values(&self) -> String {
        let shown = |m: &Member| match &m.value {
            MemberValue::Int(value) => value.to_string(),
            MemberValue::Str(text) => {
                let mut out = String::new();
                structural::write_str_repr(text, &mut out);
                out
            }
        };
        let mut list: Vec<String> = self.members.iter().take(8).map(shown).collect();
        if self.members.len() > 8 {
            list.push("…".to_owned());
        }
        list.join(", ")
    }
}

/// The enumeration that a type is, and the type of its values.
pub fn of(types: &Types, ty: TypeId) -> Option<(ClassId, &Enum, TypeId)> {
    let Type::Class(class) = types.get(ty) else { return None };
    let enumeration = types.enumeration(*class)?;
    Some((*class, enumeration, types.class(*class).fields.get(1)?.ty))
}

/// The text of a member: `<Color.RED: 1>`, or as `str` gives it.
pub(crate) fn text(m: &dyn Machine, class: ClassId, slot: u64, repr: bool) -> Result<String, Fault> {
    let types = m.types();
    let (name, value) = (m.str(m.slot(slot, 0)), m.slot(slot, 1));
    let Some(ty) = types.class(class).fields.get(1).map(|f| f.ty) else { return Ok(String::new()) };
    let class_name = &types.class(class).name;
    if repr {
        return Ok(format!("<{class_name}.{name}: {}>", structural::repr(m, ty, value)?));
    }
    match types.enumeration(class) {
        Some(e) if e.shows_value => structural::to_str(m, ty, value),
        _ => Ok(format!("{class_name}.{name}")),
    }
}

/// Makes a member in the heap.
pub(crate) fn make(m: &mut dyn Machine, ty: TypeId, member: &Member) -> Result<u64, Fault> {
    let name = m.new_str(&member.name)?;
    let value = match &member.value {
        MemberValue::Int(value) => *value as u64,
        MemberValue::Str(text) => m.new_str(text)?,
    };
    m.new_object(ty, &[name, value])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::tests::heap::Heap;
    use crate::datum::{check, from_datum, to_datum};
    use crate::json::{from_json, to_json};
    use crate::types::{Class, Field, INT, STR};

    fn color(types: &mut Types, shows_value: bool) -> TypeId {
        let fields = [("name", STR), ("value", INT)];
        let fields = fields.map(|(name, ty)| Field { name: name.to_owned(), ty }).to_vec();
        let class = types.add_class(Class { name: "Color".to_owned(), fields, frozen: true });
        let member = |name: &str, value| Member { name: name.to_owned(), value: MemberValue::Int(value) };
        types.set_enumeration(class, Enum { shows_value, members: vec![member("RED", 1), member("BLUE", 3)] });
        types.intern(Type::Class(class))
    }

    #[test]
    fn a_member_is_its_value_outside() {
        let mut heap = Heap::default();
        let ty = color(&mut heap.types, false);
        let slot = from_datum(&mut heap, ty, &Datum::Int(3)).unwrap();
        assert_eq!(structural::repr(&heap, ty, slot).unwrap(), "<Color.BLUE: 3>");
        assert_eq!(structural::to_str(&heap, ty, slot).unwrap(), "Color.BLUE");
        assert_eq!(to_datum(&heap, ty, slot, 100), Ok(Datum::Int(3)));
        assert_eq!(to_json(&heap.types, ty, &Datum::Int(3)), "3");
        assert_eq!(from_json(&heap.types, ty, "1").unwrap(), Datum::Int(1));
    }

    #[test]
    fn a_value_of_no_member_is_refused() {
        let mut heap = Heap::default();
        let ty = color(&mut heap.types, true);
        let list = heap.types.intern(Type::List(ty));
        let wrong = Datum::List(vec![Datum::Int(1), Datum::Int(2)]);
        assert_eq!(
            check(&heap.types, list, &wrong),
            Err("at [1]: expected a value of Color (1, 3), found 2".to_owned())
        );
        assert!(from_json(&heap.types, ty, "2").unwrap_err().to_string().contains("a value of Color (1, 3)"));
        assert!(check(&heap.types, ty, &Datum::Str("RED".to_owned())).is_err());
        let slot = from_datum(&mut heap, ty, &Datum::Int(1)).unwrap();
        assert_eq!(structural::to_str(&heap, ty, slot).unwrap(), "1");
    }
}

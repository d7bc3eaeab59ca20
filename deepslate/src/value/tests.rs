//! Values there and back, and what does not fit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deepslate_ir::module::{Module, Param};
use deepslate_ir::types::{BYTES, Class, FLOAT, Field, INT, STR, Type};
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Item {
    name: String,
    prices: Vec<f64>,
    raw: Vec<u8>,
    counts: BTreeMap<i64, (bool, String)>,
    kind: Kind,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Good,
    Bad,
}

/// A module with the class `Item`, declared with its fields in another order.
fn module() -> (Module, TypeId) {
    let mut module = Module::default();
    let types = &mut module.types;
    let prices = types.intern(Type::List(FLOAT));
    let pair = types.intern(Type::Tuple(vec![deepslate_ir::types::BOOL, STR]));
    let counts = types.intern(Type::Dict(INT, pair));
    let field = |name: &str, ty| Field { name: name.into(), ty };
    let fields = vec![
        field("raw", BYTES),
        field("kind", STR),
        field("name", STR),
        field("prices", prices),
        field("counts", counts),
    ];
    let class = types.add_class(Class { name: "Item".into(), fields, frozen: false });
    let ty = types.intern(Type::Class(class));
    (module, ty)
}

fn item() -> Item {
    Item {
        name: "apple".into(),
        prices: vec![1.5, 2.0],
        raw: vec![0, 255],
        counts: [(3, (true, "x".into()))].into(),
        kind: Kind::Bad,
    }
}

#[test]
fn a_struct_is_a_dataclass_by_its_fields() {
    let (module, ty) = module();
    let datum = to_datum(&module, ty, &item()).unwrap();
    let Datum::Object(slots) = &datum else { panic!("an object: {datum:?}") };
    assert_eq!(slots[0], Datum::Bytes(vec![0, 255]));
    assert_eq!(slots[1], Datum::Str("bad".into()));
    assert_eq!(from_datum::<Item>(&module, ty, &datum), Ok(item()));
}

#[test]
fn what_does_not_fit_says_where() {
    let (module, ty) = module();
    let mistake = |value: serde_json::Value| to_datum(&module, ty, &value).unwrap_err().to_string();
    assert_eq!(mistake(serde_json::json!({"nme": "x"})), "there is no field `nme`; did you mean `name`?");
    assert_eq!(mistake(serde_json::json!({"name": "x"})), "field `raw` is missing");
    let mut whole = serde_json::to_value(Item { counts: BTreeMap::new(), ..item() }).unwrap();
    whole["prices"][1] = "much".into();
    assert!(mistake(whole).contains("expected float, found str"));
    assert_eq!(
        to_datum(&module, INT, &u64::MAX).unwrap_err().0,
        format!("{} is larger than an int, which has 64 bits", u64::MAX)
    );
    assert!(from_datum::<i64>(&module, STR, &Datum::Str("x".into())).is_err());
    assert!(from_datum::<u8>(&module, INT, &Datum::Int(300)).is_err());
}

#[test]
fn arguments_come_by_name_or_by_position() {
    let (module, _) = module();
    let param = |name: &str, ty| Param::new(name, ty);
    let params = [param("count", INT), param("name", STR)];
    let wanted = vec![Datum::Int(3), Datum::Str("x".into())];
    #[derive(Serialize)]
    struct Args {
        name: &'static str,
        count: u8,
    }
    assert_eq!(to_args(&module, &params, &(3, "x")), Ok(wanted.clone()));
    assert_eq!(to_args(&module, &params, &Args { name: "x", count: 3 }), Ok(wanted.clone()));
    assert_eq!(to_args(&module, &params, &serde_json::json!({"name": "x", "count": 3})), Ok(wanted.clone()));
    assert_eq!(to_args(&module, &[], &()), Ok(vec![]));
    assert_eq!(to_args(&module, &params, &(3,)).unwrap_err().0, "1 arguments given, 2 wanted");
    assert_eq!(to_args(&module, &params, &HashMap::from([("count", 3)])).unwrap_err().0, "argument `name` is missing");
    assert_eq!(to_args(&module, &params, &("x", 3)).unwrap_err().0, "argument `count`: expected int, found str");
    assert!(to_args(&module, &params, &3).unwrap_err().0.contains("tuple"));
    let back: (i32, String) = from_args(&module, &params, &wanted).unwrap();
    assert_eq!(back, (3, "x".into()));
}

#[test]
fn none_is_unit_and_option() {
    let (module, _) = module();
    assert_eq!(to_datum(&module, deepslate_ir::types::NONE, &()), Ok(Datum::None));
    assert_eq!(from_datum::<Option<i64>>(&module, INT, &Datum::Int(3)), Ok(Some(3)));
    assert_eq!(from_datum::<Option<i64>>(&module, deepslate_ir::types::NONE, &Datum::None), Ok(None));
    assert_eq!(from_datum::<()>(&module, deepslate_ir::types::NONE, &Datum::None), Ok(()));
}

#[test]
fn a_set_is_a_set_and_a_tuple_of_any_length_a_sequence() {
    let mut module = Module::default();
    let (words, path) = (module.types.intern(Type::Set(STR)), module.types.intern(Type::TupleOf(INT)));
    let of = module.types.intern(Type::Tuple(vec![words, path]));
    let value: (BTreeSet<String>, Vec<i64>) = (["a".to_owned(), "b".to_owned()].into(), vec![1, 2]);
    let datum = to_datum(&module, of, &value).unwrap();
    let texts = ["a", "b"].map(|t| Datum::Str(t.to_owned())).to_vec();
    let wanted = vec![Datum::Set(texts), Datum::Tuple(vec![Datum::Int(1), Datum::Int(2)])];
    assert_eq!(datum, Datum::Tuple(wanted));
    assert_eq!(from_datum::<(BTreeSet<String>, Vec<i64>)>(&module, of, &datum), Ok(value));
}

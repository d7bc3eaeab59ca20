//! The JSON form, both ways. Texts were compared with what Python's json module writes.

use super::*;
use crate::types::{BOOL, BYTES, Class, FLOAT, Field, INT, LOCK, NONE, STR};

struct Named {
    types: Types,
    order: TypeId,
    ints: TypeId,
    floats: TypeId,
    pair: TypeId,
    by_name: TypeId,
    by_int: TypeId,
}

fn named() -> Named {
    let mut types = Types::new();
    let ints = types.intern(Type::List(INT));
    let floats = types.intern(Type::List(FLOAT));
    let pair = types.intern(Type::Tuple(vec![INT, STR]));
    let by_name = types.intern(Type::Dict(STR, ints));
    let by_int = types.intern(Type::Dict(INT, BYTES));
    let fields = [("id", INT), ("items", ints), ("total_price", FLOAT)];
    let fields = fields.map(|(name, ty)| Field { name: name.to_owned(), ty }).to_vec();
    let class = types.add_class(Class { name: "Order".to_owned(), fields, frozen: false });
    let order = types.intern(Type::Class(class));
    Named { types, order, ints, floats, pair, by_name, by_int }
}

fn text(text: &str) -> Datum {
    Datum::Str(text.to_owned())
}

/// A union's value: the index of its member, and the value.
fn member(index: u32, value: Datum) -> Datum {
    Datum::Member(index, Box::new(value))
}

#[test]
fn unions_are_written_as_their_members_and_read_as_the_first_that_fits() {
    let mut n = named();
    let list = |all: &[Datum]| Datum::List(all.to_vec());
    let any = n.types.union(&[BOOL, INT, FLOAT, STR, NONE]);
    let floats_or_ints = n.types.union(&[n.ints, n.floats]);
    let maybe_float = n.types.union(&[FLOAT, NONE]);
    let order_or_dict = n.types.union(&[n.order, n.by_name]);
    let fields = vec![Field { name: "total_price".to_owned(), ty: FLOAT }];
    let class = n.types.add_class(Class { name: "Bill".to_owned(), fields, frozen: true });
    let bill = n.types.intern(Type::Class(class));
    let order_or_bill = n.types.union(&[bill, n.order, NONE]);
    assert_eq!(n.types.name(order_or_bill), "Bill | Order | None");
    let order = Datum::Object(vec![Datum::Int(1), list(&[]), Datum::Float(0.5)]);
    let cases = [
        (any, member(0, Datum::Bool(true)), "true"),
        (any, member(1, Datum::Int(1)), "1"),
        (any, member(2, Datum::Float(1.0)), "1.0"),
        (any, member(3, text("NaN")), "\"NaN\""),
        (any, member(4, Datum::None), "null"),
        (maybe_float, member(0, Datum::Float(2.0)), "2.0"),
        // `list[float]` comes first, but takes ints only where nothing takes them as they are.
        (floats_or_ints, member(1, list(&[Datum::Int(1)])), "[1]"),
        (floats_or_ints, member(0, list(&[Datum::Float(1.0)])), "[1.0]"),
        (order_or_dict, member(1, order.clone()), "{\"id\":1,\"items\":[],\"total_price\":0.5}"),
        (order_or_dict, member(0, Datum::Dict(vec![(text("id"), list(&[]))])), "{\"id\":[]}"),
        (order_or_bill, member(0, Datum::Object(vec![Datum::Float(0.5)])), "{\"total_price\":0.5}"),
        (order_or_bill, member(1, order), "{\"id\":1,\"items\":[],\"total_price\":0.5}"),
    ];
    for (ty, datum, json) in cases {
        assert_eq!(to_json(&n.types, ty, &datum), json);
        assert_eq!(from_json(&n.types, ty, json), Ok(datum), "{json}");
    }
    let types = n.types.clone();
    let read = |ty, json| from_json(&types, ty, json).map_err(|e| e.to_string());
    assert_eq!(read(maybe_float, "2"), Ok(member(0, Datum::Float(2.0))));
    let mixed = list(&[Datum::Float(1.0), Datum::Float(2.5)]);
    assert_eq!(read(floats_or_ints, "[1, 2.5]"), Ok(member(0, mixed)));
    assert_eq!(read(maybe_float, "\"x\""), Err("expected float | None, found \"x\"".to_owned()));
    let within = "in field `items`[1]: expected int, found \"x\"";
    let json = "{\"id\":1,\"items\":[1,\"x\"],\"total_price\":1}";
    assert_eq!(read(order_or_bill, json), Err(within.to_owned()));
    // Two classes that look the same, one inside the other: which ones are meant shows only at the end, if at all.
    let fields = |next| vec![Field { name: "next".to_owned(), ty: next }];
    let classes = ["A", "B"].map(|name| {
        let class = n.types.add_class(Class { name: name.to_owned(), fields: Vec::new(), frozen: false });
        (class, n.types.intern(Type::Class(class)))
    });
    let either = n.types.union(&[classes[0].1, classes[1].1, NONE]);
    classes.iter().for_each(|(class, _)| n.types.class_mut(*class).fields = fields(either));
    let deep = |end: &str| format!("{}{end}{}", "{\"next\":".repeat(60), "}".repeat(60));
    assert!(from_json(&n.types, either, &deep("null")).is_ok());
    let error = from_json(&n.types, either, &deep("7")).expect_err("7 is no end").to_string();
    assert!(error.contains("expected a value that shows which members of unions it is of"), "{error}");
}

#[test]
fn values_go_both_ways() {
    let n = named();
    let ints = |all: &[i64]| Datum::List(all.iter().map(|v| Datum::Int(*v)).collect());
    let cases = [
        (NONE, Datum::None, "null"),
        (BOOL, Datum::Bool(true), "true"),
        (INT, Datum::Int(i64::MIN), "-9223372036854775808"),
        (INT, Datum::Int(i64::MAX), "9223372036854775807"),
        (FLOAT, Datum::Float(1.0), "1.0"),
        (FLOAT, Datum::Float(-0.0), "-0.0"),
        (FLOAT, Datum::Float(1e16), "1e+16"),
        (FLOAT, Datum::Float(1.5e-7), "1.5e-07"),
        (FLOAT, Datum::Float(f64::INFINITY), "Infinity"),
        (FLOAT, Datum::Float(f64::NEG_INFINITY), "-Infinity"),
        (STR, text("a\"b\\\n\u{1}é😀"), "\"a\\\"b\\\\\\n\\u0001é😀\""),
        (BYTES, Datum::Bytes(vec![0, 255, 16, 1]), "{\"$bytes\":\"AP8QAQ==\"}"),
        (n.ints, ints(&[1, 2]), "[1,2]"),
        (n.ints, ints(&[]), "[]"),
        (n.pair, Datum::Tuple(vec![Datum::Int(1), text("x")]), "[1,\"x\"]"),
        (n.by_name, Datum::Dict(vec![(text("$dict"), ints(&[1])), (text(""), ints(&[]))]), "{\"$dict\":[1],\"\":[]}"),
        (n.by_int, Datum::Dict(vec![(Datum::Int(1), Datum::Bytes(vec![]))]), "{\"$dict\":[[1,{\"$bytes\":\"\"}]]}"),
        (n.by_int, Datum::Dict(vec![]), "{\"$dict\":[]}"),
        (
            n.order,
            Datum::Object(vec![Datum::Int(1), ints(&[2]), Datum::Float(0.5)]),
            "{\"id\":1,\"items\":[2],\"total_price\":0.5}",
        ),
    ];
    for (ty, datum, json) in cases {
        assert_eq!(to_json(&n.types, ty, &datum), json);
        assert_eq!(from_json(&n.types, ty, json), Ok(datum.clone()), "{json}");
        if let Ok(value) = serde_json::from_str(json) {
            assert_eq!(from_value(&n.types, ty, &value), Ok(datum), "{json}");
        }
    }
    assert_eq!(to_json(&n.types, FLOAT, &Datum::Float(f64::NAN)), "NaN");
    let nans = from_json(&n.types, n.floats, " [NaN , \"NaN\",\t1, true, -Infinity, 1E3 ]\n").unwrap();
    let Datum::List(nans) = nans else { panic!("no list") };
    assert!(matches!(nans[0], Datum::Float(f) if f.is_nan()) && matches!(nans[1], Datum::Float(f) if f.is_nan()));
    assert_eq!(nans[2..], [1.0, 1.0, f64::NEG_INFINITY, 1000.0].map(Datum::Float));
}

#[test]
fn what_is_not_of_the_type_is_written_by_its_shape() {
    let n = named();
    assert_eq!(to_json(&n.types, FLOAT, &Datum::Int(2)), "2.0");
    assert_eq!(to_json(&n.types, INT, &Datum::Bool(true)), "1");
    assert_eq!(to_json(&n.types, n.order, &Datum::Object(vec![Datum::Int(1)])), "[1]");
    assert_eq!(to_json(&n.types, INT, &Datum::Dict(vec![(text("a"), Datum::None)])), "{\"a\":null}");
    assert_eq!(to_json(&n.types, INT, &Datum::Dict(vec![(Datum::Int(1), Datum::None)])), "{\"$dict\":[[1,null]]}");
}

#[test]
fn errors_say_where_and_what_was_meant() {
    let n = named();
    let orders = {
        let mut types = n.types.clone();
        let ty = types.intern(Type::List(n.order));
        (types, ty)
    };
    let cases = [
        (INT, "1.5", "expected int, found 1.5"),
        (INT, "9223372036854775808", "expected an int of 64 bits, found 9223372036854775808"),
        (INT, "\"7\"", "expected int, found \"7\""),
        (BOOL, "1", "expected bool, found 1"),
        (STR, "null", "expected str, found null"),
        (FLOAT, "\"1.5\"", "expected float, found \"1.5\""),
        (n.ints, "[1, [2]]", "at [1]: expected int, found an array"),
        (n.pair, "[1]", "expected tuple[int, str], found an array of 1"),
        (BYTES, "\"abc\"", "expected {\"$bytes\": base64}, found \"abc\""),
        (n.by_name, "{\"a\": [true, \"x\"]}", "at [a][1]: expected int, found \"x\""),
        (n.by_int, "[]", "expected {\"$dict\": [[key, value], …]}, found an array"),
        (n.by_int, "{\"1\": 2}", "expected {\"$dict\": [[key, value], …]}, found an object"),
        (n.by_int, "{\"$dict\": [[1]]}", "expected [key, value], found an array of 1"),
        (n.by_int, "{\"$dict\": [[\"a\", 2]]}", "at [\"a\"]: expected int, found \"a\""),
        (
            n.order,
            "{\"id\": 1, \"item\": []}",
            "expected fields of Order (id, items, total_price), found field `item`; did you mean `items`?",
        ),
        (
            n.order,
            "{\"id\": 1, \"price_total_of_all\": []}",
            "expected fields of Order (id, items, total_price), found field `price_total_of_all`",
        ),
        (
            n.order,
            "{\"id\": 1, \"items\": []}",
            "expected field `total_price` (float) of Order, found an object without it",
        ),
        (n.order, "{\"id\": 1, \"id\": 2}", "expected field `id` once, found it twice"),
        (n.order, "{\"id\": 1, \"items\": [1, 2, \"x\"]}", "in field `items`[2]: expected int, found \"x\""),
        (n.order, "[1, [], 2.0]", "expected an object with the fields of Order, found an array"),
        (LOCK, "null", "expected a value, found the type Lock, which can't enter an isolate"),
        (orders.1, "[{\"items\": [null]}]", "at [0].`items`[0]: expected int, found null"),
    ];
    for (ty, json, wanted) in cases {
        let error = from_json(&orders.0, ty, json).unwrap_err();
        assert_eq!(error.to_string(), wanted, "{json}");
    }
    let error = from_json(&n.types, BYTES, "{\"$bytes\": \"!\"}").unwrap_err();
    assert!(error.to_string().starts_with("expected base64, found an object ("), "{error}");
}

#[test]
fn an_empty_object_is_an_empty_dict_of_any_keys() {
    let n = named();
    assert_eq!(from_json(&n.types, n.by_int, "{}"), Ok(Datum::Dict(Vec::new())));
    assert_eq!(from_json(&n.types, n.by_name, "{}"), Ok(Datum::Dict(Vec::new())));
}

#[test]
fn base64_may_lack_its_padding() {
    let n = named();
    assert_eq!(from_json(&n.types, BYTES, "{\"$bytes\": \"AP8QAQ\"}"), Ok(Datum::Bytes(vec![0, 255, 16, 1])));
}

#[test]
fn text_that_is_no_json_says_where() {
    let n = named();
    let cases = [
        ("", "expected a JSON value, found the end of the text (line 1, column 1 of the JSON text)"),
        ("[1,\n 2", "expected `,` or `]`, found the end of the text (line 2, column 3 of the JSON text)"),
        ("[1 2]", "expected `,` or `]`, found '2' (line 1, column 4 of the JSON text)"),
        ("[1]x", "expected the end of the JSON text, found 'x' (line 1, column 4 of the JSON text)"),
        ("[01]", "expected `,` or `]`, found '1' (line 1, column 3 of the JSON text)"),
        ("[1.]", "expected a digit, found ']' (line 1, column 4 of the JSON text)"),
        ("[é]", "expected a JSON value, found 'é' (line 1, column 2 of the JSON text)"),
        ("{a: 1}", "expected a name in double quotes, found 'a' (line 1, column 2 of the JSON text)"),
        ("{\"a\" 1}", "expected `:`, found '1' (line 1, column 6 of the JSON text)"),
        ("{\"a\": 1,}", "expected a name in double quotes, found '}' (line 1, column 9 of the JSON text)"),
        (
            "\"abé",
            "expected `\"` at the end of a string, found the end of the text (line 1, column 5 of the JSON text)",
        ),
        ("nul", "expected a JSON value, found 'n' (line 1, column 1 of the JSON text)"),
    ];
    for (json, wanted) in cases {
        assert_eq!(from_json(&n.types, n.ints, json).unwrap_err().to_string(), wanted, "{json}");
    }
    for json in ["\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\u{1}\"", "\"\\é\""] {
        let error = from_json(&n.types, STR, json).unwrap_err().to_string();
        assert!(error.starts_with("expected a string, found '\"' (line 1, column 1"), "{json}: {error}");
    }
    for open in ["[", "{\"a\":"] {
        let error = from_json(&n.types, n.ints, &open.repeat(1_000_000)).unwrap_err().to_string();
        assert!(error.contains("levels of nesting"), "{error}");
    }
}

#[test]
fn nearest_names() {
    let names = ["customer", "items", "total_price"];
    for (typed, wanted) in [
        ("custmer", Some("customer")),
        ("itmes", Some("items")),
        ("Items", Some("items")),
        ("totalprice", Some("total_price")),
        ("other", None),
        ("", None),
    ] {
        assert_eq!(nearest(typed, names.into_iter()), wanted, "{typed}");
    }
}

#[test]
fn sets_and_tuples_of_any_length_are_arrays() {
    let mut n = named();
    let set = n.types.intern(Type::Set(STR));
    let frozen = n.types.intern(Type::FrozenSet(INT));
    let many = n.types.intern(Type::TupleOf(FLOAT));
    let cases = [
        (set, Datum::Set(vec![text("b"), text("a")]), "[\"b\",\"a\"]"),
        (frozen, Datum::Set(vec![]), "[]"),
        (many, Datum::Tuple(vec![Datum::Float(1.0), Datum::Float(2.5)]), "[1.0,2.5]"),
    ];
    for (ty, datum, json) in cases {
        assert_eq!(to_json(&n.types, ty, &datum), json);
        assert_eq!(from_json(&n.types, ty, json).unwrap(), datum);
        assert_eq!(crate::datum::check(&n.types, ty, &datum), Ok(()));
    }
    let error = from_json(&n.types, set, "[\"a\",1]").unwrap_err();
    assert!(error.to_string().contains("expected str"), "{error}");
}

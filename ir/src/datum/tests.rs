//! Values in and out, and what is refused.

use super::*;
use crate::builtins::tests::heap::Heap;
use crate::types::{BYTES, Class, FLOAT, Field, INT, LOCK, NONE, STR};

/// `class Order: id: int; items: list[int]; price: float; by: dict[str, tuple[int, bytes]]`.
fn order_type(types: &mut Types) -> TypeId {
    let items = types.intern(Type::List(INT));
    let pair = types.intern(Type::Tuple(vec![INT, BYTES]));
    let by = types.intern(Type::Dict(STR, pair));
    let fields = [("id", INT), ("items", items), ("price", FLOAT), ("by", by)];
    let fields = fields.map(|(name, ty)| Field { name: name.to_owned(), ty }).to_vec();
    let class = types.add_class(Class { name: "Order".to_owned(), fields, frozen: false });
    types.intern(Type::Class(class))
}

fn order(items: Vec<Datum>) -> Datum {
    let by = vec![(Datum::Str("k".into()), Datum::Tuple(vec![Datum::Int(1), Datum::Bytes(vec![0, 255])]))];
    Datum::Object(vec![Datum::Int(7), Datum::List(items), Datum::Float(1.5), Datum::Dict(by)])
}

#[test]
fn a_value_comes_back_as_it_went_in() {
    let mut heap = Heap::default();
    let ty = order_type(&mut heap.types);
    let datum = order(vec![Datum::Int(1), Datum::Int(-2)]);
    let slot = from_datum(&mut heap, ty, &datum).unwrap();
    let text = structural::repr(&heap, ty, slot).unwrap();
    assert_eq!(text, "Order(id=7, items=[1, -2], price=1.5, by={'k': (1, b'\\x00\\xff')})");
    assert_eq!(to_datum(&heap, ty, slot, 1_000), Ok(datum));
}

#[test]
fn numbers_become_what_is_declared() {
    let mut heap = Heap::default();
    let floats = heap.types.intern(Type::List(FLOAT));
    let datum = Datum::List(vec![Datum::Int(2), Datum::Bool(true), Datum::Float(0.5)]);
    let slot = from_datum(&mut heap, floats, &datum).unwrap();
    assert_eq!(structural::repr(&heap, floats, slot).unwrap(), "[2.0, 1.0, 0.5]");
    assert_eq!(from_datum(&mut heap, INT, &Datum::Bool(true)), Ok(1));
    assert_eq!(check(&heap.types, INT, &Datum::Float(1.0)), Err("expected int, found float".into()));
    let dict = heap.types.intern(Type::Dict(INT, INT));
    let datum = Datum::Dict(vec![(Datum::Int(1), Datum::Int(5)), (Datum::Bool(true), Datum::Int(6))]);
    let slot = from_datum(&mut heap, dict, &datum).unwrap();
    assert_eq!(structural::repr(&heap, dict, slot).unwrap(), "{1: 6}");
}

#[test]
fn errors_say_where() {
    let mut types = Types::new();
    let ty = order_type(&mut types);
    let orders = types.intern(Type::List(ty));
    let by_float = types.intern(Type::Dict(FLOAT, orders));
    let wrong = order(vec![Datum::Int(1), Datum::Int(2), Datum::Int(3), Datum::Str("x".into())]);
    let said = |ty, datum: &Datum| check(&types, ty, datum).unwrap_err();
    assert_eq!(said(ty, &wrong), "in field `items`[3]: expected int, found str");
    let list = Datum::List(vec![order(vec![]), wrong]);
    assert_eq!(said(orders, &list), "at [1].`items`[3]: expected int, found str");
    let dict = Datum::Dict(vec![(Datum::Float(1.0), list)]);
    assert_eq!(said(by_float, &dict), "at [1.0][1].`items`[3]: expected int, found str");
    assert_eq!(said(ty, &Datum::Object(vec![])), "expected Order, found an object with 0 fields");
    let Datum::Object(mut slots) = order(vec![]) else { unreachable!() };
    slots[3] = Datum::Dict(vec![(Datum::Str("it's".into()), Datum::Tuple(vec![Datum::Int(1)]))]);
    assert_eq!(
        said(ty, &Datum::Object(slots)),
        "in field `by`[\"it's\"]: expected tuple[int, bytes], found a tuple of 1"
    );
    assert_eq!(said(NONE, &Datum::Int(1)), "expected None, found int");
    assert_eq!(said(LOCK, &Datum::Int(1)), "a Lock can't enter an isolate");
    let mut heap = Heap::default();
    heap.types = types;
    let fault = from_datum(&mut heap, ty, &Datum::Int(1)).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (TrapKind::Value, "expected Order, found int"));
}

#[test]
fn what_is_too_large_or_endless_stays_inside() {
    let mut heap = Heap::default();
    let slot = heap.new_str("0123456789").unwrap();
    assert!(to_datum(&heap, STR, slot, 26).is_ok());
    let fault = to_datum(&heap, STR, slot, 25).unwrap_err();
    assert_eq!(fault.kind, TrapKind::Size);
    assert_eq!(fault.message, "a str is larger than the limit of 25 bytes for what leaves an isolate at once");

    let class = heap.types.add_class(Class { name: "Node".to_owned(), fields: Vec::new(), frozen: false });
    let node = heap.types.intern(Type::Class(class));
    let list = heap.types.intern(Type::List(node));
    heap.types.class_mut(class).fields.push(Field { name: "children".to_owned(), ty: list });
    let children = heap.new_list(list, &[]).unwrap();
    let leaf = heap.new_object(node, &[children]).unwrap();
    let mut top = leaf;
    for _ in 0..DEPTH {
        let children = heap.new_list(list, &[top, top]).unwrap();
        top = heap.new_object(node, &[children]).unwrap();
    }
    let fault = to_datum(&heap, node, top, u64::MAX).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (TrapKind::Size, "a Node is nested more than 128 deep"));
    heap.list_splice(children, 0..0, &[leaf]).unwrap();
    let fault = to_datum(&heap, node, leaf, u64::MAX).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (TrapKind::Size, "a Node contains itself"));

    // As many levels as may leave, each node twice: cut by its size before it fills the memory.
    let children = heap.new_list(list, &[]).unwrap();
    let mut top = heap.new_object(node, &[children]).unwrap();
    for _ in 1..DEPTH / 2 {
        let children = heap.new_list(list, &[top, top]).unwrap();
        top = heap.new_object(node, &[children]).unwrap();
    }
    let fault = to_datum(&heap, node, top, 1 << 20).unwrap_err();
    assert!(fault.message.contains("larger than the limit of 1048576 bytes"), "{fault}");
}

#[test]
fn sync_objects_stay_inside() {
    let mut heap = Heap::default();
    let locks = heap.types.intern(Type::List(LOCK));
    let list = heap.new_list(locks, &[1]).unwrap();
    let fault = to_datum(&heap, locks, list, 1_000).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (TrapKind::Value, "a Lock can't leave its isolate"));
}

#[test]
fn a_value_as_deep_as_may_leave_may_enter() {
    let mut heap = Heap::default();
    let (mut ty, mut datum) = (INT, Datum::Int(1));
    for _ in 0..DEPTH {
        ty = heap.types.intern(Type::List(ty));
        datum = Datum::List(vec![datum]);
    }
    let slot = from_datum(&mut heap, ty, &datum).unwrap();
    assert_eq!(to_datum(&heap, ty, slot, 1 << 20).as_ref(), Ok(&datum));
    let json = crate::json::to_json(&heap.types, ty, &datum);
    assert_eq!(crate::json::from_json(&heap.types, ty, &json), Ok(datum.clone()));
    ty = heap.types.intern(Type::List(ty));
    datum = Datum::List(vec![datum]);
    assert!(from_datum(&mut heap, ty, &datum).unwrap_err().message.contains("nested more than 128 deep"));
}

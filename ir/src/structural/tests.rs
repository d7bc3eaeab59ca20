//! What the table of builtins can't show: objects, cycles, shared parts, depth. Expectations were taken from CPython 3.11.

use super::*;
use crate::builtins::tests::heap::Heap;
use crate::builtins::tests::literal;
use crate::datum::{Datum, from_datum};
use crate::types::{BOOL, Class, FLOAT, Field, INT, NONE, STR};

fn value(heap: &mut Heap, text: &str) -> (TypeId, u64) {
    let text = format!("{text})");
    let (values, _) = literal::arguments(&text);
    let ty = literal::infer(&mut heap.types, &values[0]).expect("the literal has a type");
    let slot = from_datum(heap, ty, &values[0]).expect("it has the type");
    (ty, slot)
}

fn class(heap: &mut Heap, name: &str, fields: &[(&str, TypeId)], frozen: bool) -> TypeId {
    let fields = fields.iter().map(|(name, ty)| Field { name: (*name).to_owned(), ty: *ty }).collect();
    let class = heap.types.add_class(Class { name: name.to_owned(), fields, frozen });
    heap.types.intern(Type::Class(class))
}

/// `class Node: children: list[Node]`; gives the types of the node and of the list.
fn node_types(heap: &mut Heap) -> (TypeId, TypeId) {
    let class = heap.types.add_class(Class { name: "Node".to_owned(), fields: Vec::new(), frozen: false });
    let node = heap.types.intern(Type::Class(class));
    let list = heap.types.intern(Type::List(node));
    heap.types.class_mut(class).fields.push(Field { name: "children".to_owned(), ty: list });
    (node, list)
}

fn node(heap: &mut Heap, (ty, list): (TypeId, TypeId), children: &[u64]) -> u64 {
    let children = heap.new_list(list, children).expect("there is room");
    heap.new_object(ty, &[children]).expect("there is room")
}

/// A tree in which each node has the one below twice, so that it takes 2^levels steps to walk.
fn shared(heap: &mut Heap, types: (TypeId, TypeId), levels: usize) -> u64 {
    let leaf = node(heap, types, &[]);
    (0..levels).fold(leaf, |below, _| node(heap, types, &[below, below]))
}

#[test]
fn objects_are_compared_hashed_and_printed_by_field() {
    let mut heap = Heap::default();
    let point = class(&mut heap, "Point", &[("x", INT), ("y", FLOAT)], true);
    let a = heap.new_object(point, &[1, 2.0f64.to_bits()]).unwrap();
    let b = heap.new_object(point, &[1, 2.0f64.to_bits()]).unwrap();
    let c = heap.new_object(point, &[1, 2.5f64.to_bits()]).unwrap();
    assert_eq!(repr(&heap, point, a).unwrap(), "Point(x=1, y=2.0)");
    assert_eq!([eq(&heap, point, a, b), eq(&heap, point, a, c)], [Ok(true), Ok(false)]);
    assert_eq!(hash(&heap, point, a), hash(&heap, point, b));
    assert_ne!(hash(&heap, point, a), hash(&heap, point, c));
    assert_eq!(order(&heap, point, a, b), Ok(Ordering::Equal));
    let fault = order(&heap, point, a, c).unwrap_err();
    assert_eq!(fault.message, "'<' not supported between instances of 'Point' and 'Point'");
    let empty = class(&mut heap, "a.Empty", &[], false);
    let object = heap.new_object(empty, &[]).unwrap();
    assert_eq!(to_str(&heap, empty, object).unwrap(), "a.Empty()");
    assert_eq!(hash(&heap, empty, object).unwrap_err().message, "unhashable type: 'a.Empty'");
}

#[test]
fn dicts_are_equal_in_any_order() {
    let mut heap = Heap::default();
    let (ty, a) = value(&mut heap, "{'a': [1], 'b': [2]}");
    let (_, b) = value(&mut heap, "{'b': [2], 'a': [1]}");
    let (_, c) = value(&mut heap, "{'b': [2], 'a': [3]}");
    let (_, d) = value(&mut heap, "{'b': [2], 'c': [1]}");
    let (_, e) = value(&mut heap, "{'b': [2]}");
    let equal = [b, c, d, e].map(|other| eq(&heap, ty, a, other).unwrap());
    assert_eq!(equal, [true, false, false, false]);
    assert!(!eq(&heap, ty, e, a).unwrap());
}

#[test]
fn sequences_are_ordered_by_the_first_difference() {
    let mut heap = Heap::default();
    let cases = [
        ("[1, 2]", "[1, 3]", Ordering::Less),
        ("[1, 2]", "[1]", Ordering::Greater),
        ("(2, 'a')", "(10, 'a')", Ordering::Less),
        ("('b', 1.0)", "('b', 1.0)", Ordering::Equal),
        ("'\\uffff'", "'\\U0001f600'", Ordering::Less),
        ("b'a\\xff'", "b'b'", Ordering::Less),
        ("[True]", "[False]", Ordering::Greater),
        ("[nan]", "[inf]", Ordering::Greater),
        ("[nan]", "[nan]", Ordering::Equal),
        ("[-0.0]", "[0.0]", Ordering::Equal),
        ("(1, {'a': 1})", "(2, {'a': 2})", Ordering::Less),
    ];
    for (a, b, wanted) in cases {
        let (ty, x) = value(&mut heap, a);
        let (_, y) = value(&mut heap, b);
        assert_eq!(order(&heap, ty, x, y), Ok(wanted), "{a} {b}");
        assert_eq!(order(&heap, ty, y, x), Ok(wanted.reverse()), "{b} {a}");
        let same = wanted == Ordering::Equal && !a.contains("nan");
        assert_eq!(eq(&heap, ty, x, y), Ok(same), "{a} {b}");
    }
    let (ty, x) = value(&mut heap, "(1, {'a': 1})");
    let (_, y) = value(&mut heap, "(1, {'a': 2})");
    assert_eq!(order(&heap, ty, x, y).unwrap_err().kind, TrapKind::Value);
    assert!(!is_orderable(&heap.types, ty) && !is_orderable(&heap.types, NONE));
    let (ty, _) = value(&mut heap, "[(1, 'a', [(b'', 2.0)])]");
    assert!(is_orderable(&heap.types, ty));
}

#[test]
fn numbers_that_are_equal_hash_equal() {
    let heap = Heap::default();
    for int in [0, 1, -1, 1 << 53, i64::MIN, i64::MAX, 12_345] {
        let float = int as f64;
        if float as i128 == i128::from(int) {
            assert_eq!(hash(&heap, INT, int as u64), hash(&heap, FLOAT, float.to_bits()), "{int}");
        }
    }
    assert_eq!(hash(&heap, BOOL, 1), hash(&heap, INT, 1));
    assert_eq!(hash(&heap, FLOAT, 0.0f64.to_bits()), hash(&heap, FLOAT, (-0.0f64).to_bits()));
    assert_ne!(hash(&heap, FLOAT, 0.5f64.to_bits()), hash(&heap, FLOAT, 0.25f64.to_bits()));
}

#[test]
fn of_two_shortest_decimals_the_even_one_is_shown() {
    let exact = "1000000000000007.25 1000000000000007.75 1000000000000008.25 -1000000000000039.25 0.1 5e-324 1e+22";
    let shown: Vec<String> = exact.split(' ').map(|text| float_repr(text.parse().unwrap())).collect();
    let wanted = "1000000000000007.2 1000000000000007.8 1000000000000008.2 -1000000000000039.2 0.1 5e-324 1e+22";
    assert_eq!(shown.join(" "), wanted);
}

#[test]
fn texts_that_differ_a_little_hash_apart() {
    let mut heap = Heap::default();
    let mut seen = HashSet::new();
    for text in ["", "\0", "\0\0", "a", "b", "ab", "ba", "abcdefgh", "abcdefgh\0", "abcdefghi", "hgfedcba"] {
        let slot = heap.new_str(text).unwrap();
        assert!(seen.insert(hash(&heap, STR, slot).unwrap()), "{text:?}");
    }
    let low_bits: HashSet<u64> = (0..256).map(|n| hash_int(n * 1024) & 0xff).collect();
    assert!(low_bits.len() > 100, "the low bits of multiples of 1024 must differ: {}", low_bits.len());
}

#[test]
fn what_contains_itself_is_printed_as_in_python_and_not_compared() {
    let mut heap = Heap::default();
    let types = node_types(&mut heap);
    let loops: Vec<u64> = (0..2)
        .map(|_| {
            let node = node(&mut heap, types, &[]);
            heap.list_splice(heap.slot(node, 0), 0..0, &[node]).unwrap();
            node
        })
        .collect();
    assert_eq!(repr(&heap, types.0, loops[0]).unwrap(), "Node(children=[...])");
    let list = heap.slot(loops[0], 0);
    assert_eq!(repr(&heap, types.1, list).unwrap(), "[Node(children=[...])]");
    assert_eq!(eq(&heap, types.0, loops[0], loops[0]), Ok(true));
    let fault = eq(&heap, types.0, loops[0], loops[1]).unwrap_err();
    assert_eq!(fault.kind, TrapKind::Depth);
    assert!(fault.message.starts_with("maximum recursion depth exceeded in comparison"), "{fault}");
    // Contained twice, but not in itself.
    let leaf = node(&mut heap, types, &[]);
    let both = node(&mut heap, types, &[leaf, leaf]);
    assert_eq!(repr(&heap, types.0, both).unwrap(), "Node(children=[Node(children=[]), Node(children=[])])");
}

#[test]
fn depth_is_bounded() {
    let mut heap = Heap::default();
    let types = node_types(&mut heap);
    let chain = |heap: &mut Heap, length: usize| {
        let leaf = node(heap, types, &[]);
        (1..length).fold(leaf, |below, _| node(heap, types, &[below]))
    };
    // A node and its list are two levels.
    let (a, b) = (chain(&mut heap, DEPTH / 2), chain(&mut heap, DEPTH / 2));
    assert_eq!(eq(&heap, types.0, a, b), Ok(true));
    assert_eq!(repr(&heap, types.0, a).unwrap().len(), "Node(children=[])".len() * DEPTH / 2);
    let (a, b) = (chain(&mut heap, 100_000), chain(&mut heap, 100_000));
    assert_eq!(eq(&heap, types.0, a, b).unwrap_err().kind, TrapKind::Depth);
    assert_eq!(repr(&heap, types.0, a).unwrap_err().kind, TrapKind::Depth);
}

#[test]
fn shared_parts_cost_no_exponential_time() {
    let mut heap = Heap::default();
    let types = node_types(&mut heap);
    let (a, b) = (shared(&mut heap, types, 200), shared(&mut heap, types, 200));
    assert_eq!(eq(&heap, types.0, a, b), Ok(true));
    let fault = repr(&heap, types.0, a).unwrap_err();
    assert_eq!(fault.kind, TrapKind::Memory);
}

#[test]
fn sync_objects_are_equal_to_themselves_only() {
    let mut heap = Heap::default();
    let job = class(&mut heap, "Job", &[("lock", crate::types::LOCK)], false);
    // References that nobody follows.
    let (a, b) = (heap.new_object(job, &[77]).unwrap(), heap.new_object(job, &[77]).unwrap());
    let c = heap.new_object(job, &[78]).unwrap();
    assert_eq!([eq(&heap, job, a, b), eq(&heap, job, a, c)], [Ok(true), Ok(false)]);
    assert_eq!(repr(&heap, job, a).unwrap(), "Job(lock=<Lock>)");
}

#[test]
fn datums_of_a_literal_print_back() {
    let mut heap = Heap::default();
    for text in ["[1, 2]", "{'a': (1, None), 'b': (2, None)}", "(b'x',)", "[[1.5], [nan, -inf]]", "True"] {
        let (ty, slot) = value(&mut heap, text);
        assert_eq!(repr(&heap, ty, slot).unwrap(), text);
    }
    let list = heap.types.intern(Type::List(INT));
    let empty = from_datum(&mut heap, list, &Datum::List(Vec::new())).unwrap();
    assert_eq!(repr(&heap, list, empty).unwrap(), "[]");
}

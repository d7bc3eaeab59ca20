//! Every builtin against CPython: `cases.txt` holds calls with their results, made by `cases.py`.

pub(crate) mod heap;
pub(crate) mod literal;
mod nasty;

use super::*;
use crate::datum::{Datum, from_datum};
use crate::entity::TypeId;
use crate::pattern::{Bindings, Pattern};
use crate::structural;
use crate::trap::TrapKind;
use crate::types::{self, Type, Types};
use heap::Heap;
use std::collections::{HashMap, HashSet};

/// The types of the arguments of a call, and its result's. Where a literal is empty, other arguments decide, or else ints.
fn types_of(heap: &mut Heap, builtin: Builtin, args: &[Datum]) -> (Vec<TypeId>, TypeId) {
    let mut bound = Bindings::default();
    let inferred = builtin.params().iter().zip(args).map(|((_, pattern), arg)| match (pattern, arg) {
        (Pattern::TupleOf(_), Datum::Tuple(parts)) => {
            let element = literal::infer(&mut heap.types, parts.first()?)?;
            Some(heap.types.intern(Type::TupleOf(element)))
        }
        _ => literal::infer(&mut heap.types, arg),
    });
    let inferred: Vec<Option<TypeId>> = inferred.collect();
    for ((name, pattern), ty) in builtin.params().iter().zip(&inferred) {
        if let Some(ty) = ty {
            let fits = pattern.matches(&heap.types, *ty, &mut bound);
            assert!(fits, "{builtin}: {name} does not fit {}", heap.types.name(*ty));
        }
    }
    let mut all = Vec::new();
    for (((_, pattern), ty), arg) in builtin.params().iter().zip(&inferred).zip(args) {
        let ty = ty.or_else(|| pattern.resolve(&mut heap.types, &bound)).unwrap_or_else(|| {
            let ty = match pattern {
                _ if matches!(arg, Datum::Dict(_)) => Type::Dict(types::INT, types::INT),
                Pattern::List(Pattern::Pair(..)) => {
                    let pair = heap.types.intern(Type::Tuple(vec![types::INT, types::INT]));
                    Type::List(pair)
                }
                Pattern::TupleOf(_) => Type::TupleOf(types::INT),
                Pattern::Set(_) | Pattern::AnySet(..) => Type::Set(bound_or_int(heap, &bound)),
                _ => Type::List(types::INT),
            };
            let ty = heap.types.intern(ty);
            assert!(pattern.matches(&heap.types, ty, &mut bound), "{builtin}");
            ty
        });
        all.push(ty);
    }
    let ret = builtin.ret().resolve(&mut heap.types, &bound).expect("the arguments bind all that the result names");
    (all, ret)
}

/// What the first variable of a pattern is bound to.
fn bound_or_int(heap: &mut Heap, bound: &Bindings) -> TypeId {
    crate::pattern::T.resolve(&mut heap.types, bound).unwrap_or(types::INT)
}

fn call(builtin: Builtin, args: &[Datum]) -> (Result<String, Fault>, String) {
    let mut heap = Heap::default();
    assert_eq!(args.len(), builtin.params().len(), "{builtin}");
    let (types, ret) = types_of(&mut heap, builtin, args);
    let slots: Vec<u64> =
        types.iter().zip(args).map(|(ty, arg)| from_datum(&mut heap, *ty, arg).expect("it has the type")).collect();
    let result = builtin.body()(&mut heap, &Call { args: &types, ret }, &slots);
    let result = result.map(|slot| structural::repr(&heap, ret, slot).expect("the result can be printed"));
    let first = structural::repr(&heap, types[0], slots[0]).expect("the argument can be printed");
    (result, first)
}

#[test]
fn builtins_do_what_cpython_does() {
    let (mut wrong, mut counts) = (Vec::new(), HashMap::new());
    for line in include_str!("cases.txt").lines() {
        let (name, rest) = line.split_once('(').expect("a call");
        let builtin = Builtin::from_text(name).unwrap_or_else(|| panic!("no builtin {name}"));
        *counts.entry(builtin).or_insert(0) += 1;
        let (args, rest) = literal::arguments(rest);
        let (result, first) = call(builtin, &args);
        let fine = if let Some(wanted) = rest.strip_prefix(" = ") {
            let given = match &result {
                Ok(text) => text.clone(),
                Err(fault) => format!("! {fault}"),
            };
            given == wanted || format!("{given} | {first}") == wanted
        } else {
            let wanted = rest.strip_prefix(" ! ").expect("a result or a fault");
            let (kind, message) = wanted.split_once(": ").expect("kind and message");
            // Ours says the same and may add the values that matter; where operators can do the same, it is theirs.
            let as_operator = kind == "division" || name.starts_with("pow_float");
            matches!(&result, Err(f) if f.kind.name() == kind && (as_operator || f.message.contains(message)))
        };
        if !fine {
            wrong.push(format!("{line}\n    gives {result:?} | {first}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    // What can't be written as such a call is tested below.
    let elsewhere = [Builtin::Print];
    let missing: Vec<_> = Builtin::ALL.iter().filter(|b| !counts.contains_key(b) && !elsewhere.contains(b)).collect();
    assert!(missing.is_empty(), "no cases for {missing:?}");
}

#[test]
fn rows_are_documented_and_named_once() {
    let mut texts = HashSet::new();
    for builtin in Builtin::ALL {
        let doc = builtin.doc().trim();
        assert!(doc.len() > 10 && doc.ends_with('.'), "{builtin}: {doc:?}");
        assert!(texts.insert(builtin.text()), "two builtins are named {builtin}");
        assert_eq!(Builtin::from_text(builtin.text()), Some(*builtin));
        let names: HashSet<&str> = builtin.params().iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), builtin.params().len(), "{builtin}: parameter names");
    }
    assert_eq!(Builtin::from_text("no_such"), None);
}

#[test]
fn rows_of_one_spelling_are_told_apart_by_their_parameters() {
    let mut seen = HashSet::new();
    for builtin in Builtin::ALL {
        if builtin.python() != Spelling::Syntax {
            let parameters: Vec<Pattern> = builtin.params().iter().map(|(_, p)| *p).collect();
            assert!(seen.insert(format!("{:?} {parameters:?}", builtin.python())), "{builtin} can never be chosen");
        }
    }
}

#[test]
fn what_takes_a_mutable_object_says_that_it_reads_or_writes() {
    for builtin in Builtin::ALL {
        let mutable = |p: &Pattern| !matches!(p, Pattern::Is(_));
        if builtin.params().iter().any(|(_, p)| mutable(p)) {
            let effect = builtin.effect();
            assert!(
                effect.any(READS) || effect.any(WRITES),
                "{builtin} would be merged across a change of its argument"
            );
        }
    }
}

#[test]
fn print_appends_a_line() {
    let mut heap = Heap::default();
    let text = heap.new_str("one line").expect("there is room");
    let call = Call { args: &[types::STR], ret: types::NONE };
    assert_eq!(Builtin::Print.body()(&mut heap, &call, &[text]), Ok(0));
    assert_eq!(heap.lines, ["one line"]);
}

#[test]
fn what_does_not_fit_the_memory_is_a_fault_before_it_is_built() {
    let many = Datum::Int(1 << 60);
    let text = Datum::Str("abc".into());
    let ints = Datum::List(vec![Datum::Int(1)]);
    let cases: Vec<(Builtin, Vec<Datum>)> = vec![
        (Builtin::StrRepeat, vec![text.clone(), many.clone()]),
        (Builtin::BytesRepeat, vec![Datum::Bytes(vec![1]), many.clone()]),
        (Builtin::BytesOfCount, vec![many.clone()]),
        (Builtin::ListRepeat, vec![ints.clone(), many.clone()]),
        (Builtin::ListRepeatInPlace, vec![ints, many.clone()]),
        (Builtin::StrLjust, vec![text.clone(), many.clone()]),
        (Builtin::StrZfill, vec![text.clone(), many.clone()]),
        (Builtin::Range, vec![many]),
        (Builtin::FormatStr, vec![text, Datum::Str("9999999999".into())]),
        (Builtin::FormatInt, vec![Datum::Int(1), Datum::Str("9999999999".into())]),
        (Builtin::FormatFloat, vec![Datum::Float(1.0), Datum::Str(".9999999999f".into())]),
    ];
    for (builtin, args) in cases {
        let (result, _) = call(builtin, &args);
        assert_eq!(result.expect_err("it is too large").kind, TrapKind::Memory, "{builtin}");
    }
}

#[test]
fn a_document_that_does_not_fit_is_told_and_nothing_is_appended() {
    let mut heap = Heap::default();
    let list = heap.types.intern(Type::List(types::INT));
    let into = heap.new_list(list, &[7]).expect("there is room");
    let call = Call { args: &[list, types::BYTES], ret: types::STR };
    for (data, wanted) in [
        (&b""[..], "expected a JSON value, found the end of the text (line 1, column 1 of the JSON text)"),
        (b"1.5", "expected int, found 1.5"),
        (b"[1]", "expected int, found an array"),
        (b"\"a\xff\"", "expected UTF-8 text, found the byte 0xff at index 2"),
        (b"\xe6\x97", "expected UTF-8 text, found the byte 0xe6 at index 0"),
    ] {
        let data = heap.new_bytes(data).expect("there is room");
        let why = Builtin::JsonRead.body()(&mut heap, &call, &[into, data]).expect("no fault");
        assert_eq!(heap.str(why), wanted);
        assert_eq!(heap.list_slots(into), [7]);
    }
}

#[test]
fn a_value_that_contains_itself_has_no_document() {
    use crate::types::{Class, Field};
    let mut heap = Heap::default();
    let class = heap.types.add_class(Class { name: "Node".to_owned(), fields: Vec::new(), frozen: false });
    let node = heap.types.intern(Type::Class(class));
    let nodes = heap.types.intern(Type::List(node));
    heap.types.class_mut(class).fields = vec![Field { name: "next".to_owned(), ty: nodes }];
    let list = heap.new_list(nodes, &[]).expect("there is room");
    let object = heap.new_object(node, &[list]).expect("there is room");
    let pair = heap.types.intern(Type::Tuple(vec![types::BYTES, types::STR]));
    let call = Call { args: &[node], ret: pair };
    let write = |heap: &mut Heap| {
        let made = Builtin::JsonWrite.body()(heap, &call, &[object]).expect("no fault");
        let (text, why) = (heap.slot(made, 0), heap.slot(made, 1));
        (heap.bytes(text).to_vec(), heap.str(why).to_owned())
    };
    assert_eq!(write(&mut heap), (b"{\"next\":[]}".to_vec(), String::new()));
    heap.list_splice(list, 0..0, &[object]).expect("there is room");
    assert_eq!(write(&mut heap), (Vec::new(), "a Node contains itself, and has no JSON form".to_owned()));
}

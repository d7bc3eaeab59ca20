//! Every builtin with arguments at the edges, in all combinations that chance makes: none may panic, each result must be a
//! value of its type, and nothing may happen that its row's effects don't say.

use super::*;

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    fn of<V: Clone>(&mut self, all: &[V]) -> V {
        all[self.below(all.len())].clone()
    }

    fn datum(&mut self, types: &Types, ty: TypeId) -> Datum {
        match types.get(ty) {
            Type::None => Datum::None,
            Type::Bool => Datum::Bool(self.below(2) == 1),
            Type::Int => {
                let near = [0, 1, -1, 2, 3, 7, -5, 64, 255, 256, 1000];
                let far = [i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 1 << 62, -(1 << 40), 0x11_0000, 0xd800];
                Datum::Int(if self.below(3) > 0 { self.of(&near) } else { self.of(&far) })
            }
            Type::Float => Datum::Float(self.of(&[
                0.0,
                -0.0,
                1.0,
                -2.5,
                0.1,
                1e16,
                -1e300,
                5e-324,
                9.223_372_036_854_775e18,
                f64::MAX,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NAN,
            ])),
            Type::Str => {
                let texts = [
                    "",
                    "a",
                    "ab",
                    " a  b ",
                    "日本",
                    "İΣß\u{345}",
                    "-12",
                    "é😀é",
                    "utf-8",
                    ">10",
                    "+#020,.3f",
                    "_b",
                    "\r\n\n",
                    "0x",
                    "_",
                ];
                Datum::Str(self.of(&texts).to_owned())
            }
            Type::Bytes => {
                Datum::Bytes(self.of(&[&b""[..], b"a", b"ab", b"aab", b"\xff\xc3", b"\xe6\x97\xa5"]).to_vec())
            }
            Type::List(element) => Datum::List((0..self.below(5)).map(|_| self.datum(types, *element)).collect()),
            Type::TupleOf(element) => Datum::Tuple((0..self.below(5)).map(|_| self.datum(types, *element)).collect()),
            Type::Set(element) | Type::FrozenSet(element) => {
                Datum::Set((0..self.below(5)).map(|_| self.datum(types, *element)).collect())
            }
            Type::Dict(key, value) => {
                let entries = (0..self.below(4)).map(|_| (self.datum(types, *key), self.datum(types, *value)));
                Datum::Dict(entries.collect())
            }
            Type::Tuple(parts) => Datum::Tuple(parts.iter().map(|part| self.datum(types, *part)).collect()),
            other => panic!("{other:?} is not made here"),
        }
    }
}

fn texts(heap: &Heap, types: &[TypeId], slots: &[u64]) -> Vec<String> {
    types.iter().zip(slots).map(|(ty, slot)| structural::repr(heap, *ty, *slot).expect("it can be printed")).collect()
}

#[test]
fn no_arguments_make_a_builtin_panic() {
    let mut chance = Chance(5);
    let mut heap = Heap::default();
    let ints = heap.types.intern(Type::List(types::INT));
    let pair = heap.types.intern(Type::Tuple(vec![types::STR, types::INT]));
    let keys = [types::INT, types::STR, types::FLOAT, types::BOOL, pair];
    let values = [types::INT, types::FLOAT, types::STR, types::BYTES, ints, pair];
    for builtin in Builtin::ALL {
        for _ in 0..400 {
            let mut bound = Bindings::default();
            let (key, value) = (chance.of(&keys), chance.of(&values));
            let of_sets = builtin
                .params()
                .iter()
                .any(|(_, p)| matches!(p, Pattern::Set(_) | Pattern::AnySet(..) | Pattern::List(Pattern::Hashable(_))));
            let mut set = |types: &mut Types| {
                types.intern(if chance.below(2) == 0 { Type::Set(key) } else { Type::FrozenSet(key) })
            };
            let bind = if of_sets {
                [(T, key), (U, set(&mut heap.types)), (K, key), (V, set(&mut heap.types))]
            } else {
                [(T, value), (U, key), (K, key), (V, value)]
            };
            for (pattern, ty) in bind {
                assert!(pattern.matches(&heap.types, ty, &mut bound));
            }
            let params: Vec<TypeId> = builtin
                .params()
                .iter()
                .map(|(_, p)| p.resolve(&mut heap.types, &bound).expect("all variables are bound"))
                .collect();
            let ret = builtin.ret().resolve(&mut heap.types, &bound).expect("all variables are bound");
            let args: Vec<Datum> = params.iter().map(|ty| chance.datum(&heap.types, *ty)).collect();
            let slots: Vec<u64> =
                params.iter().zip(&args).map(|(ty, arg)| from_datum(&mut heap, *ty, arg).expect("it fits")).collect();
            let objects = heap.object_count();
            let before = texts(&heap, &params, &slots);
            let result = builtin.body()(&mut heap, &Call { args: &params, ret }, &slots);
            if !builtin.effect().has(ALLOCATES) && result.is_ok() {
                assert_eq!(heap.object_count(), objects, "{builtin} {args:?} allocates");
            }
            if !builtin.effect().has(WRITES) {
                assert_eq!(texts(&heap, &params, &slots), before, "{builtin} writes");
            }
            match result {
                Ok(slot) => {
                    let result = crate::datum::to_datum(&heap, ret, slot, 1 << 30).expect("the result can be read");
                    assert_eq!(crate::datum::check(&heap.types, ret, &result), Ok(()), "{builtin} {args:?}");
                }
                Err(fault) => {
                    assert!(!fault.message.is_empty(), "{builtin} {args:?}");
                    assert!(
                        builtin.effect().has(TRAPS),
                        "{builtin} {args:?} gives {fault} but its row says that it can't"
                    );
                }
            }
        }
    }
}

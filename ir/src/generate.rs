//! Random sound programs, for tests that compare machines: the same seed gives the same program for ever on one version of
//! this file. They loop, call, recurse, make tasks and share queues, locks and lists among them, call host functions and
//! trap; each statement has a line of its own, so that traces differ too.
//!
//! Loops are short and calls go to earlier functions or, a few times, to themselves; but they multiply, so a run needs a
//! budget. A deadlock is as good an end as any.

use crate::builder::{FuncBuilder, Var};
use crate::builtins::Builtin;
use crate::entity::{FuncId, HostId, TypeId, Value};
use crate::module::{Case, Constant, FuncKind, Host, Imm, Module, Param, Purity, SourceFile, Span};
use crate::ops::Op;
use crate::trap::TrapKind;
use crate::types::{self, BOOL, Class, FLOAT, Field, INT, LOCK, NONE, STR, Type, WAIT_GROUP};

/// The program of this seed. Its flow is `main(n: int)`, and its host functions are `ask(n: int) -> int`, impure, and
/// `twice(n: int) -> int`, pure.
pub fn program(seed: u64) -> Module {
    let mut chance = Chance(seed);
    let mut module = Module::default();
    module.files.push(SourceFile { path: format!("seed{seed}.py"), first_line: 1, text: String::new() });
    let int_param = || vec![Param::new("n", INT)];
    for (name, purity) in [("ask", Purity::Impure), ("twice", Purity::Pure)] {
        module.hosts.push(Host { name: name.to_owned(), params: int_param(), ret: INT, purity });
    }
    let fields = [("left", INT), ("right", FLOAT)].map(|(name, ty)| Field { name: name.to_owned(), ty });
    let class = module.types.add_class(Class { name: "Pair".to_owned(), fields: fields.to_vec(), frozen: false });
    let kinds = Kinds {
        list: module.types.intern(Type::List(INT)),
        dict: module.types.intern(Type::Dict(INT, STR)),
        queue: module.types.intern(Type::Queue(INT)),
        pair: module.types.intern(Type::Class(class)),
        union: TypeId(0),
        optional: module.types.union(&[INT, NONE]),
        result: TypeId(0),
    };
    let union = module.types.union(&[INT, STR, NONE, kinds.pair]);
    let result = Type::Tuple(vec![INT, FLOAT, BOOL, STR, kinds.list, kinds.dict, kinds.pair, union]);
    let kinds = Kinds { union, result: module.types.intern(result), ..kinds };
    let words = ["", "a", "bc", "é"].map(|w| Imm::Const(module.intern(Constant::Str(w.to_owned()))));
    let count = 1 + chance.below(4);
    for index in 0..count {
        let main = index + 1 == count;
        let mut params = int_param();
        if !main {
            for (name, ty) in [("q", kinds.queue), ("l", kinds.list), ("m", LOCK), ("g", WAIT_GROUP)] {
                params.push(Param::new(name, ty));
            }
        }
        let (name, kind) =
            if main { ("main".to_owned(), FuncKind::Flow) } else { (format!("f{index}"), FuncKind::Plain) };
        let ret = if main { kinds.result } else { INT };
        let span = Span { file: 0, line: 1, column: 1 };
        let builder = FuncBuilder::new(&name, kind, params, ret, span);
        let vars = Vars::default();
        let writer = Writer {
            b: builder,
            chance: &mut chance,
            kinds,
            words: &words,
            index,
            main,
            vars,
            line: index * 1000,
            depth: 0,
        };
        module.funcs.push(writer.write());
    }
    module
}

/// Numbers from a seed (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ (b >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).expect("it is below a u32")
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.next() as usize % list.len()]
    }
}

/// The ids of the compound types.
#[derive(Clone, Copy)]
struct Kinds {
    list: TypeId,
    dict: TypeId,
    queue: TypeId,
    pair: TypeId,
    /// `int | str | Pair | None`.
    union: TypeId,
    /// `int | None`, a part of it.
    optional: TypeId,
    result: TypeId,
}

#[derive(Default)]
struct Vars {
    ints: Vec<Var>,
    floats: Vec<Var>,
    bools: Vec<Var>,
    strs: Vec<Var>,
    list: Vec<Var>,
    dict: Vec<Var>,
    pair: Vec<Var>,
    union: Vec<Var>,
    queue: Vec<Var>,
    lock: Vec<Var>,
    group: Vec<Var>,
}

struct Writer<'a> {
    b: FuncBuilder,
    chance: &'a mut Chance,
    kinds: Kinds,
    words: &'a [Imm; 4],
    index: u32,
    main: bool,
    vars: Vars,
    line: u32,
    depth: u32,
}

impl Writer<'_> {
    fn write(mut self) -> crate::module::Func {
        self.declare();
        // A function may call itself, so it polls.
        self.b.inst(Op::Poll, &[], Imm::No, None);
        let count = 3 + self.chance.below(8);
        self.statements(count);
        if self.main {
            let Vars { ints, floats, bools, strs, list, dict, pair, union, .. } = &self.vars;
            let parts = [ints[0], floats[0], bools[0], strs[0], list[0], dict[0], pair[0], union[0]];
            let values: Vec<Value> = parts.iter().map(|v| self.b.read(*v)).collect();
            let result = self.b.value(Op::New, &values, Imm::No, self.kinds.result);
            self.b.ret(result);
        } else {
            let result = self.int();
            self.b.ret(result);
        }
        self.b.finish()
    }

    /// Declares the variables and gives each a value.
    fn declare(&mut self) {
        let mut scope = Vec::new();
        let mut declare = |b: &mut FuncBuilder, name: &str, value: Value| {
            let var = b.declare(Some(name), b.ty(value));
            b.write(var, value);
            scope.push(var);
            var
        };
        let b = &mut self.b;
        let n = b.param(0);
        let three = b.value(Op::Iconst, &[], Imm::Int(3), INT);
        let small = b.value(Op::Iand, &[n, three], Imm::No, INT);
        self.vars.ints.push(declare(b, "n", small));
        for (name, value) in [("i", 1), ("j", -7), ("k", i64::MAX - 1)] {
            let value = b.value(Op::Iconst, &[], Imm::Int(value), INT);
            self.vars.ints.push(declare(b, name, value));
        }
        for (name, value) in [("x", 0.5), ("y", -3.0)] {
            let value = b.value(Op::Fconst, &[], Imm::Float(value), FLOAT);
            self.vars.floats.push(declare(b, name, value));
        }
        for (name, value) in [("p", true), ("o", false)] {
            let value = b.value(Op::Bconst, &[], Imm::Bool(value), BOOL);
            self.vars.bools.push(declare(b, name, value));
        }
        for (name, word) in [("s", 1), ("t", 3)] {
            let value = b.value(Op::Const, &[], self.words[word].clone(), STR);
            self.vars.strs.push(declare(b, name, value));
        }
        let dict = b.value(Op::DictNew, &[], Imm::No, self.kinds.dict);
        self.vars.dict.push(declare(b, "d", dict));
        let (left, right) = (b.read(self.vars.ints[1]), b.read(self.vars.floats[0]));
        for name in ["u", "w"] {
            let pair = b.value(Op::New, &[left, right], Imm::No, self.kinds.pair);
            self.vars.pair.push(declare(b, name, pair));
        }
        for name in ["e", "f"] {
            let value = b.value(Op::UnionWiden, &[left], Imm::No, self.kinds.union);
            self.vars.union.push(declare(b, name, value));
        }
        let shared = if self.main {
            let capacity = self.chance.pick(&[-1, -1, 0, 1, 2]);
            let capacity = b.value(Op::Iconst, &[], Imm::Int(capacity), INT);
            [
                b.value(Op::QueueNew, &[capacity], Imm::No, self.kinds.queue),
                b.value(Op::ListNew, &[left, left], Imm::No, self.kinds.list),
                b.value(Op::LockNew, &[], Imm::No, LOCK),
                b.value(Op::WaitGroupNew, &[], Imm::No, WAIT_GROUP),
            ]
        } else {
            [1, 2, 3, 4].map(|i| b.param(i))
        };
        self.vars.queue.push(declare(b, "q", shared[0]));
        self.vars.list.push(declare(b, "l", shared[1]));
        self.vars.lock.push(declare(b, "m", shared[2]));
        self.vars.group.push(declare(b, "g", shared[3]));
        b.set_scope(&scope);
    }

    fn read(&mut self, of: fn(&Vars) -> &Vec<Var>) -> Value {
        let var = self.chance.pick(of(&self.vars));
        self.b.read(var)
    }

    fn write_to(&mut self, of: fn(&Vars) -> &Vec<Var>, value: Value) {
        let var = self.chance.pick(of(&self.vars));
        self.b.write(var, value);
    }

    fn iconst(&mut self, value: i64) -> Value {
        self.b.value(Op::Iconst, &[], Imm::Int(value), INT)
    }

    fn int(&mut self) -> Value {
        use Op::*;
        match self.chance.below(12) {
            0 | 1 => {
                let value = self.chance.pick(&[0, 1, 2, 3, -1, 10, 63, 1 << 40]);
                self.iconst(value)
            }
            2 | 3 => {
                let few = [Iadd, Isub, Iand, Ior, Ixor, Iadd, Isub, Imul, Ifloordiv, Imod, Ishl, Ishr, Ipow];
                let op = self.chance.pick(&few);
                let (a, b) = (self.read(|v| &v.ints), self.read(|v| &v.ints));
                // Most operands are kept small, so that not every program ends by a trap.
                let mask = self.iconst(15);
                let (a, b) = match self.chance.below(8) {
                    0 => (a, b),
                    _ => (self.b.value(Iand, &[a, mask], Imm::No, INT), self.b.value(Iand, &[b, mask], Imm::No, INT)),
                };
                self.b.value(op, &[a, b], Imm::No, INT)
            }
            4 => {
                let a = self.read(|v| &v.ints);
                self.b.value(Inot, &[a], Imm::No, INT)
            }
            5 => {
                let list = self.read(|v| &v.list);
                let index = self.chance.pick(&[0, 1, -1, 2]);
                let index = self.iconst(index);
                self.b.value(ListGet, &[list, index], Imm::No, INT)
            }
            6 => {
                let list = self.read(|v| &v.list);
                self.b.value(ListLen, &[list], Imm::No, INT)
            }
            7 => {
                let pair = self.read(|v| &v.pair);
                self.b.value(SlotGet, &[pair], Imm::Slot(0), INT)
            }
            8 => {
                let text = self.read(|v| &v.strs);
                self.b.value(CallBuiltin, &[text], Imm::Builtin(Builtin::StrLen), INT)
            }
            9 => {
                let dict = self.read(|v| &v.dict);
                let from = self.read(|v| &v.ints);
                self.b.value(DictNext, &[dict, from], Imm::No, INT)
            }
            10 => {
                let a = self.read(|v| &v.bools);
                self.b.value(BoolToInt, &[a], Imm::No, INT)
            }
            _ => self.read(|v| &v.ints),
        }
    }

    fn float(&mut self) -> Value {
        use Op::*;
        match self.chance.below(6) {
            0 => {
                let value = self.chance.pick(&[0.0, -0.0, 1.5, 1e300, -2.0]);
                self.b.value(Fconst, &[], Imm::Float(value), FLOAT)
            }
            1 | 2 => {
                let op = self.chance.pick(&[Fadd, Fsub, Fmul, Fdiv, Ffloordiv, Fmod, Fpow]);
                let (a, b) = (self.read(|v| &v.floats), self.read(|v| &v.floats));
                self.b.value(op, &[a, b], Imm::No, FLOAT)
            }
            3 => {
                let a = self.int();
                self.b.value(IntToFloat, &[a], Imm::No, FLOAT)
            }
            4 => {
                let a = self.read(|v| &v.floats);
                self.b.value(Fneg, &[a], Imm::No, FLOAT)
            }
            _ => {
                let pair = self.read(|v| &v.pair);
                self.b.value(SlotGet, &[pair], Imm::Slot(1), FLOAT)
            }
        }
    }

    fn bool(&mut self) -> Value {
        use Op::*;
        match self.chance.below(7) {
            0 | 1 => {
                let op = self.chance.pick(&[Ieq, Ine, Ilt, Ile, Igt, Ige]);
                let (a, b) = (self.int(), self.int());
                self.b.value(op, &[a, b], Imm::No, BOOL)
            }
            2 => {
                let op = self.chance.pick(&[Feq, Fne, Flt, Fle, Fgt, Fge]);
                let (a, b) = (self.float(), self.read(|v| &v.floats));
                self.b.value(op, &[a, b], Imm::No, BOOL)
            }
            3 => {
                let a = self.read(|v| &v.bools);
                self.b.value(Bnot, &[a], Imm::No, BOOL)
            }
            4 => {
                let (a, b) = (self.read(|v| &v.strs), self.read(|v| &v.strs));
                self.b.value(Eq, &[a, b], Imm::No, BOOL)
            }
            5 => {
                let (dict, key) = (self.read(|v| &v.dict), self.read(|v| &v.ints));
                self.b.value(DictHas, &[dict, key], Imm::No, BOOL)
            }
            _ => {
                let (a, b) = (self.read(|v| &v.pair), self.read(|v| &v.pair));
                self.b.value(Eq, &[a, b], Imm::No, BOOL)
            }
        }
    }

    fn str(&mut self) -> Value {
        match self.chance.below(4) {
            0 => {
                let word = self.chance.below(4) as usize;
                self.b.value(Op::Const, &[], self.words[word].clone(), STR)
            }
            1 => {
                let a = self.int();
                self.b.value(Op::CallBuiltin, &[a], Imm::Builtin(Builtin::StrOfInt), STR)
            }
            2 => {
                // Doubling in nested loops grows fast; a sum with a word does not.
                let word = self.chance.below(4) as usize;
                let (a, b) = (self.read(|v| &v.strs), self.b.value(Op::Const, &[], self.words[word].clone(), STR));
                self.b.value(Op::CallBuiltin, &[a, b], Imm::Builtin(Builtin::StrConcat), STR)
            }
            _ => {
                let (dict, key) = (self.read(|v| &v.dict), self.read(|v| &v.ints));
                let has = self.b.value(Op::DictHas, &[dict, key], Imm::No, BOOL);
                let (found, missing, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                let other = self.read(|v| &v.strs);
                self.b.branch(has, found, missing);
                self.b.seal(found);
                self.b.seal(missing);
                let var = self.b.declare(None, STR);
                self.b.switch_to(found);
                let value = self.b.value(Op::DictGet, &[dict, key], Imm::No, STR);
                self.b.write(var, value);
                self.b.jump(after);
                self.b.switch_to(missing);
                self.b.write(var, other);
                self.b.jump(after);
                self.b.seal(after);
                self.b.switch_to(after);
                self.b.read(var)
            }
        }
    }

    fn union(&mut self) -> Value {
        let value = match self.chance.below(6) {
            0 => self.int(),
            1 => self.str(),
            2 => self.read(|v| &v.pair),
            3 => self.b.value(Op::None, &[], Imm::No, NONE),
            4 => {
                let value = self.int();
                self.b.value(Op::UnionWiden, &[value], Imm::No, self.kinds.optional)
            }
            _ => return self.read(|v| &v.union),
        };
        self.b.value(Op::UnionWiden, &[value], Imm::No, self.kinds.union)
    }

    /// Takes a member out of a union: tested before, or, now and then, not.
    fn narrow(&mut self) {
        let value = self.read(|v| &v.union);
        let member = self.chance.pick(&[INT, STR, self.kinds.pair, self.kinds.optional]);
        let is = self.b.value(Op::UnionIs, &[value], Imm::Type(member), BOOL);
        let (then, after) = (self.b.new_block(), self.b.new_block());
        let tested = self.chance.below(8) > 0;
        if tested {
            self.b.branch(is, then, after);
        } else {
            self.write_to(|v| &v.bools, is);
            self.b.jump(then);
        }
        self.b.seal(then);
        self.b.switch_to(then);
        let mut narrowed = self.b.value(Op::UnionNarrow, &[value], Imm::No, member);
        if member == self.kinds.optional {
            let other = self.read(|v| &v.union);
            let wide = self.b.value(Op::UnionWiden, &[narrowed], Imm::No, self.kinds.union);
            let same = self.b.value(Op::Eq, &[wide, other], Imm::No, BOOL);
            self.write_to(|v| &v.bools, same);
            narrowed = self.b.value(Op::CallBuiltin, &[narrowed], Imm::Builtin(Builtin::StrOf), STR);
        }
        match self.b.ty(narrowed) {
            INT => self.write_to(|v| &v.ints, narrowed),
            STR => self.write_to(|v| &v.strs, narrowed),
            _ => self.write_to(|v| &v.pair, narrowed),
        }
        self.b.jump(after);
        self.b.seal(after);
        self.b.switch_to(after);
    }

    fn statements(&mut self, count: u32) {
        for _ in 0..count {
            if self.b.ended() {
                return;
            }
            self.line += 1;
            self.b.set_span(Span { file: 0, line: self.line, column: 1 + self.depth * 4 });
            self.statement();
        }
    }

    fn statement(&mut self) {
        use Op::{
            CallBuiltin, CallImpure, CallPure, DictSet, Fconst, ListPush, ListSet, QueueGet, QueuePut, Sleep, SlotSet,
        };
        match self.chance.below(30) {
            0..=3 => {
                let value = self.int();
                self.write_to(|v| &v.ints, value);
            }
            4 | 5 => {
                let value = self.float();
                self.write_to(|v| &v.floats, value);
            }
            6 => {
                let value = self.bool();
                self.write_to(|v| &v.bools, value);
            }
            7 | 8 => {
                let value = self.str();
                self.write_to(|v| &v.strs, value);
            }
            9 => {
                let (list, value) = (self.read(|v| &v.list), self.int());
                self.b.inst(ListPush, &[list, value], Imm::No, None);
            }
            10 => {
                let (list, value) = (self.read(|v| &v.list), self.int());
                let index = self.chance.pick(&[0, -1, 1]);
                let index = self.iconst(index);
                self.b.inst(ListSet, &[list, index, value], Imm::No, None);
            }
            11 => {
                let (dict, key, value) = (self.read(|v| &v.dict), self.int(), self.str());
                self.b.inst(DictSet, &[dict, key, value], Imm::No, None);
            }
            12 => {
                let pair = self.read(|v| &v.pair);
                let (slot, value) = if self.chance.below(2) == 0 { (0, self.int()) } else { (1, self.float()) };
                self.b.inst(SlotSet, &[pair, value], Imm::Slot(slot), None);
            }
            13 => {
                // Two names for one object.
                let pair = self.read(|v| &v.pair);
                self.write_to(|v| &v.pair, pair);
            }
            14 => {
                let text = self.str();
                self.b.inst(CallBuiltin, &[text], Imm::Builtin(Builtin::Print), Some(NONE));
            }
            15 | 16 if self.depth < 3 => self.branches(),
            17 | 18 if self.depth < 2 => self.repeat(),
            19 => {
                let seconds = self.chance.pick(&[0.0, 1.0, 0.25]);
                let seconds = self.b.value(Fconst, &[], Imm::Float(seconds), FLOAT);
                self.b.inst(Sleep, &[seconds], Imm::No, Some(NONE));
            }
            20 => {
                let value = self.int();
                let (op, host) = self.chance.pick(&[(CallImpure, HostId(0)), (CallPure, HostId(1))]);
                let value = self.b.value(op, &[value], Imm::Host(host), INT);
                self.write_to(|v| &v.ints, value);
            }
            21 => self.call(),
            22 => {
                let (queue, value) = (self.read(|v| &v.queue), self.int());
                self.b.inst(QueuePut, &[queue, value], Imm::No, Some(NONE));
            }
            23 => {
                let queue = self.read(|v| &v.queue);
                let value = self.b.value(QueueGet, &[queue], Imm::No, INT);
                self.write_to(|v| &v.ints, value);
            }
            24 => self.select(),
            25 => self.sync(),
            26 | 27 => {
                let value = self.union();
                self.write_to(|v| &v.union, value);
            }
            28 => self.narrow(),
            _ => {
                let new = self.new_pair();
                self.write_to(|v| &v.pair, new);
            }
        }
    }

    fn new_pair(&mut self) -> Value {
        let (left, right) = (self.int(), self.float());
        self.b.value(Op::New, &[left, right], Imm::No, self.kinds.pair)
    }

    fn branches(&mut self) {
        self.depth += 1;
        let condition = self.bool();
        let (then, otherwise, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(condition, then, otherwise);
        for block in [then, otherwise] {
            self.b.seal(block);
            self.b.switch_to(block);
            let count = self.chance.below(4);
            self.statements(count);
            // One branch may end the program or leave the function.
            match self.chance.below(30) {
                0 if block == then => {
                    let message = self.str();
                    self.b.end(Op::Fail, &[message], Imm::Trap(TrapKind::Raised), &[]);
                }
                1 if block == then && !self.main => {
                    let result = self.int();
                    self.b.ret(result);
                }
                _ => self.b.jump(after),
            }
        }
        self.b.seal(after);
        self.b.switch_to(after);
        self.depth -= 1;
    }

    fn repeat(&mut self) {
        self.depth += 1;
        let counter = self.b.declare(None, types::INT);
        let (head, body, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let zero = self.iconst(0);
        self.b.write(counter, zero);
        self.b.jump(head);
        self.b.switch_to(head);
        self.b.inst(Op::Poll, &[], Imm::No, None);
        let turns = 1 + i64::from(self.chance.below(4));
        let turns = self.iconst(turns);
        let at = self.b.read(counter);
        let more = self.b.value(Op::Ilt, &[at, turns], Imm::No, BOOL);
        self.b.branch(more, body, after);
        self.b.seal(body);
        self.b.switch_to(body);
        let (one, at) = (self.iconst(1), self.b.read(counter));
        let next = self.b.value(Op::Iadd, &[at, one], Imm::No, INT);
        self.b.write(counter, next);
        let count = 1 + self.chance.below(4);
        self.statements(count);
        if self.chance.below(3) == 0 {
            let (condition, rest) = (self.bool(), self.b.new_block());
            let to = self.chance.pick(&[head, after]);
            self.b.branch(condition, to, rest);
            self.b.seal(rest);
            self.b.switch_to(rest);
            self.statements(1);
        }
        self.b.jump(head);
        self.b.seal(head);
        self.b.seal(after);
        self.b.switch_to(after);
        self.depth -= 1;
    }

    /// A call or a task of an earlier function, or of this one with a smaller `n`.
    fn call(&mut self) {
        let vars = [self.vars.queue[0], self.vars.list[0], self.vars.lock[0], self.vars.group[0]];
        let shared = vars.map(|v| self.b.read(v));
        let with = |n: Value| [n, shared[0], shared[1], shared[2], shared[3]];
        if self.index > 0 {
            let callee = FuncId(self.chance.below(self.index));
            let n = self.int();
            if self.chance.below(2) == 0 {
                self.b.inst(Op::CreateTask, &with(n), Imm::Func(callee), None);
            } else {
                let value = self.b.value(Op::Call, &with(n), Imm::Func(callee), INT);
                self.write_to(|v| &v.ints, value);
            }
        } else if !self.main && self.depth == 0 {
            // `n` may have been changed, so the parameter decides: it is below 4 and one less each time.
            let (param, three, one) = (self.b.param(0), self.iconst(3), self.iconst(1));
            let n = self.b.value(Op::Iand, &[param, three], Imm::No, INT);
            let zero = self.iconst(0);
            let more = self.b.value(Op::Igt, &[n, zero], Imm::No, BOOL);
            let less = self.b.value(Op::Isub, &[n, one], Imm::No, INT);
            let (deeper, after) = (self.b.new_block(), self.b.new_block());
            self.b.branch(more, deeper, after);
            self.b.seal(deeper);
            self.b.switch_to(deeper);
            let value = self.b.value(Op::Call, &with(less), Imm::Func(FuncId(self.index)), INT);
            self.write_to(|v| &v.ints, value);
            self.b.jump(after);
            self.b.seal(after);
            self.b.switch_to(after);
        }
    }

    fn select(&mut self) {
        let (queue, value) = (self.read(|v| &v.queue), self.int());
        let (got, put, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let element = self.b.block_param(got, INT);
        let (mut cases, mut targets, mut args) = (vec![Case::Get], vec![got], vec![queue]);
        let puts = self.chance.below(3) > 0;
        if puts {
            cases.push(Case::Put);
            targets.push(put);
            args.extend([queue, value]);
        }
        if self.chance.below(2) == 0 {
            cases.push(Case::Default);
            targets.push(after);
        }
        self.b.end(Op::Select, &args, Imm::Cases(cases), &targets);
        self.b.seal(got);
        self.b.seal(put);
        self.b.switch_to(got);
        self.write_to(|v| &v.ints, element);
        self.b.jump(after);
        if puts {
            self.b.switch_to(put);
            self.depth += 1;
            self.statements(1);
            self.depth -= 1;
            self.b.jump(after);
        }
        self.b.seal(after);
        self.b.switch_to(after);
    }

    fn sync(&mut self) {
        match self.chance.below(4) {
            0 | 1 => {
                let lock = self.read(|v| &v.lock);
                self.b.inst(Op::LockAcquire, &[lock], Imm::No, Some(NONE));
                let list = self.read(|v| &v.list);
                let value = self.int();
                self.b.inst(Op::ListPush, &[list, value], Imm::No, None);
                self.b.inst(Op::LockRelease, &[lock], Imm::No, None);
            }
            2 => {
                let group = self.read(|v| &v.group);
                let delta = self.chance.pick(&[1, 1, -1]);
                let delta = self.iconst(delta);
                self.b.inst(Op::WaitGroupAdd, &[group, delta], Imm::No, None);
            }
            _ => {
                let group = self.read(|v| &v.group);
                self.b.inst(Op::WaitGroupWait, &[group], Imm::No, Some(NONE));
            }
        }
    }
}

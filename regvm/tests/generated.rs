//! Generated programs: the VM, lowered and stopped in every way, gives what the evaluator gives, to the last line of the
//! trace, the log and the durable calls.
//!
//! Programs are made by the builder from a seed: variables of several types, arithmetic that often traps, branches, loops of
//! a few rounds, calls, collections, tasks, queues, locks, selects and durable calls.

use deepslate_ir::builder::{FuncBuilder, Var};
use deepslate_ir::builtins::Builtin;
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::{FuncId, HostId, TypeId, Value};
use deepslate_ir::image::Image;
use deepslate_ir::interp::{self, Outcome, World};
use deepslate_ir::module::{Case, Constant, FuncKind, Host, Imm, Module, Param, Purity, SourceFile, Span};
use deepslate_ir::ops::Op;
use deepslate_ir::trap::Fault;
use deepslate_ir::types::{BOOL, FLOAT, INT, LOCK, NONE, STR, Type};
use deepslate_regvm::testing::{Driver, Stops};
use deepslate_regvm::{Limits, Options, Program};
use proptest::prelude::*;

/// A small generator of its own, so that a program depends on its seed alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

struct TypesOf {
    list: TypeId,
    names: TypeId,
    dict: TypeId,
    pair: TypeId,
    queue: TypeId,
    words: TypeId,
}

struct Gen<'a> {
    dice: &'a mut Dice,
    module: &'a mut Module,
    types: &'a TypesOf,
    b: FuncBuilder,
    vars: Vec<(Var, TypeId)>,
    line: u32,
    /// Functions that may be called and their parameters.
    callees: Vec<FuncId>,
    /// Statements that may still be made.
    left: u32,
}

const INT_OPS: &[Op] = &[
    Op::Iadd,
    Op::Isub,
    Op::Imul,
    Op::Ifloordiv,
    Op::Imod,
    Op::Iand,
    Op::Ior,
    Op::Ixor,
    Op::Ishr,
    Op::Iadd,
    Op::Isub,
    Op::Ishl,
];
const FLOAT_OPS: &[Op] = &[Op::Fadd, Op::Fsub, Op::Fmul, Op::Fdiv, Op::Fmod, Op::Ffloordiv];
const INT_TESTS: &[Op] = &[Op::Ieq, Op::Ine, Op::Ilt, Op::Ile, Op::Igt, Op::Ige];
const FLOAT_TESTS: &[Op] = &[Op::Feq, Op::Fne, Op::Flt, Op::Fle, Op::Fgt, Op::Fge];

impl Gen<'_> {
    fn of(&mut self, ty: TypeId) -> Var {
        let fits: Vec<Var> = self.vars.iter().filter(|(_, t)| *t == ty).map(|(v, _)| *v).collect();
        self.dice.pick(&fits)
    }

    fn read(&mut self, ty: TypeId) -> Value {
        let var = self.of(ty);
        self.b.read(var)
    }

    fn set(&mut self, ty: TypeId, value: Value) {
        let var = self.of(ty);
        self.b.write(var, value);
    }

    fn int(&mut self) -> Value {
        if self.dice.roll(2) == 0 {
            let number = self.dice.pick(&[0, 1, 2, 3, 7, -1, -2, 100, 40_000, i64::MAX, i64::MIN, 32_767, -32_768]);
            return self.b.value(Op::Iconst, &[], Imm::Int(number), INT);
        }
        self.read(INT)
    }

    fn float(&mut self) -> Value {
        if self.dice.roll(3) == 0 {
            let number = self.dice.pick(&[0.0, -0.0, 1.5, -2.25, f64::INFINITY, f64::NAN, 1e300]);
            return self.b.value(Op::Fconst, &[], Imm::Float(number), FLOAT);
        }
        self.read(FLOAT)
    }

    fn text(&mut self) -> Value {
        let text = self.dice.pick(&["", "a", "bé", "long enough"]);
        let id = self.module.intern(Constant::Str(text.to_owned()));
        self.b.value(Op::Const, &[], Imm::Const(id), STR)
    }

    fn condition(&mut self) -> Value {
        match self.dice.roll(4) {
            0 => self.read(BOOL),
            1 => {
                let (a, b, op) = (self.float(), self.float(), self.dice.pick(FLOAT_TESTS));
                self.b.value(op, &[a, b], Imm::No, BOOL)
            }
            2 => {
                let a = self.read(BOOL);
                self.b.value(Op::Bnot, &[a], Imm::No, BOOL)
            }
            _ => {
                let (a, b, op) = (self.int(), self.int(), self.dice.pick(INT_TESTS));
                self.b.value(op, &[a, b], Imm::No, BOOL)
            }
        }
    }

    fn statements(&mut self, count: usize, depth: usize) {
        for _ in 0..count {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            self.line += 1;
            self.b.set_span(Span { file: 0, line: self.line, column: 1 + depth as u32 });
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: usize) {
        let t = self.types;
        match self.dice.roll(34) {
            0..=6 => {
                let (a, b, op) = (self.int(), self.int(), self.dice.pick(INT_OPS));
                // Most operands are small, so that not every program traps at once.
                let three = self.b.value(Op::Iconst, &[], Imm::Int(1000), INT);
                let (a, b) = match self.dice.roll(4) {
                    0 if self.dice.roll(4) == 0 => (a, b),
                    _ => (
                        self.b.value(Op::Imod, &[a, three], Imm::No, INT),
                        self.b.value(Op::Imod, &[b, three], Imm::No, INT),
                    ),
                };
                let one = self.b.value(Op::Iconst, &[], Imm::Int(1), INT);
                let b = match op {
                    Op::Ifloordiv | Op::Imod if self.dice.roll(8) > 0 => self.b.value(Op::Ior, &[b, one], Imm::No, INT),
                    Op::Ishl | Op::Ishr if self.dice.roll(8) > 0 => self.b.value(Op::Iand, &[b, one], Imm::No, INT),
                    _ => b,
                };
                let value = self.b.value(op, &[a, b], Imm::No, INT);
                self.set(INT, value);
            }
            7 => {
                let (a, mut b, op) = (self.float(), self.float(), self.dice.pick(FLOAT_OPS));
                if self.dice.roll(6) > 0 {
                    b = self.b.value(Op::Fconst, &[], Imm::Float(0.75), FLOAT);
                }
                let value = self.b.value(op, &[a, b], Imm::No, FLOAT);
                self.set(FLOAT, value);
            }
            8 => {
                let a = self.int();
                let value = self.b.value(Op::IntToFloat, &[a], Imm::No, FLOAT);
                self.set(FLOAT, value);
            }
            9 => {
                let value = self.condition();
                self.set(BOOL, value);
            }
            10 | 11 => {
                let (a, b) = (self.text(), self.read(STR));
                let value = self.b.value(Op::CallBuiltin, &[b, a], Imm::Builtin(Builtin::StrConcat), STR);
                self.set(STR, value);
            }
            12 => {
                let (a, b) = (self.read(STR), self.read(STR));
                let op = self.dice.pick(&[(Op::Eq, BOOL), (Op::Order, INT)]);
                let value = self.b.value(op.0, &[a, b], Imm::No, op.1);
                self.set(op.1, value);
            }
            13 => {
                let (list, element) = (self.read(t.list), self.int());
                self.b.inst(Op::ListPush, &[list, element], Imm::No, None);
            }
            14 => {
                let (list, mut index) = (self.read(t.list), self.int());
                if self.dice.roll(8) > 0 {
                    let element = self.int();
                    self.b.inst(Op::ListPush, &[list, element], Imm::No, None);
                    let number = self.dice.pick(&[0, -1]);
                    index = self.b.value(Op::Iconst, &[], Imm::Int(number), INT);
                }
                let value = self.b.value(Op::ListGet, &[list, index], Imm::No, INT);
                self.set(INT, value);
            }
            15 => {
                let (a, b) = (self.int(), self.int());
                let value = self.b.value(Op::ListNew, &[a, b, a], Imm::No, t.list);
                self.set(t.list, value);
            }
            16 => {
                let (list, text) = (self.read(t.names), self.read(STR));
                self.b.inst(Op::ListPush, &[list, text], Imm::No, None);
            }
            17 => {
                let (dict, key, value) = (self.read(t.dict), self.int(), self.read(STR));
                self.b.inst(Op::DictSet, &[dict, key, value], Imm::No, None);
            }
            18 => {
                let (dict, key) = (self.read(t.dict), self.int());
                if self.dice.roll(8) > 0 {
                    let text = self.read(STR);
                    self.b.inst(Op::DictSet, &[dict, key, text], Imm::No, None);
                }
                let value = self.b.value(Op::DictGet, &[dict, key], Imm::No, STR);
                self.set(STR, value);
            }
            19 => {
                let (dict, from) = (self.read(t.dict), self.int());
                let value = self.b.value(Op::DictNext, &[dict, from], Imm::No, INT);
                self.set(INT, value);
            }
            20 => {
                let (a, b) = (self.read(t.list), self.read(t.names));
                let pair = self.b.value(Op::New, &[a, b], Imm::No, t.pair);
                let list = self.b.value(Op::SlotGet, &[pair], Imm::Slot(0), t.list);
                self.set(t.list, list);
            }
            21 => {
                let text = self.read(STR);
                self.b.value(Op::CallBuiltin, &[text], Imm::Builtin(Builtin::Print), NONE);
            }
            22 if depth < 3 => self.loop_of_a_few_rounds(depth),
            23 | 24 if depth < 4 => self.if_else(depth),
            25 if !self.callees.is_empty() => {
                let callee = self.dice.pick(&self.callees.clone());
                let args = [self.int(), self.read(t.list), self.read(t.queue)];
                let value = self.b.value(Op::Call, &args, Imm::Func(callee), INT);
                self.set(INT, value);
            }
            26 if !self.callees.is_empty() => {
                let callee = self.dice.pick(&self.callees.clone());
                let args = [self.int(), self.read(t.list), self.read(t.queue)];
                self.b.inst(Op::CreateTask, &args, Imm::Func(callee), None);
            }
            27 => {
                let seconds = self.dice.pick(&[0.0, 0.5, 3.0]);
                let seconds = self.b.value(Op::Fconst, &[], Imm::Float(seconds), FLOAT);
                self.b.value(Op::Sleep, &[seconds], Imm::No, NONE);
            }
            28 => {
                let (a, b) = (self.int(), self.read(t.names));
                let value = self.b.value(Op::CallImpure, &[a, b], Imm::Host(HostId(0)), t.names);
                self.set(t.names, value);
            }
            29 => {
                let text = self.read(STR);
                let value = self.b.value(Op::CallPure, &[text], Imm::Host(HostId(1)), STR);
                self.set(STR, value);
            }
            30 => {
                let (queue, element) = (self.read(t.queue), self.int());
                if self.dice.roll(4) > 0 {
                    self.b.inst(Op::CreateTask, &[queue, element], Imm::Func(FuncId(0)), None);
                    return;
                }
                self.b.value(Op::QueuePut, &[queue, element], Imm::No, NONE);
            }
            31 => {
                let queue = self.read(t.queue);
                if self.dice.roll(4) > 0 {
                    let element = self.int();
                    self.b.inst(Op::CreateTask, &[queue, element], Imm::Func(FuncId(0)), None);
                }
                let value = self.b.value(Op::QueueGet, &[queue], Imm::No, INT);
                self.set(INT, value);
            }
            32 => self.select(depth),
            _ => {
                let lock = self.read(LOCK);
                self.b.value(Op::LockAcquire, &[lock], Imm::No, NONE);
                if depth < 3 {
                    self.statements(2, depth + 1);
                }
                self.b.inst(Op::LockRelease, &[lock], Imm::No, None);
            }
        }
    }

    fn if_else(&mut self, depth: usize) {
        let condition = self.condition();
        let (then, otherwise, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(condition, then, otherwise);
        for block in [then, otherwise] {
            self.b.seal(block);
            self.b.switch_to(block);
            let count = self.dice.roll(4);
            self.statements(count, depth + 1);
            self.b.jump(after);
        }
        self.b.seal(after);
        self.b.switch_to(after);
    }

    fn loop_of_a_few_rounds(&mut self, depth: usize) {
        let counter = self.b.declare(None, INT);
        let zero = self.b.value(Op::Iconst, &[], Imm::Int(0), INT);
        self.b.write(counter, zero);
        let (head, body, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.jump(head);
        self.b.switch_to(head);
        self.b.inst(Op::Poll, &[], Imm::No, None);
        let rounds = 1 + self.dice.roll(5) as i64;
        let at = self.b.read(counter);
        let rounds = self.b.value(Op::Iconst, &[], Imm::Int(rounds), INT);
        let more = self.b.value(Op::Ilt, &[at, rounds], Imm::No, BOOL);
        self.b.branch(more, body, after);
        self.b.seal(body);
        self.b.switch_to(body);
        let count = 1 + self.dice.roll(4);
        self.statements(count, depth + 1);
        let at = self.b.read(counter);
        let one = self.b.value(Op::Iconst, &[], Imm::Int(1), INT);
        let next = self.b.value(Op::Iadd, &[at, one], Imm::No, INT);
        self.b.write(counter, next);
        self.b.jump(head);
        self.b.seal(head);
        self.b.seal(after);
        self.b.switch_to(after);
    }

    fn select(&mut self, depth: usize) {
        let t = self.types;
        let (get, put, other, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block(), self.b.new_block());
        let got = self.b.block_param(get, INT);
        let from = self.read(t.queue);
        let (to, element) = (self.read(t.queue), self.int());
        let words = self.read(t.words);
        let text = self.b.block_param(other, STR);
        let mut cases = vec![Case::Get, Case::Put, Case::Get];
        let mut targets = vec![get, put, other];
        let idle = self.b.new_block();
        if self.dice.roll(2) == 0 {
            cases.push(Case::Default);
            targets.push(idle);
        }
        self.b.end(Op::Select, &[from, to, element, words], Imm::Cases(cases), &targets);
        for block in [get, put, other, idle] {
            self.b.seal(block);
            if !self.b.is_reached(block) {
                continue;
            }
            self.b.switch_to(block);
            if block == get {
                self.set(INT, got);
            }
            if block == other {
                self.set(STR, text);
            }
            if depth < 3 {
                self.statements(1, depth + 1);
            }
            self.b.jump(after);
        }
        self.b.seal(after);
        self.b.switch_to(after);
    }
}

fn program(seed: u64) -> Module {
    let mut dice = Dice(seed);
    let mut module = Module::default();
    module.files.push(SourceFile { path: "made.py".to_owned(), first_line: 1, text: String::new() });
    let types = &mut module.types;
    let list = types.intern(Type::List(INT));
    let names = types.intern(Type::List(STR));
    let dict = types.intern(Type::Dict(INT, STR));
    let pair = types.intern(Type::Tuple(vec![list, names]));
    let queue = types.intern(Type::Queue(INT));
    let words = types.intern(Type::Queue(STR));
    let t = TypesOf { list, names, dict, pair, queue, words };
    let param = |name: &str, ty| Param { name: name.to_owned(), ty };
    module.hosts.push(Host {
        name: "rename".to_owned(),
        params: vec![param("count", INT), param("names", names)],
        ret: names,
        purity: Purity::Impure,
    });
    module.hosts.push(Host {
        name: "shout".to_owned(),
        params: vec![param("text", STR)],
        ret: STR,
        purity: Purity::Pure,
    });
    // Puts one element, in a task of its own.
    let params = vec![param("channel", queue), param("element", INT)];
    let mut b = FuncBuilder::new("sender", FuncKind::Plain, params, INT, Span { file: 0, line: 8000, column: 1 });
    let (channel, element) = (b.param(0), b.param(1));
    b.value(Op::QueuePut, &[channel, element], Imm::No, NONE);
    b.ret(element);
    let func = b.finish();
    module.funcs.push(func);
    // The last function is the flow's body; each may call those before it, so that nothing recurses.
    for index in 1..4u32 {
        let kind = if index == 3 { FuncKind::Flow } else { FuncKind::Plain };
        let params = vec![param("n", INT), param("items", list), param("channel", queue)];
        let span = Span { file: 0, line: 1 + 1000 * index, column: 1 };
        let b = FuncBuilder::new(&format!("f{index}"), kind, params, INT, span);
        let callees = (1..index).map(FuncId).collect();
        let left = if index == 3 { 40 } else { 12 };
        let mut g = Gen {
            dice: &mut dice,
            module: &mut module,
            types: &t,
            b,
            vars: Vec::new(),
            line: 1 + 1000 * index,
            callees,
            left,
        };
        let declare = |g: &mut Gen, name: &str, ty: TypeId, value: Value| {
            let named = (!name.is_empty()).then_some(name);
            let var = g.b.declare(named, ty);
            g.b.write(var, value);
            g.vars.push((var, ty));
        };
        for (at, (name, ty)) in [("n", INT), ("items", list), ("channel", queue)].into_iter().enumerate() {
            let value = g.b.param(at);
            declare(&mut g, name, ty, value);
        }
        for name in ["x", "y", ""] {
            let number = g.dice.roll(20) as i64;
            let value = g.b.value(Op::Iconst, &[], Imm::Int(number), INT);
            declare(&mut g, name, INT, value);
        }
        let value = g.b.value(Op::Fconst, &[], Imm::Float(0.5), FLOAT);
        declare(&mut g, "ratio", FLOAT, value);
        let value = g.b.value(Op::Bconst, &[], Imm::Bool(true), BOOL);
        declare(&mut g, "flag", BOOL, value);
        for name in ["word", ""] {
            let value = g.text();
            declare(&mut g, name, STR, value);
        }
        let value = g.b.value(Op::ListNew, &[], Imm::No, names);
        declare(&mut g, "names", names, value);
        let value = g.b.value(Op::DictNew, &[], Imm::No, dict);
        declare(&mut g, "dict", dict, value);
        let value = g.b.value(Op::LockNew, &[], Imm::No, LOCK);
        declare(&mut g, "lock", LOCK, value);
        let minus = g.b.value(Op::Iconst, &[], Imm::Int(-1), INT);
        let value = g.b.value(Op::QueueNew, &[minus], Imm::No, words);
        declare(&mut g, "words", words, value);
        let size = g.b.value(Op::Iconst, &[], Imm::Int(i64::from(index) - 2), INT);
        let value = g.b.value(Op::QueueNew, &[size], Imm::No, queue);
        declare(&mut g, "own", queue, value);
        let scope: Vec<Var> = g.vars.iter().map(|(v, _)| *v).collect();
        g.b.set_scope(&scope);
        g.statements(usize::MAX, 0);
        let result = g.read(INT);
        g.b.ret(result);
        let func = g.b.finish();
        module.funcs.push(func);
    }
    // The flow proper makes the channel that all share.
    let mut b =
        FuncBuilder::new("main", FuncKind::Flow, vec![param("n", INT)], INT, Span { file: 0, line: 9000, column: 1 });
    let size = b.value(Op::Iconst, &[], Imm::Int(dice.roll(4) as i64 - 1), INT);
    let channel = b.value(Op::QueueNew, &[size], Imm::No, queue);
    let n = b.param(0);
    let items = b.value(Op::ListNew, &[n, n], Imm::No, list);
    let result = b.value(Op::Call, &[n, items, channel], Imm::Func(FuncId(3)), INT);
    let rest = b.value(Op::ListLen, &[items], Imm::No, INT);
    let sum = b.value(Op::Ixor, &[result, rest], Imm::No, INT);
    b.ret(sum);
    let func = b.finish();
    module.funcs.push(func);
    module
}

struct Answers;

impl World for Answers {
    fn call_pure(&mut self, _: &Host, args: &[Datum]) -> Result<Datum, Fault> {
        match args {
            [Datum::Str(text)] => Ok(Datum::Str(text.to_uppercase())),
            other => panic!("shout{other:?}"),
        }
    }

    fn call(&mut self, step: u64, _: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>> {
        match args {
            [Datum::Int(_), Datum::List(names)] => {
                let mut names = names.clone();
                names.push(Datum::Str(format!("step {step}")));
                Some(Ok(Datum::List(names)))
            }
            other => panic!("rename{other:?}"),
        }
    }
}

fn all_options() -> Vec<Options> {
    let both = [true, false];
    let pairs = both.iter().flat_map(|a| both.iter().map(move |f| (*a, *f)));
    pairs.map(|(allocate_registers, fuse)| Options { allocate_registers, fuse }).collect()
}

/// How a program ended, for the count of what the generator makes.
fn compare(seed: u64) -> &'static str {
    let image = Image::of(program(seed)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    let main = image.module().func_named("main").expect("there is a main");
    let args = [Datum::Int((seed % 7) as i64)];
    let judged = interp::run(image.module(), main, &args, interp::Limits::default(), &mut Answers);
    if let Outcome::Broken(message) = &judged.outcome {
        panic!("seed {seed}: the evaluator found {message}");
    }
    let programs: Vec<_> = all_options()
        .into_iter()
        .map(|o| Program::new(image.clone(), o).unwrap_or_else(|e| panic!("seed {seed}: {e}")))
        .collect();
    let driver = |programs: Vec<_>, stops| Driver { programs, limits: Limits::default(), stops, runs_max: 100_000 };
    let mut drivers: Vec<Driver> = programs.iter().map(|p| driver(vec![p.clone()], Stops::Run)).collect();
    drivers.push(driver(programs.clone(), Stops::Interrupt));
    drivers.push(driver(programs.clone(), Stops::Restore { every: 1 }));
    drivers.push(driver(programs.clone(), Stops::Restore { every: 2 }));
    for driver in drivers {
        let what = || format!("seed {seed}, {:?} {:?}", driver.programs[0].options(), driver.stops);
        let run = driver.run(main, &args, &mut Answers).unwrap_or_else(|e| panic!("{}: {e}", what()));
        assert_eq!(run.outcome, judged.outcome, "{}\n{}", what(), image.module());
        assert_eq!(run.log, judged.log, "{}", what());
        assert_eq!(format!("{:?}", run.calls), format!("{:?}", judged.calls), "{}", what());
    }
    match judged.outcome {
        Outcome::Done(_) => "done",
        Outcome::Failed(trap) => trap.kind.name(),
        Outcome::Blocked(_) | Outcome::OutOfSteps | Outcome::Broken(_) => "other",
    }
}

#[test]
fn generated_programs_run_as_the_evaluator_says() {
    let mut ends = std::collections::BTreeMap::new();
    for seed in 0..600 {
        *ends.entry(compare(seed)).or_insert(0) += 1;
    }
    // The generator must make programs that get somewhere.
    assert!(ends.get("done").is_some_and(|n| *n > 60), "{ends:?}");
    assert!(ends.len() > 4, "{ends:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_of_any_seed_run_as_the_evaluator_says(seed in any::<u64>()) {
        compare(seed);
    }
}

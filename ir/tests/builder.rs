//! The builder against a judge that knows no SSA: random code with variables is run as a tree and, built into a function, by the
//! evaluator. Now and then a host function is told all variables; what it was told must be the same, and the stop of that
//! call must list the same values under their names.

use deepslate_ir::builder::{FuncBuilder, Var};
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::{Block, FuncId, HostId, Value};
use deepslate_ir::interp::{Limits, Outcome, Request, World, run};
use deepslate_ir::module::{FuncKind, Host, Imm, Module, Param, Purity, Span};
use deepslate_ir::ops::Op;
use deepslate_ir::trap::Fault;
use deepslate_ir::types::{BOOL, INT};
use deepslate_ir::verify::verify;
use proptest::prelude::*;
use std::sync::Arc;

const VARS: usize = 4;

#[derive(Clone, Debug)]
enum Tree {
    /// `a = b + number`
    Add(usize, usize, i64),
    /// `a = b`
    Copy(usize, usize),
    /// `if a < number: … else: …`
    If(usize, i64, Vec<Tree>, Vec<Tree>),
    /// `for _ in range(turns): …`
    Loop(u8, Vec<Tree>),
    /// `if a < number: break`, which does nothing outside of a loop.
    Break(usize, i64),
    /// `if a < number: continue`, likewise.
    Continue(usize, i64),
    /// `if a < number: return a`
    Return(usize, i64),
    /// Tells a host function all variables.
    Tell,
}

fn tree() -> impl Strategy<Value = Vec<Tree>> {
    let var = 0..VARS;
    let number = -20i64..20;
    let leaf = prop_oneof![
        (var.clone(), var.clone(), number.clone()).prop_map(|(a, b, n)| Tree::Add(a, b, n)),
        (var.clone(), var.clone()).prop_map(|(a, b)| Tree::Copy(a, b)),
        (var.clone(), number.clone()).prop_map(|(a, n)| Tree::Break(a, n)),
        (var.clone(), number.clone()).prop_map(|(a, n)| Tree::Continue(a, n)),
        (var.clone(), -30i64..-10).prop_map(|(a, n)| Tree::Return(a, n)),
        Just(Tree::Tell),
    ];
    let tree = leaf.prop_recursive(4, 40, 5, move |inner| {
        let list = proptest::collection::vec(inner, 0..5);
        prop_oneof![
            (0..VARS, -20i64..20, list.clone(), list.clone()).prop_map(|(a, n, t, e)| Tree::If(a, n, t, e)),
            (0u8..4, list).prop_map(|(n, b)| Tree::Loop(n, b)),
        ]
    });
    proptest::collection::vec(tree, 1..8)
}

/// How a list of statements ended.
enum End {
    On,
    Break,
    Continue,
    Return(i64),
}

/// Runs the tree itself.
fn run_tree(list: &[Tree], vars: &mut [i64; VARS], told: &mut Vec<[i64; VARS]>) -> End {
    for tree in list {
        match tree {
            Tree::Add(a, b, n) => vars[*a] = vars[*b] + n,
            Tree::Copy(a, b) => vars[*a] = vars[*b],
            Tree::If(a, n, then, otherwise) => {
                match run_tree(if vars[*a] < *n { then } else { otherwise }, vars, told) {
                    End::On => {}
                    end => return end,
                }
            }
            Tree::Loop(turns, body) => {
                for _ in 0..*turns {
                    match run_tree(body, vars, told) {
                        End::On | End::Continue => {}
                        End::Break => break,
                        end @ End::Return(_) => return end,
                    }
                }
            }
            Tree::Break(a, n) if vars[*a] < *n => return End::Break,
            Tree::Continue(a, n) if vars[*a] < *n => return End::Continue,
            Tree::Return(a, n) if vars[*a] < *n => return End::Return(vars[*a]),
            Tree::Break(..) | Tree::Continue(..) | Tree::Return(..) => {}
            Tree::Tell => told.push(*vars),
        }
    }
    End::On
}

struct Build {
    b: FuncBuilder,
    vars: Vec<Var>,
    /// For each loop around, where `continue` and `break` go.
    loops: Vec<(Block, Block)>,
}

impl Build {
    fn iconst(&mut self, value: i64) -> Value {
        self.b.value(Op::Iconst, &[], Imm::Int(value), INT)
    }

    fn less(&mut self, var: usize, number: i64) -> Value {
        let (a, n) = (self.b.read(self.vars[var]), self.iconst(number));
        self.b.value(Op::Ilt, &[a, n], Imm::No, BOOL)
    }

    /// `if var < number: goto to`, which is sealed later.
    fn leave_if(&mut self, var: usize, number: i64, to: Block) {
        let condition = self.less(var, number);
        let rest = self.b.new_block();
        self.b.branch(condition, to, rest);
        self.b.seal(rest);
        self.b.switch_to(rest);
    }

    fn list(&mut self, list: &[Tree]) {
        for tree in list {
            match tree {
                Tree::Add(a, b, n) => {
                    let (left, right) = (self.b.read(self.vars[*b]), self.iconst(*n));
                    let sum = self.b.value(Op::Iadd, &[left, right], Imm::No, INT);
                    self.b.write(self.vars[*a], sum);
                }
                Tree::Copy(a, b) => {
                    let value = self.b.read(self.vars[*b]);
                    self.b.write(self.vars[*a], value);
                }
                Tree::If(a, n, then, otherwise) => {
                    let condition = self.less(*a, *n);
                    let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                    self.b.branch(condition, yes, no);
                    for (block, list) in [(yes, then), (no, otherwise)] {
                        self.b.seal(block);
                        self.b.switch_to(block);
                        self.list(list);
                        self.b.jump(after);
                    }
                    self.b.seal(after);
                    self.b.switch_to(after);
                }
                Tree::Loop(turns, body) => {
                    let counter = self.b.declare(None, INT);
                    let (head, inside, next, after) =
                        (self.b.new_block(), self.b.new_block(), self.b.new_block(), self.b.new_block());
                    let zero = self.iconst(0);
                    self.b.write(counter, zero);
                    self.b.jump(head);
                    self.b.switch_to(head);
                    self.b.inst(Op::Poll, &[], Imm::No, None);
                    let (at, turns) = (self.b.read(counter), self.iconst(i64::from(*turns)));
                    let more = self.b.value(Op::Ilt, &[at, turns], Imm::No, BOOL);
                    self.b.branch(more, inside, after);
                    self.b.seal(inside);
                    self.b.switch_to(inside);
                    self.loops.push((next, after));
                    self.list(body);
                    self.loops.pop();
                    self.b.jump(next);
                    self.b.seal(next);
                    self.b.switch_to(next);
                    let (at, one) = (self.b.read(counter), self.iconst(1));
                    let sum = self.b.value(Op::Iadd, &[at, one], Imm::No, INT);
                    self.b.write(counter, sum);
                    self.b.jump(head);
                    self.b.seal(head);
                    self.b.seal(after);
                    self.b.switch_to(after);
                }
                Tree::Break(a, n) => {
                    if let Some((_, after)) = self.loops.last().copied() {
                        self.leave_if(*a, *n, after);
                    }
                }
                Tree::Continue(a, n) => {
                    if let Some((next, _)) = self.loops.last().copied() {
                        self.leave_if(*a, *n, next);
                    }
                }
                Tree::Return(a, n) => {
                    let block = self.b.new_block();
                    self.leave_if(*a, *n, block);
                    let rest = self.b.current();
                    self.b.seal(block);
                    self.b.switch_to(block);
                    let value = self.b.read(self.vars[*a]);
                    self.b.ret(value);
                    self.b.switch_to(rest);
                }
                Tree::Tell => {
                    let values: Vec<Value> = self.vars.clone().iter().map(|v| self.b.read(*v)).collect();
                    self.b.value(Op::CallImpure, &values, Imm::Host(HostId(0)), INT);
                }
            }
        }
    }
}

fn name(var: usize) -> String {
    ["a", "b", "c", "d"][var].to_owned()
}

fn build(list: &[Tree]) -> Module {
    let params: Vec<Param> = (0..VARS).map(|v| Param::new(name(v), INT)).collect();
    let mut module = Module::default();
    let (ret, purity) = (INT, Purity::Impure);
    module.hosts.push(Host { name: "tell".to_owned(), params: params.clone(), ret, purity });
    let b = FuncBuilder::new("main", FuncKind::Flow, params, INT, Span::NOWHERE);
    let mut build = Build { b, vars: Vec::new(), loops: Vec::new() };
    for var in 0..VARS {
        let declared = build.b.declare(Some(&name(var)), INT);
        let value = build.b.param(var);
        build.b.write(declared, value);
        build.vars.push(declared);
    }
    build.b.set_scope(&build.vars.clone());
    build.list(list);
    let result = build.b.read(build.vars[0]);
    build.b.ret(result);
    module.funcs.push(build.b.finish());
    module
}

struct Zero;

impl World for Zero {
    fn call_pure(&mut self, host: &Host, _: &[Datum]) -> Result<Datum, Fault> {
        panic!("{} is not called", host.name)
    }

    fn call(&mut self, _: u64, _: &Host, _: &[Datum]) -> Option<Result<Datum, Fault>> {
        Some(Ok(Datum::Int(0)))
    }
}

/// `break` and `continue` at the top have no loop: the tree skips them there.
fn without_stray(list: &[Tree], in_loop: bool) -> Vec<Tree> {
    let each = list.iter().filter(|t| in_loop || !matches!(t, Tree::Break(..) | Tree::Continue(..)));
    each.map(|tree| match tree {
        Tree::If(a, n, then, otherwise) => {
            Tree::If(*a, *n, without_stray(then, in_loop), without_stray(otherwise, in_loop))
        }
        Tree::Loop(turns, body) => Tree::Loop(*turns, without_stray(body, true)),
        other => other.clone(),
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_does_what_the_tree_does(list in tree(), start in proptest::array::uniform4(-20i64..20)) {
        let list = without_stray(&list, false);
        let (mut vars, mut told) = (start, Vec::new());
        let wanted = match run_tree(&list, &mut vars, &mut told) {
            End::Return(value) => value,
            _ => vars[0],
        };
        let module = Arc::new(build(&list));
        let errors = verify(&module).err().unwrap_or_default();
        prop_assert!(errors.is_empty(), "{errors:?}\n{module}");
        let args = start.map(Datum::Int);
        let limits = Limits { steps: 2_000_000, ..Limits::default() };
        let ran = run(&module, FuncId(0), &args, limits, &mut Zero);
        prop_assert_eq!(ran.outcome, Outcome::Done(Datum::Int(wanted)), "{}", module);
        let asked: Vec<Request> = ran.calls.into_iter().map(|c| c.request).collect();
        let wanted: Vec<Request> =
            told.iter().map(|vars| Request::Host(HostId(0), vars.map(Datum::Int).to_vec())).collect();
        prop_assert_eq!(asked, wanted, "{}", module);
        // Where all variables are told, the stop lists the same values under their names.
        for stop in &module.funcs[0].stops {
            let inst = module.funcs[0].inst(stop.inst);
            let names: Vec<String> = stop.values.iter().filter_map(|l| l.name.clone()).collect();
            prop_assert_eq!(names, (0..VARS).map(name).collect::<Vec<_>>());
            if inst.op == Op::CallImpure {
                let listed: Vec<Value> = stop.values.iter().filter(|l| l.name.is_some()).map(|l| l.value).collect();
                prop_assert_eq!(&listed[..], &inst.args[..], "{}", module);
            }
        }
    }
}

/// Code as long, and as deeply nested, as nobody writes it: neither the builder nor what follows it recurses.
#[test]
fn long_and_deep_code() {
    let long: Vec<Tree> = (0..5_000).map(|n| Tree::If(0, n, vec![Tree::Add(1, 1, 1)], vec![])).collect();
    let mut deep = vec![Tree::Add(2, 2, 1)];
    for _ in 0..300 {
        deep = vec![Tree::If(0, 1, deep, vec![])];
    }
    for list in [long, deep] {
        let module = Arc::new(build(&list));
        assert_eq!(verify(&module), Ok(()));
        let ran = run(&module, FuncId(0), &[0, 0, 0, 0].map(Datum::Int), Limits::default(), &mut Zero);
        assert_eq!(ran.outcome, Outcome::Done(Datum::Int(0)));
    }
}

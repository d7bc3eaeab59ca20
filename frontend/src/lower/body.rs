//! One function: checked statements to blocks of instructions.

use super::Lowering;
use crate::flow::Assigned;
use crate::source::Span;
use crate::tree::{Body, Expr, ExprKind, Loop, SelectCase, SelectKind, Stmt, StmtKind};
use deepslate_ir::builder::{FuncBuilder, Var};
use deepslate_ir::entity::{Block, TypeId, Value};
use deepslate_ir::module::{self, Case, Constant, Func, FuncKind, Imm, Param};
use deepslate_ir::ops::Op;
use deepslate_ir::planted::{Plant, is_planted};
use deepslate_ir::types::{self, Type};

/// Where `break` and `continue` go.
struct Around {
    exit: Block,
    next: Block,
    /// What has a value at the exit.
    at_exit: Assigned,
}

struct Lower<'l, 'p, 'a> {
    all: &'l mut Lowering<'p, 'a>,
    b: FuncBuilder,
    vars: Vec<Var>,
    named: Vec<bool>,
    assigned: Assigned,
    loops: Vec<Around>,
    /// Whether the function is marked pure.
    pure: bool,
}

#[allow(clippy::too_many_arguments)]
pub(super) fn lower(
    all: &mut Lowering<'_, '_>,
    name: &str,
    kind: FuncKind,
    params: Vec<Param>,
    ret: TypeId,
    span: module::Span,
    body: &Body,
    polls: bool,
    pure: bool,
) -> Func {
    let count = params.len();
    let mut b = FuncBuilder::new(name, kind, params, ret, span);
    let mut vars = Vec::new();
    for variable in &body.vars {
        let ty = all.ty(variable.ty);
        vars.push(b.declare(variable.name.as_deref(), ty));
    }
    for (index, var) in vars.iter().enumerate().take(count) {
        let value = b.param(index);
        b.write(*var, value);
    }
    let params = (0..count).map(|i| crate::tree::VarId(u32::try_from(i).unwrap_or(u32::MAX)));
    let mut lower = Lower {
        all,
        b,
        vars,
        named: body.vars.iter().map(|v| v.name.is_some()).collect(),
        assigned: Assigned::with(params),
        loops: Vec::new(),
        pure,
    };
    if polls {
        lower.inst(Op::Poll, &[], Imm::No, None);
    }
    lower.block(&body.stmts);
    lower.b.finish()
}

impl Lower<'_, '_, '_> {
    fn at(&mut self, span: Span) {
        let place = self.all.program.sources.place(span);
        self.b.set_span(place);
    }

    /// Appends an instruction; one that stops lists the named variables that have a value.
    fn inst(&mut self, op: Op, args: &[Value], imm: Imm, result: Option<TypeId>) -> Option<Value> {
        if op.stops() {
            self.scope();
        }
        self.b.inst(op, args, imm, result)
    }

    fn scope(&mut self) {
        let named = self.assigned.iter().filter(|v| self.named[v.0 as usize]);
        let scope: Vec<Var> = named.map(|v| self.vars[v.0 as usize]).collect();
        self.b.set_scope(&scope);
    }

    fn value(&mut self, op: Op, args: &[Value], imm: Imm, ty: TypeId, span: Span) -> Value {
        self.at(span);
        let ty = self.all.ty(ty);
        self.inst(op, args, imm, Some(ty)).expect("an instruction with a result type has a result")
    }

    fn block(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if !self.assigned.is_reached() {
                return;
            }
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Assign(var, value) => {
                let value = self.expr(value);
                self.b.write(self.vars[var.0 as usize], value);
                self.assigned.add(*var);
            }
            StmtKind::Do(value) => self.effect(value),
            StmtKind::If(test, then, otherwise) => {
                let (a, b, join) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                self.condition(test, a, b);
                let before = self.assigned.clone();
                let mut after = Assigned::unreachable();
                for (block, stmts) in [(a, then), (b, otherwise)] {
                    self.assigned = before.clone();
                    self.enter(block);
                    self.block(stmts);
                    if self.assigned.is_reached() {
                        self.b.jump(join);
                        after.join(&self.assigned);
                    }
                }
                self.assigned = after;
                self.b.seal(join);
                self.b.switch_to(join);
            }
            StmtKind::Loop(lp) => self.repeat(lp, stmt.span),
            StmtKind::Break | StmtKind::Continue => {
                if let Some(around) = self.loops.last_mut() {
                    let to = if matches!(stmt.kind, StmtKind::Break) {
                        around.at_exit.join(&self.assigned);
                        around.exit
                    } else {
                        around.next
                    };
                    self.at(stmt.span);
                    self.b.jump(to);
                    self.assigned = Assigned::unreachable();
                }
            }
            StmtKind::Return(value) => {
                let value = self.expr(value);
                self.at(stmt.span);
                self.b.ret(value);
                self.assigned = Assigned::unreachable();
            }
            StmtKind::Fail(kind, message) => {
                let message = self.expr(message);
                self.at(stmt.span);
                self.b.end(Op::Fail, &[message], Imm::Trap(*kind), &[]);
                self.assigned = Assigned::unreachable();
            }
            StmtKind::Select(cases) => self.select(cases, stmt.span),
        }
    }

    /// Goes on in a block that all jumps to are there; where there is none, nothing is reached.
    fn enter(&mut self, block: Block) {
        self.b.seal(block);
        self.b.switch_to(block);
        if !self.b.is_reached(block) {
            self.assigned = Assigned::unreachable();
        }
    }

    fn repeat(&mut self, lp: &Loop, span: Span) {
        let (header, body, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let exit = self.b.new_block();
        let next = if lp.step.is_empty() { header } else { self.b.new_block() };
        self.at(span);
        self.b.jump(header);
        self.b.switch_to(header);
        self.inst(Op::Poll, &[], Imm::No, None);
        self.condition(&lp.test, body, done);
        let before = self.assigned.clone();
        let leave = if is_planted(Plant::LoweringBreak) { next } else { exit };
        self.loops.push(Around { exit: leave, next, at_exit: Assigned::unreachable() });
        self.enter(body);
        self.block(&lp.body);
        if self.assigned.is_reached() {
            self.at(span);
            self.b.jump(next);
        }
        if next != header {
            self.assigned = before.clone();
            self.enter(next);
            self.block(&lp.step);
            if self.assigned.is_reached() {
                self.at(span);
                self.b.jump(header);
            }
        }
        self.b.seal(header);
        let around = self.loops.pop().expect("the loop that was pushed");
        self.assigned = before;
        self.enter(done);
        self.block(&lp.otherwise);
        if self.assigned.is_reached() {
            self.at(span);
            self.b.jump(exit);
        }
        self.assigned.join(&around.at_exit);
        let after = self.assigned.clone();
        self.enter(exit);
        if self.assigned.is_reached() {
            self.assigned = after;
        }
    }

    fn select(&mut self, cases: &[SelectCase], span: Span) {
        let mut args = Vec::new();
        let mut list = Vec::new();
        let mut targets = Vec::new();
        for case in cases {
            let block = self.b.new_block();
            let delivered = match &case.kind {
                SelectKind::Get(queue, _) => {
                    args.push(self.expr(queue));
                    list.push(Case::Get);
                    let element = match *self.all.program.types.get(queue.ty) {
                        Type::Queue(e) => e,
                        _ => queue.ty,
                    };
                    let element = self.all.ty(element);
                    Some(self.b.block_param(block, element))
                }
                SelectKind::Put(queue, value) => {
                    let queue = self.expr(queue);
                    let value = self.expr(value);
                    args.extend([queue, value]);
                    list.push(Case::Put);
                    None
                }
                SelectKind::Default => {
                    list.push(Case::Default);
                    None
                }
            };
            targets.push((block, delivered));
        }
        self.at(span);
        self.scope();
        let blocks: Vec<Block> = targets.iter().map(|(block, _)| *block).collect();
        self.b.end(Op::Select, &args, Imm::Cases(list), &blocks);
        let join = self.b.new_block();
        let before = self.assigned.clone();
        let mut after = Assigned::unreachable();
        for (case, (block, delivered)) in cases.iter().zip(targets) {
            self.assigned = before.clone();
            self.enter(block);
            if let (SelectKind::Get(_, Some(var)), Some(value)) = (&case.kind, delivered) {
                self.b.write(self.vars[var.0 as usize], value);
                self.assigned.add(*var);
            }
            self.block(&case.body);
            if self.assigned.is_reached() {
                self.b.jump(join);
                after.join(&self.assigned);
            }
        }
        self.assigned = after;
        self.b.seal(join);
        self.b.switch_to(join);
    }

    /// Branches on a truth value. What is assigned in a part of it that may be left out counts as having no value afterwards.
    fn condition(&mut self, test: &Expr, then: Block, otherwise: Block) {
        match &test.kind {
            ExprKind::Bool(value) => {
                self.at(test.span);
                self.b.jump(if *value { then } else { otherwise });
            }
            ExprKind::Op(Op::Bnot, args, _) => self.condition(&args[0], otherwise, then),
            ExprKind::Logic(and, left, right) => {
                let middle = self.b.new_block();
                let (yes, no) = if *and { (middle, otherwise) } else { (then, middle) };
                self.condition(left, yes, no);
                let before = self.assigned.clone();
                self.enter(middle);
                if self.assigned.is_reached() {
                    self.condition(right, then, otherwise);
                }
                self.assigned = before;
            }
            ExprKind::Seq(stmts, value) => {
                let before = self.assigned.clone();
                self.block(stmts);
                if self.assigned.is_reached() {
                    self.condition(value, then, otherwise);
                } else {
                    self.assigned = before;
                }
            }
            _ => {
                let value = self.expr(test);
                self.at(test.span);
                self.b.branch(value, then, otherwise);
            }
        }
    }

    /// Evaluates an expression whose value nobody needs.
    fn effect(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Op(op, args, imm) if !op.has_result() => {
                let args = self.exprs(args);
                self.at(expr.span);
                self.inst(*op, &args, imm.clone(), None);
            }
            ExprKind::Spawn(callee, args) => {
                let args = self.exprs(args);
                self.at(expr.span);
                self.inst(Op::CreateTask, &args, Imm::Func(self.all.funcs[callee]), None);
            }
            ExprKind::Seq(stmts, value) => {
                self.block(stmts);
                if self.assigned.is_reached() {
                    self.effect(value);
                }
            }
            ExprKind::None
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bytes(_)
            | ExprKind::Var(_) => {}
            ExprKind::Op(..)
            | ExprKind::Builtin(..)
            | ExprKind::Call(..)
            | ExprKind::Durable(..)
            | ExprKind::Logic(..)
            | ExprKind::If(..) => {
                self.expr(expr);
            }
        }
    }

    fn exprs(&mut self, list: &[Expr]) -> Vec<Value> {
        list.iter().map(|e| self.expr(e)).collect()
    }

    fn expr(&mut self, expr: &Expr) -> Value {
        let (ty, span) = (expr.ty, expr.span);
        match &expr.kind {
            ExprKind::None => self.value(Op::None, &[], Imm::No, types::NONE, span),
            ExprKind::Bool(b) => self.value(Op::Bconst, &[], Imm::Bool(*b), types::BOOL, span),
            ExprKind::Int(i) => self.value(Op::Iconst, &[], Imm::Int(*i), types::INT, span),
            ExprKind::Float(f) => self.value(Op::Fconst, &[], Imm::Float(*f), types::FLOAT, span),
            ExprKind::Str(s) => {
                let id = self.all.module.intern(Constant::Str(s.clone()));
                self.value(Op::Const, &[], Imm::Const(id), types::STR, span)
            }
            ExprKind::Bytes(b) => {
                let id = self.all.module.intern(Constant::Bytes(b.clone()));
                self.value(Op::Const, &[], Imm::Const(id), types::BYTES, span)
            }
            ExprKind::Var(var) => {
                let var = self.vars[var.0 as usize];
                self.b.read(var)
            }
            ExprKind::Op(op, args, imm) if op.has_result() => {
                let args = self.exprs(args);
                let imm = match imm {
                    Imm::Type(ty) => Imm::Type(self.all.ty(*ty)),
                    other => other.clone(),
                };
                self.value(*op, &args, imm, ty, span)
            }
            ExprKind::Op(..) | ExprKind::Spawn(..) => {
                self.effect(expr);
                self.value(Op::None, &[], Imm::No, types::NONE, span)
            }
            ExprKind::Builtin(builtin, args) => {
                let args = self.exprs(args);
                self.value(Op::CallBuiltin, &args, Imm::Builtin(*builtin), ty, span)
            }
            ExprKind::Call(callee, args) => {
                let args = self.exprs(args);
                let function = &self.all.program.functions[*callee];
                let (op, imm) = match self.all.hosts.get(callee) {
                    Some(host) if function.kind == crate::check::Kind::Impure => (Op::CallImpure, Imm::Host(*host)),
                    Some(host) => (Op::CallPure, Imm::Host(*host)),
                    None if !self.pure && self.all.again.contains(callee) => {
                        (Op::CallOrHost, Imm::Func(self.all.funcs[callee]))
                    }
                    None => (Op::Call, Imm::Func(self.all.funcs[callee])),
                };
                self.value(op, &args, imm, ty, span)
            }
            ExprKind::Durable(durable, args) => {
                let args = self.exprs(args);
                let host = self.all.durable(*durable, ty);
                self.value(Op::CallImpure, &args, Imm::Host(host), ty, span)
            }
            ExprKind::Logic(and, left, right) => {
                let result = self.b.declare(None, types::BOOL);
                let (more, known, join) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                let (yes, no) = if *and { (more, known) } else { (known, more) };
                self.condition(left, yes, no);
                let before = self.assigned.clone();
                for block in [more, known] {
                    self.b.seal(block);
                    self.b.switch_to(block);
                    let value = if block == more {
                        self.expr(right)
                    } else {
                        self.value(Op::Bconst, &[], Imm::Bool(!*and), types::BOOL, span)
                    };
                    self.b.write(result, value);
                    self.b.jump(join);
                    self.assigned = before.clone();
                }
                self.b.seal(join);
                self.b.switch_to(join);
                self.b.read(result)
            }
            ExprKind::If(test, then, otherwise) => self.either(test, then, otherwise, ty),
            ExprKind::Seq(stmts, value) => {
                self.block(stmts);
                if self.assigned.is_reached() {
                    return self.expr(value);
                }
                // Nothing goes on after the statements; what follows stands in a block that is dropped.
                let nowhere = self.b.new_block();
                let ty = self.all.ty(ty);
                let value = self.b.block_param(nowhere, ty);
                self.b.switch_to(nowhere);
                value
            }
        }
    }

    /// One of two values.
    fn either(&mut self, test: &Expr, then: &Expr, otherwise: &Expr, ty: TypeId) -> Value {
        let ty = self.all.ty(ty);
        let result = self.b.declare(None, ty);
        let (a, b, join) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.condition(test, a, b);
        let before = self.assigned.clone();
        for (block, value) in [(a, then), (b, otherwise)] {
            self.b.seal(block);
            self.b.switch_to(block);
            let value = self.expr(value);
            self.b.write(result, value);
            self.b.jump(join);
            self.assigned = before.clone();
        }
        self.b.seal(join);
        self.b.switch_to(join);
        self.b.read(result)
    }
}

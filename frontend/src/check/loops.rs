//! `for` loops and comprehensions: what is iterated over, taken apart into a counter, a test, an element and a step. No
//! iterator objects exist, so nothing of a loop can be in the way of a snapshot.

use super::body::{Checker, Local};
use super::expr::{int, op, seq, typed, var};
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Loop, Stmt, StmtKind, VarId};
use deepslate_ir::builtins::Builtin;
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::{Op, SYNC};
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type};

/// How something is iterated over: after the set-up, while the test holds, the element, and the step to the next one.
struct Turns {
    test: Expr,
    element: Expr,
    step: Vec<Stmt>,
    /// What counts the turns from 0, if something does.
    counter: Option<Expr>,
    /// What each turn does before it has its element; it may go on with the next turn.
    before: Vec<Stmt>,
}

/// What the names of a comprehension's target stood for before.
struct Shadowed {
    before: usize,
    locals: Vec<(String, Option<Local>)>,
}

impl Checker<'_, '_> {
    /// A `for` statement.
    #[allow(clippy::too_many_arguments)]
    pub fn for_loop(
        &mut self,
        is_async: bool,
        target: &ast::Expr,
        iterable: &ast::Expr,
        body: &[ast::Stmt],
        otherwise: &[ast::Stmt],
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let turns = if is_async { self.queue_turns(iterable, out) } else { self.turns(iterable, out) };
        let (test, element, step, before) = match turns {
            Some(turns) => (Some(turns.test), Some(turns.element), turns.step, turns.before),
            None => (None, None, Vec::new(), Vec::new()),
        };
        self.forget_in_loop(Some(target), None, body);
        let (body, otherwise) = self.repeat(self.either_way(), otherwise, |checker| {
            let mut stmts = before;
            checker.store(target, element, &mut stmts);
            stmts.extend(checker.block(body));
            stmts
        });
        if let Some(test) = test {
            let lp = Loop { test, body, step, otherwise };
            out.push(Stmt { span, kind: StmtKind::Loop(Box::new(lp)) });
        }
    }

    /// One loop over something with a body that is made here.
    pub fn each(
        &mut self,
        target: &ast::Expr,
        iterable: &ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
        body: impl FnOnce(&mut Self) -> Option<Vec<Stmt>>,
    ) -> Option<Stmt> {
        let Turns { test, element, step, .. } = self.turns(iterable, out)?;
        let mut made = None;
        let (mut stmts, _) = self.repeat(self.either_way(), &[], |checker| {
            let mut stmts = Vec::new();
            checker.store(target, Some(element), &mut stmts);
            made = body(checker);
            stmts
        });
        stmts.extend(made?);
        let lp = Loop { test, body: stmts, step, otherwise: Vec::new() };
        Some(Stmt { span, kind: StmtKind::Loop(Box::new(lp)) })
    }

    /// Takes apart what is iterated over.
    fn turns(&mut self, iterable: &ast::Expr, out: &mut Vec<Stmt>) -> Option<Turns> {
        let span = iterable.span;
        if let Some(c) = self.as_generator(iterable, out) {
            return self.generator_turns(&c?, span, out);
        }
        if let A::Call(of, arguments) = &iterable.kind {
            let plain = arguments.iter().all(|a| a.name.is_none());
            match &of.kind {
                A::Name(name) if plain && self.is_free(name) => match (name.as_str(), arguments.as_slice()) {
                    ("range", [_, ..]) if arguments.len() <= 3 => return self.range(arguments, span, out),
                    ("enumerate", [inner]) => return self.enumerate(&inner.value, None, span, out),
                    ("enumerate", [inner, start]) => {
                        return self.enumerate(&inner.value, Some(&start.value), span, out);
                    }
                    ("zip", [Argument { value: ast::Expr { kind: A::Starred(rows), .. }, .. }]) => {
                        let columns = self.columns(rows, span)?;
                        return self.value_turns(columns, span, out);
                    }
                    ("zip", [_, _, ..]) => return self.zip(arguments, false, span, out),
                    ("reversed", [inner]) => return self.reversed(&inner.value, span, out),
                    _ => {}
                },
                A::Name(name) if name == "zip" && self.is_free(name) => {
                    if let [iterables @ .., Argument { name: Some(key), value }] = arguments.as_slice()
                        && key.text == "strict"
                        && let A::Bool(strict) = value.kind
                        && iterables.len() > 1
                        && iterables.iter().all(|a| a.name.is_none())
                    {
                        return self.zip(iterables, strict, span, out);
                    }
                }
                A::Name(name) if name == "enumerate" && self.is_free(name) => {
                    if let [inner, Argument { name: Some(key), value: start }] = arguments.as_slice()
                        && key.text == "start"
                    {
                        return self.enumerate(&inner.value, Some(start), span, out);
                    }
                }
                A::Attribute(of, name)
                    if arguments.is_empty() && ["keys", "values", "items"].contains(&name.text.as_str()) =>
                {
                    let dict = self.expr(of, None)?;
                    if let Type::Dict(..) = self.program.types.get(dict.ty) {
                        return self.dict_turns(dict, &name.text, span, out);
                    }
                    let all = self.method(dict, name, Vec::new(), span)?;
                    return self.value_turns(all, span, out);
                }
                _ => {}
            }
        }
        let value = self.expr(iterable, None)?;
        self.value_turns(value, span, out)
    }

    /// `async for`: the elements of a queue until it is closed and empty.
    fn queue_turns(&mut self, iterable: &ast::Expr, out: &mut Vec<Stmt>) -> Option<Turns> {
        let span = iterable.span;
        if !self.is_async {
            let message = format!("`async for` needs `{}` to be async", self.function);
            let report = Diagnostic::error(Code::OutsideFunction, span, message);
            self.report(report.help(format!("async def {}(…)", self.function)));
        }
        let queue = self.expr(iterable, None)?;
        let Type::Queue(element) = *self.program.types.get(queue.ty) else {
            let message = format!("`async for` takes the elements of a queue, but this is {}", self.name(queue.ty));
            let report = Diagnostic::error(Code::NotIterable, span, message);
            self.report(report.help("leave out `async`"));
            return None;
        };
        self.acts("async for", SYNC, span);
        let queue = self.keep(queue, out);
        let ty = self.program.types.intern(Type::List(element));
        let received = self.new_var(None, ty);
        let receive = Stmt { span, kind: StmtKind::Assign(received, op(Op::QueueReceive, vec![queue], ty, span)) };
        let received = var(received, ty, span);
        let length = op(Op::ListLen, vec![received.clone()], types::INT, span);
        let more = op(Op::Igt, vec![length, int(0, span)], types::BOOL, span);
        let element = op(Op::ListGet, vec![received, int(0, span)], element, span);
        Some(Turns { test: seq(vec![receive], more), element, step: Vec::new(), counter: None, before: Vec::new() })
    }

    /// Whether a name is Python's own here.
    pub fn is_free(&self, name: &str) -> bool {
        !self.names.contains_key(name) && !self.locals.contains(name) && !self.program.globals.contains_key(name)
    }

    fn value_turns(&mut self, value: Expr, span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        match self.program.types.get(value.ty).clone() {
            Type::List(element) => {
                let list = self.keep(value, out);
                // The length is asked for on each turn: the body may change the list.
                let length = op(Op::ListLen, vec![list.clone()], types::INT, span);
                Some(self.counted(length, span, out, |_, at| op(Op::ListGet, vec![list, at], element, span)))
            }
            Type::Str | Type::Bytes => {
                let index = if value.ty == types::STR { "str_index" } else { "bytes_index" };
                let text = self.keep(value, out);
                let length = self.length_of(text.clone())?;
                let length = self.keep(length, out);
                let mut element = None;
                let turns = self.counted(length, span, out, |checker, at| {
                    element = checker.syntax(index, vec![text, at.clone()], span);
                    at
                });
                Some(Turns { element: element?, ..turns })
            }
            Type::Dict(..) => self.dict_turns(value, "keys", span, out),
            Type::Set(_) | Type::FrozenSet(_) => self.set_turns(value, span, out),
            Type::TupleOf(_) => {
                let tuple = self.keep(value, out);
                let length = self.length_of(tuple.clone())?;
                let length = self.keep(length, out);
                let mut element = None;
                let turns = self.counted(length, span, out, |checker, at| {
                    element = checker.syntax("tuple_get", vec![tuple, at.clone()], span);
                    at
                });
                Some(Turns { element: element?, ..turns })
            }
            Type::Tuple(parts) => {
                if parts.is_empty() {
                    return self.fail(Code::NotIterable, span, "this tuple is empty");
                }
                let list = self.listed_or_report(value)?;
                self.value_turns(list, span, out)
            }
            Type::Union(members) => self.member_turns(value, &members, span, out),
            Type::Queue(_) => {
                let report = Diagnostic::error(Code::NotIterable, span, "a queue can't be iterated over");
                self.report(report.help("while True: item = await queue.get()"));
                None
            }
            Type::Int => {
                let report = Diagnostic::error(Code::NotIterable, span, "int can't be iterated over");
                self.report(report.help("for i in range(n): …"));
                None
            }
            _ => {
                let message = format!("{} can't be iterated over", self.name(value.ty));
                self.fail(Code::NotIterable, span, message)
            }
        }
    }

    /// The elements of a value of a union: by their position where all members have positions, so that what the turns do to a
    /// list is seen; else of a list that is made before.
    fn member_turns(&mut self, value: Expr, members: &[TypeId], span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        let indexed = |ty: &Type| matches!(ty, Type::List(_) | Type::Str | Type::Bytes | Type::TupleOf(_));
        let Some(element) = self.elements_of_all(members) else {
            let message = format!("{} can't be iterated over", self.name(value.ty));
            return self.fail(Code::NotIterable, span, message);
        };
        if !members.iter().all(|m| indexed(self.program.types.get(*m))) {
            let list = self.listed_or_report(value)?;
            return self.value_turns(list, span, out);
        }
        let value = self.keep(value, out);
        let length = self.for_each_member(value.clone(), span, "`len`", |c, v| c.length_of(v))?;
        let mut found = None;
        let turns = self.counted(length, span, out, |c, at| {
            found = c.for_each_member(value, span, "`[…]`", |c, v| {
                let element_of = c.elements_of_all(&[v.ty])?;
                let part = match c.program.types.get(v.ty) {
                    Type::List(_) => op(Op::ListGet, vec![v, at.clone()], element_of, span),
                    Type::Str => c.syntax("str_index", vec![v, at.clone()], span)?,
                    Type::Bytes => c.syntax("bytes_index", vec![v, at.clone()], span)?,
                    _ => c.syntax("tuple_get", vec![v, at.clone()], span)?,
                };
                c.converted(part, element).ok()
            });
            at
        });
        Some(Turns { element: found?, ..turns })
    }

    /// Counts from 0 while below a length.
    fn counted(
        &mut self,
        length: Expr,
        span: Span,
        out: &mut Vec<Stmt>,
        element: impl FnOnce(&mut Self, Expr) -> Expr,
    ) -> Turns {
        let id = self.new_var(None, types::INT);
        let at = var(id, types::INT, span);
        out.push(Stmt { span, kind: StmtKind::Assign(id, int(0, span)) });
        let next = op(Op::Iadd, vec![at.clone(), int(1, span)], types::INT, span);
        Turns {
            test: op(Op::Ilt, vec![at.clone(), length], types::BOOL, span),
            element: element(self, at.clone()),
            step: vec![Stmt { span, kind: StmtKind::Assign(id, next) }],
            counter: Some(at),
            before: Vec::new(),
        }
    }

    fn range(&mut self, arguments: &[Argument], span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        let values: Vec<Option<Expr>> = arguments
            .iter()
            .map(|a| {
                let value = self.expr(&a.value, Some(types::INT))?;
                let value = self.needed(value, types::INT, "an argument of `range`")?;
                Some(self.keep(value, out))
            })
            .collect();
        let mut values = values.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
        let (start, stop, step) = match (values.next(), values.next(), values.next()) {
            (Some(stop), None, _) => (int(0, span), stop, int(1, span)),
            (Some(start), Some(stop), None) => (start, stop, int(1, span)),
            (Some(start), Some(stop), Some(step)) => (start, stop, step),
            (None, ..) => return None,
        };
        let id = self.new_var(None, types::INT);
        let at = var(id, types::INT, span);
        out.push(Stmt { span, kind: StmtKind::Assign(id, start) });
        let (test, step) = match step.kind {
            ExprKind::Int(0) => {
                let report = Diagnostic::error(Code::Operator, step.span, "the step of a range can't be 0");
                self.report(report);
                return None;
            }
            ExprKind::Int(n) => {
                let limit = match stop.kind {
                    _ if n == 1 || n == -1 => None,
                    ExprKind::Int(stop) => Some(int(stop.saturating_sub(n), span)),
                    _ => {
                        let limit = self.last_turn(&stop, &step, n > 0, span)?;
                        Some(self.keep(limit, out))
                    }
                };
                steps(id, stop, step, limit, n > 0, span)
            }
            _ => {
                let text = "range() arg 3 must not be zero".to_owned();
                let message = typed(types::STR, span, ExprKind::Str(text));
                let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Value, message) };
                let zero = op(Op::Ieq, vec![step.clone(), int(0, span)], types::BOOL, span);
                out.push(Stmt { span, kind: StmtKind::If(zero, vec![fail], Vec::new()) });
                let rises = op(Op::Igt, vec![step.clone(), int(0, span)], types::BOOL, span);
                let mut way = |up: bool| {
                    let limit = self.last_turn(&stop, &step, up, span)?;
                    Some(steps(id, stop.clone(), step.clone(), Some(limit), up, span))
                };
                let (up, down) = (way(true)?, way(false)?);
                let test = ExprKind::If(Box::new(rises.clone()), Box::new(up.0), Box::new(down.0));
                let step = Stmt { span, kind: StmtKind::If(rises, up.1, down.1) };
                (typed(types::BOOL, span, test), vec![step])
            }
        };
        Some(Turns { test, element: at, step, counter: None, before: Vec::new() })
    }

    /// `stop - step`, or the nearest that fits 64 bits: only from before it does one more step lead to a turn.
    fn last_turn(&mut self, stop: &Expr, step: &Expr, up: bool, span: Span) -> Option<Expr> {
        let (clamp, end) = if up { ("max_int", i64::MIN) } else { ("min_int", i64::MAX) };
        let end = op(Op::Iadd, vec![int(end, span), step.clone()], types::INT, span);
        let stop = self.syntax(clamp, vec![stop.clone(), end], span)?;
        Some(op(Op::Isub, vec![stop, step.clone()], types::INT, span))
    }

    fn enumerate(
        &mut self,
        inner: &ast::Expr,
        start: Option<&ast::Expr>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> Option<Turns> {
        let mut turns = self.steady_turns(inner, out)?;
        let start = match start {
            Some(start) => {
                let value = self.expr(start, Some(types::INT))?;
                self.needed(value, types::INT, "the start of `enumerate`")?
            }
            None => int(0, span),
        };
        let at = match (&start.kind, turns.counter.take()) {
            (ExprKind::Int(0), Some(counter)) => counter,
            _ => {
                let id = self.new_var(None, types::INT);
                let at = var(id, types::INT, span);
                out.push(Stmt { span, kind: StmtKind::Assign(id, start) });
                let next = op(Op::Iadd, vec![at.clone(), int(1, span)], types::INT, span);
                turns.step.push(Stmt { span, kind: StmtKind::Assign(id, next) });
                at
            }
        };
        let ty = self.program.types.intern(Type::Tuple(vec![types::INT, turns.element.ty]));
        turns.element = op(Op::New, vec![at, turns.element], ty, span);
        Some(turns)
    }

    fn zip(&mut self, iterables: &[Argument], strict: bool, span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        let all: Vec<Option<Turns>> = iterables.iter().map(|a| self.steady_turns(&a.value, out)).collect();
        let all = all.into_iter().collect::<Option<Vec<_>>>()?;
        let ty = self.program.types.intern(Type::Tuple(all.iter().map(|t| t.element.ty).collect()));
        let (mut tests, mut elements, mut step, mut before) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for turns in all {
            tests.push(turns.test);
            elements.push(turns.element);
            step.extend(turns.step);
            before.extend(turns.before);
        }
        let test = if strict { self.all_or_none(tests, span) } else { every(tests, span)? };
        Some(Turns { test, element: op(Op::New, elements, ty, span), step, counter: None, before })
    }

    /// A test that holds while all of these do, and fails where some do and some don't: `zip(…, strict=True)`.
    fn all_or_none(&mut self, tests: Vec<Expr>, span: Span) -> Expr {
        let mut stmts = Vec::new();
        let mut kept = tests.into_iter().map(|test| self.keep(test, &mut stmts)).collect::<Vec<_>>().into_iter();
        let first = kept.next().unwrap_or(typed(types::BOOL, span, ExprKind::Bool(false)));
        for (index, test) in kept.enumerate() {
            let differs = op(
                Op::Ine,
                vec![
                    op(Op::BoolToInt, vec![first.clone()], types::INT, span),
                    op(Op::BoolToInt, vec![test], types::INT, span),
                ],
                types::BOOL,
                span,
            );
            let text = |what: &str| {
                let others = if index == 0 { "argument 1".to_owned() } else { format!("arguments 1-{}", index + 1) };
                let text = format!("zip() argument {} is {what} than {others}", index + 2);
                typed(types::STR, span, ExprKind::Str(text))
            };
            let choice = ExprKind::If(Box::new(first.clone()), Box::new(text("shorter")), Box::new(text("longer")));
            let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Value, typed(types::STR, span, choice)) };
            stmts.push(Stmt { span, kind: StmtKind::If(differs, vec![fail], Vec::new()) });
        }
        seq(stmts, first)
    }

    /// Turns of which none is left out, as those that run beside others need.
    fn steady_turns(&mut self, iterable: &ast::Expr, out: &mut Vec<Stmt>) -> Option<Turns> {
        let span = iterable.span;
        let Some(c) = self.as_generator(iterable, out) else { return self.turns(iterable, out) };
        let c = c?;
        if c.clauses.len() > 1 || c.clauses.iter().any(|clause| !clause.conditions.is_empty()) {
            let list = self.comprehension(&ast::Comprehension { makes: ast::Makes::List, ..c }, None, span)?;
            return self.value_turns(list, span, out);
        }
        self.generator_turns(&c, span, out)
    }

    /// A generator expression: its element is worked out in each turn, as Python does it. One of several loops becomes a
    /// list first.
    fn generator_turns(&mut self, c: &ast::Comprehension, span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        let [clause] = c.clauses.as_slice() else {
            let list = self.comprehension(&ast::Comprehension { makes: ast::Makes::List, ..c.clone() }, None, span)?;
            return self.value_turns(list, span, out);
        };
        self.forget_in_comprehension(c);
        let turns = self.turns(&clause.iterable, out)?;
        let shadowed = self.shadow(&clause.target);
        let mut before = turns.before;
        self.store(&clause.target, Some(turns.element), &mut before);
        for condition in &clause.conditions {
            if let Some(test) = self.condition(condition) {
                let skip = Stmt { span, kind: StmtKind::Continue };
                before.push(Stmt { span, kind: StmtKind::If(test, Vec::new(), vec![skip]) });
            }
        }
        let element = self.expr(&c.element, None);
        self.unshadow(shadowed);
        Some(Turns { test: turns.test, element: element?, step: turns.step, counter: None, before })
    }

    /// Takes the names of a target out of scope, for those of a comprehension.
    fn shadow(&mut self, target: &ast::Expr) -> Shadowed {
        let mut names = std::collections::HashSet::new();
        super::body::target_names(target, &mut names);
        let before = self.shadowing.len();
        let locals = names.iter().map(|n| (n.clone(), self.names.remove(n))).collect();
        self.shadowing.extend(names);
        Shadowed { before, locals }
    }

    fn unshadow(&mut self, shadowed: Shadowed) {
        self.shadowing.truncate(shadowed.before);
        for (name, local) in shadowed.locals {
            match local {
                Some(local) => self.names.insert(name, local),
                None => self.names.remove(&name),
            };
        }
    }

    /// The elements of a set in order of insertion.
    fn set_turns(&mut self, set: Expr, span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        let set = self.keep(set, out);
        let frozen = matches!(self.program.types.get(set.ty), Type::FrozenSet(_));
        let length = self.length_of(set.clone())?;
        let size = self.new_var(None, types::INT);
        out.push(Stmt { span, kind: StmtKind::Assign(size, length.clone()) });
        let id = self.new_var(None, types::INT);
        let at = var(id, types::INT, span);
        let first = self.syntax("set_next", vec![set.clone(), int(0, span)], span)?;
        out.push(Stmt { span, kind: StmtKind::Assign(id, first) });
        let after = op(Op::Iadd, vec![at.clone(), int(1, span)], types::INT, span);
        let next = self.syntax("set_next", vec![set.clone(), after], span)?;
        let more = op(Op::Ige, vec![at.clone(), int(0, span)], types::BOOL, span);
        let mut checks = Vec::new();
        if !frozen {
            let changed = op(Op::Ine, vec![length, var(size, types::INT, span)], types::BOOL, span);
            let text = "Set changed size during iteration".to_owned();
            let message = typed(types::STR, span, ExprKind::Str(text));
            let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Changed, message) };
            checks.push(Stmt { span, kind: StmtKind::If(changed, vec![fail], Vec::new()) });
        }
        Some(Turns {
            test: seq(checks, more),
            element: self.syntax("set_at", vec![set, at], span)?,
            step: vec![Stmt { span, kind: StmtKind::Assign(id, next) }],
            counter: None,
            before: Vec::new(),
        })
    }

    /// A list from its last element to its first, without a copy: as CPython, by a position that stays in bounds.
    fn reversed(&mut self, inner: &ast::Expr, span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        let value = match &inner.kind {
            A::Call(of, _) if matches!(&of.kind, A::Name(n) if n == "range" || n == "enumerate" || n == "zip") => {
                let name = ast::Expr { span, kind: A::Name("reversed".to_owned()) };
                let argument = Argument { name: None, value: inner.clone() };
                let call = ast::Expr { span, kind: A::Call(Box::new(name), vec![argument]) };
                let list = self.expr(&call, None)?;
                return self.value_turns(list, span, out);
            }
            _ => self.expr(inner, None)?,
        };
        let value = match self.program.types.get(value.ty) {
            Type::Set(_) | Type::FrozenSet(_) => {
                let found = self.name(value.ty);
                let report = Diagnostic::error(Code::NotIterable, span, format!("`reversed` does not take {found}"));
                self.report(report.help("sorted(…, reverse=True)"));
                return None;
            }
            _ => self.listed_or_report(value)?,
        };
        let element = self.program.types.element(value.ty)?;
        let list = self.keep(value, out);
        let id = self.new_var(None, types::INT);
        let at = var(id, types::INT, span);
        let last = |list: Expr| {
            let length = op(Op::ListLen, vec![list], types::INT, span);
            op(Op::Isub, vec![length, int(1, span)], types::INT, span)
        };
        out.push(Stmt { span, kind: StmtKind::Assign(id, last(list.clone())) });
        let next = op(Op::Isub, vec![at.clone(), int(1, span)], types::INT, span);
        // A list that became too short ends the loop.
        let inside = op(Op::Ile, vec![at.clone(), last(list.clone())], types::BOOL, span);
        let positive = op(Op::Ige, vec![at.clone(), int(0, span)], types::BOOL, span);
        Some(Turns {
            test: typed(types::BOOL, span, ExprKind::Logic(true, Box::new(positive), Box::new(inside))),
            element: op(Op::ListGet, vec![list, at], element, span),
            step: vec![Stmt { span, kind: StmtKind::Assign(id, next) }],
            counter: None,
            before: Vec::new(),
        })
    }

    fn dict_turns(&mut self, dict: Expr, what: &str, span: Span, out: &mut Vec<Stmt>) -> Option<Turns> {
        let Type::Dict(key, value) = *self.program.types.get(dict.ty) else { return None };
        let dict = self.keep(dict, out);
        let size = self.new_var(None, types::INT);
        let length = op(Op::DictLen, vec![dict.clone()], types::INT, span);
        out.push(Stmt { span, kind: StmtKind::Assign(size, length.clone()) });
        let id = self.new_var(None, types::INT);
        let at = var(id, types::INT, span);
        let first = op(Op::DictNext, vec![dict.clone(), int(0, span)], types::INT, span);
        out.push(Stmt { span, kind: StmtKind::Assign(id, first) });
        let after = op(Op::Iadd, vec![at.clone(), int(1, span)], types::INT, span);
        let next = op(Op::DictNext, vec![dict.clone(), after], types::INT, span);
        // Positions hold only as long as no key came or went.
        let changed = op(Op::Ine, vec![length, var(size, types::INT, span)], types::BOOL, span);
        let text = "dictionary changed size during iteration".to_owned();
        let message = typed(types::STR, span, ExprKind::Str(text));
        let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Changed, message) };
        let check = Stmt { span, kind: StmtKind::If(changed, vec![fail], Vec::new()) };
        let more = op(Op::Ige, vec![at.clone(), int(0, span)], types::BOOL, span);
        let key_at = op(Op::DictKeyAt, vec![dict.clone(), at.clone()], key, span);
        let value_at = op(Op::DictValueAt, vec![dict, at], value, span);
        let element = match what {
            "keys" => key_at,
            "values" => value_at,
            _ => {
                let ty = self.program.types.intern(Type::Tuple(vec![key, value]));
                op(Op::New, vec![key_at, value_at], ty, span)
            }
        };
        Some(Turns {
            test: seq(vec![check], more),
            element,
            step: vec![Stmt { span, kind: StmtKind::Assign(id, next) }],
            counter: None,
            before: Vec::new(),
        })
    }

    /// A comprehension: loops that fill a new list or dict. Its variables are its own.
    pub fn comprehension(&mut self, c: &ast::Comprehension, want: Option<TypeId>, span: Span) -> Option<Expr> {
        match c.makes {
            ast::Makes::List | ast::Makes::Dict | ast::Makes::Set => {}
            ast::Makes::Generator => {
                let report = Diagnostic::error(Code::Unsupported, span, "flows have no generators");
                self.report(report.help("make a list: [… for … in …]"));
                return None;
            }
        }
        self.forget_in_comprehension(c);
        let wants = match want.map(|ty| self.program.types.get(ty)) {
            Some(Type::List(e)) if c.makes == ast::Makes::List => (Some(*e), None),
            Some(Type::Set(e)) if c.makes == ast::Makes::Set => (Some(*e), None),
            Some(Type::Dict(k, v)) if c.makes == ast::Makes::Dict => (Some(*k), Some(*v)),
            _ => (None, None),
        };
        let mut made = None;
        let stmts = self.clauses(&c.clauses, span, &mut |checker| {
            let take = |checker: &mut Self, expr: &ast::Expr, want: Option<TypeId>, what: &str| {
                let value = checker.expr(expr, want)?;
                match want {
                    Some(want) => checker.needed(value, want, what),
                    None => Some(value),
                }
            };
            let element = take(checker, &c.element, wants.0, "an element of this comprehension");
            let value = c.value.as_ref().map(|v| take(checker, v, wants.1, "a value of this comprehension"));
            let element = element?;
            let (ty, empty, add) = match value {
                None if c.makes == ast::Makes::Set => {
                    if !checker.program.types.is_hashable(element.ty) {
                        let report = checker.program.not_hashable(element.ty, element.span);
                        checker.report(report);
                        return None;
                    }
                    let ty = checker.program.types.intern(Type::Set(element.ty));
                    let id = checker.new_var(None, ty);
                    made = Some((id, ty, Op::ListNew));
                    let set = var(id, ty, span);
                    let add = typed(types::NONE, span, ExprKind::Builtin(Builtin::SetAdd, vec![set, element]));
                    return Some(vec![Stmt { span, kind: StmtKind::Do(add) }]);
                }
                None => (Type::List(element.ty), Op::ListNew, Op::ListPush),
                Some(value) => {
                    let value = value?;
                    if !checker.program.types.is_hashable(element.ty) {
                        let report = checker.program.not_hashable(element.ty, element.span);
                        checker.report(report);
                        return None;
                    }
                    let ty = checker.program.types.intern(Type::Dict(element.ty, value.ty));
                    let id = checker.new_var(None, ty);
                    made = Some((id, ty, Op::DictNew));
                    let set = op(Op::DictSet, vec![var(id, ty, span), element, value], types::NONE, span);
                    return Some(vec![Stmt { span, kind: StmtKind::Do(set) }]);
                }
            };
            let ty = checker.program.types.intern(ty);
            let id = checker.new_var(None, ty);
            made = Some((id, ty, empty));
            let push = op(add, vec![var(id, ty, span), element], types::NONE, span);
            Some(vec![Stmt { span, kind: StmtKind::Do(push) }])
        });
        let (id, ty, empty) = made?;
        let empty = match *self.program.types.get(ty) {
            Type::Set(element) => {
                let list = self.program.types.intern(Type::List(element));
                let none = op(Op::ListNew, Vec::new(), list, span);
                typed(ty, span, ExprKind::Builtin(Builtin::SetOfList, vec![none]))
            }
            _ => op(empty, Vec::new(), ty, span),
        };
        let mut all = vec![Stmt { span, kind: StmtKind::Assign(id, empty) }];
        all.extend(stmts?);
        Some(seq(all, var(id, ty, span)))
    }

    /// `any(… for …)` and `all(… for …)`, which look only as far as they need.
    pub fn any_or_all(&mut self, c: &ast::Comprehension, any: bool, span: Span) -> Option<Expr> {
        self.forget_in_comprehension(c);
        let id = self.new_var(None, types::BOOL);
        let found = typed(types::BOOL, span, ExprKind::Bool(any));
        let stmts = self.clauses(&c.clauses, span, &mut |checker| {
            let test = checker.condition(&c.element)?;
            let stop =
                vec![Stmt { span, kind: StmtKind::Assign(id, found.clone()) }, Stmt { span, kind: StmtKind::Break }];
            let (then, otherwise) = if any { (stop, Vec::new()) } else { (Vec::new(), stop) };
            Some(vec![Stmt { span, kind: StmtKind::If(test, then, otherwise) }])
        })?;
        // A break leaves the innermost loop only; each loop around it stops as soon as the answer is there.
        let stmts = stop_when(stmts, id, any, span);
        let start = typed(types::BOOL, span, ExprKind::Bool(!any));
        let mut all = vec![Stmt { span, kind: StmtKind::Assign(id, start) }];
        all.extend(stmts);
        Some(seq(all, var(id, types::BOOL, span)))
    }

    pub fn clauses(
        &mut self,
        clauses: &[ast::Clause],
        span: Span,
        innermost: &mut dyn FnMut(&mut Self) -> Option<Vec<Stmt>>,
    ) -> Option<Vec<Stmt>> {
        let Some((clause, rest)) = clauses.split_first() else { return innermost(self) };
        let mut out = Vec::new();
        let turns = self.turns(&clause.iterable, &mut out);
        let (test, element, step, before) = match turns {
            Some(turns) => (Some(turns.test), Some(turns.element), turns.step, turns.before),
            None => (None, None, Vec::new(), Vec::new()),
        };
        let shadowed = self.shadow(&clause.target);
        let mut body = Some(());
        let (checked, _) = self.repeat(self.either_way(), &[], |checker| {
            let mut stmts = before;
            checker.store(&clause.target, element, &mut stmts);
            let mut tests = Vec::new();
            for condition in &clause.conditions {
                let (test, outcomes) = checker.test(condition);
                checker.assigned = outcomes.holds;
                tests.push(test);
            }
            let inner = checker.clauses(rest, span, innermost);
            match (tests.into_iter().collect::<Option<Vec<_>>>(), inner) {
                (Some(tests), Some(inner)) => {
                    let inner = tests
                        .into_iter()
                        .rev()
                        .fold(inner, |inner, test| vec![Stmt { span, kind: StmtKind::If(test, inner, Vec::new()) }]);
                    stmts.extend(inner);
                }
                _ => body = None,
            }
            stmts
        });
        self.unshadow(shadowed);
        body?;
        let lp = Loop { test: test?, body: checked, step, otherwise: Vec::new() };
        out.push(Stmt { span, kind: StmtKind::Loop(Box::new(lp)) });
        Some(out)
    }
}

/// Whether all of these hold.
fn every(tests: Vec<Expr>, span: Span) -> Option<Expr> {
    let all = tests.into_iter().rev();
    all.reduce(|right, left| typed(types::BOOL, span, ExprKind::Logic(true, Box::new(left), Box::new(right))))
}

/// Test and step of a range. Where a step may lead past the end of 64 bits, there is a limit behind which no turn follows.
fn steps(id: VarId, stop: Expr, step: Expr, limit: Option<Expr>, up: bool, span: Span) -> (Expr, Vec<Stmt>) {
    let before = if up { Op::Ilt } else { Op::Igt };
    let at = var(id, types::INT, span);
    let test = op(before, vec![at.clone(), stop.clone()], types::BOOL, span);
    let next = op(Op::Iadd, vec![at.clone(), step], types::INT, span);
    let next = Stmt { span, kind: StmtKind::Assign(id, next) };
    let Some(limit) = limit else { return (test, vec![next]) };
    let more = op(before, vec![at, limit], types::BOOL, span);
    let end = Stmt { span, kind: StmtKind::Assign(id, stop) };
    (test, vec![Stmt { span, kind: StmtKind::If(more, vec![next], vec![end]) }])
}

/// Makes each loop among the statements, but the innermost ones, stop when the variable has this value.
pub(super) fn stop_when(stmts: Vec<Stmt>, id: VarId, value: bool, span: Span) -> Vec<Stmt> {
    stmts
        .into_iter()
        .map(|stmt| match stmt.kind {
            StmtKind::Loop(mut lp) => {
                let inner = has_loop(&lp.body);
                lp.body = stop_when(lp.body, id, value, span);
                if inner {
                    let answer = var(id, types::BOOL, span);
                    let answer = if value { answer } else { op(Op::Bnot, vec![answer], types::BOOL, span) };
                    let stop = Stmt { span, kind: StmtKind::Break };
                    lp.body.push(Stmt { span, kind: StmtKind::If(answer, vec![stop], Vec::new()) });
                }
                Stmt { span: stmt.span, kind: StmtKind::Loop(lp) }
            }
            StmtKind::If(test, then, otherwise) => {
                let (then, otherwise) = (stop_when(then, id, value, span), stop_when(otherwise, id, value, span));
                Stmt { span: stmt.span, kind: StmtKind::If(test, then, otherwise) }
            }
            kind => Stmt { span: stmt.span, kind },
        })
        .collect()
}

fn has_loop(stmts: &[Stmt]) -> bool {
    stmts.iter().any(|s| match &s.kind {
        StmtKind::Loop(_) => true,
        StmtKind::If(_, then, otherwise) => has_loop(then) || has_loop(otherwise),
        _ => false,
    })
}

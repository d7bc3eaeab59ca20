//! Generator expressions, and `map` and `filter`, where a builtin consumes them: loops, with no list where none is needed.

use super::body::Checker;
use super::convert::{convert, join};
use super::expr::{int, op, seq, typed, var};
use crate::ast::{self, Argument, Comprehension, ExprKind as A, Makes};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::Op;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type};

/// What the loops of `map` and the like call their element. No name of the source looks so.
const EACH: &str = "$each";

/// An expression in the place of another one.
fn at(span: Span, kind: A) -> ast::Expr {
    ast::Expr { span, kind }
}

fn call(name: &str, arguments: Vec<ast::Expr>, span: Span) -> ast::Expr {
    let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
    at(span, A::Call(Box::new(at(span, A::Name(name.to_owned()))), arguments))
}

fn generator(element: ast::Expr, target: ast::Expr, iterable: ast::Expr, conditions: Vec<ast::Expr>) -> Comprehension {
    let clauses = vec![ast::Clause { target, iterable, conditions }];
    Comprehension { makes: Makes::Generator, element, value: None, clauses }
}

impl Checker<'_, '_> {
    /// A generator expression, or a call of `map` or `filter` as one, after statements; `None` for anything else.
    #[allow(clippy::option_option)]
    pub fn as_generator(&mut self, expr: &ast::Expr, stmts: &mut Vec<Stmt>) -> Option<Option<Comprehension>> {
        match &expr.kind {
            A::Comprehension(c) if c.makes == Makes::Generator => Some(Some((**c).clone())),
            A::Name(name) if !self.names.contains_key(name) => {
                let generator = self.generators.get(name).cloned()?;
                self.as_generator(&generator, stmts)
            }
            A::Call(of, arguments) => {
                // An iterator of a generator is that, and one of what has elements goes over them.
                if let (A::Name(name), [Argument { name: None, value }]) = (&of.kind, arguments.as_slice())
                    && name == "iter"
                    && self.is_free(name)
                {
                    return match self.as_generator(value, stmts) {
                        Some(c) => Some(c),
                        None => Some(Some(self.over(value))),
                    };
                }
                self.as_comprehension(expr, stmts)
            }
            _ => self.as_comprehension(expr, stmts),
        }
    }

    /// A generator over what is best taken one by one: a generator expression, or a call whose result would else be a list.
    #[allow(clippy::option_option)]
    fn one_by_one(&mut self, expr: &ast::Expr, stmts: &mut Vec<Stmt>) -> Option<Option<Comprehension>> {
        if let Some(c) = self.as_generator(expr, stmts) {
            return Some(c);
        }
        let A::Call(of, arguments) = &expr.kind else { return None };
        let lazy = match &of.kind {
            A::Name(name) => self.is_free(name) && matches!(name.as_str(), "range" | "zip" | "enumerate" | "reversed"),
            A::Attribute(_, name) => arguments.is_empty() && matches!(name.text.as_str(), "keys" | "values" | "items"),
            _ => false,
        };
        lazy.then(|| Some(self.over(expr)))
    }

    /// A generator of the elements of an expression.
    pub fn over(&self, expr: &ast::Expr) -> Comprehension {
        let each = at(expr.span, A::Name(format!("{EACH}0")));
        generator(each.clone(), each, expr.clone(), Vec::new())
    }

    /// A call of a builtin that consumes a generator; `None` where it is to be checked like any other call.
    #[allow(clippy::option_option)]
    pub fn folded(
        &mut self,
        name: &str,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Option<Expr>> {
        let (first, others) = arguments.split_first()?;
        let named = |argument: &Argument, name: &str| argument.name.as_ref().is_some_and(|n| n.text == name);
        let takes = match (name, others) {
            ("any" | "all" | "sum" | "min" | "max" | "list" | "set" | "frozenset" | "dict", []) => true,
            ("sum", [start]) => start.name.is_none() || named(start, "start"),
            ("min" | "max", [default]) => named(default, "default"),
            _ => false,
        };
        if !takes || first.name.is_some() {
            return None;
        }
        let value = &first.value;
        let mut stmts = Vec::new();
        let found = match name {
            "dict" => self.pairs(value),
            "list" | "set" | "frozenset" => self.as_generator(value, &mut stmts),
            _ => self.one_by_one(value, &mut stmts),
        };
        let c = match found {
            Some(Some(c)) => c,
            Some(None) => return Some(None),
            // Only the loop looks no further than it must, and adds what is no number by its operator.
            None if matches!(name, "any" | "all") || (name == "sum" && !others.is_empty()) => self.over(value),
            None => return None,
        };
        let other = others.first().map(|a| &a.value);
        let made = match name {
            "any" | "all" => self.any_or_all(&c, name == "any", span),
            "sum" => self.sum_of(&c, other, span),
            "min" | "max" => self.extreme_of(&c, name == "min", other, span),
            "list" => self.comprehension(&Comprehension { makes: Makes::List, ..c }, want, span),
            "set" => self.comprehension(&Comprehension { makes: Makes::Set, ..c }, want, span),
            "frozenset" => {
                let list = self.comprehension(&Comprehension { makes: Makes::List, ..c }, None, span);
                list.and_then(|list| self.set_of(list, "frozenset", span))
            }
            _ => self.comprehension(&c, want, span),
        };
        Some(made.map(|made| seq(stmts, made)))
    }

    /// The dict comprehension that `dict(…)` of a generator of pairs is, or of `zip` and `enumerate`, which make some.
    #[allow(clippy::option_option)]
    fn pairs(&self, expr: &ast::Expr) -> Option<Option<Comprehension>> {
        if let A::Comprehension(c) = &expr.kind {
            if c.makes != Makes::Generator {
                return None;
            }
            let mut clauses = c.clauses.clone();
            let (key, value) = match &c.element.kind {
                A::Tuple(parts) if parts.len() == 2 => (parts[0].clone(), parts[1].clone()),
                _ => {
                    // Whatever the pairs are, they are unpacked: a list of two is one too.
                    let span = c.element.span;
                    let [key, value] = [0, 1].map(|index: usize| at(span, A::Name(format!("{EACH}{index}"))));
                    let target = at(span, A::Tuple(vec![key.clone(), value.clone()]));
                    let iterable = at(span, A::List(vec![c.element.clone()]));
                    clauses.push(ast::Clause { target, iterable, conditions: Vec::new() });
                    (key, value)
                }
            };
            return Some(Some(Comprehension { makes: Makes::Dict, element: key, value: Some(value), clauses }));
        }
        let A::Call(of, arguments) = &expr.kind else { return None };
        let A::Name(name) = &of.kind else { return None };
        let two = arguments.iter().filter(|a| a.name.is_none()).count() == 2;
        if !self.is_free(name) || !(name == "enumerate" || (name == "zip" && two)) {
            return None;
        }
        let each = |index: usize| at(expr.span, A::Name(format!("{EACH}{index}")));
        let target = at(expr.span, A::Tuple(vec![each(0), each(1)]));
        let c = generator(each(0), target, expr.clone(), Vec::new());
        Some(Some(Comprehension { makes: Makes::Dict, value: Some(each(1)), ..c }))
    }

    /// The sum of the elements of a generator, from a start or 0.
    fn sum_of(&mut self, c: &Comprehension, start: Option<&ast::Expr>, span: Span) -> Option<Expr> {
        self.forget_in_comprehension(c);
        let mut all = Vec::new();
        // An empty list takes its type from the elements.
        let empty = start.filter(|start| Self::is_empty_literal(start));
        let start = match start.filter(|_| empty.is_none()) {
            Some(start) => {
                let value = self.expr(start, None)?;
                Some(self.keep(value, &mut all))
            }
            None => None,
        };
        let mut made = None;
        let stmts = self.clauses(&c.clauses, span, &mut |checker| {
            let element = checker.expr(&c.element, start.as_ref().map(|s| s.ty))?;
            let begins = start.as_ref().map_or(if empty.is_some() { element.ty } else { types::INT }, |s| s.ty);
            let number = |ty| matches!(ty, types::INT | types::FLOAT | types::BOOL);
            let ty = if number(element.ty) && number(begins) {
                join(join(element.ty, begins)?, types::INT)?
            } else if start.is_some() || empty.is_some() {
                begins
            } else {
                let message = format!("`sum` adds numbers, and not {}", checker.name(element.ty));
                let report = Diagnostic::error(Code::Mismatch, element.span, message);
                checker.report(match element.ty {
                    types::STR => report.help("\"\".join(…) puts texts together"),
                    _ => report,
                });
                return None;
            };
            let id = checker.new_var(None, ty);
            made = Some((id, ty));
            let sum = checker.binary(ast::BinaryOp::Add, var(id, ty, span), element, span)?;
            let sum = checker.needed(sum, ty, "this sum")?;
            Some(vec![Stmt { span, kind: StmtKind::Assign(id, sum) }])
        });
        let (id, ty) = made?;
        let start = match empty {
            Some(empty) => self.expr(empty, Some(ty))?,
            None => start.unwrap_or(int(0, span)),
        };
        let start = convert(start, ty).ok()?;
        all.push(Stmt { span, kind: StmtKind::Assign(id, start) });
        all.extend(stmts?);
        Some(seq(all, var(id, ty, span)))
    }

    /// The least or greatest element of a generator, or the default.
    fn extreme_of(&mut self, c: &Comprehension, least: bool, default: Option<&ast::Expr>, span: Span) -> Option<Expr> {
        self.forget_in_comprehension(c);
        let name = if least { "min" } else { "max" };
        let mut all = Vec::new();
        let default = match default {
            Some(default) => {
                let value = self.expr(default, None)?;
                Some(self.keep(value, &mut all))
            }
            None => None,
        };
        let seen = self.new_var(None, types::BOOL);
        let mut made = None;
        let stmts = self.clauses(&c.clauses, span, &mut |checker| {
            let element = checker.expr(&c.element, None)?;
            let ty = element.ty;
            let empty = match ty {
                types::INT => Some(ExprKind::Int(0)),
                types::FLOAT => Some(ExprKind::Float(0.0)),
                types::BOOL => Some(ExprKind::Bool(false)),
                types::STR => Some(ExprKind::Str(String::new())),
                types::BYTES => Some(ExprKind::Bytes(Vec::new())),
                _ => None,
            };
            let Some(empty) = empty else {
                // There is no value to begin with: the elements go into a list.
                let list = checker.program.types.intern(Type::List(ty));
                let id = checker.new_var(None, list);
                made = Some((id, list, None));
                let push = op(Op::ListPush, vec![var(id, list, span), element], types::NONE, span);
                return Some(vec![Stmt { span, kind: StmtKind::Do(push) }]);
            };
            let id = checker.new_var(None, ty);
            made = Some((id, ty, Some(empty)));
            let mut stmts = Vec::new();
            let element = checker.keep(element, &mut stmts);
            let code = if least { ast::CompareOp::Lt } else { ast::CompareOp::Gt };
            let before = checker.compare(code, element.clone(), var(id, ty, span), span)?;
            let first = op(Op::Bnot, vec![var(seen, types::BOOL, span)], types::BOOL, span);
            let test = typed(types::BOOL, span, ExprKind::Logic(false, Box::new(first), Box::new(before)));
            let yes = typed(types::BOOL, span, ExprKind::Bool(true));
            let take = vec![
                Stmt { span, kind: StmtKind::Assign(id, element) },
                Stmt { span, kind: StmtKind::Assign(seen, yes) },
            ];
            stmts.push(Stmt { span, kind: StmtKind::If(test, take, Vec::new()) });
            Some(stmts)
        });
        let (id, ty, empty) = made?;
        let Some(empty) = empty else {
            all.push(Stmt { span, kind: StmtKind::Assign(id, op(Op::ListNew, Vec::new(), ty, span)) });
            all.extend(stmts?);
            let args = std::iter::once(var(id, ty, span)).chain(default).collect();
            return Some(seq(all, self.called(name, args, span)?));
        };
        let no = typed(types::BOOL, span, ExprKind::Bool(false));
        all.push(Stmt { span, kind: StmtKind::Assign(seen, no) });
        all.push(Stmt { span, kind: StmtKind::Assign(id, typed(ty, span, empty)) });
        all.extend(stmts?);
        let found = var(seen, types::BOOL, span);
        let best = var(id, ty, span);
        let Some(default) = default else {
            let message = typed(types::STR, span, ExprKind::Str(format!("{name}() arg is an empty sequence")));
            let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Value, message) };
            all.push(Stmt { span, kind: StmtKind::If(found, Vec::new(), vec![fail]) });
            return Some(seq(all, best));
        };
        let Some(both) = join(ty, default.ty) else {
            let message = format!("the default must be {}, but this is {}", self.name(ty), self.name(default.ty));
            return self.fail(Code::Mismatch, default.span, message);
        };
        let (best, default) = (convert(best, both).ok()?, convert(default, both).ok()?);
        Some(seq(all, typed(both, span, ExprKind::If(Box::new(found), Box::new(best), Box::new(default)))))
    }

    /// `next(generator)`, or a default where it has no element: the loop ends at the first one.
    pub fn first_of(&mut self, arguments: &[Argument], span: Span) -> Option<Option<Expr>> {
        let (generator, default) = match arguments {
            [one] => (one, None),
            [one, default] => (one, Some(&default.value)),
            _ => return None,
        };
        if arguments.iter().any(|a| a.name.is_some()) {
            return None;
        }
        let mut all = Vec::new();
        let c = match self.as_generator(&generator.value, &mut all)? {
            Some(c) => c,
            None => return Some(None),
        };
        Some(self.first_element(&c, default, all, span))
    }

    fn first_element(
        &mut self,
        c: &Comprehension,
        default: Option<&ast::Expr>,
        mut all: Vec<Stmt>,
        span: Span,
    ) -> Option<Expr> {
        self.forget_in_comprehension(c);
        let seen = self.new_var(None, types::BOOL);
        let yes = |value: bool| typed(types::BOOL, span, ExprKind::Bool(value));
        let mut made = None;
        let stmts = self.clauses(&c.clauses, span, &mut |checker| {
            let element = checker.expr(&c.element, None)?;
            let ty = element.ty;
            let list = checker.program.types.intern(Type::List(ty));
            let id = checker.new_var(None, list);
            made = Some((id, list, ty));
            let push = op(Op::ListPush, vec![var(id, list, span), element], types::NONE, span);
            Some(vec![
                Stmt { span, kind: StmtKind::Do(push) },
                Stmt { span, kind: StmtKind::Assign(seen, yes(true)) },
                Stmt { span, kind: StmtKind::Break },
            ])
        })?;
        let (id, list, ty) = made?;
        all.push(Stmt { span, kind: StmtKind::Assign(id, op(Op::ListNew, Vec::new(), list, span)) });
        all.push(Stmt { span, kind: StmtKind::Assign(seen, yes(false)) });
        all.extend(super::loops::stop_when(stmts, seen, true, span));
        let found = var(seen, types::BOOL, span);
        let first = op(Op::ListGet, vec![var(id, list, span), int(0, span)], ty, span);
        let Some(default) = default else {
            let message = typed(types::STR, span, ExprKind::Str("StopIteration".to_owned()));
            let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Raised, message) };
            all.push(Stmt { span, kind: StmtKind::If(found, Vec::new(), vec![fail]) });
            return Some(seq(all, first));
        };
        // What makes the default can't see the difference: it is worked out either way.
        let default = self.expr(default, Some(ty))?;
        let both = join(ty, default.ty).unwrap_or_else(|| self.program.types.union(&[ty, default.ty]));
        let mut before = Vec::new();
        let default = self.keep(default, &mut before);
        before.extend(all);
        let (first, default) = (self.converted(first, both).ok()?, self.converted(default, both).ok()?);
        Some(seq(before, typed(both, span, ExprKind::If(Box::new(found), Box::new(first), Box::new(default)))))
    }

    /// `zip(*rows)`: the columns, as a list of tuples; where the rows are tuples of known length with parts of several types, as a
    /// tuple of those.
    pub fn columns(&mut self, rows: &ast::Expr, span: Span) -> Option<Expr> {
        let mut stmts = Vec::new();
        let rows = self.used_up(rows, None).and_then(|rows| self.listed_or_report(rows))?;
        let row = self.program.types.element(rows.ty)?;
        let source = self.hide(rows.clone(), &mut stmts);
        let each = at(span, A::Name(format!("{EACH}0")));
        let column = |index: ast::Expr| {
            let element = at(span, A::Index(Box::new(each.clone()), Box::new(index)));
            let list = generator(element, each.clone(), source.clone(), Vec::new());
            let list = at(span, A::Comprehension(Box::new(list)));
            call("tuple", vec![list], span)
        };
        let parts = match self.named_parts(row) {
            Some(parts) => Some(parts),
            None => match self.program.types.get(row) {
                Type::Tuple(parts) => Some(parts.clone()),
                _ => None,
            },
        };
        if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
            let count = parts.len();
            let columns: Vec<ast::Expr> =
                (0..count).map(|index| column(at(span, A::Int(i128::try_from(index).unwrap_or(0))))).collect();
            if parts.iter().any(|part| *part != parts[0]) {
                let rows = self.expr(&source, None)?;
                let length = self.length_of(rows)?;
                let none = op(Op::Ieq, vec![length, int(0, span)], types::BOOL, span);
                let text = format!("not enough values to unpack (expected {count}, got 0)");
                let message = typed(types::STR, span, ExprKind::Str(text));
                let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Value, message) };
                stmts.push(Stmt { span, kind: StmtKind::If(none, vec![fail], Vec::new()) });
                let columns = self.expr(&at(span, A::Tuple(columns)), None)?;
                return Some(seq(stmts, columns));
            }
            let all = at(span, A::List(columns));
            let test = Box::new(source.clone());
            let choice = A::If { test, then: Box::new(all), otherwise: Box::new(at(span, A::List(Vec::new()))) };
            let columns = self.expr(&at(span, choice), None)?;
            return Some(seq(stmts, columns));
        }
        let lengths = generator(call("len", vec![each.clone()], span), each.clone(), source.clone(), Vec::new());
        let lengths = Argument { name: None, value: at(span, A::Comprehension(Box::new(lengths))) };
        let zero = ast::Name { text: "default".to_owned(), span };
        let zero = Argument { name: Some(zero), value: at(span, A::Int(0)) };
        let least = at(span, A::Call(Box::new(at(span, A::Name("min".to_owned()))), vec![lengths, zero]));
        let position = at(span, A::Name(format!("{EACH}1")));
        let c = generator(column(position.clone()), position, call("range", vec![least], span), Vec::new());
        let columns = self.comprehension(&Comprehension { makes: Makes::List, ..c }, None, span)?;
        Some(seq(stmts, columns))
    }

    /// `dict.fromkeys(keys, value)`.
    pub fn dict_from_keys(
        &mut self,
        keys: &ast::Expr,
        value: &ast::Expr,
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Expr> {
        let (key, wanted) = match want.map(|ty| self.program.types.get(ty)) {
            Some(Type::Dict(k, v)) => (Some(*k), Some(*v)),
            _ => (None, None),
        };
        let mut all = Vec::new();
        let value = self.expr(value, wanted)?;
        let value = match wanted {
            Some(wanted) => self.needed(value, wanted, "the value of all keys")?,
            None => value,
        };
        let value = self.keep(value, &mut all);
        let c = match self.one_by_one(keys, &mut all) {
            Some(c) => c?,
            None => self.over(keys),
        };
        let mut made = None;
        let stmts = self.clauses(&c.clauses, span, &mut |checker| {
            let element = checker.expr(&c.element, key)?;
            let element = match key {
                Some(key) => checker.needed(element, key, "a key")?,
                None => element,
            };
            if !checker.program.types.is_hashable(element.ty) {
                let report = checker.program.not_hashable(element.ty, element.span);
                checker.report(report);
                return None;
            }
            let ty = checker.program.types.intern(Type::Dict(element.ty, value.ty));
            let id = checker.new_var(None, ty);
            made = Some((id, ty));
            let set = op(Op::DictSet, vec![var(id, ty, span), element, value.clone()], types::NONE, span);
            Some(vec![Stmt { span, kind: StmtKind::Do(set) }])
        });
        let (id, ty) = made?;
        all.push(Stmt { span, kind: StmtKind::Assign(id, op(Op::DictNew, Vec::new(), ty, span)) });
        all.extend(stmts?);
        Some(seq(all, var(id, ty, span)))
    }
}

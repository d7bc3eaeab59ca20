//! One function: its variables, its statements, and where they have values.

use super::expr::{typed, var};
use super::names::Program;
use super::signatures::{Kind, Outcome};
use crate::ast::{self, ExprKind as A, StmtKind as S};
use crate::diag::{Code, Diagnostic};
use crate::flow::Assigned;
use crate::source::Span;
use crate::tree::{Body, Expr, ExprKind, Loop, Stmt, StmtKind, VarId, Variable};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type};
use std::collections::{HashMap, HashSet};

/// A name of the function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    /// None if its type could not be told, which is reported.
    pub var: Option<VarId>,
    /// Where it got its type.
    pub span: Span,
}

/// A loop that statements stand in.
pub(super) struct Around {
    /// What has a value where it was left by `break`.
    pub breaks: Assigned,
}

/// Checks one function.
pub(super) struct Checker<'p, 'a> {
    pub program: &'p mut Program<'a>,
    pub kind: Kind,
    pub is_async: bool,
    pub function: String,
    pub ret: Option<TypeId>,
    pub ret_written: bool,
    pub vars: Vec<Variable>,
    pub names: HashMap<String, Local>,
    /// Names that are assigned somewhere in the function, and so are never those of the module.
    pub locals: HashSet<String>,
    pub params: HashSet<VarId>,
    pub assigned: Assigned,
    pub loops: Vec<Around>,
    pub out: Vec<Diagnostic>,
    pub calls: Vec<(usize, Span)>,
    pub spawns: Vec<(usize, Span)>,
    pub uses: Vec<Span>,
    /// Whether it acts: waits, or touches tasks and sync objects.
    pub acts: bool,
}

/// Checks the body of the function with this index and stores its outcome.
pub(super) fn check(program: &mut Program<'_>, index: usize) {
    let function = &program.functions[index];
    let ast = function.ast;
    let kind = function.kind;
    if matches!(function.outcome, Outcome::Host) {
        return;
    }
    if let Some(reason) = super::first_error(&function.signature) {
        let reason = Box::new(reason.clone());
        program.functions[index].outcome = Outcome::DoesNotFit(reason);
        if kind != Kind::Flow {
            return;
        }
    }
    let stmts = match &ast.body {
        Ok(stmts) => stmts,
        Err(why) => {
            let mut report = Diagnostic::error(why.code, why.span, why.message.clone());
            report.help.extend(why.help.clone());
            program.functions[index].outcome = Outcome::DoesNotFit(Box::new(report.clone()));
            program.functions[index].diagnostics = vec![report];
            return;
        }
    };
    let function = &program.functions[index];
    let params = function.params.clone();
    let mut checker = Checker {
        kind,
        is_async: ast.is_async,
        function: function.name.clone(),
        ret: function.ret,
        ret_written: ast.ret.is_some(),
        program,
        vars: Vec::new(),
        names: HashMap::new(),
        locals: HashSet::new(),
        params: HashSet::new(),
        assigned: Assigned::with([]),
        loops: Vec::new(),
        out: Vec::new(),
        calls: Vec::new(),
        spawns: Vec::new(),
        uses: Vec::new(),
        acts: false,
    };
    for param in &params {
        let var = param.ty.map(|ty| checker.new_var(Some(param.name.clone()), ty));
        if let Some(var) = var {
            checker.assigned.add(var);
            checker.params.insert(var);
        }
        checker.names.insert(param.name.clone(), Local { var, span: param.span });
        checker.locals.insert(param.name.clone());
    }
    assigned_names(stmts, &mut checker.locals);
    let mut body = checker.block(stmts);
    if checker.assigned.is_reached()
        && let Some(ret) = checker.ret
    {
        if ret == types::NONE {
            let end = ast.span;
            let none = typed(types::NONE, end, ExprKind::None);
            body.push(Stmt { span: end, kind: StmtKind::Return(none) });
        } else {
            let name = checker.name(ret);
            let message = format!("`{}` may end without returning its {name}", ast.name.text);
            checker.report(
                Diagnostic::error(Code::MissingReturn, ast.name.span, message)
                    .help("return a value on every path, or raise where none is possible"),
            );
        }
    }
    let (vars, out) = (checker.vars, checker.out);
    let (calls, spawns, uses, acts) = (checker.calls, checker.spawns, checker.uses, checker.acts);
    let function = &mut program.functions[index];
    function.calls = calls;
    function.spawns = spawns;
    function.uses = uses;
    function.acts = acts;
    match super::first_error(&out) {
        Some(reason) => function.outcome = Outcome::DoesNotFit(Box::new(reason.clone())),
        None if function.is_compiled() => function.outcome = Outcome::Compiled(Body { vars, stmts: body }),
        None => {}
    }
    function.diagnostics = out;
}

/// The names that statements assign.
fn assigned_names(stmts: &[ast::Stmt], out: &mut HashSet<String>) {
    for stmt in stmts {
        match &stmt.kind {
            S::Assign(targets, value) => {
                targets.iter().for_each(|t| target_names(t, out));
                walrus_names(value, out);
            }
            S::Declare { target, .. } | S::Augment(target, ..) => target_names(target, out),
            S::If(test, a, b) | S::While(test, a, b) => {
                walrus_names(test, out);
                assigned_names(a, out);
                assigned_names(b, out);
            }
            S::For { target, body, otherwise, .. } => {
                target_names(target, out);
                assigned_names(body, out);
                assigned_names(otherwise, out);
            }
            S::Match(_, cases) => {
                for case in cases {
                    pattern_names(&case.pattern, out);
                    case.guard.iter().for_each(|g| walrus_names(g, out));
                    assigned_names(&case.body, out);
                }
            }
            S::Expr(e) => walrus_names(e, out),
            S::Function(f) => {
                out.insert(f.name.text.clone());
            }
            S::Class(c) => {
                out.insert(c.name.text.clone());
            }
            S::Import(imports) => out.extend(imports.iter().map(|i| i.binds.clone())),
            S::Return(_)
            | S::Pass
            | S::Break
            | S::Continue
            | S::Assert(..)
            | S::Raise(_)
            | S::Delete(_)
            | S::Unsupported(_) => {}
        }
    }
}

pub(super) fn target_names(target: &ast::Expr, out: &mut HashSet<String>) {
    match &target.kind {
        A::Name(name) => {
            out.insert(name.clone());
        }
        A::Tuple(parts) | A::List(parts) => parts.iter().for_each(|p| target_names(p, out)),
        _ => {}
    }
}

fn pattern_names(pattern: &ast::Pattern, out: &mut HashSet<String>) {
    match &pattern.kind {
        ast::PatternKind::Capture(inner, name) => {
            out.insert(name.text.clone());
            inner.iter().for_each(|i| pattern_names(i, out));
        }
        ast::PatternKind::Or(list) => list.iter().for_each(|p| pattern_names(p, out)),
        ast::PatternKind::Any | ast::PatternKind::Value(_) | ast::PatternKind::Unsupported(_) => {}
    }
}

/// Assignment expressions stand in the guards of a select; others are reported where they are checked.
fn walrus_names(expr: &ast::Expr, out: &mut HashSet<String>) {
    if let A::Walrus(name, _) = &expr.kind {
        out.insert(name.text.clone());
    }
}

impl Checker<'_, '_> {
    /// Adds a report.
    pub fn report(&mut self, report: Diagnostic) {
        self.out.push(report);
    }

    /// Adds an error; gives `None`, which is what a checked form that could not be made is.
    pub fn fail<T>(&mut self, code: Code, span: Span, message: impl Into<String>) -> Option<T> {
        self.report(Diagnostic::error(code, span, message));
        None
    }

    /// A type as it is written.
    pub fn name(&self, ty: TypeId) -> String {
        self.program.types.name(ty)
    }

    /// A new variable; without a name it is the checker's own.
    pub fn new_var(&mut self, name: Option<String>, ty: TypeId) -> VarId {
        self.vars.push(Variable { name, ty });
        VarId(u32::try_from(self.vars.len() - 1).unwrap_or(u32::MAX))
    }

    /// The value as an expression that may be used any number of times: evaluated once, before.
    pub fn keep(&mut self, value: Expr, stmts: &mut Vec<Stmt>) -> Expr {
        if value.is_simple() {
            return value;
        }
        let (ty, span) = (value.ty, value.span);
        let id = self.new_var(None, ty);
        stmts.push(Stmt { span, kind: StmtKind::Assign(id, value) });
        var(id, ty, span)
    }

    /// Checks statements in order.
    pub fn block(&mut self, stmts: &[ast::Stmt]) -> Vec<Stmt> {
        let mut out = Vec::new();
        for stmt in stmts {
            self.stmt(stmt, &mut out);
        }
        out
    }

    fn stmt(&mut self, stmt: &ast::Stmt, out: &mut Vec<Stmt>) {
        let span = stmt.span;
        match &stmt.kind {
            S::Expr(e) => match &e.kind {
                A::Str(_) | A::Unsupported("...") => {}
                _ => {
                    if let Some(value) = self.effect(e) {
                        out.push(Stmt { span, kind: StmtKind::Do(value) });
                    }
                }
            },
            S::Assign(targets, value) => self.assign(targets, value, out),
            S::Declare { target, annotation, value } => self.declare(target, annotation, value.as_ref(), out),
            S::Augment(target, op, value) => self.augment(target, *op, value, span, out),
            S::If(test, then, otherwise) => {
                let test = self.condition(test);
                let before = self.assigned.clone();
                let then = self.block(then);
                let after = std::mem::replace(&mut self.assigned, before);
                let otherwise = self.block(otherwise);
                self.assigned.join(&after);
                if let Some(test) = test {
                    out.push(Stmt { span, kind: StmtKind::If(test, then, otherwise) });
                }
            }
            S::While(test, body, otherwise) => {
                let endless = matches!(test.kind, A::Bool(true) | A::Int(1));
                let checked = self.condition(test);
                let (body, otherwise) = self.repeat(endless, otherwise, |c| c.block(body));
                if let Some(test) = checked {
                    let test = if endless { typed(types::BOOL, test.span, ExprKind::Bool(true)) } else { test };
                    let lp = Loop { test, body, step: Vec::new(), otherwise };
                    out.push(Stmt { span, kind: StmtKind::Loop(Box::new(lp)) });
                }
            }
            S::For { target, iterable, body, otherwise } => self.for_loop(target, iterable, body, otherwise, span, out),
            S::Return(value) => self.ret(value.as_ref(), span, out),
            S::Pass => {}
            S::Break | S::Continue => {
                let what = if matches!(stmt.kind, S::Break) { "break" } else { "continue" };
                match self.loops.last_mut() {
                    Some(around) => {
                        if what == "break" {
                            around.breaks.join(&self.assigned);
                        }
                        let kind = if what == "break" { StmtKind::Break } else { StmtKind::Continue };
                        out.push(Stmt { span, kind });
                        self.assigned = Assigned::unreachable();
                    }
                    None => {
                        self.fail::<()>(Code::OutsideLoop, span, format!("`{what}` stands outside of a loop"));
                    }
                }
            }
            S::Assert(test, message) => self.assert(test, message.as_ref(), span, out),
            S::Raise(exception) => self.raise(exception.as_ref(), span, out),
            S::Delete(targets) => targets.iter().for_each(|t| self.delete(t, out)),
            S::Match(subject, cases) => self.match_stmt(subject, cases, span, out),
            S::Function(f) => {
                let report =
                    Diagnostic::error(Code::Unsupported, f.name.span, "functions can't be defined inside a flow");
                self.report(report.help("define it at the top level of the file"));
            }
            S::Class(c) => {
                let report =
                    Diagnostic::error(Code::Unsupported, c.name.span, "classes can't be defined inside a flow");
                self.report(report.help("define it at the top level of the file"));
            }
            S::Import(_) => {
                let report = Diagnostic::error(Code::Unsupported, span, "a flow can't import");
                self.report(
                    report
                        .help("import at the top of the file; other packages are used in @pure and @impure functions"),
                );
            }
            S::Unsupported(what) => {
                let report = unsupported(what, span);
                self.report(report);
            }
        }
    }

    /// A loop's body and `else`: checked with what has a value there. `body` checks the body.
    pub fn repeat(
        &mut self,
        endless: bool,
        otherwise: &[ast::Stmt],
        body: impl FnOnce(&mut Self) -> Vec<Stmt>,
    ) -> (Vec<Stmt>, Vec<Stmt>) {
        let before = self.assigned.clone();
        self.loops.push(Around { breaks: Assigned::unreachable() });
        let body = body(self);
        let around = self.loops.pop().expect("the loop that was pushed");
        self.assigned = if endless { Assigned::unreachable() } else { before };
        let otherwise = self.block(otherwise);
        self.assigned.join(&around.breaks);
        (body, otherwise)
    }

    fn ret(&mut self, value: Option<&ast::Expr>, span: Span, out: &mut Vec<Stmt>) {
        let checked = match value {
            None => Some(typed(types::NONE, span, ExprKind::None)),
            Some(value) => self.expr(value, self.ret),
        };
        if let (Some(found), Some(ret)) = (checked, self.ret) {
            let what = format!("the result of `{}`", self.function);
            if ret == types::NONE && !self.ret_written && found.ty != types::NONE {
                let name = self.name(found.ty);
                let message = format!("`{}` returns {name}, but declares no result", self.function);
                let report = Diagnostic::error(Code::Mismatch, found.span, message).note(format!("this is {name}"));
                self.report(report.help(format!("add the type of the result: -> {name}")));
            } else if value.is_none() && ret != types::NONE {
                let message = format!("{what} must be {}, but nothing is returned", self.name(ret));
                self.fail::<()>(Code::Mismatch, span, message);
            } else if let Some(found) = self.needed(found, ret, &what) {
                out.push(Stmt { span, kind: StmtKind::Return(found) });
            }
        }
        self.assigned = Assigned::unreachable();
    }

    fn assign(&mut self, targets: &[ast::Expr], value: &ast::Expr, out: &mut Vec<Stmt>) {
        // A swap needs no tuple: all values first, then all targets.
        if let ([target], A::Tuple(values)) = (targets, &value.kind)
            && let A::Tuple(parts) | A::List(parts) = &target.kind
            && parts.len() == values.len()
        {
            let mut kept = Vec::new();
            for (part, value) in parts.iter().zip(values) {
                let want = self.target_type(part);
                let value = self.expr(value, want);
                kept.push(value.map(|v| self.keep(v, out)));
            }
            for (part, value) in parts.iter().zip(kept) {
                self.store(part, value, out);
            }
            return;
        }
        let want = targets.iter().find_map(|t| self.target_type(t));
        let value = self.expr(value, want);
        match targets {
            [target] => self.store(target, value, out),
            _ => {
                let value = value.map(|v| self.keep(v, out));
                targets.iter().for_each(|t| self.store(t, value.clone(), out));
            }
        }
    }

    /// The type that a target has already, to guide the value.
    fn target_type(&mut self, target: &ast::Expr) -> Option<TypeId> {
        match &target.kind {
            A::Name(name) => self.names.get(name)?.var.map(|v| self.vars[v.0 as usize].ty),
            A::Index(of, _) => match *self.program.types.get(self.quiet_type(of)?) {
                Type::List(e) => Some(e),
                Type::Dict(_, v) => Some(v),
                _ => None,
            },
            A::Attribute(of, field) => match *self.program.types.get(self.quiet_type(of)?) {
                Type::Class(id) => {
                    let class = self.program.types.class(id);
                    class.field(&field.text).map(|i| class.fields[i].ty)
                }
                _ => None,
            },
            A::Tuple(parts) => {
                let parts = parts.iter().map(|p| self.target_type(p)).collect::<Option<Vec<_>>>()?;
                Some(self.program.types.intern(Type::Tuple(parts)))
            }
            _ => None,
        }
    }

    /// The type of a variable, or of elements and fields of one, without reports.
    fn quiet_type(&self, expr: &ast::Expr) -> Option<TypeId> {
        match &expr.kind {
            A::Name(name) => self.names.get(name)?.var.map(|v| self.vars[v.0 as usize].ty),
            A::Index(of, _) => match *self.program.types.get(self.quiet_type(of)?) {
                Type::List(e) => Some(e),
                Type::Dict(_, v) => Some(v),
                _ => None,
            },
            A::Attribute(of, field) => match *self.program.types.get(self.quiet_type(of)?) {
                Type::Class(id) => {
                    let class = self.program.types.class(id);
                    class.field(&field.text).map(|i| class.fields[i].ty)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Assigns a value, or remembers that the target's value had a mistake.
    pub fn store(&mut self, target: &ast::Expr, value: Option<Expr>, out: &mut Vec<Stmt>) {
        let span = target.span;
        match &target.kind {
            A::Name(name) => self.store_name(name, span, value, out),
            A::Tuple(parts) | A::List(parts) => self.unpack(parts, span, value, out),
            A::Index(of, index) => {
                let Some(value) = value else {
                    self.expr(of, None);
                    return;
                };
                let value = self.keep(value, out);
                let Some(of) = self.expr(of, None) else { return };
                self.store_index(of, index, value, span, out);
            }
            A::Attribute(of, field) => {
                let Some(value) = value else {
                    self.expr(of, None);
                    return;
                };
                let value = self.keep(value, out);
                let Some(of) = self.expr(of, None) else { return };
                self.store_field(of, field, value, span, out);
            }
            _ => {
                self.fail::<()>(Code::Frozen, span, "this can't be assigned to");
            }
        }
    }

    pub fn store_name(&mut self, name: &str, span: Span, value: Option<Expr>, out: &mut Vec<Stmt>) {
        match (self.names.get(name).copied(), value) {
            (Some(Local { var: Some(id), span: first }), Some(value)) => {
                let ty = self.vars[id.0 as usize].ty;
                let value = match super::convert::convert(value, ty) {
                    Ok(value) => Some(value),
                    Err(value) => {
                        let (had, has) = (self.name(ty), self.name(value.ty));
                        let message = format!("`{name}` is {had}, but this is {has}");
                        let mut report = Diagnostic::error(Code::TypeChanges, value.span, message)
                            .note(format!("this is {has}"))
                            .label(first, format!("`{name}` is {had} since here"));
                        report = match (ty, value.ty) {
                            (types::INT, types::FLOAT) => report
                                .help(format!("declare it as float at first: {name}: float = …, or convert: int(…)")),
                            (types::NONE, _) => report.help("optional values (`int | None`) are not supported yet"),
                            _ => report.help("use another variable: each has one type"),
                        };
                        self.report(report);
                        None
                    }
                };
                if let Some(value) = value {
                    out.push(Stmt { span, kind: StmtKind::Assign(id, value) });
                }
                self.assigned.add(id);
            }
            (Some(Local { var, .. }), _) => {
                if let Some(id) = var {
                    self.assigned.add(id);
                }
            }
            (None, Some(value)) => {
                let id = self.new_var(Some(name.to_owned()), value.ty);
                self.names.insert(name.to_owned(), Local { var: Some(id), span });
                out.push(Stmt { span, kind: StmtKind::Assign(id, value) });
                self.assigned.add(id);
            }
            (None, None) => {
                self.names.insert(name.to_owned(), Local { var: None, span });
            }
        }
    }

    fn unpack(&mut self, parts: &[ast::Expr], span: Span, value: Option<Expr>, out: &mut Vec<Stmt>) {
        let starred = parts.iter().find(|p| matches!(p.kind, A::Unsupported("unpacking with *")));
        if let Some(starred) = starred {
            let report = Diagnostic::error(Code::NotYet, starred.span, "not supported yet: unpacking with *");
            self.report(report.help("take the elements by index, and the rest by a slice"));
            let names = parts.iter().filter(|p| matches!(p.kind, A::Name(_)));
            names.for_each(|p| self.store(p, None, out));
            return;
        }
        let Some(value) = value else {
            parts.iter().for_each(|p| self.store(p, None, out));
            return;
        };
        let slots = match self.program.types.get(value.ty) {
            Type::Tuple(slots) if slots.len() == parts.len() => slots.clone(),
            Type::Tuple(slots) => {
                let message =
                    format!("this has {} parts, but they are unpacked into {} names", slots.len(), parts.len());
                self.fail::<()>(Code::Unpack, span, message);
                parts.iter().for_each(|p| self.store(p, None, out));
                return;
            }
            other => {
                let sized = matches!(other, Type::List(_) | Type::Dict(..) | Type::Str | Type::Bytes);
                let found = self.name(value.ty);
                let report = if sized {
                    let message = format!("{found} can't be unpacked, since its length is not known");
                    Diagnostic::error(Code::Unpack, span, message).help("take its elements by index, or use a tuple")
                } else {
                    Diagnostic::error(Code::Unpack, span, format!("{found} has no parts that can be unpacked"))
                };
                self.report(report);
                parts.iter().for_each(|p| self.store(p, None, out));
                return;
            }
        };
        // A tuple that is made only to be taken apart is not made.
        if let ExprKind::Op(Op::New, values, _) = value.kind {
            let kept: Vec<Expr> = values.into_iter().map(|v| self.keep(v, out)).collect();
            for (part, value) in parts.iter().zip(kept) {
                self.store(part, Some(value), out);
            }
            return;
        }
        let value = self.keep(value, out);
        for (index, (part, ty)) in parts.iter().zip(slots).enumerate() {
            let slot = Imm::Slot(u32::try_from(index).unwrap_or(u32::MAX));
            let element = super::convert::op_with(Op::SlotGet, vec![value.clone()], slot, ty, part.span);
            self.store(part, Some(element), out);
        }
    }

    fn store_index(&mut self, of: Expr, index: &ast::Expr, value: Expr, span: Span, out: &mut Vec<Stmt>) {
        let (operation, key, element) = match *self.program.types.get(of.ty) {
            Type::List(e) => (Op::ListSet, types::INT, e),
            Type::Dict(k, v) => (Op::DictSet, k, v),
            _ => {
                let message = format!("elements of {} can't be replaced", self.name(of.ty));
                return self.fail::<()>(Code::Frozen, span, message).unwrap_or(());
            }
        };
        self.changes(&of, span);
        let of = self.keep(of, out);
        if let (A::Slice(start, stop, step), Op::ListSet) = (&index.kind, operation) {
            let ty = of.ty;
            let parts = self.slice_parts([start.as_deref(), stop.as_deref(), step.as_deref()], span);
            let value = self.needed(value, ty, "what replaces a slice");
            if let (Some(parts), Some(value)) = (parts, value) {
                let args = std::iter::once(of).chain(parts).chain([value]).collect();
                if let Some(set) = self.syntax("list_set_slice", args, span) {
                    out.push(Stmt { span, kind: StmtKind::Do(set) });
                }
            }
            return;
        }
        let what = if key == types::INT && operation == Op::ListSet { "an index" } else { "the key" };
        let index = self.expr(index, Some(key)).and_then(|i| self.needed(i, key, what));
        let value = self.needed(value, element, "the element");
        if let (Some(index), Some(value)) = (index, value) {
            let set = super::expr::op(operation, vec![of, index, value], types::NONE, span);
            out.push(Stmt { span, kind: StmtKind::Do(set) });
        }
    }

    fn store_field(&mut self, of: Expr, field: &ast::Name, value: Expr, span: Span, out: &mut Vec<Stmt>) {
        let Some((slot, ty)) = self.field(&of, field) else { return };
        if let Type::Class(id) = *self.program.types.get(of.ty)
            && self.program.types.class(id).frozen
        {
            let message = format!("fields of `{}` can't be changed, since it is frozen", self.name(of.ty));
            let report = Diagnostic::error(Code::Frozen, span, message);
            self.report(report.help("leave out frozen=True, or make a new object"));
            return;
        }
        self.changes(&of, span);
        let what = format!("field `{}`", field.text);
        if let Some(value) = self.needed(value, ty, &what) {
            let set = super::convert::op_with(Op::SlotSet, vec![of, value], Imm::Slot(slot), types::NONE, span);
            out.push(Stmt { span, kind: StmtKind::Do(set) });
        }
    }

    /// A pure function must not change what it was given: as host code it would get copies.
    pub fn changes(&mut self, of: &Expr, span: Span) {
        if self.kind == Kind::Pure && self.comes_from_param(of) {
            let message = format!("pure function `{}` changes its argument", self.function);
            let report = Diagnostic::error(Code::ArgumentChanged, span, message);
            self.report(report.help("copy it first, and return the copy"));
        }
    }

    fn comes_from_param(&self, of: &Expr) -> bool {
        match &of.kind {
            ExprKind::Var(id) => self.params.contains(id),
            ExprKind::Op(Op::ListGet | Op::DictGet | Op::SlotGet, args, _) => {
                args.first().is_some_and(|a| self.comes_from_param(a))
            }
            _ => false,
        }
    }

    fn declare(&mut self, target: &ast::Expr, annotation: &ast::Expr, value: Option<&ast::Expr>, out: &mut Vec<Stmt>) {
        let mut reports = Vec::new();
        let ty = self.program.annotation(annotation, &mut reports);
        self.out.append(&mut reports);
        let A::Name(name) = &target.kind else {
            self.fail::<()>(Code::Unsupported, target.span, "only variables are declared with a type");
            return;
        };
        match (self.names.get(name).copied(), ty) {
            (Some(Local { var: Some(id), span: first }), Some(ty)) => {
                let had = self.vars[id.0 as usize].ty;
                if had != ty {
                    let message = format!("`{name}` is {} already, and can't become {}", self.name(had), self.name(ty));
                    let report = Diagnostic::error(Code::TypeChanges, target.span, message);
                    let report = report.label(first, format!("`{name}` got its type here"));
                    self.report(report.help("use another variable: each has one type"));
                    if let Some(value) = value {
                        self.expr(value, Some(ty));
                    }
                    return;
                }
            }
            (Some(_), _) => {}
            (None, Some(ty)) => {
                let id = self.new_var(Some(name.clone()), ty);
                self.names.insert(name.clone(), Local { var: Some(id), span: target.span });
            }
            (None, None) => {
                self.names.insert(name.clone(), Local { var: None, span: target.span });
            }
        }
        if let Some(value) = value {
            // What is wrong with the type of an empty list is reported at its declaration.
            let empty = ty.is_none() && Self::is_empty_literal(value);
            let value = if empty { None } else { self.expr(value, ty) };
            let what = format!("`{name}`");
            let value = match (value, ty) {
                (Some(value), Some(ty)) => self.needed(value, ty, &what),
                _ => None,
            };
            self.store_name(name, target.span, value, out);
        }
    }

    fn augment(&mut self, target: &ast::Expr, op: ast::BinaryOp, value: &ast::Expr, span: Span, out: &mut Vec<Stmt>) {
        match &target.kind {
            A::Name(_) => {
                let Some(current) = self.expr(target, None) else {
                    self.expr(value, None);
                    return;
                };
                let result = self.augmented(current, op, value, span, out);
                if let Some(Some(result)) = result {
                    self.store(target, Some(result), out);
                }
            }
            A::Index(of, index) => {
                let Some(of) = self.expr(of, None) else { return };
                if matches!(index.kind, A::Slice(..)) {
                    self.fail::<()>(Code::NotYet, span, "not supported yet: augmented assignment to a slice");
                    return;
                }
                let of = self.keep(of, out);
                let Some((get, index)) = self.element(of.clone(), index, target.span, out) else { return };
                let Some(Some(result)) = self.augmented(get, op, value, span, out) else { return };
                let (set, element) = match *self.program.types.get(of.ty) {
                    Type::List(e) => (Op::ListSet, e),
                    Type::Dict(_, v) => (Op::DictSet, v),
                    _ => {
                        let message = format!("elements of {} can't be replaced", self.name(of.ty));
                        return self.fail::<()>(Code::Frozen, span, message).unwrap_or(());
                    }
                };
                self.changes(&of, span);
                if let Some(result) = self.needed(result, element, "the element") {
                    let set = super::expr::op(set, vec![of, index, result], types::NONE, span);
                    out.push(Stmt { span, kind: StmtKind::Do(set) });
                }
            }
            A::Attribute(of, field) => {
                let Some(of) = self.expr(of, None) else { return };
                let of = self.keep(of, out);
                let Some((slot, ty)) = self.field(&of, field) else { return };
                let get = super::convert::op_with(Op::SlotGet, vec![of.clone()], Imm::Slot(slot), ty, target.span);
                if let Some(Some(result)) = self.augmented(get, op, value, span, out) {
                    self.store_field(of, field, result, span, out);
                }
            }
            _ => {
                self.fail::<()>(Code::Frozen, target.span, "this can't be assigned to");
            }
        }
    }

    /// What an augmented assignment assigns; `Some(None)` if it changes the object in place and assigns nothing.
    #[allow(clippy::option_option)]
    fn augmented(
        &mut self,
        current: Expr,
        op: ast::BinaryOp,
        value: &ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> Option<Option<Expr>> {
        let in_place = match (self.program.types.get(current.ty), op) {
            (Type::List(_), ast::BinaryOp::Add) => Some(("list_extend", current.ty)),
            (Type::List(_), ast::BinaryOp::Mul) => Some(("list_repeat_in_place", types::INT)),
            (Type::Dict(..), ast::BinaryOp::BitOr) => Some(("dict_update", current.ty)),
            _ => None,
        };
        if let Some((name, wanted)) = in_place {
            let value = self.expr(value, Some(wanted))?;
            if super::convert::join(value.ty, wanted) != Some(wanted) {
                self.binary(op, current, value, span);
                return None;
            }
            let call = self.syntax(name, vec![current, value], span)?;
            out.push(Stmt { span, kind: StmtKind::Do(call) });
            return Some(None);
        }
        // The current value is read before the new one is worked out.
        let current = self.keep(current, out);
        let value = self.expr(value, Some(current.ty))?;
        Some(Some(self.binary(op, current, value, span)?))
    }

    fn assert(&mut self, test: &ast::Expr, message: Option<&ast::Expr>, span: Span, out: &mut Vec<Stmt>) {
        let text: String = self.program.sources.text(test.span).chars().take(200).collect();
        let test = self.condition(test);
        let message = match message {
            Some(message) => self.expr(message, None).and_then(|m| self.text_of(m)),
            None => Some(typed(types::STR, span, ExprKind::Str(format!("assert {text}")))),
        };
        if let (Some(test), Some(message)) = (test, message) {
            let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Assertion, message) };
            out.push(Stmt { span, kind: StmtKind::If(test, Vec::new(), vec![fail]) });
        }
    }

    fn raise(&mut self, exception: Option<&ast::Expr>, span: Span, out: &mut Vec<Stmt>) {
        let name_of = |e: &ast::Expr| match &e.kind {
            A::Name(name) => Some(name.clone()),
            A::Attribute(_, name) => Some(name.text.clone()),
            _ => None,
        };
        let message = match exception.map(|e| (e, &e.kind)) {
            None => self.fail(
                Code::Unsupported,
                span,
                "`raise` needs an exception here: flows catch none that it could raise again",
            ),
            Some((_, A::Call(of, arguments))) if name_of(of).is_some() && arguments.len() <= 1 => {
                let name = name_of(of).unwrap_or_default();
                match arguments.first() {
                    None => Some(typed(types::STR, span, ExprKind::Str(name))),
                    Some(argument) => self.expr(&argument.value, None).and_then(|v| self.text_of(v)).and_then(|text| {
                        let prefix = typed(types::STR, span, ExprKind::Str(format!("{name}: ")));
                        self.binary(ast::BinaryOp::Add, prefix, text, span)
                    }),
                }
            }
            Some((e, _)) => match name_of(e) {
                Some(name) => Some(typed(types::STR, span, ExprKind::Str(name))),
                None => {
                    let report = Diagnostic::error(
                        Code::Unsupported,
                        e.span,
                        "an exception is raised with at most one argument",
                    );
                    self.report(report.help("raise ValueError(\"what is wrong\")"));
                    None
                }
            },
        };
        if let Some(message) = message {
            out.push(Stmt { span, kind: StmtKind::Fail(TrapKind::Raised, message) });
        }
        self.assigned = Assigned::unreachable();
    }

    fn delete(&mut self, target: &ast::Expr, out: &mut Vec<Stmt>) {
        let span = target.span;
        let A::Index(of, index) = &target.kind else {
            let report = Diagnostic::error(Code::Unsupported, span, "only elements can be deleted");
            self.report(report.help("leave the variable as it is: it ends with its function"));
            return;
        };
        let Some(of) = self.expr(of, None) else { return };
        self.changes(&of, span);
        let key = match *self.program.types.get(of.ty) {
            Type::Dict(k, _) => k,
            Type::List(_) => types::INT,
            _ => {
                let message = format!("elements of {} can't be deleted", self.name(of.ty));
                return self.fail::<()>(Code::Frozen, span, message).unwrap_or(());
            }
        };
        let is_list = matches!(self.program.types.get(of.ty), Type::List(_));
        let call = match &index.kind {
            A::Slice(start, stop, step) if is_list => {
                let parts = [start.as_deref(), stop.as_deref(), step.as_deref()];
                let Some(parts) = self.slice_parts(parts, span) else { return };
                self.syntax("list_delete_slice", std::iter::once(of).chain(parts).collect(), span)
            }
            _ => {
                let what = if is_list { "an index" } else { "the key" };
                let Some(index) = self.expr(index, Some(key)).and_then(|i| self.needed(i, key, what)) else { return };
                self.syntax(if is_list { "list_delete" } else { "dict_delete" }, vec![of, index], span)
            }
        };
        if let Some(call) = call {
            out.push(Stmt { span, kind: StmtKind::Do(call) });
        }
    }
}

/// The report for a construct outside the language.
pub(super) fn unsupported(what: &str, span: Span) -> Diagnostic {
    let (message, help): (String, Option<&str>) = match what {
        "try" => (
            "flows have no try: a mistake ends the flow".to_owned(),
            Some("catch exceptions in an @impure or @pure function, and return what the flow needs to know"),
        ),
        "with" | "async with" => (
            format!("flows have no `{what}`"),
            Some("acquire and release locks by hand; open files and connections in an @impure function"),
        ),
        "lambda" => ("flows have no lambda".to_owned(), Some("define a function at the top level of the file")),
        "yield" => ("flows have no yield".to_owned(), Some("put elements into a list or a dpslio.Queue")),
        "global" | "nonlocal" => (format!("flows have no `{what}`"), Some("pass values as arguments and return them")),
        "async for" => ("flows have no `async for`".to_owned(), Some("while True: item = await queue.get()")),
        "type alias" => ("types are not defined inside a flow".to_owned(), None),
        "unpacking with *" | "** in a call" | "** in a dict" => {
            (format!("not supported yet: {what}"), Some("write the values one by one"))
        }
        "a complex number" => ("flows have no complex numbers".to_owned(), None),
        other => (format!("flows do not know this: {other}"), None),
    };
    let code = if message.starts_with("not supported yet") { Code::NotYet } else { Code::Unsupported };
    let report = Diagnostic::error(code, span, message);
    match help {
        Some(help) => report.help(help),
        None => report,
    }
}

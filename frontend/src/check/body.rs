//! One function: its variables, its statements, and where they have values.

use super::classes::MethodKind;
use super::conditions::Outcomes;
use super::expr::{typed, var};
use super::infer::Inference;
use super::init::Init;
use super::names::{Global, Program};
use super::signatures::{Kind, Outcome};
use crate::ast::{self, Argument, ExprKind as A, StmtKind as S};
use crate::diag::{Code, Diagnostic};
use crate::flow::Assigned;
use crate::source::Span;
use crate::tree::{Body, Expr, ExprKind, Loop, Stmt, StmtKind, VarId, Variable};
use deepslate_ir::entity::TypeId;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

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
    /// What has a value where it was gone on with by `continue`.
    pub turns: Assigned,
    /// Its number in the function.
    pub number: u32,
}

/// Checks one function.
pub(super) struct Checker<'p, 'a> {
    pub program: &'p mut Program<'a>,
    /// The function's index in the program.
    pub index: usize,
    pub kind: Kind,
    pub is_async: bool,
    pub function: String,
    pub ret: Option<TypeId>,
    pub ret_written: bool,
    /// Whether the result is declared as what is only read.
    pub ret_reads: bool,
    pub vars: Vec<Variable>,
    pub names: HashMap<String, Local>,
    /// Names that are assigned somewhere in the function, and so are never those of the module.
    pub locals: HashSet<String>,
    pub params: HashSet<VarId>,
    /// The lambdas that have a name.
    pub lambdas: HashMap<String, Rc<ast::Lambda>>,
    /// The names that stand for functions, and what they are called as.
    pub stand_ins: HashMap<String, ast::Expr>,
    /// The names that stand for generators.
    pub generators: HashMap<String, ast::Expr>,
    /// The functions that are defined in this one, by their index in the program.
    pub nested: HashMap<String, usize>,
    /// The object under construction in an `__init__`.
    pub init: Option<Init>,
    /// The classes whose `__init__` is being written out in this one.
    pub inits: Vec<usize>,
    /// The constants that are made when the function begins, and what makes them.
    pub made: Vec<(usize, VarId)>,
    pub made_stmts: Vec<Stmt>,
    /// The constants that are being worked out.
    pub making: Vec<usize>,
    /// The types whose text is being put together.
    pub showing: Vec<TypeId>,
    /// Names that stand for something else for a while: targets of comprehensions, parameters of lambdas.
    pub shadowing: Vec<String>,
    /// The lambdas whose values are being worked out.
    pub inlined: Vec<String>,
    pub assigned: Assigned,
    pub loops: Vec<Around>,
    /// So many loops were begun.
    pub loops_seen: u32,
    /// Names that are read in loops before anything is assigned to them, and the loops.
    pub early: HashMap<String, Vec<u32>>,
    pub out: Vec<Diagnostic>,
    /// The types of what it returns, while its result has none.
    pub returned: Vec<TypeId>,
    /// Whether it is only looked at for its result.
    pub tells_result: bool,
    pub calls: Vec<(usize, Span)>,
    pub spawns: Vec<(usize, Span)>,
    pub uses: Vec<Span>,
    /// Whether it acts: waits, or touches tasks and sync objects.
    pub acts: bool,
    /// The changes of parameters of a pure function, see `purity`.
    pub changed: Vec<Diagnostic>,
    /// What is known of empty lists and dicts.
    pub infer: Inference,
    /// The variables that are looked at where they are read.
    pub late: HashMap<VarId, super::variables::Late>,
}

/// Checks the body of the function with this index and stores its outcome.
pub(super) fn check(program: &mut Program<'_>, index: usize) {
    let function = &program.functions[index];
    let ast = function.ast;
    let kind = function.kind;
    if matches!(function.outcome, Outcome::Host) {
        return;
    }
    if let (Some(_), false) = (function.within, function.closed) {
        let message = format!("`{}` is never called", ast.name.text);
        let report = Diagnostic::error(Code::NotCallable, ast.name.span, message);
        program.functions[index].outcome = Outcome::DoesNotFit(Box::new(report));
        return;
    }
    if function.ret.is_none() && ast.ret.is_none() && function.within.is_some() {
        let report = no_result(&ast.name.text, ast.name.span);
        program.functions[index].outcome = Outcome::DoesNotFit(Box::new(report.clone()));
        program.functions[index].diagnostics = vec![report];
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
    let mut known = Inference::default();
    // Each attempt that is not the last one learns the type of a literal.
    while let Some(more) = attempt(program, index, stmts, known) {
        known = more;
    }
}

/// The report for a nested function whose result no call and no `return` tells.
pub(super) fn no_result(name: &str, span: Span) -> Diagnostic {
    let message = format!("the type of what `{name}` returns is not known");
    Diagnostic::error(Code::NoAnnotation, span, message).help(format!("write it: def {name}(…) -> int:"))
}

/// The type of what a nested function returns, as far as its body tells without it. Its body is checked later.
pub(super) fn result_of(program: &mut Program<'_>, index: usize) -> Option<TypeId> {
    let Ok(stmts) = &program.functions[index].ast.body else { return None };
    let mut known = Inference::default();
    while let Some(more) = attempt(program, index, stmts, known) {
        known = more;
    }
    Checker::reopen(program, index);
    let function = &mut program.functions[index];
    function.outcome = Outcome::Pending;
    function.diagnostics.clear();
    let returned = std::mem::take(&mut function.returned);
    if returned.is_empty() { None } else { Some(program.types.union(&returned)) }
}

/// Checks the body once; gives what it has learnt about empty literals if it is to be checked again.
fn attempt<'a>(program: &mut Program<'a>, index: usize, stmts: &'a [ast::Stmt], known: Inference) -> Option<Inference> {
    let function = &program.functions[index];
    let (ast, kind) = (function.ast, function.kind);
    let params = function.params.clone();
    let tells_result = function.ret.is_none() && ast.ret.is_none() && function.within.is_some();
    let mut checker = Checker {
        index,
        kind,
        is_async: ast.is_async,
        function: function.name.clone(),
        ret: function.ret,
        ret_written: ast.ret.is_some(),
        ret_reads: ast.ret.as_ref().is_some_and(|ret| program.only_reads(ret)),
        program,
        vars: Vec::new(),
        names: HashMap::new(),
        locals: HashSet::new(),
        params: HashSet::new(),
        lambdas: HashMap::new(),
        stand_ins: HashMap::new(),
        generators: HashMap::new(),
        nested: HashMap::new(),
        init: None,
        inits: Vec::new(),
        made: Vec::new(),
        made_stmts: Vec::new(),
        making: Vec::new(),
        showing: Vec::new(),
        shadowing: Vec::new(),
        inlined: Vec::new(),
        assigned: Assigned::with([]),
        loops: Vec::new(),
        loops_seen: 0,
        early: HashMap::new(),
        out: Vec::new(),
        returned: Vec::new(),
        tells_result,
        calls: Vec::new(),
        spawns: Vec::new(),
        uses: Vec::new(),
        acts: false,
        changed: Vec::new(),
        infer: known,
        late: HashMap::new(),
    };
    let mut body = Vec::new();
    checker.open_params(&params, &mut body);
    checker.open_early();
    checker.locals.extend(params.iter().map(|param| param.name.clone()));
    assigned_names(stmts, &mut checker.locals);
    checker.nested = checker.program.nested_in(index);
    let owner = checker.program.functions[index].owner;
    checker.program.owner = owner;
    // In a class method the first parameter is the class.
    let class_name = match (checker.program.functions[index].method, ast.params.first(), owner) {
        (Some(MethodKind::Class), Some(first), Some(owner)) => {
            let name = first.name.text.clone();
            let before = checker.program.globals.insert(name.clone(), Global::Class(owner));
            Some((name, before))
        }
        _ => None,
    };
    if let (Some(class), Some(receiver)) = (checker.program.init_of(index), ast.params.first()) {
        checker.begin_init(class, &receiver.name, &mut body);
        body.extend(checker.init_block(stmts));
        if checker.assigned.is_reached() {
            checker.end_init(ast.name.span, &mut body);
        }
        checker.assigned = Assigned::unreachable();
    } else {
        body.extend(checker.block(stmts));
    }
    let begin = std::mem::take(&mut checker.made_stmts);
    body.splice(0..0, begin);
    checker.program.owner = None;
    match class_name {
        Some((name, Some(before))) => {
            checker.program.globals.insert(name, before);
        }
        Some((name, None)) => {
            checker.program.globals.remove(&name);
        }
        None => {}
    }
    if checker.assigned.is_reached()
        && let Some(ret) = checker.ret
    {
        let end = ast.span;
        let none = typed(types::NONE, end, ExprKind::None);
        if let Ok(none) = checker.converted(none, ret) {
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
    if checker.assigned.is_reached() && checker.tells_result {
        checker.returned.push(types::NONE);
    }
    let learnt = checker.learnt();
    if learnt.is_some() {
        // What is defined inside is called anew, with variables of the types that are known by then.
        Checker::reopen(program, index);
        return learnt;
    }
    let returned = std::mem::take(&mut checker.returned);
    let (vars, out, changed) = (checker.vars, checker.out, checker.changed);
    let (calls, spawns, uses, acts) = (checker.calls, checker.spawns, checker.uses, checker.acts);
    let function = &mut program.functions[index];
    function.returned = returned;
    function.calls = calls;
    function.spawns = spawns;
    function.uses = uses;
    function.acts = acts;
    function.changes = changed;
    match super::first_error(&out) {
        Some(reason) => function.outcome = Outcome::DoesNotFit(Box::new(reason.clone())),
        None if function.is_compiled() => function.outcome = Outcome::Compiled(Body { vars, stmts: body }),
        None => {}
    }
    function.diagnostics = out;
    None
}

/// The names that statements assign.
pub(super) fn assigned_names(stmts: &[ast::Stmt], out: &mut HashSet<String>) {
    let named = |stmt: &ast::Stmt, out: &mut HashSet<String>| match &stmt.kind {
        S::Assign(targets, _) => targets.iter().for_each(|t| target_names(t, out)),
        S::Declare { target, .. } | S::Augment(target, ..) => target_names(target, out),
        S::For { target, .. } => target_names(target, out),
        S::Delete(targets) => targets.iter().for_each(|t| target_names(t, out)),
        S::Match(_, cases) => cases.iter().for_each(|case| pattern_names(&case.pattern, out)),
        S::Function(f) => {
            out.insert(f.name.text.clone());
        }
        S::Class(c) => {
            out.insert(c.name.text.clone());
        }
        S::Import(imports) => out.extend(imports.iter().map(|i| i.binds.clone())),
        S::TypeAlias(name, _) => {
            out.insert(name.text.clone());
        }
        S::Expr(_)
        | S::If(..)
        | S::While(..)
        | S::Return(_)
        | S::Pass
        | S::Break
        | S::Continue
        | S::Assert(..)
        | S::Raise(_)
        | S::Unsupported(_) => {}
    };
    let found = RefCell::new(out);
    crate::walk::statements(stmts, &mut |stmt| named(stmt, &mut found.borrow_mut()), &mut |expr| {
        crate::walk::walrus_names(expr, &mut |name| {
            found.borrow_mut().insert(name.to_owned());
        });
    });
}

pub(super) fn target_names(target: &ast::Expr, out: &mut HashSet<String>) {
    match &target.kind {
        A::Name(name) => {
            out.insert(name.clone());
        }
        A::Tuple(parts) | A::List(parts) => parts.iter().for_each(|p| target_names(p, out)),
        A::Starred(inner) => target_names(inner, out),
        _ => {}
    }
}

fn pattern_names(pattern: &ast::Pattern, out: &mut HashSet<String>) {
    match &pattern.kind {
        ast::PatternKind::Capture(inner, name) => {
            out.insert(name.text.clone());
            inner.iter().for_each(|i| pattern_names(i, out));
        }
        ast::PatternKind::Or(list) | ast::PatternKind::Sequence(list) => {
            list.iter().for_each(|p| pattern_names(p, out));
        }
        ast::PatternKind::Star(name) => out.extend(name.iter().map(|n| n.text.clone())),
        ast::PatternKind::Mapping(entries, rest) => {
            entries.iter().for_each(|(_, p)| pattern_names(p, out));
            out.extend(rest.iter().map(|n| n.text.clone()));
        }
        ast::PatternKind::Class(_, list, named) => {
            list.iter().chain(named.iter().map(|(_, p)| p)).for_each(|p| pattern_names(p, out));
        }
        ast::PatternKind::Any | ast::PatternKind::Value(_) | ast::PatternKind::Unsupported(_) => {}
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
        for (index, stmt) in stmts.iter().enumerate() {
            if !self.names_generator(stmt, stmts.get(index + 1)) {
                self.stmt(stmt, &mut out);
            }
        }
        out
    }

    /// Checks the statements of a branch; those that no value leads to are not looked at, as mypy does it. `reached` says
    /// whether what the branch stands in is reached itself.
    fn branch(&mut self, reached: bool, stmts: &[ast::Stmt]) -> Vec<Stmt> {
        if reached && !self.assigned.is_reached() { Vec::new() } else { self.block(stmts) }
    }

    /// Checks one statement.
    pub fn stmt(&mut self, stmt: &ast::Stmt, out: &mut Vec<Stmt>) {
        let span = stmt.span;
        match &stmt.kind {
            S::Expr(ast::Expr { kind: A::Call(of, arguments), .. }) if self.init.is_some() && is_super_init(of) => {
                self.super_init(arguments, span, out);
            }
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
                let reached = self.assigned.is_reached();
                let (test, Outcomes { holds, fails }) = self.test(test);
                self.assigned = holds;
                let then = self.branch(reached, then);
                let after = std::mem::replace(&mut self.assigned, fails);
                let otherwise = self.branch(reached, otherwise);
                self.assigned.join(&after);
                if let Some(test) = test {
                    out.push(Stmt { span, kind: StmtKind::If(test, then, otherwise) });
                }
            }
            S::While(test, body, otherwise) => {
                let endless = matches!(test.kind, A::Bool(true) | A::Int(1));
                self.forget_in_loop(None, Some(test), body);
                let reached = self.assigned.is_reached();
                let (checked, mut outcomes) = self.test(test);
                if endless {
                    outcomes.fails = Assigned::unreachable();
                }
                let (body, otherwise) = self.repeat(outcomes, otherwise, |c| c.branch(reached, body));
                if let Some(test) = checked {
                    let test = if endless { typed(types::BOOL, test.span, ExprKind::Bool(true)) } else { test };
                    let lp = Loop { test, body, step: Vec::new(), otherwise };
                    out.push(Stmt { span, kind: StmtKind::Loop(Box::new(lp)) });
                }
            }
            S::For { is_async, target, iterable, body, otherwise } => {
                self.for_loop(*is_async, target, iterable, body, otherwise, span, out);
            }
            S::Return(value) => self.ret(value.as_ref(), span, out),
            S::Pass => {}
            S::Break | S::Continue => {
                let what = if matches!(stmt.kind, S::Break) { "break" } else { "continue" };
                match self.loops.last_mut() {
                    Some(around) => {
                        let state = if what == "break" { &mut around.breaks } else { &mut around.turns };
                        state.join(&self.assigned);
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
            S::Function(f) => self.define_nested(f),
            S::TypeAlias(name, _) => {
                let report = Diagnostic::error(Code::Unsupported, name.span, "types are not defined inside a flow");
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

    /// A loop's body and `else`: checked with what has a value where its test holds and fails. `body` checks the body.
    pub fn repeat(
        &mut self,
        outcomes: Outcomes,
        otherwise: &[ast::Stmt],
        body: impl FnOnce(&mut Self) -> Vec<Stmt>,
    ) -> (Vec<Stmt>, Vec<Stmt>) {
        let Outcomes { holds, mut fails } = outcomes;
        self.assigned = holds.clone();
        let number = self.loops_seen;
        self.loops_seen += 1;
        let unreachable = Assigned::unreachable();
        self.loops.push(Around { breaks: unreachable.clone(), turns: unreachable, number });
        let body = body(self);
        let around = self.loops.pop().expect("the loop that was pushed");
        // What a turn deletes has no value after the loop.
        let deleted: Vec<VarId> = holds.iter().filter(|var| !self.assigned.has(*var)).collect();
        deleted.into_iter().for_each(|var| fails.remove(var));
        for turn in [&self.assigned, &around.turns] {
            fails.see(turn);
        }
        self.assigned = fails;
        let otherwise = self.block(otherwise);
        self.assigned.join(&around.breaks);
        (body, otherwise)
    }

    fn ret(&mut self, value: Option<&ast::Expr>, span: Span, out: &mut Vec<Stmt>) {
        if self.init.is_some() {
            if value.is_some_and(|v| !matches!(v.kind, A::None)) {
                self.fail::<()>(Code::Mismatch, span, "`__init__` returns nothing");
            } else if !self.inits.is_empty() {
                let message = "not supported yet: `return` in the __init__ of a base class";
                self.fail::<()>(Code::NotYet, span, message);
            } else {
                self.end_init(span, out);
            }
            self.assigned = Assigned::unreachable();
            return;
        }
        // Python asks the other operand then; here both are of one class.
        if value.is_some_and(|v| matches!(&v.kind, A::Name(n) if n == "NotImplemented" && self.is_free(n))) {
            let message = "TypeError: these objects can't be compared or combined".to_owned();
            let message = typed(types::STR, span, ExprKind::Str(message));
            out.push(Stmt { span, kind: StmtKind::Fail(TrapKind::Raised, message) });
            self.assigned = Assigned::unreachable();
            return;
        }
        if let (Some(value), None, true) = (value, self.ret, self.tells_result) {
            self.returns(value);
            self.assigned = Assigned::unreachable();
            return;
        }
        let checked = match value {
            None => Some(typed(types::NONE, span, ExprKind::None)),
            Some(value) if self.ret_reads => self.used_up(value, self.ret),
            Some(value) => self.expr(value, self.ret),
        };
        if let (Some(found), Some(ret)) = (checked, self.ret) {
            let found = if self.ret_reads { self.read_as(found, ret) } else { found };
            let what = format!("the result of `{}`", self.function);
            let may_be = !self.ret_written && self.alternatives_of(ret).contains(&types::NONE);
            if may_be && !self.program.types.includes(ret, found.ty) {
                let name = self.name(found.ty);
                let message = format!("`{}` returns {name}, but declares no result", self.function);
                let report = Diagnostic::error(Code::Mismatch, found.span, message).note(format!("this is {name}"));
                self.report(report.help(format!("add the type of the result: -> {name}")));
            } else if value.is_none() && !self.alternatives_of(ret).contains(&types::NONE) {
                let message = format!("{what} must be {}, but nothing is returned", self.name(ret));
                self.fail::<()>(Code::Mismatch, span, message);
            } else if let Some(found) = self.needed(found, ret, &what) {
                out.push(Stmt { span, kind: StmtKind::Return(found) });
            }
        }
        self.assigned = Assigned::unreachable();
    }

    /// What a value tells of the result of a function that has no type: of a choice, what each side tells.
    fn returns(&mut self, value: &ast::Expr) {
        if let A::If { test, then, otherwise } = &value.kind {
            let (_, Outcomes { holds, fails }) = self.test(test);
            for (state, side) in [(holds, then), (fails, otherwise)] {
                self.assigned = state;
                self.returns(side);
            }
            return;
        }
        if let Some(found) = self.expr(value, None) {
            self.returned.push(found.ty);
        }
    }

    /// Whether an expression names an exception, as far as can be told: a class of the file, something imported, or one of
    /// Python's own.
    fn is_exception(&self, of: &ast::Expr) -> bool {
        if self.class_named(of) == Some(super::own::DS_ERROR) {
            return false;
        }
        let A::Name(name) = &of.kind else { return matches!(of.kind, A::Attribute(..)) };
        if self.names.contains_key(name) || self.locals.contains(name) {
            return false;
        }
        match self.program.globals.get(name) {
            Some(Global::Class(_) | Global::Foreign(..) | Global::Broken(_)) => true,
            Some(_) => false,
            None => {
                let known = ["Exception", "BaseException", "StopIteration", "KeyboardInterrupt", "SystemExit"];
                name.ends_with("Error") || name.ends_with("Warning") || known.contains(&name.as_str())
            }
        }
    }

    fn assert(&mut self, test: &ast::Expr, message: Option<&ast::Expr>, span: Span, out: &mut Vec<Stmt>) {
        let text: String = self.program.sources.text(test.span).chars().take(200).collect();
        let (test, Outcomes { holds, fails }) = self.test(test);
        self.assigned = fails;
        let message = match message {
            Some(message) => self.expr(message, None).and_then(|m| self.text_of(m)),
            None => Some(typed(types::STR, span, ExprKind::Str(format!("assert {text}")))),
        };
        self.assigned = holds;
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
            Some((_, A::Call(of, arguments)))
                if name_of(of).is_some() && self.is_exception(of) && arguments.iter().all(|a| a.name.is_none()) =>
            {
                let name = name_of(of).unwrap_or_default();
                let several = arguments.iter().map(|a| a.value.clone()).collect();
                let several = Argument { name: None, value: ast::Expr { span, kind: A::Tuple(several) } };
                match if arguments.len() > 1 { Some(&several) } else { arguments.first() } {
                    None => Some(typed(types::STR, span, ExprKind::Str(name))),
                    Some(argument) => self.expr(&argument.value, None).and_then(|v| self.text_of(v)).and_then(|text| {
                        let prefix = typed(types::STR, span, ExprKind::Str(format!("{name}: ")));
                        self.binary(ast::BinaryOp::Add, prefix, text, span)
                    }),
                }
            }
            Some((e, _)) => match name_of(e).filter(|_| self.is_exception(e)) {
                Some(name) => Some(typed(types::STR, span, ExprKind::Str(name))),
                None => {
                    let message = "`raise` takes an exception, made of values by position";
                    let report = Diagnostic::error(Code::Unsupported, e.span, message);
                    let of = if let A::Call(of, _) = &e.kind { of } else { e };
                    let is_error = self.class_named(of) == Some(super::own::DS_ERROR);
                    self.report(match is_error {
                        true => report.help("a DSError is a value: return it"),
                        false => report.help("raise ValueError(\"what is wrong\")"),
                    });
                    None
                }
            },
        };
        if let Some(message) = message {
            out.push(Stmt { span, kind: StmtKind::Fail(TrapKind::Raised, message) });
        }
        self.assigned = Assigned::unreachable();
    }
}

fn is_super_init(of: &ast::Expr) -> bool {
    let A::Attribute(of, name) = &of.kind else { return false };
    let A::Call(of, _) = &of.kind else { return false };
    name.text == "__init__" && matches!(&of.kind, A::Name(n) if n == "super")
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
        "unpacking with *" | "** in a call" => {
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

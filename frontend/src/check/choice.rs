//! `match`: on a value, case by case, and on `dpslio.select`, which waits for the first of several queues.

use super::body::{Checker, Local};
use super::expr::typed;
use crate::ast::{self, ExprKind as A, MatchCase, PatternKind as P};
use crate::diag::{Code, Diagnostic};
use crate::flow::Assigned;
use crate::source::Span;
use crate::tree::{Expr, ExprKind, SelectCase, SelectKind, Stmt, StmtKind, VarId};
use deepslate_ir::entity::TypeId;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type};

/// How many cases a match may have.
const MAX_CASES: usize = 250;

impl Checker<'_, '_> {
    /// A `match` statement.
    pub fn match_stmt(&mut self, subject: &ast::Expr, cases: &[MatchCase], span: Span, out: &mut Vec<Stmt>) {
        if self.program.api(subject).as_deref() == Some("dpslio.select") {
            self.select(cases, span, out);
            return;
        }
        if cases.len() > MAX_CASES {
            let message = format!("a match has more than {MAX_CASES} cases");
            self.report(Diagnostic::error(Code::TooDeep, span, message).help("use a dict"));
            return;
        }
        let path = self.path(subject);
        let subject = self.expr(subject, None).map(|s| self.keep(s, out));
        // The members of a union that no case before has taken.
        let mut left = subject.as_ref().and_then(|s| self.program.types.members(s.ty)).map(<[TypeId]>::to_vec);
        let mut after = Assigned::unreachable();
        // Each case is checked with what has a value before the match; built up from the last one.
        let before = self.assigned.clone();
        let mut checked = Vec::new();
        for case in cases {
            self.assigned = before.clone();
            let mut binds = Vec::new();
            let mut subject = subject.clone();
            if let (Some(members), Some(value)) = (&mut left, &mut subject) {
                let rest = self.program.types.union(members);
                if !members.is_empty() {
                    *value = super::unions::narrow(value.clone(), rest);
                }
                let told = self.pattern_tells(&case.pattern, members);
                if let Some(path) = path.clone().filter(|_| !told.may_be.is_empty()) {
                    self.assigned.narrow(path, told.may_be);
                }
                if case.guard.is_none() {
                    members.retain(|m| !told.all_of.contains(m));
                }
            }
            let test = match &subject {
                Some(subject) => self.pattern(&case.pattern, subject, &mut binds),
                None => None,
            };
            let guard = case.guard.as_ref().map(|guard| {
                let (guard, outcomes) = self.test(guard);
                self.assigned = outcomes.holds;
                guard
            });
            let body = self.block(&case.body);
            after.join(&self.assigned);
            checked.push((test, binds, guard, body, case.span));
        }
        let takes_all =
            |test: &Option<Expr>| matches!(test.as_ref().map(|t| &t.kind), None | Some(ExprKind::Bool(true)));
        let covered = checked.iter().any(|(test, _, guard, ..)| guard.is_none() && takes_all(test));
        let plain: Vec<&ast::Pattern> = cases.iter().filter(|c| c.guard.is_none()).map(|c| &c.pattern).collect();
        let all_named = !covered && subject.as_ref().is_some_and(|s| self.names_all_members(s.ty, &plain));
        let covered = covered || all_named;
        let covered = covered || left.as_ref().is_some_and(Vec::is_empty);
        self.assigned = if covered { Assigned::unreachable() } else { before };
        if let (Some(path), Some(left), false) = (path, left, covered) {
            self.assigned.narrow(path, left);
        }
        self.assigned.join(&after);
        let mut rest: Option<Vec<Stmt>> = Some(Vec::new());
        if all_named {
            // The members are all there are: nothing gets here.
            let message = typed(types::STR, span, ExprKind::Str("a match that names all members took none".to_owned()));
            rest = Some(vec![Stmt { span, kind: StmtKind::Fail(TrapKind::Value, message) }]);
        }
        for (test, binds, guard, body, place) in checked.into_iter().rev() {
            let (Some(test), Some(otherwise)) = (test, rest) else {
                rest = None;
                continue;
            };
            let guard = match guard {
                None => None,
                Some(Some(guard)) => Some(guard),
                Some(None) => {
                    rest = None;
                    continue;
                }
            };
            // What the pattern binds is there for the guard and for the body.
            let body: Vec<Stmt> = binds.iter().cloned().chain(body).collect();
            let test = match guard {
                None => test,
                Some(guard) => {
                    let guard = super::expr::seq(binds, guard);
                    typed(types::BOOL, place, ExprKind::Logic(true, Box::new(test), Box::new(guard)))
                }
            };
            rest = Some(vec![Stmt { span: place, kind: StmtKind::If(test, body, otherwise) }]);
        }
        out.extend(rest.unwrap_or_default());
    }

    fn select(&mut self, cases: &[MatchCase], span: Span, out: &mut Vec<Stmt>) {
        self.acts = true;
        if self.kind == super::Kind::Pure {
            let message = format!("pure function `{}` uses a select, which is not pure", self.function);
            self.fail::<()>(Code::ImpureInPure, span, message);
        }
        let before = self.assigned.clone();
        let mut after = Assigned::unreachable();
        let mut list = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            self.assigned = before.clone();
            if let Some(ast::Expr { kind: A::Walrus(name, _), .. }) = &case.guard {
                // Its type is known only if the case is right.
                self.doubtful(name);
            }
            let kind = match &case.guard {
                None if matches!(case.pattern.kind, P::Any) => {
                    if index + 1 < cases.len() {
                        let report =
                            Diagnostic::error(Code::Select, case.span, "the case without a queue must be the last one");
                        self.report(report);
                    }
                    Some(SelectKind::Default)
                }
                Some(guard) if matches!(case.pattern.kind, P::Any) => self.select_case(guard, out),
                _ => self.not_a_case(case.span),
            };
            let body = self.block(&case.body);
            after.join(&self.assigned);
            list.push(kind.map(|kind| SelectCase { kind, body }));
        }
        self.assigned = after;
        if let Some(cases) = list.into_iter().collect::<Option<Vec<_>>>() {
            out.push(Stmt { span, kind: StmtKind::Select(cases) });
        }
    }

    /// A name that is used without reports until it gets its type.
    fn doubtful(&mut self, name: &ast::Name) {
        self.names.entry(name.text.clone()).or_insert(Local { var: None, span: name.span });
    }

    fn not_a_case<T>(&mut self, span: Span) -> Option<T> {
        let report = Diagnostic::error(Code::Select, span, "a case of a select takes from a queue or puts into one");
        self.report(report.help("case _ if value := await queue.get():"));
        None
    }

    /// A case of a select by its guard: `value := await queue.get()`, `await queue.get()` or `await queue.put(value)`. The
    /// queues and values are worked out before the select waits.
    fn select_case(&mut self, guard: &ast::Expr, out: &mut Vec<Stmt>) -> Option<SelectKind> {
        let (name, operation) = match &guard.kind {
            A::Walrus(name, value) => (Some(name), &**value),
            _ => (None, guard),
        };
        let A::Await(call) = &operation.kind else {
            if let A::Call(..) = operation.kind {
                let report =
                    Diagnostic::error(Code::MissingAwait, operation.span, "the operation of a case must be awaited");
                self.report(report.help("case _ if value := await queue.get():"));
                return None;
            }
            return self.not_a_case(guard.span);
        };
        let A::Call(of, arguments) = &call.kind else { return self.not_a_case(guard.span) };
        let A::Attribute(queue, method) = &of.kind else { return self.not_a_case(guard.span) };
        let queue = self.expr(queue, None)?;
        let Type::Queue(element) = *self.program.types.get(queue.ty) else {
            let message = format!("a case of a select needs a queue, but this is {}", self.name(queue.ty));
            return self.fail(Code::Select, queue.span, message);
        };
        let queue = self.keep(queue, out);
        match (method.text.as_str(), arguments.as_slice(), name) {
            ("get", [], None) => Some(SelectKind::Get(queue, None)),
            ("get", [], Some(name)) => {
                let id = self.bound(name, element)?;
                Some(SelectKind::Get(queue, Some(id)))
            }
            ("put", [value], None) => {
                let value = self.expr(&value.value, Some(element))?;
                let value = self.needed(value, element, "the element")?;
                let value = self.keep(value, out);
                Some(SelectKind::Put(queue, value))
            }
            _ => self.not_a_case(guard.span),
        }
    }

    /// The variable that takes the element of a case.
    fn bound(&mut self, name: &ast::Name, element: TypeId) -> Option<VarId> {
        let id = match self.names.get(&name.text).copied() {
            Some(Local { var: Some(id), span }) => {
                let had = self.vars[id.0 as usize].ty;
                if had != element {
                    let (had, has) = (self.name(had), self.name(element));
                    let message = format!("`{}` is {had}, but the queue holds {has}", name.text);
                    let report = Diagnostic::error(Code::TypeChanges, name.span, message);
                    self.report(report.label(span, format!("`{}` is {had} since here", name.text)));
                    return None;
                }
                id
            }
            Some(Local { var: None, .. }) | None => {
                let id = self.new_var(Some(name.text.clone()), element);
                self.names.insert(name.text.clone(), Local { var: Some(id), span: name.span });
                id
            }
        };
        self.assigned.add(id);
        Some(id)
    }
}

//! Constants of the module that are more than a number or a text: lists, dicts, objects, and what operators, builtins and
//! functions make of them. Each function that reads one makes it once, when it begins. So a flow has a copy, which is as
//! good as the original, since a constant that anything in the file changes can't be used in a flow.

use super::body::Checker;
use super::expr::var;
use super::names::{ConstantSource, Program};
use crate::ast::{self, ExprKind as A, StmtKind as S};
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::tree::{Expr, Stmt, StmtKind};
use std::collections::{BTreeMap, HashSet};

/// Methods that change what they are called on.
const CHANGING: &[&str] = &[
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "popitem",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
    "add",
    "discard",
    "appendleft",
    "popleft",
];

/// The name that an element or attribute belongs to.
fn root(expr: &ast::Expr) -> Option<&str> {
    match &expr.kind {
        A::Name(name) => Some(name),
        A::Attribute(of, _) | A::Index(of, _) => root(of),
        _ => None,
    }
}

/// The attribute of the root that an expression goes through: `b` of `a.b[0].c`.
fn member(expr: &ast::Expr) -> Option<&str> {
    match &expr.kind {
        A::Attribute(of, name) => {
            if matches!(of.kind, A::Name(_)) {
                Some(&name.text)
            } else {
                member(of)
            }
        }
        A::Index(of, _) => member(of),
        _ => None,
    }
}

/// The names whose values statements change in place, and where. `own` are names that mean something else there.
pub(super) fn changed_in(stmts: &[ast::Stmt], own: &HashSet<String>, out: &mut BTreeMap<String, Span>) {
    let mut inner: Vec<&ast::Function> = Vec::new();
    let found = std::cell::RefCell::new(Vec::new());
    // `X[…] = …` changes X; `X.y = …` and what goes deeper changes what X has under that name, too.
    let note = |expr: &ast::Expr| {
        if let (A::Index(..) | A::Attribute(..), Some(name)) = (&expr.kind, root(expr)) {
            found.borrow_mut().push((name.to_owned(), expr.span));
            found.borrow_mut().extend(member(expr).map(|member| (format!("{name}.{member}"), expr.span)));
        }
    };
    crate::walk::statements(
        stmts,
        &mut |stmt| match &stmt.kind {
            S::Assign(targets, _) | S::Delete(targets) => targets.iter().for_each(note),
            S::Augment(target, ..) => {
                note(target);
                if let A::Name(name) = &target.kind {
                    found.borrow_mut().push((name.clone(), target.span));
                }
            }
            S::Declare { target, .. } => note(target),
            S::Function(f) => inner.push(f),
            S::Class(c) => {
                inner.extend(c.body.iter().filter_map(|s| match &s.kind {
                    S::Function(f) => Some(&**f),
                    _ => None,
                }));
            }
            _ => {}
        },
        &mut |expr| {
            crate::walk::all(expr, &mut |e| {
                if let A::Call(of, _) = &e.kind
                    && let A::Attribute(of, method) = &of.kind
                    && CHANGING.contains(&method.text.as_str())
                    && let Some(name) = root(of)
                {
                    found.borrow_mut().push((name.to_owned(), e.span));
                    found.borrow_mut().extend(member(of).map(|member| (format!("{name}.{member}"), e.span)));
                }
            });
        },
    );
    for (name, span) in found.into_inner() {
        if !own.contains(name.split('.').next().unwrap_or("")) {
            out.entry(name).or_insert(span);
        }
    }
    for f in inner {
        let Ok(body) = &f.body else { continue };
        let mut own = own.clone();
        own.extend(f.params.iter().map(|p| p.name.text.clone()));
        super::body::assigned_names(body, &mut own);
        changed_in(body, &own, out);
    }
}

impl Program<'_> {
    /// What stands for a name as a type: the value of an alias, as it is written.
    pub fn alias(&self, index: usize) -> Option<&ast::Expr> {
        let constant = &self.constants[index];
        if self.assigned_twice.contains_key(&constant.name) {
            return None;
        }
        match constant.source {
            ConstantSource::Written(_, value) => Some(value),
            ConstantSource::Given(_) => None,
        }
    }

    /// The type that `NewType` names another type by, as it is written.
    pub fn new_type<'e>(&self, value: &'e ast::Expr) -> Option<&'e ast::Expr> {
        match &value.kind {
            A::Call(of, arguments) if self.is_foreign(of, "typing", "NewType") => match arguments.as_slice() {
                [_, ty] => Some(&ty.value),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Checker<'_, '_> {
    /// A constant that has to be made: once for the function, when it begins. `why` says why it is no simple one.
    pub fn made_constant(&mut self, index: usize, span: Span, why: Diagnostic) -> Option<Expr> {
        if let Some((_, id)) = self.made.iter().find(|(known, _)| *known == index) {
            return Some(var(*id, self.vars[id.0 as usize].ty, span));
        }
        let name = self.program.constants[index].name.clone();
        let ConstantSource::Written(annotation, value) = self.program.constants[index].source else {
            self.report(why);
            return None;
        };
        let too_large = why.labels.iter().any(|l| l.message == super::constants::TOO_LARGE);
        if too_large || self.program.assigned_twice.contains_key(&name) || self.making.contains(&index) {
            self.report(why);
            return None;
        }
        let mut asks_package = false;
        crate::walk::all(value, &mut |e| {
            if let A::Call(of, _) = &e.kind {
                asks_package |= self.program.api(of).is_some();
            }
        });
        if asks_package || matches!(value.kind, A::Lambda(_)) {
            self.report(why);
            return None;
        }
        let mut ignored = Vec::new();
        let want = annotation.and_then(|a| self.program.annotation(a, &mut ignored));
        let before = self.out.len();
        let acted = std::mem::replace(&mut self.acts, false);
        self.making.push(index);
        let made = self.globally(|c| {
            let value = c.expr(value, want)?;
            match want {
                Some(want) => c.needed(value, want, &format!("`{name}`")),
                None => Some(value),
            }
        });
        self.making.pop();
        let acts = std::mem::replace(&mut self.acts, acted);
        let made = made.filter(|_| !acts);
        let Some(made) = made else {
            self.out.truncate(before);
            self.report(why);
            return None;
        };
        let place = self.program.constants[index].span;
        self.uses.push(place);
        if made.is_simple() {
            return Some(Expr { span, ..made });
        }
        Some(self.kept_constant(index, Expr { span, ..made }, place))
    }

    /// A constant that is made once for the function.
    pub fn kept_constant(&mut self, index: usize, value: Expr, place: Span) -> Expr {
        let (ty, span) = (value.ty, value.span);
        if let Some((_, id)) = self.made.iter().find(|(known, _)| *known == index) {
            return var(*id, ty, span);
        }
        let id = self.new_var(None, ty);
        let place = if place == Span::default() { span } else { place };
        self.made_stmts.push(Stmt { span: place, kind: StmtKind::Assign(id, value) });
        self.made.push((index, id));
        var(id, ty, span)
    }

    /// `UserId(5)` of a `NewType`: the value itself, checked.
    pub fn call_new_type(&mut self, index: usize, arguments: &[ast::Argument]) -> Option<Option<Expr>> {
        let ty = self.program.alias(index).and_then(|value| self.program.new_type(value)).cloned()?;
        let mut reports = Vec::new();
        let ty = self.program.annotation(&ty, &mut reports);
        self.out.append(&mut reports);
        let [argument] = arguments else { return Some(None) };
        Some((|| {
            let value = self.expr(&argument.value, ty)?;
            self.needed(value, ty?, "the value")
        })())
    }
}

//! Patterns of `case`: each becomes a condition, and assignments for when it holds.

use super::body::Checker;
use super::classes::ClassKind;
use super::convert::{convert, join, op_with};
use super::expr::{int, op, seq, typed, var};
use super::names::Global;
use super::unions::is_kind;
use crate::ast::{self, ExprKind as A, PatternKind as P};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

impl Checker<'_, '_> {
    /// Whether the subject fits the pattern, as a condition; what it binds goes into `binds`. The subject may be used any
    /// number of times.
    pub fn pattern(&mut self, pattern: &ast::Pattern, subject: &Expr, binds: &mut Vec<Stmt>) -> Option<Expr> {
        let span = pattern.span;
        if self.is_union(subject.ty)
            && matches!(pattern.kind, P::Value(_) | P::Sequence(_) | P::Mapping(..) | P::Class(..))
        {
            return self.pattern_of_union(pattern, subject, binds);
        }
        match &pattern.kind {
            P::Any => Some(truth(true, span)),
            P::Value(value) => {
                let value = self.expr(value, Some(subject.ty))?;
                self.compare(ast::CompareOp::Eq, subject.clone(), value, span)
            }
            P::Or(list) => self.alternatives(list, subject, span, binds),
            P::Capture(inner, name) => {
                let test = match inner {
                    Some(inner) => self.pattern(inner, subject, binds),
                    None => Some(truth(true, span)),
                };
                let mut value = subject.clone();
                if let Some(inner) = inner
                    && self.is_union(subject.ty)
                {
                    let members = self.alternatives_of(subject.ty);
                    let may_be = self.pattern_tells(inner, &members).may_be;
                    if !may_be.is_empty() {
                        value = super::unions::narrow(value, self.program.types.union(&may_be));
                    }
                }
                self.store_name(&name.text, name.span, Some(value), binds);
                test
            }
            P::Sequence(parts) => self.sequence(parts, subject, span, binds),
            P::Mapping(entries, rest) => self.mapping(entries, rest.as_ref(), subject, span, binds),
            P::Class(of, positional, named) => self.class_pattern(of, positional, named, subject, span, binds),
            P::Star(_) => self.fail(Code::Syntax, span, "`*` stands in a sequence pattern only"),
            P::Unsupported(what) => {
                let report = Diagnostic::error(Code::NotYet, span, format!("not supported yet: {what} in a case"));
                self.report(report);
                None
            }
        }
    }

    /// Alternatives: what the one that fits binds.
    fn alternatives(
        &mut self,
        list: &[ast::Pattern],
        subject: &Expr,
        span: Span,
        binds: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let mut tests = Vec::new();
        let mut bound: Vec<(crate::tree::VarId, TypeId, crate::tree::VarId)> = Vec::new();
        let (before, mut after) = (self.assigned.clone(), crate::flow::Assigned::unreachable());
        for pattern in list {
            let mut own = Vec::new();
            self.assigned = before.clone();
            let test = self.pattern(pattern, subject, &mut own);
            after.join(&self.assigned);
            // Each alternative puts what it binds into variables of its own, since another one may be tried first.
            let mut kept = Vec::new();
            for stmt in own {
                let StmtKind::Assign(id, value) = stmt.kind else {
                    let message = "not supported yet: `**` in alternatives of a pattern";
                    return self.fail(Code::NotYet, pattern.span, message);
                };
                let ty = value.ty;
                if self.vars[id.0 as usize].name.is_none() {
                    kept.push(Stmt { span: stmt.span, kind: StmtKind::Assign(id, value) });
                    continue;
                }
                let known = bound.iter().find(|(name, ..)| *name == id).map(|(.., temp)| *temp);
                let temp = match known {
                    Some(temp) => temp,
                    None => {
                        let temp = self.new_var(None, ty);
                        bound.push((id, ty, temp));
                        temp
                    }
                };
                kept.push(Stmt { span: stmt.span, kind: StmtKind::Assign(temp, value) });
            }
            tests.push(test.map(|test| if kept.is_empty() { test } else { both(test, seq(kept, truth(true, span))) }));
        }
        self.assigned = after;
        for (id, ty, temp) in bound {
            binds.push(Stmt { span, kind: StmtKind::Assign(id, var(temp, ty, span)) });
        }
        let tests = tests.into_iter().collect::<Option<Vec<_>>>()?;
        if tests.iter().any(|t| matches!(t.kind, ExprKind::Bool(true))) {
            return Some(truth(true, span));
        }
        tests
            .into_iter()
            .rev()
            .reduce(|right, left| typed(types::BOOL, span, ExprKind::Logic(false, Box::new(left), Box::new(right))))
    }

    /// A part of the subject in a variable, and whether it fits its pattern.
    fn part(&mut self, pattern: &ast::Pattern, value: Expr, test: Option<Expr>, binds: &mut Vec<Stmt>) -> Option<Expr> {
        let test = test?;
        if matches!(pattern.kind, P::Any) {
            return Some(test);
        }
        let (mut stmts, mut inner) = (Vec::new(), Vec::new());
        let value = self.keep(value, &mut stmts);
        let fits = self.pattern(pattern, &value, &mut inner)?;
        if matches!(fits.kind, ExprKind::Bool(true)) {
            // Nothing of it is needed to decide.
            binds.extend(stmts.into_iter().chain(inner));
            return Some(test);
        }
        binds.extend(inner);
        Some(both(test, seq(stmts, fits)))
    }

    fn sequence(&mut self, parts: &[ast::Pattern], subject: &Expr, span: Span, binds: &mut Vec<Stmt>) -> Option<Expr> {
        let star = parts.iter().position(|p| matches!(p.kind, P::Star(_)));
        let fixed = parts.len() - usize::from(star.is_some());
        let after = star.map_or(0, |at| parts.len() - 1 - at);
        let named = self.program.class_of(subject.ty).filter(|c| self.program.classes[*c].kind == ClassKind::Named);
        match self.program.types.get(subject.ty).clone() {
            Type::List(element) => {
                let length = op(Op::ListLen, vec![subject.clone()], types::INT, span);
                let (check, count) = (if star.is_some() { Op::Ige } else { Op::Ieq }, fixed as i64);
                let mut test = match (star, count) {
                    (Some(_), 0) => Some(truth(true, span)),
                    _ => Some(op(check, vec![length, int(count, span)], types::BOOL, span)),
                };
                for (at, part) in parts.iter().enumerate() {
                    let from_end = at as i64 - parts.len() as i64;
                    let index = match star {
                        Some(star) if at > star => from_end,
                        _ => at as i64,
                    };
                    test = match &part.kind {
                        P::Star(None) => test,
                        P::Star(Some(name)) => {
                            let stop = if after == 0 { i64::MIN } else { -(after as i64) };
                            let args =
                                vec![subject.clone(), int(at as i64, span), int(stop, span), int(i64::MIN, span)];
                            let rest = self.syntax("list_slice", args, span)?;
                            self.store_name(&name.text, name.span, Some(rest), binds);
                            test
                        }
                        _ => {
                            let element = op(Op::ListGet, vec![subject.clone(), int(index, span)], element, part.span);
                            self.part(part, element, test, binds)
                        }
                    };
                }
                test
            }
            Type::Tuple(_) | Type::Class(_)
                if named.is_some() || matches!(self.program.types.get(subject.ty), Type::Tuple(_)) =>
            {
                let slots = self.program.types.slots(subject.ty).unwrap_or_default();
                let fits = if star.is_some() { slots.len() >= fixed } else { slots.len() == fixed };
                let mut test = Some(truth(fits, span));
                if !fits {
                    let message = format!("this never fits: the tuple has {} parts", slots.len());
                    return self.fail(Code::Unpack, span, message);
                }
                for (at, part) in parts.iter().enumerate() {
                    let slot = match star {
                        Some(star) if at > star => slots.len() - (parts.len() - at),
                        _ => at,
                    };
                    let get = |slot: usize, ty: TypeId| {
                        let imm = Imm::Slot(u32::try_from(slot).unwrap_or(u32::MAX));
                        op_with(Op::SlotGet, vec![subject.clone()], imm, ty, part.span)
                    };
                    test = match &part.kind {
                        P::Star(None) => test,
                        P::Star(Some(name)) => {
                            let rest: Vec<usize> = (at..slots.len() - after).collect();
                            let common = rest.iter().map(|s| slots[*s]).try_fold(None, |ty: Option<TypeId>, part| {
                                ty.map_or(Some(part), |ty| join(ty, part)).map(Some)
                            });
                            let Some(Some(common)) = common else {
                                let message = "the parts of the tuple that `*` takes have no common type";
                                return self.fail(Code::Unpack, part.span, message);
                            };
                            let values: Option<Vec<Expr>> =
                                rest.into_iter().map(|s| convert(get(s, slots[s]), common).ok()).collect();
                            let ty = self.program.types.intern(Type::List(common));
                            let list = op(Op::ListNew, values?, ty, part.span);
                            self.store_name(&name.text, name.span, Some(list), binds);
                            test
                        }
                        _ => self.part(part, get(slot, slots[slot]), test, binds),
                    };
                }
                test
            }
            _ => {
                let message = format!("{} never fits a sequence pattern", self.name(subject.ty));
                self.fail(Code::Mismatch, span, message)
            }
        }
    }

    fn mapping(
        &mut self,
        entries: &[(ast::Expr, ast::Pattern)],
        rest: Option<&ast::Name>,
        subject: &Expr,
        span: Span,
        binds: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let Type::Dict(key_type, value_type) = *self.program.types.get(subject.ty) else {
            let message = format!("{} never fits a mapping pattern", self.name(subject.ty));
            return self.fail(Code::Mismatch, span, message);
        };
        let mut test = Some(truth(true, span));
        let mut keys = Vec::new();
        for (key, pattern) in entries {
            let key = self.expr(key, Some(key_type))?;
            let key = self.needed(key, key_type, "the key")?;
            let mut stmts = Vec::new();
            let key = self.keep(key, &mut stmts);
            keys.push(key.clone());
            let has = op(Op::DictHas, vec![subject.clone(), key.clone()], types::BOOL, span);
            test = test.map(|test| both(test, seq(stmts, has)));
            let value = op(Op::DictGet, vec![subject.clone(), key], value_type, pattern.span);
            test = self.part(pattern, value, test, binds);
        }
        if let Some(name) = rest {
            let copy = self.called("dict", vec![subject.clone()], span)?;
            let copy = self.keep(copy, binds);
            for key in keys {
                let delete = self.syntax("dict_delete", vec![copy.clone(), key], span)?;
                binds.push(Stmt { span, kind: StmtKind::Do(delete) });
            }
            self.store_name(&name.text, name.span, Some(copy), binds);
        }
        test
    }

    fn class_pattern(
        &mut self,
        of: &ast::Expr,
        positional: &[ast::Pattern],
        named: &[(ast::Name, ast::Pattern)],
        subject: &Expr,
        span: Span,
        binds: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let never = |checker: &mut Self, wanted: &str| {
            let message = format!("this never fits: the value is {}, not {wanted}", checker.name(subject.ty));
            checker.fail(Code::Mismatch, of.span, message)
        };
        if let A::Name(name) = &of.kind
            && self.is_free(name)
        {
            if !is_kind(name) {
                let locals: Vec<String> = self.names.keys().cloned().collect();
                let report = self.program.unknown(name, of.span, locals.iter().map(String::as_str));
                self.report(report);
                return None;
            }
            let fits = self.is_of_kind(name, subject.ty);
            if !fits {
                return never(self, name);
            }
            return match (positional, named) {
                ([], []) => Some(truth(fits, span)),
                ([inner], []) => self.pattern(inner, subject, binds),
                _ => self.fail(Code::ArgumentCount, span, format!("`{name}(…)` takes one pattern at most")),
            };
        }
        let Some((written, Some(Global::Class(class)))) = self.program.path(of) else {
            return self.fail(Code::UnknownType, of.span, "this is no class that a pattern can name");
        };
        let mut reports = Vec::new();
        let ty = self.program.class_type(class, of.span, &mut reports);
        self.out.append(&mut reports);
        if ty? != subject.ty {
            return never(self, &written);
        }
        let order: Vec<String> = {
            let class = &self.program.classes[class];
            let by_position = class.fields.iter().filter(|f| f.init && !f.param.keyword_only);
            if class.kind == ClassKind::Plain {
                Vec::new()
            } else {
                by_position.map(|f| f.param.name.clone()).collect()
            }
        };
        if positional.len() > order.len() {
            let message = format!("`{written}` has {} to match by position", super::call::count(order.len(), "field"));
            return self.fail(Code::ArgumentCount, span, message);
        }
        let places = order.into_iter().map(|text| ast::Name { text, span });
        let parts: Vec<(ast::Name, &ast::Pattern)> =
            places.zip(positional).chain(named.iter().map(|(n, p)| (n.clone(), p))).collect();
        let mut test = Some(truth(true, span));
        for (name, pattern) in parts {
            let value = match self.program.types.get(subject.ty) {
                Type::Class(id) if self.program.types.class(*id).field(&name.text).is_some() => {
                    let (slot, ty) = self.field(subject, &name)?;
                    op_with(Op::SlotGet, vec![subject.clone()], Imm::Slot(slot), ty, pattern.span)
                }
                _ => match self.other_attribute(subject, &name) {
                    Some(value) => value?,
                    None => {
                        self.field(subject, &name)?;
                        return None;
                    }
                },
            };
            test = self.part(pattern, value, test, binds);
        }
        test
    }
}

fn truth(value: bool, span: Span) -> Expr {
    typed(types::BOOL, span, ExprKind::Bool(value))
}

fn both(left: Expr, right: Expr) -> Expr {
    match (&left.kind, &right.kind) {
        (ExprKind::Bool(true), _) => right,
        (_, ExprKind::Bool(true)) => left,
        _ => {
            let span = left.span;
            typed(types::BOOL, span, ExprKind::Logic(true, Box::new(left), Box::new(right)))
        }
    }
}

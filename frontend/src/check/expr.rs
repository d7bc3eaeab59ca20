//! Expressions: each gets its type, from what is in it and from what is wanted of it (which decides only what the
//! expression leaves open, such as the type of an empty list).

use super::body::{Checker, Local, unsupported};
use super::conditions::Outcomes;
use super::convert::{convert, join};
use super::names::Global;
use crate::ast::{self, BinaryOp, CompareOp, ExprKind as A, UnaryOp};
use crate::diag::{Code, Diagnostic};
use crate::flow::Assigned;
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind, VarId};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

/// What a report calls a value of a conditional expression.
const CHOICE: &str = "the other value of this `if`";

/// So many alternatives of an `in` are compared one by one; more of them become a list.
const FEW: usize = 16;

/// An expression.
pub(super) fn typed(ty: TypeId, span: Span, kind: ExprKind) -> Expr {
    Expr { ty, span, kind }
}

/// An instruction without immediate.
pub(super) fn op(code: Op, args: Vec<Expr>, ty: TypeId, span: Span) -> Expr {
    typed(ty, span, ExprKind::Op(code, args, Imm::No))
}

/// A variable's value.
pub(super) fn var(id: VarId, ty: TypeId, span: Span) -> Expr {
    typed(ty, span, ExprKind::Var(id))
}

/// An integer.
pub(super) fn int(value: i64, span: Span) -> Expr {
    typed(types::INT, span, ExprKind::Int(value))
}

/// Statements, then a value.
pub(super) fn seq(stmts: Vec<Stmt>, value: Expr) -> Expr {
    if stmts.is_empty() {
        return value;
    }
    let (ty, span) = (value.ty, value.span);
    typed(ty, span, ExprKind::Seq(stmts, Box::new(value)))
}

impl Checker<'_, '_> {
    /// Checks an expression. `want` is the type that it will be needed as, if that is known; the result may still be of
    /// another one.
    pub fn expr(&mut self, expr: &ast::Expr, want: Option<TypeId>) -> Option<Expr> {
        if !self.infer.is_open() {
            return self.expr_as(expr, want);
        }
        let want = want.map(|ty| self.resolved(ty));
        let value = self.expr_as(expr, want)?;
        let ty = self.resolved(value.ty);
        Some(Expr { ty, ..value })
    }

    fn expr_as(&mut self, expr: &ast::Expr, want: Option<TypeId>) -> Option<Expr> {
        let span = expr.span;
        let want = self.guide(expr, want);
        match &expr.kind {
            A::None => Some(typed(types::NONE, span, ExprKind::None)),
            A::Bool(b) => Some(typed(types::BOOL, span, ExprKind::Bool(*b))),
            A::Int(value) => self.int_literal(*value, want, span),
            A::Float(f) => Some(typed(types::FLOAT, span, ExprKind::Float(*f))),
            A::Str(s) => Some(typed(types::STR, span, ExprKind::Str(s.clone()))),
            A::Bytes(b) => Some(typed(types::BYTES, span, ExprKind::Bytes(b.clone()))),
            A::Format(parts) => self.format(parts, span),
            A::Name(name) => self.name_value(name, expr),
            A::List(elements) => self.list(elements, want, span),
            A::Tuple(parts) => self.tuple(parts, want, span),
            A::Dict(entries) => self.dict(entries, want, span),
            A::Set(parts) => self.set_display(parts, want, span),
            A::Starred(inner) => {
                self.expr(inner, None);
                self.report(unsupported("unpacking with *", span));
                None
            }
            A::Unary(UnaryOp::Minus, inner) if matches!(inner.kind, A::Int(_)) => match inner.kind {
                A::Int(value) => self.int_literal(value.checked_neg().unwrap_or(i128::MAX), want, span),
                _ => None,
            },
            A::Unary(UnaryOp::Not, inner) => {
                let value = self.condition(inner)?;
                Some(op(Op::Bnot, vec![value], types::BOOL, span))
            }
            A::Unary(code, inner) => self.unary(*code, inner, want, span),
            A::Binary(code, left, right) => {
                if let (BinaryOp::Mod, Some(template)) = (code, self.template_text(left)) {
                    return self.percent(&template, right, left.span, span);
                }
                if let (BinaryOp::Mod, A::Bytes(template)) = (code, &left.kind) {
                    return self.percent_bytes(template, right, left.span, span);
                }
                let (left, right) = self.operands(*code, left, right, want);
                self.binary(*code, left?, right?, span)
            }
            A::Logic(and, values) => match values.first() {
                Some(first) => self.partly(&[first], |c| c.logic_value(*and, values, want, span)),
                None => None,
            },
            A::Compare(first, rest) if rest.len() > 1 => {
                let certain: Vec<&ast::Expr> = std::iter::once(&**first).chain(rest.first().map(|(_, e)| e)).collect();
                self.partly(&certain, |c| c.comparison(first, rest, span))
            }
            A::Compare(first, rest) => self.comparison(first, rest, span),
            A::If { test, then, otherwise } => self.choice(test, then, otherwise, want, span),
            A::Call(of, arguments) => self.call(of, arguments, want, span, false),
            A::Attribute(of, name) => self.attribute(expr, of, name),
            A::Index(of, index) => {
                let value = self.index(of, index, span)?;
                Some(self.as_known(expr, value))
            }
            A::Slice(..) => self.fail(Code::Index, span, "a slice stands in brackets after a value only"),
            A::Await(inner) => self.awaited(inner, want, span),
            A::Walrus(name, value) => {
                let value = self.expr(value, self.variable_type(&name.text));
                let mut stmts = Vec::new();
                self.store_name(&name.text, name.span, value, &mut stmts);
                let id = self.names.get(&name.text)?.var?;
                let value = self.known_value(id, expr);
                Some(seq(stmts, value))
            }
            A::Lambda(_) => {
                let report = Diagnostic::error(Code::Unsupported, span, "a lambda can't be kept here");
                self.report(report.help("call it, give it a name of its own by `f = lambda …`, or pass it as key="));
                None
            }
            A::Comprehension(c) => self.comprehension(c, want, span),
            A::Unsupported(what) => {
                self.report(unsupported(what, span));
                None
            }
        }
    }

    /// An expression that may be of the wanted type, and of another one where it does not fit that.
    pub fn expr_guided(&mut self, expr: &ast::Expr, want: Option<TypeId>) -> Option<Expr> {
        let Some(want) = want else { return self.expr(expr, None) };
        let (reports, before) = (self.out.len(), self.assigned.clone());
        let value = self.expr(expr, Some(want));
        if self.out.len() == reports {
            return value;
        }
        let said = self.out.split_off(reports);
        self.assigned = before;
        let value = self.expr(expr, None);
        // Where it is wrong either way, what was said about the wanted type says more.
        if self.out.len() > reports {
            self.out.truncate(reports);
            self.out.extend(said);
        }
        value
    }

    /// An expression whose value is dropped.
    pub fn effect(&mut self, expr: &ast::Expr) -> Option<Expr> {
        self.expr(expr, None)
    }

    fn int_literal(&mut self, value: i128, want: Option<TypeId>, span: Span) -> Option<Expr> {
        match i64::try_from(value) {
            Ok(value) if want == Some(types::FLOAT) => convert(int(value, span), types::FLOAT).ok(),
            Ok(value) => Some(int(value, span)),
            Err(_) => {
                let report = Diagnostic::error(Code::IntRange, span, "this integer does not fit 64 bits");
                self.report(report.help("integers of flows are from -2**63 to 2**63 - 1"));
                None
            }
        }
    }

    /// The type that a variable has already.
    fn variable_type(&self, name: &str) -> Option<TypeId> {
        self.names.get(name)?.var.map(|v| self.type_of_variable(v))
    }

    fn name_value(&mut self, name: &str, expr: &ast::Expr) -> Option<Expr> {
        let span = expr.span;
        if let Some(local) = self.names.get(name).copied() {
            return self.local_value(name, local, expr);
        }
        if let Some(generator) = self.generators.get(name).cloned() {
            return self.used_up(&generator, None);
        }
        let function =
            [self.nested.contains_key(name), self.lambdas.contains_key(name), self.stand_ins.contains_key(name)];
        if function.contains(&true) {
            return self.nested_value(name, span);
        }
        if self.locals.contains(name) {
            self.unassigned(name, span);
            // A turn before this one may have assigned it.
            self.early.insert(name.to_owned(), self.loops.iter().map(|l| l.number).collect());
            self.names.insert(name.to_owned(), Local { var: None, span });
            return None;
        }
        match self.program.globals.get(name).cloned() {
            Some(Global::Constant(index)) => self.constant(index, span),
            Some(Global::Class(index)) if self.program.classes[index].members.is_some() => self.members(index, span),
            Some(global) => {
                if let Some(value) = math_constant(&global, span) {
                    return Some(value);
                }
                let report = self.program.unusable(name, &global, span);
                self.report(report);
                None
            }
            None => {
                let locals: Vec<String> = self.names.keys().cloned().collect();
                let report = if name == "range" || name == "enumerate" || super::builtin::is_builtin(name) {
                    Diagnostic::error(
                        Code::NotCallable,
                        span,
                        format!("`{name}` is a function, and functions are not values"),
                    )
                    .help(format!("call it: {name}(…)"))
                } else {
                    self.program.unknown(name, span, locals.iter().map(String::as_str))
                };
                self.report(report);
                None
            }
        }
    }

    pub fn constant(&mut self, index: usize, span: Span) -> Option<Expr> {
        let place = self.program.constants[index].span;
        let name = &self.program.constants[index].name;
        if let Some(changed) = self.program.changed.get(name).copied() {
            let message = format!("`{name}` is no constant that a flow can use: it is changed");
            let report = Diagnostic::error(Code::NotConstant, span, message).label(changed, "changed here");
            self.report(report.help("pass it as an argument, or make a new value in the flow"));
            return None;
        }
        match self.program.constant(index, span, 0) {
            Ok((datum, ty)) => {
                if place != Span::default() {
                    self.uses.push(place);
                }
                let value = super::constants::literal(&self.program.types, &datum, ty, span);
                match self.program.types.get(ty) {
                    Type::List(_) | Type::Dict(..) => Some(self.kept_constant(index, value, place)),
                    _ => Some(value),
                }
            }
            Err(report) => self.made_constant(index, span, Diagnostic { span, ..*report }),
        }
    }

    pub fn is_empty_literal(expr: &ast::Expr) -> bool {
        match &expr.kind {
            A::List(e) => e.is_empty(),
            A::Dict(e) => e.is_empty(),
            _ => false,
        }
    }

    /// Checks values that are to have one type: the wanted one, or the one that all of them convert to.
    fn common(&mut self, exprs: &[&ast::Expr], want: Option<TypeId>, what: &str) -> Option<(Vec<Expr>, TypeId)> {
        self.common_in(exprs, want, what, &mut [])
    }

    /// As `common`, where each value is evaluated in a state of its own: what has a value before it, and then after it.
    fn common_in(
        &mut self,
        exprs: &[&ast::Expr],
        want: Option<TypeId>,
        what: &str,
        states: &mut [Assigned],
    ) -> Option<(Vec<Expr>, TypeId)> {
        let mut check = |checker: &mut Self, index: usize, expr: &ast::Expr, want: Option<TypeId>| {
            let Some(state) = states.get_mut(index) else { return checker.expr(expr, want) };
            checker.assigned = state.clone();
            let value = checker.expr(expr, want);
            *state = checker.assigned.clone();
            value
        };
        if let Some(want) = want {
            let values: Vec<Option<Expr>> = exprs
                .iter()
                .enumerate()
                .map(|(index, e)| {
                    let value = check(self, index, e, Some(want))?;
                    self.needed(value, want, what)
                })
                .collect();
            return Some((values.into_iter().collect::<Option<Vec<_>>>()?, want));
        }
        let mut values: Vec<Option<Expr>> = Vec::new();
        let mut ty: Option<TypeId> = None;
        let mut wrong = false;
        // Empty lists and dicts take their type from the others.
        for (index, expr) in exprs.iter().enumerate() {
            if Self::is_empty_literal(expr) && exprs.len() > 1 {
                values.push(None);
                continue;
            }
            let mut value = check(self, index, expr, None);
            if let Some(before) = ty {
                value = value.map(|value| self.told(value, before));
                ty = Some(self.resolved(before));
            }
            match (&value, ty) {
                (Some(value), None) => ty = Some(value.ty),
                (Some(value), Some(before)) => ty = Some(self.join_of(before, value.ty)),
                (None, _) => wrong = true,
            }
            values.push(value);
        }
        if wrong {
            return None;
        }
        for (expr, value) in exprs.iter().zip(&mut values) {
            if value.is_none() {
                *value = self.expr(expr, ty);
            }
        }
        let ty = ty.or_else(|| values.first().and_then(|v| v.as_ref().map(|v| v.ty)))?;
        let ty = self.resolved(ty);
        let mut all = Vec::new();
        for value in values {
            let value = self.told(value?, ty);
            all.push(self.converted(value, ty).ok()?);
        }
        let values = all;
        Some((values, ty))
    }

    /// The type that two of several values have in common, which may be a union of any types.
    fn join_of(&mut self, a: TypeId, b: TypeId) -> TypeId {
        join(a, b).unwrap_or_else(|| self.program.types.union(&[a, b]))
    }

    fn list(&mut self, elements: &[ast::Expr], want: Option<TypeId>, span: Span) -> Option<Expr> {
        let want_element = want.and_then(|ty| match self.program.types.get(ty) {
            Type::List(e) => Some(*e),
            _ => None,
        });
        if elements.is_empty() {
            let ty = match want_element {
                Some(element) => self.program.types.intern(Type::List(element)),
                None => self.empty_type(span, |unknown| Type::List(unknown())),
            };
            return Some(op(Op::ListNew, Vec::new(), ty, span));
        }
        self.list_of(elements, want_element, "an element of this list", span)
    }

    /// A list of elements, at least one.
    pub fn list_of(&mut self, elements: &[ast::Expr], want: Option<TypeId>, what: &str, span: Span) -> Option<Expr> {
        if elements.iter().any(|e| matches!(e.kind, A::Starred(_))) {
            return self.starred_list(elements, want, what, span);
        }
        let exprs: Vec<&ast::Expr> = elements.iter().collect();
        let (values, element) = self.common(&exprs, want, what)?;
        let ty = self.program.types.intern(Type::List(element));
        Some(op(Op::ListNew, values, ty, span))
    }

    fn tuple(&mut self, parts: &[ast::Expr], want: Option<TypeId>, span: Span) -> Option<Expr> {
        if parts.iter().any(|p| matches!(p.kind, A::Starred(_))) {
            return self.starred_tuple(parts, want, span);
        }
        if let Some(Type::TupleOf(element)) = want.map(|ty| self.program.types.get(ty)) {
            let element = *element;
            let list = self.program.types.intern(Type::List(element));
            let list = match parts {
                [] => op(Op::ListNew, Vec::new(), list, span),
                _ => self.list_of(parts, Some(element), "a part of this tuple", span)?,
            };
            return self.called("tuple", vec![list], span);
        }
        let wants: Vec<Option<TypeId>> = match want.map(|ty| self.program.types.get(ty)) {
            Some(Type::Tuple(wants)) if wants.len() == parts.len() => wants.iter().copied().map(Some).collect(),
            _ => vec![None; parts.len()],
        };
        let values: Vec<Option<Expr>> = parts
            .iter()
            .zip(wants)
            .map(|(part, want)| {
                let value = self.expr(part, want)?;
                Some(match want {
                    Some(want) => self.converted(value, want).unwrap_or_else(|value| value),
                    None => value,
                })
            })
            .collect();
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        let ty = Type::Tuple(values.iter().map(|v| v.ty).collect());
        let ty = self.program.types.intern(ty);
        Some(op(Op::New, values, ty, span))
    }

    fn dict(&mut self, entries: &[(Option<ast::Expr>, ast::Expr)], want: Option<TypeId>, span: Span) -> Option<Expr> {
        let (want_key, want_value) = match want.map(|ty| self.program.types.get(ty)) {
            Some(Type::Dict(k, v)) => (Some(*k), Some(*v)),
            _ => (None, None),
        };
        if entries.is_empty() {
            let ty = match (want_key, want_value) {
                (Some(key), Some(value)) => self.program.types.intern(Type::Dict(key, value)),
                _ => self.empty_type(span, |unknown| Type::Dict(unknown(), unknown())),
            };
            return Some(op(Op::DictNew, Vec::new(), ty, span));
        }
        if entries.iter().any(|(key, _)| key.is_none()) {
            let want = want.filter(|_| want_key.is_some());
            return self.merged_dict(entries, want, span);
        }
        let keys: Vec<&ast::Expr> = entries.iter().filter_map(|(k, _)| k.as_ref()).collect();
        let values: Vec<&ast::Expr> = entries.iter().map(|(_, v)| v).collect();
        let keys = self.common(&keys, want_key, "a key of this dict");
        let values = self.common(&values, want_value, "a value of this dict");
        let ((keys, key), (values, value)) = (keys?, values?);
        if !self.program.types.is_hashable(key) {
            let report = self.program.not_hashable(key, keys[0].span);
            self.report(report);
            return None;
        }
        let ty = self.program.types.intern(Type::Dict(key, value));
        let args = keys.into_iter().zip(values).flat_map(|(k, v)| [k, v]).collect();
        Some(op(Op::DictNew, args, ty, span))
    }

    fn choice(
        &mut self,
        test: &ast::Expr,
        then: &ast::Expr,
        otherwise: &ast::Expr,
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Expr> {
        let reached = self.assigned.is_reached();
        let (test, Outcomes { holds, fails }) = self.test(test);
        if reached && !(holds.is_reached() && fails.is_reached()) {
            // What no value leads to is not looked at.
            let (state, value) = if holds.is_reached() { (holds, then) } else { (fails, otherwise) };
            self.assigned = state;
            let value = self.expr(value, want)?;
            return Some(seq(vec![Stmt { span, kind: StmtKind::Do(test?) }], value));
        }
        let mut states = [holds, fails];
        let values = self.common_in(&[then, otherwise], want, CHOICE, &mut states);
        let [after, other] = states;
        self.assigned = after;
        self.assigned.join(&other);
        let (values, ty) = values?;
        let mut values = values.into_iter();
        let (then, otherwise) = (values.next()?, values.next()?);
        Some(typed(ty, span, ExprKind::If(Box::new(test?), Box::new(then), Box::new(otherwise))))
    }

    /// `a and b`, `a or b` as a value: one of the operands.
    fn logic_value(&mut self, and: bool, values: &[ast::Expr], want: Option<TypeId>, span: Span) -> Option<Expr> {
        self.logic_of_values(and, values, want, span)
    }

    fn comparison(&mut self, first: &ast::Expr, rest: &[(CompareOp, ast::Expr)], span: Span) -> Option<Expr> {
        // The keys and items of dicts are compared as sets, and a key is looked for in the dict itself.
        if let [(code, second)] = rest {
            let searched = matches!(code, CompareOp::In | CompareOp::NotIn);
            if searched && self.is_view(second) && matches!(&second.kind, A::Call(of, _) if is_keys(of)) {
                let A::Call(of, _) = &second.kind else { return None };
                let A::Attribute(dict, _) = &of.kind else { return None };
                return self.comparison(first, &[(*code, (**dict).clone())], span);
            }
            let identity = matches!(code, CompareOp::Is | CompareOp::IsNot);
            if !searched && !identity && (self.is_view(first) || self.is_view(second)) {
                if let (CompareOp::Eq | CompareOp::Ne, Some(a), Some(b)) = (code, items_of(first), items_of(second)) {
                    return self.comparison(a, &[(*code, b.clone())], span);
                }
                let side =
                    |c: &mut Self, side: &ast::Expr| if c.is_view(side) { c.as_set(side) } else { c.expr(side, None) };
                let (left, right) = (side(self, first), side(self, second));
                return self.compare(*code, left?, right?, span);
            }
        }
        // The middle operands of a chain are evaluated once, and only as far as the chain holds.
        let mut left = self.expr(first, None);
        let mut links = Vec::new();
        for (index, (code, right)) in rest.iter().enumerate() {
            // A float guides nothing: an int beside it is compared as the int that it is.
            let want = match code {
                CompareOp::In | CompareOp::NotIn => None,
                _ => left.as_ref().map(|l| l.ty).filter(|ty| *ty != types::FLOAT),
            };
            let right = match (code, &right.kind) {
                (CompareOp::In | CompareOp::NotIn, A::Tuple(parts) | A::List(parts) | A::Set(parts))
                    if rest.len() == 1
                        && parts.len() <= FEW
                        && !parts.iter().any(|p| matches!(p.kind, A::Starred(_))) =>
                {
                    return self.one_of(left?, parts, *code == CompareOp::NotIn, span);
                }
                (CompareOp::In | CompareOp::NotIn, A::Tuple(parts)) => self.list(parts, None, right.span),
                (CompareOp::In | CompareOp::NotIn, A::Call(of, bounds))
                    if rest.len() == 1
                        && (1..=3).contains(&bounds.len())
                        && bounds.iter().all(|a| a.name.is_none())
                        && matches!(&of.kind, A::Name(n) if n == "range" && self.is_free(n)) =>
                {
                    let found = self.in_range(left?, bounds, span)?;
                    let negated = *code == CompareOp::NotIn;
                    return Some(if negated { op(Op::Bnot, vec![found], types::BOOL, span) } else { found });
                }
                _ => self.expr(right, want),
            };
            let (Some(l), Some(r)) = (left, right) else {
                left = None;
                continue;
            };
            if index + 1 == rest.len() {
                links.push(self.compare(*code, l, r, span)?);
                left = None;
                break;
            }
            let id = self.new_var(None, r.ty);
            let again = var(id, r.ty, r.span);
            let kept = seq(vec![Stmt { span: r.span, kind: StmtKind::Assign(id, r) }], again.clone());
            links.push(self.compare(*code, l, kept, span)?);
            left = Some(again);
        }
        if links.len() != rest.len() || left.is_some() {
            return None;
        }
        let mut links = links.into_iter().rev();
        let last = links.next()?;
        Some(
            links.fold(last, |right, left| {
                typed(types::BOOL, span, ExprKind::Logic(true, Box::new(left), Box::new(right)))
            }),
        )
    }

    /// `x in (a, b, c)`: a comparison with each, as far as needed.
    fn one_of(&mut self, value: Expr, parts: &[ast::Expr], negated: bool, span: Span) -> Option<Expr> {
        let mut stmts = Vec::new();
        let value = self.keep(value, &mut stmts);
        let parts: Vec<Option<Expr>> = parts.iter().map(|p| self.expr(p, Some(value.ty))).collect();
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        // The operands have values before the first comparison; constants need no keeping.
        let parts: Vec<Expr> = parts.into_iter().map(|p| self.keep(p, &mut stmts)).collect();
        let mut result = typed(types::BOOL, span, ExprKind::Bool(false));
        for part in parts.into_iter().rev() {
            let equal = self.compare(CompareOp::Eq, value.clone(), part, span)?;
            result = match result.kind {
                ExprKind::Bool(false) => equal,
                _ => typed(types::BOOL, span, ExprKind::Logic(false, Box::new(equal), Box::new(result))),
            };
        }
        let result = if negated { op(Op::Bnot, vec![result], types::BOOL, span) } else { result };
        Some(seq(stmts, result))
    }

    fn awaited(&mut self, inner: &ast::Expr, want: Option<TypeId>, span: Span) -> Option<Expr> {
        if !self.is_async {
            let report = Diagnostic::error(
                Code::OutsideFunction,
                span,
                format!("`await` needs `{}` to be async", self.function),
            );
            self.report(report.help(format!("async def {}(…)", self.function)));
        }
        match &inner.kind {
            A::Call(of, arguments) => self.call(of, arguments, want, inner.span, true),
            _ => {
                self.expr(inner, want);
                let report = Diagnostic::error(Code::NeedlessAwait, span, "`await` stands before a call only");
                self.report(report.help("await queue.get()"));
                None
            }
        }
    }
}

/// What `items` is called of.
fn items_of(expr: &ast::Expr) -> Option<&ast::Expr> {
    let A::Call(of, arguments) = &expr.kind else { return None };
    match &of.kind {
        A::Attribute(dict, name) if name.text == "items" && arguments.is_empty() => Some(dict),
        _ => None,
    }
}

/// Whether a method is `keys`.
fn is_keys(of: &ast::Expr) -> bool {
    matches!(&of.kind, A::Attribute(_, name) if name.text == "keys")
}

/// The name that a dotted name begins with.
pub(super) fn root_name(expr: &ast::Expr) -> Option<&str> {
    match &expr.kind {
        A::Name(name) => Some(name),
        A::Attribute(of, _) => root_name(of),
        _ => None,
    }
}

/// The numbers of Python's math module.
pub(super) fn math_constant(global: &Global, span: Span) -> Option<Expr> {
    let Global::Foreign(what, _) = global else { return None };
    let value = match what.strip_prefix("comes from math.")? {
        "pi" => std::f64::consts::PI,
        "e" => std::f64::consts::E,
        "tau" => std::f64::consts::TAU,
        "inf" => f64::INFINITY,
        "nan" => f64::NAN,
        _ => return None,
    };
    Some(typed(types::FLOAT, span, ExprKind::Float(value)))
}

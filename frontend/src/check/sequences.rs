//! What holds many values: anything that can be iterated over as a list, displays with `*` and `**`, sets, and unpacking of
//! what has no known length.

use super::body::Checker;
use super::convert::{convert, join, op_with};
use super::expr::{int, op, seq, typed, var};
use crate::ast::{self, ExprKind as A};
use crate::diag::Code;
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::builtins::Builtin;
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type};

/// A part of a display: `*value` (as a list) or a value.
enum Part {
    All(Expr),
    One(Expr),
}

impl Checker<'_, '_> {
    /// The value as a list, a list as it is; what can't be iterated over comes back.
    pub fn listed(&mut self, value: Expr) -> Result<Expr, Expr> {
        let span = value.span;
        let whole = match self.named_parts(value.ty) {
            Some(parts) => Type::Tuple(parts),
            None => self.program.types.get(value.ty).clone(),
        };
        match whole {
            Type::List(_) => Ok(value),
            Type::Str | Type::Bytes | Type::Dict(..) | Type::TupleOf(_) | Type::Set(_) | Type::FrozenSet(_) => {
                let ty = value.ty;
                let unlisted = typed(ty, span, ExprKind::None);
                self.called("list", vec![value], span).ok_or(unlisted)
            }
            Type::Tuple(parts) if !parts.is_empty() => {
                let common = match parts.iter().copied().try_fold(parts[0], join) {
                    Some(common) => common,
                    None => self.program.types.union(&parts),
                };
                let mut stmts = Vec::new();
                let elements = self.parts_of(value, &parts, &mut stmts);
                let elements = elements.into_iter().map(|part| self.converted(part, common));
                let elements = elements.collect::<Result<_, _>>()?;
                let ty = self.program.types.intern(Type::List(common));
                Ok(seq(stmts, op(Op::ListNew, elements, ty, span)))
            }
            Type::Union(members) => self.listed_member(value, &members),
            _ => Err(value),
        }
    }

    /// What each of these types has as elements, as one type; none where one of them can't be iterated over.
    pub fn elements_of_all(&mut self, members: &[TypeId]) -> Option<TypeId> {
        let mut elements = Vec::new();
        for member in members {
            let whole = match self.named_parts(*member) {
                Some(parts) => Type::Tuple(parts),
                None => self.program.types.get(*member).clone(),
            };
            match whole {
                Type::Str => elements.push(types::STR),
                Type::Bytes => elements.push(types::INT),
                Type::Dict(key, _) => elements.push(key),
                Type::List(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) => elements.push(e),
                Type::Tuple(parts) => elements.extend(parts),
                _ => return None,
            }
        }
        if elements.is_empty() { None } else { Some(self.program.types.union(&elements)) }
    }

    /// A value of a union all of whose members can be iterated over, as a list.
    fn listed_member(&mut self, value: Expr, members: &[TypeId]) -> Result<Expr, Expr> {
        let (ty, span) = (value.ty, value.span);
        let Some(element) = self.elements_of_all(members) else { return Err(value) };
        let to = self.program.types.intern(Type::List(element));
        let none = typed(ty, span, ExprKind::None);
        self.for_each_member(value, span, "this", |c, v| c.list_with(v, to)).ok_or(none)
    }

    /// What can be iterated over as a list of this type: itself if it is one, else a new one.
    pub fn list_with(&mut self, value: Expr, to: TypeId) -> Option<Expr> {
        if value.ty == to {
            return Some(value);
        }
        let span = value.span;
        let element = self.element_type(to)?;
        let whole = match self.named_parts(value.ty) {
            Some(parts) => Type::Tuple(parts),
            None => self.program.types.get(value.ty).clone(),
        };
        if let Type::Tuple(parts) = whole {
            let mut stmts = Vec::new();
            let parts = self.parts_of(value, &parts, &mut stmts);
            let parts: Vec<Expr> = parts.into_iter().map(|p| self.converted(p, element).ok()).collect::<Option<_>>()?;
            return Some(seq(stmts, op(Op::ListNew, parts, to, span)));
        }
        let list = self.listed(value).ok()?;
        if list.ty == to {
            return Some(list);
        }
        let found = self.element_type(list.ty)?;
        if !self.fits(found, element, 0) {
            return None;
        }
        let mut stmts = Vec::new();
        let source = self.hide(list, &mut stmts);
        let c = ast::Comprehension { makes: ast::Makes::List, ..self.over(&source) };
        let list = self.comprehension(&c, Some(to), span)?;
        Some(seq(stmts, list))
    }

    /// A value where something is needed that is only read: what has other parts, or is of another kind, as a new one of this
    /// type. What is of no use for that comes back as it is.
    pub fn read_as(&mut self, value: Expr, to: TypeId) -> Expr {
        let value = if value.ty == to { value } else { self.told(value, to) };
        let to = self.resolved(to);
        if self.fits(value.ty, to, 0) {
            return value;
        }
        let before = self.out.len();
        let kept = value.clone();
        let members = self.alternatives_of(to);
        let made = if self.is_union(value.ty) {
            let span = value.span;
            self.for_each_member(value, span, "this", |c, v| {
                let v = c.read_as(v, to);
                c.converted(v, to).ok()
            })
        } else {
            members.into_iter().find_map(|member| self.copied_as(value.clone(), member))
        };
        match made {
            Some(made) => made,
            None => {
                self.out.truncate(before);
                kept
            }
        }
    }

    fn copied_as(&mut self, value: Expr, to: TypeId) -> Option<Expr> {
        let span = value.span;
        let plain = |c: &Self, ty: TypeId| c.program.types.get(ty).clone();
        match (plain(self, to), plain(self, value.ty)) {
            (Type::List(_), Type::Tuple(parts)) if parts.is_empty() => self.list_with(value, to),
            (Type::List(element), _) => {
                let found = self.elements_of_all(&[value.ty])?;
                if self.fits(found, element, 0) { self.list_with(value, to) } else { None }
            }
            (Type::Set(e) | Type::FrozenSet(e), Type::Set(found) | Type::FrozenSet(found)) => {
                if !self.fits(found, e, 0) {
                    return None;
                }
                let frozen = matches!(plain(self, to), Type::FrozenSet(_));
                let list = self.program.types.intern(Type::List(e));
                let list = self.list_with(value, list)?;
                self.set_of(list, if frozen { "frozenset" } else { "set" }, span)
            }
            (Type::Dict(k, v), Type::Dict(key, found)) => {
                if !self.fits(key, k, 0) || !self.fits(found, v, 0) {
                    return None;
                }
                let mut stmts = Vec::new();
                let source = self.hide(value, &mut stmts);
                let items = ast::Name { text: "items".to_owned(), span };
                let items = ast::Expr { span, kind: A::Attribute(Box::new(source), items) };
                let items = ast::Expr { span, kind: A::Call(Box::new(items), Vec::new()) };
                let made = self.dict_of_items(&items, to, span)?;
                Some(seq(stmts, made))
            }
            _ => None,
        }
    }

    /// The dict of this type that has these items.
    fn dict_of_items(&mut self, items: &ast::Expr, to: TypeId, span: Span) -> Option<Expr> {
        let name = |number: u32| ast::Expr { span, kind: A::Name(format!("$item{number}")) };
        let target = ast::Expr { span, kind: A::Tuple(vec![name(0), name(1)]) };
        let clause = ast::Clause { target, iterable: items.clone(), conditions: Vec::new() };
        let makes = ast::Makes::Dict;
        let c = ast::Comprehension { makes, element: name(0), value: Some(name(1)), clauses: vec![clause] };
        self.comprehension(&c, Some(to), span)
    }

    /// An expression that is used up where it stands: a generator, `map` or `filter` becomes the list of its elements.
    pub fn used_up(&mut self, expr: &ast::Expr, want: Option<TypeId>) -> Option<Expr> {
        let mut stmts = Vec::new();
        match self.as_generator(expr, &mut stmts) {
            Some(c) => {
                let c = ast::Comprehension { makes: ast::Makes::List, ..c? };
                let list = self.comprehension(&c, want, expr.span)?;
                Some(seq(stmts, list))
            }
            None => self.expr(expr, want),
        }
    }

    /// As `listed`; what can't be iterated over is reported.
    pub fn listed_or_report(&mut self, value: Expr) -> Option<Expr> {
        match self.listed(value) {
            Ok(list) => Some(list),
            Err(value) => {
                let message = format!("{} can't be iterated over", self.name(value.ty));
                self.fail(Code::NotIterable, value.span, message)
            }
        }
    }

    /// The parts of a tuple, each to be used any number of times.
    pub fn parts_of(&mut self, tuple: Expr, types: &[TypeId], stmts: &mut Vec<Stmt>) -> Vec<Expr> {
        let span = tuple.span;
        // A tuple that is made only to be taken apart is not made.
        if let ExprKind::Op(Op::New, values, _) = tuple.kind {
            return values.into_iter().map(|value| self.keep(value, stmts)).collect();
        }
        let tuple = self.keep(tuple, stmts);
        let part = |(index, ty): (usize, &TypeId)| {
            let slot = Imm::Slot(u32::try_from(index).unwrap_or(u32::MAX));
            op_with(Op::SlotGet, vec![tuple.clone()], slot, *ty, span)
        };
        types.iter().enumerate().map(part).collect()
    }

    /// The element type of a list.
    fn element_type(&self, list: TypeId) -> Option<TypeId> {
        self.program.types.element(list)
    }

    /// The checked parts of a display and the type that all have: the wanted one, or the one that they convert to.
    fn display(&mut self, parts: &[ast::Expr], want: Option<TypeId>, what: &str) -> Option<(Vec<Part>, TypeId)> {
        let mut checked: Vec<Option<Part>> = Vec::new();
        let mut ty = want;
        for part in parts {
            let wanted = want.or(ty);
            let (found, span, value) = match &part.kind {
                A::Starred(inner) => {
                    let list = wanted.map(|e| self.program.types.intern(Type::List(e)));
                    let list = self.used_up(inner, list).and_then(|value| self.listed_or_report(value));
                    let element = list.as_ref().and_then(|list| self.element_type(list.ty));
                    (element, inner.span, list.map(Part::All))
                }
                _ => {
                    let value = self.expr(part, wanted);
                    (value.as_ref().map(|v| v.ty), part.span, value.map(Part::One))
                }
            };
            if let (Some(before), Some(found)) = (ty, found) {
                let joined = match want {
                    Some(_) => Some(before).filter(|before| self.fits(found, *before, 0)),
                    None => Some(join(before, found).unwrap_or_else(|| self.program.types.union(&[before, found]))),
                };
                match joined {
                    Some(joined) => ty = Some(joined),
                    None => {
                        let message = format!("{what} must be {}, but this is {}", self.name(before), self.name(found));
                        return self.fail(Code::Mismatch, span, message);
                    }
                }
            }
            ty = ty.or(found);
            checked.push(value);
        }
        Some((checked.into_iter().collect::<Option<Vec<_>>>()?, ty?))
    }

    /// A list display with `*` among its elements.
    pub fn starred_list(&mut self, parts: &[ast::Expr], want: Option<TypeId>, what: &str, span: Span) -> Option<Expr> {
        let (parts, element) = self.display(parts, want, what)?;
        let ty = self.program.types.intern(Type::List(element));
        let id = self.new_var(None, ty);
        let list = var(id, ty, span);
        let mut stmts = vec![Stmt { span, kind: StmtKind::Assign(id, op(Op::ListNew, Vec::new(), ty, span)) }];
        for part in parts {
            let call = match part {
                Part::One(value) => {
                    let value = self.needed(value, element, what)?;
                    op(Op::ListPush, vec![list.clone(), value], types::NONE, span)
                }
                Part::All(all) => {
                    let (found, span_of) = (all.ty, all.span);
                    let Some(all) = self.list_with(all, ty) else {
                        let (wanted, found) = (self.name(ty), self.name(found));
                        let message = format!("what `*` unpacks here must be {wanted}, but this is {found}");
                        return self.fail(Code::Mismatch, span_of, message);
                    };
                    self.syntax("list_extend", vec![list.clone(), all], span)?
                }
            };
            stmts.push(Stmt { span, kind: StmtKind::Do(call) });
        }
        Some(seq(stmts, list))
    }

    /// A tuple display with `*` among its parts: of known length where all that is unpacked is, else of any length.
    pub fn starred_tuple(&mut self, parts: &[ast::Expr], want: Option<TypeId>, span: Span) -> Option<Expr> {
        let want = want.and_then(|ty| match self.program.types.get(ty) {
            Type::TupleOf(e) => Some(*e),
            _ => None,
        });
        let mut stmts = Vec::new();
        let mut values = Vec::new();
        let mut known = want.is_none();
        for part in parts {
            let (A::Starred(inner), true) = (&part.kind, known) else { continue };
            known = self.quiet_type(inner).is_some_and(|ty| matches!(self.program.types.get(ty), Type::Tuple(_)));
        }
        if !known {
            let list = self.starred_list(parts, want, "a part of this tuple", span)?;
            return self.called("tuple", vec![list], span);
        }
        for part in parts {
            match &part.kind {
                A::Starred(inner) => {
                    let tuple = self.expr(inner, None)?;
                    let slots = self.program.types.slots(tuple.ty)?;
                    values.extend(self.parts_of(tuple, &slots, &mut stmts));
                }
                _ => {
                    let value = self.expr(part, None)?;
                    values.push(self.keep(value, &mut stmts));
                }
            }
        }
        let ty = self.program.types.intern(Type::Tuple(values.iter().map(|v| v.ty).collect()));
        Some(seq(stmts, op(Op::New, values, ty, span)))
    }

    /// A dict display with `**` among its entries.
    pub fn merged_dict(
        &mut self,
        entries: &[(Option<ast::Expr>, ast::Expr)],
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Expr> {
        let mut ty = want;
        // A dict that is unpacked says the type of all, if nothing else does.
        let mut unpacked = Vec::new();
        for (key, value) in entries {
            if key.is_none() {
                let value = self.expr(value, ty)?;
                let Type::Dict(..) = self.program.types.get(value.ty) else {
                    let message = format!("`**` unpacks a dict, but this is {}", self.name(value.ty));
                    return self.fail(Code::Mismatch, value.span, message);
                };
                let whole = *ty.get_or_insert(value.ty);
                unpacked.push(Some(self.needed(value, whole, "what `**` unpacks here")?));
            } else {
                unpacked.push(None);
            }
        }
        let ty = ty?;
        let Type::Dict(k, v) = *self.program.types.get(ty) else { return None };
        let id = self.new_var(None, ty);
        let dict = var(id, ty, span);
        let mut stmts = vec![Stmt { span, kind: StmtKind::Assign(id, op(Op::DictNew, Vec::new(), ty, span)) }];
        for ((key, value), unpacked) in entries.iter().zip(unpacked) {
            let call = match (key, unpacked) {
                (_, Some(other)) => self.syntax("dict_update", vec![dict.clone(), other], span)?,
                (Some(key), None) => {
                    let key = self.expr(key, Some(k)).and_then(|key| self.needed(key, k, "a key of this dict"));
                    let value = self.expr(value, Some(v));
                    let value = value.and_then(|value| self.needed(value, v, "a value of this dict"));
                    op(Op::DictSet, vec![dict.clone(), key?, value?], types::NONE, span)
                }
                (None, None) => return None,
            };
            stmts.push(Stmt { span, kind: StmtKind::Do(call) });
        }
        Some(seq(stmts, dict))
    }

    /// A set display.
    pub fn set_display(&mut self, parts: &[ast::Expr], want: Option<TypeId>, span: Span) -> Option<Expr> {
        let want = want.and_then(|ty| match self.program.types.get(ty) {
            Type::Set(e) => Some(*e),
            _ => None,
        });
        let list = self.list_of(parts, want, "an element of this set", span)?;
        self.set_of(list, "set", span)
    }

    /// `set(…)` or `frozenset(…)` of a list.
    pub fn set_of(&mut self, list: Expr, name: &'static str, span: Span) -> Option<Expr> {
        if let Some(element) = self.element_type(list.ty)
            && !self.program.types.is_hashable(element)
        {
            let report = self.program.not_hashable(element, span);
            self.report(report);
            return None;
        }
        self.called(name, vec![list], span)
    }

    /// `set()` and `frozenset()`, whose elements only their place can tell.
    pub fn empty_set(&mut self, name: &'static str, want: Option<TypeId>, span: Span) -> Option<Expr> {
        let element = match want.map(|ty| self.program.types.get(ty)) {
            Some(Type::Set(e)) if name == "set" => *e,
            Some(Type::FrozenSet(e)) if name == "frozenset" => *e,
            _ => {
                let ty = match name {
                    "set" => self.empty_type(span, |unknown| Type::Set(unknown())),
                    _ => self.empty_type(span, |unknown| Type::FrozenSet(unknown())),
                };
                self.program.types.element(ty)?
            }
        };
        let list = self.program.types.intern(Type::List(element));
        self.set_of(op(Op::ListNew, Vec::new(), list, span), name, span)
    }

    /// `tuple(…)`: a tuple stays what it is, everything else becomes one of any length.
    pub fn tuple_call(&mut self, value: &ast::Expr, want: Option<TypeId>, span: Span) -> Option<Expr> {
        let list = want.and_then(|ty| match self.program.types.get(ty) {
            // What is wanted is no list: a choice demands of its values what it is asked for, and they may be tuples.
            Type::TupleOf(e) if !matches!(value.kind, A::If { .. } | A::Logic(..)) => Some(Type::List(*e)),
            _ => None,
        });
        let list = list.map(|list| self.program.types.intern(list));
        let value = self.expr(value, list)?;
        if let Type::Tuple(_) | Type::TupleOf(_) = self.program.types.get(value.ty) {
            return Some(value);
        }
        let list = self.listed_or_report(value)?;
        self.called("tuple", vec![list], span)
    }

    /// A tuple of known length where one of any length, or with parts of other types, is needed.
    pub fn tuple_of(&mut self, value: Expr, to: TypeId) -> Result<Expr, Expr> {
        let (wanted, Type::Tuple(parts)) =
            (self.program.types.get(to).clone(), self.program.types.get(value.ty).clone())
        else {
            return Err(value);
        };
        let element = match wanted {
            Type::TupleOf(element) => element,
            // A tuple can't change, so that one whose parts all fit does.
            Type::Tuple(wanted) if wanted.len() == parts.len() => {
                let (span, mut stmts) = (value.span, Vec::new());
                let given = self.parts_of(value.clone(), &parts, &mut stmts);
                let fitted = given.into_iter().zip(wanted).map(|(part, ty)| self.converted(part, ty).ok());
                let Some(fitted) = fitted.collect::<Option<Vec<_>>>() else { return Err(value) };
                return Ok(seq(stmts, op(Op::New, fitted, to, span)));
            }
            _ => return Err(value),
        };
        if !parts.iter().all(|part| self.fits(*part, element, 0)) {
            return Err(value);
        }
        let (span, list) = (value.span, self.program.types.intern(Type::List(element)));
        let mut stmts = Vec::new();
        let parts = self.parts_of(value, &parts, &mut stmts);
        let parts = parts.into_iter().map(|part| self.converted(part, element)).collect::<Result<_, _>>()?;
        let list = op(Op::ListNew, parts, list, span);
        Ok(seq(stmts, typed(to, span, ExprKind::Builtin(Builtin::TupleOfList, vec![list]))))
    }

    /// `in` with a range: arithmetic, and no list.
    pub fn in_range(&mut self, value: Expr, bounds: &[ast::Argument], span: Span) -> Option<Expr> {
        let value = self.needed(value, types::INT, "what is looked for in a range")?;
        let mut stmts = Vec::new();
        let value = self.keep(value, &mut stmts);
        let mut parts = Vec::new();
        for bound in bounds {
            let bound = self.expr(&bound.value, Some(types::INT))?;
            let bound = self.needed(bound, types::INT, "an argument of `range`")?;
            parts.push(self.keep(bound, &mut stmts));
        }
        let mut parts = parts.into_iter();
        let (start, stop, step) = match (parts.next()?, parts.next(), parts.next()) {
            (stop, None, _) => (int(0, span), stop, int(1, span)),
            (start, Some(stop), step) => (start, stop, step.unwrap_or(int(1, span))),
        };
        let compare = |code: Op, a: &Expr, b: &Expr| op(code, vec![a.clone(), b.clone()], types::BOOL, span);
        let both = |a: Expr, b: Expr| typed(types::BOOL, span, ExprKind::Logic(true, Box::new(a), Box::new(b)));
        let up = both(compare(Op::Ige, &value, &start), compare(Op::Ilt, &value, &stop));
        if let ExprKind::Int(1) = step.kind {
            return Some(seq(stmts, up));
        }
        let zero = compare(Op::Ieq, &step, &int(0, span));
        let message = typed(types::STR, span, ExprKind::Str("range() arg 3 must not be zero".to_owned()));
        let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Value, message) };
        stmts.push(Stmt { span, kind: StmtKind::If(zero, vec![fail], Vec::new()) });
        let down = both(compare(Op::Ile, &value, &start), compare(Op::Igt, &value, &stop));
        let rises = compare(Op::Igt, &step, &int(0, span));
        let within = typed(types::BOOL, span, ExprKind::If(Box::new(rises), Box::new(up), Box::new(down)));
        // Both sides of the difference have the same remainder; the difference itself may not fit 64 bits.
        let rest = |of: &Expr| op(Op::Imod, vec![of.clone(), step.clone()], types::INT, span);
        let on_step = op(Op::Ieq, vec![rest(&value), rest(&start)], types::BOOL, span);
        Some(seq(stmts, both(within, on_step)))
    }

    /// Unpacks what has no known length, or has one target with `*`.
    pub fn unpack_many(&mut self, parts: &[ast::Expr], span: Span, value: Expr, out: &mut Vec<Stmt>) {
        let star = parts.iter().position(|p| matches!(p.kind, A::Starred(_)));
        let wanted = parts.len() - usize::from(star.is_some());
        if parts.iter().filter(|p| matches!(p.kind, A::Starred(_))).count() > 1 {
            self.fail::<()>(Code::Unpack, span, "only one name may take the rest");
            return self.forget(parts, out);
        }
        let slots = match self.program.types.get(value.ty) {
            Type::Tuple(slots) => Some(slots.clone()),
            _ => self.named_parts(value.ty),
        };
        if let (Some(slots), Some(star)) = (slots, star) {
            if slots.len() < wanted {
                let message =
                    format!("this has {} parts, but they are unpacked into {wanted} names at least", slots.len());
                self.fail::<()>(Code::Unpack, span, message);
                return self.forget(parts, out);
            }
            let values = self.parts_of(value, &slots, out);
            let mut values: Vec<Expr> = values.into_iter().map(|value| self.keep(value, out)).collect();
            let tail = values.split_off(star + slots.len() - wanted);
            let middle = values.split_off(star);
            let rest = self.rest_of(&parts[star], middle);
            let all = values.into_iter().map(Some).chain([rest]).chain(tail.into_iter().map(Some));
            parts.iter().zip(all.collect::<Vec<_>>()).for_each(|(part, value)| self.store(part, value, out));
            return;
        }
        let Ok(list) = self.listed(value.clone()) else {
            let message = format!("{} has no parts that can be unpacked", self.name(value.ty));
            self.fail::<()>(Code::Unpack, span, message);
            return self.forget(parts, out);
        };
        let Some(element) = self.element_type(list.ty) else { return };
        let list = self.keep(list, out);
        let count = op(Op::ListLen, vec![list.clone()], types::INT, span);
        let count = self.keep(count, out);
        self.count_fits(&count, wanted, star.is_some(), span, out);
        for (index, part) in parts.iter().enumerate() {
            let at = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
            let value = match star {
                Some(star) if index == star => {
                    let after = at(wanted - star);
                    let end = op(Op::Isub, vec![count.clone(), int(after, span)], types::INT, span);
                    let step = int(i64::MIN, span);
                    self.syntax("list_slice", vec![list.clone(), int(at(star), span), end, step], span)
                }
                Some(star) if index > star => {
                    let from_end = int(at(index) - at(parts.len()), span);
                    Some(op(Op::ListGet, vec![list.clone(), from_end], element, span))
                }
                _ => Some(op(Op::ListGet, vec![list.clone(), int(at(index), span)], element, span)),
            };
            self.store(part, value, out);
        }
    }

    /// The list that a name with `*` takes of a tuple of known length.
    fn rest_of(&mut self, target: &ast::Expr, values: Vec<Expr>) -> Option<Expr> {
        let span = target.span;
        let A::Starred(inner) = &target.kind else { return None };
        let element = match values.split_first() {
            Some((first, others)) => others.iter().try_fold(first.ty, |ty, value| join(ty, value.ty)),
            None => self.quiet_type(inner).and_then(|ty| self.element_type(ty)),
        };
        let Some(element) = element else {
            let message = match values.is_empty() {
                true => "nothing is left for this name, so that the type of its elements is not known",
                false => "the parts that are left for this name have different types",
            };
            return self.fail(Code::CannotInfer, span, message);
        };
        let values = values.into_iter().map(|value| convert(value, element).ok()).collect::<Option<_>>()?;
        let ty = self.program.types.intern(Type::List(element));
        Some(op(Op::ListNew, values, ty, span))
    }

    /// Fails, in CPython's words, where so many values don't fill so many names.
    fn count_fits(&mut self, count: &Expr, wanted: usize, more: bool, span: Span, out: &mut Vec<Stmt>) {
        let limit = int(i64::try_from(wanted).unwrap_or(i64::MAX), span);
        let text = |text: String| typed(types::STR, span, ExprKind::Str(text));
        let at_least = if more { "at least " } else { "" };
        let few = text(format!("not enough values to unpack (expected {at_least}{wanted}, got "));
        let found = self.text_of(count.clone());
        let message = found.and_then(|found| self.joined(vec![few, found, text(")".to_owned())], "", span));
        let Some(message) = message else { return };
        let mut fail_if = |code: Op, message: Expr| {
            let test = op(code, vec![count.clone(), limit.clone()], types::BOOL, span);
            let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Value, message) };
            out.push(Stmt { span, kind: StmtKind::If(test, vec![fail], Vec::new()) });
        };
        fail_if(Op::Ilt, message);
        if !more {
            fail_if(Op::Igt, text(format!("too many values to unpack (expected {wanted})")));
        }
    }

    /// Targets whose value had a mistake.
    pub fn forget(&mut self, parts: &[ast::Expr], out: &mut Vec<Stmt>) {
        parts.iter().for_each(|part| self.store(part, None, out));
    }
}

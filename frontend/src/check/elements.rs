//! Parts of values: attributes and fields, elements under an index or a key, and slices.

use super::body::Checker;
use super::convert::op_with;
use super::expr::{int, math_constant, op, root_name, seq};
use super::names::Global;
use crate::ast::{self, ExprKind as A};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

impl Checker<'_, '_> {
    pub fn attribute(&mut self, whole: &ast::Expr, of: &ast::Expr, name: &ast::Name) -> Option<Expr> {
        if let Some(variable) = self.field_variable(of, name) {
            return self.expr(&variable, None);
        }
        if let Some(class) = self.class_named(of)
            && self.program.classes[class].ty.is_some()
        {
            if let Some(member) = self.member_of(class, name) {
                return member;
            }
            return self.class_attribute(class, name);
        }
        // A dotted name that begins outside of the function.
        if let Some(root) = root_name(of)
            && !self.locals.contains(root)
            && !self.names.contains_key(root)
            && !matches!(self.program.globals.get(root), Some(Global::Constant(_)))
            && !self.is_member_of_class(of)
        {
            let report = match self.program.path(whole) {
                Some((
                    written,
                    Some(global @ (Global::Class(_) | Global::Api(_) | Global::Foreign(..) | Global::Broken(_))),
                )) => {
                    if let Some(value) = math_constant(&global, whole.span) {
                        return Some(value);
                    }
                    self.program.unusable(&written, &global, whole.span)
                }
                _ => match self.program.globals.get(root).cloned() {
                    Some(Global::Class(index)) if self.program.classes[index].ty.is_none() => {
                        let message = format!("`{root}.{}` can't be used in a flow", name.text);
                        Diagnostic::error(Code::NotInFlows, whole.span, message)
                    }
                    Some(global) => self.program.unusable(root, &global, whole.span),
                    None => {
                        let locals: Vec<String> = self.names.keys().cloned().collect();
                        self.program.unknown(root, whole.span, locals.iter().map(String::as_str))
                    }
                },
            };
            self.report(report);
            return None;
        }
        let of = self.expr(of, None)?;
        let value = self.attribute_of(whole, of, name)?;
        Some(self.as_known(whole, value))
    }

    /// An attribute of a value.
    fn attribute_of(&mut self, whole: &ast::Expr, of: Expr, name: &ast::Name) -> Option<Expr> {
        if self.is_union(of.ty) {
            let what = format!("`.{}`", name.text);
            return self.for_each_member(of, whole.span, &what, |c, of| c.attribute_of(whole, of, name));
        }
        if let Type::Class(id) = *self.program.types.get(of.ty)
            && self.program.types.class(id).field(&name.text).is_none()
            && let Some(value) = self.other_attribute(&of, name)
        {
            return value;
        }
        let (slot, ty) = self.field(&of, name)?;
        Some(op_with(Op::SlotGet, vec![of], Imm::Slot(slot), ty, whole.span))
    }

    /// The slot and type of a field.
    pub fn field(&mut self, of: &Expr, name: &ast::Name) -> Option<(u32, TypeId)> {
        let of_name = self.name(of.ty);
        let Type::Class(id) = *self.program.types.get(of.ty) else {
            let message = format!("{of_name} has no attribute `{}`", name.text);
            let report = Diagnostic::error(Code::UnknownMember, name.span, message);
            let report = match super::builtin::methods_of(&self.program.types, of.ty).iter().find(|m| **m == name.text)
            {
                Some(_) => report.help(format!("it is a method; call it: .{}(…)", name.text)),
                None => report,
            };
            self.report(report);
            return None;
        };
        let class = self.program.types.class(id);
        if let Some(slot) = class.field(&name.text) {
            return Some((u32::try_from(slot).unwrap_or(u32::MAX), class.fields[slot].ty));
        }
        let near = nearest(&name.text, class.fields.iter().map(|f| f.name.as_str())).map(str::to_owned);
        let known: Vec<String> = class.fields.iter().map(|f| f.name.clone()).collect();
        let report =
            Diagnostic::error(Code::UnknownMember, name.span, format!("`{of_name}` has no field `{}`", name.text));
        self.report(match near {
            Some(near) => report.help(format!("did you mean `{near}`?")),
            None => report.help(format!("its fields are {}", known.join(", "))),
        });
        None
    }

    pub fn index(&mut self, of: &ast::Expr, index: &ast::Expr, span: Span) -> Option<Expr> {
        if let Some(class) = self.enum_named(of) {
            return self.find_member(class, index, true, span);
        }
        let of = self.expr(of, None)?;
        self.index_of(of, index, span)
    }

    fn index_of(&mut self, of: Expr, index: &ast::Expr, span: Span) -> Option<Expr> {
        if self.is_union(of.ty) {
            return self.for_each_member(of, span, "`[…]`", |c, of| c.index_of(of, index, span));
        }
        let of = self.unmixed(of);
        if !matches!(index.kind, A::Slice(..)) && self.method_named(of.ty, "__getitem__").is_some() {
            let index = self.expr(index, None)?;
            return self.own_call(&of, "__getitem__", vec![index], span).flatten();
        }
        if let A::Slice(start, stop, step) = &index.kind {
            return self.slice(of, [start.as_deref(), stop.as_deref(), step.as_deref()], span);
        }
        let mut stmts = Vec::new();
        let (value, _) = self.element_of(of, index, span, false, &mut stmts)?;
        Some(seq(stmts, value))
    }

    /// The element at an index, and the index to use again; both may be used any number of times.
    pub fn element(&mut self, of: Expr, index: &ast::Expr, span: Span, stmts: &mut Vec<Stmt>) -> Option<(Expr, Expr)> {
        self.element_of(of, index, span, true, stmts)
    }

    fn element_of(
        &mut self,
        of: Expr,
        index: &ast::Expr,
        span: Span,
        again: bool,
        stmts: &mut Vec<Stmt>,
    ) -> Option<(Expr, Expr)> {
        let mut key = |checker: &mut Self, ty: TypeId, what: &str| {
            let value = checker.expr(index, Some(ty))?;
            let value = checker.needed(value, ty, what)?;
            Some(if again { checker.keep(value, stmts) } else { value })
        };
        let whole = match self.named_parts(of.ty) {
            Some(parts) => Type::Tuple(parts),
            None => self.program.types.get(of.ty).clone(),
        };
        match whole {
            Type::List(element) => {
                let index = key(self, types::INT, "an index")?;
                Some((op(Op::ListGet, vec![of, index.clone()], element, span), index))
            }
            Type::Dict(k, v) => {
                let index = key(self, k, "the key")?;
                Some((op(Op::DictGet, vec![of, index.clone()], v, span), index))
            }
            Type::Str => {
                let index = key(self, types::INT, "an index")?;
                Some((self.syntax("str_index", vec![of, index.clone()], span)?, index))
            }
            Type::Bytes => {
                let index = key(self, types::INT, "an index")?;
                Some((self.syntax("bytes_index", vec![of, index.clone()], span)?, index))
            }
            Type::TupleOf(_) => {
                let index = key(self, types::INT, "an index")?;
                Some((self.syntax("tuple_get", vec![of, index.clone()], span)?, index))
            }
            Type::Tuple(parts) => {
                let count = parts.len();
                let index_value = self.expr(index, Some(types::INT))?;
                let ExprKind::Int(at) = index_value.kind else {
                    // Which part it is turns out when the program runs: it may be of the type of any.
                    let index_value = self.needed(index_value, types::INT, "an index")?;
                    let index_value = if again { self.keep(index_value, stmts) } else { index_value };
                    let of = self.any_length(of, &parts)?;
                    return Some((self.syntax("tuple_get", vec![of, index_value.clone()], span)?, index_value));
                };
                let slot = if at < 0 { at.checked_add(count as i64).unwrap_or(-1) } else { at };
                let slot = usize::try_from(slot).ok().filter(|s| *s < count);
                let Some(slot) = slot else {
                    let message = format!("this tuple has {count} parts, and no part {at}");
                    return self.fail(Code::Index, index.span, message);
                };
                let imm = Imm::Slot(u32::try_from(slot).unwrap_or(u32::MAX));
                Some((op_with(Op::SlotGet, vec![of], imm, parts[slot], span), index_value))
            }
            _ => {
                let message = format!("{} has no elements", self.name(of.ty));
                self.fail(Code::Index, span, message)
            }
        }
    }

    /// The three parts of a slice, as integers; what is absent is the least one.
    pub fn slice_parts(&mut self, parts: [Option<&ast::Expr>; 3], span: Span) -> Option<Vec<Expr>> {
        let parts = parts.map(|part| match part {
            None => Some(int(i64::MIN, span)),
            Some(part) if matches!(part.kind, A::None) => Some(int(i64::MIN, span)),
            Some(part) => {
                let value = self.expr(part, Some(types::INT))?;
                if self.alternatives_of(value.ty).contains(&types::NONE) {
                    return self.for_each_member(value, span, "a bound of a slice", |c, v| c.slice_bound(v, span));
                }
                self.slice_bound(value, span)
            }
        });
        parts.into_iter().collect()
    }

    /// A bound of a slice; None is as good as none.
    fn slice_bound(&mut self, value: Expr, span: Span) -> Option<Expr> {
        if value.ty == types::NONE {
            let look = Stmt { span, kind: StmtKind::Do(value) };
            return Some(seq(vec![look], int(i64::MIN, span)));
        }
        let value = self.needed(value, types::INT, "a bound of a slice")?;
        // The least int stands for what is not written; the next one means the same as it would in Python.
        match value.kind {
            ExprKind::Int(value) => Some(int(value.max(i64::MIN + 1), span)),
            _ => self.syntax("max_int", vec![value, int(i64::MIN + 1, span)], span),
        }
    }

    fn slice(&mut self, of: Expr, parts: [Option<&ast::Expr>; 3], span: Span) -> Option<Expr> {
        let parts = self.slice_parts(parts, span)?;
        let name = match self.program.types.get(of.ty) {
            Type::Str => "str_slice",
            Type::Bytes => "bytes_slice",
            Type::List(_) => "list_slice",
            Type::TupleOf(_) => "tuple_slice",
            Type::Tuple(slots) => {
                let slots = slots.clone();
                return self.tuple_slice(of, &slots, &parts, span);
            }
            _ => {
                let message = format!("{} has no slices", self.name(of.ty));
                return self.fail(Code::Index, span, message);
            }
        };
        let mut args = vec![of];
        args.extend(parts);
        self.syntax(name, args, span)
    }

    /// A tuple of known length as one of any length, whose parts may be of the type of any.
    pub fn any_length(&mut self, tuple: Expr, parts: &[TypeId]) -> Option<Expr> {
        let element = self.program.types.union(parts);
        let to = self.program.types.intern(Type::TupleOf(element));
        let span = tuple.span;
        let mut stmts = Vec::new();
        let tuple = match self.named_parts(tuple.ty) {
            Some(parts) => {
                let ty = self.program.types.intern(Type::Tuple(parts.clone()));
                let parts = self.parts_of(tuple, &parts, &mut stmts);
                op(Op::New, parts, ty, span)
            }
            None => tuple,
        };
        let tuple = self.tuple_of(tuple, to).ok()?;
        Some(seq(stmts, tuple))
    }

    /// A slice of a tuple of known length, whose bounds must be known too.
    fn tuple_slice(&mut self, of: Expr, slots: &[TypeId], bounds: &[Expr], span: Span) -> Option<Expr> {
        let known: Option<Vec<i64>> = bounds
            .iter()
            .map(|b| match b.kind {
                ExprKind::Int(value) => Some(value),
                _ => None,
            })
            .collect();
        let Some([start, stop, step]) = known.as_deref().and_then(|k| <[i64; 3]>::try_from(k).ok()) else {
            let of = self.any_length(of, slots)?;
            return self.syntax("tuple_slice", std::iter::once(of).chain(bounds.iter().cloned()).collect(), span);
        };
        let step = if step == i64::MIN { 1 } else { step };
        if step == 0 {
            return self.fail(Code::Index, span, "the step of a slice can't be 0");
        }
        let len = i64::try_from(slots.len()).unwrap_or(i64::MAX);
        let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
        let cut = |index: i64, absent: i64| match index {
            i64::MIN => absent,
            index if index < 0 => index.saturating_add(len).clamp(low, high),
            index => index.clamp(low, high),
        };
        let (start, stop) =
            if step > 0 { (cut(start, 0), cut(stop, len)) } else { (cut(start, len - 1), cut(stop, -1)) };
        let mut stmts = Vec::new();
        let parts = self.parts_of(of, slots, &mut stmts);
        let mut taken = Vec::new();
        let mut at = start;
        while (step > 0 && at < stop) || (step < 0 && at > stop) {
            taken.extend(usize::try_from(at).ok().and_then(|at| parts.get(at)).cloned());
            at = at.saturating_add(step);
        }
        let ty = self.program.types.intern(Type::Tuple(taken.iter().map(|p| p.ty).collect()));
        Some(seq(stmts, op(Op::New, taken, ty, span)))
    }
}

//! Assignments: to names, which get their types here, to elements and fields, to several targets at once, augmented and by
//! `del`.

use super::body::{Checker, Local};
use super::expr::op;
use super::signatures::Kind;
use crate::ast::{self, ExprKind as A};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

impl Checker<'_, '_> {
    pub fn assign(&mut self, targets: &[ast::Expr], value: &ast::Expr, out: &mut Vec<Stmt>) {
        if let ([ast::Expr { kind: A::Name(name), .. }], A::Lambda(lambda)) = (targets, &value.kind) {
            self.name_lambda(name, lambda, value.span);
            return;
        }
        if let [ast::Expr { kind: A::Name(name), .. }] = targets
            && let Some(function) = self.named_function(value, out)
        {
            self.name_function(name, function, value.span);
            return;
        }
        // A swap needs no tuple: all values first, then all targets.
        if let ([target], A::Tuple(values)) = (targets, &value.kind)
            && let A::Tuple(parts) | A::List(parts) = &target.kind
            && parts.len() == values.len()
            && !parts.iter().chain(values).any(|p| matches!(p.kind, A::Starred(_)))
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
        let unpacks = targets.iter().any(|t| matches!(t.kind, A::Tuple(_) | A::List(_)));
        let value = match targets {
            [_] if unpacks => self.used_up(value, want),
            // A variable whose type nobody wrote takes other types as well.
            [ast::Expr { kind: A::Name(name), .. }]
                if self.names.get(name).is_some_and(|local| self.infer.is_inferred(local.span)) =>
            {
                // What is chosen is of its own type, not of all that the variable may be of.
                let chosen = matches!(value.kind, A::If { .. } | A::Logic(..));
                let want = want.filter(|want| !chosen || !self.is_union(*want));
                self.expr_guided(value, want)
            }
            _ => self.expr(value, want),
        };
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
            A::Tuple(parts) => {
                let parts = parts.iter().map(|p| self.target_type(p)).collect::<Option<Vec<_>>>()?;
                Some(self.program.types.intern(Type::Tuple(parts)))
            }
            _ => self.quiet_type(target),
        }
    }

    /// The type of a variable, or of elements and fields of one, without reports.
    pub fn quiet_type(&self, expr: &ast::Expr) -> Option<TypeId> {
        match &expr.kind {
            A::Name(name) => self.names.get(name)?.var.map(|v| self.type_of_variable(v)),
            A::Index(of, index) if matches!(index.kind, A::Slice(..)) => self.quiet_type(of),
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
            A::Starred(inner) => self.store(inner, value, out),
            A::Index(of, index) => {
                let Some(value) = value else {
                    self.expr(of, None);
                    return;
                };
                let value = self.keep(value, out);
                let Some(of) = self.expr(of, None) else { return };
                self.store_index(of, index, value.clone(), span, out);
                self.note_stored(target, &value);
            }
            A::Attribute(of, field) => {
                if let Some(variable) = self.field_variable(of, field) {
                    return self.store(&variable, value, out);
                }
                let Some(value) = value else {
                    self.expr(of, None);
                    return;
                };
                let value = self.keep(value, out);
                let Some(of) = self.expr(of, None) else { return };
                self.store_field(of, field, value.clone(), span, out);
                self.note_stored(target, &value);
            }
            _ => {
                self.fail::<()>(Code::Frozen, span, "this can't be assigned to");
            }
        }
    }

    fn unpack(&mut self, parts: &[ast::Expr], span: Span, value: Option<Expr>, out: &mut Vec<Stmt>) {
        let Some(value) = value else { return self.forget(parts, out) };
        let whole = match self.named_parts(value.ty) {
            Some(parts) => Type::Tuple(parts),
            None => self.program.types.get(value.ty).clone(),
        };
        if !matches!(whole, Type::Tuple(_)) || parts.iter().any(|p| matches!(p.kind, A::Starred(_))) {
            return self.unpack_many(parts, span, value, out);
        }
        let slots = match &whole {
            Type::Tuple(slots) if slots.len() == parts.len() => slots.clone(),
            Type::Tuple(slots) => {
                let message =
                    format!("this has {} parts, but they are unpacked into {} names", slots.len(), parts.len());
                self.fail::<()>(Code::Unpack, span, message);
                parts.iter().for_each(|p| self.store(p, None, out));
                return;
            }
            _ => return self.forget(parts, out),
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
        if let Some(method) = self.method_named(of.ty, "__setitem__") {
            let Some(index) = self.expr(index, None) else { return };
            let _ = method;
            if let Some(Some(call)) = self.own_call(&of, "__setitem__", vec![index, value], span) {
                out.push(Stmt { span, kind: StmtKind::Do(call) });
            }
            return;
        }
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
            let value = self.listed_or_report(value).and_then(|v| self.needed(v, ty, "what replaces a slice"));
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
            let set = op(operation, vec![of, index, value], types::NONE, span);
            out.push(Stmt { span, kind: StmtKind::Do(set) });
        }
    }

    fn store_field(&mut self, of: Expr, field: &ast::Name, value: Expr, span: Span, out: &mut Vec<Stmt>) {
        if self.set_property(&of, field, &value, span, out) {
            return;
        }
        let Some((slot, ty)) = self.field(&of, field) else { return };
        if let Type::Class(id) = *self.program.types.get(of.ty)
            && (self.program.types.class(id).frozen
                || self.program.class_of(of.ty).is_some_and(|c| self.program.classes[c].frozen))
        {
            let message = format!("fields of `{}` can't be changed, since it is frozen", self.name(of.ty));
            let report = Diagnostic::error(Code::Frozen, span, message);
            let is_own = self.program.class_of(of.ty) == Some(super::own::DS_ERROR);
            let help = if is_own { "make a new object" } else { "leave out frozen=True, or make a new object" };
            self.report(report.help(help));
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
            self.changed.push(report.help("copy it first, and return the copy"));
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

    pub fn declare(
        &mut self,
        target: &ast::Expr,
        annotation: &ast::Expr,
        value: Option<&ast::Expr>,
        out: &mut Vec<Stmt>,
    ) {
        if ["typing", "typing_extensions"].iter().any(|m| self.program.is_foreign(annotation, m, "Final")) {
            if let Some(value) = value {
                self.assign(std::slice::from_ref(target), value, out);
            }
            return;
        }
        let mut reports = Vec::new();
        let ty = self.program.annotation(annotation, &mut reports);
        self.out.append(&mut reports);
        if let A::Attribute(of, field) = &target.kind {
            if let Some(variable) = self.field_variable(of, field) {
                return self.declare(&variable, annotation, value, out);
            }
            if self.init.is_some()
                && let Some(value) = value
            {
                return self.assign(std::slice::from_ref(target), value, out);
            }
        }
        let A::Name(name) = &target.kind else {
            self.fail::<()>(Code::Unsupported, target.span, "only variables are declared with a type");
            return;
        };
        match (self.names.get(name).copied(), ty) {
            (Some(Local { var: Some(id), span: first }), Some(ty)) => {
                let had = self.type_of_variable(id);
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
                self.make_variable(name, ty, target.span);
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
                (Some(value), Some(ty)) => {
                    let value = if self.program.only_reads(annotation) { self.read_as(value, ty) } else { value };
                    self.needed(value, ty, &what)
                }
                _ => None,
            };
            self.store_name(name, target.span, value, out);
        }
    }

    pub fn augment(
        &mut self,
        target: &ast::Expr,
        op: ast::BinaryOp,
        value: &ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
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
                if let Some(variable) = self.field_variable(of, field) {
                    return self.augment(&variable, op, value, span, out);
                }
                let Some(of) = self.expr(of, None) else { return };
                let (source, id) = self.hidden(of.ty, of.span);
                out.push(Stmt { span, kind: StmtKind::Assign(id, of) });
                let get = ast::Expr { span: target.span, kind: A::Attribute(Box::new(source.clone()), field.clone()) };
                let (Some(get), Some(of)) = (self.expr(&get, None), self.expr(&source, None)) else { return };
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
            (Type::Set(_), ast::BinaryOp::BitOr) => Some(("set_update", current.ty)),
            (Type::Set(_), ast::BinaryOp::BitAnd) => Some(("set_intersection_update", current.ty)),
            (Type::Set(_), ast::BinaryOp::Sub) => Some(("set_difference_update", current.ty)),
            (Type::Set(_), ast::BinaryOp::BitXor) => Some(("set_symmetric_difference_update", current.ty)),
            _ => None,
        };
        if let Some((name, wanted)) = in_place {
            let value = match name {
                "list_extend" => self.used_up(value, Some(wanted))?,
                _ => self.expr(value, Some(wanted))?,
            };
            // What extends a list may be anything that can be iterated over.
            let value = match name {
                "list_extend" => self.listed(value).unwrap_or_else(|value| value),
                _ => value,
            };
            let value = self.told(value, wanted);
            let (current, wanted) = (Expr { ty: self.resolved(current.ty), ..current }, self.resolved(wanted));
            let sets = matches!(self.program.types.get(wanted), Type::Set(_))
                && matches!(self.program.types.get(value.ty), Type::FrozenSet(_))
                && self.program.types.element(wanted) == self.program.types.element(value.ty);
            if !sets && super::convert::join(value.ty, wanted) != Some(wanted) {
                self.binary(op, current, value, span);
                return None;
            }
            self.changes(&current, span);
            let call = self.syntax(name, vec![current, value], span)?;
            out.push(Stmt { span, kind: StmtKind::Do(call) });
            return Some(None);
        }
        if self.program.class_of(current.ty).is_some() {
            let name = match op {
                ast::BinaryOp::Add => "__iadd__",
                ast::BinaryOp::Sub => "__isub__",
                ast::BinaryOp::Mul => "__imul__",
                ast::BinaryOp::BitOr => "__ior__",
                ast::BinaryOp::BitAnd => "__iand__",
                _ => "",
            };
            if self.method_named(current.ty, name).is_some() {
                let value = self.expr(value, None)?;
                return self.own_call(&current, name, vec![value], span);
            }
        }
        // The current value is read before the new one is worked out.
        let current = self.keep(current, out);
        let value = self.expr(value, Some(current.ty))?;
        Some(Some(self.binary(op, current, value, span)?))
    }

    pub fn delete(&mut self, target: &ast::Expr, out: &mut Vec<Stmt>) {
        let span = target.span;
        let (of, index) = match &target.kind {
            A::Index(of, index) => (of, index),
            A::Name(name) => return self.delete_name(target, name, out),
            A::Tuple(parts) | A::List(parts) => {
                parts.iter().for_each(|p| self.delete(p, out));
                return;
            }
            _ => {
                self.fail::<()>(Code::Unsupported, span, "fields of objects can't be deleted");
                return;
            }
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

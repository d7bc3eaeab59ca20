//! Variables: the type of each, which is that of its declaration, or else that of all the values it is given, and reading one
//! that may have no value yet.
//!
//! A variable that is given values of several types is of their union, and each value narrows it: what an assignment in a
//! straight line gives is of its own type, and only where ways join may it be of any. That is learnt by checking the function
//! once more. A variable that has a value on some of the ways to where it is read is looked at there, when the program runs.

use super::body::{Checker, Local};
use super::expr::{op, typed, var};
use crate::ast::{self, ExprKind as A};
use crate::diag::{Code, Diagnostic};
use crate::flow::Path;
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind, VarId};
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::Op;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types;

/// A variable that is looked at where it is read, since it may have no value there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    /// The type of its values.
    pub ty: TypeId,
    /// What tells whether it has one, where None is among its values; else it is None while it has none.
    pub flag: Option<VarId>,
}

impl Checker<'_, '_> {
    /// A variable of the source that has its place here.
    pub fn make_variable(&mut self, name: &str, ty: TypeId, span: Span) -> VarId {
        // What the checker names itself, as no source can, is not shown.
        let shown = (!name.starts_with('$')).then(|| name.to_owned());
        if !self.infer.is_late(span) {
            let id = self.new_var(shown, ty);
            self.names.insert(name.to_owned(), Local { var: Some(id), span });
            return id;
        }
        let optional = self.alternatives_of(ty).contains(&types::NONE);
        let declared = self.program.types.union(&[ty, types::NONE]);
        let id = self.new_var(shown, declared);
        self.names.insert(name.to_owned(), Local { var: Some(id), span });
        let flag = optional.then(|| self.new_var(None, types::BOOL));
        let none = typed(types::NONE, span, ExprKind::None);
        let none = self.converted(none, declared).unwrap_or_else(|none| none);
        self.made_stmts.push(Stmt { span, kind: StmtKind::Assign(id, none) });
        if let Some(flag) = flag {
            let no = typed(types::BOOL, span, ExprKind::Bool(false));
            self.made_stmts.push(Stmt { span, kind: StmtKind::Assign(flag, no) });
        }
        self.late.insert(id, Late { ty, flag });
        id
    }

    /// The type of a variable's values.
    pub fn type_of_variable(&self, id: VarId) -> TypeId {
        self.late.get(&id).map_or(self.vars[id.0 as usize].ty, |late| late.ty)
    }

    /// The value of a variable that has one.
    pub fn held(&mut self, id: VarId, span: Span) -> Expr {
        let value = var(id, self.vars[id.0 as usize].ty, span);
        super::unions::narrow(value, self.type_of_variable(id))
    }

    /// The value of a name of the function.
    pub fn local_value(&mut self, name: &str, local: Local, expr: &ast::Expr) -> Option<Expr> {
        let (id, span) = (local.var?, expr.span);
        let mut stmts = Vec::new();
        if !self.assigned.has(id) {
            match self.late.get(&id).copied() {
                Some(late) => stmts.push(self.has_value(name, id, late, span)),
                // Some way leads here with a value: the next attempt looks at it as the program runs.
                None if self.assigned.may_have(id) && self.infer.learn_late(local.span) => {}
                None => self.unassigned(name, span),
            }
            // Once is enough.
            self.assigned.add(id);
        }
        let value = self.known_value(id, expr);
        Some(super::expr::seq(stmts, value))
    }

    /// The value of a variable that has one, as what is known of it.
    pub fn known_value(&mut self, id: VarId, expr: &ast::Expr) -> Expr {
        let value = var(id, self.vars[id.0 as usize].ty, expr.span);
        let value = self.as_known(expr, value);
        match self.late.get(&id).copied() {
            // What is unset is None as well; here it is not.
            Some(late) if !self.program.types.includes(late.ty, value.ty) => super::unions::narrow(value, late.ty),
            _ => value,
        }
    }

    /// Fails where the variable has no value.
    fn has_value(&mut self, name: &str, id: VarId, late: Late, span: Span) -> Stmt {
        let unset = match late.flag {
            Some(flag) => op(Op::Bnot, vec![var(flag, types::BOOL, span)], types::BOOL, span),
            None => super::unions::is_of(var(id, self.vars[id.0 as usize].ty, span), types::NONE, span),
        };
        let text =
            format!("UnboundLocalError: cannot access local variable '{name}' where it is not associated with a value");
        let message = typed(types::STR, span, ExprKind::Str(text));
        let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Raised, message) };
        Stmt { span, kind: StmtKind::If(unset, vec![fail], Vec::new()) }
    }

    /// Reports a read of a variable that has no value.
    pub fn unassigned(&mut self, name: &str, span: Span) {
        let report = Diagnostic::error(Code::Unassigned, span, format!("`{name}` may be used before it has a value"));
        self.report(report.help(format!("give `{name}` a value on every path to here")));
    }

    /// The variable has a value from here on, or none.
    fn note_value(&mut self, id: VarId, has: bool, span: Span, out: &mut Vec<Stmt>) {
        let Some(late) = self.late.get(&id).copied() else { return };
        if let Some(flag) = late.flag {
            let has = typed(types::BOOL, span, ExprKind::Bool(has));
            out.push(Stmt { span, kind: StmtKind::Assign(flag, has) });
        } else if !has {
            let none = typed(types::NONE, span, ExprKind::None);
            if let Ok(none) = self.converted(none, self.vars[id.0 as usize].ty) {
                out.push(Stmt { span, kind: StmtKind::Assign(id, none) });
            }
        }
    }

    /// `del` of a variable: from here on it has no value, and reading it is an error, as in Python.
    pub fn delete_name(&mut self, target: &ast::Expr, name: &str, out: &mut Vec<Stmt>) {
        let Some(value) = self.expr(target, None) else { return };
        if let ExprKind::Seq(stmts, _) = value.kind {
            out.extend(stmts);
        }
        if let Some(id) = self.names.get(name).and_then(|l| l.var) {
            self.assigned.remove(id);
            self.note_value(id, false, target.span, out);
        }
    }

    /// Assigns a value to a name, or remembers that what it is given had a mistake.
    pub fn store_name(&mut self, name: &str, span: Span, value: Option<Expr>, out: &mut Vec<Stmt>) {
        match (self.names.get(name).copied(), value) {
            (Some(local @ Local { var: Some(id), .. }), Some(value)) => {
                let value = self.told(value, self.type_of_variable(id));
                let ty = self.resolved(self.vars[id.0 as usize].ty);
                let value = match self.converted(value, ty) {
                    Ok(value) => Some(value),
                    Err(value) => {
                        if !self.becomes(name, local, ty, &value) {
                            self.type_changes(name, local.span, ty, &value);
                        }
                        None
                    }
                };
                // It may stand for another variable now.
                let id = self.names.get(name).and_then(|l| l.var).unwrap_or(id);
                self.assigned.forget(&Path::of(id));
                self.note_value(id, true, span, out);
                if let Some(value) = value {
                    let target = ast::Expr { span, kind: A::Name(name.to_owned()) };
                    self.note_stored(&target, &value);
                    out.push(Stmt { span, kind: StmtKind::Assign(id, value) });
                }
                self.assigned.add(id);
            }
            (Some(Local { var, .. }), value) => {
                self.comes_late(name, span, value.as_ref());
                if let Some(id) = var {
                    self.assigned.forget(&Path::of(id));
                    self.assigned.add(id);
                }
            }
            (None, Some(value)) => {
                let ty = self.first_type(&value, span);
                let id = self.make_variable(name, ty, span);
                self.note_value(id, true, span, out);
                let declared = self.vars[id.0 as usize].ty;
                if let Ok(value) = self.converted(value, declared) {
                    let target = ast::Expr { span, kind: A::Name(name.to_owned()) };
                    self.note_stored(&target, &value);
                    out.push(Stmt { span, kind: StmtKind::Assign(id, value) });
                }
                self.assigned.add(id);
            }
            (None, None) => {
                self.names.insert(name.to_owned(), Local { var: None, span });
            }
        }
    }

    /// What a turn of a loop reads and a later one assigns is a variable from the beginning, from the next attempt on.
    fn comes_late(&mut self, name: &str, place: Span, value: Option<&Expr>) {
        let (Some(loops), Some(value)) = (self.early.get(name), value) else { return };
        if loops.iter().any(|number| self.loops.iter().any(|l| l.number == *number)) && !self.has_unknown(value.ty) {
            let ty = self.infer.type_at(place).unwrap_or(value.ty);
            self.infer.learn_early(name, place, ty);
        }
    }

    /// Makes the variables that loops read before they assign them.
    pub fn open_early(&mut self) {
        for (name, place, ty) in self.infer.early() {
            let ty = self.infer.type_at(place).unwrap_or(ty);
            self.infer.infers(place);
            let id = self.make_variable(&name, ty, place);
            // Which turn it is can't be told.
            self.assigned.doubt(id);
        }
    }

    /// A value of another type for a variable whose type nobody wrote: from the next attempt on it is of both. Tells whether
    /// that is so.
    fn becomes(&mut self, name: &str, local: Local, ty: TypeId, value: &Expr) -> bool {
        if !self.infer.is_inferred(local.span) {
            return false;
        }
        if self.has_unknown(value.ty) || self.has_unknown(ty) {
            // What is not known yet is told by what follows, which goes on with the value that was assigned last. A literal
            // that is never told is reported, so that no such attempt is the last one.
            let id = self.new_var(Some(name.to_owned()), value.ty);
            self.names.insert(name.to_owned(), Local { var: Some(id), span: local.span });
            return true;
        }
        let had = local.var.map_or(ty, |id| self.type_of_variable(id));
        let both = self.program.types.union(&[had, value.ty]);
        self.infer.learn_type(local.span, both)
    }

    fn type_changes(&mut self, name: &str, first: Span, ty: TypeId, value: &Expr) {
        let (had, has) = (self.name(ty), self.name(value.ty));
        let message = format!("`{name}` is {had}, but this is {has}");
        let report = Diagnostic::error(Code::TypeChanges, value.span, message)
            .note(format!("this is {has}"))
            .label(first, format!("`{name}` is {had} since here"));
        let report = match (ty, value.ty) {
            (types::INT, types::FLOAT) => {
                report.help(format!("declare it as float: {name}: float = …, or convert: int(…)"))
            }
            (_, types::NONE) => report.help(format!("declare it as what it may be: {name}: {had} | None = …")),
            _ => report.help("a variable that is declared keeps its type: use another one"),
        };
        self.report(report);
    }

    /// The parameters of the function as variables: one that is given values of other types as well is another variable
    /// inside.
    pub fn open_params(&mut self, params: &[super::Param], out: &mut Vec<Stmt>) {
        for param in params {
            let Some(ty) = param.ty else {
                self.names.insert(param.name.clone(), Local { var: None, span: param.span });
                continue;
            };
            let known = self.infer.type_at(param.span);
            let name = known.is_none().then(|| param.name.clone());
            let id = self.new_var(name, ty);
            self.assigned.add(id);
            self.params.insert(id);
            self.names.insert(param.name.clone(), Local { var: Some(id), span: param.span });
            if known.is_none() {
                self.infer.infers(param.span);
            }
        }
        for param in params {
            let (Some(ty), Some(known)) = (param.ty, self.infer.type_at(param.span)) else { continue };
            let Some(given) = self.names.get(&param.name).and_then(|l| l.var) else { continue };
            let id = self.new_var(Some(param.name.clone()), known);
            self.infer.infers(param.span);
            self.params.insert(id);
            self.names.insert(param.name.clone(), Local { var: Some(id), span: param.span });
            let value = var(given, ty, param.span);
            if let Ok(value) = self.converted(value, known) {
                let target = ast::Expr { span: param.span, kind: A::Name(param.name.clone()) };
                self.assigned.add(id);
                self.note_stored(&target, &value);
                out.push(Stmt { span: param.span, kind: StmtKind::Assign(id, value) });
            }
        }
    }
}

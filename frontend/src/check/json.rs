//! `json_marshal(value)` and `json_unmarshal[T](data)`. The builtins tell what is wrong as text; the `DSError` is made here, so
//! that neither they nor the VM need to know that class.

use super::body::Checker;
use super::builtin::Candidate;
use super::convert::op_with;
use super::expr::{int, op, typed};
use super::own::DS_ERROR;
use super::signatures::Param;
use crate::ast::{self, Argument};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::builtins::Builtin;
use deepslate_ir::dserror;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

/// The kind of a `DSError` for a document that is no value of its type, and for a value that has no document.
const KIND: &str = "decode";

impl Checker<'_, '_> {
    /// The text of a value: `bytes | DSError`.
    pub fn json_marshal(&mut self, written: &str, arguments: &[Argument], span: Span) -> Option<Expr> {
        let written_as = Candidate::Builtin(Builtin::JsonWrite);
        let pair = self.overloaded(written, &[written_as], None, arguments, span)?;
        if let ExprKind::Builtin(_, args) = &pair.kind
            && let Some(value) = args.first()
            && self.program.stays_inside(value.ty, &mut Vec::new())
        {
            let message = format!("{} has no JSON form: it can't leave the isolate", self.name(value.ty));
            return self.fail(Code::Mismatch, value.span, message);
        }
        let mut stmts = Vec::new();
        let pair = self.keep(pair, &mut stmts);
        let part = |slot, ty| op_with(Op::SlotGet, vec![pair.clone()], Imm::Slot(slot), ty, span);
        let (text, why) = (part(0, types::BYTES), part(1, types::STR));
        let refused = typed(types::BOOL, span, ExprKind::Builtin(Builtin::Truth, vec![why.clone()]));
        self.or_error(stmts, text, refused, (KIND, why), span)
    }

    /// The value of a document: `T | DSError`.
    pub fn json_unmarshal(
        &mut self,
        written: &str,
        into: &ast::Expr,
        arguments: &[Argument],
        span: Span,
    ) -> Option<Expr> {
        let mut reports = Vec::new();
        let ty = self.program.annotation(into, &mut reports);
        self.out.append(&mut reports);
        let param = Param {
            name: "data".to_owned(),
            span,
            ty: Some(types::BYTES),
            default: None,
            keyword_only: false,
            reads: false,
            positional_only: false,
        };
        let given = self.arguments(&format!("{written}[…]"), &[param], arguments, span);
        let ty = ty?;
        let (mut args, mut stmts) = given?;
        let data = args.pop()?;
        if self.program.stays_inside(ty, &mut Vec::new()) {
            let message = format!("{} has no JSON form: it can't enter an isolate", self.name(ty));
            return self.fail(Code::UnknownType, into.span, message);
        }
        let error = self.program.classes[DS_ERROR].ty?;
        if self.is_union(ty) && self.program.types.includes(ty, error) {
            let message = format!("`{written}` gives a {} of its own where it can't read", dserror::NAME);
            let report = Diagnostic::error(Code::UnknownType, into.span, message);
            self.report(report.help(format!("leave {} out of the type in brackets", dserror::NAME)));
            return None;
        }
        let data = self.keep(data, &mut stmts);
        let list = self.program.types.intern(Type::List(ty));
        let list = self.keep(op(Op::ListNew, Vec::new(), list, span), &mut stmts);
        let why = typed(types::STR, span, ExprKind::Builtin(Builtin::JsonRead, vec![list.clone(), data]));
        let why = self.keep(why, &mut stmts);
        let value = op(Op::ListGet, vec![list, int(0, span)], ty, span);
        let refused = typed(types::BOOL, span, ExprKind::Builtin(Builtin::Truth, vec![why.clone()]));
        self.or_error(stmts, value, refused, (KIND, why), span)
    }
}

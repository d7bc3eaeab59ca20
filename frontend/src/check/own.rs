//! The class of the language's own: `DSError`, what a call gives that did not succeed. It is declared as a class of the
//! sources is, but stands in none of them, and a module has it where something in it is of its type.

use super::body::Checker;
use super::classes::{Class, ClassField, ClassKind};
use super::expr::{int, op, seq, typed};
use super::names::Program;
use super::signatures::{Default, Param};
use crate::ast::{self, Argument};
use crate::diag::Code;
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt};
use deepslate_ir::dserror;
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::{Op, SYNC};
use deepslate_ir::types::{self, Type};
use std::sync::LazyLock;

/// Its index among the classes of a program.
pub(crate) const DS_ERROR: usize = 0;

/// It as it would be written, but for its fields, whose types mean the same whatever a source calls `str`.
static WRITTEN: LazyLock<ast::Class> = LazyLock::new(|| ast::Class {
    name: ast::Name { text: dserror::NAME.to_owned(), span: Span::NOWHERE },
    decorators: Vec::new(),
    bases: Vec::new(),
    body: Vec::new(),
    span: Span::NOWHERE,
});

/// Declares it, which is done before any other class is.
pub(super) fn declare(program: &mut Program<'_>) {
    let fields = dserror::fields().into_iter().map(|(name, ty, default)| ClassField {
        param: Param {
            name: name.to_owned(),
            span: Span::NOWHERE,
            ty: Some(ty),
            default: default.map(Default::Constant),
            keyword_only: false,
            reads: false,
            positional_only: false,
        },
        init: true,
    });
    let mut class = Class::new(&WRITTEN);
    class.kind = ClassKind::Data;
    class.frozen = true;
    class.fields = fields.collect();
    class.completed = true;
    let id = program.types.add_class(dserror::class());
    class.ty = Some(program.types.intern(Type::Class(id)));
    program.classes.push(class);
}

impl Checker<'_, '_> {
    /// A value, or where `refused` holds a `DSError` of this kind and with this message.
    pub fn or_error(
        &mut self,
        stmts: Vec<Stmt>,
        value: Expr,
        refused: Expr,
        (kind, message): (&str, Expr),
        span: Span,
    ) -> Option<Expr> {
        let error = self.program.classes[DS_ERROR].ty?;
        let either = self.program.types.union(&[value.ty, error]);
        let text = |text: &str| typed(types::STR, span, ExprKind::Str(text.to_owned()));
        let nothing = typed(types::BYTES, span, ExprKind::Bytes(Vec::new()));
        let slots = vec![text(kind), message, int(0, span), nothing, text(""), text("")];
        let made = op(Op::New, slots, error, span);
        let (Ok(value), Ok(made)) = (self.converted(value, either), self.converted(made, either)) else {
            return self.fail(Code::Internal, span, "a union does not take its members");
        };
        let one = ExprKind::If(Box::new(refused), Box::new(made), Box::new(value));
        Some(seq(stmts, typed(either, span, one)))
    }

    /// `await queue.receive()`: the oldest element, or a `DSError` of kind `closed` at the end of the queue.
    pub fn receive(&mut self, queue: Expr, element: TypeId, arguments: &[Argument], span: Span) -> Option<Expr> {
        self.acts("receive", SYNC, span);
        self.arguments("receive", &[], arguments, span)?;
        let ty = self.program.types.intern(Type::List(element));
        let mut stmts = Vec::new();
        let received = self.keep(op(Op::QueueReceive, vec![queue], ty, span), &mut stmts);
        let length = op(Op::ListLen, vec![received.clone()], types::INT, span);
        let ended = op(Op::Ieq, vec![length, int(0, span)], types::BOOL, span);
        let value = op(Op::ListGet, vec![received, int(0, span)], element, span);
        let message = typed(types::STR, span, ExprKind::Str("the queue is closed and empty".to_owned()));
        self.or_error(stmts, value, ended, ("closed", message), span)
    }
}

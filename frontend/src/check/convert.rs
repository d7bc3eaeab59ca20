//! Conversions that nobody writes: an int or bool where a float or int is needed, and anything where a condition is
//! needed; and the common type of several values.

use super::body::Checker;
use super::expr::{op, typed};
use crate::diag::{Code, Diagnostic};
use crate::tree::{Expr, ExprKind};
use deepslate_ir::builtins::Builtin;
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

/// The type that values of both types have or convert to.
pub(super) fn join(a: TypeId, b: TypeId) -> Option<TypeId> {
    match (a, b) {
        _ if a == b => Some(a),
        (types::INT | types::BOOL, types::FLOAT) | (types::FLOAT, types::INT | types::BOOL) => Some(types::FLOAT),
        (types::INT, types::BOOL) | (types::BOOL, types::INT) => Some(types::INT),
        _ => None,
    }
}

/// Whether a value of one type is taken where another one is needed.
pub(super) fn converts(from: TypeId, to: TypeId) -> bool {
    from == to || (join(from, to) == Some(to))
}

/// The value converted to the type, if it can be.
pub(super) fn convert(value: Expr, to: TypeId) -> Result<Expr, Expr> {
    if value.ty == to {
        return Ok(value);
    }
    let span = value.span;
    match (value.ty, to) {
        (types::INT, types::FLOAT) => Ok(match value.kind {
            ExprKind::Int(i) => typed(types::FLOAT, span, ExprKind::Float(i as f64)),
            _ => op(Op::IntToFloat, vec![value], types::FLOAT, span),
        }),
        (types::BOOL, types::INT) => Ok(match value.kind {
            ExprKind::Bool(b) => typed(types::INT, span, ExprKind::Int(i64::from(b))),
            _ => op(Op::BoolToInt, vec![value], types::INT, span),
        }),
        (types::BOOL, types::FLOAT) => convert(convert(value, types::INT)?, types::FLOAT),
        _ => Err(value),
    }
}

impl Checker<'_, '_> {
    /// The value where `what` needs this type; a mistake is reported.
    pub fn needed(&mut self, value: Expr, to: TypeId, what: &str) -> Option<Expr> {
        // A member of an enumeration stays one where it is taken as such.
        let is_taken = value.ty == to || self.program.types.includes(to, value.ty);
        let value = if is_taken { value } else { self.unmixed(value) };
        let value = self.told(value, to);
        let to = self.resolved(to);
        match self.converted(value, to) {
            Ok(value) => Some(value),
            Err(value) => {
                let report = self.mismatch(&value, to, what);
                self.report(report);
                None
            }
        }
    }

    fn mismatch(&self, value: &Expr, to: TypeId, what: &str) -> Diagnostic {
        let (wanted, found) = (self.name(to), self.name(value.ty));
        let message = format!("{what} must be {wanted}, but this is {found}");
        let report = Diagnostic::error(Code::Mismatch, value.span, message).note(format!("this is {found}"));
        match (value.ty, to) {
            (types::FLOAT, types::INT) => report.help("int(…) cuts off the fraction, // divides without one"),
            (types::STR, types::INT) => report.help("int(…) reads a number from text"),
            (types::STR, types::FLOAT) => report.help("float(…) reads a number from text"),
            (types::INT | types::FLOAT | types::BOOL, types::STR) => report.help("str(…) makes text of it"),
            (types::STR, types::BYTES) => report.help("text.encode() makes bytes of it"),
            (types::BYTES, types::STR) => report.help("data.decode() makes text of it"),
            (found, _) if self.program.classes[super::own::DS_ERROR].ty == Some(found) => {
                report.help(format!("where an error is possible, the type is `{wanted} | DSError`"))
            }
            (types::NONE, _) => report.help(format!("where None is possible, the type is `{wanted} | None`")),
            _ if self.is_union(value.ty) && self.program.types.includes(value.ty, to) => {
                let left =
                    self.program.types.members(value.ty).is_some_and(|m| m.len() == 2 && m.contains(&types::NONE));
                report.help(match (left, wanted.contains('[')) {
                    (true, _) => "test it first: if … is not None:".to_owned(),
                    (_, false) => format!("test it first: if isinstance(…, {wanted}):"),
                    _ => "test it first with isinstance".to_owned(),
                })
            }
            _ => match (self.program.types.get(value.ty), self.program.types.get(to)) {
                (Type::List(_), Type::List(_)) | (Type::Dict(..), Type::Dict(..)) => {
                    report.help("a list or dict keeps its type, since it could be changed under both names")
                }
                (Type::Tuple(_), Type::List(_)) => report.help("list elements stand in brackets: [1, 2]"),
                _ => report,
            },
        }
    }

    /// Whether the value counts as true.
    pub fn truth(&mut self, value: Expr) -> Expr {
        let span = value.span;
        let value = self.unmixed(value);
        let own = |checker: &Self, ty| ["__bool__", "__len__"].iter().any(|m| checker.method_named(ty, m).is_some());
        if self.is_union(value.ty) && self.alternatives_of(value.ty).into_iter().any(|m| own(self, m)) {
            let truth = self.for_each_member(value.clone(), span, "a condition", |c, v| Some(c.truth(v)));
            return truth.unwrap_or(value);
        }
        if let Some(Some(truth)) = self.own_call(&value, "__bool__", Vec::new(), span) {
            return truth;
        }
        if let Some(Some(length)) = self.own_call(&value, "__len__", Vec::new(), span) {
            return self.truth(length);
        }
        let not_zero =
            |count: Expr| op(Op::Ine, vec![count, typed(types::INT, span, ExprKind::Int(0))], types::BOOL, span);
        let always = |value: Expr, truth: bool| {
            let constant = typed(types::BOOL, span, ExprKind::Bool(truth));
            let effect = crate::tree::Stmt { span, kind: crate::tree::StmtKind::Do(value) };
            typed(types::BOOL, span, ExprKind::Seq(vec![effect], Box::new(constant)))
        };
        match self.program.types.get(value.ty) {
            Type::Bool => value,
            Type::Int => not_zero(value),
            Type::Float => op(Op::Fne, vec![value, typed(types::FLOAT, span, ExprKind::Float(0.0))], types::BOOL, span),
            Type::None => always(value, false),
            Type::TupleOf(_) | Type::Set(_) | Type::FrozenSet(_) => {
                let of_tuple = matches!(self.program.types.get(value.ty), Type::TupleOf(_));
                let builtin = if of_tuple { Builtin::TupleLen } else { Builtin::SetLen };
                not_zero(typed(types::INT, span, ExprKind::Builtin(builtin, vec![value])))
            }
            Type::List(_) => not_zero(op(Op::ListLen, vec![value], types::INT, span)),
            Type::Dict(..) => not_zero(op(Op::DictLen, vec![value], types::INT, span)),
            Type::Tuple(parts) => {
                let truth = !parts.is_empty();
                always(value, truth)
            }
            Type::Str | Type::Bytes => {
                // Comparing with the empty one asks nothing of the length, which text would have to count.
                let empty =
                    if value.ty == types::STR { ExprKind::Str(String::new()) } else { ExprKind::Bytes(Vec::new()) };
                let empty = typed(value.ty, span, empty);
                let equal = op(Op::Eq, vec![value, empty], types::BOOL, span);
                op(Op::Bnot, vec![equal], types::BOOL, span)
            }
            Type::Class(_) | Type::Queue(_) | Type::Lock | Type::WaitGroup => always(value, true),
            Type::Union(_) => op_with(Op::CallBuiltin, vec![value], Imm::Builtin(Builtin::Truth), types::BOOL, span),
        }
    }
}

/// An instruction with an immediate.
pub(super) fn op_with(code: Op, args: Vec<Expr>, imm: Imm, ty: TypeId, span: crate::source::Span) -> Expr {
    typed(ty, span, ExprKind::Op(code, args, imm))
}

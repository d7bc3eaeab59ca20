//! Operators: which instruction or builtin each is for which types.

use super::body::Checker;
use super::convert::{convert, join};
use super::expr::{int, op, typed};
use crate::ast::{self, BinaryOp, CompareOp, UnaryOp};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

impl Checker<'_, '_> {
    /// The operands of a binary operator; each guides what the other leaves open.
    pub fn operands(
        &mut self,
        code: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        want: Option<TypeId>,
    ) -> (Option<Expr>, Option<Expr>) {
        let is_collection = |ty: &TypeId| {
            matches!(self.program.types.get(*ty), Type::List(_) | Type::Dict(..) | Type::Set(_) | Type::FrozenSet(_))
        };
        let collection = want.filter(is_collection);
        if code == BinaryOp::Mul {
            // Either may be the count, which is not what is wanted of the product.
            let of = |e: &ast::Expr| collection.filter(|_| matches!(e.kind, ast::ExprKind::List(_)));
            let (of_left, of_right) = (of(left), of(right));
            return (self.expr(left, of_left), self.expr(right, of_right));
        }
        // The keys and items of dicts are sets in these operators, and take anything that can be iterated over beside them.
        let of_sets = matches!(code, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::Sub | BinaryOp::BitXor);
        if of_sets && (self.is_view(left) || self.is_view(right)) {
            return (self.as_set(left), self.as_set(right));
        }
        let left = self.expr(left, collection);
        let guide = left.as_ref().map(|l| l.ty).filter(|ty| {
            let of = self.program.types.get(*ty);
            code == BinaryOp::Add && matches!(of, Type::List(_) | Type::Dict(..) | Type::TupleOf(_))
                || matches!(of, Type::Set(_) | Type::FrozenSet(_) | Type::Dict(..))
        });
        // What a sum holds may be more than its first list does.
        let right = if code == BinaryOp::Add { self.expr_guided(right, guide) } else { self.expr(right, guide) };
        (left, right)
    }

    /// Whether an expression is `dict.keys()` or `dict.items()`.
    pub fn is_view(&self, expr: &ast::Expr) -> bool {
        let ast::ExprKind::Call(of, arguments) = &expr.kind else { return false };
        let ast::ExprKind::Attribute(of, name) = &of.kind else { return false };
        let dict = self.quiet_type(of).is_some_and(|ty| matches!(self.program.types.get(ty), Type::Dict(..)));
        dict && arguments.is_empty() && matches!(name.text.as_str(), "keys" | "items")
    }

    /// What can be iterated over as a set.
    pub fn as_set(&mut self, expr: &ast::Expr) -> Option<Expr> {
        let value = self.used_up(expr, None)?;
        if let Type::Set(_) | Type::FrozenSet(_) = self.program.types.get(value.ty) {
            return Some(value);
        }
        let span = value.span;
        let list = self.listed_or_report(value)?;
        self.set_of(list, "set", span)
    }

    pub fn unary(&mut self, code: UnaryOp, inner: &ast::Expr, want: Option<TypeId>, span: Span) -> Option<Expr> {
        let want = want.filter(|ty| *ty == types::FLOAT && code != UnaryOp::Invert);
        let value = self.expr(inner, want)?;
        self.unary_of(code, value, span)
    }

    fn unary_of(&mut self, code: UnaryOp, value: Expr, span: Span) -> Option<Expr> {
        if self.is_union(value.ty) {
            let what = format!("`{}`", unary_sign(code));
            return self.for_each_member(value, span, &what, |c, v| c.unary_of(code, v, span));
        }
        let value = self.unmixed(value);
        if let Some(value) = self.own_unary(code, &value, span) {
            return value;
        }
        let value = if value.ty == types::BOOL { convert(value, types::INT).ok()? } else { value };
        match (code, value.ty) {
            (UnaryOp::Plus, types::INT | types::FLOAT) => Some(value),
            (UnaryOp::Minus, types::INT) => Some(op(Op::Ineg, vec![value], types::INT, span)),
            (UnaryOp::Minus, types::FLOAT) => Some(match value.kind {
                ExprKind::Float(f) => typed(types::FLOAT, span, ExprKind::Float(-f)),
                _ => op(Op::Fneg, vec![value], types::FLOAT, span),
            }),
            (UnaryOp::Invert, types::INT) => Some(op(Op::Inot, vec![value], types::INT, span)),
            _ => {
                let sign = unary_sign(code);
                let message = format!("`{sign}` does not take {}", self.name(value.ty));
                self.fail(Code::Operator, span, message)
            }
        }
    }

    /// A binary operator on checked operands.
    pub fn binary(&mut self, code: BinaryOp, left: Expr, right: Expr, span: Span) -> Option<Expr> {
        let (left, right) = (self.unmixed(left), self.unmixed(right));
        let (left, right) = match code {
            BinaryOp::Add | BinaryOp::BitOr => self.alike(left, right),
            _ => (left, right),
        };
        let numeric = |ty| matches!(ty, types::INT | types::FLOAT | types::BOOL);
        if numeric(left.ty) && numeric(right.ty) {
            return self.arithmetic(code, left, right, span);
        }
        if self.is_union(left.ty) || self.is_union(right.ty) {
            let mut stmts = Vec::new();
            let (left, right) = (self.keep(left, &mut stmts), self.keep(right, &mut stmts));
            let what = format!("`{}`", code.sign());
            let value = self.for_each_member(left, span, &what, |c, l| {
                let right = right.clone();
                c.for_each_member(right, span, &what, |c, r| c.binary(code, l.clone(), r, span))
            })?;
            return Some(super::expr::seq(stmts, value));
        }
        if let Some(value) = self.own_binary(code, &left, &right, span) {
            return value;
        }
        let (left, right) = match (code, self.program.types.get(left.ty), self.program.types.get(right.ty)) {
            (BinaryOp::Add, Type::Tuple(a), Type::Tuple(b)) => {
                let (a, b) = (a.clone(), b.clone());
                let mut stmts = Vec::new();
                let mut parts = self.parts_of(left, &a, &mut stmts);
                parts.extend(self.parts_of(right, &b, &mut stmts));
                let ty = self.program.types.intern(Type::Tuple(parts.iter().map(|p| p.ty).collect()));
                return Some(super::expr::seq(stmts, op(Op::New, parts, ty, span)));
            }
            // Beside a tuple of any length one of known length becomes that.
            (BinaryOp::Add, Type::TupleOf(_), Type::Tuple(_)) => {
                let to = left.ty;
                (left, self.tuple_of(right, to).unwrap_or_else(|right| right))
            }
            (BinaryOp::Add, Type::Tuple(_), Type::TupleOf(_)) => {
                let to = right.ty;
                (self.tuple_of(left, to).unwrap_or_else(|left| left), right)
            }
            // A sum is a new list, which may hold what either holds.
            (BinaryOp::Add, Type::List(a), Type::List(b)) if a != b => {
                let element = self.program.types.union(&[*a, *b]);
                let to = self.program.types.intern(Type::List(element));
                let mut stmts = Vec::new();
                let (left, right) = (self.keep(left, &mut stmts), self.keep(right, &mut stmts));
                let (left, right) = (self.list_with(left, to)?, self.list_with(right, to)?);
                let sum = self.syntax("list_concat", vec![left, right], span)?;
                return Some(super::expr::seq(stmts, sum));
            }
            (BinaryOp::Mul, Type::Tuple(parts), Type::Int | Type::Bool) if !parts.is_empty() => {
                let list = self.listed_or_report(left)?;
                (self.called("tuple", vec![list], span)?, right)
            }
            _ => (left, right),
        };
        let sets = |a: &Type, b: &Type| match (a, b) {
            (Type::Set(a) | Type::FrozenSet(a), Type::Set(b) | Type::FrozenSet(b)) => a == b,
            _ => false,
        };
        let name = match (code, self.program.types.get(left.ty), self.program.types.get(right.ty)) {
            (BinaryOp::BitOr, a, b) if sets(a, b) => "set_union",
            (BinaryOp::BitAnd, a, b) if sets(a, b) => "set_intersection",
            (BinaryOp::Sub, a, b) if sets(a, b) => "set_difference",
            (BinaryOp::BitXor, a, b) if sets(a, b) => "set_symmetric_difference",
            (BinaryOp::Add, Type::TupleOf(a), Type::TupleOf(b)) if a == b => "tuple_concat",
            (BinaryOp::Mul, Type::TupleOf(_), Type::Int | Type::Bool) => "tuple_repeat",
            (BinaryOp::Add, Type::Str, Type::Str) => "str_concat",
            (BinaryOp::Add, Type::Bytes, Type::Bytes) => "bytes_concat",
            (BinaryOp::Add, Type::List(a), Type::List(b)) if a == b => "list_concat",
            (BinaryOp::BitOr, Type::Dict(..), Type::Dict(..)) if left.ty == right.ty => "dict_merge",
            (BinaryOp::Mul, Type::Str, Type::Int | Type::Bool) => "str_repeat",
            (BinaryOp::Mul, Type::Bytes, Type::Int | Type::Bool) => "bytes_repeat",
            (BinaryOp::Mul, Type::List(_), Type::Int | Type::Bool) => "list_repeat",
            (
                BinaryOp::Mul,
                Type::Int | Type::Bool,
                Type::Str | Type::Bytes | Type::List(_) | Type::Tuple(_) | Type::TupleOf(_),
            ) => {
                // The count is worked out first, the sequence second, and the builtin takes them the other way round.
                let mut stmts = Vec::new();
                let left = convert(left, types::INT).ok()?;
                let left = self.keep(left, &mut stmts);
                let product = self.binary(code, right, left, span)?;
                return Some(super::expr::seq(stmts, product));
            }
            (BinaryOp::Mod, Type::Str, _) => {
                let message = "the template of `%` must be known here, so that it can be checked";
                let report = Diagnostic::error(Code::Unsupported, span, message);
                self.report(report.help("write the template here, or use an f-string: f\"{value} items\""));
                return None;
            }
            _ => return self.no_operator(code.sign(), &left, &right, span),
        };
        let right = if right.ty == types::BOOL { convert(right, types::INT).ok()? } else { right };
        self.syntax(name, vec![left, right], span)
    }

    fn no_operator(&mut self, sign: &str, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
        let (a, b) = (self.name(left.ty), self.name(right.ty));
        let report = Diagnostic::error(Code::Operator, span, format!("`{sign}` does not take {a} and {b}"));
        let report = report.label(left.span, format!("this is {a}")).label(right.span, format!("this is {b}"));
        let report = match (left.ty, right.ty) {
            (types::STR, types::INT | types::FLOAT | types::BOOL) if sign == "+" => {
                report.help("str(…) makes text of a number; or use an f-string: f\"{text}{number}\"")
            }
            (types::INT | types::FLOAT, types::STR) if sign == "+" => {
                report.help("int(…) or float(…) reads a number from text; str(…) makes text of a number")
            }
            (types::STR, types::BYTES) | (types::BYTES, types::STR) => {
                report.help("text.encode() makes bytes of text, data.decode() makes text of bytes")
            }
            _ => report,
        };
        self.report(report);
        None
    }

    fn arithmetic(&mut self, code: BinaryOp, left: Expr, right: Expr, span: Span) -> Option<Expr> {
        let floats = left.ty == types::FLOAT || right.ty == types::FLOAT;
        let both_bool = left.ty == types::BOOL && right.ty == types::BOOL;
        let (operation, result) = match (code, floats) {
            (BinaryOp::Add, false) => (Op::Iadd, types::INT),
            (BinaryOp::Sub, false) => (Op::Isub, types::INT),
            (BinaryOp::Mul, false) => (Op::Imul, types::INT),
            (BinaryOp::Div, false) => (Op::Itruediv, types::FLOAT),
            (BinaryOp::FloorDiv, false) => (Op::Ifloordiv, types::INT),
            (BinaryOp::Mod, false) => (Op::Imod, types::INT),
            (BinaryOp::Pow, false) => {
                if let ExprKind::Int(exponent) = right.kind
                    && exponent < 0
                {
                    let report = Diagnostic::error(Code::Operator, span, "an int to a negative power is no int");
                    self.report(report.help("make the base a float: float(base) ** -1"));
                    return None;
                }
                (Op::Ipow, types::INT)
            }
            (BinaryOp::BitAnd, false) => (Op::Iand, types::INT),
            (BinaryOp::BitOr, false) => (Op::Ior, types::INT),
            (BinaryOp::BitXor, false) => (Op::Ixor, types::INT),
            (BinaryOp::ShiftLeft, false) => (Op::Ishl, types::INT),
            (BinaryOp::ShiftRight, false) => (Op::Ishr, types::INT),
            (BinaryOp::Add, true) => (Op::Fadd, types::FLOAT),
            (BinaryOp::Sub, true) => (Op::Fsub, types::FLOAT),
            (BinaryOp::Mul, true) => (Op::Fmul, types::FLOAT),
            (BinaryOp::Div, true) => (Op::Fdiv, types::FLOAT),
            (BinaryOp::FloorDiv, true) => (Op::Ffloordiv, types::FLOAT),
            (BinaryOp::Mod, true) => (Op::Fmod, types::FLOAT),
            (BinaryOp::Pow, true) => (Op::Fpow, types::FLOAT),
            _ => return self.no_operator(code.sign(), &left, &right, span),
        };
        let operand = if floats { types::FLOAT } else { types::INT };
        let left = convert(left, operand).ok()?;
        let right = convert(right, operand).ok()?;
        let value = op(operation, vec![left, right], result, span);
        // Of truth values, & | and ^ make truth values.
        if both_bool && matches!(code, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor) {
            return Some(op(Op::Ine, vec![value, int(0, span)], types::BOOL, span));
        }
        Some(value)
    }

    /// A comparison of checked operands.
    pub fn compare(&mut self, code: CompareOp, left: Expr, right: Expr, span: Span) -> Option<Expr> {
        let (left, right) = match code {
            CompareOp::In | CompareOp::NotIn => self.element_alike(left, right),
            _ => self.alike(left, right),
        };
        match code {
            CompareOp::In | CompareOp::NotIn => {
                let found = self.contains(left, right, span)?;
                return Some(if code == CompareOp::In { found } else { op(Op::Bnot, vec![found], types::BOOL, span) });
            }
            CompareOp::Is | CompareOp::IsNot => return self.identity(code, left, right, span),
            _ => {}
        }
        let (left, right) = (self.unmixed(left), self.unmixed(right));
        let numeric = |ty| matches!(ty, types::INT | types::FLOAT | types::BOOL);
        if numeric(left.ty) && numeric(right.ty) {
            let floats = left.ty == types::FLOAT || right.ty == types::FLOAT;
            if floats && [&left, &right].into_iter().any(is_wide_int) {
                return self.compare_exactly(code, left, right, span);
            }
            let operand = if floats { types::FLOAT } else { types::INT };
            let operation = match (code, floats) {
                (CompareOp::Eq, false) => Op::Ieq,
                (CompareOp::Ne, false) => Op::Ine,
                (CompareOp::Lt, false) => Op::Ilt,
                (CompareOp::Le, false) => Op::Ile,
                (CompareOp::Gt, false) => Op::Igt,
                (CompareOp::Ge, false) => Op::Ige,
                (CompareOp::Eq, true) => Op::Feq,
                (CompareOp::Ne, true) => Op::Fne,
                (CompareOp::Lt, true) => Op::Flt,
                (CompareOp::Le, true) => Op::Fle,
                (CompareOp::Gt, true) => Op::Fgt,
                (CompareOp::Ge, true) => Op::Fge,
                (CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn, _) => return None,
            };
            let left = convert(left, operand).ok()?;
            let right = convert(right, operand).ok()?;
            return Some(op(operation, vec![left, right], types::BOOL, span));
        }
        if self.is_union(left.ty) || self.is_union(right.ty) {
            return self.compare_unions(code, left, right, span);
        }
        if let Some(value) = self.own_compare(code, &left, &right, span) {
            return value;
        }
        if let (CompareOp::Eq | CompareOp::Ne, Some(class)) = (code, self.not_by_content(left.ty, &mut Vec::new()))
            && left.ty == right.ty
        {
            return self.by_identity(&class, span);
        }
        if let Some(compared) = self.compare_sets(code, &left, &right, span) {
            return compared;
        }
        let (left, right) = match (self.program.types.get(left.ty), self.program.types.get(right.ty)) {
            (Type::TupleOf(_), Type::Tuple(_)) => {
                let to = left.ty;
                (left, self.tuple_of(right, to).unwrap_or_else(|right| right))
            }
            (Type::Tuple(_), Type::TupleOf(_)) => {
                let to = right.ty;
                (self.tuple_of(left, to).unwrap_or_else(|left| left), right)
            }
            _ => (left, right),
        };
        if left.ty != right.ty {
            return match self.compare_as_either(code, &left, &right, span) {
                Some(compared) => Some(compared),
                None => self.not_comparable(code, &left, &right, span),
            };
        }
        match code {
            CompareOp::Eq | CompareOp::Ne => {
                if !self.program.types.is_comparable(left.ty) {
                    return self.not_comparable(code, &left, &right, span);
                }
                let equal = op(Op::Eq, vec![left, right], types::BOOL, span);
                Some(if code == CompareOp::Eq { equal } else { op(Op::Bnot, vec![equal], types::BOOL, span) })
            }
            _ => {
                if !self.is_ordered(left.ty, 0) {
                    return self.not_comparable(code, &left, &right, span);
                }
                let order = op(Op::Order, vec![left, right], types::INT, span);
                let operation = match code {
                    CompareOp::Lt => Op::Ilt,
                    CompareOp::Le => Op::Ile,
                    CompareOp::Gt => Op::Igt,
                    _ => Op::Ige,
                };
                Some(op(operation, vec![order, int(0, span)], types::BOOL, span))
            }
        }
    }

    /// Two collections of one kind that hold different types, one of which takes what the other holds: they are equal where
    /// they hold the same.
    fn compare_as_either(&mut self, code: CompareOp, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
        let kind = |e: &Expr| std::mem::discriminant(self.program.types.get(e.ty));
        let collection = matches!(self.program.types.get(left.ty), Type::List(_) | Type::Dict(..) | Type::TupleOf(_));
        if kind(left) != kind(right) || !collection || !matches!(code, CompareOp::Eq | CompareOp::Ne) {
            return None;
        }
        let mut stmts = Vec::new();
        let (left, right) = (self.keep(left.clone(), &mut stmts), self.keep(right.clone(), &mut stmts));
        let wider = self.read_as(left.clone(), right.ty);
        let (left, right) = if wider.ty == right.ty {
            (wider, right)
        } else {
            let wider = self.read_as(right, left.ty);
            (left, wider)
        };
        if left.ty != right.ty {
            return None;
        }
        let found = self.compare(code, left, right, span)?;
        Some(super::expr::seq(stmts, found))
    }

    /// An int and a float: no int is rounded to a float, as the numbers themselves are compared.
    fn compare_exactly(&mut self, code: CompareOp, left: Expr, right: Expr, span: Span) -> Option<Expr> {
        let turned = left.ty == types::FLOAT;
        let name = match (code, turned) {
            (CompareOp::Eq | CompareOp::Ne, _) => "eq_int_float",
            (CompareOp::Lt, false) | (CompareOp::Gt, true) => "lt_int_float",
            (CompareOp::Le, false) | (CompareOp::Ge, true) => "le_int_float",
            (CompareOp::Gt, false) | (CompareOp::Lt, true) => "gt_int_float",
            (CompareOp::Ge, false) | (CompareOp::Le, true) => "ge_int_float",
            (CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn, _) => return None,
        };
        // The left one is worked out first, also where the builtin takes it second.
        let mut stmts = Vec::new();
        let args = if turned {
            let left = self.keep(left, &mut stmts);
            vec![right, left]
        } else {
            vec![left, right]
        };
        let found = self.syntax(name, args, span)?;
        let found = if code == CompareOp::Ne { op(Op::Bnot, vec![found], types::BOOL, span) } else { found };
        Some(super::expr::seq(stmts, found))
    }

    /// Two sets, whose `<` is inclusion.
    #[allow(clippy::option_option)]
    fn compare_sets(&mut self, code: CompareOp, left: &Expr, right: &Expr, span: Span) -> Option<Option<Expr>> {
        let set = |e: &Expr| match self.program.types.get(e.ty) {
            Type::Set(element) | Type::FrozenSet(element) => Some(*element),
            _ => None,
        };
        if set(left)? != set(right)? {
            return None;
        }
        let mut stmts = Vec::new();
        let (name, swap) = match code {
            CompareOp::Eq | CompareOp::Ne => ("set_equal", false),
            CompareOp::Le => ("set_issubset", false),
            CompareOp::Ge => ("set_issuperset", false),
            CompareOp::Lt => ("set_is_proper_subset", false),
            CompareOp::Gt => ("set_is_proper_subset", true),
            _ => return None,
        };
        let mut args = vec![left.clone(), right.clone()];
        if swap {
            args = args.into_iter().map(|e| self.keep(e, &mut stmts)).rev().collect();
        }
        let found = self.syntax(name, args, span);
        Some(found.map(|found| match code {
            CompareOp::Ne => op(Op::Bnot, vec![found], types::BOOL, span),
            _ => super::expr::seq(stmts, found),
        }))
    }

    /// Whether values of this type have an order.
    fn is_ordered(&self, ty: TypeId, depth: u32) -> bool {
        match self.program.types.get(ty) {
            Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => true,
            Type::List(e) | Type::TupleOf(e) => depth < 16 && self.is_ordered(*e, depth + 1),
            Type::Tuple(parts) => depth < 16 && parts.iter().all(|p| self.is_ordered(*p, depth + 1)),
            Type::Union(_) => deepslate_ir::structural::is_orderable(&self.program.types, ty),
            Type::None | Type::Dict(..) | Type::Class(_) | Type::Queue(_) | Type::Lock | Type::WaitGroup => false,
            Type::Set(_) | Type::FrozenSet(_) => false,
        }
    }

    pub fn not_comparable(&mut self, code: CompareOp, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
        let (a, b) = (self.name(left.ty), self.name(right.ty));
        let message = if a == b {
            format!("values of {a} can't be compared by `{}`", code.sign())
        } else {
            format!("{a} and {b} can't be compared by `{}`", code.sign())
        };
        let report = Diagnostic::error(Code::Operator, span, message);
        let report = report.label(left.span, format!("this is {a}")).label(right.span, format!("this is {b}"));
        let report = match (left.ty, right.ty) {
            (types::STR, types::INT) | (types::INT, types::STR) => report.help("convert one: int(text) or str(number)"),
            _ => report,
        };
        self.report(report);
        None
    }

    fn identity(&mut self, code: CompareOp, left: Expr, right: Expr, span: Span) -> Option<Expr> {
        let negate = |value: Expr| {
            if code == CompareOp::IsNot { op(Op::Bnot, vec![value], types::BOOL, span) } else { value }
        };
        for (value, other) in [(&left, &right), (&right, &left)] {
            if other.ty != types::NONE || value.ty == types::NONE {
                continue;
            }
            if self.is_union(value.ty) && self.alternatives_of(value.ty).contains(&types::NONE) {
                return Some(negate(super::unions::is_of(value.clone(), types::NONE, span)));
            }
            // It could be None but for what was tested before.
            if let ExprKind::Op(Op::UnionNarrow, args, _) = &value.kind
                && self.alternatives_of(args[0].ty).contains(&types::NONE)
            {
                let no = typed(types::BOOL, span, ExprKind::Bool(false));
                let look = crate::tree::Stmt { span, kind: crate::tree::StmtKind::Do(value.clone()) };
                return Some(negate(super::expr::seq(vec![look], no)));
            }
        }
        let single = right.ty == types::BOOL || deepslate_ir::enums::of(&self.program.types, right.ty).is_some();
        if self.is_union(left.ty) && single && self.alternatives_of(left.ty).contains(&right.ty) {
            let mut stmts = Vec::new();
            let (left, right) = (self.keep(left, &mut stmts), self.keep(right, &mut stmts));
            let is = super::unions::is_of(left.clone(), right.ty, span);
            let same = self.compare(CompareOp::Eq, super::unions::narrow(left, right.ty), right, span)?;
            let both = typed(types::BOOL, span, ExprKind::Logic(true, Box::new(is), Box::new(same)));
            return Some(super::expr::seq(stmts, negate(both)));
        }
        match (left.ty, right.ty) {
            (a, b) if a == b && deepslate_ir::enums::of(&self.program.types, a).is_some() => {
                let equal = if code == CompareOp::Is { CompareOp::Eq } else { CompareOp::Ne };
                self.compare(equal, left, right, span)
            }
            (types::BOOL, types::BOOL) | (types::NONE, types::NONE) => {
                let equal = if code == CompareOp::Is { CompareOp::Eq } else { CompareOp::Ne };
                self.compare(equal, left, right, span)
            }
            // What is never of one type is never the one value of it.
            (a, b) if [types::NONE, types::BOOL].iter().any(|one| (a == *one) != (b == *one) && !self.may_be(a, b)) => {
                let look = |value: Expr| crate::tree::Stmt { span, kind: crate::tree::StmtKind::Do(value) };
                let no = typed(types::BOOL, span, ExprKind::Bool(code == CompareOp::IsNot));
                Some(super::expr::seq(vec![look(left), look(right)], no))
            }
            _ => {
                let message = format!("`{}` compares with None, True and False only", code.sign());
                let report = Diagnostic::error(Code::Operator, span, message);
                self.report(report.help("use == or !="));
                None
            }
        }
    }

    /// Whether two types have one in common.
    fn may_be(&self, a: TypeId, b: TypeId) -> bool {
        let others = self.alternatives_of(b);
        self.alternatives_of(a).iter().any(|m| others.contains(m))
    }

    fn contains(&mut self, value: Expr, within: Expr, span: Span) -> Option<Expr> {
        if self.method_named(within.ty, "__contains__").is_some() {
            let mut stmts = Vec::new();
            let value = self.keep(value, &mut stmts);
            let found = self.own_call(&within, "__contains__", vec![value], span)??;
            return Some(super::expr::seq(stmts, found));
        }
        if self.is_union(within.ty) {
            let mut stmts = Vec::new();
            let value = self.keep(value, &mut stmts);
            let found = self.for_each_member(within, span, "`in`", |c, w| c.contains(value.clone(), w, span))?;
            return Some(super::expr::seq(stmts, found));
        }
        let element = match self.program.types.get(within.ty) {
            Type::Dict(key, _) => Some(*key),
            _ => self.program.types.element(within.ty),
        };
        if self.is_union(value.ty)
            && let Some(element) = element
            && !self.program.types.includes(element, value.ty)
        {
            let meets = |checker: &mut Self, member: TypeId| {
                let of = checker.alternatives_of(element);
                of.into_iter().any(|e| join(e, member).is_some())
            };
            let members = self.alternatives_of(value.ty);
            if members.into_iter().any(|m| meets(self, m)) {
                let mut stmts = Vec::new();
                let within = self.keep(within, &mut stmts);
                let found = self.for_each_member(value, span, "`in`", |c, v| {
                    if meets(c, v.ty) {
                        c.contains(v, within.clone(), span)
                    } else {
                        Some(typed(types::BOOL, span, ExprKind::Bool(false)))
                    }
                })?;
                return Some(super::expr::seq(stmts, found));
            }
        }
        if let Some(class) = self.not_by_content(value.ty, &mut Vec::new()) {
            return self.by_identity(&class, span);
        }
        let (name, wanted) = match *self.program.types.get(within.ty) {
            Type::Dict(key, _) => {
                let value = self.converted(value, key);
                return match value {
                    Ok(value) => {
                        let mut stmts = Vec::new();
                        let value = self.keep(value, &mut stmts);
                        Some(super::expr::seq(stmts, op(Op::DictHas, vec![within, value], types::BOOL, span)))
                    }
                    Err(value) => self.no_operator("in", &value, &within, span),
                };
            }
            Type::List(element) => ("list_contains", element),
            Type::TupleOf(element) => ("tuple_contains", element),
            Type::Set(element) | Type::FrozenSet(element) => ("set_contains", element),
            Type::Str => ("str_contains", types::STR),
            Type::Bytes if value.ty == types::INT => ("bytes_contains_int", types::INT),
            Type::Bytes => ("bytes_contains", types::BYTES),
            Type::Tuple(_) => return self.in_tuple(value, within, span),
            _ => return self.no_operator("in", &value, &within, span),
        };
        let takes = join(value.ty, wanted) == Some(wanted) || self.program.types.includes(wanted, value.ty);
        let wanted = if takes { wanted } else { value.ty };
        match self.converted(value, wanted) {
            Ok(value) if self.looks_in(name, within.ty, value.ty) => {
                let mut stmts = Vec::new();
                let value = self.keep(value, &mut stmts);
                let found = self.syntax(name, vec![within, value], span)?;
                Some(super::expr::seq(stmts, found))
            }
            Ok(value) | Err(value) => self.no_operator("in", &value, &within, span),
        }
    }

    fn looks_in(&self, name: &str, within: TypeId, value: TypeId) -> bool {
        match (name, self.program.types.get(within)) {
            ("list_contains" | "tuple_contains", Type::List(e) | Type::TupleOf(e)) => {
                *e == value && self.program.types.is_comparable(value)
            }
            ("set_contains", Type::Set(e) | Type::FrozenSet(e)) => *e == value,
            ("str_contains", _) => value == types::STR,
            ("bytes_contains", _) => value == types::BYTES,
            _ => value == types::INT,
        }
    }

    fn in_tuple(&mut self, value: Expr, within: Expr, span: Span) -> Option<Expr> {
        let parts = self.program.types.slots(within.ty).unwrap_or_default();
        if parts.len() > 64 {
            let report =
                Diagnostic::error(Code::NotYet, span, "not supported yet: `in` with a tuple of more than 64 parts");
            self.report(report.help("use a list, or a dict with the parts as its keys"));
            return None;
        }
        let mut stmts = Vec::new();
        let value = self.keep(value, &mut stmts);
        let within = self.keep(within, &mut stmts);
        let mut result = typed(types::BOOL, span, ExprKind::Bool(false));
        for (index, ty) in parts.into_iter().enumerate().rev() {
            let slot = deepslate_ir::module::Imm::Slot(u32::try_from(index).unwrap_or(u32::MAX));
            let part = super::convert::op_with(Op::SlotGet, vec![within.clone()], slot, ty, span);
            let equal = self.compare(CompareOp::Eq, value.clone(), part, span)?;
            result = typed(types::BOOL, span, ExprKind::Logic(false, Box::new(equal), Box::new(result)));
        }
        Some(super::expr::seq(stmts, result))
    }
}

fn unary_sign(code: UnaryOp) -> &'static str {
    match code {
        UnaryOp::Minus => "-",
        UnaryOp::Plus => "+",
        UnaryOp::Invert => "~",
        UnaryOp::Not => "not",
    }
}

/// Whether an operand is an int that may not be a float exactly.
fn is_wide_int(operand: &Expr) -> bool {
    const EXACT: u64 = 1 << 53;
    match operand.kind {
        ExprKind::Int(value) => value.unsigned_abs() > EXACT,
        _ => operand.ty == types::INT,
    }
}

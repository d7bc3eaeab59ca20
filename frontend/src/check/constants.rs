//! Module constants: what a flow may use of the variables of its module is what can be worked out from literals when the
//! program is compiled, and can't change afterwards.

use super::names::{ConstantSource, Program};
use crate::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree;
use deepslate_ir::builtins::Builtin;
use deepslate_ir::datum::{Datum, as_member, member_of};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

type Evaluated = Result<(Datum, TypeId), Box<Diagnostic>>;

/// How deeply constants may name each other.
const MAX_DEPTH: u32 = 64;
/// The longest text that a constant expression makes.
const MAX_TEXT: usize = 1 << 20;

impl Program<'_> {
    /// The value and type of the constant with this index.
    pub fn constant(&mut self, index: usize, used: Span, depth: u32) -> Evaluated {
        let constant = &mut self.constants[index];
        let (name, span) = (constant.name.clone(), constant.span);
        let not_constant = |help: &str| {
            let message = format!("`{name}` is no constant that a flow can use");
            let report = Diagnostic::error(Code::NotConstant, used, message);
            let report = if span == Span::default() { report } else { report.label(span, "defined here") };
            Box::new(report.help(help))
        };
        if self.assigned_twice.contains_key(&name) {
            return Err(not_constant("it is assigned more than once; give it one value, or pass it as an argument"));
        }
        match &self.constants[index].value {
            Some(value) => return value.clone(),
            // While it is evaluated, a use of it is a cycle.
            None => self.constants[index].value = Some(Err(not_constant("its value depends on itself"))),
        }
        let result = match &self.constants[index].source {
            ConstantSource::Given(datum) => {
                let datum = datum.clone();
                match self.type_of(&datum, 0) {
                    Some(ty) => Ok((datum, ty)),
                    None => {
                        Err(not_constant("constants are numbers, truth values, text, bytes, None and tuples of those"))
                    }
                }
            }
            ConstantSource::Written(annotation, value) => {
                let (annotation, value) = (*annotation, *value);
                let mut out = Vec::new();
                let want = annotation.and_then(|a| self.annotation(a, &mut out));
                match self.evaluate(value, want, depth + 1) {
                    Ok(found) => Ok(found),
                    Err(inner) => {
                        let mut report = not_constant(
                            "constants are numbers, truth values, text, bytes, None and tuples of those, and what operators make of them",
                        );
                        report.labels.clear();
                        let report = report.label(inner.span, inner.message.clone());
                        Err(Box::new(report))
                    }
                }
            }
        };
        self.constants[index].value = Some(result.clone());
        result
    }

    /// The type of a value that is given, if a constant may have it.
    fn type_of(&mut self, datum: &Datum, depth: u32) -> Option<TypeId> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match datum {
            Datum::None => types::NONE,
            Datum::Bool(_) => types::BOOL,
            Datum::Int(_) => types::INT,
            Datum::Float(_) => types::FLOAT,
            Datum::Str(_) => types::STR,
            Datum::Bytes(_) => types::BYTES,
            Datum::Tuple(parts) => {
                let parts = parts.iter().map(|p| self.type_of(p, depth + 1)).collect::<Option<Vec<_>>>()?;
                self.types.intern(Type::Tuple(parts))
            }
            Datum::List(items) => {
                let element = self.type_of_all(items.iter(), depth)?;
                self.types.intern(Type::List(element))
            }
            Datum::Dict(entries) => {
                let key = self.type_of_all(entries.iter().map(|(k, _)| k), depth)?;
                let value = self.type_of_all(entries.iter().map(|(_, v)| v), depth)?;
                if !self.types.is_hashable(key) {
                    return None;
                }
                self.types.intern(Type::Dict(key, value))
            }
            _ => return None,
        })
    }

    /// The one type that all values have.
    fn type_of_all<'d>(&mut self, values: impl Iterator<Item = &'d Datum>, depth: u32) -> Option<TypeId> {
        let mut found = None;
        for value in values {
            let ty = self.type_of(value, depth + 1)?;
            if *found.get_or_insert(ty) != ty {
                return None;
            }
        }
        found
    }

    /// The value and type of a constant expression; of type `want` if it can be converted to that.
    pub fn evaluate(&mut self, expr: &Expr, want: Option<TypeId>, depth: u32) -> Evaluated {
        let (datum, ty) = self.evaluate_plain(expr, want, depth)?;
        Ok(match (datum, want) {
            (Datum::Int(i), Some(types::FLOAT)) => (Datum::Float(i as f64), types::FLOAT),
            (Datum::Bool(b), Some(types::FLOAT)) => (Datum::Float(f64::from(u8::from(b))), types::FLOAT),
            (Datum::Bool(b), Some(types::INT)) => (Datum::Int(i64::from(b)), types::INT),
            (datum, _) => (datum, ty),
        })
    }

    fn evaluate_plain(&mut self, expr: &Expr, want: Option<TypeId>, depth: u32) -> Evaluated {
        let fail = |message: &str| Err(Box::new(Diagnostic::error(Code::NotConstant, expr.span, message)));
        if depth > MAX_DEPTH {
            return fail("constants depend on each other too deeply");
        }
        let int = |value: i128| match i64::try_from(value) {
            Ok(value) => Ok((Datum::Int(value), types::INT)),
            Err(_) => Err(Box::new(too_large(expr.span))),
        };
        match &expr.kind {
            ExprKind::None => Ok((Datum::None, types::NONE)),
            ExprKind::Bool(b) => Ok((Datum::Bool(*b), types::BOOL)),
            ExprKind::Int(i) => int(*i),
            ExprKind::Float(f) => Ok((Datum::Float(*f), types::FLOAT)),
            ExprKind::Str(s) => Ok((Datum::Str(s.clone()), types::STR)),
            ExprKind::Bytes(b) => Ok((Datum::Bytes(b.clone()), types::BYTES)),
            ExprKind::Tuple(parts) => {
                if let Some(Type::TupleOf(element)) = want.map(|ty| self.types.get(ty)) {
                    let element = *element;
                    // The list that it is made of has a type of its own.
                    self.types.intern(Type::List(element));
                    let mut data = Vec::new();
                    for part in parts {
                        let (datum, ty) = self.evaluate(part, Some(element), depth + 1)?;
                        if ty != element {
                            let message = format!(
                                "a part must be {}, but this is {}",
                                self.types.name(element),
                                self.types.name(ty)
                            );
                            return Err(Box::new(Diagnostic::error(Code::Mismatch, part.span, message)));
                        }
                        data.push(datum);
                    }
                    return Ok((Datum::Tuple(data), self.types.intern(Type::TupleOf(element))));
                }
                let wants = match want.map(|ty| self.types.get(ty)) {
                    Some(Type::Tuple(wants)) if wants.len() == parts.len() => wants.iter().copied().map(Some).collect(),
                    _ => vec![None; parts.len()],
                };
                let mut data = Vec::new();
                let mut list = Vec::new();
                for (part, want) in parts.iter().zip(wants) {
                    let (datum, ty) = self.evaluate(part, want, depth + 1)?;
                    data.push(datum);
                    list.push(ty);
                }
                Ok((Datum::Tuple(data), self.types.intern(Type::Tuple(list))))
            }
            ExprKind::List(_) | ExprKind::Dict(_) | ExprKind::Set(_) | ExprKind::Comprehension(_) => {
                fail("this can change while a flow runs")
            }
            ExprKind::Name(name) => match self.globals.get(name) {
                Some(super::Global::Constant(index)) => {
                    let index = *index;
                    self.constant(index, expr.span, depth + 1)
                }
                _ => fail("this is not known before the program runs"),
            },
            ExprKind::Attribute(of, name) => match self.path(of) {
                Some((_, Some(super::Global::Class(class)))) => match self.member_named(class, &name.text) {
                    Some(found) => Ok(found),
                    None => fail("this is not known before the program runs"),
                },
                _ => fail("this is not known before the program runs"),
            },
            ExprKind::Unary(UnaryOp::Minus, inner) if matches!(inner.kind, ExprKind::Int(_)) => match inner.kind {
                ExprKind::Int(i) => int(i.checked_neg().unwrap_or(i128::MAX)),
                _ => fail("this is no number"),
            },
            ExprKind::Unary(op, inner) => {
                let (value, _) = self.evaluate_plain(inner, None, depth + 1)?;
                match (op, value) {
                    (UnaryOp::Minus, Datum::Int(i)) => int(-i128::from(i)),
                    (UnaryOp::Plus, Datum::Int(i)) => int(i128::from(i)),
                    (UnaryOp::Invert, Datum::Int(i)) => int(i128::from(!i)),
                    (UnaryOp::Minus, Datum::Float(f)) => Ok((Datum::Float(-f), types::FLOAT)),
                    (UnaryOp::Plus, Datum::Float(f)) => Ok((Datum::Float(f), types::FLOAT)),
                    (UnaryOp::Not, Datum::Bool(b)) => Ok((Datum::Bool(!b), types::BOOL)),
                    _ => fail("this operator is not worked out in constants"),
                }
            }
            ExprKind::Binary(op, left, right) => {
                let (left, _) = self.evaluate_plain(left, None, depth + 1)?;
                let (right, _) = self.evaluate_plain(right, None, depth + 1)?;
                match binary(*op, left, right) {
                    Some(Ok(Datum::Int(i))) => Ok((Datum::Int(i), types::INT)),
                    Some(Ok(Datum::Float(f))) => Ok((Datum::Float(f), types::FLOAT)),
                    Some(Ok(Datum::Str(s))) if s.len() <= MAX_TEXT => Ok((Datum::Str(s), types::STR)),
                    Some(Err(())) => Err(Box::new(too_large(expr.span))),
                    _ => fail("this operator is not worked out in constants"),
                }
            }
            _ => fail("this is not known before the program runs"),
        }
    }
}

/// What is said of an integer that is too large, here and where a constant is made of one.
pub(super) const TOO_LARGE: &str = "this integer does not fit 64 bits";

fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error(Code::IntRange, span, TOO_LARGE).help("integers of flows are from -2**63 to 2**63 - 1")
}

/// `None`: not worked out; `Err`: an integer too large.
fn binary(op: BinaryOp, left: Datum, right: Datum) -> Option<Result<Datum, ()>> {
    let int = |value: Option<i64>| Some(value.map(Datum::Int).ok_or(()));
    match (left, right) {
        (Datum::Int(a), Datum::Int(b)) => match op {
            BinaryOp::Add => int(a.checked_add(b)),
            BinaryOp::Sub => int(a.checked_sub(b)),
            BinaryOp::Mul => int(a.checked_mul(b)),
            BinaryOp::Pow => int(a.checked_pow(u32::try_from(b).ok()?)),
            BinaryOp::ShiftLeft => {
                let count = u32::try_from(b).ok().filter(|c| *c < 63)?;
                int(a.checked_mul(1 << count))
            }
            BinaryOp::ShiftRight => int(Some(a >> u32::try_from(b).ok()?.min(63))),
            BinaryOp::BitAnd => int(Some(a & b)),
            BinaryOp::BitOr => int(Some(a | b)),
            BinaryOp::BitXor => int(Some(a ^ b)),
            BinaryOp::FloorDiv => int(Some(floor_div(a, b)?)),
            BinaryOp::Mod => int(Some(a.checked_sub(floor_div(a, b)?.checked_mul(b)?)?)),
            // Only where the quotient of the doubles is the double of the quotient.
            BinaryOp::Div if b != 0 && a.unsigned_abs() < 1 << 53 && b.unsigned_abs() < 1 << 53 => {
                Some(Ok(Datum::Float(a as f64 / b as f64)))
            }
            BinaryOp::Div | BinaryOp::MatMul => None,
        },
        (Datum::Float(a), Datum::Float(b)) => match op {
            BinaryOp::Add => Some(Ok(Datum::Float(a + b))),
            BinaryOp::Sub => Some(Ok(Datum::Float(a - b))),
            BinaryOp::Mul => Some(Ok(Datum::Float(a * b))),
            BinaryOp::Div if b != 0.0 => Some(Ok(Datum::Float(a / b))),
            _ => None,
        },
        (Datum::Int(a), Datum::Float(b)) => binary(op, Datum::Float(a as f64), Datum::Float(b)),
        (Datum::Float(a), Datum::Int(b)) => binary(op, Datum::Float(a), Datum::Float(b as f64)),
        (Datum::Str(a), Datum::Str(b)) if op == BinaryOp::Add => Some(Ok(Datum::Str(a + &b))),
        (Datum::Str(a), Datum::Int(n)) if op == BinaryOp::Mul => {
            let count = usize::try_from(n).unwrap_or(0);
            (a.len().checked_mul(count)? <= MAX_TEXT).then(|| Ok(Datum::Str(a.repeat(count))))
        }
        _ => None,
    }
}

fn floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    let rest = a.checked_rem(b)?;
    Some(if rest != 0 && (rest < 0) != (b < 0) { quotient - 1 } else { quotient })
}

/// A constant of one type as a value of a union, if it is one.
pub(super) fn as_union(types: &types::Types, union: TypeId, datum: &Datum, found: TypeId) -> Option<Datum> {
    let members = types.members(union)?;
    if members.contains(&found) {
        return Some(as_member(types, union, found, datum.clone()));
    }
    let member = members.iter().copied().find(|m| super::convert::converts(found, *m))?;
    let number = match datum {
        Datum::Bool(value) => i64::from(*value),
        Datum::Int(value) => *value,
        _ => return None,
    };
    let value = if member == types::FLOAT { Datum::Float(number as f64) } else { Datum::Int(number) };
    Some(as_member(types, union, member, value))
}

/// A constant as an expression of this type.
pub(super) fn literal(types: &types::Types, datum: &Datum, ty: TypeId, span: Span) -> tree::Expr {
    if let Some((member, value)) = member_of(types, ty, datum) {
        let value = literal(types, value, member, span);
        return tree::Expr { ty, span, kind: tree::ExprKind::Op(Op::UnionWiden, vec![value], Imm::No) };
    }
    if let Some(member) = super::enums::member(types, datum, ty, span) {
        return member;
    }
    let kind = match datum {
        Datum::Member(_, value) => return literal(types, value, ty, span),
        Datum::None => tree::ExprKind::None,
        Datum::Bool(b) => tree::ExprKind::Bool(*b),
        Datum::Int(i) => tree::ExprKind::Int(*i),
        Datum::Float(f) => tree::ExprKind::Float(*f),
        Datum::Str(s) => tree::ExprKind::Str(s.clone()),
        Datum::Bytes(b) => tree::ExprKind::Bytes(b.clone()),
        Datum::Tuple(parts) if types.element(ty).is_some() => {
            return of_list(Builtin::TupleOfList, types, parts, ty, span);
        }
        Datum::Set(parts) => return of_list(Builtin::FrozenSetOfList, types, parts, ty, span),
        Datum::List(items) => {
            let element = types.element(ty).unwrap_or(types::NONE);
            let items = items.iter().map(|item| literal(types, item, element, span));
            tree::ExprKind::Op(Op::ListNew, items.collect(), Imm::No)
        }
        Datum::Dict(entries) => {
            let (key, value) = match types.get(ty) {
                Type::Dict(key, value) => (*key, *value),
                _ => (types::NONE, types::NONE),
            };
            let each = entries.iter().flat_map(|(k, v)| [literal(types, k, key, span), literal(types, v, value, span)]);
            tree::ExprKind::Op(Op::DictNew, each.collect(), Imm::No)
        }
        Datum::Tuple(parts) | Datum::Object(parts) => {
            let slots = types.slots(ty).unwrap_or_default();
            let parts = parts.iter().zip(slots).map(|(part, ty)| literal(types, part, ty, span));
            tree::ExprKind::Op(Op::New, parts.collect(), Imm::No)
        }
    };
    tree::Expr { ty, span, kind }
}

/// A builtin that makes a value of a list, on the list of these.
fn of_list(builtin: Builtin, types: &types::Types, parts: &[Datum], ty: TypeId, span: Span) -> tree::Expr {
    let (element, list) = (types.element(ty), types.element(ty).and_then(|e| types.find(&Type::List(e))));
    let (element, list) = (element.unwrap_or(types::NONE), list.unwrap_or(types::NONE));
    let parts = parts.iter().map(|part| literal(types, part, element, span)).collect();
    let list = tree::Expr { ty: list, span, kind: tree::ExprKind::Op(Op::ListNew, parts, Imm::No) };
    tree::Expr { ty, span, kind: tree::ExprKind::Builtin(builtin, vec![list]) }
}

//! Unions (`int | None`): what becomes a value of one, what a condition tells about the member that a variable or field holds,
//! and operations that are the same for every member.
//!
//! What is known of a member is kept by path: a variable, or fields and elements under constant keys of one. A variable's is
//! certain; a field may change behind another name, so each read of it is checked as the program runs.

use super::body::Checker;
use super::conditions::Outcomes;
use super::convert::{convert, converts, op_with};
use super::enums::Mixed;
use super::expr::{op, seq, typed};
use crate::ast::{self, Argument, CompareOp, ExprKind as A, PatternKind as P, UnaryOp};
use crate::diag::{Code, Diagnostic};
use crate::flow::{Assigned, Path, Step};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};
use std::collections::HashSet;

/// What a pattern or condition tells of the members of a value.
pub(super) struct Told {
    /// Those that it may be of where it fits.
    pub may_be: Vec<TypeId>,
    /// Those that it is never of where it does not fit.
    pub all_of: Vec<TypeId>,
}

impl Checker<'_, '_> {
    /// The members of a union, or the type itself.
    pub fn alternatives_of(&self, ty: TypeId) -> Vec<TypeId> {
        self.program.types.members(ty).map_or_else(|| vec![ty], <[TypeId]>::to_vec)
    }

    /// Whether a type is a union.
    pub fn is_union(&self, ty: TypeId) -> bool {
        self.program.types.members(ty).is_some()
    }

    /// The value as one of this type, if it can be.
    pub fn converted(&mut self, value: Expr, to: TypeId) -> Result<Expr, Expr> {
        let value = match convert(value, to) {
            Ok(value) => return Ok(value),
            Err(value) => value,
        };
        if self.is_union(to) && self.program.types.includes(to, value.ty) {
            return Ok(widen(value, to));
        }
        if !self.fits(value.ty, to, 0) {
            return Err(value);
        }
        if self.is_union(value.ty) {
            let (ty, span) = (value.ty, value.span);
            let none = typed(ty, span, ExprKind::None);
            return self.for_each_member(value, span, "this", |c, v| c.converted(v, to).ok()).ok_or(none);
        }
        if !self.is_union(to) {
            return self.tuple_of(value, to);
        }
        // The member that it is by its own type comes before one that it only fits.
        let members = self.alternatives_of(to);
        let first = members.iter().copied().find(|m| converts(value.ty, *m));
        let Some(member) = first.or_else(|| members.into_iter().find(|m| self.fits(value.ty, *m, 0))) else {
            return Err(value);
        };
        self.converted(value, member).map(|value| widen(value, to))
    }

    /// Whether a value of one type can be made one of another, by what nobody writes: numbers are converted, tuples made anew.
    pub fn fits(&self, from: TypeId, to: TypeId, depth: u32) -> bool {
        const DEPTH: u32 = 16;
        let types = &self.program.types;
        if converts(from, to) || types.includes(to, from) {
            return true;
        }
        if depth > DEPTH {
            return false;
        }
        if let Some(members) = types.members(from) {
            return members.iter().all(|m| self.fits(*m, to, depth + 1));
        }
        if let Some(members) = types.members(to) {
            return members.iter().any(|m| self.fits(from, *m, depth + 1));
        }
        match (types.get(from), types.get(to)) {
            (Type::Tuple(parts), Type::TupleOf(e)) => parts.iter().all(|p| self.fits(*p, *e, depth + 1)),
            (Type::Tuple(a), Type::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.fits(*a, *b, depth + 1))
            }
            _ => false,
        }
    }

    /// The type that guides an expression of which a union is wanted.
    pub fn guide(&self, expr: &ast::Expr, want: Option<TypeId>) -> Option<TypeId> {
        let want = want?;
        let Some(members) = self.program.types.members(want) else { return Some(want) };
        let first = |fits: &dyn Fn(&Type) -> bool| members.iter().copied().find(|m| fits(self.program.types.get(*m)));
        let others: Vec<TypeId> = members.iter().copied().filter(|m| *m != types::NONE).collect();
        match &expr.kind {
            A::List(_) => first(&|ty| matches!(ty, Type::List(_))),
            A::Dict(_) => first(&|ty| matches!(ty, Type::Dict(..))),
            A::Set(_) => first(&|ty| matches!(ty, Type::Set(_))),
            A::Tuple(parts) => {
                first(&|ty| matches!(ty, Type::Tuple(p) if p.len() == parts.len()) || matches!(ty, Type::TupleOf(_)))
            }
            A::Int(_) if members.iter().any(|m| matches!(*m, types::INT | types::BOOL)) => None,
            A::Int(_) => first(&|ty| matches!(ty, Type::Float)),
            A::Call(..) | A::Comprehension(_) => match others[..] {
                [one] => Some(one),
                _ => None,
            },
            _ => Some(want),
        }
    }

    /// The path of an expression that has one.
    pub fn path(&self, expr: &ast::Expr) -> Option<Path> {
        match &expr.kind {
            A::Name(name) | A::Walrus(ast::Name { text: name, .. }, _) => Some(Path::of(self.names.get(name)?.var?)),
            A::Attribute(of, name) => match self.field_variable(of, name) {
                Some(variable) => self.path(&variable),
                None => Some(self.path(of)?.with(Step::Field(name.text.clone()))),
            },
            A::Index(of, index) => {
                let key = match &index.kind {
                    A::Int(value) => format!("{value}"),
                    A::Str(text) => format!("{text:?}"),
                    _ => return None,
                };
                Some(self.path(of)?.with(Step::Key(key)))
            }
            _ => None,
        }
    }

    /// The type that the value at a path has here, without reports.
    fn known_type(&mut self, expr: &ast::Expr) -> Option<TypeId> {
        let declared = match &expr.kind {
            A::Name(name) | A::Walrus(ast::Name { text: name, .. }, _) => {
                self.type_of_variable(self.names.get(name)?.var?)
            }
            A::Attribute(of, name) => match self.field_variable(of, name) {
                Some(variable) => return self.known_type(&variable),
                None => {
                    let of = self.known_type(of)?;
                    let Type::Class(id) = *self.program.types.get(of) else { return None };
                    let class = self.program.types.class(id);
                    class.fields[class.field(&name.text)?].ty
                }
            },
            A::Index(of, _) => {
                let of = self.known_type(of)?;
                match *self.program.types.get(of) {
                    Type::List(e) | Type::Dict(_, e) | Type::TupleOf(e) => e,
                    _ => return None,
                }
            }
            _ => return None,
        };
        let path = self.path(expr)?;
        Some(self.narrowed_type(&path, declared))
    }

    fn narrowed_type(&mut self, path: &Path, declared: TypeId) -> TypeId {
        let Some(left) = self.assigned.narrowed(path) else { return declared };
        let left: Vec<TypeId> = self.alternatives_of(declared).into_iter().filter(|m| left.contains(m)).collect();
        if left.is_empty() { declared } else { self.program.types.union(&left) }
    }

    /// A value that was read at a path, as what is known of it.
    pub fn as_known(&mut self, expr: &ast::Expr, value: Expr) -> Expr {
        if !self.is_union(value.ty) {
            return value;
        }
        let Some(path) = self.path(expr) else { return value };
        let ty = self.narrowed_type(&path, value.ty);
        narrow(value, ty)
    }

    /// Notes that a path has got this value, converted to the type that it has.
    pub fn note_stored(&mut self, target: &ast::Expr, value: &Expr) {
        let Some(path) = self.path(target) else { return };
        self.assigned.forget(&path);
        let held = match &value.kind {
            ExprKind::Op(Op::UnionWiden, args, _) => args[0].ty,
            _ => value.ty,
        };
        if let Some(declared) = self.known_type(target)
            && self.is_union(declared)
            && held != declared
            && self.program.types.includes(declared, held)
        {
            let members = self.alternatives_of(held);
            self.assigned.narrow(path, members);
        }
    }

    /// What has a value, and what is known of members, where a condition holds and where it does not.
    pub fn outcomes(&mut self, expr: &ast::Expr) -> Outcomes {
        match &expr.kind {
            A::Unary(UnaryOp::Not, inner) => {
                let Outcomes { holds, fails } = self.outcomes(inner);
                return Outcomes { holds: fails, fails: holds };
            }
            A::Logic(and, values) => {
                let before = self.assigned.clone();
                let mut decided = Assigned::unreachable();
                for value in values {
                    let Outcomes { holds, fails } = self.outcomes(value);
                    let (goes_on, ends) = if *and { (holds, fails) } else { (fails, holds) };
                    decided.join(&ends);
                    self.assigned = goes_on;
                }
                let last = std::mem::replace(&mut self.assigned, before);
                let (holds, fails) = if *and { (last, decided) } else { (decided, last) };
                return Outcomes { holds, fails };
            }
            _ => {}
        }
        let Outcomes { mut holds, mut fails } = self.either_way();
        if let Some((path, yes, no)) = self.tells(expr) {
            holds.narrow(path.clone(), yes);
            fails.narrow(path, no);
        }
        Outcomes { holds, fails }
    }

    /// What a condition tells of a path: the members that are left where it holds, and where it does not.
    fn tells(&mut self, expr: &ast::Expr) -> Option<(Path, Vec<TypeId>, Vec<TypeId>)> {
        match &expr.kind {
            A::Name(_) | A::Attribute(..) | A::Index(..) | A::Walrus(..) => {
                let (path, members) = self.union_at(expr)?;
                let yes = members.iter().copied().filter(|m| *m != types::NONE).collect();
                let no = members.into_iter().filter(|m| self.may_be_false(*m)).collect();
                Some((path, yes, no))
            }
            A::Compare(first, rest) => {
                let [(code, second)] = rest.as_slice() else { return None };
                let (of, other) = if matches!(first.kind, A::None) { (second, &**first) } else { (&**first, second) };
                let (path, members) = self.union_at(of)?;
                let none = |m: &TypeId| *m == types::NONE;
                let (same, rest): (Vec<TypeId>, Vec<TypeId>) = members.iter().copied().partition(none);
                let literal = matches!(other.kind, A::Int(_) | A::Str(_) | A::Float(_) | A::Bytes(_) | A::Bool(_));
                match (code, &other.kind) {
                    (CompareOp::Is | CompareOp::Eq, A::None) => Some((path, same, rest)),
                    (CompareOp::IsNot | CompareOp::Ne, A::None) => Some((path, rest, same)),
                    (CompareOp::Eq | CompareOp::Is, _) if literal => Some((path, rest, members)),
                    (CompareOp::Ne | CompareOp::IsNot, _) if literal => Some((path, members, rest)),
                    _ => None,
                }
            }
            A::Call(of, arguments) => {
                let A::Name(name) = &of.kind else { return None };
                let [value, class] = arguments.as_slice() else { return None };
                if name != "isinstance" || !self.is_free(name) {
                    return None;
                }
                let (path, members) = self.union_at(&value.value)?;
                let mut yes = Vec::new();
                self.instances(&class.value, &members, &mut yes, false)?;
                let no = members.into_iter().filter(|m| !yes.contains(m)).collect();
                Some((path, yes, no))
            }
            _ => None,
        }
    }

    fn union_at(&mut self, expr: &ast::Expr) -> Option<(Path, Vec<TypeId>)> {
        let ty = self.known_type(expr)?;
        let members = self.program.types.members(ty)?.to_vec();
        Some((self.path(expr)?, members))
    }

    fn may_be_false(&self, member: TypeId) -> bool {
        match self.program.types.get(member) {
            Type::Class(_) => ["__bool__", "__len__"].iter().any(|m| self.method_named(member, m).is_some()),
            Type::Queue(_) | Type::Lock | Type::WaitGroup => false,
            _ => true,
        }
    }

    /// The members that are instances of what the second argument of `isinstance` names, appended; `report` says whether a
    /// mistake is reported.
    fn instances(&mut self, class: &ast::Expr, members: &[TypeId], out: &mut Vec<TypeId>, report: bool) -> Option<()> {
        match &class.kind {
            A::Tuple(parts) => return parts.iter().try_for_each(|p| self.instances(p, members, out, report)),
            A::Binary(ast::BinaryOp::BitOr, a, b) => {
                self.instances(a, members, out, report)?;
                return self.instances(b, members, out, report);
            }
            _ => {}
        }
        let found: Vec<TypeId> = match &class.kind {
            A::None => members.iter().copied().filter(|m| *m == types::NONE).collect(),
            A::Name(name) if self.is_free(name) && is_kind(name) => {
                members.iter().copied().filter(|m| self.is_of_kind(name, *m)).collect()
            }
            _ => match self.class_named(class) {
                Some(wanted) => members.iter().copied().filter(|m| self.descends(*m, wanted)).collect(),
                None => {
                    if report {
                        let message = "`isinstance` asks for a type: int, str, a class, or a tuple of those";
                        self.fail::<()>(Code::UnknownType, class.span, message);
                    }
                    return None;
                }
            },
        };
        for member in found {
            if !out.contains(&member) {
                out.push(member);
            }
        }
        Some(())
    }

    /// Whether values of this type are what the builtin type of this name is; members of an `IntEnum` are ints too.
    pub fn is_of_kind(&self, name: &str, ty: TypeId) -> bool {
        let mixed = self.program.mixed(ty);
        of_kind(name, self.program.types.get(ty)) || matches!((name, mixed), ("int", Mixed::Int) | ("str", Mixed::Str))
    }

    /// Whether a type is this class or one derived from it.
    fn descends(&self, ty: TypeId, class: usize) -> bool {
        let mut at = self.program.class_of(ty);
        while let Some(index) = at {
            if index == class {
                return true;
            }
            at = self.program.classes[index].base;
        }
        false
    }

    /// `isinstance(value, types)`.
    pub fn isinstance(&mut self, arguments: &[Argument], span: Span) -> Option<Expr> {
        let [value, class] = arguments else {
            return self.fail(Code::ArgumentCount, span, "`isinstance` takes a value and a type");
        };
        let value = self.expr(&value.value, None)?;
        let members = self.alternatives_of(value.ty);
        let mut found = Vec::new();
        self.instances(&class.value, &members, &mut found, true)?;
        let wanted = self.program.types.union(&found);
        if found.len() == members.len() || found.is_empty() {
            let answer = typed(types::BOOL, span, ExprKind::Bool(!found.is_empty()));
            return Some(seq(vec![Stmt { span, kind: StmtKind::Do(value) }], answer));
        }
        Some(is_of(value, wanted, span))
    }

    /// The same operation on a value of a union, member by member; `what` is how a report calls it.
    pub fn for_each_member(
        &mut self,
        value: Expr,
        span: Span,
        what: &str,
        mut operation: impl FnMut(&mut Self, Expr) -> Option<Expr>,
    ) -> Option<Expr> {
        let members = self.alternatives_of(value.ty);
        let mut stmts = Vec::new();
        let value = self.keep(value, &mut stmts);
        let before = self.assigned.clone();
        let mut after: Option<Assigned> = None;
        let reports = self.out.len();
        let (mut results, mut lacking, mut first) = (Vec::new(), Vec::new(), None);
        for member in &members {
            self.assigned = before.clone();
            let single = narrow(value.clone(), *member);
            match operation(self, single) {
                Some(result) => results.push((*member, result)),
                None => lacking.push(*member),
            }
            let mut said = self.out.split_off(reports);
            if first.is_none() && !said.is_empty() {
                first = Some(said.remove(0));
            }
            match &mut after {
                Some(after) => after.join(&self.assigned),
                None => after = Some(self.assigned.clone()),
            }
        }
        if let Some(after) = after {
            self.assigned = after;
        }
        if !lacking.is_empty() {
            // What every member lacks is not a question of which one it is.
            let report = match (first, lacking.len() == members.len()) {
                (Some(report), true) => report,
                (first, _) => self.not_for_all(value.ty, &lacking, span, what, first),
            };
            self.report(report);
            return None;
        }
        let all: Vec<TypeId> = results.iter().map(|(_, r)| r.ty).collect();
        let ty = self.program.types.union(&all);
        let mut chosen: Option<Expr> = None;
        for (member, result) in results.into_iter().rev() {
            let result = self.converted(result, ty).ok()?;
            chosen = Some(match chosen {
                None => result,
                Some(others) => {
                    let test = is_of(value.clone(), member, span);
                    typed(ty, span, ExprKind::If(Box::new(test), Box::new(result), Box::new(others)))
                }
            });
        }
        Some(seq(stmts, chosen?))
    }

    /// The report for an operation that some members of a union don't have.
    fn not_for_all(
        &self,
        union: TypeId,
        lacking: &[TypeId],
        span: Span,
        what: &str,
        first: Option<Diagnostic>,
    ) -> Diagnostic {
        let names: Vec<String> = lacking.iter().map(|m| self.name(*m)).collect();
        let message =
            format!("{what} does not take {}, which this may be: it is {}", names.join(" or "), self.name(union));
        let code = first.map_or(Code::Operator, |report| report.code);
        let report = Diagnostic::error(code, span, message);
        if lacking == [types::NONE] {
            return report.help("test it first: if … is not None:");
        }
        let left: Vec<String> =
            self.alternatives_of(union).into_iter().filter(|m| !lacking.contains(m)).map(|m| self.name(m)).collect();
        match left.as_slice() {
            [one] if !one.contains('[') => report.help(format!("test it first: if isinstance(…, {one}):")),
            _ => report.help("test it first with isinstance"),
        }
    }

    /// `==` and `!=` of values one of which is of a union, and orders of numbers.
    pub fn compare_unions(&mut self, code: CompareOp, left: Expr, right: Expr, span: Span) -> Option<Expr> {
        let negate =
            |value: Expr| if code == CompareOp::Ne { op(Op::Bnot, vec![value], types::BOOL, span) } else { value };
        if !matches!(code, CompareOp::Eq | CompareOp::Ne) {
            let mut stmts = Vec::new();
            let (left, right) = (self.keep(left, &mut stmts), self.keep(right, &mut stmts));
            let what = format!("`{}`", code.sign());
            let found = self.for_each_member(left, span, &what, |c, l| {
                let right = right.clone();
                c.for_each_member(right, span, &what, |c, r| c.compare(code, l.clone(), r, span))
            })?;
            return Some(seq(stmts, found));
        }
        let (a, b) = (self.alternatives_of(left.ty), self.alternatives_of(right.ty));
        if b == [types::NONE] && a.contains(&types::NONE) {
            return Some(negate(is_of(left, types::NONE, span)));
        }
        let number = |ty: &TypeId| matches!(*ty, types::BOOL | types::INT | types::FLOAT);
        let kin = |x: &TypeId, y: &TypeId| x == y || (number(x) && number(y));
        let meet = a.iter().any(|x| b.iter().any(|y| kin(x, y)));
        let both = self.program.types.union(&[left.ty, right.ty]);
        let own = self
            .alternatives_of(both)
            .into_iter()
            .any(|m| self.method_named(m, "__eq__").is_some() || self.not_by_content(m, &mut Vec::new()).is_some());
        if !meet || own || !self.program.types.is_comparable(both) {
            return self.not_comparable(code, &left, &right, span);
        }
        let left = self.converted(left, both).ok()?;
        let right = self.converted(right, both).ok()?;
        Some(negate(op(Op::Eq, vec![left, right], types::BOOL, span)))
    }

    /// `d.get(key)`, and `d.get(key, default)` with a default of another type: the value under the key, or None or the default.
    /// Nothing where it is another method, or `get` with a default that is a value of the dict.
    pub fn optional_get(
        &mut self,
        dict: &Expr,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
    ) -> Option<Option<Expr>> {
        let Type::Dict(key_ty, value_ty) = *self.program.types.get(dict.ty) else { return None };
        let (key, default) = match arguments {
            [key] => (key, None),
            [key, default] => (key, Some(default)),
            _ => return None,
        };
        if name.text != "get" || key.name.is_some() || default.is_some_and(|d| d.name.is_some()) {
            return None;
        }
        // A default of the type of the values is what the table of builtins has.
        let open = self.has_unknown(key_ty) || self.has_unknown(value_ty);
        if default.is_some_and(|d| !matches!(d.value.kind, A::None)) && open {
            return None;
        }
        let mut stmts = Vec::new();
        let dict = self.keep(dict.clone(), &mut stmts);
        let key = self.expr(&key.value, Some(key_ty)).and_then(|k| self.needed(k, key_ty, "the key"));
        let Some(key) = key else { return Some(None) };
        let key = self.keep(key, &mut stmts);
        if let Some(default) = default.filter(|d| !matches!(d.value.kind, A::None)) {
            let Some(default) = self.expr(&default.value, Some(value_ty)) else { return Some(None) };
            let default = self.told(default, value_ty);
            let default = match self.converted(default, value_ty) {
                Ok(default) => {
                    let found = self.method(dict, name, vec![key, default], span);
                    return Some(found.map(|found| seq(stmts, found)));
                }
                Err(default) => self.keep(default, &mut stmts),
            };
            let ty = self.program.types.union(&[value_ty, default.ty]);
            let has = op(Op::DictHas, vec![dict.clone(), key.clone()], types::BOOL, span);
            let found = op(Op::DictGet, vec![dict, key], value_ty, span);
            let (Ok(found), Ok(default)) = (self.converted(found, ty), self.converted(default, ty)) else {
                return Some(None);
            };
            let chosen = typed(ty, span, ExprKind::If(Box::new(has), Box::new(found), Box::new(default)));
            return Some(Some(seq(stmts, chosen)));
        }
        let has = op(Op::DictHas, vec![dict.clone(), key.clone()], types::BOOL, span);
        let found = op(Op::DictGet, vec![dict, key], value_ty, span);
        let none = typed(types::NONE, span, ExprKind::None);
        let ty = self.program.types.union(&[value_ty, types::NONE]);
        let (Ok(found), Ok(none)) = (self.converted(found, ty), self.converted(none, ty)) else { return Some(None) };
        Some(Some(seq(stmts, typed(ty, span, ExprKind::If(Box::new(has), Box::new(found), Box::new(none))))))
    }

    /// `a and b`, `a or b` as a value: one of the operands, of the type that they have in common. Each is checked with what
    /// the ones before it tell.
    pub fn logic_of_values(
        &mut self,
        and: bool,
        values: &[ast::Expr],
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Expr> {
        let what = if and { "an operand of this `and`" } else { "an operand of this `or`" };
        let mut checked: Vec<Option<Expr>> = Vec::new();
        let mut guide = want;
        let (reached, before) = (self.assigned.is_reached(), self.assigned.clone());
        for (index, expr) in values.iter().enumerate() {
            // An empty list takes its type from the others.
            let later = guide.is_none() && Self::is_empty_literal(expr) && values.len() > 1;
            let value = if later { None } else { Some(self.expr(expr, guide)?) };
            if let (Some(value), None) = (&value, guide) {
                guide = Some(value.ty).filter(|ty| *ty != types::NONE && *ty != types::FLOAT);
            }
            checked.push(value);
            if index + 1 < values.len() {
                let Outcomes { holds, fails } = self.outcomes_of(expr, checked.last().and_then(Option::as_ref));
                self.assigned = if and { holds } else { fails };
                // What no value leads to is not looked at.
                if reached && !self.assigned.is_reached() {
                    self.assigned = before;
                    break;
                }
            }
        }
        let mut result: Option<Expr> = None;
        for (expr, value) in values.iter().zip(checked) {
            let value = match value {
                Some(value) => value,
                None => self.expr(expr, guide)?,
            };
            result = Some(match result.take() {
                None => value,
                Some(left) => self.either(and, left, value, span)?,
            });
        }
        // What is wanted is a hint: a builtin that takes anything iterable asks for a list and takes a tuple, too.
        match (result, want) {
            (Some(value), Some(want)) if self.is_union(want) => self.needed(value, want, what),
            (Some(value), Some(want)) => Some(self.converted(value, want).unwrap_or_else(|value| value)),
            (result, _) => result,
        }
    }

    fn either(&mut self, and: bool, left: Expr, right: Expr, span: Span) -> Option<Expr> {
        if left.ty == types::BOOL && right.ty == types::BOOL {
            let kind = ExprKind::Logic(and, Box::new(left), Box::new(right));
            return Some(typed(types::BOOL, span, kind));
        }
        let mut stmts = Vec::new();
        let left = self.keep(left, &mut stmts);
        let test = self.truth(left.clone());
        let members = self.alternatives_of(left.ty).into_iter();
        let kept: Vec<TypeId> =
            members.filter(|m| if and { self.may_be_false(*m) } else { *m != types::NONE }).collect();
        let stays = if kept.is_empty() { left.ty } else { self.program.types.union(&kept) };
        let ty = match super::convert::join(stays, right.ty) {
            Some(ty) => ty,
            None => self.program.types.union(&[stays, right.ty]),
        };
        let left = narrow(left, stays);
        let left = self.converted(left, ty).ok()?;
        let right = self.converted(right, ty).ok()?;
        let (then, otherwise) = if and { (right, left) } else { (left, right) };
        Some(seq(stmts, typed(ty, span, ExprKind::If(Box::new(test), Box::new(then), Box::new(otherwise)))))
    }

    /// What is known before a loop holds in each of its turns only for what the loop does not assign.
    pub fn forget_in_loop(&mut self, target: Option<&ast::Expr>, test: Option<&ast::Expr>, body: &[ast::Stmt]) {
        let mut names = HashSet::new();
        super::body::assigned_names(body, &mut names);
        if let Some(target) = target {
            super::body::target_names(target, &mut names);
        }
        if let Some(test) = test {
            crate::walk::walrus_names(test, &mut |name| {
                names.insert(name.to_owned());
            });
        }
        let vars: Vec<_> = names.iter().filter_map(|n| self.names.get(n).and_then(|l| l.var)).collect();
        vars.into_iter().for_each(|var| self.assigned.forget(&Path::of(var)));
        // Fields and elements may be assigned under another name too.
        self.assigned.forget_parts();
    }

    /// As `forget_in_loop`, for what the turns of a comprehension assign.
    pub fn forget_in_comprehension(&mut self, c: &ast::Comprehension) {
        let mut names = HashSet::new();
        let parts = c.clauses.iter().flat_map(|clause| clause.conditions.iter().chain([&clause.iterable]));
        for part in parts.chain([&c.element]).chain(&c.value) {
            crate::walk::walrus_names(part, &mut |name| {
                names.insert(name.to_owned());
            });
        }
        let vars: Vec<_> = names.iter().filter_map(|n| self.names.get(n).and_then(|l| l.var)).collect();
        vars.into_iter().for_each(|var| self.assigned.forget(&Path::of(var)));
    }

    /// What a pattern tells of the members of its subject.
    pub fn pattern_tells(&mut self, pattern: &ast::Pattern, members: &[TypeId]) -> Told {
        let those = |this: &Self, fits: &dyn Fn(&Type) -> bool| -> Vec<TypeId> {
            members.iter().copied().filter(|m| fits(this.program.types.get(*m))).collect()
        };
        let some = |may_be: Vec<TypeId>| Told { may_be, all_of: Vec::new() };
        match &pattern.kind {
            P::Any | P::Capture(None, _) => Told { may_be: members.to_vec(), all_of: members.to_vec() },
            P::Capture(Some(inner), _) => self.pattern_tells(inner, members),
            P::Value(value) => match &value.kind {
                A::None => {
                    let none = those(self, &|ty| *ty == Type::None);
                    Told { may_be: none.clone(), all_of: none }
                }
                A::Int(_) | A::Float(_) | A::Bool(_) | A::Unary(UnaryOp::Minus, _) => {
                    some(those(self, &|ty| matches!(ty, Type::Bool | Type::Int | Type::Float)))
                }
                A::Str(_) => some(those(self, &|ty| *ty == Type::Str)),
                A::Bytes(_) => some(those(self, &|ty| *ty == Type::Bytes)),
                _ => some(those(self, &|ty| *ty != Type::None)),
            },
            P::Or(list) => {
                let mut all = Told { may_be: Vec::new(), all_of: Vec::new() };
                for pattern in list {
                    let one = self.pattern_tells(pattern, members);
                    all.may_be.extend(one.may_be.into_iter().filter(|m| !all.may_be.contains(m)).collect::<Vec<_>>());
                    all.all_of.extend(one.all_of);
                }
                all
            }
            P::Class(of, positional, named) => {
                let mut may_be = Vec::new();
                if self.instances(of, members, &mut may_be, false).is_none() {
                    return some(members.to_vec());
                }
                let takes_all = |p: &ast::Pattern| matches!(p.kind, P::Any | P::Capture(None, _));
                let certain = positional.iter().all(takes_all) && named.iter().all(|(_, p)| takes_all(p));
                let all_of = if certain { may_be.clone() } else { Vec::new() };
                Told { may_be, all_of }
            }
            P::Sequence(_) => some(those(self, &|ty| matches!(ty, Type::List(_) | Type::Tuple(_) | Type::TupleOf(_)))),
            P::Mapping(..) => some(those(self, &|ty| matches!(ty, Type::Dict(..)))),
            P::Star(_) | P::Unsupported(_) => some(members.to_vec()),
        }
    }

    /// A pattern on a subject of a union: first whether it is of a member that can fit, then whether that one does.
    pub fn pattern_of_union(&mut self, pattern: &ast::Pattern, subject: &Expr, binds: &mut Vec<Stmt>) -> Option<Expr> {
        let span = pattern.span;
        let members = self.alternatives_of(subject.ty);
        let Told { may_be, .. } = self.pattern_tells(pattern, &members);
        if may_be.is_empty() {
            let message = format!("this never fits: the value is {}", self.name(subject.ty));
            return self.fail(Code::Mismatch, span, message);
        }
        let ty = self.program.types.union(&may_be);
        if ty == subject.ty {
            // A class pattern that all members fit, which needs no look inside.
            return Some(typed(types::BOOL, span, ExprKind::Bool(true)));
        }
        let single = narrow(subject.clone(), ty);
        let fits = if self.is_union(ty) {
            match &pattern.kind {
                P::Class(_, positional, named) if !positional.is_empty() || !named.is_empty() => {
                    let message = "this pattern looks inside of values of several types";
                    return self.fail(Code::Mismatch, span, message);
                }
                P::Class(..) => typed(types::BOOL, span, ExprKind::Bool(true)),
                _ => self.pattern(pattern, &single, binds)?,
            }
        } else {
            self.pattern(pattern, &single, binds)?
        };
        let is = is_of(subject.clone(), ty, span);
        Some(match fits.kind {
            ExprKind::Bool(true) => is,
            _ => typed(types::BOOL, span, ExprKind::Logic(true, Box::new(is), Box::new(fits))),
        })
    }
}

/// A value of a member, or of fewer members, as one of a union.
fn widen(value: Expr, to: TypeId) -> Expr {
    match value.kind {
        // What was only looked at more closely goes back as it was.
        ExprKind::Op(Op::UnionNarrow, mut args, _) if args.len() == 1 && args[0].ty == to => args.remove(0),
        kind => {
            let span = value.span;
            op(Op::UnionWiden, vec![Expr { kind, ..value }], to, span)
        }
    }
}

/// A union's value as one of fewer members.
pub(super) fn narrow(value: Expr, ty: TypeId) -> Expr {
    if value.ty == ty {
        return value;
    }
    let span = value.span;
    op(Op::UnionNarrow, vec![value], ty, span)
}

/// Whether a union's value is of a type.
pub(super) fn is_of(value: Expr, ty: TypeId, span: Span) -> Expr {
    op_with(Op::UnionIs, vec![value], Imm::Type(ty), types::BOOL, span)
}

/// Whether a name is of a builtin type that `isinstance` can ask for.
pub(super) fn is_kind(name: &str) -> bool {
    matches!(name, "int" | "bool" | "float" | "str" | "bytes" | "list" | "dict" | "tuple" | "set" | "frozenset")
}

/// Whether the builtin type of this name is what a value of this type is.
fn of_kind(name: &str, ty: &Type) -> bool {
    matches!(
        (name, ty),
        ("int", Type::Int | Type::Bool)
            | ("bool", Type::Bool)
            | ("float", Type::Float)
            | ("str", Type::Str)
            | ("bytes", Type::Bytes)
            | ("list", Type::List(_))
            | ("dict", Type::Dict(..))
            | ("tuple", Type::Tuple(_) | Type::TupleOf(_))
            | ("set", Type::Set(_))
            | ("frozenset", Type::FrozenSet(_))
    )
}

//! Enumerations: `Enum`, `IntEnum`, `StrEnum` and those mixed with `int` or `str`. A member is an object with its name and
//! its value; where it is an int or a str as well, its value stands for it in operators.

use super::body::Checker;
use super::classes::{ClassField, ClassKind};
use super::convert::op_with;
use super::expr::{op, seq, typed};
use super::names::Program;
use super::signatures::Param;
use crate::ast::{self, Argument, ExprKind, StmtKind};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::{self, Expr, Stmt};
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::TypeId;
use deepslate_ir::enums::{Enum, Member, MemberValue};
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type};

/// What a member is besides being a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mixed {
    Nothing,
    Int,
    Str,
}

/// The members of an enumeration.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    pub mixed: Mixed,
    /// All names with the index of the member that each stands for: a second name of a value stands for the first.
    pub names: Vec<(String, usize)>,
}

impl<'a> Program<'a> {
    /// What the bases of a class make of it as an enumeration: what its members are besides, and whether `str` of one is
    /// its value. `None` if it is none.
    pub fn enum_bases(&self, ast: &ast::Class) -> Option<(Mixed, bool)> {
        let mut found = None;
        let mut mixed = Mixed::Nothing;
        for base in &ast.bases {
            if self.is_foreign(base, "enum", "Enum") {
                found = Some(false);
            } else if self.is_foreign(base, "enum", "IntEnum") {
                (found, mixed) = (Some(true), Mixed::Int);
            } else if self.is_foreign(base, "enum", "StrEnum") {
                (found, mixed) = (Some(true), Mixed::Str);
            } else {
                match self.path(base) {
                    Some((name, None)) if name == "int" => mixed = Mixed::Int,
                    Some((name, None)) if name == "str" => mixed = Mixed::Str,
                    _ => return None,
                }
            }
        }
        found.map(|shows_value| (mixed, shows_value))
    }

    /// The members of an enumeration, from the body of its class.
    pub fn enum_members(&mut self, index: usize) {
        let ast = self.classes[index].ast;
        let Some((mixed, shows_value)) = self.enum_bases(ast) else { return };
        let is_str_enum = ast.bases.iter().any(|b| self.is_foreign(b, "enum", "StrEnum"));
        let mut errors = std::mem::take(&mut self.classes[index].errors);
        let mut members: Vec<Member> = Vec::new();
        let mut names = Vec::new();
        let mut previous: Option<i64> = None;
        for stmt in &ast.body {
            let (target, value) = match &stmt.kind {
                StmtKind::Assign(targets, value) if targets.len() == 1 => (&targets[0], value),
                StmtKind::Declare { target, value: Some(value), .. } => (target, value),
                StmtKind::Function(_) | StmtKind::Pass | StmtKind::Declare { .. } => continue,
                StmtKind::Expr(e) if matches!(e.kind, ExprKind::Str(_)) => continue,
                _ => {
                    let message = "an enumeration that flows use has members and methods only";
                    errors.push(Diagnostic::error(Code::Unsupported, stmt.span, message));
                    continue;
                }
            };
            let ExprKind::Name(name) = &target.kind else { continue };
            if name.starts_with('_') {
                continue;
            }
            let automatic =
                matches!(&value.kind, ExprKind::Call(of, a) if a.is_empty() && self.is_foreign(of, "enum", "auto"));
            let found = if automatic && (is_str_enum || mixed == Mixed::Str) {
                Some(MemberValue::Str(name.to_lowercase()))
            } else if automatic {
                Some(MemberValue::Int(previous.map_or(1, |p| p.saturating_add(1))))
            } else {
                match self.evaluate(value, None, 0) {
                    Ok((Datum::Int(i), _)) => Some(MemberValue::Int(i)),
                    Ok((Datum::Str(s), _)) => Some(MemberValue::Str(s)),
                    Ok(_) => {
                        let message = "not supported yet: members of an enumeration that are neither int nor str";
                        errors.push(Diagnostic::error(Code::NotYet, value.span, message));
                        None
                    }
                    Err(report) => {
                        errors.push(*report);
                        None
                    }
                }
            };
            let Some(found) = found else { continue };
            if let MemberValue::Int(i) = found {
                previous = Some(previous.map_or(i, |p| p.max(i)));
            }
            let fits = match mixed {
                Mixed::Nothing => {
                    members.first().is_none_or(|m| std::mem::discriminant(&m.value) == std::mem::discriminant(&found))
                }
                Mixed::Int => matches!(found, MemberValue::Int(_)),
                Mixed::Str => matches!(found, MemberValue::Str(_)),
            };
            if !fits {
                let message = "not supported yet: members of an enumeration with values of several types";
                errors.push(Diagnostic::error(Code::NotYet, value.span, message));
                continue;
            }
            match members.iter().position(|m| m.value == found) {
                Some(first) => names.push((name.clone(), first)),
                None => {
                    names.push((name.clone(), members.len()));
                    members.push(Member { name: name.clone(), value: found });
                }
            }
        }
        let value = match (mixed, members.first().map(|m| &m.value)) {
            (Mixed::Str, _) | (Mixed::Nothing, Some(MemberValue::Str(_))) => types::STR,
            _ => types::INT,
        };
        let field = |name: &str, ty: TypeId| ClassField {
            param: Param {
                name: name.to_owned(),
                span: ast.name.span,
                ty: Some(ty),
                default: None,
                keyword_only: false,
                reads: false,
                positional_only: false,
            },
            init: false,
        };
        let class = &mut self.classes[index];
        class.fields = vec![field("name", types::STR), field("value", value)];
        class.errors = errors;
        class.members = Some(Members { mixed, names });
        if let Some(ty) = class.ty
            && let Type::Class(id) = *self.types.get(ty)
        {
            self.types.set_enumeration(id, Enum { shows_value, members });
        }
    }

    /// A member of an enumeration by a name, as its value and type.
    pub fn member_named(&self, class: usize, name: &str) -> Option<(Datum, TypeId)> {
        let (_, at) = self.classes[class].members.as_ref()?.names.iter().find(|(n, _)| n == name)?;
        let ty = self.classes[class].ty?;
        let Type::Class(id) = *self.types.get(ty) else { return None };
        let member = self.types.enumeration(id)?.members.get(*at)?;
        Some((member.value.datum(), ty))
    }

    /// What members of a type are besides; nothing for other types.
    pub fn mixed(&self, ty: TypeId) -> Mixed {
        let class = self.class_of(ty).and_then(|c| self.classes[c].members.as_ref());
        class.map_or(Mixed::Nothing, |m| m.mixed)
    }
}

/// A member of an enumeration as an expression.
pub(super) fn member(types: &types::Types, value: &Datum, ty: TypeId, span: Span) -> Option<Expr> {
    let (_, e, value_type) = deepslate_ir::enums::of(types, ty)?;
    let member = e.member(value)?;
    let name = typed(types::STR, span, tree::ExprKind::Str(member.name.clone()));
    let value = match &member.value {
        MemberValue::Int(i) => tree::ExprKind::Int(*i),
        MemberValue::Str(s) => tree::ExprKind::Str(s.clone()),
    };
    Some(op(Op::New, vec![name, typed(value_type, span, value)], ty, span))
}

impl Checker<'_, '_> {
    /// The class of an enumeration that a name stands for here.
    pub fn enum_named(&self, of: &ast::Expr) -> Option<usize> {
        self.class_named(of).filter(|c| self.program.classes[*c].kind == ClassKind::Enum)
    }

    /// Whether an expression is something of a class of the file, or of a value that a class has: `Color.RED.name`.
    pub fn is_member_of_class(&self, of: &ast::Expr) -> bool {
        match &of.kind {
            ExprKind::Attribute(of, _) => {
                self.class_named(of).is_some_and(|c| self.program.classes[c].ty.is_some())
                    || self.is_member_of_class(of)
            }
            _ => false,
        }
    }

    /// All members of an enumeration as a list.
    pub fn members(&mut self, class: usize, span: Span) -> Option<Expr> {
        let all = self.all_members(class, span)?;
        let ty = all.first()?.ty;
        let list = self.program.types.intern(Type::List(ty));
        Some(op(Op::ListNew, all, list, span))
    }

    fn all_members(&mut self, class: usize, span: Span) -> Option<Vec<Expr>> {
        let mut reports = Vec::new();
        let ty = self.program.class_type(class, span, &mut reports);
        self.out.append(&mut reports);
        let ty = ty?;
        let place = self.program.classes[class].ast.span;
        self.uses.push(place);
        let (_, e, _) = deepslate_ir::enums::of(&self.program.types, ty)?;
        let values: Vec<Datum> = e.members.iter().map(|m| m.value.datum()).collect();
        if values.is_empty() {
            return self.fail(Code::UnknownMember, span, "this enumeration has no members");
        }
        values.iter().map(|v| member(&self.program.types, v, ty, span)).collect()
    }

    /// `Color.RED`. `None` if the enumeration has no such member.
    pub fn member_of(&mut self, class: usize, name: &ast::Name) -> Option<Option<Expr>> {
        self.program.classes[class].members.as_ref()?;
        let mut reports = Vec::new();
        let fine = self.program.class_type(class, name.span, &mut reports).is_some();
        self.out.append(&mut reports);
        if !fine {
            return Some(None);
        }
        let (value, ty) = self.program.member_named(class, &name.text)?;
        let place = self.program.classes[class].ast.span;
        self.uses.push(place);
        Some(member(&self.program.types, &value, ty, name.span))
    }

    /// The report for a member that an enumeration does not have.
    pub fn no_enum_member<T>(&mut self, class: usize, name: &ast::Name) -> Option<T> {
        let class = &self.program.classes[class];
        let names: Vec<String> = class.members.iter().flat_map(|m| m.names.iter().map(|(n, _)| n.clone())).collect();
        let message = format!("`{}` has no member `{}`", class.ast.name.text, name.text);
        let report = Diagnostic::error(Code::UnknownMember, name.span, message);
        self.report(match nearest(&name.text, names.iter().map(String::as_str)) {
            Some(near) => report.help(format!("did you mean `{near}`?")),
            None => report,
        });
        None
    }

    /// `Color(1)` (by value) and `Color["RED"]` (by name).
    pub fn find_member(&mut self, class: usize, key: &ast::Expr, by_name: bool, span: Span) -> Option<Expr> {
        let all = self.all_members(class, span)?;
        let class_name = self.program.classes[class].ast.name.text.clone();
        let ty = all.first()?.ty;
        let value_type = if by_name { types::STR } else { self.program.types.slots(ty)?.get(1).copied()? };
        let key = self.expr(key, Some(value_type))?;
        if !by_name && key.ty == ty {
            return Some(key);
        }
        let key =
            self.needed(key, value_type, if by_name { "the name of a member" } else { "the value of a member" })?;
        let mut stmts = Vec::new();
        let key = self.keep(key, &mut stmts);
        let shown = self.called("repr", vec![key.clone()], span)?;
        let (kind, message) = if by_name {
            (TrapKind::Key, shown)
        } else {
            let rest = typed(types::STR, span, tree::ExprKind::Str(format!(" is not a valid {class_name}")));
            (TrapKind::Value, self.binary(ast::BinaryOp::Add, shown, rest, span)?)
        };
        let fail = Stmt { span, kind: tree::StmtKind::Fail(kind, message) };
        let mut found = seq(vec![fail], all.first()?.clone());
        let names = if by_name {
            self.program.classes[class].members.as_ref().map(|m| m.names.clone()).unwrap_or_default()
        } else {
            all.iter().enumerate().map(|(at, _)| (String::new(), at)).collect()
        };
        for (name, at) in names.into_iter().rev() {
            let one = all.get(at)?.clone();
            let wanted = match (&one.kind, by_name) {
                (_, true) => typed(types::STR, span, tree::ExprKind::Str(name)),
                (tree::ExprKind::Op(_, slots, _), false) => slots.get(1)?.clone(),
                _ => return None,
            };
            let equal = self.compare(ast::CompareOp::Eq, key.clone(), wanted, span)?;
            found = typed(ty, span, tree::ExprKind::If(Box::new(equal), Box::new(one), Box::new(found)));
        }
        Some(seq(stmts, found))
    }

    /// Makes a member of an enumeration where one is asked for by its value.
    pub fn construct_enum(&mut self, class: usize, arguments: &[Argument], span: Span) -> Option<Expr> {
        match arguments {
            [Argument { name: None, value }] => self.find_member(class, value, false, span),
            _ => self.fail(Code::ArgumentCount, span, "an enumeration is called with the value of one of its members"),
        }
    }

    /// The value of a member that is an int or a str as well; any other value as it is.
    pub fn unmixed(&mut self, value: Expr) -> Expr {
        let (slot, ty) = match self.program.mixed(value.ty) {
            Mixed::Nothing => return value,
            Mixed::Int => (1, types::INT),
            Mixed::Str => (1, types::STR),
        };
        let span = value.span;
        op_with(Op::SlotGet, vec![value], Imm::Slot(slot), ty, span)
    }

    /// Whether cases name all members of an enumeration, so that one of them is taken.
    pub fn names_all_members(&self, subject: TypeId, patterns: &[&ast::Pattern]) -> bool {
        let Some(class) = self.program.class_of(subject) else { return false };
        let Some(members) = &self.program.classes[class].members else { return false };
        let mut named = std::collections::HashSet::new();
        let mut work: Vec<&ast::Pattern> = patterns.to_vec();
        while let Some(pattern) = work.pop() {
            match &pattern.kind {
                ast::PatternKind::Or(list) => work.extend(list),
                ast::PatternKind::Capture(Some(inner), _) => work.push(inner),
                ast::PatternKind::Value(ast::Expr { kind: ExprKind::Attribute(of, name), .. })
                    if self.class_named(of) == Some(class) =>
                {
                    named.extend(members.names.iter().filter(|(n, _)| *n == name.text).map(|(_, at)| *at));
                }
                _ => {}
            }
        }
        !members.names.is_empty() && members.names.iter().all(|(_, at)| named.contains(at))
    }
}

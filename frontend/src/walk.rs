//! Walks over the source tree: the parts of an expression, and what statements mention, without judging any of it.

use crate::ast::{Expr, ExprKind as A, FormatPart, Pattern, PatternKind, Stmt, StmtKind as S};

/// Calls `f` with each direct part of an expression.
pub(crate) fn parts<'e>(expr: &'e Expr, f: &mut dyn FnMut(&'e Expr)) {
    match &expr.kind {
        A::None | A::Bool(_) | A::Int(_) | A::Float(_) | A::Str(_) | A::Bytes(_) | A::Name(_) | A::Unsupported(_) => {}
        A::Format(list) => format_parts(list, f),
        A::List(list) | A::Tuple(list) | A::Set(list) | A::Logic(_, list) => list.iter().for_each(f),
        A::Dict(entries) => entries.iter().for_each(|(key, value)| {
            key.iter().for_each(&mut *f);
            f(value);
        }),
        A::Unary(_, inner) | A::Attribute(inner, _) | A::Await(inner) | A::Walrus(_, inner) => f(inner),
        A::Starred(inner) => f(inner),
        A::Binary(_, left, right) | A::Index(left, right) => {
            f(left);
            f(right);
        }
        A::Compare(first, rest) => {
            f(first);
            rest.iter().for_each(|(_, e)| f(e));
        }
        A::If { test, then, otherwise } => {
            f(test);
            f(then);
            f(otherwise);
        }
        A::Call(of, arguments) => {
            f(of);
            arguments.iter().for_each(|a| f(&a.value));
        }
        A::Slice(a, b, c) => [a, b, c].into_iter().flatten().for_each(|e| f(e)),
        A::Comprehension(c) => {
            for clause in &c.clauses {
                f(&clause.iterable);
                f(&clause.target);
                clause.conditions.iter().for_each(&mut *f);
            }
            f(&c.element);
            c.value.iter().for_each(f);
        }
        A::Lambda(lambda) => {
            lambda.params.iter().filter_map(|p| p.default.as_ref()).for_each(&mut *f);
            f(&lambda.value);
        }
    }
}

fn format_parts<'e>(list: &'e [FormatPart], f: &mut dyn FnMut(&'e Expr)) {
    for part in list {
        if let FormatPart::Value { value, spec, .. } = part {
            f(value);
            format_parts(spec, f);
        }
    }
}

/// Calls `f` with an expression and everything in it.
pub(crate) fn all<'e>(expr: &'e Expr, f: &mut dyn FnMut(&'e Expr)) {
    f(expr);
    parts(expr, &mut |part| all(part, f));
}

/// Calls `on_stmt` with each statement, those within others too but not those of functions and classes that are defined
/// there, and `on_expr` with each of the expressions that stand in them (not with their parts).
pub(crate) fn statements<'e>(stmts: &'e [Stmt], on_stmt: &mut dyn FnMut(&'e Stmt), on_expr: &mut dyn FnMut(&'e Expr)) {
    for stmt in stmts {
        on_stmt(stmt);
        match &stmt.kind {
            S::Expr(e) => on_expr(e),
            S::Assign(targets, value) => {
                on_expr(value);
                targets.iter().for_each(&mut *on_expr);
            }
            S::Declare { target, value, .. } => {
                value.iter().for_each(&mut *on_expr);
                on_expr(target);
            }
            S::Augment(target, _, value) => {
                on_expr(target);
                on_expr(value);
            }
            S::If(test, a, b) | S::While(test, a, b) => {
                on_expr(test);
                statements(a, on_stmt, on_expr);
                statements(b, on_stmt, on_expr);
            }
            S::For { is_async: _, target, iterable, body, otherwise } => {
                on_expr(iterable);
                on_expr(target);
                statements(body, on_stmt, on_expr);
                statements(otherwise, on_stmt, on_expr);
            }
            S::Return(value) | S::Raise(value) => value.iter().for_each(&mut *on_expr),
            S::Assert(test, message) => {
                on_expr(test);
                message.iter().for_each(&mut *on_expr);
            }
            S::Delete(targets) => targets.iter().for_each(&mut *on_expr),
            S::Match(subject, cases) => {
                on_expr(subject);
                for case in cases {
                    pattern_values(&case.pattern, on_expr);
                    case.guard.iter().for_each(&mut *on_expr);
                    statements(&case.body, on_stmt, on_expr);
                }
            }
            S::Pass
            | S::Break
            | S::Continue
            | S::Function(_)
            | S::Class(_)
            | S::Import(_)
            | S::TypeAlias(..)
            | S::Unsupported(_) => {}
        }
    }
}

fn pattern_values<'e>(pattern: &'e Pattern, on_expr: &mut dyn FnMut(&'e Expr)) {
    match &pattern.kind {
        PatternKind::Value(value) => on_expr(value),
        PatternKind::Capture(inner, _) => inner.iter().for_each(|p| pattern_values(p, on_expr)),
        PatternKind::Or(list) | PatternKind::Sequence(list) => list.iter().for_each(|p| pattern_values(p, on_expr)),
        PatternKind::Mapping(entries, _) => entries.iter().for_each(|(key, p)| {
            on_expr(key);
            pattern_values(p, on_expr);
        }),
        PatternKind::Class(_, list, named) => {
            list.iter().for_each(|p| pattern_values(p, on_expr));
            named.iter().for_each(|(_, p)| pattern_values(p, on_expr));
        }
        PatternKind::Any | PatternKind::Star(_) | PatternKind::Unsupported(_) => {}
    }
}

/// The names that assignment expressions in an expression bind. Those of lambdas are their own.
pub(crate) fn walrus_names(expr: &Expr, out: &mut dyn FnMut(&str)) {
    match &expr.kind {
        A::Lambda(_) => return,
        A::Walrus(name, _) => out(&name.text),
        _ => {}
    }
    parts(expr, &mut |part| walrus_names(part, out));
}

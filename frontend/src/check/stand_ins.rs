//! Names that stand for what is no value: a function or a method of a value (`append = items.append`), and a generator that the
//! next statement uses up. Where such a name is used, what it stands for is written out.

use super::body::Checker;
use super::names::Global;
use crate::ast::{self, ExprKind as A, Makes, StmtKind as S};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::Stmt;
use deepslate_ir::types::Type;

impl Checker<'_, '_> {
    /// What an expression names that can only be called: a function, or a method of a value, which is worked out here. None for
    /// any other expression.
    pub fn named_function(&mut self, value: &ast::Expr, stmts: &mut Vec<Stmt>) -> Option<ast::Expr> {
        match &value.kind {
            A::Name(name) if self.names.contains_key(name) => None,
            A::Name(name) => {
                let known = match self.program.globals.get(name) {
                    _ if self.stand_ins.contains_key(name) => return self.stand_ins.get(name).cloned(),
                    _ if self.locals.contains(name) => self.nested.contains_key(name),
                    Some(Global::Function(_)) => true,
                    Some(Global::Foreign(what, _)) => {
                        let member = what.strip_prefix("comes from ").unwrap_or("");
                        !super::builtin::candidates_named(member).is_empty()
                    }
                    Some(_) => false,
                    None => super::builtin::is_builtin(name),
                };
                known.then(|| value.clone())
            }
            A::Attribute(of, _)
                if super::expr::root_name(of)
                    .is_some_and(|root| !self.names.contains_key(root) && !self.locals.contains(root)) =>
            {
                let Some((_, Some(Global::Foreign(what, _)))) = self.program.path(value) else { return None };
                let member = what.strip_prefix("comes from ").unwrap_or("");
                (!super::builtin::candidates_named(member).is_empty()).then(|| value.clone())
            }
            A::Attribute(of, method) => {
                let ty = self.quiet_type(of)?;
                let is_method = match self.program.class_of(ty) {
                    Some(class) => self.program.classes[class]
                        .method(&method.text)
                        .is_some_and(|m| m.kind != super::classes::MethodKind::Property),
                    None => {
                        !matches!(self.program.types.get(ty), Type::Union(_) | Type::Queue(_))
                            && super::builtin::methods_of(&self.program.types, ty).contains(&method.text.as_str())
                    }
                };
                if !is_method {
                    return None;
                }
                let receiver = self.expr(of, None)?;
                let receiver = self.hide(receiver, stmts);
                Some(ast::Expr { span: value.span, kind: A::Attribute(Box::new(receiver), method.clone()) })
            }
            _ => None,
        }
    }

    /// `name = function`: afterwards the name is called as that.
    pub fn name_function(&mut self, name: &str, function: ast::Expr, span: Span) {
        if self.names.contains_key(name) || self.lambdas.contains_key(name) || self.stand_ins.contains_key(name) {
            let message = format!("`{name}` can't become another function here");
            let report = Diagnostic::error(Code::Unsupported, span, message);
            self.report(report.help("give each function a name of its own"));
            return;
        }
        self.stand_ins.insert(name.to_owned(), function);
    }

    /// Whether a statement only gives a name to a generator that the next statement uses up: then the name stands for the
    /// generator there.
    pub fn names_generator(&mut self, stmt: &ast::Stmt, next: Option<&ast::Stmt>) -> bool {
        let (S::Assign(targets, value), Some(next)) = (&stmt.kind, next) else { return false };
        let [ast::Expr { kind: A::Name(name), .. }] = targets.as_slice() else { return false };
        let lazy = match &value.kind {
            A::Comprehension(c) => c.makes == Makes::Generator,
            A::Call(of, _) => {
                matches!(&of.kind, A::Name(f) if matches!(f.as_str(), "map" | "filter") && self.is_free(f))
            }
            _ => false,
        };
        if !lazy || self.names.contains_key(name) || self.generators.contains_key(name) {
            return false;
        }
        let Ok(body) = &self.program.functions[self.index].ast.body else { return false };
        let mut mentioned = false;
        crate::walk::statements(
            body,
            &mut |stmt| {
                if let S::Function(f) = &stmt.kind {
                    mentioned |= super::nested::mentioned(f).contains(name);
                }
            },
            &mut |_| {},
        );
        let mut all = 0;
        crate::walk::statements(body, &mut |_| {}, &mut |e| all += mentions(e, name));
        let used: usize = match &next.kind {
            S::Expr(e) | S::Return(Some(e)) | S::Assert(e, None) | S::If(e, ..) => used_once(e, name),
            S::Assign(_, e) | S::Augment(_, _, e) | S::For { iterable: e, is_async: false, .. } => used_once(e, name),
            S::Declare { value: Some(e), .. } => used_once(e, name),
            _ => 0,
        };
        if mentioned || all != 2 || used != 1 {
            return false;
        }
        self.generators.insert(name.clone(), value.clone());
        true
    }
}

/// How often an expression mentions a name.
fn mentions(expr: &ast::Expr, name: &str) -> usize {
    let mut found = 0;
    crate::walk::all(expr, &mut |e| found += usize::from(matches!(&e.kind, A::Name(n) if n == name)));
    found
}

/// How often an expression mentions a name where it is worked out once at most: not in what a comprehension or a lambda does
/// again and again.
fn used_once(expr: &ast::Expr, name: &str) -> usize {
    match &expr.kind {
        A::Name(n) => usize::from(n == name),
        A::Lambda(_) => 0,
        A::Comprehension(c) => c.clauses.first().map_or(0, |clause| used_once(&clause.iterable, name)),
        _ => {
            let mut found = 0;
            crate::walk::parts(expr, &mut |part| found += used_once(part, name));
            found
        }
    }
}

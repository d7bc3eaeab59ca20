//! Functions that are defined in functions. One becomes a function of its own that is given the values of the variables
//! around it that it uses, after its own parameters, each time that it is called. Since it can't assign them, that is what
//! Python's closures do as long as the function is only called, and functions are no values.

use super::body::Checker;
use super::expr::seq;
use super::names::Program;
use super::signatures::{Function, Param};
use crate::ast::{self, Argument, ExprKind as A, StmtKind as S};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::Expr;
use std::collections::{HashMap, HashSet};

/// How deeply functions may be defined in each other.
const MAX_DEPTH: usize = 8;

impl<'a> Program<'a> {
    /// Adds a function, and those that are defined in it.
    pub fn function(&mut self, function: Function<'a>) -> usize {
        let index = self.functions.len();
        let ast = function.ast;
        self.functions.push(function);
        self.functions_within(index, ast, &mut Vec::new());
        index
    }

    /// Adds the functions that are defined in one. `around` has the variables of each function around, outermost first.
    fn functions_within(&mut self, outer: usize, ast: &'a ast::Function, around: &mut Vec<HashSet<String>>) {
        let Ok(body) = &ast.body else { return };
        let mut found: Vec<&'a ast::Function> = Vec::new();
        crate::walk::statements(
            body,
            &mut |stmt| {
                if let S::Function(f) = &stmt.kind {
                    found.push(f);
                }
            },
            &mut |_| {},
        );
        if found.is_empty() || around.len() > MAX_DEPTH {
            return;
        }
        around.push(variables(ast));
        let first = self.functions.len();
        let mut free: Vec<HashSet<String>> = Vec::new();
        for f in &found {
            let index = self.functions.len();
            let name = format!("{}.{}", self.functions[outer].name, f.name.text);
            let owner = self.functions[outer].owner;
            self.functions.push(Function { name, within: Some(outer), owner, ..Function::new(f) });
            self.nested.insert(f.name.span, index);
            let mut names = mentioned(f);
            let own = variables(f);
            names.retain(|n| !own.contains(n) && around.iter().any(|a| a.contains(n)));
            free.push(names);
        }
        // Who calls another one of them needs what that one needs.
        loop {
            let mut changed = false;
            for at in 0..found.len() {
                for other in 0..found.len() {
                    if !free[at].contains(&found[other].name.text) {
                        continue;
                    }
                    let more: Vec<String> = free[other].difference(&free[at]).cloned().collect();
                    changed |= !more.is_empty();
                    free[at].extend(more);
                }
            }
            if !changed {
                break;
            }
        }
        for (at, names) in free.into_iter().enumerate() {
            let mut names: Vec<String> = names.into_iter().collect();
            names.sort();
            self.functions[first + at].free = names;
        }
        for (at, f) in found.into_iter().enumerate() {
            self.functions_within(first + at, f, around);
        }
        around.pop();
    }
}

impl Program<'_> {
    /// The functions that a nested function can call by name: those that are defined beside it and around it.
    pub fn nested_in(&self, index: usize) -> HashMap<String, usize> {
        let mut out = HashMap::new();
        let mut at = self.functions[index].within;
        while let Some(outer) = at {
            for (inner, function) in self.functions.iter().enumerate() {
                if function.within == Some(outer) {
                    out.entry(function.ast.name.text.clone()).or_insert(inner);
                }
            }
            at = self.functions[outer].within;
        }
        out
    }
}

/// The variables of a function: its parameters and what it assigns.
fn variables(f: &ast::Function) -> HashSet<String> {
    let mut out: HashSet<String> = f.params.iter().map(|p| p.name.text.clone()).collect();
    if let Ok(body) = &f.body {
        super::body::assigned_names(body, &mut out);
    }
    out
}

/// All names that a function mentions, those of the functions in it too.
pub(super) fn mentioned(f: &ast::Function) -> HashSet<String> {
    let mut out = HashSet::new();
    let Ok(body) = &f.body else { return out };
    let mut inner = Vec::new();
    crate::walk::statements(
        body,
        &mut |stmt| {
            if let S::Function(f) = &stmt.kind {
                inner.push(f);
            }
        },
        &mut |expr| {
            crate::walk::all(expr, &mut |e| {
                if let A::Name(name) = &e.kind {
                    out.insert(name.clone());
                }
            });
        },
    );
    for f in inner {
        let own = variables(f);
        out.extend(mentioned(f).into_iter().filter(|n| !own.contains(n)));
    }
    out
}

impl Checker<'_, '_> {
    /// A `def` inside of the function: from here on it can be called.
    pub fn define_nested(&mut self, f: &ast::Function) {
        match self.program.nested.get(&f.name.span).copied() {
            Some(index) if !self.nested.contains_key(&f.name.text) => {
                self.nested.insert(f.name.text.clone(), index);
            }
            Some(_) => {
                let message = format!("`{}` is defined twice", f.name.text);
                self.fail::<()>(Code::DefinedTwice, f.name.span, message);
            }
            None => {
                let report =
                    Diagnostic::error(Code::TooDeep, f.name.span, "functions are defined too deeply in others");
                self.report(report.help("define it at the top level of the file"));
            }
        }
    }

    /// Calls a function that is defined in this one, or in one around it.
    pub fn call_nested(&mut self, index: usize, arguments: &[Argument], span: Span, awaited: bool) -> Option<Expr> {
        let called = &self.program.functions[index];
        let (name, free) = (called.ast.name.text.clone(), called.free.clone());
        let mut captured: Vec<Expr> = Vec::new();
        let mut params = Vec::new();
        for variable in &free {
            if self.nested.contains_key(variable) {
                continue;
            }
            if self.lambdas.contains_key(variable) || self.stand_ins.contains_key(variable) {
                let message = format!("`{name}` uses the function `{variable}`, which is known where it is named only");
                let report = Diagnostic::error(Code::Unsupported, span, message);
                self.report(report.help(format!("define `{variable}` as a function")));
                return None;
            }
            let Some(local) = self.names.get(variable).copied() else {
                let message = format!("`{name}` uses `{variable}`, which has no value yet");
                let report = Diagnostic::error(Code::Unassigned, span, message);
                self.report(report.help(format!("give `{variable}` a value before `{name}` is called")));
                return None;
            };
            let id = local.var?;
            if !self.assigned.has(id) || self.shadowing.contains(variable) {
                let message = format!("`{name}` uses `{variable}`, which may have no value here");
                let report = Diagnostic::error(Code::Unassigned, span, message);
                self.report(report.help(format!("give `{variable}` a value on every path to here")));
                return None;
            }
            let ty = self.type_of_variable(id);
            captured.push(self.held(id, span));
            params.push(Param {
                name: variable.clone(),
                span: local.span,
                ty: Some(ty),
                default: None,
                keyword_only: false,
                reads: false,
                positional_only: true,
            });
        }
        if !self.program.functions[index].closed {
            self.told_by_call(index, arguments);
            let function = &mut self.program.functions[index];
            function.closed = true;
            function.params.extend(params.iter().cloned());
            self.told_by_body(index);
        }
        let called = &self.program.functions[index];
        let untyped = called.params.iter().find(|p| p.ty.is_none()).map(|p| (p.name.clone(), p.span));
        if let Some((param, place)) = untyped {
            // A literal that is not known yet is known in the next attempt.
            if !self.infer.is_open() {
                let message = format!("parameter `{param}` of `{name}` has no type");
                let report = Diagnostic::error(Code::NoAnnotation, place, message);
                self.report(report.help(format!("write its type: {param}: int")));
            }
            arguments.iter().for_each(|a| {
                self.expr(&a.value, None);
            });
            return None;
        }
        if called.ret.is_none() && called.ast.ret.is_none() && !self.tells_result {
            let place = called.ast.name.span;
            self.report(super::body::no_result(&name, place));
            return None;
        }
        let function = &mut self.program.functions[index];
        let own = function.params.len() - params.len();
        let same = function.params[own..].iter().zip(&params).all(|(a, b)| a.name == b.name && a.ty == b.ty);
        if !same {
            let message = format!("`{name}` is called where its variables are of other types");
            return self.fail(Code::Internal, span, message);
        }
        let params: Vec<Param> = function.params[..own].to_vec();
        self.call_with(index, &params, Vec::new(), captured, arguments, span, awaited)
    }

    /// What the first call tells of parameters that have no type.
    fn told_by_call(&mut self, index: usize, arguments: &[Argument]) {
        let params = self.program.functions[index].params.clone();
        for (slot, param) in params.iter().enumerate().filter(|(_, p)| p.ty.is_none()) {
            let given = arguments.iter().enumerate().find(|(position, argument)| match &argument.name {
                None => *position == slot && !param.keyword_only,
                Some(name) => name.text == param.name,
            });
            let Some((_, argument)) = given else { continue };
            // It is looked at again as an argument, which reports its mistakes.
            let (reports, before) = (self.out.len(), self.assigned.clone());
            let value = self.expr(&argument.value, None);
            self.out.truncate(reports);
            self.assigned = before;
            let learnt = self.infer.type_at(param.span);
            self.infer.infers(param.span);
            self.program.functions[index].params[slot].ty = match (value, learnt) {
                (Some(value), _) if self.has_unknown(value.ty) => None,
                (Some(value), Some(learnt)) if self.program.types.includes(learnt, value.ty) => Some(learnt),
                (Some(value), _) => Some(value.ty),
                (None, _) => None,
            };
        }
    }

    /// A call whose argument is of another type than what the first call has told: from the next attempt on the parameter
    /// takes both.
    pub fn learn_param(&mut self, param: &Param, value: &Expr) -> bool {
        let Some(ty) = param.ty.filter(|_| self.infer.is_inferred(param.span)) else { return false };
        if self.has_unknown(value.ty) || self.fits(value.ty, ty, 0) {
            return false;
        }
        let both = self.program.types.union(&[ty, value.ty]);
        self.infer.learn_type(param.span, both)
    }

    /// What the body tells of a result that has no type.
    fn told_by_body(&mut self, index: usize) {
        let function = &self.program.functions[index];
        let all_typed = function.params.iter().all(|p| p.ty.is_some());
        if function.ret.is_some() || function.ast.ret.is_some() || !all_typed {
            return;
        }
        let owner = self.program.owner;
        let found = super::body::result_of(self.program, index);
        self.program.owner = owner;
        self.program.functions[index].ret = found;
    }

    /// Forgets what calls have told of a nested function, for another attempt.
    pub fn reopen(program: &mut Program<'_>, outer: usize) {
        let within: Vec<usize> =
            (0..program.functions.len()).filter(|f| program.functions[*f].within == Some(outer)).collect();
        for inner in within {
            let function = &mut program.functions[inner];
            if !function.closed {
                continue;
            }
            function.closed = false;
            let own = function.ast.params.len();
            function.params.truncate(own);
            for (param, written) in function.params.iter_mut().zip(&function.ast.params) {
                if written.annotation.is_none() && written.default.is_none() {
                    param.ty = None;
                }
            }
            if function.ast.ret.is_none() && super::signatures::returns_something(function.ast) {
                function.ret = None;
            }
            Self::reopen(program, inner);
        }
    }

    /// The value of a nested function that stands where a value is needed.
    pub fn nested_value(&mut self, name: &str, span: Span) -> Option<Expr> {
        let report =
            Diagnostic::error(Code::NotCallable, span, format!("`{name}` is a function, and functions are not values"));
        self.report(report.help(format!("call it: {name}(…)")));
        None
    }

    /// Calls a function of the program: what comes before the arguments that are written, those, and what comes after.
    #[allow(clippy::too_many_arguments)]
    pub fn call_with(
        &mut self,
        index: usize,
        params: &[Param],
        before: Vec<Expr>,
        after: Vec<Expr>,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        let called = &self.program.functions[index];
        let (name, kind, is_async, ret) = (called.name.clone(), called.kind, called.ast.is_async, called.ret);
        self.awaits(&name, kind, is_async, span, awaited);
        self.calls.push((index, span));
        let mut stmts = Vec::new();
        let mut args = before;
        if !arguments.is_empty() {
            args = args.into_iter().map(|a| self.keep(a, &mut stmts)).collect();
        }
        let (given, more) = self.arguments(&name, params, arguments, span)?;
        stmts.extend(more);
        args.extend(given);
        args.extend(after);
        let call = super::expr::typed(ret?, span, crate::tree::ExprKind::Call(index, args));
        Some(seq(stmts, call))
    }
}

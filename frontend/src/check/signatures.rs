//! Functions and classes as they are declared: what decorators make of them, parameters, results, fields. Bodies are
//! looked at later, when all of this is known.

use super::classes::MethodKind;
use super::names::{Global, Program};
use crate::ast::{self, ExprKind, StmtKind};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::Body;
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self, Type};
use std::rc::Rc;

/// What a function is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `@flow`.
    Flow,
    /// No decorator of ours.
    Plain,
    /// `@pure`.
    Pure,
    /// `@impure`.
    Impure,
}

/// What became of a function.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Not checked yet.
    Pending,
    /// Its body is checked and can be lowered.
    Compiled(Body),
    /// It runs in the host, since it is impure or its decorator says so.
    Host,
    /// It can't be compiled, and why: a pure function then runs in the host.
    DoesNotFit(Box<Diagnostic>),
}

/// A parameter or a field.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub name: String,
    pub span: Span,
    /// None if it has no type, or a wrong one, which is reported.
    pub ty: Option<TypeId>,
    pub default: Option<Default>,
    pub keyword_only: bool,
    /// Whether it is declared as what is only read, so that a copy of another kind will do.
    pub reads: bool,
    pub positional_only: bool,
}

/// What a parameter or field is where it is not given.
#[derive(Clone, Debug)]
pub(crate) enum Default {
    /// A constant of the parameter's type.
    Constant(Datum),
    /// What this makes, anew each time.
    Made(Rc<ast::Expr>),
    /// One with a mistake, which is reported.
    Wrong,
}

/// A function of the program.
#[derive(Debug)]
pub(crate) struct Function<'a> {
    pub ast: &'a ast::Function,
    pub name: String,
    pub kind: Kind,
    pub params: Vec<Param>,
    /// None if it is wrong, which is reported.
    pub ret: Option<TypeId>,
    pub outcome: Outcome,
    /// The class whose method it is, or in whose method it is defined. An inherited method is a function of each class
    /// that has it.
    pub owner: Option<usize>,
    /// What kind of method it is, if it is one.
    pub method: Option<MethodKind>,
    /// The class that defines the method.
    pub defined_in: Option<usize>,
    /// The function that it is defined in.
    pub within: Option<usize>,
    /// The variables of the functions around it that it uses, by name: it is given their values when it is called, after
    /// its own parameters.
    pub free: Vec<String>,
    /// Whether `free` has become parameters, which it does at the first call, when their types are known.
    pub closed: bool,
    /// The functions that its body calls, and where.
    pub calls: Vec<(usize, Span)>,
    /// The functions that its body starts tasks of.
    pub spawns: Vec<(usize, Span)>,
    /// The constants and classes that it uses, for the excerpts that a program keeps.
    pub uses: Vec<Span>,
    /// The types of what it returns, while its result has none.
    pub returned: Vec<TypeId>,
    /// Whether its body itself waits, or touches tasks and sync objects.
    pub acts: bool,
    /// Where its body changes a parameter at first sight, as a report; what it changes by other ways is found later.
    pub changes: Vec<Diagnostic>,
    /// What is wrong with its signature.
    pub signature: Vec<Diagnostic>,
    /// What is wrong with its body.
    pub diagnostics: Vec<Diagnostic>,
}

impl<'a> Function<'a> {
    pub fn new(ast: &'a ast::Function) -> Function<'a> {
        Function {
            ast,
            name: ast.name.text.clone(),
            kind: Kind::Plain,
            params: Vec::new(),
            ret: None,
            outcome: Outcome::Pending,
            owner: None,
            method: None,
            defined_in: None,
            within: None,
            free: Vec::new(),
            closed: false,
            calls: Vec::new(),
            spawns: Vec::new(),
            uses: Vec::new(),
            returned: Vec::new(),
            acts: false,
            changes: Vec::new(),
            signature: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Whether it has a checked body. Before its check: whether it may get one.
    pub fn is_compiled(&self) -> bool {
        matches!(self.outcome, Outcome::Compiled(_) | Outcome::Pending)
    }

    /// Whether calls of it go to the host.
    pub fn is_host(&self) -> bool {
        self.kind == Kind::Impure || (self.kind == Kind::Pure && !self.is_compiled())
    }
}

/// Whether a parameter is None where it is not given.
fn is_none_default(param: &ast::Param) -> bool {
    matches!(&param.default, Some(ast::Expr { kind: ExprKind::None, .. }))
}

/// Declares all classes and functions of the program.
pub(super) fn declare(program: &mut Program<'_>) {
    super::classes::declare(program);
    for index in 0..program.classes.len() {
        for field in program.classes[index].fields.clone() {
            let field = field.param;
            if let Some(key) = field.ty.and_then(|ty| program.changing_key(ty, &mut Vec::new())) {
                let report = program.not_hashable(key, field.span);
                program.classes[index].errors.push(report);
            }
        }
    }
    for index in 0..program.functions.len() {
        program.declare_function(index);
    }
}

/// The options of `@impure`.
const IMPURE_OPTIONS: &[&str] = &["retries", "backoff", "timeout", "concurrency", "retry_on"];

impl Program<'_> {
    /// A default as it is written: a constant, or what makes an object that can't change.
    pub fn default(&mut self, value: &ast::Expr, ty: Option<TypeId>, name: &str, out: &mut Vec<Diagnostic>) -> Default {
        let Some(ty) = ty else { return Default::Wrong };
        match self.evaluate(value, Some(ty), 0) {
            Ok((datum, found)) if found == ty => Default::Constant(datum),
            Ok((datum, found)) if super::constants::as_union(&self.types, ty, &datum, found).is_some() => {
                super::constants::as_union(&self.types, ty, &datum, found).map_or(Default::Wrong, Default::Constant)
            }
            Ok((_, found)) => {
                let (wanted, found) = (self.types.name(ty), self.types.name(found));
                let message = format!("the default of `{name}` must be {wanted}, but this is {found}");
                out.push(Diagnostic::error(Code::Mismatch, value.span, message));
                Default::Wrong
            }
            Err(_) if self.makes_frozen(value) => Default::Made(Rc::new(value.clone())),
            Err(report) => {
                out.push(*report);
                Default::Wrong
            }
        }
    }

    /// Whether an expression makes an object of a class that can't change, so that one for all calls is as good as a new
    /// one for each.
    fn makes_frozen(&self, value: &ast::Expr) -> bool {
        match &value.kind {
            ExprKind::Call(of, _) => match self.path(of) {
                Some((_, Some(Global::Class(index)))) => {
                    let class = &self.classes[index];
                    class.frozen && class.ty.is_some_and(|ty| self.types.is_hashable(ty))
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn declare_function(&mut self, index: usize) {
        let ast = self.functions[index].ast;
        let method = self.functions[index].method;
        self.owner = self.functions[index].owner;
        let mut out = std::mem::take(&mut self.functions[index].signature);
        let (kind, compile) = match method {
            Some(_) => (Kind::Plain, true),
            None => self.decorated(ast, &mut out),
        };
        for (span, what) in &ast.unsupported {
            out.push(Diagnostic::error(Code::Unsupported, *span, format!("flows do not know {what}")));
        }
        let mut params: Vec<Param> = Vec::new();
        for (position, param) in ast.params.iter().enumerate() {
            let name = &param.name;
            if params.iter().any(|p| p.name == name.text) {
                let message = format!("parameter `{}` is defined twice", name.text);
                out.push(Diagnostic::error(Code::DefinedTwice, name.span, message));
                continue;
            }
            let receiver = method.is_some_and(|m| m.takes_self()) && position == 0;
            let class = self.owner.and_then(|owner| self.classes[owner].ty);
            if receiver && matches!(method, Some(MethodKind::Class | MethodKind::Init)) {
                continue;
            }
            let ty = match &param.annotation {
                _ if receiver => class,
                // What is compared is of the same class: values of others are never passed.
                Some(annotation)
                    if position == 1
                        && super::classes::is_comparison(&ast.name.text)
                        && method.is_some()
                        && matches!(&annotation.kind, ExprKind::Name(n) if n == "object" || n == "Any") =>
                {
                    class
                }
                Some(annotation) => self.annotation(annotation, &mut out),
                // What is called in one function only is of the type that it is given there.
                None if self.functions[index].within.is_some() && !is_none_default(param) => {
                    let default = param.default.as_ref().map(|default| self.evaluate(default, None, 0));
                    default.and_then(Result::ok).map(|(_, ty)| ty)
                }
                None => {
                    let message = format!("parameter `{}` of `{}` has no type", name.text, ast.name.text);
                    let report = Diagnostic::error(Code::NoAnnotation, name.span, message);
                    out.push(report.help(format!("write its type: {}: int", name.text)));
                    None
                }
            };
            // A default of None says that None may be given, though the type leaves it out.
            let ty = match (ty, &param.default) {
                (Some(ty), Some(ast::Expr { kind: ExprKind::None, .. })) => Some(self.types.union(&[ty, types::NONE])),
                _ => ty,
            };
            let default = param.default.as_ref().map(|value| self.default(value, ty, &name.text, &mut out));
            let keyword_only = param.keyword_only;
            let positional_only = param.positional_only;
            let reads = param.annotation.as_ref().is_some_and(|a| self.only_reads(a));
            let name = name.text.clone();
            let span = param.name.span;
            params.push(Param { name, span, ty, default, keyword_only, reads, positional_only });
        }
        let ret = match &ast.ret {
            _ if method == Some(MethodKind::Init) => self.owner.and_then(|owner| self.classes[owner].ty),
            Some(annotation) => self.annotation(annotation, &mut out),
            None if kind == Kind::Flow && returns_something(ast) => {
                // What goes wrong in a flow may be passed on by any.
                let error = self.classes[super::own::DS_ERROR].ty;
                error.map(|error| self.types.union(&[error, types::NONE]))
            }
            // Its body tells, at the first call.
            None if self.functions[index].within.is_some() && returns_something(ast) => None,
            None => Some(types::NONE),
        };
        if matches!(kind, Kind::Pure | Kind::Impure) {
            let crossing =
                params.iter().filter_map(|p| p.ty.map(|ty| (ty, p.span))).chain(ret.map(|ty| (ty, ast.name.span)));
            for (ty, span) in crossing {
                if self.stays_inside(ty, &mut Vec::new()) {
                    let message = format!("{} can't be passed to or from Python code", self.types.name(ty));
                    out.push(
                        Diagnostic::error(Code::UnknownType, span, message)
                            .help("queues, locks and wait groups live in flows and plain functions only"),
                    );
                }
            }
        }
        self.owner = None;
        let function = &mut self.functions[index];
        function.kind = kind;
        function.params = params;
        function.ret = ret;
        if kind == Kind::Impure || !compile {
            function.outcome = Outcome::Host;
        }
        function.signature = out;
    }

    /// Whether a type holds sync objects, which can't leave the isolate.
    pub fn stays_inside(&self, ty: TypeId, seen: &mut Vec<TypeId>) -> bool {
        if seen.contains(&ty) {
            return false;
        }
        seen.push(ty);
        match self.types.get(ty) {
            Type::Queue(_) | Type::Lock | Type::WaitGroup => true,
            Type::List(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) => self.stays_inside(*e, seen),
            Type::Dict(k, v) => self.stays_inside(*k, seen) || self.stays_inside(*v, seen),
            Type::Tuple(parts) | Type::Union(parts) => parts.iter().any(|p| self.stays_inside(*p, seen)),
            Type::Class(c) => self.types.class(*c).fields.iter().any(|f| self.stays_inside(f.ty, seen)),
            Type::None | Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => false,
        }
    }

    /// A key type that turned out to be able to change when all classes were known, in a type or its parts.
    fn changing_key(&self, ty: TypeId, seen: &mut Vec<TypeId>) -> Option<TypeId> {
        if seen.contains(&ty) {
            return None;
        }
        seen.push(ty);
        match self.types.get(ty) {
            Type::Set(e) | Type::FrozenSet(e) if !self.types.is_hashable(*e) => Some(*e),
            Type::Set(e) | Type::FrozenSet(e) | Type::TupleOf(e) => self.changing_key(*e, seen),
            Type::List(e) | Type::Queue(e) => self.changing_key(*e, seen),
            Type::Dict(k, _) if !self.types.is_hashable(*k) => Some(*k),
            Type::Dict(k, v) => self.changing_key(*k, seen).or_else(|| self.changing_key(*v, seen)),
            Type::Tuple(parts) | Type::Union(parts) => parts.iter().find_map(|p| self.changing_key(*p, seen)),
            _ => None,
        }
    }

    /// What the decorators of a function make of it, and whether it may be compiled.
    fn decorated(&self, ast: &ast::Function, out: &mut Vec<Diagnostic>) -> (Kind, bool) {
        let mut kind: Option<(Kind, Span)> = None;
        let mut compile = true;
        let mut others = Vec::new();
        for decorator in &ast.decorators {
            let (of, arguments) = match &decorator.kind {
                ExprKind::Call(of, arguments) => (&**of, arguments.as_slice()),
                _ => (decorator, &[][..]),
            };
            let found = match self.api(of).as_deref() {
                Some("flow") => Kind::Flow,
                Some("pure") => Kind::Pure,
                Some("impure") => Kind::Impure,
                _ => {
                    others.push(of);
                    continue;
                }
            };
            if let Some((_, first)) = kind {
                let message = format!("`{}` can have one of @flow, @pure and @impure only", ast.name.text);
                out.push(
                    Diagnostic::error(Code::Decorator, decorator.span, message).label(first, "and it has this one"),
                );
            }
            kind = Some((found, decorator.span));
            for argument in arguments {
                let name = argument.name.as_ref().map(|n| n.text.as_str());
                match (found, name, &argument.value.kind) {
                    (Kind::Pure, Some("compile"), ExprKind::Bool(value)) => compile = *value,
                    (Kind::Impure, Some(name), _) if IMPURE_OPTIONS.contains(&name) => {}
                    _ => {
                        let message = match found {
                            Kind::Pure => "@pure takes compile=False only",
                            Kind::Impure => "@impure takes retries, backoff, timeout, concurrency and retry_on only",
                            Kind::Flow | Kind::Plain => "@flow takes no options",
                        };
                        out.push(Diagnostic::error(Code::Decorator, argument.value.span, message));
                    }
                }
            }
        }
        let kind = kind.map_or(Kind::Plain, |(kind, _)| kind);
        for other in others {
            // Another decorator may change what the function does; for host functions that is Python's own business.
            if kind == Kind::Impure {
                continue;
            }
            let near = match (self.path(other), &other.kind) {
                (Some((_, None)), ExprKind::Name(name)) => nearest(name, ["flow", "pure", "impure"]),
                (Some((_, Some(Global::Api(path)))), _) => nearest(&path, ["flow", "pure", "impure"]),
                _ => None,
            };
            let message = format!("`{}` has a decorator that flows don't know", ast.name.text);
            let report = Diagnostic::error(Code::Decorator, other.span, message);
            out.push(match near {
                Some(near) => report.help(format!("did you mean @{near}?")),
                None if kind == Kind::Flow => {
                    report.help("flows, pure and impure functions are wrapped by nothing else")
                }
                None => report,
            });
        }
        (kind, compile)
    }
}

/// Whether a function has a `return` with a value that is not None as written.
pub(super) fn returns_something(ast: &ast::Function) -> bool {
    let Ok(body) = &ast.body else { return false };
    let mut found = false;
    crate::walk::statements(
        body,
        &mut |stmt| found |= matches!(&stmt.kind, StmtKind::Return(Some(v)) if !matches!(v.kind, ExprKind::None)),
        &mut |_| {},
    );
    found
}

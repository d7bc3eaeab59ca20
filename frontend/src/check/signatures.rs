//! Functions and classes as they are declared: what decorators make of them, parameters, results, fields. Bodies are
//! looked at later, when all of this is known.

use super::names::{Global, Program};
use crate::ast::{self, ExprKind, StmtKind};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::Body;
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self, Field, Type};

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
}

/// What a parameter or field is where it is not given.
#[derive(Clone, Debug)]
pub(crate) enum Default {
    /// A constant of the parameter's type.
    Constant(Datum),
    /// A new empty list or dict each time.
    Empty,
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
    /// The functions that its body calls, and where.
    pub calls: Vec<(usize, Span)>,
    /// The functions that its body starts tasks of.
    pub spawns: Vec<(usize, Span)>,
    /// The constants and classes that it uses, for the excerpts that a program keeps.
    pub uses: Vec<Span>,
    /// Whether its body itself waits, or touches tasks and sync objects.
    pub acts: bool,
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
            calls: Vec::new(),
            spawns: Vec::new(),
            uses: Vec::new(),
            acts: false,
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

/// A class of the program.
#[derive(Debug)]
pub(crate) struct Class<'a> {
    pub ast: &'a ast::Class,
    /// Its type, if it is a dataclass.
    pub ty: Option<TypeId>,
    pub fields: Vec<Param>,
    pub frozen: bool,
    /// Its methods, which flows can't call yet.
    pub methods: Vec<String>,
    /// What is wrong with it, reported where it is used.
    pub errors: Vec<Diagnostic>,
}

impl<'a> Class<'a> {
    pub fn new(ast: &'a ast::Class) -> Class<'a> {
        Class { ast, ty: None, fields: Vec::new(), frozen: false, methods: Vec::new(), errors: Vec::new() }
    }
}

/// Declares all classes and functions of the program.
pub(super) fn declare(program: &mut Program<'_>) {
    for index in 0..program.classes.len() {
        program.declare_class(index);
    }
    for index in 0..program.classes.len() {
        if program.classes[index].ty.is_some() {
            program.declare_fields(index);
        }
    }
    for index in 0..program.classes.len() {
        for field in program.classes[index].fields.clone() {
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
const IMPURE_OPTIONS: &[&str] = &["retries", "backoff", "timeout", "concurrency"];

impl Program<'_> {
    /// The type of a class used as a type; what is wrong with the class is reported where it is used.
    pub fn class_type(&self, index: usize, span: Span, out: &mut Vec<Diagnostic>) -> Option<TypeId> {
        let class = &self.classes[index];
        let name = &class.ast.name;
        if !class.errors.is_empty() {
            out.extend(class.errors.iter().cloned());
            return None;
        }
        if class.ty.is_none() {
            let message = format!("`{}` is no dataclass, and flows know no other classes", name.text);
            let report = Diagnostic::error(Code::UnknownType, span, message).label(name.span, "defined here");
            out.push(report.help("mark it with @dataclass from dataclasses, and give its fields types"));
        }
        class.ty
    }

    fn declare_class(&mut self, index: usize) {
        let ast = self.classes[index].ast;
        let is_dataclass = |e: &ast::Expr| {
            self.is_foreign(e, "dataclasses", "dataclass")
                || matches!(self.path(e), Some((name, None)) if name == "dataclass")
        };
        let mut marked = false;
        let mut frozen = false;
        let mut keyword_only = false;
        let mut errors = Vec::new();
        for decorator in &ast.decorators {
            let (of, arguments) = match &decorator.kind {
                ExprKind::Call(of, arguments) => (&**of, arguments.as_slice()),
                _ => (decorator, &[][..]),
            };
            if !is_dataclass(of) {
                let message = format!("class `{}` has a decorator that flows don't know", ast.name.text);
                errors.push(Diagnostic::error(Code::Decorator, decorator.span, message));
                continue;
            }
            marked = true;
            for argument in arguments {
                let name = argument.name.as_ref().map_or("", |n| n.text.as_str());
                match (name, &argument.value.kind) {
                    ("frozen", ExprKind::Bool(value)) => frozen = *value,
                    ("kw_only", ExprKind::Bool(value)) => keyword_only = *value,
                    ("slots" | "repr" | "init" | "eq", ExprKind::Bool(true))
                    | ("slots" | "order", ExprKind::Bool(false)) => {}
                    _ => errors.push(Diagnostic::error(
                        Code::Decorator,
                        argument.value.span,
                        "flows know only the options frozen, kw_only and slots of @dataclass",
                    )),
                }
            }
        }
        if !marked {
            return;
        }
        if let Some(base) = ast.bases.first() {
            errors.push(
                Diagnostic::error(Code::NotYet, base.span, "not supported yet: dataclasses with a base class")
                    .help("write all fields in one class"),
            );
        }
        let class = types::Class { name: ast.name.text.clone(), fields: Vec::new(), frozen };
        let id = self.types.add_class(class);
        let ty = self.types.intern(Type::Class(id));
        let class = &mut self.classes[index];
        class.ty = Some(ty);
        class.frozen = frozen;
        class.errors = errors;
        class.fields =
            vec![Param { name: String::new(), span: Span::default(), ty: None, default: None, keyword_only }];
    }

    fn declare_fields(&mut self, index: usize) {
        let ast = self.classes[index].ast;
        let keyword_only = self.classes[index].fields.first().is_some_and(|f| f.keyword_only);
        let mut errors = std::mem::take(&mut self.classes[index].errors);
        let mut fields: Vec<Param> = Vec::new();
        let mut methods = Vec::new();
        for stmt in &ast.body {
            match &stmt.kind {
                StmtKind::Declare { target, annotation, value } => {
                    let ExprKind::Name(name) = &target.kind else { continue };
                    let ty = self.annotation(annotation, &mut errors);
                    let default = value.as_ref().map(|v| self.field_default(v, ty, name, &mut errors));
                    if default.is_none() && !keyword_only && fields.iter().any(|f| f.default.is_some()) {
                        let message = format!("field `{name}` has no default, but one before it has");
                        errors.push(Diagnostic::error(Code::Syntax, target.span, message));
                    }
                    if fields.iter().any(|f| f.name == *name) {
                        let message = format!("field `{name}` is defined twice");
                        errors.push(Diagnostic::error(Code::DefinedTwice, target.span, message));
                        continue;
                    }
                    fields.push(Param { name: name.clone(), span: target.span, ty, default, keyword_only });
                }
                StmtKind::Function(f) if f.name.text.starts_with("__") => {
                    let message = format!("not supported yet: dataclasses with `{}`", f.name.text);
                    errors.push(Diagnostic::error(Code::NotYet, f.name.span, message));
                }
                StmtKind::Function(f) => methods.push(f.name.text.clone()),
                StmtKind::Pass => {}
                StmtKind::Expr(e) if matches!(e.kind, ExprKind::Str(_) | ExprKind::Unsupported("...")) => {}
                StmtKind::Assign(..) => errors.push(
                    Diagnostic::error(Code::NoAnnotation, stmt.span, "a field of a dataclass needs a type")
                        .help("write its type: name: int = 0"),
                ),
                _ => errors.push(Diagnostic::error(
                    Code::Unsupported,
                    stmt.span,
                    "a dataclass that flows use has fields and methods only",
                )),
            }
        }
        let listed = fields.iter().filter_map(|f| f.ty.map(|ty| Field { name: f.name.clone(), ty })).collect();
        let class = &mut self.classes[index];
        class.fields = fields;
        class.methods = methods;
        class.errors = errors;
        if let Some(ty) = class.ty
            && let Type::Class(id) = *self.types.get(ty)
        {
            self.types.class_mut(id).fields = listed;
        }
    }

    fn field_default(
        &mut self,
        value: &ast::Expr,
        ty: Option<TypeId>,
        name: &str,
        out: &mut Vec<Diagnostic>,
    ) -> Default {
        if let ExprKind::Call(of, arguments) = &value.kind
            && self.is_foreign(of, "dataclasses", "field")
        {
            for argument in arguments {
                match (argument.name.as_ref().map(|n| n.text.as_str()), &argument.value.kind) {
                    (Some("default"), _) => return self.default(&argument.value, ty, name, out),
                    (Some("default_factory"), ExprKind::Name(maker)) if maker == "list" || maker == "dict" => {
                        let fits = ty.is_none_or(|ty| match self.types.get(ty) {
                            Type::List(_) => maker == "list",
                            Type::Dict(..) => maker == "dict",
                            _ => false,
                        });
                        if fits {
                            return Default::Empty;
                        }
                    }
                    _ => {}
                }
            }
            let message = "flows know field(default=…) and field(default_factory=list) or dict only";
            out.push(Diagnostic::error(Code::NotYet, value.span, message));
            return Default::Wrong;
        }
        self.default(value, ty, name, out)
    }

    /// A default as it is written: a constant.
    fn default(&mut self, value: &ast::Expr, ty: Option<TypeId>, name: &str, out: &mut Vec<Diagnostic>) -> Default {
        let Some(ty) = ty else { return Default::Wrong };
        match self.evaluate(value, Some(ty), 0) {
            Ok((datum, found)) if found == ty => Default::Constant(datum),
            Ok((_, found)) => {
                let (wanted, found) = (self.types.name(ty), self.types.name(found));
                let message = format!("the default of `{name}` must be {wanted}, but this is {found}");
                out.push(Diagnostic::error(Code::Mismatch, value.span, message));
                Default::Wrong
            }
            Err(report) => {
                out.push(*report);
                Default::Wrong
            }
        }
    }

    fn declare_function(&mut self, index: usize) {
        let ast = self.functions[index].ast;
        let mut out = Vec::new();
        let (kind, compile) = self.decorated(ast, &mut out);
        for (span, what) in &ast.unsupported {
            out.push(Diagnostic::error(Code::Unsupported, *span, format!("flows do not know {what}")));
        }
        let mut params: Vec<Param> = Vec::new();
        for param in &ast.params {
            let name = &param.name;
            if params.iter().any(|p| p.name == name.text) {
                let message = format!("parameter `{}` is defined twice", name.text);
                out.push(Diagnostic::error(Code::DefinedTwice, name.span, message));
                continue;
            }
            let ty = match &param.annotation {
                Some(annotation) => self.annotation(annotation, &mut out),
                None => {
                    let message = format!("parameter `{}` of `{}` has no type", name.text, ast.name.text);
                    let report = Diagnostic::error(Code::NoAnnotation, name.span, message);
                    out.push(report.help(format!("write its type: {}: int", name.text)));
                    None
                }
            };
            let default = param.default.as_ref().map(|value| self.default(value, ty, &name.text, &mut out));
            let keyword_only = param.keyword_only;
            params.push(Param { name: name.text.clone(), span: name.span, ty, default, keyword_only });
        }
        let ret = match &ast.ret {
            Some(annotation) => self.annotation(annotation, &mut out),
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
    fn stays_inside(&self, ty: TypeId, seen: &mut Vec<TypeId>) -> bool {
        if seen.contains(&ty) {
            return false;
        }
        seen.push(ty);
        match self.types.get(ty) {
            Type::Queue(_) | Type::Lock | Type::WaitGroup => true,
            Type::List(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) => self.stays_inside(*e, seen),
            Type::Dict(k, v) => self.stays_inside(*k, seen) || self.stays_inside(*v, seen),
            Type::Tuple(parts) => parts.iter().any(|p| self.stays_inside(*p, seen)),
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
            Type::Tuple(parts) => parts.iter().find_map(|p| self.changing_key(*p, seen)),
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
                            Kind::Impure => "@impure takes retries, backoff, timeout and concurrency only",
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

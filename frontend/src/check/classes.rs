//! Classes as they are declared: dataclasses, named tuples, and classes whose `__init__` assigns their fields; what they
//! inherit, their methods, properties and constants. A method is a function of each class that has it, inherited or not, so
//! that what it calls on `self` is what that class has.

use super::enums::Members;
use super::names::{Constant, ConstantSource, Global, Program};
use super::signatures::{Default, Function, Param};
use crate::ast::{self, ExprKind, StmtKind};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use deepslate_ir::dserror;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self, Field, Type};
use std::rc::Rc;

/// What a class of the sources is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClassKind {
    /// One that flows can't use.
    Foreign,
    /// A dataclass.
    Data,
    /// A `NamedTuple`.
    Named,
    /// An enumeration.
    Enum,
    /// One whose `__init__` assigns its fields.
    Plain,
}

/// What a method is called on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MethodKind {
    /// An object.
    Instance,
    /// An object, without parentheses.
    Property,
    /// An object, by assignment.
    Setter,
    /// The class.
    Class,
    /// The class, without passing it.
    Static,
    /// `__init__` of a class that is no dataclass: it gives the new object.
    Init,
}

impl MethodKind {
    /// Whether its first parameter is not given by the caller.
    pub fn takes_self(self) -> bool {
        self != MethodKind::Static
    }
}

/// A method that a class has.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub name: String,
    pub kind: MethodKind,
    /// The class that defines it.
    pub defined_in: usize,
    /// Its index among the functions.
    pub function: usize,
}

/// A field of a class.
#[derive(Clone, Debug)]
pub(crate) struct ClassField {
    pub param: Param,
    /// Whether it is an argument where an object is made.
    pub init: bool,
}

/// A class of the program.
#[derive(Debug)]
pub(crate) struct Class<'a> {
    pub ast: &'a ast::Class,
    pub kind: ClassKind,
    /// Its type, if flows can use it.
    pub ty: Option<TypeId>,
    /// The class that it inherits from.
    pub base: Option<usize>,
    /// Its fields, in the order of their slots, inherited ones first.
    pub fields: Vec<ClassField>,
    pub frozen: bool,
    /// Whether objects have the order of their fields.
    pub order: bool,
    /// Whether objects are equal by their fields.
    pub eq: bool,
    /// Whether the other comparisons follow from `__lt__` and `__eq__`.
    pub total: bool,
    /// Whether fields are given by name only.
    keyword_only: bool,
    /// Its methods: of several with one name the first counts, the next is its `super()`.
    pub methods: Vec<Method>,
    /// Its constants, by name, as indices of the program's constants.
    pub constants: Vec<(String, usize)>,
    /// Its members, if it is an enumeration.
    pub members: Option<Members>,
    /// What is wrong with it, reported where it is used.
    pub errors: Vec<Diagnostic>,
    /// Whether fields, constants and methods are known.
    pub completed: bool,
}

impl<'a> Class<'a> {
    pub fn new(ast: &'a ast::Class) -> Class<'a> {
        Class {
            ast,
            kind: ClassKind::Foreign,
            ty: None,
            base: None,
            fields: Vec::new(),
            frozen: false,
            order: false,
            eq: true,
            total: false,
            keyword_only: false,
            methods: Vec::new(),
            constants: Vec::new(),
            members: None,
            errors: Vec::new(),
            completed: false,
        }
    }

    /// The method with this name, and not the one behind a property's assignment.
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|m| m.name == name && m.kind != MethodKind::Setter)
    }
}

/// Whether a method of this name compares `self` with another object.
pub(super) fn is_comparison(name: &str) -> bool {
    ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"].contains(&name)
}

/// Declares all classes and their methods.
pub(super) fn declare(program: &mut Program<'_>) {
    for index in 0..program.classes.len() {
        program.declare_class(index);
    }
    for index in 0..program.classes.len() {
        program.complete_class(index, 0);
    }
}

/// How long a chain of base classes may be.
const MAX_BASES: usize = 32;

impl<'a> Program<'a> {
    /// The type of a class used as a type; what is wrong with the class is reported where it is used.
    pub fn class_type(&self, index: usize, span: Span, out: &mut Vec<Diagnostic>) -> Option<TypeId> {
        let class = &self.classes[index];
        let name = &class.ast.name;
        if !class.errors.is_empty() {
            out.extend(class.errors.iter().cloned());
            return None;
        }
        if class.ty.is_none() {
            let message = format!("`{}` is a class that flows can't use", name.text);
            let report = Diagnostic::error(Code::UnknownType, span, message).label(name.span, "defined here");
            out.push(
                report
                    .help("classes of flows are dataclasses, NamedTuples, and those whose __init__ assigns all fields"),
            );
        }
        class.ty
    }

    /// The class that a type stands for.
    pub fn class_of(&self, ty: TypeId) -> Option<usize> {
        match self.types.get(ty) {
            Type::Class(_) => self.classes.iter().position(|c| c.ty == Some(ty)),
            _ => None,
        }
    }

    /// A name that is imported from one of these modules, or Python's own.
    fn comes_from(&self, expr: &ast::Expr, modules: &[&str], name: &str) -> bool {
        modules.iter().any(|module| self.is_foreign(expr, module, name))
            || matches!(self.path(expr), Some((written, None)) if written == name)
    }

    fn declare_class(&mut self, index: usize) {
        if self.classes[index].completed {
            return;
        }
        let ast = self.classes[index].ast;
        let mut kind = None;
        let mut errors = Vec::new();
        if ast.name.text == dserror::NAME {
            let message = format!("`{}` is the name of a class of deepslate", dserror::NAME);
            let report = Diagnostic::error(Code::DefinedTwice, ast.name.span, message);
            errors.push(report.help("from deepslate import DSError, or give this class another name"));
        }
        let (mut frozen, mut order, mut eq, mut keyword_only, mut total) = (false, false, true, false, false);
        for decorator in &ast.decorators {
            let (of, arguments) = match &decorator.kind {
                ExprKind::Call(of, arguments) => (&**of, arguments.as_slice()),
                _ => (decorator, &[][..]),
            };
            if self.comes_from(of, &["functools"], "total_ordering") {
                total = true;
                continue;
            }
            if self.is_foreign(of, "enum", "unique") || self.comes_from(of, &["typing", "typing_extensions"], "final") {
                continue;
            }
            if !self.comes_from(of, &["dataclasses"], "dataclass") {
                let message = format!("class `{}` has a decorator that flows don't know", ast.name.text);
                errors.push(Diagnostic::error(Code::Decorator, decorator.span, message));
                continue;
            }
            kind = Some(ClassKind::Data);
            for argument in arguments {
                let name = argument.name.as_ref().map_or("", |n| n.text.as_str());
                match (name, &argument.value.kind) {
                    ("frozen", ExprKind::Bool(value)) => frozen = *value,
                    ("kw_only", ExprKind::Bool(value)) => keyword_only = *value,
                    ("order", ExprKind::Bool(value)) => order = *value,
                    ("eq", ExprKind::Bool(value)) => eq = *value,
                    ("slots" | "weakref_slot" | "match_args", ExprKind::Bool(_)) => {}
                    ("repr" | "init", ExprKind::Bool(true)) | ("unsafe_hash", ExprKind::Bool(false)) => {}
                    _ => errors.push(Diagnostic::error(
                        Code::Decorator,
                        argument.value.span,
                        "flows know only the options frozen, order, eq, kw_only and slots of @dataclass",
                    )),
                }
            }
        }
        let mut base = None;
        let is_enum = self.enum_bases(ast).is_some();
        if is_enum {
            kind = Some(ClassKind::Enum);
            frozen = true;
        }
        for expr in ast.bases.iter().filter(|_| !is_enum) {
            let typing = ["typing", "typing_extensions"];
            if self.comes_from(expr, &typing, "NamedTuple") && kind.is_none() {
                kind = Some(ClassKind::Named);
                frozen = true;
                order = true;
            } else if self.comes_from(expr, &[], "object")
                || self.is_foreign(expr, "abc", "ABC")
                || self.is_foreign(expr, "abc", "ABCMeta")
            {
            } else if let (Some((_, Some(Global::Class(other)))), None) = (self.path(expr), base) {
                base = Some(other);
            } else {
                if kind.is_none() {
                    return;
                }
                let message = "flows know classes with one base, which is a class of this file, only";
                errors.push(Diagnostic::error(Code::NotYet, expr.span, message).help("write all fields in one class"));
            }
        }
        let class = &mut self.classes[index];
        class.kind = kind.unwrap_or(ClassKind::Plain);
        class.base = base;
        class.order = order;
        class.total = total;
        class.eq = eq && class.kind != ClassKind::Plain;
        class.frozen = frozen;
        class.keyword_only = keyword_only;
        class.errors = errors;
        // One that inherits gets its type when it is known what it inherits from.
        if class.kind != ClassKind::Plain || base.is_none() {
            self.give_type(index);
        }
    }

    fn give_type(&mut self, index: usize) {
        let class = &self.classes[index];
        let own =
            |name: &str| class.ast.body.iter().any(|s| matches!(&s.kind, StmtKind::Function(f) if f.name.text == name));
        // What is compared in its own way can't be a key, which is compared by its fields.
        let frozen = class.frozen && class.eq && !own("__eq__") && !own("__hash__");
        let class = types::Class { name: class.ast.name.text.clone(), fields: Vec::new(), frozen };
        let id = self.types.add_class(class);
        let ty = self.types.intern(Type::Class(id));
        self.classes[index].ty = Some(ty);
    }

    /// Fields, constants and methods of a class, after those of its base.
    fn complete_class(&mut self, index: usize, depth: usize) {
        if std::mem::replace(&mut self.classes[index].completed, true) || self.classes[index].kind == ClassKind::Foreign
        {
            return;
        }
        if let Some(base) = self.classes[index].base {
            self.complete_class(base, depth + 1);
            let span = self.classes[index].ast.name.span;
            let (kind, base_class) = (self.classes[index].kind, &self.classes[base]);
            let message = match base_class.kind {
                _ if depth > MAX_BASES => Some("this class has too many bases"),
                ClassKind::Foreign if kind == ClassKind::Plain => {
                    // A class on top of what flows can't use is one of those.
                    self.classes[index].kind = ClassKind::Foreign;
                    return;
                }
                ClassKind::Foreign => Some("the base of this class is none that flows can use"),
                ClassKind::Named => Some("a NamedTuple is no base for another class in flows"),
                ClassKind::Enum => Some("an enumeration is no base for another class in flows"),
                ClassKind::Data if kind == ClassKind::Plain => None,
                ClassKind::Plain if kind == ClassKind::Data && !base_class.fields.is_empty() => {
                    Some("a dataclass in flows has no base with an __init__ of its own")
                }
                _ => None,
            };
            if kind == ClassKind::Plain {
                self.give_type(index);
            }
            let base_class = &self.classes[base];
            let (fields, errors) = (base_class.fields.clone(), base_class.errors.clone());
            let constants = base_class.constants.clone();
            let takes_after = kind == ClassKind::Plain && base_class.kind == ClassKind::Data;
            let (eq, order, frozen) = (base_class.eq, base_class.order, base_class.frozen);
            let class = &mut self.classes[index];
            class.fields = fields;
            class.constants = constants;
            class.errors.extend(errors);
            if takes_after {
                // Without a decorator of its own it is made and compared as its base is.
                class.kind = ClassKind::Data;
                (class.eq, class.order, class.frozen) = (eq, order, frozen);
            }
            if let Some(message) = message {
                class.errors.push(Diagnostic::error(Code::NotYet, span, format!("not supported yet: {message}")));
            }
        }
        self.owner = Some(index);
        match self.classes[index].kind {
            ClassKind::Plain => self.plain_fields(index),
            ClassKind::Enum => self.enum_members(index),
            _ => self.declared_fields(index),
        }
        self.owner = None;
        self.declare_methods(index);
        let class = &mut self.classes[index];
        let listed =
            class.fields.iter().filter_map(|f| f.param.ty.map(|ty| Field { name: f.param.name.clone(), ty })).collect();
        if let Some(ty) = class.ty
            && let Type::Class(id) = *self.types.get(ty)
        {
            self.types.class_mut(id).fields = listed;
        }
    }

    fn class_constant(
        &mut self,
        index: usize,
        name: &str,
        span: Span,
        annotation: Option<&'a ast::Expr>,
        value: &'a ast::Expr,
    ) {
        let full = format!("{}.{name}", self.classes[index].ast.name.text);
        // A method that changes it in place, by way of the object or the class.
        let mut changes = std::collections::BTreeMap::new();
        let body = &self.classes[index].ast.body;
        super::globals::changed_in(body, &std::collections::HashSet::new(), &mut changes);
        for function in body.iter().filter_map(|s| match &s.kind {
            StmtKind::Function(f) => Some(f),
            _ => None,
        }) {
            let (Ok(stmts), Some(receiver)) = (&function.body, function.params.first()) else { continue };
            let mut found = std::collections::BTreeMap::new();
            super::globals::changed_in(stmts, &std::collections::HashSet::new(), &mut found);
            changes.extend(found.remove(&format!("{}.{name}", receiver.name.text)).map(|s| (full.clone(), s)));
        }
        if let Some(place) = changes.remove(&full) {
            self.changed.entry(full.clone()).or_insert(place);
        }
        let source = ConstantSource::Written(annotation, value);
        self.constants.push(Constant { name: full, span, source, value: None });
        let constant = self.constants.len() - 1;
        let constants = &mut self.classes[index].constants;
        constants.retain(|(n, _)| n != name);
        constants.push((name.to_owned(), constant));
    }

    /// Whether an annotation says that an attribute is the class's own, and of which type it then is.
    fn class_var<'e>(&self, annotation: &'e ast::Expr) -> Option<Option<&'e ast::Expr>> {
        let typing = ["typing", "typing_extensions"];
        match &annotation.kind {
            ExprKind::Index(of, inner) if self.comes_from(of, &typing, "ClassVar") => Some(Some(inner)),
            _ if self.comes_from(annotation, &typing, "ClassVar") => Some(None),
            _ => None,
        }
    }

    /// The fields of a dataclass or named tuple.
    fn declared_fields(&mut self, index: usize) {
        let ast = self.classes[index].ast;
        let is_data = self.classes[index].kind == ClassKind::Data;
        let mut keyword_only = self.classes[index].keyword_only;
        let mut errors = std::mem::take(&mut self.classes[index].errors);
        let mut fields = std::mem::take(&mut self.classes[index].fields);
        let inherited = fields.len();
        for stmt in &ast.body {
            match &stmt.kind {
                StmtKind::Declare { target, annotation, value } => {
                    let ExprKind::Name(name) = &target.kind else { continue };
                    if let Some(inner) = self.class_var(annotation) {
                        if let Some(value) = value {
                            self.class_constant(index, name, target.span, inner, value);
                        }
                        continue;
                    }
                    if self.is_foreign(annotation, "dataclasses", "KW_ONLY") {
                        keyword_only = true;
                        continue;
                    }
                    let ty = self.annotation(annotation, &mut errors);
                    let mut init = true;
                    let mut by_name = keyword_only;
                    let default = value.as_ref().and_then(|v| match &v.kind {
                        ExprKind::Call(of, arguments) if is_data && self.is_foreign(of, "dataclasses", "field") => {
                            self.field_options(arguments, ty, name, v.span, (&mut init, &mut by_name), &mut errors)
                        }
                        _ => Some(self.default(v, ty, name, &mut errors)),
                    });
                    let first_default =
                        fields.iter().any(|f| f.init && f.param.default.is_some() && !f.param.keyword_only);
                    if default.is_none() && !by_name && init && first_default {
                        let message = format!("field `{name}` has no default, but one before it has");
                        errors.push(Diagnostic::error(Code::Syntax, target.span, message));
                    }
                    let param = Param {
                        name: name.clone(),
                        span: target.span,
                        ty,
                        default,
                        keyword_only: by_name,
                        reads: self.only_reads(annotation),
                        positional_only: false,
                    };
                    match fields.iter().position(|f| f.param.name == *name) {
                        // A field of the base is declared again: it keeps its place.
                        Some(at) if at < inherited => fields[at] = ClassField { param, init },
                        Some(_) => {
                            let message = format!("field `{name}` is defined twice");
                            errors.push(Diagnostic::error(Code::DefinedTwice, target.span, message));
                        }
                        None => fields.push(ClassField { param, init }),
                    }
                }
                StmtKind::Function(f) if is_data && f.name.text == "__init__" => {
                    let message = "not supported yet: dataclasses with `__init__`";
                    errors.push(
                        Diagnostic::error(Code::NotYet, f.name.span, message)
                            .help("leave out @dataclass, or do it in __post_init__"),
                    );
                }
                StmtKind::Function(_) | StmtKind::Pass => {}
                StmtKind::Expr(e) if matches!(e.kind, ExprKind::Str(_) | ExprKind::Unsupported("...")) => {}
                StmtKind::Assign(targets, value) => match targets.as_slice() {
                    [ast::Expr { kind: ExprKind::Name(name), span }] if name.chars().all(|c| !c.is_lowercase()) => {
                        self.class_constant(index, name, *span, None, value);
                    }
                    [ast::Expr { kind: ExprKind::Name(name), .. }] if name.starts_with("__") => {}
                    _ => errors.push(
                        Diagnostic::error(Code::NoAnnotation, stmt.span, "a field of a dataclass needs a type")
                            .help("write its type: name: int = 0"),
                    ),
                },
                _ => errors.push(Diagnostic::error(
                    Code::Unsupported,
                    stmt.span,
                    "a dataclass that flows use has fields and methods only",
                )),
            }
        }
        let class = &mut self.classes[index];
        class.fields = fields;
        class.errors = errors;
    }

    /// `field(…)` of a dataclass: its default, if it has one.
    fn field_options(
        &mut self,
        arguments: &[ast::Argument],
        ty: Option<TypeId>,
        name: &str,
        span: Span,
        (init, by_name): (&mut bool, &mut bool),
        out: &mut Vec<Diagnostic>,
    ) -> Option<Default> {
        let mut default = None;
        for argument in arguments {
            let value = &argument.value;
            match (argument.name.as_ref().map_or("", |n| n.text.as_str()), &value.kind) {
                ("default", _) => default = Some(self.default(value, ty, name, out)),
                ("default_factory", _) => default = Some(self.factory(value, ty, name, out)),
                ("init", ExprKind::Bool(value)) => *init = *value,
                ("kw_only", ExprKind::Bool(value)) => *by_name = *value,
                ("repr" | "compare", ExprKind::Bool(true)) | ("metadata", _) | ("hash", ExprKind::None) => {}
                _ => {
                    let message = "flows know default, default_factory, init and kw_only of field(…) only";
                    out.push(Diagnostic::error(Code::NotYet, value.span, message));
                }
            }
        }
        if !*init && default.is_none() {
            default = self.zero(ty?, span);
            if default.is_none() {
                let message = format!("not supported yet: field `{name}` has no value until it is assigned");
                out.push(Diagnostic::error(Code::NotYet, span, message).help("give it a default"));
            }
        }
        default
    }

    fn factory(&mut self, value: &ast::Expr, ty: Option<TypeId>, name: &str, out: &mut Vec<Diagnostic>) -> Default {
        let span = value.span;
        let empty = match (&value.kind, ty.map(|ty| self.types.get(ty))) {
            (ExprKind::Name(maker), Some(Type::List(_))) if maker == "list" => Some(ExprKind::List(Vec::new())),
            (ExprKind::Name(maker), Some(Type::Dict(..))) if maker == "dict" => Some(ExprKind::Dict(Vec::new())),
            (ExprKind::Name(maker), Some(found)) if maker == "list" || maker == "dict" => {
                let _ = found;
                let message = format!("the default of `{name}` is a {maker}, which it can't be");
                out.push(Diagnostic::error(Code::Mismatch, span, message));
                return Default::Wrong;
            }
            _ => None,
        };
        let kind = match (empty, &value.kind) {
            (Some(empty), _) => empty,
            (None, ExprKind::Lambda(lambda)) if lambda.params.is_empty() => {
                return Default::Made(Rc::new(lambda.value.clone()));
            }
            (None, _) => ExprKind::Call(Box::new(value.clone()), Vec::new()),
        };
        Default::Made(Rc::new(ast::Expr { span, kind }))
    }

    /// A value of a type that a field has before it is assigned.
    fn zero(&self, ty: TypeId, span: Span) -> Option<Default> {
        let kind = match self.types.get(ty) {
            Type::None => ExprKind::None,
            Type::Bool => ExprKind::Bool(false),
            Type::Int => ExprKind::Int(0),
            Type::Float => ExprKind::Float(0.0),
            Type::Str => ExprKind::Str(String::new()),
            Type::Bytes => ExprKind::Bytes(Vec::new()),
            Type::List(_) => ExprKind::List(Vec::new()),
            Type::Dict(..) => ExprKind::Dict(Vec::new()),
            Type::Set(_) => {
                let set = ast::Expr { span, kind: ExprKind::Name("set".to_owned()) };
                ExprKind::Call(Box::new(set), Vec::new())
            }
            _ => return None,
        };
        Some(Default::Made(Rc::new(ast::Expr { span, kind })))
    }

    /// The fields of a class with an `__init__`: what it assigns to attributes of its first parameter.
    fn plain_fields(&mut self, index: usize) {
        let ast = self.classes[index].ast;
        let mut errors = std::mem::take(&mut self.classes[index].errors);
        let mut fields = std::mem::take(&mut self.classes[index].fields);
        let mut declared: Vec<(String, Option<TypeId>)> = Vec::new();
        for stmt in &ast.body {
            match &stmt.kind {
                StmtKind::Declare { target, annotation, value } => {
                    let ExprKind::Name(name) = &target.kind else { continue };
                    match (self.class_var(annotation), value) {
                        (Some(inner), Some(value)) => self.class_constant(index, name, target.span, inner, value),
                        (None, Some(value)) if !assigns(ast, name) => {
                            self.class_constant(index, name, target.span, Some(annotation), value);
                        }
                        (None, Some(_)) => errors.push(
                            Diagnostic::error(
                                Code::NotYet,
                                stmt.span,
                                format!(
                                    "not supported yet: `{name}` of the class, which objects have another value of"
                                ),
                            )
                            .help("assign it in __init__"),
                        ),
                        (None, None) => declared.push((name.clone(), self.annotation(annotation, &mut errors))),
                        (Some(_), None) => {}
                    }
                }
                StmtKind::Assign(targets, value) => match targets.as_slice() {
                    [ast::Expr { kind: ExprKind::Name(name), .. }] if name.starts_with("__") => {}
                    [ast::Expr { kind: ExprKind::Name(name), span }] if !assigns(ast, name) => {
                        self.class_constant(index, name, *span, None, value);
                    }
                    _ => errors.push(
                        Diagnostic::error(Code::NotYet, stmt.span, "not supported yet: this in the body of a class")
                            .help("assign fields in __init__"),
                    ),
                },
                StmtKind::Function(f) if f.name.text == "__init__" => {
                    self.init_fields(f, &declared, &mut fields, &mut errors);
                }
                StmtKind::Function(_) | StmtKind::Pass => {}
                StmtKind::Expr(e) if matches!(e.kind, ExprKind::Str(_) | ExprKind::Unsupported("...")) => {}
                _ => errors.push(Diagnostic::error(
                    Code::Unsupported,
                    stmt.span,
                    "a class that flows use has fields and methods only",
                )),
            }
        }
        let class = &mut self.classes[index];
        class.fields = fields;
        class.errors = errors;
    }

    fn init_fields(
        &mut self,
        init: &'a ast::Function,
        declared: &[(String, Option<TypeId>)],
        fields: &mut Vec<ClassField>,
        errors: &mut Vec<Diagnostic>,
    ) {
        let (Ok(body), Some(receiver)) = (&init.body, init.params.first()) else { return };
        let mut found: Vec<(&'a ast::Name, Option<&'a ast::Expr>, Option<&'a ast::Expr>)> = Vec::new();
        let receiver = &receiver.name.text;
        let field_of = |target: &'a ast::Expr| match &target.kind {
            ExprKind::Attribute(of, name) if matches!(&of.kind, ExprKind::Name(n) if n == receiver) => Some(name),
            _ => None,
        };
        crate::walk::statements(
            body,
            &mut |stmt| match &stmt.kind {
                StmtKind::Assign(targets, value) => {
                    for target in targets {
                        if let ExprKind::Tuple(parts) = &target.kind {
                            let values = match &value.kind {
                                ExprKind::Tuple(values) if values.len() == parts.len() => values.as_slice(),
                                _ => &[],
                            };
                            for (at, part) in parts.iter().enumerate() {
                                found.extend(field_of(part).map(|name| (name, None, values.get(at))));
                            }
                        }
                        found.extend(field_of(target).map(|name| (name, None, Some(value))));
                    }
                }
                StmtKind::Declare { target, annotation, value } => {
                    found.extend(field_of(target).map(|name| (name, Some(annotation), value.as_ref())));
                }
                _ => {}
            },
            &mut |_| {},
        );
        for (name, annotation, value) in found {
            if let Some(known) = fields.iter().find(|f| f.param.name == name.text)
                && (known.param.ty.is_some() || annotation.is_none())
            {
                continue;
            }
            let ty = match (annotation, declared.iter().find(|(n, _)| *n == name.text)) {
                (Some(annotation), _) => self.annotation(annotation, errors),
                (None, Some((_, ty))) => *ty,
                (None, None) => match value.and_then(|value| self.guess(value, init, 0)) {
                    Some(ty) => Some(ty),
                    None => {
                        let message = format!("the type of field `{}` is not known", name.text);
                        let report = Diagnostic::error(Code::NoAnnotation, name.span, message);
                        errors.push(report.help(format!("write its type: {receiver}.{}: int = …", name.text)));
                        None
                    }
                },
            };
            let param = Param {
                name: name.text.clone(),
                span: name.span,
                ty,
                default: None,
                keyword_only: false,
                reads: false,
                positional_only: false,
            };
            fields.push(ClassField { param, init: false });
        }
    }

    /// The type of a value in `__init__`, as far as it can be told before anything is checked.
    fn guess(&mut self, value: &ast::Expr, init: &ast::Function, depth: u32) -> Option<TypeId> {
        if depth > 16 {
            return None;
        }
        let mut nothing = Vec::new();
        match &value.kind {
            ExprKind::Bool(_) | ExprKind::Compare(..) => Some(types::BOOL),
            ExprKind::Int(_) => Some(types::INT),
            ExprKind::Float(_) => Some(types::FLOAT),
            ExprKind::Str(_) | ExprKind::Format(_) => Some(types::STR),
            ExprKind::Bytes(_) => Some(types::BYTES),
            ExprKind::Name(name) => {
                let param = init.params.iter().find(|p| p.name.text == *name);
                match param {
                    Some(param) => self.annotation(param.annotation.as_ref()?, &mut nothing),
                    None => match self.globals.get(name) {
                        Some(Global::Constant(index)) => {
                            let index = *index;
                            self.constant(index, value.span, 0).ok().map(|(_, ty)| ty)
                        }
                        _ => None,
                    },
                }
            }
            ExprKind::Unary(ast::UnaryOp::Not, _) => Some(types::BOOL),
            ExprKind::Unary(_, inner) => self.guess(inner, init, depth + 1),
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.guess(left, init, depth + 1)?, self.guess(right, init, depth + 1)?);
                let number = |ty| matches!(ty, types::INT | types::FLOAT | types::BOOL);
                match (op, left, right) {
                    (ast::BinaryOp::Div, a, b) if number(a) && number(b) => Some(types::FLOAT),
                    (_, types::INT | types::BOOL, types::INT | types::BOOL) => Some(types::INT),
                    (_, a, b) if number(a) && number(b) => Some(types::FLOAT),
                    (ast::BinaryOp::Add, a, b) if a == b => Some(a),
                    (ast::BinaryOp::Mul, a, types::INT) => Some(a),
                    (ast::BinaryOp::Mul, types::INT, b) => Some(b),
                    _ => None,
                }
            }
            ExprKind::List(items) => {
                let element = self.guess(items.first()?, init, depth + 1)?;
                Some(self.types.intern(Type::List(element)))
            }
            ExprKind::Set(items) => {
                let element = self.guess(items.first()?, init, depth + 1)?;
                Some(self.types.intern(Type::Set(element)))
            }
            ExprKind::Dict(entries) => {
                let (key, value) = entries.first()?;
                let (key, value) = (self.guess(key.as_ref()?, init, depth + 1)?, self.guess(value, init, depth + 1)?);
                Some(self.types.intern(Type::Dict(key, value)))
            }
            ExprKind::Tuple(parts) => {
                let parts = parts.iter().map(|p| self.guess(p, init, depth + 1)).collect::<Option<Vec<_>>>()?;
                Some(self.types.intern(Type::Tuple(parts)))
            }
            ExprKind::If { then, .. } => self.guess(then, init, depth + 1),
            ExprKind::Call(of, arguments) => match (self.path(of), &of.kind) {
                (Some((_, Some(Global::Class(index)))), _) => self.classes[index].ty,
                (Some((_, Some(Global::Function(index)))), _) => {
                    let ret = self.functions[index].ast.ret.as_ref()?;
                    self.annotation(ret, &mut nothing)
                }
                (Some((_, Some(Global::Api(_)))), _) => self.annotation(of, &mut nothing),
                (Some((written, None)), _) => match written.as_str() {
                    "int" | "len" | "ord" | "hash" => Some(types::INT),
                    "str" | "repr" | "chr" | "hex" | "bin" => Some(types::STR),
                    "float" => Some(types::FLOAT),
                    "bool" => Some(types::BOOL),
                    "abs" | "list" | "dict" | "sorted" | "round" if arguments.len() == 1 => {
                        self.guess(&arguments[0].value, init, depth + 1)
                    }
                    _ => None,
                },
                // `Queue[int]()`
                (None, ExprKind::Index(..)) => self.annotation(of, &mut nothing),
                (None, ExprKind::Attribute(_, method)) => match method.text.as_str() {
                    "lower" | "upper" | "strip" | "lstrip" | "rstrip" | "title" | "replace" | "join" => {
                        Some(types::STR)
                    }
                    "split" | "splitlines" => Some(self.types.intern(Type::List(types::STR))),
                    "copy" => match &of.kind {
                        ExprKind::Attribute(of, _) => self.guess(of, init, depth + 1),
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// What a decorator makes of a method; none if flows don't know it.
    fn method_kind(&self, ast: &ast::Function, class: ClassKind) -> Option<MethodKind> {
        let mut kind = MethodKind::Instance;
        if class == ClassKind::Plain && ast.name.text == "__init__" {
            kind = MethodKind::Init;
        }
        for decorator in &ast.decorators {
            let typing = ["typing", "typing_extensions"];
            if self.comes_from(decorator, &[], "staticmethod") {
                kind = MethodKind::Static;
            } else if self.comes_from(decorator, &[], "classmethod") {
                kind = MethodKind::Class;
            } else if self.comes_from(decorator, &[], "property") {
                kind = MethodKind::Property;
            } else if matches!(&decorator.kind, ExprKind::Attribute(_, name) if name.text == "setter") {
                kind = MethodKind::Setter;
            } else if self.comes_from(decorator, &["abc"], "abstractmethod")
                || self.comes_from(decorator, &typing, "override")
                || self.comes_from(decorator, &typing, "final")
            {
            } else {
                return None;
            }
        }
        Some(kind)
    }

    fn declare_methods(&mut self, index: usize) {
        let mut chain = vec![index];
        while let Some(base) = self.classes[chain[chain.len() - 1]].base
            && chain.len() <= MAX_BASES
        {
            chain.push(base);
        }
        let own_name = self.classes[index].ast.name.text.clone();
        for defined_in in chain {
            let ast = self.classes[defined_in].ast;
            for stmt in &ast.body {
                let StmtKind::Function(f) = &stmt.kind else { continue };
                let kind = self.method_kind(f, self.classes[index].kind);
                let name = &f.name.text;
                let setter = kind == Some(MethodKind::Setter);
                let before = &self.classes[index].methods;
                let full = if setter {
                    format!("{own_name}.{name}.setter")
                } else if before.iter().any(|m| m.name == *name && m.kind != MethodKind::Setter) {
                    format!("{own_name}.{}.{name}", ast.name.text)
                } else {
                    format!("{own_name}.{name}")
                };
                let mut function = Function::new(f);
                function.name = full;
                function.owner = Some(index);
                function.method = Some(kind.unwrap_or(MethodKind::Instance));
                function.defined_in = Some(defined_in);
                if kind.is_none() {
                    let message = format!("method `{name}` has a decorator that flows don't know");
                    let span = f.decorators.first().map_or(f.name.span, |d| d.span);
                    function.signature.push(Diagnostic::error(Code::Decorator, span, message));
                }
                let function = self.function(function);
                let kind = kind.unwrap_or(MethodKind::Instance);
                self.classes[index].methods.push(Method { name: name.clone(), kind, defined_in, function });
            }
        }
    }
}

/// Whether a method of a class assigns an attribute of this name.
fn assigns(class: &ast::Class, name: &str) -> bool {
    let mut found = false;
    for stmt in &class.body {
        if let StmtKind::Function(f) = &stmt.kind
            && let Ok(body) = &f.body
        {
            crate::walk::statements(
                body,
                &mut |stmt| {
                    let targets: &[ast::Expr] = match &stmt.kind {
                        StmtKind::Assign(targets, _) => targets,
                        StmtKind::Declare { target, .. } | StmtKind::Augment(target, ..) => {
                            std::slice::from_ref(target)
                        }
                        _ => &[],
                    };
                    found |= targets.iter().any(|t| matches!(&t.kind, ExprKind::Attribute(_, n) if n.text == name));
                },
                &mut |_| {},
            );
        }
    }
    found
}

//! What the names of a program stand for: functions, classes and constants of the sources, members of the `deepslate`
//! package, and everything else of a file, which flows can't use but which must not disturb them.

use super::classes::Class;
use super::own::DS_ERROR;
use super::signatures::Function;
use crate::ast::{self, ExprKind, StmtKind, Unreadable};
use crate::diag::{Code, Diagnostic, nearest};
use crate::python::Item;
use crate::source::{Sources, Span};
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::Types;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a global name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Global {
    /// The function with this index.
    Function(usize),
    /// The class with this index.
    Class(usize),
    /// The constant with this index.
    Constant(usize),
    /// A member of the package, by its path in it (`flow`, `dpslio.Queue`); the package itself is "".
    Api(String),
    /// Something of the file that flows can't use: what it is, and where.
    Foreign(String, Span),
    /// A statement that can't be read.
    Broken(Box<Unreadable>),
}

/// A constant of a module, evaluated when it is first used.
#[derive(Debug)]
pub(crate) struct Constant<'a> {
    pub name: String,
    pub span: Span,
    pub source: ConstantSource<'a>,
    /// Its value and type, or that evaluating it failed (or is under way).
    pub value: Option<Result<(Datum, TypeId), Box<Diagnostic>>>,
}

/// Where a constant comes from.
#[derive(Debug)]
pub(crate) enum ConstantSource<'a> {
    /// Its annotation and its value as written.
    Written(Option<&'a ast::Expr>, &'a ast::Expr),
    /// Given by whoever compiles.
    Given(Datum),
}

/// A program under check.
pub(crate) struct Program<'a> {
    pub sources: &'a Sources,
    pub types: Types,
    pub globals: HashMap<String, Global>,
    pub functions: Vec<Function<'a>>,
    pub classes: Vec<Class<'a>>,
    pub constants: Vec<Constant<'a>>,
    /// Mistakes that belong to no function.
    pub diagnostics: Vec<Diagnostic>,
    /// The names by which string annotations were read, kept for their lifetime.
    pub assigned_twice: BTreeMap<String, Span>,
    /// The names whose values something in the sources changes in place, and where.
    pub changed: BTreeMap<String, Span>,
    /// How many aliases of types are being followed.
    pub alias_depth: u32,
    /// The class that is being looked at, which `Self` stands for.
    pub owner: Option<usize>,
    /// The functions that are defined in functions, by the place of their names.
    pub nested: HashMap<Span, usize>,
    /// Types that stand for no other one, see `infer`.
    pub unknowns: Vec<TypeId>,
}

/// The package that flows import from.
const PACKAGE: &str = "deepslate";

/// What the package has, by path, and what a flow may do with it.
pub(crate) const API: &[(&str, Member)] = &[
    ("flow", Member::Decorator),
    ("pure", Member::Decorator),
    ("impure", Member::Decorator),
    ("sleep", Member::Callable),
    ("dpslio", Member::Namespace),
    ("dpslio.create_task", Member::Callable),
    ("dpslio.Queue", Member::Type),
    ("dpslio.Lock", Member::Type),
    ("dpslio.WaitGroup", Member::Type),
    ("dpslio.select", Member::Select),
    ("now", Member::Callable),
    ("uuid", Member::Callable),
    ("random", Member::Callable),
    ("http_listen", Member::Callable),
    ("http_request", Member::Callable),
    ("json_marshal", Member::Callable),
    ("json_unmarshal", Member::Callable),
    (deepslate_ir::dserror::NAME, Member::Type),
    ("dpslio.after", Member::Callable),
    ("new_embedded", Member::Host),
    ("new_postgres", Member::Host),
    ("new_redis", Member::Host),
    ("new_s3", Member::Host),
    ("new_platform", Member::Host),
    ("spawn_workers", Member::Host),
    ("spawn_inspector", Member::Host),
];

/// What a member of the package is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Member {
    /// Marks functions.
    Decorator,
    /// Can be called in a flow.
    Callable,
    /// Has members.
    Namespace,
    /// Is a type (and makes one when called).
    Type,
    /// Stands after `match`.
    Select,
    /// Is for programs that run an engine.
    Host,
}

/// What a path in the package stands for.
fn in_package(path: impl Into<String>) -> Global {
    let path = path.into();
    if path == deepslate_ir::dserror::NAME { Global::Class(DS_ERROR) } else { Global::Api(path) }
}

/// What a member of the package is, by its path.
pub(crate) fn member(path: &str) -> Option<Member> {
    API.iter().find(|(p, _)| *p == path).map(|(_, m)| *m)
}

/// Builds the table of names from the statements of the sources and the constants that are given.
pub(crate) fn collect<'a>(sources: &'a Sources, items: &'a [Item], constants: &[(String, Datum)]) -> Program<'a> {
    let mut program = Program {
        sources,
        types: Types::new(),
        globals: HashMap::new(),
        functions: Vec::new(),
        classes: Vec::new(),
        constants: Vec::new(),
        diagnostics: Vec::new(),
        assigned_twice: BTreeMap::new(),
        changed: BTreeMap::new(),
        alias_depth: 0,
        owner: None,
        nested: HashMap::new(),
        unknowns: Vec::new(),
    };
    super::own::declare(&mut program);
    for (name, value) in constants {
        let index = program.constants.len();
        let source = ConstantSource::Given(value.clone());
        program.constants.push(Constant { name: name.clone(), span: Span::default(), source, value: None });
        program.globals.insert(name.clone(), Global::Constant(index));
    }
    for item in items {
        match &item.content {
            Ok(stmts) => {
                stmts.iter().for_each(|s| program.define(s));
                super::globals::changed_in(stmts, &HashSet::new(), &mut program.changed);
            }
            Err(broken) => {
                if let Some(name) = &broken.defines {
                    program.globals.insert(name.clone(), Global::Broken(Box::new(broken.why.clone())));
                }
            }
        }
    }
    program
}

impl<'a> Program<'a> {
    fn define(&mut self, stmt: &'a ast::Stmt) {
        match &stmt.kind {
            StmtKind::Function(f) => {
                let index = self.function(Function::new(f));
                self.bind(&f.name, Global::Function(index));
            }
            StmtKind::Class(c) => {
                let index = self.classes.len();
                self.classes.push(Class::new(c));
                self.bind(&c.name, Global::Class(index));
            }
            StmtKind::Import(imports) => imports.iter().for_each(|i| self.import(i)),
            StmtKind::Assign(targets, value) => {
                for target in targets {
                    self.assign(target, None, Some(value));
                }
            }
            StmtKind::Declare { target, annotation, value } => self.assign(target, Some(annotation), value.as_ref()),
            StmtKind::Augment(target, ..) => self.assign(target, None, None),
            StmtKind::For { target, body, otherwise, .. } => {
                self.assign(target, None, None);
                body.iter().chain(otherwise).for_each(|s| self.define_within(s));
            }
            StmtKind::If(_, a, b) | StmtKind::While(_, a, b) => {
                a.iter().chain(b).for_each(|s| self.define_within(s));
            }
            StmtKind::TypeAlias(name, value) => {
                let source = ConstantSource::Written(None, value);
                let constant = Constant { name: name.text.clone(), span: name.span, source, value: None };
                self.constants.push(constant);
                self.bind(name, Global::Constant(self.constants.len() - 1));
            }
            StmtKind::Match(_, cases) => {
                cases.iter().flat_map(|c| &c.body).for_each(|s| self.define_within(s));
            }
            StmtKind::Expr(_)
            | StmtKind::Return(_)
            | StmtKind::Pass
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Assert(..)
            | StmtKind::Raise(_)
            | StmtKind::Delete(_)
            | StmtKind::Unsupported(_) => {}
        }
    }

    /// A statement inside a top-level `if` or loop: imports count, everything else is known by name only.
    fn define_within(&mut self, stmt: &'a ast::Stmt) {
        let foreign = |name: &ast::Name| Global::Foreign("is defined under a condition".to_owned(), name.span);
        match &stmt.kind {
            StmtKind::Function(f) => {
                self.globals.entry(f.name.text.clone()).or_insert_with(|| foreign(&f.name));
            }
            StmtKind::Class(c) => {
                self.globals.entry(c.name.text.clone()).or_insert_with(|| foreign(&c.name));
            }
            StmtKind::Assign(targets, _) => targets.iter().for_each(|t| self.assign(t, None, None)),
            StmtKind::Declare { target, .. } => self.assign(target, None, None),
            StmtKind::Expr(_)
            | StmtKind::Augment(..)
            | StmtKind::If(..)
            | StmtKind::While(..)
            | StmtKind::For { .. }
            | StmtKind::Return(_)
            | StmtKind::Pass
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Assert(..)
            | StmtKind::Raise(_)
            | StmtKind::Delete(_)
            | StmtKind::Match(..)
            | StmtKind::Import(_)
            | StmtKind::TypeAlias(..)
            | StmtKind::Unsupported(_) => self.define(stmt),
        }
    }

    fn assign(&mut self, target: &'a ast::Expr, annotation: Option<&'a ast::Expr>, value: Option<&'a ast::Expr>) {
        match (&target.kind, value) {
            (ExprKind::Name(name), _) => {
                if let Some(Global::Constant(_) | Global::Foreign(..)) = self.globals.get(name) {
                    self.assigned_twice.insert(name.clone(), target.span);
                }
                let global = match value {
                    Some(value) => {
                        let source = ConstantSource::Written(annotation, value);
                        self.constants.push(Constant { name: name.clone(), span: target.span, source, value: None });
                        Global::Constant(self.constants.len() - 1)
                    }
                    None => Global::Foreign("is a variable of the module".to_owned(), target.span),
                };
                self.globals.insert(name.clone(), global);
            }
            (ExprKind::Tuple(parts) | ExprKind::List(parts), _) => {
                for part in parts {
                    self.assign(part, None, None);
                }
            }
            _ => {}
        }
    }

    fn bind(&mut self, name: &ast::Name, global: Global) {
        if let Some(before) = self.globals.insert(name.text.clone(), global) {
            let first = match before {
                Global::Function(i) => Some(self.functions[i].ast.name.span),
                Global::Class(i) if i != DS_ERROR => Some(self.classes[i].ast.name.span),
                Global::Class(_) | Global::Constant(_) | Global::Api(_) | Global::Foreign(..) | Global::Broken(_) => {
                    None
                }
            };
            if let Some(first) = first {
                let message = format!("`{}` is defined twice", name.text);
                self.diagnostics.push(
                    Diagnostic::error(Code::DefinedTwice, name.span, message)
                        .label(first, "first defined here")
                        .help("give one of them another name"),
                );
            }
        }
    }

    fn import(&mut self, import: &ast::Import) {
        let path = import.module.strip_prefix(PACKAGE).filter(|r| r.is_empty() || r.starts_with('.'));
        let path = path.map(|p| p.trim_start_matches('.'));
        let global = match (path, import.member.as_deref()) {
            (Some(path), None) => in_package(path),
            (Some(path), Some("*")) => {
                for (known, _) in API {
                    let name = if path.is_empty() { Some(*known) } else { known.strip_prefix(&format!("{path}.")) };
                    if let Some(name) = name.filter(|n| !n.contains('.')) {
                        self.globals.insert(name.to_owned(), in_package(*known));
                    }
                }
                return;
            }
            (Some(""), Some(name)) => in_package(name),
            (Some(path), Some(name)) => in_package(format!("{path}.{name}")),
            (None, None) => Global::Foreign(format!("is the module {}", import.module), import.span),
            (None, Some(name)) => Global::Foreign(format!("comes from {}.{name}", import.module), import.span),
        };
        self.globals.insert(import.binds.clone(), global);
    }

    /// What a name or dotted name stands for, and how it is written. `None` for any other expression, and for one that
    /// begins with a name that is not global.
    pub fn path(&self, expr: &ast::Expr) -> Option<(String, Option<Global>)> {
        match &expr.kind {
            ExprKind::Name(name) => Some((name.clone(), self.globals.get(name).cloned())),
            ExprKind::Attribute(of, name) => {
                let (written, global) = self.path(of)?;
                let written = format!("{written}.{}", name.text);
                let global = match global {
                    Some(Global::Api(path)) if path.is_empty() => Some(in_package(name.text.as_str())),
                    Some(Global::Api(path)) => Some(in_package(format!("{path}.{}", name.text))),
                    Some(Global::Foreign(what, span)) => {
                        let what = match what.strip_prefix("is the module ") {
                            Some(module) => format!("comes from {module}.{}", name.text),
                            None => what,
                        };
                        Some(Global::Foreign(what, span))
                    }
                    Some(Global::Function(_) | Global::Class(_) | Global::Constant(_) | Global::Broken(_)) | None => {
                        return None;
                    }
                };
                Some((written, global))
            }
            _ => None,
        }
    }

    /// The member of the package that an expression names, by its path.
    pub fn api(&self, expr: &ast::Expr) -> Option<String> {
        match self.path(expr) {
            Some((_, Some(Global::Api(path)))) => Some(path),
            _ => None,
        }
    }

    /// Whether an expression names this member of a module that is not ours.
    pub fn is_foreign(&self, expr: &ast::Expr, module: &str, name: &str) -> bool {
        let wanted = format!("comes from {module}.{name}");
        matches!(self.path(expr), Some((_, Some(Global::Foreign(what, _)))) if what == wanted)
    }

    /// The report for a name of the file that can't be used where it stands.
    pub fn unusable(&self, written: &str, global: &Global, span: Span) -> Diagnostic {
        match global {
            Global::Foreign(what, place) => {
                let what = match what.strip_prefix("comes from ") {
                    Some(path) if path == written => "is no part of the language of flows",
                    _ => what.as_str(),
                };
                let message = format!("`{written}` can't be used in a flow: it {what}");
                let report = Diagnostic::error(Code::NotInFlows, span, message);
                let report = match what {
                    "is a variable of the module" => report.help("pass the value as an argument of the flow"),
                    _ if written == "time.sleep" || written == "asyncio.sleep" => {
                        report.help("from deepslate import sleep: it is durable, and can last for months")
                    }
                    _ => report.help("use it in a function marked @pure or @impure, and call that from the flow"),
                };
                report.label(*place, "brought in here")
            }
            Global::Broken(why) => {
                let message = format!("`{written}` can't be used, since its definition can't be read");
                Diagnostic::error(why.code, span, message).label(why.span, why.message.clone())
            }
            Global::Api(path) => match member(path) {
                Some(Member::Host) => {
                    let message = format!("`{written}` starts or reaches an engine, which a flow can't do");
                    Diagnostic::error(Code::NotInFlows, span, message).help("call it outside of flows")
                }
                Some(Member::Select) => {
                    Diagnostic::error(Code::Select, span, format!("`{written}` stands after `match` only"))
                        .help("match dpslio.select:\n    case _ if value := await queue.get():\n        …")
                }
                Some(Member::Decorator | Member::Callable | Member::Namespace | Member::Type) => {
                    Diagnostic::error(Code::NotCallable, span, format!("`{written}` is not a value"))
                }
                None => {
                    let shown = if path.is_empty() { PACKAGE.to_owned() } else { path.clone() };
                    let report =
                        Diagnostic::error(Code::UnknownMember, span, format!("{PACKAGE} has no member `{shown}`"));
                    match nearest(path, API.iter().map(|(p, _)| *p)) {
                        Some(near) => report.help(format!("did you mean `{near}`?")),
                        None => report,
                    }
                }
            },
            Global::Function(_) => Diagnostic::error(
                Code::NotCallable,
                span,
                format!("`{written}` is a function, and functions are not values"),
            )
            .help(format!("call it: {written}(…)")),
            Global::Class(_) => Diagnostic::error(
                Code::NotCallable,
                span,
                format!("`{written}` is a class, and classes are not values"),
            )
            .help(format!("make an object of it: {written}(…)")),
            Global::Constant(_) => Diagnostic::error(Code::NotConstant, span, format!("`{written}` is no constant")),
        }
    }

    /// The report for a name that nothing defines.
    pub fn unknown<'n>(&'n self, name: &str, span: Span, near: impl IntoIterator<Item = &'n str>) -> Diagnostic {
        let report = Diagnostic::error(Code::UnknownName, span, format!("`{name}` is not defined"));
        let known: Vec<&str> = near.into_iter().chain(self.globals.keys().map(String::as_str)).collect();
        match nearest(name, known) {
            Some(near) => report.help(format!("did you mean `{near}`?")),
            None if API.iter().any(|(p, _)| *p == name) => report.help(format!("from {PACKAGE} import {name}")),
            None => report,
        }
    }
}

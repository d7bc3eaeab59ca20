//! Types as they are written: `int`, `list[str]`, `dpslio.Queue[int]`, names of dataclasses, all also in quotes.

use super::names::{Global, Program, member};
use crate::ast::{BinaryOp, Expr, ExprKind};
use crate::diag::{Code, Diagnostic, nearest};
use deepslate_ir::dserror;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self, Type};

const MAX_DEPTH: u32 = 32;

impl Program<'_> {
    /// The type that an annotation stands for; what is wrong with it goes into `out`.
    pub fn annotation(&mut self, expr: &Expr, out: &mut Vec<Diagnostic>) -> Option<TypeId> {
        self.annotation_at(expr, out, 0)
    }

    fn annotation_at(&mut self, expr: &Expr, out: &mut Vec<Diagnostic>, depth: u32) -> Option<TypeId> {
        let mut fail = |report: Diagnostic| {
            out.push(report);
            None
        };
        if depth > MAX_DEPTH {
            return fail(Diagnostic::error(Code::TooDeep, expr.span, "this type is nested too deeply"));
        }
        match &expr.kind {
            ExprKind::None => Some(types::NONE),
            ExprKind::Str(text) => match crate::python::expression(text, expr.span) {
                Some(inner) => self.annotation_at(&inner, out, depth + 1),
                None => fail(Diagnostic::error(Code::UnknownType, expr.span, "the text in quotes is no type")),
            },
            ExprKind::Name(_) | ExprKind::Attribute(..) => self.named(expr, out),
            ExprKind::Index(of, argument) => self.generic(of, argument, expr, out, depth),
            ExprKind::Binary(BinaryOp::BitOr, left, right) => {
                let left = self.annotation_at(left, out, depth + 1);
                let right = self.annotation_at(right, out, depth + 1);
                Some(self.types.union(&[left?, right?]))
            }
            _ => fail(Diagnostic::error(Code::UnknownType, expr.span, "this is no type")),
        }
    }

    fn named(&mut self, expr: &Expr, out: &mut Vec<Diagnostic>) -> Option<TypeId> {
        if let Some((_, Some(Global::Constant(index)))) = self.path(expr)
            && self.alias_depth < MAX_DEPTH
            && let Some(value) = self.alias(index).cloned()
        {
            let value = self.new_type(&value).cloned().unwrap_or(value);
            let is_type = matches!(
                value.kind,
                ExprKind::Name(_) | ExprKind::Attribute(..) | ExprKind::Index(..) | ExprKind::Binary(..)
            );
            if is_type {
                self.alias_depth += 1;
                let ty = self.annotation_at(&value, out, 1);
                self.alias_depth -= 1;
                return ty;
            }
        }
        if let Some(owner) = self.owner
            && ["typing", "typing_extensions"].iter().any(|m| self.is_foreign(expr, m, "Self"))
        {
            return self.class_type(owner, expr.span, out);
        }
        let Some((written, global)) = self.path(expr) else {
            out.push(Diagnostic::error(Code::UnknownType, expr.span, "this is no type"));
            return None;
        };
        let report = match &global {
            Some(Global::Class(index)) => return self.class_type(*index, expr.span, out),
            Some(Global::Api(path)) => match (path.as_str(), member(path)) {
                ("dpslio.Lock", _) => return Some(types::LOCK),
                ("dpslio.WaitGroup", _) => return Some(types::WAIT_GROUP),
                ("dpslio.Queue", _) => {
                    Diagnostic::error(Code::UnknownType, expr.span, "a Queue needs the type of its elements")
                        .help(format!("{written}[int]"))
                }
                (_, None) => self.unusable(&written, &Global::Api(path.clone()), expr.span),
                _ => Diagnostic::error(Code::UnknownType, expr.span, format!("`{written}` is no type")),
            },
            Some(broken @ Global::Broken(_)) => self.unusable(&written, broken, expr.span),
            Some(Global::Foreign(what, place)) => {
                let message = match what.strip_prefix("comes from ") {
                    Some(path) => format!("`{written}` ({path}) is no type that a flow can have"),
                    None => format!("`{written}` is no type that a flow can have: it {what}"),
                };
                Diagnostic::error(Code::UnknownType, expr.span, message).label(*place, "brought in here").help(TYPES)
            }
            Some(Global::Function(_) | Global::Constant(_)) => {
                Diagnostic::error(Code::UnknownType, expr.span, format!("`{written}` is no type")).help(TYPES)
            }
            None => {
                match written.as_str() {
                    "int" => return Some(types::INT),
                    "float" => return Some(types::FLOAT),
                    "bool" => return Some(types::BOOL),
                    "str" => return Some(types::STR),
                    "bytes" => return Some(types::BYTES),
                    _ => {}
                }
                match written.as_str() {
                    "list" | "List" => {
                        let message = "a list needs the type of its elements";
                        Diagnostic::error(Code::UnknownType, expr.span, message).help("list[int]")
                    }
                    "dict" | "Dict" => {
                        let message = "a dict needs the types of its keys and values";
                        Diagnostic::error(Code::UnknownType, expr.span, message).help("dict[str, int]")
                    }
                    "tuple" | "Tuple" => {
                        let message = "a tuple needs the types of its parts";
                        Diagnostic::error(Code::UnknownType, expr.span, message).help("tuple[int, str]")
                    }
                    "set" | "frozenset" => {
                        let message = format!("a {written} needs the type of its elements");
                        Diagnostic::error(Code::UnknownType, expr.span, message).help(format!("{written}[str]"))
                    }
                    "Optional" | "Any" => {
                        Diagnostic::error(Code::NotYet, expr.span, format!("not supported yet: the type `{written}`"))
                    }
                    _ => {
                        let message = format!("`{written}` is not a type");
                        let report = Diagnostic::error(Code::UnknownType, expr.span, message);
                        let classes = self.classes.iter().map(|c| c.ast.name.text.as_str());
                        let known =
                            ["int", "float", "bool", "str", "bytes", "list", "dict", "tuple", "set", "frozenset"];
                        match nearest(&written, known.into_iter().chain(classes)) {
                            _ if written == dserror::NAME => report.help(format!("from deepslate import {written}")),
                            Some(near) => report.help(format!("did you mean `{near}`?")),
                            None => report.help(TYPES),
                        }
                    }
                }
            }
        };
        out.push(report);
        None
    }

    fn generic(
        &mut self,
        of: &Expr,
        argument: &Expr,
        whole: &Expr,
        out: &mut Vec<Diagnostic>,
        depth: u32,
    ) -> Option<TypeId> {
        let arguments: Vec<&Expr> = match &argument.kind {
            ExprKind::Tuple(parts) => parts.iter().collect(),
            _ => vec![argument],
        };
        let written = self.path(of).map(|(written, _)| written).unwrap_or_default();
        // What says something about a type that flows need not know.
        let about = |name: &str| ["typing", "typing_extensions"].iter().any(|m| self.is_foreign(of, m, name));
        if about("Final") || about("Annotated") || about("ClassVar") {
            return self.annotation_at(arguments.first()?, out, depth + 1);
        }
        if about("Literal") {
            return literal_type(&arguments).or_else(|| {
                let message = "the values of a Literal are all text, all int or all bool";
                out.push(Diagnostic::error(Code::UnknownType, whole.span, message));
                None
            });
        }
        let name = match self.path(of) {
            Some((_, Some(Global::Api(path)))) if path == "dpslio.Queue" => "Queue",
            Some((_, Some(Global::Foreign(what, _)))) => generic_named(&what),
            Some((_, None)) => match written.as_str() {
                name @ ("list" | "dict" | "tuple" | "set" | "frozenset") => name,
                _ => "",
            },
            _ => "",
        };
        let count = |wanted: usize, out: &mut Vec<Diagnostic>| {
            if arguments.len() == wanted {
                return Some(());
            }
            let message = format!("`{written}` takes {wanted} types, not {}", arguments.len());
            out.push(Diagnostic::error(Code::UnknownType, whole.span, message));
            None
        };
        match name {
            "list" => {
                count(1, out)?;
                let element = self.annotation_at(arguments[0], out, depth + 1)?;
                Some(self.types.intern(Type::List(element)))
            }
            "Queue" => {
                count(1, out)?;
                let element = self.annotation_at(arguments[0], out, depth + 1)?;
                Some(self.types.intern(Type::Queue(element)))
            }
            "dict" => {
                count(2, out)?;
                let key = self.annotation_at(arguments[0], out, depth + 1);
                let value = self.annotation_at(arguments[1], out, depth + 1);
                let (key, value) = (key?, value?);
                if !self.types.is_hashable(key) {
                    out.push(self.not_hashable(key, arguments[0].span));
                    return None;
                }
                Some(self.types.intern(Type::Dict(key, value)))
            }
            "tuple" => {
                if matches!(arguments.last().map(|a| &a.kind), Some(ExprKind::Unsupported("..."))) {
                    if arguments.len() != 2 {
                        let message = "`...` stands after the one type of all elements";
                        out.push(Diagnostic::error(Code::UnknownType, whole.span, message).help("tuple[int, ...]"));
                        return None;
                    }
                    let element = self.annotation_at(arguments[0], out, depth + 1)?;
                    return Some(self.types.intern(Type::TupleOf(element)));
                }
                let parts: Vec<Option<TypeId>> =
                    arguments.iter().map(|a| self.annotation_at(a, out, depth + 1)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<TypeId>>>()?;
                Some(self.types.intern(Type::Tuple(parts)))
            }
            "set" | "frozenset" => {
                count(1, out)?;
                let element = self.annotation_at(arguments[0], out, depth + 1)?;
                if !self.types.is_hashable(element) {
                    out.push(self.not_hashable(element, arguments[0].span));
                    return None;
                }
                let ty = if name == "set" { Type::Set(element) } else { Type::FrozenSet(element) };
                Some(self.types.intern(ty))
            }
            "Optional" => {
                count(1, out)?;
                let ty = self.annotation_at(arguments[0], out, depth + 1)?;
                Some(self.types.union(&[ty, types::NONE]))
            }
            "Union" => {
                let parts: Vec<Option<TypeId>> =
                    arguments.iter().map(|a| self.annotation_at(a, out, depth + 1)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<TypeId>>>()?;
                Some(self.types.union(&parts))
            }
            _ => {
                let message = match written.as_str() {
                    "" => "this is no type".to_owned(),
                    written => format!("`{written}[…]` is no type"),
                };
                out.push(Diagnostic::error(Code::UnknownType, whole.span, message).help(TYPES));
                None
            }
        }
    }

    /// Whether an annotation is for what is only read: `Sequence[T]`, `Iterable[T]`, `Mapping[K, V]`, or one of those and others.
    pub fn only_reads(&self, annotation: &Expr) -> bool {
        self.only_reads_at(annotation, 0)
    }

    fn only_reads_at(&self, annotation: &Expr, depth: u32) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match &annotation.kind {
            ExprKind::Str(text) => crate::python::expression(text, annotation.span)
                .is_some_and(|inner| self.only_reads_at(&inner, depth + 1)),
            ExprKind::Binary(BinaryOp::BitOr, a, b) => {
                self.only_reads_at(a, depth + 1) || self.only_reads_at(b, depth + 1)
            }
            ExprKind::Name(_) => match self.path(annotation) {
                Some((_, Some(Global::Constant(index)))) => {
                    self.alias(index).is_some_and(|value| self.only_reads_at(value, depth + 1))
                }
                _ => false,
            },
            ExprKind::Index(of, inner) => match self.path(of) {
                Some((_, Some(Global::Foreign(what, _)))) => match what.rsplit_once('.').map_or("", |(_, name)| name) {
                    "Sequence" | "Collection" | "Iterable" | "Mapping" | "AbstractSet" => true,
                    "Set" => what.starts_with("comes from collections.abc."),
                    "Optional" | "Union" | "Final" | "Annotated" => match &inner.kind {
                        ExprKind::Tuple(parts) => parts.iter().any(|p| self.only_reads_at(p, depth + 1)),
                        _ => self.only_reads_at(inner, depth + 1),
                    },
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    /// The report for a key type that can change.
    pub fn not_hashable(&self, key: TypeId, span: crate::source::Span) -> Diagnostic {
        let name = self.types.name(key);
        let report =
            Diagnostic::error(Code::NotHashable, span, format!("{name} can't be a key or in a set: it can change"));
        match self.types.get(key) {
            Type::List(_) => report.help("use a tuple"),
            Type::Set(_) => report.help("use a frozenset"),
            Type::Class(_) => report.help("mark the class as @dataclass(frozen=True)"),
            _ => report,
        }
    }
}

/// The type of the values of a `Literal`.
fn literal_type(values: &[&Expr]) -> Option<TypeId> {
    let of = |e: &&Expr| match &e.kind {
        ExprKind::Str(_) => Some(types::STR),
        ExprKind::Int(_) => Some(types::INT),
        ExprKind::Unary(crate::ast::UnaryOp::Minus, inner) if matches!(inner.kind, ExprKind::Int(_)) => {
            Some(types::INT)
        }
        ExprKind::Bool(_) => Some(types::BOOL),
        _ => None,
    };
    let first = values.first().and_then(of)?;
    values.iter().all(|e| of(e) == Some(first)).then_some(first)
}

/// What a user may write.
const TYPES: &str = "types are int, float, bool, str, bytes, None, list[T], dict[K, V], set[T], tuple[A, B] and classes marked @dataclass";

/// What a generic of `typing` or `collections.abc` stands for. An annotation for whatever can be read, iterated over or
/// looked up in is one for the builtin type that does all of that: a program is typed without knowing its callers, and JSON
/// has no other sequence or mapping.
fn generic_named(what: &str) -> &'static str {
    let modules = ["comes from typing.", "comes from collections.abc.", "comes from typing_extensions."];
    match modules.iter().find_map(|m| what.strip_prefix(m)) {
        Some("List" | "Sequence" | "MutableSequence" | "Collection" | "Iterable") => "list",
        Some("Dict" | "Mapping" | "MutableMapping") => "dict",
        Some("Tuple") => "tuple",
        Some("Set" | "AbstractSet" | "MutableSet") => "set",
        Some("FrozenSet") => "frozenset",
        Some("Optional") => "Optional",
        Some("Union") => "Union",
        _ => "",
    }
}

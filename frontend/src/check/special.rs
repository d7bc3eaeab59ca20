//! Calls of builtins that say more than a signature can: the collections' own names, methods that take any number of
//! arguments or arguments of another form, and functions of a builtin type by its name.

use super::body::Checker;
use super::builtin::{Candidate, candidates_method, candidates_named};
use super::expr::{seq, typed};
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::Code;
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::pattern::Bindings;
use deepslate_ir::types::{self, Type};

impl Checker<'_, '_> {
    /// Calls of the collections' own names, and of what gives an iterator, that the table of builtins does not say all about.
    #[allow(clippy::option_option)]
    pub fn collection_call(
        &mut self,
        name: &str,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Option<Expr>> {
        let positional = arguments.iter().all(|a| a.name.is_none());
        let whole = || {
            let of = ast::Expr { span, kind: A::Name(name.to_owned()) };
            ast::Expr { span, kind: A::Call(Box::new(of), arguments.to_vec()) }
        };
        Some(match (name, arguments) {
            ("set", []) => self.empty_set("set", want, span),
            ("frozenset", []) => self.empty_set("frozenset", want, span),
            ("set" | "frozenset", [Argument { name: None, value }]) => {
                let name = if name == "set" { "set" } else { "frozenset" };
                let value = self.expr(value, None);
                value.and_then(|value| match self.program.types.get(value.ty) {
                    Type::Set(_) | Type::FrozenSet(_) => self.called(name, vec![value], span),
                    _ => {
                        let list = self.listed_or_report(value)?;
                        self.set_of(list, name, span)
                    }
                })
            }
            ("tuple", []) => self.expr(&ast::Expr { span, kind: A::Tuple(Vec::new()) }, want),
            ("tuple", [Argument { name: None, value }]) => {
                let mut stmts = Vec::new();
                match self.as_generator(value, &mut stmts) {
                    Some(c) => {
                        let as_list = c.map(|c| ast::Comprehension { makes: ast::Makes::List, ..c });
                        let list = as_list.and_then(|c| self.comprehension(&c, None, span));
                        list.and_then(|list| self.called("tuple", vec![list], span)).map(|made| seq(stmts, made))
                    }
                    None => self.tuple_call(value, want, span),
                }
            }
            ("dict", [_, ..]) if arguments.iter().all(|a| a.name.is_some()) => self.expr(&named(arguments, span), want),
            ("min" | "max", _) if arguments.len() > 3 && positional => {
                let parts: Vec<ast::Expr> = arguments.iter().map(|a| a.value.clone()).collect();
                let list = self.list_of(&parts, None, "an argument of this call", span);
                list.and_then(|list| self.called(if name == "min" { "min" } else { "max" }, vec![list], span))
            }
            ("zip", [Argument { name: None, value: ast::Expr { kind: A::Starred(rows), .. } }]) => {
                self.columns(rows, span)
            }
            ("next", [_, ..]) => return self.first_of(arguments, span),
            ("zip", [_, _, _, ..]) => {
                let c = self.over(&whole());
                self.comprehension(&ast::Comprehension { makes: ast::Makes::List, ..c }, want, span)
            }
            ("bytes", []) => Some(typed(types::BYTES, span, ExprKind::Bytes(Vec::new()))),
            _ => return None,
        })
    }

    /// `print(…, *values)`: the parts as one list of texts.
    pub fn print_all(&mut self, arguments: &[Argument], separator: Expr, span: Span) -> Option<Expr> {
        let text = |value: ast::Expr| {
            let of = Box::new(ast::Expr { span: value.span, kind: A::Name("str".to_owned()) });
            ast::Expr { span: value.span, kind: A::Call(of, vec![Argument { name: None, value }]) }
        };
        let parts = arguments.iter().filter(|a| a.name.is_none()).map(|argument| match &argument.value.kind {
            A::Starred(inner) => {
                let c = self.over(inner);
                let element = text(c.element.clone());
                let c = ast::Comprehension { makes: ast::Makes::List, element, ..c };
                let list = ast::Expr { span: inner.span, kind: A::Comprehension(Box::new(c)) };
                ast::Expr { span: inner.span, kind: A::Starred(Box::new(list)) }
            }
            _ => text(argument.value.clone()),
        });
        let parts: Vec<ast::Expr> = parts.collect();
        let list = self.starred_list(&parts, Some(types::STR), "a text", span)?;
        self.syntax("str_join", vec![separator, list], span)
    }

    /// Methods that take any number of arguments, or arguments of a form that no signature says; gives the receiver back where
    /// it is none of them.
    pub fn special_method(
        &mut self,
        receiver: Expr,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
    ) -> Result<Option<Expr>, Expr> {
        let positional = arguments.iter().all(|a| a.name.is_none());
        match (self.program.types.get(receiver.ty), name.text.as_str(), arguments) {
            (Type::Set(_) | Type::FrozenSet(_), "union" | "intersection" | "difference", _)
                if positional && arguments.len() != 1 =>
            {
                let mut result = self.method(receiver, &named_method("copy", name.span), Vec::new(), span);
                for argument in arguments {
                    result = result.and_then(|set| {
                        self.overloaded(
                            &name.text,
                            &candidates_method(&name.text),
                            Some(set),
                            std::slice::from_ref(argument),
                            span,
                        )
                    });
                }
                Ok(result)
            }
            (Type::Set(_), "update" | "intersection_update" | "difference_update", [_, _, ..]) if positional => {
                let mut stmts = Vec::new();
                let set = self.keep(receiver, &mut stmts);
                for argument in arguments {
                    let argument = std::slice::from_ref(argument);
                    let found = candidates_method(&name.text);
                    let found: Vec<Candidate> = found.into_iter().filter(|c| self.receives(*c, set.ty)).collect();
                    let call = self.overloaded(&name.text, &found, Some(set.clone()), argument, span);
                    let Some(call) = call else { return Ok(None) };
                    stmts.push(crate::tree::Stmt { span, kind: crate::tree::StmtKind::Do(call) });
                }
                Ok(Some(seq(stmts, typed(types::NONE, span, ExprKind::None))))
            }
            (
                Type::Set(_) | Type::FrozenSet(_),
                "union" | "update",
                [Argument { name: None, value: ast::Expr { kind: A::Starred(all), .. } }],
            ) => {
                // The elements of all of them, one after the other.
                let each = |name: &str| ast::Expr { span, kind: A::Name(name.to_owned()) };
                let clause = |target: &str, iterable: ast::Expr| ast::Clause {
                    target: each(target),
                    iterable,
                    conditions: Vec::new(),
                };
                let clauses = vec![clause("$set", (**all).clone()), clause("$of set", each("$set"))];
                let element = each("$of set");
                let c = ast::Comprehension { makes: ast::Makes::Set, element, value: None, clauses };
                let argument = Argument { name: None, value: ast::Expr { span, kind: A::Comprehension(Box::new(c)) } };
                let found = self.methods(&receiver, name);
                Ok(found.and_then(|found| self.overloaded(&name.text, &found, Some(receiver), &[argument], span)))
            }
            (Type::Str | Type::Bytes, "encode" | "decode", [Argument { name: Some(key), .. }])
                if key.text == "errors" =>
            {
                let utf8 = Argument { name: None, value: ast::Expr { span, kind: A::Str("utf-8".to_owned()) } };
                let arguments = [utf8, arguments[0].clone()];
                let found = self.methods(&receiver, name);
                Ok(found.and_then(|found| self.overloaded(&name.text, &found, Some(receiver), &arguments, span)))
            }
            (Type::Dict(..), "update", [_, ..]) if arguments.iter().all(|a| a.name.is_some()) => {
                let argument = Argument { name: None, value: named(arguments, span) };
                let found = self.methods(&receiver, name);
                Ok(found.and_then(|found| self.overloaded(&name.text, &found, Some(receiver), &[argument], span)))
            }
            (
                Type::Str | Type::Bytes,
                "startswith" | "endswith",
                [Argument { name: None, value: ast::Expr { kind: A::Tuple(parts), .. } }],
            ) => {
                let mut stmts = Vec::new();
                let text = self.keep(receiver, &mut stmts);
                let mut result = typed(types::BOOL, span, ExprKind::Bool(false));
                for part in parts.iter().rev() {
                    let argument = Argument { name: None, value: part.clone() };
                    let found = self.methods(&text, name);
                    let test =
                        found.and_then(|f| self.overloaded(&name.text, &f, Some(text.clone()), &[argument], span));
                    let Some(test) = test else { return Ok(None) };
                    result = typed(types::BOOL, span, ExprKind::Logic(false, Box::new(test), Box::new(result)));
                }
                Ok(Some(seq(stmts, result)))
            }
            (Type::Str | Type::Bytes, "startswith" | "endswith", [Argument { name: None, value: parts }])
                if !matches!(parts.kind, A::Str(_) | A::Bytes(_)) =>
            {
                let mut stmts = Vec::new();
                let text = self.keep(receiver, &mut stmts);
                let Some(parts) = self.expr(parts, Some(text.ty)) else { return Ok(None) };
                let found = self.begins_or_ends(&text, name, parts, span);
                Ok(found.map(|found| seq(stmts, found)))
            }
            (Type::Str, "split" | "rsplit", [Argument { name: Some(key), .. }]) if key.text == "maxsplit" => {
                let none = Argument { name: None, value: ast::Expr { span, kind: A::None } };
                let arguments = [none, arguments[0].clone()];
                let found = self.methods(&receiver, name);
                Ok(found.and_then(|found| self.overloaded(&name.text, &found, Some(receiver), &arguments, span)))
            }
            _ => Err(receiver),
        }
    }

    /// `startswith` or `endswith` of one text, or of any in a tuple.
    fn begins_or_ends(&mut self, text: &Expr, name: &ast::Name, parts: Expr, span: Span) -> Option<Expr> {
        if self.is_union(parts.ty) {
            let what = format!("`{}`", name.text);
            return self.for_each_member(parts, span, &what, |c, p| c.begins_or_ends(text, name, p, span));
        }
        let whole = match self.named_parts(parts.ty) {
            Some(parts) => Type::Tuple(parts),
            None => self.program.types.get(parts.ty).clone(),
        };
        if !matches!(whole, Type::Tuple(_) | Type::TupleOf(_)) {
            let parts = self.unmixed(parts);
            return self.method(text.clone(), name, vec![parts], span);
        }
        let mut stmts = Vec::new();
        let (text, parts) = (self.hide(text.clone(), &mut stmts), self.hide(parts, &mut stmts));
        let each = self.over(&parts);
        let call = ast::Expr { span, kind: A::Attribute(Box::new(text), name.clone()) };
        let argument = Argument { name: None, value: each.element.clone() };
        let element = ast::Expr { span, kind: A::Call(Box::new(call), vec![argument]) };
        let found = self.any_or_all(&ast::Comprehension { element, ..each }, true, span)?;
        Some(seq(stmts, found))
    }

    /// Whether a method's first parameter takes this type.
    fn receives(&self, candidate: Candidate, ty: TypeId) -> bool {
        let first = candidate.params().first();
        first.is_some_and(|(_, p)| p.matches(&self.program.types, ty, &mut Bindings::default()))
    }

    /// `str.upper(text)`, `dict.fromkeys(…)`, `bytes.fromhex(…)`: what the name of a builtin type has.
    pub fn call_of_type(
        &mut self,
        of: &str,
        name: &ast::Name,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Expr> {
        let written = format!("{of}.{}", name.text);
        let found = candidates_named(&written);
        if !found.is_empty() {
            return self.overloaded(&written, &found, None, arguments, span);
        }
        match (written.as_str(), arguments) {
            ("dict.fromkeys", [Argument { name: None, value: keys }, Argument { name: None, value }]) => {
                self.dict_from_keys(keys, value, want, span)
            }
            ("dict.fromkeys", [Argument { name: None, value: keys }]) => {
                self.dict_from_keys(keys, &ast::Expr { span, kind: A::None }, want, span)
            }
            (_, [Argument { name: None, value }, rest @ ..]) => self.call_method(value, name, rest, span, false),
            _ => self.fail(Code::ArgumentCount, span, format!("`{written}` needs arguments")),
        }
    }
}

/// Named arguments as a dict with their names as keys.
fn named(arguments: &[Argument], span: Span) -> ast::Expr {
    let entry = |a: &Argument| {
        let name = a.name.as_ref()?;
        Some((Some(ast::Expr { span: name.span, kind: A::Str(name.text.clone()) }), a.value.clone()))
    };
    ast::Expr { span, kind: A::Dict(arguments.iter().filter_map(entry).collect()) }
}

fn named_method(text: &str, span: Span) -> ast::Name {
    ast::Name { text: text.to_owned(), span }
}

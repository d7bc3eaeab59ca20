//! Functions as values, where a flow may have them: lambdas with a name, lambdas that are called where they stand, and what
//! `key=`, `map`, `filter` and `reduce` are given. None of them is a value of the program: each call is written out where it
//! happens, so that nothing of them can be in the way of a snapshot.

use super::body::{Checker, Local};
use super::expr::{op, seq, typed, var};
use super::names::Global;
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind, VarId};
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::Op;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type};

/// How deeply lambdas may call each other.
const MAX_DEPTH: usize = 32;

impl Checker<'_, '_> {
    /// A variable that no source can name, to stand in source that is made here.
    pub fn hidden(&mut self, ty: TypeId, span: Span) -> (ast::Expr, VarId) {
        let id = self.new_var(None, ty);
        let name = format!("{} ·", id.0);
        self.names.insert(name.clone(), Local { var: Some(id), span });
        self.assigned.add(id);
        (ast::Expr { span, kind: A::Name(name) }, id)
    }

    /// A value that is evaluated once, as source that can be used any number of times.
    pub fn hide(&mut self, value: Expr, stmts: &mut Vec<Stmt>) -> ast::Expr {
        let (name, id) = self.hidden(value.ty, value.span);
        stmts.push(Stmt { span: value.span, kind: StmtKind::Assign(id, value) });
        name
    }

    /// `name = lambda …`: afterwards the name is called as a function.
    pub fn name_lambda(&mut self, name: &str, lambda: &ast::Lambda, span: Span) {
        if self.names.contains_key(name) || self.lambdas.contains_key(name) || !self.loops.is_empty() {
            let message = format!("`{name}` can't become another function here");
            let report = Diagnostic::error(Code::Unsupported, span, message);
            self.report(report.help("give each lambda a name of its own, outside of loops"));
            return;
        }
        if let Some(default) = lambda.params.iter().find_map(|p| p.default.as_ref()) {
            let report = Diagnostic::error(Code::NotYet, default.span, "not supported yet: defaults of a lambda");
            self.report(report.help("use the variable itself: the lambda sees it"));
            return;
        }
        self.lambdas.insert(name.to_owned(), std::rc::Rc::new(lambda.clone()));
    }

    /// Calls a lambda: its parameters get their values, and its value is worked out in place.
    pub fn call_lambda(
        &mut self,
        name: &str,
        lambda: &ast::Lambda,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
    ) -> Option<Expr> {
        if self.inlined.len() > MAX_DEPTH || self.inlined.iter().any(|n| n == name && !name.is_empty()) {
            let report = Diagnostic::error(Code::TooDeep, span, format!("the lambda `{name}` calls itself"));
            self.report(report.help("define a function at the top level of the file"));
            return None;
        }
        // A lambda sees the variables of the function that it stands in, not those of a comprehension that calls it.
        if !name.is_empty() {
            let mut hidden = None;
            crate::walk::all(&lambda.value, &mut |e| {
                if let A::Name(free) = &e.kind
                    && self.shadowing.contains(free)
                    && !lambda.params.iter().any(|p| p.name.text == *free)
                {
                    hidden = Some(free.clone());
                }
            });
            if let Some(free) = hidden {
                let message = format!("the lambda `{name}` uses `{free}`, which is another variable here");
                self.report(Diagnostic::error(Code::Unsupported, span, message).help("give one of them another name"));
                return None;
            }
        }
        let mut given: Vec<Option<&ast::Expr>> = vec![None; lambda.params.len()];
        let mut order = Vec::new();
        for (position, argument) in arguments.iter().enumerate() {
            let slot = match &argument.name {
                None => Some(position).filter(|p| *p < given.len() && !lambda.params[*p].keyword_only),
                Some(keyword) => lambda.params.iter().position(|p| p.name.text == keyword.text && !p.positional_only),
            };
            match slot {
                Some(slot) if given[slot].is_none() => given[slot] = Some(&argument.value),
                _ => {
                    let message = "the arguments do not fit the parameters of this lambda";
                    return self.fail(Code::ArgumentCount, argument.value.span, message);
                }
            }
            order.extend(slot);
        }
        let mut stmts = Vec::new();
        let mut values: Vec<Option<VarId>> = vec![None; lambda.params.len()];
        let absent = (0..given.len()).filter(|slot| given[*slot].is_none());
        let absent: Vec<usize> = absent.collect();
        for slot in order.into_iter().chain(absent) {
            let Some(source) = given[slot].or(lambda.params[slot].default.as_ref()) else {
                let message = format!("this lambda lacks its argument `{}`", lambda.params[slot].name.text);
                return self.fail(Code::ArgumentCount, span, message);
            };
            let value = self.expr(source, None)?;
            let id = self.new_var(None, value.ty);
            stmts.push(Stmt { span: value.span, kind: StmtKind::Assign(id, value) });
            self.assigned.add(id);
            values[slot] = Some(id);
        }
        let mut saved = Vec::new();
        for (param, id) in lambda.params.iter().zip(values) {
            let name = &param.name.text;
            let local = Local { var: id, span: param.name.span };
            saved.push((name.clone(), self.names.insert(name.clone(), local)));
            self.shadowing.push(name.clone());
        }
        self.inlined.push(name.to_owned());
        let value = self.expr(&lambda.value, want);
        self.inlined.pop();
        self.shadowing.truncate(self.shadowing.len() - saved.len());
        for (name, local) in saved.into_iter().rev() {
            match local {
                Some(local) => self.names.insert(name, local),
                None => self.names.remove(&name),
            };
        }
        Some(seq(stmts, value?))
    }

    /// What is called for each element, as source that can stand in many places: what it is made of is evaluated once.
    fn prepared(&mut self, function: &ast::Expr, stmts: &mut Vec<Stmt>) -> Option<ast::Expr> {
        let span = function.span;
        let lambda = |value: ast::Expr, name: &str| {
            let name = ast::Name { text: name.to_owned(), span };
            let param =
                ast::Param { name, annotation: None, default: None, keyword_only: false, positional_only: true };
            ast::Expr { span, kind: A::Lambda(Box::new(ast::Lambda { params: vec![param], value })) }
        };
        let element = || ast::Expr { span, kind: A::Name("an element".to_owned()) };
        match &function.kind {
            A::Call(of, arguments) if self.program.is_foreign(of, "operator", "itemgetter") => {
                let mut parts = Vec::new();
                for argument in arguments {
                    let simple = matches!(argument.value.kind, A::Int(_) | A::Str(_) | A::Unary(..));
                    let index = if simple {
                        argument.value.clone()
                    } else {
                        let value = self.expr(&argument.value, None)?;
                        self.hide(value, stmts)
                    };
                    parts.push(ast::Expr { span, kind: A::Index(Box::new(element()), Box::new(index)) });
                }
                let value = if parts.len() == 1 { parts.remove(0) } else { ast::Expr { span, kind: A::Tuple(parts) } };
                Some(lambda(value, "an element"))
            }
            A::Call(of, arguments) if self.program.is_foreign(of, "operator", "attrgetter") => {
                let mut parts = Vec::new();
                for argument in arguments {
                    let A::Str(path) = &argument.value.kind else {
                        let message = "`attrgetter` takes the names of fields as text";
                        return self.fail(Code::Mismatch, argument.value.span, message);
                    };
                    let step = |of: ast::Expr, name: &str| {
                        let name = ast::Name { text: name.to_owned(), span };
                        ast::Expr { span, kind: A::Attribute(Box::new(of), name) }
                    };
                    parts.push(path.split('.').fold(element(), step));
                }
                let value = if parts.len() == 1 { parts.remove(0) } else { ast::Expr { span, kind: A::Tuple(parts) } };
                Some(lambda(value, "an element"))
            }
            // `str.lower` of a builtin type is the method of the element.
            A::Attribute(of, method)
                if matches!(&of.kind, A::Name(n) if self.is_free(n)
                    && matches!(n.as_str(), "str" | "bytes" | "int" | "float" | "list" | "dict" | "tuple")) =>
            {
                let method = ast::Expr { span, kind: A::Attribute(Box::new(element()), method.clone()) };
                Some(lambda(ast::Expr { span, kind: A::Call(Box::new(method), Vec::new()) }, "an element"))
            }
            A::Attribute(of, method) => {
                let root = super::expr::root_name(of);
                let is_local = root.is_none_or(|r| self.names.contains_key(r) || self.locals.contains(r));
                if !is_local || matches!(of.kind, A::Name(_)) {
                    return Some(function.clone());
                }
                let receiver = self.expr(of, None)?;
                let receiver = self.hide(receiver, stmts);
                Some(ast::Expr { span, kind: A::Attribute(Box::new(receiver), method.clone()) })
            }
            A::Name(_) | A::Lambda(_) => Some(function.clone()),
            _ => {
                let report = Diagnostic::error(Code::Unsupported, span, "a function is needed here");
                self.report(report.help("give the name of a function, or a lambda"));
                None
            }
        }
    }

    /// The call of a function on values, as source.
    fn applied(&self, function: &ast::Expr, arguments: Vec<ast::Expr>) -> ast::Expr {
        let span = function.span;
        // `d.get` as a key gives what the dict has; one that is absent has no order.
        if let (A::Attribute(of, method), [key]) = (&function.kind, arguments.as_slice())
            && method.text == "get"
            && let A::Name(name) = &of.kind
            && let Some(ty) = self.names.get(name).and_then(|l| l.var).map(|v| self.type_of_variable(v))
            && matches!(self.program.types.get(ty), Type::Dict(..))
        {
            return ast::Expr { span, kind: A::Index(of.clone(), Box::new(key.clone())) };
        }
        let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
        ast::Expr { span, kind: A::Call(Box::new(function.clone()), arguments) }
    }

    /// `map` and `filter`, as the comprehension that they stand for; `None` for any other expression.
    pub fn as_comprehension(&mut self, expr: &ast::Expr, stmts: &mut Vec<Stmt>) -> Option<Option<ast::Comprehension>> {
        let A::Call(of, arguments) = &expr.kind else { return None };
        let A::Name(name) = &of.kind else { return None };
        if !self.is_free(name) || arguments.iter().any(|a| a.name.is_some()) {
            return None;
        }
        let span = expr.span;
        let element = |number: usize| ast::Expr { span, kind: A::Name(format!("element {number}")) };
        let comprehension = |element: ast::Expr, target: ast::Expr, iterable: ast::Expr, conditions| {
            let clauses = vec![ast::Clause { target, iterable, conditions }];
            ast::Comprehension { makes: ast::Makes::Generator, element, value: None, clauses }
        };
        match (name.as_str(), arguments.as_slice()) {
            ("map", [function, first, rest @ ..]) => Some((|| {
                let function = self.prepared(&function.value, stmts)?;
                let names: Vec<ast::Expr> = (0..=rest.len()).map(element).collect();
                let (target, iterable) = if rest.is_empty() {
                    (element(0), first.value.clone())
                } else {
                    let zip = ast::Expr { span, kind: A::Name("zip".to_owned()) };
                    let iterable = ast::Expr { span, kind: A::Call(Box::new(zip), arguments[1..].to_vec()) };
                    (ast::Expr { span, kind: A::Tuple(names.clone()) }, iterable)
                };
                Some(comprehension(self.applied(&function, names), target, iterable, Vec::new()))
            })()),
            ("filter", [function, items]) => Some((|| {
                let condition = match &function.value.kind {
                    A::None => element(0),
                    _ => {
                        let function = self.prepared(&function.value, stmts)?;
                        self.applied(&function, vec![element(0)])
                    }
                };
                Some(comprehension(element(0), element(0), items.value.clone(), vec![condition]))
            })()),
            _ => None,
        }
    }

    /// `sorted`, `min` and `max` with `key=`.
    pub fn keyed(&mut self, name: &str, arguments: &[Argument], span: Span) -> Option<Expr> {
        let named = |wanted: &str| {
            arguments.iter().find(|a| a.name.as_ref().is_some_and(|n| n.text == wanted)).map(|a| &a.value)
        };
        let known: &[&str] = if name == "sorted" { &["key", "reverse"] } else { &["key", "default"] };
        if let Some(unknown) = arguments.iter().filter_map(|a| a.name.as_ref()).find(|n| !known.contains(&&*n.text)) {
            let message = format!("`{name}` has no parameter `{}`", unknown.text);
            return self.fail(Code::ArgumentName, unknown.span, message);
        }
        let items: Vec<&ast::Expr> = arguments.iter().filter(|a| a.name.is_none()).map(|a| &a.value).collect();
        let mut stmts = Vec::new();
        let items = match items.as_slice() {
            [items] => self.as_list(items)?,
            [_, _, ..] if name != "sorted" => {
                let list = items.into_iter().cloned().collect();
                self.expr(&ast::Expr { span, kind: A::List(list) }, None)?
            }
            _ => {
                let message = format!("`{name}` does not take {}", super::call::count(items.len(), "argument"));
                return self.fail(Code::ArgumentCount, span, message);
            }
        };
        let items = self.keep(items, &mut stmts);
        let default = match named("default") {
            Some(default) => {
                let Type::List(element) = *self.program.types.get(items.ty) else { return None };
                let value = self.expr(default, Some(element))?;
                let value = self.needed(value, element, "the default")?;
                Some(self.keep(value, &mut stmts))
            }
            None => None,
        };
        let key = named("key")?;
        let reverse = match named("reverse") {
            Some(reverse) => self.reverse(reverse)?,
            None => typed(types::BOOL, span, ExprKind::Bool(false)),
        };
        let reverse = self.keep(reverse, &mut stmts);
        let keys = self.keys(&items, key, span, &mut stmts)?;
        if name == "sorted" {
            let sorted = self.syntax("list_sorted_by", vec![items, keys, reverse], span)?;
            return Some(seq(stmts, sorted));
        }
        let text = if name == "min" { "list_min_by" } else { "list_max_by" };
        let best = self.syntax(text, vec![items.clone(), keys], span)?;
        let best = match default {
            None => best,
            Some(default) => {
                let some = self.truth(items);
                let ty = best.ty;
                typed(ty, span, ExprKind::If(Box::new(some), Box::new(best), Box::new(default)))
            }
        };
        Some(seq(stmts, best))
    }

    /// `list.sort` with `key=`.
    pub fn sort_by(&mut self, list: Expr, arguments: &[Argument], span: Span) -> Option<Expr> {
        let mut stmts = Vec::new();
        let list = self.keep(list, &mut stmts);
        self.changes(&list, span);
        let mut key = None;
        let mut reverse = typed(types::BOOL, span, ExprKind::Bool(false));
        for argument in arguments {
            match argument.name.as_ref().map(|n| n.text.as_str()) {
                Some("key") => key = Some(&argument.value),
                Some("reverse") => reverse = self.reverse(&argument.value)?,
                _ => {
                    let report =
                        Diagnostic::error(Code::ArgumentName, argument.value.span, "`sort` does not take this");
                    self.report(report.help("it takes key= and reverse="));
                    return None;
                }
            }
        }
        let reverse = self.keep(reverse, &mut stmts);
        let keys = self.keys(&list, key?, span, &mut stmts)?;
        let sorted = self.syntax("list_sorted_by", vec![list.clone(), keys, reverse], span)?;
        let whole = self.slice_parts([None, None, None], span)?;
        let args = std::iter::once(list).chain(whole).chain([sorted]).collect();
        let set = self.syntax("list_set_slice", args, span)?;
        Some(seq(stmts, set))
    }

    fn reverse(&mut self, reverse: &ast::Expr) -> Option<Expr> {
        let value = self.expr(reverse, Some(types::BOOL))?;
        Some(self.truth(value))
    }

    /// The keys of a list's elements, as a list.
    fn keys(&mut self, items: &Expr, key: &ast::Expr, span: Span, stmts: &mut Vec<Stmt>) -> Option<Expr> {
        if matches!(key.kind, A::None) {
            return Some(items.clone());
        }
        let function = self.prepared(key, stmts)?;
        let source = self.hide(items.clone(), stmts);
        let element = ast::Expr { span, kind: A::Name("an element of it".to_owned()) };
        let clause = ast::Clause { target: element.clone(), iterable: source, conditions: Vec::new() };
        let made = ast::Comprehension {
            makes: ast::Makes::List,
            element: self.applied(&function, vec![element]),
            value: None,
            clauses: vec![clause],
        };
        let keys = self.comprehension(&made, None, span)?;
        let Type::List(key_type) = *self.program.types.get(keys.ty) else { return None };
        if !deepslate_ir::structural::is_orderable(&self.program.types, key_type) {
            let message = format!("{} has no order, so it can't be a key to sort by", self.name(key_type));
            return self.fail(Code::Operator, key.span, message);
        }
        Some(self.keep(keys, stmts))
    }

    /// What can be iterated over as a list; a list as it is.
    pub fn as_list(&mut self, items: &ast::Expr) -> Option<Expr> {
        let value = match &items.kind {
            A::Comprehension(c) if c.makes == ast::Makes::Generator => {
                let as_list = ast::Comprehension { makes: ast::Makes::List, ..(**c).clone() };
                self.comprehension(&as_list, None, items.span)?
            }
            A::Call(of, _) if matches!(&of.kind, A::Name(_) | A::Attribute(..)) => {
                let mut stmts = Vec::new();
                let name = match &of.kind {
                    A::Name(name) | A::Attribute(_, ast::Name { text: name, .. }) => name.as_str(),
                    _ => "",
                };
                // What is only iterated over is taken element by element.
                if ["map", "filter", "zip", "enumerate", "reversed", "items", "keys", "values", "range"].contains(&name)
                {
                    let element = ast::Expr { span: items.span, kind: A::Name("an element of them".to_owned()) };
                    let clause =
                        ast::Clause { target: element.clone(), iterable: items.clone(), conditions: Vec::new() };
                    let made =
                        ast::Comprehension { makes: ast::Makes::List, element, value: None, clauses: vec![clause] };
                    let list = self.comprehension(&made, None, items.span)?;
                    seq(std::mem::take(&mut stmts), list)
                } else {
                    self.expr(items, None)?
                }
            }
            _ => self.expr(items, None)?,
        };
        match self.program.types.get(value.ty) {
            Type::List(_) => Some(value),
            _ => self.called("list", vec![value], items.span),
        }
    }

    /// `functools.reduce(function, items, start)`.
    pub fn reduce(&mut self, arguments: &[Argument], span: Span) -> Option<Expr> {
        let (function, items, start) = match arguments {
            [f, items] if arguments.iter().all(|a| a.name.is_none()) => (&f.value, &items.value, None),
            [f, items, start] if arguments.iter().take(2).all(|a| a.name.is_none()) => {
                (&f.value, &items.value, Some(&start.value))
            }
            _ => {
                return self.fail(
                    Code::ArgumentCount,
                    span,
                    "`reduce` takes a function, what it goes over, and a start",
                );
            }
        };
        let mut stmts = Vec::new();
        let function = self.prepared(function, &mut stmts)?;
        let items = self.as_list(items)?;
        let Type::List(element) = *self.program.types.get(items.ty) else { return None };
        let items = self.keep(items, &mut stmts);
        let start_value = match start {
            Some(start) => self.expr(start, None)?,
            None => {
                let empty = op(Op::ListLen, vec![items.clone()], types::INT, span);
                let empty = op(Op::Ieq, vec![empty, super::expr::int(0, span)], types::BOOL, span);
                let text = "TypeError: reduce() of empty iterable with no initial value".to_owned();
                let message = typed(types::STR, span, ExprKind::Str(text));
                let fail = Stmt { span, kind: StmtKind::Fail(TrapKind::Raised, message) };
                stmts.push(Stmt { span, kind: StmtKind::If(empty, vec![fail], Vec::new()) });
                op(Op::ListGet, vec![items.clone(), super::expr::int(0, span)], element, span)
            }
        };
        let (so_far, id) = self.hidden(start_value.ty, span);
        let ty = start_value.ty;
        stmts.push(Stmt { span, kind: StmtKind::Assign(id, start_value) });
        let source = self.hide(items, &mut stmts);
        let (element, element_id) = self.hidden(element, span);
        let iterable = if start.is_none() {
            let one = Box::new(ast::Expr { span, kind: A::Int(1) });
            let slice = ast::Expr { span, kind: A::Slice(Some(one), None, None) };
            ast::Expr { span, kind: A::Index(Box::new(source), Box::new(slice)) }
        } else {
            source
        };
        let call = self.applied(&function, vec![so_far, element.clone()]);
        let _ = element_id;
        let lp = self.each(&element, &iterable, span, &mut stmts, |checker| {
            let value = checker.expr(&call, Some(ty))?;
            let value = checker.needed(value, ty, "what the function of `reduce` gives")?;
            Some(vec![Stmt { span, kind: StmtKind::Assign(id, value) }])
        })?;
        stmts.push(lp);
        Some(seq(stmts, var(id, ty, span)))
    }

    /// Whether a global name is this member of a module that Python has.
    pub fn is_member(&self, of: &ast::Expr, module: &str, name: &str) -> bool {
        let root = super::expr::root_name(of);
        root.is_some_and(|r| !self.names.contains_key(r) && !self.locals.contains(r))
            && matches!(self.program.path(of), Some((_, Some(Global::Foreign(..)))))
            && self.program.is_foreign(of, module, name)
    }
}

//! Calls: functions of the program, classes, and members of the package; builtins are in `builtin`.

use super::body::Checker;
use super::builtin::{candidates_named, functions};
use super::expr::{op, root_name, seq, typed};
use super::names::{Global, Member, member};
use super::own::DS_ERROR;
use super::signatures::{Default, Kind, Param};
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::datum::Datum;
use deepslate_ir::durable::Durable;
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::{DURABLE, Effect, HOST, Op, SYNC};
use deepslate_ir::trap::{Fault, is_queue_name};
use deepslate_ir::types::{self, Type, Types};

/// How long a request may take that does not say otherwise.
const REQUEST_SECONDS: f64 = 30.0;

impl Checker<'_, '_> {
    /// A call, `await`ed or not.
    pub fn call(
        &mut self,
        of: &ast::Expr,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        if let A::Index(generic, argument) = &of.kind {
            return self.call_generic(generic, argument, of.span, arguments, span, awaited);
        }
        if let A::Lambda(lambda) = &of.kind {
            return self.call_lambda("", lambda, arguments, want, span);
        }
        if let A::Name(name) = &of.kind
            && !self.names.contains_key(name)
        {
            if let Some(lambda) = self.lambdas.get(name).cloned() {
                self.no_await(awaited, name, span);
                return self.call_lambda(name, &lambda, arguments, want, span);
            }
            if let Some(index) = self.nested.get(name).copied() {
                return self.call_nested(index, arguments, span, awaited);
            }
            if let Some(function) = self.stand_ins.get(name).cloned() {
                return self.call(&function, arguments, want, span, awaited);
            }
        }
        if let A::Attribute(of, name) = &of.kind
            && let A::Call(inner, nothing) = &of.kind
            && nothing.is_empty()
            && matches!(&inner.kind, A::Name(n) if n == "super")
        {
            return self.call_super(name, arguments, span, awaited);
        }
        if let A::Attribute(class, name) = &of.kind
            && let Some(class) = self.class_named(class)
        {
            return self.call_class_member(class, name, arguments, span, awaited);
        }
        let Some(root) = root_name(of) else {
            if let A::Attribute(of, name) = &of.kind {
                return self.call_method(of, name, arguments, span, awaited);
            }
            self.expr(of, None)?;
            return self.fail(Code::NotCallable, of.span, "this can't be called");
        };
        let is_local = self.locals.contains(root) || self.names.contains_key(root);
        let is_value = is_local
            || matches!(self.program.globals.get(root), Some(Global::Constant(_)))
            || matches!(&of.kind, A::Attribute(of, _) if self.is_member_of_class(of));
        if let (true, A::Attribute(of, name)) = (is_value, &of.kind) {
            return self.call_method(of, name, arguments, span, awaited);
        }
        if is_value {
            if let (false, Some(Global::Constant(index))) = (is_local, self.program.globals.get(root).cloned())
                && let Some(value) = self.call_new_type(index, arguments)
            {
                return value;
            }
            let value = self.expr(of, None)?;
            if let Some(method) = self.method_named(value.ty, "__call__") {
                return self.call_method_of(&method, value, arguments, span, awaited);
            }
            let message = format!("`{root}` is {}, which can't be called", self.name(value.ty));
            return self.fail(Code::NotCallable, of.span, message);
        }
        if self.is_member(of, "dataclasses", "replace")
            && let [object, rest @ ..] = arguments
            && object.name.is_none()
        {
            let object = self.expr(&object.value, None)?;
            return self.replaced(object, rest, span);
        }
        if let A::Attribute(constant, name) = &of.kind
            && let Some((_, Some(global))) = self.program.path(constant)
            && super::expr::math_constant(&global, constant.span).is_some()
        {
            return self.call_method(constant, name, arguments, span, awaited);
        }
        if let A::Attribute(ty, name) = &of.kind
            && let A::Name(ty) = &ty.kind
            && !self.program.globals.contains_key(ty)
            && matches!(ty.as_str(), "str" | "bytes" | "int" | "float" | "list" | "dict" | "set" | "frozenset")
        {
            return self.call_of_type(ty, name, arguments, want, span);
        }
        match self.program.path(of) {
            Some((_, Some(Global::Function(index)))) => self.call_function(index, arguments, span, awaited),
            Some((_, Some(Global::Class(index)))) => {
                self.no_await(awaited, "making an object", span);
                self.construct(index, arguments, span)
            }
            Some((written, Some(Global::Api(path)))) => self.call_api(&written, &path, arguments, want, span, awaited),
            Some((written, Some(Global::Foreign(what, place)))) => {
                let known = what.strip_prefix("comes from ").unwrap_or("");
                if known == "functools.reduce" {
                    self.no_await(awaited, known, span);
                    return self.reduce(arguments, span);
                }
                let found = candidates_named(known);
                if !found.is_empty() {
                    self.no_await(awaited, known, span);
                    return self.overloaded(known, &found, None, arguments, span);
                }
                arguments.iter().for_each(|a| {
                    self.expr(&a.value, None);
                });
                let report = self.program.unusable(&written, &Global::Foreign(what.clone(), place), of.span);
                let module = known.rsplit_once('.').map_or("", |(module, _)| module);
                let near = nearest(known, functions().filter(|f| f.starts_with(&format!("{module}."))));
                self.report(match near {
                    Some(near) if !module.is_empty() => report.help(format!("did you mean `{near}`?")),
                    _ => report,
                });
                None
            }
            Some((written, Some(global))) => {
                let report = self.program.unusable(&written, &global, of.span);
                self.report(report);
                None
            }
            Some((written, None)) => self.call_builtin(&written, of, arguments, want, span, awaited),
            None => {
                self.expr(of, None)?;
                self.fail(Code::NotCallable, of.span, "this can't be called")
            }
        }
    }

    pub fn no_await(&mut self, awaited: bool, what: &str, span: Span) {
        if awaited {
            let report =
                Diagnostic::error(Code::NeedlessAwait, span, format!("`{what}` does not wait, and is not awaited"));
            self.report(report.help("leave out `await`"));
        }
    }

    /// What durable and sync operations, the clock and chance need of the function that they stand in.
    pub fn acts(&mut self, what: &str, effect: Effect, span: Span) {
        const ACTS: Effect = Effect(DURABLE.0 | SYNC.0 | HOST.0);
        self.acts |= effect.any(ACTS);
        if self.kind == Kind::Pure && effect.any(ACTS) {
            let message = format!("pure function `{}` uses `{what}`, which is not pure", self.function);
            let report = Diagnostic::error(Code::ImpureInPure, span, message);
            self.report(report.help("pure functions only compute; do it in a flow"));
        }
    }

    /// Calls a function of the program.
    fn call_function(&mut self, index: usize, arguments: &[Argument], span: Span, awaited: bool) -> Option<Expr> {
        let params = self.program.functions[index].params.clone();
        self.call_with(index, &params, Vec::new(), Vec::new(), arguments, span, awaited)
    }

    /// What the call of a function needs of `await` and of the function that it stands in.
    pub fn awaits(&mut self, name: &str, kind: Kind, is_async: bool, span: Span, awaited: bool) {
        match kind {
            Kind::Plain if is_async && !awaited => {
                let report =
                    Diagnostic::error(Code::MissingAwait, span, format!("`{name}` is async, and must be awaited"));
                self.report(report.help(format!("await {name}(…)")));
            }
            Kind::Plain | Kind::Pure if !is_async => self.no_await(awaited, name, span),
            _ => {}
        }
        if matches!(kind, Kind::Flow | Kind::Impure) {
            self.acts(name, DURABLE, span);
        }
    }

    /// The arguments of a call in the order of the parameters, and what must be evaluated before to keep the order in which
    /// they are written.
    pub fn arguments(
        &mut self,
        name: &str,
        params: &[Param],
        arguments: &[Argument],
        span: Span,
    ) -> Option<(Vec<Expr>, Vec<crate::tree::Stmt>)> {
        let mut spread = Vec::new();
        let unpacked;
        let arguments = match arguments.iter().any(|a| matches!(a.value.kind, A::Starred(_))) {
            true => {
                unpacked = self.spread(arguments, &mut spread)?;
                unpacked.as_slice()
            }
            false => arguments,
        };
        let mut given: Vec<Option<Expr>> = vec![None; params.len()];
        let mut seen = vec![false; params.len()];
        let mut order = Vec::new();
        let mut good = true;
        let positional = params.iter().filter(|p| !p.keyword_only).count();
        for (position, argument) in arguments.iter().enumerate() {
            let slot = match &argument.name {
                None if matches!(argument.value.kind, A::Unsupported(_) | A::Starred(_)) => {
                    self.expr(&argument.value, None);
                    return None;
                }
                None if position < positional => position,
                None => {
                    if good {
                        let message = format!(
                            "`{name}` takes {} by position, not {}",
                            count(positional, "argument"),
                            arguments.len()
                        );
                        let report = Diagnostic::error(Code::ArgumentCount, argument.value.span, message);
                        self.report(report.help(signature(&self.program.types, name, params)));
                    }
                    good = false;
                    self.expr(&argument.value, None);
                    continue;
                }
                Some(keyword) => match params.iter().position(|p| p.name == keyword.text && !p.positional_only) {
                    Some(slot) => slot,
                    None => {
                        let message = format!("`{name}` has no parameter `{}`", keyword.text);
                        let report = Diagnostic::error(Code::ArgumentName, keyword.span, message);
                        let near = nearest(&keyword.text, params.iter().map(|p| p.name.as_str()));
                        self.report(match near {
                            Some(near) => report.help(format!("did you mean `{near}`?")),
                            None => report.help(signature(&self.program.types, name, params)),
                        });
                        good = false;
                        self.expr(&argument.value, None);
                        continue;
                    }
                },
            };
            let param = &params[slot];
            if seen[slot] {
                let place = argument.name.as_ref().map_or(argument.value.span, |n| n.span);
                let message = format!("`{name}` is given `{}` twice", param.name);
                self.fail::<()>(Code::ArgumentName, place, message);
                good = false;
            }
            seen[slot] = true;
            let value = match param.reads {
                true => self.used_up(&argument.value, param.ty),
                false => self.expr(&argument.value, param.ty),
            };
            let what = format!("argument `{}` of `{name}`", param.name);
            given[slot] = match (value, param.ty) {
                (Some(value), Some(ty)) => {
                    let value = if param.reads { self.read_as(value, ty) } else { value };
                    if self.learn_param(param, &value) { None } else { self.needed(value, ty, &what) }
                }
                _ => None,
            };
            good &= given[slot].is_some();
            order.push(slot);
        }
        let missing: Vec<&str> = params
            .iter()
            .zip(&seen)
            .filter(|(p, seen)| !**seen && p.default.is_none())
            .map(|(p, _)| p.name.as_str())
            .collect();
        if !missing.is_empty() {
            let list = missing.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", ");
            let report = Diagnostic::error(Code::ArgumentCount, span, format!("`{name}` lacks its argument {list}"));
            self.report(report.help(signature(&self.program.types, name, params)));
            return None;
        }
        if !good {
            return None;
        }
        let mut stmts = spread;
        if !order.is_sorted() {
            for slot in order {
                if let Some(value) = given[slot].take() {
                    given[slot] = Some(self.keep(value, &mut stmts));
                }
            }
        }
        let mut args = Vec::new();
        for (param, given) in params.iter().zip(given) {
            let value = match given {
                Some(value) => value,
                None => self.default_value(param, span)?,
            };
            args.push(value);
        }
        Some((args, stmts))
    }

    /// Arguments with the parts of tuples of known length in place of `*tuple`.
    fn spread(&mut self, arguments: &[Argument], stmts: &mut Vec<crate::tree::Stmt>) -> Option<Vec<Argument>> {
        let mut all = Vec::new();
        for argument in arguments {
            let A::Starred(inner) = &argument.value.kind else {
                all.push(argument.clone());
                continue;
            };
            // The arguments before it have their values by then.
            for before in all.iter_mut().filter(|a: &&mut Argument| !matches!(a.value.kind, A::Name(_))) {
                let value = self.expr(&before.value, None)?;
                before.value = self.hide(value, stmts);
            }
            let tuple = self.expr(inner, None)?;
            let parts = match self.named_parts(tuple.ty) {
                Some(parts) => parts,
                None => match self.program.types.get(tuple.ty) {
                    Type::Tuple(parts) => parts.clone(),
                    _ => {
                        let message =
                            format!("`*` in a call takes a tuple of known length, not {}", self.name(tuple.ty));
                        let report = Diagnostic::error(Code::Unsupported, inner.span, message);
                        self.report(report.help("write the values one by one"));
                        return None;
                    }
                },
            };
            for part in self.parts_of(tuple, &parts, stmts) {
                let value = self.hide(part, stmts);
                all.push(Argument { name: None, value });
            }
        }
        Some(all)
    }

    /// Calls a member of the package.
    fn call_api(
        &mut self,
        written: &str,
        path: &str,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        let param = |name: &str, ty, default: Option<Default>| Param {
            name: name.to_owned(),
            span,
            ty: Some(ty),
            default,
            keyword_only: false,
            reads: false,
            positional_only: false,
        };
        match path {
            "sleep" => {
                self.acts(written, DURABLE, span);
                let (args, stmts) =
                    self.arguments(written, &[param("seconds", types::FLOAT, None)], arguments, span)?;
                Some(seq(stmts, op(Op::Sleep, args, types::NONE, span)))
            }
            "http_listen" | "http_request" => {
                self.acts(written, DURABLE, span);
                let error = self.program.classes[DS_ERROR].ty?;
                let durable = if path == "http_listen" { Durable::HttpListen } else { Durable::HttpRequest };
                // A listen waits for ever unless it says otherwise, a request does not.
                let timeout = if durable == Durable::HttpListen { f64::INFINITY } else { REQUEST_SECONDS };
                let default = |name: &str| (name == "timeout").then_some(Default::Constant(Datum::Float(timeout)));
                let taken = durable.params(&mut self.program.types);
                let params: Vec<_> = taken.into_iter().map(|(name, ty)| param(name, ty, default(name))).collect();
                let (args, stmts) = self.arguments(written, &params, arguments, span)?;
                let ret = self.program.types.union(&[types::BYTES, error]);
                Some(seq(stmts, typed(ret, span, ExprKind::Durable(durable, args))))
            }
            "now" | "random" | "uuid" => {
                self.no_await(awaited, written, span);
                let (code, ty) = match path {
                    "now" => (Op::Now, types::FLOAT),
                    "random" => (Op::Random, types::FLOAT),
                    _ => (Op::Uuid, types::STR),
                };
                self.acts(written, HOST, span);
                self.arguments(written, &[], arguments, span)?;
                Some(op(code, Vec::new(), ty, span))
            }
            "json_marshal" => {
                self.no_await(awaited, written, span);
                self.json_marshal(written, arguments, span)
            }
            "json_unmarshal" => {
                arguments.iter().for_each(|a| {
                    self.expr(&a.value, None);
                });
                let message = format!("`{written}` needs the type that it is to read");
                let report = Diagnostic::error(Code::CannotInfer, span, message);
                self.report(report.help(format!("{written}[list[int]](data)")));
                None
            }
            "dpslio.after" => {
                self.no_await(awaited, written, span);
                self.acts(written, SYNC, span);
                let (args, stmts) =
                    self.arguments(written, &[param("seconds", types::FLOAT, None)], arguments, span)?;
                let ty = self.program.types.intern(Type::Queue(types::FLOAT));
                Some(seq(stmts, op(Op::After, args, ty, span)))
            }
            "dpslio.create_task" => {
                self.no_await(awaited, written, span);
                self.create_task(written, arguments, span)
            }
            "dpslio.Lock" => {
                self.no_await(awaited, written, span);
                self.acts(written, SYNC, span);
                self.arguments(written, &[], arguments, span)?;
                Some(op(Op::LockNew, Vec::new(), types::LOCK, span))
            }
            "dpslio.WaitGroup" => {
                self.no_await(awaited, written, span);
                self.acts(written, SYNC, span);
                self.arguments(written, &[], arguments, span)?;
                Some(op(Op::WaitGroupNew, Vec::new(), types::WAIT_GROUP, span))
            }
            "dpslio.Queue" => match want.filter(|ty| matches!(self.program.types.get(*ty), Type::Queue(_))) {
                Some(ty) => self.new_queue(written, ty, arguments, span),
                None => {
                    let report = Diagnostic::error(Code::CannotInfer, span, "a Queue needs the type of its elements");
                    self.report(report.help(format!("{written}[int]()")));
                    None
                }
            },
            _ => {
                let global = Global::Api(path.to_owned());
                let report = match member(path) {
                    Some(Member::Decorator) => Diagnostic::error(
                        Code::NotCallable,
                        span,
                        format!("`{written}` is a decorator, and not called in a flow"),
                    ),
                    _ => self.program.unusable(written, &global, span),
                };
                self.report(report);
                None
            }
        }
    }

    fn call_generic(
        &mut self,
        generic: &ast::Expr,
        argument: &ast::Expr,
        whole: Span,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        let root_is_local = root_name(generic).is_some_and(|r| self.locals.contains(r) || self.names.contains_key(r));
        let path = if root_is_local { None } else { self.program.path(generic) };
        match path {
            Some((written, Some(Global::Api(path)))) if path == "dpslio.Queue" => {
                self.no_await(awaited, &written, span);
                let mut reports = Vec::new();
                let element = self.program.annotation(argument, &mut reports);
                self.out.append(&mut reports);
                let ty = self.program.types.intern(Type::Queue(element?));
                self.new_queue(&written, ty, arguments, span)
            }
            Some((written, Some(Global::Api(path)))) if path == "json_unmarshal" => {
                self.no_await(awaited, &written, span);
                self.json_unmarshal(&written, argument, arguments, span)
            }
            Some((written, Some(global @ Global::Api(_)))) => {
                let report = self.program.unusable(&written, &global, whole);
                self.report(report);
                None
            }
            _ => self.fail(Code::NotCallable, whole, "this can't be called"),
        }
    }

    fn new_queue(&mut self, written: &str, ty: TypeId, arguments: &[Argument], span: Span) -> Option<Expr> {
        self.acts(written, SYNC, span);
        let param = |name: &str, ty, default| Param {
            name: name.to_owned(),
            span,
            ty: Some(ty),
            default: Some(Default::Constant(default)),
            keyword_only: name == "name",
            reads: false,
            positional_only: false,
        };
        let maxsize = param("maxsize", types::INT, Datum::Int(-1));
        let is_name = |a: &&Argument| a.name.as_ref().is_some_and(|n| n.text == "name");
        let Some(named) = arguments.iter().find(is_name) else {
            // Of the name the user is to hear where a parameter does not exist.
            let params = [maxsize, param("name", types::STR, Datum::Str(String::new()))];
            let (mut args, stmts) = self.arguments(written, &params, arguments, span)?;
            args.truncate(1);
            return Some(seq(stmts, op(Op::QueueNew, args, ty, span)));
        };
        let Type::Queue(element) = *self.program.types.get(ty) else { return None };
        if self.program.stays_inside(element, &mut Vec::new()) {
            let message = format!("{} can't be sent from outside, so its queue can't have a name", self.name(element));
            return self.fail(Code::UnknownType, named.value.span, message);
        }
        let place = named.value.span;
        let params = [maxsize, param("name", types::STR, Datum::Str(String::new()))];
        let (args, mut stmts) = self.arguments(written, &params, arguments, span)?;
        let Ok([maxsize, name]) = <[Expr; 2]>::try_from(args) else { return None };
        if let ExprKind::Str(text) = &name.kind
            && !is_queue_name(text)
        {
            return self.fail(Code::ArgumentName, place, Fault::bad_queue_name(text).message);
        }
        let maxsize = self.keep(maxsize, &mut stmts);
        Some(seq(stmts, op(Op::QueueNamed, vec![name, maxsize], ty, span)))
    }

    fn create_task(&mut self, written: &str, arguments: &[Argument], span: Span) -> Option<Expr> {
        self.acts(written, SYNC, span);
        let wrong = |checker: &mut Self, span: Span| {
            let report = Diagnostic::error(Code::Spawned, span, format!("`{written}` takes the call of a flow"));
            checker.report(report.help(format!("{written}(child(1))")));
            None
        };
        let [argument] = arguments else { return wrong(self, span) };
        let A::Call(of, inner) = &argument.value.kind else { return wrong(self, argument.value.span) };
        let Some((_, Some(Global::Function(index)))) = self.program.path(of) else {
            return wrong(self, argument.value.span);
        };
        let called = &self.program.functions[index];
        let (name, params) = (called.name.clone(), called.params.clone());
        if called.kind != Kind::Flow && !(called.kind == Kind::Plain && called.ast.is_async) {
            let report = Diagnostic::error(
                Code::Spawned,
                argument.value.span,
                format!("`{name}` is no flow, so it can't be a task"),
            );
            let defined = called.ast.name.span;
            self.report(report.label(defined, "defined here").help(format!("mark `{name}` with @flow")));
            return None;
        }
        self.spawns.push((index, argument.value.span));
        let (args, stmts) = self.arguments(&name, &params, inner, argument.value.span)?;
        Some(seq(stmts, typed(types::NONE, span, ExprKind::Spawn(index, args))))
    }
}

/// A number of things in words.
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

fn signature(types: &Types, name: &str, params: &[Param]) -> String {
    let param = |p: &Param| {
        let ty = p.ty.map_or("…".to_owned(), |ty| types.name(ty));
        let default = if p.default.is_some() { " = …" } else { "" };
        format!("{}: {ty}{default}", p.name)
    };
    format!("it is {name}({})", params.iter().map(param).collect::<Vec<_>>().join(", "))
}

//! Calls of builtins, which come from the tables of the IR: by name, then by the first signature that fits, as the arguments
//! are or after the conversions that nobody writes. No builtin is known here by itself, but those that need more than a
//! signature: `print`, `bool`, `any` and `all`, `len` of a tuple, and the empty `list()` and `dict()`.

use super::body::Checker;
use super::call::count;
use super::convert::{convert, converts, op_with};
use super::expr::{int, op, seq, typed};
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::builtins::{Builtin, Spelling};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::{Effect, Op, Operands, Produces, SYNC, WRITES};
use deepslate_ir::pattern::{Bindings, Pattern};
use deepslate_ir::types::{self, Type, Types};

/// What Python spells as a call but the IR has as an instruction. Looked at before the builtins.
const INSTRUCTIONS: &[(Spelling, Op)] = &[
    (Spelling::Function("len"), Op::ListLen),
    (Spelling::Function("len"), Op::DictLen),
    (Spelling::Function("len"), Op::QueueLen),
    (Spelling::Function("float"), Op::IntToFloat),
    (Spelling::Function("int"), Op::FloatToInt),
    (Spelling::Function("int"), Op::BoolToInt),
    (Spelling::Method("append"), Op::ListPush),
    (Spelling::Method("get"), Op::QueueGet),
    (Spelling::Method("put"), Op::QueuePut),
    (Spelling::Method("qsize"), Op::QueueLen),
    (Spelling::Method("full"), Op::QueueFull),
    (Spelling::Method("close"), Op::QueueClose),
    (Spelling::Method("closed"), Op::QueueClosed),
    (Spelling::Method("acquire"), Op::LockAcquire),
    (Spelling::Method("release"), Op::LockRelease),
    (Spelling::Method("add"), Op::WaitGroupAdd),
    (Spelling::Method("wait"), Op::WaitGroupWait),
];

/// Whether Python takes a parameter by name only: of a method (which has a receiver) or of a function.
fn by_name_only(name: &str, method: bool) -> bool {
    match name {
        "reverse" | "signed" | "rel_tol" | "abs_tol" => true,
        "default" => !method,
        _ => false,
    }
}

/// One way to read a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Candidate {
    Op(Op),
    Builtin(Builtin),
}

impl Candidate {
    pub fn params(self) -> &'static [(&'static str, Pattern)] {
        match self {
            Candidate::Op(code) => match code.operands() {
                Operands::Fixed(params) => params,
                _ => &[],
            },
            Candidate::Builtin(b) => b.params(),
        }
    }

    pub fn ret(self) -> Pattern {
        match self {
            Candidate::Op(code) => match code.produces() {
                Produces::One(pattern) => pattern,
                _ => deepslate_ir::pattern::NONE,
            },
            Candidate::Builtin(b) => b.ret(),
        }
    }

    fn effect(self) -> Effect {
        match self {
            Candidate::Op(code) => code.effect(),
            Candidate::Builtin(b) => b.effect(),
        }
    }

    /// Whether the task may wait in it.
    fn waits(self) -> bool {
        matches!(self, Candidate::Op(code) if code.stops())
    }
}

fn candidates(spelling: Spelling) -> Vec<Candidate> {
    let ops = INSTRUCTIONS.iter().filter(|(s, _)| *s == spelling).map(|(_, code)| Candidate::Op(*code));
    let builtins = Builtin::ALL.iter().filter(|b| b.python() == spelling).map(|b| Candidate::Builtin(*b));
    ops.chain(builtins).collect()
}

/// Whether Python code can call this name without importing it.
pub(super) fn is_builtin(name: &str) -> bool {
    functions().any(|f| f == name)
}

pub(super) fn functions() -> impl Iterator<Item = &'static str> {
    let of = |s: Spelling| match s {
        Spelling::Function(name) => Some(name),
        Spelling::Method(_) | Spelling::Syntax => None,
    };
    INSTRUCTIONS.iter().filter_map(move |(s, _)| of(*s)).chain(Builtin::ALL.iter().filter_map(move |b| of(b.python())))
}

/// The methods of values of a type.
pub(super) fn methods_of(types: &Types, ty: TypeId) -> Vec<&'static str> {
    let fits = |params: &[(&str, Pattern)]| {
        params.first().is_some_and(|(_, p)| p.matches(types, ty, &mut Bindings::default()))
    };
    let of = |s: Spelling| match s {
        Spelling::Method(name) => Some(name),
        Spelling::Function(_) | Spelling::Syntax => None,
    };
    let ops = INSTRUCTIONS.iter().filter(|(_, code)| fits(Candidate::Op(*code).params())).filter_map(|(s, _)| of(*s));
    let builtins = Builtin::ALL.iter().filter(|b| fits(b.params())).filter_map(|b| of(b.python()));
    let mut all: Vec<&'static str> = ops.chain(builtins).collect();
    if ty == types::WAIT_GROUP {
        all.push("done");
    }
    if matches!(types.get(ty), Type::Queue(_)) {
        all.push("empty");
    }
    all
}

impl Checker<'_, '_> {
    /// Calls a function that Python has without an import.
    pub fn call_builtin(
        &mut self,
        name: &str,
        of: &ast::Expr,
        arguments: &[Argument],
        want: Option<TypeId>,
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        if let Some(folded) = self.folded(name, arguments, want, span) {
            self.no_await(awaited, name, span);
            return folded;
        }
        if let Some(collection) = self.collection_call(name, arguments, want, span) {
            self.no_await(awaited, name, span);
            return collection;
        }
        match (name, arguments) {
            ("print", _) => {
                self.no_await(awaited, name, span);
                return self.print(arguments, span);
            }
            ("list" | "dict", []) => {
                let empty = if name == "list" { A::List(Vec::new()) } else { A::Dict(Vec::new()) };
                return self.expr(&ast::Expr { span, kind: empty }, want);
            }
            ("str", []) => return Some(typed(types::STR, span, ExprKind::Str(String::new()))),
            ("int", []) => return Some(int(0, span)),
            ("float", []) => return Some(typed(types::FLOAT, span, ExprKind::Float(0.0))),
            ("bool", [Argument { name: None, value }]) => {
                self.no_await(awaited, name, span);
                return self.condition(value);
            }
            ("any" | "all", [Argument { name: None, value: ast::Expr { kind: A::Comprehension(c), .. } }])
                if c.makes == ast::Makes::Generator =>
            {
                return self.any_or_all(c, name == "any", span);
            }
            ("len", [Argument { name: None, value }]) => {
                // The length of a tuple is known; every other one is asked of the value.
                let checked = self.expr(value, None)?;
                if let Type::Tuple(parts) = self.program.types.get(checked.ty) {
                    let count = int(parts.len() as i64, span);
                    let effect = crate::tree::Stmt { span, kind: crate::tree::StmtKind::Do(checked) };
                    return Some(seq(vec![effect], count));
                }
                self.no_await(awaited, name, span);
                if let Some(length) = self.own_call(&checked, "__len__", Vec::new(), span) {
                    return length;
                }
                return self.chosen(name, &candidates(Spelling::Function("len")), vec![checked], span);
            }
            ("str" | "repr", [Argument { name: None, value }]) => {
                self.no_await(awaited, name, span);
                let checked = self.expr(value, None)?;
                return if name == "str" { self.text_of(checked) } else { self.repr_of(checked) };
            }
            ("abs", [Argument { name: None, value }]) => {
                self.no_await(awaited, name, span);
                let checked = self.expr(value, None)?;
                if let Some(result) = self.own_call(&checked, "__abs__", Vec::new(), span) {
                    return result;
                }
                return self.chosen(name, &candidates(Spelling::Function("abs")), vec![checked], span);
            }
            _ => {}
        }
        let with_key = arguments.iter().any(|a| a.name.as_ref().is_some_and(|n| n.text == "key"));
        if with_key && ["sorted", "min", "max"].contains(&name) {
            self.no_await(awaited, name, span);
            return self.keyed(name, arguments, span);
        }
        let found = candidates_named(name);
        if !found.is_empty() {
            self.no_await(awaited, name, span);
            return self.overloaded(name, &found, None, arguments, span);
        }
        if name == "isinstance" {
            if let Some(known) = self.is_of_class(arguments, span) {
                return Some(known);
            }
            return self.isinstance(arguments, span);
        }
        if name != "map" && name != "filter" {
            arguments.iter().for_each(|a| {
                self.expr(&a.value, None);
            });
        }
        let later = [
            "isinstance",
            "iter",
            "next",
            "type",
            "hash",
            "id",
            "input",
            "open",
            "super",
            "getattr",
            "setattr",
            "hasattr",
            "object",
            "slice",
            "bytearray",
            "eval",
            "exec",
            "globals",
            "locals",
            "vars",
            "dir",
            "callable",
            "format_map",
        ];
        let report = match name {
            "input" | "open" => {
                let message = format!("`{name}` reaches outside of the flow");
                Diagnostic::error(Code::NotInFlows, of.span, message).help("use it in a function marked @impure")
            }
            "map" | "filter" => {
                let message = format!("a `{name}` can't be kept, since it would be used up by its first use");
                Diagnostic::error(Code::Unsupported, of.span, message).help(format!("make a list: list({name}(…))"))
            }
            _ if later.contains(&name) => {
                let message = format!("flows have no `{name}`");
                Diagnostic::error(Code::Unsupported, of.span, message)
                    .help("use it in a function marked @pure or @impure, and call that from the flow")
            }
            _ => {
                let known: Vec<&str> = functions().filter(|f| !f.contains('.')).collect();
                let report = self.program.unknown(name, of.span, known);
                match report.help.is_empty() {
                    true => report.help("define or import it at the top level of the file"),
                    false => report,
                }
            }
        };
        self.report(report);
        None
    }

    fn print(&mut self, arguments: &[Argument], span: Span) -> Option<Expr> {
        let starred = arguments.iter().any(|a| matches!(a.value.kind, A::Starred(_)));
        let mut separator = " ".to_owned();
        let mut parts = Vec::new();
        for argument in arguments {
            match &argument.name {
                None if starred => {}
                None => parts.push(self.expr(&argument.value, None).and_then(|v| self.text_of(v))),
                Some(name) if name.text == "sep" => {
                    let value = self.expr(&argument.value, Some(types::STR))?;
                    let value = self.needed(value, types::STR, "argument `sep` of `print`")?;
                    match value.kind {
                        ExprKind::Str(text) => separator = text,
                        _ => {
                            let message = "not supported yet: a separator that is no constant";
                            return self.fail(Code::NotYet, value.span, message);
                        }
                    }
                }
                Some(name) => {
                    let message = format!("`print` of flows has no `{}`: it writes a line to the log", name.text);
                    return self.fail(Code::ArgumentName, name.span, message);
                }
            }
        }
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        let text = match starred {
            true => self.print_all(arguments, &separator, span)?,
            false => self.joined(parts, &separator, span)?,
        };
        self.chosen("print", &candidates(Spelling::Function("print")), vec![text], span)
    }

    /// The text that `str(value)` makes.
    pub fn text_of(&mut self, value: Expr) -> Option<Expr> {
        if value.ty == types::STR {
            return Some(value);
        }
        if let Some(text) = self.own_text(&value, false) {
            return text;
        }
        let span = value.span;
        self.chosen("str", &candidates(Spelling::Function("str")), vec![value], span)
    }

    /// A builtin function on checked arguments.
    pub fn called(&mut self, name: &'static str, args: Vec<Expr>, span: Span) -> Option<Expr> {
        self.chosen(name, &candidates(Spelling::Function(name)), args, span)
    }

    /// The length that `len(value)` gives.
    pub fn length_of(&mut self, value: Expr) -> Option<Expr> {
        let span = value.span;
        self.chosen("len", &candidates(Spelling::Function("len")), vec![value], span)
    }

    pub fn call_method(
        &mut self,
        of: &ast::Expr,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        if name.text == "format" && matches!(of.kind, A::Str(_)) {
            self.no_await(awaited, "format", span);
            return self.format_method(of, arguments, span);
        }
        let Some(receiver) = self.expr(of, None) else {
            arguments.iter().for_each(|a| {
                self.expr(&a.value, None);
            });
            return None;
        };
        self.call_method_on(of, receiver, name, arguments, span, awaited)
    }

    /// A method of a value; of a union's, where all members have it.
    fn call_method_on(
        &mut self,
        of: &ast::Expr,
        receiver: Expr,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        if self.is_union(receiver.ty) {
            let what = format!("`.{}(…)`", name.text);
            return self.for_each_member(receiver, span, &what, |c, receiver| {
                c.call_method_on(of, receiver, name, arguments, span, awaited)
            });
        }
        if let Some(found) = self.optional_get(&receiver, name, arguments, span) {
            self.no_await(awaited, "get", span);
            return found;
        }
        if let Some(class) = self.program.class_of(receiver.ty) {
            if let Some(method) = self.program.classes[class].method(&name.text).cloned() {
                if method.kind == super::classes::MethodKind::Property {
                    let message = format!("`{}` is a property, and not called", name.text);
                    return self.fail(Code::NotCallable, name.span, message);
                }
                return self.call_method_of(&method, receiver, arguments, span, awaited);
            }
            if self.program.classes[class].members.is_some() {
                let value = self.unmixed(receiver.clone());
                if value.ty != receiver.ty {
                    let found = self.methods(&value, name)?;
                    return self.overloaded(&name.text, &found, Some(value), arguments, span);
                }
            }
            if name.text == "_replace" && self.program.classes[class].kind == super::classes::ClassKind::Named {
                return self.replaced(receiver, arguments, span);
            }
        }
        if name.text == "sort"
            && matches!(self.program.types.get(receiver.ty), Type::List(_))
            && arguments.iter().any(|a| a.name.as_ref().is_some_and(|n| n.text == "key"))
        {
            self.no_await(awaited, "sort", span);
            return self.sort_by(receiver, arguments, span);
        }
        if name.text == "empty" && matches!(self.program.types.get(receiver.ty), Type::Queue(_)) {
            self.acts("empty", SYNC, span);
            self.no_await(awaited, "empty", span);
            self.arguments("empty", &[], arguments, span)?;
            let length = op(Op::QueueLen, vec![receiver], types::INT, span);
            return Some(op(Op::Ieq, vec![length, int(0, span)], types::BOOL, span));
        }
        if let (types::STR, "format") = (receiver.ty, name.text.as_str()) {
            return self.format_method(of, arguments, span);
        }
        let receiver = match self.special_method(receiver, name, arguments, span) {
            Ok(made) => return made,
            Err(receiver) => receiver,
        };
        let found = self.methods(&receiver, name)?;
        if name.text == "done" && receiver.ty == types::WAIT_GROUP {
            self.acts("done", SYNC, span);
            self.arguments("done", &[], arguments, span)?;
            return Some(op(Op::WaitGroupAdd, vec![receiver, int(-1, span)], types::NONE, span));
        }
        if found.iter().any(|c| c.waits()) {
            if !awaited {
                let message = format!("`{}` waits, and must be awaited", name.text);
                let report = Diagnostic::error(Code::MissingAwait, span, message);
                let text: String =
                    self.program.sources.text(span).lines().next().unwrap_or("").chars().take(80).collect();
                self.report(report.help(format!("await {text}")));
            }
        } else if !found.iter().all(|c| c.effect().has(SYNC)) {
            self.no_await(awaited, &name.text, span);
        }
        if found.iter().all(|c| c.effect().has(SYNC)) {
            self.acts(&name.text, SYNC, span);
        }
        self.overloaded(&name.text, &found, Some(receiver), arguments, span)
    }

    /// A method of a checked value on checked arguments.
    pub fn method(&mut self, receiver: Expr, name: &ast::Name, arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        let found = self.methods(&receiver, name)?;
        let args = std::iter::once(receiver).chain(arguments).collect();
        self.chosen(&name.text, &found, args, span)
    }

    pub fn methods(&mut self, receiver: &Expr, name: &ast::Name) -> Option<Vec<Candidate>> {
        let all = candidates_method(&name.text);
        let types = &self.program.types;
        let found: Vec<Candidate> = all
            .into_iter()
            .filter(|c| {
                c.params().first().is_some_and(|(_, p)| p.matches(types, receiver.ty, &mut Bindings::default()))
            })
            .collect();
        if !found.is_empty() || (name.text == "done" && receiver.ty == types::WAIT_GROUP) {
            return Some(found);
        }
        let of = self.name(receiver.ty);
        if let Type::Class(_) = self.program.types.get(receiver.ty) {
            let known = self.members_of(receiver.ty);
            let message = format!("`{of}` has no method `{}`", name.text);
            let report = Diagnostic::error(Code::UnknownMember, name.span, message);
            let near = nearest(&name.text, known.iter().map(String::as_str)).map(str::to_owned);
            self.report(match near {
                Some(near) => report.help(format!("did you mean `{near}`?")),
                None => report,
            });
            return None;
        }
        let report = Diagnostic::error(Code::UnknownMember, name.span, format!("{of} has no method `{}`", name.text));
        let near = nearest(&name.text, methods_of(&self.program.types, receiver.ty));
        self.report(match near {
            Some(near) => report.help(format!("did you mean `{near}`?")),
            None => report,
        });
        None
    }

    /// A call of one of several builtins, by what its arguments are.
    pub fn overloaded(
        &mut self,
        name: &str,
        found: &[Candidate],
        receiver: Option<Expr>,
        arguments: &[Argument],
        span: Span,
    ) -> Option<Expr> {
        let before = usize::from(receiver.is_some());
        // Which parameter of a candidate an argument is.
        let slots = |candidate: Candidate| -> Option<Vec<usize>> {
            let params = candidate.params();
            if params.len() != before + arguments.len() {
                return None;
            }
            let mut slots = Vec::new();
            for (position, argument) in arguments.iter().enumerate() {
                let slot = match &argument.name {
                    // Python has these by name only.
                    None if by_name_only(params[before + position].0, before > 0) => return None,
                    None => before + position,
                    Some(name) => params.iter().position(|(p, _)| *p == name.text)?,
                };
                if slot < before || slots.contains(&slot) {
                    return None;
                }
                slots.push(slot);
            }
            Some(slots)
        };
        let shaped: Vec<(Candidate, Vec<usize>)> =
            found.iter().filter_map(|c| slots(*c).map(|slots| (*c, slots))).collect();
        if shaped.is_empty() {
            arguments.iter().filter(|a| a.name.is_none()).for_each(|a| {
                self.expr(&a.value, None);
            });
            let unknown = arguments
                .iter()
                .filter_map(|a| a.name.as_ref())
                .find(|n| !found.iter().any(|c| c.params().iter().any(|(p, _)| *p == n.text)));
            let report = match unknown {
                Some(unknown) => {
                    let message = format!("`{name}` has no parameter `{}` in flows", unknown.text);
                    Diagnostic::error(Code::ArgumentName, unknown.span, message)
                }
                None => {
                    let message = match arguments.len() {
                        0 => format!("`{name}` needs arguments"),
                        n => format!("`{name}` does not take {}", count(n, "argument")),
                    };
                    Diagnostic::error(Code::ArgumentCount, span, message)
                }
            };
            let of = receiver.as_ref().map(|r| r.ty);
            let offered = self.offered(name, found, of);
            self.report(report.help(offered));
            return None;
        }
        let mut values: Vec<Option<Expr>> = Vec::new();
        for (position, argument) in arguments.iter().enumerate() {
            let want = self.wanted(&shaped, receiver.as_ref(), position);
            let mut before = Vec::new();
            if let Some(lazy) = self.as_comprehension(&argument.value, &mut before) {
                let list = lazy.map(|c| ast::Comprehension { makes: ast::Makes::List, ..c });
                let list = list.and_then(|c| self.comprehension(&c, want, argument.value.span));
                values.push(list.map(|list| seq(before, list)));
                continue;
            }
            values.push(match &argument.value.kind {
                // The builtins take lists, and nothing else sees that the elements are made at once.
                A::Comprehension(c) if c.makes == ast::Makes::Generator => {
                    let as_list = ast::Comprehension { makes: ast::Makes::List, ..(**c).clone() };
                    self.comprehension(&as_list, want, argument.value.span)
                }
                _ => self.expr(&argument.value, want),
            });
        }
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        if let Some(open) = self.open_call(&shaped, receiver.as_ref(), &values, span) {
            return open;
        }
        let mut stmts = Vec::new();
        let in_order = shaped.iter().all(|(_, slots)| slots.is_sorted());
        let (receiver, values) = if in_order {
            (receiver, values)
        } else {
            let receiver = receiver.map(|r| self.keep(r, &mut stmts));
            (receiver, values.into_iter().map(|v| self.keep(v, &mut stmts)).collect())
        };
        // All candidates of one shape are tried with the arguments where each has them.
        let ordered = |slots: &[usize]| {
            let mut args: Vec<Option<Expr>> = vec![None; before + values.len()];
            if let Some(receiver) = &receiver {
                args[0] = Some(receiver.clone());
            }
            for (value, slot) in values.iter().zip(slots) {
                args[*slot] = Some(value.clone());
            }
            args.into_iter().collect::<Option<Vec<Expr>>>()
        };
        for level in 0..3 {
            for (candidate, slots) in &shaped {
                let args = ordered(slots)?;
                if let Some(args) = self.fitted(*candidate, args, level) {
                    return Some(seq(stmts, self.made(name, *candidate, args, span)?));
                }
            }
        }
        // The builtins take lists; Python takes anything that can be iterated over.
        for (candidate, slots) in &shaped {
            let args = ordered(slots)?;
            if let Some(args) = self.with_lists(*candidate, args)
                && let Some(args) = self.fitted(*candidate, args, 1)
            {
                return Some(seq(stmts, self.made(name, *candidate, args, span)?));
            }
        }
        let all: Vec<Candidate> = shaped.iter().map(|(c, _)| *c).collect();
        let args = ordered(&shaped[0].1)?;
        if args.iter().any(|a| self.is_union(a.ty)) {
            let args: Vec<Expr> = args.into_iter().map(|a| self.keep(a, &mut stmts)).collect();
            let found = self.chosen(name, &all, args, span)?;
            return Some(seq(stmts, found));
        }
        self.no_fit(name, &all, &args, before, span)
    }

    /// The type that all candidates need for an argument, as far as what they have so far tells.
    fn wanted(
        &mut self,
        shaped: &[(Candidate, Vec<usize>)],
        receiver: Option<&Expr>,
        position: usize,
    ) -> Option<TypeId> {
        let mut common = None;
        for (candidate, slots) in shaped {
            let mut bound = Bindings::default();
            let params = candidate.params();
            if let Some(receiver) = receiver
                && !params[0].1.matches(&self.program.types, receiver.ty, &mut bound)
            {
                continue;
            }
            let ty = params[slots[position]].1.resolve(&mut self.program.types, &bound)?;
            if *common.get_or_insert(ty) != ty {
                return None;
            }
        }
        common
    }

    /// One of several builtins on checked arguments.
    fn chosen(&mut self, name: &str, found: &[Candidate], args: Vec<Expr>, span: Span) -> Option<Expr> {
        for level in 0..3 {
            for candidate in found.iter().filter(|c| c.params().len() == args.len()) {
                if let Some(args) = self.fitted(*candidate, args.clone(), level) {
                    return self.made(name, *candidate, args, span);
                }
            }
        }
        if let Some(at) = args.iter().position(|a| self.is_union(a.ty)) {
            let mut stmts = Vec::new();
            let args: Vec<Expr> = args.into_iter().map(|a| self.keep(a, &mut stmts)).collect();
            let value = self.for_each_member(args[at].clone(), span, &format!("`{name}`"), |checker, member| {
                let mut args = args.clone();
                args[at] = member;
                checker.chosen(name, found, args, span)
            })?;
            return Some(seq(stmts, value));
        }
        self.no_fit(name, found, &args, 0, span)
    }

    /// The arguments with dicts, texts, bytes and tuples made lists where the candidate takes lists; none if no argument
    /// is to be made one.
    fn with_lists(&mut self, candidate: Candidate, args: Vec<Expr>) -> Option<Vec<Expr>> {
        let mut changed = false;
        let mut out = Vec::new();
        for (arg, (_, pattern)) in args.into_iter().zip(candidate.params()) {
            let (span, ty) = (arg.span, arg.ty);
            let is_set = matches!(self.program.types.get(ty), Type::Set(_) | Type::FrozenSet(_));
            let pairs = match self.program.types.get(ty) {
                Type::List(e) => matches!(self.program.types.get(*e), Type::Tuple(parts) if parts.len() == 2),
                _ => false,
            };
            out.push(match pattern {
                Pattern::List(_) => self.listed(arg).unwrap_or_else(|arg| arg),
                // What a set is put together with may be anything that can be iterated over, and a dict with a list of pairs.
                Pattern::AnySet(..) if !out.is_empty() && !is_set => match self.listed(arg) {
                    Ok(list)
                        if self.program.types.element(list.ty).is_some_and(|e| self.program.types.is_hashable(e)) =>
                    {
                        self.called("set", vec![list], span)?
                    }
                    Ok(arg) | Err(arg) => arg,
                },
                Pattern::Dict(..) if !out.is_empty() && pairs => self.called("dict", vec![arg], span)?,
                _ => arg,
            });
            changed |= out.last().is_some_and(|arg| arg.ty != ty);
        }
        changed.then_some(out)
    }

    /// The arguments as the candidate takes them: as they are (level 0), each converted where needed (1), all numbers made
    /// floats (2).
    fn fitted(&mut self, candidate: Candidate, args: Vec<Expr>, level: u32) -> Option<Vec<Expr>> {
        let mut bound = Bindings::default();
        let mut out = Vec::new();
        for (arg, (_, pattern)) in args.into_iter().zip(candidate.params()) {
            let arg = if level == 2 { convert(arg, types::FLOAT).unwrap_or_else(|arg| arg) } else { arg };
            let mut tried = bound;
            if pattern.matches(&self.program.types, arg.ty, &mut tried) {
                bound = tried;
                out.push(arg);
                continue;
            }
            if level == 0 {
                return None;
            }
            // What earlier arguments have settled to be a union takes its members.
            let settled = pattern.resolve(&mut self.program.types, &bound).filter(|ty| self.is_union(*ty));
            let arg = match settled {
                Some(to) => match self.converted(arg, to) {
                    Ok(arg) => {
                        out.push(arg);
                        continue;
                    }
                    Err(arg) => arg,
                },
                None => arg,
            };
            let types = &self.program.types;
            let mut fit = None;
            for to in [types::INT, types::FLOAT] {
                let mut tried = bound;
                if converts(arg.ty, to) && pattern.matches(types, to, &mut tried) {
                    fit = Some((to, tried));
                    break;
                }
            }
            let (to, now) = fit?;
            bound = now;
            out.push(convert(arg, to).ok()?);
        }
        Some(out)
    }

    fn made(&mut self, name: &str, candidate: Candidate, args: Vec<Expr>, span: Span) -> Option<Expr> {
        let mut bound = Bindings::default();
        for (arg, (_, pattern)) in args.iter().zip(candidate.params()) {
            if !pattern.matches(&self.program.types, arg.ty, &mut bound) {
                return self.fail(Code::Internal, span, format!("the arguments of `{name}` do not fit"));
            }
        }
        let Some(ret) = candidate.ret().resolve(&mut self.program.types, &bound) else {
            return self.fail(Code::Internal, span, format!("the result of `{name}` has no type"));
        };
        if candidate.effect().has(WRITES)
            && let Some(first) = args.first()
        {
            self.changes(first, span);
        }
        Some(match candidate {
            Candidate::Op(code) => op_with(code, args, Imm::No, ret, span),
            Candidate::Builtin(b) => typed(ret, span, ExprKind::Builtin(b, args)),
        })
    }

    fn no_fit(&mut self, name: &str, found: &[Candidate], args: &[Expr], before: usize, span: Span) -> Option<Expr> {
        if args.iter().any(|a| self.program.mixed(a.ty) != super::enums::Mixed::Nothing) {
            let args = args.iter().map(|a| self.unmixed(a.clone())).collect();
            return self.chosen(name, found, args, span);
        }
        let given: Vec<String> = args.iter().skip(before).map(|a| self.name(a.ty)).collect();
        let given = if given.is_empty() { "no arguments".to_owned() } else { given.join(", ") };
        let of = match args.first() {
            Some(receiver) if before > 0 => format!("`{name}` of {}", self.name(receiver.ty)),
            _ => format!("`{name}`"),
        };
        let report = match args {
            // With one argument it is clear which one is wrong.
            [_, arg] if before == 1 => {
                Diagnostic::error(Code::Mismatch, arg.span, format!("{of} does not take {given}"))
            }
            [arg] if before == 0 => Diagnostic::error(Code::Mismatch, arg.span, format!("{of} does not take {given}")),
            _ => Diagnostic::error(Code::Mismatch, span, format!("{of} does not take {given}")),
        };
        let of = if before > 0 { args.first().map(|a| a.ty) } else { None };
        let offered = self.offered(name, found, of);
        self.report(report.help(offered));
        None
    }

    /// What candidates take, for a help line.
    fn offered(&mut self, name: &str, found: &[Candidate], receiver: Option<TypeId>) -> String {
        let mut list: Vec<String> = Vec::new();
        for candidate in found {
            let mut bound = Bindings::default();
            let params = candidate.params();
            if let (Some(of), Some((_, first))) = (receiver, params.first()) {
                first.matches(&self.program.types, of, &mut bound);
            }
            let types = &mut self.program.types;
            let mut param = |(n, p): &(&str, Pattern)| match p.resolve(types, &bound) {
                Some(ty) => format!("{n}: {}", types.name(ty)),
                None => format!("{n}: {}", shown(p)),
            };
            let params: Vec<String> = params.iter().skip(usize::from(receiver.is_some())).map(&mut param).collect();
            let line = format!("{name}({})", params.join(", "));
            if !list.contains(&line) {
                list.push(line);
            }
        }
        let more = list.len().saturating_sub(4);
        list.truncate(4);
        let list = list.join(" or ");
        if more > 0 { format!("it takes {list}, and {more} more") } else { format!("it takes {list}") }
    }

    /// A builtin that Python spells by an operator or other syntax.
    pub fn syntax(&mut self, text: &str, args: Vec<Expr>, span: Span) -> Option<Expr> {
        match Builtin::from_text(text) {
            Some(builtin) => self.chosen(text, &[Candidate::Builtin(builtin)], args, span),
            None => self.fail(Code::Internal, span, format!("the builtin `{text}` is missing")),
        }
    }
}

pub(super) fn candidates_named(name: &str) -> Vec<Candidate> {
    match functions().find(|f| *f == name) {
        Some(name) => candidates(Spelling::Function(name)),
        None => Vec::new(),
    }
}

pub(super) fn candidates_method(name: &str) -> Vec<Candidate> {
    let ops = INSTRUCTIONS.iter().filter(|(s, _)| matches!(s, Spelling::Method(n) if *n == name));
    let builtins = Builtin::ALL.iter().filter(|b| matches!(b.python(), Spelling::Method(n) if n == name));
    ops.map(|(_, code)| Candidate::Op(*code)).chain(builtins.map(|b| Candidate::Builtin(*b))).collect()
}

/// A pattern as a user would write the type.
fn shown(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Is(id) => Types::new().name(*id),
        Pattern::Var(2) => "K".to_owned(),
        Pattern::Var(3) => "V".to_owned(),
        Pattern::Var(_) => "T".to_owned(),
        Pattern::List(e) => format!("list[{}]", shown(e)),
        Pattern::Dict(k, v) => format!("dict[{}, {}]", shown(k), shown(v)),
        Pattern::Set(e) | Pattern::AnySet(_, e) => format!("set[{}]", shown(e)),
        Pattern::FrozenSet(e) => format!("frozenset[{}]", shown(e)),
        Pattern::TupleOf(e) => format!("tuple[{}, ...]", shown(e)),
        Pattern::Queue(e) => format!("Queue[{}]", shown(e)),
        Pattern::Pair(a, b) => format!("tuple[{}, {}]", shown(a), shown(b)),
        #[allow(unreachable_patterns)]
        _ => "T".to_owned(),
    }
}

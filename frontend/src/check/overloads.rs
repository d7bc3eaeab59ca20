//! Which of several builtins a call means: the first signature that fits the arguments as they are, then after the conversions
//! that nobody writes, then with what can be iterated over as a list.

use super::body::Checker;
use super::builtin::{Candidate, by_name_only};
use super::call::count;
use super::convert::{convert, converts, op_with};
use super::expr::{seq, typed};
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::WRITES;
use deepslate_ir::pattern::{Bindings, Pattern};
use deepslate_ir::types::{self, Type, Types};

impl Checker<'_, '_> {
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
            if let Some(lazy) = self.as_generator(&argument.value, &mut before) {
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
    pub fn chosen(&mut self, name: &str, found: &[Candidate], args: Vec<Expr>, span: Span) -> Option<Expr> {
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

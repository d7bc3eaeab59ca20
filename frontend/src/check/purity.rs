//! Pure functions that change what they were given, themselves or by way of functions that they call. As host code they would get
//! copies, so that the change would be lost: whether a pure function is compiled must make no difference.
//!
//! A walk over the checked tree follows, statement by statement, what each variable may hold of the parameters: a parameter's own
//! object, a part of it, or an object of its own with such a part inside. What a function does with its parameters is summed up,
//! so that calls are followed too; summaries grow until nothing changes. A list that was copied may be changed, the lists in it
//! may not. Where a part is stored by way of a second name for the same new object, that is not seen.

use super::names::Program;
use super::signatures::{Kind, Outcome};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, SelectKind, Stmt, StmtKind, VarId};
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::{Op, WRITES};
use deepslate_ir::pattern::Pattern;
use deepslate_ir::types::{Type, Types};
use std::collections::BTreeMap;

/// A set of parameters by index; those from the 64th on are one.
type Params = u64;

/// What a value may be of the parameters.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Reach {
    /// The parameters whose object it may be.
    same: Params,
    /// Those that it may be a part of.
    part: Params,
    /// Those of which something may be inside it.
    inside: Params,
}

impl Reach {
    fn any(self) -> Params {
        self.same | self.part | self.inside
    }

    fn join(self, other: Reach) -> Reach {
        Reach { same: self.same | other.same, part: self.part | other.part, inside: self.inside | other.inside }
    }

    /// A part of such a value.
    fn element(self) -> Reach {
        Reach { same: 0, part: self.inside, inside: self.inside }
    }

    /// A new object that holds such values.
    fn held(all: Params) -> Reach {
        Reach { inside: all, ..Reach::default() }
    }
}

/// What a function does with its parameters.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Summary {
    /// Those whose object it changes.
    same: Params,
    /// Those of which it changes a part.
    part: Params,
    /// What it returns.
    ret: Reach,
}

/// Reports pure functions that change an argument.
pub(super) fn check(program: &mut Program<'_>) {
    if program.functions.iter().all(|f| f.kind != Kind::Pure) {
        return;
    }
    let known = known(program);
    for index in 0..program.functions.len() {
        let function = &program.functions[index];
        if function.kind != Kind::Pure {
            continue;
        }
        let reports = match &function.outcome {
            Outcome::Compiled(_) => {
                let found = Walk::over(program, &known, index).found;
                found.into_iter().map(|(span, change)| report(program, index, span, change)).collect()
            }
            // Of what can't be compiled is known what was seen at first sight.
            Outcome::DoesNotFit(_) | Outcome::Pending | Outcome::Host => function.changes.clone(),
        };
        program.functions[index].diagnostics.extend(reports);
    }
}

fn known(program: &Program<'_>) -> Known {
    let summaries = vec![Summary::default(); program.functions.len()];
    let mut known = Known { summaries, natures: natures(&program.types) };
    loop {
        let mut changed = false;
        for index in 0..program.functions.len() {
            let function = &program.functions[index];
            if matches!(function.outcome, Outcome::Compiled(_)) && !function.is_host() {
                let summary = Walk::over(program, &known, index).summary;
                changed |= std::mem::replace(&mut known.summaries[index], summary) != summary;
            }
        }
        if !changed {
            return known;
        }
    }
}

/// A change of a parameter: which ones, and the function that does it if it is done by a call.
#[derive(Clone, Copy)]
struct Change {
    params: Params,
    callee: Option<usize>,
}

fn report(program: &Program<'_>, index: usize, span: Span, change: Change) -> Diagnostic {
    let function = &program.functions[index];
    let param = function.params.get(change.params.trailing_zeros() as usize);
    let argument = param.map_or_else(|| "argument".to_owned(), |p| format!("argument `{}`", p.name));
    let callee = change.callee.map(|callee| &program.functions[callee]);
    let by = callee.map_or_else(String::new, |callee| format!(" by calling `{}`", callee.name));
    let message = format!("pure function `{}` changes its {argument}{by}", function.name);
    let report = Diagnostic::error(Code::ArgumentChanged, span, message).help("copy it first, and return the copy");
    match callee {
        Some(callee) => report.label(callee.ast.name.span, format!("`{}` changes what it is given", callee.name)),
        None => report,
    }
}

/// What the variables may hold; none where nothing goes on.
type State = Option<Vec<Reach>>;

fn joined(a: State, b: State) -> State {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.into_iter().zip(b).map(|(a, b)| a.join(b)).collect()),
        (a, b) => a.or(b),
    }
}

/// Where `break` and `continue` go.
#[derive(Default)]
struct Around {
    breaks: State,
    continues: State,
}

/// What is known of all functions and types.
struct Known {
    summaries: Vec<Summary>,
    natures: Vec<Nature>,
}

struct Walk<'w, 'p> {
    program: &'w Program<'p>,
    known: &'w Known,
    state: State,
    loops: Vec<Around>,
    summary: Summary,
    found: BTreeMap<Span, Change>,
}

impl Walk<'_, '_> {
    fn over<'w, 'p>(program: &'w Program<'p>, known: &'w Known, index: usize) -> Walk<'w, 'p> {
        let mut walk = Walk {
            program,
            known,
            state: None,
            loops: Vec::new(),
            summary: Summary::default(),
            found: BTreeMap::new(),
        };
        let function = &program.functions[index];
        if let Outcome::Compiled(body) = &function.outcome {
            let vars = body.vars.iter().enumerate().map(|(at, var)| {
                let param = if at < function.params.len() { bit(at) } else { 0 };
                walk.of_type(var.ty, Reach { same: param, part: 0, inside: param })
            });
            let vars = vars.collect();
            walk.state = Some(vars);
            walk.block(&body.stmts);
        }
        walk
    }

    /// What a value of this type may be at most: one that can't change is nothing of a parameter, and what holds no other that
    /// can change has nothing of one inside.
    fn of_type(&self, ty: TypeId, reach: Reach) -> Reach {
        match self.known.natures.get(ty.index()) {
            Some(Nature { changes: true, inside }) => Reach { inside: if *inside { reach.inside } else { 0 }, ..reach },
            _ => Reach::default(),
        }
    }

    fn changed(&mut self, of: Reach, span: Span, callee: Option<usize>) {
        self.summary.same |= of.same;
        self.summary.part |= of.part;
        let params = of.same | of.part;
        if params != 0 {
            self.found.entry(span).or_insert(Change { params, callee });
        }
    }

    /// Something is put into what an expression gives.
    fn put_into(&mut self, receiver: &Expr, what: Params) {
        if let (Some(VarId(var)), Some(state)) = (root(receiver), &mut self.state)
            && let Some(reach) = state.get_mut(var as usize)
        {
            reach.inside |= what;
        }
    }

    fn block(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if self.state.is_none() {
                return;
            }
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Assign(VarId(var), value) => {
                let reach = self.expr(value);
                if let Some(place) = self.state.as_mut().and_then(|state| state.get_mut(*var as usize)) {
                    *place = reach;
                }
            }
            StmtKind::Do(value) => {
                self.expr(value);
            }
            StmtKind::If(test, then, otherwise) => {
                self.expr(test);
                let before = self.state.clone();
                self.block(then);
                let after = std::mem::replace(&mut self.state, before);
                self.block(otherwise);
                self.state = joined(after, self.state.take());
            }
            StmtKind::Loop(lp) => {
                let mut begin = self.state.clone();
                loop {
                    self.state.clone_from(&begin);
                    self.expr(&lp.test);
                    let ended = self.state.clone();
                    self.loops.push(Around::default());
                    self.block(&lp.body);
                    let around = self.loops.pop().unwrap_or_default();
                    self.state = joined(self.state.take(), around.continues);
                    self.block(&lp.step);
                    let again = joined(begin.clone(), self.state.take());
                    if again == begin {
                        self.state = ended;
                        self.block(&lp.otherwise);
                        self.state = joined(self.state.take(), around.breaks);
                        return;
                    }
                    begin = again;
                }
            }
            StmtKind::Break | StmtKind::Continue => {
                let state = self.state.take();
                if let Some(around) = self.loops.last_mut() {
                    let place =
                        if matches!(stmt.kind, StmtKind::Break) { &mut around.breaks } else { &mut around.continues };
                    *place = joined(place.take(), state);
                }
            }
            StmtKind::Return(value) => {
                let reach = self.expr(value);
                self.summary.ret = self.summary.ret.join(reach);
                self.state = None;
            }
            StmtKind::Fail(_, message) => {
                self.expr(message);
                self.state = None;
            }
            StmtKind::Select(cases) => {
                for case in cases {
                    match &case.kind {
                        SelectKind::Get(queue, _) => {
                            self.expr(queue);
                        }
                        SelectKind::Put(queue, value) => {
                            self.expr(queue);
                            self.expr(value);
                        }
                        SelectKind::Default => {}
                    }
                }
                let (before, mut after) = (self.state.clone(), None);
                for case in cases {
                    self.state.clone_from(&before);
                    self.block(&case.body);
                    after = joined(after, self.state.take());
                }
                self.state = after;
            }
        }
    }

    /// What an expression gives, after what it does.
    fn expr(&mut self, expr: &Expr) -> Reach {
        let reach = self.value(expr);
        self.of_type(expr.ty, reach)
    }

    fn value(&mut self, expr: &Expr) -> Reach {
        let all = |args: &[Reach]| args.iter().fold(0, |all, reach| all | reach.any());
        match &expr.kind {
            ExprKind::None
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bytes(_) => Reach::default(),
            ExprKind::Var(VarId(var)) => {
                self.state.as_ref().and_then(|state| state.get(*var as usize)).copied().unwrap_or_default()
            }
            ExprKind::Op(op, args, _) => {
                let reaches: Vec<Reach> = args.iter().map(|arg| self.expr(arg)).collect();
                if op.effect().any(WRITES)
                    && let (Some(receiver), Some(reach)) = (args.first(), reaches.first())
                {
                    self.changed(*reach, expr.span, None);
                    self.put_into(receiver, all(&reaches[1..]));
                }
                let first = reaches.first().copied().unwrap_or_default();
                match op {
                    Op::ListGet | Op::DictGet | Op::SlotGet | Op::DictKeyAt | Op::DictValueAt => first.element(),
                    Op::UnionWiden | Op::UnionNarrow => first,
                    _ => Reach::held(all(&reaches)),
                }
            }
            ExprKind::Builtin(builtin, args) => {
                let reaches: Vec<Reach> = args.iter().map(|arg| self.expr(arg)).collect();
                if builtin.effect().any(WRITES)
                    && let (Some(receiver), Some(reach)) = (args.first(), reaches.first())
                {
                    self.changed(*reach, expr.span, None);
                    self.put_into(receiver, all(&reaches[1..]));
                }
                match builtin.ret() {
                    // One of the arguments, or of what is in them.
                    Pattern::Var(_) | Pattern::Ordered(_) | Pattern::Hashable(_) => {
                        let given = |(_, pattern): &(&str, Pattern)| *pattern == builtin.ret();
                        let each = builtin.params().iter().zip(&reaches);
                        let one = each.map(|(param, reach)| if given(param) { *reach } else { reach.element() });
                        one.fold(Reach::default(), Reach::join)
                    }
                    _ => Reach::held(all(&reaches)),
                }
            }
            ExprKind::Call(callee, args) => {
                let reaches: Vec<Reach> = args.iter().map(|arg| self.expr(arg)).collect();
                if self.program.functions[*callee].is_host() {
                    return Reach::default();
                }
                let does = self.known.summaries[*callee];
                let of = |set: Params| {
                    let each = reaches.iter().enumerate().filter(move |(at, _)| set & bit(*at) != 0);
                    each.map(|(_, reach)| *reach).fold(Reach::default(), Reach::join)
                };
                let (same, part) = (of(does.same), of(does.part).element());
                let ret =
                    of(does.ret.same).join(of(does.ret.part).element()).join(Reach::held(of(does.ret.inside).any()));
                self.changed(same.join(part), expr.span, Some(*callee));
                for (at, arg) in args.iter().enumerate() {
                    if (does.same | does.part) & bit(at) != 0 {
                        let others = reaches.iter().enumerate().filter(|(other, _)| *other != at);
                        let others = others.fold(0, |all, (_, reach)| all | reach.any());
                        self.put_into(arg, others);
                    }
                }
                ret
            }
            ExprKind::Durable(_, args) | ExprKind::Spawn(_, args) => {
                for arg in args {
                    self.expr(arg);
                }
                Reach::default()
            }
            ExprKind::Logic(_, left, right) => {
                self.expr(left);
                let before = self.state.clone();
                self.expr(right);
                self.state = joined(before, self.state.take());
                Reach::default()
            }
            ExprKind::If(test, then, otherwise) => {
                self.expr(test);
                let before = self.state.clone();
                let a = self.expr(then);
                let after = std::mem::replace(&mut self.state, before);
                let b = self.expr(otherwise);
                self.state = joined(after, self.state.take());
                a.join(b)
            }
            ExprKind::Seq(stmts, value) => {
                self.block(stmts);
                if self.state.is_some() { self.expr(value) } else { Reach::default() }
            }
        }
    }
}

fn bit(index: usize) -> Params {
    1 << index.min(63)
}

/// The variable that an expression gives, or a part of whose value it gives.
fn root(expr: &Expr) -> Option<VarId> {
    match &expr.kind {
        ExprKind::Var(var) => Some(*var),
        ExprKind::Op(Op::ListGet | Op::DictGet | Op::SlotGet | Op::UnionWiden | Op::UnionNarrow, args, _) => {
            args.first().and_then(root)
        }
        ExprKind::Seq(_, value) => root(value),
        _ => None,
    }
}

/// What values of a type are.
#[derive(Clone, Copy)]
struct Nature {
    /// They can change, or something inside them can.
    changes: bool,
    /// Something inside them can change.
    inside: bool,
}

/// Of all types, by their ids.
fn natures(types: &Types) -> Vec<Nature> {
    let nature = |ty| Nature {
        changes: changes(types, ty),
        inside: parts_of(types, ty).into_iter().any(|part| changes(types, part)),
    };
    types.ids().map(nature).collect()
}

/// Whether a value of this type can change, or something inside it.
fn changes(types: &Types, ty: TypeId) -> bool {
    fn walk(types: &Types, ty: TypeId, seen: &mut Vec<TypeId>) -> bool {
        if seen.contains(&ty) {
            return false;
        }
        seen.push(ty);
        let itself = match types.get(ty) {
            Type::List(_) | Type::Dict(..) | Type::Set(_) | Type::Queue(_) | Type::Lock | Type::WaitGroup => true,
            Type::Class(class) => types.enumeration(*class).is_none() && !types.class(*class).frozen,
            Type::None | Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => false,
            Type::TupleOf(_) | Type::FrozenSet(_) | Type::Tuple(_) => false,
            Type::Union(members) => members.iter().any(|member| walk(types, *member, seen)),
        };
        itself || parts_of(types, ty).into_iter().any(|part| walk(types, part, seen))
    }
    walk(types, ty, &mut Vec::new())
}

/// The types of what a value of this type holds; of a union, of what its members hold.
fn parts_of(types: &Types, ty: TypeId) -> Vec<TypeId> {
    match types.get(ty) {
        Type::None | Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => Vec::new(),
        Type::Lock | Type::WaitGroup => Vec::new(),
        Type::List(e) | Type::Set(e) | Type::TupleOf(e) | Type::FrozenSet(e) | Type::Queue(e) => vec![*e],
        Type::Dict(key, value) => vec![*key, *value],
        Type::Tuple(parts) => parts.clone(),
        Type::Class(class) => types.class(*class).fields.iter().map(|f| f.ty).collect(),
        Type::Union(members) => members.iter().flat_map(|member| parts_of(types, *member)).collect(),
    }
}

//! What an empty list or dict holds is told by what is done with it: `names = []`, then `names.append(user.name)`. What a
//! variable may be is told by all the values that it is given.
//!
//! An empty literal whose type nobody asks for gets an *unknown* in place of its element types, and the check goes on.
//! Wherever two types must agree (an argument, an assignment, a result, elements of one list), an unknown takes what
//! stands on the other side. Then the function is checked once more, with what was learnt as the types of its literals, so
//! that nothing of the first attempt remains: no checked form, no report. The first use that tells decides, as for mypy;
//! where none does, the literal is reported.

use super::body::Checker;
use super::builtin::Candidate;
use super::names::Program;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::pattern::Pattern;
use deepslate_ir::types::{Class, Type};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The name of an unknown, which no name in a source can be.
const UNKNOWN: &str = "<unknown>";
/// Types are not followed deeper than this.
const DEPTH: u32 = 64;
/// A function is checked at most so often; each attempt but the last one learns the type of a literal, most learn all.
const ATTEMPTS: u32 = 64;

/// What is known of the empty literals of one function, from earlier attempts and in this one.
#[derive(Debug, Default)]
pub(super) struct Inference {
    /// The types of literals, by their place: what earlier attempts have learnt.
    known: HashMap<Span, TypeId>,
    /// The literals of this attempt whose types are not known, and the types with unknowns that they have for now.
    open: BTreeMap<Span, TypeId>,
    /// Unknowns that are in use.
    used: usize,
    /// What unknowns stand for.
    bound: HashMap<TypeId, TypeId>,
    /// The unknowns that stand for something, in the order in which that was found out.
    trail: Vec<TypeId>,
    /// The types of variables that are given values of several types, by the place where they begin.
    several: HashMap<Span, TypeId>,
    /// The places of this attempt's variables whose types nobody wrote.
    inferred: HashSet<Span>,
    /// The places of variables that are looked at where they are read, since they may have no value there.
    late: HashSet<Span>,
    /// Variables that are read in a loop before they are assigned there, with their places and types.
    early: BTreeMap<String, (Span, TypeId)>,
    /// Whether something was learnt about one of these.
    learnt: bool,
    /// The attempts before this one.
    attempts: u32,
}

impl Inference {
    /// Whether there are unknowns.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The variable that begins here gets its type from its values.
    pub fn infers(&mut self, place: Span) {
        self.inferred.insert(place);
    }

    /// Whether the variable that begins here gets its type from its values.
    pub fn is_inferred(&self, place: Span) -> bool {
        self.inferred.contains(&place)
    }

    /// The type that earlier attempts have learnt of the variable that begins here.
    pub fn type_at(&self, place: Span) -> Option<TypeId> {
        self.several.get(&place).copied()
    }

    /// The variable that begins here is of this type; false if that can't be learnt any more.
    pub fn learn_type(&mut self, place: Span, ty: TypeId) -> bool {
        if self.attempts + 1 >= ATTEMPTS || self.several.get(&place) == Some(&ty) {
            return false;
        }
        self.several.insert(place, ty);
        self.learnt = true;
        true
    }

    /// The variable of this name is read before it is assigned, in a turn that follows that one.
    pub fn learn_early(&mut self, name: &str, place: Span, ty: TypeId) {
        if self.attempts + 1 < ATTEMPTS && !self.early.contains_key(name) {
            self.early.insert(name.to_owned(), (place, ty));
            self.late.insert(place);
            self.learnt = true;
        }
    }

    /// The variables that are read before they are assigned.
    pub fn early(&self) -> Vec<(String, Span, TypeId)> {
        self.early.iter().map(|(name, (place, ty))| (name.clone(), *place, *ty)).collect()
    }

    /// Whether the variable that begins here may have no value where it is read.
    pub fn is_late(&self, place: Span) -> bool {
        self.late.contains(&place)
    }

    /// The variable that begins here may have no value where it is read; false if that can't be learnt any more.
    pub fn learn_late(&mut self, place: Span) -> bool {
        let more = self.attempts + 1 < ATTEMPTS && self.late.insert(place);
        self.learnt |= more;
        more
    }
}

impl Program<'_> {
    /// A type that stands for no other one.
    fn unknown_type(&mut self, index: usize) -> TypeId {
        while self.unknowns.len() <= index {
            let class = Class { name: UNKNOWN.to_owned(), fields: Vec::new(), frozen: true };
            let id = self.types.add_class(class);
            let ty = self.types.intern(Type::Class(id));
            self.unknowns.push(ty);
        }
        self.unknowns[index]
    }
}

impl Checker<'_, '_> {
    /// The type of an empty list or dict that nothing asks for a type.
    pub fn empty_type(&mut self, span: Span, make: fn(&mut dyn FnMut() -> TypeId) -> Type) -> TypeId {
        if let Some(known) = self.infer.known.get(&span) {
            return *known;
        }
        if let Some(open) = self.infer.open.get(&span) {
            return *open;
        }
        let mut fresh = || {
            self.infer.used += 1;
            self.program.unknown_type(self.infer.used - 1)
        };
        let ty = make(&mut fresh);
        let ty = self.program.types.intern(ty);
        self.infer.open.insert(span, ty);
        ty
    }

    /// The type of a variable whose first value is this one, at this place.
    pub fn first_type(&mut self, value: &Expr, place: Span) -> TypeId {
        self.infer.infers(place);
        match self.infer.type_at(place) {
            // What was learnt is of this value, unless the same place makes several variables.
            Some(known) if self.program.types.includes(known, value.ty) => known,
            _ => value.ty,
        }
    }

    fn is_unknown(&self, ty: TypeId) -> bool {
        match self.program.types.get(ty) {
            Type::Class(id) => self.program.types.class(*id).name == UNKNOWN,
            _ => false,
        }
    }

    /// Whether something of the type is not known.
    pub fn has_unknown(&self, ty: TypeId) -> bool {
        self.infer.is_open() && self.holds_unknown(ty, 0)
    }

    fn holds_unknown(&self, ty: TypeId, depth: u32) -> bool {
        let inside = |part: &TypeId| self.holds_unknown(*part, depth + 1);
        depth <= DEPTH && (self.is_unknown(ty) || parts(self.program.types.get(ty)).iter().any(inside))
    }

    /// The type with what its unknowns stand for.
    pub fn resolved(&mut self, ty: TypeId) -> TypeId {
        if self.infer.bound.is_empty() { ty } else { self.resolved_at(ty, 0) }
    }

    fn resolved_at(&mut self, ty: TypeId, depth: u32) -> TypeId {
        if depth > DEPTH {
            return ty;
        }
        if let Some(bound) = self.infer.bound.get(&ty).copied() {
            return self.resolved_at(bound, depth + 1);
        }
        let old = self.program.types.get(ty).clone();
        let parts = parts(&old);
        if parts.is_empty() {
            return ty;
        }
        let parts = parts.into_iter().map(|p| self.resolved_at(p, depth + 1)).collect();
        self.rebuilt(&old, parts)
    }

    /// A type of the same kind, made of other types.
    fn rebuilt(&mut self, old: &Type, parts: Vec<TypeId>) -> TypeId {
        match old {
            Type::Union(_) => self.program.types.union(&parts),
            _ => self.program.types.intern(of_parts(old, parts)),
        }
    }

    /// Makes two types agree by what unknowns in them stand for; tells whether they do.
    pub fn unify(&mut self, a: TypeId, b: TypeId) -> bool {
        self.unify_at(a, b, 0)
    }

    fn unify_at(&mut self, a: TypeId, b: TypeId, depth: u32) -> bool {
        let (a, b) = (self.resolved(a), self.resolved(b));
        if a == b {
            return true;
        }
        if depth > DEPTH {
            return false;
        }
        for (unknown, other) in [(a, b), (b, a)] {
            if self.is_unknown(unknown) {
                let within = self.names_type(other, unknown, 0);
                if !within {
                    self.infer.bound.insert(unknown, other);
                    self.infer.trail.push(unknown);
                }
                return !within;
            }
        }
        let ids = (a, b);
        let (a, b) = (self.program.types.get(a).clone(), self.program.types.get(b).clone());
        // Where one of several types is needed, it is the one of the same kind.
        for (members, other, id) in [(&a, &b, ids.1), (&b, &a, ids.0)] {
            if let Type::Union(members) = members {
                let kind = std::mem::discriminant(other);
                let alike = members.iter().find(|m| std::mem::discriminant(self.program.types.get(**m)) == kind);
                return alike.copied().is_some_and(|member| self.unify_at(member, id, depth + 1));
            }
        }
        let (ours, theirs) = (parts(&a), parts(&b));
        if ours.is_empty() || ours.len() != theirs.len() || of_parts(&a, theirs.clone()) != b {
            return false;
        }
        let mut all = true;
        for (a, b) in ours.into_iter().zip(theirs) {
            all &= self.unify_at(a, b, depth + 1);
        }
        all
    }

    /// Whether a type names another one.
    fn names_type(&self, ty: TypeId, other: TypeId, depth: u32) -> bool {
        let inside = |part: &TypeId| self.names_type(*part, other, depth + 1);
        ty == other || depth > DEPTH || parts(self.program.types.get(ty)).iter().any(inside)
    }

    /// A value where a type is needed: what that tells about unknowns of either.
    pub fn told(&mut self, value: Expr, ty: TypeId) -> Expr {
        if self.infer.is_open() && (self.has_unknown(value.ty) || self.has_unknown(ty)) {
            self.unify(value.ty, ty);
            let ty = self.resolved(value.ty);
            return Expr { ty, ..value };
        }
        value
    }

    /// Two values of one type: what each tells about unknowns of the other.
    pub fn alike(&mut self, left: Expr, right: Expr) -> (Expr, Expr) {
        if !self.infer.is_open() {
            return (left, right);
        }
        let right = self.told(right, left.ty);
        let ty = self.resolved(left.ty);
        (Expr { ty, ..left }, right)
    }

    /// A value that is looked for in a list or dict, and that one.
    pub fn element_alike(&mut self, value: Expr, within: Expr) -> (Expr, Expr) {
        if !self.infer.is_open() {
            return (value, within);
        }
        let value = match *self.program.types.get(within.ty) {
            Type::List(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) | Type::Dict(e, _) => {
                self.told(value, e)
            }
            _ => value,
        };
        let ty = self.resolved(within.ty);
        (value, Expr { ty, ..within })
    }

    /// A call of builtins where something of the types is not known; none if all is. The result is of use for its type
    /// only.
    pub fn open_call(
        &mut self,
        shaped: &[(Candidate, Vec<usize>)],
        receiver: Option<&Expr>,
        values: &[Expr],
        span: Span,
    ) -> Option<Option<Expr>> {
        let given = receiver.iter().copied().chain(values);
        if !self.infer.is_open() || !given.clone().any(|e| self.has_unknown(e.ty)) {
            return None;
        }
        let before = usize::from(receiver.is_some());
        for (candidate, slots) in shaped {
            let mut args: Vec<Option<TypeId>> = vec![None; before + values.len()];
            if let Some(receiver) = receiver {
                args[0] = Some(receiver.ty);
            }
            for (value, slot) in values.iter().zip(slots) {
                args[*slot] = Some(value.ty);
            }
            let undo = self.infer.trail.len();
            let mut vars = HashMap::new();
            let params = candidate.params();
            let fits = args.iter().zip(params).enumerate().all(|(at, (arg, (_, pattern)))| {
                arg.is_some_and(|arg| self.open_match(pattern, arg, at >= before, &mut vars))
            });
            if fits && let Some(ret) = self.open_type(&candidate.ret(), &vars) {
                return Some(Some(Expr { ty: ret, span, kind: ExprKind::None }));
            }
            for unknown in self.infer.trail.split_off(undo) {
                self.infer.bound.remove(&unknown);
            }
        }
        Some(None)
    }

    fn open_match(&mut self, pattern: &Pattern, ty: TypeId, is_argument: bool, vars: &mut HashMap<u8, TypeId>) -> bool {
        let ty = self.resolved(ty);
        let parts: Vec<(&Pattern, TypeId)> = match (pattern, self.program.types.get(ty).clone()) {
            (Pattern::Is(id), _) => return super::convert::converts(ty, *id) || self.unify(ty, *id),
            (Pattern::Var(i) | Pattern::Ordered(i) | Pattern::Hashable(i), _) => {
                let bound = *vars.entry(*i).or_insert(ty);
                return super::convert::converts(ty, bound) || self.unify(bound, ty);
            }
            (Pattern::List(e), Type::List(te)) => vec![(e, te)],
            // The builtins take lists, Python takes anything that can be iterated over.
            (Pattern::List(e), Type::Dict(te, _) | Type::Set(te) | Type::FrozenSet(te) | Type::TupleOf(te))
                if is_argument =>
            {
                vec![(e, te)]
            }
            (Pattern::TupleOf(e), Type::TupleOf(te))
            | (Pattern::Set(e), Type::Set(te))
            | (Pattern::FrozenSet(e), Type::FrozenSet(te)) => vec![(e, te)],
            (Pattern::AnySet(i, e), Type::Set(te) | Type::FrozenSet(te)) => {
                vars.insert(*i, ty);
                vec![(e, te)]
            }
            (Pattern::List(e), Type::Str) if is_argument => vec![(e, ty)],
            (Pattern::List(e), Type::Tuple(parts)) if is_argument => parts.into_iter().map(|p| (*e, p)).collect(),
            (Pattern::Dict(k, v), Type::Dict(tk, tv)) => vec![(k, tk), (v, tv)],
            (Pattern::Queue(e), Type::Queue(te)) => vec![(e, te)],
            (Pattern::Pair(a, b), Type::Tuple(parts)) if parts.len() == 2 => vec![(a, parts[0]), (b, parts[1])],
            (Pattern::Triple(a, b, c), Type::Tuple(parts)) if parts.len() == 3 => {
                vec![(a, parts[0]), (b, parts[1]), (c, parts[2])]
            }
            _ => return false,
        };
        parts.into_iter().all(|(pattern, ty)| self.open_match(pattern, ty, false, vars))
    }

    /// The type that a pattern stands for.
    fn open_type(&mut self, pattern: &Pattern, vars: &HashMap<u8, TypeId>) -> Option<TypeId> {
        let mut each = |list: &[&Pattern]| list.iter().map(|p| self.open_type(p, vars)).collect::<Option<Vec<_>>>();
        let ty = match pattern {
            Pattern::Is(id) => return Some(*id),
            Pattern::Var(i) | Pattern::Ordered(i) | Pattern::Hashable(i) | Pattern::AnySet(i, _) => {
                return vars.get(i).copied();
            }
            Pattern::TupleOf(e) => Type::TupleOf(each(&[e])?[0]),
            Pattern::Set(e) => Type::Set(each(&[e])?[0]),
            Pattern::FrozenSet(e) => Type::FrozenSet(each(&[e])?[0]),
            Pattern::List(e) => Type::List(each(&[e])?[0]),
            Pattern::Queue(e) => Type::Queue(each(&[e])?[0]),
            Pattern::Dict(k, v) => {
                let parts = each(&[k, v])?;
                Type::Dict(parts[0], parts[1])
            }
            Pattern::Pair(a, b) => Type::Tuple(each(&[a, b])?),
            Pattern::Triple(a, b, c) => Type::Tuple(each(&[a, b, c])?),
        };
        Some(self.program.types.intern(ty))
    }

    /// At the end of an attempt: what it has learnt, if that is worth another attempt. If not, the literals that nothing
    /// tells about are reported, and what only follows from them is not.
    pub fn learnt(&mut self) -> Option<Inference> {
        let mut known = std::mem::take(&mut self.infer.known);
        let several = std::mem::take(&mut self.infer.several);
        let late = std::mem::take(&mut self.infer.late);
        let early = std::mem::take(&mut self.infer.early);
        let learnt = self.infer.learnt;
        let (mut more, attempts) = (self.infer.learnt, self.infer.attempts + 1);
        let mut left = Vec::new();
        for (span, ty) in std::mem::take(&mut self.infer.open) {
            let ty = self.resolved(ty);
            if attempts >= ATTEMPTS || self.holds_unknown(ty, 0) {
                left.push((span, ty));
            } else {
                more = true;
                // With what was learnt of variables it may be told something else.
                if !learnt {
                    known.insert(span, ty);
                }
            }
        }
        if more {
            return Some(Inference { known, several, late, early, attempts, ..Inference::default() });
        }
        if !left.is_empty() {
            let follows = |d: &Diagnostic| {
                let texts = [Some(&d.message), d.note.as_ref()];
                texts.into_iter().flatten().chain(d.labels.iter().map(|l| &l.message)).any(|t| t.contains(UNKNOWN))
            };
            self.out.retain(|d| !follows(d));
        }
        for (span, ty) in left {
            let report = match self.program.types.get(ty) {
                Type::Dict(..) => {
                    Diagnostic::error(Code::CannotInfer, span, "the types of this empty dict are not known")
                        .help("declare the variable with its type: items: dict[str, int] = {}")
                }
                Type::Set(_) | Type::FrozenSet(_) => {
                    Diagnostic::error(Code::CannotInfer, span, "the type of this empty set's elements is not known")
                        .help("declare the variable with its type: items: set[int] = set()")
                }
                _ => Diagnostic::error(Code::CannotInfer, span, "the type of this empty list's elements is not known")
                    .help("declare the variable with its type: items: list[int] = []"),
            };
            self.report(report);
        }
        None
    }
}

/// The types that a type is made of.
fn parts(ty: &Type) -> Vec<TypeId> {
    match ty {
        Type::List(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) | Type::Queue(e) => vec![*e],
        Type::Dict(k, v) => vec![*k, *v],
        Type::Tuple(parts) | Type::Union(parts) => parts.clone(),
        Type::None
        | Type::Bool
        | Type::Int
        | Type::Float
        | Type::Str
        | Type::Bytes
        | Type::Class(_)
        | Type::Lock
        | Type::WaitGroup => Vec::new(),
    }
}

/// A type of the same kind, made of as many other types.
fn of_parts(ty: &Type, parts: Vec<TypeId>) -> Type {
    match (ty, parts.as_slice()) {
        (Type::List(_), [e]) => Type::List(*e),
        (Type::TupleOf(_), [e]) => Type::TupleOf(*e),
        (Type::Set(_), [e]) => Type::Set(*e),
        (Type::FrozenSet(_), [e]) => Type::FrozenSet(*e),
        (Type::Queue(_), [e]) => Type::Queue(*e),
        (Type::Dict(..), [k, v]) => Type::Dict(*k, *v),
        (Type::Tuple(_), _) => Type::Tuple(parts),
        (other, _) => other.clone(),
    }
}

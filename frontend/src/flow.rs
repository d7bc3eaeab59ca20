//! Which variables certainly have a value at a place: the same small analysis for the checker, which reports reads before
//! an assignment, and for the lowering, which lists variables at stops.

use crate::tree::VarId;
use deepslate_ir::entity::TypeId;
use std::collections::{BTreeMap, BTreeSet};

/// One step from a value to a part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Step {
    /// To the field with this name.
    Field(String),
    /// To the element under this constant key or index.
    Key(String),
}

/// A variable, or a part of what it holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Path {
    var: VarId,
    steps: Vec<Step>,
}

impl Path {
    /// The variable itself.
    pub fn of(var: VarId) -> Path {
        Path { var, steps: Vec::new() }
    }

    /// A part of what is there.
    pub fn with(mut self, step: Step) -> Path {
        self.steps.push(step);
        self
    }

    fn begins_with(&self, other: &Path) -> bool {
        self.var == other.var && self.steps.starts_with(&other.steps)
    }
}

/// The variables that have a value on every path to a place, which members of unions are left of what they hold, and the
/// variables that have a value on some path that was seen; nothing is known of a place that no path leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assigned(Option<BTreeSet<VarId>>, BTreeMap<Path, BTreeSet<TypeId>>, BTreeSet<VarId>);

impl Assigned {
    /// Reached, with these.
    pub fn with(vars: impl IntoIterator<Item = VarId>) -> Assigned {
        let vars: BTreeSet<VarId> = vars.into_iter().collect();
        Assigned(Some(vars.clone()), BTreeMap::new(), vars)
    }

    /// A place that no path leads to.
    pub fn unreachable() -> Assigned {
        Assigned(None, BTreeMap::new(), BTreeSet::new())
    }

    /// Whether a path leads here.
    pub fn is_reached(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the variable has a value here; true where no path leads.
    pub fn has(&self, var: VarId) -> bool {
        self.0.as_ref().is_none_or(|set| set.contains(&var))
    }

    /// Whether the variable has a value on some path that was seen. What a later turn of a loop assigns was not.
    pub fn may_have(&self, var: VarId) -> bool {
        self.2.contains(&var)
    }

    /// What has a value on some path there may have one here, too.
    pub fn see(&mut self, other: &Assigned) {
        self.2.extend(other.2.iter().copied());
    }

    /// The variable gets a value.
    pub fn add(&mut self, var: VarId) {
        if let Some(set) = &mut self.0 {
            set.insert(var);
            self.2.insert(var);
        }
    }

    /// The variable may have a value, and may have none.
    pub fn doubt(&mut self, var: VarId) {
        if let Some(set) = &mut self.0 {
            set.remove(&var);
            self.2.insert(var);
        }
    }

    /// The variable has a value no longer.
    pub fn remove(&mut self, var: VarId) {
        if let Some(set) = &mut self.0 {
            set.remove(&var);
            self.2.remove(&var);
        }
        self.forget(&Path::of(var));
    }

    /// The members that are left of what is at a path, where that is not all of them.
    pub fn narrowed(&self, path: &Path) -> Option<&BTreeSet<TypeId>> {
        self.1.get(path)
    }

    /// Only these members are left.
    pub fn narrow(&mut self, path: Path, members: Vec<TypeId>) {
        self.1.insert(path, members.into_iter().collect());
    }

    /// Nothing is known any more of a path and its parts.
    pub fn forget(&mut self, path: &Path) {
        self.1.retain(|known, _| !known.begins_with(path));
    }

    /// Nothing is known any more of parts of variables.
    pub fn forget_parts(&mut self) {
        self.1.retain(|known, _| known.steps.is_empty());
    }

    /// What was known before holds afterwards only as far as it still does there.
    pub fn keep_known(&mut self, after: &Assigned) {
        if after.is_reached() {
            join_known(&mut self.1, &after.1);
            self.2.extend(after.2.iter().copied());
        }
    }

    /// Another path joins here.
    pub fn join(&mut self, other: &Assigned) {
        match (&mut self.0, &other.0) {
            (_, None) => {}
            (None, Some(_)) => *self = other.clone(),
            (Some(set), Some(others)) => {
                set.retain(|v| others.contains(v));
                join_known(&mut self.1, &other.1);
                self.2.extend(other.2.iter().copied());
            }
        }
    }

    /// The variables, in order.
    pub fn iter(&self) -> impl Iterator<Item = VarId> + '_ {
        self.0.iter().flatten().copied()
    }
}

fn join_known(known: &mut BTreeMap<Path, BTreeSet<TypeId>>, others: &BTreeMap<Path, BTreeSet<TypeId>>) {
    known.retain(|path, members| match others.get(path) {
        Some(more) => {
            members.extend(more.iter().copied());
            true
        }
        None => false,
    });
}

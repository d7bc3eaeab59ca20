//! Which variables certainly have a value at a place: the same small analysis for the checker, which reports reads before
//! an assignment, and for the lowering, which lists variables at stops.

use crate::tree::VarId;
use std::collections::BTreeSet;

/// The variables that have a value on every path to a place; nothing is known of a place that no path leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assigned(Option<BTreeSet<VarId>>);

impl Assigned {
    /// Reached, with these.
    pub fn with(vars: impl IntoIterator<Item = VarId>) -> Assigned {
        Assigned(Some(vars.into_iter().collect()))
    }

    /// A place that no path leads to.
    pub fn unreachable() -> Assigned {
        Assigned(None)
    }

    /// Whether a path leads here.
    pub fn is_reached(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the variable has a value here; true where no path leads.
    pub fn has(&self, var: VarId) -> bool {
        self.0.as_ref().is_none_or(|set| set.contains(&var))
    }

    /// The variable gets a value.
    pub fn add(&mut self, var: VarId) {
        if let Some(set) = &mut self.0 {
            set.insert(var);
        }
    }

    /// The variable has a value no longer.
    pub fn remove(&mut self, var: VarId) {
        if let Some(set) = &mut self.0 {
            set.remove(&var);
        }
    }

    /// Another path joins here.
    pub fn join(&mut self, other: &Assigned) {
        match (&mut self.0, &other.0) {
            (_, None) => {}
            (None, Some(_)) => *self = other.clone(),
            (Some(set), Some(others)) => set.retain(|v| others.contains(v)),
        }
    }

    /// The variables, in order.
    pub fn iter(&self) -> impl Iterator<Item = VarId> + '_ {
        self.0.iter().flatten().copied()
    }
}

//! Conditions, and what has a value where one holds and where it does not: `and`, `or` and `not` evaluate only a part of what
//! they join, and assignments (`:=`) may stand in any part.

use super::body::Checker;
use super::expr::{op, typed};
use crate::ast::{self, ExprKind as A, UnaryOp};
use crate::flow::Assigned;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::ops::Op;
use deepslate_ir::types;

/// What has a value after a condition.
pub(super) struct Outcomes {
    /// Where it holds.
    pub holds: Assigned,
    /// Where it does not.
    pub fails: Assigned,
}

impl Checker<'_, '_> {
    /// A condition, as a truth value. Afterwards what certainly has a value either way is assigned.
    pub fn condition(&mut self, expr: &ast::Expr) -> Option<Expr> {
        let (value, outcomes) = self.test(expr);
        self.assigned = outcomes.holds;
        self.assigned.join(&outcomes.fails);
        value
    }

    /// A condition that decides where to go on. What is assigned afterwards is up to the caller.
    pub fn test(&mut self, expr: &ast::Expr) -> (Option<Expr>, Outcomes) {
        let span = expr.span;
        match &expr.kind {
            A::Unary(UnaryOp::Not, inner) => {
                let (value, Outcomes { holds, fails }) = self.test(inner);
                let value = value.map(|v| op(Op::Bnot, vec![v], types::BOOL, span));
                (value, Outcomes { holds: fails, fails: holds })
            }
            A::Logic(and, values) => {
                let mut checked = Vec::new();
                let mut decided = Assigned::unreachable();
                for value in values {
                    let (value, Outcomes { holds, fails }) = self.test(value);
                    checked.push(value);
                    let (goes_on, ends) = if *and { (holds, fails) } else { (fails, holds) };
                    decided.join(&ends);
                    self.assigned = goes_on;
                }
                let last = self.assigned.clone();
                let outcomes = if *and {
                    Outcomes { holds: last, fails: decided }
                } else {
                    Outcomes { holds: decided, fails: last }
                };
                let joined = checked.into_iter().collect::<Option<Vec<_>>>().and_then(|checked| {
                    checked.into_iter().rev().reduce(|right, left| {
                        typed(types::BOOL, span, ExprKind::Logic(*and, Box::new(left), Box::new(right)))
                    })
                });
                (joined, outcomes)
            }
            _ => {
                let value = self.expr(expr, None).map(|value| self.truth(value));
                (value, self.outcomes(expr))
            }
        }
    }

    /// The same outcomes either way: what has a value now.
    pub fn either_way(&self) -> Outcomes {
        Outcomes { holds: self.assigned.clone(), fails: self.assigned.clone() }
    }

    /// What `check` checks is evaluated only in part: of the names that it assigns, those are certain that one of these
    /// expressions assigns.
    pub fn partly<T>(&mut self, certain: &[&ast::Expr], check: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.assigned.clone();
        let result = check(self);
        let after = std::mem::replace(&mut self.assigned, before);
        let mut names = Vec::new();
        certain.iter().for_each(|e| crate::walk::walrus_names(e, &mut |name| names.push(name.to_owned())));
        for name in names {
            if let Some(var) = self.names.get(&name).and_then(|l| l.var)
                && after.has(var)
            {
                self.assigned.add(var);
            }
        }
        self.assigned.keep_known(&after);
        result
    }
}

//! Conditions, and what has a value where one holds and where it does not: `and`, `or` and `not` evaluate only a part of what
//! they join, and assignments (`:=`) may stand in any part.

use super::body::Checker;
use super::expr::{op, typed};
use crate::ast::{self, CompareOp, ExprKind as A, UnaryOp};
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
                let reached = self.assigned.is_reached();
                for value in values {
                    let (value, Outcomes { holds, fails }) = self.test(value);
                    checked.push(value);
                    let (goes_on, ends) = if *and { (holds, fails) } else { (fails, holds) };
                    decided.join(&ends);
                    self.assigned = goes_on;
                    // What no value leads to is not looked at.
                    if reached && !self.assigned.is_reached() {
                        break;
                    }
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
                let outcomes = self.outcomes_of(expr, value.as_ref());
                (value, outcomes)
            }
        }
    }

    /// The outcomes of a condition whose value is this: where a test of a type has one answer only, there is no other way.
    pub fn outcomes_of(&mut self, expr: &ast::Expr, value: Option<&Expr>) -> Outcomes {
        let mut outcomes = self.outcomes(expr);
        if let (true, Some(answer)) = (self.asks_for_type(expr), value.and_then(answer)) {
            let never = if answer { &mut outcomes.fails } else { &mut outcomes.holds };
            *never = Assigned::unreachable();
        }
        outcomes
    }

    /// Whether a condition asks what a value is: `isinstance`, or `is` with None.
    fn asks_for_type(&self, expr: &ast::Expr) -> bool {
        match &expr.kind {
            A::Compare(first, rest) => match rest.as_slice() {
                [(CompareOp::Is | CompareOp::IsNot, second)] => {
                    matches!(first.kind, A::None) || matches!(second.kind, A::None)
                }
                _ => false,
            },
            A::Call(of, _) => matches!(&of.kind, A::Name(name) if name == "isinstance" && self.is_free(name)),
            _ => false,
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

/// What a condition gives, where that is known.
fn answer(value: &Expr) -> Option<bool> {
    match &value.kind {
        ExprKind::Bool(answer) => Some(*answer),
        ExprKind::Seq(_, value) => answer(value),
        ExprKind::Op(Op::Bnot, args, _) => answer(args.first()?).map(|answer| !answer),
        _ => None,
    }
}

//! Passes over the IR of one function. They change no result, no trap, no log line and no order of effects.
//!
//! Each stop that can still be reached keeps its list: as many values, in the same order, of the same types and names. So a
//! frame that was saved by the function as it was can go on in the function as it is now, by the map that `optimize` gives.

mod dce;
mod fold;

use crate::builder::{drop_needless_params, remove_unreachable, renumber};
use crate::entity::StopId;
use crate::module::{Func, Module};

/// A pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// Computes what has constant operands, and takes the branches that are then known.
    Fold,
    /// Drops each parameter of a block that is passed one value only.
    Copies,
    /// Drops what is computed and never used.
    Dce,
}

impl Pass {
    /// All of them, in the order in which they help each other.
    pub const ALL: [Pass; 4] = [Pass::Copies, Pass::Fold, Pass::Copies, Pass::Dce];

    /// The pass with this name.
    pub fn from_name(name: &str) -> Option<Pass> {
        match name {
            "fold" => Some(Pass::Fold),
            "copies" => Some(Pass::Copies),
            "dce" => Some(Pass::Dce),
            _ => None,
        }
    }
}

/// For each stop of a function as it was, its number now; `None` where it can't be reached.
pub type StopMap = Vec<Option<StopId>>;

/// Runs passes, in this order, over a function of a verified module.
pub fn optimize(module: &Module, func: &mut Func, passes: &[Pass]) -> StopMap {
    let count = func.stops.len();
    for pass in passes {
        match pass {
            Pass::Fold => {
                fold::run(func);
                remove_unreachable(func);
            }
            Pass::Copies => drop_needless_params(func),
            Pass::Dce => dce::run(module, func),
        }
    }
    let kept = func.blocks.iter().flat_map(|b| &b.insts).filter_map(|i| func.inst(*i).stop);
    let mut map = vec![None; count];
    for (new, old) in kept.enumerate() {
        map[old.index()] = Some(StopId::from_index(new));
    }
    renumber(func);
    map
}

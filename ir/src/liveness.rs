//! Which values live on after each instruction, by the usual backwards data flow over blocks.

use crate::entity::{Block, Inst, Value};
use crate::module::{Func, InstData, Listed};
use crate::ops::Op;
use std::collections::BTreeSet;

/// A set of values of one function, as bits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueSet {
    words: Vec<u64>,
}

impl ValueSet {
    /// The empty set, for a function with `count` values.
    pub fn new(count: usize) -> ValueSet {
        ValueSet { words: vec![0; count.div_ceil(64)] }
    }

    /// Whether the value is in the set.
    pub fn contains(&self, value: Value) -> bool {
        self.words[value.index() / 64] >> (value.index() % 64) & 1 == 1
    }

    /// Adds a value; tells whether it was not there.
    pub fn insert(&mut self, value: Value) -> bool {
        let word = &mut self.words[value.index() / 64];
        let bit = 1 << (value.index() % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Takes a value out.
    pub fn remove(&mut self, value: Value) {
        self.words[value.index() / 64] &= !(1 << (value.index() % 64));
    }

    /// Adds all of another set; tells whether any was not there.
    pub fn union(&mut self, other: &ValueSet) -> bool {
        let mut changed = false;
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            changed |= *more & !*word != 0;
            *word |= more;
        }
        changed
    }

    /// The values, in order.
    pub fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        let bits = |(i, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |b| word >> b & 1 == 1).map(move |b| Value::from_index(i * 64 + b))
        };
        self.words.iter().enumerate().flat_map(bits)
    }
}

/// The values that live on at the borders of each block.
#[derive(Debug)]
pub struct Liveness {
    /// For each block, the values that are needed in or after it and made before it (its parameters not among them).
    pub live_in: Vec<ValueSet>,
}

impl Liveness {
    /// Computes the liveness of a function whose value numbers are all in range.
    pub fn of(func: &Func) -> Liveness {
        let empty = ValueSet::new(func.values.len());
        let mut live = Liveness { live_in: vec![empty; func.blocks.len()] };
        let mut changed = true;
        while changed {
            changed = false;
            for block in func.block_ids().collect::<Vec<_>>().into_iter().rev() {
                let mut set = live.walk(func, block, |_, _| {});
                for param in &func.block(block).params {
                    set.remove(*param);
                }
                changed |= live.live_in[block.index()].union(&set);
            }
        }
        live
    }

    /// Adds what the targets of an instruction need.
    fn after(&self, inst: &InstData, set: &mut ValueSet) {
        for target in &inst.targets {
            set.union(&self.live_in[target.block.index()]);
            for arg in &target.args {
                set.insert(*arg);
            }
        }
    }

    /// Calls `visit` for each instruction of a block, last first, with the values that live on after it (its result among
    /// them, if it is used). Gives what is live where the block begins, its parameters among them.
    pub fn walk(&self, func: &Func, block: Block, mut visit: impl FnMut(Inst, &ValueSet)) -> ValueSet {
        let mut set = ValueSet::new(func.values.len());
        for id in func.block(block).insts.iter().rev() {
            let inst = func.inst(*id);
            self.after(inst, &mut set);
            visit(*id, &set);
            if let Some(result) = inst.result {
                set.remove(result);
            }
            if let Some(stop) = inst.stop {
                func.stop(stop).values.iter().for_each(|l| {
                    set.insert(l.value);
                });
            }
            for arg in &inst.args {
                set.insert(*arg);
            }
        }
        set
    }
}

/// The values that the stop of each stopping instruction must list at least, by stop number: those that live on after it, and of
/// a `call_or_host` its arguments.
pub fn required_at_stops(func: &Func) -> Vec<Vec<Value>> {
    let live = Liveness::of(func);
    let mut required = vec![Vec::new(); func.stops.len()];
    for block in func.block_ids() {
        live.walk(func, block, |id, after| {
            let inst = func.inst(id);
            if let Some(stop) = inst.stop {
                let mut listed: Vec<Value> = after.iter().filter(|v| inst.result != Some(*v)).collect();
                if inst.op == Op::CallOrHost {
                    // What the host function is called with, should it come to that.
                    let args = inst.args.iter().filter(|arg| !after.contains(**arg));
                    listed.extend(args.copied().collect::<BTreeSet<Value>>());
                }
                required[stop.index()] = listed;
            }
        });
    }
    required
}

/// Appends to each stop's list the live values that it lacks. Since stops' own lists keep values alive at earlier stops,
/// the named ones must be there already.
pub fn complete_stops(func: &mut Func) {
    let required = required_at_stops(func);
    for (stop, required) in func.stops.iter_mut().zip(required) {
        let listed: BTreeSet<Value> = stop.values.iter().map(|l| l.value).collect();
        let missing = required.into_iter().filter(|v| !listed.contains(v));
        stop.values.extend(missing.map(|value| Listed { value, name: None }));
    }
}

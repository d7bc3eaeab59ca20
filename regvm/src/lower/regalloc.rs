//! Gives each value of a function a register of its frame, by one linear scan over live intervals (Poletto and Sarkar,
//! "Linear Scan Register Allocation", 1999). There are enough registers that nothing is ever spilled, so the scan only
//! keeps frames small and tries to give a block's parameter the register of what is passed to it.
//!
//! References come first in a frame and scalars after them, so that the collector needs no maps. Relies on the IR's
//! verifier; what a stop lists counts as used there (see `Plan::registers_read`).

use super::fuse::Plan;
use deepslate_ir::entity::{Inst, Value};
use deepslate_ir::liveness::ValueSet;
use deepslate_ir::module::{Case, Func, Imm, Module};
use deepslate_ir::types::Type;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// The most registers that a frame may have: a register's number fits 16 bits.
pub(crate) const REGISTERS_MAX: usize = u16::MAX as usize;

/// Where the values of a function live.
#[derive(Debug)]
pub(super) struct Registers {
    of: Vec<Option<u16>>,
    /// References are in the registers below this.
    pub refs: u16,
    /// The size of the frame.
    pub count: u16,
    /// The parameters' registers.
    pub params: Vec<u16>,
    /// Where the element that a select takes is put before the target's moves: a reference, a scalar.
    deliver: [Option<u16>; 2],
}

impl Registers {
    /// The register of a value that has one.
    pub fn of(&self, value: Value) -> u16 {
        self.of[value.index()].expect("a value that is read or written has a register")
    }

    /// The register that takes a select's element of this class.
    pub fn deliver(&self, reference: bool) -> u16 {
        self.deliver[usize::from(!reference)].expect("a function with such a select has the register")
    }

    /// Allocates. Fails with the number of registers that would be needed where it is too large.
    pub fn allocate(module: &Module, func: &Func, plan: &Plan, share: bool) -> Result<Registers, usize> {
        let reference: Vec<bool> = func.values.iter().map(|ty| module.types.is_ref(*ty)).collect();
        let mut of = vec![None; func.values.len()];
        let mut counts = if share {
            scan(func, plan, &reference, &mut of)
        } else {
            let mut counts = [0usize; 2];
            for value in in_registers(func, plan) {
                let count = &mut counts[usize::from(!reference[value.index()])];
                of[value.index()] = Some(*count);
                *count += 1;
            }
            counts
        };
        let mut deliver = [None; 2];
        for class in delivered_classes(module, func) {
            deliver[class].get_or_insert_with(|| {
                counts[class] += 1;
                counts[class] - 1
            });
        }
        let [refs, scalars] = counts;
        let count = refs + scalars;
        if count > REGISTERS_MAX {
            return Err(count);
        }
        // The casts are in range by the line above.
        let of: Vec<Option<u16>> = of
            .into_iter()
            .zip(&reference)
            .map(|(reg, reference)| reg.map(|r| if *reference { r } else { refs + r } as u16))
            .collect();
        let params = func.block(Func::ENTRY).params.iter();
        let params = params.map(|p| of[p.index()].expect("parameters have registers")).collect();
        let deliver = [deliver[0].map(|r| r as u16), deliver[1].map(|r| (refs + r) as u16)];
        Ok(Registers { of, refs: refs as u16, count: count as u16, params, deliver })
    }
}

/// The classes (0 reference, 1 scalar) of what selects take from queues.
fn delivered_classes(module: &Module, func: &Func) -> Vec<usize> {
    let mut classes = Vec::new();
    for inst in &func.insts {
        let Imm::Cases(cases) = &inst.imm else { continue };
        let mut args = inst.args.iter();
        for case in cases {
            let queue = if *case == Case::Default { None } else { args.next() };
            match (case, queue.map(|q| module.types.get(func.ty(*q)))) {
                (Case::Get, Some(Type::Queue(element))) => classes.push(usize::from(!module.types.is_ref(*element))),
                (Case::Put, _) => {
                    args.next();
                }
                _ => {}
            }
        }
    }
    classes
}

/// The values that get a register: parameters of blocks and results of what is emitted.
fn in_registers<'a>(func: &'a Func, plan: &'a Plan) -> impl Iterator<Item = Value> + 'a {
    func.blocks.iter().flat_map(move |b| {
        let results = b.insts.iter().filter_map(move |i| plan.register_written(func, *i));
        b.params.iter().copied().chain(results)
    })
}

/// From where to where (exclusive) a value keeps its register. Each block and each instruction has two positions: an
/// instruction reads at the first and writes at the second; a block's parameters are written at its first.
#[derive(Clone, Copy)]
struct Interval {
    start: u32,
    end: u32,
}

impl Interval {
    fn cover(&mut self, from: u32, to: u32) {
        self.start = self.start.min(from);
        self.end = self.end.max(to);
    }
}

fn scan(func: &Func, plan: &Plan, reference: &[bool], of: &mut [Option<usize>]) -> [usize; 2] {
    let intervals = intervals(func, plan);
    let mut wishes: Vec<Vec<Value>> = vec![Vec::new(); func.values.len()];
    for inst in &func.insts {
        for (index, target) in inst.targets.iter().enumerate() {
            let params = &func.block(target.block).params[inst.delivers(index)..];
            for (param, arg) in params.iter().zip(&target.args) {
                wishes[param.index()].push(*arg);
                wishes[arg.index()].push(*param);
            }
        }
    }
    let mut order: Vec<Value> = in_registers(func, plan).collect();
    // The sort is stable: the parameters of the entry keep their order.
    order.sort_by_key(|v| intervals[v.index()].start);
    let mut free: [BTreeSet<usize>; 2] = Default::default();
    let mut busy: [BinaryHeap<Reverse<(u32, usize)>>; 2] = Default::default();
    let mut counts = [0usize; 2];
    for value in order {
        let class = usize::from(!reference[value.index()]);
        let Interval { start, end } = intervals[value.index()];
        while let Some(Reverse((until, reg))) = busy[class].peek().copied()
            && until <= start
        {
            busy[class].pop();
            free[class].insert(reg);
        }
        let wished = wishes[value.index()].iter().filter_map(|w| of[w.index()]).find(|r| free[class].contains(r));
        let reg = match wished.or_else(|| free[class].first().copied()) {
            Some(reg) => {
                free[class].remove(&reg);
                reg
            }
            None => {
                counts[class] += 1;
                counts[class] - 1
            }
        };
        of[value.index()] = Some(reg);
        busy[class].push(Reverse((end, reg)));
    }
    counts
}

fn intervals(func: &Func, plan: &Plan) -> Vec<Interval> {
    let live_in = live_in(func, plan);
    let mut intervals = vec![Interval { start: u32::MAX, end: 0 }; func.values.len()];
    let mut position = 0u32;
    for block in func.block_ids() {
        let start = position;
        for param in &func.block(block).params {
            intervals[param.index()].cover(start, start + 1);
        }
        for value in live_in[block.index()].iter() {
            intervals[value.index()].cover(start, start + 1);
        }
        position += 2;
        for id in &func.block(block).insts {
            plan.registers_read(func, *id, |v| intervals[v.index()].cover(position, position + 1));
            if let Some(result) = plan.register_written(func, *id) {
                intervals[result.index()].cover(position + 1, position + 2);
            }
            position += 2;
        }
        // One that lives on to another block also lives at this one's beginning, or was covered where it is made.
        for target in &func.terminator(block).targets {
            for value in live_in[target.block.index()].iter() {
                let end = &mut intervals[value.index()].end;
                *end = (*end).max(position);
            }
        }
    }
    intervals
}

/// For each block the values that are needed in or after it and made before it.
fn live_in(func: &Func, plan: &Plan) -> Vec<ValueSet> {
    let mut live = vec![ValueSet::new(func.values.len()); func.blocks.len()];
    let blocks: Vec<_> = func.block_ids().collect();
    let step = |set: &mut ValueSet, id: Inst| {
        if let Some(result) = func.inst(id).result {
            set.remove(result);
        }
        plan.registers_read(func, id, |v| {
            set.insert(v);
        });
    };
    let mut changed = true;
    while changed {
        changed = false;
        for block in blocks.iter().rev() {
            let mut set = ValueSet::new(func.values.len());
            for target in &func.terminator(*block).targets {
                set.union(&live[target.block.index()]);
            }
            func.block(*block).insts.iter().rev().for_each(|id| step(&mut set, *id));
            func.block(*block).params.iter().for_each(|p| set.remove(*p));
            changed |= live[block.index()].union(&set);
        }
    }
    live
}

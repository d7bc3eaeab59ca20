//! Gives each value of a function a register of its frame, by one linear scan over live ranges with holes (Wimmer and
//! Mössenböck, "Optimized Interval Splitting in a Linear Scan Register Allocator", 2005). There are enough registers that
//! nothing is ever spilled or split, so the scan only keeps frames small and tries to give a block's parameter the
//! register of what is passed to it.
//!
//! References come first in a frame and scalars after them, so that the collector needs no maps. Relies on the IR's
//! verifier; what a stop lists counts as used there (see `Plan::registers_read`).

use super::fuse::Plan;
use deepslate_ir::entity::{Inst, Value};
use deepslate_ir::liveness::ValueSet;
use deepslate_ir::module::{Case, Func, Imm, Module};
use deepslate_ir::planted::{Plant, is_planted};
use deepslate_ir::types::Type;
use std::collections::BTreeMap;

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
                (Case::Receive, _) => classes.push(0),
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

/// The positions at which a value keeps its register: disjoint, in order, ends exclusive. Each block and each instruction has
/// two positions: an instruction reads at the first and writes at the second; a block's parameters are written at its first.
type Ranges = Vec<(u32, u32)>;

/// What the positions of one register are taken by: ends of ranges by their starts.
type Taken = BTreeMap<u32, u32>;

fn is_free(taken: &Taken, ranges: &Ranges) -> bool {
    ranges.iter().all(|(from, to)| taken.range(..to).next_back().is_none_or(|(_, end)| end <= from))
}

/// How many of the lowest registers are tried before a new one is taken, so that a large function takes linear time.
const TRIED_MAX: usize = 64;

fn scan(func: &Func, plan: &Plan, reference: &[bool], of: &mut [Option<usize>]) -> [usize; 2] {
    let ranges = ranges(func, plan);
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
    order.sort_by_key(|v| ranges[v.index()].first().map(|r| r.0));
    let mut taken: [Vec<Taken>; 2] = Default::default();
    for value in order {
        let taken = &mut taken[usize::from(!reference[value.index()])];
        let ranges = &ranges[value.index()];
        let wished = wishes[value.index()].iter().filter_map(|w| of[w.index()]).find(|r| is_free(&taken[*r], ranges));
        let lowest = || (0..taken.len().min(TRIED_MAX)).find(|r| is_free(&taken[*r], ranges));
        let reg = wished.or_else(lowest).unwrap_or_else(|| {
            // Past those that are tried one by one, one that is free for good.
            let start = ranges.first().map_or(0, |r| r.0);
            let later =
                (TRIED_MAX..taken.len()).find(|r| taken[*r].last_key_value().is_none_or(|(_, end)| *end <= start));
            later.unwrap_or_else(|| {
                taken.push(Taken::new());
                taken.len() - 1
            })
        });
        of[value.index()] = Some(reg);
        taken[reg].extend(ranges.iter().copied());
    }
    taken.map(|t| t.len())
}

fn ranges(func: &Func, plan: &Plan) -> Vec<Ranges> {
    let live_in = live_in(func, plan);
    let starts: Vec<u32> = func
        .blocks
        .iter()
        .scan(0, |at, b| {
            let start = *at;
            *at += 2 + 2 * b.insts.len() as u32;
            Some(start)
        })
        .collect();
    // Blocks and instructions are walked backwards, so ranges come last first.
    let mut ranges: Vec<Ranges> = vec![Vec::new(); func.values.len()];
    for block in func.block_ids().collect::<Vec<_>>().into_iter().rev() {
        let start = starts[block.index()];
        let insts = &func.block(block).insts;
        let end = start + 2 + 2 * insts.len() as u32;
        // A value that is alive has an open range from the block's start, which its definition cuts.
        let mut open = |value: Value, to: u32| match ranges[value.index()].last_mut() {
            Some((from, _)) if *from <= start => {}
            Some((from, _)) if *from == to => *from = start,
            _ => ranges[value.index()].push((start, to)),
        };
        for target in &func.terminator(block).targets {
            if is_planted(Plant::RegistersBackEdge) && target.block.index() <= block.index() {
                continue;
            }
            live_in[target.block.index()].iter().for_each(|v| open(v, end));
        }
        for (index, id) in insts.iter().enumerate().rev() {
            let position = start + 2 + 2 * index as u32;
            if let Some(result) = plan.register_written(func, *id) {
                let ranges = &mut ranges[result.index()];
                match ranges.last_mut() {
                    Some((from, _)) if *from == start => *from = position + 1,
                    _ => ranges.push((position + 1, position + 2)),
                }
            }
            plan.registers_read(func, *id, |v| match ranges[v.index()].last_mut() {
                Some((from, _)) if *from == start => {}
                Some((from, _)) if *from == position + 1 => *from = start,
                _ => ranges[v.index()].push((start, position + 1)),
            });
        }
        for param in &func.block(block).params {
            let ranges = &mut ranges[param.index()];
            if ranges.last().is_none_or(|(from, _)| *from != start) {
                ranges.push((start, start + 1));
            }
        }
    }
    ranges.iter_mut().for_each(|r| r.reverse());
    ranges
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

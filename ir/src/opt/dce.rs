//! Dead code: instructions whose result nobody uses and whose effects nobody sees, and parameters of blocks that nobody
//! uses. What a stop lists is used. What may trap stays, since a trap is seen.

use crate::entity::{Block, Inst, Value};
use crate::module::{Func, Module};
use crate::ops::{DURABLE, ENDS_BLOCK, Effect, HOST, STOPS, SYNC, TRAPS, WRITES};

const SEEN: Effect = Effect(TRAPS.0 | WRITES.0 | HOST.0 | SYNC.0 | DURABLE.0 | STOPS.0 | ENDS_BLOCK.0);

/// What a value comes from.
#[derive(Clone, Copy)]
enum Source {
    Inst(Inst),
    Param(Block, usize),
}

pub(super) fn run(module: &Module, func: &mut Func) {
    let mut source = vec![None; func.values.len()];
    let mut edges: Vec<Vec<(Inst, usize)>> = vec![Vec::new(); func.blocks.len()];
    for block in func.block_ids() {
        let content = func.block(block);
        for (at, param) in content.params.iter().enumerate() {
            source[param.index()] = Some(Source::Param(block, at));
        }
        for id in &content.insts {
            let inst = func.inst(*id);
            if let Some(result) = inst.result {
                source[result.index()] = Some(Source::Inst(*id));
            }
            for (at, target) in inst.targets.iter().enumerate() {
                edges[target.block.index()].push((*id, at));
            }
        }
    }
    let mut used = vec![false; func.values.len()];
    let mut work: Vec<Value> = Vec::new();
    for id in func.blocks.iter().flat_map(|b| &b.insts) {
        let inst = func.inst(*id);
        if module.effect(inst).any(SEEN) {
            work.extend(&inst.args);
            work.extend(inst.stop.iter().flat_map(|s| func.stop(*s).values.iter().map(|l| l.value)));
        }
    }
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut used[value.index()], true) {
            continue;
        }
        match source[value.index()] {
            Some(Source::Inst(id)) => work.extend(&func.inst(id).args),
            Some(Source::Param(block, at)) => {
                for (id, target) in &edges[block.index()] {
                    let inst = func.inst(*id);
                    // What the instruction itself delivers has no argument.
                    let arg = at.checked_sub(inst.delivers(*target)).map(|i| inst.targets[*target].args[i]);
                    work.extend(arg);
                }
            }
            None => {}
        }
    }
    for (block, edges) in edges.iter().enumerate() {
        let delivered = edges.iter().any(|(id, target)| func.inst(*id).delivers(*target) > 0);
        let keeps =
            |at: usize, param: Value| block == Func::ENTRY.index() || used[param.index()] || (delivered && at == 0);
        let kept: Vec<bool> = func.blocks[block].params.iter().enumerate().map(|(at, p)| keeps(at, *p)).collect();
        for (id, target) in edges {
            let inst = &mut func.insts[id.index()];
            let mut kept = kept.iter().skip(inst.delivers(*target));
            inst.targets[*target].args.retain(|_| kept.next().copied().unwrap_or(true));
        }
        let mut each = kept.iter();
        func.blocks[block].params.retain(|_| each.next().copied().unwrap_or(true));
        let insts = std::mem::take(&mut func.blocks[block].insts);
        let stays = |id: &Inst| {
            let inst = func.inst(*id);
            module.effect(inst).any(SEEN) || inst.result.is_none_or(|v| used[v.index()])
        };
        func.blocks[block].insts = insts.into_iter().filter(stays).collect();
    }
}

//! Constant folding: what a scalar instruction computes from constants is computed here, by the same functions that compute
//! it when the program runs. What would trap is left to trap there; a NaN is left too, since machines choose its bits.

use crate::entity::Value;
use crate::eval;
use crate::module::{Func, Imm, InstData};
use crate::ops::Op;
use crate::types;
use smallvec::SmallVec;

/// Folds until nothing changes. Blocks that nothing reaches any more stay where they are.
pub(super) fn run(func: &mut Func) {
    let mut constants: Vec<Option<u64>> = vec![None; func.values.len()];
    loop {
        let mut changed = false;
        for block in 0..func.blocks.len() {
            for at in 0..func.blocks[block].insts.len() {
                let id = func.blocks[block].insts[at];
                let inst = &mut func.insts[id.index()];
                if inst.op == Op::Branch {
                    changed |= fold_branch(inst, &constants);
                    continue;
                }
                let Some(result) = inst.result.filter(|v| constants[v.index()].is_none()) else { continue };
                let args: Option<SmallVec<[u64; 3]>> = inst.args.iter().map(|v| constants[v.index()]).collect();
                let Some(Ok(slot)) = args.and_then(|args| eval::scalar(inst.op, &args, &inst.imm)) else { continue };
                if fold_inst(inst, func.values[result.index()], slot) {
                    constants[result.index()] = Some(slot);
                    changed = true;
                }
            }
        }
        if !changed {
            return;
        }
    }
}

/// Makes the instruction the constant that it computes; tells whether it is one.
fn fold_inst(inst: &mut InstData, ty: crate::entity::TypeId, slot: u64) -> bool {
    let (op, imm) = match ty {
        types::INT => (Op::Iconst, Imm::Int(slot as i64)),
        types::BOOL => (Op::Bconst, Imm::Bool(slot != 0)),
        types::NONE => (Op::None, Imm::No),
        types::FLOAT => {
            let value = f64::from_bits(slot);
            if value.is_nan() && inst.op != Op::Fconst {
                return false;
            }
            (Op::Fconst, Imm::Float(value))
        }
        _ => return false,
    };
    inst.op = op;
    inst.imm = imm;
    inst.args.clear();
    true
}

/// Makes a branch on a constant a jump; tells whether it did.
fn fold_branch(inst: &mut InstData, constants: &[Option<u64>]) -> bool {
    let condition: Option<Value> = inst.args.first().copied();
    let Some(slot) = condition.and_then(|v| constants[v.index()]) else { return false };
    let taken = usize::from(slot == 0);
    inst.op = Op::Jump;
    inst.args.clear();
    inst.targets.swap(0, taken);
    inst.targets.truncate(1);
    true
}

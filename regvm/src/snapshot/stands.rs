//! What a place where a frame stands says of the values that go with it: of what type a delivered result is, what a task that
//! waits there waits for. The encoder and the reader of stored tasks both ask here.

use deepslate_ir::entity::{FuncId, StopId, TypeId};
use deepslate_ir::module::{Func, Imm, InstData, Module};

/// A function and one of its stops.
#[derive(Clone, Copy)]
pub(super) struct Stand<'a> {
    pub module: &'a Module,
    pub func: FuncId,
    pub stop: StopId,
}

impl<'a> Stand<'a> {
    pub fn func(&self) -> &'a Func {
        self.module.func(self.func)
    }

    /// The instruction that the stop belongs to.
    pub fn inst(&self) -> &'a InstData {
        let func = self.func();
        func.inst(func.stop(self.stop).inst)
    }

    /// The type of the instruction's result, if it has one.
    pub fn result(&self) -> Option<TypeId> {
        self.inst().result.map(|value| self.func().ty(value))
    }

    /// The type of the element that a case of a select delivers, if it is one that does.
    pub fn element(&self, case: u32) -> Option<TypeId> {
        let (inst, case) = (self.inst(), case as usize);
        if inst.delivers(case) == 0 {
            return None;
        }
        let target = self.func().block(inst.targets.get(case)?.block);
        target.params.first().map(|value| self.func().ty(*value))
    }

    /// For each case of a select the type of its queue and whether it puts; `None` for the default.
    pub fn cases(&self) -> Option<Vec<Option<(TypeId, bool)>>> {
        let inst = self.inst();
        let Imm::Cases(cases) = &inst.imm else { return None };
        let mut args = inst.args.iter();
        let mut out = Vec::with_capacity(cases.len());
        for case in cases {
            use deepslate_ir::module::Case;
            let mut queue = || args.next().map(|value| self.func().ty(*value));
            out.push(match case {
                Case::Get | Case::Receive => Some((queue()?, false)),
                Case::Put => {
                    let ty = queue()?;
                    queue()?;
                    Some((ty, true))
                }
                Case::Default => None,
            });
        }
        Some(out)
    }
}

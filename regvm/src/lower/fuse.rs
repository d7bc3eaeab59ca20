//! Which instructions are emitted as forms that do the work of several: constants inside their users, compares inside
//! their branches. Two tables say what there is; adding a form is adding a row.
//!
//! Nothing that a stop lists disappears: a listed value is a use. Only a scalar constant may be left out although stops list
//! it, since whoever writes a frame down can take it from the stop's table.

use crate::ops::Form;
use deepslate_ir::entity::{Inst, Value};
use deepslate_ir::eval;
use deepslate_ir::module::{Func, Imm, InstData};
use deepslate_ir::ops::Op;

/// A form that takes one operand as a constant of 16 bits.
struct WithImmediate {
    op: Op,
    /// For a constant second operand.
    right: Form,
    /// For a constant first operand; only where no trap would show the operands exchanged.
    left: Option<Form>,
}

/// A form that compares and jumps. With `swapped`, its operands are exchanged.
struct WithBranch {
    op: Op,
    swapped: bool,
    /// Jumps if the comparison holds, both operands in registers.
    holds: Form,
    /// Jumps if it does not.
    fails: Form,
    /// The same two with a constant second operand (the first form is of the comparison as the table above gives it).
    immediate: Option<(Form, Form)>,
}

macro_rules! with_immediate {
    ($($op:ident right $right:ident $(left $left:ident)?;)*) => {
        const WITH_IMMEDIATE: &[WithImmediate] = &[$(WithImmediate {
            op: Op::$op,
            right: Form::$right,
            left: with_immediate!(@left $($left)?),
        }),*];
    };
    (@left) => { None };
    (@left $left:ident) => { Some(Form::$left) };
}

with_immediate! {
    Iadd right IaddRi;
    Isub right IsubRi;
    Imul right ImulRi;
    Ifloordiv right IfloordivRi;
    Imod right ImodRi;
    Iand right IandRi left IandRi;
    Ishl right IshlRi;
    Ishr right IshrRi;
    Ieq right IeqRi left IeqRi;
    Ine right IneRi left IneRi;
    Ilt right IltRi left IgtRi;
    Ile right IleRi left IgeRi;
    Igt right IgtRi left IltRi;
    Ige right IgeRi left IleRi;
}

macro_rules! with_branch {
    ($($op:ident $(($swapped:ident))? jumps $holds:ident else $fails:ident $(immediate $ih:ident else $if:ident)?;)*) => {
        const WITH_BRANCH: &[WithBranch] = &[$(WithBranch {
            op: Op::$op,
            swapped: with_branch!(@swapped $($swapped)?),
            holds: Form::$holds,
            fails: Form::$fails,
            immediate: with_branch!(@immediate $($ih $if)?),
        }),*];
    };
    (@swapped) => { false };
    (@swapped swapped) => { true };
    (@immediate) => { None };
    (@immediate $ih:ident $if:ident) => { Some((Form::$ih, Form::$if)) };
}

with_branch! {
    Ieq jumps BrIeqRr else BrIneRr immediate BrIeqRi else BrIneRi;
    Ine jumps BrIneRr else BrIeqRr immediate BrIneRi else BrIeqRi;
    Ilt jumps BrIltRr else BrIgeRr immediate BrIltRi else BrIgeRi;
    Ile jumps BrIleRr else BrIgtRr immediate BrIleRi else BrIgtRi;
    Igt jumps BrIgtRr else BrIleRr immediate BrIgtRi else BrIleRi;
    Ige jumps BrIgeRr else BrIltRr immediate BrIgeRi else BrIltRi;
    Feq jumps BrFeq else BrFne;
    Fne jumps BrFne else BrFeq;
    Flt jumps BrFlt else BrFnlt;
    Fle jumps BrFle else BrFnle;
    Fgt (swapped) jumps BrFlt else BrFnlt;
    Fge (swapped) jumps BrFle else BrFnle;
    Bnot jumps BrFalse else BrTrue;
}

/// How an instruction is emitted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Pick {
    /// Not at all: its users do its work, or nothing uses it.
    Skip,
    /// By the form that takes all operands in registers.
    Plain,
    /// By a form with this constant; the operand with this index stays in a register.
    Immediate { form: Form, operand: usize, imm: i16 },
    /// A branch that makes its comparison itself.
    Fused(FusedBranch),
}

/// A comparison inside its branch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct FusedBranch {
    /// Jumps if the comparison holds.
    pub holds: Form,
    /// Jumps if it does not.
    pub fails: Form,
    /// The first operand.
    pub a: Value,
    /// The second one: a register, a constant, or none (a branch on a negated truth value).
    pub b: Second,
}

/// A fused branch's second operand.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Second {
    /// None.
    No,
    /// A value in a register.
    Value(Value),
    /// A constant.
    Imm(i16),
}

/// How each instruction of a function is emitted.
pub(super) struct Plan {
    picks: Vec<Pick>,
    /// By value, the bits of scalar constants that are in no register.
    constants: Vec<Option<u64>>,
}

impl Plan {
    /// Chooses the forms. `fuse`: use forms that do the work of several; `short_jumps`: jumps of 16 bits reach everywhere.
    pub fn of(func: &Func, fuse: bool, short_jumps: bool) -> Plan {
        let constants = vec![None; func.values.len()];
        let mut plan = Plan { picks: vec![Pick::Plain; func.insts.len()], constants };
        if !fuse {
            return plan;
        }
        let defined_by = definitions(func);
        let (mut uses, listed) = count_uses(func);
        for (index, inst) in func.insts.iter().enumerate() {
            if let Some((pick, constant)) = immediate(func, &defined_by, inst) {
                plan.picks[index] = pick;
                uses[constant.index()] -= 1;
            }
        }
        if short_jumps {
            for block in func.block_ids() {
                let insts = &func.block(block).insts;
                let Some(last) = insts.last() else { continue };
                let branch = func.inst(*last);
                if branch.op != Op::Branch {
                    continue;
                }
                let condition = branch.args[0];
                // A comparison in another block could be made there more often, or with operands that are gone here.
                let compare =
                    defined_by[condition.index()].filter(|c| insts.contains(c) && uses[condition.index()] == 1);
                if let Some((compare, fused)) = compare.and_then(|c| Some((c, branched(func, &plan, c)?))) {
                    plan.picks[last.index()] = Pick::Fused(fused);
                    plan.picks[compare.index()] = Pick::Skip;
                }
            }
        }
        for (index, inst) in func.insts.iter().enumerate() {
            let Some(result) = inst.result else { continue };
            match inst.op {
                Op::Iconst | Op::Fconst | Op::Bconst | Op::None if uses[result.index()] == listed[result.index()] => {
                    plan.constants[result.index()] = eval::scalar(inst.op, &[], &inst.imm).and_then(Result::ok);
                    plan.picks[index] = Pick::Skip;
                }
                Op::Const if uses[result.index()] == 0 => plan.picks[index] = Pick::Skip,
                _ => {}
            }
        }
        plan
    }

    /// How this instruction is emitted.
    pub fn pick(&self, inst: Inst) -> Pick {
        self.picks[inst.index()]
    }

    /// Calls `visit` with each value that this instruction needs in a register, those of its stop and of its targets among
    /// them.
    pub fn registers_read(&self, func: &Func, id: Inst, mut visit: impl FnMut(Value)) {
        let inst = func.inst(id);
        match self.pick(id) {
            Pick::Skip => {}
            Pick::Plain => inst.args.iter().for_each(|v| visit(*v)),
            Pick::Immediate { operand, .. } => visit(inst.args[operand]),
            Pick::Fused(fused) => {
                visit(fused.a);
                if let Second::Value(b) = fused.b {
                    visit(b);
                }
            }
        }
        inst.targets.iter().flat_map(|t| &t.args).for_each(|v| visit(*v));
        if let Some(stop) = inst.stop {
            let listed = func.stop(stop).values.iter().map(|l| l.value);
            listed.filter(|v| self.constant(*v).is_none()).for_each(visit);
        }
    }

    /// The bits of a scalar constant that is in no register.
    pub fn constant(&self, value: Value) -> Option<u64> {
        self.constants[value.index()]
    }

    /// The value that this instruction puts into a register.
    pub fn register_written(&self, func: &Func, id: Inst) -> Option<Value> {
        func.inst(id).result.filter(|_| self.pick(id) != Pick::Skip)
    }
}

fn definitions(func: &Func) -> Vec<Option<Inst>> {
    let mut defined_by = vec![None; func.values.len()];
    for (index, inst) in func.insts.iter().enumerate() {
        if let Some(result) = inst.result {
            defined_by[result.index()] = Some(Inst::from_index(index));
        }
    }
    defined_by
}

/// How often each value is used, and how often of that by a stop.
fn count_uses(func: &Func) -> (Vec<u32>, Vec<u32>) {
    let mut listed = vec![0u32; func.values.len()];
    func.stops.iter().flat_map(|s| &s.values).for_each(|l| listed[l.value.index()] += 1);
    let mut uses = listed.clone();
    let everywhere = func.insts.iter().flat_map(|i| i.args.iter().chain(i.targets.iter().flat_map(|t| &t.args)));
    everywhere.for_each(|v| uses[v.index()] += 1);
    (uses, listed)
}

/// The form with a constant for this instruction, if there is one, and the constant.
fn immediate(func: &Func, defined_by: &[Option<Inst>], inst: &InstData) -> Option<(Pick, Value)> {
    let row = WITH_IMMEDIATE.iter().find(|r| r.op == inst.op)?;
    let small = |value: Value| match func.inst(defined_by[value.index()]?) {
        InstData { op: Op::Iconst, imm: Imm::Int(v), .. } => i16::try_from(*v).ok(),
        _ => None,
    };
    if let Some(imm) = small(inst.args[1]) {
        return Some((Pick::Immediate { form: row.right, operand: 0, imm }, inst.args[1]));
    }
    let form = row.left?;
    let imm = small(inst.args[0])?;
    Some((Pick::Immediate { form, operand: 1, imm }, inst.args[0]))
}

/// The branch that makes this comparison itself, if there is one.
fn branched(func: &Func, plan: &Plan, compare: Inst) -> Option<FusedBranch> {
    let inst = func.inst(compare);
    let find = |op: Op| WITH_BRANCH.iter().find(|r| r.op == op);
    match plan.pick(compare) {
        Pick::Skip | Pick::Fused(_) => None,
        Pick::Immediate { form, operand, imm } => {
            // By the form: a constant first operand has turned the comparison round.
            let (holds, fails) = find(form.op())?.immediate?;
            Some(FusedBranch { holds, fails, a: inst.args[operand], b: Second::Imm(imm) })
        }
        Pick::Plain => {
            let row = find(inst.op)?;
            let (a, b) = match (inst.args.get(1), row.swapped) {
                (None, _) => (inst.args[0], Second::No),
                (Some(b), false) => (inst.args[0], Second::Value(*b)),
                (Some(b), true) => (*b, Second::Value(inst.args[0])),
            };
            Some(FusedBranch { holds: row.holds, fails: row.fails, a, b })
        }
    }
}

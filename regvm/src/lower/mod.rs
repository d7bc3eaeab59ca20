//! Lowers the functions of a verified module to bytecode: forms are chosen (`fuse`), values get registers (`regalloc`), and
//! the code of one function after the other is written into one run of words.
//!
//! Relies on the IR's verifier (I1 to I8) and checks nothing of it again; what it makes is checked by `crate::verify`.

mod fuse;
mod regalloc;

pub(crate) use regalloc::REGISTERS_MAX;

use crate::ops::{Form, Shape, Word, case};
use crate::program::{FuncCode, Home, Options, ProgramError, Site, StopCode};
use deepslate_ir::entity::{Block, FuncId, Inst, StopId, TypeId, Value};
use deepslate_ir::module::{Case, Func, Imm, InstData, Module, Span, Target};
use deepslate_ir::ops::Op;
use deepslate_ir::planted::{Plant, is_planted};
use fuse::{FusedBranch, Pick, Plan, Second};
use regalloc::Registers;

/// Below this many words every jump inside a function fits 16 bits.
const SHORT_WORDS_MAX: usize = 30_000;

/// Blocks times values of the largest function that is lowered: liveness keeps that many bits.
const LIVENESS_BITS_MAX: usize = 1 << 33;

/// The bytecode of a module.
pub(crate) struct Lowered {
    /// All code.
    pub words: Vec<u64>,
    /// By function.
    pub funcs: Vec<FuncCode>,
    /// The types at each call of a builtin.
    pub sites: Vec<Site>,
}

/// Lowers a verified module. Fails where a function is too large for the bytecode.
pub(crate) fn lower(module: &Module, options: Options) -> Result<Lowered, ProgramError> {
    let mut plans = Vec::with_capacity(module.funcs.len());
    let mut registers = Vec::with_capacity(module.funcs.len());
    for func in &module.funcs {
        if func.blocks.len().saturating_mul(func.values.len()) > LIVENESS_BITS_MAX {
            let message = "is too large; split it into smaller functions".to_owned();
            return Err(ProgramError { func: Some(func.name.clone()), message });
        }
        let plan = Plan::of(func, options.fuse, words_at_most(func) <= SHORT_WORDS_MAX);
        let allocated = Registers::allocate(module, func, &plan, options.allocate_registers);
        registers.push(allocated.map_err(|needed| {
            let message =
                format!("needs {needed} registers of {REGISTERS_MAX} that there are; split it into smaller functions");
            ProgramError { func: Some(func.name.clone()), message }
        })?);
        plans.push(plan);
    }
    let mut lowered = Lowered { words: Vec::new(), funcs: Vec::new(), sites: Vec::new() };
    for (index, func) in module.funcs.iter().enumerate() {
        let emitter = Emitter {
            module,
            func,
            plan: &plans[index],
            regs: &registers[index],
            all: &registers,
            words: &mut lowered.words,
            sites: &mut lowered.sites,
            labels: vec![None; func.blocks.len()],
            edges: Vec::new(),
            fixups: Vec::new(),
            stops: func.stops.iter().map(|_| None).collect(),
            spans: Vec::new(),
            span: Span::NOWHERE,
        };
        let code = emitter.emit().map_err(|message| ProgramError { func: Some(func.name.clone()), message })?;
        lowered.funcs.push(code);
    }
    Ok(lowered)
}

/// More words than the function's code will have.
fn words_at_most(func: &Func) -> usize {
    let inst = |i: &InstData| 5 + i.args.len() + i.targets.iter().map(|t| 4 + 2 * t.args.len()).sum::<usize>();
    func.insts.iter().map(inst).sum()
}

/// A place to jump to: a block, or the moves of an edge and then its block.
#[derive(Clone, Copy)]
struct Label(usize);

/// Where a jump is written once its label has a place.
struct Fixup {
    /// The instruction that the distance is counted from.
    from: usize,
    /// The word that holds it.
    at: usize,
    /// In field c alone.
    short: bool,
    label: Label,
}

/// The moves of an edge that stand away from the code that jumps.
struct Edge {
    label: Label,
    moves: Vec<(u16, u16)>,
    to: Block,
    span: Span,
}

struct Emitter<'a> {
    module: &'a Module,
    func: &'a Func,
    plan: &'a Plan,
    regs: &'a Registers,
    all: &'a [Registers],
    words: &'a mut Vec<u64>,
    sites: &'a mut Vec<Site>,
    /// The place of each label; those of the blocks come first.
    labels: Vec<Option<usize>>,
    edges: Vec<Edge>,
    fixups: Vec<Fixup>,
    stops: Vec<Option<StopCode>>,
    spans: Vec<(u32, Span)>,
    span: Span,
}

type Emitted = Result<(), String>;

impl Emitter<'_> {
    fn emit(mut self) -> Result<FuncCode, String> {
        let entry = self.words.len();
        for block in self.func.block_ids() {
            self.labels[block.index()] = Some(self.words.len());
            for id in &self.func.block(block).insts {
                self.span = self.func.inst(*id).span;
                self.inst(block, *id)?;
            }
        }
        for edge in std::mem::take(&mut self.edges) {
            self.span = edge.span;
            self.labels[edge.label.0] = Some(self.words.len());
            self.moves(&edge.moves);
            self.jump(Label(edge.to.index()));
        }
        for fixup in std::mem::take(&mut self.fixups) {
            let place = self.labels[fixup.label.0].expect("each label has a place once all code is there");
            let distance = place as i64 - fixup.from as i64;
            let word = &mut self.words[fixup.at];
            if fixup.short {
                let short = i16::try_from(distance).map_err(|_| "a jump is too far".to_owned())?;
                *word = *word & !(0xffff << 48) | u64::from(short as u16) << 48;
            } else {
                let wide = i32::try_from(distance).map_err(|_| "a jump is too far".to_owned())?;
                *word = *word & 0xffff_ffff | u64::from(wide as u32) << 32;
            }
        }
        if u32::try_from(self.words.len()).is_err() {
            return Err("the program's bytecode is too large".into());
        }
        let stops = self.stops.into_iter().map(|s| s.expect("each stop's instruction was emitted")).collect();
        Ok(FuncCode {
            entry: entry as u32,
            end: self.words.len() as u32,
            count: self.regs.count,
            refs: self.regs.refs,
            params: self.regs.params.clone(),
            stops,
            spans: self.spans,
        })
    }

    fn reg(&self, value: Value) -> u16 {
        self.regs.of(value)
    }

    fn push(&mut self, form: Form, a: u16, b: u16, c: u16) {
        if self.spans.last().is_none_or(|(_, span)| *span != self.span) {
            self.spans.push((self.words.len() as u32, self.span));
        }
        self.words.push(Word::new(form, a, b, c).0);
    }

    fn push_wide(&mut self, form: Form, a: u16, wide: u32) {
        self.push(form, a, wide as u16, (wide >> 16) as u16);
    }

    /// Appends registers, four to a word.
    fn list(&mut self, regs: &[u16]) {
        for chunk in regs.chunks(4) {
            self.words.push(chunk.iter().enumerate().fold(0, |word, (i, r)| word | u64::from(*r) << (16 * i)));
        }
    }

    /// Appends pairs of this frame's register and the callee's, two to a word.
    fn pairs(&mut self, args: &[Value], callee: FuncId) {
        let all = self.all;
        let pairs: Vec<u16> =
            args.iter().zip(&all[callee.index()].params).flat_map(|(arg, param)| [self.reg(*arg), *param]).collect();
        self.list(&pairs);
    }

    /// Notes where a stop's instruction stands (it is the next one), and its values.
    fn stop(&mut self, inst: &InstData) -> u32 {
        let stop: StopId = inst.stop.expect("I6: an instruction that stops has a stop");
        let home = |value: Value| match self.plan.constant(value) {
            Some(bits) => Home::Constant(bits),
            None => Home::Register(self.reg(value)),
        };
        let values = self.func.stop(stop).values.iter().map(|l| home(l.value)).collect();
        self.stops[stop.index()] = Some(StopCode { pc: self.words.len() as u32, values });
        stop.0
    }

    fn jump(&mut self, label: Label) {
        let at = self.words.len();
        self.fixups.push(Fixup { from: at, at, short: false, label });
        self.push_wide(Form::Jump, 0, 0);
    }

    /// Emits moves that happen all at once.
    fn moves(&mut self, moves: &[(u16, u16)]) {
        let mut left: Vec<(u16, u16)> = moves.iter().copied().filter(|(to, from)| to != from).collect();
        while !left.is_empty() {
            // A register that nothing left reads can be overwritten.
            match left.iter().position(|(to, _)| left.iter().all(|(_, from)| from != to)) {
                Some(at) => {
                    let (to, from) = left.swap_remove(at);
                    self.push(Form::Mov, to, from, 0);
                }
                None if is_planted(Plant::LoweringSwap) => {
                    let (to, from) = left.swap_remove(0);
                    self.push(Form::Mov, to, from, 0);
                }
                None => {
                    // Only cycles are left. After an exchange the first register is right, and what others want of the two
                    // lies in the other one.
                    let (to, from) = left.swap_remove(0);
                    self.push(Form::Swap, to, from, 0);
                    for (_, source) in &mut left {
                        *source = match *source {
                            s if s == to => from,
                            s if s == from => to,
                            s => s,
                        };
                    }
                    left.retain(|(to, from)| to != from);
                }
            }
        }
    }

    /// What a target's parameters are set from: register to, register from.
    fn edge_moves(&self, inst: &InstData, index: usize, delivered: Option<u16>) -> Vec<(u16, u16)> {
        let target: &Target = &inst.targets[index];
        let params = &self.func.block(target.block).params;
        let args = delivered.into_iter().chain(target.args.iter().map(|a| self.reg(*a)));
        params.iter().map(|p| self.reg(*p)).zip(args).filter(|(to, from)| to != from).collect()
    }

    /// A label for a target that is jumped to: its block's own if it needs no moves.
    fn edge_label(&mut self, to: Block, moves: Vec<(u16, u16)>) -> Label {
        if moves.is_empty() {
            return Label(to.index());
        }
        self.labels.push(None);
        let label = Label(self.labels.len() - 1);
        self.edges.push(Edge { label, moves, to, span: self.span });
        label
    }

    /// Emits a target that is run into: moves, and a jump unless the block comes next.
    fn fall_into(&mut self, inst: &InstData, index: usize, after: Block) {
        let moves = self.edge_moves(inst, index, None);
        self.moves(&moves);
        let to = inst.targets[index].block;
        if to.index() != after.index() + 1 {
            self.jump(Label(to.index()));
        }
    }

    /// Emits a branch whose jump is taken to one target and that runs into the other one.
    fn branch(&mut self, block: Block, id: Inst) {
        let inst = self.func.inst(id);
        let (holds, fails) = match self.plan.pick(id) {
            Pick::Fused(FusedBranch { holds, fails, .. }) => (holds, fails),
            _ => (Form::BrTrue, Form::BrFalse),
        };
        // Run into the block that comes next; failing that into the second target.
        let into = usize::from(inst.targets[0].block.index() != block.index() + 1);
        let (form, jumped) = if into == 0 { (fails, 1) } else { (holds, 0) };
        let moves = self.edge_moves(inst, jumped, None);
        let label = self.edge_label(inst.targets[jumped].block, moves);
        let at = self.words.len();
        let short = matches!(form.shape(), Shape::UUJump | Shape::UIJump);
        self.fixups.push(Fixup { from: at, at, short, label });
        match self.plan.pick(id) {
            Pick::Fused(FusedBranch { a, b, .. }) => {
                let a = self.reg(a);
                match b {
                    Second::No => self.push_wide(form, a, 0),
                    Second::Value(b) => self.push(form, a, self.reg(b), 0),
                    Second::Imm(imm) => self.push(form, a, imm as u16, 0),
                }
            }
            _ => self.push_wide(form, self.reg(inst.args[0]), 0),
        }
        self.fall_into(inst, into, block);
    }

    fn select(&mut self, inst: &InstData) -> Emitted {
        let Imm::Cases(cases) = &inst.imm else { unreachable!("I4: a select has cases") };
        let count = count(cases.len())?;
        let stop = self.stop(inst);
        let at = self.words.len();
        self.push(Form::Select, 0, count, 0);
        self.words.push(u64::from(stop));
        let mut args = inst.args.iter().copied();
        for (index, case) in cases.iter().enumerate() {
            let mut next = || args.next().expect("I4: a case has its operands");
            let mut list = 0;
            let (kind, queue, reg, delivered) = match case {
                Case::Receive => {
                    let (queue, reg) = (next(), self.regs.deliver(true));
                    let params = &self.func.block(inst.targets[index].block).params;
                    list = self.func.ty(*params.first().expect("I4: the target takes what is received")).0;
                    (case::RECEIVE, self.reg(queue), reg, Some(reg))
                }
                Case::Get => {
                    let queue = next();
                    let reg = self.regs.deliver(self.delivers_reference(queue));
                    (case::GET, self.reg(queue), reg, Some(reg))
                }
                Case::Put => {
                    let (queue, element) = (next(), next());
                    (case::PUT, self.reg(queue), self.reg(element), None)
                }
                Case::Default => (case::DEFAULT, 0, 0, None),
            };
            let moves = self.edge_moves(inst, index, delivered);
            let label = self.edge_label(inst.targets[index].block, moves);
            self.words.push(u64::from(kind) | u64::from(queue) << 16 | u64::from(reg) << 32);
            self.fixups.push(Fixup { from: at, at: self.words.len(), short: false, label });
            self.words.push(u64::from(list));
        }
        Ok(())
    }

    fn delivers_reference(&self, queue: Value) -> bool {
        match self.module.types.get(self.func.ty(queue)) {
            deepslate_ir::types::Type::Queue(element) => self.module.types.is_ref(*element),
            _ => unreachable!("I4: a case's operand is a queue"),
        }
    }

    fn inst(&mut self, block: Block, id: Inst) -> Emitted {
        let func = self.func;
        let inst = func.inst(id);
        let form = match self.plan.pick(id) {
            Pick::Skip => return Ok(()),
            Pick::Plain => match plain(inst) {
                Form::UnionWiden if !self.module.types.is_ref(func.ty(inst.args[0])) => Form::UnionBox,
                Form::UnionNarrow if !self.module.types.is_ref(TypeId(self.result_type(inst))) => Form::UnionUnbox,
                form => form,
            },
            Pick::Fused(_) => Form::BrTrue,
            Pick::Immediate { form, operand, imm } => {
                let (result, operand) = (self.result(inst), self.reg(inst.args[operand]));
                self.push(form, result, operand, imm as u16);
                return Ok(());
            }
        };
        let arg = |this: &Self, index: usize| this.reg(inst.args[index]);
        match form.shape() {
            Shape::D => self.push(form, self.result(inst), 0, 0),
            Shape::DI => {
                let imm = match inst.imm {
                    Imm::Int(v) => v as i16,
                    Imm::Bool(v) => i16::from(v),
                    _ => unreachable!("I4: the constant fits its instruction"),
                };
                self.push(form, self.result(inst), imm as u16, 0);
            }
            Shape::DWord => {
                let bits = match inst.imm {
                    Imm::Int(v) => v as u64,
                    Imm::Float(v) => v.to_bits(),
                    _ => unreachable!("I4: the constant fits its instruction"),
                };
                self.push(form, self.result(inst), 0, 0);
                self.words.push(bits);
            }
            Shape::DConst => match inst.imm {
                Imm::Const(c) => self.push_wide(form, self.result(inst), c.0),
                _ => unreachable!("I4: the constant fits its instruction"),
            },
            Shape::DU => self.push(form, self.result(inst), arg(self, 0), 0),
            Shape::DUU => self.push(form, self.result(inst), arg(self, 0), arg(self, 1)),
            Shape::DUI => unreachable!("forms with a constant are picked as such"),
            Shape::DUUType => {
                self.push(form, self.result(inst), arg(self, 0), arg(self, 1));
                self.words.push(u64::from(func.ty(inst.args[0]).0));
            }
            Shape::DUType => {
                self.push(form, self.result(inst), arg(self, 0), 0);
                self.words.push(u64::from(self.result_type(inst)));
            }
            Shape::DUTypes => {
                let ty = match inst.imm {
                    Imm::Type(ty) => ty.0,
                    _ => self.result_type(inst),
                };
                self.push(form, self.result(inst), arg(self, 0), 0);
                self.words.push(u64::from(ty) | u64::from(func.ty(inst.args[0]).0) << 32);
            }
            Shape::DUSlot => {
                let slot = self.slot(inst)?;
                self.push(form, self.result(inst), arg(self, 0), slot);
            }
            Shape::UUSlot => {
                let slot = self.slot(inst)?;
                self.push(form, arg(self, 0), arg(self, 1), slot);
            }
            Shape::U => self.push(form, arg(self, 0), 0, 0),
            Shape::UU => self.push(form, arg(self, 0), arg(self, 1), 0),
            Shape::UUU => self.push(form, arg(self, 0), arg(self, 1), arg(self, 2)),
            Shape::DTypeList => {
                self.push(form, self.result(inst), count(inst.args.len())?, 0);
                self.words.push(u64::from(self.result_type(inst)));
                self.arg_list(inst);
            }
            Shape::Jump => self.fall_into(inst, 0, block),
            Shape::UJump => self.branch(block, id),
            Shape::UUJump | Shape::UIJump | Shape::Swap => unreachable!("no instruction has this as its plain form"),
            Shape::Fail => match inst.imm {
                Imm::Trap(kind) => self.push(form, arg(self, 0), u16::from(kind as u8), 0),
                _ => unreachable!("I4: a fail names a kind"),
            },
            Shape::Poll => {
                let stop = self.stop(inst);
                self.push_wide(form, 0, stop);
            }
            Shape::Call => {
                let callee = self.callee(inst);
                let stop = self.stop(inst);
                self.push(form, self.result(inst), count(inst.args.len())?, self.regs.count);
                self.words.push(u64::from(callee.0) | u64::from(stop) << 32);
                self.pairs(&inst.args, callee);
            }
            Shape::Spawn => {
                let callee = self.callee(inst);
                self.push(form, 0, count(inst.args.len())?, 0);
                self.words.push(u64::from(callee.0));
                self.pairs(&inst.args, callee);
            }
            Shape::Builtin => {
                let Imm::Builtin(builtin) = inst.imm else { unreachable!("I4: the call names a builtin") };
                let result = inst.result.expect("I4: a builtin has a result");
                let args = inst.args.iter().map(|a| func.ty(*a)).collect();
                let site = Site { builtin, args, ret: func.ty(result) };
                self.push(form, self.reg(result), count(inst.args.len())?, 0);
                self.words.push(self.sites.len() as u64);
                self.sites.push(site);
                self.arg_list(inst);
            }
            Shape::Host => {
                let Imm::Host(host) = inst.imm else { unreachable!("I4: the call names a host function") };
                let stop = if inst.op.stops() { self.stop(inst) } else { 0 };
                self.push(form, self.result(inst), count(inst.args.len())?, 0);
                self.words.push(u64::from(host.0) | u64::from(stop) << 32);
                self.arg_list(inst);
            }
            Shape::DUStop => {
                let stop = self.stop(inst);
                self.push(form, self.result(inst), arg(self, 0), 0);
                self.words.push(u64::from(stop));
            }
            Shape::DUUStop => {
                let stop = self.stop(inst);
                self.push(form, self.result(inst), arg(self, 0), arg(self, 1));
                self.words.push(u64::from(stop));
            }
            Shape::DUStopType => {
                let stop = self.stop(inst);
                self.push(form, self.result(inst), arg(self, 0), 0);
                self.words.push(u64::from(stop) | u64::from(self.result_type(inst)) << 32);
            }
            Shape::DUUTo => {
                self.push(form, self.result(inst), arg(self, 0), arg(self, 1));
                self.words.push(u64::from(self.result_type(inst)));
            }
            Shape::Select => self.select(inst)?,
        }
        Ok(())
    }

    fn result(&self, inst: &InstData) -> u16 {
        self.reg(inst.result.expect("I4: the instruction has a result"))
    }

    fn result_type(&self, inst: &InstData) -> u32 {
        self.func.ty(inst.result.expect("I4: the instruction has a result")).0
    }

    fn arg_list(&mut self, inst: &InstData) {
        let regs: Vec<u16> = inst.args.iter().map(|a| self.reg(*a)).collect();
        self.list(&regs);
    }

    fn callee(&self, inst: &InstData) -> FuncId {
        match inst.imm {
            Imm::Func(f) => f,
            _ => unreachable!("I4: the call names a function"),
        }
    }

    fn slot(&self, inst: &InstData) -> Result<u16, String> {
        match inst.imm {
            Imm::Slot(index) => u16::try_from(index).map_err(|_| "an object with more than 65535 fields".to_owned()),
            _ => unreachable!("I4: the instruction names a slot"),
        }
    }
}

fn count(operands: usize) -> Result<u16, String> {
    u16::try_from(operands).map_err(|_| format!("an instruction with {operands} operands; 65535 is the most"))
}

/// The form with all operands in registers.
fn plain(inst: &InstData) -> Form {
    match inst.op {
        Op::Iconst => match inst.imm {
            Imm::Int(v) if i16::try_from(v).is_ok() => Form::IconstI,
            _ => Form::Iconst,
        },
        Op::Fconst => Form::Fconst,
        Op::Bconst => Form::Bconst,
        Op::None => Form::None,
        Op::Const => Form::Const,
        Op::Iadd => Form::IaddRr,
        Op::Isub => Form::IsubRr,
        Op::Imul => Form::ImulRr,
        Op::Ineg => Form::Ineg,
        Op::Ifloordiv => Form::IfloordivRr,
        Op::Imod => Form::ImodRr,
        Op::Ipow => Form::Ipow,
        Op::Itruediv => Form::Itruediv,
        Op::Iand => Form::IandRr,
        Op::Ior => Form::Ior,
        Op::Ixor => Form::Ixor,
        Op::Inot => Form::Inot,
        Op::Ishl => Form::IshlRr,
        Op::Ishr => Form::IshrRr,
        Op::Ieq => Form::IeqRr,
        Op::Ine => Form::IneRr,
        Op::Ilt => Form::IltRr,
        Op::Ile => Form::IleRr,
        Op::Igt => Form::IgtRr,
        Op::Ige => Form::IgeRr,
        Op::IntToFloat => Form::IntToFloat,
        Op::Fadd => Form::Fadd,
        Op::Fsub => Form::Fsub,
        Op::Fmul => Form::Fmul,
        Op::Fdiv => Form::Fdiv,
        Op::Ffloordiv => Form::Ffloordiv,
        Op::Fmod => Form::Fmod,
        Op::Fpow => Form::Fpow,
        Op::Fneg => Form::Fneg,
        Op::Feq => Form::Feq,
        Op::Fne => Form::Fne,
        Op::Flt => Form::Flt,
        Op::Fle => Form::Fle,
        Op::Fgt => Form::Fgt,
        Op::Fge => Form::Fge,
        Op::FloatToInt => Form::FloatToInt,
        Op::Bnot => Form::Bnot,
        Op::BoolToInt => Form::BoolToInt,
        Op::Eq => Form::Eq,
        Op::Order => Form::Order,
        Op::ListNew => Form::ListNew,
        Op::ListLen => Form::ListLen,
        Op::ListGet => Form::ListGet,
        Op::ListSet => Form::ListSet,
        Op::ListPush => Form::ListPush,
        Op::DictNew => Form::DictNew,
        Op::DictLen => Form::DictLen,
        Op::DictGet => Form::DictGet,
        Op::DictSet => Form::DictSet,
        Op::DictHas => Form::DictHas,
        Op::DictNext => Form::DictNext,
        Op::DictKeyAt => Form::DictKeyAt,
        Op::DictValueAt => Form::DictValueAt,
        Op::New => Form::New,
        Op::SlotGet => Form::SlotGet,
        Op::SlotSet => Form::SlotSet,
        Op::Jump => Form::Jump,
        Op::Branch => Form::BrTrue,
        Op::Return => Form::Return,
        Op::Fail => Form::Fail,
        Op::Poll => Form::Poll,
        Op::Call => Form::Call,
        Op::CallBuiltin => Form::CallBuiltin,
        Op::CallPure => Form::CallPure,
        Op::CallImpure => Form::CallImpure,
        Op::Sleep => Form::Sleep,
        Op::CreateTask => Form::CreateTask,
        Op::QueueNew => Form::QueueNew,
        Op::QueuePut => Form::QueuePut,
        Op::QueueGet => Form::QueueGet,
        Op::QueueLen => Form::QueueLen,
        Op::LockNew => Form::LockNew,
        Op::LockAcquire => Form::LockAcquire,
        Op::LockRelease => Form::LockRelease,
        Op::WaitGroupNew => Form::WaitGroupNew,
        Op::WaitGroupAdd => Form::WaitGroupAdd,
        Op::WaitGroupWait => Form::WaitGroupWait,
        Op::Select => Form::Select,
        Op::Now => Form::Now,
        Op::Random => Form::Random,
        Op::Uuid => Form::Uuid,
        Op::UnionWiden => Form::UnionWiden,
        Op::UnionIs => Form::UnionIs,
        Op::UnionNarrow => Form::UnionNarrow,
        Op::QueueClose => Form::QueueClose,
        Op::QueueClosed => Form::QueueClosed,
        Op::QueueFull => Form::QueueFull,
        Op::QueueReceive => Form::QueueReceive,
        Op::After => Form::After,
        Op::QueueNamed => Form::QueueNamed,
        Op::CallOrHost => Form::CallOrHost,
    }
}

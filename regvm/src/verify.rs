//! Checks bytecode before it is run, on its own terms: nothing is taken from the lowering but the words themselves and the
//! tables of `FuncCode`. The interpreter's unchecked accesses rest on these facts and cite them:
//!
//! - V1: the words of a function are whole instructions of known forms, and its entry is the first one.
//! - V2: each jump lands on an instruction of the same function, and the last one does not run on past the end.
//! - V3: each register that an instruction names is inside the frame.
//! - V4: registers below the function's `refs` are only ever written references and all others only scalars; so, nulled
//!   at the entry, the former are what the collector may follow.
//! - V5: each register that is read has on every path been given a value of the type that the instruction takes.
//! - V6: a call names the size of its own frame, and gives each of the callee's parameter registers, in order, a value of
//!   its type.
//! - V7: the numbers of functions, host functions, constants, types, sites, slots, kinds of traps and stops are in range.
//! - V8: a stop's place is its instruction, and the registers that it names hold values of the types of its list there;
//!   what it gives as a constant is one.
//!
//! It is a forward data flow over the types of registers, as in the JVM's verifier.

use crate::ops::{Form, Shape, Word, case, list_item, pair_item};
use crate::program::{FuncCode, Home, Program, ProgramError};
use deepslate_ir::entity::{FuncId, TypeId, Value};
use deepslate_ir::eval;
use deepslate_ir::module::{Constant, Func, Module, Purity};
use deepslate_ir::ops::{Op, Operands, Produces};
use deepslate_ir::pattern::Bindings;
use deepslate_ir::trap::TrapKind;
use deepslate_ir::types::{self, Type, Types};
use std::collections::BTreeMap;

/// Jump targets times registers: past this a function's check would take too much memory.
const STATES_MAX: usize = 1 << 28;

/// Checks all functions of a program.
pub(crate) fn verify(program: &Program) -> Result<(), ProgramError> {
    let mut types = program.module().types.clone();
    for (index, code) in program.funcs().iter().enumerate() {
        let func = program.module().func(FuncId::from_index(index));
        let mut checker =
            Checker { program, module: program.module(), func, code, types: &mut types, states: BTreeMap::new() };
        checker.check().map_err(|message| ProgramError {
            func: Some(func.name.clone()),
            message: format!("its bytecode is wrong, which is a bug of Deepslate: {message}"),
        })?;
    }
    Ok(())
}

type Checked<T> = Result<T, String>;

/// The type of each register's value; none where it has none, or different ones on different paths.
type Registers = Vec<Option<TypeId>>;

struct Checker<'a> {
    program: &'a Program,
    module: &'a Module,
    func: &'a Func,
    code: &'a FuncCode,
    /// A copy of the module's, so that patterns can be resolved.
    types: &'a mut Types,
    /// For each place that is jumped to, what holds on all jumps seen so far.
    states: BTreeMap<usize, Registers>,
}

impl Checker<'_> {
    fn check(&mut self) -> Checked<()> {
        let (entry, end) = (self.code.entry as usize, self.code.end as usize);
        if entry >= end || end > self.program.words().len() {
            return Err("it has no instruction".into());
        }
        if self.code.refs > self.code.count {
            return Err("more references than registers".into());
        }
        let starts = self.starts(entry, end)?;
        self.parameters()?;
        for (stop, code) in self.code.stops.iter().enumerate() {
            let place = code.pc as usize;
            let own = (entry..end).contains(&place) && starts[place - entry];
            if !own || self.program.stop_at(code.pc).map(|s| s.index()) != Some(stop) {
                return Err(format!("stop {stop} is not where its table says"));
            }
        }
        self.flow(entry, &starts)
    }

    /// V1, V2 but for jumps; where instructions start.
    fn starts(&self, entry: usize, end: usize) -> Checked<Vec<bool>> {
        let mut starts = vec![false; end - entry];
        let mut at = entry;
        let mut last = Form::Poll;
        while at < end {
            let word = Word(self.program.words()[at]);
            last = Form::from_number(word.number()).ok_or_else(|| format!("an unknown form at {at}"))?;
            starts[at - entry] = true;
            at += last.length(word.b());
        }
        if at != end {
            return Err("its last instruction is cut".into());
        }
        if !matches!(last, Form::Jump | Form::Return | Form::Fail | Form::Select) {
            return Err("it runs on past its end".into());
        }
        Ok(starts)
    }

    fn parameters(&self) -> Checked<()> {
        let params = &self.code.params;
        if params.len() != self.func.params.len() {
            return Err("parameters without registers".into());
        }
        for (index, (reg, param)) in params.iter().zip(&self.func.params).enumerate() {
            self.class(*reg, param.ty)?;
            if params[..index].contains(reg) {
                return Err("two parameters in one register".into());
            }
        }
        Ok(())
    }

    /// V3 and V4 for a register that is written.
    fn class(&self, reg: u16, ty: TypeId) -> Checked<()> {
        if reg >= self.code.count {
            return Err(format!("r{reg} is outside the frame"));
        }
        if self.types.is_ref(ty) != (reg < self.code.refs) {
            return Err(format!("r{reg} can't hold {}", self.types.name(ty)));
        }
        Ok(())
    }

    fn flow(&mut self, entry: usize, starts: &[bool]) -> Checked<()> {
        let mut first: Registers = vec![None; self.code.count.into()];
        for (reg, param) in self.code.params.iter().zip(&self.func.params) {
            first[usize::from(*reg)] = Some(param.ty);
        }
        let mut work = Vec::new();
        self.meet(entry, first, &mut work)?;
        while let Some(start) = work.pop() {
            let mut state = self.states[&start].clone();
            let mut at = start;
            loop {
                let word = Word(self.program.words()[at]);
                let form = Form::from_number(word.number()).ok_or("an unknown form")?;
                let jumps =
                    self.step(at, word, form, &mut state).map_err(|m| format!("at {at} ({}): {m}", form.name()))?;
                for (to, state) in jumps {
                    let inside = to.checked_sub(entry).and_then(|i| starts.get(i)).copied();
                    if inside != Some(true) {
                        return Err(format!("at {at}: a jump to {to}, where no instruction starts"));
                    }
                    self.meet(to, state, &mut work)?;
                }
                if matches!(form, Form::Jump | Form::Return | Form::Fail | Form::Select) {
                    break;
                }
                at += form.length(word.b());
                if self.states.contains_key(&at) {
                    self.meet(at, state, &mut work)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Notes that a place is reached with these registers.
    fn meet(&mut self, place: usize, state: Registers, work: &mut Vec<usize>) -> Checked<()> {
        let count = self.states.len() + 1;
        match self.states.get_mut(&place) {
            None => {
                if count.saturating_mul(state.len()) > STATES_MAX {
                    return Err("too large to be checked".into());
                }
                self.states.insert(place, state);
                work.push(place);
            }
            Some(known) => {
                let mut changed = false;
                for (known, new) in known.iter_mut().zip(state) {
                    if known.is_some() && *known != new {
                        *known = None;
                        changed = true;
                    }
                }
                if changed {
                    work.push(place);
                }
            }
        }
        Ok(())
    }

    /// V3 and V5 for a register that is read.
    fn read(&self, state: &Registers, reg: u16) -> Checked<TypeId> {
        let held = state.get(usize::from(reg)).ok_or_else(|| format!("r{reg} is outside the frame"))?;
        held.ok_or_else(|| format!("r{reg} is read without a value"))
    }

    fn read_as(&self, state: &Registers, reg: u16, ty: TypeId) -> Checked<()> {
        let held = self.read(state, reg)?;
        if held == ty {
            return Ok(());
        }
        Err(format!("r{reg} holds {} and is read as {}", self.types.name(held), self.types.name(ty)))
    }

    fn write(&self, state: &mut Registers, reg: u16, ty: TypeId) -> Checked<()> {
        self.class(reg, ty)?;
        state[usize::from(reg)] = Some(ty);
        Ok(())
    }

    fn type_at(&self, place: usize) -> Checked<TypeId> {
        let number = self.program.words()[place];
        let id = u32::try_from(number).ok().map(TypeId).filter(|id| self.types.contains(*id));
        id.ok_or_else(|| format!("there is no type {number}"))
    }

    /// The result of an instruction whose row gives its operands' types one by one.
    fn fixed(&mut self, op: Op, operands: &[TypeId]) -> Checked<Option<TypeId>> {
        let Operands::Fixed(list) = op.operands() else { return Err("its operands are no fixed list".into()) };
        let mut bound = Bindings::default();
        if list.len() != operands.len() {
            return Err("another number of operands".into());
        }
        for ((name, pattern), ty) in list.iter().zip(operands) {
            if !pattern.matches(self.types, *ty, &mut bound) {
                return Err(format!("{name} can't be {}", self.types.name(*ty)));
            }
        }
        match op.produces() {
            Produces::One(pattern) => {
                pattern.resolve(self.types, &bound).map(Some).ok_or_else(|| "no result type".into())
            }
            _ => Ok(None),
        }
    }

    fn list(&self, at: usize, word: Word) -> Vec<u16> {
        let words = &self.program.words()[at + 2..];
        (0..usize::from(word.b())).map(|i| list_item(words, i)).collect()
    }

    fn jump(&self, at: usize, distance: isize) -> Checked<usize> {
        at.checked_add_signed(distance).ok_or_else(|| "a jump out of the program".into())
    }

    /// V7 and V8 at an instruction that stops.
    fn stop(&self, at: usize, state: &Registers) -> Checked<()> {
        let stop = self.program.stop_at(at as u32).ok_or("it has no stop")?;
        let code = self.code.stops.get(stop.index()).ok_or("its stop is out of range")?;
        if code.pc as usize != at {
            return Err("its stop stands elsewhere".into());
        }
        let listed = &self.func.stop(stop).values;
        if listed.len() != code.values.len() {
            return Err("its stop lists another number of values".into());
        }
        listed.iter().zip(&code.values).try_for_each(|(l, home)| match home {
            Home::Register(reg) => self.read_as(state, *reg, self.func.ty(l.value)),
            Home::Constant(bits) if self.constant(l.value) == Some(*bits) => Ok(()),
            Home::Constant(_) => Err(format!("its stop takes {} for a constant", l.value)),
        })
    }

    /// The bits of a value that is a scalar constant.
    fn constant(&self, value: Value) -> Option<u64> {
        let inst = self.func.insts.iter().find(|i| i.result == Some(value))?;
        if inst.args.is_empty() { eval::scalar(inst.op, &[], &inst.imm).and_then(Result::ok) } else { None }
    }

    /// V6.
    fn pass(&self, at: usize, word: Word, state: &Registers) -> Checked<FuncId> {
        let words = self.program.words();
        let callee = FuncId(words[at + 1] as u32);
        let Some(code) = self.program.funcs().get(callee.index()) else { return Err("no such function".into()) };
        let params = &self.module.func(callee).params;
        if usize::from(word.b()) != params.len() || params.len() != code.params.len() {
            return Err("another number of arguments".into());
        }
        for (index, param) in params.iter().enumerate() {
            let (from, to) = pair_item(&words[at + 2..], index);
            if to != code.params[index] {
                return Err(format!("argument {index} goes to another register"));
            }
            self.read_as(state, from, param.ty)?;
        }
        Ok(callee)
    }

    /// Checks one instruction and gives the jumps that it may take; `state` becomes what holds after it.
    fn step(&mut self, at: usize, word: Word, form: Form, state: &mut Registers) -> Checked<Vec<(usize, Registers)>> {
        let op = form.op();
        let (a, b, c) = (word.a(), word.b(), word.c());
        if op.stops() {
            self.stop(at, state)?;
        }
        let operands: &[u16] = match form.shape() {
            Shape::D | Shape::DI | Shape::DWord => &[],
            Shape::DU | Shape::DUI | Shape::DUStop | Shape::DUStopType => &[b],
            Shape::DUU | Shape::DUUStop => &[b, c],
            Shape::U => &[a],
            Shape::UU => &[a, b],
            Shape::UUU => &[a, b, c],
            _ => &[],
        };
        let mut held = operands.iter().map(|r| self.read(state, *r)).collect::<Checked<Vec<_>>>()?;
        match form.shape() {
            Shape::DU if form == Form::Mov => self.write(state, a, held[0])?,
            Shape::U if form == Form::Return => self.read_as(state, a, self.func.ret)?,
            Shape::D
            | Shape::DI
            | Shape::DWord
            | Shape::DU
            | Shape::DUU
            | Shape::DUI
            | Shape::DUStop
            | Shape::DUStopType
            | Shape::DUUStop => {
                if form.shape() == Shape::DUI {
                    held.push(types::INT);
                }
                let result = self.fixed(op, &held)?.ok_or("it has no result")?;
                if form.shape() == Shape::DUStopType && self.program.words()[at + 1] >> 32 != u64::from(result.0) {
                    return Err("it names another type than that of its result".into());
                }
                self.write(state, a, result)?;
            }
            Shape::U | Shape::UU | Shape::UUU => {
                self.fixed(op, &held)?;
            }
            Shape::DConst => {
                let ty = match self.module.consts.get_index(word.wide() as usize) {
                    Some(Constant::Str(_)) => types::STR,
                    Some(Constant::Bytes(_)) => types::BYTES,
                    None => return Err("there is no such constant".into()),
                };
                self.write(state, a, ty)?;
            }
            Shape::DUUType => {
                let ty = self.type_at(at + 1)?;
                self.read_as(state, b, ty)?;
                self.read_as(state, c, ty)?;
                let result = self.fixed(op, &[ty, ty])?.ok_or("it has no result")?;
                self.write(state, a, result)?;
            }
            Shape::DUType | Shape::DUUTo => {
                let ty = self.type_at(at + 1)?;
                let fits = match (op, self.types.get(ty)) {
                    (Op::After, Type::Queue(element)) => *element == types::FLOAT,
                    (_, Type::Queue(_)) => true,
                    _ => false,
                };
                if !fits {
                    return Err("it makes something else".into());
                }
                match op {
                    Op::After => self.read_as(state, b, types::FLOAT)?,
                    Op::QueueNamed => {
                        self.read_as(state, b, types::STR)?;
                        self.read_as(state, c, types::INT)?;
                    }
                    _ => self.read_as(state, b, types::INT)?,
                }
                self.write(state, a, ty)?;
            }
            Shape::DUTypes => {
                let word = self.program.words()[at + 1];
                let [ty, from] = [word as u32, (word >> 32) as u32].map(TypeId);
                if !self.types.contains(ty) || !self.types.contains(from) {
                    return Err("there is no such type".into());
                }
                self.read_as(state, b, from)?;
                let (whole, part) = if op == Op::UnionWiden { (ty, from) } else { (from, ty) };
                let boxed = matches!(form, Form::UnionBox | Form::UnionUnbox);
                let moved = form == Form::UnionIs || boxed != self.types.is_ref(part);
                if self.types.members(whole).is_none() || !self.types.includes(whole, part) || !moved {
                    let (part, whole) = (self.types.name(part), self.types.name(whole));
                    return Err(format!("{part} is no such part of the union {whole}"));
                }
                self.write(state, a, if form == Form::UnionIs { types::BOOL } else { ty })?;
            }
            Shape::DUSlot => {
                let slots = self.types.slots(self.read(state, b)?).ok_or("no slots")?;
                let ty = *slots.get(usize::from(c)).ok_or("no such slot")?;
                self.write(state, a, ty)?;
            }
            Shape::UUSlot => {
                let slots = self.types.slots(self.read(state, a)?).ok_or("no slots")?;
                self.read_as(state, b, *slots.get(usize::from(c)).ok_or("no such slot")?)?;
            }
            Shape::Swap => {
                let (x, y) = (self.read(state, a)?, self.read(state, b)?);
                self.write(state, a, y)?;
                self.write(state, b, x)?;
            }
            Shape::DTypeList => {
                let ty = self.type_at(at + 1)?;
                let regs = self.list(at, word);
                let wanted: Vec<TypeId> = match (op, self.types.get(ty)) {
                    (Op::ListNew, Type::List(e)) => vec![*e; regs.len()],
                    (Op::DictNew, Type::Dict(k, v)) if regs.len().is_multiple_of(2) => [*k, *v].repeat(regs.len() / 2),
                    (Op::New, _) => self.types.slots(ty).ok_or("no slots")?,
                    _ => return Err("it makes something else".into()),
                };
                if wanted.len() != regs.len() {
                    return Err("another number of slots".into());
                }
                regs.iter().zip(wanted).try_for_each(|(reg, ty)| self.read_as(state, *reg, ty))?;
                self.write(state, a, ty)?;
            }
            Shape::Jump => return Ok(vec![(self.jump(at, word.jump_wide())?, std::mem::take(state))]),
            Shape::UJump => {
                self.read_as(state, a, types::BOOL)?;
                return Ok(vec![(self.jump(at, word.jump_wide())?, state.clone())]);
            }
            Shape::UUJump => {
                let floats =
                    matches!(form, Form::BrFeq | Form::BrFne | Form::BrFlt | Form::BrFle | Form::BrFnlt | Form::BrFnle);
                let ty = if floats { types::FLOAT } else { types::INT };
                self.read_as(state, a, ty)?;
                self.read_as(state, b, ty)?;
                return Ok(vec![(self.jump(at, word.jump_c())?, state.clone())]);
            }
            Shape::UIJump => {
                self.read_as(state, a, types::INT)?;
                return Ok(vec![(self.jump(at, word.jump_c())?, state.clone())]);
            }
            Shape::Fail => {
                self.read_as(state, a, types::STR)?;
                u8::try_from(b).ok().and_then(TrapKind::from_number).ok_or("an unknown kind of trap")?;
            }
            Shape::Poll => {}
            Shape::Call => {
                if c != self.code.count {
                    return Err("another size of its own frame".into());
                }
                let callee = self.pass(at, word, state)?;
                self.write(state, a, self.module.func(callee).ret)?;
            }
            Shape::Spawn => {
                self.pass(at, word, state)?;
            }
            Shape::Builtin => {
                let site = self.program.sites().get(self.program.words()[at + 1] as usize).ok_or("no such site")?;
                let mut bound = Bindings::default();
                let params = site.builtin.params();
                let fits = params.len() == site.args.len()
                    && params.iter().zip(&site.args).all(|((_, p), ty)| p.matches(self.types, *ty, &mut bound))
                    && site.builtin.ret().matches(self.types, site.ret, &mut bound);
                let regs = self.list(at, word);
                if !fits || regs.len() != site.args.len() {
                    return Err(format!("it does not fit {}", site.builtin));
                }
                regs.iter().zip(&site.args).try_for_each(|(reg, ty)| self.read_as(state, *reg, *ty))?;
                self.write(state, a, site.ret)?;
            }
            Shape::Host => {
                let number = self.program.words()[at + 1] as u32;
                let host = self.module.hosts.get(number as usize).ok_or("no such host function")?;
                let regs = self.list(at, word);
                if regs.len() != host.params.len() || (host.purity == Purity::Pure) != (op == Op::CallPure) {
                    return Err(format!("it does not fit host function {}", host.name));
                }
                regs.iter().zip(&host.params).try_for_each(|(reg, p)| self.read_as(state, *reg, p.ty))?;
                self.write(state, a, host.ret)?;
            }
            Shape::Select => return self.select(at, word, state),
        }
        Ok(Vec::new())
    }

    fn select(&self, at: usize, word: Word, state: &Registers) -> Checked<Vec<(usize, Registers)>> {
        let words = &self.program.words()[at + 2..];
        let count = usize::from(word.b());
        let mut jumps = Vec::with_capacity(count);
        if count == 0 {
            return Err("it has no case".into());
        }
        for index in 0..count {
            let first = words[2 * index];
            let (kind, queue, reg) = (first as u16, (first >> 16) as u16, (first >> 32) as u16);
            let element = |this: &Self| match this.types.get(this.read(state, queue)?) {
                Type::Queue(element) => Ok(*element),
                _ => Err(format!("r{queue} is no queue")),
            };
            let mut state = state.clone();
            match kind {
                case::GET => {
                    let ty = element(self)?;
                    self.write(&mut state, reg, ty)?;
                }
                case::RECEIVE => {
                    let list = self.types.find(&Type::List(element(self)?));
                    let list = list.filter(|ty| words[2 * index + 1] as u32 == ty.0);
                    self.write(&mut state, reg, list.ok_or("a case that receives another type than its queue's")?)?;
                }
                case::PUT => {
                    let ty = element(self)?;
                    self.read_as(&state, reg, ty)?;
                }
                case::DEFAULT if index + 1 == count => {}
                _ => return Err("a case of no kind".into()),
            }
            let distance = (words[2 * index + 1] >> 32) as u32 as i32;
            jumps.push((self.jump(at, distance as isize)?, state));
        }
        Ok(jumps)
    }
}

#[cfg(test)]
mod tests;

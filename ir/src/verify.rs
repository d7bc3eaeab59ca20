//! Checks a module before anything rests on it. Stored programs are hostile until this has passed; lowering, VM and JIT
//! then rely on the following without looking again (and cite the rule by its number):
//!
//! - I1: every index (type, class, constant, function, host, block, value, stop, slot) is in range; instructions are
//!   numbered as they stand, types are made of earlier ones, and both types and functions keep to `limits`.
//! - I2: each block ends with the one instruction in it that ends blocks.
//! - I3: each value is defined once, and its definition dominates each use, uses in stops included.
//! - I4: operands, results, immediates and targets' arguments have the types that the tables say.
//! - I5: the entry's parameters are the function's; nothing jumps to the entry.
//! - I6: an instruction has a stop exactly if its row says so, each stop belongs to one instruction, and it lists at least
//!   what lives on after the instruction, never the instruction's own result.
//! - I7: a loop or a recursion can't run without passing a `poll`: each cycle of blocks has one, and the entry block of each
//!   function that can call itself, directly or not.
//! - I8: names of functions, hosts and classes are unique; keys of dicts are hashable.

use crate::entity::{Block, Inst, TypeId, Value};
use crate::enums::MemberValue;
use crate::limits::{BLOCKS_TIMES_VALUES_MAX, TYPE_DEPTH_MAX, TYPE_PARTS_MAX};
use crate::liveness::required_at_stops;
use crate::module::{Case, Constant, Func, Imm, InstData, Module, Param};
use crate::ops::{ImmKind, Op, Operands, Produces};
use crate::pattern::{Bindings, Pattern};
use crate::types::{self, Type};
use std::collections::HashSet;
use std::fmt;

/// A rule that a module breaks: a bug of a front end or a pass, or damaged bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The function, if it is in one.
    pub func: Option<String>,
    /// The instruction, if it is at one.
    pub inst: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(func) = &self.func {
            write!(f, "in {func}: ")?;
        }
        if let Some(inst) = &self.inst {
            write!(f, "at {inst}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for VerifyError {}

/// Checks a whole module; gives all errors found, at most one for each function.
pub fn verify(module: &Module) -> Result<(), Vec<VerifyError>> {
    let mut errors = Vec::new();
    if let Err(message) = verify_tables(module) {
        // Functions are looked at only where what they refer to is sound.
        return Err(vec![VerifyError { func: None, inst: None, message }]);
    }
    for func in &module.funcs {
        if let Err((inst, message)) = (Checker { module, func }).check() {
            let inst = inst.map(|i| format!("{i} ({})", func.insts[i.index()].op));
            errors.push(VerifyError { func: Some(func.name.clone()), inst, message });
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    for (func, recursive) in module.funcs.iter().zip(recursive_functions(module)) {
        if recursive && !func.blocks[0].insts.iter().any(|i| func.inst(*i).op == Op::Poll) {
            let message = "its entry must poll, since it can call itself".to_owned();
            errors.push(VerifyError { func: Some(func.name.clone()), inst: None, message });
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Types, classes, hosts and signatures.
fn verify_tables(module: &Module) -> Result<(), String> {
    let types = &module.types;
    let known = |ty: &TypeId| if types.contains(*ty) { Ok(()) } else { Err(format!("{ty} is not in the module")) };
    for (index, class) in types.classes().iter().enumerate() {
        let Some(e) = types.enumeration(crate::entity::ClassId::from_index(index)) else { continue };
        let value = match class.fields.as_slice() {
            [name, value] if name.ty == types::STR && class.frozen => value.ty,
            _ => return Err(format!("enumeration {} is no frozen class of a name and a value", class.name)),
        };
        let mut seen = std::collections::HashSet::new();
        for member in &e.members {
            let datum = member.value.datum();
            let fits =
                matches!((&member.value, value), (MemberValue::Int(_), types::INT) | (MemberValue::Str(_), types::STR));
            let first = e.member(&datum).is_some_and(|m| m.name == member.name);
            if !fits || !first || !seen.insert(&member.name) {
                return Err(format!("member {} of {} has no value of its own", member.name, class.name));
            }
        }
    }
    // How deep each type is and of how many parts; a class counts as one, since its name stands for it.
    let mut sizes: Vec<(u32, u32)> = Vec::new();
    for id in types.ids() {
        let parts: &[TypeId] = match types.get(id) {
            Type::List(e) | Type::Queue(e) | Type::TupleOf(e) | Type::Set(e) | Type::FrozenSet(e) => &[*e],
            Type::Dict(k, v) => &[*k, *v],
            Type::Tuple(parts) => parts,
            Type::Union(members) => members,
            Type::Class(c) if c.index() >= types.classes().len() => return Err(format!("{c} is not in the module")),
            Type::None | Type::Bool | Type::Int | Type::Float | Type::Str | Type::Bytes => &[],
            Type::Lock | Type::WaitGroup | Type::Class(_) => &[],
        };
        let (mut depth, mut count) = (1u32, 1u32);
        for part in parts {
            let (d, c) =
                sizes.get(part.index()).ok_or_else(|| format!("{id} is made of {part}, which is not before it"))?;
            depth = depth.max(d + 1);
            count = count.saturating_add(*c);
        }
        if depth > TYPE_DEPTH_MAX || count > TYPE_PARTS_MAX {
            let limits = format!("{TYPE_DEPTH_MAX} deep and {TYPE_PARTS_MAX} parts");
            return Err(format!("{id} is {depth} deep and of {count} parts; the limits are {limits}"));
        }
        sizes.push((depth, count));
        if let Type::Union(members) = types.get(id)
            && !types.is_union(members)
        {
            return Err(format!("{id} is a union of less than two types, of another union, or in another order"));
        }
    }
    for class in types.classes() {
        class.fields.iter().try_for_each(|f| known(&f.ty))?;
        unique(class.fields.iter().map(|f| f.name.as_str()), &format!("field of class {}", class.name))?;
    }
    for id in types.ids() {
        if let Type::Dict(k, _) = types.get(id)
            && !types.is_hashable(*k)
        {
            return Err(format!("{} has a key that is not hashable", types.name(id)));
        }
        if let Type::Set(e) | Type::FrozenSet(e) = types.get(id)
            && !types.is_hashable(*e)
        {
            return Err(format!("{} has an element that is not hashable", types.name(id)));
        }
    }
    unique(types.classes().iter().map(|c| c.name.as_str()), "class")?;
    unique(module.hosts.iter().map(|h| h.name.as_str()), "host function")?;
    unique(module.funcs.iter().map(|f| f.name.as_str()), "function")?;
    let signature = |params: &[Param], ret: &TypeId| {
        params.iter().try_for_each(|p| known(&p.ty))?;
        if let Some(wrong) = params.iter().find(|p| p.default.is_some() && p.default_value(types).is_none()) {
            return Err(format!("the default of {} is no value of its type", wrong.name));
        }
        known(ret)
    };
    module.hosts.iter().try_for_each(|h| signature(&h.params, &h.ret))?;
    module.funcs.iter().try_for_each(|f| signature(&f.params, &f.ret))?;
    module.funcs.iter().flat_map(|f| &f.values).try_for_each(known)
}

fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} {name} is defined twice"));
        }
    }
    Ok(())
}

type Failed = (Option<Inst>, String);

struct Checker<'a> {
    module: &'a Module,
    func: &'a Func,
}

impl Checker<'_> {
    fn check(&self) -> Result<(), Failed> {
        let f = self.func;
        if f.blocks.is_empty() {
            return Err((None, "no entry block".into()));
        }
        if f.blocks.len().saturating_mul(f.values.len()) > BLOCKS_TIMES_VALUES_MAX {
            return Err((None, format!("{} blocks with {} values are too many", f.blocks.len(), f.values.len())));
        }
        self.shape()?;
        let entry = &f.blocks[0].params;
        if !entry.iter().map(|v| f.ty(*v)).eq(f.params.iter().map(|p| p.ty)) {
            return Err((None, "the entry's parameters are not the function's".into()));
        }
        for block in &f.blocks {
            for id in &block.insts {
                let inst = f.inst(*id);
                self.immediate(inst).and_then(|()| self.types(inst)).map_err(|m| (Some(*id), m))?;
                self.targets(inst).map_err(|m| (Some(*id), m))?;
            }
        }
        self.dominance()?;
        self.stops()?;
        self.loops_poll()
    }

    /// I1, I2, I5 and the single definition of I3: everything later may index without a check.
    fn shape(&self) -> Result<(), Failed> {
        let f = self.func;
        let mut defined = vec![false; f.values.len()];
        let mut placed = 0;
        let mut define = |value: Value, at: Option<Inst>| match defined.get_mut(value.index()) {
            None => Err((at, format!("{value} is out of range"))),
            Some(true) => Err((at, format!("{value} is defined twice"))),
            Some(slot) => {
                *slot = true;
                Ok(())
            }
        };
        for (index, block) in f.blocks.iter().enumerate() {
            let name = Block::from_index(index);
            block.params.iter().try_for_each(|p| define(*p, None))?;
            for (at, id) in block.insts.iter().enumerate() {
                if id.index() != placed || placed >= f.insts.len() {
                    return Err((None, format!("{id} stands where inst{placed} should")));
                }
                placed += 1;
                let inst = f.inst(*id);
                if inst.op.ends_block() != (at + 1 == block.insts.len()) {
                    return Err((Some(*id), format!("{name} must end with its only instruction that ends blocks")));
                }
                if let Some(result) = inst.result {
                    define(result, Some(*id))?;
                }
                let used = inst.args.iter().chain(inst.targets.iter().flat_map(|t| &t.args));
                for value in used {
                    if value.index() >= f.values.len() {
                        return Err((Some(*id), format!("{value} is out of range")));
                    }
                }
                for target in &inst.targets {
                    if target.block.index() >= f.blocks.len() || target.block == Func::ENTRY {
                        return Err((Some(*id), format!("can't go on at {}", target.block)));
                    }
                }
            }
            if block.insts.is_empty() {
                return Err((None, format!("{name} is empty")));
            }
        }
        if let Some(index) = defined.iter().position(|d| !d) {
            return Err((None, format!("{} is never defined", Value::from_index(index))));
        }
        if placed < f.insts.len() {
            return Err((None, format!("{} stands in no block", Inst::from_index(placed))));
        }
        Ok(())
    }

    fn immediate(&self, inst: &InstData) -> Result<(), String> {
        let m = self.module;
        let fits = match (&inst.imm, inst.op.imm()) {
            (Imm::No, ImmKind::No) => true,
            (Imm::Int(_), ImmKind::Int) => true,
            (Imm::Float(_), ImmKind::Float) => true,
            (Imm::Bool(_), ImmKind::Bool) => true,
            (Imm::Const(c), ImmKind::Const) => c.index() < m.consts.len(),
            (Imm::Func(f), ImmKind::Func) => f.index() < m.funcs.len(),
            (Imm::Host(h), ImmKind::Host) => h.index() < m.hosts.len(),
            (Imm::Builtin(_), ImmKind::Builtin) => true,
            (Imm::Slot(_), ImmKind::Slot) => true,
            (Imm::Trap(_), ImmKind::Trap) => true,
            (Imm::Type(ty), ImmKind::Type) => m.types.contains(*ty),
            (Imm::Cases(cases), ImmKind::Cases) => {
                let default = cases.iter().position(|c| *c == Case::Default);
                !cases.is_empty() && default.is_none_or(|at| at + 1 == cases.len())
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("immediate {:?} does not fit", inst.imm)) }
    }

    /// The signature of what a call names.
    fn callee(&self, inst: &InstData) -> Result<(Vec<TypeId>, TypeId), String> {
        let m = self.module;
        match inst.imm {
            Imm::Func(f) if inst.op == Op::CallOrHost && m.host_of(f).is_none() => {
                Err(format!("there is no pure host function with the name and signature of {}", m.func(f).name))
            }
            Imm::Func(f) => Ok((m.func(f).params.iter().map(|p| p.ty).collect(), m.func(f).ret)),
            Imm::Host(h) => {
                let host = m.host(h);
                let wanted = matches!(inst.op, Op::CallPure);
                if (host.purity == crate::module::Purity::Pure) != wanted {
                    return Err(format!("{} is not for host function {}", inst.op, host.name));
                }
                Ok((host.params.iter().map(|p| p.ty).collect(), host.ret))
            }
            _ => Err("names nothing that can be called".into()),
        }
    }

    fn types(&self, inst: &InstData) -> Result<(), String> {
        let (m, f) = (self.module, self.func);
        let types = &m.types;
        let args: Vec<TypeId> = inst.args.iter().map(|v| f.ty(*v)).collect();
        let result = inst.result.map(|v| f.ty(v));
        let mut bound = Bindings::default();
        let mut fit = |pattern: &Pattern, ty: TypeId, what: &str| {
            if pattern.matches(types, ty, &mut bound) {
                Ok(())
            } else {
                Err(format!("{what} can't be {}", types.name(ty)))
            }
        };
        let count = |wanted: usize| {
            if args.len() == wanted { Ok(()) } else { Err(format!("takes {wanted} operands, not {}", args.len())) }
        };
        let exactly = |wanted: &[TypeId]| {
            count(wanted.len())?;
            match wanted.iter().zip(&args).find(|(w, a)| w != a) {
                Some((w, a)) => Err(format!("an operand is {}, not {}", types.name(*a), types.name(*w))),
                None => Ok(()),
            }
        };
        let mut builtin_ret = None;
        match inst.op.operands() {
            Operands::Fixed(list) => {
                count(list.len())?;
                list.iter().zip(&args).try_for_each(|((name, p), ty)| fit(p, *ty, name))?;
            }
            Operands::Each(p) => args.iter().try_for_each(|ty| fit(&p, *ty, "an element"))?,
            Operands::Pairs(k, v) => {
                if !args.len().is_multiple_of(2) {
                    return Err("takes pairs".into());
                }
                args.chunks_exact(2).try_for_each(|pair| {
                    fit(&k, pair[0], "a key")?;
                    fit(&v, pair[1], "a value")
                })?;
            }
            Operands::Callee => match inst.imm {
                Imm::Builtin(b) => {
                    count(b.params().len())?;
                    b.params().iter().zip(&args).try_for_each(|((name, p), ty)| fit(p, *ty, name))?;
                    builtin_ret = Some(b.ret());
                }
                _ => exactly(&self.callee(inst)?.0)?,
            },
            Operands::Slots => {
                let ty = result.ok_or("has no result")?;
                exactly(&types.slots(ty).ok_or_else(|| format!("{} has no slots", types.name(ty)))?)?;
            }
            Operands::Return => exactly(&[f.ret])?,
            Operands::Cases => self.cases(inst, &args)?,
        }
        match inst.op.produces() {
            Produces::Nothing if result.is_none() => Ok(()),
            Produces::Nothing => Err("has no result".into()),
            produces => {
                let result = result.ok_or("lacks its result")?;
                let is = |ty: TypeId| {
                    if ty == result {
                        Ok(())
                    } else {
                        Err(format!("its result is {}, not {}", types.name(ty), types.name(result)))
                    }
                };
                match produces {
                    Produces::One(p) => fit(&p, result, "its result"),
                    Produces::Callee => match builtin_ret {
                        Some(p) => fit(&p, result, "its result"),
                        None => is(self.callee(inst)?.1),
                    },
                    Produces::Slot => is(self.slot(inst)?),
                    Produces::Constant => match inst.imm {
                        Imm::Const(c) => is(match m.constant(c) {
                            Constant::Str(_) => types::STR,
                            Constant::Bytes(_) => types::BYTES,
                        }),
                        _ => Err("names no constant".into()),
                    },
                    Produces::Nothing => unreachable!("handled above"),
                }
            }
        }?;
        if inst.op == Op::SlotSet {
            let ty = self.slot(inst)?;
            if !matches!(types.get(args[0]), Type::Class(_)) || ty != args[1] {
                return Err("the slot is of another type".into());
            }
        }
        if let Op::UnionWiden | Op::UnionIs | Op::UnionNarrow = inst.op {
            let (whole, part) = match (inst.op, &inst.imm, result) {
                (Op::UnionWiden, _, Some(result)) => (result, args[0]),
                (_, Imm::Type(ty), _) => (args[0], *ty),
                (_, _, Some(result)) => (args[0], result),
                _ => return Err("names no type".into()),
            };
            if types.members(whole).is_none() || !types.includes(whole, part) {
                return Err(format!("{} is no part of the union {}", types.name(part), types.name(whole)));
            }
        }
        if matches!(inst.op, Op::Eq | Op::Order) && !types.is_comparable(args[0]) {
            return Err(format!("{} can't be compared", types.name(args[0])));
        }
        Ok(())
    }

    fn slot(&self, inst: &InstData) -> Result<TypeId, String> {
        let object = inst.args.first().map(|v| self.func.ty(*v)).ok_or("takes an object")?;
        let slots = self.module.types.slots(object);
        let slots = slots.ok_or_else(|| format!("{} has no slots", self.module.types.name(object)))?;
        match inst.imm {
            Imm::Slot(index) => slots.get(index as usize).copied().ok_or_else(|| format!("no slot {index}")),
            _ => Err("names no slot".into()),
        }
    }

    fn cases(&self, inst: &InstData, args: &[TypeId]) -> Result<(), String> {
        let Imm::Cases(cases) = &inst.imm else { return Err("has no cases".into()) };
        let mut args = args.iter();
        let queue = |args: &mut std::slice::Iter<'_, TypeId>| match args.next().map(|q| self.module.types.get(*q)) {
            Some(Type::Queue(element)) => Ok(*element),
            _ => Err("a case needs a queue".to_owned()),
        };
        for case in cases {
            match case {
                Case::Get | Case::Receive => {
                    queue(&mut args)?;
                }
                Case::Put => {
                    let element = queue(&mut args)?;
                    if args.next() != Some(&element) {
                        return Err("a put needs an element of its queue".into());
                    }
                }
                Case::Default => {}
            }
        }
        if args.next().is_some() { Err("has operands that no case takes".into()) } else { Ok(()) }
    }

    /// The element type that the target with this index is given by a select.
    fn delivered(&self, inst: &InstData, target: usize) -> Option<TypeId> {
        let Imm::Cases(cases) = &inst.imm else { return None };
        let case = *cases.get(target)?;
        if !matches!(case, Case::Get | Case::Receive) {
            return None;
        }
        let at = cases[..target].iter().map(|c| if *c == Case::Put { 2 } else { 1 }).sum::<usize>();
        match self.module.types.get(self.func.ty(inst.args[at])) {
            // A program without such a list has no parameter of that type either, which is then reported.
            Type::Queue(element) if case == Case::Receive => self.module.types.find(&Type::List(*element)),
            Type::Queue(element) => Some(*element),
            _ => None,
        }
    }

    fn targets(&self, inst: &InstData) -> Result<(), String> {
        let wanted = match inst.op {
            Op::Jump => 1,
            Op::Branch => 2,
            Op::Select => match &inst.imm {
                Imm::Cases(cases) => cases.len(),
                _ => 0,
            },
            _ => 0,
        };
        if inst.targets.len() != wanted {
            return Err(format!("goes on at {wanted} targets, not {}", inst.targets.len()));
        }
        for (index, target) in inst.targets.iter().enumerate() {
            let given = self.delivered(inst, index).into_iter().chain(target.args.iter().map(|v| self.func.ty(*v)));
            let params = self.func.block(target.block).params.iter().map(|v| self.func.ty(*v));
            if !given.eq(params) {
                return Err(format!("passes {} other values than it takes", target.block));
            }
        }
        Ok(())
    }

    /// I3, by walking the dominator tree's definition: a block's definitions are those on every path to it.
    fn dominance(&self) -> Result<(), Failed> {
        let f = self.func;
        let doms = Dominators::of(f);
        let mut home = vec![(Block(0), 0usize); f.values.len()];
        for (b, block) in f.blocks.iter().enumerate() {
            let b = Block::from_index(b);
            block.params.iter().for_each(|p| home[p.index()] = (b, 0));
            for (at, inst) in block.insts.iter().enumerate() {
                if let Some(result) = f.inst(*inst).result {
                    home[result.index()] = (b, at + 1);
                }
            }
        }
        for block in f.block_ids() {
            if !doms.is_reached(block) {
                return Err((None, format!("{block} can't be reached")));
            }
            for (at, id) in f.block(block).insts.iter().enumerate() {
                let inst = f.inst(*id);
                let listed = inst.stop.and_then(|s| f.stops.get(s.index())).map_or(&[][..], |s| &s.values);
                let used = inst.args.iter().chain(inst.targets.iter().flat_map(|t| &t.args));
                for value in used.chain(listed.iter().map(|l| &l.value)) {
                    let Some((from, made)) = home.get(value.index()).copied() else {
                        return Err((Some(*id), format!("{value} is out of range")));
                    };
                    let before = if from == block { made <= at } else { doms.dominates(from, block) };
                    if !before {
                        return Err((Some(*id), format!("{value} does not have a value on every path to here")));
                    }
                }
            }
        }
        Ok(())
    }

    /// I6.
    fn stops(&self) -> Result<(), Failed> {
        let f = self.func;
        let mut owner = vec![None; f.stops.len()];
        for (index, inst) in f.insts.iter().enumerate() {
            let id = Inst::from_index(index);
            match (inst.op.stops(), inst.stop) {
                (false, None) => {}
                (true, Some(stop)) => match owner.get_mut(stop.index()) {
                    Some(slot @ None) => *slot = Some(id),
                    _ => return Err((Some(id), format!("stop {} is shared or out of range", stop.0))),
                },
                (true, None) => return Err((Some(id), "lacks its stop".into())),
                (false, Some(_)) => return Err((Some(id), "can't stop".into())),
            }
        }
        let required = required_at_stops(f);
        for (index, stop) in f.stops.iter().enumerate() {
            if owner[index] != Some(stop.inst) {
                return Err((None, format!("stop {index} belongs to no instruction")));
            }
            if let Some(result) = f.inst(stop.inst).result
                && stop.values.iter().any(|l| l.value == result)
            {
                return Err((Some(stop.inst), "its stop lists its own result".into()));
            }
            let listed: HashSet<Value> = stop.values.iter().map(|l| l.value).collect();
            if let Some(value) = required[index].iter().find(|v| !listed.contains(v)) {
                return Err((Some(stop.inst), format!("{value} lives on after it but its stop does not list it")));
            }
        }
        Ok(())
    }

    /// I7 for loops: without the blocks that poll, no cycle is left.
    fn loops_poll(&self) -> Result<(), Failed> {
        let f = self.func;
        let polls = |b: Block| f.block(b).insts.iter().any(|i| f.inst(*i).op == Op::Poll);
        let mut state = vec![0u8; f.blocks.len()];
        for start in f.block_ids() {
            if state[start.index()] != 0 || polls(start) {
                continue;
            }
            let mut work = vec![(start, 0usize)];
            state[start.index()] = 1;
            while let Some((block, next)) = work.pop() {
                let targets = &f.terminator(block).targets;
                let Some(target) = targets.get(next) else {
                    state[block.index()] = 2;
                    continue;
                };
                work.push((block, next + 1));
                let to = target.block;
                if polls(to) {
                    continue;
                }
                match state[to.index()] {
                    0 => {
                        state[to.index()] = 1;
                        work.push((to, 0));
                    }
                    1 => return Err((None, format!("a loop through {to} passes no poll"))),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Immediate dominators of the blocks of a function (Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm", 2001).
#[derive(Debug)]
pub struct Dominators {
    parent: Vec<Option<Block>>,
    /// For each reached block, when a walk of the tree enters and leaves it: one dominates another if it encloses it.
    span: Vec<(usize, usize)>,
}

impl Dominators {
    /// Computes them. Targets must be in range.
    pub fn of(func: &Func) -> Dominators {
        let count = func.blocks.len();
        let mut post = Vec::with_capacity(count);
        let mut seen = vec![false; count];
        let mut work = vec![(Func::ENTRY, 0usize)];
        seen[0] = true;
        while let Some((block, next)) = work.pop() {
            match func.terminator(block).targets.get(next) {
                Some(target) => {
                    work.push((block, next + 1));
                    if !std::mem::replace(&mut seen[target.block.index()], true) {
                        work.push((target.block, 0));
                    }
                }
                None => post.push(block),
            }
        }
        let mut order = vec![usize::MAX; count];
        post.iter().enumerate().for_each(|(i, b)| order[b.index()] = i);
        let mut preds = vec![Vec::new(); count];
        for block in &post {
            for target in &func.terminator(*block).targets {
                preds[target.block.index()].push(*block);
            }
        }
        let mut parent: Vec<Option<Block>> = vec![None; count];
        parent[0] = Some(Func::ENTRY);
        let mut changed = true;
        while changed {
            changed = false;
            for block in post.iter().rev().filter(|b| **b != Func::ENTRY) {
                let mut new: Option<Block> = None;
                for pred in &preds[block.index()] {
                    if parent[pred.index()].is_none() {
                        continue;
                    }
                    new = Some(match new {
                        None => *pred,
                        Some(other) => {
                            let (mut a, mut b) = (*pred, other);
                            while a != b {
                                let lower = if order[a.index()] < order[b.index()] { &mut a } else { &mut b };
                                *lower = parent[lower.index()].expect("a processed block has a parent");
                            }
                            a
                        }
                    });
                }
                if parent[block.index()] != new {
                    parent[block.index()] = new;
                    changed = true;
                }
            }
        }
        let mut children = vec![Vec::new(); count];
        for block in post.iter().filter(|b| **b != Func::ENTRY) {
            let up = parent[block.index()].expect("a reached block has a parent");
            children[up.index()].push(*block);
        }
        let mut span = vec![(0, 0); count];
        let mut time = 1;
        span[0].0 = time;
        let mut work = vec![(Func::ENTRY, 0usize)];
        while let Some((block, next)) = work.pop() {
            time += 1;
            match children[block.index()].get(next) {
                Some(child) => {
                    work.push((block, next + 1));
                    work.push((*child, 0));
                    span[child.index()].0 = time;
                }
                None => span[block.index()].1 = time,
            }
        }
        Dominators { parent, span }
    }

    /// The nearest block that every path to this one passes; the entry's is itself, and a block that can't be reached has
    /// none.
    pub fn parent(&self, block: Block) -> Option<Block> {
        self.parent[block.index()]
    }

    /// Whether the block can be reached from the entry.
    pub fn is_reached(&self, block: Block) -> bool {
        self.parent[block.index()].is_some()
    }

    /// Whether every path to `b` passes `a`.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        let (outer, inner) = (self.span[a.index()], self.span[b.index()]);
        self.is_reached(a) && self.is_reached(b) && outer.0 <= inner.0 && inner.1 <= outer.1
    }
}

/// The functions that can reach themselves by calls: those whose entry polls. `CreateTask` is no call.
pub fn recursive_functions(module: &Module) -> Vec<bool> {
    // Strongly connected components (Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972), without recursion.
    let count = module.funcs.len();
    let callees: Vec<Vec<usize>> = module
        .funcs
        .iter()
        .map(|f| {
            let called = f.insts.iter().filter(|i| i.op.calls());
            called.filter_map(|i| if let Imm::Func(id) = i.imm { Some(id.index()) } else { None }).collect()
        })
        .collect();
    let mut recursive: Vec<bool> = (0..count).map(|f| callees[f].contains(&f)).collect();
    let (mut order, mut low) = (vec![usize::MAX; count], vec![usize::MAX; count]);
    let (mut open, mut is_open, mut time) = (Vec::new(), vec![false; count], 0);
    for start in 0..count {
        if order[start] != usize::MAX {
            continue;
        }
        let mut work = vec![(start, 0usize)];
        while let Some((f, next)) = work.pop() {
            if next == 0 {
                order[f] = time;
                low[f] = time;
                time += 1;
                open.push(f);
                is_open[f] = true;
            }
            match callees[f].get(next) {
                Some(callee) => {
                    work.push((f, next + 1));
                    if order[*callee] == usize::MAX {
                        work.push((*callee, 0));
                    } else if is_open[*callee] {
                        low[f] = low[f].min(order[*callee]);
                    }
                }
                None => {
                    if let Some((caller, _)) = work.last() {
                        low[*caller] = low[*caller].min(low[f]);
                    }
                    if low[f] == order[f] {
                        let first = open.iter().rposition(|o| *o == f).expect("a component's root is open");
                        let many = open.len() - first > 1;
                        for member in open.drain(first..) {
                            is_open[member] = false;
                            recursive[member] |= many;
                        }
                    }
                }
            }
        }
    }
    recursive
}

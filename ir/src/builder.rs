//! Builds a function in SSA form from code with variables: a front end writes and reads variables, and the builder makes
//! block parameters where control flow joins (Braun et al., "Simple and Efficient Construction of Static Single Assignment
//! Form", 2013), then drops those that turn out to be needless.
//!
//! It also attaches to each stop the named variables in scope; `finish` completes the lists with what else is live.

use crate::entity::{Block, Inst, StopId, TypeId, Value};
use crate::liveness;
use crate::module::{BlockData, Func, FuncKind, Imm, InstData, Listed, Param, Span, Stop, Target};
use crate::ops::Op;
use std::collections::{HashMap, HashSet};

/// A variable of the function that is built.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Var(u32);

#[derive(Debug)]
struct VarData {
    name: Option<String>,
    ty: TypeId,
}

/// A jump into a block: the instruction and which of its targets.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: Block,
    inst: Inst,
    target: usize,
}

/// Builds one function. Usual order: make it, declare variables, write blocks, `finish`.
///
/// Each block is *sealed* once all jumps to it are there; reading a variable in an unsealed block makes a parameter that
/// sealing completes. Nothing may be appended to a block after the instruction that ends it, and no variable may be read
/// where it has no value on some path: the front end checks that before. The verifier finds a builder used wrongly.
#[derive(Debug)]
pub struct FuncBuilder {
    func: Func,
    vars: Vec<VarData>,
    scope: Vec<Var>,
    current: Block,
    span: Span,
    defs: HashMap<(Block, Var), Value>,
    sealed: HashSet<Block>,
    /// Parameters of unsealed blocks, whose arguments are not known yet.
    incomplete: HashMap<Block, Vec<(Var, usize)>>,
    /// Parameters of sealed blocks that lack their arguments.
    unsettled: Vec<(Block, Var, usize)>,
    edges: HashMap<Block, Vec<Edge>>,
}

impl FuncBuilder {
    /// Starts a function; the entry block is current and sealed, and its parameters are `param(0)`, `param(1)`, ….
    pub fn new(name: &str, kind: FuncKind, params: Vec<Param>, ret: TypeId, span: Span) -> FuncBuilder {
        let mut builder = FuncBuilder {
            func: Func {
                name: name.to_owned(),
                kind,
                params,
                ret,
                blocks: Vec::new(),
                insts: Vec::new(),
                values: Vec::new(),
                stops: Vec::new(),
                span,
            },
            vars: Vec::new(),
            scope: Vec::new(),
            current: Func::ENTRY,
            span,
            defs: HashMap::new(),
            sealed: HashSet::new(),
            incomplete: HashMap::new(),
            unsettled: Vec::new(),
            edges: HashMap::new(),
        };
        let entry = builder.new_block();
        builder.sealed.insert(entry);
        for index in 0..builder.func.params.len() {
            let ty = builder.func.params[index].ty;
            builder.block_param(entry, ty);
        }
        builder
    }

    /// The value of the function's parameter with this index.
    pub fn param(&self, index: usize) -> Value {
        self.func.blocks[Func::ENTRY.index()].params[index]
    }

    /// A new block, empty and unsealed.
    pub fn new_block(&mut self) -> Block {
        self.func.blocks.push(BlockData::default());
        Block::from_index(self.func.blocks.len() - 1)
    }

    /// Adds an explicit parameter to a block; before any variable is read there.
    pub fn block_param(&mut self, block: Block, ty: TypeId) -> Value {
        let value = self.new_value(ty);
        self.func.blocks[block.index()].params.push(value);
        value
    }

    /// Makes a block current: what follows is appended to it.
    pub fn switch_to(&mut self, block: Block) {
        self.current = block;
    }

    /// The current block.
    pub fn current(&self) -> Block {
        self.current
    }

    /// Whether the current block has ended, so that nothing more can follow in it.
    pub fn ended(&self) -> bool {
        let insts = &self.func.blocks[self.current.index()].insts;
        insts.last().is_some_and(|i| self.func.insts[i.index()].op.ends_block())
    }

    /// Whether anything jumps to the block so far (or it is the entry).
    pub fn is_reached(&self, block: Block) -> bool {
        block == Func::ENTRY || self.edges.get(&block).is_some_and(|e| !e.is_empty())
    }

    /// Sets the place in the source of what follows.
    pub fn set_span(&mut self, span: Span) {
        self.span = span;
    }

    /// The place in the source of what follows.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> TypeId {
        self.func.ty(value)
    }

    /// Declares a variable. One with a name is listed under it at each stop where it is in scope.
    pub fn declare(&mut self, name: Option<&str>, ty: TypeId) -> Var {
        self.vars.push(VarData { name: name.map(str::to_owned), ty });
        Var(u32::try_from(self.vars.len() - 1).expect("a function has fewer than 2^32 variables"))
    }

    /// The type of a variable.
    pub fn var_ty(&self, var: Var) -> TypeId {
        self.vars[var.0 as usize].ty
    }

    /// Sets which variables are in scope and have a value on every path to here: what stops list from now on.
    pub fn set_scope(&mut self, scope: &[Var]) {
        self.scope = scope.to_vec();
    }

    /// Gives a variable a value.
    pub fn write(&mut self, var: Var, value: Value) {
        self.defs.insert((self.current, var), value);
    }

    /// The value of a variable.
    pub fn read(&mut self, var: Var) -> Value {
        self.read_in(self.current, var)
    }

    /// Says that all jumps to the block are there.
    pub fn seal(&mut self, block: Block) {
        if !self.sealed.insert(block) {
            return;
        }
        for (var, index) in self.incomplete.remove(&block).unwrap_or_default() {
            self.unsettled.push((block, var, index));
        }
        self.settle();
    }

    /// Appends an instruction without targets. Gives its result; one without a result gives `None`.
    ///
    /// `result` is the type of the result, for an instruction that has one.
    pub fn inst(&mut self, op: Op, args: &[Value], imm: Imm, result: Option<TypeId>) -> Option<Value> {
        debug_assert_eq!(op.has_result(), result.is_some(), "{op}");
        let inst = self.append(op, args, imm, Vec::new());
        let value = result.map(|ty| self.new_value(ty));
        self.func.insts[inst.index()].result = value;
        value
    }

    /// Appends an instruction with a result.
    pub fn value(&mut self, op: Op, args: &[Value], imm: Imm, ty: TypeId) -> Value {
        self.inst(op, args, imm, Some(ty)).expect("the instruction has a result")
    }

    /// Appends an instruction that ends the block and goes on at these blocks. A target that takes a delivered element
    /// (a select's get) has it as its first, explicit parameter and is the target of this instruction alone.
    pub fn end(&mut self, op: Op, args: &[Value], imm: Imm, targets: &[Block]) {
        let list = targets.iter().map(|b| Target { block: *b, args: Vec::new() }).collect();
        let inst = self.append(op, args, imm, list);
        for (target, block) in targets.iter().enumerate() {
            let edge = Edge { from: self.current, inst, target };
            self.edges.entry(*block).or_default().push(edge);
        }
    }

    /// Ends the block by a jump.
    pub fn jump(&mut self, to: Block) {
        self.end(Op::Jump, &[], Imm::No, &[to]);
    }

    /// Ends the block by a branch.
    pub fn branch(&mut self, condition: Value, then: Block, otherwise: Block) {
        self.end(Op::Branch, &[condition], Imm::No, &[then, otherwise]);
    }

    /// Ends the function's path with a value.
    pub fn ret(&mut self, value: Value) {
        self.end(Op::Return, &[value], Imm::No, &[]);
    }

    /// Completes the function: seals what is unsealed, drops blocks that nothing reaches and needless parameters, numbers
    /// the stops and completes their lists.
    pub fn finish(mut self) -> Func {
        for index in 0..self.func.blocks.len() {
            self.seal(Block::from_index(index));
        }
        remove_unreachable(&mut self.func);
        drop_needless_params(&mut self.func);
        renumber(&mut self.func);
        liveness::complete_stops(&mut self.func);
        self.func
    }

    fn new_value(&mut self, ty: TypeId) -> Value {
        self.func.values.push(ty);
        Value::from_index(self.func.values.len() - 1)
    }

    fn append(&mut self, op: Op, args: &[Value], imm: Imm, targets: Vec<Target>) -> Inst {
        let inst = Inst::from_index(self.func.insts.len());
        let stop = op.stops().then(|| {
            let mut values = Vec::new();
            for var in self.scope.clone() {
                if let Some(name) = self.vars[var.0 as usize].name.clone() {
                    values.push(Listed { value: self.read(var), name: Some(name) });
                }
            }
            self.func.stops.push(Stop { inst, values });
            StopId::from_index(self.func.stops.len() - 1)
        });
        let data = InstData { op, args: args.into(), imm, targets, result: None, stop, span: self.span };
        self.func.insts.push(data);
        self.func.blocks[self.current.index()].insts.push(inst);
        inst
    }

    fn read_in(&mut self, block: Block, var: Var) -> Value {
        let value = self.find(block, var);
        self.settle();
        value
    }

    /// The value of a variable at the end of a block. A parameter that is made on the way gets its arguments by `settle`, so
    /// that neither long nor deeply nested code can exhaust the stack.
    fn find(&mut self, block: Block, var: Var) -> Value {
        let mut at = block;
        let mut passed = Vec::new();
        let value = loop {
            if let Some(value) = self.defs.get(&(at, var)) {
                break *value;
            }
            let single = match self.edges.get(&at).map(Vec::as_slice) {
                Some([edge]) if self.sealed.contains(&at) && at != Func::ENTRY => Some(edge.from),
                _ => None,
            };
            match single {
                // Only a loop that nothing reaches has a single edge into each of its blocks.
                Some(from) if passed.len() <= self.func.blocks.len() => {
                    passed.push(at);
                    at = from;
                }
                _ => {
                    let index = self.func.blocks[at.index()].params.len();
                    let value = self.block_param(at, self.vars[var.0 as usize].ty);
                    self.defs.insert((at, var), value);
                    if self.sealed.contains(&at) {
                        self.unsettled.push((at, var, index));
                    } else {
                        self.incomplete.entry(at).or_default().push((var, index));
                    }
                    break value;
                }
            }
        };
        for block in passed {
            self.defs.insert((block, var), value);
        }
        value
    }

    /// Gives each parameter that stands for a variable its argument on each edge into its block.
    fn settle(&mut self) {
        while let Some((block, var, index)) = self.unsettled.pop() {
            for edge in self.edges.get(&block).cloned().unwrap_or_default() {
                let value = self.find(edge.from, var);
                let inst = &mut self.func.insts[edge.inst.index()];
                let at = index - inst.delivers(edge.target);
                let args = &mut inst.targets[edge.target].args;
                // Parameters are settled in any order; gaps are filled when the others are.
                if args.len() <= at {
                    args.resize(at + 1, Value(u32::MAX));
                }
                args[at] = value;
            }
        }
    }
}

/// Empties blocks that cannot be reached from the entry and drops them.
pub(crate) fn remove_unreachable(func: &mut Func) {
    let mut reached = vec![false; func.blocks.len()];
    let mut work = vec![Func::ENTRY];
    while let Some(block) = work.pop() {
        if std::mem::replace(&mut reached[block.index()], true) {
            continue;
        }
        for inst in &func.blocks[block.index()].insts {
            work.extend(func.insts[inst.index()].targets.iter().map(|t| t.block));
        }
    }
    let mut new_ids = vec![Block(u32::MAX); func.blocks.len()];
    let mut kept = Vec::new();
    for (index, data) in std::mem::take(&mut func.blocks).into_iter().enumerate() {
        if reached[index] {
            new_ids[index] = Block::from_index(kept.len());
            kept.push(data);
        }
    }
    func.blocks = kept;
    for block in 0..func.blocks.len() {
        for inst in func.blocks[block].insts.clone() {
            for target in &mut func.insts[inst.index()].targets {
                target.block = new_ids[target.block.index()];
            }
        }
    }
}

/// Drops each block parameter whose arguments are all one value (or the parameter itself), until none is left.
pub(crate) fn drop_needless_params(func: &mut Func) {
    let mut alias: Vec<Value> = (0..func.values.len()).map(Value::from_index).collect();
    fn resolve(alias: &mut [Value], value: Value) -> Value {
        let mut root = value;
        while alias[root.index()] != root {
            root = alias[root.index()];
        }
        let mut at = value;
        while alias[at.index()] != root {
            at = std::mem::replace(&mut alias[at.index()], root);
        }
        root
    }
    loop {
        let mut edges: Vec<Vec<(Inst, usize)>> = vec![Vec::new(); func.blocks.len()];
        for block in &func.blocks {
            for inst in &block.insts {
                for (i, target) in func.insts[inst.index()].targets.iter().enumerate() {
                    edges[target.block.index()].push((*inst, i));
                }
            }
        }
        let mut changed = false;
        for (block, edges) in edges.iter().enumerate().skip(1) {
            let delivered = edges.iter().map(|(i, t)| func.insts[i.index()].delivers(*t)).max().unwrap_or(0);
            let mut index = delivered;
            while index < func.blocks[block].params.len() {
                let param = func.blocks[block].params[index];
                let mut only = None;
                let needless = edges.iter().all(|(inst, target)| {
                    let inst = &func.insts[inst.index()];
                    let arg = inst.targets[*target].args[index - inst.delivers(*target)];
                    let arg = resolve(&mut alias, arg);
                    arg == param || *only.get_or_insert(arg) == arg
                });
                match only {
                    Some(value) if needless => {
                        alias[param.index()] = value;
                        func.blocks[block].params.remove(index);
                        for (inst, target) in edges {
                            let inst = &mut func.insts[inst.index()];
                            let at = index - inst.delivers(*target);
                            inst.targets[*target].args.remove(at);
                        }
                        changed = true;
                    }
                    _ => index += 1,
                }
            }
        }
        if !changed {
            break;
        }
    }
    for inst in &mut func.insts {
        let args = inst.args.iter_mut().chain(inst.targets.iter_mut().flat_map(|t| t.args.iter_mut()));
        for arg in args {
            if arg.index() < alias.len() {
                *arg = resolve(&mut alias, *arg);
            }
        }
    }
    for stop in &mut func.stops {
        for listed in &mut stop.values {
            listed.value = resolve(&mut alias, listed.value);
        }
    }
}

/// Numbers instructions, values and stops in the order of the blocks, so that equal functions are equal and nothing that
/// was dropped leaves a gap. Printing and parsing keeps these numbers.
pub(crate) fn renumber(func: &mut Func) {
    let unset = Value(u32::MAX);
    let mut new_values = vec![unset; func.values.len()];
    let mut types = Vec::new();
    let mut define = |value: Value, old: &[TypeId], types: &mut Vec<TypeId>| {
        new_values[value.index()] = Value::from_index(types.len());
        types.push(old[value.index()]);
    };
    for block in &func.blocks {
        for param in &block.params {
            define(*param, &func.values, &mut types);
        }
        for inst in &block.insts {
            if let Some(result) = func.insts[inst.index()].result {
                define(result, &func.values, &mut types);
            }
        }
    }
    let map = |value: &mut Value| *value = new_values.get(value.index()).copied().unwrap_or(unset);
    let mut insts = Vec::new();
    let mut stops = Vec::new();
    for block in &mut func.blocks {
        block.params.iter_mut().for_each(map);
        for id in &mut block.insts {
            let mut inst = func.insts[id.index()].clone();
            *id = Inst::from_index(insts.len());
            inst.args.iter_mut().for_each(map);
            inst.result.iter_mut().for_each(map);
            inst.targets.iter_mut().flat_map(|t| t.args.iter_mut()).for_each(map);
            if let Some(stop) = inst.stop {
                let mut stop = func.stops[stop.index()].clone();
                stop.inst = *id;
                stop.values.iter_mut().for_each(|l| map(&mut l.value));
                inst.stop = Some(StopId::from_index(stops.len()));
                stops.push(stop);
            }
            insts.push(inst);
        }
    }
    func.values = types;
    func.insts = insts;
    func.stops = stops;
}

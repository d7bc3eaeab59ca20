//! From checked functions to a module of IR. Nothing is decided here any more: what is lowered has no mistakes. Only what
//! the roots reach becomes part of the module, and only its types, constants and source lines, so that a program's hash
//! does not change with the rest of the file.

mod body;

use crate::check::{Kind, Outcome, Program};
use crate::source::Span;
use deepslate_ir::durable::Durable;
use deepslate_ir::entity::{FuncId, HostId, TypeId};
use deepslate_ir::module::{Func, FuncKind, Host, Module, Param, Purity, SourceFile};
use deepslate_ir::types::{self, Class, Field, Type};
use std::collections::{BTreeSet, HashMap};

/// What is being built.
pub(crate) struct Lowering<'p, 'a> {
    program: &'p Program<'a>,
    module: Module,
    funcs: HashMap<usize, FuncId>,
    hosts: HashMap<usize, HostId>,
    /// Pure functions that are compiled and can be called in the host as well.
    again: BTreeSet<usize>,
    types: HashMap<TypeId, TypeId>,
}

/// The functions that the roots reach by calls and tasks, host functions among them.
pub(crate) fn reached(program: &Program<'_>, roots: &[usize]) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut work = roots.to_vec();
    while let Some(index) = work.pop() {
        let function = &program.functions[index];
        if !seen.insert(index) || function.is_host() {
            continue;
        }
        work.extend(function.calls.iter().chain(&function.spawns).map(|(callee, _)| *callee));
    }
    seen
}

/// Lowers the functions that the roots reach. All of them must be compiled or run in the host.
/// With `pure_in_host` the compiled pure ones can be called there again.
pub(crate) fn lower(program: &Program<'_>, roots: &[usize], pure_in_host: bool) -> Module {
    let all = reached(program, roots);
    let mut lowering = Lowering {
        program,
        module: Module::default(),
        funcs: HashMap::new(),
        hosts: HashMap::new(),
        again: BTreeSet::new(),
        types: HashMap::new(),
    };
    // Called by what is not pure: inside of a pure function it is that one that is called again.
    let impure = all.iter().map(|index| &program.functions[*index]).filter(|f| f.kind != Kind::Pure && !f.is_host());
    let called: BTreeSet<usize> = impure.flat_map(|f| &f.calls).map(|(callee, _)| *callee).collect();
    for index in &all {
        let function = &program.functions[*index];
        if function.is_host() {
            lowering.hosts.insert(*index, HostId::from_index(lowering.hosts.len()));
            let purity = if function.kind == Kind::Impure { Purity::Impure } else { Purity::Pure };
            let (params, ret) = lowering.signature(*index);
            let params = params.into_iter().map(|p| Param { default: None, ..p }).collect();
            lowering.module.hosts.push(Host { name: function.name.clone(), params, ret, purity });
        } else {
            lowering.funcs.insert(*index, FuncId::from_index(lowering.funcs.len()));
            if pure_in_host && function.kind == Kind::Pure && called.contains(index) {
                lowering.again.insert(*index);
            }
        }
    }
    for index in lowering.again.clone() {
        let (params, ret) = lowering.signature(index);
        let params = params.into_iter().map(|p| Param { default: None, ..p }).collect();
        let name = program.functions[index].name.clone();
        lowering.module.hosts.push(Host { name, params, ret, purity: Purity::Pure });
    }
    for index in &all {
        let function = &program.functions[*index];
        if let (Outcome::Compiled(body), false) = (&function.outcome, function.is_host()) {
            let polls = lowering.can_reach_itself(*index);
            let func = lowering.function(*index, body, polls);
            lowering.module.funcs.push(func);
        }
    }
    lowering.module.files = files(program, &all);
    lowering.module
}

impl Lowering<'_, '_> {
    fn signature(&mut self, index: usize) -> (Vec<Param>, TypeId) {
        let function = &self.program.functions[index];
        let json = |p: &crate::check::Param| match (&p.default, p.ty) {
            (Some(crate::check::Default::Constant(datum)), Some(ty)) => {
                Some(deepslate_ir::json::to_json(&self.program.types, ty, datum))
            }
            _ => None,
        };
        let list: Vec<(String, TypeId, Option<String>)> =
            function.params.iter().map(|p| (p.name.clone(), p.ty.unwrap_or(types::NONE), json(p))).collect();
        let ret = function.ret.unwrap_or(types::NONE);
        let params = list.into_iter().map(|(name, ty, default)| Param { name, ty: self.ty(ty), default }).collect();
        (params, self.ty(ret))
    }

    /// The host function of a durable call that the engine answers itself.
    fn durable(&mut self, durable: Durable, ret: TypeId) -> HostId {
        if let Some(at) = self.module.hosts.iter().position(|host| host.name == durable.name()) {
            return HostId::from_index(at);
        }
        let params = durable.params(&mut self.module.types);
        let params = params.into_iter().map(|(name, ty)| Param { name: name.to_owned(), ty, default: None }).collect();
        let host = Host { name: durable.name().to_owned(), params, ret: self.ty(ret), purity: Purity::Impure };
        self.module.hosts.push(host);
        HostId::from_index(self.module.hosts.len() - 1)
    }

    fn function(&mut self, index: usize, body: &crate::tree::Body, polls: bool) -> Func {
        let function = &self.program.functions[index];
        let kind = if function.kind == Kind::Flow { FuncKind::Flow } else { FuncKind::Plain };
        let span = self.program.sources.place(function.ast.name.span);
        let (params, ret) = self.signature(index);
        let pure = function.kind == Kind::Pure;
        body::lower(self, &function.name, kind, params, ret, span, body, polls, pure)
    }

    /// Whether a function can call itself, directly or not.
    fn can_reach_itself(&self, index: usize) -> bool {
        let callees = |i: usize| self.program.functions[i].calls.iter().map(|(c, _)| *c);
        let mut work: Vec<usize> = callees(index).collect();
        let mut seen = BTreeSet::new();
        while let Some(at) = work.pop() {
            if at == index {
                return true;
            }
            if seen.insert(at) && !self.program.functions[at].is_host() {
                work.extend(callees(at));
            }
        }
        false
    }

    /// A type of the check as a type of the module.
    fn ty(&mut self, ty: TypeId) -> TypeId {
        if ty <= types::WAIT_GROUP {
            return ty;
        }
        if let Some(known) = self.types.get(&ty) {
            return *known;
        }
        let made = match self.program.types.get(ty).clone() {
            Type::List(e) => Type::List(self.ty(e)),
            Type::Queue(e) => Type::Queue(self.ty(e)),
            Type::Dict(k, v) => Type::Dict(self.ty(k), self.ty(v)),
            Type::TupleOf(e) => Type::TupleOf(self.ty(e)),
            Type::Set(e) => Type::Set(self.ty(e)),
            Type::FrozenSet(e) => Type::FrozenSet(self.ty(e)),
            Type::Tuple(parts) => Type::Tuple(parts.into_iter().map(|p| self.ty(p)).collect()),
            Type::Union(members) => {
                let members: Vec<TypeId> = members.into_iter().map(|m| self.ty(m)).collect();
                let id = self.module.types.union(&members);
                self.types.insert(ty, id);
                return id;
            }
            Type::Class(class_id) => {
                let class = self.program.types.class(class_id);
                let empty = Class { name: class.name.clone(), fields: Vec::new(), frozen: class.frozen };
                let new = self.module.types.add_class(empty);
                let id = self.module.types.intern(Type::Class(new));
                // Known before its fields are, since they may name it.
                self.types.insert(ty, id);
                let fields: Vec<(String, TypeId)> = class.fields.iter().map(|f| (f.name.clone(), f.ty)).collect();
                let fields = fields.into_iter().map(|(name, ty)| Field { name, ty: self.ty(ty) }).collect();
                self.module.types.class_mut(new).fields = fields;
                if let Some(e) = self.program.types.enumeration(class_id) {
                    self.module.types.set_enumeration(new, e.clone());
                }
                return id;
            }
            fixed @ (Type::None
            | Type::Bool
            | Type::Int
            | Type::Float
            | Type::Str
            | Type::Bytes
            | Type::Lock
            | Type::WaitGroup) => fixed,
        };
        let id = self.module.types.intern(made);
        self.types.insert(ty, id);
        id
    }
}

/// The sources with the lines that the functions stand on; other lines are empty, which keeps their numbers.
fn files(program: &Program<'_>, functions: &BTreeSet<usize>) -> Vec<SourceFile> {
    let mut kept: Vec<Vec<Span>> = vec![Vec::new(); program.sources.len()];
    let mut keep = |span: Span| {
        if let Some(list) = kept.get_mut(span.file as usize) {
            list.push(span);
        }
    };
    for index in functions {
        let function = &program.functions[*index];
        if !function.is_host() {
            keep(function.ast.span);
            function.uses.iter().for_each(|u| keep(*u));
        }
    }
    let file = |(index, spans): (usize, &Vec<Span>)| {
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        let source = program.sources.get(file)?;
        let lines: Vec<(u32, u32)> = spans
            .iter()
            .map(|s| (program.sources.position(file, s.start).line, program.sources.position(file, s.end).line))
            .collect();
        let first = source.first_line.max(1);
        let mut text = String::new();
        let mut used = 0;
        for (number, line) in (first..).zip(source.text.lines()) {
            if lines.iter().any(|(from, to)| (*from..=*to).contains(&number)) {
                text.push_str(line);
                used = text.len() + 1;
            }
            text.push('\n');
        }
        text.truncate(used);
        Some(SourceFile { path: source.path.clone(), first_line: first, text })
    };
    kept.iter().enumerate().filter_map(file).collect()
}

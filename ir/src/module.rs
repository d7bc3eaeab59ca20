//! A module: everything of one program. Its printed text form is the program image, and names it by its hash.

use crate::builtins::Builtin;
use crate::datum::Datum;
use crate::entity::{Block, ClassId, ConstId, FileId, FuncId, HostId, Inst, StopId, TypeId, Value};
use crate::ops::{Effect, Op};
use crate::trap::TrapKind;
use crate::types::Types;
use indexmap::IndexSet;
use smallvec::SmallVec;

/// A place in a source file; lines and columns count from 1, columns in characters. Line 0 means nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Span {
    /// The file.
    pub file: u32,
    /// The first line.
    pub line: u32,
    /// The first column.
    pub column: u32,
}

impl Span {
    /// Nowhere: code that no source line stands for.
    pub const NOWHERE: Span = Span { file: 0, line: 0, column: 0 };

    /// The file of the place.
    pub fn file_id(self) -> FileId {
        FileId(self.file)
    }
}

/// A source file as it was when the program was compiled, kept for excerpts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As the user named it.
    pub path: String,
    /// The line number of the first line of `text` in the file.
    pub first_line: u32,
    /// The text, or the part of it that the program was made from.
    pub text: String,
}

impl SourceFile {
    /// The source line with this number, without its end.
    pub fn line(&self, number: u32) -> Option<&str> {
        let index = number.checked_sub(self.first_line)?;
        self.text.lines().nth(index as usize)
    }
}

/// A constant that is a heap object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Whether a host function has effects outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purity {
    /// Called inline, without a commit.
    Pure,
    /// Committed before it is called.
    Impure,
}

/// A parameter of a function or host function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in the source.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// What it is where a caller from outside does not give it, as JSON of the type. Calls within the program give all.
    pub default: Option<String>,
}

impl Param {
    /// One that must be given.
    pub fn new(name: impl Into<String>, ty: TypeId) -> Param {
        Param { name: name.into(), ty, default: None }
    }

    /// Its value where it is not given.
    pub fn default_value(&self, types: &Types) -> Option<Datum> {
        crate::json::from_json(types, self.ty, self.default.as_deref()?).ok()
    }

    /// As a definition has it: `limit: int = 10`.
    pub fn shown(&self, types: &Types) -> String {
        format!("{}: {}", self.name, self.type_shown(types))
    }

    /// Its type and what it is where it is not given: `int = 10`.
    pub fn type_shown(&self, types: &Types) -> String {
        match &self.default {
            Some(default) => format!("{} = {default}", types.name(self.ty)),
            None => types.name(self.ty),
        }
    }
}

/// The arguments of a call from outside by position, with the defaults of the last parameters where fewer are given.
pub fn completed(types: &Types, params: &[Param], mut args: Vec<Datum>) -> Vec<Datum> {
    for param in params.iter().skip(args.len()) {
        match param.default_value(types) {
            Some(value) => args.push(value),
            None => break,
        }
    }
    args
}

/// A host function that the program calls, late-bound by name and signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name that it is registered under.
    pub name: String,
    /// What it takes.
    pub params: Vec<Param>,
    /// What it returns.
    pub ret: TypeId,
    /// Whether it has effects outside.
    pub purity: Purity,
}

/// What a function is to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FuncKind {
    /// A flow: can be spawned by name.
    Flow,
    /// A helper: called only.
    Plain,
}

/// One case of a select.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// Take from a channel; one operand, and the target's first parameter is the element.
    Get,
    /// Put into a channel; two operands.
    Put,
    /// Taken when no other is ready; no operand; the last case, at most one.
    Default,
    /// As a get, but the target's first parameter is a list of the element, empty where the channel is closed and empty.
    Receive,
}

/// An instruction's immediate.
#[derive(Clone, Debug, PartialEq)]
pub enum Imm {
    /// None.
    No,
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A constant of the module.
    Const(ConstId),
    /// A function of the module.
    Func(FuncId),
    /// A host function of the module.
    Host(HostId),
    /// A builtin.
    Builtin(Builtin),
    /// The index of a slot.
    Slot(u32),
    /// A kind of trap.
    Trap(TrapKind),
    /// The cases of a select.
    Cases(Vec<Case>),
    /// A type of the module.
    Type(TypeId),
}

/// Where a block goes on, and what it passes to the parameters there (after the element that a select delivers).
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The block.
    pub block: Block,
    /// One value for each of its parameters.
    pub args: Vec<Value>,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct InstData {
    /// What it does.
    pub op: Op,
    /// Its operands.
    pub args: SmallVec<[Value; 3]>,
    /// Its immediate.
    pub imm: Imm,
    /// Where it goes on, if it ends its block.
    pub targets: Vec<Target>,
    /// Its result.
    pub result: Option<Value>,
    /// Its stop.
    pub stop: Option<StopId>,
    /// Where it stands in the source.
    pub span: Span,
}

impl InstData {
    /// How many parameters of the target with this index the instruction itself gives a value: the element of a get.
    pub fn delivers(&self, target: usize) -> usize {
        match &self.imm {
            Imm::Cases(cases) => usize::from(matches!(cases.get(target), Some(Case::Get | Case::Receive))),
            _ => 0,
        }
    }
}

/// A value that a stop lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The value.
    pub value: Value,
    /// The variable that has it, if one does.
    pub name: Option<String>,
}

/// A numbered place of a function where its state can be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The instruction that it belongs to.
    pub inst: Inst,
    /// Everything that a frame standing there must keep, in this order; at least all values that live on after the instruction,
    /// its own result aside. A saved frame is (function, stop, these values).
    pub values: Vec<Listed>,
}

/// A block's parameters and instructions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockData {
    /// Its parameters.
    pub params: Vec<Value>,
    /// Its instructions; the last one, and no other, ends the block.
    pub insts: Vec<Inst>,
}

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub struct Func {
    /// Unique in its module.
    pub name: String,
    /// What it is to the outside.
    pub kind: FuncKind,
    /// Its parameters, which are those of its first block.
    pub params: Vec<Param>,
    /// What it returns.
    pub ret: TypeId,
    /// Its blocks; the first is the entry and nothing jumps to it.
    pub blocks: Vec<BlockData>,
    /// Its instructions, as the blocks order them.
    pub insts: Vec<InstData>,
    /// The type of each value.
    pub values: Vec<TypeId>,
    /// Its stops.
    pub stops: Vec<Stop>,
    /// Where it is defined.
    pub span: Span,
}

impl Func {
    /// The entry block.
    pub const ENTRY: Block = Block(0);

    /// The type of a value.
    pub fn ty(&self, value: Value) -> TypeId {
        self.values[value.index()]
    }

    /// An instruction.
    pub fn inst(&self, inst: Inst) -> &InstData {
        &self.insts[inst.index()]
    }

    /// A block.
    pub fn block(&self, block: Block) -> &BlockData {
        &self.blocks[block.index()]
    }

    /// All blocks, in order.
    pub fn block_ids(&self) -> impl Iterator<Item = Block> + use<> {
        (0..self.blocks.len()).map(Block::from_index)
    }

    /// The last instruction of a block.
    pub fn terminator(&self, block: Block) -> &InstData {
        let last = self.block(block).insts.last().expect("a finished block has a terminator");
        self.inst(*last)
    }

    /// The stop of an instruction that has one.
    pub fn stop(&self, stop: StopId) -> &Stop {
        &self.stops[stop.index()]
    }
}

/// A program.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Its types and classes.
    pub types: Types,
    /// Its constants, each once.
    pub consts: IndexSet<Constant>,
    /// The sources that it was made from.
    pub files: Vec<SourceFile>,
    /// The host functions that it calls.
    pub hosts: Vec<Host>,
    /// Its functions.
    pub funcs: Vec<Func>,
}

impl Module {
    /// The id of this constant, made if need be.
    pub fn intern(&mut self, constant: Constant) -> ConstId {
        ConstId::from_index(self.consts.insert_full(constant).0)
    }

    /// A constant.
    pub fn constant(&self, id: ConstId) -> &Constant {
        &self.consts[id.index()]
    }

    /// A function.
    pub fn func(&self, id: FuncId) -> &Func {
        &self.funcs[id.index()]
    }

    /// The pure host function that does what a function of the program does: of its name and signature.
    pub fn host_of(&self, func: FuncId) -> Option<HostId> {
        let func = self.func(func);
        let types = |params: &[Param]| params.iter().map(|p| p.ty).collect::<Vec<_>>();
        let at = self.hosts.iter().position(|h| h.purity == Purity::Pure && h.name == func.name)?;
        let host = &self.hosts[at];
        (host.ret == func.ret && types(&host.params) == types(&func.params)).then(|| HostId::from_index(at))
    }

    /// A host function.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.index()]
    }

    /// The function with this name.
    pub fn func_named(&self, name: &str) -> Option<FuncId> {
        self.funcs.iter().position(|f| f.name == name).map(FuncId::from_index)
    }

    /// The flow with this name.
    pub fn flow(&self, name: &str) -> Option<FuncId> {
        self.func_named(name).filter(|id| self.func(*id).kind == FuncKind::Flow)
    }

    /// The flows, in order.
    pub fn flows(&self) -> impl Iterator<Item = FuncId> + '_ {
        let ids = (0..self.funcs.len()).map(FuncId::from_index);
        ids.filter(|id| self.func(*id).kind == FuncKind::Flow)
    }

    /// What an instruction may do: its row's effects, and for a builtin's call the builtin's.
    pub fn effect(&self, inst: &InstData) -> Effect {
        match inst.imm {
            Imm::Builtin(b) => inst.op.effect() | b.effect(),
            _ => inst.op.effect(),
        }
    }

    /// The class of an object type, for its name and fields.
    pub fn class_of(&self, ty: TypeId) -> Option<ClassId> {
        match self.types.get(ty) {
            crate::types::Type::Class(c) => Some(*c),
            _ => None,
        }
    }

    /// The source line that a place stands in.
    pub fn source_line(&self, span: Span) -> Option<&str> {
        self.files.get(span.file as usize)?.line(span.line)
    }
}

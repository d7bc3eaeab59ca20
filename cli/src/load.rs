//! How a source file becomes a program.

use std::path::Path;

use deepslate::frontend::{Compiled, Options};
use deepslate::ir::image::Image;
use deepslate::{Error, Flows, HostFns};

use crate::exit::{Exit, Outcome, Stopped};

/// A program with what it was made from.
pub struct Loaded {
    /// Its diagnostics and functions.
    pub compiled: Compiled,
    /// The host functions that its flows may call; none in the standalone binary.
    pub hosts: HostFns,
}

impl Loaded {
    /// The program, if nothing is wrong with it.
    pub fn image(&self) -> Outcome<Image> {
        let Some(module) = self.compiled.module.clone() else {
            return Err(Stopped::new(Exit::Failed, self.compiled.render(false)));
        };
        Image::of(module).map_err(|error| {
            Stopped::new(Exit::Failed, format!("the compiled program is wrong, which is a bug of Deepslate: {error}"))
        })
    }
}

/// Makes programs of source files.
pub trait Loader: Send + Sync {
    /// Reads and compiles a file. What is wrong with the source is in the result; an error is for a file that can't be read.
    fn load(&self, file: &Path, options: &Options) -> Outcome<Loaded>;

    /// The command that runs flows with host functions, for who can't; none if this one can.
    fn other_command(&self) -> Option<&str>;
}

/// What the binary does: the file is compiled and never executed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standalone;

impl Loader for Standalone {
    fn load(&self, file: &Path, options: &Options) -> Outcome<Loaded> {
        let flows = Flows::new().options(options.clone()).file(file).map_err(|error| match error {
            Error::File(path, error) if error.kind() == std::io::ErrorKind::NotFound => {
                Stopped::new(Exit::Unknown, format!("there is no file {path}"))
            }
            error => Stopped::new(Exit::Unknown, error.to_string()),
        })?;
        Ok(Loaded { compiled: flows.compile(), hosts: HostFns::new() })
    }

    fn other_command(&self) -> Option<&str> {
        Some("python -m deepslate")
    }
}

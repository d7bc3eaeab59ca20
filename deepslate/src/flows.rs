//! Flows from source text: compiled as one program, with all that is wrong with them.

use std::path::Path;

use deepslate_frontend::{Compiled, Options, Source, compile};
use deepslate_ir::image::Image;

use crate::error::{Error, Result};

/// Sources that share one namespace and become one program.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    sources: Vec<Source>,
    options: Options,
}

impl Flows {
    /// None.
    #[must_use]
    pub fn new() -> Flows {
        Flows::default()
    }

    /// Adds a source text; `path` is what diagnostics and traces call it.
    #[must_use]
    pub fn source(mut self, path: impl Into<String>, text: impl Into<String>) -> Flows {
        self.sources.push(Source::file(path, text));
        self
    }

    /// Adds a file.
    ///
    /// # Errors
    /// `File` if it can't be read.
    pub fn file(self, path: &Path) -> Result<Flows> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::File(path.display().to_string(), error))?;
        Ok(self.source(path.display().to_string(), text))
    }

    /// Other options than the defaults.
    #[must_use]
    pub fn options(mut self, options: Options) -> Flows {
        self.options = options;
        self
    }

    /// Whether there are no sources.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Compiles them; diagnostics are in what comes back.
    pub fn compile(&self) -> Compiled {
        compile(&self.sources, &self.options)
    }

    /// Compiles them to a program.
    ///
    /// # Errors
    /// `Flows` with all diagnostics if anything is wrong.
    pub fn image(&self) -> Result<Image> {
        let compiled = self.compile();
        let diagnostics = || Error::Flows(compiled.render(false));
        let module = compiled.module.clone().ok_or_else(diagnostics)?;
        Image::of(module)
            .map_err(|error| Error::Flows(format!("the compiled program is wrong, which is a bug: {error}")))
    }
}

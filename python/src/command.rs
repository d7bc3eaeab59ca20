//! The command `deepslate` of the wheel: the binary's own, with files imported by this Python, so that host functions work.

use crate::host::{Pool, host_fns};
use crate::platform::constant;
use deepslate::HostFns;
use deepslate::frontend::{Options, Source, compile};
use deepslate_cli::{Exit, Loaded, Loader, Outcome, Standalone, Stopped};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// What is needed of `deepslate._collect.Program`.
struct Imported {
    sources: Vec<Source>,
    options: Options,
    hosts: HostFns,
}

/// Imports files and collects their flows.
struct Importing {
    impure: Arc<Pool>,
    pure: Arc<Pool>,
}

impl Importing {
    fn import(&self, py: Python<'_>, file: &Path, options: &Options) -> PyResult<Imported> {
        let program = py.import("deepslate._command")?.call_method1("load", (file.to_string_lossy(),))?;
        let sources: Vec<(String, u32, String)> = program.getattr("sources")?.extract()?;
        let sources = sources.into_iter().map(|(path, first_line, text)| Source { path, text, first_line }).collect();
        let mut options = Options { pure_in_host: true, ..options.clone() };
        for (name, value) in program.getattr("constants")?.cast::<PyDict>()?.iter() {
            let name: String = name.extract()?;
            let datum = constant(&value, &name)?;
            options.constants.push((name, datum));
        }
        let (hosts, classes) = (program.getattr("hosts")?, program.getattr("classes")?);
        let how = program.getattr("options")?;
        let (hosts, _) = host_fns(py, hosts.cast()?, how.cast()?, classes.cast()?, &self.impure, &self.pure)?;
        Ok(Imported { sources, options, hosts })
    }
}

impl Loader for Importing {
    fn load(&self, file: &Path, options: &Options) -> Outcome<Loaded> {
        if options.all_functions || !file.exists() {
            // What is asked for is the file's text, or the words for a file that is not there.
            return Standalone.load(file, options);
        }
        let imported = Python::attach(|py| {
            self.import(py, file, options).map_err(|error| {
                let trace = error.traceback(py).and_then(|t| t.format().ok()).unwrap_or_default();
                Stopped::new(Exit::Failed, format!("{} can't be imported: {error}\n{trace}", file.display()))
            })
        })?;
        let compiled = compile(&imported.sources, &imported.options);
        Ok(Loaded { compiled, hosts: imported.hosts })
    }

    fn other_command(&self) -> Option<&str> {
        None
    }
}

/// Runs the command with these arguments, the first of which is its own name; gives its exit status.
#[pyfunction]
pub fn command(py: Python<'_>, args: Vec<String>) -> u8 {
    let (impure, pure) = Pool::both();
    let loader = Arc::new(Importing { impure: Arc::clone(&impure), pure: Arc::clone(&pure) });
    py.detach(|| {
        let status = deepslate_cli::run(args.into_iter().map(OsString::from), loader);
        impure.close();
        pure.close();
        status
    })
}

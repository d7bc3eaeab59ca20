//! The native half of the Python package: it holds the engine, converts values and calls host functions. What users see is in
//! `python/deepslate`; this module is theirs alone and may change with them.
//!
//! Every call that waits releases the interpreter's lock. Nothing here is used after a fork: a platform belongs to the process
//! that made it.

mod command;
mod convert;
mod errors;
mod host;
mod platform;

use pyo3::prelude::*;

/// The module `deepslate._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<platform::Platform>()?;
    module.add_function(wrap_pyfunction!(command::command, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}

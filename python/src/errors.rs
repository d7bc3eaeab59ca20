//! Which Python exception each kind of error becomes. The classes are defined in `deepslate._errors`.

use deepslate::engine::regvm::trace;
use deepslate::engine::{Error, Failure, Kind};
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyTimeoutError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// An exception of the package's own, by the name of its class.
pub fn ours(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let made = py.import("deepslate._errors").and_then(|m| m.getattr(class)).and_then(|c| c.call1((message,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// An error of the engine as an exception.
pub fn of_engine(py: Python<'_>, error: &Error) -> PyErr {
    let message = error.to_string();
    match error.kind() {
        Kind::BadName => PyValueError::new_err(message),
        Kind::BadArguments => PyTypeError::new_err(message),
        Kind::UnknownFlow | Kind::UnknownQueue | Kind::NotFound => PyKeyError::new_err(message),
        Kind::Timeout => PyTimeoutError::new_err(message),
        Kind::Corrupt | Kind::Held | Kind::Store(_) => ours(py, "StoreError", &message),
        Kind::Program => ours(py, "CompileError", &message),
        Kind::QueueFull => ours(py, "QueueFull", &message),
        Kind::Ended => ours(py, "FlowEnded", &message),
        Kind::NotFinished | Kind::MissingHost | Kind::NotOwner | Kind::Stopping | Kind::System => {
            PyRuntimeError::new_err(message)
        }
    }
}

/// `FlowFailed` for a flow that ended by a trap.
pub fn flow_failed(py: Python<'_>, name: &str, failure: &Failure) -> PyErr {
    let mut trace = String::new();
    // Writing to memory can't fail.
    let _ = trace::write(&mut trace, &failure.trace, &failure.repeats, "  ");
    let trace = format!("{}\n", trace.trim_start_matches('\n'));
    let class = py.import("deepslate._errors").and_then(|m| m.getattr("FlowFailed"));
    let made = class.and_then(|c| c.call1((name, failure.kind.name(), &failure.message, trace)));
    made.map_or_else(|error| error, PyErr::from_value)
}

//! What can go wrong for a Rust user, in one type.

use std::fmt;

use deepslate_engine::Failure;

use crate::config::ConfigError;
use crate::value::ValueError;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The engine or its store; its kind says what to do.
    Engine(deepslate_engine::Error),
    /// The flow failed.
    Failed(Failure),
    /// The isolate was cancelled.
    Cancelled,
    /// A Rust value does not fit the flow's types.
    Value(ValueError),
    /// Flows that do not compile: all diagnostics, rendered for people.
    Flows(String),
    /// The config file.
    Config(ConfigError),
    /// A source file that can't be read.
    File(String, std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Engine(error) => error.fmt(f),
            Error::Failed(failure) => write!(f, "the flow failed: {failure}"),
            Error::Cancelled => f.write_str("the isolate was cancelled"),
            Error::Value(error) => error.fmt(f),
            Error::Flows(diagnostics) => f.write_str(diagnostics),
            Error::Config(error) => error.fmt(f),
            Error::File(path, error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Engine(error) => Some(error),
            Error::Failed(failure) => Some(failure),
            Error::Value(error) => Some(error),
            Error::Config(error) => Some(error),
            Error::File(_, error) => Some(error),
            Error::Cancelled | Error::Flows(_) => None,
        }
    }
}

impl From<deepslate_engine::Error> for Error {
    fn from(error: deepslate_engine::Error) -> Error {
        Error::Engine(error)
    }
}

impl From<deepslate_storage::Error> for Error {
    fn from(error: deepslate_storage::Error) -> Error {
        Error::Engine(error.into())
    }
}

impl From<ValueError> for Error {
    fn from(error: ValueError) -> Error {
        Error::Value(error)
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Error {
        Error::Config(error)
    }
}

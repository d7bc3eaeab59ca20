//! The one error of this crate.
//!
//! Its kind is chosen by what the caller does next, never by which backend or system call failed. It can be cloned, because
//! one failed transaction answers many callers. It does not print secrets: a backend puts no connection string into it.

use std::fmt;
use std::sync::Arc;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It may or may not have happened: send the same thing again, byte for byte, after a pause.
    Retry,
    /// The session is no longer the one that the store knows: stop acting for it; open a new one and claim again.
    LeaseLost,
    /// No space is left and nothing was applied: send it again once space has been freed.
    Full,
    /// Stored bytes are damaged. They are left as they are; the context names what is damaged and what to do.
    Corrupt,
    /// The store was written by a newer version of Deepslate: use that one.
    Newer,
    /// Somebody else holds what was asked for: try again when they have let go, or use another place.
    Locked,
    /// It can never succeed as it was asked: an argument, a setting or a permission must change first.
    Refused,
}

/// What went wrong in the outside world: what to do next, what was being done, to what, and why.
#[derive(Clone)]
pub struct Error {
    kind: Kind,
    operation: &'static str,
    context: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a kind, met in an operation (`"commit"`, `"open"`), with a context that names the thing and the remedy.
    pub fn new(kind: Kind, operation: &'static str, context: impl Into<String>) -> Self {
        Error { kind, operation, context: context.into(), source: None }
    }

    /// The same with the cause beneath it.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What the caller does next.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What was being done.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What it was done to, and what to do about it.
    pub fn context(&self) -> &str {
        &self.context
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.context)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}

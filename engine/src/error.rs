//! The one error of this crate.
//!
//! Its kind is chosen by what the caller does next. What a flow did wrong is no error here: it is an [`Ending`](crate::Ending).

use std::fmt;
use std::sync::Arc;

use deepslate_storage as storage;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, by what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A name that can't be one: choose another.
    BadName,
    /// No program deployed here has such a flow.
    UnknownFlow,
    /// Arguments that the flow does not take.
    BadArguments,
    /// There is no isolate of this name, or there is none any more.
    NotFound,
    /// It has not ended (or is not parked): cancel it first.
    NotFinished,
    /// The isolate has no queue of this name now: choose another, or wait until the flow has made it.
    UnknownQueue,
    /// The isolate has ended, or the queue is closed: nothing is taken any more.
    Ended,
    /// The queue has as many elements as it takes: try again when the flow has taken some.
    QueueFull,
    /// The time that the caller gave is over and the isolate has not ended; the message says what it waits for.
    Timeout,
    /// The program calls a host function that is not registered here.
    MissingHost,
    /// A program that this engine can't run.
    Program,
    /// Bytes in the store are damaged; the message names the isolate.
    Corrupt,
    /// This engine does not hold the isolate's shard now: try again, or ask the node that does.
    NotOwner,
    /// This engine is shutting down or has stopped.
    Stopping,
    /// Another session of the same node holds the store.
    Held,
    /// The store refused; its own kind says what to do.
    Store(storage::Kind),
    /// Something that the machine refused, such as a thread.
    System,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    /// No: something must be changed first.
    Never,
    /// Yes, after a pause.
    Later,
    /// Only once the lease is there again.
    AfterReclaim,
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
    /// An error of a kind, met in an operation (`"spawn"`), with a context that names the thing and the remedy.
    pub fn new(kind: Kind, operation: &'static str, context: impl Into<String>) -> Error {
        Error { kind, operation, context: context.into(), source: None }
    }

    /// The same with the cause beneath it.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn stopping(operation: &'static str) -> Error {
        Error::new(
            Kind::Stopping,
            operation,
            "the engine is shutting down; what was committed goes on with the next one",
        )
    }

    /// What the caller does next.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether trying again can help.
    pub fn again(&self) -> Again {
        match self.kind {
            Kind::Timeout
            | Kind::QueueFull
            | Kind::Store(storage::Kind::Retry | storage::Kind::Full | storage::Kind::Locked) => Again::Later,
            Kind::NotOwner | Kind::Stopping | Kind::Held | Kind::Store(storage::Kind::LeaseLost) => Again::AfterReclaim,
            _ => Again::Never,
        }
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

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Error {
        let kind = match error.kind() {
            storage::Kind::Corrupt => Kind::Corrupt,
            other => Kind::Store(other),
        };
        Error { kind, operation: error.operation(), context: error.context().to_owned(), source: Some(Arc::new(error)) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.context)
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

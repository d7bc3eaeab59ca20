//! What a failure of the server means for the caller.

use redis::{ErrorKind, RedisError, ServerError};

use crate::{Error, Kind};

/// A failure inside this backend: of a connection, of the server, or one that is already an answer.
#[derive(Debug)]
pub(super) enum Fail {
    Connection(RedisError),
    Server(ServerError),
    Settled(Error),
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Fail::Settled(error)
    }
}

impl Fail {
    pub fn kind(&self) -> Kind {
        match self {
            Fail::Connection(error) => of_connection(error).0,
            Fail::Server(error) => of_code(error.code(), error.details().unwrap_or_default()).0,
            Fail::Settled(error) => error.kind(),
        }
    }

    pub fn into_error(self, operation: &'static str, place: &str) -> Error {
        let error = |(kind, what): (Kind, &str)| Error::new(kind, operation, format!("{place}: {what}"));
        match self {
            Fail::Settled(settled) => Error::new(settled.kind(), operation, format!("{place}: {}", settled.context())),
            Fail::Connection(cause) => error(of_connection(&cause)).caused_by(cause),
            Fail::Server(cause) => error(of_code(cause.code(), cause.details().unwrap_or_default())).caused_by(cause),
        }
    }

    /// The same failure where something else of the same call was done: only repeating tells what was.
    pub fn in_part(self) -> Fail {
        match self.kind() {
            Kind::Retry => self,
            _ => {
                let error = self.into_error("", "a part of the batch failed");
                Fail::Settled(Error::new(Kind::Retry, "", error.context()).caused_by(error))
            }
        }
    }
}

fn of_connection(error: &RedisError) -> (Kind, &'static str) {
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) => (Kind::Refused, "Redis refuses user or password"),
        (ErrorKind::InvalidClientConfig, _) => (Kind::Refused, "the address can't be used"),
        (ErrorKind::Parse | ErrorKind::UnexpectedReturnType, _) => {
            (Kind::Retry, "what answers there does not speak as Redis does")
        }
        (ErrorKind::Server(_) | ErrorKind::Extension, Some(code)) => of_code(code, error.detail().unwrap_or_default()),
        _ => (Kind::Retry, "the connection to Redis failed"),
    }
}

/// What to do next, and why in words. Codes as the sources of Redis 7 have them: the first word of an error reply.
fn of_code(code: &str, detail: &str) -> (Kind, &'static str) {
    match code {
        "OOM" => (Kind::Full, "Redis has reached its maxmemory"),
        "MISCONF" => (Kind::Full, "Redis can't write to its disk"),
        "WRONGPASS" | "NOAUTH" => (Kind::Refused, "Redis refuses user or password"),
        "NOPERM" => (Kind::Refused, "the user lacks a permission in Redis"),
        "WRONGTYPE" => {
            (Kind::Corrupt, "a key holds what Deepslate never writes; choose another `prefix`, or restore a backup")
        }
        "CROSSSLOT" => (Kind::Refused, "this Redis does not keep keys with one hash tag together"),
        "READONLY" => (Kind::Retry, "this Redis is a replica now"),
        "LOADING" => (Kind::Retry, "Redis is still loading its data"),
        "MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" => {
            (Kind::Retry, "the Redis cluster is being changed or lacks a server")
        }
        "BUSY" | "NOREPLICAS" | "UNBLOCKED" | "NOSCRIPT" => (Kind::Retry, "Redis could not do it now"),
        // Without a user's permission to select it, and in a cluster.
        "ERR" if detail.contains("DB index") => (Kind::Refused, "Redis does not have this database number"),
        _ => (Kind::Refused, "Redis refuses the command"),
    }
}

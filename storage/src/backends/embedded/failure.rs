//! From SQLite's result codes to what the caller does next.
//!
//! A [`Fail`] stays inside this backend: it remembers whether an index may be to blame, so that the backend can rebuild it from the records and try
//! once more before anybody hears of it as an error.

use std::path::Path;

use rusqlite::ffi::ErrorCode;

use crate::{Error, Kind};

/// Why something inside this backend did not work.
#[derive(Debug)]
pub(super) enum Fail {
    /// SQLite said so.
    Sql(rusqlite::Error),
    /// An index says something else than the record it points at.
    Index(&'static str),
    /// The answer is settled; neither a repair nor the rest of the batch has to do with it.
    Settled(Error),
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Fail::Sql(error)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Fail::Settled(error)
    }
}

fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

impl Fail {
    /// True when rebuilding the indices may cure it.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Fail::Sql(error) => code(error) == Some(ErrorCode::DatabaseCorrupt) || lacks_schema(error),
            Fail::Index(_) => true,
            Fail::Settled(_) => false,
        }
    }

    /// True when it concerns one record only and the transaction around it can go on.
    pub(super) fn is_own(&self) -> bool {
        match self {
            Fail::Sql(error) => matches!(
                code(error),
                None | Some(
                    ErrorCode::DatabaseCorrupt
                        | ErrorCode::ConstraintViolation
                        | ErrorCode::TooBig
                        | ErrorCode::TypeMismatch
                )
            ),
            Fail::Index(_) | Fail::Settled(_) => true,
        }
    }

    /// The error that the caller sees; `file` is the database.
    pub(super) fn into_error(self, operation: &'static str, file: &Path) -> Error {
        match self {
            Fail::Settled(error) => error,
            Fail::Index(index) => Error::new(
                Kind::Corrupt,
                operation,
                format!("{}: index {index} contradicts its records; {REMEDY}", file.display()),
            ),
            Fail::Sql(error) => sql_error(error, operation, file),
        }
    }
}

pub(super) const REMEDY: &str = "the file is left as it is: stop the engine, keep a copy of the directory, \
                      and restore a backup";

/// A column that holds something else than was ever written there.
fn is_misread(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..))
}

/// A statement of ours, all of which are fixed, that asks for what is not in the schema: a table, a column, an index.
fn lacks_schema(error: &rusqlite::Error) -> bool {
    let said = error.to_string();
    matches!(code(error), None | Some(ErrorCode::Unknown))
        && (said.contains("no such ") || said.contains("has no column"))
}

/// What is said of a file without the permission to write it.
pub(super) fn unwritable(file: &Path) -> String {
    let file = file.display();
    format!("{file}: it may not be written; give this user the permission to write it and its directory")
}

/// The error of a statement on the open database.
pub(super) fn sql_error(error: rusqlite::Error, operation: &'static str, path: &Path) -> Error {
    let file = path.display();
    let (kind, context) = match code(&error) {
        Some(ErrorCode::DiskFull) => (
            Kind::Full,
            format!("{file}: no space is left for it, nothing was written; free some, then it goes on by itself"),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (Kind::Corrupt, format!("{file} is damaged; {REMEDY}"))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Kind::Retry, format!("{file}: another program keeps it locked; end that program's transaction"))
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted) => {
            (Kind::Retry, format!("{file}: the system could not read or write it"))
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            (Kind::Retry, unwritable(path))
        }
        Some(ErrorCode::TooBig) => (Kind::Refused, format!("{file}: a record is too large for it")),
        _ if lacks_schema(&error) => (Kind::Corrupt, format!("{file} is damaged: its schema; {REMEDY}")),
        None if is_misread(&error) => (Kind::Corrupt, format!("{file} is damaged; {REMEDY}")),
        _ => (Kind::Refused, format!("{file}: an unexpected answer of SQLite; this is a bug of Deepslate")),
    };
    Error::new(kind, operation, context).caused_by(error)
}

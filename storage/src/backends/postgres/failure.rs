//! What a failure of the database means for the caller.

use crate::{Error, Kind};

/// A failure inside this backend: of the database, or one that is already an answer.
#[derive(Debug)]
pub(super) enum Fail {
    Sql(sqlx::Error),
    Settled(Error),
}

impl From<sqlx::Error> for Fail {
    fn from(error: sqlx::Error) -> Self {
        Fail::Sql(error)
    }
}

impl Fail {
    pub fn into_error(self, operation: &'static str, place: &str) -> Error {
        match self {
            Fail::Settled(error) => error,
            Fail::Sql(error) => {
                let (kind, what) = meaning(&error);
                Error::new(kind, operation, format!("{place}: {what}")).caused_by(error)
            }
        }
    }
}

/// What to do next, and why in words. SQLSTATE classes as PostgreSQL's manual lists them in its appendix A.
fn meaning(error: &sqlx::Error) -> (Kind, &'static str) {
    let sqlx::Error::Database(database) = error else {
        return match error {
            sqlx::Error::Configuration(_) => (Kind::Refused, "the connection string can't be used"),
            sqlx::Error::Tls(_) => (Kind::Refused, "no encrypted connection; see sslmode in the connection string"),
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                (Kind::Corrupt, "a column holds what Deepslate never writes; restore a backup")
            }
            _ => (Kind::Retry, "the connection to PostgreSQL failed"),
        };
    };
    let code = database.code().unwrap_or_default();
    match code.as_ref() {
        "53100" => (Kind::Full, "PostgreSQL has no disk space left"),
        "25006" => (Kind::Retry, "PostgreSQL takes no writes now (a standby, or read-only)"),
        "42501" => (Kind::Refused, "the role lacks a privilege"),
        "42P01" | "3F000" | "42703" => (
            Kind::Refused,
            "a table of Deepslate is missing or has another form; was it dropped, or the schema changed?",
        ),
        "28000" | "28P01" => (Kind::Refused, "PostgreSQL refuses user or password"),
        "3D000" => (Kind::Refused, "the database does not exist; create it first"),
        code => match code.get(..2).unwrap_or_default() {
            // Connection, transaction rollback (deadlock, serialization), resources, intervention of an operator, system.
            "08" | "40" | "53" | "55" | "57" | "58" => (Kind::Retry, "PostgreSQL could not do it now"),
            "XX" => (Kind::Corrupt, "PostgreSQL reports an internal error or damaged data"),
            _ => (Kind::Refused, "PostgreSQL refuses the statement"),
        },
    }
}

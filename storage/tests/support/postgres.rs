//! A look at a PostgreSQL server beside the store.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

pub async fn connect(dsn: &str) -> PgConnection {
    PgConnection::connect(dsn).await.expect("the server answers")
}

/// Runs statements.
pub async fn execute(dsn: &str, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connect(dsn).await).await.expect("the statement runs");
}

/// The one number that a query answers.
pub async fn number(dsn: &str, sql: &str) -> i64 {
    let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connect(dsn).await).await;
    row.and_then(|row| row.try_get(0)).expect("the query answers a number")
}

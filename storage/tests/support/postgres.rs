//! A look at a PostgreSQL server beside the store, and servers of a test's own.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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

/// A server of a test's own, which it may stop, with data that is thrown away.
pub struct Server {
    programs: PathBuf,
    directory: tempfile::TempDir,
    port: u16,
    /// It refuses to run as root.
    user: Option<(u32, u32)>,
}

impl Server {
    /// Starts the server whose programs are in this folder.
    pub fn start(programs: &str) -> Server {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        std::fs::create_dir(&data).expect("a directory");
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).expect("its own directory");
        let is_root = std::fs::metadata(&data).expect("it is there").uid() == 0;
        let user = is_root.then(|| (number_of("-u"), number_of("-g")));
        if let Some((uid, gid)) = user {
            chown(&data, Some(uid), Some(gid)).expect("root may");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let server = Server { programs: programs.into(), directory, port, user };
        server.run("initdb", &["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]);
        server.up();
        server
    }

    pub fn dsn(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn up(&self) {
        let data = self.directory.path().join("data");
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -k {}", self.port, data.display());
        let log = data.join("log").display().to_string();
        self.run("pg_ctl", &["start", "-w", "-s", "-l", &log, "-o", &options]);
    }

    /// `fast` ends it in order; after `immediate` it has to recover as after a crash.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["stop", "-w", "-s", "-m", mode]);
    }

    fn run(&self, program: &str, args: &[&str]) {
        assert!(self.try_run(program, args), "{program} {args:?}");
    }

    fn try_run(&self, program: &str, args: &[&str]) -> bool {
        let mut command = Command::new(self.programs.join(program));
        command.arg("-D").arg(self.directory.path().join("data")).args(args);
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.try_run("pg_ctl", &["stop", "-w", "-s", "-m", "immediate"]);
    }
}

/// A number of the user that PostgreSQL's package has made.
fn number_of(which: &str) -> u32 {
    let id = Command::new("id").args([which, "postgres"]).output().expect("id runs");
    String::from_utf8_lossy(&id.stdout).trim().parse().expect("there is the user postgres")
}

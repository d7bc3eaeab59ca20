//! The Python side: a virtual environment of the project's own under `target/`, the wheel in it, and its tests.

use crate::shell::{root, run};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// What the wheel's build and tests need, pinned.
const REQUIREMENTS: &str = "python/requirements-dev.txt";

/// The project's own environment, made if need be, with all requirements in it.
fn environment() -> Result<PathBuf> {
    let folder = root().join("target/venv");
    let python = folder.join("bin/python");
    if !python.exists() {
        let maker = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        run(Command::new(maker).args(["-m", "venv"]).arg(&folder))
            .context("making a virtual environment needs Python 3.10 or later with the venv module")?;
    }
    let wanted = std::fs::read_to_string(root().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let installed = folder.join("requirements.installed");
    if std::fs::read_to_string(&installed).ok().as_deref() != Some(&wanted) {
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(root().join(REQUIREMENTS)))?;
        std::fs::write(installed, wanted)?;
    }
    Ok(folder)
}

/// Builds the wheel and gives its path.
pub fn wheel(release: bool) -> Result<PathBuf> {
    let environment = environment()?;
    let out = root().join("dist");
    std::fs::create_dir_all(&out)?;
    for old in std::fs::read_dir(&out)? {
        let old = old?.path();
        if old.extension().is_some_and(|e| e == "whl") {
            std::fs::remove_file(old)?;
        }
    }
    let profile = if release { "dist" } else { "ci" };
    run(Command::new(environment.join("bin/maturin"))
        .current_dir(root().join("python"))
        .args(["build", "--locked", "--profile", profile, "--out"])
        .arg(&out)
        .env("VIRTUAL_ENV", &environment))?;
    for file in std::fs::read_dir(&out)? {
        let file = file?.path();
        if file.extension().is_some_and(|e| e == "whl") {
            return Ok(file);
        }
    }
    bail!("maturin built no wheel in {}", out.display())
}

fn install(release: bool) -> Result<PathBuf> {
    let wheel = wheel(release)?;
    let environment = environment()?;
    run(Command::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps"])
        .arg(wheel))?;
    Ok(environment)
}

/// Builds and installs the wheel, and runs its tests, which find servers by these variables.
pub fn test(servers: &[(&str, String)]) -> Result<()> {
    let environment = install(false)?;
    run(Command::new(environment.join("bin/python"))
        .current_dir(root().join("python"))
        .args(["-m", "pytest", "-q", "tests"])
        .envs(servers.iter().map(|(name, value)| (name, value))))
}

/// A Python with the release wheel in it, for the benchmarks.
pub fn bench_environment() -> Result<PathBuf> {
    Ok(install(true)?.join("bin/python"))
}

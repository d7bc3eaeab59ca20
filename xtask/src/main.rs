//! The one entry for habits: `cargo xtask check` before a commit, `cargo xtask test` for all that CI runs. It starts other
//! programs and reads their exit codes; it holds no logic of the product.
#![forbid(unsafe_code)]

mod browser;
mod changed;
mod first_build;
mod python;
mod services;
mod shell;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use shell::{cargo, root, run, step};
use std::process::Command;

/// The habits of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Args {
    #[command(subcommand)]
    habit: Habit,
}

#[derive(Subcommand)]
enum Habit {
    /// Format, clippy and the tests of the crates that differ from the last commit (or of all, with --all). No services.
    Check {
        /// All crates, changed or not.
        #[arg(long)]
        all: bool,
    },
    /// All that CI runs: format, clippy, every test, the wheel and its tests. Installs what the tests need.
    Test,
    /// Starts the servers that tests need on free loopback ports, prints how tests find them, and stops them on Ctrl+C.
    Services,
    /// Rewrites the expected outputs of file tests and diagnostics; read the diff before you commit it.
    Bless,
    /// Builds the Python wheel into `dist/` with the `ci` profile, or for release.
    Wheel {
        /// Optimised, as it is published.
        #[arg(long)]
        release: bool,
    },
    /// Runs a benchmark: `durable` prints steps a second and recovery times beside the disk's own fdatasync, `growth` lets
    /// flows loop a million times, `restore` and `snapshot` time these, `build` compares a first build with its dependencies alone.
    Bench {
        /// Which one.
        name: String,
        /// Passed on to it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Args::parse().habit {
        Habit::Check { all } => check(all),
        Habit::Test => test(),
        Habit::Services => services::Services::start()?.stay(),
        Habit::Bless => bless(),
        Habit::Wheel { release } => python::wheel(release).map(|path| println!("{}", path.display())),
        Habit::Bench { name, args } => bench(&name, &args),
    }
}

fn check(all: bool) -> Result<()> {
    let crates = if all { changed::all()? } else { changed::since_head()? };
    step("format");
    run(cargo("fmt").args(["--all", "--check"]))?;
    if crates.is_empty() {
        println!("no crate differs from the last commit");
        return Ok(());
    }
    let packages: Vec<&str> = crates.iter().flat_map(|name| ["-p", name.as_str()]).collect();
    step(&format!("clippy: {}", crates.join(", ")));
    run(cargo("clippy").args(PROFILE).args(&packages).args(["--all-targets", "--", "-D", "warnings"]))?;
    step("tests");
    run(cargo("test").args(PROFILE).args(&packages))
}

const PROFILE: [&str; 3] = ["--locked", "--profile", "ci"];

/// The crate whose library is a Python extension module: it has no Rust tests and is tested through the wheel.
const EXTENSION: &str = "deepslate-python";

fn test() -> Result<()> {
    browser::install()?;
    let services = services::Services::start()?;
    step("format");
    run(cargo("fmt").args(["--all", "--check"]))?;
    step("clippy");
    run(cargo("clippy").args(PROFILE).args(["--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    step("build the tests and the command");
    run(cargo("build").args(PROFILE).args(["--workspace", "--exclude", EXTENSION, "--bins"]))?;
    step("tests");
    let servers = services.variables.iter().map(|(name, value)| (name, value));
    run(cargo("test").args(PROFILE).args(["--workspace", "--exclude", EXTENSION, "--no-fail-fast"]).envs(servers))?;
    step("the wheel and its tests");
    python::test(&services.variables)
}

fn bless() -> Result<()> {
    run(cargo("test")
        .args(PROFILE)
        .args(["-p", "deepslate-ir", "-p", "deepslate-frontend", "-p", "deepslate-conformance"])
        .env("BLESS", "1"))?;
    run(Command::new("git").current_dir(root()).args(["status", "--short"]))
}

fn bench(name: &str, args: &[String]) -> Result<()> {
    match name {
        "build" => first_build::bench(),
        "durable" => {
            let python = python::bench_environment()?;
            run(cargo("run")
                .args(["--locked", "--release", "-p", "deepslate-benches", "--bin", "durable", "--"])
                .args(args)
                .env("DEEPSLATE_BENCH_PYTHON", python))
        }
        "growth" => run(cargo("test")
            .args(["--locked", "--release", "-p", "deepslate-conformance", "--test", "show"])
            .args(["a_loop_stays_small_on_memory", "--", "--nocapture"])
            .args(args)
            .env("DEEPSLATE_TURNS", "1000000")),
        "restore" | "snapshot" => {
            run(cargo("bench").args(["--locked", "-p", "deepslate-benches", "--bench", name, "--"]).args(args))
        }
        other => bail!("there is no benchmark {other}; there are: build, durable, growth, restore, snapshot"),
    }
}

//! The command `deepslate` as a library, so that the binary and the Python wheel install the same one.
//!
//! Thin: the facade compiles and runs, the inspector's API is what a running engine is asked by; here are the command line, what is
//! printed, and exit statuses. How a file becomes a program is the caller's choice ([`Loader`]): the standalone binary compiles it;
//! the wheel imports it as well, so that its host functions are there.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod context;
mod control;
mod exit;
mod load;
mod print;
mod values;

use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

pub use exit::{Exit, Outcome, Stopped};
pub use load::{Loaded, Loader, Standalone};

/// Runs the command with these arguments, the first of which is the command's own name, and gives its exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(run(args, Arc::new(Standalone)))
}

/// The same with another way to make programs of files; gives the exit status as a number. It takes over SIGINT and SIGTERM while
/// `run` or `serve` is at work.
pub fn run(args: impl IntoIterator<Item = OsString>, loader: Arc<dyn Loader>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let parsed = match args::Args::try_parse_from(&args) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are no mistakes. Nobody is left to tell when even this can't be printed.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage as u8 } else { 0 };
        }
    };
    let context = context::Context::new(&parsed, loader);
    match commands::run(&context, &parsed.command) {
        Ok(()) => 0,
        Err(stopped) => {
            if !stopped.message.is_empty() {
                eprintln!("{}{}", context.mark("error: "), stopped.message.trim_end());
            }
            stopped.exit as u8
        }
    }
}

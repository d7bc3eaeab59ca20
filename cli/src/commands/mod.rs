//! The commands, each in the file of its subject, and what several of them share: targets such as `file.py:flow`, and names that are
//! not there.

mod check;
mod config;
mod disasm;
mod remote;
mod rest;
mod run;
mod serve;
mod vm;

use deepslate::ir::json::nearest;
use std::future::Future;
use std::path::PathBuf;

use crate::args::Command;
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};

/// Does what was asked.
pub fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::Run(args) => wait(run::run(context, args)),
        Command::Serve(args) => wait(serve::serve(context, args)),
        Command::Spawn(args) => wait(remote::spawn(context, args)),
        Command::List(args) => wait(remote::list(context, args)),
        Command::Show(args) => wait(remote::show(context, args)),
        Command::Result(args) => wait(remote::result(context, args)),
        Command::Cancel(args) => wait(remote::act(context, args, "cancel")),
        Command::Pause(args) => wait(remote::act(context, args, "pause")),
        Command::Resume(args) => wait(remote::act(context, args, "resume")),
        Command::Send(args) => wait(remote::send(context, args)),
        Command::Delete(args) => wait(remote::act(context, args, "delete")),
        Command::Check(args) => check::check(context, args),
        Command::Call(args) => vm::call(context, args),
        Command::Bench(args) => vm::bench(context, args),
        Command::Disasm(args) => disasm::disasm(context, args),
        Command::Config(args) => config::config(context, args),
    }
}

/// Runs a command that waits for others. One thread is enough: engines have their own.
fn wait(future: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Stopped::new(Exit::Refused, format!("the runtime can't be made: {error}")))?;
    runtime.block_on(future)
}

/// The two halves of `file.py:name`.
fn target<'a>(text: &'a str, form: &str) -> Outcome<(PathBuf, &'a str)> {
    match text.rsplit_once(':') {
        Some((file, name)) if !file.is_empty() && !name.is_empty() => Ok((file.into(), name)),
        _ => Err(Stopped::new(Exit::Usage, format!("`{text}` is no {form}: write the file, a colon and the name"))),
    }
}

/// A name that is not among those that are there.
fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str>, place: &str) -> Stopped {
    let names: Vec<_> = names.collect();
    let near = nearest(name, names.iter().copied());
    let near = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
    let there = if names.is_empty() { "there is none".to_owned() } else { format!("there is {}", names.join(", ")) };
    Stopped::new(Exit::Unknown, format!("{place} has no {what} {name}{near} ({there})"))
}

/// A flow that is not there.
fn unknown_flow<'a>(name: &str, names: impl Iterator<Item = &'a str>, place: &str) -> Stopped {
    unknown("flow", name, names, place)
}

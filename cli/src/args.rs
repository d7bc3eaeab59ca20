//! The command line: what can be asked, in which words. Each command's help has an example; nothing is done here.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::exit;

/// Flows that survive kill -9: durable execution without replay.
#[derive(Parser, Debug)]
#[command(name = "deepslate", version, after_help = exit::HELP, propagate_version = true, max_term_width = 110)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// The config file [default: $DEEPSLATE_CONFIG, else ./deepslate.toml, else built-in defaults].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Machine-readable output: JSON on standard output.
    #[arg(long, global = true)]
    pub json: bool,

    /// Say more on standard error; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a flow to its result; the same name again goes on where it was.
    #[command(after_help = "\
Examples:
  deepslate run examples/counter.py:counter --name c1 --arg limit=100000
  deepslate run order.py:order --name order-7 --arg 'item={\"id\": 7, \"price\": 9.5}' --json

Killed at any instant, the same command goes on from the last commit. Of a flow that has ended it prints the result again.")]
    Run(Run),

    /// Run the flows of files, with the inspector and its control API, until a signal.
    #[command(after_help = "\
Example:
  deepslate serve examples/counter.py
  deepslate spawn c1 counter --arg limit=1000        (in another terminal)

Isolates that the store holds go on at once. SIGINT or SIGTERM lets what runs come to its next commit, then stops.")]
    Serve(Serve),

    /// Spawn an isolate at a running engine.
    #[command(after_help = "\
Example:
  deepslate spawn c1 counter --arg limit=1000

A name that is taken is left as it is: the answer says so, and has the same id.")]
    Spawn(Spawn),

    /// List isolates, of a running engine or of a store at rest.
    #[command(after_help = "\
Examples:
  deepslate list --status sleeping
  deepslate list --prefix order- --limit 20 --json")]
    List(List),

    /// Show where an isolate stands: its tasks, their source lines, stacks and variables.
    #[command(after_help = "\
Example:
  deepslate show c1")]
    Show(Show),

    /// Wait for an isolate's result and print it.
    #[command(after_help = "\
Example:
  deepslate result c1 --timeout 30

Exit status 0 with the value on standard output, 1 if the flow failed, 6 if the time is over, 7 if it was cancelled.")]
    Result(ResultOf),

    /// End an isolate at its next stop.
    #[command(after_help = "Example:\n  deepslate cancel c1")]
    Cancel(Named),

    /// Hold an isolate at its next stop until it is resumed.
    #[command(after_help = "Example:\n  deepslate pause c1")]
    Pause(Named),

    /// Let a paused or parked isolate go on.
    #[command(after_help = "Example:\n  deepslate resume c1")]
    Resume(Named),

    /// Put a value into a queue that a flow made with a name.
    #[command(after_help = "\
Examples:
  deepslate send order-7 approvals true
  deepslate send order-7 lines '{\"item\": \"nail\", \"count\": 100}' --id line-1

Returns when the value is part of the isolate's durable state. With --id the same message may be sent again: it counts once.")]
    Send(Send),

    /// Remove an isolate that has ended; its name is free again.
    #[command(after_help = "Example:\n  deepslate delete c1")]
    Delete(Named),

    /// Report what is wrong with source files, without running them.
    #[command(after_help = "\
Examples:
  deepslate check examples/counter.py
  deepslate check src/*.py --short")]
    Check(Check),

    /// Call one plain function in the VM, without a store, and print its value as JSON.
    #[command(after_help = "\
Example:
  deepslate call examples/primes.py:count_primes --args '[1000]'")]
    Call(Call),

    /// Print what a file compiles to, source lines beside it.
    #[command(after_help = "\
Examples:
  deepslate disasm examples/counter.py --stage ir
  deepslate disasm examples/counter.py --stage bytecode --function counter")]
    Disasm(Disasm),

    /// Time one plain function in the VM.
    #[command(after_help = "\
Example:
  deepslate bench examples/primes.py --entry count_primes --arg 100000 --reps 5

Prints {result, compile_s, first_s, reps_s, median_s, jit} with --json, a summary otherwise.")]
    Bench(Bench),

    /// Print the configuration in effect, or every key that there is.
    #[command(after_help = "\
Examples:
  deepslate config
  deepslate config --keys")]
    Config(Config),
}

/// Where flows and settings of this run come from.
#[derive(ClapArgs, Debug)]
pub struct Run {
    /// The file and the flow in it.
    #[arg(value_name = "FILE:FLOW")]
    pub target: String,
    /// The isolate's name; without one, one is made and printed.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// An argument of the flow: JSON, or plain text where the flow takes a str.
    #[arg(long = "arg", value_name = "KEY=VALUE")]
    pub args: Vec<String>,
    /// Show the inspector while it runs.
    #[arg(long)]
    pub inspector: bool,
    /// The inspector's address.
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// Where flows listen, if this one does [default: from the configuration].
    #[arg(long, value_name = "HOST:PORT")]
    pub http: Option<String>,
}

/// What `serve` takes.
#[derive(ClapArgs, Debug)]
pub struct Serve {
    /// Source files with flows.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The address of the inspector and control API [default: from the configuration].
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// Where flows listen [default: from the configuration].
    #[arg(long, value_name = "HOST:PORT")]
    pub http: Option<String>,
    /// Threads that run flows [default: from the configuration].
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
}

/// Which engine to ask.
#[derive(ClapArgs, Debug)]
pub struct Engine {
    /// The running engine's inspector address [default: from the configuration].
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,
}

/// What `spawn` takes.
#[derive(ClapArgs, Debug)]
pub struct Spawn {
    /// The isolate's name.
    pub name: String,
    /// The flow.
    pub flow: String,
    /// An argument of the flow: JSON, or plain text where the flow takes a str.
    #[arg(long = "arg", value_name = "KEY=VALUE")]
    pub args: Vec<String>,
    /// Which engine.
    #[command(flatten)]
    pub engine: Engine,
}

/// What `list` takes.
#[derive(ClapArgs, Debug)]
pub struct List {
    /// Only isolates of this status.
    #[arg(long, value_parser = ["running", "sleeping", "waiting", "paused", "parked", "done", "failed", "cancelled"])]
    pub status: Option<String>,
    /// Only isolates of this flow.
    #[arg(long)]
    pub flow: Option<String>,
    /// Only names that begin so.
    #[arg(long)]
    pub prefix: Option<String>,
    /// Only names after this one.
    #[arg(long, value_name = "NAME")]
    pub after: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub limit: u32,
    /// Read the store of the configuration, though no engine runs.
    #[arg(long)]
    pub at_rest: bool,
    /// Which engine.
    #[command(flatten)]
    pub engine: Engine,
}

/// What `show` takes.
#[derive(ClapArgs, Debug)]
pub struct Show {
    /// The isolate's name.
    pub name: String,
    /// Read the store of the configuration, though no engine runs.
    #[arg(long)]
    pub at_rest: bool,
    /// Which engine.
    #[command(flatten)]
    pub engine: Engine,
}

/// What `send` takes.
#[derive(ClapArgs, Debug)]
pub struct Send {
    /// The isolate's name.
    pub name: String,
    /// The name of the queue.
    pub queue: String,
    /// The value as JSON; what is no JSON is sent as a text.
    pub value: String,
    /// An id of this message, by which it is known when it is sent again.
    #[arg(long)]
    pub id: Option<String>,
    /// Which engine.
    #[command(flatten)]
    pub engine: Engine,
}

/// What `result` takes.
#[derive(ClapArgs, Debug)]
pub struct ResultOf {
    /// The isolate's name.
    pub name: String,
    /// Wait at most so many seconds [default: as long as it takes].
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<f64>,
    /// Which engine.
    #[command(flatten)]
    pub engine: Engine,
}

/// What a command on one isolate takes.
#[derive(ClapArgs, Debug)]
pub struct Named {
    /// The isolate's name.
    pub name: String,
    /// Which engine.
    #[command(flatten)]
    pub engine: Engine,
}

/// What `check` takes.
#[derive(ClapArgs, Debug)]
pub struct Check {
    /// Source files.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// One line for each: file:line:column: code: message.
    #[arg(long)]
    pub short: bool,
}

/// What `call` takes.
#[derive(ClapArgs, Debug)]
pub struct Call {
    /// The file and the function in it.
    #[arg(value_name = "FILE:FUNCTION")]
    pub target: String,
    /// Its arguments, as a JSON array.
    #[arg(long, value_name = "JSON", default_value = "[]")]
    pub args: String,
}

/// What `disasm` takes.
#[derive(ClapArgs, Debug)]
pub struct Disasm {
    /// The source file.
    pub file: PathBuf,
    /// Which form.
    #[arg(long, value_enum, default_value = "ir")]
    pub stage: Stage,
    /// Only this function.
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
}

/// A form of a program.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Typed SSA: what a program image holds.
    Ir,
    /// What the VM runs: private to this version.
    Bytecode,
}

/// What `bench` takes.
#[derive(ClapArgs, Debug)]
pub struct Bench {
    /// The source file.
    pub file: PathBuf,
    /// The function.
    #[arg(long, default_value = "main")]
    pub entry: String,
    /// Its arguments in order, each in JSON.
    #[arg(long = "arg", value_name = "JSON", allow_hyphen_values = true)]
    pub args: Vec<String>,
    /// How often to call it after the first time.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub reps: u32,
}

/// What `config` takes.
#[derive(ClapArgs, Debug)]
pub struct Config {
    /// Every key with its default, its environment variable and what it is for.
    #[arg(long)]
    pub keys: bool,
}

#[cfg(test)]
mod tests {
    use super::Args;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_each_command_has_an_example() {
        let command = Args::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("deepslate {}", sub.get_name())), "{} has no example", sub.get_name());
        }
    }
}

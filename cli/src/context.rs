//! What all commands have at hand: the global options, the configuration, the way to load files, and how errors of the facade end a
//! command.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use deepslate::engine::{self, Kind};
use deepslate::{Config, Error};
use tracing_subscriber::EnvFilter;

use crate::args::Args;
use crate::exit::{Exit, Outcome, Stopped};
use crate::load::Loader;

/// See the module.
pub struct Context {
    /// JSON on standard output.
    pub json: bool,
    /// How files become programs.
    pub loader: Arc<dyn Loader>,
    config: Option<PathBuf>,
    verbose: u8,
}

impl Context {
    /// From the global options.
    pub fn new(args: &Args, loader: Arc<dyn Loader>) -> Context {
        Context { json: args.json, loader, config: args.config.clone(), verbose: args.verbose }
    }

    /// The configuration in effect.
    pub fn config(&self) -> Outcome<Config> {
        Config::load(self.config.as_deref()).map_err(|error| Stopped::new(Exit::Usage, error.to_string()))
    }

    /// Whether diagnostics may have colours.
    pub fn color(&self) -> bool {
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
    }

    /// A word in front of an error, in red where colours are.
    pub fn mark(&self, word: &str) -> String {
        if self.color() { format!("\u{1b}[1;31m{word}\u{1b}[0m") } else { word.to_owned() }
    }

    /// Says something to the person in front of it.
    pub fn note(&self, text: &str) {
        eprintln!("{text}");
    }

    /// Log lines on standard error from now on, as the config says (or `quiet`, where it says nothing) or as much as `--verbose` asks for.
    pub fn log(&self, config: &Config, quiet: Option<&str>) -> Outcome {
        let place = config.place("telemetry", "log");
        let filter = quiet.filter(|_| place.is_none()).unwrap_or(&config.telemetry.log);
        let filter = match self.verbose {
            0 => filter,
            1 => "info,deepslate=debug,deepslate_engine=debug,deepslate_inspector=debug,deepslate_storage=debug",
            _ => "trace",
        };
        let filter = EnvFilter::try_new(filter).map_err(|error| {
            let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
            let form =
                "it takes a level (error, warn, info, debug, trace) or a filter as `info,deepslate_engine=debug`";
            Stopped::new(Exit::Usage, format!("{place}`log` of [telemetry] is `{filter}`, no filter: {error}; {form}"))
        })?;
        let to = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(self.color());
        // In the wheel the application may have its own subscriber already.
        let _ = to.try_init();
        Ok(())
    }
}

impl From<engine::Error> for Stopped {
    fn from(error: engine::Error) -> Stopped {
        let exit = match error.kind() {
            Kind::BadName | Kind::BadArguments | Kind::MissingHost => Exit::Usage,
            Kind::UnknownFlow | Kind::UnknownQueue | Kind::NotFound => Exit::Unknown,
            Kind::Timeout => Exit::Timeout,
            Kind::Program => Exit::Failed,
            Kind::NotFinished
            | Kind::Ended
            | Kind::QueueFull
            | Kind::Corrupt
            | Kind::NotOwner
            | Kind::Stopping
            | Kind::Held
            | Kind::Store(_)
            | Kind::System => Exit::Refused,
        };
        Stopped::new(exit, error.context())
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        let exit = match error {
            Error::Engine(error) => return error.into(),
            Error::Failed(_) | Error::Flows(_) => Exit::Failed,
            Error::Cancelled => Exit::Cancelled,
            Error::File(..) => Exit::Unknown,
            _ => Exit::Usage,
        };
        Stopped::new(exit, error.to_string())
    }
}

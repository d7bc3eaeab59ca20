//! How the command ends: exit statuses that scripts can use, and the error that carries one.

use std::fmt;
use std::process::ExitCode;

/// Why the command ended. The numbers are documented and never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// The flow failed, the program trapped, or the source has errors.
    Failed = 1,
    /// The command line, the arguments or the configuration can't be used.
    Usage = 2,
    /// No engine answers at the address.
    Unreachable = 3,
    /// There is no such isolate, flow, function or file.
    Unknown = 4,
    /// The store or the machine refused.
    Refused = 5,
    /// The time given is over and the isolate has not ended.
    Timeout = 6,
    /// The isolate was cancelled.
    Cancelled = 7,
    /// A signal ended it before the flow; the same command goes on.
    Interrupted = 130,
}

/// The same as text, for the help.
pub const HELP: &str = "\
Exit status:
  0    it worked
  1    the flow failed, the program trapped, or the source has errors
  2    the command line, the arguments or the configuration can't be used
  3    no engine answers at the address
  4    there is no such isolate, flow, function or file
  5    the store or the machine refused
  6    the time given is over and the isolate has not ended
  7    the isolate was cancelled
  130  a signal ended it before the flow; the same command goes on where it was";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// What a command that did not work says, and how it ends.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// The exit status.
    pub exit: Exit,
    /// For standard error; empty if everything has been said.
    pub message: String,
}

impl Stopped {
    /// Ends the command with a message that says what, where and what to do.
    pub fn new(exit: Exit, message: impl Into<String>) -> Stopped {
        Stopped { exit, message: message.into() }
    }

    /// Ends the command; everything has been said.
    pub fn said(exit: Exit) -> Stopped {
        Stopped { exit, message: String::new() }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What every command returns.
pub type Outcome<T = ()> = Result<T, Stopped>;

#[cfg(test)]
mod tests {
    use super::{Exit, HELP};

    #[test]
    fn every_status_is_documented() {
        use Exit::{Cancelled, Failed, Interrupted, Refused, Timeout, Unknown, Unreachable, Usage};
        for exit in [Failed, Usage, Unreachable, Unknown, Refused, Timeout, Cancelled, Interrupted] {
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(&format!("{} ", exit as u8))), "{exit:?}");
        }
    }
}

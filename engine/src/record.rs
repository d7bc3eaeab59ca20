//! The engine's own record of an isolate: what `Head.state` holds beside the snapshot.
//!
//! Small, because each commit replaces it whole. Here are the types in memory; the stored bytes are made and read by [`v1`]
//! and [`v2`] alone. Opening checks everything: stored bytes are hostile until proven otherwise.

mod bytes;
pub(crate) mod event;
mod v1;
mod v2;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use deepslate_ir::datum::Datum;
use deepslate_ir::trap::TrapKind;
use deepslate_regvm::trace::{self, Repeat};
use deepslate_regvm::{TraceLine, Trap};

use crate::http::mail::Mail;
use crate::limits::{APPLIED_MAX, APPLIED_OWN_MAX, MESSAGE_BYTES_MAX, TRACE_LINES_MAX};
use crate::message;

/// How an isolate ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// With this value of its first task.
    Done(Datum),
    /// By a trap.
    Failed(Failure),
    /// By a cancel.
    Cancelled,
}

impl Ending {
    /// In words.
    pub(crate) fn how(&self) -> &'static str {
        match self {
            Ending::Done(_) => "has ended",
            Ending::Failed(_) => "has failed",
            Ending::Cancelled => "was cancelled",
        }
    }
}

/// What a flow did wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of mistake.
    pub kind: TrapKind,
    /// In words, with the values that matter.
    pub message: String,
    /// The task that made it.
    pub task: u64,
    /// Where it was, innermost function first; lines that repeat are there once.
    pub trace: Vec<TraceLine>,
    /// Which lines of the trace repeat, in their order.
    pub repeats: Vec<Repeat>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        trace::write(f, &self.trace, &self.repeats, "  ")
    }
}

impl std::error::Error for Failure {}

impl From<Trap> for Failure {
    fn from(trap: Trap) -> Failure {
        let (mut trace, mut repeats) = trace::fold(trap.trace);
        if trace.len() > TRACE_LINES_MAX {
            let (head, tail) = (TRACE_LINES_MAX / 2, trace.len() - TRACE_LINES_MAX / 2);
            trace.drain(head..tail);
            repeats.retain(|repeat| repeat.last < head || repeat.last >= tail);
            for repeat in repeats.iter_mut().filter(|repeat| repeat.last >= tail) {
                repeat.last -= tail - head;
                // Some of its lines may be among those that were left out.
                repeat.lines = repeat.lines.min(repeat.last + 1);
            }
        }
        Failure { kind: trap.kind, message: cut(trap.message, MESSAGE_BYTES_MAX), task: trap.task.0, trace, repeats }
    }
}

/// The record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    /// Stopped by an operator.
    pub(crate) paused: bool,
    /// Why it can't go on, if it is parked.
    pub(crate) parked: Option<String>,
    /// How it ended, if it has.
    pub(crate) ending: Option<Ending>,
    /// Its arguments as JSON, cut, for listings.
    pub(crate) args: String,
    /// The VM's numbers of the live parts; the part at index n has the number n in the store.
    pub(crate) parts: Vec<u64>,
    /// Sleeps under way: when due, and their steps.
    pub(crate) sleeps: BTreeSet<(i64, u64)>,
    /// How often host calls under way were started, where that is more than once, by step.
    pub(crate) attempts: BTreeMap<u64, u32>,
    /// The ids of the last messages applied, oldest first.
    pub(crate) applied: Vec<u128>,
    /// Requests that came in.
    pub(crate) mail: Mail,
}

/// A record that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) String);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the engine's record of it {}", self.0)
    }
}

impl Record {
    /// The bytes to store.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // What needs nothing newer is written so that an older engine reads it.
        if self.mail.is_empty() { v1::encode(self) } else { v2::encode(self) }
    }

    /// Reads stored bytes of any known version.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Record, Damage> {
        match bytes.first() {
            Some(&v1::VERSION) => v1::decode(&bytes[1..]),
            Some(&v2::VERSION) => v2::decode(&bytes[1..]),
            Some(version) => Err(Damage(format!(
                "has format {version}, this engine reads up to {}: use the version of Deepslate that wrote it, or a newer one",
                v2::VERSION
            ))),
            None => Err(Damage("is empty".into())),
        }
    }

    /// Remembers a message; false if it was applied before.
    pub(crate) fn apply(&mut self, message: u128) -> bool {
        if self.applied.contains(&message) {
            return false;
        }
        let own = |id: &u128| !message::is_callers(*id);
        if own(&message) && self.applied.iter().filter(|id| own(id)).count() >= APPLIED_OWN_MAX {
            let oldest = self.applied.iter().position(own);
            oldest.map(|at| self.applied.remove(at));
        }
        if self.applied.len() >= APPLIED_MAX {
            self.applied.remove(0);
        }
        self.applied.push(message);
        true
    }
}

/// The text, cut at a character's border to at most so many bytes.
pub(crate) fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let mut end = bytes_max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;

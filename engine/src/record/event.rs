//! What happened to an isolate, one line each: its own log lines and what was done to it. Stored in the order of commits,
//! the newest only.
//!
//! A stored event is a version byte, a kind, the time, and a text to the end.

use super::bytes::{Reader, Writer};
use super::{Damage, cut};
use crate::limits::LOG_LINE_BYTES_MAX;

const VERSION: u8 = 1;

/// What an event is about. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A line that the flow logged.
    Log = 0,
    /// It was spawned.
    Spawned = 1,
    /// It was paused.
    Paused = 2,
    /// It was resumed.
    Resumed = 3,
    /// It was parked; the text says why.
    Parked = 4,
    /// It ended; the text says how.
    Ended = 5,
    /// It was restored by another life of an engine while calls were under way; the text says how many it repeats.
    Repeated = 6,
    /// A host function failed and is called again after a pause; the text says which, after how many attempts, and why.
    Retried = 7,
}

impl EventKind {
    const ALL: [EventKind; 8] = [
        EventKind::Log,
        EventKind::Spawned,
        EventKind::Paused,
        EventKind::Resumed,
        EventKind::Parked,
        EventKind::Ended,
        EventKind::Repeated,
        EventKind::Retried,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Log => "log",
            EventKind::Spawned => "spawned",
            EventKind::Paused => "paused",
            EventKind::Resumed => "resumed",
            EventKind::Parked => "parked",
            EventKind::Ended => "ended",
            EventKind::Repeated => "repeated",
            EventKind::Retried => "retried",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub kind: EventKind,
    /// When, in unix milliseconds of the store's clock.
    pub at_ms: i64,
    /// In words; empty where the kind says it all.
    pub text: String,
}

impl Event {
    pub(crate) fn new(kind: EventKind, at_ms: i64, text: impl Into<String>) -> Event {
        Event { kind, at_ms, text: cut(text.into(), LOG_LINE_BYTES_MAX) }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u8(VERSION);
        out.u8(self.kind as u8);
        out.i64(self.at_ms);
        out.0.extend_from_slice(self.text.as_bytes());
        out.0
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Event, Damage> {
        let mut from = Reader(bytes);
        let version = from.u8()?;
        if version != VERSION {
            return Err(Damage(format!("has an event of format {version}; this engine reads {VERSION}")));
        }
        let kind = usize::from(from.u8()?);
        let kind = *EventKind::ALL.get(kind).ok_or_else(|| Damage(format!("has an event of unknown kind {kind}")))?;
        let at_ms = from.i64()?;
        let text = String::from_utf8_lossy(from.0).into_owned();
        Ok(Event { kind, at_ms, text })
    }
}

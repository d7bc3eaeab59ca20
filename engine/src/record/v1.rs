//! Version 1 of the stored record. Never changed once released: a new form is a new file and a new version byte.
//!
//! After the version: flags, then what the flags say is there, then the rest, in the order of [`encode`].

use std::collections::{BTreeMap, BTreeSet};

use deepslate_ir::trap::TrapKind;
use deepslate_regvm::TraceLine;
use deepslate_regvm::trace::Repeat;

use super::bytes::{Reader, Writer};
use super::{Damage, Ending, Failure, Record};
use crate::http::mail::Mail;
use crate::limits::{APPLIED_MAX, DUE_MS_MAX, PARTS_MAX, PENDING_MAX, TRACE_LINES_MAX};

/// The first byte.
pub(super) const VERSION: u8 = 1;

const PAUSED: u64 = 1;
const PARKED: u64 = 2;
const DONE: u64 = 4;
const FAILED: u64 = 8;
const CANCELLED: u64 = 16;
/// Lines of the failure's trace repeat; which ones stands after it.
const REPEATS: u64 = 32;
const KNOWN: u64 = 63;

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut out = Writer::default();
    out.u8(VERSION);
    let ending = match &record.ending {
        None => 0,
        Some(Ending::Done(_)) => DONE,
        Some(Ending::Failed(_)) => FAILED,
        Some(Ending::Cancelled) => CANCELLED,
    };
    let parked = if record.parked.is_some() { PARKED } else { 0 };
    let paused = if record.paused { PAUSED } else { 0 };
    let repeats = match &record.ending {
        Some(Ending::Failed(failure)) if !failure.repeats.is_empty() => REPEATS,
        _ => 0,
    };
    out.u64(paused | parked | ending | repeats);
    if let Some(reason) = &record.parked {
        out.bytes(reason.as_bytes());
    }
    match &record.ending {
        Some(Ending::Done(value)) => out.datum(value),
        Some(Ending::Failed(failure)) => encode_failure(&mut out, failure),
        Some(Ending::Cancelled) | None => {}
    }
    out.bytes(record.args.as_bytes());
    out.u64(record.parts.len() as u64);
    let mut before = 0;
    for number in &record.parts {
        out.u64(number - before);
        before = *number;
    }
    out.u64(record.sleeps.len() as u64);
    let mut before = 0;
    for (due_ms, step) in &record.sleeps {
        out.i64(due_ms - before);
        out.u64(*step);
        before = *due_ms;
    }
    out.u64(record.attempts.len() as u64);
    for (step, attempts) in &record.attempts {
        out.u64(*step);
        out.u64(u64::from(*attempts));
    }
    out.u64(record.applied.len() as u64);
    for message in &record.applied {
        out.0.extend_from_slice(&message.to_le_bytes());
    }
    out.0
}

fn encode_failure(out: &mut Writer, failure: &Failure) {
    out.u8(failure.kind as u8);
    out.bytes(failure.message.as_bytes());
    out.u64(failure.task);
    out.u64(failure.trace.len() as u64);
    for line in &failure.trace {
        out.bytes(line.func.as_bytes());
        out.bytes(line.file.as_bytes());
        out.u64(u64::from(line.line));
        out.u64(u64::from(line.column));
    }
    if !failure.repeats.is_empty() {
        out.u64(failure.repeats.len() as u64);
        for repeat in &failure.repeats {
            out.u64(repeat.last as u64);
            out.u64(repeat.lines as u64);
            out.u64(repeat.times);
        }
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Record, Damage> {
    let mut from = Reader(bytes);
    let flags = from.u64()?;
    if flags & !KNOWN != 0 {
        return Err(Damage(format!("has unknown flags {flags:#x}")));
    }
    if flags & REPEATS != 0 && flags & FAILED == 0 {
        return Err(Damage("has a trace that repeats and no failure".into()));
    }
    let parked = if flags & PARKED != 0 { Some(from.str()?) } else { None };
    let ending = match flags & (DONE | FAILED | CANCELLED) {
        0 => None,
        DONE => Some(Ending::Done(from.datum()?)),
        FAILED => Some(Ending::Failed(decode_failure(&mut from, flags & REPEATS != 0)?)),
        CANCELLED => Some(Ending::Cancelled),
        _ => return Err(Damage("says that it ended in two ways".into())),
    };
    let args = from.str()?;
    let mut parts = Vec::new();
    for _ in 0..from.count(PARTS_MAX)? {
        let before = parts.last().copied().unwrap_or(0u64);
        let number = before.checked_add(from.u64()?);
        parts.push(number.ok_or_else(|| Damage("has a part number out of range".into()))?);
    }
    let (mut sleeps, mut before) = (BTreeSet::new(), 0i64);
    for _ in 0..from.count(PENDING_MAX)? {
        let due_ms = before.checked_add(from.i64()?);
        let due_ms = due_ms.filter(|due_ms| (0..=DUE_MS_MAX).contains(due_ms));
        before = due_ms.ok_or_else(|| Damage("has a due time out of range".into()))?;
        sleeps.insert((before, from.u64()?));
    }
    let mut attempts = BTreeMap::new();
    for _ in 0..from.count(PENDING_MAX)? {
        attempts.insert(from.u64()?, u32::try_from(from.u64()?).unwrap_or(u32::MAX));
    }
    let mut applied = Vec::new();
    for _ in 0..from.count(APPLIED_MAX)? {
        let mut message = [0; 16];
        message.copy_from_slice(from.take(16)?);
        applied.push(u128::from_le_bytes(message));
    }
    if !from.0.is_empty() {
        return Err(Damage(format!("has {} bytes after its end", from.0.len())));
    }
    Ok(Record {
        paused: flags & PAUSED != 0,
        parked,
        ending,
        args,
        parts,
        sleeps,
        attempts,
        applied,
        mail: Mail::default(),
    })
}

fn decode_failure(from: &mut Reader<'_>, repeats: bool) -> Result<Failure, Damage> {
    let kind = from.u8()?;
    let kind = TrapKind::from_number(kind).ok_or_else(|| Damage(format!("has a trap of unknown kind {kind}")))?;
    let message = from.str()?;
    let task = from.u64()?;
    let mut trace = Vec::new();
    let narrow = |number: u64| u32::try_from(number).unwrap_or(0);
    for _ in 0..from.count(TRACE_LINES_MAX)? {
        let (func, file) = (from.str()?, from.str()?);
        trace.push(TraceLine { func, file, line: narrow(from.u64()?), column: narrow(from.u64()?) });
    }
    let mut repeated = Vec::new();
    for _ in 0..if repeats { from.count(TRACE_LINES_MAX)? } else { 0 } {
        let (last, lines, times) = (from.u64()?, from.u64()?, from.u64()?);
        if last >= trace.len() as u64 || lines == 0 || lines > last + 1 {
            return Err(Damage(format!("repeats lines {lines} to {last} of a trace of {}", trace.len())));
        }
        repeated.push(Repeat { last: last as usize, lines: lines as usize, times });
    }
    Ok(Failure { kind, message, task, trace, repeats: repeated })
}

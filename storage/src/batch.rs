//! What every backend checks before it touches anything, written once: bounds of a batch and of each commit in it.

use std::collections::HashSet;

use crate::limits::{ADDRESS_BYTES_MAX, Limits, NAME_BYTES_MAX, PART_NUMBER_MAX};
use crate::{Commit, Delete, Error, IsolateId, Kind, Result, shard_of};

const NUMBER_MAX: u64 = i64::MAX as u64;

/// Refuses a batch of commits that no backend takes: too many, or the same isolate twice.
pub(crate) fn check_commits(batch: &[Commit], limits: &Limits) -> Result<()> {
    check_ids("commit", batch.iter().map(|commit| commit.head.id), batch.len(), limits)
}

/// The same for deletes.
pub(crate) fn check_deletes(batch: &[Delete], limits: &Limits) -> Result<()> {
    check_ids("delete", batch.iter().map(|delete| delete.id), batch.len(), limits)
}

fn check_ids(
    operation: &'static str,
    ids: impl Iterator<Item = IsolateId>,
    count: usize,
    limits: &Limits,
) -> Result<()> {
    if count > limits.batch_max {
        return Err(Error::new(
            Kind::Refused,
            operation,
            format!("{count} isolates in one batch; at most {} are taken", limits.batch_max),
        ));
    }
    let mut seen = HashSet::with_capacity(count);
    for id in ids {
        if !seen.insert(id) {
            return Err(Error::new(
                Kind::Refused,
                operation,
                format!("isolate {id} is in the batch twice; one commit of it at a time"),
            ));
        }
    }
    Ok(())
}

/// Refuses one commit that is over a limit or does not fit together.
pub(crate) fn check_commit(commit: &Commit, limits: &Limits, shard_count: u32) -> Result<()> {
    let head = &commit.head;
    let refuse =
        |what: String| Err(Error::new(Kind::Refused, "commit", format!("isolate {} ({}): {what}", head.id, head.name)));
    for (what, text) in [("namespace", &head.namespace), ("name", &head.name), ("flow", &head.flow)] {
        if text.len() > NAME_BYTES_MAX {
            return refuse(format!("its {what} has {} bytes, at most {NAME_BYTES_MAX} are taken", text.len()));
        }
    }
    if head.name.is_empty() {
        return refuse("it has no name".into());
    }
    let shard = shard_of(&head.namespace, &head.name, shard_count);
    if shard != head.shard {
        return refuse(format!("its name lies in shard {}, not {}", shard.0, head.shard.0));
    }
    if head.seq <= commit.expected || head.seq.0 > NUMBER_MAX || head.epoch.0 > NUMBER_MAX {
        return refuse(format!(
            "sequence number {} after {} under epoch {}: it must rise, and none may pass {NUMBER_MAX}",
            head.seq.0, commit.expected.0, head.epoch.0
        ));
    }
    if head.state.len() > limits.state_bytes_max {
        return refuse(format!(
            "its state has {} bytes, at most {} are taken",
            head.state.len(),
            limits.state_bytes_max
        ));
    }
    if let Some(number) = commit.drop_parts_from.filter(|&number| number > PART_NUMBER_MAX) {
        return refuse(format!("parts are dropped from number {number}, the highest is {PART_NUMBER_MAX}"));
    }
    if let Some(part) = &commit.put_part {
        if part.number > PART_NUMBER_MAX {
            return refuse(format!("part number {}, the highest is {PART_NUMBER_MAX}", part.number));
        }
        if part.bytes.len() > limits.part_bytes_max {
            return refuse(format!(
                "part {} has {} bytes, at most {} are taken",
                part.number,
                part.bytes.len(),
                limits.part_bytes_max
            ));
        }
    }
    if let Some(event) = commit.events.iter().find(|event| event.len() > limits.event_bytes_max) {
        return refuse(format!("an event has {} bytes, at most {} are taken", event.len(), limits.event_bytes_max));
    }
    if head.next_event < commit.events.len() as u64 || head.next_event > NUMBER_MAX {
        return refuse(format!("{} events do not fit below event number {}", commit.events.len(), head.next_event));
    }
    Ok(())
}

/// Refuses a session that no backend takes.
pub(crate) fn check_session(address: &str, ttl_ms: u32) -> Result<()> {
    if ttl_ms == 0 {
        return Err(Error::new(Kind::Refused, "open_session", "a lease of 0 ms; give it at least 1"));
    }
    if address.len() > ADDRESS_BYTES_MAX {
        return Err(Error::new(
            Kind::Refused,
            "open_session",
            format!("an address of {} bytes; at most {ADDRESS_BYTES_MAX} are taken", address.len()),
        ));
    }
    Ok(())
}

/// Refuses a program that is too large.
pub(crate) fn check_program(hash: crate::ProgramHash, bytes: usize, limits: &Limits) -> Result<()> {
    if bytes > limits.program_bytes_max {
        return Err(Error::new(
            Kind::Refused,
            "put_program",
            format!("program {hash} has {bytes} bytes; at most {} are taken", limits.program_bytes_max),
        ));
    }
    Ok(())
}

//! The bytes that stand in Redis: keys, heads, members of the indices.
//!
//! Stored, hence the same for ever; a head begins with its version. The scripts in `lua/` read the fixed part of a head by place.
//! Indices are sorted sets whose members all have the same score, so that Redis orders them by their bytes: numbers stand big
//! endian in them, with the sign turned, and texts with their zero bytes escaped.

use bytes::Bytes;

use crate::{Due, Ended, Epoch, Head, IsolateId, ProgramHash, Seq, Session, SessionId, Shard, Status, checksum};

const VERSION: u8 = 1;
/// Version, checksum, seq, epoch, status, runnable, wake, ended, created, updated, next event, program, shard, id.
const FIXED: usize = 1 + 4 + 8 + 8 + 1 + 1 + 9 + 9 + 8 + 8 + 8 + 32 + 4 + 16;
/// After the namespace, and after the name, in a listed member. No escaped text has it, and it sorts before all other texts.
const END: [u8; 2] = [0, 1];

/// A signed number whose bytes sort as it does.
pub(super) fn ordered(number: i64) -> [u8; 8] {
    ((number as u64) ^ (1 << 63)).to_be_bytes()
}

fn from_ordered(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)) as i64
}

/// Appends a text so that it sorts as itself, whatever follows.
pub(super) fn escape(text: &str, into: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        into.push(byte);
        if byte == 0 {
            into.push(0xff);
        }
    }
}

/// Namespace and name as they stand in a listed member, which goes on with `END` and the id.
pub(super) fn name_key(namespace: &str, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(namespace.len() + name.len() + 2);
    escape(namespace, &mut key);
    key.extend_from_slice(&END);
    escape(name, &mut key);
    key
}

/// Where all members with names of this namespace, and with this beginning of a name, lie: from and below.
pub(super) fn name_range(namespace: &str, prefix: &str) -> (Vec<u8>, Vec<u8>) {
    let from = name_key(namespace, prefix);
    let mut below = from.clone();
    // No text goes on with this byte.
    below.push(0xff);
    (from, below)
}

/// From and below which the one member of a name lies.
pub(super) fn name_place(namespace: &str, name: &str) -> (Vec<u8>, Vec<u8>) {
    let mut from = name_key(namespace, name);
    let mut below = from.clone();
    from.extend_from_slice(&END);
    below.extend_from_slice(&[0, 2]);
    (from, below)
}

/// Cuts an escaped text off the front.
fn unescape(bytes: &[u8], what_follows: bool) -> Option<(String, &[u8])> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match rest {
            [] if !what_follows => return Some((String::from_utf8(text).ok()?, rest)),
            [0, 0xff, after @ ..] => {
                text.push(0);
                rest = after;
            }
            [0, 1, after @ ..] if what_follows => return Some((String::from_utf8(text).ok()?, after)),
            [byte, after @ ..] if *byte != 0 => {
                text.push(*byte);
                rest = after;
            }
            _ => return None,
        }
    }
}

/// Namespace, name and id of a listed member.
pub(super) fn read_listed(member: &[u8]) -> Option<(String, String, IsolateId)> {
    let (namespace, rest) = unescape(member, true)?;
    let (name, id) = unescape(rest, true)?;
    Some((namespace, name, IsolateId(id.try_into().ok()?)))
}

pub(super) fn due_member(due: Due) -> Vec<u8> {
    [&ordered(due.wake_at_ms)[..], &due.id.0].concat()
}

pub(super) fn read_due(member: &[u8]) -> Option<Due> {
    let (time, id) = member.split_first_chunk::<8>()?;
    Some(Due { wake_at_ms: from_ordered(*time), id: IsolateId(id.try_into().ok()?) })
}

pub(super) fn ended_place(time_ms: i64, id: IsolateId) -> Vec<u8> {
    [&ordered(time_ms)[..], &id.0].concat()
}

pub(super) fn read_ended(member: &[u8]) -> Option<Ended> {
    let (time, rest) = member.split_first_chunk::<8>()?;
    let (id, seq) = rest.split_first_chunk::<16>()?;
    let seq = Seq(u64::from_be_bytes(seq.try_into().ok()?));
    Some(Ended { ended_ms: from_ordered(*time), id: IsolateId(*id), seq })
}

pub(super) fn event_member(id: IsolateId, number: u64, bytes: &[u8]) -> Vec<u8> {
    let sum = checksum::of_event(id, number, bytes);
    [&number.to_be_bytes()[..], &sum.to_be_bytes(), bytes].concat()
}

/// Number, and the bytes if they are sound.
pub(super) fn read_event(id: IsolateId, member: &[u8]) -> Option<(u64, Option<Bytes>)> {
    let (number, rest) = member.split_first_chunk::<8>()?;
    let (sum, bytes) = rest.split_first_chunk::<4>()?;
    let number = u64::from_be_bytes(*number);
    let sound = u32::from_be_bytes(*sum) == checksum::of_event(id, number, bytes);
    Some((number, sound.then(|| Bytes::copy_from_slice(bytes))))
}

/// Bytes after their checksum: a part, a program.
pub(super) fn summed(sum: u32, bytes: &[u8]) -> Vec<u8> {
    [&sum.to_be_bytes()[..], bytes].concat()
}

pub(super) fn read_summed(stored: Vec<u8>, sum: impl FnOnce(&[u8]) -> u32) -> Option<Bytes> {
    let (stated, bytes) = stored.split_first_chunk::<4>()?;
    (u32::from_be_bytes(*stated) == sum(bytes)).then(|| Bytes::from(stored).slice(4..))
}

pub(super) fn write_head(head: &Head) -> Vec<u8> {
    let name = name_key(&head.namespace, &head.name);
    let mut out = Vec::with_capacity(FIXED + 4 + name.len() + head.flow.len() + head.state.len());
    let maybe = |out: &mut Vec<u8>, time: Option<i64>| {
        out.push(u8::from(time.is_some()));
        out.extend_from_slice(&ordered(time.unwrap_or(0)));
    };
    out.push(VERSION);
    out.extend_from_slice(&checksum::of_head(head).to_be_bytes());
    out.extend_from_slice(&head.seq.0.to_be_bytes());
    out.extend_from_slice(&head.epoch.0.to_be_bytes());
    out.extend_from_slice(&[head.status as u8, u8::from(head.runnable)]);
    maybe(&mut out, head.wake_at_ms);
    maybe(&mut out, head.ended_ms);
    out.extend_from_slice(&head.created_ms.to_be_bytes());
    out.extend_from_slice(&head.updated_ms.to_be_bytes());
    out.extend_from_slice(&head.next_event.to_be_bytes());
    out.extend_from_slice(&head.program.0);
    out.extend_from_slice(&head.shard.0.to_be_bytes());
    out.extend_from_slice(&head.id.0);
    // Both lengths have bounds (`check_commit`), escaped bytes included.
    out.extend_from_slice(&(name.len() as u16).to_be_bytes());
    out.extend_from_slice(&name);
    out.extend_from_slice(&(head.flow.len() as u16).to_be_bytes());
    out.extend_from_slice(head.flow.as_bytes());
    out.extend_from_slice(&head.state);
    out
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn maybe(&mut self) -> Option<Option<i64>> {
        let there = self.truth()?;
        let time = from_ordered(self.take()?);
        Some(there.then_some(time))
    }

    fn truth(&mut self) -> Option<bool> {
        match self.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let len = u16::from_be_bytes(self.take()?);
        let (first, rest) = self.0.split_at_checked(usize::from(len))?;
        self.0 = rest;
        Some(first)
    }
}

/// The head in these bytes, if it is sound and that of this isolate.
pub(super) fn read_head(id: IsolateId, bytes: &[u8]) -> Option<Head> {
    let mut r = Reader(bytes);
    let [version] = r.take()?;
    if version != VERSION {
        return None;
    }
    let sum = u32::from_be_bytes(r.take()?);
    let (seq, epoch) = (Seq(r.number()?), Epoch(r.number()?));
    let [status] = r.take()?;
    let runnable = r.truth()?;
    let (wake_at_ms, ended_ms) = (r.maybe()?, r.maybe()?);
    let (created_ms, updated_ms) = (r.number()? as i64, r.number()? as i64);
    let (next_event, program) = (r.number()?, ProgramHash(r.take()?));
    let (shard, stated) = (Shard(u32::from_be_bytes(r.take()?)), IsolateId(r.take()?));
    let (namespace, name) = unescape(r.sized()?, true)?;
    let (name, _) = unescape(name, false)?;
    let flow = String::from_utf8(r.sized()?.to_vec()).ok()?;
    let head = Head {
        id: stated,
        shard,
        namespace,
        name,
        flow,
        program,
        epoch,
        seq,
        status: Status::from_number(status)?,
        runnable,
        wake_at_ms,
        created_ms,
        updated_ms,
        ended_ms,
        next_event,
        state: Bytes::copy_from_slice(r.0),
    };
    (stated == id && checksum::of_head(&head) == sum).then_some(head)
}

pub(super) fn write_session(session: &Session) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + session.address.len());
    out.extend_from_slice(&session.id.life.to_be_bytes());
    out.extend_from_slice(&session.ttl_ms.to_be_bytes());
    out.extend_from_slice(&session.until_ms.to_be_bytes());
    out.extend_from_slice(session.address.as_bytes());
    out
}

pub(super) fn read_session(node_id: u64, bytes: &[u8]) -> Option<Session> {
    let mut r = Reader(bytes);
    let life = r.number()?;
    let ttl_ms = u32::from_be_bytes(r.take()?);
    let until_ms = r.number()? as i64;
    let address = String::from_utf8(r.0.to_vec()).ok()?;
    Some(Session { id: SessionId { node_id, life }, address, ttl_ms, until_ms })
}

/// A shard's epoch and who holds it.
pub(super) fn write_lease(epoch: Epoch, holder: Option<SessionId>) -> Vec<u8> {
    let mut out = epoch.0.to_be_bytes().to_vec();
    if let Some(holder) = holder {
        out.extend_from_slice(&holder.node_id.to_be_bytes());
        out.extend_from_slice(&holder.life.to_be_bytes());
    }
    out
}

pub(super) fn read_lease(bytes: &[u8]) -> Option<(Epoch, Option<SessionId>)> {
    let mut r = Reader(bytes);
    let epoch = Epoch(r.number()?);
    let holder = if r.0.is_empty() { None } else { Some(SessionId { node_id: r.number()?, life: r.number()? }) };
    r.0.is_empty().then_some((epoch, holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            id: IsolateId([9; 16]),
            shard: Shard(3),
            namespace: "a\0b".into(),
            name: "größer\0".into(),
            flow: "flow".into(),
            program: ProgramHash([7; 32]),
            epoch: Epoch(11),
            seq: Seq(12),
            status: Status::Parked,
            runnable: true,
            wake_at_ms: Some(i64::MIN),
            created_ms: -1,
            updated_ms: i64::MAX,
            ended_ms: None,
            next_event: 5,
            state: Bytes::from_static(b"state"),
        }
    }

    #[test]
    fn a_head_comes_back_and_any_flipped_bit_is_noticed() {
        let bytes = write_head(&head());
        assert_eq!(read_head(head().id, &bytes), Some(head()));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let read = read_head(head().id, &flipped);
                // The time of a timer that is not there stands for nothing.
                assert!(read.is_none() || ((33..41).contains(&at) && read == Some(head())), "byte {at} bit {bit}");
            }
            assert_eq!(read_head(head().id, &bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn names_sort_by_namespace_then_name_whatever_bytes_they_have() {
        let texts = ["a", "a\0", "a\0b", "a\u{1}", "a\u{1}b", "ab", "b", "ä", "\u{10ffff}"];
        let mut pairs: Vec<(&str, &str)> = texts.iter().flat_map(|a| texts.iter().map(|b| (*a, *b))).collect();
        pairs.push(("", "a"));
        let member = |(namespace, name): &(&str, &str)| {
            let mut member = name_key(namespace, name);
            member.extend_from_slice(&END);
            member.extend_from_slice(&[0xab; 16]);
            member
        };
        let mut by_bytes = pairs.clone();
        pairs.sort();
        by_bytes.sort_by_key(member);
        assert_eq!(pairs, by_bytes);
        for pair in &pairs {
            let read = read_listed(&member(pair)).expect("reads");
            assert_eq!((read.0.as_str(), read.1.as_str(), read.2), (pair.0, pair.1, IsolateId([0xab; 16])));
            let (from, below) = name_place(pair.0, pair.1);
            let inside = |other: &&(&str, &str)| member(other) >= from && member(other) < below;
            assert_eq!(pairs.iter().filter(inside).collect::<Vec<_>>(), [pair]);
            let (from, below) = name_range(pair.0, "a");
            let inside = |other: &&(&str, &str)| member(other) >= from && member(other) < below;
            assert!(pairs.iter().all(|other| inside(&other) == (other.0 == pair.0 && other.1.starts_with('a'))));
        }
    }

    #[test]
    fn numbers_sort_by_their_bytes() {
        let numbers = [i64::MIN, -2, -1, 0, 1, 255, 256, i64::MAX];
        assert!(numbers.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert!(numbers.iter().all(|&number| from_ordered(ordered(number)) == number));
    }

    #[test]
    fn sessions_and_leases_come_back() {
        let id = SessionId { node_id: 5, life: u64::MAX };
        let session = Session { id, address: "host:1".into(), ttl_ms: 7, until_ms: -8 };
        assert_eq!(read_session(5, &write_session(&session)), Some(session));
        for holder in [None, Some(id)] {
            assert_eq!(read_lease(&write_lease(Epoch(6), holder)), Some((Epoch(6), holder)));
        }
        assert_eq!(read_lease(b"too short"), None);
    }
}

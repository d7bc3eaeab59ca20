//! Version 2 of the stored record: version 1 in whole, then what the isolate has to do with requests. Never changed once released.
//!
//! After the version: the bytes of version 1 with their length, the routes, the queue, the keys, the ids.

use super::bytes::{Reader, Writer};
use super::{Damage, Record, v1};
use crate::http::mail::{Mail, Memory};
use crate::http::route::Route;
use crate::limits::{DUE_MS_MAX, KEYS_MAX, MAIL_MAX, ROUTES_MAX};

/// The first byte.
pub(super) const VERSION: u8 = 2;

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut out = Writer::default();
    out.u8(VERSION);
    out.bytes(&v1::encode(record));
    let Mail { routes, queue, keys, heard } = &record.mail;
    let route = |out: &mut Writer, route: &Route| {
        out.bytes(route.method.as_bytes());
        out.bytes(route.path.as_bytes());
    };
    out.u64(routes.len() as u64);
    routes.iter().for_each(|open| route(&mut out, open));
    out.u64(queue.len() as u64);
    for (to, body) in queue {
        route(&mut out, to);
        out.bytes(body);
    }
    for memory in [keys, heard] {
        out.u64(memory.len() as u64);
        let mut before = 0;
        for (until_ms, what) in memory {
            out.i64(until_ms - before);
            out.0.extend_from_slice(&what.to_le_bytes());
            before = *until_ms;
        }
    }
    out.0
}

pub(super) fn decode(bytes: &[u8]) -> Result<Record, Damage> {
    let mut from = Reader(bytes);
    let first = match from.bytes()?.split_first() {
        Some((&v1::VERSION, rest)) => v1::decode(rest)?,
        _ => return Err(Damage("has no version 1 inside its version 2".into())),
    };
    let mut mail = Mail::default();
    for _ in 0..from.count(ROUTES_MAX)? {
        mail.routes.insert(route(&mut from)?);
    }
    for _ in 0..from.count(MAIL_MAX)? {
        mail.queue.push_back((route(&mut from)?, from.bytes()?.to_vec()));
    }
    mail.keys = memory(&mut from)?;
    mail.heard = memory(&mut from)?;
    if !from.0.is_empty() {
        return Err(Damage(format!("has {} bytes after its end", from.0.len())));
    }
    Ok(Record { mail, ..first })
}

fn route(from: &mut Reader<'_>) -> Result<Route, Damage> {
    let (method, path) = (from.str()?, from.str()?);
    Route::named(&method, &path).map_err(|what| Damage(format!("has a route that is none: {what}")))
}

fn memory(from: &mut Reader<'_>) -> Result<Memory, Damage> {
    let (mut memory, mut before) = (Memory::new(), 0i64);
    for _ in 0..from.count(KEYS_MAX)? {
        let until_ms = before.checked_add(from.i64()?).filter(|until_ms| (0..=DUE_MS_MAX).contains(until_ms));
        before = until_ms.ok_or_else(|| Damage("has a time out of range".into()))?;
        let mut what = [0; 16];
        what.copy_from_slice(from.take(16)?);
        memory.push_back((before, u128::from_le_bytes(what)));
    }
    Ok(memory)
}

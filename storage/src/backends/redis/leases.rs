//! Sessions and leases, and the fences that hold writers to them.
//!
//! Who lives and who holds what stands in one hash, changed by the rules in `crate::lease`: read, changed here, and put back if nobody
//! was faster. Each shard has its fence beside its isolates, where the writing scripts see it; a claim is granted when the
//! fence has been put. A fence only ever goes forward.
//!
//! An epoch is a counter, which rises with each change of hands, and below it the mark of the server that has the shard: four bytes
//! of its replication id. After a fail-over the counter may have fallen back, with what was acknowledged meanwhile lost; no epoch that
//! was granted under the old server is open under the new one, so every node claims afresh.

use std::borrow::Cow;
use std::time::Duration;

use super::Redis;
use super::failure::Fail;
use super::keys::Place;
use super::record::{read_lease, read_session, write_lease, write_session};
use super::scripts::{FENCE, LEASES, Request};
use super::servers::{bytes, items, number, strange};
use crate::lease::Leases;
use crate::{Claim, Epoch, Error, Kind, SessionId, Shard, ShardLease};

/// How often a change is tried again because another node was faster.
const TRIES: u32 = 64;
/// Highest counter, so that no epoch passes `i64::MAX`.
const COUNTER_MAX: u64 = (1 << 31) - 1;

fn counter(epoch: Epoch) -> u64 {
    epoch.0 >> 32
}

fn mark(epoch: Epoch) -> [u8; 4] {
    (epoch.0 as u32).to_be_bytes()
}

fn epoch(counter: u64, mark: [u8; 4]) -> Epoch {
    Epoch(counter.min(COUNTER_MAX) << 32 | u64::from(u32::from_be_bytes(mark)))
}

/// What the fence of a shard came to.
enum Fence {
    Set,
    /// Another server has the shard than the one whose mark is in the epoch.
    Moved,
    /// The fence has a counter that is as high already.
    Behind(u64),
}

/// What the epoch of a shard becomes when it changes hands.
#[derive(Clone, Copy, Default)]
struct Raise {
    /// The mark of the server that has it.
    mark: [u8; 4],
    /// The counter is at least so high.
    floor: u64,
}

impl Redis {
    /// The server's time.
    pub(super) async fn read_time(&self) -> Result<i64, Fail> {
        let time = Request::command(Place::Store, [b"TIME".to_vec()]);
        time_ms(self.servers.send(&[time], false).await?.into_iter().next())
    }

    /// Version, sessions and leases, and a time from before they were read.
    async fn load(&self) -> Result<(Vec<u8>, Leases, i64), Fail> {
        let time = Request::command(Place::Store, [b"TIME".to_vec()]);
        let all = Request::command(Place::Store, [b"HGETALL".to_vec(), self.servers.keys.leases()]);
        let mut values = self.servers.send(&[time, all], false).await?.into_iter();
        let now_ms = time_ms(values.next())?;
        let (mut version, mut sessions) = (Vec::new(), Vec::new());
        let mut shards = vec![(Epoch(0), None); self.shard_count as usize];
        let mut fields = items(values.next().ok_or_else(|| strange("an answer"))?)?.into_iter();
        while let (Some(field), Some(value)) = (fields.next(), fields.next()) {
            let (field, value) = (bytes(field)?, bytes(value)?);
            let field = String::from_utf8_lossy(&field);
            let damaged = || {
                let what = format!(
                    "the entry `{field}` of sessions and leases is damaged; stop all nodes, delete it, start them"
                );
                Fail::Settled(Error::new(Kind::Corrupt, "leases", what))
            };
            match field.split_once(':') {
                None if field == "version" => version = value,
                Some(("session", node)) => {
                    let node = node.parse().map_err(|_| damaged())?;
                    sessions.push(read_session(node, &value).ok_or_else(damaged)?);
                }
                Some(("shard", shard)) => {
                    let shard = shard.parse::<usize>().ok().and_then(|shard| shards.get_mut(shard));
                    *shard.ok_or_else(damaged)? = read_lease(&value).ok_or_else(damaged)?;
                }
                _ => return Err(damaged()),
            }
        }
        Ok((version, Leases::of(sessions, shards), now_ms))
    }

    pub(super) async fn read_leases(&self) -> Result<Leases, Fail> {
        Ok(self.load().await?.1)
    }

    /// Changes sessions and leases by the rules, as often as it takes until nobody interferes. What becomes of the epochs of shards that
    /// change hands says `raise`. Answers with all leases after it, and those that it changed.
    async fn change<T>(
        &self,
        change: impl Fn(&mut Leases, i64) -> crate::Result<T>,
        raise: Raise,
    ) -> Result<(T, Leases, Vec<ShardLease>), Fail> {
        for attempt in 0..TRIES {
            let (version, before, now_ms) = self.load().await?;
            let mut after = before.clone();
            let answer = change(&mut after, now_ms)?;
            let shards = before.shards().into_iter().zip(after.shards()).map(|(old, new)| match old == new {
                true => (old.epoch, old.holder),
                false => (epoch((counter(old.epoch) + 1).max(raise.floor), raise.mark), new.holder),
            });
            let after = Leases::of(after.sessions(), shards.collect());
            let changed: Vec<ShardLease> = before
                .shards()
                .iter()
                .zip(after.shards())
                .filter(|(old, new)| **old != *new)
                .map(|both| both.1)
                .collect();
            if self.store_leases(version, &before, &after, &changed).await? {
                return Ok((answer, after, changed));
            }
            // Nodes that started at once get out of step.
            let pause_us = 200 * u64::from(attempt.min(20)) + u64::from(std::process::id() % 64) * 16;
            tokio::time::sleep(Duration::from_micros(pause_us)).await;
        }
        let what = "other nodes change sessions and leases all the time";
        Err(Fail::Settled(Error::new(Kind::Retry, "leases", what)))
    }

    async fn store_leases(
        &self,
        version: Vec<u8>,
        before: &Leases,
        after: &Leases,
        changed: &[ShardLease],
    ) -> Result<bool, Fail> {
        let (known, kept) = (before.sessions(), after.sessions());
        let mut sets: Vec<(String, Vec<u8>)> = Vec::new();
        for session in kept.iter().filter(|session| !known.contains(session)) {
            sets.push((format!("session:{}", session.id.node_id), write_session(session)));
        }
        for lease in changed {
            sets.push((format!("shard:{}", lease.shard.0), write_lease(lease.epoch, lease.holder)));
        }
        let gone = known.iter().filter(|old| !kept.iter().any(|new| new.id.node_id == old.id.node_id));
        let mut args: Vec<Cow<'_, [u8]>> = vec![version.into(), sets.len().to_string().into_bytes().into()];
        for (field, value) in sets {
            args.extend([Cow::from(field.into_bytes()), Cow::from(value)]);
        }
        args.extend(gone.map(|session| Cow::from(format!("session:{}", session.id.node_id).into_bytes())));
        let store = Request::script(Place::Store, &LEASES, vec![self.servers.keys.leases()], args);
        let done = self.servers.send(&[store], true).await?.into_iter().next().map(number).transpose()?;
        Ok(done == Some(1))
    }

    /// Puts the fences of these shards.
    async fn fence(&self, leases: &[ShardLease]) -> Result<Vec<Fence>, Fail> {
        let puts: Vec<_> = leases
            .iter()
            .map(|lease| {
                let holder = lease.holder.map(|holder| holder.to_string()).unwrap_or_default();
                let args: Vec<Cow<'_, [u8]>> =
                    vec![lease.epoch.0.to_be_bytes().to_vec().into(), holder.into_bytes().into()];
                Request::script(Place::Shard(lease.shard), &FENCE, vec![self.servers.keys.lease(lease.shard)], args)
            })
            .collect();
        let mut fences = Vec::with_capacity(leases.len());
        for value in self.servers.send(&puts, true).await? {
            let mut answer = items(value)?.into_iter();
            let word = answer.next().map(bytes).transpose()?.unwrap_or_default();
            fences.push(match (&word[..], answer.next()) {
                (b"set", _) => Fence::Set,
                (b"moved", _) => Fence::Moved,
                (b"behind", Some(at)) => Fence::Behind(number(at)?.max(0) as u64),
                _ => return Err(strange("the answer of a script")),
            });
        }
        Ok(fences)
    }

    /// A change that needs no mark, since nobody holds afterwards what changed hands. Those fences are closed; if that fails, the
    /// next claim of the shard does it.
    pub(super) async fn change_leases<T>(
        &self,
        change: impl Fn(&mut Leases, i64) -> crate::Result<T>,
    ) -> Result<T, Fail> {
        let (answer, _, changed) = self.change(change, Raise::default()).await?;
        if !changed.is_empty() {
            self.fence(&changed).await?;
        }
        Ok(answer)
    }

    /// Gives shards back, whatever has become of earlier attempts: all fences that should be closed are.
    pub(super) async fn release_shards(
        &self,
        of: impl Fn(&ShardLease) -> bool,
        change: impl Fn(&mut Leases),
    ) -> Result<(), Fail> {
        let change = |leases: &mut Leases, _: i64| {
            change(leases);
            Ok(())
        };
        let ((), after, _) = self.change(change, Raise::default()).await?;
        let free = after.shards().into_iter().filter(|lease| lease.holder.is_none() && lease.epoch.0 > 0 && of(lease));
        self.fence(&free.collect::<Vec<_>>()).await?;
        Ok(())
    }

    /// Renews a session, unless a server has changed under a shard that it holds: then it is sealed, so that it claims afresh.
    pub(super) async fn renew_session(&self, id: SessionId) -> Result<i64, Fail> {
        let held: Vec<ShardLease> =
            self.read_leases().await?.shards().into_iter().filter(|lease| lease.holder == Some(id)).collect();
        let places: Vec<Place> = held.iter().map(|lease| Place::Shard(lease.shard)).collect();
        let marks = self.servers.marks(&places).await?;
        let moved = held.iter().zip(marks).find(|(lease, now)| mark(lease.epoch) != *now).map(|(lease, _)| lease.shard);
        let renewed = self
            .change_leases(|leases, now_ms| {
                let until_ms = leases.renew(id, now_ms)?;
                if moved.is_some() {
                    leases.remove(id);
                    return Ok(None);
                }
                Ok(Some(until_ms))
            })
            .await?;
        renewed.ok_or_else(|| {
            let shard = moved.unwrap_or_default().0;
            let what = format!(
                "session {id} held shard {shard} on a Redis that was restarted or replaced by another one; open a new session"
            );
            Fail::Settled(Error::new(Kind::LeaseLost, "renew", what))
        })
    }

    /// Claims a shard: first in the leases, then at its fence, and again where the fence knows better.
    pub(super) async fn claim_shard(&self, id: SessionId, shard: Shard) -> Result<Claim, Fail> {
        let (mut floor, mut afresh) = (0, false);
        for _ in 0..TRIES {
            let mark = self.servers.marks(&[Place::Shard(shard)]).await?.into_iter().next().unwrap_or_default();
            let change = |leases: &mut Leases, now_ms: i64| {
                let held = leases.shards().into_iter().find(|lease| lease.shard == shard && lease.holder == Some(id));
                if let Some(held) = held.filter(|held| afresh || self::mark(held.epoch) != mark) {
                    leases.release(id, shard, held.epoch);
                }
                leases.claim(id, shard, now_ms)
            };
            let (claim, after, mut changed) = self.change(change, Raise { mark, floor }).await?;
            let lease = after.shards().into_iter().find(|lease| lease.shard == shard);
            let (Claim::Granted(_), Some(lease)) = (claim, lease) else { return Ok(claim) };
            changed.retain(|other| other.shard != shard);
            changed.push(lease);
            match self.fence(&changed).await?.pop() {
                Some(Fence::Set) => return Ok(Claim::Granted(lease.epoch)),
                Some(Fence::Behind(at)) => (floor, afresh) = (at + 1, true),
                Some(Fence::Moved) | None => afresh = true,
            }
        }
        let what = format!("shard {} changes hands all the time", shard.0);
        Err(Fail::Settled(Error::new(Kind::Retry, "claim", what)))
    }
}

fn time_ms(value: Option<redis::Value>) -> Result<i64, Fail> {
    let parts =
        items(value.ok_or_else(|| strange("the time"))?)?.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let [seconds, micros] = parts[..] else { return Err(strange("the time")) };
    Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_rise_with_their_counter_whatever_the_server() {
        let (old, new) = (epoch(7, [0xff; 4]), epoch(8, [0; 4]));
        assert!(old < new);
        assert_eq!((counter(old), mark(old), counter(new)), (7, [0xff; 4], 8));
        assert!(epoch(u64::from(u32::MAX), [0xff; 4]).0 <= i64::MAX as u64);
    }
}

//! Sessions, leases and epochs as a plain state, for backends that have no server to keep it.
//!
//! Every rule of the [`Store`](crate::Store) trait about them is here, once; memory holds it, embedded loads it and writes it back in the
//! transaction of the change. It knows no clock: the caller says what time it is.

use std::collections::BTreeMap;

use crate::{Claim, Epoch, Error, Kind, Opened, Result, Session, SessionId, Shard, ShardLease};

/// Who lives and who holds what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leases {
    /// By node: a node has one session at most.
    sessions: BTreeMap<u64, Session>,
    /// By shard number.
    shards: Vec<(Epoch, Option<SessionId>)>,
}

impl Leases {
    /// Those of a new store: nobody lives, nothing is held.
    pub(crate) fn new(shard_count: u32) -> Leases {
        Leases { sessions: BTreeMap::new(), shards: vec![(Epoch(0), None); shard_count as usize] }
    }

    /// Those that were stored. `shards` are in order and complete.
    #[cfg_attr(not(feature = "embedded"), allow(dead_code))]
    pub(crate) fn of(sessions: Vec<Session>, shards: Vec<(Epoch, Option<SessionId>)>) -> Leases {
        Leases { sessions: sessions.into_iter().map(|session| (session.id.node_id, session)).collect(), shards }
    }

    pub(crate) fn sessions(&self) -> Vec<Session> {
        self.sessions.values().cloned().collect()
    }

    pub(crate) fn shards(&self) -> Vec<ShardLease> {
        let numbered = (0..).zip(&self.shards);
        numbered.map(|(n, &(epoch, holder))| ShardLease { shard: Shard(n), epoch, holder }).collect()
    }

    /// True when a write of this shard under this epoch may be applied.
    pub(crate) fn allows(&self, shard: Shard, epoch: Epoch) -> bool {
        self.shards.get(shard.0 as usize).is_some_and(|lease| lease.0 == epoch && lease.1.is_some())
    }

    pub(crate) fn open(&mut self, id: SessionId, address: &str, ttl_ms: u32, now_ms: i64) -> Opened {
        if let Some(present) = self.sessions.get(&id.node_id).filter(|present| present.id != id) {
            if present.until_ms > now_ms {
                return Opened::Held { by: present.id, until_ms: present.until_ms };
            }
            self.remove(present.id);
        }
        let until_ms = now_ms.saturating_add(i64::from(ttl_ms));
        self.sessions.insert(id.node_id, Session { id, address: address.to_owned(), ttl_ms, until_ms });
        Opened::Open { until_ms }
    }

    pub(crate) fn renew(&mut self, id: SessionId, now_ms: i64) -> Result<i64> {
        let session = self.sessions.get_mut(&id.node_id).filter(|session| session.id == id);
        let session = session.ok_or_else(|| lost("renew", id))?;
        session.until_ms = now_ms.saturating_add(i64::from(session.ttl_ms));
        Ok(session.until_ms)
    }

    /// Closes or seals a session: it is gone and everything it held is free under a new epoch.
    pub(crate) fn remove(&mut self, id: SessionId) {
        if self.sessions.get(&id.node_id).is_some_and(|session| session.id == id) {
            self.sessions.remove(&id.node_id);
        }
        for lease in &mut self.shards {
            if lease.1 == Some(id) {
                *lease = (Epoch(lease.0.0 + 1), None);
            }
        }
    }

    /// Seals everybody. For a store whose opening proves that nobody else lives.
    #[cfg_attr(not(feature = "embedded"), allow(dead_code))]
    pub(crate) fn remove_all(&mut self) {
        for session in self.sessions() {
            self.remove(session.id);
        }
    }

    pub(crate) fn claim(&mut self, id: SessionId, shard: Shard, now_ms: i64) -> Result<Claim> {
        if self.sessions.get(&id.node_id).is_none_or(|session| session.id != id) {
            return Err(lost("claim", id));
        }
        let &(epoch, holder) = self.shards.get(shard.0 as usize).ok_or_else(|| {
            let count = self.shards.len();
            Error::new(Kind::Refused, "claim", format!("shard {} of a store that has {count}", shard.0))
        })?;
        if holder == Some(id) {
            return Ok(Claim::Granted(epoch));
        }
        let holder = holder.and_then(|holder| self.sessions.get(&holder.node_id));
        if let Some(holder) = holder {
            if holder.until_ms > now_ms {
                return Ok(Claim::Held { by: holder.id, until_ms: holder.until_ms });
            }
            self.remove(holder.id);
        }
        let lease = &mut self.shards[shard.0 as usize];
        *lease = (Epoch(lease.0.0 + 1), Some(id));
        Ok(Claim::Granted(lease.0))
    }

    pub(crate) fn release(&mut self, id: SessionId, shard: Shard, epoch: Epoch) {
        if let Some(lease) = self.shards.get_mut(shard.0 as usize)
            && *lease == (epoch, Some(id))
        {
            *lease = (Epoch(epoch.0 + 1), None);
        }
    }
}

fn lost(operation: &'static str, id: SessionId) -> Error {
    Error::new(
        Kind::LeaseLost,
        operation,
        format!("session {id} was closed or has lost its lease to another one; open a new session"),
    )
}

//! The names of the keys, and where in a cluster they lie.
//!
//! All keys of a shard have one hash tag, so that one script can write them, and all that is not of a shard another one:
//! `{deepslate:7}:isolate:018f…`, `{deepslate}:leases`.

use crate::{IsolateId, ProgramHash, Shard, Status};

/// Slots of a Redis cluster.
pub(super) const SLOTS: u16 = 16_384;

/// Where a key lies: with the keys of the whole store, or with those of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Store,
    Shard(Shard),
}

/// Names of keys under a prefix.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: String) -> Keys {
        Keys { prefix }
    }

    fn tag(&self, place: Place) -> String {
        match place {
            Place::Store => self.prefix.clone(),
            Place::Shard(shard) => format!("{}:{}", self.prefix, shard.0),
        }
    }

    /// The slot of all keys of a place.
    pub fn slot(&self, place: Place) -> u16 {
        crc16(self.tag(place).as_bytes()) % SLOTS
    }

    /// Format and number of shards.
    pub fn store(&self) -> Vec<u8> {
        format!("{{{}}}:store", self.prefix).into_bytes()
    }

    /// Sessions, and who holds which shard.
    pub fn leases(&self) -> Vec<u8> {
        format!("{{{}}}:leases", self.prefix).into_bytes()
    }

    /// The hashes of all programs.
    pub fn programs(&self) -> Vec<u8> {
        format!("{{{}}}:programs", self.prefix).into_bytes()
    }

    pub fn program(&self, hash: ProgramHash) -> Vec<u8> {
        format!("{{{}}}:program:{hash}", self.prefix).into_bytes()
    }

    fn of_shard(&self, shard: Shard, what: impl std::fmt::Display) -> Vec<u8> {
        format!("{{{}:{}}}:{what}", self.prefix, shard.0).into_bytes()
    }

    /// The fence.
    pub fn lease(&self, shard: Shard) -> Vec<u8> {
        self.of_shard(shard, "lease")
    }

    /// All isolates, by namespace and name.
    pub fn names(&self, shard: Shard) -> Vec<u8> {
        self.of_shard(shard, "names")
    }

    pub fn due(&self, shard: Shard) -> Vec<u8> {
        self.of_shard(shard, "due")
    }

    pub fn runnable(&self, shard: Shard) -> Vec<u8> {
        self.of_shard(shard, "runnable")
    }

    pub fn ended(&self, shard: Shard) -> Vec<u8> {
        self.of_shard(shard, "ended")
    }

    /// Those of a status, by namespace and name.
    pub fn status(&self, shard: Shard, status: Status) -> Vec<u8> {
        self.of_shard(shard, status)
    }

    /// Head and parts of an isolate.
    pub fn isolate(&self, shard: Shard, id: IsolateId) -> Vec<u8> {
        self.of_shard(shard, format_args!("isolate:{id}"))
    }

    pub fn events(&self, shard: Shard, id: IsolateId) -> Vec<u8> {
        self.of_shard(shard, format_args!("events:{id}"))
    }

    /// Those that every writing script takes first, in its order.
    pub fn indices(&self, shard: Shard) -> Vec<Vec<u8>> {
        let mut keys =
            vec![self.lease(shard), self.names(shard), self.due(shard), self.runnable(shard), self.ended(shard)];
        keys.extend(Status::ALL.map(|status| self.status(shard, status)));
        keys
    }
}

/// CRC-16 as the Redis cluster specification wants it (XMODEM: polynomial 0x1021, from 0).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(
            sum ^ (u16::from(byte) << 8),
            |sum, _| {
                if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(Keys::new("foo".into()).slot(Place::Store), 12_182, "as CLUSTER KEYSLOT foo says");
    }

    #[test]
    fn all_keys_of_a_shard_have_its_tag() {
        let keys = Keys::new("deepslate".into());
        let (shard, id) = (Shard(7), IsolateId([1; 16]));
        let mut all = keys.indices(shard);
        all.extend([keys.isolate(shard, id), keys.events(shard, id)]);
        assert!(all.iter().all(|key| key.starts_with(b"{deepslate:7}:")), "{all:?}");
        assert_eq!(all.len(), 15);
    }
}

//! The only place that draws chance: ids of isolates, the life of a session, what flows ask for. A simulation gives its own.

use std::fmt;

use deepslate_storage::IsolateId;

/// Chance as the engine sees it.
pub trait Rng: Send + Sync + fmt::Debug + 'static {
    /// 80 random bits and more: sixteen bytes, of which the callers use the last ten at most.
    fn bytes(&self) -> [u8; 16];
}

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn bytes(&self) -> [u8; 16] {
        // A version 4 id is random but for six bits, of which none is in the last seven bytes; folding in a second one
        // makes all of them random.
        let (a, b) = (uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes());
        std::array::from_fn(|at| a[at] ^ b[15 - at])
    }
}

/// A version 7 id: ordered by the time of its making.
pub(crate) fn isolate_id(rng: &dyn Rng, now_ms: i64) -> IsolateId {
    let mut chance = [0; 10];
    chance.copy_from_slice(&rng.bytes()[6..]);
    let ms = u64::try_from(now_ms).unwrap_or(0);
    IsolateId(uuid::Builder::from_unix_timestamp_millis(ms, &chance).into_uuid().into_bytes())
}

/// 64 random bits, for a flow.
pub(crate) fn word(rng: &dyn Rng) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&rng.bytes()[8..]);
    u64::from_le_bytes(word)
}

/// The life of a session: never 0.
pub(crate) fn life(rng: &dyn Rng) -> u64 {
    let bytes = rng.bytes();
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[8..]);
    // The store keeps numbers of 63 bits.
    (u64::from_le_bytes(word) & (i64::MAX as u64)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_differ() {
        let (a, b, c) = (isolate_id(&SystemRng, 1_000), isolate_id(&SystemRng, 2_000), isolate_id(&SystemRng, 2_000));
        assert!(a < b && a < c);
        assert_ne!(b, c);
        assert_ne!(life(&SystemRng), life(&SystemRng));
    }
}

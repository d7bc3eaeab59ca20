//! Ids of messages from outside. One that was applied with an id is not applied again with the same.
//!
//! A caller may name its message, so that it can send it again after it lost the answer; the name is kept as a hash. For every
//! other message the engine draws an id, by which its own attempts agree. One bit tells the two apart.

use deepslate_ir::image::ProgramHash;

use crate::error::{Error, Kind, Result};
use crate::limits::MESSAGE_ID_BYTES_MAX;
use crate::rng::Rng;

const CALLERS: u128 = 1 << 127;

/// The id of a message that its caller named, or a new one.
pub(crate) fn id(operation: &'static str, name: Option<&str>, rng: &dyn Rng) -> Result<u128> {
    match name {
        None => Ok(u128::from_le_bytes(rng.bytes()) & !CALLERS),
        Some(name) if (1..=MESSAGE_ID_BYTES_MAX).contains(&name.len()) => {
            // A BLAKE3 hash, as a program has one.
            let mut half = [0; 16];
            half.copy_from_slice(&ProgramHash::of(name.as_bytes()).0[..16]);
            Ok(u128::from_le_bytes(half) | CALLERS)
        }
        Some(name) => {
            let what =
                format!("the id of a message has 1 to {MESSAGE_ID_BYTES_MAX} bytes; this one has {}", name.len());
            Err(Error::new(Kind::BadArguments, operation, what))
        }
    }
}

/// Whether its caller named this message.
pub(crate) fn is_callers(id: u128) -> bool {
    id & CALLERS != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use crate::rng::SystemRng;

    #[test]
    fn ids_of_callers_are_theirs_for_ever() {
        let named = |name: &str| id("send", Some(name), &SystemRng).unwrap();
        assert_eq!(named("order-7/1"), named("order-7/1"));
        assert_ne!(named("order-7/1"), named("order-7/2"));
        // It is stored: it must be the same in every version.
        assert_eq!(named("order-7/1"), 0xf141_1fc3_477c_1529_c5da_fa01_c989_690a);
        assert!(is_callers(named("a")) && !is_callers(id("send", None, &SystemRng).unwrap()));
        for wrong in [String::new(), "x".repeat(1_001)] {
            assert_eq!(id("send", Some(&wrong), &SystemRng).unwrap_err().kind(), Kind::BadArguments);
        }
    }

    #[test]
    fn messages_of_the_engine_do_not_push_those_of_callers_out() {
        let mut record = Record::default();
        let callers: Vec<u128> = (0..100u128).map(|n| CALLERS | n).collect();
        callers.iter().for_each(|id| assert!(record.apply(*id)));
        (0..5_000).for_each(|id| assert!(record.apply(id)));
        callers.iter().for_each(|id| assert!(!record.apply(*id)));
        assert!(!record.apply(4_999), "its own last ones are known");
        assert_eq!(record.applied.len(), 164);
        (0..2_000u128).for_each(|n| assert!(record.apply(CALLERS | 1 << 64 | n)));
        assert_eq!(record.applied.len(), 1_000);
    }
}

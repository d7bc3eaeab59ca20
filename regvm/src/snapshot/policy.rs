//! Which parts a commit takes the place of. Three rules, each over sizes only:
//!
//! - an isolate that is small is written whole, so that it has one part;
//! - when what is stored is more than twice what lives (and a constant), everything is written anew;
//! - when there are too many parts, some of the newest are merged: those for which the bytes written for each part that goes away
//!   are fewest. With room for k parts that writes each byte about n times before k^n/n! commits have passed, and never
//!   rewrites much that is old for little that is new.

/// A snapshot has at most this many parts.
pub(super) const PARTS_MAX: usize = 64;
/// An isolate with fewer bytes than this is always written whole.
pub(super) const WHOLE_BELOW: u64 = 4 << 10;
/// What may be stored beside twice what lives.
const SPARE: u64 = 4 << 10;

/// How many of the parts with these sizes, oldest first, stay when a part of `delta` bytes comes, with `live` bytes what a new base
/// would take. All of them if it is added, none if it is a base.
pub(super) fn parts_to_keep(sizes: &[u64], delta: u64, live: u64) -> usize {
    let stored: u64 = sizes.iter().sum::<u64>() + delta;
    if sizes.is_empty() || stored > live.saturating_mul(2).saturating_add(SPARE) {
        return 0;
    }
    if sizes.len() < PARTS_MAX {
        return sizes.len();
    }
    // The base, at index 0, is left to the rule above.
    let mut best = sizes.len() - 1;
    let (mut best_bytes, mut bytes) = (u128::MAX, u128::from(delta));
    let mut best_gone = 1u128;
    for keep in (1..sizes.len()).rev() {
        bytes += u128::from(sizes[keep]);
        let gone = (sizes.len() - keep) as u128;
        // bytes / gone <= best_bytes / best_gone, in whole numbers; of equals the longer run.
        if best_bytes == u128::MAX || bytes * best_gone <= best_bytes * gone {
            (best, best_bytes, best_gone) = (keep, bytes, gone);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_rewritten_when_stored_outweighs_live() {
        assert_eq!(parts_to_keep(&[10_000, 10_000], 5_000, 10_000), 0);
        assert_eq!(parts_to_keep(&[10_000, 10_000], 4_000, 10_000), 2);
        assert_eq!(parts_to_keep(&[], 4_000, 10_000), 0);
    }

    /// Equal commits into a large base, none of which supersedes another: each byte is written a few times only.
    #[test]
    fn merging_writes_each_byte_a_few_times() {
        let mut sizes = vec![1u64 << 40];
        let (mut written, commits) = (0u64, 100_000u64);
        for _ in 0..commits {
            let keep = parts_to_keep(&sizes, 100, 1 << 40);
            assert!(keep > 0, "the base is not rewritten for small changes");
            let part = 100 + sizes[keep..].iter().sum::<u64>();
            sizes.truncate(keep);
            sizes.push(part);
            written += part;
            assert!(sizes.len() <= PARTS_MAX);
        }
        assert!(written <= commits * 100 * 5, "{} times", written as f64 / (commits * 100) as f64);
    }
}

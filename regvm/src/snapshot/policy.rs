//! Which parts a commit takes the place of. Three rules:
//!
//! - an isolate that is small is written whole, so that it has one part;
//! - when what is stored is more than twice what lives (and a constant), everything is written anew; where that is much, and
//!   somebody waits for the commit, only once it is more than four times as much, for a quiet moment may come before;
//! - when there are too many parts, the newest ones that were merged equally often are merged. With room for k parts a byte is so
//!   written n times only after about k^n/n! commits, and little that is new never rewrites much that is old.

/// A snapshot has at most this many parts.
pub(super) const PARTS_MAX: usize = 64;
/// An isolate with fewer bytes than this is always written whole.
pub(super) const WHOLE_BELOW: u64 = 4 << 10;
/// What may be stored beside twice what lives.
const SPARE: u64 = 4 << 10;

/// A stored part, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sized {
    pub bytes: u64,
    /// How often it was merged.
    pub level: u32,
}

/// A base of fewer bytes is never put off: it is written in less time than the disk takes.
const PUT_OFF_FROM: u64 = 1 << 20;

/// Whether somebody waits for the commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// Nobody does: it may take the time that a new base takes.
    Quiet,
    /// Something is done only after it, so a large base is put off.
    Awaited,
}

/// Whether everything should be written anew, when so many bytes are stored and `live` is what a new base would take.
pub(super) fn base_is_due(stored: u64, live: u64, urgency: Urgency) -> bool {
    let times = if urgency == Urgency::Awaited && live >= PUT_OFF_FROM { 4 } else { 2 };
    stored > live.saturating_mul(times).saturating_add(SPARE)
}

/// How many of the parts, oldest first, stay when a part of `delta` bytes comes, with `live` bytes what a new base would take; and the
/// level of the part that is written then. All of them stay if it is added, none if it is a base.
pub(super) fn parts_to_keep(parts: &[Sized], delta: u64, live: u64, urgency: Urgency) -> (usize, u32) {
    let stored: u64 = parts.iter().map(|p| p.bytes).sum::<u64>() + delta;
    if parts.is_empty() || base_is_due(stored, live, urgency) {
        return (0, 0);
    }
    // The base, at index 0, is left to the rule above.
    let [_, deltas @ ..] = parts else { return (0, 0) };
    match deltas.last() {
        Some(last) if parts.len() >= PARTS_MAX => {
            // Levels never rise towards the newer parts.
            let run = deltas.iter().rev().take_while(|p| p.level <= last.level).count();
            (parts.len() - run, last.level.saturating_add(1))
        }
        _ => (parts.len(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: u64) -> Sized {
        Sized { bytes, level: 0 }
    }

    #[test]
    fn the_base_is_rewritten_when_stored_outweighs_live() {
        for urgency in [Urgency::Quiet, Urgency::Awaited] {
            assert_eq!(parts_to_keep(&[plain(10_000), plain(10_000)], 5_000, 10_000, urgency), (0, 0));
            assert_eq!(parts_to_keep(&[plain(10_000), plain(10_000)], 4_000, 10_000, urgency), (2, 0));
            assert_eq!(parts_to_keep(&[], 4_000, 10_000, urgency), (0, 0));
        }
    }

    #[test]
    fn a_large_base_is_put_off_while_somebody_waits_but_not_for_ever() {
        let large = 10_000_000;
        let parts = [plain(large), plain(large)];
        assert_eq!(parts_to_keep(&parts, 5_000, large, Urgency::Quiet), (0, 0));
        assert_eq!(parts_to_keep(&parts, 5_000, large, Urgency::Awaited), (2, 0));
        assert_eq!(parts_to_keep(&parts, 2 * large + 5_000, large, Urgency::Awaited), (0, 0));
    }

    /// Equal commits into a large base, none of which supersedes another: each byte is written a few times only.
    #[test]
    fn merging_writes_each_byte_a_few_times() {
        let mut parts = vec![plain(1 << 40)];
        let (mut written, commits) = (0u64, 200_000u64);
        for _ in 0..commits {
            let (keep, level) = parts_to_keep(&parts, 100, 1 << 40, Urgency::Awaited);
            assert!(keep > 0, "the base is not rewritten for small changes");
            let bytes = 100 + parts[keep..].iter().map(|p| p.bytes).sum::<u64>();
            parts.truncate(keep);
            parts.push(Sized { bytes, level });
            written += bytes;
            assert!(parts.len() <= PARTS_MAX);
        }
        assert!(written <= commits * 100 * 5, "{} times", written as f64 / (commits * 100) as f64);
    }
}

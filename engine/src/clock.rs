//! The only place that asks what time it is.
//!
//! Two clocks: the machine's monotonic one, by which leases and slices are counted, and the store's, by which due times are
//! meant. The second is the first plus an offset that is measured again with each renewal of the lease. A simulation gives
//! its own [`Clock`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;

/// Time as the engine sees it.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;

    /// Returns when this much time has passed.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock, and tokio's timers.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> SystemClock {
        SystemClock(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The store's clock as far as this process can tell.
#[derive(Debug)]
pub(crate) struct StoreClock {
    clock: Arc<dyn Clock>,
    /// What to add to the monotonic clock's milliseconds.
    offset_ms: AtomicI64,
}

impl StoreClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> StoreClock {
        StoreClock { clock, offset_ms: AtomicI64::new(0) }
    }

    /// Milliseconds of the monotonic clock.
    pub(crate) fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.clock.monotonic().as_millis()).unwrap_or(i64::MAX)
    }

    /// Takes what the store said, asked at `asked_ms` of the monotonic clock. Half of the time that the answer took is
    /// taken as its way back.
    pub(crate) fn set(&self, store_ms: i64, asked_ms: i64) {
        let now_ms = self.monotonic_ms();
        let middle_ms = asked_ms + (now_ms - asked_ms) / 2;
        self.offset_ms.store(store_ms.saturating_sub(middle_ms), Ordering::Relaxed);
    }

    /// Unix milliseconds of the store's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.monotonic_ms().saturating_add(self.offset_ms.load(Ordering::Relaxed))
    }
}

/// When a sleep that begins at `now_ms` is due: never early, and never later than dates go.
pub(crate) fn due_ms(now_ms: i64, seconds: f64) -> i64 {
    use crate::limits::DUE_MS_MAX;
    if seconds.is_nan() || seconds <= 0.0 {
        return now_ms;
    }
    let ms = (seconds * 1000.0).ceil();
    if ms >= (DUE_MS_MAX - now_ms.min(DUE_MS_MAX)) as f64 {
        return DUE_MS_MAX;
    }
    now_ms + ms as i64
}

#[cfg(test)]
mod tests {
    use super::due_ms;
    use crate::limits::DUE_MS_MAX;

    #[test]
    fn a_sleep_is_never_early_and_never_out_of_range() {
        assert_eq!(due_ms(1_000, 0.0), 1_000);
        assert_eq!(due_ms(1_000, -3.0), 1_000);
        assert_eq!(due_ms(1_000, f64::NAN), 1_000);
        assert_eq!(due_ms(1_000, 0.000_1), 1_001);
        assert_eq!(due_ms(1_000, 1.5), 2_500);
        assert_eq!(due_ms(1_000, f64::INFINITY), DUE_MS_MAX);
        assert_eq!(due_ms(1_000, 1e300), DUE_MS_MAX);
    }
}

//! How impure host functions are called: again after a failure, for no longer than so long, and by so many at a time.
//!
//! What is counted and waited for here is one step's. A pause of more than [`PAUSE_IN_MEMORY`] is not waited for here: it is
//! committed with the number of attempts, and survives a restart as a sleep does.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use deepslate_ir::datum::Datum;
use deepslate_ir::dserror::{self, DSError};
use deepslate_ir::trap::{Fault, TrapKind};
use futures::FutureExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::host::{Callable, HostCall, HostError};

/// The longest pause that is not committed first.
pub(crate) const PAUSE_IN_MEMORY: Duration = Duration::from_secs(1);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// How an impure function is called.
#[derive(Clone, Debug, PartialEq)]
pub struct CallOptions {
    /// How often it is called again after it has failed.
    pub retries: u32,
    /// The pause before it is called again for the first time. Each further one is twice as long, up to an hour; of each a random
    /// part is left out, up to half, so that many that failed together do not come back together.
    pub backoff: Duration,
    /// How long one call may take. A longer one has failed with the kind `timeout`; what it still does is not waited for.
    pub timeout: Option<Duration>,
    /// How many calls of it this engine makes at a time.
    pub concurrency: Option<usize>,
    /// After which failures it is called again: kinds of `DSError` (`exception` for all errors, `timeout`, and any other that it
    /// returns itself) and names of types of errors. Where there are none, after every error and timeout, but not after a
    /// `DSError` that it returns.
    pub retry_on: Vec<String>,
}

impl Default for CallOptions {
    fn default() -> CallOptions {
        CallOptions {
            retries: 0,
            backoff: Duration::from_secs(1),
            timeout: None,
            concurrency: None,
            retry_on: Vec::new(),
        }
    }
}

impl CallOptions {
    /// Whether it is called again after its attempt with this number, from 1, has failed, as these names say.
    fn calls_again<'a>(&self, attempt: u32, by_itself: bool, mut names: impl Iterator<Item = &'a str>) -> bool {
        let meant = if self.retry_on.is_empty() {
            !by_itself
        } else {
            names.any(|name| self.retry_on.iter().any(|wanted| wanted == name))
        };
        attempt <= self.retries && meant
    }

    /// The pause after an attempt has failed; `chance` is at least 0 and less than 1.
    fn pause(&self, attempt: u32, chance: f64) -> Duration {
        let doubled = 2u32.checked_pow(attempt.saturating_sub(1)).and_then(|times| self.backoff.checked_mul(times));
        doubled.unwrap_or(PAUSE_MAX).min(PAUSE_MAX).mul_f64(1.0 - chance / 2.0)
    }
}

/// The rules of one function, which all calls of it share.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    options: CallOptions,
    /// Limits how many calls there are at a time.
    places: Option<Semaphore>,
}

impl Rules {
    /// Rules of these options; an error names the one that makes no sense.
    pub(crate) fn new(options: CallOptions) -> Result<Rules, String> {
        if options.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err("timeout: a call can't be given no time at all".into());
        }
        if options.concurrency == Some(0) {
            return Err("concurrency: with no calls at a time there would never be one".into());
        }
        if options.retry_on.iter().any(String::is_empty) {
            return Err("retry_on: an empty text names no failure".into());
        }
        let places = options.concurrency.map(|most| Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Ok(Rules { options, places })
    }

    pub(crate) fn options(&self) -> &CallOptions {
        &self.options
    }
}

/// What is to be done after an attempt.
pub(crate) enum Then {
    /// To give the isolate this result.
    Give(Result<Datum, Fault>),
    /// To call again after this pause; the text says what was wrong.
    Again(Duration, String),
}

impl Callable {
    /// Waits until there is a place for one more call; nothing where there is no limit.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        match &self.rules.places {
            // It is never closed.
            Some(places) => places.acquire().await.ok(),
            None => None,
        }
    }

    /// Makes one attempt. `chance` is at least 0 and less than 1.
    pub(crate) async fn attempt(&self, call: HostCall, clock: &dyn Clock, chance: f64) -> Then {
        let options = self.rules.options();
        let (program, host, attempt) = (call.program.clone(), call.host, call.context.attempt);
        let (function, types) = (program.module().host(host), &program.module().types);
        let called = AssertUnwindSafe(self.function.call(call)).catch_unwind();
        let result = match options.timeout {
            None => Some(called.await),
            Some(timeout) => tokio::select! {
                result = called => Some(result),
                () = clock.sleep(timeout) => None,
            },
        };
        let Some(result) = result else {
            let message = format!("no answer within {:?}", options.timeout.unwrap_or_default());
            if options.calls_again(attempt, false, ["timeout"].into_iter()) {
                return Then::Again(options.pause(attempt, chance), message);
            }
            let message = tried(attempt, message);
            let fault = || Fault::new(TrapKind::Host, format!("{}: {message}", function.name));
            let error = DSError::new("timeout", message.clone()).into_datum(types, function.ret);
            return Then::Give(error.ok_or_else(fault));
        };
        match result.unwrap_or_else(|_| Err(HostError::new("the host function panicked"))) {
            Ok(value) => match dserror::kind_of(types, function.ret, &value) {
                Some(kind) if options.calls_again(attempt, true, [kind].into_iter()) => {
                    Then::Again(options.pause(attempt, chance), format!("an error of kind {kind}"))
                }
                _ => Then::Give(Ok(value)),
            },
            Err(mut error) => {
                let names = ["exception", &error.type_name].into_iter();
                if options.calls_again(attempt, false, names.chain(error.types.iter().map(String::as_str))) {
                    let colon = if error.type_name.is_empty() || error.message.is_empty() { "" } else { ": " };
                    let what = format!("{}{colon}{}", error.type_name, error.message);
                    return Then::Again(options.pause(attempt, chance), what);
                }
                error.message = tried(attempt, error.message);
                Then::Give(error.into_result(function, types))
            }
        }
    }
}

/// What is told of the last of several attempts.
fn tried(attempt: u32, message: String) -> String {
    if attempt > 1 { format!("{message} (attempt {attempt})") } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_lose_up_to_half() {
        let options = CallOptions { retries: 3, backoff: Duration::from_secs(2), ..CallOptions::default() };
        let pause = |attempt, chance| options.pause(attempt, chance).as_secs_f64();
        assert_eq!([pause(1, 0.0), pause(2, 0.0), pause(3, 0.0)], [2.0, 4.0, 8.0]);
        assert_eq!([pause(1, 1.0), pause(3, 0.5)], [1.0, 6.0]);
        assert_eq!([pause(40, 0.0), pause(u32::MAX, 0.0)], [3_600.0, 3_600.0]);
    }

    #[test]
    fn some_failures_are_worth_another_try() {
        let all = CallOptions { retries: 2, ..CallOptions::default() };
        let names = || ["exception", "Reset", "net.Reset", "builtins.OSError"].into_iter();
        assert!(all.calls_again(1, false, names()) && all.calls_again(2, false, names()));
        assert!(!all.calls_again(3, false, names()), "there are two retries");
        assert!(!all.calls_again(1, true, ["user"].into_iter()), "what it returns itself is a value");
        let only = |name: &str| CallOptions { retry_on: vec![name.to_owned()], ..all.clone() };
        for name in names() {
            assert!(only(name).calls_again(1, false, names()), "{name}");
        }
        assert!(!only("timeout").calls_again(1, false, names()));
        assert!(only("network").calls_again(1, true, ["network"].into_iter()));
    }

    #[test]
    fn options_without_sense_are_named() {
        let with = |change: fn(&mut CallOptions)| {
            let mut options = CallOptions::default();
            change(&mut options);
            Rules::new(options).err().unwrap_or_default()
        };
        assert!(with(|o| o.timeout = Some(Duration::ZERO)).starts_with("timeout: "));
        assert!(with(|o| o.concurrency = Some(0)).starts_with("concurrency: "));
        assert!(with(|o| o.retry_on = vec![String::new()]).starts_with("retry_on: "));
        assert_eq!(with(|o| o.concurrency = Some(usize::MAX)), "");
    }
}

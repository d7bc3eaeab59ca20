//! Server-sent events: the state that a page shows, sent again whenever it has changed, at most five times a second. A slow reader
//! misses states in between, never the last one. The event `state` has what the corresponding GET answers; `gone` ends the stream.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use deepslate_engine::Change;
use futures::future::BoxFuture;
use futures::stream::unfold;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::{ApiError, Refusal};
use crate::routes::{Shared, Wanted};
use crate::view;

/// The shortest time between two events of a stream.
const PACE: Duration = Duration::from_millis(200);
/// How often to look at an isolate that runs although no change was announced: one that computes for long changes its variables
/// without a commit.
const RUNNING: Duration = Duration::from_secs(1);
/// How often to look at anything else: changes by another node are not announced here.
const RESTING: Duration = Duration::from_secs(15);
/// How often a stream shows that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// In the state of an isolate that runs: no text of a user's can hold it, since quotes in texts are escaped.
const IS_RUNNING: &str = "\"status\": \"running\"";

type Events = Sse<axum::response::sse::KeepAliveStream<futures::stream::BoxStream<'static, Result<Event, Infallible>>>>;

/// Most streams at once.
const FOLLOWERS_MAX: usize = 1_000;

/// How many streams are open.
#[derive(Clone, Default)]
pub(crate) struct Followers(Arc<AtomicUsize>);

/// One of them, as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Followers {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn enter(&self) -> Result<Counted, ApiError> {
        if self.0.fetch_add(1, Ordering::Relaxed) >= FOLLOWERS_MAX {
            self.0.fetch_sub(1, Ordering::Relaxed);
            let what = format!("{FOLLOWERS_MAX} pages follow this engine already: close some, or freeze them");
            return Err(ApiError::new(Refusal::TooMany, what));
        }
        Ok(Counted(Arc::clone(&self.0)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Follower {
    shared: Shared,
    _counted: Counted,
    changes: broadcast::Receiver<Change>,
    /// Which isolate's changes matter; all if none.
    name: Option<String>,
    look: Box<dyn Fn() -> BoxFuture<'static, Result<String, ApiError>> + Send + Sync>,
    sent: Option<String>,
    next: Instant,
    /// How long it may be silent.
    calm: Duration,
    over: bool,
}

impl Follower {
    /// Waits until it is time to look again.
    async fn wait(&mut self) {
        sleep_until(self.next).await;
        let name = self.name.as_deref();
        let announced = async {
            loop {
                match self.changes.recv().await {
                    Ok(change) if name.is_some_and(|name| *change.name != *name) => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Both ends mean the same: look.
        let _ = timeout(self.calm, announced).await;
    }

    async fn next(mut self) -> Option<(Result<Event, Infallible>, Follower)> {
        if self.over {
            return None;
        }
        loop {
            if self.sent.is_some() {
                let stopping = self.shared.clone().stopping();
                tokio::select! {
                    () = self.wait() => {}
                    () = stopping => return None,
                }
            }
            self.next = Instant::now() + PACE;
            match (self.look)().await {
                Ok(state) if self.sent.as_ref() == Some(&state) => {}
                Ok(state) => {
                    self.calm = if self.name.is_some() && state.contains(IS_RUNNING) { RUNNING } else { RESTING };
                    let event =
                        Event::default().event("state").data(view::stamped(&state, self.shared.engine.now_ms()));
                    self.sent = Some(state);
                    return Some((Ok(event), self));
                }
                Err(error) if error.kind() == Refusal::Stopping => return None,
                // It may pass: the page keeps what it has, and the next look tells.
                Err(error) if error.kind() != Refusal::NotFound && self.sent.is_some() => {}
                Err(error) => {
                    self.over = true;
                    return Some((Ok(Event::default().event("gone").data(error.json())), self));
                }
            }
        }
    }

    fn stream(self) -> Events {
        let stream: futures::stream::BoxStream<'static, _> = Box::pin(unfold(self, Follower::next));
        Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE))
    }
}

/// The events of the list.
pub(crate) fn of_list(shared: Shared, wanted: Wanted) -> Result<Events, ApiError> {
    let (engine, wanted) = (shared.engine.clone(), Arc::new(wanted));
    let look = Box::new(move || -> BoxFuture<'static, _> {
        let (engine, wanted) = (engine.clone(), wanted.clone());
        Box::pin(async move { view::list(&engine, &wanted).await })
    });
    Ok(follower(shared, None, look)?.stream())
}

/// The events of one isolate.
pub(crate) fn of_isolate(shared: Shared, name: String) -> Result<Events, ApiError> {
    let (looking, asked) = (shared.clone(), name.clone());
    let look = Box::new(move || -> BoxFuture<'static, _> {
        let (shared, name) = (looking.clone(), asked.clone());
        Box::pin(async move { view::show(&shared, &name).await })
    });
    Ok(follower(shared, Some(name), look)?.stream())
}

fn follower(
    shared: Shared,
    name: Option<String>,
    look: Box<dyn Fn() -> BoxFuture<'static, Result<String, ApiError>> + Send + Sync>,
) -> Result<Follower, ApiError> {
    let counted = shared.followers.enter()?;
    let changes = shared.engine.subscribe_all();
    Ok(Follower {
        shared,
        _counted: counted,
        changes,
        name,
        look,
        sent: None,
        next: Instant::now(),
        calm: RESTING,
        over: false,
    })
}

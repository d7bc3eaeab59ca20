//! A request's way to its isolate and the answer's way back: found by name or by route, given to the isolate, asked again while shards
//! move, all within the caller's time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use deepslate_storage::{Filter, Head, IsolateId};
use tokio::sync::oneshot;

use super::mail::Fingerprint;
use super::route::{Route, split};
use crate::cell::{Event, Incoming, Taken, TakenReply};
use crate::error::{Error, Kind, Result};
use crate::limits::{SCAN_PAGE, STORE_BACKOFF_MS};
use crate::name::check_name;
use crate::node::{Node, key};
use crate::record::Record;

/// A request as it came in.
pub(super) struct Request {
    pub(super) method: String,
    /// As plain text.
    pub(super) path: String,
    pub(super) key: Option<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

/// What is answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is in, durably, for the isolate of this name and id.
    Accepted(String, IsolateId),
    /// Nothing is there; the text says what exactly.
    NotThere(String),
    /// The path takes these methods.
    Methods(String, Vec<String>),
    /// The isolate's queue is full.
    Full(String),
    /// It can't be taken now.
    Later(String),
    /// It means nothing.
    Bad(String),
}

/// Whom a request is for.
enum Whom {
    Isolate(String, IsolateId, String),
    /// One that has ended is told apart from one that isn't there, for it may have taken the request before.
    Ended(Box<Head>, String),
    Anyone,
}

/// Gives a request to its isolate. Ends when it is durable there, or refused; the caller bounds the time.
pub(super) async fn receive(node: &Arc<Node>, request: Request) -> Result<Answer> {
    let message = u128::from_le_bytes(node.rng.bytes());
    loop {
        if node.is_draining() {
            return Ok(Answer::Later("the engine is shutting down".into()));
        }
        let (name, id, path) = match whom(node, &request.path).await? {
            Whom::Isolate(name, id, path) => (name, id, path),
            Whom::Ended(head, path) => return Ok(ended(node, &head, path, &request)),
            Whom::Anyone if request.key.is_some() => {
                let what = format!(
                    "an Idempotency-Key needs an isolate: send it to /{{isolate name}}{}, or leave the key out",
                    request.path
                );
                return Ok(Answer::Bad(what));
            }
            Whom::Anyone => {
                let route = Route { path: request.path.clone(), method: request.method.clone() };
                match pick(node, &route).await? {
                    Ok((name, id)) => (name, id, request.path.clone()),
                    Err(answer) => return Ok(answer),
                }
            }
        };
        let route = Route { path, method: request.method.clone() };
        let fingerprint = request.key.as_ref().map(|key| Fingerprint::of(&route, key));
        let (reply, taken) = oneshot::channel();
        let incoming = Incoming {
            message,
            key: fingerprint,
            route: route.clone(),
            body: request.body.clone(),
            reply: TakenReply(reply),
        };
        node.deliver(id, Event::Request(Box::new(incoming)));
        match taken.await {
            Ok(Taken::Yes) => return Ok(Answer::Accepted(name, id)),
            Ok(Taken::NoRoute) => {
                return Ok(Answer::NotThere(format!("isolate `{name}` does not listen on {}", route.path)));
            }
            Ok(Taken::Methods(methods)) => {
                let what = format!("isolate `{name}` listens on {} for {} only", route.path, methods.join(", "));
                return Ok(Answer::Methods(what, methods));
            }
            Ok(Taken::Full(why)) => return Ok(Answer::Full(format!("isolate `{name}` is behind: {why}"))),
            Ok(Taken::Parked(why)) => return Ok(Answer::Later(format!("isolate `{name}` is parked: {why}"))),
            Ok(Taken::Ended) => return Ok(Answer::NotThere(format!("isolate `{name}` has ended"))),
            // It has just left memory, has just ended, or its shard is moving: look again.
            Err(_) => {}
        }
        if let Some(why) = node.parked().get(&id) {
            return Ok(Answer::Later(format!("isolate `{name}` is parked: {why}")));
        }
        node.listeners.remove(id);
        node.clock.sleep(std::time::Duration::from_millis(STORE_BACKOFF_MS.0)).await;
    }
}

/// Whom a path means: an isolate where there is one of the name, else any listener.
async fn whom(node: &Arc<Node>, path: &str) -> Result<Whom> {
    let Some((name, route)) = split(path) else { return Ok(Whom::Anyone) };
    if check_name(name).is_err() {
        return Ok(Whom::Anyone);
    }
    if let Some(cell) = node.registry.named(&key(&node.options.namespace, name)) {
        return Ok(Whom::Isolate(name.into(), cell.id, route.into()));
    }
    Ok(match node.store.head_by_name(&node.options.namespace, name).await? {
        Some(head) if head.status.is_finished() => Whom::Ended(Box::new(head), route.into()),
        Some(head) => Whom::Isolate(name.into(), head.id, route.into()),
        None => Whom::Anyone,
    })
}

/// The answer of an isolate that has ended: a request that it took before is still one that it took.
fn ended(node: &Node, head: &Head, path: String, request: &Request) -> Answer {
    let route = Route { path, method: request.method.clone() };
    if let (Some(key), Ok(record)) = (&request.key, Record::decode(&head.state))
        && record.mail.knows(0, Some(Fingerprint::of(&route, key)), node.time.now_ms())
    {
        return Answer::Accepted(head.name.clone(), head.id);
    }
    Answer::NotThere(format!("isolate `{}` has ended", head.name))
}

/// The name and id of some listener of a route, or why there is none.
async fn pick(node: &Arc<Node>, route: &Route) -> Result<std::result::Result<(String, IsolateId), Answer>> {
    loop {
        let Some(id) = node.listeners.pick(route) else {
            if look(node).await? {
                continue;
            }
            let methods = node.listeners.methods(&route.path);
            return Ok(Err(if methods.is_empty() {
                let what = format!("no isolate listens on {}, and none has the name that it begins with", route.path);
                Answer::NotThere(what)
            } else {
                let what = format!("isolates listen on {} for {} only", route.path, methods.join(", "));
                Answer::Methods(what, methods)
            }));
        };
        match node.store.head(id).await? {
            Some(head) if !head.status.is_finished() => return Ok(Ok((head.name, id))),
            _ => node.listeners.remove(id),
        }
    }
}

/// Looks through the store for listeners, once. True if it did just now.
async fn look(node: &Arc<Node>) -> Result<bool> {
    if node.listeners.complete.load(Ordering::SeqCst) {
        return Ok(false);
    }
    let _one = node.listeners.looking.lock().await;
    if node.listeners.complete.load(Ordering::SeqCst) {
        return Ok(true);
    }
    let filter = Filter { namespace: Some(node.options.namespace.clone()), ..Filter::default() };
    let mut after = None;
    loop {
        let page = node.store.list(&filter, after, SCAN_PAGE).await?;
        for head in page.heads.iter().filter(|head| !head.status.is_finished()) {
            if let Some(routes) = routes_of(node, head).await? {
                let waits = |route: &Route| !routes.queued.contains(route);
                let open = routes.open.iter().map(|route| (route.clone(), waits(route))).collect();
                node.listeners.found(head.id, head.created_ms, open);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    node.listeners.complete.store(true, Ordering::SeqCst);
    Ok(true)
}

struct Routes {
    open: std::collections::BTreeSet<Route>,
    queued: std::collections::BTreeSet<Route>,
}

/// The routes that are open for an isolate, by its stored head. None if it can't be said.
async fn routes_of(node: &Node, head: &Head) -> Result<Option<Routes>> {
    let Ok(record) = Record::decode(&head.state) else { return Ok(None) };
    let Ok(loaded) = node.programs.load(&*node.store, head.program).await? else { return Ok(None) };
    let Some(func) = loaded.module().flow(&head.flow) else { return Ok(None) };
    let queued = record.mail.counts().into_keys().cloned().collect();
    Ok(Some(Routes { open: loaded.routes(func).union(&record.mail.routes).cloned().collect(), queued }))
}

/// A refusal of the engine as an answer.
pub(super) fn refused(error: &Error) -> Answer {
    match error.kind() {
        Kind::NotFound | Kind::BadName => Answer::NotThere(error.context().to_owned()),
        _ => Answer::Later(error.context().to_owned()),
    }
}

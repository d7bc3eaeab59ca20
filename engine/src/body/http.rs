//! Requests in an isolate's life: which routes are open, what comes in, and who takes it.

use deepslate_ir::datum::Datum;
use deepslate_ir::durable::Durable;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_regvm::{Call, Request};

use super::{Body, Stage, Turn};
use crate::cell::{Incoming, Taken};
use crate::clock::due_ms;
use crate::http::route::Route;
use crate::http::{bytes_or, timed_out};
use crate::limits::{MAIL_BYTES_MAX, ROUTES_MAX};

/// What a listen asks for.
struct Listen {
    route: Route,
    timeout: f64,
}

impl Listen {
    fn of(args: &[Datum]) -> Result<Listen, String> {
        let [Datum::Str(method), Datum::Str(path), timeout] = args else {
            return Err("http_listen: this engine knows another form of it".into());
        };
        let timeout = match timeout {
            Datum::Float(seconds) if *seconds >= 0.0 => *seconds,
            _ => return Err(format!("http_listen({method:?}, {path:?}): the timeout must not be negative or NaN")),
        };
        Ok(Listen { route: Route::named(method, path)?, timeout })
    }
}

impl Body {
    /// What the engine itself answers of a call.
    pub(super) fn durable_of(&self, request: &Request) -> Option<Durable> {
        match request {
            Request::Host { host, .. } => self.loaded.as_ref()?.durable(*host),
            Request::Sleep { .. } => None,
        }
    }

    /// Whether a call waits for something that only this engine starts.
    pub(super) fn acts(&self, request: &Request) -> bool {
        matches!(request, Request::Host { .. }) && self.durable_of(request) != Some(Durable::HttpListen)
    }

    /// A flow listens: with a request that waits already it goes on at once.
    pub(super) fn listen(&mut self, turn: &Turn<'_>, call: &Call) {
        let Request::Host { args, .. } = &call.request else { return };
        let listen = Listen::of(args).and_then(|listen| {
            let known = self.is_open(&listen.route);
            if !known && self.record.mail.routes.len() >= ROUTES_MAX {
                return Err(format!(
                    "http_listen: an isolate can open {ROUTES_MAX} routes, and {} is one more",
                    listen.route
                ));
            }
            Ok((listen, known))
        });
        let answer = match listen {
            Err(what) => Err(Fault::new(TrapKind::Value, what)),
            Ok((listen, known)) => match self.record.mail.take(&listen.route) {
                Some(body) => Ok(bytes_or(Ok(body))),
                None => {
                    if !known {
                        self.record.mail.routes.insert(listen.route);
                    }
                    if listen.timeout.is_finite() {
                        let due = (due_ms(turn.node.time.now_ms(), listen.timeout), call.step);
                        self.record.sleeps.insert(due);
                        self.wanted.sleeps.push(due);
                    }
                    return;
                }
            },
        };
        if let Some(vm) = &mut self.vm {
            vm.complete(call.step, answer);
        }
    }

    /// What a call whose time is over gets.
    pub(super) fn overdue(&self, step: u64) -> Datum {
        let pending = self.vm.iter().flat_map(|vm| vm.pending()).find(|call| call.step == step);
        match pending.map(|call| &call.request) {
            Some(Request::Host { args, .. }) => match Listen::of(args) {
                Ok(Listen { route, timeout }) => timed_out(format!("no request to {route} within {timeout} seconds")),
                Err(what) => timed_out(what),
            },
            _ => Datum::None,
        }
    }

    fn is_open(&self, route: &Route) -> bool {
        let literal =
            self.loaded.as_ref().zip(self.func).is_some_and(|(loaded, func)| loaded.routes(func).contains(route));
        literal || self.record.mail.routes.contains(route)
    }

    /// All open routes, each with whether a task waits there and nothing is queued.
    pub(super) fn routes(&self) -> Vec<(Route, bool)> {
        let Some((loaded, func)) = self.loaded.as_ref().zip(self.func) else { return Vec::new() };
        let literal = loaded.routes(func);
        if literal.is_empty() && self.record.mail.routes.is_empty() {
            return Vec::new();
        }
        let open = literal.union(&self.record.mail.routes);
        open.map(|route| (route.clone(), self.listening(route).is_some())).collect()
    }

    /// Tells the index of listeners what has become durable.
    pub(super) fn announce(&self, turn: &Turn<'_>) {
        let listeners = &turn.node.listeners;
        match self.record.ending {
            Some(_) => listeners.remove(self.head.id),
            None => listeners.set(self.head.id, self.head.created_ms, self.routes()),
        }
    }

    /// The step of the first listen that waits for a request of a route.
    fn listening(&self, route: &Route) -> Option<u64> {
        let waits = |call: &&Call| match &call.request {
            Request::Host { args, .. } if self.durable_of(&call.request) == Some(Durable::HttpListen) => {
                matches!(&args[..], [Datum::Str(method), Datum::Str(path), ..] if *method == route.method && *path == route.path)
            }
            _ => false,
        };
        self.vm.as_ref()?.pending().iter().find(waits).map(|call| call.step)
    }

    /// A request comes in. It is answered once it is durable that it did.
    pub(super) fn request(&mut self, turn: &Turn<'_>, incoming: Incoming) {
        let Incoming { message, key, route, body, reply } = incoming;
        let now_ms = turn.node.time.now_ms();
        if self.record.mail.knows(message, key, now_ms) {
            match &mut self.flight {
                _ if self.wanted.commit => self.wanted.taken.push(reply),
                Some(flight) => flight.wanted.taken.push(reply),
                None => reply.say(Taken::Yes),
            }
            return;
        }
        if self.record.ending.is_some() {
            return reply.say(Taken::Ended);
        }
        if self.stage != Stage::Live {
            let reason = self.record.parked.clone().unwrap_or_else(|| "it can't go on".into());
            return reply.say(Taken::Parked(reason));
        }
        if !self.is_open(&route) {
            let others = self.routes().into_iter().map(|(open, _)| open).filter(|open| open.path == route.path);
            let methods: Vec<_> = others.map(|open| open.method).collect();
            return reply.say(if methods.is_empty() { Taken::NoRoute } else { Taken::Methods(methods) });
        }
        match self.listening(&route) {
            Some(step) => {
                if let Some(vm) = &mut self.vm {
                    vm.complete(step, Ok(bytes_or(Ok(body))));
                }
                self.record.sleeps.retain(|(_, of)| *of != step);
                self.armed.retain(|(_, of)| *of != step);
            }
            None => {
                // A store with a small state takes less.
                let room = turn.node.store.limits().state_bytes_max / 2;
                let queued: usize = self.record.mail.queue.iter().map(|(_, body)| body.len()).sum();
                let small = (room < MAIL_BYTES_MAX && queued + body.len() > room)
                    .then(|| format!("{queued} bytes of requests wait for it already"));
                if let Some(why) = self.record.mail.full(body.len()).or(small) {
                    return reply.say(Taken::Full(why));
                }
                self.record.mail.queue.push_back((route, body));
            }
        }
        self.record.mail.remember(message, key, now_ms);
        self.wanted.commit = true;
        self.wanted.taken.push(reply);
    }
}

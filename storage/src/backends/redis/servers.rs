//! The connections: which server of a cluster holds what, requests in pipelines, and the wait until a write is durable.
//!
//! A connection is used by one call at a time and looked at when it is made (`durability`). One that fails is closed, with all that
//! idle beside it. A write and the WAITAOF after it go over one connection, since that command waits for the writes of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, Pipeline, Value};
use tokio::sync::Semaphore;

use super::durability::{self, Demand, Server, Wait};
use super::failure::Fail;
use super::keys::{Keys, Place, SLOTS};
use super::scripts::Request;
use crate::{Error, Kind};

/// How often a call follows the servers of a cluster, or sends scripts again, before it gives up.
const ROUNDS: usize = 6;

/// Host and port; `None` is where the URL leads.
type Address = Option<(String, u16)>;

/// The servers of a store.
pub(super) struct Servers {
    info: ConnectionInfo,
    pub keys: Keys,
    demand: Demand,
    timeout: Duration,
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: HashMap<Address, Vec<Line>>,
    /// Which server has which slots, in order; none unless it is a cluster.
    cluster: Option<Vec<(u16, u16, Address)>>,
    /// The slots may have moved.
    stale: bool,
}

/// A connection that was looked at.
struct Line {
    conn: MultiplexedConnection,
    wait: Option<Wait>,
}

/// What a server has answered to its part of the requests.
enum Reply {
    Value(Value),
    /// Nothing was done: the script is not known there.
    NoScript,
    /// Nothing was done: another server has the slot.
    Moved,
}

impl Servers {
    /// Looks at the server behind the address, and finds the others if it is one of a cluster.
    pub async fn open(
        info: ConnectionInfo,
        keys: Keys,
        demand: Demand,
        timeout: Duration,
        connections: usize,
    ) -> Result<Servers, Fail> {
        let permits = Semaphore::new(connections.min(Semaphore::MAX_PERMITS));
        let servers = Servers { info, keys, demand, timeout, permits, state: Mutex::default() };
        let (line, server) = servers.connect(&None).await?;
        servers.state().idle.insert(None, vec![line]);
        if server.is_cluster() {
            if servers.info.redis_settings().db() != 0 {
                let what = "a Redis cluster has only database 0; leave the number out of `url`";
                return Err(Fail::Settled(Error::new(Kind::Refused, "open", what)));
            }
            servers.find_slots().await?;
        }
        Ok(servers)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> Fail {
        let what = format!("no answer within {} ms", self.timeout.as_millis());
        Fail::Settled(Error::new(Kind::Retry, "", what))
    }

    async fn connect(&self, address: &Address) -> Result<(Line, Server), Fail> {
        let info = match address {
            None => self.info.clone(),
            Some((host, port)) => {
                let addr = match self.info.addr() {
                    ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                        host: host.clone(),
                        port: *port,
                        insecure: *insecure,
                        tls_params: tls_params.clone(),
                    },
                    _ => ConnectionAddr::Tcp(host.clone(), *port),
                };
                self.info.clone().set_addr(addr)
            }
        };
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(self.timeout)).set_response_timeout(None);
        let look = async {
            let client = Client::open(info).map_err(Fail::Connection)?;
            let conn = client.get_multiplexed_async_connection_with_config(&config).await.map_err(Fail::Connection)?;
            self.look_at(conn).await
        };
        let (line, server) = tokio::time::timeout(self.timeout, look).await.map_err(|_| self.late())??;
        Ok((line, server))
    }

    /// Asks a new connection's server how durable it is.
    async fn look_at(&self, mut conn: MultiplexedConnection) -> Result<(Line, Server), Fail> {
        let mut pipe = Pipeline::new();
        for section in ["server", "replication", "cluster"] {
            pipe.cmd("INFO").arg(section);
        }
        for setting in durability::SETTINGS {
            pipe.cmd("CONFIG").arg("GET").arg(setting);
        }
        let values = conn.req_packed_commands(&pipe, 0, 3 + durability::SETTINGS.len()).await;
        let mut values = values.map_err(Fail::Connection)?.into_iter();
        let mut server = Server::default();
        for value in values.by_ref().take(3) {
            server.info.push_str(&String::from_utf8_lossy(&bytes(checked(value)?)?));
        }
        // Where it may not be asked there are errors, which `judge` explains where it matters.
        let settings: Vec<String> = values
            .filter_map(|value| {
                let value = checked(value).and_then(items).ok()?.into_iter().nth(1)?;
                Some(String::from_utf8_lossy(&bytes(value).ok()?).into_owned())
            })
            .collect();
        server.config = settings.try_into().ok();
        let wait = server.judge(self.demand)?;
        Ok((Line { conn, wait }, server))
    }

    /// Sends requests, each to the server that has its place, and answers their values in order. Where a write was acknowledged by this,
    /// it is as durable as was asked.
    ///
    /// An error that is not `Retry` means that nothing was done.
    pub async fn send(&self, requests: &[Request<'_>], writes: bool) -> Result<Vec<Value>, Fail> {
        let mut replies: Vec<Option<Value>> = requests.iter().map(|_| None).collect();
        let mut with_text = false;
        for _ in 0..ROUNDS {
            if self.state().stale {
                self.find_slots().await?;
            }
            let mut groups: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
            for (at, request) in requests.iter().enumerate().filter(|(at, _)| replies[*at].is_none()) {
                groups.entry(self.address(request.place)).or_default().push(at);
            }
            if groups.is_empty() {
                break;
            }
            let asked = groups.iter().map(|(address, places)| {
                let part: Vec<&Request<'_>> = places.iter().map(|&at| &requests[at]).collect();
                async move { self.ask(address, &part, writes, with_text).await }
            });
            let answered = join_all(asked).await;
            let mut fail = None;
            for (places, answer) in groups.into_values().zip(answered) {
                match answer {
                    Ok(values) => {
                        for (at, reply) in places.into_iter().zip(values) {
                            match reply {
                                Reply::Value(value) => replies[at] = Some(value),
                                Reply::NoScript => with_text = true,
                                Reply::Moved => self.state().stale = true,
                            }
                        }
                    }
                    Err(error) => fail = Some(error),
                }
            }
            if let Some(fail) = fail {
                let done = replies.iter().flatten().any(|value| !matches!(value, Value::ServerError(_)));
                return Err(if writes && done { fail.in_part() } else { fail });
            }
        }
        let total = replies.len();
        let mut values = Vec::with_capacity(total);
        let mut fail = None;
        for reply in replies {
            match reply.map(checked) {
                Some(Ok(value)) => values.push(value),
                Some(Err(error)) => fail = Some(error),
                None => {
                    let what = "the Redis cluster is being changed";
                    fail = Some(Fail::Settled(Error::new(Kind::Retry, "", what)));
                }
            }
        }
        match fail {
            None => Ok(values),
            Some(fail) if writes && !values.is_empty() => Err(fail.in_part()),
            Some(fail) => Err(fail),
        }
    }

    /// One pipeline to one server.
    async fn ask(
        &self,
        address: &Address,
        requests: &[&Request<'_>],
        writes: bool,
        with_text: bool,
    ) -> Result<Vec<Reply>, Fail> {
        let closed = |_| Fail::Settled(Error::new(Kind::Retry, "", "the store was closed"));
        let permit = tokio::time::timeout(self.timeout, self.permits.acquire()).await;
        let _permit = permit.map_err(|_| self.late())?.map_err(closed)?;
        let idle = self.state().idle.get_mut(address).and_then(Vec::pop);
        let mut line = match idle {
            Some(line) => line,
            None => self.connect(address).await.map(|(line, _)| line).inspect_err(|_| self.give_up(address))?,
        };
        let wait = line.wait.filter(|_| writes);
        let mut pipe = Pipeline::with_capacity(requests.len() + 1);
        for request in requests {
            pipe.add_command(request.cmd(with_text, wait.is_some()));
        }
        if let Some(wait) = wait {
            // Below the time after which the whole call counts as lost, so that there is an answer.
            let ms = (self.timeout.as_millis() / 2).max(1);
            pipe.cmd("WAITAOF").arg(wait.local).arg(wait.replicas).arg(ms as u64);
        }
        let count = requests.len() + usize::from(wait.is_some());
        let done = tokio::time::timeout(self.timeout, line.conn.req_packed_commands(&pipe, 0, count)).await;
        let settled = match done {
            Ok(Ok(values)) => self.settle(values, requests.len(), wait),
            Ok(Err(error)) => Err(Fail::Connection(error)),
            Err(_) => Err(self.late()),
        };
        match settled {
            Ok(replies) if replies.iter().all(|reply| !is_of_another_time(reply)) => {
                self.state().idle.entry(address.clone()).or_default().push(line);
                Ok(replies)
            }
            other => {
                self.give_up(address);
                other
            }
        }
    }

    /// Whatever broke one connection has most likely broken those beside it, and its server may have lost its place.
    fn give_up(&self, address: &Address) {
        let mut state = self.state();
        state.idle.remove(address);
        state.stale = state.cluster.is_some();
    }

    fn settle(&self, mut values: Vec<Value>, asked: usize, wait: Option<Wait>) -> Result<Vec<Reply>, Fail> {
        if let Some(wait) = wait {
            let durable = values.pop().map_or(Ok(Value::Nil), checked)?;
            let counts = items(durable)?.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
            let [local, replicas] = counts[..] else { return Err(strange("the answer of WAITAOF")) };
            if local < i64::from(wait.local) || replicas < i64::from(wait.replicas) {
                let what = format!(
                    "written, but not durable yet: {replicas} of {} replicas and {local} of {} servers have it on disk",
                    wait.replicas, wait.local
                );
                return Err(Fail::Settled(Error::new(Kind::Retry, "", what)));
            }
        }
        if values.len() != asked {
            return Err(strange("the number of answers"));
        }
        let reply = |value| match &value {
            Value::ServerError(error) => match error.code() {
                "NOSCRIPT" => Reply::NoScript,
                "MOVED" => Reply::Moved,
                _ => Reply::Value(value),
            },
            _ => Reply::Value(value),
        };
        Ok(values.into_iter().map(reply).collect())
    }

    /// Which server has this place.
    fn address(&self, place: Place) -> Address {
        let state = self.state();
        let Some(cluster) = &state.cluster else { return None };
        let slot = self.keys.slot(place);
        let owner = cluster.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
        // A slot that nobody has: whoever is asked says so.
        owner.and_then(|(_, _, address)| address.clone())
    }

    /// Asks the servers that are known, one after the other, which slots they have now.
    async fn find_slots(&self) -> Result<(), Fail> {
        let mut known: Vec<Address> =
            self.state().cluster.iter().flatten().map(|(_, _, address)| address.clone()).collect();
        known.push(None);
        known.dedup();
        let ask = [Request::command(Place::Store, ["CLUSTER".as_bytes(), b"SLOTS"])];
        let ask: Vec<&Request<'_>> = ask.iter().collect();
        let mut last = None;
        for address in known {
            let slots = match self.ask(&address, &ask, false, false).await {
                Ok(replies) => replies.into_iter().next().map(|reply| self.read_slots(reply, &address)),
                Err(fail) => Some(Err(fail)),
            };
            match slots.unwrap_or_else(|| Err(strange("the answer of CLUSTER SLOTS"))) {
                Ok(slots) => {
                    let mut state = self.state();
                    state.cluster = Some(slots);
                    state.stale = false;
                    return Ok(());
                }
                Err(fail) => last = Some(fail),
            }
        }
        Err(last.unwrap_or_else(|| strange("the answer of CLUSTER SLOTS")))
    }

    fn read_slots(&self, reply: Reply, asked: &Address) -> Result<Vec<(u16, u16, Address)>, Fail> {
        let Reply::Value(value) = reply else { return Err(strange("the answer of CLUSTER SLOTS")) };
        let here = match (asked, self.info.addr()) {
            (Some((host, _)), _) | (None, ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. }) => {
                host.clone()
            }
            _ => String::new(),
        };
        let mut slots = Vec::new();
        for range in items(checked(value)?)? {
            let mut range = items(range)?.into_iter();
            let mut next = || range.next().ok_or_else(|| strange("a range of slots"));
            let (first, last, primary) = (number(next()?)?, number(next()?)?, items(next()?)?);
            let mut primary = primary.into_iter();
            let host = match primary.next() {
                // It does not know by which name it is reached.
                None | Some(Value::Nil) => String::new(),
                Some(host) => String::from_utf8_lossy(&bytes(host)?).into_owned(),
            };
            let port = primary.next().map(number).transpose()?.unwrap_or_default();
            let host = if host.is_empty() || host == "?" { here.clone() } else { host };
            let slot = |number: i64| u16::try_from(number).ok().filter(|slot| *slot < SLOTS);
            let (Some(first), Some(last), Ok(port)) = (slot(first), slot(last), u16::try_from(port)) else {
                return Err(strange("a range of slots"));
            };
            slots.push((first, last, Some((host, port))));
        }
        Ok(slots)
    }

    /// The mark of the server that has each of these places now, asked of each server once.
    pub async fn marks(&self, places: &[Place]) -> Result<Vec<[u8; 4]>, Fail> {
        let addresses: Vec<Address> = places.iter().map(|place| self.address(*place)).collect();
        let mut first: BTreeMap<&Address, Place> = BTreeMap::new();
        for (address, place) in addresses.iter().zip(places) {
            first.entry(address).or_insert(*place);
        }
        let ask: Vec<_> =
            first.values().map(|place| Request::command(*place, ["INFO".as_bytes(), b"replication"])).collect();
        let mut marks = HashMap::new();
        for (address, value) in first.keys().zip(self.send(&ask, false).await?) {
            let info = String::from_utf8_lossy(&bytes(value)?).into_owned();
            let mark = Server { info, config: None }.mark().ok_or_else(|| strange("the replication id"))?;
            marks.insert(*address, mark);
        }
        Ok(addresses.iter().map(|address| marks[address]).collect())
    }
}

/// Answers of a server that is not what it was when it was looked at: it is looked at again.
fn is_of_another_time(reply: &Reply) -> bool {
    let Reply::Value(Value::ServerError(error)) = reply else { return false };
    matches!(error.code(), "READONLY" | "LOADING" | "MASTERDOWN" | "CLUSTERDOWN")
}

/// An answer that Redis does not give.
pub(super) fn strange(what: &str) -> Fail {
    let what = format!("{what} is not as Redis gives it; is something else between, or in its place?");
    Fail::Settled(Error::new(Kind::Retry, "", what))
}

fn checked(value: Value) -> Result<Value, Fail> {
    match value {
        Value::ServerError(error) => Err(Fail::Server(error)),
        value => Ok(value),
    }
}

pub(super) fn items(value: Value) -> Result<Vec<Value>, Fail> {
    match value {
        Value::Array(items) => items.into_iter().map(checked).collect(),
        Value::Nil => Ok(Vec::new()),
        Value::ServerError(error) => Err(Fail::Server(error)),
        _ => Err(strange("an answer")),
    }
}

pub(super) fn bytes(value: Value) -> Result<Vec<u8>, Fail> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        Value::VerbatimString { text, .. } => Ok(text.into_bytes()),
        Value::Okay => Ok(b"OK".to_vec()),
        Value::ServerError(error) => Err(Fail::Server(error)),
        _ => Err(strange("an answer")),
    }
}

/// Bytes, or none where there is nothing.
pub(super) fn maybe(value: Value) -> Result<Option<Vec<u8>>, Fail> {
    match value {
        Value::Nil => Ok(None),
        value => bytes(value).map(Some),
    }
}

pub(super) fn number(value: Value) -> Result<i64, Fail> {
    match value {
        Value::Int(number) => Ok(number),
        value => {
            let text = bytes(value)?;
            std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| strange("a number"))
        }
    }
}

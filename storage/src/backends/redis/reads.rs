//! The queries. Every record is checked against its checksum before anybody sees it.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;
use redis::Value;

use super::Redis;
use super::failure::Fail;
use super::keys::Place;
use super::record::{
    due_member, ended_place, name_place, name_range, read_due, read_ended, read_event, read_head, read_listed,
    read_summed,
};
use super::scripts::Request;
use super::servers::{bytes, items, maybe, number, strange};
use crate::{
    Counts, Due, Ended, Error, Filter, Head, IsolateId, Kind, ListCursor, Page, Part, ProgramHash, Shard, Snapshot,
    Status, checksum, shard_of,
};

type Answer<T> = Result<T, Fail>;

/// Members of an index that are read at once at most.
const CHUNK_MAX: usize = 1_000;
/// Heads that a listing reads at once: each may be large.
const HEADS_AT_ONCE: usize = 100;

/// One end of a range of an index.
#[derive(Clone)]
enum End {
    All,
    At(Vec<u8>),
    Beside(Vec<u8>),
}

impl End {
    fn word(&self, all: &'static [u8]) -> Cow<'static, [u8]> {
        match self {
            End::All => all.into(),
            End::At(member) => [b"[", &member[..]].concat().into(),
            End::Beside(member) => [b"(", &member[..]].concat().into(),
        }
    }
}

fn range(place: Place, index: Vec<u8>, from: &End, to: &End, limit: usize) -> Request<'static> {
    let words: [Cow<'static, [u8]>; 7] = [
        b"ZRANGEBYLEX".into(),
        index.into(),
        from.word(b"-"),
        to.word(b"+"),
        b"LIMIT".into(),
        b"0".into(),
        limit.to_string().into_bytes().into(),
    ];
    Request::command(place, words)
}

fn members(value: Value) -> Answer<Vec<Vec<u8>>> {
    items(value)?.into_iter().map(bytes).collect()
}

/// What a listing has read ahead of one shard.
struct Ahead {
    shard: Shard,
    from: End,
    read: VecDeque<(Vec<u8>, Listed)>,
    chunk: usize,
    at_end: bool,
}

type Listed = (String, String, IsolateId);

impl Redis {
    pub(super) fn corrupt(&self, operation: &'static str, what: String) -> Error {
        let remedy = "its bytes are left as they are, restore a backup of Redis or delete this isolate";
        Error::new(Kind::Corrupt, operation, format!("{}: {what} is damaged; {remedy}", self.place))
    }

    async fn one(&self, request: Request<'_>) -> Answer<Value> {
        let values = self.servers.send(&[request], false).await?;
        values.into_iter().next().ok_or_else(|| strange("an answer"))
    }

    /// The shard of an isolate, if it is there: known from before, or asked of all. It never changes.
    pub(super) async fn locate(&self, id: IsolateId) -> Answer<Option<Shard>> {
        if let Some(shard) = self.remembered(id) {
            return Ok(Some(shard));
        }
        let keys = &self.servers.keys;
        let asks = (0..self.shard_count)
            .map(Shard)
            .map(|shard| Request::command(Place::Shard(shard), [b"EXISTS".to_vec(), keys.isolate(shard, id)]));
        let asks: Vec<_> = asks.collect();
        for (shard, there) in (0..).map(Shard).zip(self.servers.send(&asks, false).await?) {
            if number(there)? == 1 {
                self.remember(id, shard);
                return Ok(Some(shard));
            }
        }
        Ok(None)
    }

    fn check_head(&self, operation: &'static str, id: IsolateId, stored: &[u8]) -> Answer<Head> {
        let damaged = || Fail::Settled(self.corrupt(operation, format!("the head of isolate {id}{}", name_in(stored))));
        let head = read_head(id, stored).ok_or_else(damaged)?;
        self.remember(id, head.shard);
        Ok(head)
    }

    async fn head_in(&self, operation: &'static str, shard: Shard, id: IsolateId) -> Answer<Option<Head>> {
        let get = [b"HGET".to_vec(), self.servers.keys.isolate(shard, id), b"h".to_vec()];
        let stored = maybe(self.one(Request::command(Place::Shard(shard), get)).await?)?;
        stored.map(|stored| self.check_head(operation, id, &stored)).transpose()
    }

    pub(super) async fn read_head(&self, id: IsolateId) -> Answer<Option<Head>> {
        match self.locate(id).await? {
            Some(shard) => self.head_in("head", shard, id).await,
            None => Ok(None),
        }
    }

    pub(super) async fn read_by_name(&self, namespace: &str, name: &str) -> Answer<Option<Head>> {
        let shard = shard_of(namespace, name, self.shard_count);
        let (from, below) = name_place(namespace, name);
        let (from, below) = (End::At(from), End::Beside(below));
        // Between index and head it may be deleted and the name taken anew.
        for _ in 0..3 {
            let names = self.servers.keys.names(shard);
            let listed = members(self.one(range(Place::Shard(shard), names, &from, &below, 1)).await?)?;
            let Some(id) = listed.first().and_then(|member| read_listed(member)).map(|listed| listed.2) else {
                return Ok(None);
            };
            if let Some(head) = self.head_in("head_by_name", shard, id).await? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    pub(super) async fn read_snapshot(&self, id: IsolateId) -> Answer<Option<Snapshot>> {
        let Some(shard) = self.locate(id).await? else { return Ok(None) };
        let get = [b"HGETALL".to_vec(), self.servers.keys.isolate(shard, id)];
        let fields = items(self.one(Request::command(Place::Shard(shard), get)).await?)?;
        let (mut head, mut stored) = (None, Vec::new());
        let mut fields = fields.into_iter();
        while let (Some(field), Some(value)) = (fields.next(), fields.next()) {
            let (field, value) = (bytes(field)?, bytes(value)?);
            match field.split_first() {
                Some((b'h', [])) => head = Some(value),
                Some((b'p', number)) => stored.push((String::from_utf8_lossy(number).into_owned(), value)),
                _ => {}
            }
        }
        let Some(head) = head else { return Ok(None) };
        let head = self.check_head("snapshot", id, &head)?;
        let mut parts = Vec::with_capacity(stored.len());
        for (number, value) in stored {
            let damaged = || {
                let what = format!("part {number} of the snapshot of isolate {id} ({})", head.name);
                Fail::Settled(self.corrupt("snapshot", what))
            };
            let number: u32 = number.parse().map_err(|_| damaged())?;
            let bytes = read_summed(value, |bytes| checksum::of_part(id, number, bytes)).ok_or_else(damaged)?;
            parts.push(Part { number, bytes });
        }
        parts.sort_unstable_by_key(|part| part.number);
        Ok(Some(Snapshot { head, parts }))
    }

    pub(super) async fn read_events(&self, id: IsolateId, from: u64, limit: usize) -> Answer<Vec<(u64, Bytes)>> {
        let Some(shard) = self.locate(id).await? else { return Ok(Vec::new()) };
        let events = self.servers.keys.events(shard, id);
        let from = End::At(from.to_be_bytes().to_vec());
        let stored = members(self.one(range(Place::Shard(shard), events, &from, &End::All, limit)).await?)?;
        let read = |member: Vec<u8>| {
            let event = read_event(id, &member);
            let number = event.as_ref().map(|event| event.0.to_string()).unwrap_or_default();
            let damaged = || Fail::Settled(self.corrupt("events", format!("event {number} of isolate {id}")));
            let (number, bytes) = event.ok_or_else(damaged)?;
            Ok((number, bytes.ok_or_else(damaged)?))
        };
        stored.into_iter().map(read).collect()
    }

    /// A page of an index of a shard; every member must be readable.
    async fn page<T>(
        &self,
        operation: &'static str,
        (shard, index): (Shard, Vec<u8>),
        (from, to): (End, End),
        limit: usize,
        read: impl Fn(&[u8]) -> Option<(IsolateId, T)>,
    ) -> Answer<Vec<T>> {
        if shard.0 >= self.shard_count {
            return Ok(Vec::new());
        }
        let stored = members(self.one(range(Place::Shard(shard), index, &from, &to, limit)).await?)?;
        let mut page = Vec::with_capacity(stored.len());
        for member in stored {
            let (id, item) = read(&member).ok_or_else(|| {
                Fail::Settled(
                    self.corrupt(operation, format!("an entry {member:02x?} of an index of shard {}", shard.0)),
                )
            })?;
            self.remember(id, shard);
            page.push(item);
        }
        Ok(page)
    }

    pub(super) async fn read_due(
        &self,
        shard: Shard,
        after: Option<Due>,
        until_ms: i64,
        limit: usize,
    ) -> Answer<Vec<Due>> {
        let from = after.map_or(End::All, |after| End::Beside(due_member(after)));
        let to = End::At(ended_place(until_ms, IsolateId([0xff; 16])));
        let index = (shard, self.servers.keys.due(shard));
        self.page("due", index, (from, to), limit, |member| read_due(member).map(|due| (due.id, due))).await
    }

    pub(super) async fn read_runnable(
        &self,
        shard: Shard,
        after: Option<IsolateId>,
        limit: usize,
    ) -> Answer<Vec<IsolateId>> {
        let from = after.map_or(End::All, |after| End::Beside(after.0.to_vec()));
        let index = (shard, self.servers.keys.runnable(shard));
        let read = |member: &[u8]| Some((IsolateId(member.try_into().ok()?), IsolateId(member.try_into().ok()?)));
        self.page("runnable", index, (from, End::All), limit, read).await
    }

    pub(super) async fn read_ended(
        &self,
        shard: Shard,
        after: Option<Ended>,
        until_ms: i64,
        limit: usize,
    ) -> Answer<Vec<Ended>> {
        // Behind the isolate, whatever its sequence number is by now.
        let behind = |time_ms: i64, id: IsolateId| [&ended_place(time_ms, id)[..], &[0xff; 9]].concat();
        let from = after.map_or(End::All, |after| End::Beside(behind(after.ended_ms, after.id)));
        let to = End::At(behind(until_ms, IsolateId([0xff; 16])));
        let index = (shard, self.servers.keys.ended(shard));
        self.page("ended", index, (from, to), limit, |member| read_ended(member).map(|ended| (ended.id, ended))).await
    }

    /// A listing merges those of all shards, each read ahead in chunks.
    pub(super) async fn read_list(&self, filter: &Filter, after: Option<ListCursor>, limit: usize) -> Answer<Page> {
        let within = filter.namespace.as_ref().map(|namespace| name_range(namespace, &filter.name_prefix));
        let (mut from, to) = match within {
            Some((from, below)) => (End::At(from), End::Beside(below)),
            None => (End::All, End::All),
        };
        if let Some(after) = &after {
            let behind = name_place(&after.namespace, &after.name).1;
            if !matches!(&from, End::At(from) if *from >= behind) {
                from = End::At(behind);
            }
        }
        let chunk = (2 * (limit + 1) / self.shard_count as usize + 8).min(CHUNK_MAX);
        let mut shards: Vec<Ahead> = (0..self.shard_count)
            .map(|n| Ahead { shard: Shard(n), from: from.clone(), read: VecDeque::new(), chunk, at_end: false })
            .collect();
        let mut page = Page::default();
        let mut last = None;
        loop {
            // So many, or fewer when no more are left.
            let mut candidates: Vec<(Shard, Listed)> = Vec::new();
            let wanted = (limit + 1 - (page.heads.len() + page.damaged.len())).min(HEADS_AT_ONCE);
            while candidates.len() < wanted {
                self.read_ahead(&mut shards, filter.status, &to).await?;
                let next = shards.iter_mut().filter(|ahead| !ahead.read.is_empty());
                let Some(next) = next.min_by(|a, b| a.read[0].0.cmp(&b.read[0].0)) else { break };
                let shard = next.shard;
                let Some((_, listed)) = next.read.pop_front() else { break };
                if listed.1.starts_with(&filter.name_prefix) {
                    candidates.push((shard, listed));
                }
            }
            if candidates.is_empty() {
                return Ok(page);
            }
            for ((_, (namespace, name, id)), stored) in self.heads_of(candidates).await? {
                let head = match stored.map(|stored| self.check_head("list", id, &stored)) {
                    // It was deleted meanwhile.
                    None => continue,
                    Some(Ok(head)) => Ok(head),
                    Some(Err(Fail::Settled(error))) => Err(error),
                    Some(Err(fail)) => return Err(fail),
                };
                let passes = |head: &Head| {
                    filter.status.is_none_or(|status| status == head.status)
                        && filter.flow.as_ref().is_none_or(|flow| *flow == head.flow)
                };
                if head.as_ref().is_ok_and(|head| !passes(head)) {
                    continue;
                }
                if page.heads.len() + page.damaged.len() == limit {
                    page.next = last.or(after);
                    return Ok(page);
                }
                match head {
                    Ok(head) => page.heads.push(head),
                    Err(error) => page.damaged.push(error),
                }
                last = Some(ListCursor { namespace, name });
            }
        }
    }

    /// Has at least one member of each shard at hand, or knows that there is none.
    async fn read_ahead(&self, shards: &mut [Ahead], status: Option<Status>, to: &End) -> Answer<()> {
        let mut empty: Vec<&mut Ahead> =
            shards.iter_mut().filter(|ahead| ahead.read.is_empty() && !ahead.at_end).collect();
        if empty.is_empty() {
            return Ok(());
        }
        let keys = &self.servers.keys;
        let asks: Vec<_> = empty
            .iter()
            .map(|ahead| {
                let index = match status {
                    Some(status) => keys.status(ahead.shard, status),
                    None => keys.names(ahead.shard),
                };
                range(Place::Shard(ahead.shard), index, &ahead.from, to, ahead.chunk)
            })
            .collect();
        for (ahead, value) in empty.iter_mut().zip(self.servers.send(&asks, false).await?) {
            let stored = members(value)?;
            ahead.at_end = stored.len() < ahead.chunk;
            ahead.chunk = (ahead.chunk * 2).min(CHUNK_MAX);
            for member in stored {
                let listed = read_listed(&member).ok_or_else(|| {
                    let what = format!("an entry {member:02x?} of the names of shard {}", ahead.shard.0);
                    Fail::Settled(self.corrupt("list", what))
                })?;
                ahead.read.push_back((member, listed));
            }
            if let Some((member, _)) = ahead.read.back() {
                ahead.from = End::Beside(member.clone());
            }
        }
        Ok(())
    }

    #[allow(clippy::type_complexity)] // what was asked, and what is there
    async fn heads_of(&self, listed: Vec<(Shard, Listed)>) -> Answer<Vec<((Shard, Listed), Option<Vec<u8>>)>> {
        let gets: Vec<_> = listed
            .iter()
            .map(|(shard, (_, _, id))| {
                let get = [b"HGET".to_vec(), self.servers.keys.isolate(*shard, *id), b"h".to_vec()];
                Request::command(Place::Shard(*shard), get)
            })
            .collect();
        let values = self.servers.send(&gets, false).await?;
        listed.into_iter().zip(values).map(|(listed, value)| Ok((listed, maybe(value)?))).collect()
    }

    pub(super) async fn read_counts(&self, namespace: Option<&str>) -> Answer<Counts> {
        let within = namespace.map(|namespace| name_range(namespace, ""));
        let keys = &self.servers.keys;
        let mut asks = Vec::with_capacity(self.shard_count as usize * Status::ALL.len());
        for shard in (0..self.shard_count).map(Shard) {
            for status in Status::ALL {
                let index = keys.status(shard, status);
                let words: Vec<Cow<'static, [u8]>> = match &within {
                    None => vec![b"ZCARD".into(), index.into()],
                    Some((from, below)) => {
                        let (from, below) = (End::At(from.clone()), End::Beside(below.clone()));
                        vec![b"ZLEXCOUNT".into(), index.into(), from.word(b"-"), below.word(b"+")]
                    }
                };
                asks.push(Request::command(Place::Shard(shard), words));
            }
        }
        let mut counts = Counts::default();
        for (value, status) in self.servers.send(&asks, false).await?.into_iter().zip(Status::ALL.iter().cycle()) {
            counts.add(*status, number(value)?.max(0) as u64);
        }
        Ok(counts)
    }

    pub(super) async fn read_programs(&self) -> Answer<Vec<ProgramHash>> {
        let all = [b"ZRANGE".to_vec(), self.servers.keys.programs(), b"0".to_vec(), b"-1".to_vec()];
        let hashes = members(self.one(Request::command(Place::Store, all)).await?)?;
        let read = |hash: Vec<u8>| {
            let damaged = |hash| Fail::Settled(self.corrupt("programs", format!("the hash {hash:02x?}")));
            hash.try_into().map(ProgramHash).map_err(damaged)
        };
        hashes.into_iter().map(read).collect()
    }
}

/// The name in a damaged head, if it can be made out: an operator knows isolates by their names.
fn name_in(stored: &[u8]) -> String {
    let name = stored.get(119..).and_then(|rest| {
        let len = usize::from(u16::from_be_bytes([stored[117], stored[118]]));
        let key = [rest.get(..len)?, &[0, 1], &[0; 16]].concat();
        read_listed(&key)
    });
    name.map(|(_, name, _)| format!(" ({name})")).unwrap_or_default()
}

//! Batches of commits and deletes: one script for each shard, all of them in one pipeline, hence one round trip.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Redis;
use super::failure::Fail;
use super::keys::Place;
use super::record::{event_member, read_summed, summed, write_head};
use super::scripts::{COMMIT, DELETE, PROGRAM, Request};
use super::servers::{bytes, maybe, number, strange};
use crate::{Commit, Delete, Error, Kind, Outcome, ProgramHash, Shard, checksum};

/// Isolates in one call of a script at most: Redis does nothing else meanwhile.
const SCRIPT_MAX: usize = 256;
/// Bytes of a pipeline after which another one is begun; Redis keeps a whole one in memory, up to 1 GiB.
const PIPELINE_BYTES_MAX: usize = 64 << 20;

/// What a call of a script is about: indices into the batch, all of one shard.
struct Piece {
    shard: Shard,
    members: Vec<usize>,
    bytes: usize,
}

/// Cuts a batch into calls of scripts. Within a shard the order is kept.
fn pieces<T>(batch: &[T], place: impl Fn(&T) -> (Shard, usize)) -> Vec<Piece> {
    let mut by_shard: BTreeMap<Shard, Vec<Piece>> = BTreeMap::new();
    for (at, item) in batch.iter().enumerate() {
        let (shard, bytes) = place(item);
        let pieces = by_shard.entry(shard).or_default();
        match pieces.last_mut() {
            Some(last) if last.members.len() < SCRIPT_MAX && last.bytes + bytes <= PIPELINE_BYTES_MAX => {
                last.members.push(at);
                last.bytes += bytes;
            }
            _ => pieces.push(Piece { shard, members: vec![at], bytes }),
        }
    }
    by_shard.into_values().flatten().collect()
}

fn size(commit: &Commit) -> usize {
    let events: usize = commit.events.iter().map(bytes::Bytes::len).sum();
    commit.put_part.as_ref().map_or(0, |part| part.bytes.len()) + commit.head.state.len() + events
}

impl Redis {
    /// Writes pieces in as few pipelines as they fit into, and hands each letter of the answers on.
    async fn write_pieces<'a>(
        &self,
        pieces: Vec<Piece>,
        request: impl Fn(&Piece) -> Request<'a>,
        mut tell: impl FnMut(usize, u8) -> Result<(), Fail>,
    ) -> Result<(), Fail> {
        let mut rest = &pieces[..];
        let mut first = true;
        while !rest.is_empty() {
            let mut bytes_of_pipeline = 0;
            let fits = rest.iter().take_while(|piece| {
                bytes_of_pipeline += piece.bytes;
                bytes_of_pipeline <= PIPELINE_BYTES_MAX
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            let requests: Vec<Request<'_>> = now.iter().map(&request).collect();
            let values = self.servers.send(&requests, true).await;
            let values = values.map_err(|fail| if first { fail } else { fail.in_part() })?;
            for (piece, value) in now.iter().zip(values) {
                let letters = bytes(value)?;
                if letters.len() != piece.members.len() {
                    return Err(strange("the answer of a script"));
                }
                for (&at, letter) in piece.members.iter().zip(letters) {
                    tell(at, letter)?;
                }
            }
            rest = later;
            first = false;
        }
        Ok(())
    }

    /// Writes checked commits; the answers in their order.
    pub(super) async fn commit_checked(&self, batch: &[&Commit]) -> Result<Vec<Outcome>, Fail> {
        let mut outcomes: Vec<Outcome> = batch.iter().map(|_| Outcome::Fenced).collect();
        let request = |piece: &Piece| {
            let mut keys = self.servers.keys.indices(piece.shard);
            let mut args = Vec::with_capacity(8 * piece.members.len());
            for commit in piece.members.iter().map(|&at| batch[at]) {
                keys.push(self.servers.keys.isolate(piece.shard, commit.head.id));
                keys.push(self.servers.keys.events(piece.shard, commit.head.id));
                push_commit(commit, &mut args);
            }
            Request::script(Place::Shard(piece.shard), &COMMIT, keys, args)
        };
        let tell = |at: usize, letter: u8| {
            let head = &batch[at].head;
            outcomes[at] = match letter {
                b'a' => Outcome::Applied,
                b'r' => Outcome::AlreadyApplied,
                b'f' => Outcome::Fenced,
                b'd' => {
                    Outcome::Failed(self.corrupt("commit", format!("the head of isolate {} ({})", head.id, head.name)))
                }
                _ => return Err(strange("the answer of a script")),
            };
            if outcomes[at].is_durable() {
                self.remember(head.id, head.shard);
            }
            Ok(())
        };
        self.write_pieces(pieces(batch, |commit| (commit.head.shard, size(commit))), request, tell).await?;
        Ok(outcomes)
    }

    pub(super) async fn delete_all(&self, batch: &[Delete]) -> Result<Vec<Outcome>, Fail> {
        let mut outcomes: Vec<Outcome> = batch.iter().map(|_| Outcome::Fenced).collect();
        let mut missing = Vec::new();
        let request = |piece: &Piece| {
            let mut keys = self.servers.keys.indices(piece.shard);
            let mut args: Vec<Cow<'_, [u8]>> = Vec::with_capacity(2 * piece.members.len());
            for delete in piece.members.iter().map(|&at| &batch[at]) {
                keys.push(self.servers.keys.isolate(piece.shard, delete.id));
                keys.push(self.servers.keys.events(piece.shard, delete.id));
                args.push(delete.epoch.0.to_be_bytes().to_vec().into());
                args.push(delete.expected.0.to_be_bytes().to_vec().into());
            }
            Request::script(Place::Shard(piece.shard), &DELETE, keys, args)
        };
        let tell = |at: usize, letter: u8| {
            outcomes[at] = match letter {
                b'a' => Outcome::Applied,
                b'n' => {
                    missing.push(at);
                    Outcome::AlreadyApplied
                }
                b'f' => Outcome::Fenced,
                _ => return Err(strange("the answer of a script")),
            };
            Ok(())
        };
        self.write_pieces(pieces(batch, |delete| (delete.shard, 0)), request, tell).await?;
        for at in missing {
            // It may lie in another shard than the caller thinks.
            if self.locate(batch[at].id).await?.is_some_and(|shard| shard != batch[at].shard) {
                outcomes[at] = Outcome::Fenced;
            }
        }
        Ok(outcomes)
    }

    pub(super) async fn keep_program(&self, hash: ProgramHash, image: &[u8]) -> Result<(), Fail> {
        let keys = &self.servers.keys;
        let stored = summed(checksum::of_program(hash, image), image);
        for replace in [b"0", b"1"] {
            let args: Vec<Cow<'_, [u8]>> = vec![hash.0.to_vec().into(), (&stored[..]).into(), (&replace[..]).into()];
            let put = Request::script(Place::Store, &PROGRAM, vec![keys.program(hash), keys.programs()], args);
            let put = self.servers.send(&[put], true).await?.into_iter().next().map(number).transpose()?;
            if put == Some(1) {
                return Ok(());
            }
            // There is one: it stays, unless it is damaged.
            match self.read_program(hash).await {
                Ok(_) => return Ok(()),
                Err(fail) if fail.kind() == Kind::Corrupt => {}
                Err(fail) => return Err(fail),
            }
        }
        Ok(())
    }

    pub(super) async fn read_program(&self, hash: ProgramHash) -> Result<Option<bytes::Bytes>, Fail> {
        let get = Request::command(Place::Store, [b"GET".to_vec(), self.servers.keys.program(hash)]);
        let Some(stored) = self.servers.send(&[get], false).await?.into_iter().next().map(maybe).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let image = read_summed(stored, |image| checksum::of_program(hash, image));
        image.map(Some).ok_or_else(|| {
            let what = format!("program {hash} is damaged; deploy the same source again, or restore a backup of Redis");
            Fail::Settled(Error::new(Kind::Corrupt, "program", what))
        })
    }
}

/// The arguments of one commit, in the order of `lua/commit.lua`.
fn push_commit<'a>(commit: &Commit, args: &mut Vec<Cow<'a, [u8]>>) {
    let head = &commit.head;
    let decimal = |number: Option<u32>| number.map(|number| number.to_string().into_bytes()).unwrap_or_default();
    let part = commit.put_part.as_ref();
    let first = head.next_event - commit.events.len() as u64;
    let keep_from = head.next_event.saturating_sub(u64::from(commit.keep_events));
    // Those that would be trimmed at once are not sent.
    let events: Vec<Vec<u8>> = (first..)
        .zip(&commit.events)
        .filter(|(number, _)| *number >= keep_from)
        .map(|(number, event)| event_member(head.id, number, event))
        .collect();
    args.push(write_head(head).into());
    args.push(commit.expected.0.to_be_bytes().to_vec().into());
    args.push(decimal(commit.drop_parts_from).into());
    args.push(decimal(part.map(|part| part.number)).into());
    let part = part.map(|part| summed(checksum::of_part(head.id, part.number, &part.bytes), &part.bytes));
    args.push(part.unwrap_or_default().into());
    args.push(keep_from.to_be_bytes().to_vec().into());
    args.push(first.max(keep_from).to_be_bytes().to_vec().into());
    args.push(events.len().to_string().into_bytes().into());
    args.extend(events.into_iter().map(Cow::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_by_shard_by_count_and_by_bytes() {
        let batch: Vec<(u32, usize)> = (0..600).map(|n| (n % 2, 1)).chain([(1, PIPELINE_BYTES_MAX)]).collect();
        let pieces = pieces(&batch, |&(shard, bytes)| (Shard(shard), bytes));
        let lens: Vec<_> = pieces.iter().map(|piece| (piece.shard.0, piece.members.len())).collect();
        assert_eq!(lens, [(0, 256), (0, 44), (1, 256), (1, 44), (1, 1)]);
        assert!(pieces.iter().all(|piece| piece.members.is_sorted()), "the order is kept");
    }
}

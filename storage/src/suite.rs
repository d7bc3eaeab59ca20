//! The behaviour suite: what every backend must do, one case for each guarantee in the docs of [`Store`].
//!
//! Plain async functions over a [`Subject`], which opens one and the same store again and again. A failed expectation panics, as in any test. Cases
//! use what the trait offers and nothing else; what only one backend can suffer (a full disk, a flipped byte) is tested beside that
//! backend. The list at the end is the only one: a case that is not in it does not compile without a warning, and a backend runs all of it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::limits::PART_NUMBER_MAX;
use crate::{
    Claim, Commit, Delete, Due, Ended, Epoch, Filter, Head, IsolateId, Kind, ListCursor, Opened, Outcome, Part,
    ProgramHash, Seq, SessionId, Shard, Status, Store, shard_of,
};

/// One store, new at the start of a case.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Opens it; the case has dropped whatever it opened before.
    async fn open(&self) -> Arc<dyn Store>;

    /// Lets this much time pass on the store's clock.
    async fn pass(&self, ms: u32);
}

const SESSION: SessionId = SessionId { node_id: 1, life: 11 };
const OTHER: SessionId = SessionId { node_id: 2, life: 22 };
const TTL_MS: u32 = 1_000;
const NAMESPACE: &str = "tests";

/// An id that sorts by its number.
fn id(number: u64) -> IsolateId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    IsolateId(bytes)
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// A store with a session that holds every shard.
struct Room {
    store: Arc<dyn Store>,
    epochs: Vec<Epoch>,
}

impl Room {
    async fn new(subject: &dyn Subject) -> Room {
        Room::claimed(subject.open().await, SESSION).await
    }

    async fn claimed(store: Arc<dyn Store>, session: SessionId) -> Room {
        let opened = store.open_session(session, "localhost:1", TTL_MS).await.expect("a session opens");
        assert!(matches!(opened, Opened::Open { .. }), "{opened:?}");
        let mut epochs = Vec::new();
        for shard in 0..store.shard_count() {
            let claim = store.claim(session, Shard(shard)).await.expect("a claim is answered");
            let Claim::Granted(epoch) = claim else { panic!("shard {shard} is not free: {claim:?}") };
            epochs.push(epoch);
        }
        Room { store, epochs }
    }

    fn shard(&self, name: &str) -> Shard {
        shard_of(NAMESPACE, name, self.store.shard_count())
    }

    fn head(&self, number: u64, name: &str, seq: u64) -> Head {
        let shard = self.shard(name);
        Head {
            id: id(number),
            shard,
            namespace: NAMESPACE.into(),
            name: name.into(),
            flow: "counter".into(),
            program: ProgramHash([7; 32]),
            epoch: self.epochs[shard.0 as usize],
            seq: Seq(seq),
            status: Status::Waiting,
            runnable: false,
            wake_at_ms: None,
            created_ms: 1_000,
            updated_ms: 1_000 + seq as i64,
            ended_ms: None,
            next_event: 0,
            state: bytes(&format!("state {seq}")),
        }
    }

    /// The commit from `seq - 1` to `seq`, with one part that says so.
    fn step(&self, number: u64, name: &str, seq: u64) -> Commit {
        Commit {
            expected: Seq(seq - 1),
            head: self.head(number, name, seq),
            drop_parts_from: Some(0),
            put_part: Some(part(0, &format!("part {seq}"))),
            events: Vec::new(),
            keep_events: 100,
        }
    }

    async fn apply(&self, commit: Commit) {
        let outcome = self.one(commit).await;
        assert!(matches!(outcome, Outcome::Applied), "{outcome:?}");
    }

    async fn one(&self, commit: Commit) -> Outcome {
        self.batch(vec![commit]).await.pop().expect("one answer for one commit")
    }

    async fn batch(&self, batch: Vec<Commit>) -> Vec<Outcome> {
        let count = batch.len();
        let outcomes = self.store.commit(batch).await.expect("a batch is answered");
        assert_eq!(outcomes.len(), count, "one answer for each");
        outcomes
    }

    async fn delete(&self, delete: Delete) -> Outcome {
        self.store.delete(vec![delete]).await.expect("a delete is answered").pop().expect("one answer for one delete")
    }

    async fn parts(&self, number: u64) -> Vec<(u32, String)> {
        let snapshot = self.store.snapshot(id(number)).await.expect("a snapshot reads").expect("it is there");
        let text = |part: Part| (part.number, String::from_utf8_lossy(&part.bytes).into_owned());
        snapshot.parts.into_iter().map(text).collect()
    }

    async fn seq(&self, number: u64) -> Option<u64> {
        self.store.head(id(number)).await.expect("a head reads").map(|head| head.seq.0)
    }
}

fn part(number: u32, text: &str) -> Part {
    Part { number, bytes: bytes(text) }
}

fn delete_of(head: &Head) -> Delete {
    Delete { shard: head.shard, epoch: head.epoch, id: head.id, expected: head.seq }
}

/// Names that all lie in one shard, in order.
fn names_of_one_shard(store: &dyn Store, count: usize) -> (Shard, Vec<String>) {
    let shard = shard_of(NAMESPACE, "n0", store.shard_count());
    let names = (0..).map(|n| format!("n{n}"));
    let names = names.filter(|name| shard_of(NAMESPACE, name, store.shard_count()) == shard);
    (shard, names.take(count).collect())
}

async fn a_commit_is_applied_whole_and_durable_when_the_call_returns(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let mut commit = room.step(1, "a", 1);
    commit.head.wake_at_ms = Some(5);
    commit.head.ended_ms = Some(-6);
    commit.head.runnable = true;
    commit.head.status = Status::Failed;
    commit.head.next_event = 2;
    commit.events = vec![bytes("one"), bytes("")];
    let head = commit.head.clone();
    room.apply(commit).await;
    drop(room);
    let store = subject.open().await;
    assert_eq!(store.head(id(1)).await.expect("reads"), Some(head.clone()));
    assert_eq!(store.head_by_name(NAMESPACE, "a").await.expect("reads"), Some(head.clone()));
    let snapshot = store.snapshot(id(1)).await.expect("reads").expect("is there");
    assert_eq!(snapshot.head, head);
    assert_eq!(snapshot.parts, [part(0, "part 1")]);
    assert_eq!(store.events(id(1), 0, 10).await.expect("reads"), [(0, bytes("one")), (1, bytes(""))]);
    assert_eq!(store.due(head.shard, None, 5, 10).await.expect("reads"), [Due { wake_at_ms: 5, id: id(1) }]);
    assert_eq!(store.runnable(head.shard, None, 10).await.expect("reads"), [id(1)]);
    let ended = Ended { ended_ms: -6, id: id(1), seq: Seq(1) };
    assert_eq!(store.ended(head.shard, None, 0, 10).await.expect("reads"), [ended]);
    assert_eq!(store.counts(None).await.expect("reads").get(Status::Failed), 1);
}

async fn what_is_not_there_reads_as_none(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(1, "a", 1)).await;
    assert_eq!(room.store.head(id(2)).await.expect("reads"), None);
    assert_eq!(room.store.head_by_name(NAMESPACE, "b").await.expect("reads"), None);
    assert_eq!(room.store.head_by_name("elsewhere", "a").await.expect("reads"), None);
    assert_eq!(room.store.snapshot(id(2)).await.expect("reads"), None);
    assert_eq!(room.store.events(id(2), 0, 10).await.expect("reads"), []);
    assert_eq!(room.store.program(ProgramHash([1; 32])).await.expect("reads"), None);
}

async fn a_batch_may_be_repeated_blindly_even_after_the_shard_was_lost(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let mut batch = vec![room.step(1, "a", 1), room.step(2, "b", 1)];
    for commit in &mut batch {
        commit.head.next_event = 1;
        commit.events = vec![bytes("once")];
    }
    assert!(room.batch(batch.clone()).await.iter().all(|outcome| matches!(outcome, Outcome::Applied)));
    let again = room.batch(batch.clone()).await;
    assert!(again.iter().all(|outcome| matches!(outcome, Outcome::AlreadyApplied)), "{again:?}");
    assert_eq!(room.store.events(id(1), 0, 10).await.expect("reads"), [(0, bytes("once"))]);
    for (shard, &epoch) in (0..).zip(&room.epochs) {
        room.store.release(SESSION, Shard(shard), epoch).await.expect("releases");
    }
    let later = room.batch(batch).await;
    assert!(later.iter().all(|outcome| matches!(outcome, Outcome::AlreadyApplied)), "{later:?}");
    assert!(matches!(room.one(room.step(1, "a", 2)).await, Outcome::Fenced));
}

async fn an_unexpected_sequence_number_is_fenced_and_writes_nothing(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    assert!(matches!(room.one(room.step(1, "a", 2)).await, Outcome::Fenced), "it is not there yet");
    assert_eq!(room.seq(1).await, None);
    room.apply(room.step(1, "a", 1)).await;
    room.apply(room.step(1, "a", 2)).await;
    assert!(matches!(room.one(room.step(1, "a", 4)).await, Outcome::Fenced), "it is at 2, not 3");
    assert!(matches!(room.one(room.step(1, "a", 1)).await, Outcome::Fenced), "it is there already, and newer");
    let mut jump = room.step(1, "a", 9);
    jump.expected = Seq(2);
    room.apply(jump).await;
    assert_eq!(room.seq(1).await, Some(9));
    assert_eq!(room.parts(1).await, [(0, "part 9".into())]);
}

async fn a_stale_epoch_is_fenced_and_writes_nothing(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(1, "a", 1)).await;
    subject.pass(TTL_MS * 2).await;
    let other = Room::claimed(room.store.clone(), OTHER).await;
    let mut late = room.step(1, "a", 2);
    late.head.wake_at_ms = Some(1);
    assert!(matches!(room.one(late).await, Outcome::Fenced));
    assert!(matches!(room.one(room.step(2, "b", 1)).await, Outcome::Fenced));
    assert_eq!(room.seq(1).await, Some(1));
    assert_eq!(room.seq(2).await, None);
    assert_eq!(room.store.due(room.shard("a"), None, i64::MAX, 10).await.expect("reads"), []);
    other.apply(other.step(1, "a", 2)).await;
}

async fn a_shard_that_nobody_has_claimed_takes_no_commit(subject: &dyn Subject) {
    let store = subject.open().await;
    let epochs = vec![Epoch(0); store.shard_count() as usize];
    let room = Room { store, epochs };
    assert!(matches!(room.one(room.step(1, "a", 1)).await, Outcome::Fenced), "epoch 0 is nobody's");
    assert_eq!(room.seq(1).await, None);
}

async fn the_same_sequence_number_under_another_epoch_is_no_repetition(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(1, "a", 1)).await;
    subject.pass(TTL_MS * 2).await;
    let other = Room::claimed(room.store.clone(), OTHER).await;
    other.apply(other.step(1, "a", 2)).await;
    assert!(matches!(room.one(room.step(1, "a", 2)).await, Outcome::Fenced), "the other one wrote number 2");
}

async fn a_name_that_another_isolate_has_is_fenced(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(1, "a", 1)).await;
    assert!(matches!(room.one(room.step(2, "a", 1)).await, Outcome::Fenced));
    assert_eq!(room.seq(2).await, None);
    let outcomes = room.batch(vec![room.step(3, "b", 1), room.step(4, "b", 1)]).await;
    assert!(matches!(outcomes[..], [Outcome::Applied, Outcome::Fenced]), "the first wins: {outcomes:?}");
    room.apply(room.step(5, "c", 1)).await;
    let mut renamed = room.step(5, "d", 2);
    renamed.head.name = "d".into();
    assert!(matches!(room.one(renamed).await, Outcome::Fenced), "a name is fixed at creation");
}

async fn a_refused_commit_does_not_affect_the_others_of_its_batch(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(2, "b", 1)).await;
    let mut stale = room.step(3, "c", 1);
    stale.head.epoch = Epoch(stale.head.epoch.0 + 1);
    let mut bad = room.step(4, "d", 1);
    bad.head.next_event = 0;
    bad.events = vec![bytes("has no number")];
    let batch = vec![room.step(1, "a", 1), room.step(2, "b", 7), stale, bad, room.step(5, "e", 1)];
    let outcomes = room.batch(batch).await;
    assert!(
        matches!(
            outcomes[..],
            [Outcome::Applied, Outcome::Fenced, Outcome::Fenced, Outcome::Failed(_), Outcome::Applied]
        ),
        "{outcomes:?}"
    );
    assert_eq!([room.seq(1).await, room.seq(2).await, room.seq(3).await], [Some(1), Some(1), None]);
    assert_eq!([room.seq(4).await, room.seq(5).await], [None, Some(1)]);
    assert_eq!(room.store.counts(None).await.expect("reads").total(), 3);
}

async fn a_commit_over_a_limit_fails_alone_and_says_why(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let mut long = room.step(1, &"n".repeat(600), 1);
    long.head.shard = room.shard(&long.head.name);
    let mut misplaced = room.step(2, "b", 1);
    misplaced.head.shard = Shard((misplaced.head.shard.0 + 1) % room.store.shard_count().max(2));
    let mut high = room.step(3, "c", 1);
    high.put_part = Some(part(PART_NUMBER_MAX + 1, "x"));
    let mut backwards = room.step(4, "d", 1);
    backwards.expected = Seq(1);
    let outcomes = room.batch(vec![long, misplaced, high, backwards, room.step(5, "e", 1)]).await;
    for (outcome, word) in outcomes.iter().zip(["600 bytes", "lies in shard", "part number", "must rise"]) {
        let Outcome::Failed(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(matches!(outcomes[4], Outcome::Applied));
    let mut highest = room.step(6, "f", 1);
    highest.put_part = Some(part(PART_NUMBER_MAX, "x"));
    room.apply(highest).await;
    assert_eq!(room.parts(6).await, [(PART_NUMBER_MAX, "x".into())]);
}

async fn the_same_isolate_twice_in_one_batch_is_refused(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let twice = vec![room.step(1, "a", 1), room.step(2, "b", 1), room.step(1, "a", 2)];
    let error = room.store.commit(twice).await.expect_err("refused");
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains(&id(1).to_string()), "{error}");
    assert_eq!(room.seq(1).await, None);
    assert_eq!(room.seq(2).await, None, "the whole batch is refused");
    let many = (0..=room.store.limits().batch_max as u64).map(|n| room.step(n + 1, &format!("n{n}"), 1)).collect();
    assert_eq!(room.store.commit(many).await.expect_err("refused").kind(), Kind::Refused);
    assert!(room.batch(Vec::new()).await.is_empty());
}

async fn parts_are_dropped_from_a_number_on_before_the_new_part_is_put(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let step = |seq: u64, from: Option<u32>, put: Option<Part>| Commit {
        drop_parts_from: from,
        put_part: put,
        ..room.step(1, "a", seq)
    };
    room.apply(step(1, Some(0), Some(part(0, "base")))).await;
    room.apply(step(2, None, Some(part(1, "delta 1")))).await;
    room.apply(step(3, None, Some(part(2, "delta 2")))).await;
    room.apply(step(4, None, Some(part(5, "delta 5")))).await;
    let parts = room.parts(1).await;
    assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), [0, 1, 2, 5], "in order, gaps allowed");
    room.apply(step(5, Some(2), Some(part(2, "merged")))).await;
    assert_eq!(room.parts(1).await, [(0, "base".into()), (1, "delta 1".into()), (2, "merged".into())]);
    room.apply(step(6, None, None)).await;
    assert_eq!(room.parts(1).await.len(), 3, "a commit may leave the parts alone");
    room.apply(step(7, None, Some(part(1, "put again")))).await;
    assert_eq!(room.parts(1).await[1], (1, "put again".into()));
    room.apply(step(8, Some(0), Some(part(0, "")))).await;
    assert_eq!(room.parts(1).await, [(0, String::new())]);
    room.apply(step(9, Some(0), None)).await;
    assert_eq!(room.parts(1).await, []);
}

async fn parts_of_one_isolate_do_not_touch_those_of_another(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    for n in 1..=3 {
        let mut commit = room.step(n, &format!("n{n}"), 1);
        commit.put_part = Some(part(PART_NUMBER_MAX, &format!("last of {n}")));
        room.apply(commit).await;
    }
    room.apply(room.step(2, "n2", 2)).await;
    assert_eq!(room.parts(1).await, [(PART_NUMBER_MAX, "last of 1".into())]);
    assert_eq!(room.parts(2).await, [(0, "part 2".into())]);
    assert_eq!(room.parts(3).await, [(PART_NUMBER_MAX, "last of 3".into())]);
}

async fn a_large_part_comes_back_whole(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let large: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut commit = room.step(1, "a", 1);
    commit.put_part = Some(Part { number: 0, bytes: Bytes::from(large.clone()) });
    room.apply(commit).await;
    let snapshot = room.store.snapshot(id(1)).await.expect("reads").expect("is there");
    assert!(snapshot.parts[0].bytes == large);
}

async fn events_are_numbered_for_each_isolate_and_the_oldest_are_trimmed_in_the_same_commit(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let mut next_event = 0;
    for seq in 1..=5 {
        let mut commit = room.step(1, "a", seq);
        commit.events = vec![bytes(&format!("{seq}a")), bytes(&format!("{seq}b"))];
        next_event += 2;
        commit.head.next_event = next_event;
        commit.keep_events = 5;
        room.apply(commit).await;
    }
    let mut other = room.step(2, "b", 1);
    other.events = vec![bytes("other")];
    other.head.next_event = 1;
    room.apply(other).await;
    let numbers = |events: Vec<(u64, Bytes)>| events.into_iter().map(|event| event.0).collect::<Vec<_>>();
    let events = room.store.events(id(1), 0, 100).await.expect("reads");
    assert_eq!(events[0], (5, bytes("3b")));
    assert_eq!(numbers(events), [5, 6, 7, 8, 9]);
    assert_eq!(numbers(room.store.events(id(1), 7, 2).await.expect("reads")), [7, 8]);
    assert_eq!(numbers(room.store.events(id(1), 10, 2).await.expect("reads")), []);
    assert_eq!(room.store.events(id(2), 0, 100).await.expect("reads"), [(0, bytes("other"))]);
    let mut none = room.step(1, "a", 6);
    none.head.next_event = next_event;
    none.keep_events = 0;
    room.apply(none).await;
    assert_eq!(room.store.events(id(1), 0, 100).await.expect("reads"), []);
}

async fn delete_removes_head_parts_and_events_and_frees_the_name(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let mut commit = room.step(1, "a", 1);
    commit.head.wake_at_ms = Some(1);
    commit.head.runnable = true;
    commit.head.ended_ms = Some(1);
    commit.head.next_event = 1;
    commit.events = vec![bytes("gone")];
    let head = commit.head.clone();
    room.apply(commit).await;
    assert!(matches!(room.delete(delete_of(&head)).await, Outcome::Applied));
    assert_eq!(room.seq(1).await, None);
    assert_eq!(room.store.snapshot(id(1)).await.expect("reads"), None);
    assert_eq!(room.store.head_by_name(NAMESPACE, "a").await.expect("reads"), None);
    assert_eq!(room.store.events(id(1), 0, 10).await.expect("reads"), []);
    assert_eq!(room.store.due(head.shard, None, i64::MAX, 10).await.expect("reads"), []);
    assert_eq!(room.store.runnable(head.shard, None, 10).await.expect("reads"), []);
    assert_eq!(room.store.ended(head.shard, None, i64::MAX, 10).await.expect("reads"), []);
    assert_eq!(room.store.counts(None).await.expect("reads").total(), 0);
    let again = Commit { drop_parts_from: None, put_part: None, ..room.step(2, "a", 1) };
    room.apply(again).await;
    assert_eq!(room.parts(2).await, [], "nothing of the first one is left to the second");
    assert_eq!(room.store.events(id(2), 0, 10).await.expect("reads"), []);
}

async fn delete_of_an_isolate_that_is_not_there_answers_already_applied(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(1, "a", 1)).await;
    let head = room.head(1, "a", 1);
    assert!(matches!(room.delete(delete_of(&head)).await, Outcome::Applied));
    assert!(matches!(room.delete(delete_of(&head)).await, Outcome::AlreadyApplied));
}

async fn delete_with_a_stale_epoch_or_an_unexpected_sequence_number_is_fenced(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(1, "a", 1)).await;
    room.apply(room.step(2, "b", 1)).await;
    let head = room.head(1, "a", 1);
    let unexpected = Delete { expected: Seq(2), ..delete_of(&head) };
    let stale = Delete { epoch: Epoch(head.epoch.0 + 1), ..delete_of(&head) };
    assert!(matches!(room.delete(unexpected).await, Outcome::Fenced));
    assert!(matches!(room.delete(stale).await, Outcome::Fenced));
    assert_eq!(room.parts(1).await, [(0, "part 1".into())]);
    let outcomes = room.store.delete(vec![stale, delete_of(&room.head(2, "b", 1))]).await.expect("answers");
    assert!(matches!(outcomes[..], [Outcome::Fenced, Outcome::Applied]), "{outcomes:?}");
    let twice = vec![delete_of(&head), delete_of(&head)];
    assert_eq!(room.store.delete(twice).await.expect_err("refused").kind(), Kind::Refused);
}

async fn a_snapshot_is_of_one_instant(subject: &dyn Subject) {
    let room = Arc::new(Room::new(subject).await);
    room.apply(room.step(1, "a", 1)).await;
    let writer = room.clone();
    let writes = tokio::spawn(async move {
        for seq in 2..=150 {
            writer.apply(writer.step(1, "a", seq)).await;
        }
    });
    while !writes.is_finished() {
        let snapshot = room.store.snapshot(id(1)).await.expect("reads").expect("is there");
        assert_eq!(snapshot.parts, [part(0, &format!("part {}", snapshot.head.seq.0))]);
        tokio::task::yield_now().await;
    }
    writes.await.expect("the writer ends well");
}

async fn due_isolates_come_in_the_order_of_time_then_id_and_pages_join_without_gap_or_repetition(
    subject: &dyn Subject,
) {
    let room = Room::new(subject).await;
    let (shard, names) = names_of_one_shard(&*room.store, 20);
    let mut expected = Vec::new();
    for (n, name) in (0..).zip(&names) {
        let mut commit = room.step(n, name, 1);
        // Times repeat, some are negative, and some have none.
        commit.head.wake_at_ms = (n % 5 != 4).then_some([30, -10, 20, 10][n as usize % 4]);
        commit.head.status = if n % 2 == 0 { Status::Sleeping } else { Status::Waiting };
        expected.extend(commit.head.wake_at_ms.map(|wake_at_ms| Due { wake_at_ms, id: id(n) }));
        room.apply(commit).await;
    }
    expected.sort();
    let due = |after, until_ms, limit| room.store.due(shard, after, until_ms, limit);
    assert_eq!(due(None, i64::MAX, 100).await.expect("reads"), expected);
    let until_20: Vec<Due> = expected.iter().copied().filter(|due| due.wake_at_ms <= 20).collect();
    assert_eq!(due(None, 20, 100).await.expect("reads"), until_20, "the bound is inclusive");
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = due(after, i64::MAX, 3).await.expect("reads");
        assert!(page.len() <= 3);
        after = page.last().copied();
        if page.is_empty() {
            break;
        }
        pages.extend(page);
    }
    assert_eq!(pages, expected);
    let mut moved = room.step(expected[0].id.0[15].into(), &names[usize::from(expected[0].id.0[15])], 2);
    moved.head.wake_at_ms = None;
    room.apply(moved).await;
    assert_eq!(due(None, i64::MAX, 100).await.expect("reads"), expected[1..], "a commit replaces the time");
    for other in 0..room.store.shard_count() {
        if Shard(other) != shard {
            assert_eq!(room.store.due(Shard(other), None, i64::MAX, 10).await.expect("reads"), []);
        }
    }
}

async fn runnable_isolates_come_in_the_order_of_id_whatever_their_status_is(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let (shard, names) = names_of_one_shard(&*room.store, 16);
    let mut expected = Vec::new();
    for (n, name) in (0..16).rev().zip(&names) {
        let mut commit = room.step(n, name, 1);
        commit.head.status = Status::ALL[n as usize % 8];
        commit.head.runnable = n % 3 != 0;
        if commit.head.runnable {
            expected.push(id(n));
        }
        room.apply(commit).await;
    }
    expected.sort();
    assert_eq!(room.store.runnable(shard, None, 100).await.expect("reads"), expected);
    let first = room.store.runnable(shard, None, 4).await.expect("reads");
    let rest = room.store.runnable(shard, first.last().copied(), 100).await.expect("reads");
    assert_eq!([first, rest].concat(), expected);
}

async fn ended_isolates_come_in_the_order_of_time_then_id(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let (shard, names) = names_of_one_shard(&*room.store, 12);
    let mut expected = Vec::new();
    for (n, name) in (0..).zip(&names) {
        let mut commit = room.step(n, name, 1);
        if n % 4 != 3 {
            commit.head.status = Status::Done;
            commit.head.ended_ms = Some([300, 100, 200][n as usize % 3]);
        }
        let seq = commit.head.seq;
        expected.extend(commit.head.ended_ms.map(|ended_ms| Ended { ended_ms, id: id(n), seq }));
        room.apply(commit).await;
    }
    expected.sort();
    let ended = |after, until_ms, limit| room.store.ended(shard, after, until_ms, limit);
    assert_eq!(ended(None, i64::MAX, 100).await.expect("reads"), expected);
    let first = ended(None, 200, 4).await.expect("reads");
    let rest = ended(first.last().copied(), 200, 100).await.expect("reads");
    let until_200: Vec<Ended> = expected.into_iter().filter(|ended| ended.ended_ms <= 200).collect();
    assert_eq!([first, rest].concat(), until_200);
}

async fn a_listing_is_ordered_by_namespace_and_name_filtered_and_paged_without_gap_or_repetition(
    subject: &dyn Subject,
) {
    let room = Room::new(subject).await;
    let mut all = Vec::new();
    let places = [("b", "x1"), ("a", "y"), ("b", "x10"), ("a", "x2"), ("b", "x"), ("a", "Z"), ("b", "é")];
    for (n, (namespace, name)) in (0..).zip(places) {
        let mut commit = room.step(n, name, 1);
        commit.head.namespace = namespace.into();
        commit.head.shard = shard_of(namespace, name, room.store.shard_count());
        commit.head.epoch = room.epochs[commit.head.shard.0 as usize];
        commit.head.status = if n % 2 == 0 { Status::Done } else { Status::Sleeping };
        commit.head.flow = if n < 3 { "early".into() } else { "late".into() };
        all.push(commit.head.clone());
        room.apply(commit).await;
    }
    all.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    let check = async |filter: &Filter, keep: &dyn Fn(&Head) -> bool| {
        let expected: Vec<Head> = all.iter().filter(|head| keep(head)).cloned().collect();
        let page = room.store.list(filter, None, 100).await.expect("lists");
        assert_eq!(page.heads, expected, "{filter:?}");
        assert!(page.damaged.is_empty() && page.next.is_none());
        let (mut pages, mut after) = (Vec::new(), None);
        for _ in 0..=expected.len() {
            let page = room.store.list(filter, after, 2).await.expect("lists");
            assert!(page.heads.len() <= 2);
            pages.extend(page.heads);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(after, None, "the last page says so");
        assert_eq!(pages, expected, "{filter:?} in pages");
    };
    let any = Filter::default();
    check(&any, &|_| true).await;
    check(&Filter { namespace: Some("b".into()), ..any.clone() }, &|head| head.namespace == "b").await;
    check(&Filter { status: Some(Status::Done), ..any.clone() }, &|head| head.status == Status::Done).await;
    check(&Filter { flow: Some("late".into()), ..any.clone() }, &|head| head.flow == "late").await;
    check(&Filter { name_prefix: "x".into(), ..any.clone() }, &|head| head.name.starts_with('x')).await;
    let narrow = Filter { namespace: Some("b".into()), name_prefix: "x1".into(), ..any.clone() };
    check(&narrow, &|head| head.namespace == "b" && head.name.starts_with("x1")).await;
    let after = Some(ListCursor { namespace: "a".into(), name: "y".into() });
    let page = room.store.list(&any, after, 100).await.expect("lists");
    assert_eq!(page.heads, all[3..]);
}

async fn counts_follow_every_commit_and_delete(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    for n in 0..6 {
        let mut commit = room.step(n, &format!("n{n}"), 1);
        commit.head.status = Status::Running;
        room.apply(commit).await;
    }
    let mut done = room.step(0, "n0", 2);
    done.head.status = Status::Done;
    room.apply(done.clone()).await;
    assert!(matches!(room.one(done).await, Outcome::AlreadyApplied));
    let mut fenced = room.step(1, "n1", 9);
    fenced.head.status = Status::Failed;
    assert!(matches!(room.one(fenced).await, Outcome::Fenced));
    assert!(matches!(room.delete(delete_of(&room.head(2, "n2", 1))).await, Outcome::Applied));
    for namespace in [None, Some(NAMESPACE)] {
        let counts = room.store.counts(namespace).await.expect("counts");
        let of = |status| counts.get(status);
        assert_eq!((of(Status::Running), of(Status::Done), of(Status::Failed), counts.total()), (4, 1, 0, 5));
    }
    assert_eq!(room.store.counts(Some("elsewhere")).await.expect("counts").total(), 0);
}

async fn a_program_is_kept_under_its_hash_and_the_first_one_stays(subject: &dyn Subject) {
    let store = subject.open().await;
    let (first, second) = (ProgramHash([9; 32]), ProgramHash([3; 32]));
    store.put_program(first, bytes("image")).await.expect("puts");
    store.put_program(first, bytes("image")).await.expect("may be repeated");
    store.put_program(second, bytes("")).await.expect("puts");
    store.put_program(first, bytes("another")).await.expect("puts");
    drop(store);
    let store = subject.open().await;
    assert_eq!(store.program(first).await.expect("reads"), Some(bytes("image")));
    assert_eq!(store.program(second).await.expect("reads"), Some(bytes("")));
    assert_eq!(store.programs().await.expect("lists"), [second, first]);
}

async fn another_session_of_the_same_node_is_held_off_until_the_first_ones_lease_has_ended(subject: &dyn Subject) {
    let store = subject.open().await;
    let opened = store.open_session(SESSION, "first:1", TTL_MS).await.expect("opens");
    let Opened::Open { until_ms } = opened else { panic!("{opened:?}") };
    assert!(until_ms >= store.now_ms().await.expect("tells") && until_ms < i64::MAX);
    let second = SessionId { life: 99, ..SESSION };
    let held = store.open_session(second, "second:1", TTL_MS).await.expect("is answered");
    assert_eq!(held, Opened::Held { by: SESSION, until_ms });
    assert_eq!(store.renew(second).await.expect_err("not open").kind(), Kind::LeaseLost);
    let other = store.open_session(OTHER, "other:1", TTL_MS).await.expect("opens");
    assert!(matches!(other, Opened::Open { .. }), "another node is not concerned");
    assert!(matches!(store.claim(SESSION, Shard(0)).await.expect("claims"), Claim::Granted(_)));
    subject.pass(TTL_MS * 2).await;
    let opened = store.open_session(second, "second:1", TTL_MS).await.expect("opens");
    assert!(matches!(opened, Opened::Open { .. }), "{opened:?}");
    assert_eq!(store.renew(SESSION).await.expect_err("sealed").kind(), Kind::LeaseLost);
    assert_eq!(store.shards().await.expect("lists")[0].holder, None, "a sealed session has lost its shards");
    let sessions = store.sessions().await.expect("lists");
    let listed: Vec<_> = sessions.iter().map(|session| (session.id, session.address.as_str())).collect();
    assert_eq!(listed, [(second, "second:1"), (OTHER, "other:1")]);
}

async fn opening_the_same_session_again_renews_it(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    subject.pass(TTL_MS / 2).await;
    let opened = room.store.open_session(SESSION, "moved:1", TTL_MS * 3).await.expect("opens");
    let Opened::Open { until_ms } = opened else { panic!("{opened:?}") };
    let session = room.store.sessions().await.expect("lists").pop().expect("one");
    assert_eq!((session.until_ms, session.ttl_ms, session.address.as_str()), (until_ms, TTL_MS * 3, "moved:1"));
    room.apply(room.step(1, "a", 1)).await;
    assert_eq!(room.store.open_session(SESSION, "x", 0).await.expect_err("no lease of 0 ms").kind(), Kind::Refused);
}

async fn a_lease_that_has_ended_can_be_renewed_until_it_is_sealed(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    subject.pass(TTL_MS * 2).await;
    let until_ms = room.store.renew(SESSION).await.expect("nobody has sealed it");
    assert!(until_ms > room.store.now_ms().await.expect("tells"));
    room.apply(room.step(1, "a", 1)).await;
    subject.pass(TTL_MS * 2).await;
    room.store.open_session(OTHER, "other:1", TTL_MS).await.expect("opens");
    room.store.renew(SESSION).await.expect("another node's session alone seals nothing");
    subject.pass(TTL_MS * 2).await;
    room.store.renew(OTHER).await.expect("renews");
    let claim = room.store.claim(OTHER, Shard(0)).await.expect("claims");
    assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
    assert_eq!(room.store.renew(SESSION).await.expect_err("sealed").kind(), Kind::LeaseLost);
    assert_eq!(room.store.claim(SESSION, Shard(1)).await.expect_err("sealed").kind(), Kind::LeaseLost);
    let shards = room.store.shards().await.expect("lists");
    assert!(shards.iter().all(|lease| lease.holder != Some(SESSION)), "it has lost all its shards");
    for lease in &shards {
        assert!(lease.epoch > room.epochs[lease.shard.0 as usize], "and cannot write to any: {lease:?}");
    }
}

async fn a_closed_session_holds_nothing_and_cannot_be_renewed(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.store.close_session(SESSION).await.expect("closes");
    room.store.close_session(SESSION).await.expect("may be repeated");
    assert_eq!(room.store.renew(SESSION).await.expect_err("closed").kind(), Kind::LeaseLost);
    assert_eq!(room.store.sessions().await.expect("lists"), []);
    assert!(room.store.shards().await.expect("lists").iter().all(|lease| lease.holder.is_none()));
    assert!(matches!(room.one(room.step(1, "a", 1)).await, Outcome::Fenced));
    let next = Room::claimed(room.store.clone(), SessionId { life: 12, ..SESSION }).await;
    next.apply(next.step(1, "a", 1)).await;
}

async fn a_claim_of_a_free_shard_raises_its_epoch(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    let shards = room.store.shards().await.expect("lists");
    assert_eq!(shards.len(), room.store.shard_count() as usize);
    for (number, lease) in (0..).zip(&shards) {
        assert_eq!((lease.shard, lease.epoch), (Shard(number), room.epochs[number as usize]));
        assert_eq!(lease.holder, Some(SESSION));
        assert!(lease.epoch > Epoch(0));
    }
    room.store.release(SESSION, Shard(0), room.epochs[0]).await.expect("releases");
    let claim = room.store.claim(SESSION, Shard(0)).await.expect("claims");
    assert!(matches!(claim, Claim::Granted(epoch) if epoch > room.epochs[0]), "{claim:?}");
    let beyond = Shard(room.store.shard_count());
    assert_eq!(room.store.claim(SESSION, beyond).await.expect_err("no such shard").kind(), Kind::Refused);
}

async fn a_shard_under_a_live_lease_is_not_granted_to_another_session(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.store.open_session(OTHER, "other:1", TTL_MS).await.expect("opens");
    let claim = room.store.claim(OTHER, Shard(0)).await.expect("is answered");
    assert!(matches!(claim, Claim::Held { by: SESSION, .. }), "{claim:?}");
    room.apply(room.step(1, "a", 1)).await;
}

async fn a_claim_of_a_shard_that_the_session_holds_answers_the_same_epoch(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    for (shard, &epoch) in (0..).zip(&room.epochs) {
        assert_eq!(room.store.claim(SESSION, Shard(shard)).await.expect("claims"), Claim::Granted(epoch));
    }
    room.apply(room.step(1, "a", 1)).await;
}

async fn after_a_release_commits_under_the_old_epoch_are_fenced(subject: &dyn Subject) {
    let room = Room::new(subject).await;
    room.apply(room.step(1, "a", 1)).await;
    let shard = room.shard("a");
    let epoch = room.epochs[shard.0 as usize];
    room.store.release(OTHER, shard, epoch).await.expect("not its own: nothing happens");
    room.store.release(SESSION, shard, Epoch(epoch.0 + 5)).await.expect("not this epoch: nothing happens");
    room.apply(room.step(1, "a", 2)).await;
    room.store.release(SESSION, shard, epoch).await.expect("releases");
    room.store.release(SESSION, shard, epoch).await.expect("may be repeated");
    assert!(matches!(room.one(room.step(1, "a", 3)).await, Outcome::Fenced));
    assert_eq!(room.store.shards().await.expect("lists")[shard.0 as usize].holder, None);
}

async fn commits_of_sixteen_tasks_at_once_are_all_there(subject: &dyn Subject) {
    const TASKS: u64 = 16;
    const STEPS: u64 = 20;
    let room = Arc::new(Room::new(subject).await);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let room = room.clone();
            tokio::spawn(async move {
                for seq in 1..=STEPS {
                    let step = |n: u64| {
                        let mut commit = room.step(n, &format!("n{n}"), seq);
                        commit.head.next_event = seq;
                        commit.events = vec![bytes(&format!("{n} {seq}"))];
                        commit
                    };
                    let outcomes = room.batch(vec![step(task * 2), step(task * 2 + 1)]).await;
                    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends well");
    }
    for n in 0..TASKS * 2 {
        assert_eq!(room.seq(n).await, Some(STEPS));
        assert_eq!(room.parts(n).await, [(0, format!("part {STEPS}"))]);
        assert_eq!(room.store.events(id(n), 0, 100).await.expect("reads").len(), STEPS as usize);
    }
    assert_eq!(room.store.counts(None).await.expect("counts").total(), TASKS * 2);
}

async fn of_two_who_race_for_a_name_or_a_number_one_wins(subject: &dyn Subject) {
    let room = Arc::new(Room::new(subject).await);
    for round in 0..20u64 {
        let name = format!("race{round}");
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (room, name) = (room.clone(), name.clone());
                tokio::spawn(async move { room.one(room.step(round * 8 + n, &name, 1)).await })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.expect("the task ends well") {
                Outcome::Applied => won += 1,
                Outcome::Fenced => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1, "one of eight gets the name {name}");
    }
}

async fn the_number_of_shards_is_fixed_when_the_store_is_created(subject: &dyn Subject) {
    let store = subject.open().await;
    let count = store.shard_count();
    assert!(count >= 1);
    assert_eq!(store.shards().await.expect("lists").len(), count as usize);
    drop(store);
    assert_eq!(subject.open().await.shard_count(), count);
}

/// Calls a macro with the names of all cases.
#[macro_export]
macro_rules! for_each_case {
    ($then:ident) => {
        $then! {
            a_commit_is_applied_whole_and_durable_when_the_call_returns
            what_is_not_there_reads_as_none
            a_batch_may_be_repeated_blindly_even_after_the_shard_was_lost
            an_unexpected_sequence_number_is_fenced_and_writes_nothing
            a_stale_epoch_is_fenced_and_writes_nothing
            a_shard_that_nobody_has_claimed_takes_no_commit
            the_same_sequence_number_under_another_epoch_is_no_repetition
            a_name_that_another_isolate_has_is_fenced
            a_refused_commit_does_not_affect_the_others_of_its_batch
            a_commit_over_a_limit_fails_alone_and_says_why
            the_same_isolate_twice_in_one_batch_is_refused
            parts_are_dropped_from_a_number_on_before_the_new_part_is_put
            parts_of_one_isolate_do_not_touch_those_of_another
            a_large_part_comes_back_whole
            events_are_numbered_for_each_isolate_and_the_oldest_are_trimmed_in_the_same_commit
            delete_removes_head_parts_and_events_and_frees_the_name
            delete_of_an_isolate_that_is_not_there_answers_already_applied
            delete_with_a_stale_epoch_or_an_unexpected_sequence_number_is_fenced
            a_snapshot_is_of_one_instant
            due_isolates_come_in_the_order_of_time_then_id_and_pages_join_without_gap_or_repetition
            runnable_isolates_come_in_the_order_of_id_whatever_their_status_is
            ended_isolates_come_in_the_order_of_time_then_id
            a_listing_is_ordered_by_namespace_and_name_filtered_and_paged_without_gap_or_repetition
            counts_follow_every_commit_and_delete
            a_program_is_kept_under_its_hash_and_the_first_one_stays
            another_session_of_the_same_node_is_held_off_until_the_first_ones_lease_has_ended
            opening_the_same_session_again_renews_it
            a_lease_that_has_ended_can_be_renewed_until_it_is_sealed
            a_closed_session_holds_nothing_and_cannot_be_renewed
            a_claim_of_a_free_shard_raises_its_epoch
            a_shard_under_a_live_lease_is_not_granted_to_another_session
            a_claim_of_a_shard_that_the_session_holds_answers_the_same_epoch
            after_a_release_commits_under_the_old_epoch_are_fenced
            commits_of_sixteen_tasks_at_once_are_all_there
            of_two_who_race_for_a_name_or_a_number_one_wins
            the_number_of_shards_is_fixed_when_the_store_is_created
        }
    };
}

macro_rules! table {
    ($($case:ident)*) => {
        /// The names of all cases, in order.
        pub const CASES: &[&str] = &[$(stringify!($case)),*];

        /// Runs the case of this name. Panics when it fails, or when there is none.
        pub async fn run(case: &str, subject: &dyn Subject) {
            match case {
                $(stringify!($case) => $case(subject).await,)*
                _ => panic!("the suite has no case `{case}`"),
            }
        }
    };
}

for_each_case!(table);

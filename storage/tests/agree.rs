//! Random operations: the embedded store answers as the memory store does, and holds the same afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use deepslate_storage::backends::embedded::{Embedded, Options};
use deepslate_storage::backends::memory::Memory;
use deepslate_storage::{
    Clock, Commit, Delete, Epoch, Filter, Head, IsolateId, Part, ProgramHash, Seq, SessionId, Shard, Status, Store,
    shard_of,
};
use proptest::prelude::*;

const SHARDS: u32 = 2;
const ISOLATES: u8 = 5;
const NAMES: u8 = 4;

#[derive(Clone, Debug)]
struct Step {
    isolate: u8,
    name: u8,
    /// Added to the right number: mostly 0.
    seq_off: i8,
    epoch_off: i8,
    drop_from: Option<u32>,
    put: Option<u32>,
    events: u8,
    keep: u8,
    status: u8,
    runnable: bool,
    wake: Option<i8>,
    ended: Option<i8>,
}

#[derive(Clone, Debug)]
enum Op {
    Commit(Vec<Step>),
    /// The last batch once more.
    Repeat,
    Delete(u8, i8, i8),
    Open(u8, u8),
    Renew(u8, u8),
    Close(u8, u8),
    Claim(u8, u8, u32),
    Release(u8, u8, u32),
    Pass(u16),
    Program(u8, u8),
    Reopen,
}

fn off() -> impl Strategy<Value = i8> {
    prop_oneof![8 => Just(0i8), 1 => -1i8..=1]
}

fn step() -> impl Strategy<Value = Step> {
    let parts = (0..ISOLATES, 0..NAMES, off(), off(), proptest::option::of(0u32..4), proptest::option::of(0u32..4));
    let rest = (0u8..4, 0u8..6, 0u8..8, any::<bool>(), proptest::option::of(-3i8..4), proptest::option::of(-3i8..4));
    (parts, rest).prop_map(
        |((isolate, name, seq_off, epoch_off, drop_from, put), (events, keep, status, runnable, wake, ended))| Step {
            isolate,
            name,
            seq_off,
            epoch_off,
            drop_from,
            put,
            events,
            keep,
            status,
            runnable,
            wake,
            ended,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let session = || (0u8..2, 0u8..2);
    prop_oneof![
        12 => proptest::collection::vec(step(), 1..5).prop_map(Op::Commit),
        2 => Just(Op::Repeat),
        3 => (0..ISOLATES, off(), off()).prop_map(|(isolate, seq, epoch)| Op::Delete(isolate, seq, epoch)),
        2 => session().prop_map(|(node, life)| Op::Open(node, life)),
        1 => session().prop_map(|(node, life)| Op::Renew(node, life)),
        1 => session().prop_map(|(node, life)| Op::Close(node, life)),
        4 => (session(), 0..=SHARDS).prop_map(|((node, life), shard)| Op::Claim(node, life, shard)),
        1 => (session(), 0..SHARDS).prop_map(|((node, life), shard)| Op::Release(node, life, shard)),
        1 => (0u16..900).prop_map(Op::Pass),
        1 => (0u8..3, 0u8..3).prop_map(|(hash, text)| Op::Program(hash, text)),
        1 => Just(Op::Reopen),
    ]
}

fn id(number: u8) -> IsolateId {
    IsolateId([number; 16])
}

fn session(node: u8, life: u8) -> SessionId {
    SessionId { node_id: u64::from(node), life: u64::MAX - u64::from(life) }
}

/// What an operation becomes, given what the reference holds now.
async fn commits(reference: &Memory, steps: &[Step]) -> Vec<Commit> {
    let leases = reference.shards().await.expect("memory answers");
    let mut batch = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let present = reference.head(id(step.isolate)).await.expect("memory answers");
        // An isolate that is there mostly keeps its name, or nothing would ever be applied.
        let name = match &present {
            Some(head) if step.name != 0 => head.name.clone(),
            _ => format!("name{}", step.name),
        };
        let shard = shard_of("n", &name, SHARDS);
        let seq = present.as_ref().map_or(0, |head| head.seq.0);
        let expected = seq.saturating_add_signed(step.seq_off.into());
        let epoch = leases[shard.0 as usize].epoch.0.saturating_add_signed(step.epoch_off.into());
        let text = format!("{n} {step:?}");
        batch.push(Commit {
            expected: Seq(expected),
            head: Head {
                id: id(step.isolate),
                shard,
                namespace: "n".into(),
                name,
                flow: format!("flow{}", step.status % 2),
                program: ProgramHash([step.status; 32]),
                epoch: Epoch(epoch),
                seq: Seq(expected + 1),
                status: Status::ALL[step.status as usize],
                runnable: step.runnable,
                wake_at_ms: step.wake.map(i64::from),
                created_ms: 5,
                updated_ms: 6,
                ended_ms: step.ended.map(i64::from),
                next_event: present.as_ref().map_or(0, |head| head.next_event) + u64::from(step.events),
                state: Bytes::from(text.clone()),
            },
            drop_parts_from: step.drop_from,
            put_part: step.put.map(|number| Part { number, bytes: Bytes::from(text.clone()) }),
            events: (0..step.events).map(|n| Bytes::from(format!("{n} of {text}"))).collect(),
            keep_events: step.keep.into(),
        });
    }
    batch
}

/// Everything there is to read, as one text.
async fn everything(store: &dyn Store) -> String {
    use std::fmt::Write;
    let mut all = String::new();
    let mut put = |what: &str, value: &dyn std::fmt::Debug| writeln!(all, "{what}: {value:?}").expect("a string grows");
    for n in 0..ISOLATES {
        put("head", &store.head(id(n)).await);
        put("snapshot", &store.snapshot(id(n)).await);
        put("events", &store.events(id(n), 1, 7).await);
    }
    for n in 0..NAMES {
        put("by name", &store.head_by_name("n", &format!("name{n}")).await);
    }
    for shard in (0..SHARDS).map(Shard) {
        let first = store.due(shard, None, 2, 2).await.expect("scans");
        put("due", &(&first, store.due(shard, first.last().copied(), 2, 9).await));
        let first = store.runnable(shard, None, 2).await.expect("scans");
        put("runnable", &(&first, store.runnable(shard, first.last().copied(), 9).await));
        let first = store.ended(shard, None, 2, 2).await.expect("scans");
        put("ended", &(&first, store.ended(shard, first.last().copied(), 2, 9).await));
    }
    let mut after = None;
    loop {
        let page = store.list(&Filter::default(), after, 2).await.expect("lists");
        put("page", &page);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let filter = Filter {
        namespace: Some("n".into()),
        name_prefix: "name".into(),
        flow: Some("flow1".into()),
        ..Filter::default()
    };
    put("flow1", &store.list(&filter, None, 9).await);
    put("counts", &(store.counts(None).await, store.counts(Some("n")).await));
    for n in 0..3 {
        put("program", &store.program(ProgramHash([n; 32])).await);
    }
    put("programs", &store.programs().await);
    put("sessions", &store.sessions().await);
    put("shards", &store.shards().await);
    all
}

async fn embedded(directory: &std::path::Path, clock: &Clock) -> Embedded {
    let options = Options { shard_count: SHARDS, clock: clock.clone(), ..Options::new(directory) };
    Embedded::open(options).await.expect("the directory opens")
}

async fn check(ops: Vec<Op>) {
    let hands = Arc::new(AtomicI64::new(1_000_000));
    let clock: Clock = {
        let hands = hands.clone();
        Arc::new(move || hands.load(Ordering::SeqCst))
    };
    let directory = tempfile::tempdir().expect("a directory");
    let reference = Memory::with(SHARDS, clock.clone()).expect("two shards are allowed");
    let mut store = embedded(directory.path(), &clock).await;
    let mut last = Vec::new();
    for op in ops {
        // Both stores are asked the same; the answers, errors too, are compared as text.
        macro_rules! both {
            ($($call:tt)*) => {{
                let expected = format!("{:?}", reference.$($call)*.await);
                let found = format!("{:?}", store.$($call)*.await);
                assert_eq!(found, expected, "{op:?}");
            }};
        }
        match &op {
            Op::Commit(steps) => {
                last = commits(&reference, steps).await;
                both!(commit(last.clone()));
            }
            Op::Repeat => both!(commit(last.clone())),
            Op::Delete(isolate, seq_off, epoch_off) => {
                if let Some(head) = reference.head(id(*isolate)).await.expect("memory answers") {
                    let lease = reference.shards().await.expect("memory answers")[head.shard.0 as usize];
                    let delete = Delete {
                        shard: head.shard,
                        epoch: Epoch(lease.epoch.0.saturating_add_signed((*epoch_off).into())),
                        id: head.id,
                        expected: Seq(head.seq.0.saturating_add_signed((*seq_off).into())),
                    };
                    both!(delete(vec![delete]));
                }
            }
            Op::Open(node, life) => both!(open_session(session(*node, *life), "here:1", 500)),
            Op::Renew(node, life) => both!(renew(session(*node, *life))),
            Op::Close(node, life) => both!(close_session(session(*node, *life))),
            Op::Claim(node, life, shard) => both!(claim(session(*node, *life), Shard(*shard))),
            Op::Release(node, life, shard) => {
                let epoch = reference.shards().await.expect("memory answers")[*shard as usize].epoch;
                both!(release(session(*node, *life), Shard(*shard), epoch));
            }
            Op::Pass(ms) => {
                hands.fetch_add(i64::from(*ms), Ordering::SeqCst);
            }
            Op::Program(hash, text) => {
                both!(put_program(ProgramHash([*hash; 32]), Bytes::from(format!("program {text}"))));
            }
            Op::Reopen => {
                drop(store);
                store = embedded(directory.path(), &clock).await;
                // Opening the directory proves that nobody else lives; memory is told so.
                for session in reference.sessions().await.expect("memory answers") {
                    reference.close_session(session.id).await.expect("memory answers");
                }
            }
        }
        assert_eq!(everything(&store).await, everything(&reference).await, "after {op:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn embedded_agrees_with_memory(ops in proptest::collection::vec(op(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        // Nothing is applied before somebody holds the shards.
        let begin = [Op::Open(0, 0), Op::Claim(0, 0, 0), Op::Claim(0, 0, 1)];
        runtime.block_on(check(begin.into_iter().chain(ops).collect()));
    }
}

//! A flow that loops does not grow: what is stored of it, and what a restore reads, is the same after a hundred turns and after
//! very many, and about twice what lives.

use crate::support::{asking, embedded, hosts, image, next, options, start};
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::regvm::testing::Parts;
use deepslate_engine::regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Options as VmOptions, Program};
use deepslate_engine::storage::Store;
use deepslate_engine::storage::backends::memory::Memory;
use std::sync::Arc;

/// `reached` is where each of them is looked at: a call of the host is made only when the state that makes it is stored.
const FLOWS: &str = r#"
from deepslate import flow, impure, sleep

@impure
async def reached(turn: int) -> int: ...

@flow
async def scalar(turns: int) -> int:
    turn: int = 0
    total: float = 0.0
    while turn < turns:
        sleep(0)
        turn = turn + 1
        total = total + 0.5
    await reached(turn)
    return turn

@flow
async def garbage(turns: int) -> int:
    kept: list[int] = [0] * 1000
    numbers: list[int] = []
    words: dict[str, str] = {}
    turn: int = 0
    while turn < turns:
        numbers = []
        words = {}
        for i in range(20):
            numbers.append(turn + i)
            words[f"key {i}"] = f"value {turn} of {i}"
        kept[turn % 1000] = turn
        sleep(0)
        turn = turn + 1
    await reached(turn)
    return len(numbers) + len(words)

@flow
async def tide(turns: int) -> int:
    items: list[int] = []
    turn: int = 0
    while turn < turns:
        if turn % 100 < 50:
            for i in range(40):
                items.append(turn + i)
        else:
            for i in range(40):
                items.pop()
        sleep(0)
        turn = turn + 1
    await reached(turn)
    return len(items)
"#;

/// The flows, and the most bytes that may be stored of each and objects that may be made by a restore: twice what lives, 4 KiB
/// and the frames. Of `garbage` 1,000 + 20 numbers and 20 pairs of texts live, some 10 KiB.
const BOUNDS: [(&str, u64, u64); 3] = [("scalar", 1 << 10, 0), ("garbage", 26 << 10, 43), ("tide", 5 << 10, 1)];

/// Lets each flow go through so many turns, looks at what is stored, restores them all in another life of the engine, and lets
/// them end there.
async fn stays_small(store: Arc<dyn Store>, turns: i64, flows: &[&str]) {
    let image = image(FLOWS);
    let (reached, mut asked) = asking();
    let engine = start(Arc::clone(&store), options(), hosts(&[("reached", reached)]), &[&image]).await;
    for flow in flows {
        engine.spawn(flow, flow, vec![Datum::Int(turns)]).await.expect("it is spawned");
    }
    let mut stored_by_all = 0;
    for _ in flows {
        let call = next(&mut asked).await;
        assert_eq!((&call.args[..], call.step), (&[Datum::Int(turns)][..], turns as u64), "{}", call.name);
        let snapshot = store.snapshot(call.isolate).await.expect("reads").expect("is there");
        let (_, bound, _) = BOUNDS.iter().find(|(flow, ..)| **flow == *call.name).expect("one of them");
        let stored = snapshot.parts.iter().map(|part| part.bytes.len() as u64).sum::<u64>();
        println!("{} after {turns} turns: {stored} bytes in {} parts", call.name, snapshot.parts.len());
        assert!(stored <= *bound, "{} after {turns} turns: {stored} bytes", call.name);
        let state = snapshot.head.state.len();
        assert!(state <= 1 << 10, "{} after {turns} turns: a state of {state} bytes", call.name);
        let events = store.events(call.isolate, 0, 1_000).await.expect("reads");
        assert_eq!(events.len(), 1, "that it was spawned, and nothing of its turns");
        stored_by_all += stored;
    }
    // The calls are under way and are not waited for: the next life makes them again.
    engine.shutdown().await;
    let (reached, mut asked) = asking();
    let engine = start(store, options(), hosts(&[("reached", reached)]), &[&image]).await;
    for _ in flows {
        let call = next(&mut asked).await;
        assert_eq!((call.step, call.attempt), (turns as u64, 2), "{}", call.name);
        call.answer(Datum::Int(0));
    }
    let numbers = engine.numbers();
    assert_eq!((numbers.restores, numbers.restored_bytes), (flows.len() as u64, stored_by_all));
    let objects: u64 = BOUNDS.iter().filter(|(flow, ..)| flows.contains(flow)).map(|(.., objects)| objects).sum();
    assert!(numbers.restored_objects <= objects, "{} objects after {turns} turns", numbers.restored_objects);
    for (flow, value) in [("scalar", turns), ("garbage", 40), ("tide", 0)] {
        if flows.contains(&flow) {
            assert_eq!(crate::support::value(&engine, flow).await, Datum::Int(value), "{flow}");
        }
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_stays_small_on_embedded() {
    for turns in [100, 20_000] {
        let directory = tempfile::tempdir().expect("a directory");
        let store = embedded(directory.path()).await;
        stays_small(store, turns, &["scalar", "garbage", "tide"]).await;
        // The file too: what was stored in between was given back for use again.
        let file = directory.path().join("deepslate.db");
        let bytes = std::fs::metadata(file).expect("it is there").len();
        assert!(bytes < 512 << 10, "{bytes} bytes of file after {turns} turns");
    }
}

/// As many turns as unoptimised code makes in some twenty seconds; `DEEPSLATE_TURNS` makes it more: `cargo xtask bench growth`
/// gives it the million.
#[tokio::test(flavor = "multi_thread")]
async fn a_loop_stays_small_on_memory() {
    let wanted = std::env::var("DEEPSLATE_TURNS").ok().map(|turns| turns.parse().expect("a number of turns"));
    stays_small(Arc::new(Memory::new()), wanted.unwrap_or(100_000), &["scalar"]).await;
    if let Some(turns) = wanted {
        stays_small(Arc::new(Memory::new()), turns, &["garbage", "tide"]).await;
    }
}

/// A million turns of the machine alone, each committed, each part kept as a store keeps it.
#[test]
fn a_million_commits_leave_no_more_than_a_hundred() {
    let program = Program::new(image(FLOWS), VmOptions::default()).expect("it is lowered");
    for (flow, bound, objects) in BOUNDS {
        let mut largest = Vec::new();
        for turns in [100, if flow == "scalar" { 1_000_000 } else { 20_000 }] {
            let func = program.module().flow(flow).expect("it is there");
            let args = [Datum::Int(turns)];
            let mut isolate = Isolate::new(&program, func, &args, Limits::default()).expect("it begins");
            let (mut parts, mut most) = (Parts::default(), 0);
            for step in 0.. {
                assert_eq!(isolate.run(&mut NoHost, &Interrupt::new()), Exit::Blocked);
                parts.apply(isolate.commit().expect("its parts are sound"));
                most = most.max(parts.bytes());
                if step == turns as u64 {
                    break;
                }
                assert!(isolate.complete(step, Ok(Datum::None)), "it sleeps");
            }
            let stored = parts.bytes() as u64;
            let (known, live) = isolate.stored_bytes();
            assert_eq!(known, stored);
            assert!(stored <= bound && stored <= 2 * live + (4 << 10), "{flow}, {turns}: {stored} of {live} bytes");
            let read = Isolate::restore(&program, &parts.list(), Limits::default()).expect("it is restored").restored();
            assert!(read.bytes == stored && read.objects <= objects, "{flow} after {turns} turns: {read:?}");
            largest.push(most);
        }
        // Not only in the end: at no turn in between was there more than in the first hundred, or a little.
        assert!(largest[1] as f64 <= largest[0] as f64 * 1.5 + 8192.0, "{flow}: {largest:?} bytes at most");
    }
}

//! What a commit writes is what changed: not the list that an element was added to, and not what was thrown away before.

use crate::support::image;
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::regvm::testing::Parts;
use deepslate_engine::regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Options, Part, Program, Urgency};

const FLOWS: &str = r#"
from deepslate import flow, sleep

@flow
async def append(turns: int) -> int:
    items: list[int] = [7] * 1000000
    sleep(0)
    for i in range(turns):
        items.append(i)
        sleep(0)
    return len(items)

@flow
async def wasteful(turns: int) -> int:
    kept: list[int] = [7] * 10000
    sleep(0)
    total: int = 0
    for i in range(turns):
        waste: list[list[int]] = []
        for j in range(100):
            waste.append([j] * 100)
        text: str = "x" * 100000
        total = total + len(waste) + len(text)
        waste = []
        text = ""
        kept[i] = total
        sleep(0)
    return total
"#;

/// Each turn changes a twelfth of the list, chunk by chunk.
const LARGE: &str = r#"
from deepslate import flow, sleep

@flow
async def large() -> int:
    items: list[int] = [7] * 300000
    turn: int = 0
    while True:
        sleep(0)
        for i in range(25000):
            items[(turn * 25000 + i) % 300000] = turn
        turn = turn + 1
    return turn
"#;

/// Runs a flow through so many commits after the first. Gives these commits' parts, with their bytes, and all that is kept.
fn commits(flow: &str, turns: u64) -> (Vec<Part>, Parts, Isolate) {
    let program = Program::new(image(FLOWS), Options::default()).expect("it is lowered");
    let func = program.module().flow(flow).expect("it is there");
    let args = [Datum::Int(turns as i64)];
    let mut isolate = Isolate::new(&program, func, &args, Limits::default()).expect("it begins");
    let (mut written, mut parts) = (Vec::new(), Parts::default());
    for step in 0..=turns {
        assert_eq!(isolate.run(&mut NoHost, &Interrupt::new()), Exit::Blocked);
        let part = isolate.commit().expect("its parts are sound");
        if step > 0 {
            written.push(part.clone());
        }
        parts.apply(part);
        assert!(isolate.complete(step, Ok(Datum::None)), "it sleeps");
    }
    let mut restored = Isolate::restore(&program, &parts.list(), Limits::default()).expect("it is restored");
    assert!(restored.complete(turns, Ok(Datum::None)), "it sleeps");
    assert_eq!(restored.run(&mut NoHost, &Interrupt::new()), isolate.run(&mut NoHost, &Interrupt::new()));
    (written, parts, isolate)
}

#[test]
fn an_append_to_a_million_elements_writes_at_most_16_kib() {
    let turns = 3_000;
    let (written, parts, mut isolate) = commits("append", turns);
    assert_eq!(isolate.run(&mut NoHost, &Interrupt::new()), Exit::Done(Datum::Int(1_003_000)));
    let (ordinary, merges): (Vec<&Part>, Vec<&Part>) = written.iter().partition(|part| part.drop_from == part.number);
    let most = ordinary.iter().map(|part| part.bytes.len()).max().expect("there are some");
    let most_merged = merges.iter().map(|part| part.bytes.len()).max().unwrap_or(0);
    let total: usize = written.iter().map(|part| part.bytes.len()).sum();
    println!(
        "{} appends: at most {most} bytes each; {} merges of at most {most_merged} bytes; {} bytes a commit on average",
        ordinary.len(),
        merges.len(),
        total / written.len()
    );
    assert!(most <= 16 << 10, "an ordinary commit of {most} bytes");
    assert!(!merges.is_empty() && merges.len() * 30 <= written.len(), "{} merges", merges.len());
    assert!(total <= written.len() * (16 << 10), "{} bytes a commit on average", total / written.len());
    // The base of eight million bytes was written once, and is still what it was.
    assert!(merges.iter().all(|part| part.drop_from > 1), "no merge rewrites the base");
    assert!(parts.list().len() <= 64);
}

#[test]
fn garbage_made_between_two_commits_is_not_written() {
    let turns = 200;
    let (written, parts, mut isolate) = commits("wasteful", turns);
    assert!(matches!(isolate.run(&mut NoHost, &Interrupt::new()), Exit::Done(Datum::Int(_))));
    let ordinary = written.iter().filter(|part| part.drop_from == part.number);
    let most = ordinary.map(|part| part.bytes.len()).max().expect("there are some");
    println!("each turn makes 180,000 bytes of garbage; at most {most} bytes are written");
    // One chunk of the list, 512 elements of 8 bytes, and the frame: of the 80,000 and 100,000 bytes thrown away nothing.
    assert!(most <= 5 << 10, "{most} bytes");
    assert!(parts.bytes() < 3 * 80_000, "{} bytes are kept", parts.bytes());
    assert!(!parts.list().iter().any(|(_, part)| part.windows(64).any(|w| w == [b'x'; 64])), "nothing of the text");
}

/// A base of many bytes is put off while somebody waits, and written in a commit of its own when nobody does.
#[test]
fn a_large_base_is_written_when_nobody_waits() {
    let program = Program::new(image(LARGE), Options::default()).expect("it is lowered");
    let func = program.module().flow("large").expect("it is there");
    let mut isolate = Isolate::new(&program, func, &[], Limits::default()).expect("it begins");
    let mut parts = Parts::default();
    let (mut largest, mut bases) = (0, 0);
    for step in 0..60 {
        assert_eq!(isolate.run(&mut NoHost, &Interrupt::new()), Exit::Blocked);
        let part = isolate.commit_with(Urgency::Awaited).expect("its parts are sound");
        if step > 0 {
            largest = largest.max(part.bytes.len());
        }
        parts.apply(part);
        if isolate.base_is_due() {
            let base = isolate.commit().expect("its parts are sound");
            assert!(base.drop_from == 1 && base.bytes.len() > 2_000_000, "{} bytes", base.bytes.len());
            parts.apply(base);
            assert!(!isolate.base_is_due());
            bases += 1;
            isolate = Isolate::restore(&program, &parts.list(), Limits::default()).expect("its parts are sound");
        }
        assert!(isolate.complete(step, Ok(Datum::None)), "it sleeps");
        let (stored, live) = isolate.stored_bytes();
        assert!(stored <= 2 * live + 300_000, "{stored} bytes for {live}");
    }
    assert!(bases >= 3 && largest < 300_000, "{bases} bases, {largest} bytes in a commit that is waited for");
}

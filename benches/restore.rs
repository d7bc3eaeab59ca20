//! How long does a restore take, and on what does it depend? On the live state, whose elements it checks one by one where they
//! are references and copies where they are numbers; not on the number of turns before it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use deepslate_benches::Loop;
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::regvm::{Exit, Interrupt, Isolate, Limits, NoHost};
use std::hint::black_box;

const FLOWS: &str = r#"
from dataclasses import dataclass
from deepslate import flow, sleep

@flow
async def small() -> int:
    count: int = 0
    while True:
        sleep(0)
        count = count + 1
    return count

@flow
async def numbers(size: int) -> int:
    items: list[int] = [7] * size
    turn: int = 0
    while True:
        sleep(0)
        items[turn * 7919 % size] = turn
        turn = turn + 1
    return turn

@dataclass
class Order:
    id: int
    owner: str
    lines: list[str]

@flow
async def orders(size: int) -> int:
    items: list[Order] = [Order(i, f"owner {i % 7}", [f"line {i}"]) for i in range(size)]
    turn: int = 0
    while True:
        sleep(0)
        turn = turn + len(items[turn * 7919 % size].lines)
    return turn

@flow
async def texts(size: int) -> int:
    items: list[str] = []
    for i in range(size):
        items.append(f"text number {i}")
    while True:
        sleep(0)
    return size
"#;

fn measure(criterion: &mut Criterion, group: &str, id: BenchmarkId, of: &Loop) {
    let parts = of.parts.list();
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Bytes(of.parts.bytes() as u64)).sample_size(20);
    group.bench_with_input(id, &parts, |bench, parts| {
        bench.iter(|| Isolate::restore(&of.program, black_box(parts), Limits::default()).expect("it is sound"));
    });
    group.finish();
}

/// What a wake costs that looks at little: a restore, one turn, one commit; and beside it, opening everything.
fn measure_wake(criterion: &mut Criterion, size: i64, of: &mut Loop) {
    let parts = of.parts.list();
    let mut group = criterion.benchmark_group("wake/list of objects, one looked at");
    group.throughput(Throughput::Bytes(of.parts.bytes() as u64)).sample_size(20);
    let step = of.isolate.next_step() - 1;
    for (how, whole_below) in [("opened as reached", 0), ("all opened", u64::MAX)] {
        let id = BenchmarkId::new(how, size);
        group.bench_with_input(id, &parts, |bench, parts| {
            bench.iter(|| {
                let restored = Isolate::restore_lazily(&of.program, black_box(parts), Limits::default(), whole_below);
                let mut isolate = restored.expect("it is sound");
                assert!(isolate.complete(step, Ok(Datum::None)), "it sleeps");
                assert_eq!(isolate.run(&mut NoHost, &Interrupt::new()), Exit::Blocked);
                isolate.commit().expect("it is sound").bytes.len()
            });
        });
    }
    group.finish();
}

fn restore(criterion: &mut Criterion) {
    for turns in [10, 100_000] {
        let mut small = Loop::new(FLOWS, "small", &[]);
        for _ in 0..turns {
            small.turn();
        }
        measure(criterion, "restore/small isolate", BenchmarkId::new("turns", turns), &small);
    }
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        let numbers = Loop::new(FLOWS, "numbers", &[size]);
        measure(criterion, "restore/list of ints", BenchmarkId::new("elements", size), &numbers);
    }
    for size in [1_000, 100_000] {
        let texts = Loop::new(FLOWS, "texts", &[size]);
        measure(criterion, "restore/list of texts", BenchmarkId::new("elements", size), &texts);
    }
    for size in [1_000, 10_000, 100_000] {
        let mut orders = Loop::new(FLOWS, "orders", &[size]);
        measure_wake(criterion, size, &mut orders);
    }
    for turns in [60, 6_000] {
        let mut numbers = Loop::new(FLOWS, "numbers", &[100_000]);
        for _ in 0..turns {
            numbers.turn();
        }
        measure(criterion, "restore/100,000 ints after changes", BenchmarkId::new("turns", turns), &numbers);
    }
}

criterion_group!(benches, restore);
criterion_main!(benches);

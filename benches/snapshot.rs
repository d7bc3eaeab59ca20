//! What does a commit cost, and on what does it depend? On what changed since the last one, not on what lives.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use deepslate_benches::Loop;

const FLOWS: &str = r#"
from deepslate import flow, sleep

@flow
async def touch(size: int, chunks: int) -> int:
    items: list[int] = [7] * size
    turn: int = 0
    while True:
        sleep(0)
        for i in range(chunks):
            items[i * 512 % size] = turn
        turn = turn + 1
    return turn

@flow
async def objects(size: int, changed: int) -> int:
    items: list[list[int]] = []
    for i in range(size):
        items.append([i, i + 1])
    turn: int = 0
    while True:
        sleep(0)
        for i in range(changed):
            items[i * 31 % size][0] = turn
        turn = turn + 1
    return turn
"#;

fn measure(criterion: &mut Criterion, group: &str, id: BenchmarkId, mut of: Loop) {
    let mut group = criterion.benchmark_group(group);
    group.sample_size(20);
    group.bench_function(id, |bench| {
        bench.iter_custom(|times| {
            let mut total = std::time::Duration::ZERO;
            for _ in 0..times {
                of.run();
                let from = std::time::Instant::now();
                of.commit();
                total += from.elapsed();
            }
            total
        });
    });
    group.finish();
}

fn snapshot(criterion: &mut Criterion) {
    for size in [1, 100] {
        let small = Loop::new(FLOWS, "touch", &[size, 1]);
        measure(criterion, "snapshot/small isolate, written whole", BenchmarkId::new("elements", size), small);
    }
    for size in [10_000, 100_000, 1_000_000] {
        let list = Loop::new(FLOWS, "touch", &[size, 1]);
        measure(criterion, "snapshot/one chunk of a list changed", BenchmarkId::new("elements", size), list);
    }
    for chunks in [1, 10, 100, 1_000] {
        let list = Loop::new(FLOWS, "touch", &[1_000_000, chunks]);
        measure(criterion, "snapshot/a list of 1,000,000", BenchmarkId::new("chunks changed", chunks), list);
    }
    for changed in [1, 100, 10_000] {
        let list = Loop::new(FLOWS, "objects", &[100_000, changed]);
        measure(criterion, "snapshot/100,000 objects", BenchmarkId::new("changed", changed), list);
    }
}

criterion_group!(benches, snapshot);
criterion_main!(benches);

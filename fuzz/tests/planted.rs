//! Bugs that are planted on purpose in lowering, register allocation and snapshots: the fuzzer must find each of them. A process of
//! its own, since a plant is for a whole process; without debug assertions there is nothing to plant.
#![cfg(debug_assertions)]

use deepslate_fuzz::generate;
use deepslate_fuzz::oracle::cpython::Python;
use deepslate_fuzz::oracle::{self, Finding};
use deepslate_ir::planted::{Plant, plant};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// The programs within which a bug is to be found: a tenth of what CI tries.
const PROGRAMS_MAX: u64 = 2_000;

/// The first of the programs of CI, about, that shows a difference, and what it is. A panic is one as well.
fn found() -> Option<(u64, String)> {
    let next = AtomicU64::new(0);
    let hunt = || {
        let mut python = Python::start().expect("it started before");
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= PROGRAMS_MAX {
                return None;
            }
            let source = generate::program_for_cpython(seed);
            let asked = catch_unwind(AssertUnwindSafe(|| oracle::program_everywhere(&source, &mut python)));
            if let Err(finding) = asked.unwrap_or_else(|_| Err(Finding::new("panic", ""))) {
                next.store(PROGRAMS_MAX, Ordering::Relaxed);
                return Some((seed, finding.to_string()));
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(hunt)).collect();
        workers.into_iter().filter_map(|worker| worker.join().expect("it catches panics")).min()
    })
}

#[test]
fn the_fuzzer_finds_each() {
    if let Err(reason) = Python::start() {
        assert!(std::env::var_os("CI").is_none(), "{reason}");
        eprintln!("skipped: {reason}");
        return;
    }
    let mut missed = Vec::new();
    for bug in Plant::ALL {
        plant(Some(bug));
        match found() {
            Some((seed, finding)) => {
                let finding: String = finding.lines().take(6).map(|line| format!("    {line:.160}\n")).collect();
                println!("{bug:?} is found by program {seed}:\n{finding}");
            }
            None => missed.push(bug),
        }
        plant(None);
    }
    assert!(missed.is_empty(), "not found within {PROGRAMS_MAX} programs: {missed:?}");
}

//! Random programs against all oracles. The seeds are the same in every run; `DEEPSLATE_FUZZ_SEED` sets the first one and
//! `DEEPSLATE_FUZZ_PROGRAMS` how many programs there are: 20,000 in CI, 2,000 elsewhere. What fails is printed small, with its seed.

use deepslate_fuzz::choices::Choices;
use deepslate_fuzz::oracle::cpython::Python;
use deepslate_fuzz::oracle::{self, Checked, Finding};
use deepslate_fuzz::{generate, mutate, shrink};
use deepslate_ir::interp::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The seeds of a test that takes this share of the programs.
fn seeds(share: u64) -> Range<u64> {
    let first = number("DEEPSLATE_FUZZ_SEED", 0);
    let default = if std::env::var_os("CI").is_some() { 20_000 } else { 2_000 };
    first..first + (number("DEEPSLATE_FUZZ_PROGRAMS", default) / share).max(1)
}

/// The most failures that a test shows, and the trials that make one small.
const SHOWN: usize = 8;
const TRIALS: usize = 2_000;

/// What is asked about a program.
type Ask<'a> = Box<dyn FnMut(&str) -> Result<Checked, Finding> + 'a>;

/// One program of a test: its source, and what is asked about it and anything made of it.
struct Subject<'a> {
    source: String,
    ask: Ask<'a>,
}

/// A panic is a finding as well.
fn asked(ask: &mut dyn FnMut(&str) -> Result<Checked, Finding>, source: &str) -> Result<Checked, Finding> {
    catch_unwind(AssertUnwindSafe(|| ask(source))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
        Err(Finding::new("panic", text.unwrap_or_default()))
    })
}

/// Asks about the subject of every seed, on all cores; fails with the findings made small. Gives how often what came of it.
fn every<'a, S>(seeds: Range<u64>, mut subjects: impl FnMut() -> S) -> BTreeMap<&'static str, u64>
where
    S: FnMut(u64) -> Subject<'a> + Send,
{
    let (first, end) = (seeds.start, seeds.end);
    let next = AtomicU64::new(first);
    let found: Mutex<Vec<String>> = Mutex::default();
    let tally: Mutex<BTreeMap<&'static str, u64>> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let mut subject = subjects();
            let (next, found, tally) = (&next, &found, &tally);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || found.lock().is_ok_and(|f| f.len() >= SHOWN) {
                        return;
                    }
                    let Subject { source, mut ask } = subject(seed);
                    let outcome = match asked(&mut ask, &source) {
                        Ok(Checked::Ran(run)) => match run.outcome {
                            Outcome::Failed(trap) => trap.kind.name(),
                            _ => "done",
                        },
                        Ok(Checked::TooLong) => "too long",
                        Ok(Checked::Refused) => "refused",
                        Err(finding) => {
                            let small = shrink::shrink(&source, TRIALS, &mut |candidate| {
                                asked(&mut ask, candidate).is_err_and(|f| f.is_like(&finding))
                            });
                            let again = asked(&mut ask, &small).err().unwrap_or_else(|| finding.clone());
                            let mut text = format!("seed {seed} after {} programs: {finding}\n", seed - first + 1);
                            let _ = write!(text, "made small:\n{small}\n{again}\n");
                            eprintln!("{text}");
                            found.lock().expect("no panic holds it").push(text);
                            "found"
                        }
                    };
                    *tally.lock().expect("no panic holds it").entry(outcome).or_default() += 1;
                }
            });
        }
    });
    let found = found.into_inner().expect("no panic holds it");
    let tally = tally.into_inner().expect("no panic holds it");
    eprintln!("{tally:?}");
    assert!(found.is_empty(), "{} findings:\n\n{}", found.len(), found.join("\n"));
    tally
}

#[test]
fn every_program_runs_alike_in_all_ways_and_in_cpython() {
    if let Err(reason) = Python::start() {
        assert!(std::env::var_os("CI").is_none(), "{reason}");
        eprintln!("skipped: {reason}");
        return;
    }
    let seeds = seeds(1);
    let count = seeds.end - seeds.start;
    let compared = AtomicU64::new(0);
    let tally = every(seeds, || {
        let compared = &compared;
        let python = Arc::new(Mutex::new(Python::start().expect("it started before")));
        move |seed| {
            let python = python.clone();
            let ask = move |source: &str| {
                let mut python = python.lock().unwrap_or_else(|broken| broken.into_inner());
                let (checked, spoke) = oracle::program_everywhere(source, &mut python)?;
                compared.fetch_add(u64::from(spoke), Ordering::Relaxed);
                Ok(checked)
            };
            Subject { source: generate::program_for_cpython(seed), ask: Box::new(ask) }
        }
    });
    let compared = compared.into_inner();
    eprintln!("CPython spoke of {compared} of {count}");
    assert!(count < 100 || compared * 10 > count * 9, "too few programs could be compared: {compared}, {tally:?}");
    let done = tally.get("done").copied().unwrap_or(0);
    assert!(count < 100 || done * 2 > count, "too few programs come to their end: {tally:?}");
}

#[test]
fn programs_that_cpython_can_not_judge_run_alike_in_all_ways() {
    let seeds = seeds(10);
    let count = seeds.end - seeds.start;
    let tally = every(seeds, || {
        |seed| {
            let (_, source) = generate::program_of(seed);
            Subject { source, ask: Box::new(oracle::program) }
        }
    });
    let done = tally.get("done").copied().unwrap_or(0);
    assert!(count < 100 || done * 3 > count, "too few programs come to their end: {tally:?}");
}

#[test]
fn spoiled_sources_are_refused_or_run_alike() {
    every(seeds(10), || {
        |seed| {
            let (_, source) = generate::program_of(seed / 3);
            let source = mutate::source(&source, &mut Choices::from_seed(seed ^ 0xBAD));
            Subject { source, ask: Box::new(oracle::any_source) }
        }
    });
}

#[test]
fn damaged_snapshots_do_no_harm() {
    let taken = AtomicU64::new(0);
    every(seeds(20), || {
        let taken = &taken;
        move |seed| {
            let (_, source) = generate::program_of(seed);
            let ask = move |source: &str| {
                let image = oracle::accepted(source)?;
                let some = oracle::damage::survives(&image, &mut Choices::from_seed(seed), 20)?;
                taken.fetch_add(some as u64, Ordering::Relaxed);
                Ok(Checked::Refused)
            };
            Subject { source, ask: Box::new(ask) }
        }
    });
    let taken = taken.into_inner();
    eprintln!("{taken} damaged snapshots were taken for good");
    assert!(taken > 0, "no damage went unnoticed, so nothing was tried");
}

#[test]
fn bytes_make_programs_too() {
    // The choices of a fuzzer: the empty ones make the simplest program.
    let profile = generate::Profile { tasks: true, python: false, wild_floats: true };
    for len in [0usize, 1, 5, 40, 300] {
        let bytes: Vec<u8> = (0..len).map(|i| (i * 37 + 11) as u8).collect();
        let source = generate::program(profile, &mut Choices::from_bytes(&bytes));
        if let Err(finding) = oracle::program(&source) {
            panic!("{source}\n{finding}");
        }
    }
}

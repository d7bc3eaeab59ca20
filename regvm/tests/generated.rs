//! Random programs: the VM, lowered and stopped in every way, gives what the evaluator gives, to the last line of the
//! trace, the log and the durable calls.

use deepslate_ir::datum::Datum;
use deepslate_ir::generate::program;
use deepslate_ir::image::Image;
use deepslate_ir::interp::{self, Outcome, World};
use deepslate_ir::module::Host;
use deepslate_ir::trap::Fault;
use deepslate_regvm::testing::{Driver, Stops};
use deepslate_regvm::{Limits, Options, Program};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

struct Doubling;

impl World for Doubling {
    fn call_pure(&mut self, _: &Host, args: &[Datum]) -> Result<Datum, Fault> {
        match args {
            [Datum::Int(n)] => Ok(Datum::Int(n.wrapping_mul(2))),
            other => panic!("{other:?}"),
        }
    }

    fn call(&mut self, _: u64, host: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>> {
        Some(self.call_pure(host, args))
    }
}

fn all_options() -> Vec<Options> {
    let both = [true, false];
    let pairs = both.iter().flat_map(|a| both.iter().map(move |f| (*a, *f)));
    pairs.map(|(allocate_registers, fuse)| Options { allocate_registers, fuse }).collect()
}

/// How the program of this seed ends, on all machines.
fn judge(seed: u64) -> &'static str {
    let image = Image::of(program(seed)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    let main = image.module().flow("main").expect("there is a main");
    let args = [Datum::Int((seed % 7) as i64)];
    let limits = interp::Limits { steps: 30_000, heap_bytes: 64 << 20, ..interp::Limits::default() };
    let judged = interp::run(image.module(), main, &args, limits, &mut Doubling);
    match &judged.outcome {
        // The VM counts no steps, so there is nothing to compare; such programs are few.
        Outcome::OutOfSteps => return "out of steps",
        Outcome::Broken(message) => panic!("seed {seed}: the evaluator found {message}"),
        _ => {}
    }
    let lower = |options| Program::new(image.clone(), options).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    let programs: Vec<Arc<Program>> = all_options().into_iter().map(lower).collect();
    let driver = |programs: &[Arc<Program>], stops| {
        let limits = Limits { heap_bytes: 64 << 20, ..Limits::default() };
        Driver { programs: programs.to_vec(), limits, stops, runs_max: 100_000 }
    };
    let mut drivers: Vec<Driver> = programs.chunks(1).map(|p| driver(p, Stops::Run)).collect();
    drivers.push(driver(&programs, Stops::Interrupt));
    drivers.push(driver(&programs, Stops::Restore { every: 1 }));
    drivers.push(driver(&programs[..1], Stops::Restore { every: 3 }));
    for driver in drivers {
        let what = || format!("seed {seed}, {:?} {:?}", driver.programs[0].options(), driver.stops);
        let run = driver.run(main, &args, &mut Doubling).unwrap_or_else(|e| panic!("{}: {e}", what()));
        // By text, since a NaN is not equal to itself.
        let same = |a: &dyn std::fmt::Debug, b: &dyn std::fmt::Debug| {
            assert_eq!(format!("{a:?}"), format!("{b:?}"), "{}", what())
        };
        same(&run.outcome, &judged.outcome);
        same(&run.log, &judged.log);
        same(&run.calls, &judged.calls);
    }
    match judged.outcome {
        Outcome::Done(_) => "done",
        Outcome::Failed(trap) => trap.kind.name(),
        _ => "blocked",
    }
}

#[test]
fn generated_programs_run_as_the_evaluator_says() {
    let mut ends = BTreeMap::new();
    for seed in 0..500 {
        *ends.entry(judge(seed)).or_insert(0) += 1;
    }
    // The generator must make programs that get somewhere, and some that do not.
    assert!(ends.get("done").is_some_and(|n| *n > 50), "{ends:?}");
    assert!(ends.len() > 4, "{ends:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_of_any_seed_run_as_the_evaluator_says(seed in any::<u64>()) {
        judge(seed);
    }
}

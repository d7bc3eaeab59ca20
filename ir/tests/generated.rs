//! Random programs: each is sound, prints and parses back the same, runs without a check of the evaluator failing, and runs the
//! same after all passes, whose stops still fit the frames that were saved before.

use deepslate_ir::datum::Datum;
use deepslate_ir::generate::program;
use deepslate_ir::image::Image;
use deepslate_ir::interp::{Limits, Outcome, Run, World, run};
use deepslate_ir::module::{Host, Module};
use deepslate_ir::opt::{Pass, optimize};
use deepslate_ir::parse::parse;
use deepslate_ir::trap::Fault;
use deepslate_ir::verify::verify;
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

fn run_main(module: &Arc<Module>) -> Run {
    let limits = Limits { steps: 100_000, heap_bytes: 16 << 20, ..Limits::default() };
    run(module, module.flow("main").unwrap(), &[Datum::Int(5)], limits, &mut Doubling)
}

fn optimized(module: &Module) -> Module {
    let mut module = module.clone();
    for index in 0..module.funcs.len() {
        let mut func = module.funcs[index].clone();
        let before = func.clone();
        let map = optimize(&module, &mut func, &Pass::ALL);
        for (old, new) in before.stops.iter().zip(map) {
            let Some(new) = new else { continue };
            let new = func.stop(new);
            assert_eq!(old.values.len(), new.values.len());
            for (a, b) in old.values.iter().zip(&new.values) {
                assert_eq!((&a.name, before.ty(a.value)), (&b.name, func.ty(b.value)));
            }
        }
        module.funcs[index] = func;
    }
    module
}

fn judge(seed: u64) -> Outcome {
    let module = program(seed);
    let text = module.to_string();
    verify(&module).unwrap_or_else(|e| panic!("seed {seed}: {e:?}\n{text}"));
    let again = parse(&text).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
    assert_eq!(again.to_string(), text, "seed {seed}");
    let image = Image::of(module).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    let module = image.module();
    let ran = run_main(module);
    if let Outcome::Broken(message) = &ran.outcome {
        panic!("seed {seed}: {message}\n{text}");
    }
    let fast = optimized(module);
    verify(&fast).unwrap_or_else(|e| panic!("seed {seed}: {e:?}\n{text}\n{fast}"));
    let fast_ran = run_main(&Arc::new(fast.clone()));
    // Fewer instructions get further within the same budget.
    if ran.outcome != Outcome::OutOfSteps {
        let same = format!("{:?} {:?} {:?}", fast_ran.outcome, fast_ran.log, fast_ran.calls)
            == format!("{:?} {:?} {:?}", ran.outcome, ran.log, ran.calls);
        assert!(same, "seed {seed}: {:?}\n{:?}\n{text}\n{fast}", ran.outcome, fast_ran.outcome);
        assert!(fast_ran.steps <= ran.steps);
    }
    ran.outcome
}

#[test]
fn generated_programs_are_sound_and_passes_keep_their_meaning() {
    let seeds = std::env::var("SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..seeds {
        let end = match judge(seed) {
            Outcome::Failed(trap) => trap.kind.to_string(),
            other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
        };
        *ends.entry(end).or_default() += 1;
    }
    println!("{ends:?}");
    // The generator is of use only while its programs get somewhere.
    let done = ends.get("Done").copied().unwrap_or(0);
    assert!(u64::from(done) * 4 > seeds, "{ends:?}");
}

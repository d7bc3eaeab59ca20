//! The ways in which every case runs: the evaluator, the VM straight, the VM with an interrupt at every stop, and the VM with a
//! commit, a drop and a restore at every stop, also into a program that was lowered otherwise. All must give the same result,
//! log and durable calls.

use crate::markdown::{Case, Outcome};
use crate::script::{Answer, Script};
use deepslate_frontend::{Options as FrontendOptions, Source, compile};
use deepslate_ir::datum::Datum;
use deepslate_ir::image::Image;
use deepslate_ir::interp::{self, Run};
use deepslate_ir::json::to_json;
use deepslate_ir::module::Module;
use deepslate_ir::trap::TrapKind;
use deepslate_regvm::testing::{Driver, Stops};
use deepslate_regvm::{Limits, Options, Program};
use std::sync::Arc;

/// The name of a way and what came of the case in it.
type Way = (&'static str, Run);

/// Runs a case in every way. `Err` says what disagrees, or what is not as the case says.
pub fn check(case: &Case) -> Result<(), String> {
    let path = "main.py";
    let compiled = compile(&[Source::file(path, case.program.as_str())], &FrontendOptions::default());
    let errors: Vec<(String, u32)> = compiled
        .diagnostics
        .iter()
        .map(|d| (d.code.text().to_owned(), compiled.sources.position(d.span.file, d.span.start).line))
        .collect();
    let Some(module) = compiled.module else {
        let found = Outcome { errors, ..Outcome::default() };
        return if case.outcome.agrees(&found) {
            Ok(())
        } else {
            Err(format!("it does not compile:\n{}", compiled.render(false)))
        };
    };
    let image = Image::of(module).map_err(|e| format!("no image: {e}"))?;
    let ways = run_all(&image, &case.answers)?;
    let (first, reference) = &ways[0];
    for (name, run) in &ways[1..] {
        if !same(run, reference) {
            return Err(format!("{first} and {name} disagree:\n{reference:#?}\n{run:#?}"));
        }
    }
    let found = outcome(image.module(), reference)?;
    if case.outcome.agrees(&found) { Ok(()) } else { Err(format!("found {found:#?}\nwanted {:#?}", case.outcome)) }
}

/// Whether two runs of one program are the same. How many bytes were left when the memory was at its end is each machine's own.
pub fn same(a: &Run, b: &Run) -> bool {
    let outcome = match (&a.outcome, &b.outcome) {
        (interp::Outcome::Failed(a), interp::Outcome::Failed(b)) if a.kind == TrapKind::Memory => {
            (a.kind, a.task, &a.trace) == (b.kind, b.task, &b.trace)
        }
        (a, b) => a == b,
    };
    outcome && (&a.log, &a.calls) == (&b.log, &b.calls)
}

fn run_all(image: &Image, answers: &[Answer]) -> Result<Vec<Way>, String> {
    let module = image.module();
    let main = module.flow("main").ok_or("there is no flow `main`")?;
    let mut ways =
        vec![("evaluator", interp::run(module, main, &[], interp::Limits::default(), &mut Script::new(answers)))];
    let lowered = |options: Options| Program::new(image.clone(), options).map_err(|e| format!("can't be lowered: {e}"));
    let fast = lowered(Options::default())?;
    let plain = lowered(Options { allocate_registers: false, fuse: false })?;
    let drivers = [
        ("VM", vec![&fast], Stops::Run),
        ("VM without register allocation", vec![&plain], Stops::Run),
        ("VM interrupted at every stop", vec![&fast], Stops::Interrupt),
        ("VM restored at every stop", vec![&fast], Stops::Restore { every: 1 }),
        ("VM restored at every third stop", vec![&fast], Stops::Restore { every: 3 }),
        ("VM restored into another lowering", vec![&fast, &plain], Stops::Restore { every: 1 }),
    ];
    for (name, programs, stops) in drivers {
        let programs = programs.into_iter().map(Arc::clone).collect();
        let driver = Driver { programs, limits: Limits::default(), stops, runs_max: 1_000_000 };
        let run = driver.run(main, &[], &mut Script::new(answers)).map_err(|e| format!("{name}: {e}"))?;
        ways.push((name, run));
    }
    Ok(ways)
}

/// What came of a run, as a case says it.
fn outcome(module: &Module, run: &Run) -> Result<Outcome, String> {
    let log = run.log.clone();
    let main = module.flow("main").ok_or("there is no flow `main`")?;
    let json = |value: &Datum| to_json(&module.types, module.func(main).ret, value);
    match &run.outcome {
        interp::Outcome::Done(value) => Ok(Outcome { result: Some(json(value)), log, ..Outcome::default() }),
        interp::Outcome::Failed(trap) => {
            let line = trap.trace.first().map_or(0, |l| l.line);
            // A method goes by its own name, as in CPython's traces.
            let name = |func: &str| func.rsplit('.').next().unwrap_or(func).to_owned();
            let trace = trap.trace.iter().map(|l| (name(&l.func), l.line)).collect();
            Ok(Outcome {
                trap: Some((trap.kind.name().to_owned(), line)),
                log,
                trace: Some(trace),
                message: Some(trap.message.clone()),
                ..Outcome::default()
            })
        }
        other => Err(format!("it does not end: {other:?}")),
    }
}

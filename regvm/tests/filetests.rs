//! The files of `ir/filetests/run` on the VM, lowered in every way and stopped in every way: always what the file says, and
//! always what the evaluator says.

use deepslate_ir::datum::Datum;
use deepslate_ir::filetest::{Expected, RunFile, same};
use deepslate_ir::image::Image;
use deepslate_ir::interp::{self, Outcome, World};
use deepslate_ir::module::Host;
use deepslate_ir::trap::Fault;
use deepslate_regvm::testing::{Driver, Stops};
use deepslate_regvm::{Limits, Options, Program};
use std::path::Path;
use std::sync::Arc;

struct FileWorld<'a>(&'a RunFile);

impl World for FileWorld<'_> {
    fn call_pure(&mut self, host: &Host, args: &[Datum]) -> Result<Datum, Fault> {
        self.0.answer(host, args)
    }

    fn call(&mut self, _: u64, host: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>> {
        Some(self.0.answer(host, args))
    }
}

fn all_options() -> Vec<Options> {
    let both = [true, false];
    let pairs = both.iter().flat_map(|a| both.iter().map(move |f| (*a, *f)));
    pairs.map(|(allocate_registers, fuse)| Options { allocate_registers, fuse }).collect()
}

/// Every way to run a program: each lowering straight, one stopped without a commit, and restored at every stop (with deltas
/// between, and into another lowering each time).
fn drivers(image: &Image, limits: Limits) -> Vec<(String, Driver)> {
    let programs: Vec<Arc<Program>> = all_options()
        .into_iter()
        .map(|options| Program::new(image.clone(), options).expect("every test file can be lowered"))
        .collect();
    let runs_max = 200_000;
    let mut drivers = Vec::new();
    for program in &programs {
        for stops in [Stops::Run, Stops::Interrupt, Stops::Restore { every: 1 }, Stops::Restore { every: 3 }] {
            let name = format!("{:?} {stops:?}", program.options());
            drivers.push((name, Driver { programs: vec![Arc::clone(program)], limits, stops, runs_max }));
        }
    }
    let stops = Stops::Restore { every: 1 };
    drivers.push(("switching".to_owned(), Driver { programs, limits, stops, runs_max }));
    drivers
}

#[test]
fn the_vm_agrees_with_the_files_and_the_evaluator() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ir/filetests/run");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut failures = Vec::new();
    let mut ran = 0;
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let file = RunFile::read(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let image = Image::of(file.module.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let limits = Limits { heap_bytes: 64 << 20, ..Limits::default() };
        let drivers = drivers(&image, limits);
        for line in &file.runs {
            let at = format!("{name}:{}", line.line);
            let func = image.module().func_named(&line.func).unwrap_or_else(|| panic!("{at}: no function"));
            let judged =
                interp::run(image.module(), func, &line.args, interp::Limits::default(), &mut FileWorld(&file));
            let mut stops = 0;
            for (driver_name, driver) in &drivers {
                // A run that stops thousands of times would spend minutes on restores that others show as well.
                if stops > 1_000 && matches!(driver.stops, Stops::Restore { .. }) {
                    continue;
                }
                ran += 1;
                let run = match driver.run(func, &line.args, &mut FileWorld(&file)) {
                    Ok(run) => run,
                    Err(error) => {
                        failures.push(format!("{at} {driver_name}: {error}"));
                        continue;
                    }
                };
                stops = stops.max(u32::try_from(run.steps).unwrap());
                let as_written = match (&line.expected, &run.outcome) {
                    (Expected::Value(wanted), Outcome::Done(value)) => same(wanted, value),
                    (Expected::Trap(kind, message), Outcome::Failed(trap)) => {
                        *kind == trap.kind && message.as_ref().is_none_or(|m| *m == trap.message)
                    }
                    _ => false,
                };
                let log_fits = line.log.as_ref().is_none_or(|log| *log == run.log);
                let judged_same = match (&judged.outcome, &run.outcome) {
                    (Outcome::Done(a), Outcome::Done(b)) => same(a, b),
                    (a, b) => a == b,
                };
                if !(as_written && log_fits && judged_same && judged.log == run.log && judged.calls == run.calls) {
                    failures.push(format!(
                        "{at} {driver_name}: {:?} log {:?} calls {:?}, the evaluator {:?} log {:?} calls {:?}",
                        run.outcome, run.log, run.calls, judged.outcome, judged.log, judged.calls
                    ));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {ran} failed:\n{}",
        failures.len(),
        failures[..failures.len().min(40)].join("\n")
    );
}

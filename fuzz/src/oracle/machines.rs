//! Evaluator and VM must agree, however the VM was lowered and wherever it was stopped, committed, dropped and restored.

use super::Finding;
use deepslate_ir::entity::FuncId;
use deepslate_ir::image::Image;
use deepslate_ir::interp::{self, NoWorld, Outcome, Run};
use deepslate_ir::module::Module;
use deepslate_ir::trap::TrapKind;
use deepslate_regvm::testing::{Driver, Stops};
use deepslate_regvm::{Limits, Options, Program};
use std::sync::Arc;

/// Instructions of the evaluator after which a program is too long: the VM stops at each of its polls, some of them cost a
/// snapshot.
const STEPS_MAX: u64 = 30_000;
/// Bytes of all objects that the evaluator may make. It never gives any back, so what it can't hold tells nothing.
const EVALUATOR_BYTES: usize = 4 << 20;
/// A heap so small that the VM collects all the time.
const SMALL_HEAP: u64 = 24 << 10;

/// A program lowered in every way.
#[derive(Debug)]
pub struct Lowerings {
    /// As the product lowers it.
    pub fast: Arc<Program>,
    /// Without register allocation and fusion.
    pub plain: Arc<Program>,
    /// Without fusion.
    pub half: Arc<Program>,
    /// Without register allocation.
    pub other: Arc<Program>,
    /// Its flow `main`.
    pub main: FuncId,
}

impl Lowerings {
    /// Lowers it.
    pub fn of(image: &Image) -> Result<Lowerings, Finding> {
        let lowered = |allocate_registers: bool, fuse: bool| {
            Program::new(image.clone(), Options { allocate_registers, fuse })
                .map_err(|e| Finding::new("lowering", e.to_string()))
        };
        Ok(Lowerings {
            fast: lowered(true, true)?,
            plain: lowered(false, false)?,
            half: lowered(true, false)?,
            other: lowered(false, true)?,
            main: main_of(image.module())?,
        })
    }
}

fn main_of(module: &Module) -> Result<FuncId, Finding> {
    module.flow("main").ok_or_else(|| Finding::new("accepted", "there is no flow `main`"))
}

/// Runs `main` in the evaluator.
pub fn evaluated(module: &Arc<Module>) -> Result<Run, Finding> {
    let main = main_of(module)?;
    let limits = interp::Limits {
        steps: STEPS_MAX,
        heap_bytes: EVALUATOR_BYTES,
        tasks: Limits::default().tasks as usize,
        call_depth: Limits::default().call_depth as usize,
        ..interp::Limits::default()
    };
    let run = interp::run(module, main, &[], limits, &mut NoWorld);
    match &run.outcome {
        Outcome::Broken(message) => Err(Finding::new("evaluator", message.clone())),
        _ => Ok(run),
    }
}

/// Whether a run of the evaluator ended for a limit that other machines do not have.
pub fn says_nothing(run: &Run) -> bool {
    match &run.outcome {
        Outcome::OutOfSteps => true,
        Outcome::Failed(trap) => trap.kind == TrapKind::Memory,
        _ => false,
    }
}

/// What two runs of one program differ in.
pub fn difference(a: &Run, b: &Run) -> Option<String> {
    if !same_outcome(&a.outcome, &b.outcome) {
        return Some(format!("it ended otherwise:\n  {:?}\n  {:?}", a.outcome, b.outcome));
    }
    if a.log != b.log {
        let at = a.log.iter().zip(&b.log).take_while(|(x, y)| x == y).count();
        let shown = |run: &Run| run.log.get(at).map(|l| l.chars().take(300).collect::<String>());
        return Some(format!("line {at} of the log differs:\n  {:?}\n  {:?}", shown(a), shown(b)));
    }
    let calls = |run: &Run| format!("{:?}", run.calls);
    if calls(a) != calls(b) {
        return Some(format!("the durable calls differ:\n  {}\n  {}", calls(a), calls(b)));
    }
    None
}

/// NaN is the same as NaN here, and 0.0 is not the same as -0.0.
fn same_outcome(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (Outcome::Done(x), Outcome::Done(y)) => super::cpython::form(x) == super::cpython::form(y),
        _ => a == b,
    }
}

/// Runs a program in every way. A run in a small heap may end for lack of memory.
pub fn agree(programs: &Lowerings, reference: &Run) -> Result<(), Finding> {
    let Lowerings { fast, plain, half, other, main } = programs;
    // Those that stop come first: one that loops for ever is found there, and not only by who waits for it.
    let ways: [(&'static str, Vec<&Arc<Program>>, Stops, u64); 12] = [
        ("VM interrupted", vec![fast], Stops::Interrupt, 0),
        ("VM without register allocation and fusion, interrupted", vec![plain], Stops::Interrupt, 0),
        ("VM restored at every stop", vec![fast], Stops::Restore { every: 1 }, 0),
        ("VM restored into other lowerings", vec![fast, plain, half, other], Stops::Restore { every: 1 }, 0),
        ("VM", vec![fast], Stops::Run, 0),
        ("VM without register allocation and fusion", vec![plain], Stops::Run, 0),
        ("VM without fusion", vec![half], Stops::Run, 0),
        ("VM in a small heap", vec![fast], Stops::Run, SMALL_HEAP),
        ("VM restored at every third stop", vec![plain, fast], Stops::Restore { every: 3 }, 0),
        ("VM restored at every eleventh stop", vec![fast], Stops::Restore { every: 11 }, 0),
        ("VM restored after as many stops as there are parts", vec![fast], Stops::Restore { every: 67 }, 0),
        ("VM restored in a small heap", vec![fast], Stops::Restore { every: 2 }, SMALL_HEAP),
    ];
    for (name, programs, stops, heap_bytes) in ways {
        let mut limits = Limits::default();
        if heap_bytes > 0 {
            limits.heap_bytes = heap_bytes;
        }
        let programs = programs.into_iter().map(Arc::clone).collect();
        // It stops where the evaluator takes a step, at most.
        let driver = Driver { programs, limits, stops, runs_max: 2 * reference.steps + 1_000 };
        let run = driver.run(*main, &[], &mut NoWorld).map_err(|e| Finding::new(name, e.to_string()))?;
        if heap_bytes > 0 && matches!(&run.outcome, Outcome::Failed(trap) if trap.kind == TrapKind::Memory) {
            continue;
        }
        if let Some(difference) = difference(reference, &run) {
            return Err(Finding::new(name, format!("evaluator and {name} disagree: {difference}")));
        }
    }
    Ok(())
}

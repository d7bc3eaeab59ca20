//! Damaged snapshots: whatever stands in a part whose checksums are right, restoring it gives an error or an isolate that runs
//! on without harm, to any outcome. What comes of it says nothing; that nothing panics or goes astray is the point.

use super::Finding;
use crate::choices::Choices;
use crate::mutate;
use bytes::Bytes;
use deepslate_ir::datum::Datum;
use deepslate_ir::image::Image;
use deepslate_regvm::testing::{Parts, reseal};
use deepslate_regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Options, Program, Request};
use std::sync::Arc;

const LIMITS: Limits = Limits { heap_bytes: 8 << 20, tasks: 100, call_depth: 200, message_bytes: 1 << 20 };

/// How many times an isolate is interrupted before it is left.
const RUNS_MAX: usize = 60;

/// The parts that a program leaves behind where it stands after so many stops, or at its end.
pub fn parts_after(program: &Arc<Program>, stops: usize) -> Result<Vec<(u64, Bytes)>, Finding> {
    let module = program.module();
    let main = module.flow("main").ok_or_else(|| Finding::new("accepted", "there is no flow `main`"))?;
    let mut isolate =
        Isolate::new(program, main, &[], LIMITS).map_err(|f| Finding::new("damage", format!("it can't start: {f}")))?;
    let mut parts = Parts::default();
    parts.apply(isolate.commit().map_err(|e| Finding::new("damage", e.to_string()))?);
    for _ in 0..stops {
        if !turn(&mut isolate) {
            break;
        }
        parts.apply(isolate.commit().map_err(|e| Finding::new("damage", e.to_string()))?);
    }
    Ok(parts.list())
}

/// Runs an isolate to its next stop, and answers one call if it waits; false if it goes no further.
fn turn(isolate: &mut Isolate) -> bool {
    let interrupt = Interrupt::new();
    interrupt.set();
    let exit = isolate.run(&mut NoHost, &interrupt);
    isolate.take_log();
    isolate.take_new_calls();
    match exit {
        Exit::Interrupted => true,
        Exit::Blocked => {
            match isolate.pending().iter().next().map(|c| (c.step, matches!(c.request, Request::Sleep { .. }))) {
                Some((step, true)) => isolate.complete(step, Ok(Datum::None)),
                _ => false,
            }
        }
        Exit::Done(_) | Exit::Failed(_) | Exit::Damaged(_) => false,
    }
}

/// Damages the parts of a running program in some ways, and restores and runs what passes. Gives how many were taken for good.
pub fn survives(image: &Image, choices: &mut Choices, rounds: usize) -> Result<usize, Finding> {
    let options = Options { allocate_registers: choices.chance(50), fuse: choices.chance(50) };
    let program = Program::new(image.clone(), options).map_err(|e| Finding::new("lowering", e.to_string()))?;
    let parts = parts_after(&program, choices.below(12))?;
    let mut taken = 0;
    for _ in 0..rounds {
        let mut damaged = parts.clone();
        if damaged.is_empty() {
            return Ok(taken);
        }
        let at = choices.below(damaged.len());
        let mut bytes = damaged[at].1.to_vec();
        mutate::bytes(&mut bytes, choices);
        reseal(&mut bytes);
        damaged[at].1 = bytes.into();
        let whole_below = if choices.chance(50) { 0 } else { u64::MAX };
        let Ok(mut isolate) = Isolate::restore_lazily(&program, &damaged, LIMITS, whole_below) else { continue };
        taken += 1;
        // The inspector looks at whatever is there.
        isolate.view();
        for _ in 0..RUNS_MAX {
            if !turn(&mut isolate) {
                break;
            }
        }
        isolate.view();
        let Ok(part) = isolate.commit() else {
            // Something damaged was reached, which both ways of stopping must say.
            if isolate.damage().is_none() {
                return Err(Finding::new("damage", "a commit fails, and no damage is known".to_owned()));
            }
            continue;
        };
        // What it now is, it can write down and read again.
        if part.number == 0
            && let Err(error) = Isolate::restore(&program, &[(0, part.bytes.into())], LIMITS)
        {
            let source = deepslate_ir::module::Module::to_string(image.module());
            return Err(Finding::new(
                "damage",
                format!("what was restored can't be restored again: {error}\n{source}"),
            ));
        }
    }
    Ok(taken)
}

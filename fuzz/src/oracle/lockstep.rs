//! Two isolates side by side, lowered otherwise, one of them dropped and restored on the way: wherever they stop they must
//! show the same tasks, frames and variables, have logged the same, and made the same calls.

use super::Finding;
use deepslate_ir::datum::Datum;
use deepslate_ir::image::Image;
use deepslate_regvm::testing::Parts;
use deepslate_regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Options, Program, Request};

/// Stops after which the two are left alone.
const STOPS_MAX: usize = 250;

/// What is seen of an isolate at a stop.
fn turn(isolate: &mut Isolate) -> (String, bool) {
    let interrupt = Interrupt::new();
    interrupt.set();
    let exit = isolate.run(&mut NoHost, &interrupt);
    let calls = isolate.take_new_calls();
    let seen = format!("{:#?}\n{calls:?}\n{:?}\nnext step {}", isolate.view(), isolate.take_log(), isolate.next_step());
    let goes_on = match &exit {
        Exit::Interrupted => true,
        Exit::Blocked => {
            let sleep = isolate.pending().iter().find(|c| matches!(c.request, Request::Sleep { .. })).map(|c| c.step);
            sleep.is_some_and(|step| isolate.complete(step, Ok(Datum::None)))
        }
        Exit::Done(_) | Exit::Failed(_) => false,
    };
    let exit = match exit {
        Exit::Done(value) => super::cpython::form(&value),
        other => format!("{other:?}"),
    };
    (format!("{exit}\n{seen}"), goes_on)
}

/// Compares them at every stop.
pub fn agree(image: &Image) -> Result<(), Finding> {
    let wrong = |message: String| Finding::new("lockstep", message);
    let lowered = |allocate_registers: bool, fuse: bool| {
        Program::new(image.clone(), Options { allocate_registers, fuse }).map_err(|e| wrong(e.to_string()))
    };
    let (fast, plain) = (lowered(true, true)?, lowered(false, false)?);
    let main = image.module().flow("main").ok_or_else(|| wrong("there is no flow `main`".to_owned()))?;
    let start = |program| {
        Isolate::new(program, main, &[], Limits::default()).map_err(|f| wrong(format!("it can't start: {f}")))
    };
    let (mut a, mut b) = (start(&fast)?, start(&plain)?);
    let mut parts = Parts::default();
    for stop in 0..STOPS_MAX {
        let (seen_a, goes_on) = turn(&mut a);
        let (seen_b, _) = turn(&mut b);
        if seen_a != seen_b {
            let differ = seen_a.lines().zip(seen_b.lines()).find(|(x, y)| x != y);
            return Err(wrong(format!(
                "at stop {stop} they differ: {differ:?}\n--- one\n{seen_a}\n--- other\n{seen_b}"
            )));
        }
        if !goes_on {
            return Ok(());
        }
        parts.apply(b.commit());
        if stop % 3 == 0 {
            let next = if stop % 2 == 0 { &fast } else { &plain };
            b = Isolate::restore(next, &parts.list(), Limits::default()).map_err(|e| wrong(e.to_string()))?;
        }
    }
    Ok(())
}

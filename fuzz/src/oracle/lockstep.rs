//! Two isolates side by side, lowered otherwise, one of them dropped and restored on the way: wherever they stop they must
//! show the same tasks, frames and variables, have logged the same, and made the same calls.

use super::Finding;
use super::machines::Lowerings;
use deepslate_ir::datum::Datum;
use deepslate_regvm::testing::Parts;
use deepslate_regvm::view::View;
use deepslate_regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Request};

/// Stops after which the two are left alone.
const STOPS_MAX: usize = 250;

/// What is seen of an isolate at a stop.
#[derive(Debug, PartialEq)]
struct Seen {
    exit: String,
    view: View,
    /// As texts, in which one NaN is as good as another.
    calls: Vec<String>,
    log: Vec<String>,
    next_step: u64,
}

/// Runs to the next stop; the flag tells whether it can go on.
fn turn(isolate: &mut Isolate) -> (Seen, bool) {
    let interrupt = Interrupt::new();
    interrupt.set();
    let exit = isolate.run(&mut NoHost, &interrupt);
    let calls = isolate.take_new_calls().iter().map(|call| format!("{call:?}")).collect();
    let (view, log, next_step) = (isolate.view(), isolate.take_log(), isolate.next_step());
    let goes_on = match &exit {
        Exit::Interrupted => true,
        Exit::Blocked => {
            let sleep = isolate.pending().iter().find(|c| matches!(c.request, Request::Sleep { .. })).map(|c| c.step);
            sleep.is_some_and(|step| isolate.complete(step, Ok(Datum::None)))
        }
        Exit::Done(_) | Exit::Failed(_) | Exit::Damaged(_) => false,
    };
    let exit = match exit {
        Exit::Done(value) => super::cpython::form(&value),
        other => format!("{other:?}"),
    };
    (Seen { exit, view, calls, log, next_step }, goes_on)
}

/// Compares them at every stop.
pub fn agree(programs: &Lowerings) -> Result<(), Finding> {
    let wrong = |message: String| Finding::new("lockstep", message);
    let Lowerings { fast, plain, main, .. } = programs;
    let start = |program| {
        Isolate::new(program, *main, &[], Limits::default()).map_err(|f| wrong(format!("it can't start: {f}")))
    };
    let (mut a, mut b) = (start(fast)?, start(plain)?);
    let mut parts = Parts::default();
    for stop in 0..STOPS_MAX {
        let (seen_a, goes_on) = turn(&mut a);
        let (seen_b, _) = turn(&mut b);
        if seen_a != seen_b {
            let (one, other) = (format!("{seen_a:#?}"), format!("{seen_b:#?}"));
            let differ = one.lines().zip(other.lines()).find(|(x, y)| x != y);
            return Err(wrong(format!("at stop {stop} they differ: {differ:?}\n--- one\n{one}\n--- other\n{other}")));
        }
        if !goes_on {
            return Ok(());
        }
        parts.apply(b.commit().map_err(|e| wrong(e.to_string()))?);
        if stop % 3 == 0 {
            let next = if stop % 2 == 0 { fast } else { plain };
            let whole_below = if stop % 4 == 0 { u64::MAX } else { 0 };
            let back = Isolate::restore_lazily(next, &parts.list(), Limits::default(), whole_below);
            b = back.map_err(|e| wrong(e.to_string()))?;
        }
    }
    Ok(())
}

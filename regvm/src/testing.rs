//! Runs an isolate to its end the way the evaluator does, for tests that compare the two: the same world answers host
//! functions, sleeps end on a virtual clock, and the result is the evaluator's own type. On the way the isolate may be
//! committed, dropped and restored as often as a test wants, also into programs that were lowered otherwise.
//!
//! It keeps parts as a store would. The engine does not use it.

use crate::isolate::{Host, Isolate, Limits};
use crate::program::Program;
use crate::snapshot::{Part, SnapshotError};
use crate::stop::{Call, Exit, Interrupt, Request, Trap};
use crate::trace::TraceLine;
use bytes::Bytes;
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::{FuncId, HostId};
use deepslate_ir::interp::{self, DurableCall, Outcome, Run, World};
use deepslate_ir::trap::Fault;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a driver does wherever the isolate can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// Nothing: it runs until it is blocked.
    Run,
    /// It stops at every poll and wherever a task gives way, and goes on.
    Interrupt,
    /// It stops there and commits, and after this many commits it drops the isolate and restores it.
    Restore {
        /// At least 1.
        every: u32,
    },
}

/// The parts of one isolate, as a store keeps them.
#[derive(Clone, Debug, Default)]
pub struct Parts(BTreeMap<u64, Bytes>);

impl Parts {
    /// Does what a part asks for.
    pub fn apply(&mut self, part: Part) {
        self.0.split_off(&part.drop_from);
        self.0.insert(part.number, part.bytes.into());
    }

    /// What is kept, oldest first.
    pub fn list(&self) -> Vec<(u64, Bytes)> {
        self.0.iter().map(|(number, bytes)| (*number, bytes.clone())).collect()
    }

    /// The sum of their sizes, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.values().map(Bytes::len).sum()
    }
}

/// Puts a part's checksums right after a test has damaged it, so that the damage itself is looked at.
pub fn reseal(part: &mut [u8]) {
    crate::snapshot::reseal(part);
}

struct WorldHost<'a> {
    program: Arc<Program>,
    world: &'a mut dyn World,
    clock: f64,
    draws: &'a mut u64,
}

impl Host for WorldHost<'_> {
    fn call_pure(&mut self, host: HostId, args: &[Datum]) -> Result<Datum, Fault> {
        self.world.call_pure(self.program.module().host(host), args)
    }

    fn now_ms(&mut self) -> i64 {
        self.world.now_ms(self.clock)
    }

    fn chance(&mut self) -> u64 {
        *self.draws += 1;
        self.world.chance(*self.draws - 1)
    }
}

/// A program lowered in one way or several, a function, and how it is run.
#[derive(Clone, Debug)]
pub struct Driver {
    /// The same image, lowered in one way or several; each restore takes the next one. At least one.
    pub programs: Vec<Arc<Program>>,
    /// The limits of the isolate.
    pub limits: Limits,
    /// Where it is stopped.
    pub stops: Stops,
    /// The most runs; past them the outcome is `OutOfSteps`.
    pub runs_max: u64,
}

impl Driver {
    /// Runs this program to its end without a stop.
    pub fn new(program: &Arc<Program>) -> Driver {
        Driver {
            programs: vec![Arc::clone(program)],
            limits: Limits::default(),
            stops: Stops::Run,
            runs_max: 1_000_000,
        }
    }

    /// Runs a function to its end. Fails where its own snapshot can't be restored.
    pub fn run(&self, func: FuncId, args: &[Datum], world: &mut dyn World) -> Result<Run, SnapshotError> {
        let mut run = Run { outcome: Outcome::OutOfSteps, log: Vec::new(), calls: Vec::new(), steps: 0, clock: 0.0 };
        let mut isolate = match Isolate::new(&self.programs[0], func, args, self.limits) {
            Ok(isolate) => isolate,
            Err(fault) => {
                let trap = interp::Trap { kind: fault.kind, message: fault.message, task: 0, trace: Vec::new() };
                run.outcome = Outcome::Failed(trap);
                return Ok(run);
            }
        };
        let interrupt = Interrupt::new();
        let (mut parts, mut commits) = (Parts::default(), 0u32);
        let mut due: BTreeMap<u64, f64> = BTreeMap::new();
        let mut draws = 0;
        for _ in 0..self.runs_max {
            if let Stops::Restore { every } = self.stops {
                parts.apply(isolate.commit()?);
                commits += 1;
                if commits.is_multiple_of(every) {
                    let next = &self.programs[(commits / every) as usize % self.programs.len()];
                    // Two of three open their objects when they are reached.
                    let whole_below = if (commits / every).is_multiple_of(3) { u64::MAX } else { 0 };
                    isolate = Isolate::restore_lazily(next, &parts.list(), self.limits, whole_below)?;
                }
            }
            if self.stops != Stops::Run {
                interrupt.set();
            }
            run.steps += 1;
            let program = Arc::clone(isolate.program());
            let mut host = WorldHost { program, world, clock: run.clock, draws: &mut draws };
            let exit = isolate.run(&mut host, &interrupt);
            run.log.extend(isolate.take_log());
            for call in isolate.take_new_calls() {
                if let Request::Sleep { seconds } = call.request {
                    due.insert(call.step, run.clock + seconds);
                }
                run.calls.push(durable_call(&call));
            }
            run.outcome = match exit {
                Exit::Interrupted => continue,
                Exit::Blocked => {
                    if answer(&mut isolate, world, &mut due, &mut run.clock) {
                        continue;
                    }
                    Outcome::Blocked(isolate.pending().iter().map(|c| c.step).collect())
                }
                Exit::Done(value) => Outcome::Done(value),
                Exit::Failed(trap) => Outcome::Failed(evaluators(&trap)),
                Exit::Damaged(error) => return Err(error),
            };
            return Ok(run);
        }
        run.outcome = Outcome::OutOfSteps;
        Ok(run)
    }
}

/// Answers one durable call, as the evaluator would; tells whether there was one to answer.
fn answer(isolate: &mut Isolate, world: &mut dyn World, due: &mut BTreeMap<u64, f64>, clock: &mut f64) -> bool {
    let program = Arc::clone(isolate.program());
    for call in isolate.pending().to_vec() {
        let Request::Host { host, args } = &call.request else { continue };
        if let Some(answer) = world.call(call.step, program.module().host(*host), args) {
            return isolate.complete(call.step, answer);
        }
    }
    let first = due.iter().min_by(|a, b| a.1.total_cmp(b.1)).map(|(step, at)| (*step, *at));
    let now_ms = world.now_ms(*clock);
    if let Some(at) = interp::fires_at(*clock, now_ms, first.map(|(_, at)| at), isolate.next_timer_ms()) {
        *clock = at;
        return isolate.fire_timers(world.now_ms(at));
    }
    let Some((step, at)) = first else { return false };
    due.remove(&step);
    *clock = clock.max(at);
    isolate.complete(step, Ok(Datum::None))
}

fn durable_call(call: &Call) -> DurableCall {
    let request = match &call.request {
        Request::Sleep { seconds } => interp::Request::Sleep(*seconds),
        Request::Host { host, args } => interp::Request::Host(*host, args.clone()),
    };
    DurableCall { step: call.step, task: call.task.0, request }
}

fn evaluators(trap: &Trap) -> interp::Trap {
    let line = |l: &TraceLine| interp::TraceLine {
        func: l.func.clone(),
        file: l.file.clone(),
        line: l.line,
        column: l.column,
    };
    interp::Trap {
        kind: trap.kind,
        message: trap.message.clone(),
        task: trap.task.0,
        trace: trap.trace.iter().map(line).collect(),
    }
}

/// Runs a function with a commit, a drop and a restore at every stop, each time into the next of these programs (the same
/// image, lowered in one way or several).
pub fn run_with_restore_at_every_stop(
    programs: &[Arc<Program>],
    func: FuncId,
    args: &[Datum],
    limits: Limits,
    world: &mut dyn World,
) -> Result<Run, SnapshotError> {
    let stops = Stops::Restore { every: 1 };
    Driver { programs: programs.to_vec(), limits, stops, runs_max: 1_000_000 }.run(func, args, world)
}

//! The evaluator: runs the IR itself, slowly and checked, and so says what any faster machine must do. Every value carries
//! its type, which is compared at each use; at each stop a frame forgets all that its stop does not list, so that a list that
//! lacks something shows. It is never the product.
//!
//! The rules of tasks, which the VM keeps too:
//! - The ready queue is first in, first out. A new task goes to its end and its creator goes on. A task gives way only where it
//!   blocks or ends.
//! - A put with a task waiting to get hands the element to the first of them, which goes to the end of the ready queue; else it
//!   goes into the queue if there is room; else the task waits in line. A get takes the oldest element, then moves the element
//!   of the first task waiting to put in and readies that task; with capacity 0 the element goes from hand to hand.
//! - A lock that is released goes to the first in its line. A wait group that comes to zero readies all who wait, in order.
//! - A select looks at its cases from the one after the case that its task's last select took (`last_case`, by index, whatever
//!   select that was; from the first case if there was none), once round, and takes the first that is ready; else its default,
//!   which does not count as taken; else it waits in line at each case's queue in the order of the cases, and whoever serves
//!   one of them takes it out of the others.
//! - When no task can run, one durable call is answered: the first, by step, to which the world has an answer; if it has none,
//!   the sleep that ends first on the virtual clock, by step among equals. Its task goes to the end of the ready queue.
//! - An `after` that is due by the clock has its element as soon as anybody looks at its queue. Where all tasks are blocked, those
//!   that are due first of the ones that a task waits for fire as the first sleep would end, if they are due before it.
//! - A close readies all who wait at the queue, first those who wait for an element, each in the order of its line; who waits to
//!   get or to put then traps.
//! - If nothing is left to answer and no call is pending, that is a deadlock: a trap of the first task that waits. A task that
//!   waits for an element of a queue with a name is not deadlocked.

mod exec;
mod heap;
#[cfg(test)]
mod tests;

use crate::datum::{self, Datum, from_datum};
use crate::entity::{Block, FuncId, HostId, TypeId};
use crate::module::{Func, Host, Module};
use crate::trap::{Fault, TrapKind, Waiting};
use heap::Heap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Bounds of a run; past the first five it traps as the VM does, except that memory is counted but never given back.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tasks that have not ended.
    pub tasks: usize,
    /// Frames of one task.
    pub call_depth: usize,
    /// Bytes of a value that crosses the border.
    pub message_bytes: u64,
    /// Bytes of all objects ever made.
    pub heap_bytes: usize,
    /// Instructions; the run ends as `OutOfSteps` after them.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { tasks: 10_000, call_depth: 1_000, message_bytes: 4 << 20, heap_bytes: 1 << 30, steps: 10_000_000 }
    }
}

/// What answers host functions, and says the time.
pub trait World {
    /// Calls a pure host function, inline.
    fn call_pure(&mut self, host: &Host, args: &[Datum]) -> Result<Datum, Fault>;

    /// The result of the durable call with this step, if it has come in. Asked whenever no task can run.
    fn call(&mut self, step: u64, host: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>>;

    /// The clock in unix milliseconds when the virtual clock stands at this many seconds since the start of the run.
    fn now_ms(&mut self, clock: f64) -> i64 {
        BEGINNING_MS.saturating_add((clock * 1000.0).round() as i64)
    }

    /// 64 random bits: those of the run's draw with this number, from 0. The same ones in each run, so that runs compare.
    fn chance(&mut self, draw: u64) -> u64 {
        // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
        let mut z = (draw + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// What the clock of a world says at the start of a run, unless it says otherwise: 2023-11-14 22:13:20 UTC.
pub const BEGINNING_MS: i64 = 1_700_000_000_000;

/// A world without host functions.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWorld;

impl World for NoWorld {
    fn call_pure(&mut self, host: &Host, _: &[Datum]) -> Result<Datum, Fault> {
        Err(Fault::new(TrapKind::Host, format!("no host function {}", host.name)))
    }

    fn call(&mut self, _: u64, _: &Host, _: &[Datum]) -> Option<Result<Datum, Fault>> {
        None
    }
}

/// What a durable call asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// To wait for this many seconds.
    Sleep(f64),
    /// To call a host function with these arguments.
    Host(HostId, Vec<Datum>),
}

/// A durable call that was made, answered or not.
#[derive(Clone, Debug, PartialEq)]
pub struct DurableCall {
    /// Its number in the run, from 0.
    pub step: u64,
    /// The task that made it.
    pub task: u64,
    /// What it asked for.
    pub request: Request,
}

/// A line of a trap's trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// The function.
    pub func: String,
    /// The file, empty where there is none.
    pub file: String,
    /// From 1; 0 is nowhere.
    pub line: u32,
    /// From 1; 0 is nowhere.
    pub column: u32,
}

/// What failed a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What kind of mistake.
    pub kind: TrapKind,
    /// In words.
    pub message: String,
    /// The task.
    pub task: u64,
    /// Where it stood, innermost function first.
    pub trace: Vec<TraceLine>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All tasks ended; the first one's value.
    Done(Datum),
    /// A task trapped.
    Failed(Trap),
    /// All tasks are blocked, and the world has no answer to the durable calls that are pending, given by their steps.
    Blocked(Vec<u64>),
    /// The budget of steps is used up.
    OutOfSteps,
    /// A check of the evaluator failed, which a verified module can't make happen: a bug of the verifier, or of a pass.
    Broken(String),
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// How it ended.
    pub outcome: Outcome,
    /// The lines that it logged.
    pub log: Vec<String>,
    /// The durable calls that it made, in the order of their steps.
    pub calls: Vec<DurableCall>,
    /// How many instructions it took.
    pub steps: u64,
    /// The virtual clock at its end, in seconds from its start.
    pub clock: f64,
}

/// Where all tasks are blocked: the clock to which it goes if a timer that is waited for fires before the first sleep ends, both
/// compared as milliseconds, a sleep going first.
pub fn fires_at(clock: f64, now_ms: i64, sleep: Option<f64>, timer_ms: Option<i64>) -> Option<f64> {
    let timer = (clock * 1000.0).round() + timer_ms?.saturating_sub(now_ms) as f64;
    let is_first = sleep.is_none_or(|due| timer < (due * 1000.0).round());
    is_first.then(|| clock.max(timer / 1000.0))
}

/// When a timer of this many seconds that is set now is due, in unix milliseconds: never early, and never out of range.
pub fn due_ms(now_ms: i64, seconds: f64) -> i64 {
    /// The end of the year 9999.
    const LAST_MS: i64 = 253_402_300_799_999;
    let ms = (seconds * 1000.0).ceil();
    if ms >= (LAST_MS - now_ms.min(LAST_MS)) as f64 { LAST_MS } else { now_ms + ms as i64 }
}

/// Runs a function of a verified module as the first task of an isolate.
pub fn run(module: &Arc<Module>, func: FuncId, args: &[Datum], limits: Limits, world: &mut dyn World) -> Run {
    let mut machine = Machine {
        module: Arc::clone(module),
        heap: Heap::new(Arc::clone(module), limits.heap_bytes),
        limits,
        tasks: Vec::new(),
        alive: 0,
        ready: VecDeque::new(),
        calls: Vec::new(),
        pending: BTreeMap::new(),
        clock: 0.0,
        named: BTreeMap::new(),
        draws: 0,
        steps: 0,
        result: None,
        halted: None,
    };
    let outcome = match machine.start(func, args).and_then(|()| machine.run(world)) {
        Ok(outcome) => outcome,
        Err(Halt::Fault(task, fault)) => Outcome::Failed(machine.trap(task, fault)),
        Err(Halt::OutOfSteps) => Outcome::OutOfSteps,
        Err(Halt::Broken(message)) => Outcome::Broken(message),
    };
    Run { outcome, log: machine.heap.log, calls: machine.calls, steps: machine.steps, clock: machine.clock }
}

/// A value with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Typed {
    ty: TypeId,
    slot: u64,
}

#[derive(Debug)]
struct Frame {
    func: FuncId,
    block: Block,
    /// The index in the block of the instruction that runs next, or that the frame stands at.
    at: usize,
    values: Vec<Option<Typed>>,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Ready,
    /// For the durable call with this step.
    Durable(u64),
    /// For a sync object; a select for several.
    Sync(Waiting, Vec<u64>),
    Ended,
}

#[derive(Debug)]
struct Task {
    frames: Vec<Frame>,
    state: State,
    last_case: Option<usize>,
    /// What it traps by when it runs on: somebody closed the queue that it waited at.
    fault: Option<Fault>,
}

/// Why a run stops before its end.
enum Halt {
    Fault(usize, Fault),
    OutOfSteps,
    Broken(String),
}

struct Pending {
    task: usize,
    /// When a sleep ends; nothing for a host call.
    due: Option<f64>,
}

struct Machine {
    module: Arc<Module>,
    heap: Heap,
    limits: Limits,
    tasks: Vec<Task>,
    alive: usize,
    ready: VecDeque<usize>,
    calls: Vec<DurableCall>,
    pending: BTreeMap<u64, Pending>,
    clock: f64,
    /// The queues that have a name.
    named: BTreeMap<String, u64>,
    /// How often chance was asked.
    draws: u64,
    steps: u64,
    result: Option<Datum>,
    /// What went wrong with a task that another one woke.
    halted: Option<Halt>,
}

impl Machine {
    fn start(&mut self, func: FuncId, args: &[Datum]) -> Result<(), Halt> {
        let params: Vec<TypeId> = self.module.func(func).params.iter().map(|p| p.ty).collect();
        if params.len() != args.len() {
            let message =
                format!("{} takes {} arguments, not {}", self.module.func(func).name, params.len(), args.len());
            return Err(Halt::Fault(0, Fault::new(TrapKind::Value, message)));
        }
        let mut values = Vec::new();
        for (ty, arg) in params.into_iter().zip(args) {
            let slot = from_datum(&mut self.heap, ty, arg).map_err(|f| Halt::Fault(0, f))?;
            values.push(Typed { ty, slot });
        }
        self.add_task(func, &values);
        Ok(())
    }

    fn add_task(&mut self, func: FuncId, args: &[Typed]) {
        let frame = self.frame(func, args);
        self.ready.push_back(self.tasks.len());
        self.tasks.push(Task { frames: vec![frame], state: State::Ready, last_case: None, fault: None });
        self.alive += 1;
    }

    fn frame(&self, func: FuncId, args: &[Typed]) -> Frame {
        let f = self.module.func(func);
        let mut values = vec![None; f.values.len()];
        for (param, arg) in f.block(Func::ENTRY).params.iter().zip(args) {
            values[param.index()] = Some(*arg);
        }
        Frame { func, block: Func::ENTRY, at: 0, values }
    }

    fn run(&mut self, world: &mut dyn World) -> Result<Outcome, Halt> {
        loop {
            while let Some(task) = self.ready.pop_front() {
                while self.tasks[task].state == State::Ready {
                    match self.step(task, world) {
                        Err(Halt::Fault(of, fault)) if of == task && fault.kind == TrapKind::Overflow => {
                            if !self.call_again(task, world)? {
                                return Err(Halt::Fault(of, fault));
                            }
                        }
                        done => done?,
                    }
                }
            }
            if self.alive == 0 {
                let result = self.result.take();
                return result.map(Outcome::Done).ok_or_else(|| Halt::Broken("the first task left no value".into()));
            }
            if self.answer(world)? {
                continue;
            }
            if !self.pending.is_empty() || self.waits_outside() {
                return Ok(Outcome::Blocked(self.pending.keys().copied().collect()));
            }
            return Err(self.deadlock());
        }
    }

    /// Answers one durable call; tells whether there was one to answer.
    fn answer(&mut self, world: &mut dyn World) -> Result<bool, Halt> {
        let module = Arc::clone(&self.module);
        for (step, pending) in &self.pending {
            let Request::Host(host, args) = &self.calls[*step as usize].request else { continue };
            let host = module.host(*host);
            if let Some(answer) = world.call(*step, host, args) {
                let (step, task) = (*step, pending.task);
                self.pending.remove(&step);
                let slot = self.accept(host, answer).map_err(|f| Halt::Fault(task, f))?;
                self.deliver(task, slot)?;
                self.make_ready(task);
                return Ok(true);
            }
        }
        let sleeps = self.pending.iter().filter_map(|(step, p)| p.due.map(|due| (due, *step, p.task)));
        let sleep = sleeps.min_by(|a, b| a.0.total_cmp(&b.0));
        let now_ms = world.now_ms(self.clock);
        if let Some(clock) = fires_at(self.clock, now_ms, sleep.map(|s| s.0), self.next_timer_ms()) {
            self.clock = clock;
            let now_ms = world.now_ms(clock);
            self.fire_waited_for(now_ms);
            return self.halted.take().map_or(Ok(true), Err);
        }
        let Some((due, step, task)) = sleep else { return Ok(false) };
        self.pending.remove(&step);
        self.clock = self.clock.max(due);
        self.deliver(task, 0)?;
        self.make_ready(task);
        Ok(true)
    }

    /// The timers that a task waits for: when due, which task, the queue.
    fn waited_for(&self) -> Vec<(i64, usize, u64)> {
        let mut out = Vec::new();
        for (id, task) in self.tasks.iter().enumerate() {
            let State::Sync(Waiting::Get | Waiting::Select, objects) = &task.state else { continue };
            for object in objects {
                let queue = self.heap.queue(*object);
                if let Some(due_ms) = queue.due_ms
                    && queue.getters.iter().any(|w| w.task == id)
                {
                    out.push((due_ms, id, *object));
                }
            }
        }
        out.sort_by_key(|(due_ms, id, _)| (*due_ms, *id));
        out
    }

    fn next_timer_ms(&self) -> Option<i64> {
        self.waited_for().first().map(|(due_ms, ..)| *due_ms)
    }

    /// Whether a task waits for what comes from outside by a queue's name.
    fn waits_outside(&self) -> bool {
        self.named.values().any(|queue| !self.heap.queue(*queue).getters.is_empty())
    }

    /// Lets the timers fire that are due and waited for.
    fn fire_waited_for(&mut self, now_ms: i64) {
        for (due_ms, _, queue) in self.waited_for() {
            if due_ms <= now_ms {
                self.settle_timer(queue, now_ms);
            }
        }
    }

    /// What a host function gave, in the heap.
    fn accept(&mut self, host: &Host, answer: Result<Datum, Fault>) -> Result<u64, Fault> {
        let answer = answer?;
        datum::check_size(&host.name, &answer, self.limits.message_bytes)?;
        from_datum(&mut self.heap, host.ret, &answer).map_err(|fault| match fault.kind {
            TrapKind::Value => {
                Fault::new(TrapKind::Host, format!("{} returned a wrong value: {}", host.name, fault.message))
            }
            _ => fault,
        })
    }

    fn make_ready(&mut self, task: usize) {
        self.tasks[task].state = State::Ready;
        self.ready.push_back(task);
    }

    fn deadlock(&self) -> Halt {
        let waits = self.tasks.iter().enumerate().filter_map(|(id, task)| match &task.state {
            State::Sync(waiting, _) => Some((id as u64, *waiting, self.place(task))),
            _ => None,
        });
        let first = self.tasks.iter().position(|t| matches!(t.state, State::Sync(..))).unwrap_or(0);
        Halt::Fault(first, Fault::deadlock(waits))
    }

    /// The file and line where a task stands.
    fn place(&self, task: &Task) -> Option<(&str, u32)> {
        let frame = task.frames.last()?;
        let span = self.span(frame)?;
        let file = self.module.files.get(span.file as usize)?;
        (span.line > 0).then_some((file.path.as_str(), span.line))
    }

    fn span(&self, frame: &Frame) -> Option<crate::module::Span> {
        let func = self.module.func(frame.func);
        func.block(frame.block).insts.get(frame.at).map(|inst| func.inst(*inst).span)
    }

    fn trap(&self, task: usize, fault: Fault) -> Trap {
        let frames = self.tasks.get(task).map_or(&[][..], |t| &t.frames);
        let line = |frame: &Frame| {
            let span = self.span(frame).unwrap_or_default();
            let file = self.module.files.get(span.file as usize).filter(|_| span.line > 0);
            TraceLine {
                func: self.module.func(frame.func).name.clone(),
                file: file.map_or_else(String::new, |f| f.path.clone()),
                line: span.line,
                column: span.column,
            }
        };
        let trace = frames.iter().rev().map(line).collect();
        Trap { kind: fault.kind, message: fault.message, task: task as u64, trace }
    }
}

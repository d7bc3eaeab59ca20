//! An isolate: one running instance of a flow, from its arguments or a snapshot to its result. This is the crate's face to
//! the engine.
//!
//! It relies on its program being verified and on the heap's facts. It acts on nothing outside: durable calls are listed for
//! whoever runs it, results are handed in, and snapshots are bytes.

use crate::exec::{self, Leave};
use crate::heap::{Heap, Put, Ref, Waiter};
use crate::ops::{Form, Word};
use crate::program::Program;
use crate::save::{self, Saving};
use crate::snapshot::{self, Ledger, Part, SnapshotError, Urgency};
use crate::stop::{Call, Exit, Interrupt, Request, TaskId, Trap};
use crate::task::{Frame, Resume, State, Table, Task, Wait};
use crate::trace::TraceLine;
use crate::view::View;
use bytes::Bytes;
use deepslate_ir::datum::{self, Datum, from_datum, to_datum};
use deepslate_ir::entity::{FuncId, HostId, TypeId};
use deepslate_ir::trap::{Fault, TrapKind, Waiting};
use deepslate_ir::types::Type;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What an isolate may use; over a limit is a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of heap; the frames of tasks count with it when they are made.
    pub heap_bytes: u64,
    /// Live tasks.
    pub tasks: u32,
    /// Frames of one task.
    pub call_depth: u32,
    /// Bytes of one value that crosses the border, as `datum::to_datum` counts them.
    pub message_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { heap_bytes: 256 << 20, tasks: 10_000, call_depth: 1_000, message_bytes: 4 << 20 }
    }
}

/// What the machine asks while it runs, without leaving `run`.
pub trait Host {
    /// Calls a pure host function. The result is checked against the declared type; a fault is a trap of the flow.
    fn call_pure(&mut self, host: HostId, args: &[Datum]) -> Result<Datum, Fault>;

    /// The clock, in unix milliseconds.
    fn now_ms(&mut self) -> i64;

    /// 64 random bits.
    fn chance(&mut self) -> u64;
}

/// A host without functions, clock and chance: each call is a trap, time stands at 0, and every draw is 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn call_pure(&mut self, host: HostId, _: &[Datum]) -> Result<Datum, Fault> {
        Err(Fault::new(TrapKind::Host, format!("there are no host functions here ({host})")))
    }

    fn now_ms(&mut self) -> i64 {
        0
    }

    fn chance(&mut self) -> u64 {
        0
    }
}

/// What a task that waited in a line is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given {
    /// Nothing: what it waited for is done.
    Nothing,
    /// An element of a queue.
    Element(u64),
    /// The end of a queue that it wanted an element of.
    End,
    /// The end of a queue that it wanted to put into.
    Refusal,
}

/// The parts of an isolate that a running task works on.
pub(crate) struct Core {
    pub program: Arc<Program>,
    pub heap: Heap,
    pub table: Table,
    pub limits: Limits,
}

impl Core {
    /// Lets a task go on that waited in a line: with what it waited for, at the end of the ready queue.
    pub fn wake(&mut self, waiter: Waiter, given: Given) {
        let task = self.table.tasks.get(&waiter.task).expect("a task that waits in a line is in the table");
        let value = match (given, task.receives(&self.program, waiter.case)) {
            (Given::Refusal, _) => Err(Fault::put_into_closed()),
            (Given::End, None) => Err(Fault::get_from_closed()),
            (Given::End, Some(list)) => self.heap.new_list(list, &[]).map(Ref::slot),
            (Given::Element(element), Some(list)) => self.heap.new_list(list, &[element]).map(Ref::slot),
            (Given::Element(element), None) => Ok(element),
            (Given::Nothing, _) => Ok(0),
        };
        let resume = match (value, waiter.case) {
            (Ok(value), None) => Resume::Deliver(value),
            (Ok(value), Some(case)) => Resume::Case(case, value),
            // It is that task's trap, where it stands.
            (Err(fault), _) => Resume::Fault(Box::new(fault)),
        };
        let task = self.table.tasks.get_mut(&waiter.task).expect("it was there just now");
        let waited = std::mem::replace(&mut task.state, State::Ready(resume));
        task.mark = self.heap.interval();
        if let State::Waiting(Wait::Select(queues)) = waited {
            for queue in queues {
                self.heap.queue_leave(Ref::from_slot(queue), waiter.task);
            }
        }
        self.table.ready.push_back(waiter.task);
    }

    /// Puts the element of a timer that is due in.
    pub fn settle_timer(&mut self, queue: Ref, now_ms: i64) {
        if self.heap.queue_due_ms(queue).is_some_and(|due_ms| due_ms <= now_ms)
            && let Some((getter, element)) = self.heap.queue_fire(queue)
        {
            self.wake(getter, Given::Element(element));
        }
    }

    /// The timers that tasks wait for: when due, which task, the queue; the first due first.
    fn waited_for(&self) -> Vec<(i64, u64, Ref)> {
        let mut out = Vec::new();
        for (id, task) in &self.table.tasks {
            let queues = match &task.state {
                State::Waiting(Wait::Get(queue)) => std::slice::from_ref(queue),
                State::Waiting(Wait::Select(queues)) => queues,
                _ => continue,
            };
            for queue in queues.iter().map(|slot| Ref::from_slot(*slot)) {
                if let Some(due_ms) = self.heap.queue_due_ms(queue)
                    && self.heap.queue_is_waited_for(queue)
                {
                    out.push((due_ms, *id, queue));
                }
            }
        }
        out.sort_by_key(|(due_ms, id, _)| (*due_ms, *id));
        out
    }

    /// Whether a task waits for what comes by itself: the time, or what is sent to a queue with a name.
    fn waits_outside(&self) -> bool {
        let named = self.table.named.values().any(|(_, slot)| self.heap.queue_is_waited_for(Ref::from_slot(*slot)));
        named || !self.waited_for().is_empty()
    }

    /// Takes more words of register stack into account. Fails over the limit of memory, which heap and stacks share.
    pub fn charge_stack(&mut self, words: usize) -> Result<(), Fault> {
        let (limit, heap) = (self.limits.heap_bytes, self.heap.bytes());
        let stacks = (self.table.stack_words + words as u64).saturating_mul(8);
        if heap.saturating_add(stacks) > limit {
            let message = format!(
                "out of memory: {heap} bytes of objects and {stacks} of tasks' frames are over the limit of {limit} bytes"
            );
            return Err(Fault::new(TrapKind::Memory, message));
        }
        self.table.stack_words += words as u64;
        Ok(())
    }

    /// What a host function gave, in the heap.
    pub fn accept(&mut self, host: HostId, answer: Result<Datum, Fault>) -> Result<u64, Fault> {
        let program = Arc::clone(&self.program);
        let host = program.module().host(host);
        let answer = answer?;
        datum::check_size(&host.name, &answer, self.limits.message_bytes)?;
        from_datum(&mut self.heap, host.ret, &answer).map_err(|fault| match fault.kind {
            TrapKind::Value => {
                Fault::new(TrapKind::Host, format!("{} returned a wrong value: {}", host.name, fault.message))
            }
            _ => fault,
        })
    }

    /// After an overflow: the result of the host function of the outermost `call_or_host` that the task stands in, whose frame is
    /// then the innermost. None where there is none, or none with a result.
    fn call_again(&mut self, task: &mut Task, host: &mut dyn Host) -> Option<u64> {
        let program = Arc::clone(&self.program);
        let (module, words) = (program.module(), program.words());
        let (_, callers) = task.frames.split_last()?;
        let stands = |frame: &Frame| Word(words[frame.pc as usize]).number() == Form::CallOrHost as u16;
        let at = callers.iter().position(stands)?;
        let (caller, callee) = (task.frames[at], FuncId(task.frames[at + 1].func));
        let id = module.host_of(callee)?;
        let (pc, base) = (caller.pc as usize, caller.base as usize);
        let mut args = Vec::new();
        for (index, param) in module.func(callee).params.iter().enumerate() {
            // As `exec::call::pass` reads them; the caller's registers are as they were when it called.
            let register = (words[pc + 2 + index / 2] >> (index % 2 * 32)) as u16;
            let slot = task.regs[base + usize::from(register)];
            args.push(to_datum(&self.heap, param.ty, slot, self.limits.message_bytes).ok()?);
        }
        let answer = host.call_pure(id, &args);
        let value = self.accept(id, answer).ok()?;
        task.frames.truncate(at + 1);
        Some(value)
    }

    /// Keeps a copy of what the first task returned: what the other tasks do to the value later is not its result.
    fn keep_result(&mut self, value: u64) -> Result<(), Fault> {
        let ty = self.program.module().func(self.table.flow).ret;
        let datum = to_datum(&self.heap, ty, value, self.limits.message_bytes)?;
        self.table.result = Some(from_datum(&mut self.heap, ty, &datum)?);
        Ok(())
    }

    fn result(&self) -> Result<Datum, Fault> {
        let ty = self.program.module().func(self.table.flow).ret;
        let slot = self.table.result.expect("the first task has ended");
        to_datum(&self.heap, ty, slot, self.limits.message_bytes)
    }

    /// Where each frame of a task stands, innermost first.
    pub fn trace(&self, task: &Task) -> Vec<TraceLine> {
        task.frames.iter().rev().map(|f| self.place(f)).collect()
    }

    /// Where a frame stands.
    pub fn place(&self, frame: &Frame) -> TraceLine {
        let module = self.program.module();
        let func = FuncId(frame.func);
        let span = self.program.code(func).span(frame.pc);
        let file = module.files.get(span.file as usize).filter(|_| span.line > 0);
        TraceLine {
            func: module.func(func).name.clone(),
            file: file.map_or_else(String::new, |f| f.path.clone()),
            line: span.line,
            column: span.column,
        }
    }

    fn trap(&self, task: &Task, fault: Fault) -> Trap {
        Trap { kind: fault.kind, message: fault.message, task: task.id, trace: self.trace(task) }
    }

    /// The trap of an isolate in which every task waits for another one.
    fn deadlock(&self) -> Trap {
        let waits = self
            .table
            .tasks
            .values()
            .filter_map(|task| Some((task, waiting(&task.state)?, self.place(task.frames.last()?))));
        let waits: Vec<_> = waits.collect();
        let fault = Fault::deadlock(waits.iter().map(|(task, waiting, place)| {
            let at = (place.line > 0).then_some((place.file.as_str(), place.line));
            (task.id.0, *waiting, at)
        }));
        let (first, ..) = waits.first().expect("a task that can't run waits");
        self.trap(first, fault)
    }
}

/// What a task waits for inside its isolate.
pub(crate) fn waiting(state: &State) -> Option<Waiting> {
    match state {
        State::Ready(_) | State::Waiting(Wait::Durable(_)) => None,
        State::Waiting(Wait::Put(_)) => Some(Waiting::Put),
        State::Waiting(Wait::Get(_)) => Some(Waiting::Get),
        State::Waiting(Wait::Lock(_)) => Some(Waiting::Lock),
        State::Waiting(Wait::Group(_)) => Some(Waiting::Group),
        State::Waiting(Wait::Select(_)) => Some(Waiting::Select),
    }
}

/// Why an element from outside was not put into a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendError {
    /// The isolate has no queue with this name now.
    Unknown,
    /// The queue is closed.
    Closed,
    /// The queue has as many elements as it takes, which is this many.
    Full(u64),
    /// The value is not of the queue's type, as the text says.
    Mismatch(String),
    /// The isolate has no memory for it.
    NoRoom(Fault),
}

/// What a restore had to read: the measure of how long it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Bytes of all parts.
    pub bytes: u64,
    /// Objects that were made of them at once; others may be when they are reached.
    pub objects: u64,
}

/// One running instance of a flow.
///
/// It may move between threads; it runs on one at a time.
pub struct Isolate {
    core: Core,
    ledger: Ledger,
    trap: Option<Trap>,
    /// The first step that `take_new_calls` has not given yet.
    asked: u64,
    changed: bool,
    restored: Restored,
}

impl std::fmt::Debug for Isolate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tasks = self.core.table.tasks.len();
        write!(f, "Isolate {{ {} tasks, next step {} }}", tasks, self.core.table.next_step)
    }
}

impl Isolate {
    /// A new instance of this function with these arguments. Fails with kind `Value` where they do not fit its parameters,
    /// and where they do not fit the heap.
    pub fn new(program: &Arc<Program>, flow: FuncId, args: &[Datum], limits: Limits) -> Result<Isolate, Fault> {
        let func = program.module().func(flow);
        if func.params.len() != args.len() {
            let message = format!("{} takes {} arguments, not {}", func.name, func.params.len(), args.len());
            return Err(Fault::new(TrapKind::Value, message));
        }
        let mut heap = Heap::new(Arc::clone(program.image().module()), limits.heap_bytes);
        let code = program.code(flow);
        let mut regs = vec![0; usize::from(code.count)];
        for ((param, reg), arg) in func.params.iter().zip(&code.params).zip(args) {
            let slot = from_datum(&mut heap, param.ty, arg);
            regs[usize::from(*reg)] = slot.map_err(|fault| match fault.kind {
                TrapKind::Value => Fault::new(TrapKind::Value, format!("argument `{}`: {}", param.name, fault.message)),
                _ => fault,
            })?;
        }
        let mark = heap.interval();
        let task = Task {
            id: TaskId(0),
            regs,
            frames: vec![Frame { func: flow.0, pc: code.entry, base: 0, mark }],
            state: State::Ready(Resume::Start),
            mark,
            last_case: None,
        };
        let table = Table {
            tasks: BTreeMap::from([(0, task)]),
            ready: VecDeque::from([0]),
            next_task: 1,
            next_step: 0,
            calls: Vec::new(),
            flow,
            result: None,
            ended: Vec::new(),
            named: BTreeMap::new(),
            stack_words: code.count.into(),
        };
        let core = Core { program: Arc::clone(program), heap, table, limits };
        Ok(Isolate {
            core,
            ledger: Ledger::default(),
            trap: None,
            asked: 0,
            changed: true,
            restored: Restored::default(),
        })
    }

    /// The instance that these parts were written of: number and bytes of each, oldest first.
    ///
    /// Stored bytes are not believed: any damage is an error that says in which part, and what.
    pub fn restore(program: &Arc<Program>, parts: &[(u64, Bytes)], limits: Limits) -> Result<Isolate, SnapshotError> {
        Isolate::restore_lazily(program, parts, limits, snapshot::WHOLE_BELOW)
    }

    /// Like `restore`, with the choice from how many stored bytes on objects are opened only when they are reached. For tests.
    pub fn restore_lazily(
        program: &Arc<Program>,
        parts: &[(u64, Bytes)],
        limits: Limits,
        whole_below: u64,
    ) -> Result<Isolate, SnapshotError> {
        let restored = snapshot::restore(program.image().module(), parts, limits.heap_bytes, whole_below)?;
        let table = save::restore(program, restored.head, restored.tasks, &restored.heap, limits.heap_bytes)?;
        let asked = table.next_step;
        let read = Restored { bytes: restored.ledger.stored_bytes(), objects: restored.ledger.object_count() as u64 };
        let core = Core { program: Arc::clone(program), heap: restored.heap, table, limits };
        Ok(Isolate { core, ledger: restored.ledger, trap: None, asked, changed: false, restored: read })
    }

    /// Runs until every task is blocked or has ended, one has trapped, or the interrupt is set, which it clears on its way
    /// out. An isolate that is done or has failed gives the same answer again.
    pub fn run(&mut self, host: &mut dyn Host, interrupt: &Interrupt) -> Exit {
        let exit = self.run_ready(host, interrupt);
        interrupt.clear();
        self.damage().map_or(exit, Exit::Damaged)
    }

    fn run_ready(&mut self, host: &mut dyn Host, interrupt: &Interrupt) -> Exit {
        if let Some(trap) = &self.trap {
            return Exit::Failed(trap.clone());
        }
        let program = Arc::clone(&self.core.program);
        // The flag is looked at where a task gives way, too; not before the first one, so that each run gets somewhere.
        let mut first = true;
        while let Some(id) = self.core.table.ready.pop_front() {
            if !first && interrupt.is_set() {
                self.core.table.ready.push_front(id);
                return Exit::Interrupted;
            }
            first = false;
            self.changed = true;
            let mut task = self.core.table.tasks.remove(&id).expect("a ready task is in the table");
            let mut leave = exec::run_task(&mut self.core, &mut task, &program, host, interrupt);
            while let Leave::Fault(fault) = &leave
                && fault.kind == TrapKind::Overflow
                && let Some(value) = self.core.call_again(&mut task, host)
            {
                task.state = State::Ready(Resume::Deliver(value));
                leave = exec::run_task(&mut self.core, &mut task, &program, host, interrupt);
            }
            match leave {
                Leave::Blocked => {
                    self.core.table.tasks.insert(id, task);
                }
                Leave::Interrupted => {
                    // It goes on after its poll, before any other task of the isolate.
                    task.state = State::Ready(Resume::Deliver(0));
                    self.core.table.tasks.insert(id, task);
                    self.core.table.ready.push_front(id);
                    return Exit::Interrupted;
                }
                Leave::Ended(value) => {
                    if id == 0
                        && let Err(fault) = self.core.keep_result(value)
                    {
                        return self.fail(&task, fault);
                    }
                    self.core.table.stack_words -= task.regs.len() as u64;
                    self.core.table.ended.push(id);
                }
                Leave::Fault(fault) => return self.fail(&task, *fault),
                Leave::Damaged(error) => return Exit::Damaged(*error),
            }
        }
        if self.core.table.tasks.is_empty() {
            return match self.core.result() {
                Ok(value) => Exit::Done(value),
                Err(fault) => {
                    let trap = Trap { kind: fault.kind, message: fault.message, task: TaskId(0), trace: Vec::new() };
                    Exit::Failed(self.trap.insert(trap).clone())
                }
            };
        }
        if !self.core.table.calls.is_empty() || self.core.waits_outside() {
            return Exit::Blocked;
        }
        let trap = self.core.deadlock();
        Exit::Failed(self.trap.insert(trap).clone())
    }

    /// A running task has trapped.
    fn fail(&mut self, task: &Task, fault: Fault) -> Exit {
        let trap = self.core.trap(task, fault);
        Exit::Failed(self.trap.insert(trap).clone())
    }

    /// The durable calls made since the last ask that have no result yet.
    pub fn take_new_calls(&mut self) -> Vec<Call> {
        let first = self.core.table.calls.partition_point(|c| c.step < self.asked);
        self.asked = self.core.table.next_step;
        self.core.table.calls[first..].to_vec()
    }

    /// All durable calls without a result, in the order of their steps; a restored isolate has them too.
    pub fn pending(&self) -> &[Call] {
        &self.core.table.calls
    }

    /// Gives a durable call its result, checked against the declared type; a fault, or a value that does not fit, is a trap
    /// of the task that waits, when it runs on. `false` if there is no such call.
    pub fn complete(&mut self, step: u64, result: Result<Datum, Fault>) -> bool {
        if self.trap.is_some() {
            return false;
        }
        let Ok(at) = self.core.table.calls.binary_search_by_key(&step, |c| c.step) else { return false };
        let call = self.core.table.calls.remove(at);
        let value = match call.request {
            Request::Sleep { .. } => result.map(|_| 0),
            Request::Host { host, .. } => self.core.accept(host, result),
        };
        let interval = self.core.heap.interval();
        let task = self.core.table.tasks.get_mut(&call.task.0).expect("a task that waits for a call is in the table");
        task.state = State::Ready(match value {
            Ok(value) => Resume::Deliver(value),
            Err(fault) => Resume::Fault(Box::new(fault)),
        });
        task.mark = interval;
        self.core.table.ready.push_back(call.task.0);
        self.changed = true;
        true
    }

    /// When the first timer is due that a task waits for, in unix milliseconds. There is no other: one that nobody waits for is
    /// looked at when somebody does.
    pub fn next_timer_ms(&self) -> Option<i64> {
        if self.trap.is_some() {
            return None;
        }
        self.core.waited_for().first().map(|(due_ms, ..)| *due_ms)
    }

    /// Lets the timers fire that are due and waited for; whether there were any.
    pub fn fire_timers(&mut self, now_ms: i64) -> bool {
        if self.trap.is_some() {
            return false;
        }
        let due: Vec<_> = self.core.waited_for().into_iter().filter(|(due_ms, ..)| *due_ms <= now_ms).collect();
        for (_, _, queue) in &due {
            self.core.settle_timer(*queue, now_ms);
        }
        self.changed |= !due.is_empty();
        !due.is_empty()
    }

    /// The names of its queues, in order, each with the type of its elements.
    pub fn named_queues(&self) -> Vec<(&str, TypeId)> {
        let named = self.core.table.named.iter();
        let element = |ty: TypeId| match self.core.program.module().types.get(ty) {
            Type::Queue(element) => *element,
            other => unreachable!("a queue with a name is a queue, not {other:?}"),
        };
        named.map(|(name, (ty, _))| (&**name, element(*ty))).collect()
    }

    /// Puts an element that comes from outside into the queue with this name. Nothing has changed where it fails.
    pub fn send(&mut self, name: &str, value: &Datum) -> Result<(), SendError> {
        let Some(queue) = self.core.table.named.get(name).map(|(_, slot)| Ref::from_slot(*slot)) else {
            return Err(SendError::Unknown);
        };
        let types = self.named_queues();
        let element = types.iter().find(|(of, _)| *of == name).map(|(_, ty)| *ty).ok_or(SendError::Unknown)?;
        let heap = &self.core.heap;
        if heap.queue_closed(queue) {
            return Err(SendError::Closed);
        }
        if !heap.queue_can_put(queue) {
            return Err(SendError::Full(heap.queue_capacity(queue).max(0).unsigned_abs()));
        }
        datum::check(&self.core.program.module().types, element, value).map_err(SendError::Mismatch)?;
        let Core { heap, table, program, .. } = &mut self.core;
        if heap.should_collect() {
            heap.collect(|roots| table.roots(program, roots)).map_err(SendError::NoRoom)?;
        }
        let put = from_datum(heap, element, value).and_then(|slot| Ok((slot, heap.queue_put(queue, slot)?)));
        let (slot, put) = put.map_err(SendError::NoRoom)?;
        if let Put::Handed(getter) = put {
            self.core.wake(getter, Given::Element(slot));
        }
        self.changed = true;
        Ok(())
    }

    /// The log lines written since the last ask.
    pub fn take_log(&mut self) -> Vec<String> {
        self.core.heap.take_log()
    }

    /// Whether anything has changed since the last commit.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Whether a task can run, so that `run` would get somewhere.
    pub fn can_run(&self) -> bool {
        self.trap.is_none() && !self.core.table.ready.is_empty()
    }

    /// Writes down what has changed since the last commit. The store drops the parts from `drop_from` on and puts this one.
    ///
    /// Of an isolate that has failed there is nothing to write: what it gives then can't be run on.
    ///
    /// Fails where a stored object turns out to be damaged. What it did since its last commit can't be trusted then, and it
    /// must not be used any more.
    pub fn commit(&mut self) -> Result<Part, SnapshotError> {
        self.commit_with(Urgency::Quiet)
    }

    /// The same, where it matters whether somebody waits for it: then writing a large state anew is put off, and
    /// `base_is_due` says so afterwards.
    pub fn commit_with(&mut self, urgency: Urgency) -> Result<Part, SnapshotError> {
        self.changed = false;
        let Core { program, heap, table, .. } = &mut self.core;
        snapshot::commit(heap, &mut self.ledger, &mut Saving { table, program }, urgency)
    }

    /// Whether the next commit that nobody waits for would write everything anew, so that it is worth one though nothing has
    /// changed.
    pub fn base_is_due(&self) -> bool {
        self.ledger.base_is_due()
    }

    /// The damage of a stored object that was found when something reached it. It must not be used any more then.
    pub fn damage(&self) -> Option<SnapshotError> {
        self.core.heap.damage()
    }

    /// What a person looks at.
    pub fn view(&self) -> View {
        crate::view::view(&self.core)
    }

    /// Bytes of heap in use, garbage that no collection has found yet included, and the stored form of what is not open.
    pub fn heap_bytes(&self) -> u64 {
        self.core.heap.bytes() + self.core.heap.stored_bytes()
    }

    /// How many objects are in memory, garbage that no collection has found yet included.
    pub fn object_count(&self) -> usize {
        self.core.heap.object_count()
    }

    /// What was read to make it; nothing for one that began here.
    pub fn restored(&self) -> Restored {
        self.restored
    }

    /// Bytes of its stored parts, and how many of them are of use: about what writing it anew would take.
    pub fn stored_bytes(&self) -> (u64, u64) {
        (self.ledger.stored_bytes(), self.ledger.live_bytes())
    }

    /// How many tasks are alive.
    pub fn task_count(&self) -> usize {
        self.core.table.tasks.len()
    }

    /// The number that the next durable call gets.
    pub fn next_step(&self) -> u64 {
        self.core.table.next_step
    }

    /// The program that it runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.core.program
    }
}

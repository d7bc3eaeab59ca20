//! The head, the tasks and their frames as they are read back: each frame against its stop's list, each call against the function
//! called, each state against the instruction where the task stands, each line of waiters against those who wait.

use super::index::Index;
use super::records;
use super::stands::Stand;
use super::{SavedFrame, SavedHead, SavedState, SavedTask, SnapshotError, datum};
use crate::heap::{Heap, Kind, Ref};
use crate::stop::Request;
use deepslate_ir::datum::check;
use deepslate_ir::entity::{FuncId, HostId, StopId, TypeId};
use deepslate_ir::module::{Imm, Module};
use deepslate_ir::ops::{DURABLE, Op};
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_ir::types::Type;
use hashbrown::HashSet;

/// What is read beside the objects. Slots hold ids until each is replaced.
pub(super) struct State {
    pub head: SavedHead,
    head_part: u64,
    pub tasks: Vec<SavedTask>,
    /// For each task the bytes of its record and of those of its frames.
    pub sizes: Vec<(u64, u64, Vec<u64>)>,
}

/// Reads head, tasks and frames, and checks everything about them but what their slots refer to.
pub(super) fn read(module: &Module, index: &Index) -> Result<State, SnapshotError> {
    let place = index.head.expect("each part was found to have a head");
    let head_bad = |message: String| SnapshotError { part: Some(place.part), message };
    let head = read_head(module, index).map_err(head_bad)?;
    let mut state = State { head, head_part: place.part, tasks: Vec::new(), sizes: Vec::new() };
    for (id, place) in &index.tasks {
        let bad = |message: String| SnapshotError { part: Some(place.part), message: format!("task {id}: {message}") };
        if let Some(ended) = index.ended.get(id) {
            if *ended <= place.part {
                return Err(bad(format!("it ended in part {ended}, and is there all the same")));
            }
            continue;
        }
        let (task, sizes) = read_task(module, index, *id).map_err(bad)?;
        check_state(module, &state.head, &task).map_err(bad)?;
        state.tasks.push(task);
        state.sizes.push(sizes);
    }
    check_head(&state).map_err(head_bad)?;
    Ok(state)
}

fn read_head(module: &Module, index: &Index) -> Result<SavedHead, String> {
    let place = index.head.expect("each part was found to have a head");
    let (head, content) = index.head(place);
    let flow = FuncId(head.flow);
    if flow.index() >= module.funcs.len() {
        return Err(format!("the program has no function {flow}"));
    }
    let has = head.has_result;
    if has & !(records::HAS_RESULT | records::HAS_NAMED) != 0 {
        return Err(format!("it says {has} of its result"));
    }
    let mut ready = content.words;
    let mut result = None;
    if has & records::HAS_RESULT != 0 {
        let Some((first, rest)) = ready.split_first() else {
            return Err("the result is missing".to_owned());
        };
        (result, ready) = (Some(*first), rest);
    }
    let mut named = Vec::new();
    if has & records::HAS_NAMED != 0 {
        let (pairs, rest) = ready
            .split_first()
            .and_then(|(count, rest)| rest.split_at_checked(usize::try_from(*count).ok()?.checked_mul(2)?))
            .ok_or("its queues with a name are missing")?;
        for pair in pairs.as_chunks::<2>().0 {
            let ty = u32::try_from(pair[1]).ok().map(TypeId).filter(|ty| module.types.contains(*ty));
            let ty = ty.filter(|ty| matches!(module.types.get(*ty), Type::Queue(_)));
            named.push((ty.ok_or("a queue with a name is of no type of queues")?, pair[0]));
        }
        ready = rest;
    }
    Ok(SavedHead { flow, next_task: head.next_task, next_step: head.next_step, ready: ready.to_vec(), result, named })
}

fn check_head(state: &State) -> Result<(), String> {
    let (head, tasks) = (&state.head, &state.tasks);
    let mut steps = HashSet::new();
    for task in tasks {
        if task.id >= head.next_task {
            return Err(format!("task {} is there, but the next one gets number {}", task.id, head.next_task));
        }
        if let SavedState::Call(step, _) = &task.state
            && (*step >= head.next_step || !steps.insert(*step))
        {
            return Err(format!("task {} waits for step {step}, which is not its own", task.id));
        }
    }
    let first_lives = tasks.first().is_some_and(|t| t.id == 0);
    if first_lives == head.result.is_some() || head.next_task == 0 {
        return Err("the first task has neither or both of a result and a place where it stands".to_owned());
    }
    let mut can_run: HashSet<u64> = tasks.iter().filter(|t| is_ready(&t.state)).map(|t| t.id).collect();
    for id in &head.ready {
        if !can_run.remove(id) {
            return Err(format!("task {id} is in the ready queue, but can't run"));
        }
    }
    match can_run.iter().min() {
        Some(id) => Err(format!("task {id} can run, but is not in the ready queue")),
        None => Ok(()),
    }
}

fn is_ready(state: &SavedState) -> bool {
    match state {
        SavedState::Start(..) | SavedState::Deliver(_) | SavedState::Case(..) | SavedState::Fault(_) => true,
        SavedState::Call(..) | SavedState::Put(_) | SavedState::Get(_) => false,
        SavedState::Lock(_) | SavedState::Group(_) | SavedState::Select(_) => false,
    }
}

type Sizes = (u64, u64, Vec<u64>);

fn read_task(module: &Module, index: &Index, id: u64) -> Result<(SavedTask, Sizes), String> {
    let place = index.tasks[&id];
    let (record, content) = index.task(place);
    let depth = record.depth;
    let (mut frames, mut sizes) = (Vec::<SavedFrame>::new(), Vec::new());
    for at in 0..depth {
        let Some(place) = index.frames.get(&(id, at)) else {
            return Err(format!("its frame {at} of {depth} is missing"));
        };
        let (frame, content) = index.frame(*place);
        let (func, stop) = (FuncId(frame.func), StopId(frame.stop));
        let stops = module.funcs.get(func.index()).map_or(0, |f| f.stops.len());
        if stop.index() >= stops {
            return Err(format!("frame {at} stands at {stop} of {func}, which the program does not have"));
        }
        let stand = Stand { module, func, stop };
        let listed = stand.func().stop(stop).values.len();
        if content.words.len() != listed {
            let name = &stand.func().name;
            return Err(format!("frame {at} has {} values; {stop} of {name} lists {listed}", content.words.len()));
        }
        // A frame that ran has all those inside it with it.
        let mark = frames.last().map_or(0, |f: &SavedFrame| f.mark).max(place.part);
        sizes.push(records::FRAME_BYTES + content.size());
        frames.push(SavedFrame { func, stop, values: content.words.to_vec(), mark });
    }
    let state = read_state(module, record.state, content.words, content.bytes)?;
    let last_case = Some(record.last_case).filter(|case| *case != u32::MAX);
    let size = records::TASK_BYTES + content.size();
    let mark = frames.last().map_or(0, |f| f.mark).max(place.part);
    Ok((SavedTask { id, state, last_case, depth, frames, mark }, (id, size, sizes)))
}

fn read_state(module: &Module, state: u32, words: &[u64], bytes: &[u8]) -> Result<SavedState, String> {
    let number = |word: u64| u32::try_from(word).map_err(|_| format!("{word} is no number of anything in a program"));
    let has_bytes = matches!(state, records::FAULT | records::HOST);
    if !has_bytes && !bytes.is_empty() {
        return Err("its state is malformed".to_owned());
    }
    Ok(match (state, words) {
        (records::START, [func, args @ ..]) => SavedState::Start(FuncId(number(*func)?), args.to_vec()),
        (records::DELIVER, [slot]) => SavedState::Deliver(*slot),
        (records::CASE, [case, slot]) => SavedState::Case(number(*case)?, *slot),
        (records::FAULT, [kind]) => {
            let kind = u8::try_from(*kind).ok().and_then(TrapKind::from_number);
            let kind = kind.ok_or_else(|| "it has a trap of an unknown kind".to_owned())?;
            let message = std::str::from_utf8(bytes).map_err(|_| "the message of its trap is not UTF-8".to_owned())?;
            SavedState::Fault(Fault::new(kind, message))
        }
        (records::SLEEP, [step, bits]) => {
            let seconds = f64::from_bits(*bits);
            if seconds.is_nan() || seconds < 0.0 {
                return Err(format!("it sleeps for {seconds} seconds"));
            }
            SavedState::Call(*step, Request::Sleep { seconds })
        }
        (records::HOST, [step, host]) => {
            let id = HostId(number(*host)?);
            let Some(host) = module.hosts.get(id.index()) else {
                return Err(format!("it calls {id}, which the program does not have"));
            };
            let args = datum::read_all(bytes)?;
            if args.len() != host.params.len() {
                return Err(format!("it calls {} with {} arguments", host.name, args.len()));
            }
            for (param, arg) in host.params.iter().zip(&args) {
                check(&module.types, param.ty, arg)
                    .map_err(|e| format!("it calls {}: {}: {e}", host.name, param.name))?;
            }
            SavedState::Call(*step, Request::Host { host: id, args })
        }
        (records::PUT, [slot]) => SavedState::Put(*slot),
        (records::GET, [slot]) => SavedState::Get(*slot),
        (records::LOCK, [slot]) => SavedState::Lock(*slot),
        (records::GROUP, [slot]) => SavedState::Group(*slot),
        (records::SELECT, queues) => SavedState::Select(queues.to_vec()),
        _ => return Err(format!("its state {state} is malformed")),
    })
}

/// Whether each frame called the next one, and the task's state is one that fits the instruction where it stands.
fn check_state(module: &Module, head: &SavedHead, task: &SavedTask) -> Result<(), String> {
    let begins = |func: FuncId| {
        if task.id == 0 && func != head.flow {
            Err(format!("it runs {func}, and the flow is {}", head.flow))
        } else {
            Ok(())
        }
    };
    if let SavedState::Start(func, args) = &task.state {
        let Some(params) = module.funcs.get(func.index()).map(|f| &f.params) else {
            return Err(format!("it begins {func}, which the program does not have"));
        };
        if task.depth != 0 || args.len() != params.len() {
            return Err("it has not begun, and has frames or other arguments than its function".to_owned());
        }
        return begins(*func);
    }
    let (Some(outermost), Some(innermost)) = (task.frames.first(), task.frames.last()) else {
        return Err("it has begun, and has no frames".to_owned());
    };
    begins(outermost.func)?;
    for pair in task.frames.windows(2) {
        let inst = Stand { module, func: pair[0].func, stop: pair[0].stop }.inst();
        if !inst.op.calls() || inst.imm != Imm::Func(pair[1].func) {
            return Err(format!("its frame in {} stands at no call of {}", pair[0].func, pair[1].func));
        }
    }
    let stand = Stand { module, func: innermost.func, stop: innermost.stop };
    let inst = stand.inst();
    let op = inst.op;
    let fits = match &task.state {
        SavedState::Start(..) => false,
        SavedState::Deliver(slot) => !op.calls() && op != Op::Select && (stand.result().is_some() || *slot == 0),
        SavedState::Case(case, slot) => {
            let there = (*case as usize) < inst.targets.len();
            op == Op::Select && there && (stand.element(*case).is_some() || *slot == 0)
        }
        SavedState::Fault(_) => {
            let can_close = matches!(op, Op::QueueGet | Op::QueueReceive | Op::QueuePut | Op::Select);
            !op.calls() && (op.effect().has(DURABLE) || can_close)
        }
        SavedState::Call(_, Request::Sleep { .. }) => op == Op::Sleep,
        SavedState::Call(_, Request::Host { host, .. }) => op == Op::CallImpure && inst.imm == Imm::Host(*host),
        SavedState::Put(_) => op == Op::QueuePut,
        SavedState::Get(_) => matches!(op, Op::QueueGet | Op::QueueReceive),
        SavedState::Lock(_) => op == Op::LockAcquire,
        SavedState::Group(_) => op == Op::WaitGroupWait,
        SavedState::Select(queues) => {
            // One with a default never waits.
            let cases = stand.cases().filter(|cases| cases.iter().all(Option::is_some));
            op == Op::Select && cases.is_some_and(|cases| cases.len() == queues.len())
        }
    };
    if fits { Ok(()) } else { Err(format!("its state does not fit {op}, where it stands")) }
}

impl State {
    /// Shows every slot of the head, of each state and of each frame, with its type and the part it comes from.
    pub fn each_slot(
        &mut self,
        module: &Module,
        show: &mut dyn FnMut(TypeId, &mut u64, u64) -> Result<(), SnapshotError>,
    ) -> Result<(), SnapshotError> {
        let ret = module.func(self.head.flow).ret;
        if let Some(result) = &mut self.head.result {
            show(ret, result, self.head_part)?;
        }
        for (ty, queue) in &mut self.head.named {
            show(*ty, queue, self.head_part)?;
        }
        for task in &mut self.tasks {
            for frame in &mut task.frames {
                let func = module.func(frame.func);
                let listed = &func.stop(frame.stop).values;
                for (listed, slot) in listed.iter().zip(&mut frame.values) {
                    show(func.ty(listed.value), slot, frame.mark)?;
                }
            }
            let stand = task.frames.last().map(|f| Stand { module, func: f.func, stop: f.stop });
            let stand = stand.as_ref();
            // The first operand of the operations that a task can wait at is what it waits for.
            let operand = || stand.and_then(|s| s.inst().args.first().map(|value| s.func().ty(*value)));
            match &mut task.state {
                SavedState::Start(func, args) => {
                    for (param, slot) in module.func(*func).params.iter().zip(args) {
                        show(param.ty, slot, task.mark)?;
                    }
                }
                SavedState::Deliver(slot) => {
                    if let Some(ty) = stand.and_then(Stand::result) {
                        show(ty, slot, task.mark)?;
                    }
                }
                SavedState::Case(case, slot) => {
                    if let Some(ty) = stand.and_then(|s| s.element(*case)) {
                        show(ty, slot, task.mark)?;
                    }
                }
                SavedState::Put(slot) | SavedState::Get(slot) | SavedState::Lock(slot) | SavedState::Group(slot) => {
                    let ty = operand().expect("the state was found to fit the instruction");
                    show(ty, slot, task.mark)?;
                }
                SavedState::Select(queues) => {
                    let cases = stand.and_then(Stand::cases).unwrap_or_default();
                    for (case, slot) in cases.iter().flatten().zip(queues) {
                        show(case.0, slot, task.mark)?;
                    }
                }
                SavedState::Fault(_) | SavedState::Call(..) => {}
            }
        }
        Ok(())
    }
}

/// Whether exactly the queues that have a name are those that the head lists, and no two have the same.
pub(super) fn check_names(state: &State, heap: &Heap, objects: impl Iterator<Item = Ref>) -> Result<(), SnapshotError> {
    let listed: HashSet<u64> = state.head.named.iter().map(|(_, queue)| *queue).collect();
    let named: Vec<Ref> = objects.filter(|o| heap.kind(*o) == Kind::Queue && heap.queue_name(*o).is_some()).collect();
    let names: HashSet<&str> = named.iter().filter_map(|queue| heap.queue_name(*queue)).collect();
    let all_listed = named.iter().all(|queue| listed.contains(&queue.slot()));
    if all_listed && listed.len() == named.len() && listed.len() == state.head.named.len() && names.len() == named.len()
    {
        return Ok(());
    }
    let message = "its queues with a name are not those that it lists".to_owned();
    Err(SnapshotError { part: Some(state.head_part), message })
}

/// In which line of an object a task stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place {
    Getters(Option<u32>),
    Putters(Option<u32>),
    Line,
}

/// Whether exactly those stand in the lines of these objects who wait for them. Slots are addresses by now.
pub(super) fn check_lines(
    state: &State,
    module: &Module,
    heap: &Heap,
    objects: impl Iterator<Item = Ref>,
) -> Result<(), SnapshotError> {
    let bad = |message: String| Err(SnapshotError { part: None, message });
    let mut wait = HashSet::new();
    for task in &state.tasks {
        match &task.state {
            SavedState::Put(slot) => _ = wait.insert((task.id, *slot, Place::Putters(None))),
            SavedState::Get(slot) => _ = wait.insert((task.id, *slot, Place::Getters(None))),
            SavedState::Lock(slot) | SavedState::Group(slot) => _ = wait.insert((task.id, *slot, Place::Line)),
            SavedState::Select(queues) => {
                let top = task.frames.last().map(|f| Stand { module, func: f.func, stop: f.stop });
                let cases = top.and_then(|s| s.cases()).unwrap_or_default();
                for (number, (case, slot)) in (0u32..).zip(cases.iter().zip(queues)) {
                    let puts = case.is_some_and(|(_, puts)| puts);
                    let place = if puts { Place::Putters(Some(number)) } else { Place::Getters(Some(number)) };
                    wait.insert((task.id, *slot, place));
                }
            }
            SavedState::Start(..) | SavedState::Deliver(_) | SavedState::Case(..) => {}
            SavedState::Fault(_) | SavedState::Call(..) => {}
        }
    }
    for object in objects {
        let line: Vec<(u64, Place)> = match heap.kind(object) {
            Kind::Queue => {
                let getters = heap.queue_getters(object).into_iter().map(|w| (w.task, Place::Getters(w.case)));
                let putters = heap.queue_putters(object).into_iter().map(|(w, _)| (w.task, Place::Putters(w.case)));
                getters.chain(putters).collect()
            }
            Kind::Lock => heap.lock_line(object).into_iter().map(|task| (task, Place::Line)).collect(),
            Kind::WaitGroup => heap.wait_group_line(object).into_iter().map(|task| (task, Place::Line)).collect(),
            Kind::Slots | Kind::Str | Kind::Bytes | Kind::List | Kind::Dict => continue,
        };
        for (task, place) in line {
            if !wait.remove(&(task, object.slot(), place)) {
                return bad(format!(
                    "task {task} stands in the line of object {}, but waits for something else",
                    heap.id(object)
                ));
            }
        }
    }
    match wait.iter().map(|(task, ..)| task).min() {
        Some(task) => bad(format!("task {task} waits for something in whose line it does not stand")),
        None => Ok(()),
    }
}

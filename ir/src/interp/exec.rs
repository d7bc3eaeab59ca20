//! One instruction at a time.

use super::heap::{Content, Queue, Waiter};
use super::{DurableCall, Frame, Halt, Machine, Pending, Request, State, Typed, World};
use crate::builtins::{Call, Machine as _, widened};
use crate::datum::{Datum, to_datum};
use crate::entity::{FuncId, HostId, TypeId, Value};
use crate::eval;
use crate::module::{Case, Constant, Func, Imm, InstData, Module};
use crate::ops::Op;
use crate::structural;
use crate::trap::{Fault, Waiting, is_queue_name};
use crate::types::Type;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

/// What an instruction did.
enum Did {
    /// It is done, with this result if it has one.
    Value(u64),
    /// It is done, or moved the frame itself.
    Moved,
    /// It went on at its target with this index, delivering this element.
    Target(usize, Option<u64>),
    /// The task waits where it stands.
    Blocked(State),
}

type Done = Result<Did, Fault>;

/// What a task that waited in a line is given.
#[derive(Clone, Copy)]
enum Given {
    /// Nothing: what it waited for is done.
    Nothing,
    /// An element of a queue.
    Element(u64),
    /// The end of a queue that it wanted an element of.
    End,
    /// The end of a queue that it wanted to put into.
    Refusal,
}

impl Machine {
    fn broken<T>(&self, task: usize, message: impl AsRef<str>) -> Result<T, Halt> {
        let place = self.tasks[task].frames.last().map(|frame| {
            let func = self.module.func(frame.func);
            let inst = func.block(frame.block).insts.get(frame.at);
            let op = inst.map_or("its end", |i| func.inst(*i).op.text());
            format!("{} {} at {op}", func.name, frame.block)
        });
        Err(Halt::Broken(format!("task {task} in {}: {}", place.unwrap_or_default(), message.as_ref())))
    }

    fn top(&mut self, task: usize) -> &mut Frame {
        self.tasks[task].frames.last_mut().expect("a task that has not ended has a frame")
    }

    /// Runs the next instruction of a ready task.
    pub(super) fn step(&mut self, task: usize, world: &mut dyn World) -> Result<(), Halt> {
        if self.steps == self.limits.steps {
            return Err(Halt::OutOfSteps);
        }
        self.steps += 1;
        if let Some(fault) = self.tasks[task].fault.take() {
            return Err(Halt::Fault(task, fault));
        }
        let module = Arc::clone(&self.module);
        let frame = self.top(task);
        let func = module.func(frame.func);
        let Some(inst) = func.block(frame.block).insts.get(frame.at).map(|i| func.inst(*i)) else {
            return self.broken(task, "a block without an end");
        };
        let args = self.operands(task, func, inst)?;
        let did = self.execute(task, &module, inst, &args, world)?;
        if let Some(halt) = self.halted.take() {
            return Err(halt);
        }
        match did {
            Did::Value(slot) => self.deliver(task, slot)?,
            Did::Moved => {}
            Did::Target(index, element) => self.go(task, index, element)?,
            Did::Blocked(state) => self.tasks[task].state = state,
        }
        Ok(())
    }

    /// The operands' values, each checked.
    fn operands(&self, task: usize, func: &Func, inst: &InstData) -> Result<Vec<Typed>, Halt> {
        inst.args.iter().map(|value| self.operand(task, func, *value)).collect()
    }

    fn operand(&self, task: usize, func: &Func, value: Value) -> Result<Typed, Halt> {
        let frame = self.tasks[task].frames.last();
        let Some(typed) = frame.and_then(|f| f.values.get(value.index()).copied().flatten()) else {
            return self.broken(task, format!("{value} has no value here"));
        };
        if typed.ty != func.ty(value) {
            return self.broken(task, format!("{value} holds a value of another type"));
        }
        self.check(task, typed)?;
        Ok(typed)
    }

    /// Whether a slot can be a value of its type.
    fn check(&self, task: usize, value: Typed) -> Result<(), Halt> {
        let types = &self.module.types;
        let fits = match types.get(value.ty) {
            Type::None => value.slot == 0,
            Type::Bool => value.slot <= 1,
            Type::Int | Type::Float => true,
            Type::Union(members) => self.heap.find(value.slot).is_some_and(|object| members.contains(&object.ty)),
            _ => self.heap.find(value.slot).is_some_and(|object| object.ty == value.ty),
        };
        if fits { Ok(()) } else { self.broken(task, format!("{} is no {}", value.slot, types.name(value.ty))) }
    }

    /// Ends the instruction that a task stands at, which has this result if it has one.
    pub(super) fn deliver(&mut self, task: usize, slot: u64) -> Result<(), Halt> {
        let module = Arc::clone(&self.module);
        let frame = self.top(task);
        let func = module.func(frame.func);
        let Some(inst) = func.block(frame.block).insts.get(frame.at).map(|i| func.inst(*i)) else {
            return self.broken(task, "nothing to deliver to");
        };
        if let Some(stop) = inst.stop {
            forget(frame, func, stop.index());
        }
        frame.at += 1;
        if let Some(result) = inst.result {
            let typed = Typed { ty: func.ty(result), slot };
            frame.values[result.index()] = Some(typed);
            self.check(task, typed)?;
        }
        Ok(())
    }

    /// Goes on at a target of the instruction that ends the block where a task stands.
    pub(super) fn go(&mut self, task: usize, index: usize, element: Option<u64>) -> Result<(), Halt> {
        let module = Arc::clone(&self.module);
        let frame = self.top(task);
        let func = module.func(frame.func);
        let inst = func.block(frame.block).insts.get(frame.at).map(|i| func.inst(*i));
        let Some((inst, target)) = inst.and_then(|i| Some((i, i.targets.get(index)?))) else {
            return self.broken(task, format!("no target {index}"));
        };
        if let Some(stop) = inst.stop {
            forget(frame, func, stop.index());
        }
        let passed: Vec<Typed> =
            target.args.iter().map(|value| self.operand(task, func, *value)).collect::<Result<_, _>>()?;
        let params = &func.block(target.block).params;
        let first = element.and_then(|slot| Some(Typed { ty: func.ty(*params.first()?), slot }));
        let values: Vec<Typed> = first.into_iter().chain(passed).collect();
        if !values.iter().map(|v| v.ty).eq(params.iter().map(|p| func.ty(*p))) {
            return self.broken(task, format!("{} is passed other values than it takes", target.block));
        }
        let frame = self.top(task);
        for (param, value) in params.iter().zip(&values) {
            frame.values[param.index()] = Some(*value);
        }
        frame.block = target.block;
        frame.at = 0;
        values.iter().try_for_each(|value| self.check(task, *value))
    }

    fn execute(
        &mut self,
        task: usize,
        module: &Module,
        inst: &InstData,
        args: &[Typed],
        world: &mut dyn World,
    ) -> Result<Did, Halt> {
        let slots: Vec<u64> = args.iter().map(|a| a.slot).collect();
        let func = module.func(self.tasks[task].frames.last().map_or(FuncId(0), |f| f.func));
        let result = inst.result.map(|v| func.ty(v));
        if let Some(computed) = eval::scalar(inst.op, &slots, &inst.imm) {
            return computed.map(Did::Value).map_err(|f| Halt::Fault(task, f));
        }
        let done = match (inst.op, &inst.imm) {
            (Op::Branch, _) => Ok(Did::Target(usize::from(slots[0] == 0), None)),
            (Op::Jump, _) => Ok(Did::Target(0, None)),
            (Op::Return, _) => return self.leave(task, func, slots[0]),
            (Op::Call | Op::CallOrHost, Imm::Func(callee)) => self.call(task, *callee, args),
            (Op::CreateTask, Imm::Func(callee)) => {
                if self.alive >= self.limits.tasks {
                    Err(Fault::too_many_tasks(self.limits.tasks))
                } else {
                    self.add_task(*callee, args);
                    Ok(Did::Value(0))
                }
            }
            (Op::CallBuiltin, Imm::Builtin(builtin)) => {
                let types: Vec<TypeId> = args.iter().map(|a| a.ty).collect();
                match result {
                    Some(ret) => (builtin.body())(&mut self.heap, &Call { args: &types, ret }, &slots).map(Did::Value),
                    None => return self.broken(task, "a builtin without a result"),
                }
            }
            (Op::CallPure, Imm::Host(host)) => self.call_pure(module, *host, args, world),
            (Op::CallImpure, Imm::Host(host)) => self.call_impure(task, *host, args),
            (Op::Sleep, _) => self.sleep(task, f64::from_bits(slots[0])),
            (Op::Fail, Imm::Trap(kind)) => Err(Fault::new(*kind, self.heap.str(slots[0]))),
            (Op::Select, Imm::Cases(cases)) => self.select(task, cases, &slots, world.now_ms(self.clock)),
            (Op::Now, _) => Ok(Did::Value(eval::now(world.now_ms(self.clock)).to_bits())),
            (Op::Random, _) => Ok(Did::Value(eval::random(self.draw(world)).to_bits())),
            (Op::Uuid, _) => {
                let text = eval::uuid(self.draw(world), self.draw(world));
                self.heap.new_str(&text).map(Did::Value)
            }
            (op, _) => match self.on_objects(task, inst, op, args, &slots, result, world.now_ms(self.clock)) {
                Some(done) => done,
                None => return self.broken(task, "the instruction lacks its immediate or result"),
            },
        };
        done.map_err(|fault| Halt::Fault(task, fault))
    }

    #[allow(clippy::too_many_arguments)]
    fn on_objects(
        &mut self,
        task: usize,
        inst: &InstData,
        op: Op,
        args: &[Typed],
        slots: &[u64],
        result: Option<TypeId>,
        now_ms: i64,
    ) -> Option<Done> {
        let heap = &mut self.heap;
        let value = |made: Result<u64, Fault>| Some(made.map(Did::Value));
        let plain = |slot: u64| Some(Ok(Did::Value(slot)));
        let done = Some(Ok(Did::Value(0)));
        match (op, &inst.imm) {
            (Op::Const, Imm::Const(id)) => {
                let module = Arc::clone(&self.module);
                match module.constant(*id) {
                    Constant::Str(text) => value(heap.new_str(text)),
                    Constant::Bytes(bytes) => value(heap.new_bytes(bytes)),
                }
            }
            (Op::Poll, _) => done,
            (Op::Eq, _) => value(structural::eq(heap, args[0].ty, slots[0], slots[1]).map(u64::from)),
            (Op::Order, _) => {
                let order = structural::order(heap, args[0].ty, slots[0], slots[1]);
                value(order.map(|order| match order {
                    Ordering::Less => -1i64 as u64,
                    Ordering::Equal => 0,
                    Ordering::Greater => 1,
                }))
            }
            (Op::ListNew, _) => value(heap.new_list(result?, slots)),
            (Op::ListLen, _) => plain(heap.list_len(slots[0]) as u64),
            (Op::ListGet, _) => {
                let at = list_index(slots[1] as i64, heap.list_len(slots[0]));
                value(at.map(|at| heap.list_get(slots[0], at)))
            }
            (Op::ListSet, _) => match list_index(slots[1] as i64, heap.list_len(slots[0])) {
                Ok(at) => {
                    heap.list_set(slots[0], at, slots[2]);
                    done
                }
                Err(fault) => Some(Err(fault)),
            },
            (Op::ListPush, _) => {
                let end = heap.list_len(slots[0]);
                value(heap.list_splice(slots[0], end..end, &slots[1..]).map(|()| 0))
            }
            (Op::DictNew, _) => {
                let made = heap.new_dict(result?).and_then(|dict| {
                    slots.chunks_exact(2).try_for_each(|pair| heap.dict_set(dict, pair[0], pair[1]))?;
                    Ok(dict)
                });
                value(made)
            }
            (Op::DictLen, _) => plain(heap.dict_len(slots[0]) as u64),
            (Op::DictGet, _) => match heap.dict_get(slots[0], slots[1]) {
                Some(slot) => plain(slot),
                None => {
                    let repr = structural::repr(heap, args[1].ty, slots[1]);
                    Some(Err(repr.map_or_else(|fault| fault, Fault::missing_key)))
                }
            },
            (Op::DictSet, _) => value(heap.dict_set(slots[0], slots[1], slots[2]).map(|()| 0)),
            (Op::DictHas, _) => plain(u64::from(heap.dict_find(slots[0], slots[1]).is_some())),
            (Op::DictNext, _) => {
                let from = usize::try_from((slots[1] as i64).max(0)).unwrap_or(usize::MAX);
                plain(heap.dict_next(slots[0], from).map_or(-1i64 as u64, |at| at as u64))
            }
            (Op::DictKeyAt | Op::DictValueAt, _) => {
                let position = slots[1] as i64;
                match usize::try_from(position).ok().filter(|at| heap.has_entry(slots[0], *at)) {
                    Some(at) => {
                        let (key, held) = heap.dict_entry(slots[0], at);
                        plain(if op == Op::DictKeyAt { key } else { held })
                    }
                    None => Some(Err(Fault::missing_entry(position))),
                }
            }
            (Op::New, _) => value(heap.new_object(result?, slots)),
            (Op::SlotGet, Imm::Slot(index)) => plain(heap.slot(slots[0], *index as usize)),
            (Op::SlotSet, Imm::Slot(index)) => {
                heap.set_slot(slots[0], *index as usize, slots[1]);
                done
            }
            (Op::UnionWiden, _) => value(widened(heap, args[0].ty, slots[0])),
            (Op::UnionIs, Imm::Type(ty)) => {
                let (member, _) = heap.member(slots[0]);
                plain(u64::from(heap.types().includes(*ty, member)))
            }
            (Op::UnionNarrow, _) => {
                let (wanted, (member, slot)) = (result?, heap.member(slots[0]));
                if !heap.types().includes(wanted, member) {
                    return Some(Err(Fault::narrowed(heap.types(), wanted, member)));
                }
                plain(if heap.types().members(wanted).is_some() { slots[0] } else { slot })
            }
            (Op::QueueNew, _) => value(heap.add(result?, Content::Queue(Queue::new(slots[0] as i64)))),
            (Op::QueueLen, _) => {
                self.settle_timer(slots[0], now_ms);
                plain(self.heap.queue_len(slots[0]) as u64)
            }
            (Op::QueueClosed, _) => plain(u64::from(heap.queue(slots[0]).closed)),
            (Op::QueueFull, _) => {
                let queue = heap.queue(slots[0]);
                plain(u64::from(queue.getters.is_empty() && !queue.has_room()))
            }
            (Op::QueueClose, _) => match self.close(slots[0]) {
                Ok(()) => done,
                Err(fault) => Some(Err(fault)),
            },
            (Op::After, _) => {
                let seconds = f64::from_bits(slots[0]);
                if seconds.is_nan() || seconds < 0.0 {
                    return Some(Err(Fault::bad_after(seconds)));
                }
                let due_ms = Some(super::due_ms(now_ms, seconds));
                value(heap.add(result?, Content::Queue(Queue { due_ms, timer: true, ..Queue::new(1) })))
            }
            (Op::QueueNamed, _) => value(self.named_queue(result?, slots[0], slots[1] as i64)),
            (Op::QueuePut, _) => {
                match self.put(slots[0], slots[1]) {
                    Ok(true) => return done,
                    Ok(false) => {}
                    Err(fault) => return Some(Err(fault)),
                }
                let waiter = Waiter { task, case: None };
                self.heap.queue_mut(slots[0]).putters.push_back((waiter, slots[1]));
                Some(Ok(Did::Blocked(State::Sync(Waiting::Put, vec![slots[0]]))))
            }
            (Op::QueueGet | Op::QueueReceive, _) => {
                self.settle_timer(slots[0], now_ms);
                match (self.get(slots[0]), op) {
                    (Some(Some(element)), Op::QueueGet) => plain(element),
                    (Some(None), Op::QueueGet) => Some(Err(Fault::get_from_closed())),
                    (Some(got), _) => value(self.heap.new_list(result?, got.as_slice())),
                    (None, _) => {
                        self.heap.queue_mut(slots[0]).getters.push_back(Waiter { task, case: None });
                        Some(Ok(Did::Blocked(State::Sync(Waiting::Get, vec![slots[0]]))))
                    }
                }
            }
            (Op::LockNew, _) => value(heap.add(result?, Content::Lock { held: false, line: VecDeque::new() })),
            (Op::LockAcquire, _) => {
                let (held, line) = heap.lock_mut(slots[0]);
                if std::mem::replace(held, true) {
                    line.push_back(task);
                    return Some(Ok(Did::Blocked(State::Sync(Waiting::Lock, vec![slots[0]]))));
                }
                done
            }
            (Op::LockRelease, _) => {
                let (held, line) = heap.lock_mut(slots[0]);
                if !*held {
                    return Some(Err(Fault::free_lock()));
                }
                match line.pop_front() {
                    Some(next) => self.wake(next, None, Given::Nothing),
                    None => *held = false,
                }
                done
            }
            (Op::WaitGroupNew, _) => value(heap.add(result?, Content::Group { count: 0, line: Vec::new() })),
            (Op::WaitGroupAdd, _) => {
                let (count, line) = heap.group_mut(slots[0]);
                let delta = slots[1] as i64;
                let Some(sum) = count.checked_add(delta) else {
                    return Some(Err(Fault::wait_group_overflow(*count, delta)));
                };
                if sum < 0 {
                    return Some(Err(Fault::wait_group_below_zero(sum)));
                }
                *count = sum;
                if sum == 0 {
                    std::mem::take(line).into_iter().for_each(|task| self.wake(task, None, Given::Nothing));
                }
                done
            }
            (Op::WaitGroupWait, _) => {
                let (count, line) = heap.group_mut(slots[0]);
                if *count == 0 {
                    return done;
                }
                line.push(task);
                Some(Ok(Did::Blocked(State::Sync(Waiting::Group, vec![slots[0]]))))
            }
            _ => None,
        }
    }

    fn call(&mut self, task: usize, callee: FuncId, args: &[Typed]) -> Done {
        if self.tasks[task].frames.len() >= self.limits.call_depth {
            return Err(Fault::call_depth(self.limits.call_depth));
        }
        let frame = self.frame(callee, args);
        self.tasks[task].frames.push(frame);
        Ok(Did::Moved)
    }

    /// After an overflow: goes on after the outermost `call_or_host` that the task stands in with the result of its host function.
    /// False where there is none, or none with a result.
    pub(super) fn call_again(&mut self, task: usize, world: &mut dyn World) -> Result<bool, Halt> {
        let module = Arc::clone(&self.module);
        let callers = self.tasks[task].frames.len().saturating_sub(1);
        let standing = |frame: &Frame| {
            let func = module.func(frame.func);
            func.block(frame.block).insts.get(frame.at).map(|inst| func.inst(*inst))
        };
        let mut frames = self.tasks[task].frames[..callers].iter().enumerate();
        let found =
            frames.find_map(|(at, frame)| standing(frame).filter(|i| i.op == Op::CallOrHost).map(|i| (at, frame, i)));
        let Some((at, frame, inst)) = found else { return Ok(false) };
        let Imm::Func(callee) = inst.imm else { return Ok(false) };
        let Some(host) = module.host_of(callee) else { return Ok(false) };
        let values: Option<Vec<Typed>> =
            inst.args.iter().map(|v| frame.values.get(v.index()).copied().flatten()).collect();
        let Some(values) = values else { return self.broken(task, "the arguments of a call are gone") };
        let host = module.host(host);
        let answer = self.host_args(&values).and_then(|args| world.call_pure(host, &args));
        let Ok(slot) = self.accept(host, answer) else { return Ok(false) };
        self.tasks[task].frames.truncate(at + 1);
        self.deliver(task, slot)?;
        Ok(true)
    }

    fn leave(&mut self, task: usize, func: &Func, slot: u64) -> Result<Did, Halt> {
        if self.tasks[task].frames.len() > 1 {
            self.tasks[task].frames.pop();
            return Ok(Did::Value(slot));
        }
        if task == 0 {
            let value = to_datum(&self.heap, func.ret, slot, self.limits.message_bytes);
            self.result = Some(value.map_err(|f| Halt::Fault(task, f))?);
        }
        self.tasks[task].frames.clear();
        self.tasks[task].state = State::Ended;
        self.alive -= 1;
        Ok(Did::Moved)
    }

    fn host_args(&self, args: &[Typed]) -> Result<Vec<Datum>, Fault> {
        args.iter().map(|arg| to_datum(&self.heap, arg.ty, arg.slot, self.limits.message_bytes)).collect()
    }

    fn call_pure(&mut self, module: &Module, host: HostId, args: &[Typed], world: &mut dyn World) -> Done {
        let args = self.host_args(args)?;
        let host = module.host(host);
        let answer = world.call_pure(host, &args);
        self.accept(host, answer).map(Did::Value)
    }

    fn call_impure(&mut self, task: usize, host: HostId, args: &[Typed]) -> Done {
        let args = self.host_args(args)?;
        Ok(self.durable(task, Request::Host(host, args), None))
    }

    fn draw(&mut self, world: &mut dyn World) -> u64 {
        self.draws += 1;
        world.chance(self.draws - 1)
    }

    fn sleep(&mut self, task: usize, seconds: f64) -> Done {
        if seconds.is_nan() || seconds < 0.0 {
            return Err(Fault::bad_sleep(seconds));
        }
        let due = self.clock + seconds;
        Ok(self.durable(task, Request::Sleep(seconds), Some(due)))
    }

    fn durable(&mut self, task: usize, request: Request, due: Option<f64>) -> Did {
        let step = self.calls.len() as u64;
        self.calls.push(DurableCall { step, task: task as u64, request });
        self.pending.insert(step, Pending { task, due });
        Did::Blocked(State::Durable(step))
    }

    /// Puts an element if that needs no waiting; tells whether it did.
    fn put(&mut self, queue: u64, element: u64) -> Result<bool, Fault> {
        let content = self.heap.queue_mut(queue);
        if content.timer {
            return Err(Fault::put_into_timer());
        }
        if content.closed {
            return Err(Fault::put_into_closed());
        }
        if let Some(getter) = content.getters.pop_front() {
            self.wake(getter.task, getter.case, Given::Element(element));
            return Ok(true);
        }
        if content.has_room() {
            content.elements.push_back(element);
            return Ok(true);
        }
        Ok(false)
    }

    /// Takes an element if that needs no waiting; an inner nothing where there will never be one.
    fn get(&mut self, queue: u64) -> Option<Option<u64>> {
        let content = self.heap.queue_mut(queue);
        let oldest = content.elements.pop_front();
        match content.putters.pop_front() {
            None => oldest.map(Some).or_else(|| content.closed.then_some(None)),
            Some((putter, element)) => {
                if oldest.is_some() {
                    content.elements.push_back(element);
                }
                self.wake(putter.task, putter.case, Given::Nothing);
                Some(Some(oldest.unwrap_or(element)))
            }
        }
    }

    /// Puts the element of a timer that is due in.
    pub(super) fn settle_timer(&mut self, queue: u64, now_ms: i64) {
        let content = self.heap.queue_mut(queue);
        let Some(due_ms) = content.due_ms.filter(|due_ms| *due_ms <= now_ms) else { return };
        content.due_ms = None;
        let element = eval::now(due_ms).to_bits();
        match content.getters.pop_front() {
            Some(getter) => self.wake(getter.task, getter.case, Given::Element(element)),
            None => content.elements.push_back(element),
        }
    }

    fn close(&mut self, queue: u64) -> Result<(), Fault> {
        let content = self.heap.queue_mut(queue);
        if content.timer {
            return Err(Fault::close_of_timer());
        }
        if std::mem::replace(&mut content.closed, true) {
            return Err(Fault::close_of_closed());
        }
        let getters = std::mem::take(&mut content.getters);
        let putters = std::mem::take(&mut content.putters);
        // A select may stand in a line more than once, and is served at the first of its places.
        for waiter in getters {
            if matches!(self.tasks[waiter.task].state, State::Sync(..)) {
                self.wake(waiter.task, waiter.case, Given::End);
            }
        }
        for (waiter, _) in putters {
            if matches!(self.tasks[waiter.task].state, State::Sync(..)) {
                self.wake(waiter.task, waiter.case, Given::Refusal);
            }
        }
        Ok(())
    }

    fn named_queue(&mut self, ty: TypeId, name: u64, capacity: i64) -> Result<u64, Fault> {
        let name = self.heap.str(name).to_owned();
        if let Some(there) = self.named.get(&name) {
            let (had, has) = (self.heap.find(*there).map(|o| o.ty), self.heap.queue(*there).capacity);
            if had == Some(ty) && has.max(-1) == capacity.max(-1) {
                return Ok(*there);
            }
            let ty = had.map_or_else(String::new, |ty| self.module.types.name(ty));
            return Err(Fault::queue_name_taken(&name, &ty, has));
        }
        if !is_queue_name(&name) {
            return Err(Fault::bad_queue_name(&name));
        }
        let queue = self.heap.add(ty, Content::Queue(Queue::new(capacity)))?;
        self.named.insert(name, queue);
        Ok(queue)
    }

    /// Lets a waiting task go on: out of all lines, to the end of the ready queue.
    fn wake(&mut self, task: usize, case: Option<usize>, given: Given) {
        if let State::Sync(_, objects) = self.tasks[task].state.clone() {
            for object in objects {
                if let Some(Content::Queue(_)) = self.heap.find(object).map(|o| &o.content) {
                    let queue = self.heap.queue_mut(object);
                    queue.getters.retain(|w| w.task != task);
                    queue.putters.retain(|(w, _)| w.task != task);
                }
            }
        }
        self.make_ready(task);
        let slot = match (given, self.received(task, case)) {
            (Given::Refusal, _) => Err(Fault::put_into_closed()),
            (Given::End, None) => Err(Fault::get_from_closed()),
            (Given::End, Some(list)) => self.heap.new_list(list, &[]),
            (Given::Element(element), Some(list)) => self.heap.new_list(list, &[element]),
            (Given::Element(element), None) => Ok(element),
            (Given::Nothing, _) => Ok(0),
        };
        let slot = match slot {
            Ok(slot) => slot,
            Err(fault) => {
                self.tasks[task].fault = Some(fault);
                return;
            }
        };
        let woken = match case {
            Some(index) => {
                self.tasks[task].last_case = Some(index);
                let element = self.case_delivers(task, index).then_some(slot);
                self.go(task, index, element)
            }
            None => self.deliver(task, slot),
        };
        if let Err(halt) = woken {
            self.halted.get_or_insert(halt);
        }
    }

    /// The type of list that a task is given where it stands, if it receives.
    fn received(&self, task: usize, case: Option<usize>) -> Option<TypeId> {
        let frame = self.tasks[task].frames.last()?;
        let func = self.module.func(frame.func);
        let inst = func.inst(*func.block(frame.block).insts.get(frame.at)?);
        match (&inst.imm, case) {
            (Imm::Cases(cases), Some(index)) if cases.get(index) == Some(&Case::Receive) => {
                let params = &func.block(inst.targets.get(index)?.block).params;
                params.first().map(|value| func.ty(*value))
            }
            _ if inst.op == Op::QueueReceive => inst.result.map(|value| func.ty(value)),
            _ => None,
        }
    }

    fn case_delivers(&self, task: usize, index: usize) -> bool {
        let frame = self.tasks[task].frames.last();
        frame.is_some_and(|frame| {
            let func = self.module.func(frame.func);
            func.block(frame.block).insts.get(frame.at).is_some_and(|i| func.inst(*i).delivers(index) > 0)
        })
    }

    fn select(&mut self, task: usize, cases: &[Case], slots: &[u64], now_ms: i64) -> Done {
        let mut queues = Vec::new();
        let mut at = 0;
        for case in cases {
            match case {
                Case::Get | Case::Receive => queues.push((slots[at], None)),
                Case::Put => queues.push((slots[at], Some(slots[at + 1]))),
                Case::Default => {}
            }
            at += if *case == Case::Put { 2 } else { 1 };
        }
        let count = queues.len();
        let start = self.tasks[task].last_case.map_or(0, |last| last + 1);
        for offset in 0..count {
            let index = (start + offset) % count;
            let taken = match queues[index] {
                (queue, None) => {
                    self.settle_timer(queue, now_ms);
                    match self.get(queue) {
                        None => continue,
                        Some(got) => match (self.received(task, Some(index)), got) {
                            (Some(list), got) => Some(self.heap.new_list(list, got.as_slice())?),
                            (None, Some(element)) => Some(element),
                            (None, None) => return Err(Fault::get_from_closed()),
                        },
                    }
                }
                (queue, Some(element)) => {
                    if !self.put(queue, element)? {
                        continue;
                    }
                    None
                }
            };
            self.tasks[task].last_case = Some(index);
            return Ok(Did::Target(index, taken));
        }
        if cases.last() == Some(&Case::Default) {
            return Ok(Did::Target(cases.len() - 1, None));
        }
        for (index, (queue, element)) in queues.iter().enumerate() {
            let waiter = Waiter { task, case: Some(index) };
            let content = self.heap.queue_mut(*queue);
            match element {
                None => content.getters.push_back(waiter),
                Some(element) => content.putters.push_back((waiter, *element)),
            }
        }
        let queues = queues.into_iter().map(|(queue, _)| queue).collect();
        Ok(Did::Blocked(State::Sync(Waiting::Select, queues)))
    }
}

/// Drops what a frame must not need after a stop.
fn forget(frame: &mut Frame, func: &Func, stop: usize) {
    let listed = &func.stops[stop].values;
    let mut kept = vec![None; frame.values.len()];
    for l in listed {
        kept[l.value.index()] = frame.values[l.value.index()];
    }
    frame.values = kept;
}

/// The index into a list of this length, a negative one counting from the end.
fn list_index(index: i64, len: usize) -> Result<usize, Fault> {
    let from_start = if index < 0 { index.checked_add_unsigned(len as u64) } else { Some(index) };
    let at = from_start.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < len);
    at.ok_or_else(|| Fault::list_index(index, len))
}

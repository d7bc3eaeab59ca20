//! Every state that a task can be in and every line that it can stand in, there and back; and what is wrong with one that
//! does not fit the place where the task stands.

use super::world::*;
use crate::heap::{Ref, Waiter};
use crate::snapshot::{SavedFrame, SavedState, v1};
use crate::stop::Request;
use deepslate_ir::builder::FuncBuilder;
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::{FuncId, HostId, StopId, TypeId};
use deepslate_ir::module::{Case, FuncKind, Host, Imm, Module, Param, Purity, Span};
use deepslate_ir::ops::Op;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_ir::types::{self, Type};
use proptest::prelude::*;
use std::sync::OnceLock;

const PUTTER: FuncId = FuncId(1);
const LOCKER: FuncId = FuncId(2);
const WAITER: FuncId = FuncId(3);
const SELECTOR: FuncId = FuncId(4);
const CALLER: FuncId = FuncId(5);
const SLEEPER: FuncId = FuncId(6);

/// A function of these parameters; the stop of its one instruction that has one lists them all.
fn func(module: &mut Module, name: &str, params: &[TypeId], ret: TypeId, body: impl FnOnce(&mut FuncBuilder)) {
    let param = |(i, ty): (usize, &TypeId)| Param::new(format!("p{i}"), *ty);
    let kind = if module.funcs.is_empty() { FuncKind::Flow } else { FuncKind::Plain };
    let mut b = FuncBuilder::new(name, kind, params.iter().enumerate().map(param).collect(), ret, Span::NOWHERE);
    let mut scope = Vec::new();
    for (index, ty) in params.iter().enumerate() {
        let var = b.declare(Some(&format!("v{index}")), *ty);
        b.write(var, b.param(index));
        scope.push(var);
    }
    b.set_scope(&scope);
    body(&mut b);
    module.funcs.push(b.finish());
}

fn module() -> Module {
    let mut m = Module::default();
    let queue = m.types.intern(Type::Queue(types::STR));
    let ints = m.types.intern(Type::List(types::INT));
    let params = [("what", types::STR), ("counts", ints)].map(|(name, ty)| Param::new(name, ty));
    let host = Host { name: "charge".to_owned(), params: params.into(), ret: types::STR, purity: Purity::Impure };
    m.hosts.push(host);
    func(&mut m, "main", &[types::STR], types::STR, |b| {
        b.inst(Op::Poll, &[], Imm::No, None);
        b.ret(b.param(0));
    });
    func(&mut m, "putter", &[queue, types::STR], types::NONE, |b| {
        let none = b.value(Op::QueuePut, &[b.param(0), b.param(1)], Imm::No, types::NONE);
        b.ret(none);
    });
    func(&mut m, "locker", &[types::LOCK], types::NONE, |b| {
        let none = b.value(Op::LockAcquire, &[b.param(0)], Imm::No, types::NONE);
        b.ret(none);
    });
    func(&mut m, "waiter", &[types::WAIT_GROUP], types::NONE, |b| {
        let none = b.value(Op::WaitGroupWait, &[b.param(0)], Imm::No, types::NONE);
        b.ret(none);
    });
    func(&mut m, "selector", &[queue, queue, types::STR], types::STR, |b| {
        let (got, put) = (b.new_block(), b.new_block());
        let element = b.block_param(got, types::STR);
        let args = [b.param(0), b.param(1), b.param(2)];
        b.end(Op::Select, &args, Imm::Cases(vec![Case::Get, Case::Put]), &[got, put]);
        b.switch_to(got);
        b.ret(element);
        b.switch_to(put);
        b.ret(b.param(2));
    });
    func(&mut m, "caller", &[types::STR, ints], types::STR, |b| {
        let text = b.value(Op::CallImpure, &[b.param(0), b.param(1)], Imm::Host(HostId(0)), types::STR);
        b.ret(text);
    });
    func(&mut m, "sleeper", &[types::FLOAT], types::NONE, |b| {
        let none = b.value(Op::Sleep, &[b.param(0)], Imm::No, types::NONE);
        b.ret(none);
    });
    deepslate_ir::verify::verify(&m).expect("the tests' program is sound");
    m
}

/// A new task that stands at the first stop of this function.
fn task(world: &mut World, func: FuncId, values: Vec<u64>, state: SavedState, ready: bool) -> u64 {
    let (id, mark) = (world.table.next_task, world.heap.interval());
    world.table.next_task += 1;
    let frame = SavedFrame { func, stop: StopId(0), values, mark };
    world.table.tasks.insert(id, Task { state, frames: vec![frame], mark });
    if ready {
        world.table.ready.push(id);
    }
    id
}

fn plain(task: u64) -> Waiter {
    Waiter { task, case: None }
}

/// Tasks in every state, in two parts.
fn all_states() -> World {
    let mut world = World::bare(module(), Vec::new());
    let text = |world: &mut World, text: &str| world.heap.new_str(text).unwrap().slot();
    let argument = text(&mut world, "argument");
    world.table.tasks.get_mut(&0).unwrap().state = SavedState::Start(MAIN, vec![argument]);
    world.commit();

    let queue_ty = world.program.module.types.find(&Type::Queue(types::STR)).unwrap();
    let (full, empty) = (world.heap.new_queue(queue_ty, 1).unwrap(), world.heap.new_queue(queue_ty, 0).unwrap());
    let (lock, group) = (world.heap.new_lock().unwrap(), world.heap.new_wait_group().unwrap());
    let element = text(&mut world, "element");
    world.heap.queue_put(full, element).unwrap();
    assert!(world.heap.lock_try(lock));
    world.heap.wait_group_add(group, 3).unwrap();
    for _ in 0..2 {
        let id = task(&mut world, PUTTER, vec![full.slot(), element], SavedState::Put(full.slot()), false);
        world.heap.queue_wait_put(full, plain(id), element).unwrap();
        let id = task(&mut world, LOCKER, vec![lock.slot()], SavedState::Lock(lock.slot()), false);
        world.heap.lock_wait(lock, id).unwrap();
        let id = task(&mut world, WAITER, vec![group.slot()], SavedState::Group(group.slot()), false);
        world.heap.wait_group_wait(group, id).unwrap();
        let queues = vec![empty.slot(), full.slot()];
        let values = vec![empty.slot(), full.slot(), element];
        let id = task(&mut world, SELECTOR, values.clone(), SavedState::Select(queues), false);
        world.heap.queue_wait_get(empty, Waiter { task: id, case: Some(0) }).unwrap();
        world.heap.queue_wait_put(full, Waiter { task: id, case: Some(1) }, element).unwrap();
        let delivered = text(&mut world, "delivered");
        task(&mut world, SELECTOR, values.clone(), SavedState::Case(0, delivered), true);
        task(&mut world, SELECTOR, values, SavedState::Case(1, 0), true);
    }
    let ints = world.program.module.types.find(&Type::List(types::INT)).unwrap();
    let list = world.heap.new_list(ints, &[1, 2]).unwrap().slot();
    let args = vec![Datum::Str("what".to_owned()), Datum::List(vec![Datum::Int(-1), Datum::Int(i64::MAX)])];
    let call = SavedState::Call(7, Request::Host { host: HostId(0), args });
    task(&mut world, CALLER, vec![element, list], call, false);
    let fault = SavedState::Fault(Fault::new(TrapKind::Host, "it raised"));
    task(&mut world, CALLER, vec![element, list], fault, true);
    let result = text(&mut world, "result");
    task(&mut world, CALLER, vec![element, list], SavedState::Deliver(result), true);
    let sleep = SavedState::Call(8, Request::Sleep { seconds: 2.5 });
    task(&mut world, SLEEPER, vec![2.5f64.to_bits()], sleep, false);
    task(&mut world, SLEEPER, vec![2.5f64.to_bits()], SavedState::Deliver(0), true);
    world.table.next_step = 9;
    world.commit();
    world
}

#[test]
fn every_state_comes_back() {
    let mut world = all_states();
    assert_eq!(world.picture(), world.restored().picture());
    // The first task ends, the others stay.
    let result = world.heap.new_str("the flow's result").unwrap().slot();
    world.table.tasks.remove(&0);
    world.table.ready.remove(0);
    world.table.ended.push(0);
    world.table.result = Some(result);
    world.commit();
    let mut back = world.restored();
    assert_eq!(world.picture(), back.picture());
    assert_eq!(back.heap.str(Ref::from_slot(back.table.result.unwrap())), "the flow's result");
    // Lines work on after a restore.
    let full = match back.table.tasks[&1].state {
        SavedState::Put(slot) => Ref::from_slot(slot),
        ref other => panic!("{other:?}"),
    };
    let crate::heap::Got::Element(element, woken) = back.heap.queue_get(full).unwrap() else { panic!("it is full") };
    assert_eq!((back.heap.str(Ref::from_slot(element)), woken), ("element", Some(plain(1))));
    assert_eq!(back.heap.queue_putters(full).len(), 3);
}

/// Commits after a change for the worse; gives what a restore says.
fn refused(change: impl FnOnce(&mut World)) -> String {
    let mut world = all_states();
    change(&mut world);
    for task in world.table.tasks.values_mut() {
        task.mark = world.heap.interval();
    }
    world.commit();
    match restore(&world.program, &world.store, u64::MAX) {
        Ok(_) => panic!("it is restored all the same"),
        Err(error) => error.to_string(),
    }
}

fn by_state(world: &mut World, which: impl Fn(&SavedState) -> bool) -> &mut Task {
    world.table.tasks.values_mut().find(|t| which(&t.state)).expect("every state is there")
}

#[test]
fn what_does_not_fit_is_refused() {
    let first_lock = |w: &mut World| by_state(w, |s| matches!(s, SavedState::Lock(_))).frames[0].values[0];
    let error = refused(|w| by_state(w, |s| matches!(s, SavedState::Put(_))).state = SavedState::Deliver(0));
    assert!(error.contains("can run, but is not in the ready queue"), "{error}");
    let error = refused(|w| w.table.ready.push(1));
    assert!(error.contains("in the ready queue, but can't run"), "{error}");
    let error = refused(|w| w.table.next_step = 8);
    assert!(error.contains("waits for step 8"), "{error}");
    let error = refused(|w| w.table.next_task = 3);
    assert!(error.contains("the next one gets number 3"), "{error}");
    let error = refused(|w| w.table.result = Some(0));
    assert!(error.contains("neither or both"), "{error}");
    let error = refused(|w| {
        let lock = first_lock(w);
        by_state(w, |s| matches!(s, SavedState::Put(_))).state = SavedState::Lock(lock);
    });
    assert!(error.contains("does not fit queue_put"), "{error}");
    let error = refused(|w| {
        let lock = first_lock(w);
        by_state(w, |s| matches!(s, SavedState::Put(_))).state = SavedState::Put(lock);
    });
    assert!(error.contains("is Lock, but is referred to as Queue[str]"), "{error}");
    let error = refused(|w| {
        let lock = first_lock(w);
        w.table.tasks.get_mut(&0).unwrap().state = SavedState::Start(MAIN, vec![lock]);
    });
    assert!(error.contains("is Lock, but is referred to as str"), "{error}");
    let error = refused(|w| w.table.tasks.get_mut(&0).unwrap().state = SavedState::Start(MAIN, vec![0]));
    assert!(error.contains("0 is no value of type str"), "{error}");
    let error = refused(|w| w.table.tasks.get_mut(&0).unwrap().state = SavedState::Start(SLEEPER, vec![0]));
    assert!(error.contains("the flow is fn0"), "{error}");
    let error = refused(|w| {
        let lock = Ref::from_slot(first_lock(w));
        w.heap.lock_wait(lock, 4711).unwrap();
    });
    assert!(error.contains("task 4711 stands in the line"), "{error}");
    let error = refused(|w| {
        let lock = Ref::from_slot(first_lock(w));
        w.heap.lock_release(lock).unwrap();
    });
    assert!(error.contains("in whose line it does not stand"), "{error}");
    let error = refused(|w| by_state(w, |s| matches!(s, SavedState::Case(1, _))).state = SavedState::Case(2, 0));
    assert!(error.contains("does not fit select"), "{error}");
    let error = refused(|w| by_state(w, |s| matches!(s, SavedState::Case(0, _))).state = SavedState::Case(0, 0));
    assert!(error.contains("0 is no value of type str"), "{error}");
    let error = refused(|w| {
        let args = vec![Datum::Str("what".to_owned()), Datum::Str("no list".to_owned())];
        let call = SavedState::Call(7, Request::Host { host: HostId(0), args });
        by_state(w, |s| matches!(s, SavedState::Call(7, _))).state = call;
    });
    assert!(error.contains("it calls charge: counts"), "{error}");
    let error = refused(|w| {
        let sleep = SavedState::Call(8, Request::Sleep { seconds: f64::NAN });
        by_state(w, |s| matches!(s, SavedState::Call(8, _))).state = sleep;
    });
    assert!(error.contains("sleeps for NaN"), "{error}");
}

fn shared() -> &'static (std::sync::Arc<Program>, Store) {
    static WORLD: OnceLock<(std::sync::Arc<Program>, Store)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let world = all_states();
        (world.program.clone(), world.store.clone())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_behind_right_checksums_does_no_harm(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..3),
    ) {
        let (program, store) = shared();
        let mut store = store.clone();
        let (number, bytes) = store.parts().pop().unwrap();
        let mut bytes = bytes.to_vec();
        for (at, value, small) in damage {
            let at = at.index(bytes.len());
            bytes[at] = if small { bytes[at].wrapping_add(value % 3).wrapping_sub(1) } else { value };
        }
        v1::reseal(&mut bytes);
        store.0.insert(number, bytes.into());
        if let Ok(mut world) = restore(program, &store, u64::MAX) {
            let before = world.picture();
            world.collect();
            world.commit();
            prop_assert_eq!(&world.picture(), &before);
            prop_assert_eq!(&world.restored().picture(), &before);
        }
    }
}

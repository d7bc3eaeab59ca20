//! The heap by itself: each kind against a plain model, limits, collection.

use super::*;
use deepslate_ir::types::{self, Class, Field, Type};
use proptest::prelude::*;
use std::collections::VecDeque;

struct Types {
    ints: TypeId,
    lists: TypeId,
    counts: TypeId,
    words: TypeId,
    floats: TypeId,
    pairs: TypeId,
    pair: TypeId,
    queue: TypeId,
    node: TypeId,
}

fn heap(limit: u64) -> (Heap, Types) {
    let mut module = Module::default();
    let t = &mut module.types;
    let ints = t.intern(Type::List(types::INT));
    let lists = t.intern(Type::List(ints));
    let counts = t.intern(Type::Dict(types::INT, types::INT));
    let words = t.intern(Type::Dict(types::STR, types::INT));
    let floats = t.intern(Type::Dict(types::FLOAT, types::INT));
    let pair = t.intern(Type::Tuple(vec![types::STR, types::FLOAT]));
    let pairs = t.intern(Type::Dict(pair, types::INT));
    let queue = t.intern(Type::Queue(types::STR));
    let class = t.add_class(Class { name: "Node".to_owned(), fields: Vec::new(), frozen: false });
    let node = t.intern(Type::Class(class));
    t.class_mut(class).fields = vec![Field { name: "next".to_owned(), ty: node }];
    let heap = Heap::new(Arc::new(module), limit);
    (heap, Types { ints, lists, counts, words, floats, pairs, pair, queue, node })
}

const PLENTY: u64 = 1 << 30;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_list_is_a_vec(ops in prop::collection::vec((0u8..5, any::<u16>(), any::<u16>()), 0..300)) {
        let (mut heap, t) = heap(PLENTY);
        let list = heap.new_list(t.ints, &[]).unwrap();
        let mut model: Vec<u64> = Vec::new();
        for (op, a, b) in ops {
            let (a, b) = (usize::from(a), usize::from(b));
            match op {
                0 => {
                    heap.list_push(list, a as u64).unwrap();
                    model.push(a as u64);
                }
                1 => {
                    prop_assert_eq!(heap.list_set(list, a, b as u64), a < model.len());
                    if let Some(place) = model.get_mut(a) {
                        *place = b as u64;
                    }
                }
                2 => prop_assert_eq!(heap.list_get(list, a), model.get(a).copied()),
                _ => {
                    let from = a % (model.len() + 1);
                    let to = from + b % (model.len() - from + 1);
                    let with: Vec<u64> = (0..(a as u64 ^ b as u64) % 900).collect();
                    heap.list_splice(list, from..to, &with).unwrap();
                    model.splice(from..to, with);
                }
            }
            prop_assert_eq!(heap.list_items(list), &model[..]);
            let marks = heap.list(list).marks.len();
            prop_assert_eq!(marks, if model.len() > CHUNK_SLOTS { model.len().div_ceil(CHUNK_SLOTS) } else { 0 });
        }
    }

    #[test]
    fn a_dict_keeps_the_order_of_insertion(ops in prop::collection::vec((0u8..8, 0u64..600, any::<u64>()), 0..1500)) {
        let (mut heap, t) = heap(PLENTY);
        let dict = heap.new_dict(t.counts).unwrap();
        let mut model: Vec<(u64, u64)> = Vec::new();
        for (op, key, value) in ops {
            let at = model.iter().position(|(k, _)| *k == key);
            match op {
                0..=4 => {
                    heap.dict_set(dict, key, value).unwrap();
                    match at {
                        Some(at) => model[at].1 = value,
                        None => model.push((key, value)),
                    }
                }
                5 | 6 => prop_assert_eq!(heap.dict_remove(dict, key), at.map(|at| model.remove(at).1)),
                _ => prop_assert_eq!(heap.dict_get(dict, key), at.map(|at| model[at].1)),
            }
            let positions = heap.dict(dict).entries.len();
            let marks = heap.dict(dict).marks.len();
            prop_assert_eq!(marks, if positions > CHUNK_ENTRIES { positions.div_ceil(CHUNK_ENTRIES) } else { 0 });
        }
        let (mut at, mut entries) = (0, Vec::new());
        while let Some(position) = heap.dict_next(dict, at) {
            entries.push(heap.dict_entry(dict, position).unwrap());
            at = position + 1;
        }
        prop_assert_eq!(&entries, &model);
        prop_assert_eq!(heap.dict_len(dict), model.len());
        heap.dict_clear(dict);
        prop_assert_eq!((heap.dict_len(dict), heap.dict_next(dict, 0)), (0, None));
    }
}

#[test]
fn positions_stay_while_a_loop_removes_behind_itself() {
    let (mut heap, t) = heap(PLENTY);
    let dict = heap.new_dict(t.counts).unwrap();
    for key in 0..50 {
        heap.dict_set(dict, key, key * 2).unwrap();
    }
    heap.dict_remove(dict, 7);
    assert_eq!(heap.dict_next(dict, 7), Some(8));
    assert_eq!((heap.dict_entry(dict, 7), heap.dict_entry(dict, 8)), (None, Some((8, 16))));
    heap.dict_remove(dict, 0);
    assert_eq!(heap.dict_next(dict, 0), Some(1));
}

#[test]
fn a_dict_that_gets_shorter_marks_its_new_end() {
    let (mut heap, t) = heap(PLENTY);
    let dict = heap.new_dict(t.counts).unwrap();
    for key in 0..900 {
        heap.dict_set(dict, key, key).unwrap();
    }
    for key in 400..899 {
        heap.dict_remove(dict, key);
    }
    heap.begin_interval(2);
    // The last entry goes, and with it the gaps before it: the second chunk is shorter now.
    heap.dict_remove(dict, 899);
    assert_eq!((heap.dict(dict).entries.len(), &heap.dict(dict).marks[..]), (400, &[1, 2][..]));
}

#[test]
fn keys_are_compared_as_the_language_does() {
    let (mut heap, t) = heap(PLENTY);
    let words = heap.new_dict(t.words).unwrap();
    let (a, b) = (heap.new_str("wörd").unwrap().slot(), heap.new_str("wörd").unwrap().slot());
    heap.dict_set(words, a, 1).unwrap();
    assert_eq!(heap.dict_get(words, b), Some(1));
    let floats = heap.new_dict(t.floats).unwrap();
    heap.dict_set(floats, 0f64.to_bits(), 1).unwrap();
    heap.dict_set(floats, (-0f64).to_bits(), 2).unwrap();
    heap.dict_set(floats, f64::NAN.to_bits(), 3).unwrap();
    assert_eq!(heap.dict_get(floats, 0f64.to_bits()), Some(2));
    assert_eq!((heap.dict_get(floats, f64::NAN.to_bits()), heap.dict_len(floats)), (None, 2));
    let pairs = heap.new_dict(t.pairs).unwrap();
    let one = heap.new_object(t.pair, &[a, 1f64.to_bits()]).unwrap().slot();
    let same = heap.new_object(t.pair, &[b, 1f64.to_bits()]).unwrap().slot();
    let other = heap.new_object(t.pair, &[b, 2f64.to_bits()]).unwrap().slot();
    heap.dict_set(pairs, one, 1).unwrap();
    assert_eq!((heap.dict_get(pairs, same), heap.dict_get(pairs, other)), (Some(1), None));
}

#[test]
fn text_knows_its_code_points() {
    let (mut heap, _) = heap(PLENTY);
    let ascii = heap.new_str("plain").unwrap();
    let other = heap.new_str("naïve 🦀").unwrap();
    assert_eq!((heap.str_len(ascii), heap.str_is_ascii(ascii)), (5, true));
    assert_eq!((heap.str_len(other), heap.str_is_ascii(other), heap.str(other)), (7, false, "naïve 🦀"));
    let bytes = heap.new_bytes(&[0, 255]).unwrap();
    assert_eq!(heap.bytes_of(bytes), [0, 255]);
}

#[test]
fn what_is_reached_stays_and_the_rest_goes() {
    let (mut heap, t) = heap(PLENTY);
    let node = heap.new_object(t.node, &[0]).unwrap();
    // A cycle that is kept, and one that is not.
    heap.set_slot(node, 0, node.slot());
    let lost = heap.new_object(t.node, &[0]).unwrap();
    heap.set_slot(lost, 0, lost.slot());
    let inner = heap.new_list(t.ints, &[1, 2, 3]).unwrap();
    let outer = heap.new_list(t.lists, &[inner.slot(), inner.slot()]).unwrap();
    for _ in 0..100 {
        heap.new_list(t.ints, &[0; 100]).unwrap();
        heap.new_str("gone").unwrap();
        heap.new_dict(t.counts).unwrap();
    }
    let before = heap.bytes();
    heap.collect(|roots| roots.add_all(&[node.slot(), 0, outer.slot()])).unwrap();
    assert_eq!(heap.object_count(), 3);
    assert!(heap.bytes() < before / 10);
    assert_eq!(heap.list_items(Ref::from_slot(heap.list_get(outer, 1).unwrap())), [1, 2, 3]);
    heap.collect(|_| {}).unwrap();
    assert_eq!((heap.object_count(), heap.bytes()), (0, 0));
}

#[test]
fn a_chain_of_a_million_is_collected_without_the_hosts_stack() {
    let (mut heap, t) = heap(PLENTY);
    let mut node = 0;
    for _ in 0..1_000_000 {
        node = heap.new_object(t.node, &[node]).unwrap().slot();
    }
    heap.collect(|roots| roots.add(node)).unwrap();
    assert_eq!(heap.object_count(), 1_000_000);
    heap.collect(|_| {}).unwrap();
    assert_eq!(heap.object_count(), 0);
}

#[test]
fn what_waits_in_a_queue_is_reached() {
    let (mut heap, t) = heap(PLENTY);
    let queue = heap.new_queue(t.queue, 1).unwrap();
    for (task, text) in ["in", "waiting", "waiting too"].into_iter().enumerate() {
        let element = heap.new_str(text).unwrap().slot();
        if heap.queue_put(queue, element).unwrap() == Put::Full {
            heap.queue_wait_put(queue, Waiter { task: task as u64, case: None }, element).unwrap();
        }
    }
    heap.collect(|roots| roots.add(queue.slot())).unwrap();
    assert_eq!(heap.object_count(), 4);
    for (text, woken) in [("in", Some(1)), ("waiting", Some(2)), ("waiting too", None)] {
        let Got::Element(element, waiter) = heap.queue_get(queue).unwrap() else { panic!("{text} is there") };
        assert_eq!((heap.str(Ref::from_slot(element)), waiter.map(|w| w.task)), (text, woken));
    }
    assert_eq!(heap.queue_get(queue).unwrap(), Got::Empty);
}

#[test]
fn over_the_limit_is_a_fault_and_the_heap_stays_sound() {
    let (mut heap, t) = heap(1 << 20);
    let huge = heap.new_bytes(&vec![0; 2 << 20]).unwrap_err();
    assert_eq!(huge.kind, TrapKind::Memory);
    let list = heap.new_list(t.ints, &[]).unwrap();
    let mut fault = None;
    for value in 0..1_000_000 {
        if heap.should_collect()
            && let Err(error) = heap.collect(|roots| roots.add(list.slot()))
        {
            fault = Some(error);
            break;
        }
        if let Err(error) = heap.list_push(list, value) {
            fault = Some(error);
            break;
        }
    }
    assert_eq!(fault.expect("a million ints are over a MiB").kind, TrapKind::Memory);
    assert!(heap.bytes() <= 3 << 20);
    assert!(heap.list_len(list) > 60_000, "{}", heap.list_len(list));
    assert_eq!(heap.list_get(list, 60_000), Some(60_000));
    // Garbage in any amount is no reason for a fault.
    heap.collect(|_| {}).unwrap();
    for _ in 0..100_000 {
        if heap.should_collect() {
            heap.collect(|_| {}).unwrap();
        }
        heap.new_bytes(&[0; 1000]).unwrap();
    }
}

#[test]
fn a_constant_is_made_once() {
    let mut module = Module::default();
    let id = module.intern(Constant::Str("constant".to_owned()));
    let mut heap = Heap::new(Arc::new(module), PLENTY);
    let first = heap.constant(id).unwrap();
    heap.collect(|_| {}).unwrap();
    assert_eq!(heap.constant(id).unwrap(), first);
    assert_eq!(heap.str(first), "constant");
}

fn plain(task: u64) -> Waiter {
    Waiter { task, case: None }
}

#[test]
fn a_queue_without_room_hands_over() {
    let (mut heap, t) = heap(PLENTY);
    let queue = heap.new_queue(t.queue, 0).unwrap();
    let element = heap.new_str("x").unwrap().slot();
    assert_eq!(heap.queue_put(queue, element).unwrap(), Put::Full);
    heap.queue_wait_put(queue, plain(1), element).unwrap();
    assert_eq!(heap.queue_get(queue).unwrap(), Got::Element(element, Some(plain(1))));
    let case = Waiter { task: 2, case: Some(3) };
    heap.queue_wait_get(queue, case).unwrap();
    heap.queue_wait_get(queue, plain(4)).unwrap();
    assert!(heap.queue_can_put(queue));
    assert_eq!(heap.queue_put(queue, element).unwrap(), Put::Handed(case));
    assert_eq!(heap.queue_put(queue, element).unwrap(), Put::Handed(plain(4)));
    assert_eq!(heap.queue_put(queue, element).unwrap(), Put::Full);
    assert_eq!(heap.queue_len(queue), 0);
}

#[test]
fn who_leaves_a_line_is_never_served() {
    let (mut heap, t) = heap(PLENTY);
    let queue = heap.new_queue(t.queue, -1).unwrap();
    for task in 0..10 {
        heap.queue_wait_get(queue, plain(task)).unwrap();
        heap.queue_wait_get(queue, Waiter { task, case: Some(1) }).unwrap();
    }
    for task in [0, 9, 4, 5] {
        heap.queue_leave(queue, task);
    }
    assert_eq!(heap.queue_getters(queue).len(), 12);
    let element = heap.new_str("x").unwrap().slot();
    let mut served = Vec::new();
    while let Put::Handed(waiter) = heap.queue_put(queue, element).unwrap() {
        served.push(waiter.task);
    }
    assert_eq!(served, [1, 1, 2, 2, 3, 3, 6, 6, 7, 7, 8, 8]);
    assert_eq!(heap.queue_len(queue), 1);
}

#[test]
fn a_task_that_comes_and_goes_leaves_nothing_in_a_line() {
    let (mut heap, t) = heap(PLENTY);
    let queue = heap.new_queue(t.queue, -1).unwrap();
    heap.queue_wait_get(queue, plain(0)).unwrap();
    for turn in 0..100_000 {
        heap.queue_wait_get(queue, plain(1 + turn % 7)).unwrap();
        heap.queue_wait_get(queue, plain(100 + turn % 7)).unwrap();
        heap.queue_leave(queue, 1 + turn % 7);
        if turn > 5 {
            heap.queue_leave(queue, 100 + (turn + 3) % 7);
        }
    }
    let slots = heap.queue(queue).getters.window.slots.len();
    assert!(slots < 400, "{slots}");
}

#[test]
fn a_lock_goes_to_who_waits_longest() {
    let (mut heap, _) = heap(PLENTY);
    let lock = heap.new_lock().unwrap();
    assert_eq!(heap.lock_release(lock).unwrap_err().kind, TrapKind::Sync);
    assert!(heap.lock_try(lock) && !heap.lock_try(lock));
    (1..=3).for_each(|task| heap.lock_wait(lock, task).unwrap());
    assert_eq!((heap.lock_line(lock), heap.lock_release(lock).unwrap()), (vec![1, 2, 3], Some(1)));
    assert!(heap.lock_held(lock));
    assert_eq!((heap.lock_release(lock).unwrap(), heap.lock_release(lock).unwrap()), (Some(2), Some(3)));
    assert_eq!((heap.lock_release(lock).unwrap(), heap.lock_held(lock)), (None, false));
}

#[test]
fn a_wait_group_lets_all_go_at_zero() {
    let (mut heap, _) = heap(PLENTY);
    let group = heap.new_wait_group().unwrap();
    assert!(heap.wait_group_add(group, 2).unwrap().is_empty());
    (0..700).for_each(|task| heap.wait_group_wait(group, task).unwrap());
    assert!(heap.wait_group_add(group, -1).unwrap().is_empty());
    assert_eq!(heap.wait_group_add(group, -1).unwrap(), (0..700).collect::<Vec<_>>());
    assert_eq!(heap.wait_group_add(group, -1).unwrap_err().kind, TrapKind::Sync);
    assert_eq!((heap.wait_group_count(group), heap.wait_group_line(group)), (0, Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Marks of a window are one for each chunk that it touches, and the slots are those of a deque.
    #[test]
    fn a_queue_is_a_deque(ops in prop::collection::vec((0u8..4, 1u64..900), 0..60)) {
        let (mut heap, t) = heap(PLENTY);
        let queue = heap.new_queue(t.queue, -1).unwrap();
        let element = heap.new_str("x").unwrap().slot();
        let mut model = VecDeque::new();
        for (op, count) in ops {
            for _ in 0..count {
                if op < 2 {
                    prop_assert_eq!(heap.queue_put(queue, element).unwrap(), Put::Stored);
                    model.push_back(element);
                } else {
                    let want = model.pop_front().map_or(Got::Empty, |e| Got::Element(e, None));
                    prop_assert_eq!(heap.queue_get(queue).unwrap(), want);
                }
            }
            let q = heap.queue(queue);
            prop_assert_eq!(&q.elements.slots, &model);
            let chunks = q.elements.chunks();
            prop_assert_eq!(q.elements.marks.len() as u64, chunks.end - chunks.start);
            prop_assert_eq!(q.big, model.len() > CHUNK_SLOTS);
        }
    }
}

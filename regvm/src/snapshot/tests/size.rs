//! How much is written and kept.

use super::world::*;
use crate::heap::Ref;

fn fill_ints(world: &mut World, count: u64) {
    let list = world.var(INTS);
    for value in 0..count {
        world.heap.list_push(list, value).unwrap();
    }
}

#[test]
fn an_append_to_a_million_writes_a_chunk() {
    let mut world = World::new();
    fill_ints(&mut world, 1_000_000);
    let base = world.commit().bytes.len() as u64;
    assert!(base < 8_200_000, "{base}");
    let (mut all, mut plain) = (0, 0);
    let commits = 2000;
    for value in 0..commits {
        world.heap.list_push(world.var(INTS), value).unwrap();
        world.ran();
        let part = world.commit();
        let bytes = part.bytes.len() as u64;
        all += bytes;
        if part.drop_from == part.number {
            plain += 1;
            assert!(bytes <= 16 << 10, "{bytes} in a plain commit");
        }
        assert!(bytes <= 64 << 10, "{bytes} in any commit");
    }
    assert!(all <= commits * (16 << 10), "{} on average", all / commits);
    assert!(plain >= commits * 9 / 10, "{plain} plain ones");
    assert!(world.store.bytes() <= 8_200_000 + 64 * 8192, "{}", world.store.bytes());
    assert_eq!(world.picture(), world.restored().picture());
}

#[test]
fn garbage_between_two_commits_is_not_written() {
    let mut world = World::new();
    fill_ints(&mut world, 5000);
    world.commit();
    world.ran();
    let quiet = world.commit().bytes.len();
    for round in 0..100u64 {
        let garbage = vec![0x6761_7262_6167_6521; 2000];
        world.heap.new_list(world.program.vars[INTS], &garbage).unwrap();
        let text = world.heap.new_str(&"garbage ".repeat(300)).unwrap();
        // Reached from a variable for a while.
        let node = world.new_node(round as i64);
        world.heap.set_slot(node, 1, text.slot());
        let kept = world.var(NODE);
        world.set_var(NODE, node);
        world.set_var(NODE, kept);
        world.ran();
        let part = world.commit();
        assert!(part.bytes.len() <= quiet + 16 || part.drop_from < part.number, "{} in {round}", part.bytes.len());
        assert!(!part.bytes.windows(8).any(|w| w == b"garbage " || w == b"!egabrag"), "in commit {round}");
    }
}

#[test]
fn what_is_stored_follows_what_lives() {
    let mut world = World::new();
    fill_ints(&mut world, 200_000);
    world.commit();
    assert!(world.store.bytes() > 1_600_000);
    let empty = world.heap.new_list(world.program.vars[INTS], &[]).unwrap();
    world.set_var(INTS, empty);
    // A commit at which the heap is collected comes soon.
    for _ in 0..4 {
        world.ran();
        world.commit();
    }
    assert!(world.store.bytes() < 4096, "{}", world.store.bytes());
}

#[test]
fn a_small_isolate_has_one_part() {
    let mut world = World::new();
    for value in 0..1000 {
        assert!(world.heap.list_set(world.var(INTS), 0, value) == (value > 0));
        if value == 0 {
            world.heap.list_push(world.var(INTS), value).unwrap();
        }
        world.ran();
        let part = world.commit();
        assert_eq!((part.drop_from, world.store.0.len()), (1, 1));
        assert!(part.bytes.len() < 1400, "{}", part.bytes.len());
    }
    assert_eq!(world.picture(), world.restored().picture());
}

#[test]
fn a_loop_keeps_what_is_stored_bounded() {
    let mut world = World::new();
    fill_ints(&mut world, 3000);
    let mut most = 0;
    for turn in 0..20_000u64 {
        let node = world.new_node(turn as i64);
        world.set_var(NODE, node);
        assert!(world.heap.list_set(world.var(INTS), (turn * 7919 % 3000) as usize, turn));
        world.commit();
        most = most.max(world.store.bytes());
    }
    let live = world.live_bytes();
    assert!(most <= 2 * live + 8192, "{most} for {live}");
    assert!(world.store.0.len() <= 64);
    assert_eq!(world.picture(), world.restored().picture());
}

#[test]
fn an_old_list_of_objects_is_not_walked_for_a_small_change() {
    let mut world = World::new();
    let node = world.var(NODE);
    let next = Ref::from_slot(world.heap.slot(node, 2));
    for value in 0..20_000 {
        let child = world.new_node(value);
        world.heap.list_push(next, child.slot()).unwrap();
    }
    world.commit();
    let child = Ref::from_slot(world.heap.list_get(next, 777).unwrap());
    world.heap.set_slot(child, 0, 4711);
    world.ran();
    let part = world.commit();
    assert!(part.bytes.len() < 1024, "{}", part.bytes.len());
    assert_eq!(world.picture(), world.restored().picture());
}

#[test]
fn a_frame_that_did_not_run_is_not_written() {
    let mut world = World::new();
    (0..300).for_each(|_| world.call());
    fill_ints(&mut world, 3000);
    let base = world.commit().bytes.len();
    world.ran();
    let part = world.commit();
    assert!(base > 30_000 && part.bytes.len() < 600, "{base}, then {}", part.bytes.len());
    world.ret();
    world.ret();
    world.call();
    world.commit();
    assert_eq!(world.picture(), world.restored().picture());
}

#[test]
fn a_long_queue_is_written_by_its_ends() {
    let mut world = World::new();
    let node = world.var(NODE);
    (0..50_000).for_each(|_| world.put(node));
    let base = world.commit().bytes.len();
    assert!(base > 400_000);
    for _ in 0..40 {
        world.put(node);
        world.heap.queue_get(world.var(QUEUE)).unwrap();
        world.ran();
        let part = world.commit();
        assert!(part.bytes.len() < 6000, "{}", part.bytes.len());
        assert_eq!(world.picture(), world.restored().picture());
    }
}

#[test]
fn tasks_that_end_are_gone() {
    let mut world = World::new();
    fill_ints(&mut world, 3000);
    for round in 0..400 {
        (0..5).for_each(|_| world.wait());
        world.commit();
        let node = world.new_node(round);
        (0..5).for_each(|_| world.put(node));
        world.commit();
        assert_eq!(world.picture(), world.restored().picture());
        world.end_ready();
        world.ran();
        world.commit();
        let back = world.restored();
        assert_eq!((back.table.tasks.len(), back.table.next_task), (1, 5 * round as u64 + 6));
        if round % 60 == 0 {
            world = back;
        }
    }
    let live = world.live_bytes();
    assert!(world.store.bytes() <= 2 * live + 8192, "{} for {live}", world.store.bytes());
}

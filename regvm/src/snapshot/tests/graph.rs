//! Random changes, commits and restores: what comes back is what was there, however the parts were merged.

use super::world::*;
use crate::heap::Ref;
use deepslate_ir::types;
use proptest::prelude::*;

/// One random change, chosen and shaped by 64 bits.
fn change(world: &mut World, bits: u64) {
    let (what, a, b) = (bits % 35, (bits >> 8) as usize % 5000, (bits >> 24) as usize % 5000);
    match what {
        0..=2 => world.heap.list_push(world.var(INTS), bits).unwrap(),
        3 => {
            let list = world.var(INTS);
            let len = world.heap.list_len(list);
            assert_eq!(world.heap.list_set(list, a, bits), a < len);
        }
        4 => {
            let list = world.var(INTS);
            let len = world.heap.list_len(list);
            let from = a % (len + 1);
            let to = from + b % (len - from + 1).min(40);
            let with: Vec<u64> = (0..bits >> 50 & 31).collect();
            world.heap.list_splice(list, from..to, &with).unwrap();
        }
        5 => {
            // Over several chunks, or down to nothing.
            let list = world.var(INTS);
            let len = world.heap.list_len(list);
            let with: Vec<u64> = (0..(bits >> 40) % 1500).collect();
            world.heap.list_splice(list, len / 3..len, &with).unwrap();
        }
        6 | 7 => {
            let key = world.heap.new_str(&format!("word {}", a % 40)).unwrap().slot();
            let value = world.heap.new_list(world.program.vars[INTS], &[bits, bits]).unwrap().slot();
            world.heap.dict_set(world.var(WORDS), key, value).unwrap();
        }
        8 => {
            let key = world.heap.new_str(&format!("word {}", a % 40)).unwrap().slot();
            world.heap.dict_remove(world.var(WORDS), key);
        }
        9 | 10 => {
            // Runs of keys, so that the dict has several chunks.
            for key in a..a + 60 {
                world.heap.dict_set(world.var(COUNTS), key as u64 % 2000, bits).unwrap();
            }
        }
        11 => {
            for key in a..a + 60 {
                world.heap.dict_remove(world.var(COUNTS), (key * (1 + b % 3)) as u64 % 2000);
            }
        }
        12 => {
            if b % 7 == 0 {
                world.heap.dict_clear(world.var(COUNTS));
            }
        }
        13..=15 => {
            let (from, to) = (walk(world, a), walk(world, b));
            let next = Ref::from_slot(world.heap.slot(from, 2));
            world.heap.list_push(next, to.slot()).unwrap();
        }
        16..=18 => {
            let from = walk(world, a);
            let node = world.new_node(b as i64 - 2500);
            let tags = Ref::from_slot(world.heap.slot(from, 3));
            world.heap.dict_set(tags, b as u64 % 5, node.slot()).unwrap();
        }
        19 => {
            let from = walk(world, a);
            let next = Ref::from_slot(world.heap.slot(from, 2));
            let len = world.heap.list_len(next);
            world.heap.list_splice(next, 0..len, &[]).unwrap();
        }
        20 => {
            let node = walk(world, a);
            let name = world.heap.new_str(&"né ".repeat(b)).unwrap();
            world.heap.set_slot(node, 1, name.slot());
            world.heap.set_slot(node, 4, bits >> 63);
        }
        21 => {
            let text = world.heap.new_str(&format!("{}", a % 50)).unwrap().slot();
            let key = world.heap.new_object(world.program.pair, &[b as u64 % 10, text]).unwrap().slot();
            world.heap.dict_set(world.var(KEYED), key, (bits as f64).to_bits()).unwrap();
        }
        22 => {
            let bytes = world.heap.new_bytes(&vec![bits as u8; a * 2]).unwrap();
            world.set_var(BLOB, bytes);
        }
        23 => {
            let node = walk(world, a);
            world.set_var(NODE, node);
        }
        24 => {
            let node = world.new_node(0);
            world.set_var(NODE, node);
        }
        25 => {
            let node = walk(world, a);
            for _ in 0..b % 300 {
                world.put(node);
            }
        }
        26 => {
            let queue = world.var(QUEUE);
            for _ in 0..a % 300 {
                world.heap.queue_get(queue).unwrap();
            }
            if world.heap.queue_len(queue) == 0 && b % 2 == 0 {
                for _ in 0..b % 20 {
                    world.wait();
                }
            }
        }
        27 => world.end_ready(),
        28 => world.call(),
        29 => world.ret(),
        30 => {
            let flags: Vec<u64> = (0..a as u64).map(|i| i & 1).collect();
            let list = world.heap.new_list(world.program.vars[FLAGS], &flags).unwrap();
            world.set_var(FLAGS, list);
        }
        31 => {
            let (ty, slot) =
                [(types::NONE, 0), (types::BOOL, 0), (types::BOOL, 1), (types::INT, bits), (types::INT, 0)][b % 5];
            let value = world.heap.new_box(ty, slot).unwrap();
            world.heap.list_push(world.var(MAYBES), value.slot()).unwrap();
        }
        32 => {
            let node = walk(world, b);
            world.heap.list_push(world.var(MAYBES), node.slot()).unwrap();
        }
        33 => {
            let list = world.var(MAYBES);
            let len = world.heap.list_len(list);
            world.heap.list_splice(list, len / 2..len, &[]).unwrap();
        }
        _ => {
            world.heap.lock_try(world.var(LOCK));
            world.heap.wait_group_add(world.var(GROUP), 1).unwrap();
            if a % 4 == 0 {
                world.collect();
            }
        }
    }
}

/// A node that is reached from the variable in up to six steps.
fn walk(world: &World, mut by: usize) -> Ref {
    let mut node = world.var(NODE);
    for _ in 0..by % 7 {
        by /= 3;
        let next = Ref::from_slot(world.heap.slot(node, 2));
        let tags = Ref::from_slot(world.heap.slot(node, 3));
        let len = world.heap.list_len(next);
        if by.is_multiple_of(2) && len > 0 {
            node = world.heap.opened_ref(Ref::from_slot(world.heap.list_get(next, by % len).unwrap()));
        } else if let Some(at) = world.heap.dict_next(tags, by % 5) {
            node = world.heap.opened_ref(Ref::from_slot(world.heap.dict_entry(tags, at).unwrap().1));
        }
    }
    node
}

fn run(commits: &[Vec<u64>], goes_on: impl Fn(usize) -> bool) {
    run_in(World::new(), commits, goes_on);
}

fn run_in(mut world: World, commits: &[Vec<u64>], goes_on: impl Fn(usize) -> bool) {
    for (number, changes) in commits.iter().enumerate() {
        changes.iter().for_each(|bits| change(&mut world, *bits));
        world.commit();
        assert_eq!(world.picture(), world.restored().picture(), "commit {number}");
        if goes_on(number) {
            // What was restored, and is not looked at, goes on in place of what was in memory.
            world = world.restored();
        }
        if number % 16 == 15 {
            // What is stored may lag behind what lives by the garbage that is not collected yet.
            world.collect();
            world.ran();
            world.commit();
            if world.heap.has_unopened() {
                continue;
            }
            let live = world.live_bytes();
            assert!(world.store.bytes() <= 2 * live + 8192, "{} bytes for {live} live ones", world.store.bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_back_is_what_was_there(
        commits in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..12), 1..60),
        restores in 2usize..9,
    ) {
        run(&commits, |n| n % restores == 0);
    }
}

/// The same numbers each time.
fn random(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 11) ^ seed << 33
    }
}

#[test]
fn hundreds_of_commits_with_new_bases() {
    let mut next = random(7);
    let commits: Vec<Vec<u64>> = (0..700).map(|_| (0..next() % 6).map(|_| next()).collect()).collect();
    run(&commits, |_| false);
    run(&commits[..300], |n| n % 50 == 0);
}

/// What lives is so much that the base stays, so that what comes is merged, and merged again.
#[test]
fn hundreds_of_commits_with_merges() {
    let mut world = World::new();
    let ints: Vec<u64> = (0..250_000).collect();
    let list = world.heap.new_list(world.program.vars[INTS], &ints).unwrap();
    world.set_var(INTS, list);
    let next = Ref::from_slot(world.heap.slot(world.var(NODE), 2));
    for value in 0..1500 {
        let node = world.new_node(value);
        world.heap.list_push(next, node.slot()).unwrap();
        world.put(node);
    }
    world.commit();
    let mut bits = random(11);
    // Small changes only: nothing that drops or adds a lot, and each leaves the variables as they are.
    let small =
        |bits: u64| !matches!(bits % 32, 5 | 9 | 12 | 19 | 22..=24 | 30) && (bits % 32 != 4 || bits >> 8 & 3 == 0);
    let mut merges = 0;
    for number in 0..900 {
        for _ in 0..bits() % 5 {
            let bits = bits();
            if small(bits) {
                change(&mut world, bits);
            }
        }
        let part = world.commit();
        merges += usize::from(part.drop_from > 1 && part.drop_from < part.number);
        if number % 5 == 0 || part.drop_from < part.number {
            assert_eq!(world.picture(), world.restored().picture(), "commit {number}");
            if number % 3 == 0 {
                world = world.restored();
            }
        }
    }
    assert!(merges >= 8, "{merges} merges");
}

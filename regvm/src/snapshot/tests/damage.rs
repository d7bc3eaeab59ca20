//! Hostile bytes: never a panic, never a silent change of what a checksum covers, and what passes all checks is sound.

use super::world::*;
use crate::snapshot::v1;
use deepslate_ir::types;
use proptest::prelude::*;
use std::sync::OnceLock;

/// A world with several parts and everything in them.
fn rich() -> World {
    let mut world = World::new();
    for value in 0..1300u64 {
        world.heap.list_push(world.var(INTS), value).unwrap();
        world.heap.dict_set(world.var(COUNTS), value % 400, value).unwrap();
    }
    for key in 0..90 {
        world.heap.dict_remove(world.var(COUNTS), key * 3);
    }
    world.commit();
    (0..3).for_each(|_| world.wait());
    world.call();
    let node = world.new_node(4);
    let name = world.heap.new_str(&"long name ".repeat(500)).unwrap();
    world.heap.set_slot(node, 1, name.slot());
    let next = crate::heap::Ref::from_slot(world.heap.slot(node, 2));
    world.heap.list_push(next, node.slot()).unwrap();
    world.set_var(NODE, node);
    world.commit();
    world.put(node);
    (0..2).for_each(|word| {
        let key = world.heap.new_str(&format!("word {word}")).unwrap().slot();
        let list = world.var(INTS);
        world.heap.dict_set(world.var(WORDS), key, list.slot()).unwrap();
        let text = world.heap.new_str("key").unwrap().slot();
        let pair = world.heap.new_object(world.program.pair, &[word, text]).unwrap().slot();
        world.heap.dict_set(world.var(KEYED), pair, 1.5f64.to_bits()).unwrap();
    });
    for (ty, slot) in [(types::INT, 7), (types::NONE, 0), (types::BOOL, 1), (types::NONE, 0)] {
        let value = world.heap.new_box(ty, slot).unwrap();
        world.heap.list_push(world.var(MAYBES), value.slot()).unwrap();
    }
    world.heap.list_push(world.var(MAYBES), node.slot()).unwrap();
    world.commit();
    assert_eq!(world.store.0.len(), 3);
    world
}

#[test]
fn every_flipped_byte_is_found() {
    let world = rich();
    for (number, bytes) in world.store.parts() {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                // Large parts: every byte once, small ones three times.
                if bytes.len() > 8192 && flip != 0x80 {
                    continue;
                }
                let mut damaged = world.store.clone();
                let mut content = bytes.to_vec();
                content[at] ^= flip;
                damaged.0.insert(number, content.into());
                let error =
                    restore(&world.program, &damaged, 0).err().unwrap_or_else(|| panic!("byte {at} of part {number}"));
                assert_eq!(error.part, Some(number), "byte {at}: {error}");
            }
        }
    }
}

#[test]
fn every_truncation_is_found() {
    let world = rich();
    for (number, bytes) in world.store.parts() {
        let step = if bytes.len() > 8192 { 97 } else { 1 };
        for len in (0..bytes.len()).step_by(step) {
            let mut damaged = world.store.clone();
            damaged.0.insert(number, bytes.slice(..len));
            let error = restore(&world.program, &damaged, 0).err().expect("a part that is cut is found");
            assert_eq!(error.part, Some(number), "{error}");
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        let mut damaged = world.store.clone();
        damaged.0.insert(number, longer.into());
        assert!(restore(&world.program, &damaged, 0).is_err());
    }
}

#[test]
fn parts_that_do_not_belong_together_are_found() {
    let world = rich();
    for missing in 1..=2 {
        let mut damaged = world.store.clone();
        damaged.0.remove(&missing);
        let error = restore(&world.program, &damaged, 0).err().expect("a missing part is found");
        assert_eq!(error.part, Some(missing + 1), "{error}");
    }
    let mut damaged = world.store.clone();
    let third = damaged.0[&3].clone();
    damaged.0.insert(2, third);
    assert!(restore(&world.program, &damaged, 0).is_err());
    assert!(restore(&world.program, &Store::default(), 0).is_err());
}

#[test]
fn a_newer_format_says_so() {
    let world = rich();
    let mut bytes = world.store.0[&1].to_vec();
    bytes[8] = 2;
    let mut damaged = world.store.clone();
    damaged.0.insert(1, bytes.into());
    let error = restore(&world.program, &damaged, 0).err().unwrap().to_string();
    assert!(error.contains("part 1") && error.contains("format 2") && error.contains("newer engine"), "{error}");
}

fn shared() -> &'static (std::sync::Arc<Program>, Store) {
    static WORLD: OnceLock<(std::sync::Arc<Program>, Store)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let world = rich();
        (world.program.clone(), world.store.clone())
    })
}

/// Restores damaged parts with right checksums; whatever passes is walked, changed, collected, committed and restored again.
fn survives(store: &Store) {
    let program = &shared().0;
    // Opened at once or not, the same damage is found.
    let whole = restore(program, store, u64::MAX).map(|world| world.picture());
    let Ok(mut world) = restore(program, store, 0) else {
        assert!(whole.is_err());
        return;
    };
    let before = world.picture();
    match whole {
        Ok(whole) => assert_eq!(whole, before),
        Err(_) => assert!(world.heap.damage().is_some()),
    }
    if world.heap.damage().is_some() {
        assert!(world.try_commit().is_err());
        return;
    }
    world.collect();
    assert_eq!(world.picture(), before);
    world.commit();
    assert_eq!(world.picture(), before);
    assert_eq!(world.restored().picture(), before);
    for key in 0..500 {
        world.heap.dict_find(world.var(COUNTS), key);
    }
    world.end_ready();
    let node = world.new_node(1);
    (0..5).for_each(|_| world.put(node));
    world.collect();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_behind_right_checksums_does_no_harm(
        part in 1u64..=3,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..4),
    ) {
        let mut store = shared().1.clone();
        let mut bytes = store.0[&part].to_vec();
        for (at, value, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = value,
                1 => bytes[at] = bytes[at].wrapping_add(1),
                2 => bytes[at] ^= 1 << (value % 8),
                _ => {
                    // Words are aligned to eight in the archives: one is put over another.
                    let from = usize::from(value) * 8 % bytes.len().saturating_sub(8).max(1);
                    let word: Vec<u8> = bytes[from..from + 8].to_vec();
                    let to = at.min(bytes.len() - 8);
                    bytes[to..to + 8].copy_from_slice(&word);
                }
            }
        }
        v1::reseal(&mut bytes);
        store.0.insert(part, bytes.into());
        survives(&store);
    }

    #[test]
    fn random_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..600), headed in any::<bool>()) {
        if headed && bytes.len() > 52 {
            // Of either form; the second has a directory as long as there is room for.
            let part = &shared().1.0[&if bytes[20] < 128 { 1 } else { 2 }];
            bytes[..17].copy_from_slice(&part[..17]);
            let len = (bytes.len() - 21) as u32;
            bytes[17..21].copy_from_slice(&len.to_le_bytes());
        }
        v1::reseal(&mut bytes);
        let mut store = Store::default();
        store.0.insert(1, bytes.into());
        survives(&store);
    }
}

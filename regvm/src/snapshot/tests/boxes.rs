//! Boxes of scalars in unions: what comes back, what is shared, and what a restore refuses.

use super::world::*;
use crate::heap::{Kind, Ref};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types;

/// A world whose list of a union holds these boxes.
fn holding(boxes: &[(TypeId, u64)]) -> World {
    let mut world = World::new();
    for (ty, slot) in boxes {
        let value = world.heap.new_box(*ty, *slot).unwrap();
        world.heap.list_push(world.var(MAYBES), value.slot()).unwrap();
    }
    world
}

fn held(world: &World, index: usize) -> Ref {
    Ref::from_slot(world.heap.list_get(world.var(MAYBES), index).unwrap())
}

#[test]
fn boxes_come_back_and_none_is_one_object_for_good() {
    let mut world = holding(&[(types::NONE, 0), (types::INT, 7), (types::BOOL, 1), (types::NONE, 0), (types::INT, 7)]);
    assert_eq!(held(&world, 0), held(&world, 3));
    assert_ne!(held(&world, 1), held(&world, 4));
    world.commit();
    for _ in 0..3 {
        world = restore(&world.program, &world.store, u64::MAX).unwrap();
        assert_eq!(world.heap.kind(held(&world, 1)), Kind::Slots);
        assert_eq!(world.heap.member(held(&world, 1)), (types::INT, 7));
        assert_eq!(world.heap.member(held(&world, 2)), (types::BOOL, 1));
        // What is boxed after a restart is the object that was there before.
        let none = world.heap.new_box(types::NONE, 0).unwrap();
        assert_eq!(none, held(&world, 0));
        let truth = world.heap.new_box(types::BOOL, 1).unwrap();
        assert_eq!(truth, held(&world, 2));
        world.heap.list_push(world.var(MAYBES), none.slot()).unwrap();
        world.commit();
    }
    assert_eq!(world.picture(), world.restored().picture());
}

#[test]
fn a_shared_box_that_is_only_made_later_is_written_when_it_is_first_used() {
    let mut world = holding(&[(types::NONE, 0)]);
    world.commit();
    // Made, dropped before it is written, and used again.
    world.heap.new_box(types::BOOL, 0).unwrap();
    world.collect();
    world.commit();
    let value = world.heap.new_box(types::BOOL, 0).unwrap();
    world.heap.list_push(world.var(MAYBES), value.slot()).unwrap();
    world.commit();
    assert_eq!(world.picture(), world.restored().picture());
}

/// What a restore says of a list of a union that holds this object.
fn refused(object: impl FnOnce(&mut World) -> Ref) -> String {
    let mut world = World::new();
    let object = object(&mut world);
    world.heap.list_push(world.var(MAYBES), object.slot()).unwrap();
    world.commit();
    match restore(&world.program, &world.store, u64::MAX) {
        Ok(_) => panic!("it is restored all the same"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_of_no_member_is_refused() {
    let error = refused(|w| w.heap.new_str("text").unwrap());
    assert!(error.contains("is str, but is referred to as bool | int | Node | None"), "{error}");
    let error = refused(|w| w.heap.new_object(types::FLOAT, &[0]).unwrap());
    assert!(error.contains("is float, but is referred to as bool | int | Node | None"), "{error}");
    let error = refused(|w| w.var(INTS));
    assert!(error.contains("is list[int], but is referred to as bool | int | Node | None"), "{error}");
    let error = refused(|_| Ref::NULL);
    assert!(error.contains("0 is no value of type bool | int | Node | None"), "{error}");
}

#[test]
fn a_box_that_holds_no_value_of_its_type_is_refused() {
    let error = refused(|w| w.heap.new_object(types::BOOL, &[2]).unwrap());
    assert!(error.contains("2 is no value of type bool"), "{error}");
    let error = refused(|w| w.heap.new_object(types::NONE, &[1]).unwrap());
    assert!(error.contains("1 is no value of type None"), "{error}");
}

#[test]
fn a_box_is_no_object_of_another_type() {
    let mut world = World::new();
    let value = world.heap.new_box(types::INT, 1).unwrap();
    let next = Ref::from_slot(world.heap.slot(world.var(NODE), 2));
    world.heap.list_push(next, value.slot()).unwrap();
    world.commit();
    let error = restore(&world.program, &world.store, u64::MAX).err().expect("an int is no node").to_string();
    assert!(error.contains("is int, but is referred to as Node"), "{error}");
}

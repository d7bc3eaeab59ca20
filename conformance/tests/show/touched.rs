//! A restore costs what is touched: of a large heap the objects that the flow reaches are opened, the others stay as they are
//! stored, through commits and merges, and nothing of them is lost or changed.

use crate::support::image;
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::regvm::testing::Parts;
use deepslate_engine::regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Options, Program};
use std::sync::Arc;

const FLOWS: &str = r#"
from dataclasses import dataclass
from deepslate import flow, sleep

@dataclass
class Order:
    id: int
    owner: str
    lines: list[str]

def make(id: int) -> Order:
    return Order(id, f"owner {id % 7}", [f"line {id}", "and another one"])

# Each turn looks at one order; the last looks at all.
@flow
async def looks(count: int, turns: int) -> int:
    orders: list[Order] = [make(i) for i in range(count)]
    total: int = 0
    for turn in range(turns):
        sleep(0)
        total = total + len(orders[turn * 7919 % count].lines)
    sleep(0)
    for order in orders:
        total = total + order.id + len(order.owner) + len(order.lines[0])
    return total

# Each turn puts a new order in the place of an old one, by index and by key, and changes a third one that stays.
@flow
async def changes(count: int, turns: int) -> int:
    orders: list[Order] = [make(i) for i in range(count)]
    by_name: dict[str, Order] = {f"name {i}": make(i) for i in range(100)}
    for turn in range(turns):
        sleep(0)
        orders[turn * 7919 % count] = make(-turn)
        by_name[f"name {turn * 31 % 100}"] = orders[turn * 53 % count]
        orders[turn * 101 % count].lines.append("late")
    sleep(0)
    total: int = 0
    for order in orders:
        total = total + order.id + len(order.lines) * 1000
    for name, order in by_name.items():
        total = total * 3 % 1000003 + order.id + len(name) + len(order.owner)
    return total
"#;

struct Life {
    program: Arc<Program>,
    isolate: Isolate,
    parts: Parts,
    step: u64,
}

impl Life {
    fn new(flow: &str, count: i64, turns: i64) -> Life {
        let program = Program::new(image(FLOWS), Options::default()).expect("it is lowered");
        let func = program.module().flow(flow).expect("it is there");
        let args = [Datum::Int(count), Datum::Int(turns)];
        let isolate = Isolate::new(&program, func, &args, Limits::default()).expect("it begins");
        Life { program, isolate, parts: Parts::default(), step: 0 }
    }

    /// Runs to the next sleep, and commits. Gives the bytes written, or the result at the end.
    fn turn(&mut self) -> Result<usize, Exit> {
        match self.isolate.run(&mut NoHost, &Interrupt::new()) {
            Exit::Blocked => {}
            end => return Err(end),
        }
        let part = self.isolate.commit().expect("its parts are sound");
        let bytes = part.bytes.len();
        self.parts.apply(part);
        assert!(self.isolate.complete(self.step, Ok(Datum::None)), "it sleeps");
        self.step += 1;
        Ok(bytes)
    }

    /// Another process goes on with it: after the sleep that it was in.
    fn restore(&mut self) {
        let restored = Isolate::restore(&self.program, &self.parts.list(), Limits::default());
        self.isolate = restored.expect("its parts are sound");
        assert!(self.isolate.complete(self.step - 1, Ok(Datum::None)), "it sleeps");
    }

    fn straight(flow: &str, count: i64, turns: i64) -> Exit {
        let mut life = Life::new(flow, count, turns);
        loop {
            if let Err(end) = life.turn() {
                return end;
            }
        }
    }
}

#[test]
fn a_restore_opens_what_is_reached() {
    let (count, turns) = (20_000, 150);
    let mut life = Life::new("looks", count, turns);
    life.turn().expect("it sleeps");
    let before = life.parts.bytes();
    assert!(before > 2_000_000, "{before} bytes");
    let mut end = None;
    while end.is_none() {
        life.restore();
        let at_once = life.isolate.restored().objects;
        assert!(at_once <= 3, "{at_once} objects of a restore");
        match life.turn() {
            // The list itself, an order, its list of lines: nothing of the other sixty thousand objects.
            Ok(bytes) => {
                assert!(bytes < 2_000, "{bytes} bytes written");
                assert!(life.isolate.object_count() < 20, "{} objects in memory", life.isolate.object_count());
            }
            Err(exit) => end = Some(exit),
        }
    }
    assert_eq!(end, Some(Life::straight("looks", count, turns)));
}

#[test]
fn what_is_not_opened_lives_through_commits_merges_and_new_bases() {
    let (count, turns) = (2_000, 1_500);
    let mut life = Life::new("changes", count, turns);
    life.turn().expect("it sleeps");
    let (mut most, mut lives) = (0, 0);
    let end = loop {
        // In memory for a while, and out of it for as long.
        if life.step % 40 < 20 {
            life.restore();
            lives += 1;
        }
        match life.turn() {
            Ok(_) => most = most.max(life.parts.bytes()),
            Err(exit) => break exit,
        }
    };
    assert!(lives > 700, "{lives} restores");
    assert_eq!(end, Life::straight("changes", count, turns));
    // About two and a half times what lives; that grows, by the late lines.
    let mut whole = Life::new("changes", count, turns);
    let mut fresh = 0;
    while whole.turn().is_ok() {
        fresh = whole.isolate.stored_bytes().1;
    }
    assert!(most as u64 <= fresh * 5 / 2 + (8 << 10), "{most} bytes at most, {fresh} of them of use");
}

//! Queues as the engine meets them: those of the time, those with a name, and what a snapshot keeps of both.

use deepslate_ir::datum::Datum;
use deepslate_ir::entity::HostId;
use deepslate_ir::filetest::RunFile;
use deepslate_ir::image::Image;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_regvm::testing::{Parts, reseal};
use deepslate_regvm::{Exit, Host, Interrupt, Isolate, Limits, Options, Program, SendError};
use std::sync::Arc;

/// A clock that stands where it is put.
struct Clock(i64);

impl Host for Clock {
    fn call_pure(&mut self, host: HostId, _: &[Datum]) -> Result<Datum, Fault> {
        Err(Fault::new(TrapKind::Host, format!("no host functions here ({host})")))
    }

    fn now_ms(&mut self) -> i64 {
        self.0
    }

    fn chance(&mut self) -> u64 {
        0
    }
}

fn isolate(text: &str, name: &str, args: &[Datum]) -> (Arc<Program>, Isolate) {
    let file = RunFile::read(&format!("deepslate-ir 1\n{text}")).unwrap_or_else(|e| panic!("{e}"));
    let image = Image::of(file.module).unwrap_or_else(|e| panic!("{e}"));
    let program = Program::new(image, Options::default()).unwrap();
    let flow = program.module().func_named(name).unwrap();
    let isolate = Isolate::new(&program, flow, args, Limits::default()).unwrap();
    (program, isolate)
}

fn run(isolate: &mut Isolate, now_ms: i64) -> Exit {
    isolate.run(&mut Clock(now_ms), &Interrupt::new())
}

fn restored(program: &Arc<Program>, parts: &Parts) -> Isolate {
    Isolate::restore(program, &parts.list(), Limits::default()).unwrap_or_else(|e| panic!("{e}"))
}

const TIMEOUTS: &str = r#"
; Counts what comes, and the turns on which nothing came for a minute.
flow timeouts() -> int {
block0:
  v0: int = iconst -1
  v1: str = const "in"
  v2: Queue[int] = queue_named v1, v0
  v3: int = iconst 0
  v4: int = iconst 1
  v5: float = fconst 60.0
  jump block1(v3)
block1(v6: int):
  poll
  v7: Queue[float] = after v5
  select [get v2 -> block2, get v7 -> block4]
block2(v8: int):
  v9: bool = ilt v8, v3
  branch v9, block3, block1(v6)
block3:
  return v6
block4(v10: float):
  v11: int = iadd v6, v4
  jump block1(v11)
}
"#;

/// Of a timer that lost its select nothing is left, neither in memory nor in what is stored.
#[test]
fn a_loop_of_selects_with_a_timeout_does_not_grow() {
    let (program, mut isolate) = isolate(TIMEOUTS, "timeouts", &[]);
    let (mut parts, mut now_ms) = (Parts::default(), 1_000);
    let (mut stored, mut heap) = (0, 0);
    for turn in 0..20_000 {
        assert_eq!(run(&mut isolate, now_ms), Exit::Blocked);
        // Only the newest timer counts: the others can't be taken from any more.
        assert_eq!(isolate.next_timer_ms(), Some(now_ms + 60_000));
        parts.apply(isolate.commit().unwrap());
        stored = stored.max(parts.bytes());
        heap = heap.max(isolate.heap_bytes());
        if turn % 1_000 == 999 {
            isolate = restored(&program, &parts);
            assert_eq!(isolate.next_timer_ms(), Some(now_ms + 60_000));
        }
        if turn % 4 == 0 {
            now_ms += 60_000;
            assert!(!isolate.fire_timers(now_ms - 1));
            assert!(isolate.fire_timers(now_ms));
        } else {
            now_ms += 10;
            isolate.send("in", &Datum::Int(1)).unwrap();
        }
    }
    assert!(stored < 1_500, "{stored} bytes are stored for one queue and one timer");
    assert!(heap < 16 << 20, "{heap} bytes of heap");
    assert_eq!(run(&mut isolate, now_ms), Exit::Blocked);
    isolate.send("in", &Datum::Int(-1)).unwrap();
    assert_eq!(run(&mut isolate, now_ms), Exit::Done(Datum::Int(5_000)));
}

const NAMED: &str = r#"
flow sum(capacity: int) -> list[int] {
block0(v0: int):
  v1: str = const "numbers"
  v2: Queue[int] = queue_named v1, v0
  v3: str = const "words"
  v4: int = iconst -1
  v5: Queue[str] = queue_named v3, v4
  v6: str = queue_get v5
  v7: list[int] = list_new
  jump block1
block1:
  poll
  v8: list[int] = queue_receive v2
  v9: int = list_len v8
  v10: int = iconst 0
  v11: bool = igt v9, v10
  branch v11, block2, block4
block2:
  v12: int = list_get v8, v10
  list_push v7, v12
  v13: bool = ilt v12, v10
  branch v13, block3, block1
block3:
  queue_close v2
  jump block1
block4:
  v14: str = queue_get v5
  return v7
}
"#;

#[test]
fn elements_come_in_by_the_name_of_a_queue() {
    let (program, mut isolate) = isolate(NAMED, "sum", &[Datum::Int(2)]);
    assert_eq!(isolate.send("numbers", &Datum::Int(1)), Err(SendError::Unknown), "it has not begun");
    assert_eq!(run(&mut isolate, 0), Exit::Blocked, "who waits on a queue with a name is not deadlocked");
    let names: Vec<_> = isolate.named_queues().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["numbers", "words"]);
    let mut parts = Parts::default();
    parts.apply(isolate.commit().unwrap());
    assert_eq!(isolate.send("nombres", &Datum::Int(1)), Err(SendError::Unknown));
    let wrong = isolate.send("numbers", &Datum::Str("one".into()));
    assert_eq!(wrong, Err(SendError::Mismatch("expected int, found str".into())));
    assert!(!isolate.changed(), "what is refused changes nothing");
    // A bool is an int where one is declared, as everywhere at the border.
    isolate.send("numbers", &Datum::Bool(true)).unwrap();
    isolate.send("numbers", &Datum::Int(2)).unwrap();
    assert_eq!(isolate.send("numbers", &Datum::Int(3)), Err(SendError::Full(2)));
    assert!(isolate.changed());
    parts.apply(isolate.commit().unwrap());
    let mut isolate = restored(&program, &parts);
    assert_eq!(isolate.send("numbers", &Datum::Int(3)), Err(SendError::Full(2)));
    isolate.send("words", &Datum::Str("go".into())).unwrap();
    assert_eq!(run(&mut isolate, 0), Exit::Blocked);
    isolate.send("numbers", &Datum::Int(-1)).unwrap();
    assert_eq!(run(&mut isolate, 0), Exit::Blocked);
    assert_eq!(isolate.send("numbers", &Datum::Int(4)), Err(SendError::Closed));
    parts.apply(isolate.commit().unwrap());
    let mut isolate = restored(&program, &parts);
    assert_eq!(isolate.send("numbers", &Datum::Int(4)), Err(SendError::Closed), "a snapshot knows what is closed");
    isolate.send("words", &Datum::Str("end".into())).unwrap();
    let all = [1, 2, -1].map(Datum::Int).to_vec();
    assert_eq!(run(&mut isolate, 0), Exit::Done(Datum::List(all)));
}

#[test]
fn a_queue_has_no_more_than_the_isolate_may_have() {
    let (_, mut isolate) = isolate(NAMED, "sum", &[Datum::Int(-1)]);
    assert_eq!(run(&mut isolate, 0), Exit::Blocked);
    let text = Datum::Str("x".repeat(1 << 20));
    let refused = (0..1_000).find_map(|_| isolate.send("words", &text).err());
    assert!(matches!(refused, Some(SendError::NoRoom(fault)) if fault.kind == TrapKind::Memory));
}

/// Whatever is stored of such queues: it is read, or it is an error; nothing else.
#[test]
fn damaged_queues_are_errors() {
    let (program, mut isolate) = isolate(TIMEOUTS, "timeouts", &[]);
    assert_eq!(run(&mut isolate, 0), Exit::Blocked);
    let mut parts = Parts::default();
    parts.apply(isolate.commit().unwrap());
    let (number, bytes) = parts.list().remove(0);
    let (mut errors, mut read) = (0, 0);
    for at in 0..bytes.len() {
        for flip in [0x01, 0x08, 0x80] {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= flip;
            reseal(&mut damaged);
            match Isolate::restore(&program, &[(number, damaged.into())], Limits::default()) {
                Ok(mut isolate) => {
                    read += 1;
                    if let Some(due_ms) = isolate.next_timer_ms() {
                        assert!(isolate.fire_timers(due_ms));
                    }
                    let _ = isolate.send("in", &Datum::Int(-1));
                    let _ = run(&mut isolate, 0);
                }
                Err(error) => {
                    errors += 1;
                    assert!(!error.message.is_empty());
                }
            }
        }
    }
    assert!(errors > read, "{errors} errors, {read} read");
}

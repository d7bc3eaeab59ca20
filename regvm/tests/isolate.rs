//! The isolate's face to the engine: interrupts, durable calls, limits, traps, views, listings, commit and restore.

use bytes::Bytes;
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::FuncId;
use deepslate_ir::filetest::RunFile;
use deepslate_ir::image::Image;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_regvm::disas::disas;
use deepslate_regvm::testing::Parts;
use deepslate_regvm::view::TaskStatus;
use deepslate_regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Options, Program, Request, Trap};
use std::sync::Arc;

fn lowered(text: &str, options: Options) -> Arc<Program> {
    let file = RunFile::read(&format!("deepslate-ir 1\n{text}")).unwrap_or_else(|e| panic!("{e}"));
    Program::new(Image::of(file.module).unwrap_or_else(|e| panic!("{e}")), options).unwrap()
}

fn program(text: &str) -> Arc<Program> {
    lowered(text, Options::default())
}

fn func(program: &Program, name: &str) -> FuncId {
    program.module().func_named(name).unwrap_or_else(|| panic!("no function {name}"))
}

fn isolate(program: &Arc<Program>, name: &str, args: &[Datum], limits: Limits) -> Isolate {
    Isolate::new(program, func(program, name), args, limits).unwrap()
}

fn run(isolate: &mut Isolate) -> Exit {
    isolate.run(&mut NoHost, &Interrupt::new())
}

/// Runs to the first poll only.
fn step(isolate: &mut Isolate) -> Exit {
    let interrupt = Interrupt::new();
    interrupt.set();
    let exit = isolate.run(&mut NoHost, &interrupt);
    assert!(!interrupt.is_set(), "run clears the flag on its way out");
    exit
}

fn failed(exit: Exit) -> Trap {
    match exit {
        Exit::Failed(trap) => trap,
        other => panic!("{other:?}"),
    }
}

const SPIN: &str = r#"
file 0 "spin.py" 1 "while True:\n    x = x + 1\n"
flow spin(x: int) -> int @0:1:1 {
block0(v0: int):
  jump block1(v0)
block1(v1: int):
  poll !0 [x = v1] @0:1:1
  v2: int = iconst 1
  v3: int = iadd v1, v2 @0:2:9
  jump block1(v3)
}
"#;

#[test]
fn an_endless_loop_can_be_interrupted_committed_and_restored() {
    let program = program(SPIN);
    let mut isolate = isolate(&program, "spin", &[Datum::Int(7)], Limits::default());
    for _ in 0..5 {
        assert_eq!(step(&mut isolate), Exit::Interrupted);
    }
    let mut parts = Parts::default();
    parts.apply(isolate.commit().unwrap());
    assert!(!isolate.changed());
    let other = lowered(SPIN, Options { allocate_registers: false, fuse: false });
    let mut restored = Isolate::restore(&other, &parts.list(), Limits::default()).unwrap();
    let variable = |i: &Isolate| i.view().tasks[0].frames[0].variables[0].clone();
    // The first run stops before the first addition, each later one after one more.
    assert_eq!((variable(&restored).name.as_str(), variable(&restored).value.as_str()), ("x", "11"));
    assert_eq!(step(&mut restored), Exit::Interrupted);
    assert!(restored.changed());
    assert_eq!(variable(&restored).value, "12");

    // From another thread, while it runs.
    let interrupt = Interrupt::new();
    let flag = interrupt.clone();
    let setter = std::thread::spawn(move || flag.set());
    assert_eq!(isolate.run(&mut NoHost, &interrupt), Exit::Interrupted);
    setter.join().unwrap();
}

const PING_PONG: &str = r#"
host 0 impure approve(text: str) -> bool
func ping(from: Queue[int], to: Queue[int]) -> None {
block0(v0: Queue[int], v1: Queue[int]):
  jump block1
block1:
  poll
  v2: int = queue_get v0
  v3: int = iconst 1
  v4: int = iadd v2, v3
  v5: None = queue_put v1, v4
  jump block1
}
flow main() -> bool {
block0:
  v0: int = iconst 0
  v1: Queue[int] = queue_new v0
  v2: Queue[int] = queue_new v0
  create_task ping(v1, v2)
  create_task ping(v2, v1)
  v3: None = queue_put v1, v0
  v4: str = const "go on?"
  v5: bool = call_impure approve(v4)
  v6: str = const "not approved"
  branch v5, block1, block2
block1:
  return v5
block2:
  fail raised v6
}
"#;

#[test]
fn tasks_that_never_rest_let_a_durable_call_through() {
    let program = program(PING_PONG);
    let mut isolate = isolate(&program, "main", &[], Limits::default());
    let mut parts = Parts::default();
    for _ in 0..50 {
        assert_eq!(step(&mut isolate), Exit::Interrupted);
        parts.apply(isolate.commit().unwrap());
    }
    let calls = isolate.take_new_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].step, calls[0].task.0), (0, 0));
    assert!(matches!(&calls[0].request, Request::Host { args, .. } if args[..] == [Datum::Str("go on?".into())]));
    assert!(isolate.take_new_calls().is_empty());

    let mut restored = Isolate::restore(&program, &parts.list(), Limits::default()).unwrap();
    assert!(restored.take_new_calls().is_empty());
    assert_eq!(restored.pending(), isolate.pending());
    assert_eq!(restored.next_step(), 1);
    for isolate in [&mut isolate, &mut restored] {
        assert!(!isolate.complete(1, Ok(Datum::Bool(true))), "there is no such step");
        assert!(isolate.complete(0, Ok(Datum::Bool(true))));
        assert!(!isolate.complete(0, Ok(Datum::Bool(true))), "it has its result");
        assert_eq!(step(isolate), Exit::Interrupted);
        for _ in 0..10 {
            assert_eq!(step(isolate), Exit::Interrupted);
        }
        // The first task has ended; the two others go on for ever.
        let ids: Vec<u64> = isolate.view().tasks.iter().map(|t| t.id.0).collect();
        assert_eq!(ids, [1, 2]);
        let part = isolate.commit().unwrap();
        assert!(!part.bytes.is_empty());
    }
}

#[test]
fn results_from_outside_are_checked() {
    let program = program(PING_PONG);
    let cases = [
        (Ok(Datum::Int(1)), "approve returned a wrong value: expected bool, found int", TrapKind::Host),
        (Err(Fault::new(TrapKind::Host, "sold out")), "sold out", TrapKind::Host),
        (Ok(Datum::Bool(false)), "not approved", TrapKind::Raised),
    ];
    for (answer, message, kind) in cases {
        let mut isolate = isolate(&program, "main", &[], Limits::default());
        while isolate.pending().is_empty() {
            step(&mut isolate);
        }
        assert!(isolate.complete(0, answer));
        // What was delivered survives a restore, a failure too.
        let mut parts = Parts::default();
        parts.apply(isolate.commit().unwrap());
        let mut isolate = Isolate::restore(&program, &parts.list(), Limits::default()).unwrap();
        let trap = loop {
            if let Exit::Failed(trap) = step(&mut isolate) {
                break trap;
            }
        };
        assert_eq!((trap.kind, trap.message.as_str(), trap.task.0), (kind, message, 0));
        assert_eq!(trap.trace[0].func, "main");
        assert_eq!(failed(run(&mut isolate)), trap, "a failed isolate stays failed");
        assert!(!isolate.can_run());
    }
}

const NESTED: &str = r#"
file 0 "deep.py" 1 "a\nb\nc\nd\n"
func inner(x: int) -> int @0:1:1 {
block0(v0: int):
  v1: int = iconst 10 @0:1:5
  v2: int = ifloordiv v1, v0 @0:2:9
  return v2 @0:2:2
}
func middle(x: int) -> int @0:3:1 {
block0(v0: int):
  v1: int = call inner(v0) !0 [x = v0] @0:3:7
  return v1
}
flow outer(x: int) -> int @0:4:1 {
block0(v0: int):
  v1: int = iconst 3 @0:4:1
  v2: int = isub v0, v1 @0:4:4
  v3: int = call middle(v2) !0 [x = v0, rest = v2] @0:4:8
  v4: int = iadd v3, v3
  return v4
}
"#;

#[test]
fn a_trap_names_the_line_of_each_frame() {
    for options in [Options::default(), Options { allocate_registers: false, fuse: false }] {
        let program = lowered(NESTED, options);
        assert_eq!(
            run(&mut isolate(&program, "outer", &[Datum::Int(5)], Limits::default())),
            Exit::Done(Datum::Int(10))
        );
        let trap = failed(run(&mut isolate(&program, "outer", &[Datum::Int(3)], Limits::default())));
        assert_eq!((trap.kind, trap.message.as_str()), (TrapKind::Division, "10 // 0: division by zero"));
        let trace: Vec<_> = trap.trace.iter().map(|l| (l.func.as_str(), l.file.as_str(), l.line, l.column)).collect();
        assert_eq!(trace, [("inner", "deep.py", 2, 9), ("middle", "deep.py", 3, 7), ("outer", "deep.py", 4, 8)]);
        assert!(trap.to_string().ends_with("in outer at deep.py:4:8"), "{trap}");
    }
}

const LIMITED: &str = r#"
func down(n: int) -> int {
block0(v0: int):
  poll
  v1: int = iconst 1
  v2: int = isub v0, v1
  v3: int = call down(v2)
  return v3
}
flow deep() -> int {
block0:
  v0: int = iconst 5
  v1: int = call down(v0)
  return v1
}
flow hoard() -> int {
block0:
  v0: list[list[int]] = list_new
  v1: int = iconst 1
  jump block1
block1:
  poll
  v2: list[int] = list_new v1, v1, v1, v1
  list_push v0, v2
  jump block1
}
flow waste(n: int) -> int {
block0(v0: int):
  v1: int = iconst 1
  v2: int = iconst 0
  jump block1(v2)
block1(v3: int):
  poll
  v4: list[int] = list_new v1, v1, v1, v1, v3
  v5: list[list[int]] = list_new v4, v4
  v6: int = iadd v3, v1
  v7: bool = ilt v6, v0
  branch v7, block1(v6), block2
block2:
  v8: list[int] = list_get v5, v2
  v9: int = iconst -1
  v10: int = list_get v8, v9
  return v10
}
func nothing(lock: Lock) -> None {
block0(v0: Lock):
  v1: None = lock_acquire v0
  return v1
}
flow crowd() -> None {
block0:
  v0: Lock = lock_new
  jump block1
block1:
  poll
  create_task nothing(v0)
  jump block1
}
"#;

#[test]
fn each_limit_is_a_trap() {
    let program = program(LIMITED);
    let limits = Limits { heap_bytes: 1 << 20, tasks: 20, call_depth: 50, message_bytes: 1 << 16 };
    let deep = failed(run(&mut isolate(&program, "deep", &[], limits)));
    assert_eq!((deep.kind, deep.message.as_str()), (TrapKind::Depth, "calls are nested more than 50 deep"));
    assert_eq!(deep.trace.len(), 50);
    let mut hoarder = isolate(&program, "hoard", &[], limits);
    assert_eq!(failed(run(&mut hoarder)).kind, TrapKind::Memory);
    assert!(hoarder.heap_bytes() <= 2 << 20);
    let crowd = failed(run(&mut isolate(&program, "crowd", &[], limits)));
    assert_eq!((crowd.kind, crowd.message.as_str()), (TrapKind::Tasks, "more than 20 tasks at a time"));
    // A stack of a task counts, too.
    let limits = Limits { heap_bytes: 1 << 20, call_depth: u32::MAX, ..Limits::default() };
    assert_eq!(failed(run(&mut isolate(&program, "deep", &[], limits))).kind, TrapKind::Memory);
}

const LARGE: &str = r#"
host 0 impure keep(items: list[int]) -> None
func grown(n: int) -> list[int] {
block0(v0: int):
  v1: list[int] = list_new
  v2: int = iconst 0
  v3: int = iconst 1
  jump block1(v2)
block1(v4: int):
  poll
  v5: bool = ilt v4, v0
  branch v5, block2, block3
block2:
  list_push v1, v4
  v6: int = iadd v4, v3
  jump block1(v6)
block3:
  return v1
}
flow send(n: int) -> None {
block0(v0: int):
  v1: list[int] = call grown(v0)
  v2: None = call_impure keep(v1)
  return v2
}
flow give(n: int) -> list[int] {
block0(v0: int):
  v1: list[int] = call grown(v0)
  return v1
}
"#;

#[test]
fn what_crosses_the_border_is_bounded() {
    let program = program(LARGE);
    let limits = Limits { message_bytes: 16 << 10, ..Limits::default() };
    let mut sender = isolate(&program, "send", &[Datum::Int(1_000)], limits);
    assert_eq!(run(&mut sender), Exit::Blocked);
    for name in ["send", "give"] {
        let trap = failed(run(&mut isolate(&program, name, &[Datum::Int(1_024)], limits)));
        assert_eq!(trap.kind, TrapKind::Size);
        assert!(trap.message.starts_with("a list[int] is larger than the limit of 16384 bytes"), "{}", trap.message);
        assert_eq!((trap.trace.len(), trap.trace[0].func.as_str()), (1, name));
    }
}

#[test]
fn garbage_is_collected() {
    let program = program(LIMITED);
    let limits = Limits { heap_bytes: 1 << 20, ..Limits::default() };
    // About 300 bytes a round: far over the limit if nothing were freed.
    let mut isolate = isolate(&program, "waste", &[Datum::Int(100_000)], limits);
    assert_eq!(run(&mut isolate), Exit::Done(Datum::Int(99_999)));
    assert!(isolate.heap_bytes() <= 1 << 20);
}

#[test]
fn arguments_are_checked() {
    let program = program(SPIN);
    let spin = func(&program, "spin");
    let fault =
        |args: &[Datum]| Isolate::new(&program, spin, args, Limits::default()).map(|_| ()).unwrap_err().to_string();
    assert_eq!(fault(&[]), "value: spin takes 1 arguments, not 0");
    assert_eq!(fault(&[Datum::Str("7".into())]), "value: argument `x`: expected int, found str");
}

const SLEEPER: &str = r#"
file 0 "nap.py" 1 "@flow\ndef nap(names: list[str]):\n    sleep(2.5)\n"
func rest(names: list[str], seconds: float) -> None @0:2:1 {
block0(v0: list[str], v1: float):
  v2: None = sleep v1 !0 [names = v0, seconds = v1] @0:3:5
  return v2
}
flow nap(names: list[str]) -> list[str] @0:2:1 {
block0(v0: list[str]):
  v1: float = fconst 2.5 @0:3:5
  v2: None = call rest(v0, v1) !0 [names = v0] @0:3:5
  return v0
}
"#;

#[test]
fn a_view_shows_where_each_task_stands_and_its_variables() {
    let program = program(SLEEPER);
    let names = Datum::List((0..300).map(|i| Datum::Str(format!("name {i}"))).collect());
    let mut isolate = isolate(&program, "nap", &[names], Limits::default());
    let before = isolate.view();
    assert_eq!((before.tasks[0].status, before.tasks[0].frames.len()), (TaskStatus::Running, 1));
    assert_eq!(before.tasks[0].frames[0].variables[0].name, "names");
    assert_eq!(run(&mut isolate), Exit::Blocked);
    let view = isolate.view();
    let task = &view.tasks[0];
    assert_eq!((task.status.name(), task.waits_for.as_str()), ("sleeping", "for 2.5 seconds to pass"));
    let places: Vec<_> = task.frames.iter().map(|f| (f.place.func.as_str(), f.place.line)).collect();
    assert_eq!(places, [("rest", 3), ("nap", 3)]);
    let [names, seconds] = &task.frames[0].variables[..] else { panic!("{:?}", task.frames[0]) };
    assert_eq!((names.ty.as_str(), seconds.ty.as_str(), seconds.value.as_str()), ("list[str]", "float", "2.5"));
    assert!(names.cut && names.value.starts_with(r#"["name 0","name 1","#) && names.value.chars().count() == 401);
    assert!(!seconds.cut);
    assert!(isolate.complete(0, Ok(Datum::None)));
    assert!(matches!(run(&mut isolate), Exit::Done(Datum::List(names)) if names.len() == 300));
    assert!(isolate.view().tasks.is_empty());
}

#[test]
fn a_view_is_bounded() {
    let program = program(LIMITED);
    let mut deep = isolate(&program, "deep", &[], Limits::default());
    for _ in 0..300 {
        step(&mut deep);
    }
    let view = deep.view();
    let task = &view.tasks[0];
    assert_eq!((task.frames.len(), task.more_frames), (50, 251));
    assert_eq!((task.frames[48].place.func.as_str(), task.frames[49].place.func.as_str()), ("down", "deep"));
    let mut crowd = isolate(&program, "crowd", &[], Limits::default());
    for _ in 0..300 {
        step(&mut crowd);
    }
    let view = crowd.view();
    assert_eq!((view.tasks.len(), view.more_tasks), (200, 100));
}

#[test]
fn isolates_move_between_threads_and_programs_are_shared() {
    fn moves<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    moves::<Isolate>();
    is_shared::<Program>();
    is_shared::<Interrupt>();
}

#[test]
fn a_listing_shows_registers_and_source_lines() {
    let program = program(NESTED);
    let listing = disas(&program, func(&program, "outer"));
    assert!(listing.starts_with("outer(s0): 0 references, "), "{listing}");
    assert!(listing.contains("; 4: d"), "{listing}");
    assert!(listing.contains("isub_ri"), "{listing}");
    assert!(listing.contains(" = middle(") && listing.contains("stop0"), "{listing}");
}

#[test]
fn damaged_parts_are_errors() {
    let program = program(SLEEPER);
    let mut isolate = isolate(&program, "nap", &[Datum::List(vec![Datum::Str("a".into())])], Limits::default());
    assert_eq!(run(&mut isolate), Exit::Blocked);
    let part = isolate.commit().unwrap();
    let restore = |bytes: Vec<u8>| Isolate::restore(&program, &[(part.number, Bytes::from(bytes))], Limits::default());
    assert!(restore(part.bytes.clone()).is_ok());
    for at in 0..part.bytes.len() {
        let mut bytes = part.bytes.clone();
        bytes[at] ^= 0x41;
        assert!(restore(bytes).is_err(), "a flipped byte at {at} was not noticed");
    }
    assert!(Isolate::restore(&program, &[], Limits::default()).is_err());
}

#[test]
fn programs_too_large_for_the_bytecode_are_errors() {
    let mut text = "flow large() -> int {\nblock0:\n".to_owned();
    for i in 0..70_000 {
        text.push_str(&format!("  v{i}: int = iconst {i}\n"));
    }
    text.push_str("  return v0\n}\n");
    let file = RunFile::read(&format!("deepslate-ir 1\n{text}")).unwrap();
    let image = Image::of(file.module).unwrap();
    let own = Options { allocate_registers: false, fuse: false };
    let error = Program::new(image.clone(), own).unwrap_err();
    assert!(error.to_string().contains("needs 70000 registers"), "{error}");
    let program = Program::new(image, Options::default()).unwrap();
    assert_eq!(run(&mut isolate(&program, "large", &[], Limits::default())), Exit::Done(Datum::Int(0)));
}

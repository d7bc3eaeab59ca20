//! What the files of `filetests/run` can't say: traces, clocks, the order of durable calls, and limits.

use super::*;
use crate::filetest::RunFile;

fn module(text: &str) -> Arc<Module> {
    let module = RunFile::read(&format!("deepslate-ir 1\n{text}")).unwrap_or_else(|e| panic!("{e}")).module;
    crate::verify::verify(&module).unwrap_or_else(|e| panic!("{e:?}"));
    Arc::new(module)
}

fn run_flow(module: &Arc<Module>, args: &[Datum], limits: Limits, world: &mut dyn World) -> Run {
    run(module, module.flow("main").expect("the test has a flow main"), args, limits, world)
}

/// Answers calls of `ask` in the order that it is given, by what they ask.
struct Answers(Vec<(&'static str, Result<Datum, Fault>)>);

impl World for Answers {
    fn call_pure(&mut self, host: &Host, _: &[Datum]) -> Result<Datum, Fault> {
        Ok(Datum::Str(host.name.clone()))
    }

    fn call(&mut self, _: u64, _: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>> {
        let (asked, _) = self.0.first()?;
        if args != [Datum::Str((*asked).to_owned())] {
            return None;
        }
        Some(self.0.remove(0).1)
    }
}

const ASKERS: &str = r#"
host 0 impure ask(what: str) -> int

func asker(out: list[int], what: str) -> None {
block0(v0: list[int], v1: str):
  v2: int = call_impure ask(v1)
  list_push v0, v2
  v3: None = none
  return v3
}

flow main() -> list[int] {
block0:
  v0: list[int] = list_new
  v1: str = const "a"
  create_task asker(v0, v1)
  v2: str = const "b"
  create_task asker(v0, v2)
  v3: float = fconst 2.5
  v4: None = sleep v3
  return v0
}
"#;

#[test]
fn answers_come_in_any_order_and_before_sleeps() {
    let module = module(ASKERS);
    let mut world = Answers(vec![("b", Ok(Datum::Int(2))), ("a", Ok(Datum::Int(1)))]);
    let ran = run_flow(&module, &[], Limits::default(), &mut world);
    assert_eq!(ran.outcome, Outcome::Done(Datum::List(vec![Datum::Int(2), Datum::Int(1)])));
    assert_eq!(ran.clock, 2.5);
    let asked = |what: &str| Request::Host(HostId(0), vec![Datum::Str(what.to_owned())]);
    // The first task runs until it sleeps, before any task that it made.
    assert_eq!(
        ran.calls,
        [
            DurableCall { step: 0, task: 0, request: Request::Sleep(2.5) },
            DurableCall { step: 1, task: 1, request: asked("a") },
            DurableCall { step: 2, task: 2, request: asked("b") },
        ]
    );
}

#[test]
fn what_nobody_answers_blocks_the_run() {
    let ran = run_flow(&module(ASKERS), &[], Limits::default(), &mut NoWorld);
    // The sleep ended; the two calls are pending for ever.
    assert_eq!(ran.outcome, Outcome::Blocked(vec![1, 2]));
}

#[test]
fn a_failed_or_wrong_answer_traps_where_it_was_asked() {
    let module = module(ASKERS);
    let fault = Fault::new(TrapKind::Host, "down");
    let ran = run_flow(&module, &[], Limits::default(), &mut Answers(vec![("b", Err(fault))]));
    let Outcome::Failed(trap) = ran.outcome else { panic!("{:?}", ran.outcome) };
    assert_eq!((trap.kind, trap.message.as_str(), trap.task), (TrapKind::Host, "down", 2));
    assert_eq!(trap.trace[0].func, "asker");
    let ran = run_flow(&module, &[], Limits::default(), &mut Answers(vec![("a", Ok(Datum::Str("x".into())))]));
    let Outcome::Failed(trap) = ran.outcome else { panic!("{:?}", ran.outcome) };
    assert_eq!((trap.kind, trap.task), (TrapKind::Host, 1));
    assert!(trap.message.starts_with("ask returned a wrong value: "), "{}", trap.message);
}

#[test]
fn a_trace_names_each_call_innermost_first() {
    let module = module(
        r#"
file 0 "flows.py" 10 "first\nsecond\nthird\n"

func half(n: int) -> float @0:10:1 {
block0(v0: int):
  v1: int = iconst 0 @0:11:9
  v2: float = itruediv v0, v1 @0:11:7
  return v2
}

flow main(n: int) -> float @0:20:1 {
block0(v0: int):
  v1: float = call half(v0) @0:21:3
  return v1 @0:22:3
}
"#,
    );
    let ran = run_flow(&module, &[Datum::Int(1)], Limits::default(), &mut NoWorld);
    let line = |func: &str, line, column| TraceLine { func: func.into(), file: "flows.py".into(), line, column };
    let trap = Trap {
        kind: TrapKind::Division,
        message: "1 / 0: division by zero".into(),
        task: 0,
        trace: vec![line("half", 11, 7), line("main", 21, 3)],
    };
    assert_eq!(ran.outcome, Outcome::Failed(trap));
}

#[test]
fn a_deadlock_says_where_each_task_stands() {
    let module = module(
        r#"
file 0 "flows.py" 1 ""

func waiter(lock: Lock) -> None @0:1:1 {
block0(v0: Lock):
  v1: None = lock_acquire v0 @0:2:5
  return v1
}

flow main() -> None @0:4:1 {
block0:
  v0: Lock = lock_new
  v1: None = lock_acquire v0
  create_task waiter(v0)
  v2: WaitGroup = wait_group_new
  v3: int = iconst 1
  wait_group_add v2, v3
  v4: None = wait_group_wait v2 @0:9:5
  return v4
}
"#,
    );
    let Outcome::Failed(trap) = run_flow(&module, &[], Limits::default(), &mut NoWorld).outcome else {
        panic!("it is a deadlock")
    };
    assert_eq!(trap.kind, TrapKind::Deadlock);
    assert_eq!(
        trap.message,
        "every task waits for another one: task 0 for a wait group at flows.py:9; task 1 for a lock at flows.py:2"
    );
    assert_eq!((trap.task, trap.trace[0].line), (0, 9));
}

const SPIN: &str = r#"
flow main(list: list[str], text: str) -> int {
block0(v0: list[str], v1: str):
  v2: int = iconst 1
  jump block1
block1:
  poll
  list_push v0, v1
  jump block1
}
"#;

#[test]
fn runs_are_bounded() {
    let module = module(SPIN);
    let args = [Datum::List(vec![]), Datum::Str("x".into())];
    let limits = Limits { steps: 1000, ..Limits::default() };
    let ran = run_flow(&module, &args, limits, &mut NoWorld);
    assert_eq!((ran.outcome, ran.steps), (Outcome::OutOfSteps, 1000));
    let limits = Limits { heap_bytes: 10_000, ..Limits::default() };
    let Outcome::Failed(trap) = run_flow(&module, &args, limits, &mut NoWorld).outcome else { panic!("no trap") };
    assert_eq!(trap.kind, TrapKind::Memory);
    let ran = run_flow(&module, &args[..1], Limits::default(), &mut NoWorld);
    let Outcome::Failed(trap) = ran.outcome else { panic!("no trap") };
    assert_eq!(trap.message, "main takes 2 arguments, not 1");
}

/// The evaluator forgets what a stop does not list: a module that the verifier would refuse shows it.
#[test]
fn a_list_that_lacks_a_value_is_noticed() {
    let good = module(
        r#"
flow main(n: int) -> int {
block0(v0: int):
  v1: int = inot v0
  v2: float = fconst 0.0
  v3: None = sleep v2
  return v1
}
"#,
    );
    let mut bad = Module::clone(&good);
    bad.funcs[0].stops[0].values.clear();
    assert!(crate::verify::verify(&bad).is_err());
    let ran = run_flow(&Arc::new(bad), &[Datum::Int(1)], Limits::default(), &mut NoWorld);
    let Outcome::Broken(message) = ran.outcome else { panic!("{:?}", ran.outcome) };
    assert_eq!(message, "task 0 in main block0 at return: v1 has no value here");
    let ran = run_flow(&good, &[Datum::Int(1)], Limits::default(), &mut NoWorld);
    assert_eq!(ran.outcome, Outcome::Done(Datum::Int(-2)));
}

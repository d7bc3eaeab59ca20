//! What a flow gets of an impure function that does not succeed: a DSError where it declares one, else it fails.

use deepslate_engine::{Ending, Engine, HostCall, HostError, HostFns, host};
use deepslate_ir::datum::Datum;
use deepslate_ir::filetest::RunFile;
use deepslate_ir::image::Image;
use deepslate_ir::trap::TrapKind;

use crate::world::{LONG, int, memory, options, value};

const PROGRAM: &str = "deepslate-ir 1

class 0 DSError frozen {kind: str, message: str, status: int, body: bytes, type: str, traceback: str}
class 1 Answer {a: str, b: str, c: int, d: bytes, e: str, f: str}

host 0 impure declared(n: int) -> int | Answer | DSError
host 1 impure undeclared(n: int) -> int

flow tries(n: int) -> int | Answer | DSError {
block0(v0: int):
  v1: int | Answer | DSError = call_impure declared(v0)
  return v1
}

flow trusts(n: int) -> int {
block0(v0: int):
  v1: int = call_impure undeclared(v0)
  return v1
}
";

async fn start() -> Engine {
    crate::world::log();
    let image = Image::of(RunFile::read(PROGRAM).expect("it can be read").module).expect("it is a program");
    let hosts = HostFns::new();
    for name in ["declared", "undeclared"] {
        let function = |call: HostCall| async move {
            match call.args[0] {
                Datum::Int(n) if n > 0 => Ok(Datum::Int(n)),
                Datum::Int(0) => panic!("on purpose"),
                _ => Err(HostError {
                    type_name: "Negative".into(),
                    message: "below zero".into(),
                    traceback: "line 1".into(),
                    ..HostError::default()
                }),
            }
        };
        hosts.register(name, host::asynchronous(function));
    }
    Engine::builder(memory()).options(options()).hosts(hosts).deploy(image).start().await.expect("the engine starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_function_that_declares_it_is_a_value() {
    let engine = start().await;
    for (name, n) in [("good", 1), ("bad", -1), ("panics", 0)] {
        engine.spawn(name, "tries", int(n)).await.unwrap();
    }
    assert_eq!(value(&engine, "good").await.unwrapped(), &Datum::Int(1));
    let text = |text: &str| Datum::Str(text.into());
    let error = |message: &str, of: &str, traceback: &str| {
        let (kind, message, body) = (text("exception"), text(message), Datum::Bytes(Vec::new()));
        Datum::Object(vec![kind, message, Datum::Int(0), body, text(of), text(traceback)])
    };
    // The members in order: int, Answer, DSError.
    let bad = Datum::Member(2, Box::new(error("below zero", "Negative", "line 1")));
    assert_eq!(value(&engine, "bad").await, bad);
    let panics = Datum::Member(2, Box::new(error("the host function panicked", "", "")));
    assert_eq!(value(&engine, "panics").await, panics);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_one_that_does_not_fails_the_isolate() {
    let engine = start().await;
    engine.spawn("bad", "trusts", int(-1)).await.unwrap();
    let Ending::Failed(failure) = engine.result("bad", LONG).await.unwrap().ending else { panic!("it fails") };
    assert_eq!((failure.kind, failure.message.as_str()), (TrapKind::Host, "undeclared: Negative: below zero\nline 1"));
    engine.shutdown().await;
}

//! What callers rely on: several snippets in one namespace, captured constants, reports on functions, what becomes part of
//! a program, and the forms of diagnostics.

use deepslate_frontend::diag::Code;
use deepslate_frontend::{Compiled, FunctionKind, Options, Source, compile};
use deepslate_ir::datum::Datum;
use deepslate_ir::image::Image;
use deepslate_ir::interp::{Limits, NoWorld, Outcome, run};
use deepslate_ir::module::{Module, Purity};
use deepslate_ir::ops::Op;
use std::sync::Arc;

fn file(text: &str) -> Compiled {
    compile(&[Source::file("test.py", text)], &Options::default())
}

fn module(text: &str) -> Module {
    let compiled = file(text);
    assert!(!compiled.has_errors(), "{}", compiled.render(false));
    compiled.module.expect("a module")
}

fn value(module: Module, name: &str, args: &[Datum]) -> Datum {
    let module = Arc::new(module);
    let id = module.func_named(name).expect("the function");
    match run(&module, id, args, Limits::default(), &mut NoWorld).outcome {
        Outcome::Done(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn snippets_share_a_namespace_and_keep_their_places() {
    let snippet = |first_line, text: &str| Source { path: "server.py".into(), text: text.into(), first_line };
    let options = Options {
        constants: vec![("LIMIT".into(), Datum::Int(7)), ("NAMES".into(), Datum::Tuple(vec![Datum::Str("a".into())]))],
        ..Options::default()
    };
    let helper = snippet(40, "def twice(n: int) -> int:\n    return n * 2\n");
    let nested = snippet(90, "    @flow\n    async def main() -> str:\n        return f'{twice(LIMIT)}{NAMES[0]}'\n");
    let imports = snippet(1, "from deepslate import flow\n");
    let compiled = compile(&[imports.clone(), helper.clone(), nested], &options);
    assert!(!compiled.has_errors(), "{}", compiled.render(false));
    let built = compiled.module.expect("a module");
    let main = built.func(built.func_named("main").expect("main"));
    assert_eq!((main.span.file, main.span.line, main.span.column), (2, 91, 15));
    let twice = built.func(built.func_named("twice").expect("twice"));
    assert_eq!((twice.span.file, twice.span.line), (1, 40));
    assert_eq!(built.source_line(twice.insts[0].span), Some("    return n * 2"));
    assert_eq!(value(built, "main", &[]), Datum::Str("14a".into()));

    let wrong = snippet(90, "    @flow\n    async def main() -> int:\n        return twise(LIMIT)\n");
    let compiled = compile(&[imports, helper, wrong], &options);
    assert_eq!(compiled.lines(), "server.py:92:16: error[E0201]: `twise` is not defined\n");
    assert!(compiled.render(false).contains("92 │         return twise(LIMIT)"), "{}", compiled.render(false));
}

#[test]
fn constants_that_can_change_are_refused_where_they_are_used() {
    let text = "from deepslate import flow\n@flow\nasync def f() -> int:\n    return len(ITEMS)\n";
    let options = Options { constants: vec![("ITEMS".into(), Datum::List(Vec::new()))], ..Options::default() };
    let compiled = compile(&[Source::file("test.py", text)], &options);
    assert_eq!(compiled.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::NotConstant]);
    let unused = "from deepslate import flow\n@flow\nasync def f() -> int:\n    return 1\n";
    assert!(!compile(&[Source::file("test.py", unused)], &options).has_errors());
}

const SERVER: &str = r#"
import os
import deepslate as ds
from deepslate import impure as outside, pure
from dataclasses import dataclass
from fastapi import FastAPI

app = FastAPI()
SECRET = os.environ["SECRET"]
GREETING = "hello"

@dataclass
class Order:
    number: int
    total: float = 0.0

@outside(retries=3)
def insert(order: Order, note: str = "") -> bool:
    return f"{x["y"]}" ! nonsense

@pure
def compiled(n: int) -> int:
    return n + 1

@pure
def hosted(order: Order) -> str:
    return re.sub("a", "b", str(order))

@pure(compile=False)
def kept_out(n: int) -> int:
    return n

@app.post("/x")
def endpoint(name):
    with lock:
        return name

def helper(n: int) -> int:
    return compiled(n) + kept_out(n)

def unused(n: int) -> int:
    return n

@ds.flow
async def main(n: int) -> str:
    order = Order(helper(n))
    if insert(order):
        return GREETING + hosted(order)
    return ""
"#;

#[test]
fn a_program_holds_what_its_flows_reach() {
    let compiled = file(SERVER);
    assert!(!compiled.has_errors(), "{}", compiled.render(false));
    let built = compiled.module.expect("a module");
    let names: Vec<&str> = built.funcs.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["compiled", "helper", "main"]);
    let hosts: Vec<(&str, Purity)> = built.hosts.iter().map(|h| (h.name.as_str(), h.purity)).collect();
    assert_eq!(hosts, [("insert", Purity::Impure), ("hosted", Purity::Pure), ("kept_out", Purity::Pure)]);
    assert_eq!(built.hosts[0].params.len(), 2);
    assert!(!built.files[0].text.contains("SECRET"), "{}", built.files[0].text);
    assert!(built.files[0].text.contains("GREETING = \"hello\""));
    let image = Image::of(built).expect("an image");
    assert_eq!(Image::open(image.bytes()).expect("opens").hash(), image.hash());

    // Other code of the file does not change the program.
    let edited = SERVER
        .replace("SECRET = os.environ[\"SECRET\"]", "SECRET = 1  # changed")
        .replace("unused(n: int)", "other(n: str)");
    let again = Image::of(file(&edited).module.expect("a module")).expect("an image");
    assert_eq!(again.hash(), image.hash());
}

#[test]
fn functions_are_reported_with_the_first_reason() {
    let compiled = file(SERVER);
    let report = |name: &str| compiled.functions.iter().find(|f| f.name == name).expect("the function");
    assert_eq!(report("main").kind, FunctionKind::Flow);
    assert!(report("compiled").compiled && report("compiled").reached);
    assert!(report("unused").compiled && !report("unused").reached);
    assert!(!report("hosted").compiled && report("hosted").reached);
    let reason = report("hosted").reason.as_ref().expect("a reason");
    assert_eq!(reason.message, "`re` is not defined");
    assert!(report("endpoint").reason.is_some());
    assert!(report("insert").reason.is_none() && report("kept_out").reason.is_none());

    let all = compile(&[Source::file("test.py", SERVER)], &Options { all_functions: true, ..Options::default() });
    let built = all.module.expect("a module");
    assert!(built.func_named("unused").is_some() && built.func_named("endpoint").is_none());
    assert_eq!(value(built, "unused", &[Datum::Int(3)]), Datum::Int(3));
}

#[test]
fn every_mistake_is_collected() {
    let text = "from deepslate import flow\n@flow\nasync def a() -> int:\n    return x\n@flow\nasync def b(n: int) -> int:\n    y = n + \"1\"\n    z = y + 1\n    return nothing\n";
    let compiled = file(text);
    let codes: Vec<&str> = compiled.diagnostics.iter().map(|d| d.code.text()).collect();
    assert_eq!(codes, ["E0201", "E0304", "E0201"]);
    assert!(compiled.module.is_none());
    let json = compiled.json();
    assert_eq!(json[1]["place"]["line"], 7);
    assert_eq!(json[1]["place"]["column"], 9);
    assert_eq!(json[1]["place"]["end_column"], 16);
    assert_eq!(json[1]["labels"][1]["message"], "this is str");
    assert!(compiled.render(true).contains('\u{1b}') && !compiled.render(false).contains('\u{1b}'));
}

#[test]
fn columns_count_characters() {
    let text = "from deepslate import flow\n@flow\nasync def f() -> str:\n    return \"äö日本\" + nope\n";
    assert_eq!(file(text).lines(), "test.py:4:21: error[E0201]: `nope` is not defined\n");
    let module = module(
        "\u{feff}def g(n: int) -> int:\r\n    return n\r\nfrom deepslate import flow\r\n@flow\r\nasync def f() -> int:\r\n    return g(1)\r\n",
    );
    assert_eq!(module.func(module.func_named("f").expect("f")).span.line, 5);
}

#[test]
fn stops_list_the_variables_that_have_values() {
    let text = "from deepslate import flow, sleep\n@flow\nasync def f(n: int) -> int:\n    a = n + 1\n    sleep(1)\n    unset: int\n    if n > 3:\n        b = 2\n        sleep(2)\n    for i in range(n):\n        sleep(3)\n    sleep(4)\n    return a\n";
    let module = module(text);
    let f = module.func(module.func_named("f").expect("f"));
    let names = |seconds: f64| -> Vec<&str> {
        let inst = f.insts.iter().find(|i| {
            let arg = |v| f.insts.iter().find(|d| d.result == Some(v));
            i.op == Op::Sleep && arg(i.args[0]).is_some_and(|d| d.imm == deepslate_ir::module::Imm::Float(seconds))
        });
        let stop = inst.and_then(|i| i.stop).expect("a stop");
        f.stop(stop).values.iter().filter_map(|l| l.name.as_deref()).collect()
    };
    assert_eq!(names(1.0), ["n", "a"]);
    assert_eq!(names(2.0), ["n", "a", "b"]);
    assert_eq!(names(3.0), ["n", "a", "i"]);
    assert_eq!(names(4.0), ["n", "a"]);
}

#[test]
fn loops_and_recursive_functions_poll_and_others_do_not() {
    let text = "def leaf(n: int) -> int:\n    return n + 1\ndef caller(n: int) -> int:\n    return leaf(n)\ndef loop(n: int) -> int:\n    while n > 0:\n        n -= 1\n    return n\ndef ping(n: int) -> int:\n    return pong(n)\ndef pong(n: int) -> int:\n    return n if n < 1 else ping(n - 1)\n";
    let compiled = compile(&[Source::file("test.py", text)], &Options { all_functions: true, ..Options::default() });
    let module = compiled.module.expect("a module");
    let polls = |name: &str| {
        let f = module.func(module.func_named(name).expect("the function"));
        f.insts.iter().filter(|i| i.op == Op::Poll).count()
    };
    assert_eq!(["leaf", "caller", "loop", "ping", "pong"].map(polls), [0, 0, 1, 1, 1]);
}

#[test]
fn a_select_takes_what_is_ready() {
    let text = "from deepslate import flow, dpslio, sleep\n@flow\nasync def feed(q: dpslio.Queue[int], n: int, wait: float):\n    sleep(wait)\n    await q.put(n)\n@flow\nasync def main() -> list[int]:\n    a: dpslio.Queue[int] = dpslio.Queue[int]()\n    b = dpslio.Queue[int](1)\n    dpslio.create_task(feed(a, 1, 2.0))\n    dpslio.create_task(feed(b, 2, 1.0))\n    out: list[int] = []\n    for i in range(2):\n        match dpslio.select:\n            case _ if v := await a.get():\n                out.append(v)\n            case _ if v := await b.get():\n                out.append(v * 10)\n    match dpslio.select:\n        case _ if await a.get():\n            out.append(99)\n        case _:\n            out.append(0)\n    match dpslio.select:\n        case _ if await b.put(7):\n            out.append(b.qsize())\n    return out\n";
    let list = |n: &[i64]| Datum::List(n.iter().map(|n| Datum::Int(*n)).collect());
    assert_eq!(value(module(text), "main", &[]), list(&[20, 1, 0, 1]));
}

#[test]
fn the_seeds_own_program_compiles() {
    let text = r#"
import uvicorn
from fastapi import FastAPI

from deepslate import flow, sleep, new_postgres, spawn_workers, spawn_inspector

DBURL = "postgres://postgres:postgres@localhost:5432/postgres?sslmode=disable"


# durable flow that counts up forever, one tick per second,
# can survive crashes and restarts
@flow
async def counter():
    count: int = 0

    while True:
        sleep(1.0)
        count = count + 1

def create_app() -> FastAPI:
    platform, _ = new_postgres(1, DBURL, "localhost:8765", 100, 100, 5)
    spawn_fn, _, _, _ = spawn_workers(4, platform, [counter()])
    app = FastAPI()

    @app.post("/counter/{name}")
    def spawn_counter(name: str):
        id_, exists = app.state.spawn(name, "counter", {})
        return {"id": id_, "exists": exists}

    return app


app = create_app()


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8000, workers=1)
"#;
    let module = module(text);
    assert_eq!(module.funcs.len(), 1);
    assert!(!module.files[0].text.contains("postgres"));
}

#[test]
fn calling_a_module_by_any_import_is_the_same() {
    let body = "async def f(q: PKGdpslio.Queue[int]) -> None:\n    PKGsleep(1)\n    lock = PKGdpslio.Lock()\n    await lock.acquire()\n    await lock.release()\n    await q.put(1)\n";
    let forms = [
        ("from deepslate import *\n@flow\n", ""),
        ("from deepslate import flow, sleep, dpslio\n@flow\n", ""),
        ("import deepslate\n@deepslate.flow\n", "deepslate."),
        ("import deepslate as ds\n@ds.flow\n", "ds."),
        ("from deepslate import flow as durable, sleep, dpslio\n@durable\n", ""),
        ("if True:\n    from deepslate import flow, sleep, dpslio\n@flow\n", ""),
    ];
    for (head, package) in forms {
        let compiled = file(&format!("{head}{}", body.replace("PKG", package)));
        assert!(!compiled.has_errors(), "{head}\n{}", compiled.render(false));
        assert_eq!(compiled.module.expect("a module").flows().count(), 1, "{head}");
    }
}

#[test]
fn parameters_are_reported_with_their_defaults() {
    let text = "from deepslate import flow\nN = 2\n@flow\nasync def f(a: int, b: float = 1, c: str = \"x\", d: int = N * 3) -> None:\n    pass\n";
    let compiled = file(text);
    let params = &compiled.functions[0].params;
    let shown: Vec<(&str, Option<&str>, Option<&Datum>)> =
        params.iter().map(|p| (p.name.as_str(), p.ty.as_deref(), p.default.as_ref())).collect();
    let (one, x, six) = (Datum::Float(1.0), Datum::Str("x".into()), Datum::Int(6));
    assert_eq!(
        shown,
        [
            ("a", Some("int"), None),
            ("b", Some("float"), Some(&one)),
            ("c", Some("str"), Some(&x)),
            ("d", Some("int"), Some(&six))
        ]
    );
}

#[test]
fn the_seeds_examples_compile() {
    let text = r#"
from deepslate import flow, sleep, dpslio, pure, impure
from dataclasses import dataclass

@dataclass
class HealthResponse:
    Status: str

@pure
def get_status(resp: HealthResponse) -> str:
    return resp.Status

@impure
def insert_event(name: str) -> None:
    conn = psycopg2.connect(DBURL)
    cur = conn.cursor()
    cur.execute("INSERT INTO events (name) VALUES (%s)", (name,))

@flow
async def record(name: str):
    insert_event(name)

@flow
async def delay():
    sleep(1.0)

@flow
async def adder(a: int, b: int) -> int:
    return a + b

@flow
async def caller():
    total: int = adder(3, 5)

@flow
async def child(n: int):
    sleep(1.0)

@flow
async def parent():
    dpslio.create_task(child(1))

@flow
async def consumer(ch: dpslio.Queue[int]):
    value: int = await ch.get()

@flow
async def producer():
    ch: dpslio.Queue[int] = dpslio.Queue[int]()
    await ch.put(1)
    dpslio.create_task(consumer(ch))

@flow
async def task(wg: dpslio.WaitGroup):
    sleep(1.0)
    await wg.done()

@flow
async def waiter():
    wg: dpslio.WaitGroup = dpslio.WaitGroup()
    wg.add(2)
    dpslio.create_task(task(wg))
    dpslio.create_task(task(wg))
    await wg.wait()

@flow
async def worker(mu: dpslio.Lock):
    await mu.acquire()
    count: int = 1
    await mu.release()

@flow
async def race(ch1: dpslio.Queue[int], ch2: dpslio.Queue[int]):
    result: int = 0
    match dpslio.select:
        case _ if v := await ch1.get():
            result = v
        case _ if v := await ch2.get():
            result = v

@flow
async def loops(numbers: list[int], status: int) -> str:
    names: dict[str, int] = {"a": 1}
    for i, num in enumerate(numbers):
        names["a"] = names["a"] + num * i
    match status:
        case 200:
            return get_status(HealthResponse("ok"))
        case _:
            return "bad"
"#;
    let module = module(text);
    assert_eq!(module.flows().count(), 13);
    for name in ["caller", "parent", "producer", "waiter", "delay"] {
        assert_eq!(value(module.clone(), name, &[]), Datum::None, "{name}");
    }
}

#[test]
fn pure_functions_can_be_called_again_where_the_host_has_them() {
    let text = r#"
from deepslate import flow, pure

@pure
def scaled(n: int) -> int:
    return n * n % 7

@pure
def both(n: int) -> int:
    return scaled(n) + 1

@pure(compile=False)
def hosted(n: int) -> int:
    return n

def helper(n: int) -> int:
    return both(n) + hosted(n)

@flow
async def main(n: int) -> int:
    return helper(n) + scaled(n)
"#;
    let calls = |pure_in_host| {
        let options = Options { pure_in_host, ..Options::default() };
        let compiled = compile(&[Source::file("test.py", text)], &options);
        let module = compiled.module.expect("it compiles");
        let again = |name: &str| {
            let func = module.funcs.iter().find(|f| f.name == name).expect("it is there");
            func.insts.iter().filter(|i| i.op == Op::CallOrHost).count()
        };
        let hosts: Vec<String> = module.hosts.iter().map(|h| h.name.clone()).collect();
        ((again("main"), again("helper"), again("both")), hosts)
    };
    // Inside of a pure function it is that one that is called again.
    assert_eq!(calls(true), ((1, 1, 0), ["hosted", "scaled", "both"].map(str::to_owned).to_vec()));
    assert_eq!(calls(false), ((0, 0, 0), vec!["hosted".to_owned()]));
}

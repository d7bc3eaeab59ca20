//! `deepslate run`: to its result, again, through signals, and through kill -9 at any instant.

mod support;

use serde_json::json;
use std::time::{Duration, Instant};
use support::{Place, example};

#[test]
fn a_flow_runs_to_its_result_and_a_finished_one_prints_it_again() {
    let place = Place::new();
    let target = format!("{}:counter", example("counter.py"));
    let run = ["run", &target, "--name", "c1", "--arg", "limit=300"];
    assert_eq!(place.run(&run).ok(), "300\n");
    assert_eq!(place.run(&run).ok(), "300\n", "the same name again is the same isolate");
    let said = place.run(&["run", &target, "--name", "c1", "--arg", "limit=300", "--json"]).json();
    assert_eq!((&said["name"], &said["status"], &said["result"]), (&json!("c1"), &json!("done"), &json!(300)));
}

#[test]
fn without_a_name_one_is_made_and_printed() {
    let place = Place::new();
    let target = format!("{}:counter", example("counter.py"));
    let said = place.run(&["run", &target, "--arg", "limit=3"]);
    assert_eq!((said.status, said.out.as_str()), (Some(0), "3\n"));
    assert!(said.err.contains("counter-"), "{}", said.err);
}

#[test]
fn killed_at_fifty_random_instants_it_ends_with_the_right_result() {
    let place = Place::new();
    let target = format!("{}:counter", example("counter.py"));
    let seed = std::process::id() ^ Instant::now().elapsed().subsec_nanos();
    println!("seed {seed}");
    let mut random = u64::from(seed) | 1;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    // How far it comes in a tenth of a second decides how long it must count to be hit fifty times.
    let begun = Instant::now();
    assert_eq!(place.run(&["run", &target, "--name", "warm", "--arg", "limit=2000"]).ok(), "2000\n");
    let rate = 2000.0 / begun.elapsed().as_secs_f64();
    let limit = ((rate * 50.0 * 0.1) as u64).clamp(2_000, 500_000).to_string();
    let arg = format!("limit={limit}");
    let (mut kills, mut rounds) = (0, 0);
    while kills < 50 {
        rounds += 1;
        assert!(rounds < 100, "it ends before it can be killed: {kills} kills in {rounds} runs");
        let name = format!("c{}", kills / 50);
        let mut started = place.start(&["run", &target, "--name", &name, "--arg", &arg]);
        let pause = Duration::from_micros(next() % 200_000);
        std::thread::sleep(pause);
        if started.has_ended() {
            let said = started.wait(Duration::from_secs(1));
            panic!("it ended after {kills} kills, before it was killed: {said:?}");
        }
        kills += u32::from(started.kill());
    }
    let said = place.run(&["run", &target, "--name", "c0", "--arg", &arg]);
    assert_eq!(said.ok(), format!("{limit}\n"));
}

#[test]
fn a_signal_lets_it_come_to_its_next_commit_and_the_same_command_goes_on() {
    let place = Place::new();
    let target = format!("{}:counter", example("counter.py"));
    let run = ["run", &target, "--name", "c1", "--arg", "limit=30000"];
    let mut started = place.start(&run);
    std::thread::sleep(Duration::from_millis(600));
    assert!(!started.has_ended(), "30,000 steps take longer than 600 ms");
    started.signal("TERM");
    let said = started.wait(Duration::from_secs(20));
    assert_eq!(said.status, Some(130), "{said:?}");
    assert!(said.err.contains("c1"), "it says what goes on: {}", said.err);
    let rest = place.run(&["show", "c1", "--at-rest", "--json"]).json();
    assert!(rest["commits"].as_u64().unwrap() > 1, "{rest}");
    let done = place.run(&run);
    assert_eq!(done.ok(), "30000\n");
}

#[test]
fn a_failed_flow_shows_its_own_stack_and_stays_failed() {
    let place = Place::new();
    place.write("f.py", FAILS);
    let run = ["run", "f.py:outer", "--name", "f1", "--arg", "n=7"];
    for _ in 0..2 {
        let err = place.run(&run).fails(1);
        for part in ["index", "inner", "f.py:6", "outer", "f.py:12"] {
            assert!(err.contains(part), "{part} is missing from {err}");
        }
    }
    let said = place.run(&["run", "f.py:outer", "--name", "f1", "--arg", "n=7", "--json"]);
    assert_eq!(said.status, Some(1));
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&value["status"], &value["failure"]["kind"]), (&json!("failed"), &json!("index")));
    assert_eq!(value["failure"]["trace"][0]["line"], json!(6));
}

const FAILS: &str = "\
from deepslate import flow, sleep

def inner(n: int) -> int:
    items: list[int] = [1, 2, 3]
    last: int = 0
    last = items[n]
    return last

@flow
async def outer(n: int) -> int:
    sleep(0)
    return inner(n)
";

#[test]
fn arguments_that_do_not_fit_say_what_the_flow_takes() {
    let place = Place::new();
    let target = format!("{}:counter", example("counter.py"));
    for (args, what) in [
        (&[][..], "missing: limit"),
        (&["--arg", "limt=3"], "did you mean limit?"),
        (&["--arg", "limit=x"], "limit"),
        (&["--arg", "limit=1.5"], "int"),
        (&["--arg", "limit=1", "--arg", "more=2"], "more"),
    ] {
        let mut command = vec!["run", target.as_str(), "--name", "c1"];
        command.extend(args);
        let err = place.run(&command).fails(2);
        assert!(err.contains(what) && err.contains("limit: int"), "{args:?}: {err}");
    }
    assert!(!place.path().join(".deepslate").exists(), "nothing was spawned");
}

#[test]
fn unknown_files_and_flows_say_what_there_is() {
    let place = Place::new();
    let file = example("counter.py");
    let err = place.run(&["run", &format!("{file}:countr"), "--arg", "limit=1"]).fails(4);
    assert!(err.contains("did you mean") && err.contains("counter"), "{err}");
    let err = place.run(&["run", "nowhere.py:f"]).fails(4);
    assert!(err.contains("nowhere.py"), "{err}");
    let err = place.run(&["run", &file]).fails(2);
    assert!(err.contains("FILE:FLOW"), "{err}");
}

#[test]
fn a_flow_with_host_functions_stops_before_anything_is_spawned() {
    let place = Place::new();
    place.write("h.py", HOST);
    let err = place.run(&["run", "h.py:order", "--name", "o1", "--arg", "id=7"]).fails(2);
    for part in ["charge", "python -m deepslate run h.py:order", "o1"] {
        assert!(err.contains(part), "{part} is missing from {err}");
    }
    assert!(!place.path().join(".deepslate").exists(), "nothing was spawned");
}

const HOST: &str = "\
from deepslate import flow, impure

@impure
def charge(id: int) -> str:
    import requests
    return requests.post(str(id)).text

@flow
async def order(id: int) -> str:
    return charge(id)
";

#[test]
fn a_busy_port_of_the_inspector_is_a_warning() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let target = format!("{}:counter", example("counter.py"));
    let said = place.run(&["run", &target, "--arg", "limit=3", "--inspector", "--address", &address]);
    assert_eq!((said.status, said.out.as_str()), (Some(0), "3\n"));
    assert!(said.err.contains(&address), "{}", said.err);
}

const RATED: &str = "\
from deepslate import flow, sleep

@flow
async def rated(rate: float, label: str) -> str:
    sleep(0)
    return label + str(rate)

@flow
async def slow(seconds: float) -> float:
    sleep(seconds)
    return seconds
";

#[test]
fn the_same_command_goes_on_whatever_the_file_says_now() {
    let place = Place::new();
    place.write("r.py", RATED);
    let run = ["run", "r.py:rated", "--name", "r1", "--arg", "rate=2", "--arg", "label=a"];
    assert_eq!(place.run(&run).ok(), "\"a2.0\"\n");
    let slow = ["run", "r.py:slow", "--name", "s1", "--arg", "seconds=3"];
    let started = place.start(&slow);
    support::eventually("it sleeps", || {
        let shown = place.run(&["show", "s1", "--at-rest", "--json"]);
        shown.out.contains("sleeping").then_some(())
    });
    assert!(started.kill());
    let again = place.run(&run);
    assert!(again.err.is_empty(), "the same arguments, though one is written otherwise: {again:?}");

    // Another parameter list, another name of the flow, no program at all: the isolates are what they were.
    let renamed = RATED.replace("rate: float, label: str", "rate: float, label: str, more: int");
    for now in [&renamed, &RATED.replace("def rated", "def rated2"), "def broken(:\n", ""] {
        place.write("r.py", now);
        let said = place.run(&run);
        assert_eq!((said.status, said.out.as_str()), (Some(0), "\"a2.0\"\n"), "{now}: {said:?}");
    }
    let other = ["run", "r.py:rated", "--name", "r1", "--arg", "rate=3", "--arg", "label=a"];
    let said = place.run(&other);
    assert_eq!(said.out, "\"a2.0\"\n");
    assert!(said.err.contains("goes on with the arguments") && said.err.contains("\"rate\": 2.0"), "{said:?}");
    let said = place.run(&["run", "r.py:slow", "--name", "r1", "--arg", "seconds=3"]);
    assert_eq!(said.out, "\"a2.0\"\n");
    assert!(said.err.contains("the flow rated, not slow"), "{said:?}");
    // The file can't be compiled and the sleeper was killed in the middle: it goes on all the same.
    place.write("r.py", &RATED.replace("return seconds", "return second"));
    let said = place.run(&slow);
    assert_eq!((said.status, said.out.as_str()), (Some(0), "3.0\n"), "{said:?}");
    assert!(said.err.contains("E0"), "the mistake is shown: {said:?}");
    assert!(said.err.contains("s1 goes on with the program that it was spawned with"), "{said:?}");
    // A new name needs a program.
    place.run(&["run", "r.py:slow", "--name", "s2", "--arg", "seconds=3"]).fails(1);
}

#[test]
fn a_recursion_without_end_is_a_few_lines() {
    let place = Place::new();
    place.write("deep.py", "from deepslate import flow\n\ndef down(n: int) -> int:\n    return down(n + 1)\n\n@flow\nasync def deep() -> int:\n    return down(0)\n");
    let err = place.run(&["run", "deep.py:deep", "--name", "d1"]).fails(1);
    assert!(err.contains("the same 99") && err.lines().count() < 10, "{err}");
    let err = place.run(&["call", "deep.py:down", "--args", "[0]"]).fails(1);
    assert!(err.contains("the same 99") && err.lines().count() < 10, "{err}");
}

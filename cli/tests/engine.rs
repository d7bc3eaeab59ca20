//! The commands that ask a running engine, and what they say of a store at rest.

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::{Place, eventually, example};

const TICKER: &str = "\
from deepslate import flow, sleep


@flow
async def ticker(seconds: int) -> int:
    ticks: list[int] = []
    for tick in range(seconds):
        ticks.append(tick * tick)
        sleep(1.0)
    return len(ticks)
";

#[test]
fn an_isolate_is_spawned_looked_at_and_ended_by_the_control_api() {
    let place = Place::new();
    place.write("ticker.py", TICKER);
    let serving = place.serve(&[&example("counter.py"), "ticker.py"]);
    let at = ["--address", serving.address.as_str()];
    let ask = |args: &[&str]| place.run(&[args, &at].concat());
    let ask_json = |args: &[&str]| ask(&[args, &["--json"]].concat()).json();

    let spawned = ask_json(&["spawn", "c1", "counter", "--arg", "limit=50"]);
    assert_eq!((&spawned["name"], &spawned["exists"]), (&json!("c1"), &json!(false)));
    let again = ask_json(&["spawn", "c1", "counter", "--arg", "limit=50"]);
    assert_eq!((&again["id"], &again["exists"]), (&spawned["id"], &json!(true)));
    assert_eq!(ask(&["result", "c1", "--timeout", "30"]).ok(), "50\n");

    ask(&["spawn", "t1", "ticker", "--arg", "seconds=600"]).ok();
    let same = ask(&["spawn", "t1", "ticker", "--arg", "seconds=600"]);
    assert!(same.out.contains("was there already") && !same.err.contains("note:"), "{same:?}");
    let other = ask(&["spawn", "t1", "counter", "--arg", "limit=5"]);
    assert!(other.out.contains("was there already"), "{other:?}");
    assert!(other.err.contains("`t1`") && other.err.contains("`ticker`") && other.err.contains("seconds"), "{other:?}");
    let said = ask_json(&["spawn", "t1", "counter", "--arg", "limit=5"]);
    assert_eq!((&said["exists"], &said["flow"]), (&json!(true), &json!("ticker")), "{said}");
    let other = ask(&["spawn", "t1", "ticker", "--arg", "seconds=601"]);
    assert!(other.err.contains("other arguments") && other.err.contains("600"), "{other:?}");
    assert!(ask(&["result", "t1", "--timeout", "0.1"]).fails(6).contains("t1"));
    let shown = eventually("t1 sleeps", || {
        let shown = ask_json(&["show", "t1"]);
        (shown["tasks"][0]["status"] == json!("sleeping")).then_some(shown)
    });
    let frame = &shown["tasks"][0]["frames"][0];
    assert_eq!(frame["function"], json!("ticker"));
    assert!(frame["text"].as_str().unwrap().contains("sleep(1.0)"), "{frame}");
    let variable =
        |name: &str| frame["variables"].as_array().unwrap().iter().find(|v| v["name"] == json!(name)).cloned();
    assert_eq!(variable("seconds").unwrap()["type"], json!("int"));
    assert_eq!(variable("seconds").unwrap()["value"], json!(600));
    assert!(shown["step"].as_i64().unwrap() >= 1 && shown["heap_bytes"].as_i64().unwrap() > 0, "{shown}");
    assert!(variable("ticks").is_some() && variable("tick").is_some(), "{frame}");
    let text = ask(&["show", "t1"]).ok();
    assert!(
        text.contains("sleep(1.0)") && text.contains("ticks: list[int] = [") && text.contains("timer, due in"),
        "{text}"
    );

    assert_eq!(ask_json(&["pause", "t1"])["status"], json!("paused"));
    let waited = ask(&["result", "t1", "--timeout", "1.2"]);
    assert!(waited.err.contains("paused") && waited.err.contains("deepslate resume t1"), "{waited:?}");
    assert!(waited.fails(6).contains("resume it to let it go on"));
    assert_eq!(ask_json(&["list", "--status", "paused"])["isolates"][0]["name"], json!("t1"));
    assert_ne!(ask_json(&["resume", "t1"])["status"], json!("paused"));
    assert!(ask(&["delete", "t1"]).fails(5).contains("t1"), "it has not ended");
    assert_eq!(ask_json(&["cancel", "t1"])["status"], json!("cancelled"));
    assert!(ask(&["result", "t1"]).fails(7).contains("cancelled"));
    let listed = ask(&["list"]).ok();
    assert!(listed.contains("c1") && listed.contains("t1") && listed.contains("cancelled"), "{listed}");
    ask(&["delete", "t1"]).ok();
    assert!(ask(&["show", "t1"]).fails(4).contains("t1"));

    let err = ask(&["spawn", "x", "countr"]).fails(4);
    assert!(err.contains("did you mean counter?"), "{err}");
    let err = ask(&["spawn", "x", "counter", "--arg", "limit=1.5"]).fails(2);
    assert!(err.contains("limit"), "{err}");
    let err = ask(&["spawn", "no good", "counter", "--arg", "limit=1"]).fails(2);
    assert!(err.contains("no good"), "{err}");

    let mut started = serving.started;
    started.signal("INT");
    assert!(started.status(Duration::from_secs(20)).success());
}

const APPROVAL: &str = "\
from deepslate import flow, dpslio


@flow
async def approval() -> str:
    answers: dpslio.Queue[bool] = dpslio.Queue[bool](name=\"answers\")
    notes: dpslio.Queue[str] = dpslio.Queue[str](name=\"notes\")
    answer: bool = await answers.get()
    return f\"{answer}: {await notes.get()}\"
";

#[test]
fn values_are_sent_to_the_queues_of_a_flow() {
    let place = Place::new();
    place.write("approval.py", APPROVAL);
    let serving = place.serve(&["approval.py"]);
    let at = ["--address", serving.address.as_str()];
    let ask = |args: &[&str]| place.run(&[args, &at].concat());
    ask(&["spawn", "order-7", "approval"]).ok();
    assert!(ask(&["send", "order-8", "answers", "true"]).fails(4).contains("order-8"));
    assert!(ask(&["send", "order-7", "answer", "true"]).fails(4).contains("did you mean `answers`?"));
    let err = ask(&["send", "order-7", "answers", "maybe"]).fails(2);
    assert!(err.contains("takes bool") && err.contains("\"maybe\""), "{err}");
    assert_eq!(ask(&["send", "order-7", "answers", "true", "--id", "click-1"]).ok(), "order-7  sent\n");
    let again = ask(&["send", "order-7", "answers", "true", "--id", "click-1", "--json"]).json();
    assert_eq!(again["changed"], json!(false));
    // What is no JSON is a text.
    ask(&["send", "order-7", "notes", "as usual"]).ok();
    assert_eq!(ask(&["result", "order-7", "--timeout", "30"]).ok(), "\"True: as usual\"\n");
    assert!(ask(&["send", "order-7", "notes", "late"]).fails(5).contains("has ended"));
}

#[test]
fn what_was_spawned_at_a_killed_engine_goes_on_at_the_next() {
    let place = Place::new();
    let file = example("counter.py");
    let serving = place.serve(&[&file]);
    let address = serving.address.clone();
    place.run(&["spawn", "c1", "counter", "--arg", "limit=4000", "--address", &address]).ok();
    assert!(serving.started.kill());
    let serving = place.serve(&[&file]);
    assert_eq!(place.run(&["result", "c1", "--timeout", "60", "--address", &serving.address]).ok(), "4000\n");
}

#[test]
fn a_store_at_rest_can_be_looked_at() {
    let place = Place::new();
    place.write("deepslate.toml", "[inspector]\naddress = \"127.0.0.1:1\"\n");
    place.write("ticker.py", TICKER);
    let serving = place.serve(&["ticker.py"]);
    for (name, seconds) in [("t1", "seconds=600"), ("t2", "seconds=1")] {
        place.run(&["spawn", name, "ticker", "--arg", seconds, "--address", &serving.address]).ok();
    }
    place.run(&["result", "t2", "--address", &serving.address]).ok();
    assert!(serving.started.kill());

    // Nobody listens at the configured address, so that these read the store.
    let listed = place.run(&["list", "--json"]).json();
    let names: Vec<_> = listed["isolates"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, [json!("t1"), json!("t2")]);
    let only = place.run(&["list", "--json", "--status", "done"]).json();
    assert_eq!(only["isolates"][0]["name"], json!("t2"));
    let shown: Value = place.run(&["show", "t1", "--json"]).json();
    let frame = &shown["tasks"][0]["frames"][0];
    assert!(frame["text"].as_str().unwrap().contains("sleep(1.0)"), "{shown}");
    assert!(frame["variables"].as_array().unwrap().iter().any(|v| v["name"] == json!("ticks")), "{frame}");
    assert_eq!(place.run(&["show", "t2", "--json"]).json()["result"], json!(1));
    let err = place.run(&["show", "t3"]).fails(4);
    assert!(err.contains("t3"), "{err}");
    let err = place.run(&["spawn", "x", "counter", "--arg", "limit=1"]).fails(3);
    assert!(err.contains("127.0.0.1:1") && err.contains("deepslate serve"), "{err}");
}

#[test]
fn a_second_engine_on_the_same_directory_is_refused() {
    let place = Place::new();
    let file = example("counter.py");
    let _serving = place.serve(&[&file]);
    let err = place.run(&["run", &format!("{file}:counter"), "--arg", "limit=1"]).fails(5);
    assert!(err.contains(".deepslate"), "{err}");
}

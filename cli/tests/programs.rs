//! The commands that need no store: check, call, bench, disasm, config, help.

mod support;

use serde_json::json;
use support::{Place, example};

#[test]
fn check_shows_every_mistake_with_its_line() {
    let place = Place::new();
    place.write(
        "bad.py",
        "from deepslate import flow\n\n@flow\nasync def f(n: int) -> int:\n    s: str = n\n    return s\n",
    );
    let said = place.run(&["check", "bad.py"]);
    assert_eq!(said.status, Some(1));
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains("bad.py:5:") && all.contains("s: str = n") && all.contains("return s"), "{all}");
    let short = place.run(&["check", "bad.py", "--short"]);
    assert_eq!(short.status, Some(1));
    let lines: Vec<_> = short.out.lines().collect();
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.starts_with("bad.py:")), "{lines:?}");
    let said = place.run(&["check", "bad.py", "--json"]);
    assert_eq!(said.status, Some(1));
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let first = &found["diagnostics"][0];
    assert_eq!((&first["place"]["path"], &first["place"]["line"]), (&json!("bad.py"), &json!(5)));
    assert!(first["code"].is_string() && first["message"].is_string(), "{first}");
}

#[test]
fn check_of_a_good_file_says_so() {
    let place = Place::new();
    let file = example("counter.py");
    let said = place.run(&["check", &file]);
    assert_eq!(said.status, Some(0), "{said:?}");
    let json = place.run(&["check", &file, "--json"]).json();
    assert_eq!(json["diagnostics"], json!([]));
    assert!(place.run(&["check", "nowhere.py"]).fails(4).contains("nowhere.py"));
}

#[test]
fn check_tells_which_pure_functions_are_compiled_and_why_others_are_not() {
    let place = Place::new();
    place.write(
        "p.py",
        "import re\nfrom deepslate import flow, pure\n\n\n@pure\ndef twice(n: int) -> int:\n    return n * 2\n\n\n\
         @pure\ndef shout(text: str) -> str:\n    return re.sub('a', 'A', text)\n\n\n\
         @pure(compile=False)\ndef kept(n: int) -> int:\n    return n\n\n\n\
         @flow\nasync def main(text: str) -> str:\n    return shout(text) + str(twice(kept(1)))\n",
    );
    let said = place.run(&["check", "p.py"]).ok();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "p.py: 1 flow is fine");
    assert_eq!(lines[1], "  pure and compiled: twice");
    let shout = "  pure and called in the host: shout (p.py:12: `re.sub` can't be used in a flow";
    assert!(lines[2].starts_with(shout), "{said}");
    assert_eq!(lines[3], "  pure and called in the host: kept (its decorator says compile=False)");
    let found = place.run(&["check", "p.py", "--json"]).json();
    let of = |name: &str| {
        let all = found["functions"].as_array().unwrap();
        all.iter().find(|f| f["name"] == json!(name)).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(of("twice"), json!({ "name": "twice", "kind": "pure", "compiled": true, "reason": null }));
    assert_eq!((&of("shout")["compiled"], &of("shout")["reason"]["line"]), (&json!(false), &json!(12)));
    assert_eq!((&of("main")["kind"], &of("main")["compiled"]), (&json!("flow"), &json!(true)));

    place.write("changes.py", "from deepslate import pure\n\n\n@pure\ndef f(xs: list[int]) -> int:\n    ys = xs\n    ys.append(1)\n    return 1\n");
    assert!(place.run(&["check", "changes.py"]).fails(1).contains("changes its argument `xs`"));
}

#[test]
fn call_gives_a_value_or_a_trap() {
    let place = Place::new();
    let target = format!("{}:count_primes", example("primes.py"));
    assert_eq!(place.run(&["call", &target, "--args", "[1000]"]).ok(), "168\n");
    let err = place.run(&["call", &target, "--args", "[]"]).fails(2);
    assert!(err.contains("limit: int"), "{err}");
    place.write("t.py", "def f(a: int, b: int) -> float:\n    return a / b\n");
    assert_eq!(place.run(&["call", "t.py:f", "--args", "[1, 4]"]).ok(), "0.25\n");
    let err = place.run(&["call", "t.py:f", "--args", "[1, 0]"]).fails(1);
    assert!(err.contains("division") && err.contains("t.py:2"), "{err}");
    let err = place.run(&["call", "t.py:g"]).fails(4);
    assert!(err.contains("there is") && err.contains('f'), "{err}");
}

#[test]
fn bench_times_calls() {
    let place = Place::new();
    let said = place.run(&[
        "bench",
        &example("primes.py"),
        "--entry",
        "count_primes",
        "--arg",
        "1000",
        "--reps",
        "3",
        "--json",
    ]);
    let said = said.json();
    assert_eq!(said["result"], json!(168));
    assert_eq!(said["reps_s"].as_array().unwrap().len(), 3);
    for key in ["compile_s", "first_s", "median_s"] {
        assert!(said[key].as_f64().unwrap() >= 0.0, "{key}");
    }
    assert_eq!(said["jit"], json!("off"));
}

#[test]
fn disasm_shows_both_forms_with_source_lines() {
    let place = Place::new();
    let file = example("counter.py");
    let ir = place.run(&["disasm", &file, "--stage", "ir"]).ok();
    assert!(ir.contains("count = count + 1") && ir.contains("counter") && ir.contains("iadd"), "{ir}");
    let bytecode = place.run(&["disasm", &file, "--stage", "bytecode", "--function", "counter"]).ok();
    assert!(bytecode.contains("count = count + 1") && !bytecode.contains("ticker"), "{bytecode}");
    let err = place.run(&["disasm", &file, "--function", "countr"]).fails(4);
    assert!(err.contains("counter"), "{err}");
}

#[test]
fn config_prints_what_is_in_effect_and_every_key() {
    let place = Place::new();
    let effective = place.run(&["config"]).ok();
    assert!(
        effective.contains("[store]") && effective.contains("embedded") && effective.contains("127.0.0.1:8080"),
        "{effective}"
    );
    let keys = place.run(&["config", "--keys"]).ok();
    assert!(keys.contains("DEEPSLATE_INSPECTOR_ADDRESS"), "{keys}");
    place.write("deepslate.toml", "[inspector]\nadress = \"127.0.0.1:9\"\n");
    let err = place.run(&["config"]).fails(2);
    assert!(err.contains("deepslate.toml") && err.contains("address"), "{err}");
    let err = place.run(&["--config", "nowhere.toml", "config"]).fails(2);
    assert!(err.contains("nowhere.toml"), "{err}");
}

#[test]
fn help_and_mistakes_of_the_command_line() {
    let place = Place::new();
    assert!(place.run(&["--help"]).ok().contains("Exit status"));
    assert!(place.run(&["run", "--help"]).ok().contains("Example"));
    assert!(place.run(&["--version"]).ok().starts_with("deepslate "));
    place.run(&["rnu"]).fails(2);
    place.run(&[]).fails(2);
}

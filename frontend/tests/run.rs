//! Runs the functions `test_…` of `run/*.py` in the evaluator and compares values, errors and log lines with what CPython
//! made of them, which is stored beside each file. `BLESS=1` asks CPython again.

use deepslate_frontend::{Options, Source, compile};
use deepslate_ir::interp::{Limits, NoWorld, Outcome, run};
use deepslate_ir::json::to_json;
use serde_json::{Map, Value};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// The name of CPython's exception for a trap.
fn exception(kind: &str) -> &str {
    match kind {
        "division" => "ZeroDivisionError",
        "index" => "IndexError",
        "key" => "KeyError",
        "value" => "ValueError",
        "assertion" => "AssertionError",
        "changed" => "RuntimeError",
        other => other,
    }
}

fn expected(source: &Path) -> Map<String, Value> {
    let stored = source.with_extension("json");
    if std::env::var_os("BLESS").is_some() {
        let shim = source.with_file_name("shim.py");
        let out = Command::new("python3").arg(shim).arg(source).output().expect("python3 runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        std::fs::write(&stored, out.stdout).expect("written");
    }
    let text =
        std::fs::read_to_string(&stored).unwrap_or_else(|e| panic!("{}: {e}; run with BLESS=1", stored.display()));
    serde_json::from_str(&text).expect("JSON")
}

fn agree(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run").join(file);
    let text = std::fs::read_to_string(&path).expect("a test file");
    let compiled = compile(&[Source::file(file, text)], &Options { all_functions: true, ..Options::default() });
    assert!(!compiled.has_errors(), "{}", compiled.render(false));
    let tests = compiled.functions.iter().filter(|f| f.name.starts_with("test_"));
    let reasons: Vec<_> = tests.filter_map(|f| f.reason.clone()).collect();
    assert!(reasons.is_empty(), "{}", deepslate_frontend::diag::render(&compiled.sources, &reasons, false));
    let module = Arc::new(compiled.module.expect("a module"));
    let mut wrong = Vec::new();
    let expected = expected(&path);
    assert!(!expected.is_empty());
    for (name, wanted) in &expected {
        let id = module.func_named(name).unwrap_or_else(|| panic!("{name} is not in the module"));
        let done = run(&module, id, &[], Limits::default(), &mut NoWorld);
        let log: Vec<Value> = done.log.iter().map(|l| Value::from(l.as_str())).collect();
        let mut got = Map::new();
        match done.outcome {
            Outcome::Done(value) => {
                let text = to_json(&module.types, module.func(id).ret, &value).replace(", ", ",").replace(": ", ":");
                got.insert("value".into(), text.into());
            }
            Outcome::Failed(trap) if trap.kind.name() == "raised" => {
                let message = if trap.message.contains(": ") { trap.message } else { format!("{}: ", trap.message) };
                got.insert("error".into(), message.into());
            }
            Outcome::Failed(trap) => {
                got.insert("error".into(), format!("{}: {}", exception(trap.kind.name()), trap.message).into());
            }
            other => {
                got.insert("outcome".into(), format!("{other:?}").into());
            }
        }
        if !log.is_empty() {
            got.insert("log".into(), log.into());
        }
        let mut wanted = wanted.as_object().expect("an object").clone();
        if let Some(Value::String(text)) = wanted.get_mut("value") {
            *text = text.replace(", ", ",").replace(": ", ":");
        }
        // Of an error of CPython's own only the kind must agree: its wording changes with its version.
        let kind = |m: &Map<String, Value>| {
            m.get("error").and_then(Value::as_str).map(|e| e.split(':').next().unwrap_or("").to_owned())
        };
        let same = match (kind(&got), kind(&wanted)) {
            (Some(a), Some(b)) => a == b && got.get("log") == wanted.get("log"),
            _ => got == wanted,
        };
        if !same {
            wrong.push(format!("{name}:\n  CPython   {}\n  evaluator {}", Value::Object(wanted), Value::Object(got)));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}

#[test]
fn numbers() {
    agree("numbers.py");
}

#[test]
fn collections() {
    agree("collections.py");
}

#[test]
fn control() {
    agree("control.py");
}

#[test]
fn library() {
    agree("library.py");
}

#[test]
fn functions() {
    agree("functions.py");
}

#[test]
fn classes() {
    agree("classes.py");
}

#[test]
fn patterns() {
    agree("match.py");
}

#[test]
fn enums() {
    agree("enums.py");
}

#[test]
fn constants() {
    agree("constants.py");
}

#[test]
fn containers_text_and_builtins() {
    agree("containers.py");
}

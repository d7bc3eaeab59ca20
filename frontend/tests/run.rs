//! Runs the functions `test_…` of `run/*.py` in the evaluator and compares values, errors and log lines with what CPython
//! made of them, which is stored beside each file. `BLESS=1` asks CPython again.

use deepslate_frontend::{Options, Source, compile};
use deepslate_ir::interp::{Limits, NoWorld, Outcome, run};
use deepslate_ir::json::to_json;
use serde_json::{Map, Value, json};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
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

/// What CPython makes of the test functions of a file; the reference of the specification runs them.
fn asked(source: &Path) -> Result<Map<String, Value>, Box<dyn Error>> {
    let text = std::fs::read_to_string(source)?;
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/reference/run.py");
    let mut command = Command::new("python3");
    let mut python = command.arg("-B").arg(reference).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (input, output) = (python.stdin.take(), python.stdout.take());
    let (mut input, mut output) = (input.ok_or("no pipe")?, BufReader::new(output.ok_or("no pipe")?));
    let mut found = Map::new();
    for line in text.lines() {
        let head = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ");
        let Some((name, _)) = head.filter(|h| h.starts_with("test_")).and_then(|h| h.split_once('(')) else { continue };
        writeln!(input, "{}", json!({ "source": text, "entry": name }))?;
        let mut answer = String::new();
        output.read_line(&mut answer)?;
        let answer: Value = serde_json::from_str(&answer)?;
        let mut entry = Map::new();
        match answer.get("result") {
            Some(value) => entry.insert("value".into(), value.clone()),
            None => entry.insert("error".into(), answer["detail"].clone()),
        };
        if answer["log"].as_array().is_some_and(|log| !log.is_empty()) {
            entry.insert("log".into(), answer["log"].clone());
        }
        found.insert(name.to_owned(), entry.into());
    }
    drop(input);
    python.wait()?;
    Ok(found)
}

fn expected(source: &Path) -> Map<String, Value> {
    let stored = source.with_extension("json");
    if std::env::var_os("BLESS").is_some() {
        let answers = asked(source).unwrap_or_else(|e| panic!("{}: {e}", source.display()));
        let text = serde_json::to_string_pretty(&answers).expect("JSON");
        // Indented by one, which keeps the files small.
        let narrow =
            |line: &str| format!("{}{}\n", " ".repeat((line.len() - line.trim_start().len()) / 2), line.trim_start());
        std::fs::write(&stored, text.lines().map(narrow).collect::<String>()).expect("written");
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

#[test]
fn glue() {
    agree("glue.py");
}

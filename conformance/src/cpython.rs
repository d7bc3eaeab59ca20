//! CPython as one of the ways: a process runs the programs of the cases one after the other as plain Python, with the package
//! that `reference/` holds in the place of ours, and must come to the same result, log and kind of trap in the same line. The
//! fuzzer asks the same process about programs of its own.
//!
//! A case that means something else in the language by a documented difference says so and names it; a case that says so
//! without need is as wrong as one that differs without saying so.

use crate::markdown::{Case, Outcome};
use crate::script::Answer;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What differs from CPython by design: the name that cases use, and what it says in `docs/COMPATIBILITY.md`.
pub const DIFFERENCES: &[(&str, &str)] = &[
    ("64-bit ints", "an int has 64 bits, and what does not fit is a trap"),
    (
        "declared numbers",
        "an int or bool where float or int is declared, or where a float is another possible value, is converted at that point",
    ),
    ("encodings", "text has the encodings utf-8, ascii and latin-1, and another one is a trap"),
    ("negative powers", "an int to the power of a negative int is a trap"),
    ("complex powers", "a negative number to a power between two whole ones is a trap: there are no complex numbers"),
    ("set order", "sets iterate in the order of insertion"),
    ("limits", "heap, tasks, calls inside each other and values that cross the border are limited"),
    ("narrowed places", "a field, element or captured variable that was narrowed is checked again at each read"),
];

/// A running CPython.
#[derive(Debug)]
pub struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    /// Starts `python3`, 3.10 or later; the error says why it does not run.
    pub fn start() -> Result<Python, String> {
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/run.py");
        let mut command = Command::new("python3");
        command.arg("-B").arg(run).env("PYTHONIOENCODING", "utf-8").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("python3 does not start: {e}"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Python { child, input, output: BufReader::new(output) }),
            _ => Err("python3 has no pipes".to_owned()),
        }
    }

    /// Runs a case. `Err` says how CPython differs, or that it does not although the case says so.
    pub fn check(&mut self, case: &Case) -> Result<(), String> {
        if let Some(reason) = &case.differs
            && !DIFFERENCES.iter().any(|(name, _)| name == reason)
        {
            let known: Vec<&str> = DIFFERENCES.iter().map(|(name, _)| *name).collect();
            return Err(format!("no documented difference is named {reason:?}; there are: {}", known.join(", ")));
        }
        if !case.outcome.errors.is_empty() {
            return match &case.differs {
                Some(_) => Err("a program that is not accepted is not run in CPython, and can't differ".to_owned()),
                None => Ok(()),
            };
        }
        let script: Vec<Value> = case.answers.iter().map(Answer::json).collect();
        let answer = self.ask(&json!({ "source": case.program, "script": script }))?;
        let found = outcome(&answer);
        let detail = answer.get("detail").and_then(Value::as_str).unwrap_or("");
        match (&case.differs, case.outcome.agrees(&found)) {
            (None, true) | (Some(_), false) => Ok(()),
            (None, false) => Err(format!(
                "CPython differs: {found:#?} {detail}\nwanted {:#?}\nIf that is a documented difference, the outcome says \
                 so by a line `cpython: differs, …` with a name of `cpython::DIFFERENCES`.",
                case.outcome
            )),
            (Some(reason), true) => {
                Err(format!("CPython does the same, so the line `cpython: differs, {reason}` has to go"))
            }
        }
    }

    /// What becomes of a program, both in the words of `reference/run.py`. `Err` says that the process is gone.
    pub fn ask(&mut self, request: &Value) -> Result<Value, String> {
        let request = request.to_string();
        let sent = self.input.write_all(request.as_bytes()).and_then(|()| self.input.write_all(b"\n"));
        sent.and_then(|()| self.input.flush()).map_err(|e| format!("python3 is gone: {e}"))?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|e| format!("python3 is gone: {e}"))?;
        serde_json::from_str(&line).map_err(|e| format!("python3 said {line:?}: {e}"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It also ends by itself, with its input.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `run.py` answered, as a case says it.
fn outcome(answer: &Value) -> Outcome {
    let text = |v: &Value| v.as_str().unwrap_or("?").to_owned();
    let log = answer.get("log").and_then(Value::as_array).map(|l| l.iter().map(text).collect());
    let trap = answer.get("trap").and_then(Value::as_array).map(|t| {
        let line = t.get(1).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        (t.first().map_or_else(String::new, text), line.unwrap_or(0))
    });
    let frame = |f: &Value| {
        let line = f.get(1).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        (f.get(0).map_or_else(String::new, text), line.unwrap_or(0))
    };
    let trace = answer.get("trace").and_then(Value::as_array).map(|t| t.iter().map(frame).collect());
    Outcome { result: answer.get("result").map(text), log: log.unwrap_or_default(), trap, trace, ..Outcome::default() }
}

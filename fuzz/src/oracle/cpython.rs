//! CPython as a judge: a process runs one program after the other, and must come to the same value, log and kind of error in the
//! same line as the evaluator. What the language documents as different is either not written by the generator, or bounded in
//! CPython too (`conformance/reference/bounded.py`).

use super::Finding;
use deepslate_conformance::cpython;
use deepslate_ir::datum::Datum;
use deepslate_ir::interp::{Outcome, Run};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A running CPython.
#[derive(Debug)]
pub struct Python(cpython::Python);

impl Python {
    /// Starts `python3`; the error says why it does not run.
    pub fn start() -> Result<Python, String> {
        cpython::Python::start().map(Python)
    }

    /// Compares what CPython makes of a program with what came of it here. `Ok(false)` if it says nothing about this one.
    pub fn agrees(&mut self, source: &str, run: &Run) -> Result<bool, Finding> {
        let answer = match self.0.ask(&json!({ "source": source, "bounded": true })) {
            Ok(answer) => answer,
            Err(reason) => {
                // The next program gets a new one.
                *self = Python::start().map_err(|e| Finding::new("python3", e))?;
                return Err(Finding::new("python3", reason));
            }
        };
        if answer.get("skip").is_some() {
            return Ok(false);
        }
        let (outcome, line) = match &run.outcome {
            Outcome::Done(value) => (form(value), 0),
            Outcome::Failed(trap) => {
                (format!("trap {}", trap.kind.name()), trap.trace.first().map_or(0, |l| u64::from(l.line)))
            }
            Outcome::Blocked(_) | Outcome::OutOfSteps | Outcome::Broken(_) => return Ok(false),
        };
        let detail = answer.get("detail").and_then(Value::as_str).unwrap_or("");
        let trap = answer.get("trap").and_then(Value::as_array);
        let (theirs, their_line) = match trap {
            Some(trap) => {
                let kind = trap.first().and_then(Value::as_str).unwrap_or("?");
                (format!("trap {kind}"), trap.get(1).and_then(Value::as_u64).unwrap_or(0))
            }
            None => (answer.get("result").and_then(Value::as_str).unwrap_or("nothing").to_owned(), 0),
        };
        let log = answer.get("log").and_then(Value::as_array).cloned().unwrap_or_default();
        let log: Vec<&str> = log.iter().map(|l| l.as_str().unwrap_or("?")).collect();
        let at = log.iter().zip(&run.log).take_while(|(x, y)| *x == y).count();
        if at < log.len().max(run.log.len()) {
            let message =
                format!("line {at} of the log:\n  CPython   {:?}\n  evaluator {:?}", log.get(at), run.log.get(at));
            return Err(Finding::new("CPython", format!("{message}\n  then {theirs} {detail}, {:?}", run.outcome)));
        }
        if theirs != outcome || their_line != line {
            return Err(Finding::new(
                "CPython",
                format!(
                    "CPython   {theirs} at {their_line} {detail}\nevaluator {outcome} at {line}\n{:?}",
                    run.outcome
                ),
            ));
        }
        Ok(true)
    }
}

/// A value so that equal texts mean equal values, NaN and negative zero included; `bounded.py` writes the same.
pub fn form(value: &Datum) -> String {
    let mut out = String::new();
    write_form(value, &mut out);
    out
}

fn write_form(value: &Datum, out: &mut String) {
    let list = |open: &str, parts: &[Datum], out: &mut String| {
        out.push_str(open);
        for part in parts {
            write_form(part, out);
            out.push(',');
        }
        out.push(')');
    };
    // Writing to a String can't fail.
    let _ = match value {
        Datum::None => write!(out, "None"),
        Datum::Bool(b) => write!(out, "{}", if *b { "True" } else { "False" }),
        Datum::Int(i) => write!(out, "{i}"),
        Datum::Float(f) if f.is_nan() => write!(out, "nan"),
        Datum::Float(f) => write!(out, "f{:016x}", f.to_bits()),
        Datum::Str(s) => {
            out.push('s');
            s.bytes().try_for_each(|b| write!(out, "{b:02x}"))
        }
        Datum::Bytes(bytes) => {
            out.push('b');
            bytes.iter().try_for_each(|b| write!(out, "{b:02x}"))
        }
        Datum::Member(_, value) => {
            write_form(value, out);
            Ok(())
        }
        Datum::List(parts) => {
            list("list(", parts, out);
            Ok(())
        }
        Datum::Tuple(parts) => {
            list("tuple(", parts, out);
            Ok(())
        }
        Datum::Object(parts) => {
            list("object(", parts, out);
            Ok(())
        }
        // Sets of CPython have another order than ours, which their forms don't show.
        Datum::Set(parts) => {
            let mut forms: Vec<String> = parts.iter().map(form).collect();
            forms.sort_unstable();
            write!(out, "set({})", forms.concat())
        }
        Datum::Dict(entries) => {
            out.push_str("dict(");
            for (key, value) in entries {
                write_form(key, out);
                out.push(':');
                write_form(value, out);
                out.push(',');
            }
            out.push(')');
            Ok(())
        }
    };
}

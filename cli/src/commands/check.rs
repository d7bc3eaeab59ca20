//! `deepslate check`: what is wrong with source files, without running them, and which pure functions are compiled.

use deepslate::frontend::{Compiled, FunctionKind, FunctionReport, Options};
use serde_json::{Value, json};

use crate::args::Check;
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};
use crate::print;

/// Reports on each file; ends with status 1 if any has an error.
pub fn check(context: &Context, args: &Check) -> Outcome {
    let (mut all, mut functions) = (Vec::new(), Vec::new());
    let mut wrong = 0;
    for file in &args.files {
        let loaded = context.loader.load(file, &Options { all_functions: true, ..Options::default() })?;
        let compiled = loaded.compiled;
        wrong += usize::from(compiled.has_errors());
        if context.json {
            if let Value::Array(found) = compiled.json() {
                all.extend(found);
            }
            functions.extend(compiled.functions.iter().map(|function| function_json(&compiled, function)));
        } else if args.short {
            print::out(&compiled.lines());
        } else {
            eprint!("{}", compiled.render(context.color()));
            if !compiled.has_errors() {
                let count = |kind| compiled.functions.iter().filter(|function| function.kind == kind).count();
                print::line(&format!(
                    "{}: {} fine",
                    file.display(),
                    plural(count(FunctionKind::Flow), "flow is", "flows are")
                ));
                pure(&compiled).iter().for_each(|line| print::line(line));
            }
        }
    }
    if context.json {
        print::line(&json!({ "diagnostics": all, "functions": functions }).to_string());
    }
    if wrong > 0 { Err(Stopped::said(Exit::Failed)) } else { Ok(()) }
}

/// Which pure functions are compiled, a line for all; and for each other one why it is called in the host.
fn pure(compiled: &Compiled) -> Vec<String> {
    let all = compiled.functions.iter().filter(|function| function.kind == FunctionKind::Pure);
    let (inside, outside): (Vec<_>, Vec<_>) = all.partition(|function| function.compiled);
    let mut lines = Vec::new();
    if !inside.is_empty() {
        let names: Vec<&str> = inside.iter().map(|function| function.name.as_str()).collect();
        lines.push(format!("  pure and compiled: {}", names.join(", ")));
    }
    for function in outside {
        let why = match place(compiled, function) {
            Some((path, line, message)) => format!("{path}:{line}: {message}"),
            None => "its decorator says compile=False".to_owned(),
        };
        lines.push(format!("  pure and called in the host: {} ({why})", function.name));
    }
    lines
}

/// Where and what the first reason is that a function can't be compiled.
fn place(compiled: &Compiled, function: &FunctionReport) -> Option<(String, u32, String)> {
    let reason = function.reason.as_ref()?;
    let source = compiled.sources.get(reason.span.file)?;
    let line = compiled.sources.position(reason.span.file, reason.span.start).line;
    Some((source.path.clone(), line, reason.message.clone()))
}

fn function_json(compiled: &Compiled, function: &FunctionReport) -> Value {
    let kind = match function.kind {
        FunctionKind::Flow => "flow",
        FunctionKind::Plain => "plain",
        FunctionKind::Pure => "pure",
        FunctionKind::Impure => "impure",
    };
    let place = place(compiled, function);
    let reason = place.map(|(path, line, message)| json!({ "path": path, "line": line, "message": message }));
    json!({ "name": function.name, "kind": kind, "compiled": function.compiled, "reason": reason })
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

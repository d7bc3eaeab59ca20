//! `deepslate check`: what is wrong with source files, without running them.

use deepslate::frontend::{FunctionKind, Options};
use serde_json::{Value, json};

use crate::args::Check;
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};

/// Reports on each file; ends with status 1 if any has an error.
pub fn check(context: &Context, args: &Check) -> Outcome {
    let mut all = Vec::new();
    let mut wrong = 0;
    for file in &args.files {
        let loaded = context.loader.load(file, &Options { all_functions: true, ..Options::default() })?;
        let compiled = loaded.compiled;
        wrong += usize::from(compiled.has_errors());
        if context.json {
            match compiled.json() {
                Value::Array(found) => all.extend(found),
                other => all.push(other),
            }
        } else if args.short {
            print!("{}", compiled.lines());
        } else {
            eprint!("{}", compiled.render(context.color()));
            if !compiled.has_errors() {
                let count = |kind| compiled.functions.iter().filter(|function| function.kind == kind).count();
                println!("{}: {} fine", file.display(), plural(count(FunctionKind::Flow), "flow is", "flows are"));
            }
        }
    }
    if context.json {
        println!("{}", json!({ "diagnostics": all }));
    }
    if wrong > 0 { Err(Stopped::said(Exit::Failed)) } else { Ok(()) }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

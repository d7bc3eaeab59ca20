//! `deepslate check`: what is wrong with source files, without running them.

use deepslate::frontend::{FunctionKind, Options};
use serde_json::{Value, json};

use crate::args::Check;
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};
use crate::print;

/// Reports on each file; ends with status 1 if any has an error.
pub fn check(context: &Context, args: &Check) -> Outcome {
    let mut all = Vec::new();
    let mut wrong = 0;
    for file in &args.files {
        let loaded = context.loader.load(file, &Options { all_functions: true, ..Options::default() })?;
        let compiled = loaded.compiled;
        wrong += usize::from(compiled.has_errors());
        if context.json {
            if let Value::Array(found) = compiled.json() {
                all.extend(found);
            }
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
            }
        }
    }
    if context.json {
        print::line(&json!({ "diagnostics": all }).to_string());
    }
    if wrong > 0 { Err(Stopped::said(Exit::Failed)) } else { Ok(()) }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

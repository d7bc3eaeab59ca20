//! Checks and calls functions of files, many in one process. Each line of the input is a JSON object
//! `{"file", "func", "calls": [{"parameter": value}]}`, each line of the output what became of it:
//! `{"accepted", "code", "message", "line", "text", "results": [{"value"}, {"trap", "message"}, …]}`.

use deepslate_frontend::{Compiled, Options, Source, compile, diag};
use deepslate_ir::image::Image;
use deepslate_ir::json;
use deepslate_regvm::{self as regvm, Exit, Interrupt, Isolate, NoHost, Program};
use serde_json::{Map, Value, json};
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(3);

fn refused(compiled: &Compiled, name: &str) -> Option<Value> {
    let own = compiled.functions.iter().find(|f| f.name == name);
    let reason = match own {
        Some(function) if function.compiled => {
            compiled.diagnostics.iter().find(|d| d.severity == diag::Severity::Error).cloned()
        }
        Some(function) => function.reason.clone(),
        None => return Some(json!({"accepted": false, "code": "none", "message": "there is no such function"})),
    };
    let Some(reason) = reason else {
        return match compiled.module {
            Some(_) => None,
            None => Some(json!({"accepted": false, "code": "none", "message": "no module"})),
        };
    };
    let rendered = diag::render(&compiled.sources, std::slice::from_ref(&reason), false);
    Some(json!({"accepted": false, "code": reason.code.text(), "message": reason.message, "text": rendered}))
}

fn call(program: &Arc<Program>, name: &str, given: &Map<String, Value>, defaults: &Compiled) -> Value {
    let module = program.module();
    let Some(func) = module.func_named(name) else {
        return json!({"problem": "it is not in the module"});
    };
    let report = defaults.functions.iter().find(|f| f.name == name);
    let mut args = Vec::new();
    for param in &module.func(func).params {
        let default = report.and_then(|r| r.params.iter().find(|p| p.name == param.name)?.default.clone());
        match (given.get(&param.name), default) {
            (Some(value), _) => match json::from_value(&module.types, param.ty, value) {
                Ok(datum) => args.push(datum),
                Err(error) => return json!({"problem": format!("argument {}: {error}", param.name)}),
            },
            (None, Some(datum)) => args.push(datum),
            (None, None) => return json!({"problem": format!("argument {}: not given", param.name)}),
        }
    }
    let limits = regvm::Limits { message_bytes: 64 << 20, ..regvm::Limits::default() };
    let mut isolate = match Isolate::new(program, func, &args, limits) {
        Ok(isolate) => isolate,
        Err(fault) => return json!({"problem": fault.to_string()}),
    };
    let interrupt = Interrupt::new();
    let begun = Instant::now();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let exit = std::thread::scope(|scope| {
        let flag = interrupt.clone();
        scope.spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                flag.set();
            }
        });
        let exit = loop {
            match isolate.run(&mut NoHost, &interrupt) {
                Exit::Interrupted if begun.elapsed() < PATIENCE => {}
                exit => break exit,
            }
        };
        drop(done);
        exit
    });
    let log = isolate.take_log();
    let mut answer = match exit {
        Exit::Done(value) => json!({"value": json::to_json(&module.types, module.func(func).ret, &value)}),
        Exit::Failed(trap) => json!({"trap": trap.kind.name(), "message": trap.message}),
        Exit::Damaged(error) => json!({"problem": error.to_string()}),
        Exit::Blocked => json!({"problem": "it waits"}),
        Exit::Interrupted => json!({"problem": "it takes too long"}),
    };
    answer["log"] = log.into();
    answer
}

fn one(job: &Value) -> Value {
    let (file, name) = (job["file"].as_str().unwrap_or_default(), job["func"].as_str().unwrap_or_default());
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return json!({"accepted": false, "code": "none", "message": error.to_string()}),
    };
    let compiled = compile(&[Source::file(file, text)], &Options { all_functions: true, ..Options::default() });
    if let Some(refused) = refused(&compiled, name) {
        return refused;
    }
    let program = compiled.module.clone().ok_or_else(|| "no module".to_owned()).and_then(|module| {
        Program::new(Image::of(module).map_err(|e| e.to_string())?, regvm::Options::default())
            .map_err(|e| e.to_string())
    });
    match program {
        Err(message) => json!({"accepted": false, "code": "program", "message": message}),
        Ok(program) => {
            let empty = Vec::new();
            let calls = job["calls"].as_array().unwrap_or(&empty);
            let none = Map::new();
            let results: Vec<Value> =
                calls.iter().map(|given| call(&program, name, given.as_object().unwrap_or(&none), &compiled)).collect();
            json!({"accepted": true, "results": results})
        }
    }
}

fn main() {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let answer = match serde_json::from_str::<Value>(&line) {
            Ok(job) => std::panic::catch_unwind(|| one(&job))
                .unwrap_or_else(|_| json!({"accepted": false, "code": "panic", "message": "it panicked"})),
            Err(error) => json!({"accepted": false, "code": "none", "message": error.to_string()}),
        };
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

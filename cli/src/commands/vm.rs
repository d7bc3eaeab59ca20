//! `deepslate call` and `deepslate bench`: one plain function in the VM, without a store.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use deepslate::engine::regvm::{self, Exit as VmExit, Host, Interrupt, Isolate, NoHost, Program};
use deepslate::engine::rng::{Rng, SystemRng};
use deepslate::frontend::Options;
use deepslate::ir::datum::Datum;
use deepslate::ir::entity::{FuncId, HostId};
use deepslate::ir::json;
use deepslate::ir::module::{Module, completed};
use deepslate::ir::trap::Fault;
use serde_json::Value;

use crate::args::{Bench, Call};
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};
use crate::print;

/// What a call without an engine is given: the machine's clock and chance, and no host functions.
struct Plain;

impl Host for Plain {
    fn call_pure(&mut self, host: HostId, args: &[Datum]) -> Result<Datum, Fault> {
        NoHost.call_pure(host, args)
    }

    fn now_ms(&mut self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn chance(&mut self) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&SystemRng.bytes()[8..]);
        u64::from_le_bytes(word)
    }
}

struct Entry {
    program: Arc<Program>,
    func: FuncId,
    limits: regvm::Limits,
}

impl Entry {
    fn new(context: &Context, file: &Path, name: &str) -> Outcome<Entry> {
        let loaded = context.loader.load(file, &Options { all_functions: true, ..Options::default() })?;
        let image = loaded.image()?;
        let known = |func: &&deepslate::frontend::FunctionReport| func.name == name;
        let Some(func) = image.module().func_named(name) else {
            // A function that is there and does not compile deserves the reason.
            if let Some(reason) = loaded.compiled.functions.iter().find(known).and_then(|found| found.reason.as_ref()) {
                let text = deepslate::frontend::diag::render(
                    &loaded.compiled.sources,
                    std::slice::from_ref(reason),
                    context.color(),
                );
                return Err(Stopped::new(Exit::Failed, format!("{name} can't be compiled\n{text}")));
            }
            let names = image.module().funcs.iter().map(|func| func.name.as_str());
            return Err(super::unknown("function", name, names, &file.display().to_string()));
        };
        let program = Program::new(image, regvm::Options::default())
            .map_err(|error| Stopped::new(Exit::Failed, format!("{}: {error}", file.display())))?;
        Ok(Entry { program, func, limits: context.config()?.options().isolate })
    }

    fn module(&self) -> &Module {
        self.program.module()
    }

    /// In words: `f takes a: int, b: int`.
    fn takes(&self) -> String {
        let func = self.module().func(self.func);
        let params = func.params.iter().map(|param| param.shown(&self.module().types));
        let params: Vec<_> = params.collect();
        if params.is_empty() {
            format!("{} takes nothing", func.name)
        } else {
            format!("{} takes {}", func.name, params.join(", "))
        }
    }

    fn args(&self, texts: &[&str]) -> Outcome<Vec<Datum>> {
        let wrong = |what: String| Stopped::new(Exit::Usage, format!("{what}; {}", self.takes()));
        let params = &self.module().func(self.func).params;
        let required = params.iter().rposition(|param| param.default.is_none()).map_or(0, |last| last + 1);
        if texts.len() > params.len() || texts.len() < required {
            return Err(wrong(format!("{} arguments given, {} wanted", texts.len(), params.len())));
        }
        let each = params.iter().zip(texts).map(|(param, text)| {
            json::from_json(&self.module().types, param.ty, text)
                .map_err(|error| wrong(format!("the argument {}: {error}", param.name)))
        });
        let given = each.collect::<Outcome<Vec<Datum>>>()?;
        Ok(completed(&self.module().types, params, given))
    }

    /// Calls it once; the time is that of running alone.
    fn call(&self, args: &[Datum]) -> Outcome<(Datum, Duration)> {
        let fault = |fault: Fault| Stopped::new(Exit::Failed, fault.to_string());
        let mut isolate = Isolate::new(&self.program, self.func, args, self.limits).map_err(fault)?;
        let interrupt = Interrupt::new();
        let begun = Instant::now();
        let exit = loop {
            match isolate.run(&mut Plain, &interrupt) {
                VmExit::Interrupted => {}
                exit => break exit,
            }
        };
        let took = begun.elapsed();
        for line in isolate.take_log() {
            eprintln!("{line}");
        }
        match exit {
            VmExit::Done(value) => Ok((value, took)),
            VmExit::Failed(trap) => Err(Stopped::new(Exit::Failed, trap.to_string())),
            // Only what was restored can be damaged; the words are there all the same.
            VmExit::Damaged(error) => Err(Stopped::new(Exit::Failed, error.to_string())),
            VmExit::Blocked | VmExit::Interrupted => {
                let name = &self.module().func(self.func).name;
                let what = format!("{name} waits for a durable call, which needs an engine: use `deepslate run`");
                Err(Stopped::new(Exit::Failed, what))
            }
        }
    }

    fn show(&self, value: &Datum) -> String {
        json::to_json(&self.module().types, self.module().func(self.func).ret, value)
    }
}

/// Prints the value of one call as JSON.
pub fn call(context: &Context, args: &Call) -> Outcome {
    let (file, name) = super::target(&args.target, "FILE:FUNCTION")?;
    let entry = Entry::new(context, &file, name)?;
    let object = format!("{{\"args\": {}}}", args.args);
    let elements = deepslate_inspector::json::member(&object, "args").and_then(deepslate_inspector::json::elements);
    let elements = elements.ok_or_else(|| {
        Stopped::new(Exit::Usage, format!("--args {} is no JSON array; {}", args.args, entry.takes()))
    })?;
    let (value, _) = entry.call(&entry.args(&elements)?)?;
    print::line(&entry.show(&value));
    Ok(())
}

/// Prints how long calls take.
pub fn bench(context: &Context, args: &Bench) -> Outcome {
    let begun = Instant::now();
    let entry = Entry::new(context, &args.file, &args.entry)?;
    let compile = begun.elapsed();
    let texts: Vec<_> = args.args.iter().map(String::as_str).collect();
    let given = entry.args(&texts)?;
    let (value, first) = entry.call(&given)?;
    let reps = (0..args.reps).map(|_| entry.call(&given).map(|(_, took)| took.as_secs_f64()));
    let reps: Vec<f64> = reps.collect::<Outcome<_>>()?;
    let mut sorted = reps.clone();
    sorted.sort_by(f64::total_cmp);
    let median = (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0;
    if context.json {
        let times: Vec<_> = reps.iter().map(|took| Value::from(*took).to_string()).collect();
        print::line(&format!(
            "{{\"result\": {}, \"compile_s\": {}, \"first_s\": {}, \"reps_s\": [{}], \"median_s\": {}, \"jit\": \"off\"}}",
            entry.show(&value),
            Value::from(compile.as_secs_f64()),
            Value::from(first.as_secs_f64()),
            times.join(", "),
            Value::from(median)
        ));
        return Ok(());
    }
    print::line(&format!("result   {}", entry.show(&value)));
    print::line(&format!("compile  {:.6} s", compile.as_secs_f64()));
    print::line(&format!("first    {:.6} s", first.as_secs_f64()));
    print::line(&format!(
        "median   {median:.6} s of {} calls ({:.6} to {:.6})",
        reps.len(),
        sorted[0],
        sorted[sorted.len() - 1]
    ));
    print::line("jit      off");
    Ok(())
}

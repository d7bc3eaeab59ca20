//! `deepslate run`: one flow to its result in the foreground. The same name again goes on where it was,
//! with the program and the arguments that it was spawned with.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use deepslate::engine::storage::Status;
use deepslate::engine::{Observer, shown_args};
use deepslate::ir::datum::Datum;
use deepslate::ir::durable::Durable;
use deepslate::ir::image::Image;
use deepslate::ir::json::from_json;
use deepslate::ir::module::{FuncKind, Imm, Module};
use deepslate::{Ending, Engine, Finished, HostFns, Summary};
use deepslate_inspector::{json, view};

use crate::args::Run;
use crate::commands::serve::{inspect, load, signal, stop};
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};
use crate::print;
use crate::values::Takes;

/// Runs it.
pub async fn run(context: &Context, args: &Run) -> Outcome {
    let (file, flow) = super::target(&args.target, "FILE:FLOW")?;
    context.log(&context.config()?, Some("warn"))?;
    // An isolate runs the program that it was started with, whatever the file says now, so that it is looked for first.
    if let Some(name) = &args.name
        && let Some(known) = Known::find(context, name).await
    {
        return again(context, args, (&file, flow), known).await;
    }
    let (image, hosts) = load(context, &file)?;
    let takes = takes(image.module(), flow, &args.target)?;
    let values = values(image.module(), &takes, &takes.arguments(&args.args)?)?;
    let name = args.name.clone().unwrap_or_else(|| made_name(flow));
    if let Some(command) = context.loader.other_command() {
        can_run_here(image.module(), flow, command, args, &name)?;
    }
    if args.name.is_none() {
        context.note(&format!("name: {name}"));
    }
    let engine = start(context, args, &name, hosts, Program::New(&image)).await?;
    let outcome = to_its_end(context, &engine, &name, Some((flow, values))).await;
    stop(context, &engine).await;
    end(context, &name, outcome?)
}

/// An isolate that was there before, as its store has it.
struct Known {
    summary: Summary,
    observer: Observer,
    /// The program that it runs; none if that can't be read.
    image: Option<Image>,
}

impl Known {
    /// The isolate of this name. What stands in the way of reading the store, the start of an engine will say.
    async fn find(context: &Context, name: &str) -> Option<Known> {
        let observer = super::rest::observer(context).await.ok()?;
        let summary = observer.summary(name).await.ok()?;
        let image = observer.program(summary.program).await.ok();
        Some(Known { summary, observer, image })
    }
}

/// Lets an isolate that is there already go on, or prints how it ended.
async fn again(context: &Context, args: &Run, (file, flow): (&Path, &str), known: Known) -> Outcome {
    let Known { summary, observer, image } = known;
    let name = &summary.name;
    differs(context, &summary, flow, args, image.as_ref());
    if summary.status.is_finished() {
        return ended(context, &observer.result(name).await?);
    }
    if let (Some(command), Some(image)) = (context.loader.other_command(), &image) {
        can_run_here(image.module(), &summary.flow, command, args, name)?;
    }
    let own = "goes on with the program that it was spawned with";
    let hosts = match load(context, file) {
        Ok((now, hosts)) => {
            if summary.program.0 != now.hash().0 {
                context.note(&format!("note: {name} {own}, not with the file as it is now"));
            }
            hosts
        }
        Err(error) => {
            let why = if error.message.is_empty() { String::new() } else { format!(": {}", error.message) };
            context.note(&format!("note: {} can't be used as it is now{why}; {name} {own}", file.display()));
            HostFns::new()
        }
    };
    drop(observer);
    let engine = start(context, args, name, hosts, Program::Known(image.as_ref())).await?;
    let outcome = to_its_end(context, &engine, name, None).await;
    stop(context, &engine).await;
    end(context, name, outcome?)
}

/// Says where what was asked for is not what the isolate of this name is: it goes on with its own.
fn differs(context: &Context, summary: &Summary, flow: &str, args: &Run, image: Option<&Image>) {
    let Summary { name, flow: own, args: kept, .. } = summary;
    if own != flow {
        context.note(&format!(
            "note: the name {name} belongs to an isolate of the flow {own}, not {flow}, and it is that one: choose another name for another isolate"
        ));
        return;
    }
    // Who gives none means those that it has; what they are is told by the parameters of its own program.
    let Some(module) = image.map(|image| &**image.module()).filter(|_| !args.args.is_empty()) else { return };
    let given = takes(module, own, &args.target).and_then(|takes| {
        let values = values(module, &takes, &takes.arguments(&args.args)?)?;
        Ok(module.flow(own).map(|func| shown_args(module, func, &values)))
    });
    let why = match given {
        Ok(Some(given)) if given != *kept && !kept.is_empty() => String::new(),
        Ok(_) => return,
        Err(error) => format!(" ({})", error.message),
    };
    context.note(&format!("note: {name} goes on with the arguments that it was spawned with: {kept}{why}"));
}

/// The program that is run.
enum Program<'a> {
    /// The file's, for an isolate that is not there yet.
    New(&'a Image),
    /// That of an isolate, which the store has; none if it can't be read.
    Known(Option<&'a Image>),
}

/// Whether a flow of a program may listen.
fn listens(image: &Image) -> bool {
    image.module().hosts.iter().any(|host| host.name == Durable::HttpListen.name())
}

/// Starts the engine, and the inspector if it is asked for.
async fn start(context: &Context, args: &Run, name: &str, hosts: HostFns, program: Program<'_>) -> Outcome<Engine> {
    let mut config = context.config()?;
    if let Some(address) = &args.address {
        config.inspector.address.clone_from(address);
    }
    let mut builder = Engine::builder().config(config.clone());
    let listens = match program {
        Program::New(image) => {
            builder = builder.image(image.clone());
            listens(image)
        }
        Program::Known(image) => image.is_some_and(listens),
    };
    for host in hosts.names() {
        if let Some(function) = hosts.get(&host) {
            builder = builder.host_options(host.as_str(), hosts.options(&host)).host(host, function);
        }
    }
    if let Some(address) = &args.http {
        config.http.address.clone_from(address);
    }
    // Another engine of this machine may have the address: it is taken only where it is needed.
    if let Some(address) = config.http_address().filter(|_| listens) {
        builder = builder.http(address);
    }
    let engine = builder.start().await?;
    if let Some(address) = engine.http_address() {
        context.note(&format!("flows listen at http://{address}/"));
    }
    if args.inspector || args.address.is_some() {
        match inspect(&engine, &config).await {
            Ok(inspector) => context.note(&format!("inspector: {}isolates/{name}", inspector.url())),
            // The flow matters more than the page.
            Err(error) => context.note(&format!("warning: {error}")),
        }
    }
    Ok(engine)
}

/// Waits for its end, of one that is there or that is spawned here. None if a signal came first.
async fn to_its_end(
    context: &Context,
    engine: &Engine,
    name: &str,
    new: Option<(&str, Vec<Datum>)>,
) -> Outcome<Option<Finished>> {
    let inner = engine.inner();
    let exists = match new {
        Some((flow, values)) => {
            let spawned = inner.spawn(name, flow, values).await?;
            if let Some(note) = spawned.note(name) {
                context.note(&format!("note: {note}"));
            }
            spawned.exists
        }
        None => true,
    };
    if exists && matches!(inner.show(name).await?.summary.status, Status::Paused | Status::Parked) {
        inner.resume(name).await?;
    }
    tokio::select! {
        finished = inner.result(name, None) => Ok(Some(finished?)),
        reason = parked(engine, name) => Err(Stopped::new(Exit::Refused, format!("{name} can't go on: {}", reason?))),
        name = signal() => {
            context.note(&format!("{}: it comes to its next commit", name?));
            Ok(None)
        }
    }
}

/// Prints how it ended, or that it did not.
fn end(context: &Context, name: &str, finished: Option<Finished>) -> Outcome {
    match finished {
        Some(finished) => ended(context, &finished),
        None => {
            Err(Stopped::new(Exit::Interrupted, format!("{name} is not done; the same command goes on where it was")))
        }
    }
}

/// Waits until the isolate is parked, and says why.
async fn parked(engine: &Engine, name: &str) -> Outcome<String> {
    let mut subscription = engine.subscribe(name).await?;
    loop {
        let shown = engine.show(name).await?;
        if shown.summary.status == Status::Parked {
            let reason = shown.summary.parked.or(shown.view_error);
            return Ok(reason.unwrap_or_else(|| "it is parked".to_owned()));
        }
        loop {
            match subscription.next().await {
                Some(change) if change.status == Status::Parked => break,
                Some(_) => {}
                // It is gone from here, of which whoever waits for its result hears.
                None => return std::future::pending().await,
            }
        }
    }
}

/// Prints how it ended.
fn ended(context: &Context, finished: &Finished) -> Outcome {
    if context.json {
        print::line(&view::ended(finished));
    }
    match &finished.ending {
        Ending::Done(_) => {
            if !context.json {
                print::line(&finished.json().unwrap_or_default());
            }
            Ok(())
        }
        Ending::Failed(failure) => Err(Stopped::new(Exit::Failed, format!("{} failed: {failure}", finished.name))),
        Ending::Cancelled => Err(Stopped::new(Exit::Cancelled, format!("{} was cancelled", finished.name))),
    }
}

/// What a flow of a program takes.
fn takes(module: &Module, flow: &str, target: &str) -> Outcome<Takes> {
    let Some(func) = module.flow(flow) else {
        let names = module.funcs.iter().filter(|func| func.kind == FuncKind::Flow).map(|func| func.name.as_str());
        return Err(super::unknown_flow(flow, names, target.rsplit_once(':').map_or(target, |(file, _)| file)));
    };
    let params = module.func(func).params.iter();
    let params = params.map(|param| (param.name.clone(), param.type_shown(&module.types))).collect();
    Ok(Takes { flow: flow.to_owned(), params })
}

/// The arguments as values of the parameters' types, in order.
fn values(module: &Module, takes: &Takes, given: &str) -> Outcome<Vec<Datum>> {
    let params = module.flow(&takes.flow).map(|func| module.func(func).params.as_slice()).unwrap_or_default();
    let each = params.iter().map(|param| {
        let text = match (json::member(given, &param.name), param.default_value(&module.types)) {
            (None, Some(value)) => return Ok(value),
            (text, _) => text.unwrap_or_default(),
        };
        from_json(&module.types, param.ty, text).map_err(|error| {
            Stopped::new(Exit::Usage, format!("the argument {}: {error}; {}", param.name, takes.describe()))
        })
    });
    each.collect()
}

/// Refuses a flow that can reach a host function, with the command that can run it.
fn can_run_here(module: &Module, flow: &str, command: &str, args: &Run, name: &str) -> Outcome {
    let mut hosts = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut todo: Vec<_> = module.flow(flow).into_iter().collect();
    while let Some(func) = todo.pop() {
        if !seen.insert(func) {
            continue;
        }
        for inst in &module.func(func).insts {
            match inst.imm {
                Imm::Func(callee) => todo.push(callee),
                Imm::Host(host) if Durable::from_name(&module.host(host).name).is_none() => {
                    hosts.insert(module.host(host).name.as_str());
                }
                _ => {}
            }
        }
    }
    if hosts.is_empty() {
        return Ok(());
    }
    let hosts: Vec<_> = hosts.into_iter().collect();
    let given: String = args.args.iter().map(|arg| format!(" --arg {}", quoted(arg))).collect();
    Err(Stopped::new(
        Exit::Usage,
        format!(
            "flow {flow} calls {}, which this binary can't run: it has no Python. With the Python package: {command} run {} --name {name}{given}",
            hosts.join(", "),
            quoted(&args.target),
        ),
    ))
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A name that nobody has: the flow's with eight random digits.
fn made_name(flow: &str) -> String {
    let flow: String = flow.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(100).collect();
    let random = RandomState::new().hash_one(std::process::id()) as u32;
    format!("{}-{random:08x}", if flow.is_empty() { "flow" } else { &flow })
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("order.py:order"), "order.py:order");
        assert_eq!(quoted("it's {\"a\": 1}"), r#"'it'\''s {"a": 1}'"#);
        assert_eq!(quoted(""), "''");
    }
}

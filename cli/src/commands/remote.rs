//! The commands that ask a running engine by its control API; `list` and `show` read the store itself when none answers.

use hyper::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

use crate::args::{Engine, List, Named, ResultOf, Send, Show, Spawn};
use crate::context::Context;
use crate::control::{Control, escape};
use crate::exit::{Exit, Outcome, Stopped};
use crate::print;
use crate::values::Takes;
use deepslate_inspector::json::lenient;

/// How long one request waits for a result before it is asked again.
const POLL: Duration = Duration::from_secs(60);
/// How long the first one does.
const FIRST_POLL: Duration = Duration::from_secs(1);

fn control(context: &Context, engine: &Engine) -> Outcome<Control> {
    match &engine.address {
        Some(address) => Ok(Control::new(address)),
        None => Ok(Control::new(&context.config()?.inspector.address)),
    }
}

/// The answer as it came, or as a person reads it.
fn say(context: &Context, answer: &str, read: impl FnOnce(&Value) -> String) {
    if context.json {
        print::line(answer);
    } else if let Ok(value) = lenient(answer) {
        print::out(&read(&value));
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `deepslate spawn`.
pub async fn spawn(context: &Context, args: &Spawn) -> Outcome {
    let control = control(context, &args.engine)?;
    let flows = lenient(&control.get("/api/flows").await?).unwrap_or_default();
    let takes = takes(&flows, &args.flow)?;
    let body = format!(
        "{{\"name\": {}, \"flow\": {}, \"args\": {}}}",
        Value::from(args.name.as_str()),
        Value::from(args.flow.as_str()),
        takes.arguments(&args.args)?
    );
    let answer = control.ask(Method::POST, "/api/isolates", Some(body)).await?;
    say(context, &answer, |answer| {
        let exists = answer.get("exists").and_then(Value::as_bool).unwrap_or_default();
        format!("{}  {}  {}\n", args.name, text(answer, "id"), if exists { "was there already" } else { "spawned" })
    });
    // Beside the answer, so that a script that reads it is not disturbed.
    if let Some(note) = lenient(&answer).ok().as_ref().and_then(|answer| answer.get("note")?.as_str()) {
        context.note(&format!("note: {note}"));
    }
    Ok(())
}

/// What a flow takes, by the engine's list of flows.
fn takes(flows: &Value, flow: &str) -> Outcome<Takes> {
    let flows: Vec<_> = flows.get("flows").and_then(Value::as_array).into_iter().flatten().collect();
    let Some(found) = flows.iter().find(|one| text(one, "name") == flow) else {
        return Err(super::unknown_flow(flow, flows.iter().map(|one| text(one, "name")), "this engine"));
    };
    let params = found.get("params").and_then(Value::as_array).into_iter().flatten();
    let params = params.map(|param| (text(param, "name").to_owned(), text(param, "type").to_owned())).collect();
    Ok(Takes { flow: flow.to_owned(), params })
}

/// Whether the store is to be read instead, after the engine was asked in vain.
fn falls_back(engine: &Engine, error: &Stopped) -> bool {
    error.exit == Exit::Unreachable && engine.address.is_none()
}

/// `deepslate list`.
pub async fn list(context: &Context, args: &List) -> Outcome {
    if args.at_rest {
        return super::rest::list(context, args).await;
    }
    let mut path = format!("/api/isolates?limit={}", args.limit);
    for (key, value) in
        [("status", &args.status), ("flow", &args.flow), ("prefix", &args.prefix), ("after", &args.after)]
    {
        if let Some(value) = value {
            path.push_str(&format!("&{key}={}", escape(value)));
        }
    }
    match control(context, &args.engine)?.get(&path).await {
        Ok(answer) => {
            say(context, &answer, print::list);
            Ok(())
        }
        Err(error) if falls_back(&args.engine, &error) => {
            super::rest::list(context, args).await.map_err(|rest| both(error, rest))
        }
        Err(error) => Err(error),
    }
}

/// `deepslate show`.
pub async fn show(context: &Context, args: &Show) -> Outcome {
    if args.at_rest {
        return super::rest::show(context, args).await;
    }
    match control(context, &args.engine)?.get(&format!("/api/isolates/{}", escape(&args.name))).await {
        Ok(answer) => {
            say(context, &answer, print::show);
            Ok(())
        }
        Err(error) if falls_back(&args.engine, &error) => {
            super::rest::show(context, args).await.map_err(|rest| both(error, rest))
        }
        Err(error) => Err(error),
    }
}

/// Neither the engine nor the store answered. That an isolate is not in the store says more than that no engine runs.
fn both(engine: Stopped, rest: Stopped) -> Stopped {
    match rest.exit {
        Exit::Unknown => rest,
        exit => Stopped::new(exit, format!("{}; and the store can't be read either: {}", engine.message, rest.message)),
    }
}

/// `deepslate result`.
pub async fn result(context: &Context, args: &ResultOf) -> Outcome {
    let control = control(context, &args.engine)?;
    let limit = args.timeout.map(Duration::try_from_secs_f64).transpose();
    let limit = limit.map_err(|_| Stopped::new(Exit::Usage, "--timeout must be seconds, 0 or more"))?;
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    let path = format!("/api/isolates/{}", escape(&args.name));
    // The first request is short: who waits for something that will not come by itself is told so at once.
    let mut poll = FIRST_POLL;
    let mut told = String::new();
    loop {
        let left = end.map_or(poll, |end| end.saturating_duration_since(Instant::now())).min(poll);
        match control.get(&format!("{path}/result?timeout={}", left.as_secs_f64())).await {
            // The request's time is over; ours may not be.
            Err(error) if error.exit == Exit::Timeout && end.is_none_or(|end| end > Instant::now()) => {
                poll = POLL;
                let shown = lenient(&control.get(&path).await?).unwrap_or_default();
                let note = held(&args.name, &shown);
                if !note.is_empty() && note != told {
                    context.note(&note);
                }
                told = note;
            }
            Err(error) => return Err(error),
            Ok(answer) => return ended(context, &args.name, &answer),
        }
    }
}

/// Why an isolate will not end by itself; empty if nothing says so.
fn held(name: &str, shown: &Value) -> String {
    match text(shown, "status") {
        "parked" => format!(
            "note: {name} is parked and can't go on: {}. This waits until somebody mends that and resumes it (`deepslate resume {name}`) or gives it up (`deepslate cancel {name}`)",
            text(shown, "reason")
        ),
        "paused" => {
            format!("note: {name} is paused. This waits until somebody lets it go on: `deepslate resume {name}`")
        }
        _ => String::new(),
    }
}

/// Prints how an isolate ended and gives the exit status for it.
fn ended(context: &Context, name: &str, answer: &str) -> Outcome {
    let value = lenient(answer).unwrap_or_default();
    if context.json {
        print::line(answer);
    } else if let Some(result) = deepslate_inspector::json::member(answer, "result") {
        print::line(result);
    }
    match text(&value, "status") {
        "done" => Ok(()),
        "cancelled" => Err(Stopped::new(Exit::Cancelled, format!("{name} was cancelled"))),
        _ => {
            let failure = value.get("failure").map(print::failure).unwrap_or_default();
            Err(Stopped::new(Exit::Failed, format!("{name} failed: {}", failure.trim_end())))
        }
    }
}

/// `deepslate cancel`, `pause`, `resume` and `delete`.
pub async fn act(context: &Context, args: &Named, verb: &str) -> Outcome {
    let control = control(context, &args.engine)?;
    let path = format!("/api/isolates/{}", escape(&args.name));
    let (method, path) = match verb {
        "delete" => (Method::DELETE, path),
        verb => (Method::POST, format!("{path}/{verb}")),
    };
    let answer = control.ask(method, &path, Some("{}".to_owned())).await?;
    say(context, &answer, |answer| {
        let changed = answer.get("changed").and_then(Value::as_bool).unwrap_or_default();
        match (verb, changed) {
            ("delete", _) => format!("{}  deleted\n", args.name),
            (_, true) => format!("{}  {}\n", args.name, text(answer, "status")),
            (_, false) => format!("{}  {} (nothing to {verb})\n", args.name, text(answer, "status")),
        }
    });
    Ok(())
}

/// `deepslate send`.
pub async fn send(context: &Context, args: &Send) -> Outcome {
    let control = control(context, &args.engine)?;
    // Python's NaN and Infinity are JSON here, too; the engine has the last word on what is none.
    let value = match lenient(&args.value) {
        Ok(_) => args.value.clone(),
        Err(_) => Value::from(args.value.as_str()).to_string(),
    };
    let id = args.id.as_ref().map(|id| format!(", \"id\": {}", Value::from(id.as_str()))).unwrap_or_default();
    let body = format!("{{\"queue\": {}, \"value\": {value}{id}}}", Value::from(args.queue.as_str()));
    let path = format!("/api/isolates/{}/send", escape(&args.name));
    let answer = control.ask(Method::POST, &path, Some(body)).await?;
    say(context, &answer, |answer| {
        let changed = answer.get("changed").and_then(Value::as_bool).unwrap_or_default();
        format!("{}  {}\n", args.name, if changed { "sent" } else { "was sent already" })
    });
    Ok(())
}

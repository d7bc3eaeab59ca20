//! What the API answers, as JSON text: the engine's plain values under the names that programs read. These names are the interface;
//! the engine may change its own without them.
//!
//! Times are unix milliseconds of the store's clock. Values of flows are in their JSON form. Every size is bounded, so that looking
//! at a large isolate costs a few pages.

use std::time::Duration;

use deepslate_engine::regvm::TraceLine;
use deepslate_engine::regvm::view::{FrameView, TaskStatus, TaskView, View};
use deepslate_engine::storage::{Counts, ListCursor, Status};
use deepslate_engine::{
    Answer, Ending, Engine, Event, Failure, Finished, FlowShown, Listing, Shown, Spawned, Summary, Which,
};
use deepslate_ir::image::Image;
use deepslate_ir::module::Module;

use crate::error::ApiError;
use crate::json::{self, Object};
use crate::routes::{Shared, Wanted};

/// Most tasks that one answer has; it says how many there are.
const TASKS_MAX: usize = 100;
/// Most frames of a task: the innermost ones.
const FRAMES_MAX: usize = 50;

/// A JSON object with the time beside its members: durations are counted by the store's clock, not by the reader's.
pub fn stamped(object: &str, now_ms: i64) -> String {
    let rest = object.strip_prefix('{').unwrap_or(object);
    let comma = if rest.starts_with('}') { "" } else { ", " };
    format!("{{\"now_ms\": {now_ms}{comma}{rest}")
}

/// Whether the engine can do its work.
pub(crate) fn health(shared: &Shared) -> String {
    let engine = &shared.engine;
    let trouble = engine.not_ready();
    let numbers = engine.numbers();
    json::object(|o| {
        o.text("status", if trouble.is_none() { "ready" } else { "not ready" });
        if let Some(trouble) = &trouble {
            o.text("reason", trouble);
        }
        o.text("version", env!("CARGO_PKG_VERSION"));
        o.text("namespace", engine.namespace());
        o.number("commits", numbers.commits);
        o.number("batches", numbers.batches);
        o.number("resident", numbers.resident);
        o.number("queued", numbers.queued);
        o.number("host_calls", numbers.host_calls);
        o.number("timers", numbers.timers);
        o.number("followers", shared.followers.count());
        o.number("now_ms", engine.now_ms());
    })
}

/// The flows that can be spawned.
pub(crate) fn flows(engine: &Engine) -> String {
    json::object(|o| o.objects("flows", engine.flows(), |flow, o| self::flow(&flow, o)))
}

fn flow(flow: &FlowShown, o: &mut Object<'_>) {
    o.text("name", &flow.name);
    o.objects("params", &flow.params, |(name, ty), o| {
        o.text("name", name);
        o.text("type", ty);
    });
    o.text("returns", &flow.ret);
    o.text("program", &flow.program.to_string());
    o.texts("missing", &flow.missing);
}

fn counted(counts: &Counts, o: &mut Object<'_>) {
    o.object("counts", |o| {
        for status in Status::ALL {
            o.number(status.name(), counts.get(status));
        }
    });
    o.number("total", counts.total());
}

/// How many isolates there are of each status.
pub(crate) async fn counts(engine: &Engine) -> Result<String, ApiError> {
    let counts = engine.counts().await?;
    Ok(json::object(|o| counted(&counts, o)))
}

/// A page of the list with the counts beside it.
pub(crate) async fn list(engine: &Engine, wanted: &Wanted) -> Result<String, ApiError> {
    let which = Which { name_prefix: wanted.prefix.clone(), status: wanted.status, flow: wanted.flow.clone() };
    let namespace = engine.namespace().to_owned();
    let after = wanted.after.clone().map(|name| ListCursor { namespace, name });
    let page = engine.list(which, after, wanted.limit).await?;
    let counts = engine.counts().await?;
    Ok(listing(&page, &counts))
}

/// A page of the list, of an engine or of a store at rest.
pub fn listing(page: &Listing, counts: &Counts) -> String {
    json::object(|o| {
        o.objects("isolates", &page.isolates, summary);
        match &page.next {
            Some(next) => o.text("next", &next.name),
            None => o.null("next"),
        }
        o.objects("damaged", &page.damaged, |damaged, o| o.text("message", damaged));
        counted(counts, o);
    })
}

fn summary(summary: &Summary, o: &mut Object<'_>) {
    o.text("name", &summary.name);
    o.text("id", &summary.id.to_string());
    o.text("flow", &summary.flow);
    o.text("status", summary.status.name());
    if let Some(reason) = &summary.parked {
        o.text("reason", reason);
    }
    o.text("args", &summary.args);
    o.text("program", &summary.program.to_string());
    o.number("commits", summary.seq.0);
    o.number("created_ms", summary.created_ms);
    o.number("updated_ms", summary.updated_ms);
    o.number_if("wake_at_ms", summary.wake_at_ms);
    o.number_if("ended_ms", summary.ended_ms);
}

/// One isolate with everything that there is to see of it.
pub(crate) async fn show(shared: &Shared, name: &str) -> Result<String, ApiError> {
    let engine = &shared.engine;
    let seen = engine.show(name).await?;
    // Without its program it is shown without source lines.
    let image = shared.images.get(engine, seen.summary.program).await.ok();
    let result = match &seen.summary.ending {
        Some(Ending::Done(_)) => engine.result(name, Some(Duration::from_secs(5))).await?.json(),
        _ => None,
    };
    Ok(shown(&seen, image.as_ref(), result.as_deref()))
}

/// One isolate, of an engine or of a store at rest; `image` is its program, for the text of the lines, `result` the JSON form of
/// the value of one that is done.
pub fn shown(shown: &Shown, image: Option<&Image>, result: Option<&str>) -> String {
    let module = image.map(|image| &**image.module());
    json::object(|o| {
        summary(&shown.summary, o);
        match &shown.summary.ending {
            Some(Ending::Done(_)) => o.raw("result", result.unwrap_or("null")),
            Some(Ending::Failed(failed)) => o.object("failure", |o| failure(failed, module, o)),
            Some(Ending::Cancelled) | None => {}
        }
        o.flag("live", shown.live);
        if let Some(vitals) = &shown.vitals {
            o.number("step", vitals.step);
            o.number("heap_bytes", vitals.heap_bytes);
            o.number("stored_bytes", vitals.stored_bytes);
        }
        if let Some(error) = &shown.view_error {
            o.text("view_error", error);
        }
        o.number("requests_queued", shown.routes.iter().map(|route| route.queued).sum::<usize>());
        o.objects("routes", &shown.routes, |route, o| {
            o.text("method", &route.route.method);
            o.text("path", &route.route.path);
            o.number("queued", route.queued);
        });
        if let Some(view) = &shown.view {
            tasks(view, shown.summary.wake_at_ms, module, o);
        }
    })
}

fn tasks(view: &View, wake_at_ms: Option<i64>, module: Option<&Module>, o: &mut Object<'_>) {
    // The next timer of the isolate is that of its only sleeper; which of several has it, the view does not say.
    let only = view.tasks.iter().filter(|task| task.status == TaskStatus::Sleeping).count() == 1;
    o.number("tasks_total", view.tasks.len());
    o.objects("tasks", view.tasks.iter().take(TASKS_MAX), |task, o| {
        let due_ms = wake_at_ms.filter(|_| only && task.status == TaskStatus::Sleeping);
        self::task(task, due_ms, module, o);
    });
}

fn task(task: &TaskView, due_ms: Option<i64>, module: Option<&Module>, o: &mut Object<'_>) {
    o.number("id", task.id.0);
    o.text("status", task.status.name());
    o.text("waits_for", &task.waits_for);
    o.number_if("due_ms", due_ms);
    o.number("frames_total", task.frames.len());
    o.objects("frames", task.frames.iter().take(FRAMES_MAX), |frame, o| self::frame(frame, module, o));
}

fn frame(frame: &FrameView, module: Option<&Module>, o: &mut Object<'_>) {
    place(&frame.place, module, o);
    o.objects("variables", &frame.variables, |variable, o| {
        o.text("name", &variable.name);
        o.text("type", &variable.ty);
        // What is cut is no JSON any more.
        match variable.cut {
            false => o.raw("value", &variable.value),
            true => o.text("preview", &variable.value),
        }
    });
}

/// The text of the line, as it was when the program was compiled.
fn line_of<'a>(module: Option<&'a Module>, place: &TraceLine) -> Option<&'a str> {
    let file = module?.files.iter().find(|file| file.path == place.file)?;
    file.line(place.line)
}

fn place(place: &TraceLine, module: Option<&Module>, o: &mut Object<'_>) {
    o.text("function", &place.func);
    o.text("file", &place.file);
    o.number("line", place.line);
    o.number("column", place.column);
    o.text("text", line_of(module, place).unwrap_or_default());
}

fn failure(failure: &Failure, module: Option<&Module>, o: &mut Object<'_>) {
    o.text("kind", failure.kind.name());
    o.text("message", &failure.message);
    o.number("task", failure.task);
    o.objects("trace", failure.trace.iter().enumerate(), |(at, line), o| {
        place(line, module, o);
        if let Some(repeat) = failure.repeats.iter().find(|repeat| repeat.last == at) {
            o.object("repeats", |o| {
                o.number("lines", repeat.lines);
                o.number("times", repeat.times);
                o.text("text", &repeat.to_string());
            });
        }
    });
}

/// The source of the program that an isolate runs.
pub(crate) async fn source(shared: &Shared, name: &str) -> Result<String, ApiError> {
    let program = shared.engine.show(name).await?.summary.program;
    let image = shared.images.get(&shared.engine, program).await?;
    Ok(json::object(|o| {
        o.text("program", &program.to_string());
        o.objects("files", &image.module().files, |file, o| {
            o.text("path", &file.path);
            o.number("first_line", file.first_line);
            o.text("text", &file.text);
        });
    }))
}

/// What happened to an isolate, from an event's number on.
pub(crate) async fn history(engine: &Engine, name: &str, from: u64, limit: usize) -> Result<String, ApiError> {
    let events = engine.events(name, from, limit).await?;
    let next = events.last().map_or(from, |(number, _)| number + 1);
    Ok(json::object(|o| {
        o.objects("events", &events, |(number, event), o| self::event(*number, event, o));
        o.number("next", next);
    }))
}

fn event(number: u64, event: &Event, o: &mut Object<'_>) {
    o.number("number", number);
    o.text("kind", event.kind.name());
    o.number("at_ms", event.at_ms);
    o.text("text", &event.text);
}

/// How an isolate ended, once it has.
pub(crate) async fn result(engine: &Engine, name: &str, wait: Duration) -> Result<String, ApiError> {
    let finished = engine.result(name, Some(wait)).await?;
    Ok(ended(&finished))
}

/// How an isolate ended: its name, id, flow, status, and its result or failure.
pub fn ended(finished: &Finished) -> String {
    json::object(|o| {
        o.text("name", &finished.name);
        o.text("id", &finished.id.to_string());
        o.text("flow", &finished.flow);
        match &finished.ending {
            Ending::Done(_) => {
                o.text("status", Status::Done.name());
                o.raw("result", finished.json().as_deref().unwrap_or("null"));
            }
            Ending::Failed(failed) => {
                o.text("status", Status::Failed.name());
                o.object("failure", |o| failure(failed, finished.declared().map(|(module, _)| module), o));
            }
            Ending::Cancelled => o.text("status", Status::Cancelled.name()),
        }
    })
}

/// Spawns; gives whether the name was there before, and the answer.
pub(crate) async fn spawn(engine: &Engine, name: &str, flow: &str, args: &str) -> Result<(bool, String), ApiError> {
    let args = json::lenient(args).map_err(|error| ApiError::bad_request(format!("`args` is no JSON: {error}")))?;
    let spawned = engine.spawn_json(name, flow, &args).await?;
    Ok((spawned.exists, self::spawned(name, &spawned)))
}

fn spawned(name: &str, spawned: &Spawned) -> String {
    json::object(|o| {
        o.text("name", name);
        o.text("id", &spawned.id.to_string());
        o.text("flow", &spawned.flow);
        o.text("args", &spawned.args);
        o.flag("exists", spawned.exists);
        if let Some(note) = spawned.note(name) {
            o.text("note", &note);
        }
    })
}

/// What a command did.
pub(crate) fn answer(name: &str, answer: &Answer) -> String {
    json::object(|o| {
        o.text("name", name);
        o.text("status", answer.status.name());
        o.flag("changed", answer.changed);
    })
}

#[cfg(test)]
mod tests {
    use super::stamped;

    #[test]
    fn the_time_stands_beside_the_members() {
        assert_eq!(stamped("{}", 5), r#"{"now_ms": 5}"#);
        assert_eq!(stamped(r#"{"a": 1}"#, 5), r#"{"now_ms": 5, "a": 1}"#);
    }
}

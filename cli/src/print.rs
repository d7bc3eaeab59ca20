//! Answers of the control API as a person reads them in a terminal. It knows the names of the API's members and nothing else.

use serde_json::Value;
use std::fmt::Write;
use std::io::{self, Write as _};

/// Writes to standard output. That nobody reads it any more, as after `| head`, is no mistake.
pub fn out(text: &str) {
    let mut to = io::stdout().lock();
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => eprintln!("error: standard output: {error}"),
        _ => {}
    }
}

/// Writes a line to standard output.
pub fn line(text: &str) {
    out(&format!("{text}\n"));
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key).and_then(Value::as_i64)
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A duration: `0.4 s`, `12 s`, `3 min 5 s`, `2 d 4 h`.
pub fn duration(ms: i64) -> String {
    let ms = ms.max(0);
    if ms < 9_950 {
        return format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
    }
    let seconds = ms / 1_000;
    for (size, unit, below, below_unit) in [(86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")] {
        if seconds >= size {
            let rest = seconds % size / below;
            return if rest > 0 {
                format!("{} {unit} {rest} {below_unit}", seconds / size)
            } else {
                format!("{} {unit}", seconds / size)
            };
        }
    }
    format!("{seconds} s")
}

/// A size: `312 bytes`, `4.0 KiB`, `1.2 MiB`.
fn bytes(count: i64) -> String {
    if count < 1_024 {
        return format!("{count} bytes");
    }
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let (mut size, mut unit) = (count as f64 / 1_024.0, 0);
    while size >= 1_024.0 && unit + 1 < units.len() {
        (size, unit) = (size / 1_024.0, unit + 1);
    }
    format!("{size:.1} {}", units[unit])
}

/// `in 3.2 s` or `5 min ago`.
fn relative(ms: i64, now: i64) -> String {
    if ms > now { format!("in {}", duration(ms - now)) } else { format!("{} ago", duration(now - ms)) }
}

/// What an isolate does or when it ended, in a few words.
fn when(row: &Value, now: i64) -> String {
    if let Some(ended) = number(row, "ended_ms") {
        return format!("ended {}", relative(ended, now));
    }
    if !text(row, "reason").is_empty() {
        return text(row, "reason").lines().next().unwrap_or_default().to_owned();
    }
    match number(row, "wake_at_ms") {
        Some(wake) if text(row, "status") == "sleeping" && wake > now => format!("wakes {}", relative(wake, now)),
        Some(_) if text(row, "status") == "sleeping" => "due now".to_owned(),
        _ => format!("changed {}", relative(number(row, "updated_ms").unwrap_or(now), now)),
    }
}

/// Columns under their titles, each as wide as it must be; the last one is not padded.
pub fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([titles[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..titles.len()).map(width).collect();
    let mut out = String::new();
    let titles: Vec<_> = titles.iter().map(|title| (*title).to_owned()).collect();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// The answer of `GET /api/isolates`.
pub fn list(answer: &Value) -> String {
    let now = number(answer, "now_ms").unwrap_or_default();
    let rows: Vec<_> = items(answer, "isolates")
        .iter()
        .map(|row| {
            let created = number(row, "created_ms").unwrap_or(now);
            vec![
                text(row, "name").to_owned(),
                text(row, "flow").to_owned(),
                text(row, "status").to_owned(),
                duration(number(row, "ended_ms").unwrap_or(now) - created),
                when(row, now),
            ]
        })
        .collect();
    let mut out = if rows.is_empty() {
        "no isolates\n".to_owned()
    } else {
        table(&["NAME", "FLOW", "STATUS", "AGE", "WHEN"], &rows)
    };
    for damaged in items(answer, "damaged") {
        let _ = writeln!(out, "damaged: {}", text(damaged, "message"));
    }
    if let Some(next) = answer.get("next").and_then(Value::as_str) {
        let _ = writeln!(out, "more: --after {next}");
    }
    out
}

fn place(frame: &Value) -> String {
    match number(frame, "line") {
        Some(line) if line > 0 => format!("{}:{line}", text(frame, "file")),
        _ => String::new(),
    }
}

/// A failure with the flow's own stack.
pub fn failure(failure: &Value) -> String {
    let mut out = format!("{}: {}\n", text(failure, "kind"), text(failure, "message"));
    for line in items(failure, "trace") {
        let _ = writeln!(out, "  in {}  {}", text(line, "function"), place(line));
        if !text(line, "text").is_empty() {
            let _ = writeln!(out, "      {}", text(line, "text").trim());
        }
        if let Some(repeats) = line.get("repeats") {
            let _ = writeln!(out, "  {}", text(repeats, "text"));
        }
    }
    out
}

/// The answer of `GET /api/isolates/{name}`.
pub fn show(answer: &Value) -> String {
    let now = number(answer, "now_ms").unwrap_or_default();
    let mut out = String::new();
    let _ = writeln!(out, "{}  {}  {}", text(answer, "name"), text(answer, "status"), when(answer, now));
    let created = number(answer, "created_ms").unwrap_or(now);
    let mut facts = vec![("flow", text(answer, "flow").to_owned())];
    if let Some(step) = number(answer, "step") {
        facts.push(("step", step.to_string()));
    }
    if let (Some(heap), Some(stored)) = (number(answer, "heap_bytes"), number(answer, "stored_bytes")) {
        facts.push(("size", format!("{} of heap, {} stored", bytes(heap), bytes(stored))));
    }
    facts.push(("started", relative(created, now)));
    facts.push(("program", text(answer, "program").to_owned()));
    facts.push(("id", text(answer, "id").to_owned()));
    if !text(answer, "args").is_empty() {
        facts.push(("args", text(answer, "args").to_owned()));
    }
    if !text(answer, "reason").is_empty() {
        facts.push(("reason", text(answer, "reason").to_owned()));
    }
    for (title, fact) in facts {
        let _ = writeln!(out, "  {title:8} {fact}");
    }
    if let Some(result) = answer.get("result") {
        let _ = writeln!(out, "  {:8} {result}", "result");
    }
    if let Some(what) = answer.get("failure") {
        let _ = write!(out, "\n{}", failure(what));
    }
    for task in items(answer, "tasks") {
        let waits = match number(task, "due_ms") {
            Some(due) if due > now => format!("timer, due {}", relative(due, now)),
            Some(_) => "timer, due now".to_owned(),
            None => text(task, "waits_for").to_owned(),
        };
        let status = if number(answer, "ended_ms").is_some() {
            "as its last commit left it".to_owned()
        } else {
            format!("{}  {waits}", text(task, "status"))
        };
        let line = format!("\ntask {}  {status}", number(task, "id").unwrap_or_default());
        let _ = writeln!(out, "{}", line.trim_end());
        for frame in items(task, "frames") {
            let _ = writeln!(out, "  {}  {}", text(frame, "function"), place(frame));
            if !text(frame, "text").is_empty() {
                let _ = writeln!(
                    out,
                    "    {:>5} | {}",
                    number(frame, "line").unwrap_or_default(),
                    text(frame, "text").trim_end()
                );
            }
            for variable in items(frame, "variables") {
                let value = match variable.get("value") {
                    Some(value) => value.to_string(),
                    None => text(variable, "preview").to_owned(),
                };
                let _ = writeln!(out, "          {}: {} = {value}", text(variable, "name"), text(variable, "type"));
            }
        }
    }
    if let Some(total) = number(answer, "tasks_total").filter(|total| *total > items(answer, "tasks").len() as i64) {
        let _ = writeln!(out, "\n{total} tasks in all");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{bytes, duration, failure, list, show};
    use serde_json::json;

    #[test]
    fn durations_are_short() {
        let ms = [0, 449, 9_949, 12_000, 185_000, 3_600_000, 190_000_000];
        assert_eq!(ms.map(duration), ["0.0 s", "0.4 s", "9.9 s", "12 s", "3 min 5 s", "1 h", "2 d 4 h"]);
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!([0, 1_023, 4_096, 1_300_000].map(bytes), ["0 bytes", "1023 bytes", "4.0 KiB", "1.2 MiB"]);
    }

    #[test]
    fn a_recursion_is_a_few_lines() {
        let line = json!({"function": "f", "file": "a.py", "line": 3, "text": "  return f(n)",
            "repeats": {"lines": 1, "times": 998, "text": "… the same 998 times more"}});
        assert_eq!(
            failure(&json!({"kind": "depth", "message": "too deep", "trace": [line]})),
            "depth: too deep\n  in f  a.py:3\n      return f(n)\n  … the same 998 times more\n"
        );
    }

    #[test]
    fn a_list_is_a_table() {
        let row = json!({"name": "c1", "flow": "counter", "status": "sleeping", "created_ms": 0, "updated_ms": 0, "wake_at_ms": 5_000});
        let text = list(&json!({"now_ms": 2_000, "isolates": [row], "next": "c1"}));
        assert_eq!(
            text,
            "NAME  FLOW     STATUS    AGE    WHEN\nc1    counter  sleeping  2.0 s  wakes in 3.0 s\nmore: --after c1\n"
        );
        assert_eq!(list(&json!({"isolates": []})), "no isolates\n");
    }

    #[test]
    fn an_isolate_shows_lines_and_variables() {
        let frame = json!({"function": "counter", "file": "c.py", "line": 7, "text": "    sleep(0)",
            "variables": [{"name": "n", "type": "int", "value": 3}, {"name": "l", "type": "list[int]", "preview": "[1, 2…"}]});
        let answer = json!({"name": "c1", "flow": "counter", "status": "waiting", "now_ms": 1_000, "created_ms": 0, "updated_ms": 900,
            "step": 3, "program": "ab", "id": "x", "tasks": [{"id": 0, "status": "sleeping", "due_ms": 2_000, "frames": [frame]}]});
        let text = show(&answer);
        for line in [
            "c1  waiting  changed 0.1 s ago",
            "task 0  sleeping  timer, due in 1.0 s",
            "        7 |     sleep(0)",
            "          n: int = 3",
            "          l: list[int] = [1, 2…",
        ] {
            assert!(text.lines().any(|found| found == line), "{line:?} is missing from\n{text}");
        }
    }
}

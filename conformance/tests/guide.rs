//! The documents of the language are true: each example of `docs/language.md` gives what it says, in every way of the matrix and
//! in CPython, and each row of `docs/COMPATIBILITY.md` is as its example compiles.

use deepslate_conformance::cpython::{DIFFERENCES, Python};
use deepslate_conformance::{markdown, matrix};
use deepslate_frontend::{Options, Source, compile};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document(name: &str) -> (PathBuf, String) {
    let path = root().join("docs").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (path, text)
}

#[test]
fn each_example_of_the_guide_gives_what_it_says() {
    let (path, text) = document("language.md");
    let cases = markdown::cases(&path, &text).expect("the guide can be read");
    assert!(cases.len() >= 15, "only {} examples", cases.len());
    let mut python = Python::start().expect("the examples run in CPython too: python3 must be on the PATH");
    let mut failed = Vec::new();
    for case in &cases {
        for checked in [matrix::check(case), python.check(case)] {
            if let Err(message) = checked {
                failed.push(format!("line {}: {}\n{message}", case.line, case.name));
            }
        }
    }
    assert!(failed.is_empty(), "{} examples fail:\n\n{}", failed.len(), failed.join("\n\n"));
}

/// What needs a host or the network is not run, only compiled.
#[test]
fn each_example_that_needs_a_host_compiles() {
    let (_, text) = document("language.md");
    let programs: Vec<&str> =
        text.split("```python checked\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
    assert!(!programs.is_empty());
    for program in programs {
        let compiled = compile(&[Source::file("main.py", program)], &Options::default());
        assert!(!compiled.has_errors() && compiled.module.is_some(), "{program}\n{}", compiled.render(false));
    }
}

/// A row of a table of constructs.
struct Row<'a> {
    line: usize,
    construct: &'a str,
    status: &'a str,
    example: String,
}

/// The rows of three cells whose second one is a status.
fn rows(text: &str) -> Vec<Row<'_>> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(inner) = line.strip_prefix("| ").and_then(|l| l.strip_suffix(" |")) else { continue };
        let cells: Vec<&str> = inner.splitn(3, " | ").collect();
        if let [construct, status, example] = cells[..]
            && !["status", "---"].contains(&status)
        {
            found.push(Row { line: index + 1, construct, status, example: example.replace("\\|", "|") });
        }
    }
    found
}

/// A program with the parts of an example: definitions, decorators and imports before the flow, all else in it.
fn program(parts: &[&str]) -> String {
    let (mut before, mut within) = (String::new(), String::new());
    for part in parts {
        if part.starts_with('@') {
            // On a function or a class that the flow uses.
            let what = if part.contains("dataclass") { "class Marked:\n    k: int" } else { "def marked(): pass" };
            before.push_str(&format!("{part}\n{what}\n"));
            within.push_str(if part.contains("dataclass") { "    Marked(1)\n" } else { "    marked()\n" });
        } else if ["def ", "class ", "import "].iter().any(|word| part.starts_with(word)) {
            before.push_str(&format!("{part}\n"));
        } else {
            within.push_str(&format!("    {part}\n"));
        }
    }
    format!(
        "from dataclasses import dataclass\nfrom deepslate import dpslio, flow, now, random, sleep, uuid\n\n\
         @dataclass\nclass Point:\n    x: int\n    y: int\n\n{before}\n\
         @flow\nasync def main():\n    n: int = 3\n    m: int = 4\n    x: float = 1.5\n    flag: bool = True\n    \
         text: str = \"abc\"\n    data: bytes = b\"abc\"\n    items: list[int] = [1, 2]\n    \
         table: dict[str, int] = {{\"a\": 1}}\n    pair: tuple[int, str] = (1, \"a\")\n    point: Point = Point(1, 2)\n{within}"
    )
}

/// The texts between backticks; one that holds backticks itself is not written here.
fn code(example: &str) -> Vec<&str> {
    example.split('`').skip(1).step_by(2).collect()
}

/// The titles of cases that an example links to, with the files.
fn links(example: &str) -> Vec<(&str, &str)> {
    let link = |part: &'_ str| -> Option<(usize, usize)> {
        let middle = part.find("](")?;
        Some((middle, part[middle..].find(')')? + middle))
    };
    example
        .split('[')
        .skip(1)
        .filter_map(|part| link(part).map(|(middle, end)| (&part[..middle], &part[middle + 2..end])))
        .filter(|(_, file)| file.ends_with(".md"))
        .collect()
}

/// What is not as a row says.
fn mistake(row: &Row<'_>) -> Option<String> {
    let wanted = match row.status {
        "supported" | "different" => true,
        "not planned" => false,
        // What a later version brings may be there already.
        "not yet" => return None,
        other => return Some(format!("no status is called {other:?}")),
    };
    let links = links(&row.example);
    // In a link there is no code.
    let parts = if links.is_empty() || row.example.starts_with('`') { code(&row.example) } else { Vec::new() };
    if links.is_empty() && parts.is_empty() {
        return Some("it has neither an example nor a case".to_owned());
    }
    for (title, file) in links {
        let path = root().join("docs").join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let cases = markdown::cases(&path, &text).unwrap_or_default();
        match cases.iter().find(|case| case.name.rsplit(" / ").next() == Some(title)) {
            None => return Some(format!("{file} has no case {title:?}")),
            Some(case) if case.outcome.errors.is_empty() != wanted => return Some(format!("{title:?} says otherwise")),
            Some(_) => {}
        }
    }
    if parts.is_empty() {
        return None;
    }
    let accepted = |parts: &[&str]| {
        let source = program(parts);
        let compiled = compile(&[Source::file("main.py", source.as_str())], &Options::default());
        (!compiled.has_errors() && compiled.module.is_some(), compiled.render(false))
    };
    let (together, report) = accepted(&parts);
    if together == wanted {
        return None;
    }
    Some(if wanted { format!("it is refused:\n{report}") } else { "it is accepted".to_owned() })
}

#[test]
fn each_row_of_the_compatibility_table_is_as_its_example_compiles() {
    let (_, text) = document("COMPATIBILITY.md");
    let rows = rows(&text);
    assert!(rows.len() >= 50, "only {} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("line {}: {} ({})\n{}", row.line, row.construct, row.status, mistake(row)?)))
        .collect();
    assert!(wrong.is_empty(), "{} rows are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn the_compatibility_table_lists_each_difference() {
    let (_, text) = document("COMPATIBILITY.md");
    for (name, what) in DIFFERENCES {
        assert!(text.contains(&format!("| {name} | {what} |")), "COMPATIBILITY.md lacks: {name}: {what}");
    }
}

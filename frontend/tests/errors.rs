//! Small wrong programs, `errors/*.py`, each with its rendered diagnostics beside it as a reviewed snapshot. `BLESS=1`
//! writes them anew. Every code of the table is met by one of them, and has its page in `docs/errors`.

use deepslate_frontend::diag::{Code, Severity};
use deepslate_frontend::{Compiled, Options, Source, compile};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors")
}

fn programs() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the folder")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "py"))
        .collect();
    all.sort();
    all
}

fn compiled(path: &Path) -> Compiled {
    let text = std::fs::read_to_string(path).expect("a program");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    compile(&[Source::file(name, text)], &Options::default())
}

#[test]
fn every_program_is_reported_as_reviewed() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let all = programs();
    assert!(all.len() >= 30, "only {} programs", all.len());
    for path in all {
        let compiled = compiled(&path);
        assert!(!compiled.diagnostics.is_empty(), "{} has no diagnostics", path.display());
        assert_eq!(compiled.module.is_none(), compiled.has_errors(), "{}", path.display());
        let text = format!("{}\n{}", compiled.lines(), compiled.render(false));
        let stored = path.with_extension("txt");
        if bless {
            std::fs::write(&stored, &text).expect("written");
        }
        if std::fs::read_to_string(&stored).unwrap_or_default() != text {
            wrong.push(format!("{} is reported as\n{text}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nread them, and run with BLESS=1 if they are better", wrong.join("\n"));
}

#[test]
fn each_report_stands_for_itself() {
    for path in programs() {
        let compiled = compiled(&path);
        let json = compiled.json();
        for (d, form) in compiled.diagnostics.iter().zip(json.as_array().expect("an array")) {
            assert!(d.message.len() > 10 && !d.message.ends_with('.'), "{}: {}", path.display(), d.message);
            assert!(form["place"]["line"].as_u64().is_some_and(|l| l > 0), "{}: {form}", path.display());
            assert_eq!(form["code"], d.code.text());
            assert_eq!(form["severity"], "error");
            assert_eq!(d.severity, Severity::Error);
        }
    }
}

#[test]
fn every_code_is_met_and_has_its_page() {
    let met: BTreeSet<Code> =
        programs().iter().flat_map(|p| compiled(p).diagnostics.into_iter().map(|d| d.code)).collect();
    // A text of 16 MiB, and what can't be made to happen.
    let unmet = [Code::TooLarge, Code::Internal];
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    for code in Code::ALL {
        assert!(met.contains(code) || unmet.contains(code), "no program is reported with {code} ({})", code.summary());
        let page = pages.join(format!("{code}.md"));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        let title = format!("# {code}: {}\n", code.summary());
        assert!(text.starts_with(&title), "{} must begin with {title:?}", page.display());
        assert!(text.contains("## Use instead") || unmet.contains(code), "{} does not say what to use", page.display());
        assert_eq!(Code::from_text(code.text()), Some(*code));
    }
    for page in std::fs::read_dir(&pages).expect("the pages") {
        let name = page.expect("a page").file_name().to_string_lossy().replace(".md", "");
        assert!(Code::from_text(&name).is_some(), "docs/errors/{name}.md is about no code");
    }
}

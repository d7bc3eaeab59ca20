//! Every case under `spec/`, in every way of the matrix and in CPython.

use deepslate_conformance::cpython::{DIFFERENCES, Python};
use deepslate_conformance::markdown::Case;
use deepslate_conformance::{markdown, matrix};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("spec")
}

/// All cases, or those whose name contains `$SPEC`.
fn cases() -> Vec<Case> {
    let mut cases = markdown::all(&folder()).expect("the cases can be read");
    assert!(cases.len() >= 400, "only {} cases were found", cases.len());
    let wanted = std::env::var("SPEC").unwrap_or_default();
    cases.retain(|c| c.name.contains(&wanted));
    cases
}

fn all(mut check: impl FnMut(&Case) -> Result<(), String>) {
    let cases = cases();
    let mut failed = Vec::new();
    for case in &cases {
        if let Err(message) = check(case) {
            let file = case.file.strip_prefix(folder()).unwrap_or(&case.file).display().to_string();
            failed.push(format!("{file}:{} {}\n{message}", case.line, case.name));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases fail:\n\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

#[test]
fn every_case_gives_what_it_says_in_every_way() {
    all(matrix::check);
}

#[test]
fn every_case_gives_in_cpython_what_it_says_or_differs_by_design() {
    let mut python = Python::start().expect("the cases run in CPython too: python3 must be on the PATH");
    all(|case| python.check(case));
}

#[test]
fn each_documented_difference_has_a_case() {
    let cases = markdown::all(&folder()).expect("the cases can be read");
    // Narrowed places come with unions.
    for (name, what) in DIFFERENCES.iter().filter(|(name, _)| *name != "narrowed places") {
        let shown = cases.iter().any(|c| c.differs.as_deref() == Some(name));
        assert!(shown, "no case shows the difference {name:?}: {what}");
    }
}

//! Every case under `spec/`, in every way of the matrix.

use deepslate_conformance::{markdown, matrix};
use std::path::Path;

#[test]
fn every_case_gives_what_it_says_in_every_way() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    let cases = markdown::all(&folder).expect("the cases can be read");
    assert!(cases.len() >= 20, "only {} cases were found", cases.len());
    let wanted = std::env::var("SPEC").unwrap_or_default();
    let mut failed = Vec::new();
    for case in cases.iter().filter(|c| c.name.contains(&wanted)) {
        if let Err(message) = matrix::check(case) {
            let file = case.file.strip_prefix(&folder).unwrap_or(&case.file);
            failed.push(format!("{}:{} {}\n{message}", file.display(), case.line, case.name));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases fail:\n\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

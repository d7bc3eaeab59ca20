//! The rules of the house that a compiler does not see: who may know whom, that every file says what it is, that what the
//! documents name is there. The drawing in docs/ARCHITECTURE.md can't drift, since this test compares it with the build.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above").to_owned()
}

/// The fenced block of docs/ARCHITECTURE.md that begins with `crate -> knows`: who may know whom.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("docs/ARCHITECTURE.md");
    let block = text.split("```").find(|b| b.contains("crate -> knows\n")).expect("the crate graph");
    let rows = block.lines().filter_map(|line| line.split_once("->")).skip(1);
    rows.map(|(from, to)| {
        let known = to.split(',').map(|s| s.trim().to_owned()).filter(|s| s != "nothing of ours");
        (from.trim().to_owned(), known.collect())
    })
    .collect()
}

/// `deepslate-ir` is the room `ir`; the facade is `deepslate`.
fn room(package: &str) -> String {
    package.strip_prefix("deepslate-").unwrap_or(package).to_owned()
}

#[test]
fn crates_know_only_whom_the_drawing_allows() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let ours: BTreeSet<String> = packages.iter().map(|p| room(p["name"].as_str().expect("name"))).collect();
    let allowed = allowed();
    assert_eq!(allowed.keys().cloned().collect::<BTreeSet<_>>(), ours, "docs/ARCHITECTURE.md lists other crates");
    for package in packages {
        let name = room(package["name"].as_str().expect("name"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let known = room(dependency["name"].as_str().expect("name"));
            let is_test = dependency["kind"] == "dev";
            if ours.contains(&known) && !is_test {
                assert!(allowed[&name].contains(&known), "{name} must not know {known}: docs/ARCHITECTURE.md");
            }
        }
    }
}

fn files(extension: &str) -> Vec<PathBuf> {
    let listed =
        Command::new("git").args(["ls-files", "-z", "--", &format!("*.{extension}")]).current_dir(root()).output();
    let listed = listed.expect("git ls-files");
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    names.split('\0').filter(|n| !n.is_empty()).map(|n| root().join(n)).filter(|p| p.exists()).collect()
}

#[test]
fn every_source_file_says_what_it_is() {
    let mut silent = Vec::new();
    for path in files("rs") {
        let text = std::fs::read_to_string(&path).expect("a tracked file can be read");
        if !text.starts_with("//!") {
            silent.push(path);
        }
    }
    assert!(silent.is_empty(), "files without a module doc: {silent:?}");
}

/// The crates whose code may be unsafe; in each of the others `unsafe` is forbidden by its root.
const UNSAFE: [&str; 2] = ["regvm", "python"];

#[test]
fn unsafe_code_lives_in_few_rooms() {
    for path in files("rs") {
        let inside = path.strip_prefix(root()).expect("under the root").to_owned();
        let room = inside.components().next().expect("a folder").as_os_str().to_string_lossy().into_owned();
        let is_root = inside.ends_with("src/lib.rs") || inside.ends_with("src/main.rs");
        if is_root && inside.components().count() == 3 && !UNSAFE.contains(&room.as_str()) {
            let text = std::fs::read_to_string(&path).expect("a tracked file can be read");
            assert!(text.contains("#![forbid(unsafe_code)]"), "{} must forbid unsafe code", inside.display());
        }
    }
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in files("md") {
        let text = std::fs::read_to_string(&path).expect("a tracked file can be read");
        let mut fenced = false;
        for line in text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            // Code in a line is no link, though `Queue[int](1)` looks like one.
            let prose: String = line.split('`').step_by(2).collect();
            for part in prose.split("](").skip(1) {
                let link = part.split(')').next().unwrap_or_default();
                let file = link.split('#').next().unwrap_or_default();
                if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                    continue;
                }
                if !path.parent().expect("a file has a folder").join(file).exists() {
                    broken.push(format!("{}: {link}", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "broken links: {broken:#?}");
}

#[test]
fn no_path_of_one_machine_is_tracked() {
    let pattern = "/(wor[k]|roo[t]|hom[e]/[a-z]+)/";
    let found = Command::new("git").args(["grep", "-nE", pattern, "--", ".", ":!*.lock"]).current_dir(root()).output();
    let found = String::from_utf8_lossy(&found.expect("git grep").stdout).into_owned();
    assert!(found.is_empty(), "paths of one machine:\n{found}");
}

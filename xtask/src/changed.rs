//! Which crates a check is about: those with a file that differs from the last commit. A crate's name is its folder's, with
//! the project's prefix.

use crate::shell::{output, root};
use anyhow::Result;
use std::collections::BTreeSet;
use std::process::Command;

/// The packages with a changed or new file; all of them if something that concerns all changed.
pub fn since_head() -> Result<Vec<String>> {
    let listed =
        output(Command::new("git").current_dir(root()).args(["status", "--porcelain", "--untracked-files=all"]))?;
    let mut crates = BTreeSet::new();
    for line in listed.lines() {
        let path = line.get(3..).unwrap_or_default();
        let path = path.rsplit(" -> ").next().unwrap_or(path).trim_matches('"');
        let Some((folder, _)) = path.split_once('/') else {
            if path == "Cargo.toml" || path == "Cargo.lock" {
                return all();
            }
            continue;
        };
        if let Some(name) = package_in(folder) {
            crates.insert(name);
        }
    }
    Ok(crates.into_iter().collect())
}

/// Every package with Rust tests.
pub fn all() -> Result<Vec<String>> {
    let mut crates: Vec<String> = std::fs::read_dir(root())?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|folder| package_in(&folder))
        .collect();
    crates.sort();
    Ok(crates)
}

/// The package in a top-level folder, if it is one with Rust tests.
fn package_in(folder: &str) -> Option<String> {
    let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).ok()?;
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))?;
    (name != crate::EXTENSION).then(|| name.to_owned())
}

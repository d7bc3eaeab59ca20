//! `cargo xtask bench build`: what a first build of the default members costs beside an empty binary with the same dependencies.
//!
//! Both are built in one run into one empty folder, so that what they share is built once: first the empty binary, then the
//! members on top of it. Processor time is what is compared, since it is the same on a busy machine.

use crate::shell::{cargo, output, root, step};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The first build costs at most so many times the empty binary.
const FACTOR_MAX: f64 = 1.5;

/// Builds both and prints the ratio.
pub fn bench() -> Result<()> {
    let metadata = output(cargo("metadata").args(["--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let place = tempfile::tempdir().context("a folder for the builds")?;
    let (empty, target) = (place.path().join("empty"), place.path().join("target"));
    fs::create_dir_all(empty.join("src"))?;
    fs::write(empty.join("src/main.rs"), "fn main() {}\n")?;
    fs::write(empty.join("Cargo.toml"), manifest(&metadata)?)?;
    // The same versions; what the empty binary does not need goes out of its copy by itself.
    fs::copy(root().join("Cargo.lock"), empty.join("Cargo.lock"))?;

    step("an empty binary with the dependencies of the default members");
    let (below, _) = build(&empty, &target, &[])?;
    step("the default members on top of it");
    let (own, compiled) = build(&root(), &target, &["--locked"])?;
    let members: BTreeSet<_> = list(&metadata["packages"]).filter_map(|package| package["name"].as_str()).collect();
    let strangers: Vec<_> = compiled.iter().filter(|name| !members.contains(name.as_str())).cloned().collect();
    let factor = (below + own) / below;
    println!("\nempty binary: {below:.1} s of processor time; the default members on top of it: {own:.1} s");
    if !strangers.is_empty() {
        println!("built a second time, with other features, and counted as ours: {}", strangers.join(", "));
    }
    let bar = if factor <= FACTOR_MAX { "met   " } else { "MISSED" };
    println!("{bar} a first build of at most {FACTOR_MAX} times the empty binary: {factor:.2}");
    Ok(())
}

/// Builds the package of a folder. Gives the seconds of processor time and the names of what was compiled.
fn build(folder: &Path, target: &Path, args: &[&str]) -> Result<(f64, Vec<String>)> {
    // The shell's `times` tells what its children used, and theirs.
    let script = r#""$@" || exit 1; times"#;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(&cargo).arg("build").args(args).arg("--target-dir").arg(target);
    // What the workspace's own cargo set for this process is not meant for another package.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_INCREMENTAL", "RUSTFLAGS", "CARGO_TARGET_DIR"] {
        command.env_remove(name);
    }
    let done = command.current_dir(folder).stderr(Stdio::piped()).output().context("can't start sh")?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the build in {} failed:\n{said}", folder.display());
    let compiled: Vec<_> = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Compiling ")?.split(' ').next().map(str::to_owned))
        .collect();
    let times = String::from_utf8_lossy(&done.stdout);
    let seconds = seconds(&times).with_context(|| format!("`times` printed {times:?}"))?;
    println!("   {} crates, {seconds:.1} s of processor time", compiled.len());
    Ok((seconds, compiled))
}

/// User and system time of the children, from what the shell's `times` prints: `0m1.50s 0m0.25s` in its second line.
fn seconds(times: &str) -> Option<f64> {
    let line = times.lines().filter(|line| !line.trim().is_empty()).nth(1)?;
    let parts = line.split_whitespace().map(|part| {
        let (minutes, seconds) = part.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.replace(',', ".").parse::<f64>().ok()?)
    });
    parts.sum()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}

/// One dependency of the empty binary.
#[derive(Debug, Default)]
struct Wanted {
    package: String,
    version: String,
    default: bool,
    features: BTreeSet<String>,
}

/// The manifest of a package that depends on what the default members depend on, with the same features and profiles.
fn manifest(metadata: &Value) -> Result<String> {
    // By table of the manifest and key in it.
    let mut tables: BTreeMap<(String, String), Wanted> = BTreeMap::new();
    let members: BTreeSet<_> = texts(&metadata["workspace_default_members"]).collect();
    ensure!(!members.is_empty(), "the workspace has no default members");
    for package in list(&metadata["packages"]).filter(|p| p["id"].as_str().is_some_and(|id| members.contains(id))) {
        let active = active(package);
        for dependency in list(&package["dependencies"]) {
            let kind = match dependency["kind"].as_str() {
                None => "dependencies",
                Some("build") => "build-dependencies",
                Some(_) => continue,
            };
            let name = dependency["name"].as_str().unwrap_or_default().to_owned();
            let key = dependency["rename"].as_str().unwrap_or(&name).to_owned();
            let is_off = dependency["optional"] == Value::Bool(true)
                && !active.contains(&format!("dep:{key}"))
                && !active.contains(&key);
            if !dependency["path"].is_null() || is_off {
                continue;
            }
            let table = match dependency["target"].as_str() {
                Some(target) => format!("target.'{target}'.{kind}"),
                None => kind.to_owned(),
            };
            let wanted = tables.entry((table, key.clone())).or_default();
            wanted.package = name;
            wanted.version = dependency["req"].as_str().unwrap_or("*").to_owned();
            wanted.default |= dependency["uses_default_features"] == Value::Bool(true);
            wanted.features.extend(texts(&dependency["features"]).map(str::to_owned));
            for feature in &active {
                if let Some((of, feature)) = feature.split_once('/')
                    && of.trim_end_matches('?') == key
                {
                    wanted.features.insert(feature.to_owned());
                }
            }
        }
    }
    let mut out =
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\nresolver = \"3\"\n"
            .to_owned();
    let mut last = "";
    for ((table, key), wanted) in &tables {
        if table != last {
            out.push_str(&format!("\n[{table}]\n"));
            last = table;
        }
        let features: Vec<_> = wanted.features.iter().map(|feature| format!("\"{feature}\"")).collect();
        out.push_str(&format!(
            "{key} = {{ package = \"{}\", version = \"{}\", default-features = {}, features = [{}] }}\n",
            wanted.package,
            wanted.version,
            wanted.default,
            features.join(", ")
        ));
    }
    out.push('\n');
    out.push_str(&profile(&fs::read_to_string(root().join("Cargo.toml"))?)?);
    Ok(out)
}

/// The features of a package that its default features turn on, as they are written: names, `dep:x` and `x/y`.
fn active(package: &Value) -> BTreeSet<String> {
    let mut active = BTreeSet::new();
    let mut todo = vec!["default".to_owned()];
    while let Some(feature) = todo.pop() {
        if active.insert(feature.clone()) {
            todo.extend(texts(&package["features"][&feature]).map(str::to_owned));
        }
    }
    active
}

/// The tables of the development profile that are not about our own packages.
fn profile(manifest: &str) -> Result<String> {
    let mut out = String::new();
    let mut within = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            within = line.starts_with("[profile.dev") && !line.contains("deepslate");
        }
        if within {
            out.push_str(line);
            out.push('\n');
        }
    }
    if out.is_empty() {
        bail!("the workspace says nothing of [profile.dev]");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_times_of_children_are_read() {
        assert_eq!(seconds("0m0.00s 0m0.01s\n1m2.50s 0m7.25s\n"), Some(69.75));
        assert_eq!(seconds("0m0,00s 0m0,01s\n0m2,50s 0m1,00s\n"), Some(3.5));
        assert_eq!(seconds("nothing"), None);
    }

    #[test]
    fn the_empty_binary_has_what_the_members_have() {
        let dependency = |name: &str, kind: Value, optional: bool, features: Value| {
            json!({"name": name, "req": "^1", "kind": kind, "optional": optional, "uses_default_features": false,
                "features": features, "rename": null, "target": null, "path": null})
        };
        let package = |name: &str, dependencies: Value| {
            json!({"id": name, "name": name, "dependencies": dependencies,
                "features": {"default": ["sql"], "sql": ["dep:rusqlite", "tokio/fs"], "cloud": ["dep:aws"]}})
        };
        let one = json!([
            dependency("tokio", json!(null), false, json!(["net"])),
            dependency("rusqlite", json!(null), true, json!([])),
            dependency("aws", json!(null), true, json!([])),
            dependency("proptest", json!("dev"), false, json!([])),
        ]);
        let two = json!([dependency("tokio", json!(null), false, json!(["time"]))]);
        let metadata = json!({
            "workspace_default_members": ["a", "b"],
            "packages": [package("a", one), package("b", two), package("c", json!([dependency("pyo3", json!(null), false, json!([]))]))],
        });
        let manifest = manifest(&metadata).unwrap();
        assert!(manifest.contains(r#"tokio = { package = "tokio", version = "^1", default-features = false, features = ["fs", "net", "time"] }"#), "{manifest}");
        assert!(manifest.contains("rusqlite = ") && manifest.contains("[profile.dev"), "{manifest}");
        for absent in ["aws", "proptest", "pyo3", "deepslate"] {
            assert!(!manifest.contains(absent), "{absent} in {manifest}");
        }
    }
}

//! Stored bytes of every format that was ever released stay readable: programs and snapshots under `golden/` are opened and go on
//! to the result that they had. The files are never edited and never deleted. A new format adds a folder; `GOLDEN=new` writes
//! the files of the newest one where there are none yet. Until the first release, v1 may still be written anew.

use bytes::Bytes;
use deepslate_conformance::markdown::{self, Case};
use deepslate_frontend::{Options as FrontendOptions, Source, compile};
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::HostId;
use deepslate_ir::image::Image;
use deepslate_ir::json::to_json;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_regvm::testing::Parts;
use deepslate_regvm::{Exit, Host, Interrupt, Isolate, Limits, Options, Program};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NEWEST: &str = "v1";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

struct NoHost;

impl Host for NoHost {
    fn call_pure(&mut self, _: HostId, _: &[Datum]) -> Result<Datum, Fault> {
        Err(Fault::new(TrapKind::Host, "a golden program has no host functions"))
    }

    fn now_ms(&mut self) -> i64 {
        0
    }

    fn chance(&mut self) -> u64 {
        0
    }
}

/// Runs until it is blocked; gives how it ended if it did. Sleeps are answered in the order of their steps.
fn turn(isolate: &mut Isolate) -> Option<Exit> {
    match isolate.run(&mut NoHost, &Interrupt::new()) {
        Exit::Blocked => {
            let step = isolate.pending().first().map(|call| call.step)?;
            assert!(isolate.complete(step, Ok(Datum::None)));
            None
        }
        Exit::Interrupted => None,
        end => Some(end),
    }
}

/// How it ends; `None` if it waits for something that does not come by itself.
fn finish(isolate: &mut Isolate) -> Option<String> {
    for _ in 0..100_000 {
        if let Some(end) = turn(isolate) {
            let module = Arc::clone(isolate.program().image().module());
            let ret = module.func(module.flow("main").expect("main")).ret;
            return Some(match end {
                Exit::Done(value) => to_json(&module.types, ret, &value),
                other => format!("{other:?}"),
            });
        }
    }
    None
}

fn program(image: Image) -> Arc<Program> {
    Program::new(image, Options::default()).expect("a golden program can be lowered")
}

/// Writes a case's program and its snapshot after a few commits, and the result that it has.
fn write(case: &Case, into: &Path) {
    let compiled = compile(&[Source::file("main.py", case.program.as_str())], &FrontendOptions::default());
    let image = Image::of(compiled.module.expect("it compiles")).expect("it is sound");
    let program = program(image.clone());
    let main = program.module().flow("main").expect("main");
    let mut isolate = Isolate::new(&program, main, &[], Limits::default()).expect("it starts");
    let mut parts = Parts::default();
    for _ in 0..3 {
        if turn(&mut isolate).is_some() {
            break;
        }
        parts.apply(isolate.commit().expect("its parts are sound"));
    }
    if parts.list().is_empty() {
        return; // It never stops.
    }
    let mut isolate = Isolate::restore(&program, &parts.list(), Limits::default()).expect("its own parts");
    let Some(result) = finish(&mut isolate) else { return };
    fs::create_dir_all(into).expect("a folder");
    fs::write(into.join("program.ir"), image.bytes()).expect("the program");
    for (number, bytes) in parts.list() {
        fs::write(into.join(format!("{number:04}.part")), bytes).expect("a part");
    }
    fs::write(into.join("result.json"), result).expect("the result");
}

#[test]
fn every_golden_snapshot_goes_on_to_its_result() {
    let newest = folder().join(NEWEST);
    if std::env::var("GOLDEN").is_ok_and(|v| v == "new") {
        let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
        for case in markdown::all(&spec).expect("cases") {
            let name: String =
                case.name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            if case.outcome.errors.is_empty() && case.answers.is_empty() && !newest.join(&name).exists() {
                write(&case, &newest.join(&name));
            }
        }
    }
    let mut count = 0;
    for version in fs::read_dir(folder()).expect("golden/") {
        for kept in fs::read_dir(version.expect("a version").path()).expect("a version's folder") {
            let kept = kept.expect("a golden folder").path();
            let image = Image::open(fs::read(kept.join("program.ir")).expect("program.ir"));
            let program = program(image.unwrap_or_else(|e| panic!("{}: {e}", kept.display())));
            let mut files: Vec<PathBuf> =
                fs::read_dir(&kept).expect("files").map(|f| f.expect("a file").path()).collect();
            files.sort();
            let parts: Vec<(u64, Bytes)> = files
                .iter()
                .filter(|f| f.extension().is_some_and(|e| e == "part"))
                .map(|f| {
                    let number = f.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok());
                    (number.expect("a part is named by its number"), fs::read(f).expect("a part").into())
                })
                .collect();
            let restored = Isolate::restore(&program, &parts, Limits::default());
            let mut isolate = restored.unwrap_or_else(|e| panic!("{}: {e}", kept.display()));
            let wanted = fs::read_to_string(kept.join("result.json")).expect("result.json");
            assert_eq!(finish(&mut isolate), Some(wanted), "{}", kept.display());
            count += 1;
        }
    }
    assert!(count >= 5, "only {count} golden snapshots");
}

//! Runs the files of `filetests/`. The comments at the top of each say what is tested; `BLESS=1` rewrites what is expected.
//!
//! - `; test parse`: the text is no module; `; error:` is the message.
//! - `; test verify`: the rules that the module breaks, one `; error:` line each; none for a sound one.
//! - `; test roundtrip`: the text below the comments is what its module prints as.
//! - `; test opt fold,dce`: the passes' result, which stands after `; ==>`.
//!
//! Files of `filetests/run/` are run by the evaluator as `deepslate_ir::filetest` describes.

use deepslate_ir::datum::Datum;
use deepslate_ir::filetest::{Expected, RunFile, RunLine, same};
use deepslate_ir::image::Image;
use deepslate_ir::interp::{Limits, Outcome, World, run};
use deepslate_ir::module::{Host, Imm, Module};
use deepslate_ir::ops::{Op, Operands};
use deepslate_ir::opt::{Pass, optimize};
use deepslate_ir::parse::parse;
use deepslate_ir::trap::Fault;
use deepslate_ir::verify::verify;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap_or_else(|e| panic!("{}: {e}", root.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "ir"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no files in {folder}");
    files
}

fn bless() -> bool {
    std::env::var_os("BLESS").is_some_and(|v| v == "1")
}

/// A file: the comments above the text, and the text.
struct File {
    path: PathBuf,
    comments: Vec<String>,
    text: String,
}

impl File {
    fn read(path: &Path) -> File {
        let all = fs::read_to_string(path).unwrap();
        let lines = all.lines().take_while(|l| l.starts_with(';')).count();
        let comments = all.lines().take(lines).map(str::to_owned).collect();
        // The comments stay in the text, so that the lines of error messages are those of the file.
        File { path: path.to_owned(), comments, text: all }
    }

    fn body(&self) -> String {
        self.text.lines().skip(self.comments.len()).map(|l| format!("{l}\n")).collect()
    }

    fn tests(&self) -> Vec<&str> {
        let tests: Vec<&str> = self.comments.iter().filter_map(|l| l.strip_prefix("; test ")).collect();
        assert!(!tests.is_empty(), "{}: no `; test` line", self.path.display());
        tests
    }

    /// Compares the `; error:` lines with what was found.
    fn errors(&self, found: &[String]) {
        let wanted: Vec<&str> = self.comments.iter().filter_map(|l| l.strip_prefix("; error: ")).collect();
        if wanted == found {
            return;
        }
        assert!(bless(), "{}: found\n  {}\nwanted\n  {}", self.path.display(), found.join("\n  "), wanted.join("\n  "));
        let others = self.comments.iter().filter(|l| !l.starts_with("; error: "));
        let mut head: Vec<String> = others.cloned().collect();
        let tests = head.iter().take_while(|l| l.starts_with("; test ")).count();
        head.splice(tests..tests, found.iter().map(|e| format!("; error: {e}")));
        fs::write(&self.path, head.join("\n") + "\n" + &self.body()).unwrap();
    }
}

#[test]
fn texts_and_rules() {
    for path in files("").into_iter().chain(files("parse")) {
        let tests = File::read(&path);
        for test in tests.tests() {
            // Blessing one test may have rewritten what the next one reads.
            let file = File::read(&path);
            match test {
                "parse" => {
                    let error = parse(&file.text).expect_err(&format!("{}: it parses", path.display()));
                    file.errors(&[error.to_string()]);
                }
                "verify" => {
                    let module = parse(&file.text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                    let errors = verify(&module).err().unwrap_or_default();
                    file.errors(&errors.iter().map(ToString::to_string).collect::<Vec<_>>());
                }
                "roundtrip" => {
                    let module = parse(&file.text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                    let printed = module.to_string();
                    if printed != file.body() {
                        assert!(bless(), "{}: it prints as\n{printed}", path.display());
                        fs::write(&path, file.comments.join("\n") + "\n" + &printed).unwrap();
                    }
                }
                other => panic!("{}: no test `{other}`", path.display()),
            }
        }
    }
}

fn optimized(module: &Module, passes: &[Pass]) -> Module {
    let mut module = module.clone();
    for index in 0..module.funcs.len() {
        let before = module.funcs[index].clone();
        let mut func = before.clone();
        let map = optimize(&module, &mut func, passes);
        assert_eq!(map.len(), before.stops.len());
        assert_eq!(map.iter().flatten().count(), func.stops.len());
        // A frame that was saved at a stop fits the list of the stop that it is now.
        for (old, new) in before.stops.iter().zip(&map) {
            let Some(new) = new else { continue };
            let new = func.stop(*new);
            let list = |f: &deepslate_ir::module::Func, s: &deepslate_ir::module::Stop| {
                s.values.iter().map(|l| (l.name.clone(), f.ty(l.value))).collect::<Vec<_>>()
            };
            assert_eq!(list(&before, old), list(&func, new), "{}", func.name);
            assert_eq!(before.inst(old.inst).op, func.inst(new.inst).op);
        }
        module.funcs[index] = func;
    }
    verify(&module).unwrap_or_else(|e| panic!("{e:?}\n{module}"));
    module
}

#[test]
fn passes() {
    for path in files("opt") {
        let text = fs::read_to_string(&path).unwrap();
        let (input, wanted) = text.split_once("; ==>\n").unwrap_or((&text, ""));
        let names = input.lines().next().and_then(|l| l.strip_prefix("; test opt "));
        let names = names.unwrap_or_else(|| panic!("{}: begins with no `; test opt` line", path.display()));
        let passes: Vec<Pass> = names.split(',').map(|n| Pass::from_name(n).unwrap()).collect();
        let module = parse(input).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        verify(&module).unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
        let found = optimized(&module, &passes).to_string();
        if found != wanted {
            assert!(bless(), "{}: found\n{found}", path.display());
            fs::write(&path, format!("{input}; ==>\n{found}")).unwrap();
        }
    }
}

struct Script<'a>(&'a RunFile);

impl World for Script<'_> {
    fn call_pure(&mut self, host: &Host, args: &[Datum]) -> Result<Datum, Fault> {
        self.0.answer(host, args)
    }

    fn call(&mut self, _: u64, host: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>> {
        Some(self.0.answer(host, args))
    }
}

fn run_line(file: &RunFile, module: &Arc<Module>, line: &RunLine) -> Result<(), String> {
    let func = module.func_named(&line.func).ok_or_else(|| format!("no function {}", line.func))?;
    let ran = run(module, func, &line.args, Limits::default(), &mut Script(file));
    match (&ran.outcome, &line.expected) {
        (Outcome::Done(value), Expected::Value(wanted)) if same(value, wanted) => {}
        (Outcome::Failed(trap), Expected::Trap(kind, message))
            if trap.kind == *kind && message.as_ref().is_none_or(|m| *m == trap.message) => {}
        (found, wanted) => return Err(format!("found {found:?}\nwanted {wanted:?}")),
    }
    match &line.log {
        Some(log) if *log != ran.log => Err(format!("logged {:?}", ran.log)),
        _ => Ok(()),
    }
}

#[test]
fn runs() {
    let mut failed = Vec::new();
    for path in files("run") {
        let text = fs::read_to_string(&path).unwrap();
        let file = RunFile::read(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if let Err(errors) = verify(&file.module) {
            panic!("{}: {}", path.display(), errors.iter().map(|e| format!("\n  {e}")).collect::<String>());
        }
        assert!(!file.runs.is_empty(), "{}: no `; run:` line", path.display());
        let module = Arc::new(file.module.clone());
        let fast = Arc::new(optimized(&optimized(&module, &Pass::ALL), &Pass::ALL));
        for line in &file.runs {
            for (module, name) in [(&module, ""), (&fast, " (optimized)")] {
                if let Err(message) = run_line(&file, module, line) {
                    failed.push(format!("{}:{}{name}: {message}", path.display(), line.line));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The stored form of a program with all its stops is the text that it prints as, and opens as the same program.
#[test]
fn every_run_file_is_an_image() {
    for path in files("run") {
        let file = RunFile::read(&fs::read_to_string(&path).unwrap()).unwrap();
        let image = Image::of(file.module).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let again = Image::open(image.bytes()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(again.module().to_string().as_bytes(), image.bytes(), "{}", path.display());
        assert_eq!(again.hash(), image.hash());
    }
}

#[test]
fn every_instruction_is_in_a_file() {
    let mut seen = HashSet::new();
    for path in files("").into_iter().chain(files("run")) {
        if let Ok(module) = parse(&fs::read_to_string(&path).unwrap()) {
            seen.extend(module.funcs.iter().flat_map(|f| &f.insts).map(|i| i.op));
        }
    }
    let missing: Vec<_> = Op::ALL.iter().filter(|op| !seen.contains(op)).collect();
    assert!(missing.is_empty(), "no file has {missing:?}");
}

/// Every instruction but those of control stands in a function that some `run` line reaches.
#[test]
fn every_instruction_runs() {
    let mut seen = HashSet::new();
    for path in files("run") {
        let file = RunFile::read(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut work: Vec<usize> =
            file.runs.iter().filter_map(|r| file.module.func_named(&r.func)).map(|id| id.index()).collect();
        let mut done = HashSet::new();
        while let Some(index) = work.pop() {
            if !done.insert(index) {
                continue;
            }
            for inst in &file.module.funcs[index].insts {
                seen.insert(inst.op);
                if let Imm::Func(callee) = inst.imm {
                    work.push(callee.index());
                }
            }
        }
    }
    let control = |op: &Op| matches!(op.operands(), Operands::Fixed([]) | Operands::Return) && op.ends_block();
    let missing: Vec<_> = Op::ALL.iter().filter(|op| !seen.contains(op) && !control(op)).collect();
    assert!(missing.is_empty(), "no run line reaches {missing:?}");
}

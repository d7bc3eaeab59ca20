//! What hostile or damaged text may do: be refused. Texts of the test files are changed at random; whatever still parses
//! prints and parses back the same, whatever the verifier then accepts runs without a check of the evaluator failing.

use deepslate_ir::datum::Datum;
use deepslate_ir::entity::FuncId;
use deepslate_ir::filetest::RunFile;
use deepslate_ir::image::Image;
use deepslate_ir::interp::{Limits, Outcome, World, run};
use deepslate_ir::module::{Host, Module};
use deepslate_ir::parse::parse;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_ir::types::{self, Type};
use deepslate_ir::verify::verify;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// The text of each test file whose module is sound, with all its stops.
fn texts() -> &'static [String] {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests");
        let mut paths: Vec<_> = ["", "run"]
            .iter()
            .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()))
            .filter(|path| path.extension().is_some_and(|e| e == "ir"))
            .collect();
        paths.sort();
        let modules = paths.iter().filter_map(|path| RunFile::read(&fs::read_to_string(path).unwrap()).ok());
        modules.map(|file| file.module).filter(|m| verify(m).is_ok()).map(|m| m.to_string()).collect()
    })
}

/// An argument of a type, for functions that need some.
fn example(module: &Module, ty: deepslate_ir::entity::TypeId, depth: u32) -> Option<Datum> {
    Some(match module.types.get(ty) {
        _ if depth > 3 => return None,
        Type::None => Datum::None,
        Type::Bool => Datum::Bool(true),
        Type::Int => Datum::Int(3),
        Type::Float => Datum::Float(1.5),
        Type::Str => Datum::Str("x".into()),
        Type::Bytes => Datum::Bytes(vec![7]),
        Type::List(e) => Datum::List(vec![example(module, *e, depth + 1)?; 2]),
        Type::TupleOf(e) => Datum::Tuple(vec![example(module, *e, depth + 1)?; 2]),
        Type::Set(e) | Type::FrozenSet(e) => Datum::Set(vec![example(module, *e, depth + 1)?]),
        Type::Dict(k, v) => Datum::Dict(vec![(example(module, *k, depth + 1)?, example(module, *v, depth + 1)?)]),
        Type::Tuple(parts) => {
            Datum::Tuple(parts.iter().map(|p| example(module, *p, depth + 1)).collect::<Option<_>>()?)
        }
        Type::Class(c) => {
            let fields = &module.types.class(*c).fields;
            Datum::Object(fields.iter().map(|f| example(module, f.ty, depth + 1)).collect::<Option<_>>()?)
        }
        // Whatever it is: a value that does not say its member is of the first whose kind it is.
        Type::Union(members) => members.iter().find_map(|m| example(module, *m, depth + 1))?,
        Type::Queue(_) | Type::Lock | Type::WaitGroup => return None,
    })
}

/// Answers every call with an example of its type.
struct Examples<'a>(&'a Module);

impl World for Examples<'_> {
    fn call_pure(&mut self, host: &Host, _: &[Datum]) -> Result<Datum, Fault> {
        example(self.0, host.ret, 0).ok_or_else(|| Fault::new(TrapKind::Host, "no example"))
    }

    fn call(&mut self, _: u64, host: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>> {
        Some(self.call_pure(host, args))
    }
}

fn judge(text: &str) {
    let Ok(module) = parse(text) else { return };
    let Ok(()) = verify(&module) else {
        // Even what is not sound prints as something.
        assert!(!module.to_string().is_empty());
        return;
    };
    let printed = module.to_string();
    let again = parse(&printed).unwrap_or_else(|e| panic!("{e}\n{printed}"));
    assert_eq!(again.to_string(), printed);
    let image = Image::open(printed.as_bytes()).expect("it is sound");
    let module = image.module();
    for index in 0..module.funcs.len() {
        let func = FuncId::from_index(index);
        let params = &module.func(func).params;
        let Some(args) = params.iter().map(|p| example(module, p.ty, 0)).collect::<Option<Vec<_>>>() else { continue };
        let limits = Limits { steps: 3_000, heap_bytes: 1 << 20, ..Limits::default() };
        let ran = run(module, func, &args, limits, &mut Examples(module));
        if let Outcome::Broken(message) = ran.outcome {
            panic!("{}: {message}\n{printed}", module.func(func).name);
        }
    }
}

/// A change of a text: at a place, given in thousandths of its length.
#[derive(Clone, Debug)]
enum Change {
    /// Takes some characters out.
    Cut(usize, usize),
    /// Puts a word in.
    Insert(usize, String),
    /// Replaces a word by another one of the text.
    Word(usize, usize),
    /// Replaces a line by another one of the text.
    Line(usize, usize),
    /// Takes a line out.
    Drop(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = 0usize..1000;
    let words = proptest::sample::select(vec![
        "v0",
        "v1",
        "v2",
        "v3",
        "v7",
        "block0",
        "block1",
        "block2",
        "int",
        "float",
        "-1",
        "0",
        "1",
        "!0 []",
        "(",
        ")",
        "[",
        "]",
        "=",
        ":",
        ",",
        "\"",
        "\\",
        "@0:1:1",
        "->",
        "poll",
        "v4000000000",
        "nan",
        "é",
        "\u{0}",
        "list[",
        "frozen",
    ]);
    let change = prop_oneof![
        1 => (at.clone(), 1usize..20).prop_map(|(a, n)| Change::Cut(a, n)),
        1 => (at.clone(), words).prop_map(|(a, w)| Change::Insert(a, w.to_owned())),
        4 => (at.clone(), at.clone()).prop_map(|(a, b)| Change::Word(a, b)),
        1 => (at.clone(), at.clone()).prop_map(|(a, b)| Change::Line(a, b)),
        1 => at.prop_map(Change::Drop),
    ];
    proptest::collection::vec(change, 1..4)
}

/// Splits a text into words and what stands between them.
fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut word = false;
    for (at, c) in text.char_indices() {
        let is = c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if is != word && at > start {
            out.push(&text[start..at]);
            start = at;
        }
        word = is;
    }
    out.push(&text[start..]);
    out
}

fn apply(text: &str, change: &Change) -> String {
    let place = |parts: usize, at: usize| at * parts.saturating_sub(1) / 1000;
    match change {
        Change::Cut(at, count) => {
            let from = place(text.chars().count(), *at);
            text.chars().take(from).chain(text.chars().skip(from + count)).collect()
        }
        Change::Insert(at, word) => {
            let from = place(text.chars().count(), *at);
            text.chars().take(from).chain(word.chars()).chain(text.chars().skip(from)).collect()
        }
        Change::Word(a, b) => {
            let mut parts = pieces(text);
            let starts = |p: &str| p.starts_with(|c: char| c.is_ascii_alphanumeric());
            let words: Vec<usize> = (0..parts.len()).filter(|i| starts(parts[*i])).collect();
            if !words.is_empty() {
                // A word of the same kind nearby gives more that still parses.
                let to = place(words.len(), *a);
                let near = (to + b % 40).saturating_sub(20).min(words.len() - 1);
                parts[words[to]] = parts[words[near]];
            }
            parts.concat()
        }
        Change::Line(a, b) => {
            let mut lines: Vec<&str> = text.lines().collect();
            let count = lines.len();
            lines[place(count, *a)] = lines[place(count, *b)];
            lines.join("\n")
        }
        Change::Drop(at) => {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.remove(place(lines.len(), *at));
            lines.join("\n")
        }
    }
}

/// How many texts to try; `PROPTEST_CASES` says otherwise.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_texts_are_refused_or_sound(file in 0usize..1000, changes in changes()) {
        let texts = texts();
        let text = changes.iter().fold(texts[file % texts.len()].clone(), |text, change| apply(&text, change));
        judge(&text);
    }

    #[test]
    fn any_text_is_refused(text in "\\PC{0,200}") {
        prop_assert!(parse(&text).is_err());
        let below_a_header = format!("deepslate-ir 1\n{text}\nx");
        prop_assert!(parse(&below_a_header).is_err());
    }
}

#[test]
fn the_files_themselves_are_sound() {
    assert!(texts().len() > 10, "only {}", texts().len());
    texts().iter().for_each(|text| judge(text));
}

/// Numbers far too high, and types that would take exponential time, cost no more than their text.
#[test]
fn hostile_sizes() {
    let refused = |text: String| parse(&text).map(|m| verify(&m).is_err()).unwrap_or(true);
    assert!(refused("deepslate-ir 1\nfunc f() -> int {\nblock0:\n  v4294967295: int = iconst 1\n}".into()));
    assert!(refused("deepslate-ir 1\nfunc f() -> int {\nblock0:\n  poll !4294967295 []\n}".into()));
    assert!(refused(format!("deepslate-ir 1\ntype 8 {}int{}", "list[".repeat(100_000), "]".repeat(100_000))));
    // Each class has the one before twice: 2^200 paths.
    let mut text = "deepslate-ir 1\nclass 0 c0 frozen {x: int}\n".to_owned();
    for i in 1..200 {
        text += &format!("class {i} c{i} frozen {{a: c{0}, b: c{0}}}\n", i - 1);
    }
    text += "func f(d: dict[c20, int]) -> None {\nblock0(v0: dict[c20, int]):\n  v1: None = none\n  return v1\n}\n";
    assert!(!refused(text.clone()));
    assert!(refused(text.replace("c20,", "c190,")));
    // A chain of blocks as long as the limits let it be is verified in little time.
    let mut text = "deepslate-ir 1\nfunc f() -> int {\nblock0:\n  v0: int = iconst 1\n  jump block1\n".to_owned();
    for i in 1..20_000 {
        text += &format!("block{i}:\n  v{i}: int = iadd v0, v{}\n  jump block{}\n", i - 1, i + 1);
    }
    text += "block20000:\n  return v0\n}\n";
    assert!(!refused(text));
    assert_eq!(types::INT.0, 2);
}

//! No text makes the compiler panic or run long: texts nested deeply, cut anywhere, and good programs with parts of them
//! removed, doubled and swapped, by a fixed sequence of pseudo-random numbers.

use deepslate_frontend::diag::Code;
use deepslate_frontend::{Options, Source, compile};
use std::path::Path;

fn check(text: &str) {
    let options = Options { all_functions: true, ..Options::default() };
    let compiled = compile(&[Source::file("test.py", text)], &options);
    let internal = compiled.diagnostics.iter().find(|d| d.code == Code::Internal);
    assert!(internal.is_none(), "{internal:?} in\n{text}");
    assert_eq!(compiled.module.is_none(), compiled.has_errors());
    compiled.render(false);
    compiled.json();
}

fn programs() -> Vec<String> {
    let mut out = Vec::new();
    for folder in ["tests/run", "tests/errors"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<_> =
            std::fs::read_dir(path).expect("a folder").map(|e| e.expect("an entry").path()).collect();
        files.sort();
        let sources = files.iter().filter(|p| p.extension().is_some_and(|e| e == "py"));
        out.extend(sources.map(|p| std::fs::read_to_string(p).expect("a program")));
    }
    out
}

#[test]
fn deep_nesting_is_refused_or_compiled() {
    let flow = |body: &str| format!("from deepslate import flow\n@flow\nasync def f(x: int) -> int:\n{body}");
    for depth in [10usize, 245, 260, 60_000] {
        check(&flow(&format!("    return {}1{}\n", "(".repeat(depth), ")".repeat(depth))));
        check(&flow(&format!("    return {}1\n", "-".repeat(depth))));
        check(&flow(&format!("    return {}True\n", "not ".repeat(depth))));
        check(&flow(&format!("    return 1{}\n", " + x".repeat(depth))));
        check(&flow(&format!("    return x{}\n", " and x".repeat(depth))));
        check(&flow(&format!("    return 1{}\n", " < x".repeat(depth))));
        check(&flow(&format!("    return x{}\n", ".y".repeat(depth))));
        check(&flow(&format!("    return x{}\n", "[0]".repeat(depth))));
        check(&flow(&format!("    return f{}\n", "(1)".repeat(depth))));
        check(&flow(&format!("    return {}1\n", "1 if x else ".repeat(depth))));
        check(&flow(&format!("    return {}\n", "[".repeat(depth))));
        check(&flow(&format!("    x: {}int{}\n", "list[".repeat(depth), "]".repeat(depth))));
        check(&flow(&format!("    a = {}1\n", "a = ".repeat(depth))));
        check(&flow(&format!("    return {}\n", "'a' ".repeat(depth))));
        check(&flow(&format!("    x: '{}'\n", "(".repeat(depth))));
        let branches: String = (0..depth).map(|i| format!("    elif x == {i}:\n        x = {i}\n")).collect();
        check(&flow(&format!("    if x:\n        pass\n{branches}    return x\n")));
        if depth <= 260 {
            let nested: String = (0..depth).map(|i| format!("{}if x:\n", " ".repeat(4 + i))).collect();
            check(&flow(&format!("{nested}{}pass\n", " ".repeat(4 + depth))));
        }
    }
}

#[test]
fn texts_that_end_anywhere() {
    let text = "from deepslate import flow, dpslio\nX = (1, 'é')\n@flow\nasync def f(q: dpslio.Queue[int], n: int = 3) -> str:\n    for i, c in enumerate(\"añ\"):\n        d = {c: [i, n]}\n    match dpslio.select:\n        case _ if v := await q.get():\n            return f'{v:>{n}} {X[1]!r}'\n";
    for (end, _) in text.char_indices() {
        check(&text[..end]);
    }
    check("\0");
    check("@flow\n");
    check("@\ndef");
    check("\u{feff}\u{feff}x = 1");
    check("def f(:\n  \\");
    check("x = \"\\ud800\"\n");
    check("class A(A): pass\nA = A\nB: A = B\n");
    check("a = b\nb = a\nfrom deepslate import flow\n@flow\nasync def f() -> int:\n    return a\n");
    check(
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: 'dict[A, A]'\n    a: int\nfrom deepslate import flow\n@flow\nasync def f(a: A) -> A:\n    return A(a)\n",
    );
}

/// A generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).expect("below a usize")
    }
}

/// The text cut into words, spaces and signs.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let kind = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            0
        } else if c == ' ' {
            1
        } else {
            2
        }
    };
    let mut last = 3;
    for (at, c) in text.char_indices() {
        let now = kind(c);
        if at > start && (now != last || now == 2) {
            out.push(&text[start..at]);
            start = at;
        }
        last = now;
    }
    out.push(&text[start..]);
    out
}

#[test]
fn changed_programs() {
    let programs = programs();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(120);
    for _ in 0..rounds {
        let program = &programs[random.below(programs.len())];
        let other = &programs[random.below(programs.len())];
        let mut words = tokens(program);
        let others = tokens(other);
        for _ in 0..=random.below(6) {
            let (a, b) = (random.below(words.len()), random.below(words.len()));
            match random.below(5) {
                0 => {
                    words.remove(a);
                }
                1 => words.insert(a, words[b]),
                2 => words.swap(a, b),
                3 => words[a] = others[random.below(others.len())],
                _ => words.insert(a, others[random.below(others.len())]),
            }
            if words.is_empty() {
                words.push("x");
            }
        }
        check(&words.concat());
    }
}

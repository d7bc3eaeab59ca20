//! The reference that the project began with: each item of `seed.md` compiles. An item whose construct is announced for later
//! (E0104 and nothing else) joins by itself when that is there.

use deepslate_frontend::diag::Code;
use deepslate_frontend::{Options, Source, compile};
use std::path::Path;

/// The headings with the programs under them.
fn items(text: &str) -> Vec<(&str, &str)> {
    let sections = text.split("\n## ").skip(1);
    let item = |section: &'_ str| -> Option<(usize, usize, usize)> {
        let title = section.find('\n')?;
        let begin = section.find("```python\n")? + "```python\n".len();
        Some((title, begin, begin + section[begin..].find("```")?))
    };
    sections.filter_map(|s| item(s).map(|(title, begin, end)| (&s[..title], &s[begin..end]))).collect()
}

#[test]
fn each_item_of_the_first_reference_compiles() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("seed.md");
    let text = std::fs::read_to_string(&path).expect("seed.md is there");
    let items = items(&text);
    assert!(items.len() >= 24, "only {} items", items.len());
    let (mut wrong, mut later) = (Vec::new(), Vec::new());
    for (title, program) in items {
        let compiled = compile(&[Source::file("main.py", program)], &Options::default());
        if compiled.diagnostics.iter().any(|d| d.code != Code::NotYet) {
            wrong.push(format!("{title}:\n{}", compiled.render(false)));
        } else if compiled.has_errors() {
            later.push(title);
        } else {
            assert!(compiled.module.is_some(), "{title} has no diagnostics and no module");
        }
    }
    println!("announced for later: {}", later.join(", "));
    assert!(wrong.is_empty(), "{} items don't compile:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

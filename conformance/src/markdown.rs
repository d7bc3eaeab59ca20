//! Cases written as markdown: a heading names a case, the `python` block under it is the program, and the `outcome` block says
//! what must come of it. Prose between them is for readers.
//!
//! An outcome has a line for each thing that must be so, and names everything that is so:
//!
//! ```text
//! result: 42                       the flow's value in the JSON form
//! log: text of one line            in order
//! trap: division at 5              the kind of the trap and the line of the program
//! error: E0103 at 3                a diagnostic of `check`; the program does not run
//! ```
//!
//! Of a trap it may say more, which is compared only then; the words of a message are not compared with CPython's.
//!
//! ```text
//! trace: half 4, main 9            the functions that it happened in, innermost first, and where each of them stood
//! message: division by zero        what is told
//! ```
//!
//! One line more says that CPython does something else, and by which documented difference: `cpython: differs, 64-bit ints`;
//! `cpython::DIFFERENCES` lists them. And `clock: virtual` says that the order in which its tasks go on holds only where nothing
//! but sleeping takes time, as in the matrix; in an engine a sleep may end a little late. Lines `answer: …` say what HTTP calls get
//! (`script`).

use crate::script::Answer;
use std::path::{Path, PathBuf};

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file it stands in.
    pub file: PathBuf,
    /// The line of its heading.
    pub line: usize,
    /// The headings above it, joined.
    pub name: String,
    /// The program. Its flow `main`, without parameters, is what runs.
    pub program: String,
    /// What must come of it.
    pub outcome: Outcome,
    /// Why CPython does something else.
    pub differs: Option<String>,
    /// Whether it holds on a virtual clock only.
    pub needs_virtual_clock: bool,
    /// What its HTTP calls get.
    pub answers: Vec<Answer>,
}

/// What comes of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The value in the JSON form.
    pub result: Option<String>,
    /// The lines of the isolate's log.
    pub log: Vec<String>,
    /// The kind of a trap and the line it happened in.
    pub trap: Option<(String, u32)>,
    /// Codes and lines of diagnostics.
    pub errors: Vec<(String, u32)>,
    /// The functions of a trap's stack trace, innermost first, with their lines.
    pub trace: Option<Vec<(String, u32)>>,
    /// A trap's message.
    pub message: Option<String>,
}

impl Outcome {
    /// Whether what was found is this; what a case need not say counts only where both say it.
    pub fn agrees(&self, found: &Outcome) -> bool {
        fn fits<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        (&self.result, &self.log, &self.trap, &self.errors) == (&found.result, &found.log, &found.trap, &found.errors)
            && fits(self.trace.as_ref(), found.trace.as_ref())
            && fits(self.message.as_ref(), found.message.as_ref())
    }

    /// The outcome, why CPython's is another one, whether it needs a virtual clock, and what its HTTP calls get.
    fn parse(text: &str) -> Result<(Outcome, Option<String>, bool, Vec<Answer>), String> {
        let (mut outcome, mut differs, mut clock, mut answers) = (Outcome::default(), None, false, Vec::new());
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let (key, value) = line.split_once(':').ok_or_else(|| format!("no key in {line:?}"))?;
            let value = value.strip_prefix(' ').unwrap_or(value);
            let placed = || -> Result<(String, u32), String> {
                let (what, at) = value.split_once(" at ").ok_or_else(|| format!("no line in {line:?}"))?;
                Ok((what.to_owned(), at.trim().parse().map_err(|e| format!("{line:?}: {e}"))?))
            };
            match key {
                "result" => outcome.result = Some(value.to_owned()),
                "log" => outcome.log.push(value.to_owned()),
                "trap" => outcome.trap = Some(placed()?),
                "error" => outcome.errors.push(placed()?),
                "message" => outcome.message = Some(value.to_owned()),
                "trace" => {
                    let frame = |part: &str| {
                        let (name, at) = part.trim().split_once(' ')?;
                        Some((name.to_owned(), at.parse().ok()?))
                    };
                    let frames: Option<Vec<_>> = value.split(',').map(frame).collect();
                    outcome.trace = Some(frames.ok_or_else(|| format!("not `name line, …`: {line:?}"))?);
                }
                "cpython" => {
                    let reason = value.strip_prefix("differs, ");
                    differs = Some(reason.ok_or_else(|| format!("not `differs, <reason>`: {line:?}"))?.to_owned());
                }
                "answer" => answers.push(Answer::parse(value)?),
                "clock" if value == "virtual" => clock = true,
                _ => return Err(format!("unknown key in {line:?}")),
            }
        }
        Ok((outcome, differs, clock, answers))
    }
}

/// The cases of one file; an error names file and line.
pub fn cases(file: &Path, text: &str) -> Result<Vec<Case>, String> {
    let mut headings: Vec<(usize, String)> = Vec::new();
    let mut found = Vec::new();
    let mut heading_line = 0;
    let mut program: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let at = |message: &str| format!("{}:{}: {message}", file.display(), index + 1);
        if let Some(title) = line.strip_prefix('#') {
            let depth = title.chars().take_while(|c| *c == '#').count();
            headings.retain(|(d, _)| *d < depth);
            headings.push((depth, title.trim_start_matches('#').trim().to_owned()));
            heading_line = index + 1;
            if program.is_some() {
                return Err(at("the program above has no outcome"));
            }
        } else if let Some(kind) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().map(|(_, l)| l).take_while(|l| !l.starts_with("```")).collect();
            let block = block.join("\n") + "\n";
            match kind {
                "python" if program.is_none() => program = Some(block),
                "python" => return Err(at("a second program before an outcome")),
                "outcome" => {
                    let program = program.take().ok_or_else(|| at("an outcome without a program"))?;
                    let (outcome, differs, needs_virtual_clock, answers) =
                        Outcome::parse(&block).map_err(|e| at(&e))?;
                    let name = headings.iter().map(|(_, t)| t.as_str()).collect::<Vec<_>>().join(" / ");
                    found.push(Case {
                        file: file.to_owned(),
                        line: heading_line,
                        name,
                        program,
                        outcome,
                        differs,
                        needs_virtual_clock,
                        answers,
                    });
                }
                _ => {}
            }
        }
    }
    match program {
        Some(_) => Err(format!("{}: the last program has no outcome", file.display())),
        None => Ok(found),
    }
}

/// All cases below a folder, in the order of file names.
pub fn all(folder: &Path) -> Result<Vec<Case>, String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|e| e.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        found.extend(cases(&file, &text)?);
    }
    Ok(found)
}

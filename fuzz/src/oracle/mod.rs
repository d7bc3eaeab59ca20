//! What must be true of every program. Each oracle is a function that gives `Ok` or a `Finding`; `program` asks all of those
//! that need no other process, `damage::survives` is for parts of snapshots, `cpython` for programs that CPython runs too.

pub mod cpython;
pub mod damage;
pub mod lockstep;
pub mod machines;

use deepslate_frontend::diag::Code;
use deepslate_frontend::{Compiled, Options, Source, compile};
use deepslate_ir::image::Image;
use deepslate_ir::interp::Run;
use deepslate_ir::module::Module;
use deepslate_ir::{opt, verify};
use std::fmt;
use std::sync::Arc;

/// What an oracle found: a bug, of the crate in question or of the oracle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule was broken; findings of one oracle are likely of one cause.
    pub oracle: &'static str,
    /// How.
    pub message: String,
}

impl Finding {
    /// A finding.
    pub fn new(oracle: &'static str, message: impl Into<String>) -> Finding {
        Finding { oracle, message: message.into() }
    }

    /// Whether two findings are likely of one cause: of one oracle, and alike in what they begin with where the front end refuses
    /// a program or CPython differs.
    pub fn is_like(&self, other: &Finding) -> bool {
        let begin = |f: &Finding| {
            let first = f.message.lines().next().unwrap_or_default();
            first.chars().filter(|c| !c.is_ascii_digit()).take(40).collect::<String>()
        };
        self.oracle == other.oracle && (!matches!(self.oracle, "accepted" | "CPython") || begin(self) == begin(other))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.oracle, self.message)
    }
}

/// What a program came to where no oracle objects.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// It ran to its end in all ways alike.
    Ran(Run),
    /// It was not run everywhere: it takes too long, or too much memory.
    TooLong,
    /// The front end says no; only spoiled programs get here.
    Refused,
}

const PATH: &str = "main.py";

/// Compiles a source; the front end must not give up in the middle.
pub fn compiled(source: &str) -> Result<Compiled, Finding> {
    let compiled = compile(&[Source::file(PATH, source)], &Options::default());
    if compiled.diagnostics.iter().any(|d| d.code == Code::Internal) {
        return Err(Finding::new("front end", compiled.render(false)));
    }
    // Reports are for people, and made of hostile text too.
    compiled.render(false);
    compiled.json();
    Ok(compiled)
}

/// Compiles a source that must be accepted.
pub fn accepted(source: &str) -> Result<Image, Finding> {
    let mut compiled = compiled(source)?;
    match compiled.module.take() {
        Some(module) => image(module),
        None => Err(Finding::new("accepted", compiled.render(false))),
    }
}

/// The image of a module: verified, and the same after printing and parsing.
fn image(module: Module) -> Result<Image, Finding> {
    let wrong = |message: String| Finding::new("text form", message);
    if let Err(errors) = verify::verify(&module) {
        return Err(Finding::new("verifier", errors.iter().map(|e| format!("{e}\n")).collect::<String>()));
    }
    let image = Image::of(module).map_err(|e| wrong(e.to_string()))?;
    let text = image.module().to_string();
    if text.as_bytes() != image.bytes() {
        return Err(wrong("the image is not the text form".to_owned()));
    }
    let opened = Image::open(image.bytes().to_vec()).map_err(|e| wrong(format!("{e}\n{text}")))?;
    let again = opened.module().to_string();
    if again != text {
        return Err(wrong(format!("it prints otherwise once it was parsed:\n{text}\n{again}")));
    }
    if opened.hash() != image.hash() {
        return Err(wrong("its hash is another one once it was opened".to_owned()));
    }
    Ok(opened)
}

/// The same program after all passes over its IR.
fn optimized(module: &Module) -> Result<Module, Finding> {
    let mut after = module.clone();
    for func in &mut after.funcs {
        opt::optimize(module, func, &opt::Pass::ALL);
    }
    match verify::verify(&after) {
        Ok(()) => Ok(after),
        Err(errors) => {
            let errors: String = errors.iter().map(|e| format!("{e}\n")).collect();
            Err(Finding::new("passes", format!("{errors}{after}")))
        }
    }
}

/// Asks all oracles that need no other process about a program that the generator wrote.
pub fn program(source: &str) -> Result<Checked, Finding> {
    let image = accepted(source)?;
    ran(&image)
}

/// Asks all oracles about a program that the generator wrote for CPython too. The flag tells whether CPython said something.
pub fn program_everywhere(source: &str, python: &mut cpython::Python) -> Result<(Checked, bool), Finding> {
    let image = accepted(source)?;
    let checked = ran(&image)?;
    let spoke = match &checked {
        Checked::Ran(run) => python.agrees(source, run)?,
        Checked::TooLong | Checked::Refused => false,
    };
    Ok((checked, spoke))
}

/// The same about a source that may be anything.
pub fn any_source(source: &str) -> Result<Checked, Finding> {
    match compiled(source)?.module {
        Some(module) => {
            let image = image(module)?;
            match image.module().flow("main") {
                Some(main) if image.module().func(main).params.is_empty() => ran(&image),
                _ => Ok(Checked::Refused),
            }
        }
        None => Ok(Checked::Refused),
    }
}

fn ran(image: &Image) -> Result<Checked, Finding> {
    let run = machines::evaluated(image.module())?;
    let programs = machines::Lowerings::of(image)?;
    if machines::says_nothing(&run) {
        return Ok(Checked::TooLong);
    }
    machines::agree(&programs, &run)?;
    lockstep::agree(&programs)?;
    let other = machines::evaluated(&Arc::new(optimized(image.module())?))?;
    if let Some(difference) = machines::difference(&run, &other) {
        return Err(Finding::new("passes", format!("after the passes over the IR {difference}")));
    }
    Ok(Checked::Ran(run))
}

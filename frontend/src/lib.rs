//! Source text of the Python subset to checked programs in IR.
//!
//! `compile` reads sources (`python`), checks them (`check`, from the source tree `ast` to the checked tree `tree`) and
//! lowers what flows reach to a module (`lower`). It always gives all diagnostics that it finds, and a module only where
//! none is an error. It performs no I/O and panics on no input.
#![forbid(unsafe_code)]

pub mod ast;
mod check;
pub mod diag;
mod flow;
mod lower;
mod python;
mod source;
mod tree;
mod walk;

pub use source::{Position, Source, Sources, Span};

use check::{Kind, Outcome, Program};
use deepslate_ir::datum::Datum;
use deepslate_ir::module::Module;
use diag::{Code, Diagnostic, Severity};
use std::collections::BTreeSet;

/// What to compile besides the flows.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Constants of the sources' namespace whose values are known to the caller, by name: None, numbers, text, bytes and
    /// tuples of those. A definition in a source wins over one of these.
    pub constants: Vec<(String, Datum)>,
    /// Whether plain and pure functions that no flow reaches are compiled as well, where they can be.
    pub all_functions: bool,
    /// Whether pure functions can be called in the host too, by their names: one that is compiled is then called there again
    /// where an integer does not fit 64 bits.
    pub pure_in_host: bool,
}

/// What a function of the sources is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionKind {
    /// Marked `@flow`.
    Flow,
    /// Not marked.
    Plain,
    /// Marked `@pure`.
    Pure,
    /// Marked `@impure`.
    Impure,
}

/// A parameter of a function, for callers from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterReport {
    /// Its name.
    pub name: String,
    /// Its type as written in the text form of IR; none if it has none or a wrong one.
    pub ty: Option<String>,
    /// Its value where it is not given.
    pub default: Option<Datum>,
}

/// A function of the sources and what became of it.
#[derive(Clone, Debug)]
pub struct FunctionReport {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FunctionKind,
    /// Where its name stands.
    pub span: Span,
    /// Its parameters, in order.
    pub params: Vec<ParameterReport>,
    /// Whether it can be compiled; a pure function that can't runs in the host.
    pub compiled: bool,
    /// Whether a flow reaches it (or it is one).
    pub reached: bool,
    /// Why it can't be compiled, if it can't and is not impure: the first reason.
    pub reason: Option<Diagnostic>,
}

/// What compiling gave.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program, verified; only if no diagnostic is an error.
    pub module: Option<Module>,
    /// What is wrong, in the order of the sources.
    pub diagnostics: Vec<Diagnostic>,
    /// The sources, to render diagnostics.
    pub sources: Sources,
    /// All functions, in the order of the sources.
    pub functions: Vec<FunctionReport>,
}

impl Compiled {
    /// The diagnostics for people, with source excerpts.
    pub fn render(&self, color: bool) -> String {
        diag::render(&self.sources, &self.diagnostics, color)
    }

    /// The diagnostics for editors and logs, one line each.
    pub fn lines(&self) -> String {
        diag::lines(&self.sources, &self.diagnostics)
    }

    /// The diagnostics for machines.
    pub fn json(&self) -> serde_json::Value {
        diag::json(&self.sources, &self.diagnostics)
    }

    /// Whether any diagnostic is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Trees are walked recursively; their depth is bounded, and this is enough for the deepest ones in unoptimised builds.
const STACK: usize = 256 << 20;

/// Compiles sources that share one namespace: a file, or snippets of one or several files.
pub fn compile(sources: &[Source], options: &Options) -> Compiled {
    let sources = Sources::new(sources);
    let work = || compile_here(&sources, options);
    let result = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("deepslate-compile".to_owned()).stack_size(STACK);
        match builder.spawn_scoped(scope, work) {
            Ok(thread) => thread.join().map_err(|_| "the compiler stopped in the middle of its work".to_owned()),
            Err(error) => Err(format!("the compiler can't start its thread: {error}")),
        }
    });
    let (module, diagnostics, functions) = result.unwrap_or_else(|message| {
        let report = Diagnostic::error(Code::Internal, Span::default(), message);
        (None, vec![report.help("this is a bug of Deepslate; please report it with the source")], Vec::new())
    });
    Compiled { module, diagnostics, sources, functions }
}

type Result3 = (Option<Module>, Vec<Diagnostic>, Vec<FunctionReport>);

fn compile_here(sources: &Sources, options: &Options) -> Result3 {
    let items = python::items(sources);
    let mut program = check::collect(sources, &items, &options.constants);
    check::check(&mut program);
    let flows = (0..program.functions.len()).filter(|i| program.functions[*i].kind == Kind::Flow);
    let flows: Vec<usize> = flows.collect();
    let reached = lower::reached(&program, &flows);
    let mut diagnostics = collected(&program, &items, &reached);
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let module = if failed { None } else { module(&program, &flows, options, &mut diagnostics) };
    let functions = (0..program.functions.len()).map(|i| report(&program, i, reached.contains(&i))).collect();
    (module, diagnostics, functions)
}

fn module(
    program: &Program<'_>,
    flows: &[usize],
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Module> {
    let mut roots = flows.to_vec();
    if options.all_functions {
        let all = 0..program.functions.len();
        roots.extend(all.filter(|i| program.functions[*i].is_compiled() && !program.functions[*i].is_host()));
    }
    let module = lower::lower(program, &roots, options.pure_in_host);
    match deepslate_ir::verify::verify(&module) {
        Ok(()) => Some(module),
        Err(errors) => {
            for error in errors {
                let named = error.func.as_ref().and_then(|n| program.functions.iter().find(|f| f.name == *n));
                let span = named.map_or(Span::default(), |f| f.ast.name.span);
                let report = Diagnostic::error(Code::Internal, span, format!("the compiled program is wrong: {error}"));
                diagnostics.push(report.help("this is a bug of Deepslate; please report it with the source"));
            }
            None
        }
    }
}

/// The diagnostics that concern the user: those of flows and of functions marked as ours, and calls of what can't be
/// compiled. What is wrong with other code of the file is its own business.
fn collected(program: &Program<'_>, items: &[python::Item], reached: &BTreeSet<usize>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for (index, function) in program.functions.iter().enumerate() {
        match function.kind {
            Kind::Flow => {
                out.extend(function.signature.iter().chain(&function.diagnostics).cloned());
            }
            Kind::Pure | Kind::Impure => {
                out.extend(function.signature.iter().cloned());
                let wrong = |d: &&Diagnostic| matches!(d.code, Code::ImpureInPure | Code::ArgumentChanged);
                out.extend(function.diagnostics.iter().filter(wrong).cloned());
            }
            Kind::Plain => continue,
        }
        if function.is_host() || !reached.contains(&index) {
            continue;
        }
        for (callee, span) in function.calls.iter().chain(&function.spawns) {
            let called = &program.functions[*callee];
            if called.kind == Kind::Plain && !called.is_compiled() {
                out.push(check::does_not_fit(program, *callee, *span));
            }
        }
    }
    for item in items {
        // A definition that is meant for us, but can't be read at all.
        if let Err(broken) = &item.content {
            let text = program.sources.text(item.span);
            let ours = ["@flow", "@pure", "@impure", "@deepslate."];
            if broken.why.code == Code::TooLarge
                || text.lines().any(|l| ours.iter().any(|o| l.trim_start().starts_with(o)))
            {
                let mut report = Diagnostic::error(broken.why.code, broken.why.span, broken.why.message.clone());
                report.help.extend(broken.why.help.clone());
                out.push(report);
            }
        }
    }
    let names: Vec<&Diagnostic> = program.diagnostics.iter().collect();
    out.extend(names.into_iter().cloned());
    out.sort_by_key(|d| (d.span, d.code));
    out.dedup();
    out
}

fn report(program: &Program<'_>, index: usize, reached: bool) -> FunctionReport {
    let function = &program.functions[index];
    let kind = match function.kind {
        Kind::Flow => FunctionKind::Flow,
        Kind::Plain => FunctionKind::Plain,
        Kind::Pure => FunctionKind::Pure,
        Kind::Impure => FunctionKind::Impure,
    };
    let reason = match &function.outcome {
        Outcome::DoesNotFit(reason) => Some((**reason).clone()),
        Outcome::Pending | Outcome::Compiled(_) | Outcome::Host => None,
    };
    let compiled = matches!(function.outcome, Outcome::Compiled(_));
    let param = |p: &check::Param| ParameterReport {
        name: p.name.clone(),
        ty: p.ty.map(|ty| program.types.name(ty)),
        default: match &p.default {
            Some(check::Default::Constant(datum)) => Some(datum.clone()),
            Some(check::Default::Made(_) | check::Default::Wrong) | None => None,
        },
    };
    let params = function.params.iter().map(param).collect();
    let span = function.ast.name.span;
    FunctionReport { name: function.name.clone(), kind, span, params, compiled, reached, reason }
}

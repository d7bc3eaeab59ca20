//! Checks programs: names, types and whether variables have values, from the source tree to the checked tree. Everything is
//! looked at and every mistake collected; an expression with a mistake has no checked form, and what depends on it stays
//! silent, so that one mistake is reported once.
//!
//! Files: `names` what the names of a file stand for, `annotations` types as written, `signatures` functions and classes,
//! `constants` module constants, `body` one function with its statements, `assign`, `loops`, `choice` (match and select), `conditions`,
//! `expr` expressions, `elements` parts of values, `sequences` displays and unpacking, `folds` generators that a builtin consumes, `operators`, `call`, `builtin`, `overloads` which of several builtins a call means,
//! `own` the class of the language itself, `special` builtins that say more than a signature, `format` f-strings, `templates` `%` and `.format`, `convert` implicit conversions, `purity` what pure functions must not change,
//! `stand_ins` names of functions and generators, `json` values to JSON and back, `infer` what empty lists and dicts hold, `variables` what variables are and whether they have
//! a value.

mod annotations;
mod assign;
mod body;
mod builtin;
mod call;
mod callable;
mod choice;
mod classes;
mod conditions;
mod constants;
mod convert;
mod elements;
mod enums;
mod expr;
mod folds;
mod format;
mod globals;
mod infer;
mod init;
mod json;
mod loops;
mod names;
mod nested;
mod objects;
mod operators;
mod overloads;
mod own;
mod patterns;
mod purity;
mod sequences;
mod signatures;
mod special;
mod stand_ins;
mod templates;
mod unions;
mod variables;

pub(crate) use names::{Global, Program, collect};
pub(crate) use signatures::{Default, Kind, Outcome, Param};

use crate::diag::{Diagnostic, Severity};

/// Checks all functions of a program: afterwards each has its outcome.
pub(crate) fn check(program: &mut Program<'_>) {
    signatures::declare(program);
    for index in 0..program.functions.len() {
        body::check(program, index);
    }
    settle(program);
    keep_pure(program);
    purity::check(program);
}

/// Reports pure functions that act by way of plain functions that they call.
fn keep_pure(program: &mut Program<'_>) {
    let mut acts: Vec<bool> = program.functions.iter().map(|f| f.acts).collect();
    let passes_on = |f: &signatures::Function<'_>| f.kind == Kind::Plain;
    loop {
        let mut changed = false;
        for (index, function) in program.functions.iter().enumerate() {
            let reached = passes_on(function) && function.calls.iter().any(|(callee, _)| acts[*callee]);
            changed |= reached && !std::mem::replace(&mut acts[index], true);
        }
        if !changed {
            break;
        }
    }
    for index in 0..program.functions.len() {
        let function = &program.functions[index];
        if function.kind != Kind::Pure {
            continue;
        }
        let bad = function.calls.iter().find(|(callee, _)| acts[*callee] && passes_on(&program.functions[*callee]));
        if let Some((callee, span)) = bad {
            let (name, called) = (&function.name, &program.functions[*callee].name);
            let message = format!("pure function `{name}` calls `{called}`, which is not pure");
            let report = Diagnostic::error(crate::diag::Code::ImpureInPure, *span, message);
            let report = report.help("pure functions only compute; do it in a flow");
            program.functions[index].diagnostics.push(report);
        }
    }
}

/// Decides which functions can be compiled: those without a mistake whose callees can be, too.
fn settle(program: &mut Program<'_>) {
    loop {
        let mut changed = false;
        for index in 0..program.functions.len() {
            if program.functions[index].kind == Kind::Flow || !program.functions[index].is_compiled() {
                continue;
            }
            let bad = program.functions[index].calls.iter().chain(&program.functions[index].spawns).find_map(
                |(callee, span)| {
                    let called = &program.functions[*callee];
                    (called.kind == Kind::Plain && !called.is_compiled()).then_some((*callee, *span))
                },
            );
            if let Some((callee, span)) = bad {
                let reason = does_not_fit(program, callee, span);
                program.functions[index].outcome = Outcome::DoesNotFit(Box::new(reason));
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// The report of a call of a plain function that can't be compiled.
pub(crate) fn does_not_fit(program: &Program<'_>, callee: usize, span: crate::source::Span) -> Diagnostic {
    let called = &program.functions[callee];
    let name = &called.name;
    let mut report = Diagnostic::error(
        crate::diag::Code::DoesNotFit,
        span,
        format!("`{name}` can't be called in a flow, since it can't be compiled"),
    );
    if let Outcome::DoesNotFit(reason) = &called.outcome {
        // Of a chain of calls the last reason is the one that the user can do something about.
        let deepest = match (reason.code == report.code, reason.labels.first()) {
            (true, Some(label)) => (label.span, label.message.clone()),
            _ => (reason.span, reason.message.clone()),
        };
        report = report.label(deepest.0, deepest.1);
        if reason.code != report.code {
            report.help.extend(reason.help.iter().cloned());
        }
    }
    if called.owner.is_some() || called.within.is_some() {
        return report;
    }
    report.help(format!(
        "mark `{name}` as @pure if it only computes, or as @impure if it does something outside: it then runs in Python"
    ))
}

/// The errors among these.
pub(crate) fn first_error(diagnostics: &[Diagnostic]) -> Option<&Diagnostic> {
    diagnostics.iter().find(|d| d.severity == Severity::Error)
}

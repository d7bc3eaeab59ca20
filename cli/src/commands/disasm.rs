//! `deepslate disasm`: what a file compiles to, in the form that is stored or in the one that runs, source lines beside it.

use deepslate::engine::regvm;
use deepslate::frontend::Options;
use deepslate::ir::entity::FuncId;
use deepslate::ir::module::{Module, Span};
use deepslate::ir::print::FuncText;
use serde_json::json;

use crate::args::{Disasm, Stage};
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};
use crate::print;

/// Prints one function or all.
pub fn disasm(context: &Context, args: &Disasm) -> Outcome {
    let options = Options { all_functions: true, ..Options::default() };
    let loaded = context.loader.load(&args.file, &options)?;
    let image = loaded.image()?;
    let module = image.module().clone();
    let all: Vec<FuncId> = (0..module.funcs.len()).map(FuncId::from_index).collect();
    let names = || module.funcs.iter().map(|func| func.name.as_str());
    let chosen = match &args.function {
        None => all,
        Some(name) => match module.func_named(name) {
            Some(func) => vec![func],
            None => return Err(super::unknown("function", name, names(), &args.file.display().to_string())),
        },
    };
    let texts: Vec<String> = match args.stage {
        Stage::Ir => chosen.iter().map(|func| ir(&module, *func)).collect(),
        Stage::Bytecode => {
            let program = regvm::Program::new(image, regvm::Options::default())
                .map_err(|error| Stopped::new(Exit::Failed, format!("{}: {error}", args.file.display())))?;
            chosen.iter().map(|func| regvm::disas::disas(&program, *func)).collect()
        }
    };
    if context.json {
        let functions =
            chosen.iter().zip(&texts).map(|(func, text)| json!({"name": module.func(*func).name, "text": text}));
        print::line(&json!({"functions": functions.collect::<Vec<_>>()}).to_string());
    } else {
        print::out(&texts.join("\n"));
    }
    Ok(())
}

/// A function in the text form with each source line in front of the instructions that were made from it. The text has one line for
/// the head, one for each block and each instruction, and one for the end.
fn ir(module: &Module, id: FuncId) -> String {
    let func = module.func(id);
    let text = FuncText { module, func }.to_string();
    let mut lines = text.lines();
    let mut out = String::new();
    let mut next = |out: &mut String| {
        out.push_str(lines.next().unwrap_or_default());
        out.push('\n');
    };
    next(&mut out);
    let mut shown = Span::NOWHERE;
    for block in func.block_ids() {
        next(&mut out);
        for inst in &func.block(block).insts {
            let span = func.inst(*inst).span;
            if span.line > 0 && (span.file, span.line) != (shown.file, shown.line) {
                let source = module.source_line(span).unwrap_or_default().trim();
                out.push_str(&format!("  ; {}: {source}\n", span.line));
                shown = span;
            }
            next(&mut out);
        }
    }
    next(&mut out);
    out
}

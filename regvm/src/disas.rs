//! Bytecode as a person reads it: each function with its frame, each instruction with its registers, and the source line in
//! front of the code that was made from it.

use crate::ops::{Form, Shape, Word, case, list_item, pair_item};
use crate::program::Program;
use deepslate_ir::entity::{FuncId, TypeId};
use deepslate_ir::module::{Constant, Span};
use deepslate_ir::trap::TrapKind;
use std::fmt::Write;

/// The listing of one function. References are in registers `r`, scalars in `s`, both by their number in the frame.
pub fn disas(program: &Program, func: FuncId) -> String {
    let mut out = String::new();
    let (module, code) = (program.module(), program.code(func));
    let name = &module.func(func).name;
    let reg = |r: u16| register(r, code.refs);
    let params: Vec<String> = code.params.iter().map(|r| reg(*r)).collect();
    let scalars = code.count - code.refs;
    let _ = writeln!(out, "{name}({}): {} references, {scalars} scalars", params.join(", "), code.refs);
    let mut shown = Span::NOWHERE;
    let mut at = code.entry as usize;
    while at < code.end as usize {
        let span = code.span(at as u32);
        if (span.file, span.line) != (shown.file, shown.line) && span.line > 0 {
            let text = module.source_line(span).unwrap_or_default().trim();
            let _ = writeln!(out, "  ; {}: {text}", span.line);
            shown = span;
        }
        let word = Word(program.words()[at]);
        let Some(form) = Form::from_number(word.number()) else {
            let _ = writeln!(out, "  {:5}  ?", at - code.entry as usize);
            break;
        };
        let operands = operands(program, func, at, word, form);
        let line = format!("  {:5}  {:14} {operands}", at - code.entry as usize, form.name());
        let _ = writeln!(out, "{}", line.trim_end());
        at += form.length(word.b());
    }
    out
}

fn register(reg: u16, refs: u16) -> String {
    if reg < refs { format!("r{reg}") } else { format!("s{reg}") }
}

fn operands(program: &Program, func: FuncId, at: usize, word: Word, form: Form) -> String {
    let (module, code) = (program.module(), program.code(func));
    let words = program.words();
    let entry = code.entry as isize;
    let reg = |r: u16| register(r, code.refs);
    let (a, b, c) = (reg(word.a()), reg(word.b()), reg(word.c()));
    let to = |distance: isize| format!("-> {}", at as isize + distance - entry);
    let ty = |index: usize| module.types.name(TypeId(words[at + index] as u32));
    let list = || {
        let regs: Vec<String> = (0..usize::from(word.b())).map(|i| reg(list_item(&words[at + 2..], i))).collect();
        regs.join(", ")
    };
    let stop = |number: u64| format!("stop{number}");
    match form.shape() {
        Shape::D => format!("{a} ="),
        Shape::DI => format!("{a} = {}", word.imm_b()),
        Shape::DWord if form == Form::Fconst => format!("{a} = {}", f64::from_bits(words[at + 1])),
        Shape::DWord => format!("{a} = {}", words[at + 1] as i64),
        Shape::DConst => {
            let shown: String = match module.consts.get_index(word.wide() as usize) {
                Some(Constant::Str(text)) => format!("{text:?}"),
                Some(Constant::Bytes(bytes)) => format!("{bytes:?}"),
                None => "?".to_owned(),
            };
            format!("{a} = {}", shown.chars().take(60).collect::<String>())
        }
        Shape::DU => format!("{a} = {b}"),
        Shape::DUU => format!("{a} = {b}, {c}"),
        Shape::DUI => format!("{a} = {b}, {}", word.imm_c()),
        Shape::DUUType => format!("{a} = {b}, {c} as {}", ty(1)),
        Shape::DUType => format!("{a} = {b} as {}", ty(1)),
        Shape::DUTypes => format!("{a} = {b} as {}", ty(1)),
        Shape::DUSlot => format!("{a} = {b}.{}", word.c()),
        Shape::UUSlot => format!("{a}.{} = {b}", word.c()),
        Shape::U => a,
        Shape::UU | Shape::Swap => format!("{a}, {b}"),
        Shape::UUU => format!("{a}, {b}, {c}"),
        Shape::DTypeList => format!("{a} = {}({})", ty(1), list()),
        Shape::Jump => to(word.jump_wide()),
        Shape::UJump => format!("{a} {}", to(word.jump_wide())),
        Shape::UUJump => format!("{a}, {b} {}", to(word.jump_c())),
        Shape::UIJump => format!("{a}, {} {}", word.imm_b(), to(word.jump_c())),
        Shape::Fail => {
            let kind = u8::try_from(word.b()).ok().and_then(TrapKind::from_number);
            format!("{} {a}", kind.map_or("?", TrapKind::name))
        }
        Shape::Poll => stop(word.wide().into()),
        Shape::Call | Shape::Spawn => {
            let callee = FuncId(words[at + 1] as u32);
            let refs = program.code(callee).refs;
            let pairs = (0..usize::from(word.b())).map(|i| pair_item(&words[at + 2..], i));
            let pairs: Vec<String> =
                pairs.map(|(from, to)| format!("{} = {}", register(to, refs), reg(from))).collect();
            let callee = &module.func(callee).name;
            match form.shape() {
                Shape::Call => format!("{a} = {callee}({}) {}", pairs.join(", "), stop(words[at + 1] >> 32)),
                _ => format!("{callee}({})", pairs.join(", ")),
            }
        }
        Shape::Builtin => {
            let site = &program.sites()[words[at + 1] as usize];
            format!("{a} = {}({})", site.builtin, list())
        }
        Shape::Host => {
            let host = &module.hosts[words[at + 1] as u32 as usize].name;
            let stop = if form.op().stops() { stop(words[at + 1] >> 32) } else { String::new() };
            format!("{a} = {host}({}) {stop}", list())
        }
        Shape::DUStop => format!("{a} = {b} {}", stop(words[at + 1])),
        Shape::DUStopType => format!("{a} = {b} {}", stop(words[at + 1] & 0xffff_ffff)),
        Shape::DUUTo => format!("{a} = {b}, {c} as {}", ty(1)),
        Shape::DUUStop => format!("{a} = {b}, {c} {}", stop(words[at + 1])),
        Shape::Select => {
            let mut out = stop(words[at + 1]);
            for index in 0..usize::from(word.b()) {
                let first = words[at + 2 + 2 * index];
                let (queue, other) = (reg((first >> 16) as u16), reg((first >> 32) as u16));
                let jump = to((words[at + 3 + 2 * index] >> 32) as u32 as i32 as isize);
                let _ = match first as u16 {
                    case::GET => write!(out, "; {other} = get {queue} {jump}"),
                    case::RECEIVE => write!(out, "; {other} = receive {queue} {jump}"),
                    case::PUT => write!(out, "; put {queue}, {other} {jump}"),
                    _ => write!(out, "; default {jump}"),
                };
            }
            out
        }
    }
}

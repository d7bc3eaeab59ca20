//! Compiles the files given and prints their diagnostics, and with `--ir` the program.

use deepslate_frontend::{Options, Source, compile};

fn main() -> std::io::Result<()> {
    let mut show = false;
    let mut sources = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--ir" => show = true,
            path => sources.push(Source::file(path, std::fs::read_to_string(path)?)),
        }
    }
    let compiled = compile(&sources, &Options { all_functions: true, ..Options::default() });
    eprint!("{}", compiled.render(false));
    for function in &compiled.functions {
        let state = if function.compiled { "compiled" } else { "not compiled" };
        let reason = function.reason.as_ref().map_or("", |r| &r.message);
        println!("{:?} {}: {state} {reason}", function.kind, function.name);
    }
    if let (true, Some(module)) = (show, &compiled.module) {
        println!("{module}");
    }
    Ok(())
}

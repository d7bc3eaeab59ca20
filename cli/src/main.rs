//! The binary `deepslate`: nothing but the library's `main`, which the Python wheel installs too.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    deepslate_cli::main(std::env::args_os())
}

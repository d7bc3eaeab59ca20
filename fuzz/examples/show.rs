//! Prints the program with the number that is given; with a second argument, the one that CPython is asked about.

use deepslate_fuzz::generate;

fn main() {
    let seed = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(0);
    let source = match std::env::args().nth(2) {
        None => generate::program_of(seed).1,
        Some(_) => generate::program_for_cpython(seed),
    };
    println!("{source}");
}

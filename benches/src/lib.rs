//! What the benchmarks share: programs from source text, and an isolate of the machine alone that is driven from sleep to sleep.
#![forbid(unsafe_code)]

use deepslate_engine::ir::datum::Datum;
use deepslate_engine::ir::image::Image;
use deepslate_engine::regvm::testing::Parts;
use deepslate_engine::regvm::{Exit, Interrupt, Isolate, Limits, NoHost, Options, Program};
use deepslate_frontend::{Options as FrontendOptions, Source, compile};
use std::sync::Arc;

/// The program of this source, which has no mistakes.
///
/// # Panics
/// With the diagnostics, if it has.
pub fn image(source: &str) -> Image {
    let compiled = compile(&[Source::file("bench.py", source)], &FrontendOptions::default());
    assert!(!compiled.has_errors(), "{}", compiled.render(false));
    Image::of(compiled.module.expect("a program without errors")).expect("the front end makes images")
}

/// An isolate between two sleeps, with the parts that a store would keep of it.
#[derive(Debug)]
pub struct Loop {
    /// The program.
    pub program: Arc<Program>,
    /// The isolate; it can run.
    pub isolate: Isolate,
    /// What was committed.
    pub parts: Parts,
}

impl Loop {
    /// Begins a flow and runs it to its first sleep, which is committed and over.
    pub fn new(source: &str, flow: &str, args: &[i64]) -> Loop {
        let program = Program::new(image(source), Options::default()).expect("it is lowered");
        let func = program.module().flow(flow).expect("there is such a flow");
        let args: Vec<Datum> = args.iter().map(|n| Datum::Int(*n)).collect();
        let isolate = Isolate::new(&program, func, &args, Limits::default()).expect("it begins");
        let mut begun = Loop { program, isolate, parts: Parts::default() };
        begun.turn();
        begun
    }

    /// Runs to the next sleep.
    pub fn run(&mut self) {
        assert_eq!(self.isolate.run(&mut NoHost, &Interrupt::new()), Exit::Blocked, "the flow loops");
    }

    /// Commits, and ends the sleep. Gives how many bytes the part had.
    pub fn commit(&mut self) -> usize {
        let part = self.isolate.commit().expect("its parts are sound");
        let bytes = part.bytes.len();
        self.parts.apply(part);
        let step = self.isolate.next_step() - 1;
        assert!(self.isolate.complete(step, Ok(Datum::None)), "it sleeps");
        bytes
    }

    /// Runs to the next sleep, commits, ends it.
    pub fn turn(&mut self) -> usize {
        self.run();
        self.commit()
    }
}

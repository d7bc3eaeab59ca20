//! An isolate: one running instance of a flow, from its arguments or a snapshot to its result. This is the crate's face to
//! the engine.

use crate::program::Program;
use crate::snapshot::{Part, SnapshotError};
use crate::stop::{Call, Exit, Interrupt};
use crate::view::View;
use bytes::Bytes;
use deepslate_ir::datum::Datum;
use deepslate_ir::entity::{FuncId, HostId};
use deepslate_ir::trap::Fault;
use std::sync::Arc;

/// What an isolate may use; over a limit is a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of heap and register stacks together.
    pub heap_bytes: u64,
    /// Live tasks.
    pub tasks: u32,
    /// Frames of one task.
    pub call_depth: u32,
    /// Bytes of one value that crosses the border, as `datum::to_datum` counts them.
    pub message_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { heap_bytes: 256 << 20, tasks: 10_000, call_depth: 1_000, message_bytes: 4 << 20 }
    }
}

/// What the machine asks while it runs, without leaving `run`.
pub trait Host {
    /// Calls a pure host function. The result is checked against the declared type.
    fn call_pure(&mut self, host: HostId, args: &[Datum]) -> Result<Datum, Fault>;
}

/// One running instance of a flow.
#[derive(Debug)]
pub struct Isolate {
    program: Arc<Program>,
}

impl Isolate {
    /// A new instance of this function with these arguments. Fails where they do not fit its parameters.
    pub fn new(program: &Arc<Program>, flow: FuncId, args: &[Datum], limits: Limits) -> Result<Isolate, Fault> {
        let _ = (program, flow, args, limits);
        todo!()
    }

    /// The instance that these parts were written of: number and bytes of each, oldest first.
    pub fn restore(program: &Arc<Program>, parts: &[(u64, Bytes)], limits: Limits) -> Result<Isolate, SnapshotError> {
        let _ = (program, parts, limits);
        todo!()
    }

    /// Runs until every task is blocked or has ended, one has trapped, or the interrupt is set, which it clears on its way
    /// out.
    pub fn run(&mut self, host: &mut dyn Host, interrupt: &Interrupt) -> Exit {
        let _ = (host, interrupt, &self.program);
        todo!()
    }

    /// The durable calls made since the last ask.
    pub fn take_new_calls(&mut self) -> Vec<Call> {
        todo!()
    }

    /// All durable calls without a result, in the order of their steps; a restored isolate has them too.
    pub fn pending(&self) -> &[Call] {
        todo!()
    }

    /// Gives a durable call its result, checked against the declared type. `false` if there is no such call.
    pub fn complete(&mut self, step: u64, result: Result<Datum, Fault>) -> bool {
        let _ = (step, result);
        todo!()
    }

    /// The log lines written since the last ask.
    pub fn take_log(&mut self) -> Vec<String> {
        todo!()
    }

    /// Whether anything has changed since the last commit.
    pub fn changed(&self) -> bool {
        todo!()
    }

    /// Writes down what has changed. The store drops the parts from `drop_from` on and puts this one.
    pub fn commit(&mut self) -> Part {
        todo!()
    }

    /// What a person looks at.
    pub fn view(&self) -> View {
        todo!()
    }

    /// Bytes of heap in use.
    pub fn heap_bytes(&self) -> u64 {
        todo!()
    }

    /// The number that the next durable call gets.
    pub fn next_step(&self) -> u64 {
        todo!()
    }
}

//! Pauses of an isolate's life before a host call is made again: they are committed with the number of attempts, and end as
//! sleeps do.

use std::time::Duration;

use super::{Body, Turn};
use crate::clock::due_ms;
use crate::record::event::EventKind;

impl Body {
    /// A host call has failed, and is made again after a pause.
    pub(super) fn retry(&mut self, turn: &Turn<'_>, step: u64, attempt: u32, pause: Duration, why: &str) {
        turn.node.calls.finished(self.head.id, step);
        let pending = self.vm.iter().flat_map(|vm| vm.pending()).any(|call| call.step == step);
        if self.record.ending.is_some() || !pending {
            return;
        }
        self.record.attempts.insert(step, attempt.saturating_add(1));
        let due = (due_ms(turn.node.time.now_ms(), pause.as_secs_f64()), step);
        self.record.sleeps.insert(due);
        self.wanted.sleeps.push(due);
        self.wanted.commit = true;
        self.happened(turn, EventKind::Retried, why);
    }

    /// Whether a host call of this step waits for the end of such a pause.
    pub(super) fn pauses(&self, step: u64) -> bool {
        self.record.sleeps.iter().any(|(_, of)| *of == step)
    }

    /// Where a sleep that is over was such a pause, wants the call again. That its pause is over is committed first: whatever life
    /// finds it begun then counts another attempt.
    pub(super) fn pause_is_over(&mut self, step: u64) -> bool {
        let pending = self.vm.iter().flat_map(|vm| vm.pending()).find(|call| call.step == step);
        let Some(call) = pending.filter(|call| self.acts(&call.request)).cloned() else { return false };
        self.wanted.calls.push(call);
        self.wanted.commit = true;
        true
    }
}

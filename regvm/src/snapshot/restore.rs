//! Reading a snapshot back: head, tasks and frames at once, of the objects those that these refer to. The others are opened when the
//! isolate reaches them, or now if there are few.

use super::index::Index;
use super::ledger::{EndedTask, Ledger, PartEntry, TaskEntry};
use super::open::Maker;
use super::tasks;
use super::unopened::Unopened;
use super::{Restored, SnapshotError, v1};
use crate::heap::{Heap, Ref, Roots};
use bytes::Bytes;
use deepslate_ir::module::Module;
use std::sync::Arc;

/// See `snapshot::restore`.
pub(super) fn restore(
    module: &Arc<Module>,
    parts: &[(u64, Bytes)],
    limit_bytes: u64,
    whole_below: u64,
) -> Result<Restored, SnapshotError> {
    let index = Index::of(parts)?;
    let mut maker = Maker::new(Arc::clone(module));
    let mut state = tasks::read(module, &index)?;
    let mut roots = Vec::new();
    state.each_slot(module, &mut |ty, word, part| {
        maker.slot(ty, word).map_err(|message| SnapshotError { part: Some(part), message })?;
        if module.types.is_ref(ty) {
            let object = maker.open(&index, ty, Ref::from_slot(*word).stored_as().1)?;
            *word = object.slot();
            roots.push(*word);
        }
        Ok(())
    })?;
    let objects = || maker.places.values().copied();
    tasks::check_lines(&state, module, &maker.heap, objects())?;
    tasks::check_names(&state, &maker.heap, objects())?;
    maker.settled = true;

    let mut ledger = Ledger::new();
    for (id, bytes, frames) in state.sizes {
        let first = index.task_first.get(&id).copied().unwrap_or(0);
        let entry = TaskEntry { first, bytes, frames };
        ledger.live += entry.size();
        ledger.tasks.insert(id, entry);
    }
    let mut ended: Vec<_> = index.ended.iter().map(|(id, part)| (*id, *part)).collect();
    ended.sort_unstable();
    for (id, ended) in ended {
        // One that no part names any more needs no word of its end.
        if let Some(first) = index.task_first.get(&id) {
            ledger.ended.push(EndedTask { id, first: *first, ended });
        }
    }
    let mut last = 0;
    for (v1::PartHeader { number, next_id, level, .. }, bytes) in index.headers() {
        ledger.parts.push(PartEntry { number, bytes, next_id, level, ids: Vec::new() });
        (last, ledger.next_id) = (number, next_id);
    }
    let mut heap = Heap::new(Arc::clone(module), u64::MAX);
    heap.set_source(Unopened::new(index, maker));
    ledger.complete = false;
    if ledger.stored_bytes() < whole_below {
        heap.open_all(&|found: &mut Roots<'_>| found.add_all(&roots))?;
    }
    ledger.adopt(heap.take_opened());
    heap.begin_interval(last + 1);
    heap.set_limit(limit_bytes);
    Ok(Restored { heap, ledger, head: state.head, tasks: state.tasks })
}

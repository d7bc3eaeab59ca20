//! What an isolate in memory knows of its stored parts, so that a commit can merge or replace them without reading anything
//! back: which part holds which objects, and how many bytes of all that is stored are still of use.

use super::encode::Encoded;
use super::open::Opened;
use super::{SavedTask, policy};
use crate::heap::Ref;
use hashbrown::HashMap;

/// The parts of one isolate.
#[derive(Debug)]
pub struct Ledger {
    pub(super) parts: Vec<PartEntry>,
    /// The stored objects that are in memory, by persistent id. Those that the collector frees are taken out before the next commit looks.
    pub(super) objects: HashMap<u32, ObjectEntry>,
    /// The stored tasks that live.
    pub(super) tasks: HashMap<u64, TaskEntry>,
    /// The stored tasks that have ended while a part that names them may still be stored.
    pub(super) ended: Vec<EndedTask>,
    /// How many bytes the newest records of all of these take. Those that are not open are not among them.
    pub(super) live: u64,
    /// Whether all stored objects that live are open, and so in `objects`.
    pub(super) complete: bool,
    /// The lowest persistent id that is not given yet. Ids are not given twice, except by a new base, which numbers all objects anew.
    pub(super) next_id: u32,
}

/// A part.
#[derive(Debug)]
pub(super) struct PartEntry {
    pub number: u64,
    pub bytes: u64,
    /// The lowest id that was not given when it was written: an object with a lower one is in this part or an older one.
    pub next_id: u32,
    /// How often it was merged.
    pub level: u32,
    /// The objects in it; empty for the base, which no merge takes apart.
    pub ids: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct ObjectEntry {
    pub at: Ref,
    pub bytes: u64,
}

#[derive(Debug)]
pub(super) struct TaskEntry {
    /// The first commit that it was in.
    pub first: u64,
    pub bytes: u64,
    /// The bytes of each frame, outermost first.
    pub frames: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct EndedTask {
    pub id: u64,
    /// The first commit that it was in.
    pub first: u64,
    /// The first commit that it was not in any more.
    pub ended: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger {
            parts: Vec::new(),
            objects: HashMap::new(),
            tasks: HashMap::new(),
            ended: Vec::new(),
            live: 0,
            complete: true,
            next_id: 1,
        }
    }
}

impl Ledger {
    /// Nothing is stored yet.
    pub fn new() -> Ledger {
        Ledger::default()
    }

    /// The numbers of the stored parts, oldest first.
    pub fn part_numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.parts.iter().map(|p| p.number)
    }

    /// How many bytes all stored parts take.
    pub fn stored_bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.bytes).sum()
    }

    /// How many of them are of use: about what a new base would take. While not everything is open that is not known; then it
    /// is what the base took.
    pub fn live_bytes(&self) -> u64 {
        match self.parts.first() {
            Some(base) if !self.complete => base.bytes,
            _ => self.live,
        }
    }

    /// Whether a new base is due, which a commit that somebody waited for has put off.
    pub fn base_is_due(&self) -> bool {
        !self.parts.is_empty() && policy::base_is_due(self.stored_bytes(), self.live_bytes(), policy::Urgency::Quiet)
    }

    /// How many stored objects are in memory.
    pub fn object_count(&self) -> usize {
        self.objects.len()
    }

    /// Objects that the collector has freed.
    pub(super) fn forget_objects(&mut self, ids: Vec<u32>) {
        for id in ids {
            // One that got its id from an encoding that was then thrown away is not known here.
            if let Some(entry) = self.objects.remove(&id) {
                self.live -= entry.bytes;
            }
        }
    }

    /// Tasks that ended before commit `number`.
    pub(super) fn end_tasks(&mut self, ids: Vec<u64>, number: u64) {
        for id in ids {
            // One that began and ended between two commits was never stored.
            if let Some(entry) = self.tasks.remove(&id) {
                self.live -= entry.size();
                self.ended.push(EndedTask { id, first: entry.first, ended: number });
            }
        }
    }

    /// Which ended tasks a part since this commit has to name.
    pub(super) fn ended_since(&self, since: u64) -> impl Iterator<Item = u64> + '_ {
        self.ended.iter().filter(move |t| t.ended > since && t.first <= since).map(|t| t.id)
    }

    /// Takes objects into account that were opened; `all` says that everything that lives is open by now.
    pub(super) fn adopt(&mut self, (opened, all): (Vec<Opened>, bool)) {
        self.objects.reserve(opened.len());
        for Opened { id, at, bytes, part } in opened {
            self.live += bytes;
            self.objects.insert(id, ObjectEntry { at, bytes });
            // The base, which is first, has no use for them. A part may have been merged into a later one meanwhile.
            let place = self.parts.partition_point(|p| p.number < part);
            if let Some(part) = self.parts.get_mut(place).filter(|_| place > 0) {
                part.ids.push(id);
            }
        }
        self.complete = all;
    }

    /// The ids of objects that were written after commit `since`, those of the current interval aside.
    pub(super) fn written_since(&self, since: u64) -> impl Iterator<Item = u32> + '_ {
        self.parts.iter().filter(move |p| p.number > since).flat_map(|p| &p.ids).copied()
    }

    /// The lowest id that was not given at this commit.
    pub(super) fn next_id_at(&self, number: u64) -> u32 {
        self.parts.iter().rev().find(|p| p.number <= number).map_or(1, |p| p.next_id)
    }

    /// Takes what was encoded for commit `number` into account, not yet as a part.
    pub(super) fn account(&mut self, encoded: &Encoded, number: u64) {
        if encoded.since == 0 {
            self.objects.clear();
            self.live = self.tasks.values().map(TaskEntry::size).sum();
        }
        self.objects.reserve(encoded.objects.len());
        for (at, id, bytes) in &encoded.objects {
            let old = self.objects.insert(*id, ObjectEntry { at: *at, bytes: *bytes });
            self.live = self.live + *bytes - old.map_or(0, |e| e.bytes);
        }
        for task in &encoded.tasks {
            let entry = self.tasks.entry(task.id).or_insert(TaskEntry { first: number, bytes: 0, frames: Vec::new() });
            self.live -= entry.size();
            entry.bytes = task.bytes;
            entry.frames.truncate(task.first_frame);
            entry.frames.extend_from_slice(&task.frames);
            self.live += entry.size();
        }
        for id in &encoded.forgotten {
            self.live -= self.objects.remove(id).map_or(0, |e| e.bytes);
        }
        self.next_id = encoded.next_id;
    }

    /// Replaces all parts after the one that was encoded since.
    pub(super) fn replace_parts(&mut self, encoded: Encoded, bytes: u64, number: u64) {
        let since = encoded.since;
        self.parts.retain(|p| p.number <= since);
        self.ended.retain(|t| t.first <= since);
        let ids = if since == 0 { Vec::new() } else { encoded.objects.iter().map(|(_, id, _)| *id).collect() };
        self.parts.push(PartEntry { number, bytes, next_id: encoded.next_id, level: encoded.level, ids });
    }
}

impl TaskEntry {
    pub fn size(&self) -> u64 {
        self.bytes + self.frames.iter().sum::<u64>()
    }
}

/// Where the frames that a task gives begin.
pub(super) fn first_frame(task: &SavedTask) -> usize {
    (task.depth as usize).saturating_sub(task.frames.len())
}

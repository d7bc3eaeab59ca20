//! Queues, locks and wait groups: what they hold and who waits for them, both part of the object and so of the snapshot.
//!
//! The rules of who goes first are here; tasks are numbers, and what a number means is the scheduler's business. A task
//! that waits in several lines (a select) is taken out of the others by the scheduler when one of them serves it.

use super::object::{Header, Kind, Ref};
use super::walk::CHUNK_SLOTS;
use super::{Heap, box_size};
use deepslate_ir::entity::TypeId;
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_ir::types;
use std::collections::VecDeque;

/// A task in a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiter {
    /// The task's number.
    pub task: u64,
    /// The case of its select that it waits in, if it waits in a select.
    pub case: Option<u32>,
}

/// What became of a put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
    /// The element is in the queue.
    Stored,
    /// The element goes straight to this task, which waited first for one and is out of the line.
    Handed(Waiter),
    /// The queue is full and nobody waits for an element.
    Full,
}

/// What became of a get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// The oldest element, and the task that can go on since there is room for what it waited to put (it is out of the line).
    Element(u64, Option<Waiter>),
    /// There is none, and nobody waits to put one.
    Empty,
    /// There is none, and there never will be: it is closed.
    Ended,
}

/// Whether and when the time puts an element into a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Timer {
    /// Tasks do; it is no queue of `after`.
    #[default]
    No,
    /// At this unix millisecond.
    Due(i64),
    /// It has.
    Fired,
}

/// The task of a place in a line that its task has left.
pub(crate) const LEFT: u64 = u64::MAX;
/// The case of a waiter that is not in a select.
const NO_CASE: u64 = u64::MAX;

/// A run of slots that grows at its end and shrinks at its front. Positions count from the first slot ever, so that chunks
/// stay where they are.
pub(crate) struct Window {
    pub slots: VecDeque<u64>,
    /// The position of the front.
    pub first: u64,
    /// For each chunk that the window touches the interval in which it last changed.
    pub marks: VecDeque<u64>,
}

impl Window {
    pub const fn new() -> Window {
        Window { slots: VecDeque::new(), first: 0, marks: VecDeque::new() }
    }

    /// The position after the last slot.
    pub fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// The numbers of the chunks that it touches.
    pub fn chunks(&self) -> std::ops::Range<u64> {
        let size = CHUNK_SLOTS as u64;
        if self.slots.is_empty() { 0..0 } else { self.first / size..self.end().div_ceil(size) }
    }

    fn push(&mut self, slot: u64, interval: u64) {
        self.slots.push_back(slot);
        let chunk = (self.end() - 1) / CHUNK_SLOTS as u64;
        let index = (chunk - self.first / CHUNK_SLOTS as u64) as usize;
        if index == self.marks.len() {
            self.marks.push_back(interval);
        } else {
            self.marks[index] = interval;
        }
    }

    /// Takes the front slot. Its chunk is not marked: the object says where the front is.
    fn pop(&mut self) -> Option<u64> {
        let slot = self.slots.pop_front()?;
        self.first += 1;
        if self.slots.is_empty() {
            self.marks.clear();
        } else if self.first.is_multiple_of(CHUNK_SLOTS as u64) {
            self.marks.pop_front();
        }
        Some(slot)
    }

    /// Takes the slot at the end. As with `pop`, the object says where the end is, but the chunk is written to its end, so it is marked.
    fn pop_end(&mut self, interval: u64) {
        self.slots.pop_back();
        if self.slots.is_empty() {
            self.marks.clear();
            return;
        }
        let chunks = self.chunks();
        self.marks.truncate((chunks.end - chunks.start) as usize);
        if let Some(mark) = self.marks.back_mut() {
            *mark = interval;
        }
    }

    fn set(&mut self, index: usize, slot: u64, interval: u64) {
        self.slots[index] = slot;
        let size = CHUNK_SLOTS as u64;
        let chunk = (self.first + index as u64) / size - self.first / size;
        self.marks[chunk as usize] = interval;
    }

    /// Marks all, since it changes the form in which it is stored.
    pub fn mark_all(&mut self, interval: u64) {
        self.marks.iter_mut().for_each(|m| *m = interval);
    }

    fn clear(&mut self) {
        self.first = self.end();
        self.slots.clear();
        self.marks.clear();
    }

    fn capacity_bytes(&self) -> u64 {
        (self.slots.capacity() + self.marks.capacity()) as u64 * 8
    }
}

/// Tasks that wait, first come first served; each takes `width` slots: task, then what else is known of it.
pub(crate) struct Line {
    pub window: Window,
    pub width: usize,
    /// How many places have been left.
    pub left: usize,
}

impl Line {
    const fn new(width: usize) -> Line {
        Line { window: Window::new(), width, left: 0 }
    }

    fn clear(&mut self) {
        self.window.clear();
        self.left = 0;
    }

    fn push(&mut self, slots: &[u64], interval: u64) {
        debug_assert_eq!(slots.len(), self.width);
        slots.iter().for_each(|s| self.window.push(*s, interval));
    }

    /// Takes the first task; gives its slots.
    fn pop(&mut self) -> Option<[u64; 3]> {
        let mut out = [NO_CASE; 3];
        if self.window.slots.is_empty() {
            return None;
        }
        for place in out.iter_mut().take(self.width) {
            *place = self.window.pop().expect("a line holds whole waiters");
        }
        self.trim_front();
        Some(out)
    }

    /// Takes this task out, wherever it stands and as often as it stands there.
    fn remove(&mut self, task: u64, interval: u64) {
        for index in (0..self.window.slots.len()).step_by(self.width) {
            if self.window.slots[index] == task {
                // Nothing of the place is read again; it must not keep an object alive either.
                self.window.set(index, LEFT, interval);
                if self.width > 2 {
                    self.window.set(index + 2, 0, interval);
                }
                self.left += 1;
            }
        }
        self.trim_front();
        while self.window.slots.len() >= self.width && self.window.slots[self.window.slots.len() - self.width] == LEFT {
            (0..self.width).for_each(|_| self.window.pop_end(interval));
            self.left -= 1;
        }
        if self.left > 32 && self.left > self.window.slots.len() / self.width / 2 {
            self.close_up(interval);
        }
    }

    /// The front of a line, if there is one, is a task that waits.
    fn trim_front(&mut self) {
        while self.window.slots.front() == Some(&LEFT) {
            (0..self.width).for_each(|_| {
                self.window.pop();
            });
            self.left -= 1;
        }
    }

    /// Moves those who wait into the places that were left.
    fn close_up(&mut self, interval: u64) {
        let slots = std::mem::take(&mut self.window.slots);
        self.window.clear();
        let mut places = slots.into_iter();
        while let Some(task) = places.next() {
            let rest = places.by_ref().take(self.width - 1);
            if task == LEFT {
                rest.for_each(drop);
            } else {
                self.window.push(task, interval);
                rest.for_each(|slot| self.window.push(slot, interval));
            }
        }
        self.left = 0;
    }

    /// Those who wait, in order; with the element for those who put.
    pub fn waiters(&self) -> impl Iterator<Item = (Waiter, u64)> + '_ {
        let slots = &self.window.slots;
        (0..slots.len()).step_by(self.width).filter(|i| slots[*i] != LEFT).map(|i| {
            let case = if self.width > 1 { slots[i + 1] } else { NO_CASE };
            (waiter(slots[i], case), if self.width > 2 { slots[i + 2] } else { 0 })
        })
    }
}

fn waiter(task: u64, case: u64) -> Waiter {
    Waiter { task, case: u32::try_from(case).ok() }
}

fn case_slot(waiter: Waiter) -> u64 {
    waiter.case.map_or(NO_CASE, u64::from)
}

/// A channel.
#[repr(C)]
pub(crate) struct Queue {
    pub header: Header,
    /// How many elements it holds before a put waits; any number if negative.
    pub capacity: i64,
    pub elements: Window,
    /// Who waits for an element: task, case.
    pub getters: Line,
    /// Who waits for room: task, case, element.
    pub putters: Line,
    /// Whether it is stored by chunks.
    pub big: bool,
    /// Whether nothing can be put any more.
    pub closed: bool,
    /// What the time does with it.
    pub timer: Timer,
    /// What it is called outside of its isolate.
    pub name: Option<Box<str>>,
}

/// A mutex.
#[repr(C)]
pub(crate) struct Lock {
    pub header: Header,
    pub held: bool,
    pub line: Line,
    pub big: bool,
}

/// A counter.
#[repr(C)]
pub(crate) struct WaitGroup {
    pub header: Header,
    pub count: i64,
    pub line: Line,
    pub big: bool,
}

impl Queue {
    pub fn size(&self) -> u64 {
        let windows = [&self.elements, &self.getters.window, &self.putters.window];
        let name = self.name.as_ref().map_or(0, |name| name.len() as u64);
        box_size::<Queue>() + name + windows.iter().map(|w| w.capacity_bytes()).sum::<u64>()
    }

    fn choose_form(&mut self, interval: u64) {
        let all = self.elements.slots.len() + self.getters.window.slots.len() + self.putters.window.slots.len();
        if !std::mem::replace(&mut self.big, all > CHUNK_SLOTS) && self.big {
            self.elements.mark_all(interval);
            self.getters.window.mark_all(interval);
            self.putters.window.mark_all(interval);
        }
    }
}

impl Lock {
    pub fn size(&self) -> u64 {
        box_size::<Lock>() + self.line.window.capacity_bytes()
    }
}

impl WaitGroup {
    pub fn size(&self) -> u64 {
        box_size::<WaitGroup>() + self.line.window.capacity_bytes()
    }
}

fn choose_line_form(line: &mut Line, big: &mut bool, interval: u64) {
    if !std::mem::replace(big, line.window.slots.len() > CHUNK_SLOTS) && *big {
        line.window.mark_all(interval);
    }
}

impl Heap {
    /// A new queue of this queue type that holds up to `capacity` elements before a put waits; any number if negative.
    pub fn new_queue(&mut self, ty: TypeId, capacity: i64) -> Result<Ref, Fault> {
        self.make_queue(ty, capacity, Timer::No, None)
    }

    /// A new queue of this type, a queue of floats, that gets one element at this unix millisecond.
    pub fn new_timer(&mut self, ty: TypeId, due_ms: i64) -> Result<Ref, Fault> {
        self.make_queue(ty, 1, Timer::Due(due_ms), None)
    }

    /// A new queue with a name.
    pub fn new_named_queue(&mut self, ty: TypeId, capacity: i64, name: &str) -> Result<Ref, Fault> {
        self.make_queue(ty, capacity, Timer::No, Some(name.into()))
    }

    fn make_queue(&mut self, ty: TypeId, capacity: i64, timer: Timer, name: Option<Box<str>>) -> Result<Ref, Fault> {
        self.charge(box_size::<Queue>() + name.as_ref().map_or(0, |name| name.len() as u64))?;
        let header = self.header(ty, Kind::Queue);
        let (elements, getters, putters) = (Window::new(), Line::new(2), Line::new(3));
        let queue = Queue { header, capacity, elements, getters, putters, big: false, closed: false, timer, name };
        Ok(self.adopt_box(queue))
    }

    /// A new lock, free.
    pub fn new_lock(&mut self) -> Result<Ref, Fault> {
        self.charge(box_size::<Lock>())?;
        let header = self.header(types::LOCK, Kind::Lock);
        Ok(self.adopt_box(Lock { header, held: false, line: Line::new(1), big: false }))
    }

    /// A new wait group at zero.
    pub fn new_wait_group(&mut self) -> Result<Ref, Fault> {
        self.charge(box_size::<WaitGroup>())?;
        let header = self.header(types::WAIT_GROUP, Kind::WaitGroup);
        Ok(self.adopt_box(WaitGroup { header, count: 0, line: Line::new(1), big: false }))
    }

    /// How many elements a queue holds.
    pub fn queue_len(&self, queue: Ref) -> usize {
        self.queue(queue).elements.slots.len()
    }

    /// How many elements a queue holds before a put waits; any number if negative.
    pub fn queue_capacity(&self, queue: Ref) -> i64 {
        self.queue(queue).capacity
    }

    /// Whether a put would not wait.
    pub fn queue_can_put(&self, queue: Ref) -> bool {
        let q = self.queue(queue);
        !q.getters.window.slots.is_empty() || q.capacity < 0 || (q.elements.slots.len() as u64) < q.capacity as u64
    }

    /// Whether a get would not wait.
    pub fn queue_can_get(&self, queue: Ref) -> bool {
        let q = self.queue(queue);
        !q.elements.slots.is_empty() || !q.putters.window.slots.is_empty()
    }

    /// Whether it is closed.
    pub fn queue_closed(&self, queue: Ref) -> bool {
        self.queue(queue).closed
    }

    /// What it is called outside of its isolate.
    pub fn queue_name(&self, queue: Ref) -> Option<&str> {
        self.queue(queue).name.as_deref()
    }

    /// When the time will put an element in, in unix milliseconds.
    pub fn queue_due_ms(&self, queue: Ref) -> Option<i64> {
        match self.queue(queue).timer {
            Timer::Due(due_ms) => Some(due_ms),
            Timer::No | Timer::Fired => None,
        }
    }

    /// Whether a task waits for an element.
    pub fn queue_is_waited_for(&self, queue: Ref) -> bool {
        !self.queue(queue).getters.window.slots.is_empty()
    }

    /// The time has come: gives the task that waited first and its element, or leaves the element in the queue.
    pub fn queue_fire(&mut self, queue: Ref) -> Option<(Waiter, u64)> {
        let due_ms = self.queue_due_ms(queue)?;
        let element = deepslate_ir::eval::now(due_ms).to_bits();
        let fired = self.change_queue(queue, 0, |q, interval| {
            q.timer = Timer::Fired;
            match q.getters.pop() {
                Some([task, case, _]) => Some((waiter(task, case), element)),
                None => {
                    q.elements.push(element, interval);
                    None
                }
            }
        });
        fired.expect("one element needs no leave: its queue was made for it")
    }

    /// Closes a queue; gives those who waited to get and those who waited to put. Traps where it is closed, or the time's.
    pub fn queue_close(&mut self, queue: Ref) -> Result<(Vec<Waiter>, Vec<Waiter>), Fault> {
        let q = self.queue(queue);
        if q.timer != Timer::No {
            return Err(Fault::close_of_timer());
        }
        if q.closed {
            return Err(Fault::close_of_closed());
        }
        let getters = self.queue_getters(queue);
        let putters = self.queue_putters(queue).into_iter().map(|(waiter, _)| waiter).collect();
        self.change_queue(queue, 0, |q, _| {
            q.closed = true;
            q.getters.clear();
            q.putters.clear();
        })?;
        Ok((getters, putters))
    }

    /// Puts an element: straight to the first task that waits for one, else into the queue if it has room. Traps where it
    /// is closed, or the time's.
    pub fn queue_put(&mut self, queue: Ref, element: u64) -> Result<Put, Fault> {
        let q = self.queue(queue);
        if q.timer != Timer::No {
            return Err(Fault::put_into_timer());
        }
        if q.closed {
            return Err(Fault::put_into_closed());
        }
        if !self.queue_can_put(queue) {
            return Ok(Put::Full);
        }
        self.change_queue(queue, 8, |q, interval| match q.getters.pop() {
            Some([task, case, _]) => Put::Handed(waiter(task, case)),
            None => {
                q.elements.push(element, interval);
                Put::Stored
            }
        })
    }

    /// Takes the oldest element. The first task that waits to put gets its element in, and can go on.
    pub fn queue_get(&mut self, queue: Ref) -> Result<Got, Fault> {
        if !self.queue_can_get(queue) {
            return Ok(if self.queue_closed(queue) { Got::Ended } else { Got::Empty });
        }
        self.change_queue(queue, 8, |q, interval| {
            let (put, woken) = match q.putters.pop() {
                Some([task, case, element]) => (Some(element), Some(waiter(task, case))),
                None => (None, None),
            };
            match (q.elements.pop(), put) {
                (Some(oldest), put) => {
                    if let Some(element) = put {
                        q.elements.push(element, interval);
                    }
                    Got::Element(oldest, woken)
                }
                // Without room there is no queue between them: the element goes from hand to hand.
                (None, Some(element)) => Got::Element(element, woken),
                (None, None) => Got::Empty,
            }
        })
    }

    /// Puts a task at the end of those who wait for an element.
    pub fn queue_wait_get(&mut self, queue: Ref, who: Waiter) -> Result<(), Fault> {
        self.change_queue(queue, 16, |q, interval| q.getters.push(&[who.task, case_slot(who)], interval))
    }

    /// Puts a task at the end of those who wait to put an element.
    pub fn queue_wait_put(&mut self, queue: Ref, who: Waiter, element: u64) -> Result<(), Fault> {
        self.change_queue(queue, 24, |q, interval| q.putters.push(&[who.task, case_slot(who), element], interval))
    }

    /// Takes a task out of both lines of a queue.
    pub fn queue_leave(&mut self, queue: Ref, task: u64) {
        let left = self.change_queue(queue, 0, |q, interval| {
            q.getters.remove(task, interval);
            q.putters.remove(task, interval);
        });
        left.expect("leaving a line takes no memory");
    }

    /// Who waits for an element, in order.
    pub fn queue_getters(&self, queue: Ref) -> Vec<Waiter> {
        self.queue(queue).getters.waiters().map(|(w, _)| w).collect()
    }

    /// Who waits to put an element, in order, with the element.
    pub fn queue_putters(&self, queue: Ref) -> Vec<(Waiter, u64)> {
        self.queue(queue).putters.waiters().collect()
    }

    /// Takes a lock if it is free; false if it is held.
    pub fn lock_try(&mut self, lock: Ref) -> bool {
        if self.lock(lock).held {
            return false;
        }
        self.touch(lock);
        self.lock_mut(lock).held = true;
        true
    }

    /// Whether a lock is held.
    pub fn lock_held(&self, lock: Ref) -> bool {
        self.lock(lock).held
    }

    /// Puts a task at the end of those who wait for a lock.
    pub fn lock_wait(&mut self, lock: Ref, task: u64) -> Result<(), Fault> {
        self.charge(16)?;
        self.discharge(16);
        self.touch(lock);
        let interval = self.interval;
        let object = self.lock_mut(lock);
        let before = object.size();
        object.line.push(&[task], interval);
        choose_line_form(&mut object.line, &mut object.big, interval);
        let after = object.size();
        self.recharge(before, after);
        Ok(())
    }

    /// Releases a lock: it goes to the task that waited first, which is given and can go on, else it is free. Traps if it is free.
    pub fn lock_release(&mut self, lock: Ref) -> Result<Option<u64>, Fault> {
        if !self.lock(lock).held {
            return Err(Fault::new(TrapKind::Sync, "release of a lock that is not held"));
        }
        self.touch(lock);
        let interval = self.interval;
        let object = self.lock_mut(lock);
        let next = object.line.pop().map(|[task, ..]| task);
        object.held = next.is_some();
        choose_line_form(&mut object.line, &mut object.big, interval);
        Ok(next)
    }

    /// Who waits for a lock, in order.
    pub fn lock_line(&self, lock: Ref) -> Vec<u64> {
        self.lock(lock).line.waiters().map(|(w, _)| w.task).collect()
    }

    /// The counter of a wait group.
    pub fn wait_group_count(&self, group: Ref) -> i64 {
        self.wait_group(group).count
    }

    /// Adds to a counter; at zero gives all tasks that waited, in order. Traps below zero.
    pub fn wait_group_add(&mut self, group: Ref, delta: i64) -> Result<Vec<u64>, Fault> {
        let count = self.wait_group(group).count;
        let Some(count) = count.checked_add(delta) else {
            return Err(Fault::new(TrapKind::Overflow, format!("wait group: {count} + {delta} does not fit 64 bits")));
        };
        if count < 0 {
            return Err(Fault::new(TrapKind::Sync, format!("the counter of a wait group fell to {count}")));
        }
        self.touch(group);
        let interval = self.interval;
        let object = self.wait_group_mut(group);
        object.count = count;
        if count > 0 {
            return Ok(Vec::new());
        }
        let woken = object.line.waiters().map(|(w, _)| w.task).collect();
        object.line.clear();
        choose_line_form(&mut object.line, &mut object.big, interval);
        Ok(woken)
    }

    /// Puts a task at the end of those who wait for a counter to be zero.
    pub fn wait_group_wait(&mut self, group: Ref, task: u64) -> Result<(), Fault> {
        self.charge(16)?;
        self.discharge(16);
        self.touch(group);
        let interval = self.interval;
        let object = self.wait_group_mut(group);
        let before = object.size();
        object.line.push(&[task], interval);
        choose_line_form(&mut object.line, &mut object.big, interval);
        let after = object.size();
        self.recharge(before, after);
        Ok(())
    }

    /// Who waits for a counter, in order.
    pub fn wait_group_line(&self, group: Ref) -> Vec<u64> {
        self.wait_group(group).line.waiters().map(|(w, _)| w.task).collect()
    }

    /// Changes a queue: barrier, form and accounting around what is done to it. `more` bytes may be asked for, or twice what the queue takes.
    fn change_queue<R>(
        &mut self,
        queue: Ref,
        more: u64,
        change: impl FnOnce(&mut Queue, u64) -> R,
    ) -> Result<R, Fault> {
        if more > 0 {
            let q = self.queue(queue);
            let full = q.elements.slots.len() == q.elements.slots.capacity();
            // A deque doubles; the charge is put right after it has.
            let guess = if full { q.elements.capacity_bytes() + more } else { more };
            self.charge(guess)?;
            self.discharge(guess);
        }
        self.touch(queue);
        let interval = self.interval;
        let object = self.queue_mut(queue);
        let before = object.size();
        let result = change(object, interval);
        object.choose_form(interval);
        let after = object.size();
        self.recharge(before, after);
        Ok(result)
    }

    pub(super) fn queue(&self, queue: Ref) -> &Queue {
        self.check(queue, Kind::Queue);
        // SAFETY: H1, H3, H4.
        unsafe { &*self.at(queue).cast::<Queue>() }
    }

    pub(super) fn queue_mut(&mut self, queue: Ref) -> &mut Queue {
        self.check(queue, Kind::Queue);
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        unsafe { &mut *self.at(queue).cast::<Queue>() }
    }

    pub(super) fn lock(&self, lock: Ref) -> &Lock {
        self.check(lock, Kind::Lock);
        // SAFETY: H1, H3, H4.
        unsafe { &*self.at(lock).cast::<Lock>() }
    }

    pub(super) fn lock_mut(&mut self, lock: Ref) -> &mut Lock {
        self.check(lock, Kind::Lock);
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        unsafe { &mut *self.at(lock).cast::<Lock>() }
    }

    pub(super) fn wait_group(&self, group: Ref) -> &WaitGroup {
        self.check(group, Kind::WaitGroup);
        // SAFETY: H1, H3, H4.
        unsafe { &*self.at(group).cast::<WaitGroup>() }
    }

    pub(super) fn wait_group_mut(&mut self, group: Ref) -> &mut WaitGroup {
        self.check(group, Kind::WaitGroup);
        // SAFETY: H1, H3, and the heap is borrowed uniquely (H4).
        unsafe { &mut *self.at(group).cast::<WaitGroup>() }
    }
}

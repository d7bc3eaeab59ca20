//! Worker threads, the run queue before them, and the ticker that ends slices.
//!
//! First in, first out: an isolate that used its slice goes to the end. The workers are plain threads, apart from the I/O
//! runtime, so that a long computation delays no timer and no answer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use deepslate_regvm::Interrupt;

use crate::cell::Cell;

#[derive(Debug)]
pub(crate) struct Scheduler {
    queue: Mutex<Queue>,
    ready: Condvar,
    slots: Vec<Slot>,
    ticker: Ticker,
    slice: Duration,
    running: AtomicUsize,
}

#[derive(Debug, Default)]
struct Queue {
    cells: VecDeque<Arc<Cell>>,
    waiting: usize,
    stopped: bool,
}

/// What a worker is running, for the ticker.
#[derive(Debug, Default)]
struct Slot {
    /// Microseconds of the ticker's clock when the run began; 0 when none is.
    since: AtomicU64,
    interrupt: Mutex<Option<Interrupt>>,
}

#[derive(Debug)]
struct Ticker {
    start: Instant,
    thread: OnceLock<Thread>,
    /// It sleeps until a worker wakes it.
    parked: AtomicBool,
}

impl Scheduler {
    pub(crate) fn new(workers: usize, slice: Duration) -> Scheduler {
        let ticker = Ticker { start: Instant::now(), thread: OnceLock::new(), parked: AtomicBool::new(false) };
        let slots = (0..workers).map(|_| Slot::default()).collect();
        Scheduler { queue: Mutex::default(), ready: Condvar::new(), slots, ticker, slice, running: AtomicUsize::new(0) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a cell at the end of the queue.
    pub(crate) fn push(&self, cell: Arc<Cell>) {
        let mut queue = self.queue();
        queue.cells.push_back(cell);
        let wake = queue.waiting > 0;
        drop(queue);
        if wake {
            self.ready.notify_one();
        }
    }

    /// The next cell; waits for one. None when the engine has stopped. The caller says `done` after it.
    pub(crate) fn pop(&self) -> Option<Arc<Cell>> {
        let mut queue = self.queue();
        loop {
            if queue.stopped {
                return None;
            }
            if let Some(cell) = queue.cells.pop_front() {
                self.running.fetch_add(1, Ordering::SeqCst);
                return Some(cell);
            }
            queue.waiting += 1;
            queue = self.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.waiting -= 1;
        }
    }

    /// The worker is done with the cell that it took.
    pub(crate) fn done(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    /// True when no cell is queued or running.
    pub(crate) fn is_idle(&self) -> bool {
        let queue = self.queue();
        queue.cells.is_empty() && self.running.load(Ordering::SeqCst) == 0
    }

    /// Cells waiting for a worker.
    pub(crate) fn queued(&self) -> usize {
        self.queue().cells.len()
    }

    /// Makes all workers and the ticker return.
    pub(crate) fn stop(&self) {
        let mut queue = self.queue();
        queue.stopped = true;
        queue.cells.clear();
        drop(queue);
        self.ready.notify_all();
        self.interrupt_all();
        if let Some(thread) = self.ticker.thread.get() {
            thread.unpark();
        }
    }

    /// Makes everything that runs give way at its next poll.
    pub(crate) fn interrupt_all(&self) {
        for slot in &self.slots {
            if let Some(interrupt) = &*slot.interrupt.lock().unwrap_or_else(PoisonError::into_inner) {
                interrupt.set();
            }
        }
    }

    /// Runs something that this flag can interrupt, and sees to it that it is when its slice is over.
    pub(crate) fn sliced<T>(&self, worker: usize, interrupt: &Interrupt, run: impl FnOnce() -> T) -> T {
        let slot = &self.slots[worker];
        *slot.interrupt.lock().unwrap_or_else(PoisonError::into_inner) = Some(interrupt.clone());
        let now = u64::try_from(self.ticker.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        slot.since.store(now.max(1), Ordering::SeqCst);
        if self.ticker.parked.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.ticker.thread.get()
        {
            thread.unpark();
        }
        let result = run();
        slot.since.store(0, Ordering::SeqCst);
        result
    }

    /// Starts the ticker.
    pub(crate) fn start_ticker(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let scheduler = Arc::clone(self);
        let ticker = thread::Builder::new().name("deepslate-ticker".into()).spawn(move || scheduler.tick())?;
        // Set before any worker starts, so that none finds it parked and unknown.
        let _ = self.ticker.thread.set(ticker.thread().clone());
        Ok(ticker)
    }

    fn tick(&self) {
        let pause = (self.slice / 4).max(Duration::from_micros(200));
        loop {
            if self.queue().stopped {
                return;
            }
            let now = u64::try_from(self.ticker.start.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut busy = false;
            for slot in &self.slots {
                let since = slot.since.load(Ordering::SeqCst);
                if since == 0 {
                    continue;
                }
                busy = true;
                if u128::from(now.saturating_sub(since)) >= self.slice.as_micros()
                    && let Some(interrupt) = &*slot.interrupt.lock().unwrap_or_else(PoisonError::into_inner)
                {
                    interrupt.set();
                }
            }
            if busy {
                thread::sleep(pause);
                continue;
            }
            // Whoever starts a run after this line finds the flag and wakes us; whoever did before it is seen by the check.
            self.ticker.parked.store(true, Ordering::SeqCst);
            if self.slots.iter().all(|slot| slot.since.load(Ordering::SeqCst) == 0) && !self.queue().stopped {
                thread::park_timeout(Duration::from_secs(1));
            }
            self.ticker.parked.store(false, Ordering::SeqCst);
        }
    }
}

//! An isolate in memory: a mailbox that anybody may write to and a body that one worker at a time works on.
//!
//! The phase of the mailbox is what makes that safe: an event for an idle cell puts it into the run queue, one for a cell that
//! is queued or running waits there. A cell that is gone takes no event; the sender looks for its successor.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::Duration;

use deepslate_ir::datum::Datum;
use deepslate_ir::trap::Fault;
use deepslate_regvm::Interrupt;
use deepslate_regvm::view::View;
use deepslate_storage::{Head, IsolateId, Outcome, Snapshot, Status};
use tokio::sync::oneshot;

use crate::body::Body;
use crate::error::Result;
use crate::http::mail::Fingerprint;
use crate::http::route::Route;
use crate::programs::Loaded;
use crate::seen::Vitals;

/// What an operator asks of an isolate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// To end it.
    Cancel,
    /// To hold it where it is.
    Pause,
    /// To let it go on, also one that is parked.
    Resume,
    /// To remove it, once it has ended or is parked.
    Delete,
}

/// The answer to a command: the status that it left the isolate in, and whether it changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the isolate is doing now; of a deleted one, what it did last.
    pub status: Status,
    /// Whether the command changed anything.
    pub changed: bool,
}

/// An element that is sent to a queue.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its id.
    pub(crate) id: u128,
    /// The name of the queue.
    pub(crate) queue: String,
    /// The element.
    pub(crate) element: Element,
}

/// What is sent, as it came.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    /// A value.
    Value(Datum),
    /// JSON text, to be read as the queue's type.
    Json(String),
}

/// Where the answer to a command goes.
pub(crate) type Reply = oneshot::Sender<Result<Answer>>;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is in, durably.
    Yes,
    /// The isolate does not listen there.
    NoRoute,
    /// It listens there for these methods only.
    Methods(Vec<String>),
    /// Too many wait already; the text says how many.
    Full(String),
    /// It can't go on, for this reason.
    Parked(String),
    /// It has ended.
    Ended,
}

/// Where that is told. Dropped when the isolate has left: whoever waits looks again.
#[derive(Debug)]
pub(crate) struct TakenReply(pub(crate) oneshot::Sender<Taken>);

impl TakenReply {
    pub(crate) fn say(self, taken: Taken) {
        // Nobody may be waiting any more.
        let _ = self.0.send(taken);
    }
}

/// A request for an isolate.
pub(crate) struct Incoming {
    /// Its id, the same when it is given again.
    pub(crate) message: u128,
    /// Of the idempotency key, if it has one.
    pub(crate) key: Option<Fingerprint>,
    pub(crate) route: Route,
    pub(crate) body: Vec<u8>,
    pub(crate) reply: TakenReply,
}

/// What has been read from the store for an isolate that is to be restored.
pub(crate) enum Read {
    /// It is not there.
    Nothing,
    /// It has ended; this is its head.
    Ended(Box<Head>),
    /// Its snapshot and its program.
    Whole(Box<Snapshot>, Arc<Loaded>),
    /// Its head only: something else is damaged, as the text says.
    Damaged(Box<Head>, String),
    /// Not even its head can be read.
    Lost(crate::Error),
    /// The shard is not ours, or the engine is stopping.
    NotOurs,
}

/// What comes in for an isolate.
pub(crate) enum Event {
    /// It is to be made and committed; the answer is sent when that is durable.
    Create { args: Vec<Datum>, reply: Reply },
    /// Somebody else wants the same name: answer once its creation is durable.
    Exists(Reply),
    /// What it is to be restored from.
    Read(Read),
    /// The answer to the write under way.
    Written(Outcome),
    /// The result of a host call.
    Result { step: u64, result: Result<Datum, Fault> },
    /// A host call has failed with this attempt, for this reason, and is to be made again after a pause.
    Retry { step: u64, attempt: u32, pause: Duration, why: String },
    /// A timer is due.
    Wake,
    /// An operator's message with its id.
    Command(Command, u128, Reply),
    /// An element for one of its queues.
    Send(Box<Message>, Reply),
    /// A request.
    Request(Box<Incoming>),
    /// Somebody wants to look at it.
    View(oneshot::Sender<Option<(View, Vitals)>>),
    /// Look again whether something can be done: the lease is back, or the engine drains.
    Poke,
    /// The shard is lost.
    Fenced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Queued,
    Running,
    Gone,
}

struct Mailbox {
    events: Vec<Event>,
    phase: Phase,
    /// Idle, and nothing of it is uncommitted or under way.
    resting: bool,
}

pub(crate) struct Cell {
    pub(crate) id: IsolateId,
    /// Its namespace and name, once they are known.
    pub(crate) name: OnceLock<Arc<str>>,
    pub(crate) interrupt: Interrupt,
    mailbox: Mutex<Mailbox>,
    body: Mutex<Body>,
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cell({} {:?})", self.id, self.name.get())
    }
}

/// What a sender does after putting an event in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Put the cell into the run queue.
    Schedule,
    /// Nothing.
    Waits,
}

impl Cell {
    pub(crate) fn new(id: IsolateId, name: Option<Arc<str>>, body: Body) -> Cell {
        let mailbox = Mutex::new(Mailbox { events: Vec::new(), phase: Phase::Idle, resting: false });
        let name = name.map_or_else(OnceLock::new, OnceLock::from);
        Cell { id, name, interrupt: Interrupt::new(), mailbox, body: Mutex::new(body) }
    }

    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body, for the worker that has taken this cell from the run queue.
    pub(crate) fn body(&self) -> MutexGuard<'_, Body> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same if no worker is at it.
    pub(crate) fn try_body(&self) -> Option<MutexGuard<'_, Body>> {
        match self.body.try_lock() {
            Ok(body) => Some(body),
            Err(TryLockError::Poisoned(body)) => Some(body.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Puts an event in; gives it back when the cell is gone.
    pub(crate) fn send(&self, event: Event) -> Result<Sent, Event> {
        let mut mailbox = self.mailbox();
        if mailbox.phase == Phase::Gone {
            return Err(event);
        }
        // These are waited for by somebody: whatever runs gives way at its next poll.
        if let (Phase::Running, Event::Command(..) | Event::Send(..) | Event::Request(_)) = (mailbox.phase, &event) {
            self.interrupt.set();
        } else if let (Phase::Running, Event::View(_) | Event::Fenced | Event::Poke) = (mailbox.phase, &event) {
            self.interrupt.set();
        }
        mailbox.events.push(event);
        Ok(match mailbox.phase {
            Phase::Idle => {
                mailbox.phase = Phase::Queued;
                Sent::Schedule
            }
            _ => Sent::Waits,
        })
    }

    /// A worker begins: takes what has come in.
    pub(crate) fn begin(&self) -> Vec<Event> {
        let mut mailbox = self.mailbox();
        mailbox.phase = Phase::Running;
        std::mem::take(&mut mailbox.events)
    }

    /// A worker ends. True when the cell belongs into the run queue again.
    pub(crate) fn end(&self, wants_more: bool, rests: bool) -> bool {
        let mut mailbox = self.mailbox();
        let again = wants_more || !mailbox.events.is_empty();
        mailbox.phase = if again { Phase::Queued } else { Phase::Idle };
        mailbox.resting = rests && !again;
        again
    }

    /// Takes no event from now on; gives back those that were not looked at. Only with the registry locked.
    pub(crate) fn close(&self) -> Vec<Event> {
        let mut mailbox = self.mailbox();
        mailbox.phase = Phase::Gone;
        std::mem::take(&mut mailbox.events)
    }

    /// The same if nothing is going on with it. Only with the registry locked.
    pub(crate) fn close_if_resting(&self) -> bool {
        let mut mailbox = self.mailbox();
        let resting = mailbox.phase == Phase::Idle && mailbox.resting;
        if resting {
            mailbox.phase = Phase::Gone;
        }
        resting
    }
}

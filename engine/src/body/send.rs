//! Elements that come from outside for the queues of an isolate that have a name: checked against the queue's type, part of the
//! next commit together with the message's id, and acknowledged after that.

use deepslate_ir::json;
use deepslate_regvm::SendError;

use super::{Body, Stage, Turn};
use crate::cell::{Element, Event, Message, Reply};
use crate::error::{Error, Kind};

impl Body {
    /// An element for one of its queues. Only what it can take becomes part of its state; the answer waits for the commit.
    pub(super) fn send(&mut self, turn: &Turn<'_>, message: Box<Message>, reply: Reply) {
        if self.record.applied.contains(&message.id) {
            return self.answer_after(reply, false);
        }
        let may_make_it = self.can_run(turn);
        match self.put(&message) {
            Ok(()) => {
                self.record.apply(message.id);
                self.wanted.commit = true;
                self.wanted.replies.push((reply, true));
            }
            // One that has just been spawned, or woken, makes its queues when it runs.
            Err(error) if error.kind() == Kind::UnknownQueue && may_make_it => {
                self.early.push(Event::Send(message, reply));
            }
            Err(error) => {
                // Nobody may be waiting any more.
                let _ = reply.send(Err(error));
            }
        }
    }

    fn put(&mut self, message: &Message) -> crate::Result<()> {
        let (name, queue) = (&self.name, &message.queue);
        let refuse = |kind, what: String| Err(Error::new(kind, "send", what));
        if let Some(ending) = &self.record.ending {
            return refuse(Kind::Ended, format!("`{name}` {}; nothing can be sent to it any more", ending.how()));
        }
        let Some(vm) = &mut self.vm else {
            let why = self.record.parked.as_deref().unwrap_or("it has no state");
            return refuse(Kind::Corrupt, format!("`{name}` is parked: {why}"));
        };
        let named = vm.named_queues();
        let Some((_, element)) = named.iter().find(|(known, _)| known == queue) else {
            let known: Vec<_> = named.iter().map(|(known, _)| *known).collect();
            let near = json::nearest(queue, known.iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let known = if known.is_empty() { "none with a name".into() } else { format!("`{}`", known.join("`, `")) };
            return refuse(Kind::UnknownQueue, format!("`{name}` has no queue `{queue}` now{near} (it has {known})"));
        };
        let types = &vm.program().module().types;
        let takes = format!("queue `{queue}` of `{name}` takes {}", types.name(*element));
        let value = match &message.element {
            Element::Value(value) => Ok(value.clone()),
            Element::Json(text) => json::from_json(types, *element, text).map_err(|e| e.to_string()),
        };
        let value = value.map_err(|what| Error::new(Kind::BadArguments, "send", format!("{takes}: {what}")))?;
        vm.send(queue, &value).or_else(|error| match error {
            SendError::Unknown => refuse(Kind::UnknownQueue, format!("`{name}` has no queue `{queue}` now")),
            SendError::Closed => refuse(Kind::Ended, format!("queue `{queue}` of `{name}` is closed")),
            SendError::Full(0) => refuse(
                Kind::QueueFull,
                format!("queue `{queue}` of `{name}` holds nothing, and no task waits for an element"),
            ),
            SendError::Full(capacity) => {
                refuse(Kind::QueueFull, format!("queue `{queue}` of `{name}` is full: it holds {capacity}"))
            }
            SendError::Mismatch(what) => refuse(Kind::BadArguments, format!("{takes}: {what}")),
            SendError::NoRoom(fault) => {
                refuse(Kind::QueueFull, format!("queue `{queue}` of `{name}` has no room: {}", fault.message))
            }
        })
    }

    /// Elements that waited for the flow to make their queue.
    pub(super) fn send_again(&mut self, turn: &Turn<'_>) {
        if self.stage == Stage::Live {
            for event in std::mem::take(&mut self.early) {
                self.take(turn, event);
            }
        }
    }
}

"""Tasks and sync objects, for use inside flows. Deepslate runs them; ordinary Python only reads their types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

from ._errors import only_in_a_flow
from ._values import DSError

T = TypeVar("T")

__all__ = ["Lock", "Queue", "WaitGroup", "after", "create_task", "select"]


def create_task(call: Any) -> None:
    """Starts a flow call as a task that runs concurrently: ``dpslio.create_task(child(1))``."""
    raise only_in_a_flow("dpslio.create_task")


def after(seconds: float) -> Queue[float]:
    """A queue that gets one element, the time, this many seconds from now: a timeout for a select. What nobody can take from any
    more is forgotten, so that a loop may make one on each turn."""
    raise only_in_a_flow("dpslio.after")


class Queue(Generic[T]):
    """A durable channel. ``Queue[int]()`` holds any number of elements, ``Queue[int](n)`` makes ``put`` wait while n are in it,
    ``Queue[int](0)`` hands each element over directly.

    ``Queue[bool](name="approvals")`` takes what ``platform.send(isolate, "approvals", True)`` brings from outside; the same name
    again gives the same queue. ``async for element in queue`` takes elements until the queue is closed and empty."""

    def __init__(self, maxsize: int = -1, *, name: str = "") -> None:
        raise only_in_a_flow("dpslio.Queue")

    def __len__(self) -> int:
        raise only_in_a_flow("len(queue)")

    def __aiter__(self) -> AsyncIterator[T]:
        raise only_in_a_flow("async for")

    async def put(self, element: T) -> None:
        """Puts an element, waiting while the queue is full."""
        raise only_in_a_flow("Queue.put")

    async def get(self) -> T:
        """Takes the oldest element, waiting while there is none; on a queue that is closed and empty it fails the flow."""
        raise only_in_a_flow("Queue.get")

    async def receive(self) -> T | DSError:
        """Takes the oldest element, waiting while there is none; on a queue that is closed and empty it is a DSError of kind
        ``closed``."""
        raise only_in_a_flow("Queue.receive")

    def close(self) -> None:
        """Ends the queue: nothing can be put any more, and what is in it can still be taken. Who waits to put, or to get from an
        empty one, fails; an ``async for`` ends."""
        raise only_in_a_flow("Queue.close")

    def closed(self) -> bool:
        """Whether it was closed."""
        raise only_in_a_flow("Queue.closed")

    def qsize(self) -> int:
        """How many elements are in it."""
        raise only_in_a_flow("Queue.qsize")

    def empty(self) -> bool:
        """Whether no element is in it."""
        raise only_in_a_flow("Queue.empty")

    def full(self) -> bool:
        """Whether a put would wait."""
        raise only_in_a_flow("Queue.full")


class Lock:
    """A durable mutex, given to those who wait in the order of their coming."""

    def __init__(self) -> None:
        raise only_in_a_flow("dpslio.Lock")

    async def acquire(self) -> None:
        """Takes the lock, waiting while it is held."""
        raise only_in_a_flow("Lock.acquire")

    async def release(self) -> None:
        """Gives it back; releasing a free lock fails the flow."""
        raise only_in_a_flow("Lock.release")


class WaitGroup:
    """A counter that tasks wait on."""

    def __init__(self) -> None:
        raise only_in_a_flow("dpslio.WaitGroup")

    def add(self, n: int) -> None:
        """Adds to the counter; below zero fails the flow."""
        raise only_in_a_flow("WaitGroup.add")

    async def done(self) -> None:
        """Takes one off the counter."""
        raise only_in_a_flow("WaitGroup.done")

    async def wait(self) -> None:
        """Waits until the counter is zero."""
        raise only_in_a_flow("WaitGroup.wait")


class _Select:
    """The subject of ``match dpslio.select:``."""


select: _Select = _Select()

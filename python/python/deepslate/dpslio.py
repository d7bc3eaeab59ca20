"""Tasks and sync objects, for use inside flows. Deepslate runs them; ordinary Python only reads their types."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from ._errors import only_in_a_flow

T = TypeVar("T")

__all__ = ["Lock", "Queue", "WaitGroup", "create_task", "select"]


def create_task(call: Any) -> None:
    """Starts a flow call as a task that runs concurrently: ``dpslio.create_task(child(1))``."""
    raise only_in_a_flow("dpslio.create_task")


class Queue(Generic[T]):
    """A durable channel. ``Queue[int]()`` holds any number of elements, ``Queue[int](n)`` makes ``put`` wait while n are in it,
    ``Queue[int](0)`` hands each element over directly."""

    def __init__(self, capacity: int = -1) -> None:
        raise only_in_a_flow("dpslio.Queue")

    async def put(self, element: T) -> None:
        """Puts an element, waiting while the queue is full."""
        raise only_in_a_flow("Queue.put")

    async def get(self) -> T:
        """Takes the oldest element, waiting while there is none."""
        raise only_in_a_flow("Queue.get")

    def qsize(self) -> int:
        """How many elements are in it."""
        raise only_in_a_flow("Queue.qsize")


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


select = _Select()

"""Tasks and sync objects on asyncio, by the rules of the language: who is woken goes to the end of the ready queue, lines are
first come first served, and a select looks at its cases from the one after the case that it took last."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from world import Trap, current

T = TypeVar("T")


class Waiter:
    """A task that waits in the line of a queue, or in several by a select."""

    def __init__(self, future: asyncio.Future[Any], case: int | None) -> None:
        self.future = future
        self.case = case

    def wake(self, value: Any) -> None:
        self.future.set_result(value if self.case is None else (self.case, value))


def first(line: deque[Any], waiter: Any = lambda entry: entry) -> Any:
    """Takes the first in a line who has not been served elsewhere."""
    while line:
        entry = line.popleft()
        if not waiter(entry).future.done():
            return entry
    return None


class Queue(Generic[T]):
    def __init__(self, capacity: int | None = None, *, name: str = "") -> None:
        self.capacity = -1 if capacity is None else capacity
        self.elements: deque[T] = deque()
        self.getters: deque[Waiter] = deque()
        self.putters: deque[tuple[Waiter, T]] = deque()
        self.closed = False

    def put_now(self, element: T) -> bool:
        if self.closed:
            raise Trap("sync", "put into a closed queue")
        if getter := first(self.getters):
            getter.wake(element)
            return True
        if self.capacity < 0 or len(self.elements) < self.capacity:
            self.elements.append(element)
            return True
        return False

    def get_now(self) -> tuple[T] | None:
        oldest = (self.elements.popleft(),) if self.elements else None
        if putter := first(self.putters, lambda entry: entry[0]):
            if oldest is not None:
                self.elements.append(putter[1])
            putter[0].wake(None)
            return oldest or (putter[1],)
        return oldest

    async def put(self, element: T) -> None:
        if not self.put_now(element):
            future = current().loop.create_future()
            self.putters.append((Waiter(future, None), element))
            await future

    async def get(self) -> T:
        if taken := self.get_now():
            return taken[0]
        future = current().loop.create_future()
        self.getters.append(Waiter(future, None))
        return await future

    def qsize(self) -> int:
        return len(self.elements)


class Lock:
    def __init__(self) -> None:
        self.held = False
        self.line: deque[Waiter] = deque()

    async def acquire(self) -> None:
        if self.held:
            future = current().loop.create_future()
            self.line.append(Waiter(future, None))
            await future
        self.held = True

    async def release(self) -> None:
        if not self.held:
            raise Trap("sync", "release of a lock that is not held")
        if self.line:
            self.line.popleft().wake(None)
        else:
            self.held = False


class WaitGroup:
    def __init__(self) -> None:
        self.count = 0
        self.line: list[Waiter] = []

    def add(self, n: int) -> None:
        self.count += n
        if self.count < 0:
            raise Trap("sync", f"the counter of a wait group fell to {self.count}")
        if self.count == 0:
            for waiter in self.line:
                waiter.wake(None)
            self.line = []

    async def done(self) -> None:
        self.add(-1)

    async def wait(self) -> None:
        if self.count > 0:
            future = current().loop.create_future()
            self.line.append(Waiter(future, None))
            await future


def create_task(flow: Coroutine[Any, Any, Any]) -> None:
    current().create_task(flow)


def after(seconds: float) -> Queue[None]:
    """A queue that is given one element when the time has come."""
    world = current()
    queue: Queue[None] = Queue()
    future = world.loop.create_future()
    # Directly, not by way of the ready queue: the task that waits is what is readied.
    future.add_done_callback(lambda _: queue.put_now(None))
    world.sleep_until(world.clock + seconds, future)
    return queue


async def take(cases: list[tuple[Any, ...]], has_default: bool) -> tuple[int, Any]:
    """What `match dpslio.select` becomes: each case is a queue, with the element if it puts; gives the index of the one that was
    taken and what it got. The default has the last index."""
    world = current()
    task = asyncio.current_task(world.loop)
    assert task is not None
    start = world.last_case.get(task, -1) + 1
    for offset in range(len(cases)):
        index = (start + offset) % len(cases)
        queue, *element = cases[index]
        if element and queue.put_now(element[0]):
            world.last_case[task] = index
            return index, None
        if not element and (taken := queue.get_now()):
            world.last_case[task] = index
            return index, taken[0]
    if has_default:
        return len(cases), None
    future = world.loop.create_future()
    for index, (queue, *element) in enumerate(cases):
        waiter = Waiter(future, index)
        if element:
            queue.putters.append((waiter, element[0]))
        else:
            queue.getters.append(waiter)
    index, value = await future
    world.last_case[task] = index
    return index, value


select = None

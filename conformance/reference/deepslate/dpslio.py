"""Tasks and sync objects on asyncio, by the rules of the language: who is woken goes to the end of the ready queue, lines are
first come first served, and a select looks at its cases from the one after the case that it took last."""

from __future__ import annotations

import asyncio
import math
import re
import types
from collections import deque
from collections.abc import Coroutine
from enum import Enum
from typing import Any, Generic, TypeVar

from world import BEGINNING, Trap, current

from ._values import DSError

T = TypeVar("T")


class End(Enum):
    """What a receive gets from a queue that is closed and empty."""

    OF_QUEUE = 0


class Waiter:
    """A task that waits in the line of a queue, or in several by a select."""

    def __init__(self, future: asyncio.Future[Any], case: int | None, receives: bool = False) -> None:
        self.future = future
        self.case = case
        self.receives = receives

    def wake(self, value: Any) -> None:
        self.future.set_result(value if self.case is None else (self.case, value))

    def refuse(self, what: str) -> None:
        if self.future.done():
            return
        if self.receives:
            self.wake(End.OF_QUEUE)
        else:
            self.future.set_exception(Trap("sync", what))


def first(line: deque[Any], waiter: Any = lambda entry: entry) -> Any:
    """Takes the first in a line who has not been served elsewhere."""
    while line:
        entry = line.popleft()
        if not waiter(entry).future.done():
            return entry
    return None


class Alias(types.GenericAlias):
    """`Queue[int]`, which knows the type of its elements when it is called."""

    def __call__(self, maxsize: int = -1, *, name: str | None = None) -> Queue[Any]:
        if name is None:
            return Queue(maxsize)
        named = current().named
        if name not in named:
            if not re.fullmatch("[A-Za-z0-9._~-]{1,200}", name):
                raise Trap("value", f"a queue can't be named {name!r}")
            named[name] = (self.__args__, maxsize, Queue(maxsize))
        element, size, queue = named[name]
        if (element, size) != (self.__args__, maxsize):
            raise Trap("sync", f"this isolate has a queue `{name}` already")
        return queue


class Queue(Generic[T]):
    def __class_getitem__(cls, element: Any) -> Any:
        return Alias(cls, element)

    def __init__(self, maxsize: int = -1) -> None:
        self.capacity = maxsize
        self.elements: deque[T] = deque()
        self.getters: deque[Waiter] = deque()
        self.putters: deque[tuple[Waiter, T]] = deque()
        self.ended = False

    def put_now(self, element: T) -> bool:
        if self.ended:
            raise Trap("sync", "put into a closed queue")
        if getter := first(self.getters):
            getter.wake(element)
            return True
        if self.has_room():
            self.elements.append(element)
            return True
        return False

    def has_room(self) -> bool:
        return self.capacity < 0 or len(self.elements) < self.capacity

    def take_now(self) -> tuple[T] | End | None:
        oldest = (self.elements.popleft(),) if self.elements else None
        if putter := first(self.putters, lambda entry: entry[0]):
            if oldest is not None:
                self.elements.append(putter[1])
            putter[0].wake(None)
            return oldest or (putter[1],)
        return End.OF_QUEUE if oldest is None and self.ended else oldest

    def get_now(self) -> tuple[T] | None:
        taken = self.take_now()
        if isinstance(taken, End):
            raise Trap("sync", "get from a queue that is closed and empty")
        return taken

    async def put(self, element: T) -> None:
        if not self.put_now(element):
            future = current().loop.create_future()
            self.putters.append((Waiter(future, None), element))
            await future

    async def get(self) -> T:
        if taken := self.get_now():
            return taken[0]
        return await self.turn(receives=False)

    async def turn(self, receives: bool) -> Any:
        future = current().loop.create_future()
        self.getters.append(Waiter(future, None, receives))
        return await future

    async def receive(self) -> T | DSError:
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            return DSError("closed", "the queue is closed and empty")

    def __aiter__(self) -> Queue[T]:
        return self

    async def __anext__(self) -> T:
        taken = self.take_now()
        value = taken[0] if isinstance(taken, tuple) else taken
        if taken is None:
            value = await self.turn(receives=True)
        if isinstance(value, End):
            raise StopAsyncIteration
        return value  # type: ignore[return-value]

    def close(self) -> None:
        if self.ended:
            raise Trap("sync", "close of a closed queue")
        self.ended = True
        getters, self.getters = self.getters, deque()
        putters, self.putters = self.putters, deque()
        for waiter in getters:
            waiter.refuse("get from a queue that is closed and empty")
        for waiter, _ in putters:
            waiter.refuse("put into a closed queue")

    def closed(self) -> bool:
        return self.ended

    def qsize(self) -> int:
        return len(self.elements)

    def __len__(self) -> int:
        return self.qsize()

    def __bool__(self) -> bool:
        return True

    def empty(self) -> bool:
        return self.qsize() == 0

    def full(self) -> bool:
        waits = any(not waiter.future.done() for waiter in self.getters)
        return not waits and not self.has_room()


class Timer(Queue[float]):
    """A queue of `after`: it has its element from the time on that it is due, whenever somebody looks."""

    def __init__(self, due: float) -> None:
        super().__init__(1)
        self.due: float | None = due

    def settle(self) -> None:
        if self.due is not None and self.due <= current().clock:
            at, self.due = BEGINNING + self.due, None
            if getter := first(self.getters):
                getter.wake(at)
            else:
                self.elements.append(at)

    def is_waited_for(self) -> bool:
        return self.due is not None and any(not waiter.future.done() for waiter in self.getters)

    def put_now(self, element: float) -> bool:
        raise Trap("sync", "put into a queue of `after`")

    def close(self) -> None:
        raise Trap("sync", "close of a queue of `after`")

    def take_now(self) -> tuple[float] | End | None:
        self.settle()
        return super().take_now()

    def qsize(self) -> int:
        self.settle()
        return super().qsize()


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


def after(seconds: float) -> Queue[float]:
    """A queue that gets one element when the time has come."""
    if math.isnan(seconds) or seconds < 0:
        raise Trap("value", f"after({seconds})")
    world = current()
    timer = Timer(world.clock + seconds)
    world.timers.append(timer)
    return timer


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

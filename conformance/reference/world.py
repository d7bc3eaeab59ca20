"""The world of one run: asyncio's tasks on a virtual clock, the log, and the rules by which tasks take turns.

asyncio's ready queue is first in, first out, and a future that is resolved puts its task at the end of it: the rule of the
language. What asyncio does not have is the moment when no task can run: its loop then asks the selector to wait, and here the
selector answers one durable call instead, or finds a deadlock.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import heapq
import math
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

TASKS_MAX = 10_000
BEGINNING = 1_800_000_000.0
"""What the clock says at the start of a run."""


class Trap(Exception):
    """What fails a flow and is no exception of Python's own."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Ended(SystemExit):
    """Leaves asyncio's loop at once, past the tasks that are ready."""


class Turn(selectors.SelectSelector):
    """Asked by the loop for events; with a timeout of 0 while tasks are ready."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            self.world.idle()
        return []


class World:
    """One isolate."""

    def __init__(self, script: list[Any]) -> None:
        self.loop = asyncio.SelectorEventLoop(Turn(self))
        self.loop.set_exception_handler(lambda *_: None)
        self.log: list[str] = []
        self.script = script
        self.clock = 0.0
        self.step = 0
        self.sleeps: list[tuple[float, int, asyncio.Future[None]]] = []
        self.answers: list[tuple[int, asyncio.Future[Any], Callable[[], Any]]] = []
        # The coroutines that have not ended, in the order in which they were made.
        self.alive: list[Coroutine[Any, Any, Any]] = []
        self.result: Any = None
        self.failure: BaseException | None = None
        # Where the task stood that found no way on; other failures have a traceback.
        self.places: list[tuple[str, int]] = []
        self.last_case: dict[asyncio.Task[Any], int] = {}
        # The queues of `after`, and those with a name.
        self.timers: list[Any] = []
        self.named: dict[str, tuple[Any, int, Any]] = {}

    def run(self, main: Coroutine[Any, Any, Any]) -> None:
        """Runs a flow and all that it starts to its end."""
        self.create_task(main, first=True)
        asyncio.set_event_loop(self.loop)
        with contextlib.suppress(Ended):
            self.loop.run_forever()
        # What still waits is dropped without a sound.
        for coroutine in self.alive:
            with contextlib.suppress(BaseException):
                coroutine.close()
        self.loop.close()

    def create_task(self, flow: Coroutine[Any, Any, Any], first: bool = False) -> None:
        if len(self.alive) >= TASKS_MAX:
            raise Trap("tasks", f"more than {TASKS_MAX} tasks")
        self.alive.append(flow)
        self.loop.create_task(self.whole(flow, first))

    async def whole(self, flow: Coroutine[Any, Any, Any], first: bool) -> None:
        try:
            value = await flow
        except GeneratorExit:
            raise
        except BaseException as failure:
            self.failure = failure
            raise Ended from None
        if first:
            # What it is now: the other tasks may go on to change it.
            self.result = copy.deepcopy(value)
        self.alive.remove(flow)
        if not self.alive:
            raise Ended

    async def sleep(self, seconds: float) -> None:
        if math.isnan(seconds) or seconds < 0:
            raise Trap("value", f"sleep({seconds})")
        await self.wait_until(self.clock + seconds)

    async def wait_until(self, due: float) -> None:
        future = self.loop.create_future()
        self.sleep_until(due, future)
        await future

    def sleep_until(self, due: float, future: asyncio.Future[None]) -> None:
        heapq.heappush(self.sleeps, (due, self.step, future))
        self.step += 1

    async def call(self, answer: Callable[[], Any]) -> Any:
        """A durable call, and what answers it."""
        future = self.loop.create_future()
        heapq.heappush(self.answers, (self.step, future, answer))
        self.step += 1
        return await future

    def idle(self) -> None:
        """No task can run: one durable call is answered, or the timers that are due first fire."""
        waited_for = [timer for timer in self.timers if timer.is_waited_for()]
        first = min((timer.due for timer in waited_for), default=math.inf)
        if self.answers:
            _, future, answer = heapq.heappop(self.answers)
            try:
                future.set_result(answer())
            except Exception as error:
                future.set_exception(Trap("host", f"{type(error).__name__}: {error}"))
        elif first < (self.sleeps[0][0] if self.sleeps else math.inf):
            self.clock = max(self.clock, first)
            for timer in sorted(waited_for, key=lambda timer: timer.due):
                timer.settle()
        elif self.sleeps:
            due, _, future = heapq.heappop(self.sleeps)
            self.clock = max(self.clock, due)
            future.set_result(None)
        else:
            self.failure = Trap("deadlock", "every task waits for another one")
            self.places = places(self.alive[0])
            raise Ended


def places(coroutine: Any) -> list[tuple[str, int]]:
    """The functions of the program in which a coroutine waits, innermost first, and the line of each."""
    found = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_code.co_filename == PROGRAM and not frame.f_code.co_name.startswith("<"):
            found.append((frame.f_code.co_name, frame.f_lineno))
        coroutine = getattr(coroutine, "cr_await", None)
    return found[::-1]


PROGRAM = "main.py"
"""The name of the program's file, as the other ways have it."""

world = World([])


def start(script: list[Any]) -> World:
    """A new world, which the package works in from now on."""
    global world
    world = World(script)
    return world


def current() -> World:
    """The world of this run."""
    return world

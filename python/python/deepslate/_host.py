"""How the engine calls host functions: on threads of its own, with the call's context, coroutines on one event loop."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import inspect
import threading
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Context:
    """Which call of a flow this is. The idempotency key is the same at each attempt of one step, so that what an impure
    function does outside can be made to happen once."""

    isolate: str
    name: str
    flow: str
    step: int | None
    attempt: int
    idempotency_key: str | None


_current: contextvars.ContextVar[Context] = contextvars.ContextVar("deepslate_context")


def context() -> Context:
    """The context of the host function call that runs."""
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError("deepslate.context() has a value only inside an @impure or @pure function that a flow called") from None


_loop: asyncio.AbstractEventLoop | None = None
_loop_lock = threading.Lock()


def _event_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _loop_lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="deepslate-asyncio", daemon=True).start()
        return _loop


async def _as_task(awaitable: Any, where: Context, timeout: float | None) -> Any:
    _current.set(where)
    return await asyncio.wait_for(awaitable, timeout)


def call(function: Callable[..., Any], args: tuple[Any, ...], where: tuple[Any, ...], timeout: float | None) -> Any:
    """Calls a host function; called by the native module on one of its threads. A coroutine is cancelled after ``timeout``
    seconds, when the engine waits no more for it; a plain function can't be."""
    here = Context(*where)
    token = _current.set(here)
    try:
        result = function(*args)
        if inspect.isawaitable(result):
            return asyncio.run_coroutine_threadsafe(_as_task(result, here, timeout), _event_loop()).result()
        return result
    finally:
        _current.reset(token)

"""How the engine calls host functions: on threads of its own, with the call's context, coroutines on one event loop."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import enum
import functools
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


def maker(cls: type) -> Callable[..., Any]:
    """What makes an object of a class of its fields by name. An object that comes back from a flow is what it was there:
    ``__init__`` and ``__post_init__`` are not run for it again. Fields that the flow does not know get their defaults."""
    if not dataclasses.is_dataclass(cls):
        # An enumeration is called with the value of a member, a NamedTuple with its fields.
        return cls if issubclass(cls, (enum.Enum, tuple)) else functools.partial(_made, cls, ())
    fields = dataclasses.fields(cls)
    if _is_generated(cls) and not hasattr(cls, "__post_init__") and all(f.init for f in fields):
        return cls
    return functools.partial(_made, cls, fields)


def _is_generated(cls: type) -> bool:
    """Whether the class has the ``__init__`` that ``@dataclass`` wrote; a user's own one has a file."""
    return getattr(getattr(vars(cls).get("__init__"), "__code__", None), "co_filename", "") == "<string>"


def _made(cls: type, known: tuple[dataclasses.Field[Any], ...], /, **fields: Any) -> Any:
    made: Any = object.__new__(cls)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    for f in known:
        if f.name not in fields:
            if f.default_factory is not dataclasses.MISSING:
                object.__setattr__(made, f.name, f.default_factory())
            elif f.default is not dataclasses.MISSING:
                object.__setattr__(made, f.name, f.default)
    return made

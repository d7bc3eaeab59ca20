"""Stands in for the package `deepslate` where CPython runs a case: the same names, with the tasks of asyncio in the place of
durable ones and a virtual clock. Nothing is durable here; what a flow computes must be the same."""

from __future__ import annotations

import inspect
import random as _random
import uuid as _uuid
from pathlib import Path
from typing import Any

from world import BEGINNING, current

# What needs no engine is the package's own.
__path__.append(str(Path(__file__).parents[3] / "python/python/deepslate"))

from . import dpslio  # noqa: E402
from ._json import json_marshal, json_unmarshal  # noqa: E402
from ._values import DSError  # noqa: E402

__all__ = [
    "DSError",
    "dpslio",
    "flow",
    "http_listen",
    "http_request",
    "impure",
    "json_marshal",
    "json_unmarshal",
    "now",
    "pure",
    "random",
    "sleep",
    "uuid",
]


def _mark(function: Any = None, **_: Any) -> Any:
    return function if function is not None else _mark


flow = pure = _mark


def impure(function: Any = None, **_: Any) -> Any:
    """A host function: called when no task can run, as a durable call is."""

    def mark(function: Any) -> Any:
        async def called(*args: Any, **kwargs: Any) -> Any:
            value = await current().call(lambda: function(*args, **kwargs))
            return await value if inspect.isawaitable(value) else value

        return called

    return mark if function is None else mark(function)


async def sleep(seconds: float) -> None:
    await current().sleep(seconds)


def now() -> float:
    return BEGINNING + current().clock


def uuid() -> str:
    return str(_uuid.uuid4())


def random() -> float:
    return _random.random()


async def http_listen(method: str, route: str, timeout: float | None = None) -> bytes | DSError:
    return await current().call(lambda: _scripted("listen", method, route))


async def http_request(
    method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"", timeout: float | None = None
) -> bytes | DSError:
    return await current().call(lambda: _scripted("request", method, url))


def _scripted(what: str, method: str, target: str) -> Any:
    """The next answer that the case's script has for this; without one it is a network error."""
    script = current().script
    for index, (kind, m, t, answer) in enumerate(script):
        if (kind, m, t) == (what, method, target):
            del script[index]
            return answer
    return DSError("network", f"the script has no answer to {method} {target}")

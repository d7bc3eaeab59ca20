"""The options of ``@impure``, looked at where they are written: each mistake names its option."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

RetryOn = type[BaseException] | str

KINDS = ("timeout", "network", "status", "decode", "exception", "closed", "cancelled", "user")
"""The kinds of DSError."""


class Options(NamedTuple):
    """How an impure function is called. The native module reads it by position."""

    retries: int
    backoff: float
    timeout: float | None
    concurrency: int | None
    retry_on: list[str]
    """Kinds of DSError and full names of classes of exceptions."""


def call_options(
    retries: int, backoff: float, timeout: float | None, concurrency: int | None, retry_on: RetryOn | Iterable[RetryOn]
) -> Options:
    """The options, if they make sense."""
    return Options(
        _count("retries", retries, 0),
        _seconds("backoff", backoff),
        None if timeout is None else _seconds("timeout", timeout),
        None if concurrency is None else _count("concurrency", concurrency, 1),
        _failures(retry_on),
    )


def full_name(of: type) -> str:
    """The name by which an exception's class is known to the engine."""
    return f"{of.__module__}.{of.__qualname__}"


def _count(option: str, value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"@impure({option}=…): an int, not {value!r}")
    if not least <= value < 2**32:
        raise ValueError(f"@impure({option}={value}): at least {least}" + ("" if value < least else ", and not that many"))
    return value


def _seconds(option: str, value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"@impure({option}=…): seconds as a float, not {value!r}")
    if not (math.isfinite(value) and 0 < value <= 1e9):
        raise ValueError(f"@impure({option}={value}): more than 0 seconds, and at most a billion")
    return float(value)


def _failures(given: RetryOn | Iterable[RetryOn]) -> list[str]:
    if isinstance(given, (str, type)):
        given = (given,)
    try:
        failures = list(given)
    except TypeError:
        raise TypeError(f"@impure(retry_on=…): classes of exceptions and kinds of DSError, not {given!r}") from None
    names = []
    for failure in failures:
        if isinstance(failure, str):
            if failure not in KINDS:
                raise ValueError(f"@impure(retry_on=…): {failure!r} is no kind of DSError; there are {', '.join(KINDS)}")
            names.append(failure)
        elif isinstance(failure, type) and issubclass(failure, BaseException):
            names.append(full_name(failure))
        else:
            raise TypeError(f"@impure(retry_on=…): {failure!r} is neither a class of exceptions nor a kind of DSError")
    return names

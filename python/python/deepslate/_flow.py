"""The decorators. They mark functions and keep them; what a flow means is in the Rust front end, which reads its source."""

from __future__ import annotations

import functools
import random as _random
import time as _time
import uuid as _uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, overload

from ._errors import only_in_a_flow
from ._options import Options, RetryOn, call_options
from ._values import DSError

P = ParamSpec("P")
R = TypeVar("R")

Kind = Literal["flow", "pure", "impure"]

MARK = "__deepslate__"


class Impure(Protocol):
    """``@impure`` with options, before it has its function."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...


class FlowDefinition:
    """A flow as ``spawn_workers`` takes it; calling a ``@flow`` function from ordinary Python gives one and runs nothing."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.name: str = function.__name__

    def __repr__(self) -> str:
        return f"<flow {self.name}>"

    def __await__(self) -> Any:
        raise only_in_a_flow(f"await {self.name}(…)")


class Mark:
    """What a decorator knows of the function that it marks."""

    def __init__(
        self, kind: Kind, function: Callable[..., Any], *, compile: bool = True, options: Options | None = None
    ) -> None:
        self.kind: Kind = kind
        self.function = function
        self.compile = compile
        self.options = options


@overload
def flow(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]: ...
@overload
def flow(function: Callable[P, R]) -> Callable[P, R]: ...
def flow(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a durable function. Inside a flow a call of it runs it and gives its value; from ordinary Python a call gives the
    definition that ``spawn_workers`` takes."""

    @functools.wraps(function)
    def definition(*args: Any, **kwargs: Any) -> FlowDefinition:
        return FlowDefinition(function, args, kwargs)

    setattr(definition, MARK, Mark("flow", function))
    return definition


@overload
def pure(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def pure(*, compile: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def pure(function: Callable[..., Any] | None = None, /, *, compile: bool = True) -> Any:
    """Marks a function without side effects, called inline and without a commit. It is compiled where it fits the flow
    language, else called in Python; ``compile=False`` forces the call."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(function, MARK, Mark("pure", function, compile=compile))
        return function

    return mark if function is None else mark(function)


@overload
def impure(function: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R]: ...
@overload
def impure(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def impure(
    *,
    retries: int = 0,
    backoff: float = 1.0,
    timeout: float | None = None,
    concurrency: int | None = None,
    retry_on: RetryOn | Iterable[RetryOn] = (),
) -> Impure: ...
def impure(
    function: Callable[..., Any] | None = None,
    /,
    *,
    retries: int = 0,
    backoff: float = 1.0,
    timeout: float | None = None,
    concurrency: int | None = None,
    retry_on: RetryOn | Iterable[RetryOn] = (),
) -> Any:
    """Marks a function with side effects: the flow is committed, then it is called at least once, always with the same
    idempotency key (``deepslate.context().idempotency_key``), and its result is committed with the next step.

    ``retries``: how often it is called again after a failure, which is an exception or a call that took longer than ``timeout``
    seconds. ``backoff``: the seconds before the first of these; each further pause is twice as long, up to an hour, and of each a
    random part is left out, up to half. A pause of more than a second is committed and survives a restart. ``retry_on``: exceptions
    after which it is called again, and kinds of DSError: ``"exception"`` for all of them, ``"timeout"``, and any kind that it
    returns itself; without it after every exception and timeout. ``concurrency``: how many calls of it a node makes at a time.
    """
    options = call_options(retries, backoff, timeout, concurrency, retry_on)

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(function, MARK, Mark("impure", function, options=options))
        return function

    return mark if function is None else mark(function)


def mark_of(value: object) -> Mark | None:
    """The mark of a decorated function."""
    mark = getattr(value, MARK, None)
    return mark if isinstance(mark, Mark) else None


def http_listen(method: str, route: str, timeout: float = float("inf")) -> bytes | DSError:
    """Waits, inside a flow, until an HTTP request hits ``/{name of the isolate}{route}``, and gives its body. After ``timeout``
    seconds a DSError of kind ``timeout``; without one it waits for ever."""
    raise only_in_a_flow("http_listen")


def http_request(
    method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float = 30.0
) -> bytes | DSError:
    """Makes a durable HTTP call, inside a flow, and gives the body of the answer; a DSError where the status is no success or
    the network fails. It is sent at least once, always with the same ``Idempotency-Key``."""
    raise only_in_a_flow("http_request")


def sleep(seconds: float) -> None:
    """Waits for this many seconds; a flow can sleep for months and survives restarts."""
    raise only_in_a_flow("sleep")


def now() -> float:
    """The time in seconds since the beginning of 1970. In a flow the engine's clock, asked anew at each call and never replayed."""
    return _time.time()


def random() -> float:
    """A random number, at least 0 and less than 1."""
    return _random.random()


def uuid() -> str:
    """A new random id, as the text of a version 4 UUID."""
    return str(_uuid.uuid4())

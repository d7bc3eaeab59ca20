"""Platforms: an open store with an engine on it, and the functions that act on it."""

from __future__ import annotations

import asyncio
import atexit
import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import _native
from ._collect import collect, function_of
from ._flow import mark_of

DEFAULT_HTTP = "localhost:8765"


def _http(address: str | None) -> str:
    """Where flows listen: as given, else as the environment says, else the default; an empty address is nowhere."""
    return os.environ.get("DEEPSLATE_HTTP_ADDRESS", DEFAULT_HTTP) if address is None else address


class Platform:
    """An open store. Made by ``new_embedded`` or ``new_platform``; belongs to the process that made it."""

    def __init__(self, native: _native.Platform, http_address: str | None) -> None:
        self._native = native
        self._pid = os.getpid()
        self.http_address = http_address
        self._closed = False

    def _here(self) -> _native.Platform:
        if os.getpid() != self._pid:
            raise RuntimeError(
                "this deepslate platform was made before a fork and its threads are not in this process; "
                "make the platform after the fork (with uvicorn or gunicorn: in the worker, not in the parent)"
            )
        if self._closed:
            raise RuntimeError("this deepslate platform is closed")
        return self._native

    def pause(self, name: str) -> bool:
        """Holds an isolate where it is; whether that changed anything."""
        return self._here().pause(name)

    def resume(self, name: str) -> bool:
        """Lets a paused or parked isolate go on; whether that changed anything."""
        return self._here().resume(name)

    def send(self, name: str, queue: str, value: Any, *, id: str | None = None) -> bool:
        """Puts a value into the queue that the flow made with this name: ``dpslio.Queue[bool](name="approvals")`` takes what
        ``platform.send("order-7", "approvals", True)`` brings. Returns when it is part of the flow's durable state.

        With an ``id`` the same message may be sent again after its answer was lost: it is put in once, and the answer is then
        False. Raises KeyError, TypeError for a value of another type, FlowEnded and QueueFull."""
        return self._here().send(name, queue, value, id)

    def list(self, *, status: str | None = None, flow: str | None = None, prefix: str = "") -> list[dict[str, Any]]:
        """The isolates in the order of their names."""
        return self._here().list(status, flow, prefix)

    def _shutdown(self) -> None:
        if not self._closed and os.getpid() == self._pid:
            self._native.shutdown()

    def _close(self) -> None:
        if not self._closed and os.getpid() == self._pid:
            self._closed = True
            self._native.close()


def _opened(native: _native.Platform, http_address: str | None) -> tuple[Platform, Callable[[], None]]:
    platform = Platform(native, http_address)
    here = weakref.ref(platform)

    def close() -> None:
        """Shuts down what runs and closes the store."""
        open_platform = here()
        if open_platform is not None:
            open_platform._close()

    # The engine commits and gives its lease back before the interpreter goes.
    atexit.register(platform._close)
    return platform, close


def new_embedded(path: str | os.PathLike[str], http_address: str | None = None) -> tuple[Platform, Callable[[], None]]:
    """Opens (or makes) a store in a directory of its own: no server, one process at a time."""
    return _opened(_native.Platform.embedded(os.fspath(path)), _http(http_address))


def new_postgres(
    node_id: int,
    dsn: str,
    http_address: str | None = None,
    max_connections: int = 16,
    max_batch: int = 1024,
    lease_seconds: float = 5,
) -> tuple[Platform, Callable[[], None]]:
    """Opens (or makes) a store in a PostgreSQL database: ``postgres://user:password@host:5432/database?sslmode=require``.

    ``node_id`` names this process among those that share the database, the same in all its lives. After a crash another life of
    it waits until the lease of the one before has ended, ``lease_seconds`` at most."""
    settings = {"dsn": dsn, "max_connections": str(max_connections), "max_batch": str(max_batch)}
    return _opened(_native.Platform.on("postgres", settings, node_id, lease_seconds), _http(http_address))


def new_redis(
    node_id: int,
    url: str,
    http_address: str | None = None,
    max_connections: int = 16,
    max_batch: int = 1024,
    lease_seconds: float = 5,
) -> tuple[Platform, Callable[[], None]]:
    """Opens (or makes) a store in a Redis 7, a Valkey, or a cluster of them: ``redis://user:password@host:6379/0``, ``rediss://`` for TLS.

    A server that would lose what it has acknowledged is refused, with the lines of redis.conf that mend it. ``node_id`` and
    ``lease_seconds`` are as in ``new_postgres``. More settings (``replicas``, ``durability``, ``prefix``) are in the config file, which
    ``new_platform`` reads."""
    settings = {"url": url, "max_connections": str(max_connections), "max_batch": str(max_batch)}
    return _opened(_native.Platform.on("redis", settings, node_id, lease_seconds), _http(http_address))


def new_platform(config: str | os.PathLike[str] | None = None) -> tuple[Platform, Callable[[], None]]:
    """Opens the store that a config file selects: this one, else ``DEEPSLATE_CONFIG``, else ``./deepslate.toml``, else defaults."""
    return _opened(_native.Platform.configured(None if config is None else os.fspath(config)), None)


def _flow_name(flow: object) -> str:
    return flow if isinstance(flow, str) else function_of(flow).__name__


class _Later:
    """A call that ends on another thread, awaited in an event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def __call__(self, ok: bool, value: Any) -> None:
        def settle() -> None:
            if self.future.done():
                return
            if ok:
                self.future.set_result(value)
            else:
                self.future.set_exception(value)

        try:
            self.loop.call_soon_threadsafe(settle)
        except RuntimeError:
            pass  # the loop is closed, so nobody waits


class Spawn:
    """Spawns a flow under a name: ``id, exists = spawn(name, flow, {"arg": 1})``. Idempotent by name: the first wins, the others
    get its id and ``exists = True``. Returns when the spawn is durable."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def __call__(self, name: str, flow: object, args: Mapping[str, Any] | None = None) -> tuple[str, bool]:
        return self._platform._here().spawn(name, _flow_name(flow), dict(args or {}))

    async def aio(self, name: str, flow: object, args: Mapping[str, Any] | None = None) -> tuple[str, bool]:
        """The same for async code; no thread waits."""
        later = _Later()
        self._platform._here().spawn_later(name, _flow_name(flow), dict(args or {}), later)
        id, exists = await later.future
        return id, exists


class Result:
    """Waits for a flow's value: ``value = result(name, timeout=5.0)``. Raises FlowFailed, FlowCancelled, TimeoutError, KeyError."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def __call__(self, name: str, timeout: float | None = None) -> Any:
        return self._platform._here().result(name, timeout)

    async def aio(self, name: str, timeout: float | None = None) -> Any:
        """The same for async code; no thread waits."""
        later = _Later()
        self._platform._here().result_later(name, timeout, later)
        return await later.future


class Cancel:
    """Cancels a flow at its next stop: ``cancel(name)``. Nothing changes if it has ended."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def __call__(self, name: str) -> bool:
        return self._platform._here().cancel(name)


def spawn_workers(
    workers: int, platform: Platform, flows: Iterable[object]
) -> tuple[Spawn, Result, Cancel, Callable[[], None]]:
    """Compiles the flows, starts the engine with this many worker threads, and takes up what was running.

    ``flows`` are ``@flow`` functions, called (``counter()``) or not (``counter``). Gives spawn, result, cancel and shutdown.
    """
    program = collect(flows)
    platform._here().start(
        workers,
        program.sources,
        program.constants,
        program.hosts,
        program.options,
        program.classes,
        platform.http_address,
    )
    return Spawn(platform), Result(platform), Cancel(platform), platform._shutdown


def spawn_inspector(platform: Platform, address: str = "localhost:8080") -> str:
    """Serves the inspector and the control API at this address until the platform is closed; gives its URL."""
    return platform._here().inspect(address)

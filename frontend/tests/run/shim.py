"""Says what CPython makes of the test functions of a file, as JSON: what the evaluator must agree with.

Stands in for the package `deepslate`, with tasks of asyncio in the place of durable ones.
"""

import asyncio
import base64
import contextlib
import dataclasses
import importlib.util
import io
import json
import random
import sys
import time
import types
import typing
import uuid


def _mark(function=None, **_):
    return function if function is not None else _mark


class _Queue:
    def __class_getitem__(cls, _):
        return cls

    def __init__(self, maxsize=0):
        self._queue = asyncio.Queue(maxsize)

    async def put(self, item):
        await self._queue.put(item)

    async def get(self):
        return await self._queue.get()

    def qsize(self):
        return self._queue.qsize()


class _Lock:
    def __init__(self):
        self._lock = asyncio.Lock()

    async def acquire(self):
        await self._lock.acquire()

    async def release(self):
        self._lock.release()


class _WaitGroup:
    def __init__(self):
        self._count = 0
        self._zero = asyncio.Event()
        self._zero.set()

    def add(self, n):
        self._count += n
        self._zero.set() if self._count == 0 else self._zero.clear()

    async def done(self):
        self.add(-1)

    async def wait(self):
        await self._zero.wait()


_tasks = []


def _create_task(coroutine):
    _tasks.append(asyncio.get_running_loop().create_task(coroutine))


def _package():
    package = types.ModuleType("deepslate")
    package.flow = package.pure = package.impure = _mark
    package.sleep = lambda seconds: None
    package.now, package.random, package.uuid = time.time, random.random, lambda: str(uuid.uuid4())
    package.dpslio = types.SimpleNamespace(
        Queue=_Queue, Lock=_Lock, WaitGroup=_WaitGroup, create_task=_create_task, select=None
    )
    return package


def _converted(value, hint):
    """An int or bool where a float is declared is a float: a documented difference."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is float:
        return float(value)
    if hint is int:
        return int(value)
    if origin is list:
        return [_converted(v, args[0]) for v in value]
    if origin is dict:
        return {_converted(k, args[0]): _converted(v, args[1]) for k, v in value.items()}
    if origin is tuple:
        return tuple(_converted(v, a) for v, a in zip(value, args))
    return value


def _form(value):
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [_form(v) for v in value]
    if isinstance(value, dict):
        if all(isinstance(k, str) for k in value):
            return {k: _form(v) for k, v in value.items()}
        return {"$dict": [[_form(k), _form(v)] for k, v in value.items()]}
    if dataclasses.is_dataclass(value):
        return {f.name: _form(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


async def _all(coroutine):
    value = await coroutine
    while _tasks:
        await _tasks.pop(0)
    return value


def main(path):
    sys.modules["deepslate"] = _package()
    spec = importlib.util.spec_from_file_location("tested", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tested"] = module
    spec.loader.exec_module(module)
    out = {}
    for name, function in vars(module).items():
        if not name.startswith("test_"):
            continue
        log = io.StringIO()
        entry = {}
        try:
            with contextlib.redirect_stdout(log):
                value = function()
                if asyncio.iscoroutine(value):
                    value = asyncio.run(_all(value))
            value = _converted(value, typing.get_type_hints(function)["return"])
            entry["value"] = json.dumps(_form(value), separators=(",", ":"), ensure_ascii=False)
        except Exception as error:
            entry["error"] = f"{type(error).__name__}: {error}"
        if log.getvalue():
            entry["log"] = log.getvalue().splitlines()
        out[name] = entry
    print(json.dumps(out, indent=1, ensure_ascii=False))


main(sys.argv[1])

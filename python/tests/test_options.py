"""The options of @impure: retries with backoff, timeout, concurrency, by which errors; each mistake in them names the option."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepslate import DSError, FlowFailed, context, flow, impure, new_embedded, spawn_workers

CALLS: dict[str, list[tuple[int, str | None]]] = {}


def called(name: str) -> int:
    here = context()
    CALLS.setdefault(name, []).append((here.attempt, here.idempotency_key))
    return here.attempt


class Refused(ConnectionError):
    pass


@impure(retries=3, backoff=0.01)
def third_time(name: str) -> int:
    attempt = called(name)
    if attempt < 3:
        raise Refused(f"not yet {attempt}")
    return attempt


@impure(retries=2, backoff=0.01)
def never(name: str) -> int:
    called(name)
    raise ValueError("never")


@impure(retries=2, backoff=0.01)
async def never_but_a_value(name: str) -> int | DSError:
    called(name)
    raise ValueError("never")


@impure(retries=5, backoff=0.01, retry_on=ConnectionError)
def by_class(name: str) -> int | DSError:
    if called(name) < 3:
        raise Refused("a ConnectionError is tried again")
    raise ValueError("any other error is not")


@impure(retries=5, backoff=0.01, retry_on=("network", "timeout"))
def by_kind(name: str) -> int | DSError:
    return DSError("network", "busy") if called(name) < 3 else DSError("user", "no")


CANCELLED = threading.Event()


@impure(retries=1, backoff=0.01, timeout=0.2)
async def hangs(name: str) -> int | DSError:
    called(name)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        CANCELLED.set()
        raise
    return 1


@impure(timeout=0.2)
def blocks(name: str) -> int:
    called(name)
    time.sleep(1)
    return 1


INSIDE: list[int] = [0, 0]
LOCK = threading.Lock()


@impure(concurrency=2)
def crowded(n: int) -> int:
    with LOCK:
        INSIDE[0] += 1
        INSIDE[1] = max(INSIDE)
    time.sleep(0.05)
    with LOCK:
        INSIDE[0] -= 1
    return n


@flow
async def calls_third_time(name: str) -> int:
    return third_time(name)


@flow
async def calls_never(name: str) -> int:
    return never(name)


@flow
async def calls_errors(name: str) -> list[int | DSError]:
    out: list[int | DSError] = []
    if name == "value":
        out.append(never_but_a_value(name))
    elif name == "class":
        out.append(by_class(name))
    elif name == "kind":
        out.append(by_kind(name))
    else:
        out.append(hangs(name))
    return out


@flow
async def calls_blocks(name: str) -> int:
    return blocks(name)


@flow
async def calls_crowded(n: int) -> int:
    return crowded(n)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    platform, close = new_embedded(tmp_path_factory.mktemp("options") / "store")
    flows = [calls_third_time, calls_never, calls_errors, calls_blocks, calls_crowded]
    spawn, result, _, _ = spawn_workers(2, platform, flows)
    yield spawn, result
    close()


def run(running: Any, flow: str, name: str) -> Any:
    spawn, result = running
    spawn(name, flow, {"name": name})
    return result(name, timeout=30.0)


def test_a_call_is_made_again_until_it_succeeds_with_one_key(running: Any) -> None:
    assert run(running, "calls_third_time", "third") == 3
    assert [attempt for attempt, _ in CALLS["third"]] == [1, 2, 3]
    assert len({key for _, key in CALLS["third"]}) == 1


def test_when_all_retries_are_used_up_it_fails_or_is_a_value(running: Any) -> None:
    with pytest.raises(FlowFailed, match=r"never: ValueError: never \(attempt 3\)"):
        run(running, "calls_never", "never")
    assert len(CALLS["never"]) == 3
    [error] = run(running, "calls_errors", "value")
    assert (error.kind, error.type, error.message) == ("exception", "ValueError", "never (attempt 3)")
    assert "raise ValueError" in error.traceback
    assert len(CALLS["value"]) == 3


def test_retry_on_names_classes_and_kinds(running: Any) -> None:
    [error] = run(running, "calls_errors", "class")
    assert (error.type, len(CALLS["class"])) == ("ValueError", 3)
    [error] = run(running, "calls_errors", "kind")
    assert (error.kind, len(CALLS["kind"])) == ("user", 3)


def test_a_call_that_takes_too_long_has_failed(running: Any) -> None:
    [error] = run(running, "calls_errors", "hangs")
    assert (error.kind, error.message) == ("timeout", "no answer within 200ms (attempt 2)")
    assert len(CALLS["hangs"]) == 2
    assert CANCELLED.wait(10), "the coroutine is cancelled"
    began = time.monotonic()
    with pytest.raises(FlowFailed, match="blocks: no answer within 200ms"):
        run(running, "calls_blocks", "blocks")
    assert time.monotonic() - began < 0.9, "nobody waits for what the function still does"


def test_so_many_calls_at_a_time(running: Any) -> None:
    spawn, result = running
    for n in range(8):
        spawn(f"crowded{n}", "calls_crowded", {"n": n})
    assert [result(f"crowded{n}", timeout=30.0) for n in range(8)] == list(range(8))
    assert INSIDE == [0, 2]


@pytest.mark.parametrize(
    "error,message,options",
    [
        (ValueError, r"retries=-1\): at least 0", {"retries": -1}),
        (TypeError, r"retries=…\): an int, not 1.5", {"retries": 1.5}),
        (TypeError, r"retries=…\): an int, not True", {"retries": True}),
        (ValueError, r"retries=4294967296\): .* not that many", {"retries": 2**32}),
        (ValueError, r"backoff=0\): more than 0", {"backoff": 0}),
        (ValueError, r"backoff=nan\)", {"backoff": float("nan")}),
        (ValueError, r"timeout=-1.0\): more than 0", {"timeout": -1.0}),
        (TypeError, r"timeout=…\): seconds as a float, not '5s'", {"timeout": "5s"}),
        (ValueError, r"timeout=inf\)", {"timeout": float("inf")}),
        (ValueError, r"concurrency=0\): at least 1", {"concurrency": 0}),
        (ValueError, r"retry_on=…\): 'networks' is no kind of DSError; there are timeout, network", {"retry_on": "networks"}),
        (TypeError, r"retry_on=…\): <class 'int'> is neither", {"retry_on": [ValueError, int]}),
        (TypeError, r"retry_on=…\): classes of exceptions", {"retry_on": 5}),
        (TypeError, r"unexpected keyword argument 'retry'", {"retry": 5}),
    ],
)
def test_options_without_sense_are_refused_where_they_are_written(error: type[Exception], message: str, options: Any) -> None:
    with pytest.raises(error, match=message):
        impure(**options)


KILLED = """
import os, sys
from pathlib import Path
from deepslate import context, flow, impure, new_embedded, spawn_workers

LOG = Path(sys.argv[1]) / "calls"

@impure(retries=3, backoff=3.0)
def fragile() -> int:
    here = context()
    with LOG.open("a") as file:
        file.write(f"{here.attempt} {here.idempotency_key}\\n")
    if here.attempt == 1:
        raise OSError("down")
    return here.attempt

@flow
async def calls() -> int:
    return fragile()

platform, close = new_embedded(Path(sys.argv[1]) / "store")
spawn, result, _, _ = spawn_workers(2, platform, [calls])
spawn("it", "calls", {})
print(result("it", timeout=60.0), flush=True)
close()
"""


def test_a_long_pause_survives_kill_9(tmp_path: Path) -> None:
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    command = [sys.executable, str(program), str(tmp_path)]
    calls = tmp_path / "calls"
    first = subprocess.Popen(command)
    for _ in range(1000):
        if calls.exists() and calls.read_text().endswith("\n"):
            break
        time.sleep(0.02)
    # The pause, of a second and a half at least, is committed in much less.
    time.sleep(0.8)
    first.kill()
    first.wait()
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.stdout == "2\n", done.stderr
    assert time.monotonic() - began > 0.3, "what is left of the pause is waited for"
    attempts = [line.split() for line in calls.read_text().splitlines()]
    assert [attempt for attempt, _ in attempts] == ["1", "2"]
    assert len({key for _, key in attempts}) == 1

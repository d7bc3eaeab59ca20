"""The package on the embedded store: what is spawned comes to its result, and errors say what is wrong."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flows
import pytest

import deepslate
from deepslate import DSError, FlowCancelled, FlowFailed, new_embedded, spawn_workers


class Running:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.platform, self.close = new_embedded(folder / "store")
        self.spawn, self.result, self.cancel, self.shutdown = spawn_workers(2, self.platform, flows.ALL)

    def run(self, name: str, flow: object, **args: Any) -> Any:
        _, exists = self.spawn(name, flow, args)
        assert not exists
        return self.result(name, timeout=30.0)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.close()


def test_a_flow_comes_to_its_result(running: Running) -> None:
    assert running.run("a", "add", a=3, b=5) == 8
    assert running.run("b", flows.counter, limit=50) == 50
    assert running.run("c", flows.counter(1), limit=2) == 2


def test_spawn_is_idempotent_by_name(running: Running) -> None:
    first, existed = running.spawn("same", "add", {"a": 1, "b": 1})
    again, exists = running.spawn("same", "add", {"a": 9, "b": 9})
    assert (existed, exists) == (False, True)
    assert first == again
    assert running.result("same", timeout=10) == 2


def test_values_cross_both_ways(running: Running) -> None:
    point = running.run(
        "e", "echo", flag=True, number=0.5, text="grüße", data=b"\x00\xff", items=[1, 2], table={"a": [1.0]}, point=flows.Point(1, 2.0)
    )
    assert point == flows.Point(10, 2.5)
    assert isinstance(point, flows.Point)


def test_wrong_arguments_say_what_the_flow_takes(running: Running) -> None:
    with pytest.raises(TypeError, match=r"argument `b` is missing.*add\(a: int, b: int\) -> int"):
        running.spawn("w", "add", {"a": 1})
    with pytest.raises(TypeError, match=r"no parameter `c`"):
        running.spawn("w", "add", {"a": 1, "b": 2, "c": 3})
    with pytest.raises(TypeError, match=r"argument `a`: expected int, found str"):
        running.spawn("w", "add", {"a": "1", "b": 2})
    with pytest.raises(OverflowError, match="64 bits"):
        running.spawn("w", "add", {"a": 2**63, "b": 2})
    with pytest.raises(TypeError, match=r"`items`\[1\]: expected int, found str"):
        args = {"flag": True, "number": 1, "text": "", "data": b"", "items": [1, "x"], "table": {}, "point": flows.Point(1, 1.0)}
        running.spawn("w", "echo", args)
    with pytest.raises(KeyError, match="did you mean `add`"):
        running.spawn("w", "addd", {})
    with pytest.raises(ValueError, match="w w"):
        running.spawn("w w", "add", {"a": 1, "b": 2})


def test_a_trap_is_flow_failed_with_the_line(running: Running) -> None:
    with pytest.raises(FlowFailed, match=r"division") as failed:
        running.run("f", "fails", n=0)
    assert failed.value.kind == "division"
    line = next(n for n, text in enumerate(Path(flows.__file__).read_text().splitlines(), 1) if "10 // n" in text)
    assert f"flows.py:{line}:" in failed.value.trace


def test_cancel_and_timeout_and_unknown(running: Running) -> None:
    running.spawn("nap", "naps", {"seconds": 3600})
    with pytest.raises(TimeoutError):
        running.result("nap", timeout=0.05)
    assert running.cancel("nap")
    assert not running.cancel("nap")
    with pytest.raises(FlowCancelled):
        running.result("nap", timeout=10)
    running.spawn("loop", "forever", {})
    assert running.cancel("loop")
    with pytest.raises(KeyError):
        running.result("nobody", timeout=1)


def test_impure_functions_know_their_step(running: Running) -> None:
    path = running.folder / "notes"
    assert running.run("n", "notes", path=str(path), count=5) == 5
    rows = [line.split() for line in path.read_text().splitlines()]
    assert [row[1:] for row in rows] == [[str(n), str(n)] for n in range(5)]
    assert len({row[0] for row in rows}) == 1


def test_an_exception_of_a_host_function_fails_the_flow(running: Running) -> None:
    with pytest.raises(FlowFailed, match="ValueError: too hot") as failed:
        running.run("x", "explodes")
    assert failed.value.kind == "host"


def test_an_exception_of_one_that_declares_an_error_is_a_value(running: Running) -> None:
    number, raised, made = running.run("t", "tries", texts=["7", "seven", ""])
    assert number == 7
    assert isinstance(raised, DSError)
    assert (raised.kind, raised.type, raised.status, raised.body) == ("exception", "ValueError", 0, b"")
    assert "invalid literal for int()" in raised.message
    assert "in reads" in raised.traceback
    assert made == DSError("user", "nothing to read")


def test_errors_cross_both_ways(running: Running) -> None:
    assert running.run("i", "passes_on", error=3) == 3
    assert running.run("j", "passes_on", error=DSError("user", "no", 1)) == DSError("user", "no!", 2)
    assert len({DSError("a", "b"), DSError("a", "b")}) == 1


def test_async_impure_and_pure_functions(running: Running) -> None:
    assert running.run("d", "doubles", n=21) == 42
    assert running.run("p", "pures", text="banana") == "bAnAnA6"


def test_tasks_and_queues(running: Running) -> None:
    assert running.run("s", "sums", count=20) == 190


def test_async_callers_wait_without_a_thread(running: Running) -> None:
    async def main() -> list[int]:
        names = [f"a{n}" for n in range(50)]
        await asyncio.gather(*(running.spawn.aio(name, "counter", {"limit": 3}) for name in names))
        values = await asyncio.gather(*(running.result.aio(name, timeout=30) for name in names))
        with pytest.raises(KeyError):
            await running.result.aio("nobody")
        return values

    assert asyncio.run(main()) == [3] * 50


def test_a_second_platform_on_the_same_directory_is_refused(running: Running) -> None:
    with pytest.raises(deepslate.StoreError, match="store"):
        new_embedded(running.folder / "store")


def test_after_a_fork_the_error_is_clear(running: Running) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            running.spawn("forked", "add", {"a": 1, "b": 2})
            message = "no error"
        except RuntimeError as error:
            message = str(error)
        os.write(write, message.encode())
        os._exit(0)
    os.close(write)
    message = os.read(read, 1000).decode()
    os.waitpid(child, 0)
    assert "before a fork" in message
    assert running.run("parent", "add", a=1, b=2) == 3


def test_flow_primitives_outside_a_flow_say_so() -> None:
    with pytest.raises(RuntimeError, match="only inside a @flow"):
        deepslate.sleep(1)
    with pytest.raises(RuntimeError, match="only inside a @flow"):
        deepslate.dpslio.Queue[int]()
    with pytest.raises(RuntimeError, match="host|@impure"):
        deepslate.context()


def test_what_is_outside_the_language_is_a_compile_error(tmp_path: Path) -> None:
    @deepslate.flow
    async def wrong(n: int) -> int:
        with open("x") as file:  # noqa: F841
            pass
        return n + "one"  # type: ignore

    platform, close = new_embedded(tmp_path / "store")
    try:
        with pytest.raises(deepslate.CompileError, match="no `with`") as error:
            spawn_workers(1, platform, [wrong])
        assert Path(__file__).name in str(error.value)
    finally:
        close()


assert sys.version_info >= (3, 10)

"""Pure functions: whether one is compiled or called in Python does not show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deepslate import FlowFailed, flow, new_embedded, pure, spawn_workers

CALLED: list[str] = []


@pure
def power(base: int, exponent: int, modulus: int) -> int:
    return base**exponent % modulus


@pure(compile=False)
def power_in_python(base: int, exponent: int, modulus: int) -> int:
    CALLED.append("power_in_python")
    return base**exponent % modulus


@dataclass
class Moments:
    count: int
    mean: float
    squares: list[int]


@pure
def moments(values: list[int], scale: int) -> Moments:
    """The sum of squares does not fit, its quotient does."""
    total: int = 0
    squares: list[int] = []
    for value in values:
        total += value * value
        squares.append(value * value // scale)
    return Moments(len(values), total / len(values), squares)


@pure
def hash_of(text: str) -> int:
    """The hash that everybody writes, which relies on ints without end."""
    h: int = 5381
    for c in text:
        h = (h * 33**20 + ord(c)) & 0xFFFFFFFF
    return h


@pure
def by_another(text: str) -> int:
    return hash_of(text) + power(3, 100, 1000)


def helper(text: str) -> int:
    return by_another(text)


@flow
async def powers(base: int, exponent: int, modulus: int) -> list[int]:
    return [power(base, exponent, modulus), power_in_python(base, exponent, modulus)]


@flow
async def statistics(values: list[int], scale: int) -> Moments:
    copied: list[int] = values + []
    return moments(copied, scale)


@flow
async def hashes(texts: list[str]) -> list[int]:
    return [helper(text) for text in texts]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    platform, close = new_embedded(tmp_path_factory.mktemp("pure") / "store")
    spawn, result, _, _ = spawn_workers(2, platform, [powers, statistics, hashes])
    numbers = iter(range(1000))

    def run(flow: str, **args: Any) -> Any:
        name = f"{flow}-{next(numbers)}"
        spawn(name, flow, args)
        return result(name, timeout=30.0)

    yield run
    close()


def test_an_overflow_on_the_way_does_not_show(run: Any) -> None:
    assert run("powers", base=3, exponent=5, modulus=1000) == [243, 243]
    wanted = pow(7, 500, 1_000_003)
    assert run("powers", base=7, exponent=500, modulus=1_000_003) == [wanted, wanted]
    assert CALLED


def test_with_objects_and_lists(run: Any) -> None:
    values = [2**40, 3, -(2**41)]
    found = run("statistics", values=values, scale=2**30)
    assert found == Moments(3, sum(v * v for v in values) / 3, [v * v // 2**30 for v in values])


def test_by_way_of_other_functions(run: Any) -> None:
    texts = ["", "a", "hello", "ü" * 50]
    assert run("hashes", texts=texts) == [by_another(text) for text in texts]


def test_a_result_that_does_not_fit_is_the_overflow(run: Any) -> None:
    with pytest.raises(FlowFailed, match="overflow") as failed:
        run("statistics", values=[2**40], scale=1)
    assert "test_pure.py" in str(failed.value)


def test_a_mistake_in_python_keeps_the_overflow(run: Any) -> None:
    with pytest.raises(FlowFailed, match="overflow"):
        run("powers", base=7, exponent=500, modulus=0)


def test_the_command_does_the_same(tmp_path: Path) -> None:
    import subprocess
    import sys

    file = tmp_path / "flows.py"
    file.write_text(
        "from deepslate import flow, pure\n\n\n@pure\ndef mod(n: int) -> int:\n    return n**9 % 1000\n\n\n"
        "@flow\nasync def main(n: int) -> int:\n    return mod(n)\n"
    )
    command = [sys.executable, "-m", "deepslate", "run", f"{file}:main", "--arg", "n=12345678901"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == str(12345678901**9 % 1000), done.stderr

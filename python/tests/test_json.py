"""json_marshal and json_unmarshal: the same in a flow, in a host function and in plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from deepslate import DSError, flow, impure, json_marshal, json_unmarshal, new_embedded, pure, spawn_workers


class Color(Enum):
    RED = "r"
    BLUE = "b"


@dataclass
class Line:
    sku: str
    count: int
    color: Color | None = None


@dataclass
class Order:
    id: int
    lines: list[Line]
    tags: dict[str, tuple[int, ...]]
    codes: dict[int, bytes]
    note: str | None = None


@flow
async def recode(data: bytes) -> bytes | DSError:
    order: Order | DSError = json_unmarshal[Order](data)
    if isinstance(order, DSError):
        return order
    return json_marshal(order)


@impure
def in_python(data: bytes) -> bytes | DSError:
    order = json_unmarshal[Order](data)
    return order if isinstance(order, DSError) else json_marshal(order)


@pure(compile=False)
def uncompiled(data: bytes) -> bytes | DSError:
    order: Order | DSError = json_unmarshal[Order](data)
    if isinstance(order, DSError):
        return order
    return json_marshal(order)


@flow
async def recode_by_host(data: bytes) -> list[bytes | DSError]:
    out: list[bytes | DSError] = [in_python(data), uncompiled(data)]
    return out


GOOD = (
    b'{"id":7,"lines":[{"sku":"a\\"\xc3\xa9","count":2,"color":"b"},{"sku":"","count":-1,"color":null}],'
    b'"tags":{"x":[1,2],"":[]},"codes":{"$dict":[[1,{"$bytes":"AP8="}]]},"note":null}'
)
BAD = [
    (b"", None),
    (b"[1", None),
    (b"\xff", "expected UTF-8 text, found the byte 0xff at index 0"),
    (b"[]", "expected an object with the fields of Order, found an array"),
    (b'{"id": 1, "lines": [{"sku": "a", "count": 1.5, "color": null}]}', "in field `lines`[0].`count`: expected int, found 1.5"),
    (
        b'{"id": 1, "lines": [{"sku": "a", "count": 1, "color": "x"}]}',
        "in field `lines`[0].`color`: expected a value of Color ('r', 'b'), found \"x\"",
    ),
    (b'{"id": 1, "lines": [], "tags": {"x": [1, "2"]}}', 'in field `tags`[x][1]: expected int, found "2"'),
    (b'{"id": 9223372036854775808}', "in field `id`: expected an int of 64 bits, found 9223372036854775808"),
    (b'{"id": 1, "lnies": []}', "expected fields of Order (id, lines, tags, codes, note), found field `lnies`; did you mean `lines`?"),
    (b'{"id": 1, "lines": [], "tags": {}}', "expected field `codes` (dict[int, bytes]) of Order, found an object without it"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    platform, close = new_embedded(tmp_path_factory.mktemp("json") / "store")
    spawn, result, _, _ = spawn_workers(2, platform, [recode, recode_by_host])
    numbers = iter(range(1000))

    def run(flow: str, data: bytes) -> Any:
        name = f"{flow}-{next(numbers)}"
        spawn(name, flow, {"data": data})
        return result(name, timeout=30.0)

    yield run
    close()


def test_a_document_comes_back_as_it_was(run: Any) -> None:
    assert run("recode", GOOD) == GOOD
    assert run("recode_by_host", GOOD) == [GOOD, GOOD]


@pytest.mark.parametrize("data,message", BAD)
def test_a_bad_document_is_a_value_that_says_why(run: Any, data: bytes, message: str | None) -> None:
    answers = [run("recode", data), *run("recode_by_host", data)]
    for answer in answers:
        assert isinstance(answer, DSError) and answer.kind == "decode"
        assert message is None or answer.message == message


def test_what_is_no_value_of_the_language_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        json_marshal(object())
    with pytest.raises(TypeError, match="needs the type"):
        json_unmarshal(b"1")  # type: ignore[operator]
    with pytest.raises(TypeError, match="can't read"):
        json_unmarshal[complex](b"1")


def test_it_is_typed(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = tmp_path / "typed.py"
    program.write_text(
        "from deepslate import DSError, json_marshal, json_unmarshal\n"
        "a: list[int] | DSError = json_unmarshal[list[int]](b'')\n"
        "b: int | None | DSError = json_unmarshal[int | None](b'')\n"
        "c: bytes | DSError = json_marshal([1])\n"
        "reveal_type(json_unmarshal[dict[str, int]](b''))\n"
        "d: str | DSError = json_unmarshal[int](b'')\n"
        "json_unmarshal[int]('')\n"
    )
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(program)], capture_output=True, text=True)
    said = [line.split(": ", 1)[1] for line in done.stdout.splitlines()]
    assert len(said) == 3, done.stdout
    assert "dict[builtins.str, builtins.int]" in said[0] and "DSError" in said[0]
    assert "Incompatible types in assignment" in said[1] and "incompatible type" in said[2]

"""Every type of the language at the border: from spawn into a flow, to host functions and back, and out as the result. What does
not fit is an error that names the argument, the result, and the place inside it."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deepslate import FlowFailed, new_embedded, spawn_workers

HEAD = """
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, Literal, NamedTuple, NewType, Optional

from deepslate import DSError, flow, impure, pure

SEEN: dict[int, Any] = {}


class Color(Enum):
    RED = 1
    BLUE = 3


class Size(str, Enum):
    SMALL = "s"
    LARGE = "l"


class Level(IntEnum):
    LOW = 10
    HIGH = 20


@dataclass(frozen=True)
class Key:
    name: str
    number: int


@dataclass
class Point:
    x: int
    y: float


@dataclass
class Shape:
    points: list[Point]
    color: Color
    by_key: dict[Key, Point]
    note: str | None = None


@dataclass
class Counted:
    start: int
    doubled: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.doubled = self.doubled + self.start * 2


class Pair(NamedTuple):
    left: int
    right: str


UserId = NewType("UserId", int)
Names = list[str]
MaybeId = UserId | None
"""

EACH = """

@impure
def host_{i}(value: {type}) -> {type}:
    SEEN[{i}] = value
    return value


@impure
async def later_{i}(value: {type}) -> {type}:
    return value


@pure(compile=False)
def pure_{i}(value: {type}) -> {type}:
    return value


@flow
async def flow_{i}(value: {type}) -> {type}:
    return pure_{i}(later_{i}(host_{i}(value)))


@impure
def wrong_{i}() -> {type}:
    return WRONG[{i}]


@flow
async def fails_{i}() -> {type}:
    return wrong_{i}()
"""

# The type, a value of it, one that is none, and what is said about that one.
TYPES: list[tuple[str, str, str, str]] = [
    ("None", "None", "0", "expected None, found int"),
    ("bool", "True", "1", "expected bool, found int"),
    ("int", "-(2**63)", "'7'", "expected int, found str"),
    ("int", "2**63 - 1", "2**63", "9223372036854775808 does not fit int, which has 64 bits in a flow"),
    ("float", "-0.0", "'x'", "expected float, found str"),
    ("float", "float('nan')", "10**400", "an int that is too large for float"),
    ("float", "float('-inf')", "None", "expected float, found NoneType"),
    ("str", "'g\\u00fc\\u00dfe \\U0001f600 \\x00'", "b'x'", "expected str, found bytes"),
    ("str", "''", "'\\ud800'", "a str with half of a surrogate pair"),
    ("bytes", "b'\\x00\\xff'", "bytearray(b'x')", "expected bytes, found bytearray"),
    ("list[int]", "[1, 2]", "[1, 'x']", "[1]: expected int, found str"),
    ("list[list[str]]", "[[], ['a']]", "[[], ('a',)]", "[1]: expected list[str], found tuple"),
    ("dict[str, float]", "{'b': 1.5, 'a': 2.0}", "{'b': 1.5, 'a': b''}", "['a']: expected float, found bytes"),
    ("dict[int, list[int]]", "{2: [1], 1: []}", "{'2': []}", "['2']: expected int, found str"),
    ("dict[tuple[int, str], bytes]", "{(1, 'a'): b'x'}", "[]", "expected dict[tuple[int, str], bytes], found list"),
    ("tuple[int, str]", "(1, 'a')", "(1,)", "expected tuple[int, str], found tuple"),
    ("tuple[int, tuple[str, float]]", "(1, ('a', 2.5))", "(1, ('a', 'b'))", "[1][1]: expected float, found str"),
    ("tuple[int, ...]", "(1, 2, 3)", "(1, None)", "[1]: expected int, found NoneType"),
    ("set[str]", "{'a', 'b'}", "{1}", "[1]: expected str, found int"),
    ("frozenset[int]", "frozenset({1, 2})", "{1}", "expected frozenset[int], found set"),
    ("Color", "Color.BLUE", "9", "expected a value of Color (1, 3), found 9"),
    ("Size", "Size.LARGE", "5", "expected str, found int"),
    ("Level", "Level.HIGH", "11", "expected a value of Level (10, 20), found 11"),
    ("Point", "Point(1, 2.5)", "Point(1, '2')", ".y: expected float, found str"),
    ("Point", "Point(1, 2.5)", "Key('a', 1)", "expected Point, found Key"),
    ("Counted", "Counted(4)", "object.__new__(Counted)", "a Counted without `start`"),
    ("Pair", "Pair(1, 'a')", "(1, 'a')", "expected Pair, found tuple"),
    (
        "Shape",
        "Shape([Point(1, 2.0)], Color.RED, {Key('a', 1): Point(3, 4.0)}, 'n')",
        "Shape([Point(1, 2.0)], Color.RED, {Key('a', 1): Point(3, None)})",
        ".by_key[Key(name='a', number=1)].y: expected float, found NoneType",
    ),
    ("list[Shape]", "[Shape([], Color.BLUE, {})]", "[Shape([], 'x', {})]", "[0].color: expected int, found str"),
    ("int | None", "None", "'x'", "expected int | None, found str"),
    ("Optional[Point]", "Point(1, 2.0)", "Point(None, 2.0)", ".x: expected int, found NoneType"),
    ("Color | None", "Color.BLUE", "'x'", "expected Color | None, found str"),
    ("Level | int", "Level.LOW", "'x'", "expected int | Level, found str"),
    ("str | Size", "Size.SMALL", "b''", "expected str | Size, found bytes"),
    ("list[int] | list[str] | dict[str, int]", "['a']", "(1,)", "expected list[int] | list[str] | dict[str, int], found tuple"),
    ("DSError", "DSError('user', 'no', 4, b'x')", "1", "expected DSError, found int"),
    ("int | DSError", "DSError('network', 'gone')", "'x'", "expected int | DSError, found str"),
    ("UserId", "UserId(7)", "'x'", "expected int, found str"),
    ("Names", "['a']", "[1]", "[0]: expected str, found int"),
    ("MaybeId", "None", "'x'", "expected int | None, found str"),
    ("dict[UserId, Names]", "{UserId(1): ['a']}", "{UserId(1): 5}", "[1]: expected list[str], found int"),
    ("Literal['a', 'b']", "'b'", "5", "expected str, found int"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModuleType, Any, Any]]:
    folder = tmp_path_factory.mktemp("values")
    text = HEAD
    for i, (ty, _, _, _) in enumerate(TYPES):
        text += EACH.format(i=i, type=ty)
    text += "\n\nWRONG = {\n" + "".join(f"    {i}: {wrong},\n" for i, (_, _, wrong, _) in enumerate(TYPES)) + "}\n"
    (folder / "all_types.py").write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("all_types", folder / "all_types.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["all_types"] = module
    spec.loader.exec_module(module)
    platform, close = new_embedded(folder / "store")
    flows = [getattr(module, f"{kind}_{i}") for kind in ("flow", "fails") for i in range(len(TYPES))]
    spawn, result, _, _ = spawn_workers(2, platform, flows)
    yield module, spawn, result
    close()


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and a == b and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))


@pytest.mark.parametrize("i", range(len(TYPES)))
def test_a_value_of_each_type_goes_there_and_back(world: Any, i: int) -> None:
    module, spawn, result = world
    value = eval(TYPES[i][1], vars(module))
    spawn(f"good-{i}", f"flow_{i}", {"value": value})
    back = result(f"good-{i}", timeout=30.0)
    assert same(module.SEEN[i], value), f"the host function got {module.SEEN[i]!r}"
    assert same(back, value), f"{back!r} came back"
    if isinstance(value, dict):
        assert list(back) == list(value), "in the order of insertion"


@pytest.mark.parametrize("i", range(len(TYPES)))
def test_an_argument_that_does_not_fit_is_named(world: Any, i: int) -> None:
    module, spawn, _ = world
    wrong, message = module.WRONG[i], TYPES[i][3]
    with pytest.raises((TypeError, OverflowError), match=re.escape(message)) as error:
        spawn(f"bad-{i}", f"flow_{i}", {"value": wrong})
    assert "`value`" in str(error.value)


@pytest.mark.parametrize("i", range(len(TYPES)))
def test_a_result_that_does_not_fit_fails_the_flow_or_is_an_error(world: Any, i: int) -> None:
    _, spawn, result = world
    message = TYPES[i][3]
    spawn(f"wrong-{i}", f"fails_{i}", {})
    if "DSError" in TYPES[i][0]:
        error = result(f"wrong-{i}", timeout=30.0)
        assert error.kind == "exception" and message in error.message
        return
    with pytest.raises(FlowFailed, match=re.escape(message)) as failed:
        result(f"wrong-{i}", timeout=30.0)
    assert f"wrong_{i}" in str(failed.value)

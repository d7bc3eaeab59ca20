from dataclasses import dataclass
from typing import NamedTuple


@dataclass
class Point:
    x: int
    y: int


@dataclass
class Line:
    start: Point
    end: Point
    label: str = ""


class Size(NamedTuple):
    w: int
    h: int


def number(n: int) -> str:
    match n:
        case 0:
            return "zero"
        case 1 | 2 | 3:
            return "few"
        case -1:
            return "minus one"
        case n if n > 100:
            return f"big {n}"
        case int(k):
            return f"other {k}"


def test_numbers() -> list[str]:
    return [number(n) for n in [0, 1, 3, -1, 1000, 7]]


def point(p: Point) -> str:
    match p:
        case Point(0, 0):
            return "origin"
        case Point(x=0, y=y):
            return f"on y at {y}"
        case Point(x, 0):
            return f"on x at {x}"
        case Point(x, y) if x == y:
            return f"diagonal {x}"
        case Point():
            return "somewhere"


def test_points() -> list[str]:
    return [point(p) for p in [Point(0, 0), Point(0, 5), Point(4, 0), Point(3, 3), Point(1, 2)]]


def line(value: Line) -> str:
    match value:
        case Line(Point(0, 0), Point(x, y) as end, label="") if x > y:
            return f"{x} {y} {end}"
        case Line(start=Point(x=1 | 2 as x), label="a" | "b" as name):
            return f"{name}{x}"
        case Line(label=other):
            return f"other {other}"


def test_nested() -> list[str]:
    return [
        line(Line(Point(0, 0), Point(5, 1))),
        line(Line(Point(2, 0), Point(5, 1), "b")),
        line(Line(Point(3, 0), Point(5, 1), "b")),
    ]


def words(items: list[str]) -> str:
    match items:
        case []:
            return "empty"
        case ["go", direction]:
            return f"go {direction}"
        case ["get", *things]:
            return f"get {things}"
        case [first, *middle, last] if first == last:
            return f"{first} around {middle}"
        case [only]:
            return f"only {only}"
        case [_, _, *_]:
            return "many"
    return "never"


def test_sequences() -> list[str]:
    return [words(w) for w in [[], ["go", "north"], ["get", "a", "b"], ["get"], ["x", "y", "x"], ["z"], ["p", "q"]]]


def table(d: dict[str, int]) -> str:
    match d:
        case {"a": 1, "b": b}:
            return f"a is one, b is {b}"
        case {"a": a, **rest}:
            return f"a is {a}, rest {rest}"
        case {}:
            return "other"


def test_mappings() -> list[str]:
    return [table({"a": 1, "b": 2}), table({"a": 1, "c": 3}), table({"b": 1}), table({})]


def pair(p: tuple[str, int]) -> str:
    match p:
        case ("a", n):
            return f"a{n}"
        case (name, 0 | 1):
            return name
        case (_, n) if n < 0:
            return "negative"
        case [name, *rest]:
            return f"{name} {rest}"


def test_tuples() -> list[str]:
    return [pair(("a", 4)), pair(("b", 1)), pair(("c", -1)), pair(("d", 9))]


def size(s: Size) -> int:
    match s:
        case Size(w=0):
            return 0
        case Size(w, 1):
            return w
        case (w, h):
            return w * h


def test_named_tuple() -> list[int]:
    return [size(Size(0, 3)), size(Size(4, 1)), size(Size(2, 3))]


def captured(items: list[tuple[str, int]]) -> list[str]:
    out: list[str] = []
    for item in items:
        match item:
            case ("x", 1) | ("y", 2):
                out.append("known")
            case (("x" | "y") as name, n) | (name, n) if n > 5:
                out.append(f"{name}{n}")
            case _:
                out.append("none")
    return out


def test_alternatives_that_bind() -> list[str]:
    return captured([("x", 1), ("x", 7), ("z", 9), ("z", 1)])


def test_text() -> list[str]:
    out: list[str] = []
    for command in ["quit", "HELP", "load x", ""]:
        match command.lower().split():
            case ["quit"]:
                out.append("bye")
            case ["help"]:
                out.append("?")
            case ["load", name]:
                out.append(name)
            case _:
                out.append("-")
    match "b":
        case "a" | "b":
            out.append("ab")
        case str():
            out.append("text")
    return out


def test_falls_through() -> int:
    n = 5
    match n:
        case 1:
            n = 10
    return n

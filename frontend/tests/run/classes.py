from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import total_ordering
from typing import ClassVar, NamedTuple


@dataclass
class Point:
    x: int
    y: int = 0
    ORIGIN_NAME: ClassVar[str] = "origin"

    def norm(self) -> int:
        """Manhattan."""
        return abs(self.x) + abs(self.y)

    def moved(self, dx: int = 0, dy: int = 0) -> Point:
        return Point(self.x + dx, self.y + dy)

    def shift(self, by: int) -> None:
        self.x += by
        self.y += by

    @property
    def total(self) -> int:
        return self.norm() * 2

    @classmethod
    def origin(cls) -> Point:
        return cls(0)

    @staticmethod
    def parse(text: str) -> Point:
        parts = text.split(",")
        return Point(int(parts[0]), int(parts[1]))

    def __add__(self, other: Point) -> Point:
        return Point(self.x + other.x, self.y + other.y)

    def __mul__(self, factor: int) -> Point:
        return Point(self.x * factor, self.y * factor)

    def __rmul__(self, factor: int) -> Point:
        return self * factor

    def __neg__(self) -> Point:
        return Point(-self.x, -self.y)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        return self.x if index == 0 else self.y


def test_methods() -> list[int]:
    p = Point(3, -4)
    q = p.moved(dy=1)
    p.shift(2)
    return [p.norm(), q.norm(), p.total, Point.origin().x, Point.parse("4,5").y, Point.norm(q), p.x, p.y]


def test_operators() -> list[str]:
    p = Point(1, 2)
    q = p + Point(3, 4) * 2
    q += p
    return [str(q), repr(-q), f"{2 * p}", f"{p!r}", str(len(p)), str(p[1]), str(p == Point(1, 2)), str(p != q), Point.ORIGIN_NAME, p.ORIGIN_NAME]


@dataclass(order=True, frozen=True)
class Version:
    major: int
    minor: int = 0
    tags: tuple[str, str] = ("a", "b")


def test_order() -> list[str]:
    versions = [Version(2), Version(1, 5), Version(1, 2), Version(1, 2, ("a", "a"))]
    out = [str(Version(1) < Version(1, 1)), str(Version(2) >= Version(1, 9)), str(max(versions[0], versions[1], key=lambda v: v.minor))]
    seen = {v: v.major for v in versions}
    out.append(str(seen[Version(1, 2)]))
    return out


@dataclass
class Account:
    owner: str
    balance: float = 0.0
    history: list[str] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=lambda: ["first"])
    origin: Point = field(default_factory=Point.origin)
    id: int = field(default=7, kw_only=True)
    code: str = field(init=False, default="x")

    def __post_init__(self) -> None:
        self.code = self.owner.upper()
        if self.balance < 0:
            raise ValueError("negative balance")

    def deposit(self, amount: float) -> Account:
        self.balance += amount
        self.history.append(f"+{amount}")
        return self


def test_defaults() -> list[str]:
    a = Account("ann")
    b = Account("bob", 5.0, id=9)
    a.deposit(2.5).deposit(1.0)
    b.names.append("more")
    return [str(a), repr(b), str(a.names), a.code]


def test_post_init_fails() -> str:
    return Account("x", -1).owner


def test_replace() -> list[str]:
    v = replace(Version(1, 2), minor=5)
    p = replace(Point(1, 2), y=9)
    return [str(v), str(p)]


@dataclass
class Animal(ABC):
    name: str
    legs: int = 4

    @abstractmethod
    def sound(self) -> str: ...

    def speak(self) -> str:
        return f"{self.name} says {self.sound()}"

    def describe(self) -> str:
        return f"{self.name}/{self.legs}"


@dataclass
class Dog(Animal):
    tricks: list[str] = field(default_factory=list)

    def sound(self) -> str:
        return "woof"

    def describe(self) -> str:
        return super().describe() + f"/{len(self.tricks)}"


@dataclass
class Bird(Animal):
    legs: int = 2

    def sound(self) -> str:
        return "tweet"


def test_inheritance() -> list[str]:
    d = Dog("rex", tricks=["sit"])
    b = Bird("tim")
    return [d.speak(), d.describe(), b.speak(), b.describe(), str(d), str(b)]


class Counter:
    """Counts."""

    step = 2
    LIMIT: int = 10

    def __init__(self, start: int = 0, name: str = "c") -> None:
        self.value = start
        self.name = name
        self.log: list[int] = []
        self._table: dict[str, int] = {}
        self.ratio = 1 / 2
        self.record()

    def record(self) -> None:
        self.log.append(self.value)
        self._table[str(self.value)] = self.value

    def up(self, by: int = 1) -> int:
        self.value += by * self.step
        if self.value > Counter.LIMIT:
            self.value = self.LIMIT
        self.record()
        return self.value

    @property
    def size(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"Counter({self.value})"

    def __contains__(self, n: int) -> bool:
        return n in self.log

    def __bool__(self) -> bool:
        return self.value > 0

    def __call__(self, n: int) -> int:
        return self.value * n


def test_plain_class() -> list[str]:
    c = Counter(name="k")
    empty = not c
    c.up()
    c.up(3)
    c.up(3)
    return [str(c), f"{c}", f"{c!r}", str(c.log), str(c.size), str(2 in c), str(5 in c), str(empty), str(bool(c)), c.name, str(c(3)), str([c, c]), str({"c": (c, 1)}), str(c.ratio)]


class Base:
    def __init__(self, name: str) -> None:
        self.name = name
        self.items: list[str] = []

    def hello(self) -> str:
        return f"{self.kind()} {self.name}"

    def kind(self) -> str:
        return "base"


class Derived(Base):
    def __init__(self, name: str, size: int) -> None:
        super().__init__(name.upper())
        self.size = size
        self.items.append(name)

    def kind(self) -> str:
        return f"derived of {super().kind()} {self.size}"


def test_plain_inheritance() -> list[str]:
    return [Base("a").hello(), Derived("b", 3).hello()] + Derived("c", 1).items


class Temperature:
    def __init__(self, celsius: float) -> None:
        self._celsius = celsius

    @property
    def celsius(self) -> float:
        return self._celsius

    @celsius.setter
    def celsius(self, value: float) -> None:
        if value < -273.15:
            raise ValueError("too cold")
        self._celsius = value

    @property
    def fahrenheit(self) -> float:
        return self.celsius * 9 / 5 + 32


def test_property() -> list[float]:
    t = Temperature(20)
    first = t.fahrenheit
    t.celsius = 30.5
    t.celsius += 1
    return [first, t.celsius]


def test_property_setter_fails() -> float:
    t = Temperature(20)
    t.celsius = -300
    return t.celsius


class Pair(NamedTuple):
    left: int
    right: str = "r"

    def swap(self) -> str:
        return f"{self.right}{self.left}"


def test_named_tuple() -> list[str]:
    p = Pair(1)
    left, right = p
    q = p._replace(right="z")
    return [str(p), p.swap(), right, str(left), q.right, str(p == Pair(1, "r")), str(Pair(1, "a") < Pair(1, "b")), str(p[0]), p[1]]


@total_ordering
class Score:
    def __init__(self, points: int) -> None:
        self.points = points

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Score):
            return NotImplemented
        return self.points == other.points

    def __lt__(self, other: Score) -> bool:
        return self.points < other.points


def test_total_ordering() -> list[bool]:
    a, b = Score(1), Score(2)
    return [a < b, a <= b, a > b, a >= b, a == b, a != b, b >= a, Score(2) <= b, Score(2) > b]


@dataclass
class Node:
    value: int
    children: list[Node] = field(default_factory=list)

    def total(self) -> int:
        return self.value + sum(child.total() for child in self.children)


def test_recursive_class() -> list[str]:
    tree = Node(1, [Node(2), Node(3, [Node(4)])])
    return [str(tree.total()), str(tree)]


def test_sort_objects() -> list[int]:
    points = [Point(3), Point(1), Point(2)]
    points.sort(key=lambda p: p.x)
    best = max(points, key=Point.norm)
    return [p.x for p in points] + [best.x] + [p.x for p in sorted(points, key=lambda p: p.total, reverse=True)]

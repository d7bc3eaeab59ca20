from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from deepslate import flow


@dataclass
class Point:
    x: int
    y: int = field(default=0, repr=False)


@dataclass
class Circle:
    radius: float

    @property
    def area(self) -> float:
        return self.radius * self.radius * 3

    def grow(self, by: float) -> None:
        self.radius += by

    @cached
    def slow(self) -> float:
        return self.radius

    def broken(self) -> int:
        try:
            return 1
        except ValueError:
            return 2


class Shape(ABC):
    @abstractmethod
    def area(self) -> float: ...


class Lazy:
    def __init__(self, n: int) -> None:
        if n > 0:
            self.n = n


class Early:
    def __init__(self, n: int) -> None:
        self.show()
        self.n = n

    def show(self) -> None:
        print(self.n)


class Untyped:
    def __init__(self, n: int) -> None:
        self.n = undefined(n)


class Hidden:
    def __init__(self, n: int) -> None:
        self.n = n


@flow
async def main() -> None:
    p = Point(1)
    c = Circle(2.0)
    print(c.area())
    print(c.grow)
    c.grown(1.0)
    c.area = 3.0
    print(c.slow())
    print(c.broken())
    print(Circle.unit())
    print(Circle.radius)
    s = Shape()
    lazy = Lazy(1)
    early = Early(1)
    untyped = Untyped(1)
    hidden = Hidden(1)
    print(hidden)
    print(hidden == Hidden(1))
    print(c < c)

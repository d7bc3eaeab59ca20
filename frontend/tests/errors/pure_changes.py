import re
from dataclasses import dataclass, field

from deepslate import flow, pure


@dataclass
class Cart:
    items: list[str]
    prices: dict[str, float] = field(default_factory=dict)

    def add(self, item: str) -> None:
        self.items.append(item)

    def size(self) -> int:
        return len(self.items)


def fill(xs: list[int], x: int) -> None:
    xs.append(x)


def fill_deep(rows: list[list[int]]) -> None:
    fill(rows[0], 1)


def first(rows: list[list[int]]) -> list[int]:
    return rows[0]


def climb(xs: list[int], n: int) -> None:
    if n > 0:
        climb(xs, n - 1)
    else:
        xs.sort()


@pure
def by_another_name(xs: list[int]) -> int:
    ys = xs
    ys.append(1)
    return len(ys)


@pure
def in_a_loop(rows: list[list[int]]) -> int:
    for row in rows:
        row.append(1)
    return len(rows)


@pure
def by_a_helper(xs: list[int]) -> int:
    fill(xs, 1)
    return len(xs)


@pure
def by_two_helpers(rows: list[list[int]]) -> int:
    fill_deep(rows)
    first(rows).append(2)
    return len(rows)


@pure
def by_recursion(xs: list[int]) -> int:
    climb(xs, 3)
    return xs[0]


@pure
def by_a_method(cart: Cart) -> int:
    cart.add("x")
    return cart.size()


@pure
def in_a_copy(rows: list[list[int]], more: dict[str, list[int]]) -> int:
    copied = list(rows)
    copied[0].append(1)
    fill_deep(copied)
    more.get("a", [])[0:1] = [7]
    for key, values in more.items():
        values.clear()
    return 1


@pure
def sometimes(xs: list[int], flag: bool) -> list[int]:
    out = xs if flag else [1]
    out.append(2)
    return out


@pure
def stored(xs: list[int], cart: Cart) -> int:
    holder = [xs]
    holder[0].append(1)
    made = Cart(cart.items)
    made.add("y")
    cart.prices["x"] = 1.0
    return 1


@pure
def hosted(xs: list[int]) -> str:
    xs.append(1)
    return re.sub("a", "b", "a")


@flow
async def main() -> None:
    pass

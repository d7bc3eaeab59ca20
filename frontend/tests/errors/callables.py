from dataclasses import dataclass
from functools import reduce

from deepslate import flow


def half(n: int) -> int:
    return n // 2


@flow
async def main(names: list[str], n: int) -> int:
    print(half)
    shorter = lambda a, b: a + b
    print(shorter(1))
    print(shorter(1, 2, 3))
    names.sort(key=lambda w: {w: 1})
    names.sort(key=3)
    kept = map(len, names)
    for i in range(3):
        again = lambda a: a + i
    table = {"a": lambda a: a}
    double = lambda a: double(a)
    print(double(1))

    def inner(k: int) -> int:
        return k + late

    print(inner(1))
    late = 1
    print(sorted(names, key=len, backwards=True))
    print(reduce(half))
    del n
    print(n)
    return inner

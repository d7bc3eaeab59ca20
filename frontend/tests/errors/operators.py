from dataclasses import dataclass

from deepslate import flow


@dataclass
class Point:
    x: int


@flow
async def main(name: str, n: int, p: Point, q: Point, data: bytes) -> str:
    text = name + n
    joined = name + data
    negative = -name
    larger = p > q
    same = n == name
    if n is None:
        pass
    if n is 3:
        pass
    shifted = 1.5 << 2
    power = 2**-1
    text = "%d items" % n
    if name in n:
        pass
    return text

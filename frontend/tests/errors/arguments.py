from dataclasses import dataclass

from deepslate import flow, sleep


@dataclass
class Point:
    x: int
    y: int = 0


def area(width: int, height: int = 1) -> int:
    return width * height


@flow
async def main() -> int:
    area()
    area(1, 2, 3)
    area(1, hieght=2)
    area(1, width=2)
    area(*[1, 2])
    Point()
    Point(1, z=3)
    sleep()
    len()
    "a".split(1)
    sorted([1], key=area)
    print("x", end="")
    return max("a", 1)

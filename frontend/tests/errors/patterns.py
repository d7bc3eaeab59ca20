from dataclasses import dataclass

from deepslate import flow


@dataclass
class Point:
    x: int
    y: int


@dataclass
class Other:
    x: int


@flow
async def main(p: Point, n: int, items: list[int], pair: tuple[int, str]) -> None:
    match p:
        case Other(1):
            pass
        case Point(1, 2, 3):
            pass
        case Point(z=1):
            pass
        case [1, 2]:
            pass
        case Pont(1):
            pass
        case str():
            pass
    match n:
        case "text":
            pass
        case {"a": 1}:
            pass
    match pair:
        case (a, b, c):
            pass
        case (a, *rest):
            pass
        case (x, "t") | (_, x):
            pass
    match items:
        case [first, "a"]:
            pass

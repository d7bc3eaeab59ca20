from dataclasses import dataclass

from deepslate import flow


@dataclass
class Point:
    x: int
    x: float


@flow
async def run(p: Point) -> int:
    return 1


@flow
async def run(n: int) -> int:
    return n + 1

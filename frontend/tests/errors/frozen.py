from dataclasses import dataclass

from deepslate import flow


@dataclass(frozen=True)
class Point:
    x: int


@flow
async def main(p: Point, name: str, t: tuple[int, int]) -> None:
    p.x = 3
    name[0] = "a"
    t[0] = 1
    len(name) = 3
    del name
    del t[0]

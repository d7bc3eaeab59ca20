from dataclasses import dataclass

from deepslate import flow


@dataclass
class Point:
    x: int


@flow
async def main(seen: dict[Point, int]) -> None:
    table: dict[list[int], str] = {}
    other = {[1]: "a"}

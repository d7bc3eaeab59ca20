from dataclasses import dataclass
from deepslate import flow


@dataclass
class Box:
    value: int | None


@flow
async def main(a: int | None, b: int | str, c: str | bytes | None, box: Box) -> int:
    total = a + 1
    text = b.upper()
    size = len(c)
    first = c[0]
    for x in a:
        total += x
    if box.value is not None:
        box = Box(None)
        total += box.value
    if isinstance(b, 3):
        total += 1
    same = a == "1"
    match b:
        case None:
            total = 0
        case float():
            total = 1
    n: int = a
    if isinstance(b, int):
        n = b
    n = b
    return a

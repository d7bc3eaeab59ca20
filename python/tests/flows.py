"""Flows of the tests."""

from __future__ import annotations

import os
from dataclasses import dataclass

from deepslate import DSError, context, dpslio, flow, impure, pure, sleep

GREETING = "hello"
LIMITS = (3, 4)


@dataclass
class Point:
    x: int
    y: float


@flow
async def add(a: int, b: int) -> int:
    return a + b


@flow
async def counter(limit: int) -> int:
    count: int = 0
    while count < limit:
        sleep(0)
        count = count + 1
    return count


@flow
async def naps(seconds: float) -> str:
    sleep(seconds)
    return GREETING


@flow
async def forever() -> int:
    x: int = 0
    while True:
        x = x + 1
    return x


@flow
async def echo(
    flag: bool, number: float, text: str, data: bytes, items: list[int], table: dict[str, list[float]], point: Point
) -> Point:
    print(flag, number, text, data, items, table)
    return Point(point.x + len(items) + len(data) + len(text), point.y + number)


@flow
async def fails(n: int) -> int:
    sleep(0)
    return 10 // n


@impure
def note(path: str, item: str) -> int:
    here = context()
    with open(path, "a") as file:
        file.write(f"{here.isolate} {here.step} {item}\n")
        file.flush()
        os.fsync(file.fileno())
    return here.attempt


@flow
async def notes(path: str, count: int) -> int:
    done: int = 0
    while done < count:
        note(path, str(done))
        done = done + 1
    return done


@impure
def explode(message: str) -> int:
    raise ValueError(message)


@flow
async def explodes() -> int:
    return explode("too hot")


@impure
def reads(text: str) -> int | DSError:
    if text == "":
        return DSError("user", "nothing to read")
    return int(text)


@flow
async def tries(texts: list[str]) -> list[int | DSError]:
    out: list[int | DSError] = []
    for text in texts:
        number = reads(text)
        sleep(0)
        out.append(number)
    return out


@flow
async def passes_on(error: int | DSError) -> int | DSError:
    if isinstance(error, DSError):
        return DSError("user", error.message + "!", error.status + 1)
    return error


@impure
async def slowly(n: int) -> int:
    import asyncio

    await asyncio.sleep(0.01)
    return n * 2


@flow
async def doubles(n: int) -> int:
    return slowly(n)


@pure
def shout(text: str) -> str:
    import re  # outside the language, so it is called in Python

    return re.sub("a", "A", text)


@pure
def twice(n: int) -> int:
    return n + n


@flow
async def pures(text: str) -> str:
    return shout(text) + str(twice(LIMITS[0]))


@flow
async def producer(ch: dpslio.Queue[int], count: int):
    for i in range(count):
        sleep(0)
        await ch.put(i)


@flow
async def sums(count: int) -> int:
    ch: dpslio.Queue[int] = dpslio.Queue[int](1)
    dpslio.create_task(producer(ch, count))
    total: int = 0
    for _ in range(count):
        total = total + await ch.get()
    return total


@flow
async def approval(patience: float) -> str:
    answers: dpslio.Queue[bool] = dpslio.Queue[bool](1, name="approvals")
    points: dpslio.Queue[Point] = dpslio.Queue[Point](name="points")
    result: str = ""
    match dpslio.select:
        case _ if answer := await answers.get():
            result = "approved" if answer else "refused"
        case _ if point := await points.get():
            result = f"{point.x} {point.y}"
        case _ if await dpslio.after(patience).get():
            result = "nobody answered"
    return result


ALL = [approval, add, counter, naps, forever, echo, fails, notes, explodes, tries, passes_on, doubles, pures, sums]

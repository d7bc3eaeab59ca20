"""Each item of the first reference as a flow of our own wording, in the style that the reference has: every variable declared with
its type, durable calls without `await`. `test_reference.py` runs them."""

from dataclasses import dataclass

from deepslate import DSError, dpslio, flow, http_listen, http_request, impure, json_marshal, json_unmarshal, pure, sleep


@dataclass
class Parcel:
    To: str
    Weight: float


@flow
async def volume(width: int, height: int, depth: int = 1) -> int:
    return width * height * depth


@flow
async def packs(fragile: bool, note: str, rate: float, seal: bytes, parcels: list[Parcel], counts: dict[str, int]) -> Parcel:
    heaviest: Parcel = parcels[0]
    for parcel in parcels:
        if parcel.Weight > heaviest.Weight:
            heaviest = parcel
    price: float = heaviest.Weight * rate
    label: str = note
    if fragile and len(seal) > 0:
        label = note + "!"
    return Parcel(label, price + float(counts["stamps"]))


@flow
async def declares() -> int:
    later: int
    step: int = 3
    later = 0
    later = later + step
    return later


@flow
async def computes(a: int, b: int, x: float) -> list[bool]:
    n: int = -a + b * 2 - a % 3
    y: float = x / 2.0 + 1.5
    return [n == 5, n != 5, y < x, y > x, n <= b, n >= b, not (a == b or a != n), a < b and x > y]


@flow
async def literals() -> str:
    n: int = 12
    x: float = 0.25
    yes: bool = True
    no: bool = False
    items: list[int] = [4, 5, 6]
    table: dict[str, int] = {"one": 1, "two": 2}
    return str(n) + str(x) + str(yes) + str(no) + str(items) + str(table["two"])


@flow
async def grade(points: int) -> str:
    if points > 90:
        return "high"
    elif points == 90:
        return "edge"
    else:
        return "low"


@flow
async def halves(n: int) -> int:
    turns: int = 0
    while n > 1:
        n = n // 2
        turns = turns + 1
    while True:
        sleep(0.0)
        turns = turns + 100
        if turns > 300:
            return turns


@flow
async def weighs(numbers: list[int]) -> int:
    total: int = 0
    for number in numbers:
        total = total + number
    for place, number in enumerate(numbers):
        total = total + place * number
    return total


@flow
async def means(status: int) -> str:
    word: str = ""
    match status:
        case 200:
            word = "fine"
        case 404:
            word = "gone"
        case _:
            word = "odd"
    return word


@flow
async def leaves(n: int) -> None:
    if n < 0:
        return
    rest: int = 10 // n
    print(rest)


@flow
async def naps() -> str:
    sleep(0.05)
    return "awake"


@flow
async def hears() -> bytes | DSError:
    body: bytes | DSError
    body = http_listen("POST", "/orders")
    if not isinstance(body, bytes):
        return body
    size: int = len(body)
    return str(size).encode()


@flow
async def hears_nothing():
    body: bytes | DSError
    body = http_listen("POST", "/orders", 0.0)
    if not isinstance(body, bytes):
        return body


@flow
async def asks(url: str) -> str:
    answer: bytes | DSError
    answer = http_request("GET", url, {"X-Reference": "yes"}, b"")
    if isinstance(answer, DSError):
        return answer.kind + " " + str(answer.status)
    return answer.decode()


@flow
async def recodes(data: bytes) -> bytes | DSError:
    numbers: list[int] | DSError
    numbers = json_unmarshal[list[int]](data)
    if not isinstance(numbers, list):
        return numbers
    numbers.append(len(numbers))
    text: bytes | DSError
    text = json_marshal(numbers)
    return text


@pure
def receiver(parcel: Parcel) -> str:
    return parcel.To


@flow
async def addresses() -> str:
    parcel: Parcel = Parcel("Ada", 1.5)
    to: str = receiver(parcel)
    return to


@impure
def writes(path: str, name: str) -> None:
    with open(path, "a") as file:
        file.write(name + "\n")


@flow
async def records(path: str, name: str):
    writes(path, name)


@flow
async def calls() -> int:
    size: int = volume(3, 5)
    return size


@flow
async def child(out: dpslio.Queue[int], n: int):
    sleep(0.01)
    await out.put(n * 10)


@flow
async def parent() -> list[int]:
    out: dpslio.Queue[int] = dpslio.Queue[int]()
    dpslio.create_task(child(out, 1))
    dpslio.create_task(child(out, 2))
    first: int = await out.get()
    second: int = await out.get()
    return [first, second]


@flow
async def part(group: dpslio.WaitGroup, done: dpslio.Queue[int]):
    sleep(0.01)
    await done.put(1)
    await group.done()


@flow
async def whole() -> int:
    group: dpslio.WaitGroup = dpslio.WaitGroup()
    done: dpslio.Queue[int] = dpslio.Queue[int]()
    group.add(2)
    dpslio.create_task(part(group, done))
    dpslio.create_task(part(group, done))
    await group.wait()
    return done.qsize()


@flow
async def adds(lock: dpslio.Lock, group: dpslio.WaitGroup, total: list[int]):
    await lock.acquire()
    before: int = total[0]
    sleep(0.01)
    total[0] = before + 1
    await lock.release()
    await group.done()


@flow
async def locks() -> int:
    lock: dpslio.Lock = dpslio.Lock()
    group: dpslio.WaitGroup = dpslio.WaitGroup()
    total: list[int] = [0]
    group.add(3)
    for _ in range(3):
        dpslio.create_task(adds(lock, group, total))
    await group.wait()
    return total[0]


@flow
async def offers(queue: dpslio.Queue[int], seconds: float, n: int):
    sleep(seconds)
    await queue.put(n)


@flow
async def races() -> int:
    left: dpslio.Queue[int] = dpslio.Queue[int]()
    right: dpslio.Queue[int] = dpslio.Queue[int]()
    dpslio.create_task(offers(left, 1.0, 1))
    dpslio.create_task(offers(right, 0.01, 2))
    taken: int = 0
    match dpslio.select:
        case _ if n := await left.get():
            taken = n
        case _ if n := await right.get():
            taken = n
    return taken

from deepslate import dpslio, flow, pure, sleep


def test_while_else() -> list[int]:
    out: list[int] = []
    n = 0
    while n < 3:
        n += 1
        if n == 2:
            continue
        out.append(n)
    else:
        out.append(100)
    while True:
        n += 1
        if n > 5:
            break
    else:
        out.append(200)
    out.append(n)
    return out


def test_for_else() -> list[str]:
    out: list[str] = []
    for word in ["a", "b", "c"]:
        if word == "b":
            out.append("found")
            break
    else:
        out.append("missing")
    for word in ["x"]:
        pass
    else:
        out.append("through")
    return out


def test_ranges() -> list[int]:
    out: list[int] = []
    for i in range(3):
        out.append(i)
    for i in range(5, 8):
        out.append(i)
    for i in range(10, 0, -3):
        out.append(i)
    for i in range(0, 7, 3):
        out.append(i)
    for i in range(3, 3):
        out.append(-1)
    step = -2
    for i in range(4, 0, step):
        out.append(i)
    return out


def test_range_zero_step() -> int:
    step = 0
    n = 0
    for i in range(0, 3, step):
        n += i
    return n


def test_loop_variable_stays() -> int:
    i = -1
    for i in range(4):
        i = i * 10
    return i


def test_range_bound_is_read_once() -> int:
    n = 3
    turns = 0
    for i in range(n):
        n = 10
        turns += 1
    return turns


def test_enumerate() -> list[int]:
    out: list[int] = []
    for i, x in enumerate([5, 6]):
        out.append(i * 100 + x)
    for i, x in enumerate([7], start=10):
        out.append(i * 100 + x)
    for i, (a, b) in enumerate([(1, 2), (3, 4)]):
        out.append(i + a * b)
    for i, c in enumerate("ab", 1):
        out.append(i * len(c))
    for pair in enumerate([9]):
        out.append(pair[0] + pair[1])
    return out


def test_zip() -> list[int]:
    return [a * b for a, b in zip([1, 2, 3], [4, 5])]


def test_reversed() -> list[int]:
    out: list[int] = []
    for x in reversed([1, 2, 3]):
        out.append(x)
    for x in reversed(range(3)):
        out.append(x)
    return out


def test_nested_break() -> list[int]:
    out: list[int] = []
    for i in range(4):
        for j in range(4):
            if j > i:
                break
            if (i + j) % 2:
                continue
            out.append(i * 10 + j)
        if i == 2:
            break
    return out


def test_elif() -> list[str]:
    out: list[str] = []
    for n in [-5, 0, 3, 50]:
        if n < 0:
            kind = "negative"
        elif n == 0:
            kind = "zero"
        elif n < 10:
            kind = "small"
        else:
            kind = "large"
        out.append(kind)
    return out


def describe(status: int) -> str:
    match status:
        case 200:
            return "ok"
        case 301 | 302:
            return "moved"
        case n if n >= 500:
            return f"error {n}"
        case _:
            return "other"


def test_match() -> list[str]:
    return [describe(200), describe(302), describe(503), describe(404)]


def test_match_text() -> list[int]:
    out: list[int] = []
    for word in ["a", "b", "c"]:
        match word:
            case "a":
                value = 1
            case "b" | "x":
                value = 2
            case other:
                value = len(other) + 10
        out.append(value)
    return out


def test_match_without_default() -> int:
    value = 0
    match 5:
        case 1:
            value = 1
        case 2:
            value = 2
    return value


def test_match_other_types() -> list[int]:
    out: list[int] = []
    match True:
        case True:
            out.append(1)
        case False:
            out.append(2)
    match -1:
        case -1:
            out.append(3)
    match 1.5:
        case 1.5:
            out.append(4)
    match None:
        case None:
            out.append(5)
    return out


def test_collatz() -> int:
    n = 27
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def test_sieve() -> list[int]:
    limit = 50
    prime: list[bool] = [True] * (limit + 1)
    found: list[int] = []
    for n in range(2, limit + 1):
        if prime[n]:
            found.append(n)
            for multiple in range(n * n, limit + 1, n):
                prime[multiple] = False
    return found


def test_print() -> None:
    print("hello", 1, 2.5, True, None, ["a"])
    print()
    print("a", "b", sep="-")


def test_formats() -> list[str]:
    n, x, s = 255, 3.14159, "text"
    width = 8
    return [
        f"{n:>6}|{n:<6}|{n:^6}|",
        f"{n:04x} {n:b} {n:,}",
        f"{x:.2f} {x:8.3f} {x:e}",
        f"{s:>10}{s!r}{s!s:.2}",
        f"{n:{width}}|{x:{width}.{2}f}",
        f"{{}} {n}{{",
        f"{True} {None} {[1]} {n=}",
        f"{'nested ' + s}",
    ]


@pure
def double(x: int) -> int:
    return x * 2


@flow
async def child(x: int) -> int:
    sleep(0.5)
    return double(x)


@flow
async def test_flow_calls() -> int:
    a: int = await child(1)
    sleep(1)
    total = a + await child(10)
    return total


@flow
async def producer(queue: dpslio.Queue[int], start: int, group: dpslio.WaitGroup):
    for i in range(3):
        await queue.put(start + i)
    await group.done()


@flow
async def test_queue() -> list[int]:
    queue: dpslio.Queue[int] = dpslio.Queue[int]()
    group = dpslio.WaitGroup()
    group.add(2)
    dpslio.create_task(producer(queue, 10, group))
    dpslio.create_task(producer(queue, 20, group))
    await group.wait()
    out: list[int] = []
    for i in range(6):
        out.append(await queue.get())
    return out


@flow
async def adder(lock: dpslio.Lock, total: list[int], group: dpslio.WaitGroup):
    await lock.acquire()
    before = total[0]
    sleep(0)
    total[0] = before + 1
    await lock.release()
    await group.done()


@flow
async def test_lock() -> int:
    lock: dpslio.Lock = dpslio.Lock()
    group: dpslio.WaitGroup = dpslio.WaitGroup()
    total = [0]
    group.add(5)
    for i in range(5):
        dpslio.create_task(adder(lock, total, group))
    await group.wait()
    return total[0]


def test_declared_later() -> int:
    x: int
    if True:
        x = 1
    else:
        x = 2
    return x


def test_assigned_in_all_branches() -> int:
    n = 3
    if n > 5:
        result = 1
    elif n > 2:
        result = 2
    else:
        raise ValueError("never")
    return result


def test_assigned_before_break() -> int:
    while True:
        found = 7
        break
    return found


def test_docstring() -> int:
    """Does nothing much."""
    pass
    return 1


def test_many_parts() -> list[str]:
    a, b = 1, "x"
    print(a, b, a, b, a, b)
    return [f"{a}{b}{a}-{b}{a}{b}", str(a in (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 1))]

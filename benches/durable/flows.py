"""The pieces of work in Python, each run in a process of its own by `main.rs`: what `work.rs` does in Rust."""

import asyncio
import json
import os
import sys
import threading
import time

from deepslate import flow, impure, new_embedded, spawn_workers

WORK, DIRECTORY, *NUMBERS = sys.argv[1:]
ROUNDS = 12
STAY_AT = int(NUMBERS[0]) if WORK == "recover" else -1


@impure
def note(number: int) -> int:
    if number == STAY_AT:
        print(f"step {number}", flush=True)
        threading.Event().wait()
    return number


@flow
async def steps(count: int) -> int:
    total: int = 0
    for number in range(count):
        total = total + note(number)
    return total


def tell(seconds):
    print(json.dumps({"seconds": seconds}), flush=True)


def main():
    numbers = [int(n) for n in NUMBERS]
    platform, close = new_embedded(DIRECTORY)
    spawn, result, _, shutdown = spawn_workers(os.cpu_count() or 2, platform, [steps])

    def whole(name, count):
        spawn(name, "steps", {"count": count})
        total = result(name, timeout=300.0)
        assert total == count * (count - 1) // 2, total

    async def whole_later(name, count):
        await spawn.aio(name, "steps", {"count": count})
        total = await result.aio(name, timeout=300.0)
        assert total == count * (count - 1) // 2, total

    async def round_of(number, flows, count):
        await asyncio.gather(*(whole_later(f"round-{number}-{n}", count) for n in range(flows)))

    if WORK == "sequential":
        whole("warm-up", 100)
        begin = time.perf_counter()
        whole("long", numbers[0])
        tell([time.perf_counter() - begin])
    elif WORK == "many":
        times = []
        for number in range(ROUNDS):
            begin = time.perf_counter()
            asyncio.run(round_of(number, *numbers))
            times.append(time.perf_counter() - begin)
        tell(times[2:])
    elif WORK == "single":
        whole("warm-up", 100)
        times = []
        for n in range(numbers[0]):
            begin = time.perf_counter()
            whole(f"single-{n}", 1)
            times.append(time.perf_counter() - begin)
        tell(times)
    elif WORK == "recover":
        spawn("old", "steps", {"count": numbers[0] + 1_000_000})
        threading.Event().wait()
    shutdown()
    close()


main()

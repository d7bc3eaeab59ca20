"""The real process, killed with SIGKILL at random instants: nothing acknowledged is lost, nothing committed is asked for twice."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flows

SEED = int(os.environ.get("DEEPSLATE_TEST_SEED", "1"))


def command(folder: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "deepslate", *args]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "DEEPSLATE_STORE_EMBEDDED_PATH": str(folder / "store")}


def shown(folder: Path, name: str) -> dict[str, Any] | None:
    """What the store at rest says of an isolate; None before its spawn was durable."""
    done = subprocess.run(
        command(folder, "show", name, "--at-rest", "--json"), cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    if done.returncode != 0:
        return None
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_each_step_at_least_once_and_a_committed_one_never_again(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    notes, steps = tmp_path / "notes", 5000
    run = command(
        tmp_path, "run", f"{flows.__file__}:notes", "--name", "n1", "--arg", f"path={notes}", "--arg", f"count={steps}"
    )
    kills, committed = 0, 0
    while True:
        seen = len(notes.read_text().splitlines()) if notes.exists() else 0
        child = subprocess.Popen(run, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
        if kills < 10:
            # It has begun when the file grows; then it is killed after a moment.
            wait_for(lambda: rows(notes) > seen or child.poll() is not None, "the flow to go on")
            time.sleep(chance.uniform(0, 0.1))
            child.kill()
            kills += 1
        out, _ = child.communicate()
        if child.returncode == 0:
            break
        after = [int(line.split()[1]) for line in notes.read_text().splitlines()[seen:]]
        assert all(step >= committed for step in after), f"step below {committed}, which was committed, was asked for again"
        state = shown(tmp_path, "n1")
        assert state is not None
        if state["status"] == "done":
            # The end was committed before the kill, and not yet printed.
            committed = steps
            continue
        # It calls one function after the other: where it waits for step k, all steps before k are committed.
        pending = re.search(r"step (\d+)", state["tasks"][0]["waits_for"])
        assert pending, state
        committed = max(committed, int(pending[1]))
    assert json.loads(out) == steps
    final = [line.split() for line in notes.read_text().splitlines()]
    assert {int(row[1]) for row in final} == set(range(steps))
    assert len({row[0] for row in final}) == 1
    assert kills >= 10
    assert committed > 0


def rows(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.005)


class Served:
    """A `deepslate serve` on one store, started and killed as often as need be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = open(self.folder / "serve.log", "ab")
        self.child = subprocess.Popen(
            command(self.folder, "serve", flows.__file__, "--address", self.address),
            cwd=self.folder,
            env=environment(self.folder),
            stdout=log,
            stderr=log,
        )
        log.close()

    def wait_until_ready(self) -> None:
        def answers() -> bool:
            assert self.child is not None and self.child.poll() is None, (self.folder / "serve.log").read_text()
            return self.ask("GET", "/api/health") is not None

        wait_for(answers, "the engine to answer")

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()
        self.child.wait()

    def ask(self, method: str, path: str, body: object = None, timeout: float = 30.0) -> dict[str, Any] | None:
        """The answer, or None where the engine is not there to give one."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://{self.address}{path}", data=data, method=method, headers={"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                parsed: dict[str, Any] = json.load(answer)
                return parsed
        except urllib.error.HTTPError as error:
            if error.code in (404, 503, 504):
                return None
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from error
        except (OSError, ValueError):
            return None


def test_no_acknowledged_spawn_is_lost_and_no_result_is_wrong(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    served = Served(tmp_path)
    wanted = {f"i{n}": n % 37 + 20 for n in range(200)}
    acknowledged: dict[str, str] = {}
    waiting = list(wanted)
    kills = 0
    served.start()
    try:
        while kills < 20:
            served.wait_until_ready()
            until = time.monotonic() + chance.uniform(0.0, 0.3)
            while time.monotonic() < until:
                # Spawned names are spawned again now and then: the id must be the one that was acknowledged.
                name = waiting.pop() if waiting else chance.choice(list(wanted))
                answer = served.ask("POST", "/api/isolates", {"name": name, "flow": "counter", "args": {"limit": wanted[name]}})
                if answer is None:
                    if name not in acknowledged:
                        waiting.append(name)
                    continue
                assert acknowledged.setdefault(name, answer["id"]) == answer["id"]
            served.kill()
            kills += 1
            served.start()
        served.wait_until_ready()
        for name in waiting:
            answer = served.ask("POST", "/api/isolates", {"name": name, "flow": "counter", "args": {"limit": wanted[name]}})
            assert answer is not None, f"{name} is not taken"
            assert acknowledged.setdefault(name, answer["id"]) == answer["id"]
        for name, limit in wanted.items():
            answer = served.ask("GET", f"/api/isolates/{name}/result?timeout=60", timeout=90)
            assert answer is not None, f"{name} is lost"
            assert answer["result"] == limit, answer
    finally:
        served.kill()


def test_a_deploy_does_not_strand_a_running_flow(tmp_path: Path) -> None:
    source = tmp_path / "job.py"
    source.write_text(
        "from deepslate import flow, impure, sleep\n\n"
        "@impure\ndef hit(n: int) -> int:\n    return n + 1\n\n"
        "@flow\nasync def job(times: int) -> int:\n    total: int = 0\n    for i in range(times):\n"
        "        total = total + hit(i)\n        sleep(0.02)\n    return total\n"
    )
    run = command(tmp_path, "run", str(source), "--name", "j", "--arg", "times=60")
    run[4] += ":job"
    child = subprocess.Popen(run, cwd=tmp_path, env=environment(tmp_path))
    wait_for(lambda: shown(tmp_path, "j") is not None, "the spawn")
    child.kill()
    child.wait()
    # The new code does not call `hit`, but the isolate that runs does.
    source.write_text(source.read_text().replace("total = total + hit(i)", "total = total + 1000"))
    done = subprocess.run(run, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, str(sum(range(1, 61)))), done.stderr


def test_the_program_of_a_file_is_the_same_in_every_process(tmp_path: Path) -> None:
    programs = set()
    for seed in ("0", "1", "2"):
        environ = {**environment(tmp_path), "PYTHONHASHSEED": seed}
        run = command(tmp_path, "run", f"{flows.__file__}:pures", "--name", f"p{seed}", "--arg", "text=a")
        subprocess.run(run, cwd=tmp_path, env=environ, check=True, capture_output=True)
        state = shown(tmp_path, f"p{seed}")
        assert state is not None
        programs.add(state["program"])
    assert len(programs) == 1

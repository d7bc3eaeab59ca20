"""The FastAPI example as a user runs it: beside its flows, killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

EXAMPLE = Path(__file__).parents[2] / "examples" / "server.py"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def variables(inspector: str, name: str) -> dict[str, str]:
    answer = httpx.get(f"{inspector}/api/isolates/{name}", timeout=10).json()
    return {v["name"]: v.get("value", v.get("preview")) for task in answer["tasks"] for frame in task["frames"] for v in frame["variables"]}


def until(look: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + 60
    while True:
        try:
            found = look()
            if found:
                return found
        except (httpx.HTTPError, OSError, KeyError, ValueError):
            pass
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.05)


def test_flows_beside_fastapi_survive_a_kill(tmp_path: Path) -> None:
    http, inspector = free_port(), free_port()
    text = EXAMPLE.read_text().replace("8000", str(http)).replace("8080", str(inspector)).replace("sleep(1.0)", "sleep(0.1)")
    (tmp_path / "server.py").write_text(text)
    url, seen = f"http://127.0.0.1:{http}", f"http://127.0.0.1:{inspector}"

    def start() -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "server.py"], cwd=tmp_path, env=os.environ.copy())
        until(lambda: httpx.get(f"{url}/docs", timeout=5).status_code == 200, "the server")
        return child

    child = start()
    try:
        first = httpx.post(f"{url}/counter/my-counter", timeout=10).json()
        assert first["exists"] is False
        httpx.post(f"{url}/remind/r1", params={"to": "ada", "times": 2}, timeout=10).raise_for_status()
        count = until(lambda: int(variables(seen, "my-counter")["count"]), "the first tick")
        child.kill()
        child.wait()
        child = start()
        again = httpx.post(f"{url}/counter/my-counter", timeout=10).json()
        assert again == {"id": first["id"], "exists": True}
        assert until(lambda: int(variables(seen, "my-counter")["count"]) > count, "the count to go on")
        assert httpx.get(f"{url}/result/r1", params={"timeout": 30}, timeout=40).json() == {"result": 2}
        assert httpx.get(f"{url}/result/nobody", timeout=10).status_code == 404
        child.terminate()
        child.wait(timeout=30)
    finally:
        child.kill()
        child.wait()
    shutil.rmtree(tmp_path / ".deepslate")

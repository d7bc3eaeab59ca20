"""A server that counts, ended with Ctrl+C, killed, started again: what the tests of each shared store do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from test_server import free_port, until, variables


class Server:
    """A server program of the form of the first README on the store at this address, with its ports and its pace changed."""

    def __init__(self, tmp_path: Path, program: str, address: str) -> None:
        http, inspector, listen = free_port(), free_port(), free_port()
        text = program.replace("8000", str(http)).replace("8080", str(inspector)).replace("8765", str(listen))
        text = text.replace("0.0.0.0", "127.0.0.1").replace("sleep(1.0)", "sleep(0.1)")
        text, changed = re.subn(r'^DBURL = ".*"$', f'DBURL = "{address}"', text, flags=re.M)
        assert changed == 1
        (tmp_path / "server.py").write_text(text)
        self.folder, self.url, self.seen = tmp_path, f"http://127.0.0.1:{http}", f"http://127.0.0.1:{inspector}"

    def start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "server.py"], cwd=self.folder, env=os.environ.copy())
        until(lambda: httpx.get(f"{self.url}/docs", timeout=5).status_code == 200, "the server")
        return child

    def count(self) -> int:
        return int(variables(self.seen, "my-counter")["count"])

    def goes_on(self, after: int) -> int:
        """Waits until the count has passed this one."""
        return until(lambda: self.count() > after and self.count(), "the count to go on")


def count_goes_on(tmp_path: Path, program: str, address: str) -> None:
    """Stops and kills the program, and starts it again."""
    server = Server(tmp_path, program, address)
    child = server.start()
    try:
        first = httpx.post(f"{server.url}/counter/my-counter", timeout=10).json()
        assert first["exists"] is False
        before: int = until(server.count, "the first tick")
        for how in (signal.SIGINT, signal.SIGKILL):
            child.send_signal(how)
            child.wait(timeout=30)
            child = server.start()
            again = httpx.post(f"{server.url}/counter/my-counter", timeout=30).json()
            assert again == {"id": first["id"], "exists": True}
            after: int = until(server.count, "the count")
            assert after >= before
            before = server.goes_on(after)
    finally:
        child.kill()
        child.wait()

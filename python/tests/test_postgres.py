"""The server of the first README, on a real PostgreSQL: ended with Ctrl+C, killed, started again, its count goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path

import httpx
import psycopg
import pytest

from deepslate import StoreError, new_postgres
from test_server import free_port, until, variables

SERVER = '''
import uvicorn
from fastapi import FastAPI

from deepslate import flow, sleep, new_postgres, spawn_workers, spawn_inspector

DBURL = "postgres://postgres:postgres@localhost:5432/postgres?sslmode=disable"


# durable flow that counts up forever, one tick per second,
# can survive crashes and restarts
@flow
async def counter():
    count: int = 0

    while True:
        sleep(1.0)
        count = count + 1

def create_app() -> FastAPI:
    # connect to postgres and start deepslate
    platform, _ = new_postgres(1, DBURL, "localhost:8765", 100, 100, 5)
    spawn_fn, _, _, _ = spawn_workers(4, platform, [counter()])
    spawn_inspector(platform, "localhost:8080")

    app = FastAPI()
    app.state.spawn = spawn_fn

    # spawn a new durable counter flow with the given name
    @app.post("/counter/{name}")
    def spawn_counter(name: str):
        id_, exists = app.state.spawn(name, "counter", {})
        return {"id": id_, "exists": exists}

    return app


app = create_app()


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8000, workers=1)
'''


@pytest.fixture
def database() -> str:
    """A connection string to a database of its own."""
    server = os.environ.get("DEEPSLATE_TEST_POSTGRES")
    if not server:
        assert not os.environ.get("CI"), "DEEPSLATE_TEST_POSTGRES is not set: CI tests every backend"
        pytest.skip("DEEPSLATE_TEST_POSTGRES names no server; `cargo xtask services` starts one")
    name = f"python_{os.getpid()}_{free_port()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return urllib.parse.urlsplit(server)._replace(path=f"/{name}", query="sslmode=disable").geturl()


def test_the_count_goes_on_after_ctrl_c_and_after_a_kill(tmp_path: Path, database: str) -> None:
    http, inspector, listen = free_port(), free_port(), free_port()
    text = SERVER.replace("8000", str(http)).replace("8080", str(inspector)).replace("8765", str(listen))
    text = text.replace("0.0.0.0", "127.0.0.1").replace("sleep(1.0)", "sleep(0.1)")
    text = re.sub(r"postgres://[^\"]*", database, text)
    (tmp_path / "server.py").write_text(text)
    url, seen = f"http://127.0.0.1:{http}", f"http://127.0.0.1:{inspector}"

    def start() -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "server.py"], cwd=tmp_path, env=os.environ.copy())
        until(lambda: httpx.get(f"{url}/docs", timeout=5).status_code == 200, "the server")
        return child

    def count() -> int:
        return int(variables(seen, "my-counter")["count"])

    child = start()
    try:
        first = httpx.post(f"{url}/counter/my-counter", timeout=10).json()
        assert first["exists"] is False
        before: int = until(count, "the first tick")
        for how in (signal.SIGINT, signal.SIGKILL):
            child.send_signal(how)
            child.wait(timeout=30)
            child = start()
            again = httpx.post(f"{url}/counter/my-counter", timeout=30).json()
            assert again == {"id": first["id"], "exists": True}
            after: int = until(count, "the count")
            assert after >= before
            before = until(lambda: count() > after and count(), "the count to go on")
    finally:
        child.kill()
        child.wait()


def test_a_server_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(StoreError) as caught:
        new_postgres(1, "postgres://ada:hunter2@127.0.0.1:1/x")
    assert "127.0.0.1:1" in str(caught.value) and "hunter2" not in str(caught.value)

"""The server of the first README, on a real PostgreSQL: ended with Ctrl+C, killed, started again, its count goes on."""

from __future__ import annotations

import os
import urllib.parse
from pathlib import Path

import psycopg
import pytest

from deepslate import StoreError, new_postgres
from restarts import count_goes_on
from test_server import free_port

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
    count_goes_on(tmp_path, SERVER, database)


def test_a_server_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(StoreError) as caught:
        new_postgres(1, "postgres://ada:hunter2@127.0.0.1:1/x")
    assert "127.0.0.1:1" in str(caught.value) and "hunter2" not in str(caught.value)

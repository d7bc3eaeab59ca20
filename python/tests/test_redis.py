"""The server of the first README, on a real Redis by changing nothing but the call that opens it."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.parse
from pathlib import Path

import httpx
import pytest

from deepslate import StoreError, new_redis
from restarts import Server, count_goes_on
from test_postgres import SERVER
from test_server import free_port, until

# The shared server has 16 databases; the Rust tests take the first.
DATABASE = 9


@pytest.fixture
def database() -> str:
    """The address of a database that is empty."""
    server = os.environ.get("DEEPSLATE_TEST_REDIS")
    if not server:
        assert not os.environ.get("CI"), "DEEPSLATE_TEST_REDIS is not set: CI tests every backend"
        pytest.skip("DEEPSLATE_TEST_REDIS names no server; `cargo xtask services` starts one")
    place = urllib.parse.urlsplit(server)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(f"SELECT {DATABASE}\r\nFLUSHDB\r\nQUIT\r\n".encode())
        answer = b""
        while piece := connection.recv(100):
            answer += piece
    assert answer.count(b"+OK") == 3, answer
    return place._replace(path=f"/{DATABASE}").geturl()


def test_the_count_goes_on_after_ctrl_c_and_after_a_kill(tmp_path: Path, database: str) -> None:
    count_goes_on(tmp_path, SERVER.replace("new_postgres", "new_redis"), database)


def test_the_count_goes_on_through_restarts_of_redis(tmp_path: Path) -> None:
    """Each restart gives Redis a new replication id: the engine loses its lease, claims afresh, and nobody has to do anything."""
    program = os.environ.get("DEEPSLATE_TEST_REDIS_SERVER")
    if not program:
        assert not os.environ.get("CI"), "DEEPSLATE_TEST_REDIS_SERVER is not set: CI tests every backend"
        pytest.skip("DEEPSLATE_TEST_REDIS_SERVER names no program; `cargo xtask services` finds one")
    port, data = free_port(), tmp_path / "redis"
    data.mkdir()

    def start() -> subprocess.Popen[bytes]:
        settings = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", str(data)]
        child = subprocess.Popen([program, "--port", str(port), "--bind", "127.0.0.1", *settings], stdout=subprocess.DEVNULL)
        until(lambda: socket.create_connection(("127.0.0.1", port), timeout=5).close() is None, "Redis")
        return child

    redis = start()
    server = Server(tmp_path, SERVER.replace("new_postgres", "new_redis"), f"redis://127.0.0.1:{port}/0")
    child = server.start()
    try:
        httpx.post(f"{server.url}/counter/my-counter", timeout=10).raise_for_status()
        count = server.goes_on(2)
        for _ in range(3):
            redis.kill()
            redis.wait()
            redis = start()
            count = server.goes_on(count + 3)
        assert httpx.post(f"{server.url}/counter/my-counter", timeout=30).json()["exists"] is True
    finally:
        child.kill()
        child.wait()
        redis.kill()
        redis.wait()


def test_a_server_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(StoreError) as caught:
        new_redis(1, "redis://ada:hunter2@127.0.0.1:1/0")
    assert "127.0.0.1:1" in str(caught.value) and "hunter2" not in str(caught.value)


def test_an_address_of_something_else_is_a_clear_error() -> None:
    with pytest.raises(StoreError, match="redis://user:password@host:6379/0"):
        new_redis(1, "postgres://ada:hunter2@127.0.0.1:1/x")

"""Every item of the first reference runs on the wheel: spawned as a server does it, on the embedded store, to its result."""

from __future__ import annotations

import http.server
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reference
from test_server import free_port

from deepslate import DSError, FlowFailed, new_embedded, spawn_workers

FLOWS = [value for value in vars(reference).values() if hasattr(value, "__deepslate__") and value.__deepslate__.kind == "flow"]


class Running:
    """An engine with all flows of the reference."""

    def __init__(self, folder: Path) -> None:
        self.http = f"localhost:{free_port()}"
        self.platform, self.close = new_embedded(folder / "store", self.http)
        # The form of the reference: a definition is what a call of a flow gives.
        definitions = [flow() for flow in FLOWS]
        self.spawn, self.result, self.cancel, self.shutdown = spawn_workers(4, self.platform, definitions)

    def run(self, flow: str, **args: Any) -> Any:
        id_, exists = self.spawn(f"the-{flow}", flow, args)
        assert (bool(id_), exists) == (True, False)
        return self.result(f"the-{flow}", timeout=60.0)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("reference"))
    yield running
    running.close()


def test_a_flow_takes_typed_parameters(running: Running) -> None:
    assert running.run("volume", width=3, height=4) == 12


def test_values_of_every_type(running: Running) -> None:
    parcels = [reference.Parcel("a", 1.0), reference.Parcel("b", 4.0)]
    made = running.run("packs", fragile=True, note="mind", rate=0.5, seal=b"\x00", parcels=parcels, counts={"stamps": 2})
    assert made == reference.Parcel("mind!", 4.0)


def test_declarations_and_assignment(running: Running) -> None:
    assert running.run("declares") == 3


def test_operators(running: Running) -> None:
    assert running.run("computes", a=1, b=4, x=4.0) == [False, True, True, False, False, True, False, True]


def test_literals(running: Running) -> None:
    assert running.run("literals") == "120.25TrueFalse[4, 5, 6]2"


@pytest.mark.parametrize(("points", "word"), [(95, "high"), (90, "edge"), (3, "low")])
def test_if_elif_else(running: Running, points: int, word: str) -> None:
    running.spawn(f"grade-{points}", "grade", {"points": points})
    assert running.result(f"grade-{points}", timeout=60.0) == word


def test_while(running: Running) -> None:
    assert running.run("halves", n=1000) == 309


def test_for_over_a_list_and_enumerate(running: Running) -> None:
    assert running.run("weighs", numbers=[5, 6, 7]) == 38


@pytest.mark.parametrize(("status", "word"), [(200, "fine"), (404, "gone"), (500, "odd")])
def test_match(running: Running, status: int, word: str) -> None:
    running.spawn(f"means-{status}", "means", {"status": status})
    assert running.result(f"means-{status}", timeout=60.0) == word


def test_return_with_and_without_a_value(running: Running) -> None:
    assert running.run("leaves", n=-1) is None
    running.spawn("leaves-0", "leaves", {"n": 0})
    with pytest.raises(FlowFailed, match="division"):
        running.result("leaves-0", timeout=60.0)


def test_sleep(running: Running) -> None:
    assert running.run("naps") == "awake"


def test_http_listen(running: Running) -> None:
    running.spawn("the-ear", "hears", {})
    request = urllib.request.Request(f"http://{running.http}/the-ear/orders", data=b"three", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202
    assert running.result("the-ear", timeout=60.0) == b"5"


def test_an_error_is_a_value_and_is_passed_on(running: Running) -> None:
    error = running.run("hears_nothing")
    assert isinstance(error, DSError)
    assert error.kind == "timeout"


class Answers(http.server.BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_GET(self) -> None:
        known = self.path == "/health"
        body = f"{self.path} {self.headers['X-Reference']}".encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test says what went wrong."""


def test_http_request(running: Running) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        assert running.run("asks", url=f"{address}/health") == "/health yes"
        running.spawn("asks-elsewhere", "asks", {"url": f"{address}/elsewhere"})
        assert running.result("asks-elsewhere", timeout=60.0) == "status 404"
    finally:
        server.shutdown()
        server.server_close()


def test_json(running: Running) -> None:
    assert running.run("recodes", data=b"[4, 5]") == b"[4,5,2]"
    running.spawn("recodes-badly", "recodes", {"data": b'[4, "5"]'})
    error = running.result("recodes-badly", timeout=60.0)
    assert isinstance(error, DSError)
    assert (error.kind, "[1]" in error.message) == ("decode", True)


def test_a_pure_function(running: Running) -> None:
    assert running.run("addresses") == "Ada"


def test_an_impure_function(running: Running, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    assert running.run("records", path=str(path), name="Ada") is None
    assert path.read_text(encoding="utf-8") == "Ada\n"


def test_a_flow_calls_another_one(running: Running) -> None:
    assert running.run("calls") == 15


def test_tasks_and_a_queue(running: Running) -> None:
    assert running.run("parent") == [10, 20]


def test_a_wait_group(running: Running) -> None:
    assert running.run("whole") == 2


def test_a_lock(running: Running) -> None:
    assert running.run("locks") == 3


def test_select_takes_what_is_ready_first(running: Running) -> None:
    running.spawn("the-race", "races", {})
    assert running.result("the-race", timeout=60.0) == 2

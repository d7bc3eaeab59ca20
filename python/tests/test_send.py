"""Values sent to a flow's queues by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flows
import pytest

import deepslate
from deepslate import FlowEnded, QueueFull, new_embedded, spawn_workers


class Running:
    def __init__(self, folder: Path) -> None:
        self.platform, self.close = new_embedded(folder / "store")
        self.spawn, self.result, self.cancel, self.shutdown = spawn_workers(2, self.platform, flows.ALL)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.close()


def test_a_value_comes_to_the_flow_that_waits_for_it(running: Running) -> None:
    for name, answer, result in [("yes", True, "approved"), ("no", False, "refused")]:
        running.spawn(name, flows.approval, {"patience": 3600.0})
        assert running.platform.send(name, "approvals", answer)
        assert running.result(name, timeout=30.0) == result
    running.spawn("point", flows.approval, {"patience": 3600.0})
    running.platform.send("point", "points", flows.Point(3, 0.5))
    assert running.result("point", timeout=30.0) == "3 0.5"
    running.spawn("late", flows.approval, {"patience": 0.05})
    assert running.result("late", timeout=30.0) == "nobody answered"


def test_one_message_counts_once(running: Running) -> None:
    running.spawn("a", flows.approval, {"patience": 3600.0})
    assert running.platform.send("a", "approvals", True, id="click-1") is True
    assert running.platform.send("a", "approvals", True, id="click-1") is False
    assert running.result("a", timeout=30.0) == "approved"


def test_what_can_t_be_sent_says_why(running: Running) -> None:
    send = running.platform.send
    with pytest.raises(KeyError, match="no isolate `nobody`"):
        send("nobody", "approvals", True)
    running.spawn("a", flows.approval, {"patience": 3600.0})
    with pytest.raises(KeyError, match="did you mean `approvals`"):
        send("a", "approval", True)
    with pytest.raises(TypeError, match="queue `approvals` of `a` takes bool"):
        send("a", "approvals", "yes")
    with pytest.raises(TypeError, match="a value of type object can't be sent to a flow"):
        send("a", "approvals", object())
    running.platform.pause("a")
    send("a", "approvals", True)  # goes to the task that waits
    send("a", "approvals", True)
    with pytest.raises(QueueFull, match="is full: it holds 1"):
        send("a", "approvals", True)
    running.platform.resume("a")
    assert running.result("a", timeout=30.0) == "approved"
    with pytest.raises(FlowEnded, match="has ended"):
        send("a", "approvals", True)
    assert issubclass(FlowEnded, deepslate.DeepslateError)

"""Time and chance work in ordinary Python as they do in a flow."""

import time
import uuid as uuids

from deepslate import now, random, uuid


def test_they_work_outside_of_flows() -> None:
    assert abs(now() - time.time()) < 5.0
    draws = {random() for _ in range(100)}
    assert len(draws) == 100 and all(0.0 <= draw < 1.0 for draw in draws)
    first = uuids.UUID(uuid())
    assert first.version == 4 and uuid() != str(first)

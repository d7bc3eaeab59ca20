"""The values of the language that Python has no class for."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class DSError:
    """What a durable call gives that did not succeed. ``kind`` is one of ``timeout``, ``network``, ``status``, ``decode``,
    ``exception``, ``closed``, ``cancelled``, or ``user`` in one that a flow makes itself."""

    kind: str
    message: str
    status: int = 0
    body: bytes = b""
    type: str = ""
    traceback: str = ""

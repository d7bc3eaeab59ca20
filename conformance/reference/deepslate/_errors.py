"""The error value of the language."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DSError:
    kind: str
    message: str
    status: int = 0
    body: bytes = b""
    type: str = ""
    traceback: str = ""

"""The result of a case as its outcome has it."""

from __future__ import annotations

import typing
from typing import Any

from deepslate import DSError, json_marshal


def text(value: Any) -> str:
    """A value in the JSON form."""
    written = json_marshal(value)
    if isinstance(written, DSError):
        raise ValueError(written.message)
    return written.decode()


def declared(value: Any, hint: Any) -> Any:
    """A value where this type is declared: there an int or bool becomes a float or int, which CPython doesn't do."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is float and isinstance(value, int):
        return float(value)
    if hint is int and isinstance(value, bool):
        return int(value)
    if origin is list:
        return [declared(part, args[0]) for part in value]
    if origin is dict:
        return {declared(key, args[0]): declared(part, args[1]) for key, part in value.items()}
    if origin is tuple:
        hints = [args[0]] * len(value) if args[1:] == (...,) else args
        return tuple(declared(part, hint) for part, hint in zip(value, hints))
    return value

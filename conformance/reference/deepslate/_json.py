"""JSON bytes from values of the language and back, by the declared type. The form is the one of the command line and the API."""

from __future__ import annotations

import base64
import dataclasses
import enum
import json
import types
import typing
from typing import Any

from ._errors import DSError


class Refused(Exception):
    """A document that does not fit the type."""


def form(value: Any) -> Any:
    """A value as what the `json` module writes."""
    if isinstance(value, enum.Enum):
        return form(value.value)
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [form(part) for part in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: form(part) for key, part in value.items()}
        return {"$dict": [[form(key), form(part)] for key, part in value.items()]}
    if dataclasses.is_dataclass(value):
        return {f.name: form(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


def text(value: Any) -> str:
    """A value in the JSON form."""
    return json.dumps(form(value), separators=(",", ":"), ensure_ascii=False)


def members(hint: Any) -> tuple[Any, ...]:
    """The types of a union; of any other type itself."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return typing.get_args(hint)
    return (hint,)


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
        return tuple(declared(part, hint) for part, hint in zip(value, args))
    return value


def json_marshal(value: Any) -> bytes | DSError:
    try:
        return text(value).encode()
    except (ValueError, RecursionError) as error:
        return DSError("decode", str(error))


class _Unmarshal:
    def __getitem__(self, hint: Any) -> Any:
        def decode(data: bytes) -> Any:
            try:
                return read(json.loads(data), hint, "$")
            except (ValueError, RecursionError, Refused) as error:
                return DSError("decode", str(error))

        return decode


json_unmarshal = _Unmarshal()


def read(value: Any, hint: Any, path: str) -> Any:
    """A parsed document as a value of this type."""
    refused = Refused(f"{path}: expected {hint}, found {value!r}")
    kinds = members(hint)
    if len(kinds) > 1:
        for kind in kinds:
            try:
                return read(value, kind, path)
            except Refused:
                pass
        raise refused
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is None or hint is type(None):
        if value is None:
            return None
    elif hint in (int, str, bool):
        if type(value) is hint and (hint is not int or -(2**63) <= value < 2**63):
            return value
    elif hint is float:
        if type(value) in (int, float):
            return float(value)
    elif hint is bytes:
        if isinstance(value, dict) and list(value) == ["$bytes"]:
            return base64.b64decode(value["$bytes"], validate=True)
    elif origin in (list, set):
        if isinstance(value, list):
            return origin(read(part, args[0], f"{path}[{i}]") for i, part in enumerate(value))
    elif origin is tuple:
        if isinstance(value, list) and len(value) == len(args):
            return tuple(read(part, args[i], f"{path}[{i}]") for i, part in enumerate(value))
    elif origin is dict:
        if isinstance(value, dict) and args[0] is str:
            return {key: read(part, args[1], f"{path}.{key}") for key, part in value.items()}
        if isinstance(value, dict) and list(value) == ["$dict"]:
            return {read(k, args[0], path): read(part, args[1], path) for k, part in value["$dict"]}
    elif origin is typing.Literal:
        if any(type(value) is type(literal) and value == literal for literal in args):
            return value
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if value in [member.value for member in hint]:
            return hint(value)
    elif dataclasses.is_dataclass(hint):
        if isinstance(value, dict):
            hints = typing.get_type_hints(hint)
            given = {}
            for field in dataclasses.fields(hint):
                if field.name in value:
                    given[field.name] = read(value[field.name], hints[field.name], f"{path}.{field.name}")
                elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                    raise Refused(f"{path}.{field.name}: missing")
            return hint(**given)
    raise refused

"""``json_marshal`` and ``json_unmarshal`` where CPython runs them: in host functions and in tests of plain functions. Inside of
flows the engine does the same natively; the cases of ``conformance/spec/json.md`` run both against each other.

Reading goes by the type in brackets, as there. Writing goes by the values themselves, since CPython knows no declared type: an
empty dict is ``{}`` whatever its keys, and an int is written as an int also where a float is declared.
"""

from __future__ import annotations

import base64
import binascii
import collections.abc
import dataclasses
import enum
import json
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from ._values import DSError

T = TypeVar("T")

DEPTH = 128
"""How deeply a value may be nested."""

TRIES = 1_000_000
"""How many values are looked at to find the members of unions that values are of."""


class _Number(str):
    """A number as it is written."""


class _Object(list["tuple[str, Any]"]):
    """An object with its names in order, equal ones too."""


class _Refused(Exception):
    """A document that is no value of its type, or a value that has no document."""


def json_marshal(value: object) -> bytes | DSError:
    """The value as JSON text, without spaces; a DSError of kind ``decode`` where it contains itself or is nested too deeply."""
    try:
        return _text(_form(value, [])).encode()
    except (_Refused, UnicodeEncodeError, RecursionError) as error:
        return DSError("decode", str(error))


def _text(form: object) -> str:
    return json.dumps(form, separators=(",", ":"), ensure_ascii=False)


def _form(value: object, outer: list[int]) -> Any:
    """A value as what the ``json`` module writes."""
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if id(value) in outer:
        raise _Refused(f"a {type(value).__name__} contains itself, and has no JSON form")
    if len(outer) == DEPTH:
        raise _Refused(f"a {type(value).__name__} is nested more than {DEPTH} deep, and has no JSON form")
    inner = [*outer, id(value)]
    if isinstance(value, dict):
        if all(isinstance(key, str) and not isinstance(key, enum.Enum) for key in value):
            return {key: _form(part, inner) for key, part in value.items()}
        return {"$dict": [[_form(key, inner), _form(part, inner)] for key, part in value.items()]}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _form(getattr(value, name), inner) for name in value._fields}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_form(part, inner) for part in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _form(getattr(value, f.name), inner) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


class _Unmarshal:
    """``json_unmarshal[T](data)``."""

    # A union or a Literal is no class for type checkers; what such a call gives they can't know.
    @overload
    def __getitem__(self, into: type[T]) -> Callable[[bytes], T | DSError]: ...
    @overload
    def __getitem__(self, into: object) -> Callable[[bytes], Any]: ...
    def __getitem__(self, into: Any) -> Callable[[bytes], Any]:
        def json_unmarshal(data: bytes) -> Any:
            try:
                return _Reader().read(into, _parsed(data))
            except (_Refused, RecursionError) as error:
                return DSError("decode", str(error))

        return json_unmarshal

    if not typing.TYPE_CHECKING:
        # For type checkers it can't be called.
        def __call__(self, data):
            raise TypeError("json_unmarshal needs the type that it is to read: json_unmarshal[list[int]](data)")

    def __repr__(self) -> str:
        return "deepslate.json_unmarshal"


json_unmarshal: _Unmarshal = _Unmarshal()
"""``json_unmarshal[T](data)`` is the value of type T that the JSON text in ``data`` is, or a DSError of kind ``decode`` that says
where in the document it is none, what was expected there and what was found."""


def _parsed(data: bytes) -> Any:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _Refused(f"expected UTF-8 text, found the byte 0x{data[error.start]:02x} at index {error.start}") from None
    try:
        document = json.loads(text, object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except json.JSONDecodeError as error:
        found = repr(text[error.pos]) if error.pos < len(text) else "the end of the text"
        where = f"line {error.lineno}, column {error.colno} of the JSON text"
        raise _Refused(f"expected JSON ({error.msg}), found {found} ({where})") from None
    _check_texts(document)
    return document


def _check_texts(document: Any) -> None:
    """CPython takes halves of surrogate pairs for characters; no text of the language has them."""
    if isinstance(document, _Object):
        for name, part in document:
            _check_texts(name)
            _check_texts(part)
    elif isinstance(document, list):
        for part in document:
            _check_texts(part)
    elif isinstance(document, str):
        try:
            document.encode()
        except UnicodeEncodeError:
            raise _Refused("expected a string, found one with half of a surrogate pair") from None


def _shown(document: Any) -> str:
    """What stands in a document, in a few words."""
    if isinstance(document, _Number):
        return document[:40]
    if isinstance(document, str):
        return _text(document if len(document) <= 40 else document[:40] + "…")
    if isinstance(document, _Object):
        return "an object"
    return "an array" if isinstance(document, list) else _text(document)


_SEQUENCES = (collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Collection, collections.abc.Iterable)
_MAPPINGS = (collections.abc.Mapping, collections.abc.MutableMapping)
_SETS = (collections.abc.Set, collections.abc.MutableSet)


def _plain(hint: Any) -> Any:
    """A type without what says nothing about the values in it: `Annotated`, `Final`, names for other types."""
    while True:
        origin = typing.get_origin(hint)
        if hint is None:
            return type(None)
        if hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        elif origin is typing.Literal:
            # Which text or number it is a type checker looks after.
            hint = type(typing.get_args(hint)[0])
        elif origin is typing.Annotated or origin in (typing.Final, typing.ClassVar):
            hint = typing.get_args(hint)[0]
        else:
            return hint


def _kind(hint: Any) -> tuple[str, tuple[Any, ...]]:
    """What sort of type it is, and the types in it."""
    hint = _plain(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union or isinstance(hint, types.UnionType):
        return "union", tuple(_members(args))
    if hint in (type(None), bool, int, float, str, bytes):
        return hint.__name__, ()
    if origin is list or origin in _SEQUENCES:
        return "list", args
    if origin is dict or origin in _MAPPINGS:
        return "dict", args
    if origin is set or origin in _SETS:
        return "set", args
    if origin is frozenset:
        return "frozenset", args
    if origin is tuple or hint == tuple[()]:
        return ("tuple of", args[:1]) if len(args) == 2 and args[1] is ... else ("tuple", args)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "enum", (hint,)
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or (issubclass(hint, tuple) and hasattr(hint, "_fields"))):
        return "class", (hint,)
    raise TypeError(f"json_unmarshal can't read {hint!r}")


_RANKS = ["bool", "int", "float", "str", "bytes", "list", "dict", "tuple", "tuple of", "set", "frozenset", "enum", "class", "NoneType"]
_SAME_RANK = {"tuple of": "tuple", "set": "tuple", "frozenset": "tuple", "class": "enum"}


def _members(args: Iterable[Any]) -> list[Any]:
    """The members of a union, each once, in the order in which they are tried."""
    flat: dict[str, Any] = {}
    for arg in args:
        kind, inner = _kind(arg)
        for member in inner if kind == "union" else (arg,):
            flat.setdefault(_name(member), member)

    def rank(member: Any) -> tuple[int, str]:
        kind = _kind(member)[0]
        return _RANKS.index(_SAME_RANK.get(kind, kind)), _name(member)

    return sorted(flat.values(), key=rank)


def _name(hint: Any) -> str:
    """A type as messages have it."""
    kind, args = _kind(hint)
    if kind == "union":
        return " | ".join(_name(member) for member in args)
    if kind == "tuple of":
        return f"tuple[{_name(args[0])}, ...]"
    if kind in ("list", "dict", "set", "frozenset", "tuple"):
        return f"{kind}[{', '.join(_name(arg) for arg in args)}]"
    if kind in ("enum", "class"):
        return str(args[0].__name__)
    return "None" if kind == "NoneType" else kind


def _fields(cls: Any) -> dict[str, Any]:
    """The fields of a class and their types."""
    hints = typing.get_type_hints(cls)
    names = cls._fields if issubclass(cls, tuple) else [f.name for f in dataclasses.fields(cls)]
    return {name: hints[name] for name in names}


class _Reader:
    """Reads one document. What it takes, what it refuses and in which words is that of the engine."""

    def __init__(self) -> None:
        self.path: list[tuple[str, str]] = []
        self.exact = False
        self.trying = 0
        self.tries_left = TRIES

    def refused(self, expected: str, found: str, after: str = "") -> _Refused:
        steps = [f".{step}" if kind == "field" and at else step for at, (kind, step) in enumerate(self.path)]
        before = "" if not steps else f"{'in field' if self.path[0][0] == 'field' else 'at'} {''.join(steps)}: "
        refused = _Refused(f"{before}expected {expected}, found {found}{after}")
        refused.depth = len(self.path)  # type: ignore[attr-defined]
        return refused

    def inside(self, kind: str, step: str, hint: Any, document: Any) -> Any:
        self.path.append((kind, f"`{step}`" if kind == "field" else f"[{step}]"))
        value = self.read(hint, document)
        self.path.pop()
        return value

    def read(self, hint: Any, document: Any) -> Any:
        if self.trying:
            self.tries_left = max(0, self.tries_left - 1)
            if not self.tries_left:
                raise self.refused("a value that shows which members of unions it is of", f"one that {TRIES} looks did not find out")
        kind, args = _kind(hint)
        if kind == "union":
            return self.member(hint, args, document)
        if len(self.path) >= DEPTH and kind in ("list", "dict", "tuple", "tuple of", "set", "frozenset", "class", "enum"):
            self.path = []
            raise self.refused(f"at most {DEPTH} levels of nesting", "more")
        number = isinstance(document, _Number)
        text = isinstance(document, str) and not number
        array = isinstance(document, list) and not isinstance(document, _Object)
        if kind == "NoneType" and document is None:
            return None
        if kind == "bool" and isinstance(document, bool):
            return document
        if kind == "int":
            if isinstance(document, bool) and not self.exact:
                return int(document)
            if number:
                return self.int(document)
        if kind == "float":
            if isinstance(document, bool) and not self.exact:
                return float(document)
            if (number and (not self.exact or _is_fraction(document))) or (
                text and not self.exact and document in ("NaN", "Infinity", "-Infinity")
            ):
                return float(document)
        if kind == "str" and text:
            return document
        if kind == "bytes":
            return self.bytes(document)
        if kind in ("list", "tuple of", "set", "frozenset") and array:
            make = {"list": list, "tuple of": tuple, "set": set, "frozenset": frozenset}[kind]
            return make([self.inside("at", str(at), args[0], part) for at, part in enumerate(document)])
        if kind == "tuple" and array:
            if len(document) != len(args):
                raise self.refused(_name(hint), f"an array of {len(document)}")
            return tuple(self.inside("at", str(at), args[at], part) for at, part in enumerate(document))
        if kind == "dict":
            if _plain(args[0]) is not str:
                return self.pairs(args[0], args[1], document)
            if isinstance(document, _Object):
                return {name: self.inside("at", _short(name), args[1], part) for name, part in document}
        if kind == "enum":
            return self.enum(args[0], document)
        if kind == "class":
            return self.object(args[0], document)
        raise self.refused(_name(hint), _shown(document))

    def int(self, document: _Number) -> int:
        if _is_fraction(document):
            raise self.refused("int", _shown(document))
        # Longer ones CPython may not even convert.
        value = int(document) if len(document) < 25 else 2**63
        if not -(2**63) <= value < 2**63:
            raise self.refused("an int of 64 bits", _shown(document))
        return value

    def bytes(self, document: Any) -> bytes:
        form = '{"$bytes": base64}'
        if not (isinstance(document, _Object) and len(document) == 1 and document[0][0] == "$bytes"):
            raise self.refused(form, _shown(document))
        text = document[0][1]
        if not isinstance(text, str) or isinstance(text, _Number):
            raise self.refused(form, _shown(document))
        try:
            padded = text if text.endswith("=") else text + "=" * (-len(text) % 4)
            return base64.b64decode(padded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self.refused("base64", f"an object ({error})") from None

    def pairs(self, key: Any, value: Any, document: Any) -> dict[Any, Any]:
        found = document[0][1] if isinstance(document, _Object) and len(document) == 1 and document[0][0] == "$dict" else None
        if isinstance(document, _Object) and not document:
            return {}
        if not isinstance(found, list) or isinstance(found, _Object):
            raise self.refused('{"$dict": [[key, value], …]}', _shown(document))
        entries = {}
        for pair in found:
            if not isinstance(pair, list) or isinstance(pair, _Object):
                raise self.refused("[key, value]", _shown(pair))
            if len(pair) != 2:
                raise self.refused("[key, value]", f"an array of {len(pair)}")
            step = _short(_shown(pair[0]))
            k = self.inside("at", step, key, pair[0])
            entries[k] = self.inside("at", step, value, pair[1])
        return entries

    def enum(self, cls: type[enum.Enum], document: Any) -> enum.Enum:
        values = [member.value for member in cls]
        value = self.read(type(values[0]), document)
        if value not in values:
            shown = [repr(v) for v in values[:8]] + ["…"] * (len(values) > 8)
            raise self.refused(f"a value of {cls.__name__} ({', '.join(shown)})", _shown(document))
        return cls(value)

    def object(self, cls: Any, document: Any) -> Any:
        name = cls.__name__
        if not isinstance(document, _Object):
            raise self.refused(f"an object with the fields of {name}", _shown(document))
        fields = _fields(cls)
        given: dict[str, Any] = {}
        for field, part in document:
            if field not in fields:
                expected = f"fields of {name} ({', '.join(fields)})" if fields else f"no field, since {name} has none"
                near = _nearest(field, fields)
                raise self.refused(expected, f"field `{field}`", f"; did you mean `{near}`?" if near else "")
            if field in given:
                raise self.refused(f"field `{field}` once", "it twice")
            given[field] = self.inside("field", field, fields[field], part)
        for field, hint in fields.items():
            if field not in given:
                raise self.refused(f"field `{field}` ({_name(hint)}) of {name}", "an object without it")
        if issubclass(cls, tuple):
            return cls(**given)
        made = cls.__new__(cls)
        for field in fields:
            object.__setattr__(made, field, given[field])
        return made

    def member(self, hint: Any, members: tuple[Any, ...], document: Any) -> Any:
        """A value of the first member that fits without converting a number, else of the first that fits."""
        likely = [m for m in members if _likely(m, document, True)] or [m for m in members if _likely(m, document, False)]
        if len(likely) == 1:
            return self.read(likely[0], document)
        first: _Refused | None = None
        for exact in (True, False):
            if self.exact and not exact:
                break
            for member in likely:
                path, before = list(self.path), self.exact
                self.exact, self.trying = exact, self.trying + 1
                try:
                    return self.read(member, document)
                except _Refused as error:
                    if not self.tries_left:
                        raise
                    first = first or error
                    self.path = path
                finally:
                    self.exact, self.trying = before, self.trying - 1
        if first is not None and getattr(first, "depth", 0) > len(self.path):
            raise first
        raise self.refused(_name(hint), _shown(document))


def _likely(member: Any, document: Any, looks: bool) -> bool:
    """Whether a document may be of a member of a union, as far as its kind shows; with `looks`, its names and length too."""
    kind, args = _kind(member)
    if isinstance(document, _Object):
        only = document[0][0] if len(document) == 1 else None
        if kind == "bytes":
            return only == "$bytes"
        if kind == "dict":
            return _plain(args[0]) is str or not document or only == "$dict"
        return kind == "class" and (not looks or {name for name, _ in document} == set(_fields(args[0])))
    if kind == "enum":
        values = [m.value for m in args[0]]
        if isinstance(document, _Number):
            return (not looks and any(isinstance(v, int) for v in values)) or (not _is_fraction(document) and int(document[:25]) in values)
        return isinstance(document, str) and any(v == document if looks else isinstance(v, str) for v in values)
    if isinstance(document, list):
        if kind == "tuple":
            return not looks or len(args) == len(document)
        return kind in ("list", "tuple of", "set", "frozenset")
    if isinstance(document, _Number):
        return kind in ("int", "float")
    if isinstance(document, bool):
        return kind in ("bool", "int", "float")
    if isinstance(document, str):
        return kind == "str" or (kind == "float" and document in ("NaN", "Infinity", "-Infinity"))
    return kind == "NoneType"


def _is_fraction(number: str) -> bool:
    return any(c in number for c in ".eENI")


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:40] + "…"


def _nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a mistyped name is closest to, if at most a third of its letters differ."""
    if len(name.encode()) > 100:
        return None
    close = []
    for candidate in candidates:
        distance = _edits(name.lower(), candidate.lower())
        if distance * 3 <= max(len(name), len(candidate), 3):
            close.append((distance, candidate))
    return min(close, key=lambda pair: pair[0])[1] if close else None


def _edits(a: str, b: str) -> int:
    """How many letters have to be added, removed or replaced, or neighbours swapped, to make one text of the other."""
    rows = [list(range(len(b) + 1))]
    for i in range(1, len(a) + 1):
        row = [i]
        for j in range(1, len(b) + 1):
            best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, rows[i - 2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]

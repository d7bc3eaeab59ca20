"""From definitions to what the front end compiles: the source of each flow and, through its globals, the source of what it
names, wherever it was imported from; module constants by value; host functions by name.

It reads names only. Whether something is in the language, and what it means, the front end decides.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import enum
import inspect
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from ._errors import CompileError, DeepslateError
from ._flow import FlowDefinition, mark_of
from ._options import Options
from ._values import DSError


@dataclasses.dataclass
class Program:
    """What a set of flows is compiled from."""

    flows: list[str] = dataclasses.field(default_factory=list)
    sources: list[tuple[str, int, str]] = dataclasses.field(default_factory=list)
    """Path, first line and text of each piece of source."""
    constants: dict[str, Any] = dataclasses.field(default_factory=dict)
    hosts: dict[str, Callable[..., Any]] = dataclasses.field(default_factory=dict)
    """The functions that Python runs, `@impure` and `@pure`, by name."""

    @property
    def options(self) -> dict[str, Options]:
        """How the impure ones are called, by name."""
        marks = {name: mark_of(function) for name, function in self.hosts.items()}
        return {name: mark.options for name, mark in marks.items() if mark is not None and mark.options is not None}

    classes: dict[str, type] = dataclasses.field(default_factory=lambda: {DSError.__name__: DSError})
    """The classes of values that cross the border, by name."""


def function_of(value: object) -> Callable[..., Any]:
    """The plain function of a flow, however it was given."""
    if isinstance(value, FlowDefinition):
        return value.function
    mark = mark_of(value)
    if mark is not None and mark.kind == "flow":
        return mark.function
    raise TypeError(f"{value!r} is not a flow: pass functions marked @flow, called or not")


def collect(flows: Iterable[object]) -> Program:
    """The program of these flows."""
    collector = _Collector()
    for value in flows:
        function = function_of(value)
        if function.__name__ not in collector.program.flows:
            collector.program.flows.append(function.__name__)
        collector.function(function.__name__, function)
    collector.run()
    return collector.program


class _Collector:
    def __init__(self) -> None:
        self.program = Program()
        self.owners: dict[str, object] = {}
        self.work: list[tuple[ast.AST, dict[str, Any]]] = []
        self.imports: dict[str, str] = {}
        self.scopes: dict[int, dict[str, Any]] = {}

    def run(self) -> None:
        while self.work:
            tree, scope = self.work.pop()
            # In one order in every process, since a program is named by its content.
            for name in sorted(_names(tree)):
                if name in scope:
                    self.name(name, scope[name], scope)
                # A local, a builtin, or unknown: the front end says so.
        self.bystanders()
        if self.imports:
            # What the pieces of source import stands elsewhere in their files.
            self.program.sources.insert(0, ("<imports>", 1, "\n".join(self.imports.values()) + "\n"))

    def bystanders(self) -> None:
        """Host functions and dataclasses that these flows do not use, but that isolates of an older program may."""
        for scope in self.scopes.values():
            for name, value in scope.items():
                mark = mark_of(value)
                if mark is not None and mark.kind != "flow":
                    self.program.hosts.setdefault(mark.function.__name__, mark.function)
                elif isinstance(value, type) and dataclasses.is_dataclass(value):
                    self.program.classes.setdefault(name, value)

    def claim(self, name: str, value: object) -> bool:
        """Whether the name is new; one name for two things can't be compiled into one program."""
        if name in self.owners:
            owner = self.owners[name]
            if owner is not value and not (type(owner) is type(value) and owner == value):
                raise CompileError(f"`{name}` means two things in the flows of this program: {owner!r} and {value!r}; rename one")
            return False
        self.owners[name] = value
        return True

    def function(self, name: str, function: Callable[..., Any]) -> None:
        if self.claim(name, function):
            self.scopes[id(function.__globals__)] = function.__globals__
            self.source(name, function, function.__globals__, inspect.getclosurevars(function).nonlocals)

    def source(self, name: str, thing: Any, scope: dict[str, Any], closed: Any = ()) -> None:
        try:
            lines, first = inspect.getsourcelines(thing)
            path = inspect.getsourcefile(thing) or "<unknown>"
        except (OSError, TypeError) as error:
            raise CompileError(f"the source of `{name}` can't be read ({error}); flows are compiled from their source") from error
        text = textwrap.dedent("".join(lines))
        if getattr(thing, "__name__", name) != name:
            raise CompileError(f"`{name}` is another name for `{thing.__name__}`; use the name that it is defined with")
        self.program.sources.append((path, first, text))
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise CompileError(f"{path}:{first}: the source of `{name}` can't be parsed by itself: {error.msg}") from error
        self.work.append((tree, {**scope, **dict(closed)}))

    def alias(self, name: str, value: Any, scope: dict[str, Any]) -> None:
        """A name for a type: the statement that gives it, from the module that uses it or the one that the value names."""
        for module in (scope.get("__name__"), getattr(value, "__module__", None)):
            try:
                path, text = inspect.getsourcefile(sys.modules[module]), inspect.getsource(sys.modules[module])  # type: ignore[index]
            except (KeyError, OSError, TypeError):
                continue
            for statement in ast.parse(text).body:
                if path is not None and _gives(statement, name):
                    source = ast.get_source_segment(text, statement) or ""
                    self.program.sources.append((path, statement.lineno, source + "\n"))
                    self.work.append((statement, vars(sys.modules[module])))  # type: ignore[index]
                    return

    def name(self, name: str, value: Any, scope: dict[str, Any]) -> None:
        mark = mark_of(value)
        if mark is not None:
            if mark.kind == "flow":
                self.function(name, mark.function)
            elif self.claim(name, value):
                self.program.hosts[name] = mark.function
                self.source(name, mark.function, _annotated(mark.function) if mark.kind == "impure" else mark.function.__globals__)
        elif _is_alias(value):
            if self.claim(name, value):
                self.alias(name, value, scope)
        elif (line := _import_of(name, value)) is not None:
            if self.claim(name, value):
                self.imports[name] = line
        elif isinstance(value, types.FunctionType):
            if not _is_library(value):
                self.function(name, value)
        elif isinstance(value, type):
            ours = dataclasses.is_dataclass(value) or issubclass(value, enum.Enum) or _is_plain_class(name, value)
            if ours and self.claim(name, value):
                self.program.classes[name] = value
                self.source(name, value, vars(inspect.getmodule(value) or builtins))
        elif _is_constant(value) and self.claim(name, value):
            self.program.constants[name] = value


def _annotated(function: Callable[..., Any]) -> dict[str, Any]:
    """What the signature of a function that stays in Python names; its body may name anything."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text).body[0]
    except (OSError, SyntaxError, IndexError):
        return {}
    if not isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {}
    named: set[str] = set()
    arguments = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
    for part in [*(a.annotation for a in arguments), tree.returns, *tree.decorator_list]:
        if part is not None:
            named |= _names(part)
    # Its module says where names for types are given.
    named.add("__name__")
    return {name: value for name, value in function.__globals__.items() if name in named}


def _names(tree: ast.AST) -> set[str]:
    """Every name that a piece of source reads, those in quoted annotations among them."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(node.value)
    return found


_KNOWN_MODULES = ("abc", "dataclasses", "enum", "functools", "math", "operator", "typing")
"""Modules of the standard library with names that the flow language knows."""


def _import_of(name: str, value: object) -> str | None:
    """The import that gives this name this value, if it is one that the front end should see."""
    import deepslate

    if isinstance(value, types.ModuleType):
        package, _, last = value.__name__.rpartition(".")
        return f"from {package} import {last} as {name}" if package else f"import {last} as {name}"
    for public in deepslate.__all__:
        if getattr(deepslate, public) is value:
            return f"from deepslate import {public} as {name}"
    for public in deepslate.dpslio.__all__:
        if getattr(deepslate.dpslio, public) is value:
            return f"from deepslate.dpslio import {public} as {name}"
    # What is written in C says so in the name of its module.
    module = str(getattr(value, "__module__", None)).lstrip("_")
    original = getattr(value, "__name__", None) or getattr(value, "_name", None)
    if module in _KNOWN_MODULES and isinstance(original, str):
        return f"from {module} import {original} as {name}"
    return None


def _is_alias(value: object) -> bool:
    """Whether a value is another name for a type: `list[int]`, `int | None`, a NewType."""
    return bool(typing.get_args(value)) or isinstance(value, typing.NewType) or type(value).__name__ == "TypeAliasType"


def _gives(statement: ast.stmt, name: str) -> bool:
    """Whether a statement assigns to a name."""
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
    target = getattr(statement, "target", None) or getattr(statement, "name", None)
    return isinstance(target, ast.Name) and target.id == name


def _is_library(function: types.FunctionType) -> bool:
    """Whether a plain function comes from the standard library or an installed package rather than from the user's code."""
    path = function.__code__.co_filename
    return "site-packages" in path or "dist-packages" in path or path.startswith("<frozen") or _in_stdlib(path)


def _is_plain_class(name: str, value: type) -> bool:
    """Whether a class without a decorator is the user's own, by this name, with a source that can be read."""
    path = getattr(inspect.getmodule(value), "__file__", None)
    if path is None or "site-packages" in path or "dist-packages" in path or _in_stdlib(path):
        return False
    try:
        return value.__name__ == name and bool(inspect.getsource(value))
    except (OSError, TypeError):
        return False


def _in_stdlib(path: str) -> bool:
    import sysconfig

    return path.startswith(sysconfig.get_paths()["stdlib"])


def _is_constant(value: object) -> bool:
    if isinstance(value, (bool, int, float, str, bytes)):
        return not isinstance(value, enum.Enum)
    if isinstance(value, dict):
        return all(_is_constant(part) for entry in value.items() for part in entry)
    return isinstance(value, (tuple, list)) and all(_is_constant(part) for part in value)


__all__ = ["DeepslateError", "Program", "collect", "function_of"]

"""The bounds of the language in a program's own tree, for programs that a generator wrote: an integer that does not fit 64 bits is the
trap `overflow` at the operation that made it. What would take too long, or has no counterpart in flows, is a `Skip`: then CPython
says nothing about the program.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import struct
from typing import Any


class Wide(Exception):
    """An integer outside of 64 bits."""


class Skip(BaseException):
    """Nothing can be said."""


LEAST, MOST = -(2**63), 2**63 - 1
# What a repetition may make, in elements.
TOO_MANY = 3_000_000


def checked(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        if not LEAST <= value <= MOST:
            raise Wide
    elif kind is complex:
        raise Skip("complex")
    elif kind is tuple:
        for part in value:
            if type(part) is int and not LEAST <= part <= MOST:
                raise Wide
    return value


def shifted(a: Any, b: Any) -> Any:
    if b > 64 and a != 0:
        raise Wide
    return checked(a << b if a != 0 or b < 0 else 0)


def power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        if b < 0:
            raise Skip("an int to a negative power")
        if b > 64 and abs(a) > 1:
            raise Wide
    return checked(a**b)


def pow_of(a: Any, b: Any, modulus: Any = None) -> Any:
    return power(a, b) if modulus is None else checked(pow(a, b, modulus))


def chr_of(number: int) -> str:
    """What does not fit a C int is an OverflowError in CPython, and what is merely no character a ValueError."""
    if not 0 <= number < 0x110000:
        raise ValueError("chr() arg not in range(0x110000)")
    return chr(number)


def product(a: Any, b: Any) -> Any:
    for count, what in ((a, b), (b, a)):
        if isinstance(count, int) and isinstance(what, (str, bytes, list)) and count * len(what) > TOO_MANY:
            raise Skip("large")
    return checked(a * b)


def total(values: Any, start: Any = 0) -> Any:
    """`sum`: as of 3.12 CPython adds floats otherwise."""
    for value in values:
        start = checked(start + value)
    return start


# With underscores on both sides: others are mangled inside of classes.
NAMES = {
    "__checked__": checked,
    "__shifted__": shifted,
    "__power__": power,
    "__product__": product,
    "__float__": float,
    "chr": chr_of,
    "pow": pow_of,
    "sum": total,
}

SPECIAL = {ast.LShift: "__shifted__", ast.Pow: "__power__", ast.Mult: "__product__"}
# What can't give an integer.
PLAIN = {"enumerate", "zip", "reversed", "range", "sleep", "print", "str", "repr", "list", "bool", "float"}


def wrapped(name: str, args: list[ast.expr], node: ast.AST) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), node)
    return ast.copy_location(ast.Call(function, args, []), node)


def is_unspecified(error: BaseException) -> bool:
    """A dict in which one key takes the place of another one while it is iterated over: CPython's manual says that this may raise or
    fail to iterate over all entries, and which, depends on how its table has grown."""
    return isinstance(error, RuntimeError) and "dictionary keys changed" in str(error)


class Bounds(ast.NodeTransformer):
    """Puts the checks around operations and calls."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        special = SPECIAL.get(type(node.op))
        if special:
            return wrapped(special, [node.left, node.right], node)
        return wrapped("__checked__", [node], node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return node if isinstance(node.op, ast.Not) else wrapped("__checked__", [node], node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and (node.func.id in PLAIN or node.func.id.startswith("__")):
            return node
        return wrapped("__checked__", [node], node)

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        self.generic_visit(node)
        again = ast.parse(ast.unparse(node.target), mode="eval").body
        for part in ast.walk(again):
            ast.copy_location(part, node)
        return [node, ast.copy_location(ast.Expr(wrapped("__checked__", [again], node)), node)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        node.value = node.value and self.visit(node.value)
        if node.value and isinstance(node.annotation, ast.Name) and node.annotation.id == "float":
            node.value = wrapped("__float__", [node.value], node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        # Fields are declarations, and members of an enumeration are no operations.
        for part in node.body:
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.visit(part)
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        # A pattern is no expression.
        node.guard = node.guard and self.visit(node.guard)
        node.body = self.block(node.body)
        return node

    def visit_FunctionDef(self, node: Any) -> Any:
        # Nor are annotations; a default is evaluated once, by the definition.
        node.body = self.block(node.body)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def block(self, stmts: list[ast.stmt]) -> list[ast.stmt]:
        made = (self.visit(stmt) for stmt in stmts)
        return [stmt for some in made for stmt in (some if isinstance(some, list) else [some])]


def form(value: Any) -> str:
    """A value so that equal texts mean equal values, NaN and negative zero included; the fuzzer's oracle writes the same."""
    if isinstance(value, enum.Enum):
        return form(value.value)
    if value is None or isinstance(value, (bool, int)):
        return str(value)
    if isinstance(value, float):
        return "nan" if value != value else "f%016x" % struct.unpack("<Q", struct.pack("<d", value))[0]
    if isinstance(value, str):
        return "s" + value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, dict):
        return "dict(" + "".join(f"{form(k)}:{form(v)}," for k, v in value.items()) + ")"
    if isinstance(value, (set, frozenset)):
        # Those of CPython have another order than ours.
        return "set(" + "".join(sorted(form(v) for v in value)) + ")"
    if dataclasses.is_dataclass(value):
        return "object(" + "".join(form(getattr(value, f.name)) + "," for f in dataclasses.fields(value)) + ")"
    return type(value).__name__ + "(" + "".join(form(v) + "," for v in value) + ")"

"""Makes ill-typed programs of well-typed ones: a mutant differs from its program at one place of a function's body. A few of them
are well-typed all the same, which the two checkers must find too."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator
from typing import Any

OTHER: dict[type, Any] = {int: "text", str: 7, float: "text", bytes: 7, bool: "text"}
"""A literal of another type for one of this type."""


def places(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """What can be made wrong, and where."""
    left_out = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        for written in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            left_out |= {id(part) for part in ast.walk(written)} if written is not None else set()
    functions = [stmt for stmt in tree.body if isinstance(stmt, (ast.FunctionDef, ast.AsyncFunctionDef))]
    # A pure function with a mistake is no mistake of the flow: it is called in Python.
    functions = [f for f in functions if not any("pure" in ast.unparse(d) for d in f.decorator_list)]
    for node in (part for function in functions for stmt in function.body for part in ast.walk(stmt)):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Constant) and type(node.value) in OTHER:
            yield "literal", node
        elif isinstance(node, ast.Call):
            yield "more", node
            if node.args or node.keywords:
                yield "fewer", node
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield "member", node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield "name", node
        elif isinstance(node, ast.AnnAssign):
            yield "declared", node
        elif isinstance(node, ast.Return) and node.value is not None:
            yield "returned", node
            yield "nothing", node
        elif isinstance(node, ast.BinOp):
            yield "operand", node
        elif isinstance(node, ast.For):
            yield "iterated", node


def spoil(how: str, node: Any) -> None:
    """Makes one place wrong."""
    match how:
        case "literal":
            node.value = OTHER[type(node.value)]
        case "fewer":
            (node.args or node.keywords).pop()
        case "more":
            node.args.append(ast.Constant(1))
        case "member":
            node.attr += "_x"
        case "name":
            node.id += "_x"
        case "declared":
            node.annotation = ast.Name("int" if ast.unparse(node.annotation) == "bytes" else "bytes", ast.Load())
        case "returned":
            node.value = ast.List([node.value], ast.Load())
        case "nothing":
            node.value = None
        case "operand":
            node.right = ast.Dict([ast.Constant("a")], [ast.Constant(1)])
        case "iterated":
            node.iter = ast.Constant(5)


def mutants(name: str, source: str, count: int) -> list[tuple[str, str]]:
    """So many mutants of a program, each with what was done to it; the same for a name in every run."""
    tree = ast.parse(source)
    order = list(range(len(list(places(tree)))))
    random.Random(name).shuffle(order)
    made = []
    for index in order[:count]:
        changed = copy.deepcopy(tree)
        how, node = list(places(changed))[index]
        spoil(how, node)
        made.append((how, ast.unparse(ast.fix_missing_locations(changed)) + "\n"))
    return made

"""Makes ordinary asyncio code of a program: the language blocks where CPython needs `await`.

A call of a flow, with `await` or without, and `sleep(1.0)` mean the same in the language; a plain function that calls one of
them blocks too. So each function that may block becomes `async`, and each call of one is awaited. `match dpslio.select` becomes
a call and a chain of `if`. Positions stay as they are, so that lines agree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

PACKAGE = "deepslate"
BLOCKING = {"sleep", "http_listen", "http_request"}
# With underscores on both sides: others are mangled inside of classes.
RAISED, TAKE = "__raised__", "__take__"


def rewritten(source: str, file: str) -> ast.Module:
    """The program as CPython runs it."""
    tree = ast.parse(source, file)
    names = Names(tree)
    return ast.fix_missing_locations(Awaits(names).visit(tree))


class Names:
    """What the names of a program stand for, as far as blocking goes."""

    def __init__(self, tree: ast.Module) -> None:
        self.members: dict[str, str] = {}
        functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
        self.methods: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
                prefix = (node.module or "")[len(PACKAGE) + 1 :]
                for name in node.names:
                    self.members[name.asname or name.name] = f"{prefix}.{name.name}".lstrip(".")
            elif isinstance(node, ast.Import):
                for name in node.names:
                    if name.name == PACKAGE:
                        self.members[name.asname or name.name] = ""
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                functions.append(node)
            elif isinstance(node, ast.ClassDef):
                self.methods.update(id(part) for part in node.body)
        # By name, methods as `.name`; grows until no function is added.
        self.blocking: set[str] = set()
        while added := {self.key(f) for f in functions if self.blocks(f)} - self.blocking:
            self.blocking |= added

    def key(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        return f".{function.name}" if id(function) in self.methods else function.name

    def blocks(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        if isinstance(function, ast.AsyncFunctionDef):
            return True
        decorators = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
        if any(self.member(d) == "impure" for d in decorators):
            return True
        return any(isinstance(node, ast.Call) and self.waits(node) for node in ast.walk(function))

    def member(self, node: ast.expr) -> str | None:
        """The path in the package of what an expression names."""
        if isinstance(node, ast.Name):
            return self.members.get(node.id)
        if isinstance(node, ast.Attribute):
            of = self.member(node.value)
            return None if of is None else f"{of}.{node.attr}".lstrip(".")
        return None

    def waits(self, call: ast.Call) -> bool:
        """Whether a call may block, though the source need not say so."""
        member = self.member(call.func)
        if member is not None:
            return member in BLOCKING
        if isinstance(call.func, ast.Attribute):
            return f".{call.func.attr}" in self.blocking
        return isinstance(call.func, ast.Name) and call.func.id in self.blocking


class Awaits(ast.NodeTransformer):
    def __init__(self, names: Names) -> None:
        self.names = names
        self.selects = 0

    def visit_Call(self, node: ast.Call) -> ast.expr:
        spawns = self.names.member(node.func) == "dpslio.create_task"
        if spawns:
            # The call in it is not made here.
            node.args = [self.generic_visit(arg) for arg in node.args]  # type: ignore[misc]
            return node
        self.generic_visit(node)
        return ast.copy_location(ast.Await(node), node) if self.names.waits(node) else node

    def visit_Await(self, node: ast.Await) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.value, ast.Await):
            return node.value
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        blocks = self.names.key(node) in self.names.blocking
        impure = any(self.names.member(d.func if isinstance(d, ast.Call) else d) == "impure" for d in node.decorator_list)
        self.generic_visit(node)
        if blocks and not impure:
            fields = {name: getattr(node, name) for name in node._fields}
            return ast.copy_location(ast.AsyncFunctionDef(**fields), node)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        self.generic_visit(node)
        if any(isinstance(part, ast.Await) for part in ast.walk(node)):
            return ast.copy_location(ast.ListComp(node.elt, node.generators), node)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        self.generic_visit(node)
        if node.exc is not None:
            node.exc = ast.copy_location(ast.Call(ast.Name(RAISED, ast.Load()), [node.exc], []), node)
        return node

    def visit_Match(self, node: ast.Match) -> Any:
        if self.names.member(node.subject) != "dpslio.select":
            return self.generic_visit(node)
        return list(self.select(node))

    def select(self, node: ast.Match) -> Iterator[ast.stmt]:
        """Takes a case, then chooses its body."""
        self.selects += 1
        index, value = f"__case{self.selects}__", f"__value{self.selects}__"
        queues: list[ast.expr] = []
        chosen: list[ast.stmt] = []
        end = chosen
        for case in node.cases:
            bind = None
            if case.guard is not None:
                guard: ast.expr = case.guard
                if isinstance(guard, ast.NamedExpr):
                    bind, guard = guard.target, guard.value
                assert isinstance(guard, ast.Await) and isinstance(guard.value, ast.Call)
                method = guard.value.func
                assert isinstance(method, ast.Attribute)
                parts = [method.value, *guard.value.args]
                queues.append(ast.Tuple([self.visit(part) for part in parts], ast.Load()))
            body = [x for stmt in case.body for x in self.flat(self.visit(stmt))]
            if bind is not None:
                body.insert(0, ast.Assign([bind], ast.Name(value, ast.Load())))
            number = len(queues) - (case.guard is not None)
            test = ast.Compare(ast.Name(index, ast.Load()), [ast.Eq()], [ast.Constant(number)])
            choice = ast.If(test, body, [])
            # In the manner of `elif`, each in the one before.
            end.append(choice)
            end = choice.orelse
        has_default = ast.Constant(any(case.guard is None for case in node.cases))
        call = ast.Call(ast.Name(TAKE, ast.Load()), [ast.List(queues, ast.Load()), has_default], [])
        names = [ast.Name(index, ast.Store()), ast.Name(value, ast.Store())]
        taken = ast.Assign([ast.Tuple(names, ast.Store())], ast.Await(call))
        for made in [taken, *chosen]:
            for part in ast.walk(made):
                if "lineno" in part._attributes and not hasattr(part, "lineno"):
                    ast.copy_location(part, node)
            yield made

    def flat(self, made: Any) -> list[ast.stmt]:
        return made if isinstance(made, list) else [made]

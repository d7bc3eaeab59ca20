"""Runs programs of the subset in CPython: a JSON string with a program on each line of the input, a JSON object on each line of
the output. A sleep only checks its argument, and there are no tasks.

Integers are checked for 64 bits after each operation, in the program's own tree: one that does not fit is the trap `overflow`.
What would take too long or has no counterpart in flows (complex numbers) gives `skip`.
"""

import ast
import dataclasses
import inspect
import json
import math
import signal
import struct
import sys
import types
import warnings

warnings.simplefilter("ignore")


class Wide(Exception):
    """An integer outside of 64 bits."""


class Raised(Exception):
    """What the program raises itself."""


class Skip(BaseException):
    """Nothing can be said."""


LEAST, MOST = -(2**63), 2**63 - 1
TOO_MANY = 3_000_000


def checked(value):
    if type(value) is int:
        if not LEAST <= value <= MOST:
            raise Wide
    elif type(value) is complex:
        raise Skip("complex")
    elif type(value) is tuple:
        for part in value:
            if type(part) is int and not LEAST <= part <= MOST:
                raise Wide
    return value


def shifted(a, b):
    if b > 64 and a != 0:
        raise Wide
    return checked(a << b if a != 0 or b < 0 else 0)


def power(a, b):
    if isinstance(a, int) and isinstance(b, int):
        if b < 0:
            raise Skip("an int to a negative power")
        if b > 64 and abs(a) > 1:
            raise Wide
    return checked(a**b)


def product(a, b):
    for count, what in ((a, b), (b, a)):
        if isinstance(count, int) and isinstance(what, (str, bytes, list)) and count * len(what) > TOO_MANY:
            raise Skip("large")
    return checked(a * b)


class Checks(ast.NodeTransformer):
    def wrap(self, name, args, node):
        call = ast.Call(ast.Name(name, ast.Load()), args, [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_BinOp(self, node):
        self.generic_visit(node)
        special = {ast.LShift: "__shifted", ast.Pow: "__power", ast.Mult: "__product"}.get(type(node.op))
        if special:
            return self.wrap(special, [node.left, node.right], node)
        return self.wrap("__checked", [node], node)

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node if isinstance(node.op, ast.Not) else self.wrap("__checked", [node], node)

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("enumerate", "zip", "reversed", "range", "sleep"):
            return node
        return self.wrap("__checked", [node], node)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        again = ast.parse(ast.unparse(node.target), mode="eval").body
        check = ast.Expr(self.wrap("__checked", [again], node))
        return [node, ast.copy_location(check, node)]

    def visit_Raise(self, node):
        self.generic_visit(node)
        node.exc = self.wrap("__Raised", [], node)
        return node

    def visit_FormattedValue(self, node):
        node.value = self.visit(node.value)
        return node

    def visit_match_case(self, node):
        node.guard = node.guard and self.visit(node.guard)
        node.body = [x for s in node.body for x in self.flat(self.visit(s))]
        return node

    def flat(self, made):
        return made if isinstance(made, list) else [made]

    def visit_FunctionDef(self, node):
        node.body = [x for s in node.body for x in self.flat(self.visit(s))]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        return node

    def visit_AnnAssign(self, node):
        node.value = node.value and self.visit(node.value)
        if node.value and isinstance(node.annotation, ast.Name) and node.annotation.id == "float":
            node.value = self.wrap("__as_float", [node.value], node)
        return node


def mark(function=None, **_):
    return function if function is not None else mark


def sleep(seconds):
    if math.isnan(seconds) or seconds < 0:
        raise ValueError("sleep")


class Anything:
    def __class_getitem__(cls, _):
        return cls


package = types.ModuleType("deepslate")
package.flow = package.pure = package.impure = mark
package.sleep = sleep
package.dpslio = types.SimpleNamespace(Queue=Anything, Lock=Anything, WaitGroup=Anything, create_task=None, select=None)
sys.modules["deepslate"] = package
tested = types.ModuleType("tested")
sys.modules["tested"] = tested


def form(value):
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
    if dataclasses.is_dataclass(value):
        fields = (getattr(value, f.name) for f in dataclasses.fields(value))
        return "object(" + "".join(form(v) + "," for v in fields) + ")"
    return type(value).__name__ + "(" + "".join(form(v) + "," for v in value) + ")"


def formed(value):
    try:
        return form(value)
    except RecursionError:
        raise Skip("a value that contains itself") from None


def words(error):
    try:
        return str(error)[:200]
    except ValueError:
        return "of a number too long to print"


KINDS = [
    (Wide, "overflow"),
    (Raised, "raised"),
    (OverflowError, "overflow"),
    (ZeroDivisionError, "division"),
    (IndexError, "index"),
    (KeyError, "key"),
    (ValueError, "value"),
    (AssertionError, "assertion"),
    (RecursionError, "depth"),
    (RuntimeError, "changed"),
    # Of the wrong length: a character to fill with, or the one of `ord`.
    (TypeError, "value"),
]
# Only a program that was cut down has such mistakes.
BROKEN = (SyntaxError, AttributeError)


def plain_sum(values, start=0):
    """As of 3.12 CPython adds floats otherwise."""
    for value in values:
        start = start + value
    return start


def run(source):
    log = []

    def show(*values, sep=" "):
        log.append(sep.join(str(v) for v in values))

    names = {
        "__name__": "tested",
        "__checked": checked,
        "__shifted": shifted,
        "__power": power,
        "__product": product,
        "__Raised": Raised,
        "__as_float": float,
        "print": show,
        "sum": plain_sum,
    }
    tested.__dict__.update(names)
    answer = {"log": log}
    try:
        tree = Checks().visit(ast.parse(source, "main.py"))
        signal.setitimer(signal.ITIMER_REAL, 5)
        exec(compile(tree, "main.py", "exec"), names)
        value = names["main"]()
        if inspect.iscoroutine(value):
            try:
                value.send(None)
                raise Skip("it waits")
            except StopIteration as end:
                value = end.value
        answer["outcome"] = formed(value)
    except (Skip, MemoryError) as reason:
        answer["skip"] = str(reason)
    except BROKEN as error:
        answer["skip"] = str(error)
    except Exception as error:
        if type(error) is NameError:
            answer["skip"] = str(error)
        kind = next((k for c, k in KINDS if isinstance(error, c)), type(error).__name__)
        answer["outcome"] = f"trap {kind}"
        answer["detail"] = f"({type(error).__name__}: {words(error)})"
        trace = error.__traceback__
        while trace:
            if trace.tb_frame.f_code.co_filename == "main.py":
                answer["line"] = trace.tb_lineno
            trace = trace.tb_next
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return answer


def too_long(*_):
    raise Skip("time")


def encoded(answer):
    try:
        return json.dumps(answer)
    except ValueError as error:
        return json.dumps({"skip": str(error)})


signal.signal(signal.SIGALRM, too_long)
for line in sys.stdin:
    text = encoded(run(json.loads(line)))
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

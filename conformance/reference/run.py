"""Runs programs in CPython, one after the other: each line of the input is a JSON object with the source of a program, the function
that is called (`entry`, else the flow `main`) and the script of its world; each line of the output says what came of it, in the
words of the cases of `conformance/spec`. The front end's own tests ask it too, and the fuzzer, whose programs are `bounded`.

The program is run as it is, but for where it waits (`rewrite.py`); the package is the one beside this file. So what this says is
what CPython says: integers do not end at 64 bits, and nothing is converted where a type is declared. Only where a request says
`bounded` do integers end, and the result comes in the exact form of `bounded.py`; what it can't speak of then is a `skip`.
"""

from __future__ import annotations

import inspect
import json
import resource
import signal
import sys
import traceback
import types
import typing
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bounded  # noqa: E402
import rewrite  # noqa: E402
import shown  # noqa: E402
import world  # noqa: E402
from deepslate import DSError, dpslio  # noqa: E402

# Seconds that a case may take: one that takes longer does not end.
TIME_MAX = 1.0
# Bytes that a case may use: one that asks for more ends by MemoryError, which is no trap of the language.
MEMORY_MAX = 2 << 30
# Frames that asyncio and this file need beside the thousand of the language.
FRAMES = 1_000 + 40


class Raised(Exception):
    """What a program raises itself."""

    def __init__(self, error: Any) -> None:
        super().__init__()
        self.error = error() if isinstance(error, type) else error


class Slow(BaseException):
    """The case takes too long."""


def raised(error: Any) -> Raised:
    return Raised(error)


def plain_sum(values: Any, start: Any = 0) -> Any:
    """As of 3.12 CPython adds floats otherwise."""
    for value in values:
        start = start + value
    return start


# The first that fits.
KINDS: list[tuple[type[BaseException], str]] = [
    (Raised, "raised"),
    # A variable that has no value yet.
    (UnboundLocalError, "raised"),
    (bounded.Wide, "overflow"),
    (OverflowError, "overflow"),
    (ZeroDivisionError, "division"),
    (IndexError, "index"),
    (KeyError, "key"),
    (ValueError, "value"),
    (AssertionError, "assertion"),
    (RecursionError, "depth"),
    (RuntimeError, "changed"),
    # An encoding that there is not.
    (LookupError, "value"),
    # What the language finds when it runs and CPython has as a type error: `ord("ab")`.
    (TypeError, "value"),
]


# What says nothing about a program that a generator wrote: it takes too long, or it was cut down to a broken one.
MUTE = (bounded.Skip, Slow, MemoryError, SyntaxError, AttributeError, NameError)


def says_nothing(error: BaseException) -> bool:
    if isinstance(error, UnboundLocalError):
        return False
    return isinstance(error, MUTE) or bounded.is_unspecified(error)


def kind(error: BaseException) -> str:
    if isinstance(error, world.Trap):
        return error.kind
    return next((name for of, name in KINDS if isinstance(error, of)), type(error).__name__)


def trace(error: BaseException) -> list[tuple[str, int]]:
    """The functions of the program that it happened in, innermost first, and the line of each."""
    frames = [
        (frame.f_code.co_name, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == world.PROGRAM and not frame.f_code.co_name.startswith("<")
    ]
    return frames[::-1]


def answers(script: list[Any]) -> list[Any]:
    """The script with what its calls give: bytes, or an error."""

    def given(value: Any) -> Any:
        if isinstance(value, str):
            return value.encode()
        return DSError(value["kind"], value["message"], value["status"], value["body"].encode())

    return [(what, method, target, given(value)) for what, method, target, value in script]


def run(source: str, script: list[Any], entry: str, args: list[Any], is_bounded: bool = False) -> dict[str, Any]:
    here = world.start(script)

    def show(*values: Any, sep: str | None = " ", **_: Any) -> None:
        here.log.append((" " if sep is None else sep).join(str(value) for value in values))

    module = types.ModuleType("main")
    sys.modules["main"] = module
    names = module.__dict__
    names.update({"print": show, "sum": plain_sum, rewrite.RAISED: raised, rewrite.TAKE: dpslio.take})
    answer: dict[str, Any] = {"log": here.log}
    try:
        # Again and again: the first may be lost where an exception has nowhere to go.
        signal.setitimer(signal.ITIMER_REAL, TIME_MAX, TIME_MAX / 10)
        tree = rewrite.rewritten(source, world.PROGRAM)
        if is_bounded:
            names.update(bounded.NAMES)
            tree = bounded.Bounds().visit(tree)
        exec(compile(tree, world.PROGRAM, "exec"), names)
        main = names[entry](*args)
        if inspect.iscoroutine(main):
            here.run(main)
        else:
            here.result = main
    except BaseException as error:
        here.failure = error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if here.failure is not None:
        if isinstance(here.failure, KeyboardInterrupt):
            raise here.failure
        if is_bounded and says_nothing(here.failure):
            return {"skip": words(here.failure)}
        frames = here.places or trace(here.failure)
        answer["trap"] = [kind(here.failure), frames[0][1] if frames else 0]
        answer["trace"] = frames
        answer["detail"] = words(here.failure)
    elif is_bounded:
        try:
            answer["result"] = bounded.form(here.result)
        except RecursionError:
            return {"skip": "a value that contains itself"}
    else:
        try:
            hint = typing.get_type_hints(names[entry]).get("return")
            answer["result"] = shown.text(shown.declared(here.result, hint))
        except (ValueError, TypeError, RecursionError) as error:
            answer["detail"] = f"the result can't be shown: {words(error)}"
    return answer


def words(error: BaseException) -> str:
    if isinstance(error, Raised):
        error = error.error
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except ValueError:
        return f"{type(error).__name__} of a number too long to print"


def slow(*_: Any) -> None:
    if signal.getitimer(signal.ITIMER_REAL)[0] > 0:
        raise Slow(f"it takes more than {TIME_MAX} s")


def main() -> None:
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(FRAMES)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    signal.signal(signal.SIGALRM, slow)
    for request in sys.stdin:
        case = json.loads(request)
        script, args = answers(case.get("script", [])), case.get("args", [])
        answer = run(case["source"], script, case.get("entry", "main"), args, case.get("bounded", False))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

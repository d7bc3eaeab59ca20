"""The command ``deepslate`` of the package: the binary's, with the user's file imported by this Python, so that its host
functions are there."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from types import ModuleType
from typing import Any

from . import _native
from ._collect import Program, collect
from ._flow import mark_of


def imported(path: str) -> ModuleType:
    """The file as a module; its folder is where it finds its neighbours, as with ``python FILE``."""
    folder = os.path.dirname(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = os.path.splitext(os.path.basename(path))[0]
    known = sys.modules.get(name)
    if known is not None and os.path.abspath(getattr(known, "__file__", None) or "") == os.path.abspath(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and type hints look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load(path: str) -> Program:
    """The program of all flows that are defined in a file."""
    module = imported(path)
    flows = [value for value in vars(module).values() if (mark := mark_of(value)) is not None and mark.kind == "flow"]
    shown = os.path.abspath(path)
    program = collect(flows)
    # Diagnostics name the file as the user did.
    program.sources = [(path if os.path.abspath(file) == shown else file, line, text) for file, line, text in program.sources]
    return program


def main(args: list[Any] | None = None) -> int:
    """Runs the command; gives its exit status."""
    # The command handles Ctrl+C itself, where it has something to bring to its end; Python must not raise it as well.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.command(["deepslate", *(sys.argv[1:] if args is None else args)])

"""The package is typed: mypy accepts it strictly, and the examples and flows of the tests by default."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def mypy(*args: str) -> None:
    done = subprocess.run([sys.executable, "-m", "mypy", "--no-error-summary", *args], cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_is_strict() -> None:
    mypy("--strict", "-p", "deepslate")


def test_the_examples_are_accepted() -> None:
    mypy(*(str(path) for path in sorted((HERE.parents[1] / "examples").glob("*.py"))), "flows.py")

"""The package is typed: mypy accepts it strictly, and the examples and flows of the tests by default."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import deepslate

HERE = Path(__file__).parent


def mypy(*args: str) -> None:
    done = subprocess.run([sys.executable, "-m", "mypy", "--no-error-summary", *args], cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_is_strict() -> None:
    mypy("--strict", "-p", "deepslate")


def test_the_examples_are_accepted() -> None:
    mypy(*(str(path) for path in sorted((HERE.parents[1] / "examples").glob("*.py"))), "flows.py")


def test_the_first_reference_is_accepted(tmp_path: Path) -> None:
    text = (HERE.parents[1] / "conformance" / "seed.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(programs) >= 24
    for index, program in enumerate(programs):
        imported = re.findall(r"^from deepslate import (.*)$", program, re.M)
        if not set(", ".join(imported).split(", ")) <= set(deepslate.__all__):
            # A member that comes with a later version; `conformance/tests/seed.rs` knows that it is announced.
            continue
        (tmp_path / f"item_{index:02}.py").write_text(program, encoding="utf-8")
    mypy(str(tmp_path))

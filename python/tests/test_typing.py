"""The package is typed: mypy and pyright accept it and the examples strictly, and the first reference as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deepslate

HERE = Path(__file__).parent


def mypy(*args: str) -> None:
    done = subprocess.run([sys.executable, "-m", "mypy", "--no-error-summary", *args], cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def pyright(*args: str) -> None:
    # It looks for packages where the first `python` of the path does, and asks no server whether there is a newer one.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    env = {**os.environ, "PATH": path, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run([sys.executable, "-m", "pyright", *args], cwd=HERE, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


EXAMPLES = [str(path) for path in sorted((HERE.parents[1] / "examples").glob("*.py"))]


def test_the_package_is_strict() -> None:
    mypy("--strict", "-p", "deepslate")


def test_every_name_of_the_package_has_a_type() -> None:
    pyright("--verifytypes", "deepslate", "--ignoreexternal")


def test_the_examples_are_accepted() -> None:
    mypy("--strict", *EXAMPLES)
    mypy("flows.py")
    pyright(*EXAMPLES, "flows.py")


def test_a_wrong_flow_is_not_accepted(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from deepslate import flow\n\n@flow\nasync def wrong(n: int) -> str:\n    return n\n", encoding="utf-8")
    for checker, report in [(mypy, "return-value"), (pyright, "reportReturnType")]:
        with pytest.raises(AssertionError, match=report):
            checker(str(wrong))


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

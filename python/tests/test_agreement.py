"""mypy and the compiler agree: on each case of conformance/spec, good or bad, mypy with the package's types says the same, or the
case stands in disagreements.txt with a reason. For a case that is refused, mypy must find something in one of the same lines.
Likewise on some thousand ill-typed programs that are made of the good cases."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mutants import mutants

HERE = Path(__file__).parent
SPEC = HERE.parents[1] / "conformance" / "spec"
LIST = HERE / "disagreements.txt"
MUTANTS = 2_000
# The files of good programs that mutants are made of; which kinds of disagreement they bring is looked at before one is added.
MUTATED = "dicts durable interleavings lists objects operators scoping state statements strings tasks time traces traps".split()


@dataclass
class Case:
    name: str
    program: str
    refused: list[int]
    """The lines of its mistakes; none for a good one."""
    codes: set[str]
    """Their codes."""


def cases() -> list[Case]:
    """What the cases say; `conformance/src/markdown.rs` describes their form."""
    found = []
    for file in sorted(SPEC.rglob("*.md")):
        title, program, block, kind = "", "", None, ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if block is None and line.startswith("#"):
                title = line.lstrip("#").strip()
            elif block is None and line.startswith("```"):
                block, kind = [], line[3:]
            elif block is not None and line.startswith("```"):
                if kind == "python":
                    program = "\n".join(block) + "\n"
                elif kind == "outcome":
                    errors = [text.removeprefix("error: ").split(" at ") for text in block if text.startswith("error: ")]
                    lines, codes = [int(line) for _, line in errors], {code for code, _ in errors}
                    found.append(Case(f"{file.relative_to(SPEC)}: {title}", program, lines, codes))
                block = None
            elif block is not None:
                block.append(line)
    return found


def mypy(folder: Path, programs: list[str]) -> list[dict[int, str]]:
    """What mypy finds in each of the programs, by line."""
    for index, program in enumerate(programs):
        (folder / f"case_{index:05}.py").write_text(program, encoding="utf-8")
    options = ["--no-error-summary", "--check-untyped-defs", "--enable-error-code", "possibly-undefined", "--no-incremental"]
    command = [sys.executable, "-m", "mypy", "--no-pretty", "--no-color-output", *options, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr
    found: list[dict[int, str]] = [{} for _ in programs]
    for line in done.stdout.splitlines():
        if match := re.match(r"case_(\d+)\.py:(\d+): error: (.*)", line):
            found[int(match[1])].setdefault(int(match[2]), match[3])
    return found


def disagreement(case: Case, found: dict[int, str]) -> str | None:
    """How mypy differs about a case."""
    if not case.refused and found:
        line, message = min(found.items())
        return f"refused by mypy at {line}: {message}"
    if case.refused and not set(case.refused) & found.keys():
        return f"accepted by mypy in {case.refused}; it says {found}"
    return None


def reviewed() -> dict[str, str]:
    """The cases of the list, with the reason of each."""
    reasons: dict[str, str] = {}
    reason = ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            reason = line.strip("[]")
        elif line and not line.startswith("#"):
            assert reason, f"{line} stands under no reason"
            assert line not in reasons, f"{line} is listed twice"
            reasons[line] = reason
    return reasons


def test_mypy_agrees_about_each_case_or_the_list_says_why_not(tmp_path: Path) -> None:
    all_cases = cases()
    assert len(all_cases) >= 100
    found = mypy(tmp_path, [case.program for case in all_cases])
    differing = {c.name: d for c, f in zip(all_cases, found) if (d := disagreement(c, f))}
    listed = reviewed()
    by_code = {next(iter(c.codes)): c.name for c in all_cases if c.name in differing and len(c.codes) == 1}
    excused = {c.name for c in all_cases if len(c.codes) == 1 and c.codes <= listed.keys()}
    wrong = [f"not listed: {name}\n    {what}" for name, what in differing.items() if name not in listed.keys() | excused]
    for name, reason in listed.items():
        # Which mutants there are changes with the cases.
        if name.startswith("mutant "):
            continue
        name = by_code.get(name, name)
        if name not in differing:
            wrong.append(f"listed without need: {name}")
        elif not differing[name].startswith(reason.split(":")[0]):
            wrong.append(f"listed as {reason!r}: {name}\n    {differing[name]}")
    assert not wrong, f"{LIST.name} and mypy disagree:\n" + "\n".join(wrong)


def compiler(folder: Path) -> list[dict[int, str]]:
    """What `deepslate check` finds in each program of a folder, by line: the codes."""
    files = sorted(file.name for file in folder.glob("case_*.py"))
    command = [sys.executable, "-m", "deepslate", "check", "--short", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    found: list[dict[int, str]] = [{} for _ in files]
    for line in done.stdout.splitlines():
        if match := re.match(r"(?:.*/)?case_(\d+)\.py:(\d+):\d+: error\[(E\d+)\]", line):
            found[int(match[1])].setdefault(int(match[2]), match[3])
    return found


def test_mypy_agrees_about_ill_typed_programs_or_the_list_says_why_not(tmp_path: Path) -> None:
    listed = reviewed()
    good = [c for c in cases() if not c.refused and c.name not in listed and c.name.split(".md")[0] in MUTATED]
    each = -(-MUTANTS // len(good))
    made = [(case.name, how, text) for case in good for how, text in mutants(case.name, case.program, each)]
    assert len(made) >= MUTANTS * 9 // 10
    theirs, ours = mypy(tmp_path, [text for _, _, text in made]), compiler(tmp_path)
    agreed = sum(1 for t, o in zip(theirs, ours) if t and o)
    assert agreed >= len(made) * 8 // 10, f"only {agreed} of {len(made)} are refused by both"
    wrong = []
    for (name, how, text), t, o in zip(made, theirs, ours):
        if bool(t) == bool(o):
            continue
        line, said = min((o or t).items())
        code = said if o else said[said.rindex("[") :].strip("[]")
        if f"mutant {how}: {code}" not in listed:
            source = text.splitlines()[line - 1].strip()
            who = "deepslate" if o else "mypy"
            wrong.append(f"not listed: mutant {how}: {code}\n    only {who} refuses, a mutant of {name}: {source}")
    assert not wrong, f"{LIST.name} and mypy disagree:\n" + "\n".join(wrong[:40])

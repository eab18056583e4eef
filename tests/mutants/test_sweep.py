"""Mechanical bugs: what is drawn is a function of the seed, each is a bug of one line, and a share is hunted."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from changes import Change, changes, sample  # noqa: E402
from compiled_bugs import RUNTIME as BUGS  # noqa: E402
from equivalent import REASONS  # noqa: E402
from hunt import REFERENCE  # noqa: E402
from sweep import seeded  # noqa: E402
from switched import RUNTIME, switch  # noqa: E402

TWIN = {path.name: path.read_text("utf-8") for path in sorted(REFERENCE.glob("*.py")) if path.name != "__init__.py"}
COMPILED = {path.name: path.read_text("utf-8") for path in sorted((RUNTIME / "kernel").glob("*.pyx"))}


@pytest.mark.parametrize("file", sorted(TWIN))
def test_each_is_python_and_differs(file: str) -> None:
    text = TWIN[file]
    for change in changes(file, text):
        changed = change.apply(text)
        ast.parse(changed)
        assert changed != text
        assert changed.count("\n") == text.count("\n")


def test_there_are_many_of_every_kind() -> None:
    for texts in (TWIN, COMPILED):
        every = [change for file, text in texts.items() for change in changes(file, text)]
        assert len(every) > 1000
        assert {change.kind for change in every} == {
            "operator", "off by one", "another code", "swapped arguments", "left out"
        }  # fmt: skip


def test_a_draw_is_a_function_of_its_seed() -> None:
    one, other = sample(TWIN, 60, 1), sample(TWIN, 60, 1)
    assert one == other
    assert one != sample(TWIN, 60, 2)
    assert len({(change.file, change.line) for change in one}) == len(one) == 60


def test_every_seeded_bug_of_the_runtime_still_applies() -> None:
    bugs = seeded(COMPILED)
    assert {bug.kind for bug in bugs} == set(BUGS)
    assert len({(bug.file, bug.line) for bug in bugs}) == len(bugs)  # one build holds all of them
    for file in {bug.file for bug in bugs}:
        mine = [(number, bug) for number, bug in enumerate(bugs, 1) if bug.file == file]
        switched = switch(COMPILED[file], mine)
        assert all(f"MUTANT == {number}" in switched for number, _ in mine)
        assert switched.startswith('"""')


def test_many_bugs_stand_in_one_text() -> None:
    text = '"""About."""\n\ndef f(a, b):\n    if a < b:\n        g(a, b)\n    return a\n'
    bugs = [
        Change("f", 4, "operator", "    if a < b:", "    if a <= b:"),
        Change("f", 5, "left out", "        g(a, b)", "        pass"),
    ]
    switched = switch(text, list(enumerate(bugs, 1)))
    assert "    if (MUTANT == 1 and (a <= b)) or (MUTANT != 1 and (a < b)):\n" in switched
    assert "        if MUTANT == 2:\n            pass\n        else:\n            g(a, b)\n" in switched
    assert "cdef int MUTANT = 0" in switched


def test_every_excuse_is_of_a_line_that_is_there() -> None:
    """A bug that nobody can tell is listed with its reason; the list goes with the sources."""
    lines = {(file, line.strip()) for file, text in (TWIN | COMPILED).items() for line in text.split("\n")}
    for (file, right, wrong), why in REASONS.items():
        assert (file, right) in lines, f"{file} has no longer the line {right!r}"
        assert right != wrong
        assert len(why) > 20


def test_the_hunt_finds_what_is_drawn(tmp_path: Path) -> None:
    """A change that stands for many: the first that is drawn of the statements of an edge's ring that are left out."""
    from kernels import compiled
    from sweep import chase, in_a_child, twin_with

    every = changes("edges.py", TWIN["edges.py"])
    bug = next(change for change in every if change.kind == "left out" and "items.append" in change.right)

    def work() -> str:
        twin = twin_with(bug, tmp_path)
        return chase(lambda name: (twin, compiled(name)))

    assert in_a_child(work, 200), str(bug)

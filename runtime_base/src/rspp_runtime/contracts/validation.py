"""A folder of samples, `<artifact>/<valid|invalid>/*.json`: are the valid ones taken and the invalid ones refused?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rspp_runtime.contracts.reading import BYTES_MAX, Unreadable, read
from rspp_runtime.contracts.rules import Rules, rules

# Folder of an artifact -> schema of its samples.
ARTIFACTS = {
    "event": "rspp.event.v1",
    "control_signal": "rspp.control_signal.v1",
    "decision_outcome": "rspp.decision_outcome.v1",
    "turn_transition": "rspp.turn_transition.v1",
    "resolved_turn_plan": "rspp.turn.plan.v1",
}
Kind = Literal["valid", "invalid"]
KINDS: tuple[Kind, ...] = ("valid", "invalid")


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a sample is refused. Lines and columns count from 1; `path` is empty for the whole."""

    line: int
    column: int
    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {f'{self.path}: ' if self.path else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Sample:
    """What came of one file. `found` is "unread" if the file could not be opened: that is neither."""

    file: str
    artifact: str
    expected: Kind
    found: Literal["valid", "invalid", "unread"]
    findings: tuple[Finding, ...] = ()

    @property
    def is_as_expected(self) -> bool:
        return self.found == self.expected


class NoSamples(Exception):  # noqa: N818 - it says what the folder holds
    """The folder is not there, or holds none."""


def contract(artifact: str) -> Rules:
    """The rules of an artifact. `KeyError` if it is none."""
    return rules(ARTIFACTS[artifact], artifact)


def validate(folder: Path) -> tuple[list[Sample], list[str]]:
    """Every sample, in order of its file; and what lies there without being looked at. Raises `NoSamples`."""
    if not folder.is_dir():
        raise NoSamples(f"{folder}: {'this is no folder' if folder.exists() else 'there is no such folder'}")
    try:
        found = [_sample(folder, path) for path in _samples(folder)]
        passed_over = [
            f"{path.name}/" for path in sorted(folder.iterdir()) if path.is_dir() and path.name not in ARTIFACTS
        ]
    except OSError as error:
        raise NoSamples(f"{error.filename or folder} cannot be read: {error.strerror}") from None
    if not found:
        raise NoSamples(
            f"{folder} holds no sample; they are expected at <artifact>/<valid|invalid>/*.json,"
            f" where an artifact is {', '.join(ARTIFACTS)}"
        )
    return found, passed_over


def _samples(folder: Path) -> Iterator[Path]:
    for artifact in ARTIFACTS:
        for kind in KINDS:
            inside = folder / artifact / kind
            if inside.is_dir():
                yield from sorted(path for path in inside.iterdir() if path.suffix == ".json")


def _sample(folder: Path, path: Path) -> Sample:
    artifact, expected = path.parts[-3], KINDS[path.parts[-2] == "invalid"]
    file = path.relative_to(folder).as_posix()
    try:
        if not path.is_file():  # a pipe would wait for somebody to write
            why = "this is no file" if path.exists() else "the link leads nowhere"
            return Sample(file, artifact, expected, "unread", (Finding(1, 1, "", "file", why),))
        with path.open("rb") as opened:
            data = opened.read(BYTES_MAX + 1)
    except OSError as error:
        return Sample(file, artifact, expected, "unread", (Finding(1, 1, "", "file", f"{error.strerror}"),))
    found = tuple(check(artifact, data))
    return Sample(file, artifact, expected, "invalid" if found else "valid", found)


def check(artifact: str, data: bytes) -> Iterator[Finding]:
    """What is wrong with one piece of JSON."""
    try:
        document = read(data)
    except Unreadable as error:
        yield Finding(error.line, error.column, "", "json", str(error))
        return
    for problem in contract(artifact).check(document.value).problems:
        yield Finding(*document.place(problem.path), problem.field, problem.rule, problem.message)


def as_data(found: list[Sample], passed_over: list[str]) -> dict[str, Any]:
    """For programs."""
    return {
        "files": [
            {
                "file": one.file,
                "artifact": one.artifact,
                "expected": one.expected,
                "found": one.found,
                "as_expected": one.is_as_expected,
                "findings": [
                    {"line": f.line, "column": f.column, "path": f.path, "rule": f.rule, "message": f.message}
                    for f in one.findings
                ],
            }
            for one in found
        ],
        "passed_over": passed_over,
        "as_expected": sum(one.is_as_expected for one in found),
        "not_as_expected": sum(not one.is_as_expected for one in found),
    }

"""Mechanical bugs: each changes one line of a kernel's source in a way that no author meant.

Operators, comparisons, constants off by one, `and` for `or`, statements left out, arguments and names of codes swapped.
The list of a text is always the same; `sample` draws from the lists of several files with a seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SWAPS = {
    "<=": "<", "<": "<=", ">=": ">", ">": ">=", "==": "!=", "!=": "==",
    "+": "-", "-": "+", "and": "or", "or": "and", "True": "False", "False": "True",
}  # fmt: skip
_TOKEN = re.compile(r"(?<= )(<=|>=|==|!=|<|>|\+|-|and|or)(?= )|\b(True|False)\b")
_NUMBER = re.compile(r"(?<![\w.\[])(\d+)(?![\w.])")
_CODE = re.compile(
    r"\b((?:Signal|Cause|Op|Control|Outcome|Origin)\.|(?:SIGNAL|CAUSE|OP|CONTROL|OUTCOME|ORIGIN)_)([A-Z_]+)\b"
)
_CALL = re.compile(r"\(([^(),]+), ([^(),]+)(?=[,)])")
_SIMPLE = re.compile(r"(?:[\w.\[\]*&]+(?: = | \+= | -= | \|= | &= ).+|[\w.]+\(.*\))$")
_CONDITION = re.compile(r"(?:if|elif|while) (.+):$")
_SKIPPED = re.compile(
    r"(?:cdef|cpdef|def|class|from|import|cimport|@|#|\"\"\"|assert|raise|for|with|try|except|else|global)\b"
)


@dataclass(frozen=True, slots=True)
class Change:
    """Line `line` (from 1) of `file`, what stands there, and what the bug puts in its place."""

    file: str
    line: int
    kind: str
    right: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}  {self.kind}: `{self.right.strip()}` → `{self.wrong.strip()}`"

    def apply(self, text: str) -> str:
        lines = text.split("\n")
        assert lines[self.line - 1] == self.right
        lines[self.line - 1] = self.wrong
        return "\n".join(lines)


def changes(file: str, text: str) -> list[Change]:
    """Every bug that this page knows for a text, in order."""
    codes = sorted({match.group(0) for match in _CODE.finditer(text)})
    return [
        Change(file, number, kind, line, wrong) for number, line in _lines(text) for kind, wrong in _of(line, codes)
    ]


def sample(texts: Mapping[str, str], count: int, seed: int) -> list[Change]:
    """So many of all bugs, at most one a line; the files in the order of their names."""
    every = [change for file in sorted(texts) for change in changes(file, texts[file])]
    rng = random.Random(seed)
    rng.shuffle(every)
    drawn: dict[tuple[str, int], Change] = {}
    for change in every:
        drawn.setdefault((change.file, change.line), change)
        if len(drawn) == count:
            break
    return sorted(drawn.values(), key=lambda change: (change.file, change.line))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are whole statements or conditions of a function, with their numbers."""
    depth, quoted = 0, False
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.split("  # ")[0].rstrip()
        whole = depth == 0 and not quoted
        quoted ^= line.count('"""') % 2 == 1
        depth += sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")
        if whole and depth == 0 and not quoted and bare.startswith("    ") and '"""' not in line:
            yield number, line


def _of(line: str, codes: list[str]) -> Iterator[tuple[str, str]]:
    indent = line[: len(line) - len(line.lstrip())]
    body, _, _ = line.strip().partition("  # ")
    if _SKIPPED.match(body) or (": " in body and " = " in body and not _CONDITION.match(body)):
        return
    condition = _CONDITION.match(body)
    if not (condition or _SIMPLE.match(body) or body.startswith("return ")):
        return
    for match in _TOKEN.finditer(body):
        yield "operator", indent + body[: match.start()] + SWAPS[match.group(0)] + body[match.end() :]
    for match in _NUMBER.finditer(body):
        yield "off by one", indent + body[: match.start()] + str(int(match.group(0)) + 1) + body[match.end() :]
    for match in _CODE.finditer(body):
        of_kind = [code for code in codes if code.startswith(match.group(1))]
        other = of_kind[(of_kind.index(match.group(0)) + 1) % len(of_kind)]
        if other != match.group(0):
            yield "another code", indent + body[: match.start()] + other + body[match.end() :]
    for match in _CALL.finditer(body):
        if match.group(1) in ("s", "core", "self") or body[: match.start()].endswith(("max", "min")):
            continue  # the one needs no test to be seen, the other is no change
        if "=" not in match.group(0) and match.group(1) != match.group(2):
            swapped = f"({match.group(2)}, {match.group(1)}"
            yield "swapped arguments", indent + body[: match.start()] + swapped + body[match.end() :]
    if _SIMPLE.match(body) and not condition:
        yield "left out", f"{indent}pass"

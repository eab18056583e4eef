"""Damaged pipelines: each a file of the corpus with one mistake put in, and where it is.

Every mutant of a text is made in a fixed order, so a run can be repeated; `sample` draws from all of them.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus import ROOT, read
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.source import Source
from rspp_compiler.syntax.brackets import brackets
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tree import Token

NEAR = 3  # lines
_UNITS = ("ms", "s", "kHz", "kB", "%", "dB", "usd", "", " items")
_QUANTITY = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Mutant:
    """`text` with `what` done to it. The damage lies in the lines `first` to `last` of the new text; `block` are the
    lines of the innermost braces around it, or just the damaged ones where there are none.
    """

    path: Path
    what: str
    text: str
    first: int
    last: int
    block: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.first}: {self.what}"

    def is_near(self, line: int) -> bool:
        return self.first - NEAR <= line <= self.last + NEAR

    def is_inside(self, line: int) -> bool:
        return self.block[0] <= line <= self.block[1]


# ---- damage: each takes the text, its tokens and the number of one, and gives (what, start, end, replacement)

Damage = tuple[str, int, int, str]


def _delete(_text: str, tokens: Sequence[Token], at: int, _dice: random.Random) -> Iterator[Damage]:
    yield f"delete {_shown(tokens[at].text)}", tokens[at].start, tokens[at].end, ""


def _duplicate(_text: str, tokens: Sequence[Token], at: int, _dice: random.Random) -> Iterator[Damage]:
    token = tokens[at]
    yield f"duplicate {_shown(token.text)}", token.end, token.end, f" {token.text}"


def _swap(text: str, tokens: Sequence[Token], at: int, _dice: random.Random) -> Iterator[Damage]:
    if at + 1 < len(tokens):
        one, other = tokens[at : at + 2]
        between = text[one.end : other.start]
        what = f"swap {_shown(one.text)} and {_shown(other.text)}"
        yield what, one.start, other.end, f"{other.text}{between or ' '}{one.text}"


def _replace(_text: str, tokens: Sequence[Token], at: int, dice: random.Random) -> Iterator[Damage]:
    token, other = tokens[at], dice.choice(tokens)
    if token.text != other.text:
        yield f"write {_shown(other.text)} for {_shown(token.text)}", token.start, token.end, f" {other.text} "


def _insert(_text: str, tokens: Sequence[Token], at: int, dice: random.Random) -> Iterator[Damage]:
    other = dice.choice(tokens)
    yield f"insert {_shown(other.text)}", tokens[at].start, tokens[at].start, f"{other.text} "


def _unit(_text: str, tokens: Sequence[Token], at: int, dice: random.Random) -> Iterator[Damage]:
    token = tokens[at]
    parts = _QUANTITY.fullmatch(token.text)
    if token.kind == "QUANTITY" and parts:
        unit = dice.choice([unit for unit in _UNITS if unit != parts[2]])
        yield f"change {token.text} to {parts[1]}{unit}", token.start, token.end, f"{parts[1]}{unit}"


def _rename(_text: str, tokens: Sequence[Token], at: int, dice: random.Random) -> Iterator[Damage]:
    token = tokens[at]
    if token.text.isidentifier() and len(token.text) > 2:
        cut = dice.randrange(len(token.text))
        misspelt = dice.choice([token.text[:cut] + token.text[cut + 1 :], f"{token.text[:cut]}x{token.text[cut:]}"])
        yield f"rename {token.text} to {misspelt}", token.start, token.end, misspelt


def _quote(_text: str, tokens: Sequence[Token], at: int, _dice: random.Random) -> Iterator[Damage]:
    token = tokens[at]
    if token.kind in ("STRING", "TEXT"):
        size = 3 if token.kind == "TEXT" else 1
        yield "drop the opening quotes", token.start, token.start + size, ""
        yield "drop the closing quotes", token.end - size, token.end, ""


def _line_end(_text: str, tokens: Sequence[Token], at: int, _dice: random.Random) -> Iterator[Damage]:
    yield "begin a new line", tokens[at].start, tokens[at].start, "\n"


def _line(text: str, tokens: Sequence[Token], at: int, _dice: random.Random) -> Iterator[Damage]:
    start = text.rfind("\n", 0, tokens[at].start) + 1
    end = text.find("\n", start) + 1
    if end > start and not text[start : tokens[at].start].strip():  # once for each line
        yield "delete the line", start, end, ""
        yield "join the line with the next", end - 1, end, " "


DAMAGES: tuple[Callable[[str, Sequence[Token], int, random.Random], Iterator[Damage]], ...] = (
    _delete, _duplicate, _swap, _replace, _insert, _unit, _rename, _quote, _line_end, _line,
)  # fmt: skip


def damages(path: Path, seed: int = 0) -> list[Damage]:
    """Everything that can be done to a file, in the order of its tokens."""
    text = read(path)
    tokens = [token for token in scan(text) if token.text.strip()]
    dice = random.Random(f"{seed} {path.name}")
    return [one for at in range(len(tokens)) for damage in DAMAGES for one in damage(text, tokens, at, dice)]


def mutants(path: Path, chosen: Iterable[Damage]) -> Iterator[Mutant]:
    """A file with each of the damages done to it."""
    text = read(path)
    blocks = _blocks(text)
    return (_mutant(path, text, damage, blocks) for damage in chosen)


def sample(paths: Iterable[Path], count: int, seed: int = 0) -> list[Mutant]:
    """So many mutants, drawn from all those of all files."""
    every = [(path, damage) for path in paths for damage in damages(path, seed)]
    drawn: dict[Path, list[Damage]] = {}
    for path, damage in random.Random(seed).sample(every, min(count, len(every))):
        drawn.setdefault(path, []).append(damage)
    return [mutant for path, chosen in sorted(drawn.items()) for mutant in mutants(path, chosen)]


def _mutant(path: Path, text: str, damage: Damage, blocks: Sequence[tuple[int, int]]) -> Mutant:
    what, start, end, replacement = damage
    damaged = text[:start] + replacement + text[end:]
    first = damaged.count("\n", 0, start) + 1
    last = damaged.count("\n", 0, start + len(replacement)) + 1
    around = [(opened, closed) for opened, closed in blocks if opened <= start < closed]
    block = first, last
    if around:
        opened, closed = min(around, key=lambda block: block[1] - block[0])
        closed = max(closed + len(damaged) - len(text), start + len(replacement))
        block = text.count("\n", 0, opened) + 1, damaged.count("\n", 0, closed) + 1
    return Mutant(path, what, damaged, first, last, block)


def _blocks(text: str) -> list[tuple[int, int]]:
    """The characters of everything in braces; of a declaration at the top level, its head included."""
    blocks: list[tuple[int, int]] = []
    opened: list[int] = []
    for bracket, offset in brackets(text):
        if bracket == "{":
            opened.append(offset if opened else text.rfind("\n", 0, offset) + 1)
        elif bracket == "}" and opened:
            blocks.append((opened.pop(), offset + 1))
    return blocks


def _shown(text: str) -> str:
    return f"`{text}`" if len(text) <= 30 else f"`{text[:30]}…`".replace("\n", " ")


# ---- what the compiler says to them


@dataclass(frozen=True)
class Verdict:
    """`first` is the first finding that the undamaged file does not have; None when there is none."""

    mutant: Mutant
    seconds: float
    first: Diagnostic | None
    count: int

    @property
    def is_near(self) -> bool:
        return self.first is not None and self.mutant.is_near(self.first.primary.line)

    @property
    def is_told(self) -> bool:
        """Whether the finding is within three lines of the damage, or in the same block."""
        return self.is_near or (self.first is not None and self.mutant.is_inside(self.first.primary.line))


class Judge:
    """Compiles mutants up to a pass. What is raised is raised: the caller asked for it."""

    def __init__(self, until: str) -> None:
        self._until = until
        self._known: dict[Path, Counter[tuple[str, str]]] = {}

    def __call__(self, mutant: Mutant) -> Verdict:
        if mutant.path not in self._known:
            self._known[mutant.path] = Counter(map(_meaning, self._findings(mutant.path, read(mutant.path))))
        began = time.process_time()
        found = self._findings(mutant.path, mutant.text)
        seconds = time.process_time() - began
        known = self._known[mutant.path].copy()
        fresh = []
        for one in found:
            known[_meaning(one)] -= 1
            if known[_meaning(one)] < 0:
                fresh.append(one)
        return Verdict(mutant, seconds, fresh[0] if fresh else None, len(fresh))

    def _findings(self, path: Path, text: str) -> tuple[Diagnostic, ...]:
        ctx = Context(options=Options(until=self._until), overlays={path.as_posix(): text})
        found = compile_pipeline([path], ctx=ctx).diagnostics
        assert_sound(found, Source(path.as_posix(), text))
        return found


def _meaning(found: Diagnostic) -> tuple[str, str]:
    return found.code, found.message


def assert_sound(found: Iterable[Diagnostic], source: Source) -> None:
    """Every place that a finding names lies in the text, and its lines and columns are those of its bytes."""
    size = len(source.text.encode("utf-8", "surrogatepass"))
    for one in found:
        for span in (one.primary, *(span for span, _ in one.secondary)):
            if span.file == source.name:
                assert 0 <= span.start <= span.end <= size, one
                start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
                assert source.span(start, end) == span, one

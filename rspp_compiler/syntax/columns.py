"""Lines to text: what stands in a column is aligned, and so are the comments behind consecutive lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from rspp_compiler.syntax.document import Stop

WIDTH_MAX = 120
_GAP = 2
_COMMENT_STRETCH = 40

T = TypeVar("T")


@dataclass(slots=True)
class Line:
    """`indent` in blanks, `gap` those before the comment behind it.

    A line without a `sort` stands in no column; one without text is a comment of its own.
    """

    indent: int
    cells: list[str] = field(default_factory=lambda: [""])
    stops: list[Stop] = field(default_factory=list)
    sort: str = ""
    comment: str = ""
    gap: int = _GAP
    blank_before: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.cells)

    def end(self, column: int | None = None) -> int:
        """Where what is before a column ends, counted from the line's first character; or the whole line."""
        for index, stop in enumerate(self.stops):
            if stop.column == column:
                return sum(len(cell) + 1 for cell in self.cells[: index + 1]) - 1
        return len(self.text)


def render(lines: list[Line]) -> str:
    """The text of a file. The lines are padded on the way."""
    for block in _blocks(lines):
        _align(block)
    for run in _comment_runs(lines):
        column = max(len(line.text) for line in run)
        for line in run:
            line.gap = _GAP + column - len(line.text)
    return "".join(map(_rendered, lines))


def _rendered(line: Line) -> str:
    blank = "\n" if line.blank_before else ""
    gap = " " * line.gap if line.comment and line.text else ""
    return f"{blank}{' ' * line.indent}{line.text}{gap}{line.comment}\n"


def _blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines of one sort, one below the other. A comment of its own between them parts nothing; a blank line does."""
    block: list[Line] = []
    for line in lines:
        is_part = not block or (not line.blank_before and line.indent == block[0].indent)
        if not line.text and is_part:
            continue
        if block and not (is_part and line.sort == block[0].sort):
            yield block
            block = []
        if line.sort:
            block.append(line)
    if block:
        yield block


def _align(block: list[Line]) -> None:
    for column in sorted({stop.column for line in block for stop in line.stops}):
        groups: dict[Stop, list[Line]] = {}
        for line in block:
            for stop in line.stops:
                if stop.column == column:
                    groups.setdefault(stop, []).append(line)
        for stop, group in groups.items():
            is_ragged = stop.ragged and len({line.end(column) for line in block}) > 1
            width = WIDTH_MAX - block[0].indent - is_ragged
            reaches = [(line, line.end(column), len(line.text) - line.end(column)) for line in group]
            for run in _runs(reaches, stop.stretch, width):
                _pad(run, column, 1 if is_ragged and len(run) > 1 else 0)


def _pad(run: list[Line], column: int, gap: int) -> None:
    start = max(line.end(column) for line in run) + gap
    for line in run:
        index = next(index for index, stop in enumerate(line.stops) if stop.column == column)
        line.cells[index] += " " * (start - line.end(column))


def _runs(reaches: Iterable[tuple[T, int, int]], stretch: int, width: int) -> Iterator[list[T]]:
    """Splits lines into runs that can share a column: none is stretched too far, and none pushed beyond the width.

    Each line comes with the length of what is before the column, and of what is behind it.
    """
    run: list[T] = []
    shortest = longest = rest = 0
    for line, end, behind in reaches:
        if run:
            shortest, longest, rest = min(shortest, end), max(longest, end), max(rest, behind)
            if longest - shortest > stretch or longest + rest > width:
                yield run
                run = []
        if not run:
            shortest, longest, rest = end, end, behind
        run.append(line)
    if run:
        yield run


def _comment_runs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines with a comment behind them, of those of one depth that follow each other without a blank line."""
    run: list[Line] = []
    for line in lines:
        is_next = not run or (not line.blank_before and line.indent == run[0].indent)
        if not is_next or (line.text and not line.sort):
            yield from _runs(map(_reach, run), _COMMENT_STRETCH, WIDTH_MAX)
            run = []
        if line.comment and line.sort:
            run.append(line)
    yield from _runs(map(_reach, run), _COMMENT_STRETCH, WIDTH_MAX)


def _reach(line: Line) -> tuple[Line, int, int]:
    return line, line.indent + len(line.text), _GAP + len(line.comment)

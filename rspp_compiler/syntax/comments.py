"""Comments: the parser skips them, so they are found by a scan of the text, and put where they belong by position."""

from __future__ import annotations

import re

from rspp_compiler.source import Source
from rspp_compiler.syntax.document import Bracket, Comment, Item, Joint

# Comments and brackets; texts are matched so that what looks like one within them is not taken for it.
_MARK = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\#[^\n]*|[{}()\[\]]')


def comments(source: Source) -> list[Comment]:
    """Every comment of a text without syntax errors, in order."""
    found: list[Comment] = []
    for mark in _MARK.finditer(source.text):
        if mark[0].startswith("#"):
            line, column = source.position(mark.start())
            is_own_line = not source.line(line)[: column - 1].strip()
            blank_before = is_own_line and line > 1 and not source.line(line - 1).strip()
            found.append(Comment(mark[0].rstrip(), mark.start(), is_own_line, blank_before))
    return found


def closers(text: str) -> dict[int, int]:
    """The offset of every opening bracket, and of the one that closes it."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for mark in _MARK.finditer(text):
        if mark[0] in "{([":
            opened.append(mark.start())
        elif mark[0] in "})]":
            pairs[opened.pop()] = mark.start()
    return pairs


def attach(file: Bracket, found: list[Comment]) -> None:
    """Gives each comment to the item, joint or bracket that it stands before, or behind."""
    _Attach(found).bracket(file)


class _Attach:
    def __init__(self, found: list[Comment]) -> None:
        self._waiting = found[::-1]

    def bracket(self, bracket: Bracket) -> None:
        before: Item | None = None
        for item in bracket.items:
            item.leading += self._behind(self._until(item.start), bracket, before)
            for part in item.parts:
                if isinstance(part, Joint):
                    part.comments += self._until(part.start)
                elif isinstance(part, Bracket):
                    self.bracket(part)
            before = item
        bracket.ending += self._behind(self._until(bracket.end), bracket, before)

    def _until(self, offset: int) -> list[Comment]:
        taken: list[Comment] = []
        while self._waiting and self._waiting[-1].start < offset:
            taken.append(self._waiting.pop())
        return taken

    def _behind(self, taken: list[Comment], bracket: Bracket, before: Item | None) -> list[Comment]:
        """Gives the first comment to the line before it if it stands behind that; the others remain."""
        if taken and not taken[0].is_own_line and (before or bracket.opener):
            if before:
                before.trailing = taken.pop(0)
            else:
                bracket.opening = taken.pop(0)
        return taken

"""What the parser makes of a text: tokens, and the tree of the grammar's rules over them."""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """One token: its terminal's name in the grammar, its text, and the characters `[start, end)` that it covers.

    A token that was put in to mend a text covers nothing, or what stands there in its place.
    """

    kind: str
    text: str
    start: int
    end: int


class Tree:
    """What one rule covers. Words and brackets that only hold the rule together are not among its children."""

    __slots__ = ("children", "end", "rule", "start")

    def __init__(self, rule: str, children: list[Tree | Token], start: int, end: int) -> None:
        self.rule = rule
        self.children = children
        self.start = start
        self.end = end

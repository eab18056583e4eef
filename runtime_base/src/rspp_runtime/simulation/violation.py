"""A promise that was not kept."""

from __future__ import annotations


class Violation(Exception):  # noqa: N818 - it is what a reader looks for
    """`name` is the invariant's; the text says what was seen."""

    def __init__(self, name: str, seen: str) -> None:
        super().__init__(f"{name}: {seen}")
        self.name, self.seen = name, seen

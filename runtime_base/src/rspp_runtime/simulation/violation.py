"""A promise that was not kept."""

from __future__ import annotations

import re


class Violation(Exception):  # noqa: N818 - it is what a reader looks for
    """`name` is the invariant's; the text says what was seen."""

    def __init__(self, name: str, seen: str) -> None:
        super().__init__(f"{name}: {seen}")
        self.name, self.seen = name, seen

    def alike(self) -> tuple[str, str]:
        """What two violations have in common that come of one fault."""
        return self.name, re.sub(r"\d+", "#", self.seen)

    def __reduce__(self) -> tuple[type[Violation], tuple[str, str]]:
        """It may come from another process."""
        return Violation, (self.name, self.seen)

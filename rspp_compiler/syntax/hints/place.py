"""What a rule looks at, and what it finds."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

_NEAR = 200  # characters around a mistake that tell what is meant
_BLOCK_NEAR = 4000  # characters before it in which its block begins

Edit = tuple[int, int, str]  # put the text in the place of these characters


@dataclass(frozen=True, slots=True)
class Hint:
    """What to say, and the change that would mend it. A change that `is_guess` may not be what was meant."""

    help: str
    edit: Edit | None = None
    is_guess: bool = False


@dataclass(frozen=True)
class Place:
    """Where the text stops making sense: at `offset`, where one of the terminals in `accepted` was expected."""

    text: str
    offset: int
    accepted: AbstractSet[str]

    @cached_property
    def start(self) -> int:
        """Where its line begins, or what of a long line is looked at."""
        return max(self.text.rfind("\n", 0, self.offset) + 1, self.offset - _NEAR)

    @cached_property
    def end(self) -> int:
        """Where its line ends, or what of a long line is looked at; a comment behind it is no part of it."""
        found = self.text.find("\n", self.offset, self.offset + _NEAR)
        return found if found >= 0 else min(self.offset + _NEAR, len(self.text))

    @cached_property
    def before(self) -> str:
        return self.text[self.start : self.offset]

    @cached_property
    def after(self) -> str:
        return self.text[self.offset : self.end]

    @cached_property
    def line(self) -> str:
        return self.before + self.after

    @cached_property
    def indent(self) -> str:
        return self.line[: len(self.line) - len(self.line.lstrip())]

    @cached_property
    def first(self) -> str:
        """The first word of the line."""
        found = re.match(r"\s*([A-Za-z_]\w*)", self.line)
        return found[1] if found else ""

    @cached_property
    def block(self) -> str:
        """The word that begins the innermost block around the place: `provider`; empty outside of all."""
        depth = 0
        for at in range(self.offset - 1, max(self.offset - _BLOCK_NEAR, -1), -1):
            sign = self.text[at]
            depth += (sign == "}") - (sign == "{")
            if depth < 0:
                begin = max(self.text.rfind(mark, 0, at) for mark in "\n{},") + 1
                found = re.match(r"\s*([A-Za-z_]\w*)", self.text[begin:at])
                return found[1] if found else ""
        return ""

    def put(self, pattern: str, replacement: str, help: str, *, is_guess: bool = False) -> Hint | None:
        """A hint if what follows matches; what matched is replaced. `replacement` may refer to the match's groups."""
        found = re.match(pattern, self.after)
        if not found:
            return None
        return Hint(help, (self.offset, self.offset + found.end(), found.expand(replacement)), is_guess)

    def rest(self) -> tuple[int, str]:
        """Where what the line says ends, and that text from the place on; a comment aside."""
        said = re.match(r'(?:"(?:[^"\\\n]|\\.)*"|[^#"])*', self.after)
        text = said[0].rstrip() if said else ""
        return self.offset + len(text), text


Rule = Callable[[Place], Hint | None]

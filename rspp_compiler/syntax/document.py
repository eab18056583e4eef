"""A program between its AST and its lines: what stands where, and where a line may be broken.

An item is one logical line: a declaration, a flow, a setting, an element of a list. It is made of parts: texts, blanks
where a column may begin (`Stop`) or where the line may go on in the next one (`Joint`), and brackets with items again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Comment:
    """`# …` as written, without the blanks behind it. `start` is its offset in the text."""

    text: str
    start: int
    is_own_line: bool
    blank_before: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """A blank before a column. Lines next to each other share a column if their `column` and `key` are equal.

    No line is stretched by more than `stretch` blanks for it. A `ragged` column keeps two blanks from the longest line.
    """

    column: int
    key: str = ""
    stretch: int = 40
    ragged: bool = False


@dataclass(slots=True, eq=False)
class Joint:
    """A blank at which a line may be broken. A lower `level` is broken first, all joints of a level together.

    `indent` counts steps from the item's own; `start` is the offset of what follows.
    """

    level: int
    indent: int
    start: int
    stop: Stop | None = None
    comments: list[Comment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Bracket:
    """Items between brackets: in a row, or `is_spread` with a line for each. `end` is the offset of the closer.

    `is_plain` brackets are never spread for want of room. Columns go `through` the brackets of a provider.
    """

    opener: str
    closer: str
    items: list[Item]
    end: int
    is_spread: bool = False
    is_plain: bool = False
    through: bool = False
    opening: Comment | None = None
    ending: list[Comment] = field(default_factory=list)
    _flat: str | None = None

    @property
    def flat(self) -> str | None:
        """In a row; None if that is not possible."""
        if self._flat is None and not (self.is_spread or self.opening or self.ending):
            flats = [item.flat for item in self.items if not (item.leading or item.trailing)]
            if len(flats) == len(self.items) and None not in flats:
                inner = ", ".join(flat for flat in flats if flat is not None)
                pad = " " if self.opener == "{" and inner else ""
                self._flat = f"{self.opener}{pad}{inner}{pad}{self.closer}"
            else:
                self.is_spread = True
        return self._flat


Part = str | Stop | Joint | Bracket


@dataclass(slots=True, eq=False)
class Item:
    """One logical line. Lines of one `sort` share columns; `start` and `end` are offsets."""

    parts: list[Part]
    start: int = 0
    end: int = 0
    sort: str = ""
    blank_before: bool = False
    leading: list[Comment] = field(default_factory=list)
    trailing: Comment | None = None
    _flat: str | None = None

    @property
    def flat(self) -> str | None:
        """On one line; None if that is not possible."""
        if self._flat is None:
            texts = [_flat(part) for part in self.parts]
            if None not in texts:
                self._flat = "".join(text for text in texts if text is not None)
        return self._flat

    @property
    def joints(self) -> Iterator[Joint]:
        return (part for part in self.parts if isinstance(part, Joint))


def _flat(part: Part) -> str | None:
    match part:
        case str():
            return part
        case Stop():
            return " "
        case Joint():
            return None if part.comments else " "
        case Bracket():
            return part.flat


def cells(parts: list[Part], first_column: int = 0) -> tuple[list[str], list[Stop]]:
    """A line that fits, cut at its stops: one cell more than stops."""
    texts, stops = [""], list[Stop]()
    for part in parts:
        if isinstance(part, Bracket) and part.through and len(part.items) == 1:
            inner, inner_stops = cells(part.items[0].parts, first_column + 3)
            texts[-1] += f"{part.opener} {inner[0]}"
            texts += inner[1:]
            texts[-1] += f" {part.closer}"
            stops += inner_stops
            continue
        stop = part.stop if isinstance(part, Joint) else part if isinstance(part, Stop) else None
        if stop is None:
            texts[-1] += _flat(part) or ""
        else:
            texts.append("")
            stops.append(Stop(stop.column + first_column, stop.key, stop.stretch, stop.ragged))
    return texts, stops

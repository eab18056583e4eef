"""A document to lines: whatever fits into a line stays in it; the rest is broken at its joints and brackets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from rspp_compiler.syntax.columns import WIDTH_MAX, Line
from rspp_compiler.syntax.document import Bracket, Comment, Item, Joint, Part, Stop, cells

_STEP = 2
# A line that begins with one of these words would go on the one before it; behind a comma it does not.
_GOES_ON = ("when", "otherwise", "and", "or")


def lines(file: Bracket) -> list[Line]:
    """The lines of a file, which is a bracket that nothing opens or closes."""
    breaker = _Breaker()
    breaker.spread(file, 0)
    return breaker.lines


class _Breaker:
    def __init__(self) -> None:
        self.lines: list[Line] = []

    def spread(self, bracket: Bracket, indent: int) -> None:
        """A line for each item, and the comments between them; a blank line is kept unless it would be the first."""
        first = len(self.lines)
        for item, following in zip_longest(bracket.items, bracket.items[1:]):
            self._comments(item.leading, indent, first)
            self._item(item, indent, item.blank_before and len(self.lines) > first)
            if following and _first_word(following) in _GOES_ON:
                self.lines[-1].cells[-1] += ","
            if item.trailing:
                self.lines[-1].comment = item.trailing.text
        self._comments(bracket.ending, indent, first)

    def _comments(self, comments: list[Comment], indent: int, first: int) -> None:
        for comment in comments:
            blank_before = comment.blank_before and len(self.lines) > first
            self.lines.append(Line(indent, comment=comment.text, blank_before=blank_before))

    def _item(self, item: Item, indent: int, blank_before: bool) -> None:
        if (flat := item.flat) is not None and _fits(flat, indent):
            texts, stops = cells(item.parts)
            is_row = bool(item.sort) and "\n" not in flat
            line = Line(indent, texts, stops, item.sort) if is_row else Line(indent, [flat])
            line.blank_before = blank_before
            self.lines.append(line)
            return
        forced = max((joint.level for joint in item.joints if joint.comments), default=0)
        levels = [level for level in sorted({0, *(joint.level for joint in item.joints)}) if level >= forced]
        for level in levels:
            fragments = list(_fragments(item, indent, level))
            chosen = [_opened(parts, depth, level == levels[-1]) for _, parts, depth in fragments]
            if level == levels[-1] or None not in chosen:
                break
        for (joint, parts, depth), opened in zip(fragments, chosen, strict=True):
            if joint:
                self._comments_at(joint, depth)
            self._fragment(parts, depth, opened or [], blank_before and joint is None)

    def _comments_at(self, joint: Joint, indent: int) -> None:
        """The comments before a joint: one can stand behind the line that ends there."""
        rest = list(joint.comments)
        if rest and not rest[0].is_own_line and not self.lines[-1].comment:
            self.lines[-1].comment = rest.pop(0).text
        self.lines.extend(Line(indent, comment=comment.text) for comment in rest)

    def _fragment(self, parts: list[Part], indent: int, opened: list[Bracket], blank_before: bool) -> None:
        line = Line(indent, blank_before=blank_before)
        for part in parts:
            if isinstance(part, Bracket) and part in opened:
                line.cells[0] += part.opener
                line.comment = part.opening.text if part.opening else ""
                self.lines.append(line)
                self.spread(part, indent + _STEP)
                line = Line(indent, [part.closer])
            else:
                line.cells[0] += _text(part)
        self.lines.append(line)


def _fragments(item: Item, indent: int, level: int) -> Iterator[tuple[Joint | None, list[Part], int]]:
    """The pieces of an item that is broken at the joints up to `level`: the joint, what follows it, its indentation."""
    joint: Joint | None = None
    parts: list[Part] = []
    for part in item.parts:
        if isinstance(part, Joint) and part.level <= level:
            yield joint, parts, indent + _STEP * (joint.indent if joint else 0)
            joint, parts = part, []
        else:
            parts.append(part)
    yield joint, parts, indent + _STEP * (joint.indent if joint else 0)


def _opened(parts: list[Part], indent: int, at_any_price: bool) -> list[Bracket] | None:
    """Which brackets of a piece to spread so that it fits; None if it should rather be broken at more joints.

    Braces at the end may be spread. Other brackets only if there are no more joints: then as few as will do, longest
    first. What is spread already counts like what has to be, so that formatting again changes nothing.
    """
    brackets = [part for part in parts if isinstance(part, Bracket)]
    spread = [bracket for bracket in brackets if bracket.flat is None]
    closed = [bracket for bracket in brackets if bracket.flat is not None and bracket.items and not bracket.is_plain]
    last = [bracket for bracket in closed if _is_block(bracket, parts)]
    if not at_any_price:
        choices = [spread, spread + last] if all(_is_block(bracket, parts) for bracket in spread) else []
    else:
        others = sorted((one for one in closed if one not in last), key=lambda one: -len(one.flat or ""))
        firsts = [others[: count + 1] for count in range(len(others))]
        choices = [spread, spread + last, *(spread + first + end for end in ([], last) for first in firsts)]
    fitting = (choice for choice in choices if _fits_opened(parts, indent, choice))
    return next(fitting, choices[-1] if at_any_price else None)


def _is_block(bracket: Bracket, parts: list[Part]) -> bool:
    """Whether these are the braces that a piece ends with."""
    return bracket is parts[-1] and bracket.opener == "{"


def _fits_opened(parts: list[Part], indent: int, opened: list[Bracket]) -> bool:
    text = ""
    for part in parts:
        if isinstance(part, Bracket) and part in opened:
            if not _fits(text + part.opener, indent):
                return False
            text = part.closer
        else:
            text += _text(part)
    return _fits(text, indent)


def _fits(text: str, indent: int) -> bool:
    """Whether a line keeps to the width; of a text over several lines, its ends."""
    first, *others = text.split("\n")
    return indent + len(first) <= WIDTH_MAX and (not others or len(others[-1]) <= WIDTH_MAX)


def _text(part: Part) -> str:
    match part:
        case Bracket():
            return part.flat or ""
        case Stop() | Joint():
            return " "
        case str():
            return part


def _first_word(item: Item) -> str:
    first = item.parts[0]
    return first.split(".")[0] if isinstance(first, str) else ""

"""A small TextMate tokeniser: enough to run a grammar on a text and see which scope each piece gets.

It knows `match`, `begin`/`end`, `captures`, `beginCaptures`, `endCaptures`, `patterns` and `include` of `#name` and
`$self`. Patterns are Python's: a grammar that it runs uses nothing that Oniguruma and Python read differently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line and its scopes, the innermost last."""

    text: str
    scopes: tuple[str, ...]


class Grammar:
    """A grammar from its file."""

    def __init__(self, path: Path) -> None:
        self.root: Rule = json.loads(path.read_text(encoding="utf-8"))

    def rules(self) -> Iterator[Rule]:
        """Every rule, wherever it stands."""

        def below(rule: Rule) -> Iterator[Rule]:
            yield rule
            for inner in rule.get("patterns", ()):
                yield from below(inner)

        yield from below(self.root)
        for rule in self.root["repository"].values():
            yield from below(rule)

    def lines(self, text: str) -> Iterator[list[Token]]:
        """The tokens of each line."""
        stack: list[Rule] = [self.root]
        for line in text.split("\n"):
            yield _joined(self._line(line, stack))

    def _line(self, line: str, stack: list[Rule]) -> Iterator[Token]:
        position, silent = 0, set[int]()
        while True:
            rule, found = self._next(line, position, stack[-1], silent)
            scopes = _scopes(stack)
            if found is None:
                yield Token(line[position:], scopes)
                return
            yield Token(line[position : found.start()], scopes)
            if rule is None:
                closed = stack.pop()
                yield from _captured(found, _captures(closed, "endCaptures"), scopes)
            elif "begin" in rule:
                stack.append(rule)
                yield from _captured(found, _captures(rule, "beginCaptures"), _scopes(stack))
            else:
                name = (rule["name"],) if "name" in rule else ()
                yield from _captured(found, rule.get("captures", {}), scopes + name)
            # An empty match moves nothing: the rule that made it has to wait for the next place.
            silent = silent | {id(rule)} if found.end() == position else set()
            position = found.end()

    def _next(self, line: str, position: int, top: Rule, silent: set[int]) -> tuple[Rule | None, re.Match[str] | None]:
        """The first match from `position` on, and its rule: None for the end of the open one. The earlier rule wins."""
        best: tuple[Rule | None, re.Match[str] | None] = (None, None)
        if "end" in top:
            best = (None, _compiled(top["end"]).search(line, position))
        for rule in self._patterns(top):
            if id(rule) in silent:
                continue
            found = _compiled(rule.get("match") or rule["begin"]).search(line, position)
            if found and (best[1] is None or found.start() < best[1].start()):
                best = (rule, found)
        return best

    def _patterns(self, rule: Rule) -> Iterator[Rule]:
        for pattern in rule.get("patterns", ()):
            include = pattern.get("include")
            if include == "$self":
                yield from self._patterns(self.root)
            elif include:
                named = self.root["repository"][include.removeprefix("#")]
                yield from self._patterns(named) if "match" not in named and "begin" not in named else [named]
            elif "match" in pattern or "begin" in pattern:
                yield pattern
            else:
                yield from self._patterns(pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _captures(rule: Rule, key: str) -> Rule:
    found: Rule = rule.get(key) or rule.get("captures") or {}
    return found


def _scopes(stack: list[Rule]) -> tuple[str, ...]:
    names = (rule.get("scopeName") or rule.get("name") for rule in stack)
    return tuple(name for name in names if name)


def _captured(found: re.Match[str], captures: Rule, scopes: tuple[str, ...]) -> Iterator[Token]:
    """The match, cut at its captures."""
    position = found.start()
    for number in sorted(int(key) for key in captures):
        start, end = found.span(number)
        if start >= position:
            yield Token(found.string[position:start], scopes)
            yield Token(found.string[start:end], (*scopes, captures[str(number)]["name"]))
            position = end
    yield Token(found.string[position : found.end()], scopes)


def _joined(tokens: Iterator[Token]) -> list[Token]:
    """Without empty pieces; neighbours of the same scopes are one."""
    joined: list[Token] = []
    for token in tokens:
        if joined and token.text and joined[-1].scopes == token.scopes:
            joined[-1] = Token(joined[-1].text + token.text, token.scopes)
        elif token.text:
            joined.append(token)
    return joined

"""The LALR(1) machine: shifts and reduces by the tables, and can tell what it would accept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rspp_compiler.syntax.tables import Tables
from rspp_compiler.syntax.tree import Token, Tree


class Machine:
    """A parser between two tokens: its states, and for each but the first the value that led to it."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._words = frozenset(tables.keywords.values())
        self._states: list[int] = [0]
        self.values: list[Tree | Token] = []

    def run(self, tokens: Sequence[Token], at: int) -> int:
        """Reads the tokens from `at` on: the index of the first that does not fit, or their number when all did.

        The last token is `$END`. The whole file's tree is then the only value.
        """
        actions, gotos, rules, words = self._tables.actions, self._tables.gotos, self._tables.rules, self._words
        states, values = self._states, self.values
        for index in range(at, len(tokens)):
            token = tokens[index]
            kind = token.kind
            action = actions[states[-1]].get(kind)
            if action is None and kind in words:  # a keyword only where the grammar has room for it
                kind = "NAME"
                token = token._replace(kind=kind)
                action = actions[states[-1]].get(kind)
            while action is not None and action < 0:
                name, length, kept, is_passed_on = rules[~action]
                if is_passed_on:
                    states.pop()
                elif length:
                    parts = values[-length:]
                    del values[-length:], states[-length:]
                    values.append(Tree(name, _children(parts, kept), parts[0].start, parts[-1].end))
                else:
                    end = values[-1].end if values else 0
                    values.append(Tree(name, [], end, end))
                states.append(gotos[states[-1]][name])
                action = actions[states[-1]].get(kind)
            if action is None:
                return len(tokens) if kind == "$END" and states[-1] == self._tables.accept else index
            states.append(action)
            values.append(token)
        return len(tokens)

    def cut(self, height: int) -> None:
        """Forgets all values but the first `height`, as if nothing had been read behind them."""
        del self.values[height:], self._states[height + 1 :]

    def accepted(self) -> set[str]:
        """The terminals that may come next."""
        return {kind for kind in self._tables.actions[self._states[-1]] if self.reach([kind])}

    def reach(self, kinds: Iterable[str], height: int | None = None) -> int:
        """How many of these terminals could be read, from here or from behind the first `height` values.

        Nothing changes by asking.
        """
        actions, gotos, rules = self._tables.actions, self._tables.gotos, self._tables.rules
        states = self._states[: None if height is None else height + 1]
        count = 0
        for kind in kinds:
            action = actions[states[-1]].get(kind)
            if action is None and kind in self._words:
                kind = "NAME"
                action = actions[states[-1]].get(kind)
            while action is not None and action < 0:
                name, length, _, _ = rules[~action]
                del states[len(states) - length :]
                states.append(gotos[states[-1]][name])
                action = actions[states[-1]].get(kind)
            if action is None:
                return count + (kind == "$END" and states[-1] == self._tables.accept)
            states.append(action)
            count += 1
        return count


def _children(parts: list[Tree | Token], kept: tuple[int, ...]) -> list[Tree | Token]:
    """What a tree keeps of its parts. A tree that only groups others hands its children on."""
    children: list[Tree | Token] = []
    for at in kept:
        part = parts[at]
        if isinstance(part, Token) or part.rule[0] != "_":
            children.append(part)
        elif children:
            children += part.children
        else:  # a list grows in place, else it would be copied with every item
            children = part.children
    return children

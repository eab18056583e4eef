"""From the grammar to the parser's tables, by lark: `python -m rspp_compiler.syntax.make_tables` writes them down.

States are numbered in the order in which they are reached, so the same grammar gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections import deque
from importlib import resources
from pathlib import Path
from typing import Any

from lark import Lark
from lark.lexer import TerminalDef

from rspp_compiler.syntax.tables import Rule, Tables, fingerprint, read_grammar


def make_tables(grammar: str) -> Tables:
    """The tables of a grammar. Raises lark's `GrammarError` when it is not LALR(1) or its tokens collide."""
    lark = Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=False, strict=True)
    conf = lark.parse_interactive("").parser_state.parse_conf
    rules = list(dict.fromkeys(lark.rules))
    rows, numbers = _numbered(conf.states, conf.start_state)
    keywords, terminals = _terminals(list(lark.terminals))
    return Tables(
        grammar=fingerprint(grammar),
        terminals=terminals,
        ignored=tuple(sorted(lark.ignore_tokens)),
        keywords=keywords,
        rules=tuple(_rule(rule) for rule in rules),
        actions=tuple(_actions(row, numbers, rules) for row in rows),
        gotos=tuple(_gotos(row, numbers) for row in rows),
        accept=numbers[conf.end_state],
    )


def _numbered(states: dict[Any, dict[str, Any]], start: Any) -> tuple[list[dict[str, Any]], dict[Any, int]]:
    """lark's states in the order in which a walk from the start, symbols sorted, reaches them; and their numbers."""
    numbers = {start: 0}
    rows = []
    waiting = deque([start])
    while waiting:
        row = states[waiting.popleft()]
        rows.append(row)
        for symbol in sorted(row):
            action, target = row[symbol]
            if action.name == "Shift" and target not in numbers:
                numbers[target] = len(numbers)
                waiting.append(target)
    return rows, numbers


def _terminals(definitions: list[TerminalDef]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Words that are names elsewhere, with their terminals; and all other terminals in the order of lark's lexers."""
    (name,) = (one for one in definitions if one.name == "NAME")
    words = {
        one.pattern.value: one.name
        for one in definitions
        if one.pattern.type == "str" and re.fullmatch(name.pattern.to_regexp(), one.pattern.value)
    }
    others = [one for one in definitions if one.name not in words.values()]
    others.sort(key=lambda one: (-one.priority, -one.pattern.max_width, -len(one.pattern.value), one.name))
    return dict(sorted(words.items())), tuple((one.name, one.pattern.to_regexp()) for one in others)


def _rule(rule: Any) -> Rule:
    name, length = rule.origin.name, len(rule.expansion)
    kept = tuple(at for at, part in enumerate(rule.expansion) if not (part.is_term and part.filter_out))
    return Rule(name, length, kept, name.startswith("_") and length == 1 and kept == (0,))


def _actions(row: dict[str, Any], numbers: dict[Any, int], rules: list[Any]) -> dict[str, int]:
    """For each terminal the state to go to, or, negative, `~` the rule to reduce by."""
    return {
        symbol: numbers[target] if action.name == "Shift" else ~rules.index(target)
        for symbol, (action, target) in sorted(row.items())
        if symbol.isupper() or symbol == "$END"
    }


def _gotos(row: dict[str, Any], numbers: dict[Any, int]) -> dict[str, int]:
    return {symbol: numbers[target] for symbol, (_, target) in sorted(row.items()) if symbol.islower()}


def write(tables: Tables, path: Path) -> None:
    """As JSON, one state a line, so that a change of the grammar can be read as a difference."""
    states = zip(tables.actions, tables.gotos, strict=True)
    lines = ",\n".join(f"  {json.dumps([actions, gotos])}" for actions, gotos in states)
    rules = ",\n".join(f"  {json.dumps(rule)}" for rule in tables.rules)
    terminals = ",\n".join(f"  {json.dumps(terminal)}" for terminal in tables.terminals)
    text = (
        f'{{\n "grammar": "{tables.grammar}",\n "accept": {tables.accept},\n "ignored": {json.dumps(tables.ignored)},\n'
        f' "keywords": {json.dumps(tables.keywords)},\n "terminals": [\n{terminals}\n ],\n'
        f' "rules": [\n{rules}\n ],\n "states": [\n{lines}\n ]\n}}\n'
    )
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(make_tables(read_grammar()), Path(str(resources.files("rspp_compiler._grammar").joinpath("tables.json"))))

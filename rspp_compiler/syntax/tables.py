"""The tables that the parser runs on. lark makes them of `grammar/rspp.lark`; they lie beside it as `tables.json`.

Building them takes longer than compiling a small pipeline, reading them a few milliseconds.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple


class Rule(NamedTuple):
    """One way to make a `name`: of `length` parts, of which the tree keeps those at `kept`.

    A rule that only gives its one part another name passes that part on.
    """

    name: str
    length: int
    kept: tuple[int, ...]
    is_passed_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """An LALR(1) automaton and its terminals.

    `grammar` is the fingerprint of the text that it was made of. `terminals` are (name, pattern), the first that
    matches wins; `keywords` are words that are a terminal of their own where the grammar has room for it, else a NAME.
    State 0 is the start. `actions` lead from a state and a terminal to the next state, or to `~` the rule to reduce by;
    `gotos` lead on from a state and the reduced rule's name. In state `accept` a whole file has been read.
    """

    grammar: str
    terminals: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    keywords: dict[str, str]
    rules: tuple[Rule, ...]
    actions: tuple[dict[str, int], ...]
    gotos: tuple[dict[str, int], ...]
    accept: int


@functools.cache
def tables() -> Tables:
    """The tables of the grammar. Made anew, in memory, when the grammar was edited and `make tables` has not run."""
    grammar = read_grammar()
    kept = _read()
    if kept.grammar == fingerprint(grammar):
        return kept
    from rspp_compiler.syntax.make_tables import make_tables

    return make_tables(grammar)


def read_grammar() -> str:
    return resources.files("rspp_compiler._grammar").joinpath("rspp.lark").read_text(encoding="utf-8")


def fingerprint(grammar: str) -> str:
    return hashlib.sha256(grammar.encode()).hexdigest()


def _read() -> Tables:
    data = json.loads(resources.files("rspp_compiler._grammar").joinpath("tables.json").read_text(encoding="utf-8"))
    return Tables(
        grammar=data["grammar"],
        terminals=tuple((name, pattern) for name, pattern in data["terminals"]),
        ignored=tuple(data["ignored"]),
        keywords=data["keywords"],
        rules=tuple(Rule(name, length, tuple(kept), passed) for name, length, kept, passed in data["rules"]),
        actions=tuple(actions for actions, _ in data["states"]),
        gotos=tuple(gotos for _, gotos in data["states"]),
        accept=data["accept"],
    )

"""The corpus says all that can be said: every rule of the grammar, every row of every table of the language."""

from __future__ import annotations

import pytest

from good_corpus import CASES, FILES, compiled
from pipelines import value
from vocabulary import Said, the_language

LANGUAGE = the_language()


@pytest.fixture(scope="module")
def said() -> dict[str, set[str]]:
    gathered = Said()
    for path in FILES:
        gathered.text(path.read_text(encoding="utf-8"))
    for name in CASES:
        gathered.program(value(compiled(name), "link"))
        gathered.graph(value(compiled(name), "check"))
    return gathered.found


@pytest.mark.parametrize("heading", LANGUAGE)
def test_everything_is_said(heading: str, said: dict[str, set[str]]) -> None:
    assert sorted(LANGUAGE[heading] - said[heading]) == []


def test_what_is_not_said_would_be_missed() -> None:
    """The gathering finds what one small pipeline says, and no more."""
    gathered = Said()
    gathered.text(CASES["hello"].read_text(encoding="utf-8"))
    gathered.program(value(compiled("hello"), "link"))
    gathered.graph(value(compiled("hello"), "check"))
    assert gathered.found["ports"] >= {"ingress.audio", "vad.speech", "llm.prompt", "egress.audio"}
    assert gathered.found["rules of the grammar"] == {"flow", "hop", "pipeline", "profile", "ref", "start", "version"}
    assert gathered.found["verbs"] == gathered.found["engines"] == gathered.found["values"] == set()
    assert sum(map(len, LANGUAGE.values())) > 500

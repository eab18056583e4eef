"""A guard in the plan holds exactly when the condition that was written does: both kernels against the analysis."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import compile_text, value
from rspp_compiler.analysis.safety.guards import holds
from rspp_compiler.emit.kernel_guards import guard_lines
from rspp_compiler.ir.condition import variables
from rspp_compiler.ir.layout import Check
from rspp_compiler.ir.memory import ATTRIBUTES
from rspp_compiler.layout.conditions import ORIGINS, text_id
from rspp_compiler.layout.guards import CAUSES, OUTCOMES
from rspp_runtime.abi import codes, plan
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.reference.guards import passes

TEXT = ("event.length", "event.words", "turn.number")
NUMBERS = ("0", "1", "2", "2.5", "7", "60", "-1", "99999999999999999999999")
SIGNS = ("==", "!=", "<", "<=", ">", ">=")


def compared() -> st.SearchStrategy[str]:
    numbers = st.builds("{} {} {}".format, st.sampled_from(TEXT), st.sampled_from(SIGNS), st.sampled_from(NUMBERS))
    mirrored = st.builds("{} {} {}".format, st.sampled_from(NUMBERS), st.sampled_from(SIGNS), st.sampled_from(TEXT))
    fields = st.builds("{} {} {}".format, st.sampled_from(TEXT), st.sampled_from(SIGNS), st.sampled_from(TEXT))
    others = st.sampled_from(
        (
            *("event.final", "event.final == false", "session.mode == full", "session.mode != quiet"),
            *('turn.origin == "speech"', 'turn.origin != "text"', 'turn.origin == "nobody"', 'turn.origin != "nobody"'),
            *('turn.origin in ["api", "text", "nobody"]', "event.words in [1, 7, 2.5]"),
        )
    )
    return st.one_of(numbers, mirrored, fields, others)


CONDITIONS = st.recursive(
    compared(),
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


def compiled(guard: str, flow: str = "stt.final -> tap") -> tuple[Any, tuple[Check, ...]]:
    """The condition as bound, and as laid out."""
    result = compile_text(
        f"pipeline p {{\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n  {flow} when {guard}\n"
        "  llm -> egress.text\n  on tts.error -> degrade quiet\n  mode quiet { off = [tts] }\n}\n",
        until="freeze",
    )
    layout = value(result, "freeze").layout
    edge = next(e for e in layout.analysis.graph.edges if e.spec.guard)
    row = next(e for e in layout.plan.edges if e.name == edge.id)
    return edge.spec.guard, row.guard


def evaluated(
    guard: tuple[Check, ...], size: int, words: int, final: bool, mode: int, turn: tuple[int, int] | None
) -> bool:
    """What the twin makes of it; also what the compiled kernel's expression says, read as Python."""
    rows = tuple(plan.Check(*dataclasses.astuple(check)) for check in guard)
    serial, origin = turn or (5, 0)
    state: Any = SimpleNamespace(mode=mode, active=turn is not None, turn=SimpleNamespace(serial=serial, origin=origin))
    edge: Any = SimpleNamespace(plan=SimpleNamespace(guard=rows))
    answer = passes(state, edge, size, words, 1 if final else 0)
    core = SimpleNamespace(
        mode=mode,
        turn=SimpleNamespace(state=2 if turn else 4, serial=serial, proposal=SimpleNamespace(origin=origin)),
    )
    names = {"core": core, "size": size, "words": words, "flags": int(final), "FLAG_FINAL": 1, "TURN_ACTIVE": 2}
    assert bool(eval(" ".join(guard_lines(guard)).replace("LL", ""), names)) is answer
    return answer


@given(
    written=CONDITIONS,
    size=st.sampled_from((0, 1, 2, 3, 7, 59, 60, 61)),
    words=st.sampled_from((0, 1, 2, 3, 7)),
    final=st.booleans(),
    mode=st.integers(0, 1),
    turn=st.one_of(st.none(), st.tuples(st.sampled_from((1, 2, 7)), st.integers(0, 6))),
)
def test_the_plan_says_what_was_written(
    written: str, size: int, words: int, final: bool, mode: int, turn: tuple[int, int] | None
) -> None:
    condition, guard = compiled(written)
    known: dict[tuple[str, str], Any] = {
        ("event", "length"): size,
        ("event", "words"): words,
        ("event", "final"): final,
        ("session", "mode"): ("full", "quiet")[mode],
        ("turn", "number"): turn[0] if turn else None,
        ("turn", "origin"): ORIGINS[turn[1]] if turn else None,
    }
    assert {(one.subject, one.field) for one in variables(condition)} <= known.keys()
    assert evaluated(guard, size, words, final, mode, turn) is holds(condition, known)


@pytest.mark.parametrize(
    ("written", "passes_at"),
    [("event.duration >= 20ms", 640), ("event.duration > 19ms", 640), ("10ms < event.duration", 322)],
)
def test_a_duration_is_a_size(written: str, passes_at: int) -> None:
    """Audio of 16 kHz, 16 bit, mono: 32 bytes a millisecond."""
    _, guard = compiled(written, "vad.speech -> tap")
    assert evaluated(guard, passes_at, 0, False, 0, None)
    assert not evaluated(guard, passes_at - 34, 0, False, 0, None)


def test_otherwise_is_that_no_sibling_held() -> None:
    text = (
        "pipeline p {\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n  node a : tap\n  node b : tap\n"
        "  node c : tap\n  stt.final -> a when event.words > 5\n  stt.final -> b when event.length > 60\n"
        "  stt.final -> c otherwise\n}\n"
    )
    layout = value(compile_text(text, until="freeze"), "freeze").layout
    guards = {row.name.split(" -> ")[1].split(".")[0]: row.guard for row in layout.plan.edges if row.guard}
    for words in (5, 6):
        for size in (60, 61):
            held = {name for name, guard in guards.items() if evaluated(guard, size, words, True, 0, None)}
            assert held == ({"a"} if words > 5 else set()) | ({"b"} if size > 60 else set()) or held == {"c"}
            assert ("c" in held) is (words <= 5 and size <= 60)


def test_origins_are_those_of_the_runtime() -> None:
    assert tuple(origin.name.lower() for origin in codes.Origin) == ORIGINS


def test_what_nobody_stamps_is_refused_by_name() -> None:
    text = (
        "pipeline p {\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n  node a : tap\n  node b : tap\n"
        '  stt.final -> a when event.language == "de" and event.words > 1\n  stt.final -> b otherwise\n}\n'
    )
    found = [one for one in compile_text(text, until="target").diagnostics if one.code == "E0907"]
    assert ["`event.language`" in one.message and "`event.words`" not in one.message for one in found] == [True, True]


# ---- guards of reactions


def of_reaction(line: str) -> list[tuple[Check, ...]]:
    """The guards of a line, one for each of its events."""
    result = compile_text(
        "pipeline p {\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n"
        f'  node sorry : say {{ text = "Sorry." }}\n  on stt.error -> sorry -> tts\n  {line}\n}}\n'
        "provider llm {\n  use scripted\n  use openai\n  use scripted\n}\n",
        until="freeze",
    )
    return [row.guard for row in value(result, "freeze").layout.plan.reactions if row.guard]


REACTIONS: dict[str, list[tuple[Check, ...]]] = {
    "on vad.barge_in when event.words >= 2 -> cancel turn": [(Check(">=", "spoken", 2),)],
    "on vad.barge_in when event.duration > 250ms -> cancel turn": [(Check(">", "speech", 250_000_000),)],
    "on vad.idle when 2 < event.count -> end session": [(Check(">", "idles", 2),)],
    "on vad.idle when event.duration >= 1s -> end session": [(Check(">=", "idle", 1_000_000_000),)],
    'on llm.error when event.reason == "overload" or not event.retryable -> sorry -> tts': [
        (Check("==", "outcome", 2), Check("==", "retryable", 1), Check("not"), Check("or")),
    ],
    'on llm.provider_switch when event.reason == "circuit_open" -> end session': [(Check("==", "cause", 42),)],
    'on llm.circuit_event when event.provider == "scripted" -> end session': [
        (Check("==", "provider", 0), Check("==", "provider", 2), Check("or")),
    ],
    'on llm.circuit_event when event.provider != "scripted" -> end session': [
        (Check("!=", "provider", 0), Check("!=", "provider", 2), Check("and")),
    ],
    'on llm.circuit_event when event.provider == "groq" -> end session': [(Check("never"),)],
    "on llm.timeout or done when event.elapsed > 4s -> end session": [(Check(">", "elapsed", 4_000_000_000),)] * 2,
    "on tts.playback_completed when event.words > 9 -> end session": [(Check(">", "heard", 9),)],
    'on turn.abort when event.reason in ["cancelled", "budget_exhausted"] -> end session': [
        (Check("==", "cause", 1), Check("==", "cause", 7), Check("or")),
    ],
    "on turn.commit when turn.number > 3 and session.mode == full -> end session": [
        (Check(">", "turn", 3), Check("==", "mode", 0), Check("and")),
    ],
}


@pytest.mark.parametrize("line", REACTIONS)
def test_guards_of_reactions(line: str) -> None:
    assert of_reaction(line) == REACTIONS[line]


def test_reasons_have_the_runtime_s_numbers() -> None:
    assert {codes.Cause[name.upper()]: number for name, number in CAUSES.items()} == {n: n for n in CAUSES.values()}
    assert [outcome.name.lower() for outcome in Outcome] == list(OUTCOMES)


# ---- conditions on the session


def test_texts_have_the_runtime_s_numbers() -> None:
    assert [attribute.name.lower() for attribute in codes.Attribute] == list(ATTRIBUTES)
    for text in ("", "acme", "Grüße", "x" * 300):
        assert text_id(text) == codes.text_id(text) < 1 << 62


def test_guards_ask_for_attributes_of_the_session() -> None:
    acme = text_id("acme")
    assert of_reaction('on vad.idle when session.tenant == "acme" -> end session') == [(Check("==", "tenant", acme),)]
    assert compiled('session.tenant == "acme"')[1] == (Check("==", "tenant", acme),)

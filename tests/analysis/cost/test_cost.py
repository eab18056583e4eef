"""cost: ceilings from caps, prices, retries and fallbacks; against every course that a turn can take."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_kinds import MS
from graphs import NOWHERE, S, Sketch, candidate, retry
from rspp_compiler.analysis.data.cost import ceiling, cost
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.cost import BlockCost, Cost
from rspp_compiler.ir.spec import CandidateSpec, CapSpec, OverrideSpec, PriceSpec
from rspp_compiler.source import Span

SPAN = Span("sketch.rspp", 0, 0, 1, 1, 1, 1)
LOCAL = CandidateSpec(
    span=NOWHERE, name="scripted", accept=("PII", "PHI"), origins={"accept": Origin.derived(NOWHERE, "in the process")}
)


def priced(name: str, **prices: int) -> CandidateSpec:
    """A candidate that charges: `priced("openai", call=1000)` micro-dollars."""
    price = PriceSpec.model_validate({"span": SPAN, **{f"{unit}_microusd": value for unit, value in prices.items()}})
    return candidate(name, price=price)


def cap(**fields: int) -> CapSpec:
    return CapSpec(span=SPAN, origins={field: Origin.user(SPAN) for field in fields}, **fields)


def assistant() -> Sketch:
    sketch = Sketch().node("ears", "vad").node("voice", "tts").node("sorry", "say")
    for kind in ("vad", "stt", "llm", "tts"):
        sketch.provider(kind, LOCAL)
    return sketch.flow("ingress.audio -> ears -> stt -> llm -> voice -> egress.audio")


def model(**prices: int) -> tuple[str, CandidateSpec]:
    """Arguments of a provider block whose only candidate charges that."""
    return "llm", priced("a", **prices)


def analysed(sketch: Sketch) -> tuple[Cost, tuple[Diagnostic, ...]]:
    ctx = sketch.context()
    made = cost(sketch.graph(), ctx)
    return made, ctx.sink.diagnostics


def turn(sketch: Sketch) -> int | None:
    return analysed(sketch)[0].turn_microusd


def block(sketch: Sketch, id: str) -> BlockCost:
    return next(one for one in analysed(sketch)[0].blocks if one.block == id)


# ---- sums


def test_what_runs_in_the_process_costs_nothing() -> None:
    made, found = analysed(assistant().budget(cost_microusd=1))
    assert (made.blocks, made.turn_microusd, made.minute_microusd, found) == ((), 0, 0, ())


def test_tokens_of_one_call() -> None:
    sketch = assistant().provider(
        "llm", priced("openai", ktoken_in=500, ktoken_out=2000), cap=cap(tokens_in=3000, tokens_out=400)
    )
    made, _ = analysed(sketch)
    assert [(term.unit, term.times, term.amount, term.total_microusd) for term in made.blocks[0].terms] == [
        ("ktoken_in", 1, 3000, 1500), ("ktoken_out", 1, 400, 800),
    ]  # fmt: skip
    assert made.turn_microusd == 2300


def test_each_term_is_rounded_up() -> None:
    sketch = assistant().provider(
        "llm", priced("openai", ktoken_in=1, ktoken_out=1), cap=cap(tokens_in=1, tokens_out=1001)
    )
    assert turn(sketch) == 1 + 2


def test_retries_and_fallbacks_count() -> None:
    """A failed attempt does not say what it used: each of the six is counted with the whole cap."""
    offers = (priced("a", ktoken_out=1000), priced("b", ktoken_out=3000))
    sketch = assistant().provider("llm", *offers, retry=retry(2), cap=cap(tokens_out=1000))
    assert turn(sketch) == 3 * 1000 + 3 * 3000


def test_a_model_that_calls_tools_succeeds_but_for_its_last_call() -> None:
    sketch = assistant().tool("book").provider("llm", priced("a", call=10, ktoken_out=1000), cap=cap(tokens_out=1000))
    sketch.node("llm", tools=("book",), settings={"max_calls": 4})
    assert (block(sketch, "llm").runs, block(sketch, "llm").calls) == (1, 5)
    assert turn(sketch) == 5 * 10 + 1000
    sketch.provider("llm", priced("a", call=10, ktoken_out=1000), cap=cap(tokens_out=1000), retry=retry(1))
    assert turn(sketch) == 10 * 10 + (4 + 2) * 1000


def test_what_a_model_may_write_bounds_it_too() -> None:
    sketch = assistant().node("llm", settings={"max_tokens": 200}).provider("llm", priced("a", ktoken_out=1000))
    assert turn(sketch) == 200
    assert block(sketch, "llm").terms[0].limit == "max_tokens"


def test_a_stream_of_a_turn_is_never_longer_than_the_turn() -> None:
    sketch = assistant().provider("tts", priced("cartesia", minute=30_000)).budget(turn_total_ns=90 * S)
    assert turn(sketch) == 45_000
    assert block(sketch, "tts").terms[0].limit == "turn.total"


def test_hearing_is_bounded_by_its_cap_alone() -> None:
    sketch = assistant().provider("stt", priced("deepgram", minute=60_000))
    assert turn(sketch) is None
    assert turn(sketch.provider("stt", priced("deepgram", minute=60_000), cap=cap(turn_ns=60 * S))) == 60_000
    sketch.provider("stt", priced("deepgram", minute=60_000), cap=cap(turn_ns=60 * S, session_ns=30 * S))
    assert turn(sketch) == 30_000


def test_a_cap_of_the_cost_bounds_whatever_it_is_made_of() -> None:
    sketch = assistant().provider("llm", priced("a", ktoken_in=1000, call=7), cap=cap(cost_microusd=40))
    made, _ = analysed(sketch)
    assert (made.turn_microusd, made.blocks[0].is_capped, made.blocks[0].unbounded) == (40, True, ("a: ktoken_in",))


def test_a_cap_of_calls() -> None:
    sketch = assistant().tool("book").node("llm", tools=("book",), settings={"max_calls": 9})
    assert turn(sketch.provider("llm", priced("a", call=10), cap=cap(calls=3))) == 30


# ---- how often


@pytest.mark.parametrize(
    ("events", "runs"),
    [
        ("session.connected", 2), ("llm.error", 2), ("llm.error or llm.timeout", 2), ("turn.budget_warning", 2),
        ("book.started", 1 + 3), ("tick.fired", 1 + 13), ("ears.idle", 1 + 16), ("ingress.dtmf", None),
        ("voice.error", None),
    ],
)  # fmt: skip
def test_how_often_a_voice_is_set_going(events: str, runs: int | None) -> None:
    sketch = assistant().tool("book").node("llm", tools=("book",), settings={"max_calls": 3})
    sketch.node("tick", "timer", settings={"every_ns": 10 * S}).node("ears", "vad", settings={"idle_after_ns": 8 * S})
    sketch.provider("tts", priced("cartesia", call=1)).on(events, "sorry -> voice")
    assert block(sketch, "tts").runs == runs


def test_two_lines_for_one_failure_run_both() -> None:
    sketch = assistant().provider("tts", priced("cartesia", call=1))
    sketch.on("llm.error", "sorry -> voice").on("llm.error", "sorry -> voice").on("llm.timeout", "sorry -> voice")
    assert block(sketch, "tts").runs == 3


def test_tools_that_call_each_other_have_no_bound() -> None:
    sketch = assistant().tool("book").tool("desk").provider("tts", priced("cartesia", call=1))
    sketch.on("book.started", "call desk").on("desk.started", "call book").on("desk.done", "sorry -> voice")
    assert block(sketch, "tts").runs is None


def test_a_tool_that_a_line_calls_counts_as_often_as_the_line() -> None:
    sketch = assistant().tool("book").provider("tts", priced("cartesia", call=1))
    sketch.on("llm.error", "call book").on("book.started", "sorry -> voice")
    assert block(sketch, "tts").runs == 2


def test_a_long_chain_of_fallbacks_is_counted_without_deep_recursion() -> None:
    sketch = assistant().provider("tts", priced("cartesia", call=1))
    for at in range(1500):
        sketch.node(f"m{at}", "grpc")
    for at in range(1499):
        sketch.on(f"m{at}.error", f"m{at + 1}")
    sketch.on("llm.error", "m0").on("m1499.error", "sorry -> voice")
    assert block(sketch, "tts").runs == 2


# ---- modes, minutes


def test_the_dearest_mode_counts() -> None:
    change = OverrideSpec(span=SPAN, node="llm", field="provider", value="large")
    sketch = assistant().provider("llm", priced("a", call=10)).provider("large", priced("b", call=50), kind="llm")
    sketch.mode("careful", overrides=(change,))
    assert turn(sketch) == 10  # no line brings the mode about
    made, _ = analysed(sketch.on("ingress.dtmf", "enter careful"))
    assert (made.mode, made.turn_microusd) == ("careful", 50)
    assert turn(sketch.on("llm.timeout", "degrade careful")) == 60  # on top of what the turn has cost before


def test_a_minute_is_listening_and_the_turns_that_can_be_spoken() -> None:
    sketch = assistant().node("ears", "vad", settings={"min_speech_ns": 100 * MS, "min_silence_ns": 400 * MS})
    sketch.provider("stt", priced("deepgram", minute=6_000), cap=cap(turn_ns=60 * S)).provider(
        "llm", priced("a", call=10)
    )
    made, _ = analysed(sketch)
    assert (made.turns_a_minute, made.turn_microusd) == (120, 6_010)
    assert made.minute_microusd == 120 * 10 + 6_000


def test_nothing_says_how_often_a_button_is_pressed() -> None:
    sketch = assistant().provider("llm", priced("a", call=10)).on("ingress.button_up", "end utterance")
    assert (analysed(sketch)[0].turns_a_minute, analysed(sketch)[0].minute_microusd) == (None, None)


# ---- findings


def test_a_turn_over_its_budget_shows_the_sum() -> None:
    sketch = (
        assistant()
        .provider("llm", priced("a", ktoken_out=2000, call=100), cap=cap(tokens_out=500))
        .budget(cost_microusd=700)
    )
    (found,) = analysed(sketch)[1]
    assert found.code == "E1201"
    assert found.message == "a turn may cost 0.0011usd, 0.0004usd more than its budget of 0.0007usd"
    assert found.help == "lower `cap.tokens_out` to 300 tokens; or let a turn cost more: `cost = 0.0011usd`"
    assert "0.001usd  a: 1 attempt of 500 tokens at 0.002usd for 1000 tokens written" in found.notes[0]
    assert "0.0011usd  in all" in found.notes[0]
    assert codes_of(sketch.provider("llm", priced("a", ktoken_out=2000, call=100), cap=cap(tokens_out=300))) == []
    assert codes_of(sketch.provider("llm", priced("a", ktoken_out=2000, call=100), cap=cap(tokens_out=301))) == [
        "E1201"
    ]


def codes_of(sketch: Sketch) -> list[str]:
    return [found.code for found in analysed(sketch)[1]]


def test_where_no_cap_is_enough_the_budget_is_raised() -> None:
    sketch = assistant().provider("llm", priced("a", call=100)).budget(cost_microusd=70)
    (found,) = analysed(sketch)[1]
    assert found.fix is not None
    assert found.fix.replacement == "0.0001usd"


def test_what_nothing_bounds_is_told_once_for_a_block() -> None:
    sketch = (
        assistant()
        .provider("llm", priced("a", ktoken_in=1, ktoken_out=1), priced("b", kchar=1))
        .budget(cost_microusd=90)
    )
    (found,) = analysed(sketch)[1]
    assert found.code == "E1202"
    assert found.notes == ("without one are `a: ktoken_in`, `a: ktoken_out` and `b: kchar`",)
    assert "cap = { cost = 0.00009usd }" in found.help
    assert codes_of(sketch.provider("llm", priced("a", ktoken_in=1), cap=cap(cost_microusd=90))) == []


def test_without_a_budget_nothing_is_wrong() -> None:
    assert codes_of(assistant().provider("llm", priced("a", ktoken_in=1), "b")) == []


def test_a_provider_without_a_price() -> None:
    sketch = assistant().provider("llm", CandidateSpec(span=SPAN, name="openai")).budget(cost_microusd=90)
    made, (found,) = analysed(sketch)
    assert (made.priceless, found.code, found.severity) == (("openai",), "E1203", "warning")


# ---- against every course of a turn


def dearest(runs: int, more: int, prices: list[int], tries: int, most: int | None, asked: int | None) -> int:
    """The most that a turn can cost, by trying every course: each attempt fails or succeeds, with each use it can have.

    What a failed attempt used is charged and not counted; what a call that succeeded used is counted against the cap.
    """
    order = [price for price in prices for _ in range(tries)]

    @cache
    def call(runs: int, more: int, left: int, attempt: int) -> int:
        if attempt == len(order):
            return begin(runs, more, left)
        uses = range(min(left, asked) + 1 if asked is not None else left + 1)
        best = 0
        for use in uses:
            charged = use * order[attempt]
            best = max(best, charged + call(runs, more, left, attempt + 1))
            after = left - use if most is not None else left
            best = max(best, charged + begin(runs, more, after))
            if more:
                best = max(best, charged + call(runs, more - 1, after, 0))
        return best

    @cache
    def begin(runs: int, more: int, left: int) -> int:
        return call(runs - 1, more, left, 0) if runs else 0

    left = most if most is not None else asked
    assert left is not None
    return begin(runs, more, left)


@settings(max_examples=80)
@given(st.data())
def test_the_ceiling_is_what_the_dearest_course_costs(data: st.DataObject) -> None:
    runs, more = data.draw(st.integers(1, 2)), data.draw(st.integers(0, 2))
    prices = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=2))
    tries = data.draw(st.integers(1, 2))
    most, asked = data.draw(st.one_of(st.none(), st.integers(1, 4))), data.draw(st.one_of(st.none(), st.integers(1, 4)))
    if most is None and asked is None:
        asked = 3
    fields: dict[str, Any] = {"settings": {"max_calls": more} | ({"max_tokens": asked} if asked else {})}
    sketch = assistant().tool("book").node("llm", tools=("book",), **fields)
    offers = [priced(name, ktoken_out=1000 * price, call=1) for name, price in zip("ab", prices, strict=False)]
    sketch.provider("llm", *offers, retry=retry(tries - 1), cap=cap(tokens_out=most) if most else None)
    if runs == 2:
        sketch.on("session.connected", "llm")
    calls = (runs + more) * tries * len(prices)
    assert ceiling(sketch.graph()).turn_microusd == dearest(runs, more, prices, tries, most, asked) + calls

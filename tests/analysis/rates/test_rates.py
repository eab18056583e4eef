"""rates: balances solved exactly, and the least buffers: one item below, and every schedule ends in a standstill."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import assume, given, reject, settings
from syrupy.assertion import SnapshotAssertion

from flow_game import Game, StuckError, deadlocks
from graph_kinds import MS
from graphs import Sketch, steps
from pipelines import codes, compile_text, golden, value
from random_flows import flows, with_rooms
from rspp_compiler.analysis.flow.network import networks
from rspp_compiler.analysis.flow.rates import rates
from rspp_compiler.analysis.flow.streams import streams
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.rates import Rates

TURN = "-> vad -> stt -> llm -> tts -> egress.audio"
GATE = f"""pipeline gate {{
  node gate (a : audio(16kHz, mono, s16le, 30ms)) -> (b : audio(16kHz, mono, s16le, 30ms)) : python("nodes:Gate")

  ingress.audio -> gate {{ buffer = 8 items }}
  gate -> slow
  slow {TURN}
  node slow (a : audio(16kHz, mono, s16le, 90ms)) -> (b : audio) : python("nodes:Slow")
}}
"""


def of(sketch: Sketch) -> Rates:
    return rates(sketch.graph(), sketch.context())


def of_text(text: str) -> Rates:
    made: Rates = value(compile_text(text, until="analyze"), "analyze").rates
    return made


# ---- streams and balances


def test_golden(snapshot: SnapshotAssertion) -> None:
    assert to_json(of_text(GATE)) == snapshot(name="test_golden[gate]", extension_class=golden("json"))


def test_frames_of_20_30_and_90_ms_balance_in_180_ms() -> None:
    balance = of_text(GATE).balances[0]
    assert balance.clock == "ingress.audio"
    assert balance.round_ns == 180 * MS
    assert dict(balance.firings)["ingress.audio"] == 9
    assert dict(balance.firings)["gate.a"] == 6
    assert dict(balance.firings)["slow.a"] == 2


@settings(max_examples=30)
@given(flows(nodes_max=6))
def test_in_a_round_as_much_is_taken_as_is_given(sketch: Sketch) -> None:
    graph = sketch.graph()
    for network in networks(graph, streams(graph)).values():
        for channel in network.channels:
            given = channel.produce * network.times[channel.source]
            assert given == channel.consume * network.times[channel.target]
        assert min(network.times) >= 1


def test_a_filter_leaves_only_a_bound() -> None:
    found = {row.port: row for row in of_text(GATE).streams}
    assert (found["ingress.audio"].is_fixed, found["ingress.audio"].per_second) == (True, 50)
    assert (found["gate.b"].is_fixed, found["gate.b"].per_second) == (True, Fraction(100, 3))
    assert (found["vad.speech"].is_fixed, found["vad.speech"].per_second) == (False, 50)
    assert found["vad.speech"].because == "`vad` lets only speech through"
    assert (found["stt.utterance"].is_fixed, found["stt.utterance"].per_second) == (False, None)


@pytest.mark.parametrize(
    ("settings", "per_second"),
    [
        ({"coalesce_ns": 100 * MS}, 10),
        ({"overflow": steps("latest_only")}, 50),
        ({"overflow": steps("sample", keep_percent=25)}, 50),
        ({"otherwise": True}, 50),
    ],
)
def test_an_edge_that_leaves_items_out_starts_a_clock(settings: dict[str, object], per_second: int) -> None:
    found = of(Sketch().flow("ingress.audio -> tap", **settings))
    row = next(row for row in found.streams if row.port == "ingress.audio -> tap.in")
    assert (row.clock, row.is_fixed, row.per_second) == (row.port, False, per_second)


def test_what_is_assumed() -> None:
    found = of_text(GATE).assumptions
    assert [(one.id, one.limit) for one in found] == [
        ("rate:ingress.audio", 20 * MS),
        ("rate:gate.b", 30 * MS),
        ("rate:slow.b", 20 * MS),
    ]
    assert "line" in str(found[0].origin), "the frame is from the profile"
    assert found[1].origin.kind == "user"


# ---- buffers


def stands_still(graph: Graph, rooms: dict[str, int]) -> bool:
    try:
        return deadlocks(Game(graph, rooms), states_max=1_000)
    except StuckError:
        reject()


@settings(max_examples=20)
@given(flows(nodes_max=2, room_max=2))
def test_one_below_the_least_stands_still(sketch: Sketch) -> None:
    """Of each edge, the others as they are; played out, schedule by schedule."""
    drawn = sketch.graph()
    rooms = {row.edge: max(row.items, row.least) for row in rates(drawn, sketch.context()).buffers}
    graph = with_rooms(drawn, rooms)
    found = rates(graph, sketch.context())
    assume(all(row.is_enough for row in found.buffers))
    for row in found.buffers:
        assert row.is_exact
        assert not stands_still(graph, {row.edge: row.least}), row
        assert stands_still(graph, {row.edge: row.least - 1}), row


def test_an_iteration_that_is_too_long_says_so() -> None:
    sketch = Sketch().node("ingress", outputs="audio: audio/997ms")
    sketch.node("a", "python", inputs="a: audio/991ms", outputs="b: audio/983ms")
    sketch.node("c", "python", inputs="a: audio/977ms", outputs="b: audio/997ms")
    sketch.node("both", "merge", settings={"order": "round_robin"}, inputs="in: audio/997ms")
    sketch.flow("ingress.audio -> a").flow("a -> c").flow("c -> both").flow("ingress.audio -> both").flow("both -> tap")
    found = of(sketch)
    assert not found.buffer("ingress.audio -> both.in").is_exact
    assert found.buffer("both.out -> tap.in").is_exact


# ---- fixes: whichever bound is too low, and however it is written


def clears(text: str, code: str) -> str:
    """Compiles, applies the fix of the only finding of that code, and compiles again: the new text."""
    (found,) = [one for one in compile_text(text, until="analyze").diagnostics if one.code == code]
    assert found.fix is not None
    after = apply(text, [found.fix])
    assert code not in codes(compile_text(after, until="analyze")), after
    return after


def gate(settings: str) -> str:
    return GATE.replace("{ buffer = 8 items }", settings)


@pytest.mark.parametrize(
    ("written", "fixed"),
    [
        ("{ buffer = 1 items }", "{ buffer = 2 items }"),
        ("{ buffer = [1 items, 200ms] }", "{ buffer = [2 items, 200ms] }"),
        ("{ buffer = [5ms] }", "{ buffer = [20ms] }"),
        ("{ buffer = 5ms }", "{ buffer = 20ms }"),
        ("{ buffer = [1 items, 5ms] }", "{ buffer = [2 items, 20ms] }"),
        ("{ buffer = [64 items, 700B] }", "{ buffer = [64 items, 1280B] }"),
        ("{ overflow = latest_only }", "{ overflow = drop_oldest }"),
    ],
)
def test_the_bound_that_is_too_low_is_raised(written: str, fixed: str) -> None:
    assert clears(gate(written), "E0512") == gate(fixed)


def lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines())


def test_a_window_may_ask_for_more_items_and_more_time() -> None:
    text = f"""pipeline listen {{
  node ears  : vad
  node lines : merge {{ within = 500ms }}
  ingress.audio -> ears -> lines
  ingress.audio -> lines {{ buffer = [20 items, 300ms] }}
  lines {TURN.replace("vad -> ", "")}
  budget {{ turn = 5s }}
}}
"""
    after = clears(text, "E0513")
    assert "ingress.audio -> lines { buffer = [26 items, 500ms] }" in list(lines(after))


@pytest.mark.parametrize(("within", "least"), [(1, 1), (19, 1), (20, 2), (100, 6), (500, 26)])
def test_a_window_holds_what_comes_while_it_is_open(within: int, least: int) -> None:
    """Items come at 0, 20, 40, … ms; the one that comes as the window closes is taken in before it does."""
    assert least == len([at for at in range(0, 1000, 20) if at <= within])
    sketch = Sketch().node("both", "merge", settings={"within_ns": within * MS}, inputs="in: audio", outputs="o: audio")
    sketch.flow("ingress.audio -> vad -> both").flow("ingress.audio -> both").flow("both -> tap")
    assert of(sketch).buffer("ingress.audio -> both.in").least == least
    assert of(sketch).buffer("vad.speech -> both.in").least == 1


def test_a_call_of_the_kernel_needs_room_for_all_that_it_may_hand_on() -> None:
    sketch = Sketch().node("polish", "python", emissions_max=4)
    sketch.flow("stt -> polish").flow("polish -> tts", buffer_items=3)
    row = of(sketch).buffer("polish.b -> tts.text")
    assert (row.least, row.need, row.is_enough) == (4, "step", False)


def test_two_live_voices_are_more_than_one_egress_plays() -> None:
    def graph(kind: str) -> Graph:
        sketch = Sketch().party("ana").party("ben").party("cleo")
        sketch.node("both", kind, inputs="in: audio", outputs="out: audio", settings={"within_ns": 20 * MS})
        sketch.flow("ana.audio -> both").flow("ben.audio -> both").flow("both -> cleo.audio")
        return sketch.graph()

    assert found_by(graph("merge")) == ["E0511"]
    assert found_by(graph("select")) == []


def found_by(graph: Graph) -> list[str]:
    ctx = Sketch().context()
    rates(graph, ctx)
    return [one.code for one in ctx.sink.diagnostics]


def test_what_a_call_hands_on_anyway_needs_no_room_of_its_own() -> None:
    def least(given: int) -> int:
        sketch = Sketch().node("a", "python", inputs="a: audio/60ms", outputs=f"b: audio/{given}ms", emissions_max=4)
        return of(sketch.flow("ingress.audio -> a").flow("a -> tap")).buffer("a.b -> tap.in").least

    assert [least(given) for given in (60, 30, 20)] == [4, 4, 4]


@pytest.mark.parametrize(
    ("taken", "given", "fixed"),
    [("100ms", "", ("80ms", "")), ("", "4ms", ("", "5ms")), ("90ms", "21ms", ("84ms", "21ms"))],
)
def test_a_call_hands_on_no_more_than_it_may(taken: str, given: str, fixed: tuple[str, str]) -> None:
    def text(taken: str, given: str) -> str:
        ports = [f"audio(16kHz, mono, s16le, {frame})" if frame else "audio" for frame in (taken, given)]
        return f"""pipeline call {{
  node clean (a : {ports[0]}) -> (b : {ports[1]}) : python("nodes:Clean")
  ingress.audio -> clean {TURN}
}}
"""

    assert clears(text(taken, given), "E0526") == text(*fixed)

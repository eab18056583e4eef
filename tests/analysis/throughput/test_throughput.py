"""throughput: the bottleneck is exactly as slow as the pipeline is when everything begins as early as it can."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given, reject, settings
from syrupy.assertion import SnapshotAssertion

from flow_game import Game, StuckError, pace
from graph_kinds import MS
from graphs import NOWHERE, Sketch, steps
from pipelines import codes, compile_text, golden, value
from random_flows import AUDIO, flows, with_rooms
from rspp_compiler.analysis.flow.loops import can_be_unrolled, slowest
from rspp_compiler.analysis.flow.network import Network
from rspp_compiler.analysis.flow.rates import rates
from rspp_compiler.analysis.flow.throughput import throughput
from rspp_compiler.analysis.flow.traffic import Moving, traffic
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.throughput import Throughput
from rspp_compiler.ir.spec import LimitSpec

TURN = "vad -> stt -> llm -> tts -> egress.audio"
BOTH = f"""pipeline both {{
  node clean (a : audio) -> (b : audio) : python("nodes:Clean") {{
    work  = 90ms
    place = process
    limit = {{ concurrency = 8 }}
  }}
  node both : merge {{ order = round_robin }}

  ingress.audio -> clean -> both
  ingress.audio -> both
  both -> {TURN}
}}
"""


def of(sketch: Sketch) -> Throughput:
    return throughput(sketch.graph(), sketch.context())


def of_text(text: str) -> Throughput:
    made: Throughput = value(compile_text(text, until="analyze"), "analyze").throughput
    return made


def heard(graph: Graph) -> Network:
    """The network of what is heard, if a round of it can be completed and unrolled."""
    clock: Moving = traffic(graph).clocks["ingress.audio"]
    assume(clock.can_go_on and can_be_unrolled(clock.network))
    return clock.network


def timed(graph: Graph) -> Fraction:
    """Time of one item of the ingress, played out."""
    try:
        return pace(Game(graph), "ingress", steps_max=1_500)
    except StuckError:
        reject()


# ---- against the game


@settings(max_examples=60)
@given(flows(works=True, room_max=6))
def test_a_round_takes_exactly_what_the_slowest_loop_takes(sketch: Sketch) -> None:
    drawn = sketch.graph()
    graph = with_rooms(drawn, {row.edge: max(row.items, row.least) for row in rates(drawn, sketch.context()).buffers})
    network = heard(graph)
    loop = slowest(network)
    assert loop is not None
    assert timed(graph) * network.times[0] == loop.round_ns
    assert loop.round_ns == Fraction(sum(one.ns for one in loop.passages), sum(one.rounds for one in loop.passages))


@settings(max_examples=40)
@given(flows(works=True, one_length=True))
def test_single_rate_networks_fall_apart_into_blocks(sketch: Sketch) -> None:
    """Whether a network is looked at block by block, or unrolled as a whole, makes no difference."""
    network = heard(sketch.graph())
    assume(not network.is_multirate)
    loop = slowest(network)
    assert loop is not None
    assert timed(sketch.graph()) == loop.round_ns


# ---- nodes


def test_golden(snapshot: SnapshotAssertion) -> None:
    assert to_json(of_text(BOTH)) == snapshot(name="test_golden[both]", extension_class=golden("json"))


def test_the_use_of_a_node_is_exact() -> None:
    found = of_text(BOTH)
    use = found.node("clean")
    assert (use.per_second, use.slots, use.utilisation, use.in_kernel) == (50, 8, Fraction(90, 160), False)
    assert found.kernel == 0, "it runs in a process of its own"
    assert [one.id for one in found.assumptions] == [
        *("rate:ingress.audio", "rate:clean.b", "work:clean", "work:vad", "work:stt"),
    ]


def only(text: str, code: str) -> Diagnostic:
    (found,) = compile_text(text, until="analyze").diagnostics
    assert found.code == code
    return found


def cleared(text: str, code: str) -> str:
    """The text after the fix of its only finding, which clears it."""
    found = only(text, code)
    assert found.fix is not None
    after = apply(text, [found.fix])
    assert codes(compile_text(after, until="analyze")) == []
    return after


def one_node(settings: str, frame: str = "") -> str:
    audio = f"audio(16kHz, mono, s16le, {frame})" if frame else "audio"
    return f"""pipeline one {{
  node clean (a : {audio}) -> (b : audio) : python("nodes:Clean") {settings}
  ingress.audio -> clean -> {TURN}
}}
"""


@pytest.mark.parametrize(
    ("settings", "frame", "fixed"),
    [
        ("{ work = 25ms }", "", "{ work = 20ms }"),
        ("{ work = 45ms }", "40ms", "{ work = 40ms }"),
        ("{ work = 50ms, place = process }", "", "{ work = 20ms, place = process }"),
        (
            "{ work = 50ms, place = process, limit = { concurrency = 2 } }",
            "",
            "{ work = 40ms, place = process, limit = { concurrency = 2 } }",
        ),
    ],
)
def test_a_node_may_work_as_long_as_its_items_last(settings: str, frame: str, fixed: str) -> None:
    assert cleared(one_node(settings, frame), "E0523") == one_node(fixed, frame)


def test_it_may_work_on_more_at_once_instead() -> None:
    found = only(one_node("{ work = 50ms, place = process }"), "E0523")
    assert "`limit = { concurrency = 3 }`" in found.help
    several = "{ work = 50ms, place = process, limit = { concurrency = 3 } }"
    assert codes(compile_text(one_node(several), until="analyze")) == []


def test_work_that_the_profile_gives_is_lowered_on_the_node() -> None:
    """A node with many inputs works for each of them."""
    sketch = Sketch().node("ears", "vad", work_ns=21 * MS, origins={"work_ns": NOTHING}).flow("ingress.audio -> ears")
    ctx = sketch.context()
    throughput(sketch.graph(), ctx)
    (found,) = ctx.sink.diagnostics
    assert found.fix is not None
    assert "node ears : vad { work = 20ms }" in apply(sketch.source.text, [found.fix])


NOTHING = Sketch().node("x", "tap").graph().node("x").spec.origin("work_ns")


def test_the_inputs_of_a_node_add_up() -> None:
    sketch = Sketch().node("echo", "python", inputs="mic: audio, far: audio", outputs="b: audio", work_ns=12 * MS)
    sketch.flow("ingress.audio -> echo.mic").flow("ingress.audio -> echo.far").flow("echo -> tap")
    assert of(sketch).node("echo").utilisation == Fraction(24, 20)


def test_text_has_no_pace() -> None:
    sketch = Sketch().node("llm", work_ns=900 * MS).flow("stt -> llm").flow("llm -> egress.text")
    found = of(sketch)
    assert found.nodes == ()
    assert {one.utilisation for one in found.clocks} == {None}


# ---- loops


def test_the_bottleneck_is_named() -> None:
    text = BOTH.replace("ingress.audio -> both\n", "ingress.audio -> both { buffer = 3 items }\n")
    clock = value(compile_text(text, until="analyze"), "analyze").throughput.clocks[0]
    assert (clock.needs_ns, clock.takes_ns, clock.utilisation) == (20 * MS, 30 * MS, Fraction(3, 2))
    assert [(step.subject, step.ns, step.ahead) for step in clock.bottleneck.steps] == [
        ("clean", 90 * MS, 0),
        ("ingress.audio -> both.in", 0, 3),
    ]


def test_a_flow_beside_work_holds_what_comes_meanwhile_and_no_more() -> None:
    text = BOTH.replace("ingress.audio -> both\n", "ingress.audio -> both { buffer = 3 items }\n")
    assert "ingress.audio -> both { buffer = 5 items }" in cleared(text, "E0524")
    sketch = Sketch().node("both", "merge", settings={"order": "round_robin"}, inputs="in: audio", outputs="o: audio")
    limit = LimitSpec(span=NOWHERE, concurrency=8)
    sketch.node("clean", "grpc", inputs="a: audio", outputs="b: audio", work_ns=90 * MS, limit=limit)
    wide = {"overflow": steps("block"), "buffer_ns": 0, "buffer_bytes": AUDIO, "buffer_items": 32}
    sketch.flow("ingress.audio -> clean", **wide).flow("clean -> both", **wide).flow("both -> tap", **wide)
    sketch.flow("ingress.audio -> both", **wide)
    beside = "ingress.audio -> both.in"
    assert timed(with_rooms(sketch.graph(), {beside: 5})) <= 20 * MS
    assert timed(with_rooms(sketch.graph(), {beside: 4})) > 20 * MS


def test_two_flows_beside_one_node_are_raised_together() -> None:
    text = BOTH.replace("ingress.audio -> both\n", "ingress.audio -> both { buffer = 3 items }\n")
    text = text.replace(
        "  both -> vad", "  ingress.audio -> both_2 { buffer = 2 items }\n  clean -> both_2 -> tap\n  both -> vad"
    )
    text = text.replace("  node both :", "  node both_2 : merge { order = round_robin }\n  node both :")
    after = cleared(text, "E0524")
    assert "ingress.audio -> both { buffer = 5 items }" in after
    assert "ingress.audio -> both_2 { buffer = 5 items }" in after


# ---- the kernel's thread


def chain(*works: str) -> str:
    way = " -> ".join(f"n{at}" for at in range(len(works)))
    nodes = "".join(
        f'  node n{at} (a : audio) -> (b : audio) : python("n:N") {work}\n' for at, work in enumerate(works)
    )
    return f"pipeline chain {{\n{nodes}  ingress.audio -> {way} -> {TURN}\n}}\n"


def test_nodes_that_take_turns_add_up() -> None:
    assert codes(compile_text(chain("{ work = 9ms }", "{ work = 11ms }"), until="analyze")) == []
    over = chain("{ work = 9ms }", "{ work = 12ms }")
    assert cleared(over, "E0525") == chain("{ work = 9ms }", "{ work = 11ms }")
    assert "`n1` needs 60%" in only(over, "E0525").label
    elsewhere = chain("{ work = 9ms, place = process }", "{ work = 12ms }")
    assert codes(compile_text(elsewhere, until="analyze")) == []


def test_where_one_cannot_make_up_for_all_every_node_gives_some() -> None:
    text = chain(*["{ work = 19ms }"] * 3)
    assert cleared(text, "E0525") == chain(*["{ work = 6666us }"] * 3)


# ---- size


def test_a_chain_of_a_thousand_nodes_has_its_bottleneck_at_once() -> None:
    sketch = Sketch()
    for at in range(1000):
        sketch.node(f"n{at}", "grpc", inputs="a: audio", outputs="b: audio", work_ns=(7 if at == 321 else 3) * MS)
    sketch.flow("ingress.audio -> " + " -> ".join(f"n{at}" for at in range(1000)) + " -> tap")
    clock = of(sketch).clocks[0]
    assert clock.bottleneck is not None
    assert (clock.bottleneck.steps[0].subject, clock.takes_ns) == ("n321", 7 * MS)

"""liveness: what it says can stop is what stops when every schedule is played, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from flow_game import Game, StuckError, deadlocks, starving
from graph_kinds import MS
from graphs import Sketch, flag, steps
from pipelines import codes, compile_text, golden, value
from random_flows import AUDIO, flows, with_rooms
from rspp_compiler.analysis.flow.liveness import liveness
from rspp_compiler.analysis.flow.rates import rates
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.proofs.liveness import Liveness
from rspp_compiler.ir.spec import SyncSpec, WatermarkSpec
from rspp_compiler.source import Span

NOWHERE = Span("sketch.rspp", 0, 0, 1, 1, 1, 1)
TURN = "stt -> llm -> tts -> egress.audio"
FORK = f"""pipeline fork {{
  node ears : vad
  node both : merge {{ order = round_robin }}

  ingress.audio -> ears -> both
  ingress.audio -> both -> {TURN}
  budget {{ turn = 3s }}
}}
"""


def of(sketch: Sketch) -> Liveness:
    return liveness(sketch.graph(), sketch.context())


def of_text(text: str) -> Liveness:
    made: Liveness = value(compile_text(text, until="analyze"), "analyze").liveness
    return made


def kinds(sketch: Sketch) -> list[str]:
    return [one.kind for one in of(sketch).standstills]


def joined(kind: str = "merge", **settings: object) -> Sketch:
    return Sketch().node("both", kind, inputs="in: audio", outputs="out: audio", settings=settings)


# ---- against the game


@settings(max_examples=50)
@given(flows(nodes_max=3, room_max=3))
def test_it_is_live_exactly_when_no_schedule_stands_still(sketch: Sketch) -> None:
    graph, ctx = sketch.graph(), sketch.context()
    holds_enough = all(row.is_enough for row in rates(graph, ctx).buffers)
    found = liveness(graph, ctx)
    try:
        stands_still = deadlocks(Game(graph), states_max=1_000)
    except StuckError:
        reject()
    assert stands_still is not (holds_enough and found.is_live)
    for standstill in found.standstills:
        for wait, follower in pairwise((*standstill.circle, standstill.circle[0])):
            assert wait.whom == follower.who, "the witness is a circle"


@settings(max_examples=40)
@given(flows(nodes_max=4, one_length=True, filters=True))
def test_a_join_starves_exactly_when_some_filter_that_lets_nothing_through_starves_it(sketch: Sketch) -> None:
    drawn, ctx = sketch.graph(), sketch.context()
    graph = with_rooms(drawn, {row.edge: max(row.items, row.least) for row in rates(drawn, ctx).buffers})
    found = {one.subject for one in liveness(graph, ctx).standstills if one.kind in ("filter", "silence")}
    filters = [node.id for node in graph.nodes if node.kind == "vad"]
    starved = {join for silent in filters for join in starving(Game(graph, silent=frozenset({silent})))}
    # A join that another one starves in its turn gets nothing at all, which is the other's fault.
    assert found >= starved
    assert bool(found) is bool(starved)


@given(st.integers(1, 5), st.integers(1, 8), st.integers(0, 7))
def test_a_low_mark_that_is_accepted_is_always_reached(takes: int, high: int, low: int) -> None:
    """One item comes at a time, `takes` are taken at once; what is above the high mark stops the producer."""
    if low >= high:
        return
    seen, open_ = set(), [(0, False)]
    stands_still = False
    while open_:
        lying, stopped = state = open_.pop()
        if state in seen:
            continue
        seen.add(state)
        after = [(lying + 1, lying + 1 >= high)] if not stopped else []
        if lying >= takes:
            after.append((lying - takes, stopped and lying - takes > low))
        stands_still |= not after
        open_ += after
    sketch = Sketch().node("a", "python", inputs=f"a: audio/{20 * takes}ms", outputs="b: audio")
    mark = WatermarkSpec(span=NOWHERE, high_items=high, low_items=low)
    sketch.flow("ingress.audio -> a", watermark=mark, overflow=steps("block"), buffer_items=64, buffer_bytes=AUDIO)
    is_live = "credit" not in kinds(sketch.flow("a -> tap"))
    assert not (is_live and stands_still)
    assert is_live is (low >= takes - 1), "the worst high mark decides: it may leave all but one of what is taken"


# ---- forks and joins


def test_golden(snapshot: SnapshotAssertion) -> None:
    assert to_json(of_text(FORK)) == snapshot(name="test_golden[fork]", extension_class=golden("json"))


def test_the_witness_names_fork_filter_and_join() -> None:
    (found,) = of_text(FORK).standstills
    assert (found.kind, found.subject) == ("filter", "both")
    assert [(one.who, one.whom) for one in found.circle] == [("both", "ears"), ("ears", "ingress"), ("ingress", "both")]


@pytest.mark.parametrize(
    ("kind", "rule", "waits"),
    [
        ("merge", {"order": "round_robin"}, True),
        ("merge", {"order": "timestamp"}, True),
        ("merge", {"order": "timestamp", "within_ns": 20 * MS}, False),
        ("merge", {"order": "priority"}, False),
        ("select", {"by": "first"}, False),
        ("select", {"by": "highest"}, True),
        ("select", {"by": "highest", "within_ns": 20 * MS}, False),
    ],
)
def test_only_who_waits_for_all_can_starve(kind: str, rule: dict[str, object], waits: bool) -> None:
    sketch = joined(kind, **rule)
    sketch.flow("ingress.audio -> vad -> both").flow("ingress.audio -> both").flow("both -> tap")
    assert kinds(sketch) == (["filter"] if waits else [])
    assert len(of(sketch).joins) == waits


@pytest.mark.parametrize(
    "settings",
    [{"guard": flag("speech")}, {"coalesce_ns": 60 * MS}, {"overflow": steps("sample", keep_percent=25)}],
)
def test_an_edge_can_be_the_filter(settings: dict[str, object]) -> None:
    sketch = joined(order="round_robin")
    sketch.node("clean", "python", inputs="a: audio", outputs="b: audio")
    sketch.flow("ingress.audio -> clean").flow("clean -> both", **settings)
    sketch.flow("ingress.audio -> both").flow("both -> tap")
    (found,) = of(sketch).standstills
    assert found.kind == "filter"
    assert found.circle[1].who == "clean.b -> both.in"


def test_two_ways_behind_one_filter_do_not_starve() -> None:
    sketch = joined(order="round_robin").node("clean", "python", inputs="a: audio", outputs="b: audio")
    sketch.flow("ingress.audio -> vad -> clean -> both").flow("vad -> both").flow("both -> tap")
    assert kinds(sketch) == []


def test_the_ways_of_a_question_in_two_languages_starve_each_other() -> None:
    sketch = Sketch().node("both", "merge", settings={"order": "round_robin"})
    sketch.node("de", "llm").node("en", "llm")
    sketch.flow("stt -> de", guard=flag()).flow("stt -> en", otherwise=True)
    sketch.flow("de -> both").flow("en -> both").flow("both -> tts")
    assert kinds(sketch) == ["filter"]


def test_two_people_may_both_be_silent() -> None:
    sketch = Sketch().party("ana").party("ben")
    sketch.node("both", "merge", settings={"order": "round_robin"}, inputs="in: audio", outputs="out: audio")
    sketch.flow("ana.audio -> both").flow("ben.audio -> both").flow("both -> tap")
    (found,) = of(sketch).standstills
    assert (found.kind, len(found.circle)) == ("silence", 1)


def test_reactions_add_no_branch_to_a_join() -> None:
    sketch = joined(order="round_robin").node("chime", "play")
    sketch.flow("ingress.audio -> both").flow("both -> tap").on("session.connected", "chime -> both")
    assert kinds(sketch) == []
    assert of(sketch).joins == ()


@pytest.mark.parametrize(
    ("first", "second", "sheds"),
    [("block", "block", False), ("drop_oldest", "drop_newest", False), ("drop_oldest", "block", True)],
)
def test_a_way_that_sheds_beside_one_that_waits(first: str, second: str, sheds: bool) -> None:
    sketch = joined(order="round_robin").node("clean", "python", inputs="a: audio", outputs="b: audio")
    sketch.flow("ingress.audio -> clean", overflow=steps(first)).flow("clean -> both", overflow=steps(first))  # type: ignore[arg-type]
    sketch.flow("ingress.audio -> both", overflow=steps(second)).flow("both -> tap")  # type: ignore[arg-type]
    assert kinds(sketch) == (["shed"] if sheds else [])


# ---- sync domains


def together(domain: str) -> SyncSpec:
    return SyncSpec(span=NOWHERE, domain=domain, drop="atomic_drop", group="sync_id", scope="plan_wide")


def test_items_made_from_each_other_cannot_wait_for_each_other() -> None:
    sketch = Sketch().node("clean", "python", inputs="a: audio", outputs="b: audio")
    sketch.flow("ingress.audio -> clean", sync=together("lips")).flow("clean -> tap", sync=together("lips"))
    assert kinds(sketch) == ["sync"]


def test_two_domains_can_wait_for_each_other() -> None:
    """Each way takes from one domain before it brings what the other waits for."""
    sketch = Sketch()
    for name in ("left", "right"):
        sketch.node(name, "python", inputs="a: audio", outputs="b: audio").node(f"{name}_end", "tap")
    sketch.flow("ingress.audio -> left", sync=together("one")).flow("left -> left_end", sync=together("two"))
    sketch.flow("ingress.audio -> right", sync=together("two")).flow("right -> right_end", sync=together("one"))
    (found,) = of(sketch).standstills
    assert found.kind == "sync"
    assert {wait.who for wait in found.circle} == {"left", "right"}


def test_what_comes_side_by_side_may_wait_for_each_other() -> None:
    sketch = Sketch()
    for name in ("left", "right"):
        sketch.node(name, "python", inputs="a: audio", outputs="b: audio").node(f"{name}_end", "tap")
        sketch.flow(f"ingress.audio -> {name}").flow(f"{name} -> {name}_end", sync=together("lips"))
    found = of(sketch)
    assert found.is_live
    assert found.clocks[0].proof == "executed"


# ---- fixes, and how it is proved


@pytest.mark.parametrize(
    ("settings", "fixed"),
    [
        ("{ flow = credit, buffer = 2 items }", "{ flow = credit, buffer = 3 items }"),
        ("{ flow = hybrid, buffer = [2 items, 300ms] }", "{ flow = hybrid, buffer = [3 items, 300ms] }"),
        (
            "{ flow = credit, watermark = { high = 2 items, low = 1 items } }",
            "{ flow = credit, watermark = { high = 3 items, low = 2 items } }",
        ),
        (
            "{ flow = credit, watermark = { high = 2 items } }",
            "{ flow = credit, watermark = { high = 3 items, low = 2 items } }",
        ),
        (
            "{ flow = credit, watermark = { high = 100ms, low = 10ms } }",
            "{ flow = credit, watermark = { high = 100ms, low = 40ms } }",
        ),
    ],
)
def test_credit_is_raised_where_it_is_too_low(settings: str, fixed: str) -> None:
    text = f"""pipeline credit {{
  node clean (a : audio(16kHz, mono, s16le, 60ms)) -> (b : audio) : python("nodes:Clean")
  ingress.audio -> clean {settings}
  clean -> vad -> {TURN}
}}
"""
    (found,) = compile_text(text, until="analyze").diagnostics
    assert found.code == "E0520"
    assert found.fix is not None
    after = apply(text, [found.fix])
    assert list(lines(after))[2] == f"ingress.audio -> clean {fixed}"
    assert codes(compile_text(after, until="analyze")) == []


def lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines())


def test_several_flows_are_raised_where_one_is_not_enough() -> None:
    """Two short ways beside a long one: each needs more, whatever the other holds."""
    text = f"""pipeline ways {{
  node clean (a : audio(16kHz, mono, s16le, 60ms)) -> (b : audio) : python("nodes:Clean")
  node both  : merge {{ order = round_robin }}
  node three : merge {{ order = round_robin }}
  ingress.audio -> clean -> both
  ingress.audio -> both   {{ buffer = 2 items }}
  ingress.audio -> three  {{ buffer = 2 items }}
  clean -> three
  both -> vad -> {TURN}
  three -> tap
}}
"""
    found = [one for one in compile_text(text, until="analyze").diagnostics if one.code == "E0518"]
    assert found
    assert found[0].fix is not None
    assert len(found[0].fix.edits) == 2
    after = apply(text, [found[0].fix])
    assert "E0518" not in codes(compile_text(after, until="analyze")), after


def test_each_proof_says_how() -> None:
    tree = Sketch().flow("ingress.audio -> vad").flow("ingress.audio -> tap")
    assert [one.proof for one in of(tree).clocks] == ["tree"]
    marked = joined(order="round_robin").node("clean", "python", inputs="a: audio", outputs="b: audio")
    marked.flow("ingress.audio -> clean -> both").flow("ingress.audio -> both")
    assert [one.proof for one in of(marked).clocks] == ["marked"]
    executed = joined(order="round_robin").node("clean", "python", inputs="a: audio/60ms", outputs="b: audio")
    executed.flow("ingress.audio -> clean -> both").flow("ingress.audio -> both")
    (clock,) = of(executed).clocks
    assert (clock.proof, clock.round_ns) == ("executed", 60 * MS)
    assert clock.firings == 3 + 1 + 3

"""The bounds against schedules: never exceeded, and reached wherever no condition stands in the way.

A bound is of the first item that comes along a path. Without conditions the item on the slowest path always comes
exactly then. It is also the first to be heard, unless another way is faster and cannot be silent; gaps are counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, combinations, product
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from graphs import MS, Sketch, flag
from latency_simulator import Schedule, greet, limits_of_nodes, limits_of_waits, simulate
from random_graphs import conversations
from rspp_compiler.analysis.latency.latency import latency
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.latency import Latency

CONDITIONS = ("event.final", "event.urgent")
ASKED = ("llm", "grpc", "python")  # kinds that may have nothing to say, or answer one of their inputs only


def analysed(sketch: Sketch) -> tuple[Graph, Latency]:
    graph = sketch.graph()
    return graph, latency(graph, sketch.context())


def bounds(result: Latency) -> dict[tuple[str, str, str], int]:
    """The bound of each party (or event), output and cause."""
    found: dict[tuple[str, str, str], int] = {}
    for path in result.paths:
        key = (path.start if path.kind == "reaction" else path.party, path.output, path.cause)
        found[key] = max(path.total_ns, found.get(key, 0))
    return found


def inputs(graph: Graph, node: str) -> list[str]:
    """By what something comes to a node: flows, and reactions that trigger it."""
    triggered = [one.id for one in graph.spec.reactions if one.trigger and one.trigger.node == node]
    return [*(edge.id for edge in graph.into(node)), *triggered]


# ---- never exceeded


def any_schedule(graph: Graph, dice: random.Random) -> Schedule:
    """Everything within its budget; now and then all of it is used."""

    def up_to(limit: int) -> int:
        return limit if dice.random() < 0.5 else dice.randint(0, limit)

    limits = limits_of_nodes(graph)
    asked = [node.id for node in graph.nodes if node.kind in ASKED]
    fails, raises = {}, {}
    for node in graph.nodes:
        if node.execution == "effect" and dice.random() < 0.4:
            event = dice.choice(["timeout", "error", "budget_warning"])
            at = {"timeout": limits[node.id], "budget_warning": -(-limits[node.id] * 80 // 100)}.get(event)
            failure = (f"{node.id}.{event}", dice.randint(0, limits[node.id]) if at is None else at)
            (raises if event == "budget_warning" else fails)[node.id] = failure
    return Schedule(
        takes={id: up_to(limit) for id, limit in limits.items()},
        waits={id: up_to(limit) for id, limit in limits_of_waits(graph).items()},
        coalesced={edge.id: up_to(edge.spec.coalesce_ns) for edge in graph.edges},
        held={edge.id: up_to(edge.spec.handoff.age_ns_max) for edge in graph.edges if edge.spec.handoff},
        silent=frozenset(id for id in asked if dice.random() < 0.2),
        answers={id: dice.choice(inputs(graph, id)) for id in asked if inputs(graph, id) and dice.random() < 0.5},
        fails=fails,
        raises=raises,
        holds=frozenset(one for one in CONDITIONS if dice.random() < 0.5),
    )


@settings(max_examples=80)
@given(conversations(), st.integers(0, 2**32))
def test_no_schedule_exceeds_a_bound(sketch: Sketch, seed: int) -> None:
    graph, result = analysed(sketch)
    known, dice = bounds(result), random.Random(seed)
    for _ in range(15):
        schedule = any_schedule(graph, dice)
        for party in (party.id for party in graph.spec.parties):
            for (output, cause), times in simulate(graph, party, schedule).items():
                # What follows on a failure is bounded for whoever's turn is the slowest.
                parties = {key[0] for key in known} if cause else {party}
                assert times.last_ns <= max(known.get((one, output, cause), -1) for one in parties), (output, cause)
        for (output, cause), times in greet(graph, "session.connected", schedule).items():
            if cause.startswith("session"):
                assert times.last_ns <= known["session.connected", output, cause]


# ---- reached


def everything_used(graph: Graph, **fields: Any) -> Schedule:
    """Everything takes as long as it may."""
    return replace(
        Schedule(
            takes=limits_of_nodes(graph),
            waits=limits_of_waits(graph),
            coalesced={edge.id: edge.spec.coalesce_ns for edge in graph.edges},
            held={edge.id: edge.spec.handoff.age_ns_max for edge in graph.edges if edge.spec.handoff},
        ),
        **fields,
    )


def subsets(names: Iterable[str]) -> Iterator[frozenset[str]]:
    names = list(names)
    return map(frozenset, chain.from_iterable(combinations(names, size) for size in range(len(names) + 1)))


def slowest(graph: Graph, **fields: Any) -> Counter[tuple[str, str, str]]:
    """The latest first item for each party, output and cause, whichever of its inputs each node answers."""
    found: Counter[tuple[str, str, str]] = Counter()
    choosing = [node.id for node in graph.nodes if node.kind in ASKED and len(inputs(graph, node.id)) > 1]
    for chosen in product(*(inputs(graph, node) for node in choosing)):
        schedule = everything_used(graph, answers=dict(zip(choosing, chosen, strict=True)), **fields)
        for party in (party.id for party in graph.spec.parties):
            for (output, cause), times in simulate(graph, party, schedule).items():
                found[party, output, cause] = max(times.first_ns, found[party, output, cause])
    return found


def one_way_in(graph: Graph) -> Iterator[frozenset[str]]:
    """Edges taken out, so that each node that passes on whatever comes has one edge left, or only what triggers it."""
    passing = [inputs(graph, node.id) for node in graph.nodes if node.kind not in ASKED]
    ways = [ids for ids in passing if len(ids) > 1]
    for kept in product(*ways):
        yield frozenset(id for ids in ways for id in ids) - frozenset(kept)


def flows(result: Latency) -> dict[tuple[str, str, str], int]:
    return {key: total for key, total in bounds(result).items() if not key[2]}


@settings(max_examples=100)
@given(conversations(conditions=False, nodes_max=6))
def test_the_item_on_the_slowest_path_comes_exactly_when_the_bound_says(sketch: Sketch) -> None:
    graph, result = analysed(sketch)
    schedule = everything_used(graph)
    for (party, output, _), total in flows(result).items():
        assert simulate(graph, party, schedule)[output, ""].last_ns == total


def test_some_schedule_lets_nothing_be_heard_before_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    """Unless a faster way runs beside the slowest that is never silent: then the gap is what that way gains."""
    gaps: Counter[str] = Counter()

    @settings(max_examples=50)
    @given(conversations(conditions=False, nodes_max=4))
    def compare(sketch: Sketch) -> None:
        graph, result = analysed(sketch)
        reached = slowest(graph)
        for key, total in flows(result).items():
            if reached[key] == total:
                gaps["none"] += 1
                continue
            gaps["a faster way is never silent"] += 1
            note(f"{key}: bound {total}, reached {reached[key]}, gap {total - reached[key]}")
            assert max(slowest(graph, lost=lost)[key] for lost in one_way_in(graph)) == total

    compare()
    with capsys.disabled():
        print(f"\ngaps between bound and first item, without conditions: {dict(sorted(gaps.items()))}")
    assert gaps["none"] > 0


def test_a_gap_is_explained_by_conditions_that_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """An analysis never uses a condition, so a path counts whose conditions cannot hold together."""
    gaps: Counter[str] = Counter()

    @settings(max_examples=80)
    @given(conversations(nodes_max=5))
    def compare(sketch: Sketch) -> None:
        graph, result = analysed(sketch)
        ways = list(one_way_in(graph))
        for key, total in flows(result).items():
            reached = max(slowest(graph, holds=holds, lost=lost)[key] for holds in subsets(CONDITIONS) for lost in ways)
            assert reached <= total == max(slowest(graph, lost=lost)[key] for lost in ways)
            gaps["conditions exclude each other" if reached < total else "none"] += 1
            note(f"{key}: bound {total}, reached {reached}, gap {total - reached}")

    compare()
    with capsys.disabled():
        print(f"\ngaps between bound and first item, with conditions: {dict(sorted(gaps.items()))}")


def test_the_gap_of_conditions_that_exclude_each_other() -> None:
    """What is final goes by `slow`, and from there only what is not final goes by `late`: no item takes both."""
    sketch = Sketch()
    for name, ms in (("slow", 500), ("late", 300), ("quick", 100)):
        sketch.node(name, "grpc", first_output_ns=ms * MS)
    sketch.flow("ingress.text -> slow", guard=flag("final")).flow("ingress.text -> quick", otherwise=True)
    sketch.flow("slow -> quick", guard=flag("final")).flow("slow -> late", otherwise=True)
    sketch.flow("late -> egress.text").flow("quick -> egress.text")
    graph, result = analysed(sketch)
    reached = [simulate(graph, "", everything_used(graph, holds=holds)) for holds in subsets(["event.final"])]
    assert flows(result) == {("", "egress.text", ""): 800 * MS}
    assert max(times.last_ns for heard in reached for times in heard.values()) == 600 * MS


@settings(max_examples=40)
@given(conversations(conditions=False, nodes_max=3))
def test_some_schedule_reaches_the_bound_of_every_fallback(sketch: Sketch) -> None:
    fallbacks_are_reached(sketch)


def fallbacks_are_reached(sketch: Sketch) -> None:
    """Whoever fails does so at the last moment; every choice of inputs, and every one way into the others, is tried."""
    graph, result = analysed(sketch)
    limits = limits_of_nodes(graph)
    wanted = {(p.output, p.cause): p.total_ns for p in result.paths if p.kind == "fallback"}
    told = (event for reaction in graph.spec.reactions if reaction.trigger for event in reaction.events)
    failing = sorted({str(event) for event in told if graph.find(event.subject) is not None})
    found: Counter[tuple[str, str]] = Counter()
    for events in subsets(failing):
        fails, raises = {}, {}
        for event in sorted(events):
            node, _, name = event.rpartition(".")
            if name == "budget_warning":
                raises[node] = (event, -(-limits[node] * 80 // 100))
            else:
                fails[node] = (event, limits[node])
        for lost in one_way_in(graph):
            for (_, output, cause), at in slowest(graph, fails=fails, raises=raises, lost=lost).items():
                found[output, cause] = max(at, found[output, cause])
    assert {key: found[key] for key in wanted} == wanted


def test_a_way_by_a_reaction_is_a_way_in() -> None:
    """What failed is passed to `n1`, which nothing else has reached by then: the slowest way to the failure of `n2`."""
    sketch = Sketch()
    for name in ("n0", "n2", "voice"):
        sketch.node(name, "grpc", first_output_ns=MS)
    sketch.node("n1", "merge").node("sorry", "say")
    sketch.flow("ingress.text -> n0").flow("ingress.text -> n1").flow("n1 -> n2").flow("n0 -> voice")
    sketch.flow("voice -> egress.text").on("n0.timeout", "n1").on("n2.timeout", "sorry -> voice")
    fallbacks_are_reached(sketch)

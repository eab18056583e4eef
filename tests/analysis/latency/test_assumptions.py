"""Every assumption by its id: a schedule that breaks one, by a nanosecond, has broken that one and no other.

What the schedules take is compared with the assumptions by the runtime's own checker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings

from graphs import MS, Sketch
from latency_simulator import Schedule, limits_of_nodes, limits_of_waits, simulate
from random_graphs import conversations
from rspp_compiler.analysis.latency.latency import latency
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.assumptions import Assumption
from rspp_compiler.ir.proofs.latency import Latency
from rspp_runtime.abi import Assumption as PlanAssumption
from rspp_runtime.evidence.assumptions import Observation, broken


def told(assumptions: tuple[Assumption, ...], seen: Iterator[Observation]) -> list[str]:
    """The ids that the runtime reports."""
    known = [PlanAssumption(one.id, one.kind, one.subject, one.limit) for one in assumptions]
    return [one.assumption.id for one in broken(known, seen)]


def at_the_limit(graph: Graph) -> Schedule:
    return Schedule(
        takes=limits_of_nodes(graph),
        waits=limits_of_waits(graph),
        coalesced={edge.id: edge.spec.coalesce_ns for edge in graph.edges},
        held={edge.id: edge.spec.handoff.age_ns_max for edge in graph.edges if edge.spec.handoff},
    )


def observed(graph: Graph, schedule: Schedule) -> Iterator[Observation]:
    """What a run of that schedule shows: of every node, every edge, and every tool that is called."""
    for node in graph.nodes:
        takes = schedule.takes[node.id]
        kind = (
            "first_output" if node.execution == "effect" else "delay" if "within_ns" in node.spec.settings else "work"
        )
        yield Observation(kind, node.id, takes, 0)
    for edge in graph.edges:
        yield Observation("age", edge.id, schedule.waits[edge.id], 0)
        yield Observation("delay", edge.id, schedule.coalesced[edge.id], 0)
        yield Observation("handoff", edge.id, schedule.held.get(edge.id, 0), 0)


def of_paths(result: Latency) -> list[Assumption]:
    """Those that a first output waits for."""
    return [one for one in result.assumptions if one.kind not in ("chunk", "timeout")]


def one_more(schedule: Schedule, assumption: Assumption) -> Schedule:
    """The same, but for a nanosecond more of what the assumption is about."""
    subject, more = assumption.subject, assumption.limit + 1
    match assumption.kind:
        case "age":
            return replace(schedule, waits={**schedule.waits, subject: more})
        case "handoff":
            return replace(schedule, held={**schedule.held, subject: more})
        case "delay" if subject in schedule.coalesced:
            return replace(schedule, coalesced={**schedule.coalesced, subject: more})
    return replace(schedule, takes={**schedule.takes, subject: more})


@settings(max_examples=60)
@given(conversations(conditions=False, nodes_max=4))
def test_who_breaks_an_assumption_is_told_its_id(sketch: Sketch) -> None:
    graph = sketch.graph()
    result = latency(graph, sketch.context())
    schedule = at_the_limit(graph)
    assert told(result.assumptions, observed(graph, schedule)) == []
    for assumption in of_paths(result):
        assert told(result.assumptions, observed(graph, one_more(schedule, assumption))) == [assumption.id]


@settings(max_examples=40)
@given(conversations(conditions=False, nodes_max=4))
def test_no_bound_is_exceeded_unless_an_assumption_is_broken(sketch: Sketch) -> None:
    """And every nanosecond that a bound is exceeded by is one that an assumption was."""
    graph = sketch.graph()
    result = latency(graph, sketch.context())
    bounds = {(path.party, path.output): path.total_ns for path in result.paths if path.kind == "flow"}
    exceeded = set()
    for assumption in of_paths(result):
        schedule = one_more(at_the_limit(graph), assumption)
        for (party, output), total in bounds.items():
            over = simulate(graph, party, schedule)[output, ""].last_ns - total
            assert 0 <= over <= 1
            exceeded |= {assumption.subject} if over else set()
    worst = {(p.party, p.output): p for p in reversed(result.paths) if p.kind == "flow"}
    assert {step.subject for path in worst.values() for step in path.steps} <= exceeded


@pytest.mark.parametrize(
    ("kind", "subject"), [("chunk", "llm"), ("timeout", "find"), ("first_output", "tts"), ("work", "polish")]
)
def test_what_is_assumed_beside_the_paths_has_an_id_too(kind: str, subject: str) -> None:
    sketch = Sketch().node("llm", tools=("find",)).tool("find", timeout_ns=10 * MS).node("polish", "python", work_ns=MS)
    sketch.flow("ingress.text -> llm -> polish -> tts -> egress.audio")
    result = latency(sketch.graph(), sketch.context())
    (assumption,) = [one for one in result.assumptions if one.id == f"{kind}:{subject}"]
    seen = [Observation(kind, subject, assumption.limit + extra, 0) for extra in (0, 1)]
    assert told(result.assumptions, iter(seen[:1])) == []
    assert told(result.assumptions, iter(seen)) == [assumption.id]

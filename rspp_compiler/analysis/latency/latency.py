"""Worst-case latency: from the end of input to each first output, by the flows, the fallbacks, and those of fallbacks.

The clock starts where the turn is proposed (`clock`). From there a path adds the age bounds of the session's edges, as
they may hold items already, the budgets of the nodes, and what is held back on purpose (`figures`). A fallback begins
when what failed has used its time up (`causes`, `arrivals`). A guard may hold or not, so it makes no bound smaller.
Integer nanoseconds throughout; every pass is linear in nodes and edges; the steps of a path are the witness of its sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rspp_compiler.analysis.latency.arrivals import Arrivals, Join
from rspp_compiler.analysis.latency.attempts import attempts
from rspp_compiler.analysis.latency.causes import Cause, causes
from rspp_compiler.analysis.latency.clock import clock, first_edges
from rspp_compiler.analysis.latency.report_latency import report
from rspp_compiler.analysis.latency.rests_on import rests_on
from rspp_compiler.analysis.latency.ways import Output, Stop, Way, Ways
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.latency import ClockStart, FallbackDeadline, Latency, Limit, PathBudget, PathLatency


def latency(graph: Graph, ctx: Context) -> Latency:
    """Every latency of a graph without cycles, compared with the budgets: E0501 to E0509."""
    ways, starts = Ways(graph), clock(graph)
    reactions = [(cause, ways.stops(cause.reaction.id, cause.trigger.node)) for cause in causes(graph)]
    joins = [Join(cause, stop) for cause, stops in reactions for stop in stops]
    arrivals = Arrivals(ways, starts, joins)
    limit_ns, limit, limit_origin = _limit(graph)
    paths = [*_flows(ways, starts), *_paths(ways, arrivals, reactions)]
    result = Latency(
        limit_ns=limit_ns,
        limit=limit,
        limit_origin=limit_origin,
        starts=starts,
        paths=tuple(sorted(paths, key=_slowest_first)),
        path_budgets=tuple(_path_budgets(ways)),
        fallbacks=tuple(_deadlines(arrivals, reactions, paths, limit_ns)),
        attempts=attempts(graph),
        assumptions=rests_on(ways, arrivals, [stops for _, stops in reactions]),
    )
    report(result, graph, ctx)
    return result


def _limit(graph: Graph) -> tuple[int, Limit, Origin]:
    """What a path may take. The profile's path budget holds until the pipeline declares a turn budget of its own."""
    budget = graph.spec.budget
    turn, path = budget.origin("turn_ns"), budget.origin("path_ns")
    if turn.kind == "user" or budget.turn_ns <= budget.path_ns:
        return budget.turn_ns, "turn budget", turn
    return budget.path_ns, "path budget", path


def _slowest_first(path: PathLatency) -> tuple[int, bool, str, str, str]:
    return (-path.total_ns, path.kind != "flow", path.output, path.party, path.cause)


def _flows(ways: Ways, starts: tuple[ClockStart, ...]) -> Iterator[PathLatency]:
    for start in starts:
        for output in ways.outputs:
            rests = [(ways.rest(edge, output, ways.tails[output]), edge) for edge in first_edges(ways.graph, start)]
            found = [(rest, edge) for rest, edge in rests if rest is not None]
            if not found:
                continue
            _, edge = max(found, key=lambda one: one[0])
            head: Way = [start.node] if start.takes_budget else []
            steps = ways.steps(chain(head, ways.way_along(edge, output)))
            total = steps[-1].until_ns if steps else 0
            yield PathLatency("flow", start.party, start.node, ".".join(output), "", 0, total, steps)


def _paths(ways: Ways, arrivals: Arrivals, reactions: list[tuple[Cause, tuple[Stop, ...]]]) -> Iterator[PathLatency]:
    """The slowest way of each cause to each output that it reaches."""
    for cause, stops in reactions:
        before, root = arrivals.way_to(cause)
        party, start = (
            (root.party, root.node) if isinstance(root, ClockStart) else (_party(ways.graph, root), str(root.event))
        )
        for output in ways.outputs:
            found = [(rest, stop) for stop in stops if (rest := _rest(ways, stop, output)) is not None]
            if not found:
                continue
            _, stop = max(found, key=lambda one: one[0])
            steps = ways.steps(chain(before, stop.way, _behind(ways, stop, output)))
            total = steps[-1].until_ns if steps else 0
            yield PathLatency(
                cause.kind, party, start, ".".join(output), str(cause), arrivals.begins(cause), total, steps
            )


def _rest(ways: Ways, stop: Stop, output: Output) -> int | None:
    """What it takes from the beginning of a reaction to an output, by way of `stop`; None if it does not lead there."""
    if (stop.node, stop.port) == output:
        return stop.ns
    tail = ways.tails[output].get(stop.node)
    return None if tail is None else stop.ns + ways.ns(stop.node) + tail.ns


def _behind(ways: Ways, stop: Stop, output: Output) -> Way:
    if (stop.node, stop.port) == output:
        return []
    return [stop.node, *ways.way_along(ways.tails[output][stop.node].edge, output)]


def _party(graph: Graph, cause: Cause) -> str:
    """Whose turn a reaction opens: that of its event's party, or of the only one."""
    subject = graph.find(cause.event.subject)
    parties = subject.parties if subject is not None else tuple(party.id for party in graph.spec.parties)
    return parties[0] if len(parties) == 1 else ""


def _deadlines(
    arrivals: Arrivals, reactions: list[tuple[Cause, tuple[Stop, ...]]], paths: list[PathLatency], limit_ns: int
) -> Iterator[FallbackDeadline]:
    """One row for each cause of a fallback that leads to an output."""
    slowest: dict[str, int] = {}
    for path in paths:
        slowest[path.cause] = max(slowest.get(path.cause, 0), path.needs_ns)
    for cause, _ in reactions:
        if cause.kind != "fallback" or cause.node is None or str(cause) not in slowest:
            continue
        starts, needs = arrivals.begins(cause), slowest[str(cause)]
        latest = limit_ns - needs
        at = arrivals.at(cause.node) if cause.node in arrivals else 0
        yield FallbackDeadline(
            reaction=cause.reaction.id,
            cause=str(cause),
            node=cause.node,
            starts_ns=starts,
            latest_ns=latest,
            needs_ns=needs,
            node_ns=max(0, min(starts, latest) - at),
        )


def _path_budgets(ways: Ways) -> Iterator[PathBudget]:
    for budget in ways.graph.spec.budget.paths:
        source, target = (budget.source, budget.source_port), (budget.target, budget.target_port)
        way = ways.between(source, target)
        yield PathBudget(
            source=".".join(source),
            target=".".join(target),
            limit_ns=budget.ns,
            limit_origin=budget.origin("ns"),
            total_ns=way[0] if way else None,
            steps=ways.steps(way[1]) if way else (),
        )

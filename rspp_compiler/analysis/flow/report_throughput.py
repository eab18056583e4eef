"""E0523 to E0525: what cannot keep up with the audio that comes, and the number that would have to change."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rspp_compiler.analysis.flow.capacity import items, raised, slack_of
from rspp_compiler.analysis.flow.streams import Streams
from rspp_compiler.analysis.shared.repairs import is_written, set_on_node
from rspp_compiler.analysis.shared.words import duration
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.throughput import ClockThroughput, NodeUse

S = 1_000_000_000


def report_node(graph: Graph, use: NodeUse, ctx: Context) -> None:
    """E0523: a node is slower than its stream."""
    node = graph.node(use.node).spec
    period = Fraction(S) / use.per_second
    most = _rounded(period * use.slots)
    more = f", or let it work on more at once: `limit = {{ concurrency = {use.work_ns // int(period) + 1} }}`"
    ctx.sink.add(
        "E0523",
        f"`{use.node}` works {duration(use.work_ns)} on each item, and one comes every {_shown(period)}",
        use.origin.span if _is_users(graph, use) else node.span,
        label=f"needs {percent(use.utilisation)} of the time there is",
        secondary=[(edge.spec.span, "what comes") for edge in graph.into(use.node)],
        notes=[f"work: {duration(use.work_ns)} ({use.origin}); at once: {items(use.slots)}"],
        help=f"let one item take {duration(most)} at most{more if not use.in_kernel else ''}",
        fix=_work(ctx, graph, use, most),
    )


def report_loop(
    graph: Graph, found: Streams, clock: ClockThroughput, raises: Sequence[tuple[GraphEdge, int]], ctx: Context
) -> None:
    """E0524: an edge holds too little for the work that is done beside it."""
    loop = clock.bottleneck
    if loop is None or not raises:
        return
    rows = [
        f"{f'{duration(step.ns):>8}  ' if step.ns else ' ' * 10}`{step.subject}`: {step.what}"
        f"{f' for {items(step.ahead)}' if step.what == 'room on the flow' else ''} ({step.origin})"
        for step in loop.steps
    ]
    edge = raises[0][0]
    held = [f"`{one.id}` hold {items(many + slack_of(graph, one, found.arriving[one.id]))}" for one, many in raises]
    ctx.sink.add(
        "E0524",
        f"`{edge.id}` holds too little for what is done beside it",
        edge.spec.span,
        label=f"a round of {_shown(clock.needs_ns)} takes {_shown(clock.takes_ns)}",
        secondary=[
            (step.origin.span, f"`{step.subject}`: {step.what}") for step in loop.steps if step.origin.kind == "user"
        ],
        notes=["\n".join(["the slowest loop, and where each number is from:", *rows])],
        help=f"let {' and '.join(held)}",
        fix=both(*(raised(ctx, graph, one, found.arriving[one.id], many) for one, many in raises)),
    )


def report_kernel(graph: Graph, uses: Sequence[NodeUse], total: Fraction, ctx: Context) -> None:
    """E0525: each of the kernel's own nodes is fast enough, and all of them together are not."""
    first = max(uses, key=lambda use: (_is_users(graph, use), use.utilisation, use.node))
    rest = total - first.utilisation
    most = (1 - rest) * S / first.per_second
    lower = [(first, _rounded(most))] if most >= 1000 else [(use, _rounded(use.work_ns / total)) for use in uses]
    ways = " and ".join(f"`{use.node}` take {duration(ns)}" for use, ns in lower)
    rows = [f"{percent(use.utilisation):>6}  `{use.node}`: {duration(use.work_ns)} ({use.origin})" for use in uses]
    ctx.sink.add(
        "E0525",
        f"the nodes that the kernel runs need {percent(total)} of the time there is",
        first.origin.span if _is_users(graph, first) else graph.node(first.node).spec.span,
        label=f"`{first.node}` needs {percent(first.utilisation)}",
        notes=["\n".join(["they take turns on one thread, while audio comes:", *rows])],
        help=f"let {ways} at most, or let one run elsewhere: `place = process`",
        fix=both(*(_work(ctx, graph, use, ns) for use, ns in lower)),
    )


def percent(part: Fraction) -> str:
    """`125%`, to one decimal, rounded up: what is over 100 % is never shown as 100 %."""
    tenths = -(-part * 1000 // 1)
    whole, rest = divmod(int(tenths), 10)
    return f"{whole}.{rest}%" if rest else f"{whole}%"


def _work(ctx: Context, graph: Graph, use: NodeUse, ns: int) -> Fix:
    if _is_users(graph, use):
        return Fix(use.origin.span, duration(ns))
    return set_on_node(ctx, graph.node(use.node).spec, f"work = {duration(ns)}")


def _is_users(graph: Graph, use: NodeUse) -> bool:
    origins = graph.node(use.node).spec.origins
    return "work_ns" in origins and use.origin.kind == "user" and is_written(graph, use.origin.span)


def _rounded(ns: Fraction) -> int:
    """Down to whole microseconds, the finest that is written."""
    return max(1000, int(ns) // 1000 * 1000)


def _shown(ns: Fraction) -> str:
    return duration(int(ns)) if ns.denominator == 1 else f"{ns.numerator}/{ns.denominator}ns"

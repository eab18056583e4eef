"""E0515 to E0522: what can stop for ever, who waits for whom, and the smallest change that ends it."""

from __future__ import annotations

from collections.abc import Sequence

from rspp_compiler.analysis.flow.buffers import Minimum
from rspp_compiler.analysis.flow.capacity import blocks, describe, items, raised, slack_of
from rspp_compiler.analysis.flow.circles import Circle
from rspp_compiler.analysis.flow.forks import Fork
from rspp_compiler.analysis.flow.streams import Join, Streams
from rspp_compiler.analysis.shared.repairs import set_on_node
from rspp_compiler.analysis.shared.words import duration, listed, ports
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.liveness import Wait
from rspp_compiler.source import Span

MS = 1_000_000


def report_starved(graph: Graph, found: Streams, join: Join, parted: Fork, ctx: Context) -> None:
    """E0515: a filter on one branch of a fork; E0516: flows that have no more than the join in common."""
    node = graph.node(join.node).spec
    longest = max(found.arriving[edge.id].frame_ns for edge in join.edges)
    within = f"within = {duration(longest or 20 * MS)}"
    branches = (parted.full, parted.empty)
    secondary = [(branch.last.spec.span, f"it waits for an item of `{branch.last.source}`") for branch in branches]
    if parted.node is None or not parted.empty.filters:
        code = "E0516"
        sources = listed(branch.last.source for branch in branches)
        message = f"`{join.node}` waits until {sources} have both said something, and either may be silent"
        label = "one of them alone never comes through"
        why = [_because(found, branch.last) for branch in branches]
    else:
        code = "E0515"
        subject, because = parted.empty.filters[0]
        message = f"`{join.node}` waits for both ways from `{parted.node}`, and `{subject}` {because}"
        label = "while one way brings nothing, it takes nothing from the other"
        secondary.append((_place(graph, subject), f"`{subject}` {because}"))
        secondary.append((graph.node(parted.node).spec.span, "the ways part here"))
        why = [_then(parted.full.edges[0])]
    ctx.sink.add(
        code,
        message,
        node.span,
        label=label,
        secondary=secondary,
        notes=["\n".join(["the two ways:", *(ports(_way(branch.edges)) for branch in branches)]), *why],
        help=f"let it wait for so long only: `{within}`",
        fix=set_on_node(ctx, node, within),
    )


def report_shedding(graph: Graph, join: Join, lossy: GraphEdge, patient: GraphEdge, ctx: Context) -> None:
    """E0517: one branch of a fork loses items under pressure, the other waits."""
    node = graph.node(join.node).spec
    ctx.sink.add(
        "E0517",
        f"`{lossy.id}` may shed an item that `{join.node}` then waits for",
        lossy.spec.span,
        label=f"sheds when it is full ({lossy.spec.origin('overflow')})",
        secondary=[
            (patient.spec.span, f"its producer waits instead ({patient.spec.origin('overflow')})"),
            (node.span, f"`{join.node}` takes from both at once"),
        ],
        notes=[f"what is lost on one way is too much on the other; when `{patient.id}` is full of it, nothing moves"],
        help="let both ways do the same when they are full, or bound the wait of the join: `within = 20ms`",
        fix=set_on_node(ctx, node, "within = 20ms"),
    )


def report_sync(graph: Graph, domain: str, edges: Sequence[GraphEdge], parted: Fork, ctx: Context) -> None:
    """E0522: items that are dropped together, and do not come together."""
    empty, full = parted.empty.last, parted.full.last
    filters = [f"`{subject}` {because}" for subject, because in parted.empty.filters[:1]]
    ctx.sink.add(
        "E0522",
        f"`{full.id}` lets nothing go before `{empty.id}` has what belongs to it, which may never come",
        full.spec.span,
        label=f"one of the domain `{domain}`",
        secondary=[(empty.spec.span, "another of the domain")],
        notes=[*filters, _TOGETHER],
        help="let each flow drop by itself: `scope = edge_local`",
        fix=_apart(edges),
    )


def report_circle(graph: Graph, found: Streams, circle: Circle, ctx: Context) -> None:
    """E0518: branches that join hold too little for each other; E0519: a sync domain that waits for itself."""
    first = circle.edges[0]
    others = {edge.id: edge for edge in circle.edges if edge is not first}
    secondary = [(edge.spec.span, f"`{id}`") for id, edge in others.items()]
    if circle.is_sync or not circle.raises:
        domains = listed(dict.fromkeys(edge.spec.sync.domain for edge in circle.edges if edge.spec.sync))
        ctx.sink.add(
            "E0519",
            f"items of {domains} wait for each other, and none can go first",
            first.spec.span,
            label="what flows here is held until the others have theirs",
            secondary=secondary,
            notes=[who_waits(circle.waits), _TOGETHER],
            help="let each flow drop by itself: `scope = edge_local`",
            fix=_apart([edge for edge in circle.edges if edge.spec.sync]),
        )
        return
    slacks = [slack_of(graph, edge, found.arriving[edge.id]) for edge, _ in circle.raises]
    more = [f"`{e.id}` hold {items(count + slack)}" for (e, count), slack in zip(circle.raises, slacks, strict=True)]
    ctx.sink.add(
        "E0518",
        f"the ways into `{_join(graph, circle)}` wait for each other, and none can go on",
        circle.raises[0][0].spec.span,
        label="holds too little while the way beside it gathers what it needs",
        secondary=secondary,
        notes=[who_waits(circle.waits)],
        help=f"let {' and '.join(more)}",
        fix=both(*(raised(ctx, graph, edge, found.arriving[edge.id], count) for edge, count in circle.raises)),
    )


def report_credit(graph: Graph, found: Streams, edge: GraphEdge, one: Minimum, ctx: Context) -> None:
    """E0520: credit that never comes back; E0521: a low mark that is never reached."""
    held, needs = one.held, one.ends + one.held.slack
    by_credit = edge.spec.flow != "signal"
    message = f"`{edge.target}` waits for more on `{edge.id}`, and `{edge.source}` waits "
    message += "for credit" if by_credit else "for the low mark"
    ctx.sink.add(
        "E0520" if by_credit else "E0521",
        message,
        edge.spec.span,
        label=f"lets {items(held.items)} come, and `{edge.target}` needs {needs} before it takes any",
        secondary=[(held.origin.span, "this bound")] if held.origin.kind == "user" else [],
        notes=[f"it holds {describe(held)}", f"flow control: `{edge.spec.flow}` ({edge.spec.origin('flow')})"],
        help=f"let {items(needs)} come",
        fix=raised(ctx, graph, edge, found.arriving[edge.id], one.ends),
    )


_TOGETHER = "items of a domain are dropped together, so none may go before all are there (`atomic_drop`, `plan_wide`)"


def who_waits(circle: Sequence[Wait]) -> str:
    """The circle, one wait a line."""
    return "\n".join(["who waits for whom:", *(f"`{one.who}` for `{one.whom}`: {one.why}" for one in circle)])


def _way(edges: Sequence[GraphEdge]) -> tuple[str, ...]:
    first = edges[0]
    return (f"{first.source}.{first.source_port}", *(f"{edge.target}.{edge.target_port}" for edge in edges))


def _because(found: Streams, edge: GraphEdge) -> str:
    clock = found.arriving[edge.id].clock
    return f"`{clock.at}` {clock.because}"


def _then(edge: GraphEdge) -> str:
    """What the edge beside the filter does while nothing is taken from it."""
    does = f"then `{edge.source}` waits, and with it the filter" if blocks(edge) else "then it sheds"
    return f"`{edge.id}` fills up meanwhile; {does} ({edge.spec.origin('overflow')})"


def _place(graph: Graph, subject: str) -> Span:
    """A filter is a node, or an edge with a guard."""
    node = graph.find(subject)
    return node.spec.span if node else next(edge.spec.span for edge in graph.edges if edge.id == subject)


def _join(graph: Graph, circle: Circle) -> str:
    """The node of the circle at which most ways end."""
    return max((edge.target for edge in circle.edges), key=lambda id: (len(graph.into(id)), id))


def _apart(edges: Sequence[GraphEdge]) -> Fix:
    spans = dict.fromkeys(edge.spec.sync.origin("scope").span for edge in edges if edge.spec.sync)
    return both(*(Fix(span, "edge_local") for span in spans))

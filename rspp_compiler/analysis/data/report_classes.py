"""E1111 to E1114: personal data where it must not be, the whole way it came, and the smallest change that stops it."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.analysis.data.spread import Place, Spread
from rspp_compiler.analysis.shared.repairs import (
    add_lines_in,
    is_written,
    policy_span,
    put_before,
    set_behind,
    set_on_provider,
    without_flow,
)
from rspp_compiler.analysis.shared.words import in_mode, listed, ports
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.classes import Breach
from rspp_compiler.ir.spec import CandidateSpec, ProviderSpec
from rspp_compiler.source import Span


def report(
    graph: Graph, spread: Spread, breach: Breach, place: Place | None, names: Iterator[str], ctx: Context
) -> None:
    """One finding for one breach. `place` is the input that the data comes to, None where a node emits it itself; a
    node that a fix adds is called by the next of `names`.
    """
    found = listed(breach.payload_classes)
    if breach.kind == "recording":
        _recording(graph, breach, ctx)
        return
    secondary, notes = _witness(graph, spread, breach, place)
    mask = _mask(graph, spread, breach, place, names, ctx)
    if breach.kind == "provider":
        node, _, name = breach.place.partition(": ")
        provider = graph.provider_of(graph.node(node))
        assert provider is not None  # the breach is one of its candidates
        candidate = next(one for one in provider.candidates if (one.name, one.span) == (name, breach.span))
        accept = ", ".join(dict.fromkeys((*candidate.accept, *breach.payload_classes)))
        accepts = f"if `{name}` may have it, write `accept = [{accept}]`"
        ctx.sink.add(
            "E1111",
            f"`{name}` performs `{node}`, and does not accept {found}",
            breach.span if is_written(graph, breach.span) else graph.node(node).spec.span,
            label=f"{found} would leave the process here",
            secondary=secondary,
            notes=notes,
            help=f"take it out before: {_shown(breach)}; {accepts}" if mask else accepts,
            fix=mask or _accept(graph, provider, candidate, accept, ctx),
        )
        return
    edge = spread.steps[place].edge if place else None
    if breach.kind == "tap":
        code, message = "E1112", f"{found} flows into `{breach.place}`, which shows it to whoever watches"
        help = f"take it out before: {_shown(breach)}; or tap something else"
        fix = mask or (without_flow(ctx, edge) if edge else remove(ctx.source(breach.span), breach.span))
    else:
        code, message = "E1114", f"{found} flows into `{breach.place}`, whose type does not take it"
        typed = _typed(graph, breach)
        help = f"take it out before: {_shown(breach)}; or let the port take it: `{typed[1]}`"
        fix = mask or Fix(*typed)
    ctx.sink.add(
        code, message, breach.span, label="comes here", secondary=secondary, notes=notes, help=help, fix=fix
    )  # fmt: skip


def _recording(graph: Graph, breach: Breach, ctx: Context) -> None:
    record = graph.spec.recording
    lacks = [what for what, value in (("keep", record.keep_ns), ("region", record.region)) if not value]
    ctx.sink.add(
        "E1113",
        f"{listed(breach.payload_classes)} is recorded, and nothing says {' and '.join(_LACKS[one] for one in lacks)}",
        breach.span,
        label=f"{record.level} keeps payloads",
        notes=[
            f"from `{breach.way[0]}`",
            "the timeline keeps PII hashed, and PHI dropped or hashed; even so it must be deleted one day",
        ],
        help=f"record headers only, `record L0`; or say {listed(f'{one} = …' for one in lacks)}",
        fix=Fix(breach.span, "L0"),
    )


_LACKS = {"keep": "for how long", "region": "where"}


def _witness(
    graph: Graph, spread: Spread, breach: Breach, place: Place | None
) -> tuple[list[tuple[Span, str]], list[str]]:
    """The way from the source of the class to the place, hop by hop."""
    way = spread.way(place) if place else []
    source = way[0][1].source if way else next(one for one in spread.sources if one.port == breach.way[0])
    secondary = [(source.span, f"`{source.port}` is {source.payload_class}")]
    for port, step in way:
        if step.span != breach.span:
            how = "what it was working on goes" if step.line else "goes"
            secondary.append((step.span, f"{how} on to `{port}`"))
    unique = list(dict.fromkeys(secondary))
    return unique, [f"the way of {breach.payload_classes[-1]}: {ports(breach.way)}", *in_mode(breach.mode)]


def _shown(breach: Breach) -> str:
    return f"`redact {{ classes = [{', '.join(breach.payload_classes)}] }}`"


def _mask(
    graph: Graph, spread: Spread, breach: Breach, place: Place | None, names: Iterator[str], ctx: Context
) -> Fix | None:
    """A `redact` node before the port, where text comes there by a flow; in the policy whose variant this is."""
    edge = spread.steps[place].edge if place else None
    if edge is None or not _is_text(graph, edge):
        return None
    name = next(names)
    line = f"node {name} : redact {{ classes = [{', '.join(breach.payload_classes)}], action = mask }}"
    policy = policy_span(ctx, graph.policy) if graph.policy else None
    if policy is not None:
        return add_lines_in(ctx, policy, [line, f"insert {name} before {edge.target}.{edge.target_port}"])
    return put_before(ctx, edge, name, line)


def _is_text(graph: Graph, edge: GraphEdge) -> bool:
    port = graph.source_port(edge)
    return port is not None and port.type.name in ("text", "any")


def _accept(graph: Graph, provider: ProviderSpec, candidate: CandidateSpec, accept: str, ctx: Context) -> Fix:
    """`accept` on the `use` line that the user wrote, or in the block; in the place of one that says less."""
    origin = candidate.origin("accept")
    if candidate.accept and origin.kind == "user" and "accept" in candidate.origins:
        return Fix(origin.span, f"[{accept}]")
    if not is_written(graph, candidate.span):
        return set_on_provider(ctx, graph, provider, f"accept = [{accept}]")
    return set_behind(ctx, candidate.span, f"accept = [{accept}]")


def _typed(graph: Graph, breach: Breach) -> tuple[Span, str]:
    """The port's declaration with a type that takes the class."""
    node, _, name = breach.place.rpartition(".")
    port = graph.node(node).spec.input(name)
    assert port is not None  # the data comes to it
    return port.span, f"{name} : {port.type.model_copy(update={'payload_class': breach.payload_classes[-1]})}"

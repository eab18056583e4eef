"""Rules for modes: what may be off, what must be left, and that a degrade goes down."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, line_behind, remove
from rspp_compiler.diagnostics.statements import setting_at, without_setting
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.spec import ModeSpec
from rspp_compiler.sema.mending import last_line


def modes_leave_something(graph: Graph, ctx: Context) -> None:
    """E0411: only nodes of a turn can be off. E0412: and what is left must still reach the user."""
    egresses = [node for node in graph.nodes if node.kind == "egress"]
    flows = [edge for node in egresses for edge in graph.into(node.id)]
    for mode in graph.spec.modes:
        off = {id for id in mode.off if graph.find(id)}
        always_on = [node for node in graph.nodes if node.id in off and not _is_of_turn(node)]
        for node in always_on:
            ctx.sink.add(
                "E0411",
                f"`{node.id}` cannot be off in a mode",
                mode.span,
                label=f"`{mode.id}` turns it off",
                secondary=[(node.spec.span, f"`{node.id}` works all the time, outside of turns")],
                notes=["a detector or recogniser that is off could not hear the user ask for more"],
                help=f"leave it on: only nodes that take part in a turn can be off in `{mode.id}`",
                fix=_without(node.id, mode, graph, ctx),
            )
        ways = [edge for edge in flows if edge.source not in off and _is_fed(graph, edge.source, off)]
        if flows and not ways and off and not always_on:
            at = last_line(graph, ctx)
            model = next((node.id for node in graph.of_kind("llm") if node.id not in off), "")
            line = f"{model}.delta -> egress.text"
            ctx.sink.add(
                "E0412",
                f"nothing reaches the user in mode `{mode.id}`",
                mode.span,
                label=f"with {', '.join(f'`{id}`' for id in mode.off)} off, no flow is left into `egress`",
                help=f"let text reach the user as well: `{line}`" if model else "leave one of them on",
                fix=line_behind(ctx.source(at), at, line) if model else _whole(mode, graph, ctx),
            )


def _is_of_turn(node: GraphNode) -> bool:
    return node.scope == "turn" and node.execution != "boundary"


def _without(id: str, mode: ModeSpec, graph: Graph, ctx: Context) -> Fix | None:
    """The list of what is off without `id`; without the mode if nothing else is said of it."""
    rest = [other for other in mode.off if other != id]
    source = ctx.source(mode.span)
    off = setting_at(source, mode.span, "off")
    if rest and off:
        return Fix(off, f"off = [{', '.join(rest)}]")
    return without_setting(source, off) if mode.overrides and off else _whole(mode, graph, ctx)


def _whole(mode: ModeSpec, graph: Graph, ctx: Context) -> Fix:
    """The mode goes, and with it the reactions that lead into it."""
    into = [one for one in graph.spec.reactions if one.verb in ("enter", "degrade") and one.object == mode.id]
    gone = [mode.span, *(one.span for one in into)]
    first, *others = (remove(ctx.source(span), span) for span in gone)
    return both(first, *others)


def _is_fed(graph: Graph, id: str, off: set[str]) -> bool:
    """Whether a flow that begins outside of turns, or a triggered node, still leads to this node."""
    seen: set[str] = set()
    waiting = [id]
    while waiting:
        current = waiting.pop()
        node = graph.node(current)
        if current in seen or current in off:
            continue
        seen.add(current)
        if node.scope != "turn" or node.kind in ("say", "play"):
            return True
        waiting += [edge.source for edge in graph.into(current)]
    return False


def degrade_goes_down(graph: Graph, ctx: Context) -> None:
    """E0425: a degrade acts in the middle of a turn, so it may only take something away (CONTRACTS §7)."""
    modes = {mode.id: mode for mode in graph.spec.modes}
    for reaction in graph.spec.reactions:
        mode = modes.get(reaction.object or "") if reaction.verb == "degrade" else None
        if mode is None or mode.off:
            continue
        source = ctx.source(reaction.span)
        start = source.offset(reaction.span.line, reaction.span.column)
        word = source.text.find("degrade", start)
        ctx.sink.add(
            "E0425",
            f"`degrade {mode.id}` takes nothing away",
            reaction.span,
            label="within a turn, things only ever get less",
            secondary=[(mode.span, "nothing is `off` in this mode")],
            help=f"turn something off in `{mode.id}`, or write `enter {mode.id}`: it then holds from the next turn",
            fix=Fix(source.span(word, word + len("degrade")), "enter"),
        )

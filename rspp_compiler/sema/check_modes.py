"""Rules for modes: what may be off, what must be left, and that a degrade goes down."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import line_behind, remove
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import ModeSpec
from rspp_compiler.sema.mending import last_line


def modes_leave_something(graph: Graph, ctx: Context) -> None:
    """E0411: only nodes of a turn can be off. E0412: and what is left must still reach the user."""
    egresses = [node for node in graph.nodes if node.kind == "egress"]
    flows = [edge for node in egresses for edge in graph.into(node.id)]
    for mode in graph.spec.modes:
        off = {id for id in mode.off if graph.find(id)}
        for id in mode.off:
            node = graph.find(id)
            if node is not None and (node.scope != "turn" or node.execution == "boundary"):
                ctx.sink.add(
                    "E0411",
                    f"`{id}` cannot be off in a mode",
                    mode.span,
                    label=f"`{mode.id}` turns it off",
                    secondary=[(node.spec.span, f"`{id}` works all the time, outside of turns")],
                    help="only nodes that take part in a turn can be off",
                    fix=_without(id, mode, ctx),
                )
        ways = [edge for edge in flows if edge.source not in off and _is_fed(graph, edge.source, off)]
        if flows and not ways and off:
            at = last_line(graph, ctx)
            model = next((node.id for node in graph.of_kind("llm") if node.id not in off), "")
            line = f"{model}.delta -> egress.text"
            ctx.sink.add(
                "E0412",
                f"nothing reaches the user in mode `{mode.id}`",
                mode.span,
                label=f"with {', '.join(f'`{id}`' for id in mode.off)} off, no flow is left into `egress`",
                help=f"let text reach the user as well: `{line}`" if model else "leave one of them on",
                fix=line_behind(ctx.source(at), at, line) if model else _whole(mode, ctx),
            )


def _without(id: str, mode: ModeSpec, ctx: Context) -> Fix:
    """The list of what is off without `id`; without the mode's line if nothing else is off."""
    rest = [other for other in mode.off if other != id]
    if not rest and not mode.overrides:
        return _whole(mode, ctx)
    source = ctx.source(mode.span)
    start = source.offset(mode.span.line, mode.span.column)
    end = source.offset(mode.span.end_line, mode.span.end_column)
    key = source.text.find("off", source.text.find("{", start, end), end)
    close = source.text.find("]", key, end)
    stop = close + 1 if close >= 0 else end
    return Fix(source.span(key, stop), f"off = [{', '.join(rest)}]")


def _whole(mode: ModeSpec, ctx: Context) -> Fix:
    return remove(ctx.source(mode.span), mode.span)


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

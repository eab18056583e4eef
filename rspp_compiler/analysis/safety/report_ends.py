"""E1010 to E1013: what never comes to an end, and the smallest change that gives it one."""

from __future__ import annotations

from rspp_compiler.analysis.safety.fallbacks import Handlers
from rspp_compiler.analysis.shared.repairs import add_line, local, set_on_edge, set_on_node, without_events
from rspp_compiler.analysis.shared.words import listed
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import line_behind, remove
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.ends import End, Loop, Wait
from rspp_compiler.ir.spec import ReactionSpec

_BOUNDS = {"collect": "timeout = 5s", "endpointer": "max = 2s", "merge": "within = 20ms", "select": "within = 50ms"}


def report_unended(graph: Graph, handlers: Handlers, ends: list[End], ctx: Context) -> None:
    """E1011: one finding for all failures of a node or tool that have no end."""
    first = ends[0]
    subject, failures = first.node, [end.failure for end in ends]
    lines = [line for line in graph.spec.reactions if _names(line, subject, failures)]
    action = _usual_fallback(graph, handlers) if first.of == "tool" else ""
    event = " or ".join([f"{local(subject)}.{failures[0]}", *failures[1:]])
    line = f"on {event} -> {action or 'abort turn'}"
    ctx.sink.add(
        "E1011",
        f"nothing comes of it when `{subject}` fails: `{first.end}` does not end it",
        first.span,
        label="after this the turn goes on, and says nothing",
        secondary=[] if first.of == "tool" else [(graph.node(subject).spec.span, "this may fail")],
        notes=[
            "an end is a path to the egress, a `degrade` without what failed, an abort, a transfer, or `end session`"
        ],
        help=f"write `{line}`",
        fix=line_behind(ctx.source(lines[-1].span), lines[-1].span, line),
    )


def _names(line: ReactionSpec, subject: str, failures: list[str]) -> bool:
    return any(event.subject == subject and event.event in failures for event in line.events)


def _usual_fallback(graph: Graph, handlers: Handlers) -> str:
    """A path that other failures already take, as it was written; empty if there is none."""
    for line in graph.spec.reactions:
        is_fallback = any(event.event in ("error", "timeout") for event in line.events)
        if line.trigger is not None and is_fallback and handlers.is_heard(line):
            names = [line.trigger.node, *(edge.target for edge in line.path)]
            is_main = all(
                (port := graph.node(edge.target).spec.input(edge.target_port)) is not None and port.main
                for edge in line.path
            )
            if is_main and not any("." in name for name in names):
                return " -> ".join(names)
    return ""


def report_loop(graph: Graph, handlers: Handlers, loop: Loop, ctx: Context) -> None:
    """E1010: the fallbacks in turn, and the line that closes the ring."""
    lines = {line.id: line for line in graph.spec.reactions}
    closing = lines[loop.reactions[-1]]
    last, again = loop.steps[-2], loop.steps[0]
    if len(loop.steps) == 2:
        message = f"`{last}` falls back on what may fail in the same way"
    else:
        message = f"the fallback of `{last}` leads back to `{again}`"
    subject = last.rpartition(".")[0]
    if last == again == "turn.abort":
        line = "\n".join(f"on {local(node.id)}.error or timeout -> end session" for node in handlers.aborting(closing))
        help, fix = f"write `{line}`", line_behind(ctx.source(closing.span), closing.span, line)
    else:
        help = f"end it here: without `{subject}` in this line, its failure aborts the turn"
        fix = without_events(ctx, closing, [event for event in closing.events if event.subject == subject])
    ctx.sink.add(
        "E1010",
        message,
        closing.span,
        label="and round again",
        secondary=[(lines[id].span, "by way of this") for id in dict.fromkeys(loop.reactions) if id != closing.id],
        notes=[f"the ring: {' -> '.join(loop.steps)}"],
        help=help,
        fix=fix,
    )


def report_wait(graph: Graph, wait: Wait, ctx: Context) -> None:
    """E1012: a wait without a deadline."""
    node = graph.find(wait.subject)
    edge = next((edge for edge in graph.edges if edge.id == wait.subject), None)
    if node is not None and node.kind == "play":
        source = ctx.source(wait.origin.span)
        flag = source.text[source.offset(wait.origin.span.line, wait.origin.span.column) :]
        help = f"play it once: remove `loop`; or let something cancel it, such as `{_stops(graph)}`"
        fix = remove(source, wait.origin.span) if flag.startswith("loop") else add_line(ctx, graph, _stops(graph))
    elif edge is not None:
        help, fix = "bound it: `overflow = block(250ms)`", _bounded_block(ctx, graph, wait)
    else:
        assert node is not None  # waits are of nodes and edges
        bound = _BOUNDS.get(node.kind, "timeout = 1s")
        help, fix = f"give it a bound: `{bound}`", set_on_node(ctx, node.spec, bound)
    ctx.sink.add(
        "E1012",
        f"`{wait.subject}` waits for {wait.what}, and nothing says how long",
        wait.origin.span,
        label="without a deadline",
        help=help,
        fix=fix,
    )


def _stops(graph: Graph) -> str:
    detector = next((node.id for node in graph.nodes if "barge_in" in node.spec.events and "." not in node.id), "")
    return f"on {detector}.barge_in -> cancel turn" if detector else "on session.stop -> cancel turn"


def _bounded_block(ctx: Context, graph: Graph, wait: Wait) -> Fix:
    edge = next(edge for edge in graph.edges if edge.id == wait.subject)
    if edge.spec.origin("overflow").kind == "user" and "overflow" in edge.spec.origins:
        return Fix(edge.spec.origin("overflow").span, "block(250ms)")
    return set_on_edge(ctx, edge, "overflow = block(250ms)")


def report_unresumed(graph: Graph, line: ReactionSpec, ctx: Context) -> None:
    """E1013: paused, and never resumed."""
    node = line.object or ""
    own = [one for one in graph.spec.reactions if (one.verb, one.object) == ("resume", node)]
    why = f"what resumes it can only come through `{node}`" if own else "no line resumes it"
    resume = f"on turn.close -> resume {local(node)}"
    ctx.sink.add(
        "E1013",
        f"`{node}` is paused for good: {why}",
        line.span,
        label="from here on it is silent",
        secondary=[(one.span, f"this takes {listed(str(event) for event in one.events)}") for one in own],
        help=f"write `{resume}`, or cancel what you want to stop",
        fix=line_behind(ctx.source(line.span), line.span, resume),
    )

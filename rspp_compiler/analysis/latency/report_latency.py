"""E0501 to E0509: each shows the path, every number with its origin, and the smallest change that would do."""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.analysis.latency.figures import ms, of_edge
from rspp_compiler.analysis.latency.report_providers import report_waits
from rspp_compiler.analysis.latency.ways_out import MS, WayOut, lower_one, raise_turn
from rspp_compiler.analysis.shared.repairs import set_on_edge
from rspp_compiler.analysis.shared.words import listed
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.diagnostics.statements import without_setting
from rspp_compiler.ir.condition import texts_of
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.latency import Latency, PathBudget, PathLatency, Step
from rspp_compiler.ir.spec import ReactionSpec
from rspp_compiler.source import Span


def report(result: Latency, graph: Graph, ctx: Context) -> None:
    """Everything that breaks a budget (LANGUAGE, promise 2).

    What follows on a flow that is too slow is too late for that reason alone, and is not reported again.
    """
    late = [path for path in result.paths if path.total_ns > result.limit_ns]
    slow = {path.start for path in late if path.kind == "flow"}
    for path in late:
        if path.kind in ("flow", "reaction") or not (path.start in slow and path.starts_ns > result.limit_ns):
            _late(path, result, graph, ctx)
    for budget in result.path_budgets:
        _path_budget(budget, graph, ctx)
    for reaction in graph.spec.reactions:
        _named(reaction, graph, ctx)
    for edge in graph.edges:
        _edge(edge, ctx)
    report_waits(graph, ctx)


def _late(path: PathLatency, result: Latency, graph: Graph, ctx: Context) -> None:
    code, message, notes = _verdict(path, result)
    limit, over = result.limit_origin, path.total_ns - result.limit_ns
    way_out = lower_one(graph, ctx, path.steps, over) or raise_turn(graph, ctx, limit, path.total_ns)
    named = [(limit.span, f"{result.limit}: {ms(result.limit_ns)}")] if _is_users(limit) else []
    ctx.sink.add(
        code,
        message,
        _place(graph, path),
        label=f"up to {ms(path.total_ns)} from {_beginning(path)} to the first output",
        secondary=[*_witnesses(path.steps), *named],
        notes=[_sum(path.steps), f"{result.limit}: {ms(result.limit_ns)} ({limit})", *notes],
        help=way_out.help,
        fix=way_out.fix,
    )


def _verdict(path: PathLatency, result: Latency) -> tuple[str, str, list[str]]:
    """The code, the message, and a note that says when a fallback would have to begin."""
    limit, over = f"the {result.limit} of {ms(result.limit_ns)}", path.total_ns - result.limit_ns
    if path.kind in ("flow", "reaction"):
        way = "the way" if path.kind == "flow" and not path.party else f"the way from `{path.start}`"
        code = "E0501" if result.limit == "turn budget" else "E0502"
        return code, f"{way} to `{path.output}` takes up to {ms(path.total_ns)}, {ms(over)} more than {limit}", []
    latest = result.limit_ns - path.needs_ns
    if latest < 0:
        return "E0504", f"`{path.cause}` needs {ms(path.needs_ns)} by itself, which is never within {limit}", []
    note = [f"it needs {ms(path.needs_ns)} by itself, so it must begin by {ms(latest)}"]
    if path.starts_ns >= result.limit_ns:
        return "E0503", f"`{path.cause}` begins only after {ms(path.starts_ns)}, too late for {limit}", note
    message = f"`{path.cause}` reaches `{path.output}` only after {ms(path.total_ns)}, too late for {limit}"
    return "E0503", message, note


def _path_budget(budget: PathBudget, graph: Graph, ctx: Context) -> None:
    way, span = f"`{budget.source} -> {budget.target}`", budget.limit_origin.span
    if budget.total_ns is None:
        setting = next(one for one in graph.spec.budget.paths if one.origin("ns").span == span).span
        ctx.sink.add(
            "E0508",
            f"no flow leads along {way}",
            span,
            label="bounds nothing",
            help="remove this budget, or name two ports that flows join",
            fix=without_setting(ctx.source(setting), setting),
        )
    elif budget.total_ns > budget.limit_ns:
        over = budget.total_ns - budget.limit_ns
        needed = -(-budget.total_ns // MS) * MS
        way_out = lower_one(graph, ctx, budget.steps, over) or WayOut(f"allow {ms(needed)}", Fix(span, ms(needed)))
        ctx.sink.add(
            "E0505",
            f"{way} takes up to {ms(budget.total_ns)}, {ms(over)} more than its budget of {ms(budget.limit_ns)}",
            span,
            label=f"takes up to {ms(budget.total_ns)}",
            secondary=_witnesses(budget.steps),
            notes=[_sum(budget.steps)],
            help=way_out.help,
            fix=way_out.fix,
        )


def _named(reaction: ReactionSpec, graph: Graph, ctx: Context) -> None:
    """A guard may name the paths that have budgets, and no other."""
    names = [path.name for path in graph.spec.budget.paths]
    written = texts_of("path", reaction.guard) if reaction.guard else ()
    for text in (" ".join(text.split()) for text in written):
        if text not in names:
            near = nearest(text, names)
            there = f"there is {listed(names)}" if names else "no path has a budget here"
            help = f"did you mean `{near}`?" if near else f"{there}; both ends are named with their ports"
            ctx.sink.add("E0508", f"no budget for the path `{text}`", reaction.span, label="never acts", help=help)


def _edge(edge: GraphEdge, ctx: Context) -> None:
    """What an edge holds back on purpose must fit within the latency that the user grants it."""
    limit = edge.spec.origin("latency_ns")
    held = [figure for figure in of_edge(edge) if figure.kind != "age"]
    total = sum(figure.ns for figure in of_edge(edge))
    if limit.kind != "user" or not held or total <= edge.spec.latency_ns:
        return
    longest = max(held, key=lambda figure: (figure.origin.kind == "user", figure.ns))
    lower = (longest.ns - (total - edge.spec.latency_ns)) // MS * MS
    if longest.origin.kind == "user" and lower >= MS:
        help, fix = f"hold for {ms(lower)} at most", Fix(longest.origin.span, ms(lower))
    elif longest.kind == "handoff" and lower >= MS and edge.spec.handoff and _is_implied(edge):
        setting = f"handoff = {{ by = {edge.spec.handoff.by}, max_age = {ms(lower)} }}"
        help, fix = f"hold for {ms(lower)} at most: `{setting}`", set_on_edge(ctx, edge, setting)
    else:
        needed = -(-total // MS) * MS
        help, fix = f"allow {ms(needed)}", Fix(limit.span, ms(needed))
    ctx.sink.add(
        "E0509",
        f"`{edge.id}` may hold text or items for {ms(total)}, longer than its latency of {ms(edge.spec.latency_ns)}",
        limit.span,
        label="the most that it may add to a path",
        secondary=[
            (figure.origin.span, f"{figure.what}: {ms(figure.ns)}") for figure in held if _is_users(figure.origin)
        ],
        notes=[f"{figure.what}: {ms(figure.ns)} ({figure.origin})" for figure in of_edge(edge)],
        help=help,
        fix=fix,
    )


def _is_implied(edge: GraphEdge) -> bool:
    """Whether the profile alone holds text back on this edge."""
    held = edge.spec.handoff
    return held is not None and not any(_is_users(held.origin(field)) for field in ("by", "age_ns_max", "chars_min"))


def _is_users(origin: Origin) -> bool:
    return origin.kind == "user"


# ---- what a finding shows


def _beginning(path: PathLatency) -> str:
    if path.kind == "reaction":
        return f"`{path.start}`"
    return "the end of input" if not path.party else f"the end of what `{path.party}` says"


def _place(graph: Graph, path: PathLatency) -> Span:
    """Where the carets go: the reaction that is too late, or the last flow of the path."""
    if path.kind != "flow":
        for reaction in graph.spec.reactions:
            if reaction.trigger and any(
                path.cause == f"{event} -> {reaction.trigger.node}" for event in reaction.events
            ):
                return reaction.span
    node, _, port = path.output.rpartition(".")
    return next(edge.spec.span for edge in graph.into(node, port))


def _witnesses(steps: Iterable[Step]) -> list[tuple[Span, str]]:
    """Places in the user's file that the numbers of a path come from."""
    return [(step.origin.span, f"{step.subject}: {ms(step.ns)}") for step in steps if _is_users(step.origin)]


def _sum(steps: tuple[Step, ...]) -> str:
    rows = [f"{ms(step.ns):>8}  {step.subject} ({step.what}; {step.origin})" for step in steps]
    total = steps[-1].until_ns if steps else 0
    return "\n".join(["the path, and where each number is from:", *rows, f"{ms(total):>8}  in all"])

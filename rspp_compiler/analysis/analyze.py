"""All results, compared with the budgets: E0501 to E0503 show the path, each number with its origin, and a way out."""

from __future__ import annotations

from rspp_compiler.analysis.bounds import bounds
from rspp_compiler.analysis.ends import ends
from rspp_compiler.analysis.latency import latency
from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.analysis import Analysis, PathLatency, Step
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.origin import Origin
from rspp_compiler.source import Span

MS = 1_000_000


def analyze(graph: Graph, ctx: Context) -> Analysis:
    """Latency, bounds and ends of a checked graph; reports every path that breaks a budget (LANGUAGE, promise 2)."""
    limit_ns, limit, origin = _limit(graph)
    result = Analysis(limit_ns, limit, origin, latency(graph), bounds(graph), ends(graph), graph)
    for path in result.paths:
        if path.total_ns > limit_ns:
            _report(result, path, ctx)
    return result


def _limit(graph: Graph) -> tuple[int, str, Origin]:
    """What a path may take. The profile's path budget holds until the pipeline declares a turn budget of its own."""
    budget = graph.spec.budget
    turn, path = budget.origin("turn_ns"), budget.origin("path_ns")
    if (turn.kind == "user" and "turn_ns" in budget.origins) or budget.turn_ns <= budget.path_ns:
        return budget.turn_ns, "turn budget", turn
    return budget.path_ns, "path budget", path


def _report(result: Analysis, path: PathLatency, ctx: Context) -> None:
    graph, over = result.graph, path.total_ns - result.limit_ns
    limit = f"the {result.limit} of {ms(result.limit_ns)}"
    if path.kind == "flow":
        code = "E0501" if result.limit == "turn budget" else "E0502"
        message = f"the way to `{path.output}` takes up to {ms(path.total_ns)}, {ms(over)} more than {limit}"
    elif path.starts_ns >= result.limit_ns:
        code = "E0503"
        message = f"`{path.cause}` begins only after {ms(path.starts_ns)}, too late for {limit}"
    else:
        code = "E0503"
        message = f"`{path.cause}` reaches `{path.output}` only after {ms(path.total_ns)}, too late for {limit}"
    step, fix, help = _way_out(graph, path, over)
    ctx.sink.add(
        code,
        message,
        _place(graph, path),
        label=f"up to {ms(path.total_ns)} from the end of input to the first output",
        secondary=_witnesses(path, result),
        notes=[_sum(path), f"{result.limit}: {ms(result.limit_ns)} ({result.limit_origin})"],
        help=help if step else "declare a larger `turn` budget",
        fix=fix,
    )


def _place(graph: Graph, path: PathLatency) -> Span:
    """Where the carets go: the reaction that is too late, or the last flow of the path."""
    if path.kind == "fallback":
        for reaction in graph.spec.reactions:
            named = {f"{event.subject}.{event.event}" for event in reaction.events}
            trigger = reaction.trigger
            if trigger and any(path.cause == f"{event} -> {trigger.node}" for event in named):
                return reaction.span
    port = path.output.removeprefix("egress.")
    return next(edge.spec.span for edge in graph.into("egress") if edge.target_port == port)


def _witnesses(path: PathLatency, result: Analysis) -> list[tuple[Span, str]]:
    """Places in the user's file that the numbers of the path, and its limit, come from."""
    steps = [(step.origin, f"{step.subject}: {ms(step.ns)}") for step in path.steps]
    steps.append((result.limit_origin, f"{result.limit}: {ms(result.limit_ns)}"))
    return [(origin.span, label) for origin, label in steps if origin.kind == "user"]


def _sum(path: PathLatency) -> str:
    rows = [f"{ms(step.ns):>8}  {step.subject} ({step.what}; {step.origin})" for step in path.steps]
    return "\n".join(["the path, and where each number is from:", *rows, f"{ms(path.total_ns):>8}  in all"])


def _way_out(graph: Graph, path: PathLatency, over: int) -> tuple[Step | None, Fix | None, str]:
    """The smallest change: one number, and by how much. The user's own numbers come first, then the largest."""
    fits = [step for step in path.steps if step.ns > over]
    if not fits:
        return None, None, ""
    step = max(fits, key=lambda step: (step.origin.kind == "user", step.ns, -step.until_ns))
    # Rounded down to whole milliseconds, so that the fix fits in any case.
    lower = (step.ns - over) // MS * MS or step.ns - over
    if step.origin.kind == "user":
        fix = Fix(step.origin.span, ms(lower))
        return step, fix, f"lower `{step.subject}` from {ms(step.ns)} to {ms(lower)}"
    if step.what == "budget":
        return step, None, f"give `{step.subject}` less: `budget {{ {step.subject} = {ms(lower)} }}`"
    if step.what == "hand-off":
        return step, None, f"hold less on `{step.subject}`: `handoff = {{ by = sentence, max_age = {ms(lower)} }}`"
    items = next(edge.spec.buffer_items for edge in graph.edges if edge.id == step.subject)
    return step, None, f"hold less on `{step.subject}`: `buffer = [{items} items, {ms(lower)}]`"


def ms(ns: int) -> str:
    """`300ms`; with as many decimals as it takes to be exact."""
    whole, rest = divmod(ns, MS)
    return f"{whole}ms" if not rest else f"{whole}.{rest:06d}".rstrip("0") + "ms"

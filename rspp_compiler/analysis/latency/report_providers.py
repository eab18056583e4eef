"""E0506 and E0507: what a node waits for must be over within its budget."""

from __future__ import annotations

from rspp_compiler.analysis.latency.attempts import ANSWERS, backoffs_ns, tries_of
from rspp_compiler.analysis.latency.causes import holds_up
from rspp_compiler.analysis.latency.figures import ms
from rspp_compiler.analysis.latency.ways_out import MS, WayOut
from rspp_compiler.analysis.shared import words
from rspp_compiler.analysis.shared.modes import in_mode
from rspp_compiler.analysis.shared.repairs import add_lines_in, free_names, set_budget
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, setting_in
from rspp_compiler.diagnostics.statements import braces
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.proofs.latency import Attempt
from rspp_compiler.ir.spec import ProviderSpec, ToolSpec
from rspp_compiler.ir.spec_offers import waits_ns
from rspp_compiler.ir.tooling import has_filler


def report_waits(graph: Graph, ctx: Context) -> None:
    """All of them, in the full pipeline and in each mode that sets something otherwise."""
    modes = [(mode.id, in_mode(graph, mode)) for mode in graph.spec.modes if mode.overrides]
    for mode, one in [("", graph), *modes]:
        _report_attempts(one, mode, ctx)
        _report_tools(graph, one, mode, ctx)


def _report_attempts(graph: Graph, mode: str, ctx: Context) -> None:
    """E0506 for every provider of which some try would begin when the node's budget is over."""
    for node in graph.nodes:
        provider = graph.provider_of(node)
        if provider is None or node.kind not in ANSWERS:
            continue
        tries = tuple(tries_of(graph, node))
        for index, attempt in enumerate(tries):
            is_first_late = attempt.number == 1 or tries[index - 1].starts_ns < node.spec.first_output_ns
            if attempt.starts_ns >= node.spec.first_output_ns and is_first_late:
                _never_tried(graph, node, provider, index, attempt, mode, ctx)


def _never_tried(
    graph: Graph, node: GraphNode, provider: ProviderSpec, tries: int, attempt: Attempt, mode: str, ctx: Context
) -> None:
    """`tries` come before the `attempt`, which would begin too late."""
    budget, origin = node.spec.first_output_ns, node.spec.origin("first_output_ns")
    first, backoff = provider.origin("first_chunk_ns"), provider.retry.origin("backoff_ns")
    waits = attempt.starts_ns - tries * provider.first_chunk_ns
    again = "" if attempt.number == 1 else " again"
    tried = "one try" if tries == 1 else f"{tries} tries"
    rows = [
        f"{ms(tries * provider.first_chunk_ns):>8}  {tried} of at most {ms(provider.first_chunk_ns)} ({first})",
        *([f"{ms(waits):>8}  waiting between them ({backoff})"] if waits else []),
        f"{ms(attempt.starts_ns):>8}  until `{attempt.provider}` is asked{again}; "
        f"the budget of `{node.id}` is {ms(budget)} ({origin})",
    ]
    decides = [(one.span, label) for one, label in ((first, "one try"), (backoff, "one wait")) if one.kind == "user"]
    way_out = _way_out(graph, node, provider, ctx)
    when = f"{ms(attempt.starts_ns)} after the input of `{node.id}`, when its {ms(budget)} are over"
    ctx.sink.add(
        "E0506",
        f"`{attempt.provider}` is asked{again} {when}",
        provider.candidates[tries // (1 + provider.retry.times)].span,
        label=f"never asked{again} in time",
        secondary=decides,
        notes=["\n".join(["what comes before it, at most:", *rows]), *words.in_mode(mode)],
        help=way_out.help,
        fix=way_out.fix,
    )


def _way_out(graph: Graph, node: GraphNode, provider: ProviderSpec, ctx: Context) -> WayOut:
    """Fewer tries where waiting alone uses the budget up; an equal part of the budget for each; or a larger budget."""
    budget, retry = node.spec.first_output_ns, provider.retry
    first, times = provider.origin("first_chunk_ns"), retry.origin("times")
    count = len(provider.candidates)
    fits = [n for n in range(retry.times + 1) if _part(budget, count, n, retry.backoff_ns) >= MS]
    if not fits:
        return _larger_budget(graph, node, provider.attempts * MS + backoffs_ns(provider), ctx)
    part = _part(budget, count, fits[-1], retry.backoff_ns)
    fixes, told = [], []
    if fits[-1] < retry.times and times.kind == "user":
        fixes.append(Fix(times.span, str(fits[-1])))
        told.append({0: "try none again", 1: "try each again once"}.get(fits[-1], f"try each again {fits[-1]} times"))
    if first.kind == "user":
        fixes.append(Fix(first.span, ms(part)))
        told.append(f"give each try {ms(part)}, an equal part of the budget")
    if not fixes:
        return _larger_budget(graph, node, provider.attempts * provider.first_chunk_ns + backoffs_ns(provider), ctx)
    return WayOut("; ".join(told), both(*fixes))


def _part(budget_ns: int, candidates: int, times: int, backoff_ns: int) -> int:
    """What each try gets of a budget, in whole milliseconds."""
    return (budget_ns - candidates * waits_ns(times, backoff_ns)) // (candidates * (1 + times)) // MS * MS


def _larger_budget(graph: Graph, node: GraphNode, needs_ns: int, ctx: Context) -> WayOut:
    needed, origin = ms(-(-needs_ns // MS) * MS), node.spec.origin("first_output_ns")
    setting = f"{node.id} = {needed}"
    fix = Fix(origin.span, needed) if origin.kind == "user" else set_budget(ctx, graph, setting)
    return WayOut(f"give `{node.id}` more: `budget {{ {setting} }}`", fix)


def _report_tools(whole: Graph, graph: Graph, mode: str, ctx: Context) -> None:
    """E0507 for every tool whose calls may use up the budget of the model that waits for them in silence."""
    for tool in graph.spec.tools:
        if holds_up(tool) and not has_filler(whole, tool):
            for model in (node for node in graph.nodes if tool.id in node.spec.tools):
                _waits_for(graph, model, tool, mode, ctx)


def _waits_for(graph: Graph, model: GraphNode, tool: ToolSpec, mode: str, ctx: Context) -> None:
    calls = model.spec.settings.get("max_calls", 1)
    assert isinstance(calls, int)
    takes, budget = calls * tool.timeout_ns, model.spec.first_output_ns
    if takes < budget:
        return
    origin, limit = tool.origin("timeout_ns"), model.spec.origin("first_output_ns")
    times = f"{calls} calls of `{tool.id}` take" if calls > 1 else f"`{tool.id}` takes"
    way_out = _filled(graph, model, tool, ctx) or _quicker_tool(
        graph, model, tool, (budget - MS) // calls // MS * MS, takes + MS, ctx
    )
    ctx.sink.add(
        "E0507",
        f"{times} up to {ms(takes)}, and `{model.id}` has {ms(budget)} until its first words",
        origin.span if origin.kind == "user" else tool.span,
        label="the model waits for it, and nothing is said meanwhile",
        secondary=[(limit.span, f"budget of `{model.id}`")] if limit.kind == "user" else [],
        notes=[
            f"one call: {ms(tool.timeout_ns)} ({origin})",
            *([f"calls of one turn: {calls} ({model.spec.origin('settings.max_calls')})"] if calls > 1 else []),
            f"budget of `{model.id}`: {ms(budget)} ({limit})",
            *words.in_mode(mode),
        ],
        help=way_out.help,
        fix=way_out.fix,
    )


def _filled(graph: Graph, model: GraphNode, tool: ToolSpec, ctx: Context) -> WayOut | None:
    """A few words for the wait, spoken by the voice that the model speaks with; None where no voice follows it."""
    voice = next((edge.target for edge in graph.out_of(model.id) if graph.node(edge.target).kind == "tts"), "")
    if not voice or "." in voice:
        return None
    started = [one for one in graph.spec.reactions if one.trigger and any(at.event == "started" for at in one.events)]
    said = next((one.trigger.node for one in started if one.trigger and graph.node(one.trigger.node).kind == "say"), "")
    name = said or next(free_names(graph, "moment"))
    lines = [f"on {tool.id}.started -> {name} -> {voice}"]
    if not said:
        lines.insert(0, f'node {name} : say {{ text = "One moment, please." }}')
    return WayOut("say something when it starts", add_lines_in(ctx, graph.spec.span, lines))


def _quicker_tool(graph: Graph, model: GraphNode, tool: ToolSpec, lower: int, needs_ns: int, ctx: Context) -> WayOut:
    """Less time for the tool; a larger budget for the model where a millisecond for each call would be too much."""
    if lower < MS:
        return _larger_budget(graph, model, needs_ns, ctx)
    setting, origin, source = f"timeout = {ms(lower)}", tool.origin("timeout_ns"), ctx.source(tool.span)
    if origin.kind == "user":
        return WayOut(f"`{setting}`", Fix(origin.span, ms(lower)))
    return WayOut(f"`{setting}`", setting_in(source, tool.span, braces(source, tool.span), setting))

"""End coverage: every failure has an end, no fallback leads back to itself, every wait has a deadline (promise 4).

A failure is taken up by the lines that name it; where none does, or no guard of them holds, by what the runtime does
by itself. An end is a way to the user, a mode without what failed, an abort, or a hand-over; a line that only does
something else would leave the user in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from rspp_compiler.analysis.safety.fallbacks import FAILURES, Handlers, failures, loops
from rspp_compiler.analysis.safety.pauses import unresumed
from rspp_compiler.analysis.safety.report_ends import report_loop, report_unended, report_unresumed, report_wait
from rspp_compiler.analysis.safety.waits import waits
from rspp_compiler.analysis.shared.reach import before
from rspp_compiler.ir.condition import show
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.proofs.ends import End, EndKind, Ends
from rspp_compiler.ir.spec import ProviderSpec, ReactionSpec, ToolSpec
from rspp_compiler.source import Span

ALWAYS = ("restart", "next", "told")
Default = tuple[EndKind, str]
_LEAVES: dict[str, EndKind] = {
    "cancel_turn": "abort",
    "abort_turn": "abort",
    "cancel_session": "session",
    "end_session": "session",
}


def ends(graph: Graph, ctx: Context) -> Ends:
    """All ends, waits and loops; E1010 to E1013 for those that are missing or never come to one."""
    handlers = Handlers(graph)
    of_nodes = [end for node in graph.nodes for end in _of_node(handlers, node)]
    of_tools = [end for tool in graph.spec.tools for end in _of_tool(handlers, tool)]
    found = Ends((*of_nodes, *of_tools, *_of_providers(graph)), waits(graph), loops(graph, handlers))
    going_round = {step.rpartition(".")[0] for loop in found.loops for step in loop.steps}
    unended: dict[str, list[End]] = {}
    for end in found.ends:
        if end.kind == "none" and end.node not in going_round:
            unended.setdefault(end.node, []).append(end)
    for subject in unended.values():
        report_unended(graph, handlers, subject, ctx)
    for loop in found.loops:
        report_loop(graph, handlers, loop, ctx)
    for wait in found.waits:
        if wait.deadline_ns == 0 and wait.on == "machine":
            report_wait(graph, wait, ctx)
    for reaction in unresumed(graph):
        report_unresumed(graph, reaction, ctx)
    return found


def _of_node(handlers: Handlers, node: GraphNode) -> Iterator[End]:
    for failure in failures(node):
        yield _end(handlers, node.id, "node", failure, _default(node, failure), node.spec.span)


def _default(node: GraphNode, failure: str) -> Default:
    """What the runtime does when no line takes the failure up."""
    if node.scope != "turn" and node.execution == "kernel":
        return "next", "is passed over; the next item is worked on"
    if node.scope != "turn" and node.kind != "stt":
        return "restart", "is started again; the third failure ends the session"
    cause = "provider_failure" if node.execution == "effect" and failure == "error" else "node_timeout_or_failure"
    return "abort", f"aborts the turn ({cause})"


def _of_tool(handlers: Handlers, tool: ToolSpec) -> Iterator[End]:
    """A model that knows a tool is told how it went, if need be in a turn of its own; where only lines call it, the
    turn is aborted, as when a node fails.
    """
    graph = handlers.graph
    is_known = any(tool.id in node.spec.tools for node in graph.nodes)
    is_called = any((one.verb, one.object) == ("call", tool.id) for one in graph.spec.reactions)
    if not is_known and not is_called:
        return
    told: Default = ("told", "the model is told, and goes on")
    default: Default = told if is_known else ("abort", "aborts the turn (node_timeout_or_failure)")
    for failure in FAILURES:
        yield _end(handlers, tool.id, "tool", failure, default, tool.span)


def _end(
    handlers: Handlers, subject: str, of: Literal["node", "tool"], failure: str, default: Default, declared: Span
) -> End:
    """The end of one failure: that of the lines that name it, or of the runtime."""
    lines = handlers.of(subject, failure)
    if not lines:
        return End(subject, of, failure, *default, declared)
    words = ", then ".join(words_of(line) + (f" when {show(line.guard)}" if line.guard else "") for line in lines)
    kind = _of_lines(handlers, subject, lines, default)
    if all(line.guard for line in lines):
        words += f", else {default[1] or 'nothing'}"
    elif kind in ALWAYS:
        words += f"; {default[1]}"
    return End(subject, of, failure, kind, words, lines[0].span)


def _of_lines(handlers: Handlers, subject: str, lines: list[ReactionSpec], default: Default) -> EndKind:
    """Lines with one guard stand together. Those without any hold always; else each group needs an end of its own, and
    so does the case that no guard holds.
    """
    groups: dict[str, list[ReactionSpec]] = {}
    for line in lines:
        groups.setdefault(show(line.guard) if line.guard else "", []).append(line)
    kinds = {guard: _first(_kind(handlers, subject, line) for line in group) for guard, group in groups.items()}
    if "" in kinds:
        kind = kinds[""]
    else:
        kind = "none" if "none" in (default[0], *kinds.values()) else next(iter(kinds.values()))
    return default[0] if kind == "none" and default[0] in ALWAYS else kind


def _first(kinds: Iterable[EndKind]) -> EndKind:
    return next((kind for kind in kinds if kind != "none"), "none")


def _kind(handlers: Handlers, subject: str, line: ReactionSpec) -> EndKind:
    """Which end a line is, if any."""
    graph = handlers.graph
    if line.trigger is not None:
        return "fallback" if handlers.is_heard(line) else "none"
    if line.verb == "degrade":
        off = next(set(mode.off) for mode in graph.spec.modes if mode.id == line.object)
        is_off = subject in off or (graph.find(subject) is not None and off & before(graph, [subject]).keys())
        return "degrade" if is_off else "none"
    if line.verb == "call":
        tool = graph.spec.tool(line.object or "")
        return "hand-over" if tool is not None and tool.kind == "transfer" and tool.id != subject else "none"
    return _LEAVES.get(line.verb or "", "none")


def words_of(line: ReactionSpec) -> str:
    """What a line does, in the words of the language: `sorry -> voice`, `degrade text_only`."""
    if line.trigger is not None:
        return " -> ".join([line.trigger.node, *(edge.target for edge in line.path)])
    verb, _, noun = (line.verb or "").partition("_")
    return f"{verb} {noun}" if noun and noun != "node" else f"{verb} {line.object}"


def _of_providers(graph: Graph) -> Iterator[End]:
    using: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.spec.provider is not None:
            using.setdefault(node.spec.provider, []).append(node.id)
    for provider in graph.spec.providers:
        for failure in FAILURES if provider.id in using else ():
            nodes = " or ".join(f"`{id}`" for id in using[provider.id])
            words = f"{_attempts(provider)}; then {nodes} fails"
            yield End(provider.id, "provider", failure, "next", words, provider.span)


def _attempts(provider: ProviderSpec) -> str:
    """`deepgram, then assemblyai, each tried 2 times`."""
    tries = 1 + provider.retry.times
    names = ", then ".join(candidate.name for candidate in provider.candidates)
    each = ", each" if len(provider.candidates) > 1 else ""
    return f"{names}{each} tried {'once' if tries == 1 else f'{tries} times'}"

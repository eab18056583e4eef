"""Why and when the path of a reaction begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rspp_compiler.analysis.latency.figures import Figure
from rspp_compiler.ir.condition import Comparison, Junction, Membership, texts_of
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import EventSpec, PathBudgetSpec, ReactionSpec, ToolSpec, TriggerSpec
from rspp_compiler.ir.tooling import callers, has_filler

_USED_UP = frozenset({"error", "timeout", "budget_exhausted", "provider_error", "provider_switch", "circuit_event"})


@dataclass(frozen=True, slots=True)
class Cause:
    """One event of a reaction with a path.

    The path begins when `node` has used its time up, at the latest: all of it, or `used` of it. Without a node it
    begins `used` after the clock starts, or, where `used` is None, starts the clock itself.
    """

    reaction: ReactionSpec
    trigger: TriggerSpec
    event: EventSpec
    kind: Literal["fallback", "filler", "reaction"]
    node: str | None = None
    used: Figure | None = None

    def __str__(self) -> str:
        return f"{self.event} -> {self.trigger.node}"


def causes(graph: Graph) -> tuple[Cause, ...]:
    """Every event of every reaction with a path, in the order of the source."""
    filled = {tool.id for tool in graph.spec.tools if has_filler(graph, tool)}
    return tuple(
        cause
        for reaction in graph.spec.reactions
        if reaction.trigger is not None
        for event in reaction.events
        for cause in _causes(graph, reaction, reaction.trigger, event, filled)
    )


def holds_up(tool: ToolSpec) -> bool:
    """Whether a model waits for the tool: not for one in the background, nor once the call is handed over."""
    return not tool.background and tool.kind != "transfer"


def _causes(
    graph: Graph, reaction: ReactionSpec, trigger: TriggerSpec, event: EventSpec, filled: set[str]
) -> Iterator[Cause]:
    node, tool = graph.find(event.subject), graph.spec.tool(event.subject)
    budget = graph.spec.budget
    if node is not None and event.event in _USED_UP:
        yield Cause(reaction, trigger, event, "fallback", node.id)
    elif node is not None and event.event == "budget_warning":
        origin = budget.origin("warning_percent")
        ns = -(-node.spec.first_output_ns * budget.warning_percent // 100)
        warned = Figure(node.id, "budget warning", "first_output", ns, origin)
        yield Cause(reaction, trigger, event, "fallback", node.id, warned)
    elif node is not None and node.scope == "turn" and event.event == "started":
        begun = Figure(node.id, "start", "first_output", 0, node.spec.origin("first_output_ns"))
        yield Cause(reaction, trigger, event, "filler", node.id, begun)
    elif event.subject == "turn" and event.event in ("budget_warning", "budget_exhausted"):
        percent = budget.warning_percent if event.event == "budget_warning" else 100
        words = event.event.replace("_", " ")
        if paths := _paths(graph, reaction):
            yield from (_of_path(graph, reaction, trigger, event, path, percent) for path in paths)
            return
        ns = -(-budget.turn_ns * percent // 100)
        yield Cause(
            reaction, trigger, event, "fallback", None, Figure("turn", words, "delay", ns, budget.origin("turn_ns"))
        )
    elif tool is not None and holds_up(tool) and _is_within_budget(event, tool, filled) and callers(graph, tool.id):
        kind: Literal["filler", "fallback"] = "filler" if event.event == "started" else "fallback"
        for model in callers(graph, tool.id):
            yield Cause(reaction, trigger, event, kind, model)
    else:
        yield Cause(reaction, trigger, event, "reaction")


def _paths(graph: Graph, reaction: ReactionSpec) -> list[PathBudgetSpec]:
    """The paths for whose budgets alone a line is: those that its guard names; empty for any budget of the turn."""
    guard = reaction.guard
    parts = [guard] if guard is not None else []
    while parts and isinstance(parts[-1], Junction) and parts[-1].op == "and":
        last = parts.pop()
        assert isinstance(last, Junction)
        parts += [last.left, last.right]
    named = {
        " ".join(text.split())
        for part in parts
        if (isinstance(part, Comparison) and part.operator == "==") or isinstance(part, Membership)
        for text in texts_of("path", part)
    }
    return [path for path in graph.spec.budget.paths if path.name in named]


def _of_path(
    graph: Graph, reaction: ReactionSpec, trigger: TriggerSpec, event: EventSpec, path: PathBudgetSpec, percent: int
) -> Cause:
    """A path's time is up: it counts from the end of the input, or from when something is on its first flow, for which
    it is at the end of that at the latest.
    """
    ns = -(-path.ns * percent // 100)
    used = Figure(path.name, event.event.replace("_", " "), "delay", ns, path.origin("ns"))
    source = graph.node(path.source)
    opens = (source.kind == "stt" and path.source_port == "utterance") or source.kind == "collect"
    flows = [edge for edge in graph.out_of(path.source, path.source_port) if not edge.reactions]
    node = flows[0].target if flows and (source.scope == "turn" or opens) else None
    return Cause(reaction, trigger, event, "fallback", node, used)


def _is_within_budget(event: EventSpec, tool: ToolSpec, filled: set[str]) -> bool:
    """Whether the event occurs while the model's budget runs: it is paused as soon as something is said."""
    return event.event == "started" or (event.event in ("error", "timeout") and tool.id not in filled)

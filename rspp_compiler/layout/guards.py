"""Guards of flows and reactions as the kernel runs them: integers compared with integers, in postfix order.

A guard reads headers only. What the runtime stamps on an item is its size, its words, its label and whether it is
final; the rest of what the language knows (`confidence`, `language`, …) is stamped by nobody yet, and `unstamped` names
it. What it may read of an event, `layout/events.py` says.
"""

from __future__ import annotations

from fractions import Fraction

from rspp_compiler.ir.condition import Condition, Variable, texts_of, variables
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.layout import Check
from rspp_compiler.ir.spec import EventSpec, ReactionSpec
from rspp_compiler.ir.types import AudioType, PortType
from rspp_compiler.layout.attempts import places
from rspp_compiler.layout.conditions import ANYWHERE, Lowering
from rspp_compiler.layout.events import detector, fields

SECOND_NS = 1_000_000_000
OUTCOMES = ("success", "timeout", "overload", "blocked", "infrastructure_failure", "cancelled")
"""The texts of `event.reason` of a provider's failure, by the contract's `Outcome`; a test holds them equal."""
CAUSES = {
    "cancelled": 1,
    "authority_loss": 2,
    "recording_evidence_unavailable": 3,
    "node_timeout_or_failure": 4,
    "provider_failure": 5,
    "transport_disconnect_or_stall": 6,
    "budget_exhausted": 7,
    "authority_epoch_mismatch": 8,
    "snapshot_stale": 9,
    "snapshot_missing": 10,
    "snapshot_incompatible": 11,
    "plan_not_freezable": 12,
    "turn_active": 13,
    "session_not_running": 14,
    "node_timeout": 20,
    "node_error": 21,
    "barge_in": 22,
    "user": 23,
    "oversized": 24,
    "unknown_port": 25,
    "circuit_open": 42,
    "probe_due": 43,
    "probe_answered": 44,
}
"""The texts of `event.reason` of a decision, by the runtime's `Cause`; a test holds them equal."""

_FIELDS = {
    **ANYWHERE,
    ("event", "length"): "length",
    ("event", "words"): "words",
    ("event", "final"): "final",
    ("event", "label"): "label",
    ("event", "duration"): "length",
}


def guard(graph: Graph, edge: GraphEdge, modes: dict[str, int]) -> tuple[Check, ...]:
    """The guard of an edge; that of `otherwise` is that no sibling's holds. Empty where every item passes."""
    spec = edge.spec
    if not spec.otherwise:
        return tuple(_OfEdge(graph, edge, modes).condition(spec.guard)) if spec.guard else ()
    steps: list[Check] = []
    for number, sibling in enumerate(_guarded_siblings(graph, edge)):
        assert sibling.spec.guard is not None
        steps += _OfEdge(graph, sibling, modes).condition(sibling.spec.guard)
        steps += [Check("or")] if number else []
    return (*steps, Check("not")) if steps else ()


def reaction_guard(graph: Graph, reaction: ReactionSpec, event: EventSpec, modes: dict[str, int]) -> tuple[Check, ...]:
    """The guard of a line for one of its events. Empty where it always acts."""
    return tuple(_OfEvent(graph, event, modes).condition(reaction.guard)) if reaction.guard else ()


def unknown(graph: Graph, reaction: ReactionSpec) -> tuple[str, ...]:
    """What the guard of a reaction reads and the runtime does not know yet; or a reason that nothing ever has."""
    found: list[str] = []
    if reaction.guard is None:
        return ()
    for event in reaction.events:
        of = _OfEvent(graph, event, {})
        for variable in variables(reaction.guard):
            name = f"{variable.subject}.{variable.field}"
            if not of.field(variable):
                found.append(name)
        found += [f'event.reason == "{reason}"' for reason in of.strange_reasons(reaction.guard)]
    return tuple(dict.fromkeys(found))


def unstamped(graph: Graph, edge: GraphEdge) -> tuple[str, ...]:
    """The fields that the guard of an edge reads, or with `otherwise` those of its siblings, and nobody stamps yet."""
    edges = _guarded_siblings(graph, edge) if edge.spec.otherwise else [edge]
    found: list[str] = []
    for one in edges:
        port = graph.source_port(one)
        for variable in variables(one.spec.guard) if one.spec.guard else ():
            name = f"{variable.subject}.{variable.field}"
            coded = variable.field == "duration" and _bytes_per_second(port.type if port else None) is None
            if ((variable.subject, variable.field) not in _FIELDS or coded) and name not in found:
                found.append(name)
    return tuple(found)


def _guarded_siblings(graph: Graph, edge: GraphEdge) -> list[GraphEdge]:
    return [one for one in graph.out_of(edge.source, edge.source_port) if one.spec.guard is not None]


def _bytes_per_second(type: PortType | None) -> int | None:
    """Of audio whose length is its size; None for what is coded."""
    return type.bytes_per_second if isinstance(type, AudioType) and type.encoding != "opus" else None


class _OfEdge(Lowering):
    """Lowers the guard of one edge."""

    def __init__(self, graph: Graph, edge: GraphEdge, modes: dict[str, int]) -> None:
        super().__init__(modes)
        port = graph.source_port(edge)
        self._bytes_per_second = _bytes_per_second(port.type if port else None) or 0

    def field(self, variable: Variable) -> str:
        return _FIELDS.get((variable.subject, variable.field), "")

    def _exact(self, variable: Variable, value: Fraction) -> Fraction:
        return value * self._bytes_per_second / SECOND_NS if variable.field == "duration" else value


class _OfEvent(Lowering):
    """Lowers the guard of a reaction, for one of its events."""

    def __init__(self, graph: Graph, event: EventSpec, modes: dict[str, int]) -> None:
        super().__init__(modes)
        self._fields = fields(event, detector(graph))
        node = graph.find(event.subject)
        self._paths = [path.name for path in graph.spec.budget.paths]
        self._providers = [place.candidate.name for place in places(graph, node)] if node else []

    def field(self, variable: Variable) -> str:
        if variable.subject == "event":
            return self._fields.get(variable.field, "")
        return ANYWHERE.get((variable.subject, variable.field), "")

    def _numbers(self, field: str, text: str) -> tuple[int, ...] | None:
        if field == "provider":
            return tuple(place for place, name in enumerate(self._providers) if name == text)
        if field == "path":
            name = " ".join(text.split())
            return tuple(place for place, one in enumerate(self._paths) if one == name)
        if field == "outcome":
            return (OUTCOMES.index(text),) if text in OUTCOMES else ()
        if field == "cause":
            return (CAUSES[text],) if text in CAUSES else ()
        return super()._numbers(field, text)

    def strange_reasons(self, condition: Condition) -> list[str]:
        """Texts that `event.reason` is compared with, and never is."""
        name = self._fields.get("reason", "")
        return [text for text in texts_of("reason", condition) if name and not self._numbers(name, text)]

"""How data of a class spreads: from the ports that emit it, along flows and reactions, through what passes it on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.proofs.classes import SENSITIVE, ClassSource
from rspp_compiler.ir.spec import ReactionSpec
from rspp_compiler.source import Span

# A reaction to one of these hands on what the failed node was working on; any other event is only an event.
_CARRIES = frozenset({"error", "timeout", "budget_exhausted"})
_CUSTOM = frozenset({"python", "grpc", "wasm"})
_SAYS_ITS_OWN = frozenset({"say", "play", "tap", "timer", "ingress", "egress"})

Place = tuple[str, str, str]
"""An input: node, port, and the class that came there."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a class came to an input: from a source, or from another input, by an edge or by a line."""

    source: ClassSource
    before: Place | None
    edge: GraphEdge | None
    line: ReactionSpec | None

    @property
    def span(self) -> Span:
        """The place in the text that made it come here."""
        return self.edge.spec.span if self.edge is not None else self.line.span if self.line else self.source.span


class Spread:
    """Everything that personal data comes to in one graph. `steps` has every input that it comes to."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.sources = tuple(_sources(graph))
        self.steps: dict[Place, Step] = {}
        self._lines: dict[str, list[ReactionSpec]] = {}
        for line in graph.spec.reactions:
            for event in line.events if line.trigger else ():
                if event.event in _CARRIES:
                    self._lines.setdefault(event.subject, []).append(line)
        if self.sources:
            self._spread()

    def at(self, node: str) -> dict[str, Place]:
        """The classes that come to a node, each with an input that it comes to."""
        found: dict[str, Place] = {}
        for port in self._graph.node(node).spec.inputs:
            for payload_class in SENSITIVE:
                place = (node, port.name, payload_class)
                if place in self.steps:
                    found.setdefault(payload_class, place)
        return found

    def way(self, place: Place) -> list[tuple[str, Step]]:
        """The inputs on the way to `place`, the first one behind the source, each with how the class came there."""
        way: list[tuple[str, Step]] = []
        at: Place | None = place
        while at is not None:
            step = self.steps[at]
            way.append((f"{at[0]}.{at[1]}", step))
            at = step.before
        return way[::-1]

    def _spread(self) -> None:
        waiting: deque[Place] = deque()
        for source in self.sources:
            id, _, port = source.port.rpartition(".")
            for edge in self._graph.out_of(id, port):
                self._come(edge.target, edge.target_port, Step(source, None, edge, None), waiting)
        while waiting:
            place = waiting.popleft()
            node, step = self._graph.node(place[0]), self.steps[place]
            for port in passes_on(node, place[2]):
                for edge in self._graph.out_of(node.id, port):
                    self._come(edge.target, edge.target_port, Step(step.source, place, edge, None), waiting)
            for line in self._lines.get(node.id, ()):
                trigger = line.trigger
                if not _is_main(node, place[1]) and not self._graph.shows(line):
                    continue  # only a tap is shown what came in elsewhere
                if trigger is not None and self._graph.find(trigger.node) is not None:
                    self._come(trigger.node, trigger.port, Step(step.source, place, None, line), waiting)

    def _come(self, node: str, port: str, step: Step, waiting: deque[Place]) -> None:
        place = (node, port, step.source.payload_class)
        if place not in self.steps:
            self.steps[place] = step
            waiting.append(place)


def passes_on(node: GraphNode, payload_class: str) -> tuple[str, ...]:
    """The outputs by which what comes in goes on. A custom node emits what its signature says, and nothing else."""
    if node.kind in _CUSTOM or node.kind in _SAYS_ITS_OWN:
        return ()
    if node.kind == "redact" and payload_class in redacted(node):
        return ()
    return tuple(port.name for port in node.spec.outputs)


def redacted(node: GraphNode) -> tuple[str, ...]:
    """The classes that a `redact` node takes out."""
    classes = node.spec.settings.get("classes", ())
    return classes if isinstance(classes, tuple) else (str(classes),)


def _is_main(node: GraphNode, port: str) -> bool:
    spec = node.spec.input(port)
    return spec is not None and spec.main


def _sources(graph: Graph) -> Iterator[ClassSource]:
    """Ports whose type, or whose node's `class`, is a sensitive one."""
    for node in graph.nodes:
        declared = node.spec.settings.get("class")
        for port in node.spec.outputs:
            of_type = getattr(port.type, "payload_class", "metadata")
            if declared in SENSITIVE:
                yield ClassSource(str(declared), f"{node.id}.{port.name}", node.spec.origin("settings.class").span)
            elif of_type in SENSITIVE:
                yield ClassSource(of_type, f"{node.id}.{port.name}", port.origin("type").span)

"""The pipeline as a graph: nodes with their scope, edges with the reactions that own them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rspp_compiler.ir.spec import EdgeSpec, NodeSpec, PipelineSpec, PortSpec, ProviderSpec, ReactionSpec, Scope


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node. `position` is its place in a topological order: ingress first, egress last, ties as declared.

    `parties` are those whose turns or speech it takes part in, sorted; a pipeline without parties has the party "".
    """

    id: str
    kind: str
    execution: str
    scope: Scope
    position: int
    parties: tuple[str, ...]
    spec: NodeSpec = field(repr=False, metadata={"dump": False})


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """One flow. `reactions` are the ids of the reactions whose path it belongs to; a plain flow has none.

    `opens_turn` marks where a turn begins: what flows here is a whole utterance, and what is behind belongs to a turn.
    """

    id: str
    source: str
    source_port: str
    target: str
    target_port: str
    scope: Scope
    reactions: tuple[str, ...]
    opens_turn: bool
    spec: EdgeSpec = field(repr=False, metadata={"dump": False})


@dataclass(frozen=True)
class Graph:
    """All of it, as one policy leaves it: `policy` is "" for the pipeline as written.

    `variants` are the graphs of the policies, in their order. `flows` is the `networkx.MultiDiGraph` over node ids, its
    edges carry their `GraphEdge` as `edge`; `ir` does not know networkx, hence `Any`. Nodes lie in order of `position`,
    edges in the order of the source. `converters` are the ids of nodes that the compiler inserted.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    spec: PipelineSpec = field(repr=False, metadata={"dump": False})
    flows: Any = field(repr=False, compare=False, metadata={"dump": False})
    policy: str = ""
    converters: tuple[str, ...] = ()
    variants: tuple[Graph, ...] = ()

    def node(self, id: str) -> GraphNode:
        """The node of that id; `KeyError` if there is none."""
        return self._nodes[id]

    def find(self, id: str) -> GraphNode | None:
        return self._nodes.get(id)

    def into(self, id: str, port: str | None = None) -> tuple[GraphEdge, ...]:
        """Edges that end at a node, or at one of its ports, in the order of the source."""
        edges = self._into[id]
        return edges if port is None else tuple(edge for edge in edges if edge.target_port == port)

    def out_of(self, id: str, port: str | None = None) -> tuple[GraphEdge, ...]:
        """Edges that begin at a node, or at one of its ports, in the order of the source."""
        edges = self._out_of[id]
        return edges if port is None else tuple(edge for edge in edges if edge.source_port == port)

    def of_kind(self, *kinds: str) -> tuple[GraphNode, ...]:
        return tuple(node for node in self.nodes if node.kind in kinds)

    def shows(self, line: ReactionSpec) -> bool:
        """Whether a reaction only shows something: its path begins, and so ends, at a tap."""
        node = self.find(line.trigger.node) if line.trigger is not None else None
        return node is not None and node.kind == "tap"

    def source_port(self, edge: GraphEdge) -> PortSpec | None:
        return self.node(edge.source).spec.output(edge.source_port)

    def target_port(self, edge: GraphEdge) -> PortSpec | None:
        return self.node(edge.target).spec.input(edge.target_port)

    def provider_of(self, node: GraphNode) -> ProviderSpec | None:
        """The block that performs the node; None for a node without a provider."""
        return self.spec.provider(node.spec.provider)

    @cached_property
    def _nodes(self) -> dict[str, GraphNode]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _into(self) -> defaultdict[str, tuple[GraphEdge, ...]]:
        return _grouped(self.edges, "target")

    @cached_property
    def _out_of(self) -> defaultdict[str, tuple[GraphEdge, ...]]:
        return _grouped(self.edges, "source")


def _grouped(edges: tuple[GraphEdge, ...], end: str) -> defaultdict[str, tuple[GraphEdge, ...]]:
    lists: defaultdict[str, list[GraphEdge]] = defaultdict(list)
    for edge in edges:
        lists[getattr(edge, end)].append(edge)
    return defaultdict(tuple, {id: tuple(of) for id, of in lists.items()})

"""The pipeline as a graph: nodes with their scope, edges with the reactions that own them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rspp_compiler.ir.spec import EdgeSpec, NodeSpec, PipelineSpec, PortSpec, Scope


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node. `position` is its place in a topological order: ingress first, egress last, ties as declared."""

    id: str
    kind: str
    execution: str
    scope: Scope
    position: int
    spec: NodeSpec = field(repr=False, metadata={"dump": False})


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """One flow. `reactions` are the ids of the reactions whose path it belongs to; a plain flow has none."""

    id: str
    source: str
    source_port: str
    target: str
    target_port: str
    scope: Scope
    reactions: tuple[str, ...]
    spec: EdgeSpec = field(repr=False, metadata={"dump": False})


@dataclass(frozen=True, slots=True)
class Graph:
    """All of it. `flows` is the `networkx.MultiDiGraph` over node ids whose edges carry their `GraphEdge` as `edge`.

    Nodes lie in order of `position`, edges in the order of the source. `ir` does not know networkx, hence `Any`.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    spec: PipelineSpec = field(repr=False, metadata={"dump": False})
    flows: Any = field(repr=False, compare=False, metadata={"dump": False})

    def node(self, id: str) -> GraphNode:
        """The node of that id; `KeyError` if there is none."""
        for node in self.nodes:
            if node.id == id:
                return node
        raise KeyError(id)

    def into(self, id: str) -> tuple[GraphEdge, ...]:
        """Edges that end at a node, in the order of the source."""
        return tuple(edge for edge in self.edges if edge.target == id)

    def out_of(self, id: str, port: str | None = None) -> tuple[GraphEdge, ...]:
        """Edges that begin at a node, or at one of its ports, in the order of the source."""
        return tuple(edge for edge in self.edges if edge.source == id and port in (None, edge.source_port))

    def of_kind(self, kind: str) -> tuple[GraphNode, ...]:
        return tuple(node for node in self.nodes if node.kind == kind)

    def source_port(self, edge: GraphEdge) -> PortSpec | None:
        return self.node(edge.source).spec.output(edge.source_port)

    def target_port(self, edge: GraphEdge) -> PortSpec | None:
        return self.node(edge.target).spec.input(edge.target_port)

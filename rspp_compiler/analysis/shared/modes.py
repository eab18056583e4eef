"""The pipeline in one of its modes: without the nodes that are off, and with its settings overridden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import ModeSpec, NodeSpec, OverrideSpec

# Settings with a field of their own in `NodeSpec`; every other one lies in its `settings`.
_FIELDS = frozenset({"provider", "cancel", "tools", "work_ns", "first_output_ns", "chunk_ns"})


def in_mode(graph: Graph, mode: ModeSpec) -> Graph:
    """The graph as it is in `mode`. A flow is off with either of its ends."""
    overrides: dict[str, list[OverrideSpec]] = {}
    for override in mode.overrides:
        overrides.setdefault(override.node, []).append(override)
    off = frozenset(mode.off)
    nodes = tuple(_overridden(node, overrides.get(node.id, [])) for node in graph.nodes if node.id not in off)
    edges = tuple(edge for edge in graph.edges if edge.source not in off and edge.target not in off)
    return replace(graph, nodes=nodes, edges=edges, variants=())


def every_mode(graph: Graph) -> Iterator[tuple[str, Graph]]:
    """The full pipeline, whose mode is "", and then each mode by its name."""
    yield "", graph
    for mode in graph.spec.modes:
        yield mode.id, in_mode(graph, mode)


def _overridden(node: GraphNode, overrides: list[OverrideSpec]) -> GraphNode:
    return replace(node, spec=_spec(node.spec, overrides)) if overrides else node


def _spec(spec: NodeSpec, overrides: list[OverrideSpec]) -> NodeSpec:
    changed: dict[str, Any] = {}
    settings, origins = dict(spec.settings), dict(spec.origins)
    for override in overrides:
        if override.field in _FIELDS:
            changed[override.field] = override.value
            origins[override.field] = Origin.user(override.span)
        else:
            settings[override.field] = override.value
            origins[f"settings.{override.field}"] = Origin.user(override.span)
    return spec.model_copy(update={**changed, "settings": settings, "origins": origins})

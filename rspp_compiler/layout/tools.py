"""Tools as effect nodes, the way to them and the way back: what a tool's declaration adds to the tables.

A model gets for each of its tools an output, whose only edge leads to the tool, and an input `answer`, to which an
edge of each leads. That is the only circle of a plan: `calls_max` bounds it, and its rings hold that many items. Tools
stand behind all other nodes, and their edges behind all others, so that a pipeline without tools keeps its numbers.

`call TOOL` of a reaction is a node that says "{}" to the tool: whoever triggers it calls without arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.layout import Edge, Node, Pool, Port, Tool
from rspp_compiler.ir.spec import ToolSpec
from rspp_compiler.ir.tooling import has_filler

CALL_BYTES_MAX = 2048  # the arguments of one call, in JSON
ANSWER_BYTES_MAX = 4096  # a call and its answer: a text item (CONTRACTS §2)
IN_TRANSIT = 4  # items that lie in neither a ring nor an output
MODEL = "llm"
NO_ARGUMENTS = "{}"
CALLS_WAITING_MAX = 4  # of reactions, before one tool; the next one is dropped, and that is told


class Way(NamedTuple):
    """From one model to one of its tools, or back."""

    model: GraphNode
    tool: ToolSpec
    back: bool

    @property
    def name(self) -> str:
        model, tool = self.model.id, self.tool.id
        return f"{tool} -> {model}.answer" if self.back else f"{model}.{tool} -> {tool}"


def runs(tool: ToolSpec) -> bool:
    """Whether the runtime can perform it."""
    return tool.kind == "python" and not tool.background


def tools(graph: Graph) -> tuple[ToolSpec, ...]:
    """The tools that a model may call, or a reaction, as they are declared."""
    named = {name for node in graph.of_kind(MODEL) for name in node.spec.tools} | _called(graph)
    return tuple(tool for tool in graph.spec.tools if runs(tool) and tool.id in named)


def called(graph: Graph) -> tuple[ToolSpec, ...]:
    """Those of them that reactions call."""
    return tuple(tool for tool in tools(graph) if tool.id in _called(graph))


def _called(graph: Graph) -> set[str]:
    return {reaction.object or "" for reaction in graph.spec.reactions if reaction.verb == "call"}


def of_model(graph: Graph, node: GraphNode) -> tuple[ToolSpec, ...]:
    """Those of one model."""
    return tuple(tool for tool in tools(graph) if node.kind == MODEL and tool.id in node.spec.tools)


def ways(graph: Graph) -> tuple[Way, ...]:
    """First all ways to tools, then all ways back."""
    there = [Way(node, tool, back=False) for node in graph.of_kind(MODEL) for tool in of_model(graph, node)]
    return (*there, *(way._replace(back=True) for way in there))


def ids(graph: Graph) -> dict[str, int]:
    """Node ids of the tools, behind those that call them for reactions."""
    return {tool.id: len(graph.nodes) + len(called(graph)) + index for index, tool in enumerate(tools(graph))}


def call_ids(graph: Graph) -> dict[str, int]:
    """By tool, the node that calls it for reactions."""
    return {tool.id: len(graph.nodes) + index for index, tool in enumerate(called(graph))}


def nodes(graph: Graph, events: dict[tuple[str, str], int]) -> Iterator[Node]:
    """A row for each tool, and for each way in which reactions call one."""
    edges, calls = _edge_ids(graph), call_ids(graph)
    for tool in called(graph):
        yield Node(
            id=calls[tool.id],
            name=f"call {tool.id}",
            kind="say",
            execution="kernel",
            scope="turn",
            line=tool.span.line,
            outputs=(Port("call", "text", CALL_BYTES_MAX),),
            text=NO_ARGUMENTS,
        )
    for tool in tools(graph):
        into = [edges[way.name] for way in ways(graph) if way.tool is tool and not way.back]
        into += [edges[_call_name(tool)]] if tool.id in calls else []
        yield Node(
            id=ids(graph)[tool.id],
            name=tool.id,
            kind="tool",
            execution="effect",
            scope="turn",
            line=tool.span.line,
            inputs=(Port("call", "call", CALL_BYTES_MAX),),
            outputs=(Port("result", "text", ANSWER_BYTES_MAX),),
            edges_in=tuple(into),
            upstream=1 << calls[tool.id] if tool.id in calls else 0,
            window=1,
            first_output_ns=tool.timeout_ns,
            event_error=events.get((tool.id, "error"), -1),
            event_timeout=events.get((tool.id, "timeout"), -1),
            event_started=events.get((tool.id, "started"), -1),
            event_done=events.get((tool.id, "done"), -1),
            tool=Tool(
                about=tool.about,
                params=tuple((param.name, param.type) for param in tool.params),
                once=tool.once,
                soft=tool.cancel == "soft",
                filler=has_filler(graph, tool),
            ),
        )


def taught(graph: Graph, node: GraphNode, row: Node) -> Node:
    """The row of a model, with a way to each of its tools."""
    own, edges = of_model(graph, node), _edge_ids(graph)
    if not own:
        return row
    back = [edges[way.name] for way in ways(graph) if way.model is node and way.back]
    return replace(
        row,
        inputs=(*row.inputs, Port("answer", "call", ANSWER_BYTES_MAX)),
        outputs=(*row.outputs, *(Port(tool.id, "call", CALL_BYTES_MAX) for tool in own)),
        edges_in=(*row.edges_in, *back),
        calls_max=_calls_max(node),
    )


def edges(graph: Graph, rows: tuple[Node, ...], pools: int) -> Iterator[Edge]:
    """The ways, behind all other edges; `pools` is how many others there are."""
    tool_ids, edge_ids = ids(graph), _edge_ids(graph)
    for way in ways(graph):
        model, most = rows[way.model.position], _calls_max(way.model)
        size = ANSWER_BYTES_MAX if way.back else CALL_BYTES_MAX
        port = next(i for i, one in enumerate(model.outputs) if (one.name, one.type) == (way.tool.id, "call"))
        there = (model.id, port, tool_ids[way.tool.id], 0)
        back = (tool_ids[way.tool.id], 0, model.id, len(model.inputs) - 1)
        source, source_port, target, target_port = back if way.back else there
        yield Edge(
            id=edge_ids[way.name],
            name=way.name,
            line=way.tool.span.line,
            source=source,
            source_port=source_port,
            target=target,
            target_port=target_port,
            scope="turn",
            pool=pools + int(way.back),
            items_max=most,
            bytes_max=most * size,
        )

    calls = call_ids(graph)
    for tool in called(graph):
        yield Edge(
            id=edge_ids[_call_name(tool)],
            name=_call_name(tool),
            line=tool.span.line,
            source=calls[tool.id],
            source_port=0,
            target=tool_ids[tool.id],
            target_port=0,
            scope="turn",
            pool=pools,
            items_max=CALLS_WAITING_MAX,
            bytes_max=CALLS_WAITING_MAX * CALL_BYTES_MAX,
        )


def pools(graph: Graph, data_out_max: int) -> tuple[Pool, ...]:
    """Slots for calls, and for answers: what the rings and the outputs can hold."""
    waiting = sum(_calls_max(way.model) for way in ways(graph) if not way.back)
    waiting += CALLS_WAITING_MAX * len(called(graph))
    if not waiting:
        return ()
    slots = waiting + data_out_max + IN_TRANSIT
    return Pool("call", CALL_BYTES_MAX, slots), Pool("answer", ANSWER_BYTES_MAX, slots)


def _edge_ids(graph: Graph) -> dict[str, int]:
    names = [*(way.name for way in ways(graph)), *map(_call_name, called(graph))]
    return {name: len(graph.edges) + index for index, name in enumerate(names)}


def _call_name(tool: ToolSpec) -> str:
    return f"call {tool.id} -> {tool.id}"


def _calls_max(node: GraphNode) -> int:
    most = node.spec.settings.get("max_calls", 4)
    return most if isinstance(most, int) else 4

"""What the compiler knows about a node or an edge, for hover: types, budgets with their origins, shares, memory.

The figures are those of the last compilation that had them; while the text has errors they may be a moment old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rspp_compiler.driver import Result
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.plan import Layout
from rspp_compiler.ir.spec import EdgeSpec, NodeSpec, OverflowStep, PipelineSpec, PortSpec
from rspp_compiler.ir.symbols import Symbol
from rspp_compiler.sema.reading.values import show_ns
from rspp_compiler.source import Span

_INSTANCES_MAX = 3  # of a module's node that are shown


@dataclass(frozen=True, slots=True)
class Figures:
    """The stages of one compilation, as far as it got."""

    spec: PipelineSpec
    analysis: Analysis | None
    layout: Layout | None

    @property
    def edges(self) -> Iterator[EdgeSpec]:
        """Every flow, those of reactions included."""
        yield from self.spec.edges
        for reaction in self.spec.reactions:
            yield from reaction.path

    def added_ns(self, edge: EdgeSpec) -> int | None:
        """What an edge adds to a path that runs through it; None where the compilation did not come that far."""
        bounds = self.analysis.bounds if self.analysis else ()
        return next((bound.contributes_ns for bound in bounds if bound.edge == edge.id), None)


def figures(results: Iterable[Result]) -> list[Figures]:
    """The compilations that have figures; the newest first."""
    found = []
    for result in results:
        spec, analysis, layout = (result.values.get(name) for name in ("validate", "analyze", "layout"))
        if isinstance(spec, PipelineSpec):
            found.append(
                Figures(
                    spec,
                    analysis if isinstance(analysis, Analysis) else None,
                    layout if isinstance(layout, Layout) else None,
                )
            )
    return found


def nodes_of(symbol: Symbol, known: Iterable[Figures]) -> list[tuple[Figures, NodeSpec]]:
    """What a declared node became: one node, or one for each use of the module that it stands in."""
    for one in known:
        is_own = symbol.parent is None or symbol.parent.sort != "module"
        found = [
            (one, node)
            for node in one.spec.nodes
            if node.span in (symbol.span, symbol.at) or (is_own and node.id == symbol.name)
        ]
        if found:
            return found
    return []


def edges_at(span: Span, known: Iterable[Figures]) -> list[tuple[Figures, EdgeSpec]]:
    """The flows whose text covers a place."""
    for one in known:
        found = [(one, edge) for edge in one.edges if covers(edge.span, span)]
        if found:
            return found
    return []


def covers(outer: Span, inner: Span) -> bool:
    ends = (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    return outer.file == inner.file and (outer.line, outer.column) <= (inner.line, inner.column) and ends


# ---- as Markdown


def node_lines(symbol: Symbol, known: list[Figures]) -> list[str]:
    """Ports with types, budget with origin and share, memory of its edges: for each node that the symbol became."""
    found = nodes_of(symbol, known)
    lines: list[str] = []
    for one, node in found[:_INSTANCES_MAX]:
        if len(found) > 1:
            lines.append(f"As `{node.id}`:")
        lines += _node(one, node)
    if len(found) > _INSTANCES_MAX:
        lines.append(f"… and {len(found) - _INSTANCES_MAX} more uses of the module")
    return lines


def _node(known: Figures, node: NodeSpec) -> list[str]:
    rows = [f"- in {_port(port)}" for port in node.inputs] + [f"- out {_port(port)}" for port in node.outputs]
    lines = ["\n".join(rows)] if rows else []
    if node.first_output_ns:
        turn = known.spec.budget
        budget = f"**Budget** {show_ns(node.first_output_ns)} to first output ({node.origin('first_output_ns')})"
        share = f"{share_of(node.first_output_ns, turn.turn_ns)} of the turn's {show_ns(turn.turn_ns)}"
        lines.append(f"{budget}: {share} ({turn.origin('turn_ns')})")
    if known.analysis:
        lines += _on_its_slowest_path(known.analysis, node.id)
        lines += _when_it_fails(known.analysis, node.id)
    edges = [edge for edge in known.edges if node.id in (edge.source, edge.target)]
    if edges:
        held = sum(edge.buffer_bytes for edge in edges)
        all_of_it = f", of {size(known.layout.plan.memory_bytes)} for a session" if known.layout else ""
        number = f"{len(edges)} edge{'s' if len(edges) > 1 else ''}"
        lines.append(f"**Memory** its {number} may hold {size(held)}{all_of_it}")
    return lines


def _on_its_slowest_path(analysis: Analysis, node: str) -> list[str]:
    """When the node has its first output on the slowest path that it lies on."""
    for path in analysis.latency.paths:
        if step := next((step for step in path.steps if step.subject == node), None):
            other = f"the way of `{path.cause}`" if path.cause else "a path"
            which = "the slowest path" if path == analysis.worst else other
            done = f"first output {show_ns(step.until_ns)} after the clock starts, of {show_ns(path.total_ns)} in all"
            return [f"**On {which}** to `{path.output}`: {done}"]
    return []


def _when_it_fails(analysis: Analysis, node: str) -> list[str]:
    ends = [end for end in analysis.ends.ends if end.of == "node" and end.node == node]
    return ["**When it fails**\n" + "\n".join(f"- {end.failure}: {end.end}" for end in ends)] if ends else []


def edge_lines(span: Span, known: list[Figures]) -> list[str]:
    """Bounds, overflow, and what the flow at a place adds to a path."""
    found = edges_at(span, known)
    lines: list[str] = []
    for one, edge in found[:_INSTANCES_MAX]:
        lines.append(f"```rspp\n{edge.id}\n```")
        lines.append("\n".join(f"- {row}" for row in _edge(one, edge)))
    return lines


def _edge(known: Figures, edge: EdgeSpec) -> Iterator[str]:
    yield f"**holds** {edge.buffer_items} items ({edge.origin('buffer_items')})"
    if edge.buffer_ns:
        yield f"**age** at most {show_ns(edge.buffer_ns)} ({edge.origin('buffer_ns')})"
    yield f"**size** at most {size(edge.buffer_bytes)} ({edge.origin('buffer_bytes')})"
    yield f"**overflow** {overflow(edge.overflow)} ({edge.origin('overflow')})"
    if edge.handoff:
        handoff = edge.handoff
        age = f"at most {show_ns(handoff.age_ns_max)} ({handoff.origin('age_ns_max')})"
        yield f"**hand-off** by {handoff.by}, {age}"
    if edge.commit_point:
        yield "**commit point**: what is past it has been said"
    added = known.added_ns(edge)
    if added is not None:
        turn = known.spec.budget.turn_ns
        share = f", {share_of(added, turn)} of the turn's {show_ns(turn)}" if added else ""
        yield f"**adds** {show_ns(added) if added else 'nothing'} to a path through it{share}"
    lives = {"session": "as long as the session", "turn": "for one turn, and starts it empty"}
    yield f"lives {lives.get(edge.scope, 'as long as its party')}"


def overflow(steps: Iterable[OverflowStep]) -> str:
    """`block(40ms), then drop_oldest`."""
    words = []
    for step in steps:
        argument = show_ns(step.block_ns) if step.block_ns else step.rule
        argument = argument or (f"{step.keep_percent}%" if step.keep_percent else "")
        words.append(f"`{step.strategy}({argument})`" if argument else f"`{step.strategy}`")
    return ", then ".join(words)


def _port(port: PortSpec) -> str:
    return f"`{port.name} : {port.type}`{' (main)' if port.main else ''}"


def share_of(part: int, whole: int) -> str:
    """`40 %`, rounded; `<1 %` for what is there but small."""
    percent = round(100 * part / whole)
    return f"{percent} %" if percent or not part else "<1 %"


def size(count: int) -> str:
    """Bytes as people read them: `64 kB`."""
    for unit, bytes_of in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= bytes_of:
            return f"{count / bytes_of:.3g} {unit}"
    return f"{count} B"

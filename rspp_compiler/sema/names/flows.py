"""Flows: `a -> b -> c` to edges, in a pipeline or in the path of a reaction; and ports of modules taken out of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundEdge, BoundEnd
from rspp_compiler.ir.condition import Condition, Junction
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.events import ITEM_FIELDS
from rspp_compiler.sema.mending import without_clause
from rspp_compiler.sema.names.conditions import Conditions
from rspp_compiler.sema.names.scope import JOINTS, Scope

Path = tuple[BoundEdge, ...]


def path(scope: Scope, conditions: Conditions, start: ast.Ref, hops: Iterable[ast.Hop]) -> list[BoundEdge]:
    """The edges of `start -> b -> c`; an end that cannot be bound leaves its edges out."""
    edges: list[BoundEdge] = []
    source = scope.end(start, "output")
    at = start.span
    hops = tuple(hops)
    for index, hop in enumerate(hops):
        target = scope.end(hop.ref, "input")
        if source and target:
            guard, otherwise = hop_guard(conditions, hop, source)
            settings = hop.settings.items if hop.settings else ()
            edges.append(BoundEdge(source, target, settings, at.to(hop.span), guard, otherwise))
        through = ast.Ref(hop.ref.parts[:1], hop.ref.span)
        source = scope.end(through, "output") if target and index + 1 < len(hops) else None
        at = hop.ref.span
    return edges


def hop_guard(conditions: Conditions, hop: ast.Hop, source: BoundEnd) -> tuple[Condition | None, bool]:
    """What qualifies the arrow: a condition on the item, or `otherwise`."""
    if hop.guard is None:
        return None, False
    if hop.guard.condition is None:
        return None, True
    fields = ITEM_FIELDS[source.port.type]
    return conditions.guard(hop.guard, fields, f"what flows from `{source.node.id}.{source.port.name}`"), False


def declared_once(edges: Iterable[BoundEdge], ctx: Context) -> list[BoundEdge]:
    """The edges without those written a second time, which are reported (E0202)."""
    seen: dict[str, BoundEdge] = {}
    for edge in edges:
        first = seen.setdefault(edge.id, edge)
        if first is not edge:
            ctx.sink.add(
                "E0202",
                f"the flow {edge.id} is written twice",
                edge.span,
                secondary=[(first.span, "first written here")],
                help="write it once, with all of its settings",
                fix=remove(ctx.source(edge.span), edge.span),
            )
    return list(seen.values())


def otherwise_has_siblings(edges: Iterable[BoundEdge], ctx: Context) -> None:
    """E0230: `otherwise` means that no guard of a sibling held, so there must be one."""
    by_port: defaultdict[tuple[str, str], list[BoundEdge]] = defaultdict(list)
    for edge in edges:
        by_port[edge.source.node.id, edge.source.port.name].append(edge)
    for siblings in by_port.values():
        for edge in siblings:
            if edge.otherwise and not any(sibling.guard for sibling in siblings):
                source = ctx.source(edge.span)
                word = source.text.find("otherwise", source.offset(edge.span.line, edge.span.column))
                at = source.span(word, word + len("otherwise"))
                ctx.sink.add(
                    "E0230",
                    "no other flow from here has a guard: `otherwise` is always so",
                    at,
                    label=f"the only way on from `{edge.source.node.id}`",
                    help="remove it, or write `when …` on another flow from the same port",
                    fix=without_clause(at, ctx),
                )


# ---- ports of modules -----------------------------------------------------------------------------------------------


def join(edges: list[BoundEdge], paths: list[Path]) -> tuple[list[BoundEdge], list[Path]]:
    """Flows and paths of reactions without the stand-ins for ports of modules.

    `x -> m.raw` and, inside, `raw -> y` become `x -> y`, with the settings of both: the outer ones win.
    """
    joiner = _Joiner(edges)
    plain = [whole for edge in edges if edge.source.node.kind not in JOINTS for whole in joiner.onwards(edge)]
    return plain, [tuple(whole for edge in path for whole in joiner.both_ways(edge)) for path in paths]


class _Joiner:
    def __init__(self, edges: list[BoundEdge]) -> None:
        self._into: defaultdict[str, list[BoundEdge]] = defaultdict(list)
        self._out_of: defaultdict[str, list[BoundEdge]] = defaultdict(list)
        for edge in edges:
            self._into[edge.target.node.id].append(edge)
            self._out_of[edge.source.node.id].append(edge)

    def onwards(self, edge: BoundEdge) -> Iterator[BoundEdge]:
        """The edge until it ends at real nodes."""
        if edge.target.node.kind not in JOINTS:
            yield edge
            return
        for following in self._out_of[edge.target.node.id]:
            yield from self.onwards(_joined(edge, following))

    def both_ways(self, edge: BoundEdge) -> Iterator[BoundEdge]:
        """The edge between all real nodes that it connects."""
        if edge.source.node.kind not in JOINTS:
            yield from self.onwards(edge)
            return
        for before in self._into[edge.source.node.id]:
            yield from self.both_ways(_joined(before, edge))


def _joined(first: BoundEdge, second: BoundEdge) -> BoundEdge:
    """Two edges that meet at a port of a module. The outer one has the place, and its settings come last."""
    outer, inner = (first, second) if first.target.node.kind == "input" else (second, first)
    guards = [edge.guard for edge in (first, second) if edge.guard]
    guard = Junction(op="and", left=guards[0], right=guards[1]) if len(guards) == 2 else next(iter(guards), None)
    return replace(
        outer,
        source=first.source,
        target=second.target,
        settings=(*inner.settings, *outer.settings),
        guard=guard,
        otherwise=first.otherwise or second.otherwise,
    )

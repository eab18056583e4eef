"""Data classes: personal data comes only to whom it may (LANGUAGE, promise 8).

A class is followed from the port that emits it, along flows and reactions, under every mode. Who performs a node gets
what comes into it and what it emits; so each candidate of its provider block must accept that. A custom node takes what
its signature says. Taps and telemetry take neither PII nor PHI, and a recording that keeps payloads must say for how
long and where.
"""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.analysis.data.report_classes import report
from rspp_compiler.analysis.data.spread import Place, Spread
from rspp_compiler.analysis.shared.modes import every_mode
from rspp_compiler.analysis.shared.repairs import free_names
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.proofs.classes import SENSITIVE, Arrival, Breach, Classes, Handling

# CONTRACTS §11: telemetry, timeline, replay. What L0 keeps of any class is its header.
_HANDLING = {
    "audio_raw": ("drop", "by level", "denied unless policy allows"),
    "text_raw": ("mask", "mask by level", "mask"),
    "PII": ("drop or tokenize", "hash", "mask or tokenize"),
    "PHI": ("drop", "drop or hash", "mask or tokenize"),
    "derived_summary": ("allow", "allow", "allow within the tenant"),
    "metadata": ("allow", "allow", "allow within the tenant"),
}
_RANK = {payload_class: rank for rank, payload_class in enumerate(("metadata", *SENSITIVE))}
_MATTERS = frozenset({"class", "classes", "provider"})  # overrides of a mode that change what goes where


def classes(graph: Graph, ctx: Context) -> Classes:
    """Where personal data goes, and E1111 to E1114 for where it must not."""
    whole = Spread(graph)
    breaches = list(_recorded(graph, whole))
    names = free_names(graph, f"mask_{graph.policy}" if graph.policy else "mask")
    if whole.sources or any(one.field == "class" for mode in graph.spec.modes for one in mode.overrides):
        seen: set[tuple[str, str, tuple[str, ...]]] = set()
        for mode, varied in every_mode(graph):
            if mode and not _changes(graph, mode):
                continue  # with nodes off, data goes to fewer places
            spread = Spread(varied) if mode else whole
            for breach, place in _breaches(varied, spread, mode):
                key = (breach.kind, breach.place, breach.payload_classes)
                if key not in seen:
                    seen.add(key)
                    breaches.append(breach)
                    report(varied, spread, breach, place, names, ctx)
    for breach in breaches:
        if breach.kind == "recording":
            report(graph, whole, breach, None, names, ctx)
    return Classes(whole.sources, tuple(_arrivals(whole)), tuple(breaches), tuple(_handling(graph)))


def _changes(graph: Graph, id: str) -> bool:
    mode = next(mode for mode in graph.spec.modes if mode.id == id)
    return any(override.field in _MATTERS for override in mode.overrides)


def _breaches(graph: Graph, spread: Spread, mode: str) -> Iterator[tuple[Breach, Place | None]]:
    for node in graph.nodes:
        if node.kind == "tap":
            yield from _at_port(node, spread, mode, "tap")
        elif node.spec.provider is not None:
            yield from _at_provider(graph, node, spread, mode)
        elif node.spec.implementation is not None:
            yield from _at_port(node, spread, mode, "port")


def _at_provider(graph: Graph, node: GraphNode, spread: Spread, mode: str) -> Iterator[tuple[Breach, Place | None]]:
    """Candidates that do not accept what comes to the node, or what it emits: they see both."""
    block = graph.provider_of(node)
    came = spread.at(node.id)
    emitted = {one.payload_class: one for one in spread.sources[::-1] if one.port.rpartition(".")[0] == node.id}
    present = [one for one in SENSITIVE if one in came or one in emitted]
    for candidate in block.candidates if block and present else ():
        most = max((_RANK[one] for one in candidate.accept if one in _RANK), default=0)
        refused = tuple(one for one in present if _RANK[one] > most)
        if refused:
            worst = refused[-1]
            place = came.get(worst)
            way = _ports(spread, place) if place else (emitted[worst].port,)
            yield Breach("provider", refused, f"{node.id}: {candidate.name}", way, mode, candidate.span), place


def _at_port(node: GraphNode, spread: Spread, mode: str, kind: str) -> Iterator[tuple[Breach, Place | None]]:
    """A tap takes neither class; a custom node what the type of its port says."""
    for port in node.spec.inputs:
        takes = 0 if kind == "tap" else _RANK.get(getattr(port.type, "payload_class", ""), 0)
        refused = tuple(one for one in SENSITIVE if (node.id, port.name, one) in spread.steps and _RANK[one] > takes)
        if refused:
            place = (node.id, port.name, refused[-1])
            span = spread.steps[place].span
            name = f"{node.id}.{port.name}"
            yield Breach("tap" if kind == "tap" else "port", refused, name, _ports(spread, place), mode, span), place


def _recorded(graph: Graph, spread: Spread) -> Iterator[Breach]:
    """L0 keeps headers only. What keeps payloads must be deleted one day, and lie somewhere."""
    record = graph.spec.recording
    if record.level == "L0" or (record.keep_ns and record.region) or not spread.sources:
        return
    found = tuple(one for one in SENSITIVE if any(source.payload_class == one for source in spread.sources))
    way = (next(source.port for source in spread.sources if source.payload_class == found[-1]),)
    yield Breach("recording", found, f"record {record.level}", way, "", record.origin("level").span)


def _arrivals(spread: Spread) -> Iterator[Arrival]:
    for (node, port, payload_class), step in spread.steps.items():
        before = f"{step.before[0]}.{step.before[1]}" if step.before else ""
        yield Arrival(payload_class, f"{node}.{port}", before, step.source.port)


def _ports(spread: Spread, place: Place) -> tuple[str, ...]:
    way = spread.way(place)
    return (way[0][1].source.port, *(port for port, _ in way))


def _handling(graph: Graph) -> Iterator[Handling]:
    """One row for each class; a pipeline at L0 keeps no payload at all."""
    for payload_class, (telemetry, timeline, replay) in _HANDLING.items():
        kept = "headers only" if graph.spec.recording.level == "L0" else timeline
        yield Handling(payload_class, telemetry, kept, replay)

"""Where the budget clock of each party's turns starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.proofs.latency import ClockStart
from rspp_compiler.ir.spec import EventSpec


def clock(graph: Graph) -> tuple[ClockStart, ...]:
    """The starts of all parties, in the order in which those are declared.

    What is recognised starts the clock

    - at the owner of the utterance's end, when it comes through there: what is behind has been heard already;
    - at the recogniser, when the owner judges what that has recognised: it has only to say its final;
    - at the ingress otherwise, for then anything in between may still be on its way when the input ends.

    A speech-to-speech model that is its own owner has only to answer; gathered keys and typed text begin where they are
    complete.
    """
    found: list[ClockStart] = []
    for party in graph.spec.parties:
        ingress = f"{party.id}.ingress" if party.id else "ingress"
        if graph.find(ingress) is not None:
            found += _of_party(graph, party.id, ingress)
    return tuple(found)


def first_edges(graph: Graph, start: ClockStart) -> tuple[GraphEdge, ...]:
    """The flows by which what is answered leaves the start."""
    edges = [edge for edge in graph.out_of(start.node) if not edge.reactions]
    if start.port:
        edges = [edge for edge in edges if edge.source_port == start.port]
    if graph.node(start.node).kind != "ingress" or start.port != "audio":
        return tuple(edges)
    owner = graph.spec.owner(start.party)
    # What comes through the owner is counted from there.
    return tuple(edge for edge in edges if owner is None or edge.target != owner.subject)


def _of_party(graph: Graph, party: str, ingress: str) -> Iterator[ClockStart]:
    heard = reached(graph, [ingress])
    owner = graph.spec.owner(party)
    hearing = (*_of_kind(graph, heard, "stt"), *_of_kind(graph, heard, "realtime"))
    yield from dict.fromkeys(_of_recogniser(graph, party, ingress, node, owner) for node in hearing)
    for node in _of_kind(graph, heard, "collect"):
        yield ClockStart(party, node.id, "text", False, f"`{node.id}` has all keys")
    if any(not edge.reactions for edge in graph.out_of(ingress, "text")):
        yield ClockStart(party, ingress, "text", False, "typed text is complete")


def _of_recogniser(graph: Graph, party: str, ingress: str, node: GraphNode, owner: EventSpec | None) -> ClockStart:
    if node.kind == "realtime" and (owner is None or owner.subject == node.id):
        return ClockStart(party, node.id, "", True, f"`{node.id}` hears and answers by itself")
    if owner is not None and graph.find(owner.subject) is not None:
        if graph.node(owner.subject).kind != "ingress" and node.id in reached(graph, [owner.subject]):
            return ClockStart(party, owner.subject, "", False, f"`{owner}` ends the utterance")
        if owner.subject in reached(graph, [node.id]):
            return ClockStart(party, node.id, "", True, f"`{owner}` judges what `{node.id}` has recognised")
    ends = f"`{owner}` ends the utterance, " if owner is not None else ""
    return ClockStart(party, ingress, "audio", False, f"{ends}and what is heard may still be on its way")


def reached(graph: Graph, starts: Iterable[str]) -> set[str]:
    """The nodes that flows lead to from `starts`, themselves included; paths of reactions aside."""
    found = set(starts)
    open_ = list(found)
    while open_:
        for edge in graph.out_of(open_.pop()):
            if not edge.reactions and edge.target not in found:
                found.add(edge.target)
                open_.append(edge.target)
    return found


def _of_kind(graph: Graph, ids: set[str], kind: str) -> Iterator[GraphNode]:
    return (node for node in graph.of_kind(kind) if node.id in ids)

"""What each edge and each node adds to a path: one place, so that bounds, latencies and assumptions agree."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.analysis.flow.streams import waits_within
from rspp_compiler.ir.graph import GraphEdge, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.assumptions import Assumption, AssumptionKind

_SENTENCES: dict[AssumptionKind, str] = {
    "first_output": "`{subject}` gives its first output within {time} of its input",
    "work": "one item keeps `{subject}` busy for at most {time}",
    "age": "nothing waits on `{subject}` for longer than {time}",
    "handoff": "text is held on `{subject}` for at most {time}",
    "delay": "`{subject}` holds an item back for at most {time}",
    "chunk": "outputs of `{subject}` after the first are at most {time} apart",
    "timeout": "`{subject}` answers within {time}",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """`subject` adds at most `ns` to a path; `what` names the stretch, `kind` what is assumed thereby."""

    subject: str
    what: str
    kind: AssumptionKind
    ns: int
    origin: Origin

    def assumption(self) -> Assumption:
        return assume(self.kind, self.subject, self.ns, self.origin)


def assume(kind: AssumptionKind, subject: str, ns: int, origin: Origin) -> Assumption:
    """The assumption that `subject` keeps within `ns`, in a sentence."""
    return Assumption(kind, subject, ns, _SENTENCES[kind].format(subject=subject, time=ms(ns)), origin)


def of_edge(edge: GraphEdge) -> tuple[Figure, ...]:
    """What an edge adds.

    An edge of the session may already hold items when the input ends, so it adds its age bound. An edge inside a turn
    starts empty and adds nothing by itself. Either adds what it holds back on purpose: coalescing within the age bound,
    a hand-off beyond it (CONTRACTS §7).
    """
    spec, found = edge.spec, []
    age, origin = declared_age(edge) if edge.scope == "session" else (0, spec.origin("scope"))
    if spec.coalesce_ns > age:
        found.append(Figure(edge.id, "coalescing", "delay", spec.coalesce_ns, spec.origin("coalesce_ns")))
    elif age:
        found.append(Figure(edge.id, "age bound", "age", age, origin))
    if spec.handoff is not None:
        held = spec.handoff
        found.append(Figure(edge.id, "hand-off", "handoff", held.age_ns_max, held.origin("age_ns_max")))
    return tuple(found)


def of_node(node: GraphNode) -> tuple[Figure, ...]:
    """What a node adds between its input and its first output.

    An effect has its budget; but a detector hands on what it hears as it hears it. The kernel's own nodes answer at
    once, unless they wait for the other flows that they join.
    """
    spec = node.spec
    if node.execution == "effect":
        ns = 0 if node.kind == "vad" else spec.first_output_ns
        return (Figure(node.id, "budget", "first_output", ns, spec.origin("first_output_ns")),) if ns else ()
    found = []
    if spec.work_ns:
        found.append(Figure(node.id, "work", "work", spec.work_ns, spec.origin("work_ns")))
    within = spec.settings.get("within_ns")
    if waits_within(node) and isinstance(within, int):
        found.append(Figure(node.id, "window", "delay", within, spec.origin("settings.within_ns")))
    return tuple(found)


def declared_age(edge: GraphEdge) -> tuple[int, Origin]:
    """The age bound: `buffer`'s time, or `latency` where the user wrote one that is less, or nothing else bounds it."""
    buffer, latency = edge.spec.buffer_ns, edge.spec.latency_ns
    if edge.spec.origin("latency_ns").kind == "user":
        is_tighter = not buffer or latency < buffer
    else:
        is_tighter = not buffer and edge.scope == "session"
    if latency and is_tighter:
        return latency, edge.spec.origin("latency_ns")
    return buffer, edge.spec.origin("buffer_ns")


def ms(ns: int) -> str:
    """`300ms`, as the language writes it; with as many decimals as it takes to be exact."""
    whole, rest = divmod(ns, 1_000_000)
    return f"{whole}ms" if not rest else f"{whole}.{rest:06d}".rstrip("0") + "ms"

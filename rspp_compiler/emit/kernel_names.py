"""Names that the compiled kernel gives to what a plan numbers: unique, and a function of the plan alone."""

from __future__ import annotations

from rspp_compiler.ir.layout import Edge, Plan


class _Taken:
    """Words that are taken in one name space."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        clean = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in wanted.lower())
        name, count = clean, 2
        while name in self._taken:
            name, count = f"{clean}_{count}", count + 1
        self._taken.add(name)
        return name


def duration(ns: int) -> str:
    """A duration as a person would write it."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if ns and ns % size == 0:
            return f"{ns // size} {unit}"
    return f"{ns} ns"


def listed(mask: int, names: list[str]) -> str:
    """The members of a set, for a comment."""
    found = [name for index, name in enumerate(names) if mask >> index & 1]
    words = ", ".join(found) or "none"
    return words if len(words) <= 56 else f"{len(found)} of them"


class Names:
    """Lower-case names of a plan's nodes, output ports, pools, events, modes and edges, by id."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        names = _Taken()
        self.node_ids = [names.take(node.name) for node in plan.nodes]
        names = _Taken()
        self.port_ids = {
            (node.id, index): names.take(f"{self.node_ids[node.id]}_{port.name}")
            for node in plan.nodes
            for index, port in enumerate(node.outputs)
        }
        names = _Taken()
        self.pool_ids = [names.take(pool.name) for pool in plan.pools]
        names = _Taken()
        self.event_ids = [names.take(event.name) for event in plan.events]
        names = _Taken()
        self.mode_ids = [names.take(mode.name) for mode in plan.modes]
        names = _Taken()
        self.edge_ids = [names.take(self._flow(edge)) for edge in plan.edges]

    def _flow(self, edge: Edge) -> str:
        """The edge's name: its ends, with a port where the node has several."""
        plan = self.plan
        source, target = plan.nodes[edge.source], plan.nodes[edge.target]
        data = [port for port in source.outputs if port.type != "event"]
        left, right = self.node_ids[edge.source], self.node_ids[edge.target]
        if edge.source_port >= 0 and len(data) > 1:
            left += f"_{source.outputs[edge.source_port].name}"
        if len(target.inputs) > 1:
            right += f"_{target.inputs[edge.target_port].name}"
        return f"{left}__{right}"

    def event(self, event: int) -> str:
        """The constant of an event."""
        return f"EVENT_{self.event_ids[event].upper()}" if event >= 0 else "NO_EVENT"

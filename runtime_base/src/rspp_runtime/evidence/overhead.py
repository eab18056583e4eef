"""The kernel's own time, measured apart from that of the nodes (features F-052 and NF-002).

The driver stamps both sides of every step (`advance` and its `drain`) and of every call of a Python node in it. The
stamps are recorded, and nothing is ever decided by them: a replay has the same figures, because it reads them. What a
provider takes is no part of a step: it works beside the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rspp_runtime.evidence.laps import Laps

MS_NS = 1_000_000
_NOTHING: dict[int, int] = {}

Lap = tuple[int, dict[int, int]]
"""Of one step: what the kernel took, and by node what was called inside; ns."""


class Overhead(Laps):
    """What the kernel took for one turn."""

    __slots__ = ()

    def record(self, names: Mapping[int, str]) -> dict[str, Any]:
        """As OR-02 and `--json` have it: milliseconds."""
        return {
            "kernel_ms": ms(self.kernel_ns),
            "longest_step_ms": ms(self.longest_ns),
            "steps": self.steps,
            "nodes_ms": {names[node]: ms(ns) for node, ns in sorted(self.nodes_ns.items())},
        }


class Stopwatch:
    """Reads the stamps in their order: the calls of a step come before the step itself."""

    def __init__(self) -> None:
        self._nodes_ns: dict[int, int] = {}

    def called(self, node: int, start_ns: int, end_ns: int) -> None:
        """A Python node was called, inside of the step that is told next."""
        self._nodes_ns[node] = self._nodes_ns.get(node, 0) + max(0, end_ns - start_ns)

    def took(self, nodes_ns: Mapping[int, int]) -> None:
        """The same of all calls of the step at once."""
        self._nodes_ns = dict(nodes_ns) if nodes_ns else {}

    def stepped(self, now_ns: int, drained_ns: int) -> Lap:
        """The step from `now_ns` to `drained_ns`."""
        nodes_ns = self._nodes_ns
        if not nodes_ns:
            return max(0, drained_ns - now_ns), _NOTHING
        self._nodes_ns = {}
        return max(0, drained_ns - now_ns - sum(nodes_ns.values())), nodes_ns


def ms(ns: int) -> float:
    """Milliseconds, to the microsecond: a step takes some of these."""
    return round(ns / MS_NS, 3)

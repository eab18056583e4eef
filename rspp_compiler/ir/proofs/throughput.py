"""Throughput: how fast everything that goes by one clock can go on, and the loop that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.assumptions import Assumption


@dataclass(frozen=True, slots=True)
class LoopStep:
    """One part of a loop: `subject`, a node, works for `ns`; or an edge or a node lets the loop go round `ahead` items
    before it must wait, because of `what`: "room on the flow", "items in hand".
    """

    subject: str
    what: str
    ns: int
    ahead: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Loop:
    """A circle of parts that wait for each other. It goes round `rounds` times in `ns` at best."""

    steps: tuple[LoopStep, ...]
    ns: int
    rounds: int

    @property
    def round_ns(self) -> Fraction:
        """The shortest time of a round."""
        return Fraction(self.ns, self.rounds)


@dataclass(frozen=True, slots=True)
class ClockThroughput:
    """A round of `clock` comes every `needs_ns` (0: it does not count time), and can be done in `takes_ns`, that of the
    `bottleneck` (None where nothing works). With `is_exact` false a round is too long to be unrolled, or cannot be
    completed at all; then nothing is said.
    """

    clock: str
    needs_ns: Fraction
    takes_ns: Fraction
    bottleneck: Loop | None
    is_exact: bool

    @property
    def utilisation(self) -> Fraction | None:
        """Of the bottleneck; 1 is just in time. None for a clock that does not count time."""
        return self.takes_ns / self.needs_ns if self.needs_ns else None


@dataclass(frozen=True, slots=True)
class NodeUse:
    """`node` works `work_ns` on each item, on up to `slots` at once; audio brings `per_second`.

    `utilisation` is the part of the time in which it is busy, all its slots together; 1 is just in time.
    """

    node: str
    work_ns: int
    slots: int
    per_second: Fraction
    utilisation: Fraction
    in_kernel: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Throughput:
    """Each clock with its bottleneck, each node that works on audio with its use, busiest first.

    `kernel` is the use of the one thread on which the kernel's own nodes take turns.
    """

    clocks: tuple[ClockThroughput, ...]
    nodes: tuple[NodeUse, ...]
    kernel: Fraction
    assumptions: tuple[Assumption, ...]

    def node(self, id: str) -> NodeUse:
        """The row of one node; `StopIteration` if there is none."""
        return next(row for row in self.nodes if row.node == id)

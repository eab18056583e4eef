"""Rates: what comes how often, in which numbers it balances, and how much each edge must be able to hold."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.assumptions import Assumption

Need = Literal["frames", "loop", "window", "step", "item"]


@dataclass(frozen=True, slots=True)
class StreamRate:
    """What leaves `port`. `per_second` items come, exactly where it `is_fixed`, else at most (None: nobody knows).

    `clock` is where these items come from. `because` says why they have a clock of their own, or a rate at all.
    """

    port: str  # "ears.speech", or an edge that lets only a part through
    clock: str
    is_fixed: bool
    per_second: Fraction | None
    frame_ns: int
    because: str


@dataclass(frozen=True, slots=True)
class Balance:
    """A round of everything that goes by one clock: how often each part acts before all is as it was.

    `round_ns` is the time of a round of audio, 0 for items that do not count time. `firings` are the parts, each with
    its number: ("slow.a", 2).
    """

    clock: str
    round_ns: Fraction
    firings: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Buffer:
    """An edge holds `items`, and needs `least`, the others as they are: one below, and it stands still or sheds.

    `frames`  its two ends take and give different lengths
    `loop`    what runs beside it and joins it again needs more
    `window`  a `within` lets its items wait
    `step`    one call of its producer may hand on so many
    `item`    nothing asks for more than one

    With `is_exact` false a round is too long to be executed, and `least` only what the two ends need.
    """

    edge: str
    items: int
    bound: str
    least: int
    need: Need
    is_exact: bool
    origin: Origin

    @property
    def is_enough(self) -> bool:
        return self.items >= self.least


@dataclass(frozen=True, slots=True)
class Rates:
    """All streams in the order of the graph, the balances of those that are fixed against each other, the buffers."""

    streams: tuple[StreamRate, ...]
    balances: tuple[Balance, ...]
    buffers: tuple[Buffer, ...]
    assumptions: tuple[Assumption, ...]

    def buffer(self, edge: str) -> Buffer:
        """The row of one edge; `StopIteration` if there is none."""
        return next(row for row in self.buffers if row.edge == edge)

"""Liveness: that everything which flows can go on for ever, and where it cannot, who waits for whom."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rspp_compiler.ir.proofs.assumptions import Assumption
from rspp_compiler.source import Span

LiveProof = Literal["tree", "marked", "executed", "long"]


@dataclass(frozen=True, slots=True)
class Wait:
    """`who` cannot go on before `whom` has acted: `why` says what is missing, `span` where that is written."""

    who: str
    whom: str
    why: str
    span: Span


@dataclass(frozen=True, slots=True)
class Standstill:
    """Something that can stop for ever. `circle` says who waits for whom, until it comes back to the first; a wait for
    what may never come ends it.

    `filter`   a join waits for a branch of a fork that a filter has emptied
    `silence`  a join waits for what may never say anything
    `shed`     a branch of a fork that has lost items, beside one that has not
    `loop`     branches that join again hold too little for each other
    `sync`     items that wait for each other to be dropped together
    `credit`   credit, or the low mark, that is never reached
    """

    kind: Literal["filter", "silence", "shed", "loop", "sync", "credit"]
    subject: str
    circle: tuple[Wait, ...]


@dataclass(frozen=True, slots=True)
class LiveClock:
    """Why everything that goes by `clock` can go on for ever.

    `tree`      no two ways join: whoever waits, waits for one edge, which holds enough for both its ends
    `marked`    each takes and gives one at a time: every circle of waiting has an item or room for one on it
    `executed`  a round of `firings` was executed, after which all is as it was before
    `long`      a round is too long to be executed; each edge holds enough for its own ends
    """

    clock: str
    proof: LiveProof
    firings: int
    round_ns: Fraction


@dataclass(frozen=True, slots=True)
class JoinWait:
    """A node that waits until each of its flows has something: `takes` items of each at once."""

    node: str
    edges: tuple[str, ...]
    takes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Liveness:
    """The proofs, and what stands in their way: nothing, in a pipeline without errors."""

    clocks: tuple[LiveClock, ...]
    joins: tuple[JoinWait, ...]
    standstills: tuple[Standstill, ...]
    assumptions: tuple[Assumption, ...]

    @property
    def is_live(self) -> bool:
        return not self.standstills

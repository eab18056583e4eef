"""Every edge is bounded: in items, in bytes, and in the time that it can add to a path."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import OverflowStep


@dataclass(frozen=True, slots=True)
class EdgeBound:
    """The bounds of one edge. What is older than `age_ns_max` is shed (0: nothing is); `contributes_ns` is what it adds
    to a path that runs through it. `origin` is that of `items_max`, `age_origin` of the time.
    """

    edge: str
    scope: str
    items_max: int
    bytes_max: int
    age_ns_max: int
    contributes_ns: int
    overflow: tuple[OverflowStep, ...]
    origin: Origin
    age_origin: Origin

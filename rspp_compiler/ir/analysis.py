"""What is known about a pipeline before it runs; every figure with its witness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import OverflowStep


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a path: `subject` takes at most `ns`, because `what`; the number is from `origin`.

    `until_ns` is the time since the end of input at which the stretch is over.
    """

    subject: str  # "stt", or an edge "ears.speech -> stt.audio"
    what: str  # "budget", "age bound", "hand-off"
    ns: int
    until_ns: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class PathLatency:
    """The slowest way from the end of input to a first output: the witness of its worst case.

    `kind` is `flow` for the pipeline as written and `fallback` for the way of a reaction; `cause` then says which.
    `starts_ns` is when a fallback begins; 0 for a flow.
    """

    kind: Literal["flow", "fallback"]
    output: str  # "egress.audio"
    cause: str  # "llm.timeout -> sorry"
    starts_ns: int
    total_ns: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class EdgeBound:
    """The bounds of one edge; `contributes_ns` is what it adds to a path that runs through it."""

    edge: str
    scope: str
    items_max: int
    bytes_max: int
    age_ns_max: int
    contributes_ns: int
    overflow: tuple[OverflowStep, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class NodeEnd:
    """What happens when a node fails: every failing node has an end."""

    node: str
    failure: str  # "error" or "timeout"
    end: str  # "sorry", "degrade text_only", "abort (provider_failure)"


@dataclass(frozen=True, slots=True)
class Analysis:
    """Every result. `paths` are sorted slowest first; the first is compared with `limit_ns`."""

    limit_ns: int
    limit: str  # "turn budget", "path budget"
    limit_origin: Origin
    paths: tuple[PathLatency, ...]
    bounds: tuple[EdgeBound, ...]
    ends: tuple[NodeEnd, ...]
    graph: Graph = field(repr=False, metadata={"dump": False})

    @property
    def worst(self) -> PathLatency | None:
        """The slowest path; None for a pipeline that never speaks."""
        return self.paths[0] if self.paths else None

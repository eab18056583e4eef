"""What is known about a pipeline before it runs; every figure with its witness."""

from __future__ import annotations

from dataclasses import dataclass, field

from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.assumptions import Assumption
from rspp_compiler.ir.proofs.bounds import EdgeBound
from rspp_compiler.ir.proofs.cancel import Cancel
from rspp_compiler.ir.proofs.ends import Ends
from rspp_compiler.ir.proofs.latency import Latency, PathLatency


@dataclass(frozen=True, slots=True)
class Analysis:
    """Every result, as one policy leaves the pipeline: `policy` is "" for the pipeline as written.

    All of it holds if `assumptions` do. `variants` are the results for the policies, in their order.
    """

    policy: str
    latency: Latency
    bounds: tuple[EdgeBound, ...]
    cancel: Cancel
    ends: Ends
    assumptions: tuple[Assumption, ...]
    graph: Graph = field(repr=False, metadata={"dump": False})
    variants: tuple[Analysis, ...] = ()

    @property
    def worst(self) -> PathLatency | None:
        """The slowest path; None for a pipeline that never speaks."""
        return self.latency.worst

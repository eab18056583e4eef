"""What is known about a pipeline before it runs; every figure with its witness."""

from __future__ import annotations

from dataclasses import dataclass, field

from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.assumptions import Assumption
from rspp_compiler.ir.proofs.bounds import EdgeBound
from rspp_compiler.ir.proofs.cancel import Cancel
from rspp_compiler.ir.proofs.classes import Classes
from rspp_compiler.ir.proofs.cost import Cost
from rspp_compiler.ir.proofs.determinism import Determinism
from rspp_compiler.ir.proofs.ends import Ends
from rspp_compiler.ir.proofs.latency import Latency, PathLatency
from rspp_compiler.ir.proofs.liveness import Liveness
from rspp_compiler.ir.proofs.rates import Rates
from rspp_compiler.ir.proofs.throughput import Throughput


@dataclass(frozen=True, slots=True)
class Analysis:
    """Every result, as one policy leaves the pipeline: `policy` is "" for the pipeline as written.

    All of it holds if `assumptions` do. `variants` are the results for the policies, in their order.
    """

    policy: str
    latency: Latency
    bounds: tuple[EdgeBound, ...]
    rates: Rates
    liveness: Liveness
    throughput: Throughput
    cancel: Cancel
    ends: Ends
    determinism: Determinism
    classes: Classes
    cost: Cost
    assumptions: tuple[Assumption, ...]
    graph: Graph = field(repr=False, metadata={"dump": False})
    variants: tuple[Analysis, ...] = ()

    @property
    def worst(self) -> PathLatency | None:
        """The slowest path; None for a pipeline that never speaks."""
        return self.latency.worst

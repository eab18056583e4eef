"""Everything that is proved about a pipeline, for the pipeline as written and for each of its policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rspp_compiler.analysis.bounds import bounds
from rspp_compiler.analysis.data.classes import classes
from rspp_compiler.analysis.data.cost import cost
from rspp_compiler.analysis.flow.liveness import liveness
from rspp_compiler.analysis.flow.rates import rates
from rspp_compiler.analysis.flow.throughput import throughput
from rspp_compiler.analysis.flow.traffic import traffic
from rspp_compiler.analysis.latency.latency import latency
from rspp_compiler.analysis.safety.cancel import cancel
from rspp_compiler.analysis.safety.determinism import determinism
from rspp_compiler.analysis.safety.ends import ends
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.assumptions import Assumption


def analyze(graph: Graph, ctx: Context) -> Analysis:
    """All analyses of a checked graph. What is found only under a policy is reported with its name."""
    variants = []
    result = _all(graph, ctx)
    for variant in graph.variants:
        of_policy = ctx.of_policy(variant.policy)
        variants.append(_all(variant, of_policy))
        ctx.add_findings(of_policy)
    return replace(result, variants=tuple(variants))


def _all(graph: Graph, ctx: Context) -> Analysis:
    in_time, moving = latency(graph, ctx), traffic(graph)
    balanced, paced = rates(graph, ctx, moving), throughput(graph, ctx, moving)
    return Analysis(
        policy=graph.policy,
        latency=in_time,
        bounds=bounds(graph, ctx),
        rates=balanced,
        liveness=liveness(graph, ctx, moving),
        throughput=paced,
        cancel=cancel(graph, ctx),
        ends=ends(graph, ctx),
        determinism=determinism(graph, ctx),
        classes=classes(graph, ctx),
        cost=cost(graph, ctx),
        assumptions=unique(in_time.assumptions, balanced.assumptions, paced.assumptions),
        graph=graph,
    )


def unique(*found: Iterable[Assumption]) -> tuple[Assumption, ...]:
    """All assumptions, sorted by id; of two about the same thing the stricter."""
    strictest: dict[str, Assumption] = {}
    for assumption in (one for some in found for one in some):
        other = strictest.setdefault(assumption.id, assumption)
        if assumption.limit < other.limit:
            strictest[assumption.id] = assumption
    return tuple(strictest[id] for id in sorted(strictest))

"""The resolved turn plan of CONTRACTS §6 as a template: every field but those that a turn adds.

A turn adds `turn_id`, `plan_hash` and `authority_epoch`.
"""

from __future__ import annotations

from typing import Any

from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.layout import Edge
from rspp_compiler.ir.plan import Layout
from rspp_compiler.ir.proofs.bounds import EdgeBound
from rspp_compiler.ir.spec import WatermarkSpec
from rspp_compiler.layout.workers import concurrency, fairness

_STRATEGY = {"drop_oldest": "drop", "drop_newest": "drop", "coalesce": "merge"}
_REPLAY = {
    "L0": ["replay_decisions", "recompute_decisions"],
    "L1": ["replay_decisions", "recompute_decisions"],
    "L2": ["replay_decisions", "recompute_decisions", "playback_recorded_provider_outputs", "re_simulate_nodes"],
}


def resolved_plan(layout: Layout) -> dict[str, Any]:
    """The template, ready to be printed as JSON; times in whole milliseconds, rounded up, at least 1."""
    plan, analysis = layout.plan, layout.analysis
    graph = analysis.graph
    spec = graph.spec
    bounds = {bound.edge: bound for bound in analysis.bounds}
    turn_total_ns = spec.budget.turn_total_ns
    return {
        "pipeline_version": plan.pipeline_version,
        "graph_definition_ref": f"{plan.pipeline}/{plan.pipeline_version}",
        "execution_profile": plan.profile,
        "budgets": {
            "turn_budget_ms": _ms(spec.budget.turn_ns),
            "node_budget_ms_default": _ms(spec.budget.node_ns),
            "path_budget_ms_default": _ms(spec.budget.path_ns),
            "edge_budget_ms_default": _ms(spec.budget.edge_ns),
        },
        "provider_bindings": dict(plan.provider_bindings),
        "edge_buffer_policies": {
            edge.id: _edge_policy(edge, bounds[edge.id], turn_total_ns, spec.budget.edge_ns) for edge in graph.edges
        }
        | {edge.name: _way(edge, turn_total_ns) for edge in plan.edges if edge.name not in bounds},
        **_node_policies(graph),
        "flow_control": {
            "mode_by_lane": {"ControlLane": "signal", "DataLane": _flow(graph), "TelemetryLane": "signal"},
            "watermarks": {
                "DataLane": {"high": max((bound.items_max for bound in analysis.bounds), default=1), "low": 0},
            },
            "shedding_strategy_by_lane": {"ControlLane": "none", "DataLane": "drop", "TelemetryLane": "drop"},
        },
        "allowed_adaptive_actions": ["retry", "provider_switch", "degrade", "fallback"],
        "snapshot_provenance": {
            "routing_view_snapshot": "embedded/one-process",
            "admission_policy_snapshot": "embedded/admit-all",
            "abi_compatibility_snapshot": "embedded/checked-at-import",
            "version_resolution_snapshot": f"{plan.pipeline}/{plan.pipeline_version}",
            "policy_resolution_snapshot": "embedded/none",
            "provider_health_snapshot": "embedded/assumed-healthy",
        },
        "recording_policy": {
            "recording_level": plan.recording_level,
            "allowed_replay_modes": _REPLAY[plan.recording_level],
        },
        "determinism": {
            "seed": 0,  # the kernel draws no random number
            **_merging(layout),
            "nondeterministic_inputs": [
                {"input_key": one.input_key, "source": one.source, "evidence_ref": one.evidence_ref}
                for one in analysis.determinism.inputs
            ],
        },
        "streaming_handoff": _handoff(layout),
    }


def _node_policies(graph: Graph) -> dict[str, Any]:
    """How many calls of a Python node outside of the kernel run at once, and who takes turns; nothing without any."""
    policies: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if node.kind == "python" and node.execution == "effect":
            policies[node.id] = {"concurrency_limit": concurrency(node)}
            if key := fairness(graph, node):
                policies[node.id]["fairness_key"] = key
    return {"node_execution_policies": policies} if policies else {}


def _merging(layout: Layout) -> dict[str, Any]:
    """By which rule flows are joined, and what it goes by: that of every merge and select; else as things came."""
    found = [one for one in layout.analysis.determinism.fan_ins if one.rule_id.startswith(("merge.", "select."))]
    by_time = any(one.rule_id == "merge.timestamp" for one in found)
    return {
        "ordering_markers": ["runtime_sequence", *(["media_time"] if by_time else [])],
        "merge_rule_id": "+".join(sorted({one.rule_id for one in found})) or "runtime_sequence",
        "merge_rule_version": found[0].rule_version if found else "v1.0",
    }


def _flow(graph: Graph) -> str:
    """How full edges tell their producers: the one way of all of them, else both."""
    modes = {edge.spec.flow for edge in graph.edges}
    return modes.pop() if len(modes) == 1 else "hybrid" if modes else "signal"


def _edge_policy(edge: GraphEdge, bound: EdgeBound, turn_total_ns: int, edge_ns: int) -> dict[str, Any]:
    """One edge. Where nothing bounds the age of what waits, the turn's total does."""
    first, lanes, spec = bound.overflow[0], edge.spec.lanes, edge.spec
    strategy = _STRATEGY.get(first.strategy, first.strategy)
    policy: dict[str, Any] = {
        "strategy": strategy,
        "max_queue_items": bound.items_max,
        "max_queue_ms": _ms(bound.age_ns_max or spec.buffer_ns or turn_total_ns),
        "max_queue_bytes": bound.bytes_max,
        "max_latency_contribution_ms": _ms(bound.contributes_ns or edge_ns),
        "lane_handling": {
            "DataLane": lanes.data if lanes and lanes.data else strategy,
            "ControlLane": "non_blocking_priority",
            "TelemetryLane": lanes.telemetry if lanes else "best_effort_drop",
        },
        "defaulting_source": spec.origin("overflow").defaulting_source,
        "bound_sources": {
            "max_queue_items": spec.origin("buffer_items").defaulting_source,
            "max_queue_ms": bound.age_origin.defaulting_source,
            "max_queue_bytes": spec.origin("buffer_bytes").defaulting_source,
            "max_latency_contribution_ms": spec.origin("latency_ns").defaulting_source,
        },
    }
    if strategy == "drop":
        policy["drop_side"] = first.strategy.removeprefix("drop_")
    if first.strategy == "block":
        policy["max_block_time_ms"] = _ms(first.block_ns or turn_total_ns)
    if spec.watermark:
        policy["watermarks"] = _marks(spec.watermark)
    if spec.fairness:
        policy["fairness_key"] = spec.fairness
    if spec.sync:
        sync = spec.sync
        policy["sync_drop_policy"] = {
            "policy": sync.drop, "scope": sync.scope, "group_by": sync.group, "sync_domain": sync.domain,
        }  # fmt: skip
    return policy


def _way(edge: Edge, turn_total_ns: int) -> dict[str, Any]:
    """A way to a tool or back: it holds as many items as a turn may have calls, and is never full."""
    fixed = "execution_profile_default"
    return {
        "strategy": "drop",
        "drop_side": "newest",
        "max_queue_items": edge.items_max,
        "max_queue_ms": _ms(turn_total_ns),
        "max_queue_bytes": edge.bytes_max,
        "max_latency_contribution_ms": _ms(turn_total_ns),
        "lane_handling": {
            "DataLane": "drop",
            "ControlLane": "non_blocking_priority",
            "TelemetryLane": edge.telemetry,
        },
        "defaulting_source": fixed,
    }


def _marks(marks: WatermarkSpec) -> dict[str, Any]:
    """In items, in time, or in both."""
    found: dict[str, Any] = {}
    if marks.high_items:
        found["queue_items"] = {"high": marks.high_items, "low": marks.low_items}
    if marks.high_ns:
        found["queue_ms"] = {"high": _ms(marks.high_ns), "low": marks.low_ns // 1_000_000}
    return found


def _handoff(layout: Layout) -> dict[str, Any]:
    """Model to voice, where the pipeline has such a hand-off. A recogniser's utterance is released in one piece."""
    plan = layout.plan
    specs = {edge.id: edge.spec.handoff for edge in layout.analysis.graph.edges}
    found = [
        (edge, handoff)
        for edge in plan.edges
        if (handoff := specs.get(edge.name))
        and plan.nodes[edge.source].kind == "llm"
        and plan.nodes[edge.target].kind == "tts"
    ]
    if not found:
        return {"enabled": False}
    edge, handoff = found[0]
    return {
        "enabled": True,
        "stt_to_llm": {"enabled": False},
        "llm_to_tts": {
            "enabled": True,
            "min_partial_chars": handoff.chars_min,
            "max_partial_age_ms": _ms(handoff.age_ns_max),
            "max_pending_revisions": 1,
            "max_pending_segments": edge.items_max,
            "trigger_on_punctuation": handoff.by != "word",
            "coalesce_latest_only": False,
            "emit_flow_control_signals": True,
            "degrade_on_threshold_breach": False,
        },
    }


def _ms(ns: int) -> int:
    return max(1, -(-ns // 1_000_000))

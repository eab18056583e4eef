"""The plan of a package as JSON, with names where the kernel has numbers: what the console draws."""

from __future__ import annotations

from typing import Any

from rspp_runtime.abi.plan import Action, Edge, Event, Node, Overflow, Plan
from rspp_runtime.session.package import Package

MS_NS = 1_000_000


def plan_view(package: Package, *, kernel: str | None, development: bool) -> dict[str, Any]:
    """`GET /v1/pipeline` (docs/console.md). `kernel`: which was asked for; None is the best there is."""
    plan = package.plan
    return {
        "pipeline": plan.pipeline,
        "pipeline_version": plan.pipeline_version,
        "profile": plan.profile,
        "template_hash": plan.template_hash,
        "kernel": kernel or "compiled",
        "development": development,
        "recording_level": plan.recording_level,
        "memory_bytes": plan.memory_bytes,
        "budgets": {
            "turn_ms": plan.turn_ns // MS_NS,
            "warning_ms": plan.turn_warning_ns // MS_NS,
            "total_ms": plan.turn_total_ns // MS_NS,
            "lead_ms": plan.lead_ns // MS_NS,
            "grace_ms": plan.grace_ns // MS_NS,
        },
        "nodes": [_node(plan, node) for node in plan.nodes],
        "edges": [_edge(plan, edge) for edge in plan.edges],
        "reactions": [
            {"on": _event(plan, plan.events[one.event]), "does": _does(plan, one.action), "line": one.line}
            for one in plan.reactions
        ],
        "modes": [mode.name for mode in plan.modes],
    }


def _node(plan: Plan, node: Node) -> dict[str, Any]:
    bound = tuple(provider for name, provider in plan.provider_bindings if name == node.name)
    return {
        "id": node.id,
        "name": node.name,
        "kind": node.kind,
        "execution": node.execution,
        "scope": node.scope,
        "line": node.line,
        "budget_ms": node.first_output_ns // MS_NS,
        "chunk_ms": node.chunk_ns // MS_NS,
        "providers": list(node.attempts.providers if node.attempts else bound),
    }


def _edge(plan: Plan, edge: Edge) -> dict[str, Any]:
    source, target = plan.nodes[edge.source], plan.nodes[edge.target]
    port = source.outputs[edge.source_port] if edge.source_port >= 0 else None
    into = target.inputs[edge.target_port]
    return {
        "id": edge.id,
        "name": edge.name,
        "source": edge.source,
        "source_port": port.name if port else "",
        "target": edge.target,
        "target_port": into.name,
        "type": port.type if port else into.type,
        "scope": edge.scope,
        "items_max": edge.items_max,
        "bytes_max": edge.bytes_max,
        "age_ms": edge.age_ns_max // MS_NS,
        "overflow": [_overflow(step) for step in edge.overflow],
        "handoff": edge.handoff is not None,
        "commit_point": edge.commit_point,
        "line": edge.line,
    }


def _overflow(step: Overflow) -> str:
    if step.strategy == "block":
        return f"block {step.block_ns // MS_NS} ms" if step.block_ns else "block"
    if step.strategy == "sample":
        return f"sample {step.keep_percent} %"
    words = step.strategy.replace("_", " ")
    return f"{words} {step.rule.replace('_', ' ')}" if step.rule else words


def _event(plan: Plan, event: Event) -> str:
    if event.port < 0 or event.node < 0:
        return event.name
    return f"{plan.nodes[event.node].name}.{plan.nodes[event.node].outputs[event.port].name}"


def _does(plan: Plan, action: Action) -> str:
    words = action.verb.replace("_", " ")
    if action.target < 0:
        return words
    if action.verb in ("degrade", "enter"):
        return f"{words} {plan.modes[action.target].name}"
    name = plan.nodes[action.target].name
    return name if action.verb == "trigger" else f"{words.removesuffix(' node')} {name}"

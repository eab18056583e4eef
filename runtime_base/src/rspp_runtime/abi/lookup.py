"""Questions about a plan that several parts of the runtime ask."""

from __future__ import annotations

from rspp_runtime.abi.plan import Plan


def asked(plan: Plan) -> frozenset[str]:
    """Every field that a condition of the plan reads."""
    tried = [node.attempts for node in plan.nodes if node.attempts]
    guards = [row.guard for row in plan.edges] + [row.guard for row in plan.reactions]
    guards += [row.guard for row in plan.policies] + [guard for attempts in tried for guard in attempts.guards]
    return frozenset(name for guard in guards for check in guard for name in (check.field, check.other) if name)


def provider_names(plan: Plan, node: int) -> tuple[str, ...]:
    """The providers of an effect node in the order in which they are tried; `Op.INVOKE` names one by its place."""
    attempts = plan.nodes[node].attempts
    if attempts is not None:
        return attempts.providers
    return (dict(plan.provider_bindings).get(plan.nodes[node].name, ""),)

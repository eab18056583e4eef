"""Questions about a plan that several parts of the runtime ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rspp_runtime.abi.codes import Basis
from rspp_runtime.abi.plan import EFFECT, Plan


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


def check_bound(plan: Plan, providers: Mapping[str, Sequence[object]]) -> None:
    """Raises ValueError unless each effect node has all the providers that the plan names, by the node's name."""
    missing = [
        node.name
        for node in plan.nodes
        if node.execution == EFFECT and len(providers.get(node.name, ())) < len(provider_names(plan, node.id))
    ]
    if missing:
        raise ValueError(f"no provider is bound to node {', '.join(missing)}")


PATHS = -4
"""`y` of a decision about the budget of path 0 (`Signal.BUDGET_EXHAUSTED`); each further path is one below."""
_OF_THE_TURN = {-1: "turn", -2: "turn.total", -3: "turn.cost"}


def budget_name(plan: Plan, y: int) -> str:
    """Whose budget a decision is about, by its `y`: a node's name, "turn", "turn.total", "turn.cost", or a path's."""
    if y >= 0:
        return plan.nodes[y].name
    return plan.paths[PATHS - y].name if y <= PATHS else _OF_THE_TURN[y]


def heard_by(lead_ns: int, port: int, invocation: int) -> tuple[str, int]:
    """By what it is known what was heard, from a decision `PLAYBACK_*`: acked, marked or paced, and ± how many ms.

    What nobody reports is heard if the transport plays it in time: it may be the plan's whole lead behind.
    """
    if port == Basis.PACED:
        return "paced", lead_ns // 1_000_000
    return Basis(port).name.lower(), invocation

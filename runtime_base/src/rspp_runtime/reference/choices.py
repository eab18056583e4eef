"""What a plan chooses when it freezes: a policy, and the providers that may be tried (`docs/kernel.md`, Choices)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause
from rspp_runtime.reference.guards import acts
from rspp_runtime.reference.state import Happened, NodeState, State

NOTHING = Happened(-1, Cause.NONE, 0, 0)
"""Conditions of policies and providers ask of the session only."""


def has_choices(s: State) -> bool:
    """Whether the plan leaves anything to choose."""
    return bool(s.plan.policies) or any(n.plan.attempts and n.plan.attempts.guards for n in s.nodes)


def freeze(s: State) -> None:
    """Choose, by what is known of the session now."""
    holds = (place for place, policy in enumerate(s.plan.policies, 1) if acts(s, policy.guard, NOTHING))
    s.policy = next(holds, 0)
    for node in s.nodes:
        if node.plan.attempts and node.plan.attempts.guards:
            truths = [acts(s, guard, NOTHING) for guard in node.plan.attempts.guards]
            node.allowed = sum(1 << place for place, holds in enumerate(truths) if holds)


def offered(s: State, node: NodeState) -> tuple[int, int]:
    """The first provider that a new call may be tried at, and where those of this choice end; -1 if there is none."""
    attempts = node.plan.attempts
    if attempts is None:
        return 0, 1
    first, count = 0, len(attempts.providers)
    if attempts.ranges:
        first, count = attempts.ranges[s.policy * len(s.plan.modes) + s.mode]
    low = next((place for place in range(first, first + count) if node.allowed >> place & 1), -1)
    return low, first + count


def is_possible(s: State) -> bool:
    """Whether every node has a provider."""
    return all(offered(s, node)[0] >= 0 for node in s.nodes)


def bindings(s: State) -> dict[str, str]:
    """The provider at which each node that has a choice is tried first."""
    found: dict[str, str] = {}
    for node in s.nodes:
        attempts = node.plan.attempts
        if attempts is not None and (attempts.guards or attempts.ranges):
            found[node.plan.name] = attempts.providers[offered(s, node)[0]]
    return found

"""Circuit breakers: a provider that keeps failing is left alone for a while (`docs/kernel.md`, Circuits)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, CircuitState, Signal
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.reference import choices
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import CircuitBreaker, Invocation, NodeState, State

COUNTED = (Outcome.TIMEOUT, Outcome.OVERLOAD, Outcome.INFRASTRUCTURE_FAILURE)
"""Failures that say something about the provider; a request that it blocked, or that was cancelled, does not."""


def allows(s: State, node: NodeState, candidate: int) -> bool:
    """Whether an attempt may begin at this provider now."""
    breaker = _breaker(node, candidate)
    if breaker is None or breaker.state is CircuitState.CLOSED:
        return True
    if breaker.state is CircuitState.HALF_OPEN:
        return breaker.probe == 0
    return s.now >= breaker.until_ns


def choose(s: State, node: NodeState, first: int) -> int:
    """The first provider from `first` on that may be tried; -1 if there is none."""
    return next((i for i in range(first, node.high) if node.allowed >> i & 1 and allows(s, node, i)), -1)


def offered(s: State, node: NodeState) -> int:
    """The first of the providers that a new call has under the present policy and mode."""
    low, node.high = choices.offered(s, node)
    return low if low >= 0 else node.high


def begins(s: State, node: NodeState, call: Invocation) -> None:
    """An attempt begins: at a provider that was left alone it is the probe."""
    breaker = _breaker(node, call.candidate)
    if breaker is None or breaker.state is CircuitState.CLOSED:
        return
    if breaker.state is CircuitState.OPEN:
        _change(s, node, call, breaker, CircuitState.HALF_OPEN, Cause.PROBE_DUE)
    breaker.probe = call.id


def works(s: State, node: NodeState, call: Invocation) -> None:
    """An attempt had its first output, or its success: the provider of a probe works again."""
    breaker = _breaker(node, call.candidate)
    if breaker is not None and breaker.probe == call.id:
        _change(s, node, call, breaker, CircuitState.CLOSED, Cause.PROBE_ANSWERED)


def count(s: State, node: NodeState, call: Invocation, outcome: int) -> bool:
    """Count a failure; returns whether the circuit opens by it (the caller decides that, in its turn)."""
    breaker = _breaker(node, call.candidate)
    if breaker is None:
        return False
    assert node.plan.attempts is not None
    assert node.plan.attempts.circuit is not None
    circuit = node.plan.attempts.circuit
    was_probe = breaker.probe == call.id
    if was_probe:
        breaker.probe = 0
    if outcome not in COUNTED:
        return False
    if breaker.state is CircuitState.CLOSED:
        while breaker.errors and s.now - breaker.errors[0] > circuit.within_ns:
            breaker.errors.popleft()
        breaker.errors.append(s.now)
        if len(breaker.errors) < circuit.errors:
            return False
    elif not was_probe:
        return False
    breaker.state = CircuitState.OPEN
    breaker.until_ns = s.now + circuit.open_ns
    breaker.errors.clear()
    return True


def opened(s: State, node: NodeState, call: Invocation, cause: Cause) -> None:
    """Say that it opened."""
    decide(
        s, Signal.CIRCUIT_EVENT, cause,
        node=node.plan.id, invocation=call.id, x=call.candidate, y=CircuitState.OPEN,
    )  # fmt: skip


def cancelled(node: NodeState, call: Invocation) -> None:
    """A probe that was cancelled has found out nothing: the next attempt is one."""
    breaker = _breaker(node, call.candidate)
    if breaker is not None and breaker.probe == call.id:
        breaker.probe = 0


def _breaker(node: NodeState, candidate: int) -> CircuitBreaker | None:
    return node.circuits[candidate] if node.circuits else None


def _change(
    s: State, node: NodeState, call: Invocation, breaker: CircuitBreaker, state: CircuitState, cause: Cause
) -> None:
    breaker.state, breaker.probe = state, 0
    decide(s, Signal.CIRCUIT_EVENT, cause, node=node.plan.id, invocation=call.id, x=call.candidate, y=state)

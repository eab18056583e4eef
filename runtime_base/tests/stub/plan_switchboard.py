"""The assistant with several providers for each of its nodes, retries and circuit breakers."""

from __future__ import annotations

from dataclasses import replace

from plan_assistant import assistant
from units import MS

from rspp_runtime.abi.plan import Attempts, Circuit, Plan

# The recogniser has two, the model two with a retry each and a breaker, the voice three; the voice cannot retain much.
ATTEMPTS = {
    "stt": Attempts(providers=("near", "far"), first_chunk_ns=250 * MS, retain_items=12),
    "llm": Attempts(
        providers=("large", "small"),
        times=2,
        first_chunk_ns=150 * MS,
        backoff_ns=20 * MS,
        retain_items=4,
        circuit=Circuit(errors=3, within_ns=8_000 * MS, open_ns=700 * MS),
    ),
    "voice": Attempts(
        providers=("warm", "plain", "robot"),
        first_chunk_ns=100 * MS,
        retain_items=2,
        circuit=Circuit(errors=2, within_ns=5_000 * MS, open_ns=1_000 * MS),
    ),
}


def switchboard() -> Plan:
    """Everything that can be tried again, each in its own way."""
    plan = assistant()
    nodes = tuple(replace(node, attempts=ATTEMPTS.get(node.name)) for node in plan.nodes)
    # What is retained takes slots; failures decide more at once.
    pools = tuple(replace(pool, slots=pool.slots + 24) for pool in plan.pools)
    step = plan.control_step_max + 3
    return replace(
        plan,
        pipeline="stub_switchboard",
        nodes=nodes,
        pools=pools,
        control_step_max=step,
        control_out_max=plan.control_out_max + 12,
    )

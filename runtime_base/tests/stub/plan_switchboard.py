"""The assistant with several providers for each of its nodes, retries, circuit breakers, caps and a budget of cost."""

from __future__ import annotations

from dataclasses import replace

from plan_assistant import assistant
from plan_tollgate import metered
from units import MS

from rspp_runtime.abi.plan import Attempts, Circuit, Meter, Plan, Price

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

# Reached now and then: the recogniser's by time, of a turn or of the session; the model's by tokens, calls or money.
METERS = (
    Meter(0, "stt", audio_ns=3_000 * MS, session_audio_ns=4_000 * MS),
    Meter(
        1, "llm", calls=3, tokens_in=4_000, tokens_out=400, cost_microusd=30_000,
        prices=(Price(call=1_500, ktoken_in=2_000, ktoken_out=40_000), Price(call=100, ktoken_out=9_000)),
    ),
    Meter(
        2, "voice", audio_ns=12_000 * MS, chars=900,
        prices=(Price(minute=60_000), Price(kchar=16_000), Price()),
    ),
)  # fmt: skip


def switchboard() -> Plan:
    """Everything that can be tried again, each in its own way; caps count what every attempt uses."""
    plan = metered(assistant(), METERS, 60_000)
    nodes = tuple(
        replace(node, attempts=ATTEMPTS.get(node.name), speakable_ns=400 * MS if node.name == "llm" else 0)
        for node in plan.nodes
    )
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

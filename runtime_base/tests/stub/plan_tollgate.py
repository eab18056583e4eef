"""The assistant, where all that providers use is capped so that it is felt, and the model has to say a word soon."""

from __future__ import annotations

from dataclasses import replace

from plan_assistant import assistant
from units import MS

from rspp_runtime.abi.plan import Event, Meter, Plan, Price

# One block each, as a file has it; the voice's is the only one that charges by time.
METERS = (
    Meter(0, "stt", audio_ns=1_500 * MS, session_audio_ns=9_000 * MS),
    Meter(1, "llm", calls=1, tokens_in=20, tokens_out=40, prices=(Price(call=200, ktoken_in=500, ktoken_out=10_000),)),
    Meter(2, "voice", audio_ns=2_000 * MS, chars=120, cost_microusd=300, prices=(Price(minute=30_000),)),
)
TURN_COST = 700
SPEAKABLE_NS = 500 * MS  # of the model: longer than to a first chunk, shorter than its budget


def metered(plan: Plan, meters: tuple[Meter, ...], turn_cost: int) -> Plan:
    """`plan`, with these meters of nodes by name."""
    counted = {meter.name: meter.id for meter in meters}
    nodes = tuple(replace(node, meter=counted.get(node.name, -1)) for node in plan.nodes)
    return replace(
        plan,
        nodes=nodes,
        control_step_max=plan.control_step_max + 2,
        control_out_max=plan.control_out_max + 8,
        meters=meters,
        turn_cost_microusd=turn_cost,
    )


def fallen_back(plan: Plan) -> Plan:
    """`plan`, where what is said instead of the model's answer is said of a cap that it reached, too."""
    llm = next(node for node in plan.nodes if node.name == "llm")
    exhausted = Event(len(plan.events), "llm.budget_exhausted", llm.id, -1)
    fallback = next(one for one in plan.reactions if one.event == llm.event_error)
    return replace(
        plan,
        nodes=tuple(replace(node, event_exhausted=exhausted.id) if node is llm else node for node in plan.nodes),
        events=(*plan.events, exhausted),
        reactions=(*plan.reactions, replace(fallback, id=len(plan.reactions), event=exhausted.id)),
    )


def tollgate() -> Plan:
    plan = fallen_back(metered(replace(assistant(), pipeline="stub_tollgate"), METERS, TURN_COST))
    nodes = tuple(replace(n, speakable_ns=SPEAKABLE_NS) if n.name == "llm" else n for n in plan.nodes)
    return replace(plan, nodes=nodes)

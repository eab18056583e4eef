"""The assistant when it is not sure that it is interrupted: it pauses, and goes on."""

from __future__ import annotations

from dataclasses import replace

from plan_assistant import assistant
from units import MS

from rspp_runtime.abi.plan import Action, Plan, Reaction

VOICE = 7
CONNECTED, SPEECH_START, SPEECH_END, IDLE, BARGE_IN = range(5)


def patience() -> Plan:
    """Speech pauses, its end resumes; a pause that lasts too long, and `idle`, cancel."""
    plan = assistant()
    others = [row for row in plan.reactions if row.event not in (BARGE_IN, IDLE)]
    rows = [
        *((row.event, row.action) for row in others),
        (BARGE_IN, Action("pause", VOICE)),
        (SPEECH_END, Action("resume", VOICE)),
        (IDLE, Action("cancel_turn")),
    ]
    # What was sent is kept until it has been heard.
    pools = tuple(
        replace(pool, slots=pool.slots + plan.ledger_max) if pool.name == "audio" else pool for pool in plan.pools
    )
    return replace(
        plan,
        pipeline="stub_patience",
        template_hash="d" * 64,
        reactions=tuple(
            Reaction(id=id, event=event, action=action, line=40 + id) for id, (event, action) in enumerate(rows)
        ),
        pools=pools,
        pause_ns=1500 * MS,
    )

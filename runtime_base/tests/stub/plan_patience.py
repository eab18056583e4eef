"""The assistant that is patient with itself and with others: it pauses, ends its words, has buttons, is sorry."""

from __future__ import annotations

from dataclasses import replace

from plan_assistant import assistant
from units import MS, mask

from rspp_runtime.abi.budgets import PathBudget
from rspp_runtime.abi.plan import Action, Check, Event, Plan, Reaction

INGRESS, LLM, SORRY, HELLO, VOICE = 0, 4, 5, 6, 7
TURN = -2
CONNECTED, SPEECH_START, SPEECH_END, IDLE, BARGE_IN = range(5)
STT_ERROR, BUTTON_DOWN, BUTTON_UP, DTMF, FAILED = 7, 9, 10, 11, 12
LEDGER_MAX = 32


def patience() -> Plan:
    """Speech pauses, its end resumes; a pause that lasts too long, `idle` and a button cancel, softly if they can.

    It apologises for turns that fail, from the third in a row on in other words.
    """
    plan = assistant()
    others = [row for row in plan.reactions if row.event not in (BARGE_IN, IDLE, STT_ERROR)]
    rows = [
        *((row.event, row.action) for row in others),
        (BARGE_IN, Action("pause", VOICE)),
        (SPEECH_END, Action("resume", VOICE)),
        (IDLE, Action("cancel_node", VOICE)),
        (STT_ERROR, Action("abort_turn")),
        (BUTTON_DOWN, Action("cancel_turn")),
        (BUTTON_DOWN, Action("open_turn")),
        (BUTTON_UP, Action("end_utterance")),
        (DTMF, Action("open_turn")),
        (FAILED, Action("trigger", SORRY)),
        (FAILED, Action("trigger", HELLO)),
    ]
    guards = {SORRY: (Check("<=", "failures", 2),), HELLO: (Check(">", "failures", 2),)}
    # What was sent is kept until it has been heard, also by a party that reports late.
    pools = tuple(replace(pool, slots=pool.slots + LEDGER_MAX) if pool.name == "audio" else pool for pool in plan.pools)
    return replace(
        plan,
        pipeline="stub_patience",
        template_hash="d" * 64,
        reactions=tuple(
            Reaction(
                id=id,
                event=event,
                action=action,
                line=40 + id,
                guard=guards[action.target] if event == FAILED else (),
            )
            for id, (event, action) in enumerate(rows)
        ),
        nodes=tuple(replace(node, interruptible=node.name != "hello") for node in plan.nodes),
        pools=pools,
        ledger_max=LEDGER_MAX,
        events=(
            *plan.events,
            Event(BUTTON_DOWN, "ingress.button_down", INGRESS, -1),
            Event(BUTTON_UP, "ingress.button_up", INGRESS, -1),
            Event(DTMF, "ingress.dtmf", INGRESS, -1),
            Event(FAILED, "turn.error", TURN, -1, "ABORT"),
        ),
        pause_ns=1500 * MS,
        apology_ns=4000 * MS,
        soft_nodes=mask(LLM, VOICE),
        soft_edges=mask(0, 1),
        soft_ns=400 * MS,
        paths=(
            PathBudget(
                id=0,
                name="stt.utterance -> egress.audio",
                line=60,
                limit_ns=1100 * MS,
                warning_ns=880 * MS,
                pushed=mask(5),
                ends_edges=mask(0),
                edges=mask(0, 4, 5),
                nodes=mask(LLM, VOICE),
                modes=1,
            ),
        ),
    )

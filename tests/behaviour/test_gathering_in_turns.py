"""A turn's end closes an edge that gathers inside of turns: in the next one what comes waits again (docs/kernel.md).

No shipped plan and no stub gathers there, so the twin alone is shown, on a stub's plan with one edge changed.
"""

from __future__ import annotations

import dataclasses

from conversation import MS, Conversation, requests
from kernels import plan_of
from yard import SHORT, VOICE, Yard

from rspp_runtime.abi import Control, Gather, Op, Output, Plan
from rspp_runtime.reference import Session

SHORT_TO_VOICE, WAIT = 3, 50


def gathering() -> Plan:
    plan = plan_of("stub_switchyard")
    edge = plan.edges[SHORT_TO_VOICE]
    assert edge.name == "short -> voice"
    changed = dataclasses.replace(edge, gather=Gather(WAIT * MS, "latest_partial"))
    return dataclasses.replace(plan, edges=(*plan.edges[:SHORT_TO_VOICE], changed, *plan.edges[SHORT_TO_VOICE + 1 :]))


def fed(outputs: list[Output]) -> list[bytes]:
    return [output.payload for output in requests(outputs, Op.FEED) if output.node == VOICE]


def gathered(yard: Conversation, text: bytes) -> tuple[list[bytes], list[bytes]]:
    """What the voice is fed when the model says it, and when that has waited."""
    assert isinstance(yard, Yard)
    yard.delta(SHORT, text)
    return fed(yard.step()), fed(yard.step(yard.now + WAIT))


def test_a_flush_closes_it() -> None:
    yard = Yard(Session(gathering(), "yard", 1, [])).begin()
    yard.say(b"hello")
    assert gathered(yard, b"one ") == ([], [b"one "])
    assert gathered(yard, b"two ") == ([], [b"two "])
    assert gathered(yard, b"three ") == ([], [])  # it has waited, and the voice has no room: the edge stays open
    yard.control(Control.CANCEL_TURN)
    yard.step()
    yard.frame()
    yard.step()
    yard.say(b"again")
    assert gathered(yard, b"four ") == ([], [b"four "])

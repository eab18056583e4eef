"""Flow control by credit, and by credit and signal (docs/kernel.md, Credit), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import requests
from plan_studio import LLM, SCREEN, TO_LIPS, TO_VOICE, VOICE
from test_sync import Studio

from rspp_runtime.abi import Op, Result, Signal


@pytest.fixture
def studio(kernel: Callable[[str], Any]) -> Studio:
    """A turn whose voice has taken the first of the model's words."""
    studio = Studio(kernel("stub_studio")).speaks()
    studio.credit(VOICE)
    studio.step()
    return studio


def told(outputs: list[Any], signal: Signal) -> list[tuple[int, int]]:
    return [(o.node, o.x) for o in outputs if o.op == Op.DECISION and o.code == signal]


def say(studio: Studio) -> Result:
    return studio.chunk(LLM, 0, b"and so on. ", a=10, b=3)


@pytest.mark.feature("F-145", "credit")
def test_without_credit_nothing_is_taken_and_a_grant_lets_it_go_on(studio: Studio) -> None:
    """Four places: what the model says is taken four times, then the voice takes two, and two more are granted."""
    assert [say(studio) for _ in range(5)] == [Result.ACCEPTED] * 4 + [Result.FULL]
    outputs = studio.step()
    fed = [o for o in requests(outputs, Op.FEED) if o.node == VOICE]
    assert (len(fed), told(outputs, Signal.CREDIT_GRANT)) == (2, [(SCREEN, 4), (TO_VOICE, 2)])
    assert [o.node for o in requests(outputs, Op.RESUME)] == [LLM]
    assert [say(studio) for _ in range(3)] == [Result.ACCEPTED] * 2 + [Result.FULL]
    assert not [
        o for o in studio.step() if o.op == Op.DECISION and o.code == Signal.CREDIT_GRANT and o.node == TO_VOICE
    ]
    studio.credit(VOICE)
    outputs = studio.step()
    assert told(outputs, Signal.CREDIT_GRANT) == [(TO_VOICE, 1)]
    assert [say(studio) for _ in range(2)] == [Result.ACCEPTED, Result.FULL]


@pytest.mark.feature("F-145", "hybrid")
def test_a_hybrid_edge_tells_and_grants_a_credit_edge_only_grants(studio: Studio) -> None:
    for _ in range(5):
        say(studio)
    outputs = studio.step()
    assert [edge for edge, _ in told(outputs, Signal.FLOW_XOFF)] == [SCREEN]
    assert [edge for edge, _ in told(outputs, Signal.FLOW_XON)] == [SCREEN]
    assert SCREEN in dict(told(outputs, Signal.CREDIT_GRANT))


def test_held_back_for_long_enough_the_rest_of_the_order_applies(studio: Studio) -> None:
    """The lips are stuck behind a loudspeaker that plays: after 40 ms without progress what comes new is dropped."""
    results = [studio.says(number) for number in range(1, 40)]
    assert results[-1] == Result.FULL
    for _ in range(40):
        studio.step(studio.now + 10)
        if studio.says(50) == Result.ACCEPTED:
            break
    granted = sum(amount for edge, amount in told(studio.outputs, Signal.CREDIT_GRANT) if edge == TO_LIPS)
    assert granted > 0


def test_a_flush_gives_all_places_back(studio: Studio) -> None:
    from rspp_runtime.abi import Control

    for _ in range(4):
        say(studio)
    outputs = studio.control(Control.CANCEL_TURN)
    assert dict(told(outputs, Signal.CREDIT_GRANT))[TO_VOICE] == 4

"""Lanes of an edge (docs/kernel.md, Telemetry of an edge), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import requests
from kernels import plan_of
from plan_studio import METER, SHAPES, STT, WATCH
from test_sync import Studio, shaped

from rspp_runtime.abi import Control, In, Op, Result, Signal


@pytest.fixture
def studio(kernel: Callable[[str], Any]) -> Studio:
    return Studio(kernel("stub_studio")).speaks()


def crowd(studio: Studio) -> None:
    """Fills more than half of the telemetry outputs: nobody drains."""
    studio.frame()
    studio.step()
    studio.credit(STT)
    for _ in range(14):
        for _ in range(4):
            assert studio.partial(b"so") == Result.ACCEPTED
        studio.advance()


def meters(outputs: list[Any]) -> int:
    """Frames of the room that the tap shows."""
    return sum(o.node == WATCH and len(o.payload) == 320 and not any(o.payload) for o in requests(outputs, Op.TAP))


@pytest.mark.feature("F-147", "normal")
def test_with_room_everything_is_told_lane_by_lane(studio: Studio) -> None:
    studio.session.drain()
    for _ in range(5):
        studio.frame()
    for number in (1, 2):
        studio.says(number)
    outputs = studio.step()
    assert shaped(outputs) == [1, 2]
    assert meters(outputs) == 3  # the sample of its data lane
    closed = studio.control(Control.CANCEL_TURN)
    assert [o.code for o in requests(closed, Op.METRIC)] == list(range(len(plan_of("stub_studio").edges)))


@pytest.mark.feature("F-147", "overload")
def test_under_pressure_each_lane_sheds_by_its_own_rule(studio: Studio) -> None:
    """The meter is silent, every second shape is shown; decisions and data go on as ever."""
    crowd(studio)
    for _ in range(9):
        studio.frame()
    for number in (1, 2, 3, 4):
        assert studio.says(number) == Result.ACCEPTED
        studio.advance()
    outputs = studio.drain()
    assert meters(outputs) == 0
    assert shaped(outputs) == [2, 4]
    assert [o.payload[0] for o in requests(outputs, Op.SEND) if o.port == 0] == [1, 2, 3, 4]
    assert [o for o in requests(outputs, Op.FEED) if o.node == STT]
    told = [o for o in outputs if o.op == Op.DECISION]
    assert {o.node for o in told if o.code == Signal.DROP_NOTICE} >= {METER}
    ops = [o.op for o in outputs]
    assert ops == sorted(ops, key=lambda op: 0 if op < Op.INVOKE else 1 if op < Op.TAP else 2)


def test_metrics_are_left_out_by_the_same_rule(studio: Studio) -> None:
    crowd(studio)
    assert studio.offer(In.CONTROL, port=Control.CANCEL_TURN) == Result.ACCEPTED
    closed = studio.step()
    codes = [o.code for o in requests(closed, Op.METRIC)]
    assert METER not in codes
    assert SHAPES not in codes  # the first time is left out
    assert len(codes) == len(plan_of("stub_studio").edges) - 2

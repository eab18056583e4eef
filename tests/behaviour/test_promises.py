"""What kernels may do and the simulator once took for a broken promise: each on both kernels, with its invariants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plan_patience
import plan_sorter
import pytest
from kernels import plan_of

from rspp_runtime.abi import Control, Handler, In, Inbound, Op, Output, Result, Session, Signal
from rspp_runtime.abi.codes import Flag
from rspp_runtime.simulation.campaign import simulate
from rspp_runtime.simulation.faults import FAULTS
from rspp_runtime.simulation.machine import Machine, Opener
from rspp_runtime.simulation.tables import tables

MS = 1_000_000
TEXT_IN, STT_END, STT_FINAL = 1, 4, 2


class Checked:
    """A session under the simulator's invariants: each call raises if a promise is not kept."""

    def __init__(self, kernel: Callable[[str], Any], stub: str) -> None:
        plan = plan_of(stub)
        self.outputs: list[Output] = []
        self.machine = Machine(plan, tables(plan), opener_of(kernel, stub), 1)
        self.machine.seen.append(lambda _, output: self.outputs.append(output))
        self.offer(In.CONTROL, port=Control.CONNECTED)
        self.step()

    def offer(self, op: In, **fields: Any) -> None:
        assert self.machine.ingest(Inbound(op, **({"epoch": 1} | fields))) == Result.ACCEPTED

    def advance(self, ms: int = 0) -> None:
        self.machine.now += ms * MS
        self.machine.advance()

    def step(self, ms: int = 0) -> list[Output]:
        """What came out; all of it is in `outputs` too."""
        before = len(self.outputs)
        self.advance(ms)
        self.machine.drain()
        return self.outputs[before:]


def opener_of(kernel: Callable[[str], Any], stub: str) -> Opener:
    def opener(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> list[Session]:
        return [kernel(stub)(plan_of(stub), session_id, epoch, list(handlers) or [None, None])]

    return opener


def of(outputs: Sequence[Output], op: Op, node: int) -> list[Output]:
    return [output for output in outputs if output.op == op and output.node == node]


def test_a_mark_goes_on_through_labels(kernel: Callable[[str], Any]) -> None:
    """The gap is before two labels, the mark is seen behind both."""
    call = Checked(kernel, "stub_sorter")
    for _ in range(2):  # of the first two one is not kept
        call.offer(In.MEDIA, node=plan_sorter.INGRESS, port=0, payload=bytes(320))
    call.step()
    (fed,) = of(call.outputs, Op.FEED, plan_sorter.STT)
    assert fed.y & Flag.DISCONTINUITY
    call.offer(In.MEDIA, node=plan_sorter.INGRESS, port=0, payload=bytes(320))
    (fed,) = of(call.step(20), Op.FEED, plan_sorter.STT)
    assert not fed.y & Flag.DISCONTINUITY


def test_what_was_given_before_a_soft_cancel_is_drained_behind_it(kernel: Callable[[str], Any]) -> None:
    """Two steps in one drain: control leaves first, though the model was given its question in the first of them."""
    call = Checked(kernel, "stub_patience")
    for _ in range(2):  # the greeting
        call.offer(In.CONTROL, port=Control.CANCEL_TURN)
        call.step(100)
    call.offer(In.MEDIA, node=plan_patience.INGRESS, port=TEXT_IN, payload=b"and now?", b=2)
    call.advance(100)
    call.offer(In.CONTROL, port=Control.CANCEL_TURN)
    outputs = call.step(1)
    (fed,) = of(outputs, Op.FEED, plan_patience.LLM)
    pending = next(output for output in outputs if output.code == Signal.CANCEL_PENDING and output.op == Op.DECISION)
    assert fed.t_ns < pending.t_ns
    assert outputs.index(fed) > outputs.index(pending)


def test_two_edges_bring_one_sequence_to_a_voice(kernel: Callable[[str], Any]) -> None:
    """A sentence by way of two labels and a hand-off, and all of the text beside them, under the same number."""
    call = Checked(kernel, "stub_sorter")
    for _ in range(2):
        call.offer(In.MEDIA, node=plan_sorter.INGRESS, port=0, payload=bytes(320))
    call.step()
    (hears,) = (output.invocation for output in call.outputs if output.op == Op.INVOKE)
    call.offer(In.CHUNK, node=plan_sorter.STT, port=STT_END, invocation=hears)
    call.step()
    call.offer(In.CHUNK, node=plan_sorter.STT, port=STT_FINAL, invocation=hears, payload=b"so?", b=1)
    call.offer(In.DONE, node=plan_sorter.STT, invocation=hears)
    call.step()
    (asked,) = (output.invocation for output in of(call.outputs, Op.INVOKE, plan_sorter.LLM))
    for _ in range(2):
        call.offer(In.CHUNK, node=plan_sorter.LLM, port=0, invocation=asked, payload=b"Right so. And", a=9, b=3)
        call.step()
    (says,) = (output.invocation for output in of(call.outputs, Op.INVOKE, plan_sorter.VOICE))
    for _ in range(3):
        call.offer(In.CREDIT, node=plan_sorter.VOICE, invocation=says, a=2)
        call.step()
    fed = [(output.seq, len(output.payload)) for output in of(call.outputs, Op.FEED, plan_sorter.VOICE)]
    first, second = sorted({seq for seq, _ in fed})[:2]
    assert {(first, 9), (first, 13), (second, 13)} <= set(fed)
    assert len(fed) >= 4


@pytest.mark.parametrize(
    ("stub", "seed"),
    [("stub_sorter", 1), ("stub_sorter", 3), ("stub_sorter", 5), ("stub_patience", 39), ("stub_patience", 93),
     ("stub_patience", 30_013), ("stub_shop", 5_050), ("stub_shop", 8_035), ("stub_keypad", 30_097)],
)  # fmt: skip
def test_a_case_that_raised_an_alarm(kernel: Callable[[str], Any], stub: str, seed: int) -> None:
    _, found = simulate(plan_of(stub), opener_of(kernel, stub), turns=1, seed=seed, faults=tuple(FAULTS))
    assert found is None, str(found and found.violation)

"""F5 of CONTRACTS §13: partial loss in a sync domain, on both kernels. The same seed gives the same control outcomes,
every turn that opened ends once and closes, and the log replays identically.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kernels import plan_of
from plan_studio import ECHO, METER, SHAPES, SHOWN, SPEAKER, TO_BLINK
from recorded import Recorded, header, is_signal, play
from schedule import handlers

from rspp_runtime.abi import Cause, Op, Signal
from rspp_runtime.evidence.replay import replay

SEEDS = 25


@pytest.fixture
def run(kernel: Callable[[str], Any], kernel_name: str, tmp_path: Path) -> Callable[[int], Recorded]:
    plan = plan_of("stub_studio")

    def go(seed: int) -> Recorded:
        session = kernel("stub_studio")(plan, "call", 1, handlers(seed))
        path = tmp_path / f"{seed}-{len(list(tmp_path.iterdir()))}.log"
        return play(plan, session, seed, path, header(plan, "call", kernel_name), in_steps=True)

    return go


def decisions(recorded: Recorded) -> list[Any]:
    return [output for output in recorded.outputs if output.op == Op.DECISION]


def test_the_same_seed_gives_the_same_outcomes_and_every_turn_ends_once(run: Callable[[int], Recorded]) -> None:
    lost = 0
    for seed in range(SEEDS):
        one, two = decisions(run(seed)), decisions(run(seed))
        assert one == two, seed
        opened = [output.turn for output in one if output.code == Signal.TURN_OPEN]
        ended = [output.turn for output in one if output.code in (Signal.COMMIT, Signal.ABORT)]
        closed = [output.turn for output in one if output.code == Signal.CLOSE]
        assert ended == closed == opened[: len(ended)], seed
        assert len(opened) - len(ended) <= 1, seed  # one may be in progress when the schedule ends
        lost += sum(is_signal(output, Signal.DROP_NOTICE) and output.cause == Cause.SYNC_LOSS for output in one)
    assert lost > 50


def test_each_loss_has_its_reason_and_its_mark(run: Callable[[int], Recorded]) -> None:
    """What falls with others does so on atomic flows only; the flows that mark gaps tell each at once."""
    for seed in range(SEEDS):
        made = decisions(run(seed))
        for output, behind in pairwise(made):
            if not is_signal(output, Signal.DROP_NOTICE):
                continue
            if output.cause == Cause.SYNC_LOSS:
                assert output.node in (SPEAKER, SHAPES, SHOWN, TO_BLINK, ECHO), seed
            if output.node == METER and output.cause != Cause.CANCEL_FLUSH:
                assert (behind.code, behind.node) == (Signal.DISCONTINUITY, METER), seed


def test_the_log_replays_identically(run: Callable[[int], Recorded], kernel: Callable[[str], Any]) -> None:
    plan = plan_of("stub_studio")
    for seed in range(SEEDS):
        nodes = handlers(seed)

        def opened(session: str, epoch: int, _: Any, nodes: Any = nodes) -> Any:
            return kernel("stub_studio")(plan, session, epoch, nodes)

        report = replay(run(seed).log(), plan, opened)
        assert report.identical, (seed, report.differences[:1])

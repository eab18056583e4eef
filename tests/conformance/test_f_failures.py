"""F1 to F7 of CONTRACTS §13: one failure a run, on both kernels. For each: the same seed gives the same control
outcomes, every turn that opened ends once and closes, its evidence is complete, and the log replays identically.

F5 (partial loss in a sync domain) is in `test_f5_sync_loss.py`, F8 (failover with migration) in `test_f8_failover.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rspp_runtime.abi import Cause, Control, In, Inbound, Result, Signal
from rspp_runtime.cli.app import run_app
from rspp_runtime.evidence.entries import Evidence
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.providers.contract import Invocation, Outcome, ProviderError

Work = dict[str, Any]


@pytest.fixture
def run(stage: Any, package: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a session, holds it to what every failure must leave, and returns what was seen."""

    def go(user: Any, **work: Any) -> Any:
        told = outcomes(stage.play(user, **work))
        other = stage.play(user, **work)
        assert outcomes(other) == told, "the same seed gives the same control outcomes"
        opened = [output.turn for output in other.signals(Signal.TURN_OPEN)]
        assert [output.turn for output in other.signals(Signal.COMMIT, Signal.ABORT)] == opened
        assert [output.turn for output in other.signals(Signal.CLOSE)] == opened
        newest = {entry.turn: entry.or02 for entry in read(other.log).entries if isinstance(entry, Evidence)}
        assert sorted(newest) == opened
        assert {turn: missing_fields(record) for turn, record in newest.items()} == {turn: [] for turn in opened}
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            run_app(["replay", str(other.log), "--package", str(package)])
        assert (left.value.code, "identical" in capsys.readouterr().out) == (0, True)
        return other

    return go


def outcomes(seen: Any) -> list[tuple[int, ...]]:
    return [(o.code, o.cause, o.turn, o.node, o.x, o.y, o.t_ns) for o in seen.signals()]


async def hangs(call: Invocation) -> None:
    async for _ in call.inputs():
        pass
    await asyncio.sleep(5.0)


async def breaks(call: Invocation) -> None:
    async for _ in call.inputs():
        pass
    raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, "gone")


def overloaded_until(answers: Any) -> Any:
    """A model that is overloaded the first time."""
    calls: list[int] = []

    async def model(call: Invocation) -> None:
        calls.append(call.id)
        if call.id == min(calls):
            async for _ in call.inputs():
                pass
            raise ProviderError(Outcome.OVERLOAD, "too many requests")
        await answers(call)

    return model


def while_answering(stage: Any, act: Callable[[Any], Any], *, again: bool = True) -> Any:
    s = stage.scripted

    async def user(ears: Any, _: Any) -> None:
        await s.hush(ears, 3)
        await s.talk(ears, 15)
        await s.hush(ears, 50)
        await act(ears)
        if again:
            await s.hush(ears, 5)
            await s.talk(ears, 15)
            await s.quiet(ears)

    return user


def long(stage: Any) -> Work:
    return {"llm": stage.scripted.answer(stage.scripted.LONG)}


@pytest.mark.parametrize("snapshot", [1, 2, 3])
def test_f1_admission_is_overloaded_and_proposals_wait_or_are_refused(stage: Any, run: Any, snapshot: int) -> None:
    """No snapshot to admit by: deferred or rejected, and nothing is aborted or closed; then there is one again."""
    s = stage.scripted

    async def user(ears: Any, _: Any) -> None:
        await ears.control(Control.SNAPSHOT, snapshot)
        for _ in range(20):
            await ears.control(Control.END_UTTERANCE)
        await ears.control(Control.SNAPSHOT, 0)
        await s.hush(ears, 3)
        await s.talk(ears, 15)
        await s.quiet(ears)

    seen = run(user)
    refused = seen.signals(Signal.DEFER if snapshot == 1 else Signal.REJECT)
    assert len(refused) == 20
    assert {output.turn for output in refused} == {0}
    assert [output.turn for output in seen.signals(Signal.COMMIT)] == [1]


@pytest.mark.parametrize("node", ["llm", "voice"])
def test_f2_a_node_times_out_and_the_turn_goes_on_without_it(stage: Any, run: Any, node: str) -> None:
    seen = run(stage.asks(2), **{node: hangs})
    assert {output.node for output in seen.signals(Signal.PROVIDER_ERROR)} == {stage.node(node)}
    assert seen.signals(Signal.BUDGET_EXHAUSTED)
    assert len(seen.signals(Signal.TURN_OPEN)) == 2


@pytest.mark.parametrize(("node", "answer"), [("llm", Signal.FALLBACK), ("voice", Signal.DEGRADE)])
def test_f3_a_provider_fails_and_the_pipeline_says_what_then(stage: Any, run: Any, node: str, answer: Signal) -> None:
    seen = run(stage.asks(), **{node: breaks})
    (failed,) = seen.signals(Signal.PROVIDER_ERROR)
    assert (failed.node, failed.x) == (stage.node(node), Outcome.INFRASTRUCTURE_FAILURE)
    assert len(seen.signals(answer)) == 1
    assert [output.turn for output in seen.signals(Signal.COMMIT)] == [1]


def test_f3_a_provider_that_is_overloaded_answers_the_next_turn(stage: Any, run: Any) -> None:
    s = stage.scripted
    seen = run(stage.asks(2), llm=overloaded_until(s.answer("It is four.")))
    assert [output.x for output in seen.signals(Signal.PROVIDER_ERROR)][:1] == [Outcome.OVERLOAD]
    assert [output.turn for output in seen.signals(Signal.COMMIT)] == [1, 2]


@pytest.mark.parametrize("frames", [100, 400])
def test_f4_an_edge_overflows_by_time_in_queue(stage: Any, run: Any, frames: int) -> None:
    """The recogniser takes nothing for two seconds: what is older than the edge allows is removed, by name."""
    s = stage.scripted

    async def slow(call: Invocation) -> None:
        await asyncio.sleep(2.0)
        await s.recognise(call)

    async def user(ears: Any, _: Any) -> None:
        await s.talk(ears, frames)
        await s.quiet(ears)

    dropped = run(user, stt=slow).signals(Signal.DROP_NOTICE)
    assert {output.cause for output in dropped} >= {Cause.QUEUE_AGE}


def test_f4_an_edge_overflows_by_depth(stage: Any, run: Any) -> None:
    """200 frames at one instant, and 64 fit."""
    s = stage.scripted

    async def deaf(call: Invocation) -> None:
        await asyncio.sleep(0.5)
        await s.recognise(call)

    async def ears_at_once(call: Invocation) -> None:
        """Hears one frame of speech and says two hundred."""
        told = False
        async for item in call.inputs():
            if any(item.payload) and not told:
                told = True
                await call.emit("speech_start", media_ns=item.media_ns)
                for _ in range(200):
                    await call.emit("speech", s.FRAME, media_ns=item.media_ns)
                await call.emit("speech_end", media_ns=item.media_ns)

    seen = run(stage.asks(), ears=ears_at_once, stt=deaf)
    pressed = [output for output in seen.signals(Signal.DROP_NOTICE) if output.cause == Cause.QUEUE_PRESSURE]
    assert pressed
    assert len({output.node for output in pressed}) == 1


@pytest.mark.parametrize("comes_back", [True, False])
def test_f6_the_transport_is_lost(stage: Any, run: Any, comes_back: bool) -> None:
    async def lose(ears: Any) -> None:
        await ears.control(Control.DISCONNECTED)
        if comes_back:
            await ears.control(Control.CONNECTED)

    seen = run(while_answering(stage, lose, again=comes_back), **long(stage))
    (abort,) = seen.signals(Signal.ABORT)[:1]
    assert (abort.turn, abort.cause) == (1, Cause.TRANSPORT_DISCONNECT_OR_STALL)
    assert bool(seen.signals(Signal.COMMIT)) == comes_back


def test_f7_authority_conflict_at_ingress(stage: Any, run: Any) -> None:
    """Somebody of another epoch talks into the session: refused, told, and the answer goes on."""
    s = stage.scripted

    async def intrude(ears: Any) -> None:
        for epoch in (0, 2):
            assert ears.offer(Inbound(In.MEDIA, 0, 0, epoch=epoch, payload=s.FRAME)) == Result.REFUSED

    seen = run(while_answering(stage, intrude, again=False))
    assert sorted(output.x for output in seen.signals(Signal.STALE_EPOCH_REJECT)) == [0, 2]


@pytest.mark.parametrize(("control", "epoch"), [(Control.LEASE_ROTATED, 2), (Control.LEASE_REVOKED, 0)])
def test_f7_authority_conflict_at_egress(stage: Any, run: Any, control: Control, epoch: int) -> None:
    """The lease goes to somebody else while the answer is spoken: from that instant nothing of it leaves."""

    async def lose(ears: Any) -> None:
        await ears.control(control, epoch)

    seen = run(while_answering(stage, lose, again=False), **long(stage))
    (abort,) = seen.signals(Signal.ABORT)
    assert abort.cause == Cause.AUTHORITY_LOSS
    assert seen.signals(Signal.DEAUTHORIZED_DRAIN)
    at = seen.outputs.index(abort)
    assert not [output for output in seen.outputs[at:] if output in seen.played(1)]

"""What happens when something fails or a bound is met, on both kernels: fallback, degrade, shedding, authority."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, Control, In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.providers.contract import Invocation, Outcome, ProviderError

MS = 1_000_000
SORRY = b"Sorry, could you say that again?"


@pytest.mark.feature("F-007", "activated", "event")
@pytest.mark.feature("F-045", "timeout", "reaction")
@pytest.mark.feature("F-046", "cancelled", "fallback")
def test_a_slow_model_is_cancelled_and_its_fallback_spoken_in_time(stage: Any) -> None:
    ended: list[str] = []

    async def slow(call: Invocation) -> None:
        try:
            async for _ in call.inputs():
                pass
            await asyncio.sleep(1.0)
            await call.emit("delta", b"Too late.")
        finally:
            ended.append(f"{call.cancelled}")

    seen = stage.play(stage.asks(), llm=slow)
    (spent,) = seen.signals(Signal.BUDGET_EXHAUSTED)
    (fallback,) = seen.signals(Signal.FALLBACK)
    (fed,) = seen.ops(Op.FEED, stage.node("llm"))
    assert (spent.node, spent.t_ns) == (stage.node("llm"), fed.t_ns + 800 * MS)
    assert (fallback.cause, fallback.t_ns) == (Cause.NODE_TIMEOUT, spent.t_ns)
    (cancel,) = [o for o in seen.ops(Op.CANCEL) if o.turn == 1]
    assert (cancel.node, cancel.t_ns) == (stage.node("llm"), spent.t_ns)
    assert ended == ["True"]
    end = next(end for end in seen.watch.ends if end.invocation == cancel.invocation)
    assert end.outcome == Outcome.CANCELLED
    assert end.end_ns - cancel.t_ns <= 75 * MS  # the grace; it would have worked for 200 ms more
    assert b"".join(o.payload for o in seen.ops(Op.FEED, stage.node("voice"))) == SORRY
    (opened,), (started,) = seen.signals(Signal.TURN_OPEN), seen.signals(Signal.PLAYBACK_STARTED)
    assert started.t_ns - opened.t_ns < 2000 * MS
    assert seen.signals(Signal.COMMIT)


@pytest.mark.feature("F-007", "activated", "event")
@pytest.mark.feature("F-133", "immediate", "recorded")
@pytest.mark.feature("F-135", "heard", "ready")
def test_a_model_that_fails_is_excused_aloud_and_the_next_turn_answered(stage: Any) -> None:
    calls = 0

    async def moody(call: Invocation) -> None:
        nonlocal calls
        calls += 1
        async for _ in call.inputs():
            pass
        if calls == 1:
            raise ProviderError(Outcome.OVERLOAD, "429 too many requests", retryable=True)
        await call.emit("delta", b"Fine.")

    seen = stage.play(stage.asks(times=2), llm=moody)
    (error,) = seen.signals(Signal.PROVIDER_ERROR)
    (fallback,) = seen.signals(Signal.FALLBACK)
    assert (error.node, error.x, error.turn) == (stage.node("llm"), Outcome.OVERLOAD, 1)
    assert (fallback.cause, fallback.t_ns, fallback.seq) == (Cause.NODE_ERROR, error.t_ns, error.seq + 1)
    model = next(c for c in seen.records[1]["provider_invocations"] if c["node_id"] == "llm")
    assert (model["outcome_class"], model["reason"]) == ("overload", "429 too many requests")
    assert model["retry_decision"] == "fallback"
    assert b"".join(o.payload for o in seen.ops(Op.FEED, stage.node("voice")) if o.turn == 1) == SORRY
    assert len(seen.played(1)) > 50
    assert [o.turn for o in seen.signals(Signal.COMMIT)] == [1, 2]
    assert b"".join(o.payload for o in seen.ops(Op.FEED, stage.node("voice")) if o.turn == 2) == b"Fine."


@pytest.mark.feature("F-134", "caught", "unaffected")
@pytest.mark.feature("F-137", "text_only")
def test_a_voice_that_crashes_leaves_the_text_and_the_other_sessions(stage: Any) -> None:
    s = stage.scripted

    async def crashes(call: Invocation) -> None:
        async for _ in call.inputs():
            raise ZeroDivisionError("no voice")

    one, other = stage.play_both((stage.asks(), {"voice": crashes}), (stage.asks(times=2), {}))
    (degrade,) = one.signals(Signal.DEGRADE)
    assert (degrade.cause, stage.package.plan.modes[degrade.x].name) == (Cause.NODE_ERROR, "text_only")
    assert b"".join(o.payload for o in one.ops(Op.SEND) if o.port == 1) == b"It is four. Good bye."
    assert one.played(1) == []
    assert one.signals(Signal.COMMIT)
    assert [Signal(o.code).name for o in other.signals(Signal.ABORT, Signal.DEGRADE, Signal.COMMIT)] == ["COMMIT"] * 2
    assert len(other.played(1)) == len(other.played(2)) == 62
    assert other.played(1)[0].payload == s.FRAME


@pytest.mark.feature("F-043", "bound", "strategy")
@pytest.mark.feature("F-044", "drop_oldest", "counted")
@pytest.mark.feature("F-069", "drops")
@pytest.mark.feature("NF-004", "bounded")
def test_a_burst_beyond_an_edge_is_shed_as_the_edge_says(stage: Any) -> None:
    """The detector passes on 200 frames at once to a recogniser that takes none: 64 fit."""
    edge = stage.edge("ears.speech", "stt.audio")
    assert (edge.items_max, edge.overflow[0].strategy) == (64, "drop_oldest")
    window = stage.package.plan.nodes[stage.node("stt")].window
    got: list[int] = []

    async def burst(call: Invocation) -> None:
        async for item in call.inputs():
            await call.emit("speech_start", media_ns=item.media_ns)
            for index in range(200):
                await call.emit("speech", index.to_bytes(2, "little") * 320, media_ns=item.media_ns)
            await call.emit("speech_end", media_ns=item.media_ns)
            break
        async for _ in call.inputs():
            pass

    async def idle(call: Invocation) -> None:
        await asyncio.sleep(0.1)
        async for item in call.inputs():
            got.append(int.from_bytes(item.payload[:2], "little"))
        await call.emit("final", b"something", final=True)

    seen = stage.play(stage.asks(frames=3), ears=burst, stt=idle)
    stats = seen.finished.stats
    assert stats[f"edge.{edge.id}.high"] == 64
    dropped = [o for o in seen.signals(Signal.DROP_NOTICE) if o.node == edge.id and o.cause == Cause.QUEUE_PRESSURE]
    assert stats[f"edge.{edge.id}.dropped"] == len(dropped) > 0
    assert len(got) + len(dropped) == 200
    assert got[:window] == list(range(window))  # already handed over
    assert got[window:] == list(range(200 - len(got) + window, 200))  # of those that waited, the newest
    for other in stage.package.plan.edges:
        assert stats[f"edge.{other.id}.high"] <= other.items_max
        assert other is edge or stats[f"edge.{other.id}.dropped"] == 0


@pytest.mark.feature("F-044", "block")
@pytest.mark.feature("F-145", "signal")
def test_an_edge_that_blocks_holds_its_producer(stage: Any) -> None:
    edge = stage.edge("voice.audio", "egress.audio")
    assert edge.overflow[0].strategy == "block"
    made: list[int] = []
    at_1s: list[int] = []

    async def fast(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        for index in range(400):
            made.append(index)
            await call.emit("audio", index.to_bytes(2, "little") * 320)

    async def user(ears: Any, _: Any) -> None:
        await stage.scripted.talk(ears, 15)
        await stage.scripted.hush(ears, 50)
        at_1s.append(len(made))
        await stage.scripted.quiet(ears)

    seen = stage.play(user, voice=fast)
    assert 0 < at_1s[0] < 400
    assert [int.from_bytes(o.payload[:2], "little") for o in seen.played(1)] == list(range(400))
    assert seen.finished.stats[f"edge.{edge.id}.high"] == edge.items_max
    assert seen.finished.stats[f"edge.{edge.id}.dropped"] == 0
    off, on = (seen.signals(signal) for signal in (Signal.FLOW_XOFF, Signal.FLOW_XON))
    assert len(off) == len(on) > 0
    assert all(a.seq < b.seq for a, b in zip(off, on, strict=True))


@pytest.mark.feature("F-156", "rejected", "event")
def test_what_comes_under_an_old_epoch_is_refused(stage: Any) -> None:
    """The lease rotates in the middle of an answer: the old answer ends, nothing of it gets out, each try is told."""
    s = stage.scripted
    watch_voice: list[int] = []

    async def user(ears: Any, _: Any) -> None:
        await s.talk(ears, 15)
        await s.hush(ears, 20)
        await ears.control(Control.LEASE_ROTATED, a=2)
        call = watch_voice[0]
        for op, node, invocation in ((In.MEDIA, 0, 0), (In.MEDIA, 0, 0), (In.CHUNK, stage.node("voice"), call)):
            stale = Inbound(op, node, 0, invocation, epoch=1, payload=s.FRAME)  # from who does not know yet
            assert ears.offer(stale) == Result.REFUSED
        await s.hush(ears, 3)
        await s.talk(ears, 15)
        await s.quiet(ears)

    async def voice(call: Invocation) -> None:
        watch_voice.append(call.id)
        await s.speak(call)

    seen = stage.play(user, voice=voice, llm=s.answer("One two three four five six."))
    (rotated,) = seen.signals(Signal.LEASE_ROTATED)
    (abort,) = seen.signals(Signal.ABORT)
    assert (abort.turn, abort.cause, abort.t_ns) == (1, Cause.AUTHORITY_LOSS, rotated.t_ns)
    stale = [
        e for _, e, r in seen.watch.inputs if r == Result.REFUSED and e.epoch == 1 and e.op in (In.MEDIA, In.CHUNK)
    ]
    told = seen.signals(Signal.STALE_EPOCH_REJECT)
    assert len(told) == len(stale) >= 3
    assert {In(e.op) for e in stale} == {In.MEDIA, In.CHUNK}
    assert {(o.x, o.cause) for o in told} == {(1, Cause.AUTHORITY_EPOCH_MISMATCH)}
    assert not [o for o in seen.ops(Op.SEND) if o.turn == 1 and o.seq > abort.seq]
    assert [o.turn for o in seen.signals(Signal.COMMIT)] == [2]


@pytest.mark.feature("F-139", "proposal")
@pytest.mark.feature("F-141", "no_state")
@pytest.mark.parametrize(("snapshot", "signal"), [(1, Signal.DEFER), (2, Signal.REJECT)])
def test_a_turn_that_was_only_proposed_leaves_nothing(stage: Any, snapshot: int, signal: Signal) -> None:
    s = stage.scripted

    async def user(ears: Any, _: Any) -> None:
        await ears.control(Control.SNAPSHOT, a=snapshot)
        await s.talk(ears, 15)
        await s.quiet(ears)

    seen = stage.play(user)
    assert seen.signals(Signal.TURN_OPEN_PROPOSED)
    assert seen.signals(signal)
    assert not seen.signals(Signal.TURN_OPEN, Signal.ABORT, Signal.CLOSE, Signal.COMMIT)
    assert seen.records == {}
    assert seen.finished.stats["turns"] == 0


@pytest.mark.feature("F-142", "first", "shedding")
def test_control_overtakes_everything_that_waits(stage: Any) -> None:
    """Nobody drains: data and telemetry outputs fill up, and so do the edges behind them. Then the caller cancels."""
    plan = stage.package.plan
    session = stage.package.open_session("full", 1, [None] * 8, stage.kernel)
    now = 0
    calls: dict[int, int] = {}

    def step() -> list[Any]:
        session.advance(now)
        outputs = session.drain()
        calls.update({o.node: o.invocation for o in outputs if o.op == Op.INVOKE})
        return outputs

    def chunk(name: str, port: int, payload: bytes = b"", **fields: int) -> int:
        node = stage.node(name)
        return session.ingest(Inbound(In.CHUNK, node, port, calls[node], 1, payload=payload, **fields), now)

    session.ingest(Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1), now)
    step()
    session.ingest(Inbound(In.MEDIA, 0, 0, epoch=1, payload=bytes(640)), now)
    step()
    for port in (1, 0, 2):  # speech begins, one frame, speech ends
        chunk("ears", port, bytes(640) if port == 0 else b"")
        step()
    chunk("stt", 2, b"hello", flags=1, b=1)
    session.ingest(Inbound(In.DONE, stage.node("stt"), invocation=calls[stage.node("stt")], epoch=1), now)
    step()
    chunk("llm", 0, b"One. ", a=4, b=1)
    step()
    chunk("ears", 0, bytes(640))  # the user hums: the recogniser listens again
    step()
    assert stage.node("voice") in calls
    for index in range(plan.telemetry_out_max + 5):
        chunk("stt", 1, f"revision {index}".encode(), b=2)
        session.advance(now)
    answers = {chunk("voice", 0, bytes(640)) for _ in range(plan.data_out_max + 110)}
    session.advance(now)
    while (answer := chunk("voice", 0, bytes(640))) == Result.ACCEPTED:
        session.advance(now)
    assert {*answers, answer} == {Result.ACCEPTED, Result.FULL}
    for _ in range(4):  # and the detector has frames to take
        session.ingest(Inbound(In.MEDIA, 0, 0, epoch=1, payload=bytes(640)), now)
        session.advance(now)
    accepted = session.ingest(Inbound(In.CONTROL, port=Control.CANCEL_TURN, epoch=1), now)
    session.advance(now)
    outputs = session.drain()
    session.close()
    assert accepted == Result.ACCEPTED
    names = [Signal(o.code).name for o in outputs if o.op == Op.DECISION]
    assert {"CANCEL", "ABORT", "CLOSE"} <= set(names)
    lanes = [0 if o.op < Op.INVOKE else 1 if o.op < Op.TAP else 2 for o in outputs]
    assert lanes == sorted(lanes)
    assert lanes.count(1) > 0
    assert lanes.count(2) == plan.telemetry_out_max  # what did not fit was shed, and held nobody up

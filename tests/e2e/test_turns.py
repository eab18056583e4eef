"""What a conversation promises, on both kernels: turns, order, interruption, cancel, fence."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, Control, In, Op, Result, Scope, Signal
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.replay import replay
from rspp_runtime.providers.contract import Cancelled, Invocation, Outcome
from rspp_runtime.session.gateway import InputError

MS = 1_000_000
LONG = " ".join(f"Word{n}" for n in range(40)) + "."


@pytest.mark.feature("F-002", "wired", "running")
@pytest.mark.feature("F-014", "boundaries", "numbered", "reset")
@pytest.mark.feature("F-139", "paths")
def test_every_utterance_is_a_turn_of_its_own(stage: Any) -> None:
    """Three utterances between silences; the model counts what it gets, afresh in every turn."""
    counts: list[int] = []

    async def counting(call: Invocation) -> None:
        count = 0
        async for _ in call.inputs():
            count += 1
        counts.append(count)
        await call.emit("delta", f"{count}.".encode())

    seen = stage.play(stage.asks(times=3), llm=counting)
    assert seen.signals()[0].code == Signal.CONNECTED
    marks = [(Signal(o.code).name, o.turn) for o in seen.signals(Signal.TURN_OPEN, Signal.COMMIT, Signal.CLOSE)]
    assert marks == [(name, turn) for turn in (1, 2, 3) for name in ("TURN_OPEN", "COMMIT", "CLOSE")]
    assert counts == [1, 1, 1]
    assert [record["turn_id"] for record in seen.records.values()] == ["s/1", "s/2", "s/3"]
    assert {record["session_id"] for record in seen.records.values()} == {"s"}
    for name in ("llm", "voice"):
        assert [o.turn for o in seen.ops(Op.INVOKE, stage.node(name))] == [1, 2, 3]
    assert [o.turn for o in seen.ops(Op.INVOKE, stage.node("stt"))] == [0, 0, 0]  # hearing is outside of turns


@pytest.mark.feature("F-004", "both", "order")
def test_one_output_feeds_voice_and_screen(stage: Any) -> None:
    """Both branches get every word, each in the order in which the model said them."""
    seen = stage.play(stage.asks(), llm=stage.scripted.answer(LONG))
    screen = [o for o in seen.ops(Op.SEND) if o.port == 1]
    voice = seen.ops(Op.FEED, stage.node("voice"))
    assert b"".join(o.payload for o in screen) == b"".join(o.payload for o in voice) == LONG.encode()
    for branch in (screen, voice):
        assert [o.seq for o in branch] == sorted(o.seq for o in branch)


@pytest.mark.feature("F-008", "burst", "restart")
@pytest.mark.feature("F-029", "record", "same")
def test_a_burst_arrives_once_and_in_order_and_again_so_after_a_restart(stage: Any) -> None:
    async def burst(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        for index in range(300):
            await call.emit("delta", f"{index} ".encode())

    async def frames(call: Invocation) -> None:
        async for item in call.inputs():
            for number in item.payload.split():
                await call.emit("audio", int(number).to_bytes(2, "little") * 320, text_end=len(item.payload))

    seen = stage.play(stage.asks(), llm=burst, voice=frames)
    expected = list(range(300))
    fed = b"".join(o.payload for o in seen.ops(Op.FEED, stage.node("voice")))
    assert [int(word) for word in fed.split()] == expected
    assert [int(o.payload) for o in seen.ops(Op.SEND) if o.port == 1] == expected
    assert [int.from_bytes(o.payload[:2], "little") for o in seen.played(1)] == expected

    def restarted(session_id: str, epoch: int, handlers: Any) -> Any:
        return stage.package.open_session(session_id, epoch, handlers, stage.kernel)

    report = replay(read(seen.log), stage.package.plan, restarted)
    assert report.identical
    assert report.proved.startswith("L2")  # every decision, and every output bit for bit
    assert report.outputs > 900


@pytest.mark.feature("F-025", "propagates", "ended", "next")
@pytest.mark.feature("F-033", "silence", "calls")
@pytest.mark.feature("F-036", "stops", "acknowledged")
@pytest.mark.feature("F-038", "flushed", "no_leak")
@pytest.mark.feature("F-175", "baseline", "fence", "refused", "zero")
def test_talking_over_the_answer(stage: Any) -> None:
    """Model and voice are in the middle of their work; the voice has frames queued and tries to say more."""
    stopped: list[str] = []

    async def model(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        try:
            for word in LONG.split():
                await call.emit("delta", f"{call.id}:{word}. ".encode())
                await asyncio.sleep(0.05)
        except Cancelled:
            stopped.append("model")
            raise

    async def voice(call: Invocation) -> None:
        size = 0
        try:
            async for item in call.inputs():
                size += len(item.payload)
                for _ in range(25):
                    await call.emit("audio", call.id.to_bytes(2, "little") * 320, text_end=size)
        except Cancelled:
            stopped.append("voice")
            for _ in range(3):
                with pytest.raises(Cancelled):
                    await call.emit("audio", call.id.to_bytes(2, "little") * 320)
            raise

    seen = stage.play(stage.interrupts(), llm=model, voice=voice)
    (accepted,) = [o for o in seen.signals(Signal.OUTPUT_ACCEPTED) if o.turn == 1]
    (started,) = [o for o in seen.signals(Signal.PLAYBACK_STARTED) if o.turn == 1]
    (barge_in,) = seen.signals(Signal.BARGE_IN)
    (abort,) = seen.signals(Signal.ABORT)
    assert accepted.t_ns <= started.t_ns < barge_in.t_ns
    assert (abort.turn, abort.cause) == (1, Cause.CANCELLED)
    assert [o.turn for o in seen.signals(Signal.CLOSE)] == [1, 2]
    assert [o.turn for o in seen.signals(Signal.COMMIT)] == [2]

    ears = stage.node("ears")
    onsets = [e.media_ns for _, e, _ in seen.watch.inputs if (e.op, e.node, e.port) == (In.CHUNK, ears, 1)]
    assert seen.party.flushes == [abort.t_ns]
    assert abort.t_ns - onsets[1] <= 150 * MS

    calls = {o.node: o.invocation for o in seen.ops(Op.INVOKE) if o.turn == 1}
    cancelled = {o.invocation for o in seen.ops(Op.CANCEL)}
    assert cancelled >= {calls[stage.node("llm")], calls[stage.node("voice")]}
    assert sorted(stopped[:2]) == ["model", "voice"]
    acknowledged = {e.invocation for _, e, _ in seen.watch.inputs if e.op == In.DONE and e.a == Outcome.CANCELLED}
    assert acknowledged >= {calls[stage.node("llm")], calls[stage.node("voice")]}

    flushed = [o for o in seen.signals(Signal.DROP_NOTICE) if o.cause == Cause.CANCEL_FLUSH]
    assert flushed
    assert seen.finished.stats["flushed_items"] > 0
    of_first = calls[stage.node("voice")].to_bytes(2, "little") * 320
    assert all(o.payload != of_first for o in seen.played(2))
    again = {o.node: o.invocation for o in seen.ops(Op.INVOKE) if o.turn == 2}
    prompt = b"".join(o.payload for o in seen.ops(Op.FEED) if o.invocation == again[stage.node("voice")])
    assert {word.split(b":")[0] for word in prompt.split()} == {str(again[stage.node("llm")]).encode()}

    assert not [o for o in seen.ops(Op.SEND) if o.turn == 1 and o.seq > abort.seq]
    for turn, record in seen.records.items():
        assert missing_fields(record) == [], turn
    record = seen.records[1]
    assert record["cancel_accepted_timestamp"] * MS == record["cancel_fence_timestamp"] * MS == abort.t_ns
    late = seen.signals(Signal.LATE_AFTER_CANCEL)
    assert record["outputs_refused_count"] == len(record["outputs_refused"]) == len(late) > 0
    refused = [e for _, e, result in seen.watch.inputs if e.op == In.CHUNK and result == Result.REFUSED]
    assert len(refused) == len(late)


@pytest.mark.feature("F-034", "reached", "spared")
def test_a_cancel_from_the_transport_reaches_its_turn_and_nothing_else(stage: Any) -> None:
    """Two sessions answer at once; the caller of one cancels. Its hearing goes on, and so does the other session."""
    s = stage.scripted

    async def cancels(ears: Any, _: Any) -> None:
        await s.hush(ears, 3)
        await s.talk(ears, 15)
        await s.hush(ears, 30)
        await ears.control(Control.CANCEL_TURN)
        await s.hush(ears, 3)
        await s.talk(ears, 15)
        await s.quiet(ears)

    work = {"llm": s.answer(LONG, 0.1)}
    one, other = stage.play_both((cancels, work), (stage.asks(), work))
    calls = {o.node: o.invocation for o in one.ops(Op.INVOKE) if o.turn == 1}
    assert {o.invocation for o in one.ops(Op.CANCEL) if o.turn == 1} == set(calls.values())
    assert set(calls) == {stage.node("llm"), stage.node("voice")}
    assert not [o for o in one.ops(Op.CANCEL) if o.node == stage.node("ears") and o.t_ns != one.outputs[-1].t_ns]
    assert [(Signal(o.code).name, o.turn) for o in one.signals(Signal.ABORT, Signal.COMMIT)] == [
        ("ABORT", 1), ("COMMIT", 2),
    ]  # fmt: skip
    assert len(one.ops(Op.INVOKE, stage.node("ears"))) == 1  # one hearing, from first to last
    assert [Signal(o.code).name for o in other.signals(Signal.ABORT, Signal.CANCEL, Signal.COMMIT)] == ["COMMIT"]


@pytest.mark.feature("F-042", "finalizes", "prompt")
def test_releasing_the_button_ends_the_utterance(stage: Any) -> None:
    """The detector has heard no silence yet."""
    s = stage.scripted
    released: list[int] = []

    async def user(ears: Any, _: Any) -> None:
        await s.talk(ears, 20)
        released.append(ears.clock.now_ns())
        await ears.control(Control.END_UTTERANCE)
        await s.talk(ears, 1)  # noise behind it, and still no silence
        await s.quiet(ears)

    seen = stage.play(user)
    finish = seen.ops(Op.FINISH, stage.node("stt"))[0]
    ends = [e for _, e, _ in seen.watch.inputs if e.op == In.CHUNK and e.node == stage.node("ears") and e.port == 2]
    proposed = seen.signals(Signal.TURN_OPEN_PROPOSED)[0]
    assert finish.t_ns == proposed.t_ns == released[0]
    assert all(e.media_ns > released[0] for e in ends)
    prompt = seen.ops(Op.FEED, stage.node("llm"))[0]
    assert prompt.payload == b"20 frames"


@pytest.mark.feature("F-024", "monotonic", "once", "immutable")
def test_partials_move_forward_and_a_final_stands(stage: Any) -> None:
    async def revising(call: Invocation) -> None:
        count = 0
        async for _ in call.inputs():
            count += 1
            await call.emit("partial", f"revision {count}".encode())
        await call.emit("final", f"final of {count}".encode(), final=True)
        await call.emit("partial", b"revision 99")  # too late to change anything

    seen = stage.play(stage.asks(times=2), stt=revising, llm=stage.scripted.answer(LONG))
    records = [json.loads(line) for line in _jsonl(seen)]
    chunks = [r for r in records if r["record"] == "input" and r["op"] == "CHUNK" and r["node"] == stage.node("stt")]
    assert len(chunks) == 2 * 17
    taps = [o for o in seen.outputs if o.op == Op.TAP]
    revisions = [int(o.payload.split()[1]) for o in taps]
    assert revisions
    first = revisions[: revisions.index(1, 1)] if 1 in revisions[1:] else revisions
    assert first == sorted(set(first))
    for turn in (1, 2):
        fed = [o for o in seen.ops(Op.FEED, stage.node("llm")) if o.turn == turn]
        assert [o.payload for o in fed] == [b"final of 15"]
        shown = [o for o in seen.ops(Op.SEND) if o.port == 1 and o.turn == turn]
        assert b"".join(o.payload for o in shown) == LONG.encode()


def _jsonl(seen: Any) -> list[str]:
    from rspp_runtime.evidence.entries import to_json

    return [to_json(entry) for entry in read(seen.log).entries]


@pytest.mark.feature("F-160", "identity", "outcome")
def test_every_call_has_a_name_and_an_end_of_its_own(stage: Any) -> None:
    """Cancelling the model's call alone leaves the voice at work."""
    s = stage.scripted

    async def user(ears: Any, _: Any) -> None:
        await s.talk(ears, 15)
        await s.hush(ears, 40)
        await ears.control(Control.CANCEL_NODE, a=stage.node("llm"))
        await s.quiet(ears)

    seen = stage.play(user, llm=s.answer("One two. " * 40, 0.1))
    (cancel,) = seen.signals(Signal.CANCEL)
    assert (cancel.x, cancel.y) == (Scope.NODE, stage.node("llm"))
    assert [o.turn for o in seen.signals(Signal.COMMIT)] == [1]
    calls = {call["node_id"]: call for call in seen.records[1]["provider_invocations"]}
    assert len({call["provider_invocation_id"] for call in calls.values()}) == len(calls) == 3
    assert {name: call["outcome_class"] for name, call in calls.items()} == {
        "stt": "success", "llm": "cancelled", "voice": "success",
    }  # fmt: skip
    (told,) = [o for o in seen.ops(Op.CANCEL) if o.turn == 1]
    assert calls["llm"]["provider_invocation_id"] == f"s/i{told.invocation}"


@pytest.mark.feature("NF-013", "refused", "stable")
def test_what_is_malformed_is_refused_and_the_session_goes_on(stage: Any) -> None:
    s = stage.scripted
    said: list[str] = []
    answers: list[int] = []

    async def user(ears: Any, _: Any) -> None:
        for port, payload in (("audio", b"\1" * 641), ("audio", b""), ("text", b"\xff\xfe"), ("text", b"x" * 5000)):
            try:
                answers.append(await ears.media(port, payload, 0))
            except InputError as error:
                said.append(str(error))
        answers.append(await ears.media("video", b"5", 0))
        await s.talk(ears, 15)
        await s.quiet(ears)

    seen = stage.play(user)
    assert len(said) == 3
    assert answers == [Result.REFUSED] * 2
    assert any("641 bytes" in text for text in said)
    assert any("UTF-8" in text for text in said)
    assert [Cause(o.cause).name for o in seen.signals(Signal.REJECT)][-1] == "UNKNOWN_PORT"
    assert [o.turn for o in seen.signals(Signal.COMMIT)] == [1]

"""A party and its session, in virtual time: what it is told, in which order, and what a lost connection costs."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from rspp.wire import JSON, MSGPACK, Close
from rspp_runtime.abi.codes import Cause, Control, In, Signal

MS = 1_000_000
LONG = "One two three four five six seven eight nine ten eleven and so on to twenty and to thirty one."


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [one["seq"] for one in messages if "seq" in one]


def of(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in messages if one["type"] == kind]


def signals(messages: list[dict[str, Any]]) -> list[str]:
    return [one["signal"] for one in of(messages, "signal")]


# ---- a conversation


@pytest.mark.feature("F-084", "stream")
@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
def test_a_spoken_turn_is_told_in_order_and_without_a_gap(parties: ModuleType, subprotocol: str) -> None:
    async def user(line: Any) -> None:
        await line.come()
        await line.hush(3)
        await line.talk(25)
        await line.hush(5)
        await line.until(signal="close")

    seen = parties.play(user, subprotocol=subprotocol)
    messages = seen.line.messages
    assert messages[0]["type"] == "welcome"
    assert numbers(messages) == list(range(1, len(numbers(messages)) + 1))
    assert [(one["text"], one["final"]) for one in of(messages, "transcript")] == [
        ("10 frames", False), ("20 frames", False), ("25 frames", True),
    ]  # fmt: skip
    assert "".join(one["text"] for one in of(messages, "text")) == "It is four o'clock. Good bye."
    assert signals(messages) == [
        "connected", "turn_open_proposed", "turn_open", "output_accepted", "playback_started", "playback_completed",
        "commit", "close", "ended",
    ]  # fmt: skip
    audio = of(messages, "audio")
    assert {len(one["payload"]) for one in audio} == {640}
    moments = [one["pts_ms"] for one in audio]
    assert [later - earlier for earlier, later in pairwise(moments)] == [20] * (len(audio) - 1)
    assert messages[-1]["type"] == "goodbye"
    assert seen.line.socket.closed == (Close.DONE, "the session has ended")


def test_a_voice_is_never_sent_further_ahead_than_the_lead(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="close")

    seen = parties.play(user)
    ahead_ms = [one["pts_ms"] - at_ns / MS for at_ns, one in seen.line.socket.came if one["type"] == "audio"]
    assert 100 < max(ahead_ms) <= 200


def test_a_word_that_is_said_again_is_taken_once(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        for _ in range(3):
            line.say(type="text", seq=1, text="hello")
        await line.until(signal="close")
        line.say(type="text", seq=1, text="hello")
        line.say(type="control", seq=1, signal="cancel")
        await line.wait(500)

    seen = parties.play(user)
    assert len(seen.media()) == 1
    assert seen.tally.duplicates == 4
    assert signals(seen.line.messages).count("turn_open") == 1
    assert seen.controls == [Control.CONNECTED, Control.ENDED]


def test_the_party_is_told_once_a_second_what_was_taken(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        await line.hush(120)

    seen = parties.play(user)
    acks = [(at_ns // MS, one["received"]) for at_ns, one in seen.line.socket.came if one["type"] == "ack"]
    assert 2 <= len(acks) <= 3
    assert all(abs(received - at_ms / 20) <= 2 for at_ms, received in acks)


@pytest.mark.feature("F-084", "control")
def test_a_cancel_flushes_and_nothing_of_that_turn_comes_after(parties: ModuleType, scripted: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        await line.wait(700)
        line.say(type="control", signal="cancel")
        await line.until(signal="close")
        await line.wait(1000)

    seen = parties.play(user, llm=scripted.answer(LONG))
    messages = seen.line.messages
    (flush,) = of(messages, "flush")
    after = messages[messages.index(flush) :]
    assert flush["turn_id"] == "s-1/1"
    assert of(after, "audio") == of(after, "text") == []
    assert [one["reason"] for one in of(messages, "signal") if one["signal"] == "abort"] == ["cancelled"]
    # What was heard is what had its moment before the cancel, and no word more.
    (heard,) = [one for one in of(messages, "signal") if one["signal"] == "playback_cancelled"]
    assert 0 < heard["detail"]["words"] < len(LONG.split())


def test_talking_over_the_answer_silences_it(parties: ModuleType, scripted: ModuleType) -> None:
    async def listen(call: Any) -> None:
        """As `scripted.listen`, and speech during an answer is an interruption."""
        speaking = False
        async for item in call.inputs():
            loud = any(item.payload)
            if loud and not speaking:
                await call.emit("speech_start", media_ns=item.media_ns)
            if loud:
                await call.emit("speech", item.payload, media_ns=item.media_ns)
            if speaking and not loud:
                await call.emit("speech_end", media_ns=item.media_ns)
            speaking = loud

    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        await line.talk(15)
        await line.hush(5)
        await line.until(signal="turn_open", turn_id="s-1/2")
        await line.until(signal="close", turn_id="s-1/2")

    seen = parties.play(user, llm=scripted.answer(LONG), ears=listen)
    messages = seen.line.messages
    at = next(index for index, one in enumerate(messages) if one["type"] == "flush")
    assert not [one for one in of(messages[at:], "audio") if one["turn_id"] == "s-1/1"]
    assert of(messages[at:], "audio")
    assert numbers(messages) == list(range(1, len(numbers(messages)) + 1))


@pytest.mark.feature("F-042", "finalizes", "prompt")
def test_the_client_ends_its_utterance_itself(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        await line.talk(15)
        await line.wait(10)
        line.say(type="control", signal="end_utterance")
        await line.until(signal="close")

    seen = parties.play(user)
    ended_ns = next(
        at for at, one, _ in seen.watch.inputs if one.op == In.CONTROL and one.port == Control.END_UTTERANCE
    )
    final_ns, final = next(row for row in seen.line.socket.came if row[1]["type"] == "transcript" and row[1]["final"])
    proposed_ns = next(at for at, one in seen.line.socket.came if one.get("signal") == "turn_open_proposed")
    assert final["text"] == "15 frames"  # nobody has been silent
    assert proposed_ns - ended_ns <= 5 * MS
    assert final_ns - ended_ns <= 50 * MS


def test_reports_of_playback_reach_the_kernel_as_media_time(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come(playback="acked")
        line.say(type="text", text="hello")
        audio = await line.until(type="audio")
        turn = {"turn_id": audio["turn_id"]}
        line.say(type="delivery", signal="playback_started", played_ms=0, **turn)
        for played_ms in range(200, 1400, 200):
            await line.wait(200)
            line.say(type="delivery", signal="playback_progress", played_ms=played_ms, **turn)
        line.say(type="delivery", signal="playback_progress", played_ms=2**53 - 1, **turn)  # a lie
        line.say(type="delivery", signal="playback_progress", played_ms=1, turn_id="s-1/77")  # of no turn
        await line.wait(200)
        line.say(type="delivery", signal="playback_completed", played_ms=1440, **turn)
        await line.until(signal="close")

    seen = parties.play(user)
    connected = next(one for _, one, _ in seen.watch.inputs if one.op == In.CONTROL)
    assert (connected.a, connected.b) == (1, 200 * MS)
    played = [one for _, one, _ in seen.watch.inputs if one.op == In.CONTROL and one.port == Control.PLAYED]
    first_ms = of(seen.line.messages, "audio")[0]["pts_ms"]
    assert [one.b // MS for one in played[:7]] == [first_ms + ms for ms in range(0, 1400, 200)]
    (done,) = [one for one in of(seen.line.messages, "signal") if one["signal"] == "playback_completed"]
    assert done["detail"]["basis"] == "acked"
    assert signals(seen.line.messages).count("commit") == 1
    assert seen.tally.deliveries == 10


# ---- a connection that is lost


@pytest.mark.feature("F-091", "waiting")
@pytest.mark.parametrize("away_ms", [60, 400, 1900])
def test_coming_back_brings_what_was_missed_and_nothing_twice(
    parties: ModuleType, scripted: ModuleType, away_ms: int
) -> None:
    back_ns: list[int] = []

    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        await line.wait(150)
        line.cut()
        await line.wait(away_ms)
        back_ns.append(line.clock.now_ns())
        welcome = await line.back()
        assert welcome["resumed"] is True
        assert welcome["received"] == 1
        await line.until(signal="close")

    seen = parties.play(user, llm=scripted.answer(LONG, pause_s=0.1))
    messages = seen.line.messages
    got = numbers(messages)
    assert got == sorted(set(got)), "in order, none twice"
    words = "".join(one["text"] for one in of(messages, "text"))
    assert words == LONG
    assert signals(messages) == [
        "connected", "turn_open_proposed", "turn_open", "output_accepted", "playback_started", "playback_completed",
        "commit", "close", "ended",
    ]  # fmt: skip
    late = [one["pts_ms"] * MS - back_ns[0] for _, one in seen.line.socket.came if one["type"] == "audio"]
    assert min(late) >= 0, "its moment had passed"
    moments = {one["pts_ms"] for one in of(messages, "audio")}
    first = min(moment for moment in moments if moment * MS >= back_ns[0])
    assert first * MS < back_ns[0] + 20 * MS
    assert moments >= set(range(first, max(moments), 20)), "all that was still to be heard"
    assert max(moments) > first + 1000
    assert seen.controls == [Control.CONNECTED, Control.ENDED], "the session did not notice"


def test_what_is_cancelled_while_the_party_is_away_is_not_played_when_it_is_back(
    parties: ModuleType, scripted: ModuleType
) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        line.cut()
        await line.wait(300)
        line.party._ears.tell(Control.CANCEL_TURN)
        await line.wait(10)
        await line.back()
        await line.until(type="flush")
        await line.wait(500)

    seen = parties.play(user, llm=scripted.answer(LONG))
    assert [fields["type"] for _, fields in seen.line.socket.came if fields["type"] in ("audio", "flush")] == ["flush"]


@pytest.mark.feature("F-091", "waiting", "cleaned")
def test_who_does_not_come_back_is_told_to_the_session_and_then_given_up(
    parties: ModuleType, scripted: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        line.cut()
        await line.wait(60_000)

    seen = parties.play(user, llm=scripted.answer(LONG))
    assert seen.controls == [Control.CONNECTED, Control.DISCONNECTED, Control.ENDED]
    at_s = {
        Control(one.port): at / 1e9
        for at, one, _ in seen.watch.inputs
        if one.op == In.CONTROL and one.port in (Control.DISCONNECTED, Control.ENDED)
    }
    gone_s = max(at for at, _ in seen.line.sockets[0].came) / 1e9
    assert 2.0 <= at_s[Control.DISCONNECTED] - gone_s <= 2.2
    assert 30.0 <= at_s[Control.ENDED] - at_s[Control.DISCONNECTED] <= 30.2
    (abort,) = seen.watch.signals(Signal.ABORT)
    assert abort.cause == Cause.TRANSPORT_DISCONNECT_OR_STALL
    assert seen.over == "ended"
    assert seen.tally.connections == {"disconnected": 1, "ended": 1}
    assert [record.message for record in caplog.records if record.name.endswith("party")] == ["disconnected", "ended"]


def test_who_comes_back_late_finds_its_turn_over_and_goes_on(parties: ModuleType, scripted: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        line.cut()
        await line.wait(10_000)
        await line.back()
        await line.until(signal="abort", reason="transport_disconnect_or_stall")
        line.say(type="text", text="hello again")
        await line.until(signal="commit", turn_id="s-1/2")

    seen = parties.play(user, llm=scripted.answer(LONG))
    assert seen.controls == [Control.CONNECTED, Control.DISCONNECTED, Control.CONNECTED, Control.ENDED]
    assert not [one for _, one in seen.line.socket.came if one["type"] == "audio" and one["turn_id"] == "s-1/1"]


def test_an_older_connection_gives_way_to_a_newer_one(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        first = line.socket
        await line.back()
        assert first.closed is not None
        assert first.closed[0] == Close.TOKEN
        line.party.detach(first)  # the old one is gone only now
        line.say(type="text", text="hello")
        await line.until(signal="commit")

    assert parties.play(user).controls == [Control.CONNECTED, Control.ENDED]


@pytest.mark.feature("F-084", "close")
def test_bye_ends_the_session_at_once(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        line.say(type="bye")
        await line.wait(1000)

    seen = parties.play(user)
    assert seen.controls == [Control.CONNECTED, Control.ENDED]
    assert [Cause(one.cause) for one in seen.watch.signals(Signal.ABORT)] == [Cause.TRANSPORT_DISCONNECT_OR_STALL]
    assert len(seen.watch.signals(Signal.CLOSE)) == 1
    assert seen.line.party.is_over

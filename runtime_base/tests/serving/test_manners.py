"""What a party may not do, in virtual time: it is told, or cut off, and its session and everybody else's go on."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from rspp.wire import Close
from rspp_runtime.abi.codes import Control, Result
from rspp_runtime.serving.party import Manners

MANNERS = Manners()


def of(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in messages if one["type"] == kind]


def test_who_does_not_read_is_cut_off_and_may_come_back(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.socket.waiting = MANNERS.stall_bytes + 1
        await line.wait(350)
        assert line.socket.closed is None
        await line.wait(400)
        assert line.socket.closed == (Close.TIMEOUT, "what was sent is not read")
        await line.back()
        line.say(type="text", text="hello")
        await line.until(signal="commit")

    assert parties.play(user).tally.connections == {"stall": 1}


def test_silence_is_counted_once(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        await line.hush(10)
        await line.wait(12_000)

    assert parties.play(user).tally.connections == {"silence": 1}


def test_who_says_nothing_at_all_is_cut_off_once(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        await line.wait(59_000)
        line.say(type="ping", t=7)
        assert (await line.until(type="pong"))["t"] == 7
        await line.wait(59_000)
        assert line.socket.closed is None
        await line.wait(1_500)
        assert line.socket.closed is not None
        assert line.socket.closed[0] == Close.TIMEOUT

    assert parties.play(user).tally.connections["idle"] == 1


def test_too_many_messages_end_the_connection_and_not_the_session(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        for _ in range(MANNERS.messages_burst):
            line.say(type="ping")
        assert line.socket.closed is None
        await line.wait(50)  # ten more are earned
        for _ in range(9):
            line.say(type="ping")
        assert line.socket.closed is None
        for _ in range(5):
            line.say(type="ping")
        assert line.socket.closed == (Close.RATE, "too many messages")
        await line.wait(1_000)
        await line.back()
        line.say(type="text", text="hello")
        await line.until(signal="commit")

    seen = parties.play(user)
    assert seen.tally.refused == {"rate": 1}
    assert of(seen.line.messages, "error")[0]["code"] == "rate"


# ---- what is not taken


@pytest.mark.feature("NF-013", "refused", "stable", "discreet")
def test_bad_messages_are_answered_and_the_session_goes_on(
    parties: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    bad = [
        ({"type": "text", "seq": 1, "text": "x" * 5000}, "schema_validation_error", "text"),
        ({"type": "secret 4111", "seq": 1}, "unknown_type", "type"),
        ({"type": "audio", "seq": 1, "payload": "AAAA"}, "schema_validation_error", "payload"),  # a sample and a half
        ({"type": "audio", "seq": 1, "payload": ""}, "schema_validation_error", "payload"),
        ({"type": "control", "seq": 1, "signal": "dtmf", "key": "5"}, "no_dtmf", "type"),
        ({"type": "control", "seq": 1, "signal": "secret"}, "schema_validation_error", "signal"),
        ({"type": "delivery", "seq": 1, "signal": "playback_started", "turn_id": "secret", "played_ms": 1},
         "schema_validation_error", "turn_id"),
    ]  # fmt: skip

    async def user(line: Any) -> None:
        await line.come()
        for fields, code, field in bad:
            line.raw(json.dumps(fields))
            error = line.socket.came[-1][1]
            assert (error["type"], error["code"], error.get("field")) == ("error", code, field)
        line.say(type="text", text="hello")
        await line.until(signal="commit")

    seen = parties.play(user)
    assert seen.over == "ended"
    assert sum(seen.tally.refused.values()) == len(bad)
    for secret in ("secret", "4111", "xxxx"):
        assert secret not in caplog.text


@pytest.mark.feature("NF-013", "stable")
@pytest.mark.parametrize("message", ["[]", "{", '{"type": 3}', b"\0"])
def test_what_is_no_message_ends_connection_and_session_cleanly(parties: ModuleType, message: str) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.raw(message)
        assert line.socket.closed is not None
        assert line.socket.closed[0] == Close.MALFORMED
        await line.wait(500)

    seen = parties.play(user)
    assert (seen.over, seen.controls) == ("ended", [Control.CONNECTED, Control.ENDED])


def test_our_own_failure_costs_one_connection(
    parties: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from rspp_runtime.serving.inlet import Inlet

    async def user(line: Any) -> None:
        await line.come()
        with monkeypatch.context() as patch:
            patch.setattr(Inlet, "take", lambda *_: 1 // 0)
            line.say(type="text", text="hello")
        assert line.socket.closed == (Close.SERVER, "the server failed: s-1")
        await line.back()
        line.say(type="text", text="hello")
        await line.until(signal="commit")

    parties.play(user)
    assert "ZeroDivisionError" in caplog.text


def test_a_message_before_the_welcome_is_refused(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        line.dial()
        line.say(type="text", seq=1, text="hello")
        await line.until(type="welcome")
        line.say(type="text", seq=1, text="hello")
        await line.until(signal="commit")

    seen = parties.play(user)
    assert (seen.tally.early, len(seen.media())) == (1, 1)
    assert of(seen.line.messages, "error")[0]["code"] == "too_early"


def test_audio_for_a_pipeline_that_takes_none(parties: ModuleType, scripted: ModuleType) -> None:
    plan = scripted.plan()
    deaf = replace(plan.nodes[0], outputs=(replace(plan.nodes[0].outputs[0], name="other"), plan.nodes[0].outputs[1]))

    async def user(line: Any) -> None:
        welcome = await line.come()
        assert welcome["audio_in"] is None
        line.say(type="audio", payload=b"\0\0")
        assert (await line.until(type="error"))["code"] == "no_audio"

    parties.play(user, plan=replace(plan, nodes=(deaf, *plan.nodes[1:])))


def test_audio_that_lies_about_its_rate_ends_the_session(parties: ModuleType, scripted: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        for _ in range(400):
            await line.wait(20)
            if line.socket.closed is not None:
                break
            line.say(type="audio", payload=scripted.FRAME)
            line.say(type="audio", payload=scripted.FRAME)
        assert line.socket.closed is not None
        assert line.socket.closed[0] == Close.AUDIO
        assert "16000" in line.socket.closed[1]
        await line.wait(100)

    assert parties.play(user).over == "ended"


def test_no_room_is_said(parties: ModuleType, scripted: ModuleType) -> None:
    """The control inbox of this plan holds 32."""

    async def user(line: Any) -> None:
        await line.come()
        ears = line.party._ears
        full = [ears.offer(ears.gateway.control(Control.BUTTON_DOWN)) for _ in range(60)]
        assert Result.FULL in full
        line.say(type="control", signal="end_utterance")
        assert (await line.until(type="error"))["code"] == "queue_pressure"
        await line.wait(50)
        line.say(type="control", signal="end_utterance")
        await line.wait(50)
        assert line.party.received == 2

    parties.play(user)

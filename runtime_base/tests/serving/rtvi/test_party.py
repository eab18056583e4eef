"""A client of RTVI and its session, in virtual time: what it is told, and what becomes of it."""

from __future__ import annotations

import asyncio
import struct
from types import ModuleType
from typing import Any

import pytest

import rtvi_words
from rspp.wire import Close
from rspp_runtime.abi.codes import Control, Result
from rspp_runtime.serving.dialect import Hello, Message
from rspp_runtime.serving.rtvi import frames
from rspp_runtime.serving.rtvi.dialect import Rtvi
from rspp_runtime.session.clock import VirtualClock

SECOND_NS = 1_000_000_000


class Socket:
    """What the party writes to, as the client reads it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.came: list[tuple[int, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.pings = 0
        self._clock = clock

    def send(self, message: Message) -> None:
        if self.closed is None:
            self.came += [(self._clock.now_ns(), one) for one in rtvi_words.read((message,))]

    send_bytes = send

    def ping(self) -> None:
        self.pings += 1

    def waiting_bytes(self) -> int:
        return 0

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)


class Line:
    """The client: connects, speaks, listens."""

    def __init__(self, party: Any, clock: VirtualClock, subprotocol: str) -> None:
        self.party = party
        self.socket = Socket(clock)

    async def come(self, version: str = "2.1.0") -> None:
        dialect = Rtvi(lambda: rtvi_words.NOON)
        word = dialect.receive(rtvi_words.said("client-ready", {"version": version}))
        assert isinstance(word, Hello)
        self.party.attach(self.socket, dialect, word)
        await self.until("bot-ready")

    def say(self, kind: str, data: Any = None) -> None:
        self.raw(rtvi_words.said(kind, data))

    def raw(self, message: Message) -> None:
        if self.socket.closed is None:
            self.party.message(message)

    async def sound(self, count: int, payload: bytes, rate_hz: int = 16_000, channels: int = 1) -> None:
        for _ in range(count):
            await asyncio.sleep(0.02)
            self.raw(frames.audio(payload, rate_hz, channels))

    async def until(self, kind: str, count: int = 1) -> Any:
        for _ in range(20_000):
            found = [one for one in self.messages if one["type"] == kind]
            if len(found) >= count:
                return found[count - 1]
            await asyncio.sleep(0.005)
        raise AssertionError(f"{kind} did not come: {self.types}")

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [one for _, one in self.socket.came if isinstance(one, dict)]

    @property
    def types(self) -> list[str]:
        return [one["type"] for one in self.messages]

    @property
    def audio(self) -> list[tuple[int, frames.Audio]]:
        return [(at, one) for at, one in self.socket.came if isinstance(one, frames.Audio)]


@pytest.fixture
def play(parties: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(parties, "Line", Line)
    return parties.play


def test_a_spoken_turn_is_told_in_order(play: Any, scripted: ModuleType) -> None:
    async def user(line: Line) -> None:
        await line.come()
        await line.sound(3, bytes(640))
        await line.sound(25, scripted.FRAME)
        await line.sound(5, bytes(640))
        await line.until("bot-stopped-speaking")
        line.say("disconnect-bot")
        await asyncio.sleep(1)

    line = play(user).line
    told = [kind for kind in line.types if kind not in ("metrics", "bot-llm-text", "bot-tts-text", "bot-transcription")]
    assert told == [
        "bot-ready", "user-started-speaking", "user-transcription", "user-transcription", "user-stopped-speaking",
        "user-transcription", "user-llm-text", "bot-llm-started", "bot-tts-started", "bot-started-speaking",
        "bot-output", "bot-output", "bot-llm-stopped", "bot-tts-stopped", "bot-output", "bot-output",
        "bot-stopped-speaking",
    ]  # fmt: skip
    assert line.socket.closed == (Close.DONE, "the session has ended")
    assert {(one.rate_hz, len(one.payload)) for _, one in line.audio} == {(24_000, 960)}


def test_what_is_typed_takes_the_place_of_what_is_said(play: Any) -> None:
    async def user(line: Line) -> None:
        await line.come()
        line.say("send-text", {"content": "hello"})
        await line.until("bot-started-speaking")
        await asyncio.sleep(0.5)
        line.say("send-text", {"content": "and now"})
        await line.until("bot-stopped-speaking", 2)

    seen = play(user)
    assert seen.controls.count(Control.CANCEL_TURN) == 2
    assert [one["data"]["text"] for one in seen.line.messages if one["type"] == "user-llm-text"] == ["hello", "and now"]
    types = seen.line.types
    assert types.count("bot-interrupted") == 1
    assert types.index("bot-interrupted") < types.index("user-llm-text", types.index("user-llm-text") + 1)
    assert "error" not in types


def test_nothing_of_a_turn_that_was_cut_off_comes_after(play: Any) -> None:
    async def user(line: Line) -> None:
        await line.come()
        line.say("send-text", {"content": "hello"})
        await line.until("bot-started-speaking")
        await asyncio.sleep(0.5)
        line.raw(frames.interruption())
        await line.until("bot-stopped-speaking")

    came = [one for _, one in play(user).line.socket.came]
    interrupted = next(at for at, one in enumerate(came) if isinstance(one, dict) and one["type"] == "bot-interrupted")
    assert any(isinstance(one, frames.Audio) for one in came[:interrupted])
    assert not any(isinstance(one, frames.Audio) for one in came[interrupted:])


def test_audio_changes_its_rate_in_the_middle(play: Any) -> None:
    loud = struct.pack("<2h", 8000, 8000)

    async def user(line: Line) -> None:
        await line.come()
        await line.sound(10, bytes(640))
        await line.sound(50, loud * 960, 48_000, 2)
        await line.sound(50, loud * 240, 24_000)

    seen = play(user)
    taken = [event for _, event, result in seen.media() if result == Result.ACCEPTED]
    assert {len(one.payload) for one in taken} == {640}
    assert abs(len(taken) - 110) <= 3, "as much time as was said, whatever the rate"
    times = [one.media_ns for one in taken]
    assert times == sorted(times)
    assert "error" not in seen.line.types


def test_who_is_muted_is_asked_whether_he_is_there(play: Any) -> None:
    async def user(line: Line) -> None:
        await line.come()
        for _ in range(80):  # a second each; the browser answers by itself
            before = line.socket.pings
            await asyncio.sleep(1)
            if line.socket.pings > before:
                line.party.alive()
        assert line.socket.closed is None

    assert 3 <= play(user).line.socket.pings <= 4


def test_who_does_not_answer_is_gone(play: Any) -> None:
    async def user(line: Line) -> None:
        await line.come()
        await asyncio.sleep(61)
        assert line.socket.closed is not None

    line = play(user).line
    assert line.socket.closed[0] == Close.TIMEOUT
    assert line.socket.pings >= 2


def test_a_lost_connection_is_the_end(play: Any) -> None:
    async def user(line: Line) -> None:
        await line.come()
        line.say("send-text", {"content": "hello"})
        await line.until("bot-started-speaking")
        line.party.detach(line.socket)
        await asyncio.sleep(5)

    seen = play(user)
    assert seen.over == "ended"
    assert seen.controls[-1] == Control.ENDED


def test_what_it_cannot_take_is_said_and_it_goes_on(play: Any) -> None:
    async def user(line: Line) -> None:
        await line.come()
        line.raw(frames.audio(bytes(3), 16_000))
        line.say("client-message", {"t": "weather"})
        line.raw(b"rubbish")
        line.say("send-text", {"content": "hello"})
        await line.until("bot-stopped-speaking")

    line = play(user).line
    errors = [one for one in line.messages if one["type"].startswith("error")]
    assert [(one["type"], one.get("id")) for one in errors] == [
        ("error", None),
        ("error-response", "m1"),
        ("error", None),
    ]

"""One pipeline over three transports: what the session sees of its party is the same (F-086, F-130)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
import soundfile

from rspp_runtime.abi.codes import Control, In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.virtual import run
from rspp_runtime.transports.audio_file import AudioFile
from rspp_runtime.transports.text import TextTransport
from rspp_runtime.transports.wav import WavTransport

FRAME_NS = 20_000_000
SPOKEN = 25  # frames


def with_transport(scripted: ModuleType, transport: Any) -> Any:
    async def main() -> Any:
        watch = scripted.Watch()
        work = {
            "ears": scripted.listen, "stt": scripted.recognise, "voice": scripted.speak,
            "llm": scripted.answer("It is four o'clock."),
        }  # fmt: skip
        providers = {name: [(name, scripted.Fake("x", function))] for name, function in work.items()}
        clock = VirtualClock(asyncio.get_running_loop())
        options = Options(session_id="s-1")
        await converse(scripted.package(scripted.plan()), providers, transport, clock, options, [watch])
        return watch

    return run(main(), virtual=True)


def of_the_party(watch: Any) -> Iterator[Inbound]:
    """Its inputs: media and controls, without what the session told itself."""
    own = (Control.EVIDENCE_APPENDED, Control.EVIDENCE_FAILED, Control.ATTRIBUTE)
    for _, event, result in watch.inputs:
        if event.op == In.MEDIA or (event.op == In.CONTROL and event.port not in own):
            assert result == 0
            yield event


def envelope(event: Inbound) -> tuple[object, ...]:
    """What the contract fixes: all but when it was, and the key that only some transports carry."""
    return (event.op, event.node, event.port, event.epoch, event.flags, event.a, event.b, event.payload)


def tone() -> bytes:
    wave = 8000 * numpy.sin(numpy.arange(SPOKEN * 320) / 7)
    return wave.astype("<i2").tobytes()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A word, and 60 ms of silence around it."""
    silence = numpy.zeros(3 * 320, "<i2")
    samples = numpy.concatenate([silence, numpy.frombuffer(tone(), "<i2"), silence])
    soundfile.write(tmp_path / "word.wav", samples, 16_000, subtype="PCM_16")
    return tmp_path / "word.wav"


@pytest.mark.feature("F-086", "both", "equivalent")
@pytest.mark.feature("F-130", "same_events")
def test_speech_from_a_file_and_over_a_socket(parties: ModuleType, scripted: ModuleType, recording: Path) -> None:
    async def user(line: Any) -> None:
        await line.come()
        sound = tone()
        await line.hush(3)
        for at in range(0, len(sound), 640):
            await line.talk(1, sound[at : at + 640])
        await line.hush(3)
        await line.until(signal="close")

    watches = with_transport(scripted, WavTransport(AudioFile(recording))), parties.play(user).watch
    sides = [list(of_the_party(watch)) for watch in watches]
    for events in sides:
        sequences = [event.transport_sequence for event in events]
        assert sequences == sorted(set(sequences)), "each has a number of its own, in order"
        audio = [event for event in events if event.op == In.MEDIA]
        assert {b.media_ns - a.media_ns for a, b in pairwise(audio)} == {FRAME_NS}
        assert events[0].port == Control.CONNECTED
        assert events[-1].port == Control.ENDED
    heard = [[envelope(event) for event in events if event.op == In.MEDIA][: SPOKEN + 6] for events in sides]
    assert heard[0] == heard[1]
    decided = [[(one.code, one.turn, one.cause) for one in watch.signals()] for watch in watches]
    assert decided[0] == decided[1]
    chunks = [
        [envelope(event) for _, event, _ in watch.inputs if event.op == In.CHUNK and event.node == 2]
        for watch in watches
    ]
    assert chunks[0] == chunks[1], "the recogniser heard the same"


@pytest.mark.feature("F-086", "both", "equivalent")
def test_text_typed_at_a_console_and_sent_over_a_socket(parties: ModuleType, scripted: ModuleType) -> None:
    lines = ["what time is it", "and in Tokyo? Please."]

    async def user(line: Any) -> None:
        await line.come()
        for turn, text in enumerate(lines, start=1):
            line.say(type="text", text=text)
            await line.until(signal="close", turn_id=f"s-1/{turn}")

    watches = with_transport(scripted, TextTransport(lines)), parties.play(user).watch
    sides = [[envelope(event) for event in of_the_party(watch) if event.op == In.MEDIA] for watch in watches]
    assert [row[-1].decode() for row in sides[0]] == lines  # type: ignore[attr-defined]
    assert [row[:-3] + row[-1:] for row in sides[0]] == [row[:-3] + row[-1:] for row in sides[1]]
    assert sides[0] == sides[1]
    assert [(one.code, one.turn) for one in watches[0].signals()] == [
        (one.code, one.turn) for one in watches[1].signals()
    ]

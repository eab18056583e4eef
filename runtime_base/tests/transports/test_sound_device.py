"""The rings between PortAudio's thread and the loop; and PortAudio itself, where it is, on a card that is none."""

from __future__ import annotations

import asyncio
import ctypes.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rspp_runtime.transports.sound_device import RING_BLOCKS_MAX, Device, Microphone, Speaker

DEVICE = Device(0, "a card", 16_000)


class Card:
    """What is needed of `sounddevice`: streams that call back when the test says so."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        self.streams: list[Any] = []

    def _stream(self, **arguments: Any) -> Any:
        card = self

        class Stream:
            latency = 0.01

            def __init__(self) -> None:
                self.arguments = arguments
                self.calls: list[str] = []
                card.streams.append(self)

            def start(self) -> None:
                self.calls.append("start")

            def abort(self) -> None:
                self.calls.append("abort")

            def close(self) -> None:
                self.calls.append("close")

        return Stream()

    RawInputStream = RawOutputStream = _stream


def test_blocks_cross_to_the_loop_in_order_and_are_copied() -> None:
    async def main() -> None:
        card = Card()
        microphone = Microphone(card, DEVICE)
        heard = card.streams[0].arguments["callback"]

        def thread() -> None:
            memory = bytearray(640)
            for number in range(20):
                memory[:] = bytes([number]) * 640
                heard(memoryview(memory), 320, None, None)
            memory[:] = b"\xff" * 640

        caller = threading.Thread(target=thread)
        caller.start()
        blocks: list[tuple[int, bytes]] = []
        while len(blocks) < 20:
            blocks += await microphone.wait(1.0)
        caller.join()
        assert blocks == [(number, bytes([number]) * 640) for number in range(20)]
        assert await microphone.wait(0.01) == []
        microphone.close()
        assert card.streams[0].calls == ["start", "abort", "close"]

    asyncio.run(main())


def test_a_loop_that_is_busy_loses_the_oldest_and_is_woken_once() -> None:
    async def main() -> None:
        card = Card()
        microphone = Microphone(card, DEVICE)
        heard = card.streams[0].arguments["callback"]
        loop = asyncio.get_running_loop()
        woken = 0
        call = loop.call_soon_threadsafe

        def counted(*arguments: Any) -> Any:
            nonlocal woken
            woken += 1
            return call(*arguments)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
        for number in range(RING_BLOCKS_MAX + 30):
            heard(bytes([number]) * 640, 320, None, None)
        blocks = await microphone.wait(1.0)
        assert (len(blocks), microphone.lost, woken) == (RING_BLOCKS_MAX, 30, 1)
        assert blocks[0] == (30, bytes([30]) * 640)

    asyncio.run(main())


def test_a_device_that_goes_wakes_who_waits() -> None:
    async def main() -> None:
        card = Card()
        microphone = Microphone(card, DEVICE)
        gone = card.streams[0].arguments["finished_callback"]
        threading.Timer(0.05, gone).start()
        assert await microphone.wait(5.0) == []
        assert microphone.ended

    asyncio.run(main())


def test_the_loudspeaker_plays_in_order_then_silence_and_forgets_at_a_flush() -> None:
    card = Card()
    speaker = Speaker(card, DEVICE)
    play = card.streams[0].arguments["callback"]

    def played(size: int = 640) -> bytes:
        memory = bytearray(b"\x55" * size)
        play(memoryview(memory), size // 2, None, None)
        return bytes(memory)

    speaker.put(b"\1" * 640)
    speaker.put(b"\2" * 640)
    assert played() == b"\1" * 640
    assert played(400) == b"\2" * 400  # a host that takes less than it said
    assert played() == b"\2" * 240 + bytes(400)
    assert played() == bytes(640)
    speaker.put(b"\3" * 640)
    speaker.put(b"\4" * 640)
    assert played(100) == b"\3" * 100
    speaker.flush()
    assert played() == bytes(640)
    for _ in range(RING_BLOCKS_MAX + 5):
        speaker.put(b"\5" * 640)
    assert speaker.dropped == 5


SCRIPT = """
import asyncio
from rspp_runtime.transports import sound_device as card

async def main():
    sound = card.load()
    print(*card.listing(sound), sep="\\n")
    microphone = card.Microphone(sound, card.choose(sound, "input", None))
    speaker = card.Speaker(sound, card.choose(sound, "output", "default"))
    for _ in range(5):
        speaker.put(bytes(640))
    blocks = await microphone.wait(5.0)
    while speaker.played < 5:
        await asyncio.sleep(0.01)
    microphone.close()
    speaker.close()
    print(len(blocks) > 0, {len(block) for _, block in blocks}, microphone.ended)

asyncio.run(main())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or ctypes.util.find_library("portaudio") is None, reason="PortAudio is not installed"
)
def test_portaudio_itself_opens_calls_back_and_closes(tmp_path: Path) -> None:
    """On ALSA's null device, which gives silence as fast as it is taken: no sound, and no time, but the real calls."""
    (tmp_path / "asound.conf").write_text('pcm.!default { type null hint { show on description "none" } }\n')
    environment = os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert "<> " in done.stdout
    assert done.stdout.splitlines()[-1] == "True {640} True"

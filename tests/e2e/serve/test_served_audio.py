"""Clients with audio of their own: Opus and µ-law through a served package, there and back; and one that lies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rspp import wire
from rspp.client import Ended, talk
from rspp_runtime.audio.downlink import Downlink
from rspp_runtime.audio.format import Format
from rspp_runtime.audio.profile import STREAM
from rspp_runtime.audio.uplink import Uplink

QUESTION = "what is the weather like in london"


async def send(conversation: Any, packets: list[bytes], frame_ms: float) -> None:
    """At the pace of a microphone."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for number, packet in enumerate(packets):
        await asyncio.sleep(max(0.0, began_s + number * frame_ms / 1000 - loop.time()))
        await conversation.audio(packet)


@pytest.mark.feature("F-090", "transcoded")
@pytest.mark.parametrize(
    "format", [Format("opus", 48_000, 1, 20), Format("ulaw", 8_000, 1, 40)], ids=lambda f: f.encoding
)
def test_a_question_in_the_clients_own_encoding(
    serving: ModuleType, server: Any, spoken: Callable[[str], bytes], format: Format
) -> None:
    pcm = spoken("question") + bytes(2 * 16_000 * 3)
    encoder = Downlink(format)
    packets = [packet for at in range(0, len(pcm), 640) for packet in encoder.encode(pcm[at : at + 640])]
    seen: list[dict[str, Any]] = []

    async def main() -> None:
        asked = format.describe()
        async with await talk(server.url, audio_in=asked, audio_out=asked) as conversation:
            assert conversation.welcome["audio_in"] == conversation.welcome["audio_out"] == asked
            speaking = asyncio.create_task(send(conversation, packets, format.frame_ms))
            await serving.until(conversation, seen, signal="playback_completed")
            speaking.cancel()

    asyncio.run(main())
    (final,) = [one["text"] for one in seen if one["type"] == "transcript" and one["final"]]
    assert final == QUESTION
    decoder, heard = Uplink(format, STREAM), []
    answer = [one["payload"] for one in seen if one["type"] == "audio"]
    for number, packet in enumerate(answer):
        heard += decoder.push(packet, number, None, number * format.frame_ms * 1_000_000)
    assert decoder.stats.taken == len(answer) > 50
    voice = np.frombuffer(b"".join(pcm for _, pcm in heard), "<i2").astype(float)
    assert np.sqrt(np.mean(voice**2)) > 500


@pytest.mark.feature("NF-013", "refused", "stable")
def test_who_declares_16_khz_and_sends_48_is_told_and_cut_off(serving: ModuleType, server: Any) -> None:
    """After about two seconds; whoever else talks to the server does not notice."""
    noise = np.random.default_rng(1).integers(-5000, 5000, 960).astype("<i2").tobytes()
    seen: list[dict[str, Any]] = []
    other: list[dict[str, Any]] = []

    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with await talk(server.url) as neighbour, await talk(server.url) as conversation:
            await neighbour.text(QUESTION)
            began_s = loop.time()
            sending = asyncio.create_task(send(conversation, [noise] * 500, 20))
            with pytest.raises(Ended) as ended:
                await serving.until(conversation, seen, type="nothing")
            sending.cancel()
            assert ended.value.code == wire.Close.AUDIO
            took_s = loop.time() - began_s
            await serving.until(neighbour, other, signal="playback_completed")
            return took_s

    assert asyncio.run(main()) < 4.0
    assert any("16000 Hz" in str(one.get("reason")) for one in seen if one["type"] in ("error", "goodbye"))

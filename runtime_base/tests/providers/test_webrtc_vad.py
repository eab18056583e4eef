"""Voice activity by WebRTC's detector, on the real samples: coarser than Silero, with the same ports and times."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input, Provider, ProviderError
from rspp_runtime.providers.testing import FRAME_NS, Emission, frames, run

from .conftest import RATE, SCRIPT, Samples, sample, spoken

MS = 1_000_000


def vad(**options: object) -> Provider:
    return registry.create("webrtcvad", options, {})


def seconds(emissions: list[Emission], port: str) -> list[float]:
    return [emission.media_ns / 1e9 for emission in emissions if emission.port == port]


@pytest.mark.parametrize("aggressiveness", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["question", "interruption", "unknown"])
def test_boundaries_are_within_200_ms_of_the_truth(name: str, aggressiveness: int) -> None:
    recording = sample(name)
    emissions = run(vad(aggressiveness=aggressiveness), frames(recording.tobytes()))
    truth = spoken(recording)
    assert seconds(emissions, "speech_start") == pytest.approx([start for start, _ in truth], abs=0.2)
    assert seconds(emissions, "speech_end") == pytest.approx([end for _, end in truth], abs=0.2)


def test_what_it_hears_is_recognised(resources: dict[str, bytes]) -> None:
    heard = run(vad(), frames(sample("question").tobytes()))
    assert [e.port for e in heard] == ["speech_start", *["speech"] * (len(heard) - 2), "speech_end"]
    assert all(b.media_ns - a.media_ns == FRAME_NS for a, b in pairwise(heard[1:-1]))
    speech = [Input("audio", e.payload, e.media_ns) for e in heard if e.port == "speech"]
    ears = registry.create("pocketsphinx", {"script": SCRIPT}, resources)
    assert run(ears, speech)[-1].text == "what is the weather like in london"


def test_silence_is_not_speech_and_idle_is_told() -> None:
    assert run(vad(), frames(bytes(2 * RATE * 2))) == []
    idle = seconds(run(vad(idle_after_ns=1_500 * MS), frames(bytes(4 * RATE * 2))), "idle")
    assert idle == pytest.approx([1.5, 3.0], abs=0.1)


def test_aggressiveness_decides_about_noise() -> None:
    """White noise: what the most willing takes for speech, the strictest does not."""
    noise = (np.random.default_rng(7).standard_normal(3 * RATE) * 300).astype(np.int16)
    assert run(vad(aggressiveness=3), frames(noise.tobytes())) == []
    assert run(vad(aggressiveness=0), frames(noise.tobytes())) != []


@pytest.mark.parametrize("delay_ms", [0, 60, 110])
@pytest.mark.parametrize("level_db", [-30, -20])
def test_our_own_echo_is_not_speech(reply: Samples, delay_ms: int, level_db: int) -> None:
    delayed = np.concatenate((np.zeros(delay_ms * RATE // 1000), reply.astype(np.float64)))[: len(reply)]
    heard = (delayed * 10 ** (level_db / 20)).astype(np.int16)
    assert run(vad(), frames(heard.tobytes()), reference=reply.tobytes()) == []
    assert run(vad(), frames(heard.tobytes())) != []


def test_settings_are_checked() -> None:
    with pytest.raises(ProviderError, match=r"'agressiveness' \(did you mean 'aggressiveness'\?\)"):
        vad(agressiveness=1)
    with pytest.raises(ProviderError, match="aggressiveness must be 0 to 3, not 4"):
        vad(aggressiveness=4)

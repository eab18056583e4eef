"""The real samples, the real dialogue, and the agent's own voice as it would come back into the microphone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input
from rspp_runtime.providers.scripted import Scripted
from rspp_runtime.providers.testing import run

PIPELINES = Path(__file__).resolve().parents[3] / "pipelines"
SCRIPT = "dialogues/greeter.toml"
RATE = 16_000
STORY = "tell me about the oldest clock"

Samples = NDArray[np.int16]


@pytest.fixture(scope="session")
def resources() -> dict[str, bytes]:
    return {SCRIPT: (PIPELINES / SCRIPT).read_bytes()}


@pytest.fixture(scope="session")
def greeter(resources: dict[str, bytes]) -> Scripted:
    options = {"script": SCRIPT, "first_word_ns": 0, "words_per_second": 10_000}
    provider = registry.create("scripted", options, resources)
    assert isinstance(provider, Scripted)
    return provider


def sample(name: str) -> Samples:
    """A recording of pipelines/samples."""
    data, rate = soundfile.read(PIPELINES / "samples" / f"{name}.wav", dtype="int16")
    assert rate == RATE
    assert data.ndim == 1
    return data


def spoken(samples: Samples, pause_ms: int = 500) -> list[tuple[float, float]]:
    """Seconds at which the clean recording is loud, as (start, end): the truth for voice activity."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 300)
    breaks = np.flatnonzero(np.diff(loud) > pause_ms * RATE // 1000)
    starts = [loud[0], *loud[breaks + 1]]
    ends = [*loud[breaks], loud[-1]]
    return [(float(a) / RATE, float(b) / RATE) for a, b in zip(starts, ends, strict=True)]


@pytest.fixture(scope="session")
def reply(greeter: Scripted) -> Samples:
    """The agent telling the story, after half a second of silence."""
    voice = registry.create("espeak", {"voice": "en-us"}, {})
    text = greeter.answer(STORY) + " " + greeter.answer("how do i find you")
    pcm = b"".join(item.payload for item in run(voice, [Input("text", text.encode(), 0)]))
    return np.concatenate((np.zeros(RATE // 2, np.int16), np.frombuffer(pcm, "<i2")))

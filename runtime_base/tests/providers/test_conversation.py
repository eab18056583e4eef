"""The engines together on the interruption sample, with the story's echo in the microphone: what a session hears."""

from __future__ import annotations

import numpy as np
import pytest

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input
from rspp_runtime.providers.scripted import Scripted
from rspp_runtime.providers.testing import FRAME_NS, frames, run

from .conftest import RATE, SCRIPT, STORY, sample, spoken

MS = 1_000_000
REPLY_MS = 2900  # when the story begins to play
REACTION_MS = 300  # how long it goes on after the caller began to talk


@pytest.mark.parametrize("shift_ms", [-500, 0, 500])
@pytest.mark.parametrize("delay_ms", [0, 60])
def test_an_interruption_is_heard_over_the_echo_of_the_reply(
    resources: dict[str, bytes], greeter: Scripted, shift_ms: int, delay_ms: int
) -> None:
    recording = sample("interruption").astype(np.float64)
    (_, _), (second, _) = spoken(sample("interruption"))
    cut, moved = round(second * RATE), round(second * RATE) + shift_ms * RATE // 1000
    quiet = np.zeros(RATE // 2)
    caller = np.concatenate((recording[: min(cut, moved)], np.zeros(max(0, moved - cut)), recording[cut:], quiet))

    voice = registry.create("espeak", {"voice": "en-us"}, {})
    story = b"".join(e.payload for e in run(voice, [Input("text", greeter.answer(STORY).encode(), 0)]))
    start, stop = REPLY_MS * RATE // 1000, moved + REACTION_MS * RATE // 1000
    played = np.zeros(len(caller))
    played[start:stop] = np.frombuffer(story, "<i2")[: stop - start]
    echo = 0.1 * np.concatenate((np.zeros(delay_ms * RATE // 1000), played))[: len(played)]

    mic = frames((caller + echo).astype("<i2").tobytes())
    heard = run(registry.create("silero", {}, {}), mic, reference=played.astype("<i2").tobytes())

    starts = [e for e in heard if e.port == "speech_start"]
    assert len(starts) == 2  # the reply itself did not interrupt
    # The utterance begins with the soft "s" of "stop", which the reply may cover: the vowel follows 100 ms later.
    assert starts[1].input_ns + FRAME_NS - moved * 1_000_000_000 // RATE <= 300 * MS
    utterances: list[list[Input]] = []
    for emission in heard:
        if emission.port == "speech_start":
            utterances.append([])
        elif emission.port == "speech":
            utterances[-1].append(Input("audio", emission.payload, emission.media_ns))
    ears = registry.create("pocketsphinx", {"script": SCRIPT}, resources)
    texts = [run(ears, utterance)[-1].text for utterance in utterances]
    assert texts == ["please tell me about the oldest clock", "stop please what time do you open"]
    assert greeter.answer(texts[1]).startswith("We open at nine")

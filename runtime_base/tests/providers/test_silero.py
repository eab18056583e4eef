"""Voice activity on real recordings: boundaries, order of outputs, deafness to our own voice, and barge-in over it."""

from __future__ import annotations

import numpy as np
import pytest

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input, Provider, ProviderError
from rspp_runtime.providers.testing import FRAME_NS, Emission, frames, run

from .conftest import RATE, Samples, sample, spoken

MS = 1_000_000


def vad(**options: object) -> Provider:
    return registry.create("silero", options, {})


def seconds(emissions: list[Emission], port: str) -> list[float]:
    return [emission.media_ns / 1e9 for emission in emissions if emission.port == port]


@pytest.mark.parametrize("name", ["question", "interruption", "unknown"])
def test_boundaries_are_within_150_ms_of_the_truth(name: str) -> None:
    recording = sample(name)
    emissions = run(vad(), frames(recording.tobytes()))
    truth = spoken(recording)
    assert seconds(emissions, "speech_start") == pytest.approx([start for start, _ in truth], abs=0.15)
    assert seconds(emissions, "speech_end") == pytest.approx([end for _, end in truth], abs=0.15)


def test_start_then_pre_roll_then_audio_without_a_gap() -> None:
    recording = sample("question")
    emissions = run(vad(), frames(recording.tobytes()))
    assert [e.port for e in emissions] == ["speech_start", *["speech"] * (len(emissions) - 2), "speech_end"]
    speech = emissions[1:-1]
    assert [e.media_ns for e in speech] == [speech[0].media_ns + n * FRAME_NS for n in range(len(speech))]
    decided_ns = emissions[0].input_ns
    assert decided_ns - 400 * MS <= speech[0].media_ns <= decided_ns - 250 * MS  # 300 ms before the decision
    at = speech[0].media_ns * RATE // 1_000_000_000
    heard = b"".join(e.payload for e in speech)
    assert heard == recording.tobytes().ljust(2 * at + len(heard), b"\0")[2 * at : 2 * at + len(heard)]


def test_silence_and_noise_are_not_speech() -> None:
    noise = (np.random.default_rng(7).standard_normal(3 * RATE) * 300).astype(np.int16)
    assert run(vad(), frames(bytes(2 * RATE * 2))) == []
    assert run(vad(), frames(noise.tobytes())) == []


def test_an_open_utterance_is_ended_with_the_input() -> None:
    cut = sample("question")[: RATE * 12 // 10]
    assert run(vad(), frames(cut.tobytes()))[-1].port == "speech_end"


def test_longer_min_silence_joins_what_a_shorter_one_divides() -> None:
    recording = sample("question")
    twice = frames(np.concatenate((recording[: RATE * 2], recording)).tobytes())
    assert len(seconds(run(vad(min_silence_ns=200 * MS), twice), "speech_start")) == 2
    assert len(seconds(run(vad(min_silence_ns=900 * MS), twice), "speech_start")) == 1


def test_idle_counts_only_while_nobody_makes_a_sound(reply: Samples) -> None:
    recording = sample("question")  # speech from 0.3 to 1.9 s
    items = frames(np.concatenate((recording, np.zeros(3 * RATE, np.int16))).tobytes())
    assert seconds(run(vad(idle_after_ns=1_500 * MS), items), "idle") == pytest.approx([3.75, 5.25], abs=0.2)
    assert seconds(run(vad(), items), "idle") == []
    while_we_speak = run(vad(idle_after_ns=1_500 * MS), frames(bytes(2 * 4 * RATE)), reference=reply.tobytes())
    assert seconds(while_we_speak, "idle") == []


def test_a_gap_in_the_media_time_loses_nothing_else() -> None:
    recording = sample("question")
    whole = frames(recording.tobytes())
    late = [Input(i.port, i.payload, i.media_ns + (5_000 * MS if n >= 3 else 0)) for n, i in enumerate(whole)]
    emissions = run(vad(), late)
    start, _ = spoken(recording)[0]
    assert seconds(emissions, "speech_start") == pytest.approx([start + 5.0], abs=0.15)


@pytest.mark.parametrize("delay_ms", [0, 23, 60, 110])
@pytest.mark.parametrize("level_db", [-30, -20, -10])
def test_our_own_echo_is_not_speech(reply: Samples, delay_ms: int, level_db: int) -> None:
    assert run(vad(), frames(echo_of(reply, level_db, delay_ms).tobytes()), reference=reply.tobytes()) == []


def test_without_the_reference_the_same_echo_would_be_speech(reply: Samples) -> None:
    assert seconds(run(vad(), frames(echo_of(reply, -20, 60).tobytes())), "speech_start")


def test_the_echo_of_a_small_room_is_not_speech(reply: Samples) -> None:
    rng = np.random.default_rng(3)
    room = rng.standard_normal(720) * np.exp(-np.arange(720) / 240)  # 45 ms of reflections
    room[0] = 3.0
    room *= 0.1 / np.sqrt(np.sum(room**2))  # -20 dB in all
    heard = np.convolve(reply.astype(np.float64), room)[: len(reply)]
    assert run(vad(), frames(heard.astype(np.int16).tobytes()), reference=reply.tobytes()) == []


@pytest.mark.parametrize("at_ms", [2000, 4100, 6500])
@pytest.mark.parametrize("speaker_db", [0, -6])
def test_a_caller_over_the_reply_is_heard_within_250_ms(reply: Samples, at_ms: int, speaker_db: int) -> None:
    caller = sample("question")[RATE * 3 // 10 :].astype(np.float64) * 10 ** (speaker_db / 20)
    at = at_ms * RATE // 1000
    mixed = echo_of(reply, -20, 60).astype(np.float64)
    mixed[at : at + len(caller)] += caller
    emissions = run(vad(), frames(np.clip(mixed, -32768, 32767).astype(np.int16).tobytes()), reference=reply.tobytes())
    starts = [e for e in emissions if e.port == "speech_start"]
    assert len(starts) == 1
    assert starts[0].media_ns / MS == pytest.approx(at_ms, abs=150)
    assert starts[0].input_ns + FRAME_NS <= (at_ms + 250) * MS


def test_settings_are_checked() -> None:
    with pytest.raises(ProviderError, match=r"'min_silense_ns' \(did you mean 'min_silence_ns'\?\)"):
        vad(min_silense_ns=1)
    with pytest.raises(ProviderError, match=r"threshold must be 0.05 to 0.95, not 2"):
        vad(threshold=2)
    with pytest.raises(ProviderError, match="min_speech_ns must be a whole number ns, not 'long'"):
        vad(min_speech_ns="long")


def echo_of(reply: Samples, level_db: float, delay_ms: int) -> Samples:
    delayed = np.concatenate((np.zeros(delay_ms * RATE // 1000), reply.astype(np.float64)))[: len(reply)]
    noise = np.random.default_rng(5).standard_normal(len(reply)) * 5
    return (delayed * 10 ** (level_db / 20) + noise).astype(np.int16)

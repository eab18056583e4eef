"""Real recordings through real engines: the right answer, spoken; stopped when the user talks over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

Converse = Callable[..., dict[str, Any]]


def _loud_ms(path: Path) -> np.ndarray:
    """For each 20 ms of a WAV, whether something sounds."""
    pcm, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 16000
    whole = len(pcm) // 320 * 320
    return np.abs(pcm[:whole].astype(int)).reshape(-1, 320).max(axis=1) > 200


@pytest.mark.feature("F-010", "chain")
def test_the_question_is_answered_aloud(converse: Converse, samples: Path, tmp_path: Path, kernel: str) -> None:
    reply = tmp_path / "reply.wav"
    report = converse("--wav", samples / "question.wav", "--out", reply, "--kernel", kernel)
    (turn,) = report["turns"]
    assert report["header"]["kernel"] == kernel
    assert turn["asked"] == "what is the weather like in london"
    assert turn["said"].startswith("In London")
    assert turn["outcome"] == "commit"
    assert turn["heard"] == turn["said"]
    assert turn["words_heard"] == turn["words_said"] == len(turn["said"].split())
    assert turn["end_to_end_ms"] < 2000
    assert turn["speech_to_playback_ms"] < 2000
    loud = _loud_ms(reply)
    sounding = np.flatnonzero(loud)
    spoken_s = (sounding[-1] - sounding[0]) * 0.02
    assert 0.2 < spoken_s / turn["words_said"] < 0.5  # seconds a word, as people speak
    assert not loud[: 2000 // 20].any()  # nothing while the question is asked


@pytest.mark.feature("F-033", "silence")
@pytest.mark.feature("F-064", "stops")
def test_the_answer_stops_when_the_user_talks_over_it(
    converse: Converse, samples: Path, tmp_path: Path, kernel: str
) -> None:
    reply = tmp_path / "reply.wav"
    report = converse("--wav", samples / "interruption.wav", "--out", reply, "--kernel", kernel)
    first, second = report["turns"]
    assert (first["outcome"], first["cause"]) == ("abort", "cancelled")
    assert 3 < first["words_heard"] < 15 < first["words_said"]
    assert first["said"].startswith(first["heard"])
    assert len(first["heard"].split()) == first["words_heard"]
    assert first["cancel_to_silence_ms"] <= 150
    assert first["refused_frames"] >= 1
    assert first["flushed_frames"] >= 1
    assert second["asked"] == "stop please what time do you open"
    assert second["outcome"] == "commit"
    record = report["evidence"][0]
    assert (record["cancel_scope"], record["terminal_reason"]) == ("turn", "cancelled")
    silent_from = record["turn_close_timestamp"]
    silent_to = report["evidence"][1]["turn_open_timestamp"]
    loud = _loud_ms(reply)
    assert loud[(silent_from - 300) // 20 : silent_from // 20].any()
    assert not loud[silent_from // 20 + 1 : silent_to // 20].any()


@pytest.mark.feature("F-064", "early")
def test_the_voice_begins_while_the_model_still_writes(converse: Converse, samples: Path, kernel: str) -> None:
    report = converse("--wav", samples / "interruption.wav", "--kernel", kernel)
    turn, record = report["turns"][0], report["evidence"][0]
    model = next(call for call in record["provider_invocations"] if call["modality"] == "llm")
    assert turn["first_output_ms"]["voice"] + 500 < model["total_latency_ms"]
    assert turn["end_to_end_ms"] < model["total_latency_ms"]


def test_shifting_the_interruption_moves_the_words_heard(
    converse: Converse, shifted: Callable[[int], Path], words_by: Callable[[float], int]
) -> None:
    """What was heard is what an uninterrupted answer has voiced by the same time after its beginning."""
    heard, ended = {}, {}
    for ms in (-500, 0, 500):
        report = converse("--wav", shifted(ms))
        turn, record = report["turns"][0], report["evidence"][0]
        heard[ms], ended[ms] = turn["words_heard"], record["turn_close_timestamp"]
        played_ms = ended[ms] - record["turn_open_timestamp"] - turn["end_to_end_ms"]
        assert words_by(played_ms - 30) <= heard[ms] <= words_by(played_ms + 30)
    assert heard[-500] <= heard[0] <= heard[500]
    assert heard[-500] < heard[500]
    # The detector is free to notice the soft beginning of “stop” a little sooner or later.
    assert ended[0] - ended[-500] == pytest.approx(500, abs=200)
    assert ended[500] - ended[0] == pytest.approx(500, abs=200)


def test_outside_the_dialogue_it_says_so(converse: Converse, samples: Path) -> None:
    (turn,) = converse("--wav", samples / "unknown.wav")["turns"]
    assert "did not understand" in turn["said"]
    assert turn["outcome"] == "commit"


@pytest.mark.parametrize("delay_ms", [0, 40])
def test_its_own_echo_does_not_interrupt_it(converse: Converse, samples: Path, delay_ms: int) -> None:
    report = converse("--wav", samples / "question.wav", "--echo", "-20", "--echo-delay", str(delay_ms))
    assert [turn["outcome"] for turn in report["turns"]] == ["commit"]


def test_over_its_own_echo_the_user_is_still_heard(converse: Converse, samples: Path) -> None:
    report = converse("--wav", samples / "interruption.wav", "--echo", "-20")
    assert [turn["outcome"] for turn in report["turns"]][:2] == ["abort", "commit"]


def test_typed_text_is_answered(converse: Converse) -> None:
    first, second = converse("--text", "what is the weather like in paris", "--text", "thank you")["turns"]
    assert first["said"].startswith("In Paris")
    assert (first["outcome"], second["outcome"]) == ("commit", "commit")


@pytest.mark.parametrize("rate_hz", [8000, 44100])
def test_another_rate_and_two_channels(converse: Converse, samples: Path, tmp_path: Path, rate_hz: int) -> None:
    import soxr

    pcm, original_hz = soundfile.read(samples / "question.wav")
    other = soxr.resample(pcm, original_hz, rate_hz)
    soundfile.write(tmp_path / "other.wav", np.stack([other, other], axis=1), rate_hz)
    (turn,) = converse("--wav", tmp_path / "other.wav")["turns"]
    if rate_hz > 16000:
        assert turn["asked"] == "what is the weather like in london"
    assert turn["outcome"] == "commit"


def test_in_real_time(converse: Converse, samples: Path) -> None:
    (turn,) = converse("--wav", samples / "question.wav", fast=False)["turns"]
    assert turn["said"].startswith("In London")
    assert turn["end_to_end_ms"] < 2000
    assert turn["budget_exhausted"] == []

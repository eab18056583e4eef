"""What a client may declare, and how it is told what it may not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from rspp_runtime.audio.format import FRAMES_MS, NATIVE, RATES_HZ, Format, FormatError, MissingExtraError, spoken_here


def test_nothing_said_is_what_a_session_speaks() -> None:
    assert Format.parse({}, "audio_in") == NATIVE == Format("pcm16", 16_000, 1, 20)


@pytest.mark.parametrize("encoding", RATES_HZ)
def test_what_is_parsed_is_described_and_parsed_again(encoding: str) -> None:
    for rate_hz in RATES_HZ[encoding]:
        for frame_ms in FRAMES_MS:
            fields = {"encoding": encoding, "rate_hz": rate_hz, "channels": 2, "frame_ms": frame_ms}
            format = Format.parse({**fields, "unknown": "ignored"}, "audio_out")
            assert format.describe() == fields
            assert format.packet_samples * 1000 == rate_hz * frame_ms


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"encoding": "mp3"}, "audio_in.encoding: 'mp3'; there is pcm16, ulaw, opus"),
        ({"encoding": ["pcm16"]}, "audio_in.encoding: a list; there is pcm16, ulaw, opus"),
        (
            {"rate_hz": 22_050},
            "audio_in.rate_hz: 22050; for pcm16 there is 8000, 12000, 16000, 24000, 44100, 48000",
        ),
        (
            {"encoding": "opus", "rate_hz": 44_100},
            "audio_in.rate_hz: 44100; for opus there is 8000, 12000, 16000, 24000, 48000",
        ),
        ({"rate_hz": 16_000.0}, "audio_in.rate_hz: 16000.0; for"),
        ({"rate_hz": "16000"}, "audio_in.rate_hz: '16000'; for"),
        ({"channels": True}, "audio_in.channels: True; for pcm16 there is 1, 2"),
        ({"channels": 0}, "audio_in.channels: 0; for pcm16 there is 1, 2"),
        ({"frame_ms": 2**70}, "audio_in.frame_ms: 1180591620717411303424; for pcm16 there is 10, 20, 40, 60"),
        ({"encoding": "x" * 5000}, "audio_in.encoding: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…; there is"),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(fields: Mapping[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Format.parse(fields, "audio_in")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_what_is_no_map() -> None:
    with pytest.raises(FormatError, match="audio_in: a map of encoding, rate_hz"):
        Format.parse([1], "audio_in")  # type: ignore[arg-type]


def test_a_missing_library_is_one_error_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from rspp_runtime.audio import downlink

    monkeypatch.setitem(sys.modules, "av", None)
    for module in ("opus", "swresample"):
        monkeypatch.delitem(sys.modules, f"rspp_runtime.audio.{module}", raising=False)
    with pytest.raises(MissingExtraError, match=r"^av is not installed: pip install 'rspp-runtime\[opus\]'$"):
        downlink.Downlink(Format("opus"))


def test_what_is_spoken_here_is_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spoken_here() == ("pcm16", "ulaw", "opus")
    monkeypatch.setattr("rspp_runtime.audio.format.find_spec", lambda name: None)
    assert spoken_here() == ("pcm16", "ulaw")

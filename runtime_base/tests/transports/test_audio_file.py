"""Anyone's audio file, or one clear line why not."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rspp_runtime.transports.audio_file import AudioFile, AudioFileError, MissingFileError


def _tone(rate_hz: int, seconds: float, channels: int = 1) -> np.ndarray:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)
    return np.stack([tone] * channels, axis=1)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_channels_become_16_khz_mono(tmp_path: Path, rate_hz: int, channels: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, _tone(rate_hz, 2.5, channels), rate_hz)
    frames = list(AudioFile(path).frames())
    assert {len(frame) for frame in frames} == {640}
    assert len(frames) == 125
    pcm = np.frombuffer(b"".join(frames), "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(pcm))
    assert np.argmax(spectrum) * 16000 / len(pcm) == pytest.approx(440, abs=1)
    assert np.abs(pcm[1000:-1000]).max() == pytest.approx(16384, rel=0.03)


def test_two_channels_are_mixed(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    left = _tone(16000, 0.1)
    soundfile.write(path, np.concatenate([left, -left], axis=1), 16000)
    assert not any(b"".join(AudioFile(path).frames()).strip(b"\0"))


def test_16_bit_at_16_khz_passes_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "plain.wav"
    samples = np.arange(-320, 320, dtype="<i2") * 100
    soundfile.write(path, samples, 16000, subtype="PCM_16")
    pcm = np.frombuffer(b"".join(AudioFile(path).frames()), "<i2")
    assert np.abs(pcm.astype(int) - samples).max() <= 1


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.wav: there is no such file"):
        AudioFile(tmp_path / "gone.wav")
    with pytest.raises(MissingFileError, match="is a folder"):
        AudioFile(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(AudioFileError, match=r"empty\.wav is empty \(0 bytes\)"):
        AudioFile(path)


def test_a_header_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "header.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
    with pytest.raises(AudioFileError, match="has no audio in it"):
        AudioFile(path)


@pytest.mark.parametrize("content", [b"hello, I am a text file\n" * 20, b"RIFF\x10\0\0\0WAVE", bytes(range(256)) * 8])
def test_what_is_no_audio(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.wav"
    path.write_bytes(content)
    with pytest.raises(AudioFileError) as caught:
        AudioFile(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0.95, 0.5, 0.02])
def test_a_truncated_file(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, _tone(16000, 1.0), 16000)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(AudioFileError, match=r"is truncated: .* bytes are there"):
        AudioFile(path)

"""What was played, on the media clock."""

from __future__ import annotations

import wave
from pathlib import Path

from rspp_runtime.transports.audio_file import AudioFile
from rspp_runtime.transports.recording import SECOND_NS, Recording

MS = 1_000_000


def _pcm(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        return file.readframes(file.getnframes())


def test_silence_where_it_was_silent(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "reply.wav")
    recording.send(b"\1\0" * 320, 40 * MS)
    recording.send(b"\2\0" * 320, 80 * MS)
    recording.close(120 * MS)
    expected = bytes(1280) + b"\1\0" * 320 + bytes(640) + b"\2\0" * 320 + bytes(640)
    assert _pcm(tmp_path / "reply.wav") == expected


def test_a_flush_cuts_at_the_played_position(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "reply.wav")
    for index in range(10):
        recording.send(bytes([index + 1, 0]) * 320, index * 20 * MS)
    recording.played(45 * MS)
    recording.flush(70 * MS)
    recording.send(b"\x63\0" * 320, 70 * MS)
    recording.close(90 * MS)
    pcm = _pcm(tmp_path / "reply.wav")
    assert pcm[: 640 * 3] == b"".join(bytes([index + 1, 0]) * 320 for index in range(3))
    assert pcm[640 * 3 : 640 * 3 + 320] == b"\4\0" * 160
    assert pcm[640 * 3 + 320 :] == b"\x63\0" * 320


def test_only_the_unplayed_is_held(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "reply.wav")
    for index in range(500):
        recording.send(bytes(640), index * 20 * MS)
        recording.played((index * 20 - 200) * MS)
        assert len(recording._ahead) <= 12
    recording.close(10_000 * MS)
    assert len(_pcm(tmp_path / "reply.wav")) == 500 * 640


def test_what_a_killed_process_left_can_be_heard(tmp_path: Path) -> None:
    path = tmp_path / "r.wav"
    recording = Recording(path)
    recording.send(b"\1\0" * 320, 0)
    recording.played(SECOND_NS)
    killed = tmp_path / "killed.wav"
    recording._file.flush()
    killed.write_bytes(path.read_bytes())  # as it is on the disk, with no end
    assert len(list(AudioFile(killed).frames())) == 1
    recording.close(SECOND_NS)
    with wave.open(str(path)) as closed:
        assert closed.getnframes() == 16_000

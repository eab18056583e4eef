"""Reads anyone's audio file as 20 ms frames of PCM s16le mono at 16 kHz.

Any rate and number of channels, in any format that libsndfile knows; read and converted piece by piece, so that an
hour of audio takes no more memory than a minute.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rspp_runtime.session.gateway import FRAME_BYTES_MAX, SAMPLE_RATE_HZ

FRAME_NS = 20_000_000
PIECE_S = 1


class AudioFileError(Exception):
    """A file that is not audio; the message is one line and names the file."""


class MissingFileError(AudioFileError):
    """A file that is not there."""


class AudioFile:
    """An audio file that was found good. `frames()` may be called more than once."""

    def __init__(self, path: Path) -> None:
        """Checks the file. Raises `MissingFileError`, `AudioFileError`."""
        if not path.exists():
            raise MissingFileError(f"{path}: there is no such file")
        if path.is_dir():
            raise MissingFileError(f"{path} is a folder; name a WAV file")
        if not path.is_file():
            raise MissingFileError(f"{path} is a pipe or a device; name a WAV file")
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(12)
        except OSError as error:
            raise AudioFileError(f"{path} cannot be read: {error.strerror}") from None
        if not size:
            raise AudioFileError(f"{path} is empty (0 bytes)")
        soundfile = _soundfile()
        try:
            with soundfile.SoundFile(path) as sound:
                self.rate_hz: int = sound.samplerate
                self.channels: int = sound.channels
                self.frames_count: int = sound.frames
        except soundfile.LibsndfileError as error:
            raise AudioFileError(f"{path} is not an audio file that can be read ({error.error_string})") from None
        if not self.frames_count:
            raise AudioFileError(f"{path} has no audio in it (a header and nothing else)")
        self.path = path
        _check_length(path, head, size)

    def frames(self) -> Iterator[bytes]:
        """Frames of 640 bytes, the last one filled up with silence. Raises `AudioFileError` if the file breaks off."""
        pending = b""
        for piece in self._pieces():
            pending += piece
            whole = len(pending) - len(pending) % FRAME_BYTES_MAX
            for at in range(0, whole, FRAME_BYTES_MAX):
                yield pending[at : at + FRAME_BYTES_MAX]
            pending = pending[whole:]
        if pending:
            yield pending.ljust(FRAME_BYTES_MAX, b"\0")

    def _pieces(self) -> Iterator[bytes]:
        import numpy
        import soxr

        soundfile = _soundfile()
        convert = None
        if self.rate_hz != SAMPLE_RATE_HZ:
            convert = soxr.ResampleStream(self.rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
        try:
            with soundfile.SoundFile(self.path) as sound:
                left = self.frames_count
                while left > 0:
                    block = sound.read(self.rate_hz * PIECE_S, dtype="float32", always_2d=True)
                    if not len(block):
                        raise AudioFileError(f"{self.path} is truncated: {left / self.rate_hz:.2f} s of it are missing")
                    left -= len(block)
                    mono = block.mean(axis=1)
                    if convert is not None:
                        mono = convert.resample_chunk(mono, last=left <= 0)
                    yield (numpy.clip(mono, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()
        except soundfile.LibsndfileError as error:
            raise AudioFileError(f"{self.path} cannot be read on ({error.error_string})") from None


def _check_length(path: Path, head: bytes, size: int) -> None:
    """A RIFF file says how long it is: libsndfile reads a shorter one without a word. Streams say 0 or the maximum."""
    if head[:4] != b"RIFF" or len(head) < 8:
        return
    declared = struct.unpack_from("<I", head, 4)[0] + 8
    if declared not in (8, 0xFFFFFFFF + 8) and size < declared:
        raise AudioFileError(f"{path} is truncated: {size} of {declared} bytes are there")


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError:
        raise AudioFileError("audio files need the extra: pip install 'rspp-runtime[files]'") from None
    return soundfile

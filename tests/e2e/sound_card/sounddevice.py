"""A sound card for tests, under the name of the real library: a thread calls back every 20 ms, as PortAudio's does.

What it offers of `sounddevice` has the real one's names, arguments and errors. `RSPP_TEST_CARD` is JSON:
`{"mic": WAV, "speaker": WAV, "echo": 0.1, "rates": [16000], "devices": true, "dies_after_s": 0}`. The microphone hears
the file, then silence, and the loudspeaker at the level `echo`, 40 ms late; what the loudspeaker got is written to
`speaker` when it closes.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
import wave
from collections.abc import Callable
from typing import Any

import numpy as np

_CARD: dict[str, Any] = json.loads(os.environ["RSPP_TEST_CARD"])
_LATE_BLOCKS = 2
_air: list[Any] = []  # what the loudspeaker played, block by block, at the microphone's place


class PortAudioError(Exception):
    pass


class CallbackFlags:
    def __bool__(self) -> bool:
        return False


_DEVICES = [
    {
        "name": name,
        "index": index,
        "hostapi": 0,
        "max_input_channels": inputs,
        "max_output_channels": outputs,
        "default_samplerate": float(_CARD.get("rates", [16000])[0]),
    }
    for index, (name, inputs, outputs) in enumerate([("Test Microphone", 2, 0), ("Test Loudspeaker", 0, 2)])
]


def query_devices(device: int | str | None = None, kind: str | None = None) -> Any:
    known = _DEVICES if _CARD.get("devices", True) else []
    if device is None and kind is None:
        return list(known)
    fitting = [one for one in known if kind is None or one[f"max_{kind}_channels"]]
    if device is None:
        if not fitting:
            raise PortAudioError("Error querying device -1")
        return fitting[0]
    found = [
        one for one in fitting if device in (one["index"], one["name"]) or str(device).lower() in one["name"].lower()
    ]
    if not found:
        raise ValueError(f"No {kind} device matching {device!r}")
    return found[0]


def check_input_settings(device: Any = None, channels: Any = None, dtype: Any = None, samplerate: Any = None) -> None:
    if samplerate not in _CARD.get("rates", [16000]):
        raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")


check_output_settings = check_input_settings


class _Clock:
    """One crystal for both streams: every 20 ms the loudspeaker takes a block, then the microphone gives one."""

    def __init__(self) -> None:
        self.streams: list[_Stream] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, stream: _Stream) -> None:
        with self._lock:
            self.streams.append(stream)
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self, stream: _Stream) -> None:
        with self._lock:
            if stream in self.streams:
                self.streams.remove(stream)

    def _run(self) -> None:
        began_s = time.monotonic()
        for number in itertools.count(1):
            time.sleep(max(0.0, began_s + number * 0.02 - time.monotonic()))
            with self._lock:
                streams = list(self.streams)
            for stream in streams:
                if not stream.block(number):
                    self.stop(stream)
                    stream.finished()


_clock = _Clock()


class _Stream:
    def __init__(
        self,
        samplerate: float,
        blocksize: int,
        device: int,
        channels: int,
        dtype: str,
        latency: str,
        callback: Callable[..., None],
        finished_callback: Callable[[], None] | None = None,
    ) -> None:
        check_input_settings(samplerate=samplerate)
        assert (channels, dtype, latency) == (1, "int16", "low")
        self.latency = 0.02
        self._rate, self._size = int(samplerate), blocksize
        self._callback, self._finished = callback, finished_callback
        self._is_open = True

    def start(self) -> None:
        _clock.start(self)

    def abort(self, ignore_errors: bool = True) -> None:
        _clock.stop(self)
        self.finished()

    def close(self, ignore_errors: bool = True) -> None:
        assert self not in _clock.streams

    def finished(self) -> None:
        if self._is_open and self._finished is not None:
            self._finished()
        self._is_open = False

    def block(self, number: int) -> bool:
        """False: the device has gone."""
        raise AssertionError


class RawInputStream(_Stream):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        with wave.open(_CARD["mic"]) as file:
            assert file.getframerate() == 16000
            heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        times = np.arange(int(len(heard) * self._rate / 16000)) * 16000 / self._rate
        self._heard = np.interp(times, np.arange(len(heard)), heard)
        self._at = 0

    def block(self, number: int) -> bool:
        if number * 0.02 > _CARD.get("dies_after_s", 1e9):
            return False
        block = np.zeros(self._size)
        piece = self._heard[self._at : self._at + self._size]
        block[: len(piece)] = piece
        self._at += self._size
        if len(_air) > _LATE_BLOCKS:
            block += _CARD.get("echo", 0.0) * _air.pop(0)
        sound = bytearray(np.clip(block, -32768, 32767).astype("<i2").tobytes())
        self._callback(memoryview(sound), self._size, None, CallbackFlags())
        sound[:] = b"\x55" * len(sound)  # PortAudio uses its memory again
        return True


class RawOutputStream(_Stream):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._played: list[bytes] = []

    def block(self, number: int) -> bool:
        sound = bytearray(b"\x55" * (2 * self._size))  # not silent until somebody makes it so
        self._callback(memoryview(sound), self._size, None, CallbackFlags())
        self._played.append(bytes(sound))
        _air.append(np.frombuffer(bytes(sound), "<i2").astype(float))
        return True

    def close(self, ignore_errors: bool = True) -> None:
        super().close()
        with wave.open(_CARD["speaker"], "wb") as file:
            file.setparams((1, 2, self._rate, 0, "NONE", ""))
            file.writeframes(b"".join(self._played))

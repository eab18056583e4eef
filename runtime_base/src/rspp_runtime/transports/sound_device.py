"""The sound card, by PortAudio (`sounddevice`, extra `mic`): which devices there are, and streams that never wait.

PortAudio calls us from a thread of its own, every 20 ms, and must not be kept waiting: a block goes into a ring or
comes out of one. Both rings are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rspp_runtime.audio.format import RATES_HZ, Format, MissingExtraError
from rspp_runtime.session.gateway import SAMPLE_RATE_HZ

BLOCKS_PER_S = 50
RING_BLOCKS_MAX = 50  # a second: what is older than that is no conversation any more


class DeviceError(Exception):
    """No microphone, no loudspeaker, or one that does not work; the message is one line."""


@dataclass(frozen=True, slots=True)
class Device:
    """One direction of a sound card, and the rate at which it is opened."""

    index: int
    name: str
    rate_hz: int

    @property
    def format(self) -> Format:
        return Format(rate_hz=self.rate_hz)


def load() -> Any:
    """The module `sounddevice`. Raises `DeviceError`."""
    try:
        import sounddevice
    except ModuleNotFoundError:
        raise DeviceError(str(MissingExtraError("sounddevice", "mic"))) from None
    except OSError as error:  # its wheel for Linux brings no PortAudio
        raise DeviceError(f"{error}: on Debian and Ubuntu, apt-get install libportaudio2") from None
    return sounddevice


def listing(sound: Any) -> list[str]:
    """A line for each device. Raises `DeviceError`."""
    devices = _asked(sound, lambda: list(sound.query_devices()))
    if not devices:
        raise DeviceError("there is no sound device on this machine")
    chosen = [_index(sound, kind) for kind in ("input", "output")]
    lines = []
    for device in devices:
        marks = "".join(mark if device["index"] == at else " " for mark, at in zip("<>", chosen, strict=True))
        ways = f"{device['max_input_channels']} in, {device['max_output_channels']} out"
        lines.append(f"{marks} {device['index']:>3}  {device['name']}  ({ways}, {device['default_samplerate']:.0f} Hz)")
    return lines


def choose(sound: Any, kind: str, wanted: str | None) -> Device:
    """`kind` is input or output; `wanted` is an index, a part of a name, or None for the default. Raises
    `DeviceError`."""
    given: int | str | None = int(wanted) if wanted is not None and wanted.isdecimal() else wanted
    what = {"input": "microphone", "output": "loudspeaker"}[kind]
    try:
        info = sound.query_devices(given, kind)
    except (sound.PortAudioError, ValueError) as error:
        if wanted is None:
            reason = f"there is no {what} on this machine ({_line(error)}); --wav FILE and --text need none"
        else:
            reason = f"no {what} is {wanted!r} ({_line(error)}); --list-devices shows what there is"
        raise DeviceError(reason) from None
    check = sound.check_input_settings if kind == "input" else sound.check_output_settings
    tried = ""
    for rate_hz in dict.fromkeys((SAMPLE_RATE_HZ, round(info["default_samplerate"]))):
        if rate_hz not in RATES_HZ["pcm16"]:
            continue
        try:
            check(device=info["index"], channels=1, dtype="int16", samplerate=rate_hz)
        except (sound.PortAudioError, ValueError) as error:
            tried = _line(error)
        else:
            return Device(info["index"], info["name"], rate_hz)
    raise DeviceError(f"the {what} {info['name']!r} cannot be opened ({tried}); --device chooses another one")


class Microphone:
    """What a device hears, block by block. `wait` on the loop; PortAudio's thread puts blocks in."""

    def __init__(self, sound: Any, device: Device) -> None:
        self.lost = 0  # blocks that the loop was too late for
        self.taken = 0  # blocks that went into the ring, from the first
        self.ended = False
        self._loop = asyncio.get_running_loop()
        self._ring: deque[bytes] = deque(maxlen=RING_BLOCKS_MAX)
        self._wake = asyncio.Event()
        self._woken = False
        self._stream = _opened(
            sound,
            lambda: sound.RawInputStream(
                samplerate=device.rate_hz,
                blocksize=device.rate_hz // BLOCKS_PER_S,
                device=device.index,
                channels=1,
                dtype="int16",
                latency="low",
                callback=self._heard,
                finished_callback=self._finished,
            ),
            device,
        )
        self.latency_ns = int(self._stream.latency * 1e9)

    async def wait(self, deadline_s: float) -> list[tuple[int, bytes]]:
        """The blocks since the last time, numbered; perhaps none: the deadline passed, somebody woke us, or the device
        has gone."""
        if not self._ring and not self.ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline_s):
                    await self._wake.wait()
        self._wake.clear()
        self._woken = False  # before the ring is emptied: a block that comes now wakes us again
        blocks = []
        while self._ring:
            blocks.append((self.taken + self.lost, self._ring.popleft()))
            self.taken += 1
        return blocks

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        self._stream.abort()
        self._stream.close()

    # ---- PortAudio's thread

    def _heard(self, block: Any, _frames: int, _time: Any, _status: Any) -> None:
        if len(self._ring) == RING_BLOCKS_MAX:
            self.lost += 1
        self._ring.append(bytes(block))
        self._wake_loop()

    def _finished(self) -> None:
        self.ended = True
        self._woken = False
        self._wake_loop()

    def _wake_loop(self) -> None:
        """One call waits for the loop at most, however long the loop is busy."""
        if self._woken:
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:  # the loop has closed: nobody listens
            self.ended = True


class Speaker:
    """What a device plays: blocks in their order, silence when there are none. `flush` takes effect with the next
    block."""

    def __init__(self, sound: Any, device: Device) -> None:
        self.dropped = 0  # blocks that found no room
        self.played = 0  # blocks, silence aside
        self._ring: deque[bytes] = deque()
        self._begun = b""  # the rest of a block that the device has taken a part of
        self._stream = _opened(
            sound,
            lambda: sound.RawOutputStream(
                samplerate=device.rate_hz,
                blocksize=device.rate_hz // BLOCKS_PER_S,
                device=device.index,
                channels=1,
                dtype="int16",
                latency="low",
                callback=self._play,
            ),
            device,
        )
        self.latency_ns = int(self._stream.latency * 1e9)

    def put(self, block: bytes) -> None:
        if len(self._ring) >= RING_BLOCKS_MAX:
            self.dropped += 1
        else:
            self._ring.append(block)

    def flush(self) -> None:
        self._ring.clear()
        self._begun = b""

    def close(self) -> None:
        self._stream.abort()
        self._stream.close()

    # ---- PortAudio's thread

    def _play(self, out: Any, _frames: int, _time: Any, _status: Any) -> None:
        wanted, pcm = len(out), self._begun
        while len(pcm) < wanted:
            try:
                pcm += self._ring.popleft()
            except IndexError:
                break
            self.played += 1
        self._begun = pcm[wanted:]
        out[:] = pcm[:wanted].ljust(wanted, b"\0")


def _opened(sound: Any, make: Callable[[], Any], device: Device) -> Any:
    def start() -> Any:
        stream = make()
        stream.start()
        return stream

    return _asked(sound, start, f"{device.name!r} cannot be opened")


def _asked(sound: Any, ask: Callable[[], Any], failed: str = "the sound devices cannot be asked") -> Any:
    try:
        return ask()
    except (sound.PortAudioError, ValueError) as error:
        raise DeviceError(f"{failed} ({_line(error)}); --device chooses another one") from None


def _index(sound: Any, kind: str) -> int:
    try:
        return int(sound.query_devices(None, kind)["index"])
    except (sound.PortAudioError, ValueError):
        return -1


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

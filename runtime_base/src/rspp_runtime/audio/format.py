"""What a client declares for one direction of its audio, and what is wrong when it does not keep to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from rspp_runtime.session.gateway import SAMPLE_RATE_HZ

ENCODINGS = ("pcm16", "ulaw", "opus")
RATES_HZ = {
    "pcm16": (8_000, 12_000, 16_000, 24_000, 44_100, 48_000),
    "ulaw": (8_000, 12_000, 16_000, 24_000, 48_000),
    "opus": (8_000, 12_000, 16_000, 24_000, 48_000),
}
CHANNELS = (1, 2)
FRAMES_MS = (10, 20, 40, 60)
PACKET_MS_MAX = 120  # no packet is longer, whatever `frame_ms` says: the limit of Opus too
SAMPLE_BYTES = {"pcm16": 2, "ulaw": 1}


class AudioError(ValueError):
    """A packet that is not taken; the message says why, in one line, without its content. The session goes on."""


class FormatError(AudioError):
    """A format that there is not; the message names the field, what was given, and what there is."""


class RateLie(AudioError):  # noqa: N818 - a lie is not a mistake
    """A client sends another number of samples a second than its format says: nothing that follows can be believed."""

    def __init__(self, declared_hz: int, measured_hz: int) -> None:
        self.declared_hz = declared_hz
        self.measured_hz = measured_hz
        super().__init__(
            f"audio was declared with {declared_hz} Hz, and comes with about {measured_hz} samples a second: "
            f"declare rate_hz and channels as they are, and send no faster than time passes"
        )


class MissingExtraError(ImportError):
    """A library of an extra is not installed; the message has the command that installs it."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed: pip install 'rspp-runtime[{extra}]'", name=library)


@dataclass(frozen=True, slots=True)
class Format:
    """How one direction's audio is written. `frame_ms` is how the client wants its packets cut, and says how long those
    that it sends usually are; one packet may be shorter or longer, up to `PACKET_MS_MAX`."""

    encoding: str = "pcm16"  # pcm16: s16le; ulaw: G.711; opus: one raw packet of RFC 6716
    rate_hz: int = SAMPLE_RATE_HZ
    channels: int = 1  # 2: interleaved; what comes in is mixed, what goes out is the same on both
    frame_ms: int = 20

    @classmethod
    def parse(cls, data: Mapping[str, object], where: str) -> Format:
        """From a client's message; a field that is absent has its default, one that is unknown is ignored. `where` is
        the field of the message that `data` came in.

        Raises `FormatError`.
        """
        if not isinstance(data, Mapping):
            raise FormatError(f"{where}: a map of encoding, rate_hz, channels and frame_ms is expected")
        encoding = data.get("encoding", "pcm16")
        if not isinstance(encoding, str) or encoding not in ENCODINGS:
            raise FormatError(f"{where}.encoding: {_shown(encoding)}; there is {', '.join(ENCODINGS)}")
        return cls(
            encoding,
            _number(data, "rate_hz", SAMPLE_RATE_HZ, RATES_HZ[encoding], where, encoding),
            _number(data, "channels", 1, CHANNELS, where, encoding),
            _number(data, "frame_ms", 20, FRAMES_MS, where, encoding),
        )

    def describe(self) -> dict[str, object]:
        """The fields of `parse`, all of them."""
        return asdict(self)

    @property
    def packet_samples(self) -> int:
        """Of one channel, in a packet of `frame_ms`."""
        return self.rate_hz * self.frame_ms // 1000

    @property
    def packet_bytes(self) -> int:
        """Of a packet of `frame_ms`; 0 where that is not fixed (opus)."""
        return self.packet_samples * self.channels * SAMPLE_BYTES.get(self.encoding, 0)


NATIVE = Format()
"""What a session speaks itself: it passes unchanged."""


def spoken_here() -> tuple[str, ...]:
    """The encodings that can be spoken with what is installed: all but Opus, which is an extra of its own. Looks, and
    loads nothing."""
    return tuple(encoding for encoding in ENCODINGS if encoding != "opus" or find_spec("av") is not None)


def _number(data: Mapping[str, object], name: str, default: int, known: tuple[int, ...], where: str, of: str) -> int:
    value: Any = data.get(name, default)
    if type(value) is not int or value not in known:
        raise FormatError(f"{where}.{name}: {_shown(value)}; for {of} there is {', '.join(map(str, known))}")
    return value


def _shown(value: object) -> str:
    """What was given, as far as one line has room for it."""
    shown = repr(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return shown if len(shown) <= 40 else shown[:39] + "…"

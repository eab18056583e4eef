"""Ports: their types as written or as the profile has them, and the size of their largest items."""

from __future__ import annotations

from rspp_compiler.ir.bound import BoundPort, FilledPort, Valued
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.types import AnyType, AudioType, BytesType, EventType, PortType, TextType
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.units import DURATIONS, show_ns

_TYPES: dict[str, type[TextType | EventType | BytesType]] = {"text": TextType, "event": EventType, "bytes": BytesType}
_Known = tuple[PortType, Valued, Valued | None]


class Ports:
    """Fills ports. Those of one kind are alike, so each sort is worked out once."""

    def __init__(self, profile: ProfileTable) -> None:
        self._profile = profile
        table = profile.section("audio")
        channels = 1 if table["channels"].text == "mono" else 2
        self._audio = AudioType(rate_hz=table["rate"].number, channels=channels, encoding=table["encoding"].text)
        self._known: dict[tuple[object, ...], _Known] = {}

    def fill(self, port: BoundPort, payload_class: str = "") -> FilledPort:
        """The port with its type. `payload_class` is the one that its node declares for what it emits."""
        type, size, frame = self._read(port, payload_class or port.payload_class)
        return FilledPort(port, type, size, frame)

    def item_bytes(self, port: BoundPort) -> int:
        """Size of the port's largest item."""
        return self._read(port, port.payload_class)[1].number

    def _read(self, port: BoundPort, payload_class: str) -> _Known:
        is_written = port.item_bytes or port.item_ns
        sort = (port.type, port.item, port.audio, payload_class, port.span if is_written else None)
        known = self._known.get(sort)
        if known is None:
            known = self._known[sort] = self._worked_out(port, payload_class)
        return known

    def _worked_out(self, port: BoundPort, payload_class: str) -> _Known:
        if port.type == "audio":
            return self._of_audio(port, payload_class)
        size = self._profile.get(f"item.{port.item}")
        if port.item_bytes:
            size = Valued(port.item_bytes, Origin.user(port.span))
        if port.type == "any":
            return AnyType(), size, None
        of = _TYPES[port.type]
        return of(payload_class=payload_class) if payload_class else of(), size, None

    def _of_audio(self, port: BoundPort, payload_class: str) -> _Known:
        audio = port.audio or self._audio
        if payload_class:
            audio = audio.model_copy(update={"payload_class": payload_class})
        frame = self._profile.get("audio.frame")
        if port.item_ns:
            frame = Valued(port.item_ns, Origin.user(port.span))
        if port.item_bytes:
            return audio, Valued(port.item_bytes, Origin.user(port.span)), frame
        size = -(-audio.bytes_per_second * frame.number // DURATIONS["s"])
        reason = f"{show_ns(frame.number)} of {audio}"
        return audio, Valued(size, Origin.derived(frame.origin.span, reason)), frame

"""Signatures: the ports that a custom node or a module declares, with their types."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundPort
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.types import ENCODINGS, AudioType
from rspp_compiler.sema.language.catalog import CLASSES, MS, S, Setting
from rspp_compiler.sema.language.foreign import TYPES
from rspp_compiler.sema.reading.values import DURATIONS, RATES, SIZES, describe, listed, show, suggest
from rspp_compiler.source import Span

PORT_TYPES = ("audio", "text", "event", "bytes")
_SIZE = Setting("item", "bytes", 1, 16_000_000)
_FRAME = Setting("frame", "duration", 1 * MS, 1 * S)
_AUDIO = "audio(16kHz, mono, s16le)"
_RATE_MIN = 1000  # a bare number from here on is a rate in hertz
_ENCODINGS = {  # what others call ours
    **dict.fromkeys(("ulaw", "mu_law", "pcmu", "g711u", "g711"), "mulaw"),
    **dict.fromkeys(("a_law", "pcma", "g711a"), "alaw"),
    **dict.fromkeys(("float32", "f32", "float"), "f32le"),
}
Ports = tuple[BoundPort, ...]


def ports(signature: ast.Signature, ctx: Context) -> tuple[Ports, Ports]:
    """Inputs and outputs; the first of each is the main one."""
    seen: dict[str, Span] = {}
    for param in (*signature.inputs, *signature.outputs):
        first = seen.setdefault(param.name.text, param.name.span)
        if first is not param.name.span:
            ctx.sink.add(
                "E0202",
                f"port `{param.name.text}` is declared twice",
                param.name.span,
                secondary=[(first, "first declared here")],
                help="give each port a name of its own",
                fix=Fix(param.name.span, f"{param.name.text}_2"),
            )
    reader = _Reader(ctx)
    inputs, outputs = (
        tuple(reader.port(param, index == 0) for index, param in enumerate(side))
        for side in (signature.inputs, signature.outputs)
    )
    return inputs, outputs


def _is_rate(value: ast.Value) -> bool:
    """`16kHz`, and what stands for it where the unit was left out: `8000`."""
    is_bare = isinstance(value, ast.Number) and Decimal(value.number) >= _RATE_MIN
    return is_bare or (isinstance(value, ast.Quantity) and value.unit.lower() in ("hz", "khz"))


def _likely_audio(args: Sequence[ast.Value]) -> str:
    """The type that is meant by what is there of one: `audio(8kHz)`, `audio(8000, 1, ulaw)`."""
    rate, channels, encoding = "16kHz", "mono", "s16le"
    for arg in args:
        match arg:
            case ast.Quantity(number=number, unit=unit) if unit.lower() in ("hz", "khz"):
                rate = f"{number}{'kHz' if 'k' in unit.lower() else 'Hz'}"
            case ast.Number(number=number) if Decimal(number) >= _RATE_MIN:
                rate = f"{Decimal(number) / 1000:g}kHz"
            case ast.Number(number="2") | ast.Ref(text="stereo"):
                channels = "stereo"
            case ast.Ref(text=word):
                encoding = word if word in ENCODINGS else _ENCODINGS.get(word.lower(), encoding)
    return f"audio({rate}, {channels}, {encoding})"


class _Reader:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def port(self, param: ast.Param, is_main: bool) -> BoundPort:
        """`heard : audio(16kHz, mono, s16le, 20ms)`, `prompt : text(PII, 2kB)`: behind the format in any order."""
        written = param.type
        name = written.name if isinstance(written, ast.Call) else written.parts[0]
        args = list(written.args) if isinstance(written, ast.Call) else []
        type = name.text
        if type not in PORT_TYPES:
            nearest = suggest(type, PORT_TYPES) or TYPES.get(type.lower(), "")
            help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(PORT_TYPES)}"
            fix = Fix(name.span, nearest) if nearest else guess(Fix(name.span, "text"))
            self._ctx.sink.add("E0307", f"no type `{type}`", name.span, help=help, fix=fix)
            type, args = nearest or "text", []
        audio = None
        if type == "audio" and args and _is_rate(args[0]):
            audio, args = self._audio(written, args), args[3:]
        size, length, payload_class = 0, 0, ""
        for arg in args:
            match arg:
                case ast.Ref(text=text) if text in CLASSES:
                    payload_class = text
                case ast.Quantity(unit=unit) if unit in SIZES and type != "audio":
                    size = self._within(arg, SIZES[unit], _SIZE)
                case ast.Quantity(unit=unit) if unit in DURATIONS and type == "audio":
                    length = self._within(arg, DURATIONS[unit], _FRAME)
                case _:
                    self._unknown(arg, type)
        item = "frame" if type == "audio" else type
        return BoundPort(param.name.text, type, item, is_main, param.span, False, audio, payload_class, size, length)

    def _within(self, written: ast.Quantity, unit: int, setting: Setting) -> int:
        """The quantity in base units, within what an item can be (E0306)."""
        number = int(Decimal(written.number) * unit)
        nearest = int(min(max(number, setting.min or 0), setting.max or number))
        if nearest != number:
            meant = show(setting, nearest)
            label = f"{show(setting, setting.min or 0)} to {show(setting, setting.max or number)}"
            message = f"no item is {describe(written)} {'long' if setting.type == 'duration' else 'large'}"
            help, fix = f"write `{meant}`", Fix(written.span, meant)
            self._ctx.sink.add("E0306", message, written.span, label=f"allowed: {label}", help=help, fix=fix)
        return nearest

    def _audio(self, written: ast.Ref | ast.Call, args: Sequence[ast.Value]) -> AudioType | None:
        match list(args[:3]):
            case [ast.Quantity() as rate, ast.Ref(text=("mono" | "stereo") as channels), ast.Ref(text=encoding)] if (
                encoding in ENCODINGS
            ):
                rate_hz = int(Decimal(rate.number) * RATES[rate.unit])
                if 1000 <= rate_hz <= 384_000:
                    return AudioType(rate_hz=rate_hz, channels=1 if channels == "mono" else 2, encoding=encoding)
        meant = _likely_audio(args[:3])
        help = f"write `{meant}`: a rate, mono or stereo, and one of {listed(ENCODINGS)}"
        self._ctx.sink.add("E0309", "malformed type of audio", written.span, help=help, fix=Fix(written.span, meant))
        return None

    def _unknown(self, arg: ast.Value, type: str) -> None:
        takes = "a payload class and the length of a frame" if type == "audio" else "a payload class and a largest size"
        nearest = suggest(arg.text, CLASSES) if isinstance(arg, ast.Ref) else ""
        example = f"`{_AUDIO[:-1]}, 20ms)`" if type == "audio" else f"`{type}(PII, 2kB)`"
        self._ctx.sink.add(
            "E0307",
            f"`{type}` takes {takes}, and this is neither",
            arg.span,
            notes=(f"payload classes: {listed(CLASSES)}",),
            help=f"did you mean `{nearest}`?" if nearest else f"write it like {example}",
            fix=Fix(arg.span, nearest) if nearest else remove(self._ctx.source(arg.span), arg.span),
        )

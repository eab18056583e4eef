"""Values as written, read by the type their setting declares: durations to nanoseconds, sizes to bytes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from decimal import Decimal

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.ir import ast
from rspp_compiler.ir.spec import FileRef, SecretRef, SettingValue
from rspp_compiler.sema.catalog import Setting, Type
from rspp_compiler.source import Span

DURATIONS = {
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
SIZES = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
RATES = {"Hz": 1, "kHz": 1_000}
COUNTS = {"items": 1, "chars": 1, "tokens": 1, "words": 1}
UNITS: dict[Type, dict[str, int]] = {"duration": DURATIONS, "bytes": SIZES, "rate": RATES, "percent": {"%": 1}}
_WHAT = {"duration": "a duration", "bytes": "a size", "rate": "a rate", "percent": "a percentage"}
_ALIASES = {
    **dict.fromkeys(("sec", "secs", "second", "seconds", "S"), "s"),
    **dict.fromkeys(("msec", "msecs", "millis", "MS", "milliseconds"), "ms"),
    **dict.fromkeys(("usec", "micros"), "us"),
    **dict.fromkeys(("m", "mins", "minutes"), "min"),
    **dict.fromkeys(("b", "bytes"), "B"),
    **dict.fromkeys(("kb", "KB", "k", "KiB"), "kB"),
    **dict.fromkeys(("mb", "MiB"), "MB"),
    **dict.fromkeys(("hz",), "Hz"),
    **dict.fromkeys(("khz", "KHz"), "kHz"),
}
_SECRET_KEY = re.compile(r"(?:^|_)(?:key|token|secret|password|passphrase|credentials?)$")
_SECRET_TEXT = re.compile(r"^(?:sk|pk|rk|ghp|gho|xox[bp]|AKIA|AIza|eyJ)[-_A-Za-z0-9.]{14,}$")


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest, or an empty text."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = [f"`{word}`" for word in words] or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last


def show_ns(nanoseconds: int) -> str:
    """A duration as the language writes it: `300ms`, `2s`."""
    for unit, size in (("s", DURATIONS["s"]), ("ms", DURATIONS["ms"]), ("us", DURATIONS["us"])):
        if nanoseconds >= size and nanoseconds % (size // 1000 or 1) == 0 and (nanoseconds % size == 0 or unit != "s"):
            return f"{Decimal(nanoseconds) / size:f}{unit}"
    return f"{nanoseconds}ns"


def show(setting: Setting, value: float) -> str:
    """A bound of a setting as the language writes it."""
    if setting.type == "duration":
        return show_ns(int(value))
    return f"{value:g}" + {"percent": "%", "bytes": "B", "rate": "Hz"}.get(setting.type, "")


def looks_secret(key: str, value: ast.Value | None) -> bool:
    """Whether a literal text stands where a secret belongs."""
    return isinstance(value, ast.Text) and bool(_SECRET_KEY.search(key) or _SECRET_TEXT.match(value.text))


def read(setting: Setting, value: ast.Value | None, at: Span, sink: Sink) -> SettingValue | None:
    """The value in base units; None when it was no good, which has then been reported."""
    if looks_secret(setting.name, value):
        name = re.sub(r"\W", "_", setting.name).upper()
        fix = Fix(value.span, f'secret("env://{name}")') if value else None
        sink.add(
            "E0308",
            f"`{setting.name}` holds a secret in plain text",
            value.span if value else at,
            notes=("a pipeline file is shared and recorded; a secret is only ever referred to",),
            help=f'write `secret("env://{name}")` and set {name} where the pipeline runs',
            fix=fix,
        )
        return None
    if setting.type == "flag":
        return _flag(setting, value, sink)
    if value is None:
        sink.add("E0305", f"`{setting.name}` needs a value", at, help=f"write `{setting.name} = {_example(setting)}`")
        return None
    if setting.type in UNITS:
        return _quantity(setting, value, sink)
    if setting.type in ("count", "number"):
        return _number(setting, value, sink)
    if setting.type == "symbol":
        return _symbol(setting, value, sink)
    return _text(setting, value, sink)


def _wrong(setting: Setting, value: ast.Value, sink: Sink) -> None:
    wanted = _WHAT.get(setting.type) or {
        "count": "a whole number",
        "number": "a number",
        "symbol": "one of " + listed(setting.choices),
        "file": "a file",
        "secret": "a secret",
        "flag": "no value: it is a flag",
    }.get(setting.type, "a text")
    message = f"`{setting.name}` takes {wanted}, not {describe(value)}"
    sink.add("E0305", message, value.span, help=f"write `{setting.name} = {_example(setting)}`")


def describe(value: ast.Value) -> str:
    match value:
        case ast.Text():
            return "a text"
        case ast.Quantity():
            return f"`{value.number}{' ' if value.unit in COUNTS else ''}{value.unit}`"
        case ast.Number():
            return f"the number {value.number}"
        case ast.Ref():
            return f"`{value.text}`"
        case ast.Call():
            return f"`{value.name.text}(…)`"
        case ast.List():
            return "a list"
        case ast.Settings():
            return "a block"


def _example(setting: Setting) -> str:
    """A value that the setting takes: an advice that is refused in its turn helps nobody."""
    usual = {"duration": 300_000_000, "count": 4, "number": 0.5}.get(setting.type, 0)
    if setting.min is not None and usual < setting.min:
        return show(setting, setting.min)
    examples = {"duration": "300ms", "bytes": "64kB", "rate": "16kHz", "percent": "75%", "count": "4", "number": "0.5"}
    texts = {"file": 'file("path")', "secret": 'secret("env://NAME")', "text": '"…"'}
    return examples.get(setting.type) or texts.get(setting.type) or (setting.choices[0] if setting.choices else "…")


def _flag(setting: Setting, value: ast.Value | None, sink: Sink) -> bool | None:
    if value is None:
        return True
    if isinstance(value, ast.Ref) and value.text in ("true", "false"):
        return value.text == "true"
    _wrong(setting, value, sink)
    return None


def _quantity(setting: Setting, value: ast.Value, sink: Sink) -> int | None:
    units = UNITS[setting.type]
    if isinstance(value, ast.Number):
        unit = _likely_unit(setting, Decimal(value.number))
        message = f"`{setting.name} = {value.number}` has no unit"
        help = f"`{setting.name}` is {_WHAT[setting.type]}; did you mean `{value.number}{unit}`?"
        sink.add("E0303", message, value.span, help=help, fix=Fix(value.span, value.number + unit))
        return None
    if not isinstance(value, ast.Quantity):
        _wrong(setting, value, sink)
        return None
    if value.unit not in units:
        known = _ALIASES.get(value.unit, "")
        known = known if known in units else suggest(value.unit, units)
        everywhere = {**DURATIONS, **SIZES, **RATES, **COUNTS, "%": 1, "dB": 1, "usd": 1}
        what = "is no unit of time" if setting.type == "duration" else f"is not the unit of {_WHAT[setting.type]}"
        message = f"`{value.unit}` {what if value.unit in everywhere else 'is not a unit'}"
        hint = f"did you mean `{value.number}{known}`?" if known else f"{_WHAT[setting.type]} ends in {listed(units)}"
        fix = Fix(value.span, value.number + known) if known else None
        sink.add("E0304", message, value.span, label=f"`{setting.name}` is {_WHAT[setting.type]}", help=hint, fix=fix)
        return None
    exact = Decimal(value.number) * units[value.unit]
    if exact != exact.to_integral_value():
        sink.add("E0306", f"{describe(value)} is finer than `{setting.name}` can be", value.span)
        return None
    return int(exact)


def _likely_unit(setting: Setting, number: Decimal) -> str:
    if setting.type == "duration":
        return "s" if number < 20 else "ms"
    if setting.type == "rate":
        return "kHz" if number < 1000 else "Hz"
    return {"bytes": "kB", "percent": "%"}[setting.type]


def _number(setting: Setting, value: ast.Value, sink: Sink) -> int | float | None:
    if not isinstance(value, ast.Number):
        _wrong(setting, value, sink)
        return None
    exact = Decimal(value.number)
    whole = exact == exact.to_integral_value()
    if setting.type == "count" and not whole:
        _wrong(setting, value, sink)
        return None
    return int(exact) if setting.type == "count" else float(exact)


def _symbol(setting: Setting, value: ast.Value, sink: Sink) -> str | None:
    if not isinstance(value, ast.Ref):
        _wrong(setting, value, sink)
        return None
    if value.text not in setting.choices:
        nearest = suggest(value.text, setting.choices)
        help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(setting.choices)}"
        fix = Fix(value.span, nearest) if nearest else None
        sink.add("E0307", f"`{setting.name}` cannot be `{value.text}`", value.span, help=help, fix=fix)
        return None
    return value.text


def _text(setting: Setting, value: ast.Value, sink: Sink) -> SettingValue | None:
    """Texts, files and secrets."""
    if isinstance(value, ast.Call) and value.name.text == "secret" and setting.type in ("secret", "text"):
        return secret(value, sink)
    if isinstance(value, ast.Call) and value.name.text == "file" and (setting.type == "file" or setting.or_file):
        return file(value, sink)
    if isinstance(value, ast.Text) and setting.type in ("text", "file"):
        if "${" in value.text:
            help = "write the text without `${…}`"
            sink.add("E0906", "variables inside texts are not supported yet by this compiler", value.span, help=help)
            return None
        return FileRef(file=value.text) if setting.type == "file" else value.text
    _wrong(setting, value, sink)
    return None


def secret(call: ast.Call, sink: Sink) -> SecretRef | None:
    """`secret("env://NAME")`."""
    argument = call.args[0] if len(call.args) == 1 else None
    if isinstance(argument, ast.Text) and re.fullmatch(r"env://[A-Za-z_]\w*", argument.text):
        return SecretRef(secret=argument.text)
    if isinstance(argument, ast.Text) and "://" in argument.text and not argument.text.startswith("env://"):
        scheme = argument.text.split("://")[0]
        message = f"secrets from `{scheme}://` are not supported yet by this compiler"
        sink.add("E0906", message, argument.span, help='use `secret("env://NAME")`')
        return None
    sink.add("E0309", "malformed reference to a secret", call.span, help='write `secret("env://NAME")`')
    return None


def file(call: ast.Call, sink: Sink) -> FileRef | None:
    """`file("path")`."""
    argument = call.args[0] if len(call.args) == 1 else None
    if isinstance(argument, ast.Text) and argument.text:
        return FileRef(file=argument.text)
    sink.add("E0309", "malformed reference to a file", call.span, help='write `file("path/to/file")`')
    return None

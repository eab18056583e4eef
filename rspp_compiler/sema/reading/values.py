"""Values as written, read by the type their setting declares: durations to nanoseconds, sizes to bytes.

Whatever is no good is reported with a fix, at worst that the setting goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.diagnostics.nearest import nearest as suggest
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.spec import SettingValue
from rspp_compiler.sema.language.catalog import Setting
from rspp_compiler.sema.language.units import (
    ALIASES,
    COUNTS,
    DURATIONS,
    EVERY_UNIT,
    RATES,
    SIZES,
    UNITS,
    WHAT,
    likely_unit,
    show,
    show_ns,
)
from rspp_compiler.sema.reading import texts
from rspp_compiler.source import Span

__all__ = ["COUNTS", "DURATIONS", "RATES", "SIZES", "UNITS", "listed", "read", "show", "show_ns", "suggest"]

_NOUNS = {
    "count": "a whole number",
    "number": "a number",
    "file": "a file",
    "secret": "a secret",
    "flag": "no value: it is a flag",
    "name": "a name",
    "names": "a list of names",
    "texts": "a list of texts",
}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?) ?([A-Za-z]+|%)")


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = [f"`{word}`" for word in words] or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last


def one_of(words: Iterable[str]) -> str:
    """`a, b or c`."""
    return " or ".join(listed(words).rsplit(" and ", 1))


def read(setting: Setting, value: ast.Value | None, at: Span, ctx: Context) -> SettingValue | None:
    """The value in base units; None when it was no good, which has then been reported.

    `at` is what goes when nothing better can be offered: the whole setting.
    """
    if texts.looks_secret(setting.name, value):
        assert value is not None
        texts.report_secret(setting.name, value, ctx)
        return None
    if setting.type == "flag":
        return _flag(setting, value, at, ctx)
    if value is None:
        help = f"write `{setting.name} = {example(setting)}`"
        fix = guess(Fix(at, f"{setting.name} = {example(setting)}"))
        ctx.sink.add("E0305", f"`{setting.name}` needs a value", at, help=help, fix=fix)
        return None
    if setting.type in UNITS:
        return _quantity(setting, value, at, ctx)
    if setting.type in ("count", "number"):
        return _number(setting, value, at, ctx)
    if setting.type in ("names", "symbols", "texts"):
        return _list(setting, value, at, ctx)
    if setting.type == "name":
        return _name(setting, value, at, ctx)
    if setting.type == "symbol":
        return _symbol(setting, value, at, ctx)
    read = texts.read(setting, value, at, ctx)
    if read is None:
        wrong(setting, value, at, ctx)
    return None if read is texts.REPORTED else read


def wrong(setting: Setting, value: ast.Value, at: Span, ctx: Context) -> None:
    """Reports a value of another type than the setting's."""
    symbols = "one of " + listed(setting.choices) if setting.choices else ""
    wanted = WHAT.get(setting.type) or symbols or _NOUNS.get(setting.type, "a text")
    message = f"`{setting.name}` takes {wanted}, not {describe(value)}"
    meant = _meant(setting, value, ctx)
    help, replacement = (f"did you mean `{meant}`?", meant) if meant else (f"write `{_advice(setting)}`", "")
    if isinstance(value, ast.Call) and value.name.text == "tunable":
        help = f"what may be tuned is named beside it: `{setting.name} = …, tunable = [{setting.name}]`"
    if not meant and setting.type not in ("file", "secret"):
        replacement = example(setting) if setting.type not in ("name", "names") else ""
    fix = Fix(value.span, replacement) if replacement else remove(ctx.source(at), at)
    fix = fix if meant else guess(fix)
    ctx.sink.add("E0305", message, value.span, help=help, fix=fix)


def _advice(setting: Setting) -> str:
    return setting.name if setting.type == "flag" else f"{setting.name} = {example(setting)}"


def _meant(setting: Setting, value: ast.Value, ctx: Context) -> str:
    """The value without its quotes, or within quotes, where that makes it one that the setting takes."""
    if isinstance(value, ast.Text):
        return _joined(value.text) if _takes(setting, value.text) else ""
    if setting.or_file and isinstance(value, ast.Ref) and re.search(r"\.(md|txt|prompt)$", value.text):
        return f'file("{value.text}")'
    if setting.type in ("text", "texts") and isinstance(value, ast.Ref | ast.Number | ast.Quantity):
        return f'"{written(value.span, ctx)}"'
    if isinstance(value, ast.Call) and value.name.text in ("load", "read", "open", "include", "path", "text"):
        argument = value.args[0] if len(value.args) == 1 else None
        if (setting.or_file or setting.type == "file") and isinstance(argument, ast.Text):
            return f'file("{argument.text}")'
    if setting.type == "secret" and isinstance(value, ast.Ref):
        return f'secret("env://{value.text.replace(".", "_")}")'
    if setting.type == "secret" and isinstance(value, ast.Call) and len(value.args) == 1:  # `env("NAME")`
        (name,) = value.args
        if isinstance(name, ast.Text) and re.fullmatch(r"[A-Za-z_]\w*", name.text):
            return f'secret("env://{name.text}")'
    return ""


def _joined(text: str) -> str:
    """A quantity with its unit where it belongs; any other text as it is."""
    quantity = _QUANTITY.fullmatch(text)
    return f"{quantity[1]}{quantity[2]}" if quantity else text


def _takes(setting: Setting, text: str) -> bool:
    """Whether the setting takes what would stand there without the quotes."""
    quantity = _QUANTITY.fullmatch(text)
    if setting.type in UNITS:
        return quantity is not None and quantity[2] in UNITS[setting.type]
    if setting.type in ("count", "number"):
        return _NUMBER.fullmatch(text) is not None
    if setting.type == "flag":
        return text in ("true", "false")
    if setting.type in ("name", "names"):
        return re.fullmatch(r"[a-z][a-z0-9_]*", text) is not None
    return text in setting.choices


def written(span: Span, ctx: Context) -> str:
    """What stands at `span` in the source."""
    source = ctx.source(span)
    start = source.offset(span.line, span.column)
    return source.text[start : source.offset(span.end_line, span.end_column)]


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


def example(setting: Setting) -> str:
    """A value that the setting takes: an advice that is refused in its turn helps nobody."""
    usual = {"duration": 300_000_000, "bytes": 64_000, "count": 4, "number": 0.5, "money": 10_000}.get(setting.type, 0)
    if setting.min is not None and usual < setting.min:
        return show(setting, setting.min)
    if setting.max is not None and usual > setting.max:
        return show(setting, setting.max)
    texts = {"rate": "16kHz", "percent": "75%", "file": 'file("path")', "secret": 'secret("env://NAME")', "text": '"…"'}
    texts |= {"texts": '["…"]', "name": "NAME", "names": "[NAME]"}
    if setting.choices:
        return setting.choices[0]
    return texts.get(setting.type) or show(setting, usual)


# ---- numbers


def _quantity(setting: Setting, value: ast.Value, at: Span, ctx: Context) -> int | None:
    units, what = UNITS[setting.type], WHAT[setting.type]
    if isinstance(value, ast.Number):
        unit = likely_unit(setting.type, Decimal(value.number))
        message = f"`{setting.name} = {value.number}` has no unit"
        help = f"`{setting.name}` is {what}; did you mean `{value.number}{unit}`?"
        ctx.sink.add("E0303", message, value.span, help=help, fix=Fix(value.span, value.number + unit))
        return None
    if not isinstance(value, ast.Quantity):
        wrong(setting, value, at, ctx)
        return None
    if value.unit not in units:
        known = ALIASES.get(value.unit, "")
        known = known if known in units else suggest(value.unit, units)
        not_this = "is no unit of time" if setting.type == "duration" else f"is not the unit of {what}"
        is_unit = value.unit in EVERY_UNIT or value.unit in COUNTS
        message = f"`{value.unit}` {not_this if is_unit else 'is not a unit'}"
        help = f"did you mean `{value.number}{known}`?" if known else f"{what} ends in {one_of(units)}"
        fix = Fix(value.span, value.number + known) if known else guess(Fix(value.span, example(setting)))
        ctx.sink.add("E0304", message, value.span, label=f"`{setting.name}` is {what}", help=help, fix=fix)
        return None
    exact = Decimal(value.number) * units[value.unit]
    if exact != exact.to_integral_value():
        nearest = show(setting, max(int(exact.to_integral_value("ROUND_CEILING")), setting.min or 0))
        if nearest.endswith("ns"):  # finer than the language can say
            nearest = "1us"
        help, fix = f"write `{setting.name} = {nearest}`", Fix(value.span, nearest)
        message = f"{describe(value)} is finer than `{setting.name}` can be"
        ctx.sink.add("E0306", message, value.span, help=help, fix=fix)
        return None
    return int(exact)


def _number(setting: Setting, value: ast.Value, at: Span, ctx: Context) -> int | float | None:
    if isinstance(value, ast.Quantity) and value.unit in COUNTS and setting.type == "count":
        if value.unit == setting.noun:
            return int(value.number)
        right = f"{value.number} {setting.noun}" if setting.noun else value.number
        what = f"`{setting.name}` counts {setting.noun}" if setting.noun else f"`{setting.name}` is a bare number"
        help, fix = f"did you mean `{right}`?", Fix(value.span, right)
        message = f"`{setting.name}` does not count {value.unit}"
        ctx.sink.add("E0304", message, value.span, label=what, help=help, fix=fix)
        return None
    if not isinstance(value, ast.Number):
        wrong(setting, value, at, ctx)
        return None
    exact = Decimal(value.number)
    if setting.type == "number":
        return float(exact)
    if exact != exact.to_integral_value():
        wrong(setting, value, at, ctx)
        return None
    return int(exact)


def _flag(setting: Setting, value: ast.Value | None, at: Span, ctx: Context) -> bool | None:
    if value is None:
        return True
    if isinstance(value, ast.Ref) and value.text in ("true", "false"):
        return value.text == "true"
    message = f"`{setting.name}` is a flag, and takes no value but `true` and `false`"
    wants = "false" if isinstance(value, ast.Ref | ast.Text) and _says_no(value.text) else "true"
    help = f"write `{setting.name}` alone" if wants == "true" else f"write `{setting.name} = false`"
    ctx.sink.add("E0305", message, value.span, help=help, fix=Fix(value.span, wants))
    return None


def _says_no(text: str) -> bool:
    return text.lower() in ("no", "off", "false", "never", "none")


# ---- words and lists


def _symbol(setting: Setting, value: ast.Value, at: Span, ctx: Context) -> str | None:
    if not isinstance(value, ast.Ref):
        wrong(setting, value, at, ctx)
        return None
    if value.text not in setting.choices:
        nearest = suggest(value.text, setting.choices)
        help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(setting.choices)}"
        fix = Fix(value.span, nearest) if nearest else remove(ctx.source(at), at)
        ctx.sink.add("E0307", f"`{setting.name}` cannot be `{value.text}`", value.span, help=help, fix=fix)
        return None
    return value.text


def _name(setting: Setting, value: ast.Value, at: Span, ctx: Context) -> str | None:
    if isinstance(value, ast.Ref):
        return value.text
    wrong(setting, value, at, ctx)
    return None


def _list(setting: Setting, value: ast.Value, at: Span, ctx: Context) -> tuple[str, ...] | None:
    """A list, or a single one: `[book, refund]`, `PII`. One that stands there twice is reported."""
    of_item = {"names": "name", "symbols": "symbol", "texts": "text"}[setting.type]
    item = Setting(setting.name, of_item, choices=setting.choices)  # type: ignore[arg-type]
    parts = value.items if isinstance(value, ast.List) else (value,)
    found: dict[str, Span] = {}
    good = True
    for part in parts:
        text = read(item, part, part.span if len(parts) > 1 else at, ctx)
        if not isinstance(text, str):
            good = False
        elif (first := found.setdefault(text, part.span)) is not part.span:
            message = f"`{text}` stands in `{setting.name}` twice"
            fix = remove(ctx.source(part.span), part.span)
            secondary, help = [(first, "the first")], "remove the second"
            ctx.sink.add("E0302", message, part.span, secondary=secondary, help=help, fix=fix)
    return tuple(found) if good else None

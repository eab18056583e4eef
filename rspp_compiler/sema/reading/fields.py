"""A block of settings, read by its table: what the user wrote, each with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.language.catalog import Setting, Table
from rspp_compiler.sema.language.units import UNITS
from rspp_compiler.sema.reading.texts import looks_secret, report_secret
from rspp_compiler.sema.reading.values import describe, listed, read


def latest(settings: Iterable[ast.Setting]) -> dict[str, ast.Setting]:
    """Settings by key. Those of outer arrows and of layers come later, and override."""
    return {setting.key.text: setting for setting in settings}


def read_fields(settings: Iterable[ast.Setting], table: Table, ctx: Context) -> dict[str, Valued]:
    """The user's values by field name; keys of `table.blocks` are left to the caller.

    What cannot be read is reported and left to its default.
    """
    fields: dict[str, Valued] = {}
    by_name = table.by_name
    for key, written in latest(settings).items():
        if (setting := by_name.get(key)) is not None:
            if (value := read_one(setting, written, ctx)) is not None:
                fields[setting.field] = value
        elif key not in table.blocks:
            unknown_key(written, table.of, table.names, ctx)
    return fields


def read_one(setting: Setting, written: ast.Setting, ctx: Context) -> Valued | None:
    """The value of one setting; None when it was no good, which has then been reported."""
    value = read(setting, written.value, written.span, ctx)
    at = written.value.span if written.value else written.key.span
    return None if value is None else Valued(value, Origin.user(at))


def read_block(written: ast.Setting, table: Table, ctx: Context) -> dict[str, Valued]:
    """The values of a setting that is a block: `timeout = { first_chunk = 700ms }`; empty when it is none."""
    block = block_of(written, table, ctx)
    return read_fields(block, table, ctx) if block is not None else {}


def block_of(written: ast.Setting, table: Table, ctx: Context) -> tuple[ast.Setting, ...] | None:
    """The settings of a block; None when the value is none, which has then been reported."""
    if isinstance(written.value, ast.Settings):
        return written.value.items
    key, first = written.key.text, table.settings[0]
    if isinstance(written.value, ast.Quantity) and (meant := _fits(written.value, table)):
        text = f"{key} = {{ {meant.name} = {written.value.number}{written.value.unit} }}"
    elif isinstance(written.value, ast.Number) and first.type == "count":
        text = f"{key} = {{ {first.name} = {written.value.number} }}"
    elif isinstance(written.value, ast.Ref) and (takes := _chooses(written.value.text, table)):
        text = f"{key} = {{ {takes.name} = {written.value.text} }}"
    else:
        text = f"{key} = {{ {first.name} = … }}"
    at = written.value.span if written.value else written.span
    what = f", not {describe(written.value)}" if written.value else ""
    fix = Fix(written.span, text) if "…" not in text else guess(remove(ctx.source(written.span), written.span))
    ctx.sink.add("E0305", f"`{key}` takes a block{what}", at, help=f"write `{text}`", fix=fix)
    return None


def _chooses(word: str, table: Table) -> Setting | None:
    """The first setting of the table that has the word among its choices."""
    return next((one for one in table.settings if word in one.choices), None)


def _fits(quantity: ast.Quantity, table: Table) -> Setting | None:
    """The first setting of the table that takes such a unit."""
    fitting = (one for one in table.settings if quantity.unit in UNITS.get(one.type, {}))
    return next(fitting, None)


def unknown_key(written: ast.Setting, of: str, known: Sequence[str], ctx: Context) -> None:
    """Reports a key that `of` does not have: misspelt, at home elsewhere, or unheard of."""
    from rspp_compiler.sema.reading.elsewhere import meant

    key = written.key.text
    if looks_secret(key, written.value) and written.value:
        report_secret(key, written.value, ctx)
    word, help = meant(key, of, known)
    fix = Fix(written.key.span, word) if word else guess(remove(ctx.source(written.span), written.span))
    notes = (f"{of} knows {listed(known)}",) if known else (f"{of} has no settings",)
    ctx.sink.add("E0301", f"{of} has no setting `{key}`", written.key.span, notes=notes, help=help, fix=fix)


def guessed(settings: Iterable[ast.Setting], of: str) -> Table:
    """A table for settings that only their owner knows: each has the type that its value looks like."""
    return Table(of, tuple(_guess(setting.key.text, setting.value) for setting in settings))


def _guess(key: str, value: ast.Value | None) -> Setting:
    match value:
        case None:
            return Setting(key, "flag")
        case ast.Quantity(unit=unit):
            return Setting(key, next((kind for kind, units in UNITS.items() if unit in units), "count"), noun=unit)
        case ast.Number():
            return Setting(key, "number")
        case ast.Call(name=name):
            return Setting(key, "secret" if name.text == "secret" else "file")
        case ast.Ref(text="true" | "false"):
            return Setting(key, "flag")
        case ast.Ref(text=text):
            return Setting(key, "symbol", choices=(text,))
        case ast.List():
            return Setting(key, "texts")
        case _:
            return Setting(key, "text")


def with_defaults(fields: Mapping[str, Valued], table: Table, defaults: Mapping[str, Valued]) -> dict[str, Valued]:
    """The fields, completed from a section of the profile, which goes by the settings' names."""
    found = dict(fields)
    for name, setting in table.by_name.items():
        if setting.field not in found and name in defaults:
            found[setting.field] = defaults[name]
    return found

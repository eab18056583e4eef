"""A block of settings, read by its table: what the user wrote, each with its origin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Valued
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.catalog import Setting
from rspp_compiler.sema.values import UNITS, listed, looks_secret, read, suggest


def distinct(settings: Iterable[ast.Setting], sink: Sink) -> dict[str, ast.Setting]:
    """Settings by key; the second of a pair is reported and left out."""
    found: dict[str, ast.Setting] = {}
    for setting in settings:
        first = found.setdefault(setting.key.text, setting)
        if first is not setting:
            message = f"`{setting.key.text}` is given twice"
            sink.add("E0302", message, setting.key.span, secondary=[(first.key.span, "first given here")])
    return found


def unknown_key(
    setting: ast.Setting, of: str, known: Sequence[str], later: Iterable[str], sink: Sink, elsewhere: str = ""
) -> None:
    """Reports a key that `of` does not have: not yet, misspelt, or unheard of.

    `elsewhere` is the help for one that is not misspelt.
    """
    key = setting.key.text
    head = setting.key.refs[0].parts[0].text
    if head in later or "." in key or len(setting.key.refs) > 1:
        what = f"setting `{key}` of {of}" if head in later else f"dotted key `{key}`"
        message = f"{what} is not supported yet by this compiler"
        sink.add("E0904", message, setting.key.span, help="leave it out")
        return
    if looks_secret(key, setting.value) and setting.value:
        name = key.upper()
        help = f'write `secret("env://{name}")` and set {name} where the pipeline runs'
        sink.add("E0308", f"`{key}` holds a secret in plain text", setting.value.span, help=help)
    nearest = suggest(key, known)
    help = f"did you mean `{nearest}`?" if nearest else elsewhere
    fix = Fix(setting.key.span, nearest) if nearest else None
    notes = (f"{of} knows {listed(known)}",) if known else (f"{of} has no settings",)
    sink.add("E0301", f"{of} has no setting `{key}`", setting.key.span, notes=notes, help=help, fix=fix)


def read_fields(
    settings: Iterable[ast.Setting],
    table: Sequence[Setting],
    of: str,
    later: Iterable[str],
    sink: Sink,
    elsewhere: Callable[[str], str] = lambda _key: "",
) -> dict[str, Valued]:
    """The user's values by field name. What cannot be read is reported and left to its default.

    `elsewhere` is the help for a key that another block has.
    """
    by_name = {setting.name: setting for setting in table}
    fields: dict[str, Valued] = {}
    for key, written in distinct(settings, sink).items():
        if (setting := by_name.get(key)) is None:
            unknown_key(written, of, list(by_name), later, sink, elsewhere(key))
            continue
        value = read(setting, written.value, written.key.span, sink)
        if value is not None:
            at = written.value.span if written.value else written.key.span
            fields[setting.field] = Valued(value, Origin.user(at))
    return fields


def guessed(settings: Iterable[ast.Setting]) -> tuple[Setting, ...]:
    """A table for settings that only their owner knows: each has the type that its value looks like."""
    return tuple(_guess(setting.key.text, setting.value) for setting in settings)


def _guess(key: str, value: ast.Value | None) -> Setting:
    if value is None:
        return Setting(key, "flag")
    if isinstance(value, ast.Quantity):
        return Setting(key, next((kind for kind, units in UNITS.items() if value.unit in units), "count"))
    if isinstance(value, ast.Number):
        return Setting(key, "number")
    if isinstance(value, ast.Call):
        return Setting(key, "secret" if value.name.text == "secret" else "file")
    if isinstance(value, ast.Ref):
        return Setting(key, "symbol", choices=(value.text,))
    return Setting(key, "text")

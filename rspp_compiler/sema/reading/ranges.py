"""Ranges of values, files that must be there, and what the parts of a spec are made from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir.bound import Fields, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import FileRef
from rspp_compiler.sema.language.catalog import Setting, Table
from rspp_compiler.sema.language.units import show
from rspp_compiler.sema.reading.values import suggest, written
from rspp_compiler.source import Span
from rspp_compiler.source.files import files_in, is_file


class Ranges:
    """Checks single values. What is out of range is reported, with the nearest value that is not."""

    def __init__(self, folder: Path, ctx: Context) -> None:
        self._folder = folder
        self._ctx = ctx

    def checked(self, fields: Fields, table: Table) -> dict[str, Valued]:
        """The fields that are within their ranges, and the files that are there."""
        kept: dict[str, Valued] = {}
        for field, value in fields.items():
            setting = table.by_field.get(field)
            if (setting is None or self.good(setting, value)) and self.exists(value):
                kept[field] = value
        return kept

    def clamped(self, fields: Fields, table: Table, renamed: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The values, each within its range: checking goes on behind one that was reported.

        `renamed` gives the spec's name for a field of the table that has another one there.
        """
        names = {new: old for old, new in (renamed or {}).items()}
        values: dict[str, Any] = {}
        for field, valued in fields.items():
            setting = table.by_field.get(names.get(field, field))
            values[field] = self.clamp(setting, valued) if setting else valued.value
        return values

    def clamp(self, setting: Setting, valued: Valued) -> Any:
        """The value, or the nearest one that the setting can have; then it is reported."""
        value = valued.value
        if self.good(setting, valued):
            return value
        nearest = _nearest(setting, value)  # type: ignore[arg-type]
        return int(nearest) if isinstance(value, int) else nearest

    def good(self, setting: Setting, valued: Valued) -> bool:
        """Whether a number lies in its range; what is no number always does."""
        value = valued.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        low, high = setting.min, setting.max
        if (low is None or value >= low) and (high is None or value <= high):
            return True
        least = show(setting, low or 0)
        bounds = f"{least} to {show(setting, high)}" if high is not None else f"at least {least}"
        message = f"`{setting.name} = {show(setting, value)}` is out of range"
        meant = show(setting, _nearest(setting, value))
        at = valued.origin.span
        help, fix = f"write `{setting.name} = {meant}`", Fix(at, meant)
        self._ctx.sink.add("E0306", message, at, label=f"allowed: {bounds}", help=help, fix=fix)
        return False

    def exists(self, valued: Valued) -> bool:
        """Files are looked for beside the pipeline; what they hold is read when the package is laid out."""
        if not isinstance(valued.value, FileRef) or valued.origin.kind == "derived":
            return True
        path = valued.value.file
        if not Path(path).is_absolute() and is_file(self._folder / path):
            return True
        near = self._near(path)
        at = valued.origin.span
        quoted = written(at, self._ctx)
        help = f"did you mean `{near}`?" if near else "the path is relative to the folder of the pipeline's file"
        fix = Fix(at, quoted.replace(path, near)) if near else remove(self._ctx.source(at), self._whole(at))
        message = f"`{path}` is not relative" if Path(path).is_absolute() else f"no file `{path}`"
        self._ctx.sink.add("E0309", message, at, help=help, fix=fix)
        return False

    def _near(self, path: str) -> str:
        """A file beside the one that is not there, of nearly the same name."""
        relative = Path(path)
        folder = self._folder / relative.parent
        if relative.is_absolute() or ".." in relative.parts:
            return ""
        name = suggest(relative.name, files_in(folder)[:1000])
        return (relative.parent / name).as_posix() if name else ""

    def _whole(self, at: Span) -> Span:
        """The span of the whole setting: its key stands before the value, on the same line."""
        source = self._ctx.source(at)
        start, end = source.offset(at.line, at.column), source.offset(at.end_line, at.end_column)
        if source.text[start - 1 : start] in ('"', "'"):  # a layer quotes values
            start, end = start - 1, end + 1
        setting = re.search(r"[\w.]+\s*=\s*$", source.text[:start])
        return source.span(setting.start() if setting else start, end)


def _nearest(setting: Setting, value: float) -> float:
    if setting.min is not None and value < setting.min:
        return setting.min
    return setting.max if setting.max is not None and value > setting.max else value


def values(fields: Mapping[str, Valued]) -> dict[str, Any]:
    return {field: valued.value for field, valued in fields.items()}


def origins(fields: Mapping[str, Valued], prefix: str = "") -> dict[str, Origin]:
    return {prefix + field: valued.origin for field, valued in fields.items()}

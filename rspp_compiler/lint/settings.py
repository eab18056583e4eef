"""Which rules a project wants: `[lint]` of the nearest `rspp.toml`, or `[tool.rsppc.lint]` of a `pyproject.toml`.

select = ["W"]               # codes, or how they begin; all of them unless something is said
ignore = ["W01", "W0302"]    # the longer of two that fit decides
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.catalog import WARNINGS
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source, Span

_TABLES = {"rspp.toml": ("lint",), "pyproject.toml": ("tool", "rsppc", "lint")}
_KEYS = ("select", "ignore")
_AT = re.compile(r" *\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Settings:
    """Prefixes of codes."""

    select: tuple[str, ...] = ("E", "W")
    ignore: tuple[str, ...] = ()

    def wants(self, code: str) -> bool:
        """Whether findings of that code are shown: the longest prefix of it decides, and `ignore` wins a tie."""
        selected, ignored = (_longest(code, prefixes) for prefixes in (self.select, self.ignore))
        return selected > ignored


def _longest(code: str, prefixes: tuple[str, ...]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)


def settings(file: str, ctx: Context) -> Settings:
    """The settings for a pipeline's file. Reports E0191 for what cannot be read, E0192 for codes that do not exist."""
    for folder in Path(file).absolute().parents:
        for name, table in _TABLES.items():
            path = folder / name
            if path.is_file() and (found := _read(path, table, ctx)) is not None:
                return found
    return Settings()


def _read(path: Path, table: tuple[str, ...], ctx: Context) -> Settings | None:
    """What one file says; None if it does not speak of lint."""
    name = (path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path).as_posix()
    try:
        source = Source(name, path.read_text(encoding="utf-8"))
        value: Any = tomllib.loads(source.text)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        ctx.sink.add("E0191", f"cannot read {name}: {why}", Span(name, 0, 0, 1, 1, 1, 1))
        return Settings()
    except tomllib.TOMLDecodeError as error:
        ctx.sources[name] = source
        at = _AT.search(str(error))
        offset = source.offset(int(at[1]), int(at[2])) if at and at[1] else len(source.text.rstrip())
        message = _AT.sub("", str(error))
        ctx.sink.add("E0191", f"{name} is no TOML: {message[:1].lower()}{message[1:]}", source.span(offset, offset + 1))
        return Settings()
    for key in table:
        value = value.get(key) if isinstance(value, dict) else None
    if value is None:
        return None
    ctx.sources[name] = source
    return _checked(value, ".".join(table), source, ctx)


def _checked(value: Any, table: str, source: Source, ctx: Context) -> Settings:
    if not isinstance(value, dict):
        ctx.sink.add(
            "E0191", f"`{table}` is a table", _place(source, table.rpartition(".")[2]), help=f"write `[{table}]`"
        )
        return Settings()
    prefixes: dict[str, tuple[str, ...]] = {}
    for key, written in value.items():
        at = _place(source, key)
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            help = f"did you mean `{near}`?" if near else "there are `select` and `ignore`"
            fix = Fix(at, near) if near else None
            ctx.sink.add("E0191", f"`{table}` has no setting `{key}`", at, help=help, fix=fix)
        elif not isinstance(written, list) or not all(isinstance(one, str) for one in written):
            ctx.sink.add("E0191", f"`{key}` takes a list of codes", at, help=f'as in `{key} = ["W0301"]`')
        else:
            for one in written:
                _check(one, source, ctx)
            prefixes[key] = tuple(written)
    return Settings(**prefixes)


def _check(prefix: str, source: Source, ctx: Context) -> None:
    """E0192 for a prefix that the code of no warning begins with."""
    if prefix and any(code.startswith(prefix) for code in WARNINGS):
        return
    at = _place(source, prefix, quoted=True)
    near = nearest(prefix.upper(), WARNINGS)
    ctx.sink.add(
        "E0192",
        f"no warning has the code `{prefix}`",
        at,
        help=f"did you mean `{near}`?" if near else f"codes run from {min(WARNINGS)} to {max(WARNINGS)}",
        fix=Fix(at, near) if near else None,
    )


def _place(source: Source, word: str, *, quoted: bool = False) -> Span:
    """Where a key or a text stands in a file; its beginning, should it be written in a way that hides it."""
    pattern = rf"[\"']({re.escape(word)})[\"']" if quoted else rf"^[ \t]*[\[\"']?(?:[\w.]+\.)?({re.escape(word)})\b"
    found = re.search(pattern, source.text, re.MULTILINE)
    return source.span(*found.span(1)) if found else source.span(0, 0)

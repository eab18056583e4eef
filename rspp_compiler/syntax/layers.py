"""Layers of configuration: TOML files and `--set` texts, read to overrides with the place of each.

    [llm]
    temperature = 0.2

    ["ears -> stt"]
    latency = "60ms"

A value is written as the language writes it, as a text of TOML, or as a plain number, flag or list. What the keys name
is found out by `sema.override`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context, Layer, LayerName
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse

_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*")
_PARTS = re.compile(_PART)
_SET = re.compile(r"""((?:"[^"\\]*"|'[^']*'|[^="'])+)=(.*\S.*)""")  # its keys need no quotes: `ears -> stt.latency`
_SET_PARTS = re.compile(r""""[^"\\]*"|'[^']*'|[^."']+|(?<=\.)(?=\.|$)""")
_HEADER = re.compile(rf"[ \t]*\[{_KEY.pattern}\][ \t]*(?:#.*)?")
_SCALAR = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s#"'\[{][^\n#]*""")
_AT = re.compile(r" \(at (?:line (\d+)|end of document).*")
_BARE = re.compile(r"=[ \t]*([^\s\"'#\[{][^\"#]*?)[ \t]*(?:#.*)?$")  # a value without quotes
_BOM = b"\xef\xbb\xbf"
_HEAD = "tool x : x {\nv = "  # what a value is read behind, so that the parser sees a file


def read_layer(name: LayerName, path: Path, ctx: Context) -> Layer | None:
    """Reads a TOML file; None when it is no good, which has then been reported."""
    file = path.as_posix()
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "it is not UTF-8"
        at = Span(file, 0, 0, 1, 1, 1, 1)
        ctx.sink.add("E0101", f"cannot read {file}: {reason}", at, help="name a TOML file")
        return None
    source = Source(file, text, len(_BOM) if data.startswith(_BOM) else 0)
    ctx.sources[file] = source
    try:
        tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        _report(error, path, source, ctx)
        return None
    return Layer(name, source, tuple(_overrides(source)))


def _report(error: tomllib.TOMLDecodeError, path: Path, source: Source, ctx: Context) -> None:
    """E0315: where a file stops being TOML. A value of the language that lacks its quotes gets them."""
    line = _AT.search(str(error))
    last = max(source.position(len(source.text.rstrip()))[0], 1)
    number = min(int(line[1]) if line and line[1] else last, source.line_count)
    at, text = source.line_span(number), source.line(number)
    says = _AT.sub("", str(error)).strip(" ").lower()
    key, bare = _KEY.match(text), _BARE.search(text)
    if key and bare and text[key.end() : key.end() + 1] == "=":
        start = source.offset(number, 1)
        fix = Fix(source.span(start + bare.start(1), start + bare.end(1)), f'"{bare[1]}"')
        help = f"a value of the language stands in quotes: `{key[1]} = {fix.replacement}`"
    else:
        help, fix = "a line is `key = value`, and a value with a unit is a text", remove(source, at)
    ctx.sink.add("E0315", f"{path.name} is not TOML: {says}", at, help=help, fix=fix)


def read_set(texts: Sequence[str], ctx: Context) -> Layer | None:
    """Reads `--set llm.temperature=0.2`, one text each; a layer of the environment."""
    source = Source("--set", "\n".join(text.replace("\n", " ") for text in texts))
    ctx.sources[source.name] = source
    found = []
    for number in range(1, source.line_count + 1):
        line = source.line(number)
        start = source.offset(number, 1)
        written = _SET.fullmatch(line)
        path = _path(source, start, written[1], _SET_PARTS) if written else ()
        if written is None or not path or not all(name.text.strip() for name in path):
            at = source.line_span(number)
            message, help = f"`--set {line}` is not KEY=VALUE", "write `--set llm.temperature=0.2`"
            ctx.sink.add("E0315", message, at, help=help, fix=Fix(at, ""))
            continue
        value, text = _value(source, start + written.start(2), start + len(line), written[2])
        found.append(ast.Override(path, value, text, source.span(start, start + len(line))))
    return Layer("environment", source, tuple(found)) if found else None


# ---- statements


def _overrides(source: Source) -> Iterator[ast.Override]:
    """Every value of a file that is TOML, in its order."""
    section: tuple[ast.Name, ...] = ()
    number = 1
    while number <= source.line_count:
        start, line = source.offset(number, 1), source.line(number)
        number += 1
        if header := _HEADER.fullmatch(line):
            section = _path(source, start + header.start(1), header[1])
            continue
        key = _KEY.match(line)
        if key is None or line[key.end() : key.end() + 1] != "=":
            continue  # blank, or a comment
        whole = line
        while not _is_complete(whole):
            whole += "\n" + source.line(number)
            number += 1
        path = (*section, *_path(source, start + key.start(1), key[1]))
        written = tomllib.loads(f"v = {whole[key.end() + 1 :]}")["v"]
        end = source.offset(number - 1, 1) + len(source.line(number - 1))
        span = source.span(start + key.start(1), end)
        yield from _leaves(source, path, written, start + key.end() + 1, end, span)


def _is_complete(statement: str) -> bool:
    """Whether a statement is whole; a list or a long text goes on over lines."""
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _path(source: Source, start: int, written: str, parts_of: re.Pattern[str] = _PARTS) -> tuple[ast.Name, ...]:
    """The names of a dotted key."""
    parts = []
    for part in parts_of.finditer(written):
        name = tomllib.loads(f"v = {part[0]}")["v"] if part[0].startswith(('"', "'")) else part[0].strip()
        parts.append(ast.Name(name, source.span(start + part.start(), start + part.end())))
    return tuple(parts)


def _leaves(
    source: Source, path: tuple[ast.Name, ...], written: Any, start: int, end: int, span: Span
) -> Iterator[ast.Override]:
    """A table within the line is a block: each of its values is one of its own."""
    if isinstance(written, dict):
        for key, value in written.items():
            yield from _leaves(source, (*path, ast.Name(key, path[-1].span)), value, start, end, span)
        return
    yield ast.Override(path, *_value(source, start, end, written), span)


# ---- values


def _value(source: Source, start: int, end: int, written: Any) -> tuple[ast.Value, ast.Value]:
    """A value between two offsets, as the language writes it and as a text."""
    scalar = _SCALAR.match(source.text, start + _blanks(source.text, start), end)
    whole = source.span(start, end)
    if scalar:
        whole = source.span(scalar.start(), start + len(source.text[start : scalar.end()].rstrip()))
    match written:
        case bool():
            value: ast.Value = ast.Ref((ast.Name("true" if written else "false", whole),), whole)
            return value, value
        case int() | float():
            value = ast.Number(
                f"{written:f}".rstrip("0").rstrip(".") if isinstance(written, float) else str(written), whole
            )
            return value, value
        case list():
            pairs = [_value(source, start, end, item) for item in written]
            return ast.List(tuple(one for one, _ in pairs), whole), ast.List(tuple(text for _, text in pairs), whole)
        case str():
            at = _bare(source, written, whole)
            text = ast.Text(written, at or whole)
            value = _read(source, written, at, whole) or text
            return value, value if isinstance(value, ast.Text) else text
        case _:
            text = ast.Text(str(written), whole)
            return text, text


def _blanks(text: str, start: int) -> int:
    return len(text[start:]) - len(text[start:].lstrip(" \t"))


def _bare(source: Source, written: str, whole: Span) -> Span | None:
    """The span of a text without its quotes; None where escapes or line ends make it look otherwise there."""
    start = source.offset(whole.line, whole.column)
    literal = source.text[start : source.offset(whole.end_line, whole.end_column)]
    for quotes in (0, 1, 3):
        if literal[quotes : len(literal) - quotes] == written:
            return source.span(start + quotes, start + len(literal) - quotes)
    return None


def _read(source: Source, written: str, at: Span | None, whole: Span) -> ast.Value | None:
    """The value that `written` is in the language; None when it is none."""
    base = source.offset(at.line, at.column) if at else None
    inner = _Inner("layer", f"{_HEAD}{written}\n}}\n", source, base, whole)
    scratch = Context()
    parsed = parse((inner,), scratch)
    program = lower(parsed, scratch) if parsed and not scratch.sink.has_errors else None
    match program:
        case ast.Program(files=(ast.File(items=(ast.Tool(settings=ast.Settings(items=(setting,))),)),)):
            return setting.value
    return None


class _Inner(Source):
    """The text of one value, whose places are those in the layer: exact where its text stands there as it is."""

    __slots__ = ("_base", "_outer", "_whole")

    def __init__(self, name: str, text: str, outer: Source, base: int | None, whole: Span) -> None:
        super().__init__(name, text)
        object.__setattr__(self, "_outer", outer)
        object.__setattr__(self, "_base", base)
        object.__setattr__(self, "_whole", whole)

    def span(self, start: int, end: int) -> Span:
        base: int | None = getattr(self, "_base", None)
        if base is None:
            whole: Span = self._whole  # type: ignore[attr-defined]
            return whole
        outer: Source = self._outer  # type: ignore[attr-defined]
        return outer.span(base + start - len(_HEAD), base + end - len(_HEAD))

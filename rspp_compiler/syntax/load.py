"""load: paths → sources. Text, line index, encoding checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source, Span

_SIZE_BYTES_MAX = 4 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def load(paths: Sequence[Path], ctx: Context) -> tuple[Source, ...] | None:
    """Reads every path, or what `ctx.overlays` holds in its place; None when none of them gave a text.

    `pipeline hello {…}` in `hello.rspp` becomes `Source("hello.rspp", "pipeline hello {…}")`.
    """
    sources = [source for path in paths if (source := _read(path, ctx)) is not None]
    ctx.sources.update((source.name, source) for source in sources)
    return tuple(sources) or None


def _read(path: Path, ctx: Context) -> Source | None:
    name = path.as_posix()
    start = Span(name, 0, 0, 1, 1, 1, 1)
    try:
        overlay = ctx.overlays.get(name)
        data = path.read_bytes() if overlay is None else overlay.encode("utf-8", "surrogatepass")
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else (error.strerror or str(error)).lower()
        ctx.sink.add("E0101", f"cannot read {name}: {reason}", start, help="name a file that ends in .rspp")
        return None

    if len(data) > _SIZE_BYTES_MAX:
        limit = f"{_SIZE_BYTES_MAX // 1024 // 1024} MB"
        ctx.sink.add("E0106", f"{name} has {len(data)} bytes; a pipeline file has at most {limit}", start)
        return None

    bom = len(_BOM) if data.startswith(_BOM) else 0
    try:
        text = data[bom:].decode("utf-8")
    except UnicodeDecodeError as error:
        readable = Source(name, data[bom : bom + error.start].decode("utf-8"), bom)
        ctx.sources[name] = readable
        at = readable.span(len(readable.text), len(readable.text))
        message = f"not UTF-8: byte 0x{data[bom + error.start]:02x} at offset {bom + error.start}"
        ctx.sink.add("E0102", message, at, help="save the file as UTF-8")
        return None

    source = Source(name, text, bom)
    if control := _CONTROL.search(text):
        ctx.sources[name] = source
        message = f"control character U+{ord(control[0]):04X} in the text"
        ctx.sink.add("E0103", message, source.span(*control.span()), help="remove it: it is invisible to a reader")
        return None
    if not re.sub(r"#[^\n]*", "", text).strip():
        ctx.sources[name] = source
        message, help = f"nothing in {path.name}", "`rsppc new NAME` writes a pipeline to start from"
        ctx.sink.add("E0104", message, source.span(0, 0), help=help)
        return None
    return source

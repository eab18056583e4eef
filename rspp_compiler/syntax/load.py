"""load: paths → sources. Text, line index, encoding checked."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from rspp_compiler.diagnostics import Edit, Fix
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.encoding import not_utf8

_SIZE_BYTES_MAX = 4 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_CONTROLS_MAX = 1000  # that one fix removes
_NAMES_MAX = 1000  # of files in a folder that are looked at
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def load(paths: Sequence[Path], ctx: Context) -> tuple[Source, ...] | None:
    """Reads every path, or what `ctx.overlays` holds in its place; None when none of them gave a text.

    `pipeline hello {…}` in `hello.rspp` becomes `Source("hello.rspp", "pipeline hello {…}")`.
    """
    sources = [source for path in paths for source in _read_whole(path, ctx)]
    ctx.sources.update((source.name, source) for source in sources)
    return tuple(sources) or None


def _read_whole(path: Path, ctx: Context) -> list[Source]:
    """A file; behind a bundle, the files that it names."""
    source = _read(path, ctx)
    if source is None:
        return []
    if not path.name.endswith(".bundle.json"):
        return [source]
    from rspp_compiler.syntax.json.bundle import parts

    return [source, *(part for beside in parts(source, ctx) if (part := _read(beside, ctx)))]


def _read(path: Path, ctx: Context) -> Source | None:
    name = path.as_posix()
    start = Span(name, 0, 0, 1, 1, 1, 1)
    try:
        overlay = ctx.overlays.get(name)
        data = _bytes(path) if overlay is None else overlay.encode("utf-8", "surrogatepass")
    except OSError as error:
        reason = "it is a folder" if isinstance(error, IsADirectoryError) else (error.strerror or str(error)).lower()
        ctx.sink.add("E0101", f"cannot read {name}: {reason}", start, help=_other_file(path, error))
        return None

    if len(data) > _SIZE_BYTES_MAX:
        limit = f"{_SIZE_BYTES_MAX // 1024 // 1024} MB"
        message = f"{name} has more than {limit}, the most that a pipeline file may have"
        help = 'move long texts into files, such as `system = file("prompt.md")`, and modules behind an import'
        ctx.sink.add("E0106", message, start, help=help)
        return None

    bom = len(_BOM) if data.startswith(_BOM) else 0
    try:
        text = data[bom:].decode("utf-8")
    except UnicodeDecodeError:
        ctx.sources[name], at, help, fix = not_utf8(name, data, bom)
        message = f"not UTF-8: byte 0x{data[at.start]:02x} at offset {at.start}"
        ctx.sink.add("E0102", message, at, help=help, fix=fix)
        return None

    source = Source(name, text, bom)
    if controls := list(islice(CONTROL.finditer(text), _CONTROLS_MAX)):
        ctx.sources[name] = source
        message = f"control character U+{ord(controls[0][0]):04X} in the text"
        first, *others = (source.span(*control.span()) for control in controls)
        fix = Fix(first, "", tuple(Edit(other, "") for other in others))
        ctx.sink.add("E0103", message, first, help="remove it: it is invisible to a reader", fix=fix)
        return None
    if not re.sub(r"#[^\n]*", "", text).strip():
        ctx.sources[name] = source
        help = "begin with a pipeline; `rsppc new NAME` writes a whole project"
        fix = Fix(source.span(len(text), len(text)), _beginning(path, text))
        ctx.sink.add("E0104", f"nothing in {path.name}", source.span(0, 0), help=help, fix=fix)
        return None
    return source


def _other_file(path: Path, error: OSError) -> str:
    """What to name in the place of what cannot be read: a file in it, or one beside it that is called nearly so."""
    is_folder = isinstance(error, IsADirectoryError)
    folder = path if is_folder else path.parent
    try:
        names = sorted(one.name for one in islice(folder.iterdir(), _NAMES_MAX) if one.suffix == ".rspp")
    except OSError:
        names = []
    if is_folder:
        meant = names[0] if names else ""
        return f"name a file in it, such as {(path / meant).as_posix()}" if meant else "name a file that ends in .rspp"
    meant = path.name + ".rspp" if path.name + ".rspp" in names else nearest(path.name, names)
    return f"did you mean {(path.parent / meant).as_posix()}?" if meant else "name a file that ends in .rspp"


def _bytes(path: Path) -> bytes:
    """The file, or enough of it to see that it is too large: a device has no end."""
    with path.open("rb") as file:
        return file.read(_SIZE_BYTES_MAX + 1)


def _beginning(path: Path, text: str) -> str:
    """The shortest pipeline, called like its file where that can be a name."""
    name = re.sub(r"\W+", "_", path.stem).strip("_").lower()
    name = name if re.fullmatch(r"[a-z][a-z0-9_]*", name) and not keyword.iskeyword(name) else "hello"
    if path.suffix == ".json":
        from rspp_compiler.syntax.json.read import beginning

        return beginning(name)
    line = "\n" if text and not text.endswith("\n") else ""
    return f"{line}pipeline {name} {{\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n}}\n"

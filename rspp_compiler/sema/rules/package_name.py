"""Rules about the pipeline's own name and version: they become those of a Python package."""

from __future__ import annotations

import re
import sys

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.statements import offsets
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.source import Span

# What every package imports; a package of that name would stand in its way.
_TAKEN = frozenset(
    {"rspp_runtime", "rspp_compiler", "setuptools", "cython", "pip", "wheel", "numpy", "msgpack", "rich"}
)
_PREVIEW = re.compile(r"(alpha|a|beta|b|rc|pre|preview)[.-]?([0-9]*)\Z")
_MARKS = {"alpha": "a", "a": "a", "beta": "b", "b": "b"}
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){1,3}((a|b|rc)\d+)?")


def is_taken(name: str) -> bool:
    """Whether a package of that name could not be imported, or would hide one that Python needs."""
    return name in sys.stdlib_module_names or name in _TAKEN


def importable(graph: Graph, ctx: Context) -> None:
    """E0416: a package of that name could not be imported, or would hide one that Python needs."""
    name = graph.spec.name
    if is_taken(name):
        at = _in_header(graph, name, ctx)
        ctx.sink.add(
            "E0416",
            f"`{name}` is already a Python package",
            at or graph.spec.span,
            label="the generated package would hide it",
            help=f"choose another name, such as `{name}_agent`",
            fix=Fix(at, f"{name}_agent") if at else None,
        )


def version_number(graph: Graph, ctx: Context) -> None:
    """E0418: the pipeline's version becomes that of a wheel, in its normal form."""
    version = graph.spec.version
    if not _VERSION.fullmatch(version):
        at, nearest = _in_header(graph, f'"{version}"', ctx), _nearest(version)
        ctx.sink.add(
            "E0418",
            f'"{version}" is not a version number',
            at or graph.spec.span,
            label="the generated package needs one",
            notes=("a version has two to four numbers, and may end in `a1`, `b1` or `rc1`",),
            help=f'write `version "{nearest}"`',
            fix=Fix(at, f'"{nearest}"') if at else None,
        )


def _nearest(version: str) -> str:
    """The version that may have been meant: its numbers, and what kind of preview it is."""
    preview = _PREVIEW.search(version.lower())
    base = version[: preview.start()] if preview else version.partition("+")[0]
    numbers = [str(int(number)) for number in re.findall(r"[0-9]+", base)][:4] or ["0", "1"]
    mark = f"{_MARKS.get(preview[1], 'rc')}{preview[2] or 1}" if preview else ""
    return ".".join(numbers if len(numbers) > 1 else [*numbers, "0"]) + mark


def _in_header(graph: Graph, words: str, ctx: Context) -> Span | None:
    """Where words stand in the pipeline's header; None where it is not written so."""
    source = ctx.source(graph.spec.span)
    start, end = offsets(source, graph.spec.span)
    at = source.text.find(words, start + len("pipeline"), source.text.find("{", start, end))
    return source.span(at, at + len(words)) if at >= 0 else None

"""The files that a pipeline names with `file("…")`: read once, bounded, and shipped inside the package."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.plan import Resource
from rspp_compiler.ir.spec import FileRef, PipelineSpec, SettingValue
from rspp_compiler.source import Span

FILE_BYTES_MAX = 16 * 1024 * 1024


def resources(spec: PipelineSpec, ctx: Context) -> tuple[Resource, ...]:
    """Every file named by a setting, once, sorted by path. Reports E0603 and E0604."""
    folder = Path(spec.span.file).parent
    found: dict[str, Resource] = {}
    for ref, span in _references(spec):
        if ref.file not in found:
            data = _read(folder, ref.file, span, ctx)
            if data is not None:
                found[ref.file] = Resource(ref.file, hashlib.sha256(data).hexdigest(), data)
    return tuple(found[path] for path in sorted(found))


def _references(spec: PipelineSpec) -> Iterator[tuple[FileRef, Span]]:
    for node in spec.nodes:
        yield from _in_settings(node.settings, {key: node.origin(f"settings.{key}").span for key in node.settings})
    for mode in spec.modes:
        for one in mode.overrides:
            yield from _in_settings({one.field: one.value}, {one.field: one.span})
    for provider in (*spec.providers, *(one for policy in spec.policies for one in policy.providers)):
        for use in provider.candidates:
            yield from _in_settings(use.settings, {key: use.origin(f"settings.{key}").span for key in use.settings})


def _in_settings(settings: dict[str, SettingValue], spans: dict[str, Span]) -> Iterator[tuple[FileRef, Span]]:
    for key, value in settings.items():
        if isinstance(value, FileRef):
            yield value, spans[key]


def _read(folder: Path, name: str, span: Span, ctx: Context) -> bytes | None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        ctx.sink.add(
            "E0603",
            f"`{name}` lies outside of the pipeline's folder",
            span,
            label="not below the folder of this file",
            help="copy the file next to the pipeline: the package can then carry it",
        )
        return None
    try:
        with (folder / path).open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        ctx.sink.add(
            "E0603",
            f"cannot read `{name}`: {error.strerror or 'not a file'}",
            span,
            label="named here",
            notes=["paths are relative to the folder of the pipeline's file"],
        )
        return None
    if len(data) > FILE_BYTES_MAX:
        ctx.sink.add(
            "E0604",
            f"`{name}` is larger than {FILE_BYTES_MAX // 1024 // 1024} MiB",
            span,
            label="named here",
            help="a package carries small files; let the provider fetch a large one by itself",
        )
        return None
    return data

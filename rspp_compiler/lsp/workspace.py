"""The editor's texts, read and compiled. What cannot be read falls back on what could be, last.

Two depths. A *reading* is a file and all that it imports, parsed and indexed: quick, and enough to find names. A
*compilation* runs the passes of `rsppc check`, and `rsppc lint`: findings, and the figures that hover shows.
"""

from __future__ import annotations

import os
import posixpath
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lsprotocol.types import PositionEncodingKind
from pygls.uris import from_fs_path

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.driver import PASSES, Result, lint_pipeline, pass_function
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.ir.symbols import Index
from rspp_compiler.lsp.positions import Text
from rspp_compiler.sema.index import index
from rspp_compiler.source import Source

LAST_PASS = "layout"  # as in `rsppc check`: behind it, files are written
_READING = tuple((package, name) for name, package, _ in PASSES[:3])  # load, parse, lower
_LARGE_CHARS = 20_000  # beyond this, a text is not read anew for each request while somebody types
_FILES_MAX = 2000  # of a workspace's folders
_SKIPPED = {"node_modules", "generated", "build", "dist", "__pycache__"}


@dataclass(frozen=True, slots=True)
class _File:
    """One file as read: its text, its AST (None when nothing of it can be read), and what the syntax found."""

    stamp: object
    text: Text
    file: ast.File | None
    lost: frozenset[str] = frozenset()
    found: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file and those it imports. `texts` are what the index's spans point into, by file.

    `path` is current when its text is the editor's, and not the last one that could be read. `unread` are the syntax
    errors of all its files: lines that they stand in may be missing from the index.
    """

    path: str
    index: Index
    texts: Mapping[str, Text]
    is_current: bool
    unread: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of compiling a document, and how long it took. `versions` are those of every open document then."""

    path: str
    result: Result
    versions: Mapping[str, int]
    seconds: float


@dataclass(slots=True)
class _Document:
    text: str
    version: int
    uri: str


@dataclass(slots=True)
class Workspace:
    """The open documents by path, over the files on disk.

    `encoding` is the client's, `folders` what it has opened; `versioned_edits` says whether it takes edits that name
    the version they are for, `snippets` whether completions may have places to fill in.
    """

    encoding: str = PositionEncodingKind.Utf16
    folders: list[str] = field(default_factory=list)
    versioned_edits: bool = True
    snippets: bool = True
    _documents: dict[str, _Document] = field(default_factory=dict)
    _files: dict[str, _File] = field(default_factory=dict)
    _good: dict[str, _File] = field(default_factory=dict)
    _readings: dict[str, tuple[tuple[object, ...], Reading]] = field(default_factory=dict)
    _results: dict[str, list[Result]] = field(default_factory=dict)

    # ---- documents

    def put(self, path: str, text: str, version: int, uri: str = "") -> None:
        """An editor's text; it stands in for the file until `close`."""
        self._documents[path] = _Document(text.removeprefix("\ufeff"), version, uri)

    def close(self, path: str) -> None:
        self._documents.pop(path, None)
        self._results.pop(path, None)

    @property
    def open_paths(self) -> tuple[str, ...]:
        return tuple(self._documents)

    def uri(self, path: str) -> str:
        """The URI of a path: the editor's own for an open document, which need not have a file."""
        document = self._documents.get(path)
        if document and document.uri:
            return document.uri
        # What is not open may be named from the server's folder, as settings of lint are.
        return from_fs_path(Path(path).absolute().as_posix() if Path(path).is_file() else path) or path

    def version(self, path: str) -> int:
        """The version of an open document; -1 for one that is not open."""
        return self._documents[path].version if path in self._documents else -1

    def text(self, path: str) -> Text:
        """The text of a file as it is now."""
        document = self._documents.get(path)
        kept = self._files.get(path)
        if document is not None and (kept is None or kept.text.source.text != document.text):
            return Text(Source(path, document.text), self.encoding)
        return self._file(path).text

    # ---- reading

    def reading(self, path: str) -> Reading | None:
        """The file and its imports as they are now; None when it never could be read."""
        return self._read(path, self._closure([path]))

    def latest(self, path: str) -> Reading | None:
        """The last reading, however old: for answers that must not wait. Reads the file when there is none."""
        kept = self._readings.get(path)
        return kept[1] if kept else self.reading(path)

    def soon(self, path: str) -> Reading | None:
        """The reading; of a large text the last one, which is renewed when the typing pauses."""
        document = self._documents.get(path)
        if document and len(document.text) > _LARGE_CHARS and path in self._readings:
            kept = self._readings[path][1]
            is_current = kept.is_current and kept.texts[path].source.text == document.text
            return replace(kept, is_current=is_current)
        return self.reading(path)

    def everywhere(self, path: str) -> Reading | None:
        """The same with every file of the workspace that imports something: for what must not miss a place."""
        others = [other for other in self._on_disk() if "import" in self._file(other).text.source.text]
        return self._read(path, self._closure([path, *self._documents, *others]))

    def importers(self, path: str) -> Iterator[str]:
        """The open documents that import a file, directly or not, as they were last read."""
        for other in self.open_paths:
            kept = self._readings.get(other)
            if kept and other != path and path in kept[1].texts:
                yield other

    def _read(self, path: str, paths: Iterable[str]) -> Reading | None:
        now = {name: self._file(name) for name in paths}
        files = {name: file if file.file else self._good.get(name, file) for name, file in now.items()}
        if path not in files or files[path].file is None:
            return None
        key = tuple((name, file.stamp, now[name].stamp) for name, file in files.items())
        kept = self._readings.get(path)
        if kept and kept[0] == key:
            return kept[1]
        asts = tuple(file.file for file in files.values() if file.file)
        reading = Reading(
            path,
            index(ast.Program(asts, frozenset().union(*(file.lost for file in files.values())))),
            {name: file.text for name, file in files.items()},
            files[path] is now[path],
            tuple(found for file in now.values() for found in file.found),
        )
        if set(files) == set(self._closure([path])):
            self._readings[path] = (key, reading)
        return reading

    def _closure(self, paths: Iterable[str]) -> list[str]:
        """Files, and all that they import, each once."""
        found: dict[str, None] = {}
        waiting = list(paths)
        while waiting:
            path = waiting.pop(0)
            if path in found:
                continue
            found[path] = None
            file = self._file(path)
            readable = file.file or (self._good[path].file if path in self._good else None)
            for item in readable.items if readable else ():
                if isinstance(item, ast.Import):
                    waiting.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), item.path.text)))
        return list(found)

    def _file(self, path: str) -> _File:
        stamp = self._stamp(path)
        kept = self._files.get(path)
        if kept is None or kept.stamp != stamp:
            kept = self._parse(path, stamp)
            self._files[path] = kept
            if kept.file:
                self._good[path] = kept
        return kept

    def _stamp(self, path: str) -> object:
        """Equal while the text is the same."""
        if document := self._documents.get(path):
            return document.text
        try:
            status = Path(path).stat()
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size)

    def _parse(self, path: str, stamp: object) -> _File:
        ctx = Context(options=Options(until=_READING[-1][1]), overlays=self._overlays)
        value: object = (Path(path),)
        for package, name in _READING:
            value = pass_function(package, name)(value, ctx) if value is not None else None
        source = ctx.sources.get(path, Source(path, self._overlays.get(path, "")))
        text = Text(source, self.encoding)
        if not isinstance(value, ast.Program):
            return _File(stamp, text, None, found=ctx.sink.diagnostics)
        file = next((file for file in value.files if file.span.file == path), None)
        return _File(stamp, text, file, value.lost, ctx.sink.diagnostics)

    @property
    def _overlays(self) -> dict[str, str]:
        return {path: document.text for path, document in self._documents.copy().items()}

    def _on_disk(self) -> list[str]:
        """The pipeline files below the workspace's folders, sorted."""
        found: list[str] = []
        for folder in self.folders:
            for here, subfolders, names in os.walk(folder):
                subfolders[:] = sorted(name for name in subfolders if name not in _SKIPPED and not name.startswith("."))
                found += [Path(here, name).as_posix() for name in sorted(names) if name.endswith(".rspp")]
                if len(found) > _FILES_MAX:
                    return found[:_FILES_MAX]
        return found

    # ---- compiling

    def compile(self, path: str) -> Compilation:
        """Checks and lints a document and what it imports, as the editor has them."""
        started = time.monotonic()
        versions = {name: document.version for name, document in self._documents.copy().items()}
        ctx = Context(options=Options(until=LAST_PASS), overlays=self._overlays)
        result = lint_pipeline([Path(path)], ctx)
        if self._is_library(path):
            result = replace(result, diagnostics=tuple(one for one in result.diagnostics if one.code != "E0211"))
        # The last one, and the last one without an error: whoever asks for a figure looks into both.
        good = [kept for kept in self._results.get(path, []) if kept.ok]
        self._results[path] = [result] if result.ok else [result, *good[-1:]]
        return Compilation(path, result, versions, time.monotonic() - started)

    def results(self, path: str) -> tuple[Result, ...]:
        """The last compilation and, if it found errors, the last one that did not."""
        return tuple(self._results.get(path, ()))

    def results_about(self, path: str) -> tuple[Result, ...]:
        """Those, and the compilations of the open documents that import the file."""
        return tuple(result for one in (path, *self.importers(path)) for result in self.results(one))

    def _is_library(self, path: str) -> bool:
        """Whether a file holds modules and no pipeline: it is there to be imported."""
        file = self._file(path).file
        items = file.items if file else ()
        return any(isinstance(item, ast.Module) for item in items) and not any(
            isinstance(item, ast.Pipeline) for item in items
        )

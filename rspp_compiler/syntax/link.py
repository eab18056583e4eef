"""link: imports → one program. Reads the files that imports name, each once, and says what the names mean."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Span
from rspp_compiler.source.files import is_file
from rspp_compiler.syntax.load import load
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse


def link(program: ast.Program, ctx: Context) -> ast.Program | None:
    """`import clean from "lib/audio.rspp"` becomes the file `lib/audio.rspp`, and a `Link` of `clean` to it.

    None for what only lies beside a pipeline: a policy or a rollout by itself is no program.
    """
    return None if program.is_beside else _Linker(ctx).program(program)


class _Linker:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._sink: Sink = ctx.sink
        self._files: dict[str, ast.File | None] = {}  # every file read so far; None where nothing could be read
        self._imported: list[ast.File] = []
        self._links: list[ast.Link] = []
        self._lost: frozenset[str] = frozenset()

    def program(self, program: ast.Program) -> ast.Program:
        self._files = {file.span.file: file for file in program.files}
        self._lost = program.lost
        for file in program.files:
            self._follow(file, (file.span.file,))
        return replace(program, lost=self._lost, imported=tuple(self._imported), links=tuple(self._links))

    def _follow(self, file: ast.File, chain: tuple[str, ...]) -> None:
        for item in file.items:
            if isinstance(item, ast.Import):
                self._import(item, file, chain)

    def _import(self, line: ast.Import, file: ast.File, chain: tuple[str, ...]) -> None:
        path = self._path(line, file)
        if path is None:
            self._lose(line)
            return
        if path in chain:
            names = [PurePosixPath(name).name for name in (*chain[chain.index(path) :], path)]
            self._sink.add(
                "E0217",
                f"files import each other: {' -> '.join(names)}",
                line.span,
                label="leads back to where it began",
                help="remove this import; move what both need into a third file",
                fix=remove(self._ctx.source(line.span), line.span),
            )
            self._lose(line)
            return
        if path not in self._files:
            self._files[path] = read = self._read(path)
            if read is not None:
                self._imported.append(read)
                self._follow(read, (*chain, path))
        target = self._files[path]
        if target is None:
            self._lose(line)
            return
        for name in line.names:
            if self._offers(target, name, line):
                self._links.append(ast.Link(file.span.file, name, path))
            else:
                self._lost |= {name.text}

    def _path(self, line: ast.Import, file: ast.File) -> str | None:
        """The imported file, as a path like that of the importing one; None when there is no such file."""
        written = line.path.text
        folder = PurePosixPath(file.span.file).parent
        path = PurePosixPath(os.path.normpath(folder / written)).as_posix()
        if not PurePosixPath(written).is_absolute() and (path in self._ctx.overlays or is_file(path)):
            return path
        beside = sorted(found.relative_to(folder).as_posix() for found in Path(folder).glob("**/*.rspp"))[:200]
        stems = {file.removesuffix(".rspp"): file for file in reversed(beside)}
        near = nearest(written.removesuffix(".rspp"), stems)
        meant = stems.get(written, "") or stems.get(near, "")
        self._sink.add(
            "E0218",
            f"no file `{written}` to import from"
            if not PurePosixPath(written).is_absolute()
            else f"`{written}` is absolute",
            line.path.span,
            notes=("the path is relative to the folder of this file",),
            help=f'did you mean "{meant}"?' if meant else "write a path that exists, or remove the import",
            fix=Fix(line.path.span, f'"{meant}"') if meant else remove(self._ctx.source(line.span), line.span),
        )
        return None

    def _read(self, path: str) -> ast.File | None:
        sources = load([Path(path)], self._ctx)
        parsed = parse(sources, self._ctx) if sources else None
        if not parsed:
            return None
        program = lower(parsed, self._ctx)
        self._lost |= program.lost if program else frozenset()
        return program.files[0] if program else None

    def _offers(self, target: ast.File, name: ast.Name, line: ast.Import) -> bool:
        """Whether the file has an item of that name, in a version that will do."""
        items = {item.name.text: item for item in target.items if not isinstance(item, ast.Import | ast.Pipeline)}
        found = items.get(name.text)
        if found is None:
            if name.text in self._lost:
                return False
            near = nearest(name.text, items)
            self._lost |= {near}  # what was meant is used under its right name
            notes = (f"it has {', '.join(f'`{item}`' for item in items)}",) if items else ("it has nothing to import",)
            whole = len(line.names) == 1
            self._sink.add(
                "E0219",
                f"{target.name} has no `{name.text}`",
                name.span,
                notes=notes,
                help=f"did you mean `{near}`?" if near else "remove it",
                fix=Fix(name.span, near)
                if near
                else remove(self._ctx.source(line.span), line.span if whole else name.span),
            )
            return False
        version = found.version if isinstance(found, ast.Module) else None
        if line.version is not None and not _serves(version.text if version else "", line.version.text):
            self._wrong_version(name, line.version, version, found.name.span)
        return True

    def _wrong_version(self, name: ast.Name, wanted: ast.Text, found: ast.Text | None, at: Span) -> None:
        has = f"version {found.text}" if found else "no version"
        self._sink.add(
            "E0220",
            f"`{name.text}` has {has}, and {wanted.text} is asked for",
            wanted.span,
            label="a version of the same line that is not older would do" if found else "nothing to compare it with",
            secondary=[(found.span if found else at, f"`{name.text}` has {has}")],
            help=f'write `version "{found.text}"`, and read what changed' if found else "remove the version",
            fix=Fix(wanted.span, f'"{found.text}"') if found else Fix(self._version_clause(wanted), ""),
        )

    def _version_clause(self, wanted: ast.Text) -> Span:
        """From the word `version` to the end of its text, with the blanks in front."""
        source = self._ctx.source(wanted.span)
        end = source.offset(wanted.span.line, wanted.span.column)
        start = source.text.rfind("version", 0, end)
        before = source.text[:start].rstrip(" \t")
        return source.span(len(before), source.offset(wanted.span.end_line, wanted.span.end_column))

    def _lose(self, line: ast.Import) -> None:
        """What could not be imported was reported here; its uses would only say so again."""
        self._lost |= {name.text for name in line.names}


def _serves(found: str, wanted: str) -> bool:
    """Whether `found` is of the same line as `wanted` and not older: equal up to the first number that is not 0."""
    have, want = ([int(part) if part.isdigit() else -1 for part in text.split(".")] for text in (found, wanted))
    if -1 in have or -1 in want or not found:
        return found == wanted
    size = max(len(have), len(want))
    have, want = have + [0] * (size - len(have)), want + [0] * (size - len(want))
    line = next((index for index, part in enumerate(want) if part), size - 1) + 1
    return have[:line] == want[:line] and have >= want

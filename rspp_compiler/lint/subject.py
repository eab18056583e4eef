"""What the rules look at: the program with its names, and what later passes made of it, as far as they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from rspp_compiler.ir import ast
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.spec import PipelineSpec
from rspp_compiler.ir.symbols import Declared, Index, Symbol
from rspp_compiler.source import Source, Span

L = TypeVar("L", bound=ast.Line)


@dataclass(frozen=True)
class Body:
    """One pipeline: its lines, and the nodes that stand in it by name or by kind."""

    item: ast.Pipeline
    nodes: tuple[Symbol, ...]

    def of_kind(self, *kinds: str) -> list[Symbol]:
        return [node for node in self.nodes if node.kind in kinds]

    def lines(self, sort: type[L]) -> list[L]:
        return [line for line in self.item.lines if isinstance(line, sort)]

    @property
    def reactions(self) -> list[ast.Reaction]:
        return self.lines(ast.Reaction)

    def events(self) -> Iterator[tuple[str, str, ast.Reaction]]:
        """Every (subject, event) that a reaction names, a bare event with the subject to its left."""
        for reaction in self.reactions:
            subject = ""
            for ref in reaction.events:
                *names, event = ref.text.split(".")
                subject = ".".join(names) or subject
                yield subject, event, reaction

    def reacts_to(self, subject: str, event: str) -> bool:
        """Whether a line does something about the event: a path into a tap only shows it."""
        taps = {"tap", *(node.name for node in self.of_kind("tap"))}
        return any(
            (subject, event) == (whose, name) and not (line.hops and line.hops[0].ref.text in taps)
            for whose, name, line in self.events()
        )

    @property
    def speaks(self) -> bool:
        """Whether the user hears it: something in it makes a voice."""
        return bool(self.of_kind("tts", "realtime", "play"))

    def free_name(self, wanted: str) -> str:
        """`wanted`, or the first of `wanted_2`, `wanted_3`, … that no node has."""
        taken = {node.name for node in self.nodes}
        names = (f"{wanted}_{number}" if number > 1 else wanted for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)


@dataclass(frozen=True)
class Subject:
    """One program. Only the files that were named are judged, not those that they import.

    `kinds` are the names of the language's own kinds of node. `spec` and `analysis` are None where the compilation did
    not come that far; `is_whole` is false where lines could not be read, so that what seems unused may not be.
    """

    program: ast.Program
    index: Index
    kinds: tuple[str, ...]
    sources: Mapping[str, Source]
    spec: PipelineSpec | None = None
    analysis: Analysis | None = None
    is_whole: bool = True

    @cached_property
    def bodies(self) -> tuple[Body, ...]:
        """Every pipeline of the files."""
        inside: dict[Symbol, list[Symbol]] = {}
        for symbol in self.index.symbols:
            if symbol.sort == "node" and symbol.parent is not None:
                inside.setdefault(symbol.parent, []).append(symbol)
        pipelines = [symbol for symbol in self.symbols("pipeline") if isinstance(symbol.item, ast.Pipeline)]
        return tuple(Body(symbol.item, tuple(inside.get(symbol, ()))) for symbol in pipelines)

    def items(self) -> Iterator[ast.Item]:
        """Everything at the top level of the files."""
        for file in self.program.files:
            yield from file.items

    def symbols(self, sort: Declared) -> Iterator[Symbol]:
        """What the files declare, of one sort."""
        files = {file.span.file for file in self.program.files}
        return (symbol for symbol in self.index.symbols if symbol.sort == sort and symbol.at.file in files)

    def has_pipeline(self, file: str) -> bool:
        """Whether the file has a pipeline: without one it is a library, and its users are elsewhere."""
        return any(body.item.span.file == file for body in self.bodies)

    def source(self, span: Span) -> Source:
        """The text that a span points into."""
        return self.sources[span.file]


def setting(settings: ast.Settings | None, key: str) -> ast.Setting | None:
    """The setting of that key; None if it is not written."""
    return next((one for one in settings.items if one.key.text == key), None) if settings else None


def settings_of(node: Symbol) -> ast.Settings | None:
    """The braces of a node; None for one that has none, or that only a flow names."""
    return node.item.settings if isinstance(node.item, ast.Node) else None


def ms(ns: int) -> str:
    """`300ms`, rounded down; whole seconds as `2s`."""
    return f"{ns // 1_000_000_000}s" if ns % 1_000_000_000 == 0 else f"{ns // 1_000_000}ms"

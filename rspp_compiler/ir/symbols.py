"""What the names in a file mean: symbols, and every place that mentions one. Made by `sema.index`, read by tools."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from rspp_compiler.source import Span

# fmt: off
Declared = Literal[
    "pipeline", "module", "policy", "tool", "provider", "pool", "import",
    "node", "party", "mode", "port",
]
"""What a user may declare. A `pool` is `provider local : llm`, a `provider` the block of a kind, an `import` a name
whose file is not at hand."""

Word = Literal[
    "kind", "event", "setting", "verb", "subject", "field", "choice",
    "engine", "type", "profile", "level", "file", "callable",
]
"""What the language declares, or lies outside of it: `vad`, `barge_in`, `min_silence`, `cancel`, `session`, `tenant`,
`drop_oldest`, `deepgram`, `audio`, `simple/v1`, `L1`, a path, a `module:Callable`."""
# fmt: on

Sort = Declared | Word
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that a file declares.

    `at` is its name, `span` the whole declaration. `kind` is what it is made of: `vad`, `python`, a module's name.
    `parent` is the pipeline, module or policy that it is local to; for a port, its module or node. A node that only a
    flow names, by its kind, is `implicit`: it stands where it is first used. `names_kind` says that the name is the
    kind too, as in `node stt { … }`. `item` is the part of the AST, None for an implicit node.
    """

    sort: Declared
    name: str
    at: Span
    span: Span
    kind: str = ""
    parent: Symbol | None = None
    implicit: bool = False
    names_kind: bool = False
    item: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Mention:
    """One name in the text, and what it means there.

    `symbol` is what it names; None for a word of the language, and for a name that nothing declares. `owner` is whose
    port, event or setting it is. For a setting, or a value of one, `of` says where it stands (`node`, `flow`, `budget`,
    `mode`, `use stt deepgram`, …) and `path` which it is: `handoff.max_age`. Elsewhere `of` is what it belongs to: the
    verb of an object, the subject of an event or a field, the kind of an engine; `import` for an imported name.
    """

    sort: Sort
    name: str
    span: Span
    symbol: Symbol | None = None
    owner: Symbol | None = None
    is_declaration: bool = False
    of: str = ""
    path: str = ""


@dataclass(frozen=True)
class Index:
    """All symbols and mentions of a program, each in the order of file and place."""

    symbols: tuple[Symbol, ...]
    mentions: tuple[Mention, ...]

    def at(self, file: str, line: int, column: int) -> Mention | None:
        """The mention that the position touches, its end included; lines and columns count from 1.

        Where two mentions meet, as at a dot, the one behind wins.
        """
        place = (line, column)
        mentions = self._by_file.get(file, [])
        here = bisect_right(mentions, place, key=lambda one: (one.span.line, one.span.column))
        for mention in reversed(mentions[max(0, here - 4) : here]):
            if place <= (mention.span.end_line, mention.span.end_column):
                return mention
        return None

    def of(self, symbol: Symbol) -> tuple[Mention, ...]:
        """Every mention of a symbol, its declaration included."""
        return tuple(self._by_symbol.get(symbol, ()))

    def inside(self, parent: Symbol) -> tuple[Symbol, ...]:
        """What is local to a pipeline, module, policy or custom node."""
        return tuple(symbol for symbol in self.symbols if symbol.parent == parent)

    def container(self, file: str, line: int, column: int) -> Symbol | None:
        """The pipeline, module or policy that a position lies in."""
        for symbol in self.symbols:
            if symbol.sort in ("pipeline", "module", "policy") and symbol.span.file == file:
                span = symbol.span
                if (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column):
                    return symbol
        return None

    def visible(self, file: str, container: Symbol | None) -> Iterator[Symbol]:
        """What a line of `container` may name: its own symbols, those of the file, and what the file imports.

        A policy sees the pipelines of its file as well.
        """
        imported = {one.symbol for one in self._by_file.get(file, ()) if one.of == "import"}
        for symbol in self.symbols:
            if symbol.parent is None:
                if symbol.span.file == file or symbol in imported:
                    yield symbol
            elif symbol.parent == container or (
                container is not None
                and container.sort == "policy"
                and symbol.parent.sort == "pipeline"
                and symbol.span.file == file
            ):
                yield symbol

    @cached_property
    def _by_file(self) -> dict[str, list[Mention]]:
        return _grouped((mention.span.file, mention) for mention in self.mentions)

    @cached_property
    def _by_symbol(self) -> dict[Symbol, list[Mention]]:
        return _grouped((mention.symbol, mention) for mention in self.mentions if mention.symbol)


def _grouped(pairs: Iterable[tuple[K, Mention]]) -> dict[K, list[Mention]]:
    groups: dict[K, list[Mention]] = {}
    for key, mention in pairs:
        groups.setdefault(key, []).append(mention)
    return groups

"""A JSON document as it stands in its text: every key and value with its place."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rspp_compiler.source import Source

_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\.")
_PLAIN_KEY = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value, at the characters `[start, end)` of the text."""

    start: int
    end: int

    @property
    def plain(self) -> Any:
        """The value as Python has it."""
        raise TypeError

    @property
    def noun(self) -> str:
        """What it is, for messages."""
        raise TypeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Node):
    """A text, its escapes resolved. `raw` is what stands between the quotes, from the character `first` on."""

    text: str
    raw: str
    first: int

    @property
    def plain(self) -> str:
        return self.text

    @property
    def noun(self) -> str:
        return "a text"

    @property
    def inner(self) -> tuple[int, int]:
        """The characters between the quotes."""
        return self.first, self.first + len(self.raw)

    @property
    def offsets(self) -> Sequence[int]:
        """Where in the document each character of the text stands; one more for its end."""
        first, behind = self.inner
        if len(self.raw) == len(self.text):
            return range(first, behind + 1)
        return [*_offsets(self.raw, first), behind]


def _offsets(raw: str, first: int) -> Iterator[int]:
    """A pair of escapes that stands for one character counts once."""
    at = 0
    while at < len(raw):
        yield first + at
        escape = _ESCAPE.match(raw, at)
        at = escape.end() if escape else at + 1
        is_high = escape is not None and len(escape[0]) == 6 and 0xD800 <= int(escape[0][2:], 16) < 0xDC00
        if is_high and (low := _ESCAPE.match(raw, at)):
            at = low.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Node):
    """A number, as written."""

    written: str

    @property
    def plain(self) -> int | float:
        return int(self.written) if re.fullmatch(r"-?\d+", self.written) else float(self.written)

    @property
    def noun(self) -> str:
        return f"the number {self.written}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Node):
    """`true`, `false`, `null`."""

    value: bool | None

    @property
    def plain(self) -> bool | None:
        return self.value

    @property
    def noun(self) -> str:
        return {True: "`true`", False: "`false`", None: "`null`"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Array(Node):
    items: tuple[Node, ...]

    @property
    def plain(self) -> list[Any]:
        return [item.plain for item in self.items]

    @property
    def noun(self) -> str:
        return "a list"


@dataclass(frozen=True, slots=True)
class Member:
    """`"key": value`."""

    key: Text
    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Node):
    """Members in their order, each key once; `null` counts as not there. `repeated` were left out."""

    members: tuple[Member, ...]
    repeated: tuple[Member, ...] = field(default=(), compare=False)

    def member(self, key: str) -> Member | None:
        return next((member for member in self.members if member.key.text == key), None)

    def get(self, key: str) -> Node | None:
        member = self.member(key)
        return member.value if member else None

    @property
    def plain(self) -> dict[str, Any]:
        return {member.key.text: member.value.plain for member in self.members if not is_null(member.value)}

    @property
    def noun(self) -> str:
        return "an object"


def is_null(node: Node) -> bool:
    return isinstance(node, Word) and node.value is None


Path = tuple[str | int, ...]


def shown(path: Path) -> str:
    """`nodes[2].settings.min_silence`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def path_at(root: Node, start: int, end: int) -> Path:
    """The way to the smallest key or value that holds the characters `[start, end)`; `()` for the whole."""
    part: str | int
    if isinstance(root, Object):
        at = bisect_right(root.members, start, key=lambda member: member.key.start) - 1
        part, node = (root.members[at].key.text, root.members[at].value) if at >= 0 else ("", root)
    elif isinstance(root, Array):
        at = bisect_right(root.items, start, key=lambda item: item.start) - 1
        part, node = (at, root.items[at]) if at >= 0 else ("", root)
    else:
        return ()
    return (part, *path_at(node, start, end)) if at >= 0 and end <= node.end else ()


def children(node: Node) -> Iterator[tuple[str | int, int, Node]]:
    """What is right inside: its key or index, where it begins (its key counts), and its value."""
    if isinstance(node, Object):
        yield from ((member.key.text, member.key.start, member.value) for member in node.members)
    elif isinstance(node, Array):
        yield from ((at, item.start, item) for at, item in enumerate(node.items))


def extent(parent: Array | Object, index: int) -> tuple[int, int]:
    """The characters of an element, or of a member with its key."""
    if isinstance(parent, Array):
        return parent.items[index].start, parent.items[index].end
    return parent.members[index].key.start, parent.members[index].value.end


def at_path(root: Node, path: Path) -> tuple[Node, Path]:
    """The node that a path leads to, and the path as far as it leads anywhere."""
    node, done = root, 0
    for part in path:
        inner = None
        if isinstance(node, Object) and isinstance(part, str):
            inner = node.get(part)
        elif isinstance(node, Array) and isinstance(part, int) and part < len(node.items):
            inner = node.items[part]
        if inner is None:
            break
        node, done = inner, done + 1
    return node, path[:done]


def each(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """The node and everything inside it."""
    yield path, node
    for part, _, value in children(node):
        yield from each(value, (*path, part))


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON file: its text and its tree. `form` is the `schema_version` that it names.

    `unusable` are the places of values that its schema refuses: whoever reads the tree passes over them.
    """

    source: Source
    root: Object
    form: str
    unusable: frozenset[tuple[int, int]] = frozenset()

    def get(self, of: Object, key: str) -> Node | None:
        """A field's value; None if it is not there, `null`, or unusable."""
        node = of.get(key)
        return None if node is None or is_null(node) or self.is_unusable(node) else node

    def is_unusable(self, node: Node) -> bool:
        return (node.start, node.end) in self.unusable

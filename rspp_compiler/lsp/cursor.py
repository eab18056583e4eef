"""Where the cursor stands, going by the text alone: what is being typed does not parse yet."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*(?:"""|\Z)'  # texts, the last of which may still be open
    r'|"(?:[^"\\\n]|\\.)*(?:"|\n|\Z)'
    r"|\#[^\n]*"
    r"|[{}()\[\],\n]"
)
_GOES_ON = re.compile(r"\s*(->|(?:when|otherwise|and|or)\b)")
_WORD = re.compile(r"[A-Za-z_]\w*\Z")
_PLACES = (
    "pipeline", "module", "policy", "provider", "tool", "node", "party", "mode", "record", "use", "meta", "budget",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """An open bracket. `head` is what stands before it: `node ears : vad`, `buffer =`."""

    bracket: str
    head: str

    @property
    def words(self) -> list[str]:
        return re.findall(r"[A-Za-z_]\w*", self.head)

    @property
    def place(self) -> str:
        """`pipeline`, `node`, …; `flow` for the braces of an arrow, "" for those of a key."""
        first = self.words[0] if self.words else ""
        if "->" in self.head and first not in ("module", "tool", "node"):
            return "flow"
        return first if first in _PLACES and not self.head.rstrip().endswith("=") else ""

    @property
    def key(self) -> str:
        """The key that the block is the value of."""
        return self.head.rstrip().removesuffix("=").strip() if self.head.rstrip().endswith("=") else ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """`blocks` are the open brackets, the innermost last; `item` is what has been written of the line or setting that
    the cursor stands in, without `word`, the name that is just being typed.
    """

    blocks: tuple[Block, ...]
    item: str
    word: str

    @property
    def place(self) -> str:
        """Where the item stands: `file`, `pipeline`, `node`, `flow`, …"""
        return next((block.place for block in reversed(self.blocks) if block.place), "file")

    @property
    def head(self) -> str:
        """The head of the block that gives the place."""
        return next((block.head for block in reversed(self.blocks) if block.place), "")

    @property
    def path(self) -> tuple[str, ...]:
        """The keys between the place and the item: `("handoff",)`."""
        keys: list[str] = []
        for block in reversed(self.blocks):
            if block.place:
                break
            if block.key:
                keys.insert(0, block.key)
        return tuple(keys)

    @property
    def container(self) -> tuple[str, str]:
        """Sort and name of the pipeline, module or policy around: `("pipeline", "hello")`."""
        for block in reversed(self.blocks):
            if block.place in ("pipeline", "module", "policy") and len(block.words) > 1:
                return block.place, block.words[1]
        return "", ""


def cursor(text: str, offset: int) -> Cursor | None:
    """The surroundings of an offset; None inside of a comment or a text."""
    blocks: list[tuple[Block, int]] = []
    start = 0  # of the item
    for token in _TOKEN.finditer(text, 0, offset):
        mark = token[0]
        if mark[0] in '"#':
            if token.end() == offset and not _is_closed(mark):
                return None
        elif mark in "{([":
            blocks.append((Block(mark, text[start : token.start()].strip()), start))
            start = token.end()
        elif mark in "})]":
            start = blocks.pop()[1] if blocks else token.end()
        elif mark == "," or not _goes_on(text, start, token.start()):
            start = token.end()
    item = text[start:offset]
    word = _WORD.search(item)
    before = item[: word.start()] if word else item
    return Cursor(tuple(block for block, _ in blocks), before, word[0] if word else "")


def _is_closed(mark: str) -> bool:
    if mark.startswith('"""'):
        return len(mark) >= 6 and mark.endswith('"""')
    return mark[0] == '"' and len(mark) >= 2 and mark.endswith('"')


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether the line that ends at `end` goes on in the next: behind an arrow, or where the next begins with one."""
    behind = text[end : end + 200].lstrip("\n \t\r")  # further than blank lines and an indentation nobody looks
    return text[start:end].rstrip().endswith("->") or _GOES_ON.match(behind) is not None

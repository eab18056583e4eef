"""JSON to the letter (RFC 8259), with the place of every value.

Stricter than `json.loads` where data that two programs read differently would pass: a key that stands twice, NaN, half
of a surrogate pair. Everything is bounded, so that no file can take the reader's stack or memory.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

BYTES_MAX = 1 << 20
DEPTH_MAX = 64
DIGITS_MAX = 400  # more than any number of a contract, fewer than Python refuses to convert

Path = tuple[str | int, ...]
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[-+\w.]+")
_WORDS = {"true": True, "false": False, "null": None}
_DECODER = json.JSONDecoder()


class Unreadable(ValueError):  # noqa: N818 - it says what the text is
    """Not JSON. `line` and `column` count from 1, columns in characters."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line, self.column = line, column


@dataclass(slots=True)
class Document:
    """A value, and where its parts begin."""

    text: str
    value: Any = None
    offsets: dict[Path, int] = field(default_factory=dict)

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column of the value at `path`; of what is missing, those of the nearest that holds it."""
        while path not in self.offsets and path:
            path = path[:-1]
        return _place(self.text, self.offsets.get(path, 0))


def read(data: bytes) -> Document:
    """Raises `Unreadable`."""
    if len(data) > BYTES_MAX:
        raise Unreadable(f"more than {BYTES_MAX:,} bytes: so much is not read")
    if data.startswith(b"\xef\xbb\xbf"):
        raise Unreadable("a byte order mark stands before the text: save it without")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(before := data[: error.start].decode("utf-8"), len(before))
        raise Unreadable(f"byte {data[error.start]:#04x} is not UTF-8", line, column) from None
    return _Reader(text).document()


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._found = Document(text)

    def document(self) -> Document:
        self._space()
        if self._at == len(self._text):
            self._fail("the text is empty: a JSON value is wanted")
        self._found.value = self._value((), 0)
        self._space()
        if self._at < len(self._text):
            self._fail(f"{self._next()} stands after the end of the value")
        return self._found

    def _value(self, path: Path, depth: int) -> Any:
        self._space()
        self._found.offsets[path] = self._at
        first = self._text[self._at : self._at + 1]
        if first in ("{", "[") and depth == DEPTH_MAX:
            self._fail(f"nested more than {DEPTH_MAX} deep")
        if first == "{":
            return self._object(path, depth)
        if first == "[":
            return self._array(path, depth)
        return self._string() if first == '"' else self._number_or_word()

    def _object(self, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._at += 1
        while not self._ends("}", is_first=not found):
            start = self._at
            if self._text[start : start + 1] != '"':
                self._fail(f'{self._next()} where a name in "quotes" is wanted')
            name = self._string()
            if name in found:
                self._fail(f"`{name}` stands here twice", start)
            self._space()
            if self._text[self._at : self._at + 1] != ":":
                self._fail(f"{self._next()} where `:` is wanted")
            self._at += 1
            found[name] = self._value((*path, name), depth + 1)
        return found

    def _array(self, path: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        while not self._ends("]", is_first=not found):
            found.append(self._value((*path, len(found)), depth + 1))
        return found

    def _ends(self, bracket: str, *, is_first: bool) -> bool:
        """Whether the bracket closes here; otherwise stands at the next part, past its comma."""
        self._space()
        letter = self._text[self._at : self._at + 1]
        if letter == bracket:
            self._at += 1
            return True
        if is_first:
            return False
        if letter != ",":
            self._fail(f"{self._next()} where `,` or `{bracket}` is wanted")
        self._at += 1
        self._space()
        if self._text[self._at : self._at + 1] == bracket:
            self._fail(f"nothing stands between `,` and `{bracket}`")
        return False

    def _string(self) -> str:
        start = self._at
        try:
            found, self._at = _DECODER.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            self._fail(f"a text that is none: {error.msg.removesuffix(' at')}", error.pos)
        if any("\ud800" <= letter <= "\udfff" for letter in found):
            self._fail("half of a surrogate pair is no character", start)
        assert isinstance(found, str)
        return found

    def _number_or_word(self) -> Any:
        start = self._at
        if number := _NUMBER.match(self._text, start):
            self._at = number.end()
            if not _WORD.match(self._text, self._at):
                return self._number(number, start)
        word = _WORD.match(self._text, start)
        if word is None or word[0] not in _WORDS:
            self._at = start
            self._fail(f"{self._next()} is no JSON value")
        self._at = word.end()
        return _WORDS[word[0]]

    def _number(self, number: re.Match[str], start: int) -> int | float:
        if len(number[0]) > DIGITS_MAX:
            self._fail(f"a number of {len(number[0]):,} digits", start)
        if number[1] is None and number[2] is None:
            return int(number[0])
        found = float(number[0])
        if not math.isfinite(found):
            self._fail(f"`{number[0]}` is too large for a number", start)
        return found

    def _space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _next(self) -> str:
        """What stands here, to be told."""
        if self._at == len(self._text):
            return "the end of the text"
        word = _WORD.match(self._text, self._at)
        found = word[0] if word else self._text[self._at]
        return f"`{found[:40]}`" if found.isprintable() else f"the character U+{ord(found[0]):04X}"

    def _fail(self, message: str, at: int | None = None) -> NoReturn:
        raise Unreadable(message, *_place(self._text, self._at if at is None else at))

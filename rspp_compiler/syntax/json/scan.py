"""A JSON text to its tree. What is nearly JSON is reported, with its fix, and read as it was meant."""

from __future__ import annotations

import json
import re

from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.json.tree import Array, Member, Node, Number, Object, Text, Word

_DEPTH_MAX = 64
_DIGITS_MAX = 40
_BLANKS = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*[\s\S]*?(?:\*/|\Z)")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_OTHER_QUOTES = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
_UNENDED = re.compile(r"[\"'][^\n]*?(?=[\s,:}\]]*(?:\n|\Z))")
_ESCAPE = re.compile(r'\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S]?)|[\t"]')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_BARE = re.compile(r"[-+]?[\w.%$][\w.%$/+-]*")
_KNOWN = {"true": True, "false": False, "null": None}
_OTHER_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null", "NaN": "null", "yes": "true"}
_CLOSER = {"{": "}", "[": "]"}


class _BeyondError(Exception):
    """There is nothing more to be read."""


def scan(findings: Findings) -> Node | None:
    """The document of `findings.source`; None if it cannot be read at all. Everything wrong with it is reported."""
    scanner = _Scanner(findings)
    try:
        return scanner.document()
    except _BeyondError:
        return None


class _Scanner:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._text = findings.source.text
        self._at = 0
        self._open: list[tuple[str, int]] = []  # brackets

    def document(self) -> Node:
        self._skip()
        root = self._value()
        self._skip()
        if self._at < len(self._text):
            end = len(self._text.rstrip())
            message, help = "something stands behind the end of the document", "remove it"
            self._report(message, self._at, end, help, (self._at, end, ""))
        return root

    # ---- helpers

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _report(self, message: str, start: int, end: int, help: str, change: tuple[int, int, str] | None) -> None:
        fix = self._findings.change(*change) if change else None
        self._findings.add("E0120", message, start, end, help=help, fix=fix)

    def _stop(self, message: str, start: int, end: int, help: str) -> _BeyondError:
        self._report(message, start, end, help, None)
        return _BeyondError()

    def _skip(self) -> None:
        """Blanks, and comments, which JSON does not have."""
        while True:
            self._at = _blanks(self._text, self._at)
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                return
            at, end = comment.span()
            self._report("JSON has no comments", at, end, "remove it; `meta` holds notes", (at, end, ""))
            self._at = end

    # ---- values

    def _value(self) -> Node:
        start, char = self._at, self._next
        if char in _CLOSER:
            if len(self._open) >= _DEPTH_MAX:
                raise self._stop(f"nested deeper than {_DEPTH_MAX} levels", start, start + 1, "make it flatter")
            self._open.append((char, start))
            self._at += 1
            node: Node = self._object(start) if char == "{" else self._array(start)
            self._open.pop()
            return node
        if char in ('"', "'"):
            return self._string()
        bare = _BARE.match(self._text, start)
        if bare is None:
            what = f"`{char}`" if char else "the end of the text"
            raise self._stop(f"a value was expected here, not {what}", start, start + 1, 'write a value, such as `"…"`')
        self._at = bare.end()
        return self._bare(bare[0], start)

    def _bare(self, word: str, start: int) -> Node:
        """A number or a word; a text that lacks its quotes gets them."""
        end = start + len(word)
        if word in _KNOWN:
            return Word(value=_KNOWN[word], start=start, end=end)
        if _NUMBER.fullmatch(word) and len(word) <= _DIGITS_MAX:
            return Number(written=word, start=start, end=end)
        meant = _OTHER_WORDS.get(word) or _number(word) or json.dumps(word, ensure_ascii=False)
        self._report(f"`{word}` is not JSON", start, end, f"write `{meant}`", (start, end, meant))
        if meant in _KNOWN:
            return Word(value=_KNOWN[meant], start=start, end=end)
        if meant.startswith('"'):
            return Text(text=word, raw=word, first=start, start=start, end=end)
        return Number(written=meant, start=start, end=end)

    def _string(self) -> Text:
        start = self._at
        string = _STRING.match(self._text, start)
        if string is None and (string := _OTHER_QUOTES.match(self._text, start)):
            meant = json.dumps(string[1].replace("\\'", "'"), ensure_ascii=False)
            help = "texts stand in double quotes"
            self._report(f"`{string[0]}` is not JSON", start, string.end(), help, (start, string.end(), meant))
        if string is None:
            open_ended = _UNENDED.match(self._text, start)
            end = open_ended.end() if open_ended else start + 1
            body = self._text[start + 1 : end]
            message, help = "this text does not end on its line", "close it with a double quote"
            is_double = self._next == '"'
            self._report(message, start, end, help, (end, end, '"') if is_double else (start, end, json.dumps(body)))
            self._at = end
            return Text(text=body, raw=body, first=start + 1, start=start, end=end)
        self._at = string.end()
        text = self._resolved(string[1], start + 1)
        return Text(text=text, raw=string[1], first=start + 1, start=start, end=string.end())

    def _resolved(self, raw: str, start: int) -> str:
        """The text without escapes."""

        def resolve(escape: re.Match[str]) -> str:
            at, end = start + escape.start(), start + escape.end()
            match escape[0], escape[1]:
                case "\t", _:
                    self._report("a tab in a text is written `\\t`", at, end, "write `\\t`", (at, end, "\\t"))
                case '"', _:
                    return '"'  # between other quotes, which was reported
                case _, str(letters) if letters[:1] in '"\\/bfnrt' and letters:
                    return str(json.loads(f'"{escape[0]}"'))
                case _, str(letters) if len(letters) == 11 or (len(letters) == 5 and not _is_half(letters)):
                    return str(json.loads(f'"{escape[0]}"'))
                case _, letters:
                    meant = {"'": "'", "$": "\\u0024"}.get(letters, f"\\{escape[0]}")
                    message = f"JSON has no escape `{escape[0]}`"
                    self._report(message, at, end, f"write `{meant}`", (at, end, meant))
                    return str(json.loads(f'"{meant}"'))
            return escape[0]

        return _ESCAPE.sub(resolve, raw) if "\\" in raw or "\t" in raw else raw

    # ---- brackets

    def _array(self, start: int) -> Array:
        items: list[Node] = []
        while self._has_more(bool(items)):
            items.append(self._value())
        return Array(items=tuple(items), start=start, end=self._at)

    def _object(self, start: int) -> Object:
        members: dict[str, Member] = {}
        repeated: list[Member] = []
        while self._has_more(bool(members)):
            key = self._key()
            self._skip()
            if self._next == ":":
                self._at += 1
            else:
                width = 2 if self._text.startswith("=>", self._at) else 1 if self._next == "=" else 0
                at, end = self._at, self._at + width
                self._report("a `:` is missing behind the key", at, max(end, at + 1), "write `:`", (at, end, ":"))
                self._at = end
            self._skip()
            member = Member(key, self._value())
            if members.setdefault(key.text, member) is not member:
                repeated.append(member)
        return Object(members=tuple(members.values()), repeated=tuple(repeated), start=start, end=self._at)

    def _key(self) -> Text:
        if self._next in ('"', "'"):
            return self._string()
        bare = _BARE.match(self._text, self._at)
        if bare is None:
            raise self._stop(f"a key was expected here, not `{self._next}`", self._at, self._at + 1, 'write `"key": …`')
        start, self._at = self._at, bare.end()
        help = "keys stand in double quotes"
        self._report(f"`{bare[0]}` lacks its quotes", start, bare.end(), help, (start, bare.end(), f'"{bare[0]}"'))
        return Text(text=bare[0], raw=bare[0], first=start, start=start, end=bare.end())

    def _has_more(self, is_behind_a_value: bool) -> bool:
        """Moves to the next item, or behind the bracket's end. A separator may be missing, or be too much."""
        self._skip()
        if is_behind_a_value and self._next not in ("}", "]", ""):
            comma = self._at
            if self._next in (",", ";"):
                self._at += 1
            if self._text[comma] != ",":
                change = (comma, self._at, ",")
                self._report("a comma is missing here", comma, max(self._at, comma + 1), "write a comma", change)
            self._skip()
            if self._text[comma] == "," and self._next in ("}", "]"):
                help = "remove the comma"
                self._report("no comma may stand before the end", comma, comma + 1, help, (comma, comma + 1, ""))
        opener, start = self._open[-1]
        closer = _CLOSER[opener]
        if self._next == closer:
            self._at += 1
            return False
        if self._next and self._next in "}]":
            return self._wrong_closer(opener, start, closer)
        if not self._next:
            end = len(self._text.rstrip())
            self._report(f"`{opener}` is never closed", start, start + 1, f"add `{closer}`", (end, end, closer))
            return False
        return True

    def _wrong_closer(self, opener: str, start: int, closer: str) -> bool:
        """Another bracket ends here: this one's end is missing, if one around it fits; else it is only misspelt."""
        at = self._at
        is_missing = any(_CLOSER[outer] == self._next for outer, _ in self._open[:-1])
        if not is_missing:
            self._at += 1
        help = f"add `{closer}`" if is_missing else f"write `{closer}`"
        self._report(f"`{opener}` is not closed here by `{self._text[at]}`", at, at + 1, help, (at, self._at, closer))
        return False


def _blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _is_half(letters: str) -> bool:
    """Whether `uXXXX` is one half of a pair that stands for one character."""
    return 0xD800 <= int(letters[1:], 16) < 0xE000


def _number(word: str) -> str:
    """What is nearly a number as one: `.5`, `+1`, `007`; empty for anything else."""
    found = re.fullmatch(r"([-+]?)0*(\d*)(?:\.(\d*))?", word)
    if found is None or not (found[2] or found[3] or "0" in word) or len(word) > _DIGITS_MAX:
        return ""
    sign = "-" if found[1] == "-" else ""
    return f"{sign}{found[2] or '0'}{'.' + found[3] if found[3] else ''}"

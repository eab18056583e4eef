"""Brackets and strings that do not end: found by a plain scan before the grammar sees the text.

A missing `}` would otherwise show up as a puzzling error many lines below. What is wrong is reported and overwritten,
character by character, so that every later position stays true; missing closers are added behind the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.source import Source

_CLOSER = {"{": "}", "(": ")", "[": "]"}
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""'  # a long text
    r'|"""'  # one that never ends
    r'|"(?:[^"\\\n]|\\.)*"'
    r'|"'
    r"|\#[^\n]*"
    r"|[{}()\[\]]"
)
_MENDS_MAX = 20
_TOP_LEVEL = ("pipeline", "provider", "module", "tool", "policy", "import")


def brackets(text: str) -> Iterator[tuple[str, int]]:
    """Every bracket outside strings and comments, with its offset."""
    for token in _TOKEN.finditer(text):
        if token[0] in "{}()[]":
            yield token[0], token.start()


def blank(text: str, start: int, end: int) -> str:
    """The text with blanks over `[start, end)`; line ends stay, so that every position stays true."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def mend(text: str, source: Source | None = None, sink: Sink | None = None) -> str:
    """The text with every string ended and every bracket balanced. Reports when given where to."""
    text = _mend_strings(text, source, sink)
    for _ in range(_MENDS_MAX):
        mended = _mend_one(text, source, sink)
        if mended == text:
            break
        text = mended
    return text


def _mend_strings(text: str, source: Source | None, sink: Sink | None) -> str:
    for _ in range(_MENDS_MAX):
        start = next((token.start() for token in _TOKEN.finditer(text) if token[0] in ('"', '"""')), None)
        if start is None:
            break
        is_long = text.startswith('"""', start)
        end = -1 if is_long else text.find("\n", start)
        end = end if end >= 0 else len(text)
        if source and sink:
            message = f"this text does not end {'before the file ends' if is_long else 'on its line'}"
            help = "close it with three double quotes" if is_long else "close it with a double quote"
            sink.add("E0113", message, source.span(start, end), help=help)
        # The closing quote takes the place of the last character, in front of brackets that end the line.
        body = text[start:end].rstrip(" \t\r})],")
        if is_long or len(body) < 2:
            text = blank(text, start, end if is_long else start + 1)
        else:
            last = start + len(body) - 1
            text = f'{text[:last]}"{text[last + 1 :]}'
    return text


def _mend_one(text: str, source: Source | None, sink: Sink | None) -> str:
    """Mends the first bracket that has no partner."""
    opened: list[tuple[str, int]] = []
    for bracket, offset in brackets(text):
        if bracket in _CLOSER:
            opened.append((bracket, offset))
        elif opened and _CLOSER[opened[-1][0]] == bracket:
            opened.pop()
        elif any(_CLOSER[o] == bracket for o, _ in opened):
            return _drop_opener(text, opened[-1], source, sink)
        else:
            if source and sink:
                at = source.span(offset, offset + 1)
                sink.add("E0112", f"`{bracket}` closes nothing", at, help="remove it", fix=Fix(at, ""))
            return blank(text, offset, offset + 1)
    if not opened:
        return text
    if culprit := _left_open(text):
        bracket, offset, end, is_inner = culprit
        _report_open(bracket, offset, source, sink)
        # An inner block loses its lines. An outermost one keeps them, and what follows it is left unread.
        return blank(text, offset, end) if is_inner else blank(text, end, len(text)) + "\n" + _CLOSER[bracket]
    bracket, offset = opened[-1]
    _report_open(bracket, offset, source, sink)
    return text + "\n" + _CLOSER[bracket]


def _left_open(text: str) -> tuple[str, int, int, bool] | None:
    """The first bracket that is still open at a line no deeper than its own: it, that line, and whether it is inside.

    The outermost block is judged by its lines' first words instead: some people do not indent what is inside.
    """
    opened: list[tuple[str, int, int]] = []  # bracket, offset, indentation of its line
    marks = iter([*brackets(text), ("", len(text) + 1)])
    mark, at = next(marks)
    position = 0
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        word = line.strip()
        if word and not word.startswith(("#", "}", "]", ")")) and opened:
            bracket, offset, of_opener = opened[-1]
            if indent <= of_opener and (len(opened) > 1 or word.split()[0] in _TOP_LEVEL):
                return bracket, offset, position, len(opened) > 1
        position += len(line) + 1
        while at < position and mark:
            if mark in _CLOSER:
                opened.append((mark, at, indent))
            elif opened:
                opened.pop()
            mark, at = next(marks)
    return None


def _drop_opener(text: str, opener: tuple[str, int], source: Source | None, sink: Sink | None) -> str:
    bracket, offset = opener
    _report_open(bracket, offset, source, sink)
    end = text.find("\n", offset)
    closers = re.search(r"[\s})\]]*$", text[offset : end if end >= 0 else len(text)])
    return blank(text, offset, offset + closers.start() if closers else offset + 1)


def _report_open(bracket: str, offset: int, source: Source | None, sink: Sink | None) -> None:
    if source and sink:
        help = f"add `{_CLOSER[bracket]}` where the block ends"
        sink.add("E0111", f"`{bracket}` is never closed", source.span(offset, offset + 1), help=help)

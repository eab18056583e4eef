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
    for token in _TOKEN.finditer(text):
        if token[0] not in ('"', '"""'):
            continue
        start = token.start()
        end = len(text) if token[0] == '"""' else text.find("\n", start) % (len(text) + 1)
        if source and sink:
            where = "before the file ends" if token[0] == '"""' else "on its line"
            message = f"this text does not end {where}"
            sink.add("E0113", message, source.span(start, end), help=f"close it with {token[0]}")
        if token[0] == '"""':
            return blank(text, start, end)
        # The closing quote takes the place of the last character, in front of brackets that end the line.
        body = text[start:end].rstrip(" \t\r})],")
        if len(body) > 1:
            last = start + len(body) - 1
            text = f'{text[:last]}"{text[last + 1 :]}'
        else:
            text = blank(text, start, start + 1)
        return _mend_strings(text, source, sink)
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
        return _drop_opener(text, culprit, source, sink)
    bracket, offset = opened[-1]
    _report_open(bracket, offset, source, sink)
    return text + "\n" + _CLOSER[bracket]


def _left_open(text: str) -> tuple[str, int] | None:
    """The first bracket that its line leaves open although the next line is not indented deeper."""
    opened: list[tuple[str, int]] = []
    for bracket, offset in [*brackets(text), ("", len(text))]:
        while opened and (bracket == "" or "\n" in text[opened[-1][1] : offset]):
            candidate = opened[-1]
            line_start = text.rfind("\n", 0, candidate[1]) + 1
            indent = re.match(r"[ \t]*", text[line_start:])
            following = re.search(r"\n([ \t]*)(?=[^\s#])(.)", text[candidate[1] :])
            if indent and following and following[2] not in "})]" and len(following[1]) <= len(indent[0]):
                return candidate
            break
        if bracket in _CLOSER:
            opened.append((bracket, offset))
        elif opened:
            opened.pop()
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

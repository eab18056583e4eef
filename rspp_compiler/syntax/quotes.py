"""Texts that do not end: reported, and ended where they most probably should, so that reading can go on behind them."""

from __future__ import annotations

import re
from itertools import pairwise

from rspp_compiler.diagnostics.fixes import both
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tree import Token

_LONG = '"""'
_LINES_MAX = 20  # that a text in plain quotes is taken to go over
_MENDS_MAX = 10  # of long texts: behind each, everything is scanned anew
_BEFORE_A_TEXT = frozenset({"EQUAL", "LPAR", "LSQB", "_COMMA", "COMPARE", "FROM", "VERSION"})
_LAST_LINE_OPENS = re.compile(r"\n[^\n]*[=(\[,][ \t]*\Z")


def mend_quotes(tokens: list[Token], findings: Findings) -> list[Token]:
    """The tokens, with every text ended."""
    for _ in range(_MENDS_MAX):
        if tokens[-2:-1] and tokens[-2].kind == "BAD_TEXT":
            tokens = _mend_long(tokens, findings)
    for _ in range(_MENDS_MAX):
        lines = _over_lines(tokens, findings)
        if lines is None:
            break
        tokens = lines
    return [_closed(token, findings) if token.kind in ("BAD_STRING", "BAD_TEXT") else token for token in tokens]


def _over_lines(tokens: list[Token], findings: Findings) -> list[Token] | None:
    """Gives the first text in plain quotes that goes over lines three of them; None if there is none."""
    text = findings.source.text
    open_ends = [at for at, token in enumerate(tokens) if token.kind == "BAD_STRING"]
    for first, second in pairwise(open_ends):
        start, end = tokens[first].start, tokens[second].start
        between = text[start + 1 : end]
        if '"' in between or between.count("\n") > _LINES_MAX or _LAST_LINE_OPENS.search(text[start:end]):
            continue
        help, quotes = "a text over several lines stands in three quotes", findings.change(start, start + 1, _LONG)
        fix = both(quotes, findings.change(end, end + 1, _LONG))
        findings.add("E0113", "this text does not end on its line", start, tokens[first].end, help=help, fix=fix)
        whole = Token("TEXT", f"{_LONG}{between}{_LONG}", start, end + 1)
        return [*tokens[:first], whole, *scan(text, end + 1)]
    return None


def _mend_long(tokens: list[Token], findings: Findings) -> list[Token]:
    """Ends the first long text that has no end of its own, or drops quotes that end none.

    The last one has none, but need not be to blame: one before it may have taken the next one's quotes for its own end.
    """
    for at, token in enumerate(tokens):
        if token.kind not in ("TEXT", "BAD_TEXT"):
            continue
        if at == 0 or tokens[at - 1].kind not in _BEFORE_A_TEXT:
            end, message = token.start + len(_LONG), "these quotes end a text that never began"
            findings.add(
                "E0113", message, token.start, end, help="remove them", fix=findings.change(token.start, end, "")
            )
            return [*tokens[:at], *scan(findings.source.text, end)]
        body = token.text[: -len(_LONG)] if token.kind == "TEXT" else token.text
        if (token.kind == "BAD_TEXT" or _LAST_LINE_OPENS.search(body)) and (end := _end(token, findings.source.text)):
            _report(token, end, findings)
            mended = Token("TEXT", findings.source.text[token.start : end] + _LONG, token.start, end)
            return [*tokens[:at], mended, *scan(findings.source.text, end)]
    return tokens


def _end(token: Token, text: str) -> int:
    """Where a long text should have ended: before the first line that is no deeper than its own; 0 if none is."""
    line_start = text.rfind("\n", 0, token.start) + 1
    indent = re.compile(r"[ \t]*").match(text, line_start)
    depth = indent.end() - line_start if indent else 0
    behind = re.compile(rf"\n[ \t]{{0,{depth}}}(?=\S)").search(text, token.start + len(_LONG), token.end)
    if behind is None:
        return 0
    end = len(text[: behind.start()].rstrip())
    if "\n" in text[token.start : end]:
        return end
    return token.start + len(text[token.start : end].rstrip(" \t})],"))  # what ends its line is no part of it


def _closed(token: Token, findings: Findings) -> Token:
    quotes = _LONG if token.kind == "BAD_TEXT" else '"'
    body = token.text.rstrip("\\ \t\r\n")
    _report(token, token.start + len(body), findings)
    return Token("TEXT" if token.kind == "BAD_TEXT" else "STRING", body + quotes, token.start, token.end)


def _report(token: Token, end: int, findings: Findings) -> None:
    """`end` is where its quotes are missing."""
    if token.kind == "BAD_STRING":
        message, help, quotes = "this text does not end on its line", "close it with a double quote", '"'
        marked = token.end
    else:
        message, help, quotes = "this text does not end", "close it with three double quotes", _LONG
        marked = token.start + len(_LONG)
    findings.add("E0113", message, token.start, marked, help=help, fix=findings.change(end, end, quotes))

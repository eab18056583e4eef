"""What a file allows in place: `# rspp: allow W0301 because the old desk phones have no echo cancellation`.

The comment stands behind the line that it is about, or on lines of its own above it. It is judged itself: W0001 without
a reason, W0002 for a code that no warning has, W0003 if there is nothing that it allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rspp_compiler.diagnostics import Diagnostic, Fix, Sink
from rspp_compiler.diagnostics.catalog import CODES, WARNINGS
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.source import Source, Span

_TOKEN = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*')
_ALLOW = re.compile(r"#\s*rspp:\s*allow\b(?P<codes>(?:(?!\bbecause\b).)*)(?:\bbecause\b\s*(?P<reason>.*))?")
_WORD = re.compile(r"[^\s,]+")
_ALONE = re.compile(r"[ \t]*(?:#[^\n]*)?\r?$")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One comment: the codes that it allows on `line`, each with its place, and why."""

    span: Span
    line: int
    codes: tuple[tuple[str, Span], ...]
    reason: str


def allowances(source: Source) -> list[Allowance]:
    """Every comment of a file that allows something."""
    found = []
    for token in _TOKEN.finditer(source.text):
        if allow := _ALLOW.fullmatch(token[0].rstrip()):
            start = token.start()
            first = start + allow.start("codes")
            words = [(word[0], first + word.start(), first + word.end()) for word in _WORD.finditer(allow["codes"])]
            codes = tuple((code, source.span(begin, end)) for code, begin, end in words)
            span = source.span(start, start + allow.end())
            found.append(Allowance(span, _line(source, span), codes, (allow["reason"] or "").strip()))
    return found


def _line(source: Source, span: Span) -> int:
    """The line that a comment is about: its own, or the next one that is not a comment."""
    number = span.line
    while number < source.line_count and _ALONE.match(source.line(number)):
        number += 1
    return number


def apply(found: Iterable[Diagnostic], sources: Iterable[Source], judged: Iterable[str]) -> Iterator[Diagnostic]:
    """The findings that nothing allows, and what is wrong with the comments that allow. `judged` are the codes whose
    rules have looked at the program: of others nobody knows whether there is anything to allow.
    """
    judged, sink = set(judged), Sink()
    used: set[Span] = set()
    rows = [(source, one) for source in sources for one in allowances(source)]
    by_place = {(one.span.file, one.line, code): at for _, one in rows for code, at in reversed(one.codes)}
    for finding in found:
        at = by_place.get((finding.primary.file, finding.primary.line, finding.code))
        if at is None:
            yield finding
        else:
            used.add(at)
    for source, one in rows:
        _judge(source, one, used, judged, sink)
    yield from sink.diagnostics


def _judge(source: Source, one: Allowance, used: set[Span], judged: set[str], sink: Sink) -> None:
    if not one.codes:
        help = "name the code, as in `# rspp: allow W0301 because …`"
        sink.add("W0002", "this allows nothing: it names no code", one.span, help=help, fix=_without(source, one))
    for code, at in one.codes:
        if code not in WARNINGS:
            near = nearest(code.upper(), WARNINGS)
            is_error = "an error cannot be allowed" if code in CODES else f"no warning has the code `{code}`"
            help = f"did you mean `{near}`?" if near and code not in CODES else "remove it"
            fix = Fix(at, near) if near and code not in CODES else _without(source, one, at)
            sink.add("W0002", is_error, at, help=help, fix=fix)
        elif at not in used and code in judged:
            message = f"`{code}` finds nothing here that had to be allowed"
            sink.add("W0003", message, at, help="remove it", fix=_without(source, one, at))
    if one.codes and not one.reason:
        help = "say why: `… because …`; or remove it, and mend what it hides"
        sink.add("W0001", "this allows something, and does not say why", one.span, help=help, fix=_without(source, one))


def _without(source: Source, one: Allowance, code: Span | None = None) -> Fix:
    """The comment without one of several codes; without any it goes, and the blanks before it."""
    start, end = (source.offset(one.span.line, column) for column in (one.span.column, one.span.end_column))
    if code is not None and len(one.codes) > 1:
        places = [at for _, at in one.codes]
        number = places.index(code)
        # With what separates it from the code before, or the first one from the code behind.
        first, last = (code, places[1]) if number == 0 else (places[number - 1], code)
        columns = (first.column, last.column) if number == 0 else (first.end_column, last.end_column)
        return Fix(source.span(*(source.offset(code.line, column) for column in columns)), "")
    before = source.line(one.span.line)[: one.span.column - 1]
    if not before.strip():
        return remove(source, one.span)
    behind = len(source.line(one.span.line)) - (one.span.end_column - 1)
    return Fix(source.span(start - len(before) + len(before.rstrip()), end + behind), "")

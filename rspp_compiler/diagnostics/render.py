"""Diagnostics as text, with the source line and carets, or as JSON.

error[E0203]: no node `sst`
  --> hello.rspp:5:27
   |
 5 |   ingress.audio -> vad -> sst -> llm -> tts -> egress.audio
   |                           ^^^
   = note: declared: `vad`
   = help: did you mean `stt`?
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from rspp_compiler.diagnostics.diagnostic import Diagnostic
from rspp_compiler.source import Source, Span

SHOWN_MAX = 100
_TAB = "    "
_WIDTH_MAX = 160  # a longer line is cut around its carets
_COLOURS = {"error": "1;31", "warning": "1;33", "frame": "1;34", "bold": "1", "note": "1;36", "help": "1;32"}


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, colour: bool = False) -> str:
    """All diagnostics, at most 100 of them, and a count at the end."""
    found = list(diagnostics)
    paint = _Paint(colour)
    blocks = [_block(diagnostic, sources, paint) for diagnostic in found[:SHOWN_MAX]]
    if len(found) > SHOWN_MAX:
        blocks.append(f"... and {len(found) - SHOWN_MAX} more\n")
    return "\n".join([*blocks, summary(found) + "\n"]) if found else ""


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    severities = [found.severity for found in diagnostics]
    counts = [(severities.count(word), word) for word in ("error", "warning")]
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)


def to_objects(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The same findings for machines."""
    return [
        {
            "code": found.code,
            "severity": found.severity,
            "message": found.message,
            "primary": {**_place(found.primary), "label": found.label},
            "secondary": [{**_place(span), "label": label} for span, label in found.secondary],
            "notes": list(found.notes),
            "help": found.help,
            "fix": {**_place(found.fix.span), "replacement": found.fix.replacement} if found.fix else None,
        }
        for found in diagnostics
    ]


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    return json.dumps(to_objects(diagnostics), indent=2, ensure_ascii=False) + "\n"


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "start": span.start,
        "end": span.end,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


class _Paint:
    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self._on and text else text


def _block(found: Diagnostic, sources: Mapping[str, Source], paint: _Paint) -> str:
    severity = found.severity
    marks = [(found.primary, found.label, True), *((span, label, False) for span, label in found.secondary)]
    width = max(len(str(span.line)) for span, _, _ in marks)
    lines = [paint(severity, f"{severity}[{found.code}]") + paint("bold", f": {found.message}")]

    # The primary file first, then each other file under a heading of its own, lines in their order.
    files = list(dict.fromkeys(span.file for span, _, _ in marks))
    for file in files:
        here = sorted((mark for mark in marks if mark[0].file == file), key=lambda mark: (mark[0].line, mark[0].column))
        first = found.primary if file == found.primary.file else here[0][0]
        arrow = "-->" if file == files[0] else ":::"
        lines.append(" " * width + paint("frame", f"{arrow} ") + f"{file}:{first.line}:{first.column}")
        if file in sources and any(sources[file].line(span.line) for span, _, _ in here):
            lines.append(paint("frame", " " * (width + 1) + "|"))
            lines.extend(_excerpt(here, sources[file], width, severity, paint))
    for note in found.notes:
        lines.append(" " * (width + 1) + paint("frame", "= ") + paint("note", "note: ") + note)
    if found.help:
        lines.append(" " * (width + 1) + paint("frame", "= ") + paint("help", "help: ") + found.help)
    return "\n".join(lines) + "\n"


def _excerpt(
    marks: list[tuple[Span, str, bool]], source: Source, width: int, severity: str, paint: _Paint
) -> Iterable[str]:
    """The lines that are marked, each once, with one line of carets for every mark in it."""
    before = 0
    for number in sorted({span.line for span, _, _ in marks}):
        if before and number > before + 1:
            yield paint("frame", "...")
        before = number
        text = source.line(number)
        cut = _cut(text, [span for span, _, _ in marks if span.line == number])
        shown, start = cut
        yield paint("frame", f"{number:>{width}} | ") + shown
        for span, label, is_primary in marks:
            if span.line == number:
                yield _carets(text, span, label, is_primary, start, width, severity, paint)


def _cut(text: str, spans: list[Span]) -> tuple[str, int]:
    """The part of a line that is shown, and how many of its characters were left out before it."""
    if len(text) <= _WIDTH_MAX:
        return text.replace("\t", _TAB).rstrip(), 0
    start = max(0, min(span.column for span in spans) - 1 - 40)
    part = text[start : start + _WIDTH_MAX - 8]
    return f"{'...' if start else ''}{part}...".replace("\t", _TAB), start


def _carets(
    text: str, span: Span, label: str, is_primary: bool, start: int, width: int, severity: str, paint: _Paint
) -> str:
    end = span.end_column - 1 if span.end_line == span.line else len(text)
    end = min(end, start + _WIDTH_MAX - 8) if start or len(text) > _WIDTH_MAX else end
    lead = _cells(text[start : span.column - 1]) + (3 if start else 0)
    size = max(1, _cells(text[span.column - 1 : end].rstrip()))
    mark = paint(
        severity if is_primary else "frame", ("^" if is_primary else "-") * size + (f" {label}" if label else "")
    )
    return paint("frame", " " * (width + 1) + "| ") + " " * lead + mark


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters two, combining ones none."""
    return sum(
        len(_TAB)
        if c == "\t"
        else 0
        if unicodedata.combining(c) or c in "\u200d\ufe0f"
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )
